/* SPDX-License-Identifier: MIT */
/*
 * Commands in flight: what has to wait for them, and what is full.
 */
#include "vsp/storvsp/storvsp.h"

#include "support/one_processor.h"
#include "support/stor_guest.h"

#include "support/fake_unit.h"
#include "vsp/vmbus/worker.h"

#define PRIMARY (&stor_guest[0])

static struct block disk, medium;
static struct scsi_lun unit, other;
static _Atomic unsigned int gone; /* calls back */

static void on_gone(void *ctx)
{
	(void)ctx;
	gone++;
}

static void start(void)
{
	bus_setup();
	fake_unit_init(&unit, &disk);
	fake_unit_init(&other, &disk);
	fake_no_queues = false;
	gone = 0;
	stor_make(VERSION_WIN10_V5_3, false, 3);
	ck_assert_int_eq(storvsp_add(stor, 0, &unit), 0);
	stor_open();
	stor_initialize(VMSTOR_PROTO_VERSION_WIN10);
}

static void end(void)
{
	storvsp_free(stor);
	ck_assert_uint_eq(disk.queues, 0);
	for (unsigned int i = 0; i < STOR_CHANNELS; i++) {
		if (stor_guest[i].map)
			guest_drop_rings(&stor_guest[i]);
	}
	bus_teardown();
}

static unsigned int in_flight(void)
{
	struct storvsp_status s;

	storvsp_get_status(stor, &s);
	return s.in_flight;
}

/* Until the primary's worker has done what it had to do. */
static void settle(void)
{
	worker_call(channel_worker(storvsp_ops.channel(stor)), bus_nothing,
		    NULL);
}

static void put_read(unsigned int channel, uint64_t id)
{
	struct vstor_packet p = stor_srb(0, READ_10, 1, 512);

	wait_until(
		stor_put_on(&stor_guest[channel], id, &p, sizeof(p), 512, 0));
}

static void get_good(unsigned int channel, uint64_t id)
{
	struct vstor_packet p;

	stor_get_on(&stor_guest[channel], id, &p);
	ck_assert_uint_eq(p.vm_srb.srb_status, SRB_STATUS_SUCCESS);
}

static bool is_answered(void)
{
	const struct ring_end *e = &PRIMARY->ring.rx;

	return ring_load(RING_WORD(e, write_index)) != e->index;
}

/* --- in flight -------------------------------------------------------------- */

START_TEST(answers_come_when_commands_end)
{
	fake_unit_hold(&unit, true);
	for (uint64_t id = 1; id <= 8; id++)
		put_read(0, id);
	wait_until(fake_unit_held(&unit) == 8);
	ck_assert_uint_eq(in_flight(), 8);
	ck_assert(!is_answered());
	fake_unit_finish(&unit, 3);
	for (uint64_t id = 1; id <= 3; id++)
		get_good(0, id);
	settle();
	ck_assert_uint_eq(in_flight(), 5);
	fake_unit_finish(&unit, 5);
	for (uint64_t id = 4; id <= 8; id++)
		get_good(0, id);
}
END_TEST

/* As a queue does that finds so many at an end. */
static void finish_all(void *ctx)
{
	struct channel *ch = storvsp_ops.channel(stor);

	(void)ctx;
	channel_hold(ch);
	fake_unit_finish(&unit, 20);
	channel_unhold(ch);
}

/* What ends together is one interrupt, if the guest does not look. */
START_TEST(one_interrupt_for_a_batch)
{
	struct channel_stats before, after;

	fake_unit_hold(&unit, true);
	for (uint64_t id = 1; id <= 20; id++)
		put_read(0, id);
	wait_until(fake_unit_held(&unit) == 20);
	settle();
	channel_get_stats(storvsp_ops.channel(stor), &before);
	worker_call(channel_worker(storvsp_ops.channel(stor)), finish_all,
		    NULL);
	wait_until(in_flight() == 0);
	settle();
	channel_get_stats(storvsp_ops.channel(stor), &after);
	for (uint64_t id = 1; id <= 20; id++)
		get_good(0, id);
	ck_assert_uint_eq(after.packets_out - before.packets_out, 20);
	/* One more comes of itself, a while after the channel was opened. */
	ck_assert_uint_ge(after.signals_out - before.signals_out, 1);
	ck_assert_uint_le(after.signals_out - before.signals_out, 2);
}
END_TEST

