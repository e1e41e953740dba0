/* SPDX-License-Identifier: MIT */
#include "config/machine_config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "config/disk_config.h"
#include "config/net_config.h"

GQuark config_error_quark(void)
{
	return g_quark_from_static_string("config-error");
}

struct machine_config *machine_config_new(void)
{
	struct machine_config *c = g_new0(struct machine_config, 1);

	c->memory_mib = CONFIG_MEMORY_DEFAULT_MIB;
	c->vcpus = CONFIG_VCPUS_DEFAULT;
	c->time_sync_s = CONFIG_TIME_SYNC_DEFAULT_S;
	c->uuid = g_strdup(CONFIG_UUID_DEFAULT);
	c->require = g_new0(char *, 1);
	c->disks = g_ptr_array_new_with_free_func(
		(GDestroyNotify)disk_config_free);
	c->nets =
		g_ptr_array_new_with_free_func((GDestroyNotify)net_config_free);
	return c;
}

void machine_config_free(struct machine_config *config)
{
	if (!config)
		return;
	g_free(config->kernel);
	g_free(config->initrd);
	g_free(config->cmdline);
	g_free(config->profile);
	g_free(config->report);
	g_free(config->control);
	g_free(config->hvsock);
	g_free(config->accel);
	g_free(config->uuid);
	g_strfreev(config->require);
	g_ptr_array_free(config->disks, TRUE);
	g_ptr_array_free(config->nets, TRUE);
	g_free(config);
}

static int readable(const char *option, const char *path, GError **error)
{
	if (!path || !access(path, R_OK))
		return 0;
	g_set_error(error, CONFIG_ERROR, 0, "%s %s: %s", option, path,
		    g_strerror(errno));
	return -1;
}

/* Who shares limits says the same of them, or nothing; somebody says it. */
static int check_group(const struct machine_config *c, const char *group,
		       GError **error)
{
	const struct disk_limits *said = NULL;

	for (guint i = 0; i < c->disks->len; i++) {
		const struct disk_config *d = g_ptr_array_index(c->disks, i);

		if (g_strcmp0(d->limits.group, group) ||
		    !disk_limits_any(&d->limits))
			continue;
		if (said && !disk_limits_equal(said, &d->limits)) {
			g_set_error(error, CONFIG_ERROR, 0,
				    "--disk: throttle-group=%s: all that give "
				    "limits give the same",
				    group);
			return -1;
		}
		said = &d->limits;
	}
	if (said)
		return 0;
	g_set_error(error, CONFIG_ERROR, 0,
		    "--disk: throttle-group=%s: none of its disks has limits",
		    group);
	return -1;
}

static int check_disks(const struct machine_config *c, GError **error)
{
	unsigned int n[2] = {0};

	for (guint i = 0; i < c->disks->len; i++) {
		const struct disk_config *d = g_ptr_array_index(c->disks, i);

		n[d->bus]++;
		if (readable("--disk", d->path, error))
			return -1;
		if (d->limits.group && check_group(c, d->limits.group, error))
			return -1;
	}
	if (n[DISK_SCSI] <= CONFIG_SCSI_DISKS_MAX &&
	    n[DISK_IDE] <= CONFIG_IDE_DISKS_MAX)
		return 0;
	g_set_error(error, CONFIG_ERROR, 0,
		    "--disk: a machine has at most %u disks on SCSI and %u on "
		    "IDE",
		    CONFIG_SCSI_DISKS_MAX, CONFIG_IDE_DISKS_MAX);
	return -1;
}

static void mac_of(const struct machine_config *c, guint i,
		   uint8_t mac[CONFIG_MAC_BYTES])
{
	net_config_mac(g_ptr_array_index(c->nets, i), c->uuid, i, mac);
}

static int check_nets(const struct machine_config *c, GError **error)
{
	if (c->nets->len > CONFIG_NETS_MAX) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "--net: a machine has at most %u network cards",
			    CONFIG_NETS_MAX);
		return -1;
	}
	for (guint i = 0; i < c->nets->len; i++) {
		uint8_t mac[CONFIG_MAC_BYTES], other[CONFIG_MAC_BYTES];

		mac_of(c, i, mac);
		for (guint k = 0; k < i; k++) {
			mac_of(c, k, other);
			if (memcmp(mac, other, sizeof(mac)))
				continue;
			g_set_error(error, CONFIG_ERROR, 0,
				    "--net: net%u and net%u have the same "
				    "address (mac=)",
				    k, i);
			return -1;
		}
	}
	return 0;
}

