/* SPDX-License-Identifier: MIT */
#include "lib/vmbus.h"

#include "lib/clock.h"
#include "lib/hypercall.h"
#include "lib/synic.h"

#define SINT      VMBUS_MESSAGE_SINT
#define ALIGN8(n) (((n) + 7u) & ~7u)

/* Page numbers in a header message, and in a body message. */
#define HEADER_PFNS 26u
#define BODY_PFNS   28u

static struct hv_input_post_message post __attribute__((aligned(256)));
static uint8_t monitor_pages[2][PAGE_BYTES]
	__attribute__((aligned(PAGE_BYTES)));
static uint8_t ring_pages[CHANNEL_PAGES][PAGE_BYTES]
	__attribute__((aligned(PAGE_BYTES)));

/* --- messages ----------------------------------------------------------------- */

void vmbus_enable(void)
{
	synic_enable();
	sint_write(SINT, VMBUS_VECTOR);
}

static hv_status_t send_on(uint32_t connection, const void *msg, size_t size)
{
	memset(&post, 0, sizeof(post));
	post.connectionid = connection;
	post.message_type = HVMSG_VMBUS;
	post.payload_size = (uint32_t)size;
	memory_copy(post.payload, msg, size);
	return hypercall(HVCALL_POST_MESSAGE, &post, NULL);
}

hv_status_t vmbus_send(const void *msg, size_t size)
{
	return send_on(VMBUS_MESSAGE_CONNECTION_ID, msg, size);
}

void vmbus_send_empty(uint32_t type)
{
	const struct vmbus_channel_message_header m = {.msgtype = type};

	vmbus_send(&m, sizeof(m));
}

void vmbus_send_contact(uint32_t version, uint32_t vp)
{
	struct vmbus_channel_initiate_contact m = {
		.header.msgtype = CHANNELMSG_INITIATE_CONTACT,
		.vmbus_version_requested = version,
		.target_vcpu = vp,
		.monitor_page1 = gpa_of(monitor_pages[0]),
		.monitor_page2 = gpa_of(monitor_pages[1]),
	};
	bool is_new = version >= VERSION_WIN10_V5;

	if (is_new)
		m.msg_sint = SINT;
	send_on(is_new ? VMBUS_MESSAGE_CONNECTION_ID_4
		       : VMBUS_MESSAGE_CONNECTION_ID,
		&m, sizeof(m));
}

uint32_t vmbus_receive(union vmbus_message *m)
{
	volatile struct hv_message *slot = synic_slot(this_cpu()->index, SINT);

	memset(m, 0, sizeof(*m));
	if (!wait_until(slot->header.message_type != HVMSG_NONE, SOON_MS) ||
	    slot->header.message_type != HVMSG_VMBUS)
		return 0;
	for (unsigned int i = 0; i < slot->header.payload_size; i++)
		m->bytes[i] = slot->payload[i];
	synic_free_slot(SINT);
	return m->header.msgtype;
}

bool vmbus_nothing_more(unsigned int cpu)
{
	clock_wait_ms(QUIET_MS);
	return synic_slot(cpu, SINT)->header.message_type == HVMSG_NONE;
}

bool vmbus_connect(uint32_t version)
{
	union vmbus_message m;

	vmbus_send_contact(version, 0);
	return vmbus_receive(&m) == CHANNELMSG_VERSION_RESPONSE &&
	       m.version.base.version_supported &&
	       m.version.base.connection_state == VMBUS_CONNECTION_OK;
}

/* --- opening and closing --------------------------------------------------------- */

/* Page numbers of the rings from *@page on, @most of them; Return: bytes. */
static size_t put_pfns(uint8_t *at, unsigned int *page, unsigned int most)
{
	size_t used = 0;

	for (; most && *page < CHANNEL_PAGES; most--, (*page)++) {
		uint64_t pfn = gpa_of(ring_pages[*page]) / PAGE_BYTES;

		memory_copy(at + used, &pfn, sizeof(pfn));
		used += sizeof(pfn);
	}
	return used;
}

bool channel_share(struct vmbus_channel *ch)
{
	const struct vmbus_channel_gpadl_header header = {
		.header.msgtype = CHANNELMSG_GPADL_HEADER,
		.child_relid = ch->relid,
		.gpadl = CHANNEL_GPADL,
		.range_buflen = sizeof(struct gpa_range) + 8 * CHANNEL_PAGES,
		.rangecount = 1};
	const struct gpa_range range = {CHANNEL_PAGES * PAGE_BYTES, 0};
	const struct vmbus_channel_gpadl_body body = {
		.header.msgtype = CHANNELMSG_GPADL_BODY,
		.gpadl = CHANNEL_GPADL};
	uint8_t bytes[VMBUS_MESSAGE_MAX];
	union vmbus_message m;
	unsigned int page = 0;
	size_t size = sizeof(header) + sizeof(range);

	memset(ring_pages, 0, sizeof(ring_pages));
	ch->out = at((unsigned long)ring_pages[0]);
	ch->out_data = ring_pages[1];
	ch->in = at((unsigned long)ring_pages[CHANNEL_PAGES / 2]);
	ch->in_data = ring_pages[CHANNEL_PAGES / 2 + 1];
	ch->out->feature_bits = HV_RING_FEATURE_PENDING_SEND_SZ;
	ch->in->feature_bits = HV_RING_FEATURE_PENDING_SEND_SZ;
	memory_copy(bytes, &header, sizeof(header));
	memory_copy(bytes + sizeof(header), &range, sizeof(range));
	size += put_pfns(bytes + size, &page, HEADER_PFNS);
	vmbus_send(bytes, size);
	while (page < CHANNEL_PAGES) {
		memory_copy(bytes, &body, sizeof(body));
		size = put_pfns(bytes + sizeof(body), &page, BODY_PFNS);
		vmbus_send(bytes, sizeof(body) + size);
	}
	return vmbus_receive(&m) == CHANNELMSG_GPADL_CREATED &&
	       m.created.gpadl == CHANNEL_GPADL && !m.created.creation_status;
}

