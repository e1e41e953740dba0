/* SPDX-License-Identifier: MIT */
/*
 * netvsp.c - cards: their channels, their end, what a report says.
 */
#include "vsp/netvsp/netvsp.h"

#include <stdio.h>
#include <string.h>

#include "base/coverage.h"
#include "vsp/netvsp/impl.h"

/* A packet with all ranges that a guest makes, and more. */
#define PACKET_IN_MAX  8192u
/* Where no maximum is said Linux has room for this, and others for more. */
#define PACKET_OUT_MAX 4096u

_Static_assert(NETVSP_RANGES_MAX * sizeof(struct vmtransfer_page_range) + 48 <=
		       PACKET_OUT_MAX,
	       "a packet with all ranges can be sent");
_Static_assert(NETVSP_RANGES_MAX <= NVSP_MAX_PACKETS_PER_RECEIVE,
	       "a guest has room for all ranges");
_Static_assert(FRAME_MAX == NET_FRAME_MAX, "both know the longest frame");

/* --- channels ------------------------------------------------------------------ */

static void free_channel(struct netvsp_channel *c)
{
	if (!c)
		return;
	worker_free(c->worker);
	pthread_mutex_destroy(&c->mail.lock);
	g_free(c);
}

static int make_channel(struct netvsp *s, unsigned int index, GError **error)
{
	struct netvsp_channel *c = g_new0(struct netvsp_channel, 1);
	const struct netvsp_params *p = &s->params;
	struct channel_params cp = {
		.if_type = HV_NIC_GUID,
		.if_instance = p->vsp.instance,
		.sub_channel_index = (uint16_t)index,
		.chn_flags = VMBUS_CHANNEL_ENUMERATE_DEVICE_INTERFACE,
		.order = p->vsp.order,
		.max_in = PACKET_IN_MAX,
		.max_out = PACKET_OUT_MAX,
		.poll_ns = p->poll_ns,
		.poll_max_ns = p->poll_max_ns,
		.gives_way = true,
		.doorbell = true,
		.monitor_latency_100ns = p->monitor_latency_100ns,
	};
	char name[VSP_CHANNEL_NAME_BYTES], thread[48];

	s->channels[index] = c;
	c->s = s;
	c->index = (uint16_t)index;
	c->config = s->config;
	c->receive.run = netvsp_run_receive;
	c->mail_task.run = netvsp_run_mail;
	c->hold.run = netvsp_run_hold;
	pthread_mutex_init(&c->mail.lock, NULL);
	section_pool_init(&c->pool);
	section_pool_init(&c->mail.back);
	vsp_name_channel(name, &s->params.vsp, index);
	snprintf(thread, sizeof(thread), "chan/%s", name);
	c->worker = worker_new(thread, error);
	if (!c->worker)
		return -1;
	cp.name = name;
	cp.worker = c->worker;
	c->ch = channel_new(p->vsp.bus, &cp, &netvsp_channel_ops, c);
	s->n_channels++;
	return 0;
}

/* --- life ------------------------------------------------------------------------ */

static void on_link(void *ctx)
{
	struct netvsp *s = ctx;

	atomic_store(&s->link_moved, true);
	channel_wake(s->channels[0]->ch);
}

static unsigned int channels_wanted(const struct netvsp_params *p)
{
	unsigned int n = MIN(net_info(p->net)->max_queues, NETVSP_QUEUES_MAX);

	if (p->max_queues)
		n = MIN(n, p->max_queues);
	return MAX(n, 1);
}

void netvsp_publish_mac(struct netvsp *s)
{
	uint64_t mac = 0;

	memcpy(&mac, s->config.filter.mac, NETVSP_MAC_BYTES);
	s->mac = mac;
}

struct netvsp *netvsp_new(const struct netvsp_params *params, GError **error)
{
	struct netvsp *s = g_new0(struct netvsp, 1);
	unsigned int n = channels_wanted(params);

