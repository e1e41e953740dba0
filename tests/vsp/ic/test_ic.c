/* SPDX-License-Identifier: MIT */
/*
 * A component whose bodies are eight bytes, and a scripted guest.
 */
#include "vsp/ic/ic.h"

#include <errno.h>

#include "support/ic_guest.h"
#include "vsp/vmbus/worker.h"

#define BODY 8u
#define LONG (3600 * NSEC_PER_SEC)
#define MSEC NSEC_PER_MSEC

static struct ic *ic;
static _Atomic unsigned int n_ready, n_ticks, n_resumed, n_closed;
static _Atomic uint32_t version; /* that ready() was told */

static void on_ready(void *ctx, struct ic_version v)
{
	ck_assert_ptr_eq(ctx, &ic);
	version = (uint32_t)v.major << 16 | v.minor;
	n_ready++;
}

static void on_tick(void *ctx)
{
	(void)ctx;
	n_ticks++;
}

static void on_resumed(void *ctx)
{
	(void)ctx;
	n_resumed++;
}

static void on_closed(void *ctx)
{
	(void)ctx;
	n_closed++;
}

static const struct ic_version_row versions[] = {
	{{1, 0}, 0},
	{{3, 0}, 0},
	{{4, 0}, VERSION_WIN10},
	{{5, 1}, VERSION_WIN10_V5},
};

static const struct ic_service service = {
	.if_type = HV_HEART_BEAT_GUID,
	.type = ICMSGTYPE_HEARTBEAT,
	.max_body = 16,
	.versions = versions,
	.n_versions = G_N_ELEMENTS(versions),
	.ready = on_ready,
	.tick = on_tick,
	.resumed = on_resumed,
	.closed = on_closed,
};

static void make(uint32_t host_version, uint64_t tick_ns)
{
	struct vsp_params p = ic_params();

	p.host_version = host_version;
	ic = ic_new(&p, &service, &ic, NULL, tick_ns);
	ck_assert_int_eq(ic_offer(ic), 0);
}

static void bare_setup(void)
{
	bus_setup();
	n_ready = n_ticks = n_resumed = n_closed = readies = 0;
}

static void ic_setup(void)
{
	bare_setup();
	make(VERSION_WIN10_V6_0, 0);
}

static void ic_teardown(void)
{
	ic_free(ic);
	ic_free(NULL);
	ic = NULL;
	guest_drop_rings(&guest);
	bus_teardown();
}

static uint64_t fact(const char *key)
{
	static struct vsp_ops ops;

	ops.facts = (void (*)(void *, const struct vsp_facts *))ic_facts;
	return ic_number(&ops, ic, key);
}

/* --- requests --------------------------------------------------------------- */

struct result {
	_Atomic unsigned int calls;
	int err;
	uint32_t status;
	uint64_t body;
	uint32_t bytes;
	int ret; /* for the core */
};

static int on_reply(void *ctx, const struct ic_reply *reply)
{
	struct result *r = ctx;
	int ret = r->ret;

	r->err = reply->err;
	if (!reply->err) {
		r->status = reply->status;
		r->bytes = reply->bytes;
		memcpy(&r->body, reply->body, sizeof(r->body));
	}
	/* The last look at it: who waits for this may be done with it. */
	r->calls++;
	return ret;
}

static int ask(uint64_t body, uint64_t timeout_ns, struct result *r)
{
	return ic_request(ic, &body, sizeof(body), timeout_ns, on_reply, r);
}

static void expect_error(const struct result *r, int err)
{
	wait_until(r->calls);
	ck_assert_int_eq(r->err, err);
	ck_assert_uint_eq(r->calls, 1);
}

static void expect_answer(const struct result *r, uint64_t body)
{
	wait_until(r->calls);
	ck_assert_int_eq(r->err, 0);
	ck_assert_uint_eq(r->body, body);
	ck_assert_uint_eq(r->calls, 1);
}

