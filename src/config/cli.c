/* SPDX-License-Identifier: MIT */
#include "config/cli.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/log.h"
#include "config/cli_fault.h"
#include "config/cli_machine.h"
#include "config/disk_config.h"
#include "config/machine_config.h"
#include "config/net_config.h"

#define VERBS                                                                \
	"run, check, report, matrix, doctor, profiles, faults, findings or " \
	"ctl"
#define MEMORY_MAX "max="
#define UNSET      INT_MIN

GQuark cli_error_quark(void)
{
	return g_quark_from_static_string("cli-error");
}

static const char help_text[] =
	"Usage: kvmbus run [OPTION]... [DOMAIN.xml] [-- COMMAND [ARG]...]\n"
	"                                             boot a guest on "
	"Hyper-V, "
	"played by KVM\n"
	"       kvmbus check [OPTION]... DOMAIN.xml   what of it is honoured, "
	"ignored, refused?\n"
	"       kvmbus report COMMAND FILE...         show or compare reports: "
	"show, diff,\n"
	"                                             junit, tap, html\n"
	"       kvmbus matrix KERNEL... [OPTION]... [-- COMMAND]   many runs: "
	"kvmbus-matrix(1)\n"
	"       kvmbus doctor                         can this host run it?\n"
	"       kvmbus profiles [NAME]                the Windows Server "
	"versions it imitates\n"
	"       kvmbus faults [NAME]                  what the host can do "
	"wrong, when asked to\n"
	"       kvmbus findings                       the rules of guest "
	"conduct\n"
	"       kvmbus ctl SOCKET [COMMAND [ARG]...]  talk to a running guest\n"
	"       kvmbus --help | --version\n"
	"\n"
	"Options of run, which count more than DOMAIN.xml:\n"
	"  --kernel FILE       bzImage, ELF with a PVH note, or multiboot "
	"image;\n"
	"                      a folder with kernel and modules; or Debian "
	"packages\n"
	"  --initrd FILE       initial RAM disk, or the multiboot module\n"
	"  --append STRING     kernel command line\n"
	"  --rootfs DIR|IMAGE  the guest's files, for a COMMAND (default "
	"busybox)\n"
	"  --modules NAME,...  kernel modules to load for a COMMAND (default "
	"Hyper-V's);\n"
	"                      NAME? if it is there, +NAME besides the "
	"default\n"
	"  --without-module NAME\n"
	"                      leave this one out\n"
	"  -v, --verbose       the guest's console on standard error, with a "
	"COMMAND;\n"
	"                      what of DOMAIN.xml is ignored\n"
	"  --memory MIB[,max=MIB]\n"
	"                      guest memory (default 1024), and what can be "
	"added to it\n"
	"  --disk PATH[,OPT]   a disk; format=, cache=, serial=, bus=scsi|ide, "
	"readonly,\n"
	"                      snapshot, dvd\n"
	"  --net KIND[,OPT]    a network card: user, tap=NAME, bridge=NAME, "
	"socket, null;\n"
	"                      mac=, mtu=, queues=, link=, pcap=, hostfwd=\n"
	"  --pcap [NIC=]FILE   capture what a card sends and gets (default "
	"net0)\n"
	"  --profile NAME      Windows Server version to imitate (default the "
	"newest)\n"
	"  --uuid UUID         of the machine, in SMBIOS\n"
	"  --timeout SECONDS   end the run after that long, with exit code "
	"124\n"
	"  --report FILE       write what the guest did, as JSON ('-': "
	"standard output)\n"
	"  --junit FILE        write the verdict as JUnit XML\n"
	"  --tap FILE          write the verdict as TAP\n"
	"  --summary           say at the end what the guest used, on standard "
	"error\n"
	"  --events FILE       write what happens as it does, a line of JSON "
	"each\n"
	"  --trace CAT,...     write what happens, by category: "
	"kvmbus-trace(7)\n"
	"  --trace-file FILE   where (default: standard error)\n"
	"  --trace-format FMT  text (default) or json, one object a line\n"
	"  --flight LINES      how much of what happened last a bad end prints "
	"(default 60)\n"
	"  --control SOCKET    listen there for 'kvmbus ctl' and QMP clients; "
	"or fd=N\n"
	"  --pidfile FILE      say there which process it is\n"
	"  --hvsock SOCKET     connect the guest's AF_VSOCK to sockets there\n"
	"  --time-sync SECONDS have the guest set its clock that often "
	"(default "
	"300; 0: no)\n"
	"  --throttle N        slow down channels that signal for nothing more "
	"often than\n"
	"                      that in a second (default 0: never)\n"
	"  --require NAME,...  milestones that must be reached, else exit "
	"code 1\n"
	"  --numa-srat         describe the memory in an ACPI SRAT\n"
	"  --accel KIND        auto, user or kvm: where Hyper-V is emulated\n"
	"  --test-devices      exit port 0xf4, debug console 0xe9, connection "
	"tester 0x3000\n"
	"  --print-config      print the machine as JSON and exit\n"
	"  --log LEVEL         error, warn (default), info or debug; or "
	"CATEGORY=LEVEL,...\n"
	"\n"
	"Options of run for the machine:\n";

