/* SPDX-License-Identifier: MIT */
/*
 * The six profiles.
 *
 * Bits and build numbers are what Linux and FreeBSD guests have printed on
 * the real thing, where such a print was found: the line that begins
 * "Hyper-V: privilege flags low …, high …, hints …, misc …" (older kernels:
 * "features …, hints …") has leaf 3 EAX, EBX, leaf 4 EAX and leaf 3 EDX.  A
 * value is entered as seen, with the bits that we do not offer; features.c
 * takes those away.
 */
#include "partition/profile.h"

#include <string.h>

#include <glib.h>

#include "proto/hv_tlfs.h"

#define OURS "our judgement: "

#define SRC_RELEASE  "the release's build number"
#define SRC_KERNEL   "Linux Documentation/virt/hyperv/overview.rst"
#define SRC_GPADL    "Linux Documentation/virt/hyperv/vmbus.rst"
#define SRC_SCALE    "Microsoft Learn, Hyper-V scalability of the release"
#define SRC_DUMP     "CPUID dump of a FreeBSD guest, host build 18343"
#define SRC_AS_DUMP  OURS "as in a guest's CPUID dump, host build 18343"
#define SRC_LKML2012 "dmesg, Windows Server 2012 host (linux-mm, June 2014)"
#define SRC_14393    "dmesg, host build 14393.274 (Azure)"
#define SRC_17763    "dmesg, host build 17763.737"
#define SRC_20348    "dmesg, host build 20348.2762 (Azure)"
#define SRC_26100    "dmesg, host builds 26100.2605 and 26100.7920"
#define SRC_VMBUS    "Linux include/linux/hyperv.h, VERSION_WIN* and releases"

#define VMBUS(major, minor) ((uint32_t)(major) << 16 | (minor))