/* The guest gets @body. */
static void expect_request(uint64_t body)
{
	uint64_t got;

	memcpy(&got, ic_expect(ICMSGTYPE_HEARTBEAT, BODY), sizeof(got));
	ck_assert_uint_eq(got, body);
}

static void nothing(void *ctx)
{
	(void)ctx;
}

/* Whatever was queued has run. */
static void settle(void)
{
	for (unsigned int i = 0; i < 10; i++)
		worker_call(channel_worker(ic_channel(ic)), nothing, NULL);
}

START_TEST(ask_and_answer)
{
	struct result r = {0};

	ic_start(5, 1);
	for (uint64_t i = 1; i <= 300; i++) {
		r = (struct result){0};
		ck_assert_int_eq(ask(i, LONG, &r), 0);
		expect_request(i);
		ck_assert_uint_eq(msg.h.icvermsg.major, 5);
		ck_assert_uint_eq(msg.h.icvermsg.minor, 1);
		ck_assert_uint_eq(msg.h.icverframe.major, 3);
		msg.body[1] = 1;
		ic_answer(HV_ERROR_DISK_FULL);
		expect_answer(&r, i | 0x100);
		ck_assert_uint_eq(r.status, HV_ERROR_DISK_FULL);
		ck_assert_uint_eq(r.bytes, BODY);
	}
	ck_assert_uint_eq(fact("requests"), 300);
	ck_assert_uint_eq(fact("replies"), 300);
	ck_assert_uint_eq(fact("strays"), 0);
}
END_TEST

START_TEST(one_at_a_time_in_order)
{
	struct result r[5] = {0};
	struct channel_stats stats;

	ic_start(3, 0);
	for (unsigned int i = 0; i < 5; i++)
		ck_assert_int_eq(ask(100 + i, LONG, &r[i]), 0);
	for (unsigned int i = 0; i < 5; i++) {
		expect_request(100 + i);
		settle();
		/* The negotiation, and one for each that was answered. */
		channel_get_stats(ic_channel(ic), &stats);
		ck_assert_uint_eq(stats.packets_out, 2 + i);
		ic_answer(HV_S_OK);
		expect_answer(&r[i], 100 + i);
	}
}
END_TEST

START_TEST(nobody_is_there)
{
	struct result r = {0};

	ck_assert_int_eq(ask(1, LONG, &r), 0);
	expect_error(&r, -ENOTCONN);
}
END_TEST

START_TEST(requests_wait_for_the_negotiation)
{
	const struct ic_version v = {3, 0};
	struct result r = {0};

	ic_open();
	ck_assert_int_eq(ask(7, LONG, &r), 0);
	settle();
	ck_assert_uint_eq(r.calls, 0);
	ic_choose(&v, 1);
	expect_request(7);
	ic_answer(HV_S_OK);
	expect_answer(&r, 7);
}
END_TEST

/* A daemon that does not run: not even the negotiation is answered. */
START_TEST(a_guest_that_never_answers)
{
	struct result r[3] = {0};

	ic_open();
	for (unsigned int i = 0; i < 3; i++)
		ck_assert_int_eq(ask(i, (3 - i) * MSEC, &r[i]), 0);
	for (unsigned int i = 0; i < 3; i++)
		expect_error(&r[i], -ETIMEDOUT);
	ck_assert_uint_eq(fact("timeouts"), 3);
	ck_assert_uint_eq(fact("requests"), 0);
}
END_TEST

