/* SPDX-License-Identifier: MIT */
/*
 * vp_set.h - sets of virtual processors, as hypercalls name them.
 *
 * A guest names VPs by a 64-bit mask (VP 0 to 63) or by an HV_VP_SET: all, or
 * a sparse list of 64-VP banks.  Both become a struct vp_bitmap, in which
 * only VPs that exist are set.
 *
 * Thread: any; plain data.
 * Source: TLFS HV_VP_SET; "Virtual Processor Sets"; Linux
 * include/asm-generic/mshyperv.h:__cpumask_to_vpset().
 */
#ifndef HYPERCALLS_VP_SET_H
#define HYPERCALLS_VP_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/hv_tlfs.h"

/* The most VPs that a partition of ours can have. */
#define HV_MAX_VPS       1024u
#define HV_VPS_PER_BANK  64u
#define VP_BITMAP_WORDS  (HV_MAX_VPS / HV_VPS_PER_BANK)
#define VP_BITMAP_NO_VPS UINT32_MAX

struct vp_bitmap {
	uint64_t words[VP_BITMAP_WORDS];
};

/** vp_bitmap_set() - add @vp, which must be below HV_MAX_VPS */
static inline void vp_bitmap_set(struct vp_bitmap *set, uint32_t vp)
{
	set->words[vp / HV_VPS_PER_BANK] |= 1ull << (vp % HV_VPS_PER_BANK);
}

/** vp_bitmap_clear() - remove @vp, which must be below HV_MAX_VPS */
static inline void vp_bitmap_clear(struct vp_bitmap *set, uint32_t vp)
{
	set->words[vp / HV_VPS_PER_BANK] &= ~(1ull << (vp % HV_VPS_PER_BANK));
}

/** vp_bitmap_test() - is @vp in the set? Any number may be asked for */
static inline bool vp_bitmap_test(const struct vp_bitmap *set, uint32_t vp)
{
	return vp < HV_MAX_VPS &&
	       (set->words[vp / HV_VPS_PER_BANK] >> (vp % HV_VPS_PER_BANK) & 1);
}

/** vp_bitmap_any() - is anybody in the set? */
bool vp_bitmap_any(const struct vp_bitmap *set);

/** vp_bitmap_count() - how many VPs are in the set */
unsigned int vp_bitmap_count(const struct vp_bitmap *set);

/**
 * vp_bitmap_next() - the first VP in the set that is @vp or above
 *
 * Return: its index, or VP_BITMAP_NO_VPS.
 */
uint32_t vp_bitmap_next(const struct vp_bitmap *set, uint32_t vp);

/* for (uint32_t vp …): every VP of @set, lowest first */
/* NOLINTBEGIN(bugprone-macro-parentheses): vp is a name, not a value */
#define vp_bitmap_for_each(vp, set)                                          \
	for (uint32_t vp = vp_bitmap_next((set), 0); vp != VP_BITMAP_NO_VPS; \
	     vp = vp_bitmap_next((set), vp + 1))
/* NOLINTEND(bugprone-macro-parentheses): see above */

/** vp_bitmap_all() - all of a partition's @n_vps processors */
void vp_bitmap_all(struct vp_bitmap *set, unsigned int n_vps);

/**
 * vp_set_from_mask() - decode a 64-bit processor mask
 * @mask:  bit n is VP n
 * @n_vps: how many there are; the bits of others are dropped
 */
void vp_set_from_mask(struct vp_bitmap *set, uint64_t mask, unsigned int n_vps);

/**
 * vp_set_decode() - decode an HV_VP_SET that was copied from the guest
 * @set:     filled in on success
 * @format:  HV_GENERIC_SET_SPARSE_4K or HV_GENERIC_SET_ALL
 * @valid:   which banks are present
 * @banks:   as many bytes as the variable header had; 64-bit words, packed,
 *           one per bit of @valid, lowest first
 * @n_banks: how many words there are
 * @n_vps:   how many VPs there are; the bits of others are dropped
 *
 * Return: HV_STATUS_SUCCESS; HV_STATUS_INVALID_PARAMETER when the format is
 * unknown; HV_STATUS_INVALID_HYPERCALL_INPUT when a sparse set does not
 * have one word for each bit of @valid.
 */
hv_status_t vp_set_decode(struct vp_bitmap *set, uint64_t format,
			  uint64_t valid, const uint8_t *banks,
			  unsigned int n_banks, unsigned int n_vps);

#endif
