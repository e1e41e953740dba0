/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <string.h>

#include "base/trace_impl.h"
#include "base/trace_reader.h"
#include "support/check_main.h"

/* Small, so that rings turn round often. */
#define SLOTS 64u

static struct trace_reader *reader;
static GArray *records;

static void setup(void)
{
	trace_set_slots(SLOTS);
	trace_set_mask(~0u);
	reader = trace_reader_new(0);
	records = g_array_new(FALSE, FALSE, sizeof(struct trace_record));
}

static void teardown(void)
{
	trace_reader_free(reader);
	g_array_free(records, TRUE);
}

static const struct trace_record *at(guint i)
{
	ck_assert_uint_lt(i, records->len);
	return &g_array_index(records, struct trace_record, i);
}

/* --- one thread ------------------------------------------------------------ */

START_TEST(numbers_come_back)
{
	trace_event(stimer_fire, 3, 7, 1, 2, 3, 4, UINT64_MAX);
	trace_reader_collect(reader, records);
	ck_assert_uint_eq(records->len, 1);
	ck_assert_int_eq(at(0)->event, TRACE_EVENT_stimer_fire);
	ck_assert_uint_eq(at(0)->vp, 3);
	ck_assert_uint_eq(at(0)->device, 7);
	ck_assert_uint_eq(at(0)->bytes, 0);
	for (unsigned int i = 0; i < 4; i++)
		ck_assert_uint_eq(at(0)->args[i], i + 1);
	ck_assert_uint_eq(at(0)->args[4], UINT64_MAX);
}
END_TEST

START_TEST(fewer_numbers_are_padded_with_zeros)
{
	trace_event(msr_read, TRACE_NO_VP, TRACE_NO_DEVICE, 9);
	trace_reader_collect(reader, records);
	ck_assert_uint_eq(at(0)->vp, TRACE_NO_VP);
	ck_assert_uint_eq(at(0)->args[0], 9);
	for (unsigned int i = 1; i < TRACE_ARGS; i++)
		ck_assert_uint_eq(at(0)->args[i], 0);
}
END_TEST

/* Lengths around what a slot holds; longer ones are cut. */
static const uint32_t lengths[] = {0,   1,   55,  56,  57,  112,
				   113, 240, 255, 256, 4000};

START_TEST(bytes_come_back)
{
	uint32_t bytes = lengths[_i], kept = MIN(bytes, TRACE_BYTES_MAX);
	uint8_t data[4000];

	for (uint32_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + 1);
	trace_bytes(vmbus_message, 1, 0, data, bytes, TRACE_TO_GUEST, bytes);
	trace_event(milestone, TRACE_NO_VP, 0, 5);
	trace_reader_collect(reader, records);
	ck_assert_uint_eq(records->len, 2);
	ck_assert_uint_eq(at(0)->bytes, kept);
	ck_assert_uint_eq(at(0)->args[1], bytes);
	ck_assert_mem_eq(at(0)->data, data, kept);
	ck_assert_uint_eq(at(0)->data[kept], 0);
	ck_assert_uint_eq(at(1)->args[0], 5);
}
END_TEST

START_TEST(a_category_that_is_off_leaves_nothing)
{
	trace_set_mask(1u << TRACE_MSR);
	trace_event(msr_read, 0, 0, 1);
	trace_event(milestone, 0, 0, 1);
	trace_bytes(vmbus_message, 0, 0, "x", 1, 0, 0);
	trace_reader_collect(reader, records);
	ck_assert_uint_eq(records->len, 1);
	ck_assert_int_eq(at(0)->event, TRACE_EVENT_msr_read);
}
END_TEST

START_TEST(the_second_time_only_what_is_new)
{
	trace_event(milestone, 0, 0, 1);
	trace_reader_collect(reader, records);
	trace_event(milestone, 0, 0, 2);
	trace_reader_collect(reader, records);
	trace_reader_collect(reader, records);
	ck_assert_uint_eq(records->len, 2);
	ck_assert_uint_eq(at(1)->args[0], 2);
	ck_assert_uint_eq(trace_reader_lost(reader), 0);
}
END_TEST

START_TEST(what_was_overwritten_is_counted)
{
	trace_event(milestone, 0, 0, 0);
	trace_reader_collect(reader, records);
	for (unsigned int i = 1; i <= 1000; i++)
		trace_event(milestone, 0, 0, i);
	trace_reader_collect(reader, records);
	ck_assert_uint_eq(records->len, 1 + SLOTS);
	ck_assert_uint_eq(trace_reader_lost(reader), 1000 - SLOTS);
	ck_assert_uint_eq(at(1)->args[0], 1000 - SLOTS + 1);
	ck_assert_uint_eq(at(SLOTS)->args[0], 1000);
}
END_TEST

