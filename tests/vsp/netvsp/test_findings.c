/* SPDX-License-Identifier: MIT */
/* Rules about what a network driver says and sends. */
#include "support/net_data.h"

#include "support/finding_cases.h"

static uint32_t send_frame(void)
{
	return net_send(NET_PRIMARY,
			net_message(net_page(NET_DATA_PFN), frame,
				    net_frame(frame, 100, 1), NULL, 0));
}

/* From the handshake to frames each way, and objects that there are not. */
static void work(void)
{
	static struct net_frame f;
	uint32_t value, bytes = sizeof(value);

	net_start(1500);
	ck_assert_uint_eq(send_frame(), NVSP_STAT_SUCCESS);
	put(NULL, net_frame(frame, 100, 2));
	net_get_frame(&f);
	ck_assert_uint_ne(net_query(0x12345678, &value, &bytes), 0);
	ck_assert_uint_ne(net_set(0x12345678, &value, sizeof(value)), 0);
	net_query_u32(OID_GEN_LINK_SPEED);
}

/* As Linux: down with the filter, then the buffers. */
static void stop(void)
{
	struct nvsp_message m = {.msg_type = NVSP_MSG1_TYPE_REVOKE_RECV_BUF,
				 .revoke_buf.id = NETVSC_RECEIVE_BUFFER_ID};

	work();
	net_set_filter(0);
	ck_assert_uint_eq(net_control(RNDIS_MSG_HALT, &(uint32_t){1}, 4),
			  NVSP_STAT_SUCCESS);
	net_say(&m);
	m = (struct nvsp_message){.msg_type = NVSP_MSG1_TYPE_REVOKE_SEND_BUF};
	net_say(&m);
	ck_assert_uint_eq(net_say_recv_buf(NET_RECV_GPADL), NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(net_say_send_buf(NET_SEND_GPADL), NVSP_STAT_SUCCESS);
}

static void init_again(void)
{
	net_say_version(NVSP_PROTOCOL_VERSION_61, NVSP_PROTOCOL_VERSION_61);
}

static void section_nowhere(void)
{
	struct net_place at = {.section = 1000000, .section_bytes = 100};
	struct nvsp_message m;

	wait_until(
		net_try_put_rndis(NET_PRIMARY, 0xD0, NVSP_CHANNEL_DATA, &at));
	net_get_completion(NET_PRIMARY, 0xD0, &m);
}

static void data_beyond_message(void)
{
	uint32_t n = net_message(net_page(NET_DATA_PFN), frame,
				 net_frame(frame, 100, 1), NULL, 0);
	uint32_t too_much = 101;

	memcpy(net_page(NET_DATA_PFN) + 12, &too_much, sizeof(too_much));
	ck_assert_uint_eq(net_send(NET_PRIMARY, n),
			  NVSP_STAT_INVALID_RNDIS_PKT);
}

static void query_before_init(void)
{
	struct rndis_oid_request q = {.oid = OID_GEN_LINK_SPEED};

	ck_assert_uint_eq(net_control(RNDIS_MSG_QUERY, &q, sizeof(q)),
			  NVSP_STAT_FAIL);
}

static void completion_of_none(void)
{
	net_done(NET_PRIMARY, 777);
	wait_until(findings_total());
}

static const struct finding_case cases[] = {
	{FINDING_NETWORK_ORDER, "net0", work, init_again},
	{FINDING_NETWORK_BUFFER, "net0", work, section_nowhere},
	{FINDING_RNDIS_LENGTH, "net0", work, data_beyond_message},
	{FINDING_RNDIS_ORDER, "net0", stop, query_before_init},
	{FINDING_COMPLETION_UNKNOWN, "net0", work, completion_of_none},
};

START_TEST(rules_of_networks)
{
	finding_run(&cases[_i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vsp/netvsp/findings");

	tcase_add_loop_test(net_case(suite, "findings", setup_host),
			    rules_of_networks, 0, G_N_ELEMENTS(cases));
	return check_main(suite);
}
