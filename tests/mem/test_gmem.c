/* SPDX-License-Identifier: MIT */
#include "mem/gmem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem/gmem_impl.h"
#include "mem/overlay.h"
#include "support/check_main.h"

#define PAGE 4096u
#define MIB  (1ull << 20)

static struct gmem *mem;

static void setup(void)
{
	mem = gmem_new(16 * PAGE, NULL);
	ck_assert_ptr_nonnull(mem);
}

static void teardown(void)
{
	gmem_free(mem);
}

static void touch(unsigned int page)
{
	uint8_t b = 0xA5;

	ck_assert_int_eq(gmem_write(mem, page * PAGE + 7, &b, 1), 0);
}

static void assert_next(uint64_t from_page, uint64_t page, uint64_t n_pages)
{
	uint64_t gpa = from_page * PAGE, bytes;

	ck_assert(gmem_next_untouched(mem, &gpa, &bytes));
	ck_assert_uint_eq(gpa, page * PAGE);
	ck_assert_uint_eq(bytes, n_pages * PAGE);
}

START_TEST(untouched_runs)
{
	uint64_t gpa = 16 * PAGE, bytes;

	assert_next(0, 0, 16);
	touch(0);
	touch(5);
	touch(15);
	assert_next(0, 1, 4);
	assert_next(3, 3, 2);
	assert_next(5, 6, 9);
	ck_assert(!gmem_next_untouched(mem, &gpa, &bytes));
	gpa = 15 * PAGE;
	ck_assert(!gmem_next_untouched(mem, &gpa, &bytes));
	gpa = UINT64_MAX;
	ck_assert(!gmem_next_untouched(mem, &gpa, &bytes));
}
END_TEST

START_TEST(untouched_on_both_sides_of_the_hole)
{
	uint64_t gpa = 0, bytes;

	gmem_free(mem);
	mem = gmem_new(GMEM_HOLE_START + 16 * PAGE, NULL);
	ck_assert(gmem_next_untouched(mem, &gpa, &bytes));
	ck_assert_uint_eq(gpa, 0);
	ck_assert_uint_eq(bytes, GMEM_HOLE_START);
	gpa += bytes;
	ck_assert(gmem_next_untouched(mem, &gpa, &bytes));
	ck_assert_uint_eq(gpa, GMEM_HOLE_END);
	ck_assert_uint_eq(bytes, 16 * PAGE);
	gpa += bytes;
	ck_assert(!gmem_next_untouched(mem, &gpa, &bytes));
}
END_TEST

START_TEST(discarded_is_zero_and_untouched)
{
	uint8_t b = 1;

	for (unsigned int i = 0; i < 16; i++)
		touch(i);
	ck_assert_int_eq(gmem_discard(mem, 4 * PAGE, 3 * PAGE), 0);
	assert_next(0, 4, 3);
	ck_assert_int_eq(gmem_read(mem, 6 * PAGE + 7, &b, 1), 0);
	ck_assert_uint_eq(b, 0);
	ck_assert_int_eq(gmem_read(mem, 7 * PAGE + 7, &b, 1), 0);
	ck_assert_uint_eq(b, 0xA5);
}
END_TEST

START_TEST(discard_outside_ram)
{
	ck_assert_int_eq(gmem_discard(mem, 15 * PAGE, 2 * PAGE), -EFAULT);
	ck_assert_int_eq(gmem_discard(mem, 0xE0000000, PAGE), -EFAULT);
	ck_assert_int_eq(gmem_discard(mem, ~0ull - PAGE + 1, PAGE), -EFAULT);
}
END_TEST

