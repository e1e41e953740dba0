/* SPDX-License-Identifier: MIT */
#include "synic/ref_time.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <glib.h>

#include "base/clock.h"
#include "proto/hv_synic.h"
#include "support/check_main.h"
#include "support/fake_clock.h"
#include "support/random.h"

#define GHZ 1000000000ull

static struct fake_clock fake;

static struct ref_time *new_rt(uint64_t hz, int64_t offset, bool use_tsc)
{
	struct ref_clock clock = fake_clock_ref(&fake);

	return ref_time_new(&clock, hz, offset, use_tsc);
}

static void setup(void)
{
	fake = (struct fake_clock){.tsc = 123456789, .ns = 987654321};
}

/* High half of a product, the way it is done on paper. */
static uint64_t horrible_mulhi(uint64_t a, uint64_t b)
{
	uint64_t al = a & 0xFFFFFFFF, ah = a >> 32;
	uint64_t bl = b & 0xFFFFFFFF, bh = b >> 32;
	uint64_t mid = ah * bl + ((al * bl) >> 32);
	uint64_t mid2 = al * bh + (mid & 0xFFFFFFFF);

	return ah * bh + (mid >> 32) + (mid2 >> 32);
}

/* floor(10^7 * 2^64 / hz), bit by bit. */
static uint64_t horrible_scale(uint64_t hz)
{
	uint64_t rest = REF_TIME_PER_SEC, scale = 0;

	for (int bit = 0; bit < 64; bit++) {
		rest <<= 1;
		scale <<= 1;
		if (rest >= hz) {
			rest -= hz;
			scale |= 1;
		}
	}
	return scale;
}

/* What a guest computes from the page for this guest TSC. */
static uint64_t page_time(const struct ref_time *rt, uint64_t guest_tsc)
{
	struct ms_hyperv_tsc_page page;

	ref_time_tsc_page(rt, &page);
	ck_assert_uint_ne(page.tsc_sequence, 0);
	return horrible_mulhi(guest_tsc, page.tsc_scale) +
	       (uint64_t)page.tsc_offset;
}

START_TEST(scale_is_the_floor)
{
	static const uint64_t hz[] = {10000001,       33333333,   GHZ,
				      2100000000,     2893299000, 5700000001,
				      UINT64_MAX >> 1};

	for (unsigned int i = 0; i < G_N_ELEMENTS(hz); i++) {
		struct ref_time *rt = new_rt(hz[i], 0, true);
		struct ms_hyperv_tsc_page page;

		ref_time_tsc_page(rt, &page);
		ck_assert_uint_eq(page.tsc_scale, horrible_scale(hz[i]));
		ck_assert_uint_eq(ref_time_tsc_hz(rt), hz[i]);
		ref_time_free(rt);
	}
}
END_TEST

START_TEST(register_and_page_agree_on_any_tsc)
{
	for (int i = 0; i < 5000; i++) {
		uint64_t hz = REF_TIME_PER_SEC + 1 + random_u64() % (8 * GHZ);
		uint64_t offset = random_u64(), last = 0;
		struct ref_time *rt;

		fake.tsc = random_u64() >> (random_u64() % 64);
		/* Keep the guest's TSC from wrapping while we look. */
		if (fake.tsc + offset > UINT64_MAX / 2)
			offset -= UINT64_MAX / 2 + 1;
		rt = new_rt(hz, (int64_t)offset, true);
		ck_assert_uint_eq(ref_time_now(rt), 0);
		for (int k = 0; k < 8; k++) {
			uint64_t now;

			fake.tsc += random_u64() >> (4 + random_u64() % 60);
			if (fake.tsc + offset > UINT64_MAX / 2)
				break;
			now = ref_time_now(rt);
			ck_assert_uint_eq(now,
					  page_time(rt, fake.tsc + offset));
			ck_assert_uint_ge(now, last);
			last = now;
		}
		ref_time_free(rt);
	}
}
END_TEST

START_TEST(a_second_is_ten_million)
{
	struct ref_time *rt = new_rt(3 * GHZ, -5000, true);

	fake.tsc += 3 * GHZ;
	/* The scale is rounded down: at most one unit short. */
	ck_assert_uint_ge(ref_time_now(rt), REF_TIME_PER_SEC - 1);
	ck_assert_uint_le(ref_time_now(rt), REF_TIME_PER_SEC);
	ref_time_free(rt);
}
END_TEST

