/* SPDX-License-Identifier: MIT */
/*
 * client.h - `kvmbus ctl`: the other end of a control socket.
 */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

#include <stdio.h>

struct control_command;

/**
 * control_client() - send one command, wait for its answer, print it
 * @args: socket, command and arguments, NULL-terminated; an argument is the
 *        command's next parameter, or NAME=VALUE for a certain one
 *
 * A result with a single value is printed as that; any other as JSON.
 * Return: exit code: 0; 1 the machine refused; 2 usage; 4 nobody listens.
 */
int control_client(char **args, const struct control_command *commands,
		   FILE *out, FILE *err);

/** control_usage() - what `kvmbus ctl` prints without a command */
void control_usage(const struct control_command *commands, FILE *out);

#endif
