/* SPDX-License-Identifier: MIT */
#include "vsp/net/rss.h"

#include "support/check_main.h"

#include <arpa/inet.h>
#include <glib.h>

/* Microsoft, "Verifying the RSS Hash Calculation" */
static const uint8_t key[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2,
				0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0,
				0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4,
				0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c,
				0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

static const struct {
	int family;
	const char *to, *from;
	uint16_t to_port, from_port;
	uint32_t addresses, with_ports;
} vectors[] = {
	{AF_INET, "161.142.100.80", "66.9.149.187", 1766, 2794, 0x323e8fc2,
	 0x51ccc178},
	{AF_INET, "65.69.140.83", "199.92.111.2", 4739, 14230, 0xd718262a,
	 0xc626b0ea},
	{AF_INET, "12.22.207.184", "24.19.198.95", 38024, 12898, 0xd2d0a5de,
	 0x5c2b394a},
	{AF_INET, "209.142.163.6", "38.27.205.30", 2217, 48228, 0x82989176,
	 0xafc7327f},
	{AF_INET, "202.188.127.2", "153.39.163.191", 1303, 44251, 0x5d1809c5,
	 0x10e828a2},
	{AF_INET6, "3ffe:2501:200:3::1", "3ffe:2501:200:1fff::7", 1766, 2794,
	 0x2cc18cd5, 0x40207d3d},
	{AF_INET6, "ff02::1", "3ffe:501:8::260:97ff:fe40:efab", 4739, 14230,
	 0x0f0c461c, 0xdde51bbf},
};

static struct {
	struct ndis_recv_scale_param p;
	uint32_t table[128];
	uint8_t key[40];
} __attribute__((packed)) param;

static void make_param(uint32_t types)
{
	param.p = (struct ndis_recv_scale_param){
		.header = {NDIS_OBJECT_TYPE_RSS_PARAMETERS, 2, 40},
		.hashinfo = NDIS_HASH_FUNC_TOEPLITZ | types,
		.indirect_tabsize = sizeof(param.table),
		.indirect_taboffset = 40,
		.hashkey_size = 40,
		.hashkey_offset = 40 + sizeof(param.table)};
	for (uint32_t i = 0; i < 128; i++)
		param.table[i] = i % 3;
	memcpy(param.key, key, sizeof(key));
}

static struct rss *make(uint32_t types)
{
	g_autofree struct rss *first = rss_new();
	uint32_t status;
	struct rss *r;

	make_param(types);
	r = rss_change(first, &param, sizeof(param), 3, &status);
	ck_assert_ptr_nonnull(r);
	ck_assert_uint_eq(status, RNDIS_STATUS_SUCCESS);
	return r;
}

static uint32_t input(uint8_t in[36], int i)
{
	uint32_t n = vectors[i].family == AF_INET ? 4 : 16;
	uint16_t from = htons(vectors[i].from_port);
	uint16_t to = htons(vectors[i].to_port);

	inet_pton(vectors[i].family, vectors[i].from, in);
	inet_pton(vectors[i].family, vectors[i].to, in + n);
	memcpy(in + 2 * n, &from, 2);
	memcpy(in + 2 * n + 2, &to, 2);
	return 2 * n;
}

START_TEST(the_hashes_that_microsoft_gives)
{
	g_autofree struct rss *r = make(NDIS_HASH_IPV4);
	uint8_t in[36];
	uint32_t n = input(in, _i);

	ck_assert_uint_eq(rss_hash_input(r, in, n), vectors[_i].addresses);
	ck_assert_uint_eq(rss_hash_input(r, in, n + 4), vectors[_i].with_ports);
}
END_TEST

/* A frame of vector @i; Return: bytes */
static size_t make_frame(uint8_t *at, int i, uint8_t proto)
{
	bool ip4 = vectors[i].family == AF_INET;
	uint8_t in[36];
	uint32_t n = input(in, i);

	memset(at, 0, 100);
	at[12] = ip4 ? 0x08 : 0x86;
	at[13] = ip4 ? 0x00 : 0xDD;
	at[14] = ip4 ? 0x45 : 0x60;
	at[ip4 ? 23 : 20] = proto;
	memcpy(at + (ip4 ? 26 : 22), in, n);
	memcpy(at + (ip4 ? 34 : 54), in + n, 4);
	at[(ip4 ? 34 : 54) + 12] = 0x50;
	return (ip4 ? 34u : 54u) + 20;
}

static const struct {
	const char *what;
	uint32_t types;
	uint8_t proto;
	bool has4, ports4, has6, ports6;
} kinds[] = {
	{"TCP", 0x1700, 6, true, true, true, true},
	{"UDP", 0x1700, 17, true, false, true, false},
	{"neither", 0x1700, 1, true, false, true, false},
	{"only addresses", 0x500, 6, true, false, true, false},
	{"only IPv4", 0x300, 6, true, true, false, false},
	{"only IPv6", 0x1400, 6, false, false, true, true},
	{"only TCP, and it is not", 0x1200, 17, false, false, false, false},
	{"nothing", 0, 6, false, false, false, false},
};

START_TEST(what_is_hashed)
{
	g_autofree struct rss *r = make(kinds[_i].types);

	for (int i = 0; i < (int)G_N_ELEMENTS(vectors); i++) {
		bool ip4 = vectors[i].family == AF_INET;
		bool has = ip4 ? kinds[_i].has4 : kinds[_i].has6;
		bool ports = ip4 ? kinds[_i].ports4 : kinds[_i].ports6;
		uint8_t head[100];
		struct frame f;
		uint32_t hash;

		frame_parse(head, make_frame(head, i, kinds[_i].proto), &f);
		ck_assert(rss_hash(r, head, &f, &hash) == has);
		if (has)
			ck_assert_uint_eq(hash, ports ? vectors[i].with_ports
						      : vectors[i].addresses);
	}
}
END_TEST

START_TEST(off_at_first_and_when_turned_off)
{
	g_autofree struct rss *first = rss_new();
	g_autofree struct rss *on = make(0x1700);
	g_autofree struct rss *off = NULL;
	uint8_t head[100];
	uint32_t hash, status;
	struct frame f;

	frame_parse(head, make_frame(head, 0, 6), &f);
	ck_assert(!rss_hash(first, head, &f, &hash));
	ck_assert_uint_eq(rss_channel(first, 12345), 0);
	ck_assert(rss_hash(on, head, &f, &hash));
	param.p.flag = NDIS_RSS_PARAM_FLAG_DISABLE_RSS;
	off = rss_change(on, &param, sizeof(param), 3, &status);
	ck_assert(!rss_hash(off, head, &f, &hash));
}
END_TEST

START_TEST(the_table)
{
	g_autofree struct rss *r = make(0x1700);

	for (uint32_t hash = 0; hash < 1000; hash++)
		ck_assert_uint_eq(rss_channel(r, hash), hash % 128 % 3);
}
END_TEST

/* Each part may stay as it is. */
START_TEST(parts_that_do_not_change)
{
	g_autofree struct rss *old = make(0x1700);
	uint32_t status;

	memset(param.key, 0, sizeof(param.key));
	memset(param.table, 0, sizeof(param.table));
	param.p.hashinfo = 0xFF;
	for (uint16_t bit = 2; bit <= 8; bit = (uint16_t)(bit * 2)) {
		g_autofree struct rss *r = NULL;

		param.p.flag = (uint16_t)(14 & ~bit);
		r = rss_change(old, &param, sizeof(param), 3, &status);
		if (bit == NDIS_RSS_PARAM_FLAG_HASH_INFO_UNCHANGED) {
			ck_assert_ptr_null(r);
			continue;
		}
		ck_assert_uint_eq(r->types, 0x1700);
		ck_assert(!memcmp(r->key, key, 40) ==
			  (bit != NDIS_RSS_PARAM_FLAG_HASH_KEY_UNCHANGED));
		ck_assert_uint_eq(r->table[1],
				  bit != NDIS_RSS_PARAM_FLAG_ITABLE_UNCHANGED);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/net/rss");
	TCase *t = tcase_create("rss");

	tcase_add_loop_test(t, the_hashes_that_microsoft_gives, 0,
			    G_N_ELEMENTS(vectors));
	tcase_add_loop_test(t, what_is_hashed, 0, G_N_ELEMENTS(kinds));
	tcase_add_test(t, off_at_first_and_when_turned_off);
	tcase_add_test(t, the_table);
	tcase_add_test(t, parts_that_do_not_change);
	suite_add_tcase(s, t);
	return check_main(s);
}
