/* SPDX-License-Identifier: MIT */
#include "vm/devices/device_report.h"

#include <glib.h>

#include "report/report.h"
#include "vsp/vmbus/channel.h"
#include "vsp/vsp.h"

struct device_report {
	GArray *facts, *channel; /* struct report_fact */
	GArray *uses; /* struct report_use */
};

static void clear_fact(void *fact)
{
	struct report_fact *f = fact;

	g_free((char *)f->key);
	g_free((char *)f->text);
}

static void clear_use(void *use)
{
	g_free((char *)((struct report_use *)use)->name);
}

static GArray *list_new(guint bytes, GDestroyNotify clear)
{
	GArray *a = g_array_new(FALSE, TRUE, bytes);

	g_array_set_clear_func(a, clear);
	return a;
}

struct device_report *device_report_new(void)
{
	struct device_report *said = g_new0(struct device_report, 1);

	said->facts = list_new(sizeof(struct report_fact), clear_fact);
	said->channel = list_new(sizeof(struct report_fact), clear_fact);
	said->uses = list_new(sizeof(struct report_use), clear_use);
	return said;
}

void device_report_free(struct device_report *said)
{
	if (!said)
		return;
	g_array_free(said->facts, TRUE);
	g_array_free(said->channel, TRUE);
	g_array_free(said->uses, TRUE);
	g_free(said);
}

static void add_number(GArray *to, const char *key, uint64_t value)
{
	struct report_fact f = {.key = g_strdup(key), .number = value};

	g_array_append_val(to, f);
}

static void add_text(GArray *to, const char *key, const char *value)
{
	struct report_fact f = {.key = g_strdup(key), .text = g_strdup(value)};

	g_array_append_val(to, f);
}

static void channel_facts(struct channel *ch, GArray *to)
{
	struct channel_stats s;

	channel_get_stats(ch, &s);
	add_number(to, "relid", s.relid);
	add_number(to, "open", s.open);
	add_number(to, "opens", s.opens);
	add_number(to, "failures", s.failures);
	add_number(to, "target_vp", s.target_vp);
	add_number(to, "ring_in_bytes", s.ring_in_bytes);
	add_number(to, "ring_out_bytes", s.ring_out_bytes);
	add_number(to, "packets_in", s.packets_in);
	add_number(to, "packets_out", s.packets_out);
	add_number(to, "bytes_in", s.bytes_in);
	add_number(to, "bytes_out", s.bytes_out);
	add_number(to, "signals_in", s.signals_in);
	add_number(to, "signals_needless", s.signals_needless);
	add_number(to, "throttled", s.throttled);
	add_number(to, "signals_out", s.signals_out);
	if (s.poll_ns)
		add_number(to, "poll_ns", s.poll_ns);
	if (s.is_monitored) {
		add_number(to, "monitor_id", s.monitor_id);
		add_number(to, "monitor_latency_100ns",
			   s.monitor_latency_100ns);
		add_number(to, "signals_by_page", s.signals_by_page);
	}
	add_number(to, "blocked", s.blocked);
	add_number(to, "stalled", s.stalled);
}

static void say_number(void *ctx, const char *key, uint64_t value)
{
	add_number(((struct device_report *)ctx)->facts, key, value);
}

static void say_text(void *ctx, const char *key, const char *value)
{
	add_text(((struct device_report *)ctx)->facts, key, value);
}

static void say_use(void *ctx, enum vsp_table table, const char *name,
		    uint64_t number, uint64_t used, uint64_t refused)
{
	struct report_use u = {
		.table = (unsigned int)table,
		.name = g_strdup(name),
		.number = number,
		.used = used,
		.refused = refused,
	};

	g_array_append_val(((struct device_report *)ctx)->uses, u);
}

void device_report_take(struct device_report *said, const struct vsp_ops *ops,
			void *device, struct report_device *out)
{
	const struct vsp_facts to = {
		.number = say_number,
		.text = say_text,
		.use = say_use,
		.ctx = said,
	};

	g_array_set_size(said->facts, 0);
	g_array_set_size(said->channel, 0);
	g_array_set_size(said->uses, 0);
	if (ops->facts)
		ops->facts(device, &to);
	if (ops->channel)
		channel_facts(ops->channel(device), said->channel);
	*out = (struct report_device){
		.facts = (const struct report_fact *)(void *)said->facts->data,
		.n_facts = said->facts->len,
		.channel =
			(const struct report_fact *)(void *)said->channel->data,
		.n_channel = said->channel->len,
		.uses = (const struct report_use *)(void *)said->uses->data,
		.n_uses = said->uses->len,
	};
}
