/* SPDX-License-Identifier: MIT */
/*
 * rule_disk.c - <disk> and <controller>.
 */
#include <string.h>
#include <unistd.h>

#include "base/nbd_uri.h"
#include "config/disk_config.h"
#include "config/domain/domain_private.h"
#include "config/domain/lookup.h"
#include "config/domain/map.h"
#include "config/machine_config.h"

#define LUNS 64u

/* --- one disk ---------------------------------------------------------------- */

static void enter_disk(struct domain *d)
{
	d->disk = g_new0(struct disk_config, 1);
	d->device = domain_device_add(d);
	d->device->disk = d->disk;
}

static void set_device(struct domain *d, const char *value)
{
	d->disk->dvd = !strcmp(value, "cdrom");
	d->disk->readonly |= d->disk->dvd;
}

static void set_format(struct domain *d, const char *value)
{
	domain_replace(&d->disk->format, strcmp(value, "vhd") ? value : "vpc");
}

static void set_cache(struct domain *d, const char *value)
{
	if (strcmp(value, "default"))
		domain_replace(&d->disk->cache, value);
}

static void set_io(struct domain *d, const char *value)
{
	domain_replace(&d->disk->io, value);
}

static void set_discard(struct domain *d, const char *value)
{
	domain_replace(&d->disk->discard, value);
}

static void set_detect_zeroes(struct domain *d, const char *value)
{
	domain_replace(&d->disk->detect_zeroes, value);
}

static void set_error_policy(struct domain *d, const char *value)
{
	domain_replace(&d->disk->error_policy, value);
}

static void set_rerror_policy(struct domain *d, const char *value)
{
	domain_replace(&d->disk->rerror_policy, value);
}

static void set_path(struct domain *d, const char *value)
{
	g_autofree char *mapped = domain_map_disk(d->options, value);

	if (mapped || domain_path(d, value))
		domain_replace(&d->disk->path, mapped ? mapped : value);
}

/* A file as libvirt's Hyper-V driver names it, "C:\…\d.vhdx", or ours. */
static void set_file(struct domain *d, const char *value)
{
	g_autofree char *mapped = domain_map_disk(d->options, value);

	if (!mapped && domain_map_is_windows(value))
		domain_refuse(d,
			      "'%s' is a path of Windows: say where that is "
			      "with --map-disk 'C:\\*=/images/*'",
			      value);
	else
		set_path(d, value);
}

/* Of a Hyper-V it is the number of a drive. */
static void set_block(struct domain *d, const char *value)
{
	g_autofree char *mapped = domain_map_disk(d->options, value);

	if (!mapped && g_ascii_isdigit(*value) && d->of_hyperv)
		domain_refuse(d,
			      "'%s' is the number of a drive of Windows: "
			      "say which device that is with --map-disk "
			      "%s=/dev/sdX",
			      value, value);
	else
		set_path(d, value);
}

/* type='volume' */
static void find_volume(struct domain *d)
{
	g_autofree char *pool = domain_child_attr(d, "source", "pool");
	g_autofree char *volume = domain_child_attr(d, "source", "volume");
	g_autofree char *format = NULL, *path = NULL;
	GError *error = NULL;

	if (!pool || !volume) {
		domain_refuse(d, "has no volume: write <source pool='…' "
				 "volume='…'/>");
		return;
	}
	path = domain_lookup_volume(d->options->lookup, pool, volume, &format,
				    &error);
	if (!path) {
		domain_refuse_error(d, NULL, NULL, error);
		return;
	}
	set_path(d, path);
	if (!d->disk->format)
		d->disk->format = g_steal_pointer(&format);
}

