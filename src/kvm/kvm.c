/* SPDX-License-Identifier: MIT */
#include "kvm/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "proto/hv_tlfs.h"
#include "proto/platform.h"

#define KVM_DEVICE           "/dev/kvm"
/* Three pages that VMX without unrestricted guest needs below 4 GiB. */
#define TSS_ADDRESS          0xFFFBD000ull
#define IDENTITY_MAP_ADDRESS 0xFFFBC000ull
#define MAX_CPUID_ENTRIES    256u
#define PIC_PINS             16u
#define IOAPIC_PINS          24u

struct slot {
	uint32_t number;
	uint64_t gpa;
};

struct kvm {
	int dev_fd;
	int vm_fd;
	unsigned int n_caps;
	struct kvm_capability *caps;
	GArray *slots; /* struct slot; the caller's lock */
};

static const struct kvm_capability capability_table[] = {
	{KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY", "guest RAM", true, 0},
	{KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP", "in-kernel APIC, IOAPIC and PIC",
	 true, 0},
	{KVM_CAP_PIT2, "KVM_CAP_PIT2", "in-kernel timer chip", true, 0},
	{KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT",
	 "stopping a processor without losing a signal", true, 0},
	{KVM_CAP_X86_USER_SPACE_MSR, "KVM_CAP_X86_USER_SPACE_MSR",
	 "synthetic MSRs (Linux 5.10)", true, 0},
	{KVM_CAP_X86_MSR_FILTER, "KVM_CAP_X86_MSR_FILTER",
	 "synthetic MSRs (Linux 5.10)", true, 0},
	{KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI", "synthetic interrupts", true,
	 0},
	{KVM_CAP_SYNC_REGS, "KVM_CAP_SYNC_REGS", "hypercall registers", true,
	 0},
	{KVM_CAP_SYNC_MMU, "KVM_CAP_SYNC_MMU", "overlay pages", true, 0},
	{KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID", "CPUID", true, 0},
	{KVM_CAP_GET_TSC_KHZ, "KVM_CAP_GET_TSC_KHZ",
	 "reference time in step with the TSC", true, 0},
	{KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE", "guest reset", true, 0},
	{KVM_CAP_VCPU_EVENTS, "KVM_CAP_VCPU_EVENTS", "exceptions of hypercalls",
	 true, 0},
	{KVM_CAP_IOEVENTFD, "KVM_CAP_IOEVENTFD",
	 "channels' signals without an exit to kvmbus", false, 0},
	{KVM_CAP_X2APIC_API, "KVM_CAP_X2APIC_API", "more than 255 processors",
	 false, 0},
	{KVM_CAP_VCPU_ATTRIBUTES, "KVM_CAP_VCPU_ATTRIBUTES",
	 "an exact TSC offset (Linux 5.16)", false, 0},
	{KVM_CAP_XSAVE, "KVM_CAP_XSAVE", "XMM fast hypercalls", false, 0},
	{KVM_CAP_XCRS, "KVM_CAP_XCRS", "guest reset", false, 0},
	{KVM_CAP_DEBUGREGS, "KVM_CAP_DEBUGREGS", "guest reset", false, 0},
	{KVM_CAP_NR_MEMSLOTS, "KVM_CAP_NR_MEMSLOTS", "overlays outside RAM",
	 false, 0},
	{KVM_CAP_HYPERV, "KVM_CAP_HYPERV",
	 "nothing: KVM's own Hyper-V code is not used", false, 0},
};

GQuark kvm_error_quark(void)
{
	return g_quark_from_static_string("kvm-error");
}

struct kvm *kvm_open(GError **error)
{
	struct kvm *kvm = g_new0(struct kvm, 1);
	int version;

	kvm->vm_fd = -1;
	kvm->slots = g_array_new(FALSE, FALSE, sizeof(struct slot));
	kvm->dev_fd = open(KVM_DEVICE, O_RDWR | O_CLOEXEC);
	if (kvm->dev_fd < 0) {
		g_set_error(error, KVM_ERROR, errno, KVM_DEVICE ": %s%s",
			    g_strerror(errno),
			    errno == EACCES ? " (be a member of the group kvm)"
			    : errno == ENOENT
				    ? " (load kvm-intel or kvm-amd; in a "
				      "container pass the device in)"
				    : "");
		goto fail;
	}
	version = ioctl(kvm->dev_fd, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION) {
		g_set_error(error, KVM_ERROR, 0,
			    KVM_DEVICE ": API version %d, need %d", version,
			    KVM_API_VERSION);
		goto fail;
	}
	kvm->n_caps = G_N_ELEMENTS(capability_table);
	kvm->caps = g_memdup2(capability_table, sizeof(capability_table));
	for (unsigned int i = 0; i < kvm->n_caps; i++)
		kvm->caps[i].value = ioctl(kvm->dev_fd, KVM_CHECK_EXTENSION,
					   kvm->caps[i].number);
	return kvm;
fail:
	kvm_free(kvm);
	return NULL;
}

void kvm_free(struct kvm *kvm)
{
	if (!kvm)
		return;
	if (kvm->vm_fd >= 0)
		close(kvm->vm_fd);
	if (kvm->dev_fd >= 0)
		close(kvm->dev_fd);
	g_array_free(kvm->slots, TRUE);
	g_free(kvm->caps);
	g_free(kvm);
}

const struct kvm_capability *kvm_capabilities(const struct kvm *kvm,
					      unsigned int *n)
{
	*n = kvm->n_caps;
	return kvm->caps;
}

int kvm_value(const struct kvm *kvm, int capability)
{
	for (unsigned int i = 0; i < kvm->n_caps; i++) {
		if (kvm->caps[i].number == capability)
			return kvm->caps[i].value;
	}
	return 0;
}

unsigned int kvm_max_vcpus(const struct kvm *kvm)
{
	int n = ioctl(kvm->dev_fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);

	return n > 0 ? (unsigned int)n : 4;
}

int kvm_vm_fd(const struct kvm *kvm)
{
	return kvm->vm_fd;
}

int kvm_dev_fd(const struct kvm *kvm)
{
	return kvm->dev_fd;
}

int kvm_trap_msrs(const struct kvm *kvm, bool eoi_too)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X86_USER_SPACE_MSR,
		.args = {KVM_MSR_EXIT_REASON_FILTER |
			 KVM_MSR_EXIT_REASON_UNKNOWN |
			 KVM_MSR_EXIT_REASON_INVAL},
	};
	uint32_t count = HV_X64_MSR_LAST - HV_X64_MSR_FIRST + 1;
	uint32_t eoi = HV_X64_MSR_EOI - HV_X64_MSR_FIRST;
	g_autofree uint8_t *none = g_malloc0(count / 8);
	g_autofree uint8_t *writes = g_malloc0(count / 8);
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges[0] =
			{
				.flags = KVM_MSR_FILTER_READ,
				.nmsrs = count,
				.base = HV_X64_MSR_FIRST,
				.bitmap = none,
			},
		.ranges[1] =
			{
				.flags = KVM_MSR_FILTER_WRITE,
				.nmsrs = count,
				.base = HV_X64_MSR_FIRST,
				.bitmap = writes,
			},
	};

	/* A bit that is set lets KVM have it. */
	if (!eoi_too)
		writes[eoi / 8] |= (uint8_t)(1u << eoi % 8);
	if (ioctl(kvm->vm_fd, KVM_ENABLE_CAP, &cap) ||
	    ioctl(kvm->vm_fd, KVM_X86_SET_MSR_FILTER, &filter))
		return -errno;
	return 0;
}

