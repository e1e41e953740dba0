/* SPDX-License-Identifier: MIT */
/*
 * vss.h - have the guest freeze its file systems, and thaw them again.
 *
 * A thaw follows each freeze, whatever happens: when nobody asks for it in
 * time it is sent all the same; and after a freeze that failed, or that the
 * guest did not answer and may do yet.  A guest that closes the channel thaws
 * by itself (Linux tools/hv/hv_vss_daemon.c).
 *
 * Thread: any; answers come on the channel's worker, each exactly once if the
 * call returned 0.  Their err: 0 it is done; -EIO the guest could not, or has
 * no daemon; else as ic.h has it.
 *
 * Source: Linux drivers/hv/hv_snapshot.c.
 */
#ifndef VSP_IC_VSS_H
#define VSP_IC_VSS_H

#include <stdbool.h>
#include <stdint.h>

struct ic_vss;
struct vsp_ops;
struct vsp_params;

/* How long a guest may be frozen at most, and if nothing is said. */
#define IC_VSS_HOLD_MAX_NS     (900ull * 1000000000)
#define IC_VSS_HOLD_DEFAULT_NS (60ull * 1000000000)

typedef void (*ic_vss_done_fn)(void *ctx, int err);

/**
 * ic_vss_new() - offer it
 * @look_ns: how often to look if it is time to thaw; 0: a second
 *
 * Return: owned; NULL when the instance is taken.
 */
struct ic_vss *ic_vss_new(const struct vsp_params *params, uint64_t look_ns);
void ic_vss_free(struct ic_vss *v);

/** ic_vss_check() - could it be frozen?  Return: 0; -EBUSY */
int ic_vss_check(struct ic_vss *v, uint64_t timeout_ns, ic_vss_done_fn done,
		 void *ctx);

/**
 * ic_vss_freeze() - freeze
 * @hold_ns: thaw after that time from when it is frozen; 0: the default; at
 *           most IC_VSS_HOLD_MAX_NS
 *
 * Return: 0; -EALREADY it is frozen, or about to be; -EBUSY it is about to be
 * thawed, or too much is asked for.
 */
int ic_vss_freeze(struct ic_vss *v, uint64_t hold_ns, uint64_t timeout_ns,
		  ic_vss_done_fn done, void *ctx);

/**
 * ic_vss_thaw() - thaw
 *
 * Return: 0; -EALREADY it is not frozen, or about to be thawed; -EBUSY it is
 * about to be frozen, or too much is asked for.
 */
int ic_vss_thaw(struct ic_vss *v, uint64_t timeout_ns, ic_vss_done_fn done,
		void *ctx);

/** ic_vss_is_frozen() - from the answer to freeze until that to thaw */
bool ic_vss_is_frozen(struct ic_vss *v);

extern const struct vsp_ops ic_vss_ops;

#endif
