/* SPDX-License-Identifier: MIT */
/*
 * The features of x86 processors that have a name in QEMU and libvirt and are
 * a bit of CPUID.
 *
 * Source: Intel SDM and AMD APM "CPUID"; names as `virsh cpu-models` and QEMU's
 * -cpu help have them.
 */
#include "config/cpu_config.h"

#include <string.h>

#define L1_EDX(bit, name)                  \
	{                                  \
		name, 1, 0, CPUID_EDX, bit \
	}
#define L1_ECX(bit, name)                  \
	{                                  \
		name, 1, 0, CPUID_ECX, bit \
	}
#define L6_EAX(bit, name)                  \
	{                                  \
		name, 6, 0, CPUID_EAX, bit \
	}
#define L7_EBX(bit, name)                  \
	{                                  \
		name, 7, 0, CPUID_EBX, bit \
	}
#define L7_ECX(bit, name)                  \
	{                                  \
		name, 7, 0, CPUID_ECX, bit \
	}
#define L7_EDX(bit, name)                  \
	{                                  \
		name, 7, 0, CPUID_EDX, bit \
	}
#define L7_1_EAX(bit, name)                \
	{                                  \
		name, 7, 1, CPUID_EAX, bit \
	}
#define LD_1_EAX(bit, name)                  \
	{                                    \
		name, 0xD, 1, CPUID_EAX, bit \
	}
#define L80000001_EDX(bit, name)                    \
	{                                           \
		name, 0x80000001, 0, CPUID_EDX, bit \
	}
#define L80000001_ECX(bit, name)                    \
	{                                           \
		name, 0x80000001, 0, CPUID_ECX, bit \
	}
#define L80000007_EDX(bit, name)                    \
	{                                           \
		name, 0x80000007, 0, CPUID_EDX, bit \
	}
#define L80000008_EBX(bit, name)                    \
	{                                           \
		name, 0x80000008, 0, CPUID_EBX, bit \
	}
#define L8000000A_EDX(bit, name)                    \
	{                                           \
		name, 0x8000000A, 0, CPUID_EDX, bit \
	}
#define L80000021_EAX(bit, name)                    \
	{                                           \
		name, 0x80000021, 0, CPUID_EAX, bit \
	}

