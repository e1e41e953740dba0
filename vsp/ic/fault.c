/* SPDX-License-Identifier: MIT */
#include "vsp/ic/fault.h"

#include <string.h>

#include <glib.h>

#include "base/fault.h"
#include "base/fault_kinds.h"
#include "proto/ic.h"
#include "vsp/vmbus/channel.h"

/* Return: what the pipe's header says of its bytes. */
static uint32_t lie(uint8_t *message, uint32_t bytes, uint32_t kind)
{
	struct icmsg_negotiate m;
	struct icmsg_hdr h;

	memcpy(&h, message, sizeof(h));
	switch (kind) {
	case FAULT_IC_PIPE_LENGTH:
		return UINT32_MAX;
	case FAULT_IC_SIZE:
		h.icmsgsize = UINT16_MAX;
		break;
	case FAULT_IC_TYPE:
		h.icmsgtype = UINT16_MAX;
		break;
	default:
		if (h.icmsgtype != ICMSGTYPE_NEGOTIATE)
			break;
		memcpy(&m, message + sizeof(h), sizeof(m));
		m.icframe_vercnt = kind == FAULT_IC_VERSIONS ? UINT16_MAX : 0;
		m.icmsg_vercnt = m.icframe_vercnt;
		memcpy(message + sizeof(h), &m, sizeof(m));
		break;
	}
	memcpy(message, &h, sizeof(h));
	return bytes;
}

/* channel_send_pipe(), but for what it says of the length. */
static int send(struct channel *ch, const uint8_t *message, uint32_t bytes,
		uint32_t said)
{
	struct vmbuspipe_hdr h = {.flags = VMBUS_PIPE_DATA, .msgsize = said};
	g_autofree uint8_t *packet = g_malloc(sizeof(h) + bytes);

	memcpy(packet, &h, sizeof(h));
	memcpy(packet + sizeof(h), message, bytes);
	return channel_send(ch, packet, (uint32_t)sizeof(h) + bytes);
}

int ic_fault_send(struct channel *ch, uint8_t *message, uint32_t bytes)
{
	uint32_t said = bytes;
	struct fault_hit hit;
	struct icmsg_hdr h;
	int err;

	memcpy(&h, message, sizeof(h));
	if (!fault_at(FAULT_IC_MESSAGE, channel_name(ch), h.icmsgtype, &hit))
		return channel_send_pipe(ch, message, bytes);
	if (hit.action == FAULT_DROP)
		return 0;
	if (hit.action == FAULT_CORRUPT)
		said = lie(message, bytes, hit.value);
	err = send(ch, message, bytes, said);
	if (!err && hit.action == FAULT_DUPLICATE)
		send(ch, message, bytes, said);
	return err;
}
