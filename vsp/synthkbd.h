/* SPDX-License-Identifier: MIT */
/*
 * synthkbd.h - the keyboard on VMbus.
 *
 * The host types: synthkbd_type() queues keys, the guest's driver gets them in
 * order.  The queue is bounded, and only open while a driver has said that it
 * understands us: what nobody would read is refused, not kept.  Linux drops
 * what comes before a user of the keyboard (atkbd) is bound.
 *
 * Thread: any.  Lock: one, a leaf.
 * Source: Linux drivers/input/serio/hyperv-keyboard.c; OpenVMM
 * uidevices/src/keyboard.
 */
#ifndef VSP_SYNTHKBD_H
#define VSP_SYNTHKBD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct synthkbd;
struct vsp_ops;
struct vsp_params;

/* Keys (presses and releases) that may wait for the guest. */
#define SYNTHKBD_QUEUE_MAX 1024u

/* A key goes down or up (scancodes.h makes them from text). */
struct synthkbd_key {
	uint16_t make_code; /* AT set 1, below 0x80 */
	uint16_t info; /* SYNTH_KBD_IS_… but for unicode */
};

struct synthkbd_status {
	bool ready; /* the guest's driver reads keys */
	uint16_t leds; /* SYNTH_KBD_LED_…, as the guest last said */
	unsigned int n_waiting;
	uint64_t typed; /* keys that the guest got */
	uint64_t dropped; /* keys that waited when the guest let go */
};

/**
 * synthkbd_new() - offer a keyboard
 *
 * Return: owned; NULL when the instance is taken.
 */
struct synthkbd *synthkbd_new(const struct vsp_params *params);
void synthkbd_free(struct synthkbd *kbd);

/**
 * synthkbd_type() - type @n keys: all of them, or none
 *
 * Return: 0; -ENOTCONN the guest has no driver for it; -ENOBUFS too many wait
 * already; -EINVAL no such code.
 */
int synthkbd_type(struct synthkbd *kbd, const struct synthkbd_key *keys,
		  size_t n);

void synthkbd_get_status(struct synthkbd *kbd, struct synthkbd_status *status);

extern const struct vsp_ops synthkbd_ops;

#endif
