/* SPDX-License-Identifier: MIT */
#include "config/domain/map.h"

#include <glib.h>

#include "config/domain/domain.h"
#include "support/check_main.h"

static const struct {
	const char *what, *map, *from, *to; /* NULL: not of it */
} cases[] = {
	{"the same name", "a=b", "a", "b"},
	{"another", "a=b", "c", NULL},
	{"a longer one", "a=b", "ab", NULL},
	{"capital letters", "C:\\x=/y", "c:\\X", "/y"},
	{"any rest", "C:\\*=/i/*", "C:\\vm\\d.vhdx", "/i/vm/d.vhdx"},
	{"any rest that is dropped", "C:\\*=/i", "C:\\vm", "/i"},
	{"nothing as the rest", "C:\\*=/i/*", "C:\\", "/i/"},
	{"any at all", "*=/i/*", "x", "/i/x"},
	{"a shorter name", "C:\\vm\\*=/i/*", "C:\\", NULL},
	{"= in what it becomes", "a=b=c", "a", "b=c"},
};

START_TEST(a_name_is_mapped)
{
	const char *const maps[] = {cases[_i].map, NULL};
	const struct domain_options options = {.map_disk = maps};
	g_autofree char *got = domain_map_disk(&options, cases[_i].from);

	ck_assert_msg(!g_strcmp0(got, cases[_i].to), "%s: got %s",
		      cases[_i].what, got);
}
END_TEST

START_TEST(the_first_that_fits_counts)
{
	const char *const maps[] = {"b=1", "a*=2", "ab=3", NULL};
	const struct domain_options options = {.map_bridge = maps};
	g_autofree char *got = domain_map_bridge(&options, "ab");

	ck_assert_str_eq(got, "2");
	ck_assert_ptr_null(domain_map_disk(&options, "ab"));
}
END_TEST

START_TEST(paths_of_windows)
{
	ck_assert(domain_map_is_windows("C:\\a"));
	ck_assert(domain_map_is_windows("d:/a"));
	ck_assert(domain_map_is_windows("\\\\host\\share"));
	ck_assert(!domain_map_is_windows("/a"));
	ck_assert(!domain_map_is_windows("1"));
	ck_assert(!domain_map_is_windows(""));
	ck_assert(!domain_map_is_windows("C:"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("config/domain/map");
	TCase *t = tcase_create("map");

	tcase_add_loop_test(t, a_name_is_mapped, 0, G_N_ELEMENTS(cases));
	tcase_add_test(t, the_first_that_fits_counts);
	tcase_add_test(t, paths_of_windows);
	suite_add_tcase(s, t);
	return check_main(s);
}
