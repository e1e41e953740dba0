/* SPDX-License-Identifier: MIT */
/*
 * impl.h - the insides of a card, for the files that it is made of:
 *
 *	netvsp.c    life, what a report says
 *	protocol.c  NVSP messages, opening and closing
 *	buffers.c   the guest's buffers, who has which sections
 *	control.c   RNDIS messages but frames, answers, the link
 *	oid.c       the table of objects that are asked for and set
 *	tx.c        frames of the guest
 *	rx.c        frames for the guest
 *	mail.c      frames that another channel is to bring
 *
 * Theory of operation.  What the guest agrees on with the card is the
 * primary's worker's.  What a channel needs of it for frames stands in the
 * channel, and only its own worker touches it: the primary puts it there by
 * worker_call().  No worker ever calls the primary's, so that ends.
 */
#ifndef VSP_NETVSP_IMPL_H
#define VSP_NETVSP_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/fault.h"
#include "devices/net/net.h"
#include "proto/nvsp.h"
#include "proto/rndis.h"
#include "vsp/net/filter.h"
#include "vsp/net/guest_buffer.h"
#include "vsp/net/offload.h"
#include "vsp/net/rss.h"
#include "vsp/net/sections.h"
#include "vsp/net/tx_frame.h"
#include "vsp/netvsp/netvsp.h"
#include "vsp/vmbus/channel.h"
#include "vsp/vmbus/worker.h"

/* Of a RNDIS message that is not a frame: what the trace keeps. */
#define TRACE_RNDIS_BYTES 56u

#define NETVSP_MTU_DEFAULT        1500u
/* As Windows has it. */
#define NETVSP_SEND_SECTION_BYTES 6144u
/* Sections that only answers are put into. */
#define NETVSP_CONTROL_SECTIONS   16u
#define NETVSP_SECTIONS_MIN       8u
/* What a guest is told that it may put into one message, and what is taken. */
#define NETVSP_MESSAGES_TOLD      8u
#define NETVSP_MESSAGES_MAX       64u
#define NETVSP_ALIGNMENT_EXPONENT 3u
#define NETVSP_TRANSFER_MAX       0x20000u
/* RNDIS requests and answers, the longest; answers that wait */
#define NETVSP_CONTROL_BYTES      4096u
#define NETVSP_REPLY_BYTES        1024u
#define NETVSP_REPLIES            32u
/* Ranges of one packet; with its header within what Linux always has room for. */
#define NETVSP_RANGES_MAX         120u

/*
 * A section of the receive buffer: RNDIS' header and items, then the frame's
 * first bytes, which came through private memory, then those that were read
 * right into it.  Of a frame in several sections the others have their part
 * at RX_DATA_AT, too.  Windows uses no more than all but the last 36 bytes
 * (OpenVMM netvsp/src/buffers.rs).
 */
#define RX_HEAD_BYTES 128u
#define RX_HEAD_AT    128u
#define RX_DATA_AT    (RX_HEAD_AT + RX_HEAD_BYTES)
#define RX_TAIL       36u

/* Looks at a card that goes at which its guest has sent nothing more. */
#define NETVSP_QUIET_LOOKS 20u

/* Pieces that are ready to be read into, a few frames ahead. */
#define RX_SLIDE 256u

struct netvsp;
struct netvsp_channel;

/* Written by the channel's worker; read by any. */
struct netvsp_counters {
	_Atomic uint64_t tx_frames[N_CASTS], tx_bytes[N_CASTS];
	_Atomic uint64_t tx_lost, tx_bad, tx_csum, tx_lso, tx_vlan;
	_Atomic uint64_t rx_frames[N_CASTS], rx_bytes[N_CASTS];
	_Atomic uint64_t rx_filtered, rx_no_buffer, rx_long;
	_Atomic uint64_t rx_csum, rx_rsc, rx_vlan, rx_moved, rx_packets;
	_Atomic uint64_t refused;
};

/* What the guest has set, as all channels have to know it. */
struct netvsp_config {
	bool ready; /* RNDIS is initialized: frames are taken */
	bool halted; /* it was: those that are still on their way are lost */
	bool up; /* ... and a filter is set: frames are wanted */
	bool parting; /* the card goes: they are not brought any more */
	struct filter filter;
	struct offload offload;
	const struct rss *rss; /* the card's */
};

