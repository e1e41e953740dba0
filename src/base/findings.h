/* SPDX-License-Identifier: MIT */
/*
 * findings.h - guest conduct against the rules: what was seen, where, how
 * often.
 *
 * A rule is a row in findings.c: what a guest must not do, how bad it is, and
 * who says so.  Whoever notices calls findings_hit() and goes on; what the
 * guest gets is decided there and not here.
 *
 * A guest that behaves has no findings, whatever host it runs on and however
 * slow that is: a rule about time has a margin that no delay of the host's
 * uses up, and a rule about order leaves room for what was on its way.
 *
 * A hit is counted under its rule and its place (a device, a register, a
 * call).  Places are bounded, and only the first hit of each is described, so
 * that a guest that does nothing else costs a lock and an addition.
 *
 * One process is one machine: the state is the process's, like the log's.
 *
 * Thread: any.  The lock is a leaf.
 */
#ifndef BASE_FINDINGS_H
#define BASE_FINDINGS_H

#include <stdint.h>

#include "base/trace_events.h"

enum finding {
	/* synthetic MSRs and time */
	FINDING_MSR_UNKNOWN,
	FINDING_MSR_NOT_OFFERED,
	FINDING_MSR_ACCESS,
	FINDING_MSR_VALUE,
	FINDING_MSR_RESERVED,
	FINDING_HYPERCALL_NO_OS_ID,
	FINDING_OVERLAY_LEFT,
	FINDING_TSC_WRITTEN,
	/* SynIC and timers */
	FINDING_SINT_AUTO_EOI,
	FINDING_MESSAGE_NOT_TAKEN,
	FINDING_STIMER_PAST,
	FINDING_STIMER_NO_TARGET,
	/* hypercalls */
	FINDING_HYPERCALL_UNKNOWN,
	FINDING_HYPERCALL_RIGHTS,
	FINDING_HYPERCALL_INPUT,
	FINDING_HYPERCALL_MEMORY,
	FINDING_HYPERCALL_PARAMETER,
	FINDING_HYPERCALL_MODE,
	FINDING_POST_CONNECTION,
	/* VMbus: messages */
	FINDING_MESSAGE_SIZE,
	FINDING_MESSAGE_UNKNOWN,
	FINDING_MESSAGE_VERSION,
	FINDING_MESSAGE_HOSTS,
	FINDING_MESSAGE_PAUSED,
	FINDING_CONTACT_AGAIN,
	FINDING_CONTACT_TARGET,
	FINDING_OFFERS_AGAIN,
	/* VMbus: channels and GPADLs */
	FINDING_CHANNEL_UNKNOWN,
	FINDING_CHANNEL_AGAIN,
	FINDING_CHANNEL_NOT_OPEN,
	FINDING_CHANNEL_PARAMETER,
	FINDING_RELID_IN_USE,
	FINDING_GPADL_UNKNOWN,
	FINDING_GPADL_AGAIN,
	FINDING_GPADL_INVALID,
	FINDING_GPADL_EXPIRED,
	FINDING_GPADL_IN_USE,
	FINDING_GPADL_LEFT,
	/* rings */
	FINDING_RING_INDEX,
	FINDING_RING_MOVED,
	FINDING_PACKET_INVALID,
	FINDING_SIGNAL_NEEDLESS,
	FINDING_SIGNAL_LOST,
	FINDING_INTERRUPT_LOST,
	FINDING_COMPLETION_UNKNOWN,
	/* devices */
	FINDING_STORAGE_ORDER,
	FINDING_STORAGE_PACKET,
	FINDING_STORAGE_COMMAND,
	FINDING_STORAGE_REMOVED,
	FINDING_NETWORK_ORDER,
	FINDING_NETWORK_BUFFER,
	FINDING_RNDIS_LENGTH,
	FINDING_RNDIS_ORDER,
	FINDING_COMPONENT_ANSWER,
	N_FINDINGS,
};

enum finding_severity {
	FINDING_INFO, /* wasteful, or a host might take it amiss */
	FINDING_WARNING, /* works here; breaks on another host or day */
	FINDING_ERROR, /* the guest does not get what it wants */
};

struct finding_rule {
	const char *id; /* one stays once it is published */
	const char *text; /* what was seen */
	enum finding_severity severity;
	enum trace_category category;
	const char *source; /* who says that it is wrong */
};

/** findings_rule() - borrowed for ever */
const struct finding_rule *findings_rule(enum finding rule);

/** finding_severity_name() - "info" … */
const char *finding_severity_name(enum finding_severity severity);

/**
 * findings_hit() - the guest has broken a rule, once more
 * @where:  a device, a register, a call: few in number, whatever guests do
 * @format: what exactly; looked at for the first of a place
 */
void findings_hit(enum finding rule, const char *where, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** findings_add() - @n more at once */
void findings_add(enum finding rule, uint64_t n, const char *where,
		  const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/** findings_count() - hits of a rule, at all places */
uint64_t findings_count(enum finding rule);

/** findings_total() - hits of all rules */
uint64_t findings_total(void);

struct finding_seen {
	enum finding rule;
	const char *where; /* "(others)": there were too many */
	const char *detail; /* of the first */
	uint64_t count;
	uint64_t first_ns; /* CLOCK_MONOTONIC */
};

/**
 * findings_list() - all that was seen, by rule, then in the order it came
 *
 * Return: owned, but what its members point to is there until
 * findings_reset(); @n entries.
 */
struct finding_seen *findings_list(unsigned int *n);

/** findings_reset() - nothing was seen; for tests */
void findings_reset(void);

#endif
