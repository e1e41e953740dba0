/* SPDX-License-Identifier: MIT */
#include "hypercalls/table.h"

#include <string.h>

#include "support/check_main.h"

static const struct hypercall_row *row;
static unsigned int n_rows;

static void setup(void)
{
	row = hypercall_table(&n_rows);
}

START_TEST(sorted_and_named)
{
	for (unsigned int i = 0; i < n_rows; i++) {
		ck_assert_ptr_nonnull(row[i].name);
		if (i)
			ck_assert_uint_lt(row[i - 1].code, row[i].code);
		for (unsigned int j = 0; j < i; j++)
			ck_assert_str_ne(row[i].name, row[j].name);
	}
}
END_TEST

START_TEST(every_row_is_found)
{
	for (unsigned int i = 0; i < n_rows; i++)
		ck_assert_ptr_eq(hypercall_find(row[i].code), &row[i]);
}
END_TEST

START_TEST(others_are_not_found)
{
	unsigned int found = 0;

	for (unsigned int code = 0; code <= UINT16_MAX; code++)
		found += hypercall_find((uint16_t)code) != NULL;
	ck_assert_uint_eq(found, n_rows);
}
END_TEST

/* The dispatcher's buffers are one page, and elements are for rep calls. */
START_TEST(shapes_make_sense)
{
	for (unsigned int i = 0; i < n_rows; i++) {
		const struct hypercall_row *r = &row[i];

		ck_assert_uint_le(r->input_bytes, HV_PAGE_SIZE);
		ck_assert_uint_le(r->output_bytes, HV_PAGE_SIZE);
		ck_assert_uint_eq(r->input_bytes % 8, 0);
		ck_assert_uint_eq(r->output_bytes % 8, 0);
		if (!r->rep)
			ck_assert(!r->rep_input_bytes && !r->rep_output_bytes);
		else if (r->handler)
			ck_assert(r->rep_input_bytes && !r->output_bytes);
		if (r->needs_hint)
			ck_assert(r->hint);
	}
}
END_TEST

START_TEST(promises_need_every_handler)
{
	uint64_t privileges = hypercall_table_privileges();
	uint32_t hints = hypercall_table_hints();

	for (unsigned int i = 0; i < n_rows; i++) {
		if (row[i].handler)
			continue;
		ck_assert(!(privileges & row[i].privilege));
		ck_assert(!(hints & row[i].hint));
	}
	ck_assert(privileges & (uint64_t)HV_POST_MESSAGES << 32);
	ck_assert(!(privileges & (uint64_t)HV_ACCESS_PARTITION_ID << 32));
	ck_assert(!(privileges & (uint64_t)HV_START_VIRTUAL_PROCESSOR << 32));
	ck_assert(hints & HV_X64_REMOTE_TLB_FLUSH_RECOMMENDED);
	ck_assert(hints & HV_X64_CLUSTER_IPI_RECOMMENDED);
	ck_assert(!(hints & HV_X64_USE_MMIO_HYPERCALLS));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hypercalls/table");
	TCase *t = tcase_create("table");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, sorted_and_named);
	tcase_add_test(t, every_row_is_found);
	tcase_add_test(t, others_are_not_found);
	tcase_add_test(t, shapes_make_sense);
	tcase_add_test(t, promises_need_every_handler);
	suite_add_tcase(s, t);
	return check_main(s);
}
