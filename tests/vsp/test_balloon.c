/* SPDX-License-Identifier: MIT */
#include "support/balloon_guest.h"

/* --- versions ------------------------------------------------------------------------ */

static const struct {
	uint32_t host, version;
	bool ok;
} versions[] = {
	{VERSION_WIN8, DYNMEM_PROTOCOL_VERSION_WIN7, true},
	{VERSION_WIN8, DYNMEM_PROTOCOL_VERSION_WIN8, true},
	{VERSION_WIN8, DYNMEM_PROTOCOL_VERSION_WIN10, false},
	{VERSION_WIN8_1, DYNMEM_PROTOCOL_VERSION_WIN10, false},
	{VERSION_WIN10, DYNMEM_PROTOCOL_VERSION_WIN7, true},
	{VERSION_WIN10, DYNMEM_PROTOCOL_VERSION_WIN8, true},
	{VERSION_WIN10, DYNMEM_PROTOCOL_VERSION_WIN10, true},
	{VERSION_WIN10, 0, false},
	{VERSION_WIN10, 0x00000002, false},
	{VERSION_WIN10, 0x00010001, false},
	{VERSION_WIN10, 0x00030000, false},
	{VERSION_WIN10, ~0u, false},
};

START_TEST(version)
{
	uint32_t v = versions[_i].version;

	start(versions[_i].host);
	ck_assert(is_version(v) == versions[_i].ok);
	if (!versions[_i].ok) {
		/* The guest tries an older one. */
		ck_assert(is_version(DYNMEM_PROTOCOL_VERSION_WIN8));
		v = DYNMEM_PROTOCOL_VERSION_WIN8;
	}
	report_capabilities(DM_CAPS_BALLOON, v >= DYNMEM_PROTOCOL_VERSION_WIN8);
	wait_until(readies == 1);
	ck_assert_uint_eq(status().version, v);
	ck_assert(status().can_balloon);
	balloon_teardown();
}
END_TEST

/* --- pages ------------------------------------------------------------------------------ */

START_TEST(pages_go_and_come_back)
{
	static const char zeros[8];
	char text[8];

	gmem_write(mem, FIRST_PFN * PAGE, "pattern", 8);
	gmem_write(mem, (FIRST_PFN + 2 * STEP) * PAGE - 8, "pattern", 8);
	gmem_write(mem, (FIRST_PFN + 2 * STEP) * PAGE, "outside", 8);
	connect_driver();
	set_target(128 * MIB + 5);
	ck_assert_uint_eq(status().target_bytes, 128 * MIB);
	give_all(FIRST_PFN, 2 * STEP);
	wait_until(status().ballooned_bytes == 128 * MIB);
	wait_until(!status().busy);
	gmem_read(mem, FIRST_PFN * PAGE, text, 8);
	ck_assert_mem_eq(text, zeros, 8);
	gmem_read(mem, (FIRST_PFN + 2 * STEP) * PAGE - 8, text, 8);
	ck_assert_mem_eq(text, zeros, 8);
	gmem_read(mem, (FIRST_PFN + 2 * STEP) * PAGE, text, 8);
	ck_assert_mem_eq(text, "outside", 8);
	ck_assert(!status().limited);
	expect_quiet();

	mark(FIRST_PFN, 2 * STEP);
	set_target(0);
	take_all(2 * STEP);
	wait_until(!status().busy);
	ck_assert_uint_eq(status().ballooned_bytes, 0);
	expect_quiet();
}
END_TEST

START_TEST(a_guest_that_gives_less)
{
	connect_driver();
	set_target(32 * MIB);
	ck_assert_uint_eq(asked(), 16 * UNIT);
	give(FIRST_PFN, 3, UNIT, UNIT, true);
	give(FIRST_PFN + 3 * UNIT, 7, 1, 2, true);
	give(0, 0, 0, 0, false);
	wait_until(status().limited);
	wait_until(!status().busy);
	ck_assert_uint_eq(status().ballooned_bytes, (3 * UNIT + 7) * PAGE);
	expect_quiet();
	/* Asked anew: for what is missing, in whole units. */
	set_target(32 * MIB);
	ck_assert_uint_eq(asked(), 12 * UNIT);
	ck_assert(!status().limited);
	give(0, 0, 0, 0, false);
	wait_until(status().limited);
	/* What it gave it gets back. */
	mark(FIRST_PFN, 3 * UNIT);
	for (unsigned int i = 0; i < 7; i++)
		pages[FIRST_PFN + 3 * UNIT + 2 * i] = true;
	set_target(0);
	take_all(3 * UNIT + 7);
	wait_until(!status().busy);
}
END_TEST

START_TEST(targets_change_while_it_works)
{
	uint32_t n;

	connect_driver();
	set_target(128 * MIB);
	n = asked();
	/* The one that it was asked for, then what it has too much. */
	set_target(2 * MIB);
	expect_quiet();
	give(FIRST_PFN, n / UNIT, UNIT, UNIT, false);
	mark(FIRST_PFN, n);
	take_all(n - UNIT);
	wait_until(!status().busy);
	ck_assert_uint_eq(status().ballooned_bytes, 2 * MIB);
	set_target(2 * MIB);
	expect_quiet();
}
END_TEST

