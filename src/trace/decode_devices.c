/* SPDX-License-Identifier: MIT */
/*
 * decode_devices.c - what devices on VMbus and their drivers say.
 */
#include <string.h>

#include "proto/ic.h"
#include "proto/nvsp.h"
#include "proto/rndis.h"
#include "proto/scsi.h"
#include "proto/storvsp.h"
#include "trace/decode.h"
#include "trace/names.h"
#include "vsp/netvsp/netvsp.h"
#include "vsp/scsi/scsi.h"

static void title(struct fields *f, const char *name, uint64_t number)
{
	if (name)
		g_string_append(f->title, name);
	else
		g_string_append_printf(
			f->title, "message %" G_GINT64_MODIFIER "u", number);
}

/* What a record has of a struct; the rest is zero. */
#define COPY(r, from, to)                                                \
	do {                                                             \
		memset((to), 0, sizeof(*(to)));                          \
		if ((r)->bytes > (from))                                 \
			memcpy((to), (r)->data + (from),                 \
			       MIN((r)->bytes - (from), sizeof(*(to)))); \
	} while (0)

/* --- storage ------------------------------------------------------------------- */

void decode_storvsc_packet(const struct trace_record *r, struct fields *f)
{
	struct vstor_packet p;

	COPY(r, 0, &p);
	title(f, name_of_vstor_operation(p.operation), p.operation);
	field_hex(f, "transaction", r->args[1]);
	if (r->args[0] == TRACE_TO_GUEST)
		field_name(f, "status", name_of_nt_status(p.status), p.status);
	switch (p.operation) {
	case VSTOR_OPERATION_QUERY_PROTOCOL_VERSION:
		field_hex(f, "version", p.version.major_minor);
		break;
	case VSTOR_OPERATION_CREATE_SUB_CHANNELS:
		field_number(f, "sub_channel_count", p.sub_channel_count);
		break;
	case VSTOR_OPERATION_RESET_LUN:
		field_number(f, "lun", p.vm_srb.lun);
		break;
	default:
		break;
	}
}

static void command_title(struct fields *f, const uint8_t *cdb)
{
	const char *name = scsi_command_name(cdb[0], cdb[1]);

	if (name)
		g_string_append(f->title, name);
	else
		g_string_append_printf(f->title, "CDB 0x%02x", cdb[0]);
}

static uint64_t big_endian(const uint8_t *at, unsigned int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | *at++;
	return value;
}

/* Address and number of what reads and writes the medium. */
static void blocks(struct fields *f, const uint8_t *cdb)
{
	switch (cdb[0]) {
	case READ_6:
	case WRITE_6:
		field_number(f, "lba", big_endian(cdb + 1, 3) & 0x1FFFFF);
		field_number(f, "blocks", cdb[4] ? cdb[4] : 256);
		break;
	case READ_10:
	case WRITE_10:
		field_number(f, "lba", big_endian(cdb + 2, 4));
		field_number(f, "blocks", big_endian(cdb + 7, 2));
		break;
	case READ_12:
	case WRITE_12:
		field_number(f, "lba", big_endian(cdb + 2, 4));
		field_number(f, "blocks", big_endian(cdb + 6, 4));
		break;
	case READ_16:
	case WRITE_16:
		field_number(f, "lba", big_endian(cdb + 2, 8));
		field_number(f, "blocks", big_endian(cdb + 10, 4));
		break;
	default:
		field_bytes(f, "cdb", cdb, SCSI_CDB_MAX);
		break;
	}
}

void decode_storvsc_command(const struct trace_record *r, struct fields *f)
{
	uint8_t cdb[16];

	memcpy(cdb, &r->args[1], 8);
	memcpy(cdb + 8, &r->args[2], 8);
	command_title(f, cdb);
	field_number(f, "lun", r->args[3] & 0xFF);
	if (r->args[3] >> 8)
		field_number(f, "target", r->args[3] >> 8);
	blocks(f, cdb);
	field_number(f, "bytes", r->args[4]);
	field_hex(f, "transaction", r->args[0]);
}

void decode_storvsc_done(const struct trace_record *r, struct fields *f)
{
	uint8_t srb = r->args[2] & 0xFF, scsi = r->args[2] >> 8 & 0xFF;
	uint8_t cdb[8];

	memcpy(cdb, &r->args[1], sizeof(cdb));
	command_title(f, cdb);
	field_name(f, "srb_status", name_of_srb_status(srb), srb);
	if (scsi)
		field_name(f, "scsi_status", name_of_scsi_status(scsi), scsi);
	if (r->event == TRACE_EVENT_storvsc_slow)
		field_number(f, "ms", r->args[4]);
	else if (r->args[4])
		field_hex(f, "sense", r->args[4]);
	field_number(f, "bytes", r->args[3]);
	field_hex(f, "transaction", r->args[0]);
}

