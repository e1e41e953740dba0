/* SPDX-License-Identifier: MIT */
/*
 * vmbus.h - the guest's side of VMbus: channel messages, and a channel with
 * its two rings.
 *
 * Thread: messages on the processor that they come to, the channel on one.
 */
#ifndef LIB_VMBUS_H
#define LIB_VMBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/memory.h"
#include "proto/hv_hypercall.h"
#include "proto/hv_tlfs.h"
#include "proto/vmbus.h"

/* What vmbus_enable() gives VMBUS_MESSAGE_SINT. */
#define VMBUS_VECTOR 0x62

union vmbus_message {
	struct vmbus_channel_message_header header;
	struct vmbus_channel_version_response2 version;
	struct vmbus_channel_offer_channel offer;
	struct vmbus_channel_rescind_offer rescind;
	struct vmbus_channel_open_result opened;
	struct vmbus_channel_gpadl_created created;
	struct vmbus_channel_gpadl_torndown torndown;
	struct vmbus_channel_modifychannel_response modified;
	uint8_t bytes[VMBUS_MESSAGE_MAX];
};

/** vmbus_enable() - the caller's SynIC, with the SINT */
void vmbus_enable(void);

/** vmbus_send() - post a channel message */
hv_status_t vmbus_send(const void *msg, size_t size);

/** vmbus_send_empty() - one that is a header only */
void vmbus_send_empty(uint32_t type);

/** vmbus_send_contact() - on the connection that @version wants */
void vmbus_send_contact(uint32_t version, uint32_t vp);

/**
 * vmbus_receive() - the next message at the caller's processor
 *
 * Return: its type; 0 when none came in SOON_MS.
 */
uint32_t vmbus_receive(union vmbus_message *m);

/** vmbus_nothing_more() - does no message come to processor @cpu? */
bool vmbus_nothing_more(unsigned int cpu);

/** vmbus_connect() - with @version, messages to processor 0; the caller */
bool vmbus_connect(uint32_t version);

/* --- a channel ---------------------------------------------------------------- */

/* Data of each ring; the GPADL is longer than one message. */
#define CHANNEL_RING_PAGES 13u
#define CHANNEL_RING_BYTES (CHANNEL_RING_PAGES * PAGE_BYTES)
#define CHANNEL_PAGES      (2 * (1 + CHANNEL_RING_PAGES))
#define CHANNEL_GPADL      0xE1E10u
#define CHANNEL_PACKET_MAX 8192u

struct vmbus_channel {
	uint32_t relid;
	uint32_t connection_id; /* of the offer */
	unsigned int vp; /* where its interrupts go */
	volatile struct hv_ring_buffer *out, *in;
	uint8_t *out_data, *in_data;
};

/* A packet that came, in a private copy. */
struct vmbus_packet {
	struct vmpacket_descriptor d;
	uint32_t bytes; /* of payload, a multiple of 8 */
	uint8_t payload[CHANNEL_PACKET_MAX];
};

/** channel_share() - zero both rings, make the GPADL; true: it was created */
bool channel_share(struct vmbus_channel *ch);

/** channel_send_open() - OPENCHANNEL; the answer is not waited for */
void channel_send_open(const struct vmbus_channel *ch, uint32_t openid);

/** channel_unshare() - take the GPADL back; true: there was an answer */
bool channel_unshare(const struct vmbus_channel *ch);

/**
 * channel_put() - a packet into the ring, and a signal if the host wants one
 * @header: what follows the descriptor, before @data; may be NULL
 *
 * Return: false when there is no room.
 */
bool channel_put(struct vmbus_channel *ch, const struct vmpacket_descriptor *d,
		 const void *header, uint32_t header_bytes, const void *data,
		 uint32_t bytes);

/** channel_put_inband() - a packet with @data */
bool channel_put_inband(struct vmbus_channel *ch, uint64_t trans_id,
			bool completion, const void *data, uint32_t bytes);

/** channel_get() - the next packet; false when there is none, or no good one */
bool channel_get(struct vmbus_channel *ch, struct vmbus_packet *packet);

/** channel_signal() - tell the host, whether it wants that or not */
hv_status_t channel_signal(const struct vmbus_channel *ch);

#endif