START_TEST(an_answer_that_comes_too_late)
{
	struct result late = {0}, waiting = {0}, next = {0};
	struct channel_stats stats;

	ic_start(3, 0);
	ck_assert_int_eq(ask(1, IC_PATIENCE, &late), 0);
	expect_request(1);
	expect_error(&late, -ETIMEDOUT);
	/* The guest still has it: nothing else is sent. */
	ck_assert_int_eq(ask(2, MSEC, &waiting), 0);
	expect_error(&waiting, -ETIMEDOUT);
	ck_assert_int_eq(ask(3, LONG, &next), 0);
	settle();
	channel_get_stats(ic_channel(ic), &stats);
	ck_assert_uint_eq(stats.packets_out, 2);
	ic_answer(HV_S_OK);
	expect_request(3);
	ic_answer(HV_S_OK);
	expect_answer(&next, 3);
	ck_assert_uint_eq(late.calls, 1);
	ck_assert_uint_eq(fact("timeouts"), 2);
}
END_TEST

START_TEST(no_more_than_so_many)
{
	static struct result r[IC_REQUESTS_MAX];
	struct result more = {0};

	memset(r, 0, sizeof(r));
	ic_start(3, 0);
	for (unsigned int i = 0; i < IC_REQUESTS_MAX; i++)
		ck_assert_int_eq(ask(i, LONG, &r[i]), 0);
	ck_assert_int_eq(ask(0, LONG, &more), -EBUSY);
	expect_request(0);
	ic_answer(HV_S_OK);
	expect_answer(&r[0], 0);
	ck_assert_int_eq(ask(64, LONG, &more), 0);
	for (unsigned int i = 1; i <= IC_REQUESTS_MAX; i++) {
		expect_request(i);
		ic_answer(HV_S_OK);
	}
	expect_answer(&more, 64);
}
END_TEST

START_TEST(longer_than_the_service_says)
{
	uint8_t body[17] = {0};

	ck_assert_int_eq(ic_request(ic, body, sizeof(body), 0, on_reply, NULL),
			 -EMSGSIZE);
}
END_TEST

START_TEST(the_guest_closes)
{
	struct result sent = {0}, waiting = {0}, after = {0};

	ic_start(3, 0);
	ck_assert_int_eq(ask(1, LONG, &sent), 0);
	ck_assert_int_eq(ask(2, LONG, &waiting), 0);
	expect_request(1);
	guest_close(&guest);
	expect_error(&sent, -ECONNRESET);
	expect_error(&waiting, -ECONNRESET);
	wait_until(n_closed == 1);
	ck_assert_int_eq(ask(3, LONG, &after), 0);
	expect_error(&after, -ENOTCONN);
	/* It comes again, with another version. */
	guest_open(&guest, &offer);
	ic_choose(&(struct ic_version){1, 0}, 1);
	wait_until(n_ready == 2);
	ck_assert_uint_eq(version, 1 << 16);
	after = (struct result){0};
	ck_assert_int_eq(ask(4, LONG, &after), 0);
	expect_request(4);
	ic_answer(HV_S_OK);
	expect_answer(&after, 4);
}
END_TEST

START_TEST(freed_with_requests_under_way)
{
	struct result sent = {0}, waiting = {0};

	ic_start(3, 0);
	ck_assert_int_eq(ask(1, LONG, &sent), 0);
	ck_assert_int_eq(ask(2, 0, &waiting), 0);
	expect_request(1);
	ic_free(ic);
	ic = NULL;
	ck_assert_uint_eq(sent.calls, 1);
	ck_assert_uint_eq(waiting.calls, 1);
	ck_assert_int_ne(sent.err, 0);
	ck_assert_int_ne(waiting.err, 0);
}
END_TEST

/* --- negotiation ------------------------------------------------------------- */

static const struct {
	const char *what;
	uint32_t host;
	struct ic_version knows[4]; /* newest first, as Linux has them */
	struct ic_version takes;
} choices[] = {
	{"both are new",
	 VERSION_WIN10_V6_0,
	 {{5, 1}, {4, 0}, {3, 0}, {1, 0}},
	 {5, 1}},
	{"an old kernel", VERSION_WIN10_V6_0, {{3, 0}, {1, 0}}, {3, 0}},
	{"the oldest", VERSION_WIN10_V6_0, {{1, 0}}, {1, 0}},
	{"an old host", VERSION_WIN8, {{5, 1}, {4, 0}, {3, 0}, {1, 0}}, {3, 0}},
	{"in between", VERSION_WIN10, {{5, 1}, {4, 0}, {3, 0}}, {4, 0}},
};

