/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <signal.h>
#include <stdio.h>

/*
 * Far more than any of our threads needs.  The default of 8 MiB holds aligned
 * 2 MiB, which Linux would then provide as one page: 2 MiB a thread, cleared
 * when it starts.
 */
#define STACK_BYTES ((size_t)512 << 10)

int thread_start(pthread_t *thread, const char *name, void *(*run)(void *),
		 void *arg)
{
	char short_name[16];
	pthread_attr_t attr;
	sigset_t all, old;
	int err;

	snprintf(short_name, sizeof(short_name), "%s", name);
	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGFPE);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	err = pthread_create(thread, &attr, run, arg);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return -err;
	pthread_setname_np(*thread, short_name);
	return 0;
}
