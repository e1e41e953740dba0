/* SPDX-License-Identifier: MIT */
/*
 * trace.h - what happens, as fixed-size records in memory, for the flight
 * recorder, --trace and debuggers.
 *
 * Theory of operation.  Each thread has a ring of slots that it alone writes.
 * A record is a slot: time stamp, event, VP, device and five numbers; bytes
 * that belong to it (a channel message) are in the slots that follow.  Nothing
 * is allocated, locked, formatted or asked of the kernel when one is written,
 * but for the ring itself when a thread writes its first.  The oldest are
 * overwritten, so a ring is also what its thread did last: a busy thread does
 * not push out what a quiet one has seen.
 *
 * Readers (trace_reader.h) come at any time and stop nobody.  The first word
 * of a slot is its stamp: which turn of the ring it is of, 0 while it is
 * written.  A reader takes it before and after it copies the rest; all words
 * are stored with release and loaded with acquire, so that who copied a word
 * of the next turn also sees the stamp that was taken away before that.
 *
 * One process is one machine: the state is the process's, like the log's.
 *
 * A category that is off costs one load and a branch.  What happens for each
 * command, frame or signal is in categories that are off until they are asked
 * for; what of that went wrong is not.  The same macros are the static probes
 * ("kvmbus", the event's name) where sys/sdt.h was there at build time; those
 * fire whatever is on.
 *
 * Thread: any.
 */
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/trace_events.h"

#ifdef HAVE_SYS_SDT
#include <sys/sdt.h>
#endif

/* Numbers that a record has; bytes that may belong to it. */
#define TRACE_ARGS      5
#define TRACE_BYTES_MAX 255u

#define TRACE_NO_VP     0xFFFFu
#define TRACE_NO_DEVICE 0u

/* Which way a message went. */
#define TRACE_FROM_GUEST 0u
#define TRACE_TO_GUEST   1u

/* Bit per enum trace_category. */
extern _Atomic uint32_t trace_mask;

/* Categories that are on from the start: the flight recorder. */
#define TRACE_DEFAULT_MASK                                              \
	(1u << TRACE_VMBUS | 1u << TRACE_HYPERCALL | 1u << TRACE_MSR |  \
	 1u << TRACE_SYNIC | 1u << TRACE_STIMER | 1u << TRACE_STORVSC | \
	 1u << TRACE_NETVSC | 1u << TRACE_IC | 1u << TRACE_HVSOCK |     \
	 1u << TRACE_CONTROL | 1u << TRACE_FAULT)

static inline bool trace_wants_(unsigned int category)
{
	return atomic_load_explicit(&trace_mask, memory_order_relaxed) >>
		       category &
	       1;
}

/**
 * trace_set_mask() - which categories are recorded from now on
 *
 * Bits for which there is no category are ignored.
 */
void trace_set_mask(uint32_t mask);

/**
 * trace_set_slots() - size of the rings that are made from now on
 * @slots: a power of two; a record takes one, and one more for each 56 bytes
 *
 * Thread: before other threads start.
 */
void trace_set_slots(uint32_t slots);

/**
 * trace_device() - a number for the name of a device
 *
 * The same name always has the same number.  When there are very many names
 * the rest have none (TRACE_NO_DEVICE).
 */
uint16_t trace_device(const char *name);

/** trace_device_name() - borrowed for ever; NULL: none */
const char *trace_device_name(uint16_t device);

/* Rather the macros below. */
void trace_put(enum trace_event event, uint32_t vp, uint16_t device,
	       uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4);
void trace_put_bytes(enum trace_event event, uint32_t vp, uint16_t device,
		     const void *data, uint32_t bytes, uint64_t a0,
		     uint64_t a1);

#ifdef HAVE_SYS_SDT
#define TRACE_PROBE_(name, vp, device, a0, a1, a2, a3, a4, ...)       \
	STAP_PROBE7(kvmbus, name, (uint32_t)(vp), (uint32_t)(device), \
		    (uint64_t)(a0), (uint64_t)(a1), (uint64_t)(a2),   \
		    (uint64_t)(a3), (uint64_t)(a4))
#define TRACE_PROBE_BYTES_(name, vp, device, data, bytes, a0, a1)            \
	STAP_PROBE6(kvmbus, name, (uint32_t)(vp), (uint32_t)(device),        \
		    (const void *)(data), (uint32_t)(bytes), (uint64_t)(a0), \
		    (uint64_t)(a1))
#else
#define TRACE_PROBE_(...) \
	do {              \
	} while (0)
#define TRACE_PROBE_BYTES_(...) TRACE_PROBE_()
#endif

#define TRACE_PAD_(event, vp, device, a0, a1, a2, a3, a4, ...)       \
	trace_put(event, vp, device, (uint64_t)(a0), (uint64_t)(a1), \
		  (uint64_t)(a2), (uint64_t)(a3), (uint64_t)(a4))

/**
 * trace_event() - record an event of trace_events.h
 * @name:   of the event, without a prefix
 * @vp:     whose doing it is, or TRACE_NO_VP
 * @device: trace_device(), or TRACE_NO_DEVICE
 * @...:    one to five numbers; what they mean says trace_events.h
 */
#define trace_event(name, vp, device, ...)                                  \
	do {                                                                \
		TRACE_PROBE_(name, vp, device, __VA_ARGS__, 0, 0, 0, 0, 0); \
		if (trace_wants_(TRACE_CATEGORY_OF_##name))                 \
			TRACE_PAD_(TRACE_EVENT_##name, vp, device,          \
				   __VA_ARGS__, 0, 0, 0, 0, 0);             \
	} while (0)

/**
 * trace_bytes() - record an event with bytes
 * @data, @bytes: copied; what is beyond TRACE_BYTES_MAX is left out
 * @a0, @a1:      numbers
 */
#define trace_bytes(name, vp, device, data, bytes, a0, a1)                    \
	do {                                                                  \
		TRACE_PROBE_BYTES_(name, vp, device, data, bytes, a0, a1);    \
		if (trace_wants_(TRACE_CATEGORY_OF_##name))                   \
			trace_put_bytes(TRACE_EVENT_##name, vp, device, data, \
					bytes, (uint64_t)(a0),                \
					(uint64_t)(a1));                      \
	} while (0)

#endif
