/* SPDX-License-Identifier: MIT */
/*
 * event_file.h - events as lines of a file, as they happen.
 *
 * Thread: one.
 */
#ifndef REPORT_EVENT_FILE_H
#define REPORT_EVENT_FILE_H

#include <glib.h>

struct event_file;

/**
 * event_file_open() - @path is made, or emptied; "-": standard output
 *
 * Return: owned; NULL with @error (G_FILE_ERROR) set.
 */
struct event_file *event_file_open(const char *path, GError **error);
void event_file_close(struct event_file *file);

/**
 * event_file_write() - @line and its end, in one write
 *
 * When that fails it is said once, and nothing more is written.
 */
void event_file_write(struct event_file *file, const char *line);

#endif
