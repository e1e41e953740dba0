/* SPDX-License-Identifier: MIT */
#include "lib/window.h"

#include "lib/instructions.h"
#include "lib/memory.h"

#define ENTRY_FLAGS     0x07ull /* user, write, present */
#define DIRECTORY_SHIFT 21

extern volatile uint64_t page_directories[];

static volatile uint64_t table[WINDOW_PAGES]
	__attribute__((aligned(PAGE_BYTES)));

void window_open(void)
{
	page_directories[WINDOW_BASE >> DIRECTORY_SHIFT] =
		gpa_of(table) | ENTRY_FLAGS;
	write_cr3(read_cr3());
}

volatile void *window_map(unsigned int page, uint64_t gpa)
{
	table[page] = gpa | ENTRY_FLAGS;
	memory_barrier();
	return at(window_address(page));
}

void window_unmap(unsigned int page)
{
	table[page] = 0;
	memory_barrier();
}
