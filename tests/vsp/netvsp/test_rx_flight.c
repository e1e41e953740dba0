/* SPDX-License-Identifier: MIT */
/* How many frames a guest has at once, whose buffer has room for many more. */
#include "vsp/netvsp/netvsp.h"

/* Long rings, and 512 sections. */
#define BUS_RING_PAGES 26u
#define BUS_DOWNSTREAM 13u
#define RAM_BYTES      (16u << 20)
#define NET_RECV_PFN   1024u
#define NET_RECV_PAGES 512u
#define NET_SEND_PFN   512u
#define NET_SEND_PAGES 32u
#define NET_DATA_PFN   800u

#include "support/net_data.h"

#include "support/check_main.h"

/* That it has, and at which it gets more again. */
#define FLIGHT 128u
#define AGAIN  (FLIGHT / 2)

static struct {
	uint64_t id;
	unsigned int frames;
} held[FLIGHT];
static unsigned int n_held, in_flight, n_got;

static void flight_setup(void)
{
	n_held = 0;
	in_flight = 0;
	n_got = 0;
	setup_started();
}

/* Take what is there.  Return: was there something? */
static bool take_one(void)
{
	struct net_packet p;

	if (!net_try_get(NET_PRIMARY, &p))
		return false;
	net_check_xfer(&p, NVSP_CHANNEL_DATA);
	held[n_held].id = p.p.trans_id;
	held[n_held++].frames = p.p.n_xfer;
	in_flight += p.p.n_xfer;
	n_got += p.p.n_xfer;
	ck_assert_uint_le(in_flight, FLIGHT);
	return true;
}

static void complete_one(void)
{
	in_flight -= held[--n_held].frames;
	net_done(NET_PRIMARY, held[n_held].id);
}

/* As many as there may be, though more are waiting. */
static void fill(void)
{
	unsigned int before = n_got;

	net_frame(frame, 100, 1);
	for (unsigned int i = 0; i < FLIGHT + 10; i++)
		wait_until(!net_mem_put(net_mem, 0, NULL, frame, 100) ||
			   take_one());
	wait_until(take_one() || in_flight == FLIGHT);
	while (in_flight < FLIGHT)
		take_one();
	ck_assert_uint_eq(n_got - before, FLIGHT);
	/* Requests are answered, and frames would come before that. */
	for (unsigned int i = 0; i < 20; i++)
		net_query_u32(OID_GEN_MEDIA_CONNECT_STATUS);
	ck_assert(!take_one());
}

START_TEST(a_guest_that_takes_no_more)
{
	fill();
	ck_assert_uint_eq(net_status().stats.rx_frames, FLIGHT);
	/* There are sections: it is not that. */
	ck_assert_uint_eq(net_status().stats.rx_no_buffer, 0);
	while (in_flight > AGAIN)
		complete_one();
	wait_until(take_one());
}
END_TEST

START_TEST(all_come_in_the_end)
{
	unsigned int n = 10 * FLIGHT;

	net_frame(frame, 100, 1);
	for (unsigned int i = 0; i < n;) {
		if (!net_mem_put(net_mem, 0, NULL, frame, 100))
			i++;
		else if (!take_one() && n_held)
			complete_one();
	}
	while (n_got < n) {
		if (!take_one() && n_held)
			complete_one();
		give_way();
	}
	ck_assert_uint_eq(n_got, n);
}
END_TEST

/* What the last one had, and never gave back, is not the next one's. */
START_TEST(another_guest_begins_anew)
{
	fill();
	guest_close(NET_PRIMARY);
	n_held = 0;
	in_flight = 0;
	net_open();
	net_start(1500);
	fill();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/netvsp/rx_flight");
	TCase *t = net_case(s, "flight", flight_setup);

	tcase_add_test(t, a_guest_that_takes_no_more);
	tcase_add_test(t, all_come_in_the_end);
	tcase_add_test(t, another_guest_begins_anew);
	return check_main(s);
}
