/* SPDX-License-Identifier: MIT */
#include "boot/acpi_tables.h"

#include <glib/gstdio.h>

#include "base/checked.h"
#include "boot_case.h"
#include "proto/acpi.h"
#include "proto/platform.h"

#define GIB (1024 * MIB)

static struct boot_case c;

static void setup(void)
{
	c = case_new(64 * MIB);
}

static void teardown(void)
{
	case_free(&c);
}

static struct acpi_header header_at(uint64_t gpa)
{
	struct acpi_header h;

	case_read(&c, gpa, &h, sizeof(h));
	return h;
}

static uint64_t xsdt(void)
{
	struct acpi_rsdp rsdp;

	case_read(&c, MEMMAP_RSDP, &rsdp, sizeof(rsdp));
	return rsdp.xsdt_address;
}

/* Table @signature of the XSDT; 0 when it is not listed. */
static uint64_t find(const char *signature)
{
	uint64_t gpa = xsdt();
	uint32_t len = header_at(gpa).length;

	for (uint32_t off = sizeof(struct acpi_header); off < len; off += 8) {
		uint64_t table = case_u64(&c, gpa + off);

		if (!memcmp(header_at(table).signature, signature, 4))
			return table;
	}
	return 0;
}

static uint8_t sum(uint64_t gpa, size_t len)
{
	uint8_t s = 0;

	for (size_t i = 0; i < len; i++)
		s = (uint8_t)(s + case_u32(&c, gpa + i));
	return s;
}

static struct acpi_fadt fadt(void)
{
	struct acpi_fadt f;

	case_read(&c, find("FACP"), &f, sizeof(f));
	return f;
}

/* The @nth entry of @type in the table at @gpa; false when there is none. */
static bool entry(uint64_t gpa, size_t first, uint8_t type, unsigned int nth,
		  void *out, size_t len)
{
	uint32_t end = header_at(gpa).length;
	g_autofree uint8_t *table = g_malloc(end);

	case_read(&c, gpa, table, end);
	for (size_t off = first; off < end; off += table[off + 1]) {
		if (table[off + 1] < 2 || off + table[off + 1] > end)
			ck_abort_msg("entry of %u bytes", table[off + 1]);
		if (table[off] != type || nth--)
			continue;
		ck_assert_uint_eq(table[off + 1], len);
		memcpy(out, table + off, len);
		return true;
	}
	return false;
}

static bool madt(uint8_t type, unsigned int nth, void *out, size_t len)
{
	return entry(find("APIC"), sizeof(struct acpi_madt), type, nth, out,
		     len);
}

static bool srat(uint8_t type, unsigned int nth, void *out, size_t len)
{
	return entry(find("SRAT"), sizeof(struct acpi_srat), type, nth, out,
		     len);
}

START_TEST(rsdp_is_where_linux_scans)
{
	struct acpi_rsdp rsdp;

	acpi_tables_write(c.mem, &c.platform);
	case_read(&c, MEMMAP_RSDP, &rsdp, sizeof(rsdp));
	ck_assert_uint_ge(MEMMAP_RSDP, 0xE0000);
	ck_assert(is_aligned(MEMMAP_RSDP, 16));
	ck_assert_mem_eq(rsdp.signature, "RSD PTR ", 8);
	ck_assert_uint_eq(rsdp.revision, 2);
	ck_assert_uint_eq(rsdp.length, 36);
	ck_assert_uint_eq(sum(MEMMAP_RSDP, 20), 0);
	ck_assert_uint_eq(sum(MEMMAP_RSDP, 36), 0);
}
END_TEST

