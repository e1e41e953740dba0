/* SPDX-License-Identifier: MIT */
/*
 * oid.c - objects of the card: one row for each that a guest can ask
 * for or set.
 *
 * A query writes to an answer that has room for the longest there is; a set
 * changes nothing unless it returns success.
 */
#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/coverage.h"
#include "base/log.h"
#include "vsp/netvsp/impl.h"

#define LOG_CATEGORY "net"

#define LINK_SPEED_BPS_DEFAULT 10000000000ull
/* 00-15-5D is Microsoft's, whose card this stands for */
#define VENDOR_ID              0x005D1500u
#define VENDOR_DESCRIPTION     "Hyper-V network adapter"
#define DRIVER_VERSION         0x0600u
#define LOOKAHEAD              256u

/* An answer that is being written. */
struct answer {
	uint8_t *data;
	uint32_t bytes, max;
	uint32_t room; /* that the guest says it has; 0: it does not say */
};

static void put(struct answer *a, const void *data, uint32_t bytes)
{
	if (bytes > a->max - a->bytes)
		return;
	memcpy(a->data + a->bytes, data, bytes);
	a->bytes += bytes;
}

static uint32_t put_u32(struct answer *a, uint64_t value)
{
	uint32_t v = (uint32_t)value;

	put(a, &v, sizeof(v));
	return RNDIS_STATUS_SUCCESS;
}

/* --- queries ------------------------------------------------------------------- */

struct row;
static uint32_t query_supported(struct netvsp *s, const struct row *row,
				struct answer *a);

/* The user's, whatever the guest would like; else the guest's. */
static uint32_t mtu(const struct netvsp *s)
{
	if (s->params.mtu)
		return s->params.mtu;
	return s->mtu ? s->mtu : NETVSP_MTU_DEFAULT;
}

static uint32_t query_mtu(struct netvsp *s, const struct row *row,
			  struct answer *a)
{
	(void)row;
	return put_u32(a, mtu(s));
}

static uint32_t query_frame(struct netvsp *s, const struct row *row,
			    struct answer *a)
{
	(void)row;
	return put_u32(a, mtu(s) + FRAME_HEADER);
}

static uint32_t query_link_speed(struct netvsp *s, const struct row *row,
				 struct answer *a)
{
	uint64_t bps = s->params.link_speed_bps ? s->params.link_speed_bps
						: LINK_SPEED_BPS_DEFAULT;

	(void)row;
	return put_u32(a, MIN(bps / 100, UINT32_MAX));
}

static uint32_t query_link(struct netvsp *s, const struct row *row,
			   struct answer *a)
{
	(void)row;
	s->link = netvsp_link(s);
	return put_u32(a, s->link ? NDIS_MEDIA_STATE_CONNECTED
				  : NDIS_MEDIA_STATE_DISCONNECTED);
}

static uint32_t query_send_space(struct netvsp *s, const struct row *row,
				 struct answer *a)
{
	(void)row;
	return put_u32(a, s->send ? guest_buffer_bytes(s->send) : 0);
}

static uint32_t query_recv_space(struct netvsp *s, const struct row *row,
				 struct answer *a)
{
	(void)row;
	return put_u32(a, s->recv ? guest_buffer_bytes(s->recv) : 0);
}

static uint32_t query_vendor(struct netvsp *s, const struct row *row,
			     struct answer *a)
{
	(void)s;
	(void)row;
	put(a, VENDOR_DESCRIPTION, sizeof(VENDOR_DESCRIPTION));
	return RNDIS_STATUS_SUCCESS;
}

static uint32_t query_driver_version(struct netvsp *s, const struct row *row,
				     struct answer *a)
{
	uint16_t version = DRIVER_VERSION;

	(void)s;
	(void)row;
	put(a, &version, sizeof(version));
	return RNDIS_STATUS_SUCCESS;
}

static uint32_t query_filter(struct netvsp *s, const struct row *row,
			     struct answer *a)
{
	(void)row;
	return put_u32(a, s->config.filter.bits);
}

static uint32_t query_permanent_mac(struct netvsp *s, const struct row *row,
				    struct answer *a)
{
	(void)row;
	put(a, s->params.mac, NETVSP_MAC_BYTES);
	return RNDIS_STATUS_SUCCESS;
}

static uint32_t query_mac(struct netvsp *s, const struct row *row,
			  struct answer *a)
{
	(void)row;
	put(a, s->config.filter.mac, NETVSP_MAC_BYTES);
	return RNDIS_STATUS_SUCCESS;
}

