/* SPDX-License-Identifier: MIT */
/*
 * The table itself, and what holds for every row: it is there with the bits
 * that it wants, and without any one of them it is #GP.
 */
#include "partition/msr.h"

#include <glib.h>

#include "base/coverage.h"
#include "support/part_guest.h"

static const struct msr_row *row;
static unsigned int n_rows;

static void setup(void)
{
	row = msr_table(&n_rows);
	pg_setup();
}

static bool reads(uint32_t msr)
{
	uint64_t value;

	return !partition_msr_read(pg.part, 1, msr, &value);
}

/* Does a write of some harmless value work? */
static bool writes(uint32_t msr)
{
	return !partition_msr_write(pg.part, 1, msr, 0) ||
	       !partition_msr_write(pg.part, 1, msr, 0x20);
}

START_TEST(sorted_and_named)
{
	for (unsigned int i = 0; i < n_rows; i++) {
		ck_assert_ptr_nonnull(row[i].name);
		if (i)
			ck_assert_uint_lt(row[i - 1].msr, row[i].msr);
		for (unsigned int j = 0; j < i; j++)
			ck_assert_str_ne(row[i].name, row[j].name);
	}
}
END_TEST

START_TEST(each_row_as_it_says)
{
	for (unsigned int i = 0; i < n_rows; i++) {
		/* the SynIC's version is refused by the SynIC */
		bool writable =
			row[i].write && row[i].msr != HV_X64_MSR_SVERSION;

		ck_assert_msg(reads(row[i].msr) == (row[i].read != NULL),
			      "read %s", row[i].name);
		ck_assert_msg(writes(row[i].msr) == writable, "write %s",
			      row[i].name);
	}
}
END_TEST

/* Take away one bit that some row wants. */
static void without(uint32_t eax, uint32_t edx)
{
	struct partition_features f = pg_all_features();

	f.eax &= ~eax;
	f.edx &= ~edx;
	pg_teardown();
	pg_start(&f);
	for (unsigned int i = 0; i < n_rows; i++) {
		bool gone = row[i].privilege & eax || row[i].feature & edx;

		ck_assert_msg(reads(row[i].msr) == (row[i].read && !gone),
			      "%s without 0x%x, 0x%x", row[i].name, eax, edx);
		if (gone)
			ck_assert_msg(!writes(row[i].msr), "%s", row[i].name);
	}
}

START_TEST(without_any_one_bit_it_faults)
{
	uint32_t eax = 0, edx = 0;

	for (unsigned int i = 0; i < n_rows; i++) {
		eax |= row[i].privilege;
		edx |= row[i].feature;
	}
	for (unsigned int bit = 0; bit < 32; bit++) {
		if (eax & 1u << bit)
			without(1u << bit, 0);
		if (edx & 1u << bit)
			without(0, 1u << bit);
	}
}
END_TEST

START_TEST(vp_assist_is_always_there)
{
	struct partition_features none = {.profile = profile_newest()};

	pg_teardown();
	pg_start(&none);
	for (unsigned int i = 0; i < n_rows; i++)
		ck_assert_msg(reads(row[i].msr) ==
				      (row[i].msr == HV_X64_MSR_VP_ASSIST_PAGE),
			      "%s", row[i].name);
}
END_TEST

START_TEST(privileges_need_every_handler)
{
	uint32_t eax = msr_table_privileges(), edx = msr_table_features();

	for (unsigned int i = 0; i < n_rows; i++) {
		if (row[i].read || row[i].write)
			continue;
		ck_assert(!(eax & row[i].privilege));
		ck_assert(!(edx & row[i].feature));
	}
	ck_assert(eax & HV_MSR_HYPERCALL_AVAILABLE);
	ck_assert(edx & HV_FEATURE_GUEST_CRASH_MSR_AVAILABLE);
	/* statistics and debug registers are not implemented */
	ck_assert(!(eax & HV_MSR_STAT_PAGES_AVAILABLE));
	ck_assert(!(eax & HV_ACCESS_DEBUG_MSRS));
}
END_TEST

START_TEST(unknown_numbers)
{
	static const uint32_t numbers[] = {
		0x40000004, 0x4000000F, 0x40000011, 0x40000024, 0x4000006F,
		0x40000074, 0x4000007F, 0x40000085, 0x4000008F, 0x400000A0,
		0x400000AF, 0x400000B8, 0x400000F1, 0x400000FF, 0x40000109,
		0x40000114, 0x40000117, 0x40000119, 0x400001FF, 0x40000200,
		0x40001002, 0x40001080, 0x40001FFF, 0x3FFFFFFF, 0,
		UINT32_MAX,
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(numbers); i++) {
		ck_assert(pg_read_faults(numbers[i]));
		ck_assert(pg_write_faults(numbers[i], 0));
	}
	ck_assert_uint_eq(partition_msr_coverage(pg.part)->unknown,
			  2 * G_N_ELEMENTS(numbers));
}
END_TEST

START_TEST(no_such_vp)
{
	uint64_t value;

	ck_assert_int_eq(partition_msr_read(pg.part, PG_N_VPS,
					    HV_X64_MSR_VP_INDEX, &value),
			 -EINVAL);
	ck_assert_int_eq(partition_msr_write(pg.part, UINT32_MAX,
					     HV_X64_MSR_VP_ASSIST_PAGE, 0),
			 -EINVAL);
}
END_TEST

