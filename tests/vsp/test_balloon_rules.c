/* SPDX-License-Identifier: MIT */
#include "support/balloon_guest.h"

/* --- guests that break the protocol -------------------------------------------------------- */

enum stage {
	FRESH,
	VERSION_DONE,
	READY,
	ASKED, /* for STEP pages; it gave UNIT from FIRST_PFN on */
	OWED, /* it has not answered that it took UNIT pages back */
	MORE, /* it has not answered that it has BLOCK more */
};

#define HDR(type, size) ((type) | (uint64_t)(size) << 16)
#define GIVEN(n)        HDR(DM_BALLOON_RESPONSE, 16 + 8 * (n)), (uint64_t)(n) << 33
#define RANGE(first, n) ((first) | (uint64_t)(n) << 40)

static const struct {
	const char *what;
	enum stage stage;
	uint32_t bytes;
	uint64_t words[6];
} crimes[] = {
	{"nothing", FRESH, 0, {0}},
	{"an error", FRESH, 8, {HDR(DM_ERROR, 8)}},
	{"a version cut off", FRESH, 8, {HDR(DM_VERSION_REQUEST, 8)}},
	{"a version that says more than there is",
	 FRESH,
	 16,
	 {HDR(DM_VERSION_REQUEST, 17), 0x20000}},
	{"a version that says less",
	 FRESH,
	 16,
	 {HDR(DM_VERSION_REQUEST, 15), 0x20000}},
	{"capabilities before a version",
	 FRESH,
	 32,
	 {HDR(DM_CAPABILITIES_REPORT, 32), 1}},
	{"status before a version", FRESH, 48, {HDR(DM_STATUS_REPORT, 48)}},
	{"pages before a version", FRESH, 16, {GIVEN(0)}},
	{"a second version",
	 VERSION_DONE,
	 16,
	 {HDR(DM_VERSION_REQUEST, 16), 0x20000}},
	{"status before capabilities",
	 VERSION_DONE,
	 48,
	 {HDR(DM_STATUS_REPORT, 48)}},
	{"capabilities cut off",
	 VERSION_DONE,
	 24,
	 {HDR(DM_CAPABILITIES_REPORT, 24), 1}},
	{"capabilities again", READY, 32, {HDR(DM_CAPABILITIES_REPORT, 32), 1}},
	{"a version at last",
	 READY,
	 16,
	 {HDR(DM_VERSION_REQUEST, 16), 0x20000}},
	{"status cut off", READY, 40, {HDR(DM_STATUS_REPORT, 40)}},
	{"a message of the host",
	 READY,
	 16,
	 {HDR(DM_BALLOON_REQUEST, 16), 512}},
	{"pages that nobody asked for",
	 READY,
	 24,
	 {GIVEN(1), RANGE(FIRST_PFN, 1)}},
	{"the answer to nothing", READY, 8, {HDR(DM_UNBALLOON_RESPONSE, 8)}},
	{"hot add that nobody asked for",
	 READY,
	 16,
	 {HDR(DM_MEM_HOT_ADD_RESPONSE, 16), 1}},
	{"information", READY, 32, {HDR(DM_INFO_MESSAGE, 32)}},
	{"an unknown type", READY, 16, {HDR(13, 16)}},
	{"the last type", READY, 16, {HDR(0xFFFF, 16)}},
	{"more ranges than there are",
	 ASKED,
	 24,
	 {HDR(DM_BALLOON_RESPONSE, 24), 2ull << 33, RANGE(0x5000, 1)}},
	{"2^31 - 1 ranges",
	 ASKED,
	 24,
	 {HDR(DM_BALLOON_RESPONSE, 24), 0xFFFFFFFEull << 32, RANGE(0x5000, 1)}},
	{"pages that it gave already",
	 ASKED,
	 24,
	 {GIVEN(1), RANGE(FIRST_PFN + UNIT - 1, 1)}},
	{"pages twice",
	 ASKED,
	 32,
	 {GIVEN(2), RANGE(0x5000, 4), RANGE(0x5003, 1)}},
	{"no pages", ASKED, 24, {GIVEN(1), RANGE(0x5000, 0)}},
	{"more pages than it was asked for",
	 ASKED,
	 24,
	 {GIVEN(1), RANGE(0x5000, STEP - UNIT + 1)}},
	{"all pages that can be said",
	 ASKED,
	 24,
	 {GIVEN(1), RANGE(0, DM_RANGE_COUNT_MAX)}},
	{"a page above RAM", ASKED, 24, {GIVEN(1), RANGE(N_PAGES, 1)}},
	{"pages half above RAM", ASKED, 24, {GIVEN(1), RANGE(N_PAGES - 1, 2)}},
	{"the last page that can be said",
	 ASKED,
	 24,
	 {GIVEN(1), RANGE(DM_RANGE_START_MASK, 1)}},
	{"taken back what it is to give",
	 ASKED,
	 8,
	 {HDR(DM_UNBALLOON_RESPONSE, 8)}},
	{"an answer to hot add when it is to give",
	 ASKED,
	 16,
	 {HDR(DM_MEM_HOT_ADD_RESPONSE, 16), 1}},
	{"an answer to hot add cut off",
	 MORE,
	 8,
	 {HDR(DM_MEM_HOT_ADD_RESPONSE, 8)}},
	{"more than was added",
	 MORE,
	 16,
	 {HDR(DM_MEM_HOT_ADD_RESPONSE, 16), 1ull << 32 | (BLOCK / PAGE + 1)}},
	{"all that can be said to be added",
	 MORE,
	 16,
	 {HDR(DM_MEM_HOT_ADD_RESPONSE, 16), UINT64_MAX}},
	{"pages when it is to take more", MORE, 16, {GIVEN(0)}},
	{"pages when it is to take", OWED, 24, {GIVEN(1), RANGE(0x5000, 1)}},
};

