/* SPDX-License-Identifier: MIT */
/* Rules about rings, signals and interrupts. */
#include "support/channel_bench.h"

#include "support/finding_cases.h"

/* Packets each way, signalled when the rules say so, in any number. */
static void traffic(void)
{
	start();
	for (uint64_t i = 1; i <= 300; i++)
		ping(i);
	settle();
}

/* A few more than there are packets may have been on their way. */
static void many_signals(void)
{
	traffic();
	for (unsigned int i = 0; i < 90; i++) {
		guest_signal(&guest);
		settle();
	}
}

static void needless(void)
{
	for (unsigned int i = 0; i < 150; i++) {
		guest_signal(&guest);
		settle();
	}
	wait_until(findings_total());
}

static void wait_for_failure(void)
{
	guest_signal(&guest);
	wait_until(stats().failures);
}

static void bad_index(void)
{
	ring_store(RING_WORD(&guest.ring.tx, write_index), 3);
	wait_for_failure();
}

/* A descriptor that says it is shorter than itself. */
static void bad_packet(void)
{
	const uint64_t d[2] = {VM_PKT_DATA_INBAND | 2ull << 16 | 1ull << 32, 0};

	ck_assert(ring_peer_send_raw(&guest.ring, d, sizeof(d)));
	wait_for_failure();
}

/* Close and open: what was put was signalled. */
static void reopen(void)
{
	traffic();
	guest_close(&guest);
	guest_open(&guest, &offer);
	ping(1);
	settle();
}

static void close_without_signal(void)
{
	uint64_t data = 1;

	wait_until(!ring_load(RING_WORD(&guest.ring.tx, interrupt_mask)));
	ck_assert(ring_peer_send(&guest.ring, VM_PKT_DATA_INBAND, true, 5,
				 &data, sizeof(data)));
	guest_close(&guest);
}

/* A device that has something to do yet when the guest closes. */
static void slow_close(void)
{
	traffic();
	dev.close_ret = -EINPROGRESS;
	guest_send_relid(CHANNELMSG_CLOSECHANNEL, guest.relid);
	wait_until(dev.closes);
}

static void end_close(void *ctx)
{
	(void)ctx;
	channel_closed(dev.ch);
}

static void slow_but_clean(void)
{
	slow_close();
	on_worker(end_close, NULL);
	guest_drop_rings(&guest);
	guest_teardown(guest.relid, guest.gpadl);
	guest_expect(CHANNELMSG_GPADL_TORNDOWN, NULL, 0);
	guest_open(&guest, &offer);
	ping(1);
}

static void put_after_close(void)
{
	uint64_t data = 1;

	guest_send_relid(CHANNELMSG_CLOSECHANNEL, guest.relid);
	wait_until(dev.closes == 2);
	ck_assert(ring_peer_send(&guest.ring, VM_PKT_DATA_INBAND, true, 5,
				 &data, sizeof(data)));
	on_worker(end_close, NULL);
}

/* While its SynIC is on, whatever comes of an interrupt. */
static void move(void)
{
	struct vmbus_channel_modifychannel m = {.child_relid = guest.relid,
						.target_vp = BUS_VP};
	traffic();
	m.child_relid = guest.relid;
	guest_send(&m, CHANNELMSG_MODIFYCHANNEL);
	guest_expect(CHANNELMSG_MODIFYCHANNEL_RESPONSE, NULL, 0);
	wr(BUS_CHAN_VP, SCONTROL, 0);
	ping(2);
	settle();
}

static void take_down(void)
{
	uint64_t data = 7;

	wr(BUS_VP, SCONTROL, 0);
	guest_put(&guest, 9, &data, sizeof(data));
	wait_until(findings_total());
}

static void take_rings_back(void)
{
	guest_teardown(guest.relid, guest.gpadl);
	wait_until(stats().failures);
}

static const struct finding_case cases[] = {
	{FINDING_SIGNAL_NEEDLESS, "test", many_signals, needless},
	{FINDING_RING_INDEX, "test", traffic, bad_index},
	{FINDING_PACKET_INVALID, "test", traffic, bad_packet},
	{FINDING_SIGNAL_LOST, "test", reopen, close_without_signal},
	{FINDING_RING_MOVED, "test", slow_but_clean, put_after_close},
	{FINDING_INTERRUPT_LOST, "test", move, take_down},
	{FINDING_GPADL_IN_USE, "test", reopen, take_rings_back},
};

START_TEST(rules_of_channels)
{
	finding_run(&cases[_i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("channel findings");
	TCase *tc = tcase_create("findings");

	log_set_level("error");
	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, dev_setup, dev_teardown);
	tcase_add_loop_test(tc, rules_of_channels, 0, G_N_ELEMENTS(cases));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
