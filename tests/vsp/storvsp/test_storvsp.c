/* SPDX-License-Identifier: MIT */
#include "vsp/storvsp/storvsp.h"

#include "support/stor_guest.h"

#include "support/fake_unit.h"
#include "vsp/vmbus/worker.h"

#define PRIMARY (&stor_guest[0])

static struct block disk;
static struct scsi_lun unit, other;

static void make_units(void)
{
	memset(&disk, 0, sizeof(disk));
	fake_unit_init(&unit, &disk);
	fake_unit_init(&other, &disk);
	fake_no_queues = false;
}

static void setup_host(uint32_t version)
{
	bus_setup();
	make_units();
	stor_make(version, false, 3);
	ck_assert_int_eq(storvsp_add(stor, 0, &unit), 0);
	stor_open();
}

static void setup_open(void)
{
	setup_host(VERSION_WIN10_V5_3);
}

static void setup_ready(void)
{
	setup_open();
	stor_initialize(VMSTOR_PROTO_VERSION_WIN10);
}

static void end(void)
{
	storvsp_free(stor);
	storvsp_free(NULL);
	ck_assert_uint_eq(disk.queues, 0);
	for (unsigned int i = 0; i < STOR_CHANNELS; i++) {
		if (stor_guest[i].map)
			guest_drop_rings(&stor_guest[i]);
	}
	bus_teardown();
}

static struct storvsp_status status(void)
{
	struct storvsp_status s;

	storvsp_get_status(stor, &s);
	return s;
}

/* --- initialization ------------------------------------------------------------- */

static const struct {
	const char *what;
	uint32_t host;
	uint16_t version;
	bool accepted;
} versions[] = {
	{"2.0 of any host", VERSION_WIN8, 0x0200, true},
	{"4.2 of any host", VERSION_WIN8, 0x0402, true},
	{"5.1 of Windows Server 2012", VERSION_WIN8, 0x0501, true},
	{"6.0 is too new for 2012", VERSION_WIN8, 0x0600, false},
	{"6.0 of Windows Server 2012 R2", VERSION_WIN8_1, 0x0600, true},
	{"6.2 is too new for 2012 R2", VERSION_WIN8_1, 0x0602, false},
	{"6.2 of Windows Server 2016", VERSION_WIN10, 0x0602, true},
	{"6.2 of Windows Server 2025", VERSION_WIN10_V5_3, 0x0602, true},
	{"5.1 of Windows Server 2025", VERSION_WIN10_V5_3, 0x0501, true},
	{"6.1 never was", VERSION_WIN10_V5_3, 0x0601, false},
	{"7.0 is not known", VERSION_WIN10_V5_3, 0x0700, false},
	{"1.0 is not spoken", VERSION_WIN10_V5_3, 0x0100, false},
	{"none", VERSION_WIN10_V5_3, 0, false},
};

START_TEST(its_channel_is_served_as_it_is_to_be)
{
	struct channel_stats s;

	stor_poll_ns = 30000;
	stor_monitor_100ns = 1000;
	bus_setup();
	stor_make(VERSION_WIN10_V5_3, _i, 1);
	channel_get_stats(storvsp_ops.channel(stor), &s);
	ck_assert_uint_eq(s.poll_ns, 30000);
	ck_assert_uint_eq(s.monitor_latency_100ns, 1000);
	ck_assert(s.is_monitored);
	end();
	stor_poll_ns = 0;
	stor_monitor_100ns = 0;
}
END_TEST

START_TEST(each_version)
{
	uint16_t version = versions[_i].version;

	setup_host(versions[_i].host);
	ck_assert_uint_eq(stor_say(VSTOR_OPERATION_BEGIN_INITIALIZATION), 0);
	ck_assert_msg((stor_say_version(version, 64) == 0) ==
			      versions[_i].accepted,
		      "%s", versions[_i].what);
	ck_assert_uint_eq(status().version,
			  versions[_i].accepted ? version : 0);
	/* One that is refused is followed by another. */
	if (!versions[_i].accepted)
		ck_assert_uint_eq(stor_say_version(0x0501, 64), 0);
	ck_assert_uint_eq(stor_say(VSTOR_OPERATION_QUERY_PROPERTIES), 0);
	end();
}
END_TEST

