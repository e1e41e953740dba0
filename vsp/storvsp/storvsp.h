/* SPDX-License-Identifier: MIT */
/*
 * storvsp.h - disks on VMbus: a SCSI controller, or a disk that the guest
 * takes for one on the IDE bus.
 *
 * Theory of operation.  A controller has a primary channel, on which the
 * guest's driver agrees on a version, and as many sub-channels as it asks for.
 * On each it sends SCSI commands; an answer goes back on the channel that the
 * command came on.  A channel has a thread of its own, its own table of
 * requests and, for each unit, its own queue into the storage, so that a
 * command takes no lock and meets no other thread on its way.
 *
 * A request of the table is taken before a packet is: none is free, or the
 * ring has no room for the answers of all that is in flight, and the packet
 * stays in the guest's ring.  So an answer can always be sent, and nothing is
 * allocated for a command.
 *
 * What has to wait for commands in flight (the guest closes, resets, a unit is
 * taken away) does not stop them, as their memory is the guest's: it waits
 * until they have ended, and keeps new ones out.
 *
 * A unit that is not there answers INQUIRY with "no device", as Linux wants
 * it (drivers/scsi/scsi_scan.c); only real units are in REPORT LUNS.
 *
 * Thread: main; what is said of others stands at each call.
 * Source: Linux drivers/scsi/storvsc_drv.c; OpenVMM
 * vm/devices/storage/storvsp/src/lib.rs.
 */
#ifndef VSP_STORVSP_H
#define VSP_STORVSP_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "vsp/vsp.h"

struct channel_stats;
struct scsi_lun;
struct storvsp;

/* Units of a controller: target 0, LUNs 0 to 63, as Windows Server has it. */
#define STORVSP_LUNS             64u
#define STORVSP_SUB_CHANNELS_MAX 15u
/* The longest transfer of one command: what BLOCK_IOV_MAX pages hold. */
#define STORVSP_TRANSFER_MAX     0x100000u
/* Commands in flight, on each channel. */
#define STORVSP_REQUESTS         256u

struct storvsp_params {
	struct vsp_params vsp;
	/* one disk, LUN 0, and no sub-channels; see storvsp_ide_instance() */
	bool ide;
	unsigned int max_sub_channels; /* more than there may be is fine */
	/* how long a guest may use a unit that went; 0: a minute */
	uint64_t removal_ns;
	/* from when on a command that takes long is traced; 0: a second */
	uint64_t slow_ns;
	/* as of channel_params */
	uint64_t poll_ns, poll_max_ns;
	uint16_t monitor_latency_100ns;
	/* The first time that data was read or written; as vsp.ready. */
	void (*io)(void *ctx);
};

/**
 * storvsp_new() - offer a controller without units
 *
 * Return: owned; NULL with @error set.
 */
struct storvsp *storvsp_new(const struct storvsp_params *params,
			    GError **error);

/** storvsp_free() - the units are nobody's then, and the caller's to free */
void storvsp_free(struct storvsp *s);

/** storvsp_ide_instance() - of the disk at @device, 0 or 1, of IDE channel */
struct guid storvsp_ide_instance(uint8_t channel, uint8_t device);

/**
 * storvsp_add() - a unit is there from now on; a guest that runs is told
 * @lun:  below STORVSP_LUNS; 0 for IDE
 * @unit: borrowed until storvsp_remove() has called back, or storvsp_free()
 *
 * Return: 0; -EINVAL; -EEXIST there is one; -EBUSY there was one, and the guest
 * has not seen that it went: it would take this one for that.
 */
int storvsp_add(struct storvsp *s, uint8_t lun, struct scsi_lun *unit);

/**
 * storvsp_remove() - a unit goes away; a guest that runs is told
 * @removed: nothing uses the unit any more.  Any thread, no lock held; perhaps
 *           before this returns.  May be NULL.
 *
 * Return: 0; -ENOENT there is none; -EBUSY another call for it is not over.
 */
int storvsp_remove(struct storvsp *s, uint8_t lun, void (*removed)(void *ctx),
		   void *ctx);

/**
 * storvsp_let_go() - close the ways into a unit's storage
 * @gone: as @removed of storvsp_remove().  What the unit had for storage
 *        before it was given another may be freed.
 *
 * Return: as storvsp_remove().
 */
int storvsp_let_go(struct storvsp *s, uint8_t lun, void (*gone)(void *ctx),
		   void *ctx);

/** storvsp_resized() - scsi_lun_resized() of what is there; the guest is told */
void storvsp_resized(struct storvsp *s, uint8_t lun);

/** storvsp_retry() - commands that an error policy has kept: try them again */
void storvsp_retry(struct storvsp *s);

/** storvsp_unit() - what is there, NULL: nothing; borrowed */
struct scsi_lun *storvsp_unit(const struct storvsp *s, uint8_t lun);

struct storvsp_status {
	bool ready; /* the guest's driver works */
	uint16_t version; /* VMSTOR_PROTO_VERSION_…, 0: none yet */
	unsigned int sub_channels; /* that the guest has asked for */
	unsigned int in_flight;
	uint64_t refused; /* packets against the protocol */
	uint64_t resets;
};

void storvsp_get_status(const struct storvsp *s, struct storvsp_status *status);

extern const struct vsp_ops storvsp_ops;

#endif
