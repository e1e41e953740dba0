/* SPDX-License-Identifier: MIT */
/*
 * synic.c - messages and event flags, through the host's test device: a
 * message that is posted to one of its connections comes back to the SINT,
 * and so does an event, with the flag of the connection's number.
 */
#include "lib/synic.h"

#include "lib/apic.h"
#include "lib/clock.h"
#include "lib/hypercall.h"
#include "lib/smp.h"
#include "lib/start.h"
#include "lib/tap.h"
#include "lib/traps.h"

#define FIRST_VECTOR 0x60
#define MESSAGES     0x10
#define EVENTS       0x20
#define MESSAGE_TYPE 0x1234567u
/* More than any host keeps for one SINT. */
#define MANY         1000u

static struct hv_input_post_message post __attribute__((aligned(256)));

static uint8_t vector_of(unsigned int sint)
{
	return (uint8_t)(FIRST_VECTOR + sint);
}

static uint32_t count(unsigned int sint)
{
	return interrupts_of(0, vector_of(sint));
}

static hv_status_t post_number(unsigned int connection, uint32_t number)
{
	memset(&post, 0, sizeof(post));
	post.connectionid = connection;
	post.message_type = MESSAGE_TYPE;
	post.payload_size = 8;
	memory_copy(post.payload, &number, sizeof(number));
	post.payload[7] = (uint8_t)~number;
	return hypercall(HVCALL_POST_MESSAGE, &post, NULL);
}

static uint32_t number_in(unsigned int cpu, unsigned int sint)
{
	const volatile struct hv_message *slot = synic_slot(cpu, sint);

	return *(const volatile uint32_t *)slot->payload;
}

static uint32_t type_in(unsigned int cpu, unsigned int sint)
{
	return synic_slot(cpu, sint)->header.message_type;
}

static bool pending_in(unsigned int sint)
{
	return synic_slot(0, sint)->header.message_flags &
	       HV_MESSAGE_FLAG_PENDING;
}

static bool no_more(unsigned int sint, uint32_t than)
{
	clock_wait_ms(QUIET_MS);
	return count(sint) == than;
}

/* Count @more interrupts, but no more than these. */
static bool exactly(unsigned int sint, uint32_t before, uint32_t more)
{
	return wait_until(count(sint) == before + more, SOON_MS) &&
	       no_more(sint, before + more);
}

static hv_status_t signal(unsigned int connection, uint16_t flag)
{
	return hypercall_fast(HVCALL_SIGNAL_EVENT,
			      connection | (uint64_t)flag << 32, 0);
}

/* --- every SINT --------------------------------------------------------------- */

static void test_message(unsigned int sint)
{
	const volatile struct hv_message *slot = synic_slot(0, sint);
	uint32_t before = count(sint);

	tester_command(TESTER_MESSAGES_CREATE, 0, (uint8_t)sint, MESSAGES);
	check_equal(post_number(MESSAGES, 0xA0 + sint), HV_STATUS_SUCCESS,
		    "SINT%u: message", sint);
	check(exactly(sint, before, 1), "SINT%u: its interrupt", sint);
	check_equal(slot->header.message_type, MESSAGE_TYPE, "SINT%u: its type",
		    sint);
	check_equal(slot->header.payload_size, 8, "SINT%u: its size", sint);
	check(number_in(0, sint) == 0xA0 + sint &&
		      slot->payload[7] == (uint8_t) ~(0xA0 + sint),
	      "SINT%u: its payload", sint);
	check(!synic_free_slot(sint), "SINT%u: no other one is pending", sint);
	tester_command(TESTER_MESSAGES_DESTROY, 0, (uint8_t)sint, MESSAGES);
	check_equal(post_number(MESSAGES, 0), HV_STATUS_INVALID_CONNECTION_ID,
		    "SINT%u: the connection is gone", sint);
}

