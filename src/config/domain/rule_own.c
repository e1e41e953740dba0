/* SPDX-License-Identifier: MIT */
/*
 * rule_own.c - what libvirt has no name for, in a namespace of our own: below
 * <metadata>, where libvirt keeps what is others', or right below <domain>,
 * where libvirt would drop it.
 *
 *	<kvmbus:machine xmlns:kvmbus='urn:kvmbus:domain:1'>
 *	  <kvmbus:profile name='ws2019'/>
 *	  <kvmbus:device alias='ua-net0' pcap='/tmp/net0.pcapng'/>
 *	</kvmbus:machine>
 */
#include <string.h>

#include "config/disk_config.h"
#include "config/domain/domain_private.h"
#include "config/machine_config.h"
#include "config/net_config.h"

static void set_profile(struct domain *d, const char *value)
{
	if (d->options->profile && !d->options->profile(value))
		domain_refuse(d,
			      "'%s' is no profile; 'kvmbus profiles' lists "
			      "them",
			      value);
	else
		domain_replace(&d->config->profile, value);
}

static void set_vmbus(struct domain *d, const char *value)
{
	d->config->vmbus_max = machine_config_vmbus(value);
	if (!d->config->vmbus_max)
		domain_refuse(d, "'%s' is no version of VMbus: write 5.3, 4.0",
			      value);
}

static void set_incomplete(struct domain *d, const char *value)
{
	d->config->hyperv.incomplete = domain_on(value);
}

/* "…/kvmbus:ic@kvp" */
static void set_device(struct domain *d, const char *value)
{
	int device = config_device_find(strrchr(d->path, '@') + 1);

	if (device < 0)
		domain_refuse(d, "is not known");
	else if (!domain_on(value))
		d->config->without |= 1u << (unsigned int)device;
}

static void set_vsock(struct domain *d, const char *value)
{
	if (domain_path(d, value))
		domain_replace(&d->config->hvsock, value);
}

static void set_period(struct domain *d, const char *value)
{
	uint64_t n;

	if (domain_number(d, value, 0, INT32_MAX, &n))
		d->config->time_sync_s = (unsigned int)n;
}

static void set_throttle(struct domain *d, const char *value)
{
	uint64_t n;

	if (domain_number(d, value, 0, INT32_MAX, &n))
		d->config->signals_max = (unsigned int)n;
}

/* --- of one device ------------------------------------------------------------ */

static void enter_device(struct domain *d)
{
	g_autofree char *alias = domain_attr(d, "alias");

	d->device = NULL;
	for (guint i = 0; alias && i < d->devices->len; i++) {
		struct domain_device *device = g_ptr_array_index(d->devices, i);

		if (!g_strcmp0(device->alias, alias))
			d->device = device;
	}
	if (!alias)
		domain_refuse(d, "has no alias: write alias='ua-net0'");
	else if (!d->device)
		domain_refuse(d, "no disk or interface has <alias name='%s'/>",
			      alias);
}

static void set_of_net(struct domain *d, const char *key, const char *value)
{
	GError *error = NULL;

	if (!d->device)
		return;
	if (!d->device->net)
		domain_refuse(d, "is of interfaces: remove it");
	else if (net_config_set(d->device->net, key, value, &error))
		domain_refuse_error(d, NULL, NULL, error);
}

static void set_pcap(struct domain *d, const char *value)
{
	if (domain_path(d, value))
		set_of_net(d, "pcap", value);
}

static void set_hostname(struct domain *d, const char *value)
{
	set_of_net(d, "hostname", value);
}

static void set_restrict(struct domain *d, const char *value)
{
	if (domain_on(value))
		set_of_net(d, "restrict", NULL);
}

static void set_ipv6(struct domain *d, const char *value)
{
	set_of_net(d, "ipv6", value);
}

/* "poll" or "monitor", of either kind */
static void set_channel(struct domain *d, const char *value)
{
	const char *key = strrchr(d->path, '@') + 1;
	struct channel_config *c;
	GError *error = NULL;

	if (!d->device)
		return;
	c = d->device->net ? &d->device->net->channel
			   : &d->device->disk->channel;
	if (channel_config_set(c, key, value, &error))
		domain_refuse_error(d, NULL, NULL, error);
}

