/* SPDX-License-Identifier: MIT */
/*
 * message.h - messages that wait for a SINT, and the slot they wait for.
 *
 * Theory of operation.  The guest sees one message per SINT, in a slot of its
 * message page; a slot is free while its message type is 0.  Only the host
 * fills a slot and only the guest empties it, so each needs to hear from the
 * other just once:
 *
 *	host, slot is busy		guest, done with the message
 *	  set the "pending" flag	  type = 0
 *	  (full barrier)		  (full barrier)
 *	  look at the type again	  look at the flag: write EOM if set
 *
 * Whatever the order, either the host sees the slot free or the guest sees
 * the flag.  A new message carries the flag from the start if more are
 * waiting behind it.
 *
 * The queue is a list in the order of arrival.  Posted messages are counted
 * and bounded; a timer's message is the timer's own, one each, and always has
 * room (TLFS "Message Sources": four dedicated timer message buffers).
 *
 * Source: TLFS "SynIC Messages", HV_MESSAGE; Linux drivers/hv/
 * hyperv_vmbus.h:vmbus_signal_eom().
 * Thread: any, with the VP's synic lock held.
 */
#ifndef SYNIC_MESSAGE_H
#define SYNIC_MESSAGE_H

#include <stdbool.h>

#include "proto/hv_synic.h"

/* An entry of a queue. */
struct message {
	struct message *next;
	bool posted; /* counted, and freed with message_free() */
	struct hv_message msg;
};

struct message_queue {
	struct message *head;
	struct message *last; /* meaningless while head is NULL */
	unsigned int n_posted;
};

/**
 * message_queue_post() - append a copy
 * @msg: type and payload size have been checked
 * @max: how many posted messages may wait
 *
 * Return: 0, or -EAGAIN if there are @max.
 */
int message_queue_post(struct message_queue *q, const struct hv_message *msg,
		       unsigned int max);

/** message_queue_add() - append the caller's own entry, in no queue yet */
void message_queue_add(struct message_queue *q, struct message *m);

/** message_queue_pop() - take the first, NULL if empty; see message_free() */
struct message *message_queue_pop(struct message_queue *q);

/** message_queue_remove() - take @m out if it is in */
void message_queue_remove(struct message_queue *q, const struct message *m);

/** message_queue_clear() - take all out and free them */
void message_queue_clear(struct message_queue *q);

/** message_queue_drop_posted() - take out the posted ones and free them */
void message_queue_drop_posted(struct message_queue *q);

/** message_free() - done with an entry: frees it if it was posted */
void message_free(struct message *m);

/**
 * message_slot_is_free() - may a message be written to @slot?
 * @slot: 256 bytes that the guest writes at the same time
 *
 * If not, the guest is asked to write EOM when it is.
 */
bool message_slot_is_free(void *slot);

/**
 * message_slot_write() - fill a free slot
 * @more: other messages wait behind this one
 *
 * The type is written last.
 */
void message_slot_write(void *slot, const struct hv_message *msg, bool more);

#endif
