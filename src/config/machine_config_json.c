/* SPDX-License-Identifier: MIT */
/*
 * The machine as `--print-config` shows it.
 */
#include "config/machine_config.h"

#include <string.h>

#include <json-c/json.h>

#include "base/fault.h"
#include "base/json.h"
#include "config/disk_config.h"
#include "config/net_config.h"
#include "config/serial_config.h"

static struct json_object *limits_json(const struct disk_limits *l)
{
	static const char *const endings[] = {"", "-max", "-max-length"};
	struct json_object *o = json_object_new_object();

	for (int i = 0; i < DISK_LIMITS; i++) {
		const struct disk_limit *limit = &l->of[i];
		const uint64_t values[] = {limit->rate, limit->burst,
					   limit->burst_s};

		for (unsigned int k = 0; k < G_N_ELEMENTS(endings); k++) {
			g_autofree char *key = g_strconcat(
				disk_limits_name((enum disk_limit_index)i),
				endings[k], NULL);

			if (values[k])
				json_add_number(o, key, values[k]);
		}
	}
	if (l->iops_bytes)
		json_add_number(o, "iops-size", l->iops_bytes);
	json_add_text(o, "throttle-group", l->group);
	return o;
}

static void add_channel(struct json_object *o, const struct channel_config *c)
{
	if (c->has_poll)
		json_add_number(o, "poll", c->poll_us);
	json_add_number(o, "monitor", c->monitor_us);
}

static struct json_object *disk_json(const struct disk_config *d)
{
	struct json_object *o = json_object_new_object();

	json_add_text(o, "path", d->path);
	json_add_text(o, "bus", disk_bus_name(d->bus));
	json_add_text(o, "format", d->format);
	json_add_text(o, "cache", d->cache);
	json_add_text(o, "serial", d->serial);
	json_add_text(o, "vendor", d->vendor);
	json_add_text(o, "product", d->product);
	if (d->wwn) {
		g_autofree char *wwn =
			g_strdup_printf("%016" G_GINT64_MODIFIER "x", d->wwn);

		json_add_text(o, "wwn", wwn);
	}
	json_add_text(o, "io", d->io);
	if (d->has_place)
		json_object_object_add(o, "place",
				       json_object_new_int((int)d->place));
	json_add_text(o, "error_policy", d->error_policy);
	json_add_text(o, "rerror_policy", d->rerror_policy);
	json_add_text(o, "discard", d->discard);
	json_add_text(o, "detect_zeroes", d->detect_zeroes);
	json_object_object_add(o, "limits", limits_json(&d->limits));
	add_channel(o, &d->channel);
	json_add_number(o, "block_size", d->block_bytes);
	json_add_bool(o, "readonly", d->readonly);
	json_add_bool(o, "shareable", d->shareable);
	json_add_bool(o, "snapshot", d->snapshot);
	json_add_bool(o, "dvd", d->dvd);
	return o;
}

static char *forward_text(const struct net_forward_config *f)
{
	const char *host = f->host ? f->host : "";
	const char *guest = f->guest ? f->guest : "";
	bool host_v6 = strchr(host, ':'), guest_v6 = strchr(guest, ':');

	return g_strdup_printf("%s:%s%s%s:%u-%s%s%s:%u", f->udp ? "udp" : "tcp",
			       host_v6 ? "[" : "", host, host_v6 ? "]" : "",
			       f->host_port, guest_v6 ? "[" : "", guest,
			       guest_v6 ? "]" : "", f->guest_port);
}

/* What only user networking has. */
static void add_user(struct json_object *o, const struct net_config *n)
{
	struct json_object *forwards = json_object_new_array();

	for (guint i = 0; i < n->forwards->len; i++) {
		g_autofree char *text =
			forward_text(g_ptr_array_index(n->forwards, i));

		json_object_array_add(forwards, json_object_new_string(text));
	}
	json_object_object_add(o, "hostfwd", forwards);
	if (n->network) {
		g_autofree char *text =
			g_strdup_printf("%s/%u", n->network, n->prefix);

		json_add_text(o, "net", text);
	}
	json_add_text(o, "hostname", n->hostname);
	json_add_bool(o, "restrict", n->restricted);
	json_add_text(o, "ipv6", n->no_ipv6 ? "off" : "on");
}

static struct json_object *net_json(const struct machine_config *c, guint i)
{
	const struct net_config *n = g_ptr_array_index(c->nets, i);
	struct json_object *o = json_object_new_object();
	struct json_object *fds = json_object_new_array();
	char mac[18];
	uint8_t b[CONFIG_MAC_BYTES];

