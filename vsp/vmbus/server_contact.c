/* SPDX-License-Identifier: MIT */
/*
 * server_contact.c - the connection: contact, versions, pause, unload, and
 * what a guest leaves behind.
 *
 * Decisions:
 *
 * - A contact while connected is a new kernel (kexec, kdump): everything is
 *   torn down first, then it is answered, also when its version is refused
 *   (OpenVMM: the same).  Messages that the old kernel did not take are
 *   dropped: the new one would take them for its own.
 * - Of two contacts before the first is answered the second counts.  So it
 *   does while the first's answer waits for room, as of two Unloads: these
 *   are handled whatever waits, so that each must take away what was before.
 * - UNLOAD is answered without a connection too, where the last guest wanted
 *   its messages: who sends it waits for the answer (Linux
 *   vmbus_wait_for_unload()).
 * - The message connection that is returned from 5.0 on is 1, also when the
 *   contact came by 4; both lead here (OpenVMM: the same).
 * - A contact that cannot be answered where it says (no such VP or SINT) is
 *   ignored.
 * - No monitor pages below 2.4 can be refused; the version is then
 *   (OpenVMM: the same).
 * - MODIFY_CONNECTION is answered when nobody looks at the old monitor pages
 *   any more; another one before that is refused (OpenVMM: the same).
 * - Redirection of a channel's interrupts is agreed to and changes nothing, as
 *   there is no other VTL where they could go (OpenVMM: the same).
 * - TL_CONNECT_RESULT is sent from 5.1 on, though 4.1 has it: Linux 4.19
 *   warns of a message it does not know and speaks up to 5.0; later ones
 *   ignore it.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/fault.h"
#include "base/findings.h"
#include "base/guid.h"
#include "base/log.h"
#include "proto/hv_synic.h"
#include "proto/hv_tlfs.h"
#include "vsp/vmbus/server_impl.h"

#define LOG_CATEGORY "vmbus"

static const uint32_t versions[] = {
	VERSION_WIN7,       VERSION_WIN8,       VERSION_WIN8_1,
	VERSION_WIN10,      VERSION_WIN10_V4_1, VERSION_WIN10_V5,
	VERSION_WIN10_V5_1, VERSION_WIN10_V5_2, VERSION_WIN10_V5_3,
	VERSION_WIN10_V6_0,
};

#define OUR_FEATURES                                                 \
	(VMBUS_FEATURE_GUEST_SIGNAL_PARAMETERS |                     \
	 VMBUS_FEATURE_INTERRUPT_REDIRECTION |                       \
	 VMBUS_FEATURE_MODIFY_CONNECTION | VMBUS_FEATURE_CLIENT_ID | \
	 VMBUS_FEATURE_PAUSE_RESUME)

/* --- answering a contact -------------------------------------------------- */

static bool is_spoken(const struct vmbus_server *s, uint32_t version)
{
	uint32_t max = s->params.max_version;
	struct fault_hit hit;

	if (fault_at(FAULT_VMBUS_VERSION, NULL, FAULT_NO_OP, &hit))
		max = hit.action == FAULT_DOWNGRADE ? MIN(max, hit.value) : 0;
	for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
		if (versions[i] == version)
			return version <= max;
	}
	return false;
}

static void refuse_version(struct vmbus_server *s, uint32_t vp, uint8_t sint)
{
	struct vmbus_channel_version_response r = {0};

	server_send_to(s, vp, sint, &r.header, sizeof(r),
		       CHANNELMSG_VERSION_RESPONSE);
}

/*
 * One beside the first, which stays: it comes when too many answers wait, too,
 * and there is nothing that it makes pointless.
 */
static int refuse_client(struct vmbus_server *s, uint32_t vp, uint8_t sint)
{
	if (s->out.length < VMBUS_OUT_HIGH)
		refuse_version(s, vp, sint);
	return -EOPNOTSUPP;
}

static void accept_version(struct vmbus_server *s,
			   const struct vmbus_connection *c, uint8_t state)
{
	struct vmbus_channel_version_response2 r = {
		.base = {.version_supported = 1,
			 .connection_state = state,
			 .msg_conn_id = c->version >= VERSION_WIN10_V5
						? VMBUS_MESSAGE_CONNECTION_ID
						: c->version},
		.feature_flags = c->features,
	};
	size_t size =
		c->version >= VERSION_WIN10_V6_0 ? sizeof(r) : sizeof(r.base);

	server_send_to(s, s->message_vp, VMBUS_MESSAGE_SINT, &r.base.header,
		       size, CHANNELMSG_VERSION_RESPONSE);
}

static struct vmbus_connection
read_contact(const struct vmbus_channel_initiate_contact2 *in)
{
	const struct vmbus_channel_initiate_contact *m = &in->base;
	struct vmbus_connection c = {.version = m->vmbus_version_requested,
				     .message_vp = m->target_vcpu};

	if (c.version < VERSION_WIN8_1)
		c.message_vp = 0;
	if (c.version < VERSION_WIN8)
		c.interrupt_page_gpa = m->interrupt_page;
	if (c.version >= VERSION_WIN10_V6_0)
		c.features = m->feature_flags & OUR_FEATURES;
	if (c.features & VMBUS_FEATURE_CLIENT_ID)
		c.client_id = in->client_id;
	c.monitor_page_gpa[0] = m->monitor_page1;
	c.monitor_page_gpa[1] = m->monitor_page2;
	return c;
}

