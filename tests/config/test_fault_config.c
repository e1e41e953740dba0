/* SPDX-License-Identifier: MIT */
#include "config/fault_config.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/fault_kinds.h"
#include "config/machine_config.h"
#include "proto/scsi.h"
#include "report/milestone.h"
#include "support/check_main.h"

static int parse(const char *text, struct fault_rule *r, GError **error)
{
	return fault_config_parse(text, milestone_find, r, error);
}

START_TEST(a_rule_with_all_that_there_is)
{
	struct fault_rule r;

	ck_assert_int_eq(
		parse("storvsc.command:op=READ_10,device=scsi0*,nth=3,every=5,"
		      "probability=0.25,from=storvsc_io,count=9,action=fail,"
		      "status=write-error",
		      &r, NULL),
		0);
	ck_assert_int_eq(r.point, FAULT_STORVSC_COMMAND);
	ck_assert_int_eq(r.action, FAULT_FAIL);
	ck_assert_uint_eq(r.op, READ_10);
	ck_assert_str_eq(r.device, "scsi0*");
	ck_assert_uint_eq(r.nth, 3);
	ck_assert_uint_eq(r.every, 5);
	ck_assert_uint_eq(r.ppm, FAULT_PPM_ALL / 4);
	ck_assert_uint_eq(r.from, MILESTONE_STORVSC_IO);
	ck_assert_uint_eq(r.count, 9);
	ck_assert_uint_eq(r.value, SENSE_WRITE_ERROR);
	ck_assert(g_str_has_prefix(r.text, "storvsc.command:op=READ_10"));
}
END_TEST

START_TEST(defaults)
{
	struct fault_rule r;

	ck_assert_int_eq(parse("storvsc.command:action=fail", &r, NULL), 0);
	ck_assert_uint_eq(r.op, FAULT_ANY);
	ck_assert_str_eq(r.device, "");
	ck_assert_uint_eq(r.ppm, FAULT_PPM_ALL);
	ck_assert_uint_eq(r.from, FAULT_NO_STAGE);
	ck_assert_uint_eq(r.value, SENSE_READ_ERROR);
	ck_assert_int_eq(parse("ring.out:action=corrupt", &r, NULL), 0);
	ck_assert_uint_eq(r.value, FAULT_ANY);
	ck_assert_int_eq(parse("ring.out:action=reorder", &r, NULL), 0);
	ck_assert_uint_eq(r.n, 1);
}
END_TEST

static const struct {
	const char *text;
	enum fault_action action;
	uint32_t value, n;
	int32_t ms;
} good[] = {
	{"ring.out:action=delay,ms=20", FAULT_DELAY, 0, 0, 20},
	{"ring.out:kind=trans-id,action=corrupt", FAULT_CORRUPT,
	 FAULT_PACKET_TRANS_ID, 0, 0},
	{"ring.signal:action=storm,n=1000", FAULT_STORM, 0, 1000, 0},
	{"vmbus.version:action=downgrade,version=4.1", FAULT_DOWNGRADE, 0x40001,
	 0, 0},
	{"machine.milestone:op=storvsc_io,action=jump,ms=-5000", FAULT_JUMP, 0,
	 0, -5000},
	{"machine.milestone:op=balloon,action=balloon,mib=64", FAULT_BALLOON, 0,
	 64, 0},
	{"machine.milestone:op=netvsc_rx,action=rescind,device=net0",
	 FAULT_RESCIND, 0, 0, 0},
	{"ring.out:probability=5%,action=drop", FAULT_DROP, 0, 0, 0},
};

START_TEST(actions_and_what_they_take)
{
	struct fault_rule r;

	ck_assert_msg(!parse(good[_i].text, &r, NULL), "%s", good[_i].text);
	ck_assert_int_eq(r.action, good[_i].action);
	ck_assert_uint_eq(r.value, good[_i].value);
	ck_assert_uint_eq(r.n, good[_i].n);
	ck_assert_int_eq(r.ms, good[_i].ms);
}
END_TEST

