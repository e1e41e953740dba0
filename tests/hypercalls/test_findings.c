/* SPDX-License-Identifier: MIT */
/* Rules about hypercalls: who keeps them is clean, who breaks them is found. */
#include "support/hc_guest.h"

#include "proto/hv_tlfs.h"
#include "support/finding_cases.h"

#define CONNECTION 1u

static hv_status_t status_of_port;

static hv_status_t on_message(void *ctx, uint32_t vp,
			      const struct hv_input_post_message *msg)
{
	(void)ctx;
	(void)vp;
	(void)msg;
	return status_of_port;
}

static void post(uint32_t connection)
{
	struct hv_input_post_message m = {.connectionid = connection,
					  .message_type = 1,
					  .payload_size = 8};

	hc_put(HC_IN, &m, sizeof(m));
	hc_call(HVCALL_POST_MESSAGE, HC_IN, 0);
}

/* Calls that are in order, also when there is no room for their message. */
static void behave(void)
{
	ck_assert_int_eq(
		ports_add_message(hc.ports, CONNECTION, on_message, NULL), 0);
	status_of_port = HV_STATUS_SUCCESS;
	post(CONNECTION);
	status_of_port = HV_STATUS_INSUFFICIENT_BUFFERS;
	post(CONNECTION);
	hc_call(HVCALL_NOTIFY_LONG_SPIN_WAIT | HV_HYPERCALL_FAST_BIT, 1, 0);
	hc_call32(HVCALL_NOTIFY_LONG_SPIN_WAIT | HV_HYPERCALL_FAST_BIT, 1, 0);
	/* The host may have just rescinded that channel. */
	ck_assert_uint_eq(
		hc_call(HVCALL_SIGNAL_EVENT | HV_HYPERCALL_FAST_BIT, 0x2077, 0),
		HV_STATUS_INVALID_CONNECTION_ID);
}

static void unknown(void)
{
	ck_assert_uint_eq(hc_call(0x7777, 0, 0),
			  HV_STATUS_INVALID_HYPERCALL_CODE);
}

static void no_rights(void)
{
	hc.params.privileges = 0;
	hc_renew();
	ck_assert_uint_eq(
		hc_call(HVCALL_SIGNAL_EVENT | HV_HYPERCALL_FAST_BIT, 0x2001, 0),
		HV_STATUS_ACCESS_DENIED);
}

static void reserved_bit(void)
{
	ck_assert_uint_eq(hc_call(HVCALL_SIGNAL_EVENT | HV_HYPERCALL_FAST_BIT |
					  1ull << 63,
				  0x2001, 0),
			  HV_STATUS_INVALID_HYPERCALL_INPUT);
}

static void not_aligned(void)
{
	ck_assert_uint_eq(hc_call(HVCALL_POST_MESSAGE, HC_IN + 4, 0),
			  HV_STATUS_INVALID_ALIGNMENT);
}

static void bad_parameter(void)
{
	struct hv_input_post_message m = {.connectionid = CONNECTION};

	hc_put(HC_IN, &m, sizeof(m));
	ck_assert_uint_eq(hc_call(HVCALL_POST_MESSAGE, HC_IN, 0),
			  HV_STATUS_INVALID_PARAMETER);
}

static void user_mode(void)
{
	struct hypercall_regs regs = hc_regs64(HVCALL_SIGNAL_EVENT, 0, 0);

	ck_assert_int_eq(hypercalls_call(hc.calls, 0, &regs, true, 3, true),
			 HYPERCALL_UD);
}

static void nowhere(void)
{
	post(CONNECTION + 1);
}

static const struct finding_case cases[] = {
	{FINDING_HYPERCALL_UNKNOWN, "0x7777", behave, unknown},
	{FINDING_HYPERCALL_RIGHTS, "SignalEvent", behave, no_rights},
	{FINDING_HYPERCALL_INPUT, "SignalEvent", behave, reserved_bit},
	{FINDING_HYPERCALL_MEMORY, "PostMessage", behave, not_aligned},
	{FINDING_HYPERCALL_PARAMETER, "PostMessage", behave, bad_parameter},
	{FINDING_HYPERCALL_MODE, "0x005d", behave, user_mode},
	{FINDING_POST_CONNECTION, "PostMessage", behave, nowhere},
};

START_TEST(rules_of_hypercalls)
{
	finding_run(&cases[_i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("findings");
	TCase *tc = tcase_create("findings");

	tcase_add_checked_fixture(tc, hc_setup, hc_teardown);
	tcase_add_loop_test(tc, rules_of_hypercalls, 0, G_N_ELEMENTS(cases));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
