/* SPDX-License-Identifier: MIT */
#include "hypercalls/vp_set.h"

#include <string.h>

#include <glib.h>

#include "proto/hv_hypercall.h"
#include "support/check_main.h"

/* Decode a sparse set of up to four banks and list who is in it. */
static hv_status_t decode(struct vp_bitmap *set, uint64_t format,
			  uint64_t valid, const uint64_t *banks,
			  unsigned int n_banks, unsigned int n_vps)
{
	uint8_t bytes[64 * 8 + 1];

	/* one byte off, as a hostile caller could have it */
	memcpy(bytes + 1, banks, n_banks * sizeof(uint64_t));
	return vp_set_decode(set, format, valid, bytes + 1, n_banks, n_vps);
}

static void assert_members(const struct vp_bitmap *set, const uint32_t *vps,
			   unsigned int n)
{
	unsigned int i = 0;

	vp_bitmap_for_each (vp, set) {
		ck_assert_uint_lt(i, n);
		ck_assert_uint_eq(vp, vps[i++]);
	}
	ck_assert_uint_eq(i, n);
	ck_assert_uint_eq(vp_bitmap_count(set), n);
	ck_assert(vp_bitmap_any(set) == (n > 0));
}

START_TEST(set_clear_test)
{
	struct vp_bitmap set = {0};

	ck_assert(!vp_bitmap_any(&set));
	vp_bitmap_set(&set, 0);
	vp_bitmap_set(&set, 63);
	vp_bitmap_set(&set, 64);
	vp_bitmap_set(&set, HV_MAX_VPS - 1);
	assert_members(&set, (uint32_t[]){0, 63, 64, HV_MAX_VPS - 1}, 4);
	ck_assert(vp_bitmap_test(&set, 64));
	ck_assert(!vp_bitmap_test(&set, 65));
	ck_assert(!vp_bitmap_test(&set, HV_MAX_VPS));
	ck_assert(!vp_bitmap_test(&set, UINT32_MAX));
	vp_bitmap_clear(&set, 64);
	assert_members(&set, (uint32_t[]){0, 63, HV_MAX_VPS - 1}, 3);
}
END_TEST

START_TEST(next_past_the_end)
{
	struct vp_bitmap set = {0};

	vp_bitmap_set(&set, 5);
	ck_assert_uint_eq(vp_bitmap_next(&set, 5), 5);
	ck_assert_uint_eq(vp_bitmap_next(&set, 6), VP_BITMAP_NO_VPS);
	ck_assert_uint_eq(vp_bitmap_next(&set, HV_MAX_VPS), VP_BITMAP_NO_VPS);
	ck_assert_uint_eq(vp_bitmap_next(&set, UINT32_MAX), VP_BITMAP_NO_VPS);
}
END_TEST

START_TEST(all_is_who_exists)
{
	static const unsigned int sizes[] = {1,   63,   64,        65,
					     128, 1000, HV_MAX_VPS};

	for (unsigned int i = 0; i < G_N_ELEMENTS(sizes); i++) {
		struct vp_bitmap set;

		vp_bitmap_all(&set, sizes[i]);
		ck_assert_uint_eq(vp_bitmap_count(&set), sizes[i]);
		ck_assert(vp_bitmap_test(&set, sizes[i] - 1));
		ck_assert(!vp_bitmap_test(&set, sizes[i]));
	}
}
END_TEST

START_TEST(mask_drops_who_does_not_exist)
{
	struct vp_bitmap set;

	vp_set_from_mask(&set, 0x51, 64);
	assert_members(&set, (uint32_t[]){0, 4, 6}, 3);
	vp_set_from_mask(&set, ~0ull, 2);
	assert_members(&set, (uint32_t[]){0, 1}, 2);
	vp_set_from_mask(&set, ~0ull << 63, 1000);
	assert_members(&set, (uint32_t[]){63}, 1);
	vp_set_from_mask(&set, 0, 64);
	assert_members(&set, NULL, 0);
}
END_TEST

/* TLFS HV_VP_SET, Processor Set Example */
START_TEST(example_of_the_specification)
{
	struct vp_bitmap set;

	ck_assert_uint_eq(decode(&set, HV_GENERIC_SET_SPARSE_4K, 0x05,
				 (uint64_t[]){0x21, 0x04}, 2, 200),
			  HV_STATUS_SUCCESS);
	assert_members(&set, (uint32_t[]){0, 5, 130}, 3);
}
END_TEST

