/* SPDX-License-Identifier: MIT */
/*
 * bus.h - PIO and MMIO range lookup and dispatch.
 *
 * A bus is a sorted table of address ranges.  It is filled before the first
 * vCPU runs and only read afterwards, so that lookups take no lock.
 *
 * An access is cut where a range ends and, for a device that is narrower, into
 * pieces of bus_ops.max_len, lowest address first, as an ISA bus makes two
 * byte cycles of a word to an 8-bit card.  Bytes that nobody decodes read as
 * ones and are not written anywhere.
 *
 * Thread: bus_add() before other threads start; the rest from any.
 */
#ifndef DEVICES_BUS_H
#define DEVICES_BUS_H

#include <stdbool.h>
#include <stdint.h>

/* The widest access there is (an AVX store to MMIO is split by KVM). */
#define BUS_ACCESS_MAX 8

/*
 * A device's side of an access.  @offset is from the start of the range, the
 * @len bytes all lie within it.  Either may be NULL: reads ones, ignores.
 */
struct bus_ops {
	void (*read)(void *dev, uint64_t offset, void *data, unsigned int len);
	void (*write)(void *dev, uint64_t offset, const void *data,
		      unsigned int len);
	/* The widest piece the device wants to see; 0: any */
	unsigned int max_len;
};

struct bus;

/* One range and how often it was accessed, for the report. */
struct bus_range_info {
	const char *name;
	uint64_t base;
	uint64_t len;
	uint64_t reads;
	uint64_t writes;
};

/**
 * bus_new() - an empty bus
 * @name: borrowed; for messages: "pio", "mmio"
 *
 * Return: owned; never NULL.
 */
struct bus *bus_new(const char *name);
void bus_free(struct bus *bus);

/**
 * bus_add() - let @dev decode [@base, @base + @len)
 * @name: borrowed; as the report shows it
 * @ops:  borrowed until bus_free()
 * @dev:  borrowed until bus_free()
 *
 * Return: 0; -EEXIST when a byte of it is decoded already, -EINVAL when @len
 * is 0 or the range wraps.
 */
int bus_add(struct bus *bus, uint64_t base, uint64_t len, const char *name,
	    const struct bus_ops *ops, void *dev);

/**
 * bus_read() - a guest's read
 * @len: 1 to BUS_ACCESS_MAX bytes
 *
 * Return: false when nobody decodes any byte of it; @data is then all ones.
 */
bool bus_read(struct bus *bus, uint64_t addr, void *data, unsigned int len);

/** bus_write() - a guest's write; as bus_read() */
bool bus_write(struct bus *bus, uint64_t addr, const void *data,
	       unsigned int len);

/** bus_unclaimed() - accesses that nobody decoded */
uint64_t bus_unclaimed(const struct bus *bus);

/**
 * bus_unclaimed_at() - which addresses nobody decoded
 * @index: from 0; only the first few different addresses are kept
 * @addr, @count: filled in
 *
 * Return: false when there is no such entry.
 */
bool bus_unclaimed_at(const struct bus *bus, unsigned int index, uint64_t *addr,
		      uint64_t *count);

/** bus_range() - the @index-th range by address; false past the end */
bool bus_range(const struct bus *bus, unsigned int index,
	       struct bus_range_info *info);

#endif
