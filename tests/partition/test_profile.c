/* SPDX-License-Identifier: MIT */
#include "partition/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "partition/features.h"
#include "support/check_main.h"

static char *text;
static size_t text_len;

static void teardown(void)
{
	free(text);
	text = NULL;
}

/* One profile, or the list. */
static void print(const struct profile *p)
{
	FILE *out = open_memstream(&text, &text_len);

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(p ? profile_print(p, out) : profile_list_print(out),
			 0);
	ck_assert_int_eq(fclose(out), 0);
}

START_TEST(six_of_them)
{
	static const char *const names[] = {"ws2012", "ws2012r2", "ws2016",
					    "ws2019", "ws2022",   "ws2025"};

	for (unsigned int i = 0; i < 6; i++) {
		ck_assert_str_eq(profile_at(i)->name, names[i]);
		ck_assert_ptr_eq(profile_find(names[i]), profile_at(i));
	}
	ck_assert_ptr_null(profile_at(6));
	ck_assert_ptr_null(profile_at(~0u));
	ck_assert_ptr_eq(profile_newest(), profile_find("ws2025"));
	ck_assert_ptr_eq(profile_newest(), profile_find(NULL));
	ck_assert_ptr_null(profile_find("ws2008"));
	ck_assert_ptr_null(profile_find(""));
	ck_assert_ptr_null(profile_find("WS2022"));
}
END_TEST

START_TEST(each_entry_has_a_source)
{
	const struct profile *p = profile_at((unsigned int)_i);

	for (unsigned int i = 0; i < PROFILE_N_FIELDS; i++)
		ck_assert_msg(p->sources[i] && *p->sources[i], "%s: field %u",
			      p->name, i);
}
END_TEST

START_TEST(later_ones_have_no_less)
{
	const struct profile *old = profile_at((unsigned int)_i);
	const struct profile *new = profile_at((unsigned int)_i + 1);

	ck_assert_uint_lt(old->build, new->build);
	ck_assert_uint_lt(old->vmbus_version, new->vmbus_version);
	ck_assert_uint_eq(old->features_eax & ~new->features_eax, 0);
	ck_assert_uint_le(old->max_vps, new->max_vps);
	ck_assert_uint_le(old->gpadl_mib, new->gpadl_mib);
	ck_assert_uint_le(old->max_leaf, new->max_leaf);
}
END_TEST

START_TEST(limits_that_changed)
{
	ck_assert_uint_eq(profile_find("ws2016")->gpadl_mib, 384);
	ck_assert_uint_eq(profile_find("ws2019")->gpadl_mib, 1280);
	ck_assert(profile_find("ws2019")->madt_possible_cpus);
	ck_assert(!profile_find("ws2022")->madt_possible_cpus);
	ck_assert_uint_eq(profile_find("ws2012")->vmbus_version, 0x20004);
	ck_assert_uint_eq(profile_find("ws2022")->vmbus_version, 0x50003);
	ck_assert_uint_eq(profile_vmbus(profile_find("ws2022"), 0), 0x50003);
	ck_assert_uint_eq(profile_vmbus(profile_find("ws2022"), 0x40000),
			  0x40000);
	ck_assert_uint_eq(profile_vmbus(profile_find("ws2012"), 0x40000),
			  0x20004);
}
END_TEST

START_TEST(list)
{
	unsigned int lines = 0;

	print(NULL);
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	ck_assert_uint_eq(lines, 6);
	ck_assert_ptr_nonnull(strstr(text, "ws2012r2"));
	ck_assert_ptr_nonnull(strstr(text, "Windows Server 2022"));
	ck_assert_ptr_nonnull(strstr(text, "20348"));
	/* one default, and it is the newest */
	ck_assert_ptr_nonnull(strstr(text, "(default)"));
	ck_assert_ptr_eq(strstr(text, "(default)"), strrchr(text, '('));
	ck_assert(strstr(text, "(default)") > strstr(text, "ws2025"));
}
END_TEST

/* Every bit of every word is a line, by its name. */
static void assert_word(enum feature_word word, uint32_t bits)
{
	for (unsigned int bit = 0; bit < 32; bit++) {
		const char *name = feature_name(word, bit);

		if (bits & 1u << bit && name)
			ck_assert_msg(strstr(text, name), "%s", name);
	}
}

START_TEST(everything_is_printed)
{
	const struct profile *p = profile_at((unsigned int)_i);

	print(p);
	ck_assert_ptr_nonnull(strstr(text, p->title));
	assert_word(FEATURE_EAX, p->features_eax);
	assert_word(FEATURE_EBX, p->features_ebx);
	assert_word(FEATURE_EDX, p->features_edx);
	assert_word(FEATURE_HINTS, p->hints_eax);
	assert_word(FEATURE_HARDWARE, p->hardware_eax);
	for (unsigned int i = 0; i < PROFILE_N_FIELDS; i++)
		ck_assert_msg(strstr(text, p->sources[i]), "%s", p->sources[i]);
}
END_TEST

static void assert_line(const char *name, const char *fate)
{
	const char *line = strstr(text, name);

	ck_assert_ptr_nonnull(line);
	line += strlen(name);
	line += strspn(line, " ");
	ck_assert_msg(!strncmp(line, fate, strlen(fate)), "%s: %.40s", name,
		      line);
}

START_TEST(what_becomes_of_a_bit)
{
	print(profile_find("ws2022"));
	assert_line("AccessSynicRegs", "offered\n");
	assert_line("AccessVSM", "not implemented\n");
	assert_line("StartVirtualProcessor", "not implemented\n");
	assert_line("AccessTscInvariantControls", "offered: where");
	assert_line("UseApicMsrs", "offered: in every profile, as");
	/* ours, not the profile's */
	assert_line("DeprecateAutoEoi", "offered: in every profile");
}
END_TEST

START_TEST(full_disk)
{
	FILE *out = fopen("/dev/full", "w");

	if (!out)
		return;
	setvbuf(out, NULL, _IONBF, 0);
	ck_assert_int_eq(profile_print(profile_newest(), out), -EIO);
	clearerr(out);
	ck_assert_int_eq(profile_list_print(out), -EIO);
	fclose(out);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("partition/profile");
	TCase *t = tcase_create("profile");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_test(t, six_of_them);
	tcase_add_loop_test(t, each_entry_has_a_source, 0, 6);
	tcase_add_loop_test(t, later_ones_have_no_less, 0, 5);
	tcase_add_test(t, limits_that_changed);
	tcase_add_test(t, list);
	tcase_add_loop_test(t, everything_is_printed, 0, 6);
	tcase_add_test(t, what_becomes_of_a_bit);
	tcase_add_test(t, full_disk);
	suite_add_tcase(s, t);
	return check_main(s);
}
