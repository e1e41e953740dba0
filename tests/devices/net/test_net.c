/* SPDX-License-Identifier: MIT */
#include "devices/net/net.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

#include "devices/net/mem.h"
#include "devices/net/null.h"
#include "support/check_main.h"
#include "support/frames.h"

static const struct virtio_net_hdr plain;
static const struct frame_kind tcp4 = {.what = "TCP over IPv4"};
static const struct frame_kind udp6 = {.v6 = true, .udp = true};

static struct net *n;
static struct net_queue *q;
static struct frame f;
static uint8_t got[FRAME_MAX];

static void plug(const struct net_mem_params *params)
{
	g_autoptr(GError) error = NULL;

	n = net_mem_new(params);
	q = net_queue_new(n, 0, &error);
	ck_assert_ptr_nonnull(q);
	ck_assert_ptr_eq(net_queue_net(q), n);
}

static void setup(void)
{
	const struct net_mem_params params = {.queues = 2,
					      .offloads = NET_OFFLOAD_ALL};

	plug(&params);
}

static void teardown(void)
{
	net_queue_free(q);
	net_free(n);
}

static bool is_ready(void)
{
	struct pollfd p = {.fd = net_queue_fd(q), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static int send_bytes(const void *data, size_t bytes,
		      const struct virtio_net_hdr *hdr)
{
	const struct iovec iov = {(void *)data, bytes};

	return net_queue_send(q, hdr, &iov, 1);
}

static ssize_t receive(struct virtio_net_hdr *hdr)
{
	const struct iovec iov = {got, sizeof(got)};
	struct virtio_net_hdr unwanted;

	return net_queue_recv(q, hdr ? hdr : &unwanted, &iov, 1);
}

static struct net_stats stats(void)
{
	struct net_stats s;

	net_get_stats(n, &s);
	return s;
}

/* --- frames ----------------------------------------------------------------------- */

START_TEST(what_is_sent_is_taken)
{
	struct iovec iov[] = {{f.bytes, 14}, {f.bytes + 14, 0}, {NULL, 0}};

	frame_make(&f, &tcp4, 100);
	iov[2] = (struct iovec){f.bytes + 14, f.n - 14};
	ck_assert_int_eq(net_queue_send(q, &plain, iov, 3), 0);
	net_queue_kick(q);
	ck_assert_int_eq(net_mem_take(n, 0, NULL, got, sizeof(got)), (int)f.n);
	ck_assert_mem_eq(got, f.bytes, f.n);
	ck_assert_int_eq(net_mem_take(n, 0, NULL, got, sizeof(got)), -EAGAIN);
	ck_assert_uint_eq(stats().sent, 1);
	ck_assert_uint_eq(stats().sent_bytes, f.n);
}
END_TEST

START_TEST(what_is_put_is_received)
{
	uint8_t head[14], body[2000];
	const struct iovec iov[] = {{head, 14}, {body, sizeof(body)}};
	struct virtio_net_hdr hdr = {.flags = VIRTIO_NET_HDR_F_DATA_VALID};
	struct virtio_net_hdr its;

	frame_make(&f, &tcp4, 1000);
	ck_assert(!is_ready());
	ck_assert_int_eq(receive(NULL), -EAGAIN);
	ck_assert_int_eq(net_mem_put(n, 0, &hdr, f.bytes, f.n), 0);
	ck_assert(is_ready());
	ck_assert_int_eq(net_queue_recv(q, &its, iov, 2), (int)f.n);
	ck_assert_mem_eq(head, f.bytes, 14);
	ck_assert_mem_eq(body, f.bytes + 14, f.n - 14);
	ck_assert_mem_eq(&its, &hdr, sizeof(hdr));
	ck_assert_int_eq(receive(NULL), -EAGAIN);
	ck_assert(!is_ready());
	ck_assert_uint_eq(stats().received, 1);
	ck_assert_uint_eq(stats().received_bytes, f.n);
}
END_TEST

START_TEST(one_that_is_too_long_is_discarded)
{
	uint8_t room[60];
	const struct iovec iov = {room, sizeof(room)};
	struct virtio_net_hdr hdr;

	frame_make(&f, &tcp4, 7);
	net_mem_put(n, 0, NULL, f.bytes, 61);
	net_mem_put(n, 0, NULL, f.bytes, 60);
	ck_assert_int_eq(net_queue_recv(q, &hdr, &iov, 1), -EMSGSIZE);
	ck_assert_int_eq(net_queue_recv(q, &hdr, &iov, 1), 60);
	ck_assert_int_eq(net_queue_recv(q, &hdr, &iov, 1), -EAGAIN);
	ck_assert_uint_eq(stats().discarded, 1);
	ck_assert_uint_eq(stats().received, 1);
}
END_TEST

START_TEST(queues_are_apart)
{
	struct net_queue *other = net_queue_new(n, 1, NULL);
	const struct iovec iov = {f.bytes, 60};

	frame_make(&f, &tcp4, 6);
	ck_assert_int_eq(net_queue_send(other, &plain, &iov, 1), 0);
	ck_assert_int_eq(net_mem_take(n, 0, NULL, got, sizeof(got)), -EAGAIN);
	ck_assert_int_eq(net_mem_take(n, 1, NULL, got, sizeof(got)), 60);
	net_mem_put(n, 1, NULL, f.bytes, 60);
	ck_assert(!is_ready());
	ck_assert_int_eq(receive(NULL), -EAGAIN);
	net_queue_free(other);
	/* What it has counted is not forgotten. */
	ck_assert_uint_eq(stats().sent, 1);
}
END_TEST

START_TEST(a_loop_brings_back_what_was_sent)
{
	const struct net_mem_params params = {
		.queues = 1, .loop = true, .room_bytes = 4096};
	unsigned int sent = 0;

	teardown();
	plug(&params);
	frame_make(&f, &tcp4, 946);
	while (!send_bytes(f.bytes, f.n, &plain))
		sent++;
	ck_assert_uint_eq(sent, 4);
	net_queue_watch(q, NET_WATCH_SEND);
	ck_assert(!is_ready());
	ck_assert_int_eq(receive(NULL), (int)f.n);
	ck_assert_mem_eq(got, f.bytes, f.n);
	ck_assert(is_ready());
	ck_assert_int_eq(receive(NULL), (int)f.n);
	ck_assert_int_eq(send_bytes(f.bytes, f.n, &plain), 0);
}
END_TEST

/* --- what is no frame ---------------------------------------------------------------- */

static const struct {
	const char *what;
	size_t bytes;
	struct virtio_net_hdr hdr;
	int result;
} frames[] = {
	{"the shortest", 14, {0}, 0},
	{"shorter than a header", 13, {0}, -EINVAL},
	{"nothing", 0, {0}, -EINVAL},
	{"the longest", NET_FRAME_MAX, {0}, 0},
	{"longer than that", NET_FRAME_MAX + 1, {0}, -EINVAL},
	{"fragments of UDP", 1000, {.gso_type = 3, .gso_size = 100}, -EINVAL},
	{"some other type", 1000, {.flags = 1, .gso_type = 77}, -EINVAL},
	{"segments without a checksum",
	 1000,
	 {.gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 100},
	 -EINVAL},
	{"segments of no size",
	 1000,
	 {.flags = 1, .gso_type = VIRTIO_NET_HDR_GSO_TCPV6},
	 -EINVAL},
	{"a checksum that is not in it",
	 1000,
	 {.flags = 1, .csum_start = 999},
	 -EINVAL},
};

START_TEST(lengths_and_headers_are_checked)
{
	static uint8_t data[NET_FRAME_MAX + 1];

	ck_assert_msg(send_bytes(data, frames[_i].bytes, &frames[_i].hdr) ==
			      frames[_i].result,
		      "%s", frames[_i].what);
	ck_assert_uint_eq(stats().lost, frames[_i].result ? 1 : 0);
	ck_assert_uint_eq(stats().sent, frames[_i].result ? 0 : 1);
}
END_TEST

START_TEST(pieces_are_counted)
{
	struct iovec iov[NET_IOV_MAX + 1];
	uint8_t data[NET_IOV_MAX + 1] = {0};

	for (unsigned int i = 0; i <= NET_IOV_MAX; i++)
		iov[i] = (struct iovec){&data[i], 1};
	ck_assert_int_eq(net_queue_send(q, &plain, iov, NET_IOV_MAX), 0);
	ck_assert_int_eq(net_queue_send(q, &plain, iov, NET_IOV_MAX + 1),
			 -EINVAL);
	ck_assert_int_eq(net_queue_send(q, &plain, iov, 0), -EINVAL);
	iov[0].iov_len = SIZE_MAX;
	ck_assert_int_eq(net_queue_send(q, &plain, iov, 14), -EINVAL);
}
END_TEST

/* --- no room --------------------------------------------------------------------------- */

START_TEST(no_room_is_told_and_so_is_room)
{
	frame_make(&f, &tcp4, 100);
	net_mem_hold(n, 1);
	ck_assert_int_eq(send_bytes(f.bytes, f.n, &plain), 0);
	ck_assert_int_eq(send_bytes(f.bytes, f.n, &plain), -EAGAIN);
	ck_assert(!is_ready());
	net_queue_watch(q, NET_WATCH_RECV | NET_WATCH_SEND);
	ck_assert(!is_ready());
	net_mem_hold(n, UINT_MAX);
	ck_assert(is_ready());
	ck_assert_int_eq(send_bytes(f.bytes, f.n, &plain), 0);
	net_queue_watch(q, NET_WATCH_RECV);
	ck_assert(!is_ready());
	/* -EAGAIN is no loss. */
	ck_assert_uint_eq(stats().lost, 0);
	ck_assert_uint_eq(stats().sent, 2);
}
END_TEST

START_TEST(who_watches_for_nothing_is_not_woken)
{
	frame_make(&f, &tcp4, 100);
	net_queue_watch(q, 0);
	net_mem_put(n, 0, NULL, f.bytes, f.n);
	ck_assert(!is_ready());
	net_queue_watch(q, NET_WATCH_RECV);
	ck_assert(is_ready());
	ck_assert_int_eq(receive(NULL), (int)f.n);
}
END_TEST

/* --- software ---------------------------------------------------------------------------- */

START_TEST(a_checksum_is_finished)
{
	struct virtio_net_hdr hdr;

	frame_make(&f, &udp6, 333);
	frame_unfinish(&f);
	hdr = frame_hdr(&f, 0);
	ck_assert_int_eq(send_bytes(f.bytes, f.n, &hdr), 0);
	frame_finish(&f);
	ck_assert_int_eq(net_mem_take(n, 0, &hdr, got, sizeof(got)), (int)f.n);
	ck_assert_mem_eq(got, f.bytes, f.n);
	ck_assert_uint_eq(hdr.flags, 0);
	ck_assert_uint_eq(stats().checksums, 1);
}
END_TEST

static void send_large(size_t bytes)
{
	struct virtio_net_hdr hdr;

	frame_make(&f, &tcp4, bytes);
	frame_unfinish(&f);
	hdr = frame_hdr(&f, 1000);
	ck_assert_int_eq(send_bytes(f.bytes, f.n, &hdr), 0);
}

/* Return: how many of them there are, and that they carry what @f did. */
static unsigned int take_segments(unsigned int from)
{
	struct virtio_net_hdr hdr;
	ssize_t bytes;
	unsigned int i = from;

	while ((bytes = net_mem_take(n, 0, &hdr, got, sizeof(got))) > 0) {
		ck_assert_mem_eq(got + 54, f.bytes + 54 + i * 1000,
				 (size_t)bytes - 54);
		ck_assert_uint_eq(hdr.gso_type, 0);
		ck_assert_uint_eq(hdr.flags, 0);
		i++;
	}
	return i - from;
}

START_TEST(a_large_frame_is_cut)
{
	send_large(4500);
	ck_assert_uint_eq(take_segments(0), 5);
	ck_assert_uint_eq(stats().segments, 5);
	ck_assert_uint_eq(stats().sent, 1);
	ck_assert_uint_eq(stats().sent_bytes, f.n);
	ck_assert(!is_ready());
}
END_TEST

START_TEST(the_rest_of_one_waits_for_room)
{
	struct virtio_net_hdr hdr;

	net_mem_hold(n, 2);
	send_large(5000);
	ck_assert_uint_eq(take_segments(0), 2);
	ck_assert_int_eq(send_bytes(f.bytes, f.n, &plain), -EAGAIN);
	/* Who does not watch for room is told of it all the same, */
	ck_assert(!is_ready());
	net_mem_hold(n, 1);
	ck_assert(is_ready());
	/* and a kick makes use of it. */
	net_queue_kick(q);
	ck_assert(!is_ready());
	ck_assert_uint_eq(take_segments(2), 1);
	net_mem_hold(n, UINT_MAX);
	ck_assert(is_ready());
	/* So does the next frame, which comes behind. */
	hdr = frame_hdr(&f, 1000);
	ck_assert_int_eq(send_bytes(f.bytes, f.n, &hdr), 0);
	ck_assert(!is_ready());
	ck_assert_int_eq(net_mem_take(n, 0, NULL, got, sizeof(got)), 1054);
	ck_assert_int_eq(net_mem_take(n, 0, NULL, got, sizeof(got)), 1054);
	ck_assert_uint_eq(take_segments(0), 5);
	ck_assert_uint_eq(stats().segments, 10);
}
END_TEST

START_TEST(a_large_frame_for_which_there_is_no_room_is_not_taken)
{
	struct virtio_net_hdr hdr;

	net_mem_hold(n, 0);
	frame_make(&f, &tcp4, 5000);
	frame_unfinish(&f);
	hdr = frame_hdr(&f, 1000);
	ck_assert_int_eq(send_bytes(f.bytes, f.n, &hdr), -EAGAIN);
	net_mem_hold(n, UINT_MAX);
	ck_assert_uint_eq(take_segments(0), 0);
	ck_assert_int_eq(send_bytes(f.bytes, f.n, &hdr), 0);
	ck_assert_uint_eq(take_segments(0), 5);
}
END_TEST

START_TEST(what_the_kind_can_do_is_left_to_it)
{
	const struct net_mem_params params = {
		.queues = 1,
		.takes_offloads = NET_OFFLOAD_CSUM | NET_OFFLOAD_TSO4,
	};
	struct virtio_net_hdr hdr, its;

	teardown();
	plug(&params);
	send_large(5000);
	hdr = frame_hdr(&f, 1000);
	ck_assert_int_eq(net_mem_take(n, 0, &its, got, sizeof(got)), (int)f.n);
	ck_assert_mem_eq(&its, &hdr, sizeof(hdr));
	ck_assert_mem_eq(got, f.bytes, f.n);
	/* and what it cannot is done */
	frame_make(&f, &udp6, 5000);
	frame_unfinish(&f);
	hdr = frame_hdr(&f, 1000);
	ck_assert_int_eq(send_bytes(f.bytes, f.n, &hdr), 0);
	ck_assert_uint_eq(stats().segments, 5);
}
END_TEST

/* Large packets, but finished: as user networking takes them. */
START_TEST(a_large_frame_can_be_left_whole_with_its_checksum)
{
	const struct net_mem_params params = {
		.queues = 1,
		.takes_offloads = NET_OFFLOAD_TSO4,
	};
	struct virtio_net_hdr its;

	teardown();
	plug(&params);
	send_large(5000);
	ck_assert_int_eq(net_mem_take(n, 0, &its, got, sizeof(got)), (int)f.n);
	frame_finish(&f);
	ck_assert_mem_eq(got, f.bytes, f.n);
	ck_assert_uint_eq(its.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	ck_assert_uint_eq(its.flags, 0);
}
END_TEST

START_TEST(a_guest_that_takes_no_checksums_takes_no_segments)
{
	net_set_offloads(n, NET_OFFLOAD_TSO4);
	ck_assert_uint_eq(net_mem_offloads(n), 0);
	net_set_offloads(n, NET_OFFLOAD_CSUM | NET_OFFLOAD_TSO4 | 0x100);
	ck_assert_uint_eq(net_mem_offloads(n),
			  NET_OFFLOAD_CSUM | NET_OFFLOAD_TSO4);
}
END_TEST

/* --- the link ------------------------------------------------------------------------- */

static unsigned int changes;

static void on_change(void *ctx)
{
	ck_assert_ptr_eq(ctx, &changes);
	changes++;
}

START_TEST(changes_of_the_link_are_told)
{
	changes = 0;
	net_on_link(n, on_change, &changes);
	ck_assert(net_link(n));
	net_set_link(n, false);
	ck_assert_uint_eq(changes, 1);
	ck_assert(!net_link(n));
	/* The host's side goes as well: nothing changes. */
	net_mem_set_carrier(n, false);
	net_set_link(n, true);
	ck_assert_uint_eq(changes, 1);
	ck_assert(!net_link(n));
	net_mem_set_carrier(n, true);
	ck_assert_uint_eq(changes, 2);
	ck_assert(net_link(n));
	net_on_link(n, NULL, NULL);
	net_set_link(n, false);
	ck_assert_uint_eq(changes, 2);
}
END_TEST

START_TEST(without_a_link_nothing_goes_and_nothing_comes)
{
	frame_make(&f, &tcp4, 100);
	for (unsigned int i = 0; i < 100; i++)
		net_mem_put(n, 0, NULL, f.bytes, f.n);
	net_set_link(n, false);
	ck_assert_int_eq(send_bytes(f.bytes, f.n, &plain), -ENETDOWN);
	ck_assert_int_eq(net_mem_take(n, 0, NULL, got, sizeof(got)), -EAGAIN);
	/* What was there goes, in parts. */
	ck_assert_int_eq(receive(NULL), -EAGAIN);
	ck_assert(is_ready());
	ck_assert_int_eq(receive(NULL), -EAGAIN);
	ck_assert(!is_ready());
	net_set_link(n, true);
	ck_assert_int_eq(receive(NULL), -EAGAIN);
	ck_assert_uint_eq(stats().lost, 1);
	ck_assert_uint_eq(stats().discarded, 100);
	ck_assert_uint_eq(stats().received, 0);
}
END_TEST

START_TEST(null_has_no_link_and_no_frames)
{
	teardown();
	n = net_null_new(4);
	q = net_queue_new(n, 3, NULL);
	ck_assert_uint_eq(net_info(n)->max_queues, 4);
	ck_assert_str_eq(net_info(n)->kind, "null");
	ck_assert(!net_link(n));
	net_set_link(n, true);
	ck_assert(!net_link(n));
	frame_make(&f, &tcp4, 100);
	ck_assert_int_eq(send_bytes(f.bytes, f.n, &plain), -ENETDOWN);
	ck_assert_int_eq(receive(NULL), -EAGAIN);
	net_queue_watch(q, NET_WATCH_RECV | NET_WATCH_SEND);
	net_queue_kick(q);
	ck_assert(!is_ready());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices/net/net");
	TCase *tc = tcase_create("net");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_sent_is_taken);
	tcase_add_test(tc, what_is_put_is_received);
	tcase_add_test(tc, one_that_is_too_long_is_discarded);
	tcase_add_test(tc, queues_are_apart);
	tcase_add_test(tc, a_loop_brings_back_what_was_sent);
	tcase_add_loop_test(tc, lengths_and_headers_are_checked, 0,
			    (int)G_N_ELEMENTS(frames));
	tcase_add_test(tc, pieces_are_counted);
	tcase_add_test(tc, no_room_is_told_and_so_is_room);
	tcase_add_test(tc, who_watches_for_nothing_is_not_woken);
	tcase_add_test(tc, a_checksum_is_finished);
	tcase_add_test(tc, a_large_frame_is_cut);
	tcase_add_test(tc, the_rest_of_one_waits_for_room);
	tcase_add_test(tc,
		       a_large_frame_for_which_there_is_no_room_is_not_taken);
	tcase_add_test(tc, what_the_kind_can_do_is_left_to_it);
	tcase_add_test(tc, a_large_frame_can_be_left_whole_with_its_checksum);
	tcase_add_test(tc, a_guest_that_takes_no_checksums_takes_no_segments);
	tcase_add_test(tc, changes_of_the_link_are_told);
	tcase_add_test(tc, without_a_link_nothing_goes_and_nothing_comes);
	tcase_add_test(tc, null_has_no_link_and_no_frames);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