static const char help_end[] =
	"\n"
	"The guest's first serial port is the terminal; ^] ends the run.\n"
	"Exit codes: 0 powered off; 1 requirement not met; 2 usage; 3 "
	"configuration;\n"
	"4 host; 32 reset; 33 triple fault; 34 panic; 124 timeout; 125 "
	"internal; "
	"128+n signal.\n"
	"With a COMMAND its exit code; 255 the guest died first.\n";

void cli_help(FILE *out)
{
	fputs(help_text, out);
	fputs(cli_machine_help, out);
	fputs(cli_fault_help, out);
	fputs(cli_domain_help, out);
	fputs(help_end, out);
}

/* Raw values of the options; checked and moved into the config afterwards. */
struct run_options {
	char *rootfs, *initrd, *append, *profile, *report, *junit, *tap, *accel,
		*uuid, *control, *hvsock, *memory;
	char *events, *pidfile;
	struct trace_options trace;
	struct fault_options fault;
	char **kernel, **require, **log, **disk, **net, **pcap, **modules,
		**without;
	int timeout, time_sync, throttle; /* or UNSET */
	gboolean test_devices, print_config, srat, summary;
};

static void run_options_clear(struct run_options *o)
{
	g_strfreev(o->kernel);
	g_free(o->rootfs);
	g_strfreev(o->modules);
	g_strfreev(o->without);
	g_free(o->initrd);
	g_free(o->append);
	g_free(o->profile);
	g_free(o->report);
	g_free(o->junit);
	g_free(o->tap);
	g_free(o->accel);
	g_free(o->uuid);
	g_free(o->control);
	g_free(o->events);
	g_free(o->pidfile);
	trace_options_clear(&o->trace);
	g_free(o->hvsock);
	g_free(o->memory);
	fault_options_clear(&o->fault);
	g_strfreev(o->require);
	g_strfreev(o->log);
	g_strfreev(o->disk);
	g_strfreev(o->net);
	g_strfreev(o->pcap);
}

static int refuse(GError **error, const char *option, const char *value,
		  const char *hint)
{
	g_set_error(error, CLI_ERROR, 0, "%s %s: %s", option, value, hint);
	return -1;
}

/*
 * Options and at most one word behind them, which is a domain's file.
 * @group: NULL: there is none
 */
static int parse_entries(char **argv, const GOptionEntry *entries,
			 GOptionGroup *group, struct cli_domain *domain,
			 GError **error)
{
	GOptionContext *context = g_option_context_new(NULL);
	g_auto(GStrv) args = g_strdupv(argv);
	GError *why = NULL;
	int ret = 0;

	g_option_context_set_help_enabled(context, FALSE);
	g_option_context_add_main_entries(context, entries, NULL);
	cli_domain_add(domain, context);
	if (group)
		g_option_context_add_group(context, group);
	if (!g_option_context_parse_strv(context, &args, &why)) {
		/* Our own handlers say which option. */
		g_set_error(error, CLI_ERROR, 0, "%s%s%s",
			    why->domain == CLI_ERROR ? "" : argv[0],
			    why->domain == CLI_ERROR ? "" : ": ", why->message);
		g_clear_error(&why);
		ret = -1;
	} else if (args[0] && args[1] && args[2]) {
		ret = refuse(error, argv[0], args[2],
			     "unexpected; one DOMAIN.xml is enough");
	} else if (args[0]) {
		domain->file = g_strdup(args[1]);
	}
	g_option_context_free(context);
	return ret;
}

