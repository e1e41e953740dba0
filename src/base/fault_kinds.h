/* SPDX-License-Identifier: MIT */
/*
 * fault_kinds.h - what FAULT_CORRUPT can make wrong at each point: lies of a
 * host that a guest must not believe.
 */
#ifndef BASE_FAULT_KINDS_H
#define BASE_FAULT_KINDS_H

/* FAULT_VMBUS_MESSAGE_OUT */
enum fault_message_kind {
	FAULT_MESSAGE_TYPE, /* a type that there is not */
	FAULT_MESSAGE_RELID, /* of a channel that there never was */
	FAULT_MESSAGE_RELID_BEYOND, /* beyond all tables */
	FAULT_MESSAGE_SHORT, /* the header alone */
	FAULT_MESSAGE_GARBAGE, /* random bytes behind the header */
};

/* FAULT_VMBUS_OFFER */
enum fault_offer_kind {
	FAULT_OFFER_RELID_ZERO,
	FAULT_OFFER_RELID_BEYOND,
	FAULT_OFFER_STALE, /* the relid of an offer that is there already */
	FAULT_OFFER_CLASS, /* a class that nobody has heard of */
	FAULT_OFFER_SUB_INDEX, /* a sub-channel of nothing */
	FAULT_OFFER_MONITOR, /* a monitor bit beyond the page */
	FAULT_OFFER_CONNECTION, /* where signals go to nobody */
};

/* FAULT_RING_OUT */
enum fault_packet_kind {
	FAULT_PACKET_TRANS_ID,
	FAULT_PACKET_LENGTH_BEYOND, /* longer than all that is in the ring */
	FAULT_PACKET_LENGTH_ZERO,
	FAULT_PACKET_OFFSET_BEYOND, /* the payload begins behind the end */
	FAULT_PACKET_OFFSET_ZERO, /* ... or within the descriptor */
	FAULT_PACKET_TYPE,
	FAULT_PACKET_SHORT, /* a payload of 8 bytes */
	FAULT_PACKET_RANGES_BEYOND, /* more ranges than the packet holds */
	FAULT_PACKET_RANGE_OFFSET, /* one outside the buffer */
	FAULT_PACKET_RANGE_LENGTH, /* ... or longer than it */
	FAULT_PACKET_PAGESET, /* of a buffer that there is not */
	FAULT_PACKET_PAYLOAD, /* random bytes */
};

/* FAULT_RING_PUBLISH */
enum fault_ring_kind {
	FAULT_RING_WRITE_BEYOND, /* write_index behind the ring's end */
	FAULT_RING_WRITE_UNALIGNED,
	FAULT_RING_WRITE_AHEAD, /* more than was written */
	FAULT_RING_READ_BEYOND, /* read_index of the guest's own ring */
	FAULT_RING_READ_AHEAD, /* more was read than the guest has sent */
};

/* FAULT_STORVSC_COMMAND */
enum fault_command_kind {
	FAULT_COMMAND_DATA_LENGTH, /* more data than was asked for */
	FAULT_COMMAND_SENSE_LENGTH, /* more sense data than there is room */
	FAULT_COMMAND_SRB_STATUS, /* one that there is not */
	FAULT_COMMAND_SCSI_STATUS,
	FAULT_COMMAND_OPERATION, /* not a completion of I/O */
};

/* FAULT_STORVSC_CONTROL */
enum fault_storvsc_kind {
	FAULT_STORVSC_CHANNELS, /* 65535 sub-channels */
	FAULT_STORVSC_TRANSFER_ZERO, /* no bytes in one transfer */
	FAULT_STORVSC_TRANSFER_BEYOND,
	FAULT_STORVSC_OPERATION,
};

/* FAULT_NETVSC_FRAME_RX */
enum fault_frame_kind {
	FAULT_FRAME_MESSAGE_TYPE, /* not an RNDIS message */
	FAULT_FRAME_MESSAGE_LENGTH, /* longer than its section */
	FAULT_FRAME_MESSAGE_SHORT, /* shorter than its header */
	FAULT_FRAME_DATA_OFFSET,
	FAULT_FRAME_DATA_LENGTH,
	FAULT_FRAME_ITEMS_OFFSET,
	FAULT_FRAME_ITEMS_LENGTH,
	FAULT_FRAME_ITEM_SIZE, /* the first item: longer than all */
	FAULT_FRAME_BYTES, /* a few bytes of the frame itself */
};

/* FAULT_NETVSC_CONTROL */
enum fault_netvsc_kind {
	FAULT_NETVSC_VERSION, /* agreed on one that nobody offered */
	FAULT_NETVSC_SECTIONS, /* a receive buffer cut beyond its end */
	FAULT_NETVSC_SECTION_ZERO, /* ... into sections of no bytes */
	FAULT_NETVSC_SEND_SECTION, /* send sections of no bytes */
	FAULT_NETVSC_TABLE_OFFSET, /* the send table lies outside */
	FAULT_NETVSC_RNDIS_LENGTH, /* an answer longer than its packet */
	FAULT_NETVSC_RNDIS_INFO, /* ... whose contents are outside of it */
	FAULT_NETVSC_RNDIS_ID, /* ... to a request that nobody made */
};

/* FAULT_IC_MESSAGE */
enum fault_ic_kind {
	FAULT_IC_PIPE_LENGTH, /* more than the packet */
	FAULT_IC_SIZE, /* icmsgsize likewise */
	FAULT_IC_TYPE,
	FAULT_IC_VERSIONS, /* a negotiation with 65535 versions */
	FAULT_IC_VERSIONS_NONE,
};

#endif