/* 0: there is none */
static bool is_page_good(const struct vmbus_server *s, uint64_t gpa)
{
	const struct vmbus_server_params *p = &s->params;

	return !gpa || (!(gpa % HV_PAGE_SIZE) &&
			p->ops->is_ram(p->ctx, gpa / HV_PAGE_SIZE));
}

static bool are_pages_good(const struct vmbus_server *s,
			   const struct vmbus_connection *c)
{
	const uint64_t *monitor = c->monitor_page_gpa;

	return !monitor[0] == !monitor[1] && is_page_good(s, monitor[0]) &&
	       is_page_good(s, monitor[1]) &&
	       is_page_good(s, c->interrupt_page_gpa);
}

/* Everything of the last connection is gone. */
static void answer_contact(struct vmbus_server *s)
{
	struct vmbus_connection c = read_contact(&s->contact);

	s->message_vp = c.message_vp;
	if (!is_spoken(s, c.version)) {
		refuse_version(s, c.message_vp, VMBUS_MESSAGE_SINT);
		return;
	}
	if (!are_pages_good(s, &c)) {
		if (c.version < VERSION_WIN8)
			refuse_version(s, c.message_vp, VMBUS_MESSAGE_SINT);
		else
			accept_version(s, &c, VMBUS_CONNECTION_FAILED);
		return;
	}
	c.number = ++s->stats.contacts;
	c.resets = s->resets;
	s->connection = c;
	s->state = SERVER_CONNECTED;
	accept_version(s, &c, VMBUS_CONNECTION_OK);
	server_add_action(s,
			  &(struct vmbus_action){.kind = VMBUS_ACTION_CONNECTED,
						 .connection = c});
	log_debug_ratelimited("version %u.%u, features 0x%x, messages to VP %u",
			      c.version >> 16, c.version & 0xFFFF, c.features,
			      c.message_vp);
}

int server_on_initiate_contact(struct vmbus_server *s,
			       const struct chanmsg *msg)
{
	const struct vmbus_channel_initiate_contact *m = &msg->contact.base;
	uint32_t version = m->vmbus_version_requested;
	uint32_t vp = version < VERSION_WIN8_1 ? 0 : m->target_vcpu;

	if (vp >= s->params.n_vps)
		return -EINVAL;
	if (version >= VERSION_WIN10_V5 && m->msg_sint != VMBUS_MESSAGE_SINT) {
		if (m->msg_sint >= HV_SYNIC_SINT_COUNT)
			return -EINVAL;
		return refuse_client(s, vp, m->msg_sint);
	}
	if (version >= VERSION_WIN10_V5_1 && m->msg_vtl)
		return refuse_client(s, vp, VMBUS_MESSAGE_SINT);
	/*
	 * A guest of an older connection has no Unload to say: Linux
	 * drivers/hv/channel_mgmt.c:vmbus_initiate_unload().
	 */
	if (s->state == SERVER_CONNECTED &&
	    s->connection.version >= VERSION_WIN8_1)
		findings_hit(FINDING_CONTACT_AGAIN, "InitiateContact",
			     "version %u.%u while %u.%u is up", version >> 16,
			     version & 0xFFFF, s->connection.version >> 16,
			     s->connection.version & 0xFFFF);
	s->contact = msg->contact;
	if (msg->size < sizeof(msg->contact))
		s->contact.base.feature_flags &= ~VMBUS_FEATURE_CLIENT_ID;
	server_disconnect(s, NEXT_CONTACT);
	return 0;
}

/* --- the end of a connection ---------------------------------------------- */

void server_disconnect(struct vmbus_server *s, enum server_next next)
{
	/* Also without a connection: contacts and Unloads are answered. */
	server_drop_out(s);
	if (s->state != SERVER_DISCONNECTED)
		s->params.ops->drop_messages(s->params.ctx, s->message_vp,
					     VMBUS_MESSAGE_SINT);
	s->connection = (struct vmbus_connection){0};
	s->modifying = false;
	s->paused = false;
	s->muted = false;
	s->offers_requested = false;
	s->offers_sent = false;
	/* From the last, as some of them go. */
	for (guint i = s->offers->len; i-- > 0;)
		offer_leave(g_ptr_array_index(s->offers, i));
	s->next = next;
	if (s->state == SERVER_CONNECTED)
		server_add_action(s,
				  &(struct vmbus_action){
					  .kind = VMBUS_ACTION_DISCONNECTED});
	s->state = SERVER_DISCONNECTING;
	server_settle(s);
}

