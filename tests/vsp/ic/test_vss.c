/* SPDX-License-Identifier: MIT */
#include "vsp/ic/vss.h"

#include <errno.h>

#include "support/ic_guest.h"

#define LONG (3600 * NSEC_PER_SEC)
#define MSEC NSEC_PER_MSEC

static struct ic_vss *vss;
static struct ic_result result, other;

static void vss_setup(void)
{
	struct vsp_params p;

	bus_setup();
	p = ic_params();
	vss = ic_vss_new(&p, MSEC);
	ck_assert_ptr_nonnull(vss);
	ck_assert_ptr_null(ic_vss_new(&p, 0));
	ic_vss_ops.run(vss, true);
	result.calls = other.calls = 0;
}

static void vss_teardown(void)
{
	ic_vss_ops.free(vss);
	ic_vss_free(NULL);
	guest_drop_rings(&guest);
	bus_teardown();
}

static uint64_t number(const char *key)
{
	return ic_number(&ic_vss_ops, vss, key);
}

static int freeze(uint64_t hold_ns, uint64_t timeout_ns)
{
	return ic_vss_freeze(vss, hold_ns, timeout_ns, ic_on_done, &result);
}

static int thaw(uint64_t timeout_ns)
{
	return ic_vss_thaw(vss, timeout_ns, ic_on_done, &other);
}

static void expect_operation(uint8_t operation)
{
	struct hv_vss_msg m;

	memcpy(&m, ic_expect(ICMSGTYPE_VSS, sizeof(m)), sizeof(m));
	ck_assert_uint_eq(m.operation, operation);
	ck_assert_uint_eq(m.flags, 0);
}

/* Freeze for @hold_ns; it is done. */
static void frozen(uint64_t hold_ns)
{
	ic_start(5, 0);
	ck_assert_int_eq(freeze(hold_ns, LONG), 0);
	expect_operation(VSS_OP_FREEZE);
	ic_answer(HV_S_OK);
	ic_expect_result(&result, 0);
}

START_TEST(freeze_and_thaw)
{
	frozen(0);
	ck_assert(ic_vss_is_frozen(vss));
	ck_assert_uint_eq(number("frozen"), 1);
	ck_assert_int_eq(freeze(0, LONG), -EALREADY);
	ck_assert_int_eq(thaw(LONG), 0);
	expect_operation(VSS_OP_THAW);
	ck_assert_int_eq(thaw(LONG), -EALREADY);
	ck_assert_int_eq(freeze(0, LONG), -EBUSY);
	ic_answer(HV_S_OK);
	ic_expect_result(&other, 0);
	ck_assert(!ic_vss_is_frozen(vss));
	ck_assert_int_eq(thaw(LONG), -EALREADY);
	ck_assert_uint_eq(number("freezes"), 1);
	ck_assert_uint_eq(number("thaws"), 1);
	ck_assert_uint_eq(number("thaws_of_ours"), 0);
}
END_TEST

START_TEST(not_while_it_freezes)
{
	ic_start(5, 0);
	ck_assert_int_eq(freeze(0, LONG), 0);
	expect_operation(VSS_OP_FREEZE);
	ck_assert_int_eq(thaw(LONG), -EBUSY);
	ck_assert_int_eq(freeze(0, LONG), -EALREADY);
	ic_answer(HV_S_OK);
	ic_expect_result(&result, 0);
}
END_TEST

START_TEST(thawed_when_nobody_does)
{
	frozen(MSEC);
	expect_operation(VSS_OP_THAW);
	ic_answer(HV_S_OK);
	wait_until(!ic_vss_is_frozen(vss));
	ck_assert_uint_eq(number("thaws_of_ours"), 1);
	/* And it can be done again. */
	result.calls = 0;
	ck_assert_int_eq(freeze(0, LONG), 0);
	expect_operation(VSS_OP_FREEZE);
	ic_answer(HV_S_OK);
	ic_expect_result(&result, 0);
}
END_TEST

/* A part of the file systems may be frozen. */
START_TEST(thawed_after_a_freeze_that_failed)
{
	ic_start(5, 0);
	ck_assert_int_eq(freeze(0, LONG), 0);
	expect_operation(VSS_OP_FREEZE);
	ic_answer(HV_E_FAIL);
	ic_expect_result(&result, -EIO);
	expect_operation(VSS_OP_THAW);
	ic_answer(HV_E_FAIL);
	wait_until(!ic_vss_is_frozen(vss));
	ck_assert_uint_eq(number("failures"), 1);
}
END_TEST

