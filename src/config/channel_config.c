/* SPDX-License-Identifier: MIT */
#include "config/channel_config.h"

#include <stddef.h>
#include <string.h>

#include "config/machine_config.h"
#include "config/option_list.h"

static const struct row {
	const char *key;
	size_t field; /* of struct channel_config, an unsigned int */
	unsigned int min, max; /* beside 0 */
} rows[] = {
	{"poll", offsetof(struct channel_config, poll_us), 1,
	 CONFIG_POLL_US_MAX},
	{"monitor", offsetof(struct channel_config, monitor_us),
	 CONFIG_MONITOR_US_MIN, CONFIG_MONITOR_US_MAX},
};

static const struct row *find(const char *key)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (!strcmp(rows[i].key, key))
			return &rows[i];
	}
	return NULL;
}

bool channel_config_knows(const char *key)
{
	return find(key) != NULL;
}

int channel_config_set(struct channel_config *c, const char *key,
		       const char *value, GError **error)
{
	const struct row *row = find(key);
	guint64 us;

	if (!row)
		return option_refuse(error, key, "no such option");
	if (!value ||
	    !g_ascii_string_to_unsigned(value, 10, 0, row->max, &us, NULL) ||
	    (us && us < row->min)) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "%s: expected %u to %u microseconds, or 0", key,
			    row->min, row->max);
		return -1;
	}
	*(unsigned int *)(void *)((char *)c + row->field) = (unsigned int)us;
	if (row->field == offsetof(struct channel_config, poll_us))
		c->has_poll = true;
	return 0;
}

void channel_config_join(struct channel_config *to,
			 const struct channel_config *other)
{
	to->poll_us = MAX(to->poll_us, other->poll_us);
	to->has_poll |= other->has_poll;
	if (!to->monitor_us ||
	    (other->monitor_us && other->monitor_us < to->monitor_us))
		to->monitor_us = other->monitor_us;
}
