/* SPDX-License-Identifier: MIT */
/*
 * mail.c - what channels have for one another.
 *
 * A frame that came on one channel's queue, and belongs to another by the
 * guest's RSS table, is in sections of the first one's.  The other sends the
 * packet, and the guest completes it there; then the sections go back by the
 * same way.  Only such frames take a lock.
 *
 * A channel that takes no mail (it is not open yet, or not any more) says so,
 * and the frame stays where it came from.
 */
#include "vsp/netvsp/impl.h"

bool netvsp_mail_frame(struct netvsp_channel *to, uint32_t first)
{
	struct netvsp_mail *m = &to->mail;
	bool taken = false;

	pthread_mutex_lock(&m->lock);
	if (m->is_taken && m->n < NETVSP_MAIL_MAX) {
		m->frames[(m->at + m->n++) % NETVSP_MAIL_MAX] = first;
		taken = true;
	}
	pthread_mutex_unlock(&m->lock);
	if (taken)
		worker_queue(to->worker, &to->mail_task);
	return taken;
}

bool netvsp_mail_section(struct netvsp_channel *home, struct sections *sections,
			 uint32_t section)
{
	struct netvsp_mail *m = &home->mail;
	bool taken;

	pthread_mutex_lock(&m->lock);
	taken = m->is_taken;
	if (taken)
		section_pool_put(sections, &m->back, section);
	pthread_mutex_unlock(&m->lock);
	if (taken)
		worker_queue(home->worker, &home->mail_task);
	return taken;
}

/* The next frame; SECTION_NONE: none. */
static uint32_t next_frame(struct netvsp_mail *m)
{
	uint32_t first = SECTION_NONE;

	pthread_mutex_lock(&m->lock);
	if (m->n)
		first = m->frames[m->at];
	pthread_mutex_unlock(&m->lock);
	return first;
}

bool netvsp_has_mail(struct netvsp_channel *c)
{
	return next_frame(&c->mail) != SECTION_NONE;
}

static void pop_frame(struct netvsp_mail *m)
{
	pthread_mutex_lock(&m->lock);
	m->at = (m->at + 1) % NETVSP_MAIL_MAX;
	m->n--;
	pthread_mutex_unlock(&m->lock);
}

/* Sections that were lent to others. */
static bool take_back(struct netvsp_channel *c)
{
	struct netvsp_mail *m = &c->mail;
	uint32_t section;
	bool some = false;

	if (!c->sections)
		return false;
	pthread_mutex_lock(&m->lock);
	while ((section = section_pool_take(c->sections, &m->back)) !=
	       SECTION_NONE) {
		section_pool_put(c->sections, &c->pool, section);
		some = true;
	}
	pthread_mutex_unlock(&m->lock);
	return some;
}

void netvsp_mail_open(struct netvsp_channel *c, bool is_taken)
{
	struct netvsp_mail *m = &c->mail;
	uint32_t first;

	pthread_mutex_lock(&m->lock);
	m->is_taken = is_taken;
	pthread_mutex_unlock(&m->lock);
	if (is_taken)
		return;
	take_back(c);
	while ((first = next_frame(m)) != SECTION_NONE) {
		pop_frame(m);
		netvsp_free_chain(c, first);
	}
}

static unsigned int chain_length(const struct sections *s, uint32_t first)
{
	unsigned int n = 0;

	for (; first != SECTION_NONE; first = s->next[first])
		n++;
	return n;
}

static void bring_frames(struct netvsp_channel *c)
{
	uint32_t first;

	while ((first = next_frame(&c->mail)) != SECTION_NONE) {
		if (!netvsp_batch_has_room(c,
					   chain_length(c->sections, first))) {
			/* netvsp_rx_resume() is to come here again. */
			c->blocked = true;
			netvsp_rx_watch(c);
			break;
		}
		pop_frame(&c->mail);
		netvsp_batch_add(c, first);
	}
	netvsp_batch_send(c);
}

void netvsp_run_mail(struct worker_task *task)
{
	struct netvsp_channel *c = NETVSP_CHANNEL_OF(task, mail_task);

	if (take_back(c))
		netvsp_rx_resume(c);
	if (!c->is_open || !c->sections)
		return;
	channel_hold(c->ch);
	bring_frames(c);
	channel_unhold(c->ch);
}
