/* SPDX-License-Identifier: MIT */
#include "vsp/synthhid.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <glib.h>

#include "base/log.h"
#include "proto/guids.h"
#include "proto/synthhid.h"
#include "proto/vmbus.h"
#include "vsp/vmbus/channel.h"
#include "vsp/vsp.h"

#define LOG_CATEGORY "mouse"

/* Longest packet of the guest: none is. */
#define MESSAGE_MAX 256u

/* Response and device info, with what two packets cost: more than enough. */
#define ANSWERS_BYTES 256u

#define DEVICE_VERSION 1

/* What it reports, as the descriptor below has it. */
struct report {
	uint8_t buttons;
	uint16_t x, y;
	int8_t wheel;
} __attribute__((packed));

/*
 * "Device Class Definition for HID 1.11", appendix E.10, with five buttons,
 * absolute coordinates and a wheel ("HID Usage Tables": page 1 is Generic
 * Desktop, 9 Button).
 *
 * Linux puts 0x29 where byte 14 is 0x25, for hosts that meant a usage maximum
 * and wrote a logical one (mousevsc_probe(), "workaround SA-167"): here it is
 * a usage maximum.
 */
static const uint8_t report_descriptor[] = {
	0x05, 0x01, /* usage page: Generic Desktop */
	0x09, 0x02, /* usage: Mouse */
	0xA1, 0x01, /* collection: application */
	0x09, 0x01, /*   usage: Pointer */
	0xA1, 0x00, /*   collection: physical */
	0x05, 0x09, /*     usage page: Button */
	0x19, 0x01, 0x29, 0x05, /* usages 1 to 5 */
	0x15, 0x00, 0x25, 0x01, /* 0 or 1 */
	0x95, 0x05, 0x75, 0x01, /* five of one bit */
	0x81, 0x02, /*     input: absolute */
	0x95, 0x01, 0x75, 0x03, /* three bits of */
	0x81, 0x01, /*     padding */
	0x05, 0x01, /*     usage page: Generic Desktop */
	0x09, 0x30, 0x09, 0x31, /* usages: X, Y */
	0x15, 0x00, 0x26, 0xFF, 0x7F, /* 0 to 32767 */
	0x95, 0x02, 0x75, 0x10, /* two of 16 bits */
	0x81, 0x02, /*     input: absolute */
	0x09, 0x38, /*     usage: Wheel */
	0x15, 0x81, 0x25, 0x7F, /* -127 to 127 */
	0x95, 0x01, 0x75, 0x08, /* one of 8 bits */
	0x81, 0x06, /*     input: relative */
	0xC0, /*           end */
	0xC0, /*         end */
};

struct device_info {
	struct synthhid_device_info fixed;
	uint8_t descriptor[sizeof(report_descriptor)];
} __attribute__((packed));

enum state {
	WANT_REQUEST,
	WANT_ACK, /* the device info was sent */
	READY,
};

struct synthhid {
	/* set once */
	struct channel *ch;
	struct vsp_params params;

	/* the worker */
	enum state state;

	pthread_mutex_t lock;
	/* lock; only the worker takes reports out */
	struct synthhid_status status;
	struct report reports[SYNTHHID_QUEUE_MAX]; /* a ring */
	unsigned int first;
};

/* --- reports for the guest --------------------------------------------------- */

static bool first_report(struct synthhid *hid, struct report *report)
{
	bool any;

	pthread_mutex_lock(&hid->lock);
	any = hid->status.ready && hid->status.n_waiting;
	*report = hid->reports[hid->first];
	pthread_mutex_unlock(&hid->lock);
	return any;
}

static void drop_first_report(struct synthhid *hid)
{
	pthread_mutex_lock(&hid->lock);
	hid->first = (hid->first + 1) % SYNTHHID_QUEUE_MAX;
	hid->status.n_waiting--;
	hid->status.reports++;
	pthread_mutex_unlock(&hid->lock);
}

/* Send what waits, until the ring is full: then this is called again. */
static void send_reports(void *ctx)
{
	struct synthhid *hid = ctx;
	struct {
		struct synthhid_msg_hdr header;
		struct report report;
	} __attribute__((packed)) m = {
		.header = {.type = SYNTH_HID_INPUT_REPORT,
			   .size = sizeof(struct report)},
	};

	while (first_report(hid, &m.report)) {
		if (channel_send_pipe(hid->ch, &m, sizeof(m)))
			return;
		drop_first_report(hid);
	}
}

