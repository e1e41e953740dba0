/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation.  The numbers that time is computed from change only
 * when the partition is paused, resumed or reset, and are read at every timer
 * interrupt of every vCPU, so readers take no lock: a sequence counter tells
 * them to start over when a writer was at work, as the guest does with the
 * page.  The fields are atomics read with acquire and written with release
 * order, which is what keeps them between the two looks at the counter.
 *
 * All sums are modulo 2^64, as they are for the guest: the page's offset is
 * "negative" by as much as the guest's TSC had counted at time 0.
 */
#include "synic/ref_time.h"

#include <stdatomic.h>

#include <glib.h>

#include "base/checked.h"
#include "base/clock.h"
#include "proto/hv_synic.h"

__extension__ typedef unsigned __int128 uint128;

/* The page's sequence: 0 is "invalid", and so was this one in early texts. */
#define SEQUENCE_ALSO_INVALID 0xFFFFFFFFu

/* What time is computed from, as one consistent copy. */
struct base {
	uint64_t tsc_offset; /* guest TSC - host TSC */
	uint64_t offset; /* the page's: reference time - scaled guest TSC */
	uint64_t zero_ns; /* CLOCK_MONOTONIC at reference time 0 */
	uint64_t frozen_at; /* reference time, if frozen */
	uint32_t sequence; /* the page's */
	bool frozen;
};

struct ref_time {
	/* set once */
	struct ref_clock clock;
	uint64_t tsc_hz;
	uint64_t scale;
	bool use_tsc;
	/* one writer; odd while it writes */
	_Atomic uint32_t writes;
	_Atomic uint64_t tsc_offset;
	_Atomic uint64_t offset;
	_Atomic uint64_t zero_ns;
	_Atomic uint64_t frozen_at;
	_Atomic uint32_t sequence;
	_Atomic bool frozen;
};

static uint64_t host_tsc(void *ctx)
{
	(void)ctx;
	return clock_tsc();
}

static uint64_t host_monotonic_ns(void *ctx)
{
	(void)ctx;
	return clock_monotonic_ns();
}

const struct ref_clock ref_clock_host = {
	.tsc = host_tsc,
	.monotonic_ns = host_monotonic_ns,
};

/* --- the base, copied in and out ------------------------------------- */

static struct base load_base(const struct ref_time *rt)
{
	return (struct base){
		.tsc_offset = atomic_load_explicit(&rt->tsc_offset,
						   memory_order_acquire),
		.offset =
			atomic_load_explicit(&rt->offset, memory_order_acquire),
		.zero_ns = atomic_load_explicit(&rt->zero_ns,
						memory_order_acquire),
		.frozen_at = atomic_load_explicit(&rt->frozen_at,
						  memory_order_acquire),
		.sequence = atomic_load_explicit(&rt->sequence,
						 memory_order_acquire),
		.frozen =
			atomic_load_explicit(&rt->frozen, memory_order_acquire),
	};
}

/* The value of the counter that read_retry() wants back. */
static uint32_t read_begin(const struct ref_time *rt, struct base *b)
{
	uint32_t writes;

	do
		writes =
			atomic_load_explicit(&rt->writes, memory_order_acquire);
	while (writes & 1);
	*b = load_base(rt);
	return writes;
}

/* Has the base changed since read_begin()? Pairs with write_end(). */
static bool read_retry(const struct ref_time *rt, uint32_t writes)
{
	return atomic_load_explicit(&rt->writes, memory_order_acquire) !=
	       writes;
}

/*
 * A writer shuts readers out before it looks at the clock, and no reading of
 * the clock moves above that (hence an exchange): what a reader has returned
 * is never above what the writer goes on from.
 */
static struct base write_begin(struct ref_time *rt)
{
	struct base b = load_base(rt);

	atomic_fetch_add_explicit(&rt->writes, 1, memory_order_seq_cst);
	return b;
}

