/* SPDX-License-Identifier: MIT */
#include "devices/block/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/checked.h"
#include "devices/block/cow_map.h"
#include "devices/block/image_lock.h"
#include "devices/block/raw_impl.h"

#define LOG_CATEGORY "block"
#include "base/log.h"

#define ALIGN_MIN 512u
#define ALIGN_MAX 4096u

static int fail(GError **error, const char *path, int err, const char *what)
{
	g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(err),
		    "%s: %s%s%s", path, what, *what ? ": " : "",
		    g_strerror(err));
	return -1;
}

static int refuse(GError **error, const char *path, const char *why)
{
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s: %s", path,
		    why);
	return -1;
}

/* --- what the storage is ----------------------------------------------------- */

int raw_refresh(struct block *b, uint64_t *bytes)
{
	const struct raw *raw = to_raw(b);
	struct stat st;

	if (raw->map) { /* it is as large as it was */
		*bytes = block_info(b).bytes;
		return 0;
	}
	if (raw->is_device)
		return ioctl(raw->fd, BLKGETSIZE64, bytes) ? -errno : 0;
	if (fstat(raw->fd, &st))
		return -errno;
	*bytes = (uint64_t)st.st_size;
	return 0;
}

/* What direct I/O demands; 0: it can not be had. */
static uint32_t probe_direct(int fd)
{
	uint32_t align = 0;
	void *buffer = g_aligned_alloc(1, ALIGN_MAX, ALIGN_MAX);

	for (uint32_t a = ALIGN_MIN; a <= ALIGN_MAX && !align; a *= 2)
		if (pread(fd, buffer, a, 0) >= 0 || errno != EINVAL)
			align = a;
	g_aligned_free(buffer);
	return align;
}

static void find_direct(struct raw *raw)
{
	struct statx st;

	/* Linux since 6.1 says it. */
	if (!statx(raw->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &st) &&
	    (st.stx_mask & STATX_DIOALIGN) && st.stx_dio_offset_align) {
		raw->memory_align = MAX(st.stx_dio_mem_align, 1u);
		raw->offset_align = st.stx_dio_offset_align;
		return;
	}
	raw->offset_align = probe_direct(raw->fd);
	raw->memory_align = raw->offset_align;
}

static uint32_t discard_granularity(dev_t device)
{
	static const char *const places[] = {"", "/.."};
	unsigned int bytes = 0;

	/* A partition's is its disk's. */
	for (unsigned int i = 0; i < G_N_ELEMENTS(places) && !bytes; i++) {
		g_autofree char *path = g_strdup_printf(
			"/sys/dev/block/%u:%u%s/queue/discard_granularity",
			major(device), minor(device), places[i]);
		g_autofree char *text = NULL;

		if (g_file_get_contents(path, &text, NULL, NULL))
			bytes = (unsigned int)g_ascii_strtoull(text, NULL, 10);
	}
	return bytes;
}

static int look_at_device(struct raw *raw, const struct stat *st,
			  struct block_info *info, GError **error)
{
	unsigned short rotational = 0;
	unsigned int physical = 0, optimal = 0;
	int logical = 0;

	if (ioctl(raw->fd, BLKGETSIZE64, &info->bytes) ||
	    ioctl(raw->fd, BLKSSZGET, &logical))
		return fail(error, raw->path, errno, "");
	ioctl(raw->fd, BLKPBSZGET, &physical);
	ioctl(raw->fd, BLKIOOPT, &optimal);
	ioctl(raw->fd, BLKROTATIONAL, &rotational);
	info->block_bytes = (uint32_t)logical;
	info->physical_bytes = physical;
	info->optimal_bytes = optimal;
	info->rotational = rotational;
	info->discard_bytes = discard_granularity(st->st_rdev);
	info->can_discard = info->discard_bytes != 0;
	return 0;
}

/*
 * Can a read or write be told not to wait?  Else io_uring has a thread of the
 * kernel's do each: a tmpfs can since Linux 6.6 (mm/shmem.c:shmem_file_open(),
 * FMODE_NOWAIT).
 */
