/* SPDX-License-Identifier: MIT */
#include "devices/legacy_ports.h"

#include <stdint.h>

#include <glib.h>

#include "devices/bus.h"
#include "proto/platform.h"

/* Who pokes them: Linux, unless said otherwise. */
static const struct {
	uint16_t base;
	uint16_t len;
	const char *name;
} legacy[] = {
	{0x00, 0x10, "dma-1"}, /* dma.c */
	{0x80, 1, "post"}, /* io_delay.c, on every inb_p() and outb_p() */
	{0x81, 0x0F, "dma-page"}, /* i8237.c */
	{0xC0, 0x20, "dma-2"},
	{0xED, 1, "io-delay"}, /* io_delay=0xed */
	{0xF0, 2, "fpu"}, /* i387 error latch */
	{PLATFORM_COM1_PORT, 8, "com1"}, /* asm/serial.h */
	{PLATFORM_COM2_PORT, 8, "com2"},
	{0x3E8, 8, "com3"},
	{0x2E8, 8, "com4"},
	{0x3B0, 0x30, "vga"}, /* vgacon.c, early_printk.c */
	{0x5658, 4, "vmware"}, /* cpu/vmware.c, open-vm-tools */
};

static const struct bus_ops empty_ops = {NULL, NULL, 0};

void legacy_ports_attach(struct bus *pio)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(legacy); i++) {
		/* Taken: somebody is there after all. */
		(void)bus_add(pio, legacy[i].base, legacy[i].len,
			      legacy[i].name, &empty_ops, NULL);
	}
}
