/* SPDX-License-Identifier: MIT */
/* What is particular to images behind a qemu-nbd: its life, its death. */
#include "devices/block/nbd.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "support/block_user.h"
#include "support/check_main.h"
#include "support/image_file.h"

#define DISK_BYTES (4u << 20)

static struct image_file file;
static struct block_options options;
static struct block *disk;
static struct block_queue *q;
static uint8_t data[DISK_BYTES], got[DISK_BYTES];

static void setup(void)
{
	ck_assert(image_file_make_format(&file, "qcow2", DISK_BYTES));
	memset(&options, 0, sizeof(options));
	options.path = file.path;
	options.format = "qcow2";
	memset(data, 0x3C, sizeof(data));
}

static void open_disk(void)
{
	GError *error = NULL;

	disk = block_open(&options, &error);
	ck_assert_msg(disk, "%s", error ? error->message : "");
	q = user_queue(disk);
}

static void close_disk(void)
{
	block_queue_free(q);
	block_free(disk);
	disk = NULL;
	q = NULL;
}

static void teardown(void)
{
	close_disk();
	image_file_end(&file);
}

static void refused(const char *why)
{
	GError *error = NULL;

	ck_assert_ptr_null(block_open(&options, &error));
	ck_assert_msg(strstr(error->message, options.path) &&
			      strstr(error->message, why),
		      "%s", error->message);
	g_error_free(error);
}

/* --- opening ---------------------------------------------------------------------- */

START_TEST(reasons_are_said)
{
	options.path = "/tmp/kvmbus-no-such-file";
	refused("No such file");
	options.path = file.path;
	options.format = "vhdx";
	refused("Could not open");
	options.format = "no-such-format";
	refused("no-such-format");
	options.format = "qcow2";
	options.block_bytes = 100;
	refused("512 or 4096");
	options.block_bytes = 0;
	g_setenv("PATH", "/nowhere", TRUE);
	refused("not installed");
}
END_TEST

START_TEST(one_writer)
{
	open_disk();
	refused("lock");
	options.readonly = true;
	refused("lock");
}
END_TEST

START_TEST(kind_and_numbers)
{
	open_disk();
	ck_assert_str_eq(block_kind(disk), "nbd qcow2");
	ck_assert_uint_eq(block_info(disk).bytes, DISK_BYTES);
	ck_assert_uint_eq(block_info(disk).discard_bytes, 65536);
	ck_assert(block_info(disk).can_discard);
	ck_assert_int_gt(block_nbd_pid(disk), 0);
	ck_assert_int_eq(block_refresh(disk), 0);
	close_disk();
	options.discard = BLOCK_DISCARD_IGNORE;
	options.detect_zeroes = BLOCK_DETECT_UNMAP;
	options.cache = BLOCK_CACHE_UNSAFE;
	open_disk();
	ck_assert(!block_info(disk).can_discard);
}
END_TEST

/* Is @word one of qemu-nbd's arguments? */
static bool was_told(const char *word)
{
	g_autofree char *path =
		g_strdup_printf("/proc/%d/cmdline", block_nbd_pid(disk));
	g_autofree char *words = NULL;
	size_t bytes;

	ck_assert(g_file_get_contents(path, &words, &bytes, NULL));
	for (const char *at = words; at < words + bytes; at += strlen(at) + 1)
		if (!strcmp(at, word))
			return true;
	return false;
}

/* As with a raw image: what the user has not said is the program's choice. */
START_TEST(how_the_host_is_asked)
{
	open_disk();
	ck_assert(!was_told("--aio=threads") && !was_told("--aio=io_uring"));
	close_disk();
	options.aio = BLOCK_AIO_THREADS;
	open_disk();
	ck_assert(was_told("--aio=threads"));
	if (!block_has_io_uring())
		return;
	close_disk();
	options.aio = BLOCK_AIO_IO_URING;
	open_disk();
	ck_assert(was_told("--aio=io_uring"));
}
END_TEST

/* A name that qemu-nbd could take for something else. */
START_TEST(names_are_only_names)
{
	static const char name[] = "nbd:-x,y.qcow2";
	g_autofree char *folder = g_dir_make_tmp("kvmbus-test-XXXXXX", NULL);

	ck_assert_int_eq(chdir(folder), 0);
	ck_assert_int_eq(symlink(file.path, name), 0);
	options.path = name;
	options.format = NULL;
	open_disk();
	ck_assert_int_eq(user_write(q, 0, data, 4096), 0);
	unlink(name);
	rmdir(folder);
}
END_TEST

