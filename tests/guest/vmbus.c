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
#include "lib/start.h"
#include "lib/synic.h"
#include "lib/tap.h"
#include "lib/traps.h"
#include "proto/platform.h"
#include "proto/vmbus.h"

#define VECTOR     0x62
#define SINT       VMBUS_MESSAGE_SINT
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

union message {
	struct vmbus_channel_message_header header;
	struct vmbus_channel_version_response2 version;
	struct vmbus_channel_offer_channel offer;
	struct vmbus_channel_open_result opened;
	struct vmbus_channel_gpadl_created created;
	struct vmbus_channel_gpadl_torndown torndown;
	uint8_t bytes[VMBUS_MESSAGE_MAX];
};

static struct hv_input_post_message post __attribute__((aligned(256)));
static uint8_t monitor_pages[2][PAGE_BYTES]
	__attribute__((aligned(PAGE_BYTES)));
static uint32_t newest;

/* --- messages ----------------------------------------------------------------- */

static hv_status_t send_on(uint32_t connection, const void *msg, size_t size)
{
	memset(&post, 0, sizeof(post));
	post.connectionid = connection;
	post.message_type = HVMSG_VMBUS;
	post.payload_size = (uint32_t)size;
	memory_copy(post.payload, msg, size);
	return hypercall(HVCALL_POST_MESSAGE, &post, NULL);
}

static hv_status_t send(const void *msg, size_t size)
{
	return send_on(VMBUS_MESSAGE_CONNECTION_ID, msg, size);
}

static void send_empty(uint32_t type)
{
	const struct vmbus_channel_message_header m = {.msgtype = type};

	send(&m, sizeof(m));
}

/* The next message at the caller's processor; its type, 0: none came. */
static uint32_t receive(union message *m)
{
	volatile struct hv_message *slot = synic_slot(this_cpu()->index, SINT);

	memset(m, 0, sizeof(*m));
	if (!wait_until(slot->header.message_type != HVMSG_NONE, SOON_MS) ||
	    slot->header.message_type != HVMSG_VMBUS)
		return 0;
	for (unsigned int i = 0; i < slot->header.payload_size; i++)
		m->bytes[i] = slot->payload[i];
	synic_free_slot(SINT);
	return m->header.msgtype;
}

static bool nothing_more(unsigned int cpu)
{
	clock_wait_ms(QUIET_MS);
	return synic_slot(cpu, SINT)->header.message_type == HVMSG_NONE;
}

static void send_contact(uint32_t version, uint32_t vp)
{
	struct vmbus_channel_initiate_contact m = {
		.header.msgtype = CHANNELMSG_INITIATE_CONTACT,
		.vmbus_version_requested = version,
		.target_vcpu = vp,
		.monitor_page1 = gpa_of(monitor_pages[0]),
		.monitor_page2 = gpa_of(monitor_pages[1]),
	};
	bool is_new = version >= VERSION_WIN10_V5;

	if (is_new)
		m.msg_sint = SINT;
	send_on(is_new ? VMBUS_MESSAGE_CONNECTION_ID_4
		       : VMBUS_MESSAGE_CONNECTION_ID,
		&m, sizeof(m));
}

/* Contact with the newest version, messages to here. */
static bool connect(void)
{
	union message m;

	send_contact(newest, 0);
	return receive(&m) == CHANNELMSG_VERSION_RESPONSE &&
	       m.version.base.version_supported &&
	       m.version.base.connection_state == VMBUS_CONNECTION_OK;
}

/* --- versions --------------------------------------------------------------------- */

