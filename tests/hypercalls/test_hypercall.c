/* SPDX-License-Identifier: MIT */
/*
 * The calling conventions: what holds for every call, tried with calls whose
 * effects are easy to see.
 */
#include "hypercalls/hypercall.h"

#include <glib.h>

#include "base/coverage.h"
#include "support/hc_guest.h"

#define FLUSH  HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE
#define LIST   HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST
#define SPIN   HVCALL_NOTIFY_LONG_SPIN_WAIT
#define IPI    HVCALL_SEND_IPI
#define IPI_EX HVCALL_SEND_IPI_EX
#define GET    HVCALL_GET_VP_REGISTERS
#define APIC   HVCALL_GET_VP_INDEX_FROM_APIC_ID
#define QUERY  HV_EXT_CALL_QUERY_CAPABILITIES
#define BAD    HV_STATUS_INVALID_HYPERCALL_INPUT

/* A register call for VP 7: header and four names. */
static void put_get_registers(uint64_t gpa)
{
	struct hv_vp_register_header header = {
		.partition_id = HV_PARTITION_ID_SELF,
		.vp_index = 7,
	};
	uint32_t names[4] = {HC_REG_READ_ONLY, HC_REG_SCRATCH, HC_REG_READ_ONLY,
			     HC_REG_SCRATCH};

	hc.scratch = (struct hv_register_value){0x1111, 0x2222};
	hc_put(gpa, &header, sizeof(header));
	hc_put(gpa + sizeof(header), names, sizeof(names));
}

/* --- step 1: mode ------------------------------------------------------ */

START_TEST(only_ring_0_of_protected_mode)
{
	struct hypercall_regs regs = hc_regs64(SPIN | HC_FAST, 0, 0);

	for (unsigned int cpl = 1; cpl <= 3; cpl++)
		ck_assert_int_eq(
			hypercalls_call(hc.calls, 0, &regs, true, cpl, true),
			HYPERCALL_UD);
	ck_assert_int_eq(hypercalls_call(hc.calls, 0, &regs, false, 0, false),
			 HYPERCALL_UD);
	ck_assert_uint_eq(hc.yields, 0);
	ck_assert_uint_eq(regs.rax, 0xA0A0A0A0A0A0A0A0);
}
END_TEST

/* --- step 2: the control word ------------------------------------------ */

START_TEST(unknown_code)
{
	ck_assert_uint_eq(hc_call(0, 0, 0), HV_STATUS_INVALID_HYPERCALL_CODE);
	ck_assert_uint_eq(hc_call(0x7FFF | HC_FAST, 0, 0),
			  HV_STATUS_INVALID_HYPERCALL_CODE);
	ck_assert_uint_eq(hc_call(0xFFFF | HC_REPS(1), 0, 0),
			  HV_STATUS_INVALID_HYPERCALL_CODE);
	ck_assert_uint_eq(hypercalls_coverage(hc.calls)->unknown, 3);
}
END_TEST

START_TEST(known_but_not_implemented)
{
	ck_assert_uint_eq(hc_call(HVCALL_RETARGET_INTERRUPT, HC_IN, 0),
			  HV_STATUS_INVALID_HYPERCALL_CODE);
	ck_assert_uint_eq(hc_call(HVCALL_MMIO_READ, HC_IN, HC_OUT),
			  HV_STATUS_INVALID_HYPERCALL_CODE);
	ck_assert_uint_eq(hypercalls_coverage(hc.calls)->unknown, 0);
}
END_TEST