/* "nbd://host:port/export", of what type='network' says */
static char *nbd_uri(struct domain *d)
{
	const xmlNode *source = domain_child(d->node, "source");
	const xmlNode *host = source ? domain_child(source, "host") : NULL;
	g_autofree char *name =
		source ? domain_node_attr(source, "name") : NULL;
	g_autofree char *transport =
		host ? domain_node_attr(host, "transport") : NULL;
	g_autofree char *socket =
		host ? domain_node_attr(host, "socket") : NULL;
	g_autofree char *server = host ? domain_node_attr(host, "name") : NULL;
	g_autofree char *port = host ? domain_node_attr(host, "port") : NULL;

	if (!g_strcmp0(transport, "unix") && socket && *socket == '/')
		return nbd_uri_unix(socket, name);
	if (g_strcmp0(transport, "unix") && server && *server)
		return nbd_uri_tcp(server, port, name);
	domain_refuse(d, "has no server: write <host name='…' port='10809'/> "
			 "in its <source>, or <host transport='unix' "
			 "socket='/…'/>");
	return NULL;
}

static void connect_to_nbd(struct domain *d)
{
	g_autofree char *protocol = domain_child_attr(d, "source", "protocol");

	if (d->report->n[DOMAIN_REFUSED] != d->device->refused)
		return; /* another protocol, perhaps */
	if (!protocol)
		domain_refuse(d, "has no protocol: write <source "
				 "protocol='nbd'>");
	else
		d->disk->path = nbd_uri(d);
}

static void set_port(struct domain *d, const char *value)
{
	uint64_t port;

	domain_number(d, value, 1, 65535, &port);
}

static void set_socket(struct domain *d, const char *value)
{
	domain_path(d, value);
}

/* What a missing file means: nothing, for a drive that may be empty. */
static void apply_startup_policy(struct domain *d)
{
	g_autofree char *policy =
		domain_child_attr(d, "source", "startupPolicy");

	if (!policy || !strcmp(policy, "mandatory") || !d->disk->path ||
	    disk_config_is_nbd(d->disk->path) || !access(d->disk->path, F_OK))
		return;
	if (d->disk->dvd && !strcmp(policy, "optional"))
		g_clear_pointer(&d->disk->path, g_free);
}

/*
 * What libvirt's security wants: an image that nobody has said a format of is
 * raw; but what comes from Hyper-V has no format and is a VHD or VHDX, which
 * the name says.
 */
static void choose_format(struct disk_config *disk)
{
	static const char *const named[] = {".vhdx", ".vhd", ".avhdx", ".avhd"};

	if (disk->format || !disk->path || disk_config_is_nbd(disk->path))
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(named); i++) {
		g_autofree char *lower = g_ascii_strdown(disk->path, -1);

		if (g_str_has_suffix(lower, named[i])) {
			disk->format = g_strdup(strchr(named[i], 'x') ? "vhdx"
								      : "vpc");
			return;
		}
	}
	disk->format = g_strdup("raw");
}

/* --- where it is ------------------------------------------------------------- */

/* "sdab": 27; -1: it is none */
static int index_of(const char *dev)
{
	int index = 0;

	if (strlen(dev) < 3 || strlen(dev) > 4)
		return -1;
	for (const char *c = dev + 2; *c; c++) {
		if (!g_ascii_islower(*c))
			return -1;
		index = index * 26 + *c - 'a' + 1;
	}
	return index - 1;
}

static bool get_part(struct domain *d, const xmlNode *address, const char *name,
		     uint64_t max, unsigned int *part)
{
	g_autofree char *value = domain_node_attr(address, name);
	guint64 n = 0;

	*part = 0;
	if (!value)
		return true;
	if (!g_ascii_string_to_unsigned(value, 10, 0, max, &n, NULL)) {
		domain_say_of(d, DOMAIN_REFUSED, address,
			      "devices/disk/address",
			      "%s='%s': write 0 to %" G_GUINT64_FORMAT, name,
			      value, max);
		return false;
	}
	*part = (unsigned int)n;
	return true;
}

