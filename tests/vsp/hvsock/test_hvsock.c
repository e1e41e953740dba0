/* SPDX-License-Identifier: MIT */
#include "vsp/hvsock/hvsock.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "support/hvsock_bench.h"
#include "vsp/hvsock/impl.h"

/* --- connecting ------------------------------------------------------------------------ */

START_TEST(from_guest)
{
	int fd = connect_from_guest();

	send_guest("hello", 5);
	expect_host(fd, "hello", 5);
	ck_assert_int_eq(send(fd, "world!", 6, 0), 6);
	expect_guest("world!", 6);
	wait_until(status().from_guest == 1);
	/* Counted when they are on their way, which may be afterwards. */
	wait_until(status().bytes_to_host == 5);
	wait_until(status().bytes_to_guest == 6);
	close(fd);
}
END_TEST

START_TEST(from_host)
{
	int fd = connect_from_host();

	send_guest("hello", 5);
	expect_host(fd, "hello", 5);
	ck_assert_int_eq(send(fd, "world!", 6, 0), 6);
	expect_guest("world!", 6);
	wait_until(status().from_host == 1);
	close(fd);
}
END_TEST

/* What follows the line is not ours. */
START_TEST(bytes_right_behind_the_line)
{
	int fd = host_connect("CONNECT 4000\nand more");

	expect_offer(GPORT, true);
	guest_open(&guest, &offer);
	expect_guest("and more", 8);
	close(fd);
}
END_TEST

START_TEST(nobody_listens)
{
	guest_wants(PORT);
	wait_until(refusals == 1);
	/* A port that is none, though there might be such a socket. */
	guest_wants(HVSOCK_PORT_MAX + 1);
	wait_until(refusals == 2);
	ck_assert_uint_eq(status().refused, 2);
	ck_assert_uint_eq(status().n_connections, 0);
	ck_assert(!guest_has_message());
}
END_TEST

START_TEST(services_that_are_no_ports)
{
	struct guid endpoint = port_guid(ENDPOINT), service = port_guid(PORT);
	int fd = host_listen();

	service.b[15] ^= 1;
	hvsock_connect(hvsock, &endpoint, &service);
	wait_until(refusals == 1);
	service = (struct guid){0};
	hvsock_connect(hvsock, &endpoint, &service);
	wait_until(refusals == 2);
	close(fd);
}
END_TEST

START_TEST(an_endpoint_that_is_in_use)
{
	int fd = connect_from_guest(), listener;
	g_autofree char *at = g_strdup_printf("%s_%u", path, PORT);

	unlink(at);
	listener = host_listen();
	guest_wants(PORT);
	wait_until(refusals == 1);
	ck_assert_uint_eq(status().n_connections, 1);
	close(listener);
	close(fd);
}
END_TEST

static const char *const bad_lines[] = {
	"\n",
	"CONNECT\n",
	"CONNECT \n",
	"CONNECT x\n",
	"CONNECT -1\n",
	"CONNECT 2147483648\n",
	"CONNECT 99999999999999999999999\n",
	"CONNECT 4000 \n",
	"connect 4000\n",
	"CONNECT 4000, which is longer than any",
	"GET / HTTP/1.1\r\n\r\n",
};

START_TEST(lines_that_are_none)
{
	int fd = host_connect(bad_lines[_i]);

	expect_host_end(fd);
	close(fd);
	wait_until(status().refused == 1);
	wait_until(!status().n_connections);
	ck_assert(!guest_has_message());
}
END_TEST

START_TEST(a_client_that_leaves)
{
	close(host_connect(_i ? "CONNECT 40" : ""));
	wait_until(status().refused == 1);
	wait_until(!status().n_connections);
}
END_TEST

/* --- time ------------------------------------------------------------------------------------ */

/* But not so short that a client that is quick enough may miss it here. */
static void in_a_hurry(void)
{
	hvsock_free(hvsock);
	how.timeout_ns = 500 * NSEC_PER_MSEC;
	make_hvsock();
}

START_TEST(a_client_that_says_nothing)
{
	int fd;

	in_a_hurry();
	fd = host_connect("CONNECT 40");
	expect_host_end(fd);
	close(fd);
	wait_until(status().timeouts == 1);
}
END_TEST

START_TEST(a_guest_that_does_not_open)
{
	int fd;

	in_a_hurry();
	fd = host_connect("CONNECT 4000\n");
	expect_offer(GPORT, true);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	expect_host_end(fd);
	close(fd);
	guest_send_relid(CHANNELMSG_RELID_RELEASED, offer.child_relid);
	wait_until(!status().n_connections);
	ck_assert_uint_eq(status().timeouts, 1);
}
END_TEST

