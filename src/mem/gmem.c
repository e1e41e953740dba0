/* SPDX-License-Identifier: MIT */
#include "mem/gmem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glib.h>

#include "base/checked.h"
#include "mem/gmem_impl.h"

/* What the host's and the processor's larger pages are aligned to. */
#define HUGE_PAGE_BYTES (2ull << 20)
/* Linux Documentation/admin-guide/mm/pagemap.rst */
#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_SWAPPED (1ull << 62)
#define PAGEMAP_ENTRIES 512u

int gmem_map_private(void *host, uint64_t bytes)
{
	/* cppcheck-suppress leakReturnValNotUsed ; MAP_FIXED: it is host */
	if (mmap(host, bytes, PROT_READ | PROT_WRITE,
		 /* cppcheck-suppress invalidFunctionArg ; fd -1 */
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
		 0) == MAP_FAILED)
		return -errno;
	/* A core file of the VMM need not hold the guest, nor a child see it. */
	madvise(host, bytes, MADV_DONTDUMP);
	madvise(host, bytes, MADV_DONTFORK);
	/* One fault of the guest, not 512, for 2 MiB; a host may refuse. */
	madvise(host, bytes, MADV_HUGEPAGE);
	return 0;
}

/*
 * Address space whose 2 MiB boundaries are those of the guest: only then can
 * KVM map 2 MiB at once.  @gpa is such a boundary in every region.
 */
static void *reserve(uint64_t bytes)
{
	uint64_t all;
	uint8_t *base, *host;

	if (!checked_add(bytes, HUGE_PAGE_BYTES, &all)) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	base = mmap(NULL, all, PROT_NONE,
		    /* cppcheck-suppress invalidFunctionArg ; fd -1 */
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return base;
	host = base + (-(uintptr_t)base & (HUGE_PAGE_BYTES - 1));
	if (host != base)
		munmap(base, (size_t)(host - base));
	munmap(host + bytes, all - bytes - (uint64_t)(host - base));
	return host;
}

static int map_region(struct gmem *mem, uint64_t gpa, uint64_t bytes)
{
	struct gmem_region *r = &mem->regions[mem->n_regions];

	r->host = reserve(bytes);
	if (r->host == MAP_FAILED)
		return -errno;
	r->gpa = gpa;
	r->bytes = bytes;
	mem->n_regions++;
	return gmem_map_private(r->host, bytes);
}

/* After a gap: what follows in addresses does so in the host's, too. */
static int map_spare(struct gmem *mem, uint64_t bytes)
{
	uint64_t gpa, end = MAX(gmem_end(mem) + 1, GMEM_HOLE_END);

	if (!bytes)
		return 0;
	gpa = align_up(end, GMEM_SPARE_ALIGN);
	if (!checked_add(gpa, bytes, &end))
		return -ENOMEM;
	mem->has_spare = true;
	return map_region(mem, gpa, bytes);
}

struct gmem *gmem_new(uint64_t bytes, GError **error)
{
	return gmem_new_with_spare(bytes, 0, error);
}

struct gmem *gmem_new_with_spare(uint64_t bytes, uint64_t spare_bytes,
				 GError **error)
{
	struct gmem *mem = g_new0(struct gmem, 1);
	uint64_t low = MIN(bytes, GMEM_HOLE_START);
	int err;

	mem->bytes = bytes;
	mem->pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	mem->share_fd = -1;
	err = map_region(mem, 0, low);
	if (!err && bytes > low)
		err = map_region(mem, GMEM_HOLE_END, bytes - low);
	if (!err)
		err = map_spare(mem, spare_bytes);
	/* After the host has agreed to the size. */
	if (!err)
		err = gmem_share_init(mem);
	if (!err)
		return mem;
	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(-err),
		    "guest memory: cannot get %" G_GUINT64_FORMAT " MiB: %s",
		    (bytes >> 20) + (spare_bytes >> 20), g_strerror(-err));
	gmem_free(mem);
	return NULL;
}

void gmem_free(struct gmem *mem)
{
	if (!mem)
		return;
	for (unsigned int i = 0; i < mem->n_regions; i++)
		munmap(mem->regions[i].host, mem->regions[i].bytes);
	gmem_share_free(mem);
	if (mem->pagemap_fd >= 0)
		close(mem->pagemap_fd);
	g_free(mem);
}

uint64_t gmem_bytes(const struct gmem *mem)
{
	return mem->bytes;
}

uint64_t gmem_end(const struct gmem *mem)
{
	const struct gmem_region *last = &mem->regions[mem->n_regions - 1];

	return last->gpa + last->bytes;
}

static unsigned int n_at_start(const struct gmem *mem)
{
	return mem->n_regions - mem->has_spare;
}

const struct gmem_region *gmem_regions(const struct gmem *mem,
				       unsigned int *n_regions)
{
	*n_regions = n_at_start(mem);
	return mem->regions;
}

