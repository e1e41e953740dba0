/* SPDX-License-Identifier: MIT */
/*
 * stream.h - bytes that lie in pieces, in the guest's memory: looked at by
 * copying, passed on by slicing.
 *
 * Thread: the caller's.
 */
#ifndef VSP_NET_STREAM_H
#define VSP_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

/* A place in a list of pieces, and how much is behind it. */
struct stream {
	const struct iovec *iov;
	unsigned int n_iov; /* from the current one on */
	size_t offset; /* in the current one */
	size_t left;
};

struct stream stream_init(const struct iovec *iov, unsigned int n_iov);

/* The next two where more than the current piece is needed, or all of it. */
void stream_skip_pieces(struct stream *s, size_t bytes);
void stream_peek_pieces(const struct stream *s, void *out, size_t bytes);

/** stream_in_piece() - are there more than @bytes left of the current piece? */
static inline bool stream_in_piece(const struct stream *s, size_t bytes)
{
	return s->n_iov && bytes < s->iov->iov_len - s->offset;
}

/** stream_skip() - @bytes further, at most what is left */
static inline void stream_skip(struct stream *s, size_t bytes)
{
	if (!stream_in_piece(s, bytes)) {
		stream_skip_pieces(s, bytes);
		return;
	}
	s->offset += bytes;
	s->left -= bytes;
}

/** stream_peek() - copy the next @bytes, which are left; the place stays */
static inline void stream_peek(const struct stream *s, void *out, size_t bytes)
{
	if (stream_in_piece(s, bytes))
		memcpy(out, (uint8_t *)s->iov->iov_base + s->offset, bytes);
	else
		stream_peek_pieces(s, out, bytes);
}

/**
 * stream_slice() - the next @bytes, which are left, as pieces; the place stays
 *
 * Return: number of pieces; 0: no bytes, or more than @n_max pieces.
 */
unsigned int stream_slice(const struct stream *s, size_t bytes,
			  struct iovec *iov, unsigned int n_max);

#endif
