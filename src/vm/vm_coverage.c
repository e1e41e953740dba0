/* SPDX-License-Identifier: MIT */
#include "vm/vm_coverage.h"

#include <glib.h>

#include "base/coverage.h"
#include "hypercalls/table.h"
#include "hypercalls/vp_set.h"
#include "partition/features.h"
#include "partition/msr.h"
#include "partition/profile.h"
#include "report/report.h"
#include "vm/vm_private.h"
#include "vsp/vmbus/chanmsg.h"
#include "vsp/vsp.h"

enum part {
	PART_CPUID,
	PART_MSRS,
	PART_HYPERCALLS,
	PART_MESSAGES,
	PART_DEVICES, /* one for each enum vsp_table */
	N_PARTS = PART_DEVICES + VSP_N_TABLES,
};

struct vm_coverage {
	struct report_part parts[N_PARTS];
	GArray *rows[N_PARTS]; /* struct report_row */
};

static const char *const keys[N_PARTS] = {
	[PART_CPUID] = "cpuid",
	[PART_MSRS] = "msrs",
	[PART_HYPERCALLS] = "hypercalls",
	[PART_MESSAGES] = "vmbus_messages",
	[PART_DEVICES + VSP_TABLE_SCSI] = "scsi_commands",
	[PART_DEVICES + VSP_TABLE_NVSP] = "nvsp_messages",
	[PART_DEVICES + VSP_TABLE_OID] = "oids",
};

/* --- CPUID --------------------------------------------------------------------- */

/* A leaf, and which of its registers: 0 is EAX, 1 EBX, 3 EDX. */
static const struct {
	uint32_t leaf;
	unsigned int reg;
} words[FEATURE_N_WORDS] = {
	[FEATURE_EAX] = {0x40000003, 0},      [FEATURE_EBX] = {0x40000003, 1},
	[FEATURE_EDX] = {0x40000003, 3},      [FEATURE_HINTS] = {0x40000004, 0},
	[FEATURE_HARDWARE] = {0x40000006, 0},
};

static uint32_t word_of(const struct partition_features *f,
			enum feature_word word)
{
	switch (word) {
	case FEATURE_EAX:
		return f->eax;
	case FEATURE_EBX:
		return f->ebx;
	case FEATURE_EDX:
		return f->edx;
	case FEATURE_HINTS:
		return f->hints;
	case FEATURE_HARDWARE:
		return f->hardware;
	case FEATURE_N_WORDS:
	default:
		return 0;
	}
}

/* What some profile offers on some host. */
static uint32_t implemented_word(enum feature_word word)
{
	struct partition_features f;
	uint32_t bits = 0;

	for (unsigned int i = 0; profile_at(i); i++) {
		partition_features_init(&f, profile_at(i), true, 1, HV_MAX_VPS);
		partition_features_recommend_apic(&f);
		bits |= word_of(&f, word);
	}
	return bits;
}

/* By the rows that stand for the bit; false: there is none. */
static bool count_bit(const struct report *r, enum feature_word word,
		      unsigned int bit, uint64_t *used)
{
	unsigned int n_msrs, n_calls;
	const struct msr_row *msr = msr_table(&n_msrs);
	const struct hypercall_row *call = hypercall_table(&n_calls);
	uint64_t mask = 1ull << bit;
	bool found = false;

	*used = 0;
	for (unsigned int i = 0; i < n_msrs; i++) {
		const struct coverage_entry *e = &r->msrs->entries[i];

		if (!((word == FEATURE_EAX && msr[i].privilege & mask) ||
		      (word == FEATURE_EDX && msr[i].feature & mask)))
			continue;
		found = true;
		*used += atomic_load(&e->count) + atomic_load(&e->writes);
	}
	for (unsigned int i = 0; i < n_calls; i++) {
		if (!((word == FEATURE_EBX && call[i].privilege >> 32 & mask) ||
		      (word == FEATURE_HINTS && call[i].hint & mask)))
			continue;
		found = true;
		*used += atomic_load(&r->hypercalls->entries[i].count);
	}
	return found;
}

static void add_cpuid(GArray *rows, const struct vm *vm, const struct report *r)
{
	for (unsigned int w = 0; w < FEATURE_N_WORDS; w++) {
		enum feature_word word = (enum feature_word)w;
		uint32_t offered = word_of(&vm->features, word);
		uint32_t implemented = implemented_word(word) | offered;

		for (unsigned int bit = 0; bit < 32; bit++) {
			struct report_row row = {
				.name = feature_name(word, bit),
				.number = words[w].leaf,
				.bit = (int)bit,
				.implemented = implemented >> bit & 1,
				.offered = offered >> bit & 1,
				.note = feature_note(word, bit),
			};

			if (!row.name && !row.implemented)
				continue;
			row.counted = count_bit(r, word, bit, &row.used);
			g_array_append_val(rows, row);
		}
	}
}