START_TEST(unreliable_tsc_counts_by_the_clock)
{
	struct ref_time *rt = new_rt(3 * GHZ, 0, false);
	struct ms_hyperv_tsc_page page;

	ref_time_tsc_page(rt, &page);
	ck_assert_uint_eq(page.tsc_sequence, HV_REFERENCE_TSC_SEQUENCE_INVALID);
	ck_assert_uint_eq(ref_time_now(rt), 0);
	fake.tsc += 12345678;
	ck_assert_uint_eq(ref_time_now(rt), 0);
	fake.ns += 2 * NSEC_PER_SEC + 99;
	ck_assert_uint_eq(ref_time_now(rt), 2 * REF_TIME_PER_SEC);
	fake.ns += 1;
	ck_assert_uint_eq(ref_time_now(rt), 2 * REF_TIME_PER_SEC + 1);
	ref_time_free(rt);
}
END_TEST

START_TEST(tsc_too_slow_for_a_scale)
{
	struct ref_time *rt = new_rt(REF_TIME_PER_SEC, 0, true);
	struct ms_hyperv_tsc_page page;

	ref_time_tsc_page(rt, &page);
	ck_assert_uint_eq(page.tsc_sequence, 0);
	fake.ns += 700;
	ck_assert_uint_eq(ref_time_now(rt), 7);
	ref_time_free(rt);
}
END_TEST

START_TEST(restart_counts_from_zero)
{
	struct ref_time *rt = new_rt(3 * GHZ, 77, _i);
	struct ms_hyperv_tsc_page before, after;

	ref_time_tsc_page(rt, &before);
	fake.tsc += 3 * GHZ;
	fake.ns += NSEC_PER_SEC;
	ref_time_freeze(rt);
	ref_time_restart(rt);
	ck_assert_uint_eq(ref_time_now(rt), 0);
	fake.tsc += 3000;
	fake.ns += 1000;
	ck_assert_uint_ge(ref_time_now(rt), 9);
	ref_time_tsc_page(rt, &after);
	if (_i)
		ck_assert_uint_ne(before.tsc_sequence, after.tsc_sequence);
	ref_time_free(rt);
}
END_TEST

START_TEST(stands_still_while_frozen)
{
	struct ref_time *rt = new_rt(3 * GHZ, 77, _i);
	uint64_t at;

	fake.tsc += GHZ;
	fake.ns += NSEC_PER_SEC / 3;
	ref_time_freeze(rt);
	at = ref_time_now(rt);
	ck_assert_uint_gt(at, 3000000);
	fake.tsc += 7 * GHZ;
	fake.ns += 7 * NSEC_PER_SEC / 3;
	ref_time_freeze(rt);
	ck_assert_uint_eq(ref_time_now(rt), at);
	ck_assert_uint_eq(ref_time_to_monotonic_ns(rt, at + 1), REF_TIME_NEVER);

	ref_time_thaw(rt, 77 - (int64_t)(7 * GHZ));
	ck_assert_uint_eq(ref_time_now(rt), at);
	fake.tsc += 3000;
	fake.ns += 1000;
	ck_assert_uint_ge(ref_time_now(rt), at + 9);
	ck_assert_uint_le(ref_time_now(rt), at + 10);
	ref_time_free(rt);
}
END_TEST

START_TEST(jumps_while_frozen)
{
	struct ref_time *rt = new_rt(3 * GHZ, 77, _i);
	uint64_t at;

	fake.tsc += GHZ;
	fake.ns += NSEC_PER_SEC / 3;
	ref_time_freeze(rt);
	at = ref_time_now(rt);
	ref_time_jump(rt, 5000);
	ck_assert_uint_eq(ref_time_now(rt), at + 5000);
	ref_time_jump(rt, -7000);
	ck_assert_uint_eq(ref_time_now(rt), at - 2000);
	ref_time_thaw(rt, 12345);
	ck_assert_uint_eq(ref_time_now(rt), at - 2000);
	ref_time_freeze(rt);
	ref_time_jump(rt, INT64_MIN / 2);
	ck_assert_uint_eq(ref_time_now(rt), 0);
	ref_time_free(rt);
}
END_TEST