START_TEST(every_table_is_whole)
{
	static const char *const listed[] = {"FACP", "SSDT", "APIC", "SRAT"};
	uint64_t tables[G_N_ELEMENTS(listed) + 2];
	size_t n = 0;

	c.platform.srat = true;
	acpi_tables_write(c.mem, &c.platform);
	for (; n < G_N_ELEMENTS(listed); n++) {
		tables[n] = find(listed[n]);
		ck_assert_msg(tables[n] != 0, "%s", listed[n]);
	}
	tables[n++] = xsdt();
	tables[n++] = fadt().x_dsdt;
	for (size_t i = 0; i < n; i++) {
		struct acpi_header h = header_at(tables[i]);

		ck_assert_uint_ge(tables[i], MEMMAP_ACPI);
		ck_assert_uint_le(tables[i] + h.length, MEMMAP_ACPI_END);
		ck_assert_uint_eq(sum(tables[i], h.length), 0);
		ck_assert_mem_eq(h.oem_id, "VRTUAL", 6);
		ck_assert_mem_eq(h.oem_table_id, "MICROSFT", 8);
	}
	ck_assert_mem_eq(header_at(fadt().x_dsdt).signature, "DSDT", 4);
}
END_TEST

START_TEST(fadt_names_the_ports)
{
	struct acpi_fadt f;
	struct acpi_facs facs;

	acpi_tables_write(c.mem, &c.platform);
	f = fadt();
	ck_assert_uint_eq(f.header.revision, 6);
	ck_assert_mem_eq(f.hypervisor, "MsHyperV", 8);
	ck_assert_uint_eq(f.dsdt, f.x_dsdt);
	ck_assert_uint_eq(f.sci_int, 9);
	ck_assert_uint_eq(f.smi_cmd, 0);
	ck_assert_uint_eq(f.pm1a_evt_blk, 0x400);
	ck_assert_uint_eq(f.x_pm1a_evt_blk.address, 0x400);
	ck_assert_uint_eq(f.x_pm1a_evt_blk.bit_width, 32);
	ck_assert_uint_eq(f.pm1_evt_len, 4);
	ck_assert_uint_eq(f.pm1a_cnt_blk, 0x404);
	ck_assert_uint_eq(f.x_pm1a_cnt_blk.address, 0x404);
	ck_assert_uint_eq(f.pm1_cnt_len, 2);
	ck_assert_uint_eq(f.pm_tmr_blk, 0x408);
	ck_assert_uint_eq(f.x_pm_tmr_blk.address, 0x408);
	ck_assert_uint_eq(f.pm_tmr_len, 4);
	ck_assert_uint_eq(f.reset_reg.space, ACPI_SPACE_IO);
	ck_assert_uint_eq(f.reset_reg.address, PLATFORM_RESET_PORT);
	ck_assert_uint_eq(f.reset_value, PLATFORM_RESET_VALUE);
	ck_assert_uint_eq(f.century, 0x32);
	ck_assert_uint_gt(f.p_lvl2_lat, 100);
	ck_assert_uint_gt(f.p_lvl3_lat, 1000);

	ck_assert(is_aligned(f.firmware_ctrl, 64));
	case_read(&c, f.firmware_ctrl, &facs, sizeof(facs));
	ck_assert_mem_eq(facs.signature, "FACS", 4);
	ck_assert_uint_eq(facs.length, 64);
}
END_TEST

START_TEST(fadt_says_what_is_there)
{
	struct acpi_fadt f;

	acpi_tables_write(c.mem, &c.platform);
	f = fadt();
	ck_assert_uint_eq(f.flags,
			  ACPI_FADT_WBINVD | ACPI_FADT_PROC_C1 |
				  ACPI_FADT_SLP_BUTTON | ACPI_FADT_FIX_RTC |
				  ACPI_FADT_TMR_VAL_EXT | ACPI_FADT_RESET_REG);
	ck_assert_uint_eq(f.iapc_boot_arch,
			  ACPI_BOOT_LEGACY_DEVICES | ACPI_BOOT_NO_VGA);
	c.platform.i8042 = true;
	acpi_tables_write(c.mem, &c.platform);
	ck_assert_uint_eq(fadt().iapc_boot_arch, ACPI_BOOT_LEGACY_DEVICES |
							 ACPI_BOOT_NO_VGA |
							 ACPI_BOOT_8042);
}
END_TEST

