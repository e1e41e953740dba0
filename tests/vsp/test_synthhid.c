/* SPDX-License-Identifier: MIT */
#include "vsp/synthhid.h"

#include "proto/synthhid.h"
#include "support/input_bench.h"
#include "support/turns.h"

static struct synthhid *hid;
static void hid_setup(void)
{
	struct vsp_params p = input_begin("mouse");

	hid = synthhid_new(&p);
	ck_assert_ptr_nonnull(hid);
	/* A second one has no place. */
	ck_assert_ptr_null(synthhid_new(&p));
	input_open();
}

static void hid_teardown(void)
{
	input_end(&synthhid_ops, hid);
	synthhid_free(NULL);
}

static struct synthhid_status status(void)
{
	struct synthhid_status s;

	synthhid_get_status(hid, &s);
	return s;
}

/* --- a driver, as Linux has it ------------------------------------------------ */

/* Send a message, with a pipe header that says @says bytes. */
static void send_pipe(const void *data, uint32_t bytes, uint32_t says)
{
	struct {
		struct vmbuspipe_hdr h;
		uint8_t data[512];
	} m = {.h = {.flags = VMBUS_PIPE_DATA, .msgsize = says}};

	if (bytes)
		memcpy(m.data, data, bytes);
	guest_put(&guest, 0x1234, &m, sizeof(m.h) + bytes);
}

/* The next message: of that type, and of @bytes in all. */
static const void *next_message(uint32_t type, uint32_t bytes)
{
	struct synthhid_msg_hdr h;
	const void *data;
	uint32_t size;

	ck_assert_int_eq(packet_pipe(input_packet(), &data, &size), 0);
	ck_assert_uint_eq(size, bytes);
	memcpy(&h, data, sizeof(h));
	ck_assert_uint_eq(h.type, type);
	ck_assert_uint_eq(h.size, bytes - sizeof(h));
	return data;
}

static void send_request(uint32_t version)
{
	struct synthhid_protocol_request m = {
		.header = {.type = SYNTH_HID_PROTOCOL_REQUEST, .size = 4},
		.version_requested = version};

	send_pipe(&m, sizeof(m), sizeof(m));
}

static bool is_approved(uint32_t version)
{
	struct synthhid_protocol_response r;

	memcpy(&r, next_message(SYNTH_HID_PROTOCOL_RESPONSE, sizeof(r)),
	       sizeof(r));
	ck_assert_uint_eq(r.version_requested, version);
	return r.approved;
}

#define DESCRIPTOR_BYTES 63u
#define INFO_BYTES       (sizeof(struct synthhid_device_info) + DESCRIPTOR_BYTES)

static void send_ack(void)
{
	/* Linux: one byte, says the header, and so many are there */
	struct synthhid_device_info_ack m = {
		.header = {.type = SYNTH_HID_INITIAL_DEVICE_INFO_ACK,
			   .size = 1}};

	send_pipe(&m, sizeof(m), sizeof(m));
}

static void connect_driver(void)
{
	send_request(SYNTHHID_INPUT_VERSION);
	ck_assert(is_approved(SYNTHHID_INPUT_VERSION));
	next_message(SYNTH_HID_INITIAL_DEVICE_INFO, INFO_BYTES);
	send_ack();
	wait_until(status().ready);
}

static void expect_report(uint8_t buttons, uint16_t x, uint16_t y, int wheel)
{
	const uint8_t *m = next_message(SYNTH_HID_INPUT_REPORT, 8 + 6);

	ck_assert_uint_eq(m[8], buttons);
	ck_assert_uint_eq(m[9] | m[10] << 8, x);
	ck_assert_uint_eq(m[11] | m[12] << 8, y);
	ck_assert_int_eq((int8_t)m[13], wheel);
}

/* --- what Linux wants of the device info ---------------------------------------- */

/* Bits that the fields of the report descriptor sum up to. */
static unsigned int report_bits(const uint8_t *d, size_t n)
{
	unsigned int bits = 0, size = 0, count = 0;
	size_t i = 0;

	while (i < n) {
		unsigned int bytes = d[i] & 3u;

		switch (d[i] & 0xFC) {
		case 0x74: /* report size */
			size = d[i + 1];
			break;
		case 0x94: /* report count */
			count = d[i + 1];
			break;
		case 0x80: /* input */
			bits += size * count;
			break;
		default:
			break;
		}
		i += 1 + (bytes == 3 ? 4 : bytes);
	}
	ck_assert_uint_eq(i, n);
	return bits;
}

