/* SPDX-License-Identifier: MIT */
#include "trace/trace_file.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "base/trace_reader.h"
#include "trace/decode.h"

#define LOG_CATEGORY "trace"

/* Of each thread: 2 MiB. */
#define FILE_SLOTS 32768u
#define PAUSE_NS   (5 * NSEC_PER_MSEC)

struct trace_file {
	/* set once */
	FILE *out;
	uint32_t mask;
	struct trace_reader *reader;
	pthread_t thread;

	/* the thread, and whoever has joined it */
	struct fields fields;
	GArray *records;
	GString *lines;
	uint64_t lost_said;
	int err;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop; /* lock */
};

static void say_lost(struct trace_file *f)
{
	uint64_t lost = trace_reader_lost(f->reader), n = lost - f->lost_said;

	if (!n)
		return;
	f->lost_said = lost;
	if (f->fields.format == TRACE_JSON)
		g_string_append_printf(f->lines, "{\"lost\":%" PRIu64 "}\n", n);
	else
		g_string_append_printf(f->lines,
				       "# %" PRIu64 " records were lost\n", n);
}

static void drain(struct trace_file *f)
{
	g_array_set_size(f->records, 0);
	g_string_truncate(f->lines, 0);
	trace_reader_collect(f->reader, f->records);
	say_lost(f);
	for (guint i = 0; i < f->records->len; i++) {
		const struct trace_record *r =
			&g_array_index(f->records, struct trace_record, i);

		if (f->mask >> trace_event_category(r->event) & 1)
			trace_line(r, &f->fields, f->lines);
	}
	if (!f->lines->len || f->err)
		return;
	if (fwrite(f->lines->str, 1, f->lines->len, f->out) != f->lines->len) {
		f->err = errno;
		log_error("--trace-file: %s", g_strerror(f->err));
	}
}

static void *run(void *arg)
{
	struct trace_file *f = arg;
	bool stop;

	do {
		uint64_t until = clock_monotonic_ns() + PAUSE_NS;
		struct timespec ts = {.tv_sec = (time_t)(until / NSEC_PER_SEC),
				      .tv_nsec = (long)(until % NSEC_PER_SEC)};

		pthread_mutex_lock(&f->lock);
		if (!f->stop)
			pthread_cond_timedwait(&f->changed, &f->lock, &ts);
		stop = f->stop;
		pthread_mutex_unlock(&f->lock);
		drain(f);
	} while (!stop);
	return NULL;
}

static void destroy(struct trace_file *f)
{
	if (f->out != stderr)
		fclose(f->out);
	trace_reader_free(f->reader);
	fields_clear(&f->fields);
	g_array_free(f->records, TRUE);
	g_string_free(f->lines, TRUE);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	g_free(f);
}

struct trace_file *trace_file_start(const char *path, uint32_t mask,
				    enum trace_format format, GError **error)
{
	FILE *out = strcmp(path, "-") ? fopen(path, "we") : stderr;
	struct trace_file *f;
	pthread_condattr_t attr;
	int err;

	if (!out) {
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
			    "--trace-file %s: %s", path, g_strerror(errno));
		return NULL;
	}
	f = g_new0(struct trace_file, 1);
	f->out = out;
	f->mask = mask;
	f->reader = trace_reader_new(UINT64_MAX);
	f->records = g_array_new(FALSE, FALSE, sizeof(struct trace_record));
	f->lines = g_string_new(NULL);
	fields_init(&f->fields, format);
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&f->changed, &attr);
	pthread_condattr_destroy(&attr);
	trace_set_slots(FILE_SLOTS);
	trace_set_mask(mask | TRACE_DEFAULT_MASK);
	err = thread_start(&f->thread, "trace", run, f);
	if (err) {
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-err),
			    "--trace-file: %s", g_strerror(-err));
		destroy(f);
		return NULL;
	}
	return f;
}

uint64_t trace_file_stop(struct trace_file *f)
{
	uint64_t lost;

	if (!f)
		return 0;
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_signal(&f->changed);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	lost = trace_reader_lost(f->reader);
	if (lost)
		log_warn("--trace-file: %" PRIu64 " records came too fast, and "
			 "are not in it",
			 lost);
	destroy(f);
	return lost;
}
