/* SPDX-License-Identifier: MIT */
/*
 * finding_cases.h - the two cases of a finding's rule: a guest that comes as
 * near to it as it may, and one that breaks it.
 *
 * tests/lint/findings.sh wants a row for each rule.
 */
#ifndef SUPPORT_FINDING_CASES_H
#define SUPPORT_FINDING_CASES_H

#include <glib.h>

#include "base/findings.h"
#include "support/check_main.h"

struct finding_case {
	enum finding rule;
	const char *where; /* where it is found */
	/* One after the other, in the same guest. */
	void (*conforms)(void);
	void (*breaks)(void);
};

/** finding_expect_clean() - the guest has behaved so far */
static inline void finding_expect_clean(void)
{
	unsigned int n;
	g_autofree struct finding_seen *seen = findings_list(&n);

	for (unsigned int i = 0; i < n; i++)
		ck_abort_msg("%s at %s: %s", findings_rule(seen[i].rule)->id,
			     seen[i].where, seen[i].detail);
}

/** finding_expect_at() - @rule was broken at @where, and nothing else */
static inline void finding_expect_at(enum finding rule, const char *where)
{
	unsigned int n;
	g_autofree struct finding_seen *seen = findings_list(&n);

	ck_assert_msg(n == 1 && seen[0].rule == rule, "%u findings, %s", n,
		      n ? findings_rule(seen[0].rule)->id : "none");
	ck_assert_str_eq(seen[0].where, where);
	ck_assert_uint_ge(seen[0].count, 1);
	ck_assert_str_ne(seen[0].detail, "");
}

/** finding_run() - both, after the fixture has made a guest */
static inline void finding_run(const struct finding_case *c)
{
	findings_reset();
	if (c->conforms)
		c->conforms();
	finding_expect_clean();
	c->breaks();
	finding_expect_at(c->rule, c->where);
}

#endif