/* --- ending ------------------------------------------------------------------------------------ */

START_TEST(guest_ends_first)
{
	int fd = connect_from_guest();

	send_guest("bye", 3);
	send_guest(NULL, 0);
	expect_host(fd, "bye", 3);
	expect_host_end(fd);
	/* Its half goes on. */
	ck_assert_int_eq(send(fd, "later", 5, 0), 5);
	expect_guest("later", 5);
	ck_assert(!guest_has_message());
	close(fd);
	expect_guest_end();
	expect_rescind();
}
END_TEST

START_TEST(host_ends_first)
{
	int fd = connect_from_host();

	ck_assert_int_eq(send(fd, "bye", 3, 0), 3);
	shutdown(fd, SHUT_WR);
	expect_guest("bye", 3);
	expect_guest_end();
	send_guest("later", 5);
	expect_host(fd, "later", 5);
	ck_assert(!guest_has_message());
	send_guest(NULL, 0);
	expect_rescind();
	expect_host_end(fd);
	close(fd);
}
END_TEST

/* Nobody reads what the guest sends; what was sent to it, it gets. */
START_TEST(host_goes_away)
{
	int fd = connect_from_host();

	ck_assert_int_eq(send(fd, "bye", 3, 0), 3);
	close(fd);
	send_guest("late", 4);
	expect_guest("bye", 3);
	expect_guest_end();
	/* An end that comes too late: nobody hears that either. */
	if (_i)
		ring_peer_send(&guest.ring, VM_PKT_DATA_INBAND, false, 0,
			       (uint32_t[2]){1, 0}, 8);
	expect_rescind();
}
END_TEST

START_TEST(guest_closes_its_channel)
{
	int fd = connect_from_guest();

	guest_send_relid(CHANNELMSG_CLOSECHANNEL, guest.relid);
	expect_host_end(fd);
	close(fd);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	guest_send_relid(CHANNELMSG_RELID_RELEASED, guest.relid);
	wait_until(!status().n_connections);
}
END_TEST

START_TEST(guest_is_gone)
{
	int fd = connect_from_guest();
	int waits = host_connect("CONNECT 4000\n"), lines;

	expect_offer(GPORT, true);
	lines = host_connect("CONN");
	hvsock_disconnected(hvsock);
	expect_host_end(fd);
	expect_host_end(waits);
	close(fd);
	close(waits);
	close(lines);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
}
END_TEST

/* While the worker was busy: one of the guest before, which goes, and one. */
static void guests_in_a_hurry(void *ctx)
{
	(void)ctx;
	guest_wants(PORT);
	hvsock_disconnected(hvsock);
	guest_wants(PORT);
}

START_TEST(the_next_guest_is_there_already)
{
	int listener = host_listen(), fd;

	worker_call(hvsock->worker, guests_in_a_hurry, NULL);
	expect_offer(PORT, false);
	fd = accept(listener, NULL, NULL);
	guest_open(&guest, &offer);
	send_guest("hello", 5);
	expect_host(fd, "hello", 5);
	ck_assert_uint_eq(status().n_connections, 1);
	close(fd);
	close(listener);
}
END_TEST

START_TEST(the_same_endpoint_again)
{
	for (unsigned int i = 1; i <= 5; i++) {
		int fd = connect_from_guest();
		g_autofree char *at = g_strdup_printf("%s_%u", path, PORT);

		send_guest(NULL, 0);
		close(fd);
		expect_guest_end();
		expect_rescind();
		guest_drop_rings(&guest);
		unlink(at);
		readies = 0;
	}
	ck_assert_uint_eq(status().from_guest, 5);
}
END_TEST

/* --- how many -------------------------------------------------------------------------------- */

START_TEST(connections_are_bounded)
{
	int fds[HVSOCK_CONNECTIONS_MAX], one_more, listener = host_listen();

	for (unsigned int i = 0; i < HVSOCK_CONNECTIONS_MAX; i++)
		fds[i] = host_connect("C");
	wait_until(status().n_connections == HVSOCK_CONNECTIONS_MAX);
	one_more = host_connect("");
	expect_host_end(one_more);
	close(one_more);
	guest_wants(PORT);
	wait_until(refusals == 1);
	for (unsigned int i = 0; i < HVSOCK_CONNECTIONS_MAX; i++)
		close(fds[i]);
	wait_until(!status().n_connections);
	/* And now there is room. */
	guest_wants(PORT);
	expect_offer(PORT, false);
	close(listener);
}
END_TEST

