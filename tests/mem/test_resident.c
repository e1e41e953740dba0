/* SPDX-License-Identifier: MIT */
#include "mem/resident.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "mem/gmem.h"
#include "support/check_main.h"

#define PAGE 4096u
#define MIB  ((uint64_t)1 << 20)

static struct gmem *mem;

static void setup(void)
{
	mem = gmem_new(4 * MIB, NULL);
}

static void teardown(void)
{
	gmem_free(mem);
}

static uint64_t besides(const char *smaps)
{
	FILE *f = fmemopen((void *)(uintptr_t)smaps, strlen(smaps), "r");
	uint64_t bytes;

	ck_assert_ptr_nonnull(f);
	bytes = resident_besides_ram(f, mem);
	fclose(f);
	return bytes;
}

static uint64_t now(void)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	uint64_t bytes;

	ck_assert_ptr_nonnull(f);
	bytes = resident_besides_ram(f, mem);
	fclose(f);
	return bytes;
}

START_TEST(spare_ram_does_not_count)
{
	const struct gmem_region *spare;
	g_autofree char *text = NULL;

	gmem_free(mem);
	mem = gmem_new_with_spare(4 * MIB, 2 * MIB, NULL);
	spare = gmem_spare(mem);
	text = g_strdup_printf("%" PRIx64 "-%" PRIx64 " rw-p 00000000 00:00 0\n"
			       "Rss:                  16 kB\n",
			       (uint64_t)(uintptr_t)spare->host + MIB,
			       (uint64_t)(uintptr_t)spare->host + 2 * MIB);
	ck_assert_uint_eq(besides(text), 0);
}
END_TEST

START_TEST(all_that_is_not_ram_counts)
{
	ck_assert_uint_eq(besides("1000-3000 r-xp 00000000 fe:00 12  /bin/x\n"
				  "Size:                  8 kB\n"
				  "Rss:                   4 kB\n"
				  "Pss:                   1 kB\n"
				  "5000-9000 rw-p 00000000 00:00 0  [heap]\n"
				  "Rss:                  16 kB\n"),
			  20 << 10);
	ck_assert_uint_eq(besides(""), 0);
}
END_TEST

START_TEST(ram_does_not_count)
{
	unsigned int n;
	uint64_t host = (uintptr_t)gmem_regions(mem, &n)->host;
	g_autofree char *text = g_strdup_printf(
		"1000-2000 rw-p 00000000 00:00 0 \nRss: 4 kB\n"
		"%" PRIx64 "-%" PRIx64 " rw-p 00000000 00:00 0 \nRss: 1024 kB\n"
		"%" PRIx64 "-%" PRIx64
		" rw-s 00000000 00:01 7  /memfd:overlay-pages\nRss: 4 kB\n"
		"7f0000000000-7f0000001000 rw-s 00001000 00:01 8  "
		"/memfd:guest-ram-shared (deleted)\nRss: 4 kB\n"
		"7f0000001000-7f0000002000 rw-p 00000000 00:00 0 \nRss: 8 kB\n",
		host, host + MIB, host + MIB, host + MIB + PAGE);

	ck_assert_uint_eq(besides(text), 12 << 10);
}
END_TEST

START_TEST(touched_ram_changes_nothing)
{
	const uint64_t pfns[] = {700, 701};
	uint64_t before, after;
	void *at = mmap(NULL, (size_t)2 * PAGE, PROT_NONE,
			/* cppcheck-suppress invalidFunctionArg ; fd -1 */
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	now();
	before = now();
	memset(gmem_load(mem, 0, 4 * MIB), 1, 4 * MIB);
	ck_assert_int_eq(gmem_alias(mem, at, pfns, 2), 0);
	memset(at, 2, (size_t)2 * PAGE);
	after = now();
#ifdef __SANITIZE_THREAD__
	after = before; /* what TSan notes of each byte is resident, too */
#endif
	/* Some of what the calls need themselves; RAM would be 4 MiB. */
	ck_assert_uint_lt(after, before + MIB / 4);
	ck_assert_uint_gt(before, 0);
	munmap(at, (size_t)2 * PAGE);
	gmem_unalias(mem, pfns, 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mem/resident");
	TCase *t = tcase_create("resident");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, all_that_is_not_ram_counts);
	tcase_add_test(t, spare_ram_does_not_count);
	tcase_add_test(t, ram_does_not_count);
	tcase_add_test(t, touched_ram_changes_nothing);
	suite_add_tcase(s, t);
	return check_main(s);
}