START_TEST(the_device_is_one_that_linux_binds)
{
	struct synthhid_device_info m;
	const uint8_t *data, *d;

	ck_assert_uint_eq(offer.offer.chn_flags, VMBUS_CHANNEL_NAMED_PIPE_MODE);
	ck_assert_uint_eq(offer.offer.user_def[0], VMBUS_PIPE_TYPE_MESSAGE);
	send_request(SYNTHHID_INPUT_VERSION);
	ck_assert(is_approved(SYNTHHID_INPUT_VERSION));
	data = next_message(SYNTH_HID_INITIAL_DEVICE_INFO, INFO_BYTES);
	memcpy(&m, data, sizeof(m));
	ck_assert_uint_eq(m.hid_dev_info.size, 32);
	ck_assert_uint_eq(m.hid_dev_info.vendor, 0x045E);
	ck_assert_uint_eq(m.hid_dev_info.product, 0x0621);
	ck_assert_uint_eq(m.hid_descriptor.bLength, 9);
	ck_assert_uint_eq(m.hid_descriptor.bDescriptorType, 0x21);
	ck_assert_uint_eq(m.hid_descriptor.bNumDescriptors, 1);
	ck_assert_uint_eq(m.hid_descriptor.bReportType, 0x22);
	ck_assert_uint_eq(m.hid_descriptor.wReportLength, DESCRIPTOR_BYTES);
	d = data + sizeof(m);
	/* This byte Linux would change. */
	ck_assert_uint_ne(d[14], 0x25);
	ck_assert_uint_eq(report_bits(d, DESCRIPTOR_BYTES), 6 * 8);
}
END_TEST

START_TEST(reports_come_in_order)
{
	connect_driver();
	wait_until(readies == 1);
	ck_assert_int_eq(synthhid_move(hid, 0, SYNTHHID_POSITION_MAX), 0);
	ck_assert_int_eq(synthhid_click(hid, SYNTHHID_BUTTON_LEFT), 0);
	ck_assert_int_eq(synthhid_press(hid, SYNTHHID_BUTTON_RIGHT), 0);
	ck_assert_int_eq(synthhid_move(hid, 1, 2), 0);
	ck_assert_int_eq(synthhid_scroll(hid, -127), 0);
	ck_assert_int_eq(synthhid_click(hid, SYNTHHID_BUTTON_RIGHT |
						     SYNTHHID_BUTTON_MIDDLE),
			 0);
	expect_report(0, 0, 32767, 0);
	expect_report(1, 0, 32767, 0);
	expect_report(0, 0, 32767, 0);
	expect_report(2, 0, 32767, 0);
	expect_report(2, 1, 2, 0);
	expect_report(2, 1, 2, -127);
	expect_report(6, 1, 2, 0);
	expect_report(0, 1, 2, 0);
	wait_until(status().reports == 8);
}
END_TEST

START_TEST(it_begins_in_the_middle)
{
	connect_driver();
	ck_assert_int_eq(synthhid_click(hid, 0x10), 0);
	expect_report(0x10, 16383, 16383, 0);
	expect_report(0, 16383, 16383, 0);
}
END_TEST

START_TEST(out_of_range)
{
	connect_driver();
	ck_assert_int_eq(synthhid_move(hid, 32768, 0), -EINVAL);
	ck_assert_int_eq(synthhid_move(hid, 0, 32768), -EINVAL);
	ck_assert_int_eq(synthhid_press(hid, 0x20), -EINVAL);
	ck_assert_int_eq(synthhid_click(hid, 0x20), -EINVAL);
	ck_assert_int_eq(synthhid_click(hid, 0), -EINVAL);
	ck_assert_int_eq(synthhid_scroll(hid, 0), -EINVAL);
	ck_assert_int_eq(synthhid_scroll(hid, 128), -EINVAL);
	ck_assert_int_eq(synthhid_scroll(hid, -128), -EINVAL);
	ck_assert_uint_eq(status().n_waiting, 0);
}
END_TEST

/* --- life -------------------------------------------------------------------------- */

