/* SPDX-License-Identifier: MIT */
/*
 * rule_net.c - <interface>.
 */
#include <string.h>

#include "base/tcp_place.h"
#include "config/domain/domain_private.h"
#include "config/domain/lookup.h"
#include "config/domain/map.h"
#include "config/machine_config.h"
#include "config/net_config.h"

/* As many ports as one <portForward> may lead to. */
#define FORWARDS_MAX 1024u

static void set(struct domain *d, const char *key, const char *value)
{
	GError *error = NULL;

	if (net_config_set(d->net, key, value, &error))
		domain_refuse_error(d, NULL, NULL, error);
}

static void enter_interface(struct domain *d)
{
	static const struct {
		const char *type;
		enum net_kind kind;
	} kinds[] = {
		{"user", NET_USER},     {"ethernet", NET_TAP},
		{"bridge", NET_BRIDGE}, {"network", NET_BRIDGE},
		{"server", NET_SOCKET}, {"client", NET_SOCKET},
		{"null", NET_NULL},
	};
	g_autofree char *type = domain_attr(d, "type");
	enum net_kind kind = NET_NULL;

	for (size_t i = 0; type && i < G_N_ELEMENTS(kinds); i++) {
		if (!strcmp(kinds[i].type, type))
			kind = kinds[i].kind;
	}
	if (!type)
		domain_refuse(d, "has no type: write type='user'");
	d->net = net_config_new(kind);
	d->net->listen = !g_strcmp0(type, "server");
	d->device = domain_device_add(d);
	d->device->net = d->net;
}

static void set_mac(struct domain *d, const char *value)
{
	g_autofree char *colons = g_strdelimit(g_strdup(value), "-", ':');

	set(d, "mac", colons);
}

static void set_mtu(struct domain *d, const char *value)
{
	set(d, "mtu", value);
}

static void set_link(struct domain *d, const char *value)
{
	set(d, "link", value);
}

static void set_queues(struct domain *d, const char *value)
{
	set(d, "queues", value);
	if (d->net->kind == NET_USER && d->net->queues > 1)
		domain_ignore(d, "user networking has one: "
				 "write type='bridge' for more");
}

static bool is_name(struct domain *d, const char *name)
{
	if (*name && strlen(name) < 16 && !strpbrk(name, "/ "))
		return true;
	domain_refuse(d,
		      "'%s' is no name of an interface: at most 15 "
		      "characters, none of them a space or slash",
		      name);
	return false;
}

static void set_bridge(struct domain *d, const char *value)
{
	g_autofree char *mapped = domain_map_bridge(d->options, value);
	const char *name = mapped ? mapped : value;

	if (d->net->kind != NET_BRIDGE)
		return;
	if (!mapped && d->of_hyperv && strlen(value) > 15)
		domain_refuse(d,
			      "'%s' is a switch of a Hyper-V: say which "
			      "bridge that is with --map-bridge %s=virbr0",
			      value, value);
	else if (is_name(d, name))
		domain_replace(&d->net->name, name);
}

static void set_target(struct domain *d, const char *value)
{
	if (d->net->kind == NET_TAP && is_name(d, value))
		domain_replace(&d->net->name, value);
}

/* --- a cable ----------------------------------------------------------------- */

/* <source address='127.0.0.1' port='5558'/>, of server and client */
static void leave_source(struct domain *d)
{
	g_autofree char *address = domain_attr(d, "address");
	g_autofree char *port = domain_attr(d, "port");
	g_autofree char *place = NULL;
	guint64 number;

	if (d->net->kind != NET_SOCKET)
		return;
	if (!port || !g_ascii_string_to_unsigned(port, 10, 1, UINT16_MAX,
						 &number, NULL)) {
		domain_refuse(d, "has no port of TCP: write port='5558'");
		return;
	}
	place = tcp_place(address ? address : "", port);
	set(d, d->net->listen ? "listen" : "connect", place);
}

/* --- user networking --------------------------------------------------------- */

/* <ip family='ipv4' address='10.0.2.0' prefix='24'/> */
static void leave_ip(struct domain *d)
{
	g_autofree char *address = domain_attr(d, "address");
	g_autofree char *prefix = domain_attr(d, "prefix");
	g_autofree char *family = domain_attr(d, "family");
	g_autofree char *both = NULL;

	if (d->net->kind != NET_USER) {
		domain_ignore(d, "the guest has its address by DHCP, or says "
				 "it itself");
		return;
	}
	if (!g_strcmp0(family, "ipv6")) {
		domain_ignore(d, "not implemented: over IPv6 the network is "
				 "fec0::/64");
		return;
	}
	both = g_strdup_printf("%s/%s", address ? address : "",
			       prefix ? prefix : "24");
	set(d, "net", both);
}

