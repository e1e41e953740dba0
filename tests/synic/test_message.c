/* SPDX-License-Identifier: MIT */
#include "synic/message.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include <glib.h>

#include "support/check_main.h"
#include "support/synic_guest.h"
#include "support/turns.h"

#define MAX_POSTED 4

static struct message_queue q;
static _Alignas(256) uint8_t slot[HV_MESSAGE_SIZE];

static void setup(void)
{
	memset(&q, 0, sizeof(q));
	memset(slot, 0, sizeof(slot));
}

static void teardown(void)
{
	message_queue_clear(&q);
}

static struct hv_message numbered(uint64_t number)
{
	struct hv_message m = {.header = {.message_type = HVMSG_VMBUS,
					  .payload_size = sizeof(number)}};

	memcpy(m.payload, &number, sizeof(number));
	return m;
}

static uint64_t number_of(const struct hv_message *m)
{
	uint64_t number;

	memcpy(&number, m->payload, sizeof(number));
	return number;
}

static int post(uint64_t number)
{
	struct hv_message m = numbered(number);

	return message_queue_post(&q, &m, MAX_POSTED);
}

static uint64_t pop(void)
{
	struct message *m = message_queue_pop(&q);
	uint64_t number;

	ck_assert_ptr_nonnull(m);
	number = number_of(&m->msg);
	message_free(m);
	return number;
}

START_TEST(first_in_first_out)
{
	for (uint64_t n = 0; n < 100; n += 2) {
		ck_assert_int_eq(post(n), 0);
		ck_assert_int_eq(post(n + 1), 0);
		ck_assert_uint_eq(pop(), n);
		ck_assert_uint_eq(pop(), n + 1);
		ck_assert_ptr_null(message_queue_pop(&q));
	}
}
END_TEST

START_TEST(full_queue_refuses_and_recovers)
{
	for (uint64_t n = 0; n < MAX_POSTED; n++)
		ck_assert_int_eq(post(n), 0);
	ck_assert_int_eq(post(77), -EAGAIN);
	ck_assert_uint_eq(pop(), 0);
	ck_assert_int_eq(post(MAX_POSTED), 0);
	ck_assert_int_eq(post(78), -EAGAIN);
	for (uint64_t n = 1; n <= MAX_POSTED; n++)
		ck_assert_uint_eq(pop(), n);
	ck_assert_ptr_null(q.head);
}
END_TEST

START_TEST(own_entries_always_fit)
{
	struct message own = {.msg = numbered(50)};

	for (uint64_t n = 0; n < MAX_POSTED; n++)
		ck_assert_int_eq(post(n), 0);
	message_queue_add(&q, &own);
	ck_assert_uint_eq(pop(), 0);
	ck_assert_int_eq(post(60), 0);
	ck_assert_uint_eq(pop(), 1);
	ck_assert_uint_eq(pop(), 2);
	ck_assert_uint_eq(pop(), 3);
	ck_assert_uint_eq(pop(), 50);
	ck_assert_uint_eq(pop(), 60);
}
END_TEST

/* Take one of three out, then append: the order of the rest stands. */
START_TEST(removal)
{
	struct message own[3] = {{.msg = numbered(0)},
				 {.msg = numbered(1)},
				 {.msg = numbered(2)}};

	for (int i = 0; i < 3; i++)
		message_queue_add(&q, &own[i]);
	message_queue_remove(&q, &own[_i]);
	message_queue_remove(&q, &own[_i]);
	ck_assert_int_eq(post(3), 0);
	for (uint64_t n = 0; n < 4; n++)
		if (n != (uint64_t)_i)
			ck_assert_uint_eq(pop(), n);
	ck_assert_ptr_null(q.head);
	message_queue_remove(&q, &own[0]);
}
END_TEST

START_TEST(removal_of_the_only_one)
{
	struct message own = {.msg = numbered(1)};

	message_queue_add(&q, &own);
	message_queue_remove(&q, &own);
	ck_assert_ptr_null(message_queue_pop(&q));
	ck_assert_int_eq(post(2), 0);
	ck_assert_uint_eq(pop(), 2);
}
END_TEST

START_TEST(busy_slot_gets_the_pending_flag)
{
	struct hv_message_header header;

	ck_assert(message_slot_is_free(slot));
	memcpy(&header, slot, sizeof(header));
	ck_assert_uint_eq(header.message_flags, 0);
	header.message_type = 5;
	memcpy(slot, &header, sizeof(header));
	ck_assert(!message_slot_is_free(slot));
	memcpy(&header, slot, sizeof(header));
	ck_assert_uint_eq(header.message_type, 5);
	ck_assert_uint_eq(header.message_flags, HV_MESSAGE_FLAG_PENDING);
	/* Only after that need the guest write EOM. */
	ck_assert(guest_message_done(slot));
	ck_assert(message_slot_is_free(slot));
}
END_TEST

