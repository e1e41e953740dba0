/* SPDX-License-Identifier: MIT */
/* Channel messages that go wrong: in the small, and with a guest. */
#include "vsp/vmbus/message_fault.h"

#include "base/clock.h"
#include "support/channel_bench.h"
#include "support/check_main.h"
#include "support/fault_rules.h"

#define A_MS NSEC_PER_MSEC

/* --- in the small ------------------------------------------------------------------- */

static struct message_fault fault;
static struct fault_message posted[32];
static unsigned int n_posted;
static bool full; /* there is no room */
static uint64_t now;

static int take(void *ctx, const struct fault_message *m)
{
	(void)ctx;
	if (full)
		return -EAGAIN;
	posted[n_posted++ % 32] = *m;
	return 0;
}

static int offer_message(uint32_t type, uint32_t relid)
{
	struct fault_message m = {.vp = 1, .sint = 2, .size = 16};

	memcpy(m.data, &type, sizeof(type));
	memcpy(m.data + 8, &relid, sizeof(relid));
	return message_fault_post(&fault, &m, now, take, NULL);
}

static uint32_t word(unsigned int message, size_t at)
{
	uint32_t value;

	memcpy(&value, posted[message].data + at, sizeof(value));
	return value;
}

static void small_setup(void)
{
	message_fault_reset(&fault);
	n_posted = 0;
	full = false;
	now = 1000;
}

static void small_teardown(void)
{
	fault_clear();
}

START_TEST(without_rules_it_is_not_there)
{
	ck_assert_int_eq(offer_message(CHANNELMSG_GPADL_CREATED, 7), 0);
	ck_assert_uint_eq(n_posted, 1);
	ck_assert_uint_eq(message_fault_deadline(&fault), UINT64_MAX);
	full = true;
	ck_assert_int_eq(offer_message(CHANNELMSG_GPADL_CREATED, 8), -EAGAIN);
}
END_TEST

START_TEST(one_is_lost)
{
	fault_rule("vmbus.message-out:op=GpadlCreated,nth=1,action=drop");
	ck_assert_int_eq(offer_message(CHANNELMSG_GPADL_TORNDOWN, 1), 0);
	ck_assert_int_eq(offer_message(CHANNELMSG_GPADL_CREATED, 2), 0);
	ck_assert_int_eq(offer_message(CHANNELMSG_GPADL_CREATED, 3), 0);
	ck_assert_uint_eq(n_posted, 2);
	ck_assert_uint_eq(word(1, 8), 3);
}
END_TEST

START_TEST(one_comes_twice_or_often)
{
	fault_rule("vmbus.message-out:nth=1,action=duplicate");
	fault_rule("vmbus.message-out:nth=2,action=storm,n=5");
	ck_assert_int_eq(offer_message(CHANNELMSG_GPADL_CREATED, 1), 0);
	ck_assert_uint_eq(n_posted, 2);
	ck_assert_int_eq(offer_message(CHANNELMSG_GPADL_CREATED, 2), 0);
	ck_assert_uint_eq(n_posted, 2 + 6);
}
END_TEST

/* No room between the copies: no more of them for that. */
START_TEST(what_has_no_room_is_decided_once)
{
	unsigned int id =
		fault_rule("vmbus.message-out:nth=1,action=duplicate");

	full = true;
	for (unsigned int i = 0; i < 3; i++)
		ck_assert_int_eq(offer_message(CHANNELMSG_GPADL_CREATED, 1),
				 -EAGAIN);
	full = false;
	ck_assert_int_eq(offer_message(CHANNELMSG_GPADL_CREATED, 1), 0);
	ck_assert_uint_eq(n_posted, 2);
	ck_assert_uint_eq(fault_hits(id), 1);
}
END_TEST

