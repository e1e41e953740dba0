/* SPDX-License-Identifier: MIT */
/* What block.h promises, of each back end: one table, the same cases. */
#include <errno.h>
#include <inttypes.h>

#include "devices/block/block_open.h"
#include "devices/block/ram.h"
#include "devices/block/raw_impl.h"
#include "support/block_user.h"
#include "support/check_main.h"
#include "support/image_file.h"
#include "support/random.h"

#define DISK_BYTES (4u << 20)

struct back_end {
	const char *what;
	struct block_options options;
	bool ram, tmpfs;
	bool old; /* as a tmpfs is before Linux 6.6 */
};

static const struct back_end back_ends[] = {
	{.what = "ram", .ram = true},
	{.what = "io_uring"},
	{.what = "io_uring, direct", .options = {.cache = BLOCK_CACHE_NONE}},
	{.what = "io_uring, tmpfs", .tmpfs = true},
	{.what = "io_uring, tmpfs of old", .tmpfs = true, .old = true},
	{.what = "io_uring, write through",
	 .options = {.cache = BLOCK_CACHE_WRITETHROUGH}},
	{.what = "io_uring, direct and sync",
	 .options = {.cache = BLOCK_CACHE_DIRECTSYNC}},
	{.what = "io_uring, unsafe", .options = {.cache = BLOCK_CACHE_UNSAFE}},
	{.what = "io_uring, zeroes detected",
	 .options = {.detect_zeroes = BLOCK_DETECT_UNMAP}},
	{.what = "io_uring, 4096", .options = {.block_bytes = 4096}},
	{.what = "io_uring, snapshot", .options = {.snapshot = true}},
	{.what = "threads", .options = {.aio = BLOCK_AIO_THREADS}},
	{.what = "threads, direct",
	 .options = {.aio = BLOCK_AIO_THREADS, .cache = BLOCK_CACHE_NONE}},
	{.what = "threads, tmpfs",
	 .options = {.aio = BLOCK_AIO_THREADS},
	 .tmpfs = true},
	{.what = "threads, snapshot",
	 .options = {.aio = BLOCK_AIO_THREADS, .snapshot = true}},
	{.what = "qcow2", .options = {.format = "qcow2"}},
	{.what = "qcow2, direct",
	 .options = {.format = "qcow2", .cache = BLOCK_CACHE_NONE}},
	{.what = "qcow2, snapshot",
	 .options = {.format = "qcow2", .snapshot = true}},
	{.what = "vhdx", .options = {.format = "vhdx"}},
	{.what = "vhd, 4096",
	 .options = {.format = "vpc", .block_bytes = 4096}},
};

static struct image_file file;
static struct block *disk;
static struct block_queue *q;
static uint32_t grain; /* of the disk */

/* Return: false: what it takes is not installed */
static bool open_disk(int i)
{
	const struct back_end *e = &back_ends[i];
	struct block_options options = e->options;
	GError *error = NULL;

	if (options.format) {
		if (!image_file_make_format(&file, options.format, DISK_BYTES))
			return false;
	} else if (e->ram) {
		file.fd = -1;
		disk = block_ram_new(DISK_BYTES, 512);
	} else if (e->tmpfs) {
		image_file_make_tmpfs(&file, DISK_BYTES);
	} else {
		image_file_make(&file, DISK_BYTES);
	}
	if (!e->ram) {
		options.path = file.path;
		disk = block_open(&options, &error);
		ck_assert_msg(disk, "%s: %s", e->what,
			      error ? error->message : "");
	}
	if (e->old)
		to_raw(disk)->in_memory = true;
	q = user_queue(disk);
	grain = block_info(disk).block_bytes;
	return true;
}

static void close_disk(void)
{
	block_queue_free(q);
	block_free(disk);
	if (file.fd >= 0)
		image_file_end(&file);
}

START_TEST(size_is_the_image)
{
	if (!open_disk(_i))
		return;
	ck_assert_uint_eq(block_info(disk).bytes, DISK_BYTES);
	ck_assert(block_info(disk).can_discard);
	ck_assert(!block_info(disk).readonly);
	ck_assert_uint_ge(block_info(disk).physical_bytes, grain);
	ck_assert_int_eq(block_refresh(disk), 0);
	ck_assert_uint_eq(block_info(disk).bytes, DISK_BYTES);
	close_disk();
}
END_TEST

/* --- against a model ---------------------------------------------------------- */

static uint8_t model[DISK_BYTES];
static bool unknown[DISK_BYTES / 512]; /* was discarded */

