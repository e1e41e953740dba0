/* SPDX-License-Identifier: MIT */
/*
 * throttle.h - how much a disk, or a group of disks, may do in a second.
 *
 * Theory of operation.  There is a bucket for each of the limits; a request is
 * poured into those that are for it, and each leaks at its rate.  A request
 * may begin when what was poured before it has leaked down to what the bucket
 * holds: a tenth of a second's worth, so that short bursts are not held up,
 * or, where there is a burst, as much as it moves in all of its time.  A burst
 * of more than a second has a second bucket, which leaks at the burst's rate.
 *
 * A request is poured when it comes, also if it may begin only later.  So all
 * who share the buckets get their turn in the order in which they asked, and
 * nobody has to ask twice.
 *
 * Thread: any.  Locks: its own, a leaf.
 * Source: libvirt "<iotune>"; QEMU docs/throttle.txt.
 */
#ifndef DEVICES_BLOCK_THROTTLE_H
#define DEVICES_BLOCK_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

struct throttle;

enum throttle_limit_index {
	THROTTLE_BPS,
	THROTTLE_BPS_READ,
	THROTTLE_BPS_WRITE,
	THROTTLE_IOPS,
	THROTTLE_IOPS_READ,
	THROTTLE_IOPS_WRITE,
	THROTTLE_LIMITS,
};

/* Bytes or operations. */
struct throttle_limit {
	uint64_t rate; /* a second; 0: no limit */
	uint64_t burst; /* a second, while a burst lasts; 0: none */
	unsigned int burst_s; /* how long it may last; 0: one second */
};

struct throttle_limits {
	struct throttle_limit of[THROTTLE_LIMITS];
	uint64_t iops_bytes; /* a longer request counts as many; 0: as one */
};

/** throttle_limits_any() - is there one at all? */
bool throttle_limits_any(const struct throttle_limits *limits);

/** throttle_new() - all buckets are empty; @limits is copied */
struct throttle *throttle_new(const struct throttle_limits *limits);

void throttle_free(struct throttle *t);

/**
 * throttle_set() - other limits from now on
 *
 * What throttle_reserve() has said stays said; no limits at all are fine.
 */
void throttle_set(struct throttle *t, const struct throttle_limits *limits);

/**
 * throttle_reserve() - a request of @bytes has come
 * @now_ns: CLOCK_MONOTONIC
 *
 * Return: when it may begin, in ns; 0: now.
 */
uint64_t throttle_reserve(struct throttle *t, bool write, uint64_t bytes,
			  uint64_t now_ns);

#endif