/* Sections with what is read next; see rx.c. */
struct netvsp_window {
	size_t pieces; /* of a section */
	unsigned int want; /* sections, for the longest frame */
	unsigned int at, end; /* sections */
	uint32_t section[RX_SLIDE];
	struct iovec iov[1 + RX_SLIDE];
	uint8_t head[RX_HEAD_BYTES];
};

/* A packet to the guest that is being put together. */
struct netvsp_batch {
	unsigned int n;
	uint16_t frames; /* some are in several of them */
	uint32_t first, last; /* sections */
	struct vmtransfer_page_range ranges[NETVSP_RANGES_MAX];
};

/* A frame that others of its packet overtake. */
struct netvsp_overtaken {
	unsigned int at; /* of the packet's ranges */
	unsigned int after; /* so many more; 0: there is none */
};

#define NETVSP_MAIL_MAX 256u

/* What other channels have for this one.  lock */
struct netvsp_mail {
	pthread_mutex_t lock; /* a leaf */
	bool is_taken; /* there is somebody who takes it */
	struct section_pool back; /* its sections, free again */
	unsigned int at, n;
	uint32_t frames[NETVSP_MAIL_MAX]; /* first sections */
};

/* All but the counters and the mail is the worker's. */
struct netvsp_channel {
	struct netvsp *s;
	uint16_t index;
	struct worker *worker;
	struct channel *ch;
	struct netvsp_counters n;
	struct netvsp_mail mail;
	struct worker_task mail_task;

	bool is_open;
	/* the buffers, NULL: not yet, or not any more; the card's */
	const struct guest_buffer *recv, *send;
	struct sections *sections;
	struct section_pool pool;
	struct netvsp_config config;
	unsigned int ranges_max; /* of a packet on this ring */
	uint32_t spare_bytes; /* of the ring, left free for answers */

	struct net_queue *queue; /* NULL: closed */
	struct worker_fd fd;

	/* to the back end */
	unsigned int done_frames; /* of the packet that is held */
	bool held, kick;
	bool losing; /* it was held for too long */
	struct worker_timer hold;
	struct tx_frame frame;

	/* from it */
	bool is_receiving; /* frames are wanted, and all is there for that */
	bool starved; /* but no sections */
	bool blocked; /* but no room in the ring */
	bool full; /* but the guest has enough of them */
	unsigned int in_flight; /* frames that the guest has not completed */
	unsigned int pass; /* batches of the guest's after which not to look */
	uint16_t rsc_id;
	struct worker_task receive;
	struct netvsp_window window;
	struct netvsp_batch batch;
	/* what goes wrong with the frame in hand; fault.c */
	bool is_faulty;
	struct fault_hit fault;
	struct netvsp_overtaken overtaken;
};

struct netvsp_reply {
	uint32_t bytes;
	uint8_t data[NETVSP_REPLY_BYTES];
};

struct coverage_set;

struct netvsp {
	/* set once */
	struct netvsp_params params;
	struct gmem *mem;
	unsigned int n_channels; /* also those that are not offered */
	struct netvsp_channel *channels[NETVSP_QUEUES_MAX]; /* 0: primary */

	/* any thread; written by the primary's worker */
	_Atomic uint32_t version; /* 0: none yet */
	_Atomic uint32_t mtu; /* that the guest has said; 0: none yet */
	_Atomic uint32_t filter;
	_Atomic uint64_t mac;
	_Atomic bool ready; /* RNDIS is initialized */
	_Atomic bool link; /* that the guest was told */
	_Atomic bool link_moved; /* since the card looked */
	_Atomic unsigned int granted; /* sub-channels */
	_Atomic unsigned int open_subs;
	_Atomic bool had_open, had_link, had_rx, had_tx;
	struct coverage_set *messages, *oids; /* rows of the tables */