static void test_event(unsigned int sint)
{
	const uint8_t connection = (uint8_t)(EVENTS + sint);
	uint32_t before = count(sint);

	tester_command(TESTER_EVENTS_CREATE, 0, (uint8_t)sint, connection);
	check_equal(signal(connection, 0), HV_STATUS_SUCCESS, "SINT%u: event",
		    sint);
	check(exactly(sint, before, 1), "SINT%u: its interrupt", sint);
	check(synic_flag(0, sint, connection), "SINT%u: its flag", sint);
	signal(connection, 0);
	check(no_more(sint, before + 1),
	      "SINT%u: no interrupt for a flag that is set", sint);
	check(synic_clear_flag(0, sint, connection), "SINT%u: flag cleared",
	      sint);
	signal(connection, 0);
	check(exactly(sint, before, 2), "SINT%u: an interrupt again", sint);
	synic_clear_flag(0, sint, connection);
	check(memory_is(synic_events[0], 0, PAGE_BYTES),
	      "SINT%u: no other flag", sint);
	tester_command(TESTER_EVENTS_DESTROY, 0, (uint8_t)sint, connection);
	check_equal(signal(connection, 0), HV_STATUS_INVALID_CONNECTION_ID,
		    "SINT%u: the connection is gone", sint);
}

static void test_raised(unsigned int sint)
{
	uint32_t before = count(sint);

	tester_command(TESTER_ROUTE_CREATE, 0, (uint8_t)sint, 0);
	tester_command(TESTER_ROUTE_SET, 0, (uint8_t)sint, 0);
	check(exactly(sint, before, 1), "SINT%u: raised", sint);
	tester_command(TESTER_ROUTE_DESTROY, 0, (uint8_t)sint, 0);
}

static void test_every_sint(void)
{
	for (unsigned int i = 0; i < HV_SYNIC_SINT_COUNT; i++) {
		sint_write(i, vector_of(i));
		test_message(i);
		test_event(i);
		test_raised(i);
	}
}

/* --- queueing --------------------------------------------------------------- */

#define SINT 5u

static void test_order(void)
{
	uint32_t before = count(SINT);
	unsigned int bad = 0;

	for (uint32_t i = 0; i < 5; i++)
		bad += post_number(MESSAGES, i) != HV_STATUS_SUCCESS;
	check_equal(bad, 0, "five messages are taken");
	check(exactly(SINT, before, 1), "one interrupt: one is in the slot");
	check_equal(number_in(0, SINT), 0, "the first");
	check(pending_in(SINT), "and it says that others wait");
	for (uint32_t i = 1; i < 5; i++) {
		bad += !synic_free_slot(SINT);
		bad += !wait_until(type_in(0, SINT), SOON_MS);
		bad += number_in(0, SINT) != i;
	}
	check_equal(bad, 0, "EOM brings the next one, in order");
	check(exactly(SINT, before, 5), "an interrupt each");
	check(!pending_in(SINT), "the last says that none waits");
	check(!synic_free_slot(SINT), "no EOM for it");
	clock_wait_ms(QUIET_MS);
	check_equal(type_in(0, SINT), HVMSG_NONE, "and nothing follows");
}

/* Post until the host has enough; take everything out again. */
static void test_full(void)
{
	uint32_t taken = 0, got = 0, bad = 0;
	hv_status_t status;

	while (!(status = post_number(MESSAGES, taken)) && taken < MANY)
		taken++;
	check_equal(status, HV_STATUS_INSUFFICIENT_BUFFERS,
		    "a queue that is full says so");
	check(taken > 1, "after several messages");
	do {
		bad += number_in(0, SINT) != got++;
	} while (synic_free_slot(SINT) &&
		 wait_until(type_in(0, SINT), SOON_MS));
	check_equal(got, taken, "all that were taken arrive");
	check_equal(bad, 0, "in order");
	check_equal(post_number(MESSAGES, 7), HV_STATUS_SUCCESS,
		    "and there is room again");
	synic_free_slot(SINT);
}

/* A free slot without EOM: the end of the interrupt does as well. */
static void test_end_of_interrupt(void)
{
	uint32_t before = count(SINT);

	trap_set_end(vector_of(SINT), false);
	post_number(MESSAGES, 1);
	post_number(MESSAGES, 2);
	wait_until(count(SINT) == before + 1, SOON_MS);
	if (!apic_in_service(vector_of(SINT))) {
		tap_skip("this KVM's APIC does not say what is in service",
			 "the end of the interrupt brings the next message");
		synic_free_slot(SINT);
	} else if (cpuid(HYPERV_CPUID_ENLIGHTMENT_INFO, 0).eax &
		   HV_X64_APIC_ACCESS_RECOMMENDED) {
		tap_skip("ends of interrupts stay in KVM here",
			 "the end of the interrupt brings the next message");
		synic_free_slot(SINT);
		apic_end_of_interrupt();
	} else {
		synic_slot(0, SINT)->header.message_type = HVMSG_NONE;
		memory_barrier();
		wrmsr(HV_X64_MSR_EOI, 0);
		check(wait_until(number_in(0, SINT) == 2, SOON_MS),
		      "the end of the interrupt brings the next message");
	}
	wait_until(count(SINT) == before + 2, SOON_MS);
	synic_free_slot(SINT);
	apic_end_of_interrupt();
	trap_set_end(vector_of(SINT), true);
}

