/* SPDX-License-Identifier: MIT */
/*
 * scsi_private.h - what the files of this folder share.
 *
 * Theory of operation.  scsi_submit() finds the command's row in the table
 * (table.c), checks what the row says must hold, and calls its handler.  A
 * handler decides and returns one of scsi_next: the result is set, or r->io
 * is.  In the latter case it goes to the back end, and when it has ended
 * r->step() is called with its result, which returns one of scsi_next again.
 * A command of many pieces (VERIFY, UNMAP) is so a step that returns SCSI_IO
 * until nothing is left.  An io that ends in its own submission does not nest:
 * scsi.c:run() is a loop.
 */
#ifndef VSP_SCSI_SCSI_PRIVATE_H
#define VSP_SCSI_SCSI_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "proto/mmc.h"
#include "proto/scsi.h"
#include "vsp/scsi/scsi.h"

/* What a handler and a step return. */
enum scsi_next {
	SCSI_DONE, /* the result is set */
	SCSI_IO, /* do r->io, then call r->step() */
};

/* --- the table of commands ---------------------------------------------------- */

/* Bits of scsi_command.who */
#define SCSI_DISK 0x1u
#define SCSI_DVD  0x2u

/* Bits of scsi_command.flags */
#define SCSI_NEEDS_MEDIUM 0x1u
#define SCSI_WRITES       0x2u /* refused on what is read-only */
#define SCSI_IGNORES_UA   0x4u /* done with a unit attention pending */
#define SCSI_HAS_ACTION   0x8u /* action is part of what it is */
#define SCSI_NEEDS_THIN   0x10u /* there where blocks can be unmapped */

struct scsi_command {
	const char *name;
	uint8_t opcode, action;
	uint8_t who, flags;
	uint8_t cdb_bytes;
	/* REPORT SUPPORTED OPERATION CODES: bits that are looked at */
	uint8_t usage[SCSI_CDB_MAX];
	int (*handle)(struct scsi_request *r);
};

/** scsi_commands() - the table, all rows of an opcode in a row */
const struct scsi_command *scsi_commands(unsigned int *n);

/** scsi_has() - is @c a command of this unit? */
bool scsi_has(const struct scsi_lun *lun, const struct scsi_command *c);

/* --- the unit ------------------------------------------------------------------ */

/* Bits of scsi_lun.attention; the lowest is told first. */
#define ATTENTION_RESET    0x1u
#define ATTENTION_MEDIUM   0x2u
#define ATTENTION_CAPACITY 0x4u

/* The most that is held for commands that need a buffer of ours. */
#define SCRATCH_BYTES 65536u
#define SCRATCH_MAX   32u /* of them at once, of a unit */

#define NO_ROW 0xff

/* Of one command, unless said otherwise. */
#define SCSI_MAX_TRANSFER (1u << 20)

/* Ranges of one UNMAP. */
#define SCSI_UNMAP_DESCRIPTORS 256u

struct scsi_reservation {
	uint64_t key; /* 0: not registered */
	uint32_t generation;
	uint8_t type; /* 0: not reserved; else the one initiator holds it */
};

struct scsi_lun {
	/* set once */
	uint8_t who; /* SCSI_DISK or SCSI_DVD */
	uint8_t rows[256]; /* first of the opcode in the table, or NO_ROW */
	char vendor[8], product[16], revision[4];
	char *serial;
	uint64_t wwn;
	uint8_t id[16];
	unsigned int block_shift;
	uint32_t block_bytes;
	uint32_t max_blocks; /* of one command */
	bool readonly, thin, unmap_zeroes, first_wce;
	struct coverage_set *coverage;

	/* looked at by every command; changed with the lock held */
	_Atomic(struct block *) block;
	_Atomic uint64_t n_blocks;
	_Atomic uint32_t attention;
	_Atomic bool wce;

	/* commands in flight */
	_Atomic unsigned int n_scratch;
	_Atomic bool exclusive;

