/* SPDX-License-Identifier: MIT */
#include "devices/net/user.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/net/net.h"
#include "support/check_main.h"
#include "support/frames.h"
#include "support/free_port.h"

/*
 * The guest is a few lines of ARP, DHCP and TCP; the host is real, by its
 * loopback address.
 */
#define WAIT_MS    10000
#define GUEST_PORT 40000u
#define ROUTER     0x0a000202u
#define GUEST      0x0a00020fu

#define TCP_FIN 0x01u
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_PSH 0x08u
#define TCP_ACK 0x10u

static const struct frame_kind tcp4 = {.what = "TCP over IPv4"};
static const struct frame_kind udp4 = {.what = "UDP over IPv4", .udp = true};
static const uint8_t guest_mac[6] = {0x00, 0x15, 0x5d, 4, 5, 6};

static struct net *n;
static struct net_queue *q;
static struct frame out;
static uint8_t in[FRAME_MAX];

static void plug(const struct net_user_options *options)
{
	g_autoptr(GError) error = NULL;

	n = net_user_new(options, &error);
	ck_assert_msg(n != NULL, "%s", error ? error->message : "");
	q = net_queue_new(n, 0, &error);
	ck_assert_ptr_nonnull(q);
}

static void setup(void)
{
	const struct net_user_options options = {0};

	plug(&options);
}

static void teardown(void)
{
	net_queue_free(q);
	net_free(n);
}

static void send_frame(const struct virtio_net_hdr *hdr)
{
	static const struct virtio_net_hdr plain;
	const struct iovec iov = {out.bytes, out.n};

	ck_assert_int_eq(net_queue_send(q, hdr ? hdr : &plain, &iov, 1), 0);
	net_queue_kick(q);
}

/* Return: bytes of the next frame, in @in. */
static size_t next_frame(void)
{
	const struct iovec iov = {in, sizeof(in)};
	struct pollfd p = {.fd = net_queue_fd(q), .events = POLLIN};
	struct virtio_net_hdr hdr;
	ssize_t bytes;

	while ((bytes = net_queue_recv(q, &hdr, &iov, 1)) == -EAGAIN)
		ck_assert_int_eq(poll(&p, 1, WAIT_MS), 1);
	ck_assert_int_gt(bytes, 0);
	ck_assert_uint_eq(hdr.flags, VIRTIO_NET_HDR_F_DATA_VALID);
	return (size_t)bytes;
}

/* Until nothing comes any more: answers that had no room are lost. */
static void read_all_frames(void)
{
	const struct iovec iov = {in, sizeof(in)};
	struct pollfd p = {.fd = net_queue_fd(q), .events = POLLIN};
	struct virtio_net_hdr hdr;

	do
		while (net_queue_recv(q, &hdr, &iov, 1) != -EAGAIN)
			;
	while (poll(&p, 1, 300) == 1);
}

/* --- ARP -------------------------------------------------------------------------- */

static void arp(uint16_t op, uint32_t target)
{
	memset(out.bytes, 0xff, 6);
	memcpy(out.bytes + 6, guest_mac, 6);
	frame_put(out.bytes + 12, 2, 0x0806);
	frame_put(out.bytes + 14, 4, 0x00010800);
	frame_put(out.bytes + 18, 4, 0x06040000u | op);
	memcpy(out.bytes + 22, guest_mac, 6);
	frame_put(out.bytes + 28, 4, GUEST);
	memset(out.bytes + 32, 0, 6);
	frame_put(out.bytes + 38, 4, target);
	memset(out.bytes + 42, 0, 18);
	out.n = 60;
	send_frame(NULL);
}

/* Was it slirp that asks for the guest?  It is answered. */
static bool answered_arp(void)
{
	if (frame_get(in + 12, 2) != 0x0806)
		return false;
	if (frame_get(in + 20, 2) == 1)
		arp(2, ROUTER);
	return true;
}

START_TEST(the_router_answers_arp)
{
	arp(1, ROUTER);
	do
		next_frame();
	while (frame_get(in + 12, 2) != 0x0806 || frame_get(in + 20, 2) != 2);
	ck_assert_uint_eq(frame_get(in + 28, 4), ROUTER);
	ck_assert_mem_eq(in + 32, guest_mac, 6);
}
END_TEST

