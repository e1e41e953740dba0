/* SPDX-License-Identifier: MIT */
/*
 * packet.h - packets of a channel: checked when they come, laid out when they
 * go.  Pure; knows nothing of rings.
 *
 * On the wire: a descriptor, an extra header that some types have (ranges),
 * the payload, all in units of 8 bytes; then a trailer that counts as space
 * but not as length.  A packet is looked at in two steps: its descriptor
 * while it is in the ring (packet_size(), on a private copy), the rest when
 * all of it has been copied out (packet_parse()).
 *
 * Source: Linux include/linux/hyperv.h (struct vmpacket_descriptor …),
 * drivers/hv/channel.c:vmbus_sendpacket_getid(); OpenVMM vmbus_ring/src/lib.rs.
 */
#ifndef VSP_VMBUS_PACKET_H
#define VSP_VMBUS_PACKET_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem/gpa_range.h"
#include "proto/vmbus.h"

/* Sizes and offsets within a packet are in units of it. */
#define PACKET_UNIT    8u
#define PACKET_HEADER  ((uint32_t)sizeof(struct vmpacket_descriptor))
#define PACKET_TRAILER ((uint32_t)sizeof(struct vmpacket_trailer))
/* The longest that a descriptor can say, without trailer. */
#define PACKET_MAX     ((uint32_t)(0xFFFFu * PACKET_UNIT))

/* A packet that was checked; its pointers are into the copy. */
struct packet {
	uint16_t type; /* VM_PKT_…, one of those that packet_parse() takes */
	bool wants_completion;
	uint64_t trans_id;
	const void *data; /* aligned to 8 if the copy was */
	uint32_t bytes; /* of data; up to 7 more than the sender meant */
	/* VM_PKT_DATA_USING_GPA_DIRECT: what it carries elsewhere; checked */
	struct gpa_range_list gpa;
	uint64_t gpa_bytes; /* of all ranges */
	/* VM_PKT_DATA_USING_XFER_PAGES */
	uint16_t xfer_pageset_id;
	uint32_t n_xfer;
	const struct vmtransfer_page_range *xfer;
};

/**
 * packet_size() - how long a packet is, by its descriptor
 * @avail: bytes that the sender has put into the ring from there on
 *
 * Return: bytes without trailer; 0 if it cannot be so.
 */
static inline uint32_t packet_size(const struct vmpacket_descriptor *d,
				   uint32_t avail)
{
	uint32_t bytes = d->len8 * PACKET_UNIT;

	if (d->offset8 * PACKET_UNIT < PACKET_HEADER || d->len8 < d->offset8 ||
	    avail < PACKET_TRAILER || bytes > avail - PACKET_TRAILER)
		return 0;
	return bytes;
}

/**
 * packet_parse() - check what packet_size() let through
 * @copy: private, aligned to 8; what it begins with is the descriptor that
 *        was checked
 * @size: what packet_size() said
 *
 * Takes in-band, transfer-page, GPA-direct and completion packets.
 *
 * Return: 0; -EPROTO a bad packet, or a type that nobody sends.
 */
int packet_parse(const void *copy, uint32_t size, struct packet *packet);

/**
 * packet_pipe() - what a packet of a pipe carries
 * @data:  out: behind the pipe's header
 * @bytes: out: exactly as many as were sent; 0 is the end of the stream
 *
 * Return: 0; -EPROTO no pipe header, or it says more than there is.
 */
int packet_pipe(const struct packet *packet, const void **data,
		uint32_t *bytes);

/* A packet to be sent. */
struct packet_out {
	uint16_t type;
	bool wants_completion;
	uint64_t trans_id;
	/* the payload, in up to two pieces */
	const void *data[2];
	uint32_t bytes[2];
	/* VM_PKT_DATA_USING_XFER_PAGES */
	uint16_t xfer_pageset_id;
	uint32_t n_xfer;
	const struct vmtransfer_page_range *xfer;
};

/**
 * packet_out_size() - how long it will be, without trailer
 *
 * Return: bytes, a multiple of 8; 0 if it would be longer than PACKET_MAX.
 */
uint32_t packet_out_size(const struct packet_out *out);

/**
 * packet_encode() - lay it out
 * @at:   packet_out_size() bytes, aligned to 8
 * @size: packet_out_size(), not 0
 *
 * Each byte is written, padding as zero: @at may be the guest's memory.
 */
void packet_encode(void *at, const struct packet_out *out, uint32_t size);

#endif
