/* SPDX-License-Identifier: MIT */
#include "devices/block/iov.h"

#include <string.h>

#include <glib.h>

#include "support/check_main.h"
#include "support/random.h"

#define BYTES  600u
#define PIECES 7u
#define ROUNDS 200u

static uint8_t memory[BYTES];
static struct iovec iov[PIECES];

/* Pieces of chance, some of them empty, that are all of memory, in order. */
static void setup(void)
{
	uint64_t left = BYTES;

	for (unsigned int i = 0; i < BYTES; i++)
		memory[i] = (uint8_t)(i % 255 + 1);
	for (unsigned int i = 0; i < PIECES; i++) {
		uint64_t len = i == PIECES - 1 ? left : random_u64() % 200;

		len = MIN(len, left);
		iov[i] = (struct iovec){memory + BYTES - left, len};
		left -= len;
	}
}

static void slice(void)
{
	struct iovec to[PIECES];
	uint64_t skip = random_u64() % BYTES;
	uint64_t bytes = random_u64() % (BYTES - skip + 1), at = skip;
	unsigned int n = iov_slice(to, iov, PIECES, skip, bytes);

	ck_assert_uint_le(n, PIECES);
	for (unsigned int i = 0; i < n; i++) {
		ck_assert_uint_ne(to[i].iov_len, 0);
		ck_assert_ptr_eq(to[i].iov_base, memory + at);
		at += to[i].iov_len;
	}
	ck_assert_uint_eq(at, skip + bytes);
}

START_TEST(slices_are_the_bytes)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		setup();
		slice();
	}
}
END_TEST

static void copy_out_and_in(void)
{
	uint64_t skip = random_u64() % BYTES;
	uint64_t bytes = random_u64() % (BYTES - skip + 1);
	uint8_t copy[BYTES + 1] = {0}, expected[BYTES];

	iov_copy_out(copy, iov, PIECES, skip, bytes);
	ck_assert_mem_eq(copy, memory + skip, bytes);
	ck_assert_uint_eq(copy[bytes], 0);
	memcpy(expected, memory, BYTES);
	memset(copy, 0xEE, sizeof(copy));
	memset(expected + skip, 0xEE, bytes);
	iov_copy_in(iov, PIECES, skip, copy, bytes);
	ck_assert_mem_eq(memory, expected, BYTES);
}

START_TEST(copies_are_the_bytes)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		setup();
		copy_out_and_in();
	}
}
END_TEST

START_TEST(zero_is_only_zero)
{
	static const unsigned int lens[] = {0, 1, 15, 16, 17, 33, 512};
	uint8_t data[514] = {0};

	for (unsigned int i = 0; i < G_N_ELEMENTS(lens); i++) {
		struct iovec two[] = {{data + 1, lens[i]}, {data + 1, 1}};

		data[0] = data[lens[i] + 1] = 1; /* not in it */
		ck_assert(iov_is_zero(two, 1));
		ck_assert(iov_is_zero(two, 2) == (lens[i] != 0));
		for (unsigned int k = 1; k <= lens[i]; k++) {
			data[k] = 0x80;
			ck_assert(!iov_is_zero(two, 1));
			data[k] = 0;
		}
		data[lens[i] + 1] = 0;
	}
	ck_assert(iov_is_zero(NULL, 0));
}
END_TEST

static const struct {
	uintptr_t base;
	size_t len;
	bool aligned;
} alignments[] = {
	{0x1000, 512, true},  {0x1004, 512, true},  {0x1002, 512, false},
	{0x1000, 256, false}, {0x1000, 4096, true}, {0x1000, 0, true},
	{0x1001, 511, false}, {0x1FFC, 1536, true},
};

START_TEST(aligned_is_all_of_it)
{
	struct iovec two[] = {
		{(void *)0x4000, 1024},
		{(void *)alignments[_i].base, alignments[_i].len},
	};

	ck_assert(iov_is_aligned(two, 2, 4, 512) == alignments[_i].aligned);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices/block/iov");
	TCase *tc = tcase_create("iov");

	tcase_add_test(tc, slices_are_the_bytes);
	tcase_add_test(tc, copies_are_the_bytes);
	tcase_add_test(tc, zero_is_only_zero);
	tcase_add_loop_test(tc, aligned_is_all_of_it, 0,
			    G_N_ELEMENTS(alignments));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