static const struct {
	const char *what;
	uint64_t control;
	hv_status_t status;
} words[] = {
	{"plain", FLUSH, 0},
	{"reserved bit 27", FLUSH | 1ull << 27, BAD},
	{"reserved bit 30", FLUSH | 1ull << 30, BAD},
	{"nested", FLUSH | 1ull << 31, BAD},
	{"reserved bit 44", FLUSH | 1ull << 44, BAD},
	{"reserved bit 47", FLUSH | 1ull << 47, BAD},
	{"reserved bit 60", FLUSH | 1ull << 60, BAD},
	{"reserved bit 63", FLUSH | 1ull << 63, BAD},
	{"variable header of a fixed call", FLUSH | HC_VAR(1), BAD},
	{"rep count of a simple call", FLUSH | HC_REPS(1), BAD},
	{"rep start of a simple call", FLUSH | HC_START(1), BAD},
	{"rep call", LIST | HC_REPS(2), 0},
	{"rep call from the second on", LIST | HC_REPS(2) | HC_START(1), 0},
	{"rep count 0", LIST, BAD},
	{"rep start is the count", LIST | HC_REPS(2) | HC_START(2), BAD},
	{"rep start past the count", LIST | HC_REPS(2) | HC_START(3), BAD},
	{"variable header of a fixed rep call", LIST | HC_REPS(1) | HC_VAR(1),
	 BAD},
};

START_TEST(control_word)
{
	struct hv_tlb_flush in = {.flags = HV_FLUSH_ALL_PROCESSORS};
	uint64_t result;

	hc_put(HC_IN, &in, sizeof(in));
	result = hc_call(words[_i].control, HC_IN, 0);
	ck_assert_msg((hv_status_t)result == words[_i].status, "%s: 0x%" PRIx64,
		      words[_i].what, result);
	ck_assert_uint_eq(hc.flushes, words[_i].status ? 0 : 1);
	result = hc_call32(words[_i].control, HC_IN, 0);
	ck_assert_msg((hv_status_t)result == words[_i].status,
		      "%s, 32 bit: 0x%" PRIx64, words[_i].what, result);
}
END_TEST

START_TEST(privilege_comes_before_form)
{
	hc.params.privileges = 0;
	hc_renew();
	ck_assert_uint_eq(hc_call(HVCALL_POST_MESSAGE | 1ull << 63, 1, 0),
			  HV_STATUS_ACCESS_DENIED);
	ck_assert_uint_eq(hc_call(GET | HC_FAST, 0, 0),
			  HV_STATUS_ACCESS_DENIED);
}
END_TEST

static const struct {
	uint16_t code;
	uint32_t ebx;
} rights[] = {
	{HVCALL_POST_MESSAGE, HV_POST_MESSAGES},
	{HVCALL_SIGNAL_EVENT, HV_SIGNAL_EVENTS},
	{HVCALL_GET_VP_REGISTERS, HV_ACCESS_VP_REGISTERS},
	{HVCALL_SET_VP_REGISTERS, HV_ACCESS_VP_REGISTERS},
	{HV_EXT_CALL_QUERY_CAPABILITIES, HV_ENABLE_EXTENDED_HYPERCALLS},
	{HV_EXT_CALL_GET_BOOT_ZEROED_MEMORY, HV_ENABLE_EXTENDED_HYPERCALLS},
	{HV_EXT_CALL_MEMORY_HEAT_HINT, HV_ENABLE_EXTENDED_HYPERCALLS},
	{HVCALL_GET_PARTITION_ID, HV_ACCESS_PARTITION_ID},
	{HVCALL_START_VP, HV_START_VIRTUAL_PROCESSOR},
};

START_TEST(each_privilege)
{
	hc.params.privileges = ~((uint64_t)rights[_i].ebx << 32);
	hc_renew();
	ck_assert_uint_eq(hc_call(rights[_i].code, 0, 0),
			  HV_STATUS_ACCESS_DENIED);
	/* No other privilege stands in for it, and it alone is enough. */
	hc.params.privileges = (uint64_t)rights[_i].ebx << 32;
	hc_renew();
	ck_assert_uint_ne((hv_status_t)hc_call(rights[_i].code, 0, 0),
			  HV_STATUS_ACCESS_DENIED);
}
END_TEST

START_TEST(ex_calls_need_the_hint)
{
	static const uint16_t codes[] = {HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX,
					 HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX,
					 HVCALL_SEND_IPI_EX};

	hc.params.hints = ~HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED;
	hc_renew();
	for (unsigned int i = 0; i < G_N_ELEMENTS(codes); i++)
		ck_assert_uint_eq(hc_call(codes[i], HC_IN, 0),
				  HV_STATUS_INVALID_HYPERCALL_CODE);
}
END_TEST

