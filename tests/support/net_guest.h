/* SPDX-License-Identifier: MIT */
/*
 * net_guest.h - the guest's network driver, scripted: what it sends to a card
 * and how it reads what comes.  On bus_guest.h, and a net in memory.
 */
#ifndef SUPPORT_NET_GUEST_H
#define SUPPORT_NET_GUEST_H

#ifndef RAM_BYTES
#define RAM_BYTES (1024 * PAGE)
#endif

#include "support/bus_guest.h"

#include "devices/net/mem.h"
#include "proto/nvsp.h"
#include "proto/rndis.h"
#include "vsp/net/ppi.h"
#include "vsp/netvsp/impl.h"
#include "vsp/vsp.h"

/* Where the guest's buffers are, and what it sends from elsewhere. */
#ifndef NET_RECV_PFN
#define NET_RECV_PFN   256u
#define NET_RECV_PAGES 128u
#define NET_SEND_PFN   512u
#define NET_SEND_PAGES 32u
#define NET_DATA_PFN   640u
#endif
#define NET_RECV_GPADL 0xAAAAu
#define NET_SEND_GPADL 0xBBBBu

#define NET_CHANNELS 4u
#define NET_PRIMARY  (&net_guest[0])

static struct net *net_mem;
static struct netvsp *card;
static struct guest_channel net_guest[NET_CHANNELS];
static struct netvsp_params net_params;
static uint32_t net_section; /* bytes, of the receive buffer */
static uint32_t net_sections;
static uint32_t net_req_id;
static _Atomic unsigned int net_ready, net_opened, net_linked, net_rx, net_tx;

static const uint8_t net_mac[6] = {0x00, 0x15, 0x5D, 1, 2, 3};

static inline void net_on_ready(void *ctx)
{
	(void)ctx;
	net_ready++;
}

static inline void net_on_opened(void *ctx)
{
	(void)ctx;
	net_opened++;
}

static inline void net_on_up(void *ctx)
{
	(void)ctx;
	net_linked++;
}

static inline void net_on_received(void *ctx)
{
	(void)ctx;
	net_rx++;
}

static inline void net_on_sent(void *ctx)
{
	(void)ctx;
	net_tx++;
}

/* A card for a host of that VMbus version.  net_params says more. */
static inline void net_make_on(struct net *net, uint32_t host_version)
{
	net_mem = net;
	net_params.vsp = (struct vsp_params){.bus = bus,
					     .name = "net0",
					     .instance = {{7}},
					     .host_version = host_version,
					     .ready = net_on_ready};
	net_params.net = net;
	memcpy(net_params.mac, net_mac, sizeof(net_mac));
	net_params.opened = net_on_opened;
	net_params.link = net_on_up;
	net_params.received = net_on_received;
	net_params.sent = net_on_sent;
	net_ready = net_opened = net_linked = net_rx = net_tx = 0;
	net_req_id = 0;
	card = netvsp_new(&net_params, NULL);
	ck_assert_ptr_nonnull(card);
}

/* ... on a net in memory with @queues. */
static inline void net_make(uint32_t host_version, unsigned int queues)
{
	struct net_mem_params mp = {.queues = queues,
				    .offloads = NET_OFFLOAD_ALL,
				    .takes_offloads = NET_OFFLOAD_ALL};

	net_make_on(net_mem_new(&mp), host_version);
}

/* The end of it all. */
static inline void net_end(void)
{
	netvsp_free(card);
	net_free(net_mem);
	for (unsigned int i = 0; i < NET_CHANNELS; i++) {
		if (net_guest[i].map)
			guest_drop_rings(&net_guest[i]);
	}
	bus_teardown();
	net_params = (struct netvsp_params){0};
}

/* Connect, and open the primary channel. */
static inline void net_open(void)
{
	struct vmbus_channel_offer_channel offer;

	guest_connect(VERSION_WIN10);
	guest_request_offers(&offer, 1);
	guest_open(NET_PRIMARY, &offer);
}

static inline struct netvsp_status net_status(void)
{
	struct netvsp_status s;

	netvsp_get_status(card, &s);
	return s;
}

/* --- packets ----------------------------------------------------------------- */

/*
 * The guest's memory is ordered by the rings, which a race detector does not
 * see: the guest has a mapping of its own.
 */
