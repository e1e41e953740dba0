/* SPDX-License-Identifier: MIT */
/* Disks that fail, are late, forget, or lie: what the guest gets to see. */
#include "vsp/storvsp/storvsp.h"

#include "support/stor_guest.h"

#include "base/clock.h"
#include "support/check_main.h"
#include "support/fake_unit.h"
#include "support/fault_rules.h"
#include "vsp/vmbus/worker.h"

#define PRIMARY (&stor_guest[0])

static struct block disk;
static struct scsi_lun unit;

static void start(void)
{
	bus_setup();
	fake_unit_init(&unit, &disk);
	stor_make(VERSION_WIN10_V5_3, false, 3);
	ck_assert_int_eq(storvsp_add(stor, 0, &unit), 0);
	stor_open();
}

static void start_ready(void)
{
	start();
	stor_initialize(VMSTOR_PROTO_VERSION_WIN10);
}

static void end(void)
{
	storvsp_free(stor);
	ck_assert_uint_eq(disk.queues, 0);
	if (PRIMARY->map)
		guest_drop_rings(PRIMARY);
	bus_teardown();
	fault_clear();
}

static unsigned int in_flight(void)
{
	struct storvsp_status s;

	storvsp_get_status(stor, &s);
	return s.in_flight;
}

static struct vstor_packet read_once(void)
{
	return stor_do(0, READ_10, VSTOR_DATA_READ, 512);
}

static void check_good(const struct vstor_packet *p)
{
	ck_assert_uint_eq(p->vm_srb.srb_status, SRB_STATUS_SUCCESS);
	ck_assert_uint_eq(p->vm_srb.scsi_status, SAM_STAT_GOOD);
	ck_assert_uint_eq(p->vm_srb.data_transfer_length, 512);
}

static void put_read(uint64_t id)
{
	struct vstor_packet p = stor_srb(0, READ_10, VSTOR_DATA_READ, 512);

	stor_put(id, &p, 512);
}

/* --- failures -------------------------------------------------------------------- */

static const struct {
	const char *status;
	uint8_t srb, scsi, key, asc;
} failures[] = {
	{"medium-error", SRB_STATUS_ERROR | SRB_STATUS_AUTOSENSE_VALID,
	 SAM_STAT_CHECK_CONDITION, MEDIUM_ERROR, 0x11},
	{"hardware-error", SRB_STATUS_ERROR | SRB_STATUS_AUTOSENSE_VALID,
	 SAM_STAT_CHECK_CONDITION, HARDWARE_ERROR, 0x44},
	{"unit-attention", SRB_STATUS_ERROR | SRB_STATUS_AUTOSENSE_VALID,
	 SAM_STAT_CHECK_CONDITION, UNIT_ATTENTION, 0x29},
	{"no-space", SRB_STATUS_ERROR | SRB_STATUS_AUTOSENSE_VALID,
	 SAM_STAT_CHECK_CONDITION, DATA_PROTECT, 0x27},
	{"busy", SRB_STATUS_BUSY, SAM_STAT_BUSY, 0, 0},
	{"reservation-conflict", SRB_STATUS_ERROR,
	 SAM_STAT_RESERVATION_CONFLICT, 0, 0},
};

START_TEST(a_command_fails)
{
	g_autofree char *rule = g_strdup_printf(
		"storvsc.command:op=READ_10,nth=2,action=fail,status=%s",
		failures[_i].status);
	struct vstor_packet p;

	fault_rule(rule);
	p = read_once();
	check_good(&p);
	p = read_once();
	ck_assert_uint_eq(p.vm_srb.srb_status, failures[_i].srb);
	ck_assert_uint_eq(p.vm_srb.scsi_status, failures[_i].scsi);
	ck_assert_uint_eq(p.vm_srb.data_transfer_length, 0);
	if (failures[_i].key) {
		ck_assert_uint_eq(p.vm_srb.sense_info_length, 18);
		ck_assert_uint_eq(p.vm_srb.sense_data[0], SENSE_FIXED_CURRENT);
		ck_assert_uint_eq(p.vm_srb.sense_data[2], failures[_i].key);
		ck_assert_uint_eq(p.vm_srb.sense_data[12], failures[_i].asc);
	}
	/* The unit has not seen it. */
	ck_assert_uint_eq(unit.submitted, 1);
	p = read_once();
	check_good(&p);
}
END_TEST