/* --- DHCP ------------------------------------------------------------------------- */

static void dhcp_discover(void)
{
	uint8_t *dhcp;

	frame_make(&out, &udp4, 300);
	memset(out.bytes, 0xff, 6);
	frame_put(out.bytes + out.ip + 12, 4, 0);
	frame_put(out.bytes + out.ip + 16, 4, 0xffffffff);
	frame_put(out.bytes + out.l4, 4, 68 << 16 | 67);
	dhcp = out.bytes + out.data;
	memset(dhcp, 0, 300);
	frame_put(dhcp, 4, 0x01010600);
	frame_put(dhcp + 4, 4, 0x12345678);
	memcpy(dhcp + 28, guest_mac, 6);
	frame_put(dhcp + 236, 4, 0x63825363);
	frame_put(dhcp + 240, 4, 0x350101ff); /* DISCOVER */
	frame_lengths(&out);
	frame_finish(&out);
	send_frame(NULL);
}

/* Option @code of the offer in @in, four bytes of it. */
static uint32_t dhcp_option(size_t bytes, uint8_t code)
{
	size_t at = 42 + 240;

	while (at + 6 <= bytes && in[at] != 0xff) {
		if (in[at] == code)
			return frame_get(in + at + 2, 4);
		at += in[at] ? in[at + 1] + 2u : 1;
	}
	return 0;
}

static size_t dhcp_offer(void)
{
	size_t bytes;

	dhcp_discover();
	do {
		bytes = next_frame();
	} while (answered_arp() || in[23] != 17 || frame_get(in + 36, 2) != 68);
	return bytes;
}

START_TEST(an_address_by_dhcp)
{
	size_t bytes = dhcp_offer();

	ck_assert_uint_eq(frame_get(in + 42 + 16, 4), GUEST);
	ck_assert_uint_eq(dhcp_option(bytes, 1), 0xffffff00);
	ck_assert_uint_eq(dhcp_option(bytes, 3), ROUTER);
	ck_assert_uint_eq(dhcp_option(bytes, 6), ROUTER + 1);
}
END_TEST

static const struct {
	const char *network;
	unsigned int prefix;
	uint32_t router, guest, mask;
} networks[] = {
	{"192.168.7.9", 24, 0xc0a80702, 0xc0a8070f, 0xffffff00},
	{"172.17.0.0", 16, 0xac110002, 0xac11000f, 0xffff0000},
	{"10.1.2.8", 29, 0x0a01020a, 0x0a01020e, 0xfffffff8},
};

START_TEST(another_network)
{
	struct net_user_options options = {.prefix = networks[_i].prefix};
	size_t bytes;

	teardown();
	inet_pton(AF_INET, networks[_i].network, &options.network);
	plug(&options);
	bytes = dhcp_offer();
	ck_assert_uint_eq(frame_get(in + 42 + 16, 4), networks[_i].guest);
	ck_assert_uint_eq(dhcp_option(bytes, 1), networks[_i].mask);
	ck_assert_uint_eq(dhcp_option(bytes, 3), networks[_i].router);
}
END_TEST

/* --- TCP -------------------------------------------------------------------------- */

static uint32_t seq, ack;
static uint16_t host_port, guest_port;

/* From the guest, left for the card's kind to finish. */
static void tcp(uint8_t flags, const void *data, size_t bytes, uint16_t mss)
{
	struct virtio_net_hdr hdr;
	uint8_t *l4;

	frame_make(&out, &tcp4, bytes);
	l4 = out.bytes + out.l4;
	if (bytes)
		memcpy(out.bytes + out.data, data, bytes);
	frame_put(l4, 2, guest_port);
	frame_put(l4 + 2, 2, host_port);
	frame_put(l4 + 4, 4, seq);
	frame_put(l4 + 8, 4, ack);
	l4[13] = flags;
	frame_put(l4 + 14, 2, 0xffff);
	frame_unfinish(&out);
	hdr = frame_hdr(&out, mss);
	send_frame(&hdr);
	seq += (uint32_t)bytes + (flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
}

/* The next of TCP.  Return: what it carries is at *@data. */
static size_t next_tcp(uint8_t *flags, const uint8_t **data)
{
	const uint8_t *l4 = in + 34;
	size_t header;

	do
		next_frame();
	while (answered_arp() || frame_get(in + 12, 2) != 0x0800 ||
	       in[23] != 6);
	*flags = l4[13];
	header = (l4[12] >> 4) * 4u;
	*data = l4 + header;
	host_port = (uint16_t)frame_get(l4, 2);
	guest_port = (uint16_t)frame_get(l4 + 2, 2);
	return frame_get(in + 16, 2) - 20 - header;
}

/* A server at the host's loopback address; its port is host_port. */
static int listen_on_host(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (void *)&a, size), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (void *)&a, &size), 0);
	host_port = ntohs(a.sin_port);
	return fd;
}

