/* SPDX-License-Identifier: MIT */
#include "lib/tap.h"

#include "lib/console.h"

/* More than these say nothing new, and may each have waited for long. */
#define FAILURES_MAX 20u

static unsigned int number, failed;

static void end_line(bool ok)
{
	print("\n");
	if (ok || failed < FAILURES_MAX)
		return;
	print("Bail out! %u failures\n", failed);
	end_run(1);
}

__attribute__((format(printf, 2, 0))) static void
begin(bool ok, const char *name, va_list args)
{
	number++;
	if (!ok)
		failed++;
	print("%sok %u - ", ok ? "" : "not ", number);
	vprint(name, args);
}

bool tap_check(bool ok, const char *file, unsigned int line, const char *name,
	       ...)
{
	va_list args;

	va_start(args, name);
	begin(ok, name, args);
	va_end(args);
	if (!ok)
		print(": at %s:%u", file, line);
	end_line(ok);
	return ok;
}

bool tap_equal(uint64_t got, uint64_t want, const char *file, unsigned int line,
	       const char *name, ...)
{
	va_list args;

	va_start(args, name);
	begin(got == want, name, args);
	va_end(args);
	if (got != want)
		print(": got 0x%llx want 0x%llx at %s:%u",
		      (unsigned long long)got, (unsigned long long)want, file,
		      line);
	end_line(got == want);
	return got == want;
}

bool tap_between(uint64_t got, uint64_t low, uint64_t high, const char *file,
		 unsigned int line, const char *name, ...)
{
	bool ok = low <= got && got <= high;
	va_list args;

	va_start(args, name);
	begin(ok, name, args);
	va_end(args);
	if (!ok)
		print(": got %llu want %llu to %llu at %s:%u",
		      (unsigned long long)got, (unsigned long long)low,
		      (unsigned long long)high, file, line);
	end_line(ok);
	return ok;
}

void tap_skip(const char *why, const char *name, ...)
{
	va_list args;

	va_start(args, name);
	begin(true, name, args);
	va_end(args);
	print(" # SKIP %s\n", why);
}

void tap_plan(void)
{
	print("1..%u\n", number);
}

void tap_end(void)
{
	tap_plan();
	end_run(failed ? 1 : 0);
}
