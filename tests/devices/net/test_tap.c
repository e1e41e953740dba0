/* SPDX-License-Identifier: MIT */
#include "devices/net/tap.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "devices/net/net.h"
#include "devices/net/offload.h"
#include "support/check_main.h"
#include "support/frames.h"
#include "support/netns.h"

#define WAIT_MS 5000
#define ROOM    70000u

static const struct virtio_net_hdr plain;
static const struct frame_kind tcp4 = {.what = "TCP over IPv4"};
static struct frame f;
static uint8_t got[ROOM];

static void setup(void)
{
	ck_assert_int_eq(netns_enter(), 0);
}

static struct net *open_tap(const struct net_tap_options *options)
{
	g_autoptr(GError) error = NULL;
	struct net *n = net_tap_new(options, &error);

	ck_assert_msg(n != NULL, "%s", error ? error->message : "");
	return n;
}

static struct net_queue *open_queue(struct net *n, unsigned int index)
{
	g_autoptr(GError) error = NULL;
	struct net_queue *q = net_queue_new(n, index, &error);

	ck_assert_msg(q != NULL, "%s", error ? error->message : "");
	return q;
}

static void close_tap(struct net *n, struct net_queue *q)
{
	net_queue_free(q);
	net_free(n);
}

static int send_frame(struct net_queue *q, const struct virtio_net_hdr *hdr)
{
	const struct iovec iov[] = {{f.bytes, 20}, {f.bytes + 20, f.n - 20}};

	return net_queue_send(q, hdr, iov, 2);
}

