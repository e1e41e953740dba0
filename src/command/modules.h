/* SPDX-License-Identifier: MIT */
/*
 * modules.h - which modules of a kernel to load, in what order.
 *
 * Goes by the modules themselves: each says in its section .modinfo what it
 * needs.  So it wants nothing of depmod, which Debian runs only when a kernel
 * is installed, and serves a kernel's build tree as well.
 *
 * Thread: one at a time.
 * Source: Linux include/linux/module.h, MODULE_INFO().
 */
#ifndef COMMAND_MODULES_H
#define COMMAND_MODULES_H

#include <stdbool.h>

#include <glib.h>

struct modules;

/* One to be loaded. */
struct module {
	char *name; /* with '_', as lsmod says it */
	char *path; /* relative to the folder, without ".xz" or the like */
	GStrv depends; /* names */
	GBytes *image; /* unpacked */
};

/**
 * modules_new() - the modules below a folder
 * @dir: lib/modules/RELEASE, or a build tree
 *
 * Return: owned; NULL with @error (GUEST_ERROR).
 */
struct modules *modules_new(const char *dir, GError **error);
void modules_free(struct modules *modules);

/** modules_count() - how many there are, besides those built in */
unsigned int modules_count(const struct modules *modules);

/**
 * modules_want() - have @name loaded, after all that it needs
 * @optional: fine if there is none of that name
 *
 * '-' and '_' are the same.  What is built in, or wanted already, is fine.
 * Return: 0; -1 with @error (GUEST_ERROR).
 */
int modules_want(struct modules *modules, const char *name, bool optional,
		 GError **error);

/** modules_leave_out() - load @name for nobody, whoever needs it */
void modules_leave_out(struct modules *modules, const char *name);

/** modules_order() - what is wanted, struct module, in order; borrowed */
const GPtrArray *modules_order(const struct modules *modules);

/** modules_dep() - a modules.dep of those that are wanted; owned */
char *modules_dep(const struct modules *modules);

/**
 * modinfo() - what a module says of itself
 * @key: "depends"
 *
 * Return: the values in order, owned; empty if it is no module.
 */
GStrv modinfo(GBytes *image, const char *key);

#endif