START_TEST(page_after_thaw_uses_the_new_offset)
{
	struct ref_time *rt = new_rt(3 * GHZ, 1000, true);
	struct ms_hyperv_tsc_page before, after;

	ref_time_tsc_page(rt, &before);
	fake.tsc += GHZ;
	ref_time_freeze(rt);
	fake.tsc += GHZ;
	ref_time_thaw(rt, 1000 - (int64_t)GHZ);
	ref_time_tsc_page(rt, &after);
	ck_assert_uint_ne(before.tsc_sequence, after.tsc_sequence);
	for (int i = 0; i < 100; i++) {
		fake.tsc += random_u64() % GHZ;
		ck_assert_uint_eq(ref_time_now(rt),
				  page_time(rt, fake.tsc + 1000 - GHZ));
	}
	ref_time_free(rt);
}
END_TEST

/* However far the caller's idea of the pause is off, time does not go back. */
START_TEST(thaw_with_any_offset_is_continuous)
{
	struct ref_time *rt = new_rt(3 * GHZ, 0, true);
	uint64_t last = 0;

	for (int i = 0; i < 200; i++) {
		fake.tsc += random_u64() % GHZ;
		ref_time_freeze(rt);
		ck_assert_uint_ge(ref_time_now(rt), last);
		last = ref_time_now(rt);
		fake.tsc += random_u64() % GHZ;
		ref_time_thaw(rt, (int64_t)random_u64());
		ck_assert_uint_eq(ref_time_now(rt), last);
	}
	ref_time_free(rt);
}
END_TEST

START_TEST(moving_the_tsc_keeps_the_time)
{
	struct ref_time *rt = new_rt(3 * GHZ, 0, true);
	uint64_t now;

	fake.tsc += GHZ;
	now = ref_time_now(rt);
	ref_time_set_tsc_offset(rt, -(int64_t)fake.tsc);
	ck_assert_uint_eq(ref_time_now(rt), now);
	ck_assert_uint_eq(page_time(rt, 0), now);
	ref_time_freeze(rt);
	ref_time_set_tsc_offset(rt, 5);
	fake.tsc += GHZ;
	ck_assert_uint_eq(ref_time_now(rt), now);
	ref_time_free(rt);
}
END_TEST

START_TEST(sequence_skips_the_invalid_ones)
{
	struct ref_time *rt = new_rt(3 * GHZ, 0, true);
	struct ms_hyperv_tsc_page page;
	uint32_t last = 0;

	for (int i = 0; i < 1000; i++) {
		ref_time_tsc_page(rt, &page);
		ck_assert_uint_ne(page.tsc_sequence, 0);
		ck_assert_uint_ne(page.tsc_sequence, 0xFFFFFFFF);
		ck_assert_uint_ne(page.tsc_sequence, last);
		last = page.tsc_sequence;
		ref_time_restart(rt);
	}
	ref_time_free(rt);
}
END_TEST

START_TEST(written_page_is_the_page)
{
	struct ref_time *rt = new_rt(3 * GHZ, 42, _i);
	struct ms_hyperv_tsc_page page;
	uint64_t shared[512];

	memset(shared, 0xAA, sizeof(shared));
	shared[0] = 0;
	ref_time_write_page(rt, shared);
	ref_time_tsc_page(rt, &page);
	ck_assert_mem_eq(shared, &page, sizeof(page));
	ck_assert_uint_eq(shared[3], 0xAAAAAAAAAAAAAAAA);
	ref_time_free(rt);
}
END_TEST

