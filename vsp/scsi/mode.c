/* SPDX-License-Identifier: MIT */
/*
 * MODE SENSE and MODE SELECT: the caching page, whose WCE the guest may
 * change, the control page, and what a DVD drive can do.
 *
 * Nothing is saved: the current values are as at first after a reset.  The
 * lists of MODE SELECT are checked whole before anything is changed.
 */
#include <string.h>

#include <glib.h>

#include "vsp/scsi/scsi_private.h"

/* All that MODE SENSE says, and all that MODE SELECT may. */
#define DATA_MAX 256u

/* --- pages: which values, then the page. Return: bytes ------------------------------ */

static size_t caching_page(const struct scsi_lun *lun, unsigned int control,
			   uint8_t *to)
{
	struct scsi_mode_caching p = {
		.code = MODE_PAGE_CACHING,
		.length =
			sizeof(p) - offsetof(struct scsi_mode_caching, flags)};
	bool wce = true;

	if (control == MODE_CURRENT)
		wce = atomic_load(&lun->wce);
	else if (control == MODE_DEFAULT)
		wce = lun->first_wce;
	if (wce)
		p.flags |= CACHING_WCE;
	memcpy(to, &p, sizeof(p));
	return sizeof(p);
}

static size_t control_page(const struct scsi_lun *lun, unsigned int control,
			   uint8_t *to)
{
	struct scsi_mode_control p = {
		.code = MODE_PAGE_CONTROL,
		.length =
			sizeof(p) - offsetof(struct scsi_mode_control, flags2)};

	(void)lun;
	if (control != MODE_CHANGEABLE)
		p.flags3 = CONTROL_REORDER;
	memcpy(to, &p, sizeof(p));
	return sizeof(p);
}

static const struct page {
	uint8_t code, who;
	size_t (*fill)(const struct scsi_lun *lun, unsigned int control,
		       uint8_t *to);
} pages[] = {
	{MODE_PAGE_CACHING, SCSI_DISK, caching_page},
	{MODE_PAGE_CONTROL, SCSI_DISK | SCSI_DVD, control_page},
	{MODE_PAGE_CAPABILITIES, SCSI_DVD, scsi_dvd_capabilities},
};

static size_t fill_pages(const struct scsi_lun *lun, uint8_t code,
			 unsigned int control, uint8_t *to)
{
	size_t at = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
		if ((pages[i].who & lun->who) &&
		    (code == MODE_PAGE_ALL || code == pages[i].code))
			at += pages[i].fill(lun, control, to + at);
	}
	return at;
}

/* --- MODE SENSE ----------------------------------------------------------------------- */

/* Which block descriptor there is. */
enum descriptor {
	NO_DESCRIPTOR,
	SHORT_DESCRIPTOR,
	LONG_DESCRIPTOR
};

static size_t fill_descriptor(const struct scsi_lun *lun, enum descriptor kind,
			      uint8_t *to)
{
	uint64_t blocks = atomic_load(&lun->n_blocks);
	struct scsi_mode_descriptor_long l = {
		.blocks = to_be64(blocks),
		.block_bytes = to_be32(lun->block_bytes)};
	struct scsi_mode_descriptor s = {
		.blocks = to_be32(MIN(blocks, UINT32_MAX)),
		.block_bytes = to_be24(lun->block_bytes)};

	switch (kind) {
	case SHORT_DESCRIPTOR:
		memcpy(to, &s, sizeof(s));
		return sizeof(s);
	case LONG_DESCRIPTOR:
		memcpy(to, &l, sizeof(l));
		return sizeof(l);
	default:
		return 0;
	}
}

static uint8_t device_specific(const struct scsi_lun *lun)
{
	uint8_t device = 0;

	if (lun->who != SCSI_DISK)
		return 0;
	device |= MODE_DEVICE_DPOFUA;
	if (lun->readonly)
		device |= MODE_DEVICE_WP;
	return device;
}

/*
 * Descriptor and pages behind @header bytes of @data.  Return: bytes of both;
 * 0 with the result set.
 */
