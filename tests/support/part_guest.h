/* SPDX-License-Identifier: MIT */
/*
 * part_guest.h - a guest that reads and writes synthetic MSRs: a partition
 * with its SynIC, clock and memory, and a VM that only writes down what it
 * was asked to do.
 */
#ifndef SUPPORT_PART_GUEST_H
#define SUPPORT_PART_GUEST_H

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "hypercalls/vp_set.h"
#include "mem/gmem.h"
#include "mem/overlay.h"
#include "partition/features.h"
#include "partition/partition.h"
#include "partition/profile.h"
#include "proto/hv_hypercall.h"
#include "proto/hv_synic.h"
#include "proto/hv_tlfs.h"
#include "support/check_main.h"
#include "synic/ref_time.h"
#include "synic/synic.h"

#define PG_PAGE      4096ull
#define PG_NOWHERE   UINT64_MAX
#define PG_RAM_PAGES 64u
#define PG_N_VPS     3u
#define PG_TSC_HZ    2000000000ull
#define PG_MAX_GPA   (1ull << 40)
#define PG_APIC_HZ   200000000ull
#define PG_RUNTIME   77u

struct part_guest {
	struct gmem *mem;
	struct overlay_space *overlays;
	struct ref_time *ref_time;
	struct synic *synic;
	struct partition_features features;
	struct partition *part;
	uint64_t tsc, ns;

	unsigned int crashes, resets, idles, interrupts;
	unsigned int milestones[PARTITION_N_MILESTONES];
	uint32_t vp;
	uint64_t crash_p[5], crash_ctl;
	char crash_text[4097];
	bool crash_has_text;
	uint32_t apic_msr;
	uint64_t apic_value;
	bool apic_refuses;
	uint64_t assist_gpa[PG_N_VPS]; /* PG_NOWHERE: not to be written to */
};

static struct part_guest pg;

static inline uint64_t pg_tsc(void *ctx)
{
	return ((struct part_guest *)ctx)->tsc;
}

static inline uint64_t pg_ns(void *ctx)
{
	return ((struct part_guest *)ctx)->ns;
}

static inline void pg_interrupt(void *ctx, uint32_t vp, uint8_t vector,
				bool auto_eoi)
{
	(void)vp;
	(void)vector;
	(void)auto_eoi;
	((struct part_guest *)ctx)->interrupts++;
}

static inline void pg_crash(void *ctx, uint32_t vp, const uint64_t p[5],
			    uint64_t ctl, const char *message)
{
	struct part_guest *g = ctx;

	g->crashes++;
	g->vp = vp;
	memcpy(g->crash_p, p, sizeof(g->crash_p));
	g->crash_ctl = ctl;
	g->crash_has_text = message;
	if (message) {
		size_t len = strlen(message);

		if (len >= sizeof(g->crash_text))
			abort();
		memcpy(g->crash_text, message, len + 1);
	}
}

static inline void pg_reset(void *ctx, uint32_t vp)
{
	struct part_guest *g = ctx;

	g->resets++;
	g->vp = vp;
}

static inline uint64_t pg_runtime(void *ctx, uint32_t vp)
{
	(void)ctx;
	return PG_RUNTIME + vp;
}

static inline uint64_t pg_apic_hz(void *ctx)
{
	(void)ctx;
	return PG_APIC_HZ;
}

static inline int pg_apic_read(void *ctx, uint32_t vp, uint32_t msr,
			       uint64_t *value)
{
	struct part_guest *g = ctx;

	g->vp = vp;
	g->apic_msr = msr;
	*value = g->apic_value;
	return g->apic_refuses ? -EINVAL : 0;
}

static inline int pg_apic_write(void *ctx, uint32_t vp, uint32_t msr,
				uint64_t value)
{
	struct part_guest *g = ctx;

	g->vp = vp;
	g->apic_msr = msr;
	g->apic_value = value;
	return g->apic_refuses ? -EINVAL : 0;
}

static inline void pg_assist_shown(void *ctx, uint32_t vp, uint64_t gpa)
{
	((struct part_guest *)ctx)->assist_gpa[vp] = gpa;
}

/* Writes there as KVM might until it is told. */
static inline void pg_assist_hidden(void *ctx, uint32_t vp)
{
	struct part_guest *g = ctx;
	uint8_t no_eoi = 1;

	if (g->assist_gpa[vp] != PG_NOWHERE)
		gmem_write(g->mem, g->assist_gpa[vp], &no_eoi, 1);
	g->assist_gpa[vp] = PG_NOWHERE;
}

static inline void pg_idle(void *ctx, uint32_t vp)
{
	struct part_guest *g = ctx;

	g->idles++;
	g->vp = vp;
}

static inline void pg_milestone(void *ctx, enum partition_milestone milestone)
{
	((struct part_guest *)ctx)->milestones[milestone]++;
}

