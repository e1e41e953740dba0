/* SPDX-License-Identifier: MIT */
#include "synic/event.h"

#include <assert.h>

#include "proto/hv_synic.h"

bool event_flag_set(void *page, unsigned int sint, unsigned int flag)
{
	uint64_t *words = page, mask = 1ull << (flag % 64);
	unsigned int word = sint * (HV_EVENT_FLAGS_COUNT / 64) + flag / 64;

	assert(sint < HV_SYNIC_SINT_COUNT && flag < HV_EVENT_FLAGS_COUNT);
	/* Pairs with the guest's locked test-and-clear. */
	return !(__atomic_fetch_or(&words[word], mask, __ATOMIC_SEQ_CST) &
		 mask);
}
