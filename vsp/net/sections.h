/* SPDX-License-Identifier: MIT */
/*
 * sections.h - the sections of a receive buffer: which are free, and which a
 * packet to the guest has.
 *
 * Theory of operation.  A section is in one list at a time, through one array
 * of links: in a channel's pool of free ones, or in the chain of a packet that
 * the guest has not completed.  A packet is known by its first section, which
 * says on which channel it is; so the guest's completion is checked by looking
 * at one word, and there is no table of packets, nothing is allocated, and
 * nothing can be completed twice.
 *
 * A section belongs to the pool that it was given to, its home.  A packet may
 * be sent on another channel than that.
 *
 * Thread: a section's words are touched only by the thread whose pool or
 * packet it is in; who passes it on orders that.  Only whose packet it is may
 * be looked at by any, who sees then what it is not.
 */
#ifndef VSP_NET_SECTIONS_H
#define VSP_NET_SECTIONS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SECTION_NONE UINT32_MAX

struct sections {
	uint32_t bytes; /* of each */
	uint32_t count;
	uint32_t *next;
	/* Of a packet's first: the channel and one; else 0.  Any thread looks. */
	_Atomic uint16_t *user;
	uint16_t *home; /* the channel */
	uint32_t *used; /* bytes that a packet has in it */
	uint16_t *frames; /* of a packet's first: in all of it */
};

struct section_pool {
	uint32_t first;
	uint32_t n;
};

/** sections_new() - none is in a pool */
struct sections *sections_new(uint32_t bytes, uint32_t count);
void sections_free(struct sections *s);

static inline void section_pool_init(struct section_pool *pool)
{
	*pool = (struct section_pool){.first = SECTION_NONE};
}

/** section_pool_put() - @section is free; in no list before */
static inline void section_pool_put(struct sections *s,
				    struct section_pool *pool, uint32_t section)
{
	s->next[section] = pool->first;
	pool->first = section;
	pool->n++;
}

/** section_pool_take() - Return: a section in no list; SECTION_NONE */
static inline uint32_t section_pool_take(struct sections *s,
					 struct section_pool *pool)
{
	uint32_t section = pool->first;

	if (section == SECTION_NONE)
		return section;
	pool->first = s->next[section];
	pool->n--;
	s->next[section] = SECTION_NONE;
	return section;
}

/** section_pool_give() - @n sections of @from, or all, are at home in @to now */
void section_pool_give(struct sections *s, struct section_pool *from,
		       struct section_pool *to, uint32_t n, uint16_t home);

/** sections_chain() - @section follows @last in a packet; both in no pool */
static inline void sections_chain(struct sections *s, uint32_t last,
				  uint32_t section)
{
	s->next[last] = section;
	s->next[section] = SECTION_NONE;
}

/**
 * sections_sent() - the guest has the packet that begins with @first
 *
 * Return: its transaction id; not 0.
 */
static inline uint64_t sections_sent(struct sections *s, uint32_t first,
				     uint16_t channel)
{
	atomic_store_explicit(&s->user[first], (uint16_t)(channel + 1),
			      memory_order_relaxed);
	return (uint64_t)first + 1;
}

/** sections_is_sent() - does a packet on @channel begin with @first? */
static inline bool sections_is_sent(const struct sections *s, uint32_t first,
				    uint16_t channel)
{
	return atomic_load_explicit(&s->user[first], memory_order_relaxed) ==
	       channel + 1;
}

/**
 * sections_completed() - the guest says that it is done with a packet
 * @trans_id: the guest's word
 *
 * Return: the first of its sections; SECTION_NONE: there is no such packet on
 * @channel.
 */
static inline uint32_t sections_completed(struct sections *s, uint64_t trans_id,
					  uint16_t channel)
{
	uint64_t i = trans_id - 1;

	if (i >= s->count || !sections_is_sent(s, (uint32_t)i, channel))
		return SECTION_NONE;
	atomic_store_explicit(&s->user[i], 0, memory_order_relaxed);
	return (uint32_t)i;
}

#endif