static bool takes_nowait(int fd)
{
	uint8_t byte;
	struct iovec iov = {&byte, sizeof(byte)};

	return preadv2(fd, &iov, 1, 0, RWF_NOWAIT) >= 0 || errno != EOPNOTSUPP;
}

static void look_at_file(struct raw *raw, const struct stat *st,
			 struct block_info *info)
{
	struct statfs fs;

	raw->in_memory = !fstatfs(raw->fd, &fs) && fs.f_type == TMPFS_MAGIC &&
			 !takes_nowait(raw->fd);
	info->bytes = (uint64_t)st->st_size;
	info->block_bytes = ALIGN_MIN;
	info->physical_bytes = (uint32_t)st->st_blksize;
	info->discard_bytes = (uint32_t)st->st_blksize;
	info->can_discard = true;
}

static bool is_power_of_two(uint32_t n)
{
	return n && !(n & (n - 1));
}

/* The guest's view of what the storage is. */
static int settle_info(struct raw *raw, const struct block_options *o,
		       struct block_info *info, GError **error)
{
	uint64_t whole;

	if (o->block_bytes) {
		if (o->block_bytes != 512 && o->block_bytes != 4096)
			return refuse(error, raw->path,
				      "blocks have 512 or 4096 bytes");
		if (raw->is_device && o->block_bytes < info->block_bytes)
			return refuse(error, raw->path,
				      "the device has blocks of 4096 bytes");
		info->block_bytes = o->block_bytes;
	}
	if (!is_power_of_two(info->physical_bytes))
		info->physical_bytes = ALIGN_MAX;
	info->physical_bytes =
		CLAMP(info->physical_bytes, info->block_bytes, 1u << 20);
	if (!is_power_of_two(info->discard_bytes) ||
	    info->discard_bytes < info->block_bytes)
		info->discard_bytes = 0;
	whole = align_down(info->bytes, info->block_bytes);
	if (!whole)
		return refuse(error, raw->path, "there is not one block in it");
	if (whole != info->bytes)
		log_warn("%s: the last %" PRIu64 " bytes are no whole block "
			 "and are not used",
			 raw->path, info->bytes - whole);
	info->bytes = whole;
	info->readonly = o->readonly;
	if (o->readonly || o->discard == BLOCK_DISCARD_IGNORE)
		info->can_discard = false;
	return 0;
}

/* --- opening ------------------------------------------------------------------ */

static int open_image(struct raw *raw, const struct block_options *o,
		      struct stat *st, GError **error)
{
	bool write = !o->readonly && !o->snapshot;
	int flags = O_CLOEXEC | O_NOCTTY | (write ? O_RDWR : O_RDONLY);

	/* Looked at first: to open a pipe would wait. */
	if (stat(o->path, st))
		return fail(error, o->path, errno, "");
	if (!S_ISREG(st->st_mode) && !S_ISBLK(st->st_mode))
		return refuse(error, o->path,
			      "is neither a file nor a block device");
	raw->is_device = S_ISBLK(st->st_mode);
	raw->no_discard = !raw->is_device || o->snapshot;
	raw->direct = !o->snapshot && (o->cache == BLOCK_CACHE_NONE ||
				       o->cache == BLOCK_CACHE_DIRECTSYNC);
	raw->sync = write && (o->cache == BLOCK_CACHE_WRITETHROUGH ||
			      o->cache == BLOCK_CACHE_DIRECTSYNC);
	raw->unsafe = o->cache == BLOCK_CACHE_UNSAFE;
	flags |= (raw->direct ? O_DIRECT : 0) | (raw->sync ? O_DSYNC : 0);
	raw->fd = open(o->path, flags);
	if (raw->fd < 0)
		return fail(error, o->path, errno,
			    raw->direct && errno == EINVAL
				    ? "not without the page cache"
				    : "");
	if (fstat(raw->fd, st))
		return fail(error, o->path, errno, "");
	return 0;
}

static int lock_image(const struct raw *raw, const struct block_options *o,
		      GError **error)
{
	int err =
		image_lock(raw->fd, !o->readonly && !o->snapshot, o->shareable);

	if (err == -EBUSY)
		return refuse(error, raw->path,
			      o->readonly || o->snapshot
				      ? "another program writes to it"
				      : "another program uses it");
	if (err)
		log_warn("%s: no locks here: see yourself that nobody else "
			 "uses it",
			 raw->path);
	return 0;
}

