/* SPDX-License-Identifier: MIT */
#include "vsp/vmbus/packet.h"

#include <string.h>

#include "support/check_main.h"

static const struct {
	const char *what;
	uint16_t offset8, len8;
	uint32_t avail, size; /* 0: refused */
} sizes[] = {
	{"descriptor alone", 2, 2, 24, 16},
	{"no room for the trailer", 2, 2, 23, 0},
	{"nothing there", 2, 2, 0, 0},
	{"less than a trailer there", 0, 0, 7, 0},
	{"payload", 2, 10, 88, 80},
	{"payload that is not all there", 2, 10, 80, 0},
	{"payload before the descriptor's end", 1, 10, 88, 0},
	{"payload at the very start", 0, 10, 88, 0},
	{"payload behind the end", 11, 10, 88, 0},
	{"payload at the end", 10, 10, 88, 80},
	{"shorter than a descriptor", 2, 1, 4096, 0},
	{"empty", 0, 0, 4096, 0},
	{"longest", 2, 0xFFFF, 1u << 20, PACKET_MAX},
	{"longest, one byte missing", 2, 0xFFFF, PACKET_MAX + 7, 0},
};

START_TEST(size_by_the_descriptor)
{
	struct vmpacket_descriptor d = {.type = VM_PKT_DATA_INBAND,
					.offset8 = sizes[_i].offset8,
					.len8 = sizes[_i].len8};

	ck_assert_msg(packet_size(&d, sizes[_i].avail) == sizes[_i].size, "%s",
		      sizes[_i].what);
}
END_TEST

/* --- in ------------------------------------------------------------------ */

static uint64_t buffer[512];

/* A packet with @head behind the descriptor and 16 bytes of payload. */
static uint32_t compose(uint16_t type, uint16_t flags, const void *head,
			uint32_t head_bytes)
{
	struct vmpacket_descriptor d = {
		.type = type,
		.offset8 = (uint16_t)(2 + head_bytes / 8),
		.len8 = (uint16_t)(4 + head_bytes / 8),
		.flags = flags,
		.trans_id = 0x1122334455667788,
	};

	memcpy(buffer, &d, sizeof(d));
	if (head_bytes)
		memcpy(buffer + 2, head, head_bytes);
	memcpy((uint8_t *)buffer + 16 + head_bytes, "0123456789abcdef", 16);
	return 32 + head_bytes;
}

static const struct {
	uint16_t type;
	int ret;
} types[] = {
	{VM_PKT_INVALID, -EPROTO},
	{VM_PKT_SYNCH, -EPROTO},
	{VM_PKT_ADD_XFER_PAGESET, -EPROTO},
	{VM_PKT_RM_XFER_PAGESET, -EPROTO},
	{VM_PKT_ESTABLISH_GPADL, -EPROTO},
	{VM_PKT_TEARDOWN_GPADL, -EPROTO},
	{VM_PKT_DATA_INBAND, 0},
	{VM_PKT_DATA_USING_GPADL, -EPROTO},
	{VM_PKT_CANCEL_REQUEST, -EPROTO},
	{VM_PKT_COMP, 0},
	{VM_PKT_ADDITIONAL_PKT, -EPROTO},
	{VM_PKT_ADDITIONAL_DATA, -EPROTO},
	{0xFFFF, -EPROTO},
};

START_TEST(types_that_are_taken)
{
	uint32_t size = compose(types[_i].type, 0, NULL, 0);
	struct packet p;

	ck_assert_int_eq(packet_parse(buffer, size, &p), types[_i].ret);
	if (types[_i].ret)
		return;
	ck_assert_uint_eq(p.type, types[_i].type);
	ck_assert_uint_eq(p.trans_id, 0x1122334455667788);
	ck_assert_uint_eq(p.bytes, 16);
	ck_assert_mem_eq(p.data, "0123456789abcdef", 16);
	ck_assert(!p.wants_completion);
}
END_TEST

START_TEST(completion_flag_is_bit_0)
{
	struct packet p;

	packet_parse(buffer, compose(VM_PKT_DATA_INBAND, 1, NULL, 0), &p);
	ck_assert(p.wants_completion);
	packet_parse(buffer, compose(VM_PKT_DATA_INBAND, 0xFFFE, NULL, 0), &p);
	ck_assert(!p.wants_completion);
}
END_TEST

/* The words behind the descriptor of a GPA-direct packet. */
#define HEAD(n)          ((uint64_t)(n) << 32 | 0xDEADu)
#define RANGE(bytes, at) ((uint64_t)(at) << 32 | (bytes))