/* With the lock, and room. */
static void add_report(struct synthhid *hid, uint8_t buttons, int wheel)
{
	const struct synthhid_status *s = &hid->status;
	unsigned int at = (hid->first + s->n_waiting) % SYNTHHID_QUEUE_MAX;

	hid->reports[at] = (struct report){.buttons = buttons,
					   .x = s->x,
					   .y = s->y,
					   .wheel = (int8_t)wheel};
	hid->status.n_waiting++;
}

/* Lock the queue, if there are to be @n more.  Return: 0 and it is locked. */
static int begin(struct synthhid *hid, unsigned int n)
{
	int err = 0;

	pthread_mutex_lock(&hid->lock);
	if (!hid->status.ready)
		err = -ENOTCONN;
	else if (n > SYNTHHID_QUEUE_MAX - hid->status.n_waiting)
		err = -ENOBUFS;
	if (err)
		pthread_mutex_unlock(&hid->lock);
	return err;
}

static void end(struct synthhid *hid)
{
	pthread_mutex_unlock(&hid->lock);
	channel_wake(hid->ch);
}

int synthhid_move(struct synthhid *hid, uint32_t x, uint32_t y)
{
	int err;

	if (x > SYNTHHID_POSITION_MAX || y > SYNTHHID_POSITION_MAX)
		return -EINVAL;
	err = begin(hid, 1);
	if (err)
		return err;
	hid->status.x = (uint16_t)x;
	hid->status.y = (uint16_t)y;
	add_report(hid, hid->status.buttons, 0);
	end(hid);
	return 0;
}

int synthhid_press(struct synthhid *hid, uint32_t buttons)
{
	int err;

	if (buttons & ~SYNTHHID_BUTTONS_ALL)
		return -EINVAL;
	err = begin(hid, 1);
	if (err)
		return err;
	hid->status.buttons = (uint8_t)buttons;
	add_report(hid, hid->status.buttons, 0);
	end(hid);
	return 0;
}

int synthhid_click(struct synthhid *hid, uint32_t buttons)
{
	int err;

	if (!buttons || buttons & ~SYNTHHID_BUTTONS_ALL)
		return -EINVAL;
	err = begin(hid, 2);
	if (err)
		return err;
	add_report(hid, hid->status.buttons | (uint8_t)buttons, 0);
	hid->status.buttons &= (uint8_t)~buttons;
	add_report(hid, hid->status.buttons, 0);
	end(hid);
	return 0;
}

int synthhid_scroll(struct synthhid *hid, int steps)
{
	int err;

	if (!steps || steps > SYNTHHID_WHEEL_MAX || steps < -SYNTHHID_WHEEL_MAX)
		return -EINVAL;
	err = begin(hid, 1);
	if (err)
		return err;
	add_report(hid, hid->status.buttons, steps);
	end(hid);
	return 0;
}

void synthhid_get_status(struct synthhid *hid, struct synthhid_status *status)
{
	pthread_mutex_lock(&hid->lock);
	*status = hid->status;
	pthread_mutex_unlock(&hid->lock);
}

/* --- messages of the guest ----------------------------------------------------- */

/* A new driver knows nothing of buttons that are down. */
static void set_state(struct synthhid *hid, enum state state)
{
	struct synthhid_status *s = &hid->status;

	hid->state = state;
	pthread_mutex_lock(&hid->lock);
	s->ready = state == READY;
	s->buttons = 0;
	s->dropped += s->n_waiting;
	s->n_waiting = 0;
	pthread_mutex_unlock(&hid->lock);
}

static int send_device_info(struct synthhid *hid)
{
	struct device_info m = {
		.fixed.header = {.type = SYNTH_HID_INITIAL_DEVICE_INFO,
				 .size = sizeof(m) - sizeof(m.fixed.header)},
		.fixed.hid_dev_info = {.size = sizeof(m.fixed.hid_dev_info),
				       .vendor = SYNTHHID_VENDOR_ID,
				       .product = SYNTHHID_PRODUCT_ID,
				       .version = DEVICE_VERSION},
		.fixed.hid_descriptor = {.bLength =
						 sizeof(struct hid_descriptor),
					 .bDescriptorType = HID_DT_HID,
					 .bcdHID = 0x0101,
					 .bNumDescriptors = 1,
					 .bReportType = HID_DT_REPORT,
					 .wReportLength =
						 sizeof(report_descriptor)},
	};

	memcpy(m.descriptor, report_descriptor, sizeof(m.descriptor));
	return channel_send_pipe(hid->ch, &m, sizeof(m));
}

/*
 * The device info follows at once: the guest waits for both, one after the
 * other, and sends no request for the second.
 */
