/* SPDX-License-Identifier: MIT */
#include "report/report.h"

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "base/clock.h"
#include "base/findings.h"
#include "base/json.h"
#include "proto/hv_tlfs.h"
#include "report/explain.h"
#include "report/report_file.h"

static const char *const outcome_names[N_OUTCOMES] = {
	[OUTCOME_POWEROFF] = "poweroff",
	[OUTCOME_COMMAND] = "command",
	[OUTCOME_REQUIREMENT] = "requirement",
	[OUTCOME_RESET] = "reset",
	[OUTCOME_TRIPLE_FAULT] = "triple_fault",
	[OUTCOME_PANIC] = "panic",
	[OUTCOME_TIMEOUT] = "timeout",
	[OUTCOME_TEST_EXIT] = "test_exit",
	[OUTCOME_QUIT] = "quit",
	[OUTCOME_SIGNAL] = "signal",
	[OUTCOME_FAILED] = "failed",
};

const char *outcome_name(enum outcome_kind kind)
{
	return outcome_names[kind];
}

void outcome_clear(struct outcome *outcome)
{
	g_clear_pointer(&outcome->crash_message, g_free);
	g_clear_pointer(&outcome->detail, g_free);
}

/* Registers and ids are easier to read, and to grep, in hexadecimal. */
static void add_hex(struct json_object *o, const char *key, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, v);
	json_add_any_text(o, key, text);
}

/* Vendor of a closed-source guest: TLFS "Hypercall Interface", guest OS id. */
static const char *closed_vendor(uint64_t id)
{
	static const char *const microsoft_os[] = {
		"unknown",    "MS-DOS",     "Windows 3.x",
		"Windows 9x", "Windows NT", "Windows CE",
	};
	uint64_t os = id >> 40 & 0xFF;

	if ((id >> 48 & 0x7FFF) != 1)
		return "unknown vendor";
	return os < G_N_ELEMENTS(microsoft_os) ? microsoft_os[os]
					       : "Microsoft, unknown system";
}

char *report_guest_name(uint64_t id)
{
	uint64_t type =
		id >> HV_GUEST_OS_ID_TYPE_SHIFT & HV_GUEST_OS_ID_TYPE_MASK;
	/* Linux: LINUX_VERSION_CODE in bits 47:16. */
	unsigned int version = (unsigned int)(id >> 16 & 0xFFFFFFFF);

	if (!id)
		return g_strdup("none");
	if (!(id & HV_GUEST_OS_ID_OPEN_SOURCE))
		return g_strdup_printf("%s %u.%u build %u", closed_vendor(id),
				       (unsigned int)(id >> 32 & 0xFF),
				       (unsigned int)(id >> 24 & 0xFF),
				       (unsigned int)(id & 0xFFFF));
	if (type == HV_GUEST_OS_TYPE_LINUX)
		return g_strdup_printf("Linux %u.%u.%u", version >> 16 & 0xFFFF,
				       version >> 8 & 0xFF, version & 0xFF);
	if (type == HV_GUEST_OS_TYPE_FREEBSD)
		return g_strdup_printf("FreeBSD %u", version);
	return g_strdup_printf("open source system of type %u",
			       (unsigned int)type);
}

static struct json_object *outcome_json(const struct outcome *outcome)
{
	struct json_object *o = json_object_new_object();

	json_add_any_text(o, "kind", outcome_name(outcome->kind));
	json_object_object_add(o, "exit_code",
			       json_object_new_int(outcome->exit_code));
	if (outcome->detail)
		json_add_any_text(o, "detail", outcome->detail);
	if (outcome->crashed) {
		struct json_object *c = json_object_new_object();
		char key[] = "p0";

		for (unsigned int i = 0; i < G_N_ELEMENTS(outcome->crash);
		     i++) {
			key[1] = (char)('0' + i);
			add_hex(c, key, outcome->crash[i]);
		}
		json_add_any_text(c, "message", outcome->crash_message);
		json_object_object_add(o, "crash", c);
	}
	return o;
}

