/* SPDX-License-Identifier: MIT */
/*
 * fault.h - a host that misbehaves on demand: rules, and what they decide.
 *
 * Theory of operation.  A place where the host can do something wrong is a
 * fault point: a row of the table in fault_points.c, and a call of fault_at()
 * in the code, which asks "and now?".  A rule says at which point, for which
 * device and operation, which of the times it matches (the nth, each nth, with
 * a probability, from a milestone on, at most so often), and what goes wrong.
 * The first rule that says yes decides; the code that asked carries it out.
 *
 * While there is no rule for a point, fault_at() is one relaxed load of a
 * word that nobody writes.
 *
 * What can be repeated.  A decision depends on the seed, the rule's number and
 * how many asks the rule has matched before, and on nothing else: each rule
 * counts for itself, and draws its random numbers from a function of these
 * three.  So the same guest that does the same things in the same order meets
 * the same faults.  Two threads that ask at once (two channels of a disk, two
 * processors) do so in an order of chance; a rule with `device=` and `op=` that
 * only one of them matches does not see that.  When something happens, in ms,
 * is never repeated exactly.
 *
 * Only what goes to the guest is made wrong, or the time and order of it: no
 * rule makes the host act on guest memory that it should not touch.
 *
 * Thread: any, after fault_set_seed().  One lock, a leaf, only when there are
 * rules.  The rules are the process's, as the log is.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_point {
	FAULT_VMBUS_MESSAGE_OUT,
	FAULT_VMBUS_MESSAGE_IN,
	FAULT_VMBUS_VERSION,
	FAULT_VMBUS_OFFER,
	FAULT_CHANNEL_OPEN,
	FAULT_RING_OUT,
	FAULT_RING_PUBLISH,
	FAULT_RING_SIGNAL,
	FAULT_STORVSC_COMMAND,
	FAULT_STORVSC_CONTROL,
	FAULT_NETVSC_FRAME_RX,
	FAULT_NETVSC_CONTROL,
	FAULT_IC_MESSAGE,
	FAULT_STIMER_FIRE,
	FAULT_MACHINE_MILESTONE,
	N_FAULT_POINTS,
};

enum fault_action {
	FAULT_DELAY,
	FAULT_DROP,
	FAULT_DUPLICATE,
	FAULT_REORDER,
	FAULT_FAIL,
	FAULT_CORRUPT,
	FAULT_STALL,
	FAULT_STORM,
	FAULT_DOWNGRADE,
	FAULT_RESCIND,
	FAULT_FLAP,
	FAULT_BALLOON,
	FAULT_JUMP,
	FAULT_MIGRATE,
	N_FAULT_ACTIONS,
};

/* What an action is told besides; bits. */
#define FAULT_WANTS_MS      (1u << 0)
#define FAULT_WANTS_N       (1u << 1)
#define FAULT_WANTS_STATUS  (1u << 2)
#define FAULT_WANTS_KIND    (1u << 3)
#define FAULT_WANTS_VERSION (1u << 4)
#define FAULT_WANTS_MIB     (1u << 5)
#define FAULT_WANTS_DEVICE  (1u << 6)

/* The most that a rule may ask for, so that the host itself stays well. */
#define FAULT_RULES_MAX  64u
#define FAULT_MS_MAX     600000
#define FAULT_N_MAX      1000u
#define FAULT_DEVICE_MAX 32u
#define FAULT_TEXT_MAX   256u

/* fault_at(): no operation is known here. */
#define FAULT_NO_OP    UINT32_MAX
/* A rule for any operation; a corruption of any kind. */
#define FAULT_ANY      UINT32_MAX
#define FAULT_PPM_ALL  1000000u
#define FAULT_NO_STAGE UINT32_MAX

/* A name and what it stands for; a NULL name ends a list. */
struct fault_word {
	const char *name;
	uint32_t number;
	const char *help; /* NULL: the name says it */
};

