/* SPDX-License-Identifier: MIT */
/*
 * fuzz_hypercall.c - hypercalls, 64 and 32 bit.
 *
 * The input is a struct call, cut short or padded with zeros, and what lies
 * in the page that most of the input pointers lead to.  Whatever a guest
 * asks: the result word is well formed, no register but the result's is
 * touched, memory changes only where the output was to go, and what the VPs
 * are told to do names VPs, vectors and memory that exist.
 */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/coverage.h"
#include "hypercalls/table.h"
#include "hypercalls/vp_set.h"
#include "mem/gmem.h"
#include "synic/ports.h"

#define PAGE      4096u
#define RAM_PAGES 8u
#define RAM_BYTES (RAM_PAGES * PAGE)
#define INPUT_GPA (2 * PAGE)
#define N_VPS     70u

/* Bits of call.mode */
#define MODE_LONG      (1u << 0)
#define MODE_REAL      (1u << 1)
#define MODE_CPL_SHIFT 2
/* take the code from the table, and the pointers into the RAM */
#define MODE_TABLE     (1u << 4)
#define MODE_POINTERS  (1u << 5)
#define MODE_DISCARD   (1u << 6)

struct call {
	uint64_t control, in, out;
	uint8_t mode, row, features, privileges;
	uint8_t pad[4];
	uint8_t xmm[6][16];
};

static struct call call;
static struct gmem *mem;

static int read_xmm(void *ctx, uint32_t vp, uint8_t xmm[6][16])
{
	(void)ctx;
	expect(vp < N_VPS);
	memcpy(xmm, call.xmm, sizeof(call.xmm));
	return 0;
}

static int write_xmm(void *ctx, uint32_t vp, const uint8_t xmm[6][16])
{
	(void)ctx;
	expect(vp < N_VPS && (call.mode & MODE_LONG));
	memcpy(call.xmm, xmm, sizeof(call.xmm));
	return 0;
}

static void check_set(const struct vp_bitmap *vps)
{
	expect(vp_bitmap_any(vps));
	expect(vp_bitmap_next(vps, N_VPS) == VP_BITMAP_NO_VPS);
}

static void flush_tlb(void *ctx, uint32_t caller, const struct vp_bitmap *vps)
{
	(void)ctx;
	expect(caller < N_VPS);
	check_set(vps);
}

static void send_ipi(void *ctx, const struct vp_bitmap *vps, uint8_t vector)
{
	(void)ctx;
	expect(vector >= 16);
	check_set(vps);
}

static int get_register(void *ctx, uint32_t caller, uint32_t vp, uint32_t name,
			struct hv_register_value *value)
{
	(void)ctx;
	expect(caller < N_VPS && vp < N_VPS);
	*value = (struct hv_register_value){name, ~(uint64_t)name};
	return name & 1 ? -ENOENT : 0;
}

static int set_register(void *ctx, uint32_t caller, uint32_t vp, uint32_t name,
			const struct hv_register_value *value)
{
	static const int answers[] = {0, -ENOENT, -EINVAL, -EACCES, -EBUSY};

	(void)ctx;
	(void)value;
	expect(caller < N_VPS && vp < N_VPS);
	return answers[name % 5];
}

static int vp_index_of_apic_id(void *ctx, uint32_t apic_id)
{
	(void)ctx;
	return apic_id < N_VPS ? (int)apic_id : -ENOENT;
}

static void yield(void *ctx, uint32_t vp)
{
	(void)ctx;
	expect(vp < N_VPS);
}

static void discard(void *ctx, uint64_t gpa, uint64_t bytes)
{
	(void)ctx;
	expect(gpa % PAGE == 0 && bytes % PAGE == 0 && bytes > 0);
	expect(gmem_contains(mem, gpa, bytes));
}

static hv_status_t on_message(void *ctx, uint32_t vp,
			      const struct hv_input_post_message *msg)
{
	(void)ctx;
	expect(vp < N_VPS && msg->payload_size <= 240 && msg->message_type);
	return HV_STATUS_SUCCESS;
}

static hv_status_t on_event(void *ctx, uint32_t vp, uint16_t flag)
{
	(void)ctx;
	expect(vp < N_VPS && flag < 2);
	return HV_STATUS_SUCCESS;
}

static struct hypercalls *make_calls(struct ports *ports)
{
	static struct hypercall_ops ops = {
		.read_xmm = read_xmm,
		.write_xmm = write_xmm,
		.flush_tlb = flush_tlb,
		.send_ipi = send_ipi,
		.get_register = get_register,
		.set_register = set_register,
		.vp_index_of_apic_id = vp_index_of_apic_id,
		.yield = yield,
	};
	struct hypercalls_params params = {
		.mem = mem,
		.ports = ports,
		.n_vps = N_VPS,
		/* three rows of four bits: each can be missing */
		.privileges = call.privileges & 1 ? 0 : ~0ull,
		.features_edx = call.features & 1 ? 0 : ~0u,
		.hints = call.features & 2 ? 0 : ~0u,
		.ops = &ops,
	};

