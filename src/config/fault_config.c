/* SPDX-License-Identifier: MIT */
#include "config/fault_config.h"

#include <string.h>

#include "base/fault.h"
#include "config/machine_config.h"
#include "config/option_list.h"

/* Most lines of a file, so that one that is none is refused soon. */
#define LINES_MAX 1000u

/* --- one rule ---------------------------------------------------------------- */

/* A rule that is being read. */
struct parsing {
	struct fault_rule *rule;
	const struct fault_point_row *point;
	fault_milestone_fn milestone;
	bool has_action;
	uint32_t given; /* FAULT_WANTS_… */
	char *op, *status, *kind; /* looked up when all is known */
};

static void parsing_clear(struct parsing *p)
{
	g_free(p->op);
	g_free(p->status);
	g_free(p->kind);
}

/* "WORD: expected a, b or c" */
static int refuse_word(GError **error, const char *word,
		       const struct fault_word *list)
{
	GString *hint = g_string_new("expected one of");

	for (; list && list->name; list++)
		g_string_append_printf(hint, " %s", list->name);
	option_refuse(error, word, hint->str);
	g_string_free(hint, TRUE);
	return -1;
}

static int find_point(const char *name, struct parsing *p, GError **error)
{
	for (unsigned int i = 0; i < N_FAULT_POINTS; i++) {
		if (strcmp(fault_points[i].name, name))
			continue;
		p->rule->point = (enum fault_point)i;
		p->point = &fault_points[i];
		return 0;
	}
	return option_refuse(error, name,
			     "no such point; 'kvmbus faults' lists them");
}

static int set_action(struct parsing *p, const char *value, GError **error)
{
	GString *hint;

	for (unsigned int i = 0; i < N_FAULT_ACTIONS; i++) {
		if (!(p->point->actions & 1u << i) ||
		    strcmp(fault_actions[i].name, value))
			continue;
		p->rule->action = (enum fault_action)i;
		p->has_action = true;
		return 0;
	}
	hint = g_string_new("not here, but");
	for (unsigned int i = 0; i < N_FAULT_ACTIONS; i++) {
		if (p->point->actions & 1u << i)
			g_string_append_printf(hint, " %s",
					       fault_actions[i].name);
	}
	option_refuse(error, value, hint->str);
	g_string_free(hint, TRUE);
	return -1;
}

static int set_number(const char *key, const char *value, guint64 max,
		      guint64 *to, GError **error)
{
	if (g_ascii_string_to_unsigned(value, 10, 1, max, to, NULL))
		return 0;
	return option_refuse(error, key,
			     "expected a number above 0, and not "
			     "beyond its bound");
}

static int set_ms(struct parsing *p, const char *value, GError **error)
{
	gint64 ms;

	if (!g_ascii_string_to_signed(value, 10, -FAULT_MS_MAX, FAULT_MS_MAX,
				      &ms, NULL))
		return option_refuse(error, "ms", "expected milliseconds");
	p->rule->ms = (int32_t)ms;
	return 0;
}

/* "0.25" or "25%" */
static int set_probability(struct parsing *p, const char *value, GError **error)
{
	char *end;
	double d = g_ascii_strtod(value, &end);

	if (*end == '%') {
		d /= 100;
		end++;
	}
	if (end == value || *end || !(d >= 0 && d <= 1))
		return option_refuse(error, "probability",
				     "expected 0 to 1, or per cent: 5%");
	p->rule->ppm = (uint32_t)(d * FAULT_PPM_ALL + 0.5);
	return 0;
}

static int set_stage(struct parsing *p, const char *key, const char *value,
		     uint32_t *to, GError **error)
{
	int stage = p->milestone(value);

	if (stage < 0)
		return option_refuse(error, key,
				     "no such milestone; kvmbus(1) lists them");
	*to = (uint32_t)stage;
	return 0;
}

/* "5.2" */
static int set_version(struct parsing *p, const char *value, GError **error)
{
	g_auto(GStrv) words = g_strsplit(value, ".", 3);
	guint64 major, minor;

	if (!words[0] || !words[1] || words[2] ||
	    !g_ascii_string_to_unsigned(words[0], 10, 0, 99, &major, NULL) ||
	    !g_ascii_string_to_unsigned(words[1], 10, 0, 99, &minor, NULL))
		return option_refuse(error, "version", "expected 4.0");
	p->rule->value = (uint32_t)(major << 16 | minor);
	return 0;
}

static int set_device(struct parsing *p, const char *value, GError **error)
{
	if (!p->point->has_device)
		return option_refuse(error, "device",
				     "this point knows of none");
	if (!*value || strlen(value) >= FAULT_DEVICE_MAX)
		return option_refuse(error, "device", "expected scsi0, net0 …");
	g_strlcpy(p->rule->device, value, sizeof(p->rule->device));
	return 0;
}

static int set_n(struct parsing *p, const char *key, const char *value,
		 guint64 max, GError **error)
{
	guint64 n = 0;
	int failed = set_number(key, value, max, &n, error);

	p->rule->n = (uint32_t)n;
	return failed;
}

