/* SPDX-License-Identifier: MIT */
/*
 * protocol.c - NVSP messages of the guest, but for what is in RNDIS;
 * opening and closing.
 *
 * The guest offers versions until one is taken, says what it can do, shares
 * its buffers, and talks RNDIS.  Out of turn, or with a message that is not
 * known, it is refused by a status; a packet too short for what it says that
 * it is ends the channel.
 *
 * Sub-channels are offered when they are asked for.  Each has its queue of the
 * back end only while it is open, so that no frames go to a queue that nobody
 * reads.  When the last is open the guest is told which hash to send where.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/coverage.h"
#include "base/findings.h"
#include "base/log.h"
#include "base/trace.h"
#include "vsp/netvsp/impl.h"

#define LOG_CATEGORY "net"

/* Of the ring to the guest: a share for one packet with frames, for answers. */
#define RING_SHARE           4u
#define RING_SPARE_SHARE     8u
/* struct vmtransfer_page_packet_header, the message, the trailer */
#define PACKET_AROUND_RANGES 48u

/* --- config ------------------------------------------------------------------ */

struct apply {
	struct netvsp_channel *c;
	const struct netvsp_config *config;
};

static void apply_config(void *ctx)
{
	const struct apply *a = ctx;

	a->c->config = *a->config;
	/* A packet that was held before the halt goes from its start. */
	if (!a->c->config.ready)
		a->c->done_frames = 0;
	netvsp_rx_update(a->c);
}

void netvsp_apply(struct netvsp *s)
{
	for (unsigned int i = 0; i < s->n_channels; i++) {
		struct apply a = {.c = s->channels[i], .config = &s->config};

		worker_call(a.c->worker, apply_config, &a);
	}
}

/* --- answers ------------------------------------------------------------------- */

static int complete(struct netvsp_channel *c, const struct packet *packet,
		    struct nvsp_message *m)
{
	if (!packet->wants_completion || netvsp_fault_message(c, m))
		return 0;
	trace_bytes(netvsc_message, TRACE_NO_VP, channel_trace(c->ch), m,
		    sizeof(*m), TRACE_TO_GUEST, packet->trans_id);
	return channel_complete(c->ch, packet->trans_id, m, sizeof(*m));
}

/* A message out of turn, or that is not taken. */
static int refuse(struct netvsp_channel *c, const struct packet *packet,
		  uint32_t type)
{
	struct nvsp_message m = {.msg_type = type};
	uint32_t status = NVSP_STAT_FAIL;

	netvsp_count(&c->n.refused, 1);
	findings_hit(FINDING_NETWORK_ORDER, channel_name(c->ch),
		     "message %u, version 0x%x", type, c->s->version);
	switch (type) {
	case NVSP_MSG_TYPE_INIT:
		m.msg_type = NVSP_MSG_TYPE_INIT_COMPLETE;
		m.init_complete.status = status;
		break;
	case NVSP_MSG1_TYPE_SEND_RECV_BUF:
	case NVSP_MSG1_TYPE_SEND_SEND_BUF:
	case NVSP_MSG1_TYPE_SEND_RNDIS_PKT:
	case NVSP_MSG5_TYPE_OID_QUERY_EX:
		/* The next number; the status comes first. */
		m.msg_type = type + 1;
		memcpy(m.body, &status, sizeof(status));
		break;
	default:
		memcpy(m.body, &status, sizeof(status));
		break;
	}
	return complete(c, packet, &m);
}

/* --- messages ---------------------------------------------------------------------- */

static uint32_t newest_version(const struct netvsp *s)
{
	uint32_t host = s->params.vsp.host_version;

	if (host >= VERSION_WIN10_V5)
		return NVSP_PROTOCOL_VERSION_61;
	if (host >= VERSION_WIN10)
		return NVSP_PROTOCOL_VERSION_6;
	if (host >= VERSION_WIN8_1)
		return NVSP_PROTOCOL_VERSION_5;
	if (host >= VERSION_WIN8)
		return NVSP_PROTOCOL_VERSION_4;
	if (host >= VERSION_WIN7)
		return NVSP_PROTOCOL_VERSION_2;
	return NVSP_PROTOCOL_VERSION_1;
}

