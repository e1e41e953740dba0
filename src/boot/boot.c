/* SPDX-License-Identifier: MIT */
#include "boot/boot.h"

#include <inttypes.h>
#include <string.h>

#define LOG_CATEGORY "boot"
#include "base/guid.h"
#include "base/log.h"
#include "boot/acpi_tables.h"
#include "boot/cpu_state.h"
#include "boot/image.h"
#include "boot/loader.h"
#include "boot/memmap.h"
#include "boot/smbios.h"
#include "mem/gmem.h"

/* COM1 to COM4. */
#define MAX_SERIAL 4u

/* In the order in which they are tried. */
static int (*const formats[])(const struct loader *l, struct boot_entry *entry,
			      GError **error) = {
	bzimage_load,
	pvh_load,
	multiboot_load,
};

GQuark boot_error_quark(void)
{
	return g_quark_from_static_string("kvmbus-boot-error");
}

static int check_platform(const struct gmem *mem, const struct boot_platform *p,
			  GError **error)
{
	if (!p->n_cpus || MAX(p->n_cpus, p->n_possible_cpus) > BOOT_MAX_CPUS) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_PLATFORM,
			    "%u processors, %u possible: there can be 1 to %u",
			    p->n_cpus, p->n_possible_cpus, BOOT_MAX_CPUS);
		return -1;
	}
	if (p->n_serial > MAX_SERIAL) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_PLATFORM,
			    "%u serial ports: there can be %u", p->n_serial,
			    MAX_SERIAL);
		return -1;
	}
	if (!gmem_contains(mem, 0, MEMMAP_MIN_RAM)) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_MEMORY,
			    "%" PRIu64
			    " KiB of guest memory are too little to boot "
			    "anything; give the guest more (--memory)",
			    gmem_bytes(mem) >> 10);
		return -1;
	}
	return 0;
}

static int load_kernel(const struct loader *l, struct boot_entry *entry,
		       GError **error)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(formats); i++) {
		int is = formats[i](l, entry, error);

		if (is)
			return is > 0 ? 0 : -1;
	}
	g_set_error(error, BOOT_ERROR, BOOT_ERROR_FORMAT,
		    "%s: not a kernel: neither bzImage, ELF with a PVH note "
		    "nor multiboot",
		    image_name(l->kernel));
	return -1;
}

static int write_genid(struct gmem *mem, const struct boot_platform *platform,
		       GError **error)
{
	struct guid id;

	if (!platform->genid)
		return 0;
	if (guid_parse(platform->genid, &id)) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_PLATFORM,
			    "generation id '%s' is not a UUID",
			    platform->genid);
		return -1;
	}
	return gmem_write(mem, MEMMAP_GENID, &id, sizeof(id));
}

static int load_images(struct loader *l, const struct boot_platform *platform,
		       struct boot_entry *entry, GError **error)
{
	memset(entry, 0, sizeof(*entry));
	if (check_platform(l->mem, platform, error) ||
	    load_kernel(l, entry, error) ||
	    smbios_write(l->mem, platform, error) ||
	    write_genid(l->mem, platform, error))
		return -1;
	acpi_tables_write(l->mem, platform);
	cpu_state_write(l->mem, entry);
	log_info("%s: %s, entry 0x%" PRIx64, image_name(l->kernel),
		 entry->protocol, entry->rip);
	return 0;
}

int boot_load(struct gmem *mem, const struct boot_source *src,
	      const struct boot_platform *platform, struct boot_entry *entry,
	      GError **error)
{
	struct image *kernel, *initrd = NULL;
	struct loader l = {.mem = mem};
	int err = -1;

	kernel = image_open(src->kernel, error);
	if (!kernel)
		return -1;
	if (src->initrd) {
		initrd = image_open(src->initrd, error);
		if (!initrd)
			goto free_kernel;
	}
	l.kernel = kernel;
	l.initrd = initrd;
	l.cmdline = src->cmdline ? src->cmdline : "";
	err = load_images(&l, platform, entry, error);
	image_free(initrd);
free_kernel:
	image_free(kernel);
	return err;
}

int boot_load_buffers(struct gmem *mem, const struct boot_source *src,
		      GBytes *kernel, GBytes *initrd,
		      const struct boot_platform *platform,
		      struct boot_entry *entry, GError **error)
{
	struct image *kernel_image = image_from_bytes(src->kernel, kernel);
	struct image *initrd_image =
		initrd ? image_from_bytes("initrd", initrd) : NULL;
	struct loader l = {
		.mem = mem,
		.kernel = kernel_image,
		.initrd = initrd_image,
		.cmdline = src->cmdline ? src->cmdline : "",
	};
	int err = load_images(&l, platform, entry, error);

	image_free(initrd_image);
	image_free(kernel_image);
	return err;
}
