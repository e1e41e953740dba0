/* SPDX-License-Identifier: MIT */
/*
 * cpuid.c - the hypervisor's leaves, the same on every processor, and the
 * processors' own places in the machine.
 *
 * Arguments: build=, major=, minor= of the profile; max-leaf= of leaf
 * 0x40000000; cores= in a package, threads= in a core; eax=, ebx=, edx= and hints=: bits that leaves 3 and 4 must have,
 * and no-… the ones that they must not have.
 */
#include "lib/apic.h"
#include "lib/arguments.h"
#include "lib/console.h"
#include "lib/instructions.h"
#include "lib/memory.h"
#include "lib/smp.h"
#include "lib/start.h"
#include "lib/tap.h"
#include "proto/hv_tlfs.h"

#define LEAF1_ECX_HYPERVISOR    (1u << 31)
#define LEAF1_EDX_HTT           (1u << 28)
#define LEAF_THERMAL            0x6
#define LEAF_TOPOLOGY           0xB
#define LEAF_POWER              0x80000007
#define POWER_EDX_INVARIANT_TSC (1u << 8)
#define TOPOLOGY_THREADS        1
#define TOPOLOGY_CORES          2
/* "KVMK" */
#define KVM_VENDOR_EBX          0x4B4D564Bu

#define FIRST     HYPERV_CPUID_VENDOR_AND_MAX_FUNCTIONS
#define N_LEAVES  16
#define MAX_VALID 0x4000FFFFu

static bool is_zero(struct cpuid c)
{
	return !(c.eax | c.ebx | c.ecx | c.edx);
}

static void test_signature(void)
{
	struct cpuid c = cpuid(FIRST, 0);

	check(cpuid(1, 0).ecx & LEAF1_ECX_HYPERVISOR, "hypervisor present");
	check_equal(c.ebx, HYPERV_VENDOR_EBX, "vendor, EBX");
	check_equal(c.ecx, HYPERV_VENDOR_ECX, "vendor, ECX");
	check_equal(c.edx, HYPERV_VENDOR_EDX, "vendor, EDX");
	check_between(c.eax, HYPERV_CPUID_IMPLEMENT_LIMITS, MAX_VALID,
		      "highest leaf");
	check_equal(c.eax, argument_number("max-leaf", c.eax),
		    "highest leaf of the profile");
	c = cpuid(HYPERV_CPUID_INTERFACE, 0);
	check_equal(c.eax, HYPERV_INTERFACE_HV1, "interface");
	check(!c.ebx && !c.ecx && !c.edx, "interface, the rest");
}

static void test_version(void)
{
	struct cpuid c = cpuid(HYPERV_CPUID_VERSION, 0);

	check_equal(c.eax, argument_number("build", 0), "build number");
	check_equal(c.ebx,
		    argument_number("major", 0) << 16 |
			    argument_number("minor", 0),
		    "version");
}

static void check_bits(uint32_t got, const char *has, const char *has_not,
		       const char *what)
{
	uint32_t want = (uint32_t)argument_number(has, 0);
	uint32_t unwanted = (uint32_t)argument_number(has_not, 0);

	check_equal(got & want, want, "%s: bits of the profile", what);
	check_equal(got & unwanted, 0, "%s: bits that it lacks", what);
}

static void test_features(void)
{
	const uint32_t basic =
		HV_MSR_VP_RUNTIME_AVAILABLE | HV_MSR_TIME_REF_COUNT_AVAILABLE |
		HV_MSR_SYNIC_AVAILABLE | HV_MSR_SYNTIMER_AVAILABLE |
		HV_MSR_APIC_ACCESS_AVAILABLE | HV_MSR_HYPERCALL_AVAILABLE |
		HV_MSR_VP_INDEX_AVAILABLE | HV_MSR_REFERENCE_TSC_AVAILABLE;
	/* With these Linux takes itself for the host, or worse. */
	const uint32_t never = HV_CREATE_PARTITIONS | HV_ACCESS_PARTITION_ID |
			       HV_CPU_MANAGEMENT | HV_ISOLATION;
	struct cpuid c = cpuid(HYPERV_CPUID_FEATURES, 0);

	check_equal(c.eax & basic, basic, "features: what every profile has");
	check_equal(c.ebx & (HV_POST_MESSAGES | HV_SIGNAL_EVENTS),
		    HV_POST_MESSAGES | HV_SIGNAL_EVENTS,
		    "privileges: messages and events");
	check_equal(c.ebx & never, 0, "privileges: nothing of a host");
	check_bits(c.eax, "eax", "no-eax", "features, EAX");
	check_bits(c.ebx, "ebx", "no-ebx", "features, EBX");
	check_bits(c.edx, "edx", "no-edx", "features, EDX");
}

/* What the processor says of its TSC follows the hypervisor's offer. */
static void test_invariant_tsc(void)
{
	bool offered =
		cpuid(HYPERV_CPUID_FEATURES, 0).eax & HV_ACCESS_TSC_INVARIANT;

	check_equal(!!(cpuid(LEAF_POWER, 0).edx & POWER_EDX_INVARIANT_TSC),
		    offered, "invariant TSC");
}

