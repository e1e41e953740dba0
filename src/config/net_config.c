/* SPDX-License-Identifier: MIT */
#include "config/net_config.h"

#include <string.h>

#include <arpa/inet.h>
#include <net/if.h>

#include "base/guid.h"
#include "config/machine_config.h"
#include "config/option_list.h"

static const char *const kind_names[] = {
	[NET_USER] = "user",     [NET_TAP] = "tap",   [NET_BRIDGE] = "bridge",
	[NET_SOCKET] = "socket", [NET_NULL] = "null",
};

const char *net_kind_name(enum net_kind kind)
{
	return kind_names[kind];
}

static void free_forward(void *forward)
{
	struct net_forward_config *f = forward;

	g_free(f->host);
	g_free(f->guest);
	g_free(f);
}

struct net_config *net_config_new(enum net_kind kind)
{
	struct net_config *n = g_new0(struct net_config, 1);

	n->kind = kind;
	n->fds = g_array_new(FALSE, FALSE, sizeof(int));
	n->forwards = g_ptr_array_new_with_free_func(free_forward);
	return n;
}

void net_config_free(struct net_config *net)
{
	if (!net)
		return;
	g_free(net->name);
	g_free(net->path);
	g_free(net->network);
	g_free(net->hostname);
	g_free(net->pcap);
	g_array_free(net->fds, TRUE);
	g_ptr_array_free(net->forwards, TRUE);
	g_free(net);
}

/* --- values ------------------------------------------------------------------- */

static bool get_number(const char *text, unsigned int min, unsigned int max,
		       unsigned int *number)
{
	guint64 value;

	if (!text ||
	    !g_ascii_string_to_unsigned(text, 10, min, max, &value, NULL))
		return false;
	*number = (unsigned int)value;
	return true;
}

static int set_number(unsigned int *field, const char *key, const char *value,
		      unsigned int min, unsigned int max, GError **error)
{
	if (get_number(value, min, max, field))
		return 0;
	g_set_error(error, CONFIG_ERROR, 0, "%s: expected %u to %u", key, min,
		    max);
	return -1;
}

static int set_name(struct net_config *n, const char *key, const char *value,
		    GError **error)
{
	if (value && (strlen(value) >= IFNAMSIZ || strchr(value, '/') ||
		      strchr(value, ' ')))
		return option_refuse(
			error, key,
			"no name of an interface: at most 15 "
			"characters, none of them a space or slash");
	return option_set_text(&n->name, key, value, error);
}

/* "00:15:5d:01:02:03", nothing else */
static bool parse_mac(const char *text, uint8_t mac[CONFIG_MAC_BYTES])
{
	for (unsigned int i = 0; i < CONFIG_MAC_BYTES; i++, text += 3) {
		char end = i + 1 < CONFIG_MAC_BYTES ? ':' : '\0';

		if (!g_ascii_isxdigit(text[0]) || !g_ascii_isxdigit(text[1]) ||
		    text[2] != end)
			return false;
		mac[i] = (uint8_t)(g_ascii_xdigit_value(text[0]) << 4 |
				   g_ascii_xdigit_value(text[1]));
	}
	return true;
}

static int set_mac(struct net_config *n, const char *value, GError **error)
{
	if (!value || !parse_mac(value, n->mac))
		return option_refuse(
			error, "mac",
			"expected six bytes, as 00:15:5d:01:02:03");
	if (n->mac[0] & 1)
		return option_refuse(
			error, "mac",
			"the address of a group, of which no card is: "
			"the first byte is odd");
	n->has_mac = true;
	return 0;
}

static int set_link(struct net_config *n, const char *value, GError **error)
{
	n->cable_out = !g_strcmp0(value, "down");
	return n->cable_out || !g_strcmp0(value, "up")
		       ? 0
		       : option_refuse(error, "link", "expected up or down");
}

/* "3" or, for the queues of a tap, "3:4:5" */
static int set_fds(struct net_config *n, const char *value, GError **error)
{
	g_auto(GStrv) words = g_strsplit(value ? value : "", ":", -1);

	g_array_set_size(n->fds, 0);
	for (char **w = words; *w; w++) {
		unsigned int number;

		if (!get_number(*w, 0, 1u << 20, &number))
			return option_refuse(
				error, "fd",
				"expected the number of an open "
				"descriptor, or several with colons "
				"between them");
		g_array_append_val(n->fds, number);
	}
	return n->fds->len ? 0 : option_refuse(error, "fd", "wants a value");
}

