/* SPDX-License-Identifier: MIT */
#include "vsp/ic/timesync.h"

#include <errno.h>
#include <time.h>

#include "support/ic_guest.h"

#define LONG (3600 * NSEC_PER_SEC)

static struct ic_timesync *ts;
static struct ic_result result;
static _Atomic uint64_t utc_ns, reference;

static uint64_t on_utc(void *ctx)
{
	ck_assert_ptr_eq(ctx, &ts);
	return utc_ns;
}

static uint64_t on_reference(void *ctx)
{
	(void)ctx;
	return reference;
}

static void make(bool own_clock, unsigned int sync_s, uint64_t period_ns)
{
	struct ic_timesync_clock clock = {.utc_ns = own_clock ? on_utc : NULL,
					  .reference = on_reference,
					  .ctx = &ts};
	struct vsp_params p = ic_params();

	ts = ic_timesync_new(&p, &clock, sync_s, period_ns);
	ck_assert_ptr_nonnull(ts);
	ck_assert_ptr_null(ic_timesync_new(&p, &clock, 0, 0));
	ic_timesync_ops.run(ts, true);
}

static void bare_setup(void)
{
	bus_setup();
	result.calls = 0;
	utc_ns = 1700000000 * NSEC_PER_SEC + 1234500;
	reference = 4242;
}

static void ts_setup(void)
{
	bare_setup();
	make(true, 0, LONG);
}

static void ts_teardown(void)
{
	ic_timesync_ops.free(ts);
	ic_timesync_free(NULL);
	guest_drop_rings(&guest);
	bus_teardown();
}

static struct ictimesync_ref_data expect_v4(void)
{
	struct ictimesync_ref_data m;

	memcpy(&m, ic_expect(ICMSGTYPE_TIMESYNC, sizeof(m)), sizeof(m));
	return m;
}

static uint64_t number(const char *key)
{
	return ic_number(&ic_timesync_ops, ts, key);
}

START_TEST(sync_after_the_negotiation)
{
	struct ictimesync_ref_data m;

	ic_start(4, 0);
	m = expect_v4();
	ck_assert_uint_eq(m.flags, ICTIMESYNCFLAG_SYNC);
	/* 2023-11-14 22:13:20 UTC, and 12345 of 100 ns */
	ck_assert_uint_eq(m.parenttime, 133444736000012345ull);
	ck_assert_uint_eq(m.vmreferencetime, 4242);
	ck_assert_uint_eq(m.leapflags, 0);
	ic_answer(HV_S_OK);
	wait_until(number("syncs") == 1);
}
END_TEST

static const struct ic_version old[] = {{1, 0}, {3, 0}};

START_TEST(the_older_layout)
{
	struct ictimesync_data m;

	ic_start(old[_i].major, old[_i].minor);
	memcpy(&m, ic_expect(ICMSGTYPE_TIMESYNC, sizeof(m)), sizeof(m));
	ck_assert_uint_eq(m.flags, ICTIMESYNCFLAG_SYNC);
	ck_assert_uint_eq(m.parenttime, 133444736000012345ull);
	ck_assert_uint_eq(m.childtime, 0);
	ck_assert_uint_eq(m.roundtriptime, 0);
	ic_answer(HV_S_OK);
	wait_until(number("syncs") == 1);
}
END_TEST

START_TEST(samples_from_then_on)
{
	make(true, 0, NSEC_PER_MSEC);
	ic_start(4, 0);
	expect_v4();
	ic_answer(HV_S_OK);
	for (unsigned int i = 1; i <= 5; i++) {
		ck_assert_uint_eq(expect_v4().flags, ICTIMESYNCFLAG_SAMPLE);
		ic_answer(HV_S_OK);
		wait_until(number("samples") == i);
	}
	ck_assert_uint_eq(number("syncs"), 1);
}
END_TEST

/* Each row: @sync_s, and how many messages apart its SYNCs are. */
static const struct {
	unsigned int sync_s, apart;
} syncs[] = {{1, 1}, {5, 1}, {9, 1}, {10, 2}, {15, 3}, {19, 3}};

START_TEST(a_sync_every_so_often)
{
	make(true, syncs[_i].sync_s, NSEC_PER_MSEC);
	ic_start(4, 0);
	for (unsigned int i = 0; i <= 3 * syncs[_i].apart; i++) {
		bool is_sync = i % syncs[_i].apart == 0;

		ck_assert_uint_eq(expect_v4().flags,
				  is_sync ? ICTIMESYNCFLAG_SYNC
					  : ICTIMESYNCFLAG_SAMPLE);
		ic_answer(HV_S_OK);
		wait_until(number("syncs") + number("samples") == i + 1);
	}
	ck_assert_uint_eq(number("syncs"), 4);
}
END_TEST

