/* SPDX-License-Identifier: MIT */
/*
 * fuzz_agent.c - what a guest says that was asked to run a command.
 *
 * The first byte: whether a hello goes before the rest.  What comes out is
 * bounded by what came in; a status counts only from who said hello.
 */
#include "fuzz/fuzz.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "command/agent_wire.h"
#include "command/command.h"

static void say(int fd, const void *data, size_t bytes)
{
	expect(send(fd, data, bytes, MSG_DONTWAIT) == (ssize_t)bytes);
}

static void say_hello(int fd)
{
	static const struct agent_frame hello = {
		.kind = AGENT_HELLO,
		.len = sizeof(AGENT_MAGIC) - 1,
	};

	say(fd, &hello, sizeof(hello));
	say(fd, AGENT_MAGIC, sizeof(AGENT_MAGIC) - 1);
}

static void check(const struct command_result *r, size_t size)
{
	expect(r->connected || (!r->exited && !r->out_bytes && !r->err_bytes));
	expect(r->connected == (r->way != NULL));
	expect(r->out_bytes + r->err_bytes <= size);
	expect(!r->in_bytes);
	expect(r->status >= 0 && r->status <= 255);
	expect(!r->signal || r->status == 128 + r->signal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const struct command_streams streams = {null, null, null};
	struct command *c = command_new(NULL, &streams, NULL);
	struct command_result result;

	expect(null >= 0 && c != NULL);
	if (size && data[0] & 1)
		say_hello(command_serial(c));
	if (size > 1)
		say(command_serial(c), data + 1, size - 1);
	command_finish(c, &result);
	check(&result, size);
	command_free(c);
	close(null);
	return 0;
}
