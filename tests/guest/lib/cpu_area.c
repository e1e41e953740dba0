/* SPDX-License-Identifier: MIT */
#include "lib/cpu_area.h"

#include "lib/memory.h"

#define TSS_AVAILABLE 0x0000890000000067ull
#define TSS_SP0       1
#define TSS_SS0       2
#define TSS_IO_MAP    25

struct table_pointer {
	uint16_t limit;
	unsigned long base;
} __attribute__((packed));

extern const uint64_t start_gdt[];

void cpu_load_tables(void)
{
	struct cpu *cpu = this_cpu();
	uint64_t tss = (unsigned long)&cpu->tss;
	struct table_pointer pointer = {
		.limit = sizeof(cpu->gdt) - 1,
		.base = (unsigned long)cpu->gdt,
	};

	memory_copy(cpu->gdt, start_gdt, SELECTOR_TSS);
	cpu->gdt[SELECTOR_TSS / 8] = TSS_AVAILABLE | (tss & 0xFFFFFF) << 16 |
				     (tss >> 24 & 0xFF) << 56;
	cpu->gdt[SELECTOR_TSS / 8 + 1] = tss >> 32;
	cpu->tss.words[TSS_SP0] =
		(uint32_t)(unsigned long)cpu + CPU_BLOCK_BYTES / 2;
#ifndef __x86_64__
	cpu->tss.words[TSS_SS0] = SELECTOR_DATA;
#endif
	/* Past the limit: no port is CPL 3's. */
	cpu->tss.words[TSS_IO_MAP] = sizeof(struct tss) << 16;
	asm volatile("lgdt %0" : : "m"(pointer) : "memory");
	asm volatile("ltr %w0" : : "r"(SELECTOR_TSS) : "memory");
}
