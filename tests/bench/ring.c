/* SPDX-License-Identifier: MIT */
/*
 * ring - what a packet costs on the host's side of a channel.
 *
 * usage: bench/ring [ROUNDS]
 *
 * Three tables, sizes are of the payload:
 *
 * 1. Rings alone, one thread, each direction: ns per packet to take it (copy
 *    out, check, parse) or to put it, 64 packets to one index update.  Beside
 *    it the plain memcpy() of the same bytes from or to the same places.
 *    Medians of ROUNDS ringfuls.
 * 2. A channel, its worker and a guest on another thread: packets per second,
 *    and signals for a thousand packets; with signals, and with the host
 *    looking at its ring for longer than the guest pauses.
 * 3. The same as a round trip of one packet at a time: signals cannot be saved.
 */
#define BUS_RING_PAGES 26u /* 12 of data each way */
#define BUS_DOWNSTREAM 13u

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "support/bench_trace.h"
#include "support/bus_guest.h"
#include "vsp/vmbus/packet.h"
#include "vsp/vmbus/worker.h"

#define RING_PAGES 64u /* 256 KiB */
#define BATCH      64u
#define RUN_NS     (NSEC_PER_SEC / 4)

static const uint32_t sizes[] = {16, 64, 256, 1024, 4096, 16384};

/* Has its start in common with what is measured: the packet. */
static uint64_t copy[(16384 + 64) / 8];
static uint64_t packet_words[(16384 + 64) / 8];
static volatile uint64_t sink;

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

/* An in-band packet of @bytes of payload; Return: its size. */
static uint32_t make_packet(uint32_t bytes)
{
	struct vmpacket_descriptor d = {.type = VM_PKT_DATA_INBAND,
					.offset8 = 2,
					.len8 = (uint16_t)(2 + bytes / 8)};

	memset(packet_words, 0x5A, sizeof(packet_words));
	memcpy(packet_words, &d, sizeof(d));
	return 16 + bytes;
}

/* --- rings alone ---------------------------------------------------------- */

/* Return: packets that fit. */
static unsigned int fill(struct ring_bench *b, uint32_t size)
{
	unsigned int n = 0;

	while (ring_peer_send_raw(&b->peer, packet_words, size))
		n++;
	return n;
}

static unsigned int drain(struct ring_bench *b)
{
	unsigned int n = 0;
	struct packet p;
	int bytes;

	while ((bytes = ring_in_peek(&b->in, copy, sizeof(copy))) > 0) {
		if (packet_parse(copy, (uint32_t)bytes, &p))
			abort();
		sink = *(const uint64_t *)p.data;
		ring_in_pop(&b->in);
		if (++n % BATCH == 0)
			ring_in_release(&b->in);
	}
	ring_in_release(&b->in);
	return n;
}

/* The same bytes from the same places, with nothing looked at. */
static void copy_out(struct ring_bench *b, uint32_t size, unsigned int n)
{
	uint32_t at = b->in.read;

	while (n--) {
		memcpy(copy, b->in.data + at, size);
		sink = copy[2];
		at += size + 8;
		if (at >= b->in.size)
			at -= b->in.size;
	}
}

static unsigned int put_all(struct ring_bench *b, uint32_t bytes)
{
	struct packet_out out = {.type = VM_PKT_DATA_INBAND,
				 .data = {packet_words},
				 .bytes = {bytes}};
	unsigned int n = 0;

	while (!ring_out_put(&b->out, &out)) {
		if (++n % BATCH == 0)
			ring_out_publish(&b->out);
	}
	ring_out_publish(&b->out);
	return n;
}

static void copy_in(struct ring_bench *b, uint32_t size, unsigned int n)
{
	uint32_t at = b->out.write;

	while (n--) {
		memcpy(b->out.data + at, packet_words, size);
		at += size + 8;
		if (at >= b->out.size)
			at -= b->out.size;
	}
}

static void empty_guest(struct ring_bench *b)
{
	while (ring_peer_receive(&b->peer, copy, sizeof(copy)))
		;
}

struct cost {
	double ns, memcpy_ns;
};

static struct cost cost_of(double *ns, double *plain, unsigned int rounds)
{
	return (struct cost){median(ns, rounds), median(plain, rounds)};
}

static struct cost time_in(struct ring_bench *b, uint32_t bytes,
			   unsigned int rounds)
{
	g_autofree double *ns = g_new(double, rounds);
	g_autofree double *plain = g_new(double, rounds);
	uint32_t size = make_packet(bytes);

	for (unsigned int i = 0; i < rounds; i++) {
		unsigned int n = fill(b, size);
		uint64_t start = clock_monotonic_ns();

		copy_out(b, size, n);
		plain[i] = (double)(clock_monotonic_ns() - start) / n;
		drain(b);
		n = fill(b, size);
		start = clock_monotonic_ns();
		drain(b);
		ns[i] = (double)(clock_monotonic_ns() - start) / n;
	}
	return cost_of(ns, plain, rounds);
}

static struct cost time_out(struct ring_bench *b, uint32_t bytes,
			    unsigned int rounds)
{
	g_autofree double *ns = g_new(double, rounds);
	g_autofree double *plain = g_new(double, rounds);
	uint32_t size = make_packet(bytes);

	for (unsigned int i = 0; i < rounds; i++) {
		uint64_t start = clock_monotonic_ns();
		unsigned int n = put_all(b, bytes);

		ns[i] = (double)(clock_monotonic_ns() - start) / n;
		empty_guest(b);
		start = clock_monotonic_ns();
		copy_in(b, size, n);
		plain[i] = (double)(clock_monotonic_ns() - start) / n;
	}
	return cost_of(ns, plain, rounds);
}

