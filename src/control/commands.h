/* SPDX-License-Identifier: MIT */
/*
 * commands.h - what can be asked of a running machine.
 *
 * Thread: main.
 */
#ifndef CONTROL_COMMANDS_H
#define CONTROL_COMMANDS_H

#include "control/control.h"

/* The table for control_new(), with a struct vm as its context. */
extern const struct control_command vm_commands[];

#endif
