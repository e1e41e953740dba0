/* SPDX-License-Identifier: MIT */
/*
 * fuzz_storvsp.c - a guest that says anything to a controller with RAM disks.
 *
 * The input is a script: packets of the vstor protocol, raw or nearly right,
 * commands with any CDB and any list of ranges, room in the ring, closing,
 * units that come and go, storage that fails.  The model: what was taken is
 * answered, once, with a packet as long as the request, and nothing moves more
 * than was asked for.
 */
#include "fuzz/fuzz.h"

#include "base/log.h"
#include "base/reader.h"
#include "devices/block/ram.h"
#include "mem/gmem.h"
#include "mem/gpa_range.h"
#include "proto/storvsp.h"
#include "support/fake_channel.h"
#include "vsp/scsi/scsi.h"
#include "vsp/storvsp/storvsp.h"
#include "vsp/vsp.h"

#define PAGE      4096u
#define RAM_BYTES (1u << 20)
#define N_IDS     512u
#define DISK      (256u << 10)

static struct storvsp *stor;
static struct channel *ch;
static struct block *disk;
static struct scsi_lun *units[2];
static bool has_second;
static bool closed; /* channel_closed() was called */

static struct {
	bool pending[N_IDS];
	uint32_t bytes[N_IDS];
	uint32_t asked[N_IDS];
	unsigned int next;
	unsigned int places; /* that were asked for */
} model;

/* --- what fake_channel.h does not have ------------------------------------------ */

static void fake_sent(struct channel *channel, const uint8_t *data,
		      uint32_t bytes)
{
	struct vstor_packet p;

	(void)channel;
	expect(bytes >= 48 && bytes <= 64);
	memset(&p, 0, sizeof(p));
	memcpy(&p, data, bytes);
	expect(p.operation == VSTOR_OPERATION_ENUMERATE_BUS);
}

int channel_complete(struct channel *channel, uint64_t trans_id,
		     const void *data, uint32_t bytes)
{
	struct vstor_packet p = {0};

	if (!channel->is_open)
		return -ENOTCONN;
	expect(fake_cost(bytes) <= channel->room);
	channel->room -= fake_cost(bytes);
	expect(trans_id < N_IDS && model.pending[trans_id]);
	model.pending[trans_id] = false;
	expect(bytes == model.bytes[trans_id]);
	memcpy(&p, data, bytes);
	expect(p.operation == VSTOR_OPERATION_COMPLETE_IO);
	if (model.asked[trans_id] != UINT32_MAX) {
		expect(p.vm_srb.data_transfer_length <= model.asked[trans_id]);
		expect(p.vm_srb.sense_info_length <= STORVSC_SENSE_BUFFER_SIZE);
		expect(p.vm_srb.srb_status != 0);
	}
	return 0;
}

void channel_flush(struct channel *channel)
{
	(void)channel;
}

/* Now so, now so: a guest moves from one to the other. */
bool channel_shares_processor(const struct channel *channel)
{
	(void)channel;
	return ++model.places & 8;
}

void channel_hold(struct channel *channel)
{
	(void)channel;
}

void channel_unhold(struct channel *channel)
{
	(void)channel;
}

void channel_closed(struct channel *channel)
{
	(void)channel;
	closed = true;
}

const char *channel_name(const struct channel *channel)
{
	(void)channel;
	return "fuzz";
}

/* --- what the guest does ------------------------------------------------------------ */

static uint8_t next_byte(struct reader *r)
{
	uint8_t byte = 0;

	reader_bytes(r, &byte, sizeof(byte));
	return byte;
}

/* Free for the next packet; UINT_MAX: too many wait. */
static unsigned int next_id(void)
{
	for (unsigned int i = 0; i < N_IDS; i++) {
		model.next = model.next % (N_IDS - 1) + 1;
		if (!model.pending[model.next])
			return model.next;
	}
	return UINT_MAX;
}

