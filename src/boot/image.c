/* SPDX-License-Identifier: MIT */
#include "boot/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "boot/boot.h"
#include "mem/gmem.h"

struct image {
	char *name;
	int fd;
	/* instead of fd */
	GBytes *content;
	uint64_t bytes;
};

static void set_errno(GError **error, const char *name, const char *verb)
{
	g_set_error(error, BOOT_ERROR, BOOT_ERROR_FILE, "%s: cannot %s: %s",
		    name, verb, g_strerror(errno));
}

static void set_shorter(GError **error, const char *name)
{
	g_set_error(error, BOOT_ERROR, BOOT_ERROR_TRUNCATED,
		    "%s: became shorter while it was read", name);
}

struct image *image_open(const char *path, GError **error)
{
	struct image *image;
	struct stat st;
	int fd;

	/* O_NONBLOCK: a FIFO must not hold us until somebody opens it. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		set_errno(error, path, "open");
		return NULL;
	}
	if (fstat(fd, &st)) {
		set_errno(error, path, "stat");
		close(fd);
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_FILE,
			    "%s: not a regular file", path);
		close(fd);
		return NULL;
	}
	image = g_new0(struct image, 1);
	image->name = g_strdup(path);
	image->fd = fd;
	image->bytes = (uint64_t)st.st_size;
	return image;
}

struct image *image_from_bytes(const char *name, GBytes *bytes)
{
	struct image *image = g_new0(struct image, 1);

	image->name = g_strdup(name);
	image->fd = -1;
	image->content = g_bytes_ref(bytes);
	image->bytes = g_bytes_get_size(bytes);
	return image;
}

void image_free(struct image *image)
{
	if (!image)
		return;
	if (image->fd >= 0)
		close(image->fd);
	if (image->content)
		g_bytes_unref(image->content);
	g_free(image->name);
	g_free(image);
}

const char *image_name(const struct image *image)
{
	return image->name;
}

uint64_t image_bytes(const struct image *image)
{
	return image->bytes;
}

/* Into our own memory; @off and @len lie within the file, as far as its size is still true. */
static int read_all(const struct image *image, uint64_t off, uint8_t *out,
		    uint64_t len, GError **error)
{
	if (image->content) {
		const uint8_t *data = g_bytes_get_data(image->content, NULL);

		if (len)
			memcpy(out, data + off, len);
		return 0;
	}
	while (len) {
		ssize_t n = pread(image->fd, out, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			set_errno(error, image->name, "read");
			return -1;
		}
		if (n == 0) {
			set_shorter(error, image->name);
			return -1;
		}
		out += n;
		off += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

static int check_range(const struct image *image, uint64_t off, uint64_t len,
		       GError **error)
{
	uint64_t end;

	if (range_fits(off, len, image->bytes))
		return 0;
	if (!checked_add(off, len, &end))
		end = UINT64_MAX;
	g_set_error(error, BOOT_ERROR, BOOT_ERROR_TRUNCATED,
		    "%s: truncated: its headers promise %" PRIu64
		    " bytes, the file has %" PRIu64,
		    image->name, end, image->bytes);
	return -1;
}

int image_read(const struct image *image, uint64_t off, void *out, size_t len,
	       GError **error)
{
	if (check_range(image, off, len, error))
		return -1;
	return read_all(image, off, out, len, error);
}

ssize_t image_peek(const struct image *image, uint64_t off, void *out,
		   size_t len, GError **error)
{
	if (off >= image->bytes)
		return 0;
	len = MIN(len, image->bytes - off);
	if (read_all(image, off, out, len, error))
		return -1;
	return (ssize_t)len;
}

/* As read_all(), from the file. */
static int load_file(const struct image *image, uint64_t off, struct gmem *mem,
		     uint64_t gpa, uint64_t len, GError **error)
{
	switch (gmem_load_file(mem, gpa, len, image->fd, off)) {
	case 0:
		return 0;
	case -ENODATA:
		set_shorter(error, image->name);
		return -1;
	default:
		/* A file system that cannot, or an error to be named. */
		return read_all(image, off, gmem_load(mem, gpa, len), len,
				error);
	}
}

int image_load(const struct image *image, uint64_t off, struct gmem *mem,
	       uint64_t gpa, uint64_t len, GError **error)
{
	if (check_range(image, off, len, error))
		return -1;
	if (!gmem_contains(mem, gpa, len)) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_MEMORY,
			    "%s: %" PRIu64 " bytes at 0x%" PRIx64
			    " are not guest RAM; give the guest more memory "
			    "(--memory)",
			    image->name, len, gpa);
		return -1;
	}
	if (image->content)
		return read_all(image, off, gmem_load(mem, gpa, len), len,
				error);
	return load_file(image, off, mem, gpa, len, error);
}
