/* SPDX-License-Identifier: MIT */
/*
 * scsi.h - logical units: what answers a CDB.
 *
 * Theory of operation.  A `struct scsi_lun` is a disk or a DVD drive over a
 * block back end.  It knows SCSI and no channel: storvsp makes a scsi_request
 * of what the guest sent and gets status, sense data and the number of bytes
 * that moved.  There is one initiator, the guest.
 *
 * A unit is used from as many threads as the controller has channels.  Each
 * has its own block_queue into the unit's storage, so that reads and writes
 * share nothing; what commands change (mode pages, reservations, unit
 * attentions, the medium) is behind the unit's lock, for moments.
 *
 * The guest's buffer is scattered memory that may change at any time: reads
 * and writes of the medium move straight between it and the host; parameter
 * lists are copied out once, and answers are built in a buffer of ours and
 * copied in.  A command moves as much as the buffer and the CDB both have, of
 * the medium in whole blocks: less than the CDB says is no error.  A buffer
 * for the other direction counts as none.
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
struct scsi_command;
struct coverage_set;

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
	unsigned int
		n_iov; /* for the medium at most BLOCK_IOV_MAX, or refused */
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
	const struct scsi_command *command;
	struct block_io io;
	struct iovec own;
	int (*step)(struct scsi_request *r, int result); /* after io */
	uint64_t at, left; /* on the medium, in bytes */
	uint64_t moved; /* of the buffer */
	unsigned int part, n_parts;
	int result; /* of an io that ended in its submission */
	uint8_t state;
	bool counted; /* has some of what scratch there may be */
	bool exclusive; /* holds the unit's right to COMPARE AND WRITE */
	void *scratch;
};

/* Who it says it is.  NULL and 0: as Hyper-V has it, or nothing. */
struct scsi_identity {
	const char *vendor; /* 8 characters are kept, of the product 16 */
	const char *product;
	const char *revision; /* 4 */
	const char *serial; /* SCSI_SERIAL_MAX; NULL: none is shown */
	uint64_t wwn; /* NAA 5 or 2; 0: one is made of @id */
	uint8_t id[16]; /* a GUID that no other unit has */
};

#define SCSI_SERIAL_MAX 64u

struct scsi_disk_params {
	struct scsi_identity identity;
	uint32_t max_transfer_bytes; /* of one command; 0: 1 MiB */
	bool readonly; /* also if the storage is not */
	bool write_through; /* the write cache is off until the guest sets it */
	bool no_unmap; /* the guest is not offered UNMAP */
	bool unmap_zeroes; /* what was unmapped reads as zeroes: may be slow */
};

/**
 * scsi_disk_new() - a disk
 * @block: borrowed until scsi_lun_free()
 *
 * Logical and physical block size are the storage's.
 *
 * Return: owned.
 */
struct scsi_lun *scsi_disk_new(struct block *block,
			       const struct scsi_disk_params *params);

/**
 * scsi_dvd_new() - a DVD drive
 * @block: the medium in it, as of scsi_dvd_insert(); NULL: none
 *
 * Return: owned.
 */
struct scsi_lun *scsi_dvd_new(struct block *block,
			      const struct scsi_identity *identity);

/**
 * scsi_dvd_insert() - put a medium into the drive, and close it. Any thread
 * @block: borrowed until it was ejected and all queues into it are gone;
 *         blocks of 512 bytes, of which the drive makes 2048
 *
 * The guest has a unit attention and an event.
 *
 * Return: 0; -EBUSY: there is one in it; -EINVAL: of 4096 bytes, or no drive.
 */
int scsi_dvd_insert(struct scsi_lun *lun, struct block *block);

/**
 * scsi_dvd_eject() - take the medium out. Any thread
 * @force: also if the guest has locked the drive
 *
 * Return: 0; -ENOMEDIUM; -EBUSY: it is locked, and the guest is asked to let
 * it go, which it does by opening the tray: then this can be called again.
 */
int scsi_dvd_eject(struct scsi_lun *lun, bool force);

struct scsi_dvd_status {
	bool inserted, tray_open, locked;
};

void scsi_dvd_get_status(struct scsi_lun *lun, struct scsi_dvd_status *status);

/**
 * scsi_submit() - do a command
 *
 * Ends in done(), exactly once, whatever the guest sent.  What went to the
 * medium needs block_queue_kick(): after this, and after block_queue_reap(),
 * where a command of several steps goes on to its next.
 */
void scsi_submit(struct scsi_lun *lun, struct scsi_request *r);

/**
 * scsi_fail() - the result of a command that no unit is asked about
 * @status: SAM_STAT_…, which is a byte, or SENSE(), which is more
 *
 * done() is not called.
 */
void scsi_fail(struct scsi_request *r, uint32_t status);

/**
 * scsi_command_name() - "READ (10)" for the first two bytes of a CDB
 *
 * Return: borrowed for ever; NULL: no unit has that command.
 */
const char *scsi_command_name(uint8_t opcode, uint8_t action);

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
 *
 * Checks the CDB.  Sets the result and does not call done().
 */
void scsi_report_luns(struct scsi_request *r, const uint8_t *luns,
		      unsigned int n);

/**
 * scsi_lun_block() - its storage now; NULL: no medium, or the tray is open
 *
 * A drive's changes: a request that comes with another medium's queue, or
 * without one, is answered NOT READY.
 */
struct block *scsi_lun_block(struct scsi_lun *lun);

/**
 * scsi_lun_reset() - LUN, target or bus was reset: unit attention. Any thread
 *
 * What is in flight is the caller's to drain.  Mode pages are as at first;
 * reservations stay (SPC-4 "Preserving persistent reservations").
 */
void scsi_lun_reset(struct scsi_lun *lun);

/**
 * scsi_lun_resized() - look at the size of its storage. Any thread
 *
 * After block_refresh().  If it is another: unit attention, CAPACITY DATA HAS
 * CHANGED, which makes Linux read the capacity anew.
 */
void scsi_lun_resized(struct scsi_lun *lun);

/**
 * scsi_lun_coverage() - how often each command came, for the report
 *
 * Statuses are sense data, SENSE() of include/proto/scsi.h; a number is the
 * opcode, and the service action above it: 0x109e.  Borrowed.
 */
const struct coverage_set *scsi_lun_coverage(const struct scsi_lun *lun);

/** scsi_lun_free() - nothing may be in flight; the block is not freed */
void scsi_lun_free(struct scsi_lun *lun);

#endif