/* --- step 3: where the parameters are ----------------------------------- */

static const struct {
	const char *what;
	uint64_t gpa;
	hv_status_t status;
} places[] = {
	{"aligned", HC_IN + 8, 0},
	{"not aligned", HC_IN + 4, HV_STATUS_INVALID_ALIGNMENT},
	{"not aligned", HC_IN + 1, HV_STATUS_INVALID_ALIGNMENT},
	{"up to the end of the page", HC_IN + HC_PAGE - 24, 0},
	{"across the end of the page", HC_IN + HC_PAGE - 16,
	 HV_STATUS_INVALID_ALIGNMENT},
	{"last bytes of RAM", HC_RAM_PAGES *HC_PAGE - 24, 0},
	{"just past RAM", HC_RAM_PAGES *HC_PAGE, HV_STATUS_INVALID_ALIGNMENT},
	{"in the hole", 0xE0000000, HV_STATUS_INVALID_ALIGNMENT},
	{"no address at all", 0xFFFFFFFFFFFFFFF8, HV_STATUS_INVALID_ALIGNMENT},
};

START_TEST(input_place)
{
	hv_status_t status =
		(hv_status_t)hc_call(FLUSH, places[_i].gpa, 0xBAD1);

	/* The output pointer is ignored: there is no output. */
	ck_assert_msg(status == places[_i].status, "%s: %u", places[_i].what,
		      status);
	ck_assert_uint_eq((hv_status_t)hc_call32(FLUSH, places[_i].gpa, 0xBAD1),
			  places[_i].status);
}
END_TEST

static const struct {
	const char *what;
	uint64_t gpa;
	hv_status_t status;
} out_places[] = {
	{"aligned", HC_OUT + 8, 0},
	{"not aligned", HC_OUT + 4, HV_STATUS_INVALID_ALIGNMENT},
	{"up to the end of the page", HC_OUT + HC_PAGE - 64, 0},
	{"across the end of the page", HC_OUT + HC_PAGE - 56,
	 HV_STATUS_INVALID_ALIGNMENT},
	{"past RAM", HC_RAM_PAGES *HC_PAGE, HV_STATUS_INVALID_ALIGNMENT},
};

START_TEST(output_place)
{
	hv_status_t status;

	put_get_registers(HC_IN);
	status = (hv_status_t)hc_call(GET | HC_REPS(4), HC_IN,
				      out_places[_i].gpa);
	ck_assert_msg(status == out_places[_i].status, "%s: %u",
		      out_places[_i].what, status);
}
END_TEST

/* A call that fails for its output's place has done nothing. */
START_TEST(output_is_checked_before_acting)
{
	uint64_t before = hc_get64(HC_OUT);

	put_get_registers(HC_IN);
	ck_assert_uint_eq(hc_call(GET | HC_REPS(4), HC_IN, HC_OUT + 1),
			  HV_STATUS_INVALID_ALIGNMENT);
	ck_assert_uint_eq(hc_get64(HC_OUT), before);
}
END_TEST

START_TEST(input_pointer_is_ignored_without_input)
{
	ck_assert_uint_eq(hc_call(QUERY, 0xBAD1, HC_OUT), HV_STATUS_SUCCESS);
	ck_assert_uint_ne(hc_get64(HC_OUT), 0);
}
END_TEST

START_TEST(input_and_output_in_one_place)
{
	struct hv_get_vp_from_apic_id_in in = {HV_PARTITION_ID_SELF, 0, {0}};
	uint32_t id = HC_APIC_ID(9);

	/* as Linux does: output over the header that was read */
	hc_put(HC_IN, &in, sizeof(in));
	hc_put(HC_IN + sizeof(in), &id, sizeof(id));
	ck_assert_uint_eq(hc_call(APIC | HC_REPS(1), HC_IN, HC_IN), HC_REPS(1));
	ck_assert_uint_eq((uint32_t)hc_get64(HC_IN), 9);
}
END_TEST