START_TEST(discard_below_an_overlay)
{
	struct overlay_space *space = overlay_space_new(mem, 1, NULL);
	struct overlay *o = overlay_new(space);
	uint8_t b = 0;

	touch(2);
	memset(overlay_page(o), 0xAA, PAGE);
	ck_assert_int_eq(overlay_show(o, 2 * PAGE), 0);
	ck_assert_int_eq(gmem_discard(mem, 2 * PAGE, PAGE), 0);
	ck_assert_int_eq(gmem_read(mem, 2 * PAGE + 7, &b, 1), 0);
	ck_assert_uint_eq(b, 0xAA);
	overlay_hide(o);
	ck_assert_int_eq(gmem_read(mem, 2 * PAGE + 7, &b, 1), 0);
	ck_assert_uint_eq(b, 0);
	overlay_space_free(space);
}
END_TEST

START_TEST(one_region_below_the_hole)
{
	struct gmem *m = gmem_new(64 * MIB, NULL);
	const struct gmem_region *r;
	unsigned int n;

	r = gmem_regions(m, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(r[0].gpa, 0);
	ck_assert_uint_eq(r[0].bytes, 64 * MIB);
	ck_assert_uint_eq(gmem_end(m), 64 * MIB);
	gmem_free(m);
}
END_TEST

START_TEST(the_rest_is_above_4_gib)
{
	/* Nothing is touched, so this costs the host nothing. */
	struct gmem *m = gmem_new(GMEM_HOLE_START + 2 * MIB, NULL);
	const struct gmem_region *r;
	unsigned int n;

	r = gmem_regions(m, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(r[0].bytes, GMEM_HOLE_START);
	ck_assert_uint_eq(r[1].gpa, GMEM_HOLE_END);
	ck_assert_uint_eq(r[1].bytes, 2 * MIB);
	ck_assert_uint_eq(gmem_end(m), GMEM_HOLE_END + 2 * MIB);
	ck_assert(!gmem_contains(m, GMEM_HOLE_START, 1));
	ck_assert(gmem_contains(m, GMEM_HOLE_END, 2 * MIB));
	/* No copy runs through the hole. */
	ck_assert(!gmem_contains(m, GMEM_HOLE_START - 8, 16));
	gmem_free(m);
}
END_TEST

static const struct {
	const char *what;
	uint64_t gpa, len;
	int result;
} ranges[] = {
	{"first byte", 0, 1, 0},
	{"all of it", 0, MIB, 0},
	{"last byte", MIB - 1, 1, 0},
	{"nothing, at the end", MIB, 0, 0},
	{"one past the end", MIB, 1, -EFAULT},
	{"across the end", MIB - 4, 8, -EFAULT},
	{"far away", 1ull << 40, 8, -EFAULT},
	{"wraps around", UINT64_MAX - 3, 8, -EFAULT},
	{"longer than all memory", 0, UINT64_MAX, -EFAULT},
};

START_TEST(only_ram_is_reached)
{
	struct gmem *m = gmem_new(MIB, NULL);
	uint8_t *buf = g_malloc0(MIB);

	ck_assert_msg(gmem_contains(m, ranges[_i].gpa, ranges[_i].len) ==
			      !ranges[_i].result,
		      "%s", ranges[_i].what);
	ck_assert_msg(gmem_read(m, ranges[_i].gpa, buf, ranges[_i].len) ==
			      ranges[_i].result,
		      "%s", ranges[_i].what);
	ck_assert_msg(gmem_write(m, ranges[_i].gpa, buf, ranges[_i].len) ==
			      ranges[_i].result,
		      "%s", ranges[_i].what);
	g_free(buf);
	gmem_free(m);
}
END_TEST

static void fill(struct gmem *m, uint64_t gpa, uint64_t len, uint8_t value)
{
	memset(gmem_load(m, gpa, len), value, len);
}

static uint8_t byte_at(struct gmem *m, uint64_t gpa)
{
	uint8_t b = 0xEE;

	ck_assert_int_eq(gmem_read(m, gpa, &b, 1), 0);
	return b;
}

static const struct {
	uint64_t bytes, spare_gpa;
} spares[] = {
	{16 * PAGE, GMEM_HOLE_END},
	{GMEM_HOLE_START, GMEM_HOLE_END},
	{GMEM_HOLE_START + PAGE, GMEM_HOLE_END + GMEM_SPARE_ALIGN},
	/* Never right behind other RAM */
	{GMEM_HOLE_START + GMEM_SPARE_ALIGN,
	 GMEM_HOLE_END + 2 * GMEM_SPARE_ALIGN},
};

START_TEST(spare_ram_is_above_all_other)
{
	uint64_t at = spares[_i].spare_gpa, pfn = at / PAGE, gpa = at, bytes;
	const struct gmem_region *spare;
	uint8_t *alias, b = 0;
	unsigned int n;

	mem = gmem_new(spares[_i].bytes, NULL);
	ck_assert_ptr_null(gmem_spare(mem));
	gmem_free(mem);
	mem = gmem_new_with_spare(spares[_i].bytes, 4 * PAGE, NULL);
	spare = gmem_spare(mem);
	ck_assert_uint_eq(spare->gpa, at);
	ck_assert_uint_eq(spare->bytes, 4 * PAGE);
	ck_assert_uint_eq((uintptr_t)spare->host % (2 * MIB), 0);
	ck_assert_uint_eq(gmem_end(mem), at + 4 * PAGE);
	/* What a guest is told when it starts */
	ck_assert_uint_eq(gmem_bytes(mem), spares[_i].bytes);
	ck_assert_uint_le(gmem_regions(mem, &n)[n - 1].gpa, GMEM_HOLE_END);
	ck_assert(!gmem_next_untouched(mem, &gpa, &bytes));
	/* RAM as any other */
	ck_assert(gmem_contains(mem, at, 4 * PAGE));
	ck_assert(!gmem_contains(mem, at - 1, 2));
	ck_assert(!gmem_contains(mem, at, 4 * PAGE + 1));
	ck_assert_int_eq(gmem_write(mem, at + 4 * PAGE - 1, "x", 1), 0);
	/* cppcheck-suppress invalidFunctionArg ; fd -1 */
	alias = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pfn += 3;
	ck_assert_int_eq(gmem_alias(mem, alias, &pfn, 1), 0);
	ck_assert_int_eq(alias[PAGE - 1], 'x');
	ck_assert_int_eq(gmem_write(mem, at + 3 * PAGE, "y", 1), 0);
	ck_assert_int_eq(alias[0], 'y');
	munmap(alias, PAGE);
	gmem_unalias(mem, &pfn, 1);
	ck_assert_int_eq(gmem_read(mem, at + 4 * PAGE - 1, &b, 1), 0);
	ck_assert_int_eq(b, 'x');
	/* A reset empties it, too. */
	ck_assert_int_eq(gmem_zero_all(mem), 0);
	ck_assert_int_eq(gmem_read(mem, at + 4 * PAGE - 1, &b, 1), 0);
	ck_assert_int_eq(b, 0);
	gmem_free(mem);
}
END_TEST

START_TEST(spare_ram_that_cannot_be)
{
	GError *error = NULL;

	ck_assert_ptr_null(
		gmem_new_with_spare(16 * PAGE, ~0ull - PAGE + 1, &error));
	ck_assert_ptr_nonnull(error);
	g_clear_error(&error);
	ck_assert_ptr_null(gmem_new_with_spare(16 * PAGE, 1ull << 60, &error));
	ck_assert_ptr_nonnull(error);
	g_clear_error(&error);
}
END_TEST

START_TEST(zero_all_zeroes_all)
{
	struct gmem *m = gmem_new(MIB, NULL);

	fill(m, 0, MIB, 0x55);
	ck_assert_int_eq(gmem_zero_all(m), 0);
	for (uint64_t gpa = 0; gpa < MIB; gpa += PAGE)
		ck_assert_uint_eq(byte_at(m, gpa), 0);
	gmem_free(m);
}
END_TEST

START_TEST(too_much_is_an_error_with_the_size)
{
	GError *error = NULL;

	ck_assert_ptr_null(gmem_new(1ull << 62, &error));
	ck_assert_ptr_nonnull(error);
	ck_assert_ptr_nonnull(strstr(error->message, "MiB"));
	g_error_free(error);
}
END_TEST

/* A file of @n bytes, each its offset; unlinked. */
static int numbered_file(size_t n)
{
	char path[] = "/tmp/kvmbus-gmem-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	unlink(path);
	for (size_t i = 0; i < n; i++) {
		uint8_t b = (uint8_t)i;

		ck_assert_int_eq(pwrite(fd, &b, 1, (off_t)i), 1);
	}
	return fd;
}

START_TEST(load_file)
{
	int fd = numbered_file(3000);
	uint8_t got[3];

	touch(1);
	ck_assert_int_eq(gmem_load_file(mem, PAGE + 9, 2000, fd, 1000), 0);
	ck_assert_int_eq(gmem_read(mem, PAGE + 8, got, 3), 0);
	ck_assert_uint_eq(got[0], 0);
	ck_assert_uint_eq(got[1], 1000 % 256);
	ck_assert_uint_eq(got[2], 1001 % 256);
	ck_assert_int_eq(gmem_read(mem, PAGE + 9 + 1998, got, 3), 0);
	ck_assert_uint_eq(got[1], 2999 % 256);
	ck_assert_uint_eq(got[2], 0);
	ck_assert_int_eq(gmem_load_file(mem, 0, 0, fd, 3000), 0);
	close(fd);
}
END_TEST

START_TEST(load_file_above_the_hole)
{
	struct gmem *big = gmem_new(GMEM_HOLE_START + 2 * MIB, NULL);
	int fd = numbered_file(300);
	uint8_t got;

	ck_assert_int_eq(gmem_load_file(big, GMEM_HOLE_END + PAGE, 300, fd, 0),
			 0);
	ck_assert_int_eq(gmem_read(big, GMEM_HOLE_END + PAGE + 200, &got, 1),
			 0);
	ck_assert_uint_eq(got, 200);
	close(fd);
	gmem_free(big);
}
END_TEST

START_TEST(load_file_refuses)
{
	int fd = numbered_file(100);

	ck_assert_int_eq(gmem_load_file(mem, 16 * PAGE - 50, 51, fd, 0),
			 -EFAULT);
	ck_assert_int_eq(gmem_load_file(mem, UINT64_MAX, 2, fd, 0), -EFAULT);
	ck_assert_int_eq(gmem_load_file(mem, 0, 101, fd, 0), -ENODATA);
	ck_assert_int_eq(gmem_load_file(mem, 0, 1, fd, 100), -ENODATA);
	ck_assert_int_eq(gmem_load_file(mem, 0, 1, -1, 0), -EBADF);
	close(fd);
}
END_TEST

static uint8_t *reserve(unsigned int pages)
{
	void *at = mmap(NULL, (size_t)pages * PAGE, PROT_NONE,
			/* cppcheck-suppress invalidFunctionArg ; fd -1 */
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(at, MAP_FAILED);
	return at;
}

START_TEST(alias_shows_pages_in_any_order)
{
	const uint64_t pfns[] = {3, 4, 9, 3};
	uint8_t *at = reserve(4), b;

	ck_assert_int_eq(gmem_alias(mem, at, pfns, 4), 0);
	for (unsigned int i = 0; i < 4; i++) {
		at[i * PAGE + 5] = (uint8_t)(0x10 + i);
		gmem_read(mem, pfns[i] * PAGE + 5, &b, 1);
		ck_assert_uint_eq(b, 0x10 + i);
	}
	/* The same page, twice. */
	ck_assert_uint_eq(at[5], 0x13);
	ck_assert_int_eq(gmem_discard(mem, 4 * PAGE, PAGE), 0);
	ck_assert_uint_eq(at[PAGE + 5], 0);
	munmap(at, 4 * PAGE);
	gmem_unalias(mem, pfns, 4);
}
END_TEST

/* What both sides wrote is there before, during and after. */
START_TEST(alias_keeps_contents)
{
	const uint64_t pfns[] = {6, 7, 8};
	uint8_t *at = reserve(3), b;

	touch(7);
	ck_assert_int_eq(gmem_alias(mem, at, pfns, 3), 0);
	ck_assert_uint_eq(at[PAGE + 7], 0xA5);
	at[8] = 0x77;
	munmap(at, 3 * PAGE);
	gmem_unalias(mem, pfns, 3);
	gmem_read(mem, 6 * PAGE + 8, &b, 1);
	ck_assert_uint_eq(b, 0x77);
	gmem_read(mem, 7 * PAGE + 7, &b, 1);
	ck_assert_uint_eq(b, 0xA5);
	/* The RAM is private again: nothing that is written is seen twice. */
	ck_assert(!gmem_is_shared(mem, 6 * PAGE, PAGE));
	ck_assert(!gmem_is_shared(mem, 8 * PAGE, PAGE));
}
END_TEST

START_TEST(alias_twice_until_the_last)
{
	const uint64_t first[] = {5, 6}, second[] = {4, 5};
	uint8_t *at = reserve(4), b;

	ck_assert_int_eq(gmem_alias(mem, at, first, 2), 0);
	ck_assert_int_eq(gmem_alias(mem, at + 2 * PAGE, second, 2), 0);
	gmem_unalias(mem, first, 2);
	ck_assert(!gmem_is_shared(mem, 6 * PAGE, PAGE));
	ck_assert(gmem_is_shared(mem, 5 * PAGE, PAGE));
	at[3 * PAGE] = 9;
	gmem_read(mem, 5 * PAGE, &b, 1);
	ck_assert_uint_eq(b, 9);
	gmem_unalias(mem, second, 2);
	ck_assert(!gmem_is_shared(mem, 5 * PAGE, PAGE));
	munmap(at, 4 * PAGE);
}
END_TEST

/* A list that is partly bad takes nothing. */
START_TEST(alias_that_fails_leaves_ram_private)
{
	const uint64_t pfns[] = {2, 3, 40};
	uint8_t *at = reserve(3), b;

	touch(3);
	ck_assert_int_eq(gmem_alias(mem, at, pfns, 3), -EFAULT);
	ck_assert(!gmem_is_shared(mem, 2 * PAGE, PAGE));
	ck_assert(!gmem_is_shared(mem, 3 * PAGE, PAGE));
	gmem_read(mem, 3 * PAGE + 7, &b, 1);
	ck_assert_uint_eq(b, 0xA5);
	munmap(at, 3 * PAGE);
}
END_TEST

/* Every order in which an overlay and an alias of one page come and go. */
START_TEST(alias_below_an_overlay)
{
	const uint64_t pfns[] = {2};
	bool overlay_first = _i & 1, overlay_leaves_first = _i & 2;
	struct overlay_space *space = overlay_space_new(mem, 1, NULL);
	struct overlay *o = overlay_new(space);
	uint8_t *at = reserve(1), b;

	touch(2);
	memset(overlay_page(o), 0xAA, PAGE);
	if (overlay_first)
		ck_assert_int_eq(overlay_show(o, 2 * PAGE), 0);
	ck_assert_int_eq(gmem_alias(mem, at, pfns, 1), 0);
	if (!overlay_first)
		ck_assert_int_eq(overlay_show(o, 2 * PAGE), 0);
	gmem_read(mem, 2 * PAGE + 7, &b, 1);
	ck_assert_uint_eq(b, 0xAA);
	ck_assert_uint_eq(at[7], 0xA5);
	at[7] = 0x5A;
	if (overlay_leaves_first) {
		overlay_hide(o);
		gmem_read(mem, 2 * PAGE + 7, &b, 1);
		ck_assert_uint_eq(b, 0x5A);
		at[7] = 0x5B;
		gmem_unalias(mem, pfns, 1);
	} else {
		at[7] = 0x5B;
		gmem_unalias(mem, pfns, 1);
		gmem_read(mem, 2 * PAGE + 7, &b, 1);
		ck_assert_uint_eq(b, 0xAA);
		overlay_hide(o);
	}
	gmem_read(mem, 2 * PAGE + 7, &b, 1);
	ck_assert_uint_eq(b, 0x5B);
	ck_assert(!gmem_is_shared(mem, 2 * PAGE, PAGE));
	munmap(at, PAGE);
	overlay_space_free(space);
}
END_TEST

START_TEST(shared_pages_are_touched)
{
	const uint64_t pfns[] = {2};
	uint8_t *at = reserve(1);

	ck_assert_int_eq(gmem_alias(mem, at, pfns, 1), 0);
	assert_next(0, 0, 2);
	assert_next(2, 3, 13);
	munmap(at, PAGE);
	gmem_unalias(mem, pfns, 1);
}
END_TEST

/* How many mappings of this process have a part of the guest's RAM. */
static unsigned int n_ram_mappings(void)
{
	unsigned int n_regions;
	const struct gmem_region *r = gmem_regions(mem, &n_regions);
	uintptr_t ram = (uintptr_t)r->host;
	g_autofree char *maps = NULL;
	unsigned int n = 0;

	g_file_get_contents("/proc/self/maps", &maps, NULL, NULL);
	for (char *c = maps; *c; c = strchr(c, '\n') + 1) {
		uintptr_t start = strtoull(c, &c, 16);
		uintptr_t end = strtoull(c + 1, &c, 16);

		n += start < ram + r->bytes && end > ram;
	}
	return n;
}

/* How many mappings this process has. */
static unsigned int n_mappings(void)
{
	g_autofree char *maps = NULL;
	unsigned int n = 0;

	g_file_get_contents("/proc/self/maps", &maps, NULL, NULL);
	for (const char *c = maps; *c; c++)
		n += *c == '\n';
	return n;
}

/* The host allows a process only so many. */
START_TEST(overlays_that_move_leave_no_mappings)
{
	struct gmem *m = gmem_new(4 * MIB, NULL);
	struct overlay_space *space = overlay_space_new(m, 1, NULL);
	struct overlay *o = overlay_new(space);
	unsigned int before;

	fill(m, 0, 4 * MIB, 1);
	n_mappings();
	before = n_mappings();
	for (unsigned int i = 1; i < 400; i++)
		ck_assert_int_eq(overlay_show(o, 2ull * i * PAGE), 0);
	overlay_hide(o);
	ck_assert_uint_le(n_mappings(), before + 4);
	for (unsigned int i = 0; i < 1024; i++)
		ck_assert_uint_eq(byte_at(m, (uint64_t)i * PAGE), 1);
	overlay_space_free(space);
	gmem_free(m);
}
END_TEST

static const struct {
	const char *what;
	uint64_t pfns[6];
	unsigned int n, mappings;
} splits[] = {
	{"one page", {5}, 1, 3},
	{"a run", {5, 6, 7}, 3, 3},
	{"two runs", {5, 6, 8}, 3, 5},
	{"two runs that become one", {5, 7, 6}, 3, 3},
	{"every other page", {2, 4, 6, 8, 10, 12}, 6, 13},
	{"a page twice", {5, 5}, 2, 3},
};

START_TEST(shared_pages_split_the_ram)
{
	const uint64_t *pfns = splits[_i].pfns;
	unsigned int n = splits[_i].n;
	uint8_t *at = reserve(n);

	ck_assert_uint_eq(gmem_mappings(mem), 1);
	ck_assert_int_eq(gmem_alias(mem, at, pfns, n), 0);
	ck_assert_msg(gmem_mappings(mem) == splits[_i].mappings, "%s: %u",
		      splits[_i].what, gmem_mappings(mem));
	munmap(at, n * PAGE);
	/* Nothing of the process' own, a sanitizer's for one, is in the count. */
	ck_assert_uint_eq(n_ram_mappings(), splits[_i].mappings);
	gmem_unalias(mem, pfns, n);
	ck_assert_uint_eq(gmem_mappings(mem), 1);
}
END_TEST

#define RING_PAGES 16u
#define RINGS      64u

static void alias_ring(struct gmem *m, uint8_t *at, unsigned int ring,
		       uint64_t *pfns)
{
	for (unsigned int i = 0; i < RING_PAGES; i++)
		pfns[i] = (uint64_t)ring * RING_PAGES + i;
	ck_assert_int_eq(gmem_alias(m, at, pfns, RING_PAGES), 0);
}

/* As a guest's that opens the next one before it closes the last one. */
START_TEST(rings_that_move_leave_no_mappings)
{
	struct gmem *m = gmem_new(4 * MIB, NULL);
	uint8_t *at = reserve(RING_PAGES);
	uint64_t pfns[2][RING_PAGES];
	unsigned int before;

	fill(m, 0, 4 * MIB, 1);
	n_mappings();
	before = n_mappings();
	alias_ring(m, at, 0, pfns[0]);
	for (unsigned int i = 1; i < 2 * RINGS - 1; i++) {
		const uint64_t *last = pfns[~i & 1];

		/* Up, and down again. */
		alias_ring(m, at, i < RINGS ? i : 2 * RINGS - 2 - i,
			   pfns[i & 1]);
		if (_i == 0)
			gmem_unalias(m, last, RING_PAGES);
		else
			gmem_unalias_later(m, last, RING_PAGES);
		if (_i == 1)
			gmem_settle(m);
		else if (_i == 2)
			gmem_take_back(m, last, RING_PAGES);
	}
	gmem_unalias(m, pfns[0], RING_PAGES);
	munmap(at, RING_PAGES * PAGE);
	ck_assert_uint_le(n_mappings(), before + 4);
	for (unsigned int i = 0; i < 1024; i++)
		ck_assert_uint_eq(byte_at(m, (uint64_t)i * PAGE), 1);
	gmem_free(m);
}
END_TEST

/* Else KVM cannot map 2 MiB at once. */
START_TEST(host_addresses_are_2_mib_aligned)
{
	struct gmem *m = gmem_new(GMEM_HOLE_START + 5 * PAGE, NULL);
	const struct gmem_region *r;
	unsigned int n;

	r = gmem_regions(m, &n);
	for (unsigned int i = 0; i < n; i++)
		ck_assert_uint_eq(
			((uintptr_t)r[i].host ^ r[i].gpa) & (2 * MIB - 1), 0);
	gmem_free(m);
}
END_TEST

START_TEST(pages_that_are_left_go_back_later)
{
	const uint64_t pfns[] = {3, 4}, again[] = {4};
	uint8_t *at = mmap(NULL, 2 * PAGE, PROT_NONE,
			   /* cppcheck-suppress invalidFunctionArg ; fd -1 */
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t b = 7;

	ck_assert_int_eq(gmem_alias(mem, at, pfns, 2), 0);
	ck_assert_uint_eq(gmem_left_pages(mem), 0);
	gmem_unalias_later(mem, pfns, 2);
	ck_assert_uint_eq(gmem_left_pages(mem), 2);
	/* It is memory as any other, but nothing was moved. */
	gmem_write(mem, 4 * PAGE, &b, 1);
	ck_assert_uint_eq(at[PAGE], 7);
	ck_assert_int_eq(gmem_alias(mem, at, again, 1), 0);
	ck_assert_uint_eq(gmem_left_pages(mem), 1);
	ck_assert_uint_eq(at[0], 7);
	gmem_unalias(mem, again, 1);
	ck_assert_uint_eq(gmem_left_pages(mem), 1);
	gmem_settle(mem);
	ck_assert_uint_eq(gmem_left_pages(mem), 0);
	gmem_read(mem, 4 * PAGE, &b, 1);
	ck_assert_uint_eq(b, 7);
	/* Or some of them, when the guest asks for them. */
	ck_assert_int_eq(gmem_alias(mem, at, pfns, 2), 0);
	gmem_take_back(mem, pfns, 2);
	ck_assert(gmem_is_shared(mem, 4 * PAGE, PAGE));
	gmem_unalias_later(mem, pfns, 2);
	gmem_take_back(mem, again, 1);
	ck_assert_uint_eq(gmem_left_pages(mem), 1);
	gmem_read(mem, 4 * PAGE, &b, 1);
	ck_assert_uint_eq(b, 7);
	/* A reset is a good time, too. */
	ck_assert_int_eq(gmem_alias(mem, at, pfns, 2), 0);
	gmem_unalias_later(mem, pfns, 2);
	ck_assert_int_eq(gmem_zero_all(mem), 0);
	ck_assert_uint_eq(gmem_left_pages(mem), 0);
	munmap(at, 2 * PAGE);
}
END_TEST

START_TEST(alias_is_of_ram_only)
{
	const uint64_t outside[] = {15, 16}, far[] = {1ull << 52};
	uint8_t *at = reserve(2);

	ck_assert_int_eq(gmem_alias(mem, at, outside, 2), -EFAULT);
	ck_assert_int_eq(gmem_alias(mem, at, far, 1), -EFAULT);
	munmap(at, 2 * PAGE);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mem/gmem");
	TCase *t = tcase_create("gmem");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, untouched_runs);
	tcase_add_test(t, untouched_on_both_sides_of_the_hole);
	tcase_add_test(t, discarded_is_zero_and_untouched);
	tcase_add_test(t, discard_outside_ram);
	tcase_add_test(t, discard_below_an_overlay);
	tcase_add_test(t, load_file);
	tcase_add_test(t, load_file_above_the_hole);
	tcase_add_test(t, load_file_refuses);
	tcase_add_test(t, alias_shows_pages_in_any_order);
	tcase_add_test(t, alias_is_of_ram_only);
	tcase_add_test(t, pages_that_are_left_go_back_later);
	tcase_add_test(t, alias_keeps_contents);
	tcase_add_loop_test(t, shared_pages_split_the_ram, 0,
			    (int)G_N_ELEMENTS(splits));
	tcase_add_test(t, alias_twice_until_the_last);
	tcase_add_test(t, alias_that_fails_leaves_ram_private);
	tcase_add_loop_test(t, alias_below_an_overlay, 0, 4);
	tcase_add_test(t, shared_pages_are_touched);
	tcase_add_test(t, overlays_that_move_leave_no_mappings);
	tcase_add_loop_test(t, rings_that_move_leave_no_mappings, 0, 3);
	suite_add_tcase(s, t);
	t = tcase_create("regions");
	tcase_add_test(t, one_region_below_the_hole);
	tcase_add_test(t, the_rest_is_above_4_gib);
	tcase_add_test(t, host_addresses_are_2_mib_aligned);
	tcase_add_loop_test(t, only_ram_is_reached, 0,
			    (int)G_N_ELEMENTS(ranges));
	tcase_add_loop_test(t, spare_ram_is_above_all_other, 0,
			    G_N_ELEMENTS(spares));
	tcase_add_test(t, spare_ram_that_cannot_be);
	tcase_add_test(t, zero_all_zeroes_all);
	tcase_add_test(t, too_much_is_an_error_with_the_size);
	suite_add_tcase(s, t);
	return check_main(s);
}
