/* SPDX-License-Identifier: MIT */
/*
 * The vmbus thread between a real synic, real ports and real threads.  Waiting
 * is yielding until something is so; Check's timeout bounds it.
 */
#include "vsp/vmbus/server_thread.h"

#include <errno.h>
#include <stdatomic.h>

#include "proto/hv_hypercall.h"
#include "support/synic_bench.h"
#include "support/turns.h"
#include "synic/ports.h"
#include "vsp/vmbus/chanmsg.h"

static struct ports *ports;
static struct vmbus_thread *bus;
static _Atomic unsigned int connected, sent, disconnected, unloaded;

static void on_connected(void *ctx, const struct vmbus_connection *c)
{
	(void)ctx;
	ck_assert_uint_ne(c->version, 0);
	connected++;
}

static void on_sent(void *ctx)
{
	(void)ctx;
	sent++;
}

static void on_disconnected(void *ctx)
{
	(void)ctx;
	disconnected++;
}

static void on_unloaded(void *ctx)
{
	(void)ctx;
	unloaded++;
}

static const struct vmbus_events bus_events = {
	.connected = on_connected,
	.offers_sent = on_sent,
	.disconnected = on_disconnected,
	.unloaded = on_unloaded,
};

static struct vmbus_thread *make(GError **error)
{
	return vmbus_thread_new(
		&(struct vmbus_thread_params){.max_version = VERSION_WIN10_V6_0,
					      .n_vps = FAKE_VPS,
					      .gpadl_bytes_max = 1 << 30,
					      .mem = mem,
					      .synic = synic,
					      .ports = ports,
					      .events = &bus_events},
		error);
}

static void bus_setup(void)
{
	setup();
	ports = ports_new();
	bus = make(NULL);
	ck_assert_ptr_nonnull(bus);
	for (uint32_t vp = 0; vp < FAKE_VPS; vp++)
		enable(vp);
	vmbus_thread_resume(bus);
}

static void bus_teardown(void)
{
	vmbus_thread_free(bus);
	ports_free(ports);
	teardown();
}

/* --- the guest ------------------------------------------------------------------ */

static hv_status_t post_on(uint32_t conn, uint32_t type, const void *msg,
			   size_t size)
{
	struct hv_input_post_message in = {.connectionid = conn,
					   .message_type = type,
					   .payload_size = (uint32_t)size};

	memcpy(in.payload, msg, size);
	return ports_post_message(ports, 1, &in);
}

static hv_status_t send_msg(const void *msg, size_t size)
{
	return post_on(VMBUS_MESSAGE_CONNECTION_ID, HVMSG_VMBUS, msg, size);
}

static hv_status_t send_empty(uint32_t type)
{
	struct vmbus_channel_message_header m = {.msgtype = type};

	return send_msg(&m, sizeof(m));
}

static struct vmbus_channel_initiate_contact contact_of(uint32_t vp)
{
	return (struct vmbus_channel_initiate_contact){
		.header.msgtype = CHANNELMSG_INITIATE_CONTACT,
		.vmbus_version_requested = VERSION_WIN10,
		.target_vcpu = vp};
}

static bool has_message(uint32_t vp)
{
	struct hv_message m;

	return guest_message_take(slot(vp, 2), &m);
}

/* Wait for the next message at @vp, handle it, and return its type. */
static uint32_t next_type(uint32_t vp, struct hv_message *m)
{
	struct hv_message local = {0};

	/* cppcheck-suppress uninitvar ; it is the address that is taken */
	m = m ? m : &local;
	while (!guest_message_take(slot(vp, 2), m))
		give_way();
	if (guest_message_done(slot(vp, 2)))
		wr(vp, EOM, 0);
	ck_assert_uint_eq(m->header.message_type, HVMSG_VMBUS);
	return chanmsg_peek(m->payload, m->header.payload_size);
}

static void connect_guest(uint32_t vp)
{
	struct vmbus_channel_initiate_contact m = contact_of(vp);

	ck_assert_uint_eq(post_on(VMBUS_MESSAGE_CONNECTION_ID_4, HVMSG_VMBUS,
				  &m, sizeof(m)),
			  HV_STATUS_SUCCESS);
	ck_assert_uint_eq(next_type(vp, NULL), CHANNELMSG_VERSION_RESPONSE);
}

