/* SPDX-License-Identifier: MIT */
#include "synic/ports.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include <glib.h>

#include "proto/hv_hypercall.h"
#include "support/check_main.h"
#include "support/turns.h"

static struct ports *ports;

/* What the callbacks were called with. */
static struct {
	unsigned int calls;
	uint32_t vp;
	uint16_t flag;
	struct hv_input_post_message msg;
} seen;
static int context;

static hv_status_t on_message(void *ctx, uint32_t vp,
			      const struct hv_input_post_message *msg)
{
	ck_assert_ptr_eq(ctx, &context);
	seen.calls++;
	seen.vp = vp;
	seen.msg = *msg;
	return HV_STATUS_INSUFFICIENT_BUFFERS;
}

static hv_status_t on_event(void *ctx, uint32_t vp, uint16_t flag)
{
	ck_assert_ptr_eq(ctx, &context);
	seen.calls++;
	seen.vp = vp;
	seen.flag = flag;
	return HV_STATUS_SUCCESS;
}

static void setup(void)
{
	memset(&seen, 0, sizeof(seen));
	ports = ports_new();
}

static void teardown(void)
{
	ports_free(ports);
}

static const struct {
	const char *what;
	struct hv_input_post_message msg;
	hv_status_t status;
} posts[] = {
	{"a message", {1, 0, 1, 240, {0}}, HV_STATUS_INSUFFICIENT_BUFFERS},
	{"an empty one",
	 {1, 0, 0x7FFFFFFF, 0, {0}},
	 HV_STATUS_INSUFFICIENT_BUFFERS},
	{"type 0", {1, 0, 0, 8, {0}}, HV_STATUS_INVALID_PARAMETER},
	{"a type of the hypervisor's",
	 {1, 0, 0x80000010, 8, {0}},
	 HV_STATUS_INVALID_PARAMETER},
	{"too long", {1, 0, 1, 241, {0}}, HV_STATUS_INVALID_PARAMETER},
	{"much too long",
	 {1, 0, 1, UINT32_MAX, {0}},
	 HV_STATUS_INVALID_PARAMETER},
	{"reserved field set", {1, 1, 1, 8, {0}}, HV_STATUS_INVALID_PARAMETER},
	{"no such id", {4, 0, 1, 8, {0}}, HV_STATUS_INVALID_CONNECTION_ID},
	{"id with a reserved bit",
	 {0x01000001, 0, 1, 8, {0}},
	 HV_STATUS_INVALID_CONNECTION_ID},
	{"an event port", {2, 0, 1, 8, {0}}, HV_STATUS_INVALID_PORT_ID},
};

START_TEST(post_rules)
{
	ck_assert_int_eq(ports_add_message(ports, 1, on_message, &context), 0);
	ck_assert_int_eq(ports_add_event(ports, 2, 1, on_event, &context), 0);
	ck_assert_msg(ports_post_message(ports, 3, &posts[_i].msg) ==
			      posts[_i].status,
		      "%s", posts[_i].what);
	if (posts[_i].status != HV_STATUS_INSUFFICIENT_BUFFERS) {
		ck_assert_msg(!seen.calls, "%s", posts[_i].what);
		return;
	}
	ck_assert_uint_eq(seen.calls, 1);
	ck_assert_uint_eq(seen.vp, 3);
	ck_assert_mem_eq(&seen.msg, &posts[_i].msg, sizeof(seen.msg));
}
END_TEST

static const struct {
	const char *what;
	uint32_t conn_id;
	uint16_t flag;
	hv_status_t status;
} signals[] = {
	{"first flag", 0x2001, 0, HV_STATUS_SUCCESS},
	{"last flag", 0x2001, 7, HV_STATUS_SUCCESS},
	{"flag after the last", 0x2001, 8, HV_STATUS_INVALID_PARAMETER},
	{"any flag", 0x2001, 0xFFFF, HV_STATUS_INVALID_PARAMETER},
	{"the last id", 0xFFFFFF, 0, HV_STATUS_SUCCESS},
	{"no such id", 0x2002, 0, HV_STATUS_INVALID_CONNECTION_ID},
	{"id 0", 0, 0, HV_STATUS_INVALID_CONNECTION_ID},
	{"id with a reserved bit", 0x01002001, 0,
	 HV_STATUS_INVALID_CONNECTION_ID},
	{"all ones", UINT32_MAX, 0, HV_STATUS_INVALID_CONNECTION_ID},
	{"a message port", 1, 0, HV_STATUS_INVALID_PORT_ID},
	{"a port without flags", 3, 0, HV_STATUS_INVALID_PARAMETER},
};

