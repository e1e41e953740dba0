/* SPDX-License-Identifier: MIT */
/*
 * A processor is put back to power-on while an exit of its own is half done.
 * Runs a few instructions on /dev/kvm.
 */
#include "kvm/kvm_vcpu.h"

#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm/kvm.h"
#include "support/check_main.h"

#define PAGE 4096u
#define AT   0x100000u
#define PORT 0xF4

/* 32 bits, at 0: mov al, 7; out PORT, al; inc al; out PORT, al; hlt */
static const uint8_t code[] = {0xB0, 7,    0xE6, PORT, 0xFE,
			       0xC0, 0xE6, PORT, 0xF4};

static struct kvm *kvm;
static struct kvm_vcpu *vcpu;
static struct kvm_vcpu_state *power_on;
static uint8_t *page;

static void setup(void)
{
	struct kvm_sregs sregs;

	kvm = kvm_open(NULL);
	ck_assert_ptr_nonnull(kvm);
	ck_assert_int_eq(kvm_create_vm(kvm, NULL), 0);
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    /* cppcheck-suppress invalidFunctionArg ; fd -1 */
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(page, code, sizeof(code));
	ck_assert_int_eq(kvm_map(kvm, AT, PAGE, page), 0);
	vcpu = kvm_vcpu_new(kvm, 0, NULL);
	ck_assert_ptr_nonnull(vcpu);
	ck_assert_int_eq(kvm_vcpu_get_sregs(vcpu, &sregs), 0);
	sregs.cs = (struct kvm_segment){.limit = 0xFFFFFFFF,
					.selector = 8,
					.type = 11,
					.present = 1,
					.s = 1,
					.g = 1,
					.db = 1};
	sregs.ds = sregs.es = sregs.ss = sregs.cs;
	sregs.ds.type = sregs.es.type = sregs.ss.type = 3;
	sregs.cr0 |= 1;
	ck_assert_int_eq(kvm_vcpu_set_sregs(vcpu, &sregs), 0);
	ck_assert_int_eq(kvm_vcpu_set_regs(vcpu, &(struct kvm_regs){.rflags = 2,
								    .rip = AT}),
			 0);
	power_on = kvm_vcpu_save(kvm, vcpu);
	ck_assert_ptr_nonnull(power_on);
}

static void teardown(void)
{
	kvm_vcpu_state_free(power_on);
	kvm_vcpu_free(vcpu);
	kvm_free(kvm);
	munmap(page, PAGE);
}

/* Run to the next write of the port; Return: what was written. */
static uint8_t next_out(void)
{
	struct kvm_run *run = kvm_vcpu_run_page(vcpu);

	ck_assert_int_eq(kvm_vcpu_run(vcpu), 0);
	ck_assert_uint_eq(run->exit_reason, KVM_EXIT_IO);
	ck_assert_uint_eq(run->io.port, PORT);
	return *((uint8_t *)run + run->io.data_offset);
}

START_TEST(an_exit_that_is_not_ended)
{
	for (unsigned int round = 0; round < 3; round++) {
		ck_assert_uint_eq(next_out(), 7);
		ck_assert_int_eq(kvm_vcpu_load(vcpu, power_on), 0);
	}
	ck_assert_uint_eq(next_out(), 7);
	ck_assert_uint_eq(next_out(), 8);
}
END_TEST

/* As after a hypercall, whose results are in the run page. */
START_TEST(registers_that_kvm_has_not_taken_yet)
{
	struct kvm_run *run = kvm_vcpu_run_page(vcpu);

	ck_assert_uint_eq(next_out(), 7);
	run->s.regs.regs.rax = 0x55;
	run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
	ck_assert_int_eq(kvm_vcpu_load(vcpu, power_on), 0);
	ck_assert_uint_eq(next_out(), 7);
	ck_assert_uint_eq(next_out(), 8);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kvm/kvm_state");
	TCase *t = tcase_create("kvm_state");

	if (access("/dev/kvm", R_OK | W_OK)) {
		puts("skip: /dev/kvm is not there, or not for this user");
		return 77;
	}
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, an_exit_that_is_not_ended);
	tcase_add_test(t, registers_that_kvm_has_not_taken_yet);
	suite_add_tcase(s, t);
	return check_main(s);
}
