/* SPDX-License-Identifier: MIT */
/* Rules about what a storage driver says and asks for. */
#include "vsp/storvsp/storvsp.h"

#include "support/stor_guest.h"

#include "support/fake_unit.h"
#include "support/finding_cases.h"
#include "vsp/vmbus/worker.h"

#define PRIMARY (&stor_guest[0])

static struct block disk;
static struct scsi_lun unit;

/* A controller that has no patience with who reads what is gone. */
static void make(uint64_t removal_ns)
{
	struct storvsp_params p = {
		.vsp = {.bus = bus,
			.name = "scsi0",
			.instance = storvsp_ide_instance(0, 1),
			.host_version = VERSION_WIN10_V5_3},
		.max_sub_channels = 1,
		.removal_ns = removal_ns,
	};

	fake_unit_init(&unit, &disk);
	stor = storvsp_new(&p, NULL);
	ck_assert_ptr_nonnull(stor);
	ck_assert_int_eq(storvsp_add(stor, 0, &unit), 0);
	stor_open();
}

static void start(void)
{
	bus_setup();
	make(1);
}

static void end(void)
{
	storvsp_free(stor);
	for (unsigned int i = 0; i < STOR_CHANNELS; i++) {
		if (stor_guest[i].map)
			guest_drop_rings(&stor_guest[i]);
	}
	bus_teardown();
}

static void initialize(void)
{
	ck_assert_uint_eq(stor_say(VSTOR_OPERATION_BEGIN_INITIALIZATION), 0);
	/* Versions are tried from the newest on. */
	ck_assert_uint_ne(stor_say_version(0x0700, 64), 0);
	ck_assert_uint_eq(stor_say_version(VMSTOR_PROTO_VERSION_WIN10, 64), 0);
	ck_assert_uint_eq(stor_say(VSTOR_OPERATION_QUERY_PROPERTIES), 0);
	ck_assert_uint_eq(stor_say(VSTOR_OPERATION_END_INITIALIZATION), 0);
	stor_open_sub_channels(1);
}

/* All that a driver does, also with units that are not there. */
static void work(void)
{
	initialize();
	stor_do(0, READ_10, VSTOR_DATA_READ, 512);
	stor_do(0, WRITE_10, VSTOR_DATA_WRITE, 4096);
	stor_do(0, TEST_UNIT_READY, VSTOR_DATA_NONE, 0);
	stor_do(0, 0xEE, VSTOR_DATA_NONE, 0);
	stor_do(5, INQUIRY, VSTOR_DATA_READ, 36);
	stor_do(5, READ_10, VSTOR_DATA_READ, 512);
	ck_assert_uint_eq(stor_say(VSTOR_OPERATION_RESET_BUS), 0);
}

static void again(void)
{
	ck_assert_uint_ne(stor_say(VSTOR_OPERATION_BEGIN_INITIALIZATION), 0);
}

static void no_completion(void)
{
	struct vstor_packet p = {.operation = VSTOR_OPERATION_RESET_BUS};

	guest_put(PRIMARY, 0, &p, sizeof(p));
	wait_until(findings_total());
}

static void less_memory_than_data(void)
{
	struct vstor_packet p = stor_srb(0, READ_10, VSTOR_DATA_READ, 4096);

	stor_put(78, &p, 512);
	stor_get_on(PRIMARY, 78, &p);
}

/* It looks what there is, and closes what it had open. */
static void hear_of_removal(void)
{
	struct vstor_packet p;

	work();
	ck_assert_int_eq(storvsp_remove(stor, 0, NULL, NULL), 0);
	stor_get_on(PRIMARY, 0, &p);
	ck_assert_uint_eq(p.operation, VSTOR_OPERATION_ENUMERATE_BUS);
	stor_do(0, INQUIRY, VSTOR_DATA_READ, 36);
	stor_do(0, REPORT_LUNS, VSTOR_DATA_READ, 512);
	stor_do(0, SYNCHRONIZE_CACHE, VSTOR_DATA_NONE, 0);
}

static void read_on(void)
{
	stor_do(0, READ_10, VSTOR_DATA_READ, 512);
}

static void completion_of_none(void)
{
	ck_assert(ring_peer_send(&PRIMARY->ring, VM_PKT_COMP, false, 77, NULL,
				 0));
	guest_ring_bell(PRIMARY);
	wait_until(findings_total());
}

static const struct finding_case cases[] = {
	{FINDING_STORAGE_ORDER, "scsi0", work, again},
	{FINDING_STORAGE_PACKET, "scsi0", work, no_completion},
	{FINDING_STORAGE_COMMAND, "scsi0", work, less_memory_than_data},
	{FINDING_STORAGE_REMOVED, "scsi0", hear_of_removal, read_on},
	{FINDING_COMPLETION_UNKNOWN, "scsi0", work, completion_of_none},
};

START_TEST(rules_of_storage)
{
	finding_run(&cases[_i]);
}
END_TEST

START_TEST(a_removal_may_meet_commands)
{
	struct vstor_packet p;

	storvsp_free(stor);
	guest_drop_rings(PRIMARY);
	bus_teardown();
	bus_setup();
	make(0);
	findings_reset();
	initialize();
	ck_assert_int_eq(storvsp_remove(stor, 0, NULL, NULL), 0);
	stor_get_on(PRIMARY, 0, &p);
	read_on();
	finding_expect_clean();
}
END_TEST

/* A driver that starts anew has not been told. */
START_TEST(a_new_driver_may_look_everywhere)
{
	struct vmbus_channel_offer_channel offer = {.child_relid = 1,
						    .connection_id = 0x2001};

	findings_reset();
	ck_assert_uint_eq(stor_say(VSTOR_OPERATION_BEGIN_INITIALIZATION), 0);
	ck_assert_int_eq(storvsp_remove(stor, 0, NULL, NULL), 0);
	guest_close(PRIMARY);
	guest_open(PRIMARY, &offer);
	stor_initialize(VMSTOR_PROTO_VERSION_WIN10);
	read_on();
	finding_expect_clean();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vsp/storvsp/findings");
	TCase *tc = tcase_create("findings");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, start, end);
	tcase_add_loop_test(tc, rules_of_storage, 0, G_N_ELEMENTS(cases));
	tcase_add_test(tc, a_removal_may_meet_commands);
	tcase_add_test(tc, a_new_driver_may_look_everywhere);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
