/* SPDX-License-Identifier: MIT */
#include "report/status_line.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>

#include <glib.h>

#include "base/clock.h"
#include "report/milestone.h"

/* To the first column, and all behind it away. */
#define CLEAR "\r\033[K"

struct status_line {
	FILE *out;
	const struct milestones *milestones;

	pthread_mutex_t lock;
	/* lock */
	bool shown, ended;
};

struct status_line *status_line_new(FILE *out, const struct milestones *m)
{
	struct status_line *line = g_new0(struct status_line, 1);

	line->out = out;
	line->milestones = m;
	pthread_mutex_init(&line->lock, NULL);
	return line;
}

/* The last that was reached; NULL: none. */
static const char *latest(const struct milestones *m)
{
	const char *name = NULL;
	uint64_t when = 0;

	for (int i = 0; i < N_MILESTONES; i++) {
		uint64_t at = atomic_load(&m->reached_ns[i]);

		if (at > when) {
			when = at;
			name = milestone_name((enum milestone)i);
		}
	}
	return name;
}

void status_line_show(struct status_line *line)
{
	uint64_t ms = (clock_monotonic_ns() - line->milestones->start_ns) /
		      NSEC_PER_MSEC;
	const char *name = latest(line->milestones);

	pthread_mutex_lock(&line->lock);
	if (!line->ended) {
		fprintf(line->out,
			CLEAR "kvmbus: %" PRIu64 ".%" PRIu64 " s, %s",
			ms / 1000, ms % 1000 / 100, name ? name : "starting");
		fflush(line->out);
		line->shown = true;
	}
	pthread_mutex_unlock(&line->lock);
}

void status_line_end(struct status_line *line)
{
	if (!line)
		return;
	pthread_mutex_lock(&line->lock);
	if (line->shown && !line->ended) {
		fputs(CLEAR, line->out);
		fflush(line->out);
	}
	line->ended = true;
	pthread_mutex_unlock(&line->lock);
}

void status_line_free(struct status_line *line)
{
	if (!line)
		return;
	status_line_end(line);
	pthread_mutex_destroy(&line->lock);
	g_free(line);
}