/* Nothing of power management, as Hyper-V: no APIC timer that always runs. */
static void test_power_management(void)
{
	check(is_zero(cpuid(LEAF_THERMAL, 0)), "leaf 6 is empty");
}

static void test_recommendations(void)
{
	struct cpuid c = cpuid(HYPERV_CPUID_ENLIGHTMENT_INFO, 0);

	check(c.eax & HV_DEPRECATING_AEOI_RECOMMENDED,
	      "recommendations: no auto-EOI");
	check_equal(c.eax & HV_X64_HYPERV_NESTED, 0,
		    "recommendations: not nested");
	check_bits(c.eax, "hints", "no-hints", "recommendations");
	check(c.ebx != 0, "retries of a spin lock");
}

static void test_limits(void)
{
	struct cpuid c = cpuid(HYPERV_CPUID_IMPLEMENT_LIMITS, 0);

	check_between(c.eax, smp_cpus(), 4096, "virtual processors");
	check(c.ebx != 0, "logical processors");
}

static void test_absent_leaves(void)
{
	uint32_t highest = cpuid(FIRST, 0).eax;

	for (uint32_t i = HYPERV_CPUID_CPU_MANAGEMENT_FEATURES; i <= highest;
	     i++)
		check(is_zero(cpuid(i, 0)), "leaf 0x%x is empty", i);
	check_equal(cpuid(HYPERV_CPUID_HARDWARE_FEATURES, 0).ebx, 0,
		    "hardware features, EBX");
	/* KVM puts its own signature at any multiple of 0x100. */
	for (uint32_t i = FIRST; i < FIRST + 0x1000; i += 0x100)
		if (cpuid(i, 0).ebx == KVM_VENDOR_EBX)
			check(false, "KVM's signature at 0x%x", i);
	check(true, "KVM's signature is looked for");
}

static void read_leaves(void *arg)
{
	struct cpuid *leaves = arg;

	for (uint32_t i = 0; i < N_LEAVES; i++)
		leaves[i] = cpuid(FIRST + i, 0);
}

static struct cpuid own[N_LEAVES], others[N_LEAVES];

struct place {
	uint32_t apic_id;
	struct cpuid leaf1, threads, cores, end;
};

static void read_place(void *arg)
{
	struct place *p = arg;

	p->apic_id = apic_id();
	p->leaf1 = cpuid(1, 0);
	p->threads = cpuid(LEAF_TOPOLOGY, 0);
	p->cores = cpuid(LEAF_TOPOLOGY, 1);
	p->end = cpuid(LEAF_TOPOLOGY, 2);
}

static void test_place(unsigned int i, const struct place *p)
{
	unsigned int id = smp_apic_id(i);
	unsigned int threads = (unsigned int)argument_number("threads", 1);
	unsigned int cores = (unsigned int)argument_number("cores", 0);
	uint32_t in_package = p->leaf1.ebx >> 16 & 0xFF;

	check_equal(p->apic_id, id, "processor %u: APIC id", i);
	check_equal(p->leaf1.ebx >> 24, id, "processor %u: in leaf 1", i);
	if (cores)
		check_equal(in_package, cores * threads,
			    "processor %u: how many in a package", i);
	else
		check_between(in_package, smp_cpus(), 255,
			      "processor %u: how many ids", i);
	check_equal(!!(p->leaf1.edx & LEAF1_EDX_HTT), in_package > 1,
		    "processor %u: more than one", i);
	check_equal(p->cores.edx, id, "processor %u: x2APIC id", i);
	check_equal(p->threads.ecx >> 8 & 0xFF, TOPOLOGY_THREADS,
		    "processor %u: level of threads", i);
	check_equal(p->cores.ecx >> 8 & 0xFF, TOPOLOGY_CORES,
		    "processor %u: level of cores", i);
	check_equal(p->threads.ebx & 0xFFFF, threads,
		    "processor %u: threads of its core", i);
	check(1u << (p->cores.eax & 31) >= in_package,
	      "processor %u: the package has room for all", i);
	check_equal(id >> (p->cores.eax & 31), cores ? i / cores / threads : 0,
		    "processor %u: its package", i);
	check_equal(p->end.ecx >> 8 & 0xFF, 0, "processor %u: no more levels",
		    i);
}

static void test_processor(unsigned int i)
{
	struct place p;

	memset(others, 0, sizeof(others));
	check(smp_run(i, read_leaves, others) &&
		      memory_equal(own, others, sizeof(own)),
	      "processor %u sees the same leaves", i);
	if (check(smp_run(i, read_place, &p), "processor %u answers", i))
		test_place(i, &p);
}

void guest_main(void)
{
	test_signature();
	test_version();
	test_features();
	test_invariant_tsc();
	test_power_management();
	test_recommendations();
	test_limits();
	test_absent_leaves();
	read_leaves(own);
	check(smp_start(), "all processors start");
	for (unsigned int i = 0; i < smp_cpus(); i++)
		test_processor(i);
}
