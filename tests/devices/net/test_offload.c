/* SPDX-License-Identifier: MIT */
#include "devices/net/offload.h"

#include <errno.h>
#include <string.h>

#include <glib.h>
#include <netinet/in.h>

#include "support/check_main.h"
#include "support/frames.h"

static const struct frame_kind kinds[] = {
	{.what = "TCP over IPv4"},
	{.what = "… with a tag", .tags = 1},
	{.what = "… with two", .tags = 2},
	{.what = "… with options", .ip_options = 8, .tcp_options = 12},
	{.what = "… with all of them", .ip_options = 40, .tcp_options = 40},
	{.what = "UDP over IPv4", .udp = true},
	{.what = "… with a tag", .udp = true, .tags = 1},
	{.what = "TCP over IPv6", .v6 = true},
	{.what = "… with a tag", .v6 = true, .tags = 1, .tcp_options = 12},
	{.what = "… with an extension", .v6 = true, .extensions = 1},
	{.what = "… with three", .v6 = true, .extensions = 3, .tcp_options = 4},
	{.what = "UDP over IPv6", .v6 = true, .udp = true},
	{.what = "… with two", .v6 = true, .udp = true, .extensions = 2},
};

/* --- known packets ---------------------------------------------------------------- */

/* RFC 1071, section 3: the example. */
START_TEST(the_sum_of_the_rfc)
{
	static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03,
				       0xf4, 0xf5, 0xf6, 0xf7};

	ck_assert_uint_eq(offload_fold(offload_sum(data, 8, 0)), htons(0xddf2));
}
END_TEST

/* A query to a DNS server and a SYN, as Linux has sent them. */
static const uint8_t syn[] = {
	0x00, 0x15, 0x5d, 0x00, 0x00, 0x02, 0x00, 0x15, 0x5d, 0x00, 0x00,
	0x01, 0x08, 0x00, 0x45, 0x00, 0x00, 0x3c, 0x1c, 0x46, 0x40, 0x00,
	0x40, 0x06, 0xb1, 0xe6, 0xac, 0x10, 0x0a, 0x63, 0xac, 0x10, 0x0a,
	0x0c, 0x9d, 0x0a, 0x00, 0x50, 0x7f, 0x5b, 0x1c, 0x1e, 0x00, 0x00,
	0x00, 0x00, 0xa0, 0x02, 0xfa, 0xf0, 0x00, 0x00, 0x00, 0x00, 0x02,
	0x04, 0x05, 0xb4, 0x04, 0x02, 0x08, 0x0a, 0x00, 0x11, 0x22, 0x33,
	0x00, 0x00, 0x00, 0x00, 0x01, 0x03, 0x03, 0x07};

/* The IPv4 header is the textbook's: 4500 003c 1c46 4000 4006 b1e6 … */
START_TEST(the_header_of_the_textbook)
{
	uint8_t frame[sizeof(syn)];

	memcpy(frame, syn, sizeof(syn));
	memset(frame + 16, 0, 2);
	memset(frame + 24, 0x77, 2);
	ck_assert_int_eq(
		offload_prepare_gso(frame, sizeof(frame), sizeof(frame)), 0);
	ck_assert_mem_eq(frame, syn, 50);
}
END_TEST

/* --- sums ------------------------------------------------------------------------- */

START_TEST(sums_of_all_lengths_at_all_places)
{
	uint8_t data[600];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 151 + 3);
	memset(data + 100, 0xff, 300);
	for (size_t at = 0; at < 9; at++) {
		for (size_t n = 0; n < sizeof(data) - at; n++) {
			uint16_t want =
				(uint16_t)frame_sum(data + at, n, 0x1234);

			ck_assert_uint_eq(offload_fold(offload_sum(
						  data + at, n, htons(0x1234))),
					  htons(want));
		}
	}
}
END_TEST

START_TEST(a_sum_of_ones_carries_around)
{
	static uint8_t data[65536];

	memset(data, 0xff, sizeof(data));
	ck_assert_uint_eq(offload_fold(offload_sum(data, sizeof(data), 0)),
			  0xffff);
	ck_assert_uint_eq(
		offload_fold(offload_sum(data, sizeof(data), UINT64_MAX)),
		0xffff);
	ck_assert_uint_eq(offload_fold(UINT64_MAX), 0xffff);
	ck_assert_uint_eq(offload_fold(0), 0);
}
END_TEST

/* --- headers ---------------------------------------------------------------------- */