static void test_version(uint32_t version)
{
	unsigned int major = version >> 16, minor = version & 0xFFFF;
	bool spoken = version <= newest;
	union message m;

	send_contact(version, 0);
	check_equal(receive(&m), CHANNELMSG_VERSION_RESPONSE,
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
	send_empty(CHANNELMSG_UNLOAD);
	check_equal(receive(&m), CHANNELMSG_UNLOAD_RESPONSE,
		    "version %u.%u: and out again", major, minor);
}

static void test_versions(void)
{
	uint32_t before = interrupts_of(0, VECTOR);

	for (unsigned int i = 0; i < N_VERSIONS; i++)
		test_version(versions[i]);
	check(nothing_more(0), "no other message");
	check(interrupts_of(0, VECTOR) >= before + N_VERSIONS,
	      "an interrupt for each");
}

/* --- offers, and what is answered without a channel ------------------------------------ */

static void test_offers(void)
{
	static uint8_t seen[MAX_CHANNEL_RELIDS];
	unsigned int bad = 0;
	union message m;
	uint32_t type;

	check(connect(), "connected");
	send_empty(CHANNELMSG_REQUESTOFFERS);
	while ((type = receive(&m)) == CHANNELMSG_OFFERCHANNEL) {
		uint32_t relid = m.offer.child_relid;

		bad += !relid || relid >= MAX_CHANNEL_RELIDS || seen[relid]++;
		bad += !(m.offer.is_dedicated_interrupt & 1);
	}
	check_equal(type, CHANNELMSG_ALLOFFERS_DELIVERED,
		    "the list of offers has an end");
	check_equal(bad, 0, "each offer has its own relid and interrupts");
	send_empty(CHANNELMSG_REQUESTOFFERS);
	check(nothing_more(0), "a second request is ignored");
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
	union message m;

	send(&share, sizeof(share));
	check_equal(receive(&m), CHANNELMSG_GPADL_CREATED,
		    "memory for no channel: an answer");
	check(m.created.child_relid == NO_RELID &&
		      m.created.gpadl == SOME_GPADL &&
		      m.created.creation_status,
	      "memory for no channel: refused");
	send(&unshare, sizeof(unshare));
	check(receive(&m) == CHANNELMSG_GPADL_TORNDOWN &&
		      m.torndown.gpadl == SOME_GPADL,
	      "memory that is not shared: back at once");
	send(&open, sizeof(open));
	check_equal(receive(&m), CHANNELMSG_OPENCHANNEL_RESULT,
		    "no channel to open: an answer");
	check(m.opened.child_relid == NO_RELID && m.opened.openid == 77 &&
		      m.opened.status,
	      "no channel to open: refused");
}

static void test_garbage(void)
{
	uint8_t bytes[VMBUS_MESSAGE_MAX];

	memset(bytes, 0xA5, sizeof(bytes));
	check_equal(send(bytes, sizeof(bytes)), HV_STATUS_SUCCESS,
		    "a message of no type is taken");
	for (uint32_t type = 1; type <= CHANNELMSG_MAX; type++) {
		/* These two are answered whatever else they say. */
		if (type == CHANNELMSG_UNLOAD || type == CHANNELMSG_PAUSE)
			continue;
		memory_copy(bytes, &type, sizeof(type));
		send(bytes, 9);
	}
	send(bytes, 0);
	check(nothing_more(0), "messages that are too short are ignored");
}

/* --- other processors, a new kernel, a panic ------------------------------------------- */

static void enable_here(void *arg)
{
	(void)arg;
	synic_enable();
	sint_write(SINT, VECTOR);
}

static void receive_here(void *arg)
{
	receive(arg);
}

/* The contact says where messages go: a crash kernel runs anywhere. */
static void test_processor(unsigned int cpu)
{
	static union message m;

	smp_run(cpu, enable_here, NULL);
	send_contact(newest, cpu);
	if (newest < VERSION_WIN8_1) {
		check_equal(receive(&m), CHANNELMSG_VERSION_RESPONSE,
			    "processor %u: the first one gets it, below 3.0",
			    cpu);
	} else {
		smp_run(cpu, receive_here, &m);
		check_equal(m.header.msgtype, CHANNELMSG_VERSION_RESPONSE,
			    "processor %u: gets it", cpu);
		check(nothing_more(0), "processor %u: alone", cpu);
	}
	check(m.version.base.version_supported,
	      "processor %u: while connected, and it starts over", cpu);
}

/* Linux vmbus_wait_for_unload(): no interrupts, and slots in any state. */
static void test_panic(void)
{
	union message m;
	uint32_t before;

	check(connect(), "connected for a panic");
	send_empty(CHANNELMSG_REQUESTOFFERS);
	wait_until(!nothing_more(0), SOON_MS);
	before = interrupts_of(0, VECTOR);
	sint_write(SINT, HV_SYNIC_SINT_MASKED | VECTOR);
	send_empty(CHANNELMSG_UNLOAD);
	do {
		receive(&m);
	} while (m.header.msgtype &&
		 m.header.msgtype != CHANNELMSG_UNLOAD_RESPONSE);
	check_equal(m.header.msgtype, CHANNELMSG_UNLOAD_RESPONSE,
		    "unload is answered behind what was there");
	check_equal(interrupts_of(0, VECTOR), before,
		    "without an interrupt, as the SINT is masked");
	sint_write(SINT, VECTOR);
	check(connect(), "and a new kernel can connect");
}

/* --- restarts ---------------------------------------------------------------------------- */

#define CMOS_INDEX 0x60
#define CMOS_STAGE 0xB0 /* and the stage */

static uint8_t next_stage(void)
{
	uint8_t stage;

	out8(PLATFORM_RTC_PORT, CMOS_INDEX);
	stage = in8(PLATFORM_RTC_PORT + 1);
	stage = (stage & 0xF0) == CMOS_STAGE ? stage & 0x0F : 0;
	out8(PLATFORM_RTC_PORT, CMOS_INDEX);
	out8(PLATFORM_RTC_PORT + 1, (uint8_t)(CMOS_STAGE | (stage + 1)));
	return stage;
}

/* Go as far as @stage says, and no further. */
static void restart_at(uint8_t stage)
{
	union message m;

	if (stage < 4) {
		send_contact(newest, 0);
		if (stage > 0)
			receive(&m);
		if (stage > 1)
			send_empty(CHANNELMSG_REQUESTOFFERS);
		if (stage > 2)
			send_empty(CHANNELMSG_UNLOAD);
		out8(PLATFORM_RESET_PORT, PLATFORM_RESET_VALUE);
		for (;;)
			wait_for_interrupt();
	}
	out8(PLATFORM_RTC_PORT, CMOS_INDEX);
	out8(PLATFORM_RTC_PORT + 1, 0);
	check_equal(stage, 4, "reset at every point of the handshake");
	check(nothing_more(0), "nothing is left for the next guest");
}

void guest_main(void)
{
	newest = (uint32_t)argument_number("newest", VERSION_WIN10_V6_0);
	hypercalls_enable();
	enable_here(NULL);
	if (argument_given("restarts"))
		restart_at(next_stage());
	test_versions();
	test_offers();
	test_no_channel();
	test_garbage();
	check(smp_start(), "all processors start");
	for (unsigned int i = 1; i < smp_cpus(); i++)
		test_processor(i);
	test_panic();
}
