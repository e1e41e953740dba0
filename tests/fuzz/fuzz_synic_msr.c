/* SPDX-License-Identifier: MIT */
/*
 * fuzz_synic_msr.c - a guest that does anything to its SynICs and timers.
 *
 * The input is a script: MSR writes and reads, posts and signals from the
 * host, steps of time, and what a guest may do to its message slots.  After
 * each step: no interrupt below vector 16, registers read as they were
 * written, no deadline in the past, and messages in the order of their posts.
 */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <stdbool.h>

#include "base/log.h"
#include "base/reader.h"
#include "mem/gmem.h"
#include "mem/overlay.h"
#include "proto/hv_tlfs.h"
#include "support/fake_clock.h"
#include "support/synic_guest.h"
#include "synic/ref_time.h"
#include "synic/synic.h"

#define N_VPS     2
#define PAGE      4096u
#define RAM_PAGES 64
#define MAX_GPA   (1ull << 36)
#define TSC_HZ    20000000u

static const uint32_t msrs[] = {
	HV_X64_MSR_SCONTROL,
	HV_X64_MSR_SVERSION,
	HV_X64_MSR_SIEFP,
	HV_X64_MSR_SIMP,
	HV_X64_MSR_EOM,
	HV_X64_MSR_SINT0,
	HV_X64_MSR_SINT0 + 1,
	HV_X64_MSR_SINT0 + 2,
	HV_X64_MSR_SINT0 + 3,
	HV_X64_MSR_SINT15,
	HV_X64_MSR_STIMER0_CONFIG,
	HV_X64_MSR_STIMER0_COUNT,
	HV_X64_MSR_STIMER0_CONFIG + 2,
	HV_X64_MSR_STIMER0_COUNT + 2,
	HV_X64_MSR_STIMER0_CONFIG + 4,
	HV_X64_MSR_STIMER0_COUNT + 4,
	HV_X64_MSR_STIMER0_CONFIG + 6,
	HV_X64_MSR_STIMER3_COUNT,
	HV_X64_MSR_EOM + 1,
	HV_X64_MSR_STIMER3_COUNT + 1,
};
#define N_MSRS (sizeof(msrs) / sizeof(msrs[0]))

/* In msrs. */
enum {
	SCONTROL_INDEX = 0,
	SIMP_INDEX = 3,
	EOM_INDEX = 4
};

static struct {
	struct fake_clock clock;
	struct gmem *mem;
	struct overlay_space *space;
	struct ref_time *rt;
	struct synic *synic;
} bench;

/* What the guest and the host know. */
static struct {
	uint64_t registers[N_VPS][N_MSRS];
	uint32_t posted; /* number of the last message */
	uint32_t taken[N_VPS][HV_SYNIC_SINT_COUNT]; /* number of the last */
} model;

static void interrupt(void *ctx, uint32_t vp, uint8_t vector, bool auto_eoi)
{
	(void)ctx;
	(void)auto_eoi;
	expect(vp < N_VPS && vector >= HV_SYNIC_FIRST_VALID_VECTOR);
}

static void make_bench(void)
{
	static const struct synic_ops ops = {.interrupt = interrupt};
	struct ref_clock clock = fake_clock_ref(&bench.clock);
	struct synic_params params = {.n_vps = N_VPS,
				      .ops = &ops,
				      .direct_timers = true,
				      .sint_polling = true,
				      .max_gpa = MAX_GPA};

	log_set_level("error");
	bench.mem = gmem_new(RAM_PAGES * PAGE, NULL);
	bench.space = overlay_space_new(bench.mem, synic_overlays_needed(N_VPS),
					NULL);
	bench.rt = ref_time_new(&clock, TSC_HZ, 0, true);
	params.mem = bench.mem;
	params.overlays = bench.space;
	params.ref_time = bench.rt;
	bench.synic = synic_new(&params);
}

static void power_on(void)
{
	if (!bench.synic)
		make_bench();
	ref_time_restart(bench.rt);
	synic_reset(bench.synic);
	gmem_zero_all(bench.mem);
	memset(&model, 0, sizeof(model));
	for (uint32_t vp = 0; vp < N_VPS; vp++)
		for (size_t i = 0; i < N_MSRS; i++) {
			uint64_t *reg = &model.registers[vp][i];

			if (msrs[i] == HV_X64_MSR_SVERSION)
				*reg = HV_SYNIC_VERSION;
			else if (msrs[i] >= HV_X64_MSR_SINT0 &&
				 msrs[i] <= HV_X64_MSR_SINT15)
				*reg = HV_SYNIC_SINT_MASKED;
		}
	expect(synic_next_deadline(bench.synic) == UINT64_MAX);
}

/* The timer's own bits change by themselves, and only the enable bit. */
static bool is_config(uint32_t msr)
{
	return msr >= HV_X64_MSR_STIMER0_CONFIG &&
	       msr <= HV_X64_MSR_STIMER3_COUNT && !(msr & 1);
}

static void check_registers(uint32_t vp)
{
	for (size_t i = 0; i < N_MSRS; i++) {
		uint64_t value = 0, changes = 0;

		if (synic_msr_read(bench.synic, vp, msrs[i], &value)) {
			expect(!synic_owns_msr(msrs[i]));
			continue;
		}
		if (is_config(msrs[i]))
			changes = HV_STIMER_ENABLE;
		expect(!((value ^ model.registers[vp][i]) & ~changes));
	}
}

/*
 * Pages that lie over one another are the guest's own trouble, and ours here:
 * in RAM each page has an area of its own.
 */
