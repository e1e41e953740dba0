/* SPDX-License-Identifier: MIT */
#include "config/cli_machine.h"

#include <stdbool.h>
#include <string.h>

#include "config/cli.h"
#include "config/machine_config.h"
#include "config/option_list.h"
#include "config/serial_config.h"

const char cli_machine_help[] =
	"  --memory-backing WORD,...\n"
	"                      hugepages, locked, immediate: how the host "
	"provides it\n"
	"  --vcpus N[,OPT]     virtual processors (default 2); sockets=, "
	"dies=, cores=,\n"
	"                      threads=\n"
	"  --cpu WORD,...      FEATURE that they must have, -FEATURE that they "
	"must not;\n"
	"                      phys-bits=\n"
	"  --hyperv WORD,...   enlightenments: profile, none or all; and NAME, "
	"-NAME,\n"
	"                      spinlocks=, vendor-id=, incomplete\n"
	"  --vmbus VERSION     newest version of VMbus (default the "
	"profile's)\n"
	"  --without NAME,...  devices on VMbus that it does not have\n"
	"  --clock WHAT        utc (default), localtime, timezone=NAME, "
	"+SECONDS, -SECONDS,\n"
	"                      start=SECONDS: the machine's clock\n"
	"  --smbios NAME=TEXT,...\n"
	"                      what it says of itself: system.serial=, oem= …\n"
	"  --genid UUID        a generation ID, that a guest may ask for\n"
	"  --serial KIND[,OPT] the next serial port: stdio, pty, file=, unix=, "
	"tcp=, pipe=,\n"
	"                      dev=, fd=, null; listen, reconnect=, telnet, "
	"append, log=\n"
	"  --ignore-msrs       registers that nobody knows read as 0, not #GP\n"
	"  --on-poweroff, --on-reboot, --on-crash ACTION\n"
	"                      when the guest does that: destroy, restart or "
	"preserve\n"
	"                      (default: only a reboot restarts); of a crash "
	"also\n"
	"                      coredump-destroy, coredump-restart\n"
	"  --dump-dir FOLDER   where these put the guest's memory\n";

/* Prefix what a parser found wrong; the parsers' currency is CONFIG_ERROR. */
static gboolean result(int err, const gchar *option, GError *why,
		       GError **error)
{
	if (!err)
		return TRUE;
	g_set_error(error, CLI_ERROR, 0, "%s %s", option, why->message);
	g_error_free(why);
	return FALSE;
}

static gboolean refuse(const gchar *option, const gchar *value,
		       const char *hint, GError **error)
{
	g_set_error(error, CLI_ERROR, 0, "%s %s: %s", option, value, hint);
	return FALSE;
}

static gboolean take_memory_backing(const gchar *option, const gchar *value,
				    gpointer data, GError **error)
{
	struct machine_config *c = data;
	const char *at = value;

	while (at) {
		g_autofree char *word = option_list_next(&at);

		if (!strcmp(word, "hugepages"))
			c->memory.hugepages = true;
		else if (!strcmp(word, "locked"))
			c->memory.locked = true;
		else if (!strcmp(word, "immediate"))
			c->memory.immediate = true;
		else
			return refuse(option, word,
				      "expected hugepages, locked or immediate",
				      error);
	}
	return TRUE;
}

static gboolean take_vcpus(const gchar *option, const gchar *value,
			   gpointer data, GError **error)
{
	struct machine_config *c = data;
	GError *why = NULL;
	int err = cpu_config_parse_vcpus(&c->cpu, value, &c->vcpus, &why);

	return result(err, option, why, error);
}

static gboolean take_cpu(const gchar *option, const gchar *value, gpointer data,
			 GError **error)
{
	struct machine_config *c = data;
	GError *why = NULL;
	int err = cpu_config_parse(&c->cpu, value, &why);

	return result(err, option, why, error);
}

static gboolean take_hyperv(const gchar *option, const gchar *value,
			    gpointer data, GError **error)
{
	struct machine_config *c = data;
	GError *why = NULL;
	int err = hyperv_config_parse(&c->hyperv, value, &why);

	return result(err, option, why, error);
}

static gboolean take_vmbus(const gchar *option, const gchar *value,
			   gpointer data, GError **error)
{
	struct machine_config *c = data;

	c->vmbus_max = machine_config_vmbus(value);
	return c->vmbus_max ? TRUE
			    : refuse(option, value,
				     "no such version; 2.4, 3.0, 4.0, 4.1, "
				     "5.0 to 5.3 and 6.0 are",
				     error);
}

