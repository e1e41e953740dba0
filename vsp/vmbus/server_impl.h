/* SPDX-License-Identifier: MIT */
/*
 * server_impl.h - the insides of the server, for the files that it is made
 * of, and the handlers of the table of messages.
 */
#ifndef VSP_VMBUS_SERVER_IMPL_H
#define VSP_VMBUS_SERVER_IMPL_H

#include <glib.h>

#include "vsp/vmbus/chanmsg.h"
#include "vsp/vmbus/server.h"

#define N_RELID_WORDS (MAX_CHANNEL_RELIDS / 64)

enum server_state {
	SERVER_DISCONNECTED,
	SERVER_CONNECTED,
	/* owners still close or hold something of the last connection */
	SERVER_DISCONNECTING,
};

/* What to do once the connection is gone. */
enum server_next {
	NEXT_NOTHING,
	NEXT_UNLOAD_RESPONSE,
	NEXT_CONTACT,
};

/* How the guest knows an offer. */
enum offer_guest {
	GUEST_UNKNOWN,
	GUEST_DUE, /* to be offered as soon as there is room */
	GUEST_OFFERED,
	GUEST_REVOKED,
};

/* What its owner is doing. */
enum offer_owner {
	OWNER_CLOSED,
	OWNER_OPENING,
	OWNER_OPEN,
	OWNER_CLOSING,
};

struct vmbus_offer {
	struct vmbus_server *server;
	struct vmbus_offer_params params;
	uint64_t device; /* a hash of what says which device it is */
	enum offer_guest guest;
	enum offer_owner owner;
	uint16_t relid; /* 0: none */
	bool rescinded; /* by the owner; never goes back */
	bool reopen; /* open again with `again` once it is closed */
	bool old_pages; /* its owner may still look at them */
	bool modifying; /* VMBUS_ACTION_MODIFY is out */
	bool modify_again; /* ... and then to modify_vp */
	uint32_t modify_vp;
	struct vmbus_open_request request; /* what it was opened with */
	struct vmbus_open_request again;
	GHashTable *gpadls; /* id to struct server_gpadl, borrowed */
};

/* A GPADL, from its first piece on. */
struct server_gpadl {
	struct gpadl *list;
	struct vmbus_offer *offer;
	bool finished; /* all pieces are here, and good */
	bool tearing_down; /* freed when n_users is 0 */
	bool answer; /* ... and the guest waits for it */
	unsigned int n_users;
	uint64_t expires; /* unless finished */
};

struct out_message {
	uint32_t vp;
	uint8_t sint;
	uint8_t size;
	uint8_t data[VMBUS_MESSAGE_MAX];
};

struct vmbus_server {
	struct vmbus_server_params params;
	struct coverage_set *coverage;
	struct vmbus_server_stats stats;

	enum server_state state;
	enum server_next next;
	/* the contact of NEXT_CONTACT */
	struct vmbus_channel_initiate_contact2 contact;
	struct vmbus_connection connection;
	uint64_t resets;
	/* where the last guest wanted its messages */
	uint32_t message_vp;
	bool modifying; /* MODIFY_CONNECTION_DONE is due */
	bool paused; /* the guest wants no messages */
	bool muted; /* ... and gets none: it knows */
	bool offers_requested;
	bool offers_sent;

	uint64_t now; /* of the message being handled, ns */

	GQueue out; /* struct out_message */
	GQueue actions; /* struct vmbus_action */

	GPtrArray *offers; /* in the order in which they are sent */
	struct vmbus_offer *by_relid[MAX_CHANNEL_RELIDS];
	uint64_t relids[N_RELID_WORDS]; /* in use; 0 always is */
	GHashTable *gpadls; /* id to struct server_gpadl, owned */
	unsigned int n_unfinished;
};

/* --- server.c ------------------------------------------------------------ */

/* Send a message of the host to the connection's VP. */
#define server_send(server, msg, type)                                   \
	server_send_to(server, (server)->message_vp, VMBUS_MESSAGE_SINT, \
		       &(msg)->header, sizeof(*(msg)), type)

/** server_send_to() - fill in the header of a message and queue a copy */
void server_send_to(struct vmbus_server *s, uint32_t vp, uint8_t sint,
		    struct vmbus_channel_message_header *msg, size_t size,
		    uint32_t type);

/** server_drop_out() - the guest that the queued messages are for is gone */
void server_drop_out(struct vmbus_server *s);

/** server_add_action() - queue a copy */
void server_add_action(struct vmbus_server *s,
		       const struct vmbus_action *action);

/* --- server_contact.c ---------------------------------------------------- */

/** server_disconnect() - tear down, then @next */
void server_disconnect(struct vmbus_server *s, enum server_next next);

/** server_settle() - an offer has come to rest: is that the end of it? */
void server_settle(struct vmbus_server *s);

/** server_pages_moved() - an owner is done with old pages: all of them? */
void server_pages_moved(struct vmbus_server *s);

int server_on_initiate_contact(struct vmbus_server *s,
			       const struct chanmsg *msg);
int server_on_unload(struct vmbus_server *s, const struct chanmsg *msg);
int server_on_pause(struct vmbus_server *s, const struct chanmsg *msg);
int server_on_resume(struct vmbus_server *s, const struct chanmsg *msg);
int server_on_modify_connection(struct vmbus_server *s,
				const struct chanmsg *msg);
int server_on_tl_connect(struct vmbus_server *s, const struct chanmsg *msg);

/* --- server_offer.c ------------------------------------------------------ */

/** server_by_relid() - what the guest means, NULL: nothing */
struct vmbus_offer *server_by_relid(struct vmbus_server *s, uint32_t relid);

/** server_send_offers() - as many of those due as there is room for */
void server_send_offers(struct vmbus_server *s);

/** offer_leave() - the guest has let go of it, for whatever reason */
void offer_leave(struct vmbus_offer *o);

/**
 * offer_settle() - owner or GPADLs have changed: is it at rest?
 *
 * @o may be gone afterwards.
 */
void offer_settle(struct vmbus_offer *o);

/** offer_is_busy() - is something open or shared? */
bool offer_is_busy(const struct vmbus_offer *o);

/** offer_free() - it, nothing else */
void offer_free(struct vmbus_offer *o);

int server_on_request_offers(struct vmbus_server *s, const struct chanmsg *msg);
int server_on_relid_released(struct vmbus_server *s, const struct chanmsg *msg);

/* --- server_open.c ------------------------------------------------------- */

/** offer_move_pages() - have the owner look at the connection's new pages */
void offer_move_pages(struct vmbus_offer *o);

/** offer_start_close() - have the owner close it, if it is open */
void offer_start_close(struct vmbus_offer *o);

int server_on_open(struct vmbus_server *s, const struct chanmsg *msg);
int server_on_close(struct vmbus_server *s, const struct chanmsg *msg);
int server_on_modify_channel(struct vmbus_server *s, const struct chanmsg *msg);
int server_on_open_reserved(struct vmbus_server *s, const struct chanmsg *msg);
int server_on_close_reserved(struct vmbus_server *s, const struct chanmsg *msg);

/* --- server_gpadl.c ------------------------------------------------------ */

/** offer_drop_gpadls() - the guest is done with all of them */
void offer_drop_gpadls(struct vmbus_offer *o);

/** server_gpadl_free() - a value of the server's table */
void server_gpadl_free(void *gpadl);

int server_on_gpadl_header(struct vmbus_server *s, const struct chanmsg *msg);
int server_on_gpadl_body(struct vmbus_server *s, const struct chanmsg *msg);
int server_on_gpadl_teardown(struct vmbus_server *s, const struct chanmsg *msg);

#endif
