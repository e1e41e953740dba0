/* SPDX-License-Identifier: MIT */
#include "vm/cpu/topology.h"

static unsigned int bits_for(unsigned int n)
{
	return n > 1 ? 32 - (unsigned int)__builtin_clz(n - 1) : 0;
}

void topology_init(struct topology *t, unsigned int sockets, unsigned int dies,
		   unsigned int cores, unsigned int threads)
{
	t->sockets = sockets;
	t->dies = dies;
	t->cores = cores;
	t->threads = threads;
	t->core_shift = bits_for(threads);
	t->die_shift = t->core_shift + bits_for(cores);
	t->package_shift = t->die_shift + bits_for(dies);
}

uint32_t topology_apic_id(const struct topology *t, unsigned int vp)
{
	unsigned int thread = vp % t->threads;
	unsigned int core = vp / t->threads % t->cores;
	unsigned int die = vp / t->threads / t->cores % t->dies;
	unsigned int package = vp / t->threads / t->cores / t->dies;

	return package << t->package_shift | die << t->die_shift |
	       core << t->core_shift | thread;
}

static unsigned int field(uint32_t id, unsigned int from, unsigned int to)
{
	return (unsigned int)(id >> from & ((1ull << (to - from)) - 1));
}

int topology_vp(const struct topology *t, uint32_t apic_id)
{
	unsigned int thread = field(apic_id, 0, t->core_shift);
	unsigned int core = field(apic_id, t->core_shift, t->die_shift);
	unsigned int die = field(apic_id, t->die_shift, t->package_shift);
	unsigned int package = apic_id >> t->package_shift;

	if (thread >= t->threads || core >= t->cores || die >= t->dies ||
	    package >= t->sockets)
		return -1;
	return (int)(((package * t->dies + die) * t->cores + core) *
			     t->threads +
		     thread);
}

unsigned int topology_package_threads(const struct topology *t)
{
	return t->dies * t->cores * t->threads;
}
