/* SPDX-License-Identifier: MIT */
/*
 * scsi_bench.h - a unit on a bench: a disk in memory, commands as the guest
 * sends them, a buffer in pieces.
 */
#ifndef SUPPORT_SCSI_BENCH_H
#define SUPPORT_SCSI_BENCH_H

#include <check.h>

#include "proto/scsi.h"
#include "support/fake_block.h"
#include "vsp/scsi/scsi.h"

#define DISK_BYTES (1u << 20)
#define BUFFER_MAX (1u << 20)
#define GUARD      0xa5
#define PIECES     7u

static struct block *block;
static struct block_queue *queue;
static struct scsi_lun *lun;

/* The guest's buffer; what is behind it is looked at too. */
static uint8_t buffer[BUFFER_MAX + 16];

/* The last command. */
static struct scsi_request request;
static unsigned int n_done;

static const struct scsi_disk_params plain_disk = {
	.identity = {.serial = "SERIAL 1",
		     .id = {0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
			    0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f}}};

static inline void bench_done(struct scsi_request *r)
{
	ck_assert_ptr_eq(r, &request);
	n_done++;
}

/* A disk over @b, which is the bench's from now on. */
static inline void bench_disk(struct block *b,
			      const struct scsi_disk_params *params)
{
	block = b;
	queue = block_queue_new(b, NULL);
	lun = scsi_disk_new(b, params);
}

static inline void bench_free(void)
{
	scsi_lun_free(lun);
	block_queue_free(queue);
	block_free(block);
	lun = NULL;
	queue = NULL;
	block = NULL;
}

/* 1 MiB of 512-byte blocks on 4096-byte ones, thin. */
static inline void bench_new(void)
{
	bench_disk(fake_block(DISK_BYTES, 512), &plain_disk);
}

/* The first @bytes of the buffer, in pieces of odd lengths. */
static inline unsigned int cut(struct iovec *iov, uint32_t bytes)
{
	static const size_t lengths[PIECES - 1] = {1, 3, 0, 508, 100, 924};
	uint8_t *at = buffer;
	unsigned int n = 0;

	for (; n < PIECES - 1; n++) {
		iov[n] = (struct iovec){at, MIN(lengths[n], bytes)};
		at += iov[n].iov_len;
		bytes -= (uint32_t)iov[n].iov_len;
	}
	iov[n++] = (struct iovec){at, bytes};
	return n;
}

/* Send the CDB @cdb with a buffer of @bytes, and see it answered. */
static inline void command(const uint8_t *cdb, unsigned int cdb_bytes,
			   enum scsi_dir dir, uint32_t bytes)
{
	static struct iovec iov[PIECES];
	unsigned int before = n_done;

	memset(&request, 0x77, sizeof(request));
	request.queue = queue;
	memset(request.cdb, 0, sizeof(request.cdb));
	memcpy(request.cdb, cdb, cdb_bytes);
	request.cdb_bytes = (uint8_t)cdb_bytes;
	request.dir = dir;
	request.iov = iov;
	request.n_iov = cut(iov, bytes);
	request.bytes = bytes;
	request.done = bench_done;
	if (dir == SCSI_FROM_DEVICE)
		memset(buffer, GUARD, bytes);
	memset(buffer + bytes, GUARD, 16);
	scsi_submit(lun, &request);
	while (queue && block_queue_in_flight(queue)) {
		ck_assert_uint_eq(n_done, before);
		block_queue_reap(queue);
	}
	ck_assert_uint_eq(n_done, before + 1);
	ck_assert_uint_le(request.transferred, bytes);
	for (unsigned int i = 0; i < 16; i++)
		ck_assert_uint_eq(buffer[bytes + i], GUARD);
	if (dir == SCSI_FROM_DEVICE && request.transferred < bytes)
		ck_assert_uint_eq(buffer[request.transferred], GUARD);
}

#define CDB(...)                        \
	(const uint8_t[]){__VA_ARGS__}, \
		(unsigned int)sizeof((const uint8_t[]){__VA_ARGS__})

/* Sense data of the last command as a SENSE(); 0: it was good. */
static inline uint32_t sensed(void)
{
	if (request.status == SAM_STAT_GOOD)
		return 0;
	ck_assert_uint_eq(request.status, SAM_STAT_CHECK_CONDITION);
	ck_assert_uint_eq(request.sense_bytes, 18);
	ck_assert_uint_eq(request.sense[0] & 0x7f, SENSE_FIXED_CURRENT);
	ck_assert_uint_eq(request.sense[7], 10);
	ck_assert_uint_eq(request.transferred, 0);
	return SENSE(request.sense[2], request.sense[12], request.sense[13]);
}

static inline void assert_good(uint32_t transferred)
{
	ck_assert_uint_eq(sensed(), 0);
	ck_assert_uint_eq(request.transferred, transferred);
}

/* The information field, which must be valid. */
static inline uint32_t information(void)
{
	ck_assert_uint_eq(request.sense[0], 0xf0);
	return (uint32_t)be_get(request.sense + 3, 4);
}

/* Where the fault is said to be: byte, or byte * 8 + bit with SKS_BIT. */
static inline void assert_fault_at(uint8_t flags, unsigned int byte)
{
	ck_assert_uint_eq(request.sense[15], flags);
	ck_assert_uint_eq(be_get(request.sense + 16, 2), byte);
}

static inline void assert_bytes(const uint8_t *want, size_t len)
{
	ck_assert_uint_eq(sensed(), 0);
	ck_assert_uint_eq(request.transferred, len);
	ck_assert_mem_eq(buffer, want, len);
}

/* Bytes that differ from block to block and within one. */
static inline uint8_t pattern(uint64_t at)
{
	return (uint8_t)(at ^ at >> 8 ^ at >> 16 ^ 0x5a);
}

static inline void fill_disk(void)
{
	for (uint64_t i = 0; i < block->info.bytes; i++)
		block->bytes[i] = pattern(i);
}

#endif
