/* SPDX-License-Identifier: MIT */
/*
 * fault_rules.h - rules for a test: as --fault has them, or of the library.
 *
 * For binaries that link kvmbus-config.
 */
#ifndef SUPPORT_FAULT_RULES_H
#define SUPPORT_FAULT_RULES_H

#include <check.h>

#include "base/fault.h"
#include "config/fault_config.h"

/* Milestones are the machine's: here each is one that is never reached. */
static inline int fault_any_milestone(const char *name)
{
	(void)name;
	return 63;
}

/* Return: its id. */
static inline unsigned int fault_rule(const char *text)
{
	GError *error = NULL;
	struct fault_rule r;

	ck_assert_msg(
		!fault_config_parse(text, fault_any_milestone, &r, &error),
		"%s: %s", text, error ? error->message : "");
	return fault_add(&r);
}

/*
 * The rules of a scenario, whoever it is about, each time from now on: what
 * they do is what is tested.
 */
static inline void fault_scenario(const char *name)
{
	const char *text = fault_scenario_find(name);
	GArray *rules = g_array_new(FALSE, FALSE, sizeof(struct fault_rule));

	ck_assert_msg(text != NULL, "no scenario %s", name);
	ck_assert_int_eq(fault_config_parse_lines(
				 text, name, fault_any_milestone, rules, NULL),
			 0);
	for (guint i = 0; i < rules->len; i++) {
		struct fault_rule *r =
			&g_array_index(rules, struct fault_rule, i);

		r->device[0] = '\0';
		r->nth = 0;
		r->every = 0;
		r->ppm = FAULT_PPM_ALL;
		r->from = FAULT_NO_STAGE;
		ck_assert_uint_ne(fault_add(r), 0);
	}
	g_array_free(rules, TRUE);
}

/* How often the rule with @id has hit. */
static inline uint64_t fault_hits(unsigned int id)
{
	static struct fault_status s[FAULT_RULES_MAX];
	unsigned int n = fault_list(s, FAULT_RULES_MAX);

	for (unsigned int i = 0; i < n; i++) {
		if (s[i].id == id)
			return s[i].hit;
	}
	return 0;
}

#endif
