/* SPDX-License-Identifier: MIT */
/* Signals that come by an eventfd, past whoever runs the processors. */
#include <errno.h>
#include <unistd.h>

#include "base/findings.h"
#include "support/channel_bench.h"
#include "support/one_processor.h"
#include "support/turns.h"

/* --- a machine with one doorbell ---------------------------------------------- */

static _Atomic int bell = -1; /* -1: there is none */
static _Atomic uint32_t bell_of; /* connection */
static _Atomic unsigned int hung, taken_down;
static int set_ret;
static _Atomic uint64_t counted;
static _Atomic int guest_on = -1; /* processor */

static int set(void *ctx, uint32_t connection_id, int fd, bool on)
{
	(void)ctx;
	if (on && set_ret)
		return set_ret;
	ck_assert_int_eq(bell, on ? -1 : fd);
	if (on) {
		bell_of = connection_id;
		hung++;
	} else {
		ck_assert_uint_eq(bell_of, connection_id);
		taken_down++;
	}
	bell = on ? fd : -1;
	return 0;
}

static void count(void *ctx, uint64_t n)
{
	(void)ctx;
	counted += n;
}

static bool runs_on(void *ctx, int on)
{
	(void)ctx;
	return on == guest_on;
}

static const struct doorbell_ops fake_ops = {
	.set = set,
	.count = count,
	.runs_on = runs_on,
};

static bool ring_bell(uint32_t connection_id)
{
	uint64_t one = 1;

	if (bell < 0 || bell_of != connection_id)
		return false;
	ck_assert_int_eq(write(bell, &one, sizeof(one)), sizeof(one));
	return true;
}

static void bell_setup(void)
{
	struct channel_params p = params_of(1);

	doorbell_ops = &fake_ops;
	guest_doorbell = ring_bell;
	needless_max = SIGNALS_MAX;
	bus_setup();
	p.doorbell = true;
	p.gives_way = true;
	make_device(&p);
}

/* --- from open to close --------------------------------------------------------- */

/* Where no signal is just being counted. */
static void all_are_counted(void *ctx)
{
	(void)ctx;
	ck_assert_uint_eq(stats().signals_in, counted);
}

START_TEST(signals_come_by_the_doorbell)
{
	start();
	ck_assert_uint_eq(hung, 1);
	for (unsigned int i = 1; i <= 100; i++)
		ping(i);
	settle();
	ck_assert_uint_ge(counted, 1);
	on_worker(all_are_counted, NULL);
	ck_assert_uint_eq(stats().packets_in, 100);
}
END_TEST

START_TEST(each_signal_counts)
{
	uint64_t many = 3;

	start();
	settle();
	ck_assert_int_eq(write(bell, &many, sizeof(many)), sizeof(many));
	wait_until(stats().signals_needless == many);
	ck_assert_uint_eq(stats().signals_in, many);
	ck_assert_uint_eq(counted, many);
}
END_TEST

START_TEST(a_hypercall_does_as_well)
{
	start();
	settle();
	guest_doorbell = NULL;
	for (unsigned int i = 1; i <= 10; i++)
		ping(i);
	ck_assert_uint_eq(counted, 0);
	ck_assert_uint_ge(stats().signals_in, 1);
}
END_TEST

START_TEST(it_goes_with_the_channel)
{
	start();
	for (unsigned int i = 1; i <= 5; i++) {
		ping(i);
		guest_close(&guest);
		ck_assert_uint_eq(taken_down, i);
		ck_assert_uint_eq(guest_signal(&guest),
				  HV_STATUS_INVALID_CONNECTION_ID);
		guest_open(&guest, &offer);
		ck_assert_uint_eq(hung, i + 1);
	}
	ping(9);
}
END_TEST

/* The device refuses, after it was hung. */
START_TEST(an_open_that_fails_leaves_none)
{
	guest_connect(VERSION_WIN10_V5_3);
	guest_request_offers(&offer, 1);
	dev.open_ret = -EIO;
	ck_assert_uint_ne(guest_try_open(&guest, &offer), 0);
	ck_assert_uint_eq(hung, 1);
	ck_assert_uint_eq(taken_down, 1);
}
END_TEST

START_TEST(without_one_there_are_hypercalls)
{
	set_ret = -ENOSPC;
	start();
	for (unsigned int i = 1; i <= 10; i++)
		ping(i);
	guest_close(&guest);
	ck_assert_uint_eq(hung + taken_down, 0);
	ck_assert_uint_eq(counted, 0);
}
END_TEST

START_TEST(who_does_not_ask_has_none)
{
	struct channel_params p = params_of(1);

	channel_free(dev.ch);
	make_device(&p);
	start();
	ping(1);
	ck_assert_uint_eq(hung, 0);
}
END_TEST

/* --- what signals are for ---------------------------------------------------------- */

START_TEST(who_rings_too_often_is_heard_later)
{
	check_throttle();
	settle();
	ck_assert_uint_ge(counted, SIGNALS_MAX + 1 + 1000);
	on_worker(all_are_counted, NULL);
}
END_TEST

START_TEST(the_throttle_ends_with_the_channel)
{
	check_end_of_throttle();
}
END_TEST

/*
 * The worker does nothing else meanwhile, and has the close before it looks
 * who has rung: the server answers what comes behind it.
 */
static void put_and_close(void *ctx)
{
	(void)ctx;
	ck_assert(guest_try_put(&guest, 7, "x", 1));
	guest_send_relid(CHANNELMSG_CLOSECHANNEL, guest.relid);
	guest_share(guest.relid, BUS_GPADL + 99, 60, 1);
}

START_TEST(one_that_rang_before_it_closed_has_signalled)
{
	start();
	dev.on_packet = DO_NOTHING;
	settle();
	on_worker(put_and_close, NULL);
	wait_until(dev.closes == 1);
	settle();
	ck_assert_uint_eq(counted, 1);
	ck_assert_uint_eq(findings_total(), 0);
}
END_TEST

static void see_processor(void *ctx)
{
	*(bool *)ctx = channel_shares_processor(dev.ch);
}

/* Nobody says where the one was who rang; but where processors are. */
START_TEST(a_processor_may_be_shared)
{
	bool shared = false;

	start();
	processor = 3;
	guest_on = 3;
	on_worker(see_processor, &shared);
	ck_assert(shared);
	guest_on = 2;
	on_worker(see_processor, &shared);
	ck_assert(!shared);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/channel_doorbell");
	TCase *t = tcase_create("channel_doorbell");

	log_set_level("error");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, bell_setup, dev_teardown);
	tcase_add_test(t, signals_come_by_the_doorbell);
	tcase_add_test(t, each_signal_counts);
	tcase_add_test(t, a_hypercall_does_as_well);
	tcase_add_test(t, it_goes_with_the_channel);
	tcase_add_test(t, an_open_that_fails_leaves_none);
	tcase_add_test(t, without_one_there_are_hypercalls);
	tcase_add_test(t, who_does_not_ask_has_none);
	tcase_add_test(t, who_rings_too_often_is_heard_later);
	tcase_add_test(t, the_throttle_ends_with_the_channel);
	tcase_add_test(t, one_that_rang_before_it_closed_has_signalled);
	tcase_add_test(t, a_processor_may_be_shared);
	suite_add_tcase(s, t);
	return check_main(s);
}
