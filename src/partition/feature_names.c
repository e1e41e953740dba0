/* SPDX-License-Identifier: MIT */
/*
 * The TLFS's names of the bits in CPUID leaves 0x40000003, 4 and 6.
 *
 * Source: TLFS "Feature and Interface Discovery (x64)",
 * HV_PARTITION_PRIVILEGE_MASK; TSC_INVARIANT from Linux
 * include/hyperv/hvgdk_mini.h.
 */
#include <stddef.h>

#include "partition/features.h"

static const char *const names[FEATURE_N_WORDS][32] = {
	[FEATURE_EAX] =
		{
			[0] = "AccessVpRunTimeReg",
			[1] = "AccessPartitionReferenceCounter",
			[2] = "AccessSynicRegs",
			[3] = "AccessSyntheticTimerRegs",
			[4] = "AccessIntrCtrlRegs",
			[5] = "AccessHypercallMsrs",
			[6] = "AccessVpIndex",
			[7] = "AccessResetReg",
			[8] = "AccessStatsReg",
			[9] = "AccessPartitionReferenceTsc",
			[10] = "AccessGuestIdleReg",
			[11] = "AccessFrequencyRegs",
			[12] = "AccessDebugRegs",
			[13] = "AccessReenlightenmentControls",
			[15] = "AccessTscInvariantControls",
		},
	[FEATURE_EBX] =
		{
			[0] = "CreatePartitions",
			[1] = "AccessPartitionId",
			[2] = "AccessMemoryPool",
			[3] = "AdjustMessageBuffers",
			[4] = "PostMessages",
			[5] = "SignalEvents",
			[6] = "CreatePort",
			[7] = "ConnectPort",
			[8] = "AccessStats",
			[11] = "Debugging",
			[12] = "CpuManagement",
			[16] = "AccessVSM",
			[17] = "AccessVpRegisters",
			[20] = "EnableExtendedHypercalls",
			[21] = "StartVirtualProcessor",
			[22] = "Isolation",
		},
	[FEATURE_EDX] =
		{
			[0] = "MwaitAvailable",
			[1] = "GuestDebuggingAvailable",
			[2] = "PerformanceMonitorsAvailable",
			[3] = "CpuDynamicPartitioningAvailable",
			[4] = "XmmRegistersForFastHypercallAvailable",
			[5] = "GuestIdleAvailable",
			[6] = "HypervisorSleepStateSupportAvailable",
			[7] = "NumaDistanceQueryAvailable",
			[8] = "FrequencyRegsAvailable",
			[9] = "SyntheticMachineCheckAvailable",
			[10] = "GuestCrashRegsAvailable",
			[11] = "DebugRegsAvailable",
			[12] = "NpiepAvailable",
			[13] = "DisableHypervisorAvailable",
			[14] = "ExtendedGvaRangesForFlushVirtualAddressListAvai"
			       "lable",
			[15] = "FastHypercallOutputAvailable",
			[17] = "SintPollingModeAvailable",
			[18] = "HypercallMsrLockAvailable",
			[19] = "DirectSyntheticTimers",
		},
	[FEATURE_HINTS] =
		{
			[0] = "UseHypercallForAddressSpaceSwitch",
			[1] = "UseHypercallForLocalFlush",
			[2] = "UseHypercallForRemoteFlush",
			[3] = "UseApicMsrs",
			[4] = "UseMsrForReset",
			[5] = "UseRelaxedTiming",
			[6] = "UseDmaRemapping",
			[7] = "UseInterruptRemapping",
			[8] = "UseX2ApicMsrs",
			[9] = "DeprecateAutoEoi",
			[10] = "UseSyntheticClusterIpi",
			[11] = "UseExProcessorMasks",
			[12] = "Nested",
			[13] = "UseIntForMbecSystemCalls",
			[14] = "UseVmcsEnlightenments",
			[15] = "UseSyncedTimeline",
			[17] = "UseDirectLocalFlushEntire",
			[18] = "NoNonArchitecturalCoreSharing",
			[21] = "UseHypercallForMmioAccess",
		},
	[FEATURE_HARDWARE] =
		{
			[0] = "ApicOverlayAssistInUse",
			[1] = "MsrBitmapsInUse",
			[2] = "ArchitecturalPerformanceCountersInUse",
			[3] = "SecondLevelAddressTranslationInUse",
			[4] = "DmaRemappingInUse",
			[5] = "InterruptRemappingInUse",
			[6] = "MemoryPatrolScrubberPresent",
			[7] = "DmaProtectionInUse",
			[8] = "HpetRequested",
			[9] = "SyntheticTimersVolatile",
		},
};

const char *feature_name(enum feature_word word, unsigned int bit)
{
	return names[word][bit];
}
