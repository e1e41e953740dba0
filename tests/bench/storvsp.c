/* SPDX-License-Identifier: MIT */
/*
 * storvsp.c - what a disk on VMbus does in a second, without a VM: a scripted
 * guest at the other end of the rings, a controller, a unit and a real image.
 *
 * usage: storvsp IMAGE|ram [SECONDS [CACHE [LOAD [POLL]]]]
 *
 * One line for each load, or for the one with that number (from 0; -1: all):
 * operations a second, MiB a second, nanoseconds of the controller's thread for
 * each operation (of which in user space), and signals of the guest for each.
 * POLL is the most microseconds that a ring is looked at while that pays, by
 * default a disk's.  The guest's end spins on a processor of its own; the
 * thread's time is what counts where there is no other.
 */
#include <sched.h>
#include <stdio.h>

/* Long rings, as Linux has them: 48 KiB each way. */
#define BUS_RING_PAGES 26u
#define BUS_DOWNSTREAM 13u
#define RAM_BYTES      (64u << 20)

#include "support/stor_guest.h"

#include "base/clock.h"
#include "config/channel_config.h"
#include "devices/block/block_open.h"
#include "devices/block/ram.h"
#include "support/bench_trace.h"
#include "support/must.h"
#include "support/processors.h"
#include "vsp/scsi/scsi.h"

/* Where the data of the first slot is; each has as much as it moves. */
#define DATA_GPA    (1u << 20)
#define DEPTH_MAX   128u
#define RAM_DISK    (256u << 20)
#define SLOTS_BYTES (60u << 20)

struct load {
	const char *name;
	unsigned int depth;
	uint32_t bytes;
	bool write, random;
};

static const struct load loads[] = {
	{"4 KiB random read, depth 1", 1, 4096, false, true},
	{"4 KiB random read, depth 32", 32, 4096, false, true},
	{"4 KiB random read, depth 128", 128, 4096, false, true},
	{"4 KiB random write, depth 32", 32, 4096, true, true},
	{"1 MiB sequential read, depth 8", 8, 1 << 20, false, false},
	{"1 MiB sequential write, depth 8", 8, 1 << 20, true, false},
};

static const char *image;
static const char *cache = "writeback";
static double seconds = 2;
static int only = -1; /* all loads */
static struct block *block;
static struct scsi_lun *lun;
static uint64_t seed = 88172645463325252ull, next_block;

/* --- the thread's time ------------------------------------------------------------ */

struct times {
	uint64_t ns, user_ticks;
};

static bool read_line(const char *tid, const char *file, char line[512])
{
	char path[64];
	FILE *f;
	bool good;

	snprintf(path, sizeof(path), "/proc/self/task/%s/%s", tid, file);
	f = fopen(path, "re");
	if (!f)
		return false;
	good = fgets(line, 512, f) != NULL;
	fclose(f);
	return good;
}

/* utime, the 14th field of proc(5)'s stat; the third is @from. */
static uint64_t user_ticks(const char *from)
{
	g_auto(GStrv) fields = g_strsplit(from, " ", 13);

	return g_strv_length(fields) < 13 ? 0 : strtoull(fields[11], NULL, 10);
}

/* Of the controller's one channel. */
static struct times thread_times(void)
{
	GDir *dir = g_dir_open("/proc/self/task", 0, NULL);
	struct times t = {0};
	const char *tid;
	char line[512];

	while ((tid = g_dir_read_name(dir))) {
		if (!read_line(tid, "comm", line) ||
		    strcmp(line, "chan/scsi0\n") != 0)
			continue;
		if (read_line(tid, "schedstat", line))
			t.ns = g_ascii_strtoull(line, NULL, 10);
		if (read_line(tid, "stat", line))
			t.user_ticks = user_ticks(strrchr(line, ')') + 2);
	}
	g_dir_close(dir);
	return t;
}

/* --- a load ------------------------------------------------------------------------ */

static uint64_t choose(const struct load *l, uint64_t n_blocks)
{
	if (!l->random)
		return next_block++ % n_blocks;
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n_blocks;
}

/* READ (10) or WRITE (10) with the data of a slot. */
static bool put(const struct load *l, unsigned int slot)
{
	uint64_t lba = choose(l, block_info(block).bytes / l->bytes) *
		       (l->bytes / block_info(block).block_bytes);
	uint32_t blocks = l->bytes / block_info(block).block_bytes;
	uint32_t pages = l->bytes / PAGE, header = 4 + pages;
	struct vstor_packet p = stor_srb(
		0, l->write ? WRITE_10 : READ_10,
		(uint8_t)(l->write ? VSTOR_DATA_WRITE : VSTOR_DATA_READ),
		l->bytes);
	static uint64_t words[300];

	for (unsigned int i = 0; i < 4; i++)
		p.vm_srb.cdb[2 + i] = lba >> (24 - 8 * i) & 0xFF;
	p.vm_srb.cdb[7] = blocks >> 8 & 0xFF;
	p.vm_srb.cdb[8] = blocks & 0xFF;
	words[0] = VM_PKT_DATA_USING_GPA_DIRECT | (uint64_t)header << 16 |
		   (uint64_t)(header + 8) << 32 | 1ull << 48;
	words[1] = slot + 1;
	words[2] = 1ull << 32;
	words[3] = l->bytes;
	for (uint32_t i = 0; i < pages; i++)
		words[4 + i] = DATA_GPA / PAGE + slot * pages + i;
	memcpy(words + header, &p, sizeof(p));
	return ring_peer_send_raw(&stor_guest[0].ring, words,
				  8 * header + sizeof(p));
}

