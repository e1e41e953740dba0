/* SPDX-License-Identifier: MIT */
#include "base/trace.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <x86intrin.h>

#include <glib.h>

#include "base/clock.h"
#include "base/trace_impl.h"

#define SLOTS_DEFAULT 1024u
/* Rings of threads that ended are kept for what is in them, up to so many. */
#define RINGS_KEPT    64u
#define DEVICES_MAX   4096u
/* Shorter than that, the clock's own error would show. */
#define CALIBRATE_NS  (20 * NSEC_PER_MSEC)

_Atomic uint32_t trace_mask = TRACE_DEFAULT_MASK;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* lock to change; rings are never taken away, and counted last */
static struct trace_ring *rings[TRACE_RINGS_MAX];
static _Atomic unsigned int n_rings;
static uint32_t ring_slots = SLOTS_DEFAULT;
static const char *devices[DEVICES_MAX];
static _Atomic unsigned int n_devices = 1; /* 0 is none */

static uint64_t start_tsc, start_ns;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_exit;

static __thread struct trace_ring *mine;

/* --- names ------------------------------------------------------------------ */

const char *trace_category_name(enum trace_category category)
{
#define NAME(id, text) [id] = #text,
	static const char *const names[] = {TRACE_CATEGORIES(NAME)};
#undef NAME

	return names[category];
}

const char *trace_event_name(enum trace_event event)
{
#define NAME(event, category) [TRACE_EVENT_##event] = #event,
	static const char *const names[] = {TRACE_EVENTS(NAME)};
#undef NAME

	return names[event];
}

enum trace_category trace_event_category(enum trace_event event)
{
#define CATEGORY(event, category) [TRACE_EVENT_##event] = (category),
	static const enum trace_category categories[] = {
		TRACE_EVENTS(CATEGORY)};
#undef CATEGORY

	return categories[event];
}

int trace_parse_categories(const char *list, uint32_t *mask)
{
	g_auto(GStrv) words = g_strsplit(list, ",", -1);
	uint32_t bits = 0;

	for (char **w = words; *w; w++) {
		int i;

		if (!strcmp(*w, "all")) {
			bits |= (1u << N_TRACE_CATEGORIES) - 1;
			continue;
		}
		for (i = 0; i < N_TRACE_CATEGORIES; i++) {
			if (!strcmp(*w, trace_category_name(
						(enum trace_category)i)))
				break;
		}
		if (i == N_TRACE_CATEGORIES)
			return -EINVAL;
		bits |= 1u << i;
		if (i == TRACE_STORVSC)
			bits |= 1u << TRACE_SCSI;
	}
	if (!bits)
		return -EINVAL;
	*mask = bits;
	return 0;
}

uint16_t trace_device(const char *name)
{
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = 1; i < n_devices; i++) {
		if (!strcmp(devices[i], name))
			break;
	}
	if (i == DEVICES_MAX) {
		i = TRACE_NO_DEVICE;
	} else if (i == n_devices) {
		devices[i] = g_strdup(name);
		atomic_store(&n_devices, i + 1);
	}
	pthread_mutex_unlock(&lock);
	return (uint16_t)i;
}

const char *trace_device_name(uint16_t device)
{
	if (!device || device >= atomic_load(&n_devices))
		return NULL;
	return devices[device];
}

/* --- time --------------------------------------------------------------------- */

static void on_thread_exit(void *ring)
{
	struct trace_ring *r = ring;

	pthread_mutex_lock(&lock);
	r->used = false;
	pthread_mutex_unlock(&lock);
}

static void begin(void)
{
	start_ns = clock_monotonic_ns();
	start_tsc = __rdtsc();
	pthread_key_create(&at_exit, on_thread_exit);
}

uint64_t trace_start_tsc(void)
{
	pthread_once(&once, begin);
	return start_tsc;
}

double trace_tsc_hz(void)
{
	uint64_t ns, tsc;

	pthread_once(&once, begin);
	do {
		ns = clock_monotonic_ns() - start_ns;
		tsc = __rdtsc() - start_tsc;
	} while (ns < CALIBRATE_NS);
	return (double)tsc * (double)NSEC_PER_SEC / (double)ns;
}

/* --- rings --------------------------------------------------------------------- */

struct trace_ring *const *trace_rings(unsigned int *n)
{
	*n = atomic_load_explicit(&n_rings, memory_order_acquire);
	return rings;
}

void trace_set_mask(uint32_t mask)
{
	atomic_store(&trace_mask, mask & ((1u << N_TRACE_CATEGORIES) - 1));
}

void trace_set_slots(uint32_t slots)
{
	ring_slots = MIN(slots, TRACE_SLOTS_MAX);
}

/* With the lock.  One that nobody has any more; the first is the oldest. */
static struct trace_ring *find_unused(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!rings[i]->used)
			return rings[i];
	}
	return NULL;
}

