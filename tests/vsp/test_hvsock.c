/* SPDX-License-Identifier: MIT */
#define RAM_BYTES (4u << 20)

#include "vsp/hvsock.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "base/clock.h"
#include "base/guid.h"
#include "base/log.h"
#include "support/bus_guest.h"
#include "support/random.h"
#include "vsp/vsp.h"

#define PORT     1025u /* that the host listens on */
#define GPORT    4000u /* ... the guest */
#define ENDPOINT 50000u /* the guest's, when it connects */

static char *dir, *path;
static struct hvsock *hvsock;
static struct vsp_params params;
static struct hvsock_params how;
static _Atomic unsigned int readies, refusals;
static struct vmbus_channel_offer_channel offer;
static struct guest_channel guest;
static uint64_t buffer[4096];

static struct guid port_guid(uint32_t port)
{
	struct guid g = HV_SOCK_TEMPLATE_GUID;

	memcpy(&g, &port, sizeof(port));
	return g;
}

static void on_ready(void *ctx)
{
	(void)ctx;
	readies++;
}

static void on_refuse(void *ctx, const struct guid *endpoint,
		      const struct guid *service)
{
	(void)service;
	ck_assert_ptr_eq(ctx, &refusals);
	ck_assert_uint_eq(endpoint->b[0] | endpoint->b[1] << 8, ENDPOINT);
	refusals++;
}

static void make_hvsock(void)
{
	GError *error = NULL;

	hvsock = hvsock_new(&params, &how, &error);
	ck_assert_ptr_nonnull(hvsock);
	ck_assert(hvsock_listen(hvsock, path, &error));
}

static void hvsock_setup(void)
{
	bus_setup();
	readies = 0;
	refusals = 0;
	dir = g_dir_make_tmp("kvmbus-hvsock-XXXXXX", NULL);
	path = g_build_filename(dir, "s", NULL);
	params = (struct vsp_params){
		.bus = bus, .name = "hvsock", .ready = on_ready};
	how = (struct hvsock_params){.refuse = on_refuse, .ctx = &refusals};
	make_hvsock();
	guest_connect(VERSION_WIN10);
	guest_request_offers(&offer, 0);
}

static void hvsock_teardown(void)
{
	g_autofree char *listener = g_strdup_printf("%s_%u", path, PORT);

	hvsock_ops.free(hvsock);
	hvsock_free(NULL);
	ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
	guest_drop_rings(&guest);
	bus_teardown();
	unlink(listener);
	ck_assert_int_eq(rmdir(dir), 0);
	g_free(path);
	g_free(dir);
}

static struct hvsock_status status(void)
{
	struct hvsock_status s;

	hvsock_get_status(hvsock, &s);
	return s;
}

/* --- the host's side ---------------------------------------------------------------- */

static struct sockaddr_un address(const char *at)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	g_strlcpy(a.sun_path, at, sizeof(a.sun_path));
	return a;
}

/* Listen where the guest's connections to PORT come. */
static int host_listen(void)
{
	g_autofree char *at = g_strdup_printf("%s_%u", path, PORT);
	struct sockaddr_un a = address(at);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	return fd;
}

