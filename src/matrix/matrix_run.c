/* SPDX-License-Identifier: MIT */
#include "matrix/matrix_run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib-unix.h>
#include <json-c/json.h>

#include "base/clock.h"
#include "base/json.h"
#include "matrix/matrix.h"
#include "report/report.h"
#include "report/report_file.h"
#include "report/verdict.h"

/* How much longer than its own --timeout a run may take to end. */
#define GRACE_S 30

/* A run that goes on. */
struct child {
	struct runner *runner;
	struct matrix_cell *cell;
	GPid pid;
	uint64_t start_ns;
	guint timer;
};

struct runner {
	struct matrix *matrix;
	FILE *out;
	GMainLoop *loop;
	guint next; /* cell */
	unsigned int running;
	GPtrArray *children;
	int signal; /* that ends it; 0 */
};

static void start_more(struct runner *r);

/* "kvmbus run …": itself, its report, and behind "--" the command. */
static GStrv full_argv(const struct matrix *m, const struct matrix_cell *c)
{
	GPtrArray *argv = g_ptr_array_new();

	g_ptr_array_add(argv, g_strdup("/proc/self/exe"));
	for (char **a = c->argv; *a; a++)
		g_ptr_array_add(argv, g_strdup(*a));
	g_ptr_array_add(argv, g_strdup_printf("--report=%s", c->report));
	g_ptr_array_add(argv, g_strdup("--"));
	for (char **a = m->command; *a; a++)
		g_ptr_array_add(argv, g_strdup(*a));
	g_ptr_array_add(argv, NULL);
	return (GStrv)g_ptr_array_free(argv, FALSE);
}

static void finish_cell(struct runner *r, struct matrix_cell *c, int code,
			uint64_t start_ns)
{
	c->ran = TRUE;
	c->exit_code = code;
	c->seconds = (double)(clock_monotonic_ns() - start_ns) /
		     (double)NSEC_PER_SEC;
	fprintf(r->out, "%s %s, exit code %d, %.1f s\n", code ? "FAIL" : "ok  ",
		c->name, code, c->seconds);
	fflush(r->out);
}

static void on_child(GPid pid, gint status, gpointer data)
{
	struct child *child = data;
	struct runner *r = child->runner;
	int code = WIFEXITED(status) ? WEXITSTATUS(status)
				     : 128 + WTERMSIG(status);

	g_spawn_close_pid(pid);
	g_source_remove(child->timer);
	finish_cell(r, child->cell, code, child->start_ns);
	g_ptr_array_remove_fast(r->children, child);
	r->running--;
	start_more(r);
}

static gboolean on_late(gpointer data)
{
	const struct child *child = data;

	kill(child->pid, SIGKILL);
	return G_SOURCE_CONTINUE;
}

