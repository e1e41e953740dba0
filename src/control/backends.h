/* SPDX-License-Identifier: MIT */
/*
 * backends.h - what QEMU's blockdev-add and netdev_add say, in the words of
 * --disk and --net.
 *
 * Thread: any.
 */
#ifndef CONTROL_BACKENDS_H
#define CONTROL_BACKENDS_H

#include <glib.h>

struct json_object;

/* What is said there and cannot be done here. */
#define BACKEND_ERROR (backend_error_quark())
GQuark backend_error_quark(void);

/**
 * backend_disk() - an image as --disk has it
 * @o:     arguments of blockdev-add
 * @nodes: what @o may refer to: name, owned text of this function
 *
 * Return: owned; NULL with @error set.
 */
char *backend_disk(struct json_object *o, GHashTable *nodes, GError **error);

/** backend_net() - the same of netdev_add for --net */
char *backend_net(struct json_object *o, GError **error);

/** backend_add_text() - ",KEY=VALUE", with commas in VALUE doubled */
void backend_add_text(GString *to, const char *key, const char *value);

#endif