/* More of them than a record's sequence number tells apart. */
START_TEST(however_many_were_overwritten_are_counted)
{
	const unsigned int n = 3 * 65536 + SLOTS;

	trace_event(milestone, 0, 0, 0);
	trace_reader_collect(reader, records);
	for (unsigned int i = 1; i <= n; i++)
		trace_event(milestone, 0, 0, i);
	trace_reader_collect(reader, records);
	ck_assert_uint_eq(records->len, 1 + SLOTS);
	ck_assert_uint_eq(trace_reader_lost(reader), n - SLOTS);
}
END_TEST

static void *write_many_at_once(void *arg)
{
	for (unsigned int i = 0; i < 1000; i++)
		trace_event(milestone, 0, 0, i);
	return arg;
}

/* A thread that was quicker than the reader's first look at its ring. */
START_TEST(what_was_overwritten_before_the_first_look_is_counted)
{
	pthread_t thread;

	ck_assert_int_eq(
		pthread_create(&thread, NULL, write_many_at_once, NULL), 0);
	pthread_join(thread, NULL);
	trace_reader_collect(reader, records);
	ck_assert_uint_eq(records->len, SLOTS);
	ck_assert_uint_eq(trace_reader_lost(reader), 1000 - SLOTS);
}
END_TEST

START_TEST(a_message_whose_start_is_gone_is_not_taken_for_one)
{
	uint8_t data[200];

	/* Its slots look like stamps and headers of their own. */
	memset(data, 0x11, sizeof(data));
	for (unsigned int i = 0; i < 100; i++)
		trace_bytes(vmbus_message, 0, 0, data, sizeof(data), 0, i);
	trace_reader_collect(reader, records);
	ck_assert_uint_gt(records->len, 10);
	for (guint i = 0; i < records->len; i++) {
		ck_assert_uint_eq(at(i)->bytes, sizeof(data));
		ck_assert_mem_eq(at(i)->data, data, sizeof(data));
	}
	ck_assert_uint_eq(at(records->len - 1)->args[1], 99);
}
END_TEST

START_TEST(a_new_reader_starts_as_far_back_as_it_says)
{
	struct trace_reader *late;

	for (unsigned int i = 0; i < 20; i++)
		trace_event(milestone, 0, 0, i);
	late = trace_reader_new(5);
	trace_reader_collect(late, records);
	ck_assert_uint_eq(records->len, 5);
	ck_assert_uint_eq(at(0)->args[0], 15);
	ck_assert_uint_eq(trace_reader_lost(late), 0);
	trace_reader_free(late);
}
END_TEST

/* --- threads ------------------------------------------------------------------ */

#define WRITERS 4
#define EACH    20000u

static _Atomic unsigned int n_running;

/* Each word of a record is derived from the first, so a torn one shows. */
static void *write_many(void *arg)
{
	uint64_t who = (uint64_t)(uintptr_t)arg;
	uint8_t data[100];

	for (uint64_t i = 0; i < EACH; i++) {
		memset(data, (int)(i & 0xFF), sizeof(data));
		trace_event(stimer_fire, 0, (uint16_t)who, i, i + 1, i + 2,
			    i + 3, i + 4);
		trace_bytes(vmbus_message, 0, (uint16_t)who, data, sizeof(data),
			    i, i);
	}
	n_running--;
	return NULL;
}

static void check_whole(const struct trace_record *r)
{
	uint64_t i = r->args[0];

	if (r->event == TRACE_EVENT_stimer_fire) {
		for (unsigned int k = 0; k < TRACE_ARGS; k++)
			ck_assert_uint_eq(r->args[k], i + k);
		return;
	}
	ck_assert_int_eq(r->event, TRACE_EVENT_vmbus_message);
	ck_assert_uint_eq(r->args[1], i);
	ck_assert_uint_eq(r->bytes, 100);
	for (unsigned int k = 0; k < r->bytes; k++)
		ck_assert_uint_eq(r->data[k], i & 0xFF);
}

START_TEST(records_are_whole_while_many_write)
{
	uint64_t last[WRITERS + 1] = {0}, n = 0;
	pthread_t threads[WRITERS];
	bool done = false;

	n_running = WRITERS;
	for (uintptr_t i = 0; i < WRITERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write_many,
						(void *)(i + 1)),
				 0);
	while (!done) {
		done = !n_running;
		g_array_set_size(records, 0);
		trace_reader_collect(reader, records);
		for (guint i = 0; i < records->len; i++) {
			const struct trace_record *r = at(i);

			check_whole(r);
			ck_assert_uint_ge(r->args[0], last[r->device]);
			last[r->device] = r->args[0];
			n++;
		}
	}
	for (unsigned int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned int i = 1; i <= WRITERS; i++)
		ck_assert_uint_eq(last[i], EACH - 1);
	ck_assert_uint_eq(n + trace_reader_lost(reader), 2ull * WRITERS * EACH);
}
END_TEST

static void *write_one(void *arg)
{
	trace_event(milestone, 0, 0, (uintptr_t)arg);
	return NULL;
}

