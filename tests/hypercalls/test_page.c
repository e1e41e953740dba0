/* SPDX-License-Identifier: MIT */
#include "hypercalls/page.h"

#include <string.h>

#include "support/check_main.h"

START_TEST(code)
{
	static const uint8_t want[] = {0xF3, 0x0F, 0x1E, 0xFA,
				       0xE6, 0xEC, 0xC3, 0xCC};
	uint8_t page[HV_PAGE_SIZE];

	memset(page, 0, sizeof(page));
	hypercall_page_fill(page);
	ck_assert_mem_eq(page, want, sizeof(want));
}
END_TEST

START_TEST(rest_is_int3)
{
	uint8_t page[HV_PAGE_SIZE + 1];

	memset(page, 0, sizeof(page));
	hypercall_page_fill(page);
	for (unsigned int i = 7; i < HV_PAGE_SIZE; i++)
		ck_assert_uint_eq(page[i], 0xCC);
	ck_assert_uint_eq(page[HV_PAGE_SIZE], 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hypercalls/page");
	TCase *t = tcase_create("page");

	tcase_add_test(t, code);
	tcase_add_test(t, rest_is_int3);
	suite_add_tcase(s, t);
	return check_main(s);
}
