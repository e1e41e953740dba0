/* SPDX-License-Identifier: MIT */
/* Each kind of record as a line; and bytes that say what is not so. */
#include <string.h>

#include "base/fault.h"
#include "base/fault_kinds.h"
#include "proto/guids.h"
#include "proto/hv_hypercall.h"
#include "proto/hv_synic.h"
#include "proto/hv_tlfs.h"
#include "proto/ic.h"
#include "proto/nvsp.h"
#include "proto/rndis.h"
#include "proto/scsi.h"
#include "proto/storvsp.h"
#include "proto/vmbus.h"
#include "support/check_main.h"
#include "trace/decode.h"

static struct fields text, json;
static GString *out;

static void setup(void)
{
	fields_init(&text, TRACE_TEXT);
	fields_init(&json, TRACE_JSON);
	out = g_string_new(NULL);
}

static void teardown(void)
{
	fields_clear(&text);
	fields_clear(&json);
	g_string_free(out, TRUE);
}

static struct trace_record numbers(enum trace_event event, uint64_t a0,
				   uint64_t a1, uint64_t a2, uint64_t a3,
				   uint64_t a4)
{
	return (struct trace_record){
		.event = event, .vp = 1, .args = {a0, a1, a2, a3, a4}};
}

static struct trace_record bytes(enum trace_event event, const void *data,
				 uint32_t n, uint64_t a0, uint64_t a1)
{
	struct trace_record r = {.event = event,
				 .vp = TRACE_NO_VP,
				 .args = {a0, a1},
				 .bytes = n};

	memcpy(r.data, data, n);
	return r;
}

/* Is @want in the line of text that @r makes? */
static void says(const struct trace_record *r, const char *want)
{
	g_string_truncate(out, 0);
	trace_line(r, &text, out);
	ck_assert_msg(strstr(out->str, want), "'%s' is not in '%s'", want,
		      out->str);
	ck_assert_int_eq(out->str[out->len - 1], '\n');
}

/* --- numbers ------------------------------------------------------------------ */

