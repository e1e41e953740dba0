/* SPDX-License-Identifier: MIT */
/*
 * event.h - something that happened to the machine, in the form that QMP has
 * for it, for clients of the control socket and for --events:
 *
 *	{"event": "STOP", "data": {}, "timestamp": {"seconds": 1, …}}
 *
 * Where QEMU has an event, the name and the members are its; others begin with
 * KVMBUS_.  Both are part of what users rely on: they stay once published.
 *
 * Thread: any, one at a time.
 */
#ifndef REPORT_EVENT_H
#define REPORT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

enum event_kind {
	EVENT_SHUTDOWN,
	EVENT_POWERDOWN,
	EVENT_RESET,
	EVENT_STOP,
	EVENT_RESUME,
	EVENT_GUEST_PANICKED,
	EVENT_BLOCK_IO_ERROR,
	EVENT_DEVICE_DELETED,
	EVENT_DEVICE_TRAY_MOVED,
	EVENT_BALLOON_CHANGE,
	EVENT_MEMORY_DEVICE_SIZE_CHANGE,
	EVENT_NIC_RX_FILTER_CHANGED,
	EVENT_DUMP_COMPLETED,
	EVENT_KVMBUS_MILESTONE,
	EVENT_KVMBUS_DISK_STOPPED,
	EVENT_KVMBUS_EVENTS_LOST,
	EVENT_KVMBUS_OUTCOME,
	N_EVENTS,
};

enum event_type {
	EVENT_TEXT,
	EVENT_NUMBER,
	EVENT_BOOL,
	EVENT_OBJECT,
};

#define EVENT_MEMBERS_MAX 6

/* What an event says, for those that describe it. */
struct event_row {
	const char *name;
	struct {
		const char *name; /* NULL ends the list */
		enum event_type type;
	} members[EVENT_MEMBERS_MAX + 1];
};

extern const struct event_row event_rows[N_EVENTS];

struct event;

/** event_new() - it happens now; owned */
struct event *event_new(enum event_kind kind);
void event_free(struct event *event);

/* @text may come from the guest: what is no UTF-8 is replaced. */
void event_add_text(struct event *event, const char *key, const char *text);
void event_add_number(struct event *event, const char *key, uint64_t n);
void event_add_bool(struct event *event, const char *key, bool value);

/** event_begin() - what is added from now on goes into a member */
void event_begin(struct event *event, const char *key);

/** event_line() - JSON on one line, without its end; owned */
char *event_line(const struct event *event);

#endif
