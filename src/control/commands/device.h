/* SPDX-License-Identifier: MIT */
/*
 * device.h - the commands that act through a device on VMbus; rows of
 * the table in commands.c.
 *
 * They refuse with "absent" when the machine has no such device, "not-ready"
 * while the guest has no driver for it, "full" when too much waits for it.
 */
#ifndef CONTROL_COMMANDS_DEVICE_H
#define CONTROL_COMMANDS_DEVICE_H

struct control_call;
struct vsp_ops;

/**
 * command_device() - the device on VMbus that a command is for
 * @name: for who asked
 *
 * Return: borrowed until the machine ends; NULL: there is none, and @call is
 * answered.
 */
void *command_device(void *ctx, struct control_call *call,
		     const struct vsp_ops *ops, const char *name);

void command_type(void *ctx, struct control_call *call);
void command_key(void *ctx, struct control_call *call);
void command_mouse(void *ctx, struct control_call *call);
void command_click(void *ctx, struct control_call *call);
void command_scroll(void *ctx, struct control_call *call);
void command_balloon(void *ctx, struct control_call *call);
void command_memory_add(void *ctx, struct control_call *call);
void command_rescind(void *ctx, struct control_call *call);
void command_offer(void *ctx, struct control_call *call);

/* QEMU's */
void command_qemu_balloon(void *ctx, struct control_call *call);
void query_balloon(void *ctx, struct control_call *call);
void command_send_key(void *ctx, struct control_call *call);

#endif
