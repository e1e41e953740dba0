/* SPDX-License-Identifier: MIT */
#include "vm/dump/core_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/user.h>
#include <unistd.h>

#define PAGE      4096u
/* Pages that are written at once. */
#define RUN_BYTES (1u << 20)

#define VMCOREINFO_NAME  "VMCOREINFO"
/* What it begins with since there has been one. */
#define VMCOREINFO_FIRST "OSRELEASE="
#define VMCOREINFO_MAX   4096u

#define QEMU_NAME    "QEMU"
#define QEMU_VERSION 1

/* A segment register as QEMU's note has it. */
struct qemu_segment {
	uint32_t selector;
	uint32_t limit;
	uint32_t flags; /* as in the upper half of a descriptor */
	uint32_t pad;
	uint64_t base;
};

struct qemu_cpu {
	uint32_t version;
	uint32_t size;
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rip, rflags;
	struct qemu_segment cs, ds, es, fs, gs, ss;
	struct qemu_segment ldt, tr, gdt, idt;
	uint64_t cr[5];
	uint64_t kernel_gs_base;
};

_Static_assert(sizeof(struct qemu_cpu) == 440, "as QEMU writes it");

/* --- notes --------------------------------------------------------------- */

static void pad(GByteArray *to, guint multiple)
{
	static const guint8 zeroes[PAGE];

	if (to->len % multiple)
		g_byte_array_append(to, zeroes, multiple - to->len % multiple);
}

static void add_note(GByteArray *to, const char *name, uint32_t type,
		     const void *data, uint32_t bytes)
{
	const Elf64_Nhdr header = {
		.n_namesz = (uint32_t)strlen(name) + 1,
		.n_descsz = bytes,
		.n_type = type,
	};

	g_byte_array_append(to, (const guint8 *)&header, sizeof(header));
	g_byte_array_append(to, (const guint8 *)name, header.n_namesz);
	pad(to, 4);
	g_byte_array_append(to, data, bytes);
	pad(to, 4);
}

static void add_prstatus(GByteArray *to, const struct core_cpu *c,
			 unsigned int index)
{
	const struct kvm_regs *r = &c->regs;
	const struct kvm_sregs *s = &c->sregs;
	const struct user_regs_struct regs = {
		.r15 = r->r15,
		.r14 = r->r14,
		.r13 = r->r13,
		.r12 = r->r12,
		.rbp = r->rbp,
		.rbx = r->rbx,
		.r11 = r->r11,
		.r10 = r->r10,
		.r9 = r->r9,
		.r8 = r->r8,
		.rax = r->rax,
		.rcx = r->rcx,
		.rdx = r->rdx,
		.rsi = r->rsi,
		.rdi = r->rdi,
		.rip = r->rip,
		.cs = s->cs.selector,
		.eflags = r->rflags,
		.rsp = r->rsp,
		.ss = s->ss.selector,
		.fs_base = s->fs.base,
		.gs_base = s->gs.base,
		.ds = s->ds.selector,
		.es = s->es.selector,
		.fs = s->fs.selector,
		.gs = s->gs.selector,
	};
	struct elf_prstatus status = {.pr_pid = (pid_t)index + 1};

	_Static_assert(sizeof(regs) == sizeof(status.pr_reg),
		       "both are the registers of x86-64");
	memcpy(&status.pr_reg, &regs, sizeof(regs));
	add_note(to, "CORE", NT_PRSTATUS, &status, sizeof(status));
}

static struct qemu_segment segment(const struct kvm_segment *s)
{
	return (struct qemu_segment){
		.selector = s->selector,
		.limit = s->limit,
		.flags = (uint32_t)s->type << 8 | (uint32_t)s->s << 12 |
			 (uint32_t)s->dpl << 13 | (uint32_t)s->present << 15 |
			 (uint32_t)s->avl << 20 | (uint32_t)s->l << 21 |
			 (uint32_t)s->db << 22 | (uint32_t)s->g << 23,
		.base = s->base,
	};
}

static struct qemu_segment table(const struct kvm_dtable *t)
{
	return (struct qemu_segment){.limit = t->limit, .base = t->base};
}

static void add_qemu(GByteArray *to, const struct core_cpu *c)
{
	const struct kvm_regs *r = &c->regs;
	const struct kvm_sregs *s = &c->sregs;
	const struct qemu_cpu q = {
		.version = QEMU_VERSION,
		.size = sizeof(q),
		.rax = r->rax,
		.rbx = r->rbx,
		.rcx = r->rcx,
		.rdx = r->rdx,
		.rsi = r->rsi,
		.rdi = r->rdi,
		.rsp = r->rsp,
		.rbp = r->rbp,
		.r8 = r->r8,
		.r9 = r->r9,
		.r10 = r->r10,
		.r11 = r->r11,
		.r12 = r->r12,
		.r13 = r->r13,
		.r14 = r->r14,
		.r15 = r->r15,
		.rip = r->rip,
		.rflags = r->rflags,
		.cs = segment(&s->cs),
		.ds = segment(&s->ds),
		.es = segment(&s->es),
		.fs = segment(&s->fs),
		.gs = segment(&s->gs),
		.ss = segment(&s->ss),
		.ldt = segment(&s->ldt),
		.tr = segment(&s->tr),
		.gdt = table(&s->gdt),
		.idt = table(&s->idt),
		.cr = {s->cr0, 0, s->cr2, s->cr3, s->cr4},
		.kernel_gs_base = c->kernel_gs_base,
	};

	add_note(to, QEMU_NAME, 0, &q, sizeof(q));
}

