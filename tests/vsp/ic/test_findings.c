/* SPDX-License-Identifier: MIT */
/* Rules about the answers of integration components' drivers. */
#include "vsp/ic/ic.h"

#include "support/ic_guest.h"

#include "support/finding_cases.h"

#define BODY 8u

static struct ic *ic;
static _Atomic unsigned int n_replies;

static const struct ic_version_row versions[] = {{{3, 0}, 0}};

static const struct ic_service service = {
	.if_type = HV_HEART_BEAT_GUID,
	.type = ICMSGTYPE_HEARTBEAT,
	.max_body = 16,
	.versions = versions,
	.n_versions = G_N_ELEMENTS(versions),
};

static void start(void)
{
	struct vsp_params p;

	bus_setup();
	p = ic_params();
	ic = ic_new(&p, &service, &ic, NULL, 0);
	ck_assert_int_eq(ic_offer(ic), 0);
}

static void end(void)
{
	ic_free(ic);
	guest_drop_rings(&guest);
	bus_teardown();
}

static int on_reply(void *ctx, const struct ic_reply *reply)
{
	(void)ctx;
	(void)reply;
	n_replies++;
	return 0;
}

static void request(uint64_t timeout_ns)
{
	static const uint8_t body[BODY];

	n_replies = 0;
	ck_assert_int_eq(
		ic_request(ic, body, sizeof(body), timeout_ns, on_reply, NULL),
		0);
}

/* Also one that is late, and one that could not be done. */
static void answer(void)
{
	ic_start(3, 0);
	request(0);
	ic_expect(ICMSGTYPE_HEARTBEAT, BODY);
	ic_answer(HV_E_FAIL);
	wait_until(n_replies);
	/* Time enough for it to be sent also where much else runs. */
	request(NSEC_PER_SEC / 5);
	ic_get();
	wait_until(n_replies);
	ic_answer(HV_S_OK);
	request(0);
	ic_expect(ICMSGTYPE_HEARTBEAT, BODY);
	ic_answer(HV_S_OK);
	wait_until(n_replies);
}

static void answer_again(void)
{
	ic_put();
	wait_until(findings_total());
}

/* One that knows none of the versions says so. */
static void know_none(void)
{
	const struct ic_version v = {77, 0};

	ic_open();
	ic_choose(&v, 1);
	guest_close(&guest);
	guest_open(&guest, &offer);
}

static void choose_another(void)
{
	const struct ic_version framework = {3, 0}, v = {77, 0};

	ic_get();
	ic_put_choice(1, framework, v);
	wait_until(findings_total());
}

static const struct finding_case cases[] = {
	{FINDING_COMPONENT_ANSWER, "ic", answer, answer_again},
	{FINDING_COMPONENT_ANSWER, "ic", know_none, choose_another},
};

START_TEST(rules_of_components)
{
	finding_run(&cases[_i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ic findings");
	TCase *tc = tcase_create("findings");

	log_set_level("error");
	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, start, end);
	tcase_add_loop_test(tc, rules_of_components, 0, G_N_ELEMENTS(cases));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
