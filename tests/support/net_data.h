/* SPDX-License-Identifier: MIT */
/*
 * net_data.h - for tests of frames, each way: a card on a net in memory that a
 * guest has started, one frame, and what became of it.
 */
#ifndef SUPPORT_NET_DATA_H
#define SUPPORT_NET_DATA_H

#include "support/net_guest.h"

#include "support/net_frames.h"

static uint8_t frame[70000], taken[70000];
static struct virtio_net_hdr hdr;

static inline void setup_host(void)
{
	bus_setup();
	net_make(VERSION_WIN10_V5_3, 1);
	net_open();
}

static inline void setup_started(void)
{
	setup_host();
	net_start(1500);
}

/* What the host got, with what is left to do in hdr. */
static inline size_t take(void)
{
	ssize_t n = net_mem_take(net_mem, 0, &hdr, taken, sizeof(taken));

	ck_assert_int_gt(n, 0);
	return (size_t)n;
}

static inline uint32_t item(uint8_t *at, uint32_t type, uint32_t data)
{
	return (uint32_t)(ppi_put(at, type, data) - at);
}

/* Send @bytes of frame with an item; Return: NVSP_STAT_… */
static inline uint32_t send_with(uint32_t bytes, uint32_t type, uint32_t data)
{
	uint8_t items[PPI_BYTES];

	item(items, type, data);
	return net_send(NET_PRIMARY, net_message(net_page(NET_DATA_PFN), frame,
						 bytes, items, sizeof(items)));
}

static inline void put(const struct virtio_net_hdr *h, uint32_t bytes)
{
	wait_until(!net_mem_put(net_mem, 0, h, frame, bytes));
}

static const struct net_flow flows[] = {
	{.host = 9, .port = 1000},
	{.host = 9, .port = 1000, .udp = true},
	{.host = 9, .port = 1000, .ip6 = true},
	{.host = 9, .port = 1000, .ip6 = true, .udp = true},
};

#endif