START_TEST(properties)
{
	struct vstor_packet p = {.operation = VSTOR_OPERATION_QUERY_PROPERTIES};

	ck_assert_uint_eq(stor_say(VSTOR_OPERATION_BEGIN_INITIALIZATION), 0);
	ck_assert_uint_eq(stor_say_version(0x0602, 64), 0);
	ck_assert_uint_eq(stor_ask(&p, sizeof(p)), 0);
	ck_assert_uint_eq(p.storage_channel_properties.max_channel_cnt, 3);
	ck_assert_uint_eq(p.storage_channel_properties.flags, 1);
	ck_assert_uint_eq(p.storage_channel_properties.max_transfer_bytes,
			  STORVSP_TRANSFER_MAX);
	ck_assert_uint_eq(STORVSP_TRANSFER_MAX % 4096, 0);
	ck_assert_uint_eq(stor_ready, 0);
	ck_assert_uint_eq(stor_say(VSTOR_OPERATION_END_INITIALIZATION), 0);
	ck_assert_uint_eq(stor_ready, 1);
	ck_assert(status().ready);
}
END_TEST

START_TEST(no_sub_channels_before_windows_8)
{
	struct vstor_packet p = {.operation = VSTOR_OPERATION_QUERY_PROPERTIES};

	ck_assert_uint_eq(stor_say(VSTOR_OPERATION_BEGIN_INITIALIZATION), 0);
	ck_assert_uint_eq(stor_say_version(0x0402, 48), 0);
	ck_assert_uint_eq(stor_ask(&p, 48), 0);
	ck_assert_uint_eq(p.storage_channel_properties.max_channel_cnt, 0);
	ck_assert_uint_eq(p.storage_channel_properties.flags, 0);
	ck_assert_uint_eq(stor_say_sub_channels(1),
			  NT_STATUS_INVALID_PARAMETER);
}
END_TEST

/* stor_ask() checks that the answer is as long as what is sent. */
START_TEST(answers_are_as_long_as_requests)
{
	struct vstor_packet p = {.operation =
					 VSTOR_OPERATION_BEGIN_INITIALIZATION};

	ck_assert_uint_eq(stor_ask(&p, 48), 0);
	ck_assert_uint_eq(stor_say_version(0x0700, 48),
			  NT_STATUS_REVISION_MISMATCH);
	ck_assert_uint_eq(stor_say_version(0x0600, 48), 0);
	p.operation = VSTOR_OPERATION_QUERY_PROPERTIES;
	ck_assert_uint_eq(stor_ask(&p, 64), 0);
	p.operation = VSTOR_OPERATION_END_INITIALIZATION;
	ck_assert_uint_eq(stor_ask(&p, 56), 0);
}
END_TEST

static const uint32_t in_order[] = {
	VSTOR_OPERATION_BEGIN_INITIALIZATION,
	VSTOR_OPERATION_QUERY_PROTOCOL_VERSION,
	VSTOR_OPERATION_QUERY_PROPERTIES,
	VSTOR_OPERATION_END_INITIALIZATION,
};

static uint32_t say_step(uint32_t operation)
{
	if (operation == VSTOR_OPERATION_QUERY_PROTOCOL_VERSION)
		return stor_say_version(0x0602, 64);
	return stor_say(operation);
}

/* After _i steps all but the next are refused, and change nothing. */
START_TEST(out_of_turn)
{
	for (int i = 0; i < _i; i++)
		ck_assert_uint_eq(say_step(in_order[i]), 0);
	for (int i = 0; i < 4; i++) {
		if (i != _i)
			ck_assert_uint_eq(say_step(in_order[i]),
					  NT_STATUS_INVALID_DEVICE_STATE);
	}
	if (_i < 3)
		ck_assert_uint_eq(stor_say_sub_channels(1),
				  NT_STATUS_INVALID_DEVICE_STATE);
	if (_i < 4) {
		ck_assert_uint_eq(stor_say(VSTOR_OPERATION_RESET_BUS),
				  NT_STATUS_INVALID_DEVICE_STATE);
		ck_assert_uint_eq(say_step(in_order[_i]), 0);
	}
	ck_assert_uint_ge(status().refused, 3);
}
END_TEST

