/* SPDX-License-Identifier: MIT */
/* Which steps a request is, over an engine that ends them as a test wants. */
#include "devices/block/raw_impl.h"

#include <errno.h>

#include "support/check_main.h"

static struct raw_request *issued; /* NULL: none */
static unsigned int steps;
static int step_result; /* 0: all is done */

static void issue(struct raw_queue *q, struct raw_request *r)
{
	(void)q;
	ck_assert_ptr_null(issued);
	issued = r;
	steps++;
}

static int queue_open(struct block_queue *queue, GError **error)
{
	(void)error;
	raw_queue_init((struct raw_queue *)queue, issue);
	return 0;
}

static void queue_close(struct block_queue *queue)
{
	raw_queue_clear((struct raw_queue *)queue);
}

static void nothing(struct block_queue *queue)
{
	(void)queue;
}

static void reap(struct block_queue *queue)
{
	struct raw_request *r = issued;
	bool moves;

	issued = NULL;
	if (!r)
		return;
	moves = r->step.kind == STEP_READ || r->step.kind == STEP_WRITE;
	raw_step_ended((struct raw_queue *)queue, r,
		       step_result ? step_result
		       : moves     ? (int)r->step.bytes
				   : 0);
}

static const struct block_ops ops = {
	.queue_size = sizeof(struct raw_queue),
	.queue_open = queue_open,
	.queue_close = queue_close,
	.start = raw_begin,
	.kick = nothing,
	.reap = reap,
	.wake = nothing,
};

static struct raw raw;
static struct block_queue *q;
static int io_result;

static void on_done(struct block_io *io, int result)
{
	(void)io;
	io_result = result;
}

static void setup(void)
{
	const struct block_info info = {.bytes = 1 << 20, .block_bytes = 512};

	raw = (struct raw){.path = (char *)"image", .fd = -1, .top_fd = -1};
	raw.memory_align = raw.offset_align = 512;
	block_init(&raw.block, &ops, "raw", &info);
	q = block_queue_new(&raw.block, NULL);
	issued = NULL;
	steps = 0;
}

static void teardown(void)
{
	block_queue_free(q);
	block_clear(&raw.block);
}

/* Do one whose steps end with @err. Return: its result. */
static int do_io(enum block_op op, unsigned int flags, int err)
{
	static uint8_t data[4096] __attribute__((aligned(4096)));
	struct iovec iov = {data, sizeof(data)};
	struct block_io io = {.op = op,
			      .flags = flags,
			      .bytes = op == BLOCK_FLUSH ? 0 : sizeof(data),
			      .iov = &iov,
			      .n_iov = op == BLOCK_FLUSH ? 0 : 1,
			      .done = on_done};

	step_result = err;
	io_result = 1;
	block_queue_submit(q, &io);
	for (unsigned int i = 0; i < 8 && io_result == 1; i++)
		block_queue_reap(q);
	return io_result;
}

/*
 * What fails, and what becomes of the next flush, which the host would say yes
 * to: the host tells of what it could not write back only once.
 */
static const struct {
	const char *what;
	enum block_op op;
	unsigned int flags;
	int err;
	bool direct, sync;
	int flush;
} failures[] = {
	{"a flush", BLOCK_FLUSH, 0, -EIO, false, false, -EIO},
	{"a flush for which there is no room", BLOCK_FLUSH, 0, -ENOSPC, false,
	 false, -ENOSPC},
	{"a flush without a cache", BLOCK_FLUSH, 0, -EIO, true, false, 0},
	{"a write", BLOCK_WRITE, 0, -EIO, false, false, 0},
	{"a write with FUA", BLOCK_WRITE, BLOCK_FUA, -EIO, false, false, -EIO},
	{"... without a cache", BLOCK_WRITE, BLOCK_FUA, -EIO, true, false, 0},
	{"... for which there is no room", BLOCK_WRITE, BLOCK_FUA, -ENOSPC,
	 false, false, 0},
	{"... that is as all others", BLOCK_WRITE, BLOCK_FUA, -EIO, false, true,
	 0},
	{"a read", BLOCK_READ, 0, -EIO, false, false, 0},
};

START_TEST(failures_that_flushes_remember)
{
	raw.direct = failures[_i].direct;
	raw.sync = failures[_i].sync;
	ck_assert_int_eq(
		do_io(failures[_i].op, failures[_i].flags, failures[_i].err),
		failures[_i].err);
	for (unsigned int i = 0; i < 2; i++) {
		steps = 0;
		ck_assert_msg(do_io(BLOCK_FLUSH, 0, 0) == failures[_i].flush,
			      "%s", failures[_i].what);
		ck_assert_uint_eq(steps, !failures[_i].flush);
	}
	ck_assert_int_eq(do_io(BLOCK_WRITE, 0, 0), 0);
	ck_assert_int_eq(do_io(BLOCK_READ, 0, 0), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("devices/block/raw_request");
	TCase *t = tcase_create("raw_request");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, failures_that_flushes_remember, 0,
			    G_N_ELEMENTS(failures));
	suite_add_tcase(s, t);
	return check_main(s);
}