struct piece {
	struct user_io u;
	struct iovec iov[5];
	uint8_t *data;
};

/* Memory of @bytes in up to five pieces, odd or of whole blocks. */
static void scatter(struct piece *p, uint64_t bytes)
{
	bool odd = random_u64() % 3 == 0;
	uint64_t left = bytes;
	uint8_t *at;

	p->data = malloc(bytes + 5 * 4096 + 4096);
	at = (uint8_t *)(((uintptr_t)p->data + 4095) & ~4095ull);
	for (p->u.io.n_iov = 0; left; p->u.io.n_iov++) {
		uint64_t len = random_u64() % bytes + 1;

		if (!odd)
			len = (len + grain - 1) / grain * grain;
		if (p->u.io.n_iov == 4 || len > left)
			len = left;
		at += odd ? random_u64() % 64 : 0;
		p->iov[p->u.io.n_iov] = (struct iovec){at, len};
		at += len;
		left -= len;
	}
	p->u.io.iov = p->iov;
}

/* Fill its memory, and the model, as a write will the disk. */
static void fill(struct piece *p, uint8_t *to)
{
	bool nothing = random_u64() % 5 == 0;
	uint64_t seed = random_u64();

	for (unsigned int i = 0; i < p->u.io.n_iov; i++) {
		uint8_t *data = p->iov[i].iov_base;

		for (size_t k = 0; k < p->iov[i].iov_len; k++)
			data[k] = nothing ? 0 : (uint8_t)(seed + k);
		memcpy(to, data, p->iov[i].iov_len);
		to += p->iov[i].iov_len;
	}
}

/* Not by ck_assert() for each byte, which is a system call. */
static void compare_bytes(const uint8_t *data, uint64_t at, uint64_t bytes)
{
	for (uint64_t i = at; i < at + bytes; i++, data++)
		if (*data != model[i] && !unknown[i / 512])
			ck_abort_msg("at %" PRIu64 ": %d, not %d", i, *data,
				     model[i]);
}

static void compare(const struct piece *p)
{
	uint64_t at = p->u.io.offset;

	for (unsigned int i = 0; i < p->u.io.n_iov; i++) {
		compare_bytes(p->iov[i].iov_base, at, p->iov[i].iov_len);
		at += p->iov[i].iov_len;
	}
}

static void know(const struct block_io *io, bool known)
{
	for (uint64_t i = 0; i < io->bytes; i += 512)
		unknown[(io->offset + i) / 512] = !known;
}

static void begin(struct piece *p, uint64_t first, uint64_t last)
{
	static const uint32_t flags[] = {0, 0, BLOCK_FUA, BLOCK_UNMAP};
	uint64_t n = (last - first) / grain;
	uint64_t skip = random_u64() % n;
	uint64_t blocks = random_u64() % (n - skip) + 1;
	struct block_io *io = &p->u.io;

	user_prepare(&p->u, (enum block_op)(random_u64() % 5),
		     first + skip * grain, NULL, blocks * grain);
	p->data = NULL;
	io->flags = flags[random_u64() % G_N_ELEMENTS(flags)];
	if (io->op == BLOCK_READ || io->op == BLOCK_WRITE)
		scatter(p, io->bytes);
	if (io->op == BLOCK_WRITE)
		fill(p, model + io->offset);
	if (io->op == BLOCK_ZERO)
		memset(model + io->offset, 0, io->bytes);
	if (io->op != BLOCK_FLUSH && io->op != BLOCK_READ)
		know(io, io->op != BLOCK_DISCARD);
	block_queue_submit(q, io);
}

static void finish(struct piece *p)
{
	ck_assert_int_eq(p->u.result, 0);
	ck_assert_uint_eq(p->u.n_done, 1);
	if (p->u.io.op == BLOCK_READ)
		compare(p);
	free(p->data);
}

/* Many at a time, each within a part of the disk of its own. */
START_TEST(as_the_model)
{
	enum {
		PARTS = 16,
		ROUNDS = 6
	};
	static struct piece p[PARTS];
	static uint8_t all[DISK_BYTES];
	const uint64_t part = DISK_BYTES / PARTS;

	if (!open_disk(_i))
		return;
	for (unsigned int round = 0; round < ROUNDS; round++) {
		for (unsigned int i = 0; i < PARTS; i++)
			begin(&p[i], i * part, (i + 1) * part);
		block_queue_kick(q);
		user_drain(q);
		for (unsigned int i = 0; i < PARTS; i++)
			finish(&p[i]);
	}
	ck_assert_int_eq(user_read(q, 0, all, sizeof(all)), 0);
	compare_bytes(all, 0, DISK_BYTES);
	close_disk();
}
END_TEST

