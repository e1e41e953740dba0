/* SPDX-License-Identifier: MIT */
#include "vm/vm_faults.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "config/fault_config.h"
#include "config/machine_config.h"
#include "vm/devices/vm_nics.h"
#include "vm/vm.h"
#include "vm/vm_private.h"
#include "vsp/balloon.h"
#include "vsp/vmbus/channel.h"

#define LOG_CATEGORY "fault"

#define MIB (1ull << 20)

/* Something that is to happen, on the main thread. */
struct job {
	struct vm_faults *owner;
	struct fault_hit hit;
	guint source; /* of its timer; 0: none */
	unsigned int left; /* turns of a flapping link */
	bool is_down;
};

struct vm_faults {
	/* set once */
	struct vm *vm;

	pthread_mutex_t lock; /* a leaf */
	/* lock */
	GQueue fresh; /* struct job, from any thread */

	/* main thread */
	GPtrArray *jobs; /* that have a timer, owned */
	struct fault_status status[FAULT_RULES_MAX];
	struct report_fault reports[FAULT_RULES_MAX];
};

/* --- what happens: main thread ------------------------------------------------ */

static void rescind(struct vm *vm, const struct fault_hit *hit)
{
	struct channel *ch = vm_channel(vm, hit->device);

	if (!ch) {
		log_warn("there is no device %s to be taken away", hit->device);
		return;
	}
	channel_rescind(ch);
	if (hit->n)
		channel_offer(ch);
}

static void press_balloon(struct vm *vm, const struct fault_hit *hit)
{
	struct balloon *b = vm_device(vm, &balloon_ops);
	int err = b ? balloon_set_target(b, hit->n * MIB) : -ENODEV;

	if (err)
		log_warn("balloon of %u MiB: %s", hit->n, g_strerror(-err));
}

/* Return: true when it is over. */
static bool flap(struct job *j)
{
	g_autoptr(GError) error = NULL;

	j->is_down = !j->is_down;
	if (vm_nics_set_link(vm_network(j->owner->vm), j->hit.device,
			     !j->is_down, &error)) {
		log_warn("%s", error->message);
		return true;
	}
	if (!j->is_down)
		j->left--;
	return !j->left;
}

/* Return: true when it is over. */
static bool run_job(struct job *j)
{
	struct vm *vm = j->owner->vm;

	switch (j->hit.action) {
	case FAULT_RESCIND:
		rescind(vm, &j->hit);
		return true;
	case FAULT_BALLOON:
		press_balloon(vm, &j->hit);
		return true;
	case FAULT_FLAP:
		return flap(j);
	default:
		vm_time_jump(vm, j->hit.ms, j->hit.action == FAULT_JUMP);
		return true;
	}
}

static gboolean on_timer(gpointer data)
{
	struct job *j = data;

	if (!run_job(j))
		return G_SOURCE_CONTINUE;
	j->source = 0;
	g_ptr_array_remove_fast(j->owner->jobs, j);
	return G_SOURCE_REMOVE;
}

static bool waits(const struct fault_hit *hit)
{
	return hit->ms > 0 &&
	       (hit->action == FAULT_RESCIND || hit->action == FAULT_BALLOON ||
		hit->action == FAULT_FLAP);
}

static void start_job(struct vm_faults *f, struct job *j)
{
	j->left = j->hit.n;
	if (j->hit.action == FAULT_FLAP)
		flap(j);
	if (!waits(&j->hit)) {
		while (!run_job(j))
			;
		g_free(j);
		return;
	}
	g_ptr_array_add(f->jobs, j);
	j->source = g_timeout_add((guint)j->hit.ms, on_timer, j);
}

static gboolean take_jobs(gpointer data)
{
	struct vm_faults *f = data;
	struct job *j;

	do {
		pthread_mutex_lock(&f->lock);
		j = g_queue_pop_head(&f->fresh);
		pthread_mutex_unlock(&f->lock);
		if (j)
			start_job(f, j);
	} while (j);
	return G_SOURCE_REMOVE;
}

/* --- milestones: any thread ----------------------------------------------------- */

static void ask(struct vm_faults *f, enum milestone which)
{
	struct fault_hit hit;
	struct job *j;

	if (!fault_at(FAULT_MACHINE_MILESTONE, NULL, which, &hit))
		return;
	j = g_new0(struct job, 1);
	j->owner = f;
	j->hit = hit;
	pthread_mutex_lock(&f->lock);
	g_queue_push_tail(&f->fresh, j);
	pthread_mutex_unlock(&f->lock);
	g_idle_add_full(G_PRIORITY_DEFAULT, take_jobs, f, NULL);
}

void vm_faults_reached(struct vm_faults *f, enum milestone which)
{
	fault_reached(which);
	ask(f, which);
}

/* --- life -------------------------------------------------------------------------- */

static void free_job(void *data)
{
	struct job *j = data;

	if (j->source)
		g_source_remove(j->source);
	g_free(j);
}

struct vm_faults *vm_faults_new(struct vm *vm)
{
	struct vm_faults *f = g_new0(struct vm_faults, 1);
	const GArray *rules = vm->config->faults;

	f->vm = vm;
	pthread_mutex_init(&f->lock, NULL);
	g_queue_init(&f->fresh);
	f->jobs = g_ptr_array_new_with_free_func(free_job);
	fault_clear();
	fault_set_seed(vm->config->fault_seed);
	for (guint i = 0; i < rules->len; i++)
		fault_add(&g_array_index(rules, struct fault_rule, i));
	return f;
}

void vm_faults_stop(struct vm_faults *f)
{
	struct job *j;

	if (!f)
		return;
	while (g_idle_remove_by_data(f))
		;
	g_ptr_array_set_size(f->jobs, 0);
	pthread_mutex_lock(&f->lock);
	while ((j = g_queue_pop_head(&f->fresh)))
		g_free(j);
	pthread_mutex_unlock(&f->lock);
}

void vm_faults_free(struct vm_faults *f)
{
	if (!f)
		return;
	vm_faults_stop(f);
	fault_clear();
	g_ptr_array_free(f->jobs, TRUE);
	pthread_mutex_destroy(&f->lock);
	g_free(f);
}

unsigned int vm_fault_add(struct vm *vm, const char *text, GError **error)
{
	struct fault_rule rule;
	unsigned int id;

	if (fault_config_parse(text, milestone_find, &rule, error))
		return 0;
	id = fault_add(&rule);
	if (!id)
		g_set_error(error, CONFIG_ERROR, 0,
			    "there are %u rules already", FAULT_RULES_MAX);
	else if (rule.point == FAULT_MACHINE_MILESTONE &&
		 milestone_reached(&vm->milestones, (enum milestone)rule.op))
		ask(vm->faults, (enum milestone)rule.op);
	return id;
}

const struct report_fault *vm_faults_report(struct vm_faults *f,
					    unsigned int *n)
{
	*n = fault_list(f->status, FAULT_RULES_MAX);
	for (unsigned int i = 0; i < *n; i++)
		f->reports[i] = (struct report_fault){.rule = f->status[i].text,
						      .seen = f->status[i].seen,
						      .hit = f->status[i].hit};
	return f->reports;
}