/* --- an owner whose close takes a thread of its own --------------------------------- */

struct owner {
	struct vmbus_owner base;
	struct vmbus_offer *offer;
	const struct gpadl *ring;
	pthread_t closer;
	_Atomic unsigned int opens, closes, releases, teardowns;
};

static void owner_open(void *ctx, const struct vmbus_open_request *request)
{
	struct owner *o = ctx;

	vmbus_thread_lock(bus);
	o->ring = vmbus_offer_gpadl_get(o->offer, request->ring_gpadl);
	ck_assert_ptr_nonnull(o->ring);
	vmbus_offer_opened(o->offer, true);
	vmbus_thread_unlock(bus);
	o->opens++;
}

static void *close_slowly(void *arg)
{
	struct owner *o = arg;

	for (unsigned int i = 0; i < 100; i++)
		give_way();
	vmbus_thread_lock(bus);
	vmbus_offer_gpadl_put(o->offer, o->ring);
	vmbus_offer_closed(o->offer);
	vmbus_thread_unlock(bus);
	return NULL;
}

static void owner_close(void *ctx)
{
	struct owner *o = ctx;

	if (o->closes++)
		pthread_join(o->closer, NULL);
	ck_assert_int_eq(pthread_create(&o->closer, NULL, close_slowly, o), 0);
}

static void owner_modify(void *ctx, uint32_t target_vp)
{
	(void)target_vp;
	vmbus_thread_lock(bus);
	vmbus_offer_modified(((struct owner *)ctx)->offer);
	vmbus_thread_unlock(bus);
}

static void owner_teardown(void *ctx, uint32_t gpadl)
{
	(void)gpadl;
	((struct owner *)ctx)->teardowns++;
}

static void owner_released(void *ctx)
{
	((struct owner *)ctx)->releases++;
}

static const struct vmbus_owner_ops owner_ops = {
	.open = owner_open,
	.close = owner_close,
	.modify = owner_modify,
	.gpadl_teardown = owner_teardown,
	.released = owner_released,
};

static struct owner owner;

static void offer(unsigned int n)
{
	struct vmbus_offer_params p = {
		.if_type = HV_SCSI_GUID, .order = n, .ctx = &owner.base};

	owner.base = (struct vmbus_owner){&owner_ops, &owner};
	memcpy(p.if_instance.b, &n, sizeof(n));
	owner.offer = vmbus_server_offer(vmbus_thread_lock(bus), &p);
	vmbus_thread_unlock(bus);
	ck_assert_ptr_nonnull(owner.offer);
}

static hv_status_t send_gpadl(uint32_t id)
{
	struct {
		struct vmbus_channel_gpadl_header h;
		struct gpa_range range;
		uint64_t pfns[4];
	} __attribute__((packed))
	m = {.h = {{CHANNELMSG_GPADL_HEADER, 0}, 1, id, 40, 1},
	     .range = {.byte_count = 4 * 4096},
	     .pfns = {1, 2, 3, 4}};

	return send_msg(&m, sizeof(m));
}

static void start_and_open(void)
{
	struct vmbus_channel_open_channel m = {
		.header.msgtype = CHANNELMSG_OPENCHANNEL,
		.child_relid = 1,
		.ringbuffer_gpadlhandle = 5,
		.downstream_ringbuffer_pageoffset = 2};

	offer(1);
	connect_guest(1);
	send_empty(CHANNELMSG_REQUESTOFFERS);
	ck_assert_uint_eq(next_type(1, NULL), CHANNELMSG_OFFERCHANNEL);
	ck_assert_uint_eq(next_type(1, NULL), CHANNELMSG_ALLOFFERS_DELIVERED);
	send_gpadl(5);
	ck_assert_uint_eq(next_type(1, NULL), CHANNELMSG_GPADL_CREATED);
	send_msg(&m, sizeof(m));
	ck_assert_uint_eq(next_type(1, NULL), CHANNELMSG_OPENCHANNEL_RESULT);
}

/* --- cases --------------------------------------------------------------------------- */