static inline void net_order(const struct guest_channel *g)
{
#ifdef __SANITIZE_THREAD__
	worker_call(card->channels[g - net_guest]->worker, bus_nothing, NULL);
#else
	(void)g;
#endif
}

/* A packet that came: its own copy. */
struct net_packet {
	uint64_t copy[1024];
	struct packet p;
	struct nvsp_message m; /* its payload, or the beginning */
};

static inline bool net_try_get(struct guest_channel *g, struct net_packet *out)
{
	uint32_t n = ring_peer_receive(&g->ring, out->copy, sizeof(out->copy));

	guest_ring_bell(g);
	if (!n)
		return false;
	net_order(g);
	ck_assert_int_eq(packet_parse(out->copy, n, &out->p), 0);
	memset(&out->m, 0, sizeof(out->m));
	memcpy(&out->m, out->p.data, MIN(out->p.bytes, sizeof(out->m)));
	return true;
}

static inline void net_get(struct guest_channel *g, struct net_packet *out)
{
	wait_until(net_try_get(g, out));
}

/* The completion of @id. */
static inline void net_get_completion(struct guest_channel *g, uint64_t id,
				      struct nvsp_message *out)
{
	struct net_packet p;

	net_get(g, &p);
	ck_assert_uint_eq(p.p.type, VM_PKT_COMP);
	ck_assert_uint_eq(p.p.trans_id, id);
	*out = p.m;
}

/* Send a message of @bytes, take its completion. */
static inline void net_ask(struct nvsp_message *m, uint32_t bytes)
{
	uint64_t id = 0x1000 + m->msg_type;

	guest_put(NET_PRIMARY, id, m, bytes);
	net_get_completion(NET_PRIMARY, id, m);
}

/* One that is not completed. */
static inline void net_say(const struct nvsp_message *m)
{
	guest_put(NET_PRIMARY, 0, m, sizeof(*m));
}

/* --- the handshake --------------------------------------------------------------- */

static inline uint32_t net_say_version(uint32_t min, uint32_t max)
{
	struct nvsp_message m = {.msg_type = NVSP_MSG_TYPE_INIT,
				 .init = {min, max}};

	net_ask(&m, sizeof(m));
	ck_assert_uint_eq(m.msg_type, NVSP_MSG_TYPE_INIT_COMPLETE);
	return m.init_complete.status;
}

static inline void net_say_config(uint32_t mtu, uint64_t capability)
{
	struct nvsp_message m = {
		.msg_type = NVSP_MSG2_TYPE_SEND_NDIS_CONFIG,
		.send_ndis_config = {.mtu = mtu + 14,
				     .capability = capability}};

	net_say(&m);
	m = (struct nvsp_message){.msg_type = NVSP_MSG1_TYPE_SEND_NDIS_VER,
				  .send_ndis_ver = {6, 0x1E}};
	net_say(&m);
}

/* Return: status; with success net_section and net_sections are set. */
static inline uint32_t net_say_recv_buf(uint32_t gpadl)
{
	struct nvsp_message m = {.msg_type = NVSP_MSG1_TYPE_SEND_RECV_BUF,
				 .send_buf = {gpadl, NETVSC_RECEIVE_BUFFER_ID}};

	net_ask(&m, sizeof(m));
	ck_assert_uint_eq(m.msg_type, NVSP_MSG1_TYPE_SEND_RECV_BUF_COMPLETE);
	if (m.send_recv_buf_complete.status == NVSP_STAT_SUCCESS) {
		ck_assert_uint_eq(m.send_recv_buf_complete.num_sections, 1);
		net_section =
			m.send_recv_buf_complete.sections[0].sub_alloc_size;
		net_sections =
			m.send_recv_buf_complete.sections[0].num_sub_allocs;
		ck_assert_uint_eq(m.send_recv_buf_complete.sections[0].offset,
				  0);
		ck_assert_uint_eq(
			m.send_recv_buf_complete.sections[0].end_offset,
			net_section * net_sections);
	}
	return m.send_recv_buf_complete.status;
}

