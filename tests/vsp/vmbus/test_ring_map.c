/* SPDX-License-Identifier: MIT */
#include "vsp/vmbus/ring_map.h"

#include <errno.h>

#include "support/check_main.h"
#include "support/ring_peer.h"

#define RAM_PAGES 4096u

static struct gmem *mem;

static void setup(void)
{
	mem = gmem_new(RAM_PAGES * 4096ull, NULL);
}

static void teardown(void)
{
	gmem_free(mem);
}

static struct gpadl *checked(struct gpadl *g)
{
	ck_assert_int_eq(gpadl_check(g, ring_bench_is_ram, mem), 0);
	return g;
}

/* Every other page: nothing can be mapped together. */
static struct gpadl *scattered(uint32_t n)
{
	g_autofree uint64_t *pfns = g_new(uint64_t, n);

	for (uint32_t i = 0; i < n; i++)
		pfns[i] = 2 * i % RAM_PAGES;
	return checked(make_gpadl(pfns, n));
}

START_TEST(pages_in_any_order)
{
	struct gpadl *g = scattered(7);
	struct ring_out out;
	struct ring_in in;
	struct ring_map *map;
	int err;

	map = ring_map_new(mem, g, 3, &err);
	ck_assert_ptr_nonnull(map);
	gpadl_free(g);
	ck_assert_int_eq(ring_map_init(map, &in, &out), 0);
	ck_assert_uint_eq(in.size, 2 * 4096);
	ck_assert_uint_eq(out.size, 3 * 4096);
	ck_assert_ptr_eq(in.data, (uint8_t *)in.shared + 4096);
	for (uint32_t page = 0; page < 3; page++) {
		uint8_t b = (uint8_t)(0x40 + page);

		gmem_write(mem, (8 + 2 * page) * 4096ull + 1, &b, 1);
		ck_assert_uint_eq(out.data[page * 4096 + 1], b);
		ck_assert_uint_eq(out.data[out.size + page * 4096 + 1], b);
	}
	gmem_write(mem, 2 * 4096 + 1, "A", 1);
	ck_assert_uint_eq(in.data[1], 'A');
	ck_assert_uint_eq(in.data[in.size + 1], 'A');
	ring_map_free(map);
	ring_map_free(NULL);
}
END_TEST

static const struct {
	const char *what;
	uint32_t pages, downstream;
	int err;
} splits[] = {
	{"smallest", 4, 2, 0},
	{"no data to the host", 4, 1, -EINVAL},
	{"no ring to the host", 4, 0, -EINVAL},
	{"no data to the guest", 4, 3, -EINVAL},
	{"no ring to the guest", 4, 4, -EINVAL},
	{"beyond the end", 4, 5, -EINVAL},
	{"far beyond", 4, ~0u, -EINVAL},
	{"too few pages", 3, 2, -EINVAL},
	{"lopsided", 100, 98, 0},
};

START_TEST(where_the_second_ring_begins)
{
	struct gpadl *g = scattered(splits[_i].pages);
	struct ring_map *map;
	int err = 1;

	map = ring_map_new(mem, g, splits[_i].downstream, &err);
	ck_assert_msg(err == splits[_i].err, "%s: %d", splits[_i].what, err);
	ck_assert_int_eq(map != NULL, !err);
	ring_map_free(map);
	gpadl_free(g);
}
END_TEST

/* Range headers and page numbers that are no whole pages, or too many. */
static const struct {
	uint64_t words[12];
	uint32_t n_words, n_ranges;
} odd[] = {
	{{4 * 4096 - 1, 1, 2, 3, 4}, 5, 1},
	{{8ull << 32 | 4 * 4096, 1, 2, 3, 4, 5}, 6, 1},
	{{4 * 4096, 1, 2, 3, 4, 4 * 4096, 5, 6, 7, 8}, 10, 2},
};

