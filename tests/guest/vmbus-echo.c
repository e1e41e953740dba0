/* SPDX-License-Identifier: MIT */
/*
 * vmbus-echo.c - one channel of VMbus and packets through both of its rings,
 * with the host's echo device at the other end.
 *
 * Arguments: newest=, the newest version that the profile speaks; restarts:
 * the machine is reset a few times while packets are on their way first.
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

#define SINT     VMBUS_MESSAGE_SINT
#define OPENID   0x77u
/* More than fits into both rings. */
#define MANY     1400u
#define RESTARTS 3u

static const struct guid echo_class = KVMBUS_ECHO_GUID;

static struct vmbus_channel ch;
static struct vmbus_packet packet;
static uint8_t data[CHANNEL_PACKET_MAX];
static uint32_t newest;

/* --- opening ------------------------------------------------------------------ */

/* Take an offer; true: it is that of the echo device without a monitor. */
static bool take_offer(const struct vmbus_channel_offer_channel *m)
{
	if (!memory_equal(&m->offer.if_type, &echo_class, sizeof(echo_class)) ||
	    m->monitor_allocated)
		return false;
	ch.relid = m->child_relid;
	ch.connection_id = m->connection_id;
	return true;
}

static bool find_offer(void)
{
	union vmbus_message m;
	bool found = false;

	vmbus_send_empty(CHANNELMSG_REQUESTOFFERS);
	while (vmbus_receive(&m) == CHANNELMSG_OFFERCHANNEL)
		found = take_offer(&m.offer) || found;
	return found && m.header.msgtype == CHANNELMSG_ALLOFFERS_DELIVERED;
}

static bool open_channel(void)
{
	union vmbus_message m;

	ch.vp = 0;
	if (!channel_share(&ch))
		return false;
	channel_send_open(&ch, OPENID);
	return vmbus_receive(&m) == CHANNELMSG_OPENCHANNEL_RESULT &&
	       m.opened.child_relid == ch.relid && m.opened.openid == OPENID &&
	       !m.opened.status;
}

static void close_channel(void)
{
	const struct vmbus_channel_close_channel m = {
		.header.msgtype = CHANNELMSG_CLOSECHANNEL,
		.child_relid = ch.relid};

	vmbus_send(&m, sizeof(m));
}

/* --- packets -------------------------------------------------------------------- */

static void fill(uint32_t seed, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		data[i] = (uint8_t)(seed + i * 7);
}

static bool get_soon(void)
{
	return wait_until(channel_get(&ch, &packet), SOON_MS);
}

/* Does the packet that came hold what was sent, and zeros or less behind? */
static bool is_same(uint32_t bytes)
{
	return packet.bytes >= bytes && packet.bytes - bytes < 8 &&
	       memory_equal(packet.payload, data, bytes);
}

static bool echo(uint32_t seed, uint32_t bytes)
{
	fill(seed, bytes);
	return channel_put_inband(&ch, 0, false, data, bytes) && get_soon() &&
	       packet.d.type == VM_PKT_DATA_INBAND && is_same(bytes);
}

static void test_first(void)
{
	uint32_t before = interrupts_of(0, VMBUS_VECTOR);

	check(echo(1, 40), "a packet comes back");
	check(wait_until(interrupts_of(0, VMBUS_VECTOR) == before + 1, SOON_MS),
	      "with an interrupt");
	check(synic_clear_flag(0, SINT, ch.relid), "and the channel's flag");
	check(!channel_get(&ch, &packet), "once");
}

static void test_sizes(void)
{
	unsigned int bad = 0;

	/* Together several times the ring, so that packets wrap. */
	for (uint32_t bytes = 1; bytes < 2000; bytes += 29)
		bad += !echo(bytes, bytes);
	check_equal(bad, 0, "packets of every size, around the ring");
	check(echo(3, CHANNEL_PACKET_MAX), "a packet of 8 KiB");
}

