/* SPDX-License-Identifier: MIT */
/*
 * domain_private.h - what the walk, the tables and their functions know of
 * each other.
 */
#ifndef CONFIG_DOMAIN_DOMAIN_PRIVATE_H
#define CONFIG_DOMAIN_DOMAIN_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <libxml/tree.h>

#include "config/domain/domain.h"

struct disk_config;
struct net_config;
struct serial_config;

#define DOMAIN_URI      "urn:kvmbus:domain:1"
#define DOMAIN_QEMU_URI "http://libvirt.org/schemas/domain/qemu/1.0"

/* A controller, disk or card that others can name by its alias. */
struct domain_device {
	char *alias; /* NULL: none */
	const xmlNode *node;
	unsigned int refused; /* how much was, before it */
	struct disk_config *disk; /* borrowed; NULL: it is none */
	struct net_config *net;
};

/* A domain while it is read. */
struct domain {
	const struct domain_options *options;
	struct machine_config *config;
	struct domain_report *report;
	/* where we are: the element, and the path with its attribute */
	const xmlNode *node;
	const char *path;
	bool of_hyperv; /* type='hyperv': as libvirt says it of a Hyper-V */
	/* said in several places, put together at the end */
	struct {
		uint64_t memory, current, max; /* bytes; 0: not said */
		bool has_slots; /* of <maxMemory> */
		bool uses_sysinfo; /* <smbios mode='sysinfo'> */
		const xmlNode *vsock, *console; /* NULL: there is none */
		struct serial_config *serials[4]; /* by port; NULL: none */
	} said;
	bool is_other; /* a value says that the element is not what we know */
	/* the device that is read, and all that were */
	struct domain_device *device;
	GPtrArray *devices; /* struct domain_device */
	struct disk_config *disk;
	struct net_config *net;
	struct serial_config *serial;
};

enum domain_policy {
	HONOUR,
	IGNORE,
	REFUSE
};

typedef void (*domain_step)(struct domain *d);
typedef void (*domain_set)(struct domain *d, const char *value);

/*
 * A row.  Paths are below <domain>, whose own is "domain": "memory",
 * "memory@unit", "devices/disk/source@file".  A name may be "*".  With a value
 * behind it, as in "devices/disk@device=floppy", a row is of that value only,
 * and of more weight than the one without.
 */
struct domain_rule {
	const char *path;
	enum domain_policy policy;
	/*
	 * For the manual page and `check`: what it does (HONOUR), why it does
	 * nothing (IGNORE), what to write instead (REFUSE).
	 */
	const char *help;
	const char *words; /* "on|off": what the value may be; NULL: anything */
	/*
	 * With its attribute or text, trimmed.  An element with neither this
	 * nor words nor may_be_empty has no text.
	 */
	domain_set set;
	domain_step enter, leave; /* around attributes and children */
	bool many; /* it may be there more than once */
	bool may_be_empty; /* its text; set() is not called then */
};

#define RULE(path_, policy_, help_, ...)                                     \
	{                                                                    \
		.path = path_, .policy = policy_, .help = help_, __VA_ARGS__ \
	}

struct domain_rules {
	const char *title;
	const struct domain_rule *rules;
	size_t n;
};

#define DOMAIN_TABLES 7
extern const struct domain_rules *const domain_tables[DOMAIN_TABLES];

extern const struct domain_rules domain_machine_rules;
extern const struct domain_rules domain_feature_rules;
extern const struct domain_rules domain_hyperv_rules;
extern const struct domain_rules domain_disk_rules;
extern const struct domain_rules domain_net_rules;
extern const struct domain_rules domain_device_rules;
extern const struct domain_rules domain_own_rules;

/** domain_walk() - the whole document; @root: <domain> */
void domain_walk(struct domain *d, const xmlNode *root);

/** domain_check_hyperv() - at <domain>'s end: does <hyperv> make sense? */
void domain_check_hyperv(struct domain *d);

/** domain_place_disks() - at its end: where disks without an <address> are */
void domain_place_disks(struct domain *d);

/** domain_check_nets() - at its end: are the cards different? */
void domain_check_nets(struct domain *d);

/** domain_finish_serials() - at its end: into the configuration */
void domain_finish_serials(struct domain *d);

/** domain_check_vsock() - at its end: does anybody say where it is? */
void domain_check_vsock(struct domain *d);

/** domain_check_schema() - the notes of options->schema, if it can be read */
void domain_check_schema(struct domain *d, xmlDoc *doc);

/** domain_device_add() - the element that is walked is a device; borrowed */
struct domain_device *domain_device_add(struct domain *d);

/* --- saying ------------------------------------------------------------------ */

/** domain_say() - of what is walked */
void domain_say(struct domain *d, enum domain_verdict verdict,
		const char *format, ...) G_GNUC_PRINTF(3, 4);

/** domain_say_of() - of another element */
void domain_say_of(struct domain *d, enum domain_verdict verdict,
		   const xmlNode *node, const char *path, const char *format,
		   ...) G_GNUC_PRINTF(5, 6);

/* It is wrong: say what, and what to write instead. */
#define domain_refuse(d, ...) domain_say(d, DOMAIN_REFUSED, __VA_ARGS__)
/* It does not do what it says. */
#define domain_ignore(d, ...) domain_say(d, DOMAIN_IGNORED, __VA_ARGS__)

/**
 * domain_refuse_error() - say and free @error, perhaps of another element
 * @node: NULL: of what is walked
 */
void domain_refuse_error(struct domain *d, const xmlNode *node,
			 const char *path, GError *error);

/* --- values ------------------------------------------------------------------ */

/** domain_attr() - of the element that is walked; NULL; owned */
char *domain_attr(const struct domain *d, const char *name);

/** domain_child() - the first of that name; NULL */
const xmlNode *domain_child(const xmlNode *node, const char *name);

/** domain_child_attr() - of the first child of that name; NULL; owned */
char *domain_child_attr(const struct domain *d, const char *child,
			const char *name);

/** domain_node_attr() - of any element; NULL; owned */
char *domain_node_attr(const xmlNode *node, const char *name);

/** domain_number() - from @min to @max; says what is wrong, and is false */
bool domain_number(struct domain *d, const char *value, uint64_t min,
		   uint64_t max, uint64_t *number);

/**
 * domain_bytes() - a number and its @unit, as libvirt's: b, KB, KiB, k, …
 * @unit: NULL: KiB
 */
bool domain_bytes(struct domain *d, const char *value, const char *unit,
		  uint64_t *bytes);

/** domain_on() - is it "on", "yes"?  The words are checked */
bool domain_on(const char *value);

/** domain_replace() - @field is a copy of @value */
void domain_replace(char **field, const char *value);

/** domain_path() - a path of the host: it must be absolute */
bool domain_path(struct domain *d, const char *value);

#endif