static void put(struct packet *packet, const struct vstor_packet *p,
		uint32_t bytes)
{
	unsigned int id = next_id();
	g_autofree void *copy = g_memdup2(p, bytes);
	int err;

	if (!ch->is_open || id == UINT_MAX)
		return;
	packet->wants_completion = true;
	packet->trans_id = id;
	packet->data = copy;
	packet->bytes = bytes;
	model.pending[id] = true;
	model.bytes[id] = bytes;
	model.asked[id] = p->operation == VSTOR_OPERATION_EXECUTE_SRB
				  ? p->vm_srb.data_transfer_length
				  : UINT32_MAX;
	err = ch->ops->packet(ch->ctx, packet);
	if (err) {
		/* It was not taken: nobody answered it. */
		expect(model.pending[id]);
		model.pending[id] = false;
	}
}

static void say(uint32_t operation, uint16_t version)
{
	struct packet packet = {.type = VM_PKT_DATA_INBAND};
	struct vstor_packet p = {.operation = operation};

	if (version)
		p.version.major_minor = version;
	put(&packet, &p, sizeof(p));
}

static void shake_hands(uint8_t arg)
{
	say(VSTOR_OPERATION_BEGIN_INITIALIZATION, 0);
	say(VSTOR_OPERATION_QUERY_PROTOCOL_VERSION, arg & 1 ? 0x0602 : 0x0402);
	say(VSTOR_OPERATION_QUERY_PROPERTIES, 0);
	say(VSTOR_OPERATION_END_INITIALIZATION, 0);
}

static void put_raw(struct reader *r, uint8_t arg)
{
	struct packet packet = {.type = VM_PKT_DATA_INBAND};
	struct vstor_packet p = {0};

	reader_bytes(r, &p, MIN(arg, sizeof(p)));
	p.operation %= N_VSTOR_OPERATIONS + 1;
	put(&packet, &p, arg & 1 ? sizeof(p) : VSTOR_PACKET_V1_SIZE);
}

/* Ranges that are mostly memory. */
static uint32_t make_ranges(struct reader *r, uint64_t words[64],
			    struct gpa_range_list *list)
{
	uint8_t n = next_byte(r) % 16;
	struct gpa_range range = {
		.byte_offset = (uint32_t)(next_byte(r) * 16),
		.byte_count = (uint32_t)(next_byte(r) * 256 + next_byte(r)),
	};

	memcpy(words, &range, sizeof(range));
	for (uint8_t i = 0; i < n; i++)
		words[1 + i] = next_byte(r);
	*list = (struct gpa_range_list){
		.data = words, .size = 8 + 8u * n, .n_ranges = 1};
	return range.byte_count;
}

static void put_command(struct reader *r, uint8_t arg)
{
	struct packet packet = {.type = VM_PKT_DATA_USING_GPA_DIRECT};
	struct vstor_packet p = {
		.operation = VSTOR_OPERATION_EXECUTE_SRB,
		.vm_srb = {.lun = arg & 3,
			   .cdb_length = arg & 4 ? 16 : 10,
			   .sense_info_length = STORVSC_SENSE_BUFFER_SIZE,
			   .data_in = arg >> 3 & 3,
			   .target_id = arg >> 7},
	};
	uint64_t words[64];

	reader_bytes(r, p.vm_srb.cdb, 16);
	p.vm_srb.data_transfer_length = make_ranges(r, words, &packet.gpa);
	/* As packet_parse() would have it. */
	if (gpa_ranges_check(&packet.gpa, &packet.gpa_bytes)) {
		packet.type = VM_PKT_DATA_INBAND;
		packet.gpa = (struct gpa_range_list){0};
		packet.gpa_bytes = 0;
	}
	if (arg & 0x20)
		p.vm_srb.data_transfer_length++;
	put(&packet, &p, arg & 0x40 ? sizeof(p) : VSTOR_PACKET_V1_SIZE);
}