static void test_completion(void)
{
	unsigned int bad = 0;

	for (uint32_t i = 1; i <= 20; i++) {
		uint64_t id = (uint64_t)i << 40 | i;

		fill(i, 24);
		bad += !channel_put_inband(&ch, id, true, data, 24) ||
		       !get_soon() || packet.d.type != VM_PKT_COMP ||
		       packet.d.trans_id != id || !is_same(24);
	}
	check_equal(bad, 0, "completions have the packet's id");
}

static void test_memory(void)
{
	static uint8_t page[2 * PAGE_BYTES]
		__attribute__((aligned(PAGE_BYTES)));
	const struct {
		uint32_t reserved, range_cnt;
		struct gpa_range range;
		uint64_t pfns[2];
	} __attribute__((packed))
	where = {.range_cnt = 1,
		 .range = {.byte_count = 300, .byte_offset = PAGE_BYTES - 100},
		 .pfns = {gpa_of(page) / PAGE_BYTES + 1,
			  gpa_of(page) / PAGE_BYTES}};
	const struct vmpacket_descriptor d = {
		.type = VM_PKT_DATA_USING_GPA_DIRECT,
		.flags = VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED,
		.trans_id = 0x1234};

	fill(9, 300);
	/* The pages are not in order. */
	memory_copy(page + 2 * PAGE_BYTES - 100, data, 100);
	memory_copy(page, data + 100, 200);
	check(channel_put(&ch, &d, &where, sizeof(where), NULL, 0) &&
		      get_soon() && packet.d.trans_id == 0x1234,
	      "a packet that points to memory is completed");
	check(is_same(300), "with what is there, over two pages");
}

/* --- signals --------------------------------------------------------------------- */

static void test_masked(void)
{
	uint32_t before;

	synic_clear_flag(0, SINT, ch.relid);
	before = interrupts_of(0, VMBUS_VECTOR);
	ch.in->interrupt_mask = 1;
	memory_barrier();
	check(echo(5, 16), "masked: the packet comes back");
	clock_wait_ms(QUIET_MS);
	check_equal(interrupts_of(0, VMBUS_VECTOR), before,
		    "masked: without an interrupt");
	ch.in->interrupt_mask = 0;
}

/* Take what came; tell a host that waits for room. */
static uint32_t drain(uint32_t from)
{
	uint32_t n = from;

	while (channel_get(&ch, &packet))
		n += *(const uint32_t *)(const void *)packet.payload == n;
	memory_barrier();
	if (ch.in->pending_send_sz)
		channel_signal(&ch);
	return n;
}

static void test_full(void)
{
	uint32_t sent = 0, got = 0;
	bool was_full = false;

	while (sent < MANY) {
		memory_copy(data, &sent, sizeof(sent));
		if (channel_put_inband(&ch, 0, false, data, 64)) {
			sent++;
			continue;
		}
		/*
		 * Nothing is taken until neither ring has room; but the host
		 * may just have taken all that there was.
		 */
		if (!wait_until(ch.out->read_index == ch.out->write_index ||
					ch.in->pending_send_sz,
				SOON_MS))
			break;
		if (ch.in->pending_send_sz) {
			was_full = true;
			got = drain(got);
		}
	}
	wait_until((got = drain(got)) == sent, SOON_MS);
	check(was_full, "full: the host waits for room, and says so");
	check_equal(sent, MANY, "full: and goes on when there is some");
	check_equal(got, sent, "full: nothing is lost, all in order");
}

