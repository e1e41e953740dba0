/* SPDX-License-Identifier: MIT */
/*
 * synic_bench.h - a synic with four fake VPs, and what its guest does.
 *
 * For test files of one binary each: the state is static.
 */
#ifndef SUPPORT_SYNIC_BENCH_H
#define SUPPORT_SYNIC_BENCH_H

#include "mem/gmem.h"
#include "mem/overlay.h"
#include "proto/hv_tlfs.h"
#include "support/check_main.h"
#include "support/fake_clock.h"
#include "support/fake_vps.h"
#include "support/synic_guest.h"
#include "synic/ref_time.h"
#include "synic/synic.h"

#define PAGE 4096u
#ifndef RAM_BYTES
#define RAM_BYTES (64 * PAGE)
#endif
/* That the guest does not know yet */
#ifndef SPARE_BYTES
#define SPARE_BYTES 0
#endif
#define MAX_GPA (1ull << 40)
#define MS      10000ull
/* 10 MHz above the least: 2 ticks are one unit of 100 ns */
#define TSC_HZ  20000000u

#define SCONTROL   HV_X64_MSR_SCONTROL
#define SIMP       HV_X64_MSR_SIMP
#define SIEFP      HV_X64_MSR_SIEFP
#define EOM        HV_X64_MSR_EOM
#define SINT(n)    (HV_X64_MSR_SINT0 + (n))
#define CONFIG(n)  (HV_X64_MSR_STIMER0_CONFIG + 2 * (n))
#define COUNT(n)   (HV_X64_MSR_STIMER0_COUNT + 2 * (n))
#define MASKED     HV_SYNIC_SINT_MASKED
#define AUTO_EOI   HV_SYNIC_SINT_AUTO_EOI
#define POLLING    HV_SYNIC_SINT_POLLING
#define EN         HV_STIMER_ENABLE
#define DIRECT(v)  (HV_STIMER_DIRECT_MODE | (v) << HV_STIMER_VECTOR_SHIFT)
#define TO_SINT(n) ((uint64_t)(n) << HV_STIMER_SINTX_SHIFT)

/* What setup() lets SINT2 have. */
#define VECTOR 0xF3

static struct fake_clock fake;
static struct fake_vps vps;
static struct gmem *mem;
static struct overlay_space *space;
static struct ref_time *rt;
static struct synic *synic;

static inline void setup_ops(const struct synic_ops *ops, bool direct_timers,
			     bool sint_polling)
{
	struct ref_clock clock = fake_clock_ref(&fake);
	struct synic_params params = {.n_vps = FAKE_VPS,
				      .ops = ops,
				      .ctx = &vps,
				      .direct_timers = direct_timers,
				      .sint_polling = sint_polling,
				      .max_gpa = MAX_GPA};

	fake = (struct fake_clock){.tsc = 1000, .ns = 1000};
	mem = gmem_new_with_spare(RAM_BYTES, SPARE_BYTES, NULL);
	ck_assert_ptr_nonnull(mem);
	space = overlay_space_new(mem, synic_overlays_needed(FAKE_VPS), NULL);
	ck_assert_ptr_nonnull(space);
	rt = ref_time_new(&clock, TSC_HZ, 0, true);
	params.mem = mem;
	params.overlays = space;
	params.ref_time = rt;
	synic = synic_new(&params);
}

static inline void setup_with(bool direct_timers, bool sint_polling)
{
	setup_ops(&fake_vps_ops, direct_timers, sint_polling);
}

static inline void setup(void)
{
	setup_with(true, false);
}

static inline void teardown(void)
{
	synic_free(synic);
	ref_time_free(rt);
	overlay_space_free(space);
	gmem_free(mem);
}

static inline void advance_to(uint64_t ref)
{
	while (ref_time_now(rt) < ref)
		fake.tsc += 2 * (ref - ref_time_now(rt));
}

static inline void wr(uint32_t vp, uint32_t msr, uint64_t value)
{
	ck_assert_msg(!synic_msr_write(synic, vp, msr, value),
		      "write of 0x%lx to MSR 0x%x", value, msr);
}

static inline uint64_t rd(uint32_t vp, uint32_t msr)
{
	uint64_t value = 0xDEAD;

	ck_assert_int_eq(synic_msr_read(synic, vp, msr, &value), 0);
	return value;
}

static inline uint64_t simp_gpa(uint32_t vp)
{
	return (8 + 2 * vp) * PAGE;
}

static inline uint64_t siefp_gpa(uint32_t vp)
{
	return (9 + 2 * vp) * PAGE;
}

static inline uint8_t *simp_page(uint32_t vp)
{
	return gmem_load(mem, simp_gpa(vp), PAGE);
}

static inline void *slot(uint32_t vp, unsigned int sint)
{
	return simp_page(vp) + sint * HV_MESSAGE_SIZE;
}

static inline void *events(uint32_t vp)
{
	return gmem_load(mem, siefp_gpa(vp), PAGE);
}

/* The way Linux' hv_synic_enable_regs() does it. */
static inline void enable(uint32_t vp)
{
	wr(vp, SIMP, simp_gpa(vp) | 1);
	wr(vp, SIEFP, siefp_gpa(vp) | 1);
	wr(vp, SINT(2), VECTOR);
	wr(vp, SCONTROL, 1);
}

static inline int post(uint32_t vp, unsigned int sint, uint64_t number)
{
	struct hv_message m = {.header = {.message_type = HVMSG_VMBUS,
					  .payload_size = sizeof(number)}};

	memcpy(m.payload, &number, sizeof(number));
	return synic_message_post(synic, vp, sint, &m);
}

/* The guest handles the message in the slot; ~0 if there is none. */
static inline uint64_t receive(uint32_t vp, unsigned int sint)
{
	struct hv_message m;
	uint64_t number;

	if (!guest_message_take(slot(vp, sint), &m))
		return ~0ull;
	memcpy(&number, m.payload, sizeof(number));
	if (guest_message_done(slot(vp, sint)))
		wr(vp, EOM, 0);
	return number;
}

#endif
