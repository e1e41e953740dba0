/* SPDX-License-Identifier: MIT */
/*
 * ppi.h - what RNDIS says of a frame besides its bytes: a list of items, "per
 * packet information".
 *
 * Thread: any.  Source: Linux drivers/net/hyperv/netvsc_drv.c:init_ppi_data(),
 * rndis_filter.c:rndis_get_ppi().
 */
#ifndef VSP_NET_PPI_H
#define VSP_NET_PPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "proto/rndis.h"

/* Of a frame of the guest: the items that are for the host, if they are there. */
struct tx_info {
	bool has_csum, has_lso, has_vlan;
	uint32_t csum, lso, vlan;
};

/**
 * ppi_parse() - read a list
 * @data: private
 *
 * Items that are unknown are skipped.
 *
 * Return: false: not such a list.
 */
bool ppi_parse(const void *data, size_t bytes, struct tx_info *info);

/* An item with 4 bytes of data, as all that there are to the guest. */
#define PPI_BYTES ((uint32_t)sizeof(struct rndis_per_packet_info) + 4)

/** ppi_put() - write an item of PPI_BYTES; Return: behind it */
static inline uint8_t *ppi_put(uint8_t *at, uint32_t type, uint32_t data)
{
	const struct rndis_per_packet_info h = {
		.size = PPI_BYTES, .type = type, .ppi_offset = sizeof(h)};

	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), &data, sizeof(data));
	return at + PPI_BYTES;
}

#endif