static inline uint32_t net_say_send_buf(uint32_t gpadl)
{
	struct nvsp_message m = {.msg_type = NVSP_MSG1_TYPE_SEND_SEND_BUF,
				 .send_buf = {gpadl, 0}};

	net_ask(&m, sizeof(m));
	ck_assert_uint_eq(m.msg_type, NVSP_MSG1_TYPE_SEND_SEND_BUF_COMPLETE);
	if (m.send_send_buf_complete.status == NVSP_STAT_SUCCESS)
		ck_assert_uint_eq(m.send_send_buf_complete.section_size, 6144);
	return m.send_send_buf_complete.status;
}

/* Both buffers. */
static inline void net_share_buffers(void)
{
	guest_share(NET_PRIMARY->relid, NET_RECV_GPADL, NET_RECV_PFN,
		    NET_RECV_PAGES);
	ck_assert_uint_eq(net_say_recv_buf(NET_RECV_GPADL), NVSP_STAT_SUCCESS);
	guest_share(NET_PRIMARY->relid, NET_SEND_GPADL, NET_SEND_PFN,
		    NET_SEND_PAGES);
	ck_assert_uint_eq(net_say_send_buf(NET_SEND_GPADL), NVSP_STAT_SUCCESS);
}

/* --- RNDIS -------------------------------------------------------------------------- */

static inline uint8_t *net_page(uint32_t page)
{
	return gmem_load(mem, (uint64_t)page * PAGE, PAGE);
}

/* Where the bytes of a RNDIS message are. */
struct net_place {
	uint32_t section, section_bytes; /* of the send buffer */
	uint64_t pfn;
	uint32_t offset, bytes; /* of pages */
};

static inline bool net_try_put_rndis(struct guest_channel *g, uint64_t id,
				     uint32_t channel_type,
				     const struct net_place *at)
{
	struct nvsp_message m = {.msg_type = NVSP_MSG1_TYPE_SEND_RNDIS_PKT,
				 .send_rndis_pkt = {channel_type, at->section,
						    at->section_bytes}};
	uint32_t n = (at->offset + at->bytes + PAGE - 1) / PAGE;
	uint32_t header = 4 + n;
	uint64_t words[128] = {0};
	bool sent;

	net_order(g);
	if (!at->bytes)
		return guest_try_put(g, id, &m, sizeof(m));
	words[0] = VM_PKT_DATA_USING_GPA_DIRECT | (uint64_t)header << 16 |
		   (uint64_t)(header + sizeof(m) / 8) << 32 | 1ull << 48;
	words[1] = id;
	words[2] = 1ull << 32;
	words[3] = (uint64_t)at->offset << 32 | at->bytes;
	for (uint32_t i = 0; i < n; i++)
		words[4 + i] = at->pfn + i;
	memcpy(words + header, &m, sizeof(m));
	sent = ring_peer_send_raw(&g->ring, words,
				  8 * header + (uint32_t)sizeof(m));
	guest_ring_bell(g);
	return sent;
}

static inline void net_put_rndis(struct guest_channel *g, uint64_t id,
				 uint32_t channel_type, uint32_t bytes)
{
	struct net_place at = {.section = NETVSC_INVALID_INDEX,
			       .pfn = NET_DATA_PFN,
			       .bytes = bytes};

	wait_until(net_try_put_rndis(g, id, channel_type, &at));
}

static inline uint8_t *net_received(const struct vmtransfer_page_range *r)
{
	ck_assert_uint_le((uint64_t)r->byte_offset + r->byte_count,
			  (uint64_t)net_section * net_sections);
	ck_assert_uint_le(r->byte_count, net_section);
	ck_assert_uint_eq(r->byte_offset % net_section, 0);
	return (uint8_t *)gmem_load(mem, NET_RECV_PFN * (uint64_t)PAGE,
				    NET_RECV_PAGES * (uint64_t)PAGE) +
	       r->byte_offset;
}

/* Tell the host that a packet is done with. */
static inline void net_done(struct guest_channel *g, uint64_t id)
{
	struct nvsp_message m = {
		.msg_type = NVSP_MSG1_TYPE_SEND_RNDIS_PKT_COMPLETE,
		.send_rndis_pkt_complete.status = NVSP_STAT_SUCCESS};
	bool sent;

	do
		sent = ring_peer_send(&g->ring, VM_PKT_COMP, false, id, &m, 8);
	while (!sent);
	guest_ring_bell(g);
}

