/* SPDX-License-Identifier: MIT */
/* RNDIS requests: each message, each object; the link; the end. */
#include "vsp/netvsp/netvsp.h"

#include "support/net_guest.h"

#include "support/check_main.h"

static struct net_answer answer;
static uint8_t buffer[4096];

static void setup_host(void)
{
	bus_setup();
	net_params.friendly_name = "Gr\xC3\xBC\xC3\x9F";
	net_params.link_pace_ns = 20000000;
	net_make(VERSION_WIN10_V5_3, 1);
	net_open();
}

static void setup_buffers(void)
{
	setup_host();
	net_say_version(NVSP_PROTOCOL_VERSION_61, NVSP_PROTOCOL_VERSION_61);
	net_say_config(1500, NVSP_NDIS_CAP_RSC);
	net_share_buffers();
}

static void setup_started(void)
{
	setup_host();
	net_start(1500);
}

/* --- messages ------------------------------------------------------------------ */

START_TEST(initialize)
{
	struct rndis_initialize_complete c;

	ck_assert_uint_eq(net_ready, 0);
	ck_assert_uint_eq(net_rndis_init(&c), RNDIS_STATUS_SUCCESS);
	ck_assert_uint_eq(c.major_ver, 1);
	ck_assert_uint_eq(c.minor_ver, 0);
	ck_assert_uint_eq(c.dev_flags, 1);
	ck_assert_uint_eq(c.medium, 0);
	ck_assert_uint_eq(c.max_pkt_per_msg, 8);
	ck_assert_uint_ge(c.max_xfer_size, 65536);
	ck_assert_uint_eq(c.pkt_alignment_factor, 3);
	ck_assert_uint_eq(net_ready, 1);
	ck_assert(net_status().ready);
}
END_TEST

START_TEST(initialize_with_another_version)
{
	struct rndis_initialize_request q = {.req_id = 1, .major_ver = 2};

	ck_assert_uint_eq(net_request(RNDIS_MSG_INIT, &q, sizeof(q), &answer),
			  RNDIS_STATUS_BAD_VERSION);
	ck_assert(!net_status().ready);
}
END_TEST

START_TEST(nothing_before_initialize)
{
	struct rndis_oid_request q = {.oid = OID_GEN_LINK_SPEED};

	ck_assert_uint_eq(net_control(RNDIS_MSG_QUERY, &q, sizeof(q)),
			  NVSP_STAT_FAIL);
	ck_assert_uint_eq(net_control(RNDIS_MSG_SET, &q, sizeof(q)),
			  NVSP_STAT_FAIL);
	ck_assert_uint_eq(net_control(RNDIS_MSG_KEEPALIVE, &q, 4),
			  NVSP_STAT_FAIL);
}
END_TEST

START_TEST(frames_before_initialize)
{
	uint32_t n = net_message(net_page(NET_DATA_PFN), buffer,
				 net_frame(buffer, 60, 1), NULL, 0);

	ck_assert_uint_eq(net_send(NET_PRIMARY, n), NVSP_STAT_FAIL);
}
END_TEST

