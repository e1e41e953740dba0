/* SPDX-License-Identifier: MIT */
#include <glib.h>

#include "support/hc_guest.h"

#define SPACE    HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE
#define LIST     HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST
#define SPACE_EX HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX
#define LIST_EX  HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX

#define ALL      HV_FLUSH_ALL_PROCESSORS
#define SPACES   HV_FLUSH_ALL_VIRTUAL_ADDRESS_SPACES
#define LOCAL    HV_FLUSH_NON_GLOBAL_MAPPINGS_ONLY
#define EXTENDED HV_FLUSH_USE_EXTENDED_RANGE_FORMAT

static bool is_list(uint16_t code)
{
	return code == LIST || code == LIST_EX;
}

static bool is_ex(uint16_t code)
{
	return code == SPACE_EX || code == LIST_EX;
}

/* Make a flush call in memory; @bank is VPs 0 to 63. */
static uint64_t flush(uint16_t code, uint64_t flags, uint64_t bank)
{
	uint64_t reps = is_list(code) ? HC_REPS(2) : 0;

	if (is_ex(code)) {
		struct hv_tlb_flush_ex in = {
			0x1000, flags, {HV_GENERIC_SET_SPARSE_4K, 1}};

		hc_put(HC_IN, &in, sizeof(in));
		hc_put(HC_IN + sizeof(in), &bank, sizeof(bank));
		return hc_call(code | HC_VAR(1) | reps, HC_IN, 0);
	} else {
		struct hv_tlb_flush in = {0x1000, flags, bank};

		hc_put(HC_IN, &in, sizeof(in));
		return hc_call(code | reps, HC_IN, 0);
	}
}

static const uint16_t codes[] = {SPACE, LIST, SPACE_EX, LIST_EX};

START_TEST(names_the_vps)
{
	uint16_t code = codes[_i];

	ck_assert_uint_eq(flush(code, 0, 0x29), is_list(code) ? HC_REPS(2) : 0);
	ck_assert_uint_eq(hc.flushes, 1);
	ck_assert_uint_eq(hc.flush_caller, hc.vp);
	ck_assert_uint_eq(hc.vps.words[0], 0x29);
	ck_assert_uint_eq(vp_bitmap_count(&hc.vps), 3);
}
END_TEST

START_TEST(all_processors_ignores_the_mask)
{
	flush(codes[_i], ALL, 0x29);
	ck_assert_uint_eq(vp_bitmap_count(&hc.vps), HC_N_VPS);
}
END_TEST

START_TEST(nobody_to_flush)
{
	ck_assert_uint_eq((hv_status_t)flush(codes[_i], 0, 0), 0);
	ck_assert_uint_eq(hc.flushes, 0);
}
END_TEST

START_TEST(vps_that_do_not_exist)
{
	hc.params.n_vps = 4;
	hc_renew();
	ck_assert_uint_eq((hv_status_t)flush(codes[_i], 0, ~0ull), 0);
	ck_assert_uint_eq(hc.vps.words[0], 0xF);
}
END_TEST

static const struct {
	uint64_t flags;
	bool space, list, list_without_extended;
} flags[] = {
	{0, true, true, true},
	{ALL, true, true, true},
	{SPACES, true, true, true},
	{ALL | SPACES, true, true, true},
	{LOCAL, true, false, false},
	{ALL | SPACES | LOCAL, true, false, false},
	{EXTENDED, false, true, false},
	{EXTENDED | LOCAL, false, false, false},
	{1ull << 4, false, false, false},
	{1ull << 31, false, false, false},
	{1ull << 63, false, false, false},
};

static void assert_flags(uint16_t code, uint64_t value, bool allowed)
{
	hv_status_t status = (hv_status_t)flush(code, value, 1);

	ck_assert_msg(status == (allowed ? 0 : HV_STATUS_INVALID_PARAMETER),
		      "call 0x%x, flags 0x%" PRIx64 ": %u", code, value,
		      status);
}

