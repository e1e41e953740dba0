/* SPDX-License-Identifier: MIT */
/*
 * replay.c - the main() of a fuzz entry without libFuzzer.
 *
 * Runs the entry once on the empty input and once on every file of the
 * folders and every file named on the command line.  Each input lies in a
 * heap block of exactly its size, so that a sanitizer sees a read past it.
 */
#include "fuzz/fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

static int replay_file(const char *path, unsigned int *n_inputs)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	g_autofree uint8_t *exact = NULL;
	gsize size;

	if (!g_file_get_contents(path, &text, &size, &error)) {
		fprintf(stderr, "replay: %s\n", error->message);
		return -1;
	}
	if (size)
		exact = g_memdup2(text, size);
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(exact, size);
	(*n_inputs)++;
	return 0;
}

static int replay_dir(const char *path, unsigned int *n_inputs)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GDir) dir = g_dir_open(path, 0, &error);
	const char *name;

	if (!dir) {
		fprintf(stderr, "replay: %s\n", error->message);
		return -1;
	}
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		if (replay_file(file, n_inputs))
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int n_inputs = 0;

	LLVMFuzzerTestOneInput(NULL, 0);
	for (int i = 1; i < argc; i++) {
		bool is_dir = g_file_test(argv[i], G_FILE_TEST_IS_DIR);

		if (is_dir ? replay_dir(argv[i], &n_inputs)
			   : replay_file(argv[i], &n_inputs))
			return EXIT_FAILURE;
	}
	if (!n_inputs) {
		fputs("replay: no input: is the corpus empty?\n", stderr);
		return EXIT_FAILURE;
	}
	printf("%u inputs\n", n_inputs);
	return EXIT_SUCCESS;
}
