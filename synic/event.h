/* SPDX-License-Identifier: MIT */
/*
 * event.h - the event flags of one VP: 16 SINTs with 2048 flags each.
 *
 * Source: TLFS "SynIC Event Flags", HV_SYNIC_EVENT_FLAGS.
 * Thread: any, no lock.
 */
#ifndef SYNIC_EVENT_H
#define SYNIC_EVENT_H

#include <stdbool.h>

/**
 * event_flag_set() - set a flag in an event-flag page
 * @page: 4 KiB that the guest writes at the same time
 * @sint: 0 to 15
 * @flag: 0 to 2047
 *
 * What was written to memory before is seen by a guest that sees the flag.
 *
 * Return: true if it was clear.
 */
bool event_flag_set(void *page, unsigned int sint, unsigned int flag);

#endif