START_TEST(what_is_written_stays)
{
	open_disk();
	ck_assert_int_eq(user_write(q, 65536 - 512, data, 1024), 0);
	close_disk();
	options.readonly = true;
	open_disk();
	ck_assert(block_info(disk).readonly);
	ck_assert_int_eq(user_read(q, 0, got, DISK_BYTES), 0);
	ck_assert(user_filled(got, 0, 65536 - 512));
	ck_assert(user_filled(got + 65536 - 512, 0x3C, 1024));
	ck_assert_int_eq(user_write(q, 0, data, 512), -EROFS);
}
END_TEST

START_TEST(snapshot_forgets)
{
	options.snapshot = true;
	open_disk();
	ck_assert_int_eq(user_write(q, 0, data, DISK_BYTES), 0);
	ck_assert_int_eq(user_do(q, BLOCK_FLUSH, 0, NULL, 0, 0), 0);
	ck_assert_int_eq(user_read(q, 0, got, DISK_BYTES), 0);
	ck_assert_mem_eq(got, data, DISK_BYTES);
	close_disk();
	options.snapshot = false;
	open_disk();
	ck_assert_int_eq(user_read(q, 0, got, DISK_BYTES), 0);
	ck_assert(user_filled(got, 0, DISK_BYTES));
}
END_TEST

START_TEST(discard_gives_back)
{
	open_disk();
	ck_assert_int_eq(user_write(q, 0, data, DISK_BYTES), 0);
	ck_assert_uint_ge(image_file_used(&file), DISK_BYTES);
	ck_assert_int_eq(user_do(q, BLOCK_DISCARD, 0, NULL, DISK_BYTES, 0), 0);
	ck_assert_int_eq(user_do(q, BLOCK_FLUSH, 0, NULL, 0, 0), 0);
	ck_assert_uint_lt(image_file_used(&file), DISK_BYTES / 2);
}
END_TEST

/* --- moving ------------------------------------------------------------------------- */

static uint64_t bounced(void)
{
	struct block_stats s;

	block_get_stats(disk, &s);
	return s.bounced;
}

/* Pieces that are one in the host's memory need no buffer; others do. */
START_TEST(pieces_are_joined)
{
	struct iovec iov[] = {{got, 4096},
			      {got + 4096, 512},
			      {got + 4608, DISK_BYTES - 4608}};
	struct user_io u;

	open_disk();
	for (unsigned int i = 0; i < DISK_BYTES; i++)
		data[i] = (uint8_t)(i / 512 * 3 + i);
	ck_assert_int_eq(user_write(q, 0, data, DISK_BYTES), 0);
	user_prepare(&u, BLOCK_READ, 0, got, DISK_BYTES);
	u.io.iov = iov;
	u.io.n_iov = 3;
	ck_assert_int_eq(user_finish(q, &u), 0);
	ck_assert_mem_eq(got, data, DISK_BYTES);
	ck_assert_uint_eq(bounced(), 0);
	/* In another order, and many buffers long. */
	memset(got, 0, sizeof(got));
	iov[0] = (struct iovec){got + DISK_BYTES - 4096, 4096};
	iov[1] = (struct iovec){got, DISK_BYTES - 4096};
	user_prepare(&u, BLOCK_READ, 0, got, DISK_BYTES);
	u.io.iov = iov;
	u.io.n_iov = 2;
	ck_assert_int_eq(user_finish(q, &u), 0);
	ck_assert_mem_eq(got, data + 4096, DISK_BYTES - 4096);
	ck_assert_mem_eq(got + DISK_BYTES - 4096, data, 4096);
	ck_assert_uint_eq(bounced(), 1);
}
END_TEST

/* --- its death ----------------------------------------------------------------------- */

static void wait_until_gone(pid_t pid)
{
	struct pollfd fd = {.events = POLLIN};

	fd.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd.fd < 0) /* no longer there */
		return;
	ck_assert_int_eq(poll(&fd, 1, USER_WAIT_MS), 1);
	close(fd.fd);
}

/* --- another's server ---------------------------------------------------------------- */

/* A qemu-nbd that is not the product's, in a folder of its own. */
static struct {
	GPid pid;
	char *folder, *socket, *uri;
} theirs;

static void end_server(void)
{
	kill(theirs.pid, SIGKILL);
	waitpid(theirs.pid, NULL, 0);
	unlink(theirs.socket);
	rmdir(theirs.folder);
	g_free(theirs.folder);
	g_free(theirs.socket);
	g_free(theirs.uri);
	memset(&theirs, 0, sizeof(theirs));
}