	pthread_mutex_t lock;
	/* lock */
	struct block_info info;
	struct scsi_reservation pr;
	/* lock; of a DVD drive */
	struct block *inserted;
	_Atomic bool tray_open;
	_Atomic bool locked;
	uint8_t event; /* MEDIA_… that the guest was not told */
};

/** scsi_lun_new() - what disks and drives have in common; owned */
struct scsi_lun *scsi_lun_new(uint8_t who, const struct scsi_identity *identity,
			      const char *product);

/** scsi_lun_index() - its commands; when all that they depend on is set */
void scsi_lun_index(struct scsi_lun *lun);

/** scsi_lun_info() - the medium as it was last looked at */
struct block_info scsi_lun_info(struct scsi_lun *lun);

/** scsi_take_attention() - the first unit attention, or SENSE_NONE; it is told */
uint32_t scsi_take_attention(struct scsi_lun *lun);

/* --- results: each returns SCSI_DONE -------------------------------------------- */

int scsi_good(struct scsi_request *r);

/** scsi_status() - a status without sense data */
int scsi_status(struct scsi_request *r, uint8_t status);

/** scsi_check() - CHECK CONDITION with @sense, a SENSE() */
int scsi_check(struct scsi_request *r, uint32_t sense);

/** scsi_check_info() - the same, about @info, as far as it has 32 bits */
int scsi_check_info(struct scsi_request *r, uint32_t sense, uint64_t info);

/** scsi_bad_cdb() - INVALID FIELD IN CDB; @bit is the field's highest */
int scsi_bad_cdb(struct scsi_request *r, unsigned int byte, unsigned int bit);

/** scsi_bad_list() - INVALID FIELD IN PARAMETER LIST, at @byte */
int scsi_bad_list(struct scsi_request *r, unsigned int byte);

/** scsi_io_failed() - the back end said -errno @err about block @lba */
int scsi_io_failed(struct scsi_request *r, int err, uint64_t lba);

/** scsi_put_sense() - fixed format sense data in @to. Return: bytes */
size_t scsi_put_sense(struct scsi_sense_fixed *to, uint32_t sense);

/* --- the guest's buffer ---------------------------------------------------------- */

/** scsi_room() - bytes of it, if it is for @dir */
uint32_t scsi_room(const struct scsi_request *r, enum scsi_dir dir);

/** scsi_answer() - GOOD with @len bytes at @data, cut to @allocation */
int scsi_answer(struct scsi_request *r, const void *data, size_t len,
		uint64_t allocation);

/**
 * scsi_copy_out() - copy from @offset of the buffer, and count as transferred
 *
 * Return: bytes; less than @len if the buffer ends.
 */
size_t scsi_copy_out(struct scsi_request *r, uint64_t offset, void *to,
		     size_t len);

/**
 * scsi_compare() - @len bytes at @offset of the buffer with @with
 * @where: byte of @with that differs
 *
 * Return: are they the same?  The buffer must be so long.
 */
bool scsi_compare(struct scsi_request *r, uint64_t offset, const uint8_t *with,
		  size_t len, size_t *where);

/* --- storage ----------------------------------------------------------------------- */

/** scsi_io() - set r->io up, without pieces. Return: SCSI_IO */
int scsi_io(struct scsi_request *r, enum block_op op, uint64_t offset,
	    uint64_t bytes, int (*step)(struct scsi_request *r, int result));

/** scsi_flush() - a FLUSH, then GOOD or its error. Return: SCSI_IO */
int scsi_flush(struct scsi_request *r);

/** scsi_fua() - BLOCK_FUA if @fua, or if the write cache is off */
uint32_t scsi_fua(const struct scsi_request *r, bool fua);

/**
 * scsi_scratch() - @bytes of memory, freed when the command ends
 *
 * Return: false: there is too much of it already, the answer is BUSY.
 */
bool scsi_scratch(struct scsi_request *r, size_t bytes);

