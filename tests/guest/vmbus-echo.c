/* SPDX-License-Identifier: MIT */
/*
 * vmbus-echo.c - a channel from end to end: the echo device of --test-devices
 * is found, its rings are shared, it is opened, and what goes in comes back,
 * around the end of the rings, with the signals that both sides owe.
 *
 * Arguments: newest=, the newest version that the profile speaks.
 */
#include "lib/arguments.h"
#include "lib/clock.h"
#include "lib/hypercall.h"
#include "lib/smp.h"
#include "lib/start.h"
#include "lib/synic.h"
#include "lib/tap.h"
#include "lib/traps.h"
#include "proto/guids.h"
#include "proto/vmbus.h"

#define VECTOR     0x62
#define SINT       VMBUS_MESSAGE_SINT
#define RING_GPADL 0xE1E10u
#define DATA_BYTES (2u * PAGE_BYTES)
#define N_PACKETS  100u

union message {
	struct vmbus_channel_message_header header;
	struct vmbus_channel_version_response version;
	struct vmbus_channel_offer_channel offer;
	struct vmbus_channel_open_result opened;
	struct vmbus_channel_gpadl_created created;
	struct vmbus_channel_gpadl_torndown torndown;
	struct vmbus_channel_modifychannel_response modified;
	uint8_t bytes[VMBUS_MESSAGE_MAX];
};

/* To the host, then to the guest, as in the GPADL. */
static struct ring {
	volatile uint32_t write_index, read_index, interrupt_mask, pending;
	uint32_t reserved1[12];
	volatile uint32_t feature_bits;
	uint8_t reserved2[4028];
	uint8_t data[DATA_BYTES];
} rings[2] __attribute__((aligned(PAGE_BYTES)));
_Static_assert(sizeof(rings[0]) == PAGE_BYTES + DATA_BYTES, "a header page");

static struct hv_input_post_message post __attribute__((aligned(256)));
static uint8_t monitor_pages[2][PAGE_BYTES]
	__attribute__((aligned(PAGE_BYTES)));
