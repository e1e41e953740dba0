/* SPDX-License-Identifier: MIT */
/* The arithmetic of limits on a clock of ours, and a queue that has some. */
#include "devices/block/throttle.h"

#include "base/clock.h"
#include "devices/block/ram.h"
#include "support/block_user.h"
#include "support/check_main.h"

#define START 1000000000000ull
#define MS    NSEC_PER_MSEC

/* --- arithmetic ------------------------------------------------------------------ */

static uint64_t now;

/* Many at once, again whenever the last may begin.  Return: how many began. */
static unsigned int began(struct throttle *t, bool write, uint64_t bytes,
			  uint64_t until)
{
	unsigned int n = 0;

	while (now < until) {
		uint64_t when = throttle_reserve(t, write, bytes, now);

		if (when > now)
			now = when;
		n += now < until;
	}
	return n;
}

static const struct {
	const char *what;
	enum throttle_limit_index index;
	struct throttle_limit limit;
	uint64_t iops_bytes;
	bool write;
	uint64_t bytes;
	unsigned int seconds, least, most;
} rates[] = {
	{"operations",
	 THROTTLE_IOPS,
	 {100, 0, 0},
	 0,
	 false,
	 4096,
	 10,
	 1000,
	 1011},
	{"operations written",
	 THROTTLE_IOPS_WRITE,
	 {100, 0, 0},
	 0,
	 true,
	 1,
	 10,
	 1000,
	 1011},
	{"reads are no writes",
	 THROTTLE_IOPS_READ,
	 {100, 0, 0},
	 0,
	 false,
	 512,
	 10,
	 1000,
	 1011},
	{"bytes",
	 THROTTLE_BPS,
	 {1 << 20, 0, 0},
	 0,
	 false,
	 4096,
	 10,
	 2560,
	 2587},
	{"bytes written",
	 THROTTLE_BPS_WRITE,
	 {1 << 20, 0, 0},
	 0,
	 true,
	 65536,
	 10,
	 160,
	 162},
	{"bytes read, one a second",
	 THROTTLE_BPS_READ,
	 {1 << 20, 0, 0},
	 0,
	 false,
	 1 << 20,
	 10,
	 10,
	 11},
	{"a burst of one second",
	 THROTTLE_IOPS,
	 {100, 1000, 0},
	 0,
	 false,
	 512,
	 10,
	 2000,
	 2001},
	{"the same, said",
	 THROTTLE_IOPS,
	 {100, 1000, 1},
	 0,
	 false,
	 512,
	 10,
	 2000,
	 2001},
	/* At 1000 a second it is full after 3000 / 900 seconds. */
	{"a burst of three seconds",
	 THROTTLE_IOPS,
	 {100, 1000, 3},
	 0,
	 false,
	 512,
	 3,
	 3000,
	 3101},
	{"... and when it is over",
	 THROTTLE_IOPS,
	 {100, 1000, 3},
	 0,
	 false,
	 512,
	 20,
	 4999,
	 5001},
	{"long ones count as many",
	 THROTTLE_IOPS,
	 {100, 0, 0},
	 4096,
	 false,
	 16384,
	 10,
	 250,
	 254},
	{"short ones count as one",
	 THROTTLE_IOPS,
	 {100, 0, 0},
	 4096,
	 false,
	 512,
	 10,
	 1000,
	 1011},
};

START_TEST(rate_is_kept)
{
	struct throttle_limits l = {.iops_bytes = rates[_i].iops_bytes};
	struct throttle *t;
	unsigned int n;

	l.of[rates[_i].index] = rates[_i].limit;
	t = throttle_new(&l);
	now = START;
	n = began(t, rates[_i].write, rates[_i].bytes,
		  START + rates[_i].seconds * NSEC_PER_SEC);
	ck_assert_msg(n >= rates[_i].least && n <= rates[_i].most, "%s: %u",
		      rates[_i].what, n);
	throttle_free(t);
}
END_TEST

static const struct {
	enum throttle_limit_index index;
	bool write;
} unconcerned[] = {
	{THROTTLE_BPS_READ, true},
	{THROTTLE_IOPS_READ, true},
	{THROTTLE_BPS_WRITE, false},
	{THROTTLE_IOPS_WRITE, false},
};

START_TEST(other_direction_is_free)
{
	struct throttle_limits l = {0};
	struct throttle *t;

	l.of[unconcerned[_i].index].rate = 1;
	t = throttle_new(&l);
	for (unsigned int i = 0; i < 10; i++)
		ck_assert_uint_eq(throttle_reserve(t, unconcerned[_i].write,
						   1 << 20, START),
				  0);
	/* And what went by has not filled it. */
	ck_assert_uint_eq(throttle_reserve(t, !unconcerned[_i].write, 1, START),
			  0);
	throttle_free(t);
}
END_TEST

START_TEST(strictest_counts)
{
	struct throttle_limits l = {
		.of = {[THROTTLE_IOPS] = {.rate = 1000},
		       [THROTTLE_BPS_WRITE] = {.rate = 4096}}};
	struct throttle *t = throttle_new(&l);

	now = START;
	ck_assert_uint_le(began(t, true, 4096, START + 10 * NSEC_PER_SEC), 11);
	throttle_free(t);
}
END_TEST