START_TEST(the_newest_that_both_know)
{
	struct ic_version v;

	make(choices[_i].host, 0);
	ic_open();
	v = ic_choose(choices[_i].knows, 4);
	ck_assert_msg(v.major == choices[_i].takes.major &&
			      v.minor == choices[_i].takes.minor,
		      "%s: %u.%u", choices[_i].what, v.major, v.minor);
	wait_until(n_ready == 1 && readies == 1);
	ck_assert_uint_eq(version, (uint32_t)v.major << 16 | v.minor);
}
END_TEST

START_TEST(what_is_offered)
{
	static const struct ic_version all[] = {{1, 0}, {3, 0}, {1, 0},
						{3, 0}, {4, 0}, {5, 1}};

	ic_open();
	ic_get();
	ck_assert_uint_eq(msg.h.icmsgtype, ICMSGTYPE_NEGOTIATE);
	ck_assert_uint_eq(msg.h.icmsgsize, 8 + sizeof(all));
	ck_assert_uint_eq(ic_counts().icframe_vercnt, 2);
	ck_assert_uint_eq(ic_counts().icmsg_vercnt, 4);
	ck_assert_uint_eq(ic_counts().reserved, 0);
	ck_assert_mem_eq(msg.body + 8, all, sizeof(all));
}
END_TEST

START_TEST(the_guest_knows_none)
{
	const struct ic_version v = {9, 9};
	struct result before = {0}, after = {0};

	ic_open();
	ck_assert_int_eq(ask(1, LONG, &before), 0);
	ck_assert_uint_eq(ic_choose(&v, 1).major, 0);
	expect_error(&before, -EPROTONOSUPPORT);
	ck_assert_int_eq(ask(2, LONG, &after), 0);
	expect_error(&after, -EPROTONOSUPPORT);
	ck_assert_uint_eq(readies, 0);
	ck_assert_uint_eq(fact("negotiations"), 0);
	/* Another driver may come. */
	guest_close(&guest);
	guest_open(&guest, &offer);
	ic_choose(&(struct ic_version){3, 0}, 1);
	wait_until(readies == 1);
}
END_TEST

/* --- what no guest should send ------------------------------------------------ */

enum when {
	DURING,
	READY,
	ASKED
};

#define NEGOTIATE 0xFFFF /* where 0 has a meaning */

static const struct {
	const char *what;
	enum when when;
	/* instead of what a good answer has */
	int16_t body; /* bytes more or fewer */
	int32_t msgsize; /* of the pipe, more or less */
	int16_t icmsgsize; /* more or less */
	uint16_t type; /* 0: as it was */
	uint8_t flags; /* 0: a response */
	struct ic_version framework, version; /* 0.0: good ones */
	uint16_t count;
	bool stray; /* only counted; else the channel goes */
} bad[] = {
	{"choice of no version offered", DURING, .version = {9, 9}},
	{"choice of no framework offered", DURING, .framework = {2, 0}},
	{"two choices", DURING, .count = 2},
	{"a hundred choices", DURING, .count = 100},
	{"choice cut off", DURING, .msgsize = -21, .icmsgsize = -16},
	{"no header", DURING, .msgsize = -40, .icmsgsize = -16},
	{"longer than the packet", DURING, .msgsize = 8},
	{"much longer than the packet", DURING, .msgsize = 0x7FFFFFFF},
	{"message longer than the pipe's", DURING, .icmsgsize = 100},
	{"a request", DURING, .flags = ICMSGHDRFLAG_REQUEST},
	{"an answer before the negotiation", DURING,
	 .type = ICMSGTYPE_HEARTBEAT, .stray = true},
	{"of another component", DURING, .type = ICMSGTYPE_SHUTDOWN},
	{"of no component", DURING, .type = 99},
	{"an answer to nothing", READY, .type = ICMSGTYPE_HEARTBEAT,
	 .stray = true},
	{"negotiation out of turn", READY, .type = NEGOTIATE, .stray = true},
	{"negotiation instead of an answer", ASKED, .type = NEGOTIATE,
	 .stray = true},
	{"answer with a shorter body", ASKED, .msgsize = -4, .icmsgsize = -4},
	{"answer without a body", ASKED, .msgsize = -8, .icmsgsize = -8},
	{"answer of another component", ASKED, .type = ICMSGTYPE_VSS},
	{"answer that is a request", ASKED, .flags = ICMSGHDRFLAG_REQUEST},
};

