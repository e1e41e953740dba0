/* SPDX-License-Identifier: MIT */
/*
 * page.h - the code in the hypercall page.
 *
 * The TLFS leaves the code to the hypervisor: the guest calls the first byte
 * of the page and gets a near return.  Ours traps by a port write with an
 * immediate port, which leaves every register as it is and means the same in
 * 16-, 32- and 64-bit mode.  It opens with ENDBR64, a no-op elsewhere: Linux
 * switches IBT off when it is missing (arch/x86/hyperv/hv_init.c).
 *
 * One call has a port of its own, as most of a busy guest's calls are this
 * one: a 64-bit caller's HvCallSignalEvent that is fast and for flag 0.  It
 * writes the connection id, so that KVM can tell who is signalled and wake
 * that thread itself (KVM_IOEVENTFD), while the guest goes on.
 *
 * Source: TLFS "Establishing the Hypercall Interface (x86/x64)".
 */
#ifndef HYPERCALLS_PAGE_H
#define HYPERCALLS_PAGE_H

#include <stdint.h>

#include "proto/hv_tlfs.h"

/*
 * A write of one byte to this port, whatever the value, is a hypercall.  No
 * PC device answers there, and Linux does not touch it: its port for delays
 * is 0x80, or 0xED on some old laptops.
 */
#define HYPERCALL_PORT 0xEC

/*
 * A write of four bytes to this port is a hypercall, too, for whose connection
 * id nobody waits; the registers are as at the other one, but for RAX: it is
 * the id, and the result is to be added to it.
 */
#define DOORBELL_PORT 0xED

/** hypercall_page_fill() - write the code, and INT3 in the rest of the page */
void hypercall_page_fill(uint8_t page[HV_PAGE_SIZE]);

#endif