static int parse_options(char **argv, struct run_options *o,
			 struct cli_domain *domain, struct machine_config *c,
			 GError **error)
{
	GOptionGroup *group = cli_machine_group(c);
	const GOptionEntry entries[] = {
		{"kernel", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->kernel, NULL,
		 NULL},
		{"rootfs", 0, 0, G_OPTION_ARG_FILENAME, &o->rootfs, NULL, NULL},
		{"modules", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->modules, NULL,
		 NULL},
		{"without-module", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->without,
		 NULL, NULL},
		{"verbose", 'v', 0, G_OPTION_ARG_NONE, &domain->verbose, NULL,
		 NULL},
		{"initrd", 0, 0, G_OPTION_ARG_FILENAME, &o->initrd, NULL, NULL},
		{"append", 0, 0, G_OPTION_ARG_STRING, &o->append, NULL, NULL},
		{"memory", 0, 0, G_OPTION_ARG_STRING, &o->memory, NULL, NULL},
		{"disk", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->disk, NULL,
		 NULL},
		{"net", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->net, NULL, NULL},
		{"pcap", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->pcap, NULL,
		 NULL},
		{"profile", 0, 0, G_OPTION_ARG_STRING, &o->profile, NULL, NULL},
		{"uuid", 0, 0, G_OPTION_ARG_STRING, &o->uuid, NULL, NULL},
		{"timeout", 0, 0, G_OPTION_ARG_INT, &o->timeout, NULL, NULL},
		{"report", 0, 0, G_OPTION_ARG_FILENAME, &o->report, NULL, NULL},
		{"junit", 0, 0, G_OPTION_ARG_FILENAME, &o->junit, NULL, NULL},
		{"tap", 0, 0, G_OPTION_ARG_FILENAME, &o->tap, NULL, NULL},
		{"control", 0, 0, G_OPTION_ARG_FILENAME, &o->control, NULL,
		 NULL},
		{"events", 0, 0, G_OPTION_ARG_FILENAME, &o->events, NULL, NULL},
		{"pidfile", 0, 0, G_OPTION_ARG_FILENAME, &o->pidfile, NULL,
		 NULL},
		{"trace", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->trace.categories,
		 NULL, NULL},
		{"trace-file", 0, 0, G_OPTION_ARG_FILENAME, &o->trace.file,
		 NULL, NULL},
		{"trace-format", 0, 0, G_OPTION_ARG_STRING, &o->trace.format,
		 NULL, NULL},
		{"flight", 0, 0, G_OPTION_ARG_INT, &o->trace.flight, NULL,
		 NULL},
		{"hvsock", 0, 0, G_OPTION_ARG_FILENAME, &o->hvsock, NULL, NULL},
		{"time-sync", 0, 0, G_OPTION_ARG_INT, &o->time_sync, NULL,
		 NULL},
		{"throttle", 0, 0, G_OPTION_ARG_INT, &o->throttle, NULL, NULL},
		{"require", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->require, NULL,
		 NULL},
		{"numa-srat", 0, 0, G_OPTION_ARG_NONE, &o->srat, NULL, NULL},
		{"accel", 0, 0, G_OPTION_ARG_STRING, &o->accel, NULL, NULL},
		{"test-devices", 0, 0, G_OPTION_ARG_NONE, &o->test_devices,
		 NULL, NULL},
		{"print-config", 0, 0, G_OPTION_ARG_NONE, &o->print_config,
		 NULL, NULL},
		{"summary", 0, 0, G_OPTION_ARG_NONE, &o->summary, NULL, NULL},
		{"log", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->log, NULL, NULL},
		{0},
	};

	fault_options_group(&o->fault, group);
	return parse_entries(argv, entries, group, domain, error);
}

/* "a,b" and "c" to the three names, each of them known. */
static int parse_require(char **lists, const struct cli_names *names,
			 GStrv *out, GError **error)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(g_free);
	int ret = 0;

	for (char **list = lists; list && *list && !ret; list++) {
		g_auto(GStrv) words = g_strsplit(*list, ",", -1);

		for (char **w = words; *w && !ret; w++) {
			if (names->milestone(*w) < 0)
				ret = refuse(error, "--require", *w,
					     "no such milestone; kvmbus(1) "
					     "lists them");
			else
				g_ptr_array_add(all, g_strdup(*w));
		}
	}
	if (ret) {
		g_ptr_array_free(all, TRUE);
		return ret;
	}
	g_ptr_array_add(all, NULL);
	g_strfreev(*out);
	*out = (GStrv)g_ptr_array_free(all, FALSE);
	return 0;
}

