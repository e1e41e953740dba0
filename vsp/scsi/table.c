/* SPDX-License-Identifier: MIT */
/* The table of commands: what there is, who has it, what must hold for it. */
#include <glib.h>

#include "vsp/scsi/scsi_private.h"

#define BOTH (SCSI_DISK | SCSI_DVD)

/* A row without, and one with a service action. */
#define COMMAND(text, op, whose, bytes, bits, handler, ...)       \
	{                                                         \
		.name = (text), .opcode = (op), .who = (whose),   \
		.flags = (bits), .cdb_bytes = (bytes),            \
		.usage = {(op), __VA_ARGS__}, .handle = (handler) \
	}
#define ACTION(text, op, act, whose, bytes, bits, handler, ...)            \
	{                                                                  \
		.name = (text), .opcode = (op), .action = (act),           \
		.who = (whose), .flags = (bits) | SCSI_HAS_ACTION,         \
		.cdb_bytes = (bytes), .usage = {(op), (act), __VA_ARGS__}, \
		.handle = (handler)                                        \
	}

/* Bits of CDBs that are looked at: LBA and number. */
#define LBA4 0xff, 0xff, 0xff, 0xff
#define LBA8 LBA4, LBA4

static const struct scsi_command table[] = {
	COMMAND("TEST UNIT READY", TEST_UNIT_READY, SCSI_DISK, 6,
		SCSI_NEEDS_MEDIUM, scsi_do_test_unit_ready, 0),
	COMMAND("REQUEST SENSE", REQUEST_SENSE, BOTH, 6, SCSI_IGNORES_UA,
		scsi_do_request_sense, 0x01, 0, 0, 0xff),
	COMMAND("READ (6)", READ_6, SCSI_DISK, 6, SCSI_NEEDS_MEDIUM,
		scsi_do_read, 0x1f, 0xff, 0xff, 0xff),
	COMMAND("WRITE (6)", WRITE_6, SCSI_DISK, 6,
		SCSI_NEEDS_MEDIUM | SCSI_WRITES, scsi_do_write, 0x1f, 0xff,
		0xff, 0xff),
	COMMAND("INQUIRY", INQUIRY, BOTH, 6, SCSI_IGNORES_UA, scsi_do_inquiry,
		0x03, 0xff, 0xff, 0xff),
	COMMAND("MODE SELECT (6)", MODE_SELECT, SCSI_DISK, 6, SCSI_NEEDS_MEDIUM,
		scsi_do_mode_select_6, 0x11, 0, 0, 0xff),
	COMMAND("MODE SENSE (6)", MODE_SENSE, BOTH, 6, 0, scsi_do_mode_sense_6,
		0x08, 0xff, 0xff, 0xff),
	COMMAND("START STOP UNIT", START_STOP, SCSI_DISK, 6, SCSI_NEEDS_MEDIUM,
		scsi_do_start_stop, 0, 0, 0, 0xf7),
	COMMAND("READ CAPACITY (10)", READ_CAPACITY, BOTH, 10,
		SCSI_NEEDS_MEDIUM, scsi_do_capacity_10, 0, LBA4, 0, 0, 0x01),
	COMMAND("READ (10)", READ_10, BOTH, 10, SCSI_NEEDS_MEDIUM, scsi_do_read,
		0xf8, LBA4, 0, 0xff, 0xff),
	COMMAND("WRITE (10)", WRITE_10, SCSI_DISK, 10,
		SCSI_NEEDS_MEDIUM | SCSI_WRITES, scsi_do_write, 0xf8, LBA4, 0,
		0xff, 0xff),
	COMMAND("SYNCHRONIZE CACHE (10)", SYNCHRONIZE_CACHE, SCSI_DISK, 10,
		SCSI_NEEDS_MEDIUM, scsi_do_synchronize, 0, LBA4, 0, 0xff, 0xff),
	COMMAND("MODE SELECT (10)", MODE_SELECT_10, SCSI_DISK, 10,
		SCSI_NEEDS_MEDIUM, scsi_do_mode_select_10, 0x11, 0, 0, 0, 0, 0,
		0xff, 0xff),
	COMMAND("MODE SENSE (10)", MODE_SENSE_10, BOTH, 10, 0,
		scsi_do_mode_sense_10, 0x18, 0xff, 0xff, 0, 0, 0, 0xff, 0xff),
	COMMAND("READ (16)", READ_16, SCSI_DISK, 16, SCSI_NEEDS_MEDIUM,
		scsi_do_read, 0xf8, LBA8, LBA4),
	COMMAND("WRITE (16)", WRITE_16, SCSI_DISK, 16,
		SCSI_NEEDS_MEDIUM | SCSI_WRITES, scsi_do_write, 0xf8, LBA8,
		LBA4),
	COMMAND("SYNCHRONIZE CACHE (16)", SYNCHRONIZE_CACHE_16, SCSI_DISK, 16,
		SCSI_NEEDS_MEDIUM, scsi_do_synchronize, 0, LBA8, LBA4),
	ACTION("READ CAPACITY (16)", SERVICE_ACTION_IN_16, SAI_READ_CAPACITY_16,
	       SCSI_DISK, 16, SCSI_NEEDS_MEDIUM, scsi_do_capacity_16, LBA8,
	       LBA4, 0x01),
	COMMAND("REPORT LUNS", REPORT_LUNS, BOTH, 12, SCSI_IGNORES_UA,
		scsi_do_report_luns, 0, 0xff, 0, 0, 0, LBA4),
	COMMAND("READ (12)", READ_12, BOTH, 12, SCSI_NEEDS_MEDIUM, scsi_do_read,
		0xf8, LBA4, LBA4),
	COMMAND("WRITE (12)", WRITE_12, SCSI_DISK, 12,
		SCSI_NEEDS_MEDIUM | SCSI_WRITES, scsi_do_write, 0xf8, LBA4,
		LBA4),
};

const struct scsi_command *scsi_commands(unsigned int *n)
{
	*n = G_N_ELEMENTS(table);
	return table;
}
