/* SPDX-License-Identifier: MIT */
#include "vsp/ic/kvp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <glib.h>

#include "base/clock.h"
#include "proto/vmbus.h"
#include "vsp/ic/ic.h"
#include "vsp/ic/text.h"
#include "vsp/vsp.h"

/* Windows' other types of values (OpenVMM: ValueType) */
#define REG_EXPAND_SZ 2
#define REG_QWORD     11

struct ic_kvp {
	struct ic *ic; /* first */
	_Atomic uint64_t operations, failures;
};

/* What was asked for; one that is set says who wants to know. */
struct operation {
	struct ic_kvp *k;
	uint64_t deadline;
	ic_kvp_done_fn done;
	ic_kvp_value_fn value;
	ic_kvp_list_fn list;
	ic_kvp_ip_fn ip;
	void *ctx;
	/* of what is enumerated */
	uint8_t pool;
	uint32_t index;
	char *wanted; /* the key; NULL: all */
	GPtrArray *texts; /* key, value, key, value … */
};

static struct operation *operation_new(struct ic_kvp *k, uint64_t timeout_ns,
				       void *ctx)
{
	struct operation *op = g_new0(struct operation, 1);

	op->k = k;
	op->ctx = ctx;
	op->deadline = timeout_ns ? clock_monotonic_ns() + timeout_ns : 0;
	return op;
}

static void operation_free(struct operation *op)
{
	if (op->texts)
		g_ptr_array_free(op->texts, TRUE);
	g_free(op->wanted);
	g_free(op);
}

/* It failed: tell whoever asked. */
static void fail(struct operation *op, int err)
{
	op->k->failures++;
	if (op->done)
		op->done(op->ctx, err);
	if (op->value)
		op->value(op->ctx, err, NULL);
	if (op->list)
		op->list(op->ctx, err, NULL, 0);
	if (op->ip)
		op->ip(op->ctx, err, NULL);
	operation_free(op);
}

/* Return: 0; or the operation was told of the failure. */
static int check(struct operation *op, const struct ic_reply *reply)
{
	int err = reply->err ? reply->err : ic_status_error(reply->status);

	if (err)
		fail(op, err);
	return err;
}

static int start(struct operation *op, const void *body, uint32_t bytes,
		 ic_reply_fn reply)
{
	struct ic_kvp *k = op->k;
	uint64_t now = clock_monotonic_ns();
	uint64_t left = 0;
	int err;

	/* 0 would be for ever. */
	if (op->deadline)
		left = op->deadline > now ? op->deadline - now : 1;
	err = ic_request(k->ic, body, bytes, left, reply, op);
	/* If it was taken, @op may be over by now. */
	if (!err)
		k->operations++;
	return err;
}

/* The first message of @op, which goes if it cannot be sent. */
static int begin(struct operation *op, const void *body, uint32_t bytes,
		 ic_reply_fn reply)
{
	int err = start(op, body, bytes, reply);

	if (err)
		operation_free(op);
	return err;
}

/* --- texts ---------------------------------------------------------------------- */

static int put_key(uint8_t *field, const char *key, uint32_t *bytes)
{
	if (!*key)
		return -EINVAL;
	return ic_text_put(field, HV_KVP_EXCHANGE_MAX_KEY_SIZE, key, bytes);
}

static char *get_value(const struct hv_kvp_exchg_msg_value *v)
{
	uint32_t u32;
	uint64_t u64;

	if (v->value_size > sizeof(v->value))
		return NULL;
	switch (v->value_type) {
	case REG_SZ:
	case REG_EXPAND_SZ:
		return ic_text_get(v->value, v->value_size);
	case REG_U32:
		memcpy(&u32, v->value, sizeof(u32));
		return g_strdup_printf("%" PRIu32, u32);
	case REG_QWORD:
		memcpy(&u64, v->value, sizeof(u64));
		return g_strdup_printf("%" PRIu64, u64);
	default:
		return NULL;
	}
}

static char *get_key(const struct hv_kvp_exchg_msg_value *v)
{
	if (v->key_size > sizeof(v->key))
		return NULL;
	return ic_text_get(v->key, v->key_size);
}

/* --- set, delete ---------------------------------------------------------------- */

static int on_done(void *ctx, const struct ic_reply *reply)
{
	struct operation *op = ctx;

	if (!check(op, reply)) {
		op->done(op->ctx, 0);
		operation_free(op);
	}
	return 0;
}

int ic_kvp_set(struct ic_kvp *k, unsigned int pool, const char *key,
	       const char *value, uint64_t timeout_ns, ic_kvp_done_fn done,
	       void *ctx)
{
	struct hv_kvp_msg_set m = {
		.kvp_hdr = {.operation = KVP_OP_SET, .pool = (uint8_t)pool},
		.data.value_type = REG_SZ,
	};
	uint32_t key_size, value_size;
	struct operation *op;
	int err;

	if (pool >= KVP_POOL_COUNT)
		return -EINVAL;
	err = put_key(m.data.key, key, &key_size);
	if (!err)
		err = ic_text_put(m.data.value, sizeof(m.data.value), value,
				  &value_size);
	if (err)
		return err;
	m.data.key_size = key_size;
	m.data.value_size = value_size;
	op = operation_new(k, timeout_ns, ctx);
	op->done = done;
	return begin(op, &m, sizeof(m), on_done);
}

