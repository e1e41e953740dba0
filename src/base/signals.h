/* SPDX-License-Identifier: MIT */
/*
 * signals.h - what whoever started us wanted of signals.
 *
 * Thread: any.
 */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/** signal_is_ignored() - by nohup, or by a shell for a job in the background */
static inline bool signal_is_ignored(int number)
{
	struct sigaction was;

	return !sigaction(number, NULL, &was) && was.sa_handler == SIG_IGN;
}

#endif