/* --- network ------------------------------------------------------------------------ */

static void nvsp_version(struct fields *f, const char *name, uint32_t version)
{
	field_hex(f, name, version);
}

static void nvsp_status(struct fields *f, uint32_t status)
{
	field_name(f, "status", name_of_nvsp_status(status), status);
}

static void nvsp_buffers(const struct nvsp_message *m, struct fields *f)
{
	switch (m->msg_type) {
	case NVSP_MSG1_TYPE_SEND_RECV_BUF:
	case NVSP_MSG1_TYPE_SEND_SEND_BUF:
		field_hex(f, "gpadl_handle", m->send_buf.gpadl_handle);
		field_hex(f, "id", m->send_buf.id);
		break;
	case NVSP_MSG1_TYPE_REVOKE_RECV_BUF:
	case NVSP_MSG1_TYPE_REVOKE_SEND_BUF:
		field_hex(f, "id", m->revoke_buf.id);
		break;
	case NVSP_MSG1_TYPE_SEND_RECV_BUF_COMPLETE:
		nvsp_status(f, m->send_recv_buf_complete.status);
		field_number(
			f, "sub_alloc_size",
			m->send_recv_buf_complete.sections[0].sub_alloc_size);
		field_number(
			f, "num_sub_allocs",
			m->send_recv_buf_complete.sections[0].num_sub_allocs);
		break;
	case NVSP_MSG1_TYPE_SEND_SEND_BUF_COMPLETE:
		nvsp_status(f, m->send_send_buf_complete.status);
		field_number(f, "section_size",
			     m->send_send_buf_complete.section_size);
		break;
	default:
		break;
	}
}

static void nvsp_fields(const struct nvsp_message *m, bool to_guest,
			struct fields *f)
{
	switch (m->msg_type) {
	case NVSP_MSG_TYPE_INIT:
		nvsp_version(f, "min_protocol_ver", m->init.min_protocol_ver);
		nvsp_version(f, "max_protocol_ver", m->init.max_protocol_ver);
		break;
	case NVSP_MSG_TYPE_INIT_COMPLETE:
		nvsp_status(f, m->init_complete.status);
		nvsp_version(f, "negotiated_protocol_ver",
			     m->init_complete.negotiated_protocol_ver);
		break;
	case NVSP_MSG1_TYPE_SEND_NDIS_VER:
		field_number(f, "ndis_major_ver",
			     m->send_ndis_ver.ndis_major_ver);
		field_number(f, "ndis_minor_ver",
			     m->send_ndis_ver.ndis_minor_ver);
		break;
	case NVSP_MSG1_TYPE_SEND_RNDIS_PKT:
		field_text(f, "channel_type",
			   m->send_rndis_pkt.channel_type == NVSP_CHANNEL_DATA
				   ? "data"
				   : "control");
		break;
	case NVSP_MSG1_TYPE_SEND_RNDIS_PKT_COMPLETE:
		nvsp_status(f, m->send_rndis_pkt_complete.status);
		break;
	case NVSP_MSG2_TYPE_SEND_NDIS_CONFIG:
		field_number(f, "mtu", m->send_ndis_config.mtu);
		field_hex(f, "capability", m->send_ndis_config.capability);
		break;
	case NVSP_MSG4_TYPE_SWITCH_DATA_PATH:
		field_number(f, "active_datapath",
			     m->active_dp.active_datapath);
		break;
	case NVSP_MSG5_TYPE_SUBCHANNEL:
		if (to_guest)
			nvsp_status(f, m->subchn_comp.status);
		else
			field_number(f, "op", m->subchn_req.op);
		field_number(f, "num_subchannels",
			     m->subchn_req.num_subchannels);
		break;
	case NVSP_MSG5_TYPE_SEND_INDIRECTION_TABLE:
		field_number(f, "count", m->send_table.count);
		break;
	default:
		nvsp_buffers(m, f);
		break;
	}
}

void decode_netvsc_message(const struct trace_record *r, struct fields *f)
{
	struct nvsp_message m;

	COPY(r, 0, &m);
	title(f, name_of_nvsp_message(m.msg_type), m.msg_type);
	nvsp_fields(&m, r->args[0] == TRACE_TO_GUEST, f);
	field_hex(f, "transaction", r->args[1]);
}