START_TEST(time_makes_room)
{
	struct throttle_limits l = {.of[THROTTLE_IOPS] = {.rate = 10}};
	struct throttle *t = throttle_new(&l);

	ck_assert_uint_eq(throttle_reserve(t, false, 1, START), 0);
	ck_assert_uint_eq(throttle_reserve(t, false, 1, START), 0);
	/* Each is a tenth of a second behind the one before. */
	ck_assert_uint_eq(throttle_reserve(t, false, 1, START),
			  START + 100 * MS);
	ck_assert_uint_eq(throttle_reserve(t, false, 1, START),
			  START + 200 * MS);
	ck_assert_uint_eq(throttle_reserve(t, false, 1, START + 150 * MS),
			  START + 300 * MS);
	/* A clock that is behind does no harm. */
	ck_assert_uint_eq(throttle_reserve(t, false, 1, START),
			  START + 400 * MS);
	/* An hour is not saved up. */
	now = START + 3600 * NSEC_PER_SEC;
	ck_assert_uint_eq(throttle_reserve(t, false, 1, now), 0);
	ck_assert_uint_eq(throttle_reserve(t, false, 1, now), 0);
	ck_assert_uint_eq(throttle_reserve(t, false, 1, now), now + 100 * MS);
	throttle_free(t);
}
END_TEST

START_TEST(extremes_are_bounded)
{
	struct throttle_limits l = {
		.of = {[THROTTLE_BPS] = {.rate = 1},
		       [THROTTLE_IOPS] = {.rate = UINT64_MAX,
					  .burst = UINT64_MAX,
					  .burst_s = UINT32_MAX}}};
	struct throttle *t = throttle_new(&l);
	uint64_t when;

	throttle_reserve(t, false, UINT64_MAX, START);
	when = throttle_reserve(t, false, UINT64_MAX, START);
	ck_assert_uint_gt(when, START);
	ck_assert_uint_le(when, START + 1000000000000000000ull);
	throttle_free(t);
	throttle_free(NULL);
}
END_TEST

START_TEST(none_is_none)
{
	struct throttle_limits l = {.iops_bytes = 1};

	ck_assert(!throttle_limits_any(&l));
	l.of[THROTTLE_IOPS_WRITE].rate = 1;
	ck_assert(throttle_limits_any(&l));
}
END_TEST

START_TEST(other_limits_from_now_on)
{
	struct throttle_limits l = {0};
	struct throttle *t;

	l.of[THROTTLE_IOPS].rate = 1;
	t = throttle_new(&l);
	now = START;
	for (unsigned int i = 0; i < 5; i++)
		throttle_reserve(t, false, 512, now);
	ck_assert_uint_gt(throttle_reserve(t, false, 512, now),
			  now + 4000 * MS);
	l.of[THROTTLE_IOPS].rate = 100;
	throttle_set(t, &l);
	ck_assert_uint_le(began(t, false, 512, now + 1000 * MS), 111);
	l.of[THROTTLE_IOPS].rate = 0;
	throttle_set(t, &l);
	ck_assert_uint_eq(throttle_reserve(t, false, 1 << 20, now), 0);
	throttle_free(t);
}
END_TEST

/* --- a queue ---------------------------------------------------------------------- */

#define DISK_BYTES (1u << 20)
#define MANY       300u /* more than a queue's depth */

static struct throttle *throttle;
static struct block *disk;
static struct block_queue *q;
static struct user_io ios[MANY];
static uint8_t data[512];

static void setup_limits(enum throttle_limit_index index, uint64_t rate)
{
	struct throttle_limits l = {0};

	l.of[index].rate = rate;
	throttle = throttle_new(&l);
	block_set_throttle(disk, throttle);
}

static void setup_queue(enum throttle_limit_index index, uint64_t rate)
{
	disk = block_ram_new(DISK_BYTES, 512);
	setup_limits(index, rate);
	q = user_queue(disk);
}

static void teardown_queue(void)
{
	block_queue_free(q);
	block_free(disk);
	throttle_free(throttle);
}

static void submit(unsigned int i, enum block_op op)
{
	bool has_data = op == BLOCK_READ || op == BLOCK_WRITE;

	user_prepare(&ios[i], op, 0, has_data ? data : NULL, 512);
	block_queue_submit(q, &ios[i].io);
}

START_TEST(queue_keeps_the_rate)
{
	uint64_t start = clock_monotonic_ns(), ns;

	setup_queue(THROTTLE_IOPS, 2000);
	for (unsigned int i = 0; i < MANY; i++)
		submit(i, BLOCK_READ);
	ck_assert_uint_eq(block_queue_in_flight(q), MANY);
	block_queue_kick(q);
	user_drain(q);
	ns = clock_monotonic_ns() - start;
	/* 200 at once, and 100 at 2000 a second. */
	ck_assert_uint_ge(ns, 49 * MS);
	for (unsigned int i = 0; i < MANY; i++) {
		ck_assert_uint_eq(ios[i].n_done, 1);
		ck_assert_int_eq(ios[i].result, 0);
	}
	/* And the descriptor is quiet again. */
	ck_assert(!user_poll(q, 0));
	teardown_queue();
}
END_TEST

