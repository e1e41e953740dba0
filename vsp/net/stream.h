/* SPDX-License-Identifier: MIT */
/*
 * stream.h - bytes that lie in pieces, in the guest's memory: looked at by
 * copying, passed on by slicing.
 *
 * Thread: the caller's.
 */
#ifndef VSP_NET_STREAM_H
#define VSP_NET_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* A place in a list of pieces, and how much is behind it. */
struct stream {
	const struct iovec *iov;
	unsigned int n_iov; /* from the current one on */
	size_t offset; /* in the current one */
	size_t left;
};

struct stream stream_init(const struct iovec *iov, unsigned int n_iov);

/** stream_skip() - @bytes further, at most what is left */
void stream_skip(struct stream *s, size_t bytes);

/** stream_peek() - copy the next @bytes, which are left; the place stays */
void stream_peek(const struct stream *s, void *out, size_t bytes);

/**
 * stream_slice() - the next @bytes, which are left, as pieces; the place stays
 *
 * Return: number of pieces; 0: no bytes, or more than @n_max pieces.
 */
unsigned int stream_slice(const struct stream *s, size_t bytes,
			  struct iovec *iov, unsigned int n_max);

#endif