/* Is it at the start of this page?  Return: what it says; NULL: no. */
static const char *vmcoreinfo_at(const uint8_t *page, uint64_t bytes,
				 uint32_t *n)
{
	/* The name is padded to a multiple of four. */
	static const size_t head = sizeof(Elf64_Nhdr) + 12;
	Elf64_Nhdr note;

	memcpy(&note, page, sizeof(note));
	if (note.n_namesz != sizeof(VMCOREINFO_NAME) || note.n_type ||
	    memcmp(page + sizeof(note), VMCOREINFO_NAME,
		   sizeof(VMCOREINFO_NAME)) != 0 ||
	    note.n_descsz < strlen(VMCOREINFO_FIRST) ||
	    note.n_descsz > VMCOREINFO_MAX || note.n_descsz > bytes - head ||
	    memcmp(page + head, VMCOREINFO_FIRST, strlen(VMCOREINFO_FIRST)) !=
		    0)
		return NULL;
	*n = note.n_descsz;
	return (const char *)page + head;
}

static void add_vmcoreinfo(GByteArray *to, const struct core_file *core)
{
	for (unsigned int i = 0; i < core->n_regions; i++) {
		const struct core_region *r = &core->regions[i];

		for (uint64_t at = 0; at < r->bytes; at += PAGE) {
			uint32_t n;
			const char *text =
				vmcoreinfo_at((const uint8_t *)r->host + at,
					      r->bytes - at, &n);

			if (text) {
				add_note(to, VMCOREINFO_NAME, 0, text, n);
				return;
			}
		}
	}
}

static GByteArray *make_notes(const struct core_file *core)
{
	GByteArray *notes = g_byte_array_new();

	for (unsigned int i = 0; i < core->n_cpus; i++)
		add_prstatus(notes, &core->cpus[i], i);
	for (unsigned int i = 0; i < core->n_cpus; i++)
		add_qemu(notes, &core->cpus[i]);
	add_vmcoreinfo(notes, core);
	return notes;
}

/* --- the file ------------------------------------------------------------- */

/* Headers and notes, up to where memory begins. */
static GByteArray *make_front(const struct core_file *core)
{
	g_autoptr(GByteArray) notes = make_notes(core);
	GByteArray *front = g_byte_array_new();
	const Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			    ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(header),
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)(1 + core->n_regions),
	};
	Elf64_Phdr p = {
		.p_type = PT_NOTE,
		.p_offset = sizeof(header) +
			    (1 + core->n_regions) * sizeof(Elf64_Phdr),
		.p_filesz = notes->len,
		.p_memsz = notes->len,
	};

	g_byte_array_append(front, (const guint8 *)&header, sizeof(header));
	g_byte_array_append(front, (const guint8 *)&p, sizeof(p));
	p.p_type = PT_LOAD;
	p.p_align = PAGE;
	p.p_offset = (p.p_offset + notes->len + PAGE - 1) / PAGE * PAGE;
	for (unsigned int i = 0; i < core->n_regions; i++) {
		p.p_paddr = core->regions[i].gpa;
		p.p_filesz = p.p_memsz = core->regions[i].bytes;
		g_byte_array_append(front, (const guint8 *)&p, sizeof(p));
		p.p_offset += p.p_filesz;
	}
	g_byte_array_append(front, notes->data, notes->len);
	pad(front, PAGE);
	return front;
}

/* Return: 0 or -errno. */
static int write_at(int fd, const uint8_t *data, uint64_t bytes, uint64_t at)
{
	while (bytes) {
		ssize_t n = pwrite(fd, data, bytes, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		at += (uint64_t)n;
		bytes -= (uint64_t)n;
	}
	return 0;
}

static bool is_zero(const uint8_t *page)
{
	/* All are as the first, and that is zero. */
	return !*page && !memcmp(page, page + 1, PAGE - 1);
}

static int write_region(int fd, const struct core_region *r, uint64_t at)
{
	const uint8_t *host = r->host;
	uint64_t begin = 0, end;
	int err = 0;

	while (begin < r->bytes && !err) {
		if (is_zero(host + begin)) {
			begin += PAGE;
			continue;
		}
		for (end = begin + PAGE; end < r->bytes &&
					 end - begin < RUN_BYTES &&
					 !is_zero(host + end);)
			end += PAGE;
		err = write_at(fd, host + begin, end - begin, at + begin);
		begin = end;
	}
	return err;
}

static int write_all(int fd, const struct core_file *core)
{
	g_autoptr(GByteArray) front = make_front(core);
	uint64_t at = front->len;
	int err = write_at(fd, front->data, front->len, 0);

	for (unsigned int i = 0; i < core->n_regions && !err; i++) {
		err = write_region(fd, &core->regions[i], at);
		at += core->regions[i].bytes;
	}
	/* What is zero at the end belongs to it too. */
	if (!err && ftruncate(fd, (off_t)at))
		err = -errno;
	return err;
}

int core_file_write(const struct core_file *core, const char *path,
		    GError **error)
{
	g_autofree char *part = g_strconcat(path, ".part", NULL);
	int fd, err;

	/* Whatever is there: to open it might wait for somebody. */
	unlink(part);
	fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	err = fd < 0 ? -errno : write_all(fd, core);
	if (fd >= 0 && close(fd) && !err)
		err = -errno;
	if (!err && rename(part, path))
		err = -errno;
	if (!err)
		return 0;
	if (fd >= 0)
		unlink(part);
	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(-err),
		    "dump to %s: %s", path, g_strerror(-err));
	return -1;
}