static int set_path(struct net_config *n, const char *key, const char *value,
		    GError **error)
{
	if (n->path)
		return option_refuse(error, key,
				     "either listen= or connect=, once");
	n->listen = !strcmp(key, "listen");
	return option_set_text(&n->path, key, value, error);
}

static int set_network(struct net_config *n, const char *value, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(value ? value : "", "/", 2);
	struct in_addr address;

	if (!parts[0] || !parts[1] ||
	    inet_pton(AF_INET, parts[0], &address) != 1 || !address.s_addr ||
	    !get_number(parts[1], 8, 29, &n->prefix))
		return option_refuse(
			error, "net",
			"expected an IPv4 network of 8 to 29 bits, as "
			"10.0.2.0/24");
	return option_set_text(&n->network, "net", parts[0], error);
}

static int set_ipv6(struct net_config *n, const char *value, GError **error)
{
	n->no_ipv6 = !g_strcmp0(value, "off");
	return n->no_ipv6 || !g_strcmp0(value, "on")
		       ? 0
		       : option_refuse(error, "ipv6", "expected on or off");
}

/* --- forwards --------------------------------------------------------------------- */

/* The family of an address; AF_UNSPEC when there is none; -1: it is not one. */
static int family_of(const char *address)
{
	uint8_t bytes[sizeof(struct in6_addr)];

	if (!address)
		return AF_UNSPEC;
	if (inet_pton(AF_INET, address, bytes) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, address, bytes) == 1 ? AF_INET6 : -1;
}

/* "[ADDRESS]:PORT", or only the port; IPv6 in brackets. */
static bool parse_end(const char *text, char **address, uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	const char *digits = colon ? colon + 1 : text;
	size_t length = colon ? (size_t)(colon - text) : 0;
	unsigned int number;

	if (!get_number(digits, 1, UINT16_MAX, &number))
		return false;
	*port = (uint16_t)number;
	if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
		*address = g_strndup(text + 1, length - 2);
		return family_of(*address) == AF_INET6;
	}
	if (length)
		*address = g_strndup(text, length);
	return family_of(*address) == AF_UNSPEC ||
	       family_of(*address) == AF_INET;
}

static bool parse_forward(struct net_forward_config *f, const char *value)
{
	g_auto(GStrv) ends = NULL;

	if (!value)
		return false;
	f->udp = g_str_has_prefix(value, "udp:");
	if (!f->udp && !g_str_has_prefix(value, "tcp:"))
		return false;
	ends = g_strsplit(value + 4, "-", 2);
	if (!ends[0] || !ends[1] ||
	    !parse_end(ends[0], &f->host, &f->host_port) ||
	    !parse_end(ends[1], &f->guest, &f->guest_port))
		return false;
	/* slirp has no way from the one to the other */
	return !f->host || !f->guest ||
	       family_of(f->host) == family_of(f->guest);
}

static int add_forward(struct net_config *n, const char *value, GError **error)
{
	struct net_forward_config *f = g_new0(struct net_forward_config, 1);

	g_ptr_array_add(n->forwards, f);
	if (!parse_forward(f, value))
		return option_refuse(
			error, "hostfwd",
			"expected tcp|udp:[ADDRESS:]PORT-[ADDRESS:]PORT, "
			"as tcp:127.0.0.1:2222-:22, both addresses of "
			"one family, IPv6 in brackets");
	if (f->host && !f->guest && family_of(f->host) == AF_INET6)
		return option_refuse(
			error, "hostfwd",
			"over IPv6 the guest's address must be said, as "
			"tcp:[::1]:2222-[fec0::15]:22");
	return 0;
}

/* --- all of it ------------------------------------------------------------------------ */

