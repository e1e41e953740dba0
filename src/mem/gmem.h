/* SPDX-License-Identifier: MIT */
/*
 * gmem.h - guest RAM.
 *
 * Laid out as a PC has it: RAM below the hole that ends at 4 GiB, the rest
 * above.  Above that, after a gap, may be spare RAM: the same in all, but that
 * no table tells the guest of it; a driver may learn of it later (hot add).  A
 * guest that looks there before finds it, as far as it was meant to get it.
 * RAM is never unmapped while the VM lives.  It is anonymous memory,
 * which hosts back with 2 MiB pages: a memfd gets none on a host as it is
 * installed (shmem_enabled is "never"), and each first touch of 4 KiB is then
 * an exit.  Only pages that are needed twice live in a memfd, see
 * gmem_share.c.
 *
 * A struct that a guest wrote is copied out, once, and the copy is checked
 * and used; gmem_read() and gmem_write() are the way to it.  There is no call
 * that gives a pointer to a guest's struct.
 *
 * Bulk data is moved at host addresses (gmem_load(), gpa_ranges_iov()), which
 * are good for ever; but what is behind one may be another page of the host
 * tomorrow, so nothing may keep pages (a registered buffer of io_uring) from
 * one request to the next, and for each request the RAM is pinned:
 *
 *	n = gpa_ranges_iov(mem, &list, iov, n_max);
 *	request->pin = gmem_pin(mem, iov, n);
 *	... preadv(), on any thread, for as long as it takes ...
 *	gmem_unpin(mem, request->pin);
 *
 * Thread: any, once gmem_new() has returned.
 */
#ifndef MEM_GMEM_H
#define MEM_GMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

/* RAM may begin below this address or at 4 GiB, never between. */
#define GMEM_HOLE_START 0xC0000000ull
#define GMEM_HOLE_END   0x100000000ull

/* Linux' largest memory block: arch/x86/mm/init_64.c:MAX_BLOCK_SIZE. */
#define GMEM_SPARE_ALIGN (2ull << 30)

/* The memfd of pages that are needed twice; its name shows in /proc. */
#define GMEM_SHARED_NAME "guest-ram-shared"

struct gmem;
struct gmem_pin;
struct iovec;

/* A run of RAM: guest addresses and where they are mapped in this process. */
struct gmem_region {
	uint64_t gpa;
	uint64_t bytes;
	void *host; /* 2 MiB aligned */
};

/**
 * gmem_new() - make @bytes of RAM, zeroed
 * @bytes: a multiple of 4 KiB
 * @error: says how much was asked for when it cannot be had
 *
 * Return: owned; NULL with @error set.
 */
struct gmem *gmem_new(uint64_t bytes, GError **error);

/**
 * gmem_new_with_spare() - the same, and RAM that the guest does not know yet
 * @spare_bytes: a multiple of 4 KiB; 0: none, as with gmem_new()
 */
struct gmem *gmem_new_with_spare(uint64_t bytes, uint64_t spare_bytes,
				 GError **error);
void gmem_free(struct gmem *mem);

/** gmem_bytes() - what the guest starts with */
uint64_t gmem_bytes(const struct gmem *mem);

/** gmem_end() - the first address above all RAM, spare RAM included */
uint64_t gmem_end(const struct gmem *mem);

/** gmem_regions() - the one or two runs that the guest starts with; borrowed */
const struct gmem_region *gmem_regions(const struct gmem *mem,
				       unsigned int *n_regions);

/** gmem_spare() - spare RAM, GMEM_SPARE_ALIGN aligned; borrowed; or NULL */
const struct gmem_region *gmem_spare(const struct gmem *mem);

/** gmem_contains() - is [@gpa, @gpa + @len) RAM, all of it in one region? */
bool gmem_contains(const struct gmem *mem, uint64_t gpa, uint64_t len);

/**
 * gmem_read() - copy from guest memory, through overlay pages
 *
 * Return: 0, or -EFAULT (nothing copied) when the range is not all RAM.
 */
int gmem_read(const struct gmem *mem, uint64_t gpa, void *out, size_t len);

/** gmem_write() - copy to guest memory; as gmem_read() */
int gmem_write(struct gmem *mem, uint64_t gpa, const void *data, size_t len);

/**
 * gmem_zero_all() - give all RAM back to the host, so that it reads as zeros
 *
 * Return: 0 or -errno.  Thread: with every vCPU stopped.
 */
int gmem_zero_all(struct gmem *mem);

/**
 * gmem_load() - where bulk data (an image, an iovec) may be put directly
 *
 * For bytes that are never parsed in place.  Borrowed until gmem_free(); who
 * uses it on another thread than main's pins it meanwhile.
 *
 * Return: NULL when the range is not all RAM.
 */
void *gmem_load(struct gmem *mem, uint64_t gpa, uint64_t len);

