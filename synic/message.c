/* SPDX-License-Identifier: MIT */
#include "synic/message.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

int message_queue_post(struct message_queue *q, const struct hv_message *msg,
		       unsigned int max)
{
	struct message *m;

	if (q->n_posted >= max)
		return -EAGAIN;
	m = g_new(struct message, 1);
	m->posted = true;
	m->msg = *msg;
	q->n_posted++;
	message_queue_add(q, m);
	return 0;
}

void message_queue_add(struct message_queue *q, struct message *m)
{
	m->next = NULL;
	if (q->head)
		q->last->next = m;
	else
		q->head = m;
	q->last = m;
}

struct message *message_queue_pop(struct message_queue *q)
{
	struct message *m = q->head;

	if (!m)
		return NULL;
	q->head = m->next;
	q->n_posted -= m->posted;
	return m;
}

void message_queue_remove(struct message_queue *q, const struct message *m)
{
	struct message *before = NULL;

	for (struct message *at = q->head; at; before = at, at = at->next) {
		if (at != m)
			continue;
		if (before)
			before->next = at->next;
		else
			q->head = at->next;
		if (q->last == at)
			q->last = before;
		q->n_posted -= at->posted;
		return;
	}
}

void message_queue_clear(struct message_queue *q)
{
	struct message *m;

	while ((m = message_queue_pop(q)))
		message_free(m);
}

void message_queue_drop_posted(struct message_queue *q)
{
	struct message_queue kept = {0};
	struct message *m;

	while ((m = message_queue_pop(q))) {
		if (m->posted)
			message_free(m);
		else
			message_queue_add(&kept, m);
	}
	*q = kept;
}

void message_free(struct message *m)
{
	if (m && m->posted)
		g_free(m);
}

bool message_slot_is_free(void *slot)
{
	/* Laid over the guest's page: each word is read once, atomically. */
	struct hv_message_header *shared = slot;

	if (__atomic_load_n(&shared->message_type, __ATOMIC_ACQUIRE) ==
	    HVMSG_NONE)
		return true;
	/* Pairs with the guest's barrier between type and flag. */
	__atomic_fetch_or(&shared->message_flags, HV_MESSAGE_FLAG_PENDING,
			  __ATOMIC_SEQ_CST);
	return __atomic_load_n(&shared->message_type, __ATOMIC_SEQ_CST) ==
	       HVMSG_NONE;
}

void message_slot_write(void *slot, const struct hv_message *msg, bool more)
{
	struct hv_message *shared = slot;

	shared->header.payload_size = msg->header.payload_size;
	/* The guest may still look at it for the message before. */
	__atomic_store_n(&shared->header.message_flags,
			 more ? HV_MESSAGE_FLAG_PENDING : 0, __ATOMIC_RELAXED);
	shared->header.reserved = 0;
	shared->header.sender = msg->header.sender;
	memcpy(shared->payload, msg->payload,
	       MIN(msg->header.payload_size, sizeof(msg->payload)));
	/* Pairs with the guest's look at the type before it reads the rest. */
	__atomic_store_n(&shared->header.message_type, msg->header.message_type,
			 __ATOMIC_RELEASE);
}
