/* SPDX-License-Identifier: MIT */
#include "mem/gmem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <glib.h>

#include "base/checked.h"

#define PAGE_BYTES 4096ull

struct gmem {
	int fd;
	uint64_t bytes;
	unsigned int n_regions;
	struct gmem_region regions[2];
};

/* Where the RAM at @gpa is in the memfd. */
static uint64_t memfd_offset(uint64_t gpa)
{
	return gpa < GMEM_HOLE_END ? gpa
				   : gpa - GMEM_HOLE_END + GMEM_HOLE_START;
}

static int map_region(struct gmem *mem, uint64_t gpa, uint64_t bytes,
		      uint64_t fd_offset)
{
	struct gmem_region *r = &mem->regions[mem->n_regions];

	r->host = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_NORESERVE, mem->fd, (off_t)fd_offset);
	if (r->host == MAP_FAILED)
		return -errno;
	/* A core file of the VMM need not hold the guest. */
	madvise(r->host, bytes, MADV_DONTDUMP);
	r->gpa = gpa;
	r->bytes = bytes;
	r->fd_offset = fd_offset;
	mem->n_regions++;
	return 0;
}

struct gmem *gmem_new(uint64_t bytes, GError **error)
{
	struct gmem *mem = g_new0(struct gmem, 1);
	uint64_t low = MIN(bytes, GMEM_HOLE_START);
	int err;

	mem->bytes = bytes;
	mem->fd = memfd_create("guest-ram", MFD_CLOEXEC);
	if (mem->fd < 0) {
		err = -errno;
		goto fail;
	}
	if (ftruncate(mem->fd, (off_t)bytes)) {
		err = -errno;
		goto fail;
	}
	err = map_region(mem, 0, low, 0);
	if (!err && bytes > low)
		err = map_region(mem, GMEM_HOLE_END, bytes - low, low);
	if (!err)
		return mem;
fail:
	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(-err),
		    "guest memory: cannot get %" G_GUINT64_FORMAT " MiB: %s",
		    bytes >> 20, g_strerror(-err));
	gmem_free(mem);
	return NULL;
}

void gmem_free(struct gmem *mem)
{
	if (!mem)
		return;
	for (unsigned int i = 0; i < mem->n_regions; i++)
		munmap(mem->regions[i].host, mem->regions[i].bytes);
	if (mem->fd >= 0)
		close(mem->fd);
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

const struct gmem_region *gmem_regions(const struct gmem *mem,
				       unsigned int *n_regions)
{
	*n_regions = mem->n_regions;
	return mem->regions;
}

static uint8_t *find(const struct gmem *mem, uint64_t gpa, uint64_t len)
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
	return find(mem, gpa, len) != NULL;
}

int gmem_read(const struct gmem *mem, uint64_t gpa, void *out, size_t len)
{
	const uint8_t *host = find(mem, gpa, len);

	if (!host)
		return -EFAULT;
	memcpy(out, host, len);
	return 0;
}

int gmem_write(struct gmem *mem, uint64_t gpa, const void *data, size_t len)
{
	uint8_t *host = find(mem, gpa, len);

	if (!host)
		return -EFAULT;
	memcpy(host, data, len);
	return 0;
}

/* The file has a hole there now; what is mapped over it does not matter. */
static int punch(const struct gmem *mem, uint64_t fd_offset, uint64_t bytes)
{
	if (fallocate(mem->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)fd_offset, (off_t)bytes))
		return -errno;
	return 0;
}

int gmem_zero_all(struct gmem *mem)
{
	return punch(mem, 0, mem->bytes);
}

void *gmem_load(struct gmem *mem, uint64_t gpa, uint64_t len)
{
	return find(mem, gpa, len);
}

int gmem_load_file(struct gmem *mem, uint64_t gpa, uint64_t len, int fd,
		   uint64_t off)
{
	off_t from = (off_t)off;

	if (!gmem_contains(mem, gpa, len))
		return -EFAULT;
	if (lseek(mem->fd, (off_t)memfd_offset(gpa), SEEK_SET) < 0)
		return -errno;
	while (len) {
		ssize_t n = sendfile(mem->fd, fd, &from, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		len -= (uint64_t)n;
	}
	return 0;
}

bool gmem_next_untouched(const struct gmem *mem, uint64_t *gpa, uint64_t *bytes)
{
	for (unsigned int i = 0; i < mem->n_regions; i++) {
		const struct gmem_region *r = &mem->regions[i];
		off_t end = (off_t)(r->fd_offset + r->bytes), hole, data;
		uint64_t skip = *gpa > r->gpa ? *gpa - r->gpa : 0;

		if (skip >= r->bytes)
			continue;
		/* The file position that lseek() leaves is nobody's. */
		hole = lseek(mem->fd, (off_t)(r->fd_offset + skip), SEEK_HOLE);
		if (hole < 0 || hole >= end)
			continue;
		data = lseek(mem->fd, hole, SEEK_DATA);
		if (data < 0 || data > end)
			data = end;
		*gpa = r->gpa + ((uint64_t)hole - r->fd_offset);
		*bytes = (uint64_t)(data - hole);
		return true;
	}
	return false;
}

int gmem_discard(struct gmem *mem, uint64_t gpa, uint64_t len)
{
	for (unsigned int i = 0; i < mem->n_regions; i++) {
		const struct gmem_region *r = &mem->regions[i];

		if (gpa < r->gpa || !range_fits(gpa - r->gpa, len, r->bytes))
			continue;
		return punch(mem, r->fd_offset + (gpa - r->gpa), len);
	}
	return -EFAULT;
}

/* How many of the pages from @pfns on follow one another. */
static size_t run_length(const uint64_t *pfns, size_t n_pages)
{
	size_t n = 1;

	while (n < n_pages && pfns[n] == pfns[0] + n)
		n++;
	return n;
}

int gmem_alias(struct gmem *mem, void *at, const uint64_t *pfns, size_t n_pages)
{
	while (n_pages) {
		size_t n = run_length(pfns, n_pages), bytes = n * PAGE_BYTES;
		uint64_t gpa = pfns[0] * PAGE_BYTES;

		if (pfns[0] > UINT64_MAX / PAGE_BYTES ||
		    !gmem_contains(mem, gpa, bytes))
			return -EFAULT;
		/* cppcheck-suppress leakReturnValNotUsed ; MAP_FIXED: at */
		/* cppcheck-suppress invalidFunctionArg ; a run has a page */
		if (mmap(at, bytes, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, mem->fd,
			 (off_t)memfd_offset(gpa)) == MAP_FAILED)
			return -errno;
		madvise(at, bytes, MADV_DONTDUMP);
		at = (uint8_t *)at + bytes;
		pfns += n;
		n_pages -= n;
	}
	return 0;
}

int gmem_swap_page(struct gmem *mem, uint64_t gpa, int fd, uint64_t offset)
{
	uint8_t *host = find(mem, gpa, PAGE_BYTES);

	if (!host || !is_aligned(gpa, PAGE_BYTES))
		return -EFAULT;
	if (fd < 0) {
		fd = mem->fd;
		offset = memfd_offset(gpa);
	}
	/* cppcheck-suppress leakReturnValNotUsed ; MAP_FIXED: it is host */
	if (mmap(host, PAGE_BYTES, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, fd, (off_t)offset) == MAP_FAILED)
		return -errno;
	return 0;
}
