/* SPDX-License-Identifier: MIT */
/*
 * fuzz_offload.c - frames that a guest wants finished or cut, with headers
 * that say anything.
 *
 * The input is a virtio_net_hdr and the beginning of a frame, which goes on
 * with a pattern as far as a length says.  What must hold: nothing outside of
 * the frame is read or written, what is refused is as it was, segments are
 * within the frame, carry all of it once, and their sums are right.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "devices/net/net.h"
#include "devices/net/offload.h"

static void fuzz_checksum(uint8_t *frame, size_t bytes,
			  const struct virtio_net_hdr *hdr)
{
	size_t at = (size_t)hdr->csum_start + hdr->csum_offset;
	uint8_t *before = malloc(bytes + 1);

	memcpy(before, frame, bytes);
	if (offload_checksum(frame, bytes, hdr)) {
		expect(!memcmp(before, frame, bytes));
	} else {
		expect(at + 2 <= bytes);
		expect(!memcmp(before, frame, at));
		expect(!memcmp(before + at + 2, frame + at + 2,
			       bytes - at - 2));
		/* With what was there as its pseudo header it sums up. */
		expect(offload_fold(offload_sum(
			       frame + hdr->csum_start, bytes - hdr->csum_start,
			       offload_sum(before + at, 2, 0))) == 0xffff ||
		       hdr->csum_offset % 2);
	}
	free(before);
}

static void check_segment(const struct offload_segments *s,
			  const struct iovec iov[2], const uint8_t *frame,
			  size_t bytes, size_t at)
{
	const uint8_t *data = iov[1].iov_base;

	expect(iov[0].iov_len == s->headers.data);
	expect(iov[1].iov_len <= s->size);
	expect(data == frame + at);
	expect(iov[1].iov_len <= bytes - at);
}

static void fuzz_segments(const uint8_t *frame, size_t bytes,
			  const struct virtio_net_hdr *hdr)
{
	struct offload_segments s;
	struct iovec iov[2];
	size_t at, n;
	unsigned int count = 0;

	if (offload_segments_init(&s, frame, bytes, hdr)) {
		expect(!offload_segments_next(&s, iov));
		return;
	}
	at = s.headers.data;
	while ((n = offload_segments_next(&s, iov))) {
		expect(n == iov[0].iov_len + iov[1].iov_len);
		check_segment(&s, iov, frame, bytes, at);
		at += iov[1].iov_len;
		expect(++count <= bytes);
	}
	expect(at == s.bytes);
}

static void fuzz_gso(uint8_t *frame, size_t bytes, uint16_t more,
		     struct virtio_net_hdr *hdr)
{
	struct offload_headers h;

	if (offload_prepare_gso(frame, bytes, bytes + more))
		return;
	/* It is one now that can be cut, if all of it is there. */
	expect(!offload_parse(frame, bytes, &h));
	if (more)
		return;
	hdr->gso_size = hdr->gso_size ? hdr->gso_size : 1;
	hdr->csum_start = (uint16_t)h.l4;
	hdr->csum_offset = h.protocol == 6 ? 16 : 6;
	if (h.protocol == 17)
		hdr->gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
	else
		hdr->gso_type = h.is_v6 ? VIRTIO_NET_HDR_GSO_TCPV6
					: VIRTIO_NET_HDR_GSO_TCPV4;
	if (h.data <= OFFLOAD_HEADERS_MAX) {
		struct offload_segments s;

		expect(!offload_segments_init(&s, frame, bytes, hdr));
		expect(s.bytes == bytes);
	}
	fuzz_segments(frame, bytes, hdr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);
	struct virtio_net_hdr hdr = {0};
	uint16_t bytes = 0, given;
	uint8_t *frame;

	reader_bytes(&r, &hdr, sizeof(hdr));
	reader_bytes(&r, &bytes, sizeof(bytes));
	given = (uint16_t)reader_left(&r);
	bytes = bytes % 9000 < given ? given : bytes % 9000;
	/* No byte more, for a sanitizer to see who goes beyond. */
	frame = malloc(bytes ? bytes : 1);
	for (size_t i = 0; i < bytes; i++)
		frame[i] = (uint8_t)(i * 7);
	if (given)
		reader_bytes(&r, frame, given);
	fuzz_segments(frame, bytes, &hdr);
	fuzz_checksum(frame, bytes, &hdr);
	fuzz_gso(frame, bytes, given % 3 ? 0 : hdr.hdr_len, &hdr);
	free(frame);
	return 0;
}
