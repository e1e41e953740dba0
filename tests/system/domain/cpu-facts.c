/* SPDX-License-Identifier: MIT */
/*
 * cpu-facts.c - a static program for a Linux guest: what its processor says of
 * itself, and what lies at an address.
 *
 * usage: cpu-facts [CPU]          CPUID, a line "LEAF.SUBLEAF EAX EBX ECX EDX"
 *        cpu-facts msr NUMBER     a register, by /dev/cpu/0/msr, or "refused"
 *        cpu-facts memory ADDRESS 16 bytes, by /dev/mem
 */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_leaf(unsigned int leaf, unsigned int subleaf)
{
	unsigned int a, b, c, d;

	__cpuid_count(leaf, subleaf, a, b, c, d);
	printf("%x.%u %x %x %x %x\n", leaf, subleaf, a, b, c, d);
}

static int has_subleaves(unsigned int leaf)
{
	return leaf == 4 || leaf == 7 || leaf == 0xB || leaf == 0xD ||
	       leaf == 0x1F;
}

static void print_range(unsigned int first)
{
	unsigned int last, b, c, d;

	__cpuid_count(first, 0, last, b, c, d);
	if (last < first || last - first > 0x100)
		last = first;
	for (unsigned int leaf = first; leaf <= last; leaf++)
		for (unsigned int i = 0; i < (has_subleaves(leaf) ? 3 : 1); i++)
			print_leaf(leaf, i);
}

static int print_cpuid(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		perror("sched_setaffinity");
		return 1;
	}
	print_range(0);
	print_range(0x40000000);
	print_leaf(0x40000100, 0); /* KVM's, where it stands behind Hyper-V's */
	print_range(0x80000000);
	return 0;
}

static int print_at(const char *file, const char *where, size_t bytes)
{
	off_t at = (off_t)strtoull(where, NULL, 0);
	unsigned char data[16];
	int fd = open(file, O_RDONLY);

	if (fd < 0) {
		perror(file);
		return 1;
	}
	if (pread(fd, data, bytes, at) != (ssize_t)bytes) {
		printf("refused\n");
	} else {
		for (size_t i = 0; i < bytes; i++)
			printf("%02x", data[i]);
		printf("\n");
	}
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "msr"))
		return print_at("/dev/cpu/0/msr", argv[2], 8);
	if (argc == 3 && !strcmp(argv[1], "memory"))
		return print_at("/dev/mem", argv[2], 16);
	return print_cpuid(argc > 1 ? atoi(argv[1]) : 0);
}
