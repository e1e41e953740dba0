/* SPDX-License-Identifier: MIT */
/*
 * overlay.c - pages of the hypervisor's over the guest's own: what was below
 * comes back, what is in them stays, for every kind.
 */
#include "lib/hypercall.h"
#include "lib/instructions.h"
#include "lib/memory.h"
#include "lib/reference_time.h"
#include "lib/smp.h"
#include "lib/start.h"
#include "lib/tap.h"
#include "lib/traps.h"

/* Neither RAM nor a device. */
#define HOLE       0x3F000000ull
#define PATTERN    0x5A
#define MARK       0x13579BDFu
#define MARK_INDEX 700 /* of 32-bit words: where nothing else is */

static uint8_t a[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
static uint8_t b[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

struct kind {
	const char *name;
	uint32_t msr;
	/* the guest may write to it and find that again */
	bool writable;
};

static const struct kind kinds[] = {
	{"hypercall page", HV_X64_MSR_HYPERCALL, false},
	{"reference TSC page", HV_X64_MSR_REFERENCE_TSC, false},
	{"message page", HV_X64_MSR_SIMP, true},
	{"event page", HV_X64_MSR_SIEFP, true},
	{"VP assist page", HV_X64_MSR_VP_ASSIST_PAGE, true},
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static volatile uint32_t *mark_in(const uint8_t *page)
{
	return (volatile uint32_t *)at((unsigned long)page) + MARK_INDEX;
}

static bool is_own(const uint8_t *page)
{
	return memory_is(page, PATTERN, PAGE_BYTES);
}

static void show(const struct kind *k, const void *page)
{
	wrmsr(k->msr, gpa_of(page) | HV_OVERLAY_ENABLE);
}

static void hide(const struct kind *k)
{
	wrmsr(k->msr, 0);
}

static void test_shown_and_hidden(const struct kind *k)
{
	show(k, a);
	check(!is_own(a), "%s: seen", k->name);
	hide(k);
	check(is_own(a), "%s: hidden, memory as it was", k->name);
	show(k, a);
	check(!is_own(a), "%s: seen again", k->name);
	hide(k);
}

static void test_moved(const struct kind *k)
{
	static uint8_t contents[64];

	show(k, a);
	memory_copy(contents, a, sizeof(contents));
	show(k, b);
	check(is_own(a), "%s: moved, the old place as it was", k->name);
	check(!is_own(b), "%s: moved, seen at the new one", k->name);
	/* The sequence of the TSC page may change: not its first word. */
	check(memory_equal(contents + 8, b + 8, sizeof(contents) - 8),
	      "%s: moved, contents are the same", k->name);
	hide(k);
	check(is_own(a) && is_own(b), "%s: gone", k->name);
}

static void test_contents_stay(const struct kind *k)
{
	if (!k->writable)
		return;
	show(k, a);
	*mark_in(a) = MARK;
	hide(k);
	check(is_own(a), "%s: writes do not reach the memory below", k->name);
	/* Memory that is written while nothing covers it. */
	*mark_in(b) = ~MARK;
	show(k, b);
	check_equal(*mark_in(b), MARK, "%s: what was written stays", k->name);
	*mark_in(b) = 0;
	hide(k);
	check_equal(*mark_in(b), (uint32_t)~MARK,
		    "%s: so does the memory below", k->name);
	memset(b, PATTERN, sizeof(b));
}

/* Over nothing: readable, and writable where it is elsewhere. */
static void test_hole(const struct kind *k)
{
	uint8_t *hole = at(HOLE);

	check(!memory_equal(hole, a, 16) && hole[0] == 0xFF,
	      "%s: there is nothing at the hole", k->name);
	show(k, a);
	show(k, hole);
	check(is_own(a), "%s: moved to the hole", k->name);
	if (k->writable) {
		*mark_in(hole) = MARK;
		check_equal(*mark_in(hole), MARK, "%s: memory in the hole",
			    k->name);
		*mark_in(hole) = 0;
	} else {
		check(hole[0] != 0xFF || hole[1] != 0xFF,
		      "%s: memory in the hole", k->name);
	}
	hide(k);
	check_equal(hole[0], 0xFF, "%s: nothing there again", k->name);
	show(k, a);
	check(!is_own(a), "%s: back from the hole", k->name);
	hide(k);
}

/* The newest is seen, and the one before it when that goes. */
static void test_two(const struct kind *lower, const struct kind *upper)
{
	show(lower, b);
	*mark_in(b) = 1;
	hide(lower);
	show(upper, b);
	*mark_in(b) = 2;
	hide(upper);

	show(lower, a);
	show(upper, a);
	check_equal(*mark_in(a), 2, "%s over %s: seen", upper->name,
		    lower->name);
	hide(upper);
	check_equal(*mark_in(a), 1, "%s over %s: gone", upper->name,
		    lower->name);
	show(upper, a);
	hide(lower);
	check_equal(*mark_in(a), 2, "%s over %s: the lower one gone",
		    upper->name, lower->name);
	hide(upper);
	check(is_own(a), "%s over %s: both gone", upper->name, lower->name);
}

/* The same page of two processors' is two pages. */
static void show_assist(void *arg)
{
	wrmsr(HV_X64_MSR_VP_ASSIST_PAGE, gpa_of(arg) | HV_OVERLAY_ENABLE);
}

static void hide_assist(void *arg)
{
	(void)arg;
	wrmsr(HV_X64_MSR_VP_ASSIST_PAGE, 0);
}

static void test_processors(void)
{
	if (!check(smp_start(), "all processors start") || smp_cpus() < 2)
		return;
	show_assist(a);
	smp_run(1, show_assist, b);
	*mark_in(a) = 3;
	check(*mark_in(b) != 3, "each processor has its own assist page");
	*mark_in(a) = 0;
	hide_assist(NULL);
	check(is_own(a), "one is hidden");
	check(!is_own(b), "the other is not");
	smp_run(1, hide_assist, NULL);
	check(is_own(b), "until it is");
}

/* The first word of the assist page must not stay from before. */
static void test_assist_word(void)
{
	volatile uint32_t *word = at((unsigned long)a);

	show(&kinds[4], a);
	check_equal(*word, 0, "VP assist page: first word is 0");
	*word = 0xFFFFFFFF;
	hide(&kinds[4]);
	show(&kinds[4], a);
	check_equal(*word, 0, "VP assist page: and again when it is enabled");
	hide(&kinds[4]);
}

void guest_main(void)
{
	memset(a, PATTERN, sizeof(a));
	memset(b, PATTERN, sizeof(b));
	wrmsr(HV_X64_MSR_GUEST_OS_ID, GUEST_OS_ID);
	for (unsigned int i = 0; i < N_KINDS; i++) {
		test_shown_and_hidden(&kinds[i]);
		test_moved(&kinds[i]);
		test_contents_stay(&kinds[i]);
		test_hole(&kinds[i]);
	}
	test_two(&kinds[2], &kinds[3]);
	test_two(&kinds[3], &kinds[4]);
	test_assist_word();
	test_processors();
}