/* The newest that both have; 0: none. */
static uint32_t common_version(const struct netvsp *s, uint32_t min,
			       uint32_t max)
{
	static const uint32_t versions[] = {
		NVSP_PROTOCOL_VERSION_61, NVSP_PROTOCOL_VERSION_6,
		NVSP_PROTOCOL_VERSION_5,  NVSP_PROTOCOL_VERSION_4,
		NVSP_PROTOCOL_VERSION_2,  NVSP_PROTOCOL_VERSION_1,
	};

	for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
		if (versions[i] <= newest_version(s) && versions[i] >= min &&
		    versions[i] <= max)
			return versions[i];
	}
	return 0;
}

static int on_init(struct netvsp_channel *c, const struct packet *packet,
		   const struct nvsp_message *m)
{
	struct netvsp *s = c->s;
	struct nvsp_message out = {.msg_type = NVSP_MSG_TYPE_INIT_COMPLETE};
	uint32_t version;

	if (s->version)
		return refuse(c, packet, m->msg_type);
	version = common_version(s, m->init.min_protocol_ver,
				 m->init.max_protocol_ver);
	out.init_complete.negotiated_protocol_ver = version;
	out.init_complete.max_mdl_chain_len = NETVSP_RANGES_MAX;
	if (version)
		out.init_complete.status = NVSP_STAT_SUCCESS;
	else if (m->init.min_protocol_ver > newest_version(s))
		out.init_complete.status = NVSP_STAT_PROTOCOL_TOO_NEW;
	else
		out.init_complete.status = NVSP_STAT_PROTOCOL_TOO_OLD;
	s->version = version;
	log_debug("%s: version %x to %x: %x", s->params.vsp.name,
		  m->init.min_protocol_ver, m->init.max_protocol_ver, version);
	return complete(c, packet, &out);
}

static int on_ndis_version(struct netvsp_channel *c,
			   const struct packet *packet,
			   const struct nvsp_message *m)
{
	(void)packet;
	c->s->ndis_version = m->send_ndis_ver.ndis_major_ver << 16 |
			     (m->send_ndis_ver.ndis_minor_ver & 0xFFFF);
	return 0;
}

static int on_ndis_config(struct netvsp_channel *c, const struct packet *packet,
			  const struct nvsp_message *m)
{
	uint32_t frame = m->send_ndis_config.mtu;

	(void)packet;
	/* Later it could not be: sections are as long as frames. */
	if (c->s->recv || frame < NETVSC_MTU_MIN || frame > NETVSC_MTU) {
		findings_hit(FINDING_NETWORK_ORDER, channel_name(c->ch),
			     "frames of %u bytes%s", frame,
			     c->s->recv ? ", with a buffer" : "");
		netvsp_count(&c->n.refused, 1);
		return 0;
	}
	c->s->mtu = frame > FRAME_HEADER ? frame - FRAME_HEADER : 0;
	c->s->capability = m->send_ndis_config.capability;
	return 0;
}

static int on_recv_buf(struct netvsp_channel *c, const struct packet *packet,
		       const struct nvsp_message *m)
{
	struct netvsp *s = c->s;
	struct nvsp_message out = {
		.msg_type = NVSP_MSG1_TYPE_SEND_RECV_BUF_COMPLETE};
	uint32_t status =
		netvsp_share_recv(s, m->send_buf.gpadl_handle, m->send_buf.id);

	out.send_recv_buf_complete.status = status;
	if (status == NVSP_STAT_SUCCESS) {
		uint32_t bytes = s->sections->bytes, n = s->sections->count;

		out.send_recv_buf_complete.num_sections = 1;
		out.send_recv_buf_complete.sections[0] =
			(struct nvsp_1_receive_buffer_section){
				.sub_alloc_size = bytes,
				.num_sub_allocs = n,
				.end_offset = bytes * n};
	} else {
		netvsp_count(&c->n.refused, 1);
		findings_hit(FINDING_NETWORK_BUFFER, channel_name(c->ch),
			     "receive buffer, GPADL 0x%x",
			     m->send_buf.gpadl_handle);
	}
	return complete(c, packet, &out);
}

