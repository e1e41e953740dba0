/* SPDX-License-Identifier: MIT */
#include "mem/gmem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mem/gmem_impl.h"
#include "mem/overlay.h"
#include "support/check_main.h"
#include "support/turns.h"

#define PAGE 4096u

static struct gmem *mem;

static void setup(void)
{
	mem = gmem_new(16 * PAGE, NULL);
	ck_assert_ptr_nonnull(mem);
}

static void teardown(void)
{
	gmem_free(mem);
}

/* Where rings are mapped a second time. */
static uint8_t *reserve(size_t n_pages)
{
	uint8_t *at = mmap(NULL, n_pages * PAGE, PROT_NONE,
			   /* cppcheck-suppress invalidFunctionArg ; fd -1 */
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(at, MAP_FAILED);
	return at;
}

static struct iovec piece(uint64_t gpa, size_t bytes)
{
	return (struct iovec){gmem_load(mem, gpa, bytes), bytes};
}

/* Make @n pages from @pfn on what a rescinded ring leaves. */
static void leave(uint64_t pfn, size_t n)
{
	uint8_t *at = reserve(n);
	uint64_t pfns[4];

	for (size_t i = 0; i < n; i++)
		pfns[i] = pfn + i;
	ck_assert_int_eq(gmem_alias(mem, at, pfns, n), 0);
	munmap(at, n * PAGE);
	gmem_unalias_later(mem, pfns, n);
}

START_TEST(most_ram_needs_no_pin)
{
	struct iovec iov[] = {piece(0, 3 * PAGE), piece(5 * PAGE, 11 * PAGE)};

	ck_assert_ptr_null(gmem_pin(mem, iov, 2));
	/* Neither do the neighbours of what does. */
	leave(3, 2);
	ck_assert_ptr_null(gmem_pin(mem, iov, 2));
	gmem_settle(mem);
	iov[0] = piece(3 * PAGE, PAGE);
	ck_assert_ptr_null(gmem_pin(mem, iov, 1));
	ck_assert_ptr_null(gmem_pin(mem, iov, 0));
	gmem_unpin(mem, NULL);
}
END_TEST

/* Pieces of which page 4, and it alone, is what a ring left. */
static const struct {
	const char *what;
	uint64_t gpa;
	size_t bytes;
	bool pinned;
} pieces[] = {
	{"the page", 4 * PAGE, PAGE, true},
	{"its first byte", 4 * PAGE, 1, true},
	{"its last byte", 5 * PAGE - 1, 1, true},
	{"two bytes, one of them before it", 4 * PAGE - 1, 2, true},
	{"two bytes, one of them behind it", 5 * PAGE - 1, 2, true},
	{"much more than it", PAGE + 9, 8 * PAGE, true},
	{"all RAM", 0, 16 * PAGE, true},
	{"up to it", 0, 4 * PAGE, false},
	{"from its end on", 5 * PAGE, 11 * PAGE, false},
	{"no byte", 4 * PAGE, 0, false},
};

START_TEST(each_page_with_a_byte_of_it)
{
	uint8_t own[16];
	struct iovec iov[] = {{own, sizeof(own)},
			      piece(8 * PAGE, PAGE),
			      piece(pieces[_i].gpa, pieces[_i].bytes)};
	struct gmem_pin *pin;

	leave(4, 1);
	pin = gmem_pin(mem, iov, 3);
	ck_assert_msg(!pin != pieces[_i].pinned, "%s", pieces[_i].what);
	gmem_settle(mem);
	ck_assert_uint_eq(gmem_left_pages(mem), pieces[_i].pinned);
	gmem_unpin(mem, pin);
	gmem_settle(mem);
	ck_assert_uint_eq(gmem_left_pages(mem), 0);
}
END_TEST

START_TEST(above_the_hole)
{
	const uint64_t gpa = GMEM_HOLE_END + PAGE;
	struct gmem_pin *pin;
	struct iovec iov;

	gmem_free(mem);
	mem = gmem_new(GMEM_HOLE_START + 16 * PAGE, NULL);
	leave(gpa / PAGE, 1);
	iov = piece(GMEM_HOLE_START - PAGE, PAGE);
	ck_assert_ptr_null(gmem_pin(mem, &iov, 1));
	iov = piece(GMEM_HOLE_END, PAGE);
	ck_assert_ptr_null(gmem_pin(mem, &iov, 1));
	iov = piece(gpa, 1);
	pin = gmem_pin(mem, &iov, 1);
	gmem_settle(mem);
	ck_assert_uint_eq(gmem_left_pages(mem), 1);
	gmem_unpin(mem, pin);
}
END_TEST

/* Also of one page, in one request or in several. */
START_TEST(pins_are_counted)
{
	struct iovec twice[] = {piece(4 * PAGE, 8), piece(4 * PAGE + 8, 8)};
	struct gmem_pin *first, *second;

	leave(4, 1);
	first = gmem_pin(mem, twice, 2);
	second = gmem_pin(mem, twice, 1);
	gmem_unpin(mem, first);
	gmem_settle(mem);
	ck_assert_uint_eq(gmem_left_pages(mem), 1);
	gmem_unpin(mem, second);
	gmem_settle(mem);
	ck_assert_uint_eq(gmem_left_pages(mem), 0);
}
END_TEST

START_TEST(what_is_written_to_a_pinned_page_stays)
{
	struct iovec iov = piece(4 * PAGE + 100, 4);
	struct gmem_pin *pin;
	char text[5] = "";

	leave(4, 1);
	pin = gmem_pin(mem, &iov, 1);
	memcpy(iov.iov_base, "disk", 4);
	gmem_settle(mem);
	ck_assert_int_eq(memcmp(iov.iov_base, "disk", 4), 0);
	gmem_unpin(mem, pin);
	gmem_settle(mem);
	ck_assert_int_eq(memcmp(iov.iov_base, "disk", 4), 0);
	gmem_read(mem, 4 * PAGE + 100, text, 4);
	ck_assert_str_eq(text, "disk");
}
END_TEST

/* A page that is pinned while it is a ring outlives the ring. */
START_TEST(pinned_before_it_was_left)
{
	const uint64_t pfns[] = {4};
	struct iovec iov = piece(4 * PAGE, 4);
	uint8_t *at = reserve(1);
	struct gmem_pin *pin;

	ck_assert_int_eq(gmem_alias(mem, at, pfns, 1), 0);
	pin = gmem_pin(mem, &iov, 1);
	memcpy(at, "ring", 4);
	munmap(at, PAGE);
	gmem_unalias(mem, pfns, 1);
	ck_assert_uint_eq(gmem_left_pages(mem), 1);
	gmem_unpin(mem, pin);
	gmem_settle(mem);
	ck_assert(!gmem_is_shared(mem, 4 * PAGE, PAGE));
	ck_assert_int_eq(memcmp(iov.iov_base, "ring", 4), 0);
}
END_TEST

START_TEST(pinned_below_an_overlay)
{
	struct overlay_space *space = overlay_space_new(mem, 1, NULL);
	struct overlay *o = overlay_new(space);
	struct iovec iov = piece(4 * PAGE, 4);
	struct gmem_pin *pin;

	memcpy(iov.iov_base, "RAM", 4);
	ck_assert_int_eq(overlay_show(o, 4 * PAGE), 0);
	pin = gmem_pin(mem, &iov, 1);
	overlay_hide(o);
	ck_assert_str_eq(iov.iov_base, "RAM");
	gmem_settle(mem);
	ck_assert(gmem_is_shared(mem, 4 * PAGE, PAGE));
	gmem_unpin(mem, pin);
	gmem_settle(mem);
	ck_assert(!gmem_is_shared(mem, 4 * PAGE, PAGE));
	ck_assert_str_eq(iov.iov_base, "RAM");
	overlay_space_free(space);
}
END_TEST

/* --- a thread that moves data while memory is settled ----------------------- */

#define ROUNDS   300u
#define LEFT_PFN 4u
#define SLOTS    400u

static uint64_t slot(unsigned int i)
{
	return LEFT_PFN * PAGE + 8ull * i;
}

static void expect(unsigned int i, uint64_t value)
{
	uint64_t is;

	gmem_read(mem, slot(i), &is, sizeof(is));
	ck_assert_uint_eq(is, value);
}

/* From a disk to the guest's memory, and from there to the disk. */
static void through_iovec(uint64_t value, int fd)
{
	struct iovec iov = piece(slot(8), sizeof(value));
	struct gmem_pin *pin;
	uint64_t out;

	ck_assert_int_eq(pwrite(fd, &value, sizeof(value), 0), sizeof(value));
	pin = gmem_pin(mem, &iov, 1);
	ck_assert_int_eq(preadv(fd, &iov, 1, 0), sizeof(value));
	gmem_unpin(mem, pin);
	pin = gmem_pin(mem, &iov, 1);
	ck_assert_int_eq(pwritev(fd, &iov, 1, 8), sizeof(value));
	gmem_unpin(mem, pin);
	ck_assert_int_eq(pread(fd, &out, sizeof(out), 8), sizeof(out));
	ck_assert_uint_eq(out, value);
	expect(8, value);
}

static void by_iovec(uint64_t first)
{
	int fd = memfd_create("disk", MFD_CLOEXEC);

	for (unsigned int i = 0; i < 16; i++)
		through_iovec(first + i, fd);
	close(fd);
}

static void by_copy(uint64_t first)
{
	for (unsigned int i = 0; i < SLOTS; i++) {
		uint64_t value = first + i;

		gmem_write(mem, slot(i), &value, sizeof(value));
		give_way();
	}
	for (unsigned int i = 0; i < SLOTS; i++)
		expect(i, first + i);
}

static void by_discard(uint64_t first)
{
	(void)first;
	for (unsigned int i = 0; i < 16; i++) {
		ck_assert_int_eq(gmem_discard(mem, LEFT_PFN * PAGE, PAGE), 0);
		expect(8, 0);
	}
}

/* What happens on the other thread. */
static void (*const movers[])(uint64_t first) = {by_iovec, by_copy, by_discard};

static _Atomic unsigned int round_go, round_done;
static _Atomic bool last_round;

static void *mover(void *arg)
{
	int which = *(int *)arg;

	for (unsigned int r = 1; r <= ROUNDS; r++) {
		while (round_go != r) {
			if (last_round)
				return NULL;
			give_way();
		}
		movers[which]((uint64_t)r << 32);
		round_done = r;
	}
	return NULL;
}

START_TEST(nothing_is_lost_while_memory_is_settled)
{
	static const uint64_t old = 0xDEAD;
	uint64_t start = clock_monotonic_ns();
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, mover, &_i), 0);
	for (unsigned int r = 1; r <= ROUNDS && !race_is_over(start); r++) {
		gmem_write(mem, slot(8), &old, sizeof(old));
		leave(LEFT_PFN, 1);
		round_go = r;
		while (round_done != r) {
			gmem_settle(mem);
			give_way();
		}
		gmem_settle(mem);
		ck_assert_uint_eq(gmem_left_pages(mem), 0);
	}
	last_round = true;
	pthread_join(thread, NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mem/gmem_pin");
	TCase *t = tcase_create("gmem_pin");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, most_ram_needs_no_pin);
	tcase_add_loop_test(t, each_page_with_a_byte_of_it, 0,
			    (int)G_N_ELEMENTS(pieces));
	tcase_add_test(t, above_the_hole);
	tcase_add_test(t, pins_are_counted);
	tcase_add_test(t, what_is_written_to_a_pinned_page_stays);
	tcase_add_test(t, pinned_before_it_was_left);
	tcase_add_test(t, pinned_below_an_overlay);
	tcase_add_loop_test(t, nothing_is_lost_while_memory_is_settled, 0,
			    (int)G_N_ELEMENTS(movers));
	suite_add_tcase(s, t);
	return check_main(s);
}