void server_settle(struct vmbus_server *s)
{
	struct vmbus_channel_message_header header;
	enum server_next next = s->next;

	if (s->state != SERVER_DISCONNECTING)
		return;
	for (guint i = 0; i < s->offers->len; i++) {
		if (offer_is_busy(g_ptr_array_index(s->offers, i)))
			return;
	}
	s->state = SERVER_DISCONNECTED;
	s->next = NEXT_NOTHING;
	if (next == NEXT_CONTACT) {
		answer_contact(s);
	} else if (next == NEXT_UNLOAD_RESPONSE) {
		server_send_to(s, s->message_vp, VMBUS_MESSAGE_SINT, &header,
			       sizeof(header), CHANNELMSG_UNLOAD_RESPONSE);
		server_add_action(s, &(struct vmbus_action){
					     .kind = VMBUS_ACTION_UNLOADED});
	}
}

/* What the guest gives back with Unload is only what is open. */
static void look_for_gpadls_left(const struct vmbus_server *s)
{
	for (guint i = 0; i < s->offers->len; i++) {
		const struct vmbus_offer *o = g_ptr_array_index(s->offers, i);
		guint n = g_hash_table_size(o->gpadls);

		if (n && o->owner == OWNER_CLOSED && o->guest == GUEST_OFFERED)
			findings_hit(FINDING_GPADL_LEFT, "Unload",
				     "%u of channel %u", n, o->relid);
	}
}

int server_on_unload(struct vmbus_server *s, const struct chanmsg *msg)
{
	(void)msg;
	look_for_gpadls_left(s);
	server_disconnect(s, NEXT_UNLOAD_RESPONSE);
	return 0;
}

void vmbus_server_reset(struct vmbus_server *server)
{
	server_disconnect(server, NEXT_NOTHING);
	server_drop_out(server);
	server->message_vp = 0;
	server->resets++;
}

bool vmbus_server_is_idle(const struct vmbus_server *server)
{
	return server->state == SERVER_DISCONNECTED && !server->out.length;
}

/* --- while connected -------------------------------------------------------- */

int server_on_pause(struct vmbus_server *s, const struct chanmsg *msg)
{
	struct vmbus_channel_message_header r;

	(void)msg;
	s->paused = true;
	server_send_to(s, s->message_vp, VMBUS_MESSAGE_SINT, &r, sizeof(r),
		       CHANNELMSG_PAUSE_RESPONSE);
	return 0;
}

int server_on_resume(struct vmbus_server *s, const struct chanmsg *msg)
{
	(void)msg;
	if (!s->paused)
		return -EALREADY;
	s->paused = false;
	s->muted = false;
	return 0;
}

static void send_modified(struct vmbus_server *s, uint8_t state)
{
	struct vmbus_channel_modify_connection_done r = {.connection_state =
								 state};

	server_send(s, &r, CHANNELMSG_MODIFY_CONNECTION_DONE);
}

void server_pages_moved(struct vmbus_server *s)
{
	if (!s->modifying)
		return;
	for (guint i = 0; i < s->offers->len; i++) {
		const struct vmbus_offer *o = g_ptr_array_index(s->offers, i);

		if (o->old_pages)
			return;
	}
	s->modifying = false;
	send_modified(s, VMBUS_CONNECTION_OK);
}

int server_on_modify_connection(struct vmbus_server *s,
				const struct chanmsg *msg)
{
	struct vmbus_connection c = s->connection;

	c.monitor_page_gpa[0] = msg->modify_connection.monitor_page1;
	c.monitor_page_gpa[1] = msg->modify_connection.monitor_page2;
	if (s->modifying || !are_pages_good(s, &c)) {
		send_modified(s, VMBUS_CONNECTION_FAILED);
		return s->modifying ? -EBUSY : -EINVAL;
	}
	s->connection = c;
	s->modifying = true;
	server_add_action(s,
			  &(struct vmbus_action){.kind = VMBUS_ACTION_CONNECTED,
						 .connection = c});
	for (guint i = 0; i < s->offers->len; i++)
		offer_move_pages(g_ptr_array_index(s->offers, i));
	server_pages_moved(s);
	return 0;
}

int server_on_tl_connect(struct vmbus_server *s, const struct chanmsg *msg)
{
	const struct vmbus_channel_tl_connect_request2 *m = &msg->tl_connect;
	struct vmbus_action action = {.kind = VMBUS_ACTION_TL_CONNECT};

	action.tl_connect.endpoint = m->base.guest_endpoint_id;
	action.tl_connect.service = m->base.host_service_id;
	if (s->connection.version >= VERSION_WIN10_V5_2)
		action.tl_connect.silo = m->silo_id;
	server_add_action(s, &action);
	return 0;
}

void vmbus_server_refuse_tl_connect(struct vmbus_server *server,
				    const struct guid *endpoint,
				    const struct guid *service)
{
	struct vmbus_channel_tl_connect_result r = {
		.guest_endpoint_id = *endpoint,
		.host_service_id = *service,
		.status = VMBUS_STATUS_CONNECTION_REFUSED,
	};

	if (server->connection.version < VERSION_WIN10_V5_1)
		return;
	server_send(server, &r, CHANNELMSG_TL_CONNECT_RESULT);
	vmbus_server_flush(server);
}