START_TEST(counts_that_do_not_fit_a_page)
{
	/* 509 addresses are the most: 24 + 509 * 8 = 4096 */
	ck_assert_uint_eq(hc_call(LIST | HC_REPS(509), HC_IN, 0), HC_REPS(509));
	ck_assert_uint_eq(hc_call(LIST | HC_REPS(510), HC_IN, 0),
			  HV_STATUS_INVALID_ALIGNMENT);
	ck_assert_uint_eq(hc_call(LIST | HC_REPS(4095), HC_IN, 0),
			  HV_STATUS_INVALID_ALIGNMENT);
	ck_assert_uint_eq(hc_call(IPI_EX | HC_VAR(1023), HC_IN, 0),
			  HV_STATUS_INVALID_ALIGNMENT);
	/* the input would fit, the output does not */
	ck_assert_uint_eq(hc_call(GET | HC_REPS(257), HC_IN, HC_OUT),
			  HV_STATUS_INVALID_ALIGNMENT);
}
END_TEST

/* --- conventions --------------------------------------------------------- */

START_TEST(other_registers_are_kept)
{
	struct hypercall_regs regs = hc_regs64(FLUSH, HC_IN, 0x77), was = regs;

	ck_assert_int_eq(hypercalls_call(hc.calls, hc.vp, &regs, true, 0, true),
			 HYPERCALL_DONE);
	was.rax = HV_STATUS_SUCCESS;
	ck_assert_mem_eq(&regs, &was, sizeof(was));

	regs = hc_regs32(FLUSH, HC_IN, 0x77);
	was = regs;
	ck_assert_int_eq(
		hypercalls_call(hc.calls, hc.vp, &regs, false, 0, true),
		HYPERCALL_DONE);
	was.rax = HV_STATUS_SUCCESS;
	was.rdx = 0;
	ck_assert_mem_eq(&regs, &was, sizeof(was));
}
END_TEST

START_TEST(fast_input_64)
{
	ck_assert_uint_eq(hc_call(IPI | HC_FAST, 0x41, 1ull << 63 | 2), 0);
	ck_assert_uint_eq(hc.vector, 0x41);
	ck_assert_uint_eq(hc.vps.words[0], 1ull << 63 | 2);
	/* 16 bytes are RDX and R8 */
	ck_assert_uint_eq(hc.xmm_reads, 0);
}
END_TEST

START_TEST(fast_input_32)
{
	ck_assert_uint_eq(hc_call32(IPI | HC_FAST, 0x42, 1ull << 63 | 4), 0);
	ck_assert_uint_eq(hc.vector, 0x42);
	ck_assert_uint_eq(hc.vps.words[0], 1ull << 63 | 4);
	ck_assert_uint_eq(hc.xmm_reads, 0);
}
END_TEST

START_TEST(memory_input_32)
{
	struct hv_send_ipi in = {.vector = 0x43, .cpu_mask = 8};

	hc_put(HC_IN, &in, sizeof(in));
	ck_assert_uint_eq(hc_call32(IPI, HC_IN, 0), 0);
	ck_assert_uint_eq(hc.vector, 0x43);
}
END_TEST

START_TEST(result_counts_reps_from_the_first)
{
	put_get_registers(HC_IN);
	ck_assert_uint_eq(
		hc_call(GET | HC_REPS(4) | HC_START(2), HC_IN, HC_OUT),
		HC_REPS(4));
	ck_assert_uint_eq(
		hc_call32(GET | HC_REPS(4) | HC_START(2), HC_IN, HC_OUT),
		HC_REPS(4));
}
END_TEST

START_TEST(reps_before_the_start_are_left_alone)
{
	uint8_t was[32], now[32];

	memset(was, 0x5A, sizeof(was));
	hc_put(HC_OUT, was, sizeof(was));
	put_get_registers(HC_IN);
	ck_assert_uint_eq(
		hc_call(GET | HC_REPS(4) | HC_START(2), HC_IN, HC_OUT),
		HC_REPS(4));
	hc_get(HC_OUT, now, sizeof(now));
	ck_assert_mem_eq(now, was, sizeof(was));
	ck_assert_uint_eq(hc_get64(HC_OUT + 32), 7);
	ck_assert_uint_eq(hc_get64(HC_OUT + 48), 0x1111);
	ck_assert_uint_eq(hc_get64(HC_OUT + 56), 0x2222);
}
END_TEST