static _Atomic unsigned int seen_at; /* how many had ended by then */

static void note_answer(unsigned int n)
{
	if (!seen_at && is_answered())
		seen_at = n;
}

enum {
	BESIDE_US,
	ON_OUR_PROCESSOR,
	PLACES
};

/*
 * The guest can begin with the first answers while others are made, where it
 * runs meanwhile.
 */
START_TEST(a_few_answers_at_a_time)
{
	processor = _i == ON_OUR_PROCESSOR ? 0 : -1;
	seen_at = 0;
	fake_between = note_answer;
	fake_unit_hold(&unit, true);
	for (uint64_t id = 1; id <= 20; id++)
		put_read(0, id);
	wait_until(fake_unit_held(&unit) == 20);
	settle();
	worker_call(channel_worker(storvsp_ops.channel(stor)), finish_all,
		    NULL);
	wait_until(in_flight() == 0);
	settle();
	fake_between = NULL;
	if (_i == ON_OUR_PROCESSOR)
		ck_assert_uint_eq(seen_at, 0);
	else
		ck_assert_uint_ge(seen_at, 1);
	ck_assert_uint_le(seen_at, 4);
	for (uint64_t id = 1; id <= 20; id++)
		get_good(0, id);
}
END_TEST

/* Nor does the host wait for the end of a long batch. */
START_TEST(a_few_commands_at_a_time)
{
	struct vstor_packet p = stor_srb(0, TEST_UNIT_READY, 2, 0);
	unsigned int turns;

	processor = _i == ON_OUR_PROCESSOR ? 0 : -1;
	/* The queue is made by the first. */
	put_read(0, 1);
	get_good(0, 1);
	settle();
	turns = disk.turns;
	for (uint64_t id = 1; id <= 12; id++)
		ck_assert(ring_peer_send(&PRIMARY->ring, VM_PKT_DATA_INBAND,
					 true, id, &p, sizeof(p)));
	guest_ring_bell(PRIMARY);
	for (uint64_t id = 1; id <= 12; id++)
		get_good(0, id);
	if (_i == ON_OUR_PROCESSOR)
		ck_assert_uint_eq(disk.turns - turns, 1);
	else
		ck_assert_uint_ge(disk.turns - turns, 3);
}
END_TEST

/* What limits or policies keep back must not keep those who wait. */
START_TEST(who_waits_hurries)
{
	struct vstor_packet p = {.operation = VSTOR_OPERATION_RESET_BUS,
				 .flags = 1};

	fake_unit_hold(&unit, true);
	put_read(0, 1);
	wait_until(fake_unit_held(&unit) == 1);
	ck_assert_uint_eq(disk.drains, 0);
	switch (_i) {
	case 0:
		guest_put(PRIMARY, 2, &p, sizeof(p));
		break;
	case 1:
		guest_send_relid(CHANNELMSG_CLOSECHANNEL, PRIMARY->relid);
		break;
	case 2:
		ck_assert_int_eq(storvsp_remove(stor, 0, on_gone, NULL), 0);
		break;
	default:
		ck_assert_int_eq(storvsp_let_go(stor, 0, on_gone, NULL), 0);
		break;
	}
	wait_until(disk.drains == 1);
	fake_unit_finish(&unit, 1);
	wait_until(in_flight() == 0);
}
END_TEST

START_TEST(all_channels_try_again)
{
	stor_open_sub_channels(2);
	put_read(0, 1);
	put_read(2, 2);
	get_good(0, 1);
	get_good(2, 2);
	storvsp_retry(stor);
	ck_assert_uint_eq(disk.retries, 2);
}
END_TEST

START_TEST(close_waits_for_what_is_in_flight)
{
	fake_unit_hold(&unit, true);
	put_read(0, 1);
	put_read(0, 2);
	wait_until(fake_unit_held(&unit) == 2);
	guest_send_relid(CHANNELMSG_CLOSECHANNEL, PRIMARY->relid);
	guest_teardown(PRIMARY->relid, PRIMARY->gpadl);
	fake_unit_finish(&unit, 1);
	wait_until(in_flight() == 1);
	settle();
	ck_assert(!guest_has_message());
	fake_unit_finish(&unit, 1);
	guest_expect(CHANNELMSG_GPADL_TORNDOWN, NULL, 0);
	ck_assert_uint_eq(in_flight(), 0);
}
END_TEST

