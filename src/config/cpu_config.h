/* SPDX-License-Identifier: MIT */
/*
 * cpu_config.h - what the processors of the machine are like: plain data.
 */
#ifndef CONFIG_CPU_CONFIG_H
#define CONFIG_CPU_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct json_object;

/* Of a guest physical address: what tables and windows want at least. */
#define CONFIG_PHYS_BITS_MIN 36u
#define CONFIG_PHYS_BITS_MAX 52u

/* A register that CPUID answers in. */
enum cpuid_register {
	CPUID_EAX,
	CPUID_EBX,
	CPUID_ECX,
	CPUID_EDX,
};

/* A feature of processors by the name that QEMU and libvirt give it. */
struct cpu_feature {
	const char *name;
	uint32_t leaf, subleaf;
	enum cpuid_register reg;
	unsigned int bit;
};

/* A feature that is given or taken whatever the host has. */
struct cpu_choice {
	const struct cpu_feature *feature; /* of the table */
	bool on; /* it must be there; false: it must not */
};

struct cpu_config {
	/*
	 * Packages, dies in each, cores in each, threads in each; all 0: one
	 * package, one die, one thread in a core.  Else all are at least 1,
	 * and there is room for all processors.
	 */
	unsigned int sockets, dies, cores, threads;
	/* CONFIG_PHYS_BITS_MIN to _MAX, no more than the host's; 0: as it */
	unsigned int phys_bits;
	GArray *choices; /* struct cpu_choice; the last that names one counts */
};

void cpu_config_init(struct cpu_config *cpu);
void cpu_config_clear(struct cpu_config *cpu);

/**
 * cpu_feature_find() - by name; NULL: there is none
 *
 * '-', '_' and '.' are the same in a name, as they differ between QEMU
 * ("sse4.1", "lahf-lm"), libvirt ("lahf_lm") and Linux ("sse4_1").
 */
const struct cpu_feature *cpu_feature_find(const char *name);

/** cpu_feature_at() - the @i-th of the table; NULL past the last */
const struct cpu_feature *cpu_feature_at(unsigned int i);

/**
 * cpu_config_choose() - require or forbid the feature @name
 *
 * Return: 0, or -1 with @error (CONFIG_ERROR), "NAME: hint".
 */
int cpu_config_choose(struct cpu_config *cpu, const char *name, bool on,
		      GError **error);

/**
 * cpu_config_parse() - understand "WORD,…": the name of a feature, '-' before
 * it to forbid it; or "phys-bits=N"
 *
 * Return: 0, or -1 with @error (CONFIG_ERROR), "WORD: hint".
 */
int cpu_config_parse(struct cpu_config *cpu, const char *text, GError **error);

/**
 * cpu_config_parse_vcpus() - understand "N[,sockets=N][,dies=N][,cores=N]
 * [,threads=N]"
 * @vcpus: N
 *
 * What is not said is 1; but of cores there are enough for all.
 *
 * Return: as cpu_config_parse().
 */
int cpu_config_parse_vcpus(struct cpu_config *cpu, const char *text,
			   unsigned int *vcpus, GError **error);

/**
 * cpu_config_check() - can a machine of @vcpus processors have these?
 *
 * Return: 0, or -1 with @error (CONFIG_ERROR) that names the option.
 */
int cpu_config_check(const struct cpu_config *cpu, unsigned int vcpus,
		     GError **error);

/** cpu_config_topology() - sockets and so on, with the default filled in */
struct cpu_config cpu_config_topology(const struct cpu_config *cpu,
				      unsigned int vcpus);

/** cpu_config_json() - for `--print-config`; owned */
struct json_object *cpu_config_json(const struct cpu_config *cpu,
				    unsigned int vcpus);

#endif
