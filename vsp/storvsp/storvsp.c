/* SPDX-License-Identifier: MIT */
/*
 * storvsp.c - controllers: their channels, their units, what a report says.
 *
 * Each channel has its own list of units, which only its worker looks at and
 * changes.  So a change is brought to one worker after the other.  A unit that
 * comes is there when that is done; for one that goes each channel says when
 * its commands have ended, and the last one calls back.
 */
#include "vsp/storvsp/storvsp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/coverage.h"
#include "vsp/scsi/scsi.h"
#include "vsp/storvsp/impl.h"

/* Ranges of the longest transfer, unaligned, and the packet around them. */
#define PACKET_BYTES_MAX (4096 + STORVSP_TRANSFER_MAX / 4096 * 8)

_Static_assert(STORVSP_TRANSFER_MAX / 4096 + 1 <= BLOCK_IOV_MAX,
	       "a transfer of the greatest size fits into an iovec");
_Static_assert(STORVSP_LUNS <= 64, "a bit for each unit");

/* --- channels ---------------------------------------------------------------- */

static void free_channel(struct storvsp_channel *c)
{
	if (!c)
		return;
	worker_free(c->worker);
	for (unsigned int i = 0; i < STORVSP_LUNS; i++)
		block_queue_free(c->units[i].queue);
	g_free(c->requests);
	g_free(c);
}

/* Windows looks there for where the disk is (OpenVMM OfferProperties). */
static void set_ide_offer(uint8_t user_def[MAX_USER_DEFINED_BYTES],
			  const struct guid *instance)
{
	struct vmstorage_ide_offer o = {.path_id = instance->b[0],
					.target_id = instance->b[4],
					.flags = STORAGE_OFFER_IDE};

	memcpy(user_def, &o, sizeof(o));
}

static int make_channel(struct storvsp *s, unsigned int index, GError **error)
{
	struct storvsp_channel *c = g_new0(struct storvsp_channel, 1);
	const struct vsp_params *v = &s->params.vsp;
	struct channel_params p = {
		.if_type = s->params.ide ? (struct guid)HV_IDE_GUID
					 : (struct guid)HV_SCSI_GUID,
		.if_instance = v->instance,
		.sub_channel_index = (uint16_t)index,
		.chn_flags = VMBUS_CHANNEL_ENUMERATE_DEVICE_INTERFACE,
		.order = v->order,
		.max_in = PACKET_BYTES_MAX,
		.gives_way = true,
		.doorbell = true,
		.poll_ns = s->params.poll_ns,
		.poll_max_ns = s->params.poll_max_ns,
		.monitor_latency_100ns = s->params.monitor_latency_100ns,
	};
	char name[VSP_CHANNEL_NAME_BYTES], thread[48];

	s->channels[index] = c;
	c->s = s;
	vsp_name_channel(name, &s->params.vsp, index);
	snprintf(thread, sizeof(thread), "chan/%s", name);
	if (s->params.ide)
		set_ide_offer(p.user_def, &v->instance);
	c->worker = worker_new(thread, error);
	if (!c->worker)
		return -1;
	c->drain.run = storvsp_run_drain;
	c->resume.run = storvsp_run_resume;
	storvsp_requests_init(c);
	storvsp_fault_init(c);
	for (unsigned int i = 0; i < STORVSP_LUNS; i++)
		c->units[i].channel = c;
	p.name = name;
	p.worker = c->worker;
	c->ch = channel_new(s->bus, &p, &storvsp_channel_ops, c);
	s->n_channels++;
	return 0;
}

/* --- life ---------------------------------------------------------------------- */

struct storvsp *storvsp_new(const struct storvsp_params *params, GError **error)
{
	struct storvsp *s = g_new0(struct storvsp, 1);
	unsigned int n;

	s->params = *params;
	s->params.vsp.name = g_strdup(params->vsp.name);
	s->bus = params->vsp.bus;
	s->mem = channel_bus_mem(s->bus);
	n = params->ide
		    ? 0
		    : MIN(params->max_sub_channels, STORVSP_SUB_CHANNELS_MAX);
	for (unsigned int i = 0; i <= n; i++) {
		if (make_channel(s, i, error))
			goto failed;
	}
	if (!channel_offer(s->channels[0]->ch))
		return s;
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST,
		    "%s: there is a device with its instance",
		    s->params.vsp.name);
failed:
	storvsp_free(s);
	return NULL;
}

void storvsp_free(struct storvsp *s)
{
	if (!s)
		return;
	/*
	 * The primary offers and takes back the others, so it goes first; but
	 * its worker stays until no other can want to wake it.
	 */
	for (unsigned int i = 0; i < STORVSP_CHANNELS_MAX; i++) {
		struct storvsp_channel *c = s->channels[i];

		if (!c)
			break;
		channel_free(c->ch);
		c->ch = NULL;
	}
	for (unsigned int i = 0; i < STORVSP_CHANNELS_MAX; i++)
		free_channel(s->channels[i]);
	g_free((char *)s->params.vsp.name);
	g_free(s);
}

