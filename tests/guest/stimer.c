/* SPDX-License-Identifier: MIT */
/*
 * stimer.c - synthetic timers: one-shot and periodic, lazy, auto-enabled, by
 * message and by vector, all four, on every processor.
 *
 * How fast a timer is is measured against the reference counter, and one
 * timer against another: never by the clock of a machine that may be slow.
 */
#include "lib/arithmetic.h"
#include "lib/clock.h"
#include "lib/hypercall.h"
#include "lib/reference_time.h"
#include "lib/smp.h"
#include "lib/start.h"
#include "lib/synic.h"
#include "lib/tap.h"
#include "lib/traps.h"

#define VECTOR       0x70
#define DIRECT       0x78
#define SINT         3u
#define MS           10000ull /* in 100 ns */
#define MESSAGE_MODE ((uint64_t)SINT << HV_STIMER_SINTX_SHIFT)
#define DIRECT_MODE \
	(HV_STIMER_DIRECT_MODE | (uint64_t)DIRECT << HV_STIMER_VECTOR_SHIFT)

static bool has_direct;

static uint32_t config_of(unsigned int n)
{
	return HV_X64_MSR_STIMER0_CONFIG + 2 * n;
}

static uint32_t count_of(unsigned int n)
{
	return HV_X64_MSR_STIMER0_COUNT + 2 * n;
}

static void stop(unsigned int n)
{
	wrmsr(count_of(n), 0);
	wrmsr(config_of(n), 0);
	synic_free_slot(SINT);
}

static struct hv_timer_message_payload payload(unsigned int cpu)
{
	struct hv_timer_message_payload p;

	memory_copy(&p, (const void *)synic_slot(cpu, SINT)->payload,
		    sizeof(p));
	return p;
}

static uint32_t message_type(unsigned int cpu)
{
	return synic_slot(cpu, SINT)->header.message_type;
}

/* --- one shot ------------------------------------------------------------------ */

static void check_expired_message(unsigned int n, uint64_t due)
{
	const volatile struct hv_message *slot = synic_slot(0, SINT);
	struct hv_timer_message_payload p = payload(0);

	check_equal(slot->header.message_type, HVMSG_TIMER_EXPIRED,
		    "timer %u: message type", n);
	check_equal(slot->header.payload_size, sizeof(p),
		    "timer %u: message size", n);
	check_equal(p.timer_index, n, "timer %u: its number", n);
	check_equal(p.expiration_time, due, "timer %u: when it was due", n);
	check_between(p.delivery_time, due, reference_counter(),
		      "timer %u: when it was delivered", n);
}

static void test_one_shot(unsigned int n, uint64_t mode, uint8_t vector,
			  const char *what)
{
	uint32_t before = interrupts_of(0, vector);
	uint64_t due;

	wrmsr(config_of(n), mode | HV_STIMER_ENABLE);
	check(rdmsr(config_of(n)) & HV_STIMER_ENABLE,
	      "timer %u, %s: enabled without a count", n, what);
	due = reference_counter() + 20 * MS;
	wrmsr(count_of(n), due);
	check_equal(rdmsr(count_of(n)), due, "timer %u, %s: count", n, what);
	while (reference_counter() < due - 2 * MS) {
		if (interrupts_of(0, vector) != before)
			break;
	}
	check(interrupts_of(0, vector) == before || reference_counter() >= due,
	      "timer %u, %s: not before its time", n, what);
	check(wait_until(interrupts_of(0, vector) == before + 1, SOON_MS),
	      "timer %u, %s: expires", n, what);
	check(reference_counter() >= due, "timer %u, %s: after its time", n,
	      what);
	check(!(rdmsr(config_of(n)) & HV_STIMER_ENABLE),
	      "timer %u, %s: then it is disabled", n, what);
	if (vector == VECTOR)
		check_expired_message(n, due);
	else
		check_equal(message_type(0), HVMSG_NONE,
			    "timer %u, %s: no message", n, what);
	clock_wait_ms(QUIET_MS);
	check_equal(interrupts_of(0, vector), before + 1, "timer %u, %s: once",
		    n, what);
	stop(n);
}