START_TEST(reps_done_before_an_error_are_put_out)
{
	uint32_t bad = 0xBAD;
	uint64_t untouched = hc_get64(HC_OUT + 32);

	put_get_registers(HC_IN);
	hc_put(HC_IN + 16 + 8, &bad, sizeof(bad));
	ck_assert_uint_eq(hc_call(GET | HC_REPS(4), HC_IN, HC_OUT),
			  HC_REPS(2) | HV_STATUS_INVALID_PARAMETER);
	ck_assert_uint_eq(hc_get64(HC_OUT), 7);
	ck_assert_uint_eq(hc_get64(HC_OUT + 16), 0x1111);
	ck_assert_uint_eq(hc_get64(HC_OUT + 32), untouched);
}
END_TEST

/* --- XMM ------------------------------------------------------------------ */

START_TEST(xmm_input)
{
	struct hv_tlb_flush in = {.processor_mask = 0x30};

	/* RDX, R8: address space and flags; XMM0: the mask */
	memcpy(hc.xmm[0], &in.processor_mask, 8);
	memset(hc.xmm[0] + 8, 0xEE, 8);
	ck_assert_uint_eq(hc_call(FLUSH | HC_FAST, 0x1000, 0), 0);
	ck_assert_uint_eq(hc.vps.words[0], 0x30);
	ck_assert_uint_eq(hc_call32(FLUSH | HC_FAST, 0x1000, 0), 0);
	ck_assert_uint_eq(hc.flushes, 2);
	ck_assert_uint_eq(hc.xmm_reads, 2);
	ck_assert_uint_eq(hc.xmm_writes, 0);
}
END_TEST

START_TEST(xmm_input_rep_and_variable_header)
{
	uint64_t xmm[12] = {HV_GENERIC_SET_SPARSE_4K, 0x2, 0x3, 0x1000};

	/* header 32 bytes, one bank, one address: 48 bytes */
	memcpy(hc.xmm, xmm, sizeof(xmm));
	ck_assert_uint_eq(hc_call(HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX |
					  HC_FAST | HC_VAR(1) | HC_REPS(1),
				  0, 0),
			  HC_REPS(1));
	ck_assert_uint_eq(hc.vps.words[1], 3);
}
END_TEST

START_TEST(xmm_input_at_most_112_bytes)
{
	/* 24 bytes and 11 addresses are 112 */
	ck_assert_uint_eq(hc_call(LIST | HC_FAST | HC_REPS(11), 0, 0),
			  HC_REPS(11));
	ck_assert_uint_eq(hc_call(LIST | HC_FAST | HC_REPS(12), 0, 0), BAD);
	ck_assert_uint_eq(hc_call(LIST | HC_FAST | HC_REPS(4095), 0, 0), BAD);
	ck_assert_uint_eq(hc_call(HVCALL_POST_MESSAGE | HC_FAST, 1, 1), BAD);
}
END_TEST

START_TEST(xmm_input_is_ud_when_not_offered)
{
	hc.params.features_edx &= ~HV_X64_HYPERCALL_XMM_INPUT_AVAILABLE;
	hc_renew();
	ck_assert(hc_is_ud(FLUSH | HC_FAST, 0, 0));
	ck_assert_uint_eq(hc.flushes, 0);
	/* 16 bytes are not the XMM interface */
	ck_assert(!hc_is_ud(IPI | HC_FAST, 0x41, 1));
}
END_TEST

START_TEST(xmm_output_in_general_registers)
{
	struct hypercall_regs regs = hc_regs64(QUERY | HC_FAST, 1, 2);

	/* no input, so output begins at RDX */
	ck_assert_int_eq(hypercalls_call(hc.calls, hc.vp, &regs, true, 0, true),
			 HYPERCALL_DONE);
	ck_assert_uint_eq(regs.rax, 0);
	ck_assert_uint_eq(regs.rdx,
			  HV_EXT_CAPABILITY_GET_BOOT_ZEROED_MEMORY |
				  HV_EXT_CAPABILITY_MEMORY_COLD_DISCARD_HINT);
	ck_assert_uint_eq(hc.xmm_writes, 0);
}
END_TEST