struct guid storvsp_ide_instance(uint8_t channel, uint8_t device)
{
	/* As Windows has it; Linux takes the device for the target. */
	struct guid g = GUID_INIT(0, 0, 0x8899, 0, 0, 0, 0, 0, 0, 0, 0);

	g.b[0] = channel;
	g.b[4] = device;
	return g;
}

/* --- units ----------------------------------------------------------------------- */

/* Tell a guest that runs. */
static void notify(struct storvsp *s)
{
	if (s->params.ide)
		return;
	s->notice = true;
	channel_wake(s->channels[0]->ch);
}

struct attach {
	struct storvsp_unit *unit;
	struct scsi_lun *lun;
};

static void attach(void *ctx)
{
	const struct attach *a = ctx;

	a->unit->lun = a->lun;
}

int storvsp_add(struct storvsp *s, uint8_t lun, struct scsi_lun *unit)
{
	if (lun >= (s->params.ide ? 1 : STORVSP_LUNS))
		return -EINVAL;
	if (s->luns[lun] || s->changing[lun])
		return -EEXIST;
	if (s->unseen & 1ull << lun)
		return -EBUSY;
	s->luns[lun] = unit;
	for (unsigned int i = 0; i < s->n_channels; i++) {
		struct storvsp_channel *c = s->channels[i];
		struct attach a = {.unit = &c->units[lun], .lun = unit};

		worker_call(c->worker, attach, &a);
	}
	notify(s);
	return 0;
}

static void put_change(struct storvsp_change *change)
{
	if (atomic_fetch_sub(&change->left, 1) != 1)
		return;
	change->s->changing[change->lun] = false;
	if (change->done)
		change->done(change->ctx);
	g_free(change);
}

void storvsp_unit_idle(struct storvsp_unit *u)
{
	struct storvsp_change *change = u->change;
	struct storvsp_channel *c = u->channel;

	if (!change)
		return;
	u->change = NULL;
	storvsp_drop_queue(u);
	put_change(change);
	/* Commands that came meanwhile were kept waiting. */
	worker_queue(c->worker, &c->resume);
}

struct begin {
	struct storvsp_unit *unit;
	struct storvsp_change *change;
};

static void begin_change(void *ctx)
{
	const struct begin *b = ctx;

	b->unit->change = b->change;
	if (b->change->remove) {
		b->unit->lun = NULL;
		b->unit->gone_since = clock_monotonic_ns();
	}
	if (!b->unit->in_flight)
		storvsp_unit_idle(b->unit);
	else if (b->unit->queue)
		block_queue_drain(b->unit->queue, true);
	storvsp_fault_hurry(b->unit->channel);
}

static int change_unit(struct storvsp *s, uint8_t lun, bool remove,
		       void (*done)(void *ctx), void *ctx)
{
	struct storvsp_change *change;

	if (lun >= STORVSP_LUNS || !s->luns[lun])
		return -ENOENT;
	if (s->changing[lun])
		return -EBUSY;
	change = g_new(struct storvsp_change, 1);
	*change = (struct storvsp_change){.s = s,
					  .lun = lun,
					  .remove = remove,
					  .left = s->n_channels + 1,
					  .done = done,
					  .ctx = ctx};
	s->changing[lun] = true;
	if (remove) {
		s->luns[lun] = NULL;
		/* A driver that starts knows of none. */
		if (s->state == STORVSP_READY)
			s->unseen |= 1ull << lun;
	}
	for (unsigned int i = 0; i < s->n_channels; i++) {
		struct storvsp_channel *c = s->channels[i];
		struct begin b = {.unit = &c->units[lun], .change = change};

		worker_call(c->worker, begin_change, &b);
	}
	if (remove)
		notify(s);
	put_change(change);
	return 0;
}

int storvsp_remove(struct storvsp *s, uint8_t lun, void (*removed)(void *ctx),
		   void *ctx)
{
	return change_unit(s, lun, true, removed, ctx);
}

int storvsp_let_go(struct storvsp *s, uint8_t lun, void (*gone)(void *ctx),
		   void *ctx)
{
	return change_unit(s, lun, false, gone, ctx);
}

void storvsp_resized(struct storvsp *s, uint8_t lun)
{
	struct scsi_lun *unit = storvsp_unit(s, lun);

	if (!unit)
		return;
	scsi_lun_resized(unit);
	/* A guest that has nothing to do with it would not ask. */
	notify(s);
}

static void retry(void *channel)
{
	storvsp_retry_channel(channel);
}

void storvsp_retry(struct storvsp *s)
{
	for (unsigned int i = 0; i < s->n_channels; i++)
		worker_call(s->channels[i]->worker, retry, s->channels[i]);
}

