/* SPDX-License-Identifier: MIT */
#include <glib.h>

#include "support/hc_guest.h"

#define GET  HVCALL_GET_VP_REGISTERS
#define SET  HVCALL_SET_VP_REGISTERS
#define APIC HVCALL_GET_VP_INDEX_FROM_APIC_ID

static const struct hv_vp_register_header self = {
	.partition_id = HV_PARTITION_ID_SELF,
	.vp_index = HV_VP_INDEX_SELF,
};

static uint64_t get(const struct hv_vp_register_header *header, uint32_t name)
{
	hc_put(HC_IN, header, sizeof(*header));
	hc_put(HC_IN + sizeof(*header), &name, sizeof(name));
	return hc_call(GET | HC_REPS(1), HC_IN, HC_OUT);
}

static uint64_t set(const struct hv_vp_register_header *header,
		    const struct hv_register_assoc *assoc, unsigned int n)
{
	hc_put(HC_IN, header, sizeof(*header));
	hc_put(HC_IN + sizeof(*header), assoc, n * sizeof(*assoc));
	return hc_call(SET | HC_REPS(n), HC_IN, 0);
}

START_TEST(own_and_others_registers)
{
	struct hv_vp_register_header other = self;

	ck_assert_uint_eq(get(&self, HC_REG_READ_ONLY), HC_REPS(1));
	ck_assert_uint_eq(hc_get64(HC_OUT), hc.vp);
	other.vp_index = 42;
	ck_assert_uint_eq(get(&other, HC_REG_READ_ONLY), HC_REPS(1));
	ck_assert_uint_eq(hc_get64(HC_OUT), 42);
}
END_TEST

static const struct {
	const char *what;
	struct hv_vp_register_header header;
	hv_status_t status;
} headers[] = {
	{"last VP", {HV_PARTITION_ID_SELF, HC_N_VPS - 1, 0, {0}}, 0},
	{"past the last VP",
	 {HV_PARTITION_ID_SELF, HC_N_VPS, 0, {0}},
	 HV_STATUS_INVALID_VP_INDEX},
	{"any VP",
	 {HV_PARTITION_ID_SELF, HV_ANY_VP, 0, {0}},
	 HV_STATUS_INVALID_VP_INDEX},
	{"another partition", {1, 0, 0, {0}}, HV_STATUS_INVALID_PARTITION_ID},
	{"partition 0", {0, 0, 0, {0}}, HV_STATUS_INVALID_PARTITION_ID},
	{"VTL 0", {HV_PARTITION_ID_SELF, 0, 0x10, {0}}, 0},
	{"VTL 2",
	 {HV_PARTITION_ID_SELF, 0, 0x12, {0}},
	 HV_STATUS_INVALID_PARAMETER},
	{"reserved bits of the VTL",
	 {HV_PARTITION_ID_SELF, 0, 0x80, {0}},
	 HV_STATUS_INVALID_PARAMETER},
	{"reserved bytes",
	 {HV_PARTITION_ID_SELF, 0, 0, {0, 0, 1}},
	 HV_STATUS_INVALID_PARAMETER},
};

START_TEST(header_cases)
{
	struct hv_register_assoc assoc = {.name = HC_REG_SCRATCH,
					  .value_low = 5};
	hv_status_t status =
		(hv_status_t)get(&headers[_i].header, HC_REG_SCRATCH);

	ck_assert_msg(status == headers[_i].status, "%s: %u", headers[_i].what,
		      status);
	ck_assert_uint_eq((hv_status_t)set(&headers[_i].header, &assoc, 1),
			  headers[_i].status);
	ck_assert_uint_eq(hc.scratch.low, status ? 0 : 5);
}
END_TEST

static const struct {
	const char *what;
	uint32_t name;
	hv_status_t get, set;
} registers[] = {
	{"ordinary", HC_REG_SCRATCH, 0, 0},
	{"read-only", HC_REG_READ_ONLY, 0, HV_STATUS_INVALID_PARAMETER},
	{"no such register", 0xBAD, HV_STATUS_INVALID_PARAMETER,
	 HV_STATUS_INVALID_PARAMETER},
	{"not now", HC_REG_BUSY, HV_STATUS_INVALID_VP_STATE,
	 HV_STATUS_INVALID_VP_STATE},
	{"value refused", HC_REG_PICKY, HV_STATUS_INVALID_PARAMETER,
	 HV_STATUS_INVALID_REGISTER_VALUE},
};

