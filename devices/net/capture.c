/* SPDX-License-Identifier: MIT */
#include "devices/net/capture.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "devices/net/frame_fifo.h"
#include "devices/net/net.h"

#define LOG_CATEGORY "net"

/* What waits to be written, twice: one is filled while one is written. */
#define BUFFER_BYTES (4u << 20)

/* Blocks and options of the format. */
#define BLOCK_SECTION    0x0a0d0d0au
#define BLOCK_INTERFACE  1u
#define BLOCK_STATISTICS 5u
#define BLOCK_PACKET     6u
#define BYTE_ORDER_MARK  0x1a2b3c4du
#define OPTION_END       0u
#define OPTION_PROGRAM   4u /* of a section */
#define OPTION_NAME      2u /* of an interface */
#define OPTION_TSRESOL   9u
#define OPTION_FLAGS     2u /* of a packet */
#define OPTION_DROPPED   4u
#define OPTION_RECEIVED  4u /* of statistics */
#define OPTION_LEFT_OUT  5u
#define FLAG_INBOUND     1u
#define FLAG_OUTBOUND    2u
#define LINK_ETHERNET    1u
#define NANOSECONDS      9u /* 10 to the power of -9 */

struct note {
	uint64_t time_ns; /* since 1970 */
	uint64_t dropped; /* before it */
	bool from_guest;
};

struct net_capture {
	FILE *file;
	pthread_t thread;

	pthread_mutex_t lock; /* a leaf */
	pthread_cond_t filled;
	/* lock */
	struct frame_fifo *in;
	uint64_t dropped; /* since the last that was not */
	uint64_t all, left_out; /* frames */
	bool ending, failed;

