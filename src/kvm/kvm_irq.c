/* SPDX-License-Identifier: MIT */
#include "kvm/kvm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <glib.h>

#define MSI_ADDRESS        0xFEE00000u
#define MSI_DEST_SHIFT     12
#define MSI_DELIVERY_SHIFT 8
#define MSI_DEST_HIGH_MASK 0xFFFFFF00u

struct kvm_chips {
	struct kvm_irqchip chips[3]; /* master, slave, IOAPIC */
	struct kvm_pit_state2 pit;
};

/* The modules' parameters that say so; a module that is absent has none. */
static const char *const accelerators[] = {
	"/sys/module/kvm_intel/parameters/enable_apicv",
	"/sys/module/kvm_amd/parameters/avic",
};

bool kvm_apic_is_accelerated(void)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(accelerators); i++) {
		g_autofree char *text = NULL;

		if (g_file_get_contents(accelerators[i], &text, NULL, NULL) &&
		    (*text == 'Y' || *text == '1'))
			return true;
	}
	return false;
}

int kvm_irq_line(const struct kvm *kvm, unsigned int gsi, bool level)
{
	struct kvm_irq_level irq = {.irq = gsi, .level = level};

	return ioctl(kvm_vm_fd(kvm), KVM_IRQ_LINE, &irq) ? -errno : 0;
}

int kvm_signal_msi(const struct kvm *kvm, uint32_t apic_id, unsigned int mode,
		   uint8_t vector)
{
	struct kvm_msi msi = {
		.address_lo = MSI_ADDRESS | (apic_id & 0xFF) << MSI_DEST_SHIFT,
		.address_hi = apic_id & MSI_DEST_HIGH_MASK,
		.data = mode << MSI_DELIVERY_SHIFT | vector,
	};
	int ret = ioctl(kvm_vm_fd(kvm), KVM_SIGNAL_MSI, &msi);

	return ret < 0 ? -errno : ret;
}

struct kvm_chips *kvm_chips_save(const struct kvm *kvm)
{
	struct kvm_chips *c = g_new0(struct kvm_chips, 1);

	for (unsigned int i = 0; i < G_N_ELEMENTS(c->chips); i++) {
		c->chips[i].chip_id = i;
		if (ioctl(kvm_vm_fd(kvm), KVM_GET_IRQCHIP, &c->chips[i]))
			goto fail;
	}
	if (ioctl(kvm_vm_fd(kvm), KVM_GET_PIT2, &c->pit))
		goto fail;
	return c;
fail:
	g_free(c);
	return NULL;
}

int kvm_chips_load(const struct kvm *kvm, const struct kvm_chips *chips)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(chips->chips); i++) {
		struct kvm_irqchip chip = chips->chips[i];

		if (ioctl(kvm_vm_fd(kvm), KVM_SET_IRQCHIP, &chip))
			return -errno;
	}
	if (ioctl(kvm_vm_fd(kvm), KVM_SET_PIT2, &chips->pit))
		return -errno;
	return 0;
}

int kvm_pit_discard(const struct kvm *kvm)
{
	struct kvm_reinject_control control = {.pit_reinject = 0};

	return ioctl(kvm_vm_fd(kvm), KVM_REINJECT_CONTROL, &control) ? -errno
								     : 0;
}
