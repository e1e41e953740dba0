/* SPDX-License-Identifier: MIT */
/*
 * rule_device.c - serial ports and consoles, and all other devices.
 */
#include <string.h>

#include "config/domain/domain_private.h"
#include "config/machine_config.h"
#include "config/serial_config.h"

/* --- serial ports ------------------------------------------------------------- */

static void enter_serial(struct domain *d)
{
	d->serial = g_new0(struct serial_config, 1);
	d->serial->fd = -1;
}

static void set_kind(struct domain *d, const char *value)
{
	for (int i = SERIAL_NULL; i <= SERIAL_DEV; i++) {
		if (!strcmp(serial_kind_name((enum serial_kind)i), value))
			d->serial->kind = (enum serial_kind)i;
	}
}

static void take_source(struct domain *d, const xmlNode *source)
{
	struct serial_config *s = d->serial;
	g_autofree char *mode = domain_node_attr(source, "mode");
	g_autofree char *service = domain_node_attr(source, "service");
	g_autofree char *append = domain_node_attr(source, "append");
	const xmlNode *again = domain_child(source, "reconnect");
	g_autofree char *timeout =
		again ? domain_node_attr(again, "timeout") : NULL;
	g_autofree char *enabled =
		again ? domain_node_attr(again, "enabled") : NULL;
	uint64_t n;

	s->listen = !g_strcmp0(mode, "bind");
	s->append = append && domain_on(append);
	if (s->kind != SERIAL_PTY && s->kind != SERIAL_STDIO)
		s->path = domain_node_attr(source, "path");
	s->host = domain_node_attr(source, "host");
	if (service && domain_number(d, service, 1, UINT16_MAX, &n))
		s->port = (uint16_t)n;
	if (enabled && domain_on(enabled)) {
		s->reconnect_s = 1;
		if (timeout && domain_number(d, timeout, 1, 86400, &n))
			s->reconnect_s = (unsigned int)n;
	}
}

static void take_protocol(struct domain *d, const xmlNode *protocol)
{
	g_autofree char *type = domain_node_attr(protocol, "type");

	d->serial->telnet = !g_strcmp0(type, "telnet");
}

static void take_log(struct domain *d, const xmlNode *log)
{
	g_autofree char *append = domain_node_attr(log, "append");

	d->serial->log = domain_node_attr(log, "file");
	d->serial->log_append = append && domain_on(append);
	if (!d->serial->log)
		domain_refuse(d, "<log> has no file: write file='/…'");
}

/* libvirt counts a Hyper-V's ports from 1. */
static bool get_port(struct domain *d, unsigned int *port)
{
	g_autofree char *text = domain_child_attr(d, "target", "port");
	unsigned int first = d->of_hyperv ? 1 : 0;
	uint64_t n = 0;

	if (!text) {
		for (*port = 0; *port < CONFIG_SERIALS_MAX; ++*port) {
			if (!d->said.serials[*port])
				return true;
		}
		domain_refuse(d, "a machine has at most %u serial ports",
			      CONFIG_SERIALS_MAX);
		return false;
	}
	if (!domain_number(d, text, first, first + CONFIG_SERIALS_MAX - 1, &n))
		return false;
	*port = (unsigned int)n - first;
	if (d->said.serials[*port])
		domain_refuse(d, "there is a serial port %s already", text);
	return !d->said.serials[*port];
}

/* "\\.\pipe\x", or "-1" of none. */
static bool is_windows_pipe(const struct domain *d)
{
	return d->serial->kind == SERIAL_PIPE && d->serial->path &&
	       (d->serial->path[0] == '\\' || !strcmp(d->serial->path, "-1"));
}

static void keep_serial(struct domain *d, unsigned int port)
{
	GError *error = NULL;

	if (serial_config_check(d->serial, &error)) {
		domain_refuse_error(d, NULL, NULL, error);
		return;
	}
	d->said.serials[port] = g_steal_pointer(&d->serial);
}

