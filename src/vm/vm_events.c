/* SPDX-License-Identifier: MIT */
#include "vm/vm_events.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "report/event.h"

/* That wait to be heard: some are the guest's to make, as often as it likes. */
#define WAITING_MAX 1024u

struct listener {
	void (*heard)(void *ctx, const char *line);
	void *ctx;
};

struct vm_events {
	/* main thread */
	GArray *listeners; /* struct listener */

	pthread_mutex_t lock;
	/* lock */
	GQueue waiting; /* struct event, owned */
	uint64_t lost;
	guint source; /* that will have them heard; 0: none */
};

struct vm_events *vm_events_new(void)
{
	struct vm_events *e = g_new0(struct vm_events, 1);

	e->listeners = g_array_new(FALSE, FALSE, sizeof(struct listener));
	pthread_mutex_init(&e->lock, NULL);
	g_queue_init(&e->waiting);
	return e;
}

static void free_event(gpointer event)
{
	event_free(event);
}

void vm_events_free(struct vm_events *e)
{
	if (!e)
		return;
	if (e->source)
		g_source_remove(e->source);
	g_queue_clear_full(&e->waiting, free_event);
	g_array_free(e->listeners, TRUE);
	pthread_mutex_destroy(&e->lock);
	g_free(e);
}

void vm_events_listen(struct vm_events *e,
		      void (*heard)(void *ctx, const char *line), void *ctx)
{
	struct listener l = {heard, ctx};

	g_array_append_val(e->listeners, l);
}

/* The next that was told, or how many were not kept; NULL: that was all. */
static struct event *next(struct vm_events *e)
{
	struct event *event;

	pthread_mutex_lock(&e->lock);
	event = g_queue_pop_head(&e->waiting);
	if (!event && e->lost) {
		event = event_new(EVENT_KVMBUS_EVENTS_LOST);
		event_add_number(event, "count", e->lost);
		e->lost = 0;
	}
	pthread_mutex_unlock(&e->lock);
	return event;
}

static void hear(struct vm_events *e, const struct event *event)
{
	g_autofree char *line = event_line(event);

	for (guint i = 0; i < e->listeners->len; i++) {
		const struct listener *l =
			&g_array_index(e->listeners, struct listener, i);

		l->heard(l->ctx, line);
	}
}

void vm_events_flush(struct vm_events *e)
{
	struct event *event;

	/* Those that come meanwhile have a source of their own. */
	for (unsigned int i = 0; i <= WAITING_MAX && (event = next(e)); i++) {
		hear(e, event);
		event_free(event);
	}
}

static gboolean on_idle(gpointer data)
{
	struct vm_events *e = data;

	pthread_mutex_lock(&e->lock);
	e->source = 0;
	pthread_mutex_unlock(&e->lock);
	vm_events_flush(e);
	return G_SOURCE_REMOVE;
}

void vm_events_tell(struct vm_events *e, struct event *event)
{
	bool kept;

	pthread_mutex_lock(&e->lock);
	kept = e->waiting.length < WAITING_MAX;
	if (kept)
		g_queue_push_tail(&e->waiting, event);
	else
		e->lost++;
	if (!e->source)
		e->source =
			g_idle_add_full(G_PRIORITY_DEFAULT, on_idle, e, NULL);
	pthread_mutex_unlock(&e->lock);
	if (!kept)
		event_free(event);
}