/* "512" or "512,max=2048" */
static int parse_memory(const char *text, struct machine_config *c,
			GError **error)
{
	g_auto(GStrv) words = g_strsplit(text ? text : "", ",", 2);
	const char *max = words[0] ? words[1] : NULL;

	if (!text)
		return 0;
	c->memory_max_mib = 0;
	if ((max && !g_str_has_prefix(max, MEMORY_MAX)) ||
	    !g_ascii_string_to_unsigned(words[0], 10, 0, INT_MAX,
					&c->memory_mib, NULL) ||
	    (max &&
	     !g_ascii_string_to_unsigned(max + strlen(MEMORY_MAX), 10, 0,
					 INT_MAX, &c->memory_max_mib, NULL)))
		return refuse(error, "--memory", text,
			      "expected MIB or MIB,max=MIB");
	return 0;
}

static int parse_disks(char **disks, GPtrArray *out, GError **error)
{
	for (char **d = disks; d && *d; d++) {
		g_autoptr(GError) why = NULL;
		struct disk_config *disk = disk_config_parse(*d, &why);

		if (!disk)
			return refuse(error, "--disk", *d, why->message);
		g_ptr_array_add(out, disk);
	}
	return 0;
}

static int parse_nets(char **nets, GPtrArray *out, GError **error)
{
	for (char **n = nets; n && *n; n++) {
		g_autoptr(GError) why = NULL;
		struct net_config *net;

		if (!strcmp(*n, "none") && !nets[1]) {
			g_ptr_array_set_size(out, 0);
			return 0;
		}
		if (!strcmp(*n, "none"))
			return refuse(error, "--net", *n,
				      "means no card, and there is another");
		net = net_config_parse(*n, &why);
		if (!net)
			return refuse(error, "--net", *n, why->message);
		g_ptr_array_add(out, net);
	}
	return 0;
}

/* "FILE", of the first card, or "net2=FILE" */
static int parse_pcaps(char **pcaps, GPtrArray *nets, GError **error)
{
	for (char **p = pcaps; p && *p; p++) {
		const char *file = *p, *equals = strchr(*p, '=');
		struct net_config *net;
		guint64 index = 0;

		if (equals && g_str_has_prefix(*p, "net")) {
			g_autofree char *number =
				g_strndup(*p + 3, (gsize)(equals - *p - 3));

			if (g_ascii_string_to_unsigned(number, 10, 0, 99,
						       &index, NULL))
				file = equals + 1;
		}
		if (index >= nets->len)
			return refuse(error, "--pcap", *p,
				      "no such card; the first --net is net0");
		net = g_ptr_array_index(nets, index);
		if (!*file || net->pcap)
			return refuse(error, "--pcap", *p,
				      "one file for each card");
		net->pcap = g_strdup(file);
	}
	return 0;
}

static bool is_negative(int number)
{
	return number < 0 && number != UNSET;
}

static int check_words(const struct run_options *o,
		       const struct cli_names *names, GError **error)
{
	if (o->profile && !names->profile(o->profile))
		return refuse(error, "--profile", o->profile,
			      "no such profile; 'kvmbus profiles' lists them");
	if (o->accel && strcmp(o->accel, "auto") && strcmp(o->accel, "user")) {
		if (!strcmp(o->accel, "kvm"))
			return refuse(error, "--accel", o->accel,
				      "not implemented yet; use auto or user");
		return refuse(error, "--accel", o->accel,
			      "expected auto, user or kvm");
	}
	for (char **l = o->log; l && *l; l++) {
		if (log_set_level(*l))
			return refuse(error, "--log", *l,
				      "expected error, warn, info or debug, "
				      "or CATEGORY=LEVEL");
	}
	if (is_negative(o->timeout) || is_negative(o->time_sync) ||
	    is_negative(o->throttle)) {
		g_set_error(error, CLI_ERROR, 0,
			    "--timeout, --time-sync and --throttle take "
			    "positive numbers");
		return -1;
	}
	return 0;
}

/* "a,b" and "c" to one list. */
static GStrv join_lists(char **lists)
{
	GPtrArray *all = g_ptr_array_new();

	for (char **list = lists; list && *list; list++) {
		g_auto(GStrv) words = g_strsplit(*list, ",", -1);

		for (char **w = words; *w; w++)
			g_ptr_array_add(all, g_strdup(*w));
	}
	g_ptr_array_add(all, NULL);
	return (GStrv)g_ptr_array_free(all, FALSE);
}

