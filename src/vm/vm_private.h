/* SPDX-License-Identifier: MIT */
/*
 * vm_private.h - the machine as the files of this folder see it.
 *
 * Theory of operation.  The main thread owns the machine: it makes and frees
 * everything, and it alone pauses, resumes, resets and ends it.  A vCPU
 * thread runs its processor and, between two KVM_RUNs, the handlers of MSRs,
 * hypercalls and ports.  What concerns the whole machine (power off, reset, a
 * crash) a vCPU thread only reports, with vm_post_event(); the first report
 * counts, stops every processor, and wakes the main thread.
 *
 * Run states, under vm.lock:
 *
 *	VM_PAUSED  --vm_resume()-->  VM_RUNNING
 *	VM_RUNNING --vm_pause(), vm_post_event()-->  VM_PAUSED
 *	any        --vm_free()-->  VM_ENDING: threads leave
 *
 * A vCPU thread looks at its requests before each KVM_RUN.  Whoever sets a
 * request kicks the thread (vcpu_kick()): immediate_exit makes the KVM_RUN
 * that may be about to start return at once, the signal ends one that has
 * started.  A request set while in_guest reads false is seen without a kick.
 */
#ifndef VM_VM_PRIVATE_H
#define VM_VM_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <glib.h>

#include "boot/boot.h"
#include "config/clock_config.h"
#include "hypercalls/vp_set.h"
#include "partition/features.h"
#include "report/milestone.h"
#include "report/report.h"
#include "vm/cpu/topology.h"

struct bus;
struct console;
struct hypercalls;
struct kvm;
struct kvm_chips;
struct kvm_vcpu;
struct kvm_vcpu_state;
struct machine_config;
struct overlay_space;
struct partition;
struct platform;
struct vm_disks;
struct vm_disks_events;
struct vm_events;
struct vm_faults;
struct vm_nics;
struct ports;
struct ref_time;
struct synic;
struct timer_queue;
struct vmbus_host;

/* What a vCPU thread must do before it runs its processor again. */
#define VCPU_REQUEST_STOP      (1u << 0)
#define VCPU_REQUEST_FLUSH_TLB (1u << 1)
/* Look whether an auto-EOI vector is in service. */
#define VCPU_REQUEST_AUTO_EOI  (1u << 2)

enum vcpu_exit {
	VCPU_EXIT_HYPERCALL,
	VCPU_EXIT_IO,
	VCPU_EXIT_MMIO,
	VCPU_EXIT_RDMSR,
	VCPU_EXIT_WRMSR,
	VCPU_EXIT_KICK,
	VCPU_EXIT_OTHER,
	N_VCPU_EXITS,
};

struct vcpu {
	/* set before start, then read-only */
	struct vm *vm;
	unsigned int index; /* VP index */
	uint32_t apic_id;
	struct kvm_vcpu *kvm;
	struct kvm_vcpu_state *power_on;
	pthread_t thread;
	bool started;
	_Atomic pid_t thread_id; /* 0: not yet */

	/* any thread */
	_Atomic uint32_t requests;
	_Atomic bool in_guest;
	_Atomic uint32_t idle; /* futex: 1 while it waits in GUEST_IDLE */
	_Atomic int processor; /* of the host's, at its last exit; -1: none */
	_Atomic uint64_t auto_eoi[4]; /* vectors to be ended for the guest */

	/* its thread; the main thread while it is stopped */
	uint64_t exits[N_VCPU_EXITS];
	uint64_t msr_refused; /* unknown MSRs answered with #GP */
	timer_t auto_eoi_timer;
	bool has_auto_eoi_timer;
};

enum vm_run_state {
	VM_PAUSED,
	VM_RUNNING,
	VM_ENDING,
};

/* What ended, or interrupts, the run. */
enum vm_event_kind {
	VM_EVENT_NONE,
	VM_EVENT_POWER_OFF,
	VM_EVENT_RESET,
	VM_EVENT_CRASH,
	VM_EVENT_TRIPLE_FAULT,
	VM_EVENT_TEST_EXIT,
	VM_EVENT_TIMEOUT,
	VM_EVENT_QUIT,
	VM_EVENT_SIGNAL,
	VM_EVENT_FAILED,
};

