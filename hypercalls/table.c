/* SPDX-License-Identifier: MIT */
#include "hypercalls/table.h"

#include <stddef.h>

/* A privilege of leaf 3 EBX, as it stands in HV_PARTITION_PRIVILEGE_MASK. */
#define EBX(bit) ((uint64_t)(bit) << 32)

#define FLUSH_HINTS                            \
	(HV_X64_REMOTE_TLB_FLUSH_RECOMMENDED | \
	 HV_X64_LOCAL_TLB_FLUSH_RECOMMENDED)

/* clang-format off */
static const struct hypercall_row table[] = {
	{
		.code = HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE,
		.name = "FlushVirtualAddressSpace",
		.input_bytes = sizeof(struct hv_tlb_flush),
		.hint = FLUSH_HINTS,
		.handler = hc_flush_space,
	}, {
		.code = HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST,
		.name = "FlushVirtualAddressList",
		.input_bytes = sizeof(struct hv_tlb_flush),
		.rep = true,
		.rep_input_bytes = sizeof(uint64_t),
		.hint = FLUSH_HINTS,
		.handler = hc_flush_list,
	}, {
		.code = HVCALL_NOTIFY_LONG_SPIN_WAIT,
		.name = "NotifyLongSpinWait",
		.input_bytes = sizeof(uint64_t),
		.handler = hc_notify_long_spin_wait,
	}, {
		.code = HVCALL_SEND_IPI,
		.name = "SendSyntheticClusterIpi",
		.input_bytes = sizeof(struct hv_send_ipi),
		.hint = HV_X64_CLUSTER_IPI_RECOMMENDED,
		.handler = hc_send_ipi,
	}, {
		.code = HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX,
		.name = "FlushVirtualAddressSpaceEx",
		.input_bytes = sizeof(struct hv_tlb_flush_ex),
		.var_header = true,
		.hint = HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED,
		.needs_hint = true,
		.handler = hc_flush_space_ex,
	}, {
		.code = HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX,
		.name = "FlushVirtualAddressListEx",
		.input_bytes = sizeof(struct hv_tlb_flush_ex),
		.var_header = true,
		.rep = true,
		.rep_input_bytes = sizeof(uint64_t),
		.hint = HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED,
		.needs_hint = true,
		.handler = hc_flush_list_ex,
	}, {
		.code = HVCALL_SEND_IPI_EX,
		.name = "SendSyntheticClusterIpiEx",
		.input_bytes = sizeof(struct hv_send_ipi_ex),
		.var_header = true,
		.hint = HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED,
		.needs_hint = true,
		.handler = hc_send_ipi_ex,
	}, {
		/* No partition of ours has the privilege: a guest that has it
		 * takes itself for more than an ordinary guest (Linux 6.1). */
		.code = HVCALL_GET_PARTITION_ID,
		.name = "GetPartitionId",
		.output_bytes = sizeof(uint64_t),
		.privilege = EBX(HV_ACCESS_PARTITION_ID),
	}, {
		.code = HVCALL_GET_VP_REGISTERS,
		.name = "GetVpRegisters",
		.input_bytes = sizeof(struct hv_vp_register_header),
		.rep = true,
		.rep_input_bytes = sizeof(uint32_t),
		.rep_output_bytes = sizeof(struct hv_register_value),
		.privilege = EBX(HV_ACCESS_VP_REGISTERS),
		.handler = hc_get_vp_registers,
	}, {
		.code = HVCALL_SET_VP_REGISTERS,
		.name = "SetVpRegisters",
		.input_bytes = sizeof(struct hv_vp_register_header),
		.rep = true,
		.rep_input_bytes = sizeof(struct hv_register_assoc),
		.privilege = EBX(HV_ACCESS_VP_REGISTERS),
		.handler = hc_set_vp_registers,
	}, {
		.code = HVCALL_POST_MESSAGE,
		.name = "PostMessage",
		.input_bytes = sizeof(struct hv_input_post_message),
		.privilege = EBX(HV_POST_MESSAGES),
		.handler = hc_post_message,
	}, {
		.code = HVCALL_SIGNAL_EVENT,
		.name = "SignalEvent",
		.input_bytes = sizeof(struct hv_input_signal_event),
		.privilege = EBX(HV_SIGNAL_EVENTS),
		.handler = hc_signal_event,
	}, {
		/* Comes with virtual PCI. */
		.code = HVCALL_RETARGET_INTERRUPT,
		.name = "RetargetDeviceInterrupt",
	}, {
		/* Guests with VTLs or SEV-SNP only. */
		.code = HVCALL_START_VP,
		.name = "StartVirtualProcessor",
		.privilege = EBX(HV_START_VIRTUAL_PROCESSOR),
	}, {
		.code = HVCALL_GET_VP_INDEX_FROM_APIC_ID,
		.name = "GetVpIndexFromApicId",
		.input_bytes = sizeof(struct hv_get_vp_from_apic_id_in),
		.rep = true,
		.rep_input_bytes = sizeof(uint32_t),
		.rep_output_bytes = sizeof(uint32_t),
		.handler = hc_get_vp_index_from_apic_id,
	}, {
		/* Guests that run guests of their own only. */
		.code = HVCALL_FLUSH_GUEST_PHYSICAL_ADDRESS_SPACE,
		.name = "FlushGuestPhysicalAddressSpace",
	}, {
		.code = HVCALL_FLUSH_GUEST_PHYSICAL_ADDRESS_LIST,
		.name = "FlushGuestPhysicalAddressList",
	}, {
		/* Confidential guests only. */
		.code = HVCALL_MODIFY_SPARSE_GPA_PAGE_HOST_VISIBILITY,
		.name = "ModifySparseGpaPageHostVisibility",
	}, {
		/* Virtual PCI of confidential guests. */
		.code = HVCALL_MMIO_READ,
		.name = "MmioRead",
		.hint = HV_X64_USE_MMIO_HYPERCALLS,
	}, {
		.code = HVCALL_MMIO_WRITE,
		.name = "MmioWrite",
		.hint = HV_X64_USE_MMIO_HYPERCALLS,
	}, {
		.code = HV_EXT_CALL_QUERY_CAPABILITIES,
		.name = "ExtCallQueryCapabilities",
		.output_bytes = sizeof(uint64_t),
		.privilege = EBX(HV_ENABLE_EXTENDED_HYPERCALLS),
		.handler = hc_ext_query_capabilities,
	}, {
		.code = HV_EXT_CALL_GET_BOOT_ZEROED_MEMORY,
		.name = "ExtCallGetBootZeroedMemory",
		.output_bytes = sizeof(struct hv_ext_boot_zeroed_memory),
		.privilege = EBX(HV_ENABLE_EXTENDED_HYPERCALLS),
		.handler = hc_ext_get_boot_zeroed_memory,
	}, {
		.code = HV_EXT_CALL_MEMORY_HEAT_HINT,
		.name = "ExtCallMemoryHeatHint",
		.input_bytes = sizeof(uint64_t),
		.rep = true,
		.rep_input_bytes = sizeof(uint64_t),
		.privilege = EBX(HV_ENABLE_EXTENDED_HYPERCALLS),
		.handler = hc_ext_memory_heat_hint,
	},
};
/* clang-format on */