/* They were on their way, on another channel. */
START_TEST(frames_after_halt)
{
	uint32_t n = 1;

	ck_assert_uint_eq(net_control(RNDIS_MSG_HALT, &n, sizeof(n)),
			  NVSP_STAT_SUCCESS);
	n = net_message(net_page(NET_DATA_PFN), buffer,
			net_frame(buffer, 60, 1), NULL, 0);
	ck_assert_uint_eq(net_send(NET_PRIMARY, n), NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(net_status().stats.tx_lost, 1);
	ck_assert_uint_eq(net_status().stats.tx_frames, 0);
}
END_TEST

START_TEST(requests_without_a_buffer_for_the_answer)
{
	struct rndis_initialize_request q = {.req_id = 1, .major_ver = 1};
	struct nvsp_message m = {.msg_type = NVSP_MSG1_TYPE_REVOKE_RECV_BUF,
				 .revoke_buf = {NETVSC_RECEIVE_BUFFER_ID}};

	net_say(&m);
	ck_assert_uint_eq(net_control(RNDIS_MSG_INIT, &q, sizeof(q)),
			  NVSP_STAT_FAIL);
	/* It may be shared again. */
	ck_assert_uint_eq(net_say_recv_buf(NET_RECV_GPADL), NVSP_STAT_SUCCESS);
}
END_TEST

START_TEST(keepalive)
{
	uint32_t id = 77;

	ck_assert_uint_eq(
		net_request(RNDIS_MSG_KEEPALIVE, &id, sizeof(id), &answer),
		RNDIS_STATUS_SUCCESS);
}
END_TEST

START_TEST(reset)
{
	struct {
		struct rndis_header h;
		struct rndis_reset_complete c;
	} r;
	struct rndis_header h = {RNDIS_MSG_RESET, 12};
	struct nvsp_message m;

	memcpy(net_page(NET_DATA_PFN), &h, sizeof(h));
	net_put_rndis(NET_PRIMARY, 9, NVSP_CHANNEL_CONTROL, 12);
	net_get_completion(NET_PRIMARY, 9, &m);
	ck_assert_uint_eq(net_get_control(&r, sizeof(r)), sizeof(r));
	ck_assert_uint_eq(r.h.msg_type, RNDIS_MSG_RESET_C);
	ck_assert_uint_eq(r.c.status, RNDIS_STATUS_SUCCESS);
	ck_assert_uint_eq(r.c.addressing_reset, 1);
	ck_assert_uint_eq(net_status().filter, 0);
	ck_assert(net_status().ready);
}
END_TEST

/* It has no answer but its completion. */
START_TEST(halt)
{
	struct net_packet p;
	uint32_t id = 5;

	ck_assert_uint_eq(net_control(RNDIS_MSG_HALT, &id, sizeof(id)),
			  NVSP_STAT_SUCCESS);
	ck_assert(!net_status().ready);
	ck_assert_uint_eq(net_status().filter, 0);
	ck_assert_uint_eq(net_control(RNDIS_MSG_HALT, &id, sizeof(id)),
			  NVSP_STAT_SUCCESS);
	ck_assert(!net_try_get(NET_PRIMARY, &p));
}
END_TEST

static const struct {
	const char *what;
	uint32_t type, len, bytes, at, value;
} bad[] = {
	{"no header", RNDIS_MSG_QUERY, 4, 4, 0, 0},
	{"length of less than a header", RNDIS_MSG_QUERY, 7, 28, 0, 0},
	{"length of more than there is", RNDIS_MSG_QUERY, 29, 28, 0, 0},
	{"a query that is cut off", RNDIS_MSG_QUERY, 27, 28, 0, 0},
	{"a set that is cut off", RNDIS_MSG_SET, 27, 28, 0, 0},
	{"an init that is cut off", RNDIS_MSG_INIT, 23, 28, 0, 0},
	{"a keepalive that is cut off", RNDIS_MSG_KEEPALIVE, 11, 28, 0, 0},
	{"a set whose data are behind the end", RNDIS_MSG_SET, 32, 32, 16, 5},
	{"a set whose data wrap", RNDIS_MSG_SET, 32, 32, 16, 0xFFFFFFF0},
	{"a type that is none", 0, 32, 32, 0, 0},
	{"a frame", RNDIS_MSG_PACKET, 32, 32, 0, 0},
	{"the host's", RNDIS_MSG_INDICATE, 32, 32, 0, 0},
	{"an answer", RNDIS_MSG_QUERY_C, 32, 32, 0, 0},
	{"longer than any", RNDIS_MSG_QUERY, 4097, 4097, 0, 0},
};

START_TEST(messages_that_are_none)
{
	uint8_t *at = net_page(NET_DATA_PFN);
	struct rndis_header h = {bad[_i].type, bad[_i].len};
	struct rndis_oid_request q = {.oid = OID_GEN_CURRENT_LOOKAHEAD,
				      .info_buflen = 4,
				      .info_buf_offset = 20};
	struct nvsp_message m;

	memcpy(at, &h, sizeof(h));
	memcpy(at + 8, &q, sizeof(q));
	if (bad[_i].at)
		memcpy(at + bad[_i].at, &bad[_i].value, 4);
	net_put_rndis(NET_PRIMARY, 3, NVSP_CHANNEL_CONTROL, bad[_i].bytes);
	net_get_completion(NET_PRIMARY, 3, &m);
	ck_assert_uint_eq(m.send_rndis_pkt_complete.status,
			  NVSP_STAT_INVALID_RNDIS_PKT);
	ck_assert_uint_eq(net_query_u32(OID_GEN_MEDIA_IN_USE), 0);
}
END_TEST

/* A guest that takes no answers has 32 of them waiting, and no more. */
START_TEST(answers_wait_for_sections)
{
	struct rndis_oid_request q = {.oid = OID_GEN_LINK_SPEED};
	struct rndis_header h = {RNDIS_MSG_QUERY, 28};
	uint64_t ids[16];
	struct net_packet p;
	unsigned int n = 0, answers = 0, busy = 0;

	memcpy(net_page(NET_DATA_PFN), &h, sizeof(h));
	memcpy(net_page(NET_DATA_PFN) + 8, &q, sizeof(q));
	for (unsigned int i = 0; i < 60; i++) {
		net_put_rndis(NET_PRIMARY, 1, NVSP_CHANNEL_CONTROL, 28);
		for (unsigned int k = 0; k < (i < 16 ? 2 : 1); k++) {
			net_get(NET_PRIMARY, &p);
			if (p.p.type == VM_PKT_DATA_USING_XFER_PAGES)
				ids[n++] = p.p.trans_id;
			else
				busy += p.m.send_rndis_pkt_complete.status ==
					NVSP_STAT_BUSY;
		}
	}
	ck_assert_uint_eq(n, 16);
	ck_assert_uint_eq(busy, 60 - 16 - 32);
	for (unsigned int i = 0; i < 16; i++)
		net_done(NET_PRIMARY, ids[i]);
	for (answers = 0; answers < 32; answers++) {
		net_get(NET_PRIMARY, &p);
		net_check_xfer(&p, NVSP_CHANNEL_CONTROL);
		net_done(NET_PRIMARY, p.p.trans_id);
	}
	ck_assert_uint_eq(net_query_u32(OID_GEN_MEDIA_IN_USE), 0);
}
END_TEST

/* --- objects --------------------------------------------------------------------- */

static const struct {
	uint32_t oid, value;
} numbers[] = {
	{OID_GEN_HARDWARE_STATUS, 0},
	{OID_GEN_MEDIA_SUPPORTED, 0},
	{OID_GEN_MEDIA_IN_USE, 0},
	{OID_GEN_PHYSICAL_MEDIUM, 0},
	{OID_GEN_MAXIMUM_FRAME_SIZE, 1500},
	{OID_GEN_MAXIMUM_TOTAL_SIZE, 1514},
	{OID_GEN_LINK_SPEED, 100000000},
	{OID_GEN_MEDIA_CONNECT_STATUS, 0},
	{OID_GEN_TRANSMIT_BUFFER_SPACE, NET_SEND_PAGES *PAGE},
	{OID_GEN_RECEIVE_BUFFER_SPACE, NET_RECV_PAGES *PAGE},
	{OID_GEN_CURRENT_PACKET_FILTER, NET_FILTER_LINUX},
	{OID_GEN_MAXIMUM_SEND_PACKETS, 8},
	{OID_GEN_XMIT_OK, 0},
	{OID_GEN_RCV_OK, 0},
	{OID_GEN_XMIT_ERROR, 0},
	{OID_GEN_RCV_ERROR, 0},
	{OID_GEN_RCV_NO_BUFFER, 0},
	{OID_802_3_MAXIMUM_LIST_SIZE, 64},
	{OID_802_3_RCV_ERROR_ALIGNMENT, 0},
};

START_TEST(objects_that_are_numbers)
{
	ck_assert_uint_eq(net_query_u32(numbers[_i].oid), numbers[_i].value);
}
END_TEST

/* Each of the list is known, for a query or a set. */
START_TEST(the_list_of_objects)
{
	uint32_t oids[250], n = sizeof(oids), bytes;

	ck_assert_uint_eq(net_query(OID_GEN_SUPPORTED_LIST, oids, &n),
			  RNDIS_STATUS_SUCCESS);
	n /= 4;
	ck_assert_uint_gt(n, 50);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t status;

		bytes = sizeof(buffer);
		status = net_query(oids[i], buffer, &bytes);
		if (status == RNDIS_STATUS_NOT_SUPPORTED)
			status = net_set(oids[i], NULL, 0);
		ck_assert_msg(status != RNDIS_STATUS_NOT_SUPPORTED,
			      "object %08x", oids[i]);
	}
}
END_TEST

