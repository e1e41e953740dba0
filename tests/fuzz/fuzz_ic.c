/* SPDX-License-Identifier: MIT */
/*
 * fuzz_ic.c - guests that say anything to integration components.
 *
 * The input is a script: which component; then openings, answers that are
 * spoilt or not, requests, time that passes, room in the ring.  Checked is
 * that each request is answered once, and that nothing is sent while the guest
 * has a message to answer.
 */
#include "fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/reader.h"
#include "proto/ic.h"
#include "support/fake_channel.h"
#include "vsp/ic/fcopy.h"
#include "vsp/ic/heartbeat.h"
#include "vsp/ic/ic.h"
#include "vsp/ic/kvp.h"
#include "vsp/ic/shutdown.h"
#include "vsp/ic/timesync.h"
#include "vsp/ic/vss.h"
#include "vsp/vsp.h"

#define TIMERS_MAX 2

static struct channel *ch;
static void *device;
static unsigned int kind;
static uint8_t last[16384]; /* that was sent */
static uint32_t last_bytes;
static bool outstanding; /* the guest has a message to answer */
static unsigned int asked, answered;
static struct worker_timer *timers[TIMERS_MAX];
static int file = -1;

/* --- instead of a worker --------------------------------------------------------- */

struct worker *worker_new(const char *name, GError **error)
{
	(void)name;
	(void)error;
	return (struct worker *)(void *)&ch;
}

void worker_free(struct worker *w)
{
	(void)w;
}

struct worker *channel_worker(const struct channel *c)
{
	(void)c;
	return (struct worker *)(void *)&ch;
}

const char *channel_name(const struct channel *c)
{
	return c->params.name;
}

void worker_call(struct worker *w, void (*fn)(void *ctx), void *ctx)
{
	(void)w;
	fn(ctx);
}

void worker_timer_stop(struct worker *w, struct worker_timer *timer)
{
	(void)w;
	for (unsigned int i = 0; i < TIMERS_MAX; i++) {
		if (timers[i] == timer)
			timers[i] = NULL;
	}
}

void worker_timer_set(struct worker *w, struct worker_timer *timer,
		      uint64_t deadline)
{
	(void)deadline;
	worker_timer_stop(w, timer);
	for (unsigned int i = 0; i < TIMERS_MAX; i++) {
		if (!timers[i]) {
			timers[i] = timer;
			return;
		}
	}
	abort();
}

static void run_timer(unsigned int i)
{
	struct worker_timer *timer = timers[i];

	timers[i] = NULL;
	if (timer)
		timer->run(timer);
}

/* --- what the host sends --------------------------------------------------------- */

static void fake_sent(struct channel *channel, const uint8_t *data,
		      uint32_t bytes)
{
	struct vmbuspipe_hdr pipe;
	struct icmsg_hdr h;

	(void)channel;
	expect(!outstanding);
	expect(bytes >= sizeof(pipe) + sizeof(h) && bytes <= sizeof(last));
	memcpy(&pipe, data, sizeof(pipe));
	memcpy(&h, data + sizeof(pipe), sizeof(h));
	expect(pipe.flags == VMBUS_PIPE_DATA);
	expect(pipe.msgsize == bytes - sizeof(pipe));
	expect(h.icmsgsize == pipe.msgsize - sizeof(h));
	memcpy(last, data, bytes);
	last_bytes = bytes;
	outstanding = true;
}

/* --- what the user asks for ------------------------------------------------------- */

static void on_done(void *ctx, int err)
{
	(void)ctx;
	(void)err;
	answered++;
}

static void on_value(void *ctx, int err, const char *value)
{
	expect(!err == !!value);
	on_done(ctx, err);
}

static void on_list(void *ctx, int err, const struct ic_kvp_pair *pairs,
		    unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		expect(pairs[i].key && pairs[i].value);
	on_done(ctx, err);
}

static void on_ip(void *ctx, int err, const struct ic_kvp_ip *ip)
{
	expect(!err == !!ip);
	on_done(ctx, err);
}

static int ask_kvp(uint8_t arg, uint64_t timeout_ns)
{
	const struct ic_kvp_ip ip = {.adapter = "x"};

	switch (arg >> 4) {
	case 0:
		return ic_kvp_set(device, arg % 5, "k", "v", timeout_ns,
				  on_done, NULL);
	case 1:
		return ic_kvp_delete(device, arg % 5, "k", timeout_ns, on_done,
				     NULL);
	case 2:
		return ic_kvp_get(device, arg % 5, "k", timeout_ns, on_value,
				  NULL);
	case 3:
		return ic_kvp_get_ip(device, "x", timeout_ns, on_ip, NULL);
	case 4:
		return ic_kvp_set_ip(device, &ip, timeout_ns, on_done, NULL);
	default:
		return ic_kvp_list(device, arg % 5, timeout_ns, on_list, NULL);
	}
}

static int ask_vss(uint8_t arg, uint64_t timeout_ns)
{
	if (arg & 2)
		return ic_vss_freeze(device, 1, timeout_ns, on_done, NULL);
	if (arg & 4)
		return ic_vss_check(device, timeout_ns, on_done, NULL);
	return ic_vss_thaw(device, timeout_ns, on_done, NULL);
}

static int ask_fcopy(uint64_t timeout_ns)
{
	struct ic_fcopy_file f = {
		.fd = dup(file), .directory = "d", .name = "n"};
	int err = ic_fcopy_send(device, &f, timeout_ns, on_done, NULL);

	if (err)
		close(f.fd);
	return err;
}

