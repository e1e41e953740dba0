/* SPDX-License-Identifier: MIT */
/*
 * main.c - the verbs, and which exit code each kind of failure has.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "base/clock.h"
#include "base/notify.h"
#include "base/pidfile.h"
#include "boot/boot.h"
#include "config/cli.h"
#include "config/machine_config.h"
#include "control/client.h"
#include "control/commands.h"
#include "control/control.h"
#include "devices/console.h"
#include "kvm/kvm.h"
#include "partition/profile.h"
#include "report/event_file.h"
#include "report/milestone.h"
#include "report/report.h"
#include "trace/flight.h"
#include "trace/trace_file.h"
#include "vm/doctor.h"
#include "vm/vm.h"
#include "vm/vm_events.h"

static int exit_code_of(const GError *error)
{
	if (error->domain == CLI_ERROR)
		return EXIT_USAGE;
	if (error->domain == CONFIG_ERROR || error->domain == BOOT_ERROR)
		return EXIT_CONFIG;
	if (error->domain == KVM_ERROR || error->domain == G_FILE_ERROR ||
	    error->domain == CONTROL_ERROR)
		return EXIT_HOST;
	return EXIT_FAILED;
}

static int fail(const GError *error)
{
	int code = exit_code_of(error);

	fprintf(stderr, "kvmbus: %s\n", error->message);
	if (code == EXIT_USAGE)
		fputs("Try 'kvmbus --help'.\n", stderr);
	return code;
}

/* A signal that kills us must not leave the user's terminal raw. */
static void on_fatal_signal(int number)
{
	console_restore_terminal();
	raise(number);
}

/* Nor one that stops us. */
static void on_stop(int number)
{
	(void)number;
	console_stop_terminal();
	raise(SIGSTOP);
}

static void on_continue(int number)
{
	(void)number;
	console_continue_terminal();
}

static void install_handlers(void)
{
	static const int fatal[] = {SIGSEGV, SIGBUS,  SIGILL,  SIGFPE,
				    SIGABRT, SIGQUIT, SIGTRAP, SIGSYS,
				    SIGALRM, SIGXCPU, SIGUSR1, SIGUSR2};
	struct sigaction action = {
		.sa_handler = on_fatal_signal,
		.sa_flags = (int)SA_RESETHAND,
	};
	const struct sigaction stop = {.sa_handler = on_stop,
				       .sa_flags = SA_RESTART};
	const struct sigaction go_on = {.sa_handler = on_continue,
					.sa_flags = SA_RESTART};

	for (size_t i = 0; i < G_N_ELEMENTS(fatal); i++)
		sigaction(fatal[i], &action, NULL);
	sigaction(SIGTSTP, &stop, NULL);
	sigaction(SIGCONT, &go_on, NULL);
	/* A reader of our output that goes away is an error of write(2). */
	signal(SIGPIPE, SIG_IGN);
	/* An image that may not grow is an error of its disk. */
	signal(SIGXFSZ, SIG_IGN);
}

/* One line for a person; the report has the rest. */
static void say_outcome(const struct outcome *outcome)
{
	if (outcome->kind == OUTCOME_POWEROFF ||
	    outcome->kind == OUTCOME_TEST_EXIT)
		return;
	fprintf(stderr, "kvmbus: %s%s%s (exit code %d)\n",
		outcome_name(outcome->kind), outcome->detail ? ": " : "",
		outcome->detail ? outcome->detail : "", outcome->exit_code);
}

/* What happened last, if the end is one that somebody will ask about. */
static void say_flight(const struct machine_config *config,
		       enum outcome_kind kind)
{
	GString *text;

	if (kind != OUTCOME_PANIC && kind != OUTCOME_TRIPLE_FAULT &&
	    kind != OUTCOME_TIMEOUT && kind != OUTCOME_FAILED)
		return;
	text = flight_text(config->trace.flight_lines, TRACE_TEXT);
	if (text->len)
		fprintf(stderr,
			"kvmbus: what happened last (kvmbus-trace(7)):\n%s",
			text->str);
	g_string_free(text, TRUE);
}

/* What is around a machine that runs. */
struct surroundings {
	struct pidfile *pidfile;
	struct event_file *events;
	struct commands *commands;
	struct control *control;
};

static void tell_clients(void *control, const char *line)
{
	control_event(control, line);
}

static void write_event(void *file, const char *line)
{
	event_file_write(file, line);
}

/* @where: NULL: the first that was passed.  Return: NULL with @error set. */
static struct control *open_control(const char *where,
				    struct commands *commands, GError **error)
{
	guint64 fd = NOTIFY_FDS_START;

