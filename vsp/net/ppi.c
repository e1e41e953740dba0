/* SPDX-License-Identifier: MIT */
#include "vsp/net/ppi.h"

#include <string.h>

#include "base/checked.h"

static void take(struct tx_info *info, uint32_t type, uint32_t data)
{
	switch (type) {
	case TCPIP_CHKSUM_PKTINFO:
		info->has_csum = true;
		info->csum = data;
		break;
	case TCP_LARGESEND_PKTINFO:
		info->has_lso = true;
		info->lso = data;
		break;
	case IEEE_8021Q_INFO:
		info->has_vlan = true;
		info->vlan = data;
		break;
	default:
		break;
	}
}

bool ppi_parse(const void *data, size_t bytes, struct tx_info *info)
{
	const uint8_t *at = data;
	struct rndis_per_packet_info h;

	*info = (struct tx_info){0};
	while (bytes) {
		uint32_t value = 0;

		if (bytes < sizeof(h))
			return false;
		memcpy(&h, at, sizeof(h));
		/* So each step takes 12 bytes at least. */
		if (h.size < sizeof(h) || h.size > bytes ||
		    h.ppi_offset < sizeof(h) || h.ppi_offset > h.size)
			return false;
		if (range_fits(h.ppi_offset, sizeof(value), h.size)) {
			memcpy(&value, at + h.ppi_offset, sizeof(value));
			take(info, h.type, value);
		}
		at += h.size;
		bytes -= h.size;
	}
	return true;
}
