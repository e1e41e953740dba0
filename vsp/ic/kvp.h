/* SPDX-License-Identifier: MIT */
/*
 * kvp.h - keys and values that host and guest exchange, and the guest's
 * network settings.
 *
 * Five pools (KVP_POOL_…), which a daemon in the guest keeps: what the host
 * writes is in KVP_POOL_EXTERNAL, the guest's own in KVP_POOL_GUEST; what the
 * daemon makes up itself (system name, addresses, version) is in
 * KVP_POOL_AUTO.  A get looks through all of a pool.  Without the daemon
 * nothing is answered (-ETIMEDOUT).
 *
 * Thread: any; answers come on the channel's worker, each exactly once if the
 * call returned 0, and what they point to is the callee's until it returns.
 * An err is as ic.h has it, or -ENOENT no such key, -EIO the guest failed,
 * -EPROTO it answered nonsense.
 *
 * Calls return 0; -EINVAL no such pool, or no key; -EILSEQ a text that is not
 * UTF-8; -ENAMETOOLONG; -EBUSY too much is asked for.
 *
 * Source: Linux drivers/hv/hv_kvp.c, tools/hv/hv_kvp_daemon.c.
 */
#ifndef VSP_IC_KVP_H
#define VSP_IC_KVP_H

#include <stdbool.h>
#include <stdint.h>

struct ic_kvp;
struct vsp_ops;
struct vsp_params;

/* A pool with more is not listed (-EOVERFLOW). */
#define IC_KVP_LIST_MAX 4096u

struct ic_kvp_pair {
	const char *key, *value;
};

/* Texts are lists with ';'; NULL or "": nothing. */
struct ic_kvp_ip {
	/*
	 * In a question the adapter's MAC address, "00:15:5D:01:02:03"; to
	 * set it the NIC's instance, "{8-4-4-4-12 digits}" (so Linux' daemon,
	 * kvp_mac_to_ip() and kvp_get_if_name()).
	 */
	const char *adapter;
	uint8_t family; /* ADDR_FAMILY_…, either or both */
	bool dhcp;
	const char *addresses, *subnets, *gateways, *dns;
};

typedef void (*ic_kvp_done_fn)(void *ctx, int err);
typedef void (*ic_kvp_value_fn)(void *ctx, int err, const char *value);
typedef void (*ic_kvp_list_fn)(void *ctx, int err,
			       const struct ic_kvp_pair *pairs, unsigned int n);
typedef void (*ic_kvp_ip_fn)(void *ctx, int err, const struct ic_kvp_ip *ip);

/**
 * ic_kvp_new() - offer it
 *
 * Return: owned; NULL when the instance is taken.
 */
struct ic_kvp *ic_kvp_new(const struct vsp_params *params);
void ic_kvp_free(struct ic_kvp *k);

int ic_kvp_get(struct ic_kvp *k, unsigned int pool, const char *key,
	       uint64_t timeout_ns, ic_kvp_value_fn done, void *ctx);

/** ic_kvp_set() - add it, or give it another value */
int ic_kvp_set(struct ic_kvp *k, unsigned int pool, const char *key,
	       const char *value, uint64_t timeout_ns, ic_kvp_done_fn done,
	       void *ctx);

int ic_kvp_delete(struct ic_kvp *k, unsigned int pool, const char *key,
		  uint64_t timeout_ns, ic_kvp_done_fn done, void *ctx);

/** ic_kvp_list() - all of a pool; @timeout_ns is for all together */
int ic_kvp_list(struct ic_kvp *k, unsigned int pool, uint64_t timeout_ns,
		ic_kvp_list_fn done, void *ctx);

int ic_kvp_get_ip(struct ic_kvp *k, const char *adapter, uint64_t timeout_ns,
		  ic_kvp_ip_fn done, void *ctx);

int ic_kvp_set_ip(struct ic_kvp *k, const struct ic_kvp_ip *ip,
		  uint64_t timeout_ns, ic_kvp_done_fn done, void *ctx);

extern const struct vsp_ops ic_kvp_ops;

#endif
