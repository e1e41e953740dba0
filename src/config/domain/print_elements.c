/* SPDX-License-Identifier: MIT */
/*
 * print_elements.c - the table of kvmbus-domain(5), for the build.
 */
#include <stdio.h>

#include "config/domain/domain.h"

int main(void)
{
	domain_elements_print(stdout);
	return fflush(stdout) != 0;
}
