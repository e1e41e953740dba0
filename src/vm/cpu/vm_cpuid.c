/* SPDX-License-Identifier: MIT */
/*
 * vm_cpuid.c - CPUID of the machine's processors, given to KVM.
 */
#include <cpuid.h>
#include <linux/kvm.h>

#include "config/machine_config.h"
#include "kvm/kvm.h"
#include "kvm/kvm_vcpu.h"
#include "mem/gmem.h"
#include "vm/cpu/cpuid_build.h"
#include "vm/vm.h"
#include "vm/vm_private.h"

#define LEAF_ADDRESS_SIZES   0x80000008u
#define PHYS_BITS_OF_ANY_CPU 36u

struct kvm_cpuid2 *vm_cpuid_host(struct vm *vm, GError **error)
{
	struct kvm_cpuid2 *host = kvm_supported_cpuid(vm->kvm);
	unsigned int wanted = vm->config->cpu.phys_bits;

	vm->phys_bits = PHYS_BITS_OF_ANY_CPU;
	for (uint32_t i = 0; i < host->nent; i++)
		if (host->entries[i].function == LEAF_ADDRESS_SIZES)
			vm->phys_bits = host->entries[i].eax & 0xFF;
	if (wanted > vm->phys_bits) {
		g_set_error(error, KVM_ERROR, 0,
			    "--cpu phys-bits=%u: this host has %u", wanted,
			    vm->phys_bits);
		g_free(host);
		return NULL;
	}
	if (wanted)
		vm->phys_bits = wanted;
	return host;
}

int vm_check_memory(const struct vm *vm, GError **error)
{
	if (gmem_end(vm->mem) <= 1ull << vm->phys_bits)
		return 0;
	g_set_error(error, CONFIG_ERROR, 0,
		    "--memory: ends at 0x%" G_GINT64_MODIFIER
		    "x, and addresses of these processors have %u bits",
		    gmem_end(vm->mem), vm->phys_bits);
	return -1;
}

static int apply(struct vm *vm, unsigned int vp, const struct cpuid_plan *plan,
		 const struct kvm_cpuid2 *host, GError **error)
{
	g_autofree struct kvm_cpuid2 *cpuid = cpuid_build(plan, vp, host);
	const struct cpu_feature *missing = cpuid_missing(plan, cpuid);
	int err;

	if (missing) {
		g_set_error(error, KVM_ERROR, 0,
			    "--cpu %s: this host does not have it, or the "
			    "machine can not",
			    missing->name);
		return -1;
	}
	err = kvm_vcpu_set_cpuid(vm->vcpus[vp].kvm, cpuid);
	if (!err)
		return 0;
	g_set_error(error, VM_ERROR, -err, "CPUID of processor %u: %s", vp,
		    g_strerror(-err));
	return -1;
}

/* Without them the processors stay without a name. */
static void read_name(uint32_t name[CPUID_NAME_LEAVES][4])
{
	for (unsigned int i = 0; i < CPUID_NAME_LEAVES; i++)
		(void)__get_cpuid(CPUID_LEAF_NAME + i, &name[i][0], &name[i][1],
				  &name[i][2], &name[i][3]);
}

int vm_cpuid_apply(struct vm *vm, const struct kvm_cpuid2 *host, GError **error)
{
	struct cpuid_plan plan = {
		.features = &vm->features,
		.topology = &vm->topology,
		.cpu = &vm->config->cpu,
		.phys_bits = vm->phys_bits,
	};

	read_name(plan.name);
	for (unsigned int i = 0; i < vm->n_vcpus; i++)
		if (apply(vm, i, &plan, host, error))
			return -1;
	return 0;
}