START_TEST(register_cases)
{
	struct hv_register_assoc assoc = {.name = registers[_i].name};

	ck_assert_msg((hv_status_t)get(&self, registers[_i].name) ==
			      registers[_i].get,
		      "get %s", registers[_i].what);
	ck_assert_msg((hv_status_t)set(&self, &assoc, 1) == registers[_i].set,
		      "set %s", registers[_i].what);
}
END_TEST

START_TEST(set_stops_at_the_first_error)
{
	struct hv_register_assoc assoc[3] = {
		{.name = HC_REG_SCRATCH, .value_low = 1, .value_high = 2},
		{.name = 0xBAD},
		{.name = HC_REG_SCRATCH, .value_low = 3}};

	ck_assert_uint_eq(set(&self, assoc, 3),
			  HC_REPS(1) | HV_STATUS_INVALID_PARAMETER);
	ck_assert_uint_eq(hc.scratch.low, 1);
	ck_assert_uint_eq(hc.scratch.high, 2);
	/* and goes on from where it is told to */
	ck_assert_uint_eq(hc_call(SET | HC_REPS(3) | HC_START(2), HC_IN, 0),
			  HC_REPS(3));
	ck_assert_uint_eq(hc.scratch.low, 3);
}
END_TEST

START_TEST(set_reserved_fields)
{
	struct hv_register_assoc assoc[2] = {
		{.name = HC_REG_SCRATCH, .reserved1 = 1},
		{.name = HC_REG_SCRATCH, .reserved2 = 1ull << 63}};

	ck_assert_uint_eq(set(&self, &assoc[0], 1),
			  HV_STATUS_INVALID_PARAMETER);
	ck_assert_uint_eq(set(&self, &assoc[1], 1),
			  HV_STATUS_INVALID_PARAMETER);
}
END_TEST

START_TEST(index_of_apic_id)
{
	struct hv_get_vp_from_apic_id_in in = {HV_PARTITION_ID_SELF, 0, {0}};
	uint32_t ids[3] = {HC_APIC_ID(0), HC_APIC_ID(129), HC_APIC_ID(7)};
	uint32_t indices[3];

	hc_put(HC_IN, &in, sizeof(in));
	hc_put(HC_IN + sizeof(in), ids, sizeof(ids));
	ck_assert_uint_eq(hc_call(APIC | HC_REPS(3), HC_IN, HC_OUT),
			  HC_REPS(3));
	hc_get(HC_OUT, indices, sizeof(indices));
	ck_assert_uint_eq(indices[0], 0);
	ck_assert_uint_eq(indices[1], 129);
	ck_assert_uint_eq(indices[2], 7);

	/* there is no such processor: the ones before it are told */
	ids[2] = HC_APIC_ID(HC_N_VPS);
	hc_put(HC_IN + sizeof(in), ids, sizeof(ids));
	ck_assert_uint_eq(hc_call(APIC | HC_REPS(3), HC_IN, HC_OUT),
			  HC_REPS(2) | HV_STATUS_INVALID_PARAMETER);
}
END_TEST

START_TEST(index_of_apic_id_header)
{
	struct hv_get_vp_from_apic_id_in in = {3, 0, {0}};

	hc_put(HC_IN, &in, sizeof(in));
	ck_assert_uint_eq(hc_call(APIC | HC_REPS(1), HC_IN, HC_OUT),
			  HV_STATUS_INVALID_PARTITION_ID);
	in = (struct hv_get_vp_from_apic_id_in){HV_PARTITION_ID_SELF, 1, {0}};
	hc_put(HC_IN, &in, sizeof(in));
	ck_assert_uint_eq(hc_call(APIC | HC_REPS(1), HC_IN, HC_OUT),
			  HV_STATUS_INVALID_PARAMETER);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hypercalls/hc_vp");
	TCase *t = tcase_create("vp");

	tcase_add_checked_fixture(t, hc_setup, hc_teardown);
	tcase_add_test(t, own_and_others_registers);
	tcase_add_loop_test(t, header_cases, 0, (int)G_N_ELEMENTS(headers));
	tcase_add_loop_test(t, register_cases, 0, (int)G_N_ELEMENTS(registers));
	tcase_add_test(t, set_stops_at_the_first_error);
	tcase_add_test(t, set_reserved_fields);
	tcase_add_test(t, index_of_apic_id);
	tcase_add_test(t, index_of_apic_id_header);
	suite_add_tcase(s, t);
	return check_main(s);
}
