/* SPDX-License-Identifier: MIT */
#include "vsp/vmbus/packet.h"

#include <string.h>

#include "base/checked.h"

/* --- in ------------------------------------------------------------------ */

static int parse_gpa_direct(const uint8_t *copy, uint32_t offset,
			    struct packet *p)
{
	struct vmdata_gpa_direct h;

	if (offset < sizeof(h))
		return -EPROTO;
	memcpy(&h, copy, sizeof(h));
	p->gpa = (struct gpa_range_list){
		.data = copy + sizeof(h),
		.size = offset - (uint32_t)sizeof(h),
		.n_ranges = h.range_cnt,
	};
	return gpa_ranges_check(&p->gpa, &p->gpa_bytes) ? -EPROTO : 0;
}

static int parse_xfer_pages(const uint8_t *copy, uint32_t offset,
			    struct packet *p)
{
	struct vmtransfer_page_packet_header h;

	if (offset < sizeof(h))
		return -EPROTO;
	memcpy(&h, copy, sizeof(h));
	if (h.range_cnt > (offset - sizeof(h)) / sizeof(p->xfer[0]))
		return -EPROTO;
	p->xfer_pageset_id = h.xfer_pageset_id;
	p->n_xfer = h.range_cnt;
	p->xfer = (const void *)(copy + sizeof(h));
	return 0;
}

int packet_parse(const void *copy, uint32_t size, struct packet *packet)
{
	struct vmpacket_descriptor d;
	uint32_t offset;

	memcpy(&d, copy, sizeof(d));
	offset = d.offset8 * PACKET_UNIT;
	*packet = (struct packet){
		.type = d.type,
		.wants_completion =
			d.flags & VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED,
		.trans_id = d.trans_id,
		.data = (const uint8_t *)copy + offset,
		.bytes = size - offset,
	};
	switch (d.type) {
	case VM_PKT_DATA_INBAND:
	case VM_PKT_COMP:
		return 0;
	case VM_PKT_DATA_USING_GPA_DIRECT:
		return parse_gpa_direct(copy, offset, packet);
	case VM_PKT_DATA_USING_XFER_PAGES:
		return parse_xfer_pages(copy, offset, packet);
	default:
		return -EPROTO;
	}
}

int packet_pipe(const struct packet *packet, const void **data, uint32_t *bytes)
{
	struct vmbuspipe_hdr h;

	if (packet->bytes < sizeof(h))
		return -EPROTO;
	memcpy(&h, packet->data, sizeof(h));
	if (h.flags != VMBUS_PIPE_DATA || h.msgsize > packet->bytes - sizeof(h))
		return -EPROTO;
	*data = (const uint8_t *)packet->data + sizeof(h);
	*bytes = h.msgsize;
	return 0;
}

/* --- out ----------------------------------------------------------------- */

/* Where the payload begins. */
static uint64_t payload_offset(const struct packet_out *out)
{
	if (out->type != VM_PKT_DATA_USING_XFER_PAGES)
		return PACKET_HEADER;
	return sizeof(struct vmtransfer_page_packet_header) +
	       (uint64_t)out->n_xfer * sizeof(out->xfer[0]);
}

uint32_t packet_out_size(const struct packet_out *out)
{
	uint64_t bytes = payload_offset(out) + out->bytes[0] + out->bytes[1];

	return bytes > PACKET_MAX ? 0 : (uint32_t)align_up(bytes, PACKET_UNIT);
}

static void encode_xfer_pages(uint8_t *at, const struct packet_out *out)
{
	struct vmtransfer_page_packet_header h = {
		.xfer_pageset_id = out->xfer_pageset_id,
		.range_cnt = out->n_xfer,
	};

	memcpy(at + sizeof(h.d), (uint8_t *)&h + sizeof(h.d),
	       sizeof(h) - sizeof(h.d));
	if (out->n_xfer)
		memcpy(at + sizeof(h), out->xfer,
		       (size_t)out->n_xfer * sizeof(out->xfer[0]));
}

void packet_encode(void *at, const struct packet_out *out, uint32_t size)
{
	uint32_t pos = (uint32_t)payload_offset(out);
	uint8_t *to = at;
	struct vmpacket_descriptor d = {
		.type = out->type,
		.offset8 = (uint16_t)(pos / PACKET_UNIT),
		.len8 = (uint16_t)(size / PACKET_UNIT),
		.flags = out->wants_completion
				 ? VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED
				 : 0,
		.trans_id = out->trans_id,
	};

	memcpy(to, &d, sizeof(d));
	if (out->type == VM_PKT_DATA_USING_XFER_PAGES)
		encode_xfer_pages(to, out);
	/* The last unit first, so that its padding is zero. */
	if (size > pos)
		memset(to + size - PACKET_UNIT, 0, PACKET_UNIT);
	for (unsigned int i = 0; i < 2; i++) {
		if (!out->bytes[i])
			continue;
		memcpy(to + pos, out->data[i], out->bytes[i]);
		pos += out->bytes[i];
	}
}
