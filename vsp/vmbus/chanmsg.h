/* SPDX-License-Identifier: MIT */
/*
 * chanmsg.h - one row per channel message: who sends it, since when, how long
 * it is, and who handles it.
 *
 * chanmsg_decode() checks a message against its row; the server
 * (server.h) hands what passes to the row's handler, and checks what it sends
 * itself against the same table.
 *
 * Source: Linux drivers/hv/channel_mgmt.c:channel_message_table[], OpenVMM
 * vmbus_core/src/protocol.rs (versions and features of each).
 */
#ifndef VSP_VMBUS_CHANMSG_H
#define VSP_VMBUS_CHANMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/vmbus.h"

struct chanmsg;
struct coverage_set;
struct vmbus_server;

/**
 * chanmsg_handler_fn - decide one message of the guest, and do it
 *
 * Return: 0, or -errno: against the protocol, ignored or answered with a
 * failure, and counted.
 */
typedef int (*chanmsg_handler_fn)(struct vmbus_server *server,
				  const struct chanmsg *msg);

struct chanmsg_row {
	uint8_t number;
	bool from_guest;
	/* with the header; a longer one is padded, or has more than we know */
	uint16_t size;
	/* with a feature of these it is that long; 0: always the same */
	uint16_t long_size;
	uint32_t long_features;
	/* 0: whether connected or not */
	uint32_t min_version;
	/* exists only with this feature; 0: always */
	uint32_t feature;
	const char *name;
	/* NULL: the host's message */
	chanmsg_handler_fn handler;
};

/* A message of the guest that fits its row. */
struct chanmsg {
	const struct chanmsg_row *row;
	/* where it came from */
	uint32_t vp;
	/* as received, at most VMBUS_MESSAGE_MAX */
	size_t size;
	/* a private copy; zeros behind size */
	union {
		struct vmbus_channel_message_header header;
		struct vmbus_channel_open_channel2 open;
		struct vmbus_channel_close_channel close;
		struct vmbus_channel_gpadl_header gpadl_header;
		struct vmbus_channel_gpadl_body gpadl_body;
		struct vmbus_channel_gpadl_teardown gpadl_teardown;
		struct vmbus_channel_relid_released relid_released;
		struct vmbus_channel_initiate_contact2 contact;
		struct vmbus_channel_open_reserved open_reserved;
		struct vmbus_channel_close_reserved close_reserved;
		struct vmbus_channel_tl_connect_request2 tl_connect;
		struct vmbus_channel_modifychannel modify;
		struct vmbus_channel_modify_connection modify_connection;
		uint8_t bytes[VMBUS_MESSAGE_MAX];
	};
};

/**
 * chanmsg_decode() - check a message of the guest, and copy it
 * @data:     borrowed, private
 * @size:     of @data
 * @version:  of the connection, 0 if there is none
 * @features: of the connection
 *
 * Return: 0 and @msg filled in; -EMSGSIZE shorter than its kind, or longer
 * than a message can be; -ENOENT no such message; -EPROTO not in this version,
 * or not without a connection; -EPERM only the host sends it.  For the last
 * three @msg->row says what it was, NULL for -ENOENT.
 */
int chanmsg_decode(const void *data, size_t size, uint32_t version,
		   uint32_t features, struct chanmsg *msg);

/** chanmsg_peek() - type of a message that was not decoded; 0 if too short */
uint32_t chanmsg_peek(const void *data, size_t size);

/** chanmsg_find() - the row of @number, or NULL */
const struct chanmsg_row *chanmsg_find(uint32_t number);

/** chanmsg_table() - all rows, by number; borrowed for ever */
const struct chanmsg_row *chanmsg_table(unsigned int *n_rows);

/** chanmsg_coverage_new() - counters for all rows, in the table's order */
struct coverage_set *chanmsg_coverage_new(void);

#endif