/* Spoil the answer to what came last. */
static void spoil(unsigned int i)
{
	struct icmsg_negotiate m = {1, 1, 0};
	struct ic_version choice[2] = {{3, 0}, {3, 0}};

	if (bad[i].when == DURING) {
		if (bad[i].framework.major)
			choice[0] = bad[i].framework;
		if (bad[i].version.major)
			choice[1] = bad[i].version;
		if (bad[i].count)
			m.icframe_vercnt = m.icmsg_vercnt = bad[i].count;
		memcpy(msg.body, &m, sizeof(m));
		memcpy(msg.body + 8, choice, sizeof(choice));
		msg.h.icmsgsize = 16;
	}
	if (bad[i].type)
		msg.h.icmsgtype = bad[i].type == NEGOTIATE ? ICMSGTYPE_NEGOTIATE
							   : bad[i].type;
	msg.pipe.msgsize += (uint32_t)bad[i].msgsize;
	msg.h.icmsgsize = (uint16_t)(msg.h.icmsgsize + bad[i].icmsgsize);
	msg.h.status = HV_S_OK;
	msg.h.icflags =
		bad[i].flags ? bad[i].flags
			     : ICMSGHDRFLAG_TRANSACTION | ICMSGHDRFLAG_RESPONSE;
	ic_put();
}

START_TEST(bad_messages)
{
	/* What is not answered here is when the component is freed. */
	static struct result r;

	if (bad[_i].when == DURING) {
		ic_open();
		ic_get();
	} else {
		ic_start(3, 0);
	}
	if (bad[_i].when == ASKED) {
		ck_assert_int_eq(ask(1, LONG, &r), 0);
		expect_request(1);
	}
	spoil((unsigned int)_i);
	if (bad[_i].stray) {
		wait_until(fact("strays") == 1);
		ck_assert_uint_eq(r.calls, 0);
		return;
	}
	ic_expect_rescind();
	if (bad[_i].when == ASKED)
		expect_error(&r, -ECONNRESET);
	ck_assert_uint_eq(readies, bad[_i].when != DURING);
}
END_TEST

START_TEST(another_transaction)
{
	struct result r = {0};

	ic_start(3, 0);
	ck_assert_int_eq(ask(1, LONG, &r), 0);
	expect_request(1);
	msg.h.ictransaction_id++;
	ic_answer(HV_S_OK);
	wait_until(fact("strays") == 1);
	ck_assert_uint_eq(r.calls, 0);
	msg.h.ictransaction_id--;
	ic_answer(HV_S_OK);
	expect_answer(&r, 1);
	/* Once more is once too often. */
	ic_answer(HV_S_OK);
	wait_until(fact("strays") == 2);
	ck_assert_uint_eq(r.calls, 1);
}
END_TEST

START_TEST(packets_of_other_types)
{
	ic_start(3, 0);
	ring_peer_send(&guest.ring, VM_PKT_COMP, false, 1, &msg.pipe, 40);
	guest_ring_bell(&guest);
	ic_expect_rescind();
}
END_TEST

