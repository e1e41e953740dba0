/* SPDX-License-Identifier: MIT */
/*
 * netvsp.c - what a network card on VMbus does in a second, without a VM: a
 * scripted guest at the other end of the rings, a card, and a back end that
 * takes any frame and always has one, and does nothing with them.
 *
 * usage: netvsp [SECONDS [LOAD]]
 *        netvsp --frames N
 *
 * One line for each load: frames a second, MiB a second, nanoseconds of the
 * card's thread for each frame, and signals each way for each.  So it is what
 * the card costs; what a tap costs comes on top.  The guest's end spins on a
 * processor of its own; the thread's time is what counts where there is no
 * other.  LOAD, "in, 64 B", is the only one then: for a profiler.
 *
 * With --frames that many of 64 bytes, half of them each way: guest, card, net
 * and back end have counted the same in the end, and no memory was taken on
 * the way, or the exit code is 1.
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "support/net_bench.h"

#include "devices/net/net_impl.h"
#include "support/bench_trace.h"

static const struct load loads[] = {
	{"out, 64 B, 8 to a section", false, 64, 8},
	{"out, 64 B, from pages", false, 64, 0},
	{"out, 1514 B, 3 to a section", false, 1514, 3},
	{"out, 64 KiB", false, 65226, 0},
	{"in, 64 B", true, 64, 0},
	{"in, 1514 B", true, 1514, 0},
	{"in, 64 KiB (RSC)", true, 65226, 0},
};

static double seconds = 2, frames_wanted;
static const char *load_wanted; /* NULL: all */
static struct net *net_any;

/* --- a back end that is always ready -------------------------------------------- */

static _Atomic uint32_t any_bytes; /* of frames that come; 0: none */
static uint64_t any_sent, any_brought; /* the queue's thread */
static int any_ready[2]; /* a pipe, with a byte in it while frames come */

static int any_open(struct net_queue *q, GError **error)
{
	(void)error;
	q->host_fd = any_ready[0];
	return 0;
}

static void any_close(struct net_queue *q)
{
	q->host_fd = -1;
}

static int any_send(struct net_queue *q, const struct virtio_net_hdr *hdr,
		    const struct iovec *iov, unsigned int n_iov)
{
	(void)q;
	(void)hdr;
	(void)iov;
	(void)n_iov;
	any_sent++;
	return 0;
}

static ssize_t any_recv(struct net_queue *q, struct virtio_net_hdr *hdr,
			const struct iovec *iov, unsigned int n_iov)
{
	uint32_t bytes = any_bytes;

	(void)q;
	(void)n_iov;
	if (!bytes)
		return -EAGAIN;
	hdr->flags = VIRTIO_NET_HDR_F_DATA_VALID;
	memcpy(iov->iov_base, net_mac, sizeof(net_mac));
	any_brought++;
	return bytes;
}

static void any_free(struct net *n)
{
	net_clear(n);
	g_free(n);
}

static void any_come(uint32_t bytes)
{
	char byte = 0;

	if (!any_bytes == !bytes)
		return;
	any_bytes = bytes;
	if (bytes)
		ck_assert_int_eq(write(any_ready[1], &byte, 1), 1);
	else
		ck_assert_int_eq(read(any_ready[0], &byte, 1), 1);
}

static const struct net_ops any_ops = {
	.queue_size = sizeof(struct net_queue),
	.queue_open = any_open,
	.queue_close = any_close,
	.send = any_send,
	.recv = any_recv,
	.free = any_free,
};

/* --- loads ------------------------------------------------------------------------- */

static void run(const struct load *l)
{
	uint64_t limit = (uint64_t)(seconds * 1e9), start, ns, cpu, n = 0;
	struct channel *ch = netvsp_ops.channel(card);
	uint32_t bytes = l->in ? 0 : bench_messages(l);
	struct channel_stats s0, s1;
	struct netvsp_status t0, t1;
	unsigned int in_flight = 0;

	channel_get_stats(ch, &s0);
	t0 = net_status();
	cpu = bench_thread_ns();
	start = clock_monotonic_ns();
	any_come(l->in ? l->bytes : 0);
	do {
		uint64_t done = bench_turn(l, bytes, &in_flight, true);

		n += done;
		if (!done)
			sched_yield();
		ns = clock_monotonic_ns() - start;
	} while (ns < limit);
	cpu = bench_thread_ns() - cpu;
	channel_get_stats(ch, &s1);
	t1 = net_status();
	any_come(0);
	while (in_flight)
		bench_turn(l, bytes, &in_flight, false);
	n = l->in ? t1.stats.rx_frames - t0.stats.rx_frames
		  : t1.stats.tx_frames - t0.stats.tx_frames;
	printf("%-32s %10.0f %9.0f %8.0f %9.4f %9.4f\n", l->name,
	       (double)n * 1e9 / (double)ns,
	       (double)n * l->bytes / 1048576 * 1e9 / (double)ns,
	       (double)cpu / (double)n,
	       (double)(s1.signals_in - s0.signals_in) / (double)n,
	       (double)(s1.signals_out - s0.signals_out) / (double)n);
	fflush(stdout);
	for (unsigned int i = 0; i < 1000; i++) {
		bench_turn(l, bytes, &in_flight, false);
		sched_yield();
	}
}

