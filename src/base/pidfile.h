/* SPDX-License-Identifier: MIT */
/*
 * pidfile.h - a file that says which process this is, for as long as it runs.
 *
 * Thread: any, one at a time.
 */
#ifndef BASE_PIDFILE_H
#define BASE_PIDFILE_H

#include <glib.h>

struct pidfile;

/**
 * pidfile_new() - write our number into @path, and lock it
 *
 * One that a process left behind is taken; one that a process has locked is
 * not.  Return: owned; NULL with @error (G_FILE_ERROR) set.
 */
struct pidfile *pidfile_new(const char *path, GError **error);

/** pidfile_free() - and the file is gone */
void pidfile_free(struct pidfile *file);

#endif