	/* the primary's worker */
	uint64_t capability; /* NVSP_NDIS_CAP_… */
	uint32_t ndis_version;
	bool table_is_due; /* the send indirection table */
	struct netvsp_config config; /* as channels have it */
	/* the buffers: NULL as long as there are none */
	const struct gpadl *recv_gpadl, *send_gpadl;
	struct guest_buffer *recv, *send;
	uint16_t recv_id;
	struct sections *sections;
	struct section_pool control_pool;
	/* answers that wait for a section, or for room */
	unsigned int reply_at, n_replies;
	struct netvsp_reply replies[NETVSP_REPLIES];
	uint8_t request[NETVSP_CONTROL_BYTES];
	/* the link */
	bool link_flapped; /* it went and came back unnoticed */
	/* whoever takes the card away: how often it was looked in vain */
	uint64_t parting_packets; /* of the guest's, by then */
	unsigned int parting_quiet;
	uint64_t link_told_at; /* ns; 0: never */
	struct worker_timer link_timer;
};

static inline bool netvsp_is_primary(const struct netvsp_channel *c)
{
	return c->index == 0;
}

/* The only writer of a counter. */
static inline void netvsp_count(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, old + n, memory_order_relaxed);
}

/* The channel that a task, timer or descriptor is in. */
#define NETVSP_CHANNEL_OF(at, member)                                \
	((struct netvsp_channel *)(void *)((uint8_t *)(at)-offsetof( \
		struct netvsp_channel, member)))

/* Is there a link?  A card that goes has its cable out. */
static inline bool netvsp_link(const struct netvsp *s)
{
	return !s->config.parting && net_link(s->params.net);
}

/* A milestone: once. */
void netvsp_milestone(struct netvsp *s, _Atomic bool *had,
		      void (*reached)(void *ctx));

/** netvsp_sum() - of a counter at @offset in struct netvsp_counters, all channels */
uint64_t netvsp_sum(const struct netvsp *s, size_t offset);

/** netvsp_publish_mac() - the guest has another address now */
void netvsp_publish_mac(struct netvsp *s);

/* --- protocol.c ------------------------------------------------------- */

extern const struct channel_ops netvsp_channel_ops;

/**
 * netvsp_apply() - give every channel the card's config
 *
 * On the primary's worker.
 */
void netvsp_apply(struct netvsp *s);

/* --- buffers.c -------------------------------------------------------- */

/** netvsp_share_recv() - the guest's receive buffer; Return: NVSP_STAT_… */
uint32_t netvsp_share_recv(struct netvsp *s, uint32_t gpadl, uint16_t id);
uint32_t netvsp_share_send(struct netvsp *s, uint32_t gpadl);

/** netvsp_drop_recv() - no channel uses it any more; fine if there is none */
void netvsp_drop_recv(struct netvsp *s);
void netvsp_drop_send(struct netvsp *s);

/** netvsp_spread_sections() - give the first @n sub-channels their share */
void netvsp_spread_sections(struct netvsp *s, unsigned int n);

/** netvsp_can_rsc() - are there sections enough for large frames? */
bool netvsp_can_rsc(const struct netvsp *s);

/**
 * netvsp_completed() - the guest has completed a packet
 *
 * Sections go home; who waits for them goes on.
 */
void netvsp_completed(struct netvsp_channel *c, uint64_t trans_id);

/** netvsp_free_chain() - sections from @first on go home */
void netvsp_free_chain(struct netvsp_channel *c, uint32_t first);

/* --- control.c ---------------------------------------------------------- */

/**
 * netvsp_control() - a RNDIS message on the control channel
 * @message: at it; private
 *
 * Return: NVSP_STAT_…, for its completion; after that netvsp_send_replies().
 */
uint32_t netvsp_control(struct netvsp *s, const void *message, uint32_t bytes);

/** netvsp_send_replies() - as many as there are sections and room for */
void netvsp_send_replies(struct netvsp *s);

/** netvsp_look_at_link() - tell the guest, now or when it will notice */
void netvsp_look_at_link(struct netvsp *s);
void netvsp_run_link_timer(struct worker_timer *timer);

/** netvsp_halt() - RNDIS is over, until it is initialized anew */
void netvsp_halt(struct netvsp *s);

/** netvsp_messages_new() - counters of its messages, a row each; owned */
struct coverage_set *netvsp_messages_new(void);

/* --- oid.c ---------------------------------------------------------------- */

/** netvsp_oids_new() - counters of the objects, a row each; owned */
struct coverage_set *netvsp_oids_new(void);

/**
 * netvsp_oid_query() - what is asked for
 * @room:  what the guest has room for; 0: it does not say
 * @out:   @n_max bytes
 * @bytes: out
 *
 * Return: RNDIS_STATUS_…
 */
