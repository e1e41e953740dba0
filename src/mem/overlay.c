/* SPDX-License-Identifier: MIT */
#include "mem/overlay.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem/gmem.h"

#define PAGE_BYTES 4096u

struct overlay {
	struct overlay_space *space; /* set once */
	unsigned int index; /* set once: page within the memfd */
	/* space->lock */
	bool shown;
	uint64_t gpa;
	uint64_t order; /* the larger, the newer */
};

struct overlay_space {
	struct gmem *mem;
	int fd;
	uint8_t *pages;
	unsigned int n_pages;
	const struct overlay_hole_ops *hole_ops;
	void *hole_ctx;
	pthread_mutex_t lock;
	/* lock */
	unsigned int n_overlays;
	uint64_t next_order;
	struct overlay overlays[];
};

struct overlay_space *overlay_space_new(struct gmem *mem, unsigned int n_pages,
					GError **error)
{
	struct overlay_space *s =
		g_malloc0(sizeof(*s) + n_pages * sizeof(s->overlays[0]));
	size_t bytes = (size_t)n_pages * PAGE_BYTES;

	s->mem = mem;
	s->n_pages = n_pages;
	pthread_mutex_init(&s->lock, NULL);
	s->fd = memfd_create("overlay-pages", MFD_CLOEXEC);
	if (s->fd < 0 || ftruncate(s->fd, (off_t)bytes))
		goto fail;
	s->pages =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	if (s->pages != MAP_FAILED)
		return s;
	s->pages = NULL;
fail:
	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(errno),
		    "overlay pages: %s", g_strerror(errno));
	overlay_space_free(s);
	return NULL;
}

void overlay_space_free(struct overlay_space *space)
{
	if (!space)
		return;
	for (unsigned int i = 0; i < space->n_overlays; i++)
		overlay_hide(&space->overlays[i]);
	if (space->pages)
		munmap(space->pages, (size_t)space->n_pages * PAGE_BYTES);
	if (space->fd >= 0)
		close(space->fd);
	pthread_mutex_destroy(&space->lock);
	g_free(space);
}

void overlay_space_set_hole_ops(struct overlay_space *space,
				const struct overlay_hole_ops *ops, void *ctx)
{
	space->hole_ops = ops;
	space->hole_ctx = ctx;
}

struct overlay *overlay_new(struct overlay_space *space)
{
	struct overlay *o;

	pthread_mutex_lock(&space->lock);
	assert(space->n_overlays < space->n_pages);
	o = &space->overlays[space->n_overlays];
	o->space = space;
	o->index = space->n_overlays++;
	pthread_mutex_unlock(&space->lock);
	return o;
}

void *overlay_page(const struct overlay *overlay)
{
	return overlay->space->pages + (size_t)overlay->index * PAGE_BYTES;
}

/* The newest overlay that is shown at @gpa, or NULL. */
static struct overlay *top_at(struct overlay_space *s, uint64_t gpa)
{
	struct overlay *top = NULL;

	for (unsigned int i = 0; i < s->n_overlays; i++) {
		struct overlay *o = &s->overlays[i];

		if (o->shown && o->gpa == gpa &&
		    (!top || o->order > top->order))
			top = o;
	}
	return top;
}

/* Make the guest see @o at @gpa, or what lies below all overlays if NULL. */
static int expose(struct overlay_space *s, uint64_t gpa, struct overlay *o)
{
	if (gmem_contains(s->mem, gpa, PAGE_BYTES))
		return gmem_swap_page(s->mem, gpa, o ? s->fd : -1,
				      o ? (uint64_t)o->index * PAGE_BYTES : 0);
	if (!s->hole_ops)
		return -EFAULT;
	/* A slot cannot be replaced in place; it may also not be there. */
	s->hole_ops->unmap(s->hole_ctx, gpa);
	return o ? s->hole_ops->map(s->hole_ctx, gpa, overlay_page(o)) : 0;
}

static void hide_locked(struct overlay_space *s, struct overlay *o)
{
	struct overlay *below;

	if (!o->shown)
		return;
	below = top_at(s, o->gpa);
	o->shown = false;
	/* Only the topmost page changes what the guest sees. */
	if (below == o)
		expose(s, o->gpa, top_at(s, o->gpa));
}

int overlay_show(struct overlay *overlay, uint64_t gpa)
{
	struct overlay_space *s = overlay->space;
	int err = 0;

	pthread_mutex_lock(&s->lock);
	if (!overlay->shown || overlay->gpa != gpa) {
		hide_locked(s, overlay);
		err = expose(s, gpa, overlay);
		if (!err) {
			overlay->shown = true;
			overlay->gpa = gpa;
			overlay->order = s->next_order++;
		}
	}
	pthread_mutex_unlock(&s->lock);
	return err;
}

void overlay_hide(struct overlay *overlay)
{
	pthread_mutex_lock(&overlay->space->lock);
	hide_locked(overlay->space, overlay);
	pthread_mutex_unlock(&overlay->space->lock);
}

bool overlay_is_shown(const struct overlay *overlay)
{
	bool shown;

	pthread_mutex_lock(&overlay->space->lock);
	shown = overlay->shown;
	pthread_mutex_unlock(&overlay->space->lock);
	return shown;
}