START_TEST(madt_has_the_interrupt_controllers)
{
	struct acpi_madt_ioapic ioapic;
	struct acpi_madt_int_override o;
	struct acpi_madt_lapic_nmi nmi;
	struct acpi_madt m;

	acpi_tables_write(c.mem, &c.platform);
	case_read(&c, find("APIC"), &m, sizeof(m));
	ck_assert_uint_eq(m.lapic_address, 0xFEE00000);
	ck_assert_uint_eq(m.flags, ACPI_MADT_PCAT_COMPAT);
	ck_assert(madt(ACPI_MADT_IOAPIC, 0, &ioapic, sizeof(ioapic)));
	ck_assert_uint_eq(ioapic.address, 0xFEC00000);
	ck_assert_uint_eq(ioapic.gsi_base, 0);
	ck_assert(!madt(ACPI_MADT_IOAPIC, 1, &ioapic, sizeof(ioapic)));

	ck_assert(madt(ACPI_MADT_INT_OVERRIDE, 0, &o, sizeof(o)));
	ck_assert_uint_eq(o.source, 0);
	ck_assert_uint_eq(o.gsi, 2);
	ck_assert_uint_eq(o.flags, 0);
	/* The SCI is level triggered, active high. */
	ck_assert(madt(ACPI_MADT_INT_OVERRIDE, 1, &o, sizeof(o)));
	ck_assert_uint_eq(o.source, 9);
	ck_assert_uint_eq(o.gsi, 9);
	ck_assert_uint_eq(o.flags, 0xD);

	ck_assert(madt(ACPI_MADT_LAPIC_NMI, 0, &nmi, sizeof(nmi)));
	ck_assert_uint_eq(nmi.uid, 0xFF);
	ck_assert_uint_eq(nmi.lint, 1);
}
END_TEST

/* How many processors, which of them enabled, and by which kind of entry. */
START_TEST(madt_lists_processors)
{
	static const struct {
		unsigned int n_cpus;
		unsigned int n_possible;
		unsigned int n_lapic;
		unsigned int n_x2apic;
	} rows[] = {
		{1, 0, 1, 0},       {4, 4, 4, 0},        {2, 64, 64, 0},
		{4, 2, 4, 0},       {255, 0, 255, 0},    {256, 0, 255, 1},
		{16, 300, 255, 45}, {1024, 0, 255, 769},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct acpi_madt_lapic lapic;
		struct acpi_madt_x2apic x2apic;
		struct acpi_madt_x2apic_nmi nmi;
		unsigned int n, m;

		c.platform.n_cpus = rows[i].n_cpus;
		c.platform.n_possible_cpus = rows[i].n_possible;
		acpi_tables_write(c.mem, &c.platform);
		for (n = 0; madt(ACPI_MADT_LAPIC, n, &lapic, sizeof(lapic));
		     n++) {
			ck_assert_uint_eq(lapic.apic_id, n);
			ck_assert_uint_eq(lapic.uid, n);
			ck_assert_uint_eq(lapic.flags, n < rows[i].n_cpus);
		}
		ck_assert_uint_eq(n, rows[i].n_lapic);
		for (m = 0; madt(ACPI_MADT_X2APIC, m, &x2apic, sizeof(x2apic));
		     m++) {
			ck_assert_uint_eq(x2apic.apic_id, n + m);
			ck_assert_uint_eq(x2apic.uid, n + m);
			ck_assert_uint_eq(x2apic.flags, n + m < rows[i].n_cpus);
		}
		ck_assert_uint_eq(m, rows[i].n_x2apic);
		ck_assert_int_eq(
			madt(ACPI_MADT_X2APIC_NMI, 0, &nmi, sizeof(nmi)),
			m > 0);
	}
}
END_TEST

START_TEST(srat_only_when_asked)
{
	acpi_tables_write(c.mem, &c.platform);
	ck_assert_uint_eq(find("SRAT"), 0);
	c.platform.srat = true;
	acpi_tables_write(c.mem, &c.platform);
	ck_assert_uint_ne(find("SRAT"), 0);
}
END_TEST

