/* SPDX-License-Identifier: MIT */
/*
 * topology.h - packages, dies, cores and threads of the machine.
 *
 * Processor by processor the threads of a core come first, then the cores of
 * a die, and so on.  In an APIC id each of these has a field of its own, as
 * wide as it needs: where a count is no power of two ids are left out.
 *
 * Thread: any; constant once initialised.
 * Source: Intel SDM "Identifying Topological Relationships in a
 * Multi-Processor System".
 */
#ifndef VM_TOPOLOGY_H
#define VM_TOPOLOGY_H

#include <stdint.h>

struct topology {
	unsigned int sockets, dies, cores, threads;
	/* how many bits of an APIC id are below the core, the die, the package */
	unsigned int core_shift, die_shift, package_shift;
};

/** topology_init() - all counts at least 1 */
void topology_init(struct topology *t, unsigned int sockets, unsigned int dies,
		   unsigned int cores, unsigned int threads);

/** topology_apic_id() - of the processor @vp */
uint32_t topology_apic_id(const struct topology *t, unsigned int vp);

/** topology_vp() - the processor with that id; -1: there can be none */
int topology_vp(const struct topology *t, uint32_t apic_id);

/** topology_package_threads() - processors in a package */
unsigned int topology_package_threads(const struct topology *t);

#endif
