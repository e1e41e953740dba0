/* SPDX-License-Identifier: MIT */
/*
 * report_file.h - a report that was written, and how to look things up in one.
 *
 * What is looked for and is not there, or is something else, is nothing: a
 * report of another version still says what it can.
 *
 * Thread: any, one for each report.
 */
#ifndef REPORT_REPORT_FILE_H
#define REPORT_REPORT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

struct json_object;

/* A file that is no report (exit 3). */
#define REPORT_ERROR (report_error_quark())
GQuark report_error_quark(void);

/**
 * report_load() - read the report in a file
 *
 * Return: owned, json_object_put() frees it; NULL with @error set.
 */
struct json_object *report_load(const char *path, GError **error);

/** report_get() - what is at "guest/name" of @o; borrowed, NULL */
struct json_object *report_get(const struct json_object *o, const char *path);

/** report_str() - its text; borrowed as long as @o; NULL */
const char *report_str(const struct json_object *o, const char *path);

/** report_num() - its number; 0 */
uint64_t report_num(const struct json_object *o, const char *path);

/** report_times() - "1 time", "2 times"; owned */
char *report_times(uint64_t n);

/** report_bool() - is it true? */
bool report_bool(const struct json_object *o, const char *path);

/** report_len() - how many a list at @path has; 0 */
size_t report_len(const struct json_object *o, const char *path);

/** report_nth() - one of the list at @path; borrowed, NULL */
struct json_object *report_nth(const struct json_object *o, const char *path,
			       size_t n);

#endif
