/* SPDX-License-Identifier: MIT */
/*
 * mem.h - a net in memory: for tests, fuzzers and benchmarks.
 *
 * What is sent waits for net_mem_take(); what net_mem_put() puts there comes.
 * With `loop` what is sent on a queue comes back on the same.
 */
#ifndef DEVICES_NET_MEM_H
#define DEVICES_NET_MEM_H

#include "devices/net/net.h"

struct net_mem_params {
	unsigned int queues; /* at least 1 */
	unsigned int offloads; /* what frames may come with */
	unsigned int takes_offloads; /* the rest is done in software */
	bool loop;
	size_t room_bytes; /* each way, for each queue; 0: 1 MiB */
};

/** net_mem_new() - Return: owned */
struct net *net_mem_new(const struct net_mem_params *params);

/**
 * net_mem_put() - a frame comes from the host.  Any thread
 * @hdr: NULL: nothing is left to do
 *
 * Return: 0; -EAGAIN: no room.
 */
int net_mem_put(struct net *n, unsigned int queue,
		const struct virtio_net_hdr *hdr, const void *frame,
		size_t bytes);

/**
 * net_mem_take() - the oldest frame that was sent.  Any thread
 * @hdr: NULL: not wanted
 *
 * Return: its bytes, of which there are @room at most in @frame; -EAGAIN: none.
 */
ssize_t net_mem_take(struct net *n, unsigned int queue,
		     struct virtio_net_hdr *hdr, void *frame, size_t room);

/**
 * net_mem_hold() - the host takes only so many frames more: send is -EAGAIN
 * @after: UINT_MAX: as many as come.  Of all queues.  Any thread
 */
void net_mem_hold(struct net *n, unsigned int after);

/** net_mem_set_carrier() - the host's side goes, or comes back.  Any thread */
void net_mem_set_carrier(struct net *n, bool up);

/** net_mem_offloads() - what net_set_offloads() said last */
unsigned int net_mem_offloads(const struct net *n);

#endif
