/* SPDX-License-Identifier: MIT */
#include "vsp/ic/shutdown.h"

#include <errno.h>

#include "support/ic_guest.h"

#define LONG (3600 * NSEC_PER_SEC)

static struct ic_shutdown *sd;
static struct ic_result result;

static void sd_setup(void)
{
	struct vsp_params p;

	bus_setup();
	p = ic_params();
	sd = ic_shutdown_new(&p);
	ck_assert_ptr_nonnull(sd);
	ck_assert_ptr_null(ic_shutdown_new(&p));
	ic_shutdown_ops.run(sd, true);
	result.calls = 0;
}

static void sd_teardown(void)
{
	ic_shutdown_ops.free(sd);
	ic_shutdown_free(NULL);
	guest_drop_rings(&guest);
	bus_teardown();
}

static int ask(uint32_t flags, uint64_t timeout_ns)
{
	return ic_shutdown_request(sd, flags, timeout_ns, ic_on_done, &result);
}

static const struct {
	const char *what;
	struct ic_version version;
	uint32_t flags;
	uint32_t status;
	int err;
} rows[] = {
	{"power off", {3, 2}, 0, HV_S_OK, 0},
	{"power off at once", {3, 1}, SHUTDOWN_FORCE, HV_S_OK, 0},
	{"restart", {3, 1}, SHUTDOWN_RESTART, HV_S_OK, 0},
	{"restart, an old kernel", {3, 0}, SHUTDOWN_RESTART, HV_E_FAIL, -EIO},
	{"hibernate", {3, 2}, SHUTDOWN_HIBERNATE | SHUTDOWN_FORCE, HV_S_OK, 0},
	{"hibernate, without S4", {3, 2}, SHUTDOWN_HIBERNATE, HV_E_FAIL, -EIO},
	{"the oldest", {1, 0}, 0, HV_S_OK, 0},
};

START_TEST(requests)
{
	struct shutdown_msg_data m;

	ic_start(rows[_i].version.major, rows[_i].version.minor);
	ck_assert_int_eq(ask(rows[_i].flags, LONG), 0);
	memcpy(&m, ic_expect(ICMSGTYPE_SHUTDOWN, sizeof(m)), sizeof(m));
	ck_assert_uint_eq(m.flags, rows[_i].flags);
	ck_assert_uint_eq(m.reason_code, SHTDN_REASON_FLAG_PLANNED);
	ck_assert_uint_eq(m.timeout_seconds, 0);
	ic_answer(rows[_i].status);
	ic_expect_result(&result, rows[_i].err);
	ck_assert_uint_eq(ic_number(&ic_shutdown_ops, sd, "accepted"),
			  !rows[_i].err);
	ck_assert_uint_eq(ic_number(&ic_shutdown_ops, sd, "refused"),
			  rows[_i].err != 0);
}
END_TEST

START_TEST(flags_that_nobody_knows)
{
	ck_assert_int_eq(ask(8, LONG), -EINVAL);
	ck_assert_int_eq(ask(SHUTDOWN_RESTART | SHUTDOWN_HIBERNATE, LONG),
			 -EINVAL);
	ck_assert_uint_eq(result.calls, 0);
}
END_TEST

START_TEST(no_driver)
{
	ck_assert_int_eq(ask(0, LONG), 0);
	ic_expect_result(&result, -ENOTCONN);
}
END_TEST

START_TEST(no_answer)
{
	ic_start(3, 2);
	ck_assert_int_eq(ask(0, NSEC_PER_MSEC), 0);
	ic_expect_result(&result, -ETIMEDOUT);
}
END_TEST

/* The guest is gone before its answer is read: it went, all the same. */
START_TEST(closes_instead)
{
	ic_start(3, 2);
	ck_assert_int_eq(ask(0, LONG), 0);
	ic_expect(ICMSGTYPE_SHUTDOWN, sizeof(struct shutdown_msg_data));
	guest_close(&guest);
	ic_expect_result(&result, -ECONNRESET);
}
END_TEST

START_TEST(too_many)
{
	struct ic_result many[IC_REQUESTS_MAX] = {0};

	ic_start(3, 2);
	for (unsigned int i = 0; i < IC_REQUESTS_MAX; i++)
		ck_assert_int_eq(
			ic_shutdown_request(sd, 0, LONG, ic_on_done, &many[i]),
			0);
	ck_assert_int_eq(ask(0, LONG), -EBUSY);
	ck_assert_uint_eq(result.calls, 0);
	guest_close(&guest);
	for (unsigned int i = 0; i < IC_REQUESTS_MAX; i++)
		ic_expect_result(&many[i], -ECONNRESET);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/ic/shutdown");
	TCase *t = tcase_create("shutdown");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, sd_setup, sd_teardown);
	tcase_add_loop_test(t, requests, 0, G_N_ELEMENTS(rows));
	tcase_add_test(t, flags_that_nobody_knows);
	tcase_add_test(t, no_driver);
	tcase_add_test(t, no_answer);
	tcase_add_test(t, closes_instead);
	tcase_add_test(t, too_many);
	suite_add_tcase(s, t);
	return check_main(s);
}
