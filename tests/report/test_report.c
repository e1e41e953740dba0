/* SPDX-License-Identifier: MIT */
#include "report/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "report/summary.h"
#include "support/check_main.h"

START_TEST(guest_names)
{
	static const struct {
		uint64_t id;
		const char *name;
	} ids[] = {
		{0, "none"},
		/* Linux 6.1.192: drivers/hv: hv_generate_guest_id() */
		{0x8100000000000000ull | 0x0601C0ull << 16, "Linux 6.1.192"},
		{0x8200000000000000ull | 1400097ull << 16, "FreeBSD 1400097"},
		/* Windows NT 10.0 build 20348 */
		{0x0001040A00004F7Cull, "Windows NT 10.0 build 20348"},
		{0x8500000000000000ull, "open source system of type 5"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
		g_autofree char *name = report_guest_name(ids[i].id);

		ck_assert_str_eq(name, ids[i].name);
	}
}
END_TEST

START_TEST(milestones_keep_the_first_time)
{
	struct milestones m;
	uint64_t first;

	milestones_init(&m);
	ck_assert(!milestone_reached(&m, MILESTONE_STIMER));
	milestone_reach(&m, MILESTONE_STIMER);
	first = m.reached_ns[MILESTONE_STIMER];
	milestone_reach(&m, MILESTONE_STIMER);
	ck_assert_uint_eq(m.reached_ns[MILESTONE_STIMER], first);
	ck_assert_int_eq(milestone_find("stimer"), MILESTONE_STIMER);
	ck_assert_int_eq(milestone_find("warp"), -ENOENT);
	ck_assert_int_eq(milestone_find(""), -ENOENT);
}
END_TEST

static const char *string_at(struct json_object *root, const char *path)
{
	struct json_object *o = NULL;

	ck_assert_msg(!json_pointer_get(root, path, &o), "%s", path);
	return json_object_get_string(o);
}

START_TEST(the_file_says_what_happened)
{
	struct outcome outcome = {
		.kind = OUTCOME_PANIC,
		.exit_code = EXIT_PANIC,
		.crashed = true,
		.crash = {1, 2, 3, 4, 0xFFFFFFFFFFFFFFFFull},
		.crash_message = g_strdup("Oops: \"quoted\"\n"),
	};
	struct coverage_set *calls = coverage_new("hypercalls", 2);
	struct report_count exits[] = {{"io", 7}, {"mmio", 0}};
	struct report r = {
		.outcome = &outcome,
		.kvm_kind = "kvm_test",
		.profile = "ws2022",
		.hypercalls = calls,
		.exits = exits,
		.n_exits = 2,
	};
	struct milestones m;
	struct json_object *root, *o;
	char path[] = "/tmp/kvmbus-report-XXXXXX";
	int fd = g_mkstemp(path);

	milestones_init(&m);
	milestone_reach(&m, MILESTONE_SYNIC);
	r.milestones = &m;
	calls->entries[0].name = "HvCallSignalEvent";
	calls->entries[0].number = 0x5D;
	coverage_hit(&calls->entries[0]);
	coverage_status(&calls->entries[0], 0x12);
	ck_assert_int_eq(report_write(&r, path, NULL), 0);
	root = json_object_from_fd(fd);
	/* The file was replaced, not written into. */
	ck_assert_ptr_null(root);
	root = json_object_from_file(path);
	ck_assert_ptr_nonnull(root);
	ck_assert_str_eq(string_at(root, "/outcome/kind"), "panic");
	ck_assert_str_eq(string_at(root, "/outcome/exit_code"), "34");
	ck_assert_str_eq(string_at(root, "/outcome/crash/p4"),
			 "0xffffffffffffffff");
	ck_assert_str_eq(string_at(root, "/outcome/crash/message"),
			 "Oops: \"quoted\"\n");
	ck_assert_str_eq(string_at(root, "/hypercalls/0/statuses/0x0012"), "1");
	ck_assert_str_eq(string_at(root, "/exits/io"), "7");
	ck_assert_int_ne(json_pointer_get(root, "/exits/mmio", &o), 0);
	/* Rows that the guest never used are left out. */
	ck_assert_int_ne(json_pointer_get(root, "/hypercalls/1", &o), 0);
	ck_assert_str_eq(string_at(root, "/milestones/3/name"), "synic");
	ck_assert_str_eq(string_at(root, "/milestones/3/reached"), "true");
	json_object_put(root);
	coverage_free(calls);
	outcome_clear(&outcome);
	remove(path);
	close(fd);
}
END_TEST

/* What @report says, parsed; free with json_object_put(). */
static struct json_object *written(const struct report *report)
{
	char path[] = "/tmp/kvmbus-report-XXXXXX";
	int fd = g_mkstemp(path);
	struct json_object *root;

	ck_assert_int_eq(report_write(report, path, NULL), 0);
	root = json_object_from_file(path);
	ck_assert_ptr_nonnull(root);
	remove(path);
	close(fd);
	return root;
}

/* ... and the summary of it; owned. */
static char *summary_of(const struct report *report)
{
	const struct summary_style style = {.columns = 120};
	struct json_object *root;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	root = report_make(report);
	summary_print(root, &style, out);
	json_object_put(root);
	fclose(out);
	return text;
}

START_TEST(the_bus_has_a_section)
{
	struct outcome outcome = {.kind = OUTCOME_POWEROFF};
	struct coverage_set *messages = coverage_new("messages", 2);
	struct report_vmbus v = {
		.version = 5 << 16 | 3,
		.features = 0x2D,
		.message_vp = 1,
		.max_version = 6 << 16,
		.connected = true,
		.messages = messages,
		.contacts = 2,
		.ignored = 3,
		.n_relids = 3,
		.n_gpadls = 4,
		.gpadl_bytes = 5 << 20,
		.gpadl_bytes_max = 384 << 20,
	};
	struct milestones m;
	struct report r = {.outcome = &outcome, .milestones = &m, .vmbus = &v};
	struct json_object *root, *o;
	char *summary;

	milestones_init(&m);
	messages->entries[1].name = "Unload";
	messages->entries[1].number = 16;
	coverage_hit(&messages->entries[1]);
	coverage_refuse(&messages->entries[1]);
	root = written(&r);
	ck_assert_str_eq(string_at(root, "/vmbus/version"), "5.3");
	ck_assert_str_eq(string_at(root, "/vmbus/newest_version"), "6.0");
	ck_assert_str_eq(string_at(root, "/vmbus/features"), "0x2d");
	ck_assert_str_eq(string_at(root, "/vmbus/connected"), "true");
	ck_assert_str_eq(string_at(root, "/vmbus/contacts"), "2");
	ck_assert_str_eq(string_at(root, "/vmbus/relids"), "3");
	ck_assert_str_eq(string_at(root, "/vmbus/gpadls/count"), "4");
	ck_assert_str_eq(string_at(root, "/vmbus/messages/0/name"), "Unload");
	ck_assert_str_eq(string_at(root, "/vmbus/messages/0/refused"), "1");
	ck_assert(json_pointer_get(root, "/vmbus/messages/0/statuses", &o));
	json_object_put(root);
	summary = summary_of(&r);
	ck_assert_ptr_nonnull(
		strstr(summary, "vmbus       version 5.3 of 6.0, connected, "
				"0 channels offered, 4 GPADLs of 5120 KiB"));
	ck_assert_ptr_nonnull(
		strstr(summary, "3 messages against the protocol"));
	ck_assert_ptr_nonnull(
		strstr(summary, "messages    Unload 1 (1 refused)"));
	free(summary);
	coverage_free(messages);
}
END_TEST

START_TEST(devices_have_their_own_members)
{
	struct outcome outcome = {.kind = OUTCOME_POWEROFF};
	struct report_fact facts[] = {{"version", "3.2", 0},
				      {"beats", NULL, 7}};
	struct report_fact channel[] = {{"relid", NULL, 5}};
	struct report_device devices[] = {
		{.name = "keyboard",
		 .instance = "d34b2567-b9b6-42b9-8778-0a4ec0b955bf",
		 .facts = facts,
		 .n_facts = 2,
		 .channel = channel,
		 .n_channel = 1},
		{.name = "hvsock"},
	};
	struct milestones m;
	struct report r = {.outcome = &outcome,
			   .milestones = &m,
			   .devices = devices,
			   .n_devices = 2};
	struct json_object *root, *o;

	milestones_init(&m);
	root = written(&r);
	ck_assert_str_eq(string_at(root, "/devices/keyboard/instance"),
			 "d34b2567-b9b6-42b9-8778-0a4ec0b955bf");
	ck_assert_str_eq(string_at(root, "/devices/keyboard/version"), "3.2");
	ck_assert_str_eq(string_at(root, "/devices/keyboard/beats"), "7");
	ck_assert_str_eq(string_at(root, "/devices/keyboard/channel/relid"),
			 "5");
	ck_assert(json_pointer_get(root, "/devices/hvsock/channel", &o));
	json_object_put(root);
}
END_TEST

START_TEST(a_bus_that_nobody_used)
{
	struct outcome outcome = {.kind = OUTCOME_POWEROFF};
	struct report_vmbus v = {.max_version = 2 << 16 | 4};
	struct milestones m;
	struct report r = {.outcome = &outcome, .milestones = &m, .vmbus = &v};
	struct json_object *root;
	char *summary;

	milestones_init(&m);
	root = written(&r);
	ck_assert_ptr_null(string_at(root, "/vmbus/version"));
	ck_assert_str_eq(string_at(root, "/vmbus/newest_version"), "2.4");
	ck_assert_str_eq(string_at(root, "/vmbus/connected"), "false");
	json_object_put(root);
	summary = summary_of(&r);
	ck_assert_ptr_nonnull(strstr(summary, "vmbus       none\n"));
	free(summary);
}
END_TEST

START_TEST(bytes_of_the_guest_are_made_text)
{
	struct outcome outcome = {.kind = OUTCOME_PANIC, .crashed = true};
	struct coverage_set *calls = coverage_new("hypercalls", 1);
	struct milestones m;
	struct report r = {.outcome = &outcome,
			   .milestones = &m,
			   .hypercalls = calls,
			   .console_tail = "\xA4 tail \xFF\x1B[0m"};
	g_autofree char *path = NULL, *text = NULL;
	int fd = g_file_open_tmp("kvmbus-report-XXXXXX", &path, NULL);

	outcome.crash_message = g_strdup("half a \xE2\x82");
	milestones_init(&m);
	ck_assert_int_eq(report_write(&r, path, NULL), 0);
	ck_assert(g_file_get_contents(path, &text, NULL, NULL));
	ck_assert(g_utf8_validate(text, -1, NULL));
	ck_assert_ptr_nonnull(strstr(text, "half a \xEF\xBF\xBD"));
	ck_assert_ptr_nonnull(strstr(text, " tail \xEF\xBF\xBD\\u001b[0m"));
	close(fd);
	unlink(path);
	outcome_clear(&outcome);
	coverage_free(calls);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_an_error)
{
	struct outcome outcome = {.kind = OUTCOME_POWEROFF};
	struct milestones m;
	struct report r = {.outcome = &outcome, .milestones = &m};
	GError *error = NULL;

	milestones_init(&m);
	ck_assert_int_eq(report_write(&r, "/nonexistent/r.json", &error), -1);
	ck_assert_ptr_nonnull(strstr(error->message, "/nonexistent/r.json"));
	g_error_free(error);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("report/report");
	TCase *t = tcase_create("report");

	tcase_add_test(t, guest_names);
	tcase_add_test(t, milestones_keep_the_first_time);
	tcase_add_test(t, the_file_says_what_happened);
	tcase_add_test(t, the_bus_has_a_section);
	tcase_add_test(t, devices_have_their_own_members);
	tcase_add_test(t, a_bus_that_nobody_used);
	tcase_add_test(t, bytes_of_the_guest_are_made_text);
	tcase_add_test(t, a_file_that_cannot_be_written_is_an_error);
	suite_add_tcase(s, t);
	return check_main(s);
}
