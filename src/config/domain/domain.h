/* SPDX-License-Identifier: MIT */
/*
 * domain.h - libvirt's domain XML to a machine_config, and what became of each
 * element.
 *
 * Theory of operation.  Tables (rule_*.c) have a row for each element and
 * attribute: its path, whether it is honoured, ignored or refused, the words
 * that it may have, what it does or what to write instead, and a function that
 * puts its value into the configuration.  walk.c goes through the document
 * once and asks the tables; what no row knows is refused, so nothing is passed
 * over in silence.  `kvmbus check` and the manual page kvmbus-domain(5) are
 * printed from what the rows say.  All that is wrong is reported, not only the
 * first.
 *
 * The file may be anybody's: see document.h for its bounds.  It can name any
 * file of the host for the guest, as a command line can.
 *
 * Source: libvirt docs/formatdomain.rst; src/hyperv/hyperv_driver.c for what
 * libvirt says of a real Hyper-V.
 */
#ifndef CONFIG_DOMAIN_DOMAIN_H
#define CONFIG_DOMAIN_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <glib.h>

struct domain_lookup;
struct machine_config;

/* What became of an element or attribute. */
enum domain_verdict {
	DOMAIN_HONOURED,
	DOMAIN_IGNORED, /* it does nothing, or not what it does in libvirt */
	DOMAIN_REFUSED, /* no machine is made */
	DOMAIN_NOTE, /* good to know; no fault of the file */
	DOMAIN_VERDICTS,
};

struct domain_message {
	enum domain_verdict verdict;
	unsigned int line; /* 0: of no line */
	char *path; /* "memory@unit"; NULL: of no element */
	char *text; /* a sentence; NULL: nothing to say */
};

struct domain_report {
	char *file;
	GPtrArray *messages; /* struct domain_message, by line */
	unsigned int n[DOMAIN_VERDICTS];
};

struct domain_options {
	bool strict; /* what would be ignored is refused */
	/* "FROM=TO", NULL-terminated; NULL: none.  See map.h */
	const char *const *map_disk, *const *map_bridge;
	/* is there a profile of that name?  NULL: any is one */
	int (*profile)(const char *name);
	/* what libvirt knows of networks and volumes; NULL: nobody to ask */
	struct domain_lookup *lookup;
	/* of libvirt's schema, which is asked too, for notes; NULL: it is not */
	const char *schema;
};

/* Where libvirt installs it. */
#define DOMAIN_SCHEMA "/usr/share/libvirt/schemas/domain.rng"

/**
 * domain_read() - read the domain in @file
 * @config: its defaults, or what others have said; filled in
 * @report: owned by the caller, also after an error
 *
 * Return: 0; -1 with @error (CONFIG_ERROR), after which @config is half
 * filled: the file cannot be read, or @report has something refused.
 */
int domain_read(const char *file, const struct domain_options *options,
		struct machine_config *config, struct domain_report **report,
		GError **error);

/** domain_parse() - the same for text; @name: what messages call it */
int domain_parse(const char *text, size_t bytes, const char *name,
		 const struct domain_options *options,
		 struct machine_config *config, struct domain_report **report,
		 GError **error);

/** domain_report_print() - "FILE:LINE: PATH: VERDICT: TEXT", and a summary */
void domain_report_print(const struct domain_report *report, FILE *out);

/**
 * domain_report_complain() - "FILE:LINE: PATH: TEXT"
 * @verbose: also of what was ignored
 */
void domain_report_complain(const struct domain_report *report, bool verbose,
			    FILE *out);

/** domain_report_json() - the same as JSON, owned */
char *domain_report_json(const struct domain_report *report);

void domain_report_free(struct domain_report *report);

/** domain_elements_print() - the manual page's table, for scdoc */
void domain_elements_print(FILE *out);

#endif
