/* SPDX-License-Identifier: MIT */
/*
 * ic_guest.h - a guest with the driver of one integration component, as Linux'
 * hv_utils has them, which answers when a test says so.
 *
 * For test files of one binary each: the state is static.
 */
#ifndef SUPPORT_IC_GUEST_H
#define SUPPORT_IC_GUEST_H

#include "base/clock.h"
#include "base/log.h"
#include "proto/ic.h"
#include "support/bus_guest.h"
#include "vsp/ic/ic.h"
#include "vsp/vmbus/worker.h"
#include "vsp/vsp.h"

/*
 * For a request that the guest is to see and that is to time out: waited for
 * in full, and long enough that a busy machine sends it before.
 */
#define IC_PATIENCE (500 * NSEC_PER_MSEC)

#define IC_HEADERS (sizeof(struct vmbuspipe_hdr) + sizeof(struct icmsg_hdr))

/* What the guest got, and what it answers with. */
struct ic_message {
	uint32_t bytes; /* of the body, with padding */
	struct vmbuspipe_hdr pipe;
	struct icmsg_hdr h;
	uint8_t body[8192];
};

static struct vmbus_channel_offer_channel offer;
static struct guest_channel guest;
static struct ic_message msg;
static _Atomic unsigned int readies;

static inline void ic_on_ready(void *ctx)
{
	(void)ctx;
	readies++;
}

/* What the device under test is made with; after bus_setup(). */
static inline struct vsp_params ic_params(void)
{
	return (struct vsp_params){.bus = bus,
				   .name = "ic",
				   .instance.b[0] = 1,
				   .host_version = VERSION_WIN10_V6_0,
				   .ready = ic_on_ready};
}

/* Connect and open; the negotiation is in the ring then. */
static inline void ic_open(void)
{
	guest_connect(VERSION_WIN10_V5_3);
	guest_request_offers(&offer, 1);
	guest_open(&guest, &offer);
}

/* The next message of the host: whole, and a request. */
static inline void ic_get(void)
{
	static uint64_t buffer[2048];
	struct packet p;
	uint32_t n = guest_get(&guest, buffer, sizeof(buffer));

	ck_assert_int_eq(packet_parse(buffer, n, &p), 0);
	ck_assert_uint_eq(p.type, VM_PKT_DATA_INBAND);
	ck_assert(!p.wants_completion);
	ck_assert_uint_ge(p.bytes, IC_HEADERS);
	memset(&msg, 0, sizeof(msg));
	msg.bytes = p.bytes - (uint32_t)IC_HEADERS;
	memcpy(&msg.pipe, p.data, p.bytes);
	ck_assert_uint_eq(msg.pipe.flags, VMBUS_PIPE_DATA);
	ck_assert_uint_le(msg.pipe.msgsize, p.bytes - sizeof(msg.pipe));
	ck_assert_uint_eq(msg.h.icmsgsize,
			  msg.pipe.msgsize - sizeof(struct icmsg_hdr));
	ck_assert_uint_eq(msg.h.icflags,
			  ICMSGHDRFLAG_TRANSACTION | ICMSGHDRFLAG_REQUEST);
	ck_assert_uint_eq(msg.h.status, HV_S_OK);
}

/* ... of @type, with a body of @bytes. */
static inline const void *ic_expect(uint16_t type, uint32_t bytes)
{
	ic_get();
	ck_assert_uint_eq(msg.h.icmsgtype, type);
	ck_assert_uint_eq(msg.h.icmsgsize, bytes);
	return msg.body;
}

static inline void ic_put(void)
{
	guest_put(&guest, 0, &msg.pipe, (uint32_t)IC_HEADERS + msg.bytes);
}

/* Answer what came last, changed or not. */
static inline void ic_answer(uint32_t status)
{
	msg.h.status = status;
	msg.h.icflags = ICMSGHDRFLAG_TRANSACTION | ICMSGHDRFLAG_RESPONSE;
	ic_put();
}

/* What the host offers: versions of the framework, or of messages. */
static inline struct ic_version ic_offered(unsigned int i)
{
	struct ic_version v;

	memcpy(&v, msg.body + sizeof(struct icmsg_negotiate) + i * sizeof(v),
	       sizeof(v));
	return v;
}

