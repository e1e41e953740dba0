/* SPDX-License-Identifier: MIT */
/*
 * vmbus.c - the handshake with VMbus as a guest makes it: versions, offers,
 * messages to any processor, a second contact, the way out.
 *
 * Arguments: newest=, the newest version that the profile speaks; restarts:
 * the machine is reset at each point of the handshake instead, and a mark in
 * CMOS memory says which is next.
 */
#include "lib/arguments.h"
#include "lib/clock.h"
#include "lib/hypercall.h"
#include "lib/smp.h"
#include "lib/stage.h"
#include "lib/start.h"
#include "lib/synic.h"
#include "lib/tap.h"
#include "lib/traps.h"
#include "lib/vmbus.h"
#include "proto/vmbus.h"

/* No device is ever given this one. */
#define NO_RELID   2047u
#define SOME_GPADL 0xE1E10u

/* The list that Linux goes down, with what only other guests try. */
static const uint32_t versions[] = {
	0x00070000,         VERSION_WIN10_V6_0, VERSION_WIN10_V5_3,
	VERSION_WIN10_V5_2, VERSION_WIN10_V5_1, VERSION_WIN10_V5,
	VERSION_WIN10_V4_1, VERSION_WIN10,      VERSION_WIN8_1,
	VERSION_WIN8,       VERSION_WIN7,
};
#define N_VERSIONS (sizeof(versions) / sizeof(versions[0]))

static uint32_t newest;

/* --- versions --------------------------------------------------------------------- */

static void test_version(uint32_t version)
{
	unsigned int major = version >> 16, minor = version & 0xFFFF;
	bool spoken = version <= newest;
	union vmbus_message m;

	vmbus_send_contact(version, 0);
	check_equal(vmbus_receive(&m), CHANNELMSG_VERSION_RESPONSE,
		    "version %u.%u: an answer", major, minor);
	check_equal(m.version.base.version_supported, spoken,
		    "version %u.%u: is it spoken", major, minor);
	check_equal(m.version.base.connection_state, 0, "version %u.%u: state",
		    major, minor);
	if (!spoken)
		return;
	check_equal(m.version.base.msg_conn_id,
		    version >= VERSION_WIN10_V5 ? VMBUS_MESSAGE_CONNECTION_ID
						: version,
		    "version %u.%u: connection for messages, or version", major,
		    minor);
	/* Each is a connection of its own: the last one is over. */
	vmbus_send_empty(CHANNELMSG_UNLOAD);
	check_equal(vmbus_receive(&m), CHANNELMSG_UNLOAD_RESPONSE,
		    "version %u.%u: and out again", major, minor);
}

static void test_versions(void)
{
	uint32_t before = interrupts_of(0, VMBUS_VECTOR);

	for (unsigned int i = 0; i < N_VERSIONS; i++)
		test_version(versions[i]);
	check(vmbus_nothing_more(0), "no other message");
	check(interrupts_of(0, VMBUS_VECTOR) >= before + N_VERSIONS,
	      "an interrupt for each");
}

/* --- offers, and what is answered without a channel ------------------------------------ */

static void test_offers(void)
{
	static uint8_t seen[MAX_CHANNEL_RELIDS];
	unsigned int bad = 0;
	union vmbus_message m;
	uint32_t type;

	check(vmbus_connect(newest), "connected");
	vmbus_send_empty(CHANNELMSG_REQUESTOFFERS);
	while ((type = vmbus_receive(&m)) == CHANNELMSG_OFFERCHANNEL) {
		uint32_t relid = m.offer.child_relid;

		bad += !relid || relid >= MAX_CHANNEL_RELIDS || seen[relid]++;
		bad += !(m.offer.is_dedicated_interrupt & 1);
	}
	check_equal(type, CHANNELMSG_ALLOFFERS_DELIVERED,
		    "the list of offers has an end");
	check_equal(bad, 0, "each offer has its own relid and interrupts");
	vmbus_send_empty(CHANNELMSG_REQUESTOFFERS);
	check(vmbus_nothing_more(0), "a second request is ignored");
}

static void test_no_channel(void)
{
	const struct {
		struct vmbus_channel_gpadl_header header;
		struct gpa_range range;
		uint64_t pfn;
	} __attribute__((packed))
	share = {{{CHANNELMSG_GPADL_HEADER, 0}, NO_RELID, SOME_GPADL, 16, 1},
		 {PAGE_BYTES, 0},
		 1};
	const struct vmbus_channel_gpadl_teardown unshare = {
		.header.msgtype = CHANNELMSG_GPADL_TEARDOWN,
		.child_relid = NO_RELID,
		.gpadl = SOME_GPADL};
	const struct vmbus_channel_open_channel open = {
		.header.msgtype = CHANNELMSG_OPENCHANNEL,
		.child_relid = NO_RELID,
		.openid = 77};
	union vmbus_message m;

	vmbus_send(&share, sizeof(share));
	check_equal(vmbus_receive(&m), CHANNELMSG_GPADL_CREATED,
		    "memory for no channel: an answer");
	check(m.created.child_relid == NO_RELID &&
		      m.created.gpadl == SOME_GPADL &&
		      m.created.creation_status,
	      "memory for no channel: refused");
	vmbus_send(&unshare, sizeof(unshare));
	check(vmbus_receive(&m) == CHANNELMSG_GPADL_TORNDOWN &&
		      m.torndown.gpadl == SOME_GPADL,
	      "memory that is not shared: back at once");
	vmbus_send(&open, sizeof(open));
	check_equal(vmbus_receive(&m), CHANNELMSG_OPENCHANNEL_RESULT,
		    "no channel to open: an answer");
	check(m.opened.child_relid == NO_RELID && m.opened.openid == 77 &&
		      m.opened.status,
	      "no channel to open: refused");
}