static int accept_in_time(int server)
{
	struct pollfd p = {.fd = server, .events = POLLIN};
	int fd;

	ck_assert_int_eq(poll(&p, 1, WAIT_MS), 1);
	fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

/* Connect the guest to the server.  Return: the server's end. */
static int connect_guest(int server)
{
	uint8_t flags;
	const uint8_t *data;

	guest_port = GUEST_PORT;
	seq = 0xfffffe00; /* it wraps */
	ack = 0;
	arp(1, ROUTER);
	tcp(TCP_SYN, NULL, 0, 0);
	next_tcp(&flags, &data);
	ck_assert_uint_eq(flags, TCP_SYN | TCP_ACK);
	ack = frame_get(in + 38, 4) + 1;
	tcp(TCP_ACK, NULL, 0, 0);
	return accept_in_time(server);
}

static void read_all(int fd, uint8_t *data, size_t bytes)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (bytes) {
		ssize_t got;

		ck_assert_int_eq(poll(&p, 1, WAIT_MS), 1);
		got = read(fd, data, bytes);
		ck_assert_int_gt(got, 0);
		data += got;
		bytes -= (size_t)got;
	}
}

static void fill(uint8_t *data, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
}

static const size_t sizes[] = {1, 999, 1460, 1461, 20000, 60001};

START_TEST(a_frame_of_any_size_arrives)
{
	static uint8_t sent[60001], got[60001];
	size_t bytes = sizes[_i];
	int server = listen_on_host();
	int fd = connect_guest(server);

	fill(sent, bytes);
	/* Large ones as one frame with segments of 1460. */
	tcp(TCP_ACK | TCP_PSH, sent, bytes, bytes > 1460 ? 1460 : 0);
	read_all(fd, got, bytes);
	ck_assert_int_eq(memcmp(sent, got, bytes), 0);
	close(fd);
	close(server);
}
END_TEST

/* Much more than all the buffers on the way, to a guest that is slow. */
START_TEST(a_guest_gets_all_that_is_sent)
{
	const size_t total = 6 << 20;
	uint8_t *sent = g_malloc(total), *got = g_malloc(total);
	int server = listen_on_host();
	int fd = connect_guest(server);
	size_t written = 0, received = 0;

	fill(sent, total);
	while (received < total) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		const uint8_t *data;
		uint8_t flags;
		size_t bytes;

		if (written < total && poll(&p, 1, 0) == 1) {
			ssize_t now = send(fd, sent + written, total - written,
					   MSG_DONTWAIT);

			written += now > 0 ? (size_t)now : 0;
		}
		bytes = next_tcp(&flags, &data);
		ck_assert(!(flags & TCP_RST));
		if (!bytes)
			continue;
		if (frame_get(in + 38, 4) == ack) {
			memcpy(got + received, data, bytes);
			received += bytes;
			ack += (uint32_t)bytes;
		}
		tcp(TCP_ACK, NULL, 0, 0);
	}
	ck_assert_int_eq(memcmp(sent, got, total), 0);
	close(fd);
	close(server);
	g_free(sent);
	g_free(got);
}
END_TEST

/* --- forwards --------------------------------------------------------------------- */

static void set_address(struct sockaddr_storage *a, const char *text,
			uint16_t port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET,
				 .sin_port = htons(port)};

	inet_pton(AF_INET, text, &v4.sin_addr);
	memcpy(a, &v4, sizeof(v4));
}

