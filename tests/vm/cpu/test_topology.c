/* SPDX-License-Identifier: MIT */
#include "vm/cpu/topology.h"

#include <glib.h>

#include "support/check_main.h"

static const struct {
	unsigned int sockets, dies, cores, threads;
	unsigned int core_shift, die_shift, package_shift;
	uint32_t ids[8]; /* of the first processors; 0 behind the last */
} rows[] = {
	{1, 1, 8, 1, 0, 3, 3, {0, 1, 2, 3, 4, 5, 6, 7}},
	{1, 1, 1, 1, 0, 0, 0, {0}},
	{2, 1, 2, 2, 1, 2, 2, {0, 1, 2, 3, 4, 5, 6, 7}},
	{2, 1, 3, 1, 0, 2, 2, {0, 1, 2, 4, 5, 6}},
	{1, 1, 2, 3, 2, 3, 3, {0, 1, 2, 4, 5, 6}},
	{2, 2, 1, 2, 1, 1, 2, {0, 1, 2, 3, 4, 5, 6, 7}},
	{1, 3, 1, 1, 0, 0, 2, {0, 1, 2}},
	{2, 3, 1, 1, 0, 0, 2, {0, 1, 2, 4, 5, 6}},
};

START_TEST(ids_have_a_field_for_each)
{
	struct topology t;
	unsigned int n;

	topology_init(&t, rows[_i].sockets, rows[_i].dies, rows[_i].cores,
		      rows[_i].threads);
	n = t.sockets * topology_package_threads(&t);
	ck_assert_uint_eq(t.core_shift, rows[_i].core_shift);
	ck_assert_uint_eq(t.die_shift, rows[_i].die_shift);
	ck_assert_uint_eq(t.package_shift, rows[_i].package_shift);
	for (unsigned int vp = 0; vp < n; vp++)
		ck_assert_uint_eq(topology_apic_id(&t, vp), rows[_i].ids[vp]);
}
END_TEST

/* Every id is of one processor, or of none. */
START_TEST(ids_go_both_ways)
{
	struct topology t;
	unsigned int n, found = 0;

	topology_init(&t, rows[_i].sockets, rows[_i].dies, rows[_i].cores,
		      rows[_i].threads);
	n = t.sockets * topology_package_threads(&t);
	for (uint32_t id = 0; id < 64; id++) {
		int vp = topology_vp(&t, id);

		if (vp < 0)
			continue;
		found++;
		ck_assert_uint_eq(topology_apic_id(&t, (unsigned int)vp), id);
	}
	ck_assert_uint_eq(found, n);
	ck_assert_int_eq(topology_vp(&t, UINT32_MAX), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vm/cpu/topology");
	TCase *t = tcase_create("topology");

	tcase_add_loop_test(t, ids_have_a_field_for_each, 0,
			    (int)G_N_ELEMENTS(rows));
	tcase_add_loop_test(t, ids_go_both_ways, 0, (int)G_N_ELEMENTS(rows));
	suite_add_tcase(s, t);
	return check_main(s);
}