static inline struct icmsg_negotiate ic_counts(void)
{
	struct icmsg_negotiate n;

	memcpy(&n, msg.body, sizeof(n));
	return n;
}

static inline bool ic_is_offered(unsigned int first, unsigned int n,
				 struct ic_version v)
{
	for (unsigned int i = first; i < first + n; i++) {
		struct ic_version o = ic_offered(i);

		if (o.major == v.major && o.minor == v.minor)
			return true;
	}
	return false;
}

static inline void ic_put_choice(uint16_t n, struct ic_version framework,
				 struct ic_version version)
{
	struct icmsg_negotiate m = {n, n, 0};

	memcpy(msg.body, &m, sizeof(m));
	memcpy(msg.body + sizeof(m), &framework, sizeof(framework));
	memcpy(msg.body + sizeof(m) + 4, &version, sizeof(version));
	msg.h.icmsgsize = 16;
	ic_answer(HV_S_OK);
}

/*
 * Take part in the negotiation as a kernel that knows @versions, newest first
 * (Linux drivers/hv/channel_mgmt.c:vmbus_prep_negotiate_resp()).
 * Return: which it took; 0.0: none.
 */
static inline struct ic_version ic_choose(const struct ic_version *versions,
					  unsigned int n)
{
	const struct ic_version framework = {3, 0};
	struct ic_version none = {0};
	struct icmsg_negotiate c;

	ic_get();
	ck_assert_uint_eq(msg.h.icmsgtype, ICMSGTYPE_NEGOTIATE);
	c = ic_counts();
	ck_assert_uint_eq(msg.h.icmsgsize,
			  8 + 4u * (c.icframe_vercnt + c.icmsg_vercnt));
	ck_assert(ic_is_offered(0, c.icframe_vercnt, framework));
	for (unsigned int i = 0; i < n; i++) {
		if (!ic_is_offered(c.icframe_vercnt, c.icmsg_vercnt,
				   versions[i]))
			continue;
		ic_put_choice(1, framework, versions[i]);
		return versions[i];
	}
	ic_put_choice(0, none, none);
	return none;
}

/* Open, and agree to @version. */
static inline void ic_start(uint16_t major, uint16_t minor)
{
	struct ic_version v = {major, minor};
	struct ic_version chosen;
	unsigned int before = readies;

	ic_open();
	chosen = ic_choose(&v, 1);
	ck_assert_uint_eq(chosen.major, major);
	ck_assert_uint_eq(chosen.minor, minor);
	wait_until(readies > before);
}

/* The host has given the channel up. */
static inline void ic_expect_rescind(void)
{
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
}

/* --- what a device says of itself ------------------------------------------- */

struct ic_fact {
	const char *key;
	uint64_t number;
	char text[64];
	bool found;
};

static inline void ic_on_number(void *ctx, const char *key, uint64_t value)
{
	struct ic_fact *f = ctx;

	if (!strcmp(key, f->key)) {
		f->number = value;
		f->found = true;
	}
}

static inline void ic_on_text(void *ctx, const char *key, const char *value)
{
	struct ic_fact *f = ctx;

	if (!strcmp(key, f->key)) {
		g_strlcpy(f->text, value, sizeof(f->text));
		f->found = true;
	}
}

static inline struct ic_fact ic_fact_of(const struct vsp_ops *ops, void *device,
					const char *key)
{
	struct ic_fact f = {.key = key};

	ops->facts(device, &(struct vsp_facts){.number = ic_on_number,
					       .text = ic_on_text,
					       .ctx = &f});
	return f;
}

/* A number that must be there. */
static inline uint64_t ic_number(const struct vsp_ops *ops, void *device,
				 const char *key)
{
	struct ic_fact f = ic_fact_of(ops, device, key);

	ck_assert_msg(f.found, "no fact %s", key);
	return f.number;
}

/* --- what becomes of requests ------------------------------------------------ */

struct ic_result {
	_Atomic unsigned int calls;
	_Atomic int err;
};

static inline void ic_on_done(void *ctx, int err)
{
	struct ic_result *r = ctx;

	r->err = err;
	r->calls++;
}

/* Wait until it is over, with @err. */
static inline void ic_expect_result(const struct ic_result *r, int err)
{
	wait_until(r->calls);
	ck_assert_int_eq(r->err, err);
	ck_assert_uint_eq(r->calls, 1);
}

#endif
