/* SPDX-License-Identifier: MIT */
#include "config/hyperv_config.h"

#include <string.h>

#include <json-c/json.h>

#include "base/json.h"
#include "config/machine_config.h"
#include "config/option_list.h"

static const struct {
	const char *name;
	uint32_t needs; /* bits */
} features[HYPERV_N_FEATURES] = {
	[HYPERV_RELAXED] = {"relaxed", 0},
	[HYPERV_VAPIC] = {"vapic", 0},
	[HYPERV_SPINLOCKS] = {"spinlocks", 0},
	[HYPERV_VPINDEX] = {"vpindex", 0},
	[HYPERV_RUNTIME] = {"runtime", 0},
	[HYPERV_SYNIC] = {"synic", HYPERV_BIT(HYPERV_VPINDEX)},
	[HYPERV_STIMER] = {"stimer",
			   HYPERV_BIT(HYPERV_SYNIC) | HYPERV_BIT(HYPERV_CLOCK)},
	[HYPERV_STIMER_DIRECT] = {"stimer-direct", HYPERV_BIT(HYPERV_STIMER)},
	[HYPERV_RESET] = {"reset", 0},
	[HYPERV_VENDOR_ID] = {"vendor-id", 0},
	[HYPERV_FREQUENCIES] = {"frequencies", 0},
	[HYPERV_REENLIGHTENMENT] = {"reenlightenment", 0},
	[HYPERV_TLBFLUSH] = {"tlbflush", HYPERV_BIT(HYPERV_VPINDEX)},
	[HYPERV_TLBFLUSH_DIRECT] = {"tlbflush-direct",
				    HYPERV_BIT(HYPERV_VAPIC)},
	[HYPERV_TLBFLUSH_EXTENDED] = {"tlbflush-extended",
				      HYPERV_BIT(HYPERV_TLBFLUSH)},
	[HYPERV_IPI] = {"ipi", HYPERV_BIT(HYPERV_VPINDEX)},
	[HYPERV_EVMCS] = {"evmcs", HYPERV_BIT(HYPERV_VAPIC)},
	[HYPERV_AVIC] = {"avic", 0},
	[HYPERV_EMSR_BITMAP] = {"emsr-bitmap", 0},
	[HYPERV_XMM_INPUT] = {"xmm-input", 0},
	[HYPERV_CLOCK] = {"clock", 0},
	[HYPERV_CRASH] = {"crash", 0},
};

/* Nested virtualization is not ours to speed up. */
#define NESTED                                                           \
	(HYPERV_BIT(HYPERV_TLBFLUSH_DIRECT) | HYPERV_BIT(HYPERV_EVMCS) | \
	 HYPERV_BIT(HYPERV_EMSR_BITMAP))

/*
 * Without these a guest does not connect to VMbus: Linux
 * arch/x86/kernel/cpu/mshyperv.c:ms_hyperv_platform(), and synic_init of its
 * driver.
 */
#define WANTED_BY_GUESTS (HYPERV_BIT(HYPERV_VPINDEX) | HYPERV_BIT(HYPERV_SYNIC))

static const char *const bases[] = {
	[HYPERV_OF_PROFILE] = "profile",
	[HYPERV_NOTHING] = "none",
	[HYPERV_EVERYTHING] = "all",
};

void hyperv_config_clear(struct hyperv_config *hyperv)
{
	g_free(hyperv->vendor_id);
	hyperv->vendor_id = NULL;
}

const char *hyperv_feature_name(enum hyperv_feature feature)
{
	return features[feature].name;
}

int hyperv_feature_find(const char *name)
{
	for (int i = 0; i < HYPERV_N_FEATURES; i++)
		if (!strcmp(features[i].name, name))
			return i;
	return -1;
}

static int set_spinlocks(struct hyperv_config *h, const char *value,
			 GError **error)
{
	guint64 n;

	if (!strcmp(value, "never")) {
		h->spinlocks = HYPERV_SPINLOCKS_NEVER;
	} else if (g_ascii_string_to_unsigned(value, 10, HYPERV_SPINLOCKS_MIN,
					      UINT32_MAX, &n, NULL)) {
		h->spinlocks = (uint32_t)n;
	} else {
		g_set_error(error, CONFIG_ERROR, 0,
			    "spinlocks=%s: expected a number of at least %u, "
			    "or never",
			    value, HYPERV_SPINLOCKS_MIN);
		return -1;
	}
	h->on |= HYPERV_BIT(HYPERV_SPINLOCKS);
	return 0;
}

