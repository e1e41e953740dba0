/* SPDX-License-Identifier: MIT */
/*
 * tlb-flush.c - flushes by hypercall: after it every processor sees the new
 * page, also one that never stops looking.
 *
 * In 32-bit guests, which have no paging, it is only what the calls return.
 */
#include "lib/clock.h"
#include "lib/hypercall.h"
#include "lib/instructions.h"
#include "lib/smp.h"
#include "lib/start.h"
#include "lib/tap.h"
#include "lib/traps.h"
#include "lib/window.h"

#define CPUS 4u

static uint8_t input[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

#ifdef __x86_64__

/* Pages whose first word is their number. */
static uint8_t pages[2][PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
static volatile uint32_t seen[CPUS];
static volatile bool stop_looking;

static uint32_t look(void)
{
	return *(volatile uint32_t *)at(WINDOW_BASE);
}

/* Keep the translation in use, until told otherwise. */
static void keep_looking(void *arg)
{
	(void)arg;
	while (!stop_looking)
		seen[this_cpu()->index] = look();
}

static void look_once(void *arg)
{
	*(uint32_t *)arg = look();
}

struct flush {
	const char *what;
	uint64_t code;
	/* address space, flags, mask or set, banks or addresses */
	uint64_t words[6];
	unsigned int n_var, n_reps;
	bool fast;
};

static hv_status_t do_flush(const struct flush *f)
{
	uint64_t control = f->code |
			   (uint64_t)f->n_var << HV_HYPERCALL_VARHEAD_OFFSET |
			   (uint64_t)f->n_reps << HV_HYPERCALL_REP_COMP_OFFSET;
	struct registers r;
	uint64_t result;

	if (!f->fast) {
		memory_copy(input, f->words, sizeof(f->words));
		result = hypercall_raw(HYPERCALL_NATIVE, control, gpa_of(input),
				       0, NULL);
	} else {
		memset(&r, 0, sizeof(r));
		hypercall_load(HYPERCALL_NATIVE, &r,
			       control | HV_HYPERCALL_FAST_BIT, f->words[0],
			       f->words[1]);
		memory_copy(r.xmm, &f->words[2], sizeof(uint64_t) * 4);
		hypercall_enter(HYPERCALL_NATIVE, &r);
		result = hypercall_result(HYPERCALL_NATIVE, &r);
	}
	check_equal(result_reps(result), result_status(result) ? 0 : f->n_reps,
		    "flush, %s: elements done", f->what);
	return result_status(result);
}

static void test_flush(const struct flush *f, unsigned int which)
{
	window_map(0, gpa_of(pages[which]));
	check_equal(do_flush(f), HV_STATUS_SUCCESS, "flush, %s", f->what);
	for (unsigned int i = 0; i < CPUS; i++) {
		uint32_t got = ~0u;

		if (i == 0)
			got = look();
		else if (i == CPUS - 1)
			wait_until((got = seen[i]) == which, SOON_MS);
		else
			smp_run(i, look_once, &got);
		check_equal(got, which, "flush, %s: processor %u", f->what, i);
	}
}

#define EVERYWHERE HV_FLUSH_ALL_PROCESSORS
#define EVERYTHING HV_FLUSH_ALL_VIRTUAL_ADDRESS_SPACES

/* words[0], the address space, is this one when it is used. */
static const struct flush flushes[] = {
	{"space, mask",
	 HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE,
	 {0, EVERYTHING, 0xF},
	 0,
	 0,
	 false},
	{"space, one address space",
	 HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE,
	 {0, 0, 0xF},
	 0,
	 0,
	 false},
	{"space, all",
	 HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE,
	 {0, EVERYWHERE | EVERYTHING, 0},
	 0,
	 0,
	 false},
	{"space, not global",
	 HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE,
	 {0, EVERYWHERE | HV_FLUSH_NON_GLOBAL_MAPPINGS_ONLY, 0},
	 0,
	 0,
	 false},
	{"space, fast",
	 HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE,
	 {0, EVERYTHING, 0xF},
	 0,
	 0,
	 true},
	{"list",
	 HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST,
	 {0, 0, 0xF, WINDOW_BASE},
	 0,
	 1,
	 false},
	{"list of three",
	 HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST,
	 {0, EVERYWHERE, 0, 0x1000, WINDOW_BASE | 5, 0x2000},
	 0,
	 3,
	 false},
	{"list, fast",
	 HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST,
	 {0, EVERYTHING, 0xF, WINDOW_BASE},
	 0,
	 1,
	 true},
	{"space, set",
	 HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX,
	 {0, EVERYTHING, HV_GENERIC_SET_SPARSE_4K, 1, 0xF},
	 1,
	 0,
	 false},
	{"space, set of all",
	 HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX,
	 {0, EVERYTHING, HV_GENERIC_SET_ALL, 0},
	 0,
	 0,
	 false},
	{"space, set, fast",
	 HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX,
	 {0, EVERYTHING, HV_GENERIC_SET_SPARSE_4K, 1, 0xF},
	 1,
	 0,
	 true},
	{"list, set",
	 HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX,
	 {0, 0, HV_GENERIC_SET_SPARSE_4K, 1, 0xF, WINDOW_BASE},
	 1,
	 1,
	 false},
	{"list, set, fast",
	 HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX,
	 {0, 0, HV_GENERIC_SET_SPARSE_4K, 1, 0xF, WINDOW_BASE},
	 1,
	 1,
	 true},
};

static void test_flushes(void)
{
	struct flush f;

	*(uint32_t *)(void *)pages[1] = 1;
	window_open();
	window_map(0, gpa_of(pages[0]));
	/* One of them never stops looking; the others look when asked. */
	smp_begin(CPUS - 1, keep_looking, NULL);
	for (unsigned int i = 0; i < sizeof(flushes) / sizeof(flushes[0]);
	     i++) {
		if (flushes[i].code >= HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX &&
		    !(cpuid(HYPERV_CPUID_ENLIGHTMENT_INFO, 0).eax &
		      HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED))
			continue;
		memory_copy(&f, &flushes[i], sizeof(f));
		f.words[0] = read_cr3();
		test_flush(&f, 1 - i % 2);
	}
	stop_looking = true;
	check(smp_finish(CPUS - 1), "the last processor stops looking");
}

/* A translation that is gone is gone: the next look is a fault. */
static void look_at_nothing(void *arg)
{
	struct registers r;
	/* mov (%rdi), %eax; ret */
	static const uint8_t code[] = {0x8B, 0x07, 0xC3};

	memset(&r, 0, sizeof(r));
	r.di = WINDOW_BASE;
	this_cpu()->caught_vector = NO_VECTOR;
	call_with_registers(&r, code);
	*(uint32_t *)arg = this_cpu()->caught_vector;
}

static void test_unmapped(void)
{
	uint32_t vector = 0;

	window_map(0, gpa_of(pages[0]));
	smp_run(1, look_at_nothing, &vector);
	check_equal(vector, NO_VECTOR, "a page that is mapped");
	window_unmap(0);
	check_equal(hypercall_rep(HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST, 0, 0,
				  input, NULL),
		    HV_STATUS_INVALID_HYPERCALL_INPUT, "a list of nothing");
	hypercall_fast(HVCALL_NOTIFY_LONG_SPIN_WAIT, 1, 0);
	memset(input, 0, sizeof(input));
	((struct hv_tlb_flush *)(void *)input)->flags =
		HV_FLUSH_ALL_PROCESSORS | HV_FLUSH_ALL_VIRTUAL_ADDRESS_SPACES;
	check_equal(hypercall(HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE, input, NULL),
		    HV_STATUS_SUCCESS, "flush after unmapping");
	smp_run(1, look_at_nothing, &vector);
	check_equal(vector, VECTOR_PF, "a page that is no more");
}

#endif

static void test_refused(void)
{
	struct hv_tlb_flush in = {.flags = 1ull << 4, .processor_mask = 1};

	memory_copy(input, &in, sizeof(in));
	check_equal(hypercall(HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE, input, NULL),
		    HV_STATUS_INVALID_PARAMETER, "flush refused: flag");
	in.flags = 0;
	in.processor_mask = 0;
	memory_copy(input, &in, sizeof(in));
	check_equal(hypercall(HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE, input, NULL),
		    HV_STATUS_SUCCESS, "flush of nobody");
	check_equal(hypercall_rep(HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST, 3, 1,
				  input, NULL),
		    3ull << 32, "flush of a list from 1 on");
}

void guest_main(void)
{
	hypercalls_enable();
	if (!check(smp_cpus() == CPUS && smp_start(), "all processors start"))
		return;
#ifdef __x86_64__
	test_flushes();
	test_unmapped();
#endif
	test_refused();
}
