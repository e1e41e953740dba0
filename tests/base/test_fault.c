/* SPDX-License-Identifier: MIT */
#include "base/fault.h"

#include <string.h>

#include <glib.h>

#include "base/fault_kinds.h"
#include "support/check_main.h"

#define ASKS 1000u

/* A rule for all that there is at the point. */
static struct fault_rule rule_at(enum fault_point point,
				 enum fault_action action)
{
	return (struct fault_rule){.point = point,
				   .action = action,
				   .op = FAULT_ANY,
				   .ppm = FAULT_PPM_ALL,
				   .from = FAULT_NO_STAGE};
}

static struct fault_rule drop(void)
{
	return rule_at(FAULT_RING_OUT, FAULT_DROP);
}

static bool asks(const char *device, uint32_t op)
{
	struct fault_hit hit;

	return fault_at(FAULT_RING_OUT, device, op, &hit);
}

static struct fault_status status_of(unsigned int at)
{
	struct fault_status s[FAULT_RULES_MAX];

	ck_assert_uint_gt(fault_list(s, FAULT_RULES_MAX), at);
	return s[at];
}

static void teardown(void)
{
	fault_clear();
	fault_set_seed(0);
}

START_TEST(nothing_happens_without_rules)
{
	ck_assert_uint_eq(fault_armed, 0);
	ck_assert(!asks("net0", 1));
}
END_TEST

START_TEST(a_rule_is_for_its_point_only)
{
	struct fault_rule r = drop();
	struct fault_hit hit;

	fault_add(&r);
	ck_assert_uint_eq(fault_armed, 1u << FAULT_RING_OUT);
	ck_assert(!fault_at(FAULT_RING_SIGNAL, "net0", FAULT_NO_OP, &hit));
	ck_assert(fault_at(FAULT_RING_OUT, "net0", 1, &hit));
	ck_assert_int_eq(hit.action, FAULT_DROP);
}
END_TEST

