/* SPDX-License-Identifier: MIT */
#include "devices/net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "devices/net/net.h"
#include "support/check_main.h"
#include "support/frames.h"
#include "support/free_port.h"

#define WAIT_MS 5000
#define ROOM    70000u

static const struct virtio_net_hdr plain;
static const struct frame_kind tcp4 = {.what = "TCP over IPv4"};
static char folder[] = "/tmp/test-socket-XXXXXX";
static char path[64];
static struct frame f;
static uint8_t got[ROOM];

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/cable", folder);
}

static void setup_tcp(void)
{
	struct sockaddr_in a = free_port();

	setup();
	snprintf(path, sizeof(path), "tcp:127.0.0.1:%u", ntohs(a.sin_port));
}

static void teardown(void)
{
	unlink(path);
	rmdir(folder);
}

/* One end: a net and its queue. */
struct end {
	struct net *n;
	struct net_queue *q;
};

static struct end open_end(const struct net_socket_options *options)
{
	g_autoptr(GError) error = NULL;
	struct end e = {.n = net_socket_new(options, &error)};

	ck_assert_msg(e.n != NULL, "%s", error ? error->message : "");
	e.q = net_queue_new(e.n, 0, NULL);
	return e;
}

static void close_end(struct end *e)
{
	net_queue_free(e->q);
	net_free(e->n);
}

static struct end listener(void)
{
	return open_end(&(const struct net_socket_options){.path = path,
							   .listen = true});
}

static struct end connector(void)
{
	return open_end(&(const struct net_socket_options){.path = path});
}

static void wait_link(const struct net *n, bool up)
{
	for (unsigned int i = 0; net_link(n) != up; i++) {
		ck_assert_uint_lt(i, WAIT_MS);
		if (!g_main_context_iteration(NULL, FALSE))
			poll(NULL, 0, 1);
	}
}

