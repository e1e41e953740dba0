/* SPDX-License-Identifier: MIT */
/*
 * Killed (-9) at any time, nothing is lost that was flushed: a process writes
 * and says what was acknowledged; after it has died the image is read again.
 */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "devices/block/block_open.h"
#include "support/block_user.h"
#include "support/check_main.h"
#include "support/image_file.h"

#define DISK_BYTES  (8u << 20)
#define BLOCK_BYTES 4096u
#define SLOTS       64u /* blocks that are written over and over */
#define BATCH       16u
#define ROUNDS      4u
/* The numbers of a round are above all of the round before. */
#define ROUND_STEP  1000000u

/* How a write becomes durable. */
enum way {
	BY_FLUSH,
	BY_FUA,
	BY_CACHE, /* writethrough: each is */
};

static const struct {
	const char *format;
	enum block_cache cache;
	enum block_aio aio;
	enum way way;
} cases[] = {
	{"raw", BLOCK_CACHE_WRITEBACK, BLOCK_AIO_AUTO, BY_FLUSH},
	{"raw", BLOCK_CACHE_WRITEBACK, BLOCK_AIO_THREADS, BY_FUA},
	{"raw", BLOCK_CACHE_NONE, BLOCK_AIO_AUTO, BY_FUA},
	{"raw", BLOCK_CACHE_NONE, BLOCK_AIO_THREADS, BY_FLUSH},
	{"raw", BLOCK_CACHE_WRITETHROUGH, BLOCK_AIO_AUTO, BY_CACHE},
	{"qcow2", BLOCK_CACHE_WRITEBACK, BLOCK_AIO_AUTO, BY_FLUSH},
	{"qcow2", BLOCK_CACHE_WRITEBACK, BLOCK_AIO_AUTO, BY_FUA},
	{"qcow2", BLOCK_CACHE_WRITETHROUGH, BLOCK_AIO_AUTO, BY_CACHE},
	{"vhdx", BLOCK_CACHE_WRITEBACK, BLOCK_AIO_AUTO, BY_FLUSH},
};

static struct image_file file;

static struct block *open_image(int i)
{
	const struct block_options o = {
		.path = file.path,
		.format = cases[i].format,
		.cache = cases[i].cache,
		.aio = cases[i].aio,
	};
	struct block *b = NULL;

	/* The server of the process that was killed may take a moment. */
	for (unsigned int tries = 0; !b && tries < 1000; tries++) {
		b = block_open(&o, NULL);
		if (!b)
			g_usleep(10000);
	}
	return b;
}

static uint8_t blocks[BATCH][BLOCK_BYTES] __attribute__((aligned(4096)));

/* A block that says which write it is, everywhere. */
static void fill(uint8_t *block, uint32_t number)
{
	for (uint32_t at = 0; at < BLOCK_BYTES; at += sizeof(number))
		memcpy(block + at, &number, sizeof(number));
}

/* Where write @number goes: each slot comes once in as many as there are. */
static uint64_t place(uint32_t number)
{
	return (uint64_t)(number * 29 % SLOTS) * (DISK_BYTES / SLOTS);
}

/* Its server may be killed before it is. */
static void wait_for_the_end(void)
{
	for (;;)
		pause();
}

/* Write @number on, for ever; what is on stable storage goes to @fd. */
static void write_on(int i, uint32_t number, int fd)
{
	struct block *b = open_image(i);
	struct block_queue *q = b ? block_queue_new(b, NULL) : NULL;
	static struct user_io ios[BATCH];

	if (!q)
		_exit(1);
	for (;; number += BATCH) {
		uint32_t last = number + BATCH - 1;

		for (uint32_t k = 0; k < BATCH; k++) {
			fill(blocks[k], number + k);
			user_prepare(&ios[k], BLOCK_WRITE, place(number + k),
				     blocks[k], BLOCK_BYTES);
			ios[k].io.flags =
				cases[i].way == BY_FUA ? BLOCK_FUA : 0;
			block_queue_submit(q, &ios[k].io);
		}
		block_queue_kick(q);
		while (block_queue_in_flight(q)) {
			user_poll(q, -1);
			block_queue_reap(q);
			block_queue_kick(q);
		}
		for (uint32_t k = 0; k < BATCH; k++)
			if (ios[k].result)
				wait_for_the_end();
		if (cases[i].way == BY_FLUSH) {
			user_prepare(&ios[0], BLOCK_FLUSH, 0, NULL, 0);
			block_queue_submit(q, &ios[0].io);
			block_queue_kick(q);
			while (block_queue_in_flight(q)) {
				user_poll(q, -1);
				block_queue_reap(q);
			}
			if (ios[0].result)
				wait_for_the_end();
		}
		if (write(fd, &last, sizeof(last)) != sizeof(last))
			_exit(1);
	}
}

/* Else a qemu-nbd would end in order, as it is told when its parent dies. */
static void kill_servers(pid_t pid)
{
	g_autofree char *path =
		g_strdup_printf("/proc/%d/task/%d/children", pid, pid);
	g_autofree char *text = NULL;
	g_auto(GStrv) words = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return;
	words = g_strsplit(text, " ", 0);
	for (char **w = words; *w; w++) {
		pid_t child = (pid_t)g_ascii_strtoll(*w, NULL, 10);

		if (child > 1)
			kill(child, SIGKILL);
	}
}

/*
 * Have a process write @first on, until it has said @n numbers.  Return: the
 * last.
 */
static uint32_t write_and_kill(int i, uint32_t first, unsigned int n)
{
	uint32_t number = 0, last = 0;
	int fds[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		write_on(i, first, fds[1]);
	}
	close(fds[1]);
	while (n-- && read(fds[0], &number, sizeof(number)) == sizeof(number))
		last = number;
	kill_servers(pid);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status), "it ended by itself");
	/* It had gone on until then. */
	while (read(fds[0], &number, sizeof(number)) == sizeof(number))
		last = number;
	close(fds[0]);
	return last;
}

/* Each slot has the last write that was acknowledged, or one after it. */
static void check_image(int i, uint32_t first, uint32_t last)
{
	struct block *b = open_image(i);
	struct block_queue *q;

	ck_assert_msg(b, "%s does not open again", cases[i].format);
	q = user_queue(b);
	for (uint32_t n = MAX(first, last - SLOTS + 1); n <= last; n++) {
		uint32_t got;

		ck_assert_int_eq(user_read(q, place(n), blocks[0], BLOCK_BYTES),
				 0);
		memcpy(&got, blocks[0], sizeof(got));
		/* A block that was under way may be of either, or of both. */
		ck_assert_msg(got >= n && place(got) == place(n),
			      "write %u of %u is lost: %u is there", n, last,
			      got);
	}
	block_queue_free(q);
	block_free(b);
}

START_TEST(what_was_flushed_is_there)
{
	if (!strcmp(cases[_i].format, "raw"))
		image_file_make(&file, DISK_BYTES);
	else if (!image_file_make_format(&file, cases[_i].format, DISK_BYTES))
		return;
	for (unsigned int round = 0; round < ROUNDS; round++) {
		uint32_t first = (round + 1) * ROUND_STEP;
		uint32_t last = write_and_kill(_i, first, 1 + round * 3);

		ck_assert_uint_gt(last, first);
		check_image(_i, first, last);
	}
	image_file_end(&file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices/block/kill");
	TCase *tc = tcase_create("kill");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, what_was_flushed_is_there, 0,
			    G_N_ELEMENTS(cases));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