static void set_format(struct domain *d, const char *value)
{
	if (!d->device)
		return;
	if (!d->device->disk)
		domain_refuse(d, "is of disks: remove it");
	else
		domain_replace(&d->device->disk->format, value);
}

#define OWN "kvmbus:machine"
#define DEVICE(name, help)                                            \
	RULE(OWN "/kvmbus:ic@" name, HONOUR, help, .words = "on|off", \
	     .set = set_device)

static const struct domain_rule rules[] = {
	RULE(OWN, HONOUR, "In <metadata>, or right in <domain>."),
	RULE(OWN "/kvmbus:profile", HONOUR, "As --profile."),
	RULE(OWN "/kvmbus:profile@name", HONOUR, "ws2012 to ws2025.",
	     .set = set_profile),
	RULE(OWN "/kvmbus:vmbus", HONOUR, "VMbus."),
	RULE(OWN "/kvmbus:vmbus@max", HONOUR, "Its newest version: 5.3.",
	     .set = set_vmbus),
	RULE(OWN "/kvmbus:hyperv", HONOUR, "More than <hyperv> has."),
	RULE(OWN "/kvmbus:hyperv@incomplete", HONOUR,
	     "yes: also a set with which no guest finds its devices.",
	     .words = "yes|no", .set = set_incomplete),
	RULE(OWN "/kvmbus:ic", HONOUR, "Devices that are there, or not."),
	DEVICE("heartbeat", "The guest's heartbeat."),
	DEVICE("timesync", "The host's time."),
	DEVICE("shutdown", "Asking the guest to power off."),
	DEVICE("kvp", "Keys and values."),
	DEVICE("vss", "Freezing file systems."),
	DEVICE("fcopy", "Files for the guest."),
	DEVICE("keyboard", "The keyboard."),
	DEVICE("mouse", "The mouse."),
	DEVICE("balloon", "Dynamic memory."),
	RULE(OWN "/kvmbus:vsock", HONOUR, "Stream sockets."),
	RULE(OWN "/kvmbus:vsock@path", HONOUR, "As --hvsock.",
	     .set = set_vsock),
	RULE(OWN "/kvmbus:timesync", HONOUR, "The guest's clock."),
	RULE(OWN "/kvmbus:timesync@period", HONOUR, "As --time-sync: seconds.",
	     .set = set_period),
	RULE(OWN "/kvmbus:throttle", HONOUR,
	     "Channels that signal for nothing."),
	RULE(OWN "/kvmbus:throttle@signals", HONOUR, "As --throttle.",
	     .set = set_throttle),
	RULE(OWN "/kvmbus:device", HONOUR, "More of a disk or an interface.",
	     .enter = enter_device, .many = true),
	RULE(OWN "/kvmbus:device@alias", HONOUR, "Which: its <alias>."),
	RULE(OWN "/kvmbus:device@pcap", HONOUR, "As --pcap: a file.",
	     .set = set_pcap),
	RULE(OWN "/kvmbus:device@hostname", HONOUR,
	     "With user: what it is called by DHCP.", .set = set_hostname),
	RULE(OWN "/kvmbus:device@restrict", HONOUR,
	     "With user: the guest reaches nothing.", .words = "yes|no",
	     .set = set_restrict),
	RULE(OWN "/kvmbus:device@ipv6", HONOUR, "With user: is there IPv6?",
	     .words = "on|off", .set = set_ipv6),
	RULE(OWN "/kvmbus:device@format", HONOUR,
	     "Of a disk, where libvirt knows it not: vhdx.",
	     .words = "raw|qcow2|vhdx|vpc|vmdk|vdi", .set = set_format),
	RULE(OWN "/kvmbus:device@poll", HONOUR,
	     "How long its empty rings are looked at, 1 to 1000 µs.",
	     .set = set_channel),
	RULE(OWN "/kvmbus:device@monitor", HONOUR,
	     "The latency of its monitor bit, 50 to 6553 µs.",
	     .set = set_channel),
	RULE("qemu:commandline", REFUSE,
	     "is of QEMU: remove it; kvmbus' own is kvmbus:machine."),
	RULE("qemu:capabilities", REFUSE, "is of QEMU: remove it."),
	RULE("qemu:override", REFUSE, "is of QEMU: remove it."),
	RULE("qemu:deprecation", IGNORE, "is of QEMU."),
};

const struct domain_rules domain_own_rules = {"kvmbus' own", rules,
					      G_N_ELEMENTS(rules)};
