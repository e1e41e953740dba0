/* SPDX-License-Identifier: MIT */
#include "vsp/synthkbd.h"

#include "proto/synthkbd.h"
#include "support/input_bench.h"
#include "support/turns.h"

static struct synthkbd *kbd;
static void kbd_setup(void)
{
	struct vsp_params p = input_begin("keyboard");

	kbd = synthkbd_new(&p);
	ck_assert_ptr_nonnull(kbd);
	/* A second one has no place. */
	ck_assert_ptr_null(synthkbd_new(&p));
	input_open();
}

static void kbd_teardown(void)
{
	input_end(&synthkbd_ops, kbd);
	synthkbd_free(NULL);
}

/* The next packet, which is in-band and has @bytes. */
static const void *next_message(uint32_t bytes)
{
	const struct packet *p = input_packet();

	ck_assert_uint_eq(p->bytes, (bytes + 7) / 8 * 8);
	return p->data;
}

/* Ask for @version as Linux does. Return: proto_status. */
static uint32_t request(uint32_t version)
{
	struct synth_kbd_protocol_request m = {
		.header.type = SYNTH_KBD_PROTOCOL_REQUEST,
		.version_requested = version};
	struct synth_kbd_protocol_response r;

	guest_put(&guest, 0x1234, &m, sizeof(m));
	memcpy(&r, next_message(sizeof(r)), sizeof(r));
	ck_assert_uint_eq(r.header.type, SYNTH_KBD_PROTOCOL_RESPONSE);
	return r.proto_status;
}

static struct synthkbd_status status(void)
{
	struct synthkbd_status s;

	synthkbd_get_status(kbd, &s);
	return s;
}

/* The response is there before ready() was called. */
static void connect_driver(void)
{
	ck_assert_uint_eq(request(SYNTH_KBD_VERSION),
			  SYNTH_KBD_PROTOCOL_ACCEPTED);
	wait_until(status().ready);
}

static void expect_key(uint16_t make_code, uint32_t info)
{
	struct synth_kbd_keystroke m;

	memcpy(&m, next_message(sizeof(m)), sizeof(m));
	ck_assert_uint_eq(m.header.type, SYNTH_KBD_EVENT);
	ck_assert_uint_eq(m.make_code, make_code);
	ck_assert_uint_eq(m.reserved0, 0);
	ck_assert_uint_eq(m.info, info);
}

static int type(uint16_t make_code, uint16_t info)
{
	struct synthkbd_key key = {.make_code = make_code, .info = info};

	return synthkbd_type(kbd, &key, 1);
}