	s->params = *params;
	s->params.vsp.name = g_strdup(params->vsp.name);
	s->params.friendly_name = g_strdup(params->friendly_name);
	s->mem = channel_bus_mem(params->vsp.bus);
	s->messages = netvsp_messages_new();
	s->oids = netvsp_oids_new();
	s->config.rss = rss_new();
	memcpy(s->config.filter.mac, params->mac, NETVSP_MAC_BYTES);
	netvsp_publish_mac(s);
	s->link_timer.run = netvsp_run_link_timer;
	section_pool_init(&s->control_pool);
	for (unsigned int i = 0; i < n; i++) {
		if (make_channel(s, i, error))
			goto failed;
	}
	net_on_link(params->net, on_link, s);
	if (!channel_offer(s->channels[0]->ch))
		return s;
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST,
		    "%s: there is a device with its instance",
		    s->params.vsp.name);
failed:
	netvsp_free(s);
	return NULL;
}

/* --- the way out ----------------------------------------------------------------- */

/* Have the guest told that the cable is out: it is, as the card parts. */
static void tell_of_cable(struct netvsp *s)
{
	atomic_store(&s->link_moved, true);
	netvsp_look_at_link(s);
}

static void part(void *ctx)
{
	struct netvsp *s = ctx;

	s->config.parting = true;
	netvsp_apply(s);
	tell_of_cable(s);
}

void netvsp_part(struct netvsp *s)
{
	worker_call(s->channels[0]->worker, part, s);
}

struct look {
	struct netvsp_channel *c;
	bool parted;
};

/* Was the guest told that the cable is out?  If not, once more. */
static bool knows_of_cable(struct netvsp *s)
{
	if (!s->ready || !s->link)
		return true;
	tell_of_cable(s);
	return false;
}

static void look_for_packets(void *ctx)
{
	struct look *look = ctx;
	struct netvsp_channel *c = look->c;
	const struct sections *s = c->sections;

	look->parted = !netvsp_has_mail(c);
	if (netvsp_is_primary(c) && (c->s->n_replies || !knows_of_cable(c->s)))
		look->parted = false;
	for (uint32_t i = 0; s && look->parted && i < s->count; i++)
		look->parted = !sections_is_sent(s, i, c->index);
}

/* Has the guest sent nothing for some looks? */
static bool is_quiet(struct netvsp *s)
{
	struct channel_stats stats;
	uint64_t packets = 0;

	for (unsigned int i = 0; i < s->n_channels; i++) {
		channel_get_stats(s->channels[i]->ch, &stats);
		packets += stats.packets_in;
	}
	if (packets != s->parting_packets)
		s->parting_quiet = 0;
	s->parting_packets = packets;
	return s->parting_quiet++ >= NETVSP_QUIET_LOOKS;
}

bool netvsp_has_parted(struct netvsp *s)
{
	struct look look = {.parted = is_quiet(s)};

	for (unsigned int i = 0; look.parted && i < s->n_channels; i++) {
		look.c = s->channels[i];
		worker_call(look.c->worker, look_for_packets, &look);
	}
	return look.parted;
}

void netvsp_revoke(struct netvsp *s)
{
	/* With it the guest closes the others, as when it unloads the driver. */
	channel_revoke(s->channels[0]->ch);
}

bool netvsp_is_open(struct netvsp *s)
{
	struct channel_stats stats;

	channel_get_stats(s->channels[0]->ch, &stats);
	return stats.open;
}

void netvsp_free(struct netvsp *s)
{
	if (!s)
		return;
	net_on_link(s->params.net, NULL, NULL);
	/*
	 * The primary offers and takes back the others, and calls their
	 * workers, so it goes first; its worker stays until no other can want
	 * to wake it.
	 */
	for (unsigned int i = 0; i < s->n_channels; i++) {
		channel_free(s->channels[i]->ch);
		s->channels[i]->ch = NULL;
	}
	for (unsigned int i = 0; i < NETVSP_QUEUES_MAX; i++)
		free_channel(s->channels[i]);
	g_free((struct rss *)s->config.rss);
	coverage_free(s->messages);
	coverage_free(s->oids);
	g_free((char *)s->params.vsp.name);
	g_free((char *)s->params.friendly_name);
	g_free(s);
}

void netvsp_milestone(struct netvsp *s, _Atomic bool *had,
		      void (*reached)(void *ctx))
{
	if (!*had && !atomic_exchange(had, true) && reached)
		reached(s->params.vsp.ctx);
}

/* --- looking ------------------------------------------------------------------------ */