START_TEST(a_guest_connects_and_leaves)
{
	start_and_open();
	send_empty(CHANNELMSG_UNLOAD);
	ck_assert_uint_eq(next_type(1, NULL), CHANNELMSG_UNLOAD_RESPONSE);
	while (!unloaded)
		give_way();
	ck_assert_uint_eq(connected, 1);
	ck_assert_uint_eq(sent, 1);
	ck_assert_uint_eq(disconnected, 1);
	ck_assert_uint_eq(owner.opens, 1);
	ck_assert_uint_eq(owner.closes, 1);
	ck_assert_uint_gt(fake_vps_take(&vps, 1, VECTOR), 0);
	pthread_join(owner.closer, NULL);
}
END_TEST

START_TEST(other_message_types_are_not_ours)
{
	struct vmbus_channel_initiate_contact m = contact_of(1);

	ck_assert_uint_eq(post_on(1, 2, &m, sizeof(m)), HV_STATUS_SUCCESS);
	connect_guest(2);
	ck_assert(!has_message(1));
	/* Its owner hears of it after the guest does. */
	while (!connected)
		give_way();
	ck_assert_uint_eq(connected, 1);
}
END_TEST

START_TEST(nobody_listens_for_hv_sock)
{
	struct vmbus_channel_initiate_contact c = contact_of(1);
	struct vmbus_channel_tl_connect_request m = {
		.header.msgtype = CHANNELMSG_TL_CONNECT_REQUEST};

	c.vmbus_version_requested = VERSION_WIN10_V5_3;
	c.msg_sint = 2;
	send_msg(&c, sizeof(c));
	ck_assert_uint_eq(next_type(1, NULL), CHANNELMSG_VERSION_RESPONSE);
	send_msg(&m, sizeof(m));
	ck_assert_uint_eq(next_type(1, NULL), CHANNELMSG_TL_CONNECT_RESULT);
}
END_TEST

/* How many posts succeed while the guest takes nothing. */
static uint32_t post_until_full(void)
{
	uint64_t last = clock_monotonic_ns();
	uint32_t n = 0, refused = 0;

	while (refused < 100000 && !race_is_over(last)) {
		hv_status_t status = send_gpadl(1000 + n);

		if (status == HV_STATUS_SUCCESS) {
			n++;
			refused = 0;
			last = clock_monotonic_ns();
		} else {
			ck_assert_uint_eq(status,
					  HV_STATUS_INSUFFICIENT_BUFFERS);
			refused++;
			give_way();
		}
	}
	return n;
}

START_TEST(nothing_is_lost_when_all_is_full)
{
	struct vmbus_channel_gpadl_created r;
	struct hv_message m;
	uint32_t n;

	start_and_open();
	n = post_until_full();
	/* The thread's queue, the server's, the synic's, and the slot. */
	ck_assert_uint_eq(n,
			  VMBUS_IN_MAX + VMBUS_OUT_HIGH + SYNIC_QUEUE_MAX + 1);
	for (uint32_t i = 0; i < n; i++) {
		ck_assert_uint_eq(next_type(1, &m), CHANNELMSG_GPADL_CREATED);
		memcpy(&r, m.payload, sizeof(r));
		ck_assert_uint_eq(r.gpadl, 1000 + i);
		ck_assert_uint_eq(r.creation_status, 0);
	}
	ck_assert_uint_eq(send_gpadl(1), HV_STATUS_SUCCESS);
	next_type(1, NULL);
	vmbus_thread_pause(bus);
	vmbus_thread_reset(bus);
	pthread_join(owner.closer, NULL);
}
END_TEST

static const uint32_t enders[] = {CHANNELMSG_INITIATE_CONTACT,
				  CHANNELMSG_UNLOAD};

START_TEST(the_end_does_not_wait_behind_what_was_before)
{
	struct vmbus_channel_initiate_contact m = contact_of(3);

	start_and_open();
	post_until_full();
	if (enders[_i] == CHANNELMSG_UNLOAD) {
		ck_assert_uint_eq(send_empty(CHANNELMSG_UNLOAD),
				  HV_STATUS_SUCCESS);
		while (!unloaded)
			give_way();
		/* The one in the slot was delivered. */
		ck_assert_uint_eq(next_type(1, NULL), CHANNELMSG_GPADL_CREATED);
		ck_assert_uint_eq(next_type(1, NULL),
				  CHANNELMSG_UNLOAD_RESPONSE);
	} else {
		ck_assert_uint_eq(send_msg(&m, sizeof(m)), HV_STATUS_SUCCESS);
		ck_assert_uint_eq(next_type(3, NULL),
				  CHANNELMSG_VERSION_RESPONSE);
	}
	pthread_join(owner.closer, NULL);
}
END_TEST

