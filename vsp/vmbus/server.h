/* SPDX-License-Identifier: MIT */
/*
 * server.h - the control plane of VMbus: contact, offers, GPADLs, opening and
 * closing, without a thread, a descriptor or a lock of its own.
 *
 * Three kinds of input: messages of the guest, calls of who owns an offer,
 * and time.  Two kinds of output: messages to the guest, posted through
 * struct vmbus_server_ops, and actions, which whoever drives the server takes
 * with vmbus_server_next_action() after each call and carries out.  An action
 * is answered with another call, at any later time.
 *
 * Who drives it holds one lock around each call, and none while he carries
 * out an action (server_thread.h).
 *
 * The life of an offer, as the guest knows it (rows) and as its owner does:
 *
 *	unknown   before REQUESTOFFERS, or after the connection ended
 *	offered   OFFERCHANNEL was sent, or is about to be
 *	revoked   the host took it back: RESCIND was sent, RELID_RELEASED has
 *		  not come
 *
 *	closed -- OPENCHANNEL --> opening -- opened() --> open
 *	open -- CLOSECHANNEL, rescind, end of connection --> closing
 *	closing -- closed() --> closed
 *
 * The relid of an offer is not given to another one before the guest has let
 * go of it, its owner has closed it, and all its GPADLs are gone.
 *
 * Every resource that a guest can make is bounded by the constants below;
 * what is beyond is refused with a status, or waits.
 *
 * Source: Linux drivers/hv/channel_mgmt.c, channel.c, connection.c; OpenVMM
 * vmbus_server/src/channels.rs where Linux does not say.  Decisions of ours
 * stand in the .c files.
 */
#ifndef VSP_VMBUS_SERVER_H
#define VSP_VMBUS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/vmbus.h"

struct coverage_set;
struct gpadl;
struct vmbus_offer;
struct vmbus_server;

/* Messages to the guest that may wait before no more are taken from it. */
#define VMBUS_OUT_HIGH       64u
/* GPADLs whose last piece has not arrived. */
#define VMBUS_UNFINISHED_MAX 64u
/* How long a GPADL may wait for its next piece, ns. */
#define VMBUS_UNFINISHED_NS  10000000000ull
/* GPADLs in all: four for each possible channel. */
#define VMBUS_GPADLS_MAX     (4u * MAX_CHANNEL_RELIDS)
/* Offers that owners may make; of the guest's 2047 relids others may wait. */
#define VMBUS_OFFERS_MAX     4096u

#define VMBUS_NEVER UINT64_MAX

struct vmbus_server_ops {
	/*
	 * Post a channel message to a SINT of a VP; copied.
	 * Return: 0; -EAGAIN no room: call vmbus_server_flush() when there
	 * is; any other error: it can never be delivered, and is dropped.
	 */
	int (*post_message)(void *ctx, uint32_t vp, unsigned int sint,
			    const void *msg, size_t size);
	/*
	 * The connection is over: forget what was posted there and the guest
	 * did not get yet.
	 */
	void (*drop_messages)(void *ctx, uint32_t vp, unsigned int sint);
	/* May a guest share this page? */
	bool (*is_ram)(void *ctx, uint64_t pfn);
	/* Nobody uses it any more; the guest waits, and will be told so. */
	void (*give_back)(void *ctx, const struct gpadl *gpadl);
};

struct vmbus_server_params {
	/* newest version that is spoken, VERSION_WIN7 to VERSION_WIN10_V6_0 */
	uint32_t max_version;
	unsigned int n_vps;
	/* how much memory may be in GPADLs */
	uint64_t gpadl_bytes_max;
	const struct vmbus_server_ops *ops;
	void *ctx;
};

/* What was agreed on; all zero while there is no connection. */
struct vmbus_connection {
	/* it is the guest's first, second …, after so many resets */
	uint64_t number, resets;
	uint32_t version;
	uint32_t features;
	uint32_t message_vp;
	/* below VERSION_WIN8: where interrupts are told apart; 0: none */
	uint64_t interrupt_page_gpa;
	/* host to guest, guest to host; both 0: none */
	uint64_t monitor_page_gpa[2];
	struct guid client_id;
};

