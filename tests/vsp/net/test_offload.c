/* SPDX-License-Identifier: MIT */
#include "vsp/net/offload.h"

#include "support/check_main.h"

static struct ndis_offload_params base(void)
{
	return (struct ndis_offload_params){
		.header = {NDIS_OBJECT_TYPE_DEFAULT, 3,
			   sizeof(struct ndis_offload_params)}};
}

/* Each value of a checksum, on something that is on and something off. */
START_TEST(values_of_a_checksum)
{
	static const bool on[] = {true, false, false, true, true};
	static const bool off[] = {false, false, false, true, true};

	for (uint8_t v = 0; v < 5; v++) {
		struct offload o = {.ip4 = true, .tcp4 = true, .udp4 = true};
		struct ndis_offload_params p = base();

		p.ip_v4_csum = p.tcp_ip_v4_csum = p.udp_ip_v4_csum = v;
		p.tcp_ip_v6_csum = p.udp_ip_v6_csum = v;
		ck_assert_uint_eq(offload_change(&o, &p, sizeof(p), true), 0);
		ck_assert(o.ip4 == on[v] && o.tcp4 == on[v] && o.udp4 == on[v]);
		ck_assert(o.tcp6 == off[v] && o.udp6 == off[v]);
	}
}
END_TEST

START_TEST(rsc_only_where_it_can_be)
{
	struct ndis_offload_params p = base();
	struct offload o = {0};

	p.rsc_ip_v4 = NDIS_OFFLOAD_PARAMETERS_ON;
	ck_assert_uint_eq(offload_change(&o, &p, sizeof(p), false), 0);
	ck_assert(!o.rsc4 && !o.rsc6);
	ck_assert_uint_eq(offload_change(&o, &p, sizeof(p), true), 0);
	ck_assert(o.rsc4 && !o.rsc6);
	/* a guest that does not know of it leaves it as it is */
	ck_assert_uint_eq(offload_change(&o, &p, 22, true), 0);
	ck_assert(o.rsc4);
	p.rsc_ip_v4 = NDIS_OFFLOAD_PARAMETERS_OFF;
	ck_assert_uint_eq(offload_change(&o, &p, sizeof(p), true), 0);
	ck_assert(!o.rsc4);
}
END_TEST

/* Of a set that is bad in one field nothing is taken. */
START_TEST(all_or_nothing)
{
	static const size_t fields[] = {4, 5, 6, 7, 8, 11, 12, 22, 23};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct ndis_offload_params p = base();
		struct offload o = {0};
		uint8_t bytes[sizeof(p)];

		p.ip_v4_csum = p.tcp_ip_v4_csum = 4;
		memcpy(bytes, &p, sizeof(p));
		bytes[fields[i]] = 9;
		ck_assert_uint_eq(offload_change(&o, bytes, sizeof(p), true),
				  RNDIS_STATUS_INVALID_DATA);
		ck_assert(!o.ip4 && !o.tcp4);
	}
}
END_TEST

START_TEST(capabilities_without_rsc)
{
	struct ndis_offload caps;

	ck_assert_uint_eq(offload_caps(&caps, 0, false), sizeof(caps));
	ck_assert_uint_eq(caps.header.revision, 3);
	ck_assert_uint_eq(caps.rsc_ip4, 0);
	ck_assert_uint_eq(caps.rsc_ip6, 0);
	ck_assert_uint_eq(offload_caps(&caps, 111, true), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/net/offload");
	TCase *t = tcase_create("offload");

	tcase_add_test(t, values_of_a_checksum);
	tcase_add_test(t, rsc_only_where_it_can_be);
	tcase_add_test(t, all_or_nothing);
	tcase_add_test(t, capabilities_without_rsc);
	suite_add_tcase(s, t);
	return check_main(s);
}
