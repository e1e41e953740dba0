/* SPDX-License-Identifier: MIT */
#include "config/disk_config.h"

#include <stddef.h>
#include <string.h>

#include "config/machine_config.h"
#include "config/option_list.h"

const char *disk_bus_name(enum disk_bus bus)
{
	return bus == DISK_IDE ? "ide" : "scsi";
}

void disk_config_free(struct disk_config *disk)
{
	if (!disk)
		return;
	g_free(disk->path);
	g_free(disk->format);
	g_free(disk->cache);
	g_free(disk->serial);
	g_free(disk->vendor);
	g_free(disk->product);
	g_free(disk->io);
	g_free(disk->error_policy);
	g_free(disk->rerror_policy);
	g_free(disk->discard);
	g_free(disk->detect_zeroes);
	disk_limits_clear(&disk->limits);
	g_free(disk);
}

static int set_bus(struct disk_config *d, const char *value, GError **error)
{
	if (!g_strcmp0(value, "scsi"))
		d->bus = DISK_SCSI;
	else if (!g_strcmp0(value, "ide"))
		d->bus = DISK_IDE;
	else
		return option_refuse(error, "bus", "expected scsi or ide");
	return 0;
}

/* Options whose value is one of a few words. */
static const struct choice {
	const char *key;
	size_t field; /* of struct disk_config, a char * */
	const char *words[6];
	const char *hint;
} choices[] = {
	{"cache",
	 offsetof(struct disk_config, cache),
	 {"writeback", "none", "writethrough", "directsync", "unsafe"},
	 "expected writeback, none, writethrough, directsync or unsafe"},
	{"io",
	 offsetof(struct disk_config, io),
	 {"io_uring", "native", "threads"},
	 "expected io_uring, native or threads"},
	{"error-policy",
	 offsetof(struct disk_config, error_policy),
	 {"stop", "report", "ignore", "enospace"},
	 "expected stop, report, ignore or enospace"},
	{"rerror-policy",
	 offsetof(struct disk_config, rerror_policy),
	 {"stop", "report", "ignore"},
	 "expected stop, report or ignore"},
	{"discard",
	 offsetof(struct disk_config, discard),
	 {"unmap", "ignore"},
	 "expected unmap or ignore"},
	{"detect-zeroes",
	 offsetof(struct disk_config, detect_zeroes),
	 {"off", "on", "unmap"},
	 "expected off, on or unmap"},
};

static const struct choice *find_choice(const char *key)
{
	for (size_t i = 0; i < G_N_ELEMENTS(choices); i++) {
		if (!strcmp(choices[i].key, key))
			return &choices[i];
	}
	return NULL;
}

static int set_choice(struct disk_config *d, const struct choice *c,
		      const char *value, GError **error)
{
	char **field = (char **)(void *)((char *)d + c->field);

	if (!value || !g_strv_contains(c->words, value))
		return option_refuse(error, c->key, c->hint);
	return option_set_text(field, c->key, value, error);
}

static int set_block_size(struct disk_config *d, const char *value,
			  GError **error)
{
	if (!g_strcmp0(value, "512"))
		d->block_bytes = 512;
	else if (!g_strcmp0(value, "4096"))
		d->block_bytes = 4096;
	else
		return option_refuse(error, "block-size",
				     "expected 512 or 4096");
	return 0;
}

uint64_t disk_config_wwn(const char *text)
{
	guint64 wwn;

	if (strlen(text) != 16 ||
	    !g_ascii_string_to_unsigned(text, 16, 0, G_MAXUINT64, &wwn, NULL))
		return 0;
	/* NAA, in the first digit: of the IEEE, extended or registered */
	return wwn >> 60 == 2 || wwn >> 60 == 5 ? wwn : 0;
}

static int set_wwn(struct disk_config *d, const char *value, GError **error)
{
	d->wwn = value ? disk_config_wwn(value) : 0;
	return d->wwn ? 0
		      : option_refuse(error, "wwn",
				      "expected 16 hexadecimal digits, of "
				      "which the first is 5 or 2");
}