struct scsi_lun *storvsp_unit(const struct storvsp *s, uint8_t lun)
{
	return lun < STORVSP_LUNS ? s->luns[lun] : NULL;
}

/* --- looking ------------------------------------------------------------------------ */

void storvsp_get_status(const struct storvsp *s, struct storvsp_status *status)
{
	*status = (struct storvsp_status){
		.ready = s->state == STORVSP_READY,
		.version = s->version,
		.sub_channels = s->sub_channels,
		.resets = s->resets,
	};
	for (unsigned int i = 0; i < s->n_channels; i++) {
		status->in_flight += s->channels[i]->n.in_flight;
		status->refused += s->channels[i]->n.refused;
	}
}

static void version_fact(const struct storvsp *s, const struct vsp_facts *to)
{
	uint16_t version = s->version;
	char text[16] = "";

	if (version)
		snprintf(text, sizeof(text), "%d.%d", version >> 8,
			 version & 0xFF);
	to->text(to->ctx, "version", text);
}

/* One of the counters, of all channels. */
#define SUM(s, member)                                                         \
	({                                                                     \
		uint64_t sum = 0;                                              \
                                                                               \
		for (unsigned int sum_i = 0; sum_i < (s)->n_channels; sum_i++) \
			sum += (s)->channels[sum_i]->n.member;                 \
		sum;                                                           \
	})

/* "lun3_cmd_read_10" of "READ(10)" */
static void command_key(char key[64], unsigned int lun, const char *name)
{
	size_t n = (size_t)snprintf(key, 64, "lun%u_cmd", lun);
	bool gap = true;

	for (; *name && n < 62; name++) {
		if (!g_ascii_isalnum(*name)) {
			gap = true;
			continue;
		}
		if (gap)
			key[n++] = '_';
		gap = false;
		key[n++] = g_ascii_tolower(*name);
	}
	key[n] = '\0';
}

static void command_facts(unsigned int lun, const struct coverage_set *set,
			  const struct vsp_facts *to)
{
	char key[64];

	for (unsigned int i = 0; i < set->n_entries; i++) {
		const struct coverage_entry *e = &set->entries[i];

		if (!e->count)
			continue;
		command_key(key, lun, e->name);
		to->number(to->ctx, key, e->count);
	}
}

static void block_facts(unsigned int lun, const struct block *block,
			const struct vsp_facts *to)
{
	struct block_info info = block_info(block);
	struct block_stats n;
	char key[48];

#define SAY(name, value)                                        \
	do {                                                    \
		snprintf(key, sizeof(key), "lun%u_" name, lun); \
		to->number(to->ctx, key, (value));              \
	} while (0)
	block_get_stats(block, &n);
	snprintf(key, sizeof(key), "lun%u_kind", lun);
	to->text(to->ctx, key, block_kind(block));
	SAY("bytes", info.bytes);
	SAY("block_bytes", info.block_bytes);
	SAY("readonly", info.readonly);
	SAY("reads", n.reads);
	SAY("writes", n.writes);
	SAY("flushes", n.flushes);
	SAY("discards", n.discards);
	SAY("zeroes", n.zeroes);
	SAY("read_bytes", n.read_bytes);
	SAY("written_bytes", n.written_bytes);
	SAY("errors", n.errors);
	SAY("bounced", n.bounced);
	SAY("stops", n.stops);
#undef SAY
}

static void facts(void *device, const struct vsp_facts *to)
{
	struct storvsp *s = device;
	struct storvsp_status status;

	storvsp_get_status(s, &status);
	to->number(to->ctx, "ready", status.ready);
	version_fact(s, to);
	to->number(to->ctx, "subchannels", status.sub_channels);
	to->number(to->ctx, "in_flight", status.in_flight);
	to->number(to->ctx, "bytes_read", SUM(s, bytes_read));
	to->number(to->ctx, "bytes_written", SUM(s, bytes_written));
	to->number(to->ctx, "errors", SUM(s, errors));
	to->number(to->ctx, "absent", SUM(s, absent));
	to->number(to->ctx, "refused", status.refused);
	to->number(to->ctx, "resets", status.resets);
	for (unsigned int i = 0; i < STORVSP_LUNS; i++) {
		struct scsi_lun *lun = s->luns[i];
		struct block *block = lun ? scsi_lun_block(lun) : NULL;

		if (block)
			block_facts(i, block, to);
		if (!lun)
			continue;
		command_facts(i, scsi_lun_coverage(lun), to);
		vsp_table_facts(scsi_lun_coverage(lun), VSP_TABLE_SCSI, to);
	}
}

static void free_device(void *device)
{
	storvsp_free(device);
}

static struct channel *get_channel(void *device)
{
	return ((struct storvsp *)device)->channels[0]->ch;
}

const struct vsp_ops storvsp_ops = {
	.free = free_device,
	.channel = get_channel,
	.facts = facts,
};
