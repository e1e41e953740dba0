/* SPDX-License-Identifier: MIT */
/*
 * A DVD drive: its tray, its lock, what happens to its medium.
 *
 * The host puts a medium in and takes it out; the guest opens the tray with
 * it in, and closes it again.  With the tray open there is no medium for the
 * guest.  A guest that locked the drive, as Linux does while the disc is
 * mounted, is asked (MMC-6 media event EjectRequest) and not overruled, unless
 * the host insists.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include <glib.h>

#include "vsp/scsi/scsi_private.h"

/* The guest sees what is in the tray, or nothing. The lock is held. */
static void show_medium(struct scsi_lun *lun)
{
	struct block *block = lun->tray_open ? NULL : lun->inserted;

	if (block)
		lun->info = block_info(block);
	else
		memset(&lun->info, 0, sizeof(lun->info));
	atomic_store(&lun->n_blocks, lun->info.bytes >> lun->block_shift);
	atomic_store(&lun->block, block);
}

/* Something new to read, or something that is gone. The lock is held. */
static void medium_event(struct scsi_lun *lun, uint8_t event)
{
	lun->event = event;
	if (event == MEDIA_NEW)
		atomic_fetch_or(&lun->attention, ATTENTION_MEDIUM);
}

/* --- for the host ------------------------------------------------------------------ */

struct scsi_lun *scsi_dvd_new(struct block *block,
			      const struct scsi_identity *identity)
{
	struct scsi_lun *lun =
		scsi_lun_new(SCSI_DVD, identity, "Virtual DVD-ROM");

	lun->block_bytes = DVD_BLOCK_BYTES;
	lun->block_shift = DVD_BLOCK_SHIFT;
	lun->readonly = true;
	lun->max_blocks = SCSI_MAX_TRANSFER >> DVD_BLOCK_SHIFT;
	scsi_lun_index(lun);
	if (block)
		scsi_dvd_insert(lun, block);
	/* As with a disk there is nothing to tell of what was there first. */
	atomic_store(&lun->attention, 0);
	lun->event = MEDIA_NO_EVENT;
	return lun;
}

int scsi_dvd_insert(struct scsi_lun *lun, struct block *block)
{
	struct block_info info = block_info(block);
	int err = 0;

	if (lun->who != SCSI_DVD || info.block_bytes > DVD_BLOCK_BYTES)
		return -EINVAL;
	pthread_mutex_lock(&lun->lock);
	if (lun->inserted) {
		err = -EBUSY;
	} else {
		lun->inserted = block;
		lun->tray_open = false;
		show_medium(lun);
		medium_event(lun, MEDIA_NEW);
	}
	pthread_mutex_unlock(&lun->lock);
	return err;
}

int scsi_dvd_eject(struct scsi_lun *lun, bool force)
{
	int err = 0;

	if (lun->who != SCSI_DVD)
		return -EINVAL;
	pthread_mutex_lock(&lun->lock);
	if (!lun->inserted) {
		err = -ENOMEDIUM;
	} else if (lun->locked && !force) {
		medium_event(lun, MEDIA_EJECT_REQUEST);
		err = -EBUSY;
	} else {
		lun->inserted = NULL;
		lun->locked = false;
		show_medium(lun);
		medium_event(lun, MEDIA_REMOVAL);
	}
	pthread_mutex_unlock(&lun->lock);
	return err;
}

void scsi_dvd_get_status(struct scsi_lun *lun, struct scsi_dvd_status *status)
{
	pthread_mutex_lock(&lun->lock);
	*status = (struct scsi_dvd_status){.inserted = lun->inserted != NULL,
					   .tray_open = lun->tray_open,
					   .locked = lun->locked};
	pthread_mutex_unlock(&lun->lock);
}

/* --- for the guest ------------------------------------------------------------------- */

/* Return: 0, or what is wrong with it. */
static uint32_t move_tray(struct scsi_lun *lun, bool open)
{
	if (open && lun->locked)
		return SENSE_REMOVAL_PREVENTED;
	if (open == atomic_load(&lun->tray_open))
		return SENSE_NONE;
	lun->tray_open = open;
	show_medium(lun);
	if (lun->inserted)
		medium_event(lun, open ? MEDIA_REMOVAL : MEDIA_NEW);
	return SENSE_NONE;
}