START_TEST(xmm_output_follows_the_input)
{
	struct hypercall_regs regs =
		hc_regs64(GET | HC_FAST | HC_REPS(2), HV_PARTITION_ID_SELF, 11);
	uint32_t names[2] = {HC_REG_READ_ONLY, HC_REG_SCRATCH};
	uint64_t out[2];

	/* 16 bytes of header, 8 of names in XMM0; output from XMM1 on */
	hc.scratch = (struct hv_register_value){0x1111, 0x2222};
	memcpy(hc.xmm[0], names, sizeof(names));
	memset(hc.xmm[3], 0x33, 16);
	ck_assert_int_eq(hypercalls_call(hc.calls, hc.vp, &regs, true, 0, true),
			 HYPERCALL_DONE);
	ck_assert_uint_eq(regs.rax, HC_REPS(2));
	ck_assert_uint_eq(regs.rdx, HV_PARTITION_ID_SELF);
	ck_assert_uint_eq(regs.r8, 11);
	ck_assert_mem_eq(hc.xmm[0], names, sizeof(names));
	memcpy(out, hc.xmm[1], 16);
	ck_assert_uint_eq(out[0], 11);
	memcpy(out, hc.xmm[2], 16);
	ck_assert_uint_eq(out[0], 0x1111);
	ck_assert_uint_eq(out[1], 0x2222);
	ck_assert_uint_eq(hc.xmm[3][0], 0x33);
}
END_TEST

/* Elements before the start index share a register with those after it. */
START_TEST(xmm_output_from_the_middle)
{
	uint32_t ids[3] = {HC_APIC_ID(1), HC_APIC_ID(2), HC_APIC_ID(3)};
	uint32_t out[4] = {0xAAAA, 0xBBBB, 0xCCCC, 0xDDDD};

	memcpy(hc.xmm[0], ids, sizeof(ids));
	memcpy(hc.xmm[1], out, sizeof(out));
	ck_assert_uint_eq(hc_call(APIC | HC_FAST | HC_REPS(3) | HC_START(1),
				  HV_PARTITION_ID_SELF, 0),
			  HC_REPS(3));
	memcpy(out, hc.xmm[1], sizeof(out));
	ck_assert_uint_eq(out[0], 0xAAAA);
	ck_assert_uint_eq(out[1], 2);
	ck_assert_uint_eq(out[2], 3);
	ck_assert_uint_eq(out[3], 0xDDDD);
}
END_TEST

START_TEST(xmm_output_must_fit)
{
	/* 16 + 12 bytes in, 48 out: 2 + 3 registers of 7 */
	uint32_t names[4] = {HC_REG_READ_ONLY, HC_REG_READ_ONLY,
			     HC_REG_READ_ONLY, HC_REG_READ_ONLY};

	memcpy(hc.xmm[0], names, sizeof(names));
	ck_assert_uint_eq(
		hc_call(GET | HC_FAST | HC_REPS(4), HV_PARTITION_ID_SELF, 0),
		HC_REPS(4));
	/* 16 + 20 in, 80 out: 3 + 5 */
	ck_assert_uint_eq(
		hc_call(GET | HC_FAST | HC_REPS(5), HV_PARTITION_ID_SELF, 0),
		BAD);
	ck_assert_uint_eq(
		hc_call(HV_EXT_CALL_GET_BOOT_ZEROED_MEMORY | HC_FAST, 0, 0),
		BAD);
}
END_TEST

START_TEST(xmm_output_is_ud_when_not_offered)
{
	hc.params.features_edx &= ~HV_X64_HYPERCALL_XMM_OUTPUT_AVAILABLE;
	hc_renew();
	ck_assert(hc_is_ud(QUERY | HC_FAST, 0, 0));
	ck_assert(!hc_is_ud(QUERY, 0, HC_OUT));
}
END_TEST