/* Is it a packet with RNDIS messages? */
static inline void net_check_xfer(const struct net_packet *p,
				  uint32_t channel_type)
{
	ck_assert_uint_eq(p->p.type, VM_PKT_DATA_USING_XFER_PAGES);
	ck_assert_uint_eq(p->p.xfer_pageset_id, NETVSC_RECEIVE_BUFFER_ID);
	ck_assert_uint_ne(p->p.trans_id, 0);
	ck_assert(p->p.wants_completion);
	ck_assert_uint_eq(p->m.msg_type, NVSP_MSG1_TYPE_SEND_RNDIS_PKT);
	ck_assert_uint_eq(p->m.send_rndis_pkt.channel_type, channel_type);
	ck_assert_uint_eq(p->m.send_rndis_pkt.send_buf_section_index,
			  NETVSC_INVALID_INDEX);
}

/* A control message that came: copied to @out.  Return: its bytes. */
static inline uint32_t net_get_control(void *out, uint32_t max)
{
	struct net_packet p;
	uint32_t bytes;

	net_get(NET_PRIMARY, &p);
	net_check_xfer(&p, NVSP_CHANNEL_CONTROL);
	ck_assert_uint_eq(p.p.n_xfer, 1);
	bytes = p.p.xfer[0].byte_count;
	ck_assert_uint_le(bytes, max);
	memcpy(out, net_received(&p.p.xfer[0]), bytes);
	net_done(NET_PRIMARY, p.p.trans_id);
	return bytes;
}

/* What the card says by itself: RNDIS_STATUS_… */
static inline uint32_t net_get_indication(void)
{
	struct {
		struct rndis_header h;
		struct rndis_indicate_status s;
	} m;

	ck_assert_uint_eq(net_get_control(&m, sizeof(m)), sizeof(m));
	ck_assert_uint_eq(m.h.msg_type, RNDIS_MSG_INDICATE);
	ck_assert_uint_eq(m.s.status_buf_offset, 12);
	return m.s.status;
}

struct net_answer {
	struct rndis_header h;
	uint8_t body[4096];
} __attribute__((packed));

/* A message on the control channel.  Return: its completion's status. */
static inline uint32_t net_control(uint32_t type, const void *body,
				   uint32_t bytes)
{
	struct rndis_header h = {type, 8 + bytes};
	struct nvsp_message m;
	uint8_t *at = net_page(NET_DATA_PFN);

	memcpy(at, &h, sizeof(h));
	if (bytes)
		memcpy(at + sizeof(h), body, bytes);
	net_put_rndis(NET_PRIMARY, 0xC0, NVSP_CHANNEL_CONTROL, 8 + bytes);
	net_get_completion(NET_PRIMARY, 0xC0, &m);
	ck_assert_uint_eq(m.msg_type, NVSP_MSG1_TYPE_SEND_RNDIS_PKT_COMPLETE);
	return m.send_rndis_pkt_complete.status;
}

/* ... and its answer.  Return: RNDIS_STATUS_… */
static inline uint32_t net_request(uint32_t type, const void *body,
				   uint32_t bytes, struct net_answer *a)
{
	struct rndis_set_complete c;
	uint32_t n, id = 0;

	struct rndis_header h = {type, 8 + bytes};
	uint8_t *at = net_page(NET_DATA_PFN);
	struct nvsp_message m;

	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), body, bytes);
	memcpy(&id, body, sizeof(id));
	net_put_rndis(NET_PRIMARY, 0xC1, NVSP_CHANNEL_CONTROL, 8 + bytes);
	net_get_completion(NET_PRIMARY, 0xC1, &m);
	n = net_get_control(a, sizeof(*a));
	ck_assert_uint_eq(m.send_rndis_pkt_complete.status, NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(a->h.msg_type, type | RNDIS_MSG_COMPLETION);
	ck_assert_uint_eq(a->h.msg_len, n);
	memcpy(&c, a->body, sizeof(c));
	ck_assert_uint_eq(c.req_id, id);
	return c.status;
}

static inline uint32_t net_rndis_init(struct rndis_initialize_complete *out)
{
	struct rndis_initialize_request q = {.req_id = ++net_req_id,
					     .major_ver = 1,
					     .max_xfer_size = 0x4000};
	static struct net_answer a;
	uint32_t status = net_request(RNDIS_MSG_INIT, &q, sizeof(q), &a);

	memcpy(out, a.body, sizeof(*out));
	return status;
}