static void test_past(uint64_t mode, uint8_t vector, const char *what)
{
	uint32_t before = interrupts_of(0, vector);

	wrmsr(count_of(0), 1);
	wrmsr(config_of(0), mode | HV_STIMER_ENABLE);
	check(wait_until(interrupts_of(0, vector) == before + 1, SOON_MS),
	      "%s: in the past when it is enabled", what);
	synic_free_slot(SINT);
	wrmsr(config_of(0), mode | HV_STIMER_AUTO_ENABLE);
	wrmsr(count_of(0), reference_counter());
	check(wait_until(interrupts_of(0, vector) == before + 2, SOON_MS),
	      "%s: in the past when it is counted", what);
	stop(0);
}

static void test_auto_enable(uint64_t mode, uint8_t vector, const char *what)
{
	uint32_t before = interrupts_of(0, vector);

	wrmsr(config_of(0), mode);
	wrmsr(count_of(0), reference_counter() + MS);
	check(!(rdmsr(config_of(0)) & HV_STIMER_ENABLE),
	      "%s: a count alone enables nothing", what);
	clock_wait_ms(QUIET_MS);
	check_equal(interrupts_of(0, vector), before, "%s: nor expires", what);
	wrmsr(config_of(0), mode | HV_STIMER_AUTO_ENABLE);
	wrmsr(count_of(0), reference_counter() + 1000000 * MS);
	check(rdmsr(config_of(0)) & HV_STIMER_ENABLE, "%s: auto-enable enables",
	      what);
	wrmsr(count_of(0), 0);
	check(!(rdmsr(config_of(0)) & HV_STIMER_ENABLE), "%s: count 0 disables",
	      what);
	for (uint32_t i = 1; i <= 3; i++) {
		wrmsr(count_of(0), reference_counter() + MS);
		check(wait_until(interrupts_of(0, vector) == before + i,
				 SOON_MS),
		      "%s: auto-enabled again, %u", what, i);
		synic_free_slot(SINT);
	}
	stop(0);
}

/*
 * Set an event and write 0 to @msr before it is due.  If this machine was too
 * busy for that, again.
 *
 * Return: the interrupts before.
 */
static uint32_t take_back(uint64_t mode, uint8_t vector, uint32_t msr)
{
	for (;;) {
		uint32_t before = interrupts_of(0, vector);
		uint64_t due = reference_counter() + 5 * MS;

		wrmsr(config_of(0), mode | HV_STIMER_AUTO_ENABLE);
		wrmsr(count_of(0), due);
		wrmsr(msr, 0);
		if (reference_counter() < due)
			return before;
		clock_wait_ms(QUIET_MS);
		if (synic_slot(0, SINT)->header.message_type)
			synic_free_slot(SINT);
	}
}

/* An event that was set far away and is then moved, or taken back. */
static void test_reprogrammed(uint64_t mode, uint8_t vector, const char *what)
{
	uint32_t before = take_back(mode, vector, count_of(0));

	clock_wait_ms(QUIET_MS);
	check_equal(interrupts_of(0, vector), before, "%s: taken back", what);
	before = take_back(mode, vector, config_of(0));
	clock_wait_ms(QUIET_MS);
	check_equal(interrupts_of(0, vector), before, "%s: disabled", what);
	wrmsr(config_of(0), mode | HV_STIMER_AUTO_ENABLE);
	wrmsr(count_of(0), reference_counter() + 10000000 * MS);
	wrmsr(count_of(0), reference_counter() + MS);
	check(wait_until(interrupts_of(0, vector) == before + 1, SOON_MS),
	      "%s: moved nearer", what);
	stop(0);
}

/* --- periodic -------------------------------------------------------------------- */

#define PERIOD (10 * MS)
#define BEATS  10u

/* Each message is taken out at once, by the interrupt. */
static volatile uint64_t last_expiration, bad_beats;