static bool is_ready(const struct end *e, int ms)
{
	struct pollfd p = {.fd = net_queue_fd(e->q), .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

static int send_frame(const struct end *e, const struct virtio_net_hdr *hdr)
{
	const struct iovec iov[] = {{f.bytes, 15}, {f.bytes + 15, f.n - 15}};

	return net_queue_send(e->q, hdr, iov, 2);
}

static ssize_t try_receive(const struct end *e)
{
	const struct iovec iov[] = {{got, 50}, {got + 50, ROOM - 50}};
	struct virtio_net_hdr hdr;

	return net_queue_recv(e->q, &hdr, iov, 2);
}

static size_t receive(const struct end *e)
{
	ssize_t n;

	while ((n = try_receive(e)) == -EAGAIN)
		ck_assert(is_ready(e, WAIT_MS));
	ck_assert_int_gt(n, 0);
	return (size_t)n;
}

static void expect_pass(const struct end *from, const struct end *to,
			size_t bytes)
{
	frame_make(&f, &tcp4, bytes);
	ck_assert_int_eq(send_frame(from, &plain), 0);
	net_queue_kick(from->q);
	ck_assert_uint_eq(receive(to), f.n);
	ck_assert_mem_eq(got, f.bytes, f.n);
}

/* --- two ends --------------------------------------------------------------------- */

START_TEST(frames_of_all_sizes_both_ways)
{
	struct end a = listener(), b = connector();

	ck_assert(!net_link(a.n));
	wait_link(a.n, true);
	wait_link(b.n, true);
	for (size_t n = 0; n < 3000; n += 37) {
		expect_pass(&a, &b, n);
		expect_pass(&b, &a, n + 1);
	}
	expect_pass(&a, &b, 65000);
	ck_assert_int_eq(try_receive(&a), -EAGAIN);
	ck_assert(!is_ready(&a, 0));
	close_end(&b);
	close_end(&a);
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(they_come_in_any_order)
{
	struct end b = connector(), a;

	for (unsigned int i = 0; i < 3; i++)
		g_main_context_iteration(NULL, FALSE);
	ck_assert(!net_link(b.n));
	ck_assert_int_eq(try_receive(&b), -EAGAIN);
	a = listener();
	wait_link(b.n, true);
	wait_link(a.n, true);
	expect_pass(&a, &b, 100);
	close_end(&a);
	close_end(&b);
}
END_TEST

START_TEST(either_may_go_and_come_back)
{
	struct end a = listener(), b = connector();

	for (unsigned int i = 0; i < 3; i++) {
		wait_link(a.n, true);
		wait_link(b.n, true);
		expect_pass(&a, &b, 500);
		/* What was on its way to who goes is lost. */
		ck_assert_int_eq(send_frame(&a, &plain), 0);
		close_end(&b);
		ck_assert(is_ready(&a, WAIT_MS));
		ck_assert_int_eq(try_receive(&a), -EAGAIN);
		wait_link(a.n, false);
		ck_assert(!is_ready(&a, 0));
		ck_assert_int_eq(send_frame(&a, &plain), -ENETDOWN);
		b = connector();
		wait_link(a.n, true);
		wait_link(b.n, true);
		expect_pass(&b, &a, 500);
		close_end(&a);
		ck_assert(is_ready(&b, WAIT_MS));
		ck_assert_int_eq(try_receive(&b), -EAGAIN);
		wait_link(b.n, false);
		a = listener();
	}
	close_end(&a);
	close_end(&b);
}
END_TEST

START_TEST(large_frames_are_cut)
{
	struct end a = listener(), b = connector();
	struct virtio_net_hdr hdr;
	size_t carried = 0;

	wait_link(a.n, true);
	frame_make(&f, &tcp4, 60000);
	frame_unfinish(&f);
	hdr = frame_hdr(&f, 1460);
	ck_assert_int_eq(send_frame(&a, &hdr), 0);
	net_queue_kick(a.q);
	for (unsigned int i = 0; i < 42; i++) {
		size_t n = receive(&b);

		ck_assert_mem_eq(got + 54, f.bytes + 54 + carried, n - 54);
		carried += n - 54;
	}
	ck_assert_uint_eq(carried, 60000);
	close_end(&a);
	close_end(&b);
}
END_TEST

/* One that does not read: what was taken arrives, in order. */
START_TEST(a_peer_that_stalls)
{
	struct end a = listener(), b = connector();
	unsigned int sent = 0;

	wait_link(a.n, true);
	wait_link(b.n, true);
	for (;; sent++) {
		frame_make(&f, &tcp4, 1000);
		frame_put(f.bytes + 100, 4, sent);
		if (send_frame(&a, &plain))
			break;
		net_queue_kick(a.q);
		ck_assert_uint_lt(sent, 100000);
	}
	net_queue_watch(a.q, NET_WATCH_SEND);
	ck_assert(!is_ready(&a, 0));
	for (unsigned int i = 0; i < sent; i++) {
		ck_assert_uint_eq(receive(&b), 1054);
		ck_assert_uint_eq(frame_get(got + 100, 4), i);
		if (is_ready(&a, 0))
			net_queue_kick(a.q);
	}
	ck_assert_int_eq(send_frame(&a, &plain), 0);
	net_queue_kick(a.q);
	ck_assert_uint_eq(receive(&b), 1054);
	close_end(&a);
	close_end(&b);
}
END_TEST

/* --- a program at the other end ---------------------------------------------------- */

static int program(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(a.sun_path, path, sizeof(a.sun_path));
	ck_assert_int_eq(connect(fd, (void *)&a, sizeof(a)), 0);
	return fd;
}

START_TEST(what_is_on_the_wire_is_qemus)
{
	struct end a = listener();
	int fd = program();
	uint8_t wire[4 + 154];

	wait_link(a.n, true);
	frame_make(&f, &tcp4, 100);
	send_frame(&a, &plain);
	net_queue_kick(a.q);
	ck_assert_int_eq(recv(fd, wire, sizeof(wire), MSG_WAITALL),
			 sizeof(wire));
	ck_assert_uint_eq(frame_get(wire, 4), 154);
	ck_assert_mem_eq(wire + 4, f.bytes, 154);
	close(fd);
	close_end(&a);
}
END_TEST

START_TEST(frames_that_come_in_crumbs)
{
	struct end a = listener();
	int fd = program();
	uint8_t wire[2 * (4 + 74)];

	wait_link(a.n, true);
	frame_make(&f, &tcp4, 20);
	for (unsigned int i = 0; i < 2; i++) {
		frame_put(wire + i * 78, 4, 74);
		memcpy(wire + i * 78 + 4, f.bytes, 74);
	}
	for (size_t i = 0; i < 77; i++) {
		ck_assert_int_eq(write(fd, wire + i, 1), 1);
		ck_assert(is_ready(&a, WAIT_MS));
		ck_assert_int_eq(try_receive(&a), -EAGAIN);
	}
	ck_assert_int_eq(write(fd, wire + 77, 79), 79);
	ck_assert_uint_eq(receive(&a), 74);
	ck_assert_mem_eq(got, f.bytes, 74);
	ck_assert_uint_eq(receive(&a), 74);
	close(fd);
	close_end(&a);
}
END_TEST

static const uint32_t nonsense[] = {0, 13, NET_FRAME_MAX + 1, UINT32_MAX};

START_TEST(a_length_that_is_none_ends_the_connection)
{
	struct end a = listener();
	int fd = program();
	uint8_t wire[64] = {0};

	wait_link(a.n, true);
	frame_put(wire, 4, nonsense[_i]);
	ck_assert_int_eq(write(fd, wire, 64), 64);
	ck_assert(is_ready(&a, WAIT_MS));
	ck_assert_int_eq(try_receive(&a), -EAGAIN);
	wait_link(a.n, false);
	close(fd);
	fd = program();
	wait_link(a.n, true);
	close(fd);
	close_end(&a);
}
END_TEST

START_TEST(there_is_one_peer_at_a_time)
{
	struct end a = listener();
	int fd = program(), second;
	char byte;

	wait_link(a.n, true);
	second = program();
	while (recv(second, &byte, 1, MSG_DONTWAIT) < 0) {
		ck_assert_int_eq(errno, EAGAIN);
		g_main_context_iteration(NULL, FALSE);
	}
	ck_assert(net_link(a.n));
	close(second);
	close(fd);
	close_end(&a);
}
END_TEST

START_TEST(no_descriptor_for_a_peer)
{
	struct end a = listener();
	struct rlimit limit, none;
	int fd = program();

	ck_assert(!getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = (rlim_t)fd + 1;
	ck_assert(!setrlimit(RLIMIT_NOFILE, &none));
	/* It ends: the socket is not looked at for a while. */
	while (g_main_context_iteration(NULL, FALSE))
		;
	ck_assert(!net_link(a.n));
	ck_assert(!setrlimit(RLIMIT_NOFILE, &limit));
	wait_link(a.n, true);
	close(fd);
	close_end(&a);
}
END_TEST

START_TEST(frames_longer_than_the_room_are_discarded)
{
	struct end a = listener(), b = connector();
	const struct iovec iov = {got, 99};
	struct virtio_net_hdr hdr;

	wait_link(a.n, true);
	wait_link(b.n, true);
	frame_make(&f, &tcp4, 46);
	send_frame(&a, &plain);
	frame_make(&f, &tcp4, 45);
	send_frame(&a, &plain);
	net_queue_kick(a.q);
	ck_assert(is_ready(&b, WAIT_MS));
	ck_assert_int_eq(net_queue_recv(b.q, &hdr, &iov, 1), -EMSGSIZE);
	ck_assert_int_eq(net_queue_recv(b.q, &hdr, &iov, 1), 99);
	close_end(&a);
	close_end(&b);
}
END_TEST

/* --- descriptors and paths ------------------------------------------------------------ */

static struct end open_fd(int fd)
{
	return open_end(&(const struct net_socket_options){.fd = fd});
}

static void open_pair(struct end *a, struct end *b)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	*a = open_fd(pair[0]);
	*b = open_fd(pair[1]);
}

START_TEST(descriptors_are_taken_over)
{
	struct end a, b;

	open_pair(&a, &b);
	ck_assert(net_link(a.n) && net_link(b.n));
	expect_pass(&a, &b, 1234);
	close_end(&a);
	ck_assert(is_ready(&b, WAIT_MS));
	ck_assert_int_eq(try_receive(&b), -EAGAIN);
	wait_link(b.n, false);
	close_end(&b);
}
END_TEST

/* Another guest goes on where the last was, with nothing lost or torn. */
START_TEST(a_cable_outlives_the_guest)
{
	struct end a, b;

	open_pair(&a, &b);
	for (size_t i = 0; i < 5; i++) {
		frame_make(&f, &tcp4, 100 + i);
		ck_assert_int_eq(send_frame(&a, &plain), 0);
	}
	net_queue_kick(a.q);
	for (size_t i = 0; i < 5; i++) {
		frame_make(&f, &tcp4, 100 + i);
		ck_assert_uint_eq(receive(&b), f.n);
		ck_assert_mem_eq(got, f.bytes, f.n);
		net_queue_free(b.q);
		b.q = net_queue_new(b.n, 0, NULL);
	}
	ck_assert(net_link(b.n));
	expect_pass(&b, &a, 77);
	close_end(&a);
	close_end(&b);
}
END_TEST

/* Who gave the descriptor has it, too, and it has ended for good. */
START_TEST(a_file_that_is_open_elsewhere_wakes_nobody)
{
	int pair[2], copy;
	struct end a;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	copy = dup(pair[0]);
	a = open_fd(pair[0]);
	close(pair[1]);
	ck_assert(is_ready(&a, WAIT_MS));
	ck_assert_int_eq(try_receive(&a), -EAGAIN);
	wait_link(a.n, false);
	ck_assert(!is_ready(&a, 0));
	close_end(&a);
	close(copy);
}
END_TEST

START_TEST(what_cannot_be_is_said)
{
	char longer[200];
	const struct net_socket_options wrong[] = {
		{.path = "/nonexistent/a", .listen = true},
		{.path = longer},
		{.path = "tcp:localhost", .listen = true},
		{.path = "tcp:192.0.2.1:9", .listen = true}, /* not ours */
		{.fd = socket(AF_UNIX, SOCK_DGRAM, 0)},
		{.fd = open("/dev/null", O_RDWR)},
		{.fd = 9999},
	};

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	for (unsigned int i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;

		ck_assert_ptr_null(net_socket_new(&wrong[i], &error));
		ck_assert_msg(strstr(error->message, "socket"), "%s",
			      error->message);
	}
}
END_TEST

START_TEST(a_socket_that_was_left_behind_is_replaced)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	g_autoptr(GError) error = NULL;
	struct end e;

	g_strlcpy(a.sun_path, path, sizeof(a.sun_path));
	ck_assert_int_eq(bind(fd, (void *)&a, sizeof(a)), 0);
	close(fd);
	e = listener();
	/* One that is in use is not, nor is any other file. */
	ck_assert_ptr_null(net_socket_new(
		&(const struct net_socket_options){.path = path,
						   .listen = true},
		&error));
	ck_assert_int_eq(access(path, F_OK), 0);
	close_end(&e);
	g_clear_error(&error);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	close(fd);
	ck_assert_ptr_null(net_socket_new(
		&(const struct net_socket_options){.path = path,
						   .listen = true},
		&error));
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices/net/socket");
	TCase *tc = tcase_create("socket");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, frames_of_all_sizes_both_ways);
	tcase_add_test(tc, they_come_in_any_order);
	tcase_add_test(tc, either_may_go_and_come_back);
	tcase_add_test(tc, large_frames_are_cut);
	tcase_add_test(tc, a_peer_that_stalls);
	tcase_add_test(tc, what_is_on_the_wire_is_qemus);
	tcase_add_test(tc, frames_that_come_in_crumbs);
	tcase_add_loop_test(tc, a_length_that_is_none_ends_the_connection, 0,
			    (int)G_N_ELEMENTS(nonsense));
	tcase_add_test(tc, there_is_one_peer_at_a_time);
	tcase_add_test(tc, no_descriptor_for_a_peer);
	tcase_add_test(tc, frames_longer_than_the_room_are_discarded);
	tcase_add_test(tc, descriptors_are_taken_over);
	tcase_add_test(tc, a_cable_outlives_the_guest);
	tcase_add_test(tc, a_file_that_is_open_elsewhere_wakes_nobody);
	tcase_add_test(tc, what_cannot_be_is_said);
	tcase_add_test(tc, a_socket_that_was_left_behind_is_replaced);
	suite_add_tcase(suite, tc);

	tc = tcase_create("TCP");
	tcase_add_checked_fixture(tc, setup_tcp, teardown);
	tcase_add_test(tc, frames_of_all_sizes_both_ways);
	tcase_add_test(tc, they_come_in_any_order);
	tcase_add_test(tc, either_may_go_and_come_back);
	tcase_add_test(tc, large_frames_are_cut);
	tcase_add_test(tc, a_peer_that_stalls);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
