/* SPDX-License-Identifier: MIT */
/*
 * profile.h - the Windows Server versions that we imitate.
 *
 * A profile says what the hypervisor of that version offers an ordinary
 * guest: version numbers, feature and recommendation bits, limits, the newest
 * VMbus version.  What a guest sees is the profile less what is not
 * implemented or not possible on this host (features.h).
 *
 * Every bit and number has a row in one table that also says where it is
 * known from; `kvmbus profiles` prints that table.
 *
 * Thread: any; constant data.
 */
#ifndef PARTITION_PROFILE_H
#define PARTITION_PROFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct profile {
	/* "ws2022", as --profile takes it; "Windows Server 2022" */
	const char *name;
	const char *title;

	/* leaf 0x40000002 */
	uint32_t build;
	uint16_t major, minor;
	uint32_t service_pack;
	uint8_t service_branch;
	uint32_t service_number;

	/* leaf 0x40000000 EAX */
	uint32_t max_leaf;
	/* leaf 0x40000003: privileges low and high, features */
	uint32_t features_eax, features_ebx, features_edx;
	/* leaf 0x40000004: recommendations; spin-lock retries */
	uint32_t hints_eax, spin_retries;
	/* leaf 0x40000005: virtual, logical processors; remappable vectors */
	uint32_t max_vps, max_lps, max_remappable_vectors;
	/* leaf 0x40000006 */
	uint32_t hardware_eax;

	/* newest VMbus version offered, major << 16 | minor */
	uint32_t vmbus_version;
	/* GPADLs: of one channel's rings and buffers, of a whole VM */
	uint32_t gpadl_channel_mib, gpadl_total_mib;
	/* the MADT lists processors that could be added, as disabled */
	bool madt_possible_cpus;
};

/** profile_find() - by name; NULL when there is none. Borrowed for ever */
const struct profile *profile_find(const char *name);

/** profile_newest() - the default */
const struct profile *profile_newest(void);

/** profile_at() - the @i-th, oldest first; NULL past the last */
const struct profile *profile_at(unsigned int i);

/**
 * profile_list_print() - one line per profile
 *
 * Return: 0, or -EIO when @out is in error.
 */
int profile_list_print(FILE *out);

/**
 * profile_print() - every bit by name, every limit, and where each is known
 * from; bits that we do not implement are marked
 *
 * Return: as profile_list_print().
 */
int profile_print(const struct profile *profile, FILE *out);

#endif
