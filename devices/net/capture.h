/* SPDX-License-Identifier: MIT */
/*
 * capture.h - what a card sends and gets, as a pcapng file.
 *
 * Theory of operation.  A frame is copied into memory of a fixed size, with
 * the time, and a thread writes it to the file, so that nobody who has a frame
 * waits for a disk.  When the memory is full frames are left out, and the next
 * one that is not says how many they were.
 *
 * Frames are as the card has them: a large one that is to be cut is one, and a
 * checksum that is left to others is not there.
 *
 * Source: the PCAP Next Generation format (draft-ietf-opsawg-pcapng), sections
 * 4.1 (section header), 4.2 (interface), 4.3 (enhanced packet), 4.6 (statistics).
 */
#ifndef DEVICES_NET_CAPTURE_H
#define DEVICES_NET_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include <glib.h>

struct net_capture;

/**
 * net_capture_new() - begin one
 * @path: of the file; one that is there is written anew
 * @name: of the card
 *
 * Return: owned; NULL with @error set.
 */
struct net_capture *net_capture_new(const char *path, const char *name,
				    GError **error);

/** net_capture_free() - all that was added is in the file then */
void net_capture_free(struct net_capture *c);

/** net_capture_add() - a frame.  Any thread; does not wait for the file */
void net_capture_add(struct net_capture *c, bool from_guest,
		     const struct iovec *iov, unsigned int n_iov, size_t bytes);

#endif