START_TEST(a_sub_channel_closes_by_itself)
{
	stor_open_sub_channels(2);
	fake_unit_hold(&unit, true);
	put_read(0, 1);
	put_read(1, 2);
	wait_until(fake_unit_held(&unit) == 2);
	guest_send_relid(CHANNELMSG_CLOSECHANNEL, stor_guest[2].relid);
	guest_teardown(stor_guest[2].relid, stor_guest[2].gpadl);
	guest_expect(CHANNELMSG_GPADL_TORNDOWN, NULL, 0);
	fake_unit_finish(&unit, 2);
	get_good(0, 1);
	get_good(1, 2);
}
END_TEST

/* The machine ends while the host works. */
START_TEST(freed_with_commands_in_flight)
{
	pthread_t thread;

	fake_unit_hold(&unit, true);
	put_read(0, 1);
	wait_until(fake_unit_held(&unit) == 1);
	ck_assert_int_eq(pthread_create(&thread, NULL,
					(void *(*)(void *))(void *)storvsp_free,
					stor),
			 0);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	fake_unit_finish(&unit, 1);
	pthread_join(thread, NULL);
	stor = NULL;
}
END_TEST

/* --- full ----------------------------------------------------------------------- */

/*
 * The ring to the guest has room for 139 answers, so no more are taken, and
 * the rest stays in the guest's ring; all are answered in the end.
 */
START_TEST(no_more_than_can_be_answered)
{
	unsigned int sent = 0, got = 0, held;
	struct vstor_packet p;

	fake_unit_hold(&unit, true);
	p = stor_srb(0, TEST_UNIT_READY, 2, 0);
	while (fake_unit_held(&unit) < 139) {
		if (guest_try_put(PRIMARY, sent + 1, &p, sizeof(p)))
			sent++;
	}
	while (guest_try_put(PRIMARY, sent + 1, &p, sizeof(p)))
		sent++;
	settle();
	held = fake_unit_held(&unit);
	ck_assert_uint_eq(held, 139);
	ck_assert_uint_gt(sent, held);
	ck_assert_uint_eq(in_flight(), held);
	while (got < sent) {
		fake_unit_finish(&unit, 7);
		for (int i = 0; i < 7 && got < sent; i++)
			stor_get_on(PRIMARY, ++got, &p);
	}
	ck_assert_uint_eq(in_flight(), 0);
}
END_TEST

/* The guest does not read: nothing is lost. */
START_TEST(a_ring_full_of_answers)
{
	struct vstor_packet p = stor_srb(0, TEST_UNIT_READY, 2, 0);
	unsigned int sent = 0, got = 0;

	while (sent < 1000) {
		if (guest_try_put(PRIMARY, sent + 1, &p, sizeof(p))) {
			sent++;
			continue;
		}
		/* Both rings are full, or soon not. */
		if (unit.submitted < 139)
			continue;
		for (int i = 0; i < 20 && got < sent; i++)
			stor_get_on(PRIMARY, ++got, &p);
		p = stor_srb(0, TEST_UNIT_READY, 2, 0);
	}
	while (got < sent)
		stor_get_on(PRIMARY, ++got, &p);
	ck_assert_uint_eq(unit.submitted, 1000);
}
END_TEST

/* --- reset ----------------------------------------------------------------------- */

static void put_reset(uint64_t id, uint32_t operation, uint8_t lun)
{
	struct vstor_packet p = {
		.operation = operation, .flags = 1, .vm_srb.lun = lun};

	guest_put(PRIMARY, id, &p, sizeof(p));
}

static const uint32_t resets[] = {
	VSTOR_OPERATION_RESET_LUN,
	VSTOR_OPERATION_RESET_ADAPTER,
	VSTOR_OPERATION_RESET_BUS,
};

