/* SPDX-License-Identifier: MIT */
#include "vsp/echo.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include <glib.h>

#include "proto/guids.h"
#include "vsp/vmbus/channel.h"
#include "vsp/vsp.h"

/* Pieces of memory that one packet may point to. */
#define PIECES_MAX 16u

/* In both directions, beside headers and payload. */
#define PACKET_BYTES (20u * 1024)

struct echo {
	struct channel_bus *bus;
	struct channel *ch;
};

/* Copy the first bytes of @packet's ranges.  Return: how many, or -errno. */
static int read_gpa(struct echo *e, const struct packet *packet,
		    uint8_t data[ECHO_GPA_BYTES])
{
	struct iovec iov[PIECES_MAX];
	int n = gpa_ranges_iov(channel_bus_mem(e->bus), &packet->gpa, iov,
			       PIECES_MAX);
	size_t at = 0;

	if (n < 0)
		return n;
	for (int i = 0; i < n && at < ECHO_GPA_BYTES; i++) {
		size_t len = MIN(iov[i].iov_len, ECHO_GPA_BYTES - at);

		memcpy(data + at, iov[i].iov_base, len);
		at += len;
	}
	return (int)at;
}

static int echo_gpa(struct echo *e, const struct packet *packet)
{
	uint8_t data[ECHO_GPA_BYTES];
	int n = read_gpa(e, packet, data);

	if (n < 0)
		return n;
	return channel_complete(e->ch, packet->trans_id, data, (uint32_t)n);
}

static int on_packet(void *ctx, const struct packet *packet)
{
	struct echo *e = ctx;

	if (packet->type == VM_PKT_COMP)
		return 0;
	if (packet->type == VM_PKT_DATA_USING_GPA_DIRECT)
		return echo_gpa(e, packet);
	if (packet->wants_completion)
		return channel_complete(e->ch, packet->trans_id, packet->data,
					packet->bytes);
	return channel_send(e->ch, packet->data, packet->bytes);
}

static const struct channel_ops channel_ops = {.packet = on_packet};

struct echo *echo_new(const struct vsp_params *params,
		      uint16_t monitor_latency_100ns)
{
	struct echo *e = g_new0(struct echo, 1);
	struct channel_params p = {
		.name = params->name,
		.if_type = KVMBUS_ECHO_GUID,
		.if_instance = params->instance,
		.order = params->order,
		.max_in = PACKET_BYTES,
		.max_out = PACKET_BYTES,
		.doorbell = true,
		.monitor_latency_100ns = monitor_latency_100ns,
	};

	e->bus = params->bus;
	e->ch = channel_new(e->bus, &p, &channel_ops, e);
	if (!channel_offer(e->ch))
		return e;
	echo_free(e);
	return NULL;
}

void echo_free(struct echo *echo)
{
	if (!echo)
		return;
	channel_free(echo->ch);
	g_free(echo);
}

/* --- for the machine --------------------------------------------------------- */

static void free_device(void *device)
{
	echo_free(device);
}

static struct channel *get_channel(void *device)
{
	return ((struct echo *)device)->ch;
}

const struct vsp_ops echo_ops = {
	.free = free_device,
	.channel = get_channel,
};
