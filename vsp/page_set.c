/* SPDX-License-Identifier: MIT */
#include "vsp/page_set.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <glib.h>

#include "base/checked.h"

#define WORD_BITS 64u

struct page_set {
	uint64_t n_pages;
	uint64_t count;
	uint64_t words[];
};

static size_t n_words(uint64_t n_pages)
{
	return (size_t)((n_pages + WORD_BITS - 1) / WORD_BITS);
}

struct page_set *page_set_new(uint64_t n_pages)
{
	struct page_set *set = g_malloc0(
		sizeof(*set) + n_words(n_pages) * sizeof(set->words[0]));

	set->n_pages = n_pages;
	return set;
}

void page_set_free(struct page_set *set)
{
	g_free(set);
}

uint64_t page_set_count(const struct page_set *set)
{
	return set->count;
}

/* The bits of a word from @page on, up to @n of them. */
static uint64_t mask(uint64_t page, uint64_t n)
{
	unsigned int shift = page % WORD_BITS;

	n = MIN(n, WORD_BITS - shift);
	return (n == WORD_BITS ? ~0ull : (1ull << n) - 1) << shift;
}

/* Is any of [@first, @first + @n) there? */
static bool any(const struct page_set *set, uint64_t first, uint64_t n)
{
	uint64_t end = first + n;

	for (uint64_t page = first; page < end;
	     page = align_down(page, WORD_BITS) + WORD_BITS) {
		if (set->words[page / WORD_BITS] & mask(page, end - page))
			return true;
	}
	return false;
}

static void flip(struct page_set *set, uint64_t first, uint64_t n)
{
	uint64_t end = first + n;

	for (uint64_t page = first; page < end;
	     page = align_down(page, WORD_BITS) + WORD_BITS)
		set->words[page / WORD_BITS] ^= mask(page, end - page);
}

int page_set_add(struct page_set *set, uint64_t first, uint64_t n)
{
	if (!range_fits(first, n, set->n_pages))
		return -ERANGE;
	if (any(set, first, n))
		return -EEXIST;
	flip(set, first, n);
	set->count += n;
	return 0;
}

void page_set_remove(struct page_set *set, uint64_t first, uint64_t n)
{
	assert(range_fits(first, n, set->n_pages) && n <= set->count);
	flip(set, first, n);
	set->count -= n;
}

/*
 * The first page at or above @page that is in the set, or with @is_in false is
 * not.  Return: n_pages when there is none.
 */
static uint64_t seek(const struct page_set *set, uint64_t page, bool is_in)
{
	while (page < set->n_pages) {
		uint64_t word = set->words[page / WORD_BITS];

		if (!is_in)
			word = ~word;
		word &= ~0ull << page % WORD_BITS;
		page = align_down(page, WORD_BITS);
		if (word)
			return MIN(page + (unsigned int)__builtin_ctzll(word),
				   set->n_pages);
		page += WORD_BITS;
	}
	return set->n_pages;
}

uint64_t page_set_next(const struct page_set *set, uint64_t from, uint64_t max,
		       uint64_t *first)
{
	*first = seek(set, from, true);
	if (*first == set->n_pages)
		return 0;
	return MIN(seek(set, *first, false) - *first, max);
}

void page_set_clear(struct page_set *set)
{
	memset(set->words, 0, n_words(set->n_pages) * sizeof(set->words[0]));
	set->count = 0;
}
