/* SPDX-License-Identifier: MIT */
#include "devices/net/capture.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "devices/net/mem.h"
#include "devices/net/net.h"
#include "support/check_main.h"
#include "support/frames.h"

/* A file of blocks, read by code of the test's own. */
static char path[] = "/tmp/test-capture-XXXXXX";
static gchar *file;
static gsize file_bytes, at;

static void setup(void)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void teardown(void)
{
	g_free(file);
	unlink(path);
}

static uint32_t word(gsize where)
{
	uint32_t w;

	ck_assert_uint_le(where + 4, file_bytes);
	memcpy(&w, file + where, 4);
	return w;
}

/* The next block, of @type.  Return: where it begins. */
static gsize next_block(uint32_t type)
{
	gsize begin = at;

	ck_assert_uint_eq(word(at), type);
	at += word(at + 4);
	ck_assert_uint_eq(at % 4, 0);
	ck_assert_uint_eq(word(at - 4), word(begin + 4));
	return begin;
}

/* Option @code between two places.  Return: its value; NULL: none. */
static const char *option(gsize from, gsize to, uint16_t code, uint16_t bytes)
{
	while (from < to) {
		uint16_t its = (uint16_t)word(from);
		uint16_t length = (uint16_t)(word(from) >> 16);

		if (its == code) {
			ck_assert_uint_eq(length, bytes);
			return file + from + 4;
		}
		if (!its)
			break;
		from += 4 + (length + 3u) / 4 * 4;
	}
	return NULL;
}

static void read_file(void)
{
	gsize b;

	ck_assert(g_file_get_contents(path, &file, &file_bytes, NULL));
	at = 0;
	b = next_block(0x0a0d0d0a);
	ck_assert_uint_eq(word(b + 8), 0x1a2b3c4d);
	ck_assert_uint_eq(word(b + 12), 1);
	ck_assert_mem_eq(option(b + 24, at - 4, 4, 6), "kvmbus", 6);
	b = next_block(1);
	ck_assert_uint_eq(word(b + 8), 1);
	ck_assert_mem_eq(option(b + 16, at - 4, 2, 4), "net7", 4);
	ck_assert_mem_eq(option(b + 16, at - 4, 9, 1), "\x09", 1);
}

struct packet {
	uint64_t time_ns, dropped;
	uint32_t bytes, flags;
	const char *frame;
};

/* Of the last block. */
static uint64_t all, left_out;

static bool next_packet(struct packet *p)
{
	const char *value;
	gsize b;

	if (word(at) == 5) {
		b = next_block(5);
		memcpy(&all, option(b + 20, at - 4, 4, 8), 8);
		memcpy(&left_out, option(b + 20, at - 4, 5, 8), 8);
		ck_assert_uint_eq(at, file_bytes);
		return false;
	}
	b = next_block(6);
	ck_assert_uint_eq(word(b + 8), 0);
	p->time_ns = (uint64_t)word(b + 12) << 32 | word(b + 16);
	p->bytes = word(b + 20);
	ck_assert_uint_eq(word(b + 24), p->bytes);
	p->frame = file + b + 28;
	b += 28 + (p->bytes + 3u) / 4 * 4;
	memcpy(&p->flags, option(b, at - 4, 2, 4), 4);
	value = option(b, at - 4, 4, 8);
	p->dropped = 0;
	if (value)
		memcpy(&p->dropped, value, 8);
	return true;
}

static struct net_capture *begin(void)
{
	g_autoptr(GError) error = NULL;
	struct net_capture *c = net_capture_new(path, "net7", &error);

	ck_assert_msg(c != NULL, "%s", error ? error->message : "");
	return c;
}

