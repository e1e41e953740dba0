/* SPDX-License-Identifier: MIT */
/*
 * fuzz_msr.c - reads and writes of synthetic MSRs, by three VPs.
 *
 * The first byte chooses the profile; then come steps of ten bytes: what to
 * do and on which VP, which register, and a value.  The guest's RAM is
 * filled with a pattern, and written by nobody afterwards: whatever is done
 * to the overlays, when they are gone the pattern is back.
 */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "hypercalls/vp_set.h"
#include "mem/gmem.h"
#include "mem/overlay.h"
#include "partition/features.h"
#include "partition/msr.h"
#include "partition/partition.h"
#include "partition/profile.h"
#include "proto/hv_hypercall.h"
#include "proto/hv_tlfs.h"
#include "synic/ref_time.h"
#include "synic/synic.h"

#define PAGE      4096u
#define RAM_PAGES 16u
#define RAM_BYTES (RAM_PAGES * PAGE)
#define N_VPS     3u
#define MAX_GPA   (1ull << 36)
#define MAX_STEPS 64

/* Bits of step.what: VP in 1:0 */
#define STEP_WRITE    (1u << 2)
/* page numbers are made ones that exist */
#define STEP_IN_RAM   (1u << 3)
/* by register name, from another VP */
#define STEP_REGISTER (1u << 4)
#define STEP_UPDATE   (1u << 5)
#define STEP_RAW      (1u << 6)

struct step {
	uint8_t what, row;
	uint8_t value[8];
};

struct guest {
	struct gmem *mem;
	struct overlay_space *overlays;
	struct ref_time *ref_time;
	struct synic *synic;
	struct partition *part;
	uint64_t tsc;
};

static uint64_t tsc(void *ctx)
{
	return ((struct guest *)ctx)->tsc += 1000;
}

static uint64_t monotonic(void *ctx)
{
	return ((struct guest *)ctx)->tsc;
}

static void interrupt(void *ctx, uint32_t vp, uint8_t vector, bool auto_eoi)
{
	(void)ctx;
	(void)auto_eoi;
	expect(vp < N_VPS && vector >= 16);
}

static void crash(void *ctx, uint32_t vp, const uint64_t p[5], uint64_t ctl,
		  const char *message)
{
	(void)ctx;
	(void)p;
	expect(vp < N_VPS && ctl & HV_CRASH_CTL_CRASH_NOTIFY);
	if (!message)
		return;
	expect(strlen(message) <= PAGE);
	for (const char *c = message; *c; c++)
		expect((*c >= ' ' && *c <= '~') || *c == '\n' || *c == '\t');
}

static void on_vp(void *ctx, uint32_t vp)
{
	(void)ctx;
	expect(vp < N_VPS);
}

static uint64_t runtime(void *ctx, uint32_t vp)
{
	on_vp(ctx, vp);
	return 1;
}

static uint64_t apic_hz(void *ctx)
{
	(void)ctx;
	return 200000000;
}

static int apic_read(void *ctx, uint32_t vp, uint32_t msr, uint64_t *value)
{
	on_vp(ctx, vp);
	*value = msr;
	return 0;
}

static int apic_write(void *ctx, uint32_t vp, uint32_t msr, uint64_t value)
{
	on_vp(ctx, vp);
	return value == msr ? -EINVAL : 0;
}

static void milestone(void *ctx, enum partition_milestone reached)
{
	(void)ctx;
	expect(partition_milestone_name(reached) != NULL);
}

/* What is in the RAM: not all text, not all zero; made once. */
static const uint8_t *pattern(void)
{
	static uint8_t ram[RAM_BYTES];

	if (!ram[1])
		for (unsigned int i = 0; i < RAM_BYTES; i++)
			ram[i] = (uint8_t)(i * 7 + i / PAGE);
	return ram;
}