void channel_send_open(const struct vmbus_channel *ch, uint32_t openid)
{
	const struct vmbus_channel_open_channel m = {
		.header.msgtype = CHANNELMSG_OPENCHANNEL,
		.child_relid = ch->relid,
		.openid = openid,
		.ringbuffer_gpadlhandle = CHANNEL_GPADL,
		.target_vp = ch->vp,
		.downstream_ringbuffer_pageoffset = CHANNEL_PAGES / 2};

	vmbus_send(&m, sizeof(m));
}

bool channel_unshare(const struct vmbus_channel *ch)
{
	const struct vmbus_channel_gpadl_teardown out = {
		.header.msgtype = CHANNELMSG_GPADL_TEARDOWN,
		.child_relid = ch->relid,
		.gpadl = CHANNEL_GPADL};
	union vmbus_message m;

	vmbus_send(&out, sizeof(out));
	return vmbus_receive(&m) == CHANNELMSG_GPADL_TORNDOWN &&
	       m.torndown.gpadl == CHANNEL_GPADL;
}

/* --- packets ------------------------------------------------------------------------ */

/* Bytes from @index on before the ring starts again, @n at most. */
static uint32_t before_end(uint32_t index, uint32_t n)
{
	uint32_t left = CHANNEL_RING_BYTES - index;

	return n < left ? n : left;
}

/* Return: the index behind it. */
static uint32_t copy_in(uint8_t *data, uint32_t index, const void *from,
			uint32_t n)
{
	uint32_t first = before_end(index, n);

	memory_copy(data + index, from, first);
	memory_copy(data, (const uint8_t *)from + first, n - first);
	return (index + n) % CHANNEL_RING_BYTES;
}

static void copy_out(const uint8_t *data, uint32_t index, void *to, uint32_t n)
{
	uint32_t first = before_end(index, n);

	memory_copy(to, data + index, first);
	memory_copy((uint8_t *)to + first, data, n - first);
}

static uint32_t used(const volatile struct hv_ring_buffer *ring)
{
	return (ring->write_index + CHANNEL_RING_BYTES - ring->read_index) %
	       CHANNEL_RING_BYTES;
}

hv_status_t channel_signal(const struct vmbus_channel *ch)
{
	return hypercall_fast(HVCALL_SIGNAL_EVENT, ch->connection_id, 0);
}

/* Linux drivers/hv/ring_buffer.c:hv_ringbuffer_write(). */
bool channel_put(struct vmbus_channel *ch, const struct vmpacket_descriptor *d,
		 const void *header, uint32_t header_bytes, const void *data,
		 uint32_t bytes)
{
	uint32_t all = ALIGN8(sizeof(*d) + header_bytes + bytes);
	uint32_t old = ch->out->write_index, index = old;
	struct vmpacket_descriptor filled = *d;
	struct vmpacket_trailer trailer = {.start_offset = old};

	if (used(ch->out) + all + sizeof(trailer) >= CHANNEL_RING_BYTES)
		return false;
	filled.offset8 = (uint16_t)((sizeof(*d) + header_bytes) / 8);
	filled.len8 = (uint16_t)(all / 8);
	index = copy_in(ch->out_data, index, &filled, sizeof(filled));
	index = copy_in(ch->out_data, index, header, header_bytes);
	copy_in(ch->out_data, index, data, bytes);
	index = (old + all) % CHANNEL_RING_BYTES;
	index = copy_in(ch->out_data, index, &trailer, sizeof(trailer));
	memory_barrier();
	ch->out->write_index = index;
	memory_barrier();
	/* It was empty: the host may have gone to sleep meanwhile. */
	if (!ch->out->interrupt_mask && ch->out->read_index == old)
		channel_signal(ch);
	return true;
}

bool channel_put_inband(struct vmbus_channel *ch, uint64_t trans_id,
			bool completion, const void *data, uint32_t bytes)
{
	const struct vmpacket_descriptor d = {
		.type = VM_PKT_DATA_INBAND,
		.flags = completion
				 ? VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED
				 : 0,
		.trans_id = trans_id};

	return channel_put(ch, &d, NULL, 0, data, bytes);
}

bool channel_get(struct vmbus_channel *ch, struct vmbus_packet *packet)
{
	uint32_t index = ch->in->read_index, start;
	struct vmpacket_trailer trailer;

	if (used(ch->in) < sizeof(packet->d))
		return false;
	memory_barrier();
	copy_out(ch->in_data, index, &packet->d, sizeof(packet->d));
	start = packet->d.offset8 * 8u;
	packet->bytes = packet->d.len8 * 8u - start;
	if (packet->bytes > sizeof(packet->payload))
		packet->bytes = sizeof(packet->payload);
	copy_out(ch->in_data, (index + start) % CHANNEL_RING_BYTES,
		 packet->payload, packet->bytes);
	index = (index + packet->d.len8 * 8u) % CHANNEL_RING_BYTES;
	copy_out(ch->in_data, index, &trailer, sizeof(trailer));
	if (trailer.start_offset != ch->in->read_index)
		return false;
	memory_barrier();
	ch->in->read_index =
		(uint32_t)(index + sizeof(trailer)) % CHANNEL_RING_BYTES;
	return true;
}