START_TEST(srat_has_all_processors_and_all_ram)
{
	struct acpi_srat_cpu cpu;
	struct acpi_srat_x2apic x2apic;
	struct acpi_srat_memory m;
	unsigned int n = 0;
	uint64_t bytes = 0;

	teardown();
	c = case_new(5 * GIB);
	c.platform.srat = true;
	c.platform.n_cpus = 257;
	acpi_tables_write(c.mem, &c.platform);
	for (; srat(ACPI_SRAT_CPU, n, &cpu, sizeof(cpu)); n++) {
		ck_assert_uint_eq(cpu.apic_id, n);
		ck_assert_uint_eq(cpu.flags, ACPI_SRAT_ENABLED);
	}
	ck_assert_uint_eq(n, 255);
	ck_assert(srat(ACPI_SRAT_X2APIC, 0, &x2apic, sizeof(x2apic)));
	ck_assert_uint_eq(x2apic.apic_id, 255);
	ck_assert(srat(ACPI_SRAT_X2APIC, 1, &x2apic, sizeof(x2apic)));
	ck_assert(!srat(ACPI_SRAT_X2APIC, 2, &x2apic, sizeof(x2apic)));
	for (n = 0; srat(ACPI_SRAT_MEMORY, n, &m, sizeof(m)); n++) {
		ck_assert_uint_eq(m.domain, 0);
		bytes += m.bytes;
	}
	ck_assert_uint_eq(n, 3);
	/* All but the EBDA and what is above it, below 1 MiB. */
	ck_assert_uint_eq(bytes, 5 * GIB - (MIB - MEMMAP_EBDA));
}
END_TEST

START_TEST(the_largest_machine_fits)
{
	c.platform.n_cpus = BOOT_MAX_CPUS;
	c.platform.srat = true;
	acpi_tables_write(c.mem, &c.platform);
	ck_assert_uint_le(xsdt() + header_at(xsdt()).length, MEMMAP_ACPI_END);
}
END_TEST

/*
 * What Intel's own tools say of the tables.  @dir holds one file to a table.
 */

static void dump(const char *dir, const char *name, uint64_t gpa)
{
	uint32_t len = header_at(gpa).length;
	g_autofree uint8_t *bytes = g_malloc(len);
	g_autofree char *path = g_strdup_printf("%s/%s.aml", dir, name);

	case_read(&c, gpa, bytes, len);
	ck_assert(g_file_set_contents(path, (const char *)bytes, len, NULL));
}

static void dump_all(const char *dir)
{
	dump(dir, "dsdt", fadt().x_dsdt);
	dump(dir, "ssdt", find("SSDT"));
	dump(dir, "facp", find("FACP"));
	dump(dir, "apic", find("APIC"));
	dump(dir, "xsdt", xsdt());
	if (c.platform.srat)
		dump(dir, "srat", find("SRAT"));
}

static char *make_dir(void)
{
	char *dir = g_dir_make_tmp("kvmbus-acpi-XXXXXX", NULL);

	ck_assert_ptr_nonnull(dir);
	return dir;
}

static void remove_dir(char *name)
{
	GDir *dir = g_dir_open(name, 0, NULL);
	const char *file;

	while ((file = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(name, file, NULL);

		g_unlink(path);
	}
	g_dir_close(dir);
	g_rmdir(name);
	g_free(name);
}

/* Run @argv in @dir; what it said, on either stream.  It must succeed. */
static char *run(const char *dir, const char *const *argv)
{
	g_autofree char *out = NULL, *err = NULL;
	int status = -1;

	ck_assert(g_spawn_sync(dir, (char **)argv, NULL, G_SPAWN_SEARCH_PATH,
			       NULL, NULL, &out, &err, &status, NULL));
	ck_assert_msg(status == 0, "%s: status %d\n%s%s", argv[0], status, out,
		      err);
	return g_strconcat(out, err, NULL);
}

static bool have(const char *tool)
{
	g_autofree char *path = g_find_program_in_path(tool);

	if (!path)
		g_printerr("boot/acpi_tables: no %s: not asked\n", tool);
	return path != NULL;
}

/* Nothing is wrong in @said, what a tool said of @what. */
static void ck_assert_clean(const char *what, const char *said)
{
	static const char *const bad[] = {"Error", "Warning", "Invalid",
					  "Unknown", "****"};

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		const char *at = strstr(said, bad[i]);

		ck_assert_msg(!at, "%s: %.200s", what, at);
	}
}