static uint32_t query_groups(struct netvsp *s, const struct row *row,
			     struct answer *a)
{
	(void)row;
	put(a, s->config.filter.groups,
	    s->config.filter.n_groups * NETVSP_MAC_BYTES);
	return RNDIS_STATUS_SUCCESS;
}

static uint32_t query_friendly_name(struct netvsp *s, const struct row *row,
				    struct answer *a)
{
	const char *name = s->params.friendly_name;
	g_autofree gunichar2 *utf16 = NULL;
	gunichar2 out[RNDIS_FRIENDLY_NAME_BYTES / 2] = {0};
	glong units = 0;

	(void)row;
	if (name)
		utf16 = g_utf8_to_utf16(name, -1, NULL, &units, NULL);
	if (utf16)
		memcpy(out, utf16,
		       MIN((size_t)units, G_N_ELEMENTS(out) - 1) *
			       sizeof(out[0]));
	put(a, out, sizeof(out));
	return RNDIS_STATUS_SUCCESS;
}

static uint32_t query_rss_caps(struct netvsp *s, const struct row *row,
			       struct answer *a)
{
	struct ndis_recv_scale_cap cap = {
		.header = {.type = NDIS_OBJECT_TYPE_RSS_CAPABILITIES,
			   .revision =
				   NDIS_RECEIVE_SCALE_CAPABILITIES_REVISION_2,
			   .size = sizeof(cap)},
		.cap_flag = NDIS_RSS_CAPS_MESSAGE_SIGNALED_INTERRUPTS |
			    NDIS_RSS_CAPS_CLASSIFICATION_AT_ISR |
			    NDIS_RSS_CAPS_CLASSIFICATION_AT_DPC |
			    NDIS_RSS_CAPS_HASH_TYPE_TCP_IPV4 |
			    NDIS_RSS_CAPS_HASH_TYPE_TCP_IPV6 |
			    NDIS_HASH_FUNC_TOEPLITZ,
		.num_int_msg = s->n_channels,
		.num_recv_que = s->n_channels,
		.num_indirect_tabent = NDIS_RSS_TABLE_MAX,
	};

	(void)row;
	if (s->version < NVSP_PROTOCOL_VERSION_5)
		return RNDIS_STATUS_NOT_SUPPORTED;
	put(a, &cap, sizeof(cap));
	return RNDIS_STATUS_SUCCESS;
}

static bool has_rsc(const struct netvsp *s)
{
	return s->version >= NVSP_PROTOCOL_VERSION_61 &&
	       s->capability & NVSP_NDIS_CAP_RSC && netvsp_can_rsc(s);
}

static uint32_t query_offload_caps(struct netvsp *s, const struct row *row,
				   struct answer *a)
{
	struct ndis_offload caps;
	uint32_t bytes = offload_caps(&caps, a->room, has_rsc(s));

	(void)row;
	if (!bytes)
		return RNDIS_STATUS_INVALID_LENGTH;
	put(a, &caps, bytes);
	return RNDIS_STATUS_SUCCESS;
}

/* --- sets ------------------------------------------------------------------------- */

static uint32_t set_filter(struct netvsp *s, const void *data, uint32_t bytes)
{
	uint32_t bits;

	(void)bytes;
	memcpy(&bits, data, sizeof(bits));
	s->config.filter.bits = bits;
	s->filter = bits;
	s->config.up = bits != 0;
	netvsp_apply(s);
	if (bits)
		netvsp_milestone(s, &s->had_link, s->params.link);
	if (s->params.filter)
		s->params.filter(s->params.vsp.ctx);
	return RNDIS_STATUS_SUCCESS;
}

static uint32_t set_groups(struct netvsp *s, const void *data, uint32_t bytes)
{
	switch (filter_set_groups(&s->config.filter, data, bytes)) {
	case 0:
		netvsp_apply(s);
		return RNDIS_STATUS_SUCCESS;
	case -ENOSPC:
		return RNDIS_STATUS_MULTICAST_FULL;
	default:
		return RNDIS_STATUS_INVALID_LENGTH;
	}
}

/* The back end may bring what the guest takes. */
static void set_net_offloads(struct netvsp *s)
{
	const struct offload *o = &s->config.offload;
	unsigned int bits = 0;

	if (o->rsc4)
		bits |= NET_OFFLOAD_CSUM | NET_OFFLOAD_TSO4;
	if (o->rsc6)
		bits |= NET_OFFLOAD_CSUM | NET_OFFLOAD_TSO6;
	net_set_offloads(s->params.net, bits);
}