static const struct partition_ops pg_ops = {
	.crash = pg_crash,
	.reset = pg_reset,
	.runtime_100ns = pg_runtime,
	.apic_hz = pg_apic_hz,
	.apic_read = pg_apic_read,
	.apic_write = pg_apic_write,
	.assist_shown = pg_assist_shown,
	.assist_hidden = pg_assist_hidden,
	.idle = pg_idle,
	.milestone = pg_milestone,
};

/** pg_teardown() - fine if there is no guest */
static inline void pg_teardown(void)
{
	partition_free(pg.part);
	synic_free(pg.synic);
	ref_time_free(pg.ref_time);
	overlay_space_free(pg.overlays);
	gmem_free(pg.mem);
	memset(&pg, 0, sizeof(pg));
}

/** pg_start() - a guest that is offered just @features */
static inline void pg_start(const struct partition_features *features)
{
	static const struct synic_ops synic_ops = {.interrupt = pg_interrupt};
	struct ref_clock clock = {pg_tsc, pg_ns, &pg};

	memset(&pg, 0, sizeof(pg));
	for (unsigned int i = 0; i < PG_N_VPS; i++)
		pg.assist_gpa[i] = PG_NOWHERE;
	pg.features = *features;
	pg.mem = gmem_new(PG_RAM_PAGES * PG_PAGE, NULL);
	pg.overlays = overlay_space_new(pg.mem,
					partition_overlays_needed(PG_N_VPS) +
						synic_overlays_needed(PG_N_VPS),
					NULL);
	pg.ref_time = ref_time_new(&clock, PG_TSC_HZ, 0, true);
	pg.synic = synic_new(&(struct synic_params){
		.n_vps = PG_N_VPS,
		.mem = pg.mem,
		.overlays = pg.overlays,
		.ref_time = pg.ref_time,
		.ops = &synic_ops,
		.ctx = &pg,
		.direct_timers =
			features->edx & HV_STIMER_DIRECT_MODE_AVAILABLE,
		.sint_polling = features->edx & HV_FEATURE_SINT_POLLING_MODE,
		.max_gpa = PG_MAX_GPA,
	});
	pg.part = partition_new(&(struct partition_params){
		.features = &pg.features,
		.n_vps = PG_N_VPS,
		.mem = pg.mem,
		.overlays = pg.overlays,
		.ref_time = pg.ref_time,
		.synic = pg.synic,
		.max_gpa = PG_MAX_GPA,
		.ops = &pg_ops,
		.ctx = &pg,
	});
}

/** pg_all_features() - everything that any row wants */
static inline struct partition_features pg_all_features(void)
{
	struct partition_features f;

	partition_features_init(&f, profile_newest(), true, PG_N_VPS,
				HV_MAX_VPS);
	f.eax |= HV_MSR_RESET_AVAILABLE;
	return f;
}

/** pg_setup() - a guest with everything there is */
static inline void pg_setup(void)
{
	struct partition_features f = pg_all_features();

	pg_start(&f);
}

/** pg_setup_profile() - a guest of @name */
static inline void pg_setup_profile(const char *name)
{
	struct partition_features f;

	partition_features_init(&f, profile_find(name), true, PG_N_VPS,
				HV_MAX_VPS);
	pg_start(&f);
}

/** pg_read() - RDMSR on VP 0 that must not fault */
static inline uint64_t pg_read(uint32_t msr)
{
	uint64_t value = 0xDEAD;

	ck_assert_msg(partition_msr_read(pg.part, 0, msr, &value) == 0,
		      "RDMSR 0x%" PRIx32, msr);
	return value;
}

/** pg_write() - WRMSR on VP 0 that must not fault */
static inline void pg_write(uint32_t msr, uint64_t value)
{
	ck_assert_msg(partition_msr_write(pg.part, 0, msr, value) == 0,
		      "WRMSR 0x%" PRIx32 ", 0x%" PRIx64, msr, value);
}

/** pg_read_faults() - does RDMSR raise #GP? */
static inline bool pg_read_faults(uint32_t msr)
{
	uint64_t value;

	return partition_msr_read(pg.part, 0, msr, &value) == -EINVAL;
}

/** pg_write_faults() - does WRMSR raise #GP? */
static inline bool pg_write_faults(uint32_t msr, uint64_t value)
{
	return partition_msr_write(pg.part, 0, msr, value) == -EINVAL;
}

/** pg_byte() - one byte of guest memory, as the guest sees it */
static inline uint8_t pg_byte(uint64_t gpa)
{
	uint8_t byte = 0;

	ck_assert_int_eq(gmem_read(pg.mem, gpa, &byte, 1), 0);
	return byte;
}

/** pg_fill() - a page of guest memory */
static inline void pg_fill(uint64_t gpa, uint8_t value)
{
	uint8_t page[PG_PAGE];

	memset(page, value, sizeof(page));
	ck_assert_int_eq(gmem_write(pg.mem, gpa, page, sizeof(page)), 0);
}

#endif
