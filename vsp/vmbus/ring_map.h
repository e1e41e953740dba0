/* SPDX-License-Identifier: MIT */
/*
 * ring_map.h - the GPADL of a channel's rings, mapped for ring.h.
 *
 * Each ring is its header page, its data, and the data once more, so that a
 * packet that wraps is contiguous.  The pages are the guest's RAM, mapped a
 * second time in the order of the GPADL (gmem_alias()).  What an overlay page
 * shows to the guest over one of them is not seen here: a guest that puts its
 * SIMP over its ring breaks its own channel, nothing else.
 *
 * A mapping in the host costs a guest nothing, but the kernel allows a
 * process 65530 of them.  Guests make rings of contiguous pages, which takes
 * six; for those that do not there is a budget for all channels together,
 * and no ring when it is used up.  It includes those of the RAM itself, which
 * rings split, and what closed rings left.
 *
 * Thread: any.
 */
#ifndef VSP_VMBUS_RING_MAP_H
#define VSP_VMBUS_RING_MAP_H

#include <stdint.h>

/* With more pages left by gmem_unalias_later() gmem_settle() should be called. */
#define RING_PAGES_LEFT_MANY 4096u

struct gmem;
struct gpadl;
struct ring_in;
struct ring_map;
struct ring_out;

/* Mappings of all rings and of the RAM together. */
#define RING_MAPPINGS_MAX 49152u

/**
 * ring_map_new() - map both rings
 * @gpadl:           one range of whole pages; may go before the map does
 * @downstream_page: where the header page of the host-to-guest ring is in it;
 *                   raw
 * @err:             out, when NULL is returned: -EINVAL no two rings of at
 *                   least a page of data each; -ENOSPC too scattered for
 *                   what is left of the budget; another of gmem_alias()
 *
 * Return: owned, or NULL.
 */
struct ring_map *ring_map_new(struct gmem *mem, const struct gpadl *gpadl,
			      uint32_t downstream_page, int *err);

/**
 * ring_map_free() - unmap them; NULL is fine
 *
 * The pages are left to gmem_take_back(), when the guest waits for an answer
 * before it uses them for anything else, or gmem_settle().
 */
void ring_map_free(struct ring_map *map);

/** ring_map_init() - the rings of @map; Return: 0 or -EPROTO, see ring.h */
int ring_map_init(const struct ring_map *map, struct ring_in *in,
		  struct ring_out *out);

#endif
