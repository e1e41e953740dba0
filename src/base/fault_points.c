/* SPDX-License-Identifier: MIT */
/*
 * fault_points.c - the table of fault points and of actions: what rules may
 * say, what `kvmbus faults` prints, and what the manual lists.
 */
#include <stddef.h>

#include "base/fault.h"
#include "base/fault_kinds.h"
#include "proto/hv_tlfs.h"
#include "proto/ic.h"
#include "proto/nvsp.h"
#include "proto/rndis.h"
#include "proto/scsi.h"
#include "proto/storvsp.h"
#include "proto/vmbus.h"

#define ON(action) (1u << FAULT_##action)

/* --- operations -------------------------------------------------------------- */

static const struct fault_word messages_out[] = {
	{"OfferChannel", CHANNELMSG_OFFERCHANNEL, NULL},
	{"RescindChannelOffer", CHANNELMSG_RESCIND_CHANNELOFFER, NULL},
	{"AllOffersDelivered", CHANNELMSG_ALLOFFERS_DELIVERED, NULL},
	{"OpenChannelResult", CHANNELMSG_OPENCHANNEL_RESULT, NULL},
	{"GpadlCreated", CHANNELMSG_GPADL_CREATED, NULL},
	{"GpadlTorndown", CHANNELMSG_GPADL_TORNDOWN, NULL},
	{"VersionResponse", CHANNELMSG_VERSION_RESPONSE, NULL},
	{"UnloadResponse", CHANNELMSG_UNLOAD_RESPONSE, NULL},
	{"TlConnectResult", CHANNELMSG_TL_CONNECT_RESULT, NULL},
	{"ModifyChannelResponse", CHANNELMSG_MODIFYCHANNEL_RESPONSE, NULL},
	{NULL, 0, NULL},
};

static const struct fault_word messages_in[] = {
	{"RequestOffers", CHANNELMSG_REQUESTOFFERS, NULL},
	{"OpenChannel", CHANNELMSG_OPENCHANNEL, NULL},
	{"CloseChannel", CHANNELMSG_CLOSECHANNEL, NULL},
	{"GpadlHeader", CHANNELMSG_GPADL_HEADER, NULL},
	{"GpadlBody", CHANNELMSG_GPADL_BODY, NULL},
	{"GpadlTeardown", CHANNELMSG_GPADL_TEARDOWN, NULL},
	{"RelidReleased", CHANNELMSG_RELID_RELEASED, NULL},
	{"InitiateContact", CHANNELMSG_INITIATE_CONTACT, NULL},
	{"Unload", CHANNELMSG_UNLOAD, NULL},
	{"TlConnectRequest", CHANNELMSG_TL_CONNECT_REQUEST, NULL},
	{"ModifyChannel", CHANNELMSG_MODIFYCHANNEL, NULL},
	{NULL, 0, NULL},
};

static const struct fault_word packets[] = {
	{"INBAND", VM_PKT_DATA_INBAND, "requests and notices of the host"},
	{"XFER_PAGES", VM_PKT_DATA_USING_XFER_PAGES, "a card's frames"},
	{"COMPLETION", VM_PKT_COMP, "answers"},
	{NULL, 0, NULL},
};

static const struct fault_word scsi_commands[] = {
	{"TEST_UNIT_READY", TEST_UNIT_READY, NULL},
	{"REQUEST_SENSE", REQUEST_SENSE, NULL},
	{"READ_6", READ_6, NULL},
	{"WRITE_6", WRITE_6, NULL},
	{"INQUIRY", INQUIRY, NULL},
	{"MODE_SELECT", MODE_SELECT, NULL},
	{"MODE_SENSE", MODE_SENSE, NULL},
	{"START_STOP", START_STOP, NULL},
	{"READ_CAPACITY", READ_CAPACITY, NULL},
	{"READ_10", READ_10, NULL},
	{"WRITE_10", WRITE_10, NULL},
	{"SYNCHRONIZE_CACHE", SYNCHRONIZE_CACHE, NULL},
	{"WRITE_SAME", WRITE_SAME, NULL},
	{"UNMAP", UNMAP, NULL},
	{"READ_12", READ_12, NULL},
	{"WRITE_12", WRITE_12, NULL},
	{"READ_16", READ_16, NULL},
	{"WRITE_16", WRITE_16, NULL},
	{"WRITE_SAME_16", WRITE_SAME_16, NULL},
	{"SERVICE_ACTION_IN_16", SERVICE_ACTION_IN_16, NULL},
	{"REPORT_LUNS", REPORT_LUNS, NULL},
	{NULL, 0, NULL},
};