START_TEST(objects_that_are_not)
{
	uint32_t bytes = 0;

	ck_assert_uint_eq(net_query(0x12345678, buffer, &bytes),
			  RNDIS_STATUS_NOT_SUPPORTED);
	ck_assert_uint_eq(
		net_query(OID_GEN_RNDIS_CONFIG_PARAMETER, buffer, &bytes),
		RNDIS_STATUS_NOT_SUPPORTED);
	ck_assert_uint_eq(net_set(0x12345678, buffer, 4),
			  RNDIS_STATUS_NOT_SUPPORTED);
	ck_assert_uint_eq(net_set(OID_GEN_LINK_SPEED, buffer, 4),
			  RNDIS_STATUS_NOT_SUPPORTED);
	ck_assert_uint_eq(net_set(OID_GEN_CURRENT_PACKET_FILTER, buffer, 3),
			  RNDIS_STATUS_INVALID_LENGTH);
}
END_TEST

START_TEST(friendly_name)
{
	static const uint16_t name[] = {'G', 'r', 0xFC, 0xDF, 0};
	uint32_t bytes = sizeof(buffer);

	ck_assert_uint_eq(net_query(OID_GEN_FRIENDLY_NAME, buffer, &bytes),
			  RNDIS_STATUS_SUCCESS);
	ck_assert_uint_eq(bytes, 512);
	ck_assert_mem_eq(buffer, name, sizeof(name));
}
END_TEST