START_TEST(the_service_says_it_is_wrong)
{
	struct result r = {.ret = -EPROTO};

	ic_start(3, 0);
	ck_assert_int_eq(ask(1, LONG, &r), 0);
	expect_request(1);
	ic_answer(HV_S_OK);
	ic_expect_rescind();
	ck_assert_uint_eq(r.calls, 1);
}
END_TEST

/* --- time ------------------------------------------------------------------------ */

START_TEST(ticks_while_ready_and_running)
{
	make(VERSION_WIN10, MSEC);
	ic_run(ic, true);
	ic_start(3, 0);
	ck_assert_uint_eq(n_resumed, 0);
	wait_until(n_ticks >= 3);
	ic_run(ic, false);
	settle();
	n_ticks = 0;
	settle();
	ck_assert_uint_eq(n_ticks, 0);
	ic_run(ic, true);
	wait_until(n_resumed == 1);
	wait_until(n_ticks >= 2);
	guest_close(&guest);
	wait_until(n_closed == 1);
	n_ticks = 0;
	settle();
	ck_assert_uint_eq(n_ticks, 0);
}
END_TEST

/* --- small things ------------------------------------------------------------------ */

START_TEST(statuses)
{
	static const struct {
		uint32_t status;
		int err;
	} rows[] = {
		{HV_S_OK, 0},
		{HV_E_FAIL, -EIO},
		{HV_S_CONT, -ENOENT},
		{HV_GUID_NOTFOUND, -ENOENT},
		{HV_ERROR_NOT_SUPPORTED, -EOPNOTSUPP},
		{HV_ERROR_ALREADY_EXISTS, -EEXIST},
		{HV_INVALIDARG, -EINVAL},
		{HV_ERROR_DISK_FULL, -ENOSPC},
		{HV_ERROR_MACHINE_LOCKED, -EBUSY},
		{HV_ERROR_DEVICE_NOT_CONNECTED, -ENODEV},
		{0x12345678, -EIO},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		ck_assert_int_eq(ic_status_error(rows[i].status), rows[i].err);
}
END_TEST

START_TEST(an_instance_is_one_component)
{
	struct vsp_params p = ic_params();
	struct ic *other = ic_new(&p, &service, &ic, NULL, 0);

	ck_assert_int_eq(ic_offer(other), -EBUSY);
	ic_free(other);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/ic/ic");
	TCase *t = tcase_create("made by each");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, bare_setup, ic_teardown);
	tcase_add_loop_test(t, the_newest_that_both_know, 0,
			    G_N_ELEMENTS(choices));
	tcase_add_test(t, ticks_while_ready_and_running);
	suite_add_tcase(s, t);

	t = tcase_create("ic");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, ic_setup, ic_teardown);
	tcase_add_test(t, ask_and_answer);
	tcase_add_test(t, one_at_a_time_in_order);
	tcase_add_test(t, nobody_is_there);
	tcase_add_test(t, requests_wait_for_the_negotiation);
	tcase_add_test(t, a_guest_that_never_answers);
	tcase_add_test(t, an_answer_that_comes_too_late);
	tcase_add_test(t, no_more_than_so_many);
	tcase_add_test(t, longer_than_the_service_says);
	tcase_add_test(t, the_guest_closes);
	tcase_add_test(t, freed_with_requests_under_way);
	tcase_add_test(t, what_is_offered);
	tcase_add_test(t, the_guest_knows_none);
	tcase_add_loop_test(t, bad_messages, 0, G_N_ELEMENTS(bad));
	tcase_add_test(t, another_transaction);
	tcase_add_test(t, packets_of_other_types);
	tcase_add_test(t, the_service_says_it_is_wrong);
	tcase_add_test(t, statuses);
	tcase_add_test(t, an_instance_is_one_component);
	suite_add_tcase(s, t);
	return check_main(s);
}
