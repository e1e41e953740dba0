/* SPDX-License-Identifier: MIT */
#include "boot/elf_image.h"

#include <elf.h>
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/reader.h"
#include "boot/boot.h"
#include "boot/image.h"
#include "boot/loader.h"
#include "boot/memmap.h"
#include "mem/gmem.h"

/* Notes of a kernel: build id, Xen's, properties.  The rest is not read. */
#define MAX_NOTES_BYTES 65536u

/* What the two classes' headers have in common. */
struct elf_header {
	uint16_t type;
	uint16_t machine;
	uint64_t entry;
	uint64_t phoff;
	uint16_t phentsize;
	uint16_t phnum;
};

static void set_error(GError **error, const struct image *file,
		      const char *what)
{
	g_set_error(error, BOOT_ERROR, BOOT_ERROR_FORMAT, "%s: ELF file %s",
		    image_name(file), what);
}

static int read_header_32(const struct image *file, struct elf_header *h,
			  GError **error)
{
	Elf32_Ehdr e;

	if (image_read(file, 0, &e, sizeof(e), error))
		return -1;
	*h = (struct elf_header){e.e_type,  e.e_machine,   e.e_entry,
				 e.e_phoff, e.e_phentsize, e.e_phnum};
	return 0;
}

static int read_header_64(const struct image *file, struct elf_header *h,
			  GError **error)
{
	Elf64_Ehdr e;

	if (image_read(file, 0, &e, sizeof(e), error))
		return -1;
	*h = (struct elf_header){e.e_type,  e.e_machine,   e.e_entry,
				 e.e_phoff, e.e_phentsize, e.e_phnum};
	return 0;
}

static int read_segment_32(const struct image *file, uint64_t off,
			   struct elf_segment *s, GError **error)
{
	Elf32_Phdr p;

	if (image_read(file, off, &p, sizeof(p), error))
		return -1;
	*s = (struct elf_segment){p.p_type,   p.p_offset, p.p_vaddr, p.p_paddr,
				  p.p_filesz, p.p_memsz,  p.p_align};
	return 0;
}

static int read_segment_64(const struct image *file, uint64_t off,
			   struct elf_segment *s, GError **error)
{
	Elf64_Phdr p;

	if (image_read(file, off, &p, sizeof(p), error))
		return -1;
	*s = (struct elf_segment){p.p_type,   p.p_offset, p.p_vaddr, p.p_paddr,
				  p.p_filesz, p.p_memsz,  p.p_align};
	return 0;
}

/* What one class reads differently. */
struct elf_class {
	int (*read_header)(const struct image *file, struct elf_header *h,
			   GError **error);
	int (*read_segment)(const struct image *file, uint64_t off,
			    struct elf_segment *s, GError **error);
	uint16_t segment_bytes;
};

static const struct elf_class classes[] = {
	[ELFCLASS32] = {read_header_32, read_segment_32, sizeof(Elf32_Phdr)},
	[ELFCLASS64] = {read_header_64, read_segment_64, sizeof(Elf64_Phdr)},
};

static int check_header(const struct image *file, const struct elf_class *class,
			const struct elf_header *h, GError **error)
{
	if (h->machine != EM_386 && h->machine != EM_X86_64)
		set_error(error, file, "is not for x86");
	else if (h->type != ET_EXEC && h->type != ET_DYN)
		set_error(error, file, "is not an executable");
	else if (h->phnum > ELF_IMAGE_MAX_SEGMENTS)
		set_error(error, file, "has too many segments for a kernel");
	else if (h->phentsize != class->segment_bytes)
		set_error(error, file, "has program headers of a wrong size");
	else
		return 0;
	return -1;
}

int elf_image_parse(const struct image *file, struct elf_image *elf,
		    GError **error)
{
	unsigned char ident[EI_NIDENT];
	const struct elf_class *class;
	struct elf_header h;
	ssize_t n = image_peek(file, 0, ident, sizeof(ident), error);

	if (n < 0)
		return -1;
	if ((size_t)n < sizeof(ident) || memcmp(ident, ELFMAG, SELFMAG) != 0)
		return 0;
	if ((ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64) ||
	    ident[EI_DATA] != ELFDATA2LSB) {
		set_error(error, file, "is not for x86");
		return -1;
	}
	class = &classes[ident[EI_CLASS]];
	if (class->read_header(file, &h, error) ||
	    check_header(file, class, &h, error))
		return -1;
	elf->is_64bit = ident[EI_CLASS] == ELFCLASS64;
	elf->entry = h.entry;
	elf->n_segments = h.phnum;
	for (unsigned int i = 0; i < h.phnum; i++) {
		uint64_t off;

		/* An offset that wraps is past the end of any file. */
		if (!checked_add(h.phoff, (uint64_t)i * h.phentsize, &off))
			off = UINT64_MAX;
		if (class->read_segment(file, off, &elf->segments[i], error))
			return -1;
	}
	return 1;
}

