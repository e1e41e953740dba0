/* SPDX-License-Identifier: MIT */
#include "vm/devices/vm_nics.h"

#include <string.h>

#include <arpa/inet.h>

#include "config/machine_config.h"
#include "config/net_config.h"
#include "devices/net/capture.h"
#include "devices/net/net.h"
#include "devices/net/null.h"
#include "devices/net/socket.h"
#include "devices/net/tap.h"
#include "devices/net/user.h"
#include "vsp/netvsp/netvsp.h"

struct vm_nic {
	const struct net_config *config;
	struct net_config *own_config; /* NULL: the machine's */
	struct net *net; /* NULL: there is no card */
	uint8_t mac[CONFIG_MAC_BYTES];
	unsigned int queues;
};

struct vm_nics {
	const struct machine_config *machine;
	struct vm_nic nics[CONFIG_NETS_MAX];
	unsigned int n; /* from the start */
	unsigned int last; /* place of the last that came later */
};

/* --- what they are plugged into --------------------------------------------------- */

/* The words of the configuration are checked. */
static void set_address(struct sockaddr_storage *to, const char *address,
			uint16_t port, bool v6)
{
	struct sockaddr_in a4 = {.sin_family = AF_INET,
				 .sin_port = htons(port)};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6,
				  .sin6_port = htons(port)};

	if (v6) {
		if (address)
			inet_pton(AF_INET6, address, &a6.sin6_addr);
		memcpy(to, &a6, sizeof(a6));
	} else {
		if (address)
			inet_pton(AF_INET, address, &a4.sin_addr);
		memcpy(to, &a4, sizeof(a4));
	}
}

static void set_forward(struct net_forward *to,
			const struct net_forward_config *f)
{
	bool v6 = (f->host && strchr(f->host, ':')) ||
		  (f->guest && strchr(f->guest, ':'));

	to->udp = f->udp;
	set_address(&to->host, f->host, f->host_port, v6);
	set_address(&to->guest, f->guest, f->guest_port, v6);
}

static struct net *open_user(const struct net_config *c, GError **error)
{
	struct net_user_options o = {
		.prefix = c->prefix,
		.no_ipv6 = c->no_ipv6,
		.restricted = c->restricted,
		.mtu = c->mtu,
		.hostname = c->hostname,
		.n_forwards = c->forwards->len,
	};
	struct net_forward *forwards =
		g_new0(struct net_forward, c->forwards->len);
	struct net *net;

	for (guint i = 0; i < c->forwards->len; i++)
		set_forward(&forwards[i], g_ptr_array_index(c->forwards, i));
	o.forwards = forwards;
	if (c->network)
		inet_pton(AF_INET, c->network, &o.network);
	net = net_user_new(&o, error);
	g_free(forwards);
	return net;
}

static struct net *open_tap(const struct vm_nic *nic, GError **error)
{
	const struct net_config *c = nic->config;
	const struct net_tap_options o = {
		.name = c->kind == NET_TAP ? c->name : NULL,
		.bridge = c->kind == NET_BRIDGE ? c->name : NULL,
		.fds = (const int *)(void *)c->fds->data,
		.n_fds = c->fds->len,
		.queues = nic->queues,
		.mtu = c->mtu,
	};

	return net_tap_new(&o, error);
}

static struct net *open_socket(const struct net_config *c, GError **error)
{
	const struct net_socket_options o = {
		.path = c->path,
		.listen = c->listen,
		.fd = c->fds->len ? g_array_index(c->fds, int, 0) : -1,
	};

	return net_socket_new(&o, error);
}

static struct net *open_net(const struct vm_nic *nic, GError **error)
{
	switch (nic->config->kind) {
	case NET_USER:
		return open_user(nic->config, error);
	case NET_TAP:
	case NET_BRIDGE:
		return open_tap(nic, error);
	case NET_NULL:
		return net_null_new(nic->queues);
	case NET_SOCKET:
		return open_socket(nic->config, error);
	default:
		g_assert_not_reached();
	}
}

static int start_capture(const struct vm_nic *nic, unsigned int i,
			 GError **error)
{
	g_autofree char *name = g_strdup_printf("net%u", i);
	struct net_capture *capture =
		net_capture_new(nic->config->pcap, name, error);

	if (!capture)
		return -1;
	net_set_capture(nic->net, capture);
	return 0;
}

static void unplug(struct vm_nic *nic)
{
	net_free(nic->net);
	net_config_free(nic->own_config);
	*nic = (struct vm_nic){0};
}

