/* SPDX-License-Identifier: MIT */
#include "vsp/net/rss.h"

#include <string.h>

#include <glib.h>

#include "base/checked.h"

#define IP4_ADDRESSES       12u /* offset of both, in the header */
#define IP4_ADDRESSES_BYTES 8u
#define IP6_ADDRESSES       8u
#define IP6_ADDRESSES_BYTES 32u
#define PORTS_BYTES         4u

struct rss *rss_new(void)
{
	struct rss *r = g_new0(struct rss, 1);

	r->n_table = 1;
	return r;
}

/* 32 bits of the key from bit @bit on; behind its end zeros. */
static uint32_t key_window(const uint8_t *key, unsigned int bit)
{
	uint64_t window = 0;

	for (unsigned int i = 0; i < 5; i++) {
		unsigned int at = bit / 8 + i;

		window = window << 8 | (at < NETVSC_HASH_KEYLEN ? key[at] : 0u);
	}
	return (uint32_t)(window >> (8 - bit % 8));
}

static void fill_lookup(struct rss *r)
{
	for (unsigned int i = 0; i < RSS_INPUT_MAX; i++) {
		for (unsigned int value = 0; value < 256; value++) {
			uint32_t hash = 0;

			for (unsigned int bit = 0; bit < 8; bit++) {
				if (value & 0x80u >> bit)
					hash ^= key_window(r->key, i * 8 + bit);
			}
			r->lookup[i][value] = hash;
		}
	}
}

/* Return: RNDIS_STATUS_… */
static uint32_t set_key(struct rss *r, const struct ndis_recv_scale_param *p,
			const uint8_t *param, size_t bytes)
{
	if (p->hashkey_size != sizeof(r->key) ||
	    !range_fits(p->hashkey_offset, p->hashkey_size, bytes))
		return RNDIS_STATUS_INVALID_LENGTH;
	memcpy(r->key, param + p->hashkey_offset, sizeof(r->key));
	fill_lookup(r);
	return RNDIS_STATUS_SUCCESS;
}

static uint32_t set_table(struct rss *r, const struct ndis_recv_scale_param *p,
			  const uint8_t *param, size_t bytes,
			  unsigned int n_channels)
{
	uint32_t n = p->indirect_tabsize / 4u;

	/* No table (DPDK): everything on the first. */
	if (!n) {
		r->n_table = 1;
		r->table[0] = 0;
		return RNDIS_STATUS_SUCCESS;
	}
	if (p->indirect_tabsize % 4u || n > NDIS_RSS_TABLE_MAX || n & (n - 1) ||
	    !range_fits(p->indirect_taboffset, p->indirect_tabsize, bytes))
		return RNDIS_STATUS_INVALID_LENGTH;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t channel;

		memcpy(&channel, param + p->indirect_taboffset + i * 4ul, 4);
		if (channel >= n_channels)
			return RNDIS_STATUS_INVALID_DATA;
		r->table[i] = (uint8_t)channel;
	}
	r->n_table = n;
	return RNDIS_STATUS_SUCCESS;
}

/* All parts that are not to stay as they are. */
static uint32_t set_parts(struct rss *r, const struct ndis_recv_scale_param *p,
			  const uint8_t *param, size_t bytes,
			  unsigned int n_channels)
{
	uint32_t status = RNDIS_STATUS_SUCCESS;

	if (!(p->flag & NDIS_RSS_PARAM_FLAG_HASH_INFO_UNCHANGED)) {
		if ((p->hashinfo & NDIS_HASH_FUNCTION_MASK) !=
		    NDIS_HASH_FUNC_TOEPLITZ)
			return RNDIS_STATUS_INVALID_DATA;
		r->types = p->hashinfo & ~NDIS_HASH_FUNCTION_MASK;
	}
	if (!(p->flag & NDIS_RSS_PARAM_FLAG_HASH_KEY_UNCHANGED))
		status = set_key(r, p, param, bytes);
	if (!status && !(p->flag & NDIS_RSS_PARAM_FLAG_ITABLE_UNCHANGED))
		status = set_table(r, p, param, bytes, n_channels);
	return status;
}

struct rss *rss_change(const struct rss *old, const void *param, size_t bytes,
		       unsigned int n_channels, uint32_t *status)
{
	struct ndis_recv_scale_param p;
	struct rss *r;

	*status = RNDIS_STATUS_INVALID_LENGTH;
	if (bytes < sizeof(p))
		return NULL;
	memcpy(&p, param, sizeof(p));
	*status = RNDIS_STATUS_INVALID_DATA;
	if (p.header.type != NDIS_OBJECT_TYPE_RSS_PARAMETERS)
		return NULL;
	r = g_memdup2(old, sizeof(*old));
	*status = RNDIS_STATUS_SUCCESS;
	if (p.flag & NDIS_RSS_PARAM_FLAG_DISABLE_RSS) {
		r->enabled = false;
		return r;
	}
	r->enabled = true;
	*status = set_parts(r, &p, param, bytes, n_channels);
	if (*status) {
		g_free(r);
		return NULL;
	}
	return r;
}

uint32_t rss_hash_input(const struct rss *r, const uint8_t *input,
			unsigned int bytes)
{
	uint32_t hash = 0;

	for (unsigned int i = 0; i < bytes; i++)
		hash ^= r->lookup[i][input[i]];
	return hash;
}

bool rss_hash(const struct rss *r, const uint8_t *head, const struct frame *f,
	      uint32_t *hash)
{
	bool tcp = f->l4 && f->proto == FRAME_PROTO_TCP;
	unsigned int at, n;
	uint32_t with_ports, addresses;

	if (!r->enabled || !f->ip)
		return false;
	if (f->ip == 4) {
		at = IP4_ADDRESSES;
		n = IP4_ADDRESSES_BYTES;
		with_ports = NDIS_HASH_TCP_IPV4;
		addresses = NDIS_HASH_IPV4;
	} else {
		at = IP6_ADDRESSES;
		n = IP6_ADDRESSES_BYTES;
		with_ports = NDIS_HASH_TCP_IPV6;
		addresses = NDIS_HASH_IPV6;
	}
	if (tcp && r->types & with_ports) {
		uint8_t input[RSS_INPUT_MAX];

		memcpy(input, head + f->l3 + at, n);
		memcpy(input + n, head + f->l4, PORTS_BYTES);
		*hash = rss_hash_input(r, input, n + PORTS_BYTES);
		return true;
	}
	if (!(r->types & addresses))
		return false;
	*hash = rss_hash_input(r, head + f->l3 + at, n);
	return true;
}
