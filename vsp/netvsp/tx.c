/* SPDX-License-Identifier: MIT */
/*
 * tx.c - RNDIS messages of the guest; frames among them go to the back
 * end.
 *
 * A packet has bytes in a section of the send buffer, in pages that it names,
 * or in both, one after the other.  They are several RNDIS messages, which are
 * walked by their lengths: each header is copied, checked, and used.  Linux
 * since 6.14 has headers that cross pages.
 *
 * When the back end has no room, the packet is not taken: it stays in the
 * ring, where the guest sees that it is full.  How many of its frames have
 * gone is remembered, as it comes anew.  After some time frames are lost
 * instead, as a wire would: requests wait behind them, and the guest waits for
 * those with a lock held.
 */
#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/findings.h"
#include "base/trace.h"
#include "mem/gmem.h"
#include "vsp/net/ppi.h"
#include "vsp/net/stream.h"
#include "vsp/netvsp/impl.h"

#define HOLD_NS_DEFAULT (500 * NSEC_PER_MSEC)
/* Items of a frame, all together. */
#define ITEMS_MAX       256u
/* Pieces of a packet: of a section, and of its ranges. */
#define PIECES_MAX      512u
#define SECTION_PIECES  3u

/* The beginning of a message with a frame. */
struct packet_head {
	struct rndis_header h;
	struct rndis_packet p;
} __attribute__((packed));

/* --- one frame --------------------------------------------------------------- */

static void count_frame(struct netvsp_channel *c, const struct stream *data,
			const struct tx_info *info, uint32_t bytes)
{
	uint8_t to[FRAME_MAC_BYTES];
	enum frame_cast cast;

	stream_peek(data, to, sizeof(to));
	cast = frame_cast(to);
	trace_event(frame_tx, TRACE_NO_VP, channel_trace(c->ch), bytes,
		    info->has_csum | info->has_lso << 1 | info->has_vlan << 2);
	netvsp_count(&c->n.tx_frames[cast], 1);
	netvsp_count(&c->n.tx_bytes[cast], bytes);
	if (info->has_lso)
		netvsp_count(&c->n.tx_lso, 1);
	else if (info->has_csum)
		netvsp_count(&c->n.tx_csum, 1);
	if (info->has_vlan)
		netvsp_count(&c->n.tx_vlan, 1);
	netvsp_milestone(c->s, &c->s->had_tx, c->s->params.sent);
}

/* Wait for the back end, or give up.  Return: -EAGAIN; 0 the frame is lost. */
static int hold(struct netvsp_channel *c)
{
	uint64_t ns =
		c->s->params.hold_ns ? c->s->params.hold_ns : HOLD_NS_DEFAULT;

	c->held = true;
	if (c->losing) {
		netvsp_count(&c->n.tx_lost, 1);
		return 0;
	}
	worker_timer_set(c->worker, &c->hold, clock_monotonic_ns() + ns);
	netvsp_rx_watch(c);
	return -EAGAIN;
}

/* Return: 0, the frame has gone one way or the other; -EAGAIN; -EPROTO. */
static int send_frame(struct netvsp_channel *c, const struct tx_info *info,
		      const struct stream *data, uint32_t bytes)
{
	struct tx_frame *t = &c->frame;
	struct iovec iov[NET_IOV_MAX];
	struct stream rest = *data;
	unsigned int n = 0, n_rest;
	int err = tx_frame_prepare(t, info, data, bytes);

	if (err)
		return err;
	if (t->head_bytes)
		iov[n++] = (struct iovec){.iov_base = (uint8_t *)t->head,
					  .iov_len = t->head_bytes};
	if (bytes > t->skip) {
		stream_skip(&rest, t->skip);
		n_rest = stream_slice(&rest, bytes - t->skip, iov + n,
				      NET_IOV_MAX - n);
		if (!n_rest)
			return -EPROTO;
		n += n_rest;
	}
	err = net_queue_send(c->queue, &t->hdr, iov, n);
	if (err == -EAGAIN)
		return hold(c);
	if (err) {
		netvsp_count(&c->n.tx_lost, 1);
		return 0;
	}
	c->kick = true;
	c->losing = false;
	count_frame(c, data, info, bytes);
	return 0;
}

