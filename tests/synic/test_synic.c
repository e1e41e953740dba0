/* SPDX-License-Identifier: MIT */
#include "synic/synic.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include <glib.h>

#include "support/random.h"
#include "support/synic_bench.h"
#include "support/turns.h"

/* --- registers --------------------------------------------------------- */

START_TEST(owned_msrs)
{
	for (uint32_t msr = 0x40000000; msr <= 0x40001FFF; msr++)
		ck_assert_msg(
			synic_owns_msr(msr) ==
				((msr >= 0x40000080 && msr <= 0x40000084) ||
				 (msr >= 0x40000090 && msr <= 0x4000009F) ||
				 (msr >= 0x400000B0 && msr <= 0x400000B7)),
			"MSR 0x%x", msr);
}
END_TEST

static void check_power_on(uint32_t vp)
{
	ck_assert_uint_eq(rd(vp, SCONTROL), 0);
	ck_assert_uint_eq(rd(vp, HV_X64_MSR_SVERSION), 1);
	ck_assert_uint_eq(rd(vp, SIMP), 0);
	ck_assert_uint_eq(rd(vp, SIEFP), 0);
	ck_assert_uint_eq(rd(vp, EOM), 0);
	for (unsigned int i = 0; i < 16; i++)
		ck_assert_uint_eq(rd(vp, SINT(i)), 0x10000);
	for (unsigned int i = 0; i < 4; i++) {
		ck_assert_uint_eq(rd(vp, CONFIG(i)), 0);
		ck_assert_uint_eq(rd(vp, COUNT(i)), 0);
	}
}

START_TEST(power_on_values)
{
	for (uint32_t vp = 0; vp < FAKE_VPS; vp++)
		check_power_on(vp);
	ck_assert_uint_eq(synic_next_deadline(synic), UINT64_MAX);
}
END_TEST

static const struct {
	const char *what;
	uint32_t msr;
	int err;
	uint64_t value;
	uint64_t reads; /* afterwards */
} writes[] = {
	{"SCONTROL on", SCONTROL, 0, 1, 1},
	{"SCONTROL keeps RsvdP bits", SCONTROL, 0, ~1ull, ~1ull},
	{"SVERSION is read-only", HV_X64_MSR_SVERSION, -EINVAL, 1, 1},
	{"SVERSION is read-only, 0 too", HV_X64_MSR_SVERSION, -EINVAL, 0, 1},
	{"SIMP keeps bits 11:1", SIMP, 0, 0x8FFE, 0x8FFE},
	{"SIMP on", SIMP, 0, 0x8001, 0x8001},
	{"SIEFP on, RsvdP bits set", SIEFP, 0, 0x9FFF, 0x9FFF},
	{"SIMP beyond RAM", SIMP, 0, 0x7000000001, 0x7000000001},
	{"SIMP beyond the GPA space", SIMP, 0, MAX_GPA | 1, MAX_GPA | 1},
	{"SIMP at the end of all", SIMP, 0, ~0ull, ~0ull},
	{"SIEFP at the end of all", SIEFP, 0, ~0ull, ~0ull},
	{"EOM is a trigger", EOM, 0, 0, 0},
	{"EOM whatever is written", EOM, 0, ~0ull, 0},
	{"SINT with the least vector", SINT(0), 0, 16, 16},
	{"SINT with the last vector", SINT(15), 0, 255, 255},
	{"SINT vector 15", SINT(2), -EINVAL, 15, MASKED},
	{"SINT vector 0", SINT(2), -EINVAL, 0, MASKED},
	{"SINT polling with vector 0", SINT(2), -EINVAL, POLLING, MASKED},
	{"SINT masked may have vector 0", SINT(2), 0, MASKED, MASKED},
	{"SINT masked may have vector 15", SINT(2), 0, MASKED | 15,
	 MASKED | 15},
	{"SINT with AutoEOI", SINT(3), 0, 0x50 | AUTO_EOI, 0x50 | AUTO_EOI},
	{"SINT keeps RsvdP bits", SINT(4), 0, 0xFFFFFFFFFFF8FF50,
	 0xFFFFFFFFFFF8FF50},
	{"STIMER config", CONFIG(0), 0, 0x20004, 0x20004},
	{"STIMER direct", CONFIG(1), 0, DIRECT(0xEDull), DIRECT(0xEDull)},
	{"STIMER reserved bit 13", CONFIG(1), -EINVAL, 1 << 13, 0},
	{"STIMER reserved bit 20", CONFIG(2), -EINVAL, 1 << 20, 0},
	{"STIMER reserved bit 63", CONFIG(3), -EINVAL, 1ull << 63, 0},
	{"STIMER on with SINT 0", CONFIG(0), 0, 1, 0},
	{"STIMER count", COUNT(3), 0, 0x123456789ABCDEF, 0x123456789ABCDEF},
};

START_TEST(write_rules)
{
	ck_assert_msg(synic_msr_write(synic, 1, writes[_i].msr,
				      writes[_i].value) == writes[_i].err,
		      "%s", writes[_i].what);
	ck_assert_msg(rd(1, writes[_i].msr) == writes[_i].reads,
		      "%s: reads 0x%lx", writes[_i].what,
		      rd(1, writes[_i].msr));
	/* Nobody else's. */
	check_power_on(0);
}
END_TEST

