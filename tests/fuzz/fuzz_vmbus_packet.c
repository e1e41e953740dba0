/* SPDX-License-Identifier: MIT */
/*
 * fuzz_vmbus_packet - a packet of the guest: descriptor, ranges, pipe header.
 *
 * The input is what the ring holds from the packet on, trailer included.
 */
#include "fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "mem/gmem.h"
#include "vsp/vmbus/packet.h"

#define PAGE     4096u
#define IOV_MAX_ 8u

static struct gmem *mem;

/* All pieces are RAM, and as long as the ranges say. */
static void check_gpa(const struct packet *p)
{
	struct iovec iov[IOV_MAX_];
	uint8_t *ram = gmem_load(mem, 0, gmem_bytes(mem));
	uint64_t total = 0;
	int n = gpa_ranges_iov(mem, &p->gpa, iov, IOV_MAX_);

	expect(p->gpa_bytes >= p->gpa.n_ranges);
	expect(n <= (int)IOV_MAX_ && n != -EINVAL);
	for (int i = 0; i < n; i++) {
		uint8_t *at = iov[i].iov_base;

		expect(at >= ram && iov[i].iov_len <= gmem_bytes(mem) &&
		       at + iov[i].iov_len <= ram + gmem_bytes(mem));
		total += iov[i].iov_len;
	}
	expect(n < 0 || total == p->gpa_bytes);
}

/* What was taken can be sent, and is taken again. */
static void check_encode(const struct packet *p)
{
	struct packet_out out = {.type = p->type,
				 .wants_completion = p->wants_completion,
				 .trans_id = p->trans_id,
				 .data = {p->data},
				 .bytes = {p->bytes},
				 .xfer_pageset_id = p->xfer_pageset_id,
				 .n_xfer = p->n_xfer,
				 .xfer = p->xfer};
	uint32_t size = packet_out_size(&out);
	struct packet again;
	void *copy;

	expect(size);
	copy = malloc(size);
	packet_encode(copy, &out, size);
	expect(!packet_parse(copy, size, &again));
	expect(again.type == p->type && again.trans_id == p->trans_id &&
	       again.bytes == p->bytes && again.n_xfer == p->n_xfer);
	expect(!memcmp(again.data, p->data, p->bytes));
	free(copy);
}

static void check(const struct packet *p)
{
	const void *data;
	uint32_t bytes;

	if (p->type == VM_PKT_DATA_USING_GPA_DIRECT)
		check_gpa(p);
	else
		check_encode(p);
	if (!packet_pipe(p, &data, &bytes))
		expect(bytes <= p->bytes - sizeof(struct vmbuspipe_hdr));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmpacket_descriptor d;
	struct packet packet;
	uint32_t bytes;
	void *copy;

	if (!mem)
		mem = gmem_new(32 * PAGE, NULL);
	if (size < sizeof(d) || size > 2 * PACKET_MAX)
		return 0;
	memcpy(&d, data, sizeof(d));
	bytes = packet_size(&d, (uint32_t)size);
	if (!bytes)
		return 0;
	expect(bytes >= sizeof(d) && bytes + PACKET_TRAILER <= size);
	/* As long as it is and not a byte longer. */
	copy = malloc(bytes);
	memcpy(copy, data, bytes);
	if (!packet_parse(copy, bytes, &packet))
		check(&packet);
	free(copy);
	return 0;
}
