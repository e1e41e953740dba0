/* SPDX-License-Identifier: MIT */
/*
 * disk.h - the commands that change the machine's disks; rows of the
 * table in commands.c.
 *
 * They refuse with "failed" and say why.
 */
#ifndef CONTROL_COMMANDS_DISK_H
#define CONTROL_COMMANDS_DISK_H

struct control_call;

void command_disk_add(void *ctx, struct control_call *call);
void command_disk_resize(void *ctx, struct control_call *call);
void command_disk_limits(void *ctx, struct control_call *call);
void command_dvd_insert(void *ctx, struct control_call *call);
void command_dvd_eject(void *ctx, struct control_call *call);

#endif