START_TEST(which_flags)
{
	assert_flags(SPACE, flags[_i].flags, flags[_i].space);
	assert_flags(SPACE_EX, flags[_i].flags, flags[_i].space);
	assert_flags(LIST, flags[_i].flags, flags[_i].list);
	assert_flags(LIST_EX, flags[_i].flags, flags[_i].list);

	hc.params.features_edx &= ~HV_FEATURE_EXT_GVA_RANGES_FLUSH_VA_LIST;
	hc_renew();
	assert_flags(LIST, flags[_i].flags, flags[_i].list_without_extended);
	assert_flags(LIST_EX, flags[_i].flags, flags[_i].list_without_extended);
}
END_TEST

START_TEST(ex_all_format)
{
	struct hv_tlb_flush_ex in = {0, 0, {HV_GENERIC_SET_ALL, 0}};

	hc_put(HC_IN, &in, sizeof(in));
	ck_assert_uint_eq(hc_call(SPACE_EX, HC_IN, 0), 0);
	ck_assert_uint_eq(vp_bitmap_count(&hc.vps), HC_N_VPS);
}
END_TEST

START_TEST(ex_banks_and_counts)
{
	struct hv_tlb_flush_ex in = {0, 0, {HV_GENERIC_SET_SPARSE_4K, 6}};
	uint64_t rest[3] = {1ull << 63, 3, 0x7000};

	hc_put(HC_IN, &in, sizeof(in));
	hc_put(HC_IN + sizeof(in), rest, sizeof(rest));
	ck_assert_uint_eq(hc_call(LIST_EX | HC_VAR(2) | HC_REPS(1), HC_IN, 0),
			  HC_REPS(1));
	ck_assert_uint_eq(hc.vps.words[1], 1ull << 63);
	ck_assert_uint_eq(hc.vps.words[2], 3);
	ck_assert_uint_eq(hc_call(SPACE_EX | HC_VAR(1), HC_IN, 0),
			  HV_STATUS_INVALID_HYPERCALL_INPUT);
	ck_assert_uint_eq(hc_call(LIST_EX | HC_VAR(1) | HC_REPS(2), HC_IN, 0),
			  HV_STATUS_INVALID_HYPERCALL_INPUT);
	ck_assert_uint_eq(hc.flushes, 1);
}
END_TEST

START_TEST(ex_no_such_format)
{
	struct hv_tlb_flush_ex in = {0, 0, {2, 0}};

	hc_put(HC_IN, &in, sizeof(in));
	ck_assert_uint_eq(hc_call(SPACE_EX, HC_IN, 0),
			  HV_STATUS_INVALID_PARAMETER);
	/* with "all processors" the set is not looked at */
	in.flags = ALL;
	hc_put(HC_IN, &in, sizeof(in));
	ck_assert_uint_eq(hc_call(SPACE_EX, HC_IN, 0), 0);
}
END_TEST

START_TEST(list_continued)
{
	struct hv_tlb_flush in = {0, ALL, 0};

	hc_put(HC_IN, &in, sizeof(in));
	ck_assert_uint_eq(hc_call(LIST | HC_REPS(5) | HC_START(4), HC_IN, 0),
			  HC_REPS(5));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hypercalls/hc_tlb");
	TCase *t = tcase_create("tlb");

	tcase_add_checked_fixture(t, hc_setup, hc_teardown);
	tcase_add_loop_test(t, names_the_vps, 0, (int)G_N_ELEMENTS(codes));
	tcase_add_loop_test(t, all_processors_ignores_the_mask, 0,
			    (int)G_N_ELEMENTS(codes));
	tcase_add_loop_test(t, nobody_to_flush, 0, (int)G_N_ELEMENTS(codes));
	tcase_add_loop_test(t, vps_that_do_not_exist, 0,
			    (int)G_N_ELEMENTS(codes));
	tcase_add_loop_test(t, which_flags, 0, (int)G_N_ELEMENTS(flags));
	tcase_add_test(t, ex_all_format);
	tcase_add_test(t, ex_banks_and_counts);
	tcase_add_test(t, ex_no_such_format);
	tcase_add_test(t, list_continued);
	suite_add_tcase(s, t);
	return check_main(s);
}
