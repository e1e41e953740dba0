/* SPDX-License-Identifier: MIT */
#include "vm/vm_coverage.h"

#include <string.h>

#include "base/coverage.h"
#include "hypercalls/table.h"
#include "hypercalls/vp_set.h"
#include "partition/msr.h"
#include "partition/profile.h"
#include "proto/hv_tlfs.h"
#include "proto/vmbus.h"
#include "report/report.h"
#include "support/check_main.h"
#include "vm/vm_private.h"
#include "vsp/vmbus/chanmsg.h"
#include "vsp/vsp.h"

/* A machine of which nobody has used anything. */
struct bench {
	struct vm *vm;
	struct coverage_set *msrs, *calls, *messages;
	struct report_vmbus vmbus;
	struct report report;
	struct vm_coverage *coverage;
};

static void open_bench(struct bench *b, const char *profile)
{
	const struct profile *p = profile_find(profile);
	unsigned int n;

	b->vm = g_new0(struct vm, 1);
	partition_features_init(&b->vm->features, p, true, 2, HV_MAX_VPS);
	msr_table(&n);
	b->msrs = coverage_new("msrs", n);
	hypercall_table(&n);
	b->calls = coverage_new("hypercalls", n);
	b->messages = chanmsg_coverage_new();
	b->vmbus = (struct report_vmbus){.messages = b->messages,
					 .max_version = p->vmbus_version};
	b->report = (struct report){
		.msrs = b->msrs, .hypercalls = b->calls, .vmbus = &b->vmbus};
}

static void take(struct bench *b)
{
	b->coverage = vm_coverage_new(b->vm, &b->report);
	vm_coverage_fill(b->coverage, &b->report);
}

static void close_bench(struct bench *b)
{
	vm_coverage_free(b->coverage);
	coverage_free(b->msrs);
	coverage_free(b->calls);
	coverage_free(b->messages);
	g_free(b->vm);
}

static const struct report_part *part(const struct bench *b, const char *key)
{
	for (unsigned int i = 0; i < b->report.n_parts; i++) {
		if (!strcmp(b->report.parts[i].key, key))
			return &b->report.parts[i];
	}
	ck_abort_msg("no part %s", key);
	return NULL;
}

static const struct report_row *row(const struct bench *b, const char *key,
				    const char *name)
{
	const struct report_part *p = part(b, key);

	for (unsigned int i = 0; i < p->n_rows; i++) {
		if (!g_strcmp0(p->rows[i].name, name))
			return &p->rows[i];
	}
	ck_abort_msg("no %s in %s", name, key);
	return NULL;
}

START_TEST(each_table_is_there_whole)
{
	struct bench b;
	unsigned int n;

	open_bench(&b, "ws2025");
	take(&b);
	msr_table(&n);
	ck_assert_uint_eq(part(&b, "msrs")->n_rows, n);
	hypercall_table(&n);
	ck_assert_uint_eq(part(&b, "hypercalls")->n_rows, n);
	chanmsg_table(&n);
	ck_assert_uint_eq(part(&b, "vmbus_messages")->n_rows, n);
	ck_assert_uint_gt(part(&b, "cpuid")->n_rows, 30);
	/* no devices, no tables of theirs */
	ck_assert_uint_eq(part(&b, "oids")->n_rows, 0);
	close_bench(&b);
}
END_TEST

START_TEST(a_profile_decides_what_is_offered)
{
	struct bench old, new;

	open_bench(&old, "ws2012");
	open_bench(&new, "ws2025");
	take(&old);
	take(&new);
	ck_assert(row(&new, "vmbus_messages", "TlConnectRequest")->offered);
	ck_assert(!row(&old, "vmbus_messages", "TlConnectRequest")->offered);
	ck_assert(row(&old, "vmbus_messages", "TlConnectRequest")->implemented);
	ck_assert(row(&old, "msrs", "GUEST_OS_ID")->offered);
	ck_assert(row(&new, "hypercalls", "ExtCallQueryCapabilities")->offered);
	ck_assert(
		!row(&old, "hypercalls", "ExtCallQueryCapabilities")->offered);
	close_bench(&old);
	close_bench(&new);
}
END_TEST

START_TEST(bits_are_used_by_what_they_stand_for)
{
	struct bench b;
	unsigned int n;
	const struct msr_row *m = msr_table(&n);
	const struct report_row *r;

	open_bench(&b, "ws2025");
	for (unsigned int i = 0; i < n; i++) {
		if (m[i].msr == HV_X64_MSR_VP_INDEX)
			coverage_hit(&b.msrs->entries[i]);
	}
	take(&b);
	r = row(&b, "cpuid", "AccessVpIndex");
	ck_assert(r->counted && r->offered && r->implemented);
	ck_assert_uint_eq(r->used, 1);
	ck_assert_uint_eq(r->number, 0x40000003);
	ck_assert_int_eq(r->bit, 6);
	ck_assert_uint_eq(row(&b, "msrs", "VP_INDEX")->used, 1);
	/* nothing stands for this one, so nobody knows */
	ck_assert(!row(&b, "cpuid", "MwaitAvailable")->counted);
	close_bench(&b);
}
END_TEST

START_TEST(devices_are_added_up)
{
	static const struct report_use first[] = {
		{VSP_TABLE_SCSI, "INQUIRY", 0x12, 3, 1},
		{VSP_TABLE_SCSI, "READ(10)", 0x28, 0, 0},
	};
	static const struct report_use second[] = {
		{VSP_TABLE_SCSI, "INQUIRY", 0x12, 4, 0},
	};
	static const struct report_device devices[] = {
		{.name = "scsi0", .uses = first, .n_uses = 2},
		{.name = "scsi1", .uses = second, .n_uses = 1},
	};
	struct bench b;

	open_bench(&b, "ws2025");
	b.report.devices = devices;
	b.report.n_devices = 2;
	take(&b);
	ck_assert_uint_eq(part(&b, "scsi_commands")->n_rows, 2);
	ck_assert_uint_eq(row(&b, "scsi_commands", "INQUIRY")->used, 7);
	ck_assert_uint_eq(row(&b, "scsi_commands", "INQUIRY")->refused, 1);
	ck_assert_uint_eq(row(&b, "scsi_commands", "READ(10)")->used, 0);
	close_bench(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vm_coverage");
	TCase *t = tcase_create("vm_coverage");

	tcase_add_test(t, each_table_is_there_whole);
	tcase_add_test(t, a_profile_decides_what_is_offered);
	tcase_add_test(t, bits_are_used_by_what_they_stand_for);
	tcase_add_test(t, devices_are_added_up);
	suite_add_tcase(s, t);
	return check_main(s);
}