START_TEST(what_threads_did_stays_when_they_are_gone)
{
	unsigned int n;

	for (uintptr_t i = 0; i < 500; i++) {
		pthread_t thread;

		ck_assert_int_eq(
			pthread_create(&thread, NULL, write_one, (void *)i), 0);
		pthread_join(thread, NULL);
	}
	trace_reader_collect(reader, records);
	ck_assert_uint_eq(at(records->len - 1)->args[0], 499);
	for (guint i = 1; i < records->len; i++)
		ck_assert_uint_ge(at(i)->tsc, at(i - 1)->tsc);
	/* But a thread that comes and goes costs no ring each time. */
	trace_rings(&n);
	ck_assert_uint_lt(n, 100);
}
END_TEST

/* --- names --------------------------------------------------------------------- */

START_TEST(devices_have_one_number_each)
{
	uint16_t scsi = trace_device("scsi0"), net = trace_device("net0");

	ck_assert_uint_ne(scsi, net);
	ck_assert_uint_eq(trace_device("scsi0"), scsi);
	ck_assert_str_eq(trace_device_name(net), "net0");
	ck_assert_ptr_null(trace_device_name(TRACE_NO_DEVICE));
	ck_assert_ptr_null(trace_device_name(4000));
}
END_TEST

START_TEST(too_many_devices_have_none)
{
	uint16_t last = 1;

	for (unsigned int i = 0; i < 5000; i++) {
		char name[16];

		g_snprintf(name, sizeof(name), "sock%u", i);
		last = trace_device(name);
	}
	ck_assert_uint_eq(last, TRACE_NO_DEVICE);
	ck_assert_uint_ne(trace_device("sock1"), TRACE_NO_DEVICE);
}
END_TEST

static const struct {
	const char *list;
	int ret;
	uint32_t mask;
} lists[] = {
	{"msr", 0, 1u << TRACE_MSR},
	/* What it has, and what there is too much of for the recorder. */
	{"storvsc", 0, 1u << TRACE_STORVSC | 1u << TRACE_SCSI},
	{"scsi", 0, 1u << TRACE_SCSI},
	{"vmbus,frames", 0, 1u << TRACE_VMBUS | 1u << TRACE_FRAMES},
	{"all", 0, (1u << N_TRACE_CATEGORIES) - 1},
	{"", -EINVAL, 0},
	{"msr,", -EINVAL, 0},
	{"MSR", -EINVAL, 0},
	{"vmbus,nonsense", -EINVAL, 0},
};

START_TEST(categories_by_name)
{
	uint32_t mask = 0;

	ck_assert_int_eq(trace_parse_categories(lists[_i].list, &mask),
			 lists[_i].ret);
	ck_assert_uint_eq(mask, lists[_i].mask);
}
END_TEST

START_TEST(each_event_has_a_category_and_a_name)
{
	for (int i = 0; i < N_TRACE_EVENTS; i++) {
		enum trace_event event = (enum trace_event)i;

		ck_assert_ptr_nonnull(trace_event_name(event));
		ck_assert_uint_lt(trace_event_category(event),
				  N_TRACE_CATEGORIES);
	}
	ck_assert_str_eq(trace_event_name(TRACE_EVENT_msr_write), "msr_write");
	ck_assert_str_eq(trace_category_name(TRACE_HVSOCK), "hvsock");
}
END_TEST

START_TEST(seconds_are_seconds)
{
	uint64_t hz = (uint64_t)trace_tsc_hz();

	ck_assert_uint_gt(hz, 100000000);
	ck_assert_double_eq_tol(trace_seconds(trace_start_tsc() + hz), 1.0,
				0.05);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trace");
	TCase *tc = tcase_create("trace");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, numbers_come_back);
	tcase_add_test(tc, fewer_numbers_are_padded_with_zeros);
	tcase_add_loop_test(tc, bytes_come_back, 0, G_N_ELEMENTS(lengths));
	tcase_add_test(tc, a_category_that_is_off_leaves_nothing);
	tcase_add_test(tc, the_second_time_only_what_is_new);
	tcase_add_test(tc, what_was_overwritten_is_counted);
	tcase_add_test(tc, however_many_were_overwritten_are_counted);
	tcase_add_test(tc,
		       what_was_overwritten_before_the_first_look_is_counted);
	tcase_add_test(tc, a_message_whose_start_is_gone_is_not_taken_for_one);
	tcase_add_test(tc, a_new_reader_starts_as_far_back_as_it_says);
	tcase_add_test(tc, records_are_whole_while_many_write);
	tcase_add_test(tc, what_threads_did_stays_when_they_are_gone);
	tcase_add_test(tc, devices_have_one_number_each);
	tcase_add_test(tc, too_many_devices_have_none);
	tcase_add_loop_test(tc, categories_by_name, 0, G_N_ELEMENTS(lists));
	tcase_add_test(tc, each_event_has_a_category_and_a_name);
	tcase_add_test(tc, seconds_are_seconds);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