static const struct {
	const char *what;
	uint64_t words[8];
	uint32_t n_words;
	uint64_t bytes; /* 0: refused */
} gpas[] = {
	{"one page", {HEAD(1), RANGE(4096, 0), 7}, 3, 4096},
	{"a part of it", {HEAD(1), RANGE(1, 4095), 7}, 3, 1},
	{"over two pages", {HEAD(1), RANGE(2, 4095), 7, 9}, 4, 2},
	{"two pages, one is said", {HEAD(1), RANGE(2, 4095), 7}, 3, 0},
	{"several ranges",
	 {HEAD(2), RANGE(10, 1), 7, RANGE(5000, 0), 8, 3},
	 6,
	 5010},
	{"more ranges than there are", {HEAD(2), RANGE(10, 1), 7}, 3, 0},
	{"a million ranges", {HEAD(1000000), RANGE(10, 1), 7}, 3, 0},
	{"no range", {HEAD(0), RANGE(10, 1), 7}, 3, 0},
	{"an empty range", {HEAD(1), RANGE(0, 1), 7}, 3, 0},
	{"begins in its second page", {HEAD(1), RANGE(1, 4096), 7, 8}, 4, 0},
	{"4 GiB", {HEAD(1), RANGE(0xFFFFFFFF, 0xFFF), 7, 8}, 4, 0},
	{"words to spare", {HEAD(1), RANGE(10, 1), 7, 0, 0}, 5, 10},
	{"no page number", {HEAD(1), RANGE(10, 1)}, 2, 0},
	{"no range header", {HEAD(1)}, 1, 0},
	{"no header", {0}, 0, 0},
};

START_TEST(gpa_direct)
{
	uint32_t size = compose(VM_PKT_DATA_USING_GPA_DIRECT, 1, gpas[_i].words,
				gpas[_i].n_words * 8);
	struct packet p;
	int ret = packet_parse(buffer, size, &p);

	ck_assert_msg(ret == (gpas[_i].bytes ? 0 : -EPROTO), "%s",
		      gpas[_i].what);
	if (ret)
		return;
	ck_assert_uint_eq(p.gpa_bytes, gpas[_i].bytes);
	ck_assert_uint_eq(p.gpa.n_ranges, gpas[_i].words[0] >> 32);
	ck_assert_mem_eq(p.data, "0123456789abcdef", 16);
}
END_TEST

#define XFER(n, id) ((uint64_t)(n) << 32 | (id))

static const struct {
	const char *what;
	uint64_t words[4];
	uint32_t n_words, n; /* n: ranges; ~0: refused */
} xfers[] = {
	{"no range", {XFER(0, 5)}, 1, 0},
	{"one", {XFER(1, 5), RANGE(10, 100)}, 2, 1},
	{"two", {XFER(2, 5), RANGE(10, 100), RANGE(11, 200)}, 3, 2},
	{"one more than there is", {XFER(2, 5), RANGE(10, 100)}, 2, ~0u},
	{"all that a word can say", {XFER(~0u, 5), RANGE(10, 100)}, 2, ~0u},
	{"no header", {0}, 0, ~0u},
};

START_TEST(transfer_pages)
{
	uint32_t size = compose(VM_PKT_DATA_USING_XFER_PAGES, 0,
				xfers[_i].words, xfers[_i].n_words * 8);
	struct packet p;
	int ret = packet_parse(buffer, size, &p);

	ck_assert_msg(ret == (xfers[_i].n == ~0u ? -EPROTO : 0), "%s",
		      xfers[_i].what);
	if (ret)
		return;
	ck_assert_uint_eq(p.n_xfer, xfers[_i].n);
	ck_assert_uint_eq(p.xfer_pageset_id, 5);
	if (p.n_xfer) {
		ck_assert_uint_eq(p.xfer[0].byte_count, 10);
		ck_assert_uint_eq(p.xfer[0].byte_offset, 100);
	}
}
END_TEST

static const struct {
	const char *what;
	uint32_t flags, msgsize, bytes;
	int ret;
} pipes[] = {
	{"all of it", VMBUS_PIPE_DATA, 8, 16, 0},
	{"less, as the rest is padding", VMBUS_PIPE_DATA, 3, 16, 0},
	{"end of the stream", VMBUS_PIPE_DATA, 0, 8, 0},
	{"more than there is", VMBUS_PIPE_DATA, 9, 16, -EPROTO},
	{"much more than there is", VMBUS_PIPE_DATA, ~0u, 16, -EPROTO},
	{"another kind", 2, 8, 16, -EPROTO},
	{"no header", VMBUS_PIPE_DATA, 0, 7, -EPROTO},
};

