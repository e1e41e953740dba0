/* SPDX-License-Identifier: MIT */
/*
 * boot_case.h - a guest's RAM to boot into, and kernels to break.
 *
 * The kernels are made here, byte by byte, valid; a test breaks one thing.
 */
#ifndef BOOT_BOOT_CASE_H
#define BOOT_BOOT_CASE_H

#include <elf.h>
#include <string.h>

#include <asm/bootparam.h>
#include <glib.h>

#include "boot/boot.h"
#include "boot/memmap.h"
#include "mem/gmem.h"
#include "support/check_main.h"

#define MIB        (1ull << 20)
#define PAGE_BYTES 4096u

#define UUID_TEXT "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

/* One boot.  Zero-initialised; case_free() at the end. */
struct boot_case {
	struct gmem *mem;
	struct boot_platform platform;
	struct boot_entry entry;
	GError *error;
};

static inline struct boot_case case_new(uint64_t bytes)
{
	struct boot_case c = {
		.mem = gmem_new(bytes, NULL),
		.platform = {.n_cpus = 2, .n_serial = 1, .vm_uuid = UUID_TEXT},
	};

	ck_assert_ptr_nonnull(c.mem);
	return c;
}

static inline void case_free(struct boot_case *c)
{
	g_clear_error(&c->error);
	gmem_free(c->mem);
}

/* @initrd may be NULL; both are freed. */
static inline int case_load(struct boot_case *c, GByteArray *kernel,
			    GByteArray *initrd, const char *cmdline)
{
	g_autoptr(GBytes) k = g_byte_array_free_to_bytes(kernel);
	g_autoptr(GBytes) i =
		initrd ? g_byte_array_free_to_bytes(initrd) : NULL;
	struct boot_source src = {.kernel = "kernel.img", .cmdline = cmdline};

	g_clear_error(&c->error);
	return boot_load_buffers(c->mem, &src, k, i, &c->platform, &c->entry,
				 &c->error);
}

/* Refused, with @code, and the message has @text in it. */
#define ck_assert_refused(c, result, code_, text)                        \
	do {                                                             \
		ck_assert_int_eq(result, -1);                            \
		ck_assert_ptr_nonnull((c)->error);                       \
		ck_assert_uint_eq((c)->error->domain, BOOT_ERROR);       \
		ck_assert_msg(strstr((c)->error->message, text) != NULL, \
			      "'%s' is not in '%s'", text,               \
			      (c)->error->message);                      \
		ck_assert_msg((c)->error->code == (int)(code_),          \
			      "code %d for '%s'", (c)->error->code,      \
			      (c)->error->message);                      \
	} while (0)

#define ck_assert_loaded(c, result)                                         \
	do {                                                                \
		int result_ = (result);                                     \
		ck_assert_msg(result_ == 0, "%s",                           \
			      (c)->error ? (c)->error->message : "silent"); \
		ck_assert_ptr_null((c)->error);                             \
	} while (0)

static inline void case_read(const struct boot_case *c, uint64_t gpa, void *out,
			     size_t len)
{
	ck_assert_int_eq(gmem_read(c->mem, gpa, out, len), 0);
}

static inline uint64_t case_u64(const struct boot_case *c, uint64_t gpa)
{
	uint64_t v = 0;

	case_read(c, gpa, &v, sizeof(v));
	return v;
}

static inline uint32_t case_u32(const struct boot_case *c, uint64_t gpa)
{
	uint32_t v = 0;

	case_read(c, gpa, &v, sizeof(v));
	return v;
}