static const struct fault_word vstor_operations[] = {
	{"RESET_LUN", VSTOR_OPERATION_RESET_LUN, NULL},
	{"RESET_ADAPTER", VSTOR_OPERATION_RESET_ADAPTER, NULL},
	{"RESET_BUS", VSTOR_OPERATION_RESET_BUS, NULL},
	{"BEGIN_INITIALIZATION", VSTOR_OPERATION_BEGIN_INITIALIZATION, NULL},
	{"END_INITIALIZATION", VSTOR_OPERATION_END_INITIALIZATION, NULL},
	{"QUERY_PROTOCOL_VERSION", VSTOR_OPERATION_QUERY_PROTOCOL_VERSION,
	 NULL},
	{"QUERY_PROPERTIES", VSTOR_OPERATION_QUERY_PROPERTIES, NULL},
	{"CREATE_SUB_CHANNELS", VSTOR_OPERATION_CREATE_SUB_CHANNELS, NULL},
	{NULL, 0, NULL},
};

/* NVSP's numbers and RNDIS' do not meet but for the halves of one word. */
static const struct fault_word net_answers[] = {
	{"INIT", NVSP_MSG_TYPE_INIT_COMPLETE, NULL},
	{"RECV_BUF", NVSP_MSG1_TYPE_SEND_RECV_BUF_COMPLETE, NULL},
	{"SEND_BUF", NVSP_MSG1_TYPE_SEND_SEND_BUF_COMPLETE, NULL},
	{"SUBCHANNEL", NVSP_MSG5_TYPE_SUBCHANNEL, NULL},
	{"SEND_TABLE", NVSP_MSG5_TYPE_SEND_INDIRECTION_TABLE, NULL},
	{"RNDIS_INIT", RNDIS_MSG_INIT_C, NULL},
	{"RNDIS_QUERY", RNDIS_MSG_QUERY_C, NULL},
	{"RNDIS_SET", RNDIS_MSG_SET_C, NULL},
	{"RNDIS_INDICATE", RNDIS_MSG_INDICATE, NULL},
	{NULL, 0, NULL},
};

static const struct fault_word ic_messages[] = {
	{"NEGOTIATE", ICMSGTYPE_NEGOTIATE, NULL},
	{"HEARTBEAT", ICMSGTYPE_HEARTBEAT, NULL},
	{"KVP", ICMSGTYPE_KVPEXCHANGE, NULL},
	{"SHUTDOWN", ICMSGTYPE_SHUTDOWN, NULL},
	{"TIMESYNC", ICMSGTYPE_TIMESYNC, NULL},
	{"VSS", ICMSGTYPE_VSS, NULL},
	{"FCOPY", ICMSGTYPE_FCOPY, NULL},
	{NULL, 0, NULL},
};

/* --- statuses ------------------------------------------------------------------ */

static const struct fault_word hypercall_statuses[] = {
	{"insufficient-buffers", HV_STATUS_INSUFFICIENT_BUFFERS,
	 "try again, says the TLFS"},
	{"insufficient-memory", HV_STATUS_INSUFFICIENT_MEMORY, NULL},
	{"invalid-connection", HV_STATUS_INVALID_CONNECTION_ID, NULL},
	{"invalid-parameter", HV_STATUS_INVALID_PARAMETER, NULL},
	{NULL, 0, NULL},
};

/* SENSE() and SAM_STAT_…; which of them is known by the size. */
static const struct fault_word scsi_statuses[] = {
	{"medium-error", SENSE_READ_ERROR, "unrecovered read error"},
	{"write-error", SENSE_WRITE_ERROR, NULL},
	{"hardware-error", SENSE(HARDWARE_ERROR, 0x44, 0x00),
	 "internal target failure"},
	{"not-ready", SENSE_BECOMING_READY, "becoming ready"},
	{"no-medium", SENSE_NO_MEDIUM_CLOSED, NULL},
	{"illegal-request", SENSE_INVALID_CDB, NULL},
	{"unit-attention", SENSE_RESET, "power on or reset"},
	{"capacity-changed", SENSE_CAPACITY_CHANGED, NULL},
	{"no-space", SENSE_NO_SPACE, NULL},
	{"write-protected", SENSE_WRITE_PROTECTED, NULL},
	{"busy", SAM_STAT_BUSY, "the SCSI status"},
	{"reservation-conflict", SAM_STAT_RESERVATION_CONFLICT, NULL},
	{NULL, 0, NULL},
};

