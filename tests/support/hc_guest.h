/* SPDX-License-Identifier: MIT */
/*
 * hc_guest.h - a guest that makes hypercalls: registers, memory, and VPs that
 * only write down what they were asked to do.
 */
#ifndef SUPPORT_HC_GUEST_H
#define SUPPORT_HC_GUEST_H

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "hypercalls/hypercall.h"
#include "hypercalls/vp_set.h"
#include "mem/gmem.h"
#include "support/check_main.h"
#include "synic/ports.h"

#define HC_PAGE      4096ull
#define HC_RAM_PAGES 64u
#define HC_N_VPS     130u
/* where tests put input and output */
#define HC_IN        (2 * HC_PAGE)
#define HC_OUT       (3 * HC_PAGE)
#define HC_ALL_RIGHTS                                                       \
	((uint64_t)(HV_POST_MESSAGES | HV_SIGNAL_EVENTS |                   \
		    HV_ACCESS_VP_REGISTERS | HV_ENABLE_EXTENDED_HYPERCALLS) \
	 << 32)

/* Registers that the fake VPs have. */
#define HC_REG_READ_ONLY  HV_REGISTER_VP_INDEX
#define HC_REG_SCRATCH    HV_REGISTER_GUEST_OSID
#define HC_REG_BUSY       HV_REGISTER_SINT0
#define HC_REG_PICKY      HV_REGISTER_SCONTROL
#define HC_APIC_ID(index) ((index)*2)

struct hc_guest {
	struct gmem *mem;
	struct ports *ports;
	struct hypercalls *calls;
	struct hypercalls_params params;
	uint32_t vp;
	uint8_t xmm[6][16];
	unsigned int xmm_reads, xmm_writes;
	bool xmm_broken;

	unsigned int flushes, ipis, yields, discards;
	uint32_t flush_caller, yield_vp;
	struct vp_bitmap vps;
	uint8_t vector;
	uint64_t discard_gpa, discard_bytes;
	struct hv_register_value scratch;
};

static struct hc_guest hc;

static inline int hc_read_xmm(void *ctx, uint32_t vp, uint8_t xmm[6][16])
{
	struct hc_guest *g = ctx;

	ck_assert_uint_eq(vp, g->vp);
	g->xmm_reads++;
	memcpy(xmm, g->xmm, sizeof(g->xmm));
	return g->xmm_broken ? -EIO : 0;
}

static inline int hc_write_xmm(void *ctx, uint32_t vp, const uint8_t xmm[6][16])
{
	struct hc_guest *g = ctx;

	ck_assert_uint_eq(vp, g->vp);
	g->xmm_writes++;
	memcpy(g->xmm, xmm, sizeof(g->xmm));
	return 0;
}

static inline void hc_flush_tlb(void *ctx, uint32_t caller,
				const struct vp_bitmap *vps)
{
	struct hc_guest *g = ctx;

	g->flushes++;
	g->flush_caller = caller;
	g->vps = *vps;
}

static inline void hc_send_ipis(void *ctx, const struct vp_bitmap *vps,
				uint8_t vector)
{
	struct hc_guest *g = ctx;

	g->ipis++;
	g->vps = *vps;
	g->vector = vector;
}

static inline int hc_get_register(void *ctx, uint32_t caller, uint32_t vp,
				  uint32_t name,
				  struct hv_register_value *value)
{
	struct hc_guest *g = ctx;

	ck_assert_uint_eq(caller, g->vp);
	switch (name) {
	case HC_REG_READ_ONLY:
		value->low = vp;
		return 0;
	case HC_REG_SCRATCH:
		*value = g->scratch;
		return 0;
	case HC_REG_BUSY:
		return -EBUSY;
	default:
		return -ENOENT;
	}
}

static inline int hc_set_register(void *ctx, uint32_t caller, uint32_t vp,
				  uint32_t name,
				  const struct hv_register_value *value)
{
	struct hc_guest *g = ctx;

	ck_assert_uint_eq(caller, g->vp);
	ck_assert_uint_lt(vp, HC_N_VPS);
	switch (name) {
	case HC_REG_READ_ONLY:
		return -EACCES;
	case HC_REG_SCRATCH:
		g->scratch = *value;
		return 0;
	case HC_REG_BUSY:
		return -EBUSY;
	case HC_REG_PICKY:
		return -EINVAL;
	default:
		return -ENOENT;
	}
}

static inline int hc_vp_index_of_apic_id(void *ctx, uint32_t apic_id)
{
	(void)ctx;
	if (apic_id % 2 || apic_id / 2 >= HC_N_VPS)
		return -ENOENT;
	return (int)(apic_id / 2);
}

static inline void hc_yield(void *ctx, uint32_t vp)
{
	struct hc_guest *g = ctx;

	g->yields++;
	g->yield_vp = vp;
}

static inline void hc_discard(void *ctx, uint64_t gpa, uint64_t bytes)
{
	struct hc_guest *g = ctx;

	g->discards++;
	g->discard_gpa = gpa;
	g->discard_bytes = bytes;
}

