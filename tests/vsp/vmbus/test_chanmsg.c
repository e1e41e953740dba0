/* SPDX-License-Identifier: MIT */
#include "vsp/vmbus/chanmsg.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "base/coverage.h"
#include "support/check_main.h"

#define ALL_FEATURES 0xFFu
#define NEWEST       VERSION_WIN10_V6_0

/* What the protocol says, written down once more. */
static const struct {
	uint32_t number;
	bool from_guest;
	uint16_t size;
	uint32_t since;
} messages[] = {
	{1, false, 196, VERSION_WIN7},
	{2, false, 12, VERSION_WIN7},
	{3, true, 8, VERSION_WIN7},
	{4, false, 8, VERSION_WIN7},
	{5, true, 148, VERSION_WIN7},
	{6, false, 20, VERSION_WIN7},
	{7, true, 12, VERSION_WIN7},
	{8, true, 20, VERSION_WIN7},
	{9, true, 16, VERSION_WIN7},
	{10, false, 20, VERSION_WIN7},
	{11, true, 16, VERSION_WIN7},
	{12, false, 12, VERSION_WIN7},
	{13, true, 12, 0},
	{14, true, 40, 0},
	{15, false, 16, 0},
	{16, true, 8, 0},
	{17, false, 8, 0},
	{18, true, 28, VERSION_WIN10},
	{19, true, 20, VERSION_WIN10},
	{20, false, 12, VERSION_WIN10},
	{21, true, 40, VERSION_WIN10},
	{22, true, 16, VERSION_WIN10_V4_1},
	{23, false, 44, VERSION_WIN10_V4_1},
	{24, false, 16, VERSION_WIN10_V5_3},
	{25, true, 24, VERSION_WIN10_V6_0},
	{26, false, 9, VERSION_WIN10_V6_0},
	{27, true, 8, VERSION_WIN10_V6_0},
	{28, false, 8, VERSION_WIN10_V6_0},
	{29, true, 8, VERSION_WIN10_V6_0},
};

static int decode(uint32_t type, size_t size, uint32_t version,
		  uint32_t features, struct chanmsg *msg)
{
	g_autofree uint8_t *data = g_malloc0(MAX(size, 4u));

	memset(data, 0xA5, size);
	memcpy(data, &type, sizeof(type));
	return chanmsg_decode(data, size, version, features, msg);
}

START_TEST(the_table_is_what_the_protocol_says)
{
	unsigned int n;
	const struct chanmsg_row *rows = chanmsg_table(&n);

	ck_assert_uint_eq(n, G_N_ELEMENTS(messages));
	for (unsigned int i = 0; i < n; i++) {
		ck_assert_uint_eq(rows[i].number, messages[i].number);
		ck_assert_int_eq(rows[i].from_guest, messages[i].from_guest);
		ck_assert_uint_eq(rows[i].size, messages[i].size);
		ck_assert_uint_eq(rows[i].min_version, messages[i].since);
		ck_assert_int_eq(rows[i].handler != NULL, rows[i].from_guest);
		ck_assert_ptr_eq(chanmsg_find(messages[i].number), &rows[i]);
	}
	ck_assert_ptr_null(chanmsg_find(0));
	ck_assert_ptr_null(chanmsg_find(CHANNELMSG_MAX + 1));
	ck_assert_ptr_null(chanmsg_find(UINT32_MAX));
}
END_TEST

START_TEST(each_of_the_guests_at_every_length)
{
	uint32_t type = messages[_i].number;
	/* OPENCHANNEL is longer with all features. */
	size_t least = type == 5 ? 156 : messages[_i].size;
	struct chanmsg msg;

	if (!messages[_i].from_guest)
		return;
	for (size_t size = 4; size <= VMBUS_MESSAGE_MAX + 8; size++) {
		int want = size < least || size > VMBUS_MESSAGE_MAX ? -EMSGSIZE
								    : 0;
		int got = decode(type, size, NEWEST, ALL_FEATURES, &msg);

		ck_assert_msg(got == want, "type %u of %zu bytes: %d", type,
			      size, got);
		if (got)
			continue;
		ck_assert_uint_eq(msg.size, size);
		/* Zeros behind what was sent. */
		for (size_t i = size; i < sizeof(msg.bytes); i++)
			ck_assert_uint_eq(msg.bytes[i], 0);
		ck_assert_uint_eq(msg.bytes[size - 1], size > 4 ? 0xA5 : type);
	}
}
END_TEST

START_TEST(each_in_every_version)
{
	static const uint32_t versions[] = {
		0,
		VERSION_WIN7,
		VERSION_WIN8,
		VERSION_WIN8_1,
		VERSION_WIN10,
		VERSION_WIN10_V4_1,
		VERSION_WIN10_V5,
		VERSION_WIN10_V5_1,
		VERSION_WIN10_V5_2,
		VERSION_WIN10_V5_3,
		VERSION_WIN10_V6_0,
	};
	struct chanmsg msg;

	for (size_t v = 0; v < G_N_ELEMENTS(versions); v++) {
		int want = messages[_i].from_guest ? 0 : -EPERM;

		if (!want && versions[v] < messages[_i].since)
			want = -EPROTO;
		ck_assert_int_eq(decode(messages[_i].number, VMBUS_MESSAGE_MAX,
					versions[v], ALL_FEATURES, &msg),
				 want);
		ck_assert_ptr_nonnull(msg.row);
	}
}
END_TEST

