/* SPDX-License-Identifier: MIT */
#include "report/rules.h"

#include <errno.h>

#include <glib.h>

#include "base/findings.h"

int rules_print(FILE *out)
{
	for (int i = 0; i < N_FINDINGS; i++) {
		const struct finding_rule *r = findings_rule((enum finding)i);

		fprintf(out, "%s%s (%s, %s)\n  %s\n  Source: %s\n",
			i ? "\n" : "", r->id,
			finding_severity_name(r->severity),
			trace_category_name(r->category), r->text, r->source);
	}
	return fflush(out) || ferror(out) ? -EIO : 0;
}
