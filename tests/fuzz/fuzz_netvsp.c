/* SPDX-License-Identifier: MIT */
/*
 * fuzz_netvsp.c - a guest that says anything to a network card, and a host
 * that sends it any frames.
 *
 * The input is a script: NVSP messages, raw or nearly right; RNDIS requests
 * and frames with a word that is another; frames from the host with anything
 * left to do; completions, room, a back end that stalls, buffers that go,
 * channels that close and open.  The model: a packet that was taken is
 * completed once; a packet to the guest has ranges inside of sections that it
 * has not already, with RNDIS messages that Linux can read; what goes to the
 * host is as long as a frame may be.
 */
#include "fuzz/fuzz.h"

#include <poll.h>

#include "base/log.h"
#include "base/reader.h"
#include "devices/net/mem.h"
#include "support/fake_channel.h"
#include "support/ring_peer.h"
#include "vsp/net/ppi.h"
#include "vsp/netvsp/impl.h"
#include "vsp/vsp.h"

#define PAGE      4096u
#define RAM_PAGES 256u
#define CHANNELS  2u
#define N_IDS     64u
#define SECTIONS  256u
#define TASKS     64u

/* page numbers; what is shared as 1, 2, 3 */
#define RECV_PFN   64u
#define RECV_PAGES 96u
#define SEND_PFN   16u
#define SEND_PAGES 8u
#define DATA_PFN   32u
#define DATA_PAGES 20u

static struct net *net;
static struct netvsp *card;
static struct gpadl *gpadls[3];

static struct {
	bool pending[CHANNELS][N_IDS];
	unsigned int next;
	/* packets that the guest has: 0 none; its sections are chained */
	bool in_flight[CHANNELS][SECTIONS];
	bool taken[SECTIONS];
	uint16_t last_of[SECTIONS]; /* how many sections the packet has */
	uint32_t sections[SECTIONS][NETVSP_RANGES_MAX];
	bool parted; /* no more frames for the guest */
} model;

/* --- a worker without a thread --------------------------------------------------- */

struct worker {
	char unused;
};

static struct worker_task *tasks[TASKS];
static unsigned int n_tasks;
static struct worker_timer *timers[8];
static struct worker_fd *fds[CHANNELS];

struct worker *worker_new(const char *name, GError **error)
{
	(void)name;
	(void)error;
	return g_new0(struct worker, 1);
}

void worker_free(struct worker *w)
{
	g_free(w);
}

bool worker_is_current(const struct worker *w)
{
	(void)w;
	return true;
}

void worker_queue(struct worker *w, struct worker_task *task)
{
	(void)w;
	if (task->queued)
		return;
	task->queued = true;
	expect(n_tasks < TASKS);
	tasks[n_tasks++] = task;
}

void worker_call(struct worker *w, void (*fn)(void *ctx), void *ctx)
{
	(void)w;
	fn(ctx);
}

void worker_timer_set(struct worker *w, struct worker_timer *t,
		      uint64_t deadline)
{
	(void)w;
	(void)deadline;
	for (size_t i = 0; i < G_N_ELEMENTS(timers); i++) {
		if (timers[i] == t || !timers[i]) {
			timers[i] = t;
			return;
		}
	}
	abort();
}

void worker_timer_stop(struct worker *w, struct worker_timer *t)
{
	(void)w;
	for (size_t i = 0; i < G_N_ELEMENTS(timers); i++) {
		if (timers[i] == t)
			timers[i] = NULL;
	}
}

int worker_watch(struct worker *w, struct worker_fd *fd, uint32_t events)
{
	(void)w;
	(void)events;
	for (size_t i = 0; i < CHANNELS; i++) {
		if (!fds[i]) {
			fds[i] = fd;
			return 0;
		}
	}
	abort();
}

void worker_unwatch(struct worker *w, struct worker_fd *fd)
{
	(void)w;
	for (size_t i = 0; i < CHANNELS; i++) {
		if (fds[i] == fd)
			fds[i] = NULL;
	}
}