static const char *const failing[] = {"disk-read-errors", "disk-busy",
				      "disk-unit-attention"};

START_TEST(scenarios_that_fail)
{
	struct vstor_packet p;

	fault_scenario(failing[_i]);
	p = read_once();
	ck_assert_uint_ne(p.vm_srb.scsi_status, SAM_STAT_GOOD);
	fault_clear();
	p = read_once();
	check_good(&p);
}
END_TEST

START_TEST(other_commands_and_disks_do_not)
{
	struct vstor_packet p;

	fault_rule("storvsc.command:op=WRITE_10,action=fail");
	fault_rule("storvsc.command:device=scsi1,action=fail");
	p = read_once();
	check_good(&p);
}
END_TEST

/* --- late and lost ------------------------------------------------------------------ */

START_TEST(a_command_is_late)
{
	uint64_t before = clock_monotonic_ns();
	struct vstor_packet p;

	fault_scenario("disk-slow");
	p = read_once();
	check_good(&p);
	ck_assert_uint_ge(clock_monotonic_ns() - before, 50 * NSEC_PER_MSEC);
	ck_assert_uint_eq(in_flight(), 0);
}
END_TEST

START_TEST(late_ones_come_in_their_order)
{
	struct vstor_packet p;

	fault_rule("storvsc.command:nth=1,action=delay,ms=60");
	fault_rule("storvsc.command:nth=2,action=delay,ms=20");
	put_read(1);
	put_read(2);
	put_read(3);
	stor_get_on(PRIMARY, 3, &p);
	stor_get_on(PRIMARY, 2, &p);
	stor_get_on(PRIMARY, 1, &p);
	check_good(&p);
}
END_TEST

/* Who closes does not wait for what is late; ten minutes, here. */
START_TEST(a_close_hurries_what_is_late)
{
	fault_rule("storvsc.command:action=delay,ms=600000");
	put_read(1);
	wait_until(in_flight() == 1);
	guest_close(PRIMARY);
	ck_assert_uint_eq(in_flight(), 0);
}
END_TEST

START_TEST(a_reset_hurries_what_is_late)
{
	struct vstor_packet p = {.operation = VSTOR_OPERATION_RESET_BUS,
				 .flags = 1};

	fault_rule("storvsc.command:action=delay,ms=600000");
	put_read(1);
	wait_until(in_flight() == 1);
	guest_put(PRIMARY, 2, &p, sizeof(p));
	stor_get_on(PRIMARY, 1, &p);
	check_good(&p);
	stor_get_on(PRIMARY, 2, &p);
	ck_assert_uint_eq(p.status, NT_STATUS_SUCCESS);
}
END_TEST

static _Atomic unsigned int gone;

static void on_gone(void *ctx)
{
	(void)ctx;
	gone++;
}

START_TEST(a_unit_that_goes_hurries_what_is_late)
{
	gone = 0;
	fault_rule("storvsc.command:action=delay,ms=600000");
	put_read(1);
	wait_until(in_flight() == 1);
	ck_assert_int_eq(storvsp_remove(stor, 0, on_gone, NULL), 0);
	wait_until(gone == 1);
	ck_assert_uint_eq(in_flight(), 0);
}
END_TEST

START_TEST(a_command_is_never_answered)
{
	struct vstor_packet p;

	fault_scenario("disk-lost-command");
	put_read(1);
	wait_until(unit.submitted == 1);
	wait_until(in_flight() == 0);
	fault_clear();
	put_read(2);
	stor_get_on(PRIMARY, 2, &p);
	check_good(&p);
}
END_TEST

/* --- lies ---------------------------------------------------------------------------- */

START_TEST(more_data_than_were_asked_for)
{
	struct vstor_packet p;

	fault_scenario("hostile-disk-data-length");
	p = read_once();
	ck_assert_uint_gt(p.vm_srb.data_transfer_length, 512);
}
END_TEST

START_TEST(more_sense_data_than_there_is_room)
{
	struct vstor_packet p;

	fault_scenario("hostile-disk-sense-length");
	p = read_once();
	ck_assert_uint_gt(p.vm_srb.sense_info_length,
			  STORVSC_SENSE_BUFFER_SIZE);
	ck_assert(p.vm_srb.srb_status & SRB_STATUS_AUTOSENSE_VALID);
}
END_TEST