/* What Linux asks for is what it wants to find. */
static const struct {
	uint32_t room, bytes;
} caps_rooms[] = {{0, 156},   {156, 156}, {200, 156}, {155, 144},
		  {144, 144}, {143, 112}, {112, 112}};

START_TEST(offload_capabilities)
{
	struct ndis_offload caps = {.rsc_ip4 = 9, .rsc_ip6 = 9};
	uint32_t bytes = sizeof(caps);

	ck_assert_uint_eq(net_query_room(OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES,
					 caps_rooms[_i].room, &caps, &bytes),
			  RNDIS_STATUS_SUCCESS);
	ck_assert_uint_eq(bytes, caps_rooms[_i].bytes);
	ck_assert_uint_eq(caps.header.type, 0xA7);
	ck_assert_uint_eq(caps.header.size, bytes);
	ck_assert_uint_ge(caps.header.revision, 1);
	/* NDIS_TXCSUM_ALL_TCP4, UDP4, ALL_TCP6, UDP6 */
	ck_assert_uint_eq(caps.csum.ip4_txcsum & 0x54, 0x54);
	ck_assert_uint_eq(caps.csum.ip6_txcsum & 0x55, 0x55);
	ck_assert_uint_eq(caps.lsov2.ip4_encap & 2, 2);
	ck_assert_uint_eq(caps.lsov2.ip6_encap & 2, 2);
	ck_assert_uint_eq(caps.lsov2.ip6_opts, 5);
	ck_assert_uint_ge(caps.lsov2.ip4_maxsz, 60000);
	ck_assert_uint_eq(caps.rsc_ip4, bytes == 156 ? 1 : 9);
}
END_TEST

START_TEST(no_room_for_capabilities)
{
	uint32_t bytes = 0;

	ck_assert_uint_eq(net_query_room(OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES,
					 111, buffer, &bytes),
			  RNDIS_STATUS_INVALID_LENGTH);
}
END_TEST

static const struct {
	const char *what;
	uint32_t bytes;
	uint8_t type, csum, rsc;
	uint32_t status;
	unsigned int offloads;
} params[] = {
	{"all on", 28, 0x80, 4, 2, RNDIS_STATUS_SUCCESS, 7},
	{"all off", 28, 0x80, 1, 1, RNDIS_STATUS_SUCCESS, 0},
	{"no change", 28, 0x80, 0, 0, RNDIS_STATUS_SUCCESS, 0},
	{"of an older NDIS", 22, 0x80, 4, 2, RNDIS_STATUS_SUCCESS, 0},
	{"cut off", 19, 0x80, 4, 2, RNDIS_STATUS_INVALID_LENGTH, 0},
	{"of another type", 28, 0x81, 4, 2, RNDIS_STATUS_INVALID_DATA, 0},
	{"a value that is none", 28, 0x80, 5, 2, RNDIS_STATUS_INVALID_DATA, 0},
	{"RSC of no value", 28, 0x80, 4, 3, RNDIS_STATUS_INVALID_DATA, 0},
};

START_TEST(offload_parameters)
{
	struct ndis_offload_params p = {
		.header = {params[_i].type, 3, sizeof(p)},
		.tcp_ip_v4_csum = params[_i].csum,
		.rsc_ip_v4 = params[_i].rsc,
		.rsc_ip_v6 = params[_i].rsc,
	};

	ck_assert_uint_eq(
		net_set(OID_TCP_OFFLOAD_PARAMETERS, &p, params[_i].bytes),
		params[_i].status);
	ck_assert_uint_eq(net_mem_offloads(net_mem), params[_i].offloads);
}
END_TEST