/* --- what fake_channel.h does not have ------------------------------------------ */

static struct channel *channel(unsigned int i)
{
	return card->channels[i]->ch;
}

static unsigned int index_of(const struct channel *ch)
{
	return ch == channel(0) ? 0 : 1;
}

static void fake_sent(struct channel *ch, const uint8_t *data, uint32_t bytes)
{
	struct nvsp_send_table_message m;

	expect(ch == channel(0) && bytes == sizeof(m));
	memcpy(&m, data, sizeof(m));
	expect(m.message.msg_type == NVSP_MSG5_TYPE_SEND_INDIRECTION_TABLE);
	for (unsigned int i = 0; i < VRSS_SEND_TAB_SIZE; i++)
		expect(m.table[i] < CHANNELS);
}

int channel_complete(struct channel *ch, uint64_t trans_id, const void *data,
		     uint32_t bytes)
{
	unsigned int c = index_of(ch);
	uint32_t type;

	if (!ch->is_open)
		return -ENOTCONN;
	expect(fake_cost(bytes) <= ch->room);
	ch->room -= fake_cost(bytes);
	expect(trans_id < N_IDS && model.pending[c][trans_id]);
	model.pending[c][trans_id] = false;
	if (bytes) {
		expect(bytes == 8 || bytes == sizeof(struct nvsp_message));
		memcpy(&type, data, sizeof(type));
	}
	return 0;
}

/* As Linux' rndis_filter_receive_data() looks at it. */
static void read_frame(const uint8_t *at, uint32_t bytes)
{
	struct rndis_packet p;
	uint32_t items;

	expect(bytes >= 44);
	memcpy(&p, at + 8, sizeof(p));
	expect(p.data_offset < bytes - 8 &&
	       p.data_len <= bytes - 8 - p.data_offset);
	items = p.per_pkt_info_len;
	expect(items % PPI_BYTES == 0);
	expect(!items ||
	       (p.per_pkt_info_offset == 36 && items <= p.data_offset - 36));
	for (uint32_t i = 0; i < items; i += PPI_BYTES) {
		struct rndis_per_packet_info h;

		memcpy(&h, at + 44 + i, sizeof(h));
		expect(h.size == PPI_BYTES && h.ppi_offset == sizeof(h));
	}
}

static void read_range(const struct vmtransfer_page_range *r, bool is_data)
{
	uint32_t section_bytes = card->sections->bytes;
	uint32_t section = r->byte_offset / section_bytes;
	g_autofree uint8_t *copy = g_malloc(r->byte_count);
	struct rndis_header h;

	expect(!(r->byte_offset % section_bytes) &&
	       r->byte_count <= section_bytes);
	expect((uint64_t)r->byte_offset + r->byte_count <=
	       RECV_PAGES * (uint64_t)PAGE);
	expect(section < SECTIONS && !model.taken[section]);
	model.taken[section] = true;
	expect(!gmem_read(fake_mem, RECV_PFN * PAGE + r->byte_offset, copy,
			  r->byte_count));
	expect(r->byte_count >= sizeof(h));
	memcpy(&h, copy, sizeof(h));
	expect(h.msg_len == r->byte_count);
	expect((h.msg_type == RNDIS_MSG_PACKET) == is_data);
	if (is_data)
		read_frame(copy, r->byte_count);
}

