/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 * RAM is anonymous memory.  A page of it that must stay while something else
 * is shown in its place (an overlay), or that must be seen at a second
 * address (a ring), is *shared* for as long: its contents are in a memfd, at
 * the page's own offset.  An alias maps that page of the memfd; so does the
 * RAM's host address, unless an overlay is there.  With the last use the
 * contents go back into anonymous memory, so that neither mappings nor memory
 * pile up however often a guest moves its overlays and reopens its rings.
 *
 * Going over, both ways, is a copy and an mmap(MAP_FIXED).  It happens while
 * the guest waits for what it asked for with that very page: a register write
 * or a VMBus request.  What another processor writes to the page in between
 * may be lost, and one that reads it may see zeros; no processor but those
 * touches it.  Where the guest waits for nothing (a ring of an offer that was
 * rescinded: Linux frees it in its own time, and tells nobody) the page stays
 * in the memfd until it is a ring again or no processor runs.
 *
 * By then the guest uses the page for something else, the buffer of a disk
 * read for one, and that is moved by threads that do run.  So who moves data
 * pins what is shared (gmem_pin()), and pages that are pinned do not go back.
 * Nothing needs a pin that is not shared: it can only become so by the guest's
 * own wish, for that page.  A bit for each page says which is which: it is set
 * when a page is shared, and cleared when its contents are where they belong.
 * So who finds it clear may go on without a lock, and who finds it set takes
 * the lock, under which all moves happen.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glib.h>

#include "mem/gmem_impl.h"

#define WORD_BITS 64u

/* Since Linux 5.18; older headers lack it. */
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

static off_t memfd_offset(uint64_t gpa)
{
	return (off_t)(gpa < GMEM_HOLE_END
			       ? gpa
			       : gpa - GMEM_HOLE_END + GMEM_HOLE_START);
}

/* Its place in shared_bits. */
static uint64_t bit_of(uint64_t gpa)
{
	return (uint64_t)memfd_offset(gpa) / PAGE_BYTES;
}

int gmem_share_init(struct gmem *mem)
{
	pthread_mutex_init(&mem->share_lock, NULL);
	mem->shared = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL,
					    g_free);
	mem->share_fd = memfd_create(GMEM_SHARED_NAME, MFD_CLOEXEC);
	if (mem->share_fd < 0 ||
	    ftruncate(mem->share_fd, memfd_offset(gmem_end(mem))))
		return -errno;
	mem->shared_bits =
		g_new0(_Atomic uint64_t, bit_of(gmem_end(mem)) / WORD_BITS + 1);
	return 0;
}

void gmem_share_free(struct gmem *mem)
{
	if (mem->share_fd >= 0)
		close(mem->share_fd);
	if (!mem->shared)
		return;
	g_hash_table_destroy(mem->shared);
	g_free((void *)mem->shared_bits);
	pthread_mutex_destroy(&mem->share_lock);
}

struct shared_page *gmem_shared_page(const struct gmem *mem, uint64_t gpa)
{
	uint64_t pfn = gpa / PAGE_BYTES;

	return g_hash_table_lookup(mem->shared, &pfn);
}

/* Each edge between what is shared and what is not splits a mapping. */
static void count_edges(struct gmem *mem, uint64_t gpa, bool shared)
{
	unsigned int n = 2;

	if (gpa >= PAGE_BYTES && gmem_shared_page(mem, gpa - PAGE_BYTES))
		n--;
	if (gmem_shared_page(mem, gpa + PAGE_BYTES))
		n--;
	/* n neighbours are not shared: two edges more, as many, two fewer. */
	mem->n_edges += shared ? 2 * n - 2 : 2 - 2 * n;
}

static void set_shared(struct gmem *mem, uint64_t gpa, bool shared)
{
	uint64_t bit = bit_of(gpa), mask = 1ull << bit % WORD_BITS;
	_Atomic uint64_t *word = &mem->shared_bits[bit / WORD_BITS];

	count_edges(mem, gpa, shared);
	/* Pairs with gmem_is_shared(): a page that is not has its contents. */
	if (shared)
		atomic_fetch_or_explicit(word, mask, memory_order_release);
	else
		atomic_fetch_and_explicit(word, ~mask, memory_order_release);
}

