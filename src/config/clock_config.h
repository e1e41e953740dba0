/* SPDX-License-Identifier: MIT */
/*
 * clock_config.h - what time it is in the machine: plain data, as libvirt's
 * <clock> has it.
 */
#ifndef CONFIG_CLOCK_CONFIG_H
#define CONFIG_CLOCK_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct json_object;

/* What the battery-backed clock shows at the start. */
enum clock_base {
	CLOCK_UTC,
	CLOCK_LOCALTIME, /* the host's */
	CLOCK_TIMEZONE, /* that of @timezone */
	CLOCK_VARIABLE, /* @adjustment_s from UTC or the host's local time */
	CLOCK_ABSOLUTE, /* @start_s */
};

/* Ticks of the PIT that the guest was too late for. */
enum tick_policy {
	TICK_DELAY, /* come later, one after the other */
	TICK_DISCARD, /* do not come */
};

/* A century each way. */
#define CONFIG_CLOCK_ADJUSTMENT_MAX INT64_C(3155760000)
/* The year 9999 ends. */
#define CONFIG_CLOCK_START_MAX      INT64_C(253402300799)

struct clock_config {
	enum clock_base base;
	/* CLOCK_TIMEZONE: of the host's database, "Europe/Paris" */
	char *timezone;
	/* CLOCK_VARIABLE: up to CONFIG_CLOCK_ADJUSTMENT_MAX either way */
	int64_t adjustment_s;
	bool from_localtime; /* what it is added to; false: UTC */
	/* CLOCK_ABSOLUTE: since 1970, UTC; 0 to CONFIG_CLOCK_START_MAX */
	int64_t start_s;
	enum tick_policy pit;
};

void clock_config_clear(struct clock_config *clock);

/**
 * clock_config_parse() - understand "utc", "localtime", "timezone=NAME",
 * "[+-]SECONDS" or "start=SECONDS"
 *
 * Return: 0, or -1 with @error (CONFIG_ERROR), "WORD: hint".
 */
int clock_config_parse(struct clock_config *clock, const char *text,
		       GError **error);

/** clock_config_check() - Return: 0, or -1 with @error (CONFIG_ERROR) */
int clock_config_check(const struct clock_config *clock, GError **error);

/* How far the guest's clocks are from UTC, at the start and from then on. */
struct clock_offsets {
	int64_t rtc_s; /* the battery-backed clock */
	int64_t utc_s; /* what the guest is told that UTC is */
};

/**
 * clock_config_offsets() - of a machine that starts at @now_s
 * @now_s: UTC since 1970
 *
 * A clock that shows the time of a place is a guest's wish, and UTC is what it
 * is; one that is wrong on purpose is wrong in UTC too.
 */
struct clock_offsets clock_config_offsets(const struct clock_config *clock,
					  int64_t now_s);

/** clock_config_json() - for `--print-config`; owned */
struct json_object *clock_config_json(const struct clock_config *clock);

#endif