int ic_kvp_delete(struct ic_kvp *k, unsigned int pool, const char *key,
		  uint64_t timeout_ns, ic_kvp_done_fn done, void *ctx)
{
	struct hv_kvp_msg_delete m = {
		.kvp_hdr = {.operation = KVP_OP_DELETE, .pool = (uint8_t)pool},
	};
	struct operation *op;
	uint32_t key_size;
	int err;

	if (pool >= KVP_POOL_COUNT)
		return -EINVAL;
	err = put_key(m.key, key, &key_size);
	if (err)
		return err;
	m.key_size = key_size;
	op = operation_new(k, timeout_ns, ctx);
	op->done = done;
	return begin(op, &m, sizeof(m), on_done);
}

/* --- enumerate ------------------------------------------------------------------- */

static int on_item(void *ctx, const struct ic_reply *reply);

static int ask_item(struct operation *op)
{
	struct hv_kvp_msg_enumerate m = {
		.kvp_hdr = {.operation = KVP_OP_ENUMERATE, .pool = op->pool},
		.index = op->index,
	};

	return start(op, &m, sizeof(m), on_item);
}

static void finish_list(struct operation *op)
{
	unsigned int n = op->texts->len / 2;
	g_autofree struct ic_kvp_pair *pairs =
		g_new0(struct ic_kvp_pair, n + 1);
	void **at = op->texts->pdata;

	for (unsigned int i = 0; i < n; i++) {
		pairs[i].key = *at++;
		pairs[i].value = *at++;
	}
	op->list(op->ctx, 0, pairs, n);
	operation_free(op);
}

/* Return: was it what was wanted, and all is over? */
static bool take_item(struct operation *op, char *key, char *value)
{
	if (!op->wanted) {
		g_ptr_array_add(op->texts, key);
		g_ptr_array_add(op->texts, value);
		return false;
	}
	if (!strcmp(op->wanted, key)) {
		op->value(op->ctx, 0, value);
		g_free(key);
		g_free(value);
		operation_free(op);
		return true;
	}
	g_free(key);
	g_free(value);
	return false;
}

static int on_item(void *ctx, const struct ic_reply *reply)
{
	struct operation *op = ctx;
	struct hv_kvp_msg_enumerate m;
	char *key, *value;
	int err;

	if (!reply->err && reply->status == HV_S_CONT && !op->wanted) {
		finish_list(op);
		return 0;
	}
	if (check(op, reply))
		return 0;
	memcpy(&m, reply->body, sizeof(m));
	key = get_key(&m.data);
	value = get_value(&m.data);
	if (!key || !value) {
		g_free(key);
		g_free(value);
		fail(op, -EPROTO);
		return -EPROTO;
	}
	if (take_item(op, key, value))
		return 0;
	op->index++;
	err = op->index < IC_KVP_LIST_MAX ? ask_item(op) : -EOVERFLOW;
	if (err)
		fail(op, err);
	return 0;
}

static int begin_enumeration(struct operation *op, unsigned int pool)
{
	int err;

	op->pool = (uint8_t)pool;
	op->texts = g_ptr_array_new_with_free_func(g_free);
	err = ask_item(op);
	if (err)
		operation_free(op);
	return err;
}

int ic_kvp_list(struct ic_kvp *k, unsigned int pool, uint64_t timeout_ns,
		ic_kvp_list_fn done, void *ctx)
{
	struct operation *op;

	if (pool >= KVP_POOL_COUNT)
		return -EINVAL;
	op = operation_new(k, timeout_ns, ctx);
	op->list = done;
	return begin_enumeration(op, pool);
}

/* --- get ----------------------------------------------------------------------------- */

/*
 * Not by KVP_OP_GET: Linux 6.1 answers it with an empty value when there is a
 * key, and what its daemon makes up can only be enumerated.
 */
int ic_kvp_get(struct ic_kvp *k, unsigned int pool, const char *key,
	       uint64_t timeout_ns, ic_kvp_value_fn done, void *ctx)
{
	uint8_t field[HV_KVP_EXCHANGE_MAX_KEY_SIZE];
	struct operation *op;
	uint32_t key_size;
	int err;

	if (pool >= KVP_POOL_COUNT)
		return -EINVAL;
	err = put_key(field, key, &key_size);
	if (err)
		return err;
	op = operation_new(k, timeout_ns, ctx);
	op->value = done;
	op->wanted = g_strdup(key);
	return begin_enumeration(op, pool);
}

/* --- network settings ------------------------------------------------------------------ */

/* The texts of a message, beside those of the API. */
static const struct {
	size_t ours, theirs, bytes;
} ip_texts[] = {
#define IP_TEXT(ours, theirs)                                       \
	{                                                           \
		offsetof(struct ic_kvp_ip, ours),                   \
			offsetof(struct hv_kvp_ip_msg, theirs),     \
			sizeof(((struct hv_kvp_ip_msg *)0)->theirs) \
	}
	IP_TEXT(adapter, adapter_id), IP_TEXT(addresses, ip_addr),
	IP_TEXT(subnets, sub_net),    IP_TEXT(gateways, gate_way),
	IP_TEXT(dns, dns_addr),
};

