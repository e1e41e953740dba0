/* SPDX-License-Identifier: MIT */
#include "vsp/synthkbd.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <glib.h>

#include "base/log.h"
#include "proto/guids.h"
#include "proto/synthkbd.h"
#include "vsp/vmbus/channel.h"
#include "vsp/vsp.h"

#define LOG_CATEGORY "keyboard"

/* Longest message of the guest: none is, but a later version may pad. */
#define MESSAGE_MAX 256u

#define INFO_MASK (SYNTH_KBD_IS_BREAK | SYNTH_KBD_IS_E0 | SYNTH_KBD_IS_E1)

struct synthkbd {
	/* set once */
	struct channel *ch;
	struct vsp_params params;

	pthread_mutex_t lock;
	/* lock; only the worker takes keys out */
	struct synthkbd_status status;
	struct synthkbd_key keys[SYNTHKBD_QUEUE_MAX]; /* a ring */
	unsigned int first;
};

/* --- keys for the guest ---------------------------------------------------- */

static bool first_key(struct synthkbd *kbd, struct synthkbd_key *key)
{
	bool any;

	pthread_mutex_lock(&kbd->lock);
	any = kbd->status.ready && kbd->status.n_waiting;
	*key = kbd->keys[kbd->first];
	pthread_mutex_unlock(&kbd->lock);
	return any;
}

static void drop_first_key(struct synthkbd *kbd)
{
	pthread_mutex_lock(&kbd->lock);
	kbd->first = (kbd->first + 1) % SYNTHKBD_QUEUE_MAX;
	kbd->status.n_waiting--;
	kbd->status.typed++;
	pthread_mutex_unlock(&kbd->lock);
}

/* Send what waits, until the ring is full: then this is called again. */
static void send_keys(void *ctx)
{
	struct synthkbd *kbd = ctx;
	struct synthkbd_key key;

	while (first_key(kbd, &key)) {
		struct synth_kbd_keystroke m = {.header.type = SYNTH_KBD_EVENT,
						.make_code = key.make_code,
						.info = key.info};

		if (channel_send(kbd->ch, &m, sizeof(m)))
			return;
		drop_first_key(kbd);
	}
}

static bool is_key(const struct synthkbd_key *key)
{
	return key->make_code && key->make_code < 0x80 &&
	       !(key->info & ~INFO_MASK);
}

int synthkbd_type(struct synthkbd *kbd, const struct synthkbd_key *keys,
		  size_t n)
{
	struct synthkbd_status *s = &kbd->status;
	int err = 0;

	for (size_t i = 0; i < n; i++) {
		if (!is_key(&keys[i]))
			return -EINVAL;
	}
	pthread_mutex_lock(&kbd->lock);
	if (!s->ready)
		err = -ENOTCONN;
	else if (n > SYNTHKBD_QUEUE_MAX - s->n_waiting)
		err = -ENOBUFS;
	for (size_t i = 0; i < n && !err; i++)
		kbd->keys[(kbd->first + s->n_waiting++) % SYNTHKBD_QUEUE_MAX] =
			keys[i];
	pthread_mutex_unlock(&kbd->lock);
	if (!err)
		channel_wake(kbd->ch);
	return err;
}

void synthkbd_get_status(struct synthkbd *kbd, struct synthkbd_status *status)
{
	pthread_mutex_lock(&kbd->lock);
	*status = kbd->status;
	pthread_mutex_unlock(&kbd->lock);
}

/* --- messages of the guest -------------------------------------------------- */

static void set_ready(struct synthkbd *kbd, bool ready)
{
	struct synthkbd_status *s = &kbd->status;

	pthread_mutex_lock(&kbd->lock);
	s->ready = ready;
	s->dropped += s->n_waiting;
	s->n_waiting = 0;
	pthread_mutex_unlock(&kbd->lock);
}

