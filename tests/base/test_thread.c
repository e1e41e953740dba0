/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <signal.h>
#include <string.h>

#include "support/check_main.h"

static struct {
	sigset_t blocked;
	size_t stack_bytes;
} seen;

static void *look(void *arg)
{
	pthread_attr_t attr;
	void *stack = NULL;

	pthread_sigmask(SIG_SETMASK, NULL, &seen.blocked);
	ck_assert_int_eq(pthread_getattr_np(pthread_self(), &attr), 0);
	ck_assert_int_eq(
		pthread_attr_getstack(&attr, &stack, &seen.stack_bytes), 0);
	pthread_attr_destroy(&attr);
	return arg;
}

static void start(const char *name)
{
	pthread_t thread;
	void *result = NULL;
	int x;

	ck_assert_int_eq(thread_start(&thread, name, look, &x), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, &x);
}

START_TEST(only_faults_are_delivered)
{
	start("t");
	ck_assert(sigismember(&seen.blocked, SIGTERM));
	ck_assert(sigismember(&seen.blocked, SIGRTMIN));
	ck_assert(!sigismember(&seen.blocked, SIGSEGV));
	ck_assert(!sigismember(&seen.blocked, SIGBUS));
}
END_TEST

/* No aligned 2 MiB, which the host would provide as a whole. */
START_TEST(stack_is_small)
{
	start("t");
	ck_assert_uint_ge(seen.stack_bytes, 256 << 10);
	ck_assert_uint_lt(seen.stack_bytes, 2 << 20);
}
END_TEST

START_TEST(long_names_are_cut)
{
	start("a name of more than fifteen characters");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base/thread");
	TCase *t = tcase_create("thread");

	tcase_add_test(t, only_faults_are_delivered);
	tcase_add_test(t, stack_is_small);
	tcase_add_test(t, long_names_are_cut);
	suite_add_tcase(s, t);
	return check_main(s);
}