/* <address type='drive'/> */
static void take_address(struct domain *d, const xmlNode *address)
{
	struct disk_config *disk = d->disk;
	unsigned int controller, bus, unit, target;
	bool ide = disk->bus == DISK_IDE;

	if (!get_part(d, address, "controller", ide ? 0 : 3, &controller) ||
	    !get_part(d, address, "bus", ide ? 1 : 0, &bus) ||
	    !get_part(d, address, "target", 0, &target) ||
	    !get_part(d, address, "unit", ide ? 1 : LUNS - 1, &unit))
		return;
	disk->has_place = true;
	disk->place = ide ? bus * 2 + unit : controller * LUNS + unit;
}

static void take_target(struct domain *d)
{
	g_autofree char *dev = domain_child_attr(d, "target", "dev");
	g_autofree char *bus = domain_child_attr(d, "target", "bus");
	const xmlNode *address = domain_child(d->node, "address");
	g_autofree char *type =
		address ? domain_node_attr(address, "type") : NULL;
	bool ide =
		bus ? !strcmp(bus, "ide") : dev && g_str_has_prefix(dev, "hd");
	int index = dev ? index_of(dev) : -1;

	if (!dev)
		domain_refuse(d, "has no <target>: write <target dev='sda' "
				 "bus='scsi'/>");
	else if (index < 0)
		domain_refuse(d, "target dev='%s': write sda, sdb, …, or hda",
			      dev);
	if (ide && d->disk->dvd) {
		domain_say(d, DOMAIN_NOTE,
			   "the drive is at a SCSI controller: on IDE are only "
			   "disks");
		return;
	}
	d->disk->bus = ide ? DISK_IDE : DISK_SCSI;
	/* Of another bus it says nothing of a place here. */
	if (!bus || !strcmp(bus, "ide") || !strcmp(bus, "scsi")) {
		if (!g_strcmp0(type, "drive"))
			take_address(d, address);
	}
}

static void leave_disk(struct domain *d)
{
	struct disk_config *disk = g_steal_pointer(&d->disk);
	g_autofree char *type = domain_attr(d, "type");
	GError *error = NULL;
	unsigned int refused = d->report->n[DOMAIN_REFUSED];

	d->disk = disk;
	if (!g_strcmp0(type, "volume"))
		find_volume(d);
	else if (!g_strcmp0(type, "network"))
		connect_to_nbd(d);
	apply_startup_policy(d);
	choose_format(disk);
	take_target(d);
	if (!disk->path && !disk->dvd &&
	    d->report->n[DOMAIN_REFUSED] == d->device->refused)
		domain_refuse(d, "has no <source>: write <source file='/…'/>");
	else if (d->report->n[DOMAIN_REFUSED] == refused &&
		 (disk->path || disk->dvd) && disk_config_check(disk, &error))
		domain_refuse_error(d, NULL, NULL, error);
	g_ptr_array_add(d->config->disks, disk);
	d->disk = NULL;
}

/* Two at one place: the second is refused. */
void domain_place_disks(struct domain *d)
{
	for (guint i = 0; i < d->devices->len; i++) {
		const struct domain_device *a =
			g_ptr_array_index(d->devices, i);

		for (guint k = 0; a->disk && a->disk->has_place && k < i; k++) {
			const struct domain_device *b =
				g_ptr_array_index(d->devices, k);

			if (b->disk && b->disk->has_place &&
			    b->disk->bus == a->disk->bus &&
			    b->disk->place == a->disk->place)
				domain_say_of(d, DOMAIN_REFUSED, a->node,
					      "devices/disk",
					      "has the <address> of the disk "
					      "in line %ld: write another",
					      xmlGetLineNo(b->node));
		}
	}
}

/* --- what it says of itself --------------------------------------------------- */

static void enter_readonly(struct domain *d)
{
	d->disk->readonly = true;
}

static void enter_shareable(struct domain *d)
{
	d->disk->shareable = true;
}

static void enter_transient(struct domain *d)
{
	d->disk->snapshot = true;
}

static void set_serial(struct domain *d, const char *value)
{
	domain_replace(&d->disk->serial, value);
}

static void set_vendor(struct domain *d, const char *value)
{
	domain_replace(&d->disk->vendor, value);
}

