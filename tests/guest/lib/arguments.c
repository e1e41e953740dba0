/* SPDX-License-Identifier: MIT */
#include "lib/arguments.h"

#include <stddef.h>

#include "lib/instructions.h"

#define MULTIBOOT_INFO_CMDLINE (1u << 2)

struct multiboot_info {
	uint32_t flags;
	uint32_t memory[2];
	uint32_t boot_device;
	uint32_t command_line;
};

static const char *command_line = "";

void arguments_init(const void *info)
{
	const struct multiboot_info *multiboot = info;

	if (multiboot && multiboot->flags & MULTIBOOT_INFO_CMDLINE)
		command_line = at(multiboot->command_line);
}

/* What follows @name in the word that begins with it; NULL: no such word. */
static const char *find(const char *name)
{
	const char *p = command_line;

	while (*p) {
		const char *n = name;

		while (*p == ' ')
			p++;
		for (; *n && *p == *n; n++)
			p++;
		if (!*n && (!*p || *p == ' ' || *p == '='))
			return p;
		while (*p && *p != ' ')
			p++;
	}
	return NULL;
}

bool argument_given(const char *name)
{
	return find(name) != NULL;
}

static unsigned int digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	return 16;
}

uint64_t argument_number(const char *name, uint64_t without)
{
	const char *p = find(name);
	unsigned int base = 10;
	uint64_t value = 0;

	if (!p || *p++ != '=')
		return without;
	if (p[0] == '0' && p[1] == 'x') {
		base = 16;
		p += 2;
	}
	for (; digit(*p) < base; p++)
		value = value * base + digit(*p);
	return value;
}
