/* SPDX-License-Identifier: MIT */
/*
 * trace_file.h - --trace-file: a thread that writes what is recorded, a few
 * times a second.
 *
 * Thread: start and stop from one; it has a thread of its own, `trace`.
 */
#ifndef TRACE_TRACE_FILE_H
#define TRACE_TRACE_FILE_H

#include <glib.h>

#include "trace/fields.h"

struct trace_file;

/**
 * trace_file_start() - write records of the categories in @mask from now on
 * @path: "-" for standard error
 *
 * The flight recorder goes on beside it, in rings that are larger.
 *
 * Thread: before other threads start.
 * Return: owned; NULL with @error (G_FILE_ERROR).
 */
struct trace_file *trace_file_start(const char *path, uint32_t mask,
				    enum trace_format format, GError **error);

/**
 * trace_file_stop() - write the rest, say what was lost, free it
 *
 * Return: how many records were lost.
 */
uint64_t trace_file_stop(struct trace_file *file);

#endif