static const struct {
	uint32_t type;
	uint32_t feature;
} featured[] = {
	{CHANNELMSG_MODIFY_CONNECTION, VMBUS_FEATURE_MODIFY_CONNECTION},
	{CHANNELMSG_PAUSE, VMBUS_FEATURE_PAUSE_RESUME},
	{CHANNELMSG_RESUME, VMBUS_FEATURE_PAUSE_RESUME},
};

START_TEST(some_need_their_feature)
{
	uint32_t type = featured[_i].type, feature = featured[_i].feature;
	struct chanmsg msg;

	ck_assert_int_eq(decode(type, 40, NEWEST, 0, &msg), -EPROTO);
	ck_assert_int_eq(
		decode(type, 40, NEWEST, ALL_FEATURES & ~feature, &msg),
		-EPROTO);
	ck_assert_int_eq(decode(type, 40, NEWEST, feature, &msg), 0);
}
END_TEST

START_TEST(an_open_is_longer_with_signal_parameters)
{
	static const struct {
		uint32_t features;
		size_t size;
		int err;
	} opens[] = {
		{0, 147, -EMSGSIZE},
		{0, 148, 0},
		{VMBUS_FEATURE_CLIENT_ID, 148, 0},
		{VMBUS_FEATURE_GUEST_SIGNAL_PARAMETERS, 148, -EMSGSIZE},
		{VMBUS_FEATURE_GUEST_SIGNAL_PARAMETERS, 155, -EMSGSIZE},
		{VMBUS_FEATURE_GUEST_SIGNAL_PARAMETERS, 156, 0},
		{VMBUS_FEATURE_INTERRUPT_REDIRECTION, 155, -EMSGSIZE},
		{VMBUS_FEATURE_INTERRUPT_REDIRECTION, 156, 0},
	};
	struct chanmsg msg;

	for (size_t i = 0; i < G_N_ELEMENTS(opens); i++)
		ck_assert_int_eq(decode(CHANNELMSG_OPENCHANNEL, opens[i].size,
					NEWEST, opens[i].features, &msg),
				 opens[i].err);
}
END_TEST

START_TEST(what_is_no_message)
{
	struct chanmsg msg;
	uint8_t byte = 3;

	ck_assert_int_eq(decode(0, 40, NEWEST, 0, &msg), -ENOENT);
	ck_assert_int_eq(decode(30, 40, NEWEST, 0, &msg), -ENOENT);
	ck_assert_int_eq(decode(UINT32_MAX, 40, NEWEST, 0, &msg), -ENOENT);
	ck_assert_ptr_null(msg.row);
	for (size_t size = 4; size < 8; size++)
		ck_assert_int_eq(decode(3, size, NEWEST, 0, &msg), -EMSGSIZE);
	ck_assert_int_eq(chanmsg_decode(NULL, 0, NEWEST, 0, &msg), -EMSGSIZE);
	ck_assert_int_eq(chanmsg_decode(&byte, 1, NEWEST, 0, &msg), -EMSGSIZE);
	ck_assert_ptr_null(msg.row);
}
END_TEST

START_TEST(peek_needs_a_header)
{
	const uint32_t words[2] = {CHANNELMSG_UNLOAD, 0};

	ck_assert_uint_eq(chanmsg_peek(words, 8), CHANNELMSG_UNLOAD);
	ck_assert_uint_eq(chanmsg_peek(words, 7), 0);
	ck_assert_uint_eq(chanmsg_peek(NULL, 0), 0);
}
END_TEST

START_TEST(coverage_has_a_row_for_each)
{
	struct coverage_set *set = chanmsg_coverage_new();

	ck_assert_uint_eq(set->n_entries, CHANNELMSG_MAX);
	for (unsigned int i = 0; i < set->n_entries; i++) {
		ck_assert_uint_eq(set->entries[i].number, i + 1);
		ck_assert_str_eq(set->entries[i].name,
				 chanmsg_find(i + 1)->name);
	}
	coverage_free(set);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/chanmsg");
	TCase *t = tcase_create("chanmsg");

	tcase_add_test(t, the_table_is_what_the_protocol_says);
	tcase_add_loop_test(t, each_of_the_guests_at_every_length, 0,
			    G_N_ELEMENTS(messages));
	tcase_add_loop_test(t, each_in_every_version, 0,
			    G_N_ELEMENTS(messages));
	tcase_add_loop_test(t, some_need_their_feature, 0,
			    G_N_ELEMENTS(featured));
	tcase_add_test(t, an_open_is_longer_with_signal_parameters);
	tcase_add_test(t, what_is_no_message);
	tcase_add_test(t, peek_needs_a_header);
	tcase_add_test(t, coverage_has_a_row_for_each);
	suite_add_tcase(s, t);
	return check_main(s);
}
