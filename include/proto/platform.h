/* SPDX-License-Identifier: MIT */
/*
 * platform.h - where the PC platform has its ports and interrupts.
 *
 * The ACPI tables tell the guest, the devices answer there; both take the
 * numbers from here.  src/boot/dsdt.asl includes this file as it is, so it
 * holds nothing but #define lines with plain numbers, one to a line.
 */
#ifndef PROTO_PLATFORM_H
#define PROTO_PLATFORM_H

/* Interrupt controllers, in the hole below 4 GiB. */
#define PLATFORM_IOAPIC_BASE 0xFEC00000
#define PLATFORM_IOAPIC_ID   0
#define PLATFORM_LAPIC_BASE  0xFEE00000

/* ISA interrupt 0 (the PIT) is wired to this input of the IOAPIC. */
#define PLATFORM_PIT_GSI 2

/*
 * ACPI fixed hardware, ACPI 6.3 section 4.8.3.  There is no SMI command port,
 * so the machine is always in ACPI mode: SCI_EN reads as 1 from reset on.
 * PM1 enable follows PM1 status by two bytes.  The timer has 32 bits and runs
 * at 3.579545 MHz.
 */
#define PLATFORM_PM1_EVT_PORT  0x400
#define PLATFORM_PM1_EVT_BYTES 4
#define PLATFORM_PM1_CNT_PORT  0x404
#define PLATFORM_PM1_CNT_BYTES 2
#define PLATFORM_PM_TMR_PORT   0x408
#define PLATFORM_PM_TMR_BYTES  4
#define PLATFORM_PM_TMR_HZ     3579545
#define PLATFORM_SCI_IRQ       9

/* What the guest puts into SLP_TYPx of PM1 control, with SLP_EN, for S5. */
#define PLATFORM_SLP_TYP_S5 5

/* The FADT's reset register: a byte with this value resets the machine. */
#define PLATFORM_RESET_PORT  0xCF9
#define PLATFORM_RESET_VALUE 0x06

/* 16550 serial ports. */
#define PLATFORM_COM1_PORT  0x3F8
#define PLATFORM_COM1_IRQ   4
#define PLATFORM_COM2_PORT  0x2F8
#define PLATFORM_COM2_IRQ   3
/* As nobody else has: no interrupt is shared. */
#define PLATFORM_COM3_PORT  0x3E8
#define PLATFORM_COM3_IRQ   5
#define PLATFORM_COM4_PORT  0x2E8
#define PLATFORM_COM4_IRQ   7
#define PLATFORM_UART_BYTES 8

/* CMOS and real-time clock; the register that holds the century. */
#define PLATFORM_RTC_PORT    0x70
#define PLATFORM_RTC_BYTES   2
#define PLATFORM_RTC_IRQ     8
#define PLATFORM_RTC_CENTURY 0x32

/* i8042 keyboard controller. */
#define PLATFORM_I8042_DATA_PORT 0x60
#define PLATFORM_I8042_CMD_PORT  0x64
#define PLATFORM_I8042_KBD_IRQ   1

/* For test guests, when asked for: not in the ACPI tables. */
#define PLATFORM_DEBUGCON_PORT   0xE9
#define PLATFORM_EXIT_PORT       0xF4
#define PLATFORM_EXIT_BYTES      4
#define PLATFORM_HV_TESTDEV_PORT 0x3000

#endif