/* What an owner says about his channel. */
struct vmbus_offer_params {
	struct guid if_type;
	/* of its own, but for sub-channels: their primary's */
	struct guid if_instance;
	uint16_t sub_channel_index; /* 0: a primary */
	uint16_t chn_flags; /* VMBUS_CHANNEL_… */
	uint16_t mmio_megabytes;
	/*
	 * Offers are sent by rising order, then class, instance, index: the
	 * guest's names of disks and NICs follow from it.
	 */
	uint32_t order;
	uint8_t user_def[MAX_USER_DEFINED_BYTES];
	/* somebody looks at bit monitor_id of the second monitor page */
	bool is_monitored;
	uint8_t monitor_id;
	const char *name; /* for fault rules; borrowed; NULL: none */
	void *ctx; /* of the actions */
};

/* OPENCHANNEL, checked but for the ring GPADL's contents. */
struct vmbus_open_request {
	uint32_t openid;
	uint32_t ring_gpadl;
	uint32_t downstream_page; /* where the second ring begins */
	uint32_t target_vp; /* or VMBUS_NO_INTERRUPTS */
	uint32_t connection_id; /* where the guest signals */
	uint16_t event_flag; /* what the host sets */
	uint8_t userdata[MAX_USER_DEFINED_BYTES];
};

enum vmbus_action_kind {
	/* answer with vmbus_offer_opened() */
	VMBUS_ACTION_OPEN,
	/* let go of rings and GPADLs, answer with vmbus_offer_closed() */
	VMBUS_ACTION_CLOSE,
	/* answer with vmbus_offer_modified() */
	VMBUS_ACTION_MODIFY,
	/*
	 * The monitor pages are others now: look at those, and answer with
	 * vmbus_offer_pages_moved()
	 */
	VMBUS_ACTION_MOVE_PAGES,
	/* the guest wants it back: vmbus_server_gpadl_put() soon */
	VMBUS_ACTION_GPADL_TEARDOWN,
	/* a rescinded offer is gone, and no longer to be used */
	VMBUS_ACTION_RELEASED,
	/* no answer: connection, offers sent, end of the connection */
	VMBUS_ACTION_CONNECTED,
	VMBUS_ACTION_OFFERS_SENT,
	VMBUS_ACTION_DISCONNECTED,
	/* UNLOAD was answered */
	VMBUS_ACTION_UNLOADED,
	/* hv_sock: offer a channel, or vmbus_server_refuse_tl_connect() */
	VMBUS_ACTION_TL_CONNECT,
};

struct vmbus_action {
	enum vmbus_action_kind kind;
	/* of the first six */
	struct vmbus_offer *offer; /* NULL with RELEASED */
	void *ctx; /* the offer's */
	union {
		struct vmbus_open_request open;
		uint32_t target_vp; /* MODIFY */
		uint32_t gpadl; /* GPADL_TEARDOWN */
		struct vmbus_connection connection; /* CONNECTED */
		struct {
			struct guid endpoint;
			struct guid service;
			struct guid silo; /* zero: not said */
		} tl_connect;
	};
};

struct vmbus_server_stats {
	unsigned int n_offers; /* that owners have made */
	unsigned int n_relids; /* in use */
	unsigned int n_gpadls;
	uint64_t gpadl_bytes; /* pages of GPADLs, unfinished ones too */
	uint64_t contacts; /* versions agreed on */
	uint64_t ignored; /* messages against the protocol */
	uint64_t expired; /* GPADLs that were never finished */
	uint64_t dropped; /* messages that nobody waited for any more */
	unsigned int out_peak; /* most messages that waited */
};

/**
 * vmbus_server_new() - nobody is connected, nothing is offered
 * @params: copied
 *
 * Return: owned; never NULL.
 */
struct vmbus_server *vmbus_server_new(const struct vmbus_server_params *params);

/** vmbus_server_free() - with all its offers; nothing is sent or answered */
void vmbus_server_free(struct vmbus_server *server);

/* --- the guest ---------------------------------------------------------- */

/**
 * vmbus_server_message() - the guest posted a message
 * @now:  CLOCK_MONOTONIC, ns
 * @vp:   who posted it
 * @data: a private copy; nothing in it was checked
 *
 * Thread-safe in no way, as all of these; see the top of the file.
 */
void vmbus_server_message(struct vmbus_server *server, uint64_t now,
			  uint32_t vp, const void *data, size_t size);

/**
 * vmbus_server_wants_input() - should the guest's next message be handled?
 *
 * Not while too many answers wait.  INITIATE_CONTACT and UNLOAD may be
 * handled all the same, as they make the answers pointless.
 */
bool vmbus_server_wants_input(const struct vmbus_server *server);