/* So scattered that what goes back needs more messages than the ring holds. */
START_TEST(every_other_page)
{
	uint32_t n, at = FIRST_PFN;

	connect_driver();
	set_target(64 * MIB);
	n = asked();
	ck_assert_uint_eq(n, STEP);
	for (uint32_t i = 0; i < n; i += 256, at += 512)
		give(at, 256, 1, 2, i + 256 < n);
	wait_until(status().ballooned_bytes == 64 * MIB);
	for (uint32_t i = 0; i < n; i++)
		pages[FIRST_PFN + 2 * i] = true;
	set_target(0);
	take_all(n);
	wait_until(!status().busy);
	ck_assert_uint_eq(status().ballooned_bytes, 0);
}
END_TEST

START_TEST(targets_that_cannot_be)
{
	ck_assert_int_eq(balloon_set_target(balloon, 0), -ENOTCONN);
	ck_assert(is_version(DYNMEM_PROTOCOL_VERSION_WIN10));
	ck_assert_int_eq(balloon_set_target(balloon, 2 * MIB), -ENOTCONN);
	report_capabilities(DM_CAPS_HOT_ADD, true);
	ck_assert_int_eq(balloon_set_target(balloon, 2 * MIB), -EOPNOTSUPP);
	ck_assert_int_eq(balloon_set_target(balloon, RAM_BYTES + 1), -EINVAL);
	ck_assert_int_eq(balloon_set_target(balloon, UINT64_MAX), -EINVAL);
	expect_quiet();
}
END_TEST

START_TEST(a_new_driver_begins_with_nothing)
{
	connect_driver();
	set_target(4 * MIB);
	give_all(FIRST_PFN, 2 * UNIT);
	wait_until(!status().busy);
	guest_close(&guest);
	ck_assert(!status().ready);
	ck_assert_uint_eq(status().ballooned_bytes, 0);
	ck_assert_uint_eq(status().target_bytes, 0);
	ck_assert_int_eq(balloon_set_target(balloon, 0), -ENOTCONN);
	guest_open(&guest, &offer);
	connect_driver();
	expect_quiet();
	/* The same pages: they are the guest's. */
	set_target(2 * MIB);
	give_all(FIRST_PFN, UNIT);
	wait_until(status().ballooned_bytes == 2 * MIB);
	wait_until(readies == 2);
}
END_TEST

START_TEST(close_while_it_works)
{
	connect_driver();
	set_target(64 * MIB);
	give(FIRST_PFN, 1, UNIT, UNIT, _i);
	if (!_i) {
		wait_until(status().limited);
		set_target(0);
		wait_until(status().busy);
	}
	guest_close(&guest);
	ck_assert(!status().busy);
	guest_open(&guest, &offer);
	connect_driver();
	expect_quiet();
}
END_TEST

/* --- status ---------------------------------------------------------------------------- */

START_TEST(status_reports)
{
	struct dm_status m = {.num_avail = 10, .num_committed = 20};

	connect_driver();
	send_message(&m, DM_STATUS_REPORT);
	wait_until(status().reports == 1);
	ck_assert_uint_eq(status().available_bytes, 10 * PAGE);
	ck_assert_uint_eq(status().committed_bytes, 20 * PAGE);
	m.num_avail = UINT64_MAX;
	m.num_committed = UINT64_MAX / PAGE;
	send_message(&m, DM_STATUS_REPORT);
	wait_until(status().reports == 2);
	ck_assert_uint_eq(status().available_bytes, UINT64_MAX);
	ck_assert_uint_eq(status().committed_bytes, UINT64_MAX - PAGE + 1);
}
END_TEST

static void on_number(void *ctx, const char *key, uint64_t value)
{
	g_string_append_printf(ctx, "%s=%lu ", key, value);
}

static void on_text(void *ctx, const char *key, const char *value)
{
	g_string_append_printf(ctx, "%s=%s ", key, value);
}

START_TEST(what_the_report_says)
{
	struct vsp_facts to = {.number = on_number,
			       .text = on_text,
			       .ctx = g_string_new(NULL)};
	GString *s = to.ctx;

	ck_assert_str_eq(channel_name(balloon_ops.channel(balloon)), "balloon");
	connect_driver();
	balloon_ops.facts(balloon, &to);
	ck_assert_str_eq(s->str,
			 "ready=1 version=2.0 can_balloon=1 busy=0 limited=0 "
			 "target_bytes=0 ballooned_bytes=0 available_bytes=0 "
			 "committed_bytes=0 reports=0 can_add=1 add_limited=0 "
			 "add_target_bytes=0 added_bytes=0 "
			 "add_room_bytes=402653184 ");
	g_string_free(s, true);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/balloon");
	TCase *t = tcase_create("versions");

	log_set_level("error");
	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, version, 0, G_N_ELEMENTS(versions));
	suite_add_tcase(s, t);
	t = tcase_create("balloon");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, balloon_setup, balloon_teardown);
	tcase_add_test(t, pages_go_and_come_back);
	tcase_add_test(t, a_guest_that_gives_less);
	tcase_add_test(t, targets_change_while_it_works);
	tcase_add_test(t, every_other_page);
	tcase_add_test(t, targets_that_cannot_be);
	tcase_add_test(t, a_new_driver_begins_with_nothing);
	tcase_add_loop_test(t, close_while_it_works, 0, 2);
	tcase_add_test(t, status_reports);
	tcase_add_test(t, what_the_report_says);
	suite_add_tcase(s, t);
	return check_main(s);
}