struct forward {
	char *proto, *address;
	GArray *ranges; /* struct port_range */
};

struct port_range {
	unsigned int start, end, to;
	bool excluded; /* of what the others have */
};

static bool is_excluded(const struct forward *f, unsigned int port)
{
	for (guint i = 0; i < f->ranges->len; i++) {
		const struct port_range *r =
			&g_array_index(f->ranges, struct port_range, i);

		if (r->excluded && port >= r->start && port <= r->end)
			return true;
	}
	return false;
}

static void forward_ports(struct domain *d, const struct forward *f,
			  const struct port_range *range)
{
	bool v6 = f->address && strchr(f->address, ':');

	for (unsigned int port = range->start; port <= range->end; port++) {
		g_autofree char *text = g_strdup_printf(
			"%s:%s%s%s%s%u-:%u", f->proto, v6 ? "[" : "",
			f->address ? f->address : "", v6 ? "]" : "",
			f->address ? ":" : "", port,
			range->to + port - range->start);
		unsigned int refused = d->report->n[DOMAIN_REFUSED];

		if (is_excluded(f, port))
			continue;
		set(d, "hostfwd", text);
		if (d->report->n[DOMAIN_REFUSED] > refused)
			return;
	}
}

/* One <range start='2222' end='2223' to='22'/>, or exclude='yes'. */
static bool get_range(struct domain *d, const xmlNode *node,
		      struct port_range *range)
{
	static const char *const names[] = {"start", "end", "to"};
	g_autofree char *exclude = domain_node_attr(node, "exclude");
	uint64_t n[] = {0, 0, 0};
	const char *wrong = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *value = domain_node_attr(node, names[i]);

		if (value && !domain_number(d, value, 1, UINT16_MAX, &n[i]))
			return false;
	}
	n[1] = n[1] ? n[1] : n[0];
	n[2] = n[2] ? n[2] : n[0];
	if (!n[0])
		wrong = "has no start: write start='2222' to='22'";
	else if (n[1] < n[0] || n[2] + n[1] - n[0] > UINT16_MAX)
		wrong = "start, end and to are no range of ports";
	if (wrong) {
		domain_refuse(d, "%s", wrong);
		return false;
	}
	*range = (struct port_range){(unsigned int)n[0], (unsigned int)n[1],
				     (unsigned int)n[2],
				     exclude && domain_on(exclude)};
	if (range->excluded || n[1] - n[0] < FORWARDS_MAX)
		return true;
	domain_refuse(d, "has more than %u ports: write a smaller one",
		      FORWARDS_MAX);
	return false;
}

/* All <range>s of the element; what is wrong is said of the range. */
static void get_ranges(struct domain *d, const struct forward *f)
{
	const xmlNode *node = d->node;
	const char *path = d->path;
	struct port_range range;
	unsigned int n = 0;

	for (const xmlNode *c = node->children; c; c = c->next) {
		if (c->type != XML_ELEMENT_NODE ||
		    !xmlStrEqual(c->name, (const xmlChar *)"range"))
			continue;
		n++;
		d->node = c;
		d->path = "devices/interface/portForward/range";
		if (get_range(d, c, &range))
			g_array_append_val(f->ranges, range);
	}
	d->node = node;
	d->path = path;
	if (!n)
		domain_refuse(d, "has no <range>: write <range start='2222' "
				 "to='22'/>");
}

static void leave_forward(struct domain *d)
{
	g_autofree char *proto = domain_attr(d, "proto");
	g_autofree char *address = domain_attr(d, "address");
	g_autoptr(GArray) ranges =
		g_array_new(FALSE, FALSE, sizeof(struct port_range));
	const struct forward f = {proto, address, ranges};

	if (d->net->kind != NET_USER) {
		domain_refuse(d, "is of type='user' only: remove it");
		return;
	}
	if (!proto) {
		domain_refuse(d, "has no proto: write proto='tcp'");
		return;
	}
	get_ranges(d, &f);
	for (guint i = 0; i < ranges->len; i++) {
		const struct port_range *r =
			&g_array_index(ranges, struct port_range, i);

		if (!r->excluded)
			forward_ports(d, &f, r);
	}
}

/* --- all of it --------------------------------------------------------------- */

static void find_network(struct domain *d)
{
	g_autofree char *network = domain_child_attr(d, "source", "network");
	g_autofree char *mapped = NULL;
	GError *error = NULL;

	if (!network) {
		domain_refuse(d, "has no network: write <source "
				 "network='default'/>");
		return;
	}
	mapped = domain_map_bridge(d->options, network);
	if (!mapped)
		mapped = domain_lookup_network(d->options->lookup, network,
					       &error);
	if (!mapped)
		domain_refuse_error(d, NULL, NULL, error);
	else if (is_name(d, mapped))
		domain_replace(&d->net->name, mapped);
}

