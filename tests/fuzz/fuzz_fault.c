/* SPDX-License-Identifier: MIT */
/* A file of fault rules: it is refused, or what it says can be asked for. */
#include "config/fault_config.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "fuzz/fuzz.h"

static int milestone(const char *name)
{
	return strlen(name) == 5 ? 5 : -1;
}

static void ask(const struct fault_rule *r)
{
	struct fault_hit hit;

	if (r->point >= N_FAULT_POINTS ||
	    !(fault_points[r->point].actions & 1u << r->action) ||
	    r->ppm > FAULT_PPM_ALL || r->ms > FAULT_MS_MAX ||
	    r->ms < -FAULT_MS_MAX)
		abort();
	if (!fault_add(r))
		return;
	for (unsigned int i = 0; i < 4; i++)
		fault_at(r->point, "scsi0",
			 r->op == FAULT_ANY ? FAULT_NO_OP : r->op, &hit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	GArray *rules = g_array_new(FALSE, FALSE, sizeof(struct fault_rule));
	char *text = g_strndup(data ? (const char *)data : "", size);

	if (!fault_config_parse_lines(text, "fuzz", milestone, rules, NULL)) {
		for (guint i = 0; i < rules->len; i++)
			ask(&g_array_index(rules, struct fault_rule, i));
	}
	fault_clear();
	g_array_free(rules, TRUE);
	g_free(text);
	return 0;
}
