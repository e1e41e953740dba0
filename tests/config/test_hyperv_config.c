/* SPDX-License-Identifier: MIT */
#include "config/hyperv_config.h"

#include <string.h>

#include "config/machine_config.h"
#include "support/check_main.h"

#define BIT(name) HYPERV_BIT(HYPERV_##name)

static const struct {
	const char *text;
	enum hyperv_base base;
	uint32_t on, off, spinlocks;
	const char *vendor_id;
	bool incomplete;
} right[] = {
	{.text = "profile"},
	{.text = "all", .base = HYPERV_EVERYTHING},
	{.text = "none,vpindex,synic",
	 .base = HYPERV_NOTHING,
	 .on = BIT(VPINDEX) | BIT(SYNIC)},
	{.text = "-stimer-direct", .off = BIT(STIMER_DIRECT)},
	{.text = "-stimer,stimer", .on = BIT(STIMER)},
	{.text = "stimer,-stimer", .off = BIT(STIMER)},
	{.text = "spinlocks=8191", .on = BIT(SPINLOCKS), .spinlocks = 8191},
	{.text = "spinlocks=never",
	 .on = BIT(SPINLOCKS),
	 .spinlocks = HYPERV_SPINLOCKS_NEVER},
	{.text = "vendor-id=KVM Hv,-crash",
	 .vendor_id = "KVM Hv",
	 .off = BIT(CRASH)},
	{.text = "none,incomplete", .base = HYPERV_NOTHING, .incomplete = true},
};

START_TEST(each_can_be_said)
{
	struct hyperv_config h = {0};

	ck_assert_msg(!hyperv_config_parse(&h, right[_i].text, NULL), "%s",
		      right[_i].text);
	ck_assert_int_eq(h.base, right[_i].base);
	ck_assert_uint_eq(h.on, right[_i].on);
	ck_assert_uint_eq(h.off, right[_i].off);
	ck_assert_uint_eq(h.spinlocks, right[_i].spinlocks);
	ck_assert_pstr_eq(h.vendor_id, right[_i].vendor_id);
	ck_assert(h.incomplete == right[_i].incomplete);
	ck_assert_int_eq(hyperv_config_check(&h, NULL), 0);
	hyperv_config_clear(&h);
}
END_TEST

static const struct {
	const char *text, *said;
} wrong[] = {
	{"warp", "warp"},
	{"-warp", "-warp"},
	{"", "no such"},
	{"spinlocks=4094", "4095"},
	{"spinlocks=x", "spinlocks=x"},
	{"vendor-id=", "1 to 12"},
	{"vendor-id=thirteen chars", "thirteen"},
	{"evmcs", "nested"},
	{"tlbflush-direct", "nested"},
	{"emsr-bitmap", "nested"},
	/* what another one wants */
	{"-vpindex,incomplete,synic", "synic wants vpindex"},
	{"-synic,incomplete,stimer", "stimer wants synic"},
	{"-clock,stimer", "stimer wants clock"},
	{"-stimer,stimer-direct", "stimer-direct wants stimer"},
	{"none,vpindex,synic,stimer", "stimer wants clock"},
	{"none,incomplete,ipi", "ipi wants vpindex"},
	{"none,incomplete,tlbflush", "tlbflush wants vpindex"},
	{"none,vpindex,synic,tlbflush-extended", "wants tlbflush"},
	/* what guests want */
	{"none", "vpindex"},
	{"none,vpindex", "synic"},
	{"-synic", "synic"},
};

START_TEST(what_is_wrong_is_named)
{
	g_autoptr(GError) error = NULL;
	struct hyperv_config h = {0};

	ck_assert_msg(hyperv_config_parse(&h, wrong[_i].text, &error) ||
			      hyperv_config_check(&h, &error),
		      "%s", wrong[_i].text);
	ck_assert(error->domain == CONFIG_ERROR);
	ck_assert_msg(strstr(error->message, wrong[_i].said) != NULL,
		      "%s: said '%s'", wrong[_i].text, error->message);
	hyperv_config_clear(&h);
}
END_TEST

START_TEST(what_is_needed_takes_others_with_it)
{
	static const struct {
		const char *text;
		uint32_t has, has_not;
	} sets[] = {
		{"-stimer", BIT(SYNIC) | BIT(CLOCK),
		 BIT(STIMER) | BIT(STIMER_DIRECT)},
		{"-clock", BIT(SYNIC), BIT(STIMER) | BIT(STIMER_DIRECT)},
		{"-vpindex", BIT(CLOCK) | BIT(RESET),
		 BIT(SYNIC) | BIT(STIMER) | BIT(STIMER_DIRECT) | BIT(IPI) |
			 BIT(TLBFLUSH) | BIT(TLBFLUSH_EXTENDED)},
		{"all", BIT(VAPIC), BIT(EVMCS) | BIT(TLBFLUSH_DIRECT)},
		{"none,relaxed", BIT(RELAXED), ~BIT(RELAXED)},
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(sets); i++) {
		struct hyperv_config h = {0};
		uint32_t set;

		ck_assert_int_eq(hyperv_config_parse(&h, sets[i].text, NULL),
				 0);
		set = hyperv_config_features(&h);
		ck_assert_msg((set & sets[i].has) == sets[i].has, "%s",
			      sets[i].text);
		ck_assert_msg(!(set & sets[i].has_not), "%s", sets[i].text);
		hyperv_config_clear(&h);
	}
}
END_TEST

START_TEST(names_go_both_ways)
{
	for (int i = 0; i < HYPERV_N_FEATURES; i++)
		ck_assert_int_eq(hyperv_feature_find(hyperv_feature_name(
					 (enum hyperv_feature)i)),
				 i);
	ck_assert_int_eq(hyperv_feature_find("hyperv"), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("config/hyperv_config");
	TCase *t = tcase_create("hyperv");

	tcase_add_loop_test(t, each_can_be_said, 0, (int)G_N_ELEMENTS(right));
	tcase_add_loop_test(t, what_is_wrong_is_named, 0,
			    (int)G_N_ELEMENTS(wrong));
	tcase_add_test(t, what_is_needed_takes_others_with_it);
	tcase_add_test(t, names_go_both_ways);
	suite_add_tcase(s, t);
	return check_main(s);
}
