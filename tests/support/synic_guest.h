/* SPDX-License-Identifier: MIT */
/*
 * synic_guest.h - the guest's side of message slots and event flags.
 */
#ifndef SUPPORT_SYNIC_GUEST_H
#define SUPPORT_SYNIC_GUEST_H

#include <stdbool.h>
#include <string.h>

#include "proto/hv_synic.h"

/** guest_message_take() - copy the slot's message; false if it is empty */
static inline bool guest_message_take(void *slot, struct hv_message *out)
{
	struct hv_message *shared = slot;

	out->header.message_type =
		__atomic_load_n(&shared->header.message_type, __ATOMIC_ACQUIRE);
	if (!out->header.message_type)
		return false;
	/* The host may set the pending flag at any time. */
	out->header.message_flags = __atomic_load_n(
		&shared->header.message_flags, __ATOMIC_RELAXED);
	out->header.payload_size = shared->header.payload_size;
	out->header.reserved = shared->header.reserved;
	out->header.sender = shared->header.sender;
	memcpy(out->payload, shared->payload, sizeof(out->payload));
	return true;
}

/**
 * guest_message_done() - free the slot, as Linux' vmbus_signal_eom() does
 *
 * Return: true if the guest must write EOM.
 */
static inline bool guest_message_done(void *slot)
{
	struct hv_message *shared = slot;

	__atomic_store_n(&shared->header.message_type, HVMSG_NONE,
			 __ATOMIC_SEQ_CST);
	return __atomic_load_n(&shared->header.message_flags,
			       __ATOMIC_SEQ_CST) &
	       HV_MESSAGE_FLAG_PENDING;
}

/** guest_event_take() - test and clear an event flag */
static inline bool guest_event_take(void *page, unsigned int sint,
				    unsigned int flag)
{
	uint8_t *byte =
		(uint8_t *)page + sint * HV_EVENT_FLAGS_BYTE_COUNT + flag / 8;
	uint8_t mask = (uint8_t)(1u << (flag % 8));

	return __atomic_fetch_and(byte, (uint8_t)~mask, __ATOMIC_SEQ_CST) &
	       mask;
}

#endif
