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

#define RESERVE_OUT(text, act, type)                                         \
	ACTION("PERSISTENT RESERVE OUT: " text, PERSISTENT_RESERVE_OUT, act, \
	       SCSI_DISK, 10, 0, scsi_do_reserve_out, (type), 0, 0, LBA4)

/* Bits of CDBs that are looked at: LBA and number. */
#define LBA4 0xff, 0xff, 0xff, 0xff
#define LBA8 LBA4, LBA4

static const struct scsi_command table[] = {
	COMMAND("TEST UNIT READY", TEST_UNIT_READY, BOTH, 6, SCSI_NEEDS_MEDIUM,
		scsi_do_test_unit_ready, 0),
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
	COMMAND("START STOP UNIT", START_STOP, SCSI_DVD, 6, 0,
		scsi_do_dvd_start_stop, 0, 0, 0, 0xf3),
	COMMAND("PREVENT ALLOW MEDIUM REMOVAL", ALLOW_MEDIUM_REMOVAL, SCSI_DVD,
		6, 0, scsi_do_prevent_allow, 0, 0, 0, 0x03),
	COMMAND("READ CAPACITY (10)", READ_CAPACITY, BOTH, 10,
		SCSI_NEEDS_MEDIUM, scsi_do_capacity_10, 0, LBA4, 0, 0, 0x01),
	COMMAND("READ (10)", READ_10, BOTH, 10, SCSI_NEEDS_MEDIUM, scsi_do_read,
		0xf8, LBA4, 0, 0xff, 0xff),
	COMMAND("WRITE (10)", WRITE_10, SCSI_DISK, 10,
		SCSI_NEEDS_MEDIUM | SCSI_WRITES, scsi_do_write, 0xf8, LBA4, 0,
		0xff, 0xff),
	COMMAND("WRITE AND VERIFY (10)", WRITE_VERIFY, SCSI_DISK, 10,
		SCSI_NEEDS_MEDIUM | SCSI_WRITES, scsi_do_write_verify, 0xf6,
		LBA4, 0, 0xff, 0xff),
	COMMAND("VERIFY (10)", VERIFY, SCSI_DISK, 10, SCSI_NEEDS_MEDIUM,
		scsi_do_verify, 0xf6, LBA4, 0, 0xff, 0xff),
	COMMAND("SYNCHRONIZE CACHE (10)", SYNCHRONIZE_CACHE, SCSI_DISK, 10,
		SCSI_NEEDS_MEDIUM, scsi_do_synchronize, 0, LBA4, 0, 0xff, 0xff),
	COMMAND("WRITE SAME (10)", WRITE_SAME, SCSI_DISK, 10,
		SCSI_NEEDS_MEDIUM | SCSI_WRITES, scsi_do_write_same, 0xff, LBA4,
		0, 0xff, 0xff),
	COMMAND("UNMAP", UNMAP, SCSI_DISK, 10,
		SCSI_NEEDS_MEDIUM | SCSI_WRITES | SCSI_NEEDS_THIN,
		scsi_do_unmap, 0x01, 0, 0, 0, 0, 0, 0xff, 0xff),
	COMMAND("READ TOC/PMA/ATIP", READ_TOC, SCSI_DVD, 10, SCSI_NEEDS_MEDIUM,
		scsi_do_read_toc, 0x02, 0x0f, 0, 0, 0, 0xff, 0xff, 0xff, 0xc0),
	COMMAND("GET CONFIGURATION", GET_CONFIGURATION, SCSI_DVD, 10,
		SCSI_IGNORES_UA, scsi_do_get_configuration, 0x03, 0xff, 0xff, 0,
		0, 0, 0xff, 0xff),
	COMMAND("GET EVENT STATUS NOTIFICATION", GET_EVENT_STATUS_NOTIFICATION,
		SCSI_DVD, 10, SCSI_IGNORES_UA, scsi_do_event_status, 0x01, 0, 0,
		0xff, 0, 0, 0xff, 0xff),
	COMMAND("READ DISC INFORMATION", READ_DISC_INFO, SCSI_DVD, 10,
		SCSI_NEEDS_MEDIUM, scsi_do_disc_information, 0x07, 0, 0, 0, 0,
		0, 0xff, 0xff),
	COMMAND("MODE SELECT (10)", MODE_SELECT_10, SCSI_DISK, 10,
		SCSI_NEEDS_MEDIUM, scsi_do_mode_select_10, 0x11, 0, 0, 0, 0, 0,
		0xff, 0xff),
	COMMAND("MODE SENSE (10)", MODE_SENSE_10, BOTH, 10, 0,
		scsi_do_mode_sense_10, 0x18, 0xff, 0xff, 0, 0, 0, 0xff, 0xff),
	ACTION("PERSISTENT RESERVE IN: READ KEYS", PERSISTENT_RESERVE_IN,
	       PRI_READ_KEYS, SCSI_DISK, 10, 0, scsi_do_read_keys, 0, 0, 0, 0,
	       0, 0xff, 0xff),
	ACTION("PERSISTENT RESERVE IN: READ RESERVATION", PERSISTENT_RESERVE_IN,
	       PRI_READ_RESERVATION, SCSI_DISK, 10, 0, scsi_do_read_reservation,
	       0, 0, 0, 0, 0, 0xff, 0xff),
	ACTION("PERSISTENT RESERVE IN: REPORT CAPABILITIES",
	       PERSISTENT_RESERVE_IN, PRI_REPORT_CAPABILITIES, SCSI_DISK, 10, 0,
	       scsi_do_report_capabilities, 0, 0, 0, 0, 0, 0xff, 0xff),
	ACTION("PERSISTENT RESERVE IN: READ FULL STATUS", PERSISTENT_RESERVE_IN,
	       PRI_READ_FULL_STATUS, SCSI_DISK, 10, 0, scsi_do_read_full_status,
	       0, 0, 0, 0, 0, 0xff, 0xff),
	RESERVE_OUT("REGISTER", PRO_REGISTER, 0),
	RESERVE_OUT("RESERVE", PRO_RESERVE, 0xff),
	RESERVE_OUT("RELEASE", PRO_RELEASE, 0xff),
	RESERVE_OUT("CLEAR", PRO_CLEAR, 0),
	RESERVE_OUT("PREEMPT", PRO_PREEMPT, 0xff),
	RESERVE_OUT("PREEMPT AND ABORT", PRO_PREEMPT_AND_ABORT, 0xff),
	RESERVE_OUT("REGISTER AND IGNORE EXISTING KEY", PRO_REGISTER_AND_IGNORE,
		    0),
	COMMAND("READ (16)", READ_16, SCSI_DISK, 16, SCSI_NEEDS_MEDIUM,
		scsi_do_read, 0xf8, LBA8, LBA4),
	COMMAND("COMPARE AND WRITE", COMPARE_AND_WRITE, SCSI_DISK, 16,
		SCSI_NEEDS_MEDIUM | SCSI_WRITES, scsi_do_compare_and_write,
		0xf8, LBA8, 0, 0, 0, 0xff),
	COMMAND("WRITE (16)", WRITE_16, SCSI_DISK, 16,
		SCSI_NEEDS_MEDIUM | SCSI_WRITES, scsi_do_write, 0xf8, LBA8,
		LBA4),
	COMMAND("WRITE AND VERIFY (16)", WRITE_VERIFY_16, SCSI_DISK, 16,
		SCSI_NEEDS_MEDIUM | SCSI_WRITES, scsi_do_write_verify, 0xf6,
		LBA8, LBA4),
	COMMAND("VERIFY (16)", VERIFY_16, SCSI_DISK, 16, SCSI_NEEDS_MEDIUM,
		scsi_do_verify, 0xf6, LBA8, LBA4),
	COMMAND("SYNCHRONIZE CACHE (16)", SYNCHRONIZE_CACHE_16, SCSI_DISK, 16,
		SCSI_NEEDS_MEDIUM, scsi_do_synchronize, 0, LBA8, LBA4),
	COMMAND("WRITE SAME (16)", WRITE_SAME_16, SCSI_DISK, 16,
		SCSI_NEEDS_MEDIUM | SCSI_WRITES, scsi_do_write_same, 0xff, LBA8,
		LBA4),
	ACTION("READ CAPACITY (16)", SERVICE_ACTION_IN_16, SAI_READ_CAPACITY_16,
	       SCSI_DISK, 16, SCSI_NEEDS_MEDIUM, scsi_do_capacity_16, LBA8,
	       LBA4, 0x01),
	ACTION("GET LBA STATUS", SERVICE_ACTION_IN_16, SAI_GET_LBA_STATUS,
	       SCSI_DISK, 16, SCSI_NEEDS_MEDIUM, scsi_do_lba_status, LBA8,
	       LBA4),
	COMMAND("REPORT LUNS", REPORT_LUNS, BOTH, 12, SCSI_IGNORES_UA,
		scsi_do_report_luns, 0, 0xff, 0, 0, 0, LBA4),
	ACTION("REPORT SUPPORTED OPERATION CODES", MAINTENANCE_IN,
	       MI_REPORT_SUPPORTED_OPERATION_CODES, BOTH, 12, 0,
	       scsi_do_report_opcodes, 0x87, 0xff, 0xff, 0xff, LBA4),
	COMMAND("READ (12)", READ_12, BOTH, 12, SCSI_NEEDS_MEDIUM, scsi_do_read,
		0xf8, LBA4, LBA4),
	COMMAND("WRITE (12)", WRITE_12, SCSI_DISK, 12,
		SCSI_NEEDS_MEDIUM | SCSI_WRITES, scsi_do_write, 0xf8, LBA4,
		LBA4),
	COMMAND("READ DVD STRUCTURE", READ_DVD_STRUCTURE, SCSI_DVD, 12,
		SCSI_NEEDS_MEDIUM, scsi_do_dvd_structure, 0, 0, 0, 0, 0, 0xff,
		0xff, 0xff, 0xff),
	COMMAND("WRITE AND VERIFY (12)", WRITE_VERIFY_12, SCSI_DISK, 12,
		SCSI_NEEDS_MEDIUM | SCSI_WRITES, scsi_do_write_verify, 0xf6,
		LBA4, LBA4),
	COMMAND("VERIFY (12)", VERIFY_12, SCSI_DISK, 12, SCSI_NEEDS_MEDIUM,
		scsi_do_verify, 0xf6, LBA4, LBA4),
	COMMAND("MECHANISM STATUS", MECHANISM_STATUS, SCSI_DVD, 12, 0,
		scsi_do_mechanism_status, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff),
};

const struct scsi_command *scsi_commands(unsigned int *n)
{
	*n = G_N_ELEMENTS(table);
	return table;
}

const char *scsi_command_name(uint8_t opcode, uint8_t action)
{
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		const struct scsi_command *c = &table[i];

		if (c->opcode == opcode &&
		    (!(c->flags & SCSI_HAS_ACTION) ||
		     c->action == (action & SERVICE_ACTION_MASK)))
			return c->name;
	}
	return NULL;
}
