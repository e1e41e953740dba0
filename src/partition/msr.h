/* SPDX-License-Identifier: MIT */
/*
 * msr.h - one row per synthetic MSR: what gives a guest the right to it, and
 * who handles it.
 *
 * partition_msr_read() and partition_msr_write() end in this table.  A
 * register whose row wants a bit that the partition does not offer is not
 * there: #GP.  CPUID advertises a bit only if every row that wants it has a
 * handler (features.h).
 *
 * Source: TLFS "Feature and Interface Discovery", HV_PARTITION_PRIVILEGE_MASK,
 * and the page of each register.
 */
#ifndef PARTITION_MSR_H
#define PARTITION_MSR_H

#include <stdbool.h>
#include <stdint.h>

struct partition;

/* Return: 0, or -EINVAL to inject #GP. */
typedef int (*msr_read_fn)(struct partition *p, uint32_t vp, uint32_t msr,
			   uint64_t *value);
typedef int (*msr_write_fn)(struct partition *p, uint32_t vp, uint32_t msr,
			    uint64_t value);

struct msr_row {
	uint32_t msr;
	/* wanted in leaf 3 EAX and EDX; 0: nothing is */
	uint32_t privilege, feature;
	/* without HV_X64_MSR_ */
	const char *name;
	/* NULL: write-only, read-only; both: known, not implemented */
	msr_read_fn read;
	msr_write_fn write;
};

/**
 * msr_table() - all rows, lowest number first; borrowed for ever
 * @n_rows: how many; may be NULL
 */
const struct msr_row *msr_table(unsigned int *n_rows);

/** msr_table_privileges() - bits of leaf 3 EAX that rows stand for, all of
 * which are implemented */
uint32_t msr_table_privileges(void);

/** msr_table_features() - bits of leaf 3 EDX, likewise */
uint32_t msr_table_features(void);

/**
 * msr_index_init() - make @p ready for msr_find()
 *
 * Fills in p->row_of and p->coverage.
 */
void msr_index_init(struct partition *p);

/** msr_offered() - does @p offer the register of @row? */
bool msr_offered(const struct partition *p, const struct msr_row *row);

/** msr_find() - the row of an MSR that @p has, or NULL */
const struct msr_row *msr_find(const struct partition *p, uint32_t msr);

#endif