int scsi_do_dvd_start_stop(struct scsi_request *r)
{
	struct scsi_lun *lun = r->lun;
	uint8_t how = r->cdb[4];
	uint32_t sense;

	if ((how & START_STOP_CONDITION_MASK) || !(how & START_STOP_LOEJ))
		return scsi_good(r);
	pthread_mutex_lock(&lun->lock);
	sense = move_tray(lun, !(how & START_STOP_START));
	pthread_mutex_unlock(&lun->lock);
	return sense == SENSE_NONE ? scsi_good(r) : scsi_check(r, sense);
}

int scsi_do_prevent_allow(struct scsi_request *r)
{
	struct scsi_lun *lun = r->lun;

	if (r->cdb[4] & PREVENT_PERSISTENT)
		return scsi_bad_cdb(r, 4, 1);
	pthread_mutex_lock(&lun->lock);
	lun->locked = r->cdb[4] & PREVENT_REMOVAL;
	pthread_mutex_unlock(&lun->lock);
	return scsi_good(r);
}

/* MMC-6 "GET EVENT STATUS NOTIFICATION": of the classes there is media. */
int scsi_do_event_status(struct scsi_request *r)
{
	struct scsi_lun *lun = r->lun;
	struct mmc_cdb_10 c;
	struct mmc_media_event e = {
		.length = to_be16(sizeof(e) - sizeof(e.length)),
		.event_class = MMC_CLASS_MEDIA,
		.classes = 1u << MMC_CLASS_MEDIA};
	size_t bytes = sizeof(e);

	memcpy(&c, r->cdb, sizeof(c));
	if (!(c.flags & MMC_POLLED))
		return scsi_bad_cdb(r, 1, 0);
	if (!(c.field4 & 1u << MMC_CLASS_MEDIA)) {
		bytes = offsetof(struct mmc_media_event, event);
		e.length = to_be16(bytes - sizeof(e.length));
		e.event_class = MMC_NO_EVENT_AVAILABLE;
		return scsi_answer(r, &e, bytes, from_be16(c.allocation));
	}
	pthread_mutex_lock(&lun->lock);
	e.event = lun->event;
	if (lun->tray_open)
		e.status |= MMC_MEDIA_OPEN;
	if (atomic_load(&lun->block))
		e.status |= MMC_MEDIA_PRESENT;
	/* It is told once, if there was room to tell it. */
	if (from_be16(c.allocation) > offsetof(struct mmc_media_event, event))
		lun->event = MEDIA_NO_EVENT;
	pthread_mutex_unlock(&lun->lock);
	return scsi_answer(r, &e, bytes, from_be16(c.allocation));
}

int scsi_do_mechanism_status(struct scsi_request *r)
{
	struct mmc_cdb_12 c;
	uint8_t data[8] = {[5] = 1}; /* one slot, no table of them */

	memcpy(&c, r->cdb, sizeof(c));
	if (atomic_load(&r->lun->tray_open))
		data[1] = MECHANISM_DOOR_OPEN;
	return scsi_answer(r, data, sizeof(data), from_be16(c.allocation));
}

/* MMC-3 "MM Capabilities and Mechanical Status Page", obsolete, but asked for. */
size_t scsi_dvd_capabilities(const struct scsi_lun *lun, unsigned int control,
			     uint8_t *to)
{
	struct mmc_capabilities p = {
		.code = MODE_PAGE_CAPABILITIES,
		.length = sizeof(p) - offsetof(struct mmc_capabilities, reads)};

	if (control != MODE_CHANGEABLE) {
		p.reads = CAPABILITIES_READS;
		p.features = CAPABILITIES_FEATURES;
		p.mechanism = MMC_TRAY | MMC_EJECT | MMC_LOCK;
		if (lun->locked)
			p.mechanism |= CAPABILITIES_LOCKED;
		p.max_speed = to_be16(CAPABILITIES_SPEED);
		p.volume_levels = to_be16(2);
		p.buffer_kib = to_be16(512);
		p.current_speed = to_be16(CAPABILITIES_SPEED);
	}
	memcpy(to, &p, sizeof(p));
	return sizeof(p);
}