static void expect_not_connected(void)
{
	ck_assert_int_eq(synthhid_move(hid, 5, 5), -ENOTCONN);
	ck_assert_int_eq(synthhid_press(hid, 1), -ENOTCONN);
	ck_assert_int_eq(synthhid_click(hid, 1), -ENOTCONN);
	ck_assert_int_eq(synthhid_scroll(hid, 1), -ENOTCONN);
	ck_assert_uint_eq(status().buttons, 0);
}

START_TEST(nobody_moves_it_without_a_driver)
{
	expect_not_connected();
	send_request(SYNTHHID_INPUT_VERSION);
	is_approved(SYNTHHID_INPUT_VERSION);
	next_message(SYNTH_HID_INITIAL_DEVICE_INFO, INFO_BYTES);
	expect_not_connected();
	send_ack();
	wait_until(status().ready);
	ck_assert_int_eq(synthhid_press(hid, 1), 0);
	guest_close(&guest);
	expect_not_connected();
	guest_open(&guest, &offer);
	expect_not_connected();
	connect_driver();
	ck_assert_int_eq(synthhid_move(hid, 5, 5), 0);
	expect_report(0, 5, 5, 0);
}
END_TEST

START_TEST(versions_that_there_are_not)
{
	static const uint32_t versions[] = {0, 2, 0x00010000, 0x00020001, ~0u};

	for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
		send_request(versions[i]);
		ck_assert(!is_approved(versions[i]));
	}
	connect_driver();
	/* A driver that begins anew. */
	send_request(0);
	ck_assert(!is_approved(0));
	wait_until(!status().ready);
	connect_driver();
	wait_until(readies == 2);
}
END_TEST

/* Fill ring and queue, while the guest reads nothing. Return: how many. */
static unsigned int move_until_full(void)
{
	unsigned int n = 0;
	struct channel_stats stats;

	do {
		n += !synthhid_move(hid, n % SYNTHHID_POSITION_MAX, 7);
		channel_get_stats(synthhid_ops.channel(hid), &stats);
	} while (!stats.blocked);
	while (!synthhid_move(hid, n % SYNTHHID_POSITION_MAX, 7))
		n++;
	return n;
}

START_TEST(what_does_not_fit_waits_and_is_bounded)
{
	unsigned int n;

	connect_driver();
	n = move_until_full();
	ck_assert_uint_gt(n, SYNTHHID_QUEUE_MAX);
	ck_assert_uint_eq(status().n_waiting, SYNTHHID_QUEUE_MAX);
	ck_assert_int_eq(synthhid_move(hid, 0, 0), -ENOBUFS);
	ck_assert_int_eq(synthhid_click(hid, 1), -ENOBUFS);
	ck_assert_uint_eq(status().y, 7);
	ck_assert_uint_eq(status().buttons, 0);
	for (unsigned int i = 0; i < n; i++)
		expect_report(0, (uint16_t)(i % SYNTHHID_POSITION_MAX), 7, 0);
	wait_until(status().reports == n);
}
END_TEST

START_TEST(what_waits_is_dropped_with_the_driver)
{
	connect_driver();
	move_until_full();
	guest_close(&guest);
	ck_assert_uint_eq(status().dropped, SYNTHHID_QUEUE_MAX);
	guest_open(&guest, &offer);
	connect_driver();
	ck_assert_int_eq(synthhid_move(hid, 5, 5), 0);
	expect_report(0, 5, 5, 0);
}
END_TEST

START_TEST(what_the_report_says)
{
	GString *s = g_string_new(NULL);

	ck_assert_str_eq(channel_name(synthhid_ops.channel(hid)), "mouse");
	connect_driver();
	ck_assert_int_eq(synthhid_press(hid, 1), 0);
	ck_assert_int_eq(synthhid_move(hid, 3, 4), 0);
	wait_until(status().reports == 2);
	synthhid_ops.facts(
		hid, &(struct vsp_facts){.number = input_on_number, .ctx = s});
	ck_assert_str_eq(s->str, "ready=1 x=3 y=4 buttons=1 waiting=0 "
				 "reports=2 dropped=0 ");
	g_string_free(s, true);
}
END_TEST

/* --- guests that break the protocol --------------------------------------------------- */