static const struct hypercall_ops hc_ops = {
	.read_xmm = hc_read_xmm,
	.write_xmm = hc_write_xmm,
	.flush_tlb = hc_flush_tlb,
	.send_ipi = hc_send_ipis,
	.get_register = hc_get_register,
	.set_register = hc_set_register,
	.vp_index_of_apic_id = hc_vp_index_of_apic_id,
	.yield = hc_yield,
	.discard = hc_discard,
};

/** hc_renew() - the same guest, as hc.params now says */
static inline void hc_renew(void)
{
	hypercalls_free(hc.calls);
	hc.calls = hypercalls_new(&hc.params);
}

/** hc_setup() - a guest with everything offered, calling from VP 3 */
static inline void hc_setup(void)
{
	memset(&hc, 0, sizeof(hc));
	hc.vp = 3;
	hc.mem = gmem_new(HC_RAM_PAGES * HC_PAGE, NULL);
	ck_assert_ptr_nonnull(hc.mem);
	hc.ports = ports_new();
	hc.params = (struct hypercalls_params){
		.mem = hc.mem,
		.ports = hc.ports,
		.n_vps = HC_N_VPS,
		.privileges = HC_ALL_RIGHTS,
		.features_edx = HV_X64_HYPERCALL_XMM_INPUT_AVAILABLE |
				HV_X64_HYPERCALL_XMM_OUTPUT_AVAILABLE |
				HV_FEATURE_EXT_GVA_RANGES_FLUSH_VA_LIST,
		.hints = HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED,
		.ops = &hc_ops,
		.ctx = &hc,
	};
	hc_renew();
}

static inline void hc_teardown(void)
{
	hypercalls_free(hc.calls);
	ports_free(hc.ports);
	gmem_free(hc.mem);
}

/** hc_put() - bytes into guest memory */
static inline void hc_put(uint64_t gpa, const void *data, size_t len)
{
	ck_assert_int_eq(gmem_write(hc.mem, gpa, data, len), 0);
}

/** hc_get() - bytes from guest memory */
static inline void hc_get(uint64_t gpa, void *data, size_t len)
{
	ck_assert_int_eq(gmem_read(hc.mem, gpa, data, len), 0);
}

static inline uint64_t hc_get64(uint64_t gpa)
{
	uint64_t value;

	hc_get(gpa, &value, sizeof(value));
	return value;
}

/* Parts of the control word. */
#define HC_REPS(n)  ((uint64_t)(n) << HV_HYPERCALL_REP_COMP_OFFSET)
#define HC_START(n) ((uint64_t)(n) << HV_HYPERCALL_REP_START_OFFSET)
#define HC_VAR(n)   ((uint64_t)(n) << HV_HYPERCALL_VARHEAD_OFFSET)
#define HC_FAST     HV_HYPERCALL_FAST_BIT

/* A 64-bit caller's registers before the call. */
static inline struct hypercall_regs hc_regs64(uint64_t control, uint64_t in,
					      uint64_t out)
{
	return (struct hypercall_regs){.rax = 0xA0A0A0A0A0A0A0A0,
				       .rbx = 0xB0,
				       .rcx = control,
				       .rdx = in,
				       .rsi = 0x51,
				       .rdi = 0xD1,
				       .r8 = out};
}

/* A 32-bit caller's; the upper halves are what a 64-bit kernel left there. */
static inline struct hypercall_regs hc_regs32(uint64_t control, uint64_t in,
					      uint64_t out)
{
	const uint64_t junk = 0xDEADBEEF00000000;

	return (struct hypercall_regs){.rax = junk | (uint32_t)control,
				       .rdx = junk | control >> 32,
				       .rcx = junk | (uint32_t)in,
				       .rbx = junk | in >> 32,
				       .rsi = junk | (uint32_t)out,
				       .rdi = junk | out >> 32,
				       .r8 = 0x88};
}

/** hc_call() - make a 64-bit call; Return: the result word */
static inline uint64_t hc_call(uint64_t control, uint64_t in, uint64_t out)
{
	struct hypercall_regs regs = hc_regs64(control, in, out);

	ck_assert_int_eq(hypercalls_call(hc.calls, hc.vp, &regs, true, 0, true),
			 HYPERCALL_DONE);
	return regs.rax;
}

/** hc_call32() - make a 32-bit call; Return: the result word */
static inline uint64_t hc_call32(uint64_t control, uint64_t in, uint64_t out)
{
	struct hypercall_regs regs = hc_regs32(control, in, out);

	ck_assert_int_eq(
		hypercalls_call(hc.calls, hc.vp, &regs, false, 0, true),
		HYPERCALL_DONE);
	ck_assert_uint_eq(regs.rax >> 32, 0);
	ck_assert_uint_eq(regs.rdx >> 32, 0);
	return regs.rdx << 32 | regs.rax;
}

/** hc_is_ud() - does the 64-bit call raise #UD, with registers unchanged? */
static inline bool hc_is_ud(uint64_t control, uint64_t in, uint64_t out)
{
	struct hypercall_regs regs = hc_regs64(control, in, out), was = regs;

	if (hypercalls_call(hc.calls, hc.vp, &regs, true, 0, true) !=
	    HYPERCALL_UD)
		return false;
	ck_assert_mem_eq(&regs, &was, sizeof(was));
	return true;
}

#endif