static struct json_object *command_json(const struct report_command *c)
{
	struct json_object *o = json_object_new_object();
	struct json_object *argv = json_object_new_array();

	for (const char *const *a = c->argv; *a; a++) {
		g_autofree char *valid = g_utf8_make_valid(*a, -1);

		json_object_array_add(argv, json_object_new_string(valid));
	}
	json_object_object_add(o, "argv", argv);
	json_add_any_text(o, "way", c->way);
	if (c->exited)
		json_object_object_add(o, "status",
				       json_object_new_int(c->status));
	if (c->signal)
		json_object_object_add(o, "signal",
				       json_object_new_int(c->signal));
	json_add_number(o, "stdin_bytes", c->stdin_bytes);
	json_add_number(o, "stdout_bytes", c->stdout_bytes);
	json_add_number(o, "stderr_bytes", c->stderr_bytes);
	return o;
}

static bool is_required(const struct report *r, enum milestone which)
{
	return r->required &&
	       g_strv_contains(r->required, milestone_name(which));
}

static struct json_object *milestones_json(const struct report *r)
{
	struct json_object *list = json_object_new_array();

	for (int i = 0; i < N_MILESTONES; i++) {
		enum milestone which = (enum milestone)i;
		struct json_object *o = json_object_new_object();
		bool reached = milestone_reached(r->milestones, which);

		json_add_any_text(o, "name", milestone_name(which));
		json_add_bool(o, "reached", reached);
		if (reached)
			json_add_number(o, "ms",
					milestone_ms(r->milestones, which));
		if (is_required(r, which))
			json_add_bool(o, "required", true);
		if (!milestone_implemented(which))
			json_add_any_text(o, "note", "not implemented");
		json_object_array_add(list, o);
	}
	return list;
}

/* By all the rest of the report. */
static void add_reasons(struct json_object *root)
{
	struct json_object *list = report_get(root, "milestones");

	for (int i = 0; i < N_MILESTONES; i++) {
		struct json_object *o =
			json_object_array_get_idx(list, (size_t)i);
		g_autofree char *why = NULL;

		if (report_bool(o, "reached"))
			continue;
		why = explain(root, (enum milestone)i);
		json_add_any_text(o, "why", why);
	}
}

static struct json_object *statuses_json(const struct coverage_entry *e)
{
	struct json_object *o = json_object_new_object();

	for (unsigned int i = 0; i < COVERAGE_STATUSES; i++) {
		const struct coverage_status *s = &e->statuses[i];
		uint64_t count = atomic_load(&s->count);
		char key[16];

		if (!count)
			continue;
		if (i == COVERAGE_STATUSES - 1)
			snprintf(key, sizeof(key), "other");
		else
			snprintf(key, sizeof(key), "0x%04x",
				 (unsigned int)atomic_load(&s->status));
		json_add_number(o, key, count);
	}
	return o;
}

/* What a set's entries have besides their count. */
enum coverage_kind {
	READS_AND_WRITES,
	STATUSES,
	COUNT_ONLY,
};

