/* SPDX-License-Identifier: MIT */
/*
 * net_bench.h - for benchmarks of a network card: long rings, a guest that
 * sends as much as there is room for, and what the card's thread has used.
 */
#ifndef SUPPORT_NET_BENCH_H
#define SUPPORT_NET_BENCH_H

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
#include "support/processors.h"

#define DEPTH 64u

struct load {
	const char *name;
	bool in; /* to the guest */
	uint32_t bytes;
	unsigned int batch; /* messages of a section; 0: from pages */
};

/* Nanoseconds that the card's one channel has run. */
static inline uint64_t bench_thread_ns(void)
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
static inline uint32_t bench_messages(const struct load *l)
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

static inline bool bench_put(const struct load *l, uint32_t bytes)
{
	struct net_place at = {.section = NETVSC_INVALID_INDEX,
			       .pfn = NET_DATA_PFN,
			       .bytes = bytes};

	if (l->batch)
		at = (struct net_place){.section_bytes = bytes};
	return net_try_put_rndis(NET_PRIMARY, 1, NVSP_CHANNEL_DATA, &at);
}

/* One turn of the guest's.  Return: frames that are over. */
static inline uint64_t bench_turn(const struct load *l, uint32_t bytes,
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
	while (!l->in && more && *in_flight < DEPTH && bench_put(l, bytes))
		(*in_flight)++;
	return n;
}

/* The kernel clears memory when it is used first, and at nobody's expense. */
static inline void bench_touch(uint64_t pfn, uint64_t pages)
{
	memset(gmem_load(mem, pfn * PAGE, pages * PAGE), 1, pages * PAGE);
}

/* A guest that takes large frames, on @net. */
static inline void bench_begin(struct net *net)
{
	struct ndis_offload_params p = {
		.header = {NDIS_OBJECT_TYPE_DEFAULT, 3, sizeof(p)},
		.tcp_ip_v4_csum = NDIS_OFFLOAD_PARAMETERS_TX_RX_ENABLED,
		.rsc_ip_v4 = NDIS_OFFLOAD_PARAMETERS_ON};

	bench_touch(NET_RECV_PFN, NET_RECV_PAGES);
	bench_touch(NET_SEND_PFN, NET_SEND_PAGES);
	net_make_on(net, VERSION_WIN10_V5_3);
	use_processors(true);
	net_open();
	net_start(1500);
	ck_assert_uint_eq(net_set(OID_TCP_OFFLOAD_PARAMETERS, &p, sizeof(p)),
			  0);
}

/* main() of a benchmark: one test, in this process.  Return: exit code. */
static inline int bench_main(const char *name, const TTest *test)
{
	Suite *s = suite_create(name);
	TCase *t = tcase_create(name);
	SRunner *r;
	int failed;

	tcase_add_test(t, test);
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

#endif