/* It is the time of sending that counts. */
START_TEST(a_sync_that_had_to_wait)
{
	struct ictimesync_ref_data m;

	ic_start(4, 0);
	expect_v4();
	ck_assert_int_eq(ic_timesync_sync(ts, LONG, ic_on_done, &result), 0);
	worker_call(channel_worker(ic_timesync_ops.channel(ts)), bus_nothing,
		    NULL);
	reference = 777;
	utc_ns += NSEC_PER_SEC;
	ic_answer(HV_S_OK);
	m = expect_v4();
	ck_assert_uint_eq(m.flags, ICTIMESYNCFLAG_SYNC);
	ck_assert_uint_eq(m.vmreferencetime, 777);
	ck_assert_uint_eq(m.parenttime, 133444736010012345ull);
	ic_answer(HV_S_OK);
	ic_expect_result(&result, 0);
	ck_assert_uint_eq(number("syncs"), 2);
}
END_TEST

START_TEST(sync_after_a_pause)
{
	ic_start(4, 0);
	expect_v4();
	ic_answer(HV_S_OK);
	ic_timesync_ops.run(ts, false);
	utc_ns += 600 * NSEC_PER_SEC;
	ic_timesync_ops.run(ts, true);
	ck_assert_uint_eq(expect_v4().flags, ICTIMESYNCFLAG_SYNC);
	ic_answer(HV_S_OK);
	wait_until(number("syncs") == 2);
}
END_TEST

START_TEST(sync_for_a_driver_that_came_again)
{
	ic_start(4, 0);
	expect_v4();
	guest_close(&guest);
	guest_open(&guest, &offer);
	ic_choose(&(struct ic_version){3, 0}, 1);
	ic_expect(ICMSGTYPE_TIMESYNC, sizeof(struct ictimesync_data));
	ic_answer(HV_S_OK);
	wait_until(number("syncs") == 1);
}
END_TEST

START_TEST(requests_that_fail)
{
	ck_assert_int_eq(ic_timesync_sync(ts, LONG, ic_on_done, &result), 0);
	ic_expect_result(&result, -ENOTCONN);
	ic_start(4, 0);
	expect_v4();
	ic_answer(HV_S_OK);
	result.calls = 0;
	ck_assert_int_eq(
		ic_timesync_sync(ts, NSEC_PER_MSEC, ic_on_done, &result), 0);
	ic_expect_result(&result, -ETIMEDOUT);
	ck_assert_uint_eq(number("syncs"), 1);
}
END_TEST

START_TEST(the_hosts_clock)
{
	struct ictimesync_ref_data m;
	uint64_t now;

	make(false, 0, LONG);
	ic_start(4, 0);
	m = expect_v4();
	now = WLTIMEDELTA + (uint64_t)time(NULL) * REF_TIME_PER_SEC;
	ck_assert_uint_ge(m.parenttime, now - 60 * REF_TIME_PER_SEC);
	ck_assert_uint_le(m.parenttime, now + 60 * REF_TIME_PER_SEC);
}
END_TEST

START_TEST(no_reference_on_an_old_host)
{
	const struct ic_version knows[] = {{4, 0}, {3, 0}};
	const struct ic_timesync_clock clock = {.reference = on_reference};
	struct vsp_params p = ic_params();

	p.host_version = VERSION_WIN8_1;
	ts = ic_timesync_new(&p, &clock, 0, 0);
	ic_open();
	ck_assert_uint_eq(ic_choose(knows, 2).major, 3);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/ic/timesync");
	TCase *t = tcase_create("made by each");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, bare_setup, ts_teardown);
	tcase_add_test(t, samples_from_then_on);
	tcase_add_loop_test(t, a_sync_every_so_often, 0, G_N_ELEMENTS(syncs));
	tcase_add_test(t, the_hosts_clock);
	tcase_add_test(t, no_reference_on_an_old_host);
	suite_add_tcase(s, t);

	t = tcase_create("timesync");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, ts_setup, ts_teardown);
	tcase_add_test(t, sync_after_the_negotiation);
	tcase_add_loop_test(t, the_older_layout, 0, G_N_ELEMENTS(old));
	tcase_add_test(t, a_sync_that_had_to_wait);
	tcase_add_test(t, sync_after_a_pause);
	tcase_add_test(t, sync_for_a_driver_that_came_again);
	tcase_add_test(t, requests_that_fail);
	suite_add_tcase(s, t);
	return check_main(s);
}