static size_t fill_data(struct scsi_request *r, enum descriptor kind,
			uint8_t *data, size_t *descriptor_bytes)
{
	unsigned int control = r->cdb[2] >> MODE_CONTROL_SHIFT;
	uint8_t code = r->cdb[2] & MODE_PAGE_MASK, subpage = r->cdb[3];
	size_t bytes;

	if (control == MODE_SAVED) {
		scsi_check(r, SENSE_SAVING);
		return 0;
	}
	if (subpage && (subpage != MODE_SUBPAGE_ALL || code != MODE_PAGE_ALL)) {
		scsi_bad_cdb(r, 3, 7);
		return 0;
	}
	*descriptor_bytes = fill_descriptor(r->lun, kind, data);
	bytes = fill_pages(r->lun, code, control, data + *descriptor_bytes);
	if (!bytes) {
		scsi_bad_cdb(r, 2, 5);
		return 0;
	}
	return *descriptor_bytes + bytes;
}

static enum descriptor wanted_descriptor(const struct scsi_request *r,
					 bool may_be_long)
{
	if (r->lun->who != SCSI_DISK || (r->cdb[1] & MODE_DBD))
		return NO_DESCRIPTOR;
	if (may_be_long && (r->cdb[1] & MODE_LLBAA))
		return LONG_DESCRIPTOR;
	return SHORT_DESCRIPTOR;
}

int scsi_do_mode_sense_6(struct scsi_request *r)
{
	uint8_t data[DATA_MAX] = {0};
	struct scsi_mode_header_6 header = {.device = device_specific(r->lun)};
	size_t descriptor_bytes;
	size_t bytes = fill_data(r, wanted_descriptor(r, false),
				 data + sizeof(header), &descriptor_bytes);

	if (!bytes)
		return SCSI_DONE;
	bytes += sizeof(header);
	/* All but the length itself. */
	header.length = (uint8_t)(bytes - sizeof(header.length));
	header.descriptor_bytes = (uint8_t)descriptor_bytes;
	memcpy(data, &header, sizeof(header));
	return scsi_answer(r, data, bytes, r->cdb[4]);
}

int scsi_do_mode_sense_10(struct scsi_request *r)
{
	uint8_t data[DATA_MAX] = {0};
	struct scsi_cdb_mode10 c;
	struct scsi_mode_header_10 header = {.device = device_specific(r->lun)};
	enum descriptor kind = wanted_descriptor(r, true);
	size_t descriptor_bytes;
	size_t bytes =
		fill_data(r, kind, data + sizeof(header), &descriptor_bytes);

	if (!bytes)
		return SCSI_DONE;
	memcpy(&c, r->cdb, sizeof(c));
	bytes += sizeof(header);
	header.length = to_be16(bytes - sizeof(header.length));
	header.longlba = kind == LONG_DESCRIPTOR ? MODE_LONGLBA : 0;
	header.descriptor_bytes = to_be16(descriptor_bytes);
	memcpy(data, &header, sizeof(header));
	return scsi_answer(r, data, bytes, from_be16(c.length));
}

/* --- MODE SELECT ---------------------------------------------------------------------- */

/* A list of MODE SELECT; the headers of both lengths in one. */
struct list {
	uint8_t data[DATA_MAX];
	size_t bytes, at;
	size_t descriptor_bytes;
	unsigned int at_descriptor_bytes; /* where the header has it */
	bool longlba;
	bool wce; /* what becomes of it */
};

/* Only what is so already may be set. Return: SCSI_IO: it is. */
static int check_descriptor(struct scsi_request *r, const struct list *l)
{
	uint64_t n_blocks = atomic_load(&r->lun->n_blocks), blocks;
	struct scsi_mode_descriptor_long wide;
	struct scsi_mode_descriptor s;
	uint32_t block_bytes;

	if (!l->descriptor_bytes)
		return SCSI_IO;
	if (l->descriptor_bytes != (l->longlba ? sizeof(wide) : sizeof(s)))
		return scsi_bad_list(r, l->at_descriptor_bytes);
	if (l->descriptor_bytes > l->bytes - l->at)
		return scsi_check(r, SENSE_LIST_LENGTH);
	if (l->longlba) {
		memcpy(&wide, l->data + l->at, sizeof(wide));
		blocks = from_be64(wide.blocks);
		block_bytes = from_be32(wide.block_bytes);
	} else {
		memcpy(&s, l->data + l->at, sizeof(s));
		blocks = from_be32(s.blocks);
		block_bytes = from_be24(s.block_bytes);
		n_blocks = MIN(n_blocks, UINT32_MAX);
	}
	/* No number of blocks means all of them. */
	if ((blocks && blocks != n_blocks) ||
	    block_bytes != r->lun->block_bytes)
		return scsi_bad_list(r, (unsigned int)l->at);
	return SCSI_IO;
}

