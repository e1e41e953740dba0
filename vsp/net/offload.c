/* SPDX-License-Identifier: MIT */
#include "vsp/net/offload.h"

#include <string.h>

#include <glib.h>

uint32_t offload_caps(struct ndis_offload *caps, uint32_t room, bool rsc)
{
	uint32_t ip4 = NDIS_CSUM_CAP_IP4OPT | NDIS_CSUM_CAP_TCP4OPT |
		       NDIS_CSUM_CAP_TCP4 | NDIS_CSUM_CAP_UDP4 |
		       NDIS_CSUM_CAP_IP4;
	uint32_t ip6 = NDIS_CSUM_CAP_IP6EXT | NDIS_CSUM_CAP_TCP6OPT |
		       NDIS_CSUM_CAP_TCP6 | NDIS_CSUM_CAP_UDP6;
	uint32_t bytes = sizeof(*caps);
	uint8_t revision = 3;

	if (room && room < NDIS_OFFLOAD_SIZE_6_0)
		return 0;
	if (room && room < NDIS_OFFLOAD_SIZE_6_1) {
		bytes = NDIS_OFFLOAD_SIZE_6_0;
		revision = 1;
	} else if (room && room < sizeof(*caps)) {
		bytes = NDIS_OFFLOAD_SIZE_6_1;
		revision = 2;
	}
	*caps = (struct ndis_offload){
		.header = {.type = NDIS_OBJECT_TYPE_OFFLOAD,
			   .revision = revision,
			   .size = (uint16_t)bytes},
		.csum = {.ip4_txenc = NDIS_OFFLOAD_ENCAP_8023,
			 .ip4_txcsum = ip4,
			 .ip4_rxenc = NDIS_OFFLOAD_ENCAP_8023,
			 .ip4_rxcsum = ip4,
			 .ip6_txenc = NDIS_OFFLOAD_ENCAP_8023,
			 .ip6_txcsum = ip6,
			 .ip6_rxenc = NDIS_OFFLOAD_ENCAP_8023,
			 .ip6_rxcsum = ip6},
		.lsov2 = {.ip4_encap = NDIS_OFFLOAD_ENCAP_8023,
			  .ip4_maxsz = NDIS_LSO_MAX_SIZE,
			  .ip4_minsg = NDIS_LSO_MIN_SEGMENTS,
			  .ip6_encap = NDIS_OFFLOAD_ENCAP_8023,
			  .ip6_maxsz = NDIS_LSO_MAX_SIZE,
			  .ip6_minsg = NDIS_LSO_MIN_SEGMENTS,
			  .ip6_opts = NDIS_LSOV2_CAP_IP6EXT |
				      NDIS_LSOV2_CAP_TCP6OPT},
		.rsc_ip4 = rsc,
		.rsc_ip6 = rsc,
	};
	return bytes;
}

/* Is it one of the values of a checksum's setting? */
static bool is_csum(uint8_t value)
{
	return value <= NDIS_OFFLOAD_PARAMETERS_TX_RX_ENABLED;
}

static bool is_switch(uint8_t value)
{
	return value <= NDIS_OFFLOAD_PARAMETERS_ON;
}

static bool is_good(const struct ndis_offload_params *p)
{
	return is_csum(p->ip_v4_csum) && is_csum(p->tcp_ip_v4_csum) &&
	       is_csum(p->udp_ip_v4_csum) && is_csum(p->tcp_ip_v6_csum) &&
	       is_csum(p->udp_ip_v6_csum) && is_switch(p->lso_v2_ipv4) &&
	       is_switch(p->lso_v2_ipv6) && is_switch(p->rsc_ip_v4) &&
	       is_switch(p->rsc_ip_v6);
}

static void set_csum(bool *on, uint8_t value)
{
	if (value != NDIS_OFFLOAD_PARAMETERS_NO_CHANGE)
		*on = value == NDIS_OFFLOAD_PARAMETERS_RX_ENABLED ||
		      value == NDIS_OFFLOAD_PARAMETERS_TX_RX_ENABLED;
}

static void set_switch(bool *on, uint8_t value)
{
	if (value != NDIS_OFFLOAD_PARAMETERS_NO_CHANGE)
		*on = value == NDIS_OFFLOAD_PARAMETERS_ON;
}

uint32_t offload_change(struct offload *o, const void *param, size_t bytes,
			bool rsc)
{
	struct ndis_offload_params p = {0};

	if (bytes < NDIS_OFFLOAD_PARAMETERS_SIZE_MIN)
		return RNDIS_STATUS_INVALID_LENGTH;
	memcpy(&p, param, MIN(bytes, sizeof(p)));
	if (p.header.type != NDIS_OBJECT_TYPE_DEFAULT || !is_good(&p))
		return RNDIS_STATUS_INVALID_DATA;
	set_csum(&o->ip4, p.ip_v4_csum);
	set_csum(&o->tcp4, p.tcp_ip_v4_csum);
	set_csum(&o->udp4, p.udp_ip_v4_csum);
	set_csum(&o->tcp6, p.tcp_ip_v6_csum);
	set_csum(&o->udp6, p.udp_ip_v6_csum);
	if (rsc) {
		set_switch(&o->rsc4, p.rsc_ip_v4);
		set_switch(&o->rsc6, p.rsc_ip_v6);
	}
	return RNDIS_STATUS_SUCCESS;
}
