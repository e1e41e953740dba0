/* SPDX-License-Identifier: MIT */
/*
 * netvsp_tap.c - a network card on VMbus beside plain reads and writes of the
 * same tap, in a network namespace of its own.
 *
 * usage: netvsp_tap [SECONDS]
 *
 * One line for each load: nanoseconds of processor time for a frame, of a
 * thread that does nothing but writev() or readv() on the tap, and of the
 * card's, which does that too (each in a process of several threads, where
 * kernel and libc must count users of a descriptor); and what share of the
 * tap's rate the card thus has on one processor.  Frames to the tap are
 * nobody's there, so the kernel drops them at once; frames from it wait in its
 * queue before the clock starts.  The best of several rounds, as other work
 * only adds to a time.
 *
 * A read of the tap into one buffer, which stays in the cache, is less than a
 * guest can be given: what it gets stays until it has looked at it, lies in
 * sections of its receive buffer, and has its checksums.  So for frames that
 * are not small there is a second line, of a thread that reads into 64 buffers
 * in turn, in pieces of a section's size, and sums up.
 */
#include <inttypes.h>
#include <semaphore.h>
#include <time.h>

#include "support/net_bench.h"

#include <linux/if_packet.h>

#include "config/channel_config.h"
#include "devices/net/offload.h"
#include "devices/net/tap.h"
#include "devices/net/tap_link.h"
#include "support/must.h"
#include "support/net_frames.h"
#include "support/netns.h"

#define TAP         "bench0"
#define QUEUE_LONG  2048u /* frames that wait in the tap */
#define MSS         1460u
#define LARGE_BYTES (54u + 44u * MSS)
#define ROUND_NS    100000000ull
#define HDR         sizeof(struct virtio_net_hdr)
#define SECTION     1900u /* about what of a frame is in one */

static const struct load loads[] = {
	{"out, 64 B, 8 to a section", false, 64, 8},
	{"out, 1514 B, 3 to a section", false, 1514, 3},
	{"out, 64 KiB (LSO)", false, LARGE_BYTES, 0},
	{"in, 64 B", true, 64, 0},
	{"in, 1514 B", true, 1514, 0},
	{"in, 64 KiB (RSC)", true, LARGE_BYTES, 0},
};

/* Is it looked at by who does as much for it as the card has to, too? */
static bool is_work(const struct load *l)
{
	return l->in && l->bytes > 64;
}

static double seconds = 2;
static int packets; /* a socket on the other side of the tap */
static uint8_t frame[70000];
static struct virtio_net_hdr frame_hdr;

static uint64_t own_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

/* --- the tap ------------------------------------------------------------------ */

static void make_tap(void)
{
	struct ifreq r = {.ifr_qlen = 2 * QUEUE_LONG};
	int one = 1, fd;

	ck_assert_int_eq(netns_enter(), 0);
	/* Nothing comes but what is sent. */
	if ((fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6",
		       O_WRONLY | O_CLOEXEC)) >= 0) {
		ck_assert_int_eq(write(fd, "1", 1), 1);
		close(fd);
	}
	netns_add_tap(TAP, false);
	strcpy(r.ifr_name, TAP);
	ck_assert_int_eq(netns_ioctl(SIOCSIFTXQLEN, &r), 0);
	netns_set_up(TAP, true);
	packets = netns_packets(TAP);
	ck_assert_int_eq(setsockopt(packets, SOL_PACKET, PACKET_VNET_HDR, &one,
				    sizeof(one)),
			 0);
	ck_assert_int_eq(setsockopt(packets, SOL_PACKET, PACKET_QDISC_BYPASS,
				    &one, sizeof(one)),
			 0);
}

/* The frame of a load, and what is left to do to it. */
static void make_frame(const struct load *l)
{
	/* Nobody's: neither the host's nor of a protocol that it has. */
	static const uint8_t nobody[6] = {2, 2, 2, 2, 2, 2};
	static const struct net_flow flow = {.host = 9, .port = 1000};

	frame_hdr = (struct virtio_net_hdr){0};
	if (l->bytes > 1514) {
		net_packet_of(frame, l->in ? net_mac : nobody, &flow,
			      l->bytes - 54);
		frame_hdr = (struct virtio_net_hdr){
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
			.hdr_len = 54,
			.gso_size = MSS,
			.csum_start = 34,
			.csum_offset = 16};
		return;
	}
	net_frame(frame, l->bytes, 1);
	if (!l->in)
		memcpy(frame, nobody, sizeof(nobody));
}

