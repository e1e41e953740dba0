/* SPDX-License-Identifier: MIT */
/*
 * fuzz_boot_image.c - kernel images of every format.
 *
 * The input is the image; a small initrd and command line go with it.  What
 * is loaded has a mode and the tables that go with it; what is refused has a
 * message.
 */
#include "fuzz/fuzz.h"

#include <string.h>

#include "boot/boot.h"
#include "mem/gmem.h"

/* Enough for a kernel that prefers 16 MiB, few enough to be quick. */
#define RAM_BYTES (24ull << 20)

static void check(const struct boot_entry *entry)
{
	expect(entry->protocol != NULL);
	expect(entry->gdt_base != 0 && entry->gdt_limit != 0);
	expect((entry->mode == BOOT_LONG) == (entry->cr3 != 0));
	expect(entry->mode == BOOT_LONG || entry->rip <= UINT32_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct boot_source src = {
		.kernel = "kernel",
		.cmdline = "console=ttyS0",
	};
	static const struct boot_platform platform = {.n_cpus = 1};
	g_autoptr(GBytes) kernel = g_bytes_new_static(data, size);
	g_autoptr(GBytes) initrd = g_bytes_new_static("initrd", 6);
	struct gmem *mem = gmem_new(RAM_BYTES, NULL);
	struct boot_entry entry;
	GError *error = NULL;

	expect(mem != NULL);
	if (boot_load_buffers(mem, &src, kernel, initrd, &platform, &entry,
			      &error)) {
		expect(error && error->domain == BOOT_ERROR &&
		       strstr(error->message, ": ") != NULL);
		g_error_free(error);
	} else {
		expect(!error);
		check(&entry);
	}
	gmem_free(mem);
	return 0;
}