int machine_config_validate(const struct machine_config *c, GError **error)
{
	if (!c->kernel) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "no kernel: say which one with --kernel FILE");
		return -1;
	}
	if (readable("--kernel", c->kernel, error) ||
	    readable("--initrd", c->initrd, error))
		return -1;
	if (!g_uuid_string_is_valid(c->uuid)) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "--uuid %s: not a UUID, as "
			    "6ba7b810-9dad-11d1-80b4-00c04fd430c8 is",
			    c->uuid);
		return -1;
	}
	if (c->memory_mib < CONFIG_MEMORY_MIN_MIB) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "--memory %" G_GUINT64_FORMAT
			    ": a machine has at least %d MiB",
			    c->memory_mib, CONFIG_MEMORY_MIN_MIB);
		return -1;
	}
	if (c->memory_max_mib && c->memory_max_mib < c->memory_mib) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "--memory %" G_GUINT64_FORMAT
			    ",max=%" G_GUINT64_FORMAT
			    ": it starts with more than that",
			    c->memory_mib, c->memory_max_mib);
		return -1;
	}
	if (c->vcpus < 1 || c->vcpus > CONFIG_VCPUS_MAX) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "--vcpus %u: between 1 and %d", c->vcpus,
			    CONFIG_VCPUS_MAX);
		return -1;
	}
	if (check_disks(c, error))
		return -1;
	return check_nets(c, error);
}

static void add(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key,
			       value ? json_object_new_string(value) : NULL);
}

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
				json_object_object_add(
					o, key,
					json_object_new_uint64(values[k]));
		}
	}
	if (l->iops_bytes)
		json_object_object_add(o, "iops-size",
				       json_object_new_uint64(l->iops_bytes));
	add(o, "throttle-group", l->group);
	return o;
}

static struct json_object *disk_json(const struct disk_config *d)
{
	struct json_object *o = json_object_new_object();

	add(o, "path", d->path);
	add(o, "bus", disk_bus_name(d->bus));
	add(o, "format", d->format);
	add(o, "cache", d->cache);
	add(o, "serial", d->serial);
	add(o, "error_policy", d->error_policy);
	add(o, "rerror_policy", d->rerror_policy);
	add(o, "discard", d->discard);
	add(o, "detect_zeroes", d->detect_zeroes);
	json_object_object_add(o, "limits", limits_json(&d->limits));
	json_object_object_add(o, "block_size",
			       json_object_new_int((int)d->block_bytes));
	json_object_object_add(o, "readonly",
			       json_object_new_boolean(d->readonly));
	json_object_object_add(o, "snapshot",
			       json_object_new_boolean(d->snapshot));
	json_object_object_add(o, "dvd", json_object_new_boolean(d->dvd));
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

		add(o, "net", text);
	}
	add(o, "hostname", n->hostname);
	json_object_object_add(o, "restrict",
			       json_object_new_boolean(n->restricted));
	add(o, "ipv6", n->no_ipv6 ? "off" : "on");
}

static struct json_object *net_json(const struct machine_config *c, guint i)
{
	const struct net_config *n = g_ptr_array_index(c->nets, i);
	struct json_object *o = json_object_new_object();
	struct json_object *fds = json_object_new_array();
	char mac[18];
	uint8_t b[CONFIG_MAC_BYTES];

	add(o, "kind", net_kind_name(n->kind));
	add(o, "name", n->name);
	for (guint k = 0; k < n->fds->len; k++)
		json_object_array_add(fds, json_object_new_int(g_array_index(
						   n->fds, int, k)));
	json_object_object_add(o, "fds", fds);
	if (n->kind == NET_SOCKET)
		add(o, n->listen ? "listen" : "connect", n->path);
	if (n->kind == NET_USER)
		add_user(o, n);
	mac_of(c, i, b);
	g_snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", b[0],
		   b[1], b[2], b[3], b[4], b[5]);
	add(o, "mac", mac);
	json_object_object_add(o, "mtu", json_object_new_int((int)n->mtu));
	json_object_object_add(o, "queues",
			       json_object_new_int((int)n->queues));
	add(o, "link", n->cable_out ? "down" : "up");
	add(o, "pcap", n->pcap);
	return o;
}

char *machine_config_json(const struct machine_config *c)
{
	struct json_object *o = json_object_new_object();
	struct json_object *disks = json_object_new_array();
	struct json_object *nets = json_object_new_array();
	char *text;

	add(o, "kernel", c->kernel);
	add(o, "initrd", c->initrd);
	add(o, "append", c->cmdline);
	add(o, "profile", c->profile);
	add(o, "uuid", c->uuid);
	json_object_object_add(o, "memory_mib",
			       json_object_new_uint64(c->memory_mib));
	json_object_object_add(
		o, "memory_max_mib",
		json_object_new_uint64(MAX(c->memory_max_mib, c->memory_mib)));
	json_object_object_add(o, "vcpus", json_object_new_int((int)c->vcpus));
	for (guint i = 0; i < c->disks->len; i++)
		json_object_array_add(
			disks, disk_json(g_ptr_array_index(c->disks, i)));
	json_object_object_add(o, "disks", disks);
	for (guint i = 0; i < c->nets->len; i++)
		json_object_array_add(nets, net_json(c, i));
	json_object_object_add(o, "nets", nets);
	add(o, "accel", c->accel);
	add(o, "on_reboot",
	    c->on_reboot == REBOOT_RESTART ? "restart" : "destroy");
	json_object_object_add(o, "numa_srat",
			       json_object_new_boolean(c->srat));
	json_object_object_add(o, "test_devices",
			       json_object_new_boolean(c->test_devices));
	text = g_strdup(json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return text;
}