START_TEST(statuses_that_there_are_not)
{
	struct vstor_packet p;

	fault_rule("storvsc.command:nth=1,action=corrupt,kind=srb-status");
	fault_rule("storvsc.command:nth=2,action=corrupt,kind=scsi-status");
	p = read_once();
	ck_assert_uint_eq(p.vm_srb.srb_status, 0x3F);
	p = read_once();
	ck_assert_uint_eq(p.vm_srb.scsi_status, 0x3F);
	p = read_once();
	check_good(&p);
}
END_TEST

START_TEST(an_answer_that_is_none)
{
	struct vstor_packet p;

	fault_rule("storvsc.command:nth=1,action=corrupt,kind=operation");
	put_read(1);
	stor_get_on(PRIMARY, 1, &p);
	ck_assert_uint_ne(p.operation, VSTOR_OPERATION_COMPLETE_IO);
}
END_TEST

/* --- the handshake ---------------------------------------------------------------------- */

static uint32_t ask_properties(struct vstor_packet *p)
{
	*p = (struct vstor_packet){.operation =
					   VSTOR_OPERATION_QUERY_PROPERTIES};
	ck_assert_uint_eq(stor_say(VSTOR_OPERATION_BEGIN_INITIALIZATION), 0);
	ck_assert_uint_eq(stor_say_version(VMSTOR_PROTO_VERSION_WIN10, 64), 0);
	return stor_ask(p, sizeof(*p));
}

START_TEST(more_sub_channels_than_there_can_be)
{
	struct vstor_packet p;

	fault_scenario("hostile-disk-channels");
	ck_assert_uint_eq(ask_properties(&p), NT_STATUS_SUCCESS);
	ck_assert_uint_eq(p.storage_channel_properties.max_channel_cnt, 65535);
}
END_TEST

START_TEST(transfers_of_any_size)
{
	struct vstor_packet p;

	fault_rule("storvsc.control:op=QUERY_PROPERTIES,nth=1,action=corrupt,"
		   "kind=transfer-zero");
	ck_assert_uint_eq(ask_properties(&p), NT_STATUS_SUCCESS);
	ck_assert_uint_eq(p.storage_channel_properties.max_transfer_bytes, 0);
}
END_TEST

START_TEST(a_request_fails)
{
	fault_rule("storvsc.control:op=BEGIN_INITIALIZATION,nth=1,action=fail,"
		   "status=device-error");
	ck_assert_uint_eq(stor_say(VSTOR_OPERATION_BEGIN_INITIALIZATION),
			  NT_STATUS_IO_DEVICE_ERROR);
	stor_initialize(VMSTOR_PROTO_VERSION_WIN10);
}
END_TEST

START_TEST(a_request_is_never_answered)
{
	struct vstor_packet p = {
		.operation = VSTOR_OPERATION_BEGIN_INITIALIZATION, .flags = 1};

	fault_rule("storvsc.control:nth=1,action=drop");
	guest_put(PRIMARY, 9, &p, sizeof(p));
	stor_initialize(VMSTOR_PROTO_VERSION_WIN10);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/storvsp/fault");
	TCase *t = tcase_create("commands");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, start_ready, end);
	tcase_add_loop_test(t, a_command_fails, 0, G_N_ELEMENTS(failures));
	tcase_add_loop_test(t, scenarios_that_fail, 0, G_N_ELEMENTS(failing));
	tcase_add_test(t, other_commands_and_disks_do_not);
	tcase_add_test(t, a_command_is_late);
	tcase_add_test(t, late_ones_come_in_their_order);
	tcase_add_test(t, a_close_hurries_what_is_late);
	tcase_add_test(t, a_reset_hurries_what_is_late);
	tcase_add_test(t, a_unit_that_goes_hurries_what_is_late);
	tcase_add_test(t, a_command_is_never_answered);
	tcase_add_test(t, more_data_than_were_asked_for);
	tcase_add_test(t, more_sense_data_than_there_is_room);
	tcase_add_test(t, statuses_that_there_are_not);
	tcase_add_test(t, an_answer_that_is_none);
	suite_add_tcase(s, t);
	t = tcase_create("handshake");
	tcase_add_checked_fixture(t, start, end);
	tcase_add_test(t, more_sub_channels_than_there_can_be);
	tcase_add_test(t, transfers_of_any_size);
	tcase_add_test(t, a_request_fails);
	tcase_add_test(t, a_request_is_never_answered);
	suite_add_tcase(s, t);
	return check_main(s);
}
