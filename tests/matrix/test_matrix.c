/* SPDX-License-Identifier: MIT */
#include "matrix/matrix.h"

#include <string.h>

#include "matrix/matrix_jobs.h"
#include "matrix/matrix_run.h"
#include "support/check_main.h"

static const char *const profiles[] = {"ws2012", "ws2022", "ws2025", NULL};

static struct matrix *parse(const char *line, char **why)
{
	g_auto(GStrv) args = NULL;

	ck_assert(g_shell_parse_argv(line, NULL, &args, NULL));
	return matrix_parse(args, profiles, why);
}

static const struct matrix_cell *cell(const struct matrix *m, guint i)
{
	return g_ptr_array_index(m->cells, i);
}

START_TEST(it_is_the_product)
{
	g_autofree char *why = NULL;
	struct matrix *m =
		parse("a/bookworm b/linux-6.1.deb --profiles all --vcpus 1,4 "
		      "--scenario plain --scenario 'net=--net user' --jobs 3 "
		      "--timeout 9 --out o -- sh -c 'exit 1'",
		      &why);
	const char *const want[] = {"run",
				    "--kernel",
				    "b/linux-6.1.deb",
				    "--profile=ws2025",
				    "--vcpus=4",
				    "--timeout=9",
				    "--net",
				    "user",
				    NULL};

	ck_assert_msg(m != NULL, "%s", why);
	ck_assert_uint_eq(m->cells->len, 2 * 3 * 2 * 2);
	ck_assert_uint_eq(m->jobs, 3);
	ck_assert_str_eq(cell(m, 0)->name, "bookworm-ws2012-x1-plain");
	ck_assert_str_eq(cell(m, 23)->name, "linux-6.1-ws2025-x4-net");
	ck_assert_str_eq(cell(m, 23)->report, "o/linux-6.1-ws2025-x4-net.json");
	ck_assert(g_strv_equal((const char *const *)cell(m, 23)->argv, want));
	ck_assert_str_eq(m->command[2], "exit 1");
	matrix_free(m);
}
END_TEST

START_TEST(the_least_that_it_takes)
{
	g_autofree char *why = NULL;
	struct matrix *m = parse("k/vmlinuz", &why);

	ck_assert_uint_eq(m->cells->len, 1);
	ck_assert_str_eq(cell(m, 0)->name, "k-ws2025-x2");
	ck_assert_str_eq(m->command[0], "true");
	matrix_free(m);
}
END_TEST

START_TEST(what_is_wrong_is_named)
{
	static const char *const wrong[][2] = {
		{"--jobs 2", "kernels"},
		{"k --profiles ws1999", "ws1999"},
		{"k --vcpus 0", "--vcpus 0"},
		{"k --vcpus 1,x", "x"},
		{"k --jobs 0", "--jobs"},
		{"k --dance", "--dance"},
		{"a/k b/k", "both called k-ws2025-x2"},
		{"k --scenario \"a=it's\"", "--scenario"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		char *why = NULL;

		ck_assert_ptr_null(parse(wrong[i][0], &why));
		ck_assert_msg(strstr(why, wrong[i][1]) != NULL, "%s: %s",
			      wrong[i][0], why);
		g_free(why);
	}
}
END_TEST

START_TEST(the_table)
{
	g_autofree char *why = NULL;
	struct matrix *m =
		parse("k --profiles ws2012,ws2022 --vcpus 1,2", &why);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct matrix_cell *c = g_ptr_array_index(m->cells, 0);

	c->ran = TRUE;
	c = g_ptr_array_index(m->cells, 3);
	c->ran = TRUE;
	c->exit_code = 34;
	matrix_print(m, out);
	fclose(out);
	ck_assert_str_eq(text, "kernel  profile   x1          x2        \n"
			       "k       ws2012    ok          -         \n"
			       "k       ws2022    -           FAIL 34   \n"
			       "1 of 4 good\n");
	free(text);
	matrix_free(m);
}
END_TEST

START_TEST(jobs_for_others)
{
	g_autofree char *why = NULL;
	struct matrix *m = parse("k -- sh -c 'echo $HOME \"x\"'", &why);
	g_autofree char *make = matrix_make(m);
	g_autofree char *gitlab = matrix_gitlab(m);
	g_autofree char *github = matrix_github(m);

	ck_assert_ptr_nonnull(strstr(make, "\nk-ws2025-x2:\n"));
	ck_assert_ptr_nonnull(strstr(
		make,
		"\t$(KVMBUS) run --kernel k --profile=ws2025 --vcpus=2 "
		"--timeout=600 --report kvmbus-matrix/k-ws2025-x2.json -- sh "
		"-c 'echo $$HOME \"x\"'\n"));
	ck_assert_ptr_nonnull(
		strstr(gitlab, "      - NAME: \"k-ws2025-x2\"\n"));
	ck_assert_ptr_nonnull(strstr(gitlab, "'echo $$HOME \\\"x\\\"'\""));
	ck_assert_ptr_nonnull(
		strstr(github, "          - name: \"k-ws2025-x2\"\n"));
	ck_assert_ptr_nonnull(strstr(github, "'echo $HOME \\\"x\\\"'\""));
	matrix_free(m);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("matrix");
	TCase *t = tcase_create("matrix");

	tcase_add_test(t, it_is_the_product);
	tcase_add_test(t, the_least_that_it_takes);
	tcase_add_test(t, what_is_wrong_is_named);
	tcase_add_test(t, the_table);
	tcase_add_test(t, jobs_for_others);
	suite_add_tcase(s, t);
	return check_main(s);
}