/* The rows that the guest used; those that it did not are left out. */
static struct json_object *coverage_json(const struct coverage_set *set,
					 enum coverage_kind kind)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int i = 0; set && i < set->n_entries; i++) {
		const struct coverage_entry *e = &set->entries[i];
		uint64_t count = atomic_load(&e->count);
		uint64_t writes = atomic_load(&e->writes);
		uint64_t refused = atomic_load(&e->refused);
		struct json_object *o;

		if (!count && !writes && !refused)
			continue;
		o = json_object_new_object();
		json_add_any_text(o, "name", e->name);
		add_hex(o, "number", e->number);
		json_add_number(o, "count", count + writes);
		if (kind == READS_AND_WRITES) {
			json_add_number(o, "reads", count);
			json_add_number(o, "writes", writes);
		} else if (kind == STATUSES) {
			json_object_object_add(o, "statuses", statuses_json(e));
		}
		json_add_number(o, "refused", refused);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *exits_json(const struct report *r)
{
	struct json_object *o = json_object_new_object();

	for (unsigned int i = 0; i < r->n_exits; i++) {
		if (r->exits[i].count)
			json_add_number(o, r->exits[i].name, r->exits[i].count);
	}
	return o;
}

/* "5.3"; NULL for none. */
static void add_version(struct json_object *o, const char *key,
			uint32_t version)
{
	char text[24];

	snprintf(text, sizeof(text), "%u.%u", version >> 16, version & 0xFFFF);
	json_add_any_text(o, key, version ? text : NULL);
}

static struct json_object *vmbus_json(const struct report_vmbus *v)
{
	struct json_object *o = json_object_new_object();
	struct json_object *gpadls = json_object_new_object();

	add_version(o, "version", v->version);
	add_version(o, "newest_version", v->max_version);
	add_hex(o, "features", v->features);
	json_add_number(o, "message_vp", v->message_vp);
	json_add_bool(o, "connected", v->connected);
	json_add_number(o, "contacts", v->contacts);
	json_add_number(o, "offers", v->n_offers);
	json_add_number(o, "relids", v->n_relids);
	json_add_number(gpadls, "count", v->n_gpadls);
	json_add_number(gpadls, "bytes", v->gpadl_bytes);
	json_add_number(gpadls, "bytes_max", v->gpadl_bytes_max);
	json_add_number(gpadls, "expired", v->gpadls_expired);
	json_object_object_add(o, "gpadls", gpadls);
	json_object_object_add(o, "messages",
			       coverage_json(v->messages, COUNT_ONLY));
	json_add_number(o, "ignored", v->ignored);
	json_add_number(o, "dropped", v->dropped);
	json_add_number(o, "waiting_peak", v->waiting_peak);
	return o;
}

static void add_facts(struct json_object *o, const struct report_fact *facts,
		      unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (facts[i].text)
			json_add_any_text(o, facts[i].key, facts[i].text);
		else
			json_add_number(o, facts[i].key, facts[i].number);
	}
}

static struct json_object *devices_json(const struct report *r)
{
	struct json_object *o = json_object_new_object();

	for (unsigned int i = 0; i < r->n_devices; i++) {
		const struct report_device *d = &r->devices[i];
		struct json_object *device = json_object_new_object();
		struct json_object *channel;

		json_add_any_text(device, "instance", d->instance);
		add_facts(device, d->facts, d->n_facts);
		if (d->n_channel) {
			channel = json_object_new_object();
			add_facts(channel, d->channel, d->n_channel);
			json_object_object_add(device, "channel", channel);
		}
		json_object_object_add(o, d->name, device);
	}
	return o;
}

static struct json_object *faults_json(const struct report *r)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int i = 0; i < r->n_faults; i++) {
		struct json_object *o = json_object_new_object();

		json_add_any_text(o, "rule", r->faults[i].rule);
		json_add_number(o, "seen", r->faults[i].seen);
		json_add_number(o, "hit", r->faults[i].hit);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *row_json(const struct report_row *row)
{
	struct json_object *o = json_object_new_object();

	json_add_any_text(o, "name", row->name);
	add_hex(o, "number", row->number);
	if (row->bit >= 0)
		json_object_object_add(o, "bit", json_object_new_int(row->bit));
	json_add_bool(o, "implemented", row->implemented);
	json_add_bool(o, "offered", row->offered);
	if (row->counted)
		json_add_number(o, "used", row->used);
	json_add_number(o, "refused", row->refused);
	if (row->note)
		json_add_any_text(o, "note", row->note);
	return o;
}

static struct json_object *parts_json(const struct report *r)
{
	struct json_object *o = json_object_new_object();