/**
 * gmem_pin() - bulk data is about to be moved: RAM stays where it is
 * @iov: from gpa_ranges_iov() or gmem_load(); copied.  What is no RAM (a
 *       buffer of the caller's own) is skipped
 * @n:   pieces
 *
 * Until gmem_unpin() gmem_settle() does not move these pages, so nothing that
 * is read or written there is lost.  Nobody waits for anybody: pages that are
 * pinned when memory is settled are settled another time, so a pin may last as
 * long as a request does, or as a channel is open.
 *
 * Only pages that are, or were, rings or below overlays can move; for all
 * others, so nearly always, this is a look at a bit for each page and returns
 * NULL.  For those few it is a short lock and an allocation of 8 bytes a page.
 *
 * A guest that makes a ring or an overlay of a page while data is moved there
 * may lose what is moved at that moment, on that page; as it would on hardware
 * that it told to use memory for two things at once.
 *
 * Return: owned; NULL when nothing has to be pinned.  Any thread, no lock of
 * the caller's is in the way.
 */
struct gmem_pin *gmem_pin(struct gmem *mem, const struct iovec *iov,
			  unsigned int n);

/** gmem_unpin() - NULL is fine, which costs nothing.  Any thread */
void gmem_unpin(struct gmem *mem, struct gmem_pin *pin);

/**
 * gmem_load_file() - put bytes of a file into RAM
 * @fd:  regular file
 * @off: where in it
 *
 * Return: 0 or -errno; -EFAULT when the range is not all RAM, -ENODATA when
 * the file ends before it.
 * Thread: main, with every vCPU stopped.
 */
int gmem_load_file(struct gmem *mem, uint64_t gpa, uint64_t len, int fd,
		   uint64_t off);

/**
 * gmem_next_untouched() - RAM that nobody has ever written, so reads as zeros
 * @gpa:   in: where to look from; out: where the run starts
 * @bytes: out: how long it is
 *
 * Not spare RAM.  What the host provides as a whole, 2 MiB as a rule, counts as
 * touched as a whole.  What the guest does at the same time may make the answer old.
 *
 * Return: false when there is none at or above @gpa.
 */
bool gmem_next_untouched(struct gmem *mem, uint64_t *gpa, uint64_t *bytes);

/**
 * gmem_discard() - give [@gpa, @gpa + @len) back to the host: zeros from now on
 * @gpa: 4 KiB aligned, as @len
 *
 * Overlay pages that are shown there stay as they are.
 *
 * Return: 0 or -errno; -EFAULT when the range is not all RAM.
 */
int gmem_discard(struct gmem *mem, uint64_t gpa, uint64_t len);

/**
 * gmem_alias() - map pages of RAM a second time, side by side
 * @at:      4 KiB aligned; @n_pages pages of address space that the caller
 *           reserved, and later unmaps
 * @pfns:    any order, also repeated
 *
 * One mapping per run of successive page numbers.  What is seen there is the
 * RAM itself: overlay pages do not show, and what gmem_discard() gives back
 * reads as zeros.  Only for memory that both sides write all the time by a
 * protocol of their own (rings); it must be unmapped before @mem is freed.
 * The guest must not write the pages during the call: it waits for an answer.
 *
 * Return: 0, and gmem_unalias() is due; or -errno, and it is not: -EFAULT when
 * a page is not RAM.  On failure a part may be mapped.
 */
int gmem_alias(struct gmem *mem, void *at, const uint64_t *pfns,
	       size_t n_pages);

/**
 * gmem_unalias() - the second mapping is gone
 * @pfns: as gmem_alias() was given them; call it as often
 *
 * The guest must not write the pages during the call, as with gmem_alias().
 */
void gmem_unalias(struct gmem *mem, const uint64_t *pfns, size_t n_pages);

/**
 * gmem_unalias_later() - as gmem_unalias(), but the guest waits for nothing
 *
 * Nobody knows what the guest does with the pages by now, so they stay where
 * they are, and work.  They go back with gmem_take_back(), with another
 * gmem_alias() that ends with gmem_unalias(), or with gmem_settle().
 */
void gmem_unalias_later(struct gmem *mem, const uint64_t *pfns, size_t n_pages);

/**
 * gmem_take_back() - take back those of @pfns that gmem_unalias_later() left
 *
 * The guest must not write them during the call, as with gmem_alias().
 */
void gmem_take_back(struct gmem *mem, const uint64_t *pfns, size_t n_pages);

/**
 * gmem_settle() - take back all pages that gmem_unalias_later() left
 *
 * But for those that are pinned; threads that move data are not in the way,
 * and it does not wait for them.  gmem_zero_all() does it, too.
 *
 * Thread: with every vCPU stopped.
 */
void gmem_settle(struct gmem *mem);

/** gmem_left_pages() - how many there are to take back */
unsigned int gmem_left_pages(struct gmem *mem);

/**
 * gmem_mappings() - how many mappings of the host the RAM takes
 *
 * One per region, and two more for each run of pages that are shared, for
 * whatever reason.  Second mappings (gmem_alias()) are not counted.
 */
unsigned int gmem_mappings(struct gmem *mem);

/**
 * gmem_swap_page() - show another page at @gpa, or the RAM again
 * @gpa:    4 KiB aligned, RAM
 * @fd:     memfd that the new page comes from, or -1 for the RAM itself
 * @offset: where in @fd
 *
 * Only overlay.c uses it.  A vCPU that uses the page meanwhile waits in the
 * host's page fault handler and sees one page or the other; the theory in
 * gmem_share.c says what may be lost.
 *
 * Return: 0 or -errno.
 */
int gmem_swap_page(struct gmem *mem, uint64_t gpa, int fd, uint64_t offset);

#endif