	if (where && !g_str_has_prefix(where, "fd="))
		return control_new(where, vm_commands, commands, error);
	if (where && !g_ascii_string_to_unsigned(where + strlen("fd="), 10, 0,
						 G_MAXINT, &fd, NULL)) {
		g_set_error(
			error, CLI_ERROR, 0,
			"--control %s: expected a number behind fd=", where);
		return NULL;
	}
	return control_new_fd((int)fd, vm_commands, commands, error);
}

static void clear(struct surroundings *s)
{
	control_free(s->control);
	commands_free(s->commands);
	event_file_close(s->events);
	pidfile_free(s->pidfile);
}

/* Return: 0; -1 with @error set, and what there is to be cleared. */
static int surround(struct surroundings *s, struct vm *vm,
		    const struct machine_config *config, int n_passed,
		    GError **error)
{
	struct vm_events *events = vm_event_source(vm);

	if (config->pidfile) {
		s->pidfile = pidfile_new(config->pidfile, error);
		if (!s->pidfile)
			return -1;
	}
	if (config->events) {
		s->events = event_file_open(config->events, error);
		if (!s->events)
			return -1;
		vm_events_listen(events, write_event, s->events);
	}
	s->commands = commands_new(vm);
	if (!config->control && !n_passed)
		return 0;
	s->control = open_control(config->control, s->commands, error);
	if (!s->control)
		return -1;
	vm_events_listen(events, tell_clients, s->control);
	return 0;
}

static void say_stopping(const struct outcome *outcome)
{
	g_autofree char *state = g_strdup_printf(
		"STOPPING=1\nSTATUS=%s (exit code %d)",
		outcome_name(outcome->kind), outcome->exit_code);

	notify_send(state);
}

static int run_machine(const struct machine_config *config, uint64_t start_ns,
		       int n_passed)
{
	g_autoptr(GError) error = NULL;
	struct surroundings around = {0};
	struct outcome outcome;
	struct vm *vm;
	int code;

	vm = vm_new(config, start_ns, &error);
	if (!vm)
		return fail(error);
	if (surround(&around, vm, config, n_passed, &error)) {
		clear(&around);
		vm_free(vm);
		return fail(error);
	}
	notify_send("READY=1\nSTATUS=running");
	vm_run(vm, &outcome);
	/* Nobody would answer. */
	control_free(g_steal_pointer(&around.control));
	say_stopping(&outcome);
	say_flight(config, outcome.kind);
	say_outcome(&outcome);
	code = outcome.exit_code;
	if (vm_report(vm, &outcome, &error)) {
		fprintf(stderr, "kvmbus: --report: %s\n", error->message);
		if (!code)
			code = EXIT_FAILED;
	}
	outcome_clear(&outcome);
	clear(&around);
	vm_free(vm);
	return code;
}

static int run(const struct machine_config *config, uint64_t start_ns)
{
	const struct trace_config *t = &config->trace;
	struct trace_file *trace = NULL;
	g_autoptr(GError) error = NULL;
	int code, n_passed = notify_init();

	if (machine_config_validate(config, &error))
		return fail(error);
	if (config->print_config) {
		g_autofree char *json = machine_config_json(config);

		puts(json);
		return 0;
	}
	install_handlers();
	if (t->file) {
		trace = trace_file_start(t->file, t->mask,
					 t->json ? TRACE_JSON : TRACE_TEXT,
					 &error);
		if (!trace)
			return fail(error);
	}
	code = run_machine(config, start_ns, n_passed);
	trace_file_stop(trace);
	return code;
}

static int profile_exists(const char *name)
{
	return profile_find(name) != NULL;
}

/*
 * What was started without standard descriptors would have others of ours in
 * their place, and take them for the terminal.
 */
static void fill_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	static const struct cli_names names = {
		.milestone = milestone_find,
		.profile = profile_exists,
	};
	uint64_t start_ns = clock_monotonic_ns();
	g_autoptr(GError) error = NULL;
	struct cli cli;
	int code;

	(void)argc;
	fill_standard_descriptors();
	if (cli_parse(argv, &names, &cli, &error)) {
		cli_clear(&cli);
		return fail(error);
	}
	switch (cli.verb) {
	case CLI_RUN:
		code = run(cli.config, start_ns);
		break;
	case CLI_DOCTOR:
		code = doctor_run(stdout);
		break;
	case CLI_PROFILES:
		code = cli.profile ? profile_print(profile_find(cli.profile),
						   stdout)
				   : profile_list_print(stdout);
		code = code ? EXIT_FAILED : 0;
		break;
	case CLI_CTL:
		code = control_client(cli.ctl, vm_commands, stdout, stderr);
		break;
	case CLI_VERSION:
		puts("kvmbus " KVMBUS_VERSION);
		code = 0;
		break;
	case CLI_HELP:
	default:
		cli_help(stdout);
		code = 0;
		break;
	}
	cli_clear(&cli);
	return code;
}
