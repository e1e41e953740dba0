/* SPDX-License-Identifier: MIT */
/*
 * server_gpadl.c - GPADLs: building, lending and giving back.
 *
 * Ids are unique over all channels, as neither GPADL_BODY nor GPADL_TORNDOWN
 * says which channel is meant (Linux counts them up: vmbus_connection.
 * next_gpadl_handle).
 *
 * Every GPADL_HEADER makes exactly one GPADL_CREATED: when its last piece has
 * come, when a piece is bad, or when the next one does not come in
 * VMBUS_UNFINISHED_NS.  A piece of no list that is being built is ignored, as
 * nobody could tell whose answer it would be (OpenVMM: the same).
 *
 * A list that its owner uses is torn down when he has put it back, and not
 * before that does the guest hear of it: it would use the memory for
 * something else.
 */
#include <assert.h>
#include <errno.h>

#include "base/findings.h"
#include "base/log.h"
#include "proto/hv_tlfs.h"
#include "vsp/vmbus/gpadl.h"
#include "vsp/vmbus/server_impl.h"

#define LOG_CATEGORY "vmbus"

static struct server_gpadl *find(const struct vmbus_server *s, uint32_t id)
{
	return g_hash_table_lookup(s->gpadls, GUINT_TO_POINTER(id));
}

static uint64_t bytes_of(const struct gpadl *list)
{
	return (uint64_t)gpadl_max_pages(list) * HV_PAGE_SIZE;
}

void server_gpadl_free(void *gpadl)
{
	struct server_gpadl *g = gpadl;

	gpadl_free(g->list);
	g_free(g);
}

/* Take it out of all tables and free it. */
static void forget(struct vmbus_server *s, struct server_gpadl *g)
{
	gpointer key = GUINT_TO_POINTER(gpadl_id(g->list));

	assert(!g->n_users);
	if (!g->finished)
		s->n_unfinished--;
	s->stats.gpadl_bytes -= bytes_of(g->list);
	g_hash_table_remove(g->offer->gpadls, key);
	g_hash_table_remove(s->gpadls, key);
}

static void send_created(struct vmbus_server *s, uint32_t relid, uint32_t id,
			 uint32_t status)
{
	struct vmbus_channel_gpadl_created m = {
		.child_relid = relid, .gpadl = id, .creation_status = status};

	server_send(s, &m, CHANNELMSG_GPADL_CREATED);
}

static void send_torndown(struct vmbus_server *s, uint32_t id)
{
	struct vmbus_channel_gpadl_torndown m = {.gpadl = id};

	server_send(s, &m, CHANNELMSG_GPADL_TORNDOWN);
}

/* --- building ------------------------------------------------------------------ */

/* Give it up, with the answer that its header is owed. */
static void fail(struct vmbus_server *s, struct server_gpadl *g)
{
	send_created(s, g->offer->relid, gpadl_id(g->list),
		     VMBUS_STATUS_UNSUCCESSFUL);
	forget(s, g);
}

/* The next piece of @g.  Return: 0 or -errno, and @g is gone. */
static int append(struct vmbus_server *s, struct server_gpadl *g,
		  const void *data, size_t size)
{
	const struct vmbus_server_params *p = &s->params;
	int ret = gpadl_append(g->list, data, size);

	g->expires = s->now + VMBUS_UNFINISHED_NS;
	if (!ret)
		return 0;
	if (ret > 0)
		ret = gpadl_check(g->list, p->ops->is_ram, p->ctx);
	if (ret) {
		fail(s, g);
		return ret;
	}
	g->finished = true;
	s->n_unfinished--;
	/* Also for a revoked offer: Linux cannot stand a failure there. */
	send_created(s, g->offer->relid, gpadl_id(g->list),
		     VMBUS_STATUS_SUCCESS);
	return 0;
}

/* Return: NULL with *@err set. */
static struct server_gpadl *make(struct vmbus_server *s, struct vmbus_offer *o,
				 const struct vmbus_channel_gpadl_header *m,
				 int *err)
{
	struct server_gpadl *g;
	struct gpadl *list;

	*err = -ENOSPC;
	if (find(s, m->gpadl)) {
		*err = -EEXIST;
		return NULL;
	}
	if (s->n_unfinished >= VMBUS_UNFINISHED_MAX ||
	    g_hash_table_size(s->gpadls) >= VMBUS_GPADLS_MAX)
		return NULL;
	list = gpadl_new(m->gpadl, m->range_buflen, m->rangecount);
	if (!list) {
		*err = -EINVAL;
		return NULL;
	}
	if (bytes_of(list) > s->params.gpadl_bytes_max - s->stats.gpadl_bytes) {
		gpadl_free(list);
		return NULL;
	}
	g = g_new0(struct server_gpadl, 1);
	g->list = list;
	g->offer = o;
	s->stats.gpadl_bytes += bytes_of(list);
	s->n_unfinished++;
	g_hash_table_insert(s->gpadls, GUINT_TO_POINTER(m->gpadl), g);
	g_hash_table_insert(o->gpadls, GUINT_TO_POINTER(m->gpadl), g);
	return g;
}