static int on_revoke_recv_buf(struct netvsp_channel *c,
			      const struct packet *packet,
			      const struct nvsp_message *m)
{
	(void)m;
	netvsp_drop_recv(c->s);
	return packet->wants_completion
		       ? channel_complete(c->ch, packet->trans_id, NULL, 0)
		       : 0;
}

static int on_send_buf(struct netvsp_channel *c, const struct packet *packet,
		       const struct nvsp_message *m)
{
	struct nvsp_message out = {
		.msg_type = NVSP_MSG1_TYPE_SEND_SEND_BUF_COMPLETE,
		.send_send_buf_complete = {
			.status = netvsp_share_send(c->s,
						    m->send_buf.gpadl_handle),
			.section_size = NETVSP_SEND_SECTION_BYTES}};

	if (out.send_send_buf_complete.status != NVSP_STAT_SUCCESS) {
		netvsp_count(&c->n.refused, 1);
		findings_hit(FINDING_NETWORK_BUFFER, channel_name(c->ch),
			     "send buffer, GPADL 0x%x",
			     m->send_buf.gpadl_handle);
	}
	return complete(c, packet, &out);
}

static int on_revoke_send_buf(struct netvsp_channel *c,
			      const struct packet *packet,
			      const struct nvsp_message *m)
{
	(void)m;
	netvsp_drop_send(c->s);
	return packet->wants_completion
		       ? channel_complete(c->ch, packet->trans_id, NULL, 0)
		       : 0;
}

static int on_rndis(struct netvsp_channel *c, const struct packet *packet,
		    const struct nvsp_message *m)
{
	return netvsp_transmit(c, packet, &m->send_rndis_pkt);
}

static int on_switch_data_path(struct netvsp_channel *c,
			       const struct packet *packet,
			       const struct nvsp_message *m)
{
	/* There is no VF, and it was never said that there is one. */
	if (m->active_dp.active_datapath != NVSP_DATAPATH_SYNTHETIC)
		netvsp_count(&c->n.refused, 1);
	/* Linux knows the answer by its having no payload. */
	return packet->wants_completion
		       ? channel_complete(c->ch, packet->trans_id, NULL, 0)
		       : 0;
}

static int on_subchannel(struct netvsp_channel *c, const struct packet *packet,
			 const struct nvsp_message *m)
{
	struct netvsp *s = c->s;
	struct nvsp_message out = {.msg_type = NVSP_MSG5_TYPE_SUBCHANNEL};
	unsigned int n = MIN(m->subchn_req.num_subchannels, s->n_channels - 1);
	int err;

	if (m->subchn_req.op != NVSP_SUBCHANNEL_ALLOCATE || s->granted ||
	    !s->ready)
		return refuse(c, packet, m->msg_type);
	out.subchn_comp.status = NVSP_STAT_SUCCESS;
	out.subchn_comp.num_subchannels = n;
	err = complete(c, packet, &out);
	if (err)
		return err;
	netvsp_spread_sections(s, n);
	s->granted = n;
	s->table_is_due = n != 0;
	for (unsigned int i = 1; i <= n; i++)
		channel_offer(s->channels[i]->ch);
	return 0;
}

#define BODY(member)                                     \
	(uint32_t)(offsetof(struct nvsp_message, body) + \
		   sizeof(((struct nvsp_message *)NULL)->member))

#define NAMED(number) .type = (number), .name = #number