uint32_t netvsp_oid_query(struct netvsp *s, uint32_t oid, uint32_t room,
			  uint8_t *out, uint32_t n_max, uint32_t *bytes);

/** netvsp_oid_set() - Return: RNDIS_STATUS_… */
uint32_t netvsp_oid_set(struct netvsp *s, uint32_t oid, const void *data,
			uint32_t bytes);

/* --- tx.c ----------------------------------------------------------------- */

/** netvsp_transmit() - NVSP_MSG1_TYPE_SEND_RNDIS_PKT; Return: as packet() */
int netvsp_transmit(struct netvsp_channel *c, const struct packet *packet,
		    const struct nvsp_1_message_send_rndis_packet *m);

/** netvsp_tx_ready() - the back end may have room again */
void netvsp_tx_ready(struct netvsp_channel *c);

/** netvsp_tx_reset() - forget what is held */
void netvsp_tx_reset(struct netvsp_channel *c);
void netvsp_run_hold(struct worker_timer *timer);

/* --- rx.c ----------------------------------------------------------------- */

/** netvsp_rx_update() - begin or end receiving, as what it needs came or went */
void netvsp_rx_update(struct netvsp_channel *c);

/** netvsp_rx_reset() - the sections of the window go home */
void netvsp_rx_reset(struct netvsp_channel *c);

/** netvsp_rx_resume() - there is room, or there are sections, again */
void netvsp_rx_resume(struct netvsp_channel *c);

/** netvsp_rx_answers() - frames of the guest's went: has any been answered? */
void netvsp_rx_answers(struct netvsp_channel *c);

/** netvsp_rx_watch() - the descriptor tells of what is waited for */
void netvsp_rx_watch(struct netvsp_channel *c);
void netvsp_run_receive(struct worker_task *task);
void netvsp_on_queue(struct worker_fd *fd, uint32_t events);

/** netvsp_batch_add() - a frame of @n sections from @first on; there is room */
void netvsp_batch_add(struct netvsp_channel *c, uint32_t first);

/**
 * netvsp_batch_has_room() - for @n sections more, and is the ring's for them?
 *
 * If not, writable() follows.
 */
bool netvsp_batch_has_room(struct netvsp_channel *c, unsigned int n);

/** netvsp_batch_send() - what was added goes to the guest */
void netvsp_batch_send(struct netvsp_channel *c);

/**
 * netvsp_section_bytes() - for frames of @mtu
 * @rsc: there may be large ones, which cost the less the fewer they take
 */
uint32_t netvsp_section_bytes(uint32_t mtu, bool rsc);

/** netvsp_rx_sections() - that the longest frame takes, of @section_bytes */
unsigned int netvsp_rx_sections(uint32_t section_bytes);

/* --- fault.c --------------------------------------------------------------- */

/** netvsp_fault_frame() - one was read; Return: it is lost */
bool netvsp_fault_frame(struct netvsp_channel *c);

/** netvsp_fault_put() - c->is_faulty: it is in its sections */
void netvsp_fault_put(struct netvsp_channel *c, uint32_t first);

/** netvsp_fault_added() - a frame of @n ranges went into the packet */
void netvsp_fault_added(struct netvsp_channel *c, unsigned int n);

/** netvsp_fault_message() - before an NVSP message; Return: it is lost */
bool netvsp_fault_message(struct netvsp_channel *c, struct nvsp_message *m);

/** netvsp_fault_reply() - before an RNDIS message; Return: it is lost */
bool netvsp_fault_reply(struct netvsp_channel *c, struct netvsp_reply *r);

/* --- mail.c ---------------------------------------------------------------- */

/** netvsp_mail_frame() - have @to bring a frame; Return: does it? */
bool netvsp_mail_frame(struct netvsp_channel *to, uint32_t first);

/** netvsp_mail_section() - give a section back to its home; false: it is gone */
bool netvsp_mail_section(struct netvsp_channel *home, struct sections *sections,
			 uint32_t section);

/** netvsp_has_mail() - are there frames that are yet to be brought? */
bool netvsp_has_mail(struct netvsp_channel *c);

/** netvsp_mail_open() - mail is taken, or is not any more: it is lost then */
void netvsp_mail_open(struct netvsp_channel *c, bool is_taken);
void netvsp_run_mail(struct worker_task *task);

#endif
