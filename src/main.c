/* SPDX-License-Identifier: MIT */
/*
 * main.c - the verbs, and which exit code each kind of failure has.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <glib.h>

#include "base/clock.h"
#include "boot/boot.h"
#include "config/cli.h"
#include "config/machine_config.h"
#include "control/client.h"
#include "control/commands.h"
#include "control/control.h"
#include "devices/console.h"
#include "kvm/kvm.h"
#include "partition/profile.h"
#include "report/milestone.h"
#include "report/report.h"
#include "vm/doctor.h"
#include "vm/vm.h"

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

static void install_fatal_handlers(void)
{
	static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
	struct sigaction action = {
		.sa_handler = on_fatal_signal,
		.sa_flags = (int)SA_RESETHAND,
	};

	for (size_t i = 0; i < G_N_ELEMENTS(fatal); i++)
		sigaction(fatal[i], &action, NULL);
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

static int run(const struct machine_config *config, uint64_t start_ns)
{
	g_autoptr(GError) error = NULL;
	struct control *control = NULL;
	struct outcome outcome;
	struct vm *vm;
	int code;

	if (machine_config_validate(config, &error))
		return fail(error);
	if (config->print_config) {
		g_autofree char *json = machine_config_json(config);

		puts(json);
		return 0;
	}
	install_fatal_handlers();
	vm = vm_new(config, start_ns, &error);
	if (!vm)
		return fail(error);
	if (config->control) {
		control = control_new(config->control, vm_commands, vm, &error);
		if (!control) {
			vm_free(vm);
			return fail(error);
		}
	}
	vm_run(vm, &outcome);
	control_free(control);
	say_outcome(&outcome);
	code = outcome.exit_code;
	if (vm_report(vm, &outcome, &error)) {
		fprintf(stderr, "kvmbus: --report: %s\n", error->message);
		if (!code)
			code = EXIT_FAILED;
	}
	outcome_clear(&outcome);
	vm_free(vm);
	return code;
}

static int profile_exists(const char *name)
{
	return profile_find(name) != NULL;
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