struct vm {
	/* set before the processors start, then read-only */
	const struct machine_config *config;
	const struct profile *profile;
	uint32_t vmbus_version; /* the newest that is offered */
	struct kvm *kvm;
	struct gmem *mem;
	struct overlay_space *overlays;
	struct ref_time *ref_time;
	struct synic *synic;
	struct timer_queue *timers;
	struct ports *ports;
	struct hypercalls *hypercalls;
	struct partition *partition;
	struct vm_faults *faults;
	struct vm_disks *disks;
	struct vm_nics *nics;
	struct vm_events *events;
	struct vmbus_host *vmbus;
	struct partition_features features;
	struct platform *platform;
	struct bus *pio;
	struct bus *mmio;
	struct kvm_chips *power_on_chips;
	struct vcpu *vcpus;
	unsigned int n_vcpus;
	unsigned int n_possible_vcpus;
	struct topology topology;
	unsigned int phys_bits;
	uint64_t tsc_hz;
	struct clock_offsets clock;
	bool tsc_offset_settable;
	bool lazy_eoi; /* KVM sets the assist page's "no EOI required" */

	/* main thread */
	const char *boot_protocol;
	int64_t tsc_offset; /* guest TSC = host TSC + this */
	/* what the guest did before the machine was preserved; or NONE */
	enum vm_event_kind preserved;
	char *preserved_detail; /* owned */
	bool suspended; /* by the user, or */
	bool asked_to_end; /* the guest was, for a signal */
	GList *partings; /* network cards that go: struct nic_parting */
	uint64_t ballooned_bytes, added_bytes; /* that events have told */
	char *stopped_by; /* by a disk's error: which; NULL: by the user */
	uint64_t paused_tsc; /* host TSC when the machine was paused */
	uint64_t resets;
	uint64_t start_ns;
	_Atomic uint64_t first_run_ns;
	GMainLoop *loop;

	/* any thread */
	struct milestones milestones;
	_Atomic uint64_t guest_os_id; /* the last that was not zero */
	_Atomic bool memory_changed; /* there will be an event */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* lock */
	enum vm_run_state run_state;
	unsigned int n_stopped;
	enum vm_event_kind event;
	/* exit port value, signal number; of a reset: 1 the user wants it */
	unsigned int event_value;
	char *event_detail; /* owned */
	bool crashed;
	uint64_t crash[5];
	char *crash_message;

	int event_fd; /* wakes the main thread */
};

/* --- vm.c, vm_run.c: main thread unless said otherwise -------------- */

/**
 * vm_post_event() - report something that concerns the whole machine
 * @detail: for people; may be NULL, copied
 *
 * Thread: any.  The processors stop; the first event counts, but that the end
 * of the run takes the place of a reset.
 */
void vm_post_event(struct vm *vm, enum vm_event_kind kind, unsigned int value,
		   const char *detail);

/**
 * vm_pause() - returns when no processor runs; guest time stands still
 *
 * Fine if paused already.
 */
void vm_pause(struct vm *vm);

/**
 * vm_resume() - let the processors run
 *
 * Not while the user has it suspended, nor past an event: that decides what
 * happens next.
 */
void vm_resume(struct vm *vm);

/* Of vm_disks_listen(): suspend and say why; offer one more controller. */
extern const struct vm_disks_events vm_disks_events;

/** vm_reset() - power-on state and a freshly loaded kernel; paused */
int vm_reset(struct vm *vm, GError **error);

/** vm_load_kernel() - boot images into RAM, registers into processor 0 */
int vm_load_kernel(struct vm *vm, GError **error);

/** vm_provide_memory() - as the configuration wants it from the host: 0, -1 */
int vm_provide_memory(const struct vm *vm, GError **error);

/** vm_exits() - exits of all processors by name; N_VCPU_EXITS entries */
void vm_exits(const struct vm *vm, struct report_count *out);

/* --- vm_power.c ------------------------------------------------------- */

#define VM_SIGNALS 3

/**
 * vm_watch_signals() - SIGINT, SIGTERM, SIGHUP
 * @sources: out, of the main loop; 0: none, as the signal is ignored
 */
