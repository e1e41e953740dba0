/* SPDX-License-Identifier: MIT */
/*
 * fake_channel.h - what a device sees of channel.h, without a guest, a ring or
 * a thread: the test calls the device's callbacks itself, and says how much
 * room there is.
 *
 * For one file of a binary, which links the device but defines these calls in
 * the place of vsp/vmbus/channel.c.
 */
#ifndef SUPPORT_FAKE_CHANNEL_H
#define SUPPORT_FAKE_CHANNEL_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "vsp/vmbus/channel.h"
#include "vsp/vmbus/worker.h"

struct channel {
	struct channel_params params;
	const struct channel_ops *ops;
	void *ctx;
	bool offered, rescinded, is_open, woken, resumed;
	bool wants_room; /* writable() is due once there is some */
	uint32_t room; /* bytes of the ring to the guest */
};

static struct gmem *fake_mem;
/* The last that was made; they come and go. */
static struct channel *fake_last;

/* The device sent this, in-band or as a completion: the test's. */
static void fake_sent(struct channel *ch, const uint8_t *data, uint32_t bytes);

struct channel *channel_new(struct channel_bus *bus,
			    const struct channel_params *params,
			    const struct channel_ops *ops, void *ctx)
{
	struct channel *ch = g_new0(struct channel, 1);

	(void)bus;
	ch->params = *params;
	ch->ops = ops;
	ch->ctx = ctx;
	fake_last = ch;
	return ch;
}

static void fake_close(struct channel *ch);

void channel_free(struct channel *ch)
{
	if (ch)
		fake_close(ch);
	if (ch == fake_last)
		fake_last = NULL;
	g_free(ch);
}

int channel_offer(struct channel *ch)
{
	ch->offered = true;
	return 0;
}

void channel_rescind(struct channel *ch)
{
	ch->rescinded = true;
}

void channel_revoke(struct channel *ch)
{
	ch->rescinded = true;
}

uint16_t channel_trace(const struct channel *ch)
{
	(void)ch;
	return 0;
}

bool channel_is_open(const struct channel *ch)
{
	return ch->is_open;
}

void channel_wake(struct channel *ch)
{
	ch->woken = true;
}

void channel_resume(struct channel *ch)
{
	ch->resumed = true;
}

struct gmem *channel_bus_mem(struct channel_bus *bus)
{
	(void)bus;
	return fake_mem;
}

#define FAKE_RING_BYTES 8192u

void channel_get_stats(struct channel *ch, struct channel_stats *stats)
{
	*stats = (struct channel_stats){.open = ch->is_open,
					.ring_out_bytes = FAKE_RING_BYTES};
}

static uint32_t fake_cost(uint32_t bytes)
{
	return 24 + (bytes + 7) / 8 * 8;
}

bool channel_has_room(struct channel *ch, uint32_t bytes)
{
	bool has_room = ch->is_open && fake_cost(bytes) <= ch->room;

	ch->wants_room |= !has_room;
	return has_room;
}

static int fake_send(struct channel *ch, const void *head, uint32_t head_bytes,
		     const void *data, uint32_t bytes)
{
	static uint8_t copy[65536];

	if (!ch->is_open)
		return -ENOTCONN;
	if (head_bytes + bytes + PACKET_HEADER >
	    (ch->params.max_out ? ch->params.max_out : 4096))
		abort(); /* the device is to know */
	if (!channel_has_room(ch, head_bytes + bytes))
		return -EAGAIN;
	ch->room -= fake_cost(head_bytes + bytes);
	if (head_bytes)
		memcpy(copy, head, head_bytes);
	if (bytes)
		memcpy(copy + head_bytes, data, bytes);
	fake_sent(ch, copy, head_bytes + bytes);
	return 0;
}

int channel_send(struct channel *ch, const void *data, uint32_t bytes)
{
	return fake_send(ch, NULL, 0, data, bytes);
}

int channel_send_pipe(struct channel *ch, const void *data, uint32_t bytes)
{
	struct vmbuspipe_hdr h = {.flags = VMBUS_PIPE_DATA, .msgsize = bytes};

	return fake_send(ch, &h, sizeof(h), data, bytes);
}

/* --- the guest's side --------------------------------------------------------- */

static inline int fake_open(struct channel *ch)
{
	static const uint8_t userdata[MAX_USER_DEFINED_BYTES];
	struct channel_open open = {.version = VERSION_WIN10,
				    .userdata = userdata};
	int err;

	ch->is_open = true;
	err = ch->ops->open ? ch->ops->open(ch->ctx, &open) : 0;
	ch->is_open = !err;
	return err;
}

static void fake_close(struct channel *ch)
{
	if (!ch->is_open)
		return;
	ch->is_open = false;
	ch->wants_room = false;
	if (ch->ops->close && ch->ops->close(ch->ctx))
		abort();
}

/* The guest has let go: @ch may be gone after it. */
static inline void fake_release(struct channel *ch)
{
	fake_close(ch);
	if (ch->ops->released)
		ch->ops->released(ch->ctx);
}

/* The guest took what was sent: so much room is there now. */
static inline void fake_room(struct channel *ch, uint32_t room)
{
	ch->room = room;
	if (!ch->is_open || !ch->wants_room)
		return;
	ch->wants_room = false;
	if (ch->ops->writable)
		ch->ops->writable(ch->ctx);
}

/* An in-band packet. Return: what the device says of it. */
static inline int fake_packet(struct channel *ch, const void *data,
			      uint32_t bytes)
{
	/* Exactly as long, so that a read beyond it is seen. */
	g_autofree void *copy = g_memdup2(data, bytes);
	struct packet p = {
		.type = VM_PKT_DATA_INBAND, .data = copy, .bytes = bytes};

	if (!ch->is_open)
		return -ENOTCONN;
	return ch->ops->packet(ch->ctx, &p);
}

#endif