/* What is for a guest that runs a command. */
static int check_guest(const struct run_options *o,
		       const struct cli_domain *domain, char **command,
		       GError **error)
{
	if (command && !command[0])
		return refuse(error, "run", "--",
			      "a command belongs behind it");
	if (!command && (o->rootfs || o->modules || o->without ||
			 (domain->verbose && !domain->file && !domain->name))) {
		g_set_error(error, CLI_ERROR, 0,
			    "--rootfs, --modules, --without-module and "
			    "--verbose are for a guest that runs a command "
			    "(-- COMMAND), the last one for a domain too");
		return -1;
	}
	return 0;
}

/* What was said takes the place of what is there. */
static void take(char **field, char **said)
{
	if (!*said)
		return;
	g_free(*field);
	*field = g_steal_pointer(said);
}

static void take_number(unsigned int *field, int said)
{
	if (said != UNSET)
		*field = (unsigned int)said;
}

static void take_guest(struct run_options *o, const struct cli_domain *domain,
		       char **command, struct machine_config *c)
{
	guint n = o->kernel ? g_strv_length(o->kernel) : 0;
	char *of_domain[] = {c->kernel, NULL};

	if (n) {
		g_free(c->kernel);
		c->kernel = g_strdup(o->kernel[n - 1]);
		c->kernels = g_steal_pointer(&o->kernel);
	} else if (c->kernel) {
		c->kernels = g_strdupv(of_domain);
	}
	c->rootfs = g_steal_pointer(&o->rootfs);
	c->modules = o->modules ? join_lists(o->modules) : NULL;
	c->without_modules = join_lists(o->without);
	c->verbose = domain->verbose;
	c->command = g_strdupv(command);
}

static void take_options(struct machine_config *c, struct run_options *o)
{
	take(&c->initrd, &o->initrd);
	take(&c->cmdline, &o->append);
	take(&c->profile, &o->profile);
	take(&c->report, &o->report);
	take(&c->junit, &o->junit);
	take(&c->tap, &o->tap);
	take(&c->control, &o->control);
	take(&c->events, &o->events);
	take(&c->pidfile, &o->pidfile);
	take(&c->hvsock, &o->hvsock);
	take(&c->accel, &o->accel);
	take(&c->uuid, &o->uuid);
	if (!c->accel)
		c->accel = g_strdup("auto");
	take_number(&c->timeout_s, o->timeout);
	take_number(&c->time_sync_s, o->time_sync);
	take_number(&c->signals_max, o->throttle);
	c->test_devices |= o->test_devices;
	c->print_config |= o->print_config;
	c->srat |= o->srat;
	c->summary |= o->summary;
}

/* What is behind "--", which is taken off @argv; NULL: nothing. */
static char **split_command(char **argv, char **options)
{
	for (guint i = 0; options[i]; i++) {
		if (strcmp(options[i], "--") != 0)
			continue;
		for (guint k = i; options[k]; k++)
			g_clear_pointer(&options[k], g_free);
		return argv + i + 1;
	}
	return NULL;
}

/*
 * The options, and a domain before them: some go right into the configuration,
 * so with a domain they are read once more, on top of it.
 */
static int parse_source(char **argv, const struct cli_names *names,
			struct cli *cli, char **command, struct run_options *o,
			GError **error)
{
	const struct run_options unset = {.timeout = UNSET,
					  .time_sync = UNSET,
					  .throttle = UNSET,
					  .trace.flight = TRACE_FLIGHT_DEFAULT};
	int ret;

	*o = unset;
	ret = parse_options(argv, o, &cli->domain, cli->config, error);
	if (!ret)
		ret = check_guest(o, &cli->domain, command, error);
	if (!ret)
		ret = check_words(o, names, error);
	if (!ret)
		ret = cli_domain_check(&cli->domain, error);
	if (ret || (!cli->domain.file && !cli->domain.name))
		return ret;
	machine_config_free(cli->config);
	cli->config = machine_config_new();
	if (names->domain(&cli->domain, cli->config, error))
		return -1;
	run_options_clear(o);
	*o = unset;
	cli_domain_clear(&cli->domain);
	return parse_options(argv, o, &cli->domain, cli->config, error);
}

