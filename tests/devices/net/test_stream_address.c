/* SPDX-License-Identifier: MIT */
#include "devices/net/stream_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/check_main.h"
#include "support/free_port.h"

#define WAIT_MS 5000

static const struct {
	const char *text;
	int family;
	const char *host; /* as inet_ntop() has it */
	uint16_t port;
} good[] = {
	{"/run/cable", AF_UNIX, NULL, 0},
	{"./tcp:x:1", AF_UNIX, NULL, 0},
	{"tcp:127.0.0.1:1", AF_INET, "127.0.0.1", 1},
	{"tcp:10.0.0.9:65535", AF_INET, "10.0.0.9", 65535},
	{"tcp:[::1]:5558", AF_INET6, "::1", 5558},
	{"tcp:[fe80::1]:80", AF_INET6, "fe80::1", 80},
};

START_TEST(addresses)
{
	struct stream_address a;
	const struct sockaddr_in *in = (const void *)&a.sa;
	const struct sockaddr_in6 *in6 = (const void *)&a.sa;
	bool v4 = good[_i].family == AF_INET;
	char host[INET6_ADDRSTRLEN];

	ck_assert_int_eq(stream_address_parse(good[_i].text, &a, NULL), 0);
	ck_assert_int_eq(a.sa.ss_family, good[_i].family);
	if (good[_i].family == AF_UNIX) {
		ck_assert_str_eq(((const struct sockaddr_un *)&a.sa)->sun_path,
				 good[_i].text);
		return;
	}
	ck_assert_ptr_nonnull(
		inet_ntop(a.sa.ss_family,
			  v4 ? (const void *)&in->sin_addr : &in6->sin6_addr,
			  host, sizeof(host)));
	ck_assert_str_eq(host, good[_i].host);
	ck_assert_uint_eq(ntohs(v4 ? in->sin_port : in6->sin6_port),
			  good[_i].port);
}
END_TEST

static const struct {
	const char *text, *why;
} bad[] = {
	{"", "1 to 107 bytes"},
	{"tcp:", "tcp:HOST:PORT"},
	{"tcp:localhost", "tcp:HOST:PORT"},
	{"tcp:localhost:", "tcp:HOST:PORT"},
	{"tcp:localhost:0", "tcp:HOST:PORT"},
	{"tcp:localhost:65536", "tcp:HOST:PORT"},
	{"tcp:localhost:ssh", "tcp:HOST:PORT"},
	{"tcp:::1:80", "brackets"},
};

START_TEST(addresses_that_are_none)
{
	g_autoptr(GError) error = NULL;
	struct stream_address a;

	ck_assert_int_eq(stream_address_parse(bad[_i].text, &a, &error), -1);
	ck_assert_msg(strstr(error->message, bad[_i].why), "%s",
		      error->message);
}
END_TEST

static struct stream_address free_address(void)
{
	struct sockaddr_in port = free_port();
	struct stream_address a = {.bytes = sizeof(port)};

	memcpy(&a.sa, &port, sizeof(port));
	return a;
}

/* How a connect to @a ends: 0 or -errno. */
static int connect_result(const struct stream_address *a)
{
	bool pending;
	int fd = stream_connect(a, &pending), err;
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	if (fd < 0)
		return fd;
	ck_assert(pending);
	ck_assert_int_eq(poll(&p, 1, WAIT_MS), 1);
	err = stream_connected(fd);
	close(fd);
	return err;
}

START_TEST(a_port)
{
	struct stream_address a = free_address();
	int fd;

	ck_assert_int_eq(connect_result(&a), -ECONNREFUSED);
	fd = stream_listen("tcp:", &a);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(stream_listen("tcp:", &a), -EADDRINUSE);
	ck_assert_int_eq(connect_result(&a), 0);
	close(fd);
}
END_TEST

/* What the kernel may do when a port is tried that nobody listens on. */
START_TEST(who_has_itself_for_a_peer_is_not_connected)
{
	struct stream_address a = free_address();
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (void *)&a.sa, a.bytes), 0);
	ck_assert_int_eq(connect(fd, (void *)&a.sa, a.bytes), 0);
	ck_assert_int_eq(stream_connected(fd), -ECONNREFUSED);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stream_address");
	TCase *tc = tcase_create("stream_address");

	tcase_add_loop_test(tc, addresses, 0, G_N_ELEMENTS(good));
	tcase_add_loop_test(tc, addresses_that_are_none, 0, G_N_ELEMENTS(bad));
	tcase_add_test(tc, a_port);
	tcase_add_test(tc, who_has_itself_for_a_peer_is_not_connected);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
