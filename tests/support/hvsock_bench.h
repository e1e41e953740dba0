/* SPDX-License-Identifier: MIT */
/*
 * hvsock_bench.h - stream sockets with both of their ends: a guest as Linux'
 * hyperv_transport.c, and clients and listeners on the host.
 *
 * For test files of one binary each: the state is static.
 */
#ifndef SUPPORT_HVSOCK_BENCH_H
#define SUPPORT_HVSOCK_BENCH_H

#define RAM_BYTES (4u << 20)

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "base/guid.h"
#include "base/log.h"
#include "support/bus_guest.h"
#include "vsp/hvsock/hvsock.h"
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

static inline struct guid port_guid(uint32_t port)
{
	struct guid g = HV_SOCK_TEMPLATE_GUID;

	memcpy(&g, &port, sizeof(port));
	return g;
}

static inline void on_ready(void *ctx)
{
	(void)ctx;
	readies++;
}

static inline void on_refuse(void *ctx, const struct guid *endpoint,
			     const struct guid *service)
{
	(void)service;
	ck_assert_ptr_eq(ctx, &refusals);
	ck_assert_uint_eq(endpoint->b[0] | endpoint->b[1] << 8, ENDPOINT);
	refusals++;
}

static inline void make_hvsock(void)
{
	GError *error = NULL;

	hvsock = hvsock_new(&params, &how, &error);
	ck_assert_ptr_nonnull(hvsock);
	ck_assert(hvsock_listen(hvsock, path, &error));
}

static inline void hvsock_setup(void)
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

static inline void hvsock_teardown(void)
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

static inline struct hvsock_status status(void)
{
	struct hvsock_status s;

	hvsock_get_status(hvsock, &s);
	return s;
}

/* --- the host's side ---------------------------------------------------------------- */

static inline struct sockaddr_un address(const char *at)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	g_strlcpy(a.sun_path, at, sizeof(a.sun_path));
	return a;
}

/* Listen where the guest's connections to PORT come. */
static inline int host_listen(void)
{
	g_autofree char *at = g_strdup_printf("%s_%u", path, PORT);
	struct sockaddr_un a = address(at);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	return fd;
}

/* Connect to PATH and send @line. */
static inline int host_connect(const char *line)
{
	struct sockaddr_un a = address(path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	size_t n = strlen(line);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	if (n)
		ck_assert_int_eq(send(fd, line, n, MSG_NOSIGNAL), (ssize_t)n);
	return fd;
}

static inline void expect_host(int fd, const void *data, size_t n)
{
	uint8_t got[256];

	ck_assert_uint_le(n, sizeof(got));
	ck_assert_int_eq(recv(fd, got, n, MSG_WAITALL), (ssize_t)n);
	ck_assert_mem_eq(got, data, n);
}

static inline void expect_host_end(int fd)
{
	uint8_t byte;

	ck_assert_int_le(recv(fd, &byte, 1, 0), 0);
}

/* --- the guest's side, as in Linux hyperv_transport.c --------------------------------- */

static inline void guest_wants(uint32_t port)
{
	struct guid endpoint = port_guid(ENDPOINT), service = port_guid(port);

	hvsock_connect(hvsock, &endpoint, &service);
}

static inline void expect_offer(uint32_t service, bool is_for_guest_accept)
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
static inline int connect_from_guest(void)
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

static inline int connect_from_host(void)
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

static inline bool try_send_guest(const void *data, uint32_t n)
{
	struct {
		struct vmbuspipe_hdr h;
		uint8_t data[4088];
	} m = {.h = {.flags = VMBUS_PIPE_DATA, .msgsize = n}};

	if (n)
		memcpy(m.data, data, n);
	return guest_try_put(&guest, 0, &m, sizeof(m.h) + n);
}

static inline void send_guest(const void *data, uint32_t n)
{
	wait_until(try_send_guest(data, n));
}

/* The next packet's bytes; 0 is the end. */
static inline uint32_t receive_guest(const void **data)
{
	static struct packet p;
	uint32_t n = guest_get(&guest, buffer, sizeof(buffer));

	ck_assert_int_eq(packet_parse(buffer, n, &p), 0);
	ck_assert_uint_eq(p.type, VM_PKT_DATA_INBAND);
	ck_assert_int_eq(packet_pipe(&p, data, &n), 0);
	ck_assert_uint_le(n, 16384);
	return n;
}

static inline void expect_guest(const void *want, uint32_t n)
{
	const void *data;

	ck_assert_uint_eq(receive_guest(&data), n);
	ck_assert_mem_eq(data, want, n);
}

static inline void expect_guest_end(void)
{
	const void *data;

	ck_assert_uint_eq(receive_guest(&data), 0);
	/* As Linux tells an end: nothing is behind it. */
	ck_assert(!ring_peer_receive(&guest.ring, buffer, sizeof(buffer)));
}

/* What hvs_destruct() does once there is a rescind. */
static inline void expect_rescind(void)
{
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	guest_send_relid(CHANNELMSG_CLOSECHANNEL, guest.relid);
	guest_send_relid(CHANNELMSG_RELID_RELEASED, guest.relid);
	wait_until(!status().n_connections);
}

#endif