START_TEST(rss_capabilities)
{
	struct ndis_recv_scale_cap cap;
	uint32_t bytes = sizeof(cap);

	/* Linux takes no byte more. */
	ck_assert_uint_eq(net_query_room(OID_GEN_RECEIVE_SCALE_CAPABILITIES, 18,
					 &cap, &bytes),
			  RNDIS_STATUS_SUCCESS);
	ck_assert_uint_eq(bytes, 18);
	ck_assert_uint_eq(cap.header.type, 0x88);
	ck_assert_uint_eq(cap.num_recv_que, 1);
	ck_assert_uint_eq(cap.num_indirect_tabent, 128);
}
END_TEST

/* --- the address --------------------------------------------------------------------- */

static uint32_t set_mac(const char *name, const char *text, uint32_t type)
{
	struct rndis_config_parameter_info p = {
		.parameter_name_offset = sizeof(p),
		.parameter_name_length = (uint32_t)(2 * strlen(name)),
		.parameter_type = type,
		.parameter_value_offset =
			(uint32_t)(sizeof(p) + 2 * strlen(name)),
		.parameter_value_length = (uint32_t)(2 * strlen(text))};
	uint8_t *at = buffer + sizeof(p);

	memset(buffer, 0, 256);
	memcpy(buffer, &p, sizeof(p));
	for (; *name; at += 2)
		*at = (uint8_t)*name++;
	for (; *text; at += 2)
		*at = (uint8_t)*text++;
	return net_set(OID_GEN_RNDIS_CONFIG_PARAMETER, buffer,
		       (uint32_t)(at - buffer));
}

static const struct {
	const char *what, *name, *value;
	uint32_t type, status;
} macs[] = {
	{"good", "NetworkAddress", "020A0B0C0D0E", 2, RNDIS_STATUS_SUCCESS},
	{"small digits", "NetworkAddress", "020a0b0c0d0e", 2,
	 RNDIS_STATUS_SUCCESS},
	{"another name", "NetworkAddresX", "020A0B0C0D0E", 2,
	 RNDIS_STATUS_NOT_SUPPORTED},
	{"a short name", "Network", "020A0B0C0D0E", 2,
	 RNDIS_STATUS_NOT_SUPPORTED},
	{"a number", "NetworkAddress", "020A0B0C0D0E", 0,
	 RNDIS_STATUS_NOT_SUPPORTED},
	{"too short", "NetworkAddress", "020A0B0C0D0", 2,
	 RNDIS_STATUS_INVALID_DATA},
	{"no digit", "NetworkAddress", "020A0B0C0D0G", 2,
	 RNDIS_STATUS_INVALID_DATA},
	{"a group's", "NetworkAddress", "030A0B0C0D0E", 2,
	 RNDIS_STATUS_INVALID_DATA},
};

START_TEST(the_address_is_changed)
{
	static const uint8_t mac[] = {2, 0xA, 0xB, 0xC, 0xD, 0xE};
	bool good = macs[_i].status == RNDIS_STATUS_SUCCESS;
	uint32_t bytes = 6;

	ck_assert_uint_eq(set_mac(macs[_i].name, macs[_i].value, macs[_i].type),
			  macs[_i].status);
	net_query(OID_802_3_CURRENT_ADDRESS, buffer, &bytes);
	ck_assert_mem_eq(buffer, good ? mac : net_mac, 6);
	ck_assert_mem_eq(net_status().mac, good ? mac : net_mac, 6);
	net_query(OID_802_3_PERMANENT_ADDRESS, buffer, &bytes);
	ck_assert_mem_eq(buffer, net_mac, 6);
	/* Frames for it come. */
	bytes = net_frame(buffer, 60, 1);
	memcpy(buffer, good ? mac : net_mac, 6);
	wait_until(!net_mem_put(net_mem, 0, NULL, buffer, bytes));
	static struct net_frame f;
	net_get_frame(&f);
	ck_assert_uint_eq(f.bytes, 60);
}
END_TEST