static void take_message(struct cpu *cpu)
{
	uint64_t now = payload(cpu->index).expiration_time;
	uint32_t off_beat;

	divide(now - last_expiration, PERIOD, &off_beat);
	if (last_expiration && (now <= last_expiration || off_beat))
		bad_beats++;
	last_expiration = now;
	synic_free_slot(SINT);
}

static void test_periodic(uint64_t mode, uint8_t vector, const char *what)
{
	uint32_t before, got;
	uint64_t start, took;

	last_expiration = bad_beats = 0;
	before = interrupts_of(0, vector);
	wrmsr(count_of(0), PERIOD);
	start = reference_counter();
	wrmsr(config_of(0), mode | HV_STIMER_PERIODIC | HV_STIMER_ENABLE);
	check(wait_until(interrupts_of(0, vector) - before >= BEATS, SOON_MS),
	      "%s: goes on", what);
	took = reference_counter() - start;
	got = interrupts_of(0, vector) - before;
	check(took >= BEATS * PERIOD, "%s: not faster than its period", what);
	check(rdmsr(config_of(0)) & HV_STIMER_ENABLE, "%s: stays enabled",
	      what);
	check_equal(rdmsr(count_of(0)), PERIOD, "%s: count stays the period",
		    what);
	check_between(got, 1, divide(took, PERIOD, NULL) + 1,
		      "%s: one per period", what);
	check_equal(bad_beats, 0, "%s: keeps its beat", what);
	wrmsr(count_of(0), 0);
	check(!(rdmsr(config_of(0)) & HV_STIMER_ENABLE), "%s: count 0 stops",
	      what);
	before = interrupts_of(0, vector);
	clock_wait_ms(QUIET_MS);
	check_between(interrupts_of(0, vector) - before, 0, 1,
		      "%s: it is silent then", what);
	stop(0);
}

/*
 * Beats that go by while the slot is busy: a timer makes up for them, a lazy
 * one does not.
 */
#define MISSED 8u

static uint32_t beat = PERIOD;

static void stall(uint64_t bits, const char *what)
{
	uint32_t before = interrupts_of(0, VECTOR);

	trap_set_hook(VECTOR, NULL);
	wrmsr(count_of(0), beat);
	wrmsr(config_of(0),
	      MESSAGE_MODE | bits | HV_STIMER_PERIODIC | HV_STIMER_ENABLE);
	wait_until(interrupts_of(0, VECTOR) != before, SOON_MS);
	clock_wait_ms((uint32_t)(MISSED * beat / MS));
	check_equal(interrupts_of(0, VECTOR), before + 1,
		    "%s: silent while its slot is busy", what);
	trap_set_hook(VECTOR, take_message);
	last_expiration = 0;
}

/* How many more interrupts than beats since @start. */
static int32_t extra(uint64_t start, uint32_t before)
{
	uint64_t beats = divide(reference_counter() - start, beat, NULL);

	return (int32_t)(interrupts_of(0, VECTOR) - before - (uint32_t)beats);
}

/* A machine that is busy may not let it: slower, any of these will do. */
#define ATTEMPTS 5u

static bool makes_up(void)
{
	uint32_t before;
	uint64_t start;
	bool made_up;

	stall(0, "periodic");
	before = interrupts_of(0, VECTOR);
	start = reference_counter();
	synic_free_slot(SINT);
	made_up = wait_until(extra(start, before) >= (int32_t)MISSED / 2,
			     (uint32_t)(6 * MISSED * beat / MS));
	stop(0);
	return made_up;
}

static void test_stalled(void)
{
	bool made_up = false;
	uint32_t before;
	uint64_t start;

	for (unsigned int i = 0; i < ATTEMPTS && !made_up; i++) {
		beat = (uint32_t)PERIOD << i;
		made_up = makes_up();
	}
	beat = PERIOD;
	check(made_up, "periodic: makes up for what was missed");

	stall(HV_STIMER_LAZY, "lazy periodic");
	before = interrupts_of(0, VECTOR);
	start = reference_counter();
	synic_free_slot(SINT);
	check(wait_until(interrupts_of(0, VECTOR) - before >= MISSED, SOON_MS),
	      "lazy periodic: goes on");
	check(extra(start, before) <= 2,
	      "lazy periodic: does not make up for what was missed");
	stop(0);
}

