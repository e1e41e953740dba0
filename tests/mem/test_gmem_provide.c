/* SPDX-License-Identifier: MIT */
#include "mem/gmem_provide.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem/gmem.h"
#include "support/check_main.h"

#define MIB (1ull << 20)

static struct gmem *mem;

static void setup(void)
{
	mem = gmem_new(8 * MIB, NULL);
	ck_assert_ptr_nonnull(mem);
}

static void teardown(void)
{
	gmem_free(mem);
}

static unsigned int resident_pages(void)
{
	unsigned char there[8 * MIB / 4096];
	unsigned int n = 0;

	ck_assert_int_eq(mincore(gmem_load(mem, 0, 1), 8 * MIB, there), 0);
	for (unsigned int i = 0; i < sizeof(there); i++)
		n += there[i] & 1;
	return n;
}

START_TEST(all_of_it_is_there)
{
	const char text[] = "kept";
	char got[sizeof(text)];

	ck_assert_int_eq(gmem_write(mem, 5 * MIB, text, sizeof(text)), 0);
	ck_assert_uint_lt(resident_pages(), 8 * MIB / 4096);
	ck_assert_int_eq(gmem_provide(mem, false, NULL), 0);
	ck_assert_uint_eq(resident_pages(), 8 * MIB / 4096);
	ck_assert_int_eq(gmem_read(mem, 5 * MIB, got, sizeof(got)), 0);
	ck_assert_str_eq(got, text);
}
END_TEST

/* Either it is in large pages, or that is said. */
START_TEST(large_pages_or_an_error)
{
	unsigned int n;
	GError *error = NULL;
	int err = gmem_provide(mem, true, &error);
	FILE *smaps = fopen("/proc/self/smaps", "re");
	uint64_t huge = gmem_huge_bytes(smaps, gmem_regions(mem, &n));

	fclose(smaps);
	if (err)
		ck_assert_ptr_nonnull(strstr(error->message, "2 MiB"));
	else
		ck_assert_uint_eq(huge, 8 * MIB);
	g_clear_error(&error);
}
END_TEST

START_TEST(large_pages_of_the_region_count)
{
	static const char form[] =
		"%llx-%llx rw-p 00000000 00:00 0\n"
		"AnonHugePages:      2048 kB\n"
		"%llx-%llx rw-p 00000000 00:00 0 \n"
		"Rss:                4096 kB\n"
		"AnonHugePages:      4096 kB\n"
		"7f0000000000-7f0000001000 rw-p 00000000 00:00 0\n"
		"AnonHugePages:      8192 kB\n";
	struct gmem_region r = {.host = (void *)0x10000000ul, .bytes = 8 * MIB};
	char text[512];
	FILE *f;

	snprintf(text, sizeof(text), form, 0x10000000ull, 0x10200000ull,
		 0x10400000ull, 0x10800000ull);
	f = fmemopen(text, strlen(text), "r");
	ck_assert_uint_eq(gmem_huge_bytes(f, &r), 6 * MIB);
	fclose(f);
}
END_TEST

/* A reset gives RAM back, which the host may refuse for what is locked. */
START_TEST(locked_memory_can_be_emptied)
{
	const char text[] = "gone";
	char got[sizeof(text)];

	if (gmem_lock(NULL))
		return; /* not for this user */
	ck_assert_int_eq(gmem_provide(mem, false, NULL), 0);
	ck_assert_int_eq(gmem_write(mem, 5 * MIB, text, sizeof(text)), 0);
	ck_assert_int_eq(gmem_zero_all(mem), 0);
	ck_assert_int_eq(gmem_read(mem, 5 * MIB, got, sizeof(got)), 0);
	ck_assert_str_eq(got, "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mem/gmem_provide");
	TCase *t = tcase_create("provide");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, all_of_it_is_there);
	tcase_add_test(t, large_pages_or_an_error);
	tcase_add_test(t, large_pages_of_the_region_count);
	tcase_add_test(t, locked_memory_can_be_emptied);
	suite_add_tcase(s, t);
	return check_main(s);
}
