/* SPDX-License-Identifier: MIT */
/*
 * vsp.h - what devices on VMbus have in common for those who make them, stop
 * them and report on them.  What they are written against is vmbus/channel.h.
 */
#ifndef VSP_VSP_H
#define VSP_VSP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/guids.h"

struct channel;
struct coverage_set;
struct channel_bus;

/* What a device is made with. */
struct vsp_params {
	struct channel_bus *bus;
	const char *name; /* copied */
	struct guid instance;
	uint32_t order; /* of offers */
	/* newest VMbus version of the host that we play: VERSION_… */
	uint32_t host_version;
	/*
	 * The guest's driver and the device have agreed on a version.  Each
	 * time; any thread, no lock held.  May be NULL.
	 */
	void (*ready)(void *ctx);
	void *ctx;
};

/**
 * vsp_name_channel() - what a device's channels are called
 * @index: 0: the primary, as the device; the others have it behind a slash
 */
#define VSP_CHANNEL_NAME_BYTES 32
static inline void vsp_name_channel(char name[VSP_CHANNEL_NAME_BYTES],
				    const struct vsp_params *p,
				    unsigned int index)
{
	if (index)
		snprintf(name, VSP_CHANNEL_NAME_BYTES, "%s/%u", p->name, index);
	else
		snprintf(name, VSP_CHANNEL_NAME_BYTES, "%s", p->name);
}

/* Tables by which devices decide, of what guests say to them. */
enum vsp_table {
	VSP_TABLE_SCSI, /* commands, numbers as scsi_lun_coverage() has them */
	VSP_TABLE_NVSP, /* messages of network cards */
	VSP_TABLE_OID, /* objects of network cards */
	VSP_N_TABLES,
};

/* Where a device says how it is.  Keys and texts are copied. */
struct vsp_facts {
	void (*number)(void *ctx, const char *key, uint64_t value);
	void (*text)(void *ctx, const char *key, const char *value);
	/* each row of a table: how often it was used, and refused */
	void (*use)(void *ctx, enum vsp_table table, const char *name,
		    uint64_t number, uint64_t used, uint64_t refused);
	void *ctx;
};

/**
 * vsp_table_facts() - say of each row of @set how often it was used and refused
 *
 * A status that is counted is one that refuses.  Nothing if nobody listens.
 */
void vsp_table_facts(const struct coverage_set *set, enum vsp_table table,
		     const struct vsp_facts *to);

/*
 * A kind of device.  Thread: main.  All but free may be NULL.
 */
struct vsp_ops {
	/* The channel's and all others' callbacks are over when it returns. */
	void (*free)(void *device);
	/* Borrowed as long as the device. */
	struct channel *(*channel)(void *device);
	/*
	 * Say what the report and `kvmbus ctl inspect` are to say: versions,
	 * commands, errors.  In words of [a-z0-9_]; each key once.  Also while
	 * the channel's callbacks run.
	 */
	void (*facts)(void *device, const struct vsp_facts *to);
	/*
	 * The guest's processors run from now on, or do not.  Guest time
	 * stands still while they do not, and nothing is answered.  A device
	 * starts with processors that do not run.
	 */
	void (*run)(void *device, bool running);
};

#endif