START_TEST(a_reset_waits_for_all_channels)
{
	struct vstor_packet p;

	storvsp_add(stor, 1, &other);
	stor_get_on(PRIMARY, 0, &p);
	stor_open_sub_channels(1);
	fake_unit_hold(&unit, true);
	put_read(0, 1);
	put_read(1, 2);
	wait_until(fake_unit_held(&unit) == 2);
	put_reset(100, resets[_i], 0);
	/* What comes behind it waits. */
	put_read(0, 3);
	fake_unit_finish(&unit, 1);
	wait_until(in_flight() == 1);
	settle();
	ck_assert_uint_eq(fake_unit_held(&unit), 1);
	ck_assert_uint_eq(unit.resets, 0);
	fake_unit_finish(&unit, 1);
	get_good(0, 1);
	get_good(1, 2);
	stor_get_on(PRIMARY, 100, &p);
	ck_assert_uint_eq(p.operation, VSTOR_OPERATION_COMPLETE_IO);
	ck_assert_uint_eq(p.status, 0);
	ck_assert_uint_eq(unit.resets, 1);
	ck_assert_uint_eq(other.resets,
			  resets[_i] != VSTOR_OPERATION_RESET_LUN);
	wait_until(fake_unit_held(&unit) == 1);
	fake_unit_finish(&unit, 1);
	get_good(0, 3);
}
END_TEST

START_TEST(one_reset_after_the_other)
{
	struct vstor_packet p;

	fake_unit_hold(&unit, true);
	put_read(0, 1);
	wait_until(fake_unit_held(&unit) == 1);
	put_reset(100, VSTOR_OPERATION_RESET_BUS, 0);
	put_reset(101, VSTOR_OPERATION_RESET_BUS, 0);
	settle();
	fake_unit_finish(&unit, 1);
	get_good(0, 1);
	stor_get_on(PRIMARY, 100, &p);
	stor_get_on(PRIMARY, 101, &p);
	ck_assert_uint_eq(unit.resets, 2);
}
END_TEST

START_TEST(closed_during_a_reset)
{
	struct vmbus_channel_offer_channel offer = {
		.child_relid = PRIMARY->relid,
		.connection_id = PRIMARY->connection_id};

	stor_open_sub_channels(1);
	fake_unit_hold(&unit, true);
	put_read(1, 1);
	wait_until(fake_unit_held(&unit) == 1);
	put_reset(100, VSTOR_OPERATION_RESET_BUS, 0);
	settle();
	guest_send_relid(CHANNELMSG_CLOSECHANNEL, PRIMARY->relid);
	guest_teardown(PRIMARY->relid, PRIMARY->gpadl);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	settle();
	ck_assert(!guest_has_message());
	fake_unit_finish(&unit, 1);
	guest_expect(CHANNELMSG_GPADL_TORNDOWN, NULL, 0);
	guest_drop_rings(PRIMARY);
	fake_unit_hold(&unit, false);
	guest_open(PRIMARY, &offer);
	stor_initialize(VMSTOR_PROTO_VERSION_WIN10);
	put_read(0, 5);
	get_good(0, 5);
}
END_TEST

/* --- units come and go ------------------------------------------------------------ */

static void get_notice(void)
{
	struct vstor_packet p;

	ck_assert_uint_eq(stor_get_on(PRIMARY, 0, &p), 64);
	ck_assert_uint_eq(p.operation, VSTOR_OPERATION_ENUMERATE_BUS);
}

START_TEST(a_unit_comes)
{
	ck_assert_uint_eq(stor_do(9, READ_10, 1, 512).vm_srb.srb_status,
			  SRB_STATUS_INVALID_LUN);
	ck_assert_int_eq(storvsp_add(stor, 9, &other), 0);
	get_notice();
	ck_assert_uint_eq(stor_do(9, READ_10, 1, 512).vm_srb.srb_status,
			  SRB_STATUS_SUCCESS);
	ck_assert_uint_eq(other.submitted, 1);
}
END_TEST

START_TEST(a_unit_goes)
{
	ck_assert_uint_eq(stor_do(0, READ_10, 1, 512).vm_srb.srb_status,
			  SRB_STATUS_SUCCESS);
	ck_assert_int_eq(storvsp_remove(stor, 0, on_gone, NULL), 0);
	ck_assert_uint_eq(gone, 1);
	ck_assert_uint_eq(disk.queues, 0);
	get_notice();
	ck_assert_uint_eq(stor_do(0, READ_10, 1, 512).vm_srb.srb_status,
			  SRB_STATUS_INVALID_LUN);
	ck_assert_int_eq(storvsp_remove(stor, 0, on_gone, NULL), -ENOENT);
}
END_TEST

