/* SPDX-License-Identifier: MIT */
#include "partition/msr.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/coverage.h"
#include "base/findings.h"
#include "base/trace.h"
#include "partition/partition_impl.h"
#include "synic/synic.h"

static int synic_read(struct partition *p, uint32_t vp, uint32_t msr,
		      uint64_t *value)
{
	return synic_msr_read(p->params.synic, vp, msr, value);
}

static int synic_write(struct partition *p, uint32_t vp, uint32_t msr,
		       uint64_t value)
{
	int err = synic_msr_write(p->params.synic, vp, msr, value);

	if (!err && msr == HV_X64_MSR_SCONTROL &&
	    value & HV_SYNIC_CONTROL_ENABLE)
		partition_reached(p, PARTITION_SYNIC);
	return err;
}

static int stimer_write(struct partition *p, uint32_t vp, uint32_t msr,
			uint64_t value)
{
	int err = synic_msr_write(p->params.synic, vp, msr, value);

	/* Numbers alternate: CONFIG is even.  A count means an expiry. */
	if (!err && (msr - HV_X64_MSR_STIMER0_CONFIG) % 2 && value)
		partition_reached(p, PARTITION_STIMER);
	return err;
}

#define ROW(number, name_, privilege_, feature_, read_, write_)          \
	{                                                                \
		.msr = (number), .privilege = (privilege_),              \
		.feature = (feature_), .name = (name_), .read = (read_), \
		.write = (write_)                                        \
	}
#define SYNIC(number, name) \
	ROW(number, name, HV_MSR_SYNIC_AVAILABLE, 0, synic_read, synic_write)
#define SINT(n) SYNIC(HV_X64_MSR_SINT0 + (n), "SINT" #n)
#define STIMER(n)                                                             \
	ROW(HV_X64_MSR_STIMER0_CONFIG + 2 * (n), "STIMER" #n "_CONFIG",       \
	    HV_MSR_SYNTIMER_AVAILABLE, 0, synic_read, stimer_write),          \
		ROW(HV_X64_MSR_STIMER0_COUNT + 2 * (n), "STIMER" #n "_COUNT", \
		    HV_MSR_SYNTIMER_AVAILABLE, 0, synic_read, stimer_write)
#define APIC(number, name, read) \
	ROW(number, name, HV_MSR_APIC_ACCESS_AVAILABLE, 0, read, apic_msr_write)
#define CRASH_P(n)                                                      \
	ROW(HV_X64_MSR_CRASH_P0 + (n), "CRASH_P" #n, 0,                 \
	    HV_FEATURE_GUEST_CRASH_MSR_AVAILABLE, crash_parameter_read, \
	    crash_parameter_write)

