/* SPDX-License-Identifier: MIT */
/*
 * hypercall.c - the forms of a call and the edges of each: what is in which
 * register, and which status a wrong one gets; for the guest's own mode, and
 * in 64-bit guests also for 32-bit code.
 */
#include "lib/hypercall.h"

#include "lib/clock.h"
#include "lib/cpu_area.h"
#include "lib/instructions.h"
#include "lib/start.h"
#include "lib/tap.h"
#include "lib/traps.h"

#define NO_CONNECTION 0x123456u
#define IPI_VECTOR    0x50
#define HOLE          0x3F000000ull
#define BEYOND_MEMORY 0x4000000000000000ull

static uint8_t input[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
static uint8_t output[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

static uint32_t features_ebx, features_edx, hints;

/* What is being tested: its mode, and how its lines begin. */
static enum hypercall_mode mode;
static const char *who;

static bool is_long(void)
{
#ifdef __x86_64__
	return mode == HYPERCALL_NATIVE;
#else
	return false;
#endif
}

static uint64_t call(uint64_t control, uint64_t in, uint64_t out)
{
	return hypercall_raw(mode, control, in, out, NULL);
}

static uint64_t reps(uint64_t count, uint64_t start)
{
	return count << HV_HYPERCALL_REP_COMP_OFFSET |
	       start << HV_HYPERCALL_REP_START_OFFSET;
}

/* --- registers ----------------------------------------------------------- */

static void fill(struct registers *r)
{
	uint8_t *bytes = (uint8_t *)r;

	for (unsigned int i = 0; i < sizeof(*r); i++)
		bytes[i] = (uint8_t)(i * 13 + 5);
}

/* All but the result; the halves that the mode does not have are not seen. */
static bool preserved(const struct registers *before,
		      const struct registers *after)
{
	uint64_t mask = is_long() ? ~0ull : UINT32_MAX;

	return !((before->bx ^ after->bx) & mask) &&
	       !((before->cx ^ after->cx) & mask) &&
	       !((before->si ^ after->si) & mask) &&
	       !((before->di ^ after->di) & mask) &&
	       !((before->bp ^ after->bp) & mask) &&
	       (!is_long() || before->dx == after->dx) &&
	       memory_equal(before->r8_to_r15, after->r8_to_r15,
			    sizeof(before->r8_to_r15)) &&
	       memory_equal(before->xmm, after->xmm, sizeof(before->xmm));
}

static void test_registers(void)
{
	struct registers before, after;

	fill(&before);
	hypercall_load(mode, &before,
		       HVCALL_SIGNAL_EVENT | HV_HYPERCALL_FAST_BIT,
		       NO_CONNECTION, 0);
	after = before;
	hypercall_enter(mode, &after);
	check_equal(this_cpu()->caught_vector, NO_VECTOR, "%s: a call", who);
	check_equal(hypercall_result(mode, &after),
		    HV_STATUS_INVALID_CONNECTION_ID, "%s: its result", who);
	check(preserved(&before, &after), "%s: fast, registers are kept", who);

	fill(&before);
	memset(input, 0, sizeof(input));
	hypercall_load(mode, &before, HVCALL_SIGNAL_EVENT, gpa_of(input), 0);
	after = before;
	hypercall_enter(mode, &after);
	check_equal(hypercall_result(mode, &after),
		    HV_STATUS_INVALID_CONNECTION_ID, "%s: memory, result", who);
	check(preserved(&before, &after), "%s: memory, registers are kept",
	      who);
}

/* --- control words --------------------------------------------------------- */

static void test_control(void)
{
	static const struct {
		const char *what;
		uint64_t control;
		uint16_t status;
	} words[] = {
		{"code 0", 0, HV_STATUS_INVALID_HYPERCALL_CODE},
		{"code 0xFFFF", 0xFFFF, HV_STATUS_INVALID_HYPERCALL_CODE},
		{"unknown extended call", 0x8FFF,
		 HV_STATUS_INVALID_HYPERCALL_CODE},
		{"unknown code with everything wrong", 0xFFFFFFFFFFFFFFFFull,
		 HV_STATUS_INVALID_HYPERCALL_CODE},
		{"reserved bit 27", HVCALL_SIGNAL_EVENT | 1ull << 27,
		 HV_STATUS_INVALID_HYPERCALL_INPUT},
		{"reserved bit 30", HVCALL_SIGNAL_EVENT | 1ull << 30,
		 HV_STATUS_INVALID_HYPERCALL_INPUT},
		{"nested", HVCALL_SIGNAL_EVENT | HV_HYPERCALL_NESTED,
		 HV_STATUS_INVALID_HYPERCALL_INPUT},
		{"reserved bit 44", HVCALL_SIGNAL_EVENT | 1ull << 44,
		 HV_STATUS_INVALID_HYPERCALL_INPUT},
		{"reserved bit 47", HVCALL_SIGNAL_EVENT | 1ull << 47,
		 HV_STATUS_INVALID_HYPERCALL_INPUT},
		{"reserved bit 60", HVCALL_SIGNAL_EVENT | 1ull << 60,
		 HV_STATUS_INVALID_HYPERCALL_INPUT},
		{"reserved bit 63", HVCALL_SIGNAL_EVENT | 1ull << 63,
		 HV_STATUS_INVALID_HYPERCALL_INPUT},
		{"reserved bit, fast",
		 HVCALL_SIGNAL_EVENT | HV_HYPERCALL_FAST_BIT | 1ull << 60,
		 HV_STATUS_INVALID_HYPERCALL_INPUT},
		{"rep count of a simple call",
		 HVCALL_SIGNAL_EVENT | 1ull << HV_HYPERCALL_REP_COMP_OFFSET,
		 HV_STATUS_INVALID_HYPERCALL_INPUT},
		{"rep start of a simple call",
		 HVCALL_SIGNAL_EVENT | 1ull << HV_HYPERCALL_REP_START_OFFSET,
		 HV_STATUS_INVALID_HYPERCALL_INPUT},
		{"variable header of a call without",
		 HVCALL_SIGNAL_EVENT | 1ull << HV_HYPERCALL_VARHEAD_OFFSET,
		 HV_STATUS_INVALID_HYPERCALL_INPUT},
		{"rep count 0 of a rep call", HVCALL_GET_VP_INDEX_FROM_APIC_ID,
		 HV_STATUS_INVALID_HYPERCALL_INPUT},
		{"rep start at the count",
		 HVCALL_GET_VP_INDEX_FROM_APIC_ID |
			 2ull << HV_HYPERCALL_REP_COMP_OFFSET |
			 2ull << HV_HYPERCALL_REP_START_OFFSET,
		 HV_STATUS_INVALID_HYPERCALL_INPUT},
		{"rep start past the count",
		 HVCALL_GET_VP_INDEX_FROM_APIC_ID |
			 2ull << HV_HYPERCALL_REP_COMP_OFFSET |
			 0xFFFull << HV_HYPERCALL_REP_START_OFFSET,
		 HV_STATUS_INVALID_HYPERCALL_INPUT},
		{"fast, too big for all registers",
		 HVCALL_POST_MESSAGE | HV_HYPERCALL_FAST_BIT,
		 HV_STATUS_INVALID_HYPERCALL_INPUT},
		{"no right to it", HVCALL_GET_PARTITION_ID,
		 HV_STATUS_ACCESS_DENIED},
	};

	memset(input, 0, sizeof(input));
	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		check_equal(
			call(words[i].control, gpa_of(input), gpa_of(output)),
			words[i].status, "%s: %s", who, words[i].what);
}

/* --- addresses ---------------------------------------------------------- */

static void test_addresses(void)
{
	const uint64_t in = gpa_of(input), out = gpa_of(output);
	const uint64_t reps2 = HVCALL_GET_VP_INDEX_FROM_APIC_ID | reps(2, 0);
	/* What a list of input needs here: 8, and 16 + 2 * 4 bytes. */
	const struct {
		const char *what;
		uint64_t control, in, out;
		uint16_t status;
	} calls[] = {
		{"input not aligned", HVCALL_SIGNAL_EVENT, in + 4, 0,
		 HV_STATUS_INVALID_ALIGNMENT},
		{"input not aligned by 1", HVCALL_SIGNAL_EVENT, in + 1, 0,
		 HV_STATUS_INVALID_ALIGNMENT},
		{"input up to the end of a page", HVCALL_SIGNAL_EVENT,
		 in + PAGE_BYTES - 8, 0, HV_STATUS_INVALID_CONNECTION_ID},
		{"message up to the end of a page", HVCALL_POST_MESSAGE,
		 in + PAGE_BYTES - 256, 0, HV_STATUS_INVALID_PARAMETER},
		{"input over the end of a page", HVCALL_POST_MESSAGE,
		 in + PAGE_BYTES - 248, 0, HV_STATUS_INVALID_ALIGNMENT},
		{"rep input over the end of a page", reps2,
		 in + PAGE_BYTES - 16, out, HV_STATUS_INVALID_ALIGNMENT},
		{"input outside of RAM", HVCALL_SIGNAL_EVENT, HOLE, 0,
		 HV_STATUS_INVALID_ALIGNMENT},
		{"input outside of memory", HVCALL_SIGNAL_EVENT, BEYOND_MEMORY,
		 0, HV_STATUS_INVALID_ALIGNMENT},
		{"input at the end of 64 bits", HVCALL_SIGNAL_EVENT, ~7ull, 0,
		 HV_STATUS_INVALID_ALIGNMENT},
		{"an output that is not used", HVCALL_SIGNAL_EVENT, in, 3,
		 HV_STATUS_INVALID_CONNECTION_ID},
		{"output not aligned", reps2, in, out + 4,
		 HV_STATUS_INVALID_ALIGNMENT},
		{"output over the end of a page",
		 HVCALL_GET_VP_INDEX_FROM_APIC_ID | reps(3, 0), in,
		 out + PAGE_BYTES - 8, HV_STATUS_INVALID_ALIGNMENT},
		{"output up to the end of a page", reps2, in,
		 out + PAGE_BYTES - 8, HV_STATUS_INVALID_PARTITION_ID},
		{"output outside of RAM", reps2, in, HOLE,
		 HV_STATUS_INVALID_ALIGNMENT},
		{"output outside of memory", reps2, in, BEYOND_MEMORY,
		 HV_STATUS_INVALID_ALIGNMENT},
	};

	memset(input, 0, sizeof(input));
	for (unsigned int i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		check_equal(call(calls[i].control, calls[i].in, calls[i].out),
			    calls[i].status, "%s: %s", who, calls[i].what);
}

/* --- rep calls ------------------------------------------------------------- */

static uint32_t *apic_ids(void)
{
	struct hv_get_vp_from_apic_id_in *in = (void *)input;

	memset(input, 0, sizeof(input));
	memset(output, 0xAA, sizeof(output));
	in->partition_id = HV_PARTITION_ID_SELF;
	return (uint32_t *)(void *)(in + 1);
}

static void test_rep(void)
{
	const uint32_t *results = (const uint32_t *)(void *)output;
	uint32_t *ids = apic_ids();
	uint64_t code = HVCALL_GET_VP_INDEX_FROM_APIC_ID;
	uint64_t result;

	ids[0] = 1;
	ids[1] = 0;
	result = call(code | reps(2, 0), gpa_of(input), gpa_of(output));
	check_equal(result, 2ull << 32, "%s: rep call", who);
	check(results[0] == 1 && results[1] == 0, "%s: rep output", who);
	check_equal(results[2], 0xAAAAAAAA, "%s: rep output, no more", who);

	ids = apic_ids();
	ids[0] = 77;
	ids[1] = 1;
	result = call(code | reps(2, 1), gpa_of(input), gpa_of(output));
	check_equal(result, 2ull << 32, "%s: rep call from 1 on", who);
	check_equal(results[0], 0xAAAAAAAA, "%s: rep output before the start",
		    who);
	check_equal(results[1], 1, "%s: rep output at the start", who);

	ids = apic_ids();
	ids[0] = 1;
	ids[1] = 77;
	result = call(code | reps(3, 0), gpa_of(input), gpa_of(output));
	check_equal(result, 1ull << 32 | HV_STATUS_INVALID_PARAMETER,
		    "%s: rep call that fails at 1", who);
	check(results[0] == 1 && results[1] == 0xAAAAAAAA,
	      "%s: rep output of what was done", who);
}

/* --- variable header, XMM ---------------------------------------------------- */

struct ipi_to_set {
	struct hv_send_ipi_ex header;
	uint64_t bank;
	uint64_t unused[3];
};

static void make_ipi(struct ipi_to_set *ipi)
{
	memset(ipi, 0, sizeof(*ipi));
	ipi->header.vector = IPI_VECTOR;
	ipi->header.vp_set.format = HV_GENERIC_SET_SPARSE_4K;
	ipi->header.vp_set.valid_bank_mask = 1;
	ipi->bank = 1;
}

static bool one_more(uint32_t before)
{
	return wait_until(interrupts_of(0, IPI_VECTOR) == before + 1, SOON_MS);
}

static void test_variable_header(void)
{
	uint32_t before = interrupts_of(0, IPI_VECTOR);
	uint64_t code = HVCALL_SEND_IPI_EX;

	if (!(hints & HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED)) {
		check_equal(call(code, gpa_of(input), 0),
			    HV_STATUS_INVALID_HYPERCALL_CODE,
			    "%s: a call that the profile lacks", who);
		return;
	}
	make_ipi((void *)input);
	check_equal(call(code | 1ull << HV_HYPERCALL_VARHEAD_OFFSET,
			 gpa_of(input), 0),
		    HV_STATUS_SUCCESS, "%s: variable header", who);
	check(one_more(before), "%s: variable header, what it did", who);
	check_equal(call(code, gpa_of(input), 0),
		    HV_STATUS_INVALID_HYPERCALL_INPUT,
		    "%s: variable header missing", who);
	check_equal(call(code | 2ull << HV_HYPERCALL_VARHEAD_OFFSET,
			 gpa_of(input), 0),
		    HV_STATUS_INVALID_HYPERCALL_INPUT,
		    "%s: variable header too long", who);
	check_equal(call(code | 0x3FFull << HV_HYPERCALL_VARHEAD_OFFSET,
			 gpa_of(input), 0),
		    HV_STATUS_INVALID_ALIGNMENT,
		    "%s: variable header beyond the page", who);
}

static void test_xmm_input(void)
{
	uint32_t before = interrupts_of(0, IPI_VECTOR);
	uint64_t control = HVCALL_SEND_IPI_EX | HV_HYPERCALL_FAST_BIT |
			   1ull << HV_HYPERCALL_VARHEAD_OFFSET;
	struct registers r, kept;
	struct ipi_to_set ipi;
	uint64_t words[6];

	if (!(hints & HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED))
		return;
	make_ipi(&ipi);
	memory_copy(words, &ipi, sizeof(words));
	fill(&r);
	hypercall_load(mode, &r, control, words[0], words[1]);
	memory_copy(r.xmm[0], &words[2], 16);
	kept = r;
	hypercall_enter(mode, &r);
	check_equal(this_cpu()->caught_vector, NO_VECTOR, "%s: XMM input", who);
	check_equal(hypercall_result(mode, &r), HV_STATUS_SUCCESS,
		    "%s: XMM input, result", who);
	check(preserved(&kept, &r), "%s: XMM input, registers are kept", who);
	check(one_more(before), "%s: XMM input, what it did", who);
}

/* Fast output follows the input, in the next pair of registers. */
static void test_xmm_output(void)
{
	uint64_t control = HVCALL_GET_VP_INDEX_FROM_APIC_ID |
			   HV_HYPERCALL_FAST_BIT | reps(2, 0);
	const uint32_t ids[4] = {1, 0, 0, 0};
	const uint32_t want[2] = {1, 0};
	struct registers r, kept;

	fill(&r);
	hypercall_load(mode, &r, control, HV_PARTITION_ID_SELF, 0);
	memory_copy(r.xmm[0], ids, 16);
	kept = r;
	hypercall_enter(mode, &r);
	if (!is_long()) {
		check_equal(hypercall_result(mode, &r),
			    HV_STATUS_INVALID_HYPERCALL_INPUT,
			    "%s: fast output is for 64-bit callers", who);
		return;
	}
	if (!(features_edx & HV_X64_HYPERCALL_XMM_OUTPUT_AVAILABLE)) {
		check_equal(this_cpu()->caught_vector, VECTOR_UD,
			    "%s: fast output that the profile lacks", who);
		check(preserved(&kept, &r), "%s: with all registers as before",
		      who);
		return;
	}
	check_equal(hypercall_result(mode, &r), 2ull << 32,
		    "%s: fast output, result", who);
	check(memory_equal(r.xmm[1], want, sizeof(want)),
	      "%s: fast output, in XMM1", who);
	memory_copy(kept.xmm[1], want, sizeof(want));
	check(preserved(&kept, &r), "%s: fast output, the rest is kept", who);
}

/* Without input the output begins in the first pair. */
static void test_register_output(void)
{
	uint64_t capabilities;
	struct registers r;

	memset(output, 0xAA, sizeof(output));
	if (!(features_ebx & HV_ENABLE_EXTENDED_HYPERCALLS)) {
		check_equal(
			call(HV_EXT_CALL_QUERY_CAPABILITIES, 0, gpa_of(output)),
			HV_STATUS_ACCESS_DENIED,
			"%s: an extended call without the right", who);
		return;
	}
	check_equal(call(HV_EXT_CALL_QUERY_CAPABILITIES, 0, gpa_of(output)),
		    HV_STATUS_SUCCESS, "%s: output only", who);
	memory_copy(&capabilities, output, sizeof(capabilities));
	check_equal(output[8], 0xAA, "%s: output only, no more", who);
	if (!is_long() ||
	    !(features_edx & HV_X64_HYPERCALL_XMM_OUTPUT_AVAILABLE))
		return;
	check_equal(hypercall_raw(mode,
				  HV_EXT_CALL_QUERY_CAPABILITIES |
					  HV_HYPERCALL_FAST_BIT,
				  0, 0, &r),
		    HV_STATUS_SUCCESS, "%s: fast output only", who);
	check_equal(r.dx, capabilities, "%s: fast output in RDX", who);
}

/* --- from where it may not be called ------------------------------------------ */

static void test_disabled(void)
{
	static uint8_t copy[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
	struct registers r;

	memory_copy(copy, hypercall_page, sizeof(copy));
	hypercalls_disable();
	check(memory_is(hypercall_page, 0, sizeof(hypercall_page)),
	      "disabled: the page is gone");
	memset(&r, 0, sizeof(r));
	hypercall_load(mode, &r, HVCALL_SIGNAL_EVENT | HV_HYPERCALL_FAST_BIT,
		       NO_CONNECTION, 0);
	this_cpu()->caught_vector = NO_VECTOR;
	call_with_registers(&r, copy);
	check_equal(this_cpu()->caught_vector, VECTOR_UD,
		    "disabled: its code is #UD");
	hypercalls_enable();
	check(memory_equal(copy, hypercall_page, sizeof(copy)),
	      "enabled again: the page is back");
}

#ifdef __x86_64__

#define FLAGS_IOPL 0x3000u

/*
 * The page's code is a port write: without I/O privilege the processor
 * itself refuses it with #GP; with it we do with #UD, unless this KVM runs
 * CPL 3 on the processor with no privilege of its own.
 */
static void test_user(void)
{
	static uint8_t stack[PAGE_BYTES] __attribute__((aligned(16)));
	const struct cpu *cpu = this_cpu();

	interrupts_off();
	for (unsigned int i = 0; i < 4; i++) {
		bool iopl = i & 1;
		bool compatibility = i & 2;

		enter_user_mode(hypercall_page, stack + sizeof(stack),
				2 | (iopl ? FLAGS_IOPL : 0),
				compatibility ? SELECTOR_USER_CODE32
					      : SELECTOR_USER_CODE64);
		check(cpu->caught_ip != (unsigned long)user_mode_end &&
			      (cpu->caught_vector == VECTOR_GP ||
			       (iopl && cpu->caught_vector == VECTOR_UD)),
		      "%s-bit code at CPL 3%s: refused, by exception %u",
		      compatibility ? "32" : "64",
		      iopl ? " with I/O privilege" : "", cpu->caught_vector);
	}
	interrupts_on();
}

#endif

static void test_mode(enum hypercall_mode which, const char *name)
{
	mode = which;
	who = name;
	test_registers();
	test_control();
	test_addresses();
	test_rep();
	test_variable_header();
	test_xmm_input();
	test_xmm_output();
	test_register_output();
}

#ifdef __x86_64__
/* Old laptops have a port for delays (Linux "io_delay=0xed"). */
static void test_delay(void)
{
	uint64_t ax = 0x1122334455667788, cx = 0xFFFF;

	asm volatile("outb %%al, $0xED" : "+a"(ax), "+c"(cx));
	check_equal(ax, 0x1122334455667788, "a byte to 0xED is no call");
}
#endif

void guest_main(void)
{
	features_ebx = cpuid(HYPERV_CPUID_FEATURES, 0).ebx;
	features_edx = cpuid(HYPERV_CPUID_FEATURES, 0).edx;
	hints = cpuid(HYPERV_CPUID_ENLIGHTMENT_INFO, 0).eax;
	hypercalls_enable();
#ifdef __x86_64__
	test_mode(HYPERCALL_NATIVE, "64-bit");
	test_mode(HYPERCALL_COMPATIBILITY, "compatibility");
	mode = HYPERCALL_NATIVE;
	test_user();
	test_delay();
#else
	test_mode(HYPERCALL_NATIVE, "32-bit");
#endif
	test_disabled();
}
