/* SPDX-License-Identifier: MIT */
#include "vm/vm_nics.h"

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
#include "vsp/netvsp.h"

struct vm_nic {
	const struct net_config *config;
	struct net *net;
	uint8_t mac[CONFIG_MAC_BYTES];
	unsigned int queues;
};

struct vm_nics {
	struct vm_nic nics[CONFIG_NETS_MAX];
	unsigned int n;
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

static int plug_in(struct vm_nics *nics, const struct machine_config *config,
		   unsigned int i, GError **error)
{
	struct vm_nic *nic = &nics->nics[i];

	nic->config = g_ptr_array_index(config->nets, i);
	net_config_mac(nic->config, config->uuid, i, nic->mac);
	nic->queues = nic->config->queues
			      ? nic->config->queues
			      : MIN(config->vcpus, NETVSP_QUEUES_MAX);
	nic->net = open_net(nic, error);
	nics->n += nic->net != NULL;
	if (!nic->net || (nic->config->pcap && start_capture(nic, i, error))) {
		g_prefix_error(error, "net%u: ", i);
		return -1;
	}
	if (nic->config->cable_out)
		net_set_link(nic->net, false);
	return 0;
}

/* --- life --------------------------------------------------------------------------- */

struct vm_nics *vm_nics_new(const struct machine_config *config, GError **error)
{
	struct vm_nics *nics = g_new0(struct vm_nics, 1);

	for (guint i = 0; i < config->nets->len; i++) {
		if (plug_in(nics, config, i, error)) {
			vm_nics_free(nics);
			return NULL;
		}
	}
	return nics;
}

void vm_nics_free(struct vm_nics *nics)
{
	if (!nics)
		return;
	for (unsigned int i = 0; i < nics->n; i++)
		net_free(nics->nics[i].net);
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
}

int vm_nics_set_link(struct vm_nics *nics, const char *name, bool up,
		     GError **error)
{
	for (unsigned int i = 0; i < nics->n; i++) {
		g_autofree char *its = g_strdup_printf("net%u", i);

		if (!strcmp(its, name)) {
			net_set_link(nics->nics[i].net, up);
			return 0;
		}
	}
	g_set_error(error, CONFIG_ERROR, 0,
		    "%s: no such network card; net0 is the first", name);
	return -1;
}