START_TEST(descriptor_stands_for_both)
{
	setup_queue(THROTTLE_IOPS_READ, 20);
	for (unsigned int i = 0; i < 4; i++)
		submit(i, BLOCK_READ);
	block_queue_kick(q);
	/* Those that may at once. */
	ck_assert(user_poll(q, 0));
	ck_assert_uint_eq(block_queue_reap(q), 3);
	ck_assert_uint_eq(ios[3].n_done, 0);
	ck_assert(!user_poll(q, 0));
	/* A timer, and then the back end. */
	user_drain(q);
	ck_assert_uint_eq(ios[3].n_done, 1);
	teardown_queue();
}
END_TEST

START_TEST(others_do_not_wait)
{
	static const enum block_op ops[] = {BLOCK_READ, BLOCK_FLUSH,
					    BLOCK_DISCARD, BLOCK_EXTENT};

	setup_queue(THROTTLE_IOPS_WRITE, 1);
	submit(0, BLOCK_WRITE);
	submit(1, BLOCK_ZERO);
	submit(2, BLOCK_WRITE);
	submit(3, ops[_i]);
	block_queue_kick(q);
	block_queue_reap(q);
	ck_assert_uint_eq(ios[0].n_done, 1);
	ck_assert_uint_eq(ios[1].n_done, 0);
	ck_assert_uint_eq(ios[2].n_done, 0);
	ck_assert_uint_eq(ios[3].n_done, 1);
	block_queue_drain(q, true);
	user_drain(q);
	teardown_queue();
}
END_TEST

START_TEST(drained_is_not_delayed)
{
	setup_queue(THROTTLE_BPS, 1);
	for (unsigned int i = 0; i < MANY; i++)
		submit(i, i % 2 ? BLOCK_WRITE : BLOCK_READ);
	block_queue_kick(q);
	block_queue_reap(q);
	ck_assert_uint_eq(block_queue_in_flight(q), MANY - 1);
	block_queue_drain(q, true);
	user_drain(q);
	submit(0, BLOCK_READ);
	block_queue_kick(q);
	user_drain(q);
	block_queue_drain(q, false);
	submit(0, BLOCK_READ);
	block_queue_kick(q);
	ck_assert_uint_eq(block_queue_reap(q), 0);
	block_queue_drain(q, true);
	user_drain(q);
	teardown_queue();
}
END_TEST

/* A queue has the limits that there were when it was made. */
START_TEST(limits_may_come_later)
{
	disk = block_ram_new(DISK_BYTES, 512);
	q = user_queue(disk);
	setup_limits(THROTTLE_IOPS_WRITE, 1);
	submit(0, BLOCK_WRITE);
	submit(1, BLOCK_WRITE);
	block_queue_kick(q);
	user_drain(q);
	block_queue_free(q);
	q = user_queue(disk);
	submit(0, BLOCK_WRITE);
	submit(1, BLOCK_WRITE);
	block_queue_kick(q);
	block_queue_reap(q);
	ck_assert_uint_eq(block_queue_in_flight(q), 1);
	block_queue_drain(q, true);
	user_drain(q);
	teardown_queue();
}
END_TEST

START_TEST(a_group_shares)
{
	struct block *other;
	struct block_queue *others;
	struct user_io u;

	setup_queue(THROTTLE_IOPS, 20);
	other = block_ram_new(DISK_BYTES, 512);
	block_set_throttle(other, throttle);
	others = user_queue(other);
	for (unsigned int i = 0; i < 3; i++)
		submit(i, BLOCK_READ);
	user_prepare(&u, BLOCK_READ, 0, data, 512);
	block_queue_submit(others, &u.io);
	block_queue_kick(others);
	ck_assert_uint_eq(block_queue_reap(others), 0);
	block_queue_kick(q);
	user_drain(q);
	user_drain(others);
	ck_assert_uint_eq(u.n_done, 1);
	block_queue_free(others);
	block_free(other);
	teardown_queue();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices/block/throttle");
	TCase *tc = tcase_create("throttle");

	tcase_add_loop_test(tc, rate_is_kept, 0, G_N_ELEMENTS(rates));
	tcase_add_loop_test(tc, other_direction_is_free, 0,
			    G_N_ELEMENTS(unconcerned));
	tcase_add_test(tc, strictest_counts);
	tcase_add_test(tc, time_makes_room);
	tcase_add_test(tc, extremes_are_bounded);
	tcase_add_test(tc, none_is_none);
	tcase_add_test(tc, other_limits_from_now_on);
	tcase_add_test(tc, queue_keeps_the_rate);
	tcase_add_test(tc, descriptor_stands_for_both);
	tcase_add_loop_test(tc, others_do_not_wait, 0, 4);
	tcase_add_test(tc, drained_is_not_delayed);
	tcase_add_test(tc, limits_may_come_later);
	tcase_add_test(tc, a_group_shares);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
