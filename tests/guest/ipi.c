/* SPDX-License-Identifier: MIT */
/*
 * ipi.c - interrupts by hypercall: exactly the named processors get one.
 */
#include "lib/clock.h"
#include "lib/hypercall.h"
#include "lib/instructions.h"
#include "lib/smp.h"
#include "lib/start.h"
#include "lib/tap.h"
#include "lib/traps.h"

#define IPI_VECTOR 0x50
#define CPUS       4u

static uint8_t input[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

static uint32_t counted[CPUS];

static void count_from_here(void)
{
	for (unsigned int i = 0; i < CPUS; i++)
		counted[i] = interrupts_of(i, IPI_VECTOR);
}

/* Each of @wanted has had one more interrupt, nobody else any. */
static bool exactly(uint32_t wanted)
{
	for (unsigned int i = 0; i < CPUS; i++) {
		if (wanted >> i & 1 &&
		    !wait_until(interrupts_of(i, IPI_VECTOR) == counted[i] + 1,
				SOON_MS))
			return false;
	}
	clock_wait_ms(QUIET_MS);
	for (unsigned int i = 0; i < CPUS; i++) {
		if (interrupts_of(i, IPI_VECTOR) !=
		    counted[i] + (wanted >> i & 1))
			return false;
	}
	return true;
}

static hv_status_t send_memory(uint64_t mask)
{
	struct hv_send_ipi in = {.vector = IPI_VECTOR, .cpu_mask = mask};

	memory_copy(input, &in, sizeof(in));
	return hypercall(HVCALL_SEND_IPI, input, NULL);
}

static void test_masks(void)
{
	for (uint32_t mask = 1; mask < 1u << CPUS; mask += 2) {
		count_from_here();
		check_equal(hypercall_fast(HVCALL_SEND_IPI, IPI_VECTOR, mask),
			    HV_STATUS_SUCCESS, "IPI to 0x%x, fast", mask);
		check(exactly(mask), "IPI to 0x%x, fast: arrives", mask);
		count_from_here();
		check_equal(send_memory(mask - 1), HV_STATUS_SUCCESS,
			    "IPI to 0x%x, memory", mask - 1);
		check(exactly(mask - 1), "IPI to 0x%x, memory: arrives",
		      mask - 1);
	}
	count_from_here();
	check_equal(send_memory(~0ull << CPUS | 2), HV_STATUS_SUCCESS,
		    "IPI to processors that are not there");
	check(exactly(2), "reaches the one that is");
}

static void test_refused_ipis(void)
{
	static const struct {
		const char *what;
		uint64_t first;
	} refused[] = {
		{"vector 0", 0},
		{"vector 15", 15},
		{"vector 256", 256},
		{"a vector of 32 bits", 0xFFFFFF50},
		{"another VTL", (uint64_t)0x11 << 32 | IPI_VECTOR},
	};

	count_from_here();
	for (unsigned int i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		check(hypercall_fast(HVCALL_SEND_IPI, refused[i].first, 0xF) !=
			      HV_STATUS_SUCCESS,
		      "IPI refused: %s", refused[i].what);
	check(exactly(0), "nobody has got one");
}

static hv_status_t send_to_set(uint64_t format, uint64_t valid,
			       const uint64_t *banks, unsigned int n)
{
	struct hv_send_ipi_ex in = {.vector = IPI_VECTOR,
				    .vp_set = {format, valid}};
	uint64_t control =
		HVCALL_SEND_IPI_EX | (uint64_t)n << HV_HYPERCALL_VARHEAD_OFFSET;

	memory_copy(input, &in, sizeof(in));
	memory_copy(input + sizeof(in), banks, n * sizeof(*banks));
	return result_status(hypercall_raw(HYPERCALL_NATIVE, control,
					   gpa_of(input), 0, NULL));
}

static void test_sets(void)
{
	static const struct {
		const char *what;
		uint64_t format, valid;
		uint64_t banks[3];
		unsigned int n;
		hv_status_t status;
		uint32_t wanted;
	} sets[] = {
		{"one", HV_GENERIC_SET_SPARSE_4K, 1, {4}, 1, 0, 4},
		{"all but one", HV_GENERIC_SET_SPARSE_4K, 1, {0xB}, 1, 0, 0xB},
		{"all", HV_GENERIC_SET_ALL, 0, {0}, 0, 0, 0xF},
		{"all, banks given", HV_GENERIC_SET_ALL, 1, {1}, 1, 0, 0xF},
		{"none", HV_GENERIC_SET_SPARSE_4K, 0, {0}, 0, 0, 0},
		{"an empty bank", HV_GENERIC_SET_SPARSE_4K, 1, {0}, 1, 0, 0},
		{"banks beyond",
		 HV_GENERIC_SET_SPARSE_4K,
		 0x8000000000000003,
		 {2, ~0ull, ~0ull},
		 3,
		 0,
		 2},
		{"a bank that is missing",
		 HV_GENERIC_SET_SPARSE_4K,
		 3,
		 {0xF},
		 1,
		 HV_STATUS_INVALID_HYPERCALL_INPUT,
		 0},
		{"a bank too many",
		 HV_GENERIC_SET_SPARSE_4K,
		 1,
		 {0xF, 0xF},
		 2,
		 HV_STATUS_INVALID_HYPERCALL_INPUT,
		 0},
		{"an unknown format",
		 2,
		 1,
		 {0xF},
		 1,
		 HV_STATUS_INVALID_PARAMETER,
		 0},
	};

	for (unsigned int i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		count_from_here();
		check_equal(send_to_set(sets[i].format, sets[i].valid,
					sets[i].banks, sets[i].n),
			    sets[i].status, "IPI to a set: %s", sets[i].what);
		check(exactly(sets[i].wanted), "IPI to a set: %s: arrives",
		      sets[i].what);
	}
}

/* A processor that sends to another. */
static void send_to_first(void *arg)
{
	*(hv_status_t *)arg = hypercall_fast(HVCALL_SEND_IPI, IPI_VECTOR, 1);
}

static void test_from_others(void)
{
	for (unsigned int i = 1; i < CPUS; i++) {
		hv_status_t status = 0xFFFF;

		count_from_here();
		check(smp_run(i, send_to_first, &status) && !status,
		      "processor %u sends", i);
		check(exactly(1), "processor %u: arrives", i);
	}
}

static void test_spin_wait(void)
{
	uint64_t retries = 0x1000;

	check_equal(hypercall_fast(HVCALL_NOTIFY_LONG_SPIN_WAIT, retries, 0),
		    HV_STATUS_SUCCESS, "long spin wait, fast");
	memory_copy(input, &retries, sizeof(retries));
	check_equal(hypercall(HVCALL_NOTIFY_LONG_SPIN_WAIT, input, NULL),
		    HV_STATUS_SUCCESS, "long spin wait, memory");
}

void guest_main(void)
{
	uint32_t hints = cpuid(HYPERV_CPUID_ENLIGHTMENT_INFO, 0).eax;

	hypercalls_enable();
	if (!check(smp_cpus() == CPUS && smp_start(), "all processors start"))
		return;
	test_masks();
	test_refused_ipis();
	if (hints & HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED)
		test_sets();
	test_from_others();
	test_spin_wait();
}