int channel_send_packet(struct channel *ch, const struct packet_out *out)
{
	unsigned int c = index_of(ch);
	uint32_t bytes = packet_out_size(out);
	struct nvsp_message m = {0};
	uint64_t id = out->trans_id - 1;

	if (!ch->is_open)
		return -ENOTCONN;
	expect(bytes && bytes <= ch->params.max_out);
	if (!channel_has_room(ch, bytes - PACKET_HEADER))
		return -EAGAIN;
	ch->room -= bytes + PACKET_TRAILER;
	expect(out->type == VM_PKT_DATA_USING_XFER_PAGES);
	expect(out->n_xfer && out->n_xfer <= NETVSP_RANGES_MAX);
	expect(id < SECTIONS && !model.in_flight[c][id]);
	memcpy(&m, out->data[0], out->bytes[0]);
	expect(!model.parted ||
	       m.send_rndis_pkt.channel_type != NVSP_CHANNEL_DATA);
	for (uint32_t i = 0; i < out->n_xfer; i++) {
		read_range(&out->xfer[i],
			   m.send_rndis_pkt.channel_type == NVSP_CHANNEL_DATA);
		model.sections[id][i] =
			out->xfer[i].byte_offset / card->sections->bytes;
	}
	model.in_flight[c][id] = true;
	model.last_of[id] = (uint16_t)out->n_xfer;
	return 0;
}

void channel_hold(struct channel *ch)
{
	(void)ch;
}

void channel_unhold(struct channel *ch)
{
	(void)ch;
}

const char *channel_name(const struct channel *ch)
{
	(void)ch;
	return "fuzz";
}

const struct gpadl *channel_gpadl_get(struct channel *ch, uint32_t id)
{
	(void)ch;
	return id >= 1 && id <= 3 ? gpadls[id - 1] : NULL;
}

void channel_gpadl_put(struct channel *ch, const struct gpadl *gpadl)
{
	(void)ch;
	(void)gpadl;
}

/* --- what the guest does ------------------------------------------------------------ */

static uint8_t next_byte(struct reader *r)
{
	uint8_t byte = 0;

	reader_bytes(r, &byte, sizeof(byte));
	return byte;
}

static uint8_t *ram(uint32_t pfn)
{
	return gmem_load(fake_mem, (uint64_t)pfn * PAGE, PAGE);
}

/* The guest has nothing of the card's any more. */
static void forget(unsigned int c)
{
	for (unsigned int i = 0; i < SECTIONS; i++) {
		if (!model.in_flight[c][i])
			continue;
		model.in_flight[c][i] = false;
		for (unsigned int k = 0; k < model.last_of[i]; k++)
			model.taken[model.sections[i][k]] = false;
	}
}

static void put(unsigned int c, struct packet *p, const void *data,
		uint32_t bytes)
{
	struct channel *ch = channel(c);
	g_autofree void *copy = g_memdup2(data, bytes);
	bool answered;
	int err;

	model.next = (model.next + 1) % N_IDS;
	if (!ch->is_open || model.pending[c][model.next])
		return;
	p->wants_completion = true;
	p->trans_id = model.next;
	p->data = copy;
	p->bytes = bytes;
	model.pending[c][model.next] = true;
	err = ch->ops->packet(ch->ctx, p);
	answered = !model.pending[c][model.next];
	expect(!err || !answered); /* not taken: nobody answered it */
	model.pending[c][model.next] = false;
	if (!card->recv) {
		forget(0);
		forget(1);
	}
	if (ch->is_open)
		ch->ops->batch_end(ch->ctx);
}

static void say(unsigned int c, const struct nvsp_message *m)
{
	struct packet p = {.type = VM_PKT_DATA_INBAND};

	put(c, &p, m, sizeof(*m));
}

/* A RNDIS message in pages from @offset on, perhaps behind a section. */
static void say_rndis(unsigned int c, uint32_t type, uint32_t section,
		      uint32_t section_bytes, uint32_t offset, uint32_t bytes)
{
	struct nvsp_message m = {
		.msg_type = NVSP_MSG1_TYPE_SEND_RNDIS_PKT,
		.send_rndis_pkt = {type, section, section_bytes}};
	struct packet p = {.type = VM_PKT_DATA_USING_GPA_DIRECT};
	uint32_t n = (offset % PAGE + bytes + PAGE - 1) / PAGE;
	struct gpa_range range = {.byte_count = bytes,
				  .byte_offset = offset % PAGE};
	uint64_t words[1 + DATA_PAGES];

	memcpy(words, &range, sizeof(range));
	for (uint32_t i = 0; i < n && i < DATA_PAGES; i++)
		words[1 + i] = DATA_PFN + offset / PAGE + i;
	p.gpa = (struct gpa_range_list){
		.data = words, .size = 8 + 8 * n, .n_ranges = 1};
	if (n > DATA_PAGES || gpa_ranges_check(&p.gpa, &p.gpa_bytes))
		p = (struct packet){.type = VM_PKT_DATA_INBAND};
	put(c, &p, &m, sizeof(m));
}

