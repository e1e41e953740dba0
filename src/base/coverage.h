/* SPDX-License-Identifier: MIT */
/*
 * coverage.h - what of a table was used: the counters behind the report.
 *
 * Every table that dispatches (MSRs, hypercalls, messages …) owns a
 * coverage_set: one entry per row, hit from any thread, read at any time.
 */
#ifndef BASE_COVERAGE_H
#define BASE_COVERAGE_H

#include <stdatomic.h>
#include <stdint.h>

/* How often each status came back; the last slot is "any other". */
#define COVERAGE_STATUSES 6

struct coverage_status {
	_Atomic uint32_t status; /* 0 also means: slot unused */
	_Atomic uint64_t count;
};

struct coverage_entry {
	const char *name;
	uint64_t number;
	_Atomic uint64_t count; /* accesses, reads for an MSR */
	_Atomic uint64_t writes; /* writes for an MSR, else unused */
	_Atomic uint64_t refused; /* answered by a fault or an error status */
	struct coverage_status statuses[COVERAGE_STATUSES];
};

struct coverage_set {
	const char *name;
	unsigned int n_entries;
	struct coverage_entry *entries;
	/* accesses to numbers that have no row */
	_Atomic uint64_t unknown;
};

/**
 * coverage_new() - a set with room for @n_entries rows
 * @name: borrowed, as are the entries' names
 *
 * Return: owned; free with coverage_free().
 */
struct coverage_set *coverage_new(const char *name, unsigned int n_entries);
void coverage_free(struct coverage_set *set);

/** coverage_add() - @n more accesses */
static inline void coverage_add(struct coverage_entry *entry, uint64_t n)
{
	atomic_fetch_add_explicit(&entry->count, n, memory_order_relaxed);
}

/** coverage_hit() - one more access */
static inline void coverage_hit(struct coverage_entry *entry)
{
	coverage_add(entry, 1);
}

/** coverage_write() - one more write */
static inline void coverage_write(struct coverage_entry *entry)
{
	atomic_fetch_add_explicit(&entry->writes, 1, memory_order_relaxed);
}

/** coverage_refuse() - one more access that we answered with a fault */
static inline void coverage_refuse(struct coverage_entry *entry)
{
	atomic_fetch_add_explicit(&entry->refused, 1, memory_order_relaxed);
}

/** coverage_unknown() - an access to a number without a row */
static inline void coverage_unknown(struct coverage_set *set)
{
	atomic_fetch_add_explicit(&set->unknown, 1, memory_order_relaxed);
}

/** coverage_status() - one more answer of @status; zero is success */
void coverage_status(struct coverage_entry *entry, uint32_t status);

#endif
