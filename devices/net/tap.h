/* SPDX-License-Identifier: MIT */
/*
 * tap.h - a network interface of the host's kernel whose other end is ours.
 *
 * Theory of operation.  Checksums and segments are left to the kernel, by a
 * struct virtio_net_hdr in front of each frame, which is all that happens to
 * it here: a frame is one readv() or writev() between the guest's memory and
 * the kernel.
 *
 * An interface can be set down, removed, and made again under its name while
 * the guest runs.  The main thread hears of each change of any link (netlink)
 * and looks at what became of this one; it puts another file behind the
 * descriptor of each queue by dup2(), an idle socket while there is none, so
 * that the threads of the queues need no lock and see nothing but that no
 * frames come.
 *
 * Thread: main, with its GLib main context running; queues as net.h says.
 */
#ifndef DEVICES_NET_TAP_H
#define DEVICES_NET_TAP_H

#include <glib.h>

struct net;

#define NET_TAP_QUEUES_MAX 64u

struct net_tap_options {
	/*
	 * The interface; made, and gone at the end, if there is none.  NULL:
	 * one that is made and that the kernel gives a number.
	 */
	const char *name;
	/* Or: a tap that somebody has opened with IFF_VNET_HDR; now ours. */
	const int *fds; /* a queue each; NULL: none */
	unsigned int n_fds;
	const char *bridge; /* one that is made becomes a port of it; or NULL */
	unsigned int queues; /* at most; 1 if the interface has but one */
	unsigned int mtu; /* of one that is made; 0: the kernel's choice */
};

/**
 * net_tap_new() - open it
 *
 * Return: owned; NULL with @error, and @options' descriptors are closed.
 */
struct net *net_tap_new(const struct net_tap_options *options, GError **error);

#endif
