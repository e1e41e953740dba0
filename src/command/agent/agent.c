/* SPDX-License-Identifier: MIT */
/*
 * agent.c - /init of the guest that runs a command: mounts, modules, the
 * command with its three streams, power off.
 *
 * Statically linked, and a part of kvmbus itself (agent_image.c).  Whatever
 * fails is said to the host, and the best is made of it: a guest with half of
 * its devices may be what is to be tested.
 */
#include "command/agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* NOLINTBEGIN(concurrency-mt-unsafe): this program has one thread */

#define ARGUMENTS_MAX 1024
#define STREAMS       2
/* What a command's children may still say after it has ended. */
#define LAST_WORDS_MS 200

static struct link link_;

static void report(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static void report(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	note(&link_, text);
}

static void mount_all(void)
{
	static const struct {
		const char *type, *place;
	} mounts[] = {
		{"proc", "/proc"},     {"sysfs", "/sys"},
		{"devtmpfs", "/dev"},  {"devpts", "/dev/pts"},
		{"tmpfs", "/dev/shm"}, {"tmpfs", "/run"},
		{"tmpfs", "/tmp"},
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].place, 0755);
		if (mount(mounts[i].type, mounts[i].place, mounts[i].type, 0,
			  NULL) &&
		    errno != EBUSY)
			report("mount %s: %s", mounts[i].place,
			       strerror(errno));
	}
	chmod("/tmp", 01777);
	chmod("/dev/shm", 01777);
	/* The kernel had no console to give us before. */
	if (fcntl(STDERR_FILENO, F_GETFD) < 0) {
		int fd = open("/dev/console", O_RDWR);

		while (fd >= 0 && fd < STDERR_FILENO)
			fd = dup(fd);
	}
}

/* --- the command ------------------------------------------------------------- */

struct command {
	pid_t pid;
	bool ended;
	int status;
	int in; /* -1: closed */
	int out[STREAMS];
	/* of the host's, not yet written to it */
	uint8_t pending[AGENT_DATA_MAX];
	size_t at, len;
	bool last; /* and then comes the end */
};

static int read_arguments(char **argv)
{
	static char text[1 << 20];
	int fd = open("/" AGENT_ARGV, O_RDONLY), n = 0;
	ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	if (fd >= 0)
		close(fd);
	for (ssize_t at = 0; at < len && n < ARGUMENTS_MAX - 1;
	     at += (ssize_t)strlen(text + at) + 1)
		argv[n++] = text + at;
	argv[n] = NULL;
	return n;
}

static void become(char **argv, const int fds[3], const char *root)
{
	sigset_t none;

	for (int i = 0; i < 3; i++)
		dup2(fds[i], i);
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (root && (chroot(root) || chdir("/"))) {
		dprintf(STDERR_FILENO, "kvmbus: %s: %s\n", root,
			strerror(errno));
		_exit(127);
	}
	setenv("PATH",
	       "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	       1);
	setenv("HOME", root || !access("/root", F_OK) ? "/root" : "/", 1);
	setenv("TERM", "dumb", 1);
	execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "kvmbus: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static int start(struct command *c, char **argv, const char *root)
{
	int in[2], out[2], err[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) ||
	    pipe2(err, O_CLOEXEC))
		return -errno;
	c->pid = fork();
	if (c->pid < 0)
		return -errno;
	if (!c->pid)
		become(argv, (int[]){in[0], out[1], err[1]}, root);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	c->in = in[1];
	c->out[0] = out[0];
	c->out[1] = err[0];
	fcntl(c->in, F_SETFL, O_NONBLOCK);
	return 0;
}

static void end_input(struct command *c)
{
	if (c->in >= 0)
		close(c->in);
	c->in = -1;
	c->len = 0;
}

/* What the host typed, as far as the command takes it. */
static void feed(struct command *c)
{
	ssize_t n;

	if (c->in < 0) {
		c->len = 0;
		return;
	}
	if (c->at < c->len) {
		n = write(c->in, c->pending + c->at, c->len - c->at);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			end_input(c);
		else if (n > 0)
			c->at += (size_t)n;
	}
	if (c->at >= c->len) {
		c->at = c->len = 0;
		if (c->last)
			end_input(c);
	}
}

static void hear(struct command *c)
{
	struct agent_frame frame;

	if (link_read(&link_, &frame, c->pending)) {
		/* Nobody is there any more. */
		c->last = true;
		link_.lost = true;
	} else if (frame.kind == AGENT_STDIN) {
		c->len = frame.len;
		c->last = !frame.len;
	}
	c->at = 0;
	feed(c);
}

static void pass_on(struct command *c, int stream)
{
	static uint8_t data[AGENT_DATA_MAX];
	ssize_t n = read(c->out[stream], data, sizeof(data));

	if (n > 0) {
		link_send(&link_, stream ? AGENT_STDERR : AGENT_STDOUT, data,
			  (size_t)n);
		return;
	}
	if (n < 0 && errno == EINTR)
		return;
	close(c->out[stream]);
	c->out[stream] = -1;
}

static void reap(struct command *c)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != c->pid)
			continue;
		c->ended = true;
		c->status = status;
	}
}

