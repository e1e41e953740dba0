/* SPDX-License-Identifier: MIT */
/*
 * raw.h - images whose bytes are the disk's: files and block devices.
 */
#ifndef DEVICES_BLOCK_RAW_H
#define DEVICES_BLOCK_RAW_H

#include "devices/block/block_open.h"

/** raw_open() - .path of @o, whatever .format says.  Return: as block_open() */
struct block *raw_open(const struct block_options *o, GError **error);

#endif
