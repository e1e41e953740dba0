/* SPDX-License-Identifier: MIT */
/*
 * matrix_jobs.h - a plan's runs as jobs for others: a make file, a GitLab and
 * a GitHub matrix.
 *
 * Thread: any.
 */
#ifndef MATRIX_MATRIX_JOBS_H
#define MATRIX_MATRIX_JOBS_H

#include <glib.h>

struct matrix;

/** matrix_write_jobs() - the files that the plan wants; 0, or -1 with @error */
int matrix_write_jobs(const struct matrix *matrix, GError **error);

/** matrix_make() - a make file: a target for each report; owned */
char *matrix_make(const struct matrix *matrix);

/** matrix_gitlab() - a job with a matrix of them; owned */
char *matrix_gitlab(const struct matrix *matrix);

/** matrix_github() - a workflow with a matrix of them; owned */
char *matrix_github(const struct matrix *matrix);

#endif