static void put_raw(struct reader *r, uint8_t arg)
{
	struct nvsp_message m = {0};
	uint8_t bytes = next_byte(r) % sizeof(m);

	reader_bytes(r, &m, bytes);
	if (arg & 2)
		m.msg_type = (arg & 4 ? 100 : 125) + m.msg_type % 12;
	if (arg & 8)
		m.send_buf.gpadl_handle = 1 + (arg >> 4) % 3;
	say(arg & 1, &m);
}

static void share(uint32_t type, uint32_t gpadl)
{
	struct nvsp_message m = {.msg_type = type, .send_buf = {gpadl, 0xCAFE}};

	say(0, &m);
}

static void say_request(uint32_t type, uint32_t oid, const void *data,
			uint32_t bytes)
{
	struct {
		struct rndis_header h;
		struct rndis_oid_request q;
	} __attribute__((packed)) m = {.h = {type, (uint32_t)sizeof(m) + bytes},
				       .q = {1, oid, bytes, 20, 0}};

	if (type == RNDIS_MSG_INIT)
		m.q.oid = RNDIS_MAJOR_VERSION;
	memcpy(ram(DATA_PFN), &m, sizeof(m));
	if (bytes)
		memcpy(ram(DATA_PFN) + sizeof(m), data, bytes);
	say_rndis(0, NVSP_CHANNEL_CONTROL, NETVSC_INVALID_INDEX, 0, 0,
		  m.h.msg_len);
}

static void shake_hands(uint8_t arg)
{
	static const uint32_t versions[] = {
		NVSP_PROTOCOL_VERSION_61, NVSP_PROTOCOL_VERSION_6,
		NVSP_PROTOCOL_VERSION_5, NVSP_PROTOCOL_VERSION_1};
	static const uint32_t mtus[] = {1514, 1514, 4014, 9014};
	uint32_t v = versions[arg & 3], filter = 0xF;
	struct nvsp_message m = {.msg_type = NVSP_MSG_TYPE_INIT,
				 .init = {v, v}};

	say(0, &m);
	m = (struct nvsp_message){
		.msg_type = NVSP_MSG2_TYPE_SEND_NDIS_CONFIG,
		.send_ndis_config = {.mtu = mtus[arg >> 2 & 3],
				     .capability = NVSP_NDIS_CAP_RSC}};
	say(0, &m);
	share(NVSP_MSG1_TYPE_SEND_RECV_BUF, 1);
	share(NVSP_MSG1_TYPE_SEND_SEND_BUF, 2);
	say_request(RNDIS_MSG_INIT, 0, NULL, 0);
	if (arg & 0x10)
		filter = NDIS_PACKET_TYPE_PROMISCUOUS;
	say_request(RNDIS_MSG_SET, OID_GEN_CURRENT_PACKET_FILTER, &filter, 4);
}

static void put_request(struct reader *r, uint8_t arg)
{
	static const uint32_t oids[] = {
		OID_GEN_CURRENT_PACKET_FILTER, OID_GEN_RECEIVE_SCALE_PARAMETERS,
		OID_TCP_OFFLOAD_PARAMETERS,    OID_GEN_RNDIS_CONFIG_PARAMETER,
		OID_802_3_MULTICAST_LIST,      OID_GEN_SUPPORTED_LIST,
		OID_GEN_FRIENDLY_NAME,         OID_GEN_XMIT_OK};
	uint8_t data[256], bytes = next_byte(r);

	reader_bytes(r, data, MIN(bytes, reader_left(r)));
	say_request(arg & 0x40 ? arg & 0xF : RNDIS_MSG_QUERY + (arg >> 7),
		    oids[arg & 7], data, bytes);
}

