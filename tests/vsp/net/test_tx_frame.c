/* SPDX-License-Identifier: MIT */
#include "vsp/net/tx_frame.h"

#include "support/check_main.h"
#include "support/net_frames.h"

#include <errno.h>

static const uint8_t to[6] = {2, 0, 0, 0, 0, 7};
static uint8_t bytes[70000];
static struct tx_frame t;

/* In pieces of three bytes at first, as no guest has them. */
static int prepare(const struct tx_info *info, uint32_t n)
{
	static struct iovec iov[200];
	struct stream s;

	for (unsigned int i = 0; i < 199; i++)
		iov[i] = (struct iovec){bytes + 3 * i, 3};
	iov[199] = (struct iovec){bytes + 597, sizeof(bytes) - 597};
	s = stream_init(iov, 200);
	return tx_frame_prepare(&t, info, &s, n);
}

START_TEST(nothing_to_do)
{
	ck_assert_int_eq(prepare(&(struct tx_info){0}, 14), 0);
	ck_assert_ptr_null(t.head);
	ck_assert_uint_eq(t.head_bytes, 0);
	ck_assert_uint_eq(t.skip, 0);
	ck_assert_uint_eq(t.hdr.flags, 0);
}
END_TEST

/* A frame that is shorter than the head that is copied. */
START_TEST(a_tag_in_a_short_frame)
{
	struct tx_info info = {.has_vlan = true,
			       .vlan = NDIS_8021Q_INFO(7u, 0u, 4095u)};

	for (uint8_t i = 0; i < 14; i++)
		bytes[i] = i;
	ck_assert_int_eq(prepare(&info, 14), 0);
	ck_assert_uint_eq(t.head_bytes, 18);
	ck_assert_uint_eq(t.skip, 14);
	ck_assert_mem_eq(t.head, bytes, 12);
	ck_assert_uint_eq(net_get16(t.head + 12), 0x8100);
	ck_assert_uint_eq(net_get16(t.head + 14), 0xEFFF);
	ck_assert_mem_eq(t.head + 16, bytes + 12, 2);
}
END_TEST

/* An IP packet of 65535 bytes can be sent, one more cannot. */
START_TEST(the_greatest_packet)
{
	static const struct {
		bool ip6;
		uint32_t payload;
		int err;
	} greatest[] = {{false, 65535 - 40, 0},
			{false, 65535 - 39, -EPROTO},
			{true, 65535 - 20, 0},
			{true, 65535 - 19, -EPROTO}};

	for (size_t i = 0; i < 4; i++) {
		struct net_flow f = {.ip6 = greatest[i].ip6};
		uint32_t n = net_packet_of(bytes, to, &f, greatest[i].payload);
		struct tx_info info = {.has_lso = true,
				       .lso = 1000 | NDIS_LSO_V2};

		ck_assert_int_eq(prepare(&info, n), greatest[i].err);
		if (!greatest[i].err)
			ck_assert_uint_eq(net_get16(t.head + (f.ip6 ? 18 : 16)),
					  65535);
	}
}
END_TEST

/* The last place where a checksum can be. */
START_TEST(checksums_at_the_end)
{
	struct tx_info info = {.has_csum = true};

	info.csum = NDIS_TXCSUM_UDP | NDIS_TXCSUM_IS_IPV4 | 92u << 16;
	ck_assert_int_eq(prepare(&info, 100), 0);
	ck_assert_int_eq(prepare(&info, 99), -EPROTO);
	info.csum = NDIS_TXCSUM_IS_IPV4 | 92u << 16;
	ck_assert_int_eq(prepare(&info, 60), 0);
	ck_assert_uint_eq(t.hdr.flags, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/net/tx_frame");
	TCase *c = tcase_create("tx_frame");

	tcase_add_test(c, nothing_to_do);
	tcase_add_test(c, a_tag_in_a_short_frame);
	tcase_add_test(c, the_greatest_packet);
	tcase_add_test(c, checksums_at_the_end);
	suite_add_tcase(s, c);
	return check_main(s);
}