START_TEST(one_is_late_and_those_behind_it)
{
	fault_rule("vmbus.message-out:nth=1,action=delay,ms=50");
	ck_assert_int_eq(offer_message(CHANNELMSG_GPADL_CREATED, 1), -EAGAIN);
	ck_assert_uint_eq(message_fault_deadline(&fault), now + 50 * A_MS);
	now += 50 * A_MS - 1;
	ck_assert_int_eq(offer_message(CHANNELMSG_GPADL_CREATED, 1), -EAGAIN);
	now += 1;
	ck_assert_int_eq(offer_message(CHANNELMSG_GPADL_CREATED, 1), 0);
	ck_assert_int_eq(offer_message(CHANNELMSG_GPADL_CREATED, 2), 0);
	ck_assert_uint_eq(n_posted, 2);
	ck_assert_uint_eq(message_fault_deadline(&fault), UINT64_MAX);
}
END_TEST

/* Else its thread would spin until there is room. */
START_TEST(a_late_one_without_room_has_no_deadline)
{
	fault_rule("vmbus.message-out:nth=1,action=delay,ms=50");
	offer_message(CHANNELMSG_GPADL_CREATED, 1);
	now += 50 * A_MS;
	full = true;
	ck_assert_int_eq(offer_message(CHANNELMSG_GPADL_CREATED, 1), -EAGAIN);
	ck_assert_uint_eq(message_fault_deadline(&fault), UINT64_MAX);
}
END_TEST

START_TEST(one_is_overtaken)
{
	fault_rule("vmbus.message-out:nth=1,action=reorder,n=2");
	for (uint32_t i = 1; i <= 4; i++)
		ck_assert_int_eq(offer_message(CHANNELMSG_GPADL_CREATED, i), 0);
	ck_assert_uint_eq(n_posted, 4);
	ck_assert_uint_eq(word(0, 8), 2);
	ck_assert_uint_eq(word(1, 8), 3);
	ck_assert_uint_eq(word(2, 8), 1);
	ck_assert_uint_eq(word(3, 8), 4);
}
END_TEST

START_TEST(one_that_nobody_overtakes_comes_in_the_end)
{
	fault_rule("vmbus.message-out:nth=1,action=reorder,n=2");
	offer_message(CHANNELMSG_GPADL_CREATED, 1);
	ck_assert_uint_eq(n_posted, 0);
	now = message_fault_deadline(&fault);
	ck_assert_uint_le(now, 1000 + 1000 * A_MS);
	full = true;
	message_fault_run(&fault, now, take, NULL);
	ck_assert_uint_eq(message_fault_deadline(&fault), UINT64_MAX);
	full = false;
	message_fault_run(&fault, now, take, NULL);
	ck_assert_uint_eq(n_posted, 1);
}
END_TEST

static const struct {
	const char *scenario;
	size_t at, size;
	uint32_t not ; /* what it ought to be */
} wrong[] = {
	{"hostile-message-relid", 8, 16, 7},
	{"hostile-message-garbage", 8, 16, 7},
};

START_TEST(scenarios_of_wrong_messages)
{
	fault_scenario(wrong[_i].scenario);
	ck_assert_int_eq(offer_message(CHANNELMSG_OPENCHANNEL_RESULT, 7), 0);
	ck_assert_uint_eq(word(0, 0), CHANNELMSG_OPENCHANNEL_RESULT);
	ck_assert_uint_ne(word(0, wrong[_i].at), wrong[_i].not );
	ck_assert_uint_eq(posted[0].size, wrong[_i].size);
}
END_TEST

START_TEST(kinds_of_wrong_messages)
{
	fault_rule("vmbus.message-out:nth=1,action=corrupt,kind=type");
	fault_rule("vmbus.message-out:nth=2,action=corrupt,kind=short");
	fault_rule("vmbus.message-out:nth=3,action=corrupt,kind=relid-beyond");
	for (unsigned int i = 0; i < 4; i++)
		offer_message(CHANNELMSG_GPADL_CREATED, 7);
	ck_assert_uint_gt(word(0, 0), CHANNELMSG_MAX);
	ck_assert_uint_eq(posted[1].size, 8);
	ck_assert_uint_ge(word(2, 8), MAX_CHANNEL_RELIDS);
	ck_assert_uint_eq(word(3, 8), 7);
}
END_TEST

/* --- with a guest ---------------------------------------------------------------------- */

static void bench_teardown(void)
{
	dev_teardown();
	fault_clear();
}