int server_on_gpadl_header(struct vmbus_server *s, const struct chanmsg *msg)
{
	const struct vmbus_channel_gpadl_header *m = &msg->gpadl_header;
	struct vmbus_offer *o = server_by_relid(s, m->child_relid);
	struct server_gpadl *g;
	int err = -ENODEV;

	g = o ? make(s, o, m, &err) : NULL;
	if (!g) {
		send_created(s, m->child_relid, m->gpadl,
			     VMBUS_STATUS_UNSUCCESSFUL);
		return err;
	}
	return append(s, g, msg->bytes + sizeof(*m), msg->size - sizeof(*m));
}

int server_on_gpadl_body(struct vmbus_server *s, const struct chanmsg *msg)
{
	const struct vmbus_channel_gpadl_body *m = &msg->gpadl_body;
	struct server_gpadl *g = find(s, m->gpadl);

	if (!g || g->finished)
		return -ENXIO;
	return append(s, g, msg->bytes + sizeof(*m), msg->size - sizeof(*m));
}

/* --- lifetime of unfinished ones ------------------------------------------------- */

static struct server_gpadl *first_to_expire(const struct vmbus_server *s)
{
	struct server_gpadl *first = NULL;
	GHashTableIter iter;
	gpointer value;

	if (!s->n_unfinished)
		return NULL;
	g_hash_table_iter_init(&iter, s->gpadls);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct server_gpadl *g = value;

		if (!g->finished && (!first || g->expires < first->expires))
			first = g;
	}
	return first;
}

uint64_t vmbus_server_deadline(const struct vmbus_server *server)
{
	const struct server_gpadl *first = first_to_expire(server);

	return first ? first->expires : VMBUS_NEVER;
}

void vmbus_server_expire(struct vmbus_server *server, uint64_t now)
{
	struct server_gpadl *g;

	while ((g = first_to_expire(server)) && g->expires <= now) {
		server->stats.expired++;
		findings_hit(FINDING_GPADL_EXPIRED, "GpadlBody",
			     "GPADL 0x%x of channel %u", gpadl_id(g->list),
			     g->offer->relid);
		log_debug_ratelimited("GPADL 0x%x was never finished",
				      gpadl_id(g->list));
		fail(server, g);
	}
	vmbus_server_flush(server);
}

/* --- lending ------------------------------------------------------------------------ */

const struct gpadl *vmbus_offer_gpadl_get(struct vmbus_offer *offer,
					  uint32_t id)
{
	struct server_gpadl *g =
		g_hash_table_lookup(offer->gpadls, GUINT_TO_POINTER(id));

	if (!g || !g->finished || g->tearing_down)
		return NULL;
	g->n_users++;
	return g->list;
}

/* Nobody uses it any more. */
static void finish_teardown(struct vmbus_server *s, struct server_gpadl *g)
{
	if (g->answer) {
		s->params.ops->give_back(s->params.ctx, g->list);
		send_torndown(s, gpadl_id(g->list));
	}
	forget(s, g);
}

void vmbus_offer_gpadl_put(struct vmbus_offer *offer, const struct gpadl *gpadl)
{
	struct vmbus_server *s = offer->server;
	struct server_gpadl *g = find(s, gpadl_id(gpadl));

	assert(g && g->list == gpadl && g->n_users);
	g->n_users--;
	if (g->n_users || !g->tearing_down)
		return;
	finish_teardown(s, g);
	offer_settle(offer);
	vmbus_server_flush(s);
}

/* --- giving back ----------------------------------------------------------------------- */

static void start_teardown(struct vmbus_server *s, struct server_gpadl *g)
{
	g->tearing_down = true;
	if (!g->n_users) {
		finish_teardown(s, g);
		return;
	}
	server_add_action(
		s, &(struct vmbus_action){.kind = VMBUS_ACTION_GPADL_TEARDOWN,
					  .offer = g->offer,
					  .ctx = g->offer->params.ctx,
					  .gpadl = gpadl_id(g->list)});
}

int server_on_gpadl_teardown(struct vmbus_server *s, const struct chanmsg *msg)
{
	const struct vmbus_channel_gpadl_teardown *m = &msg->gpadl_teardown;
	struct vmbus_offer *o = server_by_relid(s, m->child_relid);
	struct server_gpadl *g = find(s, m->gpadl);

	if (!g) {
		/* It is not used, and the guest waits for us to say so. */
		send_torndown(s, m->gpadl);
		return -ENXIO;
	}
	if (g->offer != o)
		return -ENODEV;
	if (g->tearing_down)
		return -EALREADY;
	if (!g->finished) {
		/* One answer for the header, one for this. */
		fail(s, g);
		send_torndown(s, m->gpadl);
		return 0;
	}
	g->answer = true;
	start_teardown(s, g);
	return 0;
}

void offer_drop_gpadls(struct vmbus_offer *o)
{
	g_autoptr(GList) all = g_hash_table_get_values(o->gpadls);

	for (GList *at = all; at; at = at->next) {
		struct server_gpadl *g = at->data;

		g->answer = false;
		if (!g->finished)
			forget(o->server, g);
		else if (!g->tearing_down)
			start_teardown(o->server, g);
	}
}
