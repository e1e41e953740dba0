/* SPDX-License-Identifier: MIT */
/*
 * trace_events.h - categories and events of the trace: one row each, and what
 * the numbers of a record mean.
 *
 * How an event reads is the business of src/trace/decode.c, which has a row
 * for each of these.
 */
#ifndef BASE_TRACE_EVENTS_H
#define BASE_TRACE_EVENTS_H

#include <stdint.h>

/* X(enumerator, name on the command line) */
#define TRACE_CATEGORIES(X)           \
	X(TRACE_VMBUS, vmbus)         \
	X(TRACE_HYPERCALL, hypercall) \
	X(TRACE_MSR, msr)             \
	X(TRACE_SYNIC, synic)         \
	X(TRACE_STIMER, stimer)       \
	X(TRACE_RING, ring)           \
	X(TRACE_STORVSC, storvsc)     \
	X(TRACE_SCSI, scsi)           \
	X(TRACE_NETVSC, netvsc)       \
	X(TRACE_FRAMES, frames)       \
	X(TRACE_IC, ic)               \
	X(TRACE_HVSOCK, hvsock)       \
	X(TRACE_CONTROL, control)     \
	X(TRACE_FAULT, fault)

/*
 * X(event, category).  Behind each what the numbers are; "bytes": a message
 * belongs to it, the first number is which way it went.
 */
#define TRACE_EVENTS(X)                                                      \
	X(msr_read, TRACE_MSR) /* MSR, value, -errno */                      \
	X(msr_write, TRACE_MSR) /* MSR, value, -errno */                     \
	X(hypercall,                                                         \
	  TRACE_HYPERCALL) /* control, result, two parameters, -1: #UD */    \
	X(message_queue, TRACE_SYNIC) /* SINT, type, -errno */               \
	X(message_deliver, TRACE_SYNIC) /* SINT, type, more wait */          \
	X(event_flag, TRACE_SYNIC) /* SINT, flag, what became of it */       \
	X(stimer_set, TRACE_STIMER) /* timer, config, count, now */          \
	X(stimer_fire,                                                       \
	  TRACE_STIMER) /* timer, due, now, direct, vector or SINT */        \
	X(vmbus_message, TRACE_VMBUS) /* bytes: way; bytes in all */         \
	X(vmbus_refused, TRACE_VMBUS) /* type, -errno */                     \
	X(channel_open, TRACE_VMBUS) /* ring bytes in and out, VP, -errno */ \
	X(channel_close, TRACE_VMBUS) /* packets in and out */               \
	X(channel_fail, TRACE_VMBUS) /* bytes: the reason */                 \
	X(ring_signal_in, TRACE_RING) /* connection */                       \
	X(ring_signal_out, TRACE_RING) /* VP, what became of it */           \
	X(ring_batch, TRACE_RING) /* packets taken, bytes left, stalled */   \
	X(ring_full, TRACE_RING) /* bytes that had no room */                \
	X(storvsc_packet, TRACE_STORVSC) /* bytes: way; transaction */       \
	X(storvsc_command,                                                   \
	  TRACE_SCSI) /* transaction, CDB, CDB, unit, bytes */               \
	X(storvsc_done, TRACE_SCSI) /* transaction, CDB, status, bytes */    \
	X(storvsc_failed,                                                    \
	  TRACE_STORVSC) /* transaction, CDB, status, bytes, sense */        \
	X(storvsc_slow,                                                      \
	  TRACE_STORVSC) /* transaction, CDB, status, bytes, milliseconds */ \
	X(netvsc_message, TRACE_NETVSC) /* bytes: way; transaction */        \
	X(netvsc_rndis, TRACE_NETVSC) /* bytes: way; bytes in all */         \
	X(frame_tx, TRACE_FRAMES) /* bytes, offloads */                      \
	X(frame_rx, TRACE_FRAMES) /* bytes, sections */                      \
	X(ic_message, TRACE_IC) /* bytes: way; bytes in all */               \
	X(hvsock_connect,                                                    \
	  TRACE_HVSOCK) /* bytes: way and both GUIDs; -errno */              \
	X(control_command, TRACE_CONTROL) /* bytes: its name */              \
	X(machine, TRACE_CONTROL) /* enum trace_machine, value */            \
	X(milestone, TRACE_CONTROL) /* which */                              \
	X(finding, TRACE_CONTROL) /* bytes: where; its rule */               \
	X(fault,                                                             \
	  TRACE_FAULT) /* rule, its nth, point << 16 | action, op, value */

#define TRACE_ENUM_(id, text) id,
enum trace_category {
	TRACE_CATEGORIES(TRACE_ENUM_) N_TRACE_CATEGORIES
};
#undef TRACE_ENUM_

#define TRACE_ENUM_(event, category) TRACE_EVENT_##event,
enum trace_event {
	TRACE_EVENTS(TRACE_ENUM_) N_TRACE_EVENTS
};
#undef TRACE_ENUM_

#define TRACE_ENUM_(event, category) TRACE_CATEGORY_OF_##event = (category),
enum {
	TRACE_EVENTS(TRACE_ENUM_)
};
#undef TRACE_ENUM_

/* What happened to the whole machine. */
enum trace_machine {
	TRACE_MACHINE_RUNS,
	TRACE_MACHINE_PAUSES,
	TRACE_MACHINE_RESETS,
	TRACE_MACHINE_ENDS,
};

/** trace_category_name() - "vmbus" …; borrowed for ever */
const char *trace_category_name(enum trace_category category);

/** trace_event_name() - "msr_write" …; borrowed for ever */
const char *trace_event_name(enum trace_event event);

enum trace_category trace_event_category(enum trace_event event);

/**
 * trace_parse_categories() - "vmbus,storvsc", or "all"
 *
 * "storvsc" is TRACE_SCSI, too.
 *
 * Return: 0 with @mask set, or -EINVAL.
 */
int trace_parse_categories(const char *list, uint32_t *mask);

#endif