START_TEST(signal_rules)
{
	ck_assert_int_eq(ports_add_message(ports, 1, on_message, &context), 0);
	ck_assert_int_eq(ports_add_event(ports, 3, 0, on_event, &context), 0);
	ck_assert_int_eq(ports_add_event(ports, 0x2001, 8, on_event, &context),
			 0);
	ck_assert_int_eq(
		ports_add_event(ports, 0xFFFFFF, 1, on_event, &context), 0);
	ck_assert_msg(ports_signal_event(ports, 33, signals[_i].conn_id,
					 signals[_i].flag) ==
			      signals[_i].status,
		      "%s", signals[_i].what);
	if (signals[_i].status != HV_STATUS_SUCCESS) {
		ck_assert_msg(!seen.calls, "%s", signals[_i].what);
		return;
	}
	ck_assert_uint_eq(seen.calls, 1);
	ck_assert_uint_eq(seen.vp, 33);
	ck_assert_uint_eq(seen.flag, signals[_i].flag);
}
END_TEST

START_TEST(ids_are_taken_once)
{
	ck_assert_int_eq(ports_add_message(ports, 1, on_message, &context), 0);
	ck_assert_int_eq(ports_add_message(ports, 1, on_message, &context),
			 -EEXIST);
	ck_assert_int_eq(ports_add_event(ports, 1, 1, on_event, &context),
			 -EEXIST);
	ck_assert_int_eq(
		ports_add_event(ports, 0x01000000, 1, on_event, &context),
		-EINVAL);
	ports_remove(ports, 1);
	ports_remove(ports, 1);
	ck_assert_int_eq(ports_add_event(ports, 1, 1, on_event, &context), 0);
}
END_TEST

START_TEST(removed_is_unknown)
{
	ck_assert_int_eq(ports_add_event(ports, 5, 1, on_event, &context), 0);
	ports_remove(ports, 5);
	ck_assert_uint_eq(ports_signal_event(ports, 0, 5, 0),
			  HV_STATUS_INVALID_CONNECTION_ID);
	ck_assert_uint_eq(seen.calls, 0);
}
END_TEST

START_TEST(number_is_bounded)
{
	for (uint32_t id = 0; id < PORTS_MAX; id++)
		ck_assert_int_eq(
			ports_add_event(ports, id, 1, on_event, &context), 0);
	ck_assert_int_eq(
		ports_add_event(ports, PORTS_MAX, 1, on_event, &context),
		-ENOSPC);
	ck_assert_uint_eq(ports_signal_event(ports, 0, PORTS_MAX - 1, 0), 0);
	ports_remove(ports, 7);
	ck_assert_int_eq(
		ports_add_event(ports, PORTS_MAX, 1, on_event, &context), 0);
}
END_TEST

static _Atomic bool stop;

/* The port's object: not to be touched once ports_remove() has returned. */
struct object {
	_Atomic bool alive;
	_Atomic unsigned int calls;
};

static hv_status_t on_object(void *ctx, uint32_t vp, uint16_t flag)
{
	struct object *o = ctx;

	(void)vp;
	(void)flag;
	for (int i = 0; i < 3; i++) {
		if (!o->alive)
			abort();
		give_way();
	}
	o->calls++;
	return HV_STATUS_SUCCESS;
}

static void *doorbells(void *arg)
{
	uint32_t vp = GPOINTER_TO_UINT(arg);

	while (!stop) {
		ports_signal_event(ports, vp, 9, 0);
		ports_signal_event(ports, vp, 10, 0);
	}
	return NULL;
}

START_TEST(no_callback_after_removal)
{
	struct object steady = {.alive = true};
	pthread_t threads[3];

	stop = false;
	ck_assert_int_eq(ports_add_event(ports, 10, 1, on_object, &steady), 0);
	for (guint i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, doorbells,
			       GUINT_TO_POINTER(i * 16));
	for (int i = 0; i < 300; i++) {
		struct object o = {.alive = true};

		ck_assert_int_eq(ports_add_event(ports, 9, 1, on_object, &o),
				 0);
		while (!o.calls && i % 2)
			give_way();
		ports_remove(ports, 9);
		o.alive = false;
	}
	stop = true;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_gt(steady.calls, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("synic/ports");
	TCase *t = tcase_create("ports");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, post_rules, 0, G_N_ELEMENTS(posts));
	tcase_add_loop_test(t, signal_rules, 0, G_N_ELEMENTS(signals));
	tcase_add_test(t, ids_are_taken_once);
	tcase_add_test(t, removed_is_unknown);
	tcase_add_test(t, number_is_bounded);
	tcase_add_test(t, no_callback_after_removal);
	suite_add_tcase(s, t);
	return check_main(s);
}
