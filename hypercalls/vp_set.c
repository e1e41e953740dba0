/* SPDX-License-Identifier: MIT */
#include "hypercalls/vp_set.h"

#include <string.h>

#include "proto/hv_hypercall.h"

bool vp_bitmap_any(const struct vp_bitmap *set)
{
	uint64_t any = 0;

	for (unsigned int i = 0; i < VP_BITMAP_WORDS; i++)
		any |= set->words[i];
	return any != 0;
}

unsigned int vp_bitmap_count(const struct vp_bitmap *set)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < VP_BITMAP_WORDS; i++)
		n += (unsigned int)__builtin_popcountll(set->words[i]);
	return n;
}

uint32_t vp_bitmap_next(const struct vp_bitmap *set, uint32_t vp)
{
	uint32_t bank = vp / HV_VPS_PER_BANK;
	uint64_t word;

	if (vp >= HV_MAX_VPS)
		return VP_BITMAP_NO_VPS;
	word = set->words[bank] & (~0ull << (vp % HV_VPS_PER_BANK));
	while (!word) {
		if (++bank == VP_BITMAP_WORDS)
			return VP_BITMAP_NO_VPS;
		word = set->words[bank];
	}
	return bank * HV_VPS_PER_BANK + (uint32_t)__builtin_ctzll(word);
}

/* The VPs of @bank that a partition of @n_vps has. */
static uint64_t existing(unsigned int bank, unsigned int n_vps)
{
	unsigned int first = bank * HV_VPS_PER_BANK;

	if (n_vps <= first)
		return 0;
	if (n_vps - first >= HV_VPS_PER_BANK)
		return ~0ull;
	return (1ull << (n_vps - first)) - 1;
}

void vp_bitmap_all(struct vp_bitmap *set, unsigned int n_vps)
{
	for (unsigned int i = 0; i < VP_BITMAP_WORDS; i++)
		set->words[i] = existing(i, n_vps);
}

void vp_set_from_mask(struct vp_bitmap *set, uint64_t mask, unsigned int n_vps)
{
	memset(set, 0, sizeof(*set));
	set->words[0] = mask & existing(0, n_vps);
}

hv_status_t vp_set_decode(struct vp_bitmap *set, uint64_t format,
			  uint64_t valid, const uint8_t *banks,
			  unsigned int n_banks, unsigned int n_vps)
{
	if (format == HV_GENERIC_SET_ALL) {
		vp_bitmap_all(set, n_vps);
		return HV_STATUS_SUCCESS;
	}
	if (format != HV_GENERIC_SET_SPARSE_4K)
		return HV_STATUS_INVALID_PARAMETER;
	if (n_banks != (unsigned int)__builtin_popcountll(valid))
		return HV_STATUS_INVALID_HYPERCALL_INPUT;

	memset(set, 0, sizeof(*set));
	for (; valid; valid &= valid - 1, banks += sizeof(uint64_t)) {
		unsigned int bank = (unsigned int)__builtin_ctzll(valid);
		uint64_t word;

		/* Banks past our limit name VPs that do not exist. */
		if (bank >= VP_BITMAP_WORDS)
			break;
		memcpy(&word, banks, sizeof(word));
		set->words[bank] = word & existing(bank, n_vps);
	}
	return HV_STATUS_SUCCESS;
}
