/* SPDX-License-Identifier: MIT */
/* When a channel's thread looks at its ring, and when it leaves the guest its
 * processor. */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/channel_bench.h"
#include "support/one_processor.h"
#include "support/turns.h"

/* --- polling ------------------------------------------------------------------ */

/* Open a channel that is not as the others are. */
static void open_one_as(const struct channel_params *p)
{
	channel_free(dev.ch);
	make_device(p);
	guest_connect(VERSION_WIN10);
	guest_request_offers(&offer, 1);
	guest_open(&guest, &offer);
}

START_TEST(polling_instead_of_signals)
{
	struct channel_params p = params_of(1);

	p.poll_ns = 3600 * NSEC_PER_SEC;
	open_one_as(&p);
	for (unsigned int i = 1; i < 100; i++)
		ping(i);
	ck_assert_uint_eq(stats().signals_in, 0);
	ck_assert_uint_eq(ring_load(RING_WORD(&guest.ring.tx, interrupt_mask)),
			  1);
}
END_TEST

START_TEST(polling_ends)
{
	struct channel_params p = params_of(1);

	p.poll_ns = NSEC_PER_MSEC;
	open_one_as(&p);
	ping(1);
	wait_until(!ring_load(RING_WORD(&guest.ring.tx, interrupt_mask)));
	ping(2);
	ck_assert_uint_eq(stats().poll_ns, NSEC_PER_MSEC);
}
END_TEST

static void start_one_that_adapts(uint64_t poll_max_ns)
{
	struct channel_params p = params_of(1);

	p.poll_max_ns = poll_max_ns;
	open_one_as(&p);
}

/* A guest that is always late: it puts the next when it is asked to signal. */
static void ping_late(unsigned int n)
{
	for (unsigned int i = 1; i <= n; i++) {
		wait_until(
			!ring_load(RING_WORD(&guest.ring.tx, interrupt_mask)));
		ping(i);
	}
}

#define LATE 12u

/* As we know only then how late it was, the thread looks for ever longer. */
START_TEST(polling_grows_while_it_may_pay)
{
	start_one_that_adapts(3600 * NSEC_PER_SEC);
	ck_assert_uint_eq(stats().poll_now_ns, 0);
	ping_late(LATE);
	ck_assert_uint_ge(stats().poll_now_ns, 4000u << (LATE - 2));
}
END_TEST

/* It never comes in time, or the guest has no processor beside the thread's. */
START_TEST(polling_that_does_not_pay_is_left)
{
	start_one_that_adapts(_i ? 3600 * NSEC_PER_SEC : 1);
	processor = _i ? 0 : -1;
	ping_late(LATE);
	processor = -1;
	ck_assert_uint_eq(stats().poll_now_ns, 0);
	ck_assert_uint_ge(stats().signals_in, LATE);
}
END_TEST

/* --- giving way --------------------------------------------------------------- */

/*
 * What the guest puts while the channel's thread gives way: so many packets
 * each time, until there are no more; and how long that takes it.
 */
static _Atomic unsigned int n_meanwhile, n_each;
static _Atomic uint64_t away_ns;
static _Atomic unsigned int n_ways; /* that were given */

/* libc's, but that the guest has its turn meanwhile. */
int nanosleep(const struct timespec *time, struct timespec *rest)
{
	struct timespec away = {.tv_nsec = (long)away_ns};

	if (!dev.ch || !worker_is_current(channel_worker(dev.ch)))
		return (int)syscall(SYS_nanosleep, time, rest);
	n_ways++;
	for (unsigned int i = 0; i < n_each && n_meanwhile; i++) {
		ck_assert(guest_try_put(&guest, 1 + n_meanwhile, "x", 1));
		n_meanwhile--;
	}
	return (int)syscall(SYS_nanosleep, away_ns ? &away : time, rest);
}

static void start_one_that_gives_way(void)
{
	struct channel_params p = params_of(1);

	p.gives_way = true;
	open_one_as(&p);
	settle();
	n_ways = 0;
}

/*
 * A packet that is signalled, and what comes while the guest is given way for
 * it; only one thread at a time is the guest.
 */
