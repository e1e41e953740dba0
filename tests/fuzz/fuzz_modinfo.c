/* SPDX-License-Identifier: MIT */
/*
 * fuzz_modinfo.c - what a kernel module says of itself: ELF, its sections, and
 * the strings of .modinfo.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "command/modules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[] = {"depends", "softdep", "a"};
	g_autoptr(GBytes) image = g_bytes_new_static(data, size);

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_auto(GStrv) values = modinfo(image, keys[i]);
		size_t bytes = 0;

		/* Each has its key, and they do not overlap. */
		for (char **v = values; *v; v++)
			bytes += strlen(keys[i]) + 1 + strlen(*v);
		if (bytes > size)
			abort();
	}
	return 0;
}
