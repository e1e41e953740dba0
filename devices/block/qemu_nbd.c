/* SPDX-License-Identifier: MIT */
#include "devices/block/qemu_nbd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_CATEGORY "block"
#include "base/log.h"

#define PROGRAM  "qemu-nbd"
/* Connections that may wait, and that may be. */
#define BACKLOG  64
#define SHARED   "1024"
/* It may have much to write back. */
#define END_MS   60000
#define ARGS_MAX 16

/* Where systemd's protocol of passing sockets puts the first. */
#define LISTEN_FD 3

struct qemu_nbd {
	int place_fd; /* of the socket, which has no name */
	char *socket; /* a way to it, for us */
	pid_t pid;
	int pid_fd;
	int words_fd; /* its standard error */
};

static int fail(GError **error, const char *what)
{
	g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
		    "%s: %s", what, g_strerror(errno));
	return -1;
}

/*
 * Only we can reach the socket, by a descriptor of its place: its name is gone
 * again, and nothing is left of it when we are killed.
 */
static int bind_unseen(struct qemu_nbd *s, int fd, GError **error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	g_autofree char *folder = g_dir_make_tmp("kvmbus-nbd-XXXXXX", error);
	g_autofree char *path = NULL;
	int err = 0;

	if (!folder)
		return -1;
	path = g_build_filename(folder, "socket", NULL);
	errno = ENAMETOOLONG;
	if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >=
		    sizeof(address.sun_path) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, BACKLOG))
		err = fail(error, path);
	else
		s->place_fd = open(path, O_PATH | O_CLOEXEC);
	if (!err && s->place_fd < 0)
		err = fail(error, path);
	unlink(path);
	rmdir(folder);
	s->socket = g_strdup_printf("/proc/self/fd/%d", s->place_fd);
	return err;
}

/* Return: a listening socket; -1 with @error set */
static int make_socket(struct qemu_nbd *s, GError **error)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fail(error, "socket");
	if (bind_unseen(s, fd, error)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* --- the command line ---------------------------------------------------------- */

static const char *const caches[] = {
	[BLOCK_CACHE_WRITEBACK] = "--cache=writeback",
	[BLOCK_CACHE_NONE] = "--cache=none",
	[BLOCK_CACHE_WRITETHROUGH] = "--cache=writethrough",
	[BLOCK_CACHE_DIRECTSYNC] = "--cache=directsync",
	[BLOCK_CACHE_UNSAFE] = "--cache=unsafe",
};

static const char *const detects[] = {
	[BLOCK_DETECT_OFF] = "--detect-zeroes=off",
	[BLOCK_DETECT_ON] = "--detect-zeroes=on",
	[BLOCK_DETECT_UNMAP] = "--detect-zeroes=unmap",
};

/* NULL: as it likes. */
static const char *const aios[] = {
	[BLOCK_AIO_AUTO] = NULL,
	[BLOCK_AIO_IO_URING] = "--aio=io_uring",
	[BLOCK_AIO_THREADS] = "--aio=threads",
};

/* The strings are borrowed. */
static void make_args(const char **args, const struct block_options *o,
		      const char *format, const char *path)
{
	unsigned int n = 0;
	enum block_detect detect = o->detect_zeroes;

	if (o->discard == BLOCK_DISCARD_IGNORE && detect == BLOCK_DETECT_UNMAP)
		detect = BLOCK_DETECT_ON; /* it refuses both together */
	args[n++] = PROGRAM;
	args[n++] = "--shared=" SHARED;
	args[n++] = "--format";
	args[n++] = format;
	args[n++] = caches[o->cache];
	args[n++] = o->discard == BLOCK_DISCARD_UNMAP ? "--discard=unmap"
						      : "--discard=ignore";
	args[n++] = detects[detect];
	if (aios[o->aio])
		args[n++] = aios[o->aio];
	if (o->readonly)
		args[n++] = "--read-only";
	if (o->snapshot)
		args[n++] = "--snapshot";
	args[n++] = "--";
	args[n++] = path;
	args[n] = NULL;
}

/* --- the process ---------------------------------------------------------------- */

/* In the child: only what a signal handler may call. */
static void become(const char *program, const char *const *args,
		   const char **env, char *listen_pid, int socket, int words,
		   bool main_thread)
{
	char digits[16], *at = digits + sizeof(digits);
	sigset_t none;

	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	setpgid(0, 0); /* ^C is for us */
	/* The signal comes when the thread ends: not of one that may. */
	if (main_thread)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	*--at = 0;
	for (pid_t pid = getpid(); pid; pid /= 10)
		*--at = (char)('0' + pid % 10);
	memcpy(strchr(listen_pid, '=') + 1, at, strlen(at) + 1);
	if (dup2(words, STDERR_FILENO) < 0 || dup2(words, STDOUT_FILENO) < 0)
		_exit(127);
	if (socket == LISTEN_FD)
		fcntl(socket, F_SETFD, 0);
	else if (dup2(socket, LISTEN_FD) < 0)
		_exit(127);
	syscall(SYS_close_range, LISTEN_FD + 1, ~0u, 0);
	execve(program, (char *const *)args, (char *const *)env);
	_exit(127);
}

/* Ours, with two more.  The strings are borrowed but for the array. */
static const char **make_env(char *listen_pid)
{
	GPtrArray *env = g_ptr_array_new();

	for (char **e = environ; *e; e++)
		if (!g_str_has_prefix(*e, "LISTEN_"))
			g_ptr_array_add(env, *e);
	g_ptr_array_add(env, listen_pid);
	g_ptr_array_add(env, (char *)"LISTEN_FDS=1");
	g_ptr_array_add(env, NULL);
	return (const char **)g_ptr_array_free(env, FALSE);
}

static int spawn(struct qemu_nbd *s, const struct block_options *o,
		 const char *format, int socket, GError **error)
{
	char listen_pid[32] = "LISTEN_PID=";
	const char *args[ARGS_MAX];
	g_autofree char *program = g_find_program_in_path(PROGRAM);
	/* Absolute: it takes what is before a colon for a protocol. */
	g_autofree char *path = g_canonicalize_filename(o->path, NULL);
	g_autofree const char **env = make_env(listen_pid);
	bool main_thread = syscall(SYS_gettid) == getpid();

	if (!program) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSYS,
			    "format %s needs qemu-nbd, which is not installed",
			    format);
		return -1;
	}
	make_args(args, o, format, path);
	s->pid = fork();
	if (s->pid < 0)
		return fail(error, PROGRAM);
	if (!s->pid)
		become(program, args, env, listen_pid, socket, s->words_fd,
		       main_thread);
	s->pid_fd = (int)syscall(SYS_pidfd_open, s->pid, 0);
	return 0;
}