/* --- messages ------------------------------------------------------------------ */

static bool is_message(const struct packet_head *m, size_t left)
{
	uint32_t body;

	if (m->h.msg_type != RNDIS_MSG_PACKET || m->h.msg_len < sizeof(*m) ||
	    m->h.msg_len > left)
		return false;
	body = m->h.msg_len - (uint32_t)sizeof(m->h);
	if (!range_fits(m->p.data_offset, m->p.data_len, body) ||
	    m->p.data_len < FRAME_MIN || m->p.data_len > FRAME_MAX)
		return false;
	if (!m->p.per_pkt_info_len)
		return true;
	return m->p.per_pkt_info_len <= ITEMS_MAX &&
	       m->p.per_pkt_info_offset >= sizeof(m->p) &&
	       range_fits(m->p.per_pkt_info_offset, m->p.per_pkt_info_len,
			  body);
}

/* Return: is the list of items good? */
static bool read_items(const struct packet_head *m, const struct stream *s,
		       struct tx_info *info)
{
	uint8_t items[ITEMS_MAX];
	struct stream at = *s;

	*info = (struct tx_info){0};
	if (!m->p.per_pkt_info_len)
		return true;
	stream_skip(&at, sizeof(m->h) + m->p.per_pkt_info_offset);
	stream_peek(&at, items, m->p.per_pkt_info_len);
	return ppi_parse(items, m->p.per_pkt_info_len, info);
}

/* The message at @s.  Return: as send_frame(). */
static int send_message(struct netvsp_channel *c, const struct packet_head *m,
			const struct stream *s)
{
	struct stream data = *s;
	struct tx_info info;

	if (!read_items(m, s, &info))
		return -EPROTO;
	stream_skip(&data, sizeof(m->h) + m->p.data_offset);
	return send_frame(c, &info, &data, m->p.data_len);
}

/*
 * All messages of a packet, but those that have gone already.
 * Return: 0; -EAGAIN; -EPROTO a bad one, and the rest is not looked at.
 */
static int send_messages(struct netvsp_channel *c, struct stream s)
{
	unsigned int n = 0;

	do {
		struct packet_head m;
		int err;

		if (s.left < sizeof(m) || n == NETVSP_MESSAGES_MAX)
			return -EPROTO;
		stream_peek(&s, &m, sizeof(m));
		if (!is_message(&m, s.left))
			return -EPROTO;
		err = n < c->done_frames ? 0 : send_message(c, &m, &s);
		if (err == -EAGAIN)
			c->done_frames = n;
		if (err)
			return err;
		stream_skip(&s, m.h.msg_len);
		n++;
		/* Linux pads all messages but the last. */
	} while (s.left >= sizeof(struct rndis_header));
	return 0;
}

static uint32_t send_data(struct netvsp_channel *c, const struct stream *s,
			  int *err)
{
	*err = 0;
	if (c->config.halted) {
		/* Linux, which unloads its driver, would complain of an error. */
		netvsp_count(&c->n.tx_lost, 1);
		return NVSP_STAT_SUCCESS;
	}
	if (!c->config.ready || !c->queue)
		return NVSP_STAT_FAIL;
	*err = send_messages(c, *s);
	if (*err == -EAGAIN)
		return 0;
	c->done_frames = 0;
	if (*err) {
		*err = 0;
		netvsp_count(&c->n.tx_bad, 1);
		findings_hit(FINDING_RNDIS_LENGTH, channel_name(c->ch),
			     "in a packet of %zu bytes", (size_t)s->left);
		return NVSP_STAT_INVALID_RNDIS_PKT;
	}
	return NVSP_STAT_SUCCESS;
}

static uint32_t take_control(struct netvsp_channel *c, const struct stream *s)
{
	struct netvsp *card = c->s;
	uint32_t bytes = (uint32_t)MIN(s->left, NETVSP_CONTROL_BYTES);

	if (!netvsp_is_primary(c))
		return NVSP_STAT_INVALID_RNDIS_PKT;
	stream_peek(s, card->request, bytes);
	trace_bytes(netvsc_rndis, TRACE_NO_VP, channel_trace(c->ch),
		    card->request, MIN(bytes, TRACE_RNDIS_BYTES),
		    TRACE_FROM_GUEST, bytes);
	return netvsp_control(card, card->request, bytes);
}