#define N_IP_TEXTS G_N_ELEMENTS(ip_texts)

static const char **ip_text(struct ic_kvp_ip *ip, size_t i)
{
	return (const char **)(void *)((uint8_t *)ip + ip_texts[i].ours);
}

static int on_ip(void *ctx, const struct ic_reply *reply)
{
	struct operation *op = ctx;
	char *texts[N_IP_TEXTS] = {NULL};
	struct hv_kvp_ip_msg m;
	struct ic_kvp_ip ip;
	bool good = true;

	if (check(op, reply))
		return 0;
	memcpy(&m, reply->body, sizeof(m));
	ip = (struct ic_kvp_ip){.family = m.addr_family,
				.dhcp = m.dhcp_enabled != 0};
	for (size_t i = 0; i < N_IP_TEXTS; i++) {
		texts[i] = ic_text_get((uint8_t *)&m + ip_texts[i].theirs,
				       ip_texts[i].bytes);
		good = good && texts[i];
		*ip_text(&ip, i) = texts[i];
	}
	if (good) {
		op->ip(op->ctx, 0, &ip);
		operation_free(op);
	} else {
		fail(op, -EPROTO);
	}
	for (size_t i = 0; i < N_IP_TEXTS; i++)
		g_free(texts[i]);
	return good ? 0 : -EPROTO;
}

/* Return: 0 or -errno. */
static int fill_ip(struct hv_kvp_ip_msg *m, const struct ic_kvp_ip *ip)
{
	struct ic_kvp_ip copy = *ip;
	int err = ip->adapter && *ip->adapter ? 0 : -EINVAL;

	for (size_t i = 0; i < N_IP_TEXTS && !err; i++) {
		const char *text = *ip_text(&copy, i);

		err = ic_text_put((uint8_t *)m + ip_texts[i].theirs,
				  ip_texts[i].bytes, text ? text : "", NULL);
	}
	m->addr_family = ip->family;
	m->dhcp_enabled = ip->dhcp;
	return err;
}

int ic_kvp_get_ip(struct ic_kvp *k, const char *adapter, uint64_t timeout_ns,
		  ic_kvp_ip_fn done, void *ctx)
{
	const struct ic_kvp_ip ip = {
		.adapter = adapter,
		.family = ADDR_FAMILY_IPV4 | ADDR_FAMILY_IPV6,
	};
	struct hv_kvp_ip_msg m = {.operation = KVP_OP_GET_IP_INFO};
	int err = fill_ip(&m, &ip);
	struct operation *op;

	if (err)
		return err;
	op = operation_new(k, timeout_ns, ctx);
	op->ip = done;
	return begin(op, &m, sizeof(m), on_ip);
}

int ic_kvp_set_ip(struct ic_kvp *k, const struct ic_kvp_ip *ip,
		  uint64_t timeout_ns, ic_kvp_done_fn done, void *ctx)
{
	struct hv_kvp_ip_msg m = {.operation = KVP_OP_SET_IP_INFO};
	int err = fill_ip(&m, ip);
	struct operation *op;

	if (err)
		return err;
	op = operation_new(k, timeout_ns, ctx);
	op->done = done;
	return begin(op, &m, sizeof(m), on_done);
}

/* --- life ---------------------------------------------------------------------------- */

/*
 * 4.0 is Windows 8's (Linux 3.x hv_kvp.c).  5.0 has addresses as binary
 * numbers, and no Linux takes it.
 */
static const struct ic_version_row versions[] = {
	{{1, 0}, 0},
	{{3, 0}, 0},
	{{4, 0}, VERSION_WIN8},
};

static const struct ic_service service = {
	.if_type = HV_KVP_GUID,
	.type = ICMSGTYPE_KVPEXCHANGE,
	.max_body = sizeof(struct hv_kvp_ip_msg),
	.versions = versions,
	.n_versions = G_N_ELEMENTS(versions),
};

struct ic_kvp *ic_kvp_new(const struct vsp_params *params)
{
	struct ic_kvp *k = g_new0(struct ic_kvp, 1);

	k->ic = ic_new(params, &service, k, NULL, 0);
	if (!ic_offer(k->ic))
		return k;
	ic_kvp_free(k);
	return NULL;
}

void ic_kvp_free(struct ic_kvp *k)
{
	if (!k)
		return;
	ic_free(k->ic);
	g_free(k);
}

/* --- for the machine ---------------------------------------------------------- */

static void free_device(void *device)
{
	ic_kvp_free(device);
}

static void say_facts(void *device, const struct vsp_facts *to)
{
	struct ic_kvp *k = device;

	ic_facts(k->ic, to);
	to->number(to->ctx, "operations", k->operations);
	to->number(to->ctx, "failures", k->failures);
}

const struct vsp_ops ic_kvp_ops = {
	.free = free_device,
	.channel = ic_device_channel,
	.facts = say_facts,
	.run = ic_device_run,
};