static int set_which(struct parsing *p, const char *key, const char *value,
		     GError **error)
{
	struct fault_rule *r = p->rule;
	guint64 *to = !strcmp(key, "nth")     ? &r->nth
		      : !strcmp(key, "every") ? &r->every
					      : &r->count;

	return set_number(key, value, UINT32_MAX, to, error);
}

/* Keys that only an action wants, and what they count as. */
static uint32_t wanted_by_key(const char *key)
{
	static const struct {
		const char *key;
		uint32_t bit;
	} keys[] = {
		{"ms", FAULT_WANTS_MS},
		{"n", FAULT_WANTS_N},
		{"status", FAULT_WANTS_STATUS},
		{"kind", FAULT_WANTS_KIND},
		{"mib", FAULT_WANTS_MIB},
		{"version", FAULT_WANTS_VERSION},
		{"device", FAULT_WANTS_DEVICE},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		if (!strcmp(keys[i].key, key))
			return keys[i].bit;
	}
	return 0;
}

static int set_key(struct parsing *p, const char *key, const char *value,
		   GError **error)
{
	p->given |= wanted_by_key(key);
	if (!strcmp(key, "action"))
		return set_action(p, value, error);
	if (!strcmp(key, "device"))
		return set_device(p, value, error);
	if (!strcmp(key, "op"))
		return option_set_text(&p->op, key, value, error);
	if (!strcmp(key, "status"))
		return option_set_text(&p->status, key, value, error);
	if (!strcmp(key, "kind"))
		return option_set_text(&p->kind, key, value, error);
	if (!strcmp(key, "nth") || !strcmp(key, "every") ||
	    !strcmp(key, "count"))
		return set_which(p, key, value, error);
	if (!strcmp(key, "probability"))
		return set_probability(p, value, error);
	if (!strcmp(key, "from"))
		return set_stage(p, key, value, &p->rule->from, error);
	if (!strcmp(key, "ms"))
		return set_ms(p, value, error);
	if (!strcmp(key, "n"))
		return set_n(p, key, value, FAULT_N_MAX, error);
	if (!strcmp(key, "mib"))
		return set_n(p, key, value, INT32_MAX, error);
	if (!strcmp(key, "version"))
		return set_version(p, value, error);
	return option_refuse(error, key,
			     "no such key; action=, op=, device=, nth=, "
			     "every=, probability=, from=, count=, ms=, n=, "
			     "status=, kind=, version= or mib=");
}

static int set_word(struct parsing *p, char *word, GError **error)
{
	char *value = strchr(word, '=');

	if (!value || !value[1])
		return option_refuse(error, word, "wants a value");
	*value++ = '\0';
	return set_key(p, word, value, error);
}

/* --- the whole of it ----------------------------------------------------------- */

static int look_up(const char *word, const struct fault_word *list,
		   uint32_t *to, GError **error)
{
	const struct fault_word *found = fault_word_find(list, word);

	if (!found)
		return refuse_word(error, word, list);
	*to = found->number;
	return 0;
}

static int look_up_op(struct parsing *p, GError **error)
{
	if (!p->op)
		return 0;
	if (p->point->has_stage)
		return set_stage(p, "op", p->op, &p->rule->op, error);
	if (!p->point->ops)
		return option_refuse(error, "op", "this point has none");
	return look_up(p->op, p->point->ops, &p->rule->op, error);
}

/* The status of a failure, or the kind of a corruption. */
static int look_up_value(struct parsing *p, GError **error)
{
	struct fault_rule *r = p->rule;

	if (r->action == FAULT_CORRUPT) {
		r->value = FAULT_ANY;
		if (p->kind)
			return look_up(p->kind, p->point->kinds, &r->value,
				       error);
	}
	if (r->action == FAULT_FAIL && p->point->statuses) {
		r->value = p->point->statuses[0].number;
		if (p->status)
			return look_up(p->status, p->point->statuses, &r->value,
				       error);
	} else if (p->status) {
		return option_refuse(error, "status", "not at this point");
	}
	return 0;
}

static int check(struct parsing *p, GError **error)
{
	const struct fault_action_row *a;
	struct fault_rule *r = p->rule;
	uint32_t takes;

	if (!p->has_action)
		return option_refuse(error, "action",
				     "there is none: action=…");
	a = &fault_actions[r->action];
	takes = a->wants | a->takes;
	if (p->point->has_device)
		takes |= FAULT_WANTS_DEVICE;
	if (a->wants & ~p->given)
		return option_refuse(error, a->name,
				     "wants more; 'kvmbus faults' says what");
	if (p->given & ~takes)
		return option_refuse(error, a->name,
				     "has a key that it does not know");
	if (r->ms < 0 && r->action != FAULT_JUMP && r->action != FAULT_MIGRATE)
		return option_refuse(error, "ms", "only a jump goes back");
	if (p->point->has_stage && !p->op)
		return option_refuse(error, "op", "which milestone?");
	if (r->action == FAULT_REORDER && !r->n)
		r->n = 1;
	return look_up_op(p, error) || look_up_value(p, error) ? -1 : 0;
}