static bool answers(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes;

	g_strlcpy(address.sun_path, theirs.socket, sizeof(address.sun_path));
	yes = !connect(fd, (struct sockaddr *)&address, sizeof(address));
	close(fd);
	return yes;
}

/* @shared: how many connections at a time; @option: one more, or NULL */
static void start_server(const char *shared, const char *option)
{
	char *args[] = {(char *)"qemu-nbd",
			(char *)"--persistent",
			(char *)"--shared",
			(char *)shared,
			(char *)"--export-name=a disk",
			(char *)"--format=qcow2",
			(char *)"--socket",
			NULL,
			file.path,
			(char *)option,
			NULL};

	theirs.folder = g_dir_make_tmp("kvmbus-test-XXXXXX", NULL);
	theirs.socket = g_build_filename(theirs.folder, "socket", NULL);
	theirs.uri = g_strdup_printf("nbd+unix:///a%%20disk?socket=%s",
				     theirs.socket);
	args[7] = theirs.socket;
	ck_assert(g_spawn_async(NULL, args, NULL,
				G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
				NULL, NULL, &theirs.pid, NULL));
	while (!answers())
		ck_assert_int_eq(kill(theirs.pid, 0), 0);
	options.format = NULL;
	options.path = theirs.uri;
	options.remote = true;
}

START_TEST(what_a_server_has_is_a_disk)
{
	start_server("8", NULL);
	open_disk();
	ck_assert_str_eq(block_kind(disk), "nbd raw");
	ck_assert_int_eq(block_nbd_pid(disk), 0);
	ck_assert_uint_eq(block_info(disk).bytes, DISK_BYTES);
	ck_assert_int_eq(user_write(q, 512, data, 1 << 20), 0);
	ck_assert_int_eq(user_do(q, BLOCK_FLUSH, 0, NULL, 0, 0), 0);
	close_disk();
	open_disk();
	ck_assert_int_eq(user_read(q, 0, got, DISK_BYTES), 0);
	ck_assert(user_filled(got, 0, 512));
	ck_assert(user_filled(got + 512, 0x3C, 1 << 20));
	end_server();
	/* And without it. */
	ck_assert_int_eq(user_read(q, 0, got, 4096), -EIO);
	ck_assert_ptr_null(block_queue_new(disk, NULL));
}
END_TEST

START_TEST(what_a_server_must_be)
{
	start_server("8", "--read-only");
	refused("only read");
	options.readonly = true;
	open_disk();
	ck_assert_int_eq(user_write(q, 0, data, 512), -EROFS);
	close_disk();
	options.snapshot = true;
	refused("raw");
	options.snapshot = false;
	options.format = "qcow2";
	refused("raw");
	options.format = NULL;
	options.block_bytes = 100;
	refused("512 or 4096");
	options.block_bytes = 0;
	options.path = "nbd+unix:///other?socket=/nonexistent";
	refused("No such file");
	options.path = "nbds://localhost";
	refused("TLS");
	end_server();
}
END_TEST