static void take_chardev(struct domain *d)
{
	const xmlNode *source = domain_child(d->node, "source");
	const xmlNode *protocol = domain_child(d->node, "protocol");
	const xmlNode *log = domain_child(d->node, "log");

	if (source)
		take_source(d, source);
	if (protocol)
		take_protocol(d, protocol);
	if (log)
		take_log(d, log);
}

static void drop_serial(struct domain *d)
{
	serial_config_free(d->serial);
	d->serial = NULL;
}

static void leave_serial(struct domain *d)
{
	unsigned int port;

	take_chardev(d);
	if (!xmlHasProp(d->node, (const xmlChar *)"type"))
		domain_refuse(d, "has no type: write type='pty'");
	else if (is_windows_pipe(d))
		domain_ignore(d, "a pipe of Windows: write type='unix', or "
				 "remove it to have the first port on the "
				 "terminal");
	else if (get_port(d, &port))
		keep_serial(d, port);
	drop_serial(d);
}

/*
 * The first console is the first serial port, which libvirt writes again as
 * one.
 */
static void leave_console(struct domain *d)
{
	take_chardev(d);
	if (!d->said.console && !domain_child(d->node->parent, "serial"))
		keep_serial(d, 0);
	else if (d->said.console)
		domain_ignore(d, "only the first is a serial port");
	d->said.console = d->node;
	drop_serial(d);
}

/* Ports between others are there, with nothing plugged in. */
void domain_finish_serials(struct domain *d)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < CONFIG_SERIALS_MAX; i++) {
		if (d->said.serials[i])
			n = i + 1;
	}
	for (unsigned int i = 0; i < n; i++) {
		struct serial_config *s = d->said.serials[i];

		if (!s) {
			s = g_new0(struct serial_config, 1);
			s->fd = -1;
		}
		d->said.serials[i] = NULL;
		g_ptr_array_add(d->config->serials, s);
	}
}

/* --- others -------------------------------------------------------------------- */

static void set_alias(struct domain *d, const char *value)
{
	if (d->device)
		domain_replace(&d->device->alias, value);
}

static void leave_panic(struct domain *d)
{
	g_autofree char *model = domain_attr(d, "model");

	if (!g_strcmp0(model, "hyperv"))
		d->config->hyperv.on |= HYPERV_BIT(HYPERV_CRASH);
	else
		domain_ignore(d, "there is no such device: write "
				 "model='hyperv', the crash registers");
}

static void set_balloon(struct domain *d, const char *value)
{
	if (!strcmp(value, "none"))
		d->config->without |= 1u << DEVICE_BALLOON;
}

static void enter_vsock(struct domain *d)
{
	d->said.vsock = d->node;
}

void domain_check_vsock(struct domain *d)
{
	if (d->said.vsock && !d->config->hvsock)
		domain_say_of(
			d, DOMAIN_NOTE, d->said.vsock, "devices/vsock",
			"there is none before somebody says where: "
			"--hvsock SOCKET, or kvmbus:machine/kvmbus:vsock");
}