#define N_ROWS (sizeof(table) / sizeof(table[0]))

const struct hypercall_row *hypercall_table(unsigned int *n_rows)
{
	if (n_rows)
		*n_rows = N_ROWS;
	return table;
}

const struct hypercall_row *hypercall_find(uint16_t code)
{
	size_t low = 0, high = N_ROWS;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (table[mid].code == code)
			return &table[mid];
		if (table[mid].code < code)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

uint64_t hypercall_table_privileges(void)
{
	uint64_t have = 0, missing = 0;

	for (size_t i = 0; i < N_ROWS; i++) {
		if (table[i].handler)
			have |= table[i].privilege;
		else
			missing |= table[i].privilege;
	}
	return have & ~missing;
}

uint32_t hypercall_table_hints(void)
{
	uint32_t have = 0, missing = 0;

	for (size_t i = 0; i < N_ROWS; i++) {
		if (table[i].handler)
			have |= table[i].hint;
		else
			missing |= table[i].hint;
	}
	return have & ~missing;
}

uint32_t hypercall_table_features(void)
{
	return HV_X64_HYPERCALL_XMM_INPUT_AVAILABLE |
	       HV_X64_HYPERCALL_XMM_OUTPUT_AVAILABLE |
	       HV_FEATURE_EXT_GVA_RANGES_FLUSH_VA_LIST;
}