static void write_end(struct ref_time *rt, const struct base *b)
{
	atomic_store_explicit(&rt->tsc_offset, b->tsc_offset,
			      memory_order_release);
	atomic_store_explicit(&rt->offset, b->offset, memory_order_release);
	atomic_store_explicit(&rt->zero_ns, b->zero_ns, memory_order_release);
	atomic_store_explicit(&rt->frozen_at, b->frozen_at,
			      memory_order_release);
	atomic_store_explicit(&rt->sequence, b->sequence, memory_order_release);
	atomic_store_explicit(&rt->frozen, b->frozen, memory_order_release);
	atomic_fetch_add_explicit(&rt->writes, 1, memory_order_release);
}

/* --- arithmetic ------------------------------------------------------- */

/* The guest's TSC times scale: units of 2^-64 * 100 ns. */
static uint128 scaled_tsc(const struct ref_time *rt, const struct base *b)
{
	uint64_t tsc = rt->clock.tsc(rt->clock.ctx) + b->tsc_offset;

	return (uint128)tsc * rt->scale;
}

static uint64_t time_of(const struct ref_time *rt, const struct base *b)
{
	if (b->frozen)
		return b->frozen_at;
	if (rt->use_tsc)
		return (uint64_t)(scaled_tsc(rt, b) >> 64) + b->offset;
	return (rt->clock.monotonic_ns(rt->clock.ctx) - b->zero_ns) /
	       NSEC_PER_100NS;
}

/* Let @b run from reference time @ref now. */
static void start_at(const struct ref_time *rt, struct base *b, uint64_t ref)
{
	b->frozen = false;
	if (!rt->use_tsc) {
		b->zero_ns = rt->clock.monotonic_ns(rt->clock.ctx) -
			     ref * NSEC_PER_100NS;
		return;
	}
	b->offset = ref - (uint64_t)(scaled_tsc(rt, b) >> 64);
	do
		b->sequence++;
	while (b->sequence == HV_REFERENCE_TSC_SEQUENCE_INVALID ||
	       b->sequence == SEQUENCE_ALSO_INVALID);
}

/* --- calls ------------------------------------------------------------ */

struct ref_time *ref_time_new(const struct ref_clock *clock, uint64_t tsc_hz,
			      int64_t tsc_offset, bool use_tsc)
{
	struct ref_time *rt = g_new0(struct ref_time, 1);
	struct base b = write_begin(rt);

	b.tsc_offset = (uint64_t)tsc_offset;
	rt->clock = *clock;
	rt->tsc_hz = tsc_hz;
	if (use_tsc && tsc_hz > REF_TIME_PER_SEC) {
		rt->use_tsc = true;
		rt->scale =
			(uint64_t)(((uint128)REF_TIME_PER_SEC << 64) / tsc_hz);
	}
	start_at(rt, &b, 0);
	write_end(rt, &b);
	return rt;
}

void ref_time_free(struct ref_time *rt)
{
	g_free(rt);
}

void ref_time_restart(struct ref_time *rt)
{
	struct base b = write_begin(rt);

	start_at(rt, &b, 0);
	write_end(rt, &b);
}

void ref_time_set_tsc_offset(struct ref_time *rt, int64_t tsc_offset)
{
	struct base b = write_begin(rt);
	uint64_t now = time_of(rt, &b);
	bool frozen = b.frozen;

	b.tsc_offset = (uint64_t)tsc_offset;
	start_at(rt, &b, now);
	b.frozen = frozen;
	write_end(rt, &b);
}

uint64_t ref_time_now(const struct ref_time *rt)
{
	struct base b;
	uint32_t writes;
	uint64_t now;

	do {
		writes = read_begin(rt, &b);
		now = time_of(rt, &b);
	} while (read_retry(rt, writes));
	return now;
}

uint64_t ref_time_tsc_hz(const struct ref_time *rt)
{
	return rt->tsc_hz;
}

void ref_time_tsc_page(const struct ref_time *rt,
		       struct ms_hyperv_tsc_page *out)
{
	struct base b;
	uint32_t writes;

