/* SPDX-License-Identifier: MIT */
/*
 * What is told of devices and memory, as clients hear it: a machine of which
 * only the memory and the events are there.
 */
#include "vm/devices/vm_hotplug.h"

#include <errno.h>
#include <string.h>

#include <json-c/json.h>

#include "mem/gmem.h"
#include "report/event.h"
#include "support/check_main.h"
#include "vm/dump/vm_dump.h"
#include "vm/vm_events.h"
#include "vm/vm_private.h"

#define MIB        (UINT64_C(1) << 20)
#define MEMORY_MIB 64u

static struct vm vm;
static GPtrArray *heard; /* "NAME DATA", in order */

static const struct event_row *row_of(const char *name)
{
	for (unsigned int i = 0; i < N_EVENTS; i++) {
		if (!strcmp(event_rows[i].name, name))
			return &event_rows[i];
	}
	ck_abort_msg("%s has no row", name);
}

static enum json_type type_of(const struct event_row *row, const char *key)
{
	static const enum json_type types[] = {
		[EVENT_TEXT] = json_type_string,
		[EVENT_NUMBER] = json_type_int,
		[EVENT_BOOL] = json_type_boolean,
		[EVENT_OBJECT] = json_type_object,
	};

	for (unsigned int i = 0; row->members[i].name; i++) {
		if (!strcmp(row->members[i].name, key))
			return types[row->members[i].type];
	}
	ck_abort_msg("%s has no %s in its row", row->name, key);
}

