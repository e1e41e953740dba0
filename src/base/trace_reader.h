/* SPDX-License-Identifier: MIT */
/*
 * trace_reader.h - records out of the rings, in the order of their times.
 *
 * Any number of readers, each on one thread at a time; none of them stops or
 * slows who writes.
 */
#ifndef BASE_TRACE_READER_H
#define BASE_TRACE_READER_H

#include <stdint.h>

#include <glib.h>

#include "base/trace.h"

struct trace_record {
	uint64_t tsc;
	enum trace_event event;
	uint16_t vp; /* or TRACE_NO_VP */
	uint16_t device;
	uint64_t args[TRACE_ARGS];
	uint32_t bytes;
	uint8_t data[TRACE_BYTES_MAX + 1]; /* a zero behind the last */
};

struct trace_reader;

/**
 * trace_reader_new() - at records that are there already
 * @slots: how far back in each ring, at most
 *
 * Return: owned; never NULL.
 */
struct trace_reader *trace_reader_new(uint64_t slots);
void trace_reader_free(struct trace_reader *reader);

/**
 * trace_reader_collect() - what has come since the last call
 * @records: struct trace_record are added to it, in the order of their times
 *
 * A record that is being written right now may come with the next call.
 */
void trace_reader_collect(struct trace_reader *reader, GArray *records);

/** trace_reader_lost() - records that were overwritten before they were read */
uint64_t trace_reader_lost(const struct trace_reader *reader);

/** trace_seconds() - from the start of the trace to @tsc; may take 20 ms once */
double trace_seconds(uint64_t tsc);

#endif
