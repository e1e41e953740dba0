/* SPDX-License-Identifier: MIT */
/*
 * trace_impl.h - the rings of the trace, for who writes and who reads them.
 */
#ifndef BASE_TRACE_IMPL_H
#define BASE_TRACE_IMPL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define TRACE_RINGS_MAX  1024u
/* So that those of the records in a ring are different. */
#define TRACE_SLOTS_MAX  (1u << 16)
#define TRACE_SLOT_WORDS 8u

/* Words of a slot.  The first is its stamp; of a record's first slot then: */
#define TRACE_WORD_TSC   1u
#define TRACE_WORD_META  2u
#define TRACE_WORD_ARG   3u
/* ... of those that follow: seven words of its bytes. */
#define TRACE_SLOT_BYTES ((TRACE_SLOT_WORDS - 1) * 8)

/*
 * The meta word, from its lowest bit: event, bytes, VP, device, sequence: how
 * many records its ring had before, modulo 2^16.
 */
#define TRACE_META_BYTES  8
#define TRACE_META_VP     16
#define TRACE_META_DEVICE 32
#define TRACE_META_SEQ    48

/* One more than the position; the lowest bit: not a record's first slot. */
static inline uint64_t trace_stamp(uint64_t position, bool follows)
{
	return (position + 1) << 1 | follows;
}

struct trace_ring {
	/* set once */
	uint64_t mask; /* slots less one */
	_Atomic uint64_t *words;
	/* its thread */
	_Atomic uint64_t records; /* ever begun; stored before @head is */
	_Atomic uint64_t head; /* slots ever written */
	/* under the table's lock */
	bool used; /* some thread's */
};

/** trace_rings() - all there are; they stay */
struct trace_ring *const *trace_rings(unsigned int *n);

/** trace_start_tsc() - when the trace began */
uint64_t trace_start_tsc(void);

/** trace_tsc_hz() - ticks a second, as measured since it began */
double trace_tsc_hz(void);

#endif
