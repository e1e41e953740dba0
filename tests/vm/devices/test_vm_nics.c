/* SPDX-License-Identifier: MIT */
/* Network cards that are added: where, and what of those for which it fails. */
#include "vm/devices/vm_nics.h"

#include <sys/socket.h>
#include <unistd.h>

#include "config/machine_config.h"
#include "config/net_config.h"
#include "support/check_main.h"

static struct machine_config *config;
static struct vm_nics *nics;
static unsigned int n_asked, n_refused;

static void setup(void)
{
	config = machine_config_new();
	nics = vm_nics_new(config, NULL);
	ck_assert_ptr_nonnull(nics);
	n_asked = n_refused = 0;
}

static void teardown(void)
{
	vm_nics_free(nics);
	machine_config_free(config);
}

/* The guest still has what was at the first @n_refused places. */
static int attach(void *ctx, unsigned int n, GError **error)
{
	(void)ctx;
	(void)n;
	if (n_asked++ >= n_refused)
		return 0;
	g_set_error(error, CONFIG_ERROR, 0, "not there yet");
	return -1;
}

START_TEST(places_are_taken_in_turn)
{
	ck_assert_int_eq(vm_nics_add(nics, "null", attach, NULL, NULL), 0);
	ck_assert_int_eq(vm_nics_add(nics, "null", attach, NULL, NULL), 1);
	vm_nics_remove(nics, 0);
	ck_assert_int_eq(vm_nics_add(nics, "null", attach, NULL, NULL), 2);
}
END_TEST

START_TEST(a_place_that_the_guest_still_has_is_left_out)
{
	n_refused = 3;
	ck_assert_int_eq(vm_nics_add(nics, "null", attach, NULL, NULL), 3);
	ck_assert_uint_eq(n_asked, 4);
}
END_TEST

START_TEST(none_is_left_of_all_that_fail)
{
	GError *error = NULL;

	n_refused = CONFIG_NETS_MAX;
	ck_assert_int_eq(vm_nics_add(nics, "null", attach, NULL, &error), -1);
	ck_assert_str_eq(error->message, "not there yet");
	ck_assert_uint_eq(n_asked, CONFIG_NETS_MAX);
	g_error_free(error);
}
END_TEST

/* By then the number may be of another file. */
START_TEST(descriptors_are_used_once)
{
	g_autofree char *text = NULL;
	GError *error = NULL;
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	text = g_strdup_printf("socket,fd=%d", ends[0]);
	n_refused = 1;
	ck_assert_int_eq(vm_nics_add(nics, text, attach, NULL, &error), -1);
	ck_assert_str_eq(error->message, "not there yet");
	ck_assert_uint_eq(n_asked, 1);
	g_error_free(error);
	close(ends[1]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vm/devices/vm_nics");
	TCase *t = tcase_create("added");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, places_are_taken_in_turn);
	tcase_add_test(t, a_place_that_the_guest_still_has_is_left_out);
	tcase_add_test(t, none_is_left_of_all_that_fail);
	tcase_add_test(t, descriptors_are_used_once);
	suite_add_tcase(s, t);
	return check_main(s);
}
