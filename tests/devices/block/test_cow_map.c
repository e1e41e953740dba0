/* SPDX-License-Identifier: MIT */
#include "devices/block/cow_map.h"

#include <glib.h>

#include "support/check_main.h"
#include "support/random.h"

#define BLOCKS 1000u

static const uint32_t block_sizes[] = {512, 4096};

START_TEST(none_is_written_at_first)
{
	struct cow_map *map = cow_map_new(1 << 20, 512);
	bool written = true;

	ck_assert_uint_eq(cow_map_run(map, 0, 1 << 20, &written), 1 << 20);
	ck_assert(!written);
	cow_map_mark(map, 0, 1 << 20);
	ck_assert_uint_eq(cow_map_run(map, 0, 1 << 20, &written), 1 << 20);
	ck_assert(written);
	cow_map_free(map);
	cow_map_free(NULL);
}
END_TEST

START_TEST(only_whole_blocks_count)
{
	struct cow_map *map = cow_map_new(8192, 512);
	bool written;

	cow_map_mark(map, 100, 500); /* half of 0, some of 1 */
	cow_map_mark(map, 1000, 1100); /* some of 1, 2, 3, some of 4 */
	cow_map_mark(map, 4096, 0);
	ck_assert_uint_eq(cow_map_run(map, 0, 8192, &written), 1024);
	ck_assert(!written);
	ck_assert_uint_eq(cow_map_run(map, 1024, 7168, &written), 1024);
	ck_assert(written);
	/* From within a block, and no further than asked. */
	ck_assert_uint_eq(cow_map_run(map, 1100, 7000, &written), 948);
	ck_assert(written);
	ck_assert_uint_eq(cow_map_run(map, 1100, 10, &written), 10);
	ck_assert_uint_eq(cow_map_run(map, 2048, 6144, &written), 6144);
	ck_assert(!written);
	cow_map_free(map);
}
END_TEST

/* Against an array of a byte for each block. */
START_TEST(runs_are_as_an_array_says)
{
	uint64_t size = block_sizes[_i];
	struct cow_map *map = cow_map_new(BLOCKS * size, block_sizes[_i]);
	bool oracle[BLOCKS] = {false};

	for (unsigned int round = 0; round < 300; round++) {
		uint64_t first = random_u64() % BLOCKS;
		uint64_t n = random_u64() % (round % 3 ? 4 : 150);
		uint64_t at;

		n = MIN(n, BLOCKS - first);
		cow_map_mark(map, first * size, n * size);
		for (uint64_t i = first; i < first + n; i++)
			oracle[i] = true;
		for (at = random_u64() % BLOCKS; at < BLOCKS;) {
			uint64_t end = at + 1;
			bool written;

			while (end < BLOCKS && oracle[end] == oracle[at])
				end++;
			ck_assert_uint_eq(cow_map_run(map, at * size,
						      (BLOCKS - at) * size,
						      &written),
					  (end - at) * size);
			ck_assert(written == oracle[at]);
			at = end;
		}
	}
	cow_map_free(map);
}
END_TEST

START_TEST(large_disks_cost_nothing)
{
	struct cow_map *map = cow_map_new(1ull << 40, 4096);
	bool written;

	cow_map_mark(map, (1ull << 40) - 4096, 4096);
	ck_assert_uint_eq(
		cow_map_run(map, (1ull << 40) - (1 << 20), 1 << 20, &written),
		(1 << 20) - 4096);
	ck_assert(!written);
	cow_map_free(map);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices/block/cow_map");
	TCase *tc = tcase_create("cow_map");

	tcase_add_test(tc, none_is_written_at_first);
	tcase_add_test(tc, only_whole_blocks_count);
	tcase_add_loop_test(tc, runs_are_as_an_array_says, 0,
			    G_N_ELEMENTS(block_sizes));
	tcase_add_test(tc, large_disks_cost_nothing);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
