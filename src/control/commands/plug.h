/* SPDX-License-Identifier: MIT */
/*
 * plug.h - devices that come and go, in QEMU's words; rows of the
 * table in commands.c.
 *
 * blockdev-add and netdev_add only remember what was said: an image is opened,
 * and a tap made, when device_add gives it to a device, which says then what is
 * wrong with it.
 */
#ifndef CONTROL_COMMANDS_PLUG_H
#define CONTROL_COMMANDS_PLUG_H

#include <stdbool.h>

struct control_call;
struct plugs;

/** plugs_new() - what was remembered, and what devices are called */
struct plugs *plugs_new(void);
void plugs_free(struct plugs *plugs);

/** plug_name() - our name of the device @id: "scsi0:3"; @id, if it is none */
const char *plug_name(const struct plugs *plugs, const char *id);

/** plug_id() - what the user called device @name; NULL: nothing */
const char *plug_id(const struct plugs *plugs, const char *name);

/** plug_node() - the node of device @name; NULL: it came otherwise */
const char *plug_node(const struct plugs *plugs, const char *name);

/** plug_tell_tray() - a disc went into drive @name, or out */
void plug_tell_tray(void *ctx, const char *name, bool open);

void command_blockdev_add(void *ctx, struct control_call *call);
void command_blockdev_del(void *ctx, struct control_call *call);
void command_netdev_add(void *ctx, struct control_call *call);
void command_netdev_del(void *ctx, struct control_call *call);
void command_device_add(void *ctx, struct control_call *call);
void command_device_del(void *ctx, struct control_call *call);

/* ours, with what --disk and --net say */
void command_net_add(void *ctx, struct control_call *call);
void command_net_remove(void *ctx, struct control_call *call);
void command_disk_remove(void *ctx, struct control_call *call);

#endif
