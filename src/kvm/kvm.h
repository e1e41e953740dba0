/* SPDX-License-Identifier: MIT */
/*
 * kvm.h - one KVM virtual machine: capabilities, memory slots, MSR filter.
 *
 * Only src/vm includes this folder; everything above asks for interrupts and
 * registers through callbacks that it defines itself.
 *
 * Source: Linux Documentation/virt/kvm/api.rst.
 */
#ifndef KVM_KVM_H
#define KVM_KVM_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct kvm_cpuid2;
struct kvm;

/* What goes wrong here means "this host cannot run it" (exit 4). */
#define KVM_ERROR (kvm_error_quark())
GQuark kvm_error_quark(void);

/* One capability: what it is for, and whether this host has it. */
struct kvm_capability {
	int number;
	const char *name;
	const char *purpose;
	bool required;
	int value; /* filled in by kvm_open(): what KVM_CHECK_EXTENSION said */
};

/**
 * kvm_open() - open /dev/kvm and look at its capabilities
 *
 * Return: owned; NULL with @error set when the device cannot be opened or
 * does not speak API version 12.  A missing capability is not an error yet.
 */
struct kvm *kvm_open(GError **error);
void kvm_free(struct kvm *kvm);

/** kvm_capabilities() - the table, with what this host said; borrowed */
const struct kvm_capability *kvm_capabilities(const struct kvm *kvm,
					      unsigned int *n);

/** kvm_value() - what KVM_CHECK_EXTENSION said of one in the table */
int kvm_value(const struct kvm *kvm, int capability);

/** kvm_max_vcpus() - the most processors a VM may have here */
unsigned int kvm_max_vcpus(const struct kvm *kvm);

/**
 * kvm_create_vm() - make the VM with irqchip and PIT
 *
 * Return: 0, or -1 with @error set (it names the missing capability).
 */
int kvm_create_vm(struct kvm *kvm, GError **error);

/**
 * kvm_trap_msrs() - let MSR accesses come out to us
 *
 * @eoi_too: also HV_X64_MSR_EOI; else KVM does what the guest writes there,
 *           or passes it on if it cannot (kvm_vcpu_lazy_eoi())
 *
 * From then on every access to 0x40000000-0x40001FFF, and to any MSR that KVM
 * does not know, is KVM_EXIT_X86_RDMSR or KVM_EXIT_X86_WRMSR.
 *
 * KVM waits for all readers of the old filter, which takes some 10 ms on a
 * host of several processors although there are none.
 *
 * Return: 0 or -errno.  Thread: any, before the first KVM_RUN.
 */
int kvm_trap_msrs(const struct kvm *kvm, bool eoi_too);

/** kvm_apic_is_accelerated() - the processor ends interrupts by itself */
bool kvm_apic_is_accelerated(void);

/**
 * kvm_map() - put @bytes of host memory at @gpa, in a slot of its own
 *
 * Return: 0 or -errno.  Thread: any, under the caller's lock.
 */
int kvm_map(struct kvm *kvm, uint64_t gpa, uint64_t bytes, void *host);

/** kvm_unmap() - remove the slot that begins at @gpa; -ENOENT if none */
int kvm_unmap(struct kvm *kvm, uint64_t gpa);

/** kvm_supported_cpuid() - what KVM can show a guest; owned, g_free() */
struct kvm_cpuid2 *kvm_supported_cpuid(const struct kvm *kvm);

/**
 * kvm_port_event() - have writes of @value to @port signal @fd, or no more
 * @fd: an eventfd; one that is signalled may be closed
 *
 * Writes of four bytes.  They are no exits any more; those of other values
 * are.  KVM waits for all processors to take note.
 *
 * Return: 0 or -errno: -ENOSPC KVM has too many already.  Thread: any.
 */
int kvm_port_event(const struct kvm *kvm, uint16_t port, uint32_t value, int fd,
		   bool on);

/** kvm_irq_line() - set the level of an IOAPIC/PIC input */
int kvm_irq_line(const struct kvm *kvm, unsigned int gsi, bool level);

/* Delivery modes of an MSI (Intel SDM "Message Data Register Format") */
#define KVM_MSI_FIXED   0u
#define KVM_MSI_NMI     4u
#define KVM_MSI_INIT    5u
#define KVM_MSI_STARTUP 6u

/**
 * kvm_signal_msi() - an edge interrupt to one local APIC, physical mode
 * @apic_id: up to 2^32 with KVM_CAP_X2APIC_API, else up to 254
 * @mode:    KVM_MSI_*
 *
 * Return: 1 delivered, 0 blocked by the guest, -errno.  Thread: any.
 */
int kvm_signal_msi(const struct kvm *kvm, uint32_t apic_id, unsigned int mode,
		   uint8_t vector);

/**
 * kvm_pit_discard() - ticks of the PIT that the guest was too late for are lost
 *
 * Else they come later, one after the other.  Return: 0 or -errno.
 */
int kvm_pit_discard(const struct kvm *kvm);

/* The in-kernel PIC, IOAPIC and PIT as they were at power-on. */
struct kvm_chips;
struct kvm_chips *kvm_chips_save(const struct kvm *kvm);
int kvm_chips_load(const struct kvm *kvm, const struct kvm_chips *chips);

/* For this folder only. */
int kvm_vm_fd(const struct kvm *kvm);
int kvm_dev_fd(const struct kvm *kvm);

#endif
