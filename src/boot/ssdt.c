/* SPDX-License-Identifier: MIT */
#include "boot/ssdt.h"

#include "boot/aml.h"
#include "boot/boot.h"
#include "boot/memmap.h"
#include "proto/acpi.h"

/* Present, enabled, shown, functioning. */
#define STA_PRESENT 0x0Fu

static void append(GByteArray *bytes, const void *data, size_t len)
{
	g_byte_array_append(bytes, data, (guint)len);
}

/*
 * VMBus' MMIO windows as address-space descriptors, the only kind that
 * Linux drivers/hv/vmbus_drv.c:vmbus_walk_resources() counts.  It looks at
 * minimum and maximum, not at the length: an empty window must not be there.
 */
static void vmod_crs(GByteArray *aml, const struct gmem *mem,
		     unsigned int phys_bits)
{
	struct memmap_range low = memmap_low_mmio();
	struct memmap_range high = memmap_high_mmio(mem, phys_bits);
	g_autoptr(GByteArray) crs = g_byte_array_new();
	struct acpi_res_dword_space dword = {
		.tag = ACPI_RES_DWORD_SPACE,
		.length = sizeof(dword) - ACPI_RES_LARGE_HEADER,
		.type = ACPI_RES_MEMORY,
		.flags = ACPI_RES_MIN_MAX_FIXED,
		.type_flags = ACPI_RES_MEMORY_RW,
		.minimum = (uint32_t)low.base,
		.maximum = (uint32_t)(low.base + low.bytes - 1),
		.bytes = (uint32_t)low.bytes,
	};
	struct acpi_res_qword_space qword = {
		.tag = ACPI_RES_QWORD_SPACE,
		.length = sizeof(qword) - ACPI_RES_LARGE_HEADER,
		.type = ACPI_RES_MEMORY,
		.flags = ACPI_RES_MIN_MAX_FIXED,
		.type_flags = ACPI_RES_MEMORY_RW,
		.minimum = high.base,
		.maximum = high.base + high.bytes - 1,
		.bytes = high.bytes,
	};
	struct acpi_res_end_tag end = {.tag = ACPI_RES_END_TAG};

	append(crs, &dword, sizeof(dword));
	if (high.bytes)
		append(crs, &qword, sizeof(qword));
	append(crs, &end, sizeof(end));
	aml_name_buffer(aml, "_CRS", crs->data, crs->len);
}

/* One processor device; its _UID is the MADT's. */
static void processor(GByteArray *aml, unsigned int uid, bool present)
{
	g_autoptr(GByteArray) body = g_byte_array_new();
	char name[5];

	g_snprintf(name, sizeof(name), "C%03X", uid & 0xFFF);
	aml_name_string(body, "_HID", "ACPI0007");
	aml_name_integer(body, "_UID", uid);
	aml_name_integer(body, "_STA", present ? STA_PRESENT : 0);
	aml_device(aml, name, body);
}

/*
 * Where the VM generation ID is: Linux drivers/virt/vmgenid.c, which goes by
 * _HID; others go by _CID or _DDN, as Microsoft's paper about it has them.
 */
static void generation_id(GByteArray *aml)
{
	static const uint64_t address[] = {(uint32_t)MEMMAP_GENID,
					   MEMMAP_GENID >> 32};
	g_autoptr(GByteArray) body = g_byte_array_new();

	aml_name_string(body, "_HID", "VMGENCTR");
	aml_name_string(body, "_CID", "VM_Gen_Counter");
	aml_name_string(body, "_DDN", "VM_Gen_Counter");
	aml_name_package(body, "ADDR", address, G_N_ELEMENTS(address));
	aml_device(aml, "GENC", body);
}

void ssdt_body(GByteArray *aml, const struct gmem *mem,
	       const struct boot_platform *platform)
{
	unsigned int n_all = MAX(platform->n_cpus, platform->n_possible_cpus);
	g_autoptr(GByteArray) sb = g_byte_array_new();
	g_autoptr(GByteArray) vmod = g_byte_array_new();

	G_STATIC_ASSERT(BOOT_MAX_CPUS <= 0x1000);
	aml_name_integer(aml, "\\SERN", platform->n_serial);
	aml_name_integer(aml, "\\KBDP", platform->i8042);
	vmod_crs(vmod, mem, platform->phys_bits);
	aml_scope(aml, "\\_SB.VMOD", vmod);
	for (unsigned int i = 0; i < n_all; i++)
		processor(sb, i, i < platform->n_cpus);
	if (platform->genid)
		generation_id(sb);
	aml_scope(aml, "\\_SB", sb);
}