START_TEST(written_message)
{
	struct hv_message m = numbered(99), seen;

	m.header.sender = 0x1122334455667788;
	m.header.message_flags = 0xFE;
	m.header.reserved = 0xFFFF;
	m.payload[8] = 0xAA;
	memset(slot, 0x55, sizeof(slot));
	message_slot_write(slot, &m, _i);
	ck_assert(guest_message_take(slot, &seen));
	ck_assert_uint_eq(seen.header.message_type, HVMSG_VMBUS);
	ck_assert_uint_eq(seen.header.payload_size, 8);
	ck_assert_uint_eq(seen.header.message_flags,
			  _i ? HV_MESSAGE_FLAG_PENDING : 0);
	ck_assert_uint_eq(seen.header.reserved, 0);
	ck_assert_uint_eq(seen.header.sender, 0x1122334455667788);
	ck_assert_uint_eq(number_of(&seen), 99);
	/* Only the payload that there is. */
	ck_assert_uint_eq(seen.payload[8], 0x55);
	ck_assert_int_eq(guest_message_done(slot), _i);
}
END_TEST

START_TEST(payload_sizes)
{
	for (int size = 0; size <= HV_MESSAGE_PAYLOAD_MAX; size++) {
		struct hv_message m = {
			.header = {.message_type = 1,
				   .payload_size = (uint8_t)size}};
		struct hv_message seen;

		memset(slot, 0, sizeof(slot));
		memset(m.payload, 0x77, sizeof(m.payload));
		message_slot_write(slot, &m, false);
		ck_assert(guest_message_take(slot, &seen));
		ck_assert_uint_eq(seen.header.payload_size, (uint8_t)size);
		for (int i = 0; i < HV_MESSAGE_PAYLOAD_MAX; i++)
			ck_assert_uint_eq(seen.payload[i], i < size ? 0x77 : 0);
	}
}
END_TEST

/* A guest that empties its slot and only says so when it is asked to. */
#define N_RACE 20000

static _Atomic unsigned int eoms, received, goal = N_RACE;
static _Atomic bool out_of_order;

static void *racing_guest(void *arg)
{
	uint64_t expected = 0;
	struct hv_message m;

	(void)arg;
	while (expected < goal) {
		if (!guest_message_take(slot, &m)) {
			give_way();
			continue;
		}
		if (number_of(&m) != expected++)
			out_of_order = true;
		if (guest_message_done(slot))
			eoms++;
		received++;
	}
	return NULL;
}

/* The host looks at the slot for a post and for an EOM, and no more. */
START_TEST(no_message_is_stuck)
{
	unsigned int seen_eoms = 0, sent = 0, posted = 0;
	uint64_t start = clock_monotonic_ns();
	pthread_t guest;

	ck_assert_int_eq(pthread_create(&guest, NULL, racing_guest, NULL), 0);
	while (received < goal) {
		bool look = false;

		if (race_is_over(start))
			goal = posted;
		if (posted < goal && !post(posted)) {
			posted++;
			look = true;
		}
		if (eoms != seen_eoms) {
			seen_eoms = eoms;
			look = true;
		}
		if (!look) {
			give_way();
			continue;
		}
		if (q.head && message_slot_is_free(slot)) {
			struct message *m = message_queue_pop(&q);

			message_slot_write(slot, &m->msg, q.head != NULL);
			message_free(m);
			sent++;
		}
	}
	pthread_join(guest, NULL);
	ck_assert_uint_eq(sent, goal);
	ck_assert(!out_of_order);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("synic/message");
	TCase *t = tcase_create("message");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, first_in_first_out);
	tcase_add_test(t, full_queue_refuses_and_recovers);
	tcase_add_test(t, own_entries_always_fit);
	tcase_add_loop_test(t, removal, 0, 3);
	tcase_add_test(t, removal_of_the_only_one);
	tcase_add_test(t, busy_slot_gets_the_pending_flag);
	tcase_add_loop_test(t, written_message, 0, 2);
	tcase_add_test(t, payload_sizes);
	tcase_add_test(t, no_message_is_stuck);
	suite_add_tcase(s, t);
	return check_main(s);
}