/* --- each for itself --------------------------------------------------------- */

/* Bytes from @at on, of which @hole is said. */
static uint64_t extent(uint64_t at, bool *hole)
{
	struct user_io u;

	user_prepare(&u, BLOCK_EXTENT, at, NULL, DISK_BYTES - at);
	ck_assert_int_eq(user_finish(q, &u), 0);
	ck_assert_uint_gt(u.io.extent_bytes, 0);
	ck_assert_uint_eq(u.io.extent_bytes % grain, 0);
	ck_assert_uint_le(u.io.extent_bytes, DISK_BYTES - at);
	*hole = u.io.hole;
	return u.io.extent_bytes;
}

START_TEST(holes_are_found)
{
	static const uint64_t from = 256 << 10, to = (256 << 10) + 4096;
	static uint8_t data[4096];
	uint64_t in_holes = 0, bytes;
	bool hole;

	if (!open_disk(_i))
		return;
	memset(data, 0xC3, sizeof(data));
	ck_assert_int_eq(user_write(q, from, data, sizeof(data)), 0);
	for (uint64_t at = 0; at < DISK_BYTES; at += bytes) {
		bytes = extent(at, &hole);
		if (!hole)
			continue;
		in_holes += bytes;
		ck_assert(at + bytes <= from || at >= to);
	}
	/* Clusters have 64 KiB, or 2 MiB: then there is but one. */
	if (!strstr(back_ends[_i].what, "vh"))
		ck_assert_uint_ge(in_holes, DISK_BYTES - (64 << 10));
	close_disk();
}
END_TEST

START_TEST(zeroes_in_all_ways)
{
	static uint8_t data[256 << 10], got[256 << 10];
	static const uint32_t flags[] = {0, BLOCK_UNMAP, BLOCK_FUA,
					 BLOCK_FUA | BLOCK_UNMAP};

	if (!open_disk(_i))
		return;
	memset(data, 0xC3, sizeof(data));
	for (unsigned int i = 0; i < G_N_ELEMENTS(flags); i++) {
		ck_assert_int_eq(user_write(q, 0, data, sizeof(data)), 0);
		ck_assert_int_eq(user_do(q, BLOCK_ZERO, grain, NULL,
					 100 * 1024 / grain * grain, flags[i]),
				 0);
		ck_assert_int_eq(user_read(q, 0, got, sizeof(got)), 0);
		ck_assert(user_filled(got, 0xC3, grain));
		ck_assert(user_filled(got + grain, 0,
				      100 * 1024 / grain * grain));
		ck_assert(user_filled(got + 128 * 1024, 0xC3, 128 * 1024));
	}
	/* Larger than what is written in one go. */
	ck_assert_int_eq(user_do(q, BLOCK_ZERO, 0, NULL, DISK_BYTES, 0), 0);
	ck_assert_int_eq(user_read(q, 0, got, sizeof(got)), 0);
	ck_assert(user_filled(got, 0, sizeof(got)));
	close_disk();
}
END_TEST

/* More in flight than there are places and buffers, none of it aligned. */
START_TEST(all_places_at_once)
{
	enum {
		N = BLOCK_QUEUE_DEPTH + 30
	};
	static struct user_io u[N];
	static uint8_t data[N * 4096 + 1];

	if (!open_disk(_i))
		return;
	for (unsigned int op = BLOCK_READ; op <= BLOCK_WRITE; op++) {
		unsigned int ended = 0;

		for (unsigned int i = 0; i < N; i++) {
			/* Writes first. */
			user_prepare(&u[i],
				     op == BLOCK_READ ? BLOCK_WRITE
						      : BLOCK_READ,
				     i * 4096, data + 1 + i * 4096, 4096);
			memset(data + 1 + i * 4096,
			       op == BLOCK_READ ? (int)(i % 255 + 1) : 0, 4096);
			block_queue_submit(q, &u[i].io);
		}
		ck_assert_uint_eq(block_queue_in_flight(q), N);
		block_queue_kick(q);
		while (block_queue_in_flight(q)) {
			ck_assert(user_poll(q, USER_WAIT_MS));
			ended += block_queue_reap(q);
		}
		ck_assert_uint_eq(ended, N);
		for (unsigned int i = 0; i < N; i++) {
			ck_assert_int_eq(u[i].result, 0);
			ck_assert(user_filled(data + 1 + i * 4096,
					      (uint8_t)(i % 255 + 1), 4096));
		}
	}
	close_disk();
}
END_TEST

