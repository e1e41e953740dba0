/* SPDX-License-Identifier: MIT */
/*
 * ssdt.h - the part of the ACPI namespace that depends on the machine.
 *
 * Private to src/boot; completes dsdt.asl.
 */
#ifndef BOOT_SSDT_H
#define BOOT_SSDT_H

#include <glib.h>

struct boot_platform;
struct gmem;

/** ssdt_body() - append the SSDT's AML, without the table header */
void ssdt_body(GByteArray *aml, const struct gmem *mem,
	       const struct boot_platform *platform);

#endif