/* Turn everything on, with a table that has both channels. */
static void turn_on(uint8_t arg)
{
	struct ndis_offload_params o = {
		.header = {NDIS_OBJECT_TYPE_DEFAULT, 3, 28},
		.tcp_ip_v4_csum = 4,
		.tcp_ip_v6_csum = 4,
		.rsc_ip_v4 = arg & 2,
		.rsc_ip_v6 = arg & 2};
	struct {
		struct ndis_recv_scale_param p;
		uint32_t table[4];
		uint8_t key[40];
	} __attribute__((packed))
	rss = {.p = {.header = {NDIS_OBJECT_TYPE_RSS_PARAMETERS, 2, 40},
		     .hashinfo = 0x1701,
		     .indirect_tabsize = 16,
		     .indirect_taboffset = 40,
		     .hashkey_size = 40,
		     .hashkey_offset = 56},
	       .table = {arg & 1, 1, 0, arg >> 2 & 1}};

	memset(rss.key, 0x5A + arg, sizeof(rss.key));
	say_request(RNDIS_MSG_SET, OID_TCP_OFFLOAD_PARAMETERS, &o, sizeof(o));
	say_request(RNDIS_MSG_SET, OID_GEN_RECEIVE_SCALE_PARAMETERS, &rss,
		    sizeof(rss));
}

/* A frame of the guest; a word of it is another. */
static void put_frame(struct reader *r, uint8_t arg)
{
	static const uint32_t types[] = {TCPIP_CHKSUM_PKTINFO,
					 TCP_LARGESEND_PKTINFO, IEEE_8021Q_INFO,
					 NBL_HASH_VALUE};
	uint32_t offset = next_byte(r) * 16u, bytes = 14u + next_byte(r) * 8u;
	uint32_t items = arg & 1 ? 2 * PPI_BYTES : 0, data, len, at;
	static uint8_t m[4096];

	memset(m, 0x45, sizeof(m));
	struct rndis_header h = {RNDIS_MSG_PACKET, 44 + items + bytes};
	struct rndis_packet p = {.data_offset = 36 + items,
				 .data_len = bytes,
				 .per_pkt_info_offset = items ? 36 : 0,
				 .per_pkt_info_len = items};

	memcpy(m, &h, sizeof(h));
	memcpy(m + 8, &p, sizeof(p));
	if (items) {
		reader_bytes(r, &data, sizeof(data));
		ppi_put(m + 44, types[arg >> 1 & 3], data);
		reader_bytes(r, &data, sizeof(data));
		ppi_put(m + 44 + PPI_BYTES, types[arg >> 3 & 3], data);
	}
	reader_bytes(r, m + 44 + items, MIN(80, reader_left(r)));
	if (arg & 0x20) {
		at = next_byte(r) % 76u;
		reader_bytes(r, m + at, 4);
	}
	len = 44 + items + bytes;
	gmem_write(fake_mem, DATA_PFN * PAGE + offset, m, len);
	gmem_write(fake_mem, SEND_PFN * PAGE, m, MIN(len, 6144));
	if (arg & 0x40)
		say_rndis(arg >> 7, 0, next_byte(r) % 3, next_byte(r) * 32u,
			  offset, len);
	else
		say_rndis(arg >> 7, 0, NETVSC_INVALID_INDEX, 0, offset, len);
}

/* --- what the host does ---------------------------------------------------------------- */

