/* SPDX-License-Identifier: MIT */
/*
 * disk_limits.h - what a disk may do in a second, as `--disk` says it.
 *
 * The meaning is libvirt's <iotune>; names are short forms of QEMU's
 * throttling.*: "bps-read-max" is throttling.bps-read-max, "iops" is
 * throttling.iops-total.
 */
#ifndef CONFIG_DISK_LIMITS_H
#define CONFIG_DISK_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

enum disk_limit_index {
	DISK_BPS,
	DISK_BPS_READ,
	DISK_BPS_WRITE,
	DISK_IOPS,
	DISK_IOPS_READ,
	DISK_IOPS_WRITE,
	DISK_LIMITS,
};

/* Bytes or operations; 0: not given. */
struct disk_limit {
	uint64_t rate, burst; /* a second */
	unsigned int burst_s;
};

struct disk_limits {
	struct disk_limit of[DISK_LIMITS];
	uint64_t iops_bytes; /* 0: not given */
	char *group; /* whose members share the limits; NULL: it is alone */
};

/* More in a second nobody has, and sums of it stay exact enough. */
#define CONFIG_LIMIT_MAX   1000000000000000ull
#define CONFIG_BURST_S_MAX 100000u

/** disk_limits_knows() - is it the name of one of these options? */
bool disk_limits_knows(const char *key);

/**
 * disk_limits_set() - one option
 * @key:   as disk_limits_knows() has it
 * @value: NULL: none was given; may end in K, M, G or T, of 1024
 *
 * Return: 0; -1 with @error (CONFIG_ERROR), which has no prefix.
 */
int disk_limits_set(struct disk_limits *l, const char *key, const char *value,
		    GError **error);

/**
 * disk_limits_parse() - all that a disk has: "key=value,…", or "none"
 * @l: cleared first; disk_limits_clear() frees it, also after an error
 *
 * A throttle-group= is refused.  Return: as above.
 */
int disk_limits_parse(struct disk_limits *l, const char *text, GError **error);

/** disk_limits_check() - does all go together?  Return: as above */
int disk_limits_check(const struct disk_limits *l, GError **error);

/** disk_limits_any() - is there a limit? */
bool disk_limits_any(const struct disk_limits *l);

/** disk_limits_name() - "bps", "bps-read", … */
const char *disk_limits_name(enum disk_limit_index i);

/** disk_limits_equal() - are the numbers the same?  Groups are not compared */
bool disk_limits_equal(const struct disk_limits *a,
		       const struct disk_limits *b);

void disk_limits_clear(struct disk_limits *l);

#endif
