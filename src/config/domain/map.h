/* SPDX-License-Identifier: MIT */
/*
 * map.h - names of a Hyper-V host to names of this one.
 *
 * A map is "FROM=TO": a name that is FROM becomes TO.  "*" at FROM's end stands
 * for any rest, which takes the place of a "*" at TO's, with / for \.  Capital
 * letters and small ones are the same in FROM, as in Windows.  The first that
 * fits counts.
 */
#ifndef CONFIG_DOMAIN_MAP_H
#define CONFIG_DOMAIN_MAP_H

#include <stdbool.h>

struct domain_options;

/** domain_map_disk() - where a disk is; owned; NULL: no map is of it */
char *domain_map_disk(const struct domain_options *options, const char *path);

/** domain_map_bridge() - of a switch; owned; NULL: no map is of it */
char *domain_map_bridge(const struct domain_options *options, const char *name);

/** domain_map_is_windows() - is it "C:\…" or "\\host\…"? */
bool domain_map_is_windows(const char *path);

#endif