static void bench_rings(unsigned int rounds)
{
	struct ring_bench b;

	ring_bench_make(&b, RING_PAGES, RING_PAGES);
	printf("rings: ns per packet, memcpy() of the same bytes, ratio\n");
	printf("%8s %30s %30s\n", "bytes", "guest to host", "host to guest");
	for (unsigned int i = 0; i < G_N_ELEMENTS(sizes); i++) {
		struct cost in = time_in(&b, sizes[i], rounds);
		struct cost out = time_out(&b, sizes[i], rounds);

		printf("%8u %10.1f %10.1f %8.2f %10.1f %10.1f %8.2f\n",
		       sizes[i], in.ns, in.memcpy_ns, in.ns / in.memcpy_ns,
		       out.ns, out.memcpy_ns, out.ns / out.memcpy_ns);
	}
	ring_bench_free(&b);
}

/* --- a channel and a guest -------------------------------------------------- */

static struct channel *ch;
static struct guest_channel guest;
static _Atomic uint32_t stream_bytes; /* the host sends such packets; 0: none */
static _Atomic uint64_t taken;

static int on_packet(void *ctx, const struct packet *packet)
{
	(void)ctx;
	atomic_fetch_add_explicit(&taken, 1, memory_order_relaxed);
	if (!packet->wants_completion)
		return 0;
	return channel_complete(ch, packet->trans_id, packet->data,
				packet->bytes);
}

static void send_stream(void *ctx)
{
	(void)ctx;
	while (stream_bytes && !channel_send(ch, packet_words, stream_bytes))
		;
}

static const struct channel_ops ops = {
	.packet = on_packet, .writable = send_stream, .wake = send_stream};

static void start(uint64_t poll_ns)
{
	struct vmbus_channel_offer_channel offer;
	struct channel_params p = {.name = "bench",
				   .if_instance.b[0] = 1,
				   .max_in = 20480,
				   .max_out = 20480,
				   .poll_ns = poll_ns};

	bus_setup();
	ch = channel_new(bus, &p, &ops, NULL);
	channel_offer(ch);
	guest_connect(VERSION_WIN10);
	guest_request_offers(&offer, 1);
	guest_open(&guest, &offer);
}

static void stop(void)
{
	channel_free(ch);
	guest_drop_rings(&guest);
	bus_teardown();
}

static struct channel_stats stats(void)
{
	struct channel_stats s;

	channel_get_stats(ch, &s);
	return s;
}

struct rate {
	double packets_per_s;
	double signals; /* for a thousand packets, to host or to guest */
};

static struct rate rate_of(uint64_t packets, uint64_t ns, uint64_t signals)
{
	return (struct rate){(double)packets * 1e9 / (double)ns,
			     (double)signals * 1000 / (double)packets};
}

static struct rate stream_in(uint32_t bytes)
{
	uint32_t size = make_packet(bytes);
	uint64_t before = stats().signals_in, first = taken;
	uint64_t t = clock_monotonic_ns(), ns;

	do {
		for (unsigned int i = 0; i < BATCH; i++) {
			if (!ring_peer_send_raw(&guest.ring, packet_words,
						size))
				sched_yield();
			guest_ring_bell(&guest);
		}
		ns = clock_monotonic_ns() - t;
	} while (ns < RUN_NS);
	return rate_of(taken - first, ns, stats().signals_in - before);
}

static struct rate stream_out(uint32_t bytes)
{
	uint64_t before = stats().signals_out, n = 0;
	uint64_t t = clock_monotonic_ns(), ns;

	stream_bytes = bytes;
	channel_wake(ch);
	do {
		for (unsigned int i = 0; i < BATCH; i++) {
			if (ring_peer_receive(&guest.ring, copy, sizeof(copy)))
				n++;
			else
				sched_yield();
			guest_ring_bell(&guest);
		}
		ns = clock_monotonic_ns() - t;
	} while (ns < RUN_NS);
	stream_bytes = 0;
	return rate_of(n, ns, stats().signals_out - before);
}

static double round_trip(uint32_t bytes)
{
	uint64_t t = clock_monotonic_ns(), n = 0, ns;

	do {
		guest_put(&guest, ++n, packet_words, bytes);
		guest_get(&guest, copy, sizeof(copy));
		ns = clock_monotonic_ns() - t;
	} while (ns < RUN_NS);
	return (double)ns / (double)n;
}

static void bench_channel(const char *what, uint64_t poll_ns)
{
	printf("\nchannel, %s: packets/s (signals for 1000), each way; ns for "
	       "a "
	       "round trip\n",
	       what);
	for (unsigned int i = 0; i < G_N_ELEMENTS(sizes); i++) {
		struct rate in, out;
		double ns;

		start(poll_ns);
		in = stream_in(sizes[i]);
		stop();
		start(poll_ns);
		ns = round_trip(sizes[i]);
		out = stream_out(sizes[i]);
		stop();
		printf("%8u %12.0f (%7.2f) %12.0f (%7.2f) %10.0f\n", sizes[i],
		       in.packets_per_s, in.signals, out.packets_per_s,
		       out.signals, ns);
	}
}

/* What the scripted guest asserts wants a test to be in. */
START_TEST(channels)
{
	bench_channel("signalled", 0);
	bench_channel("polled", NSEC_PER_SEC);
}
END_TEST

static int run_channels(void)
{
	Suite *s = suite_create("ring");
	TCase *t = tcase_create("channels");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, channels);
	suite_add_tcase(s, t);
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_MINIMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed;
}

int main(int argc, char **argv)
{
	unsigned int rounds =
		argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) : 501;

	bench_trace();
	log_set_level("error");
	bench_rings(MAX(rounds, 1u));
	return run_channels();
}
