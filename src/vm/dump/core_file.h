/* SPDX-License-Identifier: MIT */
/*
 * core_file.h - a guest's memory and registers as an ELF core file, as QEMU's
 * dump-guest-memory writes it: crash(8) and drgn read it.
 *
 * A PT_LOAD for each region, by physical address; pages of zeroes are holes of
 * the file.  Notes: NT_PRSTATUS and "QEMU" for each processor, and Linux' own
 * VMCOREINFO, which says where the kernel lies and how its structures are laid
 * out: the kernel keeps it at the start of a page (Linux
 * kernel/crash_core.c:crash_save_vmcoreinfo_init()), so it is found there.
 *
 * Thread: any, while the guest does not run.
 * Source: ELF-64, QEMU target/i386/arch_dump.c (the layout of its note).
 */
#ifndef VM_CORE_FILE_H
#define VM_CORE_FILE_H

#include <stdint.h>

#include <glib.h>
#include <linux/kvm.h>

struct core_cpu {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	uint64_t kernel_gs_base;
};

struct core_region {
	uint64_t gpa;
	uint64_t bytes; /* a multiple of 4 KiB */
	const void *host;
};

struct core_file {
	const struct core_cpu *cpus;
	unsigned int n_cpus;
	const struct core_region *regions;
	unsigned int n_regions;
};

/**
 * core_file_write() - complete at @path, or not there
 *
 * Return: 0; -1 with @error (G_FILE_ERROR) set.
 */
int core_file_write(const struct core_file *core, const char *path,
		    GError **error);

#endif
