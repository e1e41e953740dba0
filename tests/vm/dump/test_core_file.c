/* SPDX-License-Identifier: MIT */
#include "vm/dump/core_file.h"

#include <elf.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "support/check_main.h"

#define PAGE     4096u
#define LOW      (64u * PAGE)
#define HIGH     (8u * PAGE)
#define HIGH_GPA 0x100000000ull

static uint8_t *low, *high;
static struct core_cpu cpus[2];
static struct core_region regions[2];
static struct core_file core;
static char *folder, *path;
static char *file; /* what was written */
static gsize file_bytes;

static void setup(void)
{
	folder = g_dir_make_tmp("kvmbus-core-XXXXXX", NULL);
	path = g_build_filename(folder, "core", NULL);
	low = g_malloc0(LOW);
	high = g_malloc0(HIGH);
	memset(cpus, 0, sizeof(cpus));
	for (unsigned int i = 0; i < 2; i++) {
		cpus[i].regs.rip = 0xffffffff81000000ull + i;
		cpus[i].regs.rsp = 0xffffc90000000000ull + i;
		cpus[i].regs.r15 = 15 + i;
		cpus[i].sregs.cs = (struct kvm_segment){.selector = 0x10,
							.limit = 0xffffffff,
							.type = 11,
							.s = 1,
							.present = 1,
							.l = 1,
							.g = 1};
		cpus[i].sregs.gs.base = 0xffff888000000000ull + i;
		cpus[i].sregs.cr3 = 0x1000 + i;
		cpus[i].sregs.idt =
			(struct kvm_dtable){.base = 0xfe00, .limit = 0xfff};
		cpus[i].kernel_gs_base = 77 + i;
	}
	regions[0] = (struct core_region){0, LOW, low};
	regions[1] = (struct core_region){HIGH_GPA, HIGH, high};
	core = (struct core_file){cpus, 2, regions, 2};
}

static void teardown(void)
{
	g_unlink(path);
	g_rmdir(folder);
	g_free(path);
	g_free(folder);
	g_free(low);
	g_free(high);
	g_clear_pointer(&file, g_free);
}

static void write_and_read(void)
{
	GError *error = NULL;

	ck_assert_msg(!core_file_write(&core, path, &error), "%s",
		      error ? error->message : "");
	ck_assert(g_file_get_contents(path, &file, &file_bytes, NULL));
}

static Elf64_Phdr segment(unsigned int i)
{
	Elf64_Ehdr h;
	Elf64_Phdr p;

	memcpy(&h, file, sizeof(h));
	ck_assert_uint_lt(i, h.e_phnum);
	memcpy(&p, file + h.e_phoff + i * sizeof(p), sizeof(p));
	return p;
}

/* The @n-th note of that name; NULL: there is none. */
static const char *note(const char *name, unsigned int n, uint32_t *bytes)
{
	Elf64_Phdr p = segment(0);
	const char *at = file + p.p_offset, *end = at + p.p_filesz;

	ck_assert_uint_eq(p.p_type, PT_NOTE);
	while (at < end) {
		Elf64_Nhdr h;
		const char *data;

		memcpy(&h, at, sizeof(h));
		data = at + sizeof(h) + (h.n_namesz + 3) / 4 * 4;
		if (!strcmp(at + sizeof(h), name) && !n--) {
			*bytes = h.n_descsz;
			return data;
		}
		at = data + (h.n_descsz + 3) / 4 * 4;
	}
	ck_assert_ptr_eq(at, end);
	return NULL;
}

START_TEST(memory_is_where_it_belongs)
{
	memset(low + 3 * PAGE, 0xaa, 2 * PAGE);
	memset(low + LOW - 1, 1, 1);
	memset(high + PAGE, 0xbb, 1);
	write_and_read();
	for (unsigned int i = 0; i < 2; i++) {
		Elf64_Phdr p = segment(1 + i);

		ck_assert_uint_eq(p.p_type, PT_LOAD);
		ck_assert_uint_eq(p.p_paddr, regions[i].gpa);
		ck_assert_uint_eq(p.p_filesz, regions[i].bytes);
		ck_assert_uint_eq(p.p_memsz, regions[i].bytes);
		ck_assert_uint_eq(p.p_offset % PAGE, 0);
		ck_assert_uint_le(p.p_offset + p.p_filesz, file_bytes);
		ck_assert(!memcmp(file + p.p_offset, regions[i].host,
				  regions[i].bytes));
	}
}
END_TEST

START_TEST(zeroes_are_holes)
{
	struct stat st;

	low[5 * PAGE] = 1;
	write_and_read();
	ck_assert(!stat(path, &st));
	ck_assert_uint_ge((size_t)st.st_size, LOW + HIGH);
	ck_assert_uint_lt((size_t)st.st_blocks * 512, LOW / 2);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
}
END_TEST

