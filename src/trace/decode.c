/* SPDX-License-Identifier: MIT */
#include "trace/decode.h"

#include <errno.h>

#include "base/fault.h"
#include "base/findings.h"
#include "proto/hv_hypercall.h"
#include "proto/hv_synic.h"
#include "report/milestone.h"
#include "trace/names.h"

/* The title is a name, or a number where there is none. */
static void title(struct fields *f, const char *kind, const char *name,
		  uint64_t number)
{
	if (name)
		g_string_append(f->title, name);
	else
		g_string_append_printf(f->title, "%s 0x%" G_GINT64_MODIFIER "x",
				       kind, number);
}

static void decode_msr(const struct trace_record *r, struct fields *f)
{
	title(f, "MSR", name_of_msr((uint32_t)r->args[0]), r->args[0]);
	if (r->args[2])
		field_text(f, "refused", "#GP");
	if (!r->args[2] || r->event == TRACE_EVENT_msr_write)
		field_hex(f, "value", r->args[1]);
}

static void decode_hypercall(const struct trace_record *r, struct fields *f)
{
	uint64_t control = r->args[0], result = r->args[1];
	uint16_t code = control & HV_HYPERCALL_CODE_MASK;
	uint64_t reps = control >> HV_HYPERCALL_REP_COMP_OFFSET &
			HV_HYPERCALL_REP_COUNT_MASK;

	title(f, "hypercall", name_of_hypercall(code), code);
	if (r->args[4])
		field_text(f, "status", "#UD");
	else
		field_name(f, "status", name_of_hv_status(result & 0xFFFF),
			   result & 0xFFFF);
	if (control & HV_HYPERCALL_FAST_BIT) {
		field_hex(f, "fast0", r->args[2]);
		field_hex(f, "fast1", r->args[3]);
	} else {
		field_hex(f, "input_gpa", r->args[2]);
		field_hex(f, "output_gpa", r->args[3]);
	}
	if (!reps)
		return;
	field_number(f, "reps", reps);
	field_number(f, "done",
		     result >> HV_HYPERCALL_REP_COMP_OFFSET &
			     HV_HYPERCALL_REP_COUNT_MASK);
}

static void decode_message(const struct trace_record *r, struct fields *f)
{
	title(f, "message", name_of_sint_message((uint32_t)r->args[1]),
	      r->args[1]);
	field_number(f, "sint", r->args[0]);
	if (r->event == TRACE_EVENT_message_queue)
		field_error(f, "error", (int)r->args[2]);
	else
		field_number(f, "more", r->args[2]);
}

static void decode_event_flag(const struct trace_record *r, struct fields *f)
{
	int ret = (int)r->args[2];

	field_number(f, "sint", r->args[0]);
	field_number(f, "flag", r->args[1]);
	if (ret == 0)
		field_text(f, "result", "was-set");
	else
		field_error(f, "dropped", ret < 0 ? ret : 0);
}

static void decode_stimer_set(const struct trace_record *r, struct fields *f)
{
	uint64_t config = r->args[1], count = r->args[2], now = r->args[3];

	g_string_append_printf(f->title, "STIMER%u", (unsigned int)r->args[0]);
	field_text(f, "state", config & HV_STIMER_ENABLE ? "on" : "off");
	if (config & HV_STIMER_DIRECT_MODE)
		field_number(f, "vector",
			     config >> HV_STIMER_VECTOR_SHIFT &
				     HV_STIMER_VECTOR_MASK);
	else
		field_number(f, "sint",
			     config >> HV_STIMER_SINTX_SHIFT &
				     HV_STIMER_SINTX_MASK);
	if (config & HV_STIMER_PERIODIC)
		field_number(f, "period_100ns", count);
	else if (count > now)
		field_number(f, "in_100ns", count - now);
	else if (count)
		field_number(f, "past_100ns", now - count);
}

static void decode_stimer_fire(const struct trace_record *r, struct fields *f)
{
	g_string_append_printf(f->title, "STIMER%u", (unsigned int)r->args[0]);
	field_number(f, r->args[3] ? "vector" : "sint", r->args[4]);
	field_number(f, "late_100ns", r->args[2] - r->args[1]);
}

static void decode_vmbus_refused(const struct trace_record *r, struct fields *f)
{
	title(f, "message", name_of_channel_message((uint32_t)r->args[0]),
	      r->args[0]);
	field_error(f, "error", (int)r->args[1]);
}