/* --- packets --------------------------------------------------------------------- */

/* Pieces of a packet's bytes.  Return: number; 0: it is not as it should be. */
static unsigned int map_packet(struct netvsp_channel *c,
			       const struct packet *packet,
			       const struct nvsp_1_message_send_rndis_packet *m,
			       struct iovec *iov)
{
	unsigned int n = 0;
	int ret;

	if (m->send_buf_section_index != NETVSC_INVALID_INDEX) {
		uint64_t at = (uint64_t)m->send_buf_section_index *
			      NETVSP_SEND_SECTION_BYTES;

		if (!c->send || at >= guest_buffer_bytes(c->send) ||
		    m->send_buf_section_size > NETVSP_SEND_SECTION_BYTES)
			return 0;
		n = guest_buffer_iov(c->send, (uint32_t)at,
				     m->send_buf_section_size, iov,
				     SECTION_PIECES);
		if (!n)
			return 0;
	}
	if (packet->type != VM_PKT_DATA_USING_GPA_DIRECT)
		return n;
	ret = gpa_ranges_iov(c->s->mem, &packet->gpa, iov + n, PIECES_MAX - n);
	return ret < 0 ? 0 : n + (unsigned int)ret;
}

static int complete(struct netvsp_channel *c, const struct packet *packet,
		    uint32_t status)
{
	struct nvsp_message m = {
		.msg_type = NVSP_MSG1_TYPE_SEND_RNDIS_PKT_COMPLETE,
		.send_rndis_pkt_complete.status = status,
	};

	if (status != NVSP_STAT_SUCCESS) {
		netvsp_count(&c->n.refused, 1);
		trace_bytes(netvsc_message, TRACE_NO_VP, channel_trace(c->ch),
			    &m, 8, TRACE_TO_GUEST, packet->trans_id);
	}
	if (!packet->wants_completion)
		return 0;
	return channel_complete(c->ch, packet->trans_id, &m, 8);
}

int netvsp_transmit(struct netvsp_channel *c, const struct packet *packet,
		    const struct nvsp_1_message_send_rndis_packet *m)
{
	struct iovec iov[PIECES_MAX];
	struct gmem_pin *pin;
	struct stream s;
	uint32_t status;
	unsigned int n;
	int err = 0;

	if (!channel_has_room(c->ch, 8))
		return -EAGAIN;
	n = map_packet(c, packet, m, iov);
	if (!n) {
		findings_hit(FINDING_NETWORK_BUFFER, channel_name(c->ch),
			     "section 0x%x of %u bytes",
			     m->send_buf_section_index,
			     m->send_buf_section_size);
		return complete(c, packet, NVSP_STAT_FAIL);
	}
	pin = gmem_pin(c->s->mem, iov, n);
	s = stream_init(iov, n);
	if (m->channel_type == NVSP_CHANNEL_DATA)
		status = send_data(c, &s, &err);
	else
		status = take_control(c, &s);
	gmem_unpin(c->s->mem, pin);
	if (!err)
		err = complete(c, packet, status);
	if (netvsp_is_primary(c) && c->s->n_replies)
		netvsp_send_replies(c->s);
	return err;
}

/* --- waiting for the back end -------------------------------------------------------- */

void netvsp_tx_ready(struct netvsp_channel *c)
{
	if (!c->held)
		return;
	c->held = false;
	worker_timer_stop(c->worker, &c->hold);
	netvsp_rx_watch(c);
	channel_resume(c->ch);
}

void netvsp_run_hold(struct worker_timer *timer)
{
	struct netvsp_channel *c = NETVSP_CHANNEL_OF(timer, hold);

	c->losing = true;
	channel_resume(c->ch);
}

void netvsp_tx_reset(struct netvsp_channel *c)
{
	c->held = false;
	c->losing = false;
	c->kick = false;
	c->done_frames = 0;
	worker_timer_stop(c->worker, &c->hold);
}
