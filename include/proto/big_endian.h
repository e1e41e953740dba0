/* SPDX-License-Identifier: MIT */
/*
 * big_endian.h - numbers as SCSI has them on the wire.
 *
 * Types of bytes, so that a struct of them has no padding and no number is
 * used without having been turned round.
 */
#ifndef PROTO_BIG_ENDIAN_H
#define PROTO_BIG_ENDIAN_H

#include "proto/wire.h"

struct be16 {
	uint8_t byte[2];
};

struct be24 {
	uint8_t byte[3];
};

struct be32 {
	uint8_t byte[4];
};

struct be64 {
	uint8_t byte[8];
};

static inline uint64_t be_get(const uint8_t *byte, unsigned int n)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < n; i++)
		value = value << 8 | byte[i];
	return value;
}

static inline void be_put(uint8_t *byte, unsigned int n, uint64_t value)
{
	for (unsigned int i = n; i-- > 0; value >>= 8)
		byte[i] = (uint8_t)value;
}

static inline uint16_t from_be16(struct be16 v)
{
	return (uint16_t)be_get(v.byte, sizeof(v.byte));
}

static inline uint32_t from_be24(struct be24 v)
{
	return (uint32_t)be_get(v.byte, sizeof(v.byte));
}

static inline uint32_t from_be32(struct be32 v)
{
	return (uint32_t)be_get(v.byte, sizeof(v.byte));
}

static inline uint64_t from_be64(struct be64 v)
{
	return be_get(v.byte, sizeof(v.byte));
}

static inline struct be16 to_be16(uint64_t value)
{
	struct be16 v = {{0}};

	be_put(v.byte, sizeof(v.byte), value);
	return v;
}

static inline struct be24 to_be24(uint64_t value)
{
	struct be24 v = {{0}};

	be_put(v.byte, sizeof(v.byte), value);
	return v;
}

static inline struct be32 to_be32(uint64_t value)
{
	struct be32 v = {{0}};

	be_put(v.byte, sizeof(v.byte), value);
	return v;
}

static inline struct be64 to_be64(uint64_t value)
{
	struct be64 v = {{0}};

	be_put(v.byte, sizeof(v.byte), value);
	return v;
}

#endif
