/* SPDX-License-Identifier: MIT */
#include "vm/doctor.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glib.h>

#include "base/clock.h"
#include "devices/block/block_open.h"
#include "kvm/kvm.h"
#include "kvm/kvm_vcpu.h"
#include "report/report.h"

#define CODE_GPA              0x1000u
#define CODE_BYTES            4096u
#define LOOPS_OFFSET          2u
#define INSTRUCTIONS_PER_LOOP 2u
/* Doubled until a run takes long enough to be measured. */
#define LOOPS_FIRST           1000u
#define LOOPS_LAST            (1u << 28)
#define MEASURE_NS            (20 * NSEC_PER_MSEC)
/* Below this a kernel's boot takes hours; real hardware is at 1000 or more. */
#define SLOW_MIPS             50.0

/* Real mode: mov $LOOPS,%ecx; 1: dec %ecx; jnz 1b; out %al,$0x10 */
static const uint8_t loop_code[] = {
	0x66, 0xB9, 0, 0, 0, 0, 0x66, 0x49, 0x75, 0xFC, 0xE6, 0x10,
};

static int run_loop(struct kvm_vcpu *vcpu, uint8_t *page, uint32_t loops,
		    uint64_t *ns)
{
	struct kvm_regs regs = {.rip = 0, .rflags = 2};
	struct kvm_sregs sregs;
	uint64_t start;
	int err = kvm_vcpu_get_sregs(vcpu, &sregs);

	memcpy(page, loop_code, sizeof(loop_code));
	memcpy(page + LOOPS_OFFSET, &loops, sizeof(loops));
	sregs.cs.base = CODE_GPA;
	sregs.cs.selector = CODE_GPA >> 4;
	if (!err)
		err = kvm_vcpu_set_sregs(vcpu, &sregs);
	if (!err)
		err = kvm_vcpu_set_regs(vcpu, &regs);
	start = clock_monotonic_ns();
	if (!err)
		err = kvm_vcpu_run(vcpu);
	*ns = clock_monotonic_ns() - start;
	if (!err && kvm_vcpu_run_page(vcpu)->exit_reason != KVM_EXIT_IO)
		return -1;
	return err;
}

/* Million instructions per second of ring 0; negative: it does not run. */
static double ring0_mips(struct kvm *kvm, GError **error)
{
	uint8_t *page = mmap(NULL, CODE_BYTES, PROT_READ | PROT_WRITE,
			     /* cppcheck-suppress invalidFunctionArg ; fd -1 */
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_vcpu *vcpu = NULL;
	double mips = -1;

	if (page == MAP_FAILED)
		return -1;
	if (!kvm_create_vm(kvm, error) &&
	    !kvm_map(kvm, CODE_GPA, CODE_BYTES, page))
		vcpu = kvm_vcpu_new(kvm, 0, error);
	for (uint32_t loops = LOOPS_FIRST; vcpu && loops < LOOPS_LAST;
	     loops *= 2) {
		uint64_t ns;

		if (run_loop(vcpu, page, loops, &ns)) {
			mips = -1;
			break;
		}
		mips = (double)loops * INSTRUCTIONS_PER_LOOP * 1000.0 /
		       (double)ns;
		if (ns >= MEASURE_NS)
			break;
	}
	kvm_vcpu_free(vcpu);
	munmap(page, CODE_BYTES);
	return mips;
}

static unsigned int print_capabilities(const struct kvm *kvm, FILE *out)
{
	const struct kvm_capability *caps;
	unsigned int n, missing = 0;

	caps = kvm_capabilities(kvm, &n);
	for (unsigned int i = 0; i < n; i++) {
		bool has = caps[i].value > 0;

		fprintf(out, "%-8s %-28s %s\n",
			has                ? "ok"
			: caps[i].required ? "MISSING"
					   : "absent",
			caps[i].name, caps[i].purpose);
		missing += !has && caps[i].required;
	}
	return missing;
}

static void print_device(FILE *out, const char *path, const char *purpose)
{
	fprintf(out, "%-8s %-28s %s\n",
		access(path, R_OK | W_OK) ? "absent" : "ok", path, purpose);
}

int doctor_run(FILE *out)
{
	g_autoptr(GError) error = NULL;
	struct kvm *kvm = kvm_open(&error);
	unsigned int missing;
	double mips;

	if (!kvm) {
		fprintf(out, "MISSING  %s\n", error->message);
		return EXIT_HOST;
	}
	missing = print_capabilities(kvm, out);
	print_device(out, "/dev/net/tun", "bridged networks");
	fprintf(out, "%-8s %-28s %s\n", block_has_io_uring() ? "ok" : "absent",
		"io_uring", "disks; without it threads are used");
	fprintf(out, "%-8s %-28s %s\n",
		clock_tsc_is_reliable() ? "ok" : "absent", "reliable TSC",
		"reference TSC page, invariant TSC");
	fprintf(out, "%-8s %-28s %u\n", "ok", "most virtual processors",
		kvm_max_vcpus(kvm));
	mips = missing ? -1 : ring0_mips(kvm, &error);
	kvm_free(kvm);
	if (mips < 0) {
		fprintf(out, "MISSING  %-28s %s\n", "ring 0",
			error ? error->message : "a test guest did not run");
		return EXIT_HOST;
	}
	fprintf(out, "%-8s %-28s %.0f million instructions a second\n",
		mips < SLOW_MIPS ? "SLOW" : "ok", "ring 0", mips);
	if (mips < SLOW_MIPS) {
		fputs("This KVM emulates kernel mode: small test guests run, "
		      "a Linux kernel does not.\n",
		      out);
		return EXIT_HOST;
	}
	fputs("Linux guests can run here.\n", out);
	return 0;
}
