/* SPDX-License-Identifier: MIT */
/*
 * scsi.h - logical units: what answers a CDB.
 *
 * Theory of operation.  A `struct scsi_lun` is a disk (disk.c) or a DVD drive
 * (dvd.c) over a block back end.  It knows SCSI and no channel: storvsp makes
 * a scsi_request of what the guest sent and gets status, sense data and the
 * number of bytes that moved.  There is one initiator, the guest.
 *
 * A unit is used from as many threads as the controller has channels.  Each
 * has its own block_queue into the unit's storage, so that reads and writes
 * share nothing; what commands change (mode pages, reservations, unit
 * attentions, the medium) is behind the unit's lock, for moments.
 *
 * The guest's buffer is scattered memory that may change at any time: reads
 * and writes of the medium move straight between it and the host; parameter
 * lists are copied out once, and answers are built in a buffer of ours and
 * copied in.
 *
 * Source: SPC-4, SBC-3, MMC-6; what Linux asks: drivers/scsi/{scsi_scan,scsi,
 * sd,sr}.c.
 */
#ifndef VSP_SCSI_SCSI_H
#define VSP_SCSI_SCSI_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "devices/block/block.h"

struct scsi_lun;

#define SCSI_CDB_MAX   16u
#define SCSI_SENSE_MAX 20u /* all that the vstor protocol carries */

enum scsi_dir {
	SCSI_NO_DATA,
	SCSI_TO_DEVICE,
	SCSI_FROM_DEVICE
};

/* One command.  The caller's struct; nothing is allocated for it. */
struct scsi_request {
	/* the caller's, unchanged until done() */
	struct block_queue *queue; /* this thread's; NULL: no medium needed */
	uint8_t cdb[SCSI_CDB_MAX]; /* zeroes behind cdb_bytes */
	uint8_t cdb_bytes;
	enum scsi_dir dir; /* what the guest says of its buffer */
	const struct iovec *iov; /* the buffer: @bytes in @n_iov pieces */
	unsigned int n_iov;
	uint32_t bytes;
	/* On the caller's thread, in scsi_submit() or block_queue_reap(). */
	void (*done)(struct scsi_request *r);

	/* the result */
	uint8_t status; /* SAM_STAT_… */
	uint8_t sense_bytes; /* 0: none */
	uint8_t sense[SCSI_SENSE_MAX];
	uint32_t transferred; /* bytes moved to or from the buffer */

	/* the unit's */
	struct scsi_lun *lun;
	struct block_io io;
	struct iovec own;
	uint64_t at, left;
	unsigned int step;
	void *scratch;
};

/**
 * scsi_submit() - do a command
 *
 * Ends in done(), exactly once, whatever the guest sent.  What went to the
 * medium needs block_queue_kick().
 */
void scsi_submit(struct scsi_lun *lun, struct scsi_request *r);

/**
 * scsi_absent() - the answer for a LUN that is not there
 *
 * INQUIRY says that there is none (peripheral qualifier 3), REPORT LUNS is
 * the caller's; anything else: LOGICAL UNIT NOT SUPPORTED.  Sets the result
 * and does not call done().
 */
void scsi_absent(struct scsi_request *r);

/**
 * scsi_report_luns() - the answer to REPORT LUNS
 * @luns: numbers of those that are there, ascending
 */
void scsi_report_luns(struct scsi_request *r, const uint8_t *luns,
		      unsigned int n);

/** scsi_lun_block() - its storage now; NULL: no medium is in the drive */
struct block *scsi_lun_block(struct scsi_lun *lun);

/** scsi_lun_reset() - LUN, target or bus was reset: unit attention. Any thread */
void scsi_lun_reset(struct scsi_lun *lun);

/** scsi_lun_free() - nothing may be in flight; the block is not freed */
void scsi_lun_free(struct scsi_lun *lun);

#endif
