/* SPDX-License-Identifier: MIT */
/*
 * decode_vmbus.c - channel messages: all members of all kinds, as the structs
 * of include/proto/vmbus.h have them.
 */
#include <stddef.h>
#include <string.h>

#include "proto/vmbus.h"
#include "trace/decode.h"
#include "trace/names.h"

enum kind {
	NUMBER,
	HEX,
	VERSION, /* major << 16 | minor */
	GUID,
	CLASS, /* a GUID that may have a name */
	BYTES,
};

struct member {
	const char *name;
	uint16_t offset, bytes;
	enum kind kind;
};

#define MEMBERS_MAX 12
#define M(type, member, kind)                                                  \
	{                                                                      \
#member, offsetof(struct vmbus_channel_##type, member),        \
			sizeof(((struct vmbus_channel_##type *)NULL)->member), \
			(kind)                                                 \
	}

/* clang-format off */
static const struct member messages[CHANNELMSG_MAX + 1][MEMBERS_MAX] = {
	[CHANNELMSG_OFFERCHANNEL] = {
		M(offer_channel, child_relid, NUMBER),
		M(offer_channel, offer.if_type, CLASS),
		M(offer_channel, offer.if_instance, GUID),
		M(offer_channel, offer.chn_flags, HEX),
		M(offer_channel, offer.mmio_megabytes, NUMBER),
		M(offer_channel, offer.user_def, BYTES),
		M(offer_channel, offer.sub_channel_index, NUMBER),
		M(offer_channel, monitorid, NUMBER),
		M(offer_channel, monitor_allocated, NUMBER),
		M(offer_channel, is_dedicated_interrupt, NUMBER),
		M(offer_channel, connection_id, HEX)},
	[CHANNELMSG_RESCIND_CHANNELOFFER] = {
		M(rescind_offer, child_relid, NUMBER)},
	[CHANNELMSG_OPENCHANNEL] = {
		M(open_channel2, base.child_relid, NUMBER),
		M(open_channel2, base.openid, NUMBER),
		M(open_channel2, base.ringbuffer_gpadlhandle, HEX),
		M(open_channel2, base.target_vp, NUMBER),
		M(open_channel2, base.downstream_ringbuffer_pageoffset, NUMBER),
		M(open_channel2, base.userdata, BYTES),
		M(open_channel2, connection_id, HEX),
		M(open_channel2, event_flag, NUMBER),
		M(open_channel2, flags, HEX)},
	[CHANNELMSG_OPENCHANNEL_RESULT] = {
		M(open_result, child_relid, NUMBER),
		M(open_result, openid, NUMBER),
		M(open_result, status, HEX)},
	[CHANNELMSG_CLOSECHANNEL] = {M(close_channel, child_relid, NUMBER)},
	[CHANNELMSG_GPADL_HEADER] = {
		M(gpadl_header, child_relid, NUMBER),
		M(gpadl_header, gpadl, HEX),
		M(gpadl_header, range_buflen, NUMBER),
		M(gpadl_header, rangecount, NUMBER)},
	[CHANNELMSG_GPADL_BODY] = {
		M(gpadl_body, msgnumber, NUMBER),
		M(gpadl_body, gpadl, HEX)},
	[CHANNELMSG_GPADL_CREATED] = {
		M(gpadl_created, child_relid, NUMBER),
		M(gpadl_created, gpadl, HEX),
		M(gpadl_created, creation_status, HEX)},
	[CHANNELMSG_GPADL_TEARDOWN] = {
		M(gpadl_teardown, child_relid, NUMBER),
		M(gpadl_teardown, gpadl, HEX)},
	[CHANNELMSG_GPADL_TORNDOWN] = {M(gpadl_torndown, gpadl, HEX)},
	[CHANNELMSG_RELID_RELEASED] = {M(relid_released, child_relid, NUMBER)},
	[CHANNELMSG_INITIATE_CONTACT] = {
		M(initiate_contact2, base.vmbus_version_requested, VERSION),
		M(initiate_contact2, base.target_vcpu, NUMBER),
		M(initiate_contact2, base.interrupt_page, HEX),
		M(initiate_contact2, base.monitor_page1, HEX),
		M(initiate_contact2, base.monitor_page2, HEX),
		M(initiate_contact2, client_id, GUID)},
	[CHANNELMSG_VERSION_RESPONSE] = {
		M(version_response2, base.version_supported, NUMBER),
		M(version_response2, base.connection_state, NUMBER),
		M(version_response2, base.msg_conn_id, HEX),
		M(version_response2, feature_flags, HEX)},
	[CHANNELMSG_OPEN_RESERVED] = {
		M(open_reserved, child_relid, NUMBER),
		M(open_reserved, target_vp, NUMBER),
		M(open_reserved, target_sint, NUMBER),
		M(open_reserved, ringbuffer_gpadlhandle, HEX),
		M(open_reserved, downstream_ringbuffer_pageoffset, NUMBER)},
	[CHANNELMSG_CLOSE_RESERVED] = {
		M(close_reserved, child_relid, NUMBER),
		M(close_reserved, target_vp, NUMBER),
		M(close_reserved, target_sint, NUMBER)},
	[CHANNELMSG_CLOSE_RESERVED_RESULT] = {
		M(close_reserved_result, child_relid, NUMBER)},
	[CHANNELMSG_TL_CONNECT_REQUEST] = {
		M(tl_connect_request2, base.guest_endpoint_id, GUID),
		M(tl_connect_request2, base.host_service_id, GUID),
		M(tl_connect_request2, silo_id, GUID)},
	[CHANNELMSG_MODIFYCHANNEL] = {
		M(modifychannel, child_relid, NUMBER),
		M(modifychannel, target_vp, NUMBER)},
	[CHANNELMSG_TL_CONNECT_RESULT] = {
		M(tl_connect_result, guest_endpoint_id, GUID),
		M(tl_connect_result, host_service_id, GUID),
		M(tl_connect_result, status, HEX)},
	[CHANNELMSG_MODIFYCHANNEL_RESPONSE] = {
		M(modifychannel_response, child_relid, NUMBER),
		M(modifychannel_response, status, HEX)},
	[CHANNELMSG_MODIFY_CONNECTION] = {
		M(modify_connection, monitor_page1, HEX),
		M(modify_connection, monitor_page2, HEX)},
	[CHANNELMSG_MODIFY_CONNECTION_DONE] = {
		M(modify_connection_done, connection_state, NUMBER)},
};
/* clang-format on */

static uint64_t number_at(const uint8_t *at, size_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, at, MIN(bytes, sizeof(value)));
	return value;
}

static void member(const struct member *m, const uint8_t *at, struct fields *f)
{
	uint64_t number = number_at(at, m->bytes);
	struct guid guid = {{0}};
	char text[24];

	switch (m->kind) {
	case NUMBER:
		field_number(f, m->name, number);
		break;
	case HEX:
		field_hex(f, m->name, number);
		break;
	case VERSION:
		g_snprintf(text, sizeof(text), "%u.%u",
			   (unsigned int)(number >> 16),
			   (unsigned int)(number & 0xFFFF));
		field_text(f, m->name, text);
		break;
	case GUID:
	case CLASS:
		memcpy(&guid, at, sizeof(guid));
		if (m->kind == CLASS && name_of_class(&guid))
			field_text(f, m->name, name_of_class(&guid));
		else
			field_guid(f, m->name, &guid);
		break;
	case BYTES:
		field_bytes(f, m->name, at, m->bytes);
		break;
	}
}

/* The ranges of a GPADL: bytes of the first, and pages. */
static void ranges(const struct trace_record *r, size_t at, struct fields *f)
{
	struct gpa_range range;
	uint64_t pfn;

	if (r->event != TRACE_EVENT_vmbus_message ||
	    r->bytes < at + sizeof(range) + sizeof(pfn))
		return;
	memcpy(&range, r->data + at, sizeof(range));
	memcpy(&pfn, r->data + at + sizeof(range), sizeof(pfn));
	field_number(f, "byte_count", range.byte_count);
	field_number(f, "byte_offset", range.byte_offset);
	field_hex(f, "first_pfn", pfn);
}

void decode_vmbus_message(const struct trace_record *r, struct fields *f)
{
	struct vmbus_channel_message_header header = {0};
	const char *name;

	memcpy(&header, r->data, MIN(r->bytes, sizeof(header)));
	name = name_of_channel_message(header.msgtype);
	if (!name) {
		g_string_append_printf(f->title, "message %u", header.msgtype);
		field_number(f, "bytes", r->args[1]);
		return;
	}
	g_string_append(f->title, name);
	for (unsigned int i = 0; i < MEMBERS_MAX; i++) {
		const struct member *m = &messages[header.msgtype][i];

		/* Later versions of a message have more at its end. */
		if (!m->name || (uint32_t)m->offset + m->bytes > r->bytes)
			continue;
		member(m, r->data + m->offset, f);
	}
	if (header.msgtype == CHANNELMSG_GPADL_HEADER)
		ranges(r, sizeof(struct vmbus_channel_gpadl_header), f);
	else if (header.msgtype == CHANNELMSG_GPADL_BODY &&
		 r->args[1] > sizeof(struct vmbus_channel_gpadl_body))
		field_number(
			f, "pfns",
			(r->args[1] - sizeof(struct vmbus_channel_gpadl_body)) /
				sizeof(uint64_t));
}