static uint64_t apart(uint32_t vp, bool is_simp, uint64_t value)
{
	uint64_t first = vp * (RAM_PAGES / 2) + is_simp * (RAM_PAGES / 4);
	uint64_t page = value / PAGE;

	if (page >= RAM_PAGES)
		return value;
	return (first + page % (RAM_PAGES / 4)) * PAGE + value % PAGE;
}

static void write_msr(uint32_t vp, size_t i, uint64_t value)
{
	if (msrs[i] == HV_X64_MSR_SIMP || msrs[i] == HV_X64_MSR_SIEFP)
		value = apart(vp, msrs[i] == HV_X64_MSR_SIMP, value);
	if (synic_msr_write(bench.synic, vp, msrs[i], value))
		return;
	expect(synic_owns_msr(msrs[i]) && msrs[i] != HV_X64_MSR_SVERSION);
	if (is_config(msrs[i]))
		expect(!(value & HV_STIMER_RSVD_MASK));
	if (msrs[i] != HV_X64_MSR_EOM)
		model.registers[vp][i] = value;
}

static uint8_t next_byte(struct reader *r)
{
	uint8_t byte = 0;

	reader_bytes(r, &byte, sizeof(byte));
	return byte;
}

/* A register value: anything, or of a form that gets somewhere. */
static uint64_t next_value(struct reader *r, uint8_t form)
{
	uint16_t low = (uint16_t)(next_byte(r) | next_byte(r) << 8);

	switch (form % 4) {
	case 0:
		return reader_u64(r);
	case 1:
		return low;
	case 2:
		return (uint64_t)(low % RAM_PAGES) * PAGE + 1;
	default:
		return ref_time_now(bench.rt) + low;
	}
}

static void *slot_of(uint32_t vp, unsigned int sint)
{
	/* Where the guest thinks it is; shown or not does not matter here. */
	uint64_t gpa = model.registers[vp][SIMP_INDEX] & HV_OVERLAY_PFN_MASK;

	return gmem_load(bench.mem, gpa + sint * HV_MESSAGE_SIZE,
			 HV_MESSAGE_SIZE);
}

/* The host's messages carry their number as the sender. */
static void post(uint32_t vp, unsigned int sint, uint8_t size)
{
	struct hv_message m = {.header = {.message_type = HVMSG_VMBUS,
					  .payload_size = size,
					  .sender = ++model.posted}};
	int err = synic_message_post(bench.synic, vp, sint, &m);

	expect(!err || err == -EAGAIN ||
	       (err == -EINVAL && size > HV_MESSAGE_PAYLOAD_MAX));
}

/* The guest takes what is in its slot, if anything, and says so. */
static bool take(uint32_t vp, unsigned int sint)
{
	void *slot = slot_of(vp, sint);
	struct hv_message m;

	if (!slot || !guest_message_take(slot, &m))
		return false;
	if (m.header.message_type == HVMSG_VMBUS) {
		expect(m.header.sender > model.taken[vp][sint] &&
		       m.header.sender <= model.posted);
		model.taken[vp][sint] = (uint32_t)m.header.sender;
	}
	if (guest_message_done(slot))
		write_msr(vp, EOM_INDEX, 0);
	return true;
}

/* A guest that claims its slot is busy. */
static void scribble(uint32_t vp, unsigned int sint, uint8_t type)
{
	struct hv_message *slot = slot_of(vp, sint);

	if (slot && !slot->header.message_type)
		slot->header.message_type = 0x80u + type;
}

static void step(struct reader *r, uint8_t op)
{
	uint32_t vp = op >> 7, delay;
	uint8_t arg = next_byte(r);
	unsigned int sint = arg % HV_SYNIC_SINT_COUNT;

	switch (op % 8) {
	case 0:
	case 1:
		write_msr(vp, arg % N_MSRS, next_value(r, op >> 3));
		break;
	case 2:
		post(vp, sint, next_byte(r));
		break;
	case 3:
		synic_event_set(bench.synic, vp, sint,
				(unsigned int)next_byte(r) << (arg >> 4));
		break;
	case 4:
		delay = reader_u32(r) >> (arg % 32);
		bench.clock.tsc += 2ull * delay;
		synic_run_timers(bench.synic);
		expect(synic_next_deadline(bench.synic) >
		       ref_time_now(bench.rt));
		break;
	case 5:
		take(vp, sint);
		break;
	case 6:
		scribble(vp, sint, arg);
		break;
	default:
		synic_eoi(bench.synic, vp, arg);
	}
}

/* In the end a guest that behaves gets all that waits, and then no more. */
static void drain(uint32_t vp)
{
	const unsigned int most = SYNIC_QUEUE_MAX + HV_SYNIC_STIMER_COUNT + 1;

	for (size_t i = 0; i < N_MSRS; i++)
		if (is_config(msrs[i]))
			write_msr(vp, i, 0);
	write_msr(vp, SIMP_INDEX, HV_OVERLAY_ENABLE);
	write_msr(vp, SCONTROL_INDEX, HV_SYNIC_CONTROL_ENABLE);
	for (unsigned int sint = 0; sint < HV_SYNIC_SINT_COUNT; sint++) {
		unsigned int n = 0;

		while (take(vp, sint))
			expect(++n <= most);
		post(vp, sint, 8);
		expect(take(vp, sint) && !take(vp, sint));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);

	power_on();
	while (reader_left(&r)) {
		step(&r, next_byte(&r));
		check_registers(0);
		check_registers(1);
	}
	for (uint32_t vp = 0; vp < N_VPS; vp++)
		drain(vp);
	return 0;
}
