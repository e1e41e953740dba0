/* SPDX-License-Identifier: MIT */
#include "config/disk_limits.h"

#include <errno.h>
#include <string.h>

#include "config/machine_config.h"
#include "config/option_list.h"

static const char *const names[DISK_LIMITS] = {
	[DISK_BPS] = "bps",
	[DISK_BPS_READ] = "bps-read",
	[DISK_BPS_WRITE] = "bps-write",
	[DISK_IOPS] = "iops",
	[DISK_IOPS_READ] = "iops-read",
	[DISK_IOPS_WRITE] = "iops-write",
};

#define BURST   "-max"
#define BURST_S "-max-length"
#define SIZE    "iops-size"
#define GROUP   "throttle-group"

const char *disk_limits_name(enum disk_limit_index i)
{
	return names[i];
}

/* Which limit it is of, and what is behind the limit's name; -1: of none. */
static int find(const char *key, const char **rest)
{
	static const char *const endings[] = {"", BURST, BURST_S};

	for (int i = 0; i < DISK_LIMITS; i++) {
		if (!g_str_has_prefix(key, names[i]))
			continue;
		*rest = key + strlen(names[i]);
		for (unsigned int k = 0; k < G_N_ELEMENTS(endings); k++) {
			if (!strcmp(*rest, endings[k]))
				return i;
		}
	}
	return -1;
}

bool disk_limits_knows(const char *key)
{
	const char *rest;

	return !strcmp(key, SIZE) || !strcmp(key, GROUP) ||
	       find(key, &rest) >= 0;
}

/* A number from 1 to @max. */
static int set_number(uint64_t *to, const char *key, const char *value,
		      uint64_t max, GError **error)
{
	static const char suffixes[] = "KMGT";
	const char *suffix;
	char *end;

	if (!value || !g_ascii_isdigit(*value))
		return option_refuse(error, key, "wants a number");
	errno = 0;
	*to = g_ascii_strtoull(value, &end, 10);
	if (!*to || errno)
		return option_refuse(error, key,
				     "wants a number greater than 0");
	suffix = *end ? strchr(suffixes, g_ascii_toupper(*end)) : NULL;
	for (const char *s = suffixes; suffix && s <= suffix; s++) {
		*to = *to > max ? max + 1 : *to * 1024;
		end += s == suffix;
	}
	if (*end)
		return option_refuse(error, key,
				     "wants a number; K, M, G or T "
				     "behind it are of 1024");
	if (*to > max)
		return option_refuse(error, key, "is too much");
	return 0;
}

int disk_limits_set(struct disk_limits *l, const char *key, const char *value,
		    GError **error)
{
	struct disk_limit *limit;
	const char *rest = "";
	uint64_t seconds = 0;
	int i;

	if (!strcmp(key, GROUP)) {
		if (!value || !*value)
			return option_refuse(error, key, "wants a name");
		g_free(l->group);
		l->group = g_strdup(value);
		return 0;
	}
	if (!strcmp(key, SIZE))
		return set_number(&l->iops_bytes, key, value, CONFIG_LIMIT_MAX,
				  error);
	i = find(key, &rest);
	if (i < 0)
		return option_refuse(error, key, "no such limit");
	limit = &l->of[i];
	if (!*rest)
		return set_number(&limit->rate, key, value, CONFIG_LIMIT_MAX,
				  error);
	if (!strcmp(rest, BURST))
		return set_number(&limit->burst, key, value, CONFIG_LIMIT_MAX,
				  error);
	if (set_number(&seconds, key, value, CONFIG_BURST_S_MAX, error))
		return -1;
	limit->burst_s = (unsigned int)seconds;
	return 0;
}

static int check_limit(const struct disk_limit *limit, const char *name,
		       GError **error)
{
	if (limit->burst && !limit->rate)
		return option_refuse(
			error, name,
			"a burst (-max) is of a limit: there is none");
	if (limit->burst && limit->burst < limit->rate)
		return option_refuse(
			error, name,
			"a burst (-max) is not less than the limit");
	if (limit->burst_s && !limit->burst)
		return option_refuse(
			error, name,
			"-max-length is of a burst (-max): there is none");
	return 0;
}

/* Bytes or operations: all together, or reads and writes apart. */
static int check_total(const struct disk_limits *l, enum disk_limit_index total,
		       GError **error)
{
	if (l->of[total].rate &&
	    (l->of[total + 1].rate || l->of[total + 2].rate))
		return option_refuse(
			error, names[total],
			"either of all, or of reads and writes apart");
	return 0;
}

int disk_limits_check(const struct disk_limits *l, GError **error)
{
	for (int i = 0; i < DISK_LIMITS; i++) {
		if (check_limit(&l->of[i], names[i], error))
			return -1;
	}
	if (check_total(l, DISK_BPS, error) || check_total(l, DISK_IOPS, error))
		return -1;
	if (l->iops_bytes && !l->of[DISK_IOPS].rate &&
	    !l->of[DISK_IOPS_READ].rate && !l->of[DISK_IOPS_WRITE].rate)
		return option_refuse(error, SIZE,
				     "there is no limit of operations");
	return 0;
}

static int set_word(struct disk_limits *l, char *word, GError **error)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	if (!strcmp(word, GROUP))
		return option_refuse(error, word, "cannot be changed");
	if (!disk_limits_knows(word))
		return option_refuse(error, word,
				     "no such limit; bps=, iops= (see the "
				     "manual), iops-size=, or none");
	return disk_limits_set(l, word, value, error);
}

int disk_limits_parse(struct disk_limits *l, const char *text, GError **error)
{
	memset(l, 0, sizeof(*l));
	if (!strcmp(text, "none"))
		return 0;
	while (text) {
		g_autofree char *word = option_list_next(&text);

		if (set_word(l, word, error))
			return -1;
	}
	return disk_limits_check(l, error);
}

bool disk_limits_any(const struct disk_limits *l)
{
	for (int i = 0; i < DISK_LIMITS; i++) {
		if (l->of[i].rate)
			return true;
	}
	return false;
}

bool disk_limits_equal(const struct disk_limits *a, const struct disk_limits *b)
{
	for (int i = 0; i < DISK_LIMITS; i++) {
		if (a->of[i].rate != b->of[i].rate ||
		    a->of[i].burst != b->of[i].burst ||
		    a->of[i].burst_s != b->of[i].burst_s)
			return false;
	}
	return a->iops_bytes == b->iops_bytes;
}

void disk_limits_clear(struct disk_limits *l)
{
	g_free(l->group);
	l->group = NULL;
}
