/* SPDX-License-Identifier: MIT */
#include <glib.h>

#include "support/hc_guest.h"

#define POST   HVCALL_POST_MESSAGE
#define SIGNAL HVCALL_SIGNAL_EVENT

static struct hv_input_post_message got;
static unsigned int n_messages, n_signals;
static uint32_t from_vp;
static uint16_t got_flag;
static hv_status_t answer;

static hv_status_t on_message(void *ctx, uint32_t vp,
			      const struct hv_input_post_message *msg)
{
	(void)ctx;
	n_messages++;
	from_vp = vp;
	got = *msg;
	return answer;
}

static hv_status_t on_event(void *ctx, uint32_t vp, uint16_t flag)
{
	(void)ctx;
	n_signals++;
	from_vp = vp;
	got_flag = flag;
	return answer;
}

static void setup(void)
{
	hc_setup();
	ck_assert_int_eq(ports_add_message(hc.ports, 1, on_message, NULL), 0);
	ck_assert_int_eq(ports_add_event(hc.ports, 0x2005, 4, on_event, NULL),
			 0);
}

static hv_status_t post(uint32_t conn, uint32_t reserved, uint32_t type,
			uint32_t size)
{
	struct hv_input_post_message in = {conn, reserved, type, size, {0}};

	memset(in.payload, 0x77, sizeof(in.payload));
	hc_put(HC_IN, &in, sizeof(in));
	return (hv_status_t)hc_call(POST, HC_IN, 0);
}

START_TEST(message_arrives)
{
	ck_assert_uint_eq(post(1, 0, 1, 24), HV_STATUS_SUCCESS);
	ck_assert_uint_eq(n_messages, 1);
	ck_assert_uint_eq(from_vp, hc.vp);
	ck_assert_uint_eq(got.message_type, 1);
	ck_assert_uint_eq(got.payload_size, 24);
	ck_assert_uint_eq(got.payload[23], 0x77);
	ck_assert_uint_eq(hc_call32(POST, HC_IN, 0), HV_STATUS_SUCCESS);
	ck_assert_uint_eq(n_messages, 2);
}
END_TEST

static const struct {
	const char *what;
	uint32_t conn, reserved, type, size;
	hv_status_t status;
} messages[] = {
	{"largest payload", 1, 0, 1, 240, 0},
	{"payload too large", 1, 0, 1, 241, HV_STATUS_INVALID_PARAMETER},
	{"payload far too large", 1, 0, 1, ~0u, HV_STATUS_INVALID_PARAMETER},
	{"type 0", 1, 0, 0, 8, HV_STATUS_INVALID_PARAMETER},
	{"hypervisor's type", 1, 0, 0x80000001, 8, HV_STATUS_INVALID_PARAMETER},
	{"reserved field", 1, 1, 1, 8, HV_STATUS_INVALID_PARAMETER},
	{"no such connection", 9, 0, 1, 8, HV_STATUS_INVALID_CONNECTION_ID},
	{"an event's connection", 0x2005, 0, 1, 8, HV_STATUS_INVALID_PORT_ID},
};

START_TEST(message_cases)
{
	hv_status_t status = post(messages[_i].conn, messages[_i].reserved,
				  messages[_i].type, messages[_i].size);

	ck_assert_msg(status == messages[_i].status, "%s: %u",
		      messages[_i].what, status);
	ck_assert_uint_eq(n_messages, status ? 0 : 1);
}
END_TEST

START_TEST(port_answers)
{
	answer = HV_STATUS_INSUFFICIENT_BUFFERS;
	ck_assert_uint_eq(post(1, 0, 1, 8), HV_STATUS_INSUFFICIENT_BUFFERS);
}
END_TEST

START_TEST(signal_fast)
{
	ck_assert_uint_eq(hc_call(SIGNAL | HC_FAST, 0x2005 | 3ull << 32, 0), 0);
	ck_assert_uint_eq(n_signals, 1);
	ck_assert_uint_eq(from_vp, hc.vp);
	ck_assert_uint_eq(got_flag, 3);
	ck_assert_uint_eq(hc_call32(SIGNAL | HC_FAST, 0x2005, 0), 0);
	ck_assert_uint_eq(got_flag, 0);
}
END_TEST

START_TEST(signal_in_memory)
{
	struct hv_input_signal_event in = {0x2005, 2, 0};

	hc_put(HC_IN, &in, sizeof(in));
	ck_assert_uint_eq(hc_call(SIGNAL, HC_IN, 0), 0);
	ck_assert_uint_eq(got_flag, 2);
}
END_TEST

static const struct {
	const char *what;
	uint64_t param;
	hv_status_t status;
} signals[] = {
	{"reserved field", 0x2005 | 1ull << 48, HV_STATUS_INVALID_PARAMETER},
	{"flag out of range", 0x2005 | 4ull << 32, HV_STATUS_INVALID_PARAMETER},
	{"no such connection", 0x2006, HV_STATUS_INVALID_CONNECTION_ID},
	{"bits above an id", 0x01002005, HV_STATUS_INVALID_CONNECTION_ID},
	{"a message's connection", 1, HV_STATUS_INVALID_PORT_ID},
};

START_TEST(signal_cases)
{
	hv_status_t status =
		(hv_status_t)hc_call(SIGNAL | HC_FAST, signals[_i].param, 0);

	ck_assert_msg(status == signals[_i].status, "%s: %u", signals[_i].what,
		      status);
	ck_assert_uint_eq(n_signals, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hypercalls/hc_message");
	TCase *t = tcase_create("message");

	tcase_add_checked_fixture(t, setup, hc_teardown);
	tcase_add_test(t, message_arrives);
	tcase_add_loop_test(t, message_cases, 0, (int)G_N_ELEMENTS(messages));
	tcase_add_test(t, port_answers);
	tcase_add_test(t, signal_fast);
	tcase_add_test(t, signal_in_memory);
	tcase_add_loop_test(t, signal_cases, 0, (int)G_N_ELEMENTS(signals));
	suite_add_tcase(s, t);
	return check_main(s);
}
