/* SPDX-License-Identifier: MIT */
/*
 * one_processor.h - on which processor a thread finds itself.
 *
 * For test files of one binary each: it has its own sched_getcpu().
 */
#ifndef SUPPORT_ONE_PROCESSOR_H
#define SUPPORT_ONE_PROCESSOR_H

#include <sched.h>

/* What all threads are on; -1: each call finds itself on another. */
static _Atomic int processor = -1;

int sched_getcpu(void)
{
	static _Atomic int last;

	return processor >= 0 ? processor : ++last;
}

#endif
