/* SPDX-License-Identifier: MIT */
#include "config/machine_config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "config/disk_config.h"
#include "config/net_config.h"
#include "config/serial_config.h"

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
	c->trace.flight_lines = TRACE_FLIGHT_DEFAULT;
	c->uuid = g_strdup(CONFIG_UUID_DEFAULT);
	c->on_reboot = LIFECYCLE_RESTART;
	cpu_config_init(&c->cpu);
	smbios_config_init(&c->smbios);
	c->require = g_new0(char *, 1);
	c->com1_fd = CONFIG_FD_TERMINAL;
	c->com2_fd = CONFIG_FD_NONE;
	c->disks = g_ptr_array_new_with_free_func(
		(GDestroyNotify)disk_config_free);
	c->nets =
		g_ptr_array_new_with_free_func((GDestroyNotify)net_config_free);
	c->serials = g_ptr_array_new_with_free_func(
		(GDestroyNotify)serial_config_free);
	c->faults = g_array_new(FALSE, FALSE, sizeof(struct fault_rule));
	return c;
}

void machine_config_free(struct machine_config *config)
{
	if (!config)
		return;
	g_free(config->name);
	g_free(config->genid);
	cpu_config_clear(&config->cpu);
	hyperv_config_clear(&config->hyperv);
	clock_config_clear(&config->clock);
	smbios_config_clear(&config->smbios);
	g_ptr_array_free(config->serials, TRUE);
	g_free(config->kernel);
	g_strfreev(config->kernels);
	g_free(config->initrd);
	g_free(config->cmdline);
	g_free(config->profile);
	g_free(config->report);
	g_free(config->junit);
	g_free(config->tap);
	g_free(config->control);
	g_free(config->events);
	g_free(config->pidfile);
	g_free(config->dump_dir);
	g_free(config->hvsock);
	trace_config_clear(&config->trace);
	g_free(config->accel);
	g_free(config->uuid);
	g_strfreev(config->command);
	g_free(config->rootfs);
	g_strfreev(config->modules);
	g_strfreev(config->without_modules);
	g_strfreev(config->require);
	g_ptr_array_free(config->disks, TRUE);
	g_ptr_array_free(config->nets, TRUE);
	g_array_free(config->faults, TRUE);
	g_free(config);
}

/* --- names ------------------------------------------------------------------- */

static const char *const actions[] = {
	[LIFECYCLE_DESTROY] = "destroy",
	[LIFECYCLE_RESTART] = "restart",
	[LIFECYCLE_PRESERVE] = "preserve",
	[LIFECYCLE_COREDUMP_DESTROY] = "coredump-destroy",
	[LIFECYCLE_COREDUMP_RESTART] = "coredump-restart",
};

static const char *const devices[CONFIG_N_DEVICES] = {
	[DEVICE_HEARTBEAT] = "heartbeat",
	[DEVICE_TIMESYNC] = "timesync",
	[DEVICE_SHUTDOWN] = "shutdown",
	[DEVICE_KVP] = "kvp",
	[DEVICE_VSS] = "vss",
	[DEVICE_FCOPY] = "fcopy",
	[DEVICE_KEYBOARD] = "keyboard",
	[DEVICE_MOUSE] = "mouse",
	[DEVICE_BALLOON] = "balloon",
};

static int find_name(const char *const *names, unsigned int n, const char *name)
{
	for (unsigned int i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -1;
}

const char *lifecycle_action_name(enum lifecycle_action action)
{
	return actions[action];
}

int lifecycle_action_find(const char *name)
{
	return find_name(actions, G_N_ELEMENTS(actions), name);
}

const char *config_device_name(enum config_device device)
{
	return devices[device];
}

int config_device_find(const char *name)
{
	return find_name(devices, G_N_ELEMENTS(devices), name);
}

bool machine_config_has(const struct machine_config *config, const char *name)
{
	int which = config_device_find(name);

	return which < 0 || !(config->without & 1u << which);
}

/* Linux include/linux/hyperv.h, VERSION_WS2008 and on. */
static const struct {
	const char *text;
	uint32_t version;
} vmbus_versions[] = {
	{"0.13", 0x0000D}, {"1.1", 0x10001}, {"2.4", 0x20004}, {"3.0", 0x30000},
	{"4.0", 0x40000},  {"4.1", 0x40001}, {"5.0", 0x50000}, {"5.1", 0x50001},
	{"5.2", 0x50002},  {"5.3", 0x50003}, {"6.0", 0x60000},
};

uint32_t machine_config_vmbus(const char *text)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(vmbus_versions); i++)
		if (!strcmp(vmbus_versions[i].text, text))
			return vmbus_versions[i].version;
	return 0;
}