START_TEST(which_of_the_times)
{
	static const struct {
		const char *what;
		uint64_t nth, every, count;
		const char *hits; /* of the asks, one character each */
	} cases[] = {
		{"all", 0, 0, 0, "xxxxxxxx"},
		{"the third", 3, 0, 0, "..x....."},
		{"the first", 1, 0, 0, "x......."},
		{"each third", 0, 3, 0, "..x..x.."},
		{"each third, once", 0, 3, 1, "..x....."},
		{"two at most", 0, 0, 2, "xx......"},
		{"each", 0, 1, 0, "xxxxxxxx"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct fault_rule r = drop();

		fault_clear();
		r.nth = cases[i].nth;
		r.every = cases[i].every;
		r.count = cases[i].count;
		fault_add(&r);
		for (const char *c = cases[i].hits; *c; c++)
			ck_assert_msg(asks("net0", 1) == (*c == 'x'), "%s",
				      cases[i].what);
		ck_assert_uint_eq(status_of(0).seen, strlen(cases[i].hits));
	}
}
END_TEST

START_TEST(who_is_meant)
{
	static const struct {
		const char *rule, *device;
		bool hit;
	} cases[] = {
		{"", "net0", true},        {"", NULL, true},
		{"net0", "net0", true},    {"net0", "net0/1", false},
		{"net0*", "net0/1", true}, {"net0*", "net0", true},
		{"net0*", "net1", false},  {"net0", NULL, false},
		{"*", "scsi0", true},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct fault_rule r = drop();

		fault_clear();
		g_strlcpy(r.device, cases[i].rule, sizeof(r.device));
		fault_add(&r);
		ck_assert_msg(asks(cases[i].device, 1) == cases[i].hit,
			      "%s and %s", cases[i].rule, cases[i].device);
	}
}
END_TEST

START_TEST(which_operation)
{
	struct fault_rule r = drop();

	r.op = 7;
	r.nth = 1;
	fault_add(&r);
	ck_assert(!asks("net0", 6));
	ck_assert(!asks("net0", FAULT_NO_OP));
	ck_assert(asks("net0", 7));
	/* What it did not match it did not count. */
	ck_assert_uint_eq(status_of(0).seen, 1);
}
END_TEST

START_TEST(from_a_milestone_on)
{
	struct fault_rule r = drop();

	r.from = 8;
	r.nth = 1;
	fault_add(&r);
	fault_reached(7);
	ck_assert(!asks("net0", 1));
	fault_reached(8);
	ck_assert(asks("net0", 1));
}
END_TEST

START_TEST(the_first_that_says_yes_decides_and_all_count)
{
	struct fault_rule r = drop();
	struct fault_hit hit;

	r.nth = 2;
	fault_add(&r);
	r = rule_at(FAULT_RING_OUT, FAULT_DUPLICATE);
	fault_add(&r);
	ck_assert(fault_at(FAULT_RING_OUT, "a", 1, &hit));
	ck_assert_int_eq(hit.action, FAULT_DUPLICATE);
	ck_assert(fault_at(FAULT_RING_OUT, "a", 1, &hit));
	ck_assert_int_eq(hit.action, FAULT_DROP);
	ck_assert_uint_eq(status_of(1).seen, 2);
	ck_assert_uint_eq(status_of(1).hit, 1);
}
END_TEST

/* What a rule of 20 per cent says, a bit each; Return: how often yes. */
static unsigned int record(uint64_t seed, uint8_t hits[ASKS],
			   uint64_t randoms[ASKS])
{
	struct fault_rule r = drop();
	unsigned int n = 0;

	fault_clear();
	fault_set_seed(seed);
	r.ppm = FAULT_PPM_ALL / 5;
	fault_add(&r);
	for (unsigned int i = 0; i < ASKS; i++) {
		struct fault_hit hit = {0};

		hits[i] = fault_at(FAULT_RING_OUT, "net0", 1, &hit);
		randoms[i] = hit.random;
		n += hits[i];
	}
	return n;
}

START_TEST(the_same_seed_decides_the_same)
{
	static uint8_t a[ASKS], b[ASKS];
	static uint64_t x[ASKS], y[ASKS];
	unsigned int n = record(5, a, x);

	ck_assert_uint_gt(n, ASKS / 10);
	ck_assert_uint_lt(n, ASKS / 3);
	ck_assert_uint_eq(record(5, b, y), n);
	ck_assert_mem_eq(a, b, sizeof(a));
	ck_assert_mem_eq(x, y, sizeof(x));
	record(6, b, y);
	ck_assert_mem_ne(a, b, sizeof(a));
}
END_TEST

/* What others ask in between changes nothing for a rule. */
START_TEST(rules_do_not_disturb_each_other)
{
	static uint8_t a[ASKS], b[ASKS];
	static uint64_t x[ASKS];
	struct fault_rule r = drop();

	record(9, a, x);
	fault_clear();
	fault_set_seed(9);
	r.ppm = FAULT_PPM_ALL / 5;
	strcpy(r.device, "net0");
	fault_add(&r);
	strcpy(r.device, "net1");
	fault_add(&r);
	for (unsigned int i = 0; i < ASKS; i++) {
		asks("net1", 1);
		b[i] = asks("net0", 1);
		asks("net1", 1);
	}
	ck_assert_mem_eq(a, b, sizeof(a));
}
END_TEST

START_TEST(a_kind_that_was_left_open_is_drawn)
{
	struct fault_rule r = rule_at(FAULT_RING_OUT, FAULT_CORRUPT);
	uint32_t seen = 0;
	struct fault_hit hit;

	r.value = FAULT_ANY;
	fault_add(&r);
	for (unsigned int i = 0; i < ASKS; i++) {
		ck_assert(fault_at(FAULT_RING_OUT, "a", 1, &hit));
		ck_assert_uint_le(hit.value, FAULT_PACKET_PAYLOAD);
		seen |= 1u << hit.value;
	}
	ck_assert_uint_eq(seen, (2u << FAULT_PACKET_PAYLOAD) - 1);
}
END_TEST

START_TEST(rules_come_and_go)
{
	struct fault_rule r = drop();
	unsigned int first = fault_add(&r), second = fault_add(&r);

	ck_assert_uint_eq(first, 1);
	ck_assert_uint_eq(second, 2);
	ck_assert(fault_remove(first));
	ck_assert(!fault_remove(first));
	ck_assert_uint_eq(status_of(0).id, second);
	ck_assert_uint_eq(fault_add(&r), 3);
	ck_assert(fault_remove(second));
	ck_assert(fault_remove(3));
	ck_assert_uint_eq(fault_armed, 0);
}
END_TEST

START_TEST(there_are_so_many_and_no_more)
{
	struct fault_rule r = drop();

	for (unsigned int i = 0; i < FAULT_RULES_MAX; i++)
		ck_assert_uint_eq(fault_add(&r), i + 1);
	ck_assert_uint_eq(fault_add(&r), 0);
}
END_TEST

/* --- the table ------------------------------------------------------------------ */

static void check_words(const char *point, const struct fault_word *list)
{
	for (; list && list->name; list++) {
		ck_assert_msg(fault_word_find(list + 1, list->name) == NULL,
			      "%s: %s is there twice", point, list->name);
	}
}

START_TEST(rows_are_whole)
{
	for (unsigned int i = 0; i < N_FAULT_POINTS; i++) {
		const struct fault_point_row *p = &fault_points[i];

		ck_assert_ptr_nonnull(p->name);
		ck_assert_ptr_nonnull(p->help);
		ck_assert_uint_ne(p->actions, 0);
		ck_assert_msg(!(p->actions & 1u << FAULT_CORRUPT) == !p->kinds,
			      "%s: kinds", p->name);
		check_words(p->name, p->ops);
		check_words(p->name, p->statuses);
		check_words(p->name, p->kinds);
		for (unsigned int k = 0; p->kinds && p->kinds[k].name; k++)
			ck_assert_uint_eq(p->kinds[k].number, k);
	}
	for (unsigned int i = 0; i < N_FAULT_ACTIONS; i++)
		ck_assert_ptr_nonnull(fault_actions[i].help);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base/fault");
	TCase *t = tcase_create("rules");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_test(t, nothing_happens_without_rules);
	tcase_add_test(t, a_rule_is_for_its_point_only);
	tcase_add_test(t, which_of_the_times);
	tcase_add_test(t, who_is_meant);
	tcase_add_test(t, which_operation);
	tcase_add_test(t, from_a_milestone_on);
	tcase_add_test(t, the_first_that_says_yes_decides_and_all_count);
	tcase_add_test(t, the_same_seed_decides_the_same);
	tcase_add_test(t, rules_do_not_disturb_each_other);
	tcase_add_test(t, a_kind_that_was_left_open_is_drawn);
	tcase_add_test(t, rules_come_and_go);
	tcase_add_test(t, there_are_so_many_and_no_more);
	tcase_add_test(t, rows_are_whole);
	suite_add_tcase(s, t);
	return check_main(s);
}
