/* SPDX-License-Identifier: MIT */
/*
 * matrix.h - `kvmbus matrix`: the product of kernels, profiles, processors and
 * scenarios, each a `kvmbus run` of its own.
 *
 * The plan is plain data, from which the runs are started here, as child
 * processes, so many at a time, or written as jobs for others: matrix_jobs.h.
 *
 * Thread: main.
 */
#ifndef MATRIX_MATRIX_H
#define MATRIX_MATRIX_H

#include <stdio.h>

#include <glib.h>

/* One run. */
struct matrix_cell {
	char *name; /* of files, too */
	const char *kernel, *profile, *scenario; /* borrowed of the plan */
	unsigned int vcpus;
	GStrv argv; /* of run, without its report; [0] is "run" */
	char *report, *log; /* files */
	/* what came of it */
	gboolean ran;
	int exit_code;
	double seconds;
};

struct matrix {
	GStrv kernels, profiles, command;
	GArray *vcpus; /* unsigned int */
	GStrv scenarios; /* NAME or NAME=OPTIONS; empty: one without a name */
	unsigned int jobs, timeout_s;
	char *folder; /* of reports and logs */
	char *junit, *json, *make, *gitlab, *github; /* files; NULL */
	GPtrArray *cells; /* struct matrix_cell */
};

/**
 * matrix_parse() - a plan of what follows the verb
 * @args:     NULL-terminated
 * @profiles: all that there are, oldest first, NULL-terminated
 * @why:      what is wrong; owned by the caller
 *
 * Return: owned; NULL with @why set.
 */
struct matrix *matrix_parse(char **args, const char *const *profiles,
			    char **why);
void matrix_free(struct matrix *matrix);

/** matrix_verb() - do it; Return: the exit code */
int matrix_verb(char **args, const char *const *profiles, FILE *out, FILE *err);

/** matrix_print() - the table of what came of it */
void matrix_print(const struct matrix *matrix, FILE *out);

#endif