static int parse_run(char **argv, const struct cli_names *names,
		     struct cli *cli, GError **error)
{
	struct run_options o;
	g_auto(GStrv) options = g_strdupv(argv);
	char **command = split_command(argv, options);
	int ret = parse_source(options, names, cli, command, &o, error);
	struct machine_config *c = cli->config;

	if (!ret)
		ret = parse_require(o.require, names, &c->require, error);
	if (!ret)
		ret = parse_memory(o.memory, c, error);
	if (!ret)
		ret = parse_disks(o.disk, c->disks, error);
	if (!ret)
		ret = parse_nets(o.net, c->nets, error);
	if (!ret)
		ret = parse_pcaps(o.pcap, c->nets, error);
	if (!ret)
		ret = trace_config_parse(&o.trace, &c->trace, error);
	if (!ret)
		ret = fault_options_read(&o.fault, names->milestone, c->faults,
					 &c->fault_seed, error);
	if (!ret) {
		take_guest(&o, &cli->domain, command, c);
		take_options(c, &o);
	}
	run_options_clear(&o);
	return ret;
}

static int parse_check(char **argv, struct cli_domain *domain, GError **error)
{
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &domain->json, NULL, NULL},
		{0},
	};

	if (parse_entries(argv, entries, NULL, domain, error))
		return -1;
	if (!domain->file && !domain->name)
		return refuse(error, "check", "", "which DOMAIN.xml?");
	return cli_domain_check(domain, error);
}

static int parse_profiles(char **argv, const struct cli_names *names,
			  struct cli *cli, GError **error)
{
	if (!argv[0] || !argv[1])
		return 0;
	if (argv[2])
		return refuse(error, "profiles", argv[2], "unexpected");
	if (!names->profile(argv[1]))
		return refuse(error, "profiles", argv[1],
			      "no such profile; 'kvmbus profiles' lists them");
	cli->profile = g_strdup(argv[1]);
	return 0;
}

int cli_parse(char **argv, const struct cli_names *names, struct cli *cli,
	      GError **error)
{
	const char *verb = argv[0] ? argv[1] : NULL;

	memset(cli, 0, sizeof(*cli));
	if (!verb) {
		g_set_error(error, CLI_ERROR, 0, "say what to do: " VERBS);
		return -1;
	}
	for (char **a = argv + 1; *a && strcmp(*a, "--") != 0; a++) {
		if (!strcmp(*a, "--help") || !strcmp(*a, "-h")) {
			cli->verb = CLI_HELP;
			return 0;
		}
	}
	if (!strcmp(verb, "--version")) {
		cli->verb = CLI_VERSION;
		return 0;
	}
	if (!strcmp(verb, "run")) {
		cli->verb = CLI_RUN;
		cli->config = machine_config_new();
		return parse_run(argv + 1, names, cli, error);
	}
	if (!strcmp(verb, "check")) {
		cli->verb = CLI_CHECK;
		return parse_check(argv + 1, &cli->domain, error);
	}
	if (!strcmp(verb, "profiles")) {
		cli->verb = CLI_PROFILES;
		return parse_profiles(argv + 1, names, cli, error);
	}
	if (!strcmp(verb, "faults")) {
		cli->verb = CLI_FAULTS;
		return cli_fault_verb(argv + 1, &cli->fault, error);
	}
	if (!strcmp(verb, "findings")) {
		cli->verb = CLI_FINDINGS;
		return argv[2] ? refuse(error, "findings", argv[2],
					"unexpected")
			       : 0;
	}
	if (!strcmp(verb, "doctor")) {
		cli->verb = CLI_DOCTOR;
		return argv[2] ? refuse(error, "doctor", argv[2], "unexpected")
			       : 0;
	}
	if (!strcmp(verb, "ctl")) {
		cli->verb = CLI_CTL;
		cli->args = argv + 2;
		return 0;
	}
	if (!strcmp(verb, "report") || !strcmp(verb, "matrix")) {
		cli->verb = verb[0] == 'r' ? CLI_REPORT : CLI_MATRIX;
		cli->args = argv + 2;
		return 0;
	}
	return refuse(error, "kvmbus", verb, "no such command; " VERBS);
}

void cli_clear(struct cli *cli)
{
	machine_config_free(cli->config);
	g_free(cli->profile);
	cli_domain_clear(&cli->domain);
	g_free(cli->fault);
	memset(cli, 0, sizeof(*cli));
}