/* Fill the tap's queue.  Return: how many frames. */
static uint64_t fill(const struct load *l)
{
	struct iovec iov[] = {{&frame_hdr, HDR}, {frame, l->bytes}};
	unsigned int wanted = l->bytes > 1514 ? 64 : QUEUE_LONG;

	for (unsigned int i = 0; i < wanted; i++)
		must(writev(packets, iov, 2) == (ssize_t)(HDR + l->bytes),
		     "the tap's other side does not take a frame");
	return wanted;
}

/* --- the thread that does nothing else ------------------------------------------ */

static double raw_out(int fd, const struct load *l)
{
	struct iovec iov[] = {{&frame_hdr, HDR}, {frame, l->bytes}};
	uint64_t start = own_ns(), n = 0, ns;

	do {
		for (unsigned int i = 0; i < 64; i++, n++)
			must(writev(fd, iov, 2) == (ssize_t)(HDR + l->bytes),
			     "the tap does not take a frame");
		ns = own_ns() - start;
	} while (ns < ROUND_NS);
	return (double)ns / (double)n;
}

static void read_one(int fd, const struct load *l, bool work, uint64_t i)
{
	static uint8_t to[64][70000];
	struct virtio_net_hdr h;
	struct iovec iov[64] = {{&h, HDR}, {to[0], sizeof(to[0])}};
	uint8_t *at = to[work ? i % G_N_ELEMENTS(to) : 0];
	size_t left = sizeof(to[0]);
	int n = work ? 1 : 2;

	for (; work && left; n++) {
		iov[n] = (struct iovec){at + sizeof(to[0]) - left,
					MIN(left, SECTION)};
		left -= iov[n].iov_len;
	}
	must(readv(fd, iov, n) == (ssize_t)(HDR + l->bytes),
	     "a frame is missing");
	if (work)
		(void)offload_sum(at, l->bytes, 0);
}

static double raw_in(int fd, const struct load *l, bool work)
{
	uint64_t ns = 0, n = 0;

	while (ns < ROUND_NS) {
		uint64_t filled = fill(l), start = own_ns();

		for (uint64_t i = 0; i < filled; i++)
			read_one(fd, l, work, i);
		ns += own_ns() - start;
		n += filled;
	}
	return (double)ns / (double)n;
}

/* --- the card ---------------------------------------------------------------------- */

/* As many messages with the frame as the load has. */
static uint32_t put_messages(const struct load *l)
{
	uint8_t *at = gmem_load(
		mem, (l->batch ? NET_SEND_PFN : NET_DATA_PFN) * (uint64_t)PAGE,
		20 * PAGE);
	uint8_t items[PPI_BYTES];
	uint32_t used = 0, n_items = 0;

	if (frame_hdr.gso_type)
		n_items = (uint32_t)(ppi_put(items, TCP_LARGESEND_PKTINFO,
					     MSS | 34u << 20 | 1u << 30) -
				     items);
	for (unsigned int i = 0; i < MAX(l->batch, 1); i++)
		used += net_message(at + used, frame, l->bytes, items, n_items);
	return used;
}

static double card_out(const struct load *l)
{
	uint32_t bytes = put_messages(l);
	uint64_t ns, cpu = bench_thread_ns();
	uint64_t n = net_status().stats.tx_frames;
	unsigned int in_flight = 0;

	do {
		for (unsigned int i = 0; i < 64; i++) {
			if (!bench_turn(l, bytes, &in_flight, true))
				sched_yield();
		}
		ns = bench_thread_ns() - cpu;
	} while (ns < ROUND_NS);
	n = net_status().stats.tx_frames - n;
	while (in_flight)
		bench_turn(l, bytes, &in_flight, false);
	return (double)ns / (double)n;
}

