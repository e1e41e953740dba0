/* SPDX-License-Identifier: MIT */
/*
 * agent_wire.h - what kvmbus and its program in the guest say to each other.
 *
 * One stream of bytes, over hv_sock or the second serial port.  The guest
 * begins: AGENT_HELLO with AGENT_MAGIC as its data.  Then frames go both
 * ways, each a header and at most AGENT_DATA_MAX bytes.  After AGENT_EXIT the
 * guest waits for AGENT_BYE, so that nothing is lost when it powers off.
 *
 * Both ends are little-endian.
 */
#ifndef COMMAND_AGENT_WIRE_H
#define COMMAND_AGENT_WIRE_H

#include <stdint.h>

#define AGENT_MAGIC    "kvmbus-1"
#define AGENT_DATA_MAX 4096
/* The host's port, when it is hv_sock. */
#define AGENT_PORT     1795

/* In the initramfs. */
#define AGENT_FOLDER  "kvmbus"
#define AGENT_ARGV    AGENT_FOLDER "/argv" /* each with its NUL */
#define AGENT_CONFIG  AGENT_FOLDER "/config" /* KEY=NUMBER, a line each */
#define AGENT_MODULES AGENT_FOLDER "/modules" /* paths, in load order */
#define AGENT_BUSYBOX AGENT_FOLDER "/busybox" /* may be missing */
#define AGENT_DHCP    AGENT_FOLDER "/dhcp" /* what udhcpc(8) calls */

/* Keys of AGENT_CONFIG. */
#define AGENT_KEY_HVSOCK  "hvsock" /* 1: try it first */
#define AGENT_KEY_NICS    "nics" /* that are to be waited for */
#define AGENT_KEY_DISKS   "disks"
#define AGENT_KEY_ROOT    "root" /* 1: a disk is the root */
#define AGENT_KEY_INSTALL "install" /* 1: busybox is all that there is */

/* The disk's serial number, by which it is found. */
#define AGENT_ROOT_SERIAL "kvmbus-root"

enum agent_kind {
	/* from the guest */
	AGENT_HELLO = 1,
	AGENT_STDOUT,
	AGENT_STDERR,
	AGENT_NOTE, /* a line for the user */
	AGENT_EXIT, /* struct agent_exit */
	/* from the host */
	AGENT_STDIN = 16, /* empty: its end */
	AGENT_BYE,
};

struct agent_frame {
	uint8_t kind;
	uint8_t zero;
	uint16_t len; /* of the data behind it */
};

struct agent_exit {
	int32_t code; /* 0 to 255; -1: ended by a signal */
	int32_t signal;
};

#endif
