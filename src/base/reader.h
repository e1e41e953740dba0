/* SPDX-License-Identifier: MIT */
/*
 * reader.h - a bounds-checked cursor over a private copy of untrusted bytes.
 *
 * A read past the end fails, stays failed, and yields zeros: parse first,
 * ask reader_ok() once, then act.
 */
#ifndef BASE_READER_H
#define BASE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
	const uint8_t *data;
	size_t size;
	size_t pos;
	bool failed;
};

static inline struct reader reader_init(const void *data, size_t size)
{
	return (struct reader){.data = data, .size = size};
}

static inline bool reader_ok(const struct reader *r)
{
	return !r->failed;
}

static inline size_t reader_left(const struct reader *r)
{
	return r->failed ? 0 : r->size - r->pos;
}

/** reader_bytes() - copy the next @len bytes to @out, or zeros on failure */
static inline bool reader_bytes(struct reader *r, void *out, size_t len)
{
	if (r->failed || len > r->size - r->pos) {
		r->failed = true;
		memset(out, 0, len);
		return false;
	}
	if (!len)
		return true; /* data may be NULL, which memcpy() may not get */
	memcpy(out, r->data + r->pos, len);
	r->pos += len;
	return true;
}

/** reader_at() - move to offset @pos */
static inline bool reader_at(struct reader *r, size_t pos)
{
	if (r->failed || pos > r->size) {
		r->failed = true;
		return false;
	}
	r->pos = pos;
	return true;
}

static inline uint32_t reader_u32(struct reader *r)
{
	uint32_t v;

	reader_bytes(r, &v, sizeof(v));
	return v;
}

static inline uint64_t reader_u64(struct reader *r)
{
	uint64_t v;

	reader_bytes(r, &v, sizeof(v));
	return v;
}

#endif
