/* SPDX-License-Identifier: MIT */
#include "devices/hv_testdev.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "proto/hv_hypercall.h"
#include "support/fake_board.h"
#include "support/synic_bench.h"
#include "synic/ports.h"

#define PORT 0x3000

enum {
	ROUTE_CREATE = 1,
	ROUTE_DESTROY,
	SET_SINT,
	MSG_CREATE,
	MSG_DESTROY,
	EVT_CREATE,
	EVT_DESTROY,
};

/* As kvm-unit-tests x86/hyperv_connections.c has them */
#define MSG_SINT 8
#define EVT_SINT 9
#define MSG_VEC  0xB0
#define EVT_VEC  0xB1
#define MSG_CONN 0x10
#define EVT_CONN 0x20
#define MSG_TYPE 0x12345678

static struct fake_board board;
static struct ports *ports;
static struct hv_testdev *dev;

static void start(void)
{
	setup();
	fake_board_init(&board);
	ports = ports_new();
	dev = hv_testdev_new(synic, ports);
	ck_assert_int_eq(hv_testdev_attach(dev, board.pio), 0);
	for (uint32_t vp = 0; vp < FAKE_VPS; vp++)
		enable(vp);
}

static void stop(void)
{
	hv_testdev_free(dev);
	ports_free(ports);
	fake_board_clear(&board);
	teardown();
}

static void ctl(unsigned int command, uint32_t vp, unsigned int sint,
		unsigned int conn)
{
	outl(&board, PORT, conn << 24 | command << 16 | vp << 8 | sint);
}

static unsigned int seen(uint32_t vp, unsigned int vector)
{
	return vps.interrupts[vp][vector];
}

static unsigned int seen_any(uint32_t vp)
{
	unsigned int n = 0;

	for (unsigned int vector = 0; vector < 256; vector++)
		n += seen(vp, vector);
	return n;
}

static hv_status_t post_number(unsigned int conn, uint64_t number)
{
	struct hv_input_post_message msg = {
		.connectionid = conn,
		.message_type = MSG_TYPE,
		.payload_size = sizeof(number),
	};

	memcpy(msg.payload, &number, sizeof(number));
	return ports_post_message(ports, 0, &msg);
}

/* --- SINT routes ------------------------------------------------------------ */

START_TEST(every_sint_of_every_vp)
{
	for (uint32_t vp = 0; vp < FAKE_VPS; vp++) {
		for (unsigned int sint = 0; sint < 16; sint++) {
			ctl(ROUTE_CREATE, vp, sint, 0);
			wr(vp, SINT(sint), 0xB0 + sint);
		}
	}
	for (uint32_t vp = 0; vp < FAKE_VPS; vp++) {
		for (unsigned int sint = 0; sint < 16; sint++) {
			ctl(SET_SINT, vp, sint, 0);
			ck_assert_uint_eq(seen(vp, 0xB0 + sint), 1);
		}
	}
	for (uint32_t vp = 0; vp < FAKE_VPS; vp++)
		ck_assert_uint_eq(seen_any(vp), 16);
}
END_TEST

START_TEST(no_route_no_interrupt)
{
	wr(1, SINT(5), 0xB5);
	ctl(SET_SINT, 1, 5, 0);
	ck_assert_uint_eq(seen_any(1), 0);
	ctl(ROUTE_CREATE, 1, 5, 0);
	ctl(SET_SINT, 1, 5, 0);
	ck_assert_uint_eq(seen_any(1), 1);
	ctl(ROUTE_DESTROY, 1, 5, 0);
	ctl(SET_SINT, 1, 5, 0);
	ck_assert_uint_eq(seen_any(1), 1);
}
END_TEST

START_TEST(masked_sint)
{
	ctl(ROUTE_CREATE, 0, 5, 0);
	wr(0, SINT(5), 0xB5 | MASKED);
	ctl(SET_SINT, 0, 5, 0);
	ck_assert_uint_eq(seen_any(0), 0);
}
END_TEST

/* --- messages ----------------------------------------------------------------- */

START_TEST(message_comes_back)
{
	struct hv_message m;

	ctl(MSG_CREATE, 2, MSG_SINT, MSG_CONN);
	wr(2, SINT(MSG_SINT), MSG_VEC);
	ck_assert_uint_eq(post_number(MSG_CONN, 0x20001), HV_STATUS_SUCCESS);
	ck_assert_uint_eq(seen(2, MSG_VEC), 1);
	ck_assert(guest_message_take(slot(2, MSG_SINT), &m));
	ck_assert_uint_eq(m.header.message_type, MSG_TYPE);
	ck_assert_uint_eq(m.header.payload_size, 8);
	ck_assert_uint_eq(m.header.message_flags, 0);
	ck_assert_uint_eq(m.header.sender, MSG_CONN);
	ck_assert_uint_eq(m.payload[0], 0x01);
	ck_assert_uint_eq(m.payload[2], 0x02);
}
END_TEST