static uint8_t far_pages[3][PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
static struct vmbus_channel_offer_channel channel;
static uint32_t newest;
static unsigned int signals_sent;

/* --- messages ------------------------------------------------------------------ */

static void send_on(uint32_t connection, const void *msg, size_t size)
{
	memset(&post, 0, sizeof(post));
	post.connectionid = connection;
	post.message_type = HVMSG_VMBUS;
	post.payload_size = (uint32_t)size;
	memory_copy(post.payload, msg, size);
	check_equal(hypercall(HVCALL_POST_MESSAGE, &post, NULL),
		    HV_STATUS_SUCCESS, "a message is taken");
}

static void send(const void *msg, size_t size)
{
	send_on(VMBUS_MESSAGE_CONNECTION_ID, msg, size);
}

/* The next message at processor 0; its type, 0: none came. */
static uint32_t receive(union message *m)
{
	volatile struct hv_message *slot = synic_slot(0, SINT);

	memset(m, 0, sizeof(*m));
	if (!wait_until(slot->header.message_type != HVMSG_NONE, SOON_MS))
		return 0;
	for (unsigned int i = 0; i < slot->header.payload_size; i++)
		m->bytes[i] = slot->payload[i];
	synic_free_slot(SINT);
	return m->header.msgtype;
}

static bool connect(void)
{
	bool is_new = newest >= VERSION_WIN10_V5;
	struct vmbus_channel_initiate_contact m = {
		.header.msgtype = CHANNELMSG_INITIATE_CONTACT,
		.vmbus_version_requested = newest,
		.monitor_page1 = gpa_of(monitor_pages[0]),
		.monitor_page2 = gpa_of(monitor_pages[1]),
	};
	union message r;

	if (is_new)
		m.msg_sint = SINT;
	send_on(is_new ? VMBUS_MESSAGE_CONNECTION_ID_4
		       : VMBUS_MESSAGE_CONNECTION_ID,
		&m, sizeof(m));
	return receive(&r) == CHANNELMSG_VERSION_RESPONSE &&
	       r.version.version_supported;
}

/* Take all offers, remember the echo's. */
static bool find_echo(void)
{
	const struct vmbus_channel_message_header m = {
		.msgtype = CHANNELMSG_REQUESTOFFERS};
	const struct guid echo = KVMBUS_ECHO_GUID;
	bool found = false;
	union message r;

	send(&m, sizeof(m));
	while (receive(&r) == CHANNELMSG_OFFERCHANNEL) {
		if (!memory_equal(&r.offer.offer.if_type, &echo, sizeof(echo)))
			continue;
		channel = r.offer;
		found = true;
	}
	return found && r.header.msgtype == CHANNELMSG_ALLOFFERS_DELIVERED;
}

/* --- the channel ---------------------------------------------------------------- */

#define RING_PAGES ((unsigned int)(sizeof(rings) / PAGE_BYTES))

static bool share_rings(void)
{
	struct {
		struct vmbus_channel_gpadl_header header;
		struct gpa_range range;
		uint64_t pfns[RING_PAGES];
	} __attribute__((packed)) m = {
		.header = {.header.msgtype = CHANNELMSG_GPADL_HEADER,
			   .child_relid = channel.child_relid,
			   .gpadl = RING_GPADL,
			   .range_buflen = 8 + 8 * RING_PAGES,
			   .rangecount = 1},
		.range = {.byte_count = sizeof(rings)},
	};
	union message r;

	memset(rings, 0, sizeof(rings));
	rings[0].feature_bits = HV_RING_FEATURE_PENDING_SEND_SZ;
	rings[1].feature_bits = HV_RING_FEATURE_PENDING_SEND_SZ;
	for (unsigned int i = 0; i < RING_PAGES; i++)
		m.pfns[i] = gpa_of(rings) / PAGE_BYTES + i;
	send(&m, sizeof(m));
	return receive(&r) == CHANNELMSG_GPADL_CREATED &&
	       r.created.gpadl == RING_GPADL && !r.created.creation_status;
}

static bool open_channel(void)
{
	const struct vmbus_channel_open_channel m = {
		.header.msgtype = CHANNELMSG_OPENCHANNEL,
		.child_relid = channel.child_relid,
		.openid = 77,
		.ringbuffer_gpadlhandle = RING_GPADL,
		.target_vp = 0,
		.downstream_ringbuffer_pageoffset = RING_PAGES / 2,
	};
	union message r;

	send(&m, sizeof(m));
	return receive(&r) == CHANNELMSG_OPENCHANNEL_RESULT &&
	       r.opened.openid == 77 && !r.opened.status;
}

static bool close_channel(void)
{
	const struct vmbus_channel_close_channel close = {
		.header.msgtype = CHANNELMSG_CLOSECHANNEL,
		.child_relid = channel.child_relid};
	const struct vmbus_channel_gpadl_teardown teardown = {
		.header.msgtype = CHANNELMSG_GPADL_TEARDOWN,
		.child_relid = channel.child_relid,
		.gpadl = RING_GPADL};
	union message r;

	send(&close, sizeof(close));
	send(&teardown, sizeof(teardown));
	return receive(&r) == CHANNELMSG_GPADL_TORNDOWN &&
	       r.torndown.gpadl == RING_GPADL;
}

/* --- rings: drivers/hv/ring_buffer.c, with one copy loop ------------------------------ */

/* Words of 8 bytes, as all of it is in units of them. */
static uint32_t put_bytes(struct ring *r, uint32_t index, const void *from,
			  uint32_t n)
{
	const uint64_t *words = from;
	uint64_t *data = (void *)r->data;

	for (uint32_t i = 0; i < n / 8; i++) {
		data[index / 8] = words[i];
		index = index + 8 == DATA_BYTES ? 0 : index + 8;
	}
	return index;
}

static uint32_t get_bytes(const struct ring *r, uint32_t index, void *to,
			  uint32_t n)
{
	const uint64_t *data = (const void *)r->data;
	uint64_t *words = to;

	for (uint32_t i = 0; i < n / 8; i++) {
		words[i] = data[index / 8];
		index = index + 8 == DATA_BYTES ? 0 : index + 8;
	}
	return index;
}

static void signal_host(void)
{
	hypercall_fast(HVCALL_SIGNAL_EVENT, channel.connection_id, 0);
	signals_sent++;
}

/* A whole packet; the host always leaves room for the few that are out. */
static void ring_put(const void *packet, uint32_t n)
{
	struct ring *r = &rings[0];
	uint32_t old = r->write_index, at;
	const uint64_t trailer = (uint64_t)old << 32;

	at = put_bytes(r, old, packet, n);
	at = put_bytes(r, at, &trailer, sizeof(trailer));
	__atomic_store_n(&r->write_index, at, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&r->interrupt_mask, __ATOMIC_SEQ_CST) &&
	    r->read_index == old)
		signal_host();
}