struct qemu_nbd *qemu_nbd_start(const struct block_options *o,
				const char *format, GError **error)
{
	struct qemu_nbd *s = g_new0(struct qemu_nbd, 1);
	int socket;

	s->pid_fd = -1;
	s->place_fd = -1;
	s->words_fd = memfd_create("qemu-nbd", MFD_CLOEXEC);
	if (s->words_fd < 0) {
		fail(error, "memfd_create");
		goto free;
	}
	socket = make_socket(s, error);
	if (socket < 0)
		goto free;
	if (spawn(s, o, format, socket, error)) {
		close(socket);
		goto free;
	}
	/* From now on only it has it: a connection fails when it is gone. */
	close(socket);
	return s;

free:
	qemu_nbd_free(s);
	return NULL;
}

const char *qemu_nbd_socket(const struct qemu_nbd *s)
{
	return s->socket;
}

pid_t qemu_nbd_pid(const struct qemu_nbd *s)
{
	return s->pid;
}

char *qemu_nbd_words(const struct qemu_nbd *s)
{
	char text[512];
	ssize_t n = pread(s->words_fd, text, sizeof(text) - 1, 0);

	text[MAX(n, 0)] = 0;
	return g_strdelimit(g_strdup(g_strstrip(text)), "\n", ' ');
}

static void wait_for_end(const struct qemu_nbd *s)
{
	struct pollfd fd = {.fd = s->pid_fd, .events = POLLIN};
	int status = 0, n;

	do
		n = poll(&fd, 1, END_MS);
	while (n < 0 && errno == EINTR);
	if (s->pid_fd >= 0 && n == 0) {
		log_error("qemu-nbd does not end: it is killed");
		kill(s->pid, SIGKILL);
	}
	while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		log_warn("qemu-nbd was ended by signal %d", WTERMSIG(status));
}

void qemu_nbd_free(struct qemu_nbd *s)
{
	if (!s)
		return;
	if (s->pid > 0)
		wait_for_end(s);
	if (s->place_fd >= 0)
		close(s->place_fd);
	if (s->pid_fd >= 0)
		close(s->pid_fd);
	if (s->words_fd >= 0)
		close(s->words_fd);
	g_free(s->socket);
	g_free(s);
}