START_TEST(a_parameter_whose_parts_are_elsewhere)
{
	struct rndis_config_parameter_info p = {.parameter_name_offset = 21};

	ck_assert_uint_eq(
		net_set(OID_GEN_RNDIS_CONFIG_PARAMETER, &p, sizeof(p)),
		RNDIS_STATUS_INVALID_LENGTH);
	p = (struct rndis_config_parameter_info){.parameter_value_offset = 4,
						 .parameter_value_length =
							 0xFFFFFFFF};
	ck_assert_uint_eq(
		net_set(OID_GEN_RNDIS_CONFIG_PARAMETER, &p, sizeof(p)),
		RNDIS_STATUS_INVALID_LENGTH);
}
END_TEST

START_TEST(multicast_lists)
{
	uint32_t bytes = sizeof(buffer);

	for (unsigned int i = 0; i < 390; i++)
		buffer[i] = (uint8_t)i;
	ck_assert_uint_eq(net_set(OID_802_3_MULTICAST_LIST, buffer, 384),
			  RNDIS_STATUS_SUCCESS);
	ck_assert_uint_eq(net_set(OID_802_3_MULTICAST_LIST, buffer, 390),
			  RNDIS_STATUS_MULTICAST_FULL);
	ck_assert_uint_eq(net_set(OID_802_3_MULTICAST_LIST, buffer, 13),
			  RNDIS_STATUS_INVALID_LENGTH);
	ck_assert_uint_eq(net_query(OID_802_3_MULTICAST_LIST, buffer, &bytes),
			  RNDIS_STATUS_SUCCESS);
	ck_assert_uint_eq(bytes, 384);
	ck_assert_uint_eq(net_set(OID_802_3_MULTICAST_LIST, NULL, 0),
			  RNDIS_STATUS_SUCCESS);
	ck_assert_uint_eq(net_query(OID_802_3_MULTICAST_LIST, buffer, &bytes),
			  RNDIS_STATUS_SUCCESS);
	ck_assert_uint_eq(bytes, 0);
}
END_TEST

START_TEST(statistics_add_up)
{
	static struct net_frame f;
	uint32_t n = net_message(net_page(NET_DATA_PFN), buffer,
				 net_frame(buffer, 100, 1), NULL, 0);

	ck_assert_uint_eq(net_send(NET_PRIMARY, n), NVSP_STAT_SUCCESS);
	memset(net_page(NET_DATA_PFN) + 44, 0xFF, 6);
	net_message(net_page(NET_DATA_PFN), buffer, 100, NULL, 0);
	memset(net_page(NET_DATA_PFN) + 44, 0xFF, 6);
	ck_assert_uint_eq(net_send(NET_PRIMARY, n), NVSP_STAT_SUCCESS);
	memset(buffer, 0xFF, 6);
	buffer[0] = 0x33;
	wait_until(!net_mem_put(net_mem, 0, NULL, buffer, 90));
	net_get_frame(&f);
	ck_assert_uint_eq(net_query_u32(OID_GEN_XMIT_OK), 2);
	ck_assert_uint_eq(net_query_u32(OID_GEN_DIRECTED_FRAMES_XMIT), 1);
	ck_assert_uint_eq(net_query_u32(OID_GEN_DIRECTED_BYTES_XMIT), 100);
	ck_assert_uint_eq(net_query_u32(OID_GEN_BROADCAST_FRAMES_XMIT), 1);
	ck_assert_uint_eq(net_query_u32(OID_GEN_MULTICAST_FRAMES_XMIT), 0);
	ck_assert_uint_eq(net_query_u32(OID_GEN_RCV_OK), 1);
	ck_assert_uint_eq(net_query_u32(OID_GEN_MULTICAST_FRAMES_RCV), 1);
	ck_assert_uint_eq(net_query_u32(OID_GEN_MULTICAST_BYTES_RCV), 90);
}
END_TEST

/* --- the link ---------------------------------------------------------------------------- */

START_TEST(the_link_goes_and_comes)
{
	ck_assert(net_status().link);
	net_set_link(net_mem, false);
	ck_assert_uint_eq(net_get_indication(), RNDIS_STATUS_MEDIA_DISCONNECT);
	ck_assert_uint_eq(net_query_u32(OID_GEN_MEDIA_CONNECT_STATUS), 1);
	/* Not at once, but it comes. */
	net_set_link(net_mem, true);
	ck_assert_uint_eq(net_get_indication(), RNDIS_STATUS_MEDIA_CONNECT);
	ck_assert_uint_eq(net_query_u32(OID_GEN_MEDIA_CONNECT_STATUS), 0);
	ck_assert(net_status().link);
}
END_TEST

