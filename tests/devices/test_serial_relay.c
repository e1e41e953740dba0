/* SPDX-License-Identifier: MIT */
#include "devices/serial_relay.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "base/clock.h"
#include "support/check_main.h"

#define SOON_MS 10000

static char *dir, *path;
static struct sockaddr_un address;
static struct serial_relay *relay;

static void setup(void)
{
	dir = g_dir_make_tmp("kvmbus-relay-XXXXXX", NULL);
	path = g_build_filename(dir, "s", NULL);
	address.sun_family = AF_UNIX;
	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
}

static void teardown(void)
{
	g_clear_pointer(&relay, serial_relay_free);
	g_unlink(path);
	g_rmdir(dir);
	g_free(path);
	g_free(dir);
}

static int make_listener(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_unlink(path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

static int make_client(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void begin(struct serial_relay_params params)
{
	GError *error = NULL;

	relay = serial_relay_new(&params, &error);
	ck_assert_msg(relay != NULL, "%s", error ? error->message : "");
}

static void send_text(int fd, const char *text)
{
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
}

/* Exactly @want, in as many pieces as it comes. */
static void expect(int fd, const void *want, size_t len)
{
	uint8_t got[256];
	size_t n = 0;

	while (n < len) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t more;

		ck_assert_int_eq(poll(&p, 1, SOON_MS), 1);
		more = read(fd, got + n, len - n);
		ck_assert_int_gt(more, 0);
		n += (size_t)more;
	}
	ck_assert_mem_eq(got, want, len);
}

static void expect_text(int fd, const char *text)
{
	expect(fd, text, strlen(text));
}

static void expect_end(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char c;

	ck_assert_int_eq(poll(&p, 1, SOON_MS), 1);
	ck_assert_int_le(read(fd, &c, 1), 0);
}

/* Until the relay has a client, output is thrown away: the client speaks. */
static void meet(int client)
{
	send_text(client, "!");
	expect_text(serial_relay_fd(relay), "!");
}

START_TEST(one_after_the_other_may_connect)
{
	int client;

	begin((struct serial_relay_params){.kind = RELAY_LISTEN,
					   .fd = make_listener()});
	for (unsigned int i = 0; i < 3; i++) {
		client = make_client();
		meet(client);
		send_text(serial_relay_fd(relay), "hello");
		expect_text(client, "hello");
		send_text(client, "answer");
		expect_text(serial_relay_fd(relay), "answer");
		close(client);
	}
}
END_TEST

/* In the next tenth of a second little is done. */
static void expect_rest(void)
{
	struct timespec used, had;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &had);
	poll(NULL, 0, 100);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	ck_assert_int_lt((used.tv_sec - had.tv_sec) * NSEC_PER_SEC +
				 used.tv_nsec - had.tv_nsec,
			 50 * NSEC_PER_MSEC);
}

START_TEST(without_a_descriptor_it_does_not_spin)
{
	struct rlimit limit, none;
	int first, second;

	begin((struct serial_relay_params){.kind = RELAY_LISTEN,
					   .fd = make_listener()});
	first = make_client();
	meet(first);
	second = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert(!getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	/* All below are open; poll() takes no more than that, either. */
	none.rlim_cur = 5;
	ck_assert(!setrlimit(RLIMIT_NOFILE, &none));
	close(first);
	ck_assert_int_eq(
		connect(second, (struct sockaddr *)&address, sizeof(address)),
		0);
	expect_rest();
	ck_assert(!setrlimit(RLIMIT_NOFILE, &limit));
	meet(second);
	close(second);
}
END_TEST

/* Who wrote more than the guest reads, and went: that is for later. */
START_TEST(who_has_gone_is_no_work)
{
	char part[4096], last = 0;
	size_t sent = 0, got = 0;
	ssize_t n;
	int client;

	begin((struct serial_relay_params){.kind = RELAY_LISTEN,
					   .fd = make_listener()});
	client = make_client();
	memset(part, 'x', sizeof(part));
	do {
		struct pollfd p = {.fd = client, .events = POLLOUT};

		n = poll(&p, 1, 200) == 1
			    ? send(client, part, sizeof(part), MSG_DONTWAIT)
			    : 0;
		sent += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	close(client);
	expect_rest();
	/* It is still there. */
	while (got < sent) {
		n = read(serial_relay_fd(relay), part, sizeof(part));
		if (n <= 0) {
			poll(NULL, 0, 1);
			continue;
		}
		got += (size_t)n;
		last = part[n - 1];
	}
	ck_assert_int_eq(last, 'x');
	ck_assert_uint_eq(got, sent);
}
END_TEST

START_TEST(without_a_peer_nothing_waits)
{
	char much[65536];
	int client;

	memset(much, 'x', sizeof(much));
	begin((struct serial_relay_params){.kind = RELAY_LISTEN,
					   .fd = make_listener()});
	/* More than the pair holds: it is read, and lost. */
	for (unsigned int i = 0; i < 64; i++)
		ck_assert_int_eq(
			write(serial_relay_fd(relay), much, sizeof(much)),
			sizeof(much));
	client = make_client();
	meet(client);
	close(client);
}
END_TEST

START_TEST(it_connects_when_somebody_listens)
{
	GError *error = NULL;
	struct serial_relay_params params = {.kind = RELAY_CONNECT, .fd = -1};
	int listener, peer;

	memcpy(&params.address, &address, sizeof(address));
	params.address_bytes = sizeof(address);
	ck_assert_ptr_null(serial_relay_new(&params, &error));
	ck_assert_ptr_nonnull(error);
	g_clear_error(&error);

	params.reconnect_s = 1;
	begin(params);
	listener = make_listener();
	for (unsigned int i = 0; i < 2; i++) {
		peer = accept(listener, NULL, NULL);
		ck_assert_int_ge(peer, 0);
		meet(peer);
		send_text(serial_relay_fd(relay), "hello");
		expect_text(peer, "hello");
		close(peer);
	}
	close(listener);
}
END_TEST

/* TCP says it later. */
START_TEST(nobody_at_a_port_is_an_error)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(in);
	struct serial_relay_params params = {.kind = RELAY_CONNECT, .fd = -1};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* A port that is taken, and at which nobody listens. */
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	memcpy(&params.address, &in, sizeof(in));
	params.address_bytes = sizeof(in);
	ck_assert_ptr_null(serial_relay_new(&params, NULL));
	close(fd);
}
END_TEST

START_TEST(telnet_is_spoken)
{
	static const uint8_t greeting[] = {255, 251, 1, 255, 251, 3,
					   255, 251, 0, 255, 253, 0};
	static const uint8_t said[] = {'a', 255, 253, 1,   'b', 255,
				       255, 255, 250, 24,  0,   255,
				       240, 'c', 255, 241, 'd'};
	static const uint8_t heard[] = {'a', 'b', 255, 'c', 'd'};
	static const uint8_t out[] = {'x', 255, 'y'};
	static const uint8_t escaped[] = {'x', 255, 255, 'y'};
	int client;

	begin((struct serial_relay_params){
		.kind = RELAY_LISTEN, .fd = make_listener(), .telnet = true});
	client = make_client();
	expect(client, greeting, sizeof(greeting));
	ck_assert_int_eq(write(client, said, sizeof(said)), sizeof(said));
	expect(serial_relay_fd(relay), heard, sizeof(heard));
	ck_assert_int_eq(write(serial_relay_fd(relay), out, sizeof(out)),
			 sizeof(out));
	expect(client, escaped, sizeof(escaped));
	close(client);
}
END_TEST

START_TEST(a_pseudo_terminal_is_opened_and_closed)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	struct termios raw;
	char name[64];

	ck_assert(!grantpt(master) && !unlockpt(master) &&
		  !ptsname_r(master, name, sizeof(name)));
	slave = open(name, O_RDWR | O_NOCTTY);
	ck_assert_int_eq(tcgetattr(slave, &raw), 0);
	cfmakeraw(&raw);
	tcsetattr(slave, TCSANOW, &raw);
	close(slave);
	begin((struct serial_relay_params){.kind = RELAY_PTY, .fd = master});
	for (unsigned int i = 0; i < 2; i++) {
		slave = open(name, O_RDWR | O_NOCTTY);
		meet(slave);
		send_text(serial_relay_fd(relay), "login: ");
		expect_text(slave, "login: ");
		close(slave);
	}
}
END_TEST

START_TEST(what_was_printed_last_arrives)
{
	int client;

	begin((struct serial_relay_params){.kind = RELAY_LISTEN,
					   .fd = make_listener()});
	client = make_client();
	meet(client);
	send_text(serial_relay_fd(relay), "power down");
	g_clear_pointer(&relay, serial_relay_free);
	expect_text(client, "power down");
	expect_end(client);
	close(client);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("devices/serial_relay");
	TCase *t = tcase_create("relay");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, one_after_the_other_may_connect);
	tcase_add_test(t, without_a_descriptor_it_does_not_spin);
	tcase_add_test(t, who_has_gone_is_no_work);
	tcase_add_test(t, without_a_peer_nothing_waits);
	tcase_add_test(t, it_connects_when_somebody_listens);
	tcase_add_test(t, nobody_at_a_port_is_an_error);
	tcase_add_test(t, telnet_is_spoken);
	tcase_add_test(t, a_pseudo_terminal_is_opened_and_closed);
	tcase_add_test(t, what_was_printed_last_arrives);
	suite_add_tcase(s, t);
	return check_main(s);
}
