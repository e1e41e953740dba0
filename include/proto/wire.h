/* SPDX-License-Identifier: MIT */
/*
 * wire.h - what every wire format in this folder is pinned down with.
 *
 * The guest is x86, so is the host: values are little-endian on both sides.
 * A struct is laid over bytes with memcpy(), never with a cast.
 */
#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#include <stddef.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "wire formats are read in host order");

#define WIRE_SIZE(type, size) \
	_Static_assert(sizeof(type) == (size), "wire size of " #type)
#define WIRE_FIELD(type, field, off)                   \
	_Static_assert(offsetof(type, field) == (off), \
		       "wire offset of " #type "." #field)

#endif
