/* SPDX-License-Identifier: MIT */
/*
 * socket.h - a cable to another guest, or a program: a stream socket.
 *
 * Each frame is behind its length, four bytes, the highest first, as QEMU's
 * `-netdev stream` and passt have it.
 *
 * Theory of operation.  One side listens at a place and the other connects, in
 * any order and again when the other is gone; without the other there is no
 * carrier.  The main thread makes connections, and puts one behind the
 * descriptor of the queue by dup3(), as an idle socket is while there is none;
 * the queue's thread says when it has ended.
 *
 * Frames are gathered in a buffer until there is a kick, and taken from
 * another, so that a system call serves many.
 *
 * Thread: main, with its GLib main context running; queues as net.h says.
 * Source: QEMU net/stream.c:net_stream_receive(), net/net.c:net_fill_rstate().
 */
#ifndef DEVICES_NET_SOCKET_H
#define DEVICES_NET_SOCKET_H

#include <stdbool.h>

#include <glib.h>

struct net;

struct net_socket_options {
	const char *path; /* as stream_address.h; NULL: @fd is connected */
	bool listen; /* there, for one at a time; else connect to it */
	int fd; /* now ours */
};

/**
 * net_socket_new() - listen, or begin to connect
 *
 * Return: owned; NULL with @error, and @options' descriptor is closed.
 */
struct net *net_socket_new(const struct net_socket_options *options,
			   GError **error);

#endif