static const struct {
	enum trace_event event;
	uint64_t args[TRACE_ARGS];
	const char *want;
} simple[] = {
	{TRACE_EVENT_msr_write,
	 {HV_X64_MSR_SCONTROL, 1},
	 "vp1  -         msr       write      SCONTROL value=0x1"},
	{TRACE_EVENT_msr_read,
	 {HV_X64_MSR_TPR, 0, (uint64_t)-22},
	 "read       TPR refused=#GP\n"},
	{TRACE_EVENT_msr_read, {0x400000F7, 5}, "MSR 0x400000f7 value=0x5"},
	{TRACE_EVENT_hypercall,
	 {HVCALL_SIGNAL_EVENT | HV_HYPERCALL_FAST_BIT, 0, 0x2004},
	 "call       SignalEvent status=SUCCESS fast0=0x2004 fast1=0x0"},
	{TRACE_EVENT_hypercall,
	 {HVCALL_POST_MESSAGE, HV_STATUS_INVALID_CONNECTION_ID, 0x1000},
	 "PostMessage status=INVALID_CONNECTION_ID input_gpa=0x1000"},
	{TRACE_EVENT_hypercall,
	 {HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST | 3ull << 32, 2ull << 32, 0x1000},
	 "reps=3 done=2"},
	{TRACE_EVENT_hypercall, {0x7777, 2}, "hypercall 0x7777"},
	{TRACE_EVENT_hypercall,
	 {HVCALL_SEND_IPI, 0, 0, 0, 1},
	 "SendSyntheticClusterIpi status=#UD"},
	{TRACE_EVENT_message_deliver,
	 {2, HVMSG_VMBUS, 1},
	 "synic     deliver    VMBUS sint=2 more=1"},
	{TRACE_EVENT_message_queue,
	 {4, HVMSG_TIMER_EXPIRED, (uint64_t)-11},
	 "queue      TIMER_EXPIRED sint=4 error="},
	{TRACE_EVENT_event_flag, {2, 17, 1}, "event      sint=2 flag=17\n"},
	{TRACE_EVENT_event_flag, {2, 17, 0}, "flag=17 result=was-set"},
	{TRACE_EVENT_event_flag, {2, 17, (uint64_t)-107}, "dropped="},
	{TRACE_EVENT_stimer_set,
	 {0, HV_STIMER_ENABLE | HV_STIMER_DIRECT_MODE | 0xED << 4, 1500, 1000},
	 "set        STIMER0 state=on vector=237 in_100ns=500"},
	{TRACE_EVENT_stimer_set,
	 {3, HV_STIMER_ENABLE | HV_STIMER_PERIODIC | 2 << 16, 10000, 77},
	 "STIMER3 state=on sint=2 period_100ns=10000"},
	{TRACE_EVENT_stimer_set,
	 {0, 0, 900, 1000},
	 "state=off sint=0 past_100ns=100"},
	{TRACE_EVENT_stimer_fire,
	 {1, 100, 130, 1, 237},
	 "fire       STIMER1 vector=237 late_100ns=30"},
	{TRACE_EVENT_vmbus_refused,
	 {CHANNELMSG_OPENCHANNEL, (uint64_t)-16},
	 "refused    OpenChannel error=\"Device or resource busy\""},
	{TRACE_EVENT_vmbus_refused, {99, (uint64_t)-2}, "message 0x63"},
	{TRACE_EVENT_channel_open,
	 {4096, 8192, 2, 0, 5},
	 "open       relid=5 ring_in_bytes=4096 ring_out_bytes=8192 "
	 "target_vp=2\n"},
	{TRACE_EVENT_channel_close,
	 {7, 8},
	 "close      packets_in=7 packets_out=8"},
	{TRACE_EVENT_ring_signal_in, {0x2001}, "signal     connection=0x2001"},
	{TRACE_EVENT_ring_signal_out, {1, 0}, "interrupt  target_vp=1\n"},
	{TRACE_EVENT_ring_batch,
	 {3, 16, 1},
	 "packets=3 left_bytes=16 state=stalled"},
	{TRACE_EVENT_ring_full, {96}, "full       bytes=96"},
	{TRACE_EVENT_storvsc_command,
	 {0x55, 0x0000100000000028ull, 0x8, 0x0001, 4096},
	 "command    READ (10) lun=1 lba=16 blocks=8 bytes=4096 "
	 "transaction=0x55"},
	{TRACE_EVENT_storvsc_command, {1, 0xEE, 0, 0, 0}, "CDB 0xee"},
	{TRACE_EVENT_storvsc_command,
	 {1, 0x12, 0, 0x200, 36},
	 "INQUIRY lun=0 target=2 cdb=12"},
	{TRACE_EVENT_storvsc_done,
	 {0x55, 0x28, SRB_STATUS_SUCCESS, 512},
	 "scsi      done       READ (10) srb_status=SUCCESS bytes=512 "
	 "transaction=0x55"},
	{TRACE_EVENT_storvsc_failed,
	 {0x55, 0x28, SRB_STATUS_ERROR | 0x80 | SAM_STAT_CHECK_CONDITION << 8,
	  0, 0x52500},
	 "storvsc   failed     READ (10) srb_status=ERROR "
	 "scsi_status=CHECK_CONDITION sense=0x52500 bytes=0"},
	{TRACE_EVENT_storvsc_slow,
	 {0x55, 0x28, SRB_STATUS_SUCCESS, 512, 2000},
	 "storvsc   slow       READ (10) srb_status=SUCCESS ms=2000 "
	 "bytes=512"},
	{TRACE_EVENT_frame_tx,
	 {60, 1},
	 "frames    tx         bytes=60 offloads=0x1"},
	{TRACE_EVENT_frame_rx, {1500, 1}, "rx         bytes=1500 sections=1"},
	{TRACE_EVENT_machine, {TRACE_MACHINE_RUNS}, "machine    runs"},
	{TRACE_EVENT_machine, {77}, "control   machine"},
	{TRACE_EVENT_milestone, {0}, "reached    guest_os_id"},
	{TRACE_EVENT_milestone, {777}, "reached"},
	{TRACE_EVENT_fault,
	 {3, 17, FAULT_STORVSC_COMMAND << 16 | FAULT_FAIL, READ_10,
	  SENSE_READ_ERROR},
	 "fault     hit        storvsc.command op=READ_10 action=fail "
	 "status=medium-error rule=3 nth=17\n"},
	{TRACE_EVENT_fault,
	 {1, 1, FAULT_RING_PUBLISH << 16 | FAULT_CORRUPT, FAULT_NO_OP,
	  FAULT_RING_WRITE_AHEAD},
	 "ring.publish action=corrupt kind=write-ahead rule=1 nth=1\n"},
	{TRACE_EVENT_fault,
	 {1, 1, FAULT_VMBUS_VERSION << 16 | FAULT_DOWNGRADE, FAULT_NO_OP,
	  0x40000},
	 "vmbus.version action=downgrade version=0x40000 rule=1"},
	{TRACE_EVENT_fault,
	 {2, 1, FAULT_MACHINE_MILESTONE << 16 | FAULT_JUMP, 0},
	 "machine.milestone op=guest_os_id action=jump rule=2"},
	/* An operation without a name, and what there is not. */
	{TRACE_EVENT_fault,
	 {1, 1, FAULT_STORVSC_COMMAND << 16 | FAULT_DROP, 0xFE},
	 "storvsc.command op=0xfe action=drop rule=1"},
	{TRACE_EVENT_fault,
	 {1, 1, N_FAULT_POINTS << 16},
	 "fault     hit       \n"},
	{TRACE_EVENT_fault, {1, 1, N_FAULT_ACTIONS}, "fault     hit       \n"},
};