static void leave_interface(struct domain *d)
{
	struct net_config *net = d->net;
	g_autofree char *type = domain_attr(d, "type");
	GError *error = NULL;

	if (!g_strcmp0(type, "network"))
		find_network(d);
	else if (net->kind == NET_BRIDGE && !net->name &&
		 d->report->n[DOMAIN_REFUSED] == d->device->refused)
		domain_refuse(d, "has no bridge: write <source "
				 "bridge='virbr0'/>");
	else if (net->kind == NET_SOCKET && !net->path &&
		 d->report->n[DOMAIN_REFUSED] == d->device->refused)
		domain_refuse(d, "has no port: write <source "
				 "address='127.0.0.1' port='5558'/>");
	if (d->report->n[DOMAIN_REFUSED] == d->device->refused &&
	    net_config_check(net, &error))
		domain_refuse_error(d, NULL, NULL, error);
	g_ptr_array_add(d->config->nets, net);
	d->net = NULL;
}

void domain_check_nets(struct domain *d)
{
	unsigned int n = 0;

	for (guint i = 0; i < d->devices->len; i++) {
		const struct domain_device *a =
			g_ptr_array_index(d->devices, i);

		if (!a->net)
			continue;
		if (n++ == CONFIG_NETS_MAX)
			domain_say_of(d, DOMAIN_REFUSED, a->node,
				      "devices/interface",
				      "a machine has at most %u: remove it",
				      CONFIG_NETS_MAX);
		for (guint k = 0; a->net->has_mac && k < i; k++) {
			const struct domain_device *b =
				g_ptr_array_index(d->devices, k);

			if (b->net && b->net->has_mac &&
			    !memcmp(a->net->mac, b->net->mac, CONFIG_MAC_BYTES))
				domain_say_of(d, DOMAIN_REFUSED, a->node,
					      "devices/interface",
					      "has the <mac> of the one in "
					      "line %ld: write another",
					      xmlGetLineNo(b->node));
		}
	}
}

#define NO_QOS    "not implemented: use tc(8) on the host's interface."
#define OF_VIRTIO "is of virtio's driver."

