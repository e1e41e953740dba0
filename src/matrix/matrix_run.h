/* SPDX-License-Identifier: MIT */
/*
 * matrix_run.h - start the runs of a plan, so many at a time, and gather what
 * came of them.
 *
 * Thread: main; runs its own main loop.
 */
#ifndef MATRIX_MATRIX_RUN_H
#define MATRIX_MATRIX_RUN_H

#include <stdio.h>

#include <glib.h>

struct matrix;

/* A run that did not go well. */
#define EXIT_MATRIX_FAILED 1

/**
 * matrix_run() - all of them; a line on @out for each, then the table
 *
 * Return: the exit code; @error set if it is of ours.
 */
int matrix_run(struct matrix *matrix, FILE *out, GError **error);

#endif
