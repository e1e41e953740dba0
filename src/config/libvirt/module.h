/* SPDX-License-Identifier: MIT */
/*
 * module.h - what asks libvirt: the only code that its library is linked to.
 *
 * A shared object of its own (config/domain/lookup.c loads it), so that who
 * does not ask libvirt needs nothing of it.  Errors are CONFIG_ERROR's text:
 * what libvirt said, and the virsh command that shows it.
 *
 * Thread: main.
 */
#ifndef CONFIG_LIBVIRT_MODULE_H
#define CONFIG_LIBVIRT_MODULE_H

struct libvirt;

/* Strings that are returned are owned; NULL with @why, owned, set. */
struct libvirt_module {
	/* @uri: NULL: libvirt's default.  A connection, for close() */
	struct libvirt *(*open)(const char *uri, char **why);
	void (*close)(struct libvirt *l);
	/* the XML of a domain, as it is defined */
	char *(*domain)(struct libvirt *l, const char *name, char **why);
	/* the bridge of a network that is active */
	char *(*bridge)(struct libvirt *l, const char *network, char **why);
	/* where a volume is; @xml: what it is, owned */
	char *(*volume)(struct libvirt *l, const char *pool, const char *name,
			char **xml, char **why);
};

#define LIBVIRT_MODULE_NAME "kvmbus_libvirt_module"
extern const struct libvirt_module kvmbus_libvirt_module;

#endif