START_TEST(numbers_have_names)
{
	struct trace_record r = {.event = simple[_i].event, .vp = 1};

	memcpy(r.args, simple[_i].args, sizeof(r.args));
	says(&r, simple[_i].want);
}
END_TEST

/* --- messages -------------------------------------------------------------------- */

START_TEST(contact)
{
	struct vmbus_channel_initiate_contact m = {
		.header.msgtype = CHANNELMSG_INITIATE_CONTACT,
		.vmbus_version_requested = VERSION_WIN10_V5_3,
		.target_vcpu = 1,
		.monitor_page1 = 0x1000,
		.monitor_page2 = 0x2000};
	struct trace_record r = bytes(TRACE_EVENT_vmbus_message, &m, sizeof(m),
				      TRACE_FROM_GUEST, sizeof(m));

	says(&r, "vmbus     from-guest InitiateContact "
		 "vmbus_version_requested=5.3 target_vcpu=1 interrupt_page=0x0 "
		 "monitor_page1=0x1000 monitor_page2=0x2000\n");
}
END_TEST

START_TEST(offer)
{
	struct vmbus_channel_offer_channel m = {
		.header.msgtype = CHANNELMSG_OFFERCHANNEL,
		.offer = {.if_type = HV_SCSI_GUID, .user_def = {1, 2, 0xAB}},
		.child_relid = 3,
		.monitorid = 0xFF,
		.connection_id = 0x2003};
	struct trace_record r = bytes(TRACE_EVENT_vmbus_message, &m, sizeof(m),
				      TRACE_TO_GUEST, sizeof(m));

	says(&r, "to-guest   OfferChannel child_relid=3 if_type=HV_SCSI "
		 "if_instance=00000000-0000-0000-0000-000000000000");
	says(&r, "user_def=0102ab sub_channel_index=0 monitorid=255");
	says(&r, "connection_id=0x2003\n");
}
END_TEST

START_TEST(gpadl_with_its_range)
{
	struct {
		struct vmbus_channel_gpadl_header h;
		struct gpa_range range;
		uint64_t pfn;
	} __attribute__((packed))
	m = {.h = {.header.msgtype = CHANNELMSG_GPADL_HEADER,
		   .child_relid = 1,
		   .gpadl = 0xE1E10,
		   .range_buflen = 16,
		   .rangecount = 1},
	     .range = {.byte_count = 4096},
	     .pfn = 0x1234};
	struct trace_record r = bytes(TRACE_EVENT_vmbus_message, &m, sizeof(m),
				      TRACE_FROM_GUEST, sizeof(m));

	says(&r, "GpadlHeader child_relid=1 gpadl=0xe1e10 range_buflen=16 "
		 "rangecount=1 byte_count=4096 byte_offset=0 "
		 "first_pfn=0x1234\n");
}
END_TEST

START_TEST(storage_packets)
{
	struct vstor_packet p = {
		.operation = VSTOR_OPERATION_QUERY_PROTOCOL_VERSION,
		.version.major_minor = VMSTOR_PROTO_VERSION_WIN10};
	struct trace_record r = bytes(TRACE_EVENT_storvsc_packet, &p, sizeof(p),
				      TRACE_FROM_GUEST, 9);

	says(&r, "QUERY_PROTOCOL_VERSION transaction=0x9 version=0x602");
	p = (struct vstor_packet){.operation = VSTOR_OPERATION_COMPLETE_IO,
				  .status = NT_STATUS_REVISION_MISMATCH};
	r = bytes(TRACE_EVENT_storvsc_packet, &p, sizeof(p), TRACE_TO_GUEST, 9);
	says(&r, "COMPLETE_IO transaction=0x9 status=REVISION_MISMATCH");
}
END_TEST