static void test_move(void)
{
	const struct vmbus_channel_modifychannel m = {
		.header.msgtype = CHANNELMSG_MODIFYCHANNEL,
		.child_relid = ch.relid,
		.target_vp = 1};
	union vmbus_message answer;
	uint32_t own, other;

	if (newest < VERSION_WIN10_V5_3) {
		tap_skip("not in this version", "moved");
		return;
	}
	vmbus_send(&m, sizeof(m));
	check(vmbus_receive(&answer) == CHANNELMSG_MODIFYCHANNEL_RESPONSE &&
		      answer.modified.child_relid == ch.relid &&
		      !answer.modified.status,
	      "moved: an answer");
	synic_clear_flag(0, SINT, ch.relid);
	own = interrupts_of(0, VMBUS_VECTOR);
	other = interrupts_of(1, VMBUS_VECTOR);
	check(echo(6, 16), "moved: the packet comes back");
	check(wait_until(interrupts_of(1, VMBUS_VECTOR) == other + 1, SOON_MS),
	      "moved: the interrupt is at the other processor");
	check(synic_clear_flag(1, SINT, ch.relid), "moved: so is the flag");
	check_equal(interrupts_of(0, VMBUS_VECTOR), own,
		    "moved: and not where it was");
}

/* --- the end of a channel ------------------------------------------------------------ */

static void test_reopen(void)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < 5; i++) {
		close_channel();
		bad += !channel_unshare(&ch) || !open_channel() ||
		       !echo(i, 100);
	}
	check_equal(bad, 0, "closed and opened again, five times");
}

static const struct {
	const char *what;
	uint32_t write_index;
} faults[] = {
	{"an index beyond the ring", 0xFFFFFFF8},
	{"an index that is no multiple of 8", 4},
	{"a packet of nothing", 64},
};

/* A ring that is against the rules: the device goes, and comes again. */
static void test_fault(unsigned int i)
{
	const struct vmbus_channel_relid_released released = {
		.header.msgtype = CHANNELMSG_RELID_RELEASED,
		.child_relid = ch.relid};
	union vmbus_message m;

	memset(ch.out_data, 0, CHANNEL_RING_BYTES);
	ch.out->write_index =
		faults[i].write_index == 64
			? (ch.out->write_index + 64) % CHANNEL_RING_BYTES
			: faults[i].write_index;
	memory_barrier();
	channel_signal(&ch);
	check(vmbus_receive(&m) == CHANNELMSG_RESCIND_CHANNELOFFER &&
		      m.rescind.child_relid == ch.relid,
	      "%s: the channel is taken away", faults[i].what);
	/* As Linux: the GPADL goes with the offer. */
	close_channel();
	vmbus_send(&released, sizeof(released));
	check(vmbus_receive(&m) == CHANNELMSG_OFFERCHANNEL &&
		      take_offer(&m.offer),
	      "%s: and offered again", faults[i].what);
	check(open_channel() && echo(i, 64), "%s: and works", faults[i].what);
}

static void restart_at(unsigned int stage)
{
	if (stage < RESTARTS) {
		if (vmbus_connect(newest) && find_offer() && open_channel())
			while (channel_put_inband(&ch, 0, false, data, 512))
				continue;
		stage_reset();
	}
	stage_end();
	check(true, "reset with packets on their way");
}

static void enable_here(void *arg)
{
	(void)arg;
	vmbus_enable();
}

void guest_main(void)
{
	newest = (uint32_t)argument_number("newest", VERSION_WIN10_V6_0);
	hypercalls_enable();
	vmbus_enable();
	if (argument_given("restarts"))
		restart_at(stage_enter());
	check(smp_start() && smp_run(1, enable_here, NULL),
	      "all processors start");
	check(vmbus_connect(newest), "connected");
	check(find_offer(), "the echo device is offered");
	check(open_channel(), "opened");
	test_first();
	test_sizes();
	test_completion();
	test_memory();
	test_masked();
	test_full();
	test_move();
	test_reopen();
	/* Each takes a second. */
	for (unsigned int i = 0; i < sizeof(faults) / sizeof(faults[0]) &&
				 !argument_given("restarts");
	     i++)
		test_fault(i);
	vmbus_send_empty(CHANNELMSG_UNLOAD);
	check_equal(vmbus_receive(&(union vmbus_message){0}),
		    CHANNELMSG_UNLOAD_RESPONSE,
		    "unload is answered with a channel open");
	check(vmbus_nothing_more(0), "and that is all");
}