START_TEST(xmm_output_is_for_64_bit_callers)
{
	ck_assert_uint_eq(hc_call32(QUERY | HC_FAST, 0, 0), BAD);
	ck_assert_uint_eq(hc_call32(QUERY, 0, HC_OUT), 0);
}
END_TEST

START_TEST(xmm_out_of_reach)
{
	hc.xmm_broken = true;
	ck_assert_uint_eq(hc_call(FLUSH | HC_FAST, 0, 0),
			  HV_STATUS_OPERATION_DENIED);
	ck_assert_uint_eq(hc.flushes, 0);
}
END_TEST

/* --- what the report reads -------------------------------------------------- */

START_TEST(coverage_counts_calls_and_statuses)
{
	const struct coverage_set *set = hypercalls_coverage(hc.calls);
	const struct coverage_entry *flush = NULL;

	for (unsigned int i = 0; i < set->n_entries; i++)
		if (set->entries[i].number == FLUSH)
			flush = &set->entries[i];
	ck_assert_ptr_nonnull(flush);
	ck_assert_str_eq(flush->name, "FlushVirtualAddressSpace");

	hc_call(FLUSH, HC_IN, 0);
	hc_call(FLUSH, HC_IN + 1, 0);
	hc_call(FLUSH, HC_IN + 1, 0);
	hc.params.features_edx = 0;
	ck_assert_uint_eq(flush->count, 3);
	ck_assert_uint_eq(flush->refused, 2);
	ck_assert_uint_eq(flush->statuses[0].status,
			  HV_STATUS_INVALID_ALIGNMENT);
	ck_assert_uint_eq(flush->statuses[0].count, 2);
}
END_TEST

static TCase *case_new(Suite *s, const char *name)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, hc_setup, hc_teardown);
	suite_add_tcase(s, t);
	return t;
}

int main(void)
{
	Suite *s = suite_create("hypercalls/hypercall");
	TCase *t = case_new(s, "control");

	tcase_add_test(t, only_ring_0_of_protected_mode);
	tcase_add_test(t, unknown_code);
	tcase_add_test(t, known_but_not_implemented);
	tcase_add_loop_test(t, control_word, 0, (int)G_N_ELEMENTS(words));
	tcase_add_test(t, privilege_comes_before_form);
	tcase_add_loop_test(t, each_privilege, 0, (int)G_N_ELEMENTS(rights));
	tcase_add_test(t, ex_calls_need_the_hint);

	t = case_new(s, "parameters");
	tcase_add_loop_test(t, input_place, 0, (int)G_N_ELEMENTS(places));
	tcase_add_loop_test(t, output_place, 0, (int)G_N_ELEMENTS(out_places));
	tcase_add_test(t, output_is_checked_before_acting);
	tcase_add_test(t, input_pointer_is_ignored_without_input);
	tcase_add_test(t, input_and_output_in_one_place);
	tcase_add_test(t, counts_that_do_not_fit_a_page);
	tcase_add_test(t, other_registers_are_kept);
	tcase_add_test(t, fast_input_64);
	tcase_add_test(t, fast_input_32);
	tcase_add_test(t, memory_input_32);
	tcase_add_test(t, result_counts_reps_from_the_first);
	tcase_add_test(t, reps_before_the_start_are_left_alone);
	tcase_add_test(t, reps_done_before_an_error_are_put_out);

	t = case_new(s, "xmm");
	tcase_add_test(t, xmm_input);
	tcase_add_test(t, xmm_input_rep_and_variable_header);
	tcase_add_test(t, xmm_input_at_most_112_bytes);
	tcase_add_test(t, xmm_input_is_ud_when_not_offered);
	tcase_add_test(t, xmm_output_in_general_registers);
	tcase_add_test(t, xmm_output_follows_the_input);
	tcase_add_test(t, xmm_output_from_the_middle);
	tcase_add_test(t, xmm_output_must_fit);
	tcase_add_test(t, xmm_output_is_ud_when_not_offered);
	tcase_add_test(t, xmm_output_is_for_64_bit_callers);
	tcase_add_test(t, xmm_out_of_reach);

	t = case_new(s, "coverage");
	tcase_add_test(t, coverage_counts_calls_and_statuses);
	return check_main(s);
}