#define SOURCE(of) "devices/" of "/source"
#define CHARDEV(of)                                                        \
	RULE("devices/" of "@type", HONOUR, "What it is plugged into.",    \
	     .words = "null|stdio|pty|file|unix|tcp|pipe|dev",             \
	     .set = set_kind),                                             \
		RULE("devices/" of "@type=vc", REFUSE,                     \
		     "there is no screen: write type='pty'."),             \
		RULE("devices/" of "@type=udp", REFUSE,                    \
		     "not implemented: write type='tcp'."),                \
		RULE("devices/" of "@type=nmdm", REFUSE,                   \
		     "is of BSD: write type='pty'."),                      \
		RULE("devices/" of "@type=spicevmc", REFUSE,               \
		     "there is no SPICE: write type='pty'."),              \
		RULE("devices/" of "@type=spiceport", REFUSE,              \
		     "there is no SPICE: write type='pty'."),              \
		RULE("devices/" of "@type=dbus", REFUSE,                   \
		     "not implemented: write type='unix'."),               \
		RULE("devices/" of "@type=qemu-vdagent", REFUSE,           \
		     "is of QEMU: write type='unix'."),                    \
		RULE("devices/" of "@tty", IGNORE,                         \
		     "is of a domain that runs."),                         \
		RULE(SOURCE(of), HONOUR, "Where that is."),                \
		RULE(SOURCE(of) "@path", HONOUR,                           \
		     "Of a file, device, socket or pipe."),                \
		RULE(SOURCE(of) "@append", HONOUR,                         \
		     "Behind what is in the file.", .words = "on|off"),    \
		RULE(SOURCE(of) "@mode", HONOUR,                           \
		     "With unix and tcp: who calls.",                      \
		     .words = "bind|connect"),                             \
		RULE(SOURCE(of) "@host", HONOUR,                           \
		     "With tcp; this host by default."),                   \
		RULE(SOURCE(of) "@service", HONOUR,                        \
		     "With tcp: the port, a number."),                     \
		RULE(SOURCE(of) "@tls", IGNORE, "not implemented."),       \
		RULE(SOURCE(of) "/reconnect", HONOUR,                      \
		     "When it is gone, again."),                           \
		RULE(SOURCE(of) "/reconnect@enabled", HONOUR, "Or not.",   \
		     .words = "yes|no"),                                   \
		RULE(SOURCE(of) "/reconnect@timeout", HONOUR,              \
		     "After so many seconds."),                            \
		RULE(SOURCE(of) "/seclabel", IGNORE, "is libvirt's own."), \
		RULE("devices/" of "/protocol", HONOUR, "With tcp."),      \
		RULE("devices/" of "/protocol@type", HONOUR,               \
		     "Bytes, or telnet.", .words = "raw|telnet"),          \
		RULE("devices/" of "/log", HONOUR,                         \
		     "A copy of what the guest says."),                    \
		RULE("devices/" of "/log@file", HONOUR, "Its file."),      \
		RULE("devices/" of "/log@append", HONOUR,                  \
		     "Behind what is there.", .words = "on|off"),          \
		RULE("devices/" of "/target", HONOUR, "Which port."),      \
		RULE("devices/" of "/target/model", IGNORE, "it is a 16550.")

#define NO_SCREEN "not implemented: there is no screen."

