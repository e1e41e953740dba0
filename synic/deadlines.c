/* SPDX-License-Identifier: MIT */
#include "synic/deadlines.h"

#include <pthread.h>

#include <glib.h>

struct deadlines {
	pthread_mutex_t lock;
	unsigned int n_leaves; /* a power of two */
	/*
	 * lock: node 1 is the root, the children of k are 2k and 2k + 1, the
	 * leaves begin at n_leaves
	 */
	uint64_t earliest[];
};

struct deadlines *deadlines_new(unsigned int n)
{
	struct deadlines *d;
	unsigned int leaves = 1;

	while (leaves < n)
		leaves *= 2;
	d = g_malloc(sizeof(*d) + sizeof(d->earliest[0]) * 2 * leaves);
	pthread_mutex_init(&d->lock, NULL);
	d->n_leaves = leaves;
	for (unsigned int i = 0; i < 2 * leaves; i++)
		d->earliest[i] = DEADLINE_NONE;
	return d;
}

void deadlines_free(struct deadlines *d)
{
	if (!d)
		return;
	pthread_mutex_destroy(&d->lock);
	g_free(d);
}

bool deadlines_set(struct deadlines *d, unsigned int i, uint64_t when)
{
	unsigned int node = d->n_leaves + i;
	uint64_t before;
	bool nearer;

	pthread_mutex_lock(&d->lock);
	before = d->earliest[1];
	d->earliest[node] = when;
	while (node > 1) {
		uint64_t winner = MIN(d->earliest[node], d->earliest[node ^ 1]);

		node /= 2;
		if (d->earliest[node] == winner)
			break;
		d->earliest[node] = winner;
	}
	nearer = d->earliest[1] < before;
	pthread_mutex_unlock(&d->lock);
	return nearer;
}

uint64_t deadlines_earliest(struct deadlines *d)
{
	uint64_t when;

	pthread_mutex_lock(&d->lock);
	when = d->earliest[1];
	pthread_mutex_unlock(&d->lock);
	return when;
}

int deadlines_due(struct deadlines *d, uint64_t now)
{
	unsigned int node = 1;

	pthread_mutex_lock(&d->lock);
	if (d->earliest[1] == DEADLINE_NONE || d->earliest[1] > now) {
		pthread_mutex_unlock(&d->lock);
		return -1;
	}
	while (node < d->n_leaves) {
		node *= 2;
		/* Else one that is always due would keep others from it. */
		if (d->earliest[node + 1] < d->earliest[node])
			node++;
	}
	pthread_mutex_unlock(&d->lock);
	return (int)(node - d->n_leaves);
}