/* A range of blocks, as the CDB has it. */
struct scsi_range {
	uint64_t lba;
	uint64_t blocks;
	uint8_t flags; /* byte 1; 0 in a CDB of 6 bytes */
	uint8_t count_byte; /* where the CDB has the number */
};

/** scsi_range() - of a read, write or the like, by the length of its CDB */
struct scsi_range scsi_range(const struct scsi_request *r);

/** scsi_range_inside() - does it lie on the medium? */
bool scsi_range_inside(const struct scsi_request *r, uint64_t lba,
		       uint64_t blocks);

/**
 * scsi_range_checked() - what all of them are refused for
 * @max: blocks
 *
 * Return: SCSI_IO: nothing; SCSI_DONE: the result is set.
 */
int scsi_range_checked(struct scsi_request *r, const struct scsi_range *range,
		       uint64_t max);

/* --- handlers, by file -------------------------------------------------------------- */

/* disk_rw.c */
int scsi_do_read(struct scsi_request *r);
int scsi_do_write(struct scsi_request *r);
int scsi_do_synchronize(struct scsi_request *r);

/**
 * scsi_move() - set up the one io of @range, from or to the guest's buffer
 *
 * Its step sets the result; r->at and r->left are what is moved.
 *
 * Return: SCSI_IO; SCSI_DONE: there is nothing to do, or it is refused.
 */
int scsi_move(struct scsi_request *r, enum block_op op,
	      const struct scsi_range *range);

/* disk_verify.c */
int scsi_do_verify(struct scsi_request *r);
int scsi_do_write_verify(struct scsi_request *r);
int scsi_do_compare_and_write(struct scsi_request *r);
/* blocks, that page B0 speaks of */
uint32_t scsi_compare_and_write_max(const struct scsi_lun *lun);

/* disk_space.c */
int scsi_do_unmap(struct scsi_request *r);
int scsi_do_write_same(struct scsi_request *r);
int scsi_do_lba_status(struct scsi_request *r);
uint64_t scsi_write_same_max(const struct scsi_lun *lun);

/* inquiry.c */
int scsi_do_inquiry(struct scsi_request *r);

/* capacity.c */
int scsi_do_capacity_10(struct scsi_request *r);
int scsi_do_capacity_16(struct scsi_request *r);

/* mode.c */
int scsi_do_mode_sense_6(struct scsi_request *r);
int scsi_do_mode_sense_10(struct scsi_request *r);
int scsi_do_mode_select_6(struct scsi_request *r);
int scsi_do_mode_select_10(struct scsi_request *r);

/* unit.c */
int scsi_do_test_unit_ready(struct scsi_request *r);
int scsi_do_request_sense(struct scsi_request *r);
int scsi_do_start_stop(struct scsi_request *r);
int scsi_do_report_luns(struct scsi_request *r);

/* dvd.c */
int scsi_do_dvd_start_stop(struct scsi_request *r);
int scsi_do_prevent_allow(struct scsi_request *r);
int scsi_do_event_status(struct scsi_request *r);
int scsi_do_mechanism_status(struct scsi_request *r);
size_t scsi_dvd_capabilities(const struct scsi_lun *lun, unsigned int control,
			     uint8_t *to);

/* dvd_info.c */
int scsi_do_get_configuration(struct scsi_request *r);
int scsi_do_read_toc(struct scsi_request *r);
int scsi_do_disc_information(struct scsi_request *r);
int scsi_do_dvd_structure(struct scsi_request *r);

/* opcodes.c */
int scsi_do_report_opcodes(struct scsi_request *r);

/* reserve.c */
int scsi_do_read_keys(struct scsi_request *r);
int scsi_do_read_reservation(struct scsi_request *r);
int scsi_do_report_capabilities(struct scsi_request *r);
int scsi_do_read_full_status(struct scsi_request *r);
int scsi_do_reserve_out(struct scsi_request *r);

#endif
