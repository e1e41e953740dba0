/* SPDX-License-Identifier: MIT */
#include "base/guid.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "support/check_main.h"

START_TEST(the_first_three_fields_are_little_endian)
{
	static const struct guid nic = HV_NIC_GUID;
	static const uint8_t wire[16] = {0x63, 0x51, 0x61, 0xf8, 0x3e, 0xdf,
					 0xc5, 0x46, 0x91, 0x3f, 0xf2, 0xd2,
					 0xf9, 0x65, 0xed, 0x0e};
	char text[GUID_TEXT_SIZE];

	ck_assert_mem_eq(nic.b, wire, sizeof(wire));
	ck_assert_str_eq(guid_print(&nic, text),
			 "f8615163-df3e-46c5-913f-f2d2f965ed0e");
}
END_TEST

static const struct {
	const char *what;
	const char *text;
	int err;
} texts[] = {
	{"plain", "f8615163-df3e-46c5-913f-f2d2f965ed0e", 0},
	{"upper case", "F8615163-DF3E-46C5-913F-F2D2F965ED0E", 0},
	{"braces", "{f8615163-df3e-46c5-913f-f2d2f965ed0e}", 0},
	{"empty", "", -EINVAL},
	{"one brace", "{f8615163-df3e-46c5-913f-f2d2f965ed0e", -EINVAL},
	{"too short", "f8615163-df3e-46c5-913f-f2d2f965ed0", -EINVAL},
	{"too long", "f8615163-df3e-46c5-913f-f2d2f965ed0e0", -EINVAL},
	{"not a digit", "g8615163-df3e-46c5-913f-f2d2f965ed0e", -EINVAL},
	{"not a second digit", "fg615163-df3e-46c5-913f-f2d2f965ed0e", -EINVAL},
	{"hyphens elsewhere", "f861516-3df3e-46c5-913f-f2d2f965ed0e", -EINVAL},
	{"spaces", "f8615163 df3e 46c5 913f f2d2f965ed0e", -EINVAL},
};

START_TEST(parse)
{
	static const struct guid nic = HV_NIC_GUID;
	struct guid guid = {{0}};

	ck_assert_msg(guid_parse(texts[_i].text, &guid) == texts[_i].err, "%s",
		      texts[_i].what);
	if (texts[_i].err)
		ck_assert_msg(guid_is_null(&guid), "%s", texts[_i].what);
	else
		ck_assert_msg(guid_equal(&guid, &nic), "%s", texts[_i].what);
}
END_TEST

START_TEST(every_class_is_different)
{
	static const struct guid all[] = {
		HV_NIC_GUID,
		HV_IDE_GUID,
		HV_SCSI_GUID,
		HV_SYNTHFC_GUID,
		HV_PCIE_GUID,
		HV_ND_GUID,
		HV_SHUTDOWN_GUID,
		HV_TS_GUID,
		HV_HEART_BEAT_GUID,
		HV_KVP_GUID,
		HV_VSS_GUID,
		HV_FCOPY_GUID,
		HV_DM_GUID,
		HV_MOUSE_GUID,
		HV_KBD_GUID,
		HV_SYNTHVID_GUID,
		HV_SOCK_TEMPLATE_GUID,
		HV_SHUTDOWN_INSTANCE_GUID,
		HV_TS_INSTANCE_GUID,
		HV_HEART_BEAT_INSTANCE_GUID,
		HV_KVP_INSTANCE_GUID,
		HV_VSS_INSTANCE_GUID,
		HV_FCOPY_INSTANCE_GUID,
		HV_DM_INSTANCE_GUID,
		HV_MOUSE_INSTANCE_GUID,
		HV_KBD_INSTANCE_GUID,
		HV_SYNTHVID_INSTANCE_GUID,
	};

	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		ck_assert(!guid_is_null(&all[i]));
		for (size_t k = 0; k < i; k++)
			ck_assert(!guid_equal(&all[i], &all[k]));
	}
}
END_TEST

START_TEST(derived_ones_are_version_5)
{
	struct guid dns, made;
	char text[GUID_TEXT_SIZE];

	/* RFC 4122 "Appendix C"; python3 uuid.uuid5(NAMESPACE_DNS, ...) */
	guid_parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8", &dns);
	made = guid_derive(&dns, "python.org");
	ck_assert_str_eq(guid_print(&made, text),
			 "886313e1-3b8a-5372-9b90-0c9aee199e5d");
	made = guid_derive(&dns, "");
	ck_assert_str_eq(guid_print(&made, text),
			 "4ebd0208-8328-5d69-8c44-ec50939c0967");
}
END_TEST

START_TEST(compare_orders_them)
{
	static const struct guid nic = HV_NIC_GUID, ide = HV_IDE_GUID;

	ck_assert_int_eq(guid_compare(&nic, &nic), 0);
	ck_assert_int_eq(guid_compare(&nic, &ide) > 0,
			 guid_compare(&ide, &nic) < 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base/guid");
	TCase *t = tcase_create("guid");

	tcase_add_test(t, the_first_three_fields_are_little_endian);
	tcase_add_loop_test(t, parse, 0, G_N_ELEMENTS(texts));
	tcase_add_test(t, every_class_is_different);
	tcase_add_test(t, derived_ones_are_version_5);
	tcase_add_test(t, compare_orders_them);
	suite_add_tcase(s, t);
	return check_main(s);
}