/* --- switching things off ------------------------------------------------------ */

struct off_switch {
	const char *what;
	uint32_t msr;
	uint64_t off;
};

static void test_switch(const struct off_switch *s)
{
	uint32_t before = count(SINT);
	uint64_t on = rdmsr(s->msr);

	wrmsr(s->msr, s->off);
	check_equal(post_number(MESSAGES, 0x77), HV_STATUS_SUCCESS,
		    "%s off: a message is taken", s->what);
	check(no_more(SINT, before), "%s off: no interrupt", s->what);
	wrmsr(s->msr, on);
	check(exactly(SINT, before, 1), "%s on: its interrupt", s->what);
	check_equal(number_in(0, SINT), 0x77, "%s on: the message", s->what);
	synic_free_slot(SINT);
}

static void test_switches(void)
{
	const struct off_switch switches[] = {
		{"SCONTROL", HV_X64_MSR_SCONTROL, 0},
		{"SIMP", HV_X64_MSR_SIMP, 0},
		{"SIMP (address kept)", HV_X64_MSR_SIMP,
		 gpa_of(synic_messages[0])},
	};

	for (unsigned int i = 0; i < sizeof(switches) / sizeof(switches[0]);
	     i++)
		test_switch(&switches[i]);
}

/* Events do not wait: where nobody listens they are lost. */
static void test_event_switches(void)
{
	const struct off_switch switches[] = {
		{"SCONTROL", HV_X64_MSR_SCONTROL, 0},
		{"SIEFP", HV_X64_MSR_SIEFP, 0},
		{"SINT", HV_X64_MSR_SINT0 + SINT, HV_SYNIC_SINT_MASKED | 0x60},
	};

	tester_command(TESTER_EVENTS_CREATE, 0, SINT, EVENTS);
	for (unsigned int i = 0; i < sizeof(switches) / sizeof(switches[0]);
	     i++) {
		const struct off_switch *s = &switches[i];
		uint32_t before = count(SINT);
		uint64_t on = rdmsr(s->msr);

		wrmsr(s->msr, s->off);
		signal(EVENTS, 0);
		wrmsr(s->msr, on);
		check(no_more(SINT, before), "%s off: no interrupt for events",
		      s->what);
		check(!synic_flag(0, SINT, EVENTS), "%s off: no flag", s->what);
	}
	tester_command(TESTER_EVENTS_DESTROY, 0, SINT, EVENTS);
}

/* The pages keep what is in them while they are hidden. */
static void test_contents(void)
{
	post_number(MESSAGES, 0x55);
	wrmsr(HV_X64_MSR_SIMP, 0);
	check(memory_is(synic_messages[0], 0, PAGE_BYTES),
	      "SIMP off: the memory below");
	wrmsr(HV_X64_MSR_SIMP, gpa_of(synic_messages[0]) | HV_OVERLAY_ENABLE);
	check_equal(number_in(0, SINT), 0x55,
		    "SIMP on: a message that was not taken out");
	synic_free_slot(SINT);
	tester_command(TESTER_EVENTS_CREATE, 0, SINT, EVENTS);
	signal(EVENTS, 0);
	wrmsr(HV_X64_MSR_SIEFP, 0);
	check(memory_is(synic_events[0], 0, PAGE_BYTES),
	      "SIEFP off: the memory below");
	wrmsr(HV_X64_MSR_SIEFP, gpa_of(synic_events[0]) | HV_OVERLAY_ENABLE);
	check(synic_clear_flag(0, SINT, EVENTS),
	      "SIEFP on: a flag that was not cleared");
	tester_command(TESTER_EVENTS_DESTROY, 0, SINT, EVENTS);
}

/* --- bits of a SINT ------------------------------------------------------------ */