static const uint32_t not_ours[] = {
	0,
	VSTOR_OPERATION_COMPLETE_IO,
	VSTOR_OPERATION_REMOVE_DEVICE,
	VSTOR_OPERATION_ENUMERATE_BUS,
	VSTOR_OPERATION_FCHBA_DATA,
	N_VSTOR_OPERATIONS,
	UINT32_MAX,
};

START_TEST(operations_that_are_not_the_guests)
{
	ck_assert_uint_eq(stor_say(not_ours[_i]),
			  NT_STATUS_INVALID_DEVICE_REQUEST);
	ck_assert_uint_eq(
		stor_do(0, TEST_UNIT_READY, VSTOR_DATA_NONE, 0).status, 0);
}
END_TEST

static const uint32_t wrong_sizes[] = {0, 8, 40, 72, 4000};

/* Shorter than any, or longer: the channel is lost. */
START_TEST(packets_of_wrong_size)
{
	static uint8_t zeros[4096];

	guest_put(PRIMARY, 5, zeros, wrong_sizes[_i]);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
}
END_TEST

START_TEST(no_completion_wanted)
{
	struct vstor_packet p = stor_srb(0, TEST_UNIT_READY, 2, 0);

	guest_put(PRIMARY, 0, &p, sizeof(p));
	wait_until(status().refused == 1);
	ck_assert_uint_eq(unit.submitted, 0);
	/* And a completion of the guest means nothing. */
	ring_peer_send(&PRIMARY->ring, VM_PKT_COMP, false, 9, &p, sizeof(p));
	guest_ring_bell(PRIMARY);
	ck_assert_uint_eq(
		stor_do(0, TEST_UNIT_READY, VSTOR_DATA_NONE, 0).status, 0);
}
END_TEST

START_TEST(all_starts_over_when_the_primary_is_closed)
{
	struct vmbus_channel_offer_channel offer = {
		.child_relid = stor_guest[0].relid,
		.connection_id = stor_guest[0].connection_id};

	guest_close(PRIMARY);
	guest_open(PRIMARY, &offer);
	ck_assert(!status().ready);
	ck_assert_uint_eq(stor_say(VSTOR_OPERATION_END_INITIALIZATION),
			  NT_STATUS_INVALID_DEVICE_STATE);
	stor_initialize(VMSTOR_PROTO_VERSION_WIN8);
	ck_assert_uint_eq(status().version, VMSTOR_PROTO_VERSION_WIN8);
	ck_assert_uint_eq(stor_ready, 2);
}
END_TEST

/* --- sub-channels ------------------------------------------------------------------- */

START_TEST(as_many_sub_channels_as_asked)
{
	stor_open_sub_channels((uint16_t)_i);
	ck_assert_uint_eq(status().sub_channels, _i);
	ck_assert(!guest_has_message());
	for (int i = 0; i <= _i; i++) {
		struct vstor_packet p = stor_srb(0, READ_10, 1, 512);

		ck_assert(stor_put_on(&stor_guest[i], 7, &p, 64, 512, 0));
		stor_get_on(&stor_guest[i], 7, &p);
		ck_assert_uint_eq(p.vm_srb.srb_status, SRB_STATUS_SUCCESS);
	}
	/* Each has a queue of its own into the disk. */
	ck_assert_uint_eq(disk.queues, _i + 1);
}
END_TEST

START_TEST(more_sub_channels_than_there_are)
{
	ck_assert_uint_eq(stor_say_sub_channels(4),
			  NT_STATUS_INVALID_PARAMETER);
	ck_assert_uint_eq(stor_say_sub_channels(0xFFFF),
			  NT_STATUS_INVALID_PARAMETER);
	ck_assert_uint_eq(status().sub_channels, 0);
	stor_open_sub_channels(1);
	/* Fewer than there are, or as many, changes nothing. */
	ck_assert_uint_eq(stor_say_sub_channels(0), 0);
	ck_assert_uint_eq(stor_say_sub_channels(1), 0);
	ck_assert_uint_eq(status().sub_channels, 1);
	ck_assert(!guest_has_message());
}
END_TEST

