/* SPDX-License-Identifier: MIT */
/*
 * option_list.h - "WORD,key=value,key": the form that devices have on the
 * command line.
 */
#ifndef CONFIG_OPTION_LIST_H
#define CONFIG_OPTION_LIST_H

/**
 * option_list_next() - the next word up to a comma, of which two are one
 * @at: moved behind it; NULL when it was the last
 *
 * Return: owned.
 */
char *option_list_next(const char **at);

#endif
