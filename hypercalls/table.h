/* SPDX-License-Identifier: MIT */
/*
 * table.h - one row per hypercall: what it looks like and who handles it.
 *
 * The dispatcher (hypercall.c) checks a call against its row, copies its
 * input, and calls the handler with a struct hypercall.  Privileges and
 * recommendations in CPUID follow from the rows that have a handler
 * (src/partition/features.h).
 *
 * Source: TLFS "Hypercall Reference" and the page of each call.
 */
#ifndef HYPERCALLS_TABLE_H
#define HYPERCALLS_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "hypercalls/hypercall.h"

/*
 * A call that has passed the dispatcher: its input, in a private copy, and
 * room for its output.  Sizes are as the row says; nothing is validated.
 */
struct hypercall {
	const struct hypercalls_params *params;
	/* the caller */
	uint32_t vp;
	/* row->input_bytes */
	const uint8_t *header;
	/* the variable header: n_var 64-bit words */
	const uint8_t *var;
	unsigned int n_var;
	/* elements [rep_start, rep_count) are to be done; both 0 if no rep */
	unsigned int rep_start, rep_count;
	/* element 0, row->rep_input_bytes each */
	const uint8_t *rep_input;
	/*
	 * row->output_bytes, or element 0 of row->rep_output_bytes each;
	 * zeroed
	 */
	uint8_t *output;
	/* set by the handler of a rep call: the first element not done */
	unsigned int reps_done;
};

/**
 * hypercall_handler_fn - decide one call and do it
 *
 * Decodes first, which may fail and changes nothing; then acts.  The output
 * of a call that fails is dropped, but for elements below @call->reps_done.
 *
 * Return: the status that the guest gets.
 */
typedef hv_status_t (*hypercall_handler_fn)(struct hypercall *call);

struct hypercall_row {
	uint16_t code;
	bool rep;
	/* takes a variable header */
	bool var_header;
	/* does not exist unless @hint is recommended */
	bool needs_hint;
	uint16_t input_bytes, rep_input_bytes;
	/* one of the two is 0 */
	uint16_t output_bytes, rep_output_bytes;
	/* as in TLFS, without HvCall */
	const char *name;
	/* in HV_PARTITION_PRIVILEGE_MASK; 0: none is needed */
	uint64_t privilege;
	/* leaf 4 EAX: recommending this promises the call */
	uint32_t hint;
	/* NULL: known, not implemented, as if there were no such code */
	hypercall_handler_fn handler;
};

/**
 * hypercall_table() - all rows, lowest code first; borrowed for ever
 * @n_rows: how many; may be NULL
 */
const struct hypercall_row *hypercall_table(unsigned int *n_rows);

/** hypercall_find() - the row of @code, or NULL */
const struct hypercall_row *hypercall_find(uint16_t code);

/**
 * hypercall_table_privileges() - the privileges that rows stand for, all of
 * which have a handler
 */
uint64_t hypercall_table_privileges(void);

/** hypercall_table_hints() - the recommendations, likewise */
uint32_t hypercall_table_hints(void);

/**
 * hypercall_table_features() - bits of leaf 3 EDX that the dispatcher and the
 * handlers stand for: XMM input and output, extended GVA ranges
 */
uint32_t hypercall_table_features(void);

/* hc_message.c */
hv_status_t hc_post_message(struct hypercall *call);
hv_status_t hc_signal_event(struct hypercall *call);

/* hc_tlb.c */
hv_status_t hc_flush_space(struct hypercall *call);
hv_status_t hc_flush_list(struct hypercall *call);
hv_status_t hc_flush_space_ex(struct hypercall *call);
hv_status_t hc_flush_list_ex(struct hypercall *call);

/* hc_ipi.c */
hv_status_t hc_send_ipi(struct hypercall *call);
hv_status_t hc_send_ipi_ex(struct hypercall *call);
hv_status_t hc_notify_long_spin_wait(struct hypercall *call);

/* hc_vp.c */
hv_status_t hc_get_vp_registers(struct hypercall *call);
hv_status_t hc_set_vp_registers(struct hypercall *call);
hv_status_t hc_get_vp_index_from_apic_id(struct hypercall *call);

/* hc_ext.c */
hv_status_t hc_ext_query_capabilities(struct hypercall *call);
hv_status_t hc_ext_get_boot_zeroed_memory(struct hypercall *call);
hv_status_t hc_ext_memory_heat_hint(struct hypercall *call);

#endif