static void put_and_go_on(void)
{
	uint64_t before = stats().packets_in;

	guest_put(&guest, 5, "x", 1);
	wait_until(stats().packets_in > before);
	wait_until(!ring_load(RING_WORD(&guest.ring.tx, interrupt_mask)));
	settle();
	while (ring_peer_receive(&guest.ring, buffer, sizeof(buffer)))
		;
}

START_TEST(packets_while_the_host_gives_way)
{
	processor = 3;
	start_one_that_gives_way();
	n_meanwhile = 9;
	n_each = 3;
	put_and_go_on();
	/* All are taken, and only the first wanted a signal. */
	ck_assert_uint_eq(n_meanwhile, 0);
	ck_assert_uint_eq(stats().packets_in, 1 + 9);
	ck_assert_uint_eq(stats().packets_out, 1 + 9);
	ck_assert_uint_eq(stats().signals_in, 1);
}
END_TEST

START_TEST(on_processors_of_their_own_nobody_gives_way)
{
	start_one_that_gives_way();
	ping(5);
	settle();
	ck_assert_uint_eq(n_ways, 0);
}
END_TEST

/* Nor does it before it is known where the guest is. */
START_TEST(who_never_signalled_is_beside_us)
{
	struct channel_params p = params_of(1);

	processor = 0;
	p.gives_way = true;
	p.poll_ns = 3600 * NSEC_PER_SEC;
	open_one_as(&p);
	ping(5);
	ck_assert_uint_eq(stats().signals_in, 0);
	ck_assert_uint_eq(n_ways, 0);
}
END_TEST

/* Occasions that are passed over, at last. */
#define SKIPPED 511u
#define PINGS   (4 * SKIPPED)
/* It is tried at once, and after 31, 63, 127, 255, 511, 511 … of them. */
#define TRIES   8u

/* Before the ring is looked at, and before it asks for a signal. */
#define OCCASIONS 2u

/* A guest on our processor, which waits for each answer. */
static void start_and_wait_for_answers(void)
{
	processor = 3;
	start_one_that_gives_way();
	for (unsigned int i = 0; i < PINGS; i++)
		ping(5);
	settle();
}

START_TEST(a_guest_that_waits_for_answers_is_served_first)
{
	start_and_wait_for_answers();
	ck_assert_uint_ge(n_ways, OCCASIONS);
	ck_assert_uint_le(n_ways, OCCASIONS * TRIES);
}
END_TEST

START_TEST(a_guest_that_has_more_again_is_given_way_again)
{
	start_and_wait_for_answers();
	/* Which is seen the next time that it is tried. */
	n_meanwhile = 200;
	n_each = 16;
	for (unsigned int i = 0; i < SKIPPED + 200 / 16 + 1; i++)
		put_and_go_on();
	ck_assert_uint_eq(n_meanwhile, 0);
}
END_TEST

/* A processor that others want, too: little comes, and late. */
START_TEST(a_slow_guest_is_not_waited_for)
{
	processor = 3;
	start_one_that_gives_way();
	away_ns = 20 * NSEC_PER_MSEC;
	n_meanwhile = 8;
	n_each = 4;
	put_and_go_on();
	ck_assert_uint_eq(n_meanwhile, 0);
	away_ns = 0;
	n_ways = 0;
	for (unsigned int i = 0; i < 10; i++)
		ping(5);
	settle();
	ck_assert_uint_eq(n_ways, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/channel_pace");
	TCase *t = tcase_create("channel_pace");

	log_set_level("error");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, dev_setup, dev_teardown);
	tcase_add_test(t, polling_instead_of_signals);
	tcase_add_test(t, polling_ends);
	tcase_add_test(t, polling_grows_while_it_may_pay);
	tcase_add_loop_test(t, polling_that_does_not_pay_is_left, 0, 2);
	tcase_add_test(t, packets_while_the_host_gives_way);
	tcase_add_test(t, on_processors_of_their_own_nobody_gives_way);
	tcase_add_test(t, who_never_signalled_is_beside_us);
	tcase_add_test(t, a_guest_that_waits_for_answers_is_served_first);
	tcase_add_test(t, a_guest_that_has_more_again_is_given_way_again);
	tcase_add_test(t, a_slow_guest_is_not_waited_for);
	suite_add_tcase(s, t);
	return check_main(s);
}
