/* SPDX-License-Identifier: MIT */
/*
 * fcopy.h - put a file of the host into the guest.
 *
 * A daemon in the guest writes it, in pieces of 6 KiB, each of which it
 * answers.  When anything goes wrong in between the guest is told to drop what
 * it has.
 *
 * Thread: any; the answer comes on the component's own worker, which reads the
 * file, exactly once if the call returned 0.
 *
 * Source: Linux drivers/hv/hv_fcopy.c (up to 6.9), tools/hv/hv_fcopy_daemon.c,
 * tools/hv/hv_fcopy_uio_daemon.c (from 6.10: the daemon has the channel, by
 * uio_hv_generic, and opens it when it starts).
 */
#ifndef VSP_IC_FCOPY_H
#define VSP_IC_FCOPY_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct ic_fcopy;
struct vsp_ops;
struct vsp_params;

/**
 * ic_fcopy_new() - offer it, and start its worker
 *
 * Return: owned; NULL when the instance is taken, or there is no thread.
 */
struct ic_fcopy *ic_fcopy_new(const struct vsp_params *params);
void ic_fcopy_free(struct ic_fcopy *f);

struct ic_fcopy_file {
	int fd; /* a regular file, from its start; ours if the call returns 0 */
	const char *directory; /* in the guest */
	const char *name; /* there */
	bool overwrite;
	bool create_directory;
};

/*
 * @err: 0 the guest has it; -EEXIST, -ENOSPC as the guest says; -EIO it
 * failed, for whichever reason; -errno of reading; else as ic.h has it.
 */
typedef void (*ic_fcopy_done_fn)(void *ctx, int err);

/**
 * ic_fcopy_send() - copy
 * @timeout_ns: for each answer of the guest
 *
 * Return: 0; -EBUSY a file is on its way; -EINVAL not a regular file, or no
 * name; -EILSEQ, -ENAMETOOLONG directory or name.
 */
int ic_fcopy_send(struct ic_fcopy *f, const struct ic_fcopy_file *file,
		  uint64_t timeout_ns, ic_fcopy_done_fn done, void *ctx);

extern const struct vsp_ops ic_fcopy_ops;

#endif
