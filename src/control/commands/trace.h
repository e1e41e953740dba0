/* SPDX-License-Identifier: MIT */
/* trace.h - commands about what is recorded; rows in commands.c. */
#ifndef CONTROL_COMMANDS_TRACE_H
#define CONTROL_COMMANDS_TRACE_H

struct control_call;

void command_trace_dump(void *ctx, struct control_call *call);

#endif