/* Where an interrupt goes: @gsi to @pin of @chip (KVM_IRQCHIP_*). */
static void add_route(struct kvm_irq_routing *table, uint32_t gsi,
		      uint32_t chip, uint32_t pin)
{
	table->entries[table->nr++] = (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = {.irqchip = chip, .pin = pin},
	};
}

/*
 * As on a PC: the PIT, ISA interrupt 0, is wired to input 2 of the IOAPIC (the
 * MADT says so too); the default of KVM has it on input 0.
 */
static int set_routing(const struct kvm *kvm)
{
	g_autofree struct kvm_irq_routing *table =
		g_malloc0(sizeof(*table) +
			  (PIC_PINS + IOAPIC_PINS) * sizeof(table->entries[0]));

	for (uint32_t gsi = 0; gsi < PIC_PINS; gsi++)
		add_route(table, gsi,
			  gsi < 8 ? KVM_IRQCHIP_PIC_MASTER
				  : KVM_IRQCHIP_PIC_SLAVE,
			  gsi % 8);
	add_route(table, 0, KVM_IRQCHIP_IOAPIC, PLATFORM_PIT_GSI);
	for (uint32_t gsi = 1; gsi < IOAPIC_PINS; gsi++) {
		if (gsi != PLATFORM_PIT_GSI)
			add_route(table, gsi, KVM_IRQCHIP_IOAPIC, gsi);
	}
	return ioctl(kvm->vm_fd, KVM_SET_GSI_ROUTING, table) ? -errno : 0;
}

