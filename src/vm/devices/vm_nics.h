/* SPDX-License-Identifier: MIT */
/*
 * vm_nics.h - the machine's network cards: what each is plugged into, and
 * what it is.
 *
 * They are net0, net1 … in the order of the configuration.
 *
 * Thread: main.
 */
#ifndef VM_VM_NICS_H
#define VM_VM_NICS_H

#include <stdbool.h>

#include <glib.h>

struct machine_config;
struct netvsp_params;
struct vm_nics;

/**
 * vm_nics_new() - plug all cards of @config in
 *
 * Return: owned; NULL with @error set, and nothing is left of them.
 */
struct vm_nics *vm_nics_new(const struct machine_config *config,
			    GError **error);

/** vm_nics_free() - after the cards */
void vm_nics_free(struct vm_nics *nics);

/** vm_nics_count() - how many there are from the start */
unsigned int vm_nics_count(const struct vm_nics *nics);

/**
 * vm_nics_describe() - what card @n is
 * @params: what is of the card is filled in; good until vm_nics_free()
 */
void vm_nics_describe(const struct vm_nics *nics, unsigned int n,
		      struct netvsp_params *params);

/**
 * vm_nics_set_link() - pull the cable of a card, or put it in
 * @name: "net0" …
 *
 * Return: 0; -1 with @error set: there is no such card.
 */
int vm_nics_set_link(struct vm_nics *nics, const char *name, bool up,
		     GError **error);

/** vm_nics_find() - which card @name is; -1 with @error set: there is none */
int vm_nics_find(const struct vm_nics *nics, const char *name, GError **error);

/**
 * vm_nics_add() - plug one more in
 * @text:   as of --net
 * @attach: have the guest see card @n; Return: 0; -1 with @error set
 *
 * Places that cards had before are taken last.
 *
 * Return: which it is; -1 with @error set.
 */
int vm_nics_add(struct vm_nics *nics, const char *text,
		int (*attach)(void *ctx, unsigned int n, GError **error),
		void *ctx, GError **error);

/** vm_nics_remove() - unplug card @n, which the guest sees no more */
void vm_nics_remove(struct vm_nics *nics, unsigned int n);

#endif
