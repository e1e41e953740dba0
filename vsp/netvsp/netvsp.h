/* SPDX-License-Identifier: MIT */
/*
 * netvsp.h - a network card on VMbus, plugged into devices/net/net.h.
 *
 * Theory of operation.  The guest's driver opens the primary channel, agrees
 * on a version, shares two buffers, and talks RNDIS from then on: requests and
 * answers on the primary, frames on all channels.  Each channel has a thread
 * of its own and its own queue of the back end, so that a frame takes no lock,
 * meets no other thread and has nothing allocated on its way.
 *
 * A frame of the guest is where the guest says: in sections of its send
 * buffer, in pages that the packet names, or both.  Headers are copied once
 * and checked; of what they say iovecs are made that the back end reads from.
 * When it has no room the packet stays in the guest's ring, for half a second;
 * then the frames are lost, as requests wait behind them.
 *
 * A frame for the guest is read by the back end right into sections of the
 * guest's receive buffer; only its first bytes go through private memory, as
 * they are looked at.  As many frames as there are make one packet on the
 * ring, and one signal.  A section is the guest's from then until it completes
 * that packet.  Each channel has sections of its own; a few are kept for
 * answers to requests, so that these come through when frames do not.
 *
 * Receive side scaling: a frame whose hash belongs to another channel than
 * the one whose queue it came from is handed over to it, in its sections.
 *
 * Thread: main, but for what says otherwise.
 * Source: Linux drivers/net/hyperv; OpenVMM vm/devices/net/netvsp/src/lib.rs.
 */
#ifndef VSP_NETVSP_H
#define VSP_NETVSP_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "vsp/vsp.h"

struct net;
struct netvsp;

#define NETVSP_QUEUES_MAX 64u
#define NETVSP_MAC_BYTES  6u

struct netvsp_params {
	struct vsp_params vsp;
	/* Borrowed; freed by the caller after the card. */
	struct net *net;
	uint8_t mac[NETVSP_MAC_BYTES];
	/*
	 * The most that the guest is to use, without the Ethernet header; 0:
	 * what it likes, up to 65521 with the header.
	 */
	uint32_t mtu;
	/*
	 * Channels at most; 0: as many as the back end has queues.  More than
	 * that is fine, and comes to the same.
	 */
	unsigned int max_queues;
	/*
	 * The guest calls the interface so, as an alias, if it is not empty;
	 * UTF-8, copied.  May be NULL.
	 */
	const char *friendly_name;
	uint64_t link_speed_bps; /* 0: 10 Gbit/s */
	/* as of channel_params */
	uint64_t poll_ns, poll_max_ns;
	uint16_t monitor_latency_100ns;
	/* Milestones; each once, any thread, no lock held.  May be NULL. */
	void (*opened)(void *ctx); /* the guest has opened the channel */
	void (*link)(void *ctx); /* it has set a filter: the interface is up */
	void (*received)(void *ctx); /* it has taken its first frame */
	void (*sent)(void *ctx); /* it has sent its first frame */
	/* Each time that the guest sets what it wants to get.  As those. */
	void (*filter)(void *ctx);
	/*
	 * Between two changes of the link that the guest is told of; 0: 5 s,
	 * as Linux misses faster ones.
	 */
	uint64_t link_pace_ns;
	/* How long a frame waits for the back end; 0: half a second. */
	uint64_t hold_ns;
};

/**
 * netvsp_new() - offer a card
 *
 * Opens queues of the back end, and is told of its link (net_on_link()) from
 * now on.
 *
 * Return: owned; NULL with @error set.
 */
struct netvsp *netvsp_new(const struct netvsp_params *params, GError **error);
void netvsp_free(struct netvsp *s);

/**
 * netvsp_part() - the card is about to go: its cable is out
 *
 * From a rescind on Linux' driver can give nothing back of what it got, nor
 * ask for anything, but waits until it has, and until all that it has sent is
 * completed, with the lock of all cards (rndis_filter.c:
 * rndis_filter_halt_device(), netvsc.c:netvsc_device_idle(), ring_buffer.c:
 * hv_ringbuffer_write()).  And of what it sends at that moment it is told that
 * it is gone, and frees it, and frees it again when the host completes it.  So
 * one that is in use goes in three steps: it gets no more frames, and sends
 * none as its cable is out, and wait for netvsp_has_parted(); netvsp_revoke(),
 * and wait until netvsp_is_open() is false; netvsp_free().  A guest may not do
 * its part, so whoever waits does it for a while only.
 *
 * Not on a channel's worker, no lock held; so are the others.
 */
void netvsp_part(struct netvsp *s);

/**
 * netvsp_has_parted() - the guest is quiet, and has nothing to give back
 *
 * To be asked now and then, 10 ms apart, by one thread.
 */
bool netvsp_has_parted(struct netvsp *s);

/** netvsp_revoke() - the card goes, but frames of the guest's still do, too */
void netvsp_revoke(struct netvsp *s);

/** netvsp_is_open() - the guest's driver has it */
bool netvsp_is_open(struct netvsp *s);

/* Summed over all channels; as the card's own statistics (RNDIS) have it. */
struct netvsp_stats {
	uint64_t tx_frames, tx_bytes; /* taken by the back end */
	uint64_t tx_lost; /* the back end had no room, or an error */
	uint64_t tx_bad; /* not as RNDIS has it */
	uint64_t rx_frames, rx_bytes; /* brought to the guest */
	uint64_t rx_filtered; /* not for this guest */
	uint64_t rx_no_buffer; /* times that the guest had no sections left */
	uint64_t rx_long; /* longer than the guest takes */
};

struct netvsp_status {
	bool ready; /* the guest's driver works */
	bool link; /* what the guest was told last */
	uint32_t version; /* NVSP_PROTOCOL_VERSION_…, 0: none yet */
	uint32_t mtu; /* that the guest has said, 0: none yet */
	uint32_t filter; /* NDIS_PACKET_TYPE_… */
	unsigned int sub_channels; /* that are open */
	uint8_t mac[NETVSP_MAC_BYTES]; /* as the guest has it now */
	uint64_t refused; /* messages against the protocol */
	struct netvsp_stats stats;
};

/** netvsp_get_status() - any thread; not one moment, but each number is so */
void netvsp_get_status(const struct netvsp *s, struct netvsp_status *status);

/** netvsp_oid_name() - "OID_GEN_LINK_SPEED" …; NULL: the card has none such */
const char *netvsp_oid_name(uint32_t oid);

extern const struct vsp_ops netvsp_ops;

#endif
