/* SPDX-License-Identifier: MIT */
#include "base/coverage.h"
#include "vsp/vsp.h"

static uint64_t refused(const struct coverage_entry *e)
{
	uint64_t n = e->refused;

	for (unsigned int i = 0; i < COVERAGE_STATUSES; i++)
		n += e->statuses[i].count;
	return n;
}

void vsp_table_facts(const struct coverage_set *set, enum vsp_table table,
		     const struct vsp_facts *to)
{
	for (unsigned int i = 0; to->use && i < set->n_entries; i++) {
		const struct coverage_entry *e = &set->entries[i];

		to->use(to->ctx, table, e->name, e->number, e->count,
			refused(e));
	}
}