/* A row of the table of points. */
struct fault_point_row {
	const char *name, *help;
	uint32_t actions; /* a bit for each */
	bool has_device;
	bool has_stage; /* the operation is a milestone */
	const struct fault_word *ops; /* NULL: none */
	const struct fault_word *statuses; /* of FAULT_FAIL; NULL: just fails */
	const struct fault_word *kinds; /* of FAULT_CORRUPT */
};

struct fault_action_row {
	const char *name, *help;
	uint32_t wants; /* FAULT_WANTS_… that must be given */
	uint32_t takes; /* ... that may be */
};

extern const struct fault_point_row fault_points[N_FAULT_POINTS];
extern const struct fault_action_row fault_actions[N_FAULT_ACTIONS];

struct fault_rule {
	enum fault_point point;
	enum fault_action action;
	char device[FAULT_DEVICE_MAX]; /* "": any; "scsi0*": also its others */
	uint32_t op; /* FAULT_ANY */
	uint64_t nth; /* only that one, from 1; 0: any */
	uint64_t every; /* each that is a multiple; 0: all */
	uint32_t ppm; /* probability, of FAULT_PPM_ALL */
	uint32_t from; /* a milestone that was reached; FAULT_NO_STAGE */
	uint64_t count; /* hits at most; 0: any number */
	uint32_t value; /* status, kind (or FAULT_ANY), version */
	uint32_t n; /* how many; MiB */
	int32_t ms;
	char text[FAULT_TEXT_MAX]; /* as it was given, for lists */
};

/* What is to happen. */
struct fault_hit {
	enum fault_action action;
	uint32_t value; /* status, kind, version */
	uint32_t n;
	int32_t ms;
	uint64_t random; /* of this decision; the same with the same seed */
	char device[FAULT_DEVICE_MAX]; /* the rule's */
};

/* A rule in a list. */
struct fault_status {
	unsigned int id;
	uint64_t seen; /* asks that it matched */
	uint64_t hit;
	char text[FAULT_TEXT_MAX];
};

/* Points that have rules, a bit each. */
extern _Atomic uint32_t fault_armed;

/** fault_decide() - fault_at() when there are rules; do not call it */
bool fault_decide(enum fault_point point, const char *device, uint32_t op,
		  struct fault_hit *hit);

/**
 * fault_at() - does something go wrong here and now?
 * @device: who it is about, "scsi0/1"; NULL: not known
 * @op:     what it is about, a number of the point's ops, or FAULT_NO_OP
 * @hit:    out, when true is returned: one of the actions that the point has
 *
 * Each call counts: ask once for each thing that happens.
 */
static inline bool fault_at(enum fault_point point, const char *device,
			    uint32_t op, struct fault_hit *hit)
{
	uint32_t armed =
		atomic_load_explicit(&fault_armed, memory_order_relaxed);

	if (__builtin_expect(!(armed & 1u << point), 1))
		return false;
	return fault_decide(point, device, op, hit);
}

/**
 * fault_set_seed() - what random decisions are made of; 0 at first
 *
 * All rules count from 0 again.
 */
void fault_set_seed(uint64_t seed);

/**
 * fault_add() - one rule more, behind the others
 * @rule: copied; within the bounds above
 *
 * Return: its id, from 1 and never used again; 0: there are FAULT_RULES_MAX.
 */
unsigned int fault_add(const struct fault_rule *rule);

/** fault_remove() - Return: false: there is none of that id */
bool fault_remove(unsigned int id);

/** fault_clear() - no rules, and ids begin with 1 again */
void fault_clear(void);

/** fault_list() - copy up to @max rules; Return: how many */
unsigned int fault_list(struct fault_status *out, unsigned int max);

/**
 * fault_reached() - a milestone was; rules `from` it are on
 * @stage: below 64
 */
void fault_reached(unsigned int stage);

/**
 * fault_fill() - @bytes of nonsense at @at
 * @random: of the hit; the same makes the same bytes
 */
void fault_fill(uint8_t *at, size_t bytes, uint64_t random);

/** fault_word_find() - Return: the row of @name in @list; NULL: none */
const struct fault_word *fault_word_find(const struct fault_word *list,
					 const char *name);

#endif