static const struct {
	const char *what;
	uint64_t format, valid;
	uint64_t banks[4];
	unsigned int n_banks, n_vps;
	hv_status_t status;
	unsigned int count;
} cases[] = {
	{"all", HV_GENERIC_SET_ALL, 0, {0}, 0, 130, 0, 130},
	{"all ignores banks", HV_GENERIC_SET_ALL, 7, {1}, 1, 10, 0, 10},
	{"empty", HV_GENERIC_SET_SPARSE_4K, 0, {0}, 0, 10, 0, 0},
	{"bank of zeros", HV_GENERIC_SET_SPARSE_4K, 1, {0}, 1, 10, 0, 0},
	{"bits past the VPs",
	 HV_GENERIC_SET_SPARSE_4K,
	 1,
	 {~0ull},
	 1,
	 10,
	 0,
	 10},
	{"bank past the VPs",
	 HV_GENERIC_SET_SPARSE_4K,
	 2,
	 {~0ull},
	 1,
	 64,
	 0,
	 0},
	{"half of bank 1", HV_GENERIC_SET_SPARSE_4K, 2, {~0ull}, 1, 96, 0, 32},
	{"bank past our limit",
	 HV_GENERIC_SET_SPARSE_4K,
	 1ull << 63,
	 {~0ull},
	 1,
	 HV_MAX_VPS,
	 0,
	 0},
	{"last bank",
	 HV_GENERIC_SET_SPARSE_4K,
	 1 << (VP_BITMAP_WORDS - 1),
	 {~0ull},
	 1,
	 HV_MAX_VPS,
	 0,
	 64},
	{"a word too few",
	 HV_GENERIC_SET_SPARSE_4K,
	 3,
	 {1},
	 1,
	 130,
	 HV_STATUS_INVALID_HYPERCALL_INPUT,
	 0},
	{"a word too many",
	 HV_GENERIC_SET_SPARSE_4K,
	 1,
	 {1, 1},
	 2,
	 130,
	 HV_STATUS_INVALID_HYPERCALL_INPUT,
	 0},
	{"words without banks",
	 HV_GENERIC_SET_SPARSE_4K,
	 0,
	 {1},
	 1,
	 130,
	 HV_STATUS_INVALID_HYPERCALL_INPUT,
	 0},
	{"no such format", 2, 1, {1}, 1, 130, HV_STATUS_INVALID_PARAMETER, 0},
	{"no such format",
	 ~0ull,
	 0,
	 {0},
	 0,
	 130,
	 HV_STATUS_INVALID_PARAMETER,
	 0},
};

START_TEST(decode_cases)
{
	struct vp_bitmap set;
	hv_status_t status =
		decode(&set, cases[_i].format, cases[_i].valid, cases[_i].banks,
		       cases[_i].n_banks, cases[_i].n_vps);

	ck_assert_msg(status == cases[_i].status, "%s: status %u",
		      cases[_i].what, status);
	if (!status)
		ck_assert_msg(vp_bitmap_count(&set) == cases[_i].count,
			      "%s: %u VPs", cases[_i].what,
			      vp_bitmap_count(&set));
}
END_TEST

START_TEST(all_64_banks)
{
	uint64_t banks[64];
	struct vp_bitmap set;

	memset(banks, 0xFF, sizeof(banks));
	ck_assert_uint_eq(decode(&set, HV_GENERIC_SET_SPARSE_4K, ~0ull, banks,
				 64, HV_MAX_VPS),
			  HV_STATUS_SUCCESS);
	ck_assert_uint_eq(vp_bitmap_count(&set), HV_MAX_VPS);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hypercalls/vp_set");
	TCase *t = tcase_create("vp_set");

	tcase_add_test(t, set_clear_test);
	tcase_add_test(t, next_past_the_end);
	tcase_add_test(t, all_is_who_exists);
	tcase_add_test(t, mask_drops_who_does_not_exist);
	tcase_add_test(t, example_of_the_specification);
	tcase_add_loop_test(t, decode_cases, 0, (int)G_N_ELEMENTS(cases));
	tcase_add_test(t, all_64_banks);
	suite_add_tcase(s, t);
	return check_main(s);
}
