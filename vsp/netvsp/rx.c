/* SPDX-License-Identifier: MIT */
/*
 * rx.c - frames for the guest: from the back end into sections of its
 * receive buffer, and as ranges of a packet onto the ring.
 *
 * Theory of operation.  Sections are taken from the pool before there are
 * frames, and their pieces stand in one long iovec, the window:
 *
 *	iov: ... | head | piece | piece | piece | ...
 *	                  section at      section at + 1 ...
 *
 * A frame is read into the head, which is private, and the pieces behind it.
 * Then it is known how many sections it took; the window begins behind them,
 * and the last piece of what was used becomes the place of the head.  So a
 * frame costs what it needs, though each might be of the greatest size, and
 * the iovec is not made anew for each.
 *
 * The head is looked at (filter, tag, hash), and is copied to the guest
 * together with the RNDIS header.  The rest is where it belongs already.
 *
 * Frames that take several sections (RSC) become as many RNDIS messages, which
 * say that they belong together; the guest joins them.  It does so only if
 * they are in one packet.
 *
 * Checksums that the host has not computed are computed here: a guest that has
 * turned off its look at what we say of them would drop the frames, and it
 * does not tell us (Linux "ethtool -K rx off").
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/trace.h"
#include "devices/net/offload.h"
#include "proto/hv_tlfs.h"
#include "vsp/netvsp/impl.h"

/* Frames before other tasks of the worker get a turn. */
#define RX_BUDGET        256u
/*
 * Frames that the guest may have at once.  What comes faster than it can take
 * is lost before it has worked for it, not in a socket whose buffer is full:
 * those of Linux have room for some 160 small datagrams (rmem_default).
 */
#define RX_IN_FLIGHT_MAX 128u
/* Batches that nobody has answered at once before it is looked again. */
#define RX_PASS          16u
/* Stale frames that are thrown away when the interface goes up. */
#define RX_STALE_MAX     4096u
/* Payload of a packet: struct nvsp_message up to what it says of RNDIS. */
#define RX_MESSAGE_BYTES 16u

/* --- the window ------------------------------------------------------------ */

/* Bytes of a section that frames are read into. */
static uint32_t capacity(uint32_t section_bytes)
{
	return section_bytes - RX_DATA_AT - RX_TAIL;
}

uint32_t netvsp_section_bytes(uint32_t mtu, bool rsc)
{
	uint32_t bytes = mtu + FRAME_HEADER + FRAME_TAG - RX_HEAD_BYTES +
			 RX_DATA_AT + RX_TAIL;
	uint32_t half = (uint32_t)HV_PAGE_SIZE / 2;

	/* None of them crosses a page, or all end with one. */
	if (bytes <= half && !rsc)
		return half;
	return (uint32_t)((bytes + HV_PAGE_SIZE - 1) & ~(HV_PAGE_SIZE - 1));
}

static unsigned int sections_of(uint32_t section_bytes, uint32_t bytes)
{
	uint32_t each = capacity(section_bytes);

	if (bytes <= RX_HEAD_BYTES + each)
		return 1;
	return 1 + (bytes - RX_HEAD_BYTES - 1) / each;
}

unsigned int netvsp_rx_sections(uint32_t section_bytes)
{
	return sections_of(section_bytes, FRAME_MAX);
}

static uint32_t section_at(const struct netvsp_channel *c, unsigned int i)
{
	return c->window.section[c->window.at + i];
}

/* The pieces of a section, at the end of the window. */
static void append_section(struct netvsp_channel *c, uint32_t section)
{
	struct netvsp_window *w = &c->window;
	struct iovec *iov = &w->iov[1 + w->end * w->pieces];
	uint32_t bytes = c->sections->bytes, at = RX_DATA_AT;

	w->section[w->end++] = section;
	for (unsigned int i = 0; i < w->pieces; i++) {
		uint32_t end = i + 1 < w->pieces
				       ? (i + 1) * (uint32_t)HV_PAGE_SIZE
				       : bytes - RX_TAIL;

		iov[i] = (struct iovec){.iov_base = guest_buffer_at(
						c->recv, section * bytes + at),
					.iov_len = end - at};
		at = end;
	}
}