static void connect_with(uint32_t version, uint32_t *supported)
{
	struct vmbus_channel_initiate_contact m = {
		.vmbus_version_requested = version,
		.target_vcpu = BUS_VP,
		.interrupt_page = version >= VERSION_WIN10_V5
					  ? VMBUS_MESSAGE_SINT
					  : 5 * PAGE,
		.monitor_page1 = 6 * PAGE,
		.monitor_page2 = 7 * PAGE};
	struct vmbus_channel_version_response r;

	guest_send(&m, CHANNELMSG_INITIATE_CONTACT);
	guest_expect(CHANNELMSG_VERSION_RESPONSE, &r, sizeof(r));
	*supported = r.version_supported;
}

START_TEST(a_message_is_late)
{
	uint64_t before = clock_monotonic_ns();

	fault_scenario("bus-late-messages");
	guest_connect(VERSION_WIN10_V5_3);
	ck_assert_uint_ge(clock_monotonic_ns() - before, 200 * A_MS);
	start();
	ping(1);
}
END_TEST

START_TEST(the_host_is_older_than_it_says)
{
	uint32_t supported;

	fault_scenario("bus-old-version");
	connect_with(VERSION_WIN10_V5_3, &supported);
	ck_assert_uint_eq(supported, 0);
	connect_with(VERSION_WIN10_V4_1, &supported);
	ck_assert_uint_eq(supported, 0);
	start_version(VERSION_WIN10);
	ping(1);
}
END_TEST

START_TEST(no_version_is_good_enough)
{
	uint32_t supported;

	fault_rule("vmbus.version:count=1,action=fail");
	connect_with(VERSION_WIN10, &supported);
	ck_assert_uint_eq(supported, 0);
	start();
}
END_TEST

/* The scenario's rule, for which every second one would do. */
START_TEST(the_host_is_busy)
{
	struct hv_input_post_message in = {.connectionid =
						   VMBUS_MESSAGE_CONNECTION_ID,
					   .message_type = HVMSG_VMBUS,
					   .payload_size = 8,
					   .payload = {CHANNELMSG_UNLOAD}};
	unsigned int busy = 0;

	guest_connect(VERSION_WIN10_V5_3);
	fault_rule("vmbus.message-in:every=2,action=fail,"
		   "status=insufficient-buffers");
	for (unsigned int i = 0; i < 10; i++)
		busy += ports_post_message(ports, BUS_VP, &in) ==
			HV_STATUS_INSUFFICIENT_BUFFERS;
	ck_assert_uint_eq(busy, 5);
	fault_clear();
	for (unsigned int i = 0; i < 5; i++)
		guest_expect(CHANNELMSG_UNLOAD_RESPONSE, NULL, 0);
	start();
}
END_TEST

START_TEST(messages_of_the_guest_are_lost_or_come_twice)
{
	struct vmbus_channel_message_header m = {.msgtype = CHANNELMSG_UNLOAD};

	guest_connect(VERSION_WIN10_V5_3);
	fault_rule("vmbus.message-in:op=Unload,nth=1,action=drop");
	fault_rule("vmbus.message-in:op=Unload,nth=2,action=duplicate");
	guest_post(&m, sizeof(m));
	guest_post(&m, sizeof(m));
	guest_expect(CHANNELMSG_UNLOAD_RESPONSE, NULL, 0);
	guest_expect(CHANNELMSG_UNLOAD_RESPONSE, NULL, 0);
	start();
	ck_assert(!guest_has_message());
}
END_TEST

START_TEST(a_channel_cannot_be_opened)
{
	fault_scenario("bus-open-fails");
	guest_connect(VERSION_WIN10_V5_3);
	guest_request_offers(&offer, 1);
	ck_assert_uint_ne(guest_try_open(&guest, &offer), 0);
	ck_assert_uint_eq(dev.opens, 0);
}
END_TEST

