/* SPDX-License-Identifier: MIT */
/*
 * The devices of the platform that are always the same.  What depends on the
 * machine is in the SSDT that src/boot/ssdt.c writes: which of the devices
 * below are there (SERN, KBDP), the processors, and VMOD's windows (_CRS).
 */
#include "proto/platform.h"

DefinitionBlock ("dsdt.aml", "DSDT", 2, "VRTUAL", "MICROSFT", 0x00000001)
{
    /* serial ports that are there; is there a keyboard controller? */
    External (\SERN, IntObj)
    External (\KBDP, IntObj)

    Name (\_S5, Package () { PLATFORM_SLP_TYP_S5, PLATFORM_SLP_TYP_S5, 0, 0 })

    Scope (\_SB)
    {
        Device (COM1)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 1)
            Name (_DDN, "COM1")
            Method (_STA) { If (\SERN >= 1) { Return (0x0F) } Return (0) }
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, PLATFORM_COM1_PORT, PLATFORM_COM1_PORT, 1, PLATFORM_UART_BYTES)
                IRQNoFlags () { PLATFORM_COM1_IRQ }
            })
        }

        Device (COM2)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 2)
            Name (_DDN, "COM2")
            Method (_STA) { If (\SERN >= 2) { Return (0x0F) } Return (0) }
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, PLATFORM_COM2_PORT, PLATFORM_COM2_PORT, 1, PLATFORM_UART_BYTES)
                IRQNoFlags () { PLATFORM_COM2_IRQ }
            })
        }

        Device (COM3)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 3)
            Name (_DDN, "COM3")
            Method (_STA) { If (\SERN >= 3) { Return (0x0F) } Return (0) }
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, PLATFORM_COM3_PORT, PLATFORM_COM3_PORT, 1, PLATFORM_UART_BYTES)
                IRQNoFlags () { PLATFORM_COM3_IRQ }
            })
        }

        Device (COM4)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 4)
            Name (_DDN, "COM4")
            Method (_STA) { If (\SERN >= 4) { Return (0x0F) } Return (0) }
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, PLATFORM_COM4_PORT, PLATFORM_COM4_PORT, 1, PLATFORM_UART_BYTES)
                IRQNoFlags () { PLATFORM_COM4_IRQ }
            })
        }

        Device (RTC0)
        {
            Name (_HID, EisaId ("PNP0B00"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, PLATFORM_RTC_PORT, PLATFORM_RTC_PORT, 1, PLATFORM_RTC_BYTES)
                IRQNoFlags () { PLATFORM_RTC_IRQ }
            })
        }

        Device (PS2K)
        {
            Name (_HID, EisaId ("PNP0303"))
            Name (_CID, EisaId ("PNP030B"))
            Method (_STA) { If (\KBDP) { Return (0x0F) } Return (0) }
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, PLATFORM_I8042_DATA_PORT, PLATFORM_I8042_DATA_PORT, 1, 1)
                IO (Decode16, PLATFORM_I8042_CMD_PORT, PLATFORM_I8042_CMD_PORT, 1, 1)
                IRQNoFlags () { PLATFORM_I8042_KBD_IRQ }
            })
        }

        /*
         * The module device that owns VMBus' MMIO windows.  Linux takes them
         * from the _CRS (in the SSDT) of the nearest ancestor of VMBS that
         * has memory ranges, drivers/hv/vmbus_drv.c:vmbus_acpi_add(), and
         * 5.10 does not survive finding none.
         */
        Device (VMOD)
        {
            Name (_HID, "ACPI0004")
            Name (_UID, 0)

            Device (VMBS)
            {
                Name (STA, 0x0F)
                Name (_HID, "VMBus")
                Name (_DDN, "VMBUS")
                Name (_UID, 0)
                Method (_STA) { Return (STA) }
                Method (_DIS) { STA &= 0x0D }
                Method (_PS0) { STA |= 0x0F }
                Method (_PS3) { }
                Name (_CRS, ResourceTemplate () { })
            }
        }
    }
}