/* A driver that asks anew, as after kexec, begins anew. */
static int handle_request(struct synthkbd *kbd,
			  const struct synth_kbd_protocol_request *request)
{
	struct synth_kbd_protocol_response m = {
		.header.type = SYNTH_KBD_PROTOCOL_RESPONSE};
	bool accepted = request->version_requested == SYNTH_KBD_VERSION;
	int err;

	m.proto_status = accepted ? SYNTH_KBD_PROTOCOL_ACCEPTED : 0;
	/* If there is no room the request comes again. */
	err = channel_send(kbd->ch, &m, sizeof(m));
	if (err)
		return err;
	set_ready(kbd, accepted);
	if (!accepted)
		log_debug_ratelimited("no such version: %#x",
				      request->version_requested);
	else if (kbd->params.ready)
		kbd->params.ready(kbd->params.ctx);
	return 0;
}

static int handle_leds(struct synthkbd *kbd,
		       const struct synth_kbd_led_indicators *leds)
{
	pthread_mutex_lock(&kbd->lock);
	kbd->status.leds = leds->led_flags;
	pthread_mutex_unlock(&kbd->lock);
	return 0;
}

/* Both messages of the guest have the same size. */
union message {
	struct synth_kbd_msg_hdr header;
	struct synth_kbd_protocol_request request;
	struct synth_kbd_led_indicators leds;
};

static int on_packet(void *ctx, const struct packet *packet)
{
	struct synthkbd *kbd = ctx;
	union message m;

	if (packet->type == VM_PKT_COMP)
		return 0;
	if (packet->type != VM_PKT_DATA_INBAND || packet->bytes < sizeof(m))
		return -EPROTO;
	memcpy(&m, packet->data, sizeof(m));
	switch (m.header.type) {
	case SYNTH_KBD_PROTOCOL_REQUEST:
		return handle_request(kbd, &m.request);
	case SYNTH_KBD_LED_INDICATORS:
		return handle_leds(kbd, &m.leds);
	default:
		return -EPROTO;
	}
}

static int on_close(void *ctx)
{
	set_ready(ctx, false);
	return 0;
}

static const struct channel_ops channel_ops = {
	.packet = on_packet,
	.writable = send_keys,
	.wake = send_keys,
	.close = on_close,
};

/* --- life ------------------------------------------------------------------- */

struct synthkbd *synthkbd_new(const struct vsp_params *params)
{
	struct synthkbd *kbd = g_new0(struct synthkbd, 1);
	struct channel_params p = {
		.name = params->name,
		.if_type = HV_KBD_GUID,
		.if_instance = params->instance,
		.order = params->order,
		.max_in = MESSAGE_MAX,
	};

	kbd->params = *params;
	pthread_mutex_init(&kbd->lock, NULL);
	kbd->ch = channel_new(params->bus, &p, &channel_ops, kbd);
	if (!channel_offer(kbd->ch))
		return kbd;
	synthkbd_free(kbd);
	return NULL;
}

void synthkbd_free(struct synthkbd *kbd)
{
	if (!kbd)
		return;
	channel_free(kbd->ch);
	pthread_mutex_destroy(&kbd->lock);
	g_free(kbd);
}

/* --- for the machine --------------------------------------------------------- */

static void free_device(void *device)
{
	synthkbd_free(device);
}

static struct channel *get_channel(void *device)
{
	return ((struct synthkbd *)device)->ch;
}

static void facts(void *device, const struct vsp_facts *to)
{
	struct synthkbd_status s;

	synthkbd_get_status(device, &s);
	to->number(to->ctx, "ready", s.ready);
	to->number(to->ctx, "leds", s.leds);
	to->number(to->ctx, "waiting", s.n_waiting);
	to->number(to->ctx, "typed", s.typed);
	to->number(to->ctx, "dropped", s.dropped);
}

const struct vsp_ops synthkbd_ops = {
	.free = free_device,
	.channel = get_channel,
	.facts = facts,
};