static void decode_channel_open(const struct trace_record *r, struct fields *f)
{
	field_number(f, "relid", r->args[4]);
	field_number(f, "ring_in_bytes", r->args[0]);
	field_number(f, "ring_out_bytes", r->args[1]);
	field_number(f, "target_vp", r->args[2]);
	field_error(f, "error", (int)r->args[3]);
}

static void decode_channel_close(const struct trace_record *r, struct fields *f)
{
	field_number(f, "packets_in", r->args[0]);
	field_number(f, "packets_out", r->args[1]);
}

static void decode_channel_fail(const struct trace_record *r, struct fields *f)
{
	field_text(f, "reason", (const char *)r->data);
}

static void decode_signal_in(const struct trace_record *r, struct fields *f)
{
	field_hex(f, "connection", r->args[0]);
}

static void decode_signal_out(const struct trace_record *r, struct fields *f)
{
	int ret = (int)r->args[1];

	field_number(f, "target_vp", r->args[0]);
	field_error(f, "dropped", ret < 0 ? ret : 0);
}

static void decode_batch(const struct trace_record *r, struct fields *f)
{
	field_number(f, "packets", r->args[0]);
	field_number(f, "left_bytes", r->args[1]);
	if (r->args[2])
		field_text(f, "state", "stalled");
}

static void decode_full(const struct trace_record *r, struct fields *f)
{
	field_number(f, "bytes", r->args[0]);
}

static void decode_frame(const struct trace_record *r, struct fields *f)
{
	field_number(f, "bytes", r->args[0]);
	if (r->event == TRACE_EVENT_frame_tx)
		field_hex(f, "offloads", r->args[1]);
	else
		field_number(f, "sections", r->args[1]);
}

static void decode_control(const struct trace_record *r, struct fields *f)
{
	g_autofree char *name = g_strescape((const char *)r->data, NULL);

	g_string_append(f->title, name);
}

static void decode_finding(const struct trace_record *r, struct fields *f)
{
	const struct finding_rule *rule;

	if (r->args[0] >= N_FINDINGS)
		return;
	rule = findings_rule((enum finding)r->args[0]);
	g_string_append(f->title, rule->id);
	field_text(f, "where", (const char *)r->data);
	field_text(f, "text", rule->text);
}

static const char *word_name(const struct fault_word *list, uint64_t number)
{
	for (; list && list->name; list++) {
		if (list->number == number)
			return list->name;
	}
	return NULL;
}

/* What a rule had an action do, in the words of rules. */
static void decode_fault(const struct trace_record *r, struct fields *f)
{
	uint64_t what = r->args[2] >> 16, action = r->args[2] & 0xFFFF;
	uint64_t op = r->args[3], value = r->args[4];
	const struct fault_point_row *point;

	if (what >= N_FAULT_POINTS || action >= N_FAULT_ACTIONS)
		return;
	point = &fault_points[what];
	g_string_append(f->title, point->name);
	if (point->has_stage && op < N_MILESTONES)
		field_text(f, "op", milestone_name((enum milestone)op));
	else if (op != FAULT_NO_OP)
		field_name(f, "op", word_name(point->ops, op), op);
	field_text(f, "action", fault_actions[action].name);
	if (action == FAULT_FAIL && point->statuses)
		field_name(f, "status", word_name(point->statuses, value),
			   value);
	if (action == FAULT_CORRUPT)
		field_name(f, "kind", word_name(point->kinds, value), value);
	if (action == FAULT_DOWNGRADE)
		field_hex(f, "version", value);
	field_number(f, "rule", r->args[0]);
	field_number(f, "nth", r->args[1]);
}

static void decode_machine(const struct trace_record *r, struct fields *f)
{
	static const char *const names[] = {
		[TRACE_MACHINE_RUNS] = "runs",
		[TRACE_MACHINE_PAUSES] = "pauses",
		[TRACE_MACHINE_RESETS] = "resets",
		[TRACE_MACHINE_ENDS] = "ends",
	};

	if (r->args[0] < G_N_ELEMENTS(names))
		g_string_append(f->title, names[r->args[0]]);
}

static void decode_milestone(const struct trace_record *r, struct fields *f)
{
	if (r->args[0] < N_MILESTONES)
		g_string_append(f->title,
				milestone_name((enum milestone)r->args[0]));
}

/* --- the table ---------------------------------------------------------------- */

#define ROW(event, verb, decode) [TRACE_EVENT_##event] = {(verb), (decode)}