	json_add_text(o, "kind", net_kind_name(n->kind));
	json_add_text(o, "name", n->name);
	for (guint k = 0; k < n->fds->len; k++)
		json_object_array_add(fds, json_object_new_int(g_array_index(
						   n->fds, int, k)));
	json_object_object_add(o, "fds", fds);
	if (n->kind == NET_SOCKET)
		json_add_text(o, n->listen ? "listen" : "connect", n->path);
	if (n->kind == NET_USER)
		add_user(o, n);
	net_config_mac(n, c->uuid, i, b);
	g_snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", b[0],
		   b[1], b[2], b[3], b[4], b[5]);
	json_add_text(o, "mac", mac);
	json_add_number(o, "mtu", n->mtu);
	json_add_number(o, "queues", n->queues);
	json_add_text(o, "link", n->cable_out ? "down" : "up");
	json_add_text(o, "pcap", n->pcap);
	add_channel(o, &n->channel);
	return o;
}

static struct json_object *memory_json(const struct memory_backing *m)
{
	struct json_object *o = json_object_new_object();

	json_add_bool(o, "hugepages", m->hugepages);
	json_add_bool(o, "locked", m->locked);
	json_add_bool(o, "immediate", m->immediate);
	return o;
}

static void add_vmbus(struct json_object *o, const struct machine_config *c)
{
	struct json_object *without = json_object_new_array();

	json_add_text(o, "vmbus_max", machine_config_vmbus_text(c->vmbus_max));
	for (unsigned int i = 0; i < CONFIG_N_DEVICES; i++)
		if (c->without & 1u << i)
			json_object_array_add(
				without,
				json_object_new_string(config_device_name(
					(enum config_device)i)));
	json_object_object_add(o, "without", without);
}

static struct json_object *serials_json(const struct machine_config *c)
{
	struct json_object *a = json_object_new_array();

	for (guint i = 0; i < c->serials->len; i++)
		json_object_array_add(a, serial_config_json(g_ptr_array_index(
						 c->serials, i)));
	return a;
}

static void add_faults(struct json_object *o, const struct machine_config *c)
{
	struct json_object *list = json_object_new_array();

	for (guint i = 0; i < c->faults->len; i++)
		json_object_array_add(
			list,
			json_object_new_string(
				g_array_index(c->faults, struct fault_rule, i)
					.text));
	json_object_object_add(o, "faults", list);
	json_add_number(o, "fault_seed", c->fault_seed);
}

char *machine_config_json(const struct machine_config *c)
{
	struct json_object *o = json_object_new_object();
	struct json_object *disks = json_object_new_array();
	struct json_object *nets = json_object_new_array();

	json_add_text(o, "name", c->name);
	json_add_text(o, "kernel", c->kernel);
	json_add_text(o, "initrd", c->initrd);
	json_add_text(o, "append", c->cmdline);
	json_add_text(o, "profile", c->profile);
	json_add_text(o, "uuid", c->uuid);
	json_add_text(o, "genid", c->genid);
	json_add_number(o, "memory_mib", c->memory_mib);
	json_add_number(o, "memory_max_mib",
			MAX(c->memory_max_mib, c->memory_mib));
	json_object_object_add(o, "memory_backing", memory_json(&c->memory));
	json_add_number(o, "vcpus", c->vcpus);
	json_object_object_add(o, "cpu", cpu_config_json(&c->cpu, c->vcpus));
	json_object_object_add(o, "hyperv", hyperv_config_json(&c->hyperv));
	json_object_object_add(o, "clock", clock_config_json(&c->clock));
	json_object_object_add(o, "smbios", smbios_config_json(&c->smbios));
	add_vmbus(o, c);
	for (guint i = 0; i < c->disks->len; i++)
		json_object_array_add(
			disks, disk_json(g_ptr_array_index(c->disks, i)));
	json_object_object_add(o, "disks", disks);
	for (guint i = 0; i < c->nets->len; i++)
		json_object_array_add(nets, net_json(c, i));
	json_object_object_add(o, "nets", nets);
	json_object_object_add(o, "serials", serials_json(c));
	add_faults(o, c);
	json_add_text(o, "accel", c->accel);
	json_add_text(o, "on_poweroff", lifecycle_action_name(c->on_poweroff));
	json_add_text(o, "on_reboot", lifecycle_action_name(c->on_reboot));
	json_add_text(o, "on_crash", lifecycle_action_name(c->on_crash));
	json_add_text(o, "dump_dir", c->dump_dir);
	json_add_bool(o, "ignore_msrs", c->ignore_msrs);
	json_add_bool(o, "numa_srat", c->srat);
	json_add_bool(o, "test_devices", c->test_devices);
	return json_end(o);
}