static int handle_request(struct synthhid *hid,
			  const struct synthhid_protocol_request *request)
{
	struct synthhid_protocol_response m = {
		.header = {.type = SYNTH_HID_PROTOCOL_RESPONSE,
			   .size = sizeof(m) - sizeof(m.header)},
		.version_requested = request->version_requested,
		.approved =
			request->version_requested == SYNTHHID_INPUT_VERSION,
	};
	int err;

	/* For both, with what a packet costs.  If not, it comes again. */
	if (!channel_has_room(hid->ch, ANSWERS_BYTES))
		return channel_is_open(hid->ch) ? -EAGAIN : 0;
	err = channel_send_pipe(hid->ch, &m, sizeof(m));
	if (!err && m.approved)
		err = send_device_info(hid);
	if (err)
		return err;
	set_state(hid, m.approved ? WANT_ACK : WANT_REQUEST);
	if (!m.approved)
		log_debug_ratelimited("no such version: %#x",
				      request->version_requested);
	return 0;
}

static int handle_ack(struct synthhid *hid)
{
	if (hid->state != WANT_ACK)
		return -EPROTO;
	set_state(hid, READY);
	if (hid->params.ready)
		hid->params.ready(hid->params.ctx);
	return 0;
}

static int handle_message(struct synthhid *hid, const void *data,
			  uint32_t bytes)
{
	struct synthhid_msg_hdr header;
	struct synthhid_protocol_request request;

	if (bytes < sizeof(header))
		return -EPROTO;
	memcpy(&header, data, sizeof(header));
	switch (header.type) {
	case SYNTH_HID_PROTOCOL_REQUEST:
		if (bytes < sizeof(request))
			return -EPROTO;
		memcpy(&request, data, sizeof(request));
		return handle_request(hid, &request);
	case SYNTH_HID_INITIAL_DEVICE_INFO_ACK:
		if (bytes < sizeof(struct synthhid_device_info_ack))
			return -EPROTO;
		return handle_ack(hid);
	default:
		return -EPROTO;
	}
}

static int on_packet(void *ctx, const struct packet *packet)
{
	const void *data;
	uint32_t bytes;

	if (packet->type == VM_PKT_COMP)
		return 0;
	if (packet->type != VM_PKT_DATA_INBAND ||
	    packet_pipe(packet, &data, &bytes))
		return -EPROTO;
	return handle_message(ctx, data, bytes);
}

static int on_close(void *ctx)
{
	set_state(ctx, WANT_REQUEST);
	return 0;
}

static const struct channel_ops channel_ops = {
	.packet = on_packet,
	.writable = send_reports,
	.wake = send_reports,
	.close = on_close,
};

/* --- life ---------------------------------------------------------------------- */

struct synthhid *synthhid_new(const struct vsp_params *params)
{
	const struct vmbus_pipe_user_def pipe = {
		.pipe_mode = VMBUS_PIPE_TYPE_MESSAGE};
	struct synthhid *hid = g_new0(struct synthhid, 1);
	struct channel_params p = {
		.name = params->name,
		.if_type = HV_MOUSE_GUID,
		.if_instance = params->instance,
		.chn_flags = VMBUS_CHANNEL_NAMED_PIPE_MODE,
		.order = params->order,
		.max_in = MESSAGE_MAX,
	};

	memcpy(p.user_def, &pipe, sizeof(pipe));
	hid->params = *params;
	hid->status.x = SYNTHHID_POSITION_MAX / 2;
	hid->status.y = SYNTHHID_POSITION_MAX / 2;
	pthread_mutex_init(&hid->lock, NULL);
	hid->ch = channel_new(params->bus, &p, &channel_ops, hid);
	if (!channel_offer(hid->ch))
		return hid;
	synthhid_free(hid);
	return NULL;
}

void synthhid_free(struct synthhid *hid)
{
	if (!hid)
		return;
	channel_free(hid->ch);
	pthread_mutex_destroy(&hid->lock);
	g_free(hid);
}

/* --- for the machine ------------------------------------------------------------- */

static void free_device(void *device)
{
	synthhid_free(device);
}

static struct channel *get_channel(void *device)
{
	return ((struct synthhid *)device)->ch;
}

static void facts(void *device, const struct vsp_facts *to)
{
	struct synthhid_status s;

	synthhid_get_status(device, &s);
	to->number(to->ctx, "ready", s.ready);
	to->number(to->ctx, "x", s.x);
	to->number(to->ctx, "y", s.y);
	to->number(to->ctx, "buttons", s.buttons);
	to->number(to->ctx, "waiting", s.n_waiting);
	to->number(to->ctx, "reports", s.reports);
	to->number(to->ctx, "dropped", s.dropped);
}

const struct vsp_ops synthhid_ops = {
	.free = free_device,
	.channel = get_channel,
	.facts = facts,
};