START_TEST(not_ours)
{
	uint64_t value;

	ck_assert_int_eq(synic_msr_read(synic, 0, 0x40000085, &value), -EINVAL);
	ck_assert_int_eq(synic_msr_write(synic, 0, 0x400000B8, 0), -EINVAL);
	ck_assert_int_eq(synic_msr_read(synic, FAKE_VPS, SCONTROL, &value),
			 -EINVAL);
	ck_assert_int_eq(synic_msr_write(synic, FAKE_VPS, SCONTROL, 1),
			 -EINVAL);
	ck_assert_int_eq(synic_msr_write(synic, UINT32_MAX, SCONTROL, 1),
			 -EINVAL);
}
END_TEST

static void setup_old(void)
{
	setup_with(false, false);
}

START_TEST(no_direct_timers_in_old_profiles)
{
	ck_assert_int_eq(synic_msr_write(synic, 0, CONFIG(0), DIRECT(0xEDull)),
			 -EINVAL);
	ck_assert_uint_eq(rd(0, CONFIG(0)), 0);
}
END_TEST

/* --- pages --------------------------------------------------------------- */

START_TEST(pages_cover_ram_and_keep_their_contents)
{
	uint8_t *ram = gmem_load(mem, simp_gpa(0), PAGE);

	ram[5] = 0x11;
	wr(0, SIMP, simp_gpa(0) | 1);
	ck_assert_uint_eq(ram[5], 0);
	ram[5] = 0x22;
	wr(0, SIMP, simp_gpa(0));
	ck_assert_uint_eq(ram[5], 0x11);
	/* Shown elsewhere it is the page that the guest left. */
	wr(0, SIMP, 3 * PAGE | 1);
	ck_assert_uint_eq(*(uint8_t *)gmem_load(mem, 3 * PAGE + 5, 1), 0x22);
	wr(0, SIMP, simp_gpa(0) | 1);
	ck_assert_uint_eq(ram[5], 0x22);
	synic_reset(synic);
	ck_assert_uint_eq(ram[5], 0x11);
	wr(0, SIMP, simp_gpa(0) | 1);
	ck_assert_uint_eq(ram[5], 0);
}
END_TEST

START_TEST(unseen_page_still_takes_messages)
{
	enable(0);
	wr(0, SIMP, MAX_GPA | 1);
	ck_assert_int_eq(post(0, 2, 7), 0);
	ck_assert_uint_eq(fake_vps_take(&vps, 0, VECTOR), 1);
	wr(0, SIMP, simp_gpa(0) | 1);
	ck_assert_uint_eq(receive(0, 2), 7);
}
END_TEST

START_TEST(each_vp_has_its_own)
{
	enable(0);
	enable(1);
	ck_assert_int_eq(post(0, 2, 10), 0);
	ck_assert_int_eq(post(1, 2, 11), 0);
	ck_assert_int_eq(synic_event_set(synic, 1, 2, 5), 1);
	ck_assert_uint_eq(receive(0, 2), 10);
	ck_assert_uint_eq(receive(1, 2), 11);
	ck_assert_uint_eq(fake_vps_take(&vps, 0, VECTOR), 1);
	ck_assert_uint_eq(fake_vps_take(&vps, 1, VECTOR), 2);
	ck_assert(!guest_event_take(events(0), 2, 5));
	ck_assert(guest_event_take(events(1), 2, 5));
}
END_TEST

/* --- reset ------------------------------------------------------------------ */

START_TEST(reset_forgets_everything)
{
	enable(0);
	for (uint64_t n = 0; n < 10; n++)
		ck_assert_int_eq(post(0, 2, n), 0);
	ck_assert_int_eq(synic_event_set(synic, 0, 2, 77), 1);
	wr(0, COUNT(0), 1);
	wr(0, CONFIG(0), EN | TO_SINT(2));
	wr(0, CONFIG(1), HV_STIMER_AUTO_ENABLE | DIRECT(0x80ull));
	wr(0, COUNT(1), 5 * MS);
	synic_reset(synic);
	for (uint32_t vp = 0; vp < FAKE_VPS; vp++)
		check_power_on(vp);
	ck_assert_uint_eq(synic_next_deadline(synic), UINT64_MAX);
	fake_vps_take(&vps, 0, VECTOR);
	enable(0);
	ck_assert_uint_eq(receive(0, 2), ~0ull);
	ck_assert(!guest_event_take(events(0), 2, 77));
	ck_assert_uint_eq(fake_vps_take(&vps, 0, VECTOR), 0);
	ck_assert_int_eq(post(0, 2, 3), 0);
	ck_assert_uint_eq(receive(0, 2), 3);
}
END_TEST

/* --- everything at once ------------------------------------------------------ */

