/* SPDX-License-Identifier: MIT */
#include "vsp/spare_memory.h"

#include "base/checked.h"

void spare_memory_init(struct spare_memory *m, uint64_t first, uint64_t end)
{
	*m = (struct spare_memory){.first = first, .end = end};
	spare_memory_next_kernel(m, true);
}

void spare_memory_next_kernel(struct spare_memory *m, bool was_reset)
{
	if (was_reset)
		m->given_end = m->first;
	m->old_at = m->first;
	m->old_end = m->given_end;
}

/* Whole units in [@from, @end). Return: pages; *@at: where. */
static uint64_t units_in(uint64_t from, uint64_t end, uint64_t unit,
			 uint64_t *at)
{
	*at = align_up(from, unit);
	return *at < end ? align_down(end - *at, unit) : 0;
}

uint64_t spare_memory_room(const struct spare_memory *m, uint64_t unit)
{
	uint64_t at;

	return units_in(m->given_end, m->end, unit, &at) +
	       units_in(m->old_at, m->old_end, unit, &at);
}

bool spare_memory_next(const struct spare_memory *m, uint64_t unit,
		       uint64_t *at)
{
	return units_in(m->given_end, m->end, unit, at) ||
	       units_in(m->old_at, m->old_end, unit, at);
}

void spare_memory_give(struct spare_memory *m, uint64_t at, uint64_t n)
{
	if (at >= m->given_end)
		m->given_end = at + n;
	else
		m->old_at = at + n;
}

uint64_t spare_memory_given(const struct spare_memory *m)
{
	return m->given_end - m->first;
}