/** vmbus_server_flush() - there is room for messages: post what waits */
void vmbus_server_flush(struct vmbus_server *server);

/** vmbus_server_deadline() - when to call vmbus_server_expire() */
uint64_t vmbus_server_deadline(const struct vmbus_server *server);

/** vmbus_server_expire() - give up GPADLs that are not finished by @now */
void vmbus_server_expire(struct vmbus_server *server, uint64_t now);

/**
 * vmbus_server_reset() - the guest is gone without a word: all is torn down
 *
 * Messages that wait are dropped.  Done when vmbus_server_is_idle(), after
 * the owners have answered the actions that come of it.
 */
void vmbus_server_reset(struct vmbus_server *server);

/** vmbus_server_is_idle() - is there no connection, nothing open or shared? */
bool vmbus_server_is_idle(const struct vmbus_server *server);

/* --- actions ------------------------------------------------------------ */

/** vmbus_server_next_action() - Return: false when there is none */
bool vmbus_server_next_action(struct vmbus_server *server,
			      struct vmbus_action *action);

bool vmbus_server_has_action(const struct vmbus_server *server);

/* --- owners ------------------------------------------------------------- */

/**
 * vmbus_server_offer() - offer a channel, now or when a guest connects
 * @params: copied
 *
 * If an offer with the same instance is revoked but not released yet, the
 * new one waits for that.
 *
 * Return: the server's, until VMBUS_ACTION_RELEASED; NULL when the instance
 * and index are taken, or there are VMBUS_OFFERS_MAX.
 */
struct vmbus_offer *vmbus_server_offer(struct vmbus_server *server,
				       const struct vmbus_offer_params *params);

/**
 * vmbus_offer_revoke() - take the offer back; who has it open goes on
 *
 * ... until the guest closes it, or vmbus_offer_rescind() is called.
 * VMBUS_ACTION_RELEASED follows in any case.  Fine if it was taken back before.
 */
void vmbus_offer_revoke(struct vmbus_offer *offer);

/**
 * vmbus_offer_rescind() - take the offer back, and do not wait for the guest
 *
 * An open one is closed first (action).  VMBUS_ACTION_RELEASED follows in any
 * case.  Fine if it was taken back before.
 */
void vmbus_offer_rescind(struct vmbus_offer *offer);

/**
 * vmbus_offer_opened() - the owner's answer to VMBUS_ACTION_OPEN
 * @ok: else the guest is told that it cannot be opened
 */
void vmbus_offer_opened(struct vmbus_offer *offer, bool ok);

/** vmbus_offer_closed() - the owner's answer to VMBUS_ACTION_CLOSE */
void vmbus_offer_closed(struct vmbus_offer *offer);

/** vmbus_offer_modified() - no more interrupts go to the VP before */
void vmbus_offer_modified(struct vmbus_offer *offer);

/** vmbus_offer_pages_moved() - it is done with the monitor pages before */
void vmbus_offer_pages_moved(struct vmbus_offer *offer);

uint16_t vmbus_offer_relid(const struct vmbus_offer *offer);

const struct vmbus_offer_params *
vmbus_offer_params(const struct vmbus_offer *offer);

/**
 * vmbus_offer_gpadl_get() - use a GPADL of the channel
 *
 * Return: unchanged and there until it is put; NULL if there is none, or the
 * guest is taking it back.
 */
const struct gpadl *vmbus_offer_gpadl_get(struct vmbus_offer *offer,
					  uint32_t id);

/** vmbus_offer_gpadl_put() - the owner is done with it */
void vmbus_offer_gpadl_put(struct vmbus_offer *offer,
			   const struct gpadl *gpadl);

/**
 * vmbus_server_refuse_tl_connect() - nobody listens at that service
 *
 * Says nothing to guests that could not stand it.
 */
void vmbus_server_refuse_tl_connect(struct vmbus_server *server,
				    const struct guid *endpoint,
				    const struct guid *service);

/* --- looking ------------------------------------------------------------- */

/** vmbus_server_connection() - borrowed; version 0: none */
const struct vmbus_connection *
vmbus_server_connection(const struct vmbus_server *server);

/** vmbus_server_coverage() - messages by type, both ways; borrowed */
const struct coverage_set *
vmbus_server_coverage(const struct vmbus_server *server);

void vmbus_server_get_stats(const struct vmbus_server *server,
			    struct vmbus_server_stats *stats);

#endif
