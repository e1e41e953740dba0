/* SPDX-License-Identifier: MIT */
/*
 * lookup.h - what libvirt knows by a name: domains, networks, volumes.
 *
 * libvirt's library and all that it needs are loaded only when somebody asks:
 * what calls it is a module of its own, which this loads.
 *
 * Thread: main.
 */
#ifndef CONFIG_DOMAIN_LOOKUP_H
#define CONFIG_DOMAIN_LOOKUP_H

#include <glib.h>

struct domain_lookup;

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
			    const char *mac, GError **error);

#endif
