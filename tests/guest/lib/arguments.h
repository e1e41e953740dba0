/* SPDX-License-Identifier: MIT */
/*
 * arguments.h - the command line: words, some of them NAME=VALUE.
 */
#ifndef LIB_ARGUMENTS_H
#define LIB_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

/** arguments_init() - @info is the multiboot information, or NULL */
void arguments_init(const void *info);

/** argument_given() - is there a word @name, or @name=…? */
bool argument_given(const char *name);

/** argument_number() - value of @name, decimal or 0x…; @without if not given */
uint64_t argument_number(const char *name, uint64_t without);

#endif