static const struct {
	uint32_t type;
	const char *name;
	uint32_t bytes; /* at least */
	uint32_t version; /* since; 0: before there is one */
	bool on_all; /* channels; else on the primary */
	int (*handle)(struct netvsp_channel *c, const struct packet *packet,
		      const struct nvsp_message *m);
} messages[] = {
	/* most of all first */
	{NAMED(NVSP_MSG1_TYPE_SEND_RNDIS_PKT), .bytes = BODY(send_rndis_pkt),
	 .version = NVSP_PROTOCOL_VERSION_1, .on_all = true,
	 .handle = on_rndis},
	{NAMED(NVSP_MSG_TYPE_INIT), .bytes = BODY(init), .version = 0,
	 .on_all = false, .handle = on_init},
	{NAMED(NVSP_MSG1_TYPE_SEND_NDIS_VER), .bytes = BODY(send_ndis_ver),
	 .version = NVSP_PROTOCOL_VERSION_1, .on_all = false,
	 .handle = on_ndis_version},
	{NAMED(NVSP_MSG1_TYPE_SEND_RECV_BUF), .bytes = BODY(send_buf),
	 .version = NVSP_PROTOCOL_VERSION_1, .on_all = false,
	 .handle = on_recv_buf},
	{NAMED(NVSP_MSG1_TYPE_REVOKE_RECV_BUF), .bytes = BODY(revoke_buf),
	 .version = NVSP_PROTOCOL_VERSION_1, .on_all = false,
	 .handle = on_revoke_recv_buf},
	{NAMED(NVSP_MSG1_TYPE_SEND_SEND_BUF), .bytes = BODY(send_buf),
	 .version = NVSP_PROTOCOL_VERSION_1, .on_all = false,
	 .handle = on_send_buf},
	{NAMED(NVSP_MSG1_TYPE_REVOKE_SEND_BUF), .bytes = BODY(revoke_buf),
	 .version = NVSP_PROTOCOL_VERSION_1, .on_all = false,
	 .handle = on_revoke_send_buf},
	{NAMED(NVSP_MSG2_TYPE_SEND_NDIS_CONFIG),
	 .bytes = BODY(send_ndis_config), .version = NVSP_PROTOCOL_VERSION_2,
	 .on_all = false, .handle = on_ndis_config},
	{NAMED(NVSP_MSG4_TYPE_SWITCH_DATA_PATH), .bytes = BODY(active_dp),
	 .version = NVSP_PROTOCOL_VERSION_4, .on_all = false,
	 .handle = on_switch_data_path},
	{NAMED(NVSP_MSG5_TYPE_SUBCHANNEL), .bytes = BODY(subchn_req),
	 .version = NVSP_PROTOCOL_VERSION_5, .on_all = false,
	 .handle = on_subchannel},
};

struct coverage_set *netvsp_messages_new(void)
{
	struct coverage_set *set = coverage_new("nvsp", G_N_ELEMENTS(messages));

	for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
		set->entries[i].name = messages[i].name;
		set->entries[i].number = messages[i].type;
	}
	return set;
}

/* Packets with frames are many, and of all channels: once says it all. */
static void count_message(struct netvsp *s, size_t i)
{
	struct coverage_entry *e = &s->messages->entries[i];

	if (!messages[i].on_all ||
	    !atomic_load_explicit(&e->count, memory_order_relaxed))
		coverage_hit(e);
}

static int handle(struct netvsp_channel *c, const struct packet *packet,
		  const struct nvsp_message *m)
{
	uint32_t version = c->s->version;

	for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
		if (messages[i].type != m->msg_type)
			continue;
		if (packet->bytes < messages[i].bytes) {
			findings_hit(FINDING_NETWORK_ORDER, channel_name(c->ch),
				     "message %u of %u bytes", m->msg_type,
				     packet->bytes);
			return -EPROTO;
		}
		if (version < messages[i].version ||
		    (!messages[i].on_all && !netvsp_is_primary(c))) {
			coverage_refuse(&c->s->messages->entries[i]);
			break;
		}
		count_message(c->s, i);
		return messages[i].handle(c, packet, m);
	}
	log_debug("channel %s: message %u is refused", channel_name(c->ch),
		  m->msg_type);
	return refuse(c, packet, m->msg_type);
}