static const struct domain_rule rules[] = {
	RULE("devices", HONOUR, "What the machine has."),
	RULE("devices/emulator", IGNORE, "it is kvmbus."),
	RULE("devices/disk/alias", HONOUR, "A name for kvmbus:device."),
	RULE("devices/disk/alias@name", HONOUR, "ua-… in libvirt.",
	     .set = set_alias),
	RULE("devices/interface/alias", HONOUR, "A name for kvmbus:device."),
	RULE("devices/interface/alias@name", HONOUR, "ua-… in libvirt.",
	     .set = set_alias),
	RULE("devices/serial", HONOUR, "A 16550; the first is ttyS0.",
	     .enter = enter_serial, .leave = leave_serial, .many = true),
	CHARDEV("serial"),
	RULE("devices/serial/target@port", HONOUR,
	     "0 to 3; 1 to 4 of a Hyper-V."),
	RULE("devices/serial/target@type", HONOUR, "On the ISA bus.",
	     .words = "isa-serial"),
	RULE("devices/serial/target@type=*", IGNORE, "it is on the ISA bus."),
	RULE("devices/console", HONOUR,
	     "The first serial port, if no <serial> is there.",
	     .enter = enter_serial, .leave = leave_console, .many = true),
	CHARDEV("console"),
	RULE("devices/console/target@port", HONOUR, "The first.",
	     .words = "0|1"),
	RULE("devices/console/target@type", HONOUR, "A serial port.",
	     .words = "serial"),
	RULE("devices/console/target@type=*", IGNORE,
	     "it is a serial port, ttyS0 in Linux."),
	RULE("devices/panic", HONOUR, "Registers for a guest's last words.",
	     .leave = leave_panic, .many = true),
	RULE("devices/panic@model", HONOUR, "Those of Hyper-V: hyperv."),
	RULE("devices/memballoon", HONOUR, "Dynamic memory."),
	RULE("devices/memballoon@model", HONOUR, "none: it is not offered.",
	     .words = "none|virtio|virtio-transitional|virtio-non-transitional|"
		      "xen",
	     .set = set_balloon),
	RULE("devices/memballoon@autodeflate", IGNORE,
	     "Hyper-V does it by pressure; see balloon of kvmbus-ctl(1)."),
	RULE("devices/memballoon@freePageReporting", IGNORE, "is of virtio."),
	RULE("devices/memballoon/stats", IGNORE,
	     "the guest reports each second."),
	RULE("devices/memballoon/driver", IGNORE, "is of virtio's driver."),
	RULE("devices/vsock", HONOUR, "Stream sockets: --hvsock.",
	     .enter = enter_vsock),
	RULE("devices/vsock@model", HONOUR, "Hyper-V's."),
	RULE("devices/vsock/cid", IGNORE,
	     "a guest of Hyper-V has none; the host is 2."),
	RULE("devices/vsock/driver", IGNORE, "is of virtio's driver."),
	RULE("devices/input", HONOUR,
	     "Keyboard and mouse are there in any case.", .many = true),
	RULE("devices/input@type", HONOUR, "On VMbus.",
	     .words = "mouse|keyboard|tablet"),
	RULE("devices/input@type=passthrough", REFUSE,
	     "not implemented: kvmbus ctl types and points."),
	RULE("devices/input@type=evdev", REFUSE,
	     "not implemented: kvmbus ctl types and points."),
	RULE("devices/input@bus", IGNORE, "it is on VMbus."),
	RULE("devices/input@model", IGNORE, "it is Hyper-V's."),
	RULE("devices/input/*", IGNORE, "is of QEMU's devices."),
	RULE("devices/graphics", IGNORE, NO_SCREEN),
	RULE("devices/video", IGNORE, NO_SCREEN),
	RULE("devices/rng", IGNORE,
	     "Hyper-V has none; Linux gets randomness from VMbus."),
	RULE("devices/watchdog", IGNORE,
	     "Hyper-V has none; there is a heartbeat."),
	RULE("devices/tpm", REFUSE, "not implemented: remove it."),
	RULE("devices/hostdev", REFUSE,
	     "there is no pass-through: use a disk or a bridge."),
	RULE("devices/filesystem", REFUSE,
	     "Hyper-V shares no folders: use a disk, or --hvsock."),
	RULE("devices/memory", REFUSE,
	     "there are no DIMMs: write <maxMemory>; memory-add adds."),
	RULE("devices/shmem", REFUSE,
	     "Hyper-V shares no memory: use --hvsock."),
	RULE("devices/iommu", REFUSE, "there is no IOMMU: remove it."),
	RULE("devices/redirdev", IGNORE, "there is no USB."),
	RULE("devices/redirfilter", IGNORE, "there is no USB."),
	RULE("devices/hub", IGNORE, "there is no USB."),
	RULE("devices/smartcard", IGNORE, "there is no USB."),
	RULE("devices/sound", IGNORE, "Hyper-V has none."),
	RULE("devices/audio", IGNORE, "Hyper-V has none."),
	RULE("devices/channel", IGNORE,
	     "Hyper-V has none; integration components do what an agent does."),
	RULE("devices/parallel", IGNORE, "Hyper-V has none."),
	RULE("devices/nvram", IGNORE, "is of POWER."),
	RULE("devices/pstore", IGNORE, "not implemented: see <panic>."),
	RULE("devices/lease", IGNORE, "there is no lock manager."),
	RULE("devices/crypto", IGNORE, "is of virtio."),
	RULE("devices/*/alias", IGNORE,
	     "nothing can be said of it by that name."),
	RULE("devices/*/address", IGNORE, "there is no PCI bus."),
	RULE("devices/*/acpi", IGNORE, "is of PCI."),
};

const struct domain_rules domain_device_rules = {"Other devices", rules,
						 G_N_ELEMENTS(rules)};
