/* SPDX-License-Identifier: MIT */
/*
 * Components answer on a worker's thread, calls are answered on the main one:
 * what is under way is handed over by the main loop.
 */
#include "control/commands/ic.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>
#include <json-c/json.h>

#include "base/clock.h"
#include "base/json.h"
#include "control/commands/device.h"
#include "control/control.h"
#include "proto/ic.h"
#include "vm/vm.h"
#include "vsp/ic/fcopy.h"
#include "vsp/ic/kvp.h"
#include "vsp/ic/shutdown.h"
#include "vsp/ic/timesync.h"
#include "vsp/ic/vss.h"

struct pending {
	struct control_call *call;
	/* once it is answered */
	int err;
	struct json_object *result; /* owned; NULL: nothing to say */
};

/* @result is taken. */
static void answer(struct control_call *call, int err,
		   struct json_object *result)
{
	switch (err) {
	case 0:
		control_answer(call, result);
		return;
	case -ETIMEDOUT:
		control_refuse(call, "timeout", "the guest did not answer");
		break;
	case -ENOTCONN:
	case -ECONNRESET:
	case -ECANCELED:
		control_refuse(call, "not-ready",
			       "the guest has no driver or daemon for it");
		break;
	case -EBUSY:
		control_refuse(call, "busy", "something else is under way");
		break;
	case -EALREADY:
		control_refuse(call, "already", "so it is already");
		break;
	case -ENOENT:
		control_refuse(call, "no-such-key",
			       "the guest has no such key");
		break;
	case -EINVAL:
	case -EILSEQ:
	case -ENAMETOOLONG:
		control_refuse(call, "request", "an argument is wrong: %s",
			       g_strerror(-err));
		break;
	default:
		control_refuse(call, "failed", "the guest cannot: %s",
			       g_strerror(-err));
		break;
	}
	json_object_put(result);
}

static gboolean deliver(gpointer data)
{
	struct pending *p = data;

	answer(p->call, p->err, p->result);
	g_free(p);
	return G_SOURCE_REMOVE;
}

static void on_done(void *ctx, int err)
{
	struct pending *p = ctx;

	p->err = err;
	g_idle_add_full(G_PRIORITY_DEFAULT, deliver, p, NULL);
}

static struct pending *pending_new(struct control_call *call)
{
	struct pending *p = g_new0(struct pending, 1);

	p->call = call;
	return p;
}

/* @err of the request itself: not 0, and on_done() will not be called. */
static void check_asked(struct pending *p, int err)
{
	if (!err)
		return;
	answer(p->call, err, NULL);
	g_free(p);
}

static void ask_to_end(void *ctx, struct control_call *call, uint32_t flags)
{
	struct ic_shutdown *s =
		command_device(ctx, call, &ic_shutdown_ops, "shutdown");
	struct pending *p;

	if (!s)
		return;
	p = pending_new(call);
	check_asked(
		p, ic_shutdown_request(s, flags, CONTROL_GUEST_NS, on_done, p));
}

void command_shutdown(void *ctx, struct control_call *call)
{
	ask_to_end(ctx, call, 0);
}

void command_reboot(void *ctx, struct control_call *call)
{
	ask_to_end(ctx, call, SHUTDOWN_RESTART);
}

void command_hibernate(void *ctx, struct control_call *call)
{
	ask_to_end(ctx, call, SHUTDOWN_HIBERNATE);
}

void command_time_sync(void *ctx, struct control_call *call)
{
	struct ic_timesync *t =
		command_device(ctx, call, &ic_timesync_ops, "timesync");
	struct pending *p;

	if (!t)
		return;
	p = pending_new(call);
	check_asked(p, ic_timesync_sync(t, CONTROL_GUEST_NS, on_done, p));
}

/* --- keys and values ----------------------------------------------------- */

/* Return: KVP_POOL_…; -1: @call is answered. */
static int pool_of(struct control_call *call, unsigned int otherwise)
{
	static const char *const names[] = {
		[KVP_POOL_EXTERNAL] = "external",
		[KVP_POOL_GUEST] = "guest",
		[KVP_POOL_AUTO] = "auto",
		[KVP_POOL_AUTO_EXTERNAL] = "auto-external",
		[KVP_POOL_AUTO_INTERNAL] = "auto-internal",
	};
	const char *name = control_string(call, "pool");

	if (!name)
		return (int)otherwise;
	for (unsigned int i = 0; i < G_N_ELEMENTS(names); i++) {
		if (!strcmp(name, names[i]))
			return (int)i;
	}
	control_refuse(call, "request",
		       "no pool '%s'; external, guest, auto, auto-external or "
		       "auto-internal",
		       name);
	return -1;
}

static void on_value(void *ctx, int err, const char *value)
{
	struct pending *p = ctx;

	if (!err) {
		p->result = json_object_new_object();
		json_add_text(p->result, "value", value);
	}
	on_done(p, err);
}

static void on_list(void *ctx, int err, const struct ic_kvp_pair *pairs,
		    unsigned int n)
{
	struct pending *p = ctx;
	struct json_object *all;

	if (!err) {
		p->result = json_object_new_object();
		all = json_object_new_object();
		for (unsigned int i = 0; i < n; i++)
			json_add_text(all, pairs[i].key, pairs[i].value);
		json_object_object_add(p->result, "pairs", all);
	}
	on_done(p, err);
}

struct kvp_ask {
	struct ic_kvp *kvp;
	unsigned int pool;
	const char *key; /* NULL: not of this command */
	struct pending *pending;
};