static const struct fault_word nt_statuses[] = {
	{"invalid-parameter", NT_STATUS_INVALID_PARAMETER, NULL},
	{"invalid-request", NT_STATUS_INVALID_DEVICE_REQUEST, NULL},
	{"revision-mismatch", NT_STATUS_REVISION_MISMATCH, NULL},
	{"invalid-state", NT_STATUS_INVALID_DEVICE_STATE, NULL},
	{"device-error", NT_STATUS_IO_DEVICE_ERROR, NULL},
	{NULL, 0, NULL},
};

static const struct fault_word net_statuses[] = {
	{"fail", NVSP_STAT_FAIL, "of NVSP; RNDIS has another number for it"},
	{NULL, 0, NULL},
};

/* --- kinds ------------------------------------------------------------------------ */

static const struct fault_word message_kinds[] = {
	{"type", FAULT_MESSAGE_TYPE, "a type that there is not"},
	{"relid", FAULT_MESSAGE_RELID, "a channel that never was"},
	{"relid-beyond", FAULT_MESSAGE_RELID_BEYOND, "beyond all tables"},
	{"short", FAULT_MESSAGE_SHORT, "the header alone"},
	{"garbage", FAULT_MESSAGE_GARBAGE, "random bytes behind the header"},
	{NULL, 0, NULL},
};

static const struct fault_word offer_kinds[] = {
	{"relid-zero", FAULT_OFFER_RELID_ZERO, NULL},
	{"relid-beyond", FAULT_OFFER_RELID_BEYOND, "beyond all tables"},
	{"stale", FAULT_OFFER_STALE, "the relid of another offer"},
	{"class", FAULT_OFFER_CLASS, "a class that nobody knows"},
	{"sub-index", FAULT_OFFER_SUB_INDEX, "a sub-channel of nothing"},
	{"monitor", FAULT_OFFER_MONITOR, "a bit beyond the monitor page"},
	{"connection", FAULT_OFFER_CONNECTION, "signals go to nobody"},
	{NULL, 0, NULL},
};

static const struct fault_word packet_kinds[] = {
	{"trans-id", FAULT_PACKET_TRANS_ID, "a transaction that never was"},
	{"length-beyond", FAULT_PACKET_LENGTH_BEYOND, "behind what is there"},
	{"length-zero", FAULT_PACKET_LENGTH_ZERO, NULL},
	{"offset-beyond", FAULT_PACKET_OFFSET_BEYOND, "behind the packet"},
	{"offset-zero", FAULT_PACKET_OFFSET_ZERO, "in the descriptor"},
	{"type", FAULT_PACKET_TYPE, "a type that there is not"},
	{"short", FAULT_PACKET_SHORT, "a payload of 8 bytes"},
	{"ranges-beyond", FAULT_PACKET_RANGES_BEYOND, "more than it holds"},
	{"range-offset", FAULT_PACKET_RANGE_OFFSET, "outside the buffer"},
	{"range-length", FAULT_PACKET_RANGE_LENGTH, "longer than the buffer"},
	{"pageset", FAULT_PACKET_PAGESET, "of a buffer that there is not"},
	{"payload", FAULT_PACKET_PAYLOAD, "random bytes"},
	{NULL, 0, NULL},
};

static const struct fault_word ring_kinds[] = {
	{"write-beyond", FAULT_RING_WRITE_BEYOND, "the index is too large"},
	{"write-unaligned", FAULT_RING_WRITE_UNALIGNED, NULL},
	{"write-ahead", FAULT_RING_WRITE_AHEAD, "more than was written"},
	{"read-beyond", FAULT_RING_READ_BEYOND, "in the guest's own ring"},
	{"read-ahead", FAULT_RING_READ_AHEAD, "more than it has sent"},
	{NULL, 0, NULL},
};

static const struct fault_word command_kinds[] = {
	{"data-length", FAULT_COMMAND_DATA_LENGTH, "more than asked for"},
	{"sense-length", FAULT_COMMAND_SENSE_LENGTH, "more than has room"},
	{"srb-status", FAULT_COMMAND_SRB_STATUS, "one that there is not"},
	{"scsi-status", FAULT_COMMAND_SCSI_STATUS, "one that there is not"},
	{"operation", FAULT_COMMAND_OPERATION, "not a completion"},
	{NULL, 0, NULL},
};