int fault_config_parse(const char *text, fault_milestone_fn milestone,
		       struct fault_rule *rule, GError **error)
{
	const char *colon = strchr(text, ':');
	struct parsing p = {.rule = rule, .milestone = milestone};
	g_autofree char *name = NULL;
	int failed;

	*rule = (struct fault_rule){
		.op = FAULT_ANY, .ppm = FAULT_PPM_ALL, .from = FAULT_NO_STAGE};
	if (strlen(text) >= FAULT_TEXT_MAX)
		return option_refuse(error, "rule", "too long");
	g_strlcpy(rule->text, text, sizeof(rule->text));
	if (!colon)
		return option_refuse(error, text,
				     "expected POINT:action=…; 'kvmbus faults' "
				     "lists the points");
	name = g_strndup(text, (gsize)(colon - text));
	failed = find_point(name, &p, error);
	text = colon + 1;
	while (text && !failed) {
		g_autofree char *word = option_list_next(&text);

		failed = set_word(&p, word, error);
	}
	if (!failed)
		failed = check(&p, error);
	parsing_clear(&p);
	return failed;
}

int fault_config_parse_lines(const char *text, const char *name,
			     fault_milestone_fn milestone, GArray *rules,
			     GError **error)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", LINES_MAX + 1);

	for (unsigned int i = 0; lines[i]; i++) {
		char *comment = strchr(lines[i], '#');
		struct fault_rule rule;

		if (i == LINES_MAX)
			return option_refuse(error, name, "too many lines");
		if (comment)
			*comment = '\0';
		g_strstrip(lines[i]);
		if (!*lines[i])
			continue;
		if (fault_config_parse(lines[i], milestone, &rule, error)) {
			g_prefix_error(error, "%s:%u: ", name, i + 1);
			return -1;
		}
		if (rules->len >= FAULT_RULES_MAX)
			return option_refuse(error, name, "too many rules");
		g_array_append_val(rules, rule);
	}
	return 0;
}

const char *fault_scenario_find(const char *name)
{
	const struct fault_scenario *s = fault_scenarios;

	for (; s->name; s++) {
		if (!strcmp(s->name, name))
			return s->text;
	}
	return NULL;
}

/* --- printing -------------------------------------------------------------------- */

static void print_words(FILE *out, const char *key,
			const struct fault_word *list)
{
	if (!list)
		return;
	fprintf(out, "  %s\n", key);
	for (; list->name; list++)
		fprintf(out, "    %-22s%s%s\n", list->name,
			list->help ? "  " : "", list->help ? list->help : "");
}

static void print_point(FILE *out, const struct fault_point_row *p)
{
	fprintf(out, "%s: %s\n", p->name, p->help);
	fputs("  action=\n", out);
	for (unsigned int i = 0; i < N_FAULT_ACTIONS; i++) {
		if (p->actions & 1u << i)
			fprintf(out, "    %-22s  %s\n", fault_actions[i].name,
				fault_actions[i].help);
	}
	if (p->has_stage)
		fputs("  op=  a milestone, see kvmbus(1)\n", out);
	if (p->has_device)
		fputs("  device=  scsi0, scsi0/1, net0 …; a * at its end\n",
		      out);
	print_words(out, "op=", p->ops);
	print_words(out, "status=", p->statuses);
	print_words(out, "kind=", p->kinds);
}

/* The first line of a scenario, which says what it is. */
static void print_title(FILE *out, const struct fault_scenario *s)
{
	const char *at = s->text + strspn(s->text, "# ");

	fprintf(out, "  %-24s%.*s\n", s->name, (int)strcspn(at, "\n"), at);
}

void fault_config_print(FILE *out)
{
	fputs("Points, for --fault 'POINT:action=ACTION,...'; 'kvmbus faults "
	      "NAME' says more:\n",
	      out);
	for (unsigned int i = 0; i < N_FAULT_POINTS; i++)
		fprintf(out, "  %-24s%s\n", fault_points[i].name,
			fault_points[i].help);
	fputs("\nActions, where a point has them:\n", out);
	for (unsigned int i = 0; i < N_FAULT_ACTIONS; i++)
		fprintf(out, "  %-24s%s\n", fault_actions[i].name,
			fault_actions[i].help);
	fputs("\nWhich of the times: nth=N, every=N, probability=P, "
	      "count=N at most, from=MILESTONE on.\n"
	      "\nScenarios, for --scenario:\n",
	      out);
	for (const struct fault_scenario *s = fault_scenarios; s->name; s++)
		print_title(out, s);
}

int fault_config_print_one(FILE *out, const char *name)
{
	const char *text = fault_scenario_find(name);

	for (unsigned int i = 0; i < N_FAULT_POINTS; i++) {
		if (!strcmp(fault_points[i].name, name)) {
			print_point(out, &fault_points[i]);
			return 0;
		}
	}
	if (!text)
		return -1;
	fputs(text, out);
	return 0;
}