static gboolean take_without(const gchar *option, const gchar *value,
			     gpointer data, GError **error)
{
	struct machine_config *c = data;
	const char *at = value;

	while (at) {
		g_autofree char *word = option_list_next(&at);
		int which = config_device_find(word);

		if (which < 0)
			return refuse(option, word,
				      "no such device; kvmbus(1) lists them",
				      error);
		c->without |= 1u << which;
	}
	return TRUE;
}

static gboolean take_clock(const gchar *option, const gchar *value,
			   gpointer data, GError **error)
{
	struct machine_config *c = data;
	GError *why = NULL;
	int err = clock_config_parse(&c->clock, value, &why);

	return result(err, option, why, error);
}

static gboolean take_smbios(const gchar *option, const gchar *value,
			    gpointer data, GError **error)
{
	struct machine_config *c = data;
	const char *at = value;

	while (at) {
		g_autofree char *word = option_list_next(&at);
		char *text = strchr(word, '=');
		GError *why = NULL;
		int err;

		if (!text)
			return refuse(option, word, "expected NAME=TEXT",
				      error);
		*text++ = '\0';
		err = smbios_config_set(&c->smbios, word, text, &why);
		if (err)
			return result(err, option, why, error);
	}
	return TRUE;
}

static gboolean take_genid(const gchar *option, const gchar *value,
			   gpointer data, GError **error)
{
	struct machine_config *c = data;

	(void)option;
	(void)error;
	g_free(c->genid);
	c->genid = g_strdup(value);
	return TRUE;
}

static gboolean take_serial(const gchar *option, const gchar *value,
			    gpointer data, GError **error)
{
	struct machine_config *c = data;
	GError *why = NULL;
	struct serial_config *s = serial_config_parse(value, &why);

	if (!s)
		return result(-1, option, why, error);
	g_ptr_array_add(c->serials, s);
	return TRUE;
}

static gboolean take_ignore_msrs(const gchar *option, const gchar *value,
				 gpointer data, GError **error)
{
	(void)option;
	(void)value;
	(void)error;
	((struct machine_config *)data)->ignore_msrs = true;
	return TRUE;
}

static gboolean take_action(enum lifecycle_action *action, const gchar *option,
			    const gchar *value, GError **error)
{
	int which = lifecycle_action_find(value);

	if (which < 0)
		return refuse(option, value,
			      "expected destroy, restart or preserve", error);
	*action = (enum lifecycle_action)which;
	return TRUE;
}

static gboolean take_on_poweroff(const gchar *option, const gchar *value,
				 gpointer data, GError **error)
{
	struct machine_config *c = data;

	return take_action(&c->on_poweroff, option, value, error);
}

static gboolean take_on_reboot(const gchar *option, const gchar *value,
			       gpointer data, GError **error)
{
	struct machine_config *c = data;

	c->on_reboot_given = true;
	return take_action(&c->on_reboot, option, value, error);
}

static gboolean take_on_crash(const gchar *option, const gchar *value,
			      gpointer data, GError **error)
{
	struct machine_config *c = data;

	return take_action(&c->on_crash, option, value, error);
}

static gboolean take_dump_dir(const gchar *option, const gchar *value,
			      gpointer data, GError **error)
{
	struct machine_config *c = data;

	if (!*value)
		return refuse(option, value, "expected a folder", error);
	g_free(c->dump_dir);
	c->dump_dir = g_strdup(value);
	return TRUE;
}

#define ROW(name, flags, take)                                                 \
	{                                                                      \
		name, 0, flags, G_OPTION_ARG_CALLBACK, (gpointer)(take), NULL, \
			NULL                                                   \
	}

static const GOptionEntry entries[] = {
	ROW("memory-backing", 0, take_memory_backing),
	ROW("vcpus", 0, take_vcpus),
	ROW("cpu", 0, take_cpu),
	ROW("hyperv", 0, take_hyperv),
	ROW("vmbus", 0, take_vmbus),
	ROW("without", 0, take_without),
	ROW("clock", 0, take_clock),
	ROW("smbios", 0, take_smbios),
	ROW("genid", 0, take_genid),
	ROW("serial", G_OPTION_FLAG_FILENAME, take_serial),
	ROW("ignore-msrs", G_OPTION_FLAG_NO_ARG, take_ignore_msrs),
	ROW("on-poweroff", 0, take_on_poweroff),
	ROW("on-reboot", 0, take_on_reboot),
	ROW("on-crash", 0, take_on_crash),
	ROW("dump-dir", G_OPTION_FLAG_FILENAME, take_dump_dir),
	{0},
};

GOptionGroup *cli_machine_group(struct machine_config *config)
{
	GOptionGroup *group =
		g_option_group_new("machine", "", "", config, NULL);

	g_option_group_add_entries(group, entries);
	return group;
}
