/* SPDX-License-Identifier: MIT */
/*
 * net.h - the commands that change the machine's network cards; rows
 * of the table in commands.c.
 *
 * They refuse with "failed" and say why.
 */
#ifndef CONTROL_COMMANDS_NET_H
#define CONTROL_COMMANDS_NET_H

struct control_call;

void command_net_link(void *ctx, struct control_call *call);

/* QEMU's */
void command_set_link(void *ctx, struct control_call *call);
void query_rx_filter(void *ctx, struct control_call *call);

#endif