const struct gmem_region *gmem_spare(const struct gmem *mem)
{
	return mem->has_spare ? &mem->regions[mem->n_regions - 1] : NULL;
}

uint8_t *gmem_host(const struct gmem *mem, uint64_t gpa, uint64_t len)
{
	for (unsigned int i = 0; i < mem->n_regions; i++) {
		const struct gmem_region *r = &mem->regions[i];

		if (gpa >= r->gpa && range_fits(gpa - r->gpa, len, r->bytes))
			return (uint8_t *)r->host + (gpa - r->gpa);
	}
	return NULL;
}

bool gmem_contains(const struct gmem *mem, uint64_t gpa, uint64_t len)
{
	return gmem_host(mem, gpa, len) != NULL;
}

/* What may be on the move right now is held for as long. */
static void copy(const struct gmem *mem, uint64_t gpa, void *to,
		 const void *from, size_t len)
{
	bool hold = gmem_is_shared(mem, gpa, len);

	if (hold)
		gmem_share_hold(mem);
	memcpy(to, from, len);
	if (hold)
		gmem_share_release(mem);
}

int gmem_read(const struct gmem *mem, uint64_t gpa, void *out, size_t len)
{
	const uint8_t *host = gmem_host(mem, gpa, len);

	if (!host)
		return -EFAULT;
	copy(mem, gpa, out, host, len);
	return 0;
}

int gmem_write(struct gmem *mem, uint64_t gpa, const void *data, size_t len)
{
	uint8_t *host = gmem_host(mem, gpa, len);

	if (!host)
		return -EFAULT;
	copy(mem, gpa, host, data, len);
	return 0;
}

int gmem_zero_all(struct gmem *mem)
{
	int err = 0;

	for (unsigned int i = 0; i < mem->n_regions && !err; i++)
		err = gmem_share_discard(mem, mem->regions[i].gpa,
					 mem->regions[i].bytes);
	gmem_settle(mem);
	return err;
}

void *gmem_load(struct gmem *mem, uint64_t gpa, uint64_t len)
{
	return gmem_host(mem, gpa, len);
}

int gmem_load_file(struct gmem *mem, uint64_t gpa, uint64_t len, int fd,
		   uint64_t off)
{
	uint8_t *host = gmem_host(mem, gpa, len);

	if (!host)
		return -EFAULT;
	while (len) {
		ssize_t n = pread(fd, host, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		host += n;
		off += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

/*
 * Which of the pages from @off on, PAGEMAP_ENTRIES at most, the host provides.
 * Return: how many are known; 0 at the end or when it cannot be found out.
 */
static size_t touched(struct gmem *mem, const struct gmem_region *r,
		      uint64_t off, bool is_touched[PAGEMAP_ENTRIES])
{
	uint64_t first = ((uintptr_t)r->host + off) / PAGE_BYTES;
	uint64_t entries[PAGEMAP_ENTRIES];
	size_t n = MIN((r->bytes - off) / PAGE_BYTES, PAGEMAP_ENTRIES);
	ssize_t got = pread(mem->pagemap_fd, entries, n * sizeof(entries[0]),
			    (off_t)(first * sizeof(entries[0])));

	if (got <= 0)
		return 0;
	n = (size_t)got / sizeof(entries[0]);
	for (size_t i = 0; i < n; i++)
		is_touched[i] =
			entries[i] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED) ||
			gmem_is_shared(mem, r->gpa + off + i * PAGE_BYTES, 1);
	return n;
}

/* The first run of untouched pages in [@off, end of @r); its length or 0. */
static uint64_t untouched_run(struct gmem *mem, const struct gmem_region *r,
			      uint64_t *off)
{
	bool is_touched[PAGEMAP_ENTRIES];
	uint64_t run = 0;
	size_t n;

	for (uint64_t at = *off; (n = touched(mem, r, at, is_touched));
	     at += n * PAGE_BYTES) {
		for (size_t i = 0; i < n; i++) {
			if (!is_touched[i] && !run)
				*off = at + i * PAGE_BYTES;
			if (!is_touched[i])
				run += PAGE_BYTES;
			else if (run)
				return run;
		}
	}
	return run;
}

bool gmem_next_untouched(struct gmem *mem, uint64_t *gpa, uint64_t *bytes)
{
	for (unsigned int i = 0; i < n_at_start(mem); i++) {
		const struct gmem_region *r = &mem->regions[i];
		uint64_t off = *gpa > r->gpa ? *gpa - r->gpa : 0;

		if (off >= r->bytes)
			continue;
		off = align_up(off, PAGE_BYTES);
		*bytes = untouched_run(mem, r, &off);
		if (*bytes) {
			*gpa = r->gpa + off;
			return true;
		}
	}
	return false;
}

int gmem_discard(struct gmem *mem, uint64_t gpa, uint64_t len)
{
	if (!gmem_contains(mem, gpa, len))
		return -EFAULT;
	return gmem_share_discard(mem, gpa, len);
}
