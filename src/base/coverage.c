/* SPDX-License-Identifier: MIT */
#include "base/coverage.h"

#include <glib.h>

struct coverage_set *coverage_new(const char *name, unsigned int n_entries)
{
	struct coverage_set *set = g_new0(struct coverage_set, 1);

	set->name = name;
	set->n_entries = n_entries;
	set->entries = g_new0(struct coverage_entry, n_entries);
	return set;
}

void coverage_free(struct coverage_set *set)
{
	if (!set)
		return;
	g_free(set->entries);
	g_free(set);
}

void coverage_status(struct coverage_entry *entry, uint32_t status)
{
	struct coverage_status *s = entry->statuses;

	if (!status)
		return;
	coverage_refuse(entry);
	for (; s < entry->statuses + COVERAGE_STATUSES - 1; s++) {
		uint32_t seen = 0;

		if (atomic_compare_exchange_strong(&s->status, &seen, status) ||
		    seen == status)
			break;
	}
	atomic_fetch_add_explicit(&s->count, 1, memory_order_relaxed);
}
