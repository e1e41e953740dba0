/* SPDX-License-Identifier: MIT */
/*
 * deadlines.h - which of many deadlines is the earliest.
 *
 * Theory of operation.  A tournament: the deadlines are the leaves of a
 * binary tree, each inner node holds the smaller of its two children, and so
 * the root is the earliest.  Changing one deadline replays its matches, log n
 * of them, and stops where the winner stays the same.
 *
 * Thread: any; one leaf lock.
 */
#ifndef SYNIC_DEADLINES_H
#define SYNIC_DEADLINES_H

#include <stdbool.h>
#include <stdint.h>

#define DEADLINE_NONE UINT64_MAX

struct deadlines;

/** deadlines_new() - @n slots, all DEADLINE_NONE */
struct deadlines *deadlines_new(unsigned int n);
void deadlines_free(struct deadlines *d);

/**
 * deadlines_set() - slot @i has its deadline at @when
 *
 * Return: true if the earliest of all came nearer: it is @when now.
 */
bool deadlines_set(struct deadlines *d, unsigned int i, uint64_t when);

/** deadlines_earliest() - DEADLINE_NONE if there is none */
uint64_t deadlines_earliest(struct deadlines *d);

/** deadlines_due() - a slot whose deadline is not after @now, or -1 */
int deadlines_due(struct deadlines *d, uint64_t now);

#endif
