/* SPDX-License-Identifier: MIT */
#include <glib.h>

#include "support/hc_guest.h"

#define IPI    HVCALL_SEND_IPI
#define IPI_EX HVCALL_SEND_IPI_EX

START_TEST(mask)
{
	ck_assert_uint_eq(hc_call(IPI | HC_FAST, 0xFD, 0x5), 0);
	ck_assert_uint_eq(hc.ipis, 1);
	ck_assert_uint_eq(hc.vector, 0xFD);
	ck_assert_uint_eq(hc.vps.words[0], 0x5);
	ck_assert_uint_eq(vp_bitmap_count(&hc.vps), 2);
}
END_TEST

START_TEST(nobody)
{
	ck_assert_uint_eq(hc_call(IPI | HC_FAST, 0xFD, 0), 0);
	ck_assert_uint_eq(hc.ipis, 0);
}
END_TEST

static const struct {
	const char *what;
	uint64_t vector_and_vtl;
	hv_status_t status;
} heads[] = {
	{"lowest vector", 0x10, 0},
	{"highest vector", 0xFF, 0},
	{"vector too low", 0x0F, HV_STATUS_INVALID_PARAMETER},
	{"vector 0", 0, HV_STATUS_INVALID_PARAMETER},
	{"vector too high", 0x100, HV_STATUS_INVALID_PARAMETER},
	{"vector with high bits", 0x80000040, HV_STATUS_INVALID_PARAMETER},
	{"VTL 0", 0x40 | 0x10ull << 32, 0},
	{"VTL 1", 0x40 | 0x11ull << 32, HV_STATUS_INVALID_PARAMETER},
	{"VTL 1 that is not used", 0x40 | 0x01ull << 32, 0},
	{"reserved bit of the VTL", 0x40 | 0x20ull << 32,
	 HV_STATUS_INVALID_PARAMETER},
	{"padding", 0x40 | 0xFFull << 40, 0},
};

START_TEST(vector_and_vtl)
{
	struct hv_send_ipi_ex ex = {.vp_set = {HV_GENERIC_SET_ALL, 0}};
	hv_status_t status = (hv_status_t)hc_call(IPI | HC_FAST,
						  heads[_i].vector_and_vtl, 1);

	ck_assert_msg(status == heads[_i].status, "%s: %u", heads[_i].what,
		      status);
	memcpy(&ex, &heads[_i].vector_and_vtl, 8);
	hc_put(HC_IN, &ex, sizeof(ex));
	ck_assert_uint_eq(hc_call(IPI_EX, HC_IN, 0), heads[_i].status);
	ck_assert_uint_eq(hc.ipis, status ? 0 : 2);
}
END_TEST

START_TEST(ex_banks)
{
	struct hv_send_ipi_ex in = {.vector = 0x41,
				    .vp_set = {HV_GENERIC_SET_SPARSE_4K, 5}};
	uint64_t banks[2] = {0x21, 0x03};

	hc_put(HC_IN, &in, sizeof(in));
	hc_put(HC_IN + sizeof(in), banks, sizeof(banks));
	ck_assert_uint_eq(hc_call(IPI_EX | HC_VAR(2), HC_IN, 0), 0);
	ck_assert_uint_eq(vp_bitmap_count(&hc.vps), 4);
	ck_assert(vp_bitmap_test(&hc.vps, 129));
	ck_assert_uint_eq(hc_call(IPI_EX, HC_IN, 0),
			  HV_STATUS_INVALID_HYPERCALL_INPUT);
	/* It is not a rep call, though Linux makes it through that wrapper. */
	ck_assert_uint_eq(hc_call(IPI_EX | HC_VAR(2) | HC_REPS(1), HC_IN, 0),
			  HV_STATUS_INVALID_HYPERCALL_INPUT);
}
END_TEST

START_TEST(long_spin_wait)
{
	uint64_t count = 0xFFFFFFFFFFFFFFFF;

	ck_assert_uint_eq(
		hc_call(HVCALL_NOTIFY_LONG_SPIN_WAIT | HC_FAST, count, 0), 0);
	ck_assert_uint_eq(hc.yields, 1);
	ck_assert_uint_eq(hc.yield_vp, hc.vp);
	hc_put(HC_IN, &count, sizeof(count));
	ck_assert_uint_eq(hc_call32(HVCALL_NOTIFY_LONG_SPIN_WAIT, HC_IN, 0), 0);
	ck_assert_uint_eq(hc.yields, 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hypercalls/hc_ipi");
	TCase *t = tcase_create("ipi");

	tcase_add_checked_fixture(t, hc_setup, hc_teardown);
	tcase_add_test(t, mask);
	tcase_add_test(t, nobody);
	tcase_add_loop_test(t, vector_and_vtl, 0, (int)G_N_ELEMENTS(heads));
	tcase_add_test(t, ex_banks);
	tcase_add_test(t, long_spin_wait);
	suite_add_tcase(s, t);
	return check_main(s);
}