static void end_batch(void)
{
	if (ch->is_open)
		ch->ops->batch_end(ch->ctx);
}

static void wake(void)
{
	if (!ch->woken)
		return;
	ch->woken = false;
	ch->ops->wake(ch->ctx);
}

static void close_it(void)
{
	if (!ch->is_open)
		return;
	ch->is_open = false;
	ch->wants_room = false;
	closed = ch->ops->close(ch->ctx) != -EINPROGRESS;
	/* What was submitted and not kicked is still to end. */
	ch->ops->batch_end(ch->ctx);
}

static void change_second(void)
{
	int err = has_second ? storvsp_remove(stor, 1, NULL, NULL)
			     : storvsp_add(stor, 1, units[1]);

	/* A change that waits for commands is not over yet. */
	if (!err)
		has_second = !has_second;
	end_batch();
}

struct step {
	struct reader *r;
	uint8_t op;
};

/* On the controller's worker, as all that a channel calls. */
static void run_step(void *ctx)
{
	const struct step *s = ctx;
	uint8_t arg = next_byte(s->r);

	wake();
	switch (s->op % 8) {
	case 0:
		put_raw(s->r, arg);
		break;
	case 1:
		shake_hands(arg);
		break;
	case 2:
	case 3:
		put_command(s->r, arg);
		break;
	case 4:
		end_batch();
		break;
	case 5:
		/* The guest cannot take room back. */
		fake_room(ch, MAX(ch->room, (uint32_t)arg << 6));
		break;
	case 6:
		change_second();
		break;
	default:
		block_ram_fail(disk,
			       &(struct block_ram_fault){.any_op = true,
							 .after = arg & 7,
							 .times = arg >> 6,
							 .result = -EIO});
		break;
	}
}

static void run_close(void *ctx)
{
	(void)ctx;
	wake();
	close_it();
}

static void run_wake(void *ctx)
{
	(void)ctx;
	wake();
}

static void run_open(void *ctx)
{
	(void)ctx;
	memset(model.pending, 0, sizeof(model.pending));
	fake_open(ch);
	ch->room = FAKE_RING_BYTES;
}

/* Begin again, all that was taken having ended. */
static void reopen(struct worker *worker)
{
	worker_call(worker, run_close, NULL);
	for (unsigned int i = 0; !closed; i++) {
		expect(i < 100);
		worker_call(worker, run_wake, NULL);
	}
	worker_call(worker, run_open, NULL);
}

static void make_units(void)
{
	struct scsi_disk_params p = {.identity.serial = "1"};

	disk = block_ram_new(DISK, 512);
	block_ram_info(disk)->can_discard = true;
	for (uint8_t i = 0; i < 2; i++) {
		p.identity.id[0] = i;
		units[i] = scsi_disk_new(disk, &p);
	}
	has_second = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct storvsp_params params = {
		.vsp = {.name = "fuzz", .host_version = VERSION_WIN10}};
	struct reader r = reader_init(data, size);
	struct step step = {.r = &r};
	struct worker *worker;

	log_set_level("error");
	if (!fake_mem)
		fake_mem = gmem_new(RAM_BYTES, NULL);
	make_units();
	memset(&model, 0, sizeof(model));
	stor = storvsp_new(&params, NULL);
	storvsp_add(stor, 0, units[0]);
	ch = fake_last;
	worker = ch->params.worker;
	closed = true;
	reopen(worker);
	while (reader_left(&r)) {
		step.op = next_byte(&r);
		if (step.op == 0xFF)
			reopen(worker);
		else
			worker_call(worker, run_step, &step);
	}
	reopen(worker);
	ch->is_open = false;
	/* channel_free() waits for what is queued before. */
	worker_call(worker, run_wake, NULL);
	storvsp_free(stor);
	for (uint8_t i = 0; i < 2; i++)
		scsi_lun_free(units[i]);
	block_free(disk);
	return 0;
}