static void come(struct reader *r, uint8_t arg)
{
	static uint8_t frame[70000];
	struct virtio_net_hdr h = {0};
	size_t bytes = 14u + next_byte(r) * 16u;

	if (arg & 1)
		bytes = 14 + bytes * 17;
	if (arg & 2) {
		h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h.csum_start = next_byte(r);
		h.csum_offset = arg & 4 ? 6 : 16;
	}
	memset(frame, arg, bytes);
	reader_bytes(r, frame, MIN(64, reader_left(r)));
	if (arg & 8)
		memset(frame, 0xFF, 6);
	net_mem_put(net, arg >> 7, arg & 2 ? &h : NULL, frame, bytes);
}

static void take_all(void)
{
	static uint8_t frame[FRAME_MAX];
	ssize_t n;

	for (unsigned int i = 0; i < CHANNELS; i++) {
		while ((n = net_mem_take(net, i, NULL, frame, sizeof(frame))) !=
		       -EAGAIN)
			expect(n >= (ssize_t)FRAME_MIN &&
			       n <= (ssize_t)FRAME_MAX);
	}
}

/* The guest is done with packets: some that it has, or one that it has not. */
static void complete(unsigned int c, uint8_t arg)
{
	struct channel *ch = channel(c);
	struct packet p = {.type = VM_PKT_COMP, .trans_id = arg * 3u};

	for (unsigned int i = 0; i < SECTIONS && ch->is_open; i++) {
		if (!model.in_flight[c][i] || (arg & 1 && i % 3))
			continue;
		model.in_flight[c][i] = false;
		for (unsigned int k = 0; k < model.last_of[i]; k++)
			model.taken[model.sections[i][k]] = false;
		p.trans_id = i + 1;
		expect(!ch->ops->packet(ch->ctx, &p));
	}
	p.trans_id = 1u + arg;
	if (ch->is_open && !model.in_flight[c][arg])
		expect(!ch->ops->packet(ch->ctx, &p));
}

/* --- life -------------------------------------------------------------------------------- */

static void close_channel(unsigned int c)
{
	struct channel *ch = channel(c);

	if (!ch->is_open)
		return;
	ch->is_open = false;
	ch->wants_room = false;
	expect(!ch->ops->close(ch->ctx));
	forget(c);
	/* The buffer goes with the primary. */
	if (!card->recv)
		forget(1);
	memset(model.pending[c], 0, sizeof(model.pending[c]));
}

static void open_channel(unsigned int c)
{
	struct channel *ch = channel(c);

	if (ch->is_open || (c && !card->granted))
		return;
	ch->room = FAKE_RING_BYTES;
	expect(!fake_open(ch));
}

static void ask_for_channels(void)
{
	struct nvsp_message m = {.msg_type = NVSP_MSG5_TYPE_SUBCHANNEL,
				 .subchn_req = {1, 1}};

	say(0, &m);
	open_channel(1);
}

/* Buffers go; what was in them is forgotten. */
static void drop_buffer(uint8_t arg)
{
	struct nvsp_message m = {
		.msg_type = arg & 1 ? NVSP_MSG1_TYPE_REVOKE_RECV_BUF
				    : NVSP_MSG1_TYPE_REVOKE_SEND_BUF};

	if (!channel(0)->is_open)
		return;
	if (arg & 2)
		channel(0)->ops->gpadl_teardown(channel(0)->ctx,
						gpadls[arg & 1 ? 0 : 1]);
	else
		say(0, &m);
	if (!card->recv) {
		forget(0);
		forget(1);
	}
}

static void run_all(void)
{
	for (unsigned int round = 0; round < 4; round++) {
		for (unsigned int i = 0; i < CHANNELS; i++) {
			struct pollfd p = {.events = POLLIN};
			struct channel *ch = channel(i);

			if (ch->woken) {
				ch->woken = false;
				ch->ops->wake(ch->ctx);
			}
			p.fd = fds[i] ? fds[i]->fd : -1;
			if (fds[i] && poll(&p, 1, 0) == 1)
				fds[i]->run(fds[i], 1);
		}
		while (n_tasks) {
			struct worker_task *t = tasks[0];

			n_tasks--;
			memmove(tasks, tasks + 1, n_tasks * sizeof(tasks[0]));
			t->queued = false;
			t->run(t);
		}
	}
}

