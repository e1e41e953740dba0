/* SPDX-License-Identifier: MIT */
#include <glib.h>

#include "support/hc_guest.h"

#define QUERY HV_EXT_CALL_QUERY_CAPABILITIES
#define ZERO  HV_EXT_CALL_GET_BOOT_ZEROED_MEMORY
#define HEAT  HV_EXT_CALL_MEMORY_HEAT_HINT

static const struct hypercall_ops *without_discard(void)
{
	static struct hypercall_ops ops;

	ops = hc_ops;
	ops.discard = NULL;
	return &ops;
}

START_TEST(capabilities)
{
	ck_assert_uint_eq(hc_call(QUERY, 0, HC_OUT), 0);
	ck_assert_uint_eq(hc_get64(HC_OUT), 0x101);
	hc.params.ops = without_discard();
	hc_renew();
	ck_assert_uint_eq(hc_call(QUERY, 0, HC_OUT), 0);
	ck_assert_uint_eq(hc_get64(HC_OUT), 0x001);
	ck_assert_uint_eq(hc_call(HEAT | HC_REPS(1), HC_IN, 0),
			  HV_STATUS_INVALID_HYPERCALL_CODE);
}
END_TEST

START_TEST(zeroed_memory)
{
	struct hv_ext_boot_zeroed_memory out;
	uint8_t one = 1;

	hc_put(10 * HC_PAGE, &one, 1);
	/* the output page itself is touched only afterwards */
	hc_put(HC_OUT, &one, 1);
	ck_assert_uint_eq(hc_call(ZERO, 0, HC_OUT), 0);
	hc_get(HC_OUT, &out, sizeof(out));
	ck_assert_uint_eq(out.range_count, 3);
	ck_assert_uint_eq(out.ranges[0].start_gfn, 0);
	ck_assert_uint_eq(out.ranges[0].n_pages, 3);
	ck_assert_uint_eq(out.ranges[1].start_gfn, 4);
	ck_assert_uint_eq(out.ranges[1].n_pages, 6);
	ck_assert_uint_eq(out.ranges[2].start_gfn, 11);
	ck_assert_uint_eq(out.ranges[2].n_pages, HC_RAM_PAGES - 11);
	ck_assert_uint_eq(out.ranges[3].n_pages, 0);
}
END_TEST

START_TEST(zeroed_memory_output_is_nearly_a_page)
{
	ck_assert_uint_eq(hc_call(ZERO, 0, HC_OUT + 8), 0);
	ck_assert_uint_eq(hc_call(ZERO, 0, HC_OUT + 16),
			  HV_STATUS_INVALID_ALIGNMENT);
}
END_TEST

static uint64_t hint(uint64_t type, uint64_t range)
{
	hc_put(HC_IN, &type, sizeof(type));
	hc_put(HC_IN + 8, &range, sizeof(range));
	return hc_call(HEAT | HC_REPS(1), HC_IN, 0);
}

START_TEST(discard_pages)
{
	/* pages 5 to 8 */
	ck_assert_uint_eq(hint(2, 5 * HC_PAGE | 3), HC_REPS(1));
	ck_assert_uint_eq(hc.discards, 1);
	ck_assert_uint_eq(hc.discard_gpa, 5 * HC_PAGE);
	ck_assert_uint_eq(hc.discard_bytes, 4 * HC_PAGE);
}
END_TEST

static const struct {
	const char *what;
	uint64_t type, range;
} bad_hints[] = {
	{"another type", 1, 5 * HC_PAGE},
	{"type 0", 0, 5 * HC_PAGE},
	{"reserved bits of the type", 2 | 1 << 2, 5 * HC_PAGE},
	{"past the end of RAM", 2, (HC_RAM_PAGES - 1) * HC_PAGE | 1},
	{"far outside", 2, ~0xFFFull},
	{"wraps", 2, ~0xFFFull | 0x7FF},
	{"large page outside RAM", 2, 1ull << 21 | HV_GPA_RANGE_LARGE_PAGE},
	{"large page with reserved bits", 2, HV_GPA_RANGE_LARGE_PAGE | 1 << 13},
	{"1 GiB page not at a multiple", 2,
	 1ull << 21 | HV_GPA_RANGE_LARGE_PAGE | HV_GPA_RANGE_PAGE_SIZE_1G},
};

START_TEST(bad_hint)
{
	uint64_t result = hint(bad_hints[_i].type, bad_hints[_i].range);

	ck_assert_msg(result == HV_STATUS_INVALID_PARAMETER, "%s: 0x%" PRIx64,
		      bad_hints[_i].what, result);
	ck_assert_uint_eq(hc.discards, 0);
}
END_TEST

START_TEST(discard_large_pages)
{
	gmem_free(hc.mem);
	hc.mem = gmem_new(16ull << 20, NULL);
	hc.params.mem = hc.mem;
	hc_renew();
	/* 2 MiB pages 2 to 4 */
	ck_assert_uint_eq(hint(2, 2ull << 21 | HV_GPA_RANGE_LARGE_PAGE | 2),
			  HC_REPS(1));
	ck_assert_uint_eq(hc.discard_gpa, 4ull << 20);
	ck_assert_uint_eq(hc.discard_bytes, 6ull << 20);
	/* a gigabyte is more than there is */
	ck_assert_uint_eq(
		hint(2, HV_GPA_RANGE_LARGE_PAGE | HV_GPA_RANGE_PAGE_SIZE_1G),
		HV_STATUS_INVALID_PARAMETER);
}
END_TEST

START_TEST(hints_stop_at_the_first_error)
{
	uint64_t in[4] = {2, 1 * HC_PAGE, ~0xFFFull, 2 * HC_PAGE};

	hc_put(HC_IN, in, sizeof(in));
	ck_assert_uint_eq(hc_call(HEAT | HC_REPS(3), HC_IN, 0),
			  HC_REPS(1) | HV_STATUS_INVALID_PARAMETER);
	ck_assert_uint_eq(hc.discards, 1);
	ck_assert_uint_eq(hc_call(HEAT | HC_REPS(3) | HC_START(2), HC_IN, 0),
			  HC_REPS(3));
	ck_assert_uint_eq(hc.discard_gpa, 2 * HC_PAGE);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hypercalls/hc_ext");
	TCase *t = tcase_create("ext");

	tcase_add_checked_fixture(t, hc_setup, hc_teardown);
	tcase_add_test(t, capabilities);
	tcase_add_test(t, zeroed_memory);
	tcase_add_test(t, zeroed_memory_output_is_nearly_a_page);
	tcase_add_test(t, discard_pages);
	tcase_add_loop_test(t, bad_hint, 0, (int)G_N_ELEMENTS(bad_hints));
	tcase_add_test(t, discard_large_pages);
	tcase_add_test(t, hints_stop_at_the_first_error);
	suite_add_tcase(s, t);
	return check_main(s);
}
