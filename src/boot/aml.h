/* SPDX-License-Identifier: MIT */
/*
 * aml.h - write ACPI machine language.
 *
 * Only what the SSDT needs.  Each call appends to a byte array; a body is
 * written to an array of its own first and then wrapped, because the length
 * in front of it has a variable length itself.
 *
 * Source: ACPI 6.3 chapter 20.
 */
#ifndef BOOT_AML_H
#define BOOT_AML_H

#include <stddef.h>
#include <stdint.h>

#include <glib.h>

/* Names are absolute or relative paths: "_UID", "\\SERN", "\\_SB.VMOD". */

/** aml_name_integer() - Name (@name, @value) */
void aml_name_integer(GByteArray *aml, const char *name, uint64_t value);

/** aml_name_string() - Name (@name, @value) */
void aml_name_string(GByteArray *aml, const char *name, const char *value);

/** aml_name_buffer() - Name (@name, Buffer () { @data }) */
void aml_name_buffer(GByteArray *aml, const char *name, const void *data,
		     size_t len);

/** aml_name_package() - Name (@name, Package () { @values }), at most 255 */
void aml_name_package(GByteArray *aml, const char *name, const uint64_t *values,
		      unsigned int n);

/** aml_scope() - Scope (@name) { @body } */
void aml_scope(GByteArray *aml, const char *name, const GByteArray *body);

/** aml_device() - Device (@name) { @body } */
void aml_device(GByteArray *aml, const char *name, const GByteArray *body);

#endif
