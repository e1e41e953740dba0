/* SPDX-License-Identifier: MIT */
/*
 * profile.h - the Windows Server versions that we imitate.
 *
 * A profile says what the hypervisor of that version offers an ordinary
 * guest: version numbers, feature and recommendation bits, limits, the newest
 * VMbus version; and where each is known from.  What our guest sees is the
 * profile less what is not implemented, not possible on this host or better
 * not offered by us (features.h); `kvmbus profiles` prints both.
 *
 * Thread: any; constant data.
 */
#ifndef PARTITION_PROFILE_H
#define PARTITION_PROFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What of a profile has a source of its own. */
enum profile_field {
	PROFILE_VERSION,
	PROFILE_SERVICE,
	PROFILE_MAX_LEAF,
	PROFILE_FEATURES_EAX,
	PROFILE_FEATURES_EBX,
	PROFILE_FEATURES_EDX,
	PROFILE_HINTS,
	PROFILE_SPIN_RETRIES,
	PROFILE_LIMITS,
	PROFILE_HARDWARE,
	PROFILE_VMBUS,
	PROFILE_GPADL,
	PROFILE_MADT,
	PROFILE_N_FIELDS,
};

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
	/* leaf 0x40000005: virtual and logical processors */
	uint32_t max_vps, max_lps;
	/* leaf 0x40000006 */
	uint32_t hardware_eax;

	/* newest VMbus version offered, major << 16 | minor */
	uint32_t vmbus_version;
	/* how much of its memory a guest can share by GPADLs, in all */
	uint32_t gpadl_mib;
	/* the MADT lists processors that could be added, as disabled */
	bool madt_possible_cpus;

	/* where each is known from, or that it is our judgement */
	const char *sources[PROFILE_N_FIELDS];
};

/**
 * profile_find() - by name, or the newest if @name is NULL
 *
 * Return: borrowed for ever; NULL: there is none of that name.
 */
const struct profile *profile_find(const char *name);

/**
 * profile_vmbus() - the newest VMbus version that a machine of @profile offers
 * @max: the version that the user caps it at, major << 16 | minor; 0: none
 */
uint32_t profile_vmbus(const struct profile *profile, uint32_t max);

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
 * from; what we do not offer is marked, with the reason
 *
 * Return: as profile_list_print().
 */
int profile_print(const struct profile *profile, FILE *out);

#endif
