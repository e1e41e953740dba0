/* SPDX-License-Identifier: MIT */
/*
 * initramfs.h - the initramfs of a guest that runs a command.
 *
 * Thread: any.
 */
#ifndef COMMAND_INITRAMFS_H
#define COMMAND_INITRAMFS_H

#include <stdbool.h>

#include <glib.h>

struct initramfs_params {
	/* folder with the modules; NULL: what is needed is built in */
	const char *modules_dir;
	const char *release; /* may be NULL */
	/*
	 * modules to load, "?" behind what may be missing, "+" before what is
	 * besides the usual ones; NULL: these
	 */
	const char *const *modules;
	const char *const *without; /* may be NULL */
	/* what the guest's files are; NULL: busybox' */
	const char *rootfs;
	/* a static one; NULL: only with a @rootfs or @root_disk */
	const char *busybox;
	const char *const *argv; /* the command */
	bool hvsock; /* try it first */
	bool root_disk; /* the disk AGENT_ROOT_SERIAL is the root */
	unsigned int nics, disks; /* to wait for */
};

/**
 * initramfs_write() - write it to @fd
 *
 * Return: 0; -1 with @error (GUEST_ERROR).
 */
int initramfs_write(int fd, const struct initramfs_params *params,
		    GError **error);

/** initramfs_busybox() - the path of a static busybox; owned; NULL: none */
char *initramfs_busybox(void);

/** initramfs_is_static() - can this program run without its libraries? */
bool initramfs_is_static(const char *path);

#endif
