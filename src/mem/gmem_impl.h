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
	unsigned int n_regions; /* with spare RAM, which is the last */
	struct gmem_region regions[3];
	bool has_spare;
	int share_fd; /* as large as RAM, sparse */
	int pagemap_fd; /* or -1 */
	/* a bit per page, set while it is shared; share_lock to write */
	_Atomic uint64_t *shared_bits;
	/* share_lock */
	pthread_mutex_t share_lock;
	GHashTable *shared; /* page number: struct shared_page */
	unsigned int n_edges; /* where shared pages end, and others begin */
};

/* A page whose contents are in the memfd; share_lock. */
struct shared_page {
	uint64_t pfn; /* the key */
	unsigned int aliases;
	unsigned int pins; /* gmem_pin() */
	bool covered; /* by an overlay */
};

/** gmem_host() - where [@gpa, @gpa + @len) is; NULL unless all RAM */
uint8_t *gmem_host(const struct gmem *mem, uint64_t gpa, uint64_t len);

/** gmem_map_private() - anonymous zero pages at @host; 0 or -errno */
int gmem_map_private(void *host, uint64_t bytes);

/* The part of a gmem that gmem_share.c looks after; 0 or -errno. */
int gmem_share_init(struct gmem *mem);
void gmem_share_free(struct gmem *mem);

/** gmem_shared_page() - NULL if it is not; share_lock held */
struct shared_page *gmem_shared_page(const struct gmem *mem, uint64_t gpa);

/** gmem_share_hold() - no page moves until gmem_share_release() */
void gmem_share_hold(const struct gmem *mem);
void gmem_share_release(const struct gmem *mem);

/** gmem_share_discard() - zeros for [@gpa, @gpa + @bytes); 0 or -errno */
int gmem_share_discard(struct gmem *mem, uint64_t gpa, uint64_t bytes);

/** gmem_is_shared() - is a page of [@gpa, @gpa + @bytes) in the memfd now? */
bool gmem_is_shared(const struct gmem *mem, uint64_t gpa, uint64_t bytes);

#endif