/* Connect to PATH and send @line. */
static int host_connect(const char *line)
{
	struct sockaddr_un a = address(path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	size_t n = strlen(line);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	if (n)
		ck_assert_int_eq(send(fd, line, n, MSG_NOSIGNAL), (ssize_t)n);
	return fd;
}

static void expect_host(int fd, const void *data, size_t n)
{
	uint8_t got[256];

	ck_assert_uint_le(n, sizeof(got));
	ck_assert_int_eq(recv(fd, got, n, MSG_WAITALL), (ssize_t)n);
	ck_assert_mem_eq(got, data, n);
}

static void expect_host_end(int fd)
{
	uint8_t byte;

	ck_assert_int_le(recv(fd, &byte, 1, 0), 0);
}

/* --- the guest's side, as in Linux hyperv_transport.c --------------------------------- */

static void guest_wants(uint32_t port)
{
	struct guid endpoint = port_guid(ENDPOINT), service = port_guid(port);

	hvsock_connect(hvsock, &endpoint, &service);
}

static void expect_offer(uint32_t service, bool is_for_guest_accept)
{
	struct vmbus_hvsock_user_def d;
	struct guid want = port_guid(service);

	guest_expect(CHANNELMSG_OFFERCHANNEL, &offer, sizeof(offer));
	ck_assert(guid_equal(&offer.offer.if_type, &want));
	ck_assert_uint_eq(offer.offer.chn_flags, 0x2011);
	memcpy(&d, offer.offer.user_def, sizeof(d));
	ck_assert_uint_eq(d.pipe_mode, VMBUS_PIPE_TYPE_BYTE);
	ck_assert_uint_eq(d.is_for_guest_accept, is_for_guest_accept);
	ck_assert_uint_eq(d.version, 1);
}

/* Guest to host. Return: the host's end. */
static int connect_from_guest(void)
{
	int listener = host_listen(), fd;
	struct guid want = port_guid(ENDPOINT);

	guest_wants(PORT);
	expect_offer(PORT, false);
	ck_assert(guid_equal(&offer.offer.if_instance, &want));
	fd = accept(listener, NULL, NULL);
	guest_open(&guest, &offer);
	close(listener);
	wait_until(readies == 1);
	return fd;
}

static int connect_from_host(void)
{
	char ok[16] = {0}, want[16];
	int fd = host_connect("CONNECT 4000\n");
	uint32_t port;

	expect_offer(GPORT, true);
	memcpy(&port, &offer.offer.if_instance, sizeof(port));
	ck_assert_uint_gt(port, HVSOCK_PORT_MAX);
	guest_open(&guest, &offer);
	g_snprintf(want, sizeof(want), "OK %u\n", port);
	ck_assert_int_eq(recv(fd, ok, strlen(want), MSG_WAITALL),
			 (ssize_t)strlen(want));
	ck_assert_str_eq(ok, want);
	return fd;
}

static bool try_send_guest(const void *data, uint32_t n)
{
	struct {
		struct vmbuspipe_hdr h;
		uint8_t data[4088];
	} m = {.h = {.flags = VMBUS_PIPE_DATA, .msgsize = n}};

	if (n)
		memcpy(m.data, data, n);
	return guest_try_put(&guest, 0, &m, sizeof(m.h) + n);
}

static void send_guest(const void *data, uint32_t n)
{
	wait_until(try_send_guest(data, n));
}

/* The next packet's bytes; 0 is the end. */
static uint32_t receive_guest(const void **data)
{
	static struct packet p;
	uint32_t n = guest_get(&guest, buffer, sizeof(buffer));

	ck_assert_int_eq(packet_parse(buffer, n, &p), 0);
	ck_assert_uint_eq(p.type, VM_PKT_DATA_INBAND);
	ck_assert_int_eq(packet_pipe(&p, data, &n), 0);
	ck_assert_uint_le(n, 16384);
	return n;
}

static void expect_guest(const void *want, uint32_t n)
{
	const void *data;

	ck_assert_uint_eq(receive_guest(&data), n);
	ck_assert_mem_eq(data, want, n);
}

static void expect_guest_end(void)
{
	const void *data;

	ck_assert_uint_eq(receive_guest(&data), 0);
	/* As Linux tells an end: nothing is behind it. */
	ck_assert(!ring_peer_receive(&guest.ring, buffer, sizeof(buffer)));
}

/* What hvs_destruct() does once there is a rescind. */
static void expect_rescind(void)
{
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	guest_send_relid(CHANNELMSG_CLOSECHANNEL, guest.relid);
	guest_send_relid(CHANNELMSG_RELID_RELEASED, guest.relid);
	wait_until(!status().n_connections);
}

/* --- connecting ------------------------------------------------------------------------ */

START_TEST(from_guest)
{
	int fd = connect_from_guest();

	send_guest("hello", 5);
	expect_host(fd, "hello", 5);
	ck_assert_int_eq(send(fd, "world!", 6, 0), 6);
	expect_guest("world!", 6);
	wait_until(status().from_guest == 1);
	ck_assert_uint_eq(status().bytes_to_host, 5);
	ck_assert_uint_eq(status().bytes_to_guest, 6);
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

static void in_a_hurry(void)
{
	hvsock_free(hvsock);
	how.timeout_ns = NSEC_PER_MSEC;
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

START_TEST(requests_are_bounded)
{
	for (unsigned int i = 0; i < 10 * HVSOCK_REQUESTS_MAX; i++)
		guest_wants(PORT);
	wait_until(refusals == 10 * HVSOCK_REQUESTS_MAX);
}
END_TEST

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
		sched_yield();
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
		sched_yield();
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
		sched_yield();
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
	Suite *s = suite_create("vsp/hvsock");
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
	tcase_add_test(t, the_same_endpoint_again);
	tcase_add_test(t, connections_are_bounded);
	tcase_add_test(t, requests_are_bounded);
	tcase_add_test(t, a_host_that_does_not_read);
	tcase_add_test(t, a_guest_that_does_not_read);
	tcase_add_test(t, a_lot_of_both);
	tcase_add_loop_test(t, who_breaks_the_protocol_loses_the_connection, 0,
			    G_N_ELEMENTS(crimes));
	tcase_add_test(t, an_open_that_comes_too_late);
	tcase_add_test(t, who_may_listen);
	tcase_add_test(t, what_the_report_says);
	suite_add_tcase(s, t);
	return check_main(s);
}
