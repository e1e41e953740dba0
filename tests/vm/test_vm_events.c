/* SPDX-License-Identifier: MIT */
#include "vm/vm_events.h"

#include <string.h>

#include <glib.h>

#include "report/event.h"
#include "support/check_main.h"

static GPtrArray *heard;
static struct vm_events *events;

static void hear(void *ctx, const char *line)
{
	ck_assert_ptr_eq(ctx, &heard);
	g_ptr_array_add(heard, g_strdup(line));
}

static void setup(void)
{
	heard = g_ptr_array_new_with_free_func(g_free);
	events = vm_events_new();
	vm_events_listen(events, hear, &heard);
}

static void teardown(void)
{
	vm_events_free(events);
	g_ptr_array_free(heard, TRUE);
}

static void turn(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static gpointer tell_many(gpointer n)
{
	for (int i = 0; i < GPOINTER_TO_INT(n); i++) {
		struct event *e = event_new(EVENT_BALLOON_CHANGE);

		event_add_number(e, "actual", (uint64_t)i);
		vm_events_tell(events, e);
	}
	return NULL;
}

static void tell_from_a_thread(int n)
{
	g_thread_join(g_thread_new("teller", tell_many, GINT_TO_POINTER(n)));
}

START_TEST(in_order_from_any_thread)
{
	tell_from_a_thread(3);
	ck_assert_uint_eq(heard->len, 0);
	turn();
	ck_assert_uint_eq(heard->len, 3);
	for (guint i = 0; i < heard->len; i++) {
		g_autofree char *want = g_strdup_printf("{\"actual\":%u}", i);

		ck_assert_ptr_nonnull(strstr(heard->pdata[i], want));
	}
}
END_TEST

START_TEST(all_who_listen_hear)
{
	vm_events_listen(events, hear, &heard);
	tell_from_a_thread(1);
	turn();
	ck_assert_uint_eq(heard->len, 2);
	ck_assert_str_eq(heard->pdata[0], heard->pdata[1]);
}
END_TEST

START_TEST(what_waits_has_a_bound)
{
	tell_from_a_thread(1500);
	turn();
	ck_assert_uint_eq(heard->len, 1024 + 1);
	ck_assert_ptr_nonnull(strstr(heard->pdata[1024],
				     "\"KVMBUS_EVENTS_LOST\",\"data\":"
				     "{\"count\":476}"));
}
END_TEST

START_TEST(at_the_end_all_are_heard)
{
	tell_from_a_thread(2);
	vm_events_flush(events);
	ck_assert_uint_eq(heard->len, 2);
	/* Nobody heard these. */
	tell_from_a_thread(2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vm/vm_events");
	TCase *t = tcase_create("vm_events");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, in_order_from_any_thread);
	tcase_add_test(t, all_who_listen_hear);
	tcase_add_test(t, what_waits_has_a_bound);
	tcase_add_test(t, at_the_end_all_are_heard);
	suite_add_tcase(s, t);
	return check_main(s);
}