static const struct {
	const char *what;
	uint32_t words[4];
	uint32_t bytes, says;
} crimes[] = {
	{"no message", {0}, 0, 0},
	{"half a header", {SYNTH_HID_PROTOCOL_REQUEST}, 8, 7},
	{"a request without version", {SYNTH_HID_PROTOCOL_REQUEST, 4}, 8, 8},
	{"a request with half a version",
	 {SYNTH_HID_PROTOCOL_REQUEST, 4, SYNTHHID_INPUT_VERSION},
	 12,
	 11},
	{"a pipe that says more than there is",
	 {SYNTH_HID_PROTOCOL_REQUEST, 4, SYNTHHID_INPUT_VERSION},
	 12,
	 17},
	{"a pipe that says much more",
	 {SYNTH_HID_PROTOCOL_REQUEST, 4, SYNTHHID_INPUT_VERSION},
	 12,
	 ~0u},
	{"a response", {SYNTH_HID_PROTOCOL_RESPONSE, 5, 0, 1}, 16, 13},
	{"a report", {SYNTH_HID_INPUT_REPORT, 6}, 16, 14},
	{"an unknown type", {5, 4}, 16, 12},
	{"an ack without its byte",
	 {SYNTH_HID_INITIAL_DEVICE_INFO_ACK, 1},
	 8,
	 8},
	{"a second ack", {SYNTH_HID_INITIAL_DEVICE_INFO_ACK, 1}, 16, 9},
};

START_TEST(who_breaks_the_protocol_loses_the_mouse)
{
	connect_driver();
	send_pipe(crimes[_i].words, crimes[_i].bytes, crimes[_i].says);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	wait_until(!status().ready);
	expect_not_connected();
}
END_TEST

START_TEST(an_ack_out_of_turn)
{
	send_ack();
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	ck_assert_uint_eq(readies, 0);
}
END_TEST

START_TEST(a_packet_without_a_pipe_header)
{
	guest_put(&guest, 0, NULL, 0);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
}
END_TEST

START_TEST(a_packet_that_is_too_long)
{
	send_pipe(buffer, 248, 248);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
}
END_TEST

/* Ask again and again, and read no answer: none is lost or torn apart. */
START_TEST(requests_wait_for_room)
{
	struct {
		struct vmbuspipe_hdr h;
		struct synthhid_protocol_request m;
	} m = {.h = {.flags = VMBUS_PIPE_DATA, .msgsize = sizeof(m.m)},
	       .m = {.header = {.type = SYNTH_HID_PROTOCOL_REQUEST, .size = 4},
		     .version_requested = SYNTHHID_INPUT_VERSION}};
	unsigned int sent = 0;

	for (unsigned int idle = 0; idle < 10000; idle++) {
		if (guest_try_put(&guest, 0, &m, sizeof(m))) {
			sent++;
			idle = 0;
		}
		give_way();
	}
	ck_assert_uint_gt(sent, 3 * PAGE / 200);
	while (sent--) {
		ck_assert(is_approved(SYNTHHID_INPUT_VERSION));
		next_message(SYNTH_HID_INITIAL_DEVICE_INFO, INFO_BYTES);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/synthhid");
	TCase *t = tcase_create("mouse");

	log_set_level("error");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, hid_setup, hid_teardown);
	tcase_add_test(t, the_device_is_one_that_linux_binds);
	tcase_add_test(t, reports_come_in_order);
	tcase_add_test(t, it_begins_in_the_middle);
	tcase_add_test(t, out_of_range);
	tcase_add_test(t, nobody_moves_it_without_a_driver);
	tcase_add_test(t, versions_that_there_are_not);
	tcase_add_test(t, what_does_not_fit_waits_and_is_bounded);
	tcase_add_test(t, what_waits_is_dropped_with_the_driver);
	tcase_add_test(t, what_the_report_says);
	tcase_add_loop_test(t, who_breaks_the_protocol_loses_the_mouse, 0,
			    G_N_ELEMENTS(crimes));
	tcase_add_test(t, an_ack_out_of_turn);
	tcase_add_test(t, a_packet_without_a_pipe_header);
	tcase_add_test(t, a_packet_that_is_too_long);
	tcase_add_test(t, requests_wait_for_room);
	suite_add_tcase(s, t);
	return check_main(s);
}
