/* SPDX-License-Identifier: MIT */
/*
 * schema.h - what the socket knows, told to programs; rows of the table in
 * commands.c.
 */
#ifndef CONTROL_SCHEMA_H
#define CONTROL_SCHEMA_H

struct control_call;

void query_commands(void *ctx, struct control_call *call);

/** query_qmp_schema() - QEMU's SchemaInfoList of all commands and events */
void query_qmp_schema(void *ctx, struct control_call *call);

#endif