START_TEST(network_messages)
{
	struct nvsp_message m = {
		.msg_type = NVSP_MSG_TYPE_INIT,
		.init = {.min_protocol_ver = NVSP_PROTOCOL_VERSION_61,
			 .max_protocol_ver = NVSP_PROTOCOL_VERSION_61}};
	struct trace_record r = bytes(TRACE_EVENT_netvsc_message, &m, sizeof(m),
				      TRACE_FROM_GUEST, 1);

	says(&r, "netvsc    from-guest INIT min_protocol_ver=0x60001");
	m = (struct nvsp_message){
		.msg_type = NVSP_MSG1_TYPE_SEND_RNDIS_PKT_COMPLETE,
		.send_rndis_pkt_complete.status = NVSP_STAT_INVALID_RNDIS_PKT};
	r = bytes(TRACE_EVENT_netvsc_message, &m, 8, TRACE_TO_GUEST, 1);
	says(&r, "SEND_RNDIS_PKT_COMPLETE status=INVALID_RNDIS_PKT");
}
END_TEST

START_TEST(rndis_messages)
{
	struct {
		struct rndis_header h;
		struct rndis_oid_request q;
	} __attribute__((packed))
	m = {.h = {.msg_type = RNDIS_MSG_QUERY, .msg_len = sizeof(m)},
	     .q = {.req_id = 4, .oid = OID_GEN_LINK_SPEED}};
	struct {
		struct rndis_header h;
		struct rndis_query_complete c;
	} __attribute__((packed)) answer = {
		.h = {.msg_type = RNDIS_MSG_QUERY_C, .msg_len = sizeof(answer)},
		.c = {.req_id = 4, .status = RNDIS_STATUS_NOT_SUPPORTED}};
	struct trace_record r = bytes(TRACE_EVENT_netvsc_rndis, &m, sizeof(m),
				      TRACE_FROM_GUEST, sizeof(m));

	says(&r, "from-guest RNDIS QUERY oid=OID_GEN_LINK_SPEED info_buflen=0 "
		 "req_id=4 msg_len=28");
	r = bytes(TRACE_EVENT_netvsc_rndis, &answer, sizeof(answer),
		  TRACE_TO_GUEST, sizeof(answer));
	says(&r, "to-guest   RNDIS QUERY_C status=NOT_SUPPORTED");
	m.q.oid = 0x12345;
	r = bytes(TRACE_EVENT_netvsc_rndis, &m, sizeof(m), TRACE_FROM_GUEST, 0);
	says(&r, "oid=0x12345");
}
END_TEST

START_TEST(component_messages)
{
	struct {
		struct icmsg_hdr h;
		struct icmsg_negotiate n;
		struct ic_version v[3];
	} __attribute__((packed))
	m = {.h = {.icmsgtype = ICMSGTYPE_NEGOTIATE, .icmsgsize = 20},
	     .n = {.icframe_vercnt = 1, .icmsg_vercnt = 2},
	     .v = {{3, 0}, {1, 0}, {4, 0}}};
	struct icmsg_hdr h = {.icmsgtype = ICMSGTYPE_HEARTBEAT,
			      .icvermsg = {3, 0},
			      .status = HV_E_FAIL,
			      .ictransaction_id = 7};
	struct trace_record r = bytes(TRACE_EVENT_ic_message, &m, sizeof(m),
				      TRACE_TO_GUEST, sizeof(m));

	says(&r, "ic        to-guest   NEGOTIATE framework=3.0 version=1.0 "
		 "version=4.0");
	r = bytes(TRACE_EVENT_ic_message, &h, sizeof(h), TRACE_FROM_GUEST, 20);
	says(&r, "HEARTBEAT status=E_FAIL version=3.0 icmsgsize=0 "
		 "transaction=7");
}
END_TEST

