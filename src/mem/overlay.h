/* SPDX-License-Identifier: MIT */
/*
 * overlay.h - TLFS overlay pages: a host page shown over a guest address.
 *
 * Theory of operation.  An overlay (hypercall page, SIMP, SIEFP, reference
 * TSC page, VP assist page) is a page of its own that covers whatever lies
 * below it; what was there comes back unchanged when the overlay goes, and
 * the overlay's own contents survive being hidden and moved.  All overlay
 * pages live in one memfd, mapped here for good; to show one, its page is
 * mapped over the host address of the guest page (gmem_swap_page()).  Where
 * several cover one address the newest is seen; when it goes, the one before
 * it is.  An address that is not RAM has no host address to swap: there the
 * owner is asked for a memory slot (struct overlay_hole_ops).
 *
 * Source: TLFS "Partition Properties", Overlay Pages; "GPA Overlay Pages".
 * Thread: any; one lock per space, taken after a VP's SynIC lock.
 */
#ifndef MEM_OVERLAY_H
#define MEM_OVERLAY_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct gmem;
struct overlay;
struct overlay_space;

/* How to show a page where there is no RAM; each returns 0 or -errno. */
struct overlay_hole_ops {
	int (*map)(void *ctx, uint64_t gpa, void *host);
	int (*unmap)(void *ctx, uint64_t gpa);
};

/**
 * overlay_space_new() - room for the overlay pages of one partition
 * @mem:     guest RAM; must outlive the space
 * @n_pages: how many overlays there can be
 *
 * Return: owned; NULL with @error set.
 */
struct overlay_space *overlay_space_new(struct gmem *mem, unsigned int n_pages,
					GError **error);
void overlay_space_free(struct overlay_space *space);

/** overlay_space_set_hole_ops() - before the first overlay is shown */
void overlay_space_set_hole_ops(struct overlay_space *space,
				const struct overlay_hole_ops *ops, void *ctx);

/**
 * overlay_new() - a hidden overlay page, all zeros
 *
 * Return: borrowed from the space, which frees it; never NULL: asking for
 * more than overlay_space_new() was told is our own mistake.
 */
struct overlay *overlay_new(struct overlay_space *space);

/**
 * overlay_page() - the page itself, mapped here whether shown or not
 *
 * The guest writes it at the same time when it is shown: read a word once.
 */
void *overlay_page(const struct overlay *overlay);

/**
 * overlay_show() - let @overlay cover @gpa, moving it there if need be
 * @gpa: 4 KiB aligned
 *
 * Return: 0, or -errno: the overlay is then hidden.
 */
int overlay_show(struct overlay *overlay, uint64_t gpa);

/** overlay_hide() - give the guest back what was below; fine if hidden */
void overlay_hide(struct overlay *overlay);

/** overlay_is_shown() - is it over some address now? */
bool overlay_is_shown(const struct overlay *overlay);

#endif