void vm_watch_signals(struct vm *vm, guint sources[VM_SIGNALS]);

/* --- vm_time.c ------------------------------------------------------- */

/** vm_time_init() - choose and set the TSC offset, make ref_time */
int vm_time_init(struct vm *vm, GError **error);
void vm_time_pause(struct vm *vm);
void vm_time_resume(struct vm *vm);

/**
 * vm_time_jump() - the guest's TSC goes @ms ahead; negative: back
 * @reference: reference time goes with it; else it is as after a migration:
 *             reference time goes on, the page has another sequence, and who
 *             enabled reenlightenment is interrupted
 *
 * Does nothing, with a warning, where the TSC cannot be set.
 */
void vm_time_jump(struct vm *vm, int32_t ms, bool reference);

/* --- vm_cpuid.c ------------------------------------------------------ */

struct kvm_cpuid2;

/**
 * vm_cpuid_host() - what KVM offers, and the width of addresses from it
 *
 * Return: owned; NULL with @error set.
 */
struct kvm_cpuid2 *vm_cpuid_host(struct vm *vm, GError **error);

/** vm_check_memory() - do addresses of that width reach all of it? 0 or -1 */
int vm_check_memory(const struct vm *vm, GError **error);

/** vm_cpuid_apply() - set the CPUID of every processor */
int vm_cpuid_apply(struct vm *vm, const struct kvm_cpuid2 *host,
		   GError **error);

/* --- vcpu.c ---------------------------------------------------------- */

/** vcpu_init() - create processor @index, stopped */
int vcpu_init(struct vm *vm, unsigned int index, GError **error);
void vcpu_destroy(struct vcpu *vcpu);

/** vcpu_start() - start its thread, which waits for VM_RUNNING */
int vcpu_start(struct vcpu *vcpu);

/** vcpu_set_entry() - put @entry into the registers; while stopped */
int vcpu_set_entry(struct vcpu *vcpu, const struct boot_entry *entry);

/** vcpu_request() - set a request and make the thread see it; any thread */
void vcpu_request(struct vcpu *vcpu, uint32_t request);

/** vcpu_wake_idle() - an interrupt was sent: end GUEST_IDLE; any thread */
void vcpu_wake_idle(struct vcpu *vcpu);

/** vcpu_wait_idle() - block as GUEST_IDLE does; its own thread */
void vcpu_wait_idle(struct vcpu *vcpu);

/**
 * vcpus_flush_tlb() - flush the TLBs of @vps; on @caller's thread
 *
 * Returns when each of them has done so, or will before it runs again.
 */
void vcpus_flush_tlb(struct vcpu *caller, const struct vp_bitmap *vps);

/** vcpu_runtime_100ns() - processor time that its thread used */
uint64_t vcpu_runtime_100ns(const struct vcpu *vcpu);

/** vcpus_init_signal() - install the kick signal's handler, once */
void vcpus_init_signal(void);

/* --- vcpu_exit.c: its thread ----------------------------------------- */

/** vcpu_handle_exit() - do what the last KVM_RUN came back for */
void vcpu_handle_exit(struct vcpu *vcpu);

/* --- vp_ops.c --------------------------------------------------------- */

extern const struct synic_ops vm_synic_ops;
extern const struct hypercall_ops vm_hypercall_ops;
extern const struct partition_ops vm_partition_ops;
extern const struct overlay_hole_ops vm_overlay_hole_ops;

/** vm_interrupt() - a fixed edge interrupt at @vp; any thread */
void vm_interrupt(struct vm *vm, uint32_t vp, uint8_t vector);

/* --- platform.c -------------------------------------------------------- */

/** platform_new() - the PC's devices, on vm->pio */
struct platform *platform_new(struct vm *vm, GError **error);
void platform_free(struct platform *platform);
int platform_start(struct platform *platform);
/** platform_stop() - write out what the guest printed */
void platform_stop(struct platform *platform);
void platform_reset(struct platform *platform);
/** platform_power_button() - press it; main thread */
void platform_power_button(struct platform *platform);
/** platform_console_tail() - the last of what it printed; owned */
char *platform_console_tail(struct platform *platform);

#endif