/* It takes connections, and that is all. */
START_TEST(a_server_that_says_nothing)
{
	g_autofree char *dir = g_dir_make_tmp("kvmbus-nbd-XXXXXX", NULL);
	g_autofree char *at = g_build_filename(dir, "s", NULL);
	g_autofree char *uri = g_strconcat("nbd+unix:///?socket=", at, NULL);
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(a.sun_path, at, sizeof(a.sun_path));
	ck_assert_int_eq(bind(fd, (void *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	options.path = uri;
	options.format = NULL;
	options.remote = true;
	refused("does not answer");
	close(fd);
	unlink(at);
	rmdir(dir);
}
END_TEST

/* A flush on one connection would not be one of what others wrote. */
START_TEST(connections_must_see_the_same)
{
	start_server("1", NULL);
	refused("readonly");
	end_server();
}
END_TEST

static const struct {
	enum block_op op;
	uint64_t bytes;
} in_flight[] = {
	{BLOCK_READ, 4096},    {BLOCK_WRITE, 4096}, {BLOCK_WRITE, 1 << 20},
	{BLOCK_FLUSH, 0},      {BLOCK_ZERO, 65536}, {BLOCK_DISCARD, 65536},
	{BLOCK_EXTENT, 65536},
};

START_TEST(killed_in_flight)
{
	enum {
		N = BLOCK_QUEUE_DEPTH + 20
	};
	static struct user_io u[N];

	open_disk();
	kill(block_nbd_pid(disk), SIGSTOP);
	for (unsigned int i = 0; i < N; i++) {
		user_prepare(&u[i], in_flight[_i].op, 0, data,
			     in_flight[_i].bytes);
		block_queue_submit(q, &u[i].io);
	}
	block_queue_kick(q);
	ck_assert_uint_eq(block_queue_reap(q), 0);
	kill(block_nbd_pid(disk), SIGKILL);
	user_drain(q);
	for (unsigned int i = 0; i < N; i++) {
		ck_assert_uint_eq(u[i].n_done, 1);
		ck_assert_int_eq(u[i].result, -EIO);
	}
	/* And so does what comes later, without anything to spin on. */
	ck_assert_int_eq(user_read(q, 0, got, 4096), -EIO);
	ck_assert_int_eq(user_do(q, BLOCK_FLUSH, 0, NULL, 0, 0), -EIO);
	ck_assert(!user_poll(q, 0));
	ck_assert_ptr_null(block_queue_new(disk, NULL));
}
END_TEST

START_TEST(killed_while_idle)
{
	struct block_queue *other;

	open_disk();
	other = user_queue(disk);
	ck_assert_int_eq(user_read(q, 0, got, 4096), 0);
	kill(block_nbd_pid(disk), SIGKILL);
	ck_assert(user_poll(q, USER_WAIT_MS));
	block_queue_reap(q);
	ck_assert(!user_poll(q, 0));
	ck_assert_int_eq(user_read(q, 0, got, 4096), -EIO);
	ck_assert_int_eq(user_write(other, 0, data, 4096), -EIO);
	block_queue_free(other);
}
END_TEST

START_TEST(what_was_flushed_survives_it)
{
	open_disk();
	ck_assert_int_eq(user_write(q, 0, data, DISK_BYTES / 2), 0);
	ck_assert_int_eq(user_do(q, BLOCK_FLUSH, 0, NULL, 0, 0), 0);
	ck_assert_int_eq(
		user_do(q, BLOCK_WRITE, DISK_BYTES / 2, data, 65536, BLOCK_FUA),
		0);
	kill(block_nbd_pid(disk), SIGKILL);
	close_disk();
	open_disk();
	ck_assert_int_eq(user_read(q, 0, got, DISK_BYTES), 0);
	ck_assert(user_filled(got, 0x3C, DISK_BYTES / 2 + 65536));
}
END_TEST

/* --- ours -------------------------------------------------------------------------------- */

/* Whoever opened it is killed: the server ends by itself. */
START_TEST(it_dies_with_us)
{
	int report[2];
	pid_t us, server = 0;

	ck_assert_int_eq(pipe(report), 0);
	us = fork();
	if (!us) {
		disk = block_open(&options, NULL);
		q = user_queue(disk);
		server = block_nbd_pid(disk);
		if (write(report[1], &server, sizeof(server)) < 0)
			_exit(1);
		raise(SIGKILL);
	}
	ck_assert_int_eq(read(report[0], &server, sizeof(server)),
			 sizeof(server));
	waitpid(us, NULL, 0);
	wait_until_gone(server);
	open_disk(); /* its lock is gone too */
}
END_TEST

START_TEST(nothing_is_left)
{
	pid_t server;

	open_disk();
	server = block_nbd_pid(disk);
	close_disk();
	ck_assert_int_eq(kill(server, 0), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices/block/nbd");
	TCase *tc = tcase_create("nbd");
	g_autofree char *program = g_find_program_in_path("qemu-nbd");

	if (!program) {
		puts("skip: qemu-nbd is not installed");
		return 77;
	}
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, reasons_are_said);
	tcase_add_test(tc, one_writer);
	tcase_add_test(tc, kind_and_numbers);
	tcase_add_test(tc, how_the_host_is_asked);
	tcase_add_test(tc, names_are_only_names);
	tcase_add_test(tc, what_is_written_stays);
	tcase_add_test(tc, snapshot_forgets);
	tcase_add_test(tc, discard_gives_back);
	tcase_add_test(tc, pieces_are_joined);
	tcase_add_loop_test(tc, killed_in_flight, 0, G_N_ELEMENTS(in_flight));
	tcase_add_test(tc, killed_while_idle);
	tcase_add_test(tc, what_was_flushed_survives_it);
	tcase_add_test(tc, it_dies_with_us);
	tcase_add_test(tc, what_a_server_has_is_a_disk);
	tcase_add_test(tc, what_a_server_must_be);
	tcase_add_test(tc, connections_must_see_the_same);
	tcase_add_test(tc, nothing_is_left);
	suite_add_tcase(suite, tc);

	tc = tcase_create("patience");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, BLOCK_NBD_ANSWER_MS / 1000. + 30);
	tcase_add_test(tc, a_server_that_says_nothing);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