static void run_timers(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(timers); i++) {
		struct worker_timer *t = timers[i];

		timers[i] = NULL;
		if (t)
			t->run(t);
	}
}

/* The card is about to go. */
static void part(bool revoke)
{
	bool parted = false;

	netvsp_part(card);
	run_all();
	for (unsigned int i = 0; i < 2 * NETVSP_QUIET_LOOKS && !parted; i++)
		parted = netvsp_has_parted(card);
	if (!parted)
		return;
	model.parted = true;
	for (unsigned int c = 0; c < CHANNELS; c++)
		for (unsigned int i = 0; i < SECTIONS; i++)
			expect(!model.in_flight[c][i]);
	if (revoke)
		netvsp_revoke(card);
}

static void step(struct reader *r, uint8_t op)
{
	uint8_t arg = next_byte(r);

	switch (op % 16) {
	case 0:
	case 1:
		put_raw(r, arg);
		break;
	case 2:
		shake_hands(arg);
		break;
	case 3:
		put_request(r, arg);
		break;
	case 4:
		turn_on(arg);
		break;
	case 5:
	case 6:
		put_frame(r, arg);
		break;
	case 7:
	case 8:
		come(r, arg);
		break;
	case 9:
		complete(arg & 1, arg >> 1);
		break;
	case 10:
		/* The guest cannot take room back. */
		fake_room(channel(arg & 1),
			  MAX(channel(arg & 1)->room, (uint32_t)arg << 5));
		break;
	case 11:
		net_mem_hold(net, arg & 1 ? UINT_MAX : arg >> 1);
		break;
	case 12:
		if (arg & 1)
			net_set_link(net, arg & 2);
		run_timers();
		break;
	case 13:
		drop_buffer(arg);
		break;
	case 14:
		ask_for_channels();
		break;
	default:
		if (arg >> 4 == 15) {
			part(arg & 1);
			break;
		}
		close_channel(arg & 1);
		open_channel(arg & 1);
		break;
	}
	run_all();
	take_all();
}

static struct gpadl *share_pages(uint64_t pfn, uint32_t n)
{
	uint64_t pfns[RECV_PAGES];
	struct gpadl *g;

	for (uint32_t i = 0; i < n; i++)
		pfns[i] = pfn + i;
	g = make_gpadl(pfns, n);
	expect(!gpadl_check(g, ring_bench_is_ram, fake_mem));
	return g;
}

static void make_memory(void)
{
	if (fake_mem)
		return;
	fake_mem = gmem_new(RAM_PAGES * PAGE, NULL);
	gpadls[0] = share_pages(RECV_PFN, RECV_PAGES);
	gpadls[1] = share_pages(SEND_PFN, SEND_PAGES);
	gpadls[2] = share_pages(SEND_PFN, 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net_mem_params mp = {.queues = CHANNELS,
				    .offloads = NET_OFFLOAD_ALL,
				    .takes_offloads = NET_OFFLOAD_ALL};
	struct netvsp_params params = {
		.vsp = {.name = "fuzz", .host_version = VERSION_WIN10_V5_3},
		.mac = {2, 0, 0, 0, 0, 1},
		.link_pace_ns = 1};
	struct reader r = reader_init(data, size);

	log_set_level("error");
	make_memory();
	memset(&model, 0, sizeof(model));
	n_tasks = 0;
	memset(timers, 0, sizeof(timers));
	net = net_mem_new(&mp);
	params.net = net;
	card = netvsp_new(&params, NULL);
	open_channel(0);
	while (reader_left(&r))
		step(&r, next_byte(&r));
	close_channel(0);
	close_channel(1);
	run_all();
	netvsp_free(card);
	net_free(net);
	return 0;
}
