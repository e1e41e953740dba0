/* SPDX-License-Identifier: MIT */
/*
 * offload.h - what the card can do for the guest's network stack, as NDIS says
 * it, and what the guest has turned on.
 *
 * What a guest sends is taken whether it turned it on or not; what it has
 * turned on matters for the frames that it gets.
 *
 * Thread: any; plain data.
 * Source: Linux drivers/net/hyperv/rndis_filter.c:rndis_netdev_set_hwcaps().
 */
#ifndef VSP_NET_OFFLOAD_H
#define VSP_NET_OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/rndis.h"

struct offload {
	/* may be told: a checksum that was looked at is good */
	bool ip4, tcp4, udp4, tcp6, udp6;
	/* takes frames that were put together from several (RSC) */
	bool rsc4, rsc6;
};

/**
 * offload_caps() - the answer to OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES
 * @room: what the guest has room for; 0: it did not say
 * @rsc:  it can have RSC
 *
 * Return: bytes of @caps; 0: it has too little room for any.
 */
uint32_t offload_caps(struct ndis_offload *caps, uint32_t room, bool rsc);

/**
 * offload_change() - OID_TCP_OFFLOAD_PARAMETERS
 * @rsc: it can have RSC
 *
 * Return: RNDIS_STATUS_…; only with success anything is changed.
 */
uint32_t offload_change(struct offload *o, const void *param, size_t bytes,
			bool rsc);

#endif
