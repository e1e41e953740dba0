/* SPDX-License-Identifier: MIT */
/* REPORT SUPPORTED OPERATION CODES: the table of commands, as the guest asks. */
#include <string.h>

#include <glib.h>

#include "vsp/scsi/scsi_private.h"

/* There are no timeouts to tell; a descriptor says so. */
static size_t put_timeouts(uint8_t *to)
{
	struct scsi_opcode_timeouts t = {
		.length = to_be16(sizeof(t) - sizeof(t.length))};

	memcpy(to, &t, sizeof(t));
	return sizeof(t);
}

static size_t put_descriptor(uint8_t *to, const struct scsi_command *c,
			     bool timeouts)
{
	struct scsi_opcode_descriptor d = {.opcode = c->opcode,
					   .cdb_bytes = to_be16(c->cdb_bytes)};

	if (c->flags & SCSI_HAS_ACTION) {
		d.action = to_be16(c->action);
		d.flags |= OPCODE_SERVACTV;
	}
	if (timeouts)
		d.flags |= OPCODE_CTDP;
	memcpy(to, &d, sizeof(d));
	return sizeof(d) + (timeouts ? put_timeouts(to + sizeof(d)) : 0);
}

static int report_all(struct scsi_request *r, bool timeouts,
		      uint32_t allocation)
{
	uint8_t data[4 + NO_ROW * (sizeof(struct scsi_opcode_descriptor) +
				   sizeof(struct scsi_opcode_timeouts))];
	size_t at = 4; /* the length of what follows */
	unsigned int n;
	const struct scsi_command *c = scsi_commands(&n);

	for (unsigned int i = 0; i < n; i++) {
		if (scsi_has(r->lun, &c[i]))
			at += put_descriptor(data + at, &c[i], timeouts);
	}
	be_put(data, 4, at - 4);
	return scsi_answer(r, data, at, allocation);
}

/* Return: the command, and in @any one of its opcode. */
static const struct scsi_command *look_up(const struct scsi_request *r,
					  uint8_t opcode, uint16_t action,
					  const struct scsi_command **any)
{
	unsigned int n;
	const struct scsi_command *c = scsi_commands(&n);

	*any = NULL;
	for (unsigned int i = 0; i < n; i++) {
		if (c[i].opcode != opcode || !scsi_has(r->lun, &c[i]))
			continue;
		*any = &c[i];
		if (!(c[i].flags & SCSI_HAS_ACTION) || c[i].action == action)
			return &c[i];
	}
	return NULL;
}

static int report_one(struct scsi_request *r, const struct scsi_command *c,
		      bool timeouts, uint32_t allocation)
{
	uint8_t data[sizeof(struct scsi_one_opcode) + SCSI_CDB_MAX +
		     sizeof(struct scsi_opcode_timeouts)];
	struct scsi_one_opcode one = {.support = ONE_OPCODE_ABSENT};
	size_t at = sizeof(one);

	if (c) {
		one.support = ONE_OPCODE_SUPPORTED;
		one.cdb_bytes = to_be16(c->cdb_bytes);
		memcpy(data + at, c->usage, c->cdb_bytes);
		at += c->cdb_bytes;
	}
	if (c && timeouts) {
		one.support |= ONE_OPCODE_CTDP;
		at += put_timeouts(data + at);
	}
	memcpy(data, &one, sizeof(one));
	return scsi_answer(r, data, at, allocation);
}

int scsi_do_report_opcodes(struct scsi_request *r)
{
	struct scsi_cdb_report_opcodes cdb;
	const struct scsi_command *c, *any;
	bool timeouts, has_action;

	memcpy(&cdb, r->cdb, sizeof(cdb));
	timeouts = cdb.options & REPORT_OPCODES_RCTD;
	c = look_up(r, cdb.requested, from_be16(cdb.requested_action), &any);
	has_action = any && (any->flags & SCSI_HAS_ACTION);
	switch (cdb.options & REPORT_OPCODES_MASK) {
	case REPORT_OPCODES_ALL:
		return report_all(r, timeouts, from_be32(cdb.allocation));
	case REPORT_OPCODES_NO_SA:
		if (has_action)
			return scsi_bad_cdb(r, 2, 2);
		break;
	case REPORT_OPCODES_SA:
		if (any && !has_action)
			return scsi_bad_cdb(r, 2, 2);
		break;
	case REPORT_OPCODES_EITHER:
		break;
	default:
		return scsi_bad_cdb(r, 2, 2);
	}
	return report_one(r, c, timeouts, from_be32(cdb.allocation));
}
