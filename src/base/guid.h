/* SPDX-License-Identifier: MIT */
/*
 * guid.h - GUIDs as people write them, and ones that are made from others.
 */
#ifndef BASE_GUID_H
#define BASE_GUID_H

#include <stdbool.h>

#include "proto/guids.h"

/* With the terminating zero. */
#define GUID_TEXT_SIZE 37

/**
 * guid_parse() - "f8615163-df3e-46c5-913f-f2d2f965ed0e", braces or not
 *
 * Return: 0, or -EINVAL with @guid untouched.
 */
int guid_parse(const char *text, struct guid *guid);

/** guid_print() - lower case, without braces; Return: @text */
char *guid_print(const struct guid *guid, char text[GUID_TEXT_SIZE]);

/** guid_compare() - as memcmp(), by the bytes on the wire */
int guid_compare(const struct guid *a, const struct guid *b);

bool guid_equal(const struct guid *a, const struct guid *b);

/** guid_is_null() - all zeros? */
bool guid_is_null(const struct guid *guid);

/**
 * guid_derive() - the GUID that belongs to @name in @space, always the same
 * @space: the GUID of what gives the name, such as a domain
 *
 * RFC 4122 version 5 (SHA-1).  Different names give different GUIDs.
 */
struct guid guid_derive(const struct guid *space, const char *name);

#endif
