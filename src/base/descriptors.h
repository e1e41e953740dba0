/* SPDX-License-Identifier: MIT */
/*
 * descriptors.h - when there are no more of them.
 *
 * Who connects while accept4(2) has none to give stays in the backlog, and so
 * the listener stays readable: whoever waits for it must stop for a while, or
 * it spins until something else is closed.
 *
 * Thread: any.
 */
#ifndef BASE_DESCRIPTORS_H
#define BASE_DESCRIPTORS_H

#include <errno.h>
#include <stdbool.h>

/** descriptors_are_out() - is @err, an errno, that we or the host have none? */
static inline bool descriptors_are_out(int err)
{
	return err == EMFILE || err == ENFILE;
}

#endif