START_TEST(sub_channels_before_the_end_of_initialization)
{
	struct vmbus_channel_offer_channel offer;

	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(say_step(in_order[i]), 0);
	ck_assert_uint_eq(stor_say_sub_channels(1), 0);
	guest_expect(CHANNELMSG_OFFERCHANNEL, &offer, sizeof(offer));
	ck_assert_uint_eq(stor_say(VSTOR_OPERATION_END_INITIALIZATION), 0);
}
END_TEST

START_TEST(only_commands_on_sub_channels)
{
	struct vstor_packet p = {.operation =
					 VSTOR_OPERATION_BEGIN_INITIALIZATION};

	stor_open_sub_channels(1);
	guest_put(&stor_guest[1], 3, &p, sizeof(p));
	stor_get_on(&stor_guest[1], 3, &p);
	ck_assert_uint_eq(p.status, NT_STATUS_INVALID_DEVICE_STATE);
	ck_assert(status().ready);
}
END_TEST

START_TEST(sub_channels_go_with_the_primary)
{
	struct vmbus_channel_rescind_offer r;
	struct vmbus_channel_relid_released released = {0};
	struct vmbus_channel_offer_channel offer = {
		.child_relid = stor_guest[0].relid,
		.connection_id = stor_guest[0].connection_id};

	stor_open_sub_channels(1);
	guest_close(&stor_guest[1]);
	guest_send_relid(CHANNELMSG_CLOSECHANNEL, PRIMARY->relid);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, &r, sizeof(r));
	guest_teardown(PRIMARY->relid, PRIMARY->gpadl);
	guest_expect(CHANNELMSG_GPADL_TORNDOWN, NULL, 0);
	guest_drop_rings(PRIMARY);
	ck_assert_uint_eq(r.child_relid, stor_guest[1].relid);
	released.child_relid = r.child_relid;
	guest_send(&released, CHANNELMSG_RELID_RELEASED);
	guest_open(PRIMARY, &offer);
	stor_initialize(VMSTOR_PROTO_VERSION_WIN10);
	stor_open_sub_channels(2);
}
END_TEST

/* --- commands ------------------------------------------------------------------------- */

START_TEST(a_command_as_the_unit_sees_it)
{
	struct vstor_packet p = stor_srb(0, WRITE_10, VSTOR_DATA_WRITE, 8192);
	struct scsi_request r;

	for (uint8_t i = 1; i < 16; i++)
		p.vm_srb.cdb[i] = i;
	ck_assert(stor_put_on(PRIMARY, 5, &p, 64, 8192, 512));
	stor_get_on(PRIMARY, 5, &p);
	r = fake_unit_last(&unit);
	ck_assert_uint_eq(r.cdb_bytes, 10);
	ck_assert_uint_eq(r.cdb[9], 9);
	/* Behind the CDB are zeros, whatever the guest left there. */
	for (int i = 10; i < 16; i++)
		ck_assert_uint_eq(r.cdb[i], 0);
	ck_assert_int_eq(r.dir, SCSI_TO_DEVICE);
	ck_assert_uint_eq(r.bytes, 8192);
	ck_assert_uint_eq(r.n_iov, 1);
	ck_assert_uint_eq(r.iov[0].iov_len, 8192);
	ck_assert_ptr_eq(r.iov[0].iov_base,
			 gmem_load(mem, STOR_DATA_PFN * PAGE + 512, 8192));
	ck_assert_uint_eq(p.vm_srb.data_transfer_length, 8192);
	ck_assert_uint_eq(p.vm_srb.srb_status, SRB_STATUS_SUCCESS);
	ck_assert_uint_eq(p.vm_srb.scsi_status, SAM_STAT_GOOD);
	ck_assert_uint_eq(p.status, NT_STATUS_SUCCESS);
	ck_assert_uint_eq(stor_io, 1);
}
END_TEST