static void slide(struct netvsp_window *w)
{
	unsigned int n = w->end - w->at;

	memmove(w->section, w->section + w->at, n * sizeof(w->section[0]));
	memmove(w->iov + 1, w->iov + 1 + w->at * w->pieces,
		n * w->pieces * sizeof(w->iov[0]));
	w->at = 0;
	w->end = n;
}

/* Return: is there room for the longest frame? */
static bool fill_window(struct netvsp_channel *c)
{
	struct netvsp_window *w = &c->window;

	if (w->end - w->at >= w->want)
		return true;
	if ((w->at + w->want) * w->pieces > RX_SLIDE)
		slide(w);
	while ((w->end + 1) * w->pieces <= RX_SLIDE) {
		uint32_t section = section_pool_take(c->sections, &c->pool);

		if (section == SECTION_NONE)
			break;
		append_section(c, section);
	}
	return w->end - w->at >= w->want;
}

static void empty_window(struct netvsp_channel *c)
{
	struct netvsp_window *w = &c->window;

	while (w->end > w->at)
		section_pool_put(c->sections, &c->pool, w->section[--w->end]);
	w->at = 0;
	w->end = 0;
}

/* As many sections as a frame can take that the guest wants. */
static void set_window(struct netvsp_channel *c)
{
	struct netvsp_window *w = &c->window;
	const struct offload *o = &c->config.offload;
	uint32_t bytes = c->sections->bytes;

	w->want = o->rsc4 || o->rsc6 ? netvsp_rx_sections(bytes) : 1;
	w->pieces = (bytes + (uint32_t)HV_PAGE_SIZE - 1) / HV_PAGE_SIZE;
}

/* --- packets ----------------------------------------------------------------- */

bool netvsp_batch_has_room(struct netvsp_channel *c, unsigned int n)
{
	struct netvsp_batch *b = &c->batch;

	if (b->n && b->n + n <= c->ranges_max)
		return true;
	if (b->n)
		netvsp_batch_send(c);
	/* What is put in later is smaller; the guest only takes from the ring. */
	return channel_has_room(
		c->ch, c->spare_bytes + 8 + RX_MESSAGE_BYTES +
			       c->ranges_max * (uint32_t)sizeof(b->ranges[0]));
}

void netvsp_batch_add(struct netvsp_channel *c, uint32_t first)
{
	struct netvsp_batch *b = &c->batch;
	struct sections *s = c->sections;
	unsigned int n = 0;

	if (b->n)
		s->next[b->last] = first;
	else
		b->first = first;
	for (uint32_t i = first; i != SECTION_NONE; i = s->next[i]) {
		b->ranges[b->n++] = (struct vmtransfer_page_range){
			.byte_count = s->used[i], .byte_offset = i * s->bytes};
		b->last = i;
		n++;
	}
	b->frames++;
	if (c->is_faulty || c->overtaken.after)
		netvsp_fault_added(c, n);
}

static void empty_batch(struct netvsp_channel *c)
{
	c->batch.n = 0;
	c->batch.frames = 0;
	c->overtaken.after = 0;
}

void netvsp_batch_send(struct netvsp_channel *c)
{
	struct netvsp_batch *b = &c->batch;
	struct nvsp_message m = {
		.msg_type = NVSP_MSG1_TYPE_SEND_RNDIS_PKT,
		.send_rndis_pkt = {.channel_type = NVSP_CHANNEL_DATA,
				   .send_buf_section_index =
					   NETVSC_INVALID_INDEX},
	};
	struct packet_out out = {
		.type = VM_PKT_DATA_USING_XFER_PAGES,
		.wants_completion = true,
		.data = {&m},
		.bytes = {RX_MESSAGE_BYTES},
		.xfer_pageset_id = c->s->recv_id,
		.n_xfer = b->n,
		.xfer = b->ranges,
	};

	if (!b->n)
		return;
	out.trans_id = sections_sent(c->sections, b->first, c->index);
	c->sections->frames[b->first] = b->frames;
	c->in_flight += b->frames;
	empty_batch(c);
	netvsp_count(&c->n.rx_packets, 1);
	/* There was room; if not, the channel is gone, or about to go. */
	if (channel_send_packet(c->ch, &out))
		netvsp_completed(c, out.trans_id);
}

