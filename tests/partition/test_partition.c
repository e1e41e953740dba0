/* SPDX-License-Identifier: MIT */
#include "partition/partition.h"

#include <pthread.h>

#include <glib.h>

#include "support/part_guest.h"

#define ROUNDS 200

START_TEST(milestone_names)
{
	ck_assert_str_eq(partition_milestone_name(PARTITION_GUEST_OS_ID),
			 "guest_os_id");
	ck_assert_str_eq(partition_milestone_name(PARTITION_HYPERCALL_PAGE),
			 "hypercall_page");
	ck_assert_str_eq(partition_milestone_name(PARTITION_REFERENCE_TSC),
			 "reference_tsc");
	ck_assert_str_eq(partition_milestone_name(PARTITION_SYNIC), "synic");
	ck_assert_str_eq(partition_milestone_name(PARTITION_STIMER), "stimer");
}
END_TEST

static const struct {
	uint32_t msr;
	uint64_t value;
} registers[] = {
	{HV_X64_MSR_GUEST_OS_ID, 1},
	{HV_X64_MSR_HYPERCALL, 1 * PG_PAGE | 1},
	{HV_X64_MSR_REFERENCE_TSC, 2 * PG_PAGE | 1},
	{HV_X64_MSR_VP_ASSIST_PAGE, 3 * PG_PAGE | 1},
	{HV_X64_MSR_CRASH_P0, 1},
	{HV_X64_MSR_CRASH_P4, 1},
	{HV_X64_MSR_REENLIGHTENMENT_CONTROL, 0xEE},
	{HV_X64_MSR_TSC_EMULATION_CONTROL, 1},
	{HV_X64_MSR_TSC_INVARIANT_CONTROL, 1},
};

START_TEST(reset_is_power_on)
{
	for (uint64_t i = 1; i <= 3; i++)
		pg_fill(i * PG_PAGE, (uint8_t)i);
	for (unsigned int i = 0; i < G_N_ELEMENTS(registers); i++) {
		pg_write(registers[i].msr, registers[i].value);
		ck_assert_uint_eq(pg_read(registers[i].msr),
				  registers[i].value);
	}

	partition_reset(pg.part);
	for (unsigned int i = 0; i < G_N_ELEMENTS(registers); i++)
		ck_assert_uint_eq(pg_read(registers[i].msr), 0);
	for (uint64_t i = 1; i <= 3; i++)
		ck_assert_uint_eq(pg_byte(i * PG_PAGE), i);
	ck_assert(!partition_hypercalls_enabled(pg.part));

	/* a new boot tells its milestones again */
	pg_write(HV_X64_MSR_GUEST_OS_ID, 1);
	ck_assert_uint_eq(pg.milestones[PARTITION_GUEST_OS_ID], 2);
}
END_TEST

START_TEST(milestones_may_go_to_nobody)
{
	struct partition_ops ops = pg_ops;
	struct partition *p;
	struct overlay_space *space =
		overlay_space_new(pg.mem, partition_overlays_needed(1), NULL);

	ops.milestone = NULL;
	p = partition_new(&(struct partition_params){
		.features = &pg.features,
		.n_vps = 1,
		.mem = pg.mem,
		.overlays = space,
		.ref_time = pg.ref_time,
		.synic = pg.synic,
		.max_gpa = PG_MAX_GPA,
		.ops = &ops,
		.ctx = &pg,
	});
	ck_assert_int_eq(partition_msr_write(p, 0, HV_X64_MSR_GUEST_OS_ID, 1),
			 0);
	partition_free(p);
	partition_free(NULL);
	overlay_space_free(space);
}
END_TEST

/* A VP that moves all its pages about, with others at it too. */
static void *mover(void *arg)
{
	uint32_t vp = *(const uint32_t *)arg;

	for (uint64_t i = 0; i < ROUNDS; i++) {
		uint64_t gpa = (i % 4 + 4 * vp + 1) * PG_PAGE;

		partition_msr_write(pg.part, vp, HV_X64_MSR_GUEST_OS_ID, i % 7);
		partition_msr_write(pg.part, vp, HV_X64_MSR_HYPERCALL, gpa | 1);
		partition_msr_write(pg.part, vp, HV_X64_MSR_REFERENCE_TSC,
				    gpa | (i & 1));
		partition_msr_write(pg.part, vp, HV_X64_MSR_VP_ASSIST_PAGE,
				    gpa | (i & 1));
		partition_msr_write(pg.part, vp, HV_X64_MSR_CRASH_P0, i);
		partition_update_tsc_page(pg.part);
	}
	return NULL;
}

START_TEST(partition_wide_registers_from_many_vps)
{
	static uint32_t vps[2] = {0, 1};
	pthread_t threads[2];
	uint64_t hypercall;

	for (unsigned int i = 0; i < 2; i++)
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, mover, &vps[i]), 0);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct hv_register_value value;

		ck_assert_int_eq(partition_get_register(
					 pg.part, 2, 0,
					 HV_REGISTER_VP_ASSIST_PAGE, &value),
				 0);
		partition_hypercalls_enabled(pg.part);
	}
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);

	/* whoever came last, register and page agree */
	for (uint32_t vp = 0; vp < 2; vp++)
		ck_assert_int_eq(partition_msr_write(pg.part, vp,
						     HV_X64_MSR_VP_ASSIST_PAGE,
						     0),
				 0);
	pg_write(HV_X64_MSR_REFERENCE_TSC, 0);
	pg_write(HV_X64_MSR_GUEST_OS_ID, 1);
	hypercall = pg_read(HV_X64_MSR_HYPERCALL);
	ck_assert(!(hypercall & 1) == !partition_hypercalls_enabled(pg.part));
	pg_write(HV_X64_MSR_HYPERCALL, PG_PAGE | 1);
	ck_assert_uint_eq(pg_byte(PG_PAGE), 0xF3);
	pg_write(HV_X64_MSR_HYPERCALL, 0);
	for (uint64_t page = 1; page < 12; page++)
		ck_assert_uint_eq(pg_byte(page * PG_PAGE), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("partition/partition");
	TCase *t = tcase_create("partition");

	tcase_add_checked_fixture(t, pg_setup, pg_teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, milestone_names);
	tcase_add_test(t, reset_is_power_on);
	tcase_add_test(t, milestones_may_go_to_nobody);
	tcase_add_test(t, partition_wide_registers_from_many_vps);
	suite_add_tcase(s, t);
	return check_main(s);
}