static void test_garbage(void)
{
	uint8_t bytes[VMBUS_MESSAGE_MAX];

	memset(bytes, 0xA5, sizeof(bytes));
	check_equal(vmbus_send(bytes, sizeof(bytes)), HV_STATUS_SUCCESS,
		    "a message of no type is taken");
	for (uint32_t type = 1; type <= CHANNELMSG_MAX; type++) {
		/* These two are answered whatever else they say. */
		if (type == CHANNELMSG_UNLOAD || type == CHANNELMSG_PAUSE)
			continue;
		memory_copy(bytes, &type, sizeof(type));
		vmbus_send(bytes, 9);
	}
	vmbus_send(bytes, 0);
	check(vmbus_nothing_more(0), "messages that are too short are ignored");
}

/* --- other processors, a new kernel, a panic ------------------------------------------- */

static void enable_here(void *arg)
{
	(void)arg;
	vmbus_enable();
}

static void receive_here(void *arg)
{
	vmbus_receive(arg);
}

/* The contact says where messages go: a crash kernel runs anywhere. */
static void test_processor(unsigned int cpu)
{
	static union vmbus_message m;

	smp_run(cpu, enable_here, NULL);
	vmbus_send_contact(newest, cpu);
	if (newest < VERSION_WIN8_1) {
		check_equal(vmbus_receive(&m), CHANNELMSG_VERSION_RESPONSE,
			    "processor %u: the first one gets it, below 3.0",
			    cpu);
	} else {
		smp_run(cpu, receive_here, &m);
		check_equal(m.header.msgtype, CHANNELMSG_VERSION_RESPONSE,
			    "processor %u: gets it", cpu);
		check(vmbus_nothing_more(0), "processor %u: alone", cpu);
	}
	check(m.version.base.version_supported,
	      "processor %u: while connected, and it starts over", cpu);
}

/* Linux vmbus_wait_for_unload(): no interrupts, and slots in any state. */
static void test_panic(void)
{
	union vmbus_message m;
	uint32_t before;

	check(vmbus_connect(newest), "connected for a panic");
	vmbus_send_empty(CHANNELMSG_REQUESTOFFERS);
	wait_until(!vmbus_nothing_more(0), SOON_MS);
	before = interrupts_of(0, VMBUS_VECTOR);
	sint_write(VMBUS_MESSAGE_SINT, HV_SYNIC_SINT_MASKED | VMBUS_VECTOR);
	vmbus_send_empty(CHANNELMSG_UNLOAD);
	do {
		vmbus_receive(&m);
	} while (m.header.msgtype &&
		 m.header.msgtype != CHANNELMSG_UNLOAD_RESPONSE);
	check_equal(m.header.msgtype, CHANNELMSG_UNLOAD_RESPONSE,
		    "unload is answered behind what was there");
	check_equal(interrupts_of(0, VMBUS_VECTOR), before,
		    "without an interrupt, as the SINT is masked");
	sint_write(VMBUS_MESSAGE_SINT, VMBUS_VECTOR);
	check(vmbus_connect(newest), "and a new kernel can connect");
}

/* --- restarts ---------------------------------------------------------------------------- */

/* Go as far as @stage says, and no further. */
static void restart_at(unsigned int stage)
{
	union vmbus_message m;

	if (stage < 4) {
		vmbus_send_contact(newest, 0);
		if (stage > 0)
			vmbus_receive(&m);
		if (stage > 1)
			vmbus_send_empty(CHANNELMSG_REQUESTOFFERS);
		if (stage > 2)
			vmbus_send_empty(CHANNELMSG_UNLOAD);
		stage_reset();
	}
	stage_end();
	check_equal(stage, 4, "reset at every point of the handshake");
	check(vmbus_nothing_more(0), "nothing is left for the next guest");
}

void guest_main(void)
{
	newest = (uint32_t)argument_number("newest", VERSION_WIN10_V6_0);
	hypercalls_enable();
	enable_here(NULL);
	if (argument_given("restarts"))
		restart_at(stage_enter());
	test_versions();
	test_offers();
	test_no_channel();
	test_garbage();
	check(smp_start(), "all processors start");
	for (unsigned int i = 1; i < smp_cpus(); i++)
		test_processor(i);
	test_panic();
}