static void set_product(struct domain *d, const char *value)
{
	domain_replace(&d->disk->product, value);
}

static void set_wwn(struct domain *d, const char *value)
{
	const char *digits = g_str_has_prefix(value, "0x") ? value + 2 : value;

	d->disk->wwn = disk_config_wwn(digits);
	if (!d->disk->wwn)
		domain_refuse(d,
			      "'%s': write 16 hexadecimal digits, of which "
			      "the first is 5 or 2",
			      value);
}

static void set_block_size(struct domain *d, const char *value)
{
	d->disk->block_bytes = !strcmp(value, "4096") ? 4096 : 512;
}

/* --- limits ------------------------------------------------------------------ */

/* "devices/disk/iotune/read_bytes_sec_max": "bps-read-max" */
static char *limit_of(const char *path)
{
	static const struct {
		const char *theirs, *ours;
	} names[] = {
		{"total_bytes_sec", "bps"},
		{"read_bytes_sec", "bps-read"},
		{"write_bytes_sec", "bps-write"},
		{"total_iops_sec", "iops"},
		{"read_iops_sec", "iops-read"},
		{"write_iops_sec", "iops-write"},
	};
	const char *name = strrchr(path, '/') + 1;

	if (!strcmp(name, "size_iops_sec"))
		return g_strdup("iops-size");
	if (!strcmp(name, "group_name"))
		return g_strdup("throttle-group");
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (g_str_has_prefix(name, names[i].theirs))
			return g_strdelimit(
				g_strconcat(names[i].ours,
					    name + strlen(names[i].theirs),
					    NULL),
				"_", '-');
	}
	g_assert_not_reached();
}

static void set_limit(struct domain *d, const char *value)
{
	g_autofree char *key = limit_of(d->path);
	GError *error = NULL;
	uint64_t n;

	if (strcmp(key, "throttle-group")) {
		if (!domain_number(d, value, 0, CONFIG_LIMIT_MAX, &n))
			return;
		/* It is what libvirt writes for no limit. */
		if (!n)
			return;
	}
	if (disk_limits_set(&d->disk->limits, key, value, &error))
		domain_refuse_error(d, NULL, NULL, error);
}

/* --- controllers ------------------------------------------------------------- */

static void leave_controller(struct domain *d)
{
	g_autofree char *type = domain_attr(d, "type");
	g_autofree char *index = domain_attr(d, "index");
	uint64_t n;

	if (!type)
		domain_refuse(d, "has no type: write type='scsi'");
	else if (index && !strcmp(type, "scsi"))
		domain_number(d, index, 0, 3, &n);
}

#define LIMIT(name, help) \
	RULE("devices/disk/iotune/" name, HONOUR, help, .set = set_limit)
#define LIMITS(name, what)                                                \
	LIMIT(name, "At most so many " what " a second; 0: any number."), \
		LIMIT(name "_max", "In a burst."),                        \
		LIMIT(name "_max_length", "How many seconds of it.")
#define QEMUS   "is of QEMU's devices."
#define NO_AUTH "not implemented: attach it on the host, and write type='block'"