static void ask(uint8_t arg)
{
	/* One nanosecond is over when it is looked at. */
	uint64_t timeout_ns = arg & 1 ? 1 : 0;
	int err = -1;

	if (kind == 1)
		err = ic_timesync_sync(device, timeout_ns, on_done, NULL);
	else if (kind == 2)
		err = ic_shutdown_request(device, arg >> 1 & 7, timeout_ns,
					  on_done, NULL);
	else if (kind == 3)
		err = ask_kvp(arg, timeout_ns);
	else if (kind == 4)
		err = ask_vss(arg, timeout_ns);
	else if (kind == 5)
		err = ask_fcopy(timeout_ns);
	asked += !err;
}

/* --- what the guest does ------------------------------------------------------------ */

static void reopen(void)
{
	fake_close(ch);
	outstanding = false;
	last_bytes = 0;
	ch->room = 65536;
	fake_open(ch);
}

/* Is it, if the host takes it, the answer to what was sent last? */
static bool is_answer(const uint8_t *data, uint32_t bytes)
{
	const size_t head = sizeof(struct vmbuspipe_hdr);
	struct icmsg_hdr sent, h;

	if (!last_bytes || bytes < head + sizeof(h))
		return false;
	memcpy(&sent, last + head, sizeof(sent));
	memcpy(&h, data + head, sizeof(h));
	return h.icmsgtype == sent.icmsgtype &&
	       h.ictransaction_id == sent.ictransaction_id;
}

static void send_message(const uint8_t *data, uint32_t bytes)
{
	if (is_answer(data, bytes))
		outstanding = false;
	if (fake_packet(ch, data, bytes))
		reopen();
}

static uint8_t next_byte(struct reader *r)
{
	uint8_t byte = 0;

	reader_bytes(r, &byte, sizeof(byte));
	return byte;
}

/* The answer to what was sent last, with some bytes changed. */
static void answer(struct reader *r, uint8_t arg)
{
	const size_t head = sizeof(struct vmbuspipe_hdr);
	struct icmsg_hdr h;
	uint8_t copy[sizeof(last)];
	const uint16_t ones[2] = {1, 1};
	const struct ic_version framework = {3, 0};
	uint32_t bytes = last_bytes;

	if (!bytes)
		return;
	memcpy(copy, last, bytes);
	memcpy(&h, copy + head, sizeof(h));
	h.icflags = ICMSGHDRFLAG_TRANSACTION | ICMSGHDRFLAG_RESPONSE;
	h.status = arg & 0x80 ? HV_S_CONT : arg & 0x40 ? HV_E_FAIL : HV_S_OK;
	if (h.icmsgtype == ICMSGTYPE_NEGOTIATE) {
		/* The last version that is offered. */
		memcpy(copy + head + sizeof(h) + 12, copy + bytes - 4, 4);
		memcpy(copy + head + sizeof(h) + 8, &framework, 4);
		memcpy(copy + head + sizeof(h), ones, sizeof(ones));
		h.icmsgsize = 16;
	}
	/* A heart beats on. */
	if (h.icmsgtype == ICMSGTYPE_HEARTBEAT)
		copy[head + sizeof(h)]++;
	memcpy(copy + head, &h, sizeof(h));
	for (unsigned int i = 0; i < (arg & 7u); i++) {
		uint32_t at = (uint32_t)next_byte(r) * (arg & 8 ? 29 : 1);

		if (at < bytes)
			copy[at] = next_byte(r);
	}
	if (arg & 0x10)
		bytes = MIN(bytes, next_byte(r));
	send_message(copy, bytes);
}

static void send_raw(struct reader *r)
{
	uint8_t data[256];
	uint8_t n = next_byte(r);

	reader_bytes(r, data, n);
	send_message(data, n);
}

/* --- the script ------------------------------------------------------------------------ */

static uint64_t reference(void *ctx)
{
	(void)ctx;
	return 1;
}

static const struct vsp_ops *make(uint32_t host_version)
{
	const struct ic_timesync_clock clock = {.reference = reference};
	const struct vsp_params p = {.name = "ic",
				     .host_version = host_version};

	switch (kind) {
	case 0:
		device = ic_heartbeat_new(&p, NULL, NULL, 0);
		return &ic_heartbeat_ops;
	case 1:
		device = ic_timesync_new(&p, &clock, 0, 0);
		return &ic_timesync_ops;
	case 2:
		device = ic_shutdown_new(&p);
		return &ic_shutdown_ops;
	case 3:
		device = ic_kvp_new(&p);
		return &ic_kvp_ops;
	case 4:
		device = ic_vss_new(&p, 0);
		return &ic_vss_ops;
	default:
		device = ic_fcopy_new(&p);
		return &ic_fcopy_ops;
	}
}

static void step(struct reader *r, const struct vsp_ops *ops, uint8_t op)
{
	uint8_t arg = next_byte(r);

	switch (op % 8) {
	case 0:
		send_raw(r);
		break;
	case 1:
		reopen();
		break;
	case 2:
		ask(arg);
		break;
	case 3:
		run_timer(arg % TIMERS_MAX);
		break;
	case 4:
		fake_room(ch, (uint32_t)arg << 8);
		break;
	case 5:
		ops->run(device, arg & 1);
		break;
	default:
		answer(r, arg);
	}
	while (ch->woken) {
		ch->woken = false;
		ch->ops->wake(ch->ctx);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);
	const struct vsp_ops *ops;

	log_set_level("error");
	if (file < 0) {
		file = memfd_create("fuzz", MFD_CLOEXEC);
		expect(!ftruncate(file, 20000));
	}
	asked = answered = 0;
	kind = next_byte(&r) % 6;
	ops = make(next_byte(&r) & 1 ? VERSION_WIN8_1 : VERSION_WIN10_V6_0);
	ch = fake_last;
	ops->run(device, true);
	reopen();
	while (reader_left(&r))
		step(&r, ops, next_byte(&r));
	ops->free(device);
	expect(asked == answered);
	return 0;
}