/* The page at l->at, which is left behind. Return: SCSI_IO: it may be so. */
static int check_page(struct scsi_request *r, struct list *l)
{
	uint8_t now[DATA_MAX] = {0}, mask[DATA_MAX] = {0};
	const uint8_t *page = l->data + l->at;
	uint8_t code = page[0] & MODE_PAGE_MASK;
	size_t bytes = fill_pages(r->lun, code, MODE_CURRENT, now);

	if ((page[0] & MODE_PAGE_SPF) || code == MODE_PAGE_ALL || !bytes)
		return scsi_bad_list(r, (unsigned int)l->at);
	if (l->bytes - l->at < 2)
		return scsi_check(r, SENSE_LIST_LENGTH);
	if (page[1] != now[1])
		return scsi_bad_list(r, (unsigned int)l->at + 1);
	if (bytes > l->bytes - l->at)
		return scsi_check(r, SENSE_LIST_LENGTH);
	fill_pages(r->lun, code, MODE_CHANGEABLE, mask);
	for (size_t i = 2; i < bytes; i++) {
		if ((page[i] ^ now[i]) & ~mask[i])
			return scsi_bad_list(r, (unsigned int)(l->at + i));
	}
	if (code == MODE_PAGE_CACHING)
		l->wce = page[offsetof(struct scsi_mode_caching, flags)] &
			 CACHING_WCE;
	l->at += bytes;
	return SCSI_IO;
}

/* What was written with the cache on goes to stable storage as it goes off. */
static int select_pages(struct scsi_request *r, struct list *l)
{
	struct scsi_lun *lun = r->lun;
	int next = check_descriptor(r, l);

	l->at += l->descriptor_bytes;
	while (next == SCSI_IO && l->at < l->bytes)
		next = check_page(r, l);
	if (next != SCSI_IO)
		return next;
	if (atomic_exchange(&lun->wce, l->wce) && !l->wce && !lun->readonly)
		return scsi_flush(r);
	return scsi_good(r);
}

/*
 * Copy the list out, behind a header of @header bytes. Return: SCSI_IO:
 * there is one.
 */
static int get_list(struct scsi_request *r, struct list *l, size_t header,
		    size_t length)
{
	if (r->cdb[1] & MODE_SP)
		return scsi_bad_cdb(r, 1, 0);
	if (!(r->cdb[1] & MODE_PF))
		return scsi_bad_cdb(r, 1, 4);
	if (!length)
		return scsi_good(r);
	if (length > sizeof(l->data))
		return scsi_check(r, SENSE_LIST_LENGTH);
	l->bytes = scsi_copy_out(r, 0, l->data, length);
	if (l->bytes < header)
		return scsi_check(r, SENSE_LIST_LENGTH);
	l->at = header;
	l->wce = atomic_load(&r->lun->wce);
	return SCSI_IO;
}

int scsi_do_mode_select_6(struct scsi_request *r)
{
	struct scsi_mode_header_6 header;
	struct list l = {.at_descriptor_bytes = offsetof(
				 struct scsi_mode_header_6, descriptor_bytes)};
	int next = get_list(r, &l, sizeof(header), r->cdb[4]);

	if (next != SCSI_IO)
		return next;
	memcpy(&header, l.data, sizeof(header));
	l.descriptor_bytes = header.descriptor_bytes;
	return select_pages(r, &l);
}

int scsi_do_mode_select_10(struct scsi_request *r)
{
	struct scsi_mode_header_10 header;
	struct scsi_cdb_mode10 c;
	struct list l = {.at_descriptor_bytes = offsetof(
				 struct scsi_mode_header_10, descriptor_bytes)};
	int next;

	memcpy(&c, r->cdb, sizeof(c));
	next = get_list(r, &l, sizeof(header), from_be16(c.length));
	if (next != SCSI_IO)
		return next;
	memcpy(&header, l.data, sizeof(header));
	l.descriptor_bytes = from_be16(header.descriptor_bytes);
	l.longlba = header.longlba & MODE_LONGLBA;
	return select_pages(r, &l);
}
