/* SPDX-License-Identifier: MIT */
/*
 * synthkbd.h - messages of the keyboard on VMbus.
 *
 * Names as in Linux drivers/input/serio/hyperv-keyboard.c.
 */
#ifndef PROTO_SYNTHKBD_H
#define PROTO_SYNTHKBD_H

#include "proto/wire.h"

/* major << 16 | minor: the only one there is */
#define SYNTH_KBD_VERSION 0x00010000u

#define SYNTH_KBD_PROTOCOL_REQUEST  1 /* of the guest */
#define SYNTH_KBD_PROTOCOL_RESPONSE 2 /* in-band, not a completion */
#define SYNTH_KBD_EVENT             3 /* of the host */
#define SYNTH_KBD_LED_INDICATORS    4 /* of the guest; Linux has none */

struct synth_kbd_msg_hdr {
	uint32_t type;
} __attribute__((packed));
WIRE_SIZE(struct synth_kbd_msg_hdr, 4);

struct synth_kbd_protocol_request {
	struct synth_kbd_msg_hdr header;
	uint32_t version_requested;
} __attribute__((packed));
WIRE_SIZE(struct synth_kbd_protocol_request, 8);

/* proto_status (Linux: PROTOCOL_ACCEPTED) */
#define SYNTH_KBD_PROTOCOL_ACCEPTED (1u << 0)

struct synth_kbd_protocol_response {
	struct synth_kbd_msg_hdr header;
	uint32_t proto_status;
} __attribute__((packed));
WIRE_SIZE(struct synth_kbd_protocol_response, 8);

/* info of a keystroke (Linux: IS_UNICODE and so on) */
#define SYNTH_KBD_IS_UNICODE (1u << 0)
#define SYNTH_KBD_IS_BREAK   (1u << 1)
#define SYNTH_KBD_IS_E0      (1u << 2)
#define SYNTH_KBD_IS_E1      (1u << 3)

struct synth_kbd_keystroke {
	struct synth_kbd_msg_hdr header;
	uint16_t make_code; /* AT set 1, without prefix and break bit */
	uint16_t reserved0;
	uint32_t info;
} __attribute__((packed));
WIRE_SIZE(struct synth_kbd_keystroke, 12);
WIRE_FIELD(struct synth_kbd_keystroke, info, 8);

/* OpenVMM: MessageLedIndicatorsState */
#define SYNTH_KBD_LED_SCROLL_LOCK (1u << 0)
#define SYNTH_KBD_LED_NUM_LOCK    (1u << 1)
#define SYNTH_KBD_LED_CAPS_LOCK   (1u << 2)

struct synth_kbd_led_indicators {
	struct synth_kbd_msg_hdr header;
	uint16_t led_flags;
	uint16_t padding;
} __attribute__((packed));
WIRE_SIZE(struct synth_kbd_led_indicators, 8);

#endif
