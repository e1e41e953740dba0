/* SPDX-License-Identifier: MIT */
/*
 * legacy_ports.h - ports that every PC guest touches and that we leave empty.
 *
 * Each reads as ones and ignores writes, as an empty bus does; but it has a
 * name and a count of its own, so that the accesses nobody expected stand out
 * in the report.
 *
 * Thread: any; stateless.
 */
#ifndef DEVICES_LEGACY_PORTS_H
#define DEVICES_LEGACY_PORTS_H

struct bus;

/**
 * legacy_ports_attach() - claim what is still free
 *
 * Call it after every real device: a range that is taken, wholly or partly,
 * is left to its owner.
 */
void legacy_ports_attach(struct bus *pio);

#endif
