/* SPDX-License-Identifier: MIT */
/*
 * summary.c - the report for a person at a terminal.
 */
#include <inttypes.h>
#include <string.h>

#include "report/report.h"

#define LINE_COLUMNS 78

/* "  name  a, b, c" over as many lines as that takes. */
struct list {
	FILE *out;
	int column;
	bool empty;
};

static struct list list_start(FILE *out, const char *title)
{
	struct list l = {.out = out, .empty = true};

	l.column = fprintf(out, "  %-12s", title);
	return l;
}

static void list_add(struct list *l, const char *text)
{
	int width = (int)strlen(text) + 2;

	if (!l->empty && l->column + width > LINE_COLUMNS)
		l->column = fprintf(l->out, ",\n%14s", "") - 2;
	else if (!l->empty)
		l->column += fprintf(l->out, ", ");
	l->column += fprintf(l->out, "%s", text);
	l->empty = false;
}

static void list_end(struct list *l)
{
	fputs(l->empty ? "none\n" : "\n", l->out);
}

static void print_milestones(const struct report *r, FILE *out)
{
	struct list l = list_start(out, "reached");

	for (int i = 0; i < N_MILESTONES; i++) {
		enum milestone which = (enum milestone)i;
		g_autofree char *text = NULL;

		if (!milestone_reached(r->milestones, which))
			continue;
		text = g_strdup_printf("%s %" PRIu64 " ms",
				       milestone_name(which),
				       milestone_ms(r->milestones, which));
		list_add(&l, text);
	}
	list_end(&l);
}

static void print_coverage(const struct coverage_set *set, const char *title,
			   FILE *out)
{
	struct list l = list_start(out, title);

	for (unsigned int i = 0; set && i < set->n_entries; i++) {
		const struct coverage_entry *e = &set->entries[i];
		uint64_t count =
			atomic_load(&e->count) + atomic_load(&e->writes);
		uint64_t refused = atomic_load(&e->refused);
		g_autofree char *text = NULL;

		if (!count && !refused)
			continue;
		if (refused)
			text = g_strdup_printf("%s %" PRIu64 " (%" PRIu64
					       " refused)",
					       e->name, count, refused);
		else
			text = g_strdup_printf("%s %" PRIu64, e->name, count);
		list_add(&l, text);
	}
	list_end(&l);
}

static void print_vmbus(const struct report_vmbus *v, FILE *out)
{
	struct list l = list_start(out, "vmbus");
	g_autofree char *version = g_strdup_printf(
		"version %u.%u of %u.%u", v->version >> 16, v->version & 0xFFFF,
		v->max_version >> 16, v->max_version & 0xFFFF);
	g_autofree char *gpadls =
		g_strdup_printf("%u GPADLs of %" PRIu64 " KiB", v->n_gpadls,
				v->gpadl_bytes >> 10);
	g_autofree char *ignored = g_strdup_printf(
		"%" PRIu64 " messages against the protocol", v->ignored);

	if (v->version) {
		list_add(&l, version);
		list_add(&l, v->connected ? "connected" : "left");
		list_add(&l, gpadls);
	}
	if (v->ignored)
		list_add(&l, ignored);
	list_end(&l);
	print_coverage(v->messages, "messages", out);
}

static void print_exits(const struct report *r, FILE *out)
{
	struct list l = list_start(out, "exits");

	for (unsigned int i = 0; i < r->n_exits; i++) {
		g_autofree char *text = g_strdup_printf(
			"%s %" PRIu64, r->exits[i].name, r->exits[i].count);

		if (r->exits[i].count)
			list_add(&l, text);
	}
	list_end(&l);
}

void report_print_summary(const struct report *r, FILE *out)
{
	g_autofree char *guest = report_guest_name(r->guest_os_id);

	fprintf(out, "kvmbus: %s, exit code %d\n",
		outcome_name(r->outcome->kind), r->outcome->exit_code);
	fprintf(out, "  %-12s%s, %u processors, %" PRIu64 " MiB, %s\n", "guest",
		guest, r->n_vcpus, r->memory_bytes >> 20, r->boot_protocol);
	fprintf(out, "  %-12s%s on %s\n", "host", r->profile, r->kvm_kind);
	print_milestones(r, out);
	print_coverage(r->msrs, "MSRs", out);
	print_coverage(r->hypercalls, "hypercalls", out);
	if (r->vmbus)
		print_vmbus(r->vmbus, out);
	print_exits(r, out);
}