START_TEST(iasl_reads_the_data_tables)
{
	static const char *const tables[] = {"facp", "apic", "srat", "xsdt"};
	char *dir;

	if (!have("iasl"))
		return;
	dir = make_dir();
	c.platform.srat = true;
	c.platform.n_cpus = 2;
	c.platform.n_possible_cpus = 300;
	acpi_tables_write(c.mem, &c.platform);
	dump_all(dir);
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
		g_autofree char *aml = g_strconcat(tables[i], ".aml", NULL);
		g_autofree char *dsl =
			g_strdup_printf("%s/%s.dsl", dir, tables[i]);
		g_autofree char *said = run(
			dir, (const char *const[]){"iasl", "-d", aml, NULL});
		g_autofree char *text = NULL;

		ck_assert_clean(aml, said);
		ck_assert(g_file_get_contents(dsl, &text, NULL, NULL));
		ck_assert_clean(dsl, text);
	}
	remove_dir(dir);
}
END_TEST

/*
 * Taken apart and put together again, the SSDT is the same AML, behind a
 * header that says who compiled it and what it takes for granted.
 */
START_TEST(iasl_rebuilds_the_ssdt)
{
	g_autofree char *before = NULL, *after = NULL, *old = NULL, *new = NULL;
	gsize n_before = 0, n_after = 0;
	char *dir;

	if (!have("iasl"))
		return;
	dir = make_dir();
	c.platform.n_possible_cpus = 300;
	acpi_tables_write(c.mem, &c.platform);
	dump_all(dir);
	g_free(run(dir, (const char *const[]){"iasl", "-d", "ssdt.aml", NULL}));
	g_free(run(dir, (const char *const[]){"iasl", "-oa", "-p", "new",
					      "ssdt.dsl", NULL}));
	old = g_build_filename(dir, "ssdt.aml", NULL);
	new = g_build_filename(dir, "new.aml", NULL);
	ck_assert(g_file_get_contents(old, &before, &n_before, NULL));
	ck_assert(g_file_get_contents(new, &after, &n_after, NULL));
	n_before -= sizeof(struct acpi_header);
	ck_assert_uint_lt(n_before, n_after);
	ck_assert_mem_eq(before + sizeof(struct acpi_header),
			 after + (n_after - n_before), n_before);
	remove_dir(dir);
}
END_TEST

/*
 * ACPICA is Linux' own interpreter.  acpiexec takes a second for each run, so
 * it is asked all at once: what it says to "evaluate" is an "[Integer]" line.
 */
static char *interpret(const char *dir, const char *const *paths)
{
	GString *batch = g_string_new("resources \\_SB.VMOD");
	char *said;

	for (; *paths; paths++)
		g_string_append_printf(batch, "; evaluate %s", *paths);
	said = run(dir,
		   (const char *const[]){"acpiexec", "-di", "-b", batch->str,
					 "dsdt.aml", "ssdt.aml", NULL});
	g_string_free(batch, TRUE);
	return said;
}