static const struct fault_word storvsc_kinds[] = {
	{"channels", FAULT_STORVSC_CHANNELS, "65535 sub-channels"},
	{"transfer-zero", FAULT_STORVSC_TRANSFER_ZERO, "of no bytes"},
	{"transfer-beyond", FAULT_STORVSC_TRANSFER_BEYOND, "of 4 GiB"},
	{"operation", FAULT_STORVSC_OPERATION, "not a completion"},
	{NULL, 0, NULL},
};

static const struct fault_word frame_kinds[] = {
	{"message-type", FAULT_FRAME_MESSAGE_TYPE, "none of RNDIS"},
	{"message-length", FAULT_FRAME_MESSAGE_LENGTH, "behind its section"},
	{"message-short", FAULT_FRAME_MESSAGE_SHORT, "less than its header"},
	{"data-offset", FAULT_FRAME_DATA_OFFSET, "outside the message"},
	{"data-length", FAULT_FRAME_DATA_LENGTH, "behind the message"},
	{"items-offset", FAULT_FRAME_ITEMS_OFFSET, "outside the message"},
	{"items-length", FAULT_FRAME_ITEMS_LENGTH, "behind the message"},
	{"item-size", FAULT_FRAME_ITEM_SIZE, "behind the items"},
	{"bytes", FAULT_FRAME_BYTES, "of the frame itself"},
	{NULL, 0, NULL},
};

static const struct fault_word netvsc_kinds[] = {
	{"version", FAULT_NETVSC_VERSION, "that nobody offered"},
	{"sections", FAULT_NETVSC_SECTIONS, "behind the receive buffer"},
	{"section-zero", FAULT_NETVSC_SECTION_ZERO, "of no bytes"},
	{"send-section", FAULT_NETVSC_SEND_SECTION, "sections of no bytes"},
	{"table-offset", FAULT_NETVSC_TABLE_OFFSET, "outside the message"},
	{"rndis-length", FAULT_NETVSC_RNDIS_LENGTH, "behind the packet"},
	{"rndis-info", FAULT_NETVSC_RNDIS_INFO, "contents outside of it"},
	{"rndis-id", FAULT_NETVSC_RNDIS_ID, "of no request"},
	{NULL, 0, NULL},
};

static const struct fault_word ic_kinds[] = {
	{"pipe-length", FAULT_IC_PIPE_LENGTH, "behind the packet"},
	{"size", FAULT_IC_SIZE, "icmsgsize behind the packet"},
	{"type", FAULT_IC_TYPE, "of no component"},
	{"versions", FAULT_IC_VERSIONS, "65535 of them"},
	{"versions-none", FAULT_IC_VERSIONS_NONE, NULL},
	{NULL, 0, NULL},
};

/* --- the tables ------------------------------------------------------------------- */

const struct fault_action_row fault_actions[N_FAULT_ACTIONS] = {
	[FAULT_DELAY] = {"delay", "it comes ms= later", FAULT_WANTS_MS, 0},
	[FAULT_DROP] = {"drop", "it does not come", 0, 0},
	[FAULT_DUPLICATE] = {"duplicate", "it comes twice", 0, 0},
	[FAULT_REORDER] = {"reorder", "it comes after the n= (1) that follow",
			   0, FAULT_WANTS_N},
	[FAULT_FAIL] = {"fail", "it fails, with status= where there are some",
			0, FAULT_WANTS_STATUS},
	[FAULT_CORRUPT] = {"corrupt",
			   "the guest is told lies: kind=, or any of them", 0,
			   FAULT_WANTS_KIND},
	[FAULT_STALL] = {"stall", "nothing is shown for ms=", FAULT_WANTS_MS,
			 0},
	[FAULT_STORM] = {"storm", "it comes n= times more", FAULT_WANTS_N, 0},
	[FAULT_DOWNGRADE] = {"downgrade", "nothing above version= is spoken",
			     FAULT_WANTS_VERSION, 0},
	[FAULT_RESCIND] = {"rescind",
			   "device= is taken away, ms= later; n=1: and offered "
			   "again",
			   FAULT_WANTS_DEVICE, FAULT_WANTS_MS | FAULT_WANTS_N},
	[FAULT_FLAP] = {"flap", "the cable of device= goes n= times, for ms=",
			FAULT_WANTS_DEVICE | FAULT_WANTS_N | FAULT_WANTS_MS, 0},
	[FAULT_BALLOON] = {"balloon", "the guest is to give mib=",
			   FAULT_WANTS_MIB, FAULT_WANTS_MS},
	[FAULT_JUMP] = {"jump",
			"TSC and reference time go ms= ahead, or (negative) "
			"back",
			FAULT_WANTS_MS, 0},
	[FAULT_MIGRATE] = {"migrate",
			   "as on another host: TSC ms= ahead, reference time "
			   "as before, a new page, an interrupt",
			   FAULT_WANTS_MS, 0},
};

