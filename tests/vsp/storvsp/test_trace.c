/* SPDX-License-Identifier: MIT */
/* What of a disk's commands is in the trace, and in the flight recorder. */
#include "vsp/storvsp/storvsp.h"

#include "support/stor_guest.h"

#include "base/clock.h"
#include "base/trace_reader.h"
#include "support/check_main.h"
#include "support/fake_unit.h"
#include "support/fault_rules.h"

static struct block disk;
static struct scsi_lun unit;
static struct trace_reader *reader;
static GArray *records;

static void start(void)
{
	struct storvsp_params p = {
		.vsp = {.name = "scsi0",
			.instance = storvsp_ide_instance(0, 1),
			.host_version = VERSION_WIN10_V5_3},
		.slow_ns = NSEC_PER_MSEC,
	};

	bus_setup();
	p.vsp.bus = bus;
	fake_unit_init(&unit, &disk);
	stor = storvsp_new(&p, NULL);
	ck_assert_ptr_nonnull(stor);
	ck_assert_int_eq(storvsp_add(stor, 0, &unit), 0);
	stor_open();
	stor_initialize(VMSTOR_PROTO_VERSION_WIN10);
	reader = trace_reader_new(0);
	records = g_array_new(FALSE, FALSE, sizeof(struct trace_record));
}

static void end(void)
{
	trace_reader_free(reader);
	g_array_free(records, TRUE);
	storvsp_free(stor);
	guest_drop_rings(&stor_guest[0]);
	bus_teardown();
	fault_clear();
	trace_set_mask(TRACE_DEFAULT_MASK);
}

static void read_once(void)
{
	stor_do(0, READ_10, VSTOR_DATA_READ, 512);
}

/* The first record of an event; NULL: none. */
static const struct trace_record *find(enum trace_event event)
{
	trace_reader_collect(reader, records);
	for (guint i = 0; i < records->len; i++) {
		const struct trace_record *r =
			&g_array_index(records, struct trace_record, i);

		if (r->event == event)
			return r;
	}
	return NULL;
}

static void check_opcode(const struct trace_record *r)
{
	ck_assert_ptr_nonnull(r);
	ck_assert_uint_eq(r->args[1] & 0xFF, READ_10);
	ck_assert_str_eq(trace_device_name(r->device), "scsi0");
}

/* --- the flight recorder ------------------------------------------------------ */

START_TEST(a_command_that_is_well_is_not_in_the_recorder)
{
	read_once();
	ck_assert_ptr_null(find(TRACE_EVENT_storvsc_command));
	ck_assert_ptr_null(find(TRACE_EVENT_storvsc_done));
	ck_assert_ptr_null(find(TRACE_EVENT_storvsc_failed));
	ck_assert_ptr_null(find(TRACE_EVENT_storvsc_slow));
}
END_TEST

START_TEST(one_that_fails_is)
{
	const struct trace_record *r;

	fault_rule("storvsc.command:op=READ_10,action=fail,"
		   "status=medium-error");
	read_once();
	r = find(TRACE_EVENT_storvsc_failed);
	check_opcode(r);
	ck_assert_uint_eq(r->args[2], SRB_STATUS_ERROR |
					      SRB_STATUS_AUTOSENSE_VALID |
					      SAM_STAT_CHECK_CONDITION << 8);
	ck_assert_uint_eq(r->args[4], SENSE_READ_ERROR);
}
END_TEST

START_TEST(one_that_is_busy_or_refused_is)
{
	fault_rule("storvsc.command:op=READ_10,action=fail,status=busy");
	read_once();
	check_opcode(find(TRACE_EVENT_storvsc_failed));
	g_array_set_size(records, 0);
	/* for a unit that is not there */
	stor_do(5, TEST_UNIT_READY, VSTOR_DATA_NONE, 0);
	ck_assert_ptr_nonnull(find(TRACE_EVENT_storvsc_failed));
}
END_TEST

START_TEST(one_that_takes_long_is)
{
	const struct trace_record *r;

	fault_rule("storvsc.command:op=READ_10,action=delay,ms=2");
	read_once();
	r = find(TRACE_EVENT_storvsc_slow);
	check_opcode(r);
	ck_assert_uint_ge(r->args[4], 2);
	ck_assert_ptr_null(find(TRACE_EVENT_storvsc_failed));
}
END_TEST

/* --- asked for --------------------------------------------------------------------- */

START_TEST(all_are_in_a_trace_of_them)
{
	uint32_t mask;

	ck_assert_int_eq(trace_parse_categories("storvsc", &mask), 0);
	trace_set_mask(mask);
	read_once();
	check_opcode(find(TRACE_EVENT_storvsc_command));
	check_opcode(find(TRACE_EVENT_storvsc_done));
	/* Each ends once. */
	ck_assert_ptr_null(find(TRACE_EVENT_storvsc_failed));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/storvsp/trace");
	TCase *t = tcase_create("trace");

	tcase_add_checked_fixture(t, start, end);
	tcase_add_test(t, a_command_that_is_well_is_not_in_the_recorder);
	tcase_add_test(t, one_that_fails_is);
	tcase_add_test(t, one_that_is_busy_or_refused_is);
	tcase_add_test(t, one_that_takes_long_is);
	tcase_add_test(t, all_are_in_a_trace_of_them);
	suite_add_tcase(s, t);
	return check_main(s);
}