START_TEST(a_unit_goes_with_commands_in_flight)
{
	struct vstor_packet p;

	stor_open_sub_channels(1);
	fake_unit_hold(&unit, true);
	/* One after the other: their workers are not in step. */
	put_read(0, 1);
	wait_until(fake_unit_held(&unit) == 1);
	put_read(1, 2);
	wait_until(fake_unit_held(&unit) == 2);
	ck_assert_int_eq(storvsp_remove(stor, 0, on_gone, NULL), 0);
	get_notice();
	ck_assert_uint_eq(gone, 0);
	/* Nothing new has its place before it is gone. */
	ck_assert_int_eq(storvsp_add(stor, 0, &other), -EEXIST);
	p = stor_do(0, READ_10, 1, 512);
	ck_assert_uint_eq(p.vm_srb.srb_status, SRB_STATUS_INVALID_LUN);
	fake_unit_finish(&unit, 1);
	get_good(0, 1);
	ck_assert_uint_eq(gone, 0);
	fake_unit_finish(&unit, 1);
	get_good(1, 2);
	wait_until(gone == 1);
	ck_assert_uint_eq(disk.queues, 0);
	ck_assert_int_eq(storvsp_add(stor, 0, &other), 0);
	get_notice();
	put_read(1, 3);
	get_good(1, 3);
}
END_TEST

START_TEST(twenty_units_come_and_go_under_load)
{
	static struct scsi_lun many[20];
	struct vstor_packet p;

	for (uint8_t i = 0; i < 20; i++) {
		fake_unit_init(&many[i], &disk);
		ck_assert_int_eq(storvsp_add(stor, i + 10, &many[i]), 0);
		get_notice();
		p = stor_do(i + 10, WRITE_10, 0, 4096);
		ck_assert_uint_eq(p.vm_srb.srb_status, SRB_STATUS_SUCCESS);
	}
	for (uint8_t i = 0; i < 20; i++) {
		fake_unit_hold(&many[i], true);
		p = stor_srb(i + 10, READ_10, 1, 512);
		stor_put(i + 1, &p, 512);
		wait_until(fake_unit_held(&many[i]) == 1);
		ck_assert_int_eq(storvsp_remove(stor, i + 10, on_gone, NULL),
				 0);
		get_notice();
		fake_unit_finish(&many[i], 1);
		get_good(0, i + 1);
	}
	wait_until(gone == 20);
}
END_TEST

static void see_it_is_gone(uint8_t lun)
{
	ck_assert_uint_eq(stor_do(lun, TEST_UNIT_READY, 2, 0).vm_srb.srb_status,
			  SRB_STATUS_INVALID_LUN);
}

/*
 * A guest that finds another unit in the place of one that went takes it for
 * that one, and writes to it what was meant for the other.
 */
START_TEST(a_place_is_taken_until_the_guest_knows)
{
	storvsp_remove(stor, 0, NULL, NULL);
	get_notice();
	ck_assert_int_eq(storvsp_add(stor, 0, &other), -EBUSY);
	/* Who asks what is there has not seen that another is not. */
	stor_do(0, INQUIRY, 1, 36);
	ck_assert_int_eq(storvsp_add(stor, 0, &other), -EBUSY);
	ck_assert_int_eq(storvsp_add(stor, 1, &other), 0);
	get_notice();
	see_it_is_gone(0);
	ck_assert_int_eq(storvsp_add(stor, 0, &unit), 0);
}
END_TEST

START_TEST(a_place_is_free_for_a_driver_that_starts)
{
	struct vmbus_channel_offer_channel offer = {
		.child_relid = PRIMARY->relid,
		.connection_id = PRIMARY->connection_id};

	storvsp_remove(stor, 0, NULL, NULL);
	ck_assert_int_eq(storvsp_add(stor, 0, &other), -EBUSY);
	guest_close(PRIMARY);
	ck_assert_int_eq(storvsp_add(stor, 0, &other), 0);
	/* It knows of none. */
	storvsp_remove(stor, 0, NULL, NULL);
	ck_assert_int_eq(storvsp_add(stor, 0, &unit), 0);
	guest_open(PRIMARY, &offer);
}
END_TEST

START_TEST(a_unit_of_another_size)
{
	storvsp_resized(stor, 0);
	ck_assert_uint_eq(unit.resized, 1);
	get_notice();
}
END_TEST

