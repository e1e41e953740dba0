/* SPDX-License-Identifier: MIT */
/*
 * report_verb.h - `kvmbus report`: what can be done with reports that were
 * written.
 *
 * Thread: main.
 */
#ifndef REPORT_REPORT_VERB_H
#define REPORT_REPORT_VERB_H

#include <stdio.h>

/**
 * report_verb() - do what @args say: "show FILE", "diff A B" …
 * @args: what follows the verb, NULL-terminated
 *
 * Return: the exit code.
 */
int report_verb(char **args, FILE *out, FILE *err);

#endif
