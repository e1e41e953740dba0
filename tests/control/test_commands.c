/* SPDX-License-Identifier: MIT */
/*
 * doc/kvmbus-qmp.7.scd has every command and event with its members, and no
 * others.
 */
#include "control/commands.h"

#include <string.h>

#include <glib.h>

#include "report/event.h"
#include "support/check_main.h"

static char *manual;

static void setup(void)
{
	ck_assert(g_file_get_contents(KVMBUS_QMP_MANUAL, &manual, NULL, NULL));
}

static void teardown(void)
{
	g_free(manual);
}

/* Is there such a line, perhaps with the sign for a line's end? */
static bool has_line(const char *line)
{
	g_autofree char *at_end = g_strdup_printf("\n%s\n", line);
	g_autofree char *broken = g_strdup_printf("\n%s++\n", line);

	return strstr(manual, at_end) || strstr(manual, broken);
}

static char *heading(const char *name)
{
	return g_strdup_printf("*%s*", name);
}

START_TEST(every_command_is_in_the_manual)
{
	for (const struct control_command *c = vm_commands; c->name; c++) {
		g_autofree char *start = heading(c->name);
		g_autoptr(GString) line = g_string_new(start);

		for (const struct control_param *p = c->params; p->name; p++)
			g_string_append_printf(
				line, p->optional ? " [_%s_]" : " _%s_",
				p->name);
		ck_assert_msg(has_line(line->str), "expected the line '%s'",
			      line->str);
	}
}
END_TEST

START_TEST(every_event_is_in_the_manual)
{
	for (unsigned int i = 0; i < N_EVENTS; i++) {
		const struct event_row *row = &event_rows[i];
		g_autofree char *start = heading(row->name);
		g_autoptr(GString) line = g_string_new(start);

		for (unsigned int k = 0; row->members[k].name; k++)
			g_string_append_printf(line, " _%s_",
					       row->members[k].name);
		ck_assert_msg(has_line(line->str), "expected the line '%s'",
			      line->str);
	}
}
END_TEST

static bool is_known(const char *name)
{
	if (control_find(vm_commands, name))
		return true;
	for (unsigned int i = 0; i < N_EVENTS; i++) {
		if (!strcmp(event_rows[i].name, name))
			return true;
	}
	return false;
}

START_TEST(the_manual_has_no_others)
{
	g_auto(GStrv) lines = g_strsplit(manual, "\n", -1);
	bool wanted = false;

	for (char **line = lines; *line; line++) {
		const char *end = strchr(*line + !!**line, '*');
		g_autofree char *name = NULL;

		if (g_str_has_prefix(*line, "# "))
			wanted = strstr(*line, "COMMANDS") ||
				 strstr(*line, "EVENTS");
		if (!wanted || **line != '*' || !end)
			continue;
		name = g_strndup(*line + 1, (gsize)(end - *line - 1));
		ck_assert_msg(is_known(name), "there is no '%s'", name);
	}
}
END_TEST

/* One of kvmbus ctl's means one thing. */
START_TEST(verbs_are_apart)
{
	for (const struct control_command *c = vm_commands; c->name; c++) {
		ck_assert_ptr_eq(control_find(vm_commands, c->name), c);
		ck_assert_ptr_nonnull(c->run);
		ck_assert(*c->help);
		for (const struct control_command *d = vm_commands; d < c; d++)
			if (strcmp(control_verb(c), c->name) != 0)
				ck_assert_str_ne(control_verb(c),
						 control_verb(d));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("control/commands");
	TCase *t = tcase_create("commands");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, every_command_is_in_the_manual);
	tcase_add_test(t, every_event_is_in_the_manual);
	tcase_add_test(t, the_manual_has_no_others);
	tcase_add_test(t, verbs_are_apart);
	suite_add_tcase(s, t);
	return check_main(s);
}