static const struct {
	const char *rule;
	bool scenario;
	size_t at;
} offers[] = {
	{"hostile-offer-relid-beyond", true,
	 offsetof(struct vmbus_channel_offer_channel, child_relid)},
	{"hostile-offer-sub-index", true,
	 offsetof(struct vmbus_channel_offer_channel, offer.sub_channel_index)},
	{"vmbus.offer:device=test,action=corrupt,kind=relid-zero", false,
	 offsetof(struct vmbus_channel_offer_channel, child_relid)},
	{"vmbus.offer:action=corrupt,kind=class", false,
	 offsetof(struct vmbus_channel_offer_channel, offer.if_type)},
	{"vmbus.offer:action=corrupt,kind=connection", false,
	 offsetof(struct vmbus_channel_offer_channel, connection_id)},
	{"vmbus.offer:action=corrupt,kind=monitor", false,
	 offsetof(struct vmbus_channel_offer_channel, monitor_allocated)},
};

START_TEST(an_offer_lies)
{
	struct vmbus_channel_offer_channel truth, lie;
	const uint8_t *a = (uint8_t *)&truth, *b = (uint8_t *)&lie;

	guest_connect(VERSION_WIN10_V5_3);
	guest_request_offers(&truth, 1);
	if (offers[_i].scenario)
		fault_scenario(offers[_i].rule);
	else
		fault_rule(offers[_i].rule);
	guest_connect(VERSION_WIN10_V5_3);
	guest_request_offers(&lie, 1);
	ck_assert_mem_ne(a + offers[_i].at, b + offers[_i].at, 1);
	fault_clear();
	start();
	ping(1);
}
END_TEST

START_TEST(an_offer_has_the_channel_of_another)
{
	struct channel_params p = params_of(2);
	struct vmbus_channel_offer_channel two[2];
	struct channel *second = channel_new(bus, &p, &ops, &dev);

	ck_assert_int_eq(channel_offer(second), 0);
	fault_scenario("hostile-offer-stale");
	guest_connect(VERSION_WIN10_V5_3);
	guest_request_offers(two, 2);
	ck_assert_uint_eq(two[1].child_relid, 1);
	channel_free(second);
}
END_TEST

START_TEST(an_offer_comes_twice_or_not_at_all)
{
	struct vmbus_channel_offer_channel two[2];

	fault_scenario("hostile-offer-twice");
	guest_connect(VERSION_WIN10_V5_3);
	guest_request_offers(two, 2);
	ck_assert_mem_eq(&two[0], &two[1], sizeof(two[0]));
	fault_clear();
	fault_rule("vmbus.offer:action=drop");
	guest_connect(VERSION_WIN10_V5_3);
	guest_request_offers(two, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/message_fault");
	TCase *t = tcase_create("small");

	tcase_add_checked_fixture(t, small_setup, small_teardown);
	tcase_add_test(t, without_rules_it_is_not_there);
	tcase_add_test(t, one_is_lost);
	tcase_add_test(t, one_comes_twice_or_often);
	tcase_add_test(t, what_has_no_room_is_decided_once);
	tcase_add_test(t, one_is_late_and_those_behind_it);
	tcase_add_test(t, a_late_one_without_room_has_no_deadline);
	tcase_add_test(t, one_is_overtaken);
	tcase_add_test(t, one_that_nobody_overtakes_comes_in_the_end);
	tcase_add_loop_test(t, scenarios_of_wrong_messages, 0,
			    G_N_ELEMENTS(wrong));
	tcase_add_test(t, kinds_of_wrong_messages);
	suite_add_tcase(s, t);
	t = tcase_create("guest");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, dev_setup, bench_teardown);
	tcase_add_test(t, a_message_is_late);
	tcase_add_test(t, the_host_is_older_than_it_says);
	tcase_add_test(t, no_version_is_good_enough);
	tcase_add_test(t, the_host_is_busy);
	tcase_add_test(t, messages_of_the_guest_are_lost_or_come_twice);
	tcase_add_test(t, a_channel_cannot_be_opened);
	tcase_add_loop_test(t, an_offer_lies, 0, G_N_ELEMENTS(offers));
	tcase_add_test(t, an_offer_has_the_channel_of_another);
	tcase_add_test(t, an_offer_comes_twice_or_not_at_all);
	suite_add_tcase(s, t);
	return check_main(s);
}