	/* the thread's */
	struct frame_fifo *out;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

/* --- blocks ------------------------------------------------------------------------- */

/* A block is made in a few words of memory, but for a packet's frame. */
struct block {
	uint8_t bytes[128];
	size_t n;
};

static void add(struct block *b, const void *data, size_t bytes)
{
	memcpy(b->bytes + b->n, data, bytes);
	b->n += bytes;
}

static void add16(struct block *b, uint16_t value)
{
	add(b, &value, sizeof(value));
}

static void add32(struct block *b, uint32_t value)
{
	add(b, &value, sizeof(value));
}

static void pad(struct block *b)
{
	static const uint8_t zeroes[4];

	add(b, zeroes, -b->n & 3);
}

static void add_option(struct block *b, uint16_t code, const void *data,
		       uint16_t bytes)
{
	add16(b, code);
	add16(b, bytes);
	add(b, data, bytes);
	pad(b);
}

/* The block's length stands in it twice. */
static void finish(struct block *b)
{
	uint32_t bytes = (uint32_t)b->n + 4;

	add32(b, bytes);
	memcpy(b->bytes + 4, &bytes, sizeof(bytes));
}

static bool write_head(struct net_capture *c, const char *name)
{
	static const char program[] = "kvmbus";
	const uint8_t resolution = NANOSECONDS;
	struct block b = {.n = 0};

	add32(&b, BLOCK_SECTION);
	add32(&b, 0);
	add32(&b, BYTE_ORDER_MARK);
	add16(&b, 1); /* version 1.0 */
	add16(&b, 0);
	add32(&b, UINT32_MAX); /* its length is not known */
	add32(&b, UINT32_MAX);
	add_option(&b, OPTION_PROGRAM, program, sizeof(program) - 1);
	add32(&b, OPTION_END);
	finish(&b);
	if (fwrite(b.bytes, b.n, 1, c->file) != 1)
		return false;
	b.n = 0;
	add32(&b, BLOCK_INTERFACE);
	add32(&b, 0);
	add16(&b, LINK_ETHERNET);
	add16(&b, 0);
	add32(&b, 0); /* frames of any length */
	add_option(&b, OPTION_NAME, name, (uint16_t)MIN(strlen(name), 32));
	add_option(&b, OPTION_TSRESOL, &resolution, sizeof(resolution));
	add32(&b, OPTION_END);
	finish(&b);
	return fwrite(b.bytes, b.n, 1, c->file) == 1 && !fflush(c->file);
}

static bool write_packet(struct net_capture *c, const struct frame_record *r)
{
	uint32_t bytes = (uint32_t)r->frame_bytes, total, flags;
	struct block head = {.n = 0}, tail = {.n = 0};
	struct note note;

	memcpy(&note, r->note, sizeof(note));
	flags = note.from_guest ? FLAG_OUTBOUND : FLAG_INBOUND;
	add32(&head, BLOCK_PACKET);
	add32(&head, 0);
	add32(&head, 0); /* the interface */
	add32(&head, (uint32_t)(note.time_ns >> 32));
	add32(&head, (uint32_t)note.time_ns);
	add32(&head, bytes);
	add32(&head, bytes);
	/* As if the frame's last bytes were in it, for the padding. */
	tail.n = bytes & 3;
	pad(&tail);
	add_option(&tail, OPTION_FLAGS, &flags, sizeof(flags));
	if (note.dropped)
		add_option(&tail, OPTION_DROPPED, &note.dropped,
			   sizeof(note.dropped));
	add32(&tail, OPTION_END);
	total = (uint32_t)(head.n + bytes + tail.n - (bytes & 3)) + 4;
	add32(&tail, total);
	memcpy(head.bytes + 4, &total, sizeof(total));
	return fwrite(head.bytes, head.n, 1, c->file) == 1 &&
	       fwrite(r->frame, bytes, 1, c->file) == 1 &&
	       fwrite(tail.bytes + (bytes & 3), tail.n - (bytes & 3), 1,
		      c->file) == 1;
}

/* At the end: what came and what of it was left out. */
static bool write_statistics(struct net_capture *c)
{
	struct block b = {.n = 0};
	uint64_t now = now_ns();

	add32(&b, BLOCK_STATISTICS);
	add32(&b, 0);
	add32(&b, 0); /* the interface */
	add32(&b, (uint32_t)(now >> 32));
	add32(&b, (uint32_t)now);
	add_option(&b, OPTION_RECEIVED, &c->all, sizeof(c->all));
	add_option(&b, OPTION_LEFT_OUT, &c->left_out, sizeof(c->left_out));
	add32(&b, OPTION_END);
	finish(&b);
	return fwrite(b.bytes, b.n, 1, c->file) == 1;
}

/* --- the thread --------------------------------------------------------------------- */

static bool write_out(struct net_capture *c)
{
	struct frame_record r;
	bool ok = true;

	while (frame_fifo_peek(c->out, &r)) {
		ok = ok && write_packet(c, &r);
		frame_fifo_pop(c->out);
	}
	return !fflush(c->file) && ok;
}

static void *run(void *ctx)
{
	struct net_capture *c = ctx;
	struct frame_fifo *full;
	bool ok = true;

	pthread_mutex_lock(&c->lock);
	while (!c->ending || !frame_fifo_is_empty(c->in)) {
		if (frame_fifo_is_empty(c->in)) {
			pthread_cond_wait(&c->filled, &c->lock);
			continue;
		}
		full = c->in;
		c->in = c->out;
		c->out = full;
		pthread_mutex_unlock(&c->lock);
		if (ok && !write_out(c)) {
			ok = false;
			log_error("the capture ends: %s", g_strerror(errno));
		}
		pthread_mutex_lock(&c->lock);
		c->failed = !ok;
		while (!ok && !frame_fifo_is_empty(c->out))
			frame_fifo_pop(c->out);
	}
	pthread_mutex_unlock(&c->lock);
	if (ok && !write_statistics(c))
		log_error("the capture ends: %s", g_strerror(errno));
	return NULL;
}

void net_capture_add(struct net_capture *c, bool from_guest,
		     const struct iovec *iov, unsigned int n_iov, size_t bytes)
{
	struct iovec pieces[NET_IOV_MAX];
	struct note note = {.from_guest = from_guest};
	unsigned int n = 0;
	bool was_empty;

	/* What was received may be less than there was room for. */
	for (; n < n_iov && bytes; n++) {
		pieces[n] = iov[n];
		pieces[n].iov_len = MIN(iov[n].iov_len, bytes);
		bytes -= pieces[n].iov_len;
	}
	pthread_mutex_lock(&c->lock);
	was_empty = frame_fifo_is_empty(c->in);
	note.time_ns = now_ns();
	note.dropped = c->dropped;
	if (!c->failed && frame_fifo_put(c->in, &note, pieces, n))
		c->dropped = 0;
	else
		c->dropped++;
	c->all++;
	c->left_out += c->dropped != 0;
	if (was_empty)
		pthread_cond_signal(&c->filled);
	pthread_mutex_unlock(&c->lock);
}

/* --- life --------------------------------------------------------------------------- */

static void clear(struct net_capture *c)
{
	if (c->file && fclose(c->file))
		log_error("the capture is not complete: %s", g_strerror(errno));
	frame_fifo_free(c->in);
	frame_fifo_free(c->out);
	pthread_cond_destroy(&c->filled);
	pthread_mutex_destroy(&c->lock);
	g_free(c);
}

struct net_capture *net_capture_new(const char *path, const char *name,
				    GError **error)
{
	struct net_capture *c = g_new0(struct net_capture, 1);
	int err = 0;

	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->filled, NULL);
	c->in = frame_fifo_new(BUFFER_BYTES, sizeof(struct note));
	c->out = frame_fifo_new(BUFFER_BYTES, sizeof(struct note));
	c->file = fopen(path, "we");
	if (!c->file || !write_head(c, name))
		err = -errno;
	if (!err)
		err = thread_start(&c->thread, "net/pcap", run, c);
	if (!err)
		return c;
	g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(-err),
		    "capture %s: %s", path, g_strerror(-err));
	clear(c);
	return NULL;
}

void net_capture_free(struct net_capture *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->ending = true;
	pthread_cond_signal(&c->filled);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	clear(c);
}
