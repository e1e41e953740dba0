/* SPDX-License-Identifier: MIT */
/* What all units have in common: life, dispatch, unit attention. */
#include "vsp/scsi/scsi.h"

#include <assert.h>
#include <string.h>

#include <glib.h>

#include "base/coverage.h"
#include "base/log.h"
#include "vsp/scsi/scsi_private.h"

#define LOG_CATEGORY "scsi"

/* scsi_request.state */
enum state {
	AT_REST, /* no io, or one in flight */
	SUBMITTING, /* within block_queue_submit() */
	ENDED_EARLY, /* and its io has ended there */
};

/* --- commands ------------------------------------------------------------------ */

bool scsi_has(const struct scsi_lun *lun, const struct scsi_command *c)
{
	return (c->who & lun->who) &&
	       (!(c->flags & SCSI_NEEDS_THIN) || lun->thin);
}

/* Return: the command's row; NULL with the result set. */
static const struct scsi_command *find_command(struct scsi_request *r)
{
	const struct scsi_lun *lun = r->lun;
	uint8_t opcode = r->cdb[0], row = lun->rows[opcode];
	uint8_t action = r->cdb[1] & SERVICE_ACTION_MASK;
	const struct scsi_command *c;
	unsigned int n;

	if (row == NO_ROW) {
		coverage_unknown(lun->coverage);
		scsi_check(r, SENSE_INVALID_OPCODE);
		return NULL;
	}
	for (c = scsi_commands(&n) + row; n-- > row && c->opcode == opcode;
	     c++) {
		if (scsi_has(lun, c) &&
		    (!(c->flags & SCSI_HAS_ACTION) || c->action == action))
			return c;
	}
	scsi_bad_cdb(r, 1, 4);
	return NULL;
}

/* The lowest that is pending, which is so no more. Return: 0 if none is. */
static uint32_t take_attention(struct scsi_lun *lun)
{
	uint32_t pending =
		atomic_load_explicit(&lun->attention, memory_order_relaxed);
	uint32_t first;

	if (!pending)
		return 0;
	do {
		first = pending & -pending;
	} while (pending &&
		 !atomic_compare_exchange_weak(&lun->attention, &pending,
					       pending & ~first));
	return pending ? first : 0;
}

uint32_t scsi_take_attention(struct scsi_lun *lun)
{
	switch (take_attention(lun)) {
	case ATTENTION_RESET:
		return SENSE_RESET;
	case ATTENTION_MEDIUM:
		return SENSE_MEDIUM_CHANGED;
	case ATTENTION_CAPACITY:
		return SENSE_CAPACITY_CHANGED;
	default:
		return SENSE_NONE;
	}
}

/* What the row says must hold. Return: SCSI_IO: it does. */
static int check_row(struct scsi_request *r, const struct scsi_command *c)
{
	struct scsi_lun *lun = r->lun;
	uint32_t sense;

	if (r->cdb_bytes < c->cdb_bytes)
		return scsi_check(r, SENSE_INVALID_CDB);
	if (!(c->flags & SCSI_IGNORES_UA)) {
		sense = scsi_take_attention(lun);
		if (sense != SENSE_NONE)
			return scsi_check(r, sense);
	}
	if (c->flags & SCSI_NEEDS_MEDIUM) {
		struct block *block = atomic_load(&lun->block);

		if (!block)
			return scsi_check(r, atomic_load(&lun->tray_open)
						     ? SENSE_NO_MEDIUM_OPEN
						     : SENSE_NO_MEDIUM_CLOSED);
		/* It was changed, and the caller has not seen it yet. */
		if (!r->queue || block_queue_block(r->queue) != block)
			return scsi_check(r, SENSE_BECOMING_READY);
	}
	if ((c->flags & SCSI_WRITES) && lun->readonly)
		return scsi_check(r, SENSE_WRITE_PROTECTED);
	return SCSI_IO;
}

static int begin(struct scsi_request *r)
{
	const struct scsi_command *c = find_command(r);

	if (!c)
		return SCSI_DONE;
	r->command = c;
	if (check_row(r, c) == SCSI_DONE)
		return SCSI_DONE;
	return c->handle(r);
}

/* --- to the back end and back ---------------------------------------------------- */

static void count(const struct scsi_request *r)
{
	struct coverage_entry *e;
	unsigned int n;

	if (!r->command)
		return;
	e = &r->lun->coverage->entries[r->command - scsi_commands(&n)];
	coverage_hit(e);
	if (r->status == SAM_STAT_CHECK_CONDITION)
		coverage_status(e,
				SENSE(r->sense[2], r->sense[12], r->sense[13]));
	else
		coverage_status(e, (uint32_t)r->status << 24);
}

static void end(struct scsi_request *r)
{
	struct scsi_lun *lun = r->lun;

	if (r->counted)
		atomic_fetch_sub(&lun->n_scratch, 1);
	if (r->exclusive)
		atomic_store(&lun->exclusive, false);
	g_free(r->scratch);
	r->scratch = NULL;
	count(r);
	if (r->status && log_enabled(LOG_DEBUG, LOG_CATEGORY))
		log_debug_ratelimited(
			"%s (%#x): status %#x, sense %x/%02x/%02x",
			r->command ? r->command->name : "unknown command",
			r->cdb[0], r->status, r->sense[2], r->sense[12],
			r->sense[13]);
	r->done(r);
}

static void on_io(struct block_io *io, int result);

/* Do what handlers and steps ask for, until the storage takes its time. */
static void run(struct scsi_request *r, int next)
{
	while (next == SCSI_IO) {
		r->io.done = on_io;
		r->state = SUBMITTING;
		block_queue_submit(r->queue, &r->io);
		if (r->state != ENDED_EARLY) {
			r->state = AT_REST;
			return;
		}
		r->state = AT_REST;
		next = r->step(r, r->result);
	}
	end(r);
}

