/* SPDX-License-Identifier: MIT */
/*
 * vm_report.c - what the guest did, gathered from everybody who counts.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>
#include <json-c/json.h>

#include "base/clock.h"
#include "config/machine_config.h"
#include "hypercalls/hypercall.h"
#include "mem/gmem.h"
#include "mem/resident.h"
#include "partition/partition.h"
#include "partition/profile.h"
#include "report/report_file.h"
#include "report/summary.h"
#include "report/verdict.h"
#include "vm/devices/vmbus_host.h"
#include "vm/vm.h"
#include "vm/vm_coverage.h"
#include "vm/vm_faults.h"
#include "vm/vm_private.h"

void vm_exits(const struct vm *vm, struct report_count *out)
{
	static const char *const names[N_VCPU_EXITS] = {
		[VCPU_EXIT_HYPERCALL] = "hypercall",
		[VCPU_EXIT_IO] = "io",
		[VCPU_EXIT_MMIO] = "mmio",
		[VCPU_EXIT_RDMSR] = "rdmsr",
		[VCPU_EXIT_WRMSR] = "wrmsr",
		[VCPU_EXIT_KICK] = "kick",
		[VCPU_EXIT_OTHER] = "other",
	};

	for (unsigned int e = 0; e < N_VCPU_EXITS; e++) {
		out[e].name = names[e];
		out[e].count = 0;
		for (unsigned int i = 0; i < vm->n_vcpus; i++)
			out[e].count += vm->vcpus[i].exits[e];
	}
}

/* What this process needs of the host's memory besides guest RAM. */
static uint64_t overhead_bytes(const struct vm *vm)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	uint64_t bytes;

	if (!smaps)
		return 0;
	bytes = resident_besides_ram(smaps, vm->mem);
	fclose(smaps);
	return bytes;
}

static const char *kvm_kind(void)
{
	static const char *const modules[] = {"kvm_intel", "kvm_amd",
					      "kvm_pvm"};

	for (unsigned int i = 0; i < G_N_ELEMENTS(modules); i++) {
		g_autofree char *path =
			g_strdup_printf("/sys/module/%s", modules[i]);

		if (!access(path, F_OK))
			return modules[i];
	}
	return "unknown";
}

static void fill_report(struct vm *vm, struct report *report,
			struct report_count exits[N_VCPU_EXITS])
{
	uint64_t first_run = atomic_load(&vm->first_run_ns);

	*report = (struct report){
		.milestones = &vm->milestones,
		.required = (const char *const *)vm->config->require,
		.kvm_kind = kvm_kind(),
		.accel = "user",
		.profile = vm->profile->name,
		.boot_protocol = vm->boot_protocol,
		.guest_os_id = vm->guest_os_id,
		.n_vcpus = vm->n_vcpus,
		.memory_bytes = gmem_bytes(vm->mem),
		.overhead_bytes = overhead_bytes(vm),
		.start_to_run_us = (first_run - vm->start_ns) / 1000,
		.resets = vm->resets,
		.msrs = partition_msr_coverage(vm->partition),
		.hypercalls = hypercalls_coverage(vm->hypercalls),
		.vmbus = vmbus_host_report(vm->vmbus),
		.fault_seed = vm->config->fault_seed,
		.exits = exits,
		.n_exits = N_VCPU_EXITS,
	};
	report->faults = vm_faults_report(vm->faults, &report->n_faults);
	report->devices = vmbus_host_devices(vm->vmbus, &report->n_devices);
	vm_exits(vm, exits);
}

char *vm_inspect(struct vm *vm)
{
	struct report_count exits[N_VCPU_EXITS];
	struct report report;
	char *text;

	/* The processors count without locks. */
	vm_pause(vm);
	fill_report(vm, &report, exits);
	text = report_text(&report);
	vm_resume(vm);
	return text;
}

const struct milestones *vm_milestones(const struct vm *vm)
{
	return &vm->milestones;
}

char *vm_console_tail(struct vm *vm)
{
	return platform_console_tail(vm->platform);
}

/* Without a summary, at least why it is not good. */
static void say_missing(const struct json_object *report)
{
	for (size_t i = 0; i < report_len(report, "milestones"); i++) {
		const struct json_object *m =
			report_nth(report, "milestones", i);

		if (report_bool(m, "required") && !report_bool(m, "reached"))
			fprintf(stderr, "kvmbus: %s not reached: %s\n",
				report_str(m, "name"), report_str(m, "why"));
	}
}

static int write_verdict(const char *path, char *text, GError **error)
{
	int ret = g_file_set_contents(path, text, -1, error) ? 0 : -1;

	g_free(text);
	return ret;
}

int vm_report(struct vm *vm, const struct outcome *outcome, GError **error)
{
	const struct machine_config *c = vm->config;
	g_autofree char *tail = platform_console_tail(vm->platform);
	g_autofree char *name = NULL;
	struct report_count exits[N_VCPU_EXITS];
	struct report report;
	struct json_object *root;
	struct vm_coverage *coverage;
	struct verdict_run run;
	int ret = 0;

	fill_report(vm, &report, exits);
	coverage = vm_coverage_new(vm, &report);
	vm_coverage_fill(coverage, &report);
	report.outcome = outcome;
	report.console_tail = tail;
	root = report_make(&report);
	name = verdict_name(root);
	run = (struct verdict_run){
		.name = name,
		.report = root,
		.seconds = (double)(clock_monotonic_ns() - vm->start_ns) /
			   (double)NSEC_PER_SEC,
	};
	if (c->summary) {
		const struct summary_style style = summary_style_of(stderr);

		summary_print(root, &style, stderr);
	} else if (outcome->exit_code) {
		say_missing(root);
	}
	if (c->report)
		ret = report_write(&report, c->report, error);
	if (!ret && c->junit)
		ret = write_verdict(c->junit, verdict_junit(&run, 1), error);
	if (!ret && c->tap)
		ret = write_verdict(c->tap, verdict_tap(&run, 1), error);
	json_object_put(root);
	vm_coverage_free(coverage);
	return ret;
}