START_TEST(the_greatest_transfer)
{
	struct vstor_packet p = stor_srb(0, READ_10, 1, STORVSP_TRANSFER_MAX);
	struct scsi_request r;

	/* Not aligned: a page more. */
	ck_assert(stor_put_on(PRIMARY, 5, &p, 64, STORVSP_TRANSFER_MAX, 2048));
	stor_get_on(PRIMARY, 5, &p);
	ck_assert_uint_eq(p.vm_srb.srb_status, SRB_STATUS_SUCCESS);
	ck_assert_uint_eq(p.vm_srb.data_transfer_length, STORVSP_TRANSFER_MAX);
	r = fake_unit_last(&unit);
	ck_assert_uint_eq(r.bytes, STORVSP_TRANSFER_MAX);
}
END_TEST

/* The range may be longer than the data. */
START_TEST(less_data_than_memory)
{
	struct vstor_packet p = stor_srb(0, READ_10, 1, 5000);
	struct scsi_request r;

	ck_assert(stor_put_on(PRIMARY, 5, &p, 64, 16384, 0));
	stor_get_on(PRIMARY, 5, &p);
	r = fake_unit_last(&unit);
	ck_assert_uint_eq(r.bytes, 5000);
	ck_assert_uint_eq(r.n_iov, 1);
	ck_assert_uint_eq(r.iov[0].iov_len, 5000);
}
END_TEST

START_TEST(fewer_bytes_are_moved)
{
	struct vstor_packet p;

	unit.short_by = 500;
	p = stor_do(0, INQUIRY, 1, 512);
	ck_assert_uint_eq(p.vm_srb.data_transfer_length, 12);
	ck_assert_uint_eq(p.vm_srb.srb_status, SRB_STATUS_SUCCESS);
	/* INQUIRY is not what the milestone means. */
	ck_assert_uint_eq(stor_io, 0);
}
END_TEST

enum bad_command {
	BAD_LONG_CDB,
	BAD_NO_CDB,
	BAD_DIRECTION,
	BAD_LENGTH,
	BAD_NO_MEMORY,
	BAD_LITTLE_MEMORY,
	N_BAD_COMMANDS,
};

START_TEST(commands_that_no_unit_sees)
{
	struct vstor_packet p = stor_srb(0, READ_10, 1, 4096);
	uint32_t memory = 4096;

	switch ((enum bad_command)_i) {
	case BAD_LONG_CDB:
		p.vm_srb.cdb_length = 17;
		break;
	case BAD_NO_CDB:
		p.vm_srb.cdb_length = 0;
		break;
	case BAD_DIRECTION:
		p.vm_srb.data_in = 3;
		break;
	case BAD_LENGTH:
		p.vm_srb.data_transfer_length = STORVSP_TRANSFER_MAX + 1;
		memory = STORVSP_TRANSFER_MAX + 4096;
		break;
	case BAD_NO_MEMORY:
		memory = 0;
		break;
	default:
		p.vm_srb.data_transfer_length = 4097;
		break;
	}
	stor_put(5, &p, memory);
	stor_get_on(PRIMARY, 5, &p);
	ck_assert_uint_eq(p.vm_srb.srb_status, SRB_STATUS_INVALID_REQUEST);
	ck_assert_uint_eq(p.vm_srb.data_transfer_length, 0);
	ck_assert_uint_eq(unit.submitted, 0);
	ck_assert_uint_eq(status().refused, 1);
	ck_assert_uint_eq(stor_do(0, READ_10, 1, 512).vm_srb.srb_status,
			  SRB_STATUS_SUCCESS);
}
END_TEST

START_TEST(memory_that_is_none)
{
	struct vstor_packet p = stor_srb(0, READ_10, 1, 4096);
	uint64_t words[13] = {VM_PKT_DATA_USING_GPA_DIRECT | 5ull << 16 |
				      13ull << 32 | 1ull << 48,
			      5, 1ull << 32, 4096, 1ull << 40};

	memcpy(words + 5, &p, sizeof(p));
	ring_peer_send_raw(&PRIMARY->ring, words, sizeof(words));
	guest_ring_bell(PRIMARY);
	stor_get_on(PRIMARY, 5, &p);
	ck_assert_uint_eq(p.vm_srb.srb_status, SRB_STATUS_INVALID_REQUEST);
	ck_assert_uint_eq(unit.submitted, 0);
}
END_TEST