/* Ask for an object.  Return: status; @bytes in and out. */
static inline uint32_t net_query_room(uint32_t oid, uint32_t room, void *out,
				      uint32_t *bytes)
{
	struct rndis_oid_request q = {.req_id = ++net_req_id,
				      .oid = oid,
				      .info_buflen = room,
				      .info_buf_offset = sizeof(q)};
	struct rndis_query_complete c;
	static struct net_answer a;
	uint32_t status = net_request(RNDIS_MSG_QUERY, &q, sizeof(q), &a);

	memcpy(&c, a.body, sizeof(c));
	ck_assert_uint_eq(c.info_buf_offset, 16);
	ck_assert_uint_eq(a.h.msg_len, 8 + 16 + c.info_buflen);
	ck_assert_uint_le(c.info_buflen, *bytes);
	memcpy(out, a.body + c.info_buf_offset, c.info_buflen);
	*bytes = c.info_buflen;
	return status;
}

static inline uint32_t net_query(uint32_t oid, void *out, uint32_t *bytes)
{
	return net_query_room(oid, 0, out, bytes);
}

/* One that is a number. */
static inline uint32_t net_query_u32(uint32_t oid)
{
	uint32_t value = 0, bytes = sizeof(value);

	ck_assert_uint_eq(net_query(oid, &value, &bytes), RNDIS_STATUS_SUCCESS);
	ck_assert_uint_eq(bytes, sizeof(value));
	return value;
}

static inline uint32_t net_set(uint32_t oid, const void *data, uint32_t bytes)
{
	struct {
		struct rndis_oid_request q;
		uint8_t data[2048];
	} __attribute__((packed)) q = {.q = {.req_id = ++net_req_id,
					     .oid = oid,
					     .info_buflen = bytes,
					     .info_buf_offset = sizeof(q.q)}};
	static struct net_answer a;

	if (bytes)
		memcpy(q.data, data, bytes);
	return net_request(RNDIS_MSG_SET, &q, (uint32_t)sizeof(q.q) + bytes,
			   &a);
}

#define NET_FILTER_LINUX                                              \
	(NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_ALL_MULTICAST | \
	 NDIS_PACKET_TYPE_BROADCAST)

static inline void net_set_filter(uint32_t bits)
{
	ck_assert_uint_eq(
		net_set(OID_GEN_CURRENT_PACKET_FILTER, &bits, sizeof(bits)),
		RNDIS_STATUS_SUCCESS);
}

/* From the handshake to frames, with the newest version. */
static inline void net_start(uint32_t mtu)
{
	struct rndis_initialize_complete c;

	ck_assert_uint_eq(net_say_version(NVSP_PROTOCOL_VERSION_61,
					  NVSP_PROTOCOL_VERSION_61),
			  NVSP_STAT_SUCCESS);
	net_say_config(mtu, NVSP_NDIS_CAP_IEEE8021Q | NVSP_NDIS_CAP_RSC);
	net_share_buffers();
	ck_assert_uint_eq(net_rndis_init(&c), RNDIS_STATUS_SUCCESS);
	net_set_filter(NET_FILTER_LINUX);
}

/* --- frames ---------------------------------------------------------------------------- */

/* A frame to the card, of a kind of its own. */
static inline uint32_t net_frame(uint8_t *at, uint32_t bytes, uint8_t tag)
{
	static const uint8_t from[6] = {2, 0, 0, 0, 0, 9};

	for (uint32_t i = 0; i < bytes; i++)
		at[i] = (uint8_t)(tag + i * 7);
	memcpy(at, net_mac, 6);
	memcpy(at + 6, from, 6);
	at[12] = 0x88; /* an EtherType that nobody looks into */
	at[13] = 0xB5;
	return bytes;
}

/*
 * A RNDIS message with a frame, at @at.  @items is what it says of it, with
 * @items_bytes.  Return: its bytes.
 */