START_TEST(namespace_has_what_the_machine_has)
{
	static const char *const paths[] = {
		"\\_SB.COM1._STA", "\\_SB.COM2._STA",      "\\_SB.PS2K._STA",
		"\\_SB.C001._STA", "\\_SB.C002._STA",      "\\_SB.C002._UID",
		"\\_SB.RTC0._HID", "\\_SB.VMOD.VMBS._STA", NULL,
	};
	static const struct {
		unsigned int n_serial;
		bool i8042;
		uint64_t want[G_N_ELEMENTS(paths) - 1];
	} rows[] = {
		{0, true, {0, 0, 15, 15, 0, 2, 0x000BD041, 15}},
		{1, false, {15, 0, 0, 15, 0, 2, 0x000BD041, 15}},
		{2, false, {15, 15, 0, 15, 0, 2, 0x000BD041, 15}},
	};

	if (!have("acpiexec"))
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *dir = make_dir();
		g_autofree char *said = NULL;
		const char *at;

		c.platform.n_possible_cpus = 3;
		c.platform.n_serial = rows[i].n_serial;
		c.platform.i8042 = rows[i].i8042;
		acpi_tables_write(c.mem, &c.platform);
		dump_all(dir);
		said = interpret(dir, paths);
		at = said;
		for (size_t k = 0; paths[k]; k++) {
			at = strstr(at, "[Integer] = ");
			ck_assert_msg(at != NULL, "%s", paths[k]);
			at += strlen("[Integer] = ");
			ck_assert_msg(g_ascii_strtoull(at, NULL, 16) ==
					      rows[i].want[k],
				      "row %zu, %s: %.16s", i, paths[k], at);
		}
		remove_dir(dir);
	}
}
END_TEST

START_TEST(generation_id_has_an_address)
{
	static const char *const paths[] = {"\\_SB.GENC.ADDR", NULL};
	g_autofree char *said = NULL;
	char *dir;

	if (!have("acpiexec"))
		return;
	dir = make_dir();
	c.platform.genid = UUID_TEXT;
	acpi_tables_write(c.mem, &c.platform);
	dump_all(dir);
	said = interpret(dir, paths);
	ck_assert_msg(strstr(said, "Contains 2 Elements") != NULL, "%s", said);
	ck_assert_msg(strstr(said, "00000000000E1000") != NULL, "%s", said);
	remove_dir(dir);
}
END_TEST

/* The windows, as the interpreter reads them out of VMOD's _CRS. */
START_TEST(vmbus_windows_depend_on_ram)
{
	static const char *const no_paths[] = {NULL};
	static const struct {
		uint64_t ram;
		unsigned int phys_bits;
		/* NULL: no high window */
		const char *minimum;
		const char *maximum;
	} rows[] = {
		{GIB, 36, "Minimum : 0000000100000000",
		 "Maximum : 0000000FFFFFFFFF"},
		{5 * GIB, 40, "Minimum : 0000000180000000",
		 "Maximum : 000000117FFFFFFF"},
		{GIB, 32, NULL, NULL},
	};

	if (!have("acpiexec"))
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *dir = make_dir();
		g_autofree char *said = NULL;

		teardown();
		c = case_new(rows[i].ram);
		c.platform.phys_bits = rows[i].phys_bits;
		acpi_tables_write(c.mem, &c.platform);
		dump_all(dir);
		said = interpret(dir, no_paths);
		ck_assert(strstr(said, "Minimum : C0000000"));
		ck_assert(strstr(said, "Maximum : FEBFFFFF"));
		ck_assert_int_eq(strstr(said, "QWORD Address") != NULL,
				 rows[i].minimum != NULL);
		if (rows[i].minimum) {
			ck_assert(strstr(said, rows[i].minimum));
			ck_assert(strstr(said, rows[i].maximum));
		}
		remove_dir(dir);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("boot/acpi_tables");
	TCase *t = tcase_create("acpi_tables");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, rsdp_is_where_linux_scans);
	tcase_add_test(t, every_table_is_whole);
	tcase_add_test(t, fadt_names_the_ports);
	tcase_add_test(t, fadt_says_what_is_there);
	tcase_add_test(t, madt_has_the_interrupt_controllers);
	tcase_add_test(t, madt_lists_processors);
	tcase_add_test(t, srat_only_when_asked);
	tcase_add_test(t, srat_has_all_processors_and_all_ram);
	tcase_add_test(t, the_largest_machine_fits);
	tcase_add_test(t, iasl_reads_the_data_tables);
	tcase_add_test(t, iasl_rebuilds_the_ssdt);
	tcase_add_test(t, namespace_has_what_the_machine_has);
	tcase_add_test(t, generation_id_has_an_address);
	tcase_add_test(t, vmbus_windows_depend_on_ram);
	suite_add_tcase(s, t);
	return check_main(s);
}