/* --- one frame ----------------------------------------------------------------- */

/* A frame that was read. */
struct rx_frame {
	struct virtio_net_hdr hdr;
	uint32_t bytes;
	struct frame f;
	bool has_hash;
	uint32_t hash;
};

/* Of bytes in pieces, as 16-bit words in the host's order. */
struct rx_sum {
	uint32_t sum;
	bool odd;
};

static void add_sum(struct rx_sum *s, const void *at, size_t bytes)
{
	uint32_t sum = offload_fold(offload_sum(at, bytes, 0));

	if (s->odd)
		sum = (sum & 0xFF) << 8 | sum >> 8;
	s->sum += sum;
	s->odd ^= bytes & 1;
}

/* Compute the checksum that was left to be filled in. */
static void fill_csum(struct netvsp_channel *c, struct rx_frame *r)
{
	uint32_t start = r->hdr.csum_start, left = r->bytes - start;
	uint32_t at = start + r->hdr.csum_offset;
	struct netvsp_window *w = &c->window;
	const struct iovec *iov = &w->iov[1 + w->at * w->pieces];
	struct rx_sum s = {0};
	uint32_t in_head = MIN(r->bytes, RX_HEAD_BYTES) - start;
	uint16_t sum;

	add_sum(&s, w->head + start, in_head);
	for (left -= in_head; left; iov++) {
		size_t len = MIN(left, iov->iov_len);

		add_sum(&s, iov->iov_base, len);
		left -= (uint32_t)len;
	}
	/* UDP has no sum of zero, and TCP's may be either. */
	sum = (uint16_t)~frame_fold(s.sum);
	sum = sum ? sum : 0xFFFF;
	memcpy(w->head + at, &sum, sizeof(sum));
	netvsp_count(&c->n.rx_csum, 1);
}