/* Take what has ended and put as much again.  Return: how many ended. */
static unsigned int turn(const struct load *l, bool more)
{
	uint64_t copy[16];
	unsigned int n = 0;
	struct packet packet;
	struct vstor_packet p;
	uint32_t bytes;

	while ((bytes = ring_peer_receive(&stor_guest[0].ring, copy,
					  sizeof(copy)))) {
		packet_parse(copy, bytes, &packet);
		memcpy(&p, packet.data, sizeof(p));
		must(p.vm_srb.srb_status == SRB_STATUS_SUCCESS,
		     "an operation failed");
		must(p.vm_srb.data_transfer_length == l->bytes,
		     "data is missing");
		if (more)
			must(put(l, (unsigned int)packet.trans_id - 1),
			     "no room in the ring");
		n++;
	}
	guest_ring_bell(&stor_guest[0]);
	return n;
}

static void run(const struct load *l)
{
	uint64_t start = clock_monotonic_ns(), n = 0, ns;
	uint64_t limit = (uint64_t)(seconds * 1e9);
	struct channel *ch = storvsp_ops.channel(stor);
	struct channel_stats s0, s1;
	struct times t0 = thread_times(), t1;
	unsigned int in_flight = l->depth;

	channel_get_stats(ch, &s0);
	for (unsigned int i = 0; i < l->depth; i++)
		ck_assert(put(l, i));
	guest_ring_bell(&stor_guest[0]);
	do {
		unsigned int ended = turn(l, true);

		n += ended;
		if (!ended)
			sched_yield();
		ns = clock_monotonic_ns() - start;
	} while (ns < limit);
	t1 = thread_times();
	channel_get_stats(ch, &s1);
	while (in_flight)
		in_flight -= turn(l, false);
	printf("%-32s %9.0f %9.0f %9.0f %9.0f %9.3f\n", l->name,
	       (double)n * 1e9 / (double)ns,
	       (double)n * l->bytes / 1048576 * 1e9 / (double)ns,
	       (double)(t1.ns - t0.ns) / (double)n,
	       (double)(t1.user_ticks - t0.user_ticks) * 1e9 /
		       (double)sysconf(_SC_CLK_TCK) / (double)n,
	       (double)(s1.signals_in - s0.signals_in) / (double)n);
	fflush(stdout);
}

static struct block *open_image(void)
{
	struct block_options options = {.path = image};
	g_autoptr(GError) error = NULL;
	struct block *b;

	if (!strcmp(image, "ram"))
		return block_ram_new(RAM_DISK, 512);
	if (!block_cache_parse(cache, &options.cache)) {
		fprintf(stderr, "storvsp: no cache mode %s\n", cache);
		exit(2);
	}
	b = block_open(&options, &error);
	if (!b) {
		fprintf(stderr, "storvsp: %s\n", error->message);
		exit(1);
	}
	return b;
}

START_TEST(all_loads)
{
	struct scsi_disk_params p = {.identity.serial = "1"};

	use_processors(false);
	bus_setup();
	block = open_image();
	lun = scsi_disk_new(block, &p);
	stor_make(VERSION_WIN10_V5_3, false, 0);
	use_processors(true);
	ck_assert_int_eq(storvsp_add(stor, 0, lun), 0);
	stor_open();
	stor_initialize(VMSTOR_PROTO_VERSION_WIN10);
	/* The unit attention of power on. */
	stor_do(0, TEST_UNIT_READY, VSTOR_DATA_NONE, 0);
	printf("%s, %s, cache %s\n%-32s %9s %9s %9s %9s %9s\n", image,
	       block_kind(block), cache, "", "ops/s", "MiB/s", "ns/op",
	       "user ns", "signals");
	for (int i = 0; i < (int)G_N_ELEMENTS(loads); i++)
		if (only < 0 || only == i)
			run(&loads[i]);
	storvsp_free(stor);
	scsi_lun_free(lun);
	block_free(block);
	guest_drop_rings(&stor_guest[0]);
	bus_teardown();
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("storvsp");
	TCase *t = tcase_create("storvsp");
	SRunner *r;
	int failed;

	bench_trace();
	if (argc < 2) {
		fprintf(stderr, "usage: storvsp IMAGE|ram [SECONDS [CACHE "
				"[LOAD [POLL]]]]\n");
		return 2;
	}
	image = argv[1];
	stor_poll_max_ns = CONFIG_POLL_US_AUTO * 1000;
	if (argc > 2)
		seconds = g_ascii_strtod(argv[2], NULL);
	if (argc > 3)
		cache = argv[3];
	if (argc > 4)
		only = (int)g_ascii_strtoll(argv[4], NULL, 10);
	if (argc > 5)
		stor_poll_max_ns = g_ascii_strtoull(argv[5], NULL, 10) * 1000;
	tcase_add_test(t, all_loads);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_SILENT);
	failed = srunner_ntests_failed(r);
	if (failed)
		srunner_print(r, CK_NORMAL);
	srunner_free(r);
	return failed ? 1 : 0;
}