START_TEST(busy_slot)
{
	/* "send message to busy slot", "receive pending message" */
	struct hv_message m;

	ctl(MSG_CREATE, 0, MSG_SINT, MSG_CONN);
	wr(0, SINT(MSG_SINT), MSG_VEC);
	ck_assert_uint_eq(post_number(MSG_CONN, 1), HV_STATUS_SUCCESS);
	ck_assert_uint_eq(post_number(MSG_CONN, 2), HV_STATUS_SUCCESS);
	ck_assert_uint_eq(seen(0, MSG_VEC), 1);
	memcpy(&m, slot(0, MSG_SINT), sizeof(m));
	ck_assert_uint_eq(m.header.message_flags, HV_MESSAGE_FLAG_PENDING);
	ck_assert_uint_eq(m.payload[0], 1);
	ck_assert_uint_eq(receive(0, MSG_SINT), 1); /* writes EOM */
	ck_assert_uint_eq(seen(0, MSG_VEC), 2);
	ck_assert_uint_eq(receive(0, MSG_SINT), 2);
}
END_TEST

START_TEST(queue_is_bounded)
{
	unsigned int n = 0;

	ctl(MSG_CREATE, 0, MSG_SINT, MSG_CONN);
	wr(0, SINT(MSG_SINT), MSG_VEC);
	while (post_number(MSG_CONN, n) == HV_STATUS_SUCCESS && n < 10000)
		n++;
	ck_assert_uint_lt(n, 10000);
	ck_assert_uint_eq(post_number(MSG_CONN, n),
			  HV_STATUS_INSUFFICIENT_BUFFERS);
	for (unsigned int i = 0; i < n; i++)
		ck_assert_uint_eq(receive(0, MSG_SINT), i);
	ck_assert_uint_eq(post_number(MSG_CONN, n), HV_STATUS_SUCCESS);
}
END_TEST

START_TEST(largest_message)
{
	struct hv_input_post_message msg = {
		.connectionid = MSG_CONN,
		.message_type = 1,
		.payload_size = 240,
	};
	struct hv_message m;

	memset(msg.payload, 0x5A, sizeof(msg.payload));
	ctl(MSG_CREATE, 0, MSG_SINT, MSG_CONN);
	ck_assert_uint_eq(ports_post_message(ports, 0, &msg),
			  HV_STATUS_SUCCESS);
	ck_assert(guest_message_take(slot(0, MSG_SINT), &m));
	ck_assert_uint_eq(m.header.payload_size, 240);
	ck_assert_mem_eq(m.payload, msg.payload, 240);
}
END_TEST

START_TEST(vp_that_is_not_there)
{
	ctl(MSG_CREATE, 200, MSG_SINT, MSG_CONN);
	ck_assert_uint_eq(post_number(MSG_CONN, 1),
			  HV_STATUS_INVALID_PARAMETER);
	ctl(ROUTE_CREATE, 200, 1, 0);
	ctl(SET_SINT, 200, 1, 0);
	ctl(EVT_CREATE, 200, EVT_SINT, EVT_CONN);
	ck_assert_uint_eq(ports_signal_event(ports, 0, EVT_CONN, 0),
			  HV_STATUS_SUCCESS);
}
END_TEST

/* --- events -------------------------------------------------------------------- */

START_TEST(event_sets_its_flag)
{
	uint8_t *flags = (uint8_t *)events(1) + EVT_SINT * 256;

	ctl(EVT_CREATE, 1, EVT_SINT, EVT_CONN);
	wr(1, SINT(EVT_SINT), EVT_VEC);
	ck_assert_uint_eq(ports_signal_event(ports, 0, EVT_CONN, 0),
			  HV_STATUS_SUCCESS);
	ck_assert_uint_eq(flags[EVT_CONN / 8], 1);
	ck_assert_uint_eq(seen(1, EVT_VEC), 1);
	/* "signal event already set": no second interrupt */
	ck_assert_uint_eq(ports_signal_event(ports, 0, EVT_CONN, 0),
			  HV_STATUS_SUCCESS);
	ck_assert_uint_eq(seen(1, EVT_VEC), 1);
	flags[EVT_CONN / 8] = 0;
	ports_signal_event(ports, 0, EVT_CONN, 0);
	ck_assert_uint_eq(seen(1, EVT_VEC), 2);
	ck_assert_uint_eq(ports_signal_event(ports, 0, EVT_CONN, 1),
			  HV_STATUS_INVALID_PARAMETER);
}
END_TEST

/* --- connections ----------------------------------------------------------------- */

START_TEST(destroyed_connection)
{
	ctl(MSG_CREATE, 0, MSG_SINT, MSG_CONN);
	ctl(EVT_CREATE, 0, EVT_SINT, EVT_CONN);
	/* Of the other kind: not its own. */
	ctl(EVT_DESTROY, 0, 0, MSG_CONN);
	ctl(MSG_DESTROY, 0, 0, EVT_CONN);
	ck_assert_uint_eq(post_number(MSG_CONN, 1), HV_STATUS_SUCCESS);
	ctl(MSG_DESTROY, 0, 0, MSG_CONN);
	ctl(EVT_DESTROY, 0, 0, EVT_CONN);
	ck_assert_uint_eq(post_number(MSG_CONN, 1),
			  HV_STATUS_INVALID_CONNECTION_ID);
	ck_assert_uint_eq(ports_signal_event(ports, 0, EVT_CONN, 0),
			  HV_STATUS_INVALID_CONNECTION_ID);
	ctl(MSG_DESTROY, 0, 0, MSG_CONN);
	/* The id can be had again. */
	ctl(EVT_CREATE, 0, EVT_SINT, MSG_CONN);
	ck_assert_uint_eq(ports_signal_event(ports, 0, MSG_CONN, 0),
			  HV_STATUS_SUCCESS);
}
END_TEST