static const struct coverage_entry *entry(uint32_t msr)
{
	const struct coverage_set *set = partition_msr_coverage(pg.part);

	for (unsigned int i = 0; i < set->n_entries; i++)
		if (set->entries[i].number == msr)
			return &set->entries[i];
	ck_abort_msg("no entry for 0x%x", msr);
	return NULL;
}

START_TEST(coverage_counts)
{
	const struct coverage_entry *e = entry(HV_X64_MSR_VP_INDEX);

	ck_assert_str_eq(e->name, "VP_INDEX");
	pg_read(HV_X64_MSR_VP_INDEX);
	pg_read(HV_X64_MSR_VP_INDEX);
	ck_assert(pg_write_faults(HV_X64_MSR_VP_INDEX, 0));
	ck_assert_uint_eq(e->count, 2);
	ck_assert_uint_eq(e->writes, 1);
	ck_assert_uint_eq(e->refused, 1);
}
END_TEST

/* What the profile lacks is refused by name, not unknown. */
START_TEST(coverage_of_what_is_not_offered)
{
	pg_teardown();
	pg_setup_profile("ws2012");
	ck_assert(pg_write_faults(HV_X64_MSR_TSC_INVARIANT_CONTROL, 1));
	ck_assert_uint_eq(entry(HV_X64_MSR_TSC_INVARIANT_CONTROL)->refused, 1);
	ck_assert_uint_eq(partition_msr_coverage(pg.part)->unknown, 0);
}
END_TEST

START_TEST(synic_registers_are_the_vps_own)
{
	uint64_t value;

	ck_assert_uint_eq(pg_read(HV_X64_MSR_SVERSION), HV_SYNIC_VERSION);
	ck_assert_uint_eq(pg_read(HV_X64_MSR_SINT0 + 2), HV_SYNIC_SINT_MASKED);
	ck_assert_int_eq(
		partition_msr_write(pg.part, 2, HV_X64_MSR_SINT0 + 2, 0xF3), 0);
	ck_assert_uint_eq(pg_read(HV_X64_MSR_SINT0 + 2), HV_SYNIC_SINT_MASKED);
	ck_assert_int_eq(
		partition_msr_read(pg.part, 2, HV_X64_MSR_SINT0 + 2, &value),
		0);
	ck_assert_uint_eq(value, 0xF3);
	ck_assert(pg_write_faults(HV_X64_MSR_SINT0, 5));
	ck_assert_uint_eq(pg_read(HV_X64_MSR_EOM), 0);
}
END_TEST

START_TEST(synic_milestones)
{
	pg_write(HV_X64_MSR_SCONTROL, 0);
	ck_assert_uint_eq(pg.milestones[PARTITION_SYNIC], 0);
	pg_write(HV_X64_MSR_SCONTROL, HV_SYNIC_CONTROL_ENABLE);
	pg_write(HV_X64_MSR_SCONTROL, HV_SYNIC_CONTROL_ENABLE);
	ck_assert_uint_eq(pg.milestones[PARTITION_SYNIC], 1);

	/* Linux enables a timer long before it gives it a count. */
	pg_write(HV_X64_MSR_STIMER0_CONFIG,
		 HV_STIMER_ENABLE | HV_STIMER_AUTO_ENABLE |
			 HV_STIMER_DIRECT_MODE |
			 0xEDull << HV_STIMER_VECTOR_SHIFT);
	pg_write(HV_X64_MSR_STIMER0_COUNT, 0);
	ck_assert_uint_eq(pg.milestones[PARTITION_STIMER], 0);
	pg_write(HV_X64_MSR_STIMER0_COUNT, 1000);
	pg_write(HV_X64_MSR_STIMER0_COUNT, 2000);
	ck_assert_uint_eq(pg.milestones[PARTITION_STIMER], 1);
}
END_TEST

/* Each profile: every advertised bit has registers that answer. */
START_TEST(every_profile_keeps_its_promises)
{
	const struct profile *p = profile_at((unsigned int)_i);
	struct partition_features f;
	uint32_t eax = 0;

	partition_features_init(&f, p, true, PG_N_VPS, HV_MAX_VPS);
	pg_teardown();
	pg_start(&f);
	for (unsigned int i = 0; i < n_rows; i++) {
		bool offered = !(row[i].privilege & ~f.eax) &&
			       !(row[i].feature & ~f.edx);

		if (offered)
			eax |= row[i].privilege;
		ck_assert_msg(reads(row[i].msr) == (row[i].read && offered),
			      "%s: %s", p->name, row[i].name);
	}
	ck_assert_uint_eq(f.eax & ~eax, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("partition/msr");
	TCase *t = tcase_create("msr");

	tcase_add_checked_fixture(t, setup, pg_teardown);
	tcase_add_test(t, sorted_and_named);
	tcase_add_test(t, each_row_as_it_says);
	tcase_add_test(t, without_any_one_bit_it_faults);
	tcase_add_test(t, vp_assist_is_always_there);
	tcase_add_test(t, privileges_need_every_handler);
	tcase_add_test(t, unknown_numbers);
	tcase_add_test(t, no_such_vp);
	tcase_add_test(t, coverage_counts);
	tcase_add_test(t, coverage_of_what_is_not_offered);
	tcase_add_test(t, synic_registers_are_the_vps_own);
	tcase_add_test(t, synic_milestones);
	tcase_add_loop_test(t, every_profile_keeps_its_promises, 0, 6);
	suite_add_tcase(s, t);
	return check_main(s);
}