	ops.discard = call.mode & MODE_DISCARD ? discard : NULL;
	expect(!ports_add_message(ports, 1, on_message, NULL));
	expect(!ports_add_event(ports, 2, 2, on_event, NULL));
	return hypercalls_new(&params);
}

/* Make a call that has a chance, unless the input wants it raw. */
static void steer(void)
{
	unsigned int n_rows;
	const struct hypercall_row *rows = hypercall_table(&n_rows);

	if (call.mode & MODE_TABLE)
		call.control = (call.control & ~HV_HYPERCALL_CODE_MASK) |
			       rows[call.row % n_rows].code;
	if (call.mode & MODE_POINTERS) {
		call.in = INPUT_GPA + call.in % PAGE;
		call.out %= RAM_BYTES;
	}
}

static struct hypercall_regs registers(bool long_mode)
{
	if (long_mode)
		return (struct hypercall_regs){.rax = ~0ull,
					       .rbx = 1,
					       .rcx = call.control,
					       .rdx = call.in,
					       .rsi = 2,
					       .rdi = 3,
					       .r8 = call.out};
	return (struct hypercall_regs){.rax = (uint32_t)call.control,
				       .rdx = call.control >> 32,
				       .rcx = (uint32_t)call.in,
				       .rbx = call.in >> 32,
				       .rsi = (uint32_t)call.out,
				       .rdi = call.out >> 32,
				       .r8 = 4};
}

static void check_result(const struct hypercall_row *row, uint64_t result)
{
	uint64_t reps = result >> HV_HYPERCALL_REP_COMP_OFFSET;
	uint64_t count = call.control >> HV_HYPERCALL_REP_COMP_OFFSET &
			 HV_HYPERCALL_REP_COUNT_MASK;
	hv_status_t status = (hv_status_t)result;

	expect((result & 0xFFFF0000) == 0);
	expect(reps <= count);
	if (!row || !row->handler)
		expect(status == HV_STATUS_INVALID_HYPERCALL_CODE ||
		       status == HV_STATUS_ACCESS_DENIED);
	if (!row || !row->rep)
		expect(!reps);
	else if (!status)
		expect(reps == count && count);
}

static void check_registers(const struct hypercall_regs *regs,
			    struct hypercall_regs want, bool long_mode)
{
	want.rax = regs->rax;
	if (long_mode && call.control & HV_HYPERCALL_FAST_BIT) {
		/* fast output */
		want.rdx = regs->rdx;
		want.r8 = regs->r8;
	}
	if (!long_mode)
		want.rdx = regs->rdx;
	expect(!memcmp(regs, &want, sizeof(want)));
}

/* Memory is as it was but in the page of the output, if there is one. */
static void check_memory(const uint8_t *before, bool may_write)
{
	static uint8_t after[RAM_BYTES];

	expect(!gmem_read(mem, 0, after, sizeof(after)));
	for (unsigned int page = 0; page < RAM_PAGES; page++)
		if (!may_write || call.out / PAGE != page)
			expect(!memcmp(before + page * PAGE,
				       after + page * PAGE, PAGE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t before[RAM_BYTES];
	struct ports *ports = ports_new();
	struct hypercalls *calls;
	struct hypercall_regs regs, was;
	enum hypercall_outcome outcome;
	bool long_mode, real;
	unsigned int cpl;
	size_t head = size < sizeof(call) ? size : sizeof(call);

	memset(&call, 0, sizeof(call));
	if (head)
		memcpy(&call, data, head);
	mem = gmem_new(RAM_BYTES, NULL);
	expect(mem != NULL);
	if (size > head)
		expect(!gmem_write(mem, INPUT_GPA, data + head,
				   size - head < PAGE ? size - head : PAGE));
	steer();
	long_mode = call.mode & MODE_LONG;
	real = call.mode & MODE_REAL;
	cpl = call.mode >> MODE_CPL_SHIFT & 3;
	calls = make_calls(ports);
	expect(!gmem_read(mem, 0, before, sizeof(before)));

	regs = was = registers(long_mode);
	outcome = hypercalls_call(calls, call.row % N_VPS, &regs, long_mode,
				  cpl, !real);
	if (outcome == HYPERCALL_UD) {
		expect(!memcmp(&regs, &was, sizeof(regs)));
		expect(cpl || real || call.control & HV_HYPERCALL_FAST_BIT);
	} else {
		uint64_t result =
			long_mode ? regs.rax : regs.rdx << 32 | regs.rax;

		expect(!cpl && !real);
		expect(long_mode ||
		       (regs.rax <= UINT32_MAX && regs.rdx <= UINT32_MAX));
		check_result(hypercall_find((uint16_t)call.control), result);
		check_registers(&regs, was, long_mode);
	}
	check_memory(before, outcome == HYPERCALL_DONE &&
				     !(call.control & HV_HYPERCALL_FAST_BIT));

	hypercalls_free(calls);
	ports_free(ports);
	gmem_free(mem);
	return 0;
}