/* Wait for a packet; its length, 0: none came. */
static uint32_t ring_get(void *packet, uint32_t max)
{
	struct ring *r = &rings[1];
	struct vmpacket_descriptor d;
	uint64_t trailer;
	uint32_t n, at;

	if (!wait_until(r->write_index != r->read_index, SOON_MS))
		return 0;
	get_bytes(r, r->read_index, &d, sizeof(d));
	n = d.len8 * 8u;
	if (n < sizeof(d) || n > max)
		return 0;
	at = get_bytes(r, r->read_index, packet, n);
	at = get_bytes(r, at, &trailer, sizeof(trailer));
	if (trailer >> 32 != r->read_index)
		return 0;
	__atomic_store_n(&r->read_index, at, __ATOMIC_SEQ_CST);
	return n;
}

/* --- what comes back ------------------------------------------------------------------- */

static uint64_t packet[256], answer[256];

/* Return: bytes of a packet with @n words of payload. */
static uint32_t make_packet(uint16_t type, uint16_t extra_words, uint32_t n,
			    uint64_t id)
{
	const struct vmpacket_descriptor d = {
		.type = type,
		.offset8 = (uint16_t)(2 + extra_words),
		.len8 = (uint16_t)(2 + extra_words + n),
		.flags = id ? VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED : 0,
		.trans_id = id};

	memory_copy(packet, &d, sizeof(d));
	for (uint32_t i = 0; i < n; i++)
		packet[2 + extra_words + i] = id * 1000003 + i;
	return (2 + extra_words + n) * 8;
}

static bool came_back(uint32_t n, uint64_t id)
{
	struct vmpacket_descriptor d;

	if (ring_get(answer, sizeof(answer)) != n)
		return false;
	memory_copy(&d, answer, sizeof(d));
	return d.type == (id ? VM_PKT_COMP : VM_PKT_DATA_INBAND) &&
	       d.trans_id == id && !d.flags &&
	       memory_equal(answer + 2, packet + 2, n - 16);
}

/* One at a time, until both rings have wrapped several times. */
static void test_echo(void)
{
	unsigned int good = 0;

	for (unsigned int i = 0; i < N_PACKETS; i++) {
		uint32_t n =
			make_packet(VM_PKT_DATA_INBAND, 0, 1 + i * 3 % 200, i);

		ring_put(packet, n);
		good += came_back(n, i);
	}
	check_equal(good, N_PACKETS, "each packet comes back as it went");
	check(signals_sent > 0, "the host wanted to be told");
}

static void test_interrupt(void)
{
	uint32_t before, n = make_packet(VM_PKT_DATA_INBAND, 0, 4, 5);

	synic_clear_flag(0, SINT, channel.child_relid);
	before = interrupts_of(0, VECTOR);
	ring_put(packet, n);
	check(wait_until(interrupts_of(0, VECTOR) != before, SOON_MS),
	      "an answer comes with an interrupt");
	check(synic_clear_flag(0, SINT, channel.child_relid),
	      "and the channel's event flag");
	check(came_back(n, 5), "and is there");
	/* Who polls says so, and is left alone. */
	rings[1].interrupt_mask = 1;
	before = interrupts_of(0, VECTOR);
	ring_put(packet, n);
	check(came_back(n, 5), "an answer for who polls");
	clock_wait_ms(QUIET_MS);
	check_equal(interrupts_of(0, VECTOR), before, "and no interrupt");
	rings[1].interrupt_mask = 0;
}

