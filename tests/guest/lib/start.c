/* SPDX-License-Identifier: MIT */
#include "lib/start.h"

#include "lib/apic.h"
#include "lib/arguments.h"
#include "lib/cpu_area.h"
#include "lib/instructions.h"
#include "lib/tap.h"
#include "lib/traps.h"

extern const uint32_t boot_info;

void start_c(void)
{
	struct cpu *cpu = this_cpu();

	cpu->index = (unsigned int)(((unsigned long)cpu -
				     (unsigned long)cpu_blocks) /
				    CPU_BLOCK_BYTES);
	cpu->caught_vector = NO_VECTOR;
	cpu_load_tables();
	traps_load();
	apic_enable();
	interrupts_on();
	cpu->alive = true;
	if (cpu->index)
		smp_serve(cpu);
	arguments_init(at(boot_info));
	guest_main();
	tap_end();
}
