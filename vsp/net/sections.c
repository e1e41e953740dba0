/* SPDX-License-Identifier: MIT */
#include "vsp/net/sections.h"

#include <glib.h>

struct sections *sections_new(uint32_t bytes, uint32_t count)
{
	struct sections *s = g_new0(struct sections, 1);

	s->bytes = bytes;
	s->count = count;
	s->next = g_new(uint32_t, count);
	s->user = g_new0(_Atomic uint16_t, count);
	s->home = g_new0(uint16_t, count);
	s->used = g_new0(uint32_t, count);
	s->frames = g_new0(uint16_t, count);
	for (uint32_t i = 0; i < count; i++)
		s->next[i] = SECTION_NONE;
	return s;
}

void sections_free(struct sections *s)
{
	if (!s)
		return;
	g_free(s->next);
	g_free((void *)s->user);
	g_free(s->home);
	g_free(s->used);
	g_free(s->frames);
	g_free(s);
}

void section_pool_give(struct sections *s, struct section_pool *from,
		       struct section_pool *to, uint32_t n, uint16_t home)
{
	while (n-- && from->n) {
		uint32_t section = section_pool_take(s, from);

		s->home[section] = home;
		section_pool_put(s, to, section);
	}
}
