/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what a fuzz entry defines.
 *
 * An entry is one file, fuzz_NAME.c, with LLVMFuzzerTestOneInput() and no
 * main(): libFuzzer brings one, and so does replay.c.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/**
 * LLVMFuzzerTestOneInput() - feed one input to the parser under test
 * @data: as long as @size says and not a byte longer; NULL when empty
 *
 * Keeps nothing from one call to the next, sleeps nowhere, leaves no file.
 * Finds a fault by a sanitizer's report or by abort().
 *
 * Return: 0.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** expect() - a fault was found if not */
static inline void expect(bool ok)
{
	if (!ok)
		abort();
}

#endif