START_TEST(headers_are_where_they_are)
{
	static struct frame f;
	struct offload_headers h;

	frame_make(&f, &kinds[_i], 33);
	ck_assert_int_eq(offload_parse(f.bytes, f.n, &h), 0);
	ck_assert_uint_eq(h.ip, f.ip);
	ck_assert_uint_eq(h.l4, f.l4);
	ck_assert_uint_eq(h.data, f.data);
	ck_assert_uint_eq(h.is_v6, f.v6);
	ck_assert_uint_eq(h.protocol, f.udp ? IPPROTO_UDP : IPPROTO_TCP);
}
END_TEST

START_TEST(headers_that_are_cut_off)
{
	static struct frame f;
	struct offload_headers h;

	frame_make(&f, &kinds[_i], 0);
	for (size_t n = 0; n < f.data; n++) {
		/* Of its own, for a sanitizer to see who reads beyond. */
		uint8_t *copy = g_memdup2(f.bytes, n);

		ck_assert_int_eq(offload_parse(copy, n, &h), -EINVAL);
		g_free(copy);
	}
	ck_assert_int_eq(offload_parse(f.bytes, f.data, &h), 0);
}
END_TEST

static const struct {
	const char *what;
	struct frame_kind kind;
	size_t at; /* from the beginning of IP; l4 when is_l4 */
	bool is_l4;
	uint8_t value;
} wrong[] = {
	{"version 5", {0}, 0, false, 0x55},
	{"version 6 in a frame of type IPv4", {0}, 0, false, 0x65},
	{"an IPv4 header of 16 bytes", {0}, 0, false, 0x44},
	{"an IPv4 header beyond the frame", {0}, 0, false, 0x4f},
	{"more fragments follow", {0}, 6, false, 0x20},
	{"a fragment that is not the first", {0}, 7, false, 1},
	{"ICMP", {0}, 9, false, 1},
	{"a TCP header of 16 bytes", {0}, 12, true, 0x40},
	{"a TCP header beyond the frame", {0}, 12, true, 0xf0},
	{"a fragment of IPv6", {.v6 = true}, 6, false, 44},
	{"IPv6 with an authentication header", {.v6 = true}, 6, false, 51},
	{"ICMPv6", {.v6 = true}, 6, false, 58},
	{"version 4 in a frame of type IPv6", {.v6 = true}, 0, false, 0x45},
	{"an extension beyond the frame",
	 {.v6 = true, .extensions = 1},
	 41,
	 false,
	 200},
};

START_TEST(what_is_no_frame_to_work_on)
{
	static struct frame f;
	struct offload_headers h;

	frame_make(&f, &wrong[_i].kind, 4);
	f.bytes[(wrong[_i].is_l4 ? f.l4 : f.ip) + wrong[_i].at] =
		wrong[_i].value;
	ck_assert_msg(offload_parse(f.bytes, f.n, &h) == -EINVAL, "%s",
		      wrong[_i].what);
}
END_TEST

START_TEST(three_tags_and_nine_extensions_are_too_many)
{
	static struct frame f;
	const struct frame_kind three = {.tags = 3};
	const struct frame_kind nine = {.v6 = true, .extensions = 9};
	const struct frame_kind eight = {.v6 = true, .extensions = 8};
	struct offload_headers h;

	frame_make(&f, &three, 4);
	ck_assert_int_eq(offload_parse(f.bytes, f.n, &h), -EINVAL);
	frame_make(&f, &nine, 4);
	ck_assert_int_eq(offload_parse(f.bytes, f.n, &h), -EINVAL);
	frame_make(&f, &eight, 4);
	ck_assert_int_eq(offload_parse(f.bytes, f.n, &h), 0);
}
END_TEST

/* --- checksums ---------------------------------------------------------------------- */

START_TEST(checksums_of_all_lengths)
{
	static struct frame f, want;

	for (size_t n = 0; n < 300; n++) {
		struct virtio_net_hdr hdr;

		frame_make(&want, &kinds[_i], n);
		ck_assert(frame_is_sound(&want));
		frame_copy(&f, &want, want.n);
		frame_unfinish(&f);
		hdr = frame_hdr(&f, 0);
		ck_assert_int_eq(offload_checksum(f.bytes, f.n, &hdr), 0);
		ck_assert_mem_eq(f.bytes, want.bytes, f.n);
	}
}
END_TEST

START_TEST(a_checksum_is_never_zero)
{
	static struct frame f;
	const struct frame_kind udp = {.udp = true};
	struct virtio_net_hdr hdr;
	uint32_t check;

	frame_make(&f, &udp, 2);
	frame_put(f.bytes + f.data, 2, 0);
	frame_finish(&f);
	check = frame_get(frame_check(&f), 2);
	frame_put(f.bytes + f.data, 2, check); /* it makes the sum 0xffff */
	frame_unfinish(&f);
	hdr = frame_hdr(&f, 0);
	ck_assert_int_eq(offload_checksum(f.bytes, f.n, &hdr), 0);
	ck_assert_uint_eq(frame_get(frame_check(&f), 2), 0xffff);
}
END_TEST