static void test_masked(void)
{
	uint32_t before = count(SINT);

	sint_write(SINT, HV_SYNIC_SINT_MASKED | vector_of(SINT));
	post_number(MESSAGES, 0x11);
	check(no_more(SINT, before), "masked: no interrupt");
	check_equal(number_in(0, SINT), 0x11, "masked: the message is there");
	synic_free_slot(SINT);
	sint_write(SINT, vector_of(SINT));
	check(no_more(SINT, before), "unmasked: no late interrupt");
}

static void test_polling(void)
{
	uint32_t before = count(SINT);

	if (!(cpuid(HYPERV_CPUID_FEATURES, 0).edx &
	      HV_FEATURE_SINT_POLLING_MODE)) {
		tap_skip("not in this profile", "polling");
		return;
	}
	tester_command(TESTER_EVENTS_CREATE, 0, SINT, EVENTS);
	sint_write(SINT, HV_SYNIC_SINT_POLLING | vector_of(SINT));
	post_number(MESSAGES, 0x12);
	signal(EVENTS, 0);
	check(no_more(SINT, before), "polling: no interrupt");
	check_equal(number_in(0, SINT), 0x12, "polling: the message is there");
	check(synic_clear_flag(0, SINT, EVENTS), "polling: so is the flag");
	synic_free_slot(SINT);
	sint_write(SINT, vector_of(SINT));
	tester_command(TESTER_EVENTS_DESTROY, 0, SINT, EVENTS);
}

static void test_shared_vector(void)
{
	uint32_t before = count(SINT);

	sint_write(SINT + 1, vector_of(SINT));
	tester_command(TESTER_MESSAGES_CREATE, 0, SINT + 1, MESSAGES + 1);
	post_number(MESSAGES, 1);
	wait_until(count(SINT) == before + 1, SOON_MS);
	post_number(MESSAGES + 1, 2);
	check(exactly(SINT, before, 2), "two SINTs may share a vector");
	check(number_in(0, SINT) == 1 && number_in(0, SINT + 1) == 2,
	      "and have a slot each");
	synic_free_slot(SINT);
	synic_free_slot(SINT + 1);
	tester_command(TESTER_MESSAGES_DESTROY, 0, SINT + 1, MESSAGES + 1);
	sint_write(SINT + 1, vector_of(SINT + 1));
}

/* --- what is posted -------------------------------------------------------------- */

static void test_message_contents(void)
{
	volatile struct hv_message *slot = synic_slot(0, SINT);
	unsigned int bad = 0;

	memset(&post, 0, sizeof(post));
	post.connectionid = MESSAGES;
	post.message_type = 0x7FFFFFFF;
	post.payload_size = HV_MESSAGE_PAYLOAD_MAX;
	for (unsigned int i = 0; i < HV_MESSAGE_PAYLOAD_MAX; i++)
		post.payload[i] = (uint8_t)(i + 1);
	check_equal(hypercall(HVCALL_POST_MESSAGE, &post, NULL),
		    HV_STATUS_SUCCESS, "the longest message");
	for (unsigned int i = 0; i < HV_MESSAGE_PAYLOAD_MAX; i++)
		bad += slot->payload[i] != (uint8_t)(i + 1);
	check_equal(bad, 0, "arrives whole");
	check_equal(slot->header.payload_size, HV_MESSAGE_PAYLOAD_MAX,
		    "with its size");
	synic_free_slot(SINT);
	post.payload_size = 0;
	check_equal(hypercall(HVCALL_POST_MESSAGE, &post, NULL),
		    HV_STATUS_SUCCESS, "an empty message");
	check_equal(slot->header.payload_size, 0, "arrives empty");
	synic_free_slot(SINT);
}