START_TEST(pipe_header)
{
	struct vmbuspipe_hdr h = {.flags = pipes[_i].flags,
				  .msgsize = pipes[_i].msgsize};
	struct packet p = {.data = buffer, .bytes = pipes[_i].bytes};
	const void *data = NULL;
	uint32_t bytes = ~0u;

	memcpy(buffer, &h, sizeof(h));
	ck_assert_msg(packet_pipe(&p, &data, &bytes) == pipes[_i].ret, "%s",
		      pipes[_i].what);
	if (pipes[_i].ret)
		return;
	ck_assert_uint_eq(bytes, pipes[_i].msgsize);
	ck_assert_ptr_eq(data, buffer + 1);
}
END_TEST

/* --- out ----------------------------------------------------------------- */

START_TEST(what_is_encoded_can_be_parsed)
{
	static const uint16_t kinds[] = {VM_PKT_DATA_INBAND, VM_PKT_COMP,
					 VM_PKT_DATA_USING_XFER_PAGES};
	const struct vmtransfer_page_range ranges[2] = {{1, 2}, {3, 4}};
	const char text[] = "abcdefghijklmnopqrstuvwxyz";

	for (uint32_t n = 0; n <= sizeof(text); n++) {
		struct packet_out out = {
			.type = kinds[_i],
			.wants_completion = n & 1,
			.trans_id = n * 0x100000001,
			.data = {text, text + n / 3},
			.bytes = {n / 3, n - n / 3},
			.xfer_pageset_id = 77,
			.n_xfer = 2,
			.xfer = ranges,
		};
		uint32_t size = packet_out_size(&out);
		struct packet p;

		memset(buffer, 0xEE, sizeof(buffer));
		packet_encode(buffer, &out, size);
		ck_assert_int_eq(packet_parse(buffer, size, &p), 0);
		ck_assert_uint_eq(p.type, kinds[_i]);
		ck_assert_uint_eq(p.trans_id, out.trans_id);
		ck_assert_uint_eq(p.wants_completion, n & 1);
		ck_assert_uint_eq(p.bytes, (n + 7) / 8 * 8);
		if (n)
			ck_assert_mem_eq(p.data, text, n);
		for (uint32_t i = n; i < p.bytes; i++)
			ck_assert_uint_eq(((const uint8_t *)p.data)[i], 0);
		ck_assert_uint_eq(*((uint8_t *)buffer + size), 0xEE);
		if (p.type == VM_PKT_DATA_USING_XFER_PAGES) {
			ck_assert_uint_eq(p.n_xfer, 2);
			ck_assert_uint_eq(p.xfer_pageset_id, 77);
			ck_assert_mem_eq(p.xfer, ranges, sizeof(ranges));
		}
	}
}
END_TEST

START_TEST(longer_than_a_descriptor_can_say)
{
	struct packet_out out = {.type = VM_PKT_DATA_INBAND,
				 .bytes = {PACKET_MAX - 16, 0}};

	ck_assert_uint_eq(packet_out_size(&out), PACKET_MAX);
	out.bytes[1] = 1;
	ck_assert_uint_eq(packet_out_size(&out), 0);
	out.bytes[1] = ~0u;
	ck_assert_uint_eq(packet_out_size(&out), 0);
	out.type = VM_PKT_DATA_USING_XFER_PAGES;
	out.bytes[0] = 0;
	out.bytes[1] = 0;
	out.n_xfer = ~0u;
	ck_assert_uint_eq(packet_out_size(&out), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/packet");
	TCase *t = tcase_create("packet");

	tcase_add_loop_test(t, size_by_the_descriptor, 0,
			    sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_loop_test(t, types_that_are_taken, 0,
			    sizeof(types) / sizeof(types[0]));
	tcase_add_test(t, completion_flag_is_bit_0);
	tcase_add_loop_test(t, gpa_direct, 0, sizeof(gpas) / sizeof(gpas[0]));
	tcase_add_loop_test(t, transfer_pages, 0,
			    sizeof(xfers) / sizeof(xfers[0]));
	tcase_add_loop_test(t, pipe_header, 0,
			    sizeof(pipes) / sizeof(pipes[0]));
	tcase_add_loop_test(t, what_is_encoded_can_be_parsed, 0, 3);
	tcase_add_test(t, longer_than_a_descriptor_can_say);
	suite_add_tcase(s, t);
	return check_main(s);
}
