/* SPDX-License-Identifier: MIT */
/*
 * block.h - disks in QEMU's words; rows of the table in commands.c.
 *
 * A disk is named by what device_add called it, by its node, or as we do:
 * "scsi0:3".
 */
#ifndef CONTROL_COMMANDS_BLOCK_H
#define CONTROL_COMMANDS_BLOCK_H

struct control_call;

void query_block(void *ctx, struct control_call *call);
void query_blockstats(void *ctx, struct control_call *call);
void query_named_block_nodes(void *ctx, struct control_call *call);
void command_block_resize(void *ctx, struct control_call *call);
void command_eject(void *ctx, struct control_call *call);
void command_change_medium(void *ctx, struct control_call *call);

#endif