static void setup_slow_link(void)
{
	bus_setup();
	net_params.link_pace_ns = 300000000;
	net_make(VERSION_WIN10_V5_3, 1);
	net_open();
	net_start(1500);
}

/* Too fast for the guest to see: that it was away is said, once. */
START_TEST(the_link_flaps)
{
	net_set_link(net_mem, false);
	ck_assert_uint_eq(net_get_indication(), RNDIS_STATUS_MEDIA_DISCONNECT);
	net_set_link(net_mem, true);
	ck_assert_uint_eq(net_get_indication(), RNDIS_STATUS_MEDIA_CONNECT);
	net_set_link(net_mem, false);
	wait_until(!net_link(net_mem));
	net_set_link(net_mem, true);
	ck_assert_uint_eq(net_get_indication(), RNDIS_STATUS_NETWORK_CHANGE);
}
END_TEST

static void toggle(void *ctx)
{
	(void)ctx;
	net_set_link(net_mem, false);
	net_set_link(net_mem, true);
}

/* Both before the card looks, and nothing was said for long. */
START_TEST(the_link_flaps_while_nobody_looks)
{
	worker_call(card->channels[0]->worker, toggle, NULL);
	ck_assert_uint_eq(net_get_indication(), RNDIS_STATUS_NETWORK_CHANGE);
}
END_TEST

static void look(void *ctx)
{
	*(bool *)ctx = card->link_flapped;
}

/* Such as that a sub-channel was opened. */
START_TEST(what_else_wakes_a_card_is_no_change_of_the_link)
{
	struct netvsp_channel *c = card->channels[0];
	bool flapped;

	net_set_link(net_mem, false);
	ck_assert_uint_eq(net_get_indication(), RNDIS_STATUS_MEDIA_DISCONNECT);
	net_set_link(net_mem, true);
	ck_assert_uint_eq(net_get_indication(), RNDIS_STATUS_MEDIA_CONNECT);
	channel_wake(c->ch);
	worker_call(c->worker, look, &flapped);
	ck_assert(!flapped);
}
END_TEST

START_TEST(a_card_without_a_link)
{
	bus_setup();
	net_make(VERSION_WIN10_V5_3, 1);
	net_set_link(net_mem, false);
	net_open();
	net_start(1500);
	ck_assert_uint_eq(net_query_u32(OID_GEN_MEDIA_CONNECT_STATUS), 1);
	ck_assert(!net_status().link);
	net_set_link(net_mem, true);
	ck_assert_uint_eq(net_get_indication(), RNDIS_STATUS_MEDIA_CONNECT);
	net_end();
}
END_TEST

/* --- the end ---------------------------------------------------------------------------------- */

START_TEST(the_mtu_of_the_host)
{
	bus_setup();
	net_params.mtu = 1400;
	net_make(VERSION_WIN10_V5_3, 1);
	net_open();
	net_start(1500);
	ck_assert_uint_eq(net_query_u32(OID_GEN_MAXIMUM_FRAME_SIZE), 1400);
	ck_assert_uint_eq(net_linked, 1);
	net_end();
}
END_TEST

/* As for another MTU: all is shared anew. */
START_TEST(all_starts_over)
{
	static struct net_frame f;

	for (unsigned int i = 0; i < 5; i++) {
		struct vmbus_channel_offer_channel offer = {
			.child_relid = NET_PRIMARY->relid,
			.connection_id = NET_PRIMARY->connection_id};
		struct vmbus_channel_gpadl_torndown r;
		uint32_t id = 5;

		net_control(RNDIS_MSG_HALT, &id, sizeof(id));
		guest_close(NET_PRIMARY);
		guest_teardown(NET_PRIMARY->relid, NET_RECV_GPADL);
		guest_expect(CHANNELMSG_GPADL_TORNDOWN, &r, sizeof(r));
		guest_teardown(NET_PRIMARY->relid, NET_SEND_GPADL);
		guest_expect(CHANNELMSG_GPADL_TORNDOWN, &r, sizeof(r));
		ck_assert_uint_eq(net_status().version, 0);
		guest_open(NET_PRIMARY, &offer);
		net_start(1500 + i * 2000);
		wait_until(!net_mem_put(net_mem, 0, NULL, buffer,
					net_frame(buffer, 1000, 1)));
		net_get_frame(&f);
		ck_assert_uint_eq(f.bytes, 1000);
	}
}
END_TEST

