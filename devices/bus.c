/* SPDX-License-Identifier: MIT */
#include "devices/bus.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include <glib.h>

#include "base/log.h"

#define LOG_CATEGORY "bus"

#define UNCLAIMED_MAX 32

struct range {
	uint64_t base;
	uint64_t len;
	const char *name;
	const struct bus_ops *ops;
	void *dev;
	_Atomic uint64_t reads;
	_Atomic uint64_t writes;
};

struct unclaimed {
	_Atomic uint64_t key; /* address + 1; 0: unused */
	_Atomic uint64_t count;
};

struct bus {
	const char *name;
	/* set before vCPUs run, then read-only; sorted by base */
	unsigned int n_ranges;
	struct range **ranges;
	/* any thread, atomics */
	_Atomic uint64_t n_unclaimed;
	struct unclaimed unclaimed[UNCLAIMED_MAX];
};

/* One of read and write is set, which says what it is. */
struct access {
	uint8_t *read;
	const uint8_t *write;
};

struct bus *bus_new(const char *name)
{
	struct bus *bus = g_new0(struct bus, 1);

	bus->name = name;
	return bus;
}

void bus_free(struct bus *bus)
{
	if (!bus)
		return;
	for (unsigned int i = 0; i < bus->n_ranges; i++)
		g_free(bus->ranges[i]);
	g_free(bus->ranges);
	g_free(bus);
}

/* How many ranges start at or below @addr. */
static unsigned int ranges_upto(const struct bus *bus, uint64_t addr)
{
	unsigned int lo = 0, hi = bus->n_ranges;

	while (lo < hi) {
		unsigned int mid = lo + (hi - lo) / 2;

		if (bus->ranges[mid]->base <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int bus_add(struct bus *bus, uint64_t base, uint64_t len, const char *name,
	    const struct bus_ops *ops, void *dev)
{
	unsigned int at = ranges_upto(bus, base);
	struct range *r;

	if (!len || len - 1 > UINT64_MAX - base)
		return -EINVAL;
	if (at && base - bus->ranges[at - 1]->base < bus->ranges[at - 1]->len)
		return -EEXIST;
	if (at < bus->n_ranges && bus->ranges[at]->base - base < len)
		return -EEXIST;

	r = g_new0(struct range, 1);
	r->base = base;
	r->len = len;
	r->name = name;
	r->ops = ops;
	r->dev = dev;
	bus->ranges = g_renew(struct range *, bus->ranges, bus->n_ranges + 1);
	memmove(&bus->ranges[at + 1], &bus->ranges[at],
		(bus->n_ranges - at) * sizeof(bus->ranges[0]));
	bus->ranges[at] = r;
	bus->n_ranges++;
	return 0;
}

/* @len bytes at offset @off, all of them @r's, at @at of the access. */
static void range_access(struct range *r, uint64_t off, struct access a,
			 unsigned int at, unsigned int len)
{
	unsigned int step = r->ops->max_len ? r->ops->max_len : len;

	atomic_fetch_add_explicit(a.read ? &r->reads : &r->writes, 1,
				  memory_order_relaxed);
	for (unsigned int i = 0; i < len; i += step) {
		unsigned int n = MIN(step, len - i);

		if (a.read && r->ops->read)
			r->ops->read(r->dev, off + i, a.read + at + i, n);
		else if (a.write && r->ops->write)
			r->ops->write(r->dev, off + i, a.write + at + i, n);
	}
}

static void note_unclaimed(struct bus *bus, uint64_t addr, bool write)
{
	atomic_fetch_add_explicit(&bus->n_unclaimed, 1, memory_order_relaxed);
	log_debug_ratelimited("%s: nobody at 0x%" PRIx64 " (%s)", bus->name,
			      addr, write ? "write" : "read");
	for (unsigned int i = 0; i < UNCLAIMED_MAX; i++) {
		struct unclaimed *u = &bus->unclaimed[i];
		uint64_t key = 0;

		/* The first to come takes a free entry. */
		if (atomic_compare_exchange_strong(&u->key, &key, addr + 1) ||
		    key == addr + 1) {
			atomic_fetch_add_explicit(&u->count, 1,
						  memory_order_relaxed);
			return;
		}
	}
}

static bool bus_access(struct bus *bus, uint64_t addr, struct access a,
		       unsigned int len)
{
	uint64_t pos = addr;
	bool any = false;

	/* What would wrap is decoded up to the last address only. */
	for (unsigned int done = 0, n; done < len; done += n, pos += n) {
		unsigned int next = ranges_upto(bus, pos);
		uint64_t room;

		n = len - done;
		if (done && !pos)
			break;
		if (next) {
			struct range *r = bus->ranges[next - 1];
			uint64_t off = pos - r->base;

			if (off < r->len) {
				n = (unsigned int)MIN((uint64_t)n,
						      r->len - off);
				range_access(r, off, a, done, n);
				any = true;
				continue;
			}
		}
		room = next < bus->n_ranges ? bus->ranges[next]->base - pos
					    : UINT64_MAX;
		n = (unsigned int)MIN((uint64_t)n, room);
	}
	if (!any)
		note_unclaimed(bus, addr, a.write != NULL);
	return any;
}

bool bus_read(struct bus *bus, uint64_t addr, void *data, unsigned int len)
{
	assert(len && len <= BUS_ACCESS_MAX);
	memset(data, 0xFF, len);
	return bus_access(bus, addr, (struct access){.read = data}, len);
}

bool bus_write(struct bus *bus, uint64_t addr, const void *data,
	       unsigned int len)
{
	assert(len && len <= BUS_ACCESS_MAX);
	return bus_access(bus, addr, (struct access){.write = data}, len);
}

uint64_t bus_unclaimed(const struct bus *bus)
{
	return atomic_load(&bus->n_unclaimed);
}

bool bus_unclaimed_at(const struct bus *bus, unsigned int index, uint64_t *addr,
		      uint64_t *count)
{
	uint64_t key;

	if (index >= UNCLAIMED_MAX)
		return false;
	key = atomic_load(&bus->unclaimed[index].key);
	if (!key)
		return false;
	*addr = key - 1;
	*count = atomic_load(&bus->unclaimed[index].count);
	return true;
}

bool bus_range(const struct bus *bus, unsigned int index,
	       struct bus_range_info *info)
{
	const struct range *r;

	if (index >= bus->n_ranges)
		return false;
	r = bus->ranges[index];
	*info = (struct bus_range_info){
		.name = r->name,
		.base = r->base,
		.len = r->len,
		.reads = atomic_load(&r->reads),
		.writes = atomic_load(&r->writes),
	};
	return true;
}
