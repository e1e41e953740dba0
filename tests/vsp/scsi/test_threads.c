/* SPDX-License-Identifier: MIT */
/* A unit used from many threads, each with its own queue, as by channels. */
#include <stdatomic.h>
#include <string.h>

#include <glib.h>

#include "base/thread.h"
#include "devices/block/block.h"
#include "devices/block/ram.h"
#include "proto/scsi.h"
#include "support/check_main.h"
#include "vsp/scsi/scsi.h"

#define THREADS    4u
#define ROUNDS     200u
#define DISK_BYTES (1u << 20)
#define COUNTER    2000u /* the block that all of them count in */

static struct block *block;
static struct scsi_lun *lun;

struct user {
	pthread_t thread;
	unsigned int number;
	struct block_queue *queue;
	unsigned int n_attentions;
	unsigned int faults;
	struct iovec iov; /* of the request that runs */
};

static void on_done(struct scsi_request *r)
{
	r->cdb_bytes = 0; /* it has ended */
}

/* Return: the status, once there is one. */
static uint8_t send(struct user *u, struct scsi_request *r, void *data,
		    uint32_t bytes, enum scsi_dir dir)
{
	u->iov = (struct iovec){data, bytes};
	r->queue = u->queue;
	r->cdb_bytes = SCSI_CDB_MAX;
	r->dir = dir;
	r->iov = &u->iov;
	r->n_iov = 1;
	r->bytes = bytes;
	r->done = on_done;
	scsi_submit(lun, r);
	while (r->cdb_bytes) {
		block_queue_kick(u->queue);
		block_queue_reap(u->queue);
	}
	if (r->status == SAM_STAT_CHECK_CONDITION &&
	    r->sense[2] == UNIT_ATTENTION)
		u->n_attentions++;
	return r->status;
}

/* What the counter was when someone last looked. */
static _Atomic uint64_t last_count;

/* COMPARE AND WRITE, until nobody was faster. */
static void count_up(struct user *u)
{
	struct scsi_request r;
	uint8_t halves[1024];
	uint64_t count, next;

	do {
		count = last_count;
		next = count + 1;
		memset(halves, 0, sizeof(halves));
		memcpy(halves, &count, sizeof(count));
		memcpy(halves + 512, &next, sizeof(next));
		memset(&r, 0, sizeof(r));
		r.cdb[0] = COMPARE_AND_WRITE;
		be_put(r.cdb + 2, 8, COUNTER);
		r.cdb[13] = 1;
	} while (send(u, &r, halves, sizeof(halves), SCSI_TO_DEVICE));
	last_count = next;
}

/* Blocks of this thread alone: what was written is read. */
static void write_and_read(struct user *u, unsigned int round)
{
	uint8_t out[2048], in[2048] = {0};
	struct scsi_request w = {.cdb = {WRITE_10, [8] = 4}};
	struct scsi_request r = {.cdb = {READ_10, [8] = 4}};
	uint32_t lba = u->number * 256 + round % 60 * 4;

	memset(out, (int)(round + u->number), sizeof(out));
	be_put(w.cdb + 2, 4, lba);
	be_put(r.cdb + 2, 4, lba);
	if (!send(u, &w, out, sizeof(out), SCSI_TO_DEVICE) &&
	    !send(u, &r, in, sizeof(in), SCSI_FROM_DEVICE))
		u->faults += memcmp(in, out, sizeof(in)) != 0;
}

static void ask_around(struct user *u)
{
	struct scsi_request limits = {.cdb = {INQUIRY, 1, 0xb0, 0, 64}};
	struct scsi_request capacity = {.cdb = {READ_CAPACITY}};
	struct scsi_request keys = {
		.cdb = {PERSISTENT_RESERVE_IN, 0, [8] = 64}};
	struct scsi_request cache = {.cdb = {MODE_SELECT, 0x10, 0, 0, 24}};
	uint8_t list[24] = {0, 0, 0, 0, 0x08, 0x12, u->number % 2 ? 4 : 0};
	uint8_t data[64];

	send(u, &limits, data, sizeof(data), SCSI_FROM_DEVICE);
	send(u, &capacity, data, sizeof(data), SCSI_FROM_DEVICE);
	send(u, &keys, data, sizeof(data), SCSI_FROM_DEVICE);
	send(u, &cache, list, sizeof(list), SCSI_TO_DEVICE);
}

static void *use(void *arg)
{
	struct user *u = arg;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		write_and_read(u, round);
		ask_around(u);
		count_up(u);
	}
	return NULL;
}

START_TEST(all_at_once)
{
	struct scsi_disk_params params = {.identity.serial = "1"};
	struct user users[THREADS] = {{.number = 0}};
	unsigned int attentions = 0;
	uint64_t count;

	block = block_ram_new(DISK_BYTES, 512);
	lun = scsi_disk_new(block, &params);
	scsi_lun_reset(lun);
	for (unsigned int i = 0; i < THREADS; i++) {
		users[i].number = i;
		users[i].queue = block_queue_new(block, NULL);
		ck_assert_ptr_nonnull(users[i].queue);
		ck_assert_int_eq(
			thread_start(&users[i].thread, "user", use, &users[i]),
			0);
	}
	for (unsigned int i = 0; i < 20; i++) {
		scsi_lun_reset(lun);
		scsi_lun_resized(lun);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(users[i].thread, NULL);
		ck_assert_uint_eq(users[i].faults, 0);
		attentions += users[i].n_attentions;
		block_queue_free(users[i].queue);
	}
	/* At least one reset is told, and none twice. */
	ck_assert(attentions >= 1 && attentions <= 21);
	memcpy(&count, block_ram_data(block) + COUNTER * 512, sizeof(count));
	ck_assert_uint_eq(count, THREADS * ROUNDS);
	scsi_lun_free(lun);
	block_free(block);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/scsi/threads");
	TCase *t = tcase_create("threads");

	tcase_add_test(t, all_at_once);
	suite_add_tcase(s, t);
	return check_main(s);
}
