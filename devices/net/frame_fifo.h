/* SPDX-License-Identifier: MIT */
/*
 * frame_fifo.h - frames that wait, in memory of a fixed size.
 *
 * Each has a few bytes of its user's in front, and is in one piece.
 *
 * Thread: as its user says; it has no lock.
 */
#ifndef DEVICES_NET_FRAME_FIFO_H
#define DEVICES_NET_FRAME_FIFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* What a frame may have in front, at most. */
#define FRAME_FIFO_NOTE_MAX 32u

struct frame_fifo;

struct frame_record {
	const void *note;
	const uint8_t *frame;
	size_t frame_bytes;
};

/**
 * frame_fifo_new() - an empty one
 * @bytes:      of memory; used when it is
 * @note_bytes: in front of each frame, up to FRAME_FIFO_NOTE_MAX
 */
struct frame_fifo *frame_fifo_new(size_t bytes, size_t note_bytes);
void frame_fifo_free(struct frame_fifo *f);

/** frame_fifo_put() - Return: false: no room, nothing has changed */
bool frame_fifo_put(struct frame_fifo *f, const void *note,
		    const struct iovec *iov, unsigned int n_iov);

/** frame_fifo_peek() - the oldest, until frame_fifo_pop(); false: none */
bool frame_fifo_peek(const struct frame_fifo *f, struct frame_record *record);

/** frame_fifo_pop() - forget the oldest, of which there is one */
void frame_fifo_pop(struct frame_fifo *f);

bool frame_fifo_is_empty(const struct frame_fifo *f);

#endif