/* Changes before the guest has asked are no news. */
START_TEST(no_notice_before_initialization)
{
	struct vmbus_channel_offer_channel offer = {
		.child_relid = PRIMARY->relid,
		.connection_id = PRIMARY->connection_id};

	guest_close(PRIMARY);
	storvsp_add(stor, 3, &other);
	guest_open(PRIMARY, &offer);
	stor_initialize(VMSTOR_PROTO_VERSION_WIN10);
	put_read(0, 1);
	get_good(0, 1); /* and no notice came first */
}
END_TEST

/* The medium is another: commands in flight end on the old one. */
START_TEST(another_medium)
{
	fake_unit_hold(&unit, true);
	put_read(0, 1);
	wait_until(fake_unit_held(&unit) == 1);
	unit.block = &medium;
	put_read(0, 2);
	ck_assert_int_eq(storvsp_let_go(stor, 0, on_gone, NULL), 0);
	ck_assert_int_eq(storvsp_let_go(stor, 0, on_gone, NULL), -EBUSY);
	settle();
	ck_assert_uint_eq(fake_unit_held(&unit), 1);
	ck_assert_uint_eq(gone, 0);
	fake_unit_finish(&unit, 1);
	get_good(0, 1);
	wait_until(gone == 1);
	ck_assert_uint_eq(disk.queues, 0);
	wait_until(fake_unit_held(&unit) == 1);
	ck_assert_uint_eq(medium.queues, 1);
	fake_unit_finish(&unit, 1);
	get_good(0, 2);
}
END_TEST

START_TEST(no_medium)
{
	unit.block = NULL;
	ck_assert_uint_eq(stor_do(0, TEST_UNIT_READY, 2, 0).vm_srb.srb_status,
			  SRB_STATUS_SUCCESS);
	ck_assert_ptr_null(fake_unit_last(&unit).queue);
	ck_assert_uint_eq(disk.queues, 0);
}
END_TEST

START_TEST(no_queue_can_be_made)
{
	struct vstor_packet p;

	fake_no_queues = true;
	p = stor_do(0, READ_10, 1, 512);
	ck_assert_uint_eq(p.vm_srb.scsi_status, SAM_STAT_BUSY);
	ck_assert_uint_eq(p.vm_srb.srb_status, SRB_STATUS_BUSY);
	fake_no_queues = false;
	ck_assert_uint_eq(stor_do(0, READ_10, 1, 512).vm_srb.srb_status,
			  SRB_STATUS_SUCCESS);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/storvsp/io");
	TCase *t = tcase_create("in flight");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, start, end);
	tcase_add_test(t, answers_come_when_commands_end);
	tcase_add_test(t, one_interrupt_for_a_batch);
	tcase_add_loop_test(t, a_few_answers_at_a_time, 0, PLACES);
	tcase_add_loop_test(t, a_few_commands_at_a_time, 0, PLACES);
	tcase_add_loop_test(t, who_waits_hurries, 0, 4);
	tcase_add_test(t, all_channels_try_again);
	tcase_add_test(t, close_waits_for_what_is_in_flight);
	tcase_add_test(t, a_sub_channel_closes_by_itself);
	tcase_add_test(t, freed_with_commands_in_flight);
	tcase_add_test(t, no_more_than_can_be_answered);
	tcase_add_test(t, a_ring_full_of_answers);
	tcase_add_loop_test(t, a_reset_waits_for_all_channels, 0,
			    G_N_ELEMENTS(resets));
	tcase_add_test(t, one_reset_after_the_other);
	tcase_add_test(t, closed_during_a_reset);
	tcase_add_test(t, a_unit_comes);
	tcase_add_test(t, a_unit_goes);
	tcase_add_test(t, a_unit_goes_with_commands_in_flight);
	tcase_add_test(t, twenty_units_come_and_go_under_load);
	tcase_add_test(t, a_place_is_taken_until_the_guest_knows);
	tcase_add_test(t, a_place_is_free_for_a_driver_that_starts);
	tcase_add_test(t, a_unit_of_another_size);
	tcase_add_test(t, no_notice_before_initialization);
	tcase_add_test(t, another_medium);
	tcase_add_test(t, no_medium);
	tcase_add_test(t, no_queue_can_be_made);
	suite_add_tcase(s, t);
	return check_main(s);
}