static void test_refused(void)
{
	static const struct {
		const char *what;
		uint32_t connection, reserved, type, size;
		hv_status_t status;
	} posts[] = {
		{"size 241", MESSAGES, 0, 1, 241, HV_STATUS_INVALID_PARAMETER},
		{"size 2^32 - 1", MESSAGES, 0, 1, ~0u,
		 HV_STATUS_INVALID_PARAMETER},
		{"type 0", MESSAGES, 0, 0, 8, HV_STATUS_INVALID_PARAMETER},
		{"a type of the hypervisor's", MESSAGES, 0, 0x80000001, 8,
		 HV_STATUS_INVALID_PARAMETER},
		{"reserved word", MESSAGES, 1, 1, 8,
		 HV_STATUS_INVALID_PARAMETER},
		{"no such connection", 0x999, 0, 1, 8,
		 HV_STATUS_INVALID_CONNECTION_ID},
		{"connection of events", EVENTS, 0, 1, 8,
		 HV_STATUS_INVALID_PORT_ID},
	};

	tester_command(TESTER_EVENTS_CREATE, 0, SINT, EVENTS);
	for (unsigned int i = 0; i < sizeof(posts) / sizeof(posts[0]); i++) {
		memset(&post, 0, sizeof(post));
		post.connectionid = posts[i].connection;
		post.reserved = posts[i].reserved;
		post.message_type = posts[i].type;
		post.payload_size = posts[i].size;
		check_equal(hypercall(HVCALL_POST_MESSAGE, &post, NULL),
			    posts[i].status, "message refused: %s",
			    posts[i].what);
	}
	check_equal(signal(MESSAGES, 0), HV_STATUS_INVALID_PORT_ID,
		    "event refused: connection of messages");
	check_equal(signal(EVENTS | 1u << 24, 0),
		    HV_STATUS_INVALID_CONNECTION_ID,
		    "event refused: an id of 25 bits");
	check_equal(signal(EVENTS, 0xFFFF), HV_STATUS_INVALID_PARAMETER,
		    "event refused: no such flag");
	check_equal(hypercall_fast(HVCALL_SIGNAL_EVENT, EVENTS | 1ull << 48, 0),
		    HV_STATUS_INVALID_PARAMETER,
		    "event refused: reserved field");
	check_equal(type_in(0, SINT), HVMSG_NONE, "nothing of it arrived");
	tester_command(TESTER_EVENTS_DESTROY, 0, SINT, EVENTS);
}

/* --- other processors ----------------------------------------------------------- */

static void enable_here(void *arg)
{
	(void)arg;
	synic_enable();
	sint_write(SINT, vector_of(SINT));
}

static void free_here(void *arg)
{
	*(bool *)arg = synic_free_slot(SINT);
}

static void test_processor(unsigned int cpu)
{
	const uint8_t connection = (uint8_t)(MESSAGES + cpu);
	const uint8_t events = (uint8_t)(EVENTS + cpu);
	uint32_t own = count(SINT);
	bool more = true;

	check(smp_run(cpu, enable_here, NULL), "processor %u: SynIC on", cpu);
	tester_command(TESTER_MESSAGES_CREATE, (uint8_t)cpu, SINT, connection);
	tester_command(TESTER_EVENTS_CREATE, (uint8_t)cpu, SINT, events);
	post_number(connection, 0x99);
	check(wait_until(interrupts_of(cpu, vector_of(SINT)) == 1, SOON_MS),
	      "processor %u: interrupt", cpu);
	check_equal(number_in(cpu, SINT), 0x99, "processor %u: message", cpu);
	check(smp_run(cpu, free_here, &more) && !more, "processor %u: taken",
	      cpu);
	signal(events, 0);
	check(wait_until(interrupts_of(cpu, vector_of(SINT)) == 2, SOON_MS),
	      "processor %u: interrupt of an event", cpu);
	check(synic_clear_flag(cpu, SINT, events), "processor %u: flag", cpu);
	check_equal(count(SINT), own, "processor %u: and no other", cpu);
	tester_command(TESTER_EVENTS_DESTROY, (uint8_t)cpu, SINT, events);
	tester_command(TESTER_MESSAGES_DESTROY, (uint8_t)cpu, SINT, connection);
}

void guest_main(void)
{
	hypercalls_enable();
	check(memory_is(synic_messages[0], 0, PAGE_BYTES), "memory is clear");
	synic_enable();
	check(memory_is(synic_messages[0], 0, PAGE_BYTES) &&
		      memory_is(synic_events[0], 0, PAGE_BYTES),
	      "so are the pages");
	test_every_sint();
	tester_command(TESTER_MESSAGES_CREATE, 0, SINT, MESSAGES);
	test_order();
	test_full();
	test_end_of_interrupt();
	test_switches();
	test_event_switches();
	test_contents();
	test_masked();
	test_polling();
	test_shared_vector();
	test_message_contents();
	test_refused();
	check(smp_start(), "all processors start");
	for (unsigned int i = 1; i < smp_cpus(); i++)
		test_processor(i);
}