const struct fault_point_row fault_points[N_FAULT_POINTS] = {
	[FAULT_VMBUS_MESSAGE_OUT] = {"vmbus.message-out",
				     "a channel message to the guest",
				     ON(DELAY) | ON(DROP) | ON(DUPLICATE) |
					     ON(REORDER) | ON(CORRUPT) |
					     ON(STORM),
				     false, false, messages_out, NULL,
				     message_kinds},
	[FAULT_VMBUS_MESSAGE_IN] = {"vmbus.message-in",
				    "a channel message of the guest",
				    ON(DROP) | ON(DUPLICATE) | ON(FAIL), false,
				    false, messages_in, hypercall_statuses,
				    NULL},
	[FAULT_VMBUS_VERSION] = {"vmbus.version",
				 "the guest says which version it wants",
				 ON(FAIL) | ON(DOWNGRADE), false, false, NULL,
				 NULL, NULL},
	[FAULT_VMBUS_OFFER] = {"vmbus.offer", "a device is offered",
			       ON(DROP) | ON(DUPLICATE) | ON(CORRUPT), true,
			       false, NULL, NULL, offer_kinds},
	[FAULT_CHANNEL_OPEN] = {"channel.open", "the guest opens a channel",
				ON(FAIL), true, false, NULL, NULL, NULL},
	[FAULT_RING_OUT] = {"ring.out", "a packet to the guest",
			    ON(DELAY) | ON(DROP) | ON(DUPLICATE) | ON(REORDER) |
				    ON(CORRUPT),
			    true, false, packets, NULL, packet_kinds},
	[FAULT_RING_PUBLISH] = {"ring.publish",
				"packets are shown to the guest",
				ON(STALL) | ON(CORRUPT), true, false, NULL,
				NULL, ring_kinds},
	[FAULT_RING_SIGNAL] = {"ring.signal",
			       "the guest is interrupted for a channel",
			       ON(DELAY) | ON(DROP) | ON(STORM), true, false,
			       NULL, NULL, NULL},
	[FAULT_STORVSC_COMMAND] = {"storvsc.command",
				   "a SCSI command of the guest",
				   ON(DELAY) | ON(DROP) | ON(FAIL) |
					   ON(CORRUPT),
				   true, false, scsi_commands, scsi_statuses,
				   command_kinds},
	[FAULT_STORVSC_CONTROL] = {"storvsc.control",
				   "a request to a disk controller",
				   ON(DROP) | ON(FAIL) | ON(CORRUPT), true,
				   false, vstor_operations, nt_statuses,
				   storvsc_kinds},
	[FAULT_NETVSC_FRAME_RX] = {"netvsc.frame-rx", "a frame for the guest",
				   ON(DROP) | ON(DUPLICATE) | ON(REORDER) |
					   ON(CORRUPT),
				   true, false, NULL, NULL, frame_kinds},
	[FAULT_NETVSC_CONTROL] = {"netvsc.control",
				  "an answer of a network card",
				  ON(DROP) | ON(FAIL) | ON(CORRUPT), true,
				  false, net_answers, net_statuses,
				  netvsc_kinds},
	[FAULT_IC_MESSAGE] = {"ic.message",
			      "a message of an integration component",
			      ON(DROP) | ON(DUPLICATE) | ON(CORRUPT), true,
			      false, ic_messages, NULL, ic_kinds},
	[FAULT_STIMER_FIRE] = {"stimer.fire", "a synthetic timer expires",
			       ON(DROP) | ON(DELAY), false, false, NULL, NULL,
			       NULL},
	[FAULT_MACHINE_MILESTONE] = {"machine.milestone",
				     "the guest reaches a milestone, op=",
				     ON(RESCIND) | ON(FLAP) | ON(BALLOON) |
					     ON(JUMP) | ON(MIGRATE),
				     true, true, NULL, NULL, NULL},
};
