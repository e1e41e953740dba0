/* SPDX-License-Identifier: MIT */
#include "devices/block/block_open.h"

#include <string.h>

#include "devices/block/nbd.h"
#include "devices/block/raw.h"
#include "devices/block/raw_impl.h"

static const struct {
	const char *ending, *format;
} endings[] = {
	{".qcow2", "qcow2"}, {".vhdx", "vhdx"}, {".vhd", "vpc"},
	{".vpc", "vpc"},     {".vmdk", "vmdk"}, {".vdi", "vdi"},
};

const char *block_format(const struct block_options *options)
{
	size_t len = strlen(options->path);

	if (options->format)
		return options->format;
	if (options->remote)
		return "raw";
	for (unsigned int i = 0; i < G_N_ELEMENTS(endings); i++) {
		size_t end = strlen(endings[i].ending);

		if (len > end && !g_ascii_strcasecmp(options->path + len - end,
						     endings[i].ending))
			return endings[i].format;
	}
	return "raw";
}

struct block *block_open(const struct block_options *options, GError **error)
{
	const char *format = block_format(options);

	if (options->remote)
		return block_nbd_connect(options, error);
	if (!strcmp(format, "raw"))
		return raw_open(options, error);
	if (options->shareable) {
		/* Two who keep the tables of one image would destroy it. */
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
			    "%s: only raw images can be shared", options->path);
		return NULL;
	}
	return block_nbd_open(options, format, error);
}

bool block_has_io_uring(void)
{
	return !raw_uring_usable();
}

/* --- words -------------------------------------------------------------------- */

struct word {
	const char *word;
	int value;
};

static bool parse(const struct word *words, unsigned int n, const char *word,
		  int *value)
{
	for (unsigned int i = 0; i < n; i++)
		if (!strcmp(words[i].word, word)) {
			*value = words[i].value;
			return true;
		}
	return false;
}

bool block_cache_parse(const char *word, enum block_cache *cache)
{
	static const struct word words[] = {
		{"default", BLOCK_CACHE_WRITEBACK},
		{"writeback", BLOCK_CACHE_WRITEBACK},
		{"none", BLOCK_CACHE_NONE},
		{"writethrough", BLOCK_CACHE_WRITETHROUGH},
		{"directsync", BLOCK_CACHE_DIRECTSYNC},
		{"unsafe", BLOCK_CACHE_UNSAFE},
	};

	return parse(words, G_N_ELEMENTS(words), word, (int *)cache);
}

bool block_discard_parse(const char *word, enum block_discard *discard)
{
	static const struct word words[] = {
		{"unmap", BLOCK_DISCARD_UNMAP},
		{"ignore", BLOCK_DISCARD_IGNORE},
	};

	return parse(words, G_N_ELEMENTS(words), word, (int *)discard);
}

bool block_detect_parse(const char *word, enum block_detect *detect)
{
	static const struct word words[] = {
		{"off", BLOCK_DETECT_OFF},
		{"on", BLOCK_DETECT_ON},
		{"unmap", BLOCK_DETECT_UNMAP},
	};

	return parse(words, G_N_ELEMENTS(words), word, (int *)detect);
}

bool block_aio_parse(const char *word, enum block_aio *aio)
{
	static const struct word words[] = {
		{"io_uring", BLOCK_AIO_IO_URING},
		{"native", BLOCK_AIO_IO_URING},
		{"threads", BLOCK_AIO_THREADS},
	};

	return parse(words, G_N_ELEMENTS(words), word, (int *)aio);
}

bool block_policy_parse(const char *word, enum block_policy *policy)
{
	static const struct word words[] = {
		{"report", BLOCK_REPORT},
		{"stop", BLOCK_STOP},
		{"ignore", BLOCK_IGNORE},
		{"enospace", BLOCK_ENOSPACE},
	};

	return parse(words, G_N_ELEMENTS(words), word, (int *)policy);
}
