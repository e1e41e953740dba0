/* SPDX-License-Identifier: MIT */
#include "vsp/net/filter.h"

#include <errno.h>
#include <string.h>

#include "proto/rndis.h"

enum frame_cast frame_cast(const uint8_t *frame)
{
	static const uint8_t all[FRAME_MAC_BYTES] = {0xFF, 0xFF, 0xFF,
						     0xFF, 0xFF, 0xFF};

	if (!(frame[0] & 1))
		return CAST_DIRECTED;
	return memcmp(frame, all, sizeof(all)) ? CAST_MULTICAST
					       : CAST_BROADCAST;
}

static bool in_groups(const struct filter *f, const uint8_t *frame)
{
	for (unsigned int i = 0; i < f->n_groups; i++) {
		if (!memcmp(f->groups[i], frame, FRAME_MAC_BYTES))
			return true;
	}
	return false;
}

bool filter_accepts(const struct filter *f, const uint8_t *frame)
{
	if (f->bits & NDIS_PACKET_TYPE_PROMISCUOUS)
		return true;
	switch (frame_cast(frame)) {
	case CAST_BROADCAST:
		return f->bits & NDIS_PACKET_TYPE_BROADCAST;
	case CAST_MULTICAST:
		return f->bits & NDIS_PACKET_TYPE_ALL_MULTICAST ||
		       (f->bits & NDIS_PACKET_TYPE_MULTICAST &&
			in_groups(f, frame));
	default:
		return f->bits & NDIS_PACKET_TYPE_DIRECTED &&
		       !memcmp(f->mac, frame, FRAME_MAC_BYTES);
	}
}

int filter_set_groups(struct filter *f, const void *list, size_t bytes)
{
	if (bytes % FRAME_MAC_BYTES)
		return -EINVAL;
	if (bytes > sizeof(f->groups))
		return -ENOSPC;
	if (bytes)
		memcpy(f->groups, list, bytes);
	f->n_groups = (unsigned int)(bytes / FRAME_MAC_BYTES);
	return 0;
}
