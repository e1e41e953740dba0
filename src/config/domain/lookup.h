/* SPDX-License-Identifier: MIT */
/*
 * lookup.h - what libvirt knows by a name: domains, networks, volumes.
 *
 * libvirt's library and all that it needs are loaded only when somebody asks:
 * what calls it is a module of its own, config/libvirt, which this loads from
 * the folder in KVMBUS_MODULES in the environment, or from where it is
 * installed.
 *
 * Thread: main.
 */
#ifndef CONFIG_DOMAIN_LOOKUP_H
#define CONFIG_DOMAIN_LOOKUP_H

#include <glib.h>

struct domain_lookup;

/**
 * domain_lookup_new() - load the module and connect
 * @uri: NULL: libvirt's default
 *
 * Return: owned; NULL with @error (CONFIG_ERROR).
 */
struct domain_lookup *domain_lookup_new(const char *uri, GError **error);
void domain_lookup_free(struct domain_lookup *lookup);

/** domain_lookup_domain() - the XML of a domain, owned; NULL with @error */
char *domain_lookup_domain(struct domain_lookup *lookup, const char *name,
			   GError **error);

/**
 * domain_lookup_volume() - where a volume is
 * @format: of its image, owned; NULL: it does not say
 *
 * Return: its path, owned; NULL with @error (CONFIG_ERROR): also if @lookup is
 * NULL, as nobody has said where to ask.
 */
char *domain_lookup_volume(struct domain_lookup *lookup, const char *pool,
			   const char *volume, char **format, GError **error);

/** domain_lookup_network() - the bridge of a network; as above */
char *domain_lookup_network(struct domain_lookup *lookup, const char *network,
			    GError **error);

#endif
