/* SPDX-License-Identifier: MIT */
#include "base/fault.h"

#include <pthread.h>
#include <string.h>

#include <glib.h>

#include "base/log.h"
#include "base/trace.h"

#define LOG_CATEGORY "fault"

struct rule {
	struct fault_rule rule;
	unsigned int id;
	uint64_t seen, hit;
};

_Atomic uint32_t fault_armed;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* a leaf */
/* lock */
static struct rule rules[FAULT_RULES_MAX]; /* in the order of their ids */
static unsigned int n_rules, last_id;
static uint64_t seed;
static uint64_t stages; /* milestones that were reached, a bit each */

/* --- decisions ------------------------------------------------------------ */

/* The finalizer of SplitMix64 (Steele, Lea, Flood: a bijection that mixes). */
static uint64_t mix(uint64_t x)
{
	x += 0x9E3779B97F4A7C15u;
	x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
	x = (x ^ x >> 27) * 0x94D049BB133111EBu;
	return x ^ x >> 31;
}

/* Of the @nth ask of a rule. */
static uint64_t draw(const struct rule *r, uint64_t nth)
{
	return mix(mix(mix(seed) ^ r->id) ^ nth);
}

/* "scsi0" is itself; "scsi0*" is what begins so. */
static bool is_device(const char *wanted, const char *device)
{
	size_t n = strlen(wanted);

	if (!n)
		return true;
	if (!device)
		return false;
	if (wanted[n - 1] == '*')
		return !strncmp(wanted, device, n - 1);
	return !strcmp(wanted, device);
}

static bool matches(const struct fault_rule *r, enum fault_point point,
		    const char *device, uint32_t op)
{
	/* Of a milestone the device is what the action is about. */
	bool any_device = fault_points[point].has_stage;

	return r->point == point && (r->op == FAULT_ANY || r->op == op) &&
	       (r->from == FAULT_NO_STAGE || stages >> r->from & 1) &&
	       (any_device || is_device(r->device, device));
}

/* The ask was counted: is it one of those? */
static bool is_chosen(const struct rule *r, uint64_t random)
{
	const struct fault_rule *f = &r->rule;

	if (f->count && r->hit >= f->count)
		return false;
	if (f->nth && r->seen != f->nth)
		return false;
	if (f->every && r->seen % f->every)
		return false;
	return random % FAULT_PPM_ALL < f->ppm;
}

/* One of the kinds, if the rule leaves it open. */
static uint32_t pick_value(const struct fault_rule *r, uint64_t random)
{
	const struct fault_word *kinds = fault_points[r->point].kinds;
	unsigned int n = 0;

	if (r->action != FAULT_CORRUPT || r->value != FAULT_ANY || !kinds ||
	    !kinds[0].name)
		return r->value;
	while (kinds[n].name)
		n++;
	return kinds[random % n].number;
}

static void fill_hit(struct rule *r, uint64_t random, struct fault_hit *hit)
{
	const struct fault_rule *f = &r->rule;

	r->hit++;
	*hit = (struct fault_hit){
		.action = f->action,
		.value = pick_value(f, mix(random)),
		.n = f->n,
		.ms = f->ms,
		.random = mix(~random),
	};
	memcpy(hit->device, f->device, sizeof(hit->device));
}

bool fault_decide(enum fault_point point, const char *device, uint32_t op,
		  struct fault_hit *hit)
{
	unsigned int id = 0;
	uint64_t nth = 0;

	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < n_rules; i++) {
		struct rule *r = &rules[i];
		uint64_t random;

		if (!matches(&r->rule, point, device, op))
			continue;
		random = draw(r, ++r->seen);
		/* All count, also behind one that has decided. */
		if (id || !is_chosen(r, random))
			continue;
		id = r->id;
		nth = r->seen;
		fill_hit(r, random, hit);
	}
	pthread_mutex_unlock(&lock);
	if (id) {
		trace_event(fault, TRACE_NO_VP,
			    device ? trace_device(device) : TRACE_NO_DEVICE, id,
			    nth, (uint32_t)point << 16 | hit->action, op,
			    hit->value);
		log_debug_ratelimited("rule %u: %s %s%s%s", id,
				      fault_points[point].name,
				      fault_actions[hit->action].name,
				      device ? " " : "", device ? device : "");
	}
	return id != 0;
}

/* --- rules ------------------------------------------------------------------ */

/* With the lock. */
static void arm(void)
{
	uint32_t armed = 0;

	for (unsigned int i = 0; i < n_rules; i++)
		armed |= 1u << rules[i].rule.point;
	atomic_store_explicit(&fault_armed, armed, memory_order_relaxed);
}

void fault_set_seed(uint64_t new_seed)
{
	pthread_mutex_lock(&lock);
	seed = new_seed;
	for (unsigned int i = 0; i < n_rules; i++) {
		rules[i].seen = 0;
		rules[i].hit = 0;
	}
	pthread_mutex_unlock(&lock);
}

unsigned int fault_add(const struct fault_rule *rule)
{
	unsigned int id = 0;

	pthread_mutex_lock(&lock);
	if (n_rules < FAULT_RULES_MAX) {
		id = ++last_id;
		rules[n_rules++] = (struct rule){.rule = *rule, .id = id};
		arm();
	}
	pthread_mutex_unlock(&lock);
	return id;
}

bool fault_remove(unsigned int id)
{
	bool found = false;

	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < n_rules && !found; i++) {
		if (rules[i].id != id)
			continue;
		found = true;
		n_rules--;
		memmove(rules + i, rules + i + 1,
			(n_rules - i) * sizeof(rules[0]));
		arm();
	}
	pthread_mutex_unlock(&lock);
	return found;
}

void fault_clear(void)
{
	pthread_mutex_lock(&lock);
	n_rules = 0;
	last_id = 0;
	stages = 0;
	arm();
	pthread_mutex_unlock(&lock);
}

unsigned int fault_list(struct fault_status *out, unsigned int max)
{
	unsigned int n;

	pthread_mutex_lock(&lock);
	n = MIN(n_rules, max);
	for (unsigned int i = 0; i < n; i++) {
		out[i] = (struct fault_status){.id = rules[i].id,
					       .seen = rules[i].seen,
					       .hit = rules[i].hit};
		memcpy(out[i].text, rules[i].rule.text, sizeof(out[i].text));
	}
	pthread_mutex_unlock(&lock);
	return n;
}

void fault_reached(unsigned int stage)
{
	pthread_mutex_lock(&lock);
	stages |= 1ull << (stage & 63);
	pthread_mutex_unlock(&lock);
}

void fault_fill(uint8_t *at, size_t bytes, uint64_t random)
{
	for (size_t i = 0; i < bytes; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		at[i] = (uint8_t)(random >> 56);
	}
}

const struct fault_word *fault_word_find(const struct fault_word *list,
					 const char *name)
{
	for (; list && list->name; list++) {
		if (!g_ascii_strcasecmp(list->name, name))
			return list;
	}
	return NULL;
}
