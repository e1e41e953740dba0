/* SPDX-License-Identifier: MIT */
/*
 * partition.h - the virtual machine as a Hyper-V partition: its synthetic
 * registers.
 *
 * Holds the registers that are the partition's (guest identity, hypercall
 * page, reference TSC page, crash, TSC control) and those of each VP that are
 * not the SynIC's (index, run time, APIC access, assist page); the SynIC's are
 * passed on.  All are reached by number through one table (msr.h).
 *
 * Thread: partition_msr_read() and partition_msr_write() on the VP's thread,
 * any number of VPs at once; partition-wide registers are under one lock,
 * which is released before a callback is made.
 */
#ifndef PARTITION_PARTITION_H
#define PARTITION_PARTITION_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct coverage_set;
struct gmem;
struct hv_register_value;
struct overlay_space;
struct partition;
struct partition_features;
struct ref_time;
struct synic;

#define MSR_IA32_TSC        0x10u
#define MSR_IA32_TSC_ADJUST 0x3Bu

/* A guest's first use of something, for the report. */
enum partition_milestone {
	PARTITION_GUEST_OS_ID,
	PARTITION_HYPERCALL_PAGE,
	PARTITION_REFERENCE_TSC,
	PARTITION_SYNIC,
	PARTITION_STIMER,
	PARTITION_N_MILESTONES,
};

/** partition_milestone_name() - as the report has it: "guest_os_id" … */
const char *partition_milestone_name(enum partition_milestone milestone);

/* On the VP's thread, with no lock of ours held. */
struct partition_ops {
	/*
	 * CRASH_CTL written with the notify bit; the guest goes on after it.
	 * @message: the text that it left in memory, or NULL: printable ASCII,
	 *           tabs and newlines; borrowed for the call
	 */
	void (*crash)(void *ctx, uint32_t vp, const uint64_t p[5], uint64_t ctl,
		      const char *message);
	/* RESET written: the VM is to be reset when the exit is done */
	void (*reset)(void *ctx, uint32_t vp);
	/* time that @vp has run, 100 ns */
	uint64_t (*runtime_100ns)(void *ctx, uint32_t vp);
	/* input clock of the local APIC's timer */
	uint64_t (*apic_hz)(void *ctx);
	/*
	 * HV_X64_MSR_EOI, ICR, TPR of the caller's local APIC.
	 * 0, or -EINVAL to inject #GP.
	 */
	int (*apic_read)(void *ctx, uint32_t vp, uint32_t msr, uint64_t *value);
	int (*apic_write)(void *ctx, uint32_t vp, uint32_t msr, uint64_t value);
	/*
	 * The guest sees @vp's assist page at @gpa now, and may be told of
	 * needless EOIs there (also when it was there before); or it is about
	 * to go, the latter also with the VP stopped.  May be NULL.
	 */
	void (*assist_shown)(void *ctx, uint32_t vp, uint64_t gpa);
	void (*assist_hidden)(void *ctx, uint32_t vp);
	/* Returns when an interrupt waits for @vp, whatever its IF is. */
	void (*idle)(void *ctx, uint32_t vp);
	/* Once per milestone and boot; may be NULL */
	void (*milestone)(void *ctx, enum partition_milestone milestone);
};

struct partition_params {
	const struct partition_features *features;
	unsigned int n_vps;
	struct gmem *mem;
	struct overlay_space *overlays;
	struct ref_time *ref_time;
	struct synic *synic;
	/* one past the last guest physical address, 1 << MAXPHYADDR */
	uint64_t max_gpa;
	const struct partition_ops *ops;
	void *ctx;
};

/** partition_overlays_needed() - overlay pages that partition_new() takes */
unsigned int partition_overlays_needed(unsigned int n_vps);

/**
 * partition_new() - a partition as it is after power-on
 * @params: copied; what it points to must outlive the result
 *
 * Return: owned, never NULL; free with partition_free().
 */
struct partition *partition_new(const struct partition_params *params);
void partition_free(struct partition *partition);

/**
 * partition_reset() - all registers as after power-on, overlays hidden
 *
 * The SynIC has a reset of its own.
 * Thread: with every VP stopped.
 */
void partition_reset(struct partition *partition);

/**
 * partition_msr_read() - RDMSR of a register in HV_X64_MSR_FIRST to _LAST
 *
 * Return: 0, or -EINVAL to inject #GP.
 */
int partition_msr_read(struct partition *partition, uint32_t vp, uint32_t msr,
		       uint64_t *value);

/** partition_msr_write() - WRMSR; as partition_msr_read() */
int partition_msr_write(struct partition *partition, uint32_t vp, uint32_t msr,
			uint64_t value);

/**
 * partition_get_register() - a register by its HV_REGISTER_NAME
 * @caller: the VP that asks, on whose thread this is
 * @vp:     the one it asks about
 *
 * For HvCallGetVpRegisters; hypercall_ops.get_register can end here.
 *
 * Return: 0, -ENOENT, -EBUSY; see struct hypercall_ops.
 */
int partition_get_register(struct partition *partition, uint32_t caller,
			   uint32_t vp, uint32_t name,
			   struct hv_register_value *value);

/** partition_set_register() - Return: 0, -ENOENT, -EINVAL, -EACCES, -EBUSY */
int partition_set_register(struct partition *partition, uint32_t caller,
			   uint32_t vp, uint32_t name,
			   const struct hv_register_value *value);

/** partition_msr_coverage() - one entry per row of the table; borrowed */
const struct coverage_set *
partition_msr_coverage(const struct partition *partition);

/** partition_guest_os_id() - as last written; 0: the guest has not said */
uint64_t partition_guest_os_id(const struct partition *partition);

/** partition_hypercalls_enabled() - is the hypercall page enabled? */
bool partition_hypercalls_enabled(const struct partition *partition);

/**
 * partition_reenlightenment() - who wants to hear of another TSC?
 * @vp:     out
 * @vector: out
 *
 * Return: false: nobody (HV_X64_MSR_REENLIGHTENMENT_CONTROL).  Thread: any.
 */
bool partition_reenlightenment(struct partition *partition, uint32_t *vp,
			       uint8_t *vector);

/**
 * partition_update_tsc_page() - the reference time has changed: rewrite the
 * reference TSC page, invalid meanwhile, with another sequence
 *
 * Thread: any.
 */
void partition_update_tsc_page(struct partition *partition);

/**
 * partition_tsc_write() - the guest wrote its TSC, or TSC_ADJUST
 * @msr: MSR_IA32_TSC or MSR_IA32_TSC_ADJUST
 *
 * Reference time is made from the TSC: it stays as it is.
 *
 * Thread: the VP's.
 */
void partition_tsc_write(const struct partition *p, uint32_t vp, uint32_t msr,
			 uint64_t value);

#endif