static inline uint32_t net_message(uint8_t *at, const void *frame,
				   uint32_t bytes, const void *items,
				   uint32_t items_bytes)
{
	struct rndis_header h = {RNDIS_MSG_PACKET, 44 + items_bytes + bytes};
	struct rndis_packet p = {.data_offset = 36 + items_bytes,
				 .data_len = bytes,
				 .per_pkt_info_offset = items_bytes ? 36 : 0,
				 .per_pkt_info_len = items_bytes};

	memcpy(at, &h, sizeof(h));
	memcpy(at + 8, &p, sizeof(p));
	if (items_bytes)
		memcpy(at + 44, items, items_bytes);
	memcpy(at + 44 + items_bytes, frame, bytes);
	return h.msg_len;
}

/* Send @bytes of messages that are at NET_DATA_PFN.  Return: NVSP_STAT_… */
static inline uint32_t net_send(struct guest_channel *g, uint32_t bytes)
{
	struct nvsp_message m;

	net_put_rndis(g, 0xD0, NVSP_CHANNEL_DATA, bytes);
	net_get_completion(g, 0xD0, &m);
	ck_assert_uint_eq(m.msg_type, NVSP_MSG1_TYPE_SEND_RNDIS_PKT_COMPLETE);
	return m.send_rndis_pkt_complete.status;
}

/* A frame as the guest's driver reads it. */
struct net_frame {
	uint32_t bytes;
	bool has_csum, has_vlan, has_hash, has_id;
	uint32_t csum, vlan, hash;
	struct rndis_pktinfo_id id;
	uint8_t data[70000];
};

/* As Linux' rndis_filter_receive_data() has it. */
static inline void net_read_message(const uint8_t *at, uint32_t bytes,
				    struct net_frame *f)
{
	struct rndis_header h;
	struct rndis_packet p;

	ck_assert_uint_ge(bytes, 44);
	memcpy(&h, at, sizeof(h));
	memcpy(&p, at + 8, sizeof(p));
	ck_assert_uint_eq(h.msg_type, RNDIS_MSG_PACKET);
	ck_assert_uint_eq(h.msg_len, bytes);
	ck_assert_uint_le(p.data_offset, bytes - 8);
	ck_assert_uint_eq(p.data_len, bytes - 8 - p.data_offset);
	memset(f, 0, offsetof(struct net_frame, data));
	for (uint32_t i = 0; i < p.per_pkt_info_len;) {
		const uint8_t *item = at + 8 + p.per_pkt_info_offset + i;
		struct rndis_per_packet_info ppi;
		uint32_t data;

		memcpy(&ppi, item, sizeof(ppi));
		ck_assert_uint_eq(ppi.size, 16);
		ck_assert_uint_eq(ppi.ppi_offset, 12);
		memcpy(&data, item + 12, sizeof(data));
		switch (ppi.type) {
		case TCPIP_CHKSUM_PKTINFO:
			f->has_csum = true;
			f->csum = data;
			break;
		case IEEE_8021Q_INFO:
			f->has_vlan = true;
			f->vlan = data;
			break;
		case NBL_HASH_VALUE:
			f->has_hash = true;
			f->hash = data;
			break;
		default:
			ck_assert_uint_eq(ppi.type, RNDIS_PKTINFO_ID);
			f->has_id = true;
			memcpy(&f->id, &data, sizeof(f->id));
			break;
		}
		i += ppi.size;
	}
	f->bytes = p.data_len;
	memcpy(f->data, at + 8 + p.data_offset, p.data_len);
}

/* A packet with one frame; its sections are not given back. Return: its id. */
static inline uint64_t net_get_frame_of(struct guest_channel *g,
					struct net_frame *f)
{
	struct net_packet p;

	net_get(g, &p);
	net_check_xfer(&p, NVSP_CHANNEL_DATA);
	ck_assert_uint_eq(p.p.n_xfer, 1);
	net_read_message(net_received(&p.p.xfer[0]), p.p.xfer[0].byte_count, f);
	return p.p.trans_id;
}

static inline void net_get_frame(struct net_frame *f)
{
	net_done(NET_PRIMARY, net_get_frame_of(NET_PRIMARY, f));
}

/* A case of the suite; @start may be NULL, and the test ends the card then. */
static inline TCase *net_case(Suite *s, const char *name, void (*start)(void))
{
	TCase *t = tcase_create(name);

	tcase_set_timeout(t, 30);
	if (start)
		tcase_add_checked_fixture(t, start, net_end);
	suite_add_tcase(s, t);
	return t;
}

#endif
