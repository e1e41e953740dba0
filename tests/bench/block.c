/* SPDX-License-Identifier: MIT */
/*
 * block - what a 4 KiB random read of a raw image costs.
 *
 * usage: bench/block IMAGE CACHE AIO MILLISECONDS
 *
 * CACHE and AIO as block_open.h has them.  One thread and one queue, as a
 * worker has it: submit what is free, kick, reap, and wait on the descriptor
 * only when nothing had ended.  A line for each depth: reads per second, and
 * processor time of the whole process (with the kernel's threads for it) for
 * each.  Nothing is allocated while it runs.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "devices/block/block_open.h"
#include "support/random.h"

#define DEPTH_MAX  128u
#define READ_BYTES 4096u

static struct block_queue *q;
static struct block_io ios[DEPTH_MAX];
static struct iovec iov[DEPTH_MAX];
static struct block_io *unused[DEPTH_MAX];
static unsigned int n_unused;
static uint64_t n_read, n_failed;

static void done(struct block_io *io, int result)
{
	unused[n_unused++] = io;
	n_read++;
	n_failed += result != 0;
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

static void submit_unused(uint64_t blocks)
{
	while (n_unused) {
		struct block_io *io = unused[--n_unused];

		io->offset = random_u64() % blocks * READ_BYTES;
		block_queue_submit(q, io);
	}
	block_queue_kick(q);
}

static void reap_or_wait(void)
{
	struct pollfd fd = {.fd = block_queue_fd(q), .events = POLLIN};

	while (!block_queue_reap(q))
		poll(&fd, 1, -1);
}

static void run(unsigned int depth, uint64_t blocks, uint64_t for_ns)
{
	uint64_t began = clock_monotonic_ns(), began_cpu = cpu_ns(), ns;

	n_read = 0;
	n_failed = 0;
	n_unused = 0;
	for (unsigned int i = 0; i < depth; i++)
		unused[n_unused++] = &ios[i];
	do {
		submit_unused(blocks);
		reap_or_wait();
		ns = clock_monotonic_ns() - began;
	} while (ns < for_ns);
	while (block_queue_in_flight(q))
		reap_or_wait();
	printf("depth %3u: %8.0f reads/s, %6.0f ns of processor each%s\n",
	       depth, (double)n_read * 1e9 / (double)ns,
	       (double)(cpu_ns() - began_cpu) / (double)n_read,
	       n_failed ? " (SOME FAILED)" : "");
}

int main(int argc, char **argv)
{
	static const unsigned int depths[] = {1, 32, 128};
	struct block_options o = {.readonly = true};
	GError *error = NULL;
	struct block *b;
	uint8_t *memory = g_aligned_alloc(DEPTH_MAX, READ_BYTES, READ_BYTES);

	if (argc != 5 || !block_cache_parse(argv[2], &o.cache) ||
	    !block_aio_parse(argv[3], &o.aio)) {
		fputs("usage: block IMAGE CACHE AIO MILLISECONDS\n", stderr);
		return 2;
	}
	o.path = argv[1];
	b = block_open(&o, &error);
	q = b ? block_queue_new(b, &error) : NULL;
	if (!q) {
		fprintf(stderr, "%s\n", error->message);
		return 1;
	}
	/* Each page is there before it is timed. */
	memset(memory, 1, (size_t)DEPTH_MAX * READ_BYTES);
	for (unsigned int i = 0; i < DEPTH_MAX; i++) {
		iov[i].iov_base = memory + (size_t)i * READ_BYTES;
		iov[i].iov_len = READ_BYTES;
		ios[i] = (struct block_io){.op = BLOCK_READ,
					   .bytes = READ_BYTES,
					   .iov = &iov[i],
					   .n_iov = 1,
					   .done = done};
	}
	printf("%s, cache=%s\n", block_kind(b), argv[2]);
	for (unsigned int i = 0; i < G_N_ELEMENTS(depths); i++)
		run(depths[i], block_info(b).bytes / READ_BYTES,
		    g_ascii_strtoull(argv[4], NULL, 10) * NSEC_PER_MSEC);
	block_queue_free(q);
	block_free(b);
	g_aligned_free(memory);
	return 0;
}
