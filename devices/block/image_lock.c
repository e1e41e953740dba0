/* SPDX-License-Identifier: MIT */
#include "devices/block/image_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Numbers of QEMU's BLK_PERM_…: the byte is one of the bases and the number. */
enum {
	PERM_READ = 0,
	PERM_WRITE = 1,
	PERM_RESIZE = 3,
	PERMS = 4,
};

#define DOES_BASE    100
#define FORBIDS_BASE 200

static int take(int fd, int byte)
{
	struct flock lock = {
		.l_type = F_RDLCK,
		.l_whence = SEEK_SET,
		.l_start = byte,
		.l_len = 1,
	};

	if (!fcntl(fd, F_OFD_SETLK, &lock))
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -EOPNOTSUPP;
}

/* Does another hold @byte? */
static int look(int fd, int byte)
{
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = byte,
		.l_len = 1,
	};

	if (fcntl(fd, F_OFD_GETLK, &lock))
		return -EOPNOTSUPP;
	return lock.l_type == F_UNLCK ? 0 : -EBUSY;
}

void image_unlock(int fd)
{
	struct flock lock = {
		.l_type = F_UNLCK,
		.l_whence = SEEK_SET,
		.l_start = DOES_BASE,
		.l_len = FORBIDS_BASE - DOES_BASE + PERMS,
	};

	fcntl(fd, F_OFD_SETLK, &lock);
}

int image_lock(int fd, bool write, bool shareable)
{
	const bool does[PERMS] = {[PERM_READ] = true, [PERM_WRITE] = write};
	const bool forbids[PERMS] = {
		[PERM_WRITE] = !shareable, [PERM_RESIZE] = !shareable};
	int err = 0;

	for (int i = 0; i < PERMS && !err; i++) {
		if (does[i])
			err = take(fd, DOES_BASE + i);
		if (!err && forbids[i])
			err = take(fd, FORBIDS_BASE + i);
	}
	/* Only now: of two who come at once, one at least sees the other. */
	for (int i = 0; i < PERMS && !err; i++) {
		if (does[i])
			err = look(fd, FORBIDS_BASE + i);
		if (!err && forbids[i])
			err = look(fd, DOES_BASE + i);
	}
	if (err)
		image_unlock(fd);
	return err;
}