static const struct msr_row table[] = {
	ROW(HV_X64_MSR_GUEST_OS_ID, "GUEST_OS_ID", HV_MSR_HYPERCALL_AVAILABLE,
	    0, guest_os_id_read, guest_os_id_write),
	ROW(HV_X64_MSR_HYPERCALL, "HYPERCALL", HV_MSR_HYPERCALL_AVAILABLE, 0,
	    hypercall_read, hypercall_write),
	ROW(HV_X64_MSR_VP_INDEX, "VP_INDEX", HV_MSR_VP_INDEX_AVAILABLE, 0,
	    vp_index_read, NULL),
	ROW(HV_X64_MSR_RESET, "RESET", HV_MSR_RESET_AVAILABLE, 0, reset_read,
	    reset_write),
	ROW(HV_X64_MSR_VP_RUNTIME, "VP_RUNTIME", HV_MSR_VP_RUNTIME_AVAILABLE, 0,
	    vp_runtime_read, NULL),
	ROW(HV_X64_MSR_TIME_REF_COUNT, "TIME_REF_COUNT",
	    HV_MSR_TIME_REF_COUNT_AVAILABLE, 0, time_ref_count_read, NULL),
	ROW(HV_X64_MSR_REFERENCE_TSC, "REFERENCE_TSC",
	    HV_MSR_REFERENCE_TSC_AVAILABLE, 0, reference_tsc_read,
	    reference_tsc_write),
	ROW(HV_X64_MSR_TSC_FREQUENCY, "TSC_FREQUENCY", HV_ACCESS_FREQUENCY_MSRS,
	    HV_FEATURE_FREQUENCY_MSRS_AVAILABLE, tsc_frequency_read, NULL),
	ROW(HV_X64_MSR_APIC_FREQUENCY, "APIC_FREQUENCY",
	    HV_ACCESS_FREQUENCY_MSRS, HV_FEATURE_FREQUENCY_MSRS_AVAILABLE,
	    apic_frequency_read, NULL),
	APIC(HV_X64_MSR_EOI, "EOI", NULL),
	APIC(HV_X64_MSR_ICR, "ICR", apic_msr_read),
	APIC(HV_X64_MSR_TPR, "TPR", apic_msr_read),
	/* Linux writes it whatever is offered (arch/x86/hyperv/hv_init.c). */
	ROW(HV_X64_MSR_VP_ASSIST_PAGE, "VP_ASSIST_PAGE", 0, 0, vp_assist_read,
	    vp_assist_write),
	SYNIC(HV_X64_MSR_SCONTROL, "SCONTROL"),
	SYNIC(HV_X64_MSR_SVERSION, "SVERSION"),
	SYNIC(HV_X64_MSR_SIEFP, "SIEFP"),
	SYNIC(HV_X64_MSR_SIMP, "SIMP"),
	SYNIC(HV_X64_MSR_EOM, "EOM"),
	SINT(0),
	SINT(1),
	SINT(2),
	SINT(3),
	SINT(4),
	SINT(5),
	SINT(6),
	SINT(7),
	SINT(8),
	SINT(9),
	SINT(10),
	SINT(11),
	SINT(12),
	SINT(13),
	SINT(14),
	SINT(15),
	STIMER(0),
	STIMER(1),
	STIMER(2),
	STIMER(3),
	ROW(HV_X64_MSR_GUEST_IDLE, "GUEST_IDLE", HV_MSR_GUEST_IDLE_AVAILABLE,
	    HV_X64_GUEST_IDLE_STATE_AVAILABLE, guest_idle_read, NULL),
	CRASH_P(0),
	CRASH_P(1),
	CRASH_P(2),
	CRASH_P(3),
	CRASH_P(4),
	ROW(HV_X64_MSR_CRASH_CTL, "CRASH_CTL", 0,
	    HV_FEATURE_GUEST_CRASH_MSR_AVAILABLE, crash_control_read,
	    crash_control_write),
	ROW(HV_X64_MSR_REENLIGHTENMENT_CONTROL, "REENLIGHTENMENT_CONTROL",
	    HV_ACCESS_REENLIGHTENMENT, 0, reenlightenment_read,
	    reenlightenment_write),
	ROW(HV_X64_MSR_TSC_EMULATION_CONTROL, "TSC_EMULATION_CONTROL",
	    HV_ACCESS_REENLIGHTENMENT, 0, tsc_emulation_control_read,
	    tsc_emulation_control_write),
	ROW(HV_X64_MSR_TSC_EMULATION_STATUS, "TSC_EMULATION_STATUS",
	    HV_ACCESS_REENLIGHTENMENT, 0, tsc_emulation_status_read,
	    tsc_emulation_status_write),
	ROW(HV_X64_MSR_TSC_INVARIANT_CONTROL, "TSC_INVARIANT_CONTROL",
	    HV_ACCESS_TSC_INVARIANT, 0, tsc_invariant_read,
	    tsc_invariant_write),
};

#define N_ROWS (sizeof(table) / sizeof(table[0]))
_Static_assert(N_ROWS < UINT8_MAX, "row_of holds row numbers in bytes");

const struct msr_row *msr_table(unsigned int *n_rows)
{
	if (n_rows)
		*n_rows = N_ROWS;
	return table;
}

uint32_t msr_table_privileges(void)
{
	uint32_t have = 0, missing = 0;

	for (unsigned int i = 0; i < N_ROWS; i++) {
		if (table[i].read || table[i].write)
			have |= table[i].privilege;
		else
			missing |= table[i].privilege;
	}
	return have & ~missing;
}

