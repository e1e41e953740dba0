/* SPDX-License-Identifier: MIT */
/*
 * commands.h - what can be asked of a running machine.
 *
 * Thread: main.
 */
#ifndef CONTROL_COMMANDS_H
#define CONTROL_COMMANDS_H

#include "control/control.h"

struct commands;
struct plugs;
struct vm;

/* The table for control_new(); its context is a struct commands. */
extern const struct control_command vm_commands[];

/** commands_new() - @vm is borrowed; free after it, as it may call back */
struct commands *commands_new(struct vm *vm);
void commands_free(struct commands *commands);

/** commands_vm() - of a command's context */
struct vm *commands_vm(void *ctx);

/** commands_plugs() - likewise: what came by QEMU's words */
struct plugs *commands_plugs(void *ctx);

#endif
