/* SPDX-License-Identifier: MIT */
#include "vsp/net/sections.h"

#include "support/check_main.h"

static struct sections *s;
static struct section_pool pool;

static void setup(void)
{
	s = sections_new(2048, 10);
	section_pool_init(&pool);
	for (uint32_t i = 0; i < 10; i++)
		section_pool_put(s, &pool, i);
}

static void end(void)
{
	sections_free(s);
	sections_free(NULL);
}

START_TEST(each_is_taken_once)
{
	bool seen[10] = {false};
	uint32_t section;

	for (int i = 0; i < 10; i++) {
		section = section_pool_take(s, &pool);
		ck_assert_uint_lt(section, 10);
		ck_assert(!seen[section]);
		seen[section] = true;
	}
	ck_assert_uint_eq(pool.n, 0);
	ck_assert_uint_eq(section_pool_take(s, &pool), SECTION_NONE);
	section_pool_put(s, &pool, 4);
	ck_assert_uint_eq(section_pool_take(s, &pool), 4);
}
END_TEST

START_TEST(a_share_is_given)
{
	struct section_pool to;

	section_pool_init(&to);
	section_pool_give(s, &pool, &to, 3, 7);
	ck_assert_uint_eq(pool.n, 7);
	ck_assert_uint_eq(to.n, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(s->home[section_pool_take(s, &to)], 7);
	section_pool_give(s, &pool, &to, 100, 1);
	ck_assert_uint_eq(pool.n, 0);
	ck_assert_uint_eq(to.n, 7);
}
END_TEST

START_TEST(a_packet_is_completed_once_on_its_channel)
{
	uint32_t a = section_pool_take(s, &pool);
	uint32_t b = section_pool_take(s, &pool);
	uint64_t id;

	sections_chain(s, a, b);
	id = sections_sent(s, a, 3);
	ck_assert_uint_ne(id, 0);
	ck_assert(sections_is_sent(s, a, 3));
	ck_assert(!sections_is_sent(s, b, 3));
	ck_assert_uint_eq(sections_completed(s, id, 2), SECTION_NONE);
	/* its second section is not a packet */
	ck_assert_uint_eq(sections_completed(s, b + 1, 3), SECTION_NONE);
	ck_assert_uint_eq(sections_completed(s, id, 3), a);
	ck_assert_uint_eq(s->next[a], b);
	ck_assert_uint_eq(s->next[b], SECTION_NONE);
	ck_assert_uint_eq(sections_completed(s, id, 3), SECTION_NONE);
}
END_TEST

START_TEST(ids_that_are_none)
{
	static const uint64_t ids[] = {0,          1,          10,        11,
				       UINT32_MAX, 1ull << 32, UINT64_MAX};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		ck_assert_uint_eq(sections_completed(s, ids[i], 0),
				  SECTION_NONE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vsp/net/sections");
	TCase *t = tcase_create("sections");

	tcase_add_checked_fixture(t, setup, end);
	tcase_add_test(t, each_is_taken_once);
	tcase_add_test(t, a_share_is_given);
	tcase_add_test(t, a_packet_is_completed_once_on_its_channel);
	tcase_add_test(t, ids_that_are_none);
	suite_add_tcase(suite, t);
	return check_main(suite);
}