static void is_taking_breath(void *ctx)
{
	*(bool *)ctx = hvsock->breath.armed;
}

static bool takes_breath(void)
{
	bool is;

	worker_call(hvsock->worker, is_taking_breath, &is);
	return is;
}

/* Who connects waits; the worker does not turn in a circle meanwhile. */
START_TEST(no_descriptor_for_a_client)
{
	struct sockaddr_un a = address(path);
	struct rlimit limit, none;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert(!getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = (rlim_t)fd + 1;
	ck_assert(!setrlimit(RLIMIT_NOFILE, &none));
	ck_assert(!connect(fd, (const struct sockaddr *)&a, sizeof(a)));
	wait_until(takes_breath());
	ck_assert_uint_eq(status().n_connections, 0);
	ck_assert(!setrlimit(RLIMIT_NOFILE, &limit));
	wait_until(status().n_connections == 1);
	close(fd);
	wait_until(!status().n_connections);
}
END_TEST

START_TEST(requests_are_bounded)
{
	for (unsigned int i = 0; i < 10 * HVSOCK_REQUESTS_MAX; i++)
		guest_wants(PORT);
	wait_until(refusals == 10 * HVSOCK_REQUESTS_MAX);
}
END_TEST

/* --- life ------------------------------------------------------------------------------------------- */

START_TEST(who_may_listen)
{
	GError *error = NULL;
	g_autofree char *file = g_build_filename(dir, "file", NULL);
	g_autofree char *far = g_strnfill(200, 'x');
	struct hvsock *second = hvsock_new(&params, &how, NULL);
	GStatBuf st;

	ck_assert_int_eq(g_stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert(!hvsock_listen(second, path, &error));
	g_clear_error(&error);
	ck_assert(!hvsock_listen(second, far, &error));
	g_clear_error(&error);
	g_file_set_contents(file, "x", 1, NULL);
	ck_assert(!hvsock_listen(second, file, &error));
	g_clear_error(&error);
	unlink(file);
	guest_wants(PORT);
	hvsock_free(second);
	wait_until(refusals == 1);
	/* What an earlier run left behind is replaced. */
	hvsock_free(hvsock);
	close(host_listen());
	g_free(path);
	path = g_strdup_printf("%s/s_%u", dir, PORT);
	make_hvsock();
}
END_TEST

static void on_number(void *ctx, const char *key, uint64_t value)
{
	g_string_append_printf(ctx, "%s=%lu ", key, value);
}

START_TEST(what_the_report_says)
{
	GString *s = g_string_new(NULL);
	int fd = connect_from_host();

	wait_until(status().from_host);
	hvsock_ops.facts(hvsock,
			 &(struct vsp_facts){.number = on_number, .ctx = s});
	ck_assert_str_eq(s->str, "connections=1 from_guest=0 from_host=1 "
				 "refused=0 timeouts=0 bytes_to_guest=0 "
				 "bytes_to_host=0 ");
	g_string_free(s, true);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/hvsock/hvsock");
	TCase *t = tcase_create("hvsock");

	log_set_level("error");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, hvsock_setup, hvsock_teardown);
	tcase_add_test(t, from_guest);
	tcase_add_test(t, from_host);
	tcase_add_test(t, bytes_right_behind_the_line);
	tcase_add_test(t, nobody_listens);
	tcase_add_test(t, services_that_are_no_ports);
	tcase_add_test(t, an_endpoint_that_is_in_use);
	tcase_add_loop_test(t, lines_that_are_none, 0, G_N_ELEMENTS(bad_lines));
	tcase_add_loop_test(t, a_client_that_leaves, 0, 2);
	tcase_add_test(t, a_client_that_says_nothing);
	tcase_add_test(t, a_guest_that_does_not_open);
	tcase_add_test(t, guest_ends_first);
	tcase_add_test(t, host_ends_first);
	tcase_add_loop_test(t, host_goes_away, 0, 2);
	tcase_add_test(t, guest_closes_its_channel);
	tcase_add_test(t, guest_is_gone);
	tcase_add_test(t, the_next_guest_is_there_already);
	tcase_add_test(t, the_same_endpoint_again);
	tcase_add_test(t, connections_are_bounded);
	tcase_add_test(t, no_descriptor_for_a_client);
	tcase_add_test(t, requests_are_bounded);
	tcase_add_test(t, who_may_listen);
	tcase_add_test(t, what_the_report_says);
	suite_add_tcase(s, t);
	return check_main(s);
}
