/* SPDX-License-Identifier: MIT */
/*
 * thread.h - named threads.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

/**
 * thread_start() - start a named thread
 * @thread: filled in on success
 * @name:   as `top -H` shows it; 15 characters are kept
 * @run:    its function
 * @arg:    for @run
 *
 * All signals are blocked in the new thread but those that a fault raises;
 * a thread that wants one unblocks it itself.
 *
 * Return: 0 or -errno.
 */
int thread_start(pthread_t *thread, const char *name, void *(*run)(void *),
		 void *arg);

#endif