/* Return: 0; -1 with @error set, and there is none. */
static int plug_in(struct vm_nics *nics, const struct net_config *config,
		   unsigned int i, GError **error)
{
	const struct machine_config *machine = nics->machine;
	struct vm_nic *nic = &nics->nics[i];

	nic->config = config;
	net_config_mac(config, machine->uuid, i, nic->mac);
	nic->queues = config->queues ? config->queues
				     : MIN(machine->vcpus, NETVSP_QUEUES_MAX);
	nic->net = open_net(nic, error);
	if (!nic->net || (config->pcap && start_capture(nic, i, error))) {
		g_prefix_error(error, "net%u: ", i);
		unplug(nic);
		return -1;
	}
	if (config->cable_out)
		net_set_link(nic->net, false);
	return 0;
}

/* --- life --------------------------------------------------------------------------- */

struct vm_nics *vm_nics_new(const struct machine_config *config, GError **error)
{
	struct vm_nics *nics = g_new0(struct vm_nics, 1);

	nics->machine = config;
	for (; nics->n < config->nets->len; nics->n++) {
		if (plug_in(nics, g_ptr_array_index(config->nets, nics->n),
			    nics->n, error)) {
			vm_nics_free(nics);
			return NULL;
		}
	}
	nics->last = nics->n - 1;
	return nics;
}

void vm_nics_free(struct vm_nics *nics)
{
	if (!nics)
		return;
	for (unsigned int i = 0; i < CONFIG_NETS_MAX; i++) {
		if (nics->nics[i].net)
			unplug(&nics->nics[i]);
	}
	g_free(nics);
}

unsigned int vm_nics_count(const struct vm_nics *nics)
{
	return nics->n;
}

void vm_nics_describe(const struct vm_nics *nics, unsigned int n,
		      struct netvsp_params *params)
{
	const struct vm_nic *nic = &nics->nics[n];

	params->net = nic->net;
	memcpy(params->mac, nic->mac, sizeof(params->mac));
	params->mtu = nic->config->mtu;
	params->max_queues = nic->queues;
	params->poll_ns = channel_config_poll_ns(&nic->config->channel);
	params->poll_max_ns = channel_config_poll_max_ns(&nic->config->channel);
	params->monitor_latency_100ns =
		channel_config_monitor_100ns(&nic->config->channel);
}

/* --- while the machine runs ------------------------------------------------------ */

int vm_nics_find(const struct vm_nics *nics, const char *name, GError **error)
{
	for (unsigned int i = 0; i < CONFIG_NETS_MAX; i++) {
		g_autofree char *its = g_strdup_printf("net%u", i);

		if (nics->nics[i].net && !strcmp(its, name))
			return (int)i;
	}
	g_set_error(error, CONFIG_ERROR, 0,
		    "%s: no such network card; net0 is the first", name);
	return -1;
}

int vm_nics_set_link(struct vm_nics *nics, const char *name, bool up,
		     GError **error)
{
	int i = vm_nics_find(nics, name, error);

	if (i < 0)
		return -1;
	net_set_link(nics->nics[i].net, up);
	return 0;
}

/* Offer it at one of the places that are free; the guest may have some yet. */
static int attach_anywhere(struct vm_nics *nics, struct net_config *config,
			   int (*attach)(void *ctx, unsigned int n,
					 GError **error),
			   void *ctx, GError **error)
{
	for (unsigned int k = 1; k <= CONFIG_NETS_MAX; k++) {
		unsigned int i = (nics->last + k) % CONFIG_NETS_MAX;

		if (nics->nics[i].net)
			continue;
		g_clear_error(error);
		if (plug_in(nics, config, i, error))
			return -1;
		if (!attach(ctx, i, error)) {
			nics->nics[i].own_config = config;
			nics->last = i;
			return (int)i;
		}
		unplug(&nics->nics[i]);
		/* They were closed with it. */
		if (config->fds->len)
			return -1;
	}
	if (!*error)
		g_set_error(error, CONFIG_ERROR, 0,
			    "a machine has %u network cards at most",
			    CONFIG_NETS_MAX);
	return -1;
}

int vm_nics_add(struct vm_nics *nics, const char *text,
		int (*attach)(void *ctx, unsigned int n, GError **error),
		void *ctx, GError **error)
{
	struct net_config *config = net_config_parse(text, error);
	GError *why = NULL;
	int i;

	if (!config)
		return -1;
	i = attach_anywhere(nics, config, attach, ctx, &why);
	if (i < 0) {
		net_config_free(config);
		g_propagate_error(error, why);
	}
	return i;
}

void vm_nics_remove(struct vm_nics *nics, unsigned int n)
{
	unplug(&nics->nics[n]);
}
