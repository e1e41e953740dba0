/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "kvm/kvm.h"
#include "kvm/kvm_vcpu.h"
#include "synic/synic.h"
#include "vm/vm_private.h"

#define LOG_CATEGORY "vcpu"

#define KICK_SIGNAL SIGRTMIN

/* How often GUEST_IDLE looks for an interrupt that nobody told us about. */
#define IDLE_POLL_NS NSEC_PER_MSEC

/* How soon after an auto-EOI interrupt we look whether it was taken. */
#define AUTO_EOI_PERIOD_NS 200000

#define CR0_PE    (1u << 0)
#define CR0_ET    (1u << 4)
#define CR0_PG    (1u << 31)
#define CR4_PAE   (1u << 5)
#define EFER_LME  (1u << 8)
#define EFER_LMA  (1u << 10)
#define RFLAGS_1  2u
#define SEG_CODE  11
#define SEG_DATA  3
#define SEG_TSS   11
#define TSS_LIMIT 0x67u

static void on_kick(int signal)
{
	(void)signal;
}

void vcpus_init_signal(void)
{
	struct sigaction action = {.sa_handler = on_kick};

	sigaction(KICK_SIGNAL, &action, NULL);
}

int vcpu_init(struct vm *vm, unsigned int index, GError **error)
{
	struct vcpu *v = &vm->vcpus[index];

	v->vm = vm;
	v->index = index;
	v->processor = -1;
	v->apic_id = topology_apic_id(&vm->topology, index);
	v->kvm = kvm_vcpu_new(vm->kvm, v->apic_id, error);
	return v->kvm ? 0 : -1;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	if (vcpu->started)
		pthread_join(vcpu->thread, NULL);
	kvm_vcpu_state_free(vcpu->power_on);
	kvm_vcpu_free(vcpu->kvm);
}

static struct kvm_segment flat_segment(uint16_t selector, uint8_t type,
				       bool long_code)
{
	return (struct kvm_segment){
		.limit = 0xFFFFFFFF,
		.selector = selector,
		.type = type,
		.present = 1,
		.s = 1,
		.g = 1,
		.db = !long_code,
		.l = long_code,
	};
}

int vcpu_set_entry(struct vcpu *vcpu, const struct boot_entry *entry)
{
	bool is_long = entry->mode == BOOT_LONG;
	struct kvm_segment data =
		flat_segment(entry->data_selector, SEG_DATA, false);
	struct kvm_regs regs = {
		.rip = entry->rip,
		.rsp = entry->rsp,
		.rax = entry->rax,
		.rbx = entry->rbx,
		.rsi = entry->rsi,
		.rflags = RFLAGS_1,
	};
	struct kvm_sregs sregs;
	int err = kvm_vcpu_get_sregs(vcpu->kvm, &sregs);

	if (err)
		return err;
	sregs.cs = flat_segment(entry->code_selector, SEG_CODE, is_long);
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.tr = (struct kvm_segment){
		.limit = TSS_LIMIT,
		.selector = entry->tss_selector,
		.type = SEG_TSS,
		.present = 1,
	};
	sregs.gdt.base = entry->gdt_base;
	sregs.gdt.limit = entry->gdt_limit;
	sregs.idt.base = 0;
	sregs.idt.limit = 0;
	sregs.cr0 = CR0_PE | CR0_ET | (is_long ? CR0_PG : 0);
	sregs.cr3 = entry->cr3;
	sregs.cr4 = is_long ? CR4_PAE : 0;
	sregs.efer = is_long ? EFER_LME | EFER_LMA : 0;
	err = kvm_vcpu_set_sregs(vcpu->kvm, &sregs);
	return err ? err : kvm_vcpu_set_regs(vcpu->kvm, &regs);
}

void vcpu_request(struct vcpu *vcpu, uint32_t request)
{
	atomic_fetch_or(&vcpu->requests, request);
	if (atomic_load(&vcpu->in_guest)) {
		kvm_vcpu_immediate_exit(vcpu->kvm, true);
		pthread_kill(vcpu->thread, KICK_SIGNAL);
	}
	vcpu_wake_idle(vcpu);
}

static long futex(_Atomic uint32_t *word, int op, uint32_t value,
		  const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, timeout,
		       NULL, 0);
}

void vcpu_wake_idle(struct vcpu *vcpu)
{
	if (atomic_load(&vcpu->idle) && atomic_exchange(&vcpu->idle, 0))
		futex(&vcpu->idle, FUTEX_WAKE, INT_MAX, NULL);
}