/* Before vmbus 4.0 GPADLs go while the channel is open; revoked or not. */
START_TEST(buffers_are_taken_back)
{
	struct nvsp_message m = {.msg_type = NVSP_MSG1_TYPE_REVOKE_RECV_BUF,
				 .revoke_buf = {NETVSC_RECEIVE_BUFFER_ID}};
	struct vmbus_channel_gpadl_torndown r;

	if (_i) {
		net_say(&m);
		m.msg_type = NVSP_MSG1_TYPE_REVOKE_SEND_BUF;
		net_say(&m);
		net_say(&m); /* once more is fine */
	}
	guest_teardown(NET_PRIMARY->relid, NET_RECV_GPADL);
	guest_expect(CHANNELMSG_GPADL_TORNDOWN, &r, sizeof(r));
	guest_teardown(NET_PRIMARY->relid, NET_SEND_GPADL);
	guest_expect(CHANNELMSG_GPADL_TORNDOWN, &r, sizeof(r));
	net_message(net_page(NET_DATA_PFN), buffer, net_frame(buffer, 60, 1),
		    NULL, 0);
	ck_assert_uint_eq(net_send(NET_PRIMARY, 104), NVSP_STAT_SUCCESS);
	guest_close(NET_PRIMARY);
}
END_TEST

static unsigned int n_facts;

static void fact_number(void *ctx, const char *key, uint64_t value)
{
	(void)ctx;
	(void)key;
	(void)value;
	n_facts++;
}

static void fact_text(void *ctx, const char *key, const char *value)
{
	(void)ctx;
	if (!strcmp(key, "version"))
		ck_assert_str_eq(value, "6.1");
	if (!strcmp(key, "mac"))
		ck_assert_str_eq(value, "00:15:5d:01:02:03");
	n_facts++;
}

START_TEST(what_a_report_says)
{
	struct vsp_facts to = {.number = fact_number, .text = fact_text};

	n_facts = 0;
	netvsp_ops.facts(card, &to);
	ck_assert_uint_gt(n_facts, 20);
	ck_assert_str_eq(channel_name(netvsp_ops.channel(card)), "net0");
}
END_TEST

static void add_objects(TCase *t)
{
	tcase_add_loop_test(t, objects_that_are_numbers, 0,
			    G_N_ELEMENTS(numbers));
	tcase_add_test(t, the_list_of_objects);
	tcase_add_test(t, objects_that_are_not);
	tcase_add_test(t, friendly_name);
	tcase_add_loop_test(t, offload_capabilities, 0,
			    G_N_ELEMENTS(caps_rooms));
	tcase_add_test(t, no_room_for_capabilities);
	tcase_add_loop_test(t, offload_parameters, 0, G_N_ELEMENTS(params));
	tcase_add_test(t, rss_capabilities);
	tcase_add_loop_test(t, the_address_is_changed, 0, G_N_ELEMENTS(macs));
	tcase_add_test(t, a_parameter_whose_parts_are_elsewhere);
	tcase_add_test(t, multicast_lists);
	tcase_add_test(t, statistics_add_up);
}

int main(void)
{
	Suite *s = suite_create("vsp/netvsp/control");
	TCase *t = net_case(s, "alone", NULL);

	tcase_add_test(t, the_mtu_of_the_host);
	tcase_add_test(t, a_card_without_a_link);

	t = net_case(s, "buffers", setup_buffers);
	tcase_add_test(t, initialize);
	tcase_add_test(t, initialize_with_another_version);
	tcase_add_test(t, nothing_before_initialize);
	tcase_add_test(t, frames_before_initialize);
	tcase_add_test(t, requests_without_a_buffer_for_the_answer);

	t = net_case(s, "started", setup_started);
	tcase_add_test(t, keepalive);
	tcase_add_test(t, reset);
	tcase_add_test(t, halt);
	tcase_add_test(t, frames_after_halt);
	tcase_add_loop_test(t, messages_that_are_none, 0, G_N_ELEMENTS(bad));
	tcase_add_test(t, answers_wait_for_sections);
	add_objects(t);
	tcase_add_test(t, the_link_goes_and_comes);
	tcase_add_test(t, all_starts_over);
	tcase_add_loop_test(t, buffers_are_taken_back, 0, 2);
	tcase_add_test(t, what_a_report_says);

	t = net_case(s, "slow link", setup_slow_link);
	tcase_add_test(t, the_link_flaps);
	tcase_add_test(t, the_link_flaps_while_nobody_looks);
	tcase_add_test(t, what_else_wakes_a_card_is_no_change_of_the_link);
	return check_main(s);
}