static int set_option(struct disk_config *d, char *word, GError **error)
{
	char *value = strchr(word, '=');
	const struct choice *choice;

	if (value)
		*value++ = '\0';
	choice = find_choice(word);
	if (choice)
		return set_choice(d, choice, value, error);
	if (disk_limits_knows(word))
		return disk_limits_set(&d->limits, word, value, error);
	if (channel_config_knows(word))
		return channel_config_set(&d->channel, word, value, error);
	if (!strcmp(word, "format"))
		return option_set_text(&d->format, word, value, error);
	if (!strcmp(word, "block-size"))
		return set_block_size(d, value, error);
	if (!strcmp(word, "serial"))
		return option_set_text(&d->serial, word, value, error);
	if (!strcmp(word, "vendor"))
		return option_set_text(&d->vendor, word, value, error);
	if (!strcmp(word, "product"))
		return option_set_text(&d->product, word, value, error);
	if (!strcmp(word, "wwn"))
		return set_wwn(d, value, error);
	if (!strcmp(word, "shareable"))
		return option_set_flag(&d->shareable, word, value, error);
	if (!strcmp(word, "bus"))
		return set_bus(d, value, error);
	if (!strcmp(word, "readonly"))
		return option_set_flag(&d->readonly, word, value, error);
	if (!strcmp(word, "snapshot"))
		return option_set_flag(&d->snapshot, word, value, error);
	if (!strcmp(word, "dvd"))
		return option_set_flag(&d->dvd, word, value, error);
	return option_refuse(
		error, word,
		"no such option; format=, cache=, io=, serial=, wwn=, "
		"vendor=, product=, bus=, "
		"block-size=, discard=, detect-zeroes=, error-policy=, "
		"rerror-policy=, bps=, iops= (see the manual), "
		"throttle-group=, poll=, monitor=, readonly, shareable, "
		"snapshot or dvd");
}

static int check_text(const char *key, const char *text, size_t max,
		      GError **error)
{
	g_autofree char *long_hint =
		g_strdup_printf("at most %zu characters", max);

	if (text && strlen(text) > max)
		return option_refuse(error, key, long_hint);
	for (const char *c = text; c && *c; c++) {
		if (!g_ascii_isgraph(*c) && *c != ' ')
			return option_refuse(error, key,
					     "printable ASCII characters");
	}
	return 0;
}

bool disk_config_is_nbd(const char *path)
{
	return path && (g_str_has_prefix(path, "nbd://") ||
			g_str_has_prefix(path, "nbd+unix://"));
}

/* What is done with files of the host is the server's. */
static int check_nbd(const struct disk_config *d, GError **error)
{
	static const char *const caches[] = {"none", "writeback", NULL};
	static const char hint[] = "is the NBD server's to choose";

	if (d->format && strcmp(d->format, "raw"))
		return option_refuse(error, "format",
				     "what an NBD server has is raw");
	if (d->snapshot)
		return option_refuse(error, "snapshot", hint);
	if (d->io)
		return option_refuse(error, "io", hint);
	if (d->detect_zeroes && strcmp(d->detect_zeroes, "off"))
		return option_refuse(error, "detect-zeroes", hint);
	if (d->cache && !g_strv_contains(caches, d->cache))
		return option_refuse(error, "cache", hint);
	return 0;
}

int disk_config_check(const struct disk_config *d, GError **error)
{
	if (!d->path && !d->dvd)
		return option_refuse(error, "path", "there is none");
	if (disk_config_is_nbd(d->path) && check_nbd(d, error))
		return -1;
	if (d->dvd && d->bus == DISK_IDE)
		return option_refuse(error, "dvd", "only on bus=scsi");
	if (check_text("serial", d->serial, CONFIG_DISK_SERIAL_MAX, error) ||
	    check_text("vendor", d->vendor, CONFIG_DISK_VENDOR_MAX, error) ||
	    check_text("product", d->product, CONFIG_DISK_PRODUCT_MAX, error))
		return -1;
	return disk_limits_check(&d->limits, error);
}

struct disk_config *disk_config_parse(const char *text, GError **error)
{
	struct disk_config *d = g_new0(struct disk_config, 1);
	int failed = 0;

	d->path = option_list_next(&text);
	if (!*d->path)
		g_clear_pointer(&d->path, g_free);
	while (text && !failed) {
		g_autofree char *word = option_list_next(&text);

		failed = set_option(d, word, error);
	}
	if (!failed)
		failed = disk_config_check(d, error);
	if (!failed)
		return d;
	disk_config_free(d);
	return NULL;
}