START_TEST(not_before_initialization)
{
	struct vstor_packet p = stor_do(0, READ_10, 1, 512);

	ck_assert_uint_eq(p.vm_srb.srb_status, SRB_STATUS_INVALID_REQUEST);
	ck_assert_uint_ne(p.status, 0);
	ck_assert_uint_eq(unit.submitted, 0);
}
END_TEST

static const struct {
	const char *what;
	uint8_t status, sense_bytes;
	uint16_t version;
	uint8_t srb, got_sense;
} results[] = {
	{"good", SAM_STAT_GOOD, 0, 0x0602, SRB_STATUS_SUCCESS, 0},
	{"check condition", SAM_STAT_CHECK_CONDITION, 20, 0x0602, 0x84, 20},
	{"its sense data in an old version", SAM_STAT_CHECK_CONDITION, 20,
	 0x0402, 0x84, 18},
	{"short sense data", SAM_STAT_CHECK_CONDITION, 8, 0x0602, 0x84, 8},
	{"no sense data", SAM_STAT_CHECK_CONDITION, 0, 0x0602, 4, 0},
	{"busy", SAM_STAT_BUSY, 0, 0x0602, SRB_STATUS_BUSY, 0},
	{"reservation conflict", SAM_STAT_RESERVATION_CONFLICT, 0, 0x0602,
	 SRB_STATUS_ERROR, 0},
};

START_TEST(results_as_linux_reads_them)
{
	struct vstor_packet p;

	setup_open();
	stor_initialize(results[_i].version);
	unit.status = results[_i].status;
	unit.sense_bytes = results[_i].sense_bytes;
	memset(unit.sense, 0xEE, sizeof(unit.sense));
	p = stor_do(0, READ_10, 1, 512);
	ck_assert_msg(p.vm_srb.srb_status == results[_i].srb, "%s: %#x",
		      results[_i].what, p.vm_srb.srb_status);
	ck_assert_uint_eq(p.vm_srb.scsi_status, results[_i].status);
	ck_assert_uint_eq(p.vm_srb.sense_info_length, results[_i].got_sense);
	for (unsigned int i = 0; i < 20; i++)
		ck_assert_uint_eq(p.vm_srb.sense_data[i],
				  i < results[_i].got_sense ? 0xEE : 0);
	end();
}
END_TEST

/* The rings order this too, but at addresses that TSan sees apart. */
static void see_memory(void)
{
	worker_call(channel_worker(storvsp_ops.channel(stor)), bus_nothing,
		    NULL);
}

/* --- which unit -------------------------------------------------------------------------- */

static const struct {
	const char *what;
	uint8_t path, target, lun;
	bool present;
} addresses[] = {
	{"where it is", 0, 0, 0, true},
	{"where another is", 0, 0, 63, true},
	{"between them", 0, 0, 5, false},
	{"behind the last", 0, 0, 64, false},
	{"the last number", 0, 0, 255, false},
	{"another target", 0, 1, 0, false},
	{"another path", 1, 0, 0, false},
	{"neither", 255, 255, 255, false},
};

START_TEST(units_that_are_and_are_not)
{
	struct vstor_packet p = stor_srb(addresses[_i].lun, INQUIRY, 1, 36);
	uint8_t type = 0xFF;

	storvsp_add(stor, 63, &other);
	stor_get_on(PRIMARY, 0, &p); /* the notice of that */
	gmem_write(mem, STOR_DATA_PFN * PAGE, &type, 1);
	see_memory();
	p = stor_srb(addresses[_i].lun, INQUIRY, 1, 36);
	p.vm_srb.path_id = addresses[_i].path;
	p.vm_srb.target_id = addresses[_i].target;
	stor_put(5, &p, 36);
	stor_get_on(PRIMARY, 5, &p);
	see_memory();
	gmem_read(mem, STOR_DATA_PFN * PAGE, &type, 1);
	ck_assert_msg(type == (addresses[_i].present ? 0xFF : 0x7F), "%s",
		      addresses[_i].what);
	ck_assert_uint_eq(p.vm_srb.srb_status, SRB_STATUS_SUCCESS);
	/* Anything but INQUIRY. */
	p = stor_srb(addresses[_i].lun, TEST_UNIT_READY, 2, 0);
	p.vm_srb.path_id = addresses[_i].path;
	p.vm_srb.target_id = addresses[_i].target;
	stor_put(6, &p, 0);
	stor_get_on(PRIMARY, 6, &p);
	ck_assert_uint_eq(p.vm_srb.srb_status,
			  addresses[_i].present ? SRB_STATUS_SUCCESS
						: SRB_STATUS_INVALID_LUN);
	ck_assert_uint_eq(p.vm_srb.sense_info_length, 0);
}
END_TEST

