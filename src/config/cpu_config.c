/* SPDX-License-Identifier: MIT */
#include "config/cpu_config.h"

#include <string.h>

#include <json-c/json.h>

#include "base/json.h"
#include "config/machine_config.h"
#include "config/option_list.h"

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

static int parse_number(unsigned int *field, const char *word, GError **error)
{
	guint64 n;

	if (!g_ascii_string_to_unsigned(strchr(word, '=') + 1, 10, 1,
					CONFIG_VCPUS_MAX, &n, NULL))
		return option_refuse(error, word, "expected 1 to 1024");
	*field = (unsigned int)n;
	return 0;
}

int cpu_config_parse(struct cpu_config *cpu, const char *text, GError **error)
{
	const char *at = text;
	int err = 0;

	while (at && !err) {
		g_autofree char *word = option_list_next(&at);

		if (g_str_has_prefix(word, "phys-bits="))
			err = parse_number(&cpu->phys_bits, word, error);
		else
			err = cpu_config_choose(cpu, word + (*word == '-'),
						*word != '-', error);
	}
	return err;
}

int cpu_config_parse_vcpus(struct cpu_config *cpu, const char *text,
			   unsigned int *vcpus, GError **error)
{
	const struct {
		const char *key;
		unsigned int *field;
	} counts[] = {
		{"sockets=", &cpu->sockets},
		{"dies=", &cpu->dies},
		{"cores=", &cpu->cores},
		{"threads=", &cpu->threads},
	};
	const char *at = text;
	g_autofree char *first = option_list_next(&at);
	guint64 n, others;

	if (!g_ascii_string_to_unsigned(first, 10, 0, INT32_MAX, &n, NULL))
		return option_refuse(error, first, "expected a number");
	*vcpus = (unsigned int)n;
	if (!at)
		return 0;
	cpu->sockets = cpu->dies = cpu->threads = 1;
	while (at) {
		g_autofree char *word = option_list_next(&at);
		unsigned int i = 0;

		while (i < G_N_ELEMENTS(counts) &&
		       !g_str_has_prefix(word, counts[i].key))
			i++;
		if (i == G_N_ELEMENTS(counts))
			return option_refuse(error, word,
					     "expected sockets=, dies=, cores= "
					     "or threads=");
		if (parse_number(counts[i].field, word, error))
			return -1;
	}
	others = (guint64)cpu->sockets * cpu->dies * cpu->threads;
	if (!cpu->cores)
		cpu->cores = (unsigned int)MAX((n + others - 1) / others, 1);
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

struct json_object *cpu_config_json(const struct cpu_config *cpu,
				    unsigned int vcpus)
{
	struct cpu_config t = cpu_config_topology(cpu, vcpus);
	struct json_object *o = json_object_new_object();
	struct json_object *features = json_object_new_object();

	json_add_number(o, "sockets", t.sockets);
	json_add_number(o, "dies", t.dies);
	json_add_number(o, "cores", t.cores);
	json_add_number(o, "threads", t.threads);
	json_object_object_add(
		o, "phys_bits",
		cpu->phys_bits ? json_object_new_int((int)cpu->phys_bits)
			       : NULL);
	for (guint i = 0; i < cpu->choices->len; i++) {
		const struct cpu_choice *c =
			&g_array_index(cpu->choices, struct cpu_choice, i);

		json_add_bool(features, c->feature->name, c->on);
	}
	json_object_object_add(o, "features", features);
	return o;
}
