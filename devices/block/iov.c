/* SPDX-License-Identifier: MIT */
#include "devices/block/iov.h"

#include <string.h>

#include <glib.h>

/* memcmp() of a buffer with itself, this far on, is quick from here. */
#define PREFIX_BYTES 16u

unsigned int iov_slice(struct iovec *to, const struct iovec *iov,
		       unsigned int n, uint64_t skip, uint64_t bytes)
{
	unsigned int made = 0;

	for (unsigned int i = 0; i < n && bytes; i++) {
		uint64_t piece;

		if (skip >= iov[i].iov_len) {
			skip -= iov[i].iov_len;
			continue;
		}
		piece = MIN(iov[i].iov_len - skip, bytes);
		to[made].iov_base = (uint8_t *)iov[i].iov_base + skip;
		to[made++].iov_len = piece;
		bytes -= piece;
		skip = 0;
	}
	return made;
}

static void copy(const struct iovec *iov, unsigned int n, uint64_t skip,
		 uint8_t *out, const uint8_t *in, uint64_t bytes)
{
	for (unsigned int i = 0; i < n && bytes; i++) {
		uint8_t *at = iov[i].iov_base;
		uint64_t piece;

		if (skip >= iov[i].iov_len) {
			skip -= iov[i].iov_len;
			continue;
		}
		piece = MIN(iov[i].iov_len - skip, bytes);
		if (out) {
			memcpy(out, at + skip, piece);
			out += piece;
		} else {
			memcpy(at + skip, in, piece);
			in += piece;
		}
		bytes -= piece;
		skip = 0;
	}
}

void iov_copy_out(void *data, const struct iovec *iov, unsigned int n,
		  uint64_t skip, uint64_t bytes)
{
	copy(iov, n, skip, data, NULL, bytes);
}

void iov_copy_in(const struct iovec *iov, unsigned int n, uint64_t skip,
		 const void *data, uint64_t bytes)
{
	copy(iov, n, skip, NULL, data, bytes);
}

static bool is_zero(const uint8_t *at, size_t bytes)
{
	for (size_t i = 0; i < MIN(bytes, PREFIX_BYTES); i++)
		if (at[i])
			return false;
	return bytes <= PREFIX_BYTES ||
	       !memcmp(at, at + PREFIX_BYTES, bytes - PREFIX_BYTES);
}

bool iov_is_zero(const struct iovec *iov, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!is_zero(iov[i].iov_base, iov[i].iov_len))
			return false;
	return true;
}

bool iov_is_aligned(const struct iovec *iov, unsigned int n, uint32_t address,
		    uint32_t length)
{
	uint64_t addresses = 0, lengths = 0;

	for (unsigned int i = 0; i < n; i++) {
		addresses |= (uintptr_t)iov[i].iov_base;
		lengths |= iov[i].iov_len;
	}
	return !(addresses & (address - 1)) && !(lengths & (length - 1));
}