START_TEST(hostile_writes_break_nothing)
{
	uint64_t now = 0;

	for (int i = 0; i < 200000; i++) {
		uint64_t r = random_u64(), value = random_u64();
		uint32_t vp = (uint32_t)(r % FAKE_VPS);
		uint32_t msr = SCONTROL + (uint32_t)((r >> 8) % 0x38);

		value >>= (r >> 16) % 64;
		if ((r >> 24) % 4 == 0)
			value = now + value % (10 * MS);
		switch ((r >> 32) % 8) {
		case 0:
			post(vp, (r >> 40) % 16, value);
			break;
		case 1:
			synic_event_set(synic, vp, (r >> 40) % 16,
					(r >> 44) % 2048);
			break;
		case 2:
			now += (r >> 40) % (2 * MS);
			advance_to(now);
			synic_run_timers(synic);
			ck_assert_uint_gt(synic_next_deadline(synic), now);
			break;
		default:
			synic_msr_write(synic, vp, msr, value);
		}
	}
	/* It all still works. */
	for (uint32_t vp = 0; vp < FAKE_VPS; vp++)
		for (unsigned int i = 0; i < 4; i++)
			wr(vp, CONFIG(i), 0);
	synic_reset(synic);
	fake_vps_take(&vps, 0, VECTOR);
	enable(0);
	ck_assert_int_eq(post(0, 2, 1), 0);
	ck_assert_uint_eq(receive(0, 2), 1);
	ck_assert_uint_eq(fake_vps_take(&vps, 0, VECTOR), 1);
}
END_TEST

#define N_POSTS  5000
#define N_EVENTS 20000

static _Atomic unsigned int events_newly_set;

static void *posting(void *arg)
{
	(void)arg;
	for (uint64_t n = 0; n < N_POSTS; n++)
		while (post(0, 2, n) == -EAGAIN)
			give_way();
	return NULL;
}

static void *signalling(void *arg)
{
	(void)arg;
	for (unsigned int n = 0; n < N_EVENTS; n++)
		events_newly_set += synic_event_set(synic, 0, 2, n % 2048) == 1;
	return NULL;
}

static void *timing(void *arg)
{
	_Atomic bool *stop = arg;

	while (!*stop) {
		synic_run_timers(synic);
		give_way();
	}
	return NULL;
}

/* A vCPU that takes messages and flags while others send them. */
START_TEST(threads)
{
	struct ref_time *real = ref_time_new(&ref_clock_host, TSC_HZ, 0, false);
	struct synic_params params = {.n_vps = 1,
				      .ops = &fake_vps_ops,
				      .ctx = &vps,
				      .mem = mem,
				      .ref_time = real,
				      .direct_timers = true,
				      .max_gpa = MAX_GPA};
	unsigned int events_taken = 0;
	_Atomic bool stop = false;
	pthread_t thread[3];
	uint64_t expected = 0;

	synic_free(synic);
	overlay_space_free(space);
	space = overlay_space_new(mem, synic_overlays_needed(1), NULL);
	params.overlays = space;
	synic = synic_new(&params);
	enable(0);
	wr(0, CONFIG(0), HV_STIMER_AUTO_ENABLE | DIRECT(0x80ull));
	pthread_create(&thread[0], NULL, posting, NULL);
	pthread_create(&thread[1], NULL, signalling, NULL);
	pthread_create(&thread[2], NULL, timing, &stop);
	for (unsigned int n = 0; expected < N_POSTS; n++) {
		uint64_t number = receive(0, 2);

		if (number != ~0ull)
			ck_assert_uint_eq(number, expected++);
		events_taken += guest_event_take(events(0), 2, n % 2048);
		wr(0, COUNT(0), ref_time_now(real) + n % 100);
		if (number == ~0ull)
			give_way();
	}
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	stop = true;
	pthread_join(thread[2], NULL);
	for (unsigned int n = 0; n < 2048; n++)
		events_taken += guest_event_take(events(0), 2, n);
	ck_assert_uint_eq(events_taken, events_newly_set);
	ref_time_free(rt);
	rt = real;
}
END_TEST

static void add_registers(Suite *s)
{
	TCase *t = tcase_create("registers"), *old = tcase_create("old");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, owned_msrs);
	tcase_add_test(t, power_on_values);
	tcase_add_loop_test(t, write_rules, 0, G_N_ELEMENTS(writes));
	tcase_add_test(t, not_ours);
	tcase_add_test(t, pages_cover_ram_and_keep_their_contents);
	tcase_add_test(t, unseen_page_still_takes_messages);
	tcase_add_test(t, each_vp_has_its_own);
	tcase_add_test(t, reset_forgets_everything);
	suite_add_tcase(s, t);

	tcase_add_checked_fixture(old, setup_old, teardown);
	tcase_add_test(old, no_direct_timers_in_old_profiles);
	suite_add_tcase(s, old);
}

static void add_everything(Suite *s)
{
	TCase *t = tcase_create("everything");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, hostile_writes_break_nothing);
	tcase_add_test(t, threads);
	suite_add_tcase(s, t);
}

int main(void)
{
	Suite *s = suite_create("synic/synic");

	add_registers(s);
	add_everything(s);
	return check_main(s);
}
