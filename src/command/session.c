/* SPDX-License-Identifier: MIT */
#include "command/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "command/agent_wire.h"
#include "command/command.h"
#include "command/initramfs.h"
#include "command/kernel_source.h"
#include "command/newc.h"
#include "config/disk_config.h"
#include "config/machine_config.h"
#include "report/report.h"

/* What every guest that runs a command is told; the user's comes behind. */
#define CMDLINE       "console=ttyS0 panic=-1"
/* Warnings and worse: each byte costs an exit. */
#define CMDLINE_QUIET CMDLINE " loglevel=5"

struct session {
	struct machine_config *config;
	struct command *command; /* NULL: no command */
	struct report_command report;
	bool hvsock; /* the machine can have it */
	int initramfs; /* memfd; -1 */
	char *folder; /* of the sockets; NULL: the user has given one */
};

static int find_kernel(struct machine_config *c, const char *cache,
		       struct kernel_source **out, GError **error)
{
	struct kernel_source *found = NULL;

	*out = NULL;
	if (!c->kernels || !c->kernels[0])
		return 0;
	/* Without a command nothing is known of the file but that it boots. */
	if (!c->command && !c->kernels[1] &&
	    kernel_source_is_plain(c->kernels[0]))
		return 0;
	found = kernel_source_find((const char *const *)c->kernels, cache,
				   error);
	if (!found)
		return -1;
	g_free(c->kernel);
	c->kernel = g_strdup(found->image);
	*out = found;
	return 0;
}

/* --rootfs: a folder is copied, anything else is a disk. */
static int use_rootfs(struct machine_config *c, struct initramfs_params *p,
		      GError **error)
{
	g_autofree char *text = NULL;
	struct disk_config *disk;

	if (!c->rootfs)
		return 0;
	if (g_file_test(c->rootfs, G_FILE_TEST_IS_DIR)) {
		p->rootfs = c->rootfs;
		return 0;
	}
	text = g_strconcat(c->rootfs, ",snapshot,serial=" AGENT_ROOT_SERIAL,
			   NULL);
	disk = disk_config_parse(text, error);
	if (!disk)
		return -1;
	g_ptr_array_add(c->disks, disk);
	p->root_disk = true;
	return 0;
}

static unsigned int count_disks(const struct machine_config *c)
{
	unsigned int n = 0;

	for (guint i = 0; i < c->disks->len; i++) {
		const struct disk_config *d = g_ptr_array_index(c->disks, i);

		n += d->path != NULL;
	}
	return n;
}

static int make_initramfs(struct session *s, const struct kernel_source *k,
			  GError **error)
{
	struct machine_config *c = s->config;
	g_autofree char *busybox = initramfs_busybox();
	struct initramfs_params p = {
		.modules_dir = k->modules,
		.release = k->release,
		.modules = (const char *const *)c->modules,
		.without = (const char *const *)c->without_modules,
		.busybox = busybox,
		.argv = (const char *const *)c->command,
		.hvsock = s->hvsock,
		.nics = c->nets->len,
	};

	if (use_rootfs(c, &p, error))
		return -1;
	p.disks = count_disks(c);
	if (!busybox && !c->rootfs) {
		g_set_error(error, GUEST_ERROR, 0,
			    "no static busybox for the guest; install "
			    "busybox-static, or give its files with --rootfs");
		return -1;
	}
	if (c->modules && !k->modules) {
		g_set_error(error, GUEST_ERROR, 0,
			    "--modules: no modules of %s found beside it nor "
			    "in /lib/modules",
			    k->image);
		return -1;
	}
	s->initramfs = memfd_create("initramfs", MFD_CLOEXEC);
	if (s->initramfs < 0) {
		g_set_error(error, GUEST_ERROR, 0, "initramfs: %s",
			    g_strerror(errno));
		return -1;
	}
	if (initramfs_write(s->initramfs, &p, error))
		return -1;
	c->initrd = g_strdup_printf("/proc/self/fd/%d", s->initramfs);
	return 0;
}

/* Where a connection of the guest's arrives. */
static int choose_socket(struct session *s, GError **error)
{
	if (s->config->hvsock || !s->hvsock)
		return 0;
	s->folder = g_dir_make_tmp("kvmbus-XXXXXX", error);
	if (!s->folder)
		return -1;
	s->config->hvsock = g_build_filename(s->folder, "hvsock", NULL);
	return 0;
}