static const struct domain_rule rules[] = {
	RULE("devices/disk", HONOUR, "A disk or a DVD drive.",
	     .enter = enter_disk, .leave = leave_disk, .many = true),
	RULE("devices/disk@type", HONOUR, "What its data is in.",
	     .words = "file|block|volume|network"),
	RULE("devices/disk@type=dir", REFUSE,
	     "not implemented: make an image."),
	RULE("devices/disk@type=nvme", REFUSE,
	     "not implemented: write type='block' and its /dev/nvme…."),
	RULE("devices/disk@type=vhostuser", REFUSE, "a Hyper-V has none."),
	RULE("devices/disk@type=vhostvdpa", REFUSE, "a Hyper-V has none."),
	RULE("devices/disk@device", HONOUR, "What the guest takes it for.",
	     .words = "disk|cdrom", .set = set_device),
	RULE("devices/disk@device=floppy", REFUSE,
	     "there is no floppy drive: remove it, or write device='disk'."),
	RULE("devices/disk@device=lun", REFUSE,
	     "not implemented: write device='disk'."),
	RULE("devices/disk@model", IGNORE, QEMUS),
	RULE("devices/disk@rawio", IGNORE, "no command is passed through."),
	RULE("devices/disk@sgio", IGNORE, "no command is passed through."),
	RULE("devices/disk@snapshot", IGNORE, "is of libvirt's snapshots."),
	RULE("devices/disk/driver", HONOUR, "How the host stores it."),
	RULE("devices/disk/driver@name", IGNORE,
	     "is another's: kvmbus opens it."),
	RULE("devices/disk/driver@type", HONOUR,
	     "The image's format; absent: raw, or as .vhd, .vhdx says.",
	     .words = "raw|qcow2|vhdx|vpc|vhd|vmdk|vdi|qed|qcow|parallels|"
		      "cloop|dmg|bochs",
	     .set = set_format),
	RULE("devices/disk/driver@type=luks", REFUSE,
	     "not implemented: open it on the host with cryptsetup(8)."),
	RULE("devices/disk/driver@cache", HONOUR, "The host's page cache.",
	     .words = "none|writethrough|writeback|directsync|unsafe",
	     .set = set_cache),
	RULE("devices/disk/driver@cache=default", HONOUR, "writeback."),
	RULE("devices/disk/driver@io", HONOUR, "How the host is asked.",
	     .words = "threads|native|io_uring", .set = set_io),
	RULE("devices/disk/driver@discard", HONOUR,
	     "What the guest does not need any more.", .words = "unmap|ignore",
	     .set = set_discard),
	RULE("devices/disk/driver@detect_zeroes", HONOUR,
	     "Writes of nothing but zeroes.", .words = "off|on|unmap",
	     .set = set_detect_zeroes),
	RULE("devices/disk/driver@error_policy", HONOUR,
	     "When the storage cannot write.",
	     .words = "stop|report|ignore|enospace", .set = set_error_policy),
	RULE("devices/disk/driver@rerror_policy", HONOUR,
	     "When it cannot read.", .words = "stop|report|ignore",
	     .set = set_rerror_policy),
	RULE("devices/disk/driver@copy_on_read", HONOUR, "Not.",
	     .words = "off"),
	RULE("devices/disk/driver@copy_on_read=on", REFUSE,
	     "not implemented: copy the image first."),
	RULE("devices/disk/driver@iothread", IGNORE,
	     "each channel of a disk has a thread."),
	RULE("devices/disk/driver@queues", IGNORE,
	     "there is a channel for each processor."),
	RULE("devices/disk/driver@queue_size", IGNORE, QEMUS),
	RULE("devices/disk/driver@*", IGNORE, QEMUS),
	RULE("devices/disk/driver/*", IGNORE, QEMUS),
	RULE("devices/disk/source", HONOUR, "Where its data is."),
	RULE("devices/disk/source@file", HONOUR,
	     "An image; one of Windows with --map-disk.", .set = set_file),
	RULE("devices/disk/source@dev", HONOUR,
	     "A block device; of a Hyper-V with --map-disk.", .set = set_block),
	RULE("devices/disk/source@pool", HONOUR,
	     "With type='volume', and --connect."),
	RULE("devices/disk/source@volume", HONOUR, "A volume of the pool."),
	RULE("devices/disk/source@protocol", HONOUR,
	     "With type='network': a server of NBD.", .words = "nbd"),
	RULE("devices/disk/source@protocol=*", REFUSE, NO_AUTH),
	RULE("devices/disk/source@name", HONOUR, "What it calls the disk."),
	RULE("devices/disk/source@tls", HONOUR, "Not.", .words = "no"),
	RULE("devices/disk/source@tls=yes", REFUSE,
	     "not implemented: have stunnel(8) or ssh(1) bring the server's "
	     "socket here."),
	RULE("devices/disk/source/host", HONOUR, "Where the server is."),
	RULE("devices/disk/source/host@transport", HONOUR, "How.",
	     .words = "tcp|unix"),
	RULE("devices/disk/source/host@name", HONOUR, "Of tcp: its address."),
	RULE("devices/disk/source/host@port", HONOUR, "10809 by default.",
	     .set = set_port),
	RULE("devices/disk/source/host@socket", HONOUR, "Of unix: a path.",
	     .set = set_socket),
	RULE("devices/disk/source@mode", IGNORE, "is of iSCSI."),
	RULE("devices/disk/source@startupPolicy", HONOUR,
	     "optional: without its file the drive is empty.",
	     .words = "mandatory|requisite|optional"),
	RULE("devices/disk/source@index", IGNORE, "is of a domain that runs."),
	RULE("devices/disk/source/seclabel", IGNORE, "is libvirt's own."),
	RULE("devices/disk/source/privateData", IGNORE, "is libvirt's own."),
	RULE("devices/disk/source/encryption", REFUSE,
	     "not implemented: open it on the host with cryptsetup(8)."),
	RULE("devices/disk/source/slices", REFUSE,
	     "not implemented: make a loop device with losetup(8)."),
	RULE("devices/disk/source/reservations", IGNORE,
	     "no command is passed through."),
	RULE("devices/disk/source/*", REFUSE, NO_AUTH),
	RULE("devices/disk/source@*", REFUSE, NO_AUTH),
	RULE("devices/disk/target", HONOUR, "What the guest finds it at."),
	RULE("devices/disk/target@dev", HONOUR,
	     "sda, sdb, …; hda to hdd: IDE."),
	RULE("devices/disk/target@bus", HONOUR, "Which controller.",
	     .words = "scsi|ide"),
	RULE("devices/disk/target@bus=virtio", IGNORE,
	     "the guest has it on SCSI."),
	RULE("devices/disk/target@bus=sata", IGNORE,
	     "the guest has it on SCSI."),
	RULE("devices/disk/target@bus=usb", IGNORE,
	     "the guest has it on SCSI."),
	RULE("devices/disk/target@bus=sd", IGNORE, "the guest has it on SCSI."),
	RULE("devices/disk/target@bus=nvme", IGNORE,
	     "the guest has it on SCSI."),
	RULE("devices/disk/target@bus=fdc", REFUSE,
	     "there is no floppy drive."),
	RULE("devices/disk/target@tray", IGNORE,
	     "the tray is closed at first."),
	RULE("devices/disk/target@removable", IGNORE,
	     "disks of a Hyper-V are not."),
	RULE("devices/disk/target@rotation_rate", IGNORE, "not implemented."),
	RULE("devices/disk/readonly", HONOUR, "The guest cannot write.",
	     .enter = enter_readonly),
	RULE("devices/disk/shareable", HONOUR, "Others may write: no lock.",
	     .enter = enter_shareable),
	RULE("devices/disk/transient", HONOUR,
	     "What the guest writes is thrown away at the end.",
	     .enter = enter_transient),
	RULE("devices/disk/transient@shareBacking", HONOUR,
	     "Others may use the image too.", .words = "no|yes"),
	RULE("devices/disk/serial", HONOUR, "INQUIRY's page 0x80.",
	     .set = set_serial),
	RULE("devices/disk/wwn", HONOUR, "The name in page 0x83.",
	     .set = set_wwn),
	RULE("devices/disk/vendor", HONOUR, "8 characters; Msft by default.",
	     .set = set_vendor),
	RULE("devices/disk/product", HONOUR,
	     "16 characters; Virtual Disk by default.", .set = set_product),
	RULE("devices/disk/iotune", HONOUR, "What it may do in a second."),
	LIMITS("total_bytes_sec", "bytes"),
	LIMITS("read_bytes_sec", "bytes read"),
	LIMITS("write_bytes_sec", "bytes written"),
	LIMITS("total_iops_sec", "operations"),
	LIMITS("read_iops_sec", "reads"),
	LIMITS("write_iops_sec", "writes"),
	LIMIT("size_iops_sec", "A longer operation counts as many."),
	LIMIT("group_name", "Disks of a group share their limits."),
	RULE("devices/disk/blockio", HONOUR, "What it is addressed in."),
	RULE("devices/disk/blockio@logical_block_size", HONOUR,
	     "512 or 4096; absent: as the storage.", .words = "512|4096",
	     .set = set_block_size),
	RULE("devices/disk/blockio@physical_block_size", IGNORE,
	     "it is the storage's."),
	RULE("devices/disk/blockio@discard_granularity", IGNORE,
	     "it is the storage's."),
	RULE("devices/disk/geometry", IGNORE,
	     "there is no firmware to need it."),
	RULE("devices/disk/boot", IGNORE,
	     "there is no firmware: the kernel is loaded directly."),
	RULE("devices/disk/backingStore", IGNORE, "the image says it itself."),
	RULE("devices/disk/mirror", IGNORE,
	     "is of a job of a domain that runs."),
	RULE("devices/disk/acpi", IGNORE, "is of a domain that runs."),
	RULE("devices/disk/privateData", IGNORE, "is libvirt's own."),
	RULE("devices/disk/encryption", REFUSE,
	     "not implemented: open it on the host with cryptsetup(8)."),
	RULE("devices/disk/auth", REFUSE, NO_AUTH),
	RULE("devices/disk/address", HONOUR, "Controller and LUN."),
	RULE("devices/disk/address@type", HONOUR, "A place at a controller.",
	     .words = "drive"),
	RULE("devices/disk/address@type=pci", IGNORE, "there is no PCI bus."),
	RULE("devices/disk/address@type=usb", IGNORE, "there is no USB."),
	RULE("devices/disk/address@type=unassigned", IGNORE, "is no place."),
	RULE("devices/disk/address@controller", HONOUR, "0 to 3; of IDE 0."),
	RULE("devices/disk/address@bus", HONOUR,
	     "0; of IDE the channel, 0 or 1."),
	RULE("devices/disk/address@target", HONOUR, "0."),
	RULE("devices/disk/address@unit", HONOUR, "0 to 63; of IDE 0 or 1."),
	RULE("devices/disk/address@*", IGNORE, "is of another bus."),
	RULE("devices/controller", HONOUR,
	     "One is made for each 64 disks, and more when a disk wants them.",
	     .leave = leave_controller, .many = true),
	RULE("devices/controller@type", HONOUR, "What is at it.",
	     .words = "scsi|ide"),
	RULE("devices/controller@type=pci", IGNORE, "there is no PCI bus."),
	RULE("devices/controller@type=usb", IGNORE, "there is no USB."),
	RULE("devices/controller@type=sata", IGNORE,
	     "the guest has its disks on SCSI."),
	RULE("devices/controller@type=fdc", IGNORE,
	     "there is no floppy drive."),
	RULE("devices/controller@type=virtio-serial", IGNORE,
	     "serial ports are 16550."),
	RULE("devices/controller@type=ccid", IGNORE, "there is no USB."),
	RULE("devices/controller@type=xenbus", IGNORE, "is of Xen."),
	RULE("devices/controller@type=isa", IGNORE, "is there in any case."),
	RULE("devices/controller@index", HONOUR, "0 to 3; of IDE 0."),
	RULE("devices/controller@model", HONOUR, "Hyper-V's own.",
	     .words = "auto"),
	RULE("devices/controller@model=*", IGNORE, "it is Hyper-V's own."),
	RULE("devices/controller@ports", IGNORE, "is of USB."),
	RULE("devices/controller@vectors", IGNORE, "is of PCI."),
	RULE("devices/controller/driver", IGNORE,
	     "there is a channel for each processor."),
	RULE("devices/controller/*", IGNORE, "is of another bus."),
};

const struct domain_rules domain_disk_rules = {"Disks and controllers", rules,
					       G_N_ELEMENTS(rules)};
