/* SPDX-License-Identifier: MIT */
#include "report/explain.h"

#include <string.h>

#include <json-c/json.h>

#include "report/report_file.h"
#include "support/check_main.h"

/* A report with the milestones up to @last reached, and these devices. */
static struct json_object *report(int last, const char *devices)
{
	struct json_object *root = json_object_new_object();
	struct json_object *list = json_object_new_array();

	for (int i = 0; i < N_MILESTONES; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "name",
				       json_object_new_string(milestone_name(
					       (enum milestone)i)));
		json_object_object_add(o, "reached",
				       json_object_new_boolean(i <= last));
		json_object_array_add(list, o);
	}
	json_object_object_add(root, "milestones", list);
	json_object_object_add(root, "profile",
			       json_object_new_string("ws2012"));
	json_object_object_add(root, "devices", json_tokener_parse(devices));
	return root;
}

#define CLOSED "{\"channel\": {\"opens\": 0}}"
#define OPENED "{\"channel\": {\"opens\": 1}}"

static const struct {
	int last;
	const char *devices;
	enum milestone which;
	const char *says;
} cases[] = {
	/* the first that is missing says why */
	{-1, "{}", MILESTONE_NETVSC_RX, "CONFIG_HYPERV"},
	{MILESTONE_STIMER, "{}", MILESTONE_STORVSC_IO, "hv_vmbus"},
	{MILESTONE_VMBUS_CONTACT, "{}", MILESTONE_KEYBOARD, "never asked"},
	/* of disks */
	{MILESTONE_VMBUS_OFFERS, "{}", MILESTONE_STORVSC_IO, "--disk"},
	{MILESTONE_VMBUS_OFFERS, "{\"scsi0\": " CLOSED "}",
	 MILESTONE_STORVSC_IO, "hv_storvsc"},
	{MILESTONE_VMBUS_OFFERS, "{\"ide0\": " CLOSED "}",
	 MILESTONE_STORVSC_OPEN, "hv_storvsc"},
	{MILESTONE_STORVSC_OPEN, "{\"scsi0\": " OPENED "}",
	 MILESTONE_STORVSC_IO, "sd_mod"},
	/* of cards */
	{MILESTONE_VMBUS_OFFERS, "{}", MILESTONE_NETVSC_RX, "--net"},
	{MILESTONE_STORVSC_IO, "{\"net0\": " CLOSED "}", MILESTONE_NETVSC_RX,
	 "hv_netvsc"},
	{MILESTONE_NETVSC_OPEN, "{\"net0\": " OPENED "}", MILESTONE_NETVSC_RX,
	 "ip link set"},
	{MILESTONE_NETVSC_LINK, "{\"net0\": " OPENED "}", MILESTONE_NETVSC_RX,
	 "other end"},
	/* of the rest */
	{MILESTONE_VMBUS_OFFERS, "{\"kvp\": " CLOSED "}", MILESTONE_IC_KVP,
	 "hv_utils"},
	{MILESTONE_VMBUS_OFFERS, "{\"kvp\": " OPENED "}", MILESTONE_IC_KVP,
	 "hv_kvp_daemon"},
	{MILESTONE_VMBUS_OFFERS, "{}", MILESTONE_IC_FCOPY,
	 "ws2012 has no such device"},
	{MILESTONE_VMBUS_OFFERS, "{}", MILESTONE_HVSOCK, "--hvsock"},
	{MILESTONE_VMBUS_OFFERS, "{\"hvsock\": " CLOSED "}", MILESTONE_HVSOCK,
	 "nobody connected"},
	{MILESTONE_VMBUS_OFFERS, "{}", MILESTONE_VPCI, "not implemented"},
	{MILESTONE_VMBUS_OFFERS, "{}", MILESTONE_POWEROFF, "power off"},
	{MILESTONE_VMBUS_OFFERS, "null", MILESTONE_MOUSE, "ws2012"},
};

START_TEST(what_is_missing_is_named)
{
	struct json_object *r = report(cases[_i].last, cases[_i].devices);
	g_autofree char *why = explain(r, cases[_i].which);

	ck_assert_msg(strstr(why, cases[_i].says) != NULL, "%s: '%s'",
		      cases[_i].says, why);
	json_object_put(r);
}
END_TEST

START_TEST(each_has_a_reason)
{
	struct json_object *r = report(-1, "{}");

	for (int i = 0; i < N_MILESTONES; i++) {
		g_autofree char *why = explain(r, (enum milestone)i);

		ck_assert_msg(why && *why && why[strlen(why) - 1] != '.', "%s",
			      milestone_name((enum milestone)i));
	}
	json_object_put(r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("explain");
	TCase *t = tcase_create("explain");

	tcase_add_loop_test(t, what_is_missing_is_named, 0,
			    (int)G_N_ELEMENTS(cases));
	tcase_add_test(t, each_has_a_reason);
	suite_add_tcase(s, t);
	return check_main(s);
}