static const struct {
	const char *what;
	uint16_t start, offset;
	int result;
} places[] = {
	{"the end of the frame", 62, 0, 0},
	{"the end, by the offset", 0, 62, 0},
	{"one byte of it", 63, 0, -EINVAL},
	{"one byte, by the offset", 34, 29, -EINVAL},
	{"behind it", 64, 0, -EINVAL},
	{"far behind it", 65535, 65535, -EINVAL},
	{"the sum of both wraps", 65535, 40, -EINVAL},
};

START_TEST(a_checksum_is_in_the_frame)
{
	uint8_t *frame = g_malloc0(64);
	struct virtio_net_hdr hdr = {.csum_start = places[_i].start,
				     .csum_offset = places[_i].offset};

	ck_assert_msg(offload_checksum(frame, 64, &hdr) == places[_i].result,
		      "%s", places[_i].what);
	g_free(frame);
}
END_TEST

/* --- large frames --------------------------------------------------------------------- */

START_TEST(headers_of_a_large_frame_are_made_good)
{
	static struct frame f, want;

	frame_make(&want, &kinds[_i], 20001);
	frame_unfinish(&want);
	f = want;
	/* As Linux' hv_netvsc leaves them: lengths 0, no sum of them. */
	frame_put(f.bytes + f.ip + (f.v6 ? 4 : 2), 2, 0);
	if (!f.v6)
		frame_put(f.bytes + f.ip + 10, 2, 0);
	if (f.udp)
		frame_put(f.bytes + f.l4 + 4, 2, 0);
	frame_put(frame_check(&f), 2, 0);
	ck_assert_int_eq(offload_prepare_gso(f.bytes, f.data, f.n), 0);
	ck_assert_mem_eq(f.bytes, want.bytes, f.n);
	ck_assert_int_eq(offload_prepare_gso(f.bytes, f.data - 1, f.n),
			 -EINVAL);
	ck_assert_int_eq(offload_prepare_gso(f.bytes, f.data, f.data - 1),
			 -EINVAL);
	ck_assert_int_eq(offload_prepare_gso(f.bytes, f.data, 65536 + 99),
			 -EINVAL);
}
END_TEST

/* What segment @n of @f is to be, made anew. */
static void expect_segment(struct frame *want, const struct frame *f,
			   unsigned int n, size_t size, size_t carried)
{
	size_t at = n * size, piece = MIN(size, carried - at);
	bool is_last = at + piece == carried;
	uint8_t *l4 = want->bytes + f->l4;

	frame_copy(want, f, f->data);
	memcpy(want->bytes + f->data, f->bytes + f->data + at, piece);
	want->n = f->data + piece;
	if (!f->v6)
		frame_put(want->bytes + f->ip + 4, 2,
			  (frame_get(f->bytes + f->ip + 4, 2) + n) & 0xffff);
	if (!f->udp) {
		uint32_t seq = frame_get(l4 + 4, 4);
		uint32_t flags = l4[13];

		frame_put(l4 + 4, 4, (uint32_t)(seq + at));
		if (n)
			flags &= ~0x80u; /* CWR */
		if (!is_last)
			flags &= ~0x09u; /* FIN, PSH */
		l4[13] = (uint8_t)flags;
	}
	frame_lengths(want);
	frame_finish(want);
}

static void check_segments(const struct frame_kind *k, size_t carried,
			   uint16_t size)
{
	static struct frame f, want;
	static uint8_t got[FRAME_MAX];
	struct offload_segments s;
	struct virtio_net_hdr hdr;
	struct iovec iov[2];
	unsigned int n = 0;
	size_t bytes;

	frame_make(&f, k, carried);
	frame_unfinish(&f);
	hdr = frame_hdr(&f, size);
	ck_assert_int_eq(offload_segments_init(&s, f.bytes, f.n, &hdr), 0);
	while ((bytes = offload_segments_next(&s, iov))) {
		expect_segment(&want, &f, n++, size, carried);
		ck_assert_uint_eq(bytes, want.n);
		ck_assert_uint_eq(iov[0].iov_len + iov[1].iov_len, bytes);
		memcpy(got, iov[0].iov_base, iov[0].iov_len);
		memcpy(got + iov[0].iov_len, iov[1].iov_base, iov[1].iov_len);
		ck_assert_msg(!memcmp(got, want.bytes, bytes),
			      "%s, %zu in pieces of %u: segment %u", k->what,
			      carried, size, n - 1);
		ck_assert(frame_is_sound(&want));
	}
	ck_assert_uint_eq(n, carried ? (carried + size - 1) / size : 1);
	ck_assert_uint_eq(offload_segments_next(&s, iov), 0);
}

