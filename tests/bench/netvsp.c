/* SPDX-License-Identifier: MIT */
/*
 * netvsp.c - what a network card on VMbus does in a second, without a VM: a
 * scripted guest at the other end of the rings, a card, and a back end that
 * takes any frame and always has one, and does nothing with them.
 *
 * usage: netvsp [SECONDS]
 *
 * One line for each load: frames a second, MiB a second, nanoseconds of the
 * card's thread for each frame, and signals each way for each.  So it is what
 * the card costs; what a tap costs comes on top.  The guest's end spins on a
 * processor of its own; the thread's time is what counts where there is no
 * other.
 */
#include <sched.h>
#include <stdio.h>

/* Long rings: 48 KiB each way. */
#define BUS_RING_PAGES 26u
#define BUS_DOWNSTREAM 13u
#define RAM_BYTES      (16u << 20)
#define NET_RECV_PFN   1024u
#define NET_RECV_PAGES 2048u
#define NET_SEND_PFN   512u
#define NET_SEND_PAGES 256u
#define NET_DATA_PFN   800u

#include "support/net_guest.h"

#include "base/clock.h"
#include "devices/net/net_impl.h"
#include "support/processors.h"

#define DEPTH 64u

struct load {
	const char *name;
	bool in; /* to the guest */
	uint32_t bytes;
	unsigned int batch; /* messages of a section; 0: from pages */
};

static const struct load loads[] = {
	{"out, 64 B, 8 to a section", false, 64, 8},
	{"out, 64 B, from pages", false, 64, 0},
	{"out, 1514 B, 3 to a section", false, 1514, 3},
	{"out, 64 KiB", false, 65226, 0},
	{"in, 64 B", true, 64, 0},
	{"in, 1514 B", true, 1514, 0},
	{"in, 64 KiB (RSC)", true, 65226, 0},
};

static double seconds = 2;
static struct net *net_any;

/* --- a back end that is always ready -------------------------------------------- */

static _Atomic uint32_t any_bytes; /* of frames that come; 0: none */
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

/* --- loads -------------------------------------------------------------------------- */

/* Nanoseconds that the card's one channel has run. */
static uint64_t thread_ns(void)
{
	GDir *dir = g_dir_open("/proc/self/task", 0, NULL);
	const char *tid;
	uint64_t ns = 0;

	while ((tid = g_dir_read_name(dir))) {
		g_autofree char *comm = NULL, *stat = NULL;
		g_autofree char *base =
			g_strdup_printf("/proc/self/task/%s/", tid);
		g_autofree char *a = g_strconcat(base, "comm", NULL);
		g_autofree char *b = g_strconcat(base, "schedstat", NULL);

		if (g_file_get_contents(a, &comm, NULL, NULL) &&
		    !strcmp(comm, "chan/net0\n") &&
		    g_file_get_contents(b, &stat, NULL, NULL))
			ns = g_ascii_strtoull(stat, NULL, 10);
	}
	g_dir_close(dir);
	return ns;
}

/* Messages where they are sent from. */
static uint32_t make_messages(const struct load *l)
{
	static uint8_t frame[70000];
	uint8_t *at = gmem_load(
		mem, (l->batch ? NET_SEND_PFN : NET_DATA_PFN) * (uint64_t)PAGE,
		20 * PAGE);
	uint32_t used = 0;

	net_frame(frame, l->bytes, 1);
	for (unsigned int i = 0; i < MAX(l->batch, 1); i++)
		used += net_message(at + used, frame, l->bytes, NULL, 0);
	return used;
}

static bool put(const struct load *l, uint32_t bytes)
{
	struct net_place at = {.section = NETVSC_INVALID_INDEX,
			       .pfn = NET_DATA_PFN,
			       .bytes = bytes};

	if (l->batch)
		at = (struct net_place){.section_bytes = bytes};
	return net_try_put_rndis(NET_PRIMARY, 1, NVSP_CHANNEL_DATA, &at);
}

/* One turn of the guest's.  Return: frames that are over. */
static uint64_t turn(const struct load *l, uint32_t bytes,
		     unsigned int *in_flight, bool more)
{
	static struct net_packet p;
	uint64_t n = 0;

	while (net_try_get(NET_PRIMARY, &p)) {
		if (p.p.type == VM_PKT_COMP) {
			n += MAX(l->batch, 1);
			(*in_flight)--;
			continue;
		}
		n += l->bytes > 1514 ? 1 : p.p.n_xfer;
		net_done(NET_PRIMARY, p.p.trans_id);
	}
	while (!l->in && more && *in_flight < DEPTH && put(l, bytes))
		(*in_flight)++;
	return n;
}

static void run(const struct load *l)
{
	uint64_t limit = (uint64_t)(seconds * 1e9), start, ns, cpu, n = 0;
	struct channel *ch = netvsp_ops.channel(card);
	uint32_t bytes = l->in ? 0 : make_messages(l);
	struct channel_stats s0, s1;
	struct netvsp_status t0, t1;
	unsigned int in_flight = 0;

	channel_get_stats(ch, &s0);
	t0 = net_status();
	cpu = thread_ns();
	start = clock_monotonic_ns();
	any_come(l->in ? l->bytes : 0);
	do {
		uint64_t done = turn(l, bytes, &in_flight, true);

		n += done;
		if (!done)
			sched_yield();
		ns = clock_monotonic_ns() - start;
	} while (ns < limit);
	cpu = thread_ns() - cpu;
	channel_get_stats(ch, &s1);
	t1 = net_status();
	any_come(0);
	while (in_flight)
		turn(l, bytes, &in_flight, false);
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
		turn(l, bytes, &in_flight, false);
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

START_TEST(all_loads)
{
	struct ndis_offload_params p = {
		.header = {NDIS_OBJECT_TYPE_DEFAULT, 3, sizeof(p)},
		.tcp_ip_v4_csum = NDIS_OFFLOAD_PARAMETERS_TX_RX_ENABLED,
		.rsc_ip_v4 = NDIS_OFFLOAD_PARAMETERS_ON};

	use_processors(false);
	bus_setup();
	make_any();
	net_make_on(net_any, VERSION_WIN10_V5_3);
	use_processors(true);
	net_open();
	net_start(1500);
	ck_assert_uint_eq(net_set(OID_TCP_OFFLOAD_PARAMETERS, &p, sizeof(p)),
			  0);
	printf("%-32s %10s %9s %8s %9s %9s\n", "", "frames/s", "MiB/s",
	       "ns/frame", "signals", "to guest");
	for (size_t i = 0; i < G_N_ELEMENTS(loads); i++)
		run(&loads[i]);
	net_end();
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("netvsp");
	TCase *t = tcase_create("netvsp");
	SRunner *r;
	int failed;

	if (argc > 1)
		seconds = g_ascii_strtod(argv[1], NULL);
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
