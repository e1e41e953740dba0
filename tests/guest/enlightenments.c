/* SPDX-License-Identifier: MIT */
/*
 * enlightenments.c - exactly what was chosen is offered.
 *
 * Arguments: eax=, ebx=, edx= of leaf 0x40000003, hints= and spin= of leaf
 * 0x40000004; vendor= what leaf 0x40000000 EBX is.
 */
#include "lib/arguments.h"
#include "lib/instructions.h"
#include "lib/start.h"
#include "lib/tap.h"
#include "proto/hv_tlfs.h"

static void check_word(const char *name, uint32_t got)
{
	if (argument_given(name))
		check_equal(got, argument_number(name, 0), "%s", name);
}

void guest_main(void)
{
	struct cpuid features = cpuid(HYPERV_CPUID_FEATURES, 0);
	struct cpuid hints = cpuid(HYPERV_CPUID_ENLIGHTMENT_INFO, 0);

	check_word("eax", features.eax);
	check_word("ebx", features.ebx);
	check_word("edx", features.edx);
	check_word("hints", hints.eax);
	check_word("spin", hints.ebx);
	check_word("vendor",
		   cpuid(HYPERV_CPUID_VENDOR_AND_MAX_FUNCTIONS, 0).ebx);
	check_equal(cpuid(HYPERV_CPUID_INTERFACE, 0).eax, HYPERV_INTERFACE_HV1,
		    "interface");
}