START_TEST(keys_come_in_order)
{
	const struct synthkbd_key keys[] = {
		{0x1D, 0},
		{0x53, SYNTH_KBD_IS_E0},
		{0x53, SYNTH_KBD_IS_E0 | SYNTH_KBD_IS_BREAK},
		{0x1D, SYNTH_KBD_IS_E1 | SYNTH_KBD_IS_BREAK},
	};

	ck_assert_uint_eq(offer.offer.chn_flags, 0);
	connect_driver();
	wait_until(readies == 1);
	ck_assert_int_eq(synthkbd_type(kbd, keys, G_N_ELEMENTS(keys)), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
		expect_key(keys[i].make_code, keys[i].info);
	wait_until(status().typed == G_N_ELEMENTS(keys));
	ck_assert_uint_eq(status().n_waiting, 0);
}
END_TEST

START_TEST(versions_that_there_are_not)
{
	static const uint32_t versions[] = {0, 1, 0x00010001, 0x00020000, ~0u};

	for (size_t i = 0; i < G_N_ELEMENTS(versions); i++)
		ck_assert_uint_eq(request(versions[i]), 0);
	ck_assert_int_eq(type(1, 0), -ENOTCONN);
	ck_assert_uint_eq(readies, 0);
	/* The guest may try another one. */
	connect_driver();
	ck_assert_int_eq(type(1, 0), 0);
	expect_key(1, 0);
}
END_TEST

START_TEST(a_driver_that_begins_anew)
{
	connect_driver();
	ck_assert_uint_eq(request(0), 0);
	wait_until(!status().ready);
	connect_driver();
	wait_until(readies == 2);
}
END_TEST

START_TEST(nobody_types_without_a_reader)
{
	ck_assert_int_eq(type(1, 0), -ENOTCONN);
	ck_assert_int_eq(synthkbd_type(kbd, NULL, 0), -ENOTCONN);
	connect_driver();
	ck_assert_int_eq(synthkbd_type(kbd, NULL, 0), 0);
	guest_close(&guest);
	ck_assert_int_eq(type(1, 0), -ENOTCONN);
	ck_assert(!status().ready);
	guest_open(&guest, &offer);
	ck_assert_int_eq(type(1, 0), -ENOTCONN);
	connect_driver();
	ck_assert_int_eq(type(2, 0), 0);
	expect_key(2, 0);
}
END_TEST

START_TEST(no_such_keys)
{
	connect_driver();
	ck_assert_int_eq(type(0, 0), -EINVAL);
	ck_assert_int_eq(type(0x80, 0), -EINVAL);
	ck_assert_int_eq(type(0x61, SYNTH_KBD_IS_UNICODE), -EINVAL);
	ck_assert_int_eq(type(0x61, 1 << 4), -EINVAL);
}
END_TEST

START_TEST(what_does_not_fit_waits_and_is_bounded)
{
	static struct synthkbd_key keys[SYNTHKBD_QUEUE_MAX];
	unsigned int accepted = 0;

	for (unsigned int i = 0; i < SYNTHKBD_QUEUE_MAX; i++)
		keys[i].make_code = (uint16_t)(1 + i % 0x7F);
	connect_driver();
	/* A batch does not fit into the ring, which the guest leaves alone. */
	do
		accepted++;
	while (!synthkbd_type(kbd, keys, SYNTHKBD_QUEUE_MAX));
	ck_assert_int_eq(synthkbd_type(kbd, keys, SYNTHKBD_QUEUE_MAX),
			 -ENOBUFS);
	ck_assert_uint_ge(status().n_waiting, 1);
	for (unsigned int n = 1; n < accepted; n++)
		for (unsigned int i = 0; i < SYNTHKBD_QUEUE_MAX; i++)
			expect_key(keys[i].make_code, 0);
	wait_until(status().typed == (accepted - 1) * SYNTHKBD_QUEUE_MAX);
	ck_assert_uint_eq(status().dropped, 0);
}
END_TEST

START_TEST(what_waits_is_dropped_with_the_driver)
{
	static struct synthkbd_key keys[SYNTHKBD_QUEUE_MAX];
	struct synthkbd_status s;

	for (unsigned int i = 0; i < SYNTHKBD_QUEUE_MAX; i++)
		keys[i].make_code = 5;
	connect_driver();
	ck_assert_int_eq(synthkbd_type(kbd, keys, SYNTHKBD_QUEUE_MAX), 0);
	guest_close(&guest);
	s = status();
	ck_assert_uint_ge(s.dropped, 1);
	ck_assert_uint_eq(s.typed + s.dropped, SYNTHKBD_QUEUE_MAX);
	guest_open(&guest, &offer);
	connect_driver();
	ck_assert_int_eq(type(9, 0), 0);
	expect_key(9, 0);
}
END_TEST

START_TEST(lights)
{
	struct synth_kbd_led_indicators m = {
		.header.type = SYNTH_KBD_LED_INDICATORS,
		.led_flags = SYNTH_KBD_LED_CAPS_LOCK};

	guest_put(&guest, 0, &m, sizeof(m));
	wait_until(status().leds == SYNTH_KBD_LED_CAPS_LOCK);
}
END_TEST

START_TEST(what_the_report_says)
{
	GString *s = g_string_new(NULL);

	ck_assert_str_eq(channel_name(synthkbd_ops.channel(kbd)), "keyboard");
	connect_driver();
	ck_assert_int_eq(type(1, 0), 0);
	expect_key(1, 0);
	wait_until(status().typed);
	synthkbd_ops.facts(
		kbd, &(struct vsp_facts){.number = input_on_number, .ctx = s});
	ck_assert_str_eq(s->str, "ready=1 leds=0 waiting=0 typed=1 dropped=0 ");
	g_string_free(s, true);
}
END_TEST

START_TEST(completions_are_nothing)
{
	ck_assert(ring_peer_send(&guest.ring, VM_PKT_COMP, false, 7, "x", 1));
	guest_ring_bell(&guest);
	connect_driver();
}
END_TEST

/* --- guests that break the protocol ---------------------------------------- */

static const struct {
	const char *what;
	uint32_t words[3];
	uint32_t bytes;
	uint16_t type;
} crimes[] = {
	{"nothing", {0}, 0, VM_PKT_DATA_INBAND},
	{"type 0", {0, SYNTH_KBD_VERSION}, 8, VM_PKT_DATA_INBAND},
	{"a response", {SYNTH_KBD_PROTOCOL_RESPONSE, 1}, 8, VM_PKT_DATA_INBAND},
	{"a key", {SYNTH_KBD_EVENT, 1, 0}, 12, VM_PKT_DATA_INBAND},
	{"an unknown type", {5, 0}, 8, VM_PKT_DATA_INBAND},
	{"a type with high bits",
	 {SYNTH_KBD_PROTOCOL_REQUEST | 1u << 16, SYNTH_KBD_VERSION},
	 8,
	 VM_PKT_DATA_INBAND},
};

START_TEST(who_breaks_the_protocol_loses_the_keyboard)
{
	connect_driver();
	ck_assert(ring_peer_send(&guest.ring, crimes[_i].type, false, 0,
				 crimes[_i].words, crimes[_i].bytes));
	guest_ring_bell(&guest);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	wait_until(!status().ready);
	ck_assert_int_eq(type(1, 0), -ENOTCONN);
}
END_TEST

START_TEST(a_packet_that_is_too_long)
{
	static const uint32_t words[65] = {SYNTH_KBD_PROTOCOL_REQUEST,
					   SYNTH_KBD_VERSION};

	guest_put(&guest, 0, words, sizeof(words));
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
}
END_TEST

/* Ask again and again, and read no answer: they are held back, none is lost. */
START_TEST(requests_wait_for_room)
{
	struct synth_kbd_protocol_request m = {
		.header.type = SYNTH_KBD_PROTOCOL_REQUEST,
		.version_requested = SYNTH_KBD_VERSION};
	struct synth_kbd_protocol_response r;
	unsigned int sent = 0;

	for (unsigned int idle = 0; idle < 10000; idle++) {
		if (guest_try_put(&guest, 0, &m, sizeof(m))) {
			sent++;
			idle = 0;
		}
		give_way();
	}
	ck_assert_uint_gt(sent, 3 * PAGE / 32);
	while (sent--) {
		memcpy(&r, next_message(sizeof(r)), sizeof(r));
		ck_assert_uint_eq(r.header.type, SYNTH_KBD_PROTOCOL_RESPONSE);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/synthkbd");
	TCase *t = tcase_create("keyboard");

	log_set_level("error");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, kbd_setup, kbd_teardown);
	tcase_add_test(t, keys_come_in_order);
	tcase_add_test(t, versions_that_there_are_not);
	tcase_add_test(t, a_driver_that_begins_anew);
	tcase_add_test(t, nobody_types_without_a_reader);
	tcase_add_test(t, no_such_keys);
	tcase_add_test(t, what_does_not_fit_waits_and_is_bounded);
	tcase_add_test(t, what_waits_is_dropped_with_the_driver);
	tcase_add_test(t, lights);
	tcase_add_test(t, what_the_report_says);
	tcase_add_test(t, completions_are_nothing);
	tcase_add_loop_test(t, who_breaks_the_protocol_loses_the_keyboard, 0,
			    G_N_ELEMENTS(crimes));
	tcase_add_test(t, a_packet_that_is_too_long);
	tcase_add_test(t, requests_wait_for_room);
	suite_add_tcase(s, t);
	return check_main(s);
}