static void start(struct guest *g, const struct partition_features *features)
{
	static const struct synic_ops synic_ops = {.interrupt = interrupt};
	static const struct partition_ops ops = {
		.crash = crash,
		.reset = on_vp,
		.runtime_100ns = runtime,
		.apic_hz = apic_hz,
		.apic_read = apic_read,
		.apic_write = apic_write,
		.idle = on_vp,
		.milestone = milestone,
	};
	struct ref_clock clock = {tsc, monotonic, g};

	g->mem = gmem_new(RAM_BYTES, NULL);
	expect(g->mem != NULL);
	expect(!gmem_write(g->mem, 0, pattern(), RAM_BYTES));
	g->overlays = overlay_space_new(g->mem,
					partition_overlays_needed(N_VPS) +
						synic_overlays_needed(N_VPS),
					NULL);
	expect(g->overlays != NULL);
	g->ref_time = ref_time_new(&clock, 2000000000, 0, true);
	g->synic = synic_new(&(struct synic_params){
		.n_vps = N_VPS,
		.mem = g->mem,
		.overlays = g->overlays,
		.ref_time = g->ref_time,
		.ops = &synic_ops,
		.ctx = g,
		.direct_timers = true,
		.sint_polling = true,
		.max_gpa = MAX_GPA,
	});
	g->part = partition_new(&(struct partition_params){
		.features = features,
		.n_vps = N_VPS,
		.mem = g->mem,
		.overlays = g->overlays,
		.ref_time = g->ref_time,
		.synic = g->synic,
		.max_gpa = MAX_GPA,
		.ops = &ops,
		.ctx = g,
	});
}

static void stop(struct guest *g)
{
	partition_free(g->part);
	synic_free(g->synic);
	ref_time_free(g->ref_time);
	overlay_space_free(g->overlays);
	gmem_free(g->mem);
}

static void by_name(struct guest *g, uint8_t what, uint32_t name,
		    uint64_t value)
{
	uint32_t caller = what % N_VPS, vp = what >> 1 & 3;
	struct hv_register_value v = {value, value >> 63};
	int err;

	if (what & STEP_WRITE)
		err = partition_set_register(g->part, caller, vp, name, &v);
	else
		err = partition_get_register(g->part, caller, vp, name, &v);
	expect(!err || err == -ENOENT || err == -EINVAL || err == -EACCES ||
	       err == -EBUSY);
	expect(vp < N_VPS || err == -ENOENT);
}

static void by_number(struct guest *g, uint8_t what, uint32_t msr,
		      uint64_t value)
{
	uint32_t vp = what & 3;
	int err;

	if (what & STEP_WRITE)
		err = partition_msr_write(g->part, vp, msr, value);
	else
		err = partition_msr_read(g->part, vp, msr, &value);
	expect(!err || err == -EINVAL);
	expect(vp < N_VPS || err);
	expect(!err || !(what & STEP_WRITE) || msr != HV_X64_MSR_GUEST_OS_ID ||
	       vp >= N_VPS);
}

static void step(struct guest *g, const struct step *s)
{
	static const uint32_t name_groups[] = {0x00000100, 0x00000200,
					       0x00090000, 0x000A0000,
					       0x000B0000, 0x000D0000};
	unsigned int n_rows;
	const struct msr_row *rows = msr_table(&n_rows);
	uint64_t value, enabled;

	memcpy(&value, s->value, sizeof(value));
	if (s->what & STEP_IN_RAM)
		value = (value % RAM_BYTES & ~0xFFFull) | (value & 1);
	if (s->what & STEP_REGISTER)
		by_name(g, s->what, name_groups[s->row % 6] + s->row / 6,
			value);
	else if (s->what & STEP_RAW)
		by_number(g, s->what, HV_X64_MSR_FIRST + 2u * s->row, value);
	else
		by_number(g, s->what, rows[s->row % n_rows].msr, value);
	if (s->what & STEP_UPDATE) {
		partition_update_tsc_page(g->part);
		synic_run_timers(g->synic);
	}

	if (partition_hypercalls_enabled(g->part)) {
		expect(partition_guest_os_id(g->part) != 0);
		expect(!partition_msr_read(g->part, 0, HV_X64_MSR_HYPERCALL,
					   &enabled));
		expect(enabled & HV_X64_MSR_HYPERCALL_ENABLE);
		expect(enabled < MAX_GPA);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t ram[RAM_BYTES];
	struct partition_features features;
	struct guest g = {0};
	unsigned int n = 0;

	if (!size)
		return 0;
	partition_features_init(&features, profile_at(data[0] % 6),
				data[0] & 0x40, N_VPS, HV_MAX_VPS);
	if (data[0] & 0x80)
		features.eax |= HV_MSR_RESET_AVAILABLE;
	start(&g, &features);
	for (size_t at = 1; size - at >= sizeof(struct step) && n < MAX_STEPS;
	     at += sizeof(struct step), n++) {
		struct step s;

		memcpy(&s, data + at, sizeof(s));
		step(&g, &s);
	}

	partition_reset(g.part);
	synic_reset(g.synic);
	expect(!partition_hypercalls_enabled(g.part));
	expect(!gmem_read(g.mem, 0, ram, sizeof(ram)));
	expect(!memcmp(ram, pattern(), sizeof(ram)));
	stop(&g);
	return 0;
}