static int load_segment(const struct loader *l, const struct elf_segment *s,
			GError **error)
{
	uint64_t bss = s->memory_bytes - s->file_bytes;
	uint8_t *host;

	if (s->paddr < MEMMAP_KERNEL) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_MEMORY,
			    "%s: loads at 0x%" PRIx64
			    ", but the first MiB holds boot data; link the "
			    "kernel at 1 MiB or above",
			    image_name(l->kernel), s->paddr);
		return -1;
	}
	if (!gmem_contains(l->mem, s->paddr, s->memory_bytes)) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_MEMORY,
			    "%s: needs %" PRIu64 " KiB of memory at 0x%" PRIx64
			    "; give the guest more memory (--memory)",
			    image_name(l->kernel), s->memory_bytes / 1024 + 1,
			    s->paddr);
		return -1;
	}
	if (image_load(l->kernel, s->offset, l->mem, s->paddr, s->file_bytes,
		       error))
		return -1;
	host = gmem_load(l->mem, s->paddr + s->file_bytes, bss);
	memset(host, 0, bss);
	return 0;
}

int elf_image_load(const struct loader *l, const struct elf_image *elf,
		   uint64_t *end, GError **error)
{
	uint64_t left = gmem_bytes(l->mem);

	*end = MEMMAP_KERNEL;
	for (unsigned int i = 0; i < elf->n_segments; i++) {
		const struct elf_segment *s = &elf->segments[i];

		if (s->type != PT_LOAD || !s->memory_bytes)
			continue;
		if (s->file_bytes > s->memory_bytes) {
			set_error(error, l->kernel,
				  "has a segment with more bytes in the file "
				  "than in memory");
			return -1;
		}
		/* Else a file of many segments would keep us loading. */
		if (s->memory_bytes > left) {
			g_set_error(error, BOOT_ERROR, BOOT_ERROR_MEMORY,
				    "%s: the segments together need more than "
				    "the guest's memory; give it more "
				    "(--memory)",
				    image_name(l->kernel));
			return -1;
		}
		left -= s->memory_bytes;
		if (load_segment(l, s, error))
			return -1;
		*end = MAX(*end, s->paddr + s->memory_bytes);
	}
	if (left == gmem_bytes(l->mem)) {
		set_error(error, l->kernel, "has no segments to load");
		return -1;
	}
	return 0;
}

/* One PT_NOTE segment, read into @notes. */
static int find_in(struct reader *notes, uint64_t align, const char *name,
		   uint32_t type, uint64_t *value)
{
	size_t name_bytes = strlen(name) + 1;
	char owner[16];

	while (reader_left(notes)) {
		uint32_t n_name = reader_u32(notes), n_desc, note_type;
		size_t desc_at, next;

		n_desc = reader_u32(notes);
		note_type = reader_u32(notes);
		if (!reader_ok(notes) || n_name > reader_left(notes))
			return 0;
		desc_at = align_up(notes->pos + n_name, align);
		if (n_desc > notes->size || desc_at > notes->size - n_desc)
			return 0;
		next = align_up(desc_at + n_desc, align);
		if (note_type == type && n_name == name_bytes &&
		    n_name <= sizeof(owner) &&
		    reader_bytes(notes, owner, n_name) &&
		    !memcmp(owner, name, n_name) &&
		    (n_desc == sizeof(uint32_t) ||
		     n_desc == sizeof(uint64_t))) {
			*value = 0;
			reader_at(notes, desc_at);
			return reader_bytes(notes, value, n_desc);
		}
		reader_at(notes, next);
	}
	return 0;
}

int elf_image_find_note(const struct image *file, const struct elf_image *elf,
			const char *name, uint32_t type, uint64_t *value,
			GError **error)
{
	for (unsigned int i = 0; i < elf->n_segments; i++) {
		const struct elf_segment *s = &elf->segments[i];
		uint64_t len = MIN(s->file_bytes, MAX_NOTES_BYTES);
		g_autofree uint8_t *bytes = NULL;
		struct reader notes;

		if (s->type != PT_NOTE || !len)
			continue;
		bytes = g_malloc(len);
		if (image_read(file, s->offset, bytes, len, error))
			return -1;
		notes = reader_init(bytes, len);
		if (find_in(&notes, s->align == 8 ? 8 : 4, name, type, value))
			return 1;
	}
	return 0;
}