/* Return: 1 it was one of these; 0 it was not; -1 with @error. */
static int parse_value(struct hyperv_config *h, const char *word,
		       GError **error)
{
	const char *value = strchr(word, '=');

	if (g_str_has_prefix(word, "spinlocks="))
		return set_spinlocks(h, value + 1, error) ? -1 : 1;
	if (g_str_has_prefix(word, "vendor-id=")) {
		g_free(h->vendor_id);
		h->vendor_id = g_strdup(value + 1);
		return 1;
	}
	if (!strcmp(word, "incomplete")) {
		h->incomplete = true;
		return 1;
	}
	return 0;
}

static int parse_word(struct hyperv_config *h, const char *word, GError **error)
{
	bool off = *word == '-';
	int which, is = parse_value(h, word, error);

	if (is)
		return is > 0 ? 0 : -1;
	for (unsigned int i = 0; i < G_N_ELEMENTS(bases); i++) {
		if (!strcmp(bases[i], word)) {
			h->base = (enum hyperv_base)i;
			return 0;
		}
	}
	which = hyperv_feature_find(word + off);
	if (which < 0)
		return option_refuse(error, word, "no such enlightenment");
	if (off) {
		h->off |= HYPERV_BIT(which);
		h->on &= ~HYPERV_BIT(which);
	} else {
		h->on |= HYPERV_BIT(which);
		h->off &= ~HYPERV_BIT(which);
	}
	return 0;
}

int hyperv_config_parse(struct hyperv_config *hyperv, const char *text,
			GError **error)
{
	const char *at = text;

	while (at) {
		g_autofree char *word = option_list_next(&at);

		if (parse_word(hyperv, word, error))
			return -1;
	}
	return 0;
}

uint32_t hyperv_config_features(const struct hyperv_config *h)
{
	uint32_t all = HYPERV_BIT(HYPERV_N_FEATURES) - 1;
	uint32_t have =
		((h->base == HYPERV_NOTHING ? 0 : all & ~NESTED) | h->on) &
		~h->off;
	uint32_t had;

	do {
		had = have;
		for (unsigned int i = 0; i < HYPERV_N_FEATURES; i++)
			if (features[i].needs & ~have && !(h->on >> i & 1))
				have &= ~HYPERV_BIT(i);
	} while (have != had);
	return have;
}

static int check_needs(uint32_t have, GError **error)
{
	for (unsigned int i = 0; i < HYPERV_N_FEATURES; i++) {
		uint32_t missing = features[i].needs & ~have;

		if (!(have & HYPERV_BIT(i)) || !missing)
			continue;
		g_set_error(error, CONFIG_ERROR, 0,
			    "--hyperv: %s wants %s, which is off",
			    features[i].name,
			    features[__builtin_ctz(missing)].name);
		return -1;
	}
	return 0;
}

int hyperv_config_check(const struct hyperv_config *h, GError **error)
{
	uint32_t have = hyperv_config_features(h);

	if (h->on & NESTED) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "--hyperv: %s is for nested virtualization, which "
			    "has no enlightenments here",
			    features[__builtin_ctz(h->on & NESTED)].name);
		return -1;
	}
	if (h->vendor_id &&
	    (!*h->vendor_id || strlen(h->vendor_id) > HYPERV_VENDOR_ID_MAX)) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "--hyperv vendor-id=%s: 1 to %u characters",
			    h->vendor_id, HYPERV_VENDOR_ID_MAX);
		return -1;
	}
	if (h->spinlocks && h->spinlocks < HYPERV_SPINLOCKS_MIN) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "--hyperv spinlocks=%u: at least %u", h->spinlocks,
			    HYPERV_SPINLOCKS_MIN);
		return -1;
	}
	if (check_needs(have, error))
		return -1;
	if (!h->incomplete && WANTED_BY_GUESTS & ~have) {
		g_set_error(
			error, CONFIG_ERROR, 0,
			"--hyperv: without %s no guest finds its devices; "
			"if that is what is wanted, say 'incomplete' too",
			features[__builtin_ctz(WANTED_BY_GUESTS & ~have)].name);
		return -1;
	}
	return 0;
}

static struct json_object *names_json(uint32_t bits)
{
	struct json_object *a = json_object_new_array();

	for (unsigned int i = 0; i < HYPERV_N_FEATURES; i++)
		if (bits & HYPERV_BIT(i))
			json_object_array_add(
				a, json_object_new_string(features[i].name));
	return a;
}

struct json_object *hyperv_config_json(const struct hyperv_config *h)
{
	struct json_object *o = json_object_new_object();

	json_add_text(o, "base", bases[h->base]);
	json_object_object_add(o, "on", names_json(h->on));
	json_object_object_add(o, "off", names_json(h->off));
	json_object_object_add(
		o, "spinlocks",
		h->spinlocks ? json_object_new_uint64(h->spinlocks) : NULL);
	json_add_text(o, "vendor_id", h->vendor_id);
	json_add_bool(o, "incomplete", h->incomplete);
	return o;
}
