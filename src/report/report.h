/* SPDX-License-Identifier: MIT */
/*
 * report.h - what the guest did, as JSON; configs/report.schema.json says
 * what is in it.
 *
 * Thread: one, after the vCPUs have stopped.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <glib.h>

#include "base/coverage.h"
#include "base/guid.h"
#include "report/milestone.h"

struct json_object;

/* How a run ended; the exit code of each is DESIGN's and the manual's. */
enum outcome_kind {
	OUTCOME_POWEROFF,
	OUTCOME_COMMAND, /* powered off, and the command has said its status */
	OUTCOME_REQUIREMENT, /* powered off, but a --require was not met */
	OUTCOME_RESET,
	OUTCOME_TRIPLE_FAULT,
	OUTCOME_PANIC,
	OUTCOME_TIMEOUT,
	OUTCOME_TEST_EXIT, /* the guest wrote the test exit port */
	OUTCOME_QUIT, /* the user ended it */
	OUTCOME_SIGNAL,
	OUTCOME_FAILED,
	N_OUTCOMES,
};

#define EXIT_REQUIREMENT  1
#define EXIT_USAGE        2
#define EXIT_CONFIG       3
#define EXIT_HOST         4
#define EXIT_RESET        32
#define EXIT_TRIPLE_FAULT 33
#define EXIT_PANIC        34
#define EXIT_TIMEOUT      124
#define EXIT_FAILED       125
/* of a guest that was to run a command: it did not come to its end */
#define EXIT_GUEST_DIED   255
#define EXIT_SIGNAL_BASE  128

/* A command that the guest was to run. */
struct report_command {
	const char *const *argv; /* borrowed */
	const char *way; /* how its streams went; NULL: never started */
	bool exited;
	int status, signal;
	uint64_t stdin_bytes, stdout_bytes, stderr_bytes;
};

struct outcome {
	enum outcome_kind kind;
	int exit_code;
	/* OUTCOME_PANIC, or a crash that was reported on the way */
	bool crashed;
	uint64_t crash[5];
	char *crash_message; /* owned; NULL: none */
	char *detail; /* owned; NULL: none.  What a person reads */
	const struct report_command *command; /* borrowed; NULL: none */
};

/* A count with a name, for `exits`. */
struct report_count {
	const char *name;
	uint64_t count;
};

/* The connection, if there was one, and what was said on it. */
struct report_vmbus {
	/* of the last connection; version 0: there was none */
	uint32_t version; /* major << 16 | minor */
	uint32_t features;
	uint32_t message_vp;
	uint32_t max_version; /* the profile's */
	bool connected; /* still, at the end */
	const struct coverage_set *messages;
	uint64_t contacts; /* versions agreed on */
	uint64_t ignored; /* messages against the protocol */
	uint64_t dropped; /* messages to the guest that it did not take */
	unsigned int waiting_peak; /* most messages that waited for the guest */
	unsigned int n_offers;
	unsigned int n_relids; /* at the end, as the next three */
	unsigned int n_gpadls;
	uint64_t gpadl_bytes;
	uint64_t gpadl_bytes_max;
	uint64_t gpadls_expired; /* never finished */
};

/* Something that is worth a member, by name. */
struct report_fact {
	const char *key;
	const char *text; /* NULL: a number */
	uint64_t number;
};

/* A row of a device's table. */
struct report_use {
	unsigned int table;
	const char *name;
	uint64_t number, used, refused;
};

/* A row of what there is, for `coverage`. */
struct report_row {
	const char *name; /* NULL: it has none */
	uint64_t number;
	int bit; /* of it; -1: all */
	bool implemented, offered;
	bool counted; /* else nobody knows whether it was used */
	uint64_t used, refused;
	const char *note; /* NULL: none */
};

struct report_part {
	const char *key; /* "msrs" … */
	const struct report_row *rows;
	unsigned int n_rows;
};

/* A device on VMbus. */
struct report_device {
	const char *name;
	char instance[GUID_TEXT_SIZE];
	const struct report_fact *facts; /* its own */
	unsigned int n_facts;
	const struct report_fact *channel; /* none: it has no one channel */
	unsigned int n_channel;
	const struct report_use *uses; /* rows of its tables */
	unsigned int n_uses;
};

/* A fault rule (base/fault.h). */
struct report_fault {
	const char *rule; /* as it was given */
	uint64_t seen; /* times that it matched */
	uint64_t hit; /* ... and that it had something go wrong */
};

/* Everything that goes in; all borrowed. */
struct report {
	const struct outcome *outcome; /* NULL: it runs yet */
	const struct milestones *milestones;
	const char *const *required; /* names of them; NULL: none */
	const char *kvm_kind;
	const char *accel;
	const char *profile;
	const char *boot_protocol;
	uint64_t guest_os_id;
	unsigned int n_vcpus;
	uint64_t memory_bytes;
	uint64_t overhead_bytes; /* resident, without guest RAM */
	uint64_t start_to_run_us;
	uint64_t resets;
	const struct coverage_set *msrs;
	const struct coverage_set *hypercalls;
	const struct report_vmbus *vmbus; /* NULL: no bus */
	const struct report_device *devices;
	unsigned int n_devices;
	const struct report_fault *faults;
	unsigned int n_faults;
	uint64_t fault_seed;
	const struct report_count *exits;
	unsigned int n_exits;
	const struct report_part *parts; /* of the coverage */
	unsigned int n_parts;
	const char *console_tail; /* NULL: none */
};

/** outcome_name() - "poweroff", "panic" … */
const char *outcome_name(enum outcome_kind kind);

/** outcome_clear() - free what it owns */
void outcome_clear(struct outcome *outcome);

/**
 * report_write() - write @report to @path, "-" for standard output
 *
 * A file is complete or not there: it is written beside and renamed.
 * Return: 0, or -1 with @error set.
 */
int report_write(const struct report *report, const char *path, GError **error);

/** report_make() - the same, parsed; owned, json_object_put() frees it */
struct json_object *report_make(const struct report *report);

/** report_text() - what report_write() writes; owned */
char *report_text(const struct report *report);

/** report_guest_name() - "Linux 6.1.0" from a GUEST_OS_ID; owned */
char *report_guest_name(uint64_t guest_os_id);

#endif
