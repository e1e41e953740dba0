/* SPDX-License-Identifier: MIT */
#include "vsp/net/guest_buffer.h"

#include "support/check_main.h"
#include "support/ring_peer.h"

#include <sys/uio.h>

#define PAGE 4096u

static struct gmem *mem;
static struct gpadl *gpadl;

/* Pages 3, 4, 5, 9, 8: two runs and a page that goes back. */
static const uint64_t pfns[] = {3, 4, 5, 9, 8};

static struct guest_buffer *make(uint64_t last)
{
	uint64_t copy[5];

	memcpy(copy, pfns, sizeof(copy));
	copy[4] = last;
	gpadl = make_gpadl(copy, 5);
	ck_assert_int_eq(gpadl_check(gpadl, ring_bench_is_ram, mem),
			 last == 8 ? 0 : -EFAULT);
	return last == 8 ? guest_buffer_new(mem, gpadl) : NULL;
}

static void setup(void)
{
	mem = gmem_new(16 * PAGE, NULL);
}

static void end(void)
{
	gpadl_free(gpadl);
	gpadl = NULL;
	gmem_free(mem);
}

START_TEST(bytes_are_where_the_pages_are)
{
	struct guest_buffer *b = make(8);

	ck_assert_uint_eq(guest_buffer_bytes(b), 5 * PAGE);
	for (uint32_t i = 0; i < 5; i++)
		ck_assert_ptr_eq(
			guest_buffer_at(b, i * PAGE + 7),
			(uint8_t *)gmem_load(mem, pfns[i] * PAGE, PAGE) + 7);
	guest_buffer_free(b);
	guest_buffer_free(NULL);
}
END_TEST

static const struct {
	uint32_t offset, bytes;
	unsigned int n_max, n;
} ranges[] = {
	{0, 1, 1, 1},
	{0, 3 * PAGE, 1, 1},
	{100, 3 * PAGE, 2, 2},
	{0, 5 * PAGE, 3, 3},
	{0, 5 * PAGE, 2, 0},
	{4 * PAGE, PAGE, 1, 1},
	{4 * PAGE, PAGE + 1, 9, 0},
	{5 * PAGE, 1, 9, 0},
	{UINT32_MAX, 2, 9, 0},
	{0, 0, 9, 0},
};

START_TEST(pieces)
{
	struct guest_buffer *b = make(8);
	struct iovec iov[9];
	size_t sum = 0;

	ck_assert_uint_eq(guest_buffer_iov(b, ranges[_i].offset,
					   ranges[_i].bytes, iov,
					   ranges[_i].n_max),
			  ranges[_i].n);
	for (unsigned int i = 0; i < ranges[_i].n; i++)
		sum += iov[i].iov_len;
	if (ranges[_i].n) {
		ck_assert_uint_eq(sum, ranges[_i].bytes);
		ck_assert_ptr_eq(iov[0].iov_base,
				 guest_buffer_at(b, ranges[_i].offset));
	}
	guest_buffer_free(b);
}
END_TEST

START_TEST(what_is_written)
{
	struct guest_buffer *b = make(8);
	uint8_t data[3 * PAGE], back[3 * PAGE];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 13 + (i >> 8));
	guest_buffer_write(b, PAGE + 100, data, sizeof(data));
	gmem_read(mem, 4 * PAGE + 100, back, PAGE * 2 - 100);
	ck_assert_mem_eq(back, data, PAGE * 2 - 100);
	gmem_read(mem, 9 * PAGE, back, PAGE);
	ck_assert_mem_eq(back, data + 2 * PAGE - 100, PAGE);
	gmem_read(mem, 8 * PAGE, back, 100);
	ck_assert_mem_eq(back, data + 3 * PAGE - 100, 100);
	guest_buffer_free(b);
}
END_TEST

START_TEST(buffers_that_are_none)
{
	struct gpa_range head = {.byte_count = PAGE - 8};
	uint64_t words[2] = {0, 3};

	/* not whole pages */
	memcpy(words, &head, sizeof(head));
	gpadl = gpadl_new(1, sizeof(words), 1);
	gpadl_append(gpadl, words, sizeof(words));
	ck_assert_int_eq(gpadl_check(gpadl, ring_bench_is_ram, mem), 0);
	ck_assert_ptr_null(guest_buffer_new(mem, gpadl));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/net/guest_buffer");
	TCase *t = tcase_create("guest_buffer");

	tcase_add_checked_fixture(t, setup, end);
	tcase_add_test(t, bytes_are_where_the_pages_are);
	tcase_add_loop_test(t, pieces, 0,
			    (int)(sizeof(ranges) / sizeof(ranges[0])));
	tcase_add_test(t, what_is_written);
	tcase_add_test(t, buffers_that_are_none);
	suite_add_tcase(s, t);
	return check_main(s);
}