static void rndis_status(struct fields *f, uint32_t status)
{
	field_name(f, "status", name_of_rndis_status(status), status);
}

static void oid_request(const struct trace_record *r, struct fields *f)
{
	struct rndis_oid_request q;

	COPY(r, sizeof(struct rndis_header), &q);
	field_name(f, "oid", netvsp_oid_name(q.oid), q.oid);
	field_number(f, "info_buflen", q.info_buflen);
	field_number(f, "req_id", q.req_id);
}

void decode_netvsc_rndis(const struct trace_record *r, struct fields *f)
{
	const size_t body = sizeof(struct rndis_header);
	struct rndis_initialize_request init;
	struct rndis_query_complete query;
	struct rndis_set_complete set;
	uint32_t status;
	struct rndis_header h;

	COPY(r, 0, &h);
	COPY(r, body, &status);
	COPY(r, body, &set);
	COPY(r, body, &init);
	COPY(r, body, &query);
	g_string_append(f->title, "RNDIS ");
	title(f, name_of_rndis_message(h.msg_type), h.msg_type);
	switch (h.msg_type) {
	case RNDIS_MSG_INIT:
		field_number(f, "major_ver", init.major_ver);
		field_number(f, "minor_ver", init.minor_ver);
		field_number(f, "max_xfer_size", init.max_xfer_size);
		field_number(f, "req_id", init.req_id);
		break;
	case RNDIS_MSG_QUERY:
	case RNDIS_MSG_SET:
		oid_request(r, f);
		break;
	case RNDIS_MSG_QUERY_C:
		rndis_status(f, query.status);
		field_number(f, "info_buflen", query.info_buflen);
		field_number(f, "req_id", query.req_id);
		break;
	case RNDIS_MSG_INIT_C:
	case RNDIS_MSG_SET_C:
	case RNDIS_MSG_KEEPALIVE_C:
		rndis_status(f, set.status);
		field_number(f, "req_id", set.req_id);
		break;
	case RNDIS_MSG_RESET_C:
	case RNDIS_MSG_INDICATE:
		rndis_status(f, status);
		break;
	default:
		break;
	}
	field_number(f, "msg_len", h.msg_len);
}

/* --- integration components ------------------------------------------------------------ */

static void ic_version(struct fields *f, const char *name,
		       const struct ic_version *v)
{
	char text[16];

	g_snprintf(text, sizeof(text), "%u.%u", v->major, v->minor);
	field_text(f, name, text);
}

/* Both lists, or what the guest took of them. */
static void negotiation(const struct trace_record *r, struct fields *f)
{
	const size_t at = sizeof(struct icmsg_hdr);
	struct icmsg_negotiate n;
	struct ic_version v;
	unsigned int count;

	COPY(r, at, &n);
	count = MIN((unsigned int)n.icframe_vercnt + n.icmsg_vercnt, 8u);
	for (unsigned int i = 0; i < count; i++) {
		COPY(r, at + sizeof(n) + i * sizeof(v), &v);
		ic_version(f, i < n.icframe_vercnt ? "framework" : "version",
			   &v);
	}
}

void decode_ic_message(const struct trace_record *r, struct fields *f)
{
	struct icmsg_hdr h;
	uint8_t operation;

	COPY(r, 0, &h);
	COPY(r, sizeof(h), &operation);
	title(f, name_of_ic_message(h.icmsgtype), h.icmsgtype);
	if (r->args[0] == TRACE_FROM_GUEST)
		field_name(f, "status", name_of_ic_status(h.status), h.status);
	if (h.icmsgtype == ICMSGTYPE_NEGOTIATE)
		negotiation(r, f);
	else
		ic_version(f, "version", &h.icvermsg);
	if (h.icmsgtype == ICMSGTYPE_KVPEXCHANGE ||
	    h.icmsgtype == ICMSGTYPE_VSS || h.icmsgtype == ICMSGTYPE_FCOPY)
		field_number(f, "operation", operation);
	field_number(f, "icmsgsize", h.icmsgsize);
	field_number(f, "transaction", h.ictransaction_id);
}

/* --- sockets ----------------------------------------------------------------------------- */

void decode_hvsock_connect(const struct trace_record *r, struct fields *f)
{
	struct guid guid;

	COPY(r, sizeof(guid), &guid);
	field_guid(f, "service", &guid);
	COPY(r, 0, &guid);
	field_guid(f, "endpoint", &guid);
	field_error(f, "refused", (int)r->args[1]);
}