START_TEST(no_range_of_whole_pages)
{
	struct gpadl *g = gpadl_new(1, (uint16_t)(odd[_i].n_words * 8),
				    (uint16_t)odd[_i].n_ranges);
	int err;

	gpadl_append(g, odd[_i].words, odd[_i].n_words * sizeof(uint64_t));
	checked(g);
	ck_assert_ptr_null(ring_map_new(mem, g, 2, &err));
	ck_assert_int_eq(err, -EINVAL);
	gpadl_free(g);
}
END_TEST

START_TEST(memory_that_is_gone)
{
	struct gpadl *g = scattered(8);
	struct gmem *small = gmem_new(8 * 4096, NULL);
	int err;

	ck_assert_ptr_null(ring_map_new(small, g, 4, &err));
	ck_assert_int_eq(err, -EFAULT);
	gmem_free(small);
	gpadl_free(g);
}
END_TEST

START_TEST(mappings_have_a_budget)
{
	struct gpadl *g = scattered(2000), *small = scattered(8);
	struct ring_map *maps[16], *map;
	unsigned int n = 0;
	int err = 0;

	while ((maps[n] = ring_map_new(mem, g, 1000, &err)))
		ck_assert_uint_lt(++n, G_N_ELEMENTS(maps));
	ck_assert_int_eq(err, -ENOSPC);
	/* Each takes 4004; all of them split the same 2000 pages of RAM. */
	ck_assert_uint_eq(gmem_mappings(mem), 4001);
	ck_assert_uint_eq(n, (RING_MAPPINGS_MAX - 4001 - 4000) / 4004);
	/* Others are not bothered. */
	map = ring_map_new(mem, small, 4, &err);
	ck_assert_ptr_nonnull(map);
	ring_map_free(map);
	ring_map_free(maps[--n]);
	maps[n] = ring_map_new(mem, g, 1000, &err);
	ck_assert_ptr_nonnull(maps[n++]);
	while (n)
		ring_map_free(maps[--n]);
	gpadl_free(small);
	gpadl_free(g);
}
END_TEST

/* What a closed ring leaves splits the RAM as much as the ring did. */
START_TEST(pages_that_are_left_are_in_the_budget)
{
	const unsigned int most = RING_MAPPINGS_MAX / 2000;
	struct ring_map *map;
	unsigned int n = 0;
	struct gpadl *g;
	int err = 0;

	gmem_free(mem);
	mem = gmem_new((most + 1) * 2000 * 4096ull, NULL);
	for (;;) {
		g_autofree uint64_t *pfns = g_new(uint64_t, 1000);

		for (unsigned int page = 0; page < 1000; page++)
			pfns[page] = n * 2000 + 2 * page;
		g = checked(make_gpadl(pfns, 1000));
		map = ring_map_new(mem, g, 500, &err);
		if (!map)
			break;
		ring_map_free(map);
		gpadl_free(g);
		n++;
		ck_assert_uint_eq(gmem_left_pages(mem), n * 1000);
		ck_assert_uint_le(n, most);
	}
	ck_assert_int_eq(err, -ENOSPC);
	ck_assert_uint_gt(gmem_mappings(mem), RING_MAPPINGS_MAX - 3 * 2004);
	gmem_settle(mem);
	ck_assert_uint_eq(gmem_mappings(mem), 1);
	map = ring_map_new(mem, g, 500, &err);
	ck_assert_ptr_nonnull(map);
	ring_map_free(map);
	gpadl_free(g);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/ring_map");
	TCase *t = tcase_create("ring_map");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, pages_in_any_order);
	tcase_add_loop_test(t, where_the_second_ring_begins, 0,
			    G_N_ELEMENTS(splits));
	tcase_add_loop_test(t, no_range_of_whole_pages, 0, G_N_ELEMENTS(odd));
	tcase_add_test(t, memory_that_is_gone);
	tcase_add_test(t, mappings_have_a_budget);
	tcase_add_test(t, pages_that_are_left_are_in_the_budget);
	suite_add_tcase(s, t);
	return check_main(s);
}
