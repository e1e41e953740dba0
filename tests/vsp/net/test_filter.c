/* SPDX-License-Identifier: MIT */
#include "vsp/net/filter.h"

#include "support/check_main.h"

#include <errno.h>

#include "proto/rndis.h"

static const uint8_t all[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static const uint8_t mine[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t other[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t group[6] = {1, 0, 0x5E, 0, 0, 1};
static const uint8_t other_group[6] = {1, 0, 0x5E, 0, 0, 2};

START_TEST(casts)
{
	ck_assert_int_eq(frame_cast(all), CAST_BROADCAST);
	ck_assert_int_eq(frame_cast(group), CAST_MULTICAST);
	ck_assert_int_eq(frame_cast(mine), CAST_DIRECTED);
}
END_TEST

/* All sets of bits against what each bit alone lets through. */
START_TEST(each_bit_adds_its_own)
{
	static const struct {
		uint32_t bit;
		const uint8_t *to;
	} lets[] = {
		{NDIS_PACKET_TYPE_DIRECTED, mine},
		{NDIS_PACKET_TYPE_MULTICAST, group},
		{NDIS_PACKET_TYPE_ALL_MULTICAST, group},
		{NDIS_PACKET_TYPE_ALL_MULTICAST, other_group},
		{NDIS_PACKET_TYPE_BROADCAST, all},
		{NDIS_PACKET_TYPE_PROMISCUOUS, mine},
		{NDIS_PACKET_TYPE_PROMISCUOUS, other},
		{NDIS_PACKET_TYPE_PROMISCUOUS, group},
		{NDIS_PACKET_TYPE_PROMISCUOUS, other_group},
		{NDIS_PACKET_TYPE_PROMISCUOUS, all},
	};
	static const uint8_t *const tos[] = {mine, other, group, other_group,
					     all};
	struct filter f = {.mac = {2, 0, 0, 0, 0, 1}};

	ck_assert_int_eq(filter_set_groups(&f, group, 6), 0);
	for (f.bits = 0; f.bits < 64; f.bits++) {
		for (size_t i = 0; i < 5; i++) {
			bool want = false;

			for (size_t k = 0; k < 10; k++)
				want |= (f.bits & lets[k].bit) &&
					lets[k].to == tos[i];
			ck_assert(filter_accepts(&f, tos[i]) == want);
		}
	}
}
END_TEST

START_TEST(groups)
{
	uint8_t list[65 * 6] = {0};
	struct filter f = {.bits = NDIS_PACKET_TYPE_MULTICAST};

	memcpy(list + 63 * 6, group, 6);
	ck_assert_int_eq(filter_set_groups(&f, list, 64 * 6), 0);
	ck_assert(filter_accepts(&f, group));
	ck_assert_int_eq(filter_set_groups(&f, list, 65 * 6), -ENOSPC);
	ck_assert_int_eq(filter_set_groups(&f, list, 5), -EINVAL);
	ck_assert(filter_accepts(&f, group));
	ck_assert_int_eq(filter_set_groups(&f, NULL, 0), 0);
	ck_assert(!filter_accepts(&f, group));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/net/filter");
	TCase *t = tcase_create("filter");

	tcase_add_test(t, casts);
	tcase_add_test(t, each_bit_adds_its_own);
	tcase_add_test(t, groups);
	suite_add_tcase(s, t);
	return check_main(s);
}
