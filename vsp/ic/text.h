/* SPDX-License-Identifier: MIT */
/*
 * text.h - texts in messages of integration components: UTF-16LE, with a
 * zero behind.
 *
 * Thread: any.
 */
#ifndef VSP_IC_TEXT_H
#define VSP_IC_TEXT_H

#include <stddef.h>
#include <stdint.h>

/**
 * ic_text_put() - write @text to a field of @size bytes, which is all zeros
 * @used: out: bytes with the terminating zero; may be NULL
 *
 * Return: 0; -EILSEQ @text is not UTF-8; -ENAMETOOLONG.
 */
int ic_text_put(void *field, size_t size, const char *text, uint32_t *used);

/**
 * ic_text_get() - what a field of the guest's has, up to its first zero
 * @size: bytes, even
 *
 * Return: UTF-8, owned; NULL: it is not UTF-16.
 */
char *ic_text_get(const void *field, size_t size);

#endif
