/* SPDX-License-Identifier: MIT */
#include "vsp/net/frame.h"

#include "support/check_main.h"

#include <glib.h>

/* Bytes behind the addresses; l4 is where TCP or UDP is. */
static const struct {
	const char *what;
	const char *hex;
	unsigned int bytes; /* of the frame; the rest is zeros */
	struct frame f;
} frames[] = {
	{"too short", "0800", 13, {0}},
	{"not IP", "0806", 60, {.l3 = 14}},
	{"TCP over IPv4",
	 "0800 4500000000000000 4006",
	 60,
	 {.ip = 4, .l3 = 14, .proto = 6, .l4 = 34}},
	{"TCP that is cut off",
	 "0800 4500000000000000 4006",
	 53,
	 {.ip = 4, .l3 = 14, .proto = 6}},
	{"UDP over IPv4",
	 "0800 4500000000000000 4011",
	 42,
	 {.ip = 4, .l3 = 14, .proto = 17, .l4 = 34}},
	{"UDP that is cut off",
	 "0800 4500000000000000 4011",
	 41,
	 {.ip = 4, .l3 = 14, .proto = 17}},
	{"ICMP",
	 "0800 4500000000000000 4001",
	 60,
	 {.ip = 4, .l3 = 14, .proto = 1}},
	{"with options",
	 "0800 4f00000000000000 4006",
	 94,
	 {.ip = 4, .l3 = 14, .proto = 6, .l4 = 74}},
	{"a header of no length", "0800 4000000000000000 4006", 60, {.l3 = 14}},
	{"IPv6 in IPv4's place", "0800 6000000000000000 4006", 60, {.l3 = 14}},
	{"IPv4 that is cut off", "0800 4500", 33, {.l3 = 14}},
	{"do not fragment",
	 "0800 4500000000004000 4006",
	 60,
	 {.ip = 4, .l3 = 14, .proto = 6, .l4 = 34}},
	{"a first fragment",
	 "0800 4500000000002000 4006",
	 60,
	 {.ip = 4, .l3 = 14, .proto = 6, .fragment = true}},
	{"a later fragment",
	 "0800 4500000000000001 4006",
	 60,
	 {.ip = 4, .l3 = 14, .proto = 6, .fragment = true}},
	{"tagged",
	 "8100 b123 0800 4500000000000000 4006",
	 60,
	 {.tagged = true,
	  .tci = 0xb123,
	  .ip = 4,
	  .l3 = 18,
	  .proto = 6,
	  .l4 = 38}},
	{"a tag that is cut off", "8100 b123", 17, {.l3 = 14}},
	{"TCP over IPv6",
	 "86dd 60000000 0000 0640",
	 74,
	 {.ip = 6, .l3 = 14, .proto = 6, .l4 = 54}},
	{"IPv6 that is cut off", "86dd 60000000 0000 0640", 53, {.l3 = 14}},
	{"IPv4 in IPv6's place", "86dd 45000000 0000 0640", 74, {.l3 = 14}},
	{"a fragment of IPv6",
	 "86dd 60000000 0000 2c40",
	 90,
	 {.ip = 6, .l3 = 14, .proto = 44, .fragment = true}},
	/* hop-by-hop headers of zeros follow one another, to the limit */
	{"extension headers without end",
	 "86dd 60000000 0000 0040",
	 200,
	 {.ip = 6, .l3 = 14}},
};

static void fill(uint8_t *at, const char *hex)
{
	at += 12;
	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		*at++ = (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 |
				  g_ascii_xdigit_value(hex[1]));
		hex++;
	}
}

static void check(const struct frame *f, const struct frame *want)
{
	ck_assert(f->tagged == want->tagged);
	ck_assert_uint_eq(f->tci, want->tci);
	ck_assert_uint_eq(f->ip, want->ip);
	ck_assert(f->fragment == want->fragment);
	ck_assert_uint_eq(f->l3, want->l3);
	ck_assert_uint_eq(f->proto, want->proto);
	ck_assert_uint_eq(f->l4, want->l4);
}

START_TEST(headers_are_found)
{
	/* Exactly as long, so that a read beyond it is seen. */
	g_autofree uint8_t *all = g_malloc0(256);
	g_autofree uint8_t *at = NULL;
	struct frame f;

	fill(all, frames[_i].hex);
	at = g_memdup2(all, frames[_i].bytes);
	frame_parse(at, frames[_i].bytes, &f);
	check(&f, &frames[_i].f);
}
END_TEST

START_TEST(extension_headers)
{
	uint8_t at[200] = {0};
	struct frame f;

	fill(at, "86dd 60000000 0000 0040");
	at[54] = 60; /* a destination header of 16 bytes follows */
	at[62] = 43;
	at[63] = 1;
	at[78] = 17; /* and a routing header, and UDP */
	frame_parse(at, 94, &f);
	check(&f, &(struct frame){.ip = 6, .l3 = 14, .proto = 17, .l4 = 86});
}
END_TEST

/* RFC 1071's example, and an odd byte. */
START_TEST(sums)
{
	static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4,
					0xf5, 0xf6, 0xf7, 0x80};

	ck_assert_uint_eq(frame_fold(frame_sum(bytes, 8, 0)), 0xddf2);
	ck_assert_uint_eq(frame_fold(frame_sum(bytes, 9, 0)), 0x5df3);
	ck_assert_uint_eq(frame_fold(0xFFFFFFFF), 0xFFFF);
}
END_TEST

START_TEST(ip_checksum)
{
	/* of Wikipedia's "Internet checksum" */
	static const uint8_t good[20] = {
		0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
		0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
	uint8_t ip[20];

	memcpy(ip, good, sizeof(ip));
	ip[10] = 0x12;
	frame_ip_checksum(ip, sizeof(ip));
	ck_assert_mem_eq(ip, good, sizeof(ip));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/net/frame");
	TCase *t = tcase_create("frame");

	tcase_add_loop_test(t, headers_are_found, 0, G_N_ELEMENTS(frames));
	tcase_add_test(t, extension_headers);
	tcase_add_test(t, sums);
	tcase_add_test(t, ip_checksum);
	suite_add_tcase(s, t);
	return check_main(s);
}