START_TEST(errors_end_in_reap_too)
{
	static uint8_t data[4096];
	struct user_io good, bad;

	if (!open_disk(_i))
		return;
	user_prepare(&good, BLOCK_READ, 0, data, sizeof(data));
	user_prepare(&bad, BLOCK_READ, DISK_BYTES, data, sizeof(data));
	block_queue_submit(q, &bad.io);
	block_queue_submit(q, &good.io);
	ck_assert_uint_eq(bad.n_done, 0);
	block_queue_kick(q);
	user_drain(q);
	ck_assert_int_eq(bad.result, -EINVAL);
	ck_assert_int_eq(good.result, 0);
	ck_assert_int_eq(user_read(q, DISK_BYTES, data, 4096), -EINVAL);
	block_queue_kick(q);
	block_queue_reap(q);
	block_queue_reap(q);
	ck_assert(!user_poll(q, 0));
	close_disk();
}
END_TEST

/* The descriptor alone says that something ended, each time anew. */
START_TEST(one_by_one)
{
	static uint8_t data[8192];

	if (!open_disk(_i))
		return;
	for (unsigned int i = 0; i < 20; i++) {
		uint64_t at = random_u64() % (DISK_BYTES / 4096) * 4096;

		memset(data, (int)i, 4096);
		ck_assert_int_eq(user_write(q, at, data, 4096), 0);
		ck_assert_int_eq(user_read(q, at, data + 4096, 4096), 0);
		ck_assert_mem_eq(data, data + 4096, 4096);
		block_queue_reap(q);
		ck_assert(!user_poll(q, 0));
	}
	ck_assert_int_eq(user_do(q, BLOCK_FLUSH, 0, NULL, 0, 0), 0);
	close_disk();
}
END_TEST

/* --- two users ------------------------------------------------------------------ */

#define TURNS 40u

struct user {
	struct block_queue *q;
	uint64_t from;
	unsigned int wrong; /* ck_assert() is not for threads */
	uint8_t data[4096];
};

static int turn(struct user *user, enum block_op op, unsigned int i)
{
	struct user_io u;

	user_prepare(&u, op, user->from + i % 10 * 4096, user->data, 4096);
	block_queue_submit(user->q, &u.io);
	block_queue_kick(user->q);
	while (!u.n_done && user_poll(user->q, USER_WAIT_MS))
		block_queue_reap(user->q);
	return u.result;
}

static void *use(void *arg)
{
	struct user *user = arg;

	for (unsigned int i = 0; i < TURNS; i++) {
		memset(user->data, (int)i + 1, sizeof(user->data));
		user->wrong += turn(user, BLOCK_WRITE, i) != 0;
		user->wrong += turn(user, BLOCK_READ, i) != 0;
		user->wrong += !user_filled(user->data, (uint8_t)(i + 1), 4096);
	}
	return NULL;
}

START_TEST(two_threads)
{
	static struct user mine, other = {.from = DISK_BYTES / 2};
	static uint8_t data[4096];
	pthread_t thread;

	if (!open_disk(_i))
		return;
	mine.q = q;
	other.q = user_queue(disk);
	ck_assert_int_eq(pthread_create(&thread, NULL, use, &other), 0);
	use(&mine);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(mine.wrong + other.wrong, 0);
	/* What one was told of the other sees. */
	ck_assert_int_eq(user_read(q, other.from + 9 * 4096, data, 4096), 0);
	ck_assert(user_filled(data, TURNS, 4096));
	block_queue_free(other.q);
	close_disk();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices/block/back_ends");
	TCase *tc = tcase_create("back_ends");
	int n = G_N_ELEMENTS(back_ends);

	tcase_add_loop_test(tc, size_is_the_image, 0, n);
	tcase_add_loop_test(tc, as_the_model, 0, n);
	tcase_add_loop_test(tc, holes_are_found, 0, n);
	tcase_add_loop_test(tc, zeroes_in_all_ways, 0, n);
	tcase_add_loop_test(tc, all_places_at_once, 0, n);
	tcase_add_loop_test(tc, errors_end_in_reap_too, 0, n);
	tcase_add_loop_test(tc, one_by_one, 0, n);
	tcase_add_loop_test(tc, two_threads, 0, n);
	tcase_set_timeout(tc, 20);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