static int create_chips(const struct kvm *kvm)
{
	struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};
	uint64_t identity = IDENTITY_MAP_ADDRESS;

	if (ioctl(kvm->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity) ||
	    ioctl(kvm->vm_fd, KVM_SET_TSS_ADDR, TSS_ADDRESS) ||
	    ioctl(kvm->vm_fd, KVM_CREATE_IRQCHIP, 0) ||
	    ioctl(kvm->vm_fd, KVM_CREATE_PIT2, &pit))
		return -errno;
	return set_routing(kvm);
}

static int enable_x2apic_ids(const struct kvm *kvm)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X2APIC_API,
		.args = {KVM_X2APIC_API_USE_32BIT_IDS |
			 KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK},
	};

	if (kvm_value(kvm, KVM_CAP_X2APIC_API) <= 0)
		return 0;
	return ioctl(kvm->vm_fd, KVM_ENABLE_CAP, &cap) ? -errno : 0;
}

int kvm_create_vm(struct kvm *kvm, GError **error)
{
	const char *what;
	int err;

	for (unsigned int i = 0; i < kvm->n_caps; i++) {
		const struct kvm_capability *c = &kvm->caps[i];

		if (c->required && c->value <= 0) {
			g_set_error(error, KVM_ERROR, 0,
				    KVM_DEVICE ": no %s, needed for %s; "
					       "'kvmbus doctor' lists all",
				    c->name, c->purpose);
			return -1;
		}
	}
	do {
		kvm->vm_fd = ioctl(kvm->dev_fd, KVM_CREATE_VM, 0);
	} while (kvm->vm_fd < 0 && errno == EINTR);
	what = "create a VM";
	err = kvm->vm_fd < 0 ? -errno : 0;
	if (!err) {
		what = "create the interrupt controllers";
		err = create_chips(kvm);
	}
	if (!err) {
		what = "use 32-bit APIC ids";
		err = enable_x2apic_ids(kvm);
	}
	if (!err)
		return 0;
	g_set_error(error, KVM_ERROR, -err, KVM_DEVICE ": cannot %s: %s", what,
		    g_strerror(-err));
	return -1;
}

static int set_slot(const struct kvm *kvm, uint32_t number, uint64_t gpa,
		    uint64_t bytes, void *host)
{
	struct kvm_userspace_memory_region region = {
		.slot = number,
		.guest_phys_addr = gpa,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)host,
	};

	if (ioctl(kvm->vm_fd, KVM_SET_USER_MEMORY_REGION, &region))
		return -errno;
	return 0;
}

static uint32_t free_slot_number(const struct kvm *kvm)
{
	uint32_t number = 0;

	for (unsigned int i = 0; i < kvm->slots->len;) {
		if (g_array_index(kvm->slots, struct slot, i).number ==
		    number) {
			number++;
			i = 0;
		} else {
			i++;
		}
	}
	return number;
}

int kvm_map(struct kvm *kvm, uint64_t gpa, uint64_t bytes, void *host)
{
	struct slot slot = {.number = free_slot_number(kvm), .gpa = gpa};
	int err = set_slot(kvm, slot.number, gpa, bytes, host);

	if (!err)
		g_array_append_val(kvm->slots, slot);
	return err;
}

int kvm_unmap(struct kvm *kvm, uint64_t gpa)
{
	for (unsigned int i = 0; i < kvm->slots->len; i++) {
		struct slot *s = &g_array_index(kvm->slots, struct slot, i);

		if (s->gpa == gpa) {
			int err = set_slot(kvm, s->number, gpa, 0, NULL);

			g_array_remove_index_fast(kvm->slots, i);
			return err;
		}
	}
	return -ENOENT;
}

struct kvm_cpuid2 *kvm_supported_cpuid(const struct kvm *kvm)
{
	struct kvm_cpuid2 *cpuid = g_malloc0(
		sizeof(*cpuid) + MAX_CPUID_ENTRIES * sizeof(cpuid->entries[0]));

	cpuid->nent = MAX_CPUID_ENTRIES;
	if (ioctl(kvm->dev_fd, KVM_GET_SUPPORTED_CPUID, cpuid))
		cpuid->nent = 0;
	return cpuid;
}

int kvm_port_event(const struct kvm *kvm, uint16_t port, uint32_t value, int fd,
		   bool on)
{
	struct kvm_ioeventfd event = {
		.datamatch = value,
		.addr = port,
		.len = sizeof(value),
		.fd = fd,
		.flags = KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DATAMATCH |
			 (on ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN),
	};

	return ioctl(kvm->vm_fd, KVM_IOEVENTFD, &event) ? -errno : 0;
}