static const struct {
	const char *verb; /* NULL: the way that its message went */
	void (*decode)(const struct trace_record *r, struct fields *f);
} rows[] = {
	ROW(msr_read, "read", decode_msr),
	ROW(msr_write, "write", decode_msr),
	ROW(hypercall, "call", decode_hypercall),
	ROW(message_queue, "queue", decode_message),
	ROW(message_deliver, "deliver", decode_message),
	ROW(event_flag, "event", decode_event_flag),
	ROW(stimer_set, "set", decode_stimer_set),
	ROW(stimer_fire, "fire", decode_stimer_fire),
	ROW(vmbus_message, NULL, decode_vmbus_message),
	ROW(vmbus_refused, "refused", decode_vmbus_refused),
	ROW(channel_open, "open", decode_channel_open),
	ROW(channel_close, "close", decode_channel_close),
	ROW(channel_fail, "fail", decode_channel_fail),
	ROW(ring_signal_in, "signal", decode_signal_in),
	ROW(ring_signal_out, "interrupt", decode_signal_out),
	ROW(ring_batch, "batch", decode_batch),
	ROW(ring_full, "full", decode_full),
	ROW(storvsc_packet, NULL, decode_storvsc_packet),
	ROW(storvsc_command, "command", decode_storvsc_command),
	ROW(storvsc_done, "done", decode_storvsc_done),
	ROW(storvsc_failed, "failed", decode_storvsc_done),
	ROW(storvsc_slow, "slow", decode_storvsc_done),
	ROW(netvsc_message, NULL, decode_netvsc_message),
	ROW(netvsc_rndis, NULL, decode_netvsc_rndis),
	ROW(frame_tx, "tx", decode_frame),
	ROW(frame_rx, "rx", decode_frame),
	ROW(ic_message, NULL, decode_ic_message),
	ROW(hvsock_connect, "connect", decode_hvsock_connect),
	ROW(control_command, "command", decode_control),
	ROW(machine, "machine", decode_machine),
	ROW(milestone, "reached", decode_milestone),
	ROW(finding, "finding", decode_finding),
	ROW(fault, "hit", decode_fault),
};

_Static_assert(G_N_ELEMENTS(rows) == N_TRACE_EVENTS,
	       "each event of trace_events.h has its row");

void decode_record(const struct trace_record *record, struct fields *f)
{
	rows[record->event].decode(record, f);
}

static const char *verb_of(const struct trace_record *r)
{
	if (rows[r->event].verb)
		return rows[r->event].verb;
	return r->args[0] == TRACE_FROM_GUEST ? "from-guest" : "to-guest";
}

static void text_line(const struct trace_record *r, const struct fields *f,
		      GString *out)
{
	const char *device = trace_device_name(r->device);
	char vp[8] = "-";

	if (r->vp != TRACE_NO_VP)
		g_snprintf(vp, sizeof(vp), "vp%u", r->vp);
	g_string_append_printf(
		out, "%11.6f %-4s %-9s %-9s %-10s", trace_seconds(r->tsc), vp,
		device ? device : "-",
		trace_category_name(trace_event_category(r->event)),
		verb_of(r));
	if (f->title->len)
		g_string_append_printf(out, " %s", f->title->str);
	g_string_append(out, f->out->str);
	g_string_append_c(out, '\n');
}

static void json_line(const struct trace_record *r, const struct fields *f,
		      GString *out)
{
	const char *device = trace_device_name(r->device);

	g_string_append_printf(
		out, "{\"t\":%.7f,\"category\":\"%s\",\"event\":\"%s\"",
		trace_seconds(r->tsc),
		trace_category_name(trace_event_category(r->event)),
		trace_event_name(r->event));
	if (r->vp != TRACE_NO_VP)
		g_string_append_printf(out, ",\"vp\":%u", r->vp);
	if (device) {
		g_string_append(out, ",\"device\":");
		json_quote(out, device);
	}
	if (!rows[r->event].verb)
		g_string_append_printf(out, ",\"way\":\"%s\"", verb_of(r));
	if (f->title->len) {
		g_string_append(out, ",\"name\":");
		json_quote(out, f->title->str);
	}
	g_string_append(out, f->out->str);
	g_string_append(out, "}\n");
}

void trace_line(const struct trace_record *record, struct fields *fields,
		GString *out)
{
	fields_empty(fields);
	decode_record(record, fields);
	if (fields->format == TRACE_JSON)
		json_line(record, fields, out);
	else
		text_line(record, fields, out);
}