START_TEST(registers_are_in_notes)
{
	write_and_read();
	for (unsigned int i = 0; i < 2; i++) {
		struct elf_prstatus status;
		struct user_regs_struct regs;
		uint64_t words[55];
		uint32_t bytes;
		const char *at = note("CORE", i, &bytes);

		ck_assert_uint_eq(bytes, sizeof(status));
		memcpy(&status, at, bytes);
		memcpy(&regs, &status.pr_reg, sizeof(regs));
		ck_assert_int_eq(status.pr_pid, (int)i + 1);
		ck_assert_uint_eq(regs.rip, cpus[i].regs.rip);
		ck_assert_uint_eq(regs.rsp, cpus[i].regs.rsp);
		ck_assert_uint_eq(regs.r15, 15 + i);
		ck_assert_uint_eq(regs.cs, 0x10);
		ck_assert_uint_eq(regs.gs_base, cpus[i].sregs.gs.base);
		at = note("QEMU", i, &bytes);
		ck_assert_uint_eq(bytes, sizeof(words));
		memcpy(words, at, bytes);
		/* version 1, and the size */
		ck_assert_uint_eq(words[0], 1 | (uint64_t)bytes << 32);
		ck_assert_uint_eq(words[16], 15 + i);
		ck_assert_uint_eq(words[17], cpus[i].regs.rip);
		/* cs: selector, limit, flags as in a descriptor */
		ck_assert_uint_eq(words[19], 0xffffffff00000010ull);
		ck_assert_uint_eq(words[20], 0xa09b00);
		/* idt, then cr0 to cr4 */
		ck_assert_uint_eq(words[48], 0xfe00);
		ck_assert_uint_eq(words[52], cpus[i].sregs.cr3);
		ck_assert_uint_eq(words[54], 77 + i);
	}
}
END_TEST

static void put_vmcoreinfo(uint8_t *at, uint32_t bytes, const char *text)
{
	const Elf64_Nhdr h = {.n_namesz = 11, .n_descsz = bytes};

	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), "VMCOREINFO", 11);
	memcpy(at + sizeof(h) + 12, text, strlen(text));
}

START_TEST(what_linux_says_of_itself)
{
	static const char text[] = "OSRELEASE=6.1.0\nKERNELOFFSET=1000000\n";
	uint32_t bytes;
	const char *at;

	put_vmcoreinfo(high + 2 * PAGE, sizeof(text) - 1, text);
	write_and_read();
	at = note("VMCOREINFO", 0, &bytes);
	ck_assert_ptr_nonnull(at);
	ck_assert_uint_eq(bytes, strlen(text));
	ck_assert(!memcmp(at, text, bytes));
	ck_assert_ptr_null(note("VMCOREINFO", 1, &bytes));
}
END_TEST

/* Memory is the guest's: what looks like it, and is not. */
START_TEST(what_a_guest_makes_up)
{
	static const char text[] = "OSRELEASE=6.1.0\n";
	uint32_t bytes;

	put_vmcoreinfo(low + 1 * PAGE, 0xffffffff, text);
	put_vmcoreinfo(low + 2 * PAGE, 4097, text);
	put_vmcoreinfo(low + 3 * PAGE, 3, text);
	put_vmcoreinfo(low + 4 * PAGE, 0, text);
	put_vmcoreinfo(low + 5 * PAGE, 16, "OSRELEASF=6.1.0\n");
	put_vmcoreinfo(low + 6 * PAGE + 8, 16, text);
	/* Its end is beyond the region's. */
	put_vmcoreinfo(low + LOW - PAGE, 4090, text);
	write_and_read();
	ck_assert_ptr_null(note("VMCOREINFO", 0, &bytes));
}
END_TEST

START_TEST(a_file_that_cannot_be)
{
	g_autofree char *nowhere = g_build_filename(folder, "no", "x", NULL);
	GError *error = NULL;

	ck_assert_int_eq(core_file_write(&core, nowhere, &error), -1);
	ck_assert(g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT));
	g_clear_error(&error);
	ck_assert_int_eq(core_file_write(&core, folder, &error), -1);
	g_clear_error(&error);
	/* And nothing is left of it. */
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

/* To open it would wait for who reads from it. */
START_TEST(a_pipe_in_its_place)
{
	g_autofree char *part = g_strconcat(path, ".part", NULL);

	ck_assert_int_eq(mkfifo(part, 0600), 0);
	write_and_read();
	ck_assert_int_ne(access(part, F_OK), 0);
}
END_TEST

START_TEST(others_read_it)
{
	g_autofree char *tool = g_find_program_in_path("readelf");
	const char *argv[] = {tool, "-W", "-h", "-l", "-n", path, NULL};
	g_autofree char *out = NULL, *err = NULL;
	int status;

	if (!tool)
		return;
	write_and_read();
	ck_assert(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL,
			       NULL, &out, &err, &status, NULL));
	ck_assert_msg(!status && !*err, "%s", err);
	ck_assert_ptr_nonnull(strstr(out, "CORE (Core file)"));
	ck_assert_ptr_nonnull(strstr(out, "NT_PRSTATUS"));
	ck_assert_ptr_nonnull(strstr(out, "QEMU"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vm/dump/core_file");
	TCase *t = tcase_create("core_file");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, memory_is_where_it_belongs);
	tcase_add_test(t, zeroes_are_holes);
	tcase_add_test(t, registers_are_in_notes);
	tcase_add_test(t, what_linux_says_of_itself);
	tcase_add_test(t, what_a_guest_makes_up);
	tcase_add_test(t, a_file_that_cannot_be);
	tcase_add_test(t, a_pipe_in_its_place);
	tcase_add_test(t, others_read_it);
	suite_add_tcase(s, t);
	return check_main(s);
}
