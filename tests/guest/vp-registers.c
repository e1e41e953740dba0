/* SPDX-License-Identifier: MIT */
/*
 * vp-registers.c - registers of processors and their indices, by hypercall.
 */
#include "lib/hypercall.h"
#include "lib/instructions.h"
#include "lib/reference_time.h"
#include "lib/smp.h"
#include "lib/start.h"
#include "lib/tap.h"
#include "lib/traps.h"

#define CPUS 4u

static uint8_t input[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
static uint8_t output[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

struct get_registers {
	struct hv_vp_register_header header;
	uint32_t names[8];
};

struct set_register {
	struct hv_vp_register_header header;
	struct hv_register_assoc element;
};

static uint64_t get_registers(uint32_t vp, unsigned int n, uint32_t first,
			      uint32_t second)
{
	struct get_registers *in = (void *)input;

	memset(input, 0, sizeof(*in));
	memset(output, 0xAA, 64);
	in->header.partition_id = HV_PARTITION_ID_SELF;
	in->header.vp_index = vp;
	in->names[0] = first;
	in->names[1] = second;
	return hypercall_rep(HVCALL_GET_VP_REGISTERS, n, 0, input, output);
}

static uint64_t set_register(uint32_t vp, uint32_t name, uint64_t value)
{
	struct set_register *in = (void *)input;

	memset(input, 0, sizeof(*in));
	in->header.partition_id = HV_PARTITION_ID_SELF;
	in->header.vp_index = vp;
	in->element.name = name;
	in->element.value_low = value;
	return hypercall_rep(HVCALL_SET_VP_REGISTERS, 1, 0, input, NULL);
}

static uint64_t got(unsigned int i)
{
	return ((const uint64_t *)(void *)output)[2 * i];
}

static void test_register_reading(void)
{
	struct cpuid version = cpuid(HYPERV_CPUID_VERSION, 0);

	check_equal(get_registers(HV_VP_INDEX_SELF, 2, HV_REGISTER_VP_INDEX,
				  HV_REGISTER_GUEST_OSID),
		    2ull << 32, "registers: own index and identity");
	check_equal(got(0), 0, "registers: index");
	check_equal(got(1), GUEST_OS_ID, "registers: identity");
	check_equal(got(2), 0xAAAAAAAAAAAAAAAA, "registers: no more");
	check_equal(get_registers(2, 1, HV_REGISTER_VP_INDEX, 0), 1ull << 32,
		    "registers: of another processor");
	check_equal(got(0), 2, "registers: its index");
	get_registers(HV_VP_INDEX_SELF, 1, HV_REGISTER_HYPERVISOR_VERSION, 0);
	check_equal(got(0), (uint64_t)version.ebx << 32 | version.eax,
		    "registers: version, as in CPUID");
	get_registers(HV_VP_INDEX_SELF, 1, HV_REGISTER_TIME_REF_COUNT, 0);
	check_between(reference_counter() - got(0), 0, 10000000,
		      "registers: reference time");
}

static void test_register_errors(void)
{
	struct get_registers *in = (void *)input;

	check_equal(get_registers(HV_VP_INDEX_SELF, 2, HV_REGISTER_VP_INDEX,
				  0x12345678),
		    1ull << 32 | HV_STATUS_INVALID_PARAMETER,
		    "registers: an unknown one is the second");
	check_equal(get_registers(CPUS, 1, HV_REGISTER_VP_INDEX, 0),
		    HV_STATUS_INVALID_VP_INDEX, "registers: no such processor");
	get_registers(0, 1, HV_REGISTER_VP_INDEX, 0);
	in->header.partition_id = 1;
	check_equal(hypercall_rep(HVCALL_GET_VP_REGISTERS, 1, 0, input, output),
		    HV_STATUS_INVALID_PARTITION_ID,
		    "registers: another partition");
	check_equal(set_register(HV_VP_INDEX_SELF, HV_REGISTER_VP_INDEX, 7),
		    HV_STATUS_INVALID_PARAMETER, "registers: read-only");
	check_equal(set_register(HV_VP_INDEX_SELF, HV_REGISTER_SINT0 + 4, 3),
		    HV_STATUS_INVALID_REGISTER_VALUE,
		    "registers: a value that is refused");
	check_equal(set_register(1, HV_REGISTER_SINT0 + 4, 0x10044),
		    HV_STATUS_INVALID_VP_STATE,
		    "registers: a running processor's");
	check_equal(
		set_register(HV_VP_INDEX_SELF, HV_REGISTER_SINT0 + 4, 0x10044),
		1ull << 32, "registers: own SINT");
	check_equal(rdmsr(HV_X64_MSR_SINT0 + 4), 0x10044,
		    "registers: it is the MSR");
}

static void test_registers(void)
{
	if (!(cpuid(HYPERV_CPUID_FEATURES, 0).ebx & HV_ACCESS_VP_REGISTERS)) {
		check_equal(get_registers(0, 1, HV_REGISTER_VP_INDEX, 0),
			    HV_STATUS_ACCESS_DENIED,
			    "registers: not in this profile");
		return;
	}
	test_register_reading();
	test_register_errors();
}

static void test_indices(void)
{
	struct hv_get_vp_from_apic_id_in *in = (void *)input;
	uint32_t *ids = (uint32_t *)(void *)(in + 1);
	const uint32_t *indices = (const uint32_t *)(void *)output;

	memset(input, 0, sizeof(input));
	in->partition_id = HV_PARTITION_ID_SELF;
	for (uint32_t i = 0; i < CPUS; i++)
		ids[i] = CPUS - 1 - i;
	check_equal(hypercall_rep(HVCALL_GET_VP_INDEX_FROM_APIC_ID, CPUS, 0,
				  input, output),
		    (uint64_t)CPUS << 32, "indices from APIC ids");
	for (uint32_t i = 0; i < CPUS; i++)
		check_equal(indices[i], CPUS - 1 - i, "index %u", i);
	ids[0] = CPUS;
	check_equal(hypercall_rep(HVCALL_GET_VP_INDEX_FROM_APIC_ID, 1, 0, input,
				  output),
		    HV_STATUS_INVALID_PARAMETER, "no such APIC id");
	in->partition_id = 0;
	check_equal(hypercall_rep(HVCALL_GET_VP_INDEX_FROM_APIC_ID, 1, 0, input,
				  output),
		    HV_STATUS_INVALID_PARTITION_ID, "another partition's");
}

void guest_main(void)
{
	hypercalls_enable();
	if (!check(smp_cpus() == CPUS && smp_start(), "all processors start"))
		return;
	test_registers();
	test_indices();
}