static uint32_t set_offload(struct netvsp *s, const void *data, uint32_t bytes)
{
	uint32_t status =
		offload_change(&s->config.offload, data, bytes, has_rsc(s));

	if (status)
		return status;
	/* Windows first, as large frames need it; then what makes them. */
	netvsp_apply(s);
	set_net_offloads(s);
	return RNDIS_STATUS_SUCCESS;
}

static uint32_t set_rss(struct netvsp *s, const void *data, uint32_t bytes)
{
	const struct rss *old = s->config.rss;
	uint32_t status;
	struct rss *rss = rss_change(old, data, bytes, s->n_channels, &status);

	if (!rss)
		return status;
	s->config.rss = rss;
	netvsp_apply(s);
	g_free((struct rss *)old);
	return RNDIS_STATUS_SUCCESS;
}

/* Twelve digits in UTF-16. */
static bool parse_mac(const uint8_t *text, uint32_t bytes,
		      uint8_t mac[NETVSP_MAC_BYTES])
{
	if (bytes < 4 * NETVSP_MAC_BYTES)
		return false;
	for (size_t i = 0; i < 2ul * NETVSP_MAC_BYTES; i++) {
		int digit = g_ascii_xdigit_value((char)text[2 * i]);

		if (digit < 0 || text[2 * i + 1])
			return false;
		mac[i / 2] = (uint8_t)(mac[i / 2] << 4 | digit);
	}
	return !(mac[0] & 1);
}

static bool is_network_address(const uint8_t *name, uint32_t bytes)
{
	static const char want[] = "NetworkAddress";

	if (bytes < 2 * (sizeof(want) - 1))
		return false;
	for (size_t i = 0; i < sizeof(want) - 1; i++) {
		if (name[2 * i] != (uint8_t)want[i] || name[2 * i + 1])
			return false;
	}
	return true;
}

static uint32_t set_config_parameter(struct netvsp *s, const void *data,
				     uint32_t bytes)
{
	uint8_t mac[NETVSP_MAC_BYTES] = {0};
	struct rndis_config_parameter_info p;
	const uint8_t *at = data;

	memcpy(&p, data, sizeof(p));
	if (!range_fits(p.parameter_name_offset, p.parameter_name_length,
			bytes) ||
	    !range_fits(p.parameter_value_offset, p.parameter_value_length,
			bytes))
		return RNDIS_STATUS_INVALID_LENGTH;
	if (p.parameter_type != NDIS_CONFIG_PARAM_STRING ||
	    !is_network_address(at + p.parameter_name_offset,
				p.parameter_name_length))
		return RNDIS_STATUS_NOT_SUPPORTED;
	if (!parse_mac(at + p.parameter_value_offset, p.parameter_value_length,
		       mac))
		return RNDIS_STATUS_INVALID_DATA;
	memcpy(s->config.filter.mac, mac, sizeof(mac));
	netvsp_publish_mac(s);
	netvsp_apply(s);
	return RNDIS_STATUS_SUCCESS;
}

/* What a guest may say, and has no effect here. */
static uint32_t set_nothing(struct netvsp *s, const void *data, uint32_t bytes)
{
	(void)s;
	(void)data;
	(void)bytes;
	return RNDIS_STATUS_SUCCESS;
}

/* --- the table ----------------------------------------------------------------------- */

#define COUNTER(member) offsetof(struct netvsp_counters, member)

struct row {
	uint32_t oid;
	const char *name;
	uint32_t (*query)(struct netvsp *s, const struct row *row,
			  struct answer *a);
	/* Return: RNDIS_STATUS_…; @bytes is @set_bytes at least. */
	uint32_t (*set)(struct netvsp *s, const void *data, uint32_t bytes);
	uint32_t set_bytes;
	/* of a query that needs nothing else: the number, or which counters */
	uint32_t value;
	uint8_t n_counters;
	size_t counter;
};

static uint32_t query_value(struct netvsp *s, const struct row *row,
			    struct answer *a)
{
	(void)s;
	return put_u32(a, row->value);
}

static uint32_t query_counter(struct netvsp *s, const struct row *row,
			      struct answer *a)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < row->n_counters; i++)
		sum += netvsp_sum(s, row->counter + i * sizeof(uint64_t));
	return put_u32(a, sum);
}

#define VALUE(v) .query = query_value, .value = (v)
/* A counter, or @n that follow one another. */
#define COUNT(member, n) \
	.query = query_counter, .counter = COUNTER(member), .n_counters = (n)

#define NAMED(number) .oid = (number), .name = #number

