/* SPDX-License-Identifier: MIT */
/*
 * channel_config.h - how a device's channels are served, as options of `--net`
 * and `--disk` say it: plain data.
 *
 * Both are bounded, as each costs a processor: nobody can have a channel that
 * is looked at for ever, or without a pause.
 */
#ifndef CONFIG_CHANNEL_CONFIG_H
#define CONFIG_CHANNEL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#define CONFIG_POLL_US_MAX    1000u
/*
 * The most where the time follows the guest: about what it takes to wake a
 * thread that sleeps on a host that runs in a machine itself.
 */
#define CONFIG_POLL_US_AUTO   50u
#define CONFIG_MONITOR_US_MIN 50u
/* What 16 bits have room for, in units of 100 ns. */
#define CONFIG_MONITOR_US_MAX 6553u

/* Microseconds; 0: not done. */
struct channel_config {
	/* an empty ring is looked at before the guest is to signal again */
	unsigned int poll_us;
	/* between two looks at the guest's bit in its monitor page */
	unsigned int monitor_us;
	/* poll_us was given; else the time follows what the guest does */
	bool has_poll;
};

/** channel_config_poll_ns() - as struct channel_params has it; so the next */
static inline uint64_t channel_config_poll_ns(const struct channel_config *c)
{
	return c->poll_us * UINT64_C(1000);
}

static inline uint64_t
channel_config_poll_max_ns(const struct channel_config *c)
{
	return c->has_poll ? 0 : CONFIG_POLL_US_AUTO * UINT64_C(1000);
}

static inline uint16_t
channel_config_monitor_100ns(const struct channel_config *c)
{
	return (uint16_t)(c->monitor_us * 10);
}

/** channel_config_knows() - is @key "poll" or "monitor"? */
bool channel_config_knows(const char *key);

/**
 * channel_config_set() - one of these options
 * @value: behind the '='; NULL: there was none
 *
 * Return: 0, or -1 with @error (CONFIG_ERROR), "WORD: hint".
 */
int channel_config_set(struct channel_config *c, const char *key,
		       const char *value, GError **error);

/**
 * channel_config_join() - what suits two devices that share a channel
 *
 * The longer time of polling that is given, and the shorter one between two
 * looks.
 */
void channel_config_join(struct channel_config *to,
			 const struct channel_config *other);

#endif
