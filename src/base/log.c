/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "base/clock.h"

#define LOG_CATEGORIES_MAX 32
#define LOG_LINE_MAX       1024
#define LIMIT_BURST        10
#define LIMIT_WINDOW_NS    5000000000ull

static const char *const level_names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARN] = "warn",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

/* Set before threads start, then read-only. */
static enum log_level default_level = LOG_WARN;
static struct {
	char name[24];
	enum log_level level;
} categories[LOG_CATEGORIES_MAX];
static unsigned int n_categories;

static pthread_mutex_t limit_lock = PTHREAD_MUTEX_INITIALIZER;

static int level_parse(const char *name, enum log_level *level)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(level_names); i++) {
		if (!strcmp(name, level_names[i])) {
			*level = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_one(const char *word)
{
	const char *eq = strchr(word, '=');
	enum log_level level;

	if (!eq)
		return level_parse(word, &default_level);
	if (eq == word || (size_t)(eq - word) >= sizeof(categories[0].name) ||
	    n_categories == LOG_CATEGORIES_MAX || level_parse(eq + 1, &level))
		return -EINVAL;
	memcpy(categories[n_categories].name, word, (size_t)(eq - word));
	categories[n_categories].name[eq - word] = '\0';
	categories[n_categories++].level = level;
	return 0;
}

int log_set_level(const char *spec)
{
	g_auto(GStrv) words = g_strsplit(spec, ",", -1);

	if (!words[0])
		return -EINVAL;
	for (char **w = words; *w; w++) {
		if (set_one(*w))
			return -EINVAL;
	}
	return 0;
}

bool log_enabled(enum log_level level, const char *category)
{
	for (unsigned int i = n_categories; i-- > 0;) {
		if (!strcmp(categories[i].name, category))
			return level <= categories[i].level;
	}
	return level <= default_level;
}

void log_line(enum log_level level, const char *category, const char *format,
	      ...)
{
	char line[LOG_LINE_MAX];
	int saved = errno;
	va_list args;
	int n, m;

	if (!log_enabled(level, category))
		return;
	n = snprintf(line, sizeof(line), "kvmbus: %s: %s: ", level_names[level],
		     category);
	va_start(args, format);
	errno = saved;
	m = vsnprintf(line + n, sizeof(line) - (size_t)n - 1, format, args);
	va_end(args);
	if (m < 0)
		m = 0;
	n = MIN(n + m, LOG_LINE_MAX - 2);
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n) < 0) {
		/* Nobody is left to tell. */
	}
	errno = saved;
}

bool log_limit_pass(struct log_limit *limit, const char *category)
{
	uint64_t now = clock_monotonic_ns();
	uint32_t dropped = 0;
	bool pass;

	pthread_mutex_lock(&limit_lock);
	if (!limit->window_start_ns ||
	    now - limit->window_start_ns >= LIMIT_WINDOW_NS) {
		limit->window_start_ns = now;
		limit->in_window = 0;
		dropped = limit->dropped;
		limit->dropped = 0;
	}
	pass = limit->in_window < LIMIT_BURST;
	if (pass)
		limit->in_window++;
	else
		limit->dropped++;
	pthread_mutex_unlock(&limit_lock);

	if (dropped)
		log_line(LOG_WARN, category,
			 "%u more lines like the next one were left out",
			 dropped);
	return pass;
}