static const struct row rows[] = {
	{NAMED(OID_GEN_SUPPORTED_LIST), .query = query_supported},
	{NAMED(OID_GEN_HARDWARE_STATUS), VALUE(0)}, /* ready */
	{NAMED(OID_GEN_MEDIA_SUPPORTED), VALUE(RNDIS_MEDIUM_802_3)},
	{NAMED(OID_GEN_MEDIA_IN_USE), VALUE(RNDIS_MEDIUM_802_3)},
	{NAMED(OID_GEN_PHYSICAL_MEDIUM), VALUE(0)}, /* unspecified */
	{NAMED(OID_GEN_MAXIMUM_LOOKAHEAD), VALUE(LOOKAHEAD)},
	{NAMED(OID_GEN_CURRENT_LOOKAHEAD), VALUE(LOOKAHEAD), .set = set_nothing,
	 .set_bytes = 4},
	{NAMED(OID_GEN_MAXIMUM_FRAME_SIZE), .query = query_mtu},
	{NAMED(OID_GEN_MAXIMUM_TOTAL_SIZE), .query = query_frame},
	{NAMED(OID_GEN_TRANSMIT_BLOCK_SIZE), .query = query_frame},
	{NAMED(OID_GEN_RECEIVE_BLOCK_SIZE), .query = query_frame},
	{NAMED(OID_GEN_LINK_SPEED), .query = query_link_speed},
	{NAMED(OID_GEN_MEDIA_CONNECT_STATUS), .query = query_link},
	{NAMED(OID_GEN_TRANSMIT_BUFFER_SPACE), .query = query_send_space},
	{NAMED(OID_GEN_RECEIVE_BUFFER_SPACE), .query = query_recv_space},
	{NAMED(OID_GEN_VENDOR_ID), VALUE(VENDOR_ID)},
	{NAMED(OID_GEN_VENDOR_DESCRIPTION), .query = query_vendor},
	{NAMED(OID_GEN_VENDOR_DRIVER_VERSION), VALUE(DRIVER_VERSION)},
	{NAMED(OID_GEN_DRIVER_VERSION), .query = query_driver_version},
	{NAMED(OID_GEN_CURRENT_PACKET_FILTER), .query = query_filter,
	 .set = set_filter, .set_bytes = 4},
	{NAMED(OID_GEN_PROTOCOL_OPTIONS), .set = set_nothing, .set_bytes = 4},
	{NAMED(OID_GEN_MAC_OPTIONS),
	 VALUE(NDIS_MAC_OPTION_NO_LOOPBACK | NDIS_MAC_OPTION_FULL_DUPLEX |
	       NDIS_MAC_OPTION_8021P_PRIORITY | NDIS_MAC_OPTION_8021Q_VLAN)},
	{NAMED(OID_GEN_MAXIMUM_SEND_PACKETS), VALUE(NETVSP_MESSAGES_TOLD)},
	{NAMED(OID_GEN_NETWORK_LAYER_ADDRESSES), .set = set_nothing,
	 .set_bytes = 0},
	{NAMED(OID_GEN_TRANSPORT_HEADER_OFFSET), .set = set_nothing,
	 .set_bytes = 0},
	{NAMED(OID_GEN_RECEIVE_SCALE_CAPABILITIES), .query = query_rss_caps},
	{NAMED(OID_GEN_RECEIVE_SCALE_PARAMETERS), .set = set_rss,
	 .set_bytes = sizeof(struct ndis_recv_scale_param)},
	{NAMED(OID_GEN_RNDIS_CONFIG_PARAMETER), .set = set_config_parameter,
	 .set_bytes = sizeof(struct rndis_config_parameter_info)},
	{NAMED(OID_GEN_FRIENDLY_NAME), .query = query_friendly_name},
	{NAMED(OID_GEN_XMIT_OK), COUNT(tx_frames, N_CASTS)},
	{NAMED(OID_GEN_RCV_OK), COUNT(rx_frames, N_CASTS)},
	{NAMED(OID_GEN_XMIT_ERROR), COUNT(tx_lost, 2)}, /* and tx_bad */
	{NAMED(OID_GEN_RCV_ERROR), COUNT(rx_long, 1)},
	{NAMED(OID_GEN_RCV_NO_BUFFER), COUNT(rx_no_buffer, 1)},
	{NAMED(OID_GEN_DIRECTED_BYTES_XMIT), COUNT(tx_bytes[CAST_DIRECTED], 1)},
	{NAMED(OID_GEN_DIRECTED_FRAMES_XMIT),
	 COUNT(tx_frames[CAST_DIRECTED], 1)},
	{NAMED(OID_GEN_MULTICAST_BYTES_XMIT),
	 COUNT(tx_bytes[CAST_MULTICAST], 1)},
	{NAMED(OID_GEN_MULTICAST_FRAMES_XMIT),
	 COUNT(tx_frames[CAST_MULTICAST], 1)},
	{NAMED(OID_GEN_BROADCAST_BYTES_XMIT),
	 COUNT(tx_bytes[CAST_BROADCAST], 1)},
	{NAMED(OID_GEN_BROADCAST_FRAMES_XMIT),
	 COUNT(tx_frames[CAST_BROADCAST], 1)},
	{NAMED(OID_GEN_DIRECTED_BYTES_RCV), COUNT(rx_bytes[CAST_DIRECTED], 1)},
	{NAMED(OID_GEN_DIRECTED_FRAMES_RCV),
	 COUNT(rx_frames[CAST_DIRECTED], 1)},
	{NAMED(OID_GEN_MULTICAST_BYTES_RCV),
	 COUNT(rx_bytes[CAST_MULTICAST], 1)},
	{NAMED(OID_GEN_MULTICAST_FRAMES_RCV),
	 COUNT(rx_frames[CAST_MULTICAST], 1)},
	{NAMED(OID_GEN_BROADCAST_BYTES_RCV),
	 COUNT(rx_bytes[CAST_BROADCAST], 1)},
	{NAMED(OID_GEN_BROADCAST_FRAMES_RCV),
	 COUNT(rx_frames[CAST_BROADCAST], 1)},
	{NAMED(OID_802_3_PERMANENT_ADDRESS), .query = query_permanent_mac},
	{NAMED(OID_802_3_CURRENT_ADDRESS), .query = query_mac},
	{NAMED(OID_802_3_MULTICAST_LIST), .query = query_groups,
	 .set = set_groups, .set_bytes = 0},
	{NAMED(OID_802_3_MAXIMUM_LIST_SIZE), VALUE(FILTER_GROUPS_MAX)},
	{NAMED(OID_802_3_MAC_OPTIONS), VALUE(0)},
	{NAMED(OID_802_3_RCV_ERROR_ALIGNMENT), VALUE(0)},
	{NAMED(OID_802_3_XMIT_ONE_COLLISION), VALUE(0)},
	{NAMED(OID_802_3_XMIT_MORE_COLLISIONS), VALUE(0)},
	{NAMED(OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES),
	 .query = query_offload_caps},
	{NAMED(OID_TCP_OFFLOAD_CURRENT_CONFIG), .query = query_offload_caps},
	{NAMED(OID_TCP_OFFLOAD_PARAMETERS), .set = set_offload,
	 .set_bytes = NDIS_OFFLOAD_PARAMETERS_SIZE_MIN},
};