START_TEST(paused_it_takes_nothing)
{
	struct vmbus_channel_initiate_contact m = contact_of(1);

	vmbus_thread_pause(bus);
	vmbus_thread_pause(bus);
	ck_assert_uint_eq(send_msg(&m, sizeof(m)), HV_STATUS_SUCCESS);
	for (unsigned int i = 0; i < 1000; i++)
		give_way();
	ck_assert(!has_message(1));
	ck_assert_uint_eq(connected, 0);
	vmbus_thread_resume(bus);
	ck_assert_uint_eq(next_type(1, NULL), CHANNELMSG_VERSION_RESPONSE);
}
END_TEST

START_TEST(reset_waits_for_owners)
{
	struct vmbus_channel_initiate_contact m = contact_of(1);

	for (unsigned int round = 0; round < 5; round++) {
		if (round == 0)
			start_and_open();
		else
			connect_guest(2);
		/* What the guest still said is not heard. */
		vmbus_thread_pause(bus);
		send_msg(&m, sizeof(m));
		vmbus_thread_reset(bus);
		ck_assert(vmbus_server_is_idle(vmbus_thread_lock(bus)));
		vmbus_thread_unlock(bus);
		ck_assert_uint_eq(owner.closes, 1);
		vmbus_thread_resume(bus);
	}
	while (connected < 5)
		give_way();
	ck_assert(!has_message(1));
	pthread_join(owner.closer, NULL);
}
END_TEST

START_TEST(rescind_from_another_thread)
{
	start_and_open();
	vmbus_thread_lock(bus);
	vmbus_offer_rescind(owner.offer);
	vmbus_thread_unlock(bus);
	ck_assert_uint_eq(next_type(1, NULL), CHANNELMSG_RESCIND_CHANNELOFFER);
	send_msg(
		&(struct vmbus_channel_relid_released){
			.header.msgtype = CHANNELMSG_RELID_RELEASED,
			.child_relid = 1},
		sizeof(struct vmbus_channel_relid_released));
	while (!owner.releases)
		give_way();
	/* The ring was put back before it was asked for, or with the close. */
	ck_assert_uint_eq(owner.closes, 1);
	pthread_join(owner.closer, NULL);
}
END_TEST

START_TEST(connections_that_are_taken)
{
	GError *error = NULL;

	ck_assert_ptr_null(make(&error));
	ck_assert_ptr_nonnull(strstr(error->message, "vmbus"));
	g_clear_error(&error);
	/* Whichever is taken, the other is given back. */
	vmbus_thread_free(bus);
	ports_add_message(ports, VMBUS_MESSAGE_CONNECTION_ID_4, NULL, NULL);
	ck_assert_ptr_null(make(&error));
	g_clear_error(&error);
	ports_remove(ports, VMBUS_MESSAGE_CONNECTION_ID_4);
	bus = make(NULL);
	ck_assert_ptr_nonnull(bus);
	vmbus_thread_free(NULL);
}
END_TEST

START_TEST(freed_with_an_open_channel)
{
	start_and_open();
	vmbus_thread_free(bus);
	ck_assert_uint_eq(owner.closes, 1);
	pthread_join(owner.closer, NULL);
	ck_assert_uint_eq(send_empty(CHANNELMSG_UNLOAD),
			  HV_STATUS_INVALID_CONNECTION_ID);
	bus = NULL;
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/server_thread");
	TCase *t = tcase_create("server_thread");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, bus_setup, bus_teardown);
	tcase_add_test(t, a_guest_connects_and_leaves);
	tcase_add_test(t, other_message_types_are_not_ours);
	tcase_add_test(t, nobody_listens_for_hv_sock);
	tcase_add_test(t, nothing_is_lost_when_all_is_full);
	tcase_add_loop_test(t, the_end_does_not_wait_behind_what_was_before, 0,
			    G_N_ELEMENTS(enders));
	tcase_add_test(t, paused_it_takes_nothing);
	tcase_add_test(t, reset_waits_for_owners);
	tcase_add_test(t, rescind_from_another_thread);
	tcase_add_test(t, connections_that_are_taken);
	tcase_add_test(t, freed_with_an_open_channel);
	suite_add_tcase(s, t);
	return check_main(s);
}
