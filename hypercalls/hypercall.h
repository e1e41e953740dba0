/* SPDX-License-Identifier: MIT */
/*
 * hypercall.h - the hypercall interface of one partition.
 *
 * A call is looked up in a table (table.h): one row says code, sizes, forms
 * and privilege.  The dispatcher checks all that the row says, copies the
 * input block once into a buffer of its own, and hands the copy to the row's
 * handler, which decodes, decides and acts.
 *
 * Thread: hypercalls_call() on the calling VP's thread, any number of VPs at
 * once; no lock is taken and nothing is allocated.
 * Source: TLFS "Hypercall Interface"; the page of each call.
 */
#ifndef HYPERCALLS_HYPERCALL_H
#define HYPERCALLS_HYPERCALL_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/hv_hypercall.h"
#include "proto/hv_tlfs.h"

struct coverage_set;
struct gmem;
struct hypercalls;
struct ports;
struct vp_bitmap;

/* The registers that a call is made with and answered in. */
struct hypercall_regs {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, r8;
};

enum hypercall_outcome {
	/* registers updated: go on after the instruction */
	HYPERCALL_DONE,
	/* inject #UD at the instruction; registers as they were */
	HYPERCALL_UD,
};

/*
 * What the calls need of the VPs.  Called on the calling VP's thread, with no
 * lock of ours held; @ctx is hypercalls_params.ctx.  VP indices that are
 * passed in are below n_vps.
 */
struct hypercall_ops {
	/* XMM0 to XMM5 of @vp, the caller; 0 or -errno */
	int (*read_xmm)(void *ctx, uint32_t vp, uint8_t xmm[6][16]);
	int (*write_xmm)(void *ctx, uint32_t vp, const uint8_t xmm[6][16]);
	/*
	 * Returns when every VP of @vps has flushed its whole TLB, or will
	 * before it next runs guest code.  @caller may be one of them.
	 */
	void (*flush_tlb)(void *ctx, uint32_t caller,
			  const struct vp_bitmap *vps);
	/* Request fixed interrupt @vector (16 to 255), edge, at @vps. */
	void (*send_ipi)(void *ctx, const struct vp_bitmap *vps,
			 uint8_t vector);
	/*
	 * A register (HV_REGISTER_NAME) of @vp, which may not be the caller.
	 * 0, or: -ENOENT no register of that name, or the profile has not got
	 * it; -EINVAL the value is refused; -EACCES read-only; -EBUSY cannot
	 * be done from another VP's thread now.
	 */
	int (*get_register)(void *ctx, uint32_t caller, uint32_t vp,
			    uint32_t name, struct hv_register_value *value);
	int (*set_register)(void *ctx, uint32_t caller, uint32_t vp,
			    uint32_t name,
			    const struct hv_register_value *value);
	/* VP index, or -ENOENT */
	int (*vp_index_of_apic_id)(void *ctx, uint32_t apic_id);
	/* @vp spins on a lock whose holder may not be running. */
	void (*yield)(void *ctx, uint32_t vp);
	/*
	 * The guest will not miss the contents of [@gpa, @gpa + @bytes), whole
	 * pages of RAM: they may read as zeros from now on.  May be NULL: then
	 * the hint is not offered.
	 */
	void (*discard)(void *ctx, uint64_t gpa, uint64_t bytes);
};

struct hypercalls_params {
	struct gmem *mem;
	struct ports *ports;
	/* VPs that exist, 1 to HV_MAX_VPS */
	unsigned int n_vps;
	/* HV_PARTITION_PRIVILEGE_MASK: leaf 3 EBX << 32 | EAX */
	uint64_t privileges;
	/* leaf 3 EDX: XMM input, XMM output, extended GVA ranges */
	uint32_t features_edx;
	/* leaf 4 EAX: ExProcessorMasks says whether the Ex calls exist */
	uint32_t hints;
	const struct hypercall_ops *ops;
	void *ctx;
};

/**
 * hypercalls_new() - the calls of one partition
 * @params: copied; what it points to must outlive the result
 *
 * Return: owned, never NULL; free with hypercalls_free().
 */
struct hypercalls *hypercalls_new(const struct hypercalls_params *params);
void hypercalls_free(struct hypercalls *calls);

/**
 * hypercalls_call() - the guest wrote to HYPERCALL_PORT
 * @vp:             the caller
 * @regs:           its registers; on HYPERCALL_DONE the result is in RAX, or
 *                  EDX:EAX, and fast output in RDX and R8
 * @long_mode:      EFER.LMA and CS.L: a 64-bit caller
 * @cpl:            its privilege level
 * @protected_mode: CR0.PE, and not virtual 8086 mode
 *
 * The caller sees to it that the interface is enabled
 * (partition_hypercalls_enabled()), and injects #UD itself when it is not.
 */
enum hypercall_outcome hypercalls_call(struct hypercalls *calls, uint32_t vp,
				       struct hypercall_regs *regs,
				       bool long_mode, unsigned int cpl,
				       bool protected_mode);

/** hypercalls_signalled() - @n signals that KVM has taken by itself; any thread */
void hypercalls_signalled(struct hypercalls *calls, uint64_t n);

/** hypercalls_coverage() - one entry per row of the table; borrowed */
const struct coverage_set *hypercalls_coverage(const struct hypercalls *calls);

#endif