static const struct {
	const char *text, *word; /* that the message names */
} bad[] = {
	{"", "POINT:action"},
	{"ring.out", "POINT:action"},
	{"ring.oat:action=drop", "ring.oat"},
	{"ring.out:", "wants a value"},
	{"ring.out:action", "action"},
	{"ring.out:action=", "action"},
	{"ring.out:nth=1", "action"},
	{"ring.out:action=fail", "corrupt"}, /* what there is instead */
	{"ring.out:action=delay", "wants more"},
	{"ring.out:action=delay,ms=x", "ms"},
	{"ring.out:action=delay,ms=-1", "only a jump"},
	{"ring.out:action=delay,ms=600001", "ms"},
	{"ring.out:action=drop,ms=1", "does not know"},
	{"ring.out:action=drop,nth=0", "nth"},
	{"ring.out:action=drop,every=-1", "every"},
	{"ring.out:action=drop,count=99999999999", "count"},
	{"ring.out:action=drop,probability=2", "probability"},
	{"ring.out:action=drop,probability=nan", "probability"},
	{"ring.out:action=drop,probability=", "probability"},
	{"ring.out:action=drop,from=nowhere", "from"},
	{"ring.out:action=drop,op=READ_10", "COMPLETION"},
	{"ring.out:action=drop,colour=red", "colour"},
	{"ring.out:action=corrupt,kind=red", "trans-id"},
	{"ring.out:action=drop,kind=type", "does not know"},
	{"ring.signal:action=storm,n=1001", "n"},
	{"ring.signal:action=drop,op=x", "has none"},
	{"vmbus.version:action=fail,device=a", "device"},
	{"vmbus.version:action=fail,status=busy", "status"},
	{"vmbus.version:action=downgrade,version=4", "version"},
	{"storvsc.command:action=fail,status=red", "medium-error"},
	{"machine.milestone:action=jump,ms=1", "milestone"},
	{"machine.milestone:op=balloon,action=rescind", "wants more"},
	{"ring.out:action=drop,device="
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	 "device"},
};

START_TEST(what_is_wrong_is_said)
{
	struct fault_rule r;
	GError *error = NULL;

	ck_assert_msg(parse(bad[_i].text, &r, &error) == -1, "%s",
		      bad[_i].text);
	ck_assert(g_error_matches(error, CONFIG_ERROR, 0));
	ck_assert_msg(strstr(error->message, bad[_i].word) != NULL,
		      "%s: '%s' does not name %s", bad[_i].text, error->message,
		      bad[_i].word);
	g_error_free(error);
}
END_TEST

/* Each point with each of its actions, operations, statuses and kinds. */
START_TEST(the_whole_table_can_be_said)
{
	static const char *const more[N_FAULT_ACTIONS] = {
		[FAULT_DELAY] = ",ms=1",
		[FAULT_STALL] = ",ms=1",
		[FAULT_STORM] = ",n=1",
		[FAULT_DOWNGRADE] = ",version=4.0",
		[FAULT_RESCIND] = ",device=x",
		[FAULT_FLAP] = ",device=x,n=1,ms=1",
		[FAULT_BALLOON] = ",mib=1",
		[FAULT_JUMP] = ",ms=1",
		[FAULT_MIGRATE] = ",ms=1",
	};

	for (unsigned int i = 0; i < N_FAULT_POINTS; i++) {
		const struct fault_point_row *p = &fault_points[i];

		for (unsigned int a = 0; a < N_FAULT_ACTIONS; a++) {
			g_autofree char *text = g_strdup_printf(
				"%s:action=%s%s%s", p->name,
				fault_actions[a].name, more[a] ? more[a] : "",
				p->has_stage ? ",op=synic" : "");
			struct fault_rule r;

			ck_assert_msg(!parse(text, &r, NULL) ==
					      !!(p->actions & 1u << a),
				      "%s", text);
		}
		for (const struct fault_word *w = p->ops; w && w->name; w++) {
			g_autofree char *text = g_strdup_printf(
				"%s:action=%s,op=%s", p->name,
				p->actions & 1u << FAULT_DROP ? "drop" : "fail",
				w->name);
			struct fault_rule r;

			ck_assert_msg(!parse(text, &r, NULL), "%s", text);
			ck_assert_uint_eq(r.op, w->number);
		}
	}
}
END_TEST

/* --- files ------------------------------------------------------------------------ */

static int parse_lines(const char *text, GArray **rules, GError **error)
{
	*rules = g_array_new(FALSE, FALSE, sizeof(struct fault_rule));
	return fault_config_parse_lines(text, "F", milestone_find, *rules,
					error);
}

START_TEST(a_file_is_rules_and_remarks)
{
	GArray *rules;

	ck_assert_int_eq(parse_lines("# nothing\n\n  ring.out:action=drop # x\n"
				     "\tring.signal:action=drop\n",
				     &rules, NULL),
			 0);
	ck_assert_uint_eq(rules->len, 2);
	ck_assert_str_eq(g_array_index(rules, struct fault_rule, 0).text,
			 "ring.out:action=drop");
	g_array_free(rules, TRUE);
}
END_TEST

START_TEST(a_wrong_line_is_named)
{
	GError *error = NULL;
	GArray *rules;

	ck_assert_int_eq(
		parse_lines("#\nring.out:action=drop\nx\n", &rules, &error),
		-1);
	ck_assert(g_str_has_prefix(error->message, "F:3: "));
	g_error_free(error);
	g_array_free(rules, TRUE);
}
END_TEST

