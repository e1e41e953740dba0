/* SPDX-License-Identifier: MIT */
/*
 * filter.h - which frames a guest wants: NDIS' packet filter, its address, its
 * multicast groups.
 *
 * Thread: any; plain data.
 */
#ifndef VSP_NET_FILTER_H
#define VSP_NET_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vsp/net/frame.h"

#define FILTER_GROUPS_MAX 64u

enum frame_cast {
	CAST_DIRECTED,
	CAST_MULTICAST,
	CAST_BROADCAST,
	N_CASTS
};

struct filter {
	uint32_t bits; /* NDIS_PACKET_TYPE_…; 0: no frames at all */
	uint8_t mac[FRAME_MAC_BYTES];
	unsigned int n_groups;
	uint8_t groups[FILTER_GROUPS_MAX][FRAME_MAC_BYTES];
};

/** frame_cast() - of a frame's first 6 bytes */
enum frame_cast frame_cast(const uint8_t *frame);

/** filter_accepts() - does the guest want a frame with these first 6 bytes? */
bool filter_accepts(const struct filter *f, const uint8_t *frame);

/**
 * filter_set_groups() - the guest's list of multicast addresses
 *
 * Return: 0; -EINVAL not a list; -ENOSPC too many.
 */
int filter_set_groups(struct filter *f, const void *list, size_t bytes);

#endif