static hv_status_t vmbus_port(void *ctx, uint32_t vp,
			      const struct hv_input_post_message *msg)
{
	(void)ctx;
	(void)vp;
	(void)msg;
	return HV_STATUS_INSUFFICIENT_MEMORY;
}

START_TEST(ids_of_others_are_left_alone)
{
	ck_assert_int_eq(ports_add_message(ports, 1, vmbus_port, NULL), 0);
	ctl(MSG_CREATE, 0, MSG_SINT, 1);
	ctl(MSG_DESTROY, 0, 0, 1);
	ck_assert_uint_eq(post_number(1, 1), HV_STATUS_INSUFFICIENT_MEMORY);
	/* Nor may a connection be made twice. */
	ctl(MSG_CREATE, 0, MSG_SINT, MSG_CONN);
	ctl(MSG_CREATE, 1, MSG_SINT, MSG_CONN);
	ck_assert_uint_eq(post_number(MSG_CONN, 7), HV_STATUS_SUCCESS);
	ck_assert_uint_eq(receive(0, MSG_SINT), 7);
}
END_TEST

START_TEST(reset_drops_everything)
{
	ctl(ROUTE_CREATE, 0, 2, 0);
	ctl(MSG_CREATE, 0, MSG_SINT, MSG_CONN);
	ctl(EVT_CREATE, 0, EVT_SINT, EVT_CONN);
	hv_testdev_reset(dev);
	ctl(SET_SINT, 0, 2, 0);
	ck_assert_uint_eq(seen_any(0), 0);
	ck_assert_uint_eq(post_number(MSG_CONN, 1),
			  HV_STATUS_INVALID_CONNECTION_ID);
	ck_assert_uint_eq(ports_signal_event(ports, 0, EVT_CONN, 0),
			  HV_STATUS_INVALID_CONNECTION_ID);
}
END_TEST

START_TEST(nonsense_is_ignored)
{
	unsigned int seed = 3;

	ck_assert_uint_eq(inl(&board, PORT), 0);
	outb(&board, PORT, MSG_CREATE);
	outw(&board, PORT + 2, MSG_CONN << 8 | MSG_CREATE);
	ck_assert_uint_eq(post_number(MSG_CONN, 1),
			  HV_STATUS_INVALID_CONNECTION_ID);
	ctl(MSG_CREATE, 0, 16, MSG_CONN);
	ctl(ROUTE_CREATE, 0, 255, 0);
	ctl(0, 0, 0, 0);
	ctl(8, 0, 0, 0);
	ck_assert_uint_eq(post_number(MSG_CONN, 1),
			  HV_STATUS_INVALID_CONNECTION_ID);
	for (unsigned int i = 0; i < 20000; i++)
		outl(&board, PORT, (uint32_t)rand_r(&seed) & 0xFF07FFFF);
}
END_TEST

/* --- threads -------------------------------------------------------------------- */

static void *poster(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 3000; i++) {
		post_number(MSG_CONN, i);
		ports_signal_event(ports, 1, EVT_CONN, 0);
	}
	return NULL;
}

START_TEST(connections_come_and_go_under_load)
{
	pthread_t t[2];

	for (unsigned int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, poster, NULL);
	for (unsigned int i = 0; i < 1000; i++) {
		ctl(MSG_CREATE, i % FAKE_VPS, MSG_SINT, MSG_CONN);
		ctl(EVT_CREATE, i % FAKE_VPS, EVT_SINT, EVT_CONN);
		ctl(MSG_DESTROY, 0, 0, MSG_CONN);
		ctl(EVT_DESTROY, 0, 0, EVT_CONN);
	}
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("devices/hv_testdev");
	TCase *t = tcase_create("hv_testdev");

	tcase_add_checked_fixture(t, start, stop);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, every_sint_of_every_vp);
	tcase_add_test(t, no_route_no_interrupt);
	tcase_add_test(t, masked_sint);
	tcase_add_test(t, message_comes_back);
	tcase_add_test(t, busy_slot);
	tcase_add_test(t, queue_is_bounded);
	tcase_add_test(t, largest_message);
	tcase_add_test(t, vp_that_is_not_there);
	tcase_add_test(t, event_sets_its_flag);
	tcase_add_test(t, destroyed_connection);
	tcase_add_test(t, ids_of_others_are_left_alone);
	tcase_add_test(t, reset_drops_everything);
	tcase_add_test(t, nonsense_is_ignored);
	tcase_add_test(t, connections_come_and_go_under_load);
	suite_add_tcase(s, t);
	return check_main(s);
}
