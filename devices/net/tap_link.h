/* SPDX-License-Identifier: MIT */
/*
 * tap_link.h - taps as the kernel has them: to open one, to set it up.
 *
 * All: 0 or -errno.
 */
#ifndef DEVICES_NET_TAP_LINK_H
#define DEVICES_NET_TAP_LINK_H

#include <stdbool.h>

#include <net/if.h>

/**
 * tap_link_open() - one queue of a tap, with frames behind virtio_net_hdr
 * @name:  with %d the kernel puts a number there; filled in with what it is
 * @multi: has it several queues?  Where it exists, filled in with what it is
 *
 * Return: the descriptor, non-blocking; -errno.
 */
int tap_link_open(char name[IFNAMSIZ], bool *multi);

/** tap_link_prepare() - have a descriptor of one behave as ours do */
int tap_link_prepare(int fd);

/** tap_link_name() - the interface of @fd, and whether it has several queues */
int tap_link_name(int fd, char name[IFNAMSIZ], bool *multi);

/** tap_link_attach() - this queue gets frames, or not.  Only with several */
int tap_link_attach(int fd, bool attach);

/** tap_link_offloads() - which NET_OFFLOAD_… frames may come with */
int tap_link_offloads(int fd, unsigned int offloads);

/** tap_link_carrier() - is there one, as the host sees it? */
int tap_link_carrier(int fd, bool on);

/** tap_link_up() - have the interface up */
int tap_link_up(const char *name);

/** tap_link_is_up() - Return: 1, 0; -ENODEV */
int tap_link_is_up(const char *name);

/** tap_link_set_mtu() - without the Ethernet header */
int tap_link_set_mtu(const char *name, unsigned int mtu);

/** tap_link_get_mtu() - Return: as of tap_link_set_mtu(), or -errno */
int tap_link_get_mtu(const char *name);

/**
 * tap_link_add_to() - make it a port of @bridge
 *
 * With an address that is higher than those of other ports, as a bridge takes
 * the lowest for its own.
 */
int tap_link_add_to(const char *name, const char *bridge);

#endif