/* What all have in common.  Return: false: @call is answered. */
static bool begin_kvp(void *ctx, struct control_call *call,
		      unsigned int default_pool, struct kvp_ask *ask)
{
	int pool;

	ask->kvp = command_device(ctx, call, &ic_kvp_ops, "kvp");
	if (!ask->kvp)
		return false;
	pool = pool_of(call, default_pool);
	if (pool < 0)
		return false;
	ask->pool = (unsigned int)pool;
	ask->key = control_string(call, "key");
	ask->pending = pending_new(call);
	return true;
}

void command_kvp_get(void *ctx, struct control_call *call)
{
	struct kvp_ask a;

	if (begin_kvp(ctx, call, KVP_POOL_GUEST, &a))
		check_asked(a.pending,
			    ic_kvp_get(a.kvp, a.pool, a.key, CONTROL_GUEST_NS,
				       on_value, a.pending));
}

void command_kvp_set(void *ctx, struct control_call *call)
{
	struct kvp_ask a;

	if (begin_kvp(ctx, call, KVP_POOL_EXTERNAL, &a))
		check_asked(a.pending,
			    ic_kvp_set(a.kvp, a.pool, a.key,
				       control_string(call, "value"),
				       CONTROL_GUEST_NS, on_done, a.pending));
}

void command_kvp_delete(void *ctx, struct control_call *call)
{
	struct kvp_ask a;

	if (begin_kvp(ctx, call, KVP_POOL_EXTERNAL, &a))
		check_asked(a.pending, ic_kvp_delete(a.kvp, a.pool, a.key,
						     CONTROL_GUEST_NS, on_done,
						     a.pending));
}

void command_kvp_list(void *ctx, struct control_call *call)
{
	struct kvp_ask a;

	if (begin_kvp(ctx, call, KVP_POOL_GUEST, &a))
		check_asked(a.pending,
			    ic_kvp_list(a.kvp, a.pool, CONTROL_GUEST_NS,
					on_list, a.pending));
}

/* A list with ';' to an array. */
static void add_texts(struct json_object *o, const char *key, const char *list)
{
	g_auto(GStrv) texts = g_strsplit(list, ";", -1);
	struct json_object *all = json_object_new_array();

	for (char **t = texts; *t; t++) {
		if (**t)
			json_object_array_add(all, json_object_new_string(*t));
	}
	json_object_object_add(o, key, all);
}

static void on_ip(void *ctx, int err, const struct ic_kvp_ip *ip)
{
	struct pending *p = ctx;
	struct json_object *o;

	if (!err) {
		o = p->result = json_object_new_object();
		json_add_bool(o, "ipv4", ip->family & ADDR_FAMILY_IPV4);
		json_add_bool(o, "ipv6", ip->family & ADDR_FAMILY_IPV6);
		json_add_bool(o, "dhcp", ip->dhcp);
		add_texts(o, "addresses", ip->addresses);
		add_texts(o, "subnets", ip->subnets);
		add_texts(o, "gateways", ip->gateways);
		add_texts(o, "dns", ip->dns);
	}
	on_done(p, err);
}

void command_kvp_ip(void *ctx, struct control_call *call)
{
	struct ic_kvp *k = command_device(ctx, call, &ic_kvp_ops, "kvp");
	struct pending *p;

	if (!k)
		return;
	p = pending_new(call);
	check_asked(p, ic_kvp_get_ip(k, control_string(call, "mac"),
				     CONTROL_GUEST_NS, on_ip, p));
}

/* --- file systems and files -------------------------------------------------- */

void command_freeze_check(void *ctx, struct control_call *call)
{
	struct ic_vss *v = command_device(ctx, call, &ic_vss_ops, "vss");
	struct pending *p;

	if (!v)
		return;
	p = pending_new(call);
	check_asked(p, ic_vss_check(v, CONTROL_GUEST_NS, on_done, p));
}

void command_freeze(void *ctx, struct control_call *call)
{
	struct ic_vss *v = command_device(ctx, call, &ic_vss_ops, "vss");
	uint64_t s = control_number(call, "seconds", 0);
	struct pending *p;

	if (!v)
		return;
	p = pending_new(call);
	s = MIN(s, IC_VSS_HOLD_MAX_NS / NSEC_PER_SEC);
	check_asked(p, ic_vss_freeze(v, s * NSEC_PER_SEC, CONTROL_GUEST_NS,
				     on_done, p));
}

void command_thaw(void *ctx, struct control_call *call)
{
	struct ic_vss *v = command_device(ctx, call, &ic_vss_ops, "vss");
	struct pending *p;

	if (!v)
		return;
	p = pending_new(call);
	check_asked(p, ic_vss_thaw(v, CONTROL_GUEST_NS, on_done, p));
}

void command_copy_file(void *ctx, struct control_call *call)
{
	struct ic_fcopy *f = command_device(ctx, call, &ic_fcopy_ops, "fcopy");
	const char *path = control_string(call, "file");
	g_autofree char *name = g_path_get_basename(path);
	struct ic_fcopy_file file = {
		.directory = control_string(call, "directory"),
		.name = name,
		.overwrite = control_number(call, "overwrite", 0),
		.create_directory = true,
	};
	struct pending *p;
	int fd, err;

	if (!f)
		return;
	/* A FIFO must not hold us up; what it is, is checked there. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		control_refuse(call, "file", "%s: %s", path, g_strerror(errno));
		return;
	}
	file.fd = fd;
	p = pending_new(call);
	err = ic_fcopy_send(f, &file, CONTROL_GUEST_NS, on_done, p);
	if (err)
		close(fd);
	check_asked(p, err);
}
