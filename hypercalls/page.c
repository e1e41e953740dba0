/* SPDX-License-Identifier: MIT */
#include "hypercalls/page.h"

#include <string.h>

void hypercall_page_fill(uint8_t page[HV_PAGE_SIZE])
{
	static const uint8_t code[] = {
		0xF3, 0x0F,           0x1E, 0xFA, /* endbr64 */
		0xE6, HYPERCALL_PORT, /* out HYPERCALL_PORT, al */
		0xC3, /* ret */
	};

	/* A jump anywhere else in the page is caught as a breakpoint. */
	memset(page, 0xCC, HV_PAGE_SIZE);
	memcpy(page, code, sizeof(code));
}
