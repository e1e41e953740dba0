/* SPDX-License-Identifier: MIT */
/*
 * user.h - user networking by libslirp: the guest is behind a router that is
 * this process, and needs no rights.
 *
 * The guest gets its address by DHCP, or router advertisements; the router is
 * also the host itself (its loopback addresses), and the address behind it a
 * name server that asks the host's.  There is no TFTP.
 *
 * Theory of operation.  libslirp has a thread of its own, which does all that
 * may take time; frames go to it and come from it as messages of a socket
 * pair, so that the card's threads see a descriptor, as with any other kind.
 * What the guest does not take waits here, up to a limit, and for as long
 * nothing more is read from the host's sockets, so that TCP slows the sender
 * down.  Large frames of TCP over IPv4 go to libslirp as they are: only their
 * checksum is finished.
 */
#ifndef DEVICES_NET_USER_H
#define DEVICES_NET_USER_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <netinet/in.h>

struct net;

/* A port of the host that leads to one of the guest. */
struct net_forward {
	bool udp;
	struct sockaddr_storage
		host; /* AF_INET or AF_INET6, address and port */
	struct sockaddr_storage guest; /* of the same family */
};

/* Zeroed is what most want: 10.0.2.0/24 and fec0::/64. */
struct net_user_options {
	struct in_addr network; /* 0: the default, with its prefix */
	unsigned int prefix; /* 8 to 29 bits */
	struct in6_addr network6; /* 0: the default, always /64 */
	bool no_ipv6;
	bool restricted; /* the guest cannot reach the host or what is beyond */
	unsigned int mtu; /* 0: 1500 */
	const char *hostname; /* that the guest gets by DHCP; NULL: none */
	const struct net_forward *forwards;
	unsigned int n_forwards;
};

/**
 * net_user_new() - start it
 * @options: what it points to is copied
 *
 * A forward to the guest's address 0 is one to the first that DHCP gives.
 *
 * Return: owned; NULL with @error, which names what could not be forwarded.
 */
struct net *net_user_new(const struct net_user_options *options,
			 GError **error);

#endif