static const struct domain_rule rules[] = {
	RULE("devices/interface", HONOUR, "A network card.",
	     .enter = enter_interface, .leave = leave_interface, .many = true),
	RULE("devices/interface@type", HONOUR, "What it is plugged into.",
	     .words = "user|ethernet|bridge|network|server|client|null"),
	RULE("devices/interface@type=direct", REFUSE,
	     "macvtap is not implemented: write type='bridge'."),
	RULE("devices/interface@type=hostdev", REFUSE,
	     "there is no PCI pass-through: write type='bridge'."),
	RULE("devices/interface@type=vdpa", REFUSE,
	     "a Hyper-V has none: write type='bridge'."),
	RULE("devices/interface@type=vhostuser", REFUSE,
	     "a Hyper-V has none: write type='bridge'."),
	RULE("devices/interface@type=internal", REFUSE,
	     "is of other hypervisors: write type='bridge'."),
	RULE("devices/interface@type=mcast", REFUSE,
	     "not implemented: write type='server' in one, 'client' in the "
	     "other."),
	RULE("devices/interface@type=udp", REFUSE,
	     "not implemented: write type='server' in one, 'client' in the "
	     "other."),
	RULE("devices/interface@managed", HONOUR, "kvmbus makes the tap.",
	     .words = "yes|no"),
	RULE("devices/interface@trustGuestRxFilters", IGNORE,
	     "the tap gets all frames."),
	RULE("devices/interface/mac", HONOUR, "Its address."),
	RULE("devices/interface/mac@address", HONOUR,
	     "By default 00:15:5d and what the UUID gives.", .set = set_mac),
	RULE("devices/interface/mac@type", IGNORE, "is of ESX."),
	RULE("devices/interface/mac@check", IGNORE, "is of ESX."),
	RULE("devices/interface/mac@currentAddress", IGNORE,
	     "is of a domain that runs."),
	RULE("devices/interface/source", HONOUR, "Which of them.",
	     .leave = leave_source),
	RULE("devices/interface/source@address", HONOUR,
	     "With server and client: of the host that listens; any by "
	     "default."),
	RULE("devices/interface/source@port", HONOUR,
	     "With server and client: of TCP."),
	RULE("devices/interface/source@bridge", HONOUR,
	     "With bridge: its name; of a Hyper-V with --map-bridge.",
	     .set = set_bridge),
	RULE("devices/interface/source@network", HONOUR,
	     "With network: of libvirt, with --connect or --map-bridge."),
	RULE("devices/interface/source@portgroup", IGNORE, "not implemented."),
	RULE("devices/interface/source@portid", IGNORE,
	     "is of a domain that runs."),
	RULE("devices/interface/source@dev", IGNORE, "is of passt."),
	RULE("devices/interface/target", HONOUR, "The host's interface."),
	RULE("devices/interface/target@dev", HONOUR, "With ethernet: its name.",
	     .set = set_target),
	RULE("devices/interface/target@managed", HONOUR, "kvmbus makes it.",
	     .words = "yes|no"),
	RULE("devices/interface/model", HONOUR, "What the guest has."),
	RULE("devices/interface/model@type", HONOUR, "Hyper-V's card.",
	     .words = "netvsc|hv_netvsc"),
	RULE("devices/interface/model@type=*", IGNORE,
	     "the guest has Hyper-V's: write netvsc."),
	RULE("devices/interface/mtu", HONOUR, "The longest packet."),
	RULE("devices/interface/mtu@size", HONOUR, "68 to 65521.",
	     .set = set_mtu),
	RULE("devices/interface/link", HONOUR, "Its cable."),
	RULE("devices/interface/link@state", HONOUR, "In, or out.",
	     .words = "up|down", .set = set_link),
	RULE("devices/interface/driver", HONOUR, "Its driver."),
	RULE("devices/interface/driver@queues", HONOUR,
	     "Channels, and queues of a tap.", .set = set_queues),
	RULE("devices/interface/driver@*", IGNORE, OF_VIRTIO),
	RULE("devices/interface/driver/*", IGNORE, OF_VIRTIO),
	RULE("devices/interface/ip", HONOUR, "With user: its network.",
	     .leave = leave_ip, .many = true),
	RULE("devices/interface/ip@family", HONOUR,
	     "IPv4; IPv6 is not implemented.", .words = "ipv4|ipv6"),
	RULE("devices/interface/ip@address", HONOUR, "Of the network."),
	RULE("devices/interface/ip@prefix", HONOUR, "8 to 29; 24 by default."),
	RULE("devices/interface/ip@peer", IGNORE, "is of containers."),
	RULE("devices/interface/portForward", HONOUR,
	     "With user: ports of the host that lead to the guest.",
	     .leave = leave_forward, .many = true),
	RULE("devices/interface/portForward@proto", HONOUR, "Which kind.",
	     .words = "tcp|udp"),
	RULE("devices/interface/portForward@address", HONOUR,
	     "Of the host; any by default."),
	RULE("devices/interface/portForward@dev", IGNORE, "is of passt."),
	RULE("devices/interface/portForward/range", HONOUR, "Which ports.",
	     .many = true),
	RULE("devices/interface/portForward/range@start", HONOUR, "The first."),
	RULE("devices/interface/portForward/range@end", HONOUR, "The last."),
	RULE("devices/interface/portForward/range@to", HONOUR,
	     "The guest's first; the same by default."),
	RULE("devices/interface/portForward/range@exclude", HONOUR,
	     "yes: these of the others are not forwarded.", .words = "yes|no"),
	RULE("devices/interface/backend", HONOUR, "What does type='user'."),
	RULE("devices/interface/backend@type", HONOUR, "libslirp.",
	     .words = "default"),
	RULE("devices/interface/backend@type=passt", IGNORE,
	     "not implemented: libslirp does it."),
	RULE("devices/interface/backend@*", IGNORE,
	     "is of vhost-net, or passt."),
	RULE("devices/interface/bandwidth", IGNORE, NO_QOS),
	RULE("devices/interface/vlan", IGNORE,
	     "not implemented: use a VLAN of the host's bridge."),
	RULE("devices/interface/filterref", IGNORE,
	     "not implemented: use nft(8) on the host."),
	RULE("devices/interface/virtualport", IGNORE,
	     "not implemented: the host's bridge does it."),
	RULE("devices/interface/port", IGNORE,
	     "not implemented: the host's bridge does it."),
	RULE("devices/interface/coalesce", IGNORE,
	     "is of the host's interface."),
	RULE("devices/interface/tune", IGNORE, "is of the host's interface."),
	RULE("devices/interface/guest", IGNORE, "is of containers."),
	RULE("devices/interface/route", IGNORE, "is of containers."),
	RULE("devices/interface/script", IGNORE,
	     "is not run: kvmbus sets the interface up."),
	RULE("devices/interface/downscript", IGNORE, "is not run."),
	RULE("devices/interface/rom", IGNORE,
	     "there is no firmware to load it."),
	RULE("devices/interface/boot", IGNORE,
	     "there is no firmware: the kernel is loaded directly."),
	RULE("devices/interface/teaming", IGNORE,
	     "not implemented: there are no virtual functions."),
	RULE("devices/interface/acpi", IGNORE, "is of PCI."),
};

const struct domain_rules domain_net_rules = {"Network cards", rules,
					      G_N_ELEMENTS(rules)};