static uint32_t query_supported(struct netvsp *s, const struct row *row,
				struct answer *a)
{
	(void)s;
	(void)row;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		put_u32(a, rows[i].oid);
	return RNDIS_STATUS_SUCCESS;
}

static const struct row *find(uint32_t oid)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (rows[i].oid == oid)
			return &rows[i];
	}
	return NULL;
}

const char *netvsp_oid_name(uint32_t oid)
{
	const struct row *row = find(oid);

	return row ? row->name : NULL;
}

struct coverage_set *netvsp_oids_new(void)
{
	struct coverage_set *set = coverage_new("oids", G_N_ELEMENTS(rows));

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		set->entries[i].name = rows[i].name;
		set->entries[i].number = rows[i].oid;
	}
	return set;
}

static uint32_t count(struct netvsp *s, const struct row *row, uint32_t status)
{
	struct coverage_entry *e;

	if (!row)
		return status;
	e = &s->oids->entries[row - rows];
	coverage_hit(e);
	if (status != RNDIS_STATUS_SUCCESS)
		coverage_refuse(e);
	return status;
}

uint32_t netvsp_oid_query(struct netvsp *s, uint32_t oid, uint32_t room,
			  uint8_t *out, uint32_t n_max, uint32_t *bytes)
{
	struct answer a = {.data = out, .max = n_max, .room = room};
	const struct row *row = find(oid);
	uint32_t status = RNDIS_STATUS_NOT_SUPPORTED;

	*bytes = 0;
	if (row && row->query)
		status = row->query(s, row, &a);
	*bytes = a.bytes;
	return count(s, row, status);
}

uint32_t netvsp_oid_set(struct netvsp *s, uint32_t oid, const void *data,
			uint32_t bytes)
{
	const struct row *row = find(oid);

	if (!row || !row->set)
		return count(s, row, RNDIS_STATUS_NOT_SUPPORTED);
	if (bytes < row->set_bytes)
		return count(s, row, RNDIS_STATUS_INVALID_LENGTH);
	return count(s, row, row->set(s, data, bytes));
}
