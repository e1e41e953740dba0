/* SPDX-License-Identifier: MIT */
/* Commands about the unit itself, and about those that are not there. */
#include <string.h>

#include <glib.h>

#include "vsp/scsi/scsi_private.h"

int scsi_do_test_unit_ready(struct scsi_request *r)
{
	return scsi_good(r); /* the table's flags said the rest */
}

int scsi_do_request_sense(struct scsi_request *r)
{
	struct scsi_sense_fixed data;

	if (r->cdb[1] & REQUEST_SENSE_DESC)
		return scsi_bad_cdb(r, 1, 0);
	scsi_put_sense(&data, scsi_take_attention(r->lun));
	return scsi_answer(r, &data, sizeof(data), r->cdb[4]);
}

/*
 * There is nothing to spin down: a disk that is stopped goes on as before, as
 * Hyper-V's do, but what it was given is on stable storage.
 */
int scsi_do_start_stop(struct scsi_request *r)
{
	uint8_t how = r->cdb[4];

	if (how & START_STOP_LOEJ)
		return scsi_bad_cdb(r, 4, 1);
	if ((how & START_STOP_CONDITION_MASK) || !(how & START_STOP_START)) {
		if (!(how & START_STOP_NO_FLUSH) && !r->lun->readonly)
			return scsi_flush(r);
	}
	return scsi_good(r);
}

/* --- LUNs --------------------------------------------------------------------- */

void scsi_report_luns(struct scsi_request *r, const uint8_t *luns,
		      unsigned int n)
{
	uint8_t data[LUN_BYTES * (256 + 1)] = {0};
	struct scsi_cdb_report_luns c;
	struct be32 length;

	r->status = SAM_STAT_GOOD;
	r->sense_bytes = 0;
	r->transferred = 0;
	memcpy(&c, r->cdb, sizeof(c));
	if (c.select > REPORT_LUNS_ALL) {
		scsi_bad_cdb(r, 2, 7);
		return;
	}
	if (from_be32(c.allocation) < REPORT_LUNS_ALLOC_MIN) {
		scsi_bad_cdb(r,
			     offsetof(struct scsi_cdb_report_luns, allocation),
			     7);
		return;
	}
	n = c.select == REPORT_LUNS_WELL_KNOWN ? 0 : MIN(n, 256);
	length = to_be32((uint64_t)n * LUN_BYTES);
	memcpy(data, &length, sizeof(length));
	for (unsigned int i = 0; i < n; i++)
		data[LUN_BYTES * (i + 1) + 1] = luns[i];
	scsi_answer(r, data, LUN_BYTES * (size_t)(n + 1),
		    from_be32(c.allocation));
}

/* If nobody does it in the unit's place: it knows of itself alone. */
int scsi_do_report_luns(struct scsi_request *r)
{
	static const uint8_t zero;

	scsi_report_luns(r, &zero, 1);
	return SCSI_DONE;
}

/*
 * Linux drivers/scsi/scsi_scan.c:scsi_probe_and_add_lun() takes qualifier 3
 * for "no unit", and the error that it would be otherwise for an empty disk:
 * storvsc has INQUIRY succeed always.
 */
void scsi_absent(struct scsi_request *r)
{
	struct scsi_inquiry_data data = {
		.peripheral = TYPE_NO_LUN,
		.version = INQUIRY_VERSION_SPC3,
		.format = INQUIRY_FORMAT,
		.additional_length =
			offsetof(struct scsi_inquiry_data, vendor_specific) -
			offsetof(struct scsi_inquiry_data, flags5)};
	struct scsi_cdb_inquiry c;
	size_t bytes = offsetof(struct scsi_inquiry_data, vendor_specific);

	r->status = SAM_STAT_GOOD;
	r->sense_bytes = 0;
	r->transferred = 0;
	memcpy(&c, r->cdb, sizeof(c));
	if (c.opcode != INQUIRY) {
		scsi_check(r, SENSE_NO_SUCH_LUN);
		return;
	}
	if (c.flags & INQUIRY_EVPD) { /* a page of nothing */
		struct scsi_vpd_header header = {.peripheral = TYPE_NO_LUN,
						 .page = c.page};

		scsi_answer(r, &header, sizeof(header),
			    from_be16(c.allocation));
		return;
	}
	scsi_answer(r, &data, bytes, from_be16(c.allocation));
}
