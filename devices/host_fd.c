/* SPDX-License-Identifier: MIT */
#include "devices/host_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/*
 * What must be put back even when the process dies.  A note is written by its
 * owner while it is CLEAN, and only then made DIRTY, so a signal handler that
 * sees DIRTY sees all of it.
 */
enum note_state {
	NOTE_FREE,
	NOTE_CLEAN, /* taken; nothing to put back */
	NOTE_DIRTY,
};

struct note {
	_Atomic int state;
	int fd;
	bool modes; /* the terminal's modes, not the file's flags */
	int flags;
	struct termios termios;
	struct termios raw; /* what we made of it */
};

#define NOTES_MAX 32

static struct note notes[NOTES_MAX];
/* The process is about to end: nothing is to be made dirty again. */
static atomic_bool ending;
/* Nor before we go on: we are about to be stopped. */
static atomic_bool stopping;
static atomic_flag at_exit_registered = ATOMIC_FLAG_INIT;

static int note_take(int fd, bool modes)
{
	if (!atomic_flag_test_and_set(&at_exit_registered))
		atexit(host_fd_restore_all);
	for (int i = 0; i < NOTES_MAX; i++) {
		int expected = NOTE_FREE;

		if (atomic_compare_exchange_strong(&notes[i].state, &expected,
						   NOTE_CLEAN)) {
			notes[i].fd = fd;
			notes[i].modes = modes;
			return i;
		}
	}
	return -1;
}

static bool in_foreground(int fd)
{
	pid_t foreground = tcgetpgrp(fd);

	/* An error: not our controlling terminal, so no job control. */
	return foreground < 0 || foreground == getpgrp();
}

/* tcsetattr() without being stopped for it; async-signal-safe. */
static int set_modes(int fd, const struct termios *t)
{
	sigset_t ttou, old;
	int err;

	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &ttou, &old);
	err = tcsetattr(fd, TCSANOW, t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

/* Async-signal-safe. */
static void note_undo(struct note *n)
{
	int expected = NOTE_DIRTY;

	if (!atomic_compare_exchange_strong(&n->state, &expected, NOTE_CLEAN))
		return;
	if (!n->modes)
		fcntl(n->fd, F_SETFL, n->flags);
	else if (in_foreground(n->fd)) /* else they are the shell's by now */
		set_modes(n->fd, &n->termios);
}

static void note_give_back(int *index)
{
	if (*index < 0)
		return;
	note_undo(&notes[*index]);
	atomic_store(&notes[*index].state, NOTE_FREE);
	*index = -1;
}

void host_fd_restore_all(void)
{
	int saved = errno;

	atomic_store(&ending, true);
	for (int i = 0; i < NOTES_MAX; i++)
		note_undo(&notes[i]);
	errno = saved;
}

/* Every terminal that is ours now, while we are in its foreground. */
static void set_all_modes(bool raw)
{
	int saved = errno;

	for (int i = 0; i < NOTES_MAX; i++) {
		const struct note *n = &notes[i];

		if (atomic_load(&n->state) == NOTE_DIRTY && n->modes &&
		    in_foreground(n->fd))
			set_modes(n->fd, raw ? &n->raw : &n->termios);
	}
	errno = saved;
}

void host_fd_stop_all(void)
{
	atomic_store(&stopping, true);
	set_all_modes(false);
}

void host_fd_continue_all(void)
{
	atomic_store(&stopping, false);
	if (!atomic_load(&ending))
		set_all_modes(true);
}

/* An open file of our own for the same terminal or pipe; -1 if refused. */
static int open_again(int given, enum host_fd_mode mode)
{
	char path[32];
	int number;

	/* A pseudo-terminal's master would give a new pseudo-terminal. */
	if (!ioctl(given, TIOCGPTN, &number))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", given);
	return open(path, (mode == HOST_FD_READ ? O_RDONLY : O_WRONLY) |
				  O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static int share_nonblocking(struct host_fd *h)
{
	int flags = fcntl(h->fd, F_GETFL);

	if (flags < 0)
		return -errno;
	if (flags & O_NONBLOCK)
		return 0;
	h->undo_flags = note_take(h->fd, false);
	if (h->undo_flags < 0)
		return -EMFILE;
	notes[h->undo_flags].flags = flags;
	atomic_store(&notes[h->undo_flags].state, NOTE_DIRTY);
	return fcntl(h->fd, F_SETFL, flags | O_NONBLOCK) ? -errno : 0;
}

int host_fd_open(struct host_fd *h, int given, enum host_fd_mode mode)
{
	struct stat st;
	bool may_block;
	int err = 0;

	*h = HOST_FD_NONE;
	if (fstat(given, &st))
		return -errno;
	h->terminal = isatty(given);
	h->socket = S_ISSOCK(st.st_mode);
	may_block = h->terminal || S_ISFIFO(st.st_mode);
	if (may_block)
		h->fd = open_again(given, mode);
	if (h->fd >= 0)
		return 0;
	h->fd = fcntl(given, F_DUPFD_CLOEXEC, 0);
	if (h->fd < 0)
		return -errno;
	if (may_block)
		err = share_nonblocking(h);
	if (err)
		host_fd_close(h);
	return err;
}

void host_fd_close(struct host_fd *h)
{
	if (h->fd < 0)
		return;
	note_give_back(&h->undo_modes);
	note_give_back(&h->undo_flags);
	close(h->fd);
	h->fd = -1;
}

ssize_t host_fd_read(struct host_fd *h, void *data, size_t len)
{
	ssize_t n;

	do {
		n = h->socket ? recv(h->fd, data, len, MSG_DONTWAIT)
			      : read(h->fd, data, len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t host_fd_write(struct host_fd *h, const void *data, size_t len)
{
	ssize_t n;

	do {
		n = h->socket ? send(h->fd, data, len,
				     MSG_DONTWAIT | MSG_NOSIGNAL)
			      : write(h->fd, data, len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

bool host_fd_in_foreground(const struct host_fd *h)
{
	return in_foreground(h->fd);
}

void host_fd_make_raw(struct host_fd *h)
{
	struct termios t;
	struct note *n;

	if (h->fd < 0 || !h->terminal || atomic_load(&ending) ||
	    atomic_load(&stopping) || tcgetattr(h->fd, &t))
		return;
	if (h->undo_modes >= 0 && !(t.c_lflag & (ICANON | ECHO)))
		return;
	if (h->undo_modes < 0) {
		h->undo_modes = note_take(h->fd, true);
		if (h->undo_modes < 0)
			return;
		notes[h->undo_modes].termios = t;
	}
	n = &notes[h->undo_modes];
	t.c_iflag &= (tcflag_t) ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR |
				  IGNCR | ICRNL | IXON);
	t.c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	t.c_cflag &= (tcflag_t) ~(CSIZE | PARENB);
	t.c_cflag |= CS8;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	n->raw = t;
	atomic_store(&n->state, NOTE_DIRTY);
	set_modes(h->fd, &t);
	/* Were they put back in between?  Then once more. */
	if (atomic_load(&ending) || atomic_load(&stopping))
		set_modes(h->fd, &n->termios);
}

void host_fd_restore(struct host_fd *h)
{
	note_give_back(&h->undo_modes);
}
