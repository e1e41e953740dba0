/* SPDX-License-Identifier: MIT */
/*
 * net_config.h - a network card of the machine, as `--net` says it: plain
 * data.
 */
#ifndef CONFIG_NET_CONFIG_H
#define CONFIG_NET_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "config/channel_config.h"

/* What it is plugged into. */
enum net_kind {
	NET_USER, /* a router in this process; wants no rights */
	NET_TAP,
	NET_BRIDGE, /* a tap of our own that is a port of it */
	NET_SOCKET, /* to another guest */
	NET_NULL, /* nothing: no carrier */
};

/* As many as a Hyper-V guest can have. */
#define CONFIG_NETS_MAX       8u
#define CONFIG_NET_QUEUES_MAX 64u
#define CONFIG_MTU_MIN        68u
#define CONFIG_MTU_MAX        65521u
#define CONFIG_MAC_BYTES      6u

/* A port of the host that leads to one of the guest. */
struct net_forward_config {
	bool udp;
	char *host; /* address; NULL: any */
	char *guest; /* address; NULL: the one that it gets by DHCP */
	uint16_t host_port, guest_port;
};

struct net_config {
	enum net_kind kind;
	/* of the tap or bridge; NULL: a tap that the host names */
	char *name;
	/* open already: a tap's queues, or a socket; empty: none */
	GArray *fds; /* int */
	/* NET_SOCKET without a descriptor */
	char *path;
	bool listen; /* else it connects */
	/* NET_USER */
	GPtrArray *forwards; /* struct net_forward_config */
	char *network; /* address; NULL: the default */
	unsigned int prefix; /* of it */
	char *hostname; /* NULL: none */
	bool restricted;
	bool no_ipv6;
	/* all */
	bool has_mac;
	uint8_t mac[CONFIG_MAC_BYTES];
	unsigned int mtu; /* 0: not given */
	unsigned int queues; /* 0: as many as there are processors */
	bool cable_out;
	char *pcap; /* file; NULL: no capture */
	struct channel_config channel;
};

/**
 * net_config_parse() - understand "KIND[=NAME][,key[=value]]..."
 *
 * Return: owned; NULL with @error (CONFIG_ERROR), which has no prefix.
 */
struct net_config *net_config_parse(const char *text, GError **error);
/** net_config_new() - nothing said yet; for net_config_free() */
struct net_config *net_config_new(enum net_kind kind);
void net_config_free(struct net_config *net);

/**
 * net_config_check() - does all that it says go together?
 *
 * Return: 0, or -1 with @error (CONFIG_ERROR), "WORD: hint".
 */
int net_config_check(const struct net_config *net, GError **error);

/** net_config_set() - one option of @net's kind; Return: 0 or -1, as above */
int net_config_set(struct net_config *net, const char *key, const char *value,
		   GError **error);

/** net_kind_name() - "user", "tap", … */
const char *net_kind_name(enum net_kind kind);

/**
 * net_config_mac() - the card's address
 * @machine: UUID
 * @index:   which of its cards
 *
 * Given, or Microsoft's 00:15:5d and what is derived from @machine and @index,
 * so that the same machine has the same each time.
 */
void net_config_mac(const struct net_config *net, const char *machine,
		    unsigned int index, uint8_t mac[CONFIG_MAC_BYTES]);

#endif