START_TEST(a_file_is_bounded)
{
	GString *text = g_string_new(NULL);
	GArray *rules;

	for (unsigned int i = 0; i <= FAULT_RULES_MAX; i++)
		g_string_append(text, "ring.out:action=drop\n");
	ck_assert_int_eq(parse_lines(text->str, &rules, NULL), -1);
	g_array_free(rules, TRUE);
	g_string_assign(text, "");
	for (unsigned int i = 0; i < 2000; i++)
		g_string_append(text, "\n");
	ck_assert_int_eq(parse_lines(text->str, &rules, NULL), -1);
	g_array_free(rules, TRUE);
	g_string_free(text, TRUE);
}
END_TEST

/* --- the library ------------------------------------------------------------------- */

START_TEST(each_scenario_is_rules_and_says_what_it_is)
{
	unsigned int n = 0, hostile = 0;

	for (const struct fault_scenario *s = fault_scenarios; s->name; s++) {
		GError *error = NULL;
		GArray *rules;

		ck_assert_msg(!parse_lines(s->text, &rules, &error), "%s: %s",
			      s->name, error ? error->message : "");
		ck_assert_msg(rules->len > 0, "%s is empty", s->name);
		ck_assert_msg(g_str_has_prefix(s->text, "# "), "%s", s->name);
		ck_assert_msg(strstr(s->text, "# The guest: ") != NULL,
			      "%s: what should the guest do?", s->name);
		ck_assert_ptr_eq(fault_scenario_find(s->name), s->text);
		n++;
		hostile += g_str_has_prefix(s->name, "hostile-");
		g_array_free(rules, TRUE);
	}
	ck_assert_uint_ge(n, 30);
	ck_assert_uint_ge(hostile, 20);
	ck_assert_ptr_null(fault_scenario_find("none"));
}
END_TEST

/* So that stock guests meet all that there is (tests/system/matrix). */
START_TEST(each_action_of_each_point_has_a_scenario)
{
	uint32_t shown[N_FAULT_POINTS] = {0};

	for (const struct fault_scenario *s = fault_scenarios; s->name; s++) {
		GArray *rules;

		ck_assert(!parse_lines(s->text, &rules, NULL));
		for (guint i = 0; i < rules->len; i++) {
			const struct fault_rule *r =
				&g_array_index(rules, struct fault_rule, i);

			shown[r->point] |= 1u << r->action;
		}
		g_array_free(rules, TRUE);
	}
	for (unsigned int i = 0; i < N_FAULT_POINTS; i++) {
		uint32_t missing = fault_points[i].actions & ~shown[i];

		for (unsigned int a = 0; a < N_FAULT_ACTIONS; a++)
			ck_assert_msg(!(missing >> a & 1),
				      "no scenario has %s:action=%s",
				      fault_points[i].name,
				      fault_actions[a].name);
	}
}
END_TEST

START_TEST(all_is_printed)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fault_config_print(out);
	for (unsigned int i = 0; i < N_FAULT_POINTS; i++)
		ck_assert_int_eq(
			fault_config_print_one(out, fault_points[i].name), 0);
	ck_assert_int_eq(fault_config_print_one(out, "disk-slow"), 0);
	ck_assert_int_eq(fault_config_print_one(out, "none"), -1);
	fclose(out);
	for (unsigned int i = 0; i < N_FAULT_POINTS; i++)
		ck_assert_ptr_nonnull(strstr(text, fault_points[i].name));
	for (unsigned int i = 0; i < N_FAULT_ACTIONS; i++)
		ck_assert_ptr_nonnull(strstr(text, fault_actions[i].name));
	ck_assert_ptr_nonnull(strstr(text, "READ_10"));
	ck_assert_ptr_nonnull(strstr(text, "medium-error"));
	ck_assert_ptr_nonnull(strstr(text, "hostile-offer-stale"));
	free(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("config/fault_config");
	TCase *t = tcase_create("rules");

	tcase_add_test(t, a_rule_with_all_that_there_is);
	tcase_add_test(t, defaults);
	tcase_add_loop_test(t, actions_and_what_they_take, 0,
			    G_N_ELEMENTS(good));
	tcase_add_loop_test(t, what_is_wrong_is_said, 0, G_N_ELEMENTS(bad));
	tcase_add_test(t, the_whole_table_can_be_said);
	tcase_add_test(t, a_file_is_rules_and_remarks);
	tcase_add_test(t, a_wrong_line_is_named);
	tcase_add_test(t, a_file_is_bounded);
	tcase_add_test(t, each_scenario_is_rules_and_says_what_it_is);
	tcase_add_test(t, each_action_of_each_point_has_a_scenario);
	tcase_add_test(t, all_is_printed);
	suite_add_tcase(s, t);
	return check_main(s);
}
