/* SPDX-License-Identifier: MIT */
#include "config/cpu_config.h"

#include <json-c/json.h>

#include "config/machine_config.h"

void cpu_config_init(struct cpu_config *cpu)
{
	*cpu = (struct cpu_config){0};
	cpu->choices = g_array_new(FALSE, FALSE, sizeof(struct cpu_choice));
}

void cpu_config_clear(struct cpu_config *cpu)
{
	if (cpu->choices)
		g_array_free(cpu->choices, TRUE);
	cpu->choices = NULL;
}

int cpu_config_choose(struct cpu_config *cpu, const char *name, bool on,
		      GError **error)
{
	struct cpu_choice choice = {cpu_feature_find(name), on};

	if (!choice.feature) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "%s: no feature of processors has that name", name);
		return -1;
	}
	for (guint i = 0; i < cpu->choices->len; i++) {
		struct cpu_choice *c =
			&g_array_index(cpu->choices, struct cpu_choice, i);

		if (c->feature == choice.feature) {
			c->on = on;
			return 0;
		}
	}
	g_array_append_val(cpu->choices, choice);
	return 0;
}

static bool has_topology(const struct cpu_config *cpu)
{
	return cpu->sockets || cpu->dies || cpu->cores || cpu->threads;
}

struct cpu_config cpu_config_topology(const struct cpu_config *cpu,
				      unsigned int vcpus)
{
	struct cpu_config t = *cpu;

	if (has_topology(cpu))
		return t;
	t.sockets = t.dies = t.threads = 1;
	t.cores = vcpus;
	return t;
}

static int check_topology(const struct cpu_config *cpu, unsigned int vcpus,
			  GError **error)
{
	const unsigned int counts[] = {cpu->sockets, cpu->dies, cpu->cores,
				       cpu->threads};
	uint64_t all = 1;

	if (!has_topology(cpu))
		return 0;
	for (unsigned int i = 0; i < G_N_ELEMENTS(counts); i++) {
		if (counts[i] < 1 || counts[i] > CONFIG_VCPUS_MAX) {
			g_set_error(error, CONFIG_ERROR, 0,
				    "--vcpus: sockets, dies, cores and threads "
				    "are 1 to %d each",
				    CONFIG_VCPUS_MAX);
			return -1;
		}
		all *= counts[i];
	}
	if (all >= vcpus && all <= CONFIG_VCPUS_MAX)
		return 0;
	g_set_error(error, CONFIG_ERROR, 0,
		    "--vcpus %u: %u sockets of %u dies of %u cores of %u "
		    "threads are %" G_GUINT64_FORMAT " processors%s",
		    vcpus, cpu->sockets, cpu->dies, cpu->cores, cpu->threads,
		    all, all < vcpus ? "" : ", and there can be 1024");
	return -1;
}

int cpu_config_check(const struct cpu_config *cpu, unsigned int vcpus,
		     GError **error)
{
	if (cpu->phys_bits && (cpu->phys_bits < CONFIG_PHYS_BITS_MIN ||
			       cpu->phys_bits > CONFIG_PHYS_BITS_MAX)) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "--cpu phys-bits=%u: between %u and %u",
			    cpu->phys_bits, CONFIG_PHYS_BITS_MIN,
			    CONFIG_PHYS_BITS_MAX);
		return -1;
	}
	return check_topology(cpu, vcpus, error);
}

static void add_number(struct json_object *o, const char *key, unsigned int n)
{
	json_object_object_add(o, key, json_object_new_int((int)n));
}

struct json_object *cpu_config_json(const struct cpu_config *cpu,
				    unsigned int vcpus)
{
	struct cpu_config t = cpu_config_topology(cpu, vcpus);
	struct json_object *o = json_object_new_object();
	struct json_object *features = json_object_new_object();

	add_number(o, "sockets", t.sockets);
	add_number(o, "dies", t.dies);
	add_number(o, "cores", t.cores);
	add_number(o, "threads", t.threads);
	json_object_object_add(
		o, "phys_bits",
		cpu->phys_bits ? json_object_new_int((int)cpu->phys_bits)
			       : NULL);
	for (guint i = 0; i < cpu->choices->len; i++) {
		const struct cpu_choice *c =
			&g_array_index(cpu->choices, struct cpu_choice, i);

		json_object_object_add(features, c->feature->name,
				       json_object_new_boolean(c->on));
	}
	json_object_object_add(o, "features", features);
	return o;
}