static void report_luns(uint8_t lun, uint8_t path, uint8_t target, uint32_t n,
			const char *luns)
{
	struct vstor_packet p = stor_srb(lun, REPORT_LUNS, 1, 64);
	char got[64];

	p.vm_srb.path_id = path;
	p.vm_srb.target_id = target;
	stor_put(9, &p, 64);
	stor_get_on(PRIMARY, 9, &p);
	ck_assert_uint_eq(p.vm_srb.srb_status, SRB_STATUS_SUCCESS);
	ck_assert_uint_eq(p.vm_srb.data_transfer_length, n);
	see_memory();
	gmem_read(mem, STOR_DATA_PFN * PAGE, got, sizeof(got));
	ck_assert_mem_eq(got, luns, n);
}

START_TEST(report_luns_has_those_that_are_there)
{
	struct vstor_packet p;

	storvsp_add(stor, 63, &other);
	stor_get_on(PRIMARY, 0, &p);
	report_luns(0, 0, 0, 2, "\0\x3F");
	/* Also asked of a unit that is not there; of other targets: none */
	report_luns(7, 0, 0, 2, "\0\x3F");
	report_luns(0, 0, 1, 0, "");
	report_luns(0, 1, 0, 0, "");
}
END_TEST

START_TEST(adding_what_cannot_be)
{
	ck_assert_int_eq(storvsp_add(stor, 64, &other), -EINVAL);
	ck_assert_int_eq(storvsp_add(stor, 0, &other), -EEXIST);
	ck_assert_int_eq(storvsp_remove(stor, 1, NULL, NULL), -ENOENT);
	ck_assert_int_eq(storvsp_remove(stor, 64, NULL, NULL), -ENOENT);
	ck_assert_ptr_eq(storvsp_unit(stor, 0), &unit);
	ck_assert_ptr_null(storvsp_unit(stor, 1));
	ck_assert_ptr_null(storvsp_unit(stor, 64));
}
END_TEST

/* --- IDE ----------------------------------------------------------------------------------- */

START_TEST(a_disk_on_ide)
{
	static const struct guid ide = HV_IDE_GUID;
	struct vmbus_channel_offer_channel offer;
	struct vstor_packet p;

	bus_setup();
	make_units();
	stor_make(VERSION_WIN10, true, 3);
	ck_assert_int_eq(storvsp_add(stor, 1, &unit), -EINVAL);
	ck_assert_int_eq(storvsp_add(stor, 0, &unit), 0);
	guest_connect(VERSION_WIN10);
	guest_request_offers(&offer, 1);
	ck_assert_mem_eq(&offer.offer.if_type, &ide, sizeof(ide));
	/* Linux takes these for the target. */
	ck_assert_uint_eq(offer.offer.if_instance.b[4], 1);
	ck_assert_uint_eq(offer.offer.if_instance.b[5], 0);
	guest_open(PRIMARY, &offer);
	stor_initialize(VMSTOR_PROTO_VERSION_WIN10);
	ck_assert_uint_eq(stor_say_sub_channels(1),
			  NT_STATUS_INVALID_PARAMETER);
	p = stor_srb(0, READ_10, 1, 512);
	p.vm_srb.target_id = 1;
	stor_put(3, &p, 512);
	stor_get_on(PRIMARY, 3, &p);
	ck_assert_uint_eq(p.vm_srb.srb_status, SRB_STATUS_SUCCESS);
	ck_assert_uint_eq(stor_do(1, READ_10, 1, 512).vm_srb.srb_status,
			  SRB_STATUS_INVALID_LUN);
	end();
}
END_TEST