	for (unsigned int i = 0; i < r->n_parts; i++) {
		const struct report_part *p = &r->parts[i];
		struct json_object *list = json_object_new_array();

		for (unsigned int n = 0; n < p->n_rows; n++)
			json_object_array_add(list, row_json(&p->rows[n]));
		json_object_object_add(o, p->key, list);
	}
	return o;
}

static struct json_object *findings_json(uint64_t start_ns)
{
	struct json_object *list = json_object_new_array();
	unsigned int n;
	g_autofree struct finding_seen *seen = findings_list(&n);

	for (unsigned int i = 0; i < n; i++) {
		const struct finding_rule *rule = findings_rule(seen[i].rule);
		struct json_object *o = json_object_new_object();
		uint64_t at = seen[i].first_ns;

		json_add_any_text(o, "severity",
				  finding_severity_name(rule->severity));
		json_add_any_text(o, "rule", rule->id);
		json_add_any_text(o, "where", seen[i].where);
		json_add_number(o, "count", seen[i].count);
		json_add_any_text(o, "detail", seen[i].detail);
		json_add_any_text(o, "text", rule->text);
		json_add_any_text(o, "source", rule->source);
		json_add_any_text(o, "category",
				  trace_category_name(rule->category));
		json_add_number(o, "ms",
				at > start_ns ? (at - start_ns) / NSEC_PER_MSEC
					      : 0);
		json_object_array_add(list, o);
	}
	return list;
}

struct json_object *report_make(const struct report *r)
{
	struct json_object *root = json_object_new_object();
	struct json_object *o;
	g_autofree char *guest = report_guest_name(r->guest_os_id);

	if (r->outcome)
		json_object_object_add(root, "outcome",
				       outcome_json(r->outcome));
	if (r->outcome && r->outcome->command)
		json_object_object_add(root, "command",
				       command_json(r->outcome->command));
	o = json_object_new_object();
	json_add_any_text(o, "kvm", r->kvm_kind);
	json_add_any_text(o, "accel", r->accel);
	json_add_number(o, "overhead_bytes", r->overhead_bytes);
	json_add_number(o, "start_to_run_us", r->start_to_run_us);
	json_object_object_add(root, "host", o);
	json_add_any_text(root, "profile", r->profile);
	o = json_object_new_object();
	add_hex(o, "os_id", r->guest_os_id);
	json_add_any_text(o, "name", guest);
	json_add_number(o, "vcpus", r->n_vcpus);
	json_add_number(o, "memory_bytes", r->memory_bytes);
	json_add_any_text(o, "boot_protocol", r->boot_protocol);
	json_add_number(o, "resets", r->resets);
	json_object_object_add(root, "guest", o);
	json_object_object_add(root, "milestones", milestones_json(r));
	json_object_object_add(root, "msrs",
			       coverage_json(r->msrs, READS_AND_WRITES));
	json_object_object_add(root, "hypercalls",
			       coverage_json(r->hypercalls, STATUSES));
	if (r->vmbus)
		json_object_object_add(root, "vmbus", vmbus_json(r->vmbus));
	json_object_object_add(root, "devices", devices_json(r));
	json_object_object_add(root, "exits", exits_json(r));
	json_object_object_add(root, "faults", faults_json(r));
	json_add_number(root, "fault_seed", r->fault_seed);
	json_object_object_add(root, "findings",
			       findings_json(r->milestones->start_ns));
	if (r->n_parts)
		json_object_object_add(root, "coverage", parts_json(r));
	if (r->console_tail)
		json_add_any_text(root, "console_tail", r->console_tail);
	add_reasons(root);
	return root;
}

char *report_text(const struct report *report)
{
	struct json_object *root = report_make(report);
	char *text = g_strconcat(json_pretty(root), "\n", NULL);

	json_object_put(root);
	return text;
}

int report_write(const struct report *report, const char *path, GError **error)
{
	g_autofree char *text = report_text(report);

	if (!strcmp(path, "-"))
		fputs(text, stdout);
	else if (!g_file_set_contents(path, text, -1, error))
		return -1;
	return 0;
}