/* With the lock.  Pages that are not written yet cost nothing. */
static struct trace_ring *make_ring(unsigned int n)
{
	size_t bytes = (size_t)ring_slots * TRACE_SLOT_WORDS * sizeof(uint64_t);
	void *words = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   /* cppcheck-suppress invalidFunctionArg ; fd -1 */
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct trace_ring *r;

	if (words == MAP_FAILED)
		return NULL;
	r = g_new0(struct trace_ring, 1);
	r->mask = ring_slots - 1;
	r->words = words;
	rings[n] = r;
	atomic_store_explicit(&n_rings, n + 1, memory_order_release);
	return r;
}

/* Return: NULL: there are too many threads, and this one leaves no trace. */
static struct trace_ring *attach(void)
{
	struct trace_ring *r = NULL;
	unsigned int n;

	pthread_once(&once, begin);
	pthread_mutex_lock(&lock);
	n = n_rings;
	if (n >= RINGS_KEPT)
		r = find_unused(n);
	if (!r && n < TRACE_RINGS_MAX)
		r = make_ring(n);
	if (r)
		r->used = true;
	pthread_mutex_unlock(&lock);
	mine = r;
	if (r)
		pthread_setspecific(at_exit, r);
	return r;
}

/* --- writing -------------------------------------------------------------------- */

static inline void put(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_release);
}

static inline _Atomic uint64_t *slot_at(const struct trace_ring *r,
					uint64_t position)
{
	return r->words + (position & r->mask) * TRACE_SLOT_WORDS;
}

static inline uint64_t head_of(const struct trace_ring *r)
{
	return atomic_load_explicit(&r->head, memory_order_relaxed);
}

static inline uint64_t meta_of(struct trace_ring *r, enum trace_event event,
			       uint32_t bytes, uint32_t vp, uint16_t device)
{
	uint64_t n = atomic_load_explicit(&r->records, memory_order_relaxed);

	put(&r->records, n + 1);
	return (uint64_t)event | (uint64_t)bytes << TRACE_META_BYTES |
	       (uint64_t)(uint16_t)vp << TRACE_META_VP |
	       (uint64_t)device << TRACE_META_DEVICE | n << TRACE_META_SEQ;
}

/* NOLINTNEXTLINE(readability-function-size): most are in registers so */
void trace_put(enum trace_event event, uint32_t vp, uint16_t device,
	       uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
	struct trace_ring *r = mine;
	_Atomic uint64_t *s;
	uint64_t at;

	if (!r) {
		r = attach();
		if (!r)
			return;
	}
	at = head_of(r);
	s = slot_at(r, at);
	put(s, 0);
	put(s + TRACE_WORD_TSC, __rdtsc());
	put(s + TRACE_WORD_META, meta_of(r, event, 0, vp, device));
	put(s + TRACE_WORD_ARG, a0);
	put(s + TRACE_WORD_ARG + 1, a1);
	put(s + TRACE_WORD_ARG + 2, a2);
	put(s + TRACE_WORD_ARG + 3, a3);
	put(s + TRACE_WORD_ARG + 4, a4);
	put(s, trace_stamp(at, false));
	put(&r->head, at + 1);
}

static void put_slot_bytes(_Atomic uint64_t *s, uint64_t at,
			   const uint8_t *data, uint32_t bytes)
{
	uint64_t words[TRACE_SLOT_WORDS - 1] = {0};

	memcpy(words, data, bytes);
	put(s, 0);
	for (unsigned int i = 0; i < TRACE_SLOT_WORDS - 1; i++)
		put(s + 1 + i, words[i]);
	put(s, trace_stamp(at, true));
}

void trace_put_bytes(enum trace_event event, uint32_t vp, uint16_t device,
		     const void *data, uint32_t bytes, uint64_t a0, uint64_t a1)
{
	const uint32_t n = MIN(bytes, TRACE_BYTES_MAX);
	struct trace_ring *r = mine;
	_Atomic uint64_t *s;
	uint64_t first, at;

	if (!r) {
		r = attach();
		if (!r)
			return;
	}
	first = head_of(r);
	s = slot_at(r, first);
	put(s, 0);
	put(s + TRACE_WORD_TSC, __rdtsc());
	put(s + TRACE_WORD_META, meta_of(r, event, n, vp, device));
	put(s + TRACE_WORD_ARG, a0);
	put(s + TRACE_WORD_ARG + 1, a1);
	at = first + 1;
	for (uint32_t done = 0; done < n; done += TRACE_SLOT_BYTES, at++)
		put_slot_bytes(slot_at(r, at), at, (const uint8_t *)data + done,
			       MIN(n - done, TRACE_SLOT_BYTES));
	put(s, trace_stamp(first, false));
	put(&r->head, at);
}