/* --- the report ------------------------------------------------------------------------------ */

static unsigned int n_facts;

static void see_number(void *ctx, const char *key, uint64_t value)
{
	(void)ctx;
	n_facts += !strcmp(key, "lun0_cmd_read_10") && value == 2;
	n_facts += !strcmp(key, "bytes_read") && value == 1024;
	n_facts += !strcmp(key, "lun0_bytes") && value == 12345;
}

static void see_text(void *ctx, const char *key, const char *value)
{
	(void)ctx;
	n_facts += !strcmp(key, "version") && !strcmp(value, "6.2");
	n_facts += !strcmp(key, "lun0_kind") && !strcmp(value, "fake");
}

START_TEST(what_a_report_says)
{
	const struct vsp_facts to = {.number = see_number, .text = see_text};

	disk.info.bytes = 12345;
	stor_do(0, READ_10, 1, 512);
	stor_do(0, READ_10, 1, 512);
	fake_commands[0].count = 2;
	n_facts = 0;
	storvsp_ops.facts(stor, &to);
	ck_assert_uint_eq(n_facts, 5);
	ck_assert_str_eq(channel_name(storvsp_ops.channel(stor)), "scsi0");
}
END_TEST

static TCase *add_case(Suite *s, const char *name, void (*start)(void))
{
	TCase *t = tcase_create(name);

	tcase_set_timeout(t, 30);
	if (start)
		tcase_add_checked_fixture(t, start, end);
	suite_add_tcase(s, t);
	return t;
}

int main(void)
{
	Suite *s = suite_create("vsp/storvsp/storvsp");
	TCase *t = add_case(s, "alone", NULL);

	tcase_add_loop_test(t, each_version, 0, G_N_ELEMENTS(versions));
	tcase_add_loop_test(t, results_as_linux_reads_them, 0,
			    G_N_ELEMENTS(results));
	tcase_add_test(t, a_disk_on_ide);
	tcase_add_loop_test(t, its_channel_is_served_as_it_is_to_be, 0, 2);

	t = add_case(s, "open", setup_open);
	tcase_add_test(t, properties);
	tcase_add_test(t, no_sub_channels_before_windows_8);
	tcase_add_test(t, answers_are_as_long_as_requests);
	tcase_add_loop_test(t, out_of_turn, 0, 5);
	tcase_add_test(t, sub_channels_before_the_end_of_initialization);
	tcase_add_test(t, not_before_initialization);
	tcase_add_loop_test(t, packets_of_wrong_size, 0,
			    G_N_ELEMENTS(wrong_sizes));

	t = add_case(s, "ready", setup_ready);
	tcase_add_loop_test(t, operations_that_are_not_the_guests, 0,
			    G_N_ELEMENTS(not_ours));
	tcase_add_test(t, no_completion_wanted);
	tcase_add_test(t, all_starts_over_when_the_primary_is_closed);
	tcase_add_loop_test(t, as_many_sub_channels_as_asked, 0, 4);
	tcase_add_test(t, more_sub_channels_than_there_are);
	tcase_add_test(t, only_commands_on_sub_channels);
	tcase_add_test(t, sub_channels_go_with_the_primary);
	tcase_add_test(t, a_command_as_the_unit_sees_it);
	tcase_add_test(t, the_greatest_transfer);
	tcase_add_test(t, less_data_than_memory);
	tcase_add_test(t, fewer_bytes_are_moved);
	tcase_add_loop_test(t, commands_that_no_unit_sees, 0, N_BAD_COMMANDS);
	tcase_add_test(t, memory_that_is_none);
	tcase_add_loop_test(t, units_that_are_and_are_not, 0,
			    G_N_ELEMENTS(addresses));
	tcase_add_test(t, report_luns_has_those_that_are_there);
	tcase_add_test(t, adding_what_cannot_be);
	tcase_add_test(t, what_a_report_says);
	return check_main(s);
}
