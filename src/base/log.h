/* SPDX-License-Identifier: MIT */
/*
 * log.h - messages for people, on standard error.
 *
 * Error: the user's request failed.  Warn: odd, but we go on.  Info: rare
 * state changes.  Debug: what a developer wants.  One category per module,
 * by name; `--log debug` sets all of them, `--log synic=debug` one.
 *
 * What a guest can repeat goes through the _ratelimited forms: ten lines per
 * place in the source every five seconds, then a count of what was dropped.
 *
 * Thread: any.  A line is one write(2).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_ERROR,
	LOG_WARN,
	LOG_INFO,
	LOG_DEBUG,
};

/* State of one rate-limited place; zero-initialised. */
struct log_limit {
	uint64_t window_start_ns;
	uint32_t in_window;
	uint32_t dropped;
};

/**
 * log_set_level() - apply one `--log` argument
 * @spec: "LEVEL" or "CATEGORY=LEVEL[,…]"; LEVEL is error, warn, info or debug
 *
 * Return: 0, or -EINVAL when @spec is not of that form.
 * Thread: before other threads start.
 */
int log_set_level(const char *spec);

/** log_enabled() - would a line of @level in @category be printed? */
bool log_enabled(enum log_level level, const char *category);

/** log_line() - print one line; errno is left as it was */
void log_line(enum log_level level, const char *category, const char *format,
	      ...) __attribute__((format(printf, 3, 4)));

/** log_limit_pass() - may this place print now? Counts what it refuses */
bool log_limit_pass(struct log_limit *limit, const char *category);

/* A module defines LOG_CATEGORY before it uses these. */
#define log_error(...) log_line(LOG_ERROR, LOG_CATEGORY, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, LOG_CATEGORY, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, LOG_CATEGORY, __VA_ARGS__)
#define log_debug(...)                                                  \
	do {                                                            \
		if (log_enabled(LOG_DEBUG, LOG_CATEGORY))               \
			log_line(LOG_DEBUG, LOG_CATEGORY, __VA_ARGS__); \
	} while (0)

#define log_ratelimited_(level, ...)                                \
	do {                                                        \
		static struct log_limit limit_;                     \
		if (log_enabled(level, LOG_CATEGORY) &&             \
		    log_limit_pass(&limit_, LOG_CATEGORY))          \
			log_line(level, LOG_CATEGORY, __VA_ARGS__); \
	} while (0)
#define log_warn_ratelimited(...)  log_ratelimited_(LOG_WARN, __VA_ARGS__)
#define log_debug_ratelimited(...) log_ratelimited_(LOG_DEBUG, __VA_ARGS__)

#endif
