/* SPDX-License-Identifier: MIT */
/*
 * window.h - virtual pages that can be put over any physical page.
 *
 * 64-bit guests only: the 32-bit ones run without paging.
 */
#ifndef LIB_WINDOW_H
#define LIB_WINDOW_H

#include <stdint.h>

#define WINDOW_PAGES 512u
/* In the hole above RAM. */
#define WINDOW_BASE  0x60000000ul

/** window_open() - make the window, nothing in it */
void window_open(void);

/** window_map() - @page shows @gpa; no TLB is flushed; its address */
volatile void *window_map(unsigned int page, uint64_t gpa);

/** window_unmap() - @page shows nothing; no TLB is flushed */
void window_unmap(unsigned int page);

static inline uint64_t window_address(unsigned int page)
{
	return WINDOW_BASE + page * 4096ul;
}

#endif
