/* SPDX-License-Identifier: MIT */
/*
 * buffers.c - the guest's receive buffer and send buffer.
 *
 * The receive buffer is cut into sections; some are for answers, the rest are
 * the primary's, until sub-channels are granted: each gets the same share
 * then, of those that are free.
 */
#include <inttypes.h>

#include "base/findings.h"
#include "base/log.h"
#include "vsp/netvsp/impl.h"

#define LOG_CATEGORY "net"

/* Use a GPADL as a buffer.  Return: NULL, and it is the guest's again. */
static struct guest_buffer *map(struct netvsp *s, uint32_t id,
				const struct gpadl **gpadl)
{
	struct channel *ch = s->channels[0]->ch;
	struct guest_buffer *b;

	*gpadl = channel_gpadl_get(ch, id);
	if (!*gpadl)
		return NULL;
	b = guest_buffer_new(s->mem, *gpadl);
	if (b)
		return b;
	channel_gpadl_put(ch, *gpadl);
	*gpadl = NULL;
	return NULL;
}

static void unmap(struct netvsp *s, struct guest_buffer **b,
		  const struct gpadl **gpadl)
{
	guest_buffer_free(*b);
	*b = NULL;
	if (*gpadl)
		channel_gpadl_put(s->channels[0]->ch, *gpadl);
	*gpadl = NULL;
}

/* --- what channels know of buffers --------------------------------------------- */

struct buffers {
	struct netvsp_channel *c;
	const struct guest_buffer *recv, *send;
	struct sections *sections;
};

static void set_buffers(void *ctx)
{
	const struct buffers *b = ctx;
	struct netvsp_channel *c = b->c;

	if (c->sections && !b->sections) {
		netvsp_mail_open(c, false);
		netvsp_rx_reset(c);
		section_pool_init(&c->pool);
		c->in_flight = 0;
	}
	c->recv = b->recv;
	c->send = b->send;
	c->sections = b->sections;
	netvsp_mail_open(c, c->sections && c->is_open);
	netvsp_rx_update(c);
}

static void tell_channels(struct netvsp *s)
{
	for (unsigned int i = 0; i < s->n_channels; i++) {
		struct buffers b = {.c = s->channels[i],
				    .recv = s->recv,
				    .send = s->send,
				    .sections = s->sections};

		worker_call(b.c->worker, set_buffers, &b);
	}
}

/* --- the receive buffer ----------------------------------------------------------- */

static uint32_t cut_into_sections(struct netvsp *s)
{
	struct netvsp_channel *primary = s->channels[0];
	uint32_t mtu = MAX(s->mtu, NETVSP_MTU_DEFAULT);
	uint32_t bytes =
		netvsp_section_bytes(mtu, s->capability & NVSP_NDIS_CAP_RSC);
	uint32_t n = guest_buffer_bytes(s->recv) / bytes;
	struct section_pool *to = &s->control_pool;

	if (n < NETVSP_SECTIONS_MIN)
		return NVSP_STAT_FAIL;
	s->sections = sections_new(bytes, n);
	section_pool_init(&primary->pool);
	section_pool_init(to);
	for (uint32_t i = 0; i < n; i++) {
		if (i == MIN(NETVSP_CONTROL_SECTIONS, n / 4))
			to = &primary->pool;
		section_pool_put(s->sections, to, i);
	}
	return NVSP_STAT_SUCCESS;
}

uint32_t netvsp_share_recv(struct netvsp *s, uint32_t gpadl, uint16_t id)
{
	uint32_t status;

	if (s->recv)
		return NVSP_STAT_FAIL;
	s->recv = map(s, gpadl, &s->recv_gpadl);
	if (!s->recv)
		return NVSP_STAT_FAIL;
	s->recv_id = id;
	status = cut_into_sections(s);
	if (status == NVSP_STAT_SUCCESS)
		tell_channels(s);
	else
		unmap(s, &s->recv, &s->recv_gpadl);
	return status;
}