uint64_t netvsp_sum(const struct netvsp *s, size_t offset)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < s->n_channels; i++) {
		const uint8_t *n = (const void *)&s->channels[i]->n;

		sum += *(const _Atomic uint64_t *)(const void *)(n + offset);
	}
	return sum;
}

#define SUM(s, member) netvsp_sum(s, offsetof(struct netvsp_counters, member))

/* Of a counter for each kind of address. */
static uint64_t sum_casts(const struct netvsp *s, size_t offset)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < N_CASTS; i++)
		sum += netvsp_sum(s, offset + i * sizeof(uint64_t));
	return sum;
}

#define SUM_CASTS(s, member) \
	sum_casts(s, offsetof(struct netvsp_counters, member))

void netvsp_get_status(const struct netvsp *s, struct netvsp_status *status)
{
	uint64_t mac = s->mac;

	*status = (struct netvsp_status){
		.ready = s->ready,
		.link = s->link,
		.version = s->version,
		.mtu = s->mtu,
		.filter = s->filter,
		.sub_channels = s->open_subs,
		.refused = SUM(s, refused),
		.stats = {.tx_frames = SUM_CASTS(s, tx_frames),
			  .tx_bytes = SUM_CASTS(s, tx_bytes),
			  .tx_lost = SUM(s, tx_lost),
			  .tx_bad = SUM(s, tx_bad),
			  .rx_frames = SUM_CASTS(s, rx_frames),
			  .rx_bytes = SUM_CASTS(s, rx_bytes),
			  .rx_filtered = SUM(s, rx_filtered),
			  .rx_no_buffer = SUM(s, rx_no_buffer),
			  .rx_long = SUM(s, rx_long)},
	};
	memcpy(status->mac, &mac, NETVSP_MAC_BYTES);
}

static void text_facts(const struct netvsp_status *st,
		       const struct vsp_facts *to)
{
	char text[32] = "";

	if (st->version)
		snprintf(text, sizeof(text), "%u.%u", st->version >> 16,
			 st->version & 0xFFFF);
	to->text(to->ctx, "version", text);
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x",
		 st->mac[0], st->mac[1], st->mac[2], st->mac[3], st->mac[4],
		 st->mac[5]);
	to->text(to->ctx, "mac", text);
}

static void facts(void *device, const struct vsp_facts *to)
{
	struct netvsp *s = device;
	struct netvsp_status st;

#define SAY(key, value) to->number(to->ctx, key, (value))
	netvsp_get_status(s, &st);
	text_facts(&st, to);
	to->text(to->ctx, "backend", net_info(s->params.net)->kind);
	SAY("ready", st.ready);
	SAY("link", st.link);
	SAY("mtu", st.mtu);
	SAY("filter", st.filter);
	SAY("subchannels", st.sub_channels);
	SAY("refused", st.refused);
	SAY("tx_frames", st.stats.tx_frames);
	SAY("tx_bytes", st.stats.tx_bytes);
	SAY("tx_lost", st.stats.tx_lost);
	SAY("tx_bad", st.stats.tx_bad);
	SAY("tx_csum", SUM(s, tx_csum));
	SAY("tx_lso", SUM(s, tx_lso));
	SAY("tx_vlan", SUM(s, tx_vlan));
	SAY("rx_frames", st.stats.rx_frames);
	SAY("rx_bytes", st.stats.rx_bytes);
	SAY("rx_packets", SUM(s, rx_packets));
	SAY("rx_filtered", st.stats.rx_filtered);
	SAY("rx_no_buffer", st.stats.rx_no_buffer);
	SAY("rx_long", st.stats.rx_long);
	SAY("rx_csum", SUM(s, rx_csum));
	SAY("rx_rsc", SUM(s, rx_rsc));
	SAY("rx_vlan", SUM(s, rx_vlan));
	SAY("rx_moved", SUM(s, rx_moved));
#undef SAY
	vsp_table_facts(s->messages, VSP_TABLE_NVSP, to);
	vsp_table_facts(s->oids, VSP_TABLE_OID, to);
}

static void free_device(void *device)
{
	netvsp_free(device);
}

static struct channel *get_channel(void *device)
{
	return ((struct netvsp *)device)->channels[0]->ch;
}

const struct vsp_ops netvsp_ops = {
	.free = free_device,
	.channel = get_channel,
	.facts = facts,
};
