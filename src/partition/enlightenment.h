/* SPDX-License-Identifier: MIT */
/*
 * enlightenment.h - enlightenments by libvirt's names: what each of them is in
 * CPUID, and a partition that has others than its profile.
 *
 * What is chosen and not implemented is not offered; what is not offered does
 * not work, as with any profile (features.h).
 *
 * Thread: any.
 * Source: libvirt docs/formatdomain.rst "Hypervisor features"; QEMU
 * docs/system/i386/hyperv.rst; the bits from the TLFS.
 */
#ifndef PARTITION_ENLIGHTENMENT_H
#define PARTITION_ENLIGHTENMENT_H

#include <stdbool.h>
#include <stdint.h>

struct partition_features;

struct enlightenment {
	const char *name;
	/* leaf 0x40000003; leaf 0x40000004 EAX */
	uint32_t eax, ebx, edx, hints;
};

/** enlightenment_find() - by name; NULL: there is none. Borrowed for ever */
const struct enlightenment *enlightenment_find(const char *name);

/** enlightenment_at() - the @i-th; NULL past the last */
const struct enlightenment *enlightenment_at(unsigned int i);

/* What a choice begins with. */
enum enlightenment_base {
	ENLIGHTENMENTS_OF_PROFILE,
	ENLIGHTENMENTS_NONE, /* only the way to hypercalls */
	ENLIGHTENMENTS_ALL, /* whatever is implemented */
};

struct enlightenment_choice {
	enum enlightenment_base base;
	/* NULL-terminated: those that may be there, those that must */
	const char *const *kept, *const *added;
	uint32_t spin_retries; /* 0: the profile's */
	const char *vendor; /* up to 12 characters; NULL: Microsoft's */
};

/**
 * enlightenments_choose() - other bits than the profile's
 * @f:                  from partition_features_init()
 * @host_tsc_invariant: as given there
 *
 * A named bit stays only if one of the kept has it; bits without a name are
 * the base's.
 */
void enlightenments_choose(struct partition_features *f,
			   const struct enlightenment_choice *choice,
			   bool host_tsc_invariant);

#endif