/* --- registers, calls, messages ------------------------------------------------- */

static void count(struct report_row *row, const struct coverage_entry *e)
{
	row->counted = true;
	row->bit = -1;
	row->used = atomic_load(&e->count) + atomic_load(&e->writes);
	row->refused = atomic_load(&e->refused);
}

static void add_msrs(GArray *rows, const struct vm *vm, const struct report *r)
{
	const struct partition_features *f = &vm->features;
	unsigned int n;
	const struct msr_row *m = msr_table(&n);

	for (unsigned int i = 0; i < n; i++) {
		struct report_row row = {
			.name = m[i].name,
			.number = m[i].msr,
			.implemented = m[i].read || m[i].write,
		};

		row.offered = row.implemented &&
			      (f->eax & m[i].privilege) == m[i].privilege &&
			      (f->edx & m[i].feature) == m[i].feature;
		count(&row, &r->msrs->entries[i]);
		g_array_append_val(rows, row);
	}
}

static void add_hypercalls(GArray *rows, const struct vm *vm,
			   const struct report *r)
{
	const struct partition_features *f = &vm->features;
	uint64_t rights = partition_privileges(f);
	unsigned int n;
	const struct hypercall_row *c = hypercall_table(&n);

	for (unsigned int i = 0; i < n; i++) {
		struct report_row row = {
			.name = c[i].name,
			.number = c[i].code,
			.implemented = c[i].handler != NULL,
		};

		row.offered = row.implemented &&
			      (rights & c[i].privilege) == c[i].privilege &&
			      (!c[i].needs_hint || f->hints & c[i].hint);
		count(&row, &r->hypercalls->entries[i]);
		g_array_append_val(rows, row);
	}
}

static void add_messages(GArray *rows, const struct report *r)
{
	const struct report_vmbus *v = r->vmbus;
	unsigned int n;
	const struct chanmsg_row *m = chanmsg_table(&n);

	for (unsigned int i = 0; v && v->messages && i < n; i++) {
		struct report_row row = {
			.name = m[i].name,
			.number = m[i].number,
			.implemented = !m[i].from_guest || m[i].handler,
			.note = m[i].from_guest ? "from the guest"
						: "from the host",
		};

		row.offered =
			row.implemented && m[i].min_version <= v->max_version;
		count(&row, &v->messages->entries[i]);
		g_array_append_val(rows, row);
	}
}

/* Devices of a kind are added up. */
static void add_use(GArray *rows, const struct report_use *use)
{
	struct report_row row = {
		.name = use->name,
		.number = use->number,
		.bit = -1,
		.implemented = true,
		.offered = true,
		.counted = true,
		.used = use->used,
		.refused = use->refused,
	};

	for (guint i = 0; i < rows->len; i++) {
		struct report_row *old =
			&g_array_index(rows, struct report_row, i);

		if (old->number != use->number)
			continue;
		old->used += use->used;
		old->refused += use->refused;
		return;
	}
	g_array_append_val(rows, row);
}

struct vm_coverage *vm_coverage_new(const struct vm *vm, const struct report *r)
{
	struct vm_coverage *c = g_new0(struct vm_coverage, 1);

	for (unsigned int i = 0; i < N_PARTS; i++)
		c->rows[i] =
			g_array_new(FALSE, TRUE, sizeof(struct report_row));
	add_cpuid(c->rows[PART_CPUID], vm, r);
	add_msrs(c->rows[PART_MSRS], vm, r);
	add_hypercalls(c->rows[PART_HYPERCALLS], vm, r);
	add_messages(c->rows[PART_MESSAGES], r);
	for (unsigned int i = 0; i < r->n_devices; i++) {
		const struct report_device *d = &r->devices[i];

		for (unsigned int n = 0; n < d->n_uses; n++)
			add_use(c->rows[PART_DEVICES + d->uses[n].table],
				&d->uses[n]);
	}
	for (unsigned int i = 0; i < N_PARTS; i++)
		c->parts[i] = (struct report_part){
			.key = keys[i],
			.rows = (const struct report_row *)(void *)c->rows[i]
					->data,
			.n_rows = c->rows[i]->len,
		};
	return c;
}

void vm_coverage_free(struct vm_coverage *c)
{
	if (!c)
		return;
	for (unsigned int i = 0; i < N_PARTS; i++)
		g_array_free(c->rows[i], TRUE);
	g_free(c);
}

void vm_coverage_fill(const struct vm_coverage *c, struct report *report)
{
	report->parts = c->parts;
	report->n_parts = N_PARTS;
}