/*
 * Direct I/O whose grain is coarser than the guest's would have to read and
 * write around what was asked for, and two such requests could undo each
 * other.  The page cache does that well.
 */
static int settle_direct(struct raw *raw, const struct block_info *info,
			 GError **error)
{
	if (!raw->direct)
		return 0;
	find_direct(raw);
	if (raw->offset_align && raw->offset_align <= info->block_bytes)
		return 0;
	raw->direct = false;
	if (fcntl(raw->fd, F_SETFL, fcntl(raw->fd, F_GETFL) & ~O_DIRECT) < 0)
		return fail(error, raw->path, errno, "");
	log_warn("%s: direct I/O needs blocks of %u bytes and the disk has %u: "
		 "the page cache is used",
		 raw->path, raw->offset_align, info->block_bytes);
	return 0;
}

/* What a snapshot writes to: a file without a name, where it may be large. */
static int make_top(struct raw *raw, const struct block_info *info,
		    GError **error)
{
	const char *folder = g_getenv("TMPDIR");

	if (!folder || !*folder)
		folder = "/var/tmp";
	raw->top_fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (raw->top_fd < 0)
		return fail(error, folder, errno, "a file for the snapshot");
	if (ftruncate(raw->top_fd, (off_t)info->bytes))
		return fail(error, folder, errno, "a file for the snapshot");
	raw->map = cow_map_new(info->bytes, info->block_bytes);
	if (!raw->map)
		return fail(error, raw->path, ENOMEM, "a map of the snapshot");
	return 0;
}

static int choose_engine(struct raw *raw, const struct block_options *o,
			 GError **error)
{
	int err = 0;

	if (o->aio != BLOCK_AIO_THREADS)
		err = raw_uring_usable();
	if (err && o->aio == BLOCK_AIO_IO_URING)
		return fail(error, raw->path, -err, "io_uring");
	if (err)
		log_info("%s: threads are used, no io_uring: %s", raw->path,
			 g_strerror(-err));
	if (o->aio == BLOCK_AIO_THREADS || err) {
		raw->pool = raw_pool_new(error);
		return raw->pool ? 0 : -1;
	}
	return 0;
}

static void clear(struct raw *raw)
{
	raw_pool_free(raw->pool);
	cow_map_free(raw->map);
	if (raw->top_fd >= 0)
		close(raw->top_fd);
	if (raw->fd >= 0) {
		image_unlock(raw->fd);
		close(raw->fd);
	}
	g_free(raw->path);
	g_free(raw);
}

void raw_free(struct block *b)
{
	block_clear(b);
	clear(to_raw(b));
}

struct block *raw_open(const struct block_options *o, GError **error)
{
	struct raw *raw = g_new0(struct raw, 1);
	struct block_info info = {0};
	struct stat st;
	g_autofree char *kind = NULL;

	raw->fd = -1;
	raw->top_fd = -1;
	raw->path = g_strdup(o->path);
	if (open_image(raw, o, &st, error) || lock_image(raw, o, error))
		goto clear;
	if (!raw->is_device)
		look_at_file(raw, &st, &info);
	else if (look_at_device(raw, &st, &info, error))
		goto clear;
	if (settle_info(raw, o, &info, error) ||
	    settle_direct(raw, &info, error) ||
	    (o->snapshot && !o->readonly && make_top(raw, &info, error)) ||
	    choose_engine(raw, o, error))
		goto clear;
	raw->detect_zeroes = o->detect_zeroes != BLOCK_DETECT_OFF;
	raw->detect_unmap =
		o->detect_zeroes == BLOCK_DETECT_UNMAP && info.can_discard;
	kind = g_strdup_printf(
		"raw, %s%s%s", raw->pool ? "threads" : "io_uring",
		raw->direct ? ", direct" : "", raw->map ? ", snapshot" : "");
	block_init(&raw->block, raw->pool ? &raw_pool_ops : &raw_uring_ops,
		   kind, &info);
	return &raw->block;

clear:
	clear(raw);
	return NULL;
}
