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
#include "base/signals.h"
#include "boot/boot.h"
#include "command/newc.h"
#include "command/session.h"
#include "config/cli.h"
#include "config/domain/domain.h"
#include "config/domain/lookup.h"
#include "config/fault_config.h"
#include "config/machine_config.h"
#include "control/client.h"
#include "control/commands.h"
#include "control/control.h"
#include "devices/console.h"
#include "kvm/kvm.h"
#include "matrix/matrix.h"
#include "partition/profile.h"
#include "proto/vmbus.h"
#include "report/event_file.h"
#include "report/milestone.h"
#include "report/report.h"
#include "report/report_verb.h"
#include "report/rules.h"
#include "report/status_line.h"
#include "trace/flight.h"
#include "trace/trace_file.h"
#include "vm/doctor.h"
#include "vm/vm.h"
#include "vm/vm_events.h"

static int exit_code_of(const GError *error)
{
	if (error->domain == CLI_ERROR)
		return EXIT_USAGE;
	if (error->domain == CONFIG_ERROR || error->domain == BOOT_ERROR ||
	    error->domain == GUEST_ERROR)
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

static void handle(int number, const struct sigaction *action)
{
	if (!signal_is_ignored(number))
		sigaction(number, action, NULL);
}

static void install_handlers(void)
{
	/*
	 * The last three get others as soon as there is a guest that can be
	 * asked, vm_watch_signals(); the terminal is raw before that.
	 */
	static const int fatal[] = {SIGSEGV, SIGBUS,  SIGILL, SIGFPE,  SIGABRT,
				    SIGQUIT, SIGTRAP, SIGSYS, SIGALRM, SIGXCPU,
				    SIGUSR1, SIGUSR2, SIGHUP, SIGINT,  SIGTERM};
	struct sigaction action = {
		.sa_handler = on_fatal_signal,
		.sa_flags = (int)SA_RESETHAND,
	};
	const struct sigaction stop = {.sa_handler = on_stop,
				       .sa_flags = SA_RESTART};
	const struct sigaction go_on = {.sa_handler = on_continue,
					.sa_flags = SA_RESTART};

	for (size_t i = 0; i < G_N_ELEMENTS(fatal); i++)
		handle(fatal[i], &action);
	handle(SIGTSTP, &stop);
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
	    outcome->kind == OUTCOME_TEST_EXIT ||
	    outcome->kind == OUTCOME_COMMAND)
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

/* What the guest said at last, where nobody has seen it. */
#define LAST_LINES 60

static void show_console(struct vm *vm)
{
	g_autofree char *tail = vm_console_tail(vm);
	const char *from = tail + strlen(tail);

	for (unsigned int n = 0; from > tail && n <= LAST_LINES;) {
		n += from[-1] == '\n' && *from;
		if (n < LAST_LINES)
			from--;
		else
			break;
	}
	if (!*tail)
		fputs("kvmbus: the guest's console has said nothing\n", stderr);
	else
		fprintf(stderr, "kvmbus: the end of the guest's console:\n%s",
			from);
}

/* How often the line is brought up to date. */
#define LINE_MS 200

/* Where nothing else is on the terminal; NULL. */
static struct status_line *make_line(const struct vm *vm,
				     const struct machine_config *config)
{
	bool console = config->com1_fd == CONFIG_FD_TERMINAL
			       ? isatty(STDOUT_FILENO)
			       : config->com1_fd != CONFIG_FD_NONE;

	if (console || !isatty(STDERR_FILENO))
		return NULL;
	return status_line_new(stderr, vm_milestones(vm));
}

static gboolean on_line(gpointer line)
{
	status_line_show(line);
	return G_SOURCE_CONTINUE;
}

static void on_hello(void *line)
{
	status_line_end(line);
}

static int run_vm(struct vm *vm, const struct machine_config *config,
		  struct session *session, struct surroundings *around)
{
	g_autoptr(GError) error = NULL;
	struct status_line *line = make_line(vm, config);
	struct outcome outcome;
	guint timer = 0;
	int code;

	if (session_start(session, on_hello, line, &error)) {
		status_line_free(line);
		return fail(error);
	}
	if (line)
		timer = g_timeout_add(LINE_MS, on_line, line);
	notify_send("READY=1\nSTATUS=running");
	vm_run(vm, &outcome);
	if (timer)
		g_source_remove(timer);
	status_line_end(line);
	/* Nobody would answer. */
	control_free(g_steal_pointer(&around->control));
	say_stopping(&outcome);
	if (session_finish(session, &outcome) && !config->verbose)
		show_console(vm);
	say_flight(config, outcome.kind);
	say_outcome(&outcome);
	code = outcome.exit_code;
	if (vm_report(vm, &outcome, &error)) {
		fprintf(stderr, "kvmbus: --report: %s\n", error->message);
		if (!code)
			code = EXIT_FAILED;
	}
	outcome_clear(&outcome);
	status_line_free(line);
	return code;
}

static int run_machine(const struct machine_config *config,
		       struct session *session, uint64_t start_ns, int n_passed)
{
	g_autoptr(GError) error = NULL;
	struct surroundings around = {0};
	struct vm *vm = vm_new(config, start_ns, &error);
	int code;

	if (!vm)
		return fail(error);
	if (surround(&around, vm, config, n_passed, &error))
		code = fail(error);
	else
		code = run_vm(vm, config, session, &around);
	/* Devices that go may have to say so. */
	vm_free(vm);
	clear(&around);
	return code;
}

static int run_traced(const struct machine_config *config,
		      struct session *session, uint64_t start_ns, int n_passed)
{
	const struct trace_config *t = &config->trace;
	struct trace_file *trace = NULL;
	g_autoptr(GError) error = NULL;
	int code;

	install_handlers();
	if (t->file) {
		trace = trace_file_start(t->file, t->mask,
					 t->json ? TRACE_JSON : TRACE_TEXT,
					 &error);
		if (!trace)
			return fail(error);
	}
	code = run_machine(config, session, start_ns, n_passed);
	trace_file_stop(trace);
	return code;
}

/* Stream sockets came with VMbus 4.0. */
static bool has_hvsock(const struct machine_config *config)
{
	const struct profile *profile = profile_find(config->profile);

	return profile &&
	       profile_vmbus(profile, config->vmbus_max) >= VERSION_WIN10;
}

static int run(struct machine_config *config, uint64_t start_ns)
{
	g_autoptr(GError) error = NULL;
	int code = 0, n_passed = notify_init();
	struct session *session =
		session_new(config, NULL, has_hvsock(config), &error);

	if (!session)
		return fail(error);
	if (machine_config_validate(config, &error)) {
		code = fail(error);
	} else if (config->print_config) {
		g_autofree char *json = machine_config_json(config);

		puts(json);
	} else {
		code = run_traced(config, session, start_ns, n_passed);
	}
	session_free(session);
	return code;
}

static int run_matrix(char **args)
{
	GPtrArray *names = g_ptr_array_new();
	int code;

	for (unsigned int i = 0; profile_at(i); i++)
		g_ptr_array_add(names, (char *)profile_at(i)->name);
	g_ptr_array_add(names, NULL);
	code = matrix_verb(args, (const char *const *)names->pdata, stdout,
			   stderr);
	g_ptr_array_free(names, TRUE);
	return code;
}

static int print_faults(const char *name)
{
	if (!name) {
		fault_config_print(stdout);
		return 0;
	}
	if (!fault_config_print_one(stdout, name))
		return 0;
	fprintf(stderr,
		"kvmbus: faults %s: no such point or scenario; 'kvmbus "
		"faults' lists them\n",
		name);
	return EXIT_USAGE;
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

/*
 * A domain of a file or of libvirt.  Return: 0, or -1 with @error; @report is
 * NULL if it could not be had.  @schema: of libvirt; NULL: it is not asked.
 */
static int get_domain(const struct cli_domain *from,
		      struct machine_config *config,
		      struct domain_report **report, const char *schema,
		      GError **error)
{
	struct domain_options options = {
		.strict = from->strict,
		.map_disk = (const char *const *)from->map_disk,
		.map_bridge = (const char *const *)from->map_bridge,
		.profile = profile_exists,
		.schema = schema,
	};
	g_autofree char *xml = NULL;
	int ret = -1;

	*report = NULL;
	if (from->connect || from->name) {
		options.lookup = domain_lookup_new(from->connect, error);
		if (!options.lookup)
			return -1;
	}
	if (!from->name)
		ret = domain_read(from->file, &options, config, report, error);
	else if ((xml = domain_lookup_domain(options.lookup, from->name,
					     error)))
		ret = domain_parse(xml, strlen(xml), from->name, &options,
				   config, report, error);
	domain_lookup_free(options.lookup);
	return ret;
}

static int read_domain(const struct cli_domain *from,
		       struct machine_config *config, GError **error)
{
	struct domain_report *report;
	int ret = get_domain(from, config, &report, NULL, error);

	if (report)
		domain_report_complain(report, from->verbose, stderr);
	domain_report_free(report);
	return ret;
}

static int check(const struct cli_domain *from)
{
	struct machine_config *config = machine_config_new();
	g_autoptr(GError) error = NULL;
	struct domain_report *report;
	int code = 0;

	if (get_domain(from, config, &report, DOMAIN_SCHEMA, &error))
		code = EXIT_CONFIG;
	if (code && (!report || !report->messages->len)) {
		fail(error);
	} else if (from->json) {
		g_autofree char *json = domain_report_json(report);

		puts(json);
	} else {
		domain_report_print(report, stdout);
	}
	domain_report_free(report);
	machine_config_free(config);
	return code;
}

int main(int argc, char **argv)
{
	static const struct cli_names names = {
		.milestone = milestone_find,
		.profile = profile_exists,
		.domain = read_domain,
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
	case CLI_CHECK:
		code = check(&cli.domain);
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
	case CLI_FAULTS:
		code = print_faults(cli.fault);
		break;
	case CLI_FINDINGS:
		code = rules_print(stdout) ? EXIT_FAILED : 0;
		break;
	case CLI_CTL:
		code = control_client(cli.args, vm_commands, stdout, stderr);
		break;
	case CLI_REPORT:
		code = report_verb(cli.args, stdout, stderr);
		break;
	case CLI_MATRIX:
		code = run_matrix(cli.args);
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