static bool is_ready(const struct net_queue *q, int ms)
{
	struct pollfd p = {.fd = net_queue_fd(q), .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

/* The kernel has things of its own to say: is @frame one of the tests'? */
static bool is_ours(const uint8_t *frame)
{
	return !memcmp(frame + 6, "\x00\x15\x5d\x04\x05\x06", 6);
}

/* The next of the tests' frames. */
static size_t receive(struct net_queue *q, struct virtio_net_hdr *hdr)
{
	const struct iovec iov[] = {{got, 10}, {got + 10, ROOM - 10}};

	for (;;) {
		ssize_t n = net_queue_recv(q, hdr, iov, 2);

		if (n > 0 && is_ours(got))
			return (size_t)n;
		if (n < 0)
			ck_assert(is_ready(q, WAIT_MS));
	}
}

static size_t receive_packet(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (;;) {
		ssize_t n = recv(fd, got, ROOM, 0);

		if (n > 0 && is_ours(got))
			return (size_t)n;
		if (n < 0)
			ck_assert_int_eq(poll(&p, 1, WAIT_MS), 1);
	}
}

/* Until the main thread has heard that it is so. */
static void wait_link(const struct net *n, bool up)
{
	for (unsigned int i = 0; net_link(n) != up; i++) {
		ck_assert_uint_lt(i, WAIT_MS);
		if (!g_main_context_iteration(NULL, FALSE))
			poll(NULL, 0, 1);
	}
}

/* --- frames ----------------------------------------------------------------------- */

START_TEST(frames_go_to_the_kernel_and_come_from_it)
{
	static const struct net_tap_options options = {.name = "t0"};
	struct net *n = open_tap(&options);
	struct net_queue *q = open_queue(n, 0);
	int packets = netns_packets("t0");
	struct virtio_net_hdr hdr;
	struct net_stats stats;

	ck_assert_str_eq(net_info(n)->kind, "tap t0");
	ck_assert_uint_eq(net_info(n)->max_queues, 1);
	ck_assert(net_link(n));
	frame_make(&f, &tcp4, 777);
	ck_assert_int_eq(send_frame(q, &plain), 0);
	ck_assert_uint_eq(receive_packet(packets), f.n);
	ck_assert_mem_eq(got, f.bytes, f.n);
	ck_assert_int_eq(send(packets, f.bytes, f.n, 0), (int)f.n);
	ck_assert_uint_eq(receive(q, &hdr), f.n);
	ck_assert_mem_eq(got, f.bytes, f.n);
	ck_assert_uint_eq(hdr.gso_type, 0);
	net_get_stats(n, &stats);
	ck_assert_uint_eq(stats.sent, 1);
	ck_assert_uint_ge(stats.received, 1);
	close(packets);
	close_tap(n, q);
	ck_assert_uint_eq(if_nametoindex("t0"), 0);
}
END_TEST

START_TEST(one_that_is_too_long_is_discarded)
{
	static const struct net_tap_options options = {.name = "t0"};
	struct net *n = open_tap(&options);
	struct net_queue *q = open_queue(n, 0);
	int packets = netns_packets("t0");
	struct iovec iov = {got, 831};
	struct virtio_net_hdr hdr;
	ssize_t bytes;

	frame_make(&f, &tcp4, 777);
	ck_assert_uint_eq(f.n, 831);
	for (unsigned int i = 0; i < 2; i++, iov.iov_len--) {
		ck_assert_int_eq(send(packets, f.bytes, f.n, 0), (int)f.n);
		do
			bytes = net_queue_recv(q, &hdr, &iov, 1);
		while (bytes != (i ? -EMSGSIZE : 831));
	}
	close(packets);
	close_tap(n, q);
}
END_TEST

/* --- the kernel's offloads are ours ---------------------------------------------------- */

static const struct {
	struct frame_kind kind;
	size_t bytes;
	uint16_t size; /* 0: only a checksum */
} large[] = {
	{{.what = "TCP over IPv4"}, 20000, 1460},
	{{.what = "TCP over IPv4"}, 64000, 1001},
	{{.what = "TCP over IPv4"}, 333, 0},
	{{.what = "… with options", .tcp_options = 12}, 9999, 1448},
	{{.what = "… with IP's", .ip_options = 8, .tcp_options = 4}, 9999, 999},
	{{.what = "… with a tag", .tags = 1}, 4000, 1460},
	{{.what = "TCP over IPv6", .v6 = true}, 20001, 1440},
	{{.what = "… with a tag", .v6 = true, .tags = 1}, 5000, 1440},
	{{.what = "… with an extension", .v6 = true, .extensions = 1},
	 5000,
	 1400},
	{{.what = "UDP over IPv4", .udp = true}, 20000, 1472},
	{{.what = "UDP over IPv4", .udp = true}, 21, 0},
	{{.what = "UDP over IPv6", .udp = true, .v6 = true}, 20000, 1452},
	{{.what = "UDP over IPv6", .udp = true, .v6 = true}, 1001, 0},
};

/* What the kernel makes of a frame between two taps is what we make of it. */
static void compare_with_kernel(struct net_queue *from, struct net_queue *to,
				unsigned int i)
{
	struct offload_segments s;
	struct virtio_net_hdr hdr, its;
	struct iovec iov[2];
	static uint8_t want[ROOM];
	size_t bytes;

	frame_make(&f, &large[i].kind, large[i].bytes);
	frame_unfinish(&f);
	hdr = frame_hdr(&f, large[i].size);
	ck_assert_int_eq(send_frame(from, &hdr), 0);
	if (!large[i].size) {
		ck_assert_uint_eq(receive(to, &its), f.n);
		ck_assert_int_eq(offload_checksum(f.bytes, f.n, &hdr), 0);
		ck_assert_mem_eq(got, f.bytes, f.n);
		return;
	}
	ck_assert_int_eq(offload_segments_init(&s, f.bytes, f.n, &hdr), 0);
	while ((bytes = offload_segments_next(&s, iov))) {
		memcpy(want, iov[0].iov_base, iov[0].iov_len);
		memcpy(want + iov[0].iov_len, iov[1].iov_base, iov[1].iov_len);
		ck_assert_uint_eq(receive(to, &its), bytes);
		ck_assert_msg(!memcmp(got, want, bytes), "%s: segment %u",
			      large[i].kind.what, s.n);
		ck_assert_uint_eq(its.gso_type, 0);
		ck_assert_uint_eq(its.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM, 0);
	}
}

START_TEST(segments_are_those_of_the_kernel)
{
	static const struct net_tap_options options = {.bridge = "br0",
						       .mtu = 1500};
	struct net *a, *b;
	struct net_queue *from, *to;

	if (!netns_add_bridge("br0"))
		return;
	a = open_tap(&options);
	b = open_tap(&options);
	from = open_queue(a, 0);
	to = open_queue(b, 0);
	compare_with_kernel(from, to, (unsigned int)_i);
	close_tap(a, from);
	close_tap(b, to);
}
END_TEST

/* A receiver that takes them gets large frames whole, as they were sent. */
START_TEST(large_frames_stay_whole_for_who_takes_them)
{
	static const struct net_tap_options options = {.bridge = "br0"};
	struct net *a, *b;
	struct net_queue *from, *to;
	struct virtio_net_hdr hdr, its;

	if (!netns_add_bridge("br0"))
		return;
	a = open_tap(&options);
	b = open_tap(&options);
	from = open_queue(a, 0);
	to = open_queue(b, 0);
	net_set_offloads(b, NET_OFFLOAD_ALL);
	frame_make(&f, &tcp4, 30000);
	frame_unfinish(&f);
	hdr = frame_hdr(&f, 1460);
	ck_assert_int_eq(send_frame(from, &hdr), 0);
	ck_assert_uint_eq(receive(to, &its), f.n);
	ck_assert_uint_eq(its.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	ck_assert_uint_eq(its.gso_size, 1460);
	ck_assert_uint_eq(its.csum_start, hdr.csum_start);
	ck_assert_uint_eq(its.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	ck_assert_mem_eq(got, f.bytes, f.n);
	close_tap(a, from);
	close_tap(b, to);
}
END_TEST

/* --- queues ------------------------------------------------------------------------ */

START_TEST(replies_come_to_the_queue_that_has_asked)
{
	static const struct net_tap_options options = {.name = "t0",
						       .queues = 4};
	struct net *n = open_tap(&options);
	struct net_queue *qs[4];
	int packets = netns_packets("t0");
	struct virtio_net_hdr hdr;
	uint8_t *ip;

	ck_assert_uint_eq(net_info(n)->max_queues, 4);
	for (unsigned int i = 0; i < 4; i++)
		qs[i] = open_queue(n, i);
	for (unsigned int i = 0; i < 4; i++) {
		frame_make(&f, &tcp4, 100);
		frame_put(f.bytes + f.l4, 2, 1000 + i);
		frame_finish(&f);
		ck_assert_int_eq(send_frame(qs[i], &plain), 0);
		ck_assert_uint_eq(receive_packet(packets), f.n);
		ip = f.bytes + f.ip;
		frame_put(ip + 12, 4, 0x0a000202);
		frame_put(ip + 16, 4, 0x0a00020f);
		frame_put(f.bytes + f.l4, 2, 0x50);
		frame_put(f.bytes + f.l4 + 2, 2, 1000 + i);
		frame_put(f.bytes + f.l4, 2, 0x50);
		frame_finish(&f);
	}
	/* A queue that goes leaves its frames to the others. */
	net_queue_free(qs[3]);
	for (unsigned int i = 0; i < 20; i++) {
		frame_put(f.bytes + f.l4, 2, 2000 + i);
		frame_finish(&f);
		ck_assert_int_gt(send(packets, f.bytes, f.n, 0), 0);
	}
	for (unsigned int i = 0; i < 20;) {
		for (unsigned int k = 0; k < 3; k++) {
			const struct iovec iov = {got, ROOM};

			if (net_queue_recv(qs[k], &hdr, &iov, 1) > 0 &&
			    is_ours(got))
				i++;
		}
	}
	qs[3] = open_queue(n, 3);
	ck_assert_int_eq(send_frame(qs[3], &plain), 0);
	close(packets);
	for (unsigned int i = 1; i < 4; i++)
		net_queue_free(qs[i]);
	close_tap(n, qs[0]);
}
END_TEST

START_TEST(a_tap_of_one_queue_has_one)
{
	static const struct net_tap_options four = {.name = "t0", .queues = 4};
	static const struct net_tap_options one = {.name = "t1", .queues = 1};
	struct net *n;

	netns_add_tap("t0", false);
	n = open_tap(&four);
	ck_assert_uint_eq(net_info(n)->max_queues, 1);
	/* It was there before, and down. */
	ck_assert(!net_link(n));
	net_free(n);
	ck_assert_uint_ne(if_nametoindex("t0"), 0);
	netns_add_tap("t1", true);
	n = open_tap(&one);
	ck_assert_uint_eq(net_info(n)->max_queues, 1);
	close_tap(n, open_queue(n, 0));
}
END_TEST

START_TEST(what_came_for_another_guest_is_gone)
{
	static const struct net_tap_options options = {.name = "t0"};
	struct net *n = open_tap(&options);
	struct net_queue *q = open_queue(n, 0);
	int packets = netns_packets("t0");
	struct virtio_net_hdr hdr;

	net_queue_free(q);
	frame_make(&f, &tcp4, 1);
	for (unsigned int i = 0; i < 50; i++)
		ck_assert_int_gt(send(packets, f.bytes, f.n, 0), 0);
	q = open_queue(n, 0);
	frame_make(&f, &tcp4, 2);
	ck_assert_int_gt(send(packets, f.bytes, f.n, 0), 0);
	ck_assert_uint_eq(receive(q, &hdr), f.n);
	close(packets);
	close_tap(n, q);
}
END_TEST

/* --- handed over ---------------------------------------------------------------------- */

static int tap_fd(const char *name, int flags)
{
	struct ifreq r = {.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | flags)};
	int fd = open("/dev/net/tun", O_RDWR);

	strncpy(r.ifr_name, name, IFNAMSIZ - 1);
	ck_assert_int_eq(ioctl(fd, TUNSETIFF, &r), 0);
	return fd;
}

START_TEST(descriptors_are_taken_over)
{
	const int fds[] = {tap_fd("t0", IFF_VNET_HDR | IFF_MULTI_QUEUE),
			   tap_fd("t0", IFF_VNET_HDR | IFF_MULTI_QUEUE)};
	const struct net_tap_options options = {.fds = fds, .n_fds = 2};
	struct net *n;
	struct net_queue *qs[2];
	int packets;

	netns_set_up("t0", true);
	n = open_tap(&options);
	ck_assert_str_eq(net_info(n)->kind, "tap t0");
	ck_assert_uint_eq(net_info(n)->max_queues, 2);
	ck_assert(net_link(n));
	packets = netns_packets("t0");
	for (unsigned int again = 0; again < 2; again++) {
		for (unsigned int i = 0; i < 2; i++) {
			qs[i] = open_queue(n, i);
			frame_make(&f, &tcp4, 100 + i);
			ck_assert_int_eq(send_frame(qs[i], &plain), 0);
			ck_assert_uint_eq(receive_packet(packets), f.n);
		}
		net_queue_free(qs[1]);
		net_queue_free(qs[0]);
	}
	net_free(n);
	/* They were ours. */
	ck_assert_int_eq(fcntl(fds[0], F_GETFD), -1);
	close(packets);
}
END_TEST

START_TEST(other_descriptors_are_refused)
{
	const int kinds[] = {tap_fd("t0", 0), open("/dev/null", O_RDWR), 9999};

	for (unsigned int i = 0; i < 3; i++) {
		const struct net_tap_options options = {.fds = &kinds[i],
							.n_fds = 1};
		g_autoptr(GError) error = NULL;

		ck_assert_ptr_null(net_tap_new(&options, &error));
		ck_assert_msg(strstr(error->message, "descriptor"), "%s",
			      error->message);
	}
}
END_TEST

START_TEST(what_cannot_be_is_said)
{
	static const struct {
		struct net_tap_options options;
		const char *says;
	} wrong[] = {
		{{.bridge = "nobridge"}, "nobridge: there is none"},
		{{.name = "lo"}, "lo"},
		{{.bridge = "lo"}, "lo"},
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;

		ck_assert_ptr_null(net_tap_new(&wrong[i].options, &error));
		ck_assert_msg(strstr(error->message, wrong[i].says), "%s",
			      error->message);
	}
}
END_TEST

START_TEST(one_in_use_is_refused)
{
	static const struct net_tap_options options = {.name = "t0"};
	struct net *n = open_tap(&options);
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(net_tap_new(&options, &error));
	ck_assert_msg(strstr(error->message, "in use"), "%s", error->message);
	net_free(n);
}
END_TEST

/* --- the link -------------------------------------------------------------------------- */

START_TEST(an_interface_that_is_down_is_no_link)
{
	static const struct net_tap_options options = {.name = "t0"};
	struct net *n = open_tap(&options);
	struct net_queue *q = open_queue(n, 0);
	struct net_stats stats;

	frame_make(&f, &tcp4, 100);
	netns_set_up("t0", false);
	/* Before it is heard of: lost, and that is all. */
	ck_assert_int_lt(send_frame(q, &plain), 0);
	wait_link(n, false);
	ck_assert_int_eq(send_frame(q, &plain), -ENETDOWN);
	netns_set_up("t0", true);
	wait_link(n, true);
	ck_assert_int_eq(send_frame(q, &plain), 0);
	net_get_stats(n, &stats);
	ck_assert_uint_eq(stats.lost, 2);
	close_tap(n, q);
}
END_TEST

/* The kernel says it within a second. */
static void wait_running(const char *name, bool running)
{
	struct ifreq r = {0};

	strncpy(r.ifr_name, name, IFNAMSIZ - 1);
	for (unsigned int i = 0; i < WAIT_MS; i++) {
		ck_assert_int_eq(netns_ioctl(SIOCGIFFLAGS, &r), 0);
		if (!(r.ifr_flags & IFF_RUNNING) == !running)
			return;
		poll(NULL, 0, 1);
	}
	ck_abort_msg("%s: not seen", name);
}

START_TEST(the_host_sees_the_cable)
{
	static const struct net_tap_options options = {.name = "t0"};
	struct net *n = open_tap(&options);
	struct net_queue *q = open_queue(n, 0);

	net_set_link(n, false);
	wait_link(n, false);
	wait_running("t0", false);
	net_set_link(n, true);
	wait_link(n, true);
	wait_running("t0", true);
	close_tap(n, q);
}
END_TEST

/* Taken away and given back, with the queues' descriptors as they were. */
START_TEST(an_interface_may_go_and_come_back)
{
	static const struct net_tap_options options = {.name = "t0",
						       .queues = 2};
	struct net *n;
	struct net_queue *qs[2];
	struct virtio_net_hdr hdr;
	int packets;

	netns_add_tap("t0", true);
	netns_set_up("t0", true);
	n = open_tap(&options);
	qs[0] = open_queue(n, 0);
	qs[1] = open_queue(n, 1);
	for (unsigned int round = 0; round < 5; round++) {
		const int fd = net_queue_fd(qs[0]);
		const struct iovec iov = {got, ROOM};

		ck_assert(net_link(n));
		netns_delete("t0");
		/* Nobody may fall over it before it is heard of. */
		frame_make(&f, &tcp4, 100);
		ck_assert_int_lt(send_frame(qs[0], &plain), 0);
		ck_assert_int_eq(net_queue_recv(qs[0], &hdr, &iov, 1), -EAGAIN);
		wait_link(n, false);
		/* A thread that waits for frames sleeps. */
		ck_assert_int_eq(net_queue_recv(qs[0], &hdr, &iov, 1), -EAGAIN);
		ck_assert(!is_ready(qs[0], 0));
		ck_assert(!is_ready(qs[1], 0));
		ck_assert_int_lt(send_frame(qs[1], &plain), 0);
		netns_add_tap("t0", true);
		netns_set_up("t0", true);
		wait_link(n, true);
		ck_assert_int_eq(net_queue_fd(qs[0]), fd);
		packets = netns_packets("t0");
		ck_assert_int_eq(send_frame(qs[0], &plain), 0);
		ck_assert_uint_eq(receive_packet(packets), f.n);
		ck_assert_int_eq(send_frame(qs[1], &plain), 0);
		ck_assert_uint_eq(receive_packet(packets), f.n);
		close(packets);
	}
	net_queue_free(qs[1]);
	close_tap(n, qs[0]);
}
END_TEST

START_TEST(a_queue_may_be_opened_while_it_is_away)
{
	static const struct net_tap_options options = {.name = "t0",
						       .queues = 2};
	struct net *n;
	struct net_queue *q, *second;

	netns_add_tap("t0", true);
	netns_set_up("t0", true);
	n = open_tap(&options);
	q = open_queue(n, 0);
	netns_delete("t0");
	wait_link(n, false);
	second = open_queue(n, 1);
	frame_make(&f, &tcp4, 100);
	ck_assert_int_lt(send_frame(second, &plain), 0);
	netns_add_tap("t0", true);
	netns_set_up("t0", true);
	wait_link(n, true);
	ck_assert_int_eq(send_frame(second, &plain), 0);
	net_queue_free(second);
	close_tap(n, q);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices/net/tap");
	TCase *tc = tcase_create("tap");

	if (!netns_usable()) {
		puts("skip: no taps in a network namespace here");
		return 77;
	}
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, frames_go_to_the_kernel_and_come_from_it);
	tcase_add_test(tc, one_that_is_too_long_is_discarded);
	tcase_add_loop_test(tc, segments_are_those_of_the_kernel, 0,
			    (int)G_N_ELEMENTS(large));
	tcase_add_test(tc, large_frames_stay_whole_for_who_takes_them);
	tcase_add_test(tc, replies_come_to_the_queue_that_has_asked);
	tcase_add_test(tc, a_tap_of_one_queue_has_one);
	tcase_add_test(tc, what_came_for_another_guest_is_gone);
	tcase_add_test(tc, descriptors_are_taken_over);
	tcase_add_test(tc, other_descriptors_are_refused);
	tcase_add_test(tc, what_cannot_be_is_said);
	tcase_add_test(tc, one_in_use_is_refused);
	tcase_add_test(tc, an_interface_that_is_down_is_no_link);
	tcase_add_test(tc, the_host_sees_the_cable);
	tcase_add_test(tc, an_interface_may_go_and_come_back);
	tcase_add_test(tc, a_queue_may_be_opened_while_it_is_away);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
