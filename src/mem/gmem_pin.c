/* SPDX-License-Identifier: MIT */
/*
 * gmem_pin.c - RAM that data is moved to or from.  Why, and why so few pages
 * need it, is at the top of gmem_share.c.
 */
#include <sys/uio.h>

#include <glib.h>

#include "mem/gmem_impl.h"

struct gmem_pin {
	size_t n;
	uint64_t gpas[]; /* of shared pages */
};

/* Return: is a byte of @iov RAM, and where does its first page begin? */
static bool find_gpa(const struct gmem *mem, const struct iovec *iov,
		     uint64_t *gpa, uint64_t *bytes)
{
	for (unsigned int i = 0; i < mem->n_regions; i++) {
		const struct gmem_region *r = &mem->regions[i];
		uint64_t off = (uintptr_t)iov->iov_base - (uintptr_t)r->host;

		if (off < r->bytes && iov->iov_len) {
			*bytes = MIN(iov->iov_len, r->bytes - off) +
				 off % PAGE_BYTES;
			*gpa = r->gpa + off - off % PAGE_BYTES;
			return true;
		}
	}
	return false;
}

/* Pin into @pin, or only count if it is NULL.  share_lock held. */
static size_t pin_shared(const struct gmem *mem, const struct iovec *iov,
			 unsigned int n, struct gmem_pin *pin)
{
	uint64_t gpa, bytes;
	size_t n_pages = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (!find_gpa(mem, &iov[i], &gpa, &bytes))
			continue;
		for (uint64_t at = 0; at < bytes; at += PAGE_BYTES) {
			struct shared_page *page =
				gmem_shared_page(mem, gpa + at);

			if (page && pin) {
				page->pins++;
				pin->gpas[n_pages] = gpa + at;
			}
			n_pages += page != NULL;
		}
	}
	return n_pages;
}

static struct gmem_pin *pin_locked(const struct gmem *mem,
				   const struct iovec *iov, unsigned int n)
{
	size_t n_pages = pin_shared(mem, iov, n, NULL);
	struct gmem_pin *pin;

	/* A move was over in the meantime. */
	if (!n_pages)
		return NULL;
	pin = g_malloc(sizeof(*pin) + n_pages * sizeof(pin->gpas[0]));
	pin->n = pin_shared(mem, iov, n, pin);
	return pin;
}

struct gmem_pin *gmem_pin(struct gmem *mem, const struct iovec *iov,
			  unsigned int n)
{
	struct gmem_pin *pin = NULL;
	uint64_t gpa, bytes;

	for (unsigned int i = 0; i < n && !pin; i++) {
		if (!find_gpa(mem, &iov[i], &gpa, &bytes) ||
		    !gmem_is_shared(mem, gpa, bytes))
			continue;
		pthread_mutex_lock(&mem->share_lock);
		pin = pin_locked(mem, iov, n);
		pthread_mutex_unlock(&mem->share_lock);
		break;
	}
	return pin;
}

void gmem_unpin(struct gmem *mem, struct gmem_pin *pin)
{
	if (!pin)
		return;
	pthread_mutex_lock(&mem->share_lock);
	/* Nobody knows what the guest does with them: gmem_settle() does it. */
	for (size_t i = 0; i < pin->n; i++)
		gmem_shared_page(mem, pin->gpas[i])->pins--;
	pthread_mutex_unlock(&mem->share_lock);
	g_free(pin);
}
