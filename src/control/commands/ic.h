/* SPDX-License-Identifier: MIT */
/*
 * ic.h - the commands that ask an integration component of the guest;
 * rows of the table in commands.c.
 *
 * They are answered when the guest has answered, or with the code "timeout"
 * after CONTROL_GUEST_NS; "not-ready" where the guest has no such driver.
 */
#ifndef CONTROL_COMMANDS_IC_H
#define CONTROL_COMMANDS_IC_H

struct control_call;

/* How long a guest may take. */
#define CONTROL_GUEST_NS 30000000000ull

void command_shutdown(void *ctx, struct control_call *call);
void command_reboot(void *ctx, struct control_call *call);
void command_hibernate(void *ctx, struct control_call *call);
void command_time_sync(void *ctx, struct control_call *call);
void command_kvp_get(void *ctx, struct control_call *call);
void command_kvp_set(void *ctx, struct control_call *call);
void command_kvp_delete(void *ctx, struct control_call *call);
void command_kvp_list(void *ctx, struct control_call *call);
void command_kvp_ip(void *ctx, struct control_call *call);
void command_freeze_check(void *ctx, struct control_call *call);
void command_freeze(void *ctx, struct control_call *call);
void command_thaw(void *ctx, struct control_call *call);
void command_copy_file(void *ctx, struct control_call *call);

#endif