static int set_common(struct net_config *n, const char *key, const char *value,
		      GError **error)
{
	if (!strcmp(key, "mac"))
		return set_mac(n, value, error);
	if (!strcmp(key, "mtu"))
		return set_number(&n->mtu, key, value, CONFIG_MTU_MIN,
				  CONFIG_MTU_MAX, error);
	if (!strcmp(key, "queues"))
		return set_number(&n->queues, key, value, 1,
				  CONFIG_NET_QUEUES_MAX, error);
	if (!strcmp(key, "link"))
		return set_link(n, value, error);
	if (!strcmp(key, "pcap"))
		return option_set_text(&n->pcap, key, value, error);
	if (channel_config_knows(key))
		return channel_config_set(&n->channel, key, value, error);
	return option_refuse(
		error, key,
		"no such option of this kind; mac=, mtu=, queues=, "
		"link=, pcap=, poll=, monitor= are of all, kvmbus(1) has the "
		"others");
}

int net_config_set(struct net_config *n, const char *word, const char *value,
		   GError **error)
{
	bool user = n->kind == NET_USER, socket = n->kind == NET_SOCKET;

	if (user && !strcmp(word, "hostfwd"))
		return add_forward(n, value, error);
	if (user && !strcmp(word, "net"))
		return set_network(n, value, error);
	if (user && !strcmp(word, "hostname"))
		return option_set_text(&n->hostname, word, value, error);
	if (user && !strcmp(word, "restrict"))
		return option_set_flag(&n->restricted, word, value, error);
	if (user && !strcmp(word, "ipv6"))
		return set_ipv6(n, value, error);
	if ((socket || n->kind == NET_TAP) && !strcmp(word, "fd"))
		return set_fds(n, value, error);
	if (socket && (!strcmp(word, "listen") || !strcmp(word, "connect")))
		return set_path(n, word, value, error);
	return set_common(n, word, value, error);
}

static int set_option(struct net_config *n, char *word, GError **error)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	return net_config_set(n, word, value, error);
}

static int set_kind(struct net_config *n, char *word, GError **error)
{
	char *name = strchr(word, '=');

	if (name)
		*name++ = '\0';
	for (unsigned int i = 0; i < G_N_ELEMENTS(kind_names); i++) {
		if (strcmp(word, kind_names[i]))
			continue;
		n->kind = (enum net_kind)i;
		if (!name && n->kind == NET_BRIDGE)
			return option_refuse(error, word, "which? bridge=NAME");
		if (!name)
			return 0;
		if (n->kind != NET_TAP && n->kind != NET_BRIDGE)
			return option_refuse(error, word, "takes no value");
		return set_name(n, word, name, error);
	}
	return option_refuse(
		error, word,
		"no such kind; user, tap=NAME, bridge=NAME, socket, null "
		"or none");
}

int net_config_check(const struct net_config *n, GError **error)
{
	if (n->name && n->fds->len)
		return option_refuse(error, "fd",
				     "a descriptor has no tap=NAME");
	if (n->kind == NET_TAP && n->fds->len && n->queues)
		return option_refuse(error, "queues",
				     "each descriptor is a queue");
	if (n->fds->len > CONFIG_NET_QUEUES_MAX)
		return option_refuse(error, "fd", "at most 64 queues");
	if (n->kind != NET_SOCKET)
		return 0;
	if (n->fds->len > 1)
		return option_refuse(error, "fd", "a socket is one descriptor");
	if (!n->path == !n->fds->len)
		return option_refuse(
			error, "socket",
			"wants one of listen=PLACE, connect=PLACE, fd=N");
	return 0;
}

struct net_config *net_config_parse(const char *text, GError **error)
{
	struct net_config *n = net_config_new(NET_USER);
	g_autofree char *kind = option_list_next(&text);
	int failed = set_kind(n, kind, error);

	while (text && !failed) {
		g_autofree char *word = option_list_next(&text);

		failed = set_option(n, word, error);
	}
	if (!failed)
		failed = net_config_check(n, error);
	if (!failed)
		return n;
	net_config_free(n);
	return NULL;
}

void net_config_mac(const struct net_config *net, const char *machine,
		    unsigned int index, uint8_t mac[CONFIG_MAC_BYTES])
{
	static const uint8_t microsoft[] = {0x00, 0x15, 0x5d};
	g_autofree char *name = g_strdup_printf("mac%u", index);
	struct guid uuid, derived;

	if (net->has_mac) {
		memcpy(mac, net->mac, CONFIG_MAC_BYTES);
		return;
	}
	guid_parse(machine, &uuid);
	derived = guid_derive(&uuid, name);
	memcpy(mac, microsoft, sizeof(microsoft));
	memcpy(mac + sizeof(microsoft), derived.b, 3);
}
