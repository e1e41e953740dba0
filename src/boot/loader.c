/* SPDX-License-Identifier: MIT */
#include "boot/loader.h"

#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "boot/boot.h"
#include "boot/image.h"
#include "boot/memmap.h"
#include "mem/gmem.h"

#define PAGE_BYTES 4096ull

uint64_t loader_low_ram_end(const struct loader *l)
{
	unsigned int n;

	return gmem_regions(l->mem, &n)[0].bytes;
}

static int load_initrd(const struct loader *l, uint64_t floor, uint64_t top,
		       struct loader_module *out, GError **error)
{
	uint64_t bytes = image_bytes(l->initrd);

	if (out->gpa < floor || out->gpa > top || bytes > top - out->gpa) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_MEMORY,
			    "%s: initrd of %" PRIu64
			    " KiB does not fit: the kernel leaves "
			    "%" PRIu64 " KiB free below 0x%" PRIx64
			    "; give the guest more memory (--memory)",
			    image_name(l->initrd), bytes / 1024 + 1,
			    (top > floor ? top - floor : 0) / 1024, top);
		return -1;
	}
	out->bytes = bytes;
	return image_load(l->initrd, 0, l->mem, out->gpa, bytes, error);
}

int loader_initrd_high(const struct loader *l, uint64_t floor, uint64_t limit,
		       struct loader_module *out, GError **error)
{
	uint64_t bytes, top = MIN(limit, loader_low_ram_end(l));

	*out = (struct loader_module){0};
	if (!l->initrd)
		return 0;
	bytes = image_bytes(l->initrd);
	if (bytes <= top)
		out->gpa = align_down(top - bytes, PAGE_BYTES);
	return load_initrd(l, floor, top, out, error);
}

int loader_initrd_low(const struct loader *l, uint64_t floor,
		      struct loader_module *out, GError **error)
{
	*out = (struct loader_module){0};
	if (!l->initrd)
		return 0;
	out->gpa = align_up(floor, PAGE_BYTES);
	return load_initrd(l, floor, loader_low_ram_end(l), out, error);
}

int loader_cmdline(const struct loader *l, const char *text, uint64_t max,
		   GError **error)
{
	size_t len = strlen(text);

	max = MIN(max, MEMMAP_CMDLINE_BYTES - 1);
	if (len > max) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_CMDLINE,
			    "%s: the command line has %zu characters, this "
			    "kernel takes at most %" PRIu64,
			    image_name(l->kernel), len, max);
		return -1;
	}
	gmem_write(l->mem, MEMMAP_CMDLINE, text, len + 1);
	return 0;
}