static int prepare(struct session *s, const struct kernel_source *k,
		   GError **error)
{
	const struct command_streams streams = {
		.in = STDIN_FILENO,
		.out = STDOUT_FILENO,
		.err = STDERR_FILENO,
	};
	struct machine_config *c = s->config;
	char *cmdline;

	if (c->initrd) {
		g_set_error(error, GUEST_ERROR, 0,
			    "--initrd %s: a guest that runs a command gets one "
			    "that is made for it (--rootfs, --modules)",
			    c->initrd);
		return -1;
	}
	if (make_initramfs(s, k, error) || choose_socket(s, error))
		return -1;
	s->command = command_new(s->hvsock ? c->hvsock : NULL, &streams, error);
	if (!s->command)
		return -1;
	cmdline = g_strjoin(" ", c->verbose ? CMDLINE : CMDLINE_QUIET,
			    c->cmdline, NULL);
	g_free(c->cmdline);
	c->cmdline = cmdline;
	c->com1_fd = c->verbose ? STDERR_FILENO : CONFIG_FD_NONE;
	c->com2_fd = command_serial(s->command);
	/* Once is enough. */
	if (!c->on_reboot_given)
		c->on_reboot = LIFECYCLE_DESTROY;
	return 0;
}

struct session *session_new(struct machine_config *config, const char *cache,
			    bool hvsock, GError **error)
{
	struct session *s = g_new0(struct session, 1);
	struct kernel_source *k = NULL;

	s->config = config;
	s->hvsock = hvsock;
	s->initramfs = -1;
	if (find_kernel(config, cache, &k, error) ||
	    (k && config->command && prepare(s, k, error))) {
		kernel_source_free(k);
		session_free(s);
		return NULL;
	}
	kernel_source_free(k);
	return s;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	command_free(s->command);
	if (s->initramfs >= 0)
		close(s->initramfs);
	if (s->folder) {
		g_remove(s->config->hvsock);
		g_rmdir(s->folder);
	}
	g_free(s->folder);
	g_free(s);
}

int session_start(struct session *s, void (*hello)(void *ctx), void *ctx,
		  GError **error)
{
	int err = s->command ? command_start(s->command, hello, ctx) : 0;

	if (!err)
		return 0;
	g_set_error(error, GUEST_ERROR, 0, "thread of the command: %s",
		    g_strerror(-err));
	return -1;
}

/* --- the outcome ---------------------------------------------------------------- */

static void say(struct outcome *o, char *text)
{
	g_free(o->detail);
	o->detail = text;
}

static char *how_it_ended(const struct command_result *r)
{
	if (r->signal)
		return g_strdup_printf("the command was ended by signal %d",
				       r->signal);
	return g_strdup_printf("the command exited with %d", r->status);
}

/* It may have said why itself. */
static void died(const struct command_result *r, struct outcome *o)
{
	const char *what = outcome_name(o->kind);
	const char *when = r->connected ? "before the command ended"
					: "before the command was started";

	if (o->kind == OUTCOME_POWEROFF || o->kind == OUTCOME_REQUIREMENT)
		what = "powered off";
	else if (o->kind == OUTCOME_RESET)
		what = "rebooted";
	else if (o->kind == OUTCOME_TRIPLE_FAULT)
		what = "had a triple fault";
	else if (o->kind == OUTCOME_PANIC)
		what = "panicked";
	say(o,
	    g_strdup_printf("the guest %s %s%s%s%s", what, when,
			    o->detail ? " (" : "", o->detail ? o->detail : "",
			    o->detail ? ")" : ""));
	o->exit_code = EXIT_GUEST_DIED;
}

bool session_judge(const struct command_result *r, struct outcome *o)
{
	g_autofree char *ended = NULL;

	switch (o->kind) {
	case OUTCOME_POWEROFF:
	case OUTCOME_REQUIREMENT:
	case OUTCOME_RESET:
	case OUTCOME_TRIPLE_FAULT:
	case OUTCOME_PANIC:
		break;
	default:
		/* the time was up, a signal, ours: not the guest's doing */
		return o->kind == OUTCOME_TIMEOUT;
	}
	if (!r->exited) {
		died(r, o);
		return true;
	}
	ended = how_it_ended(r);
	if (o->kind == OUTCOME_POWEROFF) {
		o->kind = OUTCOME_COMMAND;
		o->exit_code = r->status;
		say(o, g_steal_pointer(&ended));
	} else if (o->detail) {
		say(o, g_strdup_printf("%s; %s", o->detail, ended));
	} else {
		say(o, g_steal_pointer(&ended));
	}
	return o->kind != OUTCOME_COMMAND && o->kind != OUTCOME_REQUIREMENT;
}

bool session_finish(struct session *s, struct outcome *outcome)
{
	struct command_result r;

	if (!s->command)
		return false;
	command_finish(s->command, &r);
	s->report = (struct report_command){
		.argv = (const char *const *)s->config->command,
		.way = r.way,
		.exited = r.exited,
		.status = r.status,
		.signal = r.signal,
		.stdin_bytes = r.in_bytes,
		.stdout_bytes = r.out_bytes,
		.stderr_bytes = r.err_bytes,
	};
	outcome->command = &s->report;
	return session_judge(&r, outcome);
}