/* --- where it may not send --------------------------------------------------------- */

static void test_sint0(void)
{
	wrmsr(count_of(0), reference_counter() + 1000 * MS);
	wrmsr(config_of(0), HV_STIMER_ENABLE);
	check(!(rdmsr(config_of(0)) & HV_STIMER_ENABLE),
	      "messages to SINT0: not enabled");
	wrmsr(config_of(0), HV_STIMER_AUTO_ENABLE);
	wrmsr(count_of(0), reference_counter() + 1000 * MS);
	check(!(rdmsr(config_of(0)) & HV_STIMER_ENABLE),
	      "messages to SINT0: not auto-enabled");
	stop(0);
}

static void test_masked(void)
{
	uint32_t before = interrupts_of(0, VECTOR);

	sint_write(SINT, HV_SYNIC_SINT_MASKED | VECTOR);
	wrmsr(count_of(0), 1);
	wrmsr(config_of(0), MESSAGE_MODE | HV_STIMER_ENABLE);
	check(wait_until(message_type(0) == HVMSG_TIMER_EXPIRED, SOON_MS),
	      "masked SINT: message");
	check_equal(interrupts_of(0, VECTOR), before,
		    "masked SINT: no interrupt");
	sint_write(SINT, VECTOR);
	stop(0);
}

/* A slot that is busy: the timer's message waits, and asks for EOM. */
static void test_busy_slot(void)
{
	volatile struct hv_message *slot = synic_slot(0, SINT);
	uint32_t before = interrupts_of(0, VECTOR);
	uint64_t due;

	slot->header.message_flags = 0;
	slot->header.message_type = 1;
	due = reference_counter() + MS;
	wrmsr(config_of(0), MESSAGE_MODE | HV_STIMER_AUTO_ENABLE);
	wrmsr(count_of(0), due);
	check(wait_until(slot->header.message_flags & HV_MESSAGE_FLAG_PENDING,
			 SOON_MS),
	      "busy slot: asks for EOM");
	check_equal(slot->header.message_type, 1, "busy slot: left alone");
	check_equal(interrupts_of(0, VECTOR), before, "busy slot: silent");
	check(synic_free_slot(SINT), "busy slot: EOM");
	check(wait_until(interrupts_of(0, VECTOR) == before + 1, SOON_MS),
	      "freed slot: interrupt");
	check_expired_message(0, due);
	stop(0);
}

static void test_direct_lacking(void)
{
	check_equal(wrmsr_trying(config_of(0), DIRECT_MODE), VECTOR_GP,
		    "direct mode where there is none");
	check_equal(rdmsr(config_of(0)), 0, "and nothing is changed");
}

/* --- all of them --------------------------------------------------------------------- */

/* Slow enough for eight timers on a slow machine. */
#define SLOW_PERIOD (20 * MS)
#define BEATS_MIN   3u
/* A SINT each: their messages do not meet in one slot. */
#define FIRST_SINT  8u

static volatile uint64_t started[CPUS_MAX], stopped[CPUS_MAX];

static uint8_t vector_of(unsigned int cpu, unsigned int n)
{
	return (uint8_t)(0x80 + 8 * cpu + n);
}

static void start_all(void *arg)
{
	unsigned int cpu = this_cpu()->index;

	(void)arg;
	synic_enable();
	started[cpu] = reference_counter();
	for (unsigned int n = 0; n < HV_SYNIC_STIMER_COUNT; n++) {
		sint_write(FIRST_SINT + n, vector_of(cpu, n));
		wrmsr(count_of(n), (n + 1) * SLOW_PERIOD);
		wrmsr(config_of(n),
		      (uint64_t)(FIRST_SINT + n) << HV_STIMER_SINTX_SHIFT |
			      HV_STIMER_PERIODIC | HV_STIMER_ENABLE);
	}
}

static void stop_all(void *arg)
{
	(void)arg;
	for (unsigned int n = 0; n < HV_SYNIC_STIMER_COUNT; n++)
		wrmsr(config_of(n), 0);
	stopped[this_cpu()->index] = reference_counter();
}

