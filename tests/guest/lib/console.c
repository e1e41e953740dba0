/* SPDX-License-Identifier: MIT */
#include "lib/console.h"

#include "lib/arithmetic.h"
#include "lib/instructions.h"
#include "proto/platform.h"

static void put(char c)
{
	out8(PLATFORM_DEBUGCON_PORT, (uint8_t)c);
}

static void put_string(const char *s)
{
	for (; *s; s++)
		put(*s);
}

static void put_number(uint64_t value, uint32_t base)
{
	char digits[24];
	unsigned int n = 0;

	do {
		uint32_t digit;

		value = divide(value, base, &digit);
		digits[n++] = "0123456789abcdef"[digit];
	} while (value);
	while (n)
		put(digits[--n]);
}

static uint64_t number_argument(va_list *args, unsigned int longs)
{
	if (longs == 0)
		return va_arg(*args, unsigned int);
	if (longs == 1)
		return va_arg(*args, unsigned long);
	return va_arg(*args, unsigned long long);
}

void vprint(const char *format, va_list original)
{
	va_list args;

	va_copy(args, original);
	for (; *format; format++) {
		unsigned int longs = 0;

		if (*format != '%') {
			put(*format);
			continue;
		}
		while (*++format == 'l')
			longs++;
		if (*format == 's')
			put_string(va_arg(args, const char *));
		else if (*format == 'c')
			put((char)va_arg(args, int));
		else if (*format == 'u')
			put_number(number_argument(&args, longs), 10);
		else if (*format == 'x')
			put_number(number_argument(&args, longs), 16);
		else
			put(*format);
	}
	va_end(args);
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprint(format, args);
	va_end(args);
}

void end_run(uint32_t value)
{
	out32(PLATFORM_EXIT_PORT, value);
	for (;;)
		asm volatile("cli; hlt");
}