static int on_packet(void *ctx, const struct packet *packet)
{
	struct netvsp_channel *c = ctx;
	struct nvsp_message m = {0};

	if (packet->type == VM_PKT_COMP) {
		netvsp_completed(c, packet->trans_id);
		return 0;
	}
	if (packet->type == VM_PKT_DATA_USING_XFER_PAGES ||
	    packet->bytes < sizeof(m.msg_type))
		return -EPROTO;
	/* All answers are of this size, or shorter. */
	if (!channel_has_room(c->ch, sizeof(m)))
		return -EAGAIN;
	memcpy(&m, packet->data, MIN(packet->bytes, sizeof(m)));
	if (m.msg_type != NVSP_MSG1_TYPE_SEND_RNDIS_PKT)
		trace_bytes(netvsc_message, TRACE_NO_VP, channel_trace(c->ch),
			    &m, MIN(packet->bytes, (uint32_t)sizeof(m)),
			    TRACE_FROM_GUEST, packet->trans_id);
	return handle(c, packet, &m);
}

static void on_batch_end(void *ctx)
{
	struct netvsp_channel *c = ctx;

	if (c->kick && c->queue) {
		net_queue_kick(c->queue);
		netvsp_rx_answers(c);
	}
	c->kick = false;
}

/* --- telling the guest --------------------------------------------------------------- */

static void send_table(struct netvsp *s)
{
	struct nvsp_send_table_message m = {
		.message = {.msg_type = NVSP_MSG5_TYPE_SEND_INDIRECTION_TABLE,
			    .send_table = {.count = VRSS_SEND_TAB_SIZE,
					   .offset = sizeof(m.message)}}};

	if (!s->table_is_due || s->open_subs < s->granted)
		return;
	for (uint32_t i = 0; i < VRSS_SEND_TAB_SIZE; i++)
		m.table[i] = i % (s->granted + 1);
	if (netvsp_fault_message(s->channels[0], &m.message)) {
		s->table_is_due = false;
		return;
	}
	if (channel_send(s->channels[0]->ch, &m, sizeof(m)))
		return;
	trace_bytes(netvsc_message, TRACE_NO_VP,
		    channel_trace(s->channels[0]->ch), &m, sizeof(m.message),
		    TRACE_TO_GUEST, 0);
	s->table_is_due = false;
}

static void tell(struct netvsp_channel *c)
{
	if (!netvsp_is_primary(c))
		return;
	netvsp_send_replies(c->s);
	send_table(c->s);
}

static void on_wake(void *ctx)
{
	struct netvsp_channel *c = ctx;

	if (!netvsp_is_primary(c) || !channel_is_open(c->ch))
		return;
	tell(c);
	netvsp_look_at_link(c->s);
}

static void on_writable(void *ctx)
{
	struct netvsp_channel *c = ctx;

	tell(c);
	netvsp_rx_resume(c);
}

static void on_gpadl_teardown(void *ctx, const struct gpadl *gpadl)
{
	struct netvsp_channel *c = ctx;

	if (!netvsp_is_primary(c))
		return;
	if (gpadl == c->s->recv_gpadl)
		netvsp_drop_recv(c->s);
	else if (gpadl == c->s->send_gpadl)
		netvsp_drop_send(c->s);
}

/* --- opening and closing ----------------------------------------------------------------- */

