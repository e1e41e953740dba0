/* SPDX-License-Identifier: MIT */
#include "vsp/net/stream.h"

#include <glib.h>

struct stream stream_init(const struct iovec *iov, unsigned int n_iov)
{
	struct stream s = {.iov = iov, .n_iov = n_iov};

	for (unsigned int i = 0; i < n_iov; i++)
		s.left += iov[i].iov_len;
	return s;
}

void stream_skip_pieces(struct stream *s, size_t bytes)
{
	bytes = MIN(bytes, s->left);
	s->left -= bytes;
	s->offset += bytes;
	while (s->n_iov && s->offset >= s->iov->iov_len) {
		s->offset -= s->iov->iov_len;
		s->iov++;
		s->n_iov--;
	}
}

void stream_peek_pieces(const struct stream *s, void *out, size_t bytes)
{
	size_t offset = s->offset;
	uint8_t *to = out;

	for (unsigned int i = 0; i < s->n_iov && bytes; i++) {
		size_t len = MIN(bytes, s->iov[i].iov_len - offset);

		memcpy(to, (uint8_t *)s->iov[i].iov_base + offset, len);
		to += len;
		bytes -= len;
		offset = 0;
	}
}

unsigned int stream_slice(const struct stream *s, size_t bytes,
			  struct iovec *iov, unsigned int n_max)
{
	size_t offset = s->offset;
	unsigned int n = 0;

	for (unsigned int i = 0; i < s->n_iov && bytes; i++) {
		size_t len = MIN(bytes, s->iov[i].iov_len - offset);

		if (n == n_max)
			return 0;
		iov[n++] = (struct iovec){
			.iov_base = (uint8_t *)s->iov[i].iov_base + offset,
			.iov_len = len};
		bytes -= len;
		offset = 0;
	}
	return bytes ? 0 : n;
}