START_TEST(frames_of_all_lengths)
{
	static uint8_t data[70000];
	struct net_capture *c = begin();
	struct packet p;
	uint64_t before = (uint64_t)time(NULL) * 1000000000u, last = before;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 11);
	for (size_t n = 14; n < 70; n++) {
		const struct iovec iov[] = {{data, 5}, {data + 5, n}};

		net_capture_add(c, n % 2, iov, 2, n);
	}
	net_capture_add(c, true, &(const struct iovec){data, 65593}, 1, 65593);
	net_capture_free(c);
	read_file();
	for (size_t n = 14; n < 70; n++) {
		ck_assert(next_packet(&p));
		ck_assert_uint_eq(p.bytes, n);
		ck_assert_mem_eq(p.frame, data, n);
		ck_assert_uint_eq(p.flags, n % 2 ? 2 : 1);
		ck_assert_uint_eq(p.dropped, 0);
		ck_assert_uint_ge(p.time_ns, last);
		last = p.time_ns;
	}
	ck_assert(next_packet(&p));
	ck_assert_uint_eq(p.bytes, 65593);
	ck_assert_mem_eq(p.frame, data, 65593);
	ck_assert(!next_packet(&p));
	ck_assert_uint_lt(last, before + 600 * 1000000000ull);
}
END_TEST

START_TEST(what_is_left_out_is_counted)
{
	static uint8_t data[60000];
	struct net_capture *c = begin();
	const unsigned int total = 3000;
	uint64_t frames = 0, dropped = 0;
	struct packet p;

	/* Faster than a thread that has just begun can write them. */
	for (unsigned int i = 0; i < total; i++)
		net_capture_add(c, true, &(const struct iovec){data, 60000}, 1,
				60000);
	net_capture_free(c);
	read_file();
	while (next_packet(&p)) {
		frames++;
		dropped += p.dropped;
	}
	ck_assert_uint_eq(all, total);
	ck_assert_uint_eq(frames + left_out, total);
	/* The last of them are not followed by one that tells of it. */
	ck_assert_uint_le(dropped, left_out);
}
END_TEST

START_TEST(a_net_has_both_directions_in_it)
{
	const struct net_mem_params params = {.queues = 1};
	const struct frame_kind kind = {.what = "TCP over IPv4"};
	static struct frame f;
	static uint8_t room[4096];
	struct net *n = net_mem_new(&params);
	struct net_queue *q;
	struct iovec iov = {room, sizeof(room)};
	struct virtio_net_hdr hdr;
	struct packet p;

	net_set_capture(n, begin());
	q = net_queue_new(n, 0, NULL);
	/* A large one is one, as it was sent. */
	frame_make(&f, &kind, 3000);
	frame_unfinish(&f);
	hdr = frame_hdr(&f, 1000);
	ck_assert_int_eq(
		net_queue_send(q, &hdr, &(const struct iovec){f.bytes, f.n}, 1),
		0);
	/* One that is refused is none. */
	net_mem_hold(n, 0);
	net_queue_send(q, &hdr, &(const struct iovec){f.bytes, f.n}, 1);
	net_mem_put(n, 0, NULL, f.bytes, 99);
	ck_assert_int_eq(net_queue_recv(q, &hdr, &iov, 1), 99);
	net_queue_free(q);
	net_free(n);
	read_file();
	ck_assert(next_packet(&p));
	ck_assert_uint_eq(p.bytes, f.n);
	ck_assert_uint_eq(p.flags, 2);
	ck_assert_mem_eq(p.frame, f.bytes, f.n);
	ck_assert(next_packet(&p));
	ck_assert_uint_eq(p.bytes, 99);
	ck_assert_uint_eq(p.flags, 1);
	ck_assert(!next_packet(&p));
}
END_TEST

START_TEST(a_file_that_cannot_be)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(net_capture_new("/nonexistent/a", "net0", &error));
	ck_assert_ptr_nonnull(strstr(error->message, "/nonexistent/a"));
	net_capture_free(NULL);
}
END_TEST

START_TEST(a_disk_that_is_full_ends_it_and_nothing_else)
{
	static uint8_t data[60000];
	g_autoptr(GError) error = NULL;
	struct net_capture *c = net_capture_new("/dev/full", "net0", &error);

	if (!c) {
		ck_assert_ptr_nonnull(strstr(error->message, "/dev/full"));
		return;
	}
	for (unsigned int i = 0; i < 100; i++)
		net_capture_add(c, true, &(const struct iovec){data, 60000}, 1,
				60000);
	net_capture_free(c);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices/net/capture");
	TCase *tc = tcase_create("capture");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, frames_of_all_lengths);
	tcase_add_test(tc, what_is_left_out_is_counted);
	tcase_add_test(tc, a_net_has_both_directions_in_it);
	tcase_add_test(tc, a_file_that_cannot_be);
	tcase_add_test(tc, a_disk_that_is_full_ends_it_and_nothing_else);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