static const struct profile profiles[] = {
	{
		.name = "ws2012",
		.title = "Windows Server 2012",
		.build = 9200,
		.major = 6,
		.minor = 2,
		.service_pack = 16,
		.service_number = 16384,
		.max_leaf = HYPERV_CPUID_HARDWARE_FEATURES,
		.features_eax = 0xe7f,
		.features_ebx = HV_POST_MESSAGES | HV_SIGNAL_EVENTS,
		.features_edx = 0x3b2,
		.hints_eax = 0x2c,
		.spin_retries = 0xfff,
		.max_vps = 64,
		.max_lps = 320,
		.hardware_eax = 0xf,
		.vmbus_version = VMBUS(2, 4),
		.gpadl_mib = 384,
		.madt_possible_cpus = true,
		.sources =
			{
				[PROFILE_VERSION] = SRC_RELEASE,
				[PROFILE_SERVICE] =
					OURS "that of 6.2.9200.16384, written "
					     "as 7601-6.1-17-0.17939 was",
				[PROFILE_MAX_LEAF] = OURS "TLFS 3.0",
				[PROFILE_FEATURES_EAX] = SRC_LKML2012,
				[PROFILE_FEATURES_EBX] =
					OURS "TLFS 3.0, what VMbus needs",
				[PROFILE_FEATURES_EDX] =
					OURS "TLFS 3.0, and what EAX implies",
				[PROFILE_HINTS] = SRC_LKML2012,
				[PROFILE_SPIN_RETRIES] = SRC_AS_DUMP,
				[PROFILE_LIMITS] = SRC_SCALE,
				[PROFILE_HARDWARE] = SRC_AS_DUMP,
				[PROFILE_VMBUS] = SRC_VMBUS,
				[PROFILE_GPADL] = SRC_GPADL,
				[PROFILE_MADT] = SRC_LKML2012 "; " SRC_KERNEL,
			},
	},
	{
		.name = "ws2012r2",
		.title = "Windows Server 2012 R2",
		.build = 9600,
		.major = 6,
		.minor = 3,
		.service_pack = 16,
		.service_number = 16384,
		.max_leaf = HYPERV_CPUID_HARDWARE_FEATURES,
		.features_eax = 0xe7f,
		.features_ebx = HV_POST_MESSAGES | HV_SIGNAL_EVENTS,
		.features_edx = 0x7b2,
		.hints_eax = 0x2c,
		.spin_retries = 0xfff,
		.max_vps = 64,
		.max_lps = 320,
		.hardware_eax = 0xf,
		.vmbus_version = VMBUS(3, 0),
		.gpadl_mib = 384,
		.madt_possible_cpus = true,
		.sources =
			{
				[PROFILE_VERSION] = SRC_RELEASE,
				[PROFILE_SERVICE] =
					OURS "that of 6.3.9600.16384, written "
					     "as 7601-6.1-17-0.17939 was",
				[PROFILE_MAX_LEAF] = OURS "TLFS 4.0",
				[PROFILE_FEATURES_EAX] =
					OURS "as on Windows Server 2012",
				[PROFILE_FEATURES_EBX] =
					OURS "TLFS 4.0, what VMbus needs",
				[PROFILE_FEATURES_EDX] =
					OURS "TLFS 4.0: the crash registers "
					     "are new",
				[PROFILE_HINTS] =
					OURS "as on Windows Server 2012",
				[PROFILE_SPIN_RETRIES] = SRC_AS_DUMP,
				[PROFILE_LIMITS] = SRC_SCALE,
				[PROFILE_HARDWARE] = SRC_AS_DUMP,
				[PROFILE_VMBUS] = SRC_VMBUS,
				[PROFILE_GPADL] = SRC_GPADL,
				[PROFILE_MADT] = SRC_KERNEL,
			},
	},
	{
		.name = "ws2016",
		.title = "Windows Server 2016",
		.build = 14393,
		.major = 10,
		.minor = 0,
		.service_pack = 0,
		.service_number = 576,
		.max_leaf = HYPERV_CPUID_HARDWARE_FEATURES,
		.features_eax = 0x2e7f,
		.features_ebx = 0x3b8030,
		.features_edx = 0xed7b2,
		.hints_eax = 0x4c2c,
		.spin_retries = 0xfff,
		.max_vps = 240,
		.max_lps = 512,
		.hardware_eax = 0xf,
		.vmbus_version = VMBUS(4, 0),
		.gpadl_mib = 384,
		.madt_possible_cpus = true,
		.sources =
			{
				[PROFILE_VERSION] = SRC_14393,
				[PROFILE_SERVICE] =
					"dmesg, host build 14393.576",
				[PROFILE_MAX_LEAF] = SRC_AS_DUMP,
				[PROFILE_FEATURES_EAX] = SRC_14393,
				[PROFILE_FEATURES_EBX] =
					OURS "TLFS 5.0; as on build 19041",
				[PROFILE_FEATURES_EDX] =
					OURS "TLFS 5.0, which has direct "
					     "timers; as on build 18362",
				[PROFILE_HINTS] = SRC_14393,
				[PROFILE_SPIN_RETRIES] = SRC_AS_DUMP,
				[PROFILE_LIMITS] = SRC_SCALE,
				[PROFILE_HARDWARE] = SRC_AS_DUMP,
				[PROFILE_VMBUS] = "dmesg, host build 14393.576",
				[PROFILE_GPADL] = SRC_GPADL,
				[PROFILE_MADT] = SRC_KERNEL,
			},
	},
	{
		.name = "ws2019",
		.title = "Windows Server 2019",
		.build = 17763,
		.major = 10,
		.minor = 0,
		.service_pack = 0,
		.service_number = 737,
		.max_leaf = HYPERV_CPUID_HARDWARE_FEATURES,
		.features_eax = 0x2e7f,
		.features_ebx = 0x3b8030,
		.features_edx = 0xbed7b2,
		.hints_eax = 0x60e24,
		.spin_retries = 0xfff,
		.max_vps = 240,
		.max_lps = 512,
		.hardware_eax = 0xf,
		.vmbus_version = VMBUS(5, 2),
		.gpadl_mib = 1280,
		.madt_possible_cpus = true,
		.sources =
			{
				[PROFILE_VERSION] = SRC_17763,
				[PROFILE_SERVICE] = SRC_17763,
				[PROFILE_MAX_LEAF] = SRC_AS_DUMP,
				[PROFILE_FEATURES_EAX] = SRC_17763,
				[PROFILE_FEATURES_EBX] =
					OURS "as dmesg of build 19041 has it",
				[PROFILE_FEATURES_EDX] = SRC_17763,
				[PROFILE_HINTS] = SRC_17763,
				[PROFILE_SPIN_RETRIES] = SRC_AS_DUMP,
				[PROFILE_LIMITS] = SRC_SCALE "; " SRC_DUMP,
				[PROFILE_HARDWARE] = SRC_AS_DUMP,
				[PROFILE_VMBUS] = SRC_VMBUS,
				[PROFILE_GPADL] = SRC_GPADL,
				[PROFILE_MADT] = SRC_KERNEL,
			},
	},
	{
		.name = "ws2022",
		.title = "Windows Server 2022",
		.build = 20348,
		.major = 10,
		.minor = 0,
		.service_pack = 2,
		.service_number = 2762,
		.max_leaf = HYPERV_CPUID_ISOLATION_CONFIG,
		.features_eax = 0xae7f,
		.features_ebx = 0x3b8030,
		.features_edx = 0xc0bed7b2,
		.hints_eax = 0x140c2c,
		.spin_retries = 0xfff,
		.max_vps = 1024,
		.max_lps = 2048,
		.hardware_eax = 0xf,
		.vmbus_version = VMBUS(5, 3),
		.gpadl_mib = 1280,
		.madt_possible_cpus = false,
		.sources =
			{
				[PROFILE_VERSION] = SRC_20348,
				[PROFILE_SERVICE] = SRC_20348,
				[PROFILE_MAX_LEAF] =
					SRC_20348 " (nested features printed); "
						  "OpenVMM hv1_emulator",
				[PROFILE_FEATURES_EAX] = SRC_20348,
				[PROFILE_FEATURES_EBX] =
					OURS "0x388030 in " SRC_20348
					     ", 0x3b8030 in dmesg of "
					     "build 22000",
				[PROFILE_FEATURES_EDX] = SRC_20348,
				[PROFILE_HINTS] = SRC_20348,
				[PROFILE_SPIN_RETRIES] = SRC_AS_DUMP,
				[PROFILE_LIMITS] = SRC_SCALE,
				[PROFILE_HARDWARE] = SRC_AS_DUMP,
				[PROFILE_VMBUS] = SRC_20348,
				[PROFILE_GPADL] = SRC_GPADL,
				[PROFILE_MADT] = SRC_20348 "; " SRC_KERNEL,
			},
	},
	{
		.name = "ws2025",
		.title = "Windows Server 2025",
		.build = 26100,
		.major = 10,
		.minor = 0,
		.service_pack = 7,
		.service_number = 7920,
		.max_leaf = HYPERV_CPUID_ISOLATION_CONFIG,
		.features_eax = 0xae7f,
		.features_ebx = 0x3b8030,
		.features_edx = 0xe0bed7b2,
		.hints_eax = 0x9a4e24,
		.spin_retries = 0xfff,
		.max_vps = 2048,
		.max_lps = 2048,
		.hardware_eax = 0xf,
		.vmbus_version = VMBUS(6, 0),
		.gpadl_mib = 1280,
		.madt_possible_cpus = false,
		.sources =
			{
				[PROFILE_VERSION] = SRC_26100,
				[PROFILE_SERVICE] =
					"dmesg, host build 26100.7920",
				[PROFILE_MAX_LEAF] =
					SRC_26100 " (nested features printed); "
						  "OpenVMM hv1_emulator",
				[PROFILE_FEATURES_EAX] = SRC_26100,
				[PROFILE_FEATURES_EBX] = SRC_26100,
				[PROFILE_FEATURES_EDX] =
					"dmesg, host build 26100.7920",
				[PROFILE_HINTS] =
					"dmesg, host build 26100.7920",
				[PROFILE_SPIN_RETRIES] = SRC_AS_DUMP,
				[PROFILE_LIMITS] = SRC_SCALE,
				[PROFILE_HARDWARE] = SRC_AS_DUMP,
				[PROFILE_VMBUS] =
					OURS "OpenVMM vmbus_core, Copper",
				[PROFILE_GPADL] = SRC_GPADL,
				[PROFILE_MADT] = SRC_26100 "; " SRC_KERNEL,
			},
	},
};

#define N_PROFILES (sizeof(profiles) / sizeof(profiles[0]))

const struct profile *profile_find(const char *name)
{
	if (!name)
		return profile_newest();
	for (unsigned int i = 0; i < N_PROFILES; i++)
		if (!strcmp(profiles[i].name, name))
			return &profiles[i];
	return NULL;
}

const struct profile *profile_newest(void)
{
	return &profiles[N_PROFILES - 1];
}

uint32_t profile_vmbus(const struct profile *profile, uint32_t max)
{
	return max ? MIN(max, profile->vmbus_version) : profile->vmbus_version;
}

const struct profile *profile_at(unsigned int i)
{
	return i < N_PROFILES ? &profiles[i] : NULL;
}