/* What a packet points to: over three pages, not in order. */
static void test_gpa_direct(void)
{
	const uint32_t bytes = 2 * 8 + PAGE_BYTES / 8, offset = PAGE_BYTES - 16;
	struct vmpacket_descriptor d;
	uint32_t n;

	for (unsigned int i = 0; i < sizeof(far_pages); i++)
		((uint8_t *)far_pages)[i] = (uint8_t)(i * 7 + i / PAGE_BYTES);
	n = make_packet(VM_PKT_DATA_USING_GPA_DIRECT, 4, 1, 99);
	packet[2] = 1ull << 32;
	packet[3] = (uint64_t)offset << 32 | bytes;
	packet[4] = gpa_of(far_pages[2]) / PAGE_BYTES;
	packet[5] = gpa_of(far_pages[0]) / PAGE_BYTES;
	ring_put(packet, n);
	n = ring_get(answer, sizeof(answer));
	memory_copy(&d, answer, sizeof(d));
	check(n == 16 + bytes && d.type == VM_PKT_COMP && d.trans_id == 99,
	      "memory that a packet points to: an answer");
	check(memory_equal(answer + 2, &far_pages[2][offset], 16) &&
		      memory_equal(answer + 4, far_pages[0], bytes - 16),
	      "memory that a packet points to: the right bytes");
}

/* The host stops taking when nobody takes from it, and goes on after. */
static void test_full(void)
{
	uint32_t n = make_packet(VM_PKT_DATA_INBAND, 0, 100, 0);
	unsigned int sent = 0, good = 0;

	while (sent < 2 * DATA_BYTES / (n + 8) - 2) {
		ring_put(packet, n);
		sent++;
		wait_until(rings[0].read_index == rings[0].write_index,
			   QUIET_MS);
	}
	check(wait_until(rings[1].pending, SOON_MS),
	      "a full ring: the host says what it waits for");
	while (good < sent) {
		uint32_t pending = rings[1].pending;

		good += came_back(n, 0);
		if (pending)
			signal_host();
	}
	check_equal(good, sent, "a full ring: nothing is lost");
	check(wait_until(!rings[1].pending, SOON_MS),
	      "a full ring: the host waits no more");
}

static void enable_here(void *arg)
{
	(void)arg;
	synic_enable();
	sint_write(SINT, VECTOR);
}

static void test_other_processor(void)
{
	const struct vmbus_channel_modifychannel m = {
		.header.msgtype = CHANNELMSG_MODIFYCHANNEL,
		.child_relid = channel.child_relid,
		.target_vp = 1};
	uint32_t n = make_packet(VM_PKT_DATA_INBAND, 0, 4, 6);
	union message r;

	if (newest < VERSION_WIN10_V5_3)
		return;
	smp_run(1, enable_here, NULL);
	send(&m, sizeof(m));
	check(receive(&r) == CHANNELMSG_MODIFYCHANNEL_RESPONSE &&
		      !r.modified.status,
	      "the channel moves to processor 1");
	synic_clear_flag(0, SINT, channel.child_relid);
	ring_put(packet, n);
	check(wait_until(synic_flag(1, SINT, channel.child_relid), SOON_MS),
	      "its flag is set there");
	check(came_back(n, 6), "and the answer is there");
	check(!synic_flag(0, SINT, channel.child_relid), "and not here");
}

/* A ring that cannot be is the end of the channel, not of the bus. */
static void test_broken(void)
{
	const struct vmbus_channel_relid_released release = {
		.header.msgtype = CHANNELMSG_RELID_RELEASED,
		.child_relid = channel.child_relid};
	union message r;

	rings[0].write_index = 4;
	signal_host();
	check(receive(&r) == CHANNELMSG_RESCIND_CHANNELOFFER,
	      "a bad index: the offer is rescinded");
	send(&release, sizeof(release));
	check(receive(&r) == CHANNELMSG_OFFERCHANNEL,
	      "a bad index: and made again");
	channel = r.offer;
	check(share_rings() && open_channel(), "a bad index: a new start");
}

void guest_main(void)
{
	newest = (uint32_t)argument_number("newest", VERSION_WIN10_V6_0);
	hypercalls_enable();
	enable_here(NULL);
	check(smp_start(), "all processors start");
	check(connect(), "connected");
	check(find_echo(), "the echo is offered");
	for (unsigned int round = 0; round < 2; round++) {
		check(share_rings(), "its rings are shared");
		check(open_channel(), "it is open");
		test_echo();
		test_interrupt();
		test_gpa_direct();
		test_full();
		check(close_channel(), "it is closed, the rings are back");
	}
	check(share_rings() && open_channel(), "it is open again");
	test_other_processor();
	test_broken();
	test_echo();
}