static void free_any(struct cpu *cpu)
{
	for (unsigned int n = 0; n < HV_SYNIC_STIMER_COUNT; n++) {
		unsigned int sint = FIRST_SINT + n;

		if (synic_slot(cpu->index, sint)->header.message_type)
			synic_free_slot(sint);
	}
}

static void check_beats(unsigned int cpu)
{
	uint64_t took = stopped[cpu] - started[cpu];

	for (unsigned int n = 0; n < HV_SYNIC_STIMER_COUNT; n++) {
		uint64_t beats =
			divide(took, (uint32_t)((n + 1) * SLOW_PERIOD), NULL);

		/* Fewer if the machine was busy, more never. */
		check_between(interrupts_of(cpu, vector_of(cpu, n)), BEATS_MIN,
			      beats + 1, "processor %u: timer %u at its rate",
			      cpu, n);
	}
}

/* Timer n has period n + 1. */
static void test_all(void)
{
	unsigned int cpus = smp_cpus() < 2 ? smp_cpus() : 2;

	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		for (unsigned int n = 0; n < HV_SYNIC_STIMER_COUNT; n++)
			trap_set_hook(vector_of(cpu, n), free_any);
		check(smp_run(cpu, start_all, NULL), "processor %u: start",
		      cpu);
	}
	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		for (unsigned int n = 0; n < HV_SYNIC_STIMER_COUNT; n++)
			check(wait_until(
				      interrupts_of(cpu, vector_of(cpu, n)) >=
					      BEATS_MIN,
				      SOON_MS),
			      "processor %u: timer %u runs", cpu, n);
	}
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		smp_run(cpu, stop_all, NULL);
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		check_beats(cpu);
	for (unsigned int n = 0; n < HV_SYNIC_STIMER_COUNT && cpus > 1; n++)
		check_equal(interrupts_of(0, vector_of(1, n)), 0,
			    "timer %u of processor 1 stays there", n);
}

static void test_message_mode(void)
{
	for (unsigned int n = 0; n < HV_SYNIC_STIMER_COUNT; n++)
		test_one_shot(n, MESSAGE_MODE, VECTOR, "message");
	test_past(MESSAGE_MODE, VECTOR, "message");
	test_auto_enable(MESSAGE_MODE, VECTOR, "message");
	test_reprogrammed(MESSAGE_MODE, VECTOR, "message");
	test_sint0();
	test_masked();
	test_busy_slot();
	trap_set_hook(VECTOR, take_message);
	test_periodic(MESSAGE_MODE, VECTOR, "periodic message");
	test_periodic(MESSAGE_MODE | HV_STIMER_LAZY, VECTOR,
		      "lazy periodic message");
	test_stalled();
	trap_set_hook(VECTOR, NULL);
}

static void test_direct_mode(void)
{
	for (unsigned int n = 0; n < HV_SYNIC_STIMER_COUNT; n++)
		test_one_shot(n, DIRECT_MODE, DIRECT, "direct");
	test_past(DIRECT_MODE, DIRECT, "direct");
	test_auto_enable(DIRECT_MODE, DIRECT, "direct");
	test_reprogrammed(DIRECT_MODE, DIRECT, "direct");
	test_periodic(DIRECT_MODE, DIRECT, "periodic direct");
	test_periodic(DIRECT_MODE | HV_STIMER_LAZY, DIRECT,
		      "lazy periodic direct");
	/* It needs nothing of the SynIC. */
	synic_disable();
	test_past(DIRECT_MODE, DIRECT, "direct, SynIC off");
	synic_enable();
	sint_write(SINT, VECTOR);
}

void guest_main(void)
{
	has_direct = cpuid(HYPERV_CPUID_FEATURES, 0).edx &
		     HV_STIMER_DIRECT_MODE_AVAILABLE;
	synic_enable();
	sint_write(SINT, VECTOR);
	test_message_mode();
	if (has_direct)
		test_direct_mode();
	else
		test_direct_lacking();
	check(smp_start(), "all processors start");
	test_all();
}