START_TEST(thawed_after_a_freeze_that_took_too_long)
{
	ic_start(5, 0);
	ck_assert_int_eq(freeze(0, IC_PATIENCE), 0);
	expect_operation(VSS_OP_FREEZE);
	ic_expect_result(&result, -ETIMEDOUT);
	/* Now it has done it after all. */
	ic_answer(HV_S_OK);
	expect_operation(VSS_OP_THAW);
	ic_answer(HV_S_OK);
	wait_until(!ic_vss_is_frozen(vss));
}
END_TEST

START_TEST(thaw_takes_too_long)
{
	frozen(0);
	ck_assert_int_eq(thaw(IC_PATIENCE), 0);
	expect_operation(VSS_OP_THAW);
	ic_expect_result(&other, -ETIMEDOUT);
	ic_answer(HV_S_OK);
	/* It was not known that it would be: once more. */
	expect_operation(VSS_OP_THAW);
	ic_answer(HV_E_FAIL);
	wait_until(!ic_vss_is_frozen(vss));
}
END_TEST

START_TEST(thaw_fails)
{
	frozen(0);
	ck_assert_int_eq(thaw(LONG), 0);
	expect_operation(VSS_OP_THAW);
	ic_answer(HV_E_FAIL);
	ic_expect_result(&other, -EIO);
	ck_assert(!ic_vss_is_frozen(vss));
	ck_assert_uint_eq(number("failures"), 1);
}
END_TEST

START_TEST(closed_while_frozen)
{
	frozen(0);
	guest_close(&guest);
	wait_until(!ic_vss_is_frozen(vss));
	result.calls = 0;
	ck_assert_int_eq(freeze(0, LONG), 0);
	ic_expect_result(&result, -ENOTCONN);
	ck_assert(!ic_vss_is_frozen(vss));
	ck_assert_int_eq(thaw(LONG), -EALREADY);
}
END_TEST

START_TEST(closed_while_freezing)
{
	ic_start(5, 0);
	ck_assert_int_eq(freeze(0, LONG), 0);
	expect_operation(VSS_OP_FREEZE);
	guest_close(&guest);
	ic_expect_result(&result, -ECONNRESET);
	ck_assert(!ic_vss_is_frozen(vss));
	guest_open(&guest, &offer);
	ic_choose(&(struct ic_version){5, 0}, 1);
	result.calls = 0;
	ck_assert_int_eq(freeze(0, LONG), 0);
	expect_operation(VSS_OP_FREEZE);
	ic_answer(HV_S_OK);
	ic_expect_result(&result, 0);
}
END_TEST

START_TEST(check)
{
	ic_start(5, 0);
	ck_assert_int_eq(ic_vss_check(vss, LONG, ic_on_done, &result), 0);
	expect_operation(VSS_OP_HOT_BACKUP);
	ic_answer(HV_S_OK);
	ic_expect_result(&result, 0);
	result.calls = 0;
	/* hv_snapshot.c, without a daemon */
	ck_assert_int_eq(ic_vss_check(vss, LONG, ic_on_done, &result), 0);
	expect_operation(VSS_OP_HOT_BACKUP);
	ic_answer(HV_E_FAIL);
	ic_expect_result(&result, -EIO);
}
END_TEST

START_TEST(a_guest_without_freeze)
{
	ic_open();
	ck_assert_uint_eq(ic_choose(&(struct ic_version){4, 0}, 1).major, 0);
	ck_assert_int_eq(freeze(0, LONG), 0);
	ic_expect_result(&result, -EPROTONOSUPPORT);
	ck_assert(!ic_vss_is_frozen(vss));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/ic/vss");
	TCase *t = tcase_create("vss");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, vss_setup, vss_teardown);
	tcase_add_test(t, freeze_and_thaw);
	tcase_add_test(t, not_while_it_freezes);
	tcase_add_test(t, thawed_when_nobody_does);
	tcase_add_test(t, thawed_after_a_freeze_that_failed);
	tcase_add_test(t, thawed_after_a_freeze_that_took_too_long);
	tcase_add_test(t, thaw_takes_too_long);
	tcase_add_test(t, thaw_fails);
	tcase_add_test(t, closed_while_frozen);
	tcase_add_test(t, closed_while_freezing);
	tcase_add_test(t, check);
	tcase_add_test(t, a_guest_without_freeze);
	suite_add_tcase(s, t);
	return check_main(s);
}
