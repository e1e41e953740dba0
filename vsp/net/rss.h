/* SPDX-License-Identifier: MIT */
/*
 * rss.h - receive side scaling: a hash of a frame's addresses and ports says
 * which channel the guest wants it on.
 *
 * Theory of operation.  The hash is Toeplitz': for each bit of the input that
 * is set, 32 bits of the key from there on are added (without carry).  It is
 * linear, so for each byte of the input all 256 results are computed once,
 * when the key is set, and a frame takes one look-up a byte.
 *
 * A set of parameters does not change once it is made; who changes one makes
 * another.
 *
 * Thread: any.
 * Source: Microsoft "RSS Hashing Functions"; Linux
 * drivers/net/hyperv/rndis_filter.c:rndis_set_rss_param_msg().
 */
#ifndef VSP_NET_RSS_H
#define VSP_NET_RSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/rndis.h"
#include "vsp/net/frame.h"

/* IPv6's addresses and two ports. */
#define RSS_INPUT_MAX 36u

struct rss {
	bool enabled;
	uint32_t types; /* NDIS_HASH_… that frames are hashed by */
	uint8_t key[NETVSC_HASH_KEYLEN];
	uint32_t n_table; /* a power of two */
	uint8_t table[NDIS_RSS_TABLE_MAX]; /* channels */
	uint32_t lookup[RSS_INPUT_MAX][256]; /* of the key */
};

/** rss_new() - as it is at first: off.  Return: owned, g_free() */
struct rss *rss_new(void);

/**
 * rss_change() - what the guest has set (OID_GEN_RECEIVE_SCALE_PARAMETERS)
 * @old:        what the parts are taken from that it leaves as they are
 * @n_channels: a table has no others
 * @status:     RNDIS_STATUS_…
 *
 * Return: owned, g_free(); NULL: @status says why.
 */
struct rss *rss_change(const struct rss *old, const void *param, size_t bytes,
		       unsigned int n_channels, uint32_t *status);

/** rss_hash_input() - of any bytes, up to RSS_INPUT_MAX */
uint32_t rss_hash_input(const struct rss *r, const uint8_t *input,
			unsigned int bytes);

/**
 * rss_hash() - of a frame
 * @head: what frame_parse() looked at
 *
 * Return: false: it is of no kind that is hashed, or RSS is off.
 */
bool rss_hash(const struct rss *r, const uint8_t *head, const struct frame *f,
	      uint32_t *hash);

/** rss_channel() - where a frame with @hash belongs */
static inline unsigned int rss_channel(const struct rss *r, uint32_t hash)
{
	return r->table[hash & (r->n_table - 1)];
}

#endif
