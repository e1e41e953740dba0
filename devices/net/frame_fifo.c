/* SPDX-License-Identifier: MIT */
#include "devices/net/frame_fifo.h"

#include <assert.h>
#include <string.h>

#include <glib.h>

/*
 * A record is a struct head, the note and the frame, rounded up.  One that
 * does not fit before the end of the memory begins at its start, and `wrap`
 * is where the one before it ended.
 */
struct head {
	size_t frame_bytes;
};

#define ALIGN_BYTES 8u

struct frame_fifo {
	uint8_t *memory;
	size_t bytes, note_bytes;
	size_t first, last; /* of what there is; the same: nothing */
	size_t wrap;
};

struct frame_fifo *frame_fifo_new(size_t bytes, size_t note_bytes)
{
	struct frame_fifo *f = g_new0(struct frame_fifo, 1);

	assert(note_bytes <= FRAME_FIFO_NOTE_MAX);
	f->memory = g_malloc(bytes);
	f->bytes = bytes;
	f->wrap = bytes;
	f->note_bytes = note_bytes;
	return f;
}

void frame_fifo_free(struct frame_fifo *f)
{
	if (!f)
		return;
	g_free(f->memory);
	g_free(f);
}

static size_t record_bytes(const struct frame_fifo *f, size_t frame_bytes)
{
	size_t bytes = sizeof(struct head) + f->note_bytes + frame_bytes;

	return (bytes + ALIGN_BYTES - 1) & ~(size_t)(ALIGN_BYTES - 1);
}

/* Find room for so much.  Return: where; SIZE_MAX: nowhere. */
static size_t find_room(const struct frame_fifo *f, size_t bytes)
{
	if (f->last < f->first) /* one byte between them stays free */
		return bytes < f->first - f->last ? f->last : SIZE_MAX;
	if (bytes <= f->bytes - f->last)
		return f->last;
	return bytes < f->first ? 0 : SIZE_MAX;
}

bool frame_fifo_put(struct frame_fifo *f, const void *note,
		    const struct iovec *iov, unsigned int n_iov)
{
	struct head head = {0};
	size_t at, bytes;

	for (unsigned int i = 0; i < n_iov; i++)
		head.frame_bytes += iov[i].iov_len;
	bytes = record_bytes(f, head.frame_bytes);
	at = find_room(f, bytes);
	if (at == SIZE_MAX)
		return false;
	if (at != f->last)
		f->wrap = f->last;
	f->last = at + bytes;
	memcpy(f->memory + at, &head, sizeof(head));
	at += sizeof(head);
	if (f->note_bytes)
		memcpy(f->memory + at, note, f->note_bytes);
	at += f->note_bytes;
	for (unsigned int i = 0; i < n_iov; i++) {
		if (iov[i].iov_len)
			memcpy(f->memory + at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	return true;
}

bool frame_fifo_is_empty(const struct frame_fifo *f)
{
	return f->first == f->last;
}

bool frame_fifo_peek(const struct frame_fifo *f, struct frame_record *record)
{
	struct head head;
	const uint8_t *at = f->memory + f->first;

	if (frame_fifo_is_empty(f))
		return false;
	memcpy(&head, at, sizeof(head));
	record->note = at + sizeof(head);
	record->frame = at + sizeof(head) + f->note_bytes;
	record->frame_bytes = head.frame_bytes;
	return true;
}

void frame_fifo_pop(struct frame_fifo *f)
{
	struct head head;

	assert(!frame_fifo_is_empty(f));
	memcpy(&head, f->memory + f->first, sizeof(head));
	f->first += record_bytes(f, head.frame_bytes);
	if (f->first == f->last) {
		f->first = f->last = 0;
		f->wrap = f->bytes;
	} else if (f->first == f->wrap) {
		f->first = 0;
		f->wrap = f->bytes;
	}
}
