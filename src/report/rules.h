/* SPDX-License-Identifier: MIT */
/* rules.h - the rules of guest conduct, for people. */
#ifndef REPORT_RULES_H
#define REPORT_RULES_H

#include <stdio.h>

/** rules_print() - all rules of guest conduct; Return: 0, or -EIO */
int rules_print(FILE *out);

#endif