/* clang-format off: a bit a line */
static const struct cpu_feature table[] = {
	L1_EDX(0, "fpu"),
	L1_EDX(1, "vme"),
	L1_EDX(2, "de"),
	L1_EDX(3, "pse"),
	L1_EDX(4, "tsc"),
	L1_EDX(5, "msr"),
	L1_EDX(6, "pae"),
	L1_EDX(7, "mce"),
	L1_EDX(8, "cx8"),
	L1_EDX(9, "apic"),
	L1_EDX(11, "sep"),
	L1_EDX(12, "mtrr"),
	L1_EDX(13, "pge"),
	L1_EDX(14, "mca"),
	L1_EDX(15, "cmov"),
	L1_EDX(16, "pat"),
	L1_EDX(17, "pse36"),
	L1_EDX(18, "pn"),
	L1_EDX(19, "clflush"),
	L1_EDX(21, "ds"),
	L1_EDX(22, "acpi"),
	L1_EDX(23, "mmx"),
	L1_EDX(24, "fxsr"),
	L1_EDX(25, "sse"),
	L1_EDX(26, "sse2"),
	L1_EDX(27, "ss"),
	L1_EDX(28, "ht"),
	L1_EDX(29, "tm"),
	L1_EDX(30, "ia64"),
	L1_EDX(31, "pbe"),
	L1_ECX(0, "pni"),
	L1_ECX(0, "sse3"),
	L1_ECX(1, "pclmulqdq"),
	L1_ECX(1, "pclmuldq"),
	L1_ECX(2, "dtes64"),
	L1_ECX(3, "monitor"),
	L1_ECX(4, "ds-cpl"),
	L1_ECX(5, "vmx"),
	L1_ECX(6, "smx"),
	L1_ECX(7, "est"),
	L1_ECX(8, "tm2"),
	L1_ECX(9, "ssse3"),
	L1_ECX(10, "cid"),
	L1_ECX(12, "fma"),
	L1_ECX(13, "cx16"),
	L1_ECX(14, "xtpr"),
	L1_ECX(15, "pdcm"),
	L1_ECX(17, "pcid"),
	L1_ECX(18, "dca"),
	L1_ECX(19, "sse4.1"),
	L1_ECX(20, "sse4.2"),
	L1_ECX(21, "x2apic"),
	L1_ECX(22, "movbe"),
	L1_ECX(23, "popcnt"),
	L1_ECX(24, "tsc-deadline"),
	L1_ECX(25, "aes"),
	L1_ECX(26, "xsave"),
	L1_ECX(28, "avx"),
	L1_ECX(29, "f16c"),
	L1_ECX(30, "rdrand"),
	L1_ECX(31, "hypervisor"),
	L6_EAX(2, "arat"),
	L7_EBX(0, "fsgsbase"),
	L7_EBX(1, "tsc-adjust"),
	L7_EBX(2, "sgx"),
	L7_EBX(3, "bmi1"),
	L7_EBX(4, "hle"),
	L7_EBX(5, "avx2"),
	L7_EBX(7, "smep"),
	L7_EBX(8, "bmi2"),
	L7_EBX(9, "erms"),
	L7_EBX(10, "invpcid"),
	L7_EBX(11, "rtm"),
	L7_EBX(14, "mpx"),
	L7_EBX(16, "avx512f"),
	L7_EBX(17, "avx512dq"),
	L7_EBX(18, "rdseed"),
	L7_EBX(19, "adx"),
	L7_EBX(20, "smap"),
	L7_EBX(21, "avx512ifma"),
	L7_EBX(22, "pcommit"),
	L7_EBX(23, "clflushopt"),
	L7_EBX(24, "clwb"),
	L7_EBX(25, "intel-pt"),
	L7_EBX(26, "avx512pf"),
	L7_EBX(27, "avx512er"),
	L7_EBX(28, "avx512cd"),
	L7_EBX(29, "sha-ni"),
	L7_EBX(30, "avx512bw"),
	L7_EBX(31, "avx512vl"),
	L7_ECX(1, "avx512vbmi"),
	L7_ECX(2, "umip"),
	L7_ECX(3, "pku"),
	L7_ECX(5, "waitpkg"),
	L7_ECX(6, "avx512vbmi2"),
	L7_ECX(8, "gfni"),
	L7_ECX(9, "vaes"),
	L7_ECX(10, "vpclmulqdq"),
	L7_ECX(11, "avx512vnni"),
	L7_ECX(12, "avx512bitalg"),
	L7_ECX(14, "avx512-vpopcntdq"),
	L7_ECX(16, "la57"),
	L7_ECX(22, "rdpid"),
	L7_ECX(24, "bus-lock-detect"),
	L7_ECX(25, "cldemote"),
	L7_ECX(27, "movdiri"),
	L7_ECX(28, "movdir64b"),
	L7_ECX(30, "sgxlc"),
	L7_ECX(31, "pks"),
	L7_EDX(2, "avx512-4vnniw"),
	L7_EDX(3, "avx512-4fmaps"),
	L7_EDX(4, "fsrm"),
	L7_EDX(8, "avx512-vp2intersect"),
	L7_EDX(10, "md-clear"),
	L7_EDX(14, "serialize"),
	L7_EDX(16, "tsx-ldtrk"),
	L7_EDX(19, "arch-lbr"),
	L7_EDX(22, "amx-bf16"),
	L7_EDX(23, "avx512-fp16"),
	L7_EDX(24, "amx-tile"),
	L7_EDX(25, "amx-int8"),
	L7_EDX(26, "spec-ctrl"),
	L7_EDX(27, "stibp"),
	L7_EDX(28, "flush-l1d"),
	L7_EDX(29, "arch-capabilities"),
	L7_EDX(30, "core-capability"),
	L7_EDX(31, "ssbd"),
	L7_1_EAX(4, "avx-vnni"),
	L7_1_EAX(5, "avx512-bf16"),
	L7_1_EAX(7, "cmpccxadd"),
	L7_1_EAX(10, "fzrm"),
	L7_1_EAX(11, "fsrs"),
	L7_1_EAX(12, "fsrc"),
	L7_1_EAX(21, "amx-fp16"),
	L7_1_EAX(23, "avx-ifma"),
	LD_1_EAX(0, "xsaveopt"),
	LD_1_EAX(1, "xsavec"),
	LD_1_EAX(2, "xgetbv1"),
	LD_1_EAX(3, "xsaves"),
	LD_1_EAX(4, "xfd"),
	L80000001_EDX(11, "syscall"),
	L80000001_EDX(20, "nx"),
	L80000001_EDX(22, "mmxext"),
	L80000001_EDX(25, "fxsr-opt"),
	L80000001_EDX(26, "pdpe1gb"),
	L80000001_EDX(27, "rdtscp"),
	L80000001_EDX(29, "lm"),
	L80000001_EDX(30, "3dnowext"),
	L80000001_EDX(31, "3dnow"),
	L80000001_ECX(0, "lahf-lm"),
	L80000001_ECX(1, "cmp-legacy"),
	L80000001_ECX(2, "svm"),
	L80000001_ECX(3, "extapic"),
	L80000001_ECX(4, "cr8legacy"),
	L80000001_ECX(5, "abm"),
	L80000001_ECX(6, "sse4a"),
	L80000001_ECX(7, "misalignsse"),
	L80000001_ECX(8, "3dnowprefetch"),
	L80000001_ECX(9, "osvw"),
	L80000001_ECX(10, "ibs"),
	L80000001_ECX(11, "xop"),
	L80000001_ECX(12, "skinit"),
	L80000001_ECX(13, "wdt"),
	L80000001_ECX(15, "lwp"),
	L80000001_ECX(16, "fma4"),
	L80000001_ECX(17, "tce"),
	L80000001_ECX(19, "nodeid-msr"),
	L80000001_ECX(21, "tbm"),
	L80000001_ECX(22, "topoext"),
	L80000001_ECX(23, "perfctr-core"),
	L80000001_ECX(24, "perfctr-nb"),
	L80000007_EDX(8, "invtsc"),
	L80000008_EBX(0, "clzero"),
	L80000008_EBX(2, "xsaveerptr"),
	L80000008_EBX(9, "wbnoinvd"),
	L80000008_EBX(12, "ibpb"),
	L80000008_EBX(14, "ibrs"),
	L80000008_EBX(15, "amd-stibp"),
	L80000008_EBX(24, "amd-ssbd"),
	L80000008_EBX(25, "virt-ssbd"),
	L80000008_EBX(26, "amd-no-ssb"),
	L8000000A_EDX(0, "npt"),
	L8000000A_EDX(1, "lbrv"),
	L8000000A_EDX(2, "svm-lock"),
	L8000000A_EDX(3, "nrip-save"),
	L8000000A_EDX(4, "tsc-scale"),
	L8000000A_EDX(5, "vmcb-clean"),
	L8000000A_EDX(6, "flushbyasid"),
	L8000000A_EDX(7, "decodeassists"),
	L8000000A_EDX(10, "pause-filter"),
	L8000000A_EDX(12, "pfthreshold"),
	L8000000A_EDX(13, "avic"),
	L8000000A_EDX(15, "v-vmsave-vmload"),
	L8000000A_EDX(16, "vgif"),
	L80000021_EAX(0, "no-nested-data-bp"),
	L80000021_EAX(2, "lfence-always-serializing"),
	L80000021_EAX(6, "null-sel-clr-base"),
	L80000021_EAX(8, "auto-ibrs"),
};
/* clang-format on */

/* As cpu_feature_find() says. */
static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		bool both = strchr("-_.", *a) && strchr("-_.", *b);

		if (*a != *b && !both)
			return false;
	}
	return *a == *b;
}

const struct cpu_feature *cpu_feature_find(const char *name)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(table); i++)
		if (same_name(table[i].name, name))
			return &table[i];
	return NULL;
}

const struct cpu_feature *cpu_feature_at(unsigned int i)
{
	return i < G_N_ELEMENTS(table) ? &table[i] : NULL;
}