static void go_to(enum stage stage)
{
	bool more;

	if (stage == VERSION_DONE)
		is_version(DYNMEM_PROTOCOL_VERSION_WIN10);
	if (stage < READY)
		return;
	connect_driver();
	if (stage == READY)
		return;
	if (stage == MORE) {
		add_memory(BLOCK);
		expect_added(spare_pfn(), BLOCK / PAGE);
		return;
	}
	set_target(64 * MIB);
	ck_assert_uint_eq(asked(), STEP);
	give(FIRST_PFN, 1, UNIT, UNIT, stage == ASKED);
	wait_until(status().ballooned_bytes == 2 * MIB);
	if (stage == ASKED)
		return;
	wait_until(status().limited);
	set_target(0);
	mark(FIRST_PFN, UNIT);
	ck_assert_uint_eq(take(&more), UNIT);
	ck_assert(!more);
}

START_TEST(who_breaks_the_protocol_loses_the_balloon)
{
	go_to(crimes[_i].stage);
	send_raw(crimes[_i].words, crimes[_i].bytes);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	wait_until(!status().ready);
	ck_assert_uint_eq(status().ballooned_bytes, 0);
	ck_assert_int_eq(balloon_set_target(balloon, 0), -ENOTCONN);
}
END_TEST

START_TEST(a_packet_that_is_too_long)
{
	static uint8_t m[4104];
	struct dm_header hdr = {.type = DM_STATUS_REPORT, .size = sizeof(m)};

	connect_driver();
	memcpy(m, &hdr, sizeof(hdr));
	send_raw(m, sizeof(m));
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/balloon_rules");
	TCase *t = tcase_create("balloon_rules");

	log_set_level("error");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, balloon_setup, balloon_teardown);
	tcase_add_loop_test(t, who_breaks_the_protocol_loses_the_balloon, 0,
			    G_N_ELEMENTS(crimes));
	tcase_add_test(t, a_packet_that_is_too_long);
	suite_add_tcase(s, t);
	return check_main(s);
}
