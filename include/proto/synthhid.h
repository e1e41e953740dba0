/* SPDX-License-Identifier: MIT */
/*
 * synthhid.h - messages of the mouse on VMbus, each behind a pipe header
 * (vmbus.h).
 *
 * Names as in Linux drivers/hid/hid-hyperv.c; the HID descriptor is that of
 * "Device Class Definition for HID 1.11", 6.2.1.
 */
#ifndef PROTO_SYNTHHID_H
#define PROTO_SYNTHHID_H

#include "proto/wire.h"

/* major << 16 | minor: the only one that guests ask for */
#define SYNTHHID_INPUT_VERSION 0x00020000u

#define SYNTH_HID_PROTOCOL_REQUEST        0 /* of the guest */
#define SYNTH_HID_PROTOCOL_RESPONSE       1
#define SYNTH_HID_INITIAL_DEVICE_INFO     2 /* follows the response */
#define SYNTH_HID_INITIAL_DEVICE_INFO_ACK 3 /* of the guest */
#define SYNTH_HID_INPUT_REPORT            4

struct synthhid_msg_hdr {
	uint32_t type;
	uint32_t size; /* of what follows */
} __attribute__((packed));
WIRE_SIZE(struct synthhid_msg_hdr, 8);

struct synthhid_protocol_request {
	struct synthhid_msg_hdr header;
	uint32_t version_requested;
} __attribute__((packed));
WIRE_SIZE(struct synthhid_protocol_request, 12);

struct synthhid_protocol_response {
	struct synthhid_msg_hdr header;
	uint32_t version_requested;
	uint8_t approved;
} __attribute__((packed));
WIRE_SIZE(struct synthhid_protocol_response, 13);

/* Linux binds its driver to these only (mousevsc_devices) */
#define SYNTHHID_VENDOR_ID  0x045Eu
#define SYNTHHID_PRODUCT_ID 0x0621u

struct hv_input_dev_info {
	uint32_t size; /* of this struct */
	uint16_t vendor;
	uint16_t product;
	uint16_t version;
	uint16_t reserved[11];
} __attribute__((packed));
WIRE_SIZE(struct hv_input_dev_info, 32);

#define HID_DT_HID    0x21
#define HID_DT_REPORT 0x22

struct hid_descriptor {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint16_t bcdHID;
	uint8_t bCountryCode;
	uint8_t bNumDescriptors;
	uint8_t bReportType;
	uint16_t wReportLength;
} __attribute__((packed));
WIRE_SIZE(struct hid_descriptor, 9);

struct synthhid_device_info {
	struct synthhid_msg_hdr header;
	struct hv_input_dev_info hid_dev_info;
	struct hid_descriptor hid_descriptor;
	/* the report descriptor */
} __attribute__((packed));
WIRE_SIZE(struct synthhid_device_info, 49);

struct synthhid_device_info_ack {
	struct synthhid_msg_hdr header;
	uint8_t reserved;
} __attribute__((packed));
WIRE_SIZE(struct synthhid_device_info_ack, 9);

/* SYNTH_HID_INPUT_REPORT is a header and a report of that size. */

#endif
