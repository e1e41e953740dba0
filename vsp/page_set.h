/* SPDX-License-Identifier: MIT */
/*
 * page_set.h - a set of guest pages, by number: one bit each, so that its size
 * is known however a guest scatters them.
 *
 * Thread: one at a time.
 */
#ifndef VSP_PAGE_SET_H
#define VSP_PAGE_SET_H

#include <stdbool.h>
#include <stdint.h>

struct page_set;

/** page_set_new() - for pages below @n_pages; owned, empty */
struct page_set *page_set_new(uint64_t n_pages);
void page_set_free(struct page_set *set);

/** page_set_count() - how many are in it */
uint64_t page_set_count(const struct page_set *set);

/**
 * page_set_add() - all of [@first, @first + @n), or none
 *
 * Return: 0; -ERANGE not below n_pages; -EEXIST one is in it already.
 */
int page_set_add(struct page_set *set, uint64_t first, uint64_t n);

/**
 * page_set_next() - the first run of pages at or above @from
 * @max:   longest run that is wanted, at least 1
 * @first: out: where it begins
 *
 * Return: how many pages; 0: there are no more.
 */
uint64_t page_set_next(const struct page_set *set, uint64_t from, uint64_t max,
		       uint64_t *first);

/** page_set_remove() - pages that are in it */
void page_set_remove(struct page_set *set, uint64_t first, uint64_t n);

void page_set_clear(struct page_set *set);

#endif