static sem_t stopped, go_on;
static const struct load *to_fill;
static uint64_t filled;

static void fill_here(struct worker_task *task)
{
	(void)task;
	filled = fill(to_fill);
	sem_post(&stopped);
	sem_wait(&go_on);
}

/*
 * The card's thread fills the tap, as the raw one does: frames that another
 * processor has made take half as long again to read.
 */
static double card_in(const struct load *l)
{
	struct worker_task stop = {.run = fill_here};
	uint64_t ns = 0, n = 0;
	unsigned int none = 0;

	to_fill = l;
	while (ns < ROUND_NS) {
		uint64_t before = net_status().stats.rx_frames, cpu;

		worker_queue(card->channels[0]->worker, &stop);
		sem_wait(&stopped);
		cpu = bench_thread_ns();
		sem_post(&go_on);
		while (net_status().stats.rx_frames < before + filled) {
			if (!bench_turn(l, 0, &none, false))
				sched_yield();
		}
		ns += bench_thread_ns() - cpu;
		n += filled;
	}
	return (double)ns / (double)n;
}

/* --- both -------------------------------------------------------------------------- */

static double raw_ns[G_N_ELEMENTS(loads)], work_ns[G_N_ELEMENTS(loads)],
	card_ns[G_N_ELEMENTS(loads)];

static void keep_best(double *best, double ns)
{
	*best = *best > 0 && *best < ns ? *best : ns;
}

static void *raw_round(void *unused)
{
	char name[IFNAMSIZ] = TAP;
	bool multi = false;
	int fd = tap_link_open(name, &multi);

	ck_assert_int_ge(fd, 0);
	tap_link_offloads(fd, NET_OFFLOAD_CSUM | NET_OFFLOAD_TSO4);
	for (size_t i = 0; i < G_N_ELEMENTS(loads); i++) {
		make_frame(&loads[i]);
		keep_best(&raw_ns[i], loads[i].in ? raw_in(fd, &loads[i], false)
						  : raw_out(fd, &loads[i]));
		if (is_work(&loads[i]))
			keep_best(&work_ns[i], raw_in(fd, &loads[i], true));
	}
	close(fd);
	return unused;
}

static void card_round(void)
{
	const struct net_tap_options o = {.name = TAP, .queues = 1};

	use_processors(false);
	bus_setup();
	net_params.poll_max_ns = CONFIG_POLL_US_AUTO * 1000;
	bench_begin(net_tap_new(&o, NULL));
	for (size_t i = 0; i < G_N_ELEMENTS(loads); i++) {
		make_frame(&loads[i]);
		keep_best(&card_ns[i], loads[i].in ? card_in(&loads[i])
						   : card_out(&loads[i]));
	}
	net_end();
}

static void print(const char *name, double raw, double card_takes)
{
	printf("%-32s %9.0f %9.0f %9.2f\n", name, raw, card_takes,
	       raw / card_takes);
}

START_TEST(benchmark)
{
	unsigned int rounds = (unsigned int)MAX(seconds * 10 / 12, 1);
	pthread_t thread;

	make_tap();
	sem_init(&stopped, 0, 0);
	sem_init(&go_on, 0, 0);
	for (unsigned int i = 0; i < rounds; i++) {
		must(!pthread_create(&thread, NULL, raw_round, NULL),
		     "no thread");
		pthread_join(thread, NULL);
		card_round();
	}
	printf("%-32s %9s %9s %9s\n", "", "tap ns", "card ns", "share");
	for (size_t i = 0; i < G_N_ELEMENTS(loads); i++) {
		print(loads[i].name, raw_ns[i], card_ns[i]);
		if (is_work(&loads[i]))
			print("... beside as much work", work_ns[i],
			      card_ns[i]);
	}
}
END_TEST

int main(int argc, char **argv)
{
	if (argc > 1)
		seconds = g_ascii_strtod(argv[1], NULL);
	if (!netns_usable()) {
		puts("skip: no taps in a network namespace here");
		return 77;
	}
	return bench_main("netvsp_tap", benchmark);
}
