/* SPDX-License-Identifier: MIT */
/*
 * commands_device.h - the commands that act through a device on VMbus; rows of
 * the table in commands.c.
 *
 * They refuse with "absent" when the machine has no such device, "not-ready"
 * while the guest has no driver for it, "full" when too much waits for it.
 */
#ifndef CONTROL_COMMANDS_DEVICE_H
#define CONTROL_COMMANDS_DEVICE_H

struct control_call;

void command_type(void *vm, struct control_call *call);
void command_key(void *vm, struct control_call *call);
void command_mouse(void *vm, struct control_call *call);
void command_click(void *vm, struct control_call *call);
void command_scroll(void *vm, struct control_call *call);
void command_balloon(void *vm, struct control_call *call);
void command_rescind(void *vm, struct control_call *call);
void command_offer(void *vm, struct control_call *call);

#endif
