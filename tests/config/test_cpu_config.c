/* SPDX-License-Identifier: MIT */
#include "config/cpu_config.h"

#include <string.h>

#include "config/machine_config.h"
#include "support/check_main.h"

static const struct {
	const char *name;
	uint32_t leaf, subleaf;
	enum cpuid_register reg;
	unsigned int bit;
} known[] = {
	{"cx16", 1, 0, CPUID_ECX, 13},
	{"x2apic", 1, 0, CPUID_ECX, 21},
	{"pclmuldq", 1, 0, CPUID_ECX, 1},
	{"htt", 0, 0, CPUID_EAX, 0}, /* of no table: "ht" is */
	{"ht", 1, 0, CPUID_EDX, 28},
	{"avx512f", 7, 0, CPUID_EBX, 16},
	{"la57", 7, 0, CPUID_ECX, 16},
	{"md-clear", 7, 0, CPUID_EDX, 10},
	{"avx-vnni", 7, 1, CPUID_EAX, 4},
	{"xsavec", 0xD, 1, CPUID_EAX, 1},
	{"nx", 0x80000001, 0, CPUID_EDX, 20},
	{"lahf_lm", 0x80000001, 0, CPUID_ECX, 0},
	{"sse4_2", 1, 0, CPUID_ECX, 20},
	{"sse4.2", 1, 0, CPUID_ECX, 20},
	{"invtsc", 0x80000007, 0, CPUID_EDX, 8},
	{"ibpb", 0x80000008, 0, CPUID_EBX, 12},
	{"npt", 0x8000000A, 0, CPUID_EDX, 0},
};

START_TEST(a_name_is_a_bit)
{
	const struct cpu_feature *f = cpu_feature_find(known[_i].name);

	if (!known[_i].leaf) {
		ck_assert_ptr_null(f);
		return;
	}
	ck_assert_msg(f != NULL, "%s", known[_i].name);
	ck_assert_uint_eq(f->leaf, known[_i].leaf);
	ck_assert_uint_eq(f->subleaf, known[_i].subleaf);
	ck_assert_int_eq(f->reg, known[_i].reg);
	ck_assert_uint_eq(f->bit, known[_i].bit);
}
END_TEST

START_TEST(rows_ascend_and_names_are_unique)
{
	const struct cpu_feature *f;

	for (unsigned int i = 0; (f = cpu_feature_at(i)); i++) {
		const struct cpu_feature *next = cpu_feature_at(i + 1);

		ck_assert_ptr_eq(cpu_feature_find(f->name), f);
		ck_assert_uint_lt(f->bit, 32);
		ck_assert(f->leaf);
		if (next && next->leaf == f->leaf &&
		    next->subleaf == f->subleaf && next->reg == f->reg)
			ck_assert_uint_le(f->bit, next->bit);
	}
}
END_TEST

START_TEST(the_last_choice_counts)
{
	g_autoptr(GError) error = NULL;
	struct cpu_config cpu;
	const struct cpu_choice *c;

	cpu_config_init(&cpu);
	ck_assert_int_eq(cpu_config_choose(&cpu, "lahf-lm", true, NULL), 0);
	ck_assert_int_eq(cpu_config_choose(&cpu, "cx16", true, NULL), 0);
	ck_assert_int_eq(cpu_config_choose(&cpu, "lahf_lm", false, NULL), 0);
	ck_assert_uint_eq(cpu.choices->len, 2);
	c = &g_array_index(cpu.choices, struct cpu_choice, 0);
	ck_assert_str_eq(c->feature->name, "lahf-lm");
	ck_assert(!c->on);
	ck_assert_int_eq(cpu_config_choose(&cpu, "warp", true, &error), -1);
	ck_assert(error->domain == CONFIG_ERROR);
	ck_assert_ptr_nonnull(strstr(error->message, "warp"));
	cpu_config_clear(&cpu);
}
END_TEST

static const struct {
	unsigned int sockets, dies, cores, threads, phys_bits, vcpus;
	bool can_be;
} machines[] = {
	{0, 0, 0, 0, 0, 7, true},     {1, 1, 2, 2, 0, 4, true},
	{2, 1, 2, 2, 0, 7, true}, /* one is not there */
	{2, 1, 2, 2, 0, 9, false},    {2, 0, 2, 2, 0, 4, false},
	{1, 1, 1, 1025, 0, 4, false}, {32, 2, 32, 1, 0, 4, false},
	{32, 1, 32, 1, 0, 4, true},   {0, 0, 0, 0, 36, 1, true},
	{0, 0, 0, 0, 35, 1, false},   {0, 0, 0, 0, 52, 1, true},
	{0, 0, 0, 0, 53, 1, false},   {1, 0, 0, 0, 0, 1, false},
};

START_TEST(what_can_be)
{
	g_autoptr(GError) error = NULL;
	struct cpu_config cpu = {
		.sockets = machines[_i].sockets,
		.dies = machines[_i].dies,
		.cores = machines[_i].cores,
		.threads = machines[_i].threads,
		.phys_bits = machines[_i].phys_bits,
	};
	int err = cpu_config_check(&cpu, machines[_i].vcpus, &error);

	ck_assert_int_eq(err, machines[_i].can_be ? 0 : -1);
	ck_assert(!error == machines[_i].can_be);
}
END_TEST

START_TEST(one_package_by_default)
{
	struct cpu_config t = cpu_config_topology(&(struct cpu_config){0}, 6);

	ck_assert_uint_eq(t.sockets, 1);
	ck_assert_uint_eq(t.dies, 1);
	ck_assert_uint_eq(t.cores, 6);
	ck_assert_uint_eq(t.threads, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("config/cpu_config");
	TCase *t = tcase_create("cpu");

	tcase_add_loop_test(t, a_name_is_a_bit, 0, (int)G_N_ELEMENTS(known));
	tcase_add_test(t, rows_ascend_and_names_are_unique);
	tcase_add_test(t, the_last_choice_counts);
	tcase_add_loop_test(t, what_can_be, 0, (int)G_N_ELEMENTS(machines));
	tcase_add_test(t, one_package_by_default);
	suite_add_tcase(s, t);
	return check_main(s);
}
