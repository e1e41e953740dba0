/* SPDX-License-Identifier: MIT */
/* fault.h - what `kvmbus ctl` has the host do wrong. */
#ifndef CONTROL_COMMANDS_FAULT_H
#define CONTROL_COMMANDS_FAULT_H

struct control_call;

/* Rows of the table in commands.c. */
void command_fault_add(void *ctx, struct control_call *call);
void command_fault_list(void *ctx, struct control_call *call);
void command_fault_clear(void *ctx, struct control_call *call);

#endif