static void make_any(void)
{
	net_any = g_new0(struct net, 1);
	net_init(net_any, &any_ops, "any", 1);
	net_any->takes_offloads = NET_OFFLOAD_ALL;
	ck_assert_int_eq(pipe(any_ready), 0);
}

/* --- very many ------------------------------------------------------------------ */

/* What this process has: pages, and bytes that were allocated. */
struct memory {
	uint64_t pages;
	size_t allocated;
};

static struct memory memory_now(void)
{
	struct memory m = {.allocated = mallinfo2().uordblks};
	g_autofree char *statm = NULL;

	ck_assert(g_file_get_contents("/proc/self/statm", &statm, NULL, NULL));
	/* The first number is what it has room for. */
	m.pages = g_ascii_strtoull(strchr(statm, ' '), NULL, 10);
	return m;
}

/* Half of them one way.  Return: how many the guest has seen. */
static uint64_t many(const struct load *l, uint64_t wanted)
{
	uint32_t bytes = l->in ? 0 : bench_messages(l);
	unsigned int in_flight = 0;
	uint64_t n = 0, after = 0;

	any_come(l->in ? l->bytes : 0);
	while (n < wanted) {
		uint64_t done = bench_turn(l, bytes, &in_flight, true);

		n += done;
		if (!done)
			sched_yield();
	}
	any_come(0);
	/* What is on its way still comes. */
	while (in_flight || after++ < 10000) {
		n += bench_turn(l, bytes, &in_flight, false);
		sched_yield();
	}
	return n;
}

static void very_many(void)
{
	static const struct load out = {.bytes = 64, .batch = 8};
	static const struct load in = {.bytes = 64, .in = true};
	uint64_t start = clock_monotonic_ns(), wanted, sent, got;
	struct memory before, after;
	struct netvsp_stats card_stats;
	struct net_stats stats;

	/* All that is allocated for the first few is there by then. */
	sent = many(&out, 100000);
	got = many(&in, 100000);
	memory_now();
	before = memory_now();
	wanted = (uint64_t)(frames_wanted / 2);
	sent += many(&out, wanted);
	got += many(&in, wanted);
	after = memory_now();
	card_stats = net_status().stats;
	net_get_stats(net_any, &stats);
	printf("out: guest %" PRIu64 ", card %" PRIu64 ", net %" PRIu64
	       ", back end %" PRIu64 "\n",
	       sent, card_stats.tx_frames, stats.sent, any_sent);
	printf("in: guest %" PRIu64 ", card %" PRIu64 ", net %" PRIu64
	       ", back end %" PRIu64 "\n",
	       got, card_stats.rx_frames, stats.received, any_brought);
	printf("allocated: %zu bytes, then %zu; pages: %" PRIu64
	       ", then %" PRIu64 "; %.0f s\n",
	       before.allocated, after.allocated, before.pages, after.pages,
	       (double)(clock_monotonic_ns() - start) / 1e9);
	ck_assert_uint_eq(sent, any_sent);
	ck_assert_uint_eq(sent, card_stats.tx_frames);
	ck_assert_uint_eq(sent * 64, card_stats.tx_bytes);
	ck_assert_uint_eq(sent, stats.sent);
	ck_assert_uint_eq(got, any_brought);
	ck_assert_uint_eq(got, card_stats.rx_frames);
	ck_assert_uint_eq(got * 64, card_stats.rx_bytes);
	ck_assert_uint_eq(got, stats.received);
	/* glibc's own caches come and go; frames would be far more. */
	ck_assert_uint_le(after.allocated, before.allocated + 4096);
	ck_assert_uint_le(after.pages, before.pages + 16);
}

static void every_load(void)
{
	printf("%-32s %10s %9s %8s %9s %9s\n", "", "frames/s", "MiB/s",
	       "ns/frame", "signals", "to guest");
	for (size_t i = 0; i < G_N_ELEMENTS(loads); i++) {
		if (!load_wanted || !strcmp(load_wanted, loads[i].name))
			run(&loads[i]);
	}
}

START_TEST(benchmark)
{
	use_processors(false);
	bus_setup();
	make_any();
	bench_begin(net_any);
	if (frames_wanted > 0)
		very_many();
	else
		every_load();
	net_end();
}
END_TEST

int main(int argc, char **argv)
{
	bench_trace();
	if (argc > 2 && !strcmp(argv[1], "--frames")) {
		frames_wanted = g_ascii_strtod(argv[2], NULL);
	} else if (argc > 1) {
		seconds = g_ascii_strtod(argv[1], NULL);
		load_wanted = argv[2]; /* or NULL, the end */
	}
	return bench_main("netvsp", benchmark);
}
