/* SPDX-License-Identifier: MIT */
/* Integration components that say nothing, say it twice, or lie. */
#include "vsp/ic/fault.h"

#include "support/ic_guest.h"

#include "support/check_main.h"
#include "support/fault_rules.h"
#include "vsp/ic/heartbeat.h"

static struct ic_heartbeat *heart;

static void setup_device(void)
{
	struct vsp_params p;

	bus_setup();
	p = ic_params();
	heart = ic_heartbeat_new(&p, NULL, NULL, 0);
	ck_assert_ptr_nonnull(heart);
}

static void end(void)
{
	ic_heartbeat_free(heart);
	guest_drop_rings(&guest);
	bus_teardown();
	fault_clear();
}

static uint64_t buffer[2048];

/* The next packet as it is. */
static struct packet get_packet(void)
{
	struct packet p;
	uint32_t n = guest_get(&guest, buffer, sizeof(buffer));

	ck_assert_int_eq(packet_parse(buffer, n, &p), 0);
	return p;
}

static struct icmsg_hdr header_of(const struct packet *p)
{
	struct icmsg_hdr h;

	memcpy(&h, (const uint8_t *)p->data + sizeof(struct vmbuspipe_hdr),
	       sizeof(h));
	return h;
}

static struct icmsg_negotiate counts_of(const struct packet *p)
{
	struct icmsg_negotiate m;

	memcpy(&m, (const uint8_t *)p->data + IC_HEADERS, sizeof(m));
	return m;
}

static void settle(void)
{
	for (unsigned int i = 0; i < 10; i++)
		worker_call(channel_bus_worker(bus), bus_nothing, NULL);
}

START_TEST(nothing_is_said)
{
	fault_scenario("ic-silent");
	ic_open();
	settle();
	ck_assert_uint_eq(
		ring_peer_receive(&guest.ring, buffer, sizeof(buffer)), 0);
}
END_TEST

START_TEST(all_is_said_twice)
{
	fault_scenario("ic-twice");
	ic_open();
	ic_get();
	ic_get();
	ck_assert_uint_eq(msg.h.icmsgtype, ICMSGTYPE_NEGOTIATE);
	fault_clear();
}
END_TEST

START_TEST(a_size_lies)
{
	struct packet p;

	fault_scenario("hostile-ic-size");
	ic_open();
	p = get_packet();
	ck_assert_uint_gt(header_of(&p).icmsgsize, p.bytes);
}
END_TEST

START_TEST(there_are_more_versions_than_bytes)
{
	struct packet p;

	fault_scenario("hostile-ic-versions");
	ic_open();
	p = get_packet();
	ck_assert_uint_eq(counts_of(&p).icframe_vercnt, UINT16_MAX);
	ck_assert_uint_eq(counts_of(&p).icmsg_vercnt, UINT16_MAX);
}
END_TEST

START_TEST(there_are_no_versions)
{
	struct packet p;

	fault_rule("ic.message:device=ic,op=NEGOTIATE,action=corrupt,"
		   "kind=versions-none");
	ic_open();
	p = get_packet();
	ck_assert_uint_eq(counts_of(&p).icframe_vercnt, 0);
}
END_TEST

START_TEST(the_pipe_lies)
{
	struct vmbuspipe_hdr h;
	struct packet p;

	fault_rule("ic.message:nth=1,action=corrupt,kind=pipe-length");
	ic_open();
	p = get_packet();
	memcpy(&h, p.data, sizeof(h));
	ck_assert_uint_gt(h.msgsize, p.bytes);
}
END_TEST

START_TEST(a_type_of_nobody)
{
	struct packet p;

	fault_rule("ic.message:action=corrupt,kind=type");
	ic_open();
	p = get_packet();
	ck_assert_uint_eq(header_of(&p).icmsgtype, UINT16_MAX);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/ic/fault");
	TCase *t = tcase_create("messages");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, setup_device, end);
	tcase_add_test(t, nothing_is_said);
	tcase_add_test(t, all_is_said_twice);
	tcase_add_test(t, a_size_lies);
	tcase_add_test(t, there_are_more_versions_than_bytes);
	tcase_add_test(t, there_are_no_versions);
	tcase_add_test(t, the_pipe_lies);
	tcase_add_test(t, a_type_of_nobody);
	suite_add_tcase(s, t);
	return check_main(s);
}