/* The string at @gpa, as much of it as fits; static. */
static inline const char *case_string(const struct boot_case *c, uint64_t gpa)
{
	static char text[512];

	case_read(c, gpa, text, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	return text;
}

/* Bytes that differ from their neighbours and from zero. */
static inline GByteArray *pattern(size_t len, uint8_t seed)
{
	GByteArray *a = g_byte_array_sized_new((guint)len);

	g_byte_array_set_size(a, (guint)len);
	for (size_t i = 0; i < len; i++)
		a->data[i] = (uint8_t)(seed + i % 251 + 1);
	return a;
}

static inline void ck_assert_pattern(const struct boot_case *c, uint64_t gpa,
				     size_t len, uint8_t seed)
{
	g_autoptr(GByteArray) want = pattern(len, seed);
	g_autofree uint8_t *got = g_malloc(len);

	case_read(c, gpa, got, len);
	ck_assert_mem_eq(got, want->data, len);
}

/* Overwrite @len bytes of @a at @off, little-endian. */
static inline void poke(GByteArray *a, size_t off, uint64_t value, size_t len)
{
	ck_assert_uint_le(off + len, a->len);
	memcpy(a->data + off, &value, len);
}

/* A bzImage: 5 sectors, then BZ_KERNEL_BYTES that begin at BZ_KERNEL_OFF. */
#define BZ_KERNEL_OFF   (5u * 512)
#define BZ_KERNEL_BYTES 8192u
#define BZ_KERNEL_SEED  7
#define BZ_HEADER_OFF   0x1F1u
#define BZ_HEADER_END   0x26Cu
#define BZ_PREF         (16 * MIB)
#define BZ_INIT_BYTES   (8 * MIB)

#define BZ_FIELD(field) (BZ_HEADER_OFF + offsetof(struct setup_header, field))

static inline GByteArray *make_bzimage(void)
{
	GByteArray *a = pattern(BZ_KERNEL_OFF, 0x80);
	g_autoptr(GByteArray) kernel = pattern(BZ_KERNEL_BYTES, BZ_KERNEL_SEED);
	struct setup_header hdr = {
		.setup_sects = 4,
		.syssize = BZ_KERNEL_BYTES / 16,
		.boot_flag = 0xAA55,
		.jump = (BZ_HEADER_END - 0x202) << 8 | 0xEB,
		.header = 0x53726448,
		.version = 0x20F,
		.loadflags = LOADED_HIGH,
		.initrd_addr_max = 0x7FFFFFFF,
		.kernel_alignment = 2 * MIB,
		.relocatable_kernel = 1,
		.xloadflags = XLF_KERNEL_64,
		.cmdline_size = 2047,
		.pref_address = BZ_PREF,
		.init_size = BZ_INIT_BYTES,
	};

	memcpy(a->data + BZ_HEADER_OFF, &hdr, sizeof(hdr));
	g_byte_array_append(a, kernel->data, kernel->len);
	return a;
}

/*
 * An ELF kernel: the headers, ELF_NOTE_BYTES of notes with a PVH entry point,
 * then one segment of ELF_FILE_BYTES at ELF_PADDR with a BSS behind it.
 */
#define ELF_PADDR        0x200000u
#define ELF_VADDR        0x80200000u
#define ELF_NOTE_OFF     0x100u
#define ELF_NOTE_BYTES   36u
#define ELF_PVH_OFF      (ELF_NOTE_OFF + 16 + 16)
#define ELF_SEGMENT_OFF  0x200u
#define ELF_FILE_BYTES   0x3000u
#define ELF_MEMORY_BYTES 0x5000u
#define ELF_SEED         3
#define ELF_ENTRY        (ELF_PADDR + 0x20)
#define ELF_PVH_ENTRY    (ELF_PADDR + 0x10)

static inline void put_at(GByteArray *a, size_t off, const void *data,
			  size_t len)
{
	ck_assert_uint_le(off + len, a->len);
	memcpy(a->data + off, data, len);
}

/* A note of another owner, then Xen's. */
static inline void put_notes(GByteArray *a)
{
	static const uint32_t notes[ELF_NOTE_BYTES / 4] = {
		4,
		0,
		18,
		0x00554E47, /* "GNU", nothing in it */
		4,
		4,
		18,
		0x006E6558, /* "Xen" */
		ELF_PVH_ENTRY,
	};

	put_at(a, ELF_NOTE_OFF, notes, sizeof(notes));
}

static inline GByteArray *make_elf64(void)
{
	GByteArray *a = pattern(ELF_SEGMENT_OFF, 0x40);
	g_autoptr(GByteArray) segment = pattern(ELF_FILE_BYTES, ELF_SEED);
	Elf64_Ehdr e = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			    ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = ELF_ENTRY,
		.e_phoff = sizeof(e),
		.e_ehsize = sizeof(e),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
	};
	Elf64_Phdr p[] = {
		{
			.p_type = PT_LOAD,
			.p_offset = ELF_SEGMENT_OFF,
			.p_vaddr = ELF_VADDR,
			.p_paddr = ELF_PADDR,
			.p_filesz = ELF_FILE_BYTES,
			.p_memsz = ELF_MEMORY_BYTES,
			.p_align = PAGE_BYTES,
		},
		{
			.p_type = PT_NOTE,
			.p_offset = ELF_NOTE_OFF,
			.p_filesz = ELF_NOTE_BYTES,
			.p_memsz = ELF_NOTE_BYTES,
			.p_align = 4,
		},
	};

	put_at(a, 0, &e, sizeof(e));
	put_at(a, sizeof(e), p, sizeof(p));
	put_notes(a);
	g_byte_array_append(a, segment->data, segment->len);
	return a;
}

static inline GByteArray *make_elf32(void)
{
	GByteArray *a = pattern(ELF_SEGMENT_OFF, 0x40);
	g_autoptr(GByteArray) segment = pattern(ELF_FILE_BYTES, ELF_SEED);
	Elf32_Ehdr e = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32,
			    ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_386,
		.e_version = EV_CURRENT,
		.e_entry = ELF_ENTRY,
		.e_phoff = sizeof(e),
		.e_ehsize = sizeof(e),
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = 2,
	};
	Elf32_Phdr p[] = {
		{
			.p_type = PT_LOAD,
			.p_offset = ELF_SEGMENT_OFF,
			.p_vaddr = ELF_VADDR,
			.p_paddr = ELF_PADDR,
			.p_filesz = ELF_FILE_BYTES,
			.p_memsz = ELF_MEMORY_BYTES,
			.p_align = PAGE_BYTES,
		},
		{
			.p_type = PT_NOTE,
			.p_offset = ELF_NOTE_OFF,
			.p_filesz = ELF_NOTE_BYTES,
			.p_memsz = ELF_NOTE_BYTES,
			.p_align = 4,
		},
	};

	put_at(a, 0, &e, sizeof(e));
	put_at(a, sizeof(e), p, sizeof(p));
	put_notes(a);
	g_byte_array_append(a, segment->data, segment->len);
	return a;
}

#endif
