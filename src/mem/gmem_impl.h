/* SPDX-License-Identifier: MIT */
/*
 * gmem_impl.h - what gmem.c and gmem_share.c have in common.
 */
#ifndef MEM_GMEM_IMPL_H
#define MEM_GMEM_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "mem/gmem.h"

#define PAGE_BYTES 4096ull

struct gmem {
	/* set once */
	uint64_t bytes;
	unsigned int n_regions;
	struct gmem_region regions[2];
	int share_fd; /* as large as RAM, sparse */
	int pagemap_fd; /* or -1 */
	/* how many pages of each 2 MiB are shared; share_lock to write */
	_Atomic uint16_t *shared_in_chunk;
	/* share_lock */
	pthread_mutex_t share_lock;
	GHashTable *shared; /* page number: struct shared_page */
};

/** gmem_host() - where [@gpa, @gpa + @len) is; NULL unless all RAM */
uint8_t *gmem_host(const struct gmem *mem, uint64_t gpa, uint64_t len);

/** gmem_map_private() - anonymous zero pages at @host; 0 or -errno */
int gmem_map_private(void *host, uint64_t bytes);

/* The part of a gmem that gmem_share.c looks after; 0 or -errno. */
int gmem_share_init(struct gmem *mem);
void gmem_share_free(struct gmem *mem);

/** gmem_share_discard() - zeros also for the shared pages; 0 or -errno */
int gmem_share_discard(struct gmem *mem, uint64_t gpa, uint64_t bytes);

/** gmem_is_shared() - is the page in the memfd now? */
bool gmem_is_shared(struct gmem *mem, uint64_t gpa);

#endif
