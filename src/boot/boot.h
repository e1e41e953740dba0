/* SPDX-License-Identifier: MIT */
/*
 * boot.h - put a kernel, its initrd and the firmware's tables into guest RAM.
 *
 * There is no firmware: boot_load() leaves memory as a boot loader would, and
 * says with which registers the first processor starts.  The image's format
 * is found from its contents:
 *
 *   bzImage     64-bit entry when the kernel has one, else 32-bit (i386)
 *   ELF         with a PVH note (vmlinux), 32- or 64-bit
 *   multiboot 1 ELF or with address fields; the initrd is its module
 *
 * Thread: main, no vCPU running.
 * Source: Linux Documentation/arch/x86/boot.rst and zero-page.rst; Xen
 * docs/misc/pvh.pandoc; Multiboot Specification 0.6.96.
 */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

struct gmem;
struct smbios_config;

enum boot_cpu_mode {
	/* CR0.PE|PG, CR4.PAE, EFER.LME|LMA; @cr3 maps the first 4 GiB 1:1 */
	BOOT_LONG,
	/* CR0.PE only; flat 32-bit segments */
	BOOT_PROTECTED,
};

/*
 * The registers of the first processor.  Those not named are 0; RFLAGS is 2
 * (interrupts off), the IDT has limit 0.  Segments have base 0 and limit
 * 4 GiB - 1 (granularity set): @code_selector execute/read, accessed, 64-bit
 * (L=1, D=0) or 32-bit (D=1) as @mode says; @data_selector read/write,
 * accessed, 32-bit, for DS, ES, FS, GS and SS; @tss_selector a busy TSS with
 * base 0 and limit 0x67.  The GDT in guest memory says the same.
 */
struct boot_entry {
	enum boot_cpu_mode mode;
	uint64_t rip;
	uint64_t rsp;
	uint64_t rax;
	uint64_t rbx;
	uint64_t rsi;
	/* 0 with BOOT_PROTECTED */
	uint64_t cr3;
	uint64_t gdt_base;
	uint16_t gdt_limit;
	uint16_t code_selector;
	uint16_t data_selector;
	uint16_t tss_selector;
	/* for log and report, e.g. "bzImage 64-bit"; static */
	const char *protocol;
};

/* Paths as the user gave them; @initrd and @cmdline may be NULL. */
struct boot_source {
	const char *kernel;
	const char *initrd;
	const char *cmdline;
};

/* The machine that ACPI and SMBIOS describe. */
struct boot_platform {
	/*
	 * Of all possible processors; NULL: from 0 on, one after the other.
	 * Ids of 255 and more need x2APIC.
	 */
	const uint32_t *apic_ids;
	unsigned int n_cpus;
	/* all MADT entries; those beyond n_cpus are disabled; 0: n_cpus */
	unsigned int n_possible_cpus;
	/* serial ports, 0 to 4 */
	unsigned int n_serial;
	/* width of a guest physical address; 0: 36 */
	unsigned int phys_bits;
	bool srat;
	bool i8042;
	/* "6ba7b810-9dad-11d1-80b4-00c04fd430c8"; NULL: all zeros */
	const char *vm_uuid;
	/*
	 * SMBIOS chassis asset tag; NULL: digits made from the UUID, as a
	 * Hyper-V host has them.  Azure's own tag makes cloud-init look for
	 * Azure's services, so it is given only when asked for.
	 */
	const char *asset_tag;
	/* other strings of SMBIOS than Hyper-V's, also for that; or NULL */
	const struct smbios_config *smbios;
	/* the VM generation ID, a UUID; NULL: there is no device for it */
	const char *genid;
};

#define BOOT_MAX_CPUS 1024u

#define BOOT_ERROR (boot_error_quark())
GQuark boot_error_quark(void);

enum boot_error {
	/* a file cannot be opened or read */
	BOOT_ERROR_FILE,
	/* not a kernel, or a kind or version that is not supported */
	BOOT_ERROR_FORMAT,
	/* shorter than its own header says */
	BOOT_ERROR_TRUNCATED,
	/* does not fit into guest RAM, or wants addresses that are not RAM */
	BOOT_ERROR_MEMORY,
	/* the command line is longer than the kernel takes */
	BOOT_ERROR_CMDLINE,
	/* boot_platform asks for what the tables cannot say */
	BOOT_ERROR_PLATFORM,
};

/**
 * boot_load() - load the kernel and all that it needs
 * @mem:      guest RAM; need not be zeroed: what is relied on is written
 * @src:      what to load
 * @platform: what the tables say
 * @entry:    filled in on success
 * @error:    BOOT_ERROR, with a message that names the file
 *
 * A guest reset calls this again: the files are opened and read anew, as a
 * machine that is switched on again reads its disk anew.  After a failure
 * guest RAM holds a part of it all.
 *
 * Return: 0, or -1 with @error set.
 */
int boot_load(struct gmem *mem, const struct boot_source *src,
	      const struct boot_platform *platform, struct boot_entry *entry,
	      GError **error);

/**
 * boot_load_buffers() - as boot_load(), with images that are in memory
 * @kernel: the image; @src->kernel is its name in messages
 * @initrd: may be NULL; then @src->initrd is not looked at
 *
 * For tests and for images that are not files.
 */
int boot_load_buffers(struct gmem *mem, const struct boot_source *src,
		      GBytes *kernel, GBytes *initrd,
		      const struct boot_platform *platform,
		      struct boot_entry *entry, GError **error);

#endif