/* At the moment it names the time has come, a ns before it had not. */
START_TEST(monotonic_moment_is_exact)
{
	uint64_t hz = _i ? GHZ : 3 * GHZ;
	struct ref_time *rt = new_rt(hz, 12345, true);
	const struct fake_clock start = fake;

	for (int i = 0; i < 2000; i++) {
		uint64_t ref, at;

		fake = start;
		fake.ns += random_u64() % NSEC_PER_SEC;
		fake.tsc += (fake.ns - start.ns) * (hz / GHZ);
		ref = ref_time_now(rt) + 1 + random_u64() % 100000000;
		at = ref_time_to_monotonic_ns(rt, ref);
		fake.tsc += (at - fake.ns) * (hz / GHZ) + 1;
		ck_assert_uint_eq(ref_time_now(rt), ref);
		fake.tsc -= hz / GHZ + 1;
		ck_assert_uint_lt(ref_time_now(rt), ref);
	}
	ref_time_free(rt);
}
END_TEST

START_TEST(monotonic_moment_by_the_clock)
{
	struct ref_time *rt = new_rt(3 * GHZ, 0, false);
	uint64_t start = fake.ns;

	fake.ns += 1234;
	ck_assert_uint_eq(ref_time_to_monotonic_ns(rt, 100), start + 10000);
	ref_time_free(rt);
}
END_TEST

START_TEST(monotonic_moment_of_past_and_never)
{
	struct ref_time *rt = new_rt(3 * GHZ, 0, _i);

	fake.tsc += GHZ;
	fake.ns += NSEC_PER_SEC / 3;
	ck_assert_uint_eq(ref_time_to_monotonic_ns(rt, 0), fake.ns);
	ck_assert_uint_eq(ref_time_to_monotonic_ns(rt, ref_time_now(rt)),
			  fake.ns);
	ck_assert_uint_eq(ref_time_to_monotonic_ns(rt, UINT64_MAX),
			  REF_TIME_NEVER);
	ck_assert_uint_eq(ref_time_to_monotonic_ns(rt, UINT64_MAX / 100),
			  REF_TIME_NEVER);
	ck_assert_uint_ne(ref_time_to_monotonic_ns(rt, UINT64_MAX / 200),
			  REF_TIME_NEVER);
	ref_time_free(rt);
}
END_TEST

static atomic_bool stop_reading;

static void *reader(void *arg)
{
	const struct ref_time *rt = arg;
	uint64_t last = 0, wrong = 0;

	while (!stop_reading) {
		uint64_t now = ref_time_now(rt);

		wrong += now < last;
		last = now;
	}
	return GUINT_TO_POINTER((guint)wrong);
}

START_TEST(readers_race_with_a_writer)
{
	struct ref_time *rt = ref_time_new(&ref_clock_host, 2 * GHZ, 0, true);
	pthread_t thread;
	void *wrong;

	stop_reading = false;
	ck_assert_int_eq(pthread_create(&thread, NULL, reader, rt), 0);
	for (int i = 0; i < 20000; i++) {
		ref_time_freeze(rt);
		ref_time_thaw(rt, i * INT64_C(1000000));
	}
	stop_reading = true;
	pthread_join(thread, &wrong);
	ck_assert_ptr_null(wrong);
	ref_time_free(rt);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("synic/ref_time");
	TCase *t = tcase_create("ref_time");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, scale_is_the_floor);
	tcase_add_test(t, register_and_page_agree_on_any_tsc);
	tcase_add_test(t, a_second_is_ten_million);
	tcase_add_test(t, unreliable_tsc_counts_by_the_clock);
	tcase_add_test(t, tsc_too_slow_for_a_scale);
	tcase_add_loop_test(t, restart_counts_from_zero, 0, 2);
	tcase_add_loop_test(t, stands_still_while_frozen, 0, 2);
	tcase_add_loop_test(t, jumps_while_frozen, 0, 2);
	tcase_add_test(t, page_after_thaw_uses_the_new_offset);
	tcase_add_test(t, thaw_with_any_offset_is_continuous);
	tcase_add_test(t, moving_the_tsc_keeps_the_time);
	tcase_add_test(t, sequence_skips_the_invalid_ones);
	tcase_add_loop_test(t, written_page_is_the_page, 0, 2);
	tcase_add_loop_test(t, monotonic_moment_is_exact, 0, 2);
	tcase_add_test(t, monotonic_moment_by_the_clock);
	tcase_add_loop_test(t, monotonic_moment_of_past_and_never, 0, 2);
	tcase_add_test(t, readers_race_with_a_writer);
	suite_add_tcase(s, t);
	return check_main(s);
}
