/* SPDX-License-Identifier: MIT */
/*
 * decode.h - what a record says, in the words of the protocol.
 *
 * Names come from the tables that dispatch (MSRs, hypercalls, channel
 * messages, SCSI commands, OIDs) and from the constants of include/proto.
 *
 * A record's bytes may be a hostile guest's: decoders look at what is there,
 * and believe no length in it.
 *
 * Thread: any, each with its own struct fields.
 */
#ifndef TRACE_DECODE_H
#define TRACE_DECODE_H

#include <glib.h>

#include "base/trace_reader.h"
#include "trace/fields.h"

/**
 * trace_line() - a record as a line of text, or of JSON
 * @fields: says which, and is scratch
 * @out:    the line is added to it, with its newline
 */
void trace_line(const struct trace_record *record, struct fields *fields,
		GString *out);

/** decode_record() - fill @f with the record's title and fields */
void decode_record(const struct trace_record *record, struct fields *f);

/* Of one kind of event each; decode.c has the table. */
void decode_vmbus_message(const struct trace_record *r, struct fields *f);
void decode_storvsc_packet(const struct trace_record *r, struct fields *f);
void decode_storvsc_command(const struct trace_record *r, struct fields *f);
void decode_storvsc_done(const struct trace_record *r, struct fields *f);
void decode_netvsc_message(const struct trace_record *r, struct fields *f);
void decode_netvsc_rndis(const struct trace_record *r, struct fields *f);
void decode_ic_message(const struct trace_record *r, struct fields *f);
void decode_hvsock_connect(const struct trace_record *r, struct fields *f);

#endif