START_TEST(a_port_of_the_host_leads_to_the_guest)
{
	struct net_forward forward = {0};
	const struct net_user_options options = {.forwards = &forward,
						 .n_forwards = 1};
	struct sockaddr_in to = free_port();
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const uint8_t *data;
	uint8_t flags, got[5];

	teardown();
	set_address(&forward.host, "127.0.0.1", ntohs(to.sin_port));
	set_address(&forward.guest, "0.0.0.0", 22);
	plug(&options);
	arp(1, ROUTER);
	if (connect(fd, (void *)&to, sizeof(to)))
		ck_assert_int_eq(errno, EINPROGRESS);
	next_tcp(&flags, &data);
	ck_assert_uint_eq(flags, TCP_SYN);
	ck_assert_uint_eq(guest_port, 22);
	ck_assert_uint_eq(frame_get(in + 30, 4), GUEST);
	seq = 1000;
	ack = frame_get(in + 38, 4) + 1;
	tcp(TCP_SYN | TCP_ACK, NULL, 0, 0);
	tcp(TCP_ACK | TCP_PSH, "hello", 5, 0);
	read_all(fd, got, 5);
	ck_assert_mem_eq(got, "hello", 5);
	close(fd);
}
END_TEST

START_TEST(a_port_that_is_taken_is_said)
{
	struct net_forward forward = {0};
	const struct net_user_options options = {.forwards = &forward,
						 .n_forwards = 1};
	g_autoptr(GError) error = NULL;
	int server = listen_on_host();
	char want[16];

	set_address(&forward.host, "127.0.0.1", host_port);
	set_address(&forward.guest, "0.0.0.0", 22);
	ck_assert_ptr_null(net_user_new(&options, &error));
	g_snprintf(want, sizeof(want), "%u", host_port);
	ck_assert_ptr_nonnull(strstr(error->message, want));
	ck_assert_ptr_nonnull(strstr(error->message, "127.0.0.1"));
	close(server);
}
END_TEST

/* --- what is wrong ------------------------------------------------------------------ */

START_TEST(rubbish_does_no_harm)
{
	for (unsigned int i = 0; i < 3000; i++) {
		frame_make(&out, i % 2 ? &tcp4 : &udp4, i % 1400);
		out.bytes[i * 7 % out.n] ^= (uint8_t)(1 + i);
		out.bytes[i * 13 % out.n] ^= (uint8_t)(1 + i / 3);
		if (net_queue_send(q, &(const struct virtio_net_hdr){0},
				   &(const struct iovec){out.bytes, out.n}, 1))
			poll(NULL, 0, 1);
	}
	read_all_frames();
	dhcp_offer();
}
END_TEST

START_TEST(a_stalled_card_is_told_and_goes_on)
{
	unsigned int refused = 0;

	/* The thread looks at them, so it may take some to fill the pipe. */
	frame_make(&out, &udp4, 1400);
	for (unsigned int i = 0; i < 20000 && !refused; i++)
		if (net_queue_send(q, &(const struct virtio_net_hdr){0},
				   &(const struct iovec){out.bytes, out.n},
				   1) == -EAGAIN)
			refused++;
	if (refused) {
		struct pollfd p = {.fd = net_queue_fd(q), .events = POLLIN};

		net_queue_watch(q, NET_WATCH_SEND);
		ck_assert_int_eq(poll(&p, 1, WAIT_MS), 1);
		net_queue_watch(q, NET_WATCH_RECV);
	}
	read_all_frames();
	dhcp_offer();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices/net/user");
	TCase *tc = tcase_create("user");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_router_answers_arp);
	tcase_add_test(tc, an_address_by_dhcp);
	tcase_add_loop_test(tc, another_network, 0,
			    (int)G_N_ELEMENTS(networks));
	tcase_add_loop_test(tc, a_frame_of_any_size_arrives, 0,
			    (int)G_N_ELEMENTS(sizes));
	tcase_add_test(tc, a_guest_gets_all_that_is_sent);
	tcase_add_test(tc, a_port_of_the_host_leads_to_the_guest);
	tcase_add_test(tc, a_port_that_is_taken_is_said);
	tcase_add_test(tc, rubbish_does_no_harm);
	tcase_add_test(tc, a_stalled_card_is_told_and_goes_on);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