const char *machine_config_vmbus_text(uint32_t version)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(vmbus_versions); i++)
		if (vmbus_versions[i].version == version)
			return vmbus_versions[i].text;
	return NULL;
}

/* --- what can be ---------------------------------------------------------------- */

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

/* It is a place, and no disk before has it. */
static int check_place(const struct machine_config *c, guint i, GError **error)
{
	const struct disk_config *d = g_ptr_array_index(c->disks, i);
	unsigned int max = d->bus == DISK_IDE ? CONFIG_IDE_DISKS_MAX
					      : CONFIG_SCSI_DISKS_MAX;
	bool taken = d->has_place && d->place >= max;

	for (guint k = 0; d->has_place && k < i; k++) {
		const struct disk_config *o = g_ptr_array_index(c->disks, k);

		taken |= o->has_place && o->bus == d->bus &&
			 o->place == d->place;
	}
	if (!taken)
		return 0;
	g_set_error(error, CONFIG_ERROR, 0,
		    "disk %s: place %u on %s: there is none, or another disk "
		    "has it",
		    d->path ? d->path : "", d->place, disk_bus_name(d->bus));
	return -1;
}

static int check_disks(const struct machine_config *c, GError **error)
{
	unsigned int n[2] = {0};

	for (guint i = 0; i < c->disks->len; i++) {
		const struct disk_config *d = g_ptr_array_index(c->disks, i);

		n[d->bus]++;
		if (check_place(c, i, error))
			return -1;
		if (!disk_config_is_nbd(d->path) &&
		    readable("--disk", d->path, error))
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

static int check_uuid(const char *option, const char *uuid, GError **error)
{
	if (!uuid || g_uuid_string_is_valid(uuid))
		return 0;
	g_set_error(error, CONFIG_ERROR, 0,
		    "%s %s: not a UUID, as "
		    "6ba7b810-9dad-11d1-80b4-00c04fd430c8 is",
		    option, uuid);
	return -1;
}

static int check_serials(const struct machine_config *c, GError **error)
{
	unsigned int n_stdio = 0;

	if (c->serials->len > CONFIG_SERIALS_MAX) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "--serial: a machine has at most %u serial ports",
			    CONFIG_SERIALS_MAX);
		return -1;
	}
	for (guint i = 0; i < c->serials->len; i++) {
		const struct serial_config *s =
			g_ptr_array_index(c->serials, i);

		if (serial_config_check(s, error)) {
			g_prefix_error(error, "--serial: ");
			return -1;
		}
		n_stdio += s->kind == SERIAL_STDIO;
	}
	if (n_stdio <= 1)
		return 0;
	g_set_error(error, CONFIG_ERROR, 0,
		    "--serial stdio: there is one terminal");
	return -1;
}

static int check_actions(const struct machine_config *c, GError **error)
{
	if (c->on_poweroff >= LIFECYCLE_COREDUMP_DESTROY ||
	    c->on_reboot >= LIFECYCLE_COREDUMP_DESTROY) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "--on-poweroff, --on-reboot: a memory dump is for "
			    "--on-crash");
		return -1;
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
	if (check_uuid("--uuid", c->uuid, error) ||
	    check_uuid("--genid", c->genid, error))
		return -1;
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
	if (cpu_config_check(&c->cpu, c->vcpus, error) ||
	    hyperv_config_check(&c->hyperv, error) ||
	    clock_config_check(&c->clock, error) || check_disks(c, error) ||
	    check_nets(c, error) || check_serials(c, error))
		return -1;
	return check_actions(c, error);
}
