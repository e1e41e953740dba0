/* SPDX-License-Identifier: MIT */
/*
 * cpu_state.h - the GDT and the page tables that the first processor starts
 * with.
 *
 * Private to src/boot.
 */
#ifndef BOOT_CPU_STATE_H
#define BOOT_CPU_STATE_H

struct boot_entry;
struct gmem;

/**
 * cpu_state_write() - write the tables that @entry->mode needs
 *
 * Fills in @entry's cr3, rsp, GDT and selectors.  The selectors are those
 * that boot.rst asks for: code 0x10, data 0x18.
 */
void cpu_state_write(struct gmem *mem, struct boot_entry *entry);

#endif
