/* SPDX-License-Identifier: MIT */
/*
 * machine.h - the commands for the machine as a whole; rows of the
 * table in commands.c.
 */
#ifndef CONTROL_COMMANDS_MACHINE_H
#define CONTROL_COMMANDS_MACHINE_H

struct control_call;

/* ours */
void command_status(void *ctx, struct control_call *call);
void command_inspect(void *ctx, struct control_call *call);
void command_power_button(void *ctx, struct control_call *call);
void command_dump(void *ctx, struct control_call *call);

/* QEMU's */
void command_stop(void *ctx, struct control_call *call);
void command_cont(void *ctx, struct control_call *call);
void command_system_reset(void *ctx, struct control_call *call);
void command_system_powerdown(void *ctx, struct control_call *call);
void command_inject_nmi(void *ctx, struct control_call *call);
void command_quit(void *ctx, struct control_call *call);
void command_dump_guest_memory(void *ctx, struct control_call *call);
void command_monitor(void *ctx, struct control_call *call);
void query_status(void *ctx, struct control_call *call);
void query_version(void *ctx, struct control_call *call);
void query_name(void *ctx, struct control_call *call);
void query_uuid(void *ctx, struct control_call *call);
void query_kvm(void *ctx, struct control_call *call);
void query_target(void *ctx, struct control_call *call);
void query_cpus_fast(void *ctx, struct control_call *call);
void query_memory_size_summary(void *ctx, struct control_call *call);

#endif