static int map_shared(void *at, uint64_t bytes, int fd, off_t offset)
{
	/* cppcheck-suppress leakReturnValNotUsed ; MAP_FIXED: it is at */
	if (mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		 offset) == MAP_FAILED)
		return -errno;
	madvise(at, bytes, MADV_DONTDUMP);
	return 0;
}

static int copy_to_memfd(const struct gmem *mem, const uint8_t *host,
			 off_t offset, uint64_t bytes)
{
	while (bytes) {
		ssize_t n = pwrite(mem->share_fd, host, bytes, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		host += n;
		offset += n;
		bytes -= (uint64_t)n;
	}
	return 0;
}

static int copy_from_memfd(const struct gmem *mem, uint8_t *host, off_t offset,
			   uint64_t bytes)
{
	while (bytes) {
		ssize_t n = pread(mem->share_fd, host, bytes, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		host += n;
		offset += n;
		bytes -= (uint64_t)n;
	}
	return 0;
}

/* Contents to the memfd; what is mapped stays as it is.  share_lock held. */
static int share(struct gmem *mem, uint64_t gpa, uint64_t bytes)
{
	int err = copy_to_memfd(mem, gmem_host(mem, gpa, bytes),
				memfd_offset(gpa), bytes);

	for (uint64_t at = gpa; at < gpa + bytes && !err; at += PAGE_BYTES) {
		struct shared_page *page = g_new0(struct shared_page, 1);

		page->pfn = at / PAGE_BYTES;
		g_hash_table_insert(mem->shared, &page->pfn, page);
		set_shared(mem, at, true);
	}
	return err;
}

/* Does nobody need it to be shared any more? */
static bool is_left(const struct shared_page *page)
{
	return !page->aliases && !page->covered;
}

/* Where nobody needs any more that it is in the memfd. */
static bool is_unused(const struct gmem *mem, uint64_t pfn)
{
	const struct shared_page *page =
		gmem_shared_page(mem, pfn * PAGE_BYTES);

	return page && is_left(page) && !page->pins;
}

/*
 * Contents back into anonymous memory; what cannot go back stays where it is,
 * and works.  It is mapped whole before any of it is touched: memory that was
 * touched while its neighbours were mapped otherwise is a mapping of its own
 * for good, and the host allows only so many.  share_lock held.
 */
static void unshare_run(struct gmem *mem, uint64_t pfn, size_t n_pages)
{
	uint64_t gpa = pfn * PAGE_BYTES, bytes = n_pages * PAGE_BYTES;
	uint8_t *host = gmem_host(mem, gpa, bytes);

	if (gmem_map_private(host, bytes) ||
	    copy_from_memfd(mem, host, memfd_offset(gpa), bytes)) {
		map_shared(host, bytes, mem->share_fd, memfd_offset(gpa));
		return;
	}
	fallocate(mem->share_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		  memfd_offset(gpa), (off_t)bytes);
	for (uint64_t end = pfn + n_pages; pfn < end; pfn++) {
		set_shared(mem, pfn * PAGE_BYTES, false);
		g_hash_table_remove(mem->shared, &pfn);
	}
}

/* Of these pages those that are shared and need not be.  share_lock held. */
static void unshare_unused(struct gmem *mem, const uint64_t *pfns,
			   size_t n_pages)
{
	for (size_t i = 0, n; i < n_pages; i += n) {
		n = 1;
		if (!is_unused(mem, pfns[i]))
			continue;
		while (i + n < n_pages && pfns[i + n] == pfns[i] + n &&
		       is_unused(mem, pfns[i + n]))
			n++;
		unshare_run(mem, pfns[i], n);
	}
}

static int cover(struct gmem *mem, uint64_t gpa, int fd, uint64_t offset)
{
	uint8_t *host = gmem_host(mem, gpa, PAGE_BYTES);
	int err = gmem_shared_page(mem, gpa) ? 0 : share(mem, gpa, PAGE_BYTES);

	if (err)
		return err;
	err = map_shared(host, PAGE_BYTES, fd, (off_t)offset);
	if (!err)
		gmem_shared_page(mem, gpa)->covered = true;
	else
		unshare_unused(mem, &(uint64_t){gpa / PAGE_BYTES}, 1);
	return err;
}

static int uncover(struct gmem *mem, uint64_t gpa)
{
	struct shared_page *page = gmem_shared_page(mem, gpa);

	if (!page || !page->covered)
		return 0;
	page->covered = false;
	if (page->aliases || page->pins)
		return map_shared(gmem_host(mem, gpa, PAGE_BYTES), PAGE_BYTES,
				  mem->share_fd, memfd_offset(gpa));
	unshare_unused(mem, &(uint64_t){gpa / PAGE_BYTES}, 1);
	return 0;
}

int gmem_swap_page(struct gmem *mem, uint64_t gpa, int fd, uint64_t offset)
{
	int err;

	if (gpa % PAGE_BYTES || !gmem_contains(mem, gpa, PAGE_BYTES))
		return -EFAULT;
	pthread_mutex_lock(&mem->share_lock);
	err = fd < 0 ? uncover(mem, gpa) : cover(mem, gpa, fd, offset);
	pthread_mutex_unlock(&mem->share_lock);
	return err;
}

/* How many of @pfns follow one another. */
static size_t run_length(const uint64_t *pfns, size_t n_pages)
{
	size_t n = 1;

	while (n < n_pages && pfns[n] == pfns[n - 1] + 1)
		n++;
	return n;
}

/* All pages from @gpa to @end that are alike: shared, or not. */
static uint64_t same_until(const struct gmem *mem, uint64_t gpa, uint64_t end)
{
	bool is_shared = gmem_shared_page(mem, gpa);

	do {
		gpa += PAGE_BYTES;
	} while (gpa < end && !gmem_shared_page(mem, gpa) == !is_shared);
	return gpa;
}

/* One more alias for each page; share_lock held. */
static int take_run(struct gmem *mem, uint64_t gpa, uint64_t bytes)
{
	uint64_t end = gpa + bytes, next;
	int err = 0;

	for (uint64_t at = gpa; at < end; at = next) {
		next = same_until(mem, at, end);
		if (gmem_shared_page(mem, at))
			continue;
		err = share(mem, at, next - at);
		if (!err)
			err = map_shared(gmem_host(mem, at, next - at),
					 next - at, mem->share_fd,
					 memfd_offset(at));
		if (err)
			break;
	}
	for (uint64_t at = gpa; at < end && !err; at += PAGE_BYTES)
		gmem_shared_page(mem, at)->aliases++;
	for (uint64_t at = gpa; at < end && err; at += PAGE_BYTES)
		unshare_unused(mem, &(uint64_t){at / PAGE_BYTES}, 1);
	return err;
}

static void drop_aliases(struct gmem *mem, const uint64_t *pfns, size_t n_pages)
{
	for (size_t i = 0; i < n_pages; i++) {
		struct shared_page *page =
			gmem_shared_page(mem, pfns[i] * PAGE_BYTES);

		if (page && page->aliases)
			page->aliases--;
	}
}

static void unalias(struct gmem *mem, const uint64_t *pfns, size_t n_pages)
{
	drop_aliases(mem, pfns, n_pages);
	unshare_unused(mem, pfns, n_pages);
}

static int alias_run(struct gmem *mem, void *at, const uint64_t *pfns,
		     size_t n_pages)
{
	uint64_t gpa = pfns[0] * PAGE_BYTES, bytes = n_pages * PAGE_BYTES;
	int err;

	if (pfns[0] > UINT64_MAX / PAGE_BYTES ||
	    !gmem_contains(mem, gpa, bytes))
		return -EFAULT;
	err = take_run(mem, gpa, bytes);
	if (err)
		return err;
	err = map_shared(at, bytes, mem->share_fd, memfd_offset(gpa));
	if (err)
		unalias(mem, pfns, n_pages);
	return err;
}

int gmem_alias(struct gmem *mem, void *at, const uint64_t *pfns, size_t n_pages)
{
	size_t done = 0;
	int err = 0;

	pthread_mutex_lock(&mem->share_lock);
	while (done < n_pages && !err) {
		size_t n = run_length(pfns + done, n_pages - done);

		err = alias_run(mem, (uint8_t *)at + done * PAGE_BYTES,
				pfns + done, n);
		if (!err)
			done += n;
	}
	if (err)
		unalias(mem, pfns, done);
	pthread_mutex_unlock(&mem->share_lock);
	return err;
}

void gmem_unalias(struct gmem *mem, const uint64_t *pfns, size_t n_pages)
{
	pthread_mutex_lock(&mem->share_lock);
	unalias(mem, pfns, n_pages);
	pthread_mutex_unlock(&mem->share_lock);
}

void gmem_unalias_later(struct gmem *mem, const uint64_t *pfns, size_t n_pages)
{
	pthread_mutex_lock(&mem->share_lock);
	drop_aliases(mem, pfns, n_pages);
	pthread_mutex_unlock(&mem->share_lock);
}

void gmem_take_back(struct gmem *mem, const uint64_t *pfns, size_t n_pages)
{
	pthread_mutex_lock(&mem->share_lock);
	unshare_unused(mem, pfns, n_pages);
	pthread_mutex_unlock(&mem->share_lock);
}

static gint compare_pfns(gconstpointer a, gconstpointer b)
{
	uint64_t pfn_a = *(const uint64_t *)a, pfn_b = *(const uint64_t *)b;

	return (pfn_a > pfn_b) - (pfn_a < pfn_b);
}

void gmem_settle(struct gmem *mem)
{
	GArray *pfns = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	GHashTableIter it;
	gpointer key;

	pthread_mutex_lock(&mem->share_lock);
	g_hash_table_iter_init(&it, mem->shared);
	while (g_hash_table_iter_next(&it, &key, NULL))
		g_array_append_vals(pfns, key, 1);
	g_array_sort(pfns, compare_pfns);
	unshare_unused(mem, (const uint64_t *)(void *)pfns->data, pfns->len);
	pthread_mutex_unlock(&mem->share_lock);
	g_array_free(pfns, TRUE);
}

unsigned int gmem_mappings(struct gmem *mem)
{
	unsigned int n;

	pthread_mutex_lock(&mem->share_lock);
	n = mem->n_regions + mem->n_edges;
	pthread_mutex_unlock(&mem->share_lock);
	return n;
}

unsigned int gmem_left_pages(struct gmem *mem)
{
	const struct shared_page *page;
	unsigned int n = 0;
	GHashTableIter it;
	gpointer value;

	pthread_mutex_lock(&mem->share_lock);
	g_hash_table_iter_init(&it, mem->shared);
	while (g_hash_table_iter_next(&it, NULL, &value)) {
		page = value;
		n += is_left(page);
	}
	pthread_mutex_unlock(&mem->share_lock);
	return n;
}

/*
 * What is mapped over the RAM keeps its contents: MADV_DONTNEED only drops its
 * page table entries.  With the lock, so that no page on the move gets its
 * contents back.
 */
int gmem_share_discard(struct gmem *mem, uint64_t gpa, uint64_t bytes)
{
	int err = 0;

	pthread_mutex_lock(&mem->share_lock);
	if (madvise(gmem_host(mem, gpa, bytes), bytes, MADV_DONTNEED) &&
	    madvise(gmem_host(mem, gpa, bytes), bytes, MADV_DONTNEED_LOCKED))
		err = -errno;
	if (!err && gmem_is_shared(mem, gpa, bytes) &&
	    fallocate(mem->share_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      memfd_offset(gpa), (off_t)bytes))
		err = -errno;
	pthread_mutex_unlock(&mem->share_lock);
	return err;
}

bool gmem_is_shared(const struct gmem *mem, uint64_t gpa, uint64_t bytes)
{
	uint64_t at = bit_of(gpa), end;

	if (!bytes)
		return false;
	end = bit_of(gpa + bytes - 1) + 1;
	while (at < end) {
		uint64_t word =
			atomic_load_explicit(&mem->shared_bits[at / WORD_BITS],
					     memory_order_acquire);
		uint64_t next = (at / WORD_BITS + 1) * WORD_BITS;

		word &= ~0ull << at % WORD_BITS;
		if (end < next)
			word &= ~(~0ull << end % WORD_BITS);
		if (word)
			return true;
		at = next;
	}
	return false;
}

void gmem_share_hold(const struct gmem *mem)
{
	pthread_mutex_lock((pthread_mutex_t *)&mem->share_lock);
}

void gmem_share_release(const struct gmem *mem)
{
	pthread_mutex_unlock((pthread_mutex_t *)&mem->share_lock);
}
