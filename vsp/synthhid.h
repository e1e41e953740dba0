/* SPDX-License-Identifier: MIT */
/*
 * synthhid.h - the mouse on VMbus: a pointer with absolute coordinates, five
 * buttons and a wheel.
 *
 * The host says where the pointer is; reports are queued and the guest's
 * driver gets them in order.  As with the keyboard the queue is bounded and
 * only open while there is a driver.
 *
 * Thread: any.  Lock: one, a leaf.
 * Source: Linux drivers/hid/hid-hyperv.c; OpenVMM uidevices/src/mouse.
 */
#ifndef VSP_SYNTHHID_H
#define VSP_SYNTHHID_H

#include <stdbool.h>
#include <stdint.h>

struct synthhid;
struct vsp_ops;
struct vsp_params;

/* Reports that may wait for the guest. */
#define SYNTHHID_QUEUE_MAX 256u

/* Both coordinates: 0 is left and top, this is right and bottom. */
#define SYNTHHID_POSITION_MAX 32767u

#define SYNTHHID_BUTTON_LEFT   (1u << 0)
#define SYNTHHID_BUTTON_RIGHT  (1u << 1)
#define SYNTHHID_BUTTON_MIDDLE (1u << 2)
#define SYNTHHID_BUTTONS_ALL   0x1Fu

#define SYNTHHID_WHEEL_MAX 127

struct synthhid_status {
	bool ready; /* the guest's driver reads reports */
	uint16_t x, y;
	uint8_t buttons; /* that are down */
	unsigned int n_waiting;
	uint64_t reports; /* that the guest got */
	uint64_t dropped; /* that waited when the guest let go */
};

/**
 * synthhid_new() - offer a mouse, in the middle
 *
 * Return: owned; NULL when the instance is taken.
 */
struct synthhid *synthhid_new(const struct vsp_params *params);
void synthhid_free(struct synthhid *hid);

/*
 * All return: 0; -ENOTCONN the guest has no driver for it; -ENOBUFS too many
 * reports wait already; -EINVAL out of range.
 */

/** synthhid_move() - the pointer is there now */
int synthhid_move(struct synthhid *hid, uint32_t x, uint32_t y);

/** synthhid_press() - exactly these buttons are down now */
int synthhid_press(struct synthhid *hid, uint32_t buttons);

/** synthhid_click() - these buttons go down, and up again */
int synthhid_click(struct synthhid *hid, uint32_t buttons);

/** synthhid_scroll() - turn the wheel; positive is away from the user */
int synthhid_scroll(struct synthhid *hid, int steps);

void synthhid_get_status(struct synthhid *hid, struct synthhid_status *status);

extern const struct vsp_ops synthhid_ops;

#endif