void netvsp_drop_recv(struct netvsp *s)
{
	struct guest_buffer *b = s->recv;
	struct sections *sections = s->sections;

	if (!b)
		return;
	s->recv = NULL;
	s->sections = NULL;
	tell_channels(s);
	section_pool_init(&s->control_pool);
	sections_free(sections);
	unmap(s, &b, &s->recv_gpadl);
}

/* --- the send buffer ----------------------------------------------------------------- */

uint32_t netvsp_share_send(struct netvsp *s, uint32_t gpadl)
{
	if (s->send)
		return NVSP_STAT_FAIL;
	s->send = map(s, gpadl, &s->send_gpadl);
	if (!s->send)
		return NVSP_STAT_FAIL;
	if (guest_buffer_bytes(s->send) < NETVSP_SEND_SECTION_BYTES) {
		unmap(s, &s->send, &s->send_gpadl);
		return NVSP_STAT_FAIL;
	}
	tell_channels(s);
	return NVSP_STAT_SUCCESS;
}

void netvsp_drop_send(struct netvsp *s)
{
	struct guest_buffer *b = s->send;

	if (!b)
		return;
	s->send = NULL;
	tell_channels(s);
	unmap(s, &b, &s->send_gpadl);
}

/* --- who has which sections -------------------------------------------------------------- */

struct share {
	struct netvsp_channel *c;
	struct section_pool pool;
};

static void take_share(void *ctx)
{
	const struct share *share = ctx;

	share->c->pool = share->pool;
	netvsp_rx_update(share->c);
}

void netvsp_spread_sections(struct netvsp *s, unsigned int n)
{
	struct netvsp_channel *primary = s->channels[0];
	uint32_t each;

	if (!s->sections || !n)
		return;
	/* Those that are ready to be read into are free, too. */
	netvsp_rx_reset(primary);
	each = primary->pool.n / (n + 1);
	for (unsigned int i = 1; i <= n; i++) {
		struct share share = {.c = s->channels[i]};

		section_pool_init(&share.pool);
		section_pool_give(s->sections, &primary->pool, &share.pool,
				  each, (uint16_t)i);
		worker_call(share.c->worker, take_share, &share);
	}
}

bool netvsp_can_rsc(const struct netvsp *s)
{
	/* The window takes some, so each channel is to have twice as many. */
	return s->sections &&
	       s->sections->count / s->n_channels >=
		       2 * netvsp_rx_sections(s->sections->bytes);
}

/* A section whose packet is over, or that never was in one. */
static void free_section(struct netvsp_channel *c, uint32_t section)
{
	struct netvsp *s = c->s;
	uint16_t home = c->sections->home[section];

	if (home == c->index)
		section_pool_put(c->sections, &c->pool, section);
	else
		netvsp_mail_section(s->channels[home], c->sections, section);
}

void netvsp_free_chain(struct netvsp_channel *c, uint32_t first)
{
	while (first != SECTION_NONE) {
		uint32_t next = c->sections->next[first];

		c->sections->next[first] = SECTION_NONE;
		free_section(c, first);
		first = next;
	}
}

static bool is_control(const struct netvsp_channel *c, uint32_t section)
{
	return netvsp_is_primary(c) &&
	       section < MIN(NETVSP_CONTROL_SECTIONS, c->sections->count / 4);
}

void netvsp_completed(struct netvsp_channel *c, uint64_t trans_id)
{
	uint32_t first;

	if (!c->sections)
		return;
	first = sections_completed(c->sections, trans_id, c->index);
	if (first == SECTION_NONE) {
		netvsp_count(&c->n.refused, 1);
		findings_hit(FINDING_COMPLETION_UNKNOWN, channel_name(c->ch),
			     "transaction 0x%" PRIx64, trans_id);
		return;
	}
	if (is_control(c, first)) {
		section_pool_put(c->sections, &c->s->control_pool, first);
		netvsp_send_replies(c->s);
		return;
	}
	netvsp_milestone(c->s, &c->s->had_rx, c->s->params.received);
	c->in_flight -= c->sections->frames[first];
	netvsp_free_chain(c, first);
	netvsp_rx_resume(c);
}
