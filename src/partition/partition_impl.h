/* SPDX-License-Identifier: MIT */
/*
 * partition_impl.h - the insides of a partition, for the modules of this
 * folder: its state, and the handlers of the MSR table.
 *
 * Locks: partition.lock guards the partition-wide registers and the overlays
 * that belong to them; it is above the overlay space's lock and is not held
 * while partition_ops are called.  A VP's own registers are written from its
 * thread only, and atomic, as others may read them.
 */
#ifndef PARTITION_PARTITION_IMPL_H
#define PARTITION_PARTITION_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "partition/features.h"
#include "partition/partition.h"
#include "proto/hv_synic.h"
#include "proto/hv_tlfs.h"

struct overlay;

#define CRASH_PARAMETERS 5

/* Synthetic MSRs that can have a row: 0x40000000 to 0x400001FF. */
#define MSR_INDEX_SIZE 0x200u

struct partition_vp {
	_Atomic uint64_t assist;
	_Atomic bool assist_left; /* on since before the guest was another */
	struct overlay *assist_page; /* VP's thread */
};

struct partition {
	/* set once */
	struct partition_params params;
	struct partition_features features;
	struct coverage_set *coverage;
	struct overlay *hypercall_page, *tsc_page;
	/* row number + 1 of each MSR, by number; 0: no row */
	uint8_t row_of[MSR_INDEX_SIZE];
	_Atomic uint32_t milestones; /* bit per enum partition_milestone */

	pthread_mutex_t lock;
	/* lock to write; read from any thread */
	_Atomic uint64_t guest_os_id;
	_Atomic uint64_t hypercall;
	/* lock */
	uint64_t reference_tsc;
	uint64_t crash[CRASH_PARAMETERS];
	uint64_t reenlightenment;
	uint64_t tsc_emulation;
	uint64_t tsc_invariant;

	unsigned int n_vps;
	struct partition_vp vps[];
};

/** partition_reached() - the guest has got to @milestone, perhaps again */
void partition_reached(struct partition *p, enum partition_milestone milestone);

/**
 * overlay_register_valid() - may @value be written to an overlay register?
 * @low_bits: the bits below the page number that mean something
 */
bool overlay_register_valid(uint64_t value, uint64_t low_bits);

/* hypercall_msr.c */
int guest_os_id_read(struct partition *p, uint32_t vp, uint32_t msr,
		     uint64_t *value);
int guest_os_id_write(struct partition *p, uint32_t vp, uint32_t msr,
		      uint64_t value);
int hypercall_read(struct partition *p, uint32_t vp, uint32_t msr,
		   uint64_t *value);
int hypercall_write(struct partition *p, uint32_t vp, uint32_t msr,
		    uint64_t value);

/* tsc_page.c */
int reference_tsc_read(struct partition *p, uint32_t vp, uint32_t msr,
		       uint64_t *value);
int reference_tsc_write(struct partition *p, uint32_t vp, uint32_t msr,
			uint64_t value);

/* tsc_control.c */
int reenlightenment_read(struct partition *p, uint32_t vp, uint32_t msr,
			 uint64_t *value);
int reenlightenment_write(struct partition *p, uint32_t vp, uint32_t msr,
			  uint64_t value);
int tsc_emulation_control_read(struct partition *p, uint32_t vp, uint32_t msr,
			       uint64_t *value);
int tsc_emulation_control_write(struct partition *p, uint32_t vp, uint32_t msr,
				uint64_t value);
int tsc_emulation_status_read(struct partition *p, uint32_t vp, uint32_t msr,
			      uint64_t *value);
int tsc_emulation_status_write(struct partition *p, uint32_t vp, uint32_t msr,
			       uint64_t value);
int tsc_invariant_read(struct partition *p, uint32_t vp, uint32_t msr,
		       uint64_t *value);
int tsc_invariant_write(struct partition *p, uint32_t vp, uint32_t msr,
			uint64_t value);

/* vp_assist.c */
void vp_assist_reset(struct partition *p, uint32_t vp);
int vp_assist_read(struct partition *p, uint32_t vp, uint32_t msr,
		   uint64_t *value);
int vp_assist_write(struct partition *p, uint32_t vp, uint32_t msr,
		    uint64_t value);
int apic_msr_read(struct partition *p, uint32_t vp, uint32_t msr,
		  uint64_t *value);
int apic_msr_write(struct partition *p, uint32_t vp, uint32_t msr,
		   uint64_t value);

/* crash.c */
int crash_parameter_read(struct partition *p, uint32_t vp, uint32_t msr,
			 uint64_t *value);
int crash_parameter_write(struct partition *p, uint32_t vp, uint32_t msr,
			  uint64_t value);
int crash_control_read(struct partition *p, uint32_t vp, uint32_t msr,
		       uint64_t *value);
int crash_control_write(struct partition *p, uint32_t vp, uint32_t msr,
			uint64_t value);

/* idle_freq.c */
int vp_index_read(struct partition *p, uint32_t vp, uint32_t msr,
		  uint64_t *value);
int vp_runtime_read(struct partition *p, uint32_t vp, uint32_t msr,
		    uint64_t *value);
int time_ref_count_read(struct partition *p, uint32_t vp, uint32_t msr,
			uint64_t *value);
int tsc_frequency_read(struct partition *p, uint32_t vp, uint32_t msr,
		       uint64_t *value);
int apic_frequency_read(struct partition *p, uint32_t vp, uint32_t msr,
			uint64_t *value);
int guest_idle_read(struct partition *p, uint32_t vp, uint32_t msr,
		    uint64_t *value);
int reset_read(struct partition *p, uint32_t vp, uint32_t msr, uint64_t *value);
int reset_write(struct partition *p, uint32_t vp, uint32_t msr, uint64_t value);

#endif
