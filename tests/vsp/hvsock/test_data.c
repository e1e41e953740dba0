/* SPDX-License-Identifier: MIT */
/*
 * What goes through stream sockets: a lot of it, to readers that do not read,
 * and from guests that break the protocol.
 */
#include "support/hvsock_bench.h"
#include "support/random.h"
#include "support/turns.h"

/* --- back pressure ----------------------------------------------------------------------------- */

START_TEST(a_host_that_does_not_read)
{
	static uint8_t data[4088];
	int fd = connect_from_guest();
	uint64_t sent = 0, got = 0;
	unsigned int idle = 0;

	/* Until neither socket nor ring take more. */
	while (idle < 3000) {
		for (unsigned int i = 0; i < sizeof(data) && !idle; i++)
			data[i] = (uint8_t)((sent + i) / 7);
		idle = try_send_guest(data, sizeof(data)) ? 0 : idle + 1;
		if (!idle)
			sent += sizeof(data);
		give_way();
	}
	while (got < sent) {
		uint8_t bytes[1000];
		ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

		ck_assert_int_gt(n, 0);
		for (ssize_t i = 0; i < n; i++)
			ck_assert_uint_eq(bytes[i], (uint8_t)((got + i) / 7));
		got += (uint64_t)n;
	}
	/* And it goes on. */
	send_guest("end", 3);
	expect_host(fd, "end", 3);
	close(fd);
}
END_TEST

START_TEST(a_guest_that_does_not_read)
{
	static uint8_t data[4096];
	int fd = connect_from_host();
	uint64_t sent = 0, got = 0;
	unsigned int idle = 0;
	const uint8_t *bytes;

	while (idle < 3000) {
		ssize_t n;

		for (unsigned int i = 0; i < sizeof(data) && !idle; i++)
			data[i] = (uint8_t)((sent + i) / 7);
		n = send(fd, data, sizeof(data), MSG_DONTWAIT);
		idle = n > 0 ? 0 : idle + 1;
		sent += n > 0 ? (uint64_t)n : 0;
		give_way();
	}
	/* The end comes behind all of it. */
	close(fd);
	while (got < sent) {
		uint32_t n = receive_guest((const void **)&bytes);

		ck_assert_uint_gt(n, 0);
		for (uint32_t i = 0; i < n; i++)
			ck_assert_uint_eq(bytes[i], (uint8_t)((got + i) / 7));
		got += n;
	}
	expect_guest_end();
}
END_TEST

/* Both ways at once, in pieces of any size, through an echo of the host's. */
START_TEST(a_lot_of_both)
{
	const uint64_t total = 600000;
	int fd = connect_from_guest();
	uint64_t sent = 0, got = 0;
	static uint8_t data[4088], echo[1 << 16];
	size_t n_echo = 0;

	while (got < total) {
		uint32_t n = 1 + (uint32_t)(random_u64() % sizeof(data));
		ssize_t r;
		const uint8_t *bytes;

		n = (uint32_t)MIN(n, total - sent);
		for (uint32_t i = 0; i < n; i++)
			data[i] = (uint8_t)((sent + i) / 5);
		if (n && try_send_guest(data, n))
			sent += n;
		r = recv(fd, echo + n_echo, sizeof(echo) - n_echo,
			 MSG_DONTWAIT);
		n_echo += r > 0 ? (size_t)r : 0;
		r = send(fd, echo, n_echo, MSG_DONTWAIT);
		if (r > 0) {
			n_echo -= (size_t)r;
			memmove(echo, echo + r, n_echo);
		}
		while (ring_load(RING_WORD(&guest.ring.rx, write_index)) !=
		       guest.ring.rx.index) {
			n = receive_guest((const void **)&bytes);
			for (uint32_t i = 0; i < n; i++)
				ck_assert_uint_eq(bytes[i],
						  (uint8_t)((got + i) / 5));
			got += n;
		}
		give_way();
	}
	ck_assert_uint_eq(status().bytes_to_host, total);
	close(fd);
}
END_TEST

/* --- guests that break the protocol --------------------------------------------------------------- */

static const struct {
	const char *what;
	uint32_t words[4];
	uint32_t bytes;
	bool after_end;
} crimes[] = {
	{"no header", {1}, 0, false},
	{"not data", {2, 8, 0, 0}, 16, false},
	{"more than there is", {1, 9, 0, 0}, 16, false},
	{"much more than there is", {1, ~0u, 0, 0}, 16, false},
	{"data after the end", {1, 8, 0, 0}, 16, true},
	{"a second end", {1, 0, 0, 0}, 8, true},
};

START_TEST(who_breaks_the_protocol_loses_the_connection)
{
	int fd = connect_from_guest();

	if (crimes[_i].after_end)
		send_guest(NULL, 0);
	guest_put(&guest, 0, crimes[_i].words, crimes[_i].bytes);
	expect_host_end(fd);
	close(fd);
	expect_rescind();
	/* It is not offered again, as another device would be. */
	ck_assert(!guest_has_message());
}
END_TEST

START_TEST(an_open_that_comes_too_late)
{
	struct vmbus_channel_open_channel m = {
		.ringbuffer_gpadlhandle = BUS_GPADL,
		.downstream_ringbuffer_pageoffset = BUS_DOWNSTREAM};
	int fd = host_connect("CONNECT 4000\n");

	expect_offer(GPORT, true);
	/* The client is gone: it cannot be told that it is connected. */
	close(fd);
	m.child_relid = offer.child_relid;
	guest_make_rings(&guest, BUS_RING_PFN);
	guest_share(m.child_relid, BUS_GPADL, BUS_RING_PFN, BUS_RING_PAGES);
	guest_send(&m, CHANNELMSG_OPENCHANNEL);
	/* Which is what Linux takes for an answer, too. */
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	ck_assert_uint_eq(status().from_host, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/hvsock/data");
	TCase *t = tcase_create("data");

	log_set_level("error");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, hvsock_setup, hvsock_teardown);
	tcase_add_test(t, a_host_that_does_not_read);
	tcase_add_test(t, a_guest_that_does_not_read);
	tcase_add_test(t, a_lot_of_both);
	tcase_add_loop_test(t, who_breaks_the_protocol_loses_the_connection, 0,
			    G_N_ELEMENTS(crimes));
	tcase_add_test(t, an_open_that_comes_too_late);
	suite_add_tcase(s, t);
	return check_main(s);
}