/* What the row describes is what is told. */
static void hear(void *ctx, const char *line)
{
	struct json_object *o = json_tokener_parse(line), *data;
	const char *name =
		json_object_get_string(json_object_object_get(o, "event"));
	const struct event_row *row = row_of(name);
	struct json_object_iterator at, end;

	(void)ctx;
	data = json_object_object_get(o, "data");
	end = json_object_iter_end(data);
	for (at = json_object_iter_begin(data);
	     !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
		ck_assert_int_eq(
			json_object_get_type(json_object_iter_peek_value(&at)),
			type_of(row, json_object_iter_peek_name(&at)));
	g_ptr_array_add(heard,
			g_strconcat(name, " ",
				    json_object_to_json_string_ext(
					    data, JSON_C_TO_STRING_PLAIN),
				    NULL));
	json_object_put(o);
}

static void setup(void)
{
	heard = g_ptr_array_new_with_free_func(g_free);
	vm = (struct vm){
		.mem = gmem_new(MEMORY_MIB * MIB, NULL),
		.events = vm_events_new(),
	};
	vm_events_listen(vm.events, hear, NULL);
}

static void teardown(void)
{
	vm_events_free(vm.events);
	gmem_free(vm.mem);
	g_ptr_array_free(heard, TRUE);
}

/* It was told so, and then nothing. */
static void heard_only(const char *want)
{
	vm_events_flush(vm.events);
	ck_assert_uint_eq(heard->len, 1);
	ck_assert_str_eq(heard->pdata[0], want);
	g_ptr_array_set_size(heard, 0);
}

static const struct {
	bool is_read;
	int err;
	const char *action, *told;
} failures[] = {
	{true, -EIO, "report",
	 "\"operation\":\"read\",\"action\":\"report\",\"nospace\":false,"
	 "\"reason\":\"Input\\/output error\"}"},
	{false, -EIO, "stop",
	 "\"operation\":\"write\",\"action\":\"stop\",\"nospace\":false,"
	 "\"reason\":\"Input\\/output error\"}"},
	{false, -ENOSPC, "stop",
	 "\"operation\":\"write\",\"action\":\"stop\",\"nospace\":true,"
	 "\"reason\":\"No space left on device\"}"},
	{false, -EDQUOT, "ignore",
	 "\"operation\":\"write\",\"action\":\"ignore\",\"nospace\":true,"
	 "\"reason\":\"Disk quota exceeded\"}"},
};

START_TEST(a_disk_that_fails)
{
	g_autofree char *want = g_strconcat(
		"BLOCK_IO_ERROR {\"device\":\"scsi0:1\",\"node-name\":"
		"\"n1\",",
		failures[_i].told, NULL);

	vm_tell_disk_failed(&vm, "scsi0:1", "n1", failures[_i].is_read,
			    failures[_i].err, failures[_i].action);
	heard_only(want);
}
END_TEST

START_TEST(a_device_that_is_gone)
{
	vm_tell_deleted(&vm, "scsi0:1", "d1");
	heard_only("DEVICE_DELETED {\"device\":\"d1\",\"path\":\"scsi0:1\"}");
	/* The user has not named it. */
	vm_tell_deleted(&vm, "net0", NULL);
	heard_only("DEVICE_DELETED {\"path\":\"net0\"}");
}
END_TEST

START_TEST(a_disc_that_moves)
{
	vm_tell_tray(&vm, "scsi0:2", "cd", true);
	heard_only("DEVICE_TRAY_MOVED {\"device\":\"scsi0:2\",\"id\":"
		   "\"cd\",\"tray-open\":true}");
	vm_tell_tray(&vm, "scsi0:2", NULL, false);
	heard_only("DEVICE_TRAY_MOVED {\"device\":\"scsi0:2\",\"id\":"
		   "\"scsi0:2\",\"tray-open\":false}");
}
END_TEST

/* A guest that does nothing holds a card up for two steps, no longer. */
static const struct {
	struct vm_nic_state state;
	enum vm_nic_step step;
} steps[] = {
	/* is open, has parted, is revoked */
	{{true, false, false, 0}, VM_NIC_WAIT},
	{{true, false, false, VM_NIC_LOOKS - 1}, VM_NIC_WAIT},
	{{true, false, false, VM_NIC_LOOKS}, VM_NIC_REVOKE},
	{{true, true, false, 0}, VM_NIC_REVOKE},
	{{true, true, true, 0}, VM_NIC_WAIT},
	{{true, false, true, VM_NIC_LOOKS - 1}, VM_NIC_WAIT},
	{{true, false, true, VM_NIC_LOOKS}, VM_NIC_REMOVE},
	{{false, true, false, 0}, VM_NIC_REMOVE},
	{{false, false, true, 7}, VM_NIC_REMOVE},
};

START_TEST(a_card_on_its_way_out)
{
	ck_assert_int_eq(vm_nic_step(&steps[_i].state), steps[_i].step);
}
END_TEST

START_TEST(memory_that_is_given_up)
{
	vm_tell_memory(&vm, 16 * MIB, 0);
	heard_only("BALLOON_CHANGE {\"actual\":50331648}");
	/* Nothing has changed. */
	vm_tell_memory(&vm, 16 * MIB, 0);
	vm_events_flush(vm.events);
	ck_assert_uint_eq(heard->len, 0);
	vm_tell_memory(&vm, 0, 0);
	heard_only("BALLOON_CHANGE {\"actual\":67108864}");
}
END_TEST

START_TEST(memory_that_is_added)
{
	vm_tell_memory(&vm, 0, 128 * MIB);
	heard_only("MEMORY_DEVICE_SIZE_CHANGE {\"id\":\"balloon\",\"size\":"
		   "134217728,\"qom-path\":\"balloon\"}");
	vm_tell_memory(&vm, 16 * MIB, 256 * MIB);
	vm_events_flush(vm.events);
	ck_assert_uint_eq(heard->len, 2);
}
END_TEST

START_TEST(a_dump_that_has_ended)
{
	GError *error = g_error_new(G_FILE_ERROR, 0, "no room");

	vm_dump_tell(&vm, NULL);
	heard_only("DUMP_COMPLETED {\"result\":{\"status\":\"completed\"}}");
	vm_dump_tell(&vm, error);
	heard_only("DUMP_COMPLETED {\"error\":\"no room\",\"result\":{"
		   "\"status\":\"failed\"}}");
	g_error_free(error);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vm/devices/vm_hotplug");
	TCase *t = tcase_create("vm_hotplug");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, a_disk_that_fails, 0, G_N_ELEMENTS(failures));
	tcase_add_test(t, a_device_that_is_gone);
	tcase_add_test(t, a_disc_that_moves);
	tcase_add_loop_test(t, a_card_on_its_way_out, 0, G_N_ELEMENTS(steps));
	tcase_add_test(t, memory_that_is_given_up);
	tcase_add_test(t, memory_that_is_added);
	tcase_add_test(t, a_dump_that_has_ended);
	suite_add_tcase(s, t);
	return check_main(s);
}
