/* SPDX-License-Identifier: MIT */
#include "vsp/echo.h"

#include "support/bus_guest.h"
#include "vsp/vmbus/worker.h"
#include "vsp/vsp.h"

#define DATA_PFN 40u

static struct echo *echo;
static struct vmbus_channel_offer_channel offer;
static struct guest_channel guest;
static uint64_t answer[4096];

static void echo_setup(void)
{
	struct vsp_params p = {.name = "echo", .instance.b[0] = 1};

	bus_setup();
	p.bus = bus;
	echo = echo_new(&p, 0);
	ck_assert_ptr_nonnull(echo);
	ck_assert_str_eq(channel_name(echo_ops.channel(echo)), "echo");
	/* A second one has no place. */
	ck_assert_ptr_null(echo_new(&p, 0));
	guest_connect(VERSION_WIN10);
	guest_request_offers(&offer, 1);
	guest_open(&guest, &offer);
}

static void echo_teardown(void)
{
	echo_ops.free(echo);
	echo_free(NULL);
	guest_drop_rings(&guest);
	bus_teardown();
}

START_TEST(packets_come_back)
{
	struct packet p;
	uint32_t n;

	for (uint64_t id = 0; id < 2; id++) {
		guest_put(&guest, id, "0123456789abcdef", 16);
		n = guest_get(&guest, answer, sizeof(answer));
		ck_assert_int_eq(packet_parse(answer, n, &p), 0);
		ck_assert_uint_eq(p.type,
				  id ? VM_PKT_COMP : VM_PKT_DATA_INBAND);
		ck_assert_uint_eq(p.trans_id, id);
		ck_assert_uint_eq(p.bytes, 16);
		ck_assert_mem_eq(p.data, "0123456789abcdef", 16);
	}
}
END_TEST

START_TEST(what_a_packet_points_to_comes_back)
{
	const uint64_t direct[] = {
		VM_PKT_DATA_USING_GPA_DIRECT | 6ull << 16 | 6ull << 32 |
			1ull << 48,
		77,
		1ull << 32,
		(uint64_t)(PAGE - 8) << 32 | 24,
		DATA_PFN + 2,
		DATA_PFN,
	};
	struct packet p;
	uint32_t n;

	gmem_write(mem, (DATA_PFN + 3) * PAGE - 8, "01234567", 8);
	gmem_write(mem, DATA_PFN * PAGE, "89abcdefghijklmn", 16);
	/* The rings order this too, but at addresses that TSan sees apart. */
	worker_call(channel_bus_worker(bus), bus_nothing, NULL);
	ring_peer_send_raw(&guest.ring, direct, sizeof(direct));
	guest_ring_bell(&guest);
	n = guest_get(&guest, answer, sizeof(answer));
	ck_assert_int_eq(packet_parse(answer, n, &p), 0);
	ck_assert_uint_eq(p.type, VM_PKT_COMP);
	ck_assert_uint_eq(p.trans_id, 77);
	ck_assert_mem_eq(p.data, "0123456789abcdefghijklmn", 24);
}
END_TEST

START_TEST(memory_that_is_none)
{
	const uint64_t direct[] = {VM_PKT_DATA_USING_GPA_DIRECT | 5ull << 16 |
					   5ull << 32,
				   77, 1ull << 32, 24, 1ull << 40};

	ring_peer_send_raw(&guest.ring, direct, sizeof(direct));
	guest_ring_bell(&guest);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/echo");
	TCase *t = tcase_create("echo");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, echo_setup, echo_teardown);
	tcase_add_test(t, packets_come_back);
	tcase_add_test(t, what_a_packet_points_to_comes_back);
	tcase_add_test(t, memory_that_is_none);
	suite_add_tcase(s, t);
	return check_main(s);
}