/* Return: false: the checksum is to be somewhere where it cannot be. */
static bool check_csum(struct netvsp_channel *c, struct rx_frame *r)
{
	uint32_t at = (uint32_t)r->hdr.csum_start + r->hdr.csum_offset;

	if (!(r->hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return true;
	if (at + sizeof(uint16_t) > MIN(r->bytes, RX_HEAD_BYTES))
		return false;
	fill_csum(c, r);
	return true;
}

static uint32_t csum_info(const struct netvsp_channel *c,
			  const struct rx_frame *r)
{
	const struct offload *o = &c->config.offload;
	bool is_ip4 = r->f.ip == 4;

	if (!r->f.l4 || !(r->hdr.flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM |
					  VIRTIO_NET_HDR_F_DATA_VALID)))
		return 0;
	if (r->f.proto == FRAME_PROTO_TCP)
		return (is_ip4 ? o->tcp4 : o->tcp6) ? NDIS_RXCSUM_TCP_SUCCEEDED
						    : 0;
	return (is_ip4 ? o->udp4 : o->udp6) ? NDIS_RXCSUM_UDP_SUCCEEDED : 0;
}

/* What is said of the frame.  Return: behind the items. */
static uint8_t *put_items(struct netvsp_channel *c, const struct rx_frame *r,
			  uint8_t *at)
{
	uint32_t csum = csum_info(c, r);

	if (csum)
		at = ppi_put(at, TCPIP_CHKSUM_PKTINFO, csum);
	if (r->f.tagged)
		at = ppi_put(at, IEEE_8021Q_INFO,
			     NDIS_8021Q_INFO((uint32_t)r->f.tci >> 13,
					     (uint32_t)r->f.tci >> 12 & 1u,
					     (uint32_t)r->f.tci & 0xFFFu));
	if (r->has_hash)
		at = ppi_put(at, NBL_HASH_VALUE, r->hash);
	return at;
}

static uint8_t *put_fragment_id(uint8_t *at, uint8_t flags, uint16_t id)
{
	struct rndis_pktinfo_id info = {
		.ver = RNDIS_PKTINFO_ID_V1,
		.flag = RNDIS_PKTINFO_SUBALLOC | flags,
		.pkt_id = id,
	};
	uint32_t data;

	memcpy(&data, &info, sizeof(data));
	return ppi_put(at, RNDIS_PKTINFO_ID, data);
}

/* The RNDIS header of a section whose items end at @end. */
static void put_header(uint8_t *message, const uint8_t *end, uint32_t data_at,
		       uint32_t data_bytes)
{
	uint32_t items = (uint32_t)(end - message) -
			 (uint32_t)sizeof(struct rndis_header) -
			 (uint32_t)sizeof(struct rndis_packet);
	struct {
		struct rndis_header h;
		struct rndis_packet p;
	} __attribute__((packed)) m = {
		.h = {.msg_type = RNDIS_MSG_PACKET,
		      .msg_len = data_at + data_bytes},
		.p = {.data_offset = data_at - (uint32_t)sizeof(m.h),
		      .data_len = data_bytes,
		      .per_pkt_info_offset = items ? (uint32_t)sizeof(m.p) : 0,
		      .per_pkt_info_len = items},
	};

	memcpy(message, &m, sizeof(m));
}

#define RX_ITEMS_AT (sizeof(struct rndis_header) + sizeof(struct rndis_packet))

_Static_assert(RX_ITEMS_AT + 4ul * PPI_BYTES <= RX_HEAD_AT,
	       "all items are before the frame's head");

/*
 * The guest's memory before a section's first piece, which is in one page with
 * it.  It is written to, never read.
 */
static uint8_t *message_at(const struct netvsp_channel *c, unsigned int i)
{
	const struct netvsp_window *w = &c->window;
	const struct iovec *iov = &w->iov[1 + (w->at + i) * w->pieces];

	return (uint8_t *)iov->iov_base - RX_DATA_AT;
}

/* The first section: what is said of the frame, and its head. */
static void put_first(struct netvsp_channel *c, const struct rx_frame *r,
		      uint32_t bytes)
{
	uint32_t data_at = RX_HEAD_AT;
	const uint8_t *head = c->window.head;
	uint32_t in_head = MIN(r->bytes, RX_HEAD_BYTES);
	uint32_t behind = FRAME_TAG_AT + FRAME_TAG;
	uint8_t *m = message_at(c, 0);
	uint8_t *end = put_items(c, r, m + RX_ITEMS_AT);

	if (bytes < r->bytes)
		end = put_fragment_id(end, RNDIS_PKTINFO_1ST_FRAG, c->rsc_id);
	memset(end, 0, (size_t)(m + RX_HEAD_AT - end));
	if (r->f.tagged) {
		/* The tag is among the items, and comes out. */
		data_at += FRAME_TAG;
		bytes -= FRAME_TAG;
		memset(m + RX_HEAD_AT, 0, FRAME_TAG);
		memcpy(m + data_at, head, FRAME_TAG_AT);
		memcpy(m + data_at + FRAME_TAG_AT, head + behind,
		       MAX(in_head, behind) - behind);
	} else {
		memcpy(m + RX_HEAD_AT, head, in_head);
	}
	put_header(m, end, data_at, bytes);
	c->sections->used[section_at(c, 0)] = data_at + bytes;
}

/* Another section of the same frame. */
static void put_next(struct netvsp_channel *c, unsigned int i, uint32_t bytes,
		     bool is_last)
{
	uint8_t *m = message_at(c, i);

	put_header(m,
		   put_fragment_id(m + RX_ITEMS_AT,
				   is_last ? RNDIS_PKTINFO_LAST_FRAG : 0,
				   c->rsc_id),
		   RX_DATA_AT, bytes);
	c->sections->used[section_at(c, i)] = RX_DATA_AT + bytes;
}

/* Return: how many sections it has; they are a chain now. */
static unsigned int put_frame(struct netvsp_channel *c,
			      const struct rx_frame *r)
{
	uint32_t each = capacity(c->sections->bytes);
	uint32_t first = MIN(r->bytes, RX_HEAD_BYTES + each);
	uint32_t left = r->bytes - first;
	unsigned int n = 1;

	put_first(c, r, first);
	for (; left; n++) {
		uint32_t bytes = MIN(left, each);

		left -= bytes;
		put_next(c, n, bytes, !left);
		sections_chain(c->sections, section_at(c, n - 1),
			       section_at(c, n));
	}
	if (n > 1) {
		c->rsc_id++;
		netvsp_count(&c->n.rx_rsc, 1);
	}
	return n;
}

/* The channel that the guest wants it on, if that takes it. */
static bool move_frame(struct netvsp_channel *c, const struct rx_frame *r,
		       uint32_t first)
{
	unsigned int to;

	if (!r->has_hash)
		return false;
	to = rss_channel(c->config.rss, r->hash);
	if (to == c->index || !netvsp_mail_frame(c->s->channels[to], first))
		return false;
	netvsp_count(&c->n.rx_moved, 1);
	return true;
}

/* A frame is in the window: is it the guest's, and what is it? */
static void deliver(struct netvsp_channel *c, struct rx_frame *r)
{
	struct netvsp_window *w = &c->window;
	enum frame_cast cast = frame_cast(w->head);
	uint32_t first = section_at(c, 0);
	unsigned int n;

	if (r->bytes < FRAME_MIN ||
	    !filter_accepts(&c->config.filter, w->head)) {
		netvsp_count(&c->n.rx_filtered, 1);
		return;
	}
	if (netvsp_fault_frame(c))
		return;
	frame_parse(w->head, MIN(r->bytes, RX_HEAD_BYTES), &r->f);
	if (!check_csum(c, r)) {
		netvsp_count(&c->n.rx_long, 1);
		return;
	}
	r->has_hash = c->config.rss->enabled &&
		      rss_hash(c->config.rss, w->head, &r->f, &r->hash);
	n = put_frame(c, r);
	if (c->is_faulty)
		netvsp_fault_put(c, first);
	w->at += n;
	trace_event(frame_rx, TRACE_NO_VP, channel_trace(c->ch), r->bytes,
		    sections_of(c->sections->bytes, r->bytes));
	netvsp_count(&c->n.rx_frames[cast], 1);
	netvsp_count(&c->n.rx_bytes[cast], r->bytes);
	if (r->f.tagged)
		netvsp_count(&c->n.rx_vlan, 1);
	if (!move_frame(c, r, first))
		netvsp_batch_add(c, first);
}

/* --- receiving ------------------------------------------------------------------ */

/* Read one frame.  Return: as net_queue_recv(). */
static ssize_t read_frame(struct netvsp_channel *c, struct rx_frame *r)
{
	struct netvsp_window *w = &c->window;
	struct iovec *iov = &w->iov[w->at * w->pieces];
	unsigned int n = (unsigned int)(w->want * w->pieces);
	ssize_t bytes;

	iov->iov_base = w->head;
	iov->iov_len = sizeof(w->head);
	bytes = net_queue_recv(c->queue, &r->hdr, iov, 1 + n);
	r->bytes = bytes > 0 ? (uint32_t)bytes : 0;
	return bytes;
}

/* Return: is there perhaps more?  Not when it cannot be taken now. */
static bool receive_some(struct netvsp_channel *c)
{
	for (unsigned int i = 0; i < RX_BUDGET; i++) {
		struct rx_frame r;
		ssize_t bytes;

		if (c->in_flight + c->batch.frames >= RX_IN_FLIGHT_MAX) {
			c->full = true;
			return false;
		}
		if (!fill_window(c)) {
			c->starved = true;
			netvsp_count(&c->n.rx_no_buffer, 1);
			return false;
		}
		if (!netvsp_batch_has_room(c, c->window.want)) {
			c->blocked = true;
			return false;
		}
		bytes = read_frame(c, &r);
		if (bytes == -EAGAIN)
			return false;
		if (bytes > 0)
			deliver(c, &r);
		else
			netvsp_count(&c->n.rx_long, 1);
	}
	return true;
}

/* Frames stay in the back end until netvsp_rx_resume(). */
static bool must_wait(const struct netvsp_channel *c)
{
	return c->starved || c->blocked || c->full;
}

static void receive(struct netvsp_channel *c)
{
	bool more;

	if (!c->is_receiving || must_wait(c))
		return;
	channel_hold(c->ch);
	more = receive_some(c);
	netvsp_batch_send(c);
	channel_unhold(c->ch);
	netvsp_rx_watch(c);
	if (more)
		worker_queue(c->worker, &c->receive);
}

/*
 * What is on this host may have answered before the frame's completion is
 * shown to the guest, which then has both with one interrupt.  Where nobody
 * has, it is not asked each time.
 */
void netvsp_rx_answers(struct netvsp_channel *c)
{
	uint64_t before = c->n.rx_packets;

	if (c->pass) {
		c->pass--;
		return;
	}
	receive(c);
	if (c->n.rx_packets == before)
		c->pass = RX_PASS;
}

void netvsp_run_receive(struct worker_task *task)
{
	receive(NETVSP_CHANNEL_OF(task, receive));
}

void netvsp_on_queue(struct worker_fd *fd, uint32_t events)
{
	struct netvsp_channel *c = NETVSP_CHANNEL_OF(fd, fd);

	(void)events;
	net_queue_kick(c->queue);
	netvsp_tx_ready(c);
	receive(c);
}

static void wait_no_more(struct netvsp_channel *c)
{
	c->starved = false;
	c->blocked = false;
	c->full = false;
	netvsp_rx_watch(c);
}

void netvsp_rx_resume(struct netvsp_channel *c)
{
	if (!must_wait(c) || (c->full && c->in_flight > RX_IN_FLIGHT_MAX / 2))
		return;
	wait_no_more(c);
	worker_queue(c->worker, &c->receive);
	worker_queue(c->worker, &c->mail_task);
}

void netvsp_rx_watch(struct netvsp_channel *c)
{
	unsigned int what = 0;

	if (!c->queue)
		return;
	if (c->is_receiving && !must_wait(c))
		what |= NET_WATCH_RECV;
	if (c->held)
		what |= NET_WATCH_SEND;
	net_queue_watch(c->queue, what);
}

/* What came while nobody wanted it is too old. */
static void throw_away_stale(struct netvsp_channel *c)
{
	struct iovec iov = {.iov_base = c->window.head,
			    .iov_len = sizeof(c->window.head)};
	struct virtio_net_hdr hdr;

	for (unsigned int i = 0; i < RX_STALE_MAX; i++) {
		if (net_queue_recv(c->queue, &hdr, &iov, 1) == -EAGAIN)
			break;
	}
}

void netvsp_rx_update(struct netvsp_channel *c)
{
	bool wanted = c->is_open && c->queue && c->recv && c->config.up &&
		      !c->config.parting;

	if (wanted) {
		if (!c->is_receiving)
			throw_away_stale(c);
		/* What is in there has the size that frames had before. */
		empty_window(c);
		set_window(c);
	}
	c->is_receiving = wanted;
	wait_no_more(c);
	/* What others have brought goes on in any case. */
	worker_queue(c->worker, &c->mail_task);
	if (wanted)
		worker_queue(c->worker, &c->receive);
}

void netvsp_rx_reset(struct netvsp_channel *c)
{
	if (c->sections)
		empty_window(c);
	empty_batch(c);
	netvsp_rx_update(c);
}