static void start(struct runner *r, struct matrix_cell *c)
{
	g_auto(GStrv) argv = full_argv(r->matrix, c);
	g_autoptr(GError) error = NULL;
	uint64_t now = clock_monotonic_ns();
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int log = open(c->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct child *child;
	GPid pid;

	unlink(c->report);
	if (null < 0 || log < 0 ||
	    !g_spawn_async_with_fds(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
				    NULL, NULL, &pid, null, log, log, &error)) {
		finish_cell(r, c, EXIT_FAILED, now);
	} else {
		child = g_new0(struct child, 1);
		child->runner = r;
		child->cell = c;
		child->pid = pid;
		child->start_ns = now;
		child->timer = g_timeout_add_seconds(
			r->matrix->timeout_s + GRACE_S, on_late, child);
		g_ptr_array_add(r->children, child);
		r->running++;
		g_child_watch_add(pid, on_child, child);
	}
	if (null >= 0)
		close(null);
	if (log >= 0)
		close(log);
}

static void start_more(struct runner *r)
{
	while (!r->signal && r->running < r->matrix->jobs &&
	       r->next < r->matrix->cells->len)
		start(r, g_ptr_array_index(r->matrix->cells, r->next++));
	if (!r->running)
		g_main_loop_quit(r->loop);
}

static gboolean on_signal(struct runner *r, int number)
{
	r->signal = number;
	for (guint i = 0; i < r->children->len; i++) {
		const struct child *c = g_ptr_array_index(r->children, i);

		/* a guest is not asked */
		kill(c->pid, SIGHUP);
	}
	return G_SOURCE_CONTINUE;
}

static gboolean on_sigint(gpointer r)
{
	return on_signal(r, SIGINT);
}

static gboolean on_sigterm(gpointer r)
{
	return on_signal(r, SIGTERM);
}

/* --- what came of it --------------------------------------------------------- */

static char *junit_of(const struct matrix *m, struct json_object **reports)
{
	struct verdict_run *runs =
		g_new0(struct verdict_run, m->cells->len + 1);
	char *text;

	for (guint i = 0; i < m->cells->len; i++) {
		const struct matrix_cell *c = g_ptr_array_index(m->cells, i);

		runs[i] = (struct verdict_run){
			.name = c->name,
			.report = reports[i],
			.why = c->ran ? "no report; its log says why"
				      : "it was not started",
			.seconds = c->seconds,
		};
	}
	text = verdict_junit(runs, m->cells->len);
	g_free(runs);
	return text;
}

static char *json_of(const struct matrix *m, struct json_object **reports)
{
	struct json_object *root = json_object_new_object();
	struct json_object *list = json_object_new_array();
	char *text;

	for (guint i = 0; i < m->cells->len; i++) {
		const struct matrix_cell *c = g_ptr_array_index(m->cells, i);
		struct json_object *o = json_object_new_object();

		json_add_text(o, "name", c->name);
		json_add_text(o, "kernel", c->kernel);
		json_add_text(o, "profile", c->profile);
		json_add_number(o, "vcpus", c->vcpus);
		json_add_text(o, "scenario", c->scenario);
		json_add_bool(o, "ran", c->ran);
		json_object_object_add(o, "exit_code",
				       json_object_new_int(c->exit_code));
		json_object_object_add(o, "seconds",
				       json_object_new_double(c->seconds));
		json_object_object_add(o, "report",
				       json_object_get(reports[i]));
		json_object_array_add(list, o);
	}
	json_object_object_add(root, "runs", list);
	text = g_strconcat(json_pretty(root), "\n", NULL);
	json_object_put(root);
	return text;
}

static int put(const char *path, char *text, GError **error)
{
	int ret = !path || g_file_set_contents(path, text, -1, error) ? 0 : -1;

	g_free(text);
	return ret;
}

static int gather(const struct matrix *m, GError **error)
{
	struct json_object **reports =
		g_new0(struct json_object *, m->cells->len + 1);
	int ret = 0;

	for (guint i = 0; i < m->cells->len; i++) {
		const struct matrix_cell *c = g_ptr_array_index(m->cells, i);

		reports[i] = report_load(c->report, NULL);
	}
	if (m->junit)
		ret = put(m->junit, junit_of(m, reports), error);
	if (!ret && m->json)
		ret = put(m->json, json_of(m, reports), error);
	for (guint i = 0; i < m->cells->len; i++)
		json_object_put(reports[i]);
	g_free(reports);
	return ret;
}

static int code_of(const struct runner *r)
{
	if (r->signal)
		return EXIT_SIGNAL_BASE + r->signal;
	for (guint i = 0; i < r->matrix->cells->len; i++) {
		const struct matrix_cell *c =
			g_ptr_array_index(r->matrix->cells, i);

		if (!c->ran || c->exit_code)
			return EXIT_MATRIX_FAILED;
	}
	return 0;
}

int matrix_run(struct matrix *m, FILE *out, GError **error)
{
	struct runner r = {.matrix = m, .out = out};
	guint sources[2];
	int code;

	if (g_mkdir_with_parents(m->folder, 0755)) {
		g_set_error(error, REPORT_ERROR, 0, "%s: %s", m->folder,
			    g_strerror(errno));
		return EXIT_CONFIG;
	}
	r.loop = g_main_loop_new(NULL, FALSE);
	r.children = g_ptr_array_new_with_free_func(g_free);
	sources[0] = g_unix_signal_add(SIGINT, on_sigint, &r);
	sources[1] = g_unix_signal_add(SIGTERM, on_sigterm, &r);
	start_more(&r);
	if (r.running)
		g_main_loop_run(r.loop);
	matrix_print(m, out);
	code = code_of(&r);
	if (gather(m, error))
		code = EXIT_FAILED;
	g_source_remove(sources[0]);
	g_source_remove(sources[1]);
	g_ptr_array_free(r.children, TRUE);
	g_main_loop_unref(r.loop);
	return code;
}
