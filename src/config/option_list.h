/* SPDX-License-Identifier: MIT */
/*
 * option_list.h - "WORD,key=value,key": the form that devices have on the
 * command line.
 */
#ifndef CONFIG_OPTION_LIST_H
#define CONFIG_OPTION_LIST_H

#include <stdbool.h>

#include <glib.h>

/**
 * option_list_next() - the next word up to a comma, of which two are one
 * @at: moved behind it; NULL when it was the last
 *
 * Return: owned.
 */
char *option_list_next(const char **at);

/*
 * All below return 0, or -1 with @error (CONFIG_ERROR) set to "WORD: hint".
 */

/** option_refuse() - say what is wrong with @word; Return: -1 */
int option_refuse(GError **error, const char *word, const char *hint);

/**
 * option_set_text() - for an option that wants any text
 * @field: owned text, replaced
 * @value: behind the '='; NULL: there was none
 */
int option_set_text(char **field, const char *key, const char *value,
		    GError **error);

/** option_set_flag() - for an option that stands alone */
int option_set_flag(bool *flag, const char *key, const char *value,
		    GError **error);

#endif