START_TEST(segments_of_all_lengths)
{
	for (size_t carried = 0; carried < 70; carried++)
		for (uint16_t size = 1; size < 24; size++)
			check_segments(&kinds[_i], carried, size);
}
END_TEST

START_TEST(segments_of_large_frames)
{
	static const struct {
		size_t carried;
		uint16_t size;
	} sizes[] = {
		{1460, 1460},  {1461, 1460},  {2920, 1460},  {2921, 1460},
		{9001, 1448},  {33333, 8948}, {65000, 1448}, {65200, 65535},
		{65101, 1000}, {64999, 536},  {3000, 2999},  {1, 1460},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
		check_segments(&kinds[_i], sizes[i].carried, sizes[i].size);
}
END_TEST

START_TEST(what_is_behind_the_packet_is_no_part_of_it)
{
	static struct frame f;
	struct offload_segments s;
	struct virtio_net_hdr hdr;
	struct iovec iov[2];
	size_t carried = 0;

	frame_make(&f, &kinds[_i], 100);
	frame_unfinish(&f);
	hdr = frame_hdr(&f, 40);
	ck_assert_int_eq(offload_segments_init(&s, f.bytes, f.n + 9, &hdr), 0);
	while (offload_segments_next(&s, iov))
		carried += iov[1].iov_len;
	ck_assert_uint_eq(carried, 100);
	ck_assert_int_eq(offload_segments_init(&s, f.bytes, f.n - 1, &hdr),
			 -EINVAL);
	ck_assert_uint_eq(offload_segments_next(&s, iov), 0);
}
END_TEST

static void set_type(struct virtio_net_hdr *h)
{
	h->gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
}

static void set_udp(struct virtio_net_hdr *h)
{
	h->gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
}

static void set_size(struct virtio_net_hdr *h)
{
	h->gso_size = 0;
}

static void set_start(struct virtio_net_hdr *h)
{
	h->csum_start++;
}

static void set_offset(struct virtio_net_hdr *h)
{
	h->csum_offset = 6;
}

static const struct {
	const char *what;
	void (*spoil)(struct virtio_net_hdr *h);
} spoilt[] = {
	{"IPv6, and it is not", set_type},
	{"UDP, and it is not", set_udp},
	{"no size", set_size},
	{"another header", set_start},
	{"another checksum", set_offset},
};

START_TEST(a_header_that_lies)
{
	static struct frame f;
	struct offload_segments s;
	struct virtio_net_hdr hdr;

	frame_make(&f, &kinds[0], 5000);
	frame_unfinish(&f);
	hdr = frame_hdr(&f, 1460);
	ck_assert_int_eq(offload_segments_init(&s, f.bytes, f.n, &hdr), 0);
	spoilt[_i].spoil(&hdr);
	ck_assert_msg(offload_segments_init(&s, f.bytes, f.n, &hdr) == -EINVAL,
		      "%s", spoilt[_i].what);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices/net/offload");
	TCase *tc = tcase_create("offload");
	const int n_kinds = (int)G_N_ELEMENTS(kinds);

	tcase_add_test(tc, the_sum_of_the_rfc);
	tcase_add_test(tc, the_header_of_the_textbook);
	tcase_add_test(tc, sums_of_all_lengths_at_all_places);
	tcase_add_test(tc, a_sum_of_ones_carries_around);
	tcase_add_loop_test(tc, headers_are_where_they_are, 0, n_kinds);
	tcase_add_loop_test(tc, headers_that_are_cut_off, 0, n_kinds);
	tcase_add_loop_test(tc, what_is_no_frame_to_work_on, 0,
			    (int)G_N_ELEMENTS(wrong));
	tcase_add_test(tc, three_tags_and_nine_extensions_are_too_many);
	tcase_add_loop_test(tc, checksums_of_all_lengths, 0, n_kinds);
	tcase_add_test(tc, a_checksum_is_never_zero);
	tcase_add_loop_test(tc, a_checksum_is_in_the_frame, 0,
			    (int)G_N_ELEMENTS(places));
	tcase_add_loop_test(tc, headers_of_a_large_frame_are_made_good, 0,
			    n_kinds);
	tcase_add_loop_test(tc, segments_of_all_lengths, 0, n_kinds);
	tcase_add_loop_test(tc, segments_of_large_frames, 0, n_kinds);
	tcase_add_loop_test(tc, what_is_behind_the_packet_is_no_part_of_it, 0,
			    n_kinds);
	tcase_add_loop_test(tc, a_header_that_lies, 0,
			    (int)G_N_ELEMENTS(spoilt));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