static void on_io(struct block_io *io, int result)
{
	struct scsi_request *r =
		(void *)((char *)io - offsetof(struct scsi_request, io));

	if (r->state == SUBMITTING) {
		r->state = ENDED_EARLY;
		r->result = result;
		return;
	}
	run(r, r->step(r, result));
}

void scsi_submit(struct scsi_lun *lun, struct scsi_request *r)
{
	r->lun = lun;
	r->command = NULL;
	r->status = SAM_STAT_GOOD;
	r->sense_bytes = 0;
	r->transferred = 0;
	r->state = AT_REST;
	r->exclusive = false;
	r->counted = false;
	r->scratch = NULL;
	run(r, begin(r));
}

/* --- life ------------------------------------------------------------------------- */

/* Text of @size characters, padded with blanks; without what is not ASCII. */
static void put_text(char *to, size_t size, const char *text)
{
	size_t len = strnlen(text, size);

	memset(to, ' ', size);
	for (size_t i = 0; i < len; i++) {
		if (text[i] >= 0x20 && text[i] < 0x7f)
			to[i] = text[i];
	}
}

void scsi_lun_index(struct scsi_lun *lun)
{
	const struct scsi_command *c;
	unsigned int n;

	memset(lun->rows, NO_ROW, sizeof(lun->rows));
	c = scsi_commands(&n);
	assert(n < NO_ROW);
	lun->coverage = coverage_new("scsi", n);
	for (unsigned int i = n; i-- > 0;) {
		lun->coverage->entries[i].name = c[i].name;
		lun->coverage->entries[i].number =
			(uint64_t)c[i].action << 8 | c[i].opcode;
		if (scsi_has(lun, &c[i]))
			lun->rows[c[i].opcode] = (uint8_t)i;
	}
}

struct scsi_lun *scsi_lun_new(uint8_t who, const struct scsi_identity *identity,
			      const char *product)
{
	struct scsi_lun *lun = g_new0(struct scsi_lun, 1);

	lun->who = who;
	put_text(lun->vendor, sizeof(lun->vendor),
		 identity->vendor ? identity->vendor : "Msft");
	put_text(lun->product, sizeof(lun->product),
		 identity->product ? identity->product : product);
	put_text(lun->revision, sizeof(lun->revision),
		 identity->revision ? identity->revision : "1.0");
	if (identity->serial && *identity->serial)
		lun->serial = g_strndup(identity->serial, SCSI_SERIAL_MAX);
	lun->wwn = identity->wwn;
	memcpy(lun->id, identity->id, sizeof(lun->id));
	pthread_mutex_init(&lun->lock, NULL);
	return lun;
}

/* The medium is @block from now on. */
static void set_medium(struct scsi_lun *lun, struct block *block)
{
	pthread_mutex_lock(&lun->lock);
	lun->info = block_info(block);
	atomic_store(&lun->n_blocks, lun->info.bytes >> lun->block_shift);
	atomic_store(&lun->block, block);
	pthread_mutex_unlock(&lun->lock);
}

struct scsi_lun *scsi_disk_new(struct block *block,
			       const struct scsi_disk_params *params)
{
	struct scsi_lun *lun =
		scsi_lun_new(SCSI_DISK, &params->identity, "Virtual Disk");
	struct block_info info = block_info(block);
	uint32_t max = params->max_transfer_bytes;

	assert(info.block_bytes == 512 || info.block_bytes == 4096);
	lun->block_bytes = info.block_bytes;
	lun->block_shift = (unsigned int)__builtin_ctz(info.block_bytes);
	lun->max_blocks = (max ? max : SCSI_MAX_TRANSFER) >> lun->block_shift;
	lun->readonly = params->readonly || info.readonly;
	lun->thin = info.can_discard && !params->no_unmap && !lun->readonly;
	lun->unmap_zeroes = params->unmap_zeroes;
	lun->first_wce = !params->write_through;
	lun->wce = lun->first_wce;
	scsi_lun_index(lun);
	set_medium(lun, block);
	return lun;
}

void scsi_lun_free(struct scsi_lun *lun)
{
	if (!lun)
		return;
	coverage_free(lun->coverage);
	pthread_mutex_destroy(&lun->lock);
	g_free(lun->serial);
	g_free(lun);
}

/* --- the host ---------------------------------------------------------------------- */

struct block *scsi_lun_block(struct scsi_lun *lun)
{
	return atomic_load(&lun->block);
}

struct block_info scsi_lun_info(struct scsi_lun *lun)
{
	struct block_info info;

	pthread_mutex_lock(&lun->lock);
	info = lun->info;
	pthread_mutex_unlock(&lun->lock);
	return info;
}

void scsi_lun_reset(struct scsi_lun *lun)
{
	atomic_store(&lun->wce, lun->first_wce);
	atomic_store(&lun->locked, false);
	atomic_fetch_or(&lun->attention, ATTENTION_RESET);
}

void scsi_lun_resized(struct scsi_lun *lun)
{
	struct block *block;
	uint64_t n_blocks;

	pthread_mutex_lock(&lun->lock);
	block = atomic_load(&lun->block);
	if (block) {
		lun->info = block_info(block);
		n_blocks = lun->info.bytes >> lun->block_shift;
		if (n_blocks != atomic_exchange(&lun->n_blocks, n_blocks))
			atomic_fetch_or(&lun->attention, ATTENTION_CAPACITY);
	}
	pthread_mutex_unlock(&lun->lock);
}

const struct coverage_set *scsi_lun_coverage(const struct scsi_lun *lun)
{
	return lun->coverage;
}
