/* SPDX-License-Identifier: MIT */
/*
 * hyperv_config.h - which enlightenments the guest is offered: plain data.
 *
 * Their names are those of libvirt's <hyperv>; two more that it has elsewhere
 * have the name it gives them there.  What each stands for in CPUID is in
 * partition/enlightenment.h.
 */
#ifndef CONFIG_HYPERV_CONFIG_H
#define CONFIG_HYPERV_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct json_object;

enum hyperv_feature {
	HYPERV_RELAXED,
	HYPERV_VAPIC,
	HYPERV_SPINLOCKS,
	HYPERV_VPINDEX,
	HYPERV_RUNTIME,
	HYPERV_SYNIC,
	HYPERV_STIMER,
	HYPERV_STIMER_DIRECT, /* <stimer><direct> */
	HYPERV_RESET,
	HYPERV_VENDOR_ID, /* always there; it may be another */
	HYPERV_FREQUENCIES,
	HYPERV_REENLIGHTENMENT,
	HYPERV_TLBFLUSH,
	HYPERV_TLBFLUSH_DIRECT, /* <tlbflush><direct>: nested */
	HYPERV_TLBFLUSH_EXTENDED, /* <tlbflush><extended> */
	HYPERV_IPI,
	HYPERV_EVMCS, /* nested */
	HYPERV_AVIC,
	HYPERV_EMSR_BITMAP, /* nested */
	HYPERV_XMM_INPUT,
	HYPERV_CLOCK, /* <timer name='hypervclock'> */
	HYPERV_CRASH, /* <panic model='hyperv'> */
	HYPERV_N_FEATURES,
};

#define HYPERV_BIT(feature) (1u << (feature))

/* What the set begins with. */
enum hyperv_base {
	/* all that a host of the profile offers; <hyperv> is absent */
	HYPERV_OF_PROFILE,
	/* nothing; <hyperv mode='custom'>: exactly what is switched on */
	HYPERV_NOTHING,
	/*
	 * all that is implemented, whatever the profile had; <hyperv
	 * mode='passthrough'> and 'host-model'
	 */
	HYPERV_EVERYTHING,
};

#define HYPERV_SPINLOCKS_NEVER UINT32_MAX
/* libvirt takes no less. */
#define HYPERV_SPINLOCKS_MIN   4095u
#define HYPERV_VENDOR_ID_MAX   12u

struct hyperv_config {
	enum hyperv_base base;
	/* bits of features; then these are added, and those taken away */
	uint32_t on, off;
	/* HYPERV_SPINLOCKS_MIN or more; 0: the profile's */
	uint32_t spinlocks;
	/* 1 to HYPERV_VENDOR_ID_MAX characters; NULL: "Microsoft Hv" */
	char *vendor_id;
	/*
	 * The machine may be one in which no guest finds its devices, as
	 * without synic; else that is refused.
	 */
	bool incomplete;
};

void hyperv_config_clear(struct hyperv_config *hyperv);

/** hyperv_feature_name() - "stimer", "stimer-direct" … "clock", "crash" */
const char *hyperv_feature_name(enum hyperv_feature feature);

/** hyperv_feature_find() - by that name; -1: there is none */
int hyperv_feature_find(const char *name);

/**
 * hyperv_config_parse() - understand "[profile|none|all][,WORD]..."
 * @hyperv: changed
 *
 * A word is a feature's name, with '-' before it to take it away;
 * "spinlocks=N" and "vendor-id=TEXT" have a value; "incomplete".
 *
 * Return: 0, or -1 with @error (CONFIG_ERROR), "WORD: hint".
 */
int hyperv_config_parse(struct hyperv_config *hyperv, const char *text,
			GError **error);

/**
 * hyperv_config_features() - the set, as bits
 *
 * What was not switched on by name goes with what it needs.  Of the base
 * HYPERV_OF_PROFILE these are those that the guest may have.
 */
uint32_t hyperv_config_features(const struct hyperv_config *hyperv);

/**
 * hyperv_config_check() - is each feature there that another one needs?
 *
 * Return: 0, or -1 with @error (CONFIG_ERROR) that names the feature.
 */
int hyperv_config_check(const struct hyperv_config *hyperv, GError **error);

/** hyperv_config_json() - for `--print-config`; owned */
struct json_object *hyperv_config_json(const struct hyperv_config *hyperv);

#endif