/* How much of the ring a packet with frames may take. */
static void size_ranges(struct netvsp_channel *c)
{
	struct channel_stats stats;
	uint32_t bytes;

	channel_get_stats(c->ch, &stats);
	bytes = MAX(stats.ring_out_bytes / RING_SHARE, PACKET_AROUND_RANGES);
	c->ranges_max = (bytes - PACKET_AROUND_RANGES) /
			(uint32_t)sizeof(struct vmtransfer_page_range);
	c->ranges_max = CLAMP(c->ranges_max, 1, NETVSP_RANGES_MAX);
	c->spare_bytes = MIN(stats.ring_out_bytes / RING_SPARE_SHARE, 1024u);
}

static int open_queue(struct netvsp_channel *c)
{
	GError *error = NULL;
	int err;

	c->queue = net_queue_new(c->s->params.net, c->index, &error);
	if (!c->queue) {
		log_warn("channel %s: %s", channel_name(c->ch), error->message);
		g_clear_error(&error);
		return -EIO;
	}
	net_queue_watch(c->queue, 0);
	c->fd.fd = net_queue_fd(c->queue);
	c->fd.run = netvsp_on_queue;
	err = worker_watch(c->worker, &c->fd, EPOLLIN);
	if (err) {
		net_queue_free(c->queue);
		c->queue = NULL;
	}
	return err;
}

static void close_queue(struct netvsp_channel *c)
{
	if (!c->queue)
		return;
	worker_unwatch(c->worker, &c->fd);
	net_queue_free(c->queue);
	c->queue = NULL;
}

static void open_primary(struct netvsp *s)
{
	s->version = 0;
	s->mtu = 0;
	s->capability = 0;
	s->table_is_due = false;
	s->n_replies = 0;
	s->link_flapped = false;
	s->link_told_at = 0;
	netvsp_milestone(s, &s->had_open, s->params.opened);
}

static int on_open(void *ctx, const struct channel_open *open)
{
	struct netvsp_channel *c = ctx;
	struct netvsp *s = c->s;
	int err;

	(void)open;
	if (c->index > s->granted)
		return -ENOENT;
	err = open_queue(c);
	if (err)
		return err;
	if (netvsp_is_primary(c))
		open_primary(s);
	c->is_open = true;
	size_ranges(c);
	netvsp_mail_open(c, c->sections != NULL);
	netvsp_rx_update(c);
	if (!netvsp_is_primary(c) &&
	    atomic_fetch_add(&s->open_subs, 1) + 1 == s->granted)
		channel_wake(s->channels[0]->ch);
	return 0;
}

/* What the guest had of this channel's is nobody's any more. */
static void forget_packets(struct netvsp_channel *c)
{
	for (uint32_t i = 0; c->sections && i < c->sections->count; i++) {
		uint32_t first =
			sections_completed(c->sections, i + 1ull, c->index);

		if (first != SECTION_NONE)
			netvsp_free_chain(c, first);
	}
	c->in_flight = 0;
}

/* The card is as it was at first. */
static void close_primary(struct netvsp *s)
{
	worker_timer_stop(s->channels[0]->worker, &s->link_timer);
	netvsp_halt(s);
	for (unsigned int i = 1; i < s->n_channels; i++)
		channel_rescind(s->channels[i]->ch);
	s->granted = 0;
	/* One that is being opened has seen that, or is open, when it returns. */
	netvsp_apply(s);
	netvsp_drop_recv(s);
	netvsp_drop_send(s);
	s->version = 0;
	s->n_replies = 0;
}

static int on_close(void *ctx)
{
	struct netvsp_channel *c = ctx;

	c->is_open = false;
	netvsp_mail_open(c, false);
	netvsp_tx_reset(c);
	netvsp_rx_reset(c);
	close_queue(c);
	if (netvsp_is_primary(c)) {
		close_primary(c->s);
	} else {
		forget_packets(c);
		c->s->open_subs--;
	}
	return 0;
}

const struct channel_ops netvsp_channel_ops = {
	.open = on_open,
	.packet = on_packet,
	.batch_end = on_batch_end,
	.writable = on_writable,
	.wake = on_wake,
	.gpadl_teardown = on_gpadl_teardown,
	.close = on_close,
};
