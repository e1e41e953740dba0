/* SPDX-License-Identifier: MIT */
#include "vsp/net/ppi.h"

#include "support/check_main.h"

#include <glib.h>

static uint8_t list[256];

START_TEST(items_are_found_in_any_order)
{
	struct tx_info info;
	uint8_t *at = list;

	at = ppi_put(at, NBL_HASH_VALUE, 1);
	at = ppi_put(at, IEEE_8021Q_INFO, 0x50);
	at = ppi_put(at, 12345, 2);
	at = ppi_put(at, TCPIP_CHKSUM_PKTINFO, 5);
	at = ppi_put(at, RNDIS_PKTINFO_ID, 7);
	at = ppi_put(at, TCP_LARGESEND_PKTINFO, 1460);
	ck_assert_uint_eq((size_t)(at - list), 6 * PPI_BYTES);
	ck_assert(ppi_parse(list, 6 * PPI_BYTES, &info));
	ck_assert(info.has_csum && info.has_lso && info.has_vlan);
	ck_assert_uint_eq(info.csum, 5);
	ck_assert_uint_eq(info.lso, 1460);
	ck_assert_uint_eq(info.vlan, 0x50);
	ck_assert(ppi_parse(list, 0, &info));
	ck_assert(!info.has_csum && !info.has_lso && !info.has_vlan);
}
END_TEST

/* An internal item of a type that means something else otherwise. */
START_TEST(internal_items_are_others)
{
	struct tx_info info;

	ppi_put(list, RNDIS_PPI_INTERNAL | IEEE_8021Q_INFO, 1);
	ck_assert(ppi_parse(list, PPI_BYTES, &info));
	ck_assert(!info.has_vlan);
}
END_TEST

static const struct {
	const char *what;
	uint32_t size, offset, bytes;
	bool good, found;
} items[] = {
	{"as it should be", 16, 12, 16, true, true},
	{"longer than its data", 24, 12, 24, true, true},
	{"data at its end", 24, 20, 24, true, true},
	{"data too short to be looked at", 16, 13, 16, true, false},
	{"no data", 12, 12, 12, true, false},
	{"data over its header", 16, 8, 16, false, false},
	{"data behind it", 16, 17, 16, false, false},
	{"shorter than its header", 8, 12, 16, false, false},
	{"of no length", 0, 12, 16, false, false},
	{"longer than the list", 17, 12, 16, false, false},
	{"far longer", 0xFFFFFFFF, 12, 16, false, false},
	{"the next is cut off", 16, 12, 27, false, false},
};

START_TEST(items_that_are_none)
{
	struct rndis_per_packet_info h = {.size = items[_i].size,
					  .type = IEEE_8021Q_INFO,
					  .ppi_offset = items[_i].offset};
	g_autofree uint8_t *at = g_malloc0(items[_i].bytes);
	struct tx_info info;

	memcpy(at, &h, sizeof(h));
	ck_assert(ppi_parse(at, items[_i].bytes, &info) == items[_i].good);
	if (items[_i].good)
		ck_assert(info.has_vlan == items[_i].found);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/net/ppi");
	TCase *t = tcase_create("ppi");

	tcase_add_test(t, items_are_found_in_any_order);
	tcase_add_test(t, internal_items_are_others);
	tcase_add_loop_test(t, items_that_are_none, 0, G_N_ELEMENTS(items));
	suite_add_tcase(s, t);
	return check_main(s);
}