/*
 * A sender puts the interrupt into the APIC, then looks at idle; we set idle,
 * then look at the APIC: one of the two sees the other.  What KVM itself
 * raises (its timers, an IPI by ICR) tells nobody; hence the poll.
 */
void vcpu_wait_idle(struct vcpu *vcpu)
{
	static const struct timespec poll = {.tv_nsec = (long)IDLE_POLL_NS};

	for (;;) {
		atomic_store(&vcpu->idle, 1);
		if (kvm_vcpu_has_interrupt(vcpu->kvm) ||
		    atomic_load(&vcpu->requests))
			break;
		futex(&vcpu->idle, FUTEX_WAIT, 1, &poll);
	}
	atomic_store(&vcpu->idle, 0);
}

uint64_t vcpu_runtime_100ns(const struct vcpu *vcpu)
{
	struct timespec ts;
	clockid_t clock;

	if (!vcpu->started || pthread_getcpuclockid(vcpu->thread, &clock) ||
	    clock_gettime(clock, &ts))
		return 0;
	return ((uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec) /
	       NSEC_PER_100NS;
}

/* A target has flushed, or must before it next runs, or is out of the guest. */
static bool flush_is_sure(const struct vcpu *v)
{
	return !(atomic_load(&v->requests) & VCPU_REQUEST_FLUSH_TLB) ||
	       !atomic_load(&v->in_guest);
}

/*
 * The caller is out of guest mode itself, so that two processors that flush
 * each other do not wait for each other.
 */
void vcpus_flush_tlb(struct vcpu *caller, const struct vp_bitmap *vps)
{
	struct vm *vm = caller->vm;

	vp_bitmap_for_each (vp, vps) {
		if (vp < vm->n_vcpus)
			vcpu_request(&vm->vcpus[vp], VCPU_REQUEST_FLUSH_TLB);
	}
	vp_bitmap_for_each (vp, vps) {
		if (vp >= vm->n_vcpus || vp == caller->index)
			continue;
		while (!flush_is_sure(&vm->vcpus[vp]))
			sched_yield();
	}
}

/*
 * A periodic kick of this thread.  One that comes between the look at the
 * requests and KVM_RUN is lost; the next is not.
 */
static void set_auto_eoi_timer(struct vcpu *v, bool on)
{
	struct itimerspec period = {0};

	if (!v->has_auto_eoi_timer) {
		struct sigevent event = {
			.sigev_notify = SIGEV_THREAD_ID,
			.sigev_signo = KICK_SIGNAL,
		};

		event._sigev_un._tid = gettid();
		v->has_auto_eoi_timer = !timer_create(CLOCK_MONOTONIC, &event,
						      &v->auto_eoi_timer);
	}
	if (on) {
		period.it_value.tv_nsec = AUTO_EOI_PERIOD_NS;
		period.it_interval.tv_nsec = AUTO_EOI_PERIOD_NS;
	}
	if (v->has_auto_eoi_timer)
		timer_settime(v->auto_eoi_timer, 0, &period, NULL);
}

/* Is a vector above @vector in service? */
static bool is_nested(const struct kvm_vectors *vectors, unsigned int vector)
{
	unsigned int word = vector / 64;
	uint64_t above =
		vectors->in_service[word] & (~0ull << 1 << vector % 64);

	while (!above && ++word < 4)
		above = vectors->in_service[word];
	return above;
}

/*
 * End one auto-EOI interrupt if the guest has taken it.
 * Return: false while it is still to come, or a higher one is in service.
 */
static bool end_auto_eoi(struct vcpu *v, struct kvm_vectors *vectors,
			 unsigned int vector)
{
	uint64_t bit = 1ull << vector % 64;
	uint8_t ended;

	if (vectors->in_service[vector / 64] & bit) {
		if (is_nested(vectors, vector) ||
		    kvm_vcpu_end_of_interrupt(v->kvm, &ended))
			return false;
		vectors->in_service[vector / 64] &= ~bit;
		synic_eoi(v->vm->synic, v->index, (uint8_t)vector);
	}
	/* If neither, the guest has ended it itself, or its APIC is off. */
	return !(vectors->requested[vector / 64] & bit);
}

/*
 * KVM's APIC knows no auto-EOI; the vectors are taken out of service, highest
 * first, at the first exit after the guest took them, and until then the
 * processor is kicked now and then.
 *
 * Whoever asserts such a vector does so before he sets its bit: a bit taken
 * here is in the APIC when it is read, or has been there and is gone.
 */
static void do_auto_eoi(struct vcpu *v)
{
	uint64_t wanted[4], waiting = 0;
	struct kvm_vectors vectors;

	for (unsigned int i = 0; i < 4; i++)
		wanted[i] = atomic_exchange(&v->auto_eoi[i], 0);
	if (kvm_vcpu_vectors(v->kvm, &vectors))
		return;
	for (unsigned int vector = 256; vector-- > 0;) {
		uint64_t bit = 1ull << vector % 64;

		if (wanted[vector / 64] & bit &&
		    end_auto_eoi(v, &vectors, vector))
			wanted[vector / 64] &= ~bit;
	}
	for (unsigned int i = 0; i < 4; i++) {
		atomic_fetch_or(&v->auto_eoi[i], wanted[i]);
		waiting |= wanted[i];
	}
	if (waiting)
		atomic_fetch_or(&v->requests, VCPU_REQUEST_AUTO_EOI);
	set_auto_eoi_timer(v, waiting);
}

/* Wait while the machine is paused.  Return: false when it ends. */
static bool wait_until_running(struct vcpu *v)
{
	struct vm *vm = v->vm;
	bool running;

	pthread_mutex_lock(&vm->lock);
	vm->n_stopped++;
	pthread_cond_broadcast(&vm->changed);
	while (vm->run_state == VM_PAUSED)
		pthread_cond_wait(&vm->changed, &vm->lock);
	vm->n_stopped--;
	running = vm->run_state == VM_RUNNING;
	pthread_mutex_unlock(&vm->lock);
	return running;
}

/* Return: false when the thread is to end. */
static bool handle_requests(struct vcpu *v)
{
	uint32_t requests = atomic_exchange(&v->requests, 0);

	if (requests & VCPU_REQUEST_STOP && !wait_until_running(v))
		return false;
	if (requests & VCPU_REQUEST_FLUSH_TLB && kvm_vcpu_flush_tlb(v->kvm))
		vm_post_event(v->vm, VM_EVENT_FAILED, 0,
			      "KVM refused to flush a TLB");
	if (requests & VCPU_REQUEST_AUTO_EOI)
		do_auto_eoi(v);
	return true;
}

static void note_first_run(struct vm *vm)
{
	uint64_t never = 0;

	if (!atomic_load_explicit(&vm->first_run_ns, memory_order_relaxed))
		atomic_compare_exchange_strong(&vm->first_run_ns, &never,
					       clock_monotonic_ns());
}

static void run_once(struct vcpu *v)
{
	int err = 0;

	atomic_store(&v->in_guest, true);
	/* Requests set from here on come with a kick. */
	if (!(atomic_load(&v->requests) & ~VCPU_REQUEST_AUTO_EOI))
		err = kvm_vcpu_run(v->kvm);
	else
		err = -EAGAIN;
	atomic_store(&v->in_guest, false);
	atomic_store_explicit(&v->processor, sched_getcpu(),
			      memory_order_relaxed);
	if (!err) {
		vcpu_handle_exit(v);
	} else if (err == -EINTR) {
		v->exits[VCPU_EXIT_KICK]++;
	} else if (err != -EAGAIN) {
		g_autofree char *detail =
			g_strdup_printf("KVM_RUN of processor %u: %s", v->index,
					g_strerror(-err));

		vm_post_event(v->vm, VM_EVENT_FAILED, 0, detail);
	}
}

static void *vcpu_main(void *arg)
{
	struct vcpu *v = arg;
	sigset_t kick;

	sigemptyset(&kick);
	sigaddset(&kick, KICK_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
	atomic_store(&v->thread_id, gettid());
	note_first_run(v->vm);
	for (;;) {
		kvm_vcpu_immediate_exit(v->kvm, false);
		if (!handle_requests(v))
			break;
		run_once(v);
	}
	if (v->has_auto_eoi_timer)
		timer_delete(v->auto_eoi_timer);
	return NULL;
}

int vcpu_start(struct vcpu *vcpu)
{
	char name[16];
	int err;

	snprintf(name, sizeof(name), "vcpu/%u", vcpu->index);
	atomic_store(&vcpu->requests, VCPU_REQUEST_STOP);
	err = thread_start(&vcpu->thread, name, vcpu_main, vcpu);
	vcpu->started = !err;
	return err;
}