START_TEST(sockets)
{
	const struct guid both[] = {{{1}}, {{2}}};
	struct trace_record r = bytes(TRACE_EVENT_hvsock_connect, both,
				      sizeof(both), 0, (uint64_t)-111);

	says(&r, "hvsock    connect    "
		 "service=00000002-0000-0000-0000-000000000000 "
		 "endpoint=00000001-0000-0000-0000-000000000000 refused=");
}
END_TEST

/* --- what a guest makes of it ------------------------------------------------------ */

/* Any bytes, of any length, are a line; a count in them is not believed. */
START_TEST(any_bytes_are_a_line)
{
	static const enum trace_event events[] = {
		TRACE_EVENT_vmbus_message,  TRACE_EVENT_storvsc_packet,
		TRACE_EVENT_netvsc_message, TRACE_EVENT_netvsc_rndis,
		TRACE_EVENT_ic_message,     TRACE_EVENT_hvsock_connect,
		TRACE_EVENT_channel_fail,   TRACE_EVENT_control_command,
	};
	uint8_t data[TRACE_BYTES_MAX];
	uint32_t seed = 1;

	for (unsigned int round = 0; round < 20000; round++) {
		enum trace_event event = events[round % G_N_ELEMENTS(events)];
		uint32_t n = round % (TRACE_BYTES_MAX + 1);
		struct trace_record r;

		for (uint32_t i = 0; i < sizeof(data); i++) {
			seed = seed * 1664525 + 1013904223;
			data[i] = (uint8_t)(seed >> 24);
		}
		/* Often a type that there is. */
		data[1] = data[2] = data[3] = 0;
		r = bytes(event, data, n, round & 1, n);
		g_string_truncate(out, 0);
		trace_line(&r, &text, out);
		ck_assert_ptr_eq(strchr(out->str, '\n'),
				 out->str + out->len - 1);
		g_string_truncate(out, 0);
		trace_line(&r, &json, out);
		ck_assert_ptr_eq(strchr(out->str, '\n'),
				 out->str + out->len - 1);
		ck_assert(g_utf8_validate(out->str, -1, NULL));
	}
}
END_TEST

START_TEST(text_of_the_guest_is_one_line)
{
	struct trace_record r =
		bytes(TRACE_EVENT_channel_fail, "a\n\"b\"\x1b[0m", 10, 0, 0);

	says(&r, "reason=a\\n\\\"b\\\"\\033[0m\n");
}
END_TEST

/* --- JSON ---------------------------------------------------------------------------- */

START_TEST(json_has_the_same)
{
	struct trace_record r = numbers(
		TRACE_EVENT_hypercall,
		HVCALL_SIGNAL_EVENT | HV_HYPERCALL_FAST_BIT, 0, 1, 0, 0);

	r.tsc = 0;
	trace_line(&r, &json, out);
	ck_assert_ptr_nonnull(strstr(
		out->str, ",\"category\":\"hypercall\",\"event\":\"hypercall\","
			  "\"vp\":1,\"name\":\"SignalEvent\","
			  "\"status\":\"SUCCESS\",\"fast0\":\"0x1\","
			  "\"fast1\":\"0x0\"}\n"));
}
END_TEST

START_TEST(json_names_the_device_and_the_way)
{
	struct vstor_packet p = {.operation =
					 VSTOR_OPERATION_BEGIN_INITIALIZATION};
	struct trace_record r = bytes(TRACE_EVENT_storvsc_packet, &p, sizeof(p),
				      TRACE_FROM_GUEST, 1);

	r.device = trace_device("scsi\"0");
	trace_line(&r, &json, out);
	ck_assert_ptr_nonnull(
		strstr(out->str, "\"device\":\"scsi\\\"0\",\"way\":\"from-guest"
				 "\",\"name\":\"BEGIN_INITIALIZATION\""));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("decode");
	TCase *tc = tcase_create("decode");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, numbers_have_names, 0, G_N_ELEMENTS(simple));
	tcase_add_test(tc, contact);
	tcase_add_test(tc, offer);
	tcase_add_test(tc, gpadl_with_its_range);
	tcase_add_test(tc, storage_packets);
	tcase_add_test(tc, network_messages);
	tcase_add_test(tc, rndis_messages);
	tcase_add_test(tc, component_messages);
	tcase_add_test(tc, sockets);
	tcase_add_test(tc, any_bytes_are_a_line);
	tcase_add_test(tc, text_of_the_guest_is_one_line);
	tcase_add_test(tc, json_has_the_same);
	tcase_add_test(tc, json_names_the_device_and_the_way);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