/* One turn of poll(2).  Return: false when all has been said. */
static bool turn(struct command *c)
{
	struct pollfd fds[4];
	bool want_host = !c->len && !c->last && !link_.lost;
	int n;

	fds[0] = (struct pollfd){.fd = c->out[0], .events = POLLIN};
	fds[1] = (struct pollfd){.fd = c->out[1], .events = POLLIN};
	fds[2] = (struct pollfd){.fd = want_host ? link_.fd : -1,
				 .events = POLLIN};
	fds[3] = (struct pollfd){.fd = c->len || c->last ? c->in : -1,
				 .events = POLLOUT};
	n = poll(fds, 4, c->ended ? LAST_WORDS_MS : 100);
	for (int i = 0; n > 0 && i < STREAMS; i++) {
		if (fds[i].revents)
			pass_on(c, i);
	}
	if (n > 0 && fds[2].revents)
		hear(c);
	if (n > 0 && fds[3].revents)
		feed(c);
	reap(c);
	if (!c->ended)
		return true;
	return n > 0 && (c->out[0] >= 0 || c->out[1] >= 0);
}

static struct agent_exit run(char **argv, const char *root)
{
	struct command c = {.in = -1, .out = {-1, -1}};
	struct agent_exit how = {.code = 126};
	int err = start(&c, argv, root);

	if (err) {
		report("%s: %s", argv[0], strerror(-err));
		return how;
	}
	while (turn(&c))
		;
	end_input(&c);
	if (WIFSIGNALED(c.status))
		return (struct agent_exit){.code = -1,
					   .signal = WTERMSIG(c.status)};
	return (struct agent_exit){.code = WEXITSTATUS(c.status)};
}

/* Whoever is not process 1 would take the host's own system for the guest. */
static void check_place(void)
{
	if (getpid() == 1)
		return;
	fputs("this is the first process of a guest of kvmbus\n", stderr);
	exit(2);
}

int main(void)
{
	char *argv[ARGUMENTS_MAX];
	struct agent_config config;
	struct agent_exit how = {.code = 127};
	const char *root = NULL;

	check_place();
	signal(SIGPIPE, SIG_IGN);
	mount_all();
	agent_config_read(&config);
	if (config.install)
		install_busybox();
	load_modules(&link_);
	await_devices(&config);
	if (link_open(&link_, config.hvsock))
		dprintf(STDERR_FILENO, "kvmbus: no way to the host\n");
	flush_notes(&link_);
	if (config.nics)
		start_network(&link_);
	if (config.root)
		root = mount_root(&link_);
	if (config.root && !root)
		report("no file system on the disk of --rootfs");
	else if (!read_arguments(argv))
		report("no command");
	else
		how = run(argv, root);
	sync();
	link_send(&link_, AGENT_EXIT, &how, sizeof(how));
	link_end(&link_);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
/* NOLINTEND(concurrency-mt-unsafe): this program has one thread */