	do
		writes = read_begin(rt, &b);
	while (read_retry(rt, writes));
	*out = (struct ms_hyperv_tsc_page){
		.tsc_sequence = HV_REFERENCE_TSC_SEQUENCE_INVALID,
	};
	if (rt->use_tsc) {
		out->tsc_sequence = b.sequence;
		out->tsc_scale = rt->scale;
		out->tsc_offset = (int64_t)b.offset;
	}
}

void ref_time_write_page(const struct ref_time *rt, void *page)
{
	/* Shared with a guest that only reads: laid over it, word by word. */
	struct ms_hyperv_tsc_page *shared = page, new;

	ref_time_tsc_page(rt, &new);
	/* Pairs with the guest's two looks at the sequence. */
	__atomic_store_n(&shared->tsc_sequence,
			 HV_REFERENCE_TSC_SEQUENCE_INVALID, __ATOMIC_SEQ_CST);
	__atomic_store_n(&shared->tsc_scale, new.tsc_scale, __ATOMIC_RELEASE);
	__atomic_store_n(&shared->tsc_offset, new.tsc_offset, __ATOMIC_RELEASE);
	__atomic_store_n(&shared->tsc_sequence, new.tsc_sequence,
			 __ATOMIC_RELEASE);
}

void ref_time_freeze(struct ref_time *rt)
{
	struct base b = write_begin(rt);

	b.frozen_at = time_of(rt, &b);
	b.frozen = true;
	write_end(rt, &b);
}

void ref_time_jump(struct ref_time *rt, int64_t delta)
{
	struct base b = write_begin(rt);

	if (delta < 0 && b.frozen_at < (uint64_t)-delta)
		b.frozen_at = 0;
	else
		b.frozen_at += (uint64_t)delta;
	write_end(rt, &b);
}

/*
 * The offset is computed anew rather than kept: whatever little the caller's
 * and our idea of the moment of the freeze differ by, time neither jumps nor
 * goes back.
 */
void ref_time_thaw(struct ref_time *rt, int64_t tsc_offset)
{
	struct base b = write_begin(rt);
	uint64_t now = time_of(rt, &b);

	b.tsc_offset = (uint64_t)tsc_offset;
	start_at(rt, &b, now);
	write_end(rt, &b);
}

/* How long from now until @ref in ns, rounded up; false if it cannot be said. */
static bool ns_until(const struct ref_time *rt, const struct base *b,
		     uint64_t ref, uint64_t *ns, uint64_t *mono_ns)
{
	uint64_t now, past_ns;

	if (rt->use_tsc) {
		uint128 scaled = scaled_tsc(rt, b);

		now = (uint64_t)(scaled >> 64) + b->offset;
		/* ns since the unit that is running began, rounded down */
		past_ns = (uint64_t)(((uint128)(uint64_t)scaled *
				      NSEC_PER_100NS) >>
				     64);
		*mono_ns = rt->clock.monotonic_ns(rt->clock.ctx);
	} else {
		*mono_ns = rt->clock.monotonic_ns(rt->clock.ctx);
		now = (*mono_ns - b->zero_ns) / NSEC_PER_100NS;
		past_ns = (*mono_ns - b->zero_ns) % NSEC_PER_100NS;
	}
	*ns = 0;
	if (ref <= now)
		return true;
	if (!checked_mul(ref - now, NSEC_PER_100NS, ns))
		return false;
	*ns -= past_ns;
	return true;
}

uint64_t ref_time_to_monotonic_ns(const struct ref_time *rt, uint64_t ref)
{
	struct base b;
	uint32_t writes;
	uint64_t ns, mono_ns, sum;
	bool known;

	do {
		writes = read_begin(rt, &b);
		known = !b.frozen && ns_until(rt, &b, ref, &ns, &mono_ns);
	} while (read_retry(rt, writes));
	if (!known || !checked_add(mono_ns, ns, &sum))
		return REF_TIME_NEVER;
	return sum;
}