uint32_t msr_table_features(void)
{
	uint32_t have = 0, missing = 0;

	for (unsigned int i = 0; i < N_ROWS; i++) {
		if (table[i].read || table[i].write)
			have |= table[i].feature;
		else
			missing |= table[i].feature;
	}
	return have & ~missing;
}

void msr_index_init(struct partition *p)
{
	p->coverage = coverage_new("msrs", N_ROWS);
	for (unsigned int i = 0; i < N_ROWS; i++) {
		p->coverage->entries[i].name = table[i].name;
		p->coverage->entries[i].number = table[i].msr;
		p->row_of[table[i].msr - HV_X64_MSR_FIRST] = (uint8_t)(i + 1);
	}
}

/* The row of @msr, whether or not this partition offers it. */
static const struct msr_row *find(const struct partition *p, uint32_t msr)
{
	/* Numbers below the first wrap round to very large ones. */
	uint32_t index = msr - HV_X64_MSR_FIRST;

	if (index >= MSR_INDEX_SIZE || !p->row_of[index])
		return NULL;
	return &table[p->row_of[index] - 1];
}

bool msr_offered(const struct partition *p, const struct msr_row *row)
{
	return !(row->privilege & ~p->features.eax) &&
	       !(row->feature & ~p->features.edx);
}

const struct msr_row *msr_find(const struct partition *p, uint32_t msr)
{
	const struct msr_row *row = find(p, msr);

	return row && msr_offered(p, row) ? row : NULL;
}

/* An access is answered with #GP: which rule was broken? */
static void blame(const struct partition *p, uint32_t vp, uint32_t msr,
		  bool write, uint64_t value)
{
	const struct msr_row *row = find(p, msr);
	enum finding rule = FINDING_MSR_VALUE;
	char where[16];

	snprintf(where, sizeof(where), "0x%x", msr);
	if (!row)
		rule = FINDING_MSR_UNKNOWN;
	else if (!msr_offered(p, row) || (!row->read && !row->write))
		rule = FINDING_MSR_NOT_OFFERED;
	else if (write ? !row->write : !row->read)
		rule = FINDING_MSR_ACCESS;
	findings_hit(rule, row ? row->name : where, "%s 0x%" PRIx64 " by VP %u",
		     write ? "write of" : "read,", value, vp);
}

static int do_read(struct partition *p, uint32_t vp, uint32_t msr,
		   uint64_t *value)
{
	const struct msr_row *row = find(p, msr);
	struct coverage_entry *entry;
	int err = -EINVAL;

	if (!row) {
		coverage_unknown(p->coverage);
		return -EINVAL;
	}
	entry = &p->coverage->entries[row - table];
	coverage_hit(entry);
	if (row->read && msr_offered(p, row) && vp < p->n_vps)
		err = row->read(p, vp, msr, value);
	if (err)
		coverage_refuse(entry);
	return err;
}

int partition_msr_read(struct partition *p, uint32_t vp, uint32_t msr,
		       uint64_t *value)
{
	int err = do_read(p, vp, msr, value);

	if (err)
		blame(p, vp, msr, false, 0);
	trace_event(msr_read, vp, TRACE_NO_DEVICE, msr, err ? 0 : *value, err);
	return err;
}

static int do_write(struct partition *p, uint32_t vp, uint32_t msr,
		    uint64_t value)
{
	const struct msr_row *row = find(p, msr);
	struct coverage_entry *entry;
	int err = -EINVAL;

	if (!row) {
		coverage_unknown(p->coverage);
		return -EINVAL;
	}
	entry = &p->coverage->entries[row - table];
	coverage_write(entry);
	if (row->write && msr_offered(p, row) && vp < p->n_vps)
		err = row->write(p, vp, msr, value);
	if (err)
		coverage_refuse(entry);
	return err;
}

int partition_msr_write(struct partition *p, uint32_t vp, uint32_t msr,
			uint64_t value)
{
	int err = do_write(p, vp, msr, value);

	if (err)
		blame(p, vp, msr, true, value);
	trace_event(msr_write, vp, TRACE_NO_DEVICE, msr, value, err);
	return err;
}
