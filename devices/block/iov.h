/* SPDX-License-Identifier: MIT */
/*
 * iov.h - pieces of an iovec.
 *
 * The memory is the guest's and may change meanwhile.
 */
#ifndef DEVICES_BLOCK_IOV_H
#define DEVICES_BLOCK_IOV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/**
 * iov_slice() - the part [@skip, @skip + @bytes) of @iov
 * @to: room for @n pieces
 *
 * @iov has at least that much.  Return: how many pieces it is.
 */
unsigned int iov_slice(struct iovec *to, const struct iovec *iov,
		       unsigned int n, uint64_t skip, uint64_t bytes);

/** iov_copy_out() - @bytes of @iov, from @skip on, into @data */
void iov_copy_out(void *data, const struct iovec *iov, unsigned int n,
		  uint64_t skip, uint64_t bytes);

/** iov_copy_in() - @bytes of @data into @iov, from @skip on */
void iov_copy_in(const struct iovec *iov, unsigned int n, uint64_t skip,
		 const void *data, uint64_t bytes);

/** iov_is_zero() - is all of it zeroes? */
bool iov_is_zero(const struct iovec *iov, unsigned int n);

/** iov_is_aligned() - addresses by @address, lengths by @length, powers of 2 */
bool iov_is_aligned(const struct iovec *iov, unsigned int n, uint32_t address,
		    uint32_t length);

#endif
