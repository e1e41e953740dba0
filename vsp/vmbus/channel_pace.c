/* SPDX-License-Identifier: MIT */
/*
 * channel_pace.c - when the channel's thread looks at the ring, and when it
 * leaves the processor to the guest.
 *
 * Theory of operation.  Two cases, told apart by where the guest was when it
 * signalled last; of a doorbell, by where it may have been.
 *
 * Beside us: what costs is a thread that has to be woken for a guest that would
 * have put its next packet a moment later, and the guest's exit for it.  So an
 * empty ring is looked at for a while (poll_now_ns), for as long as signals
 * have lately come within that time.
 *
 * On our processor: while we look nothing comes, and each signal stops the guest
 * at its first packet of many.  So, twice, it may go on first: when it has
 * signalled, before the ring is looked at, and when the ring is empty, before
 * it is asked to signal again.  That is worth it if several packets come
 * meanwhile; a guest that waits for the answer to one only waits longer.  So
 * what it brings is averaged for each of the two, and where that is less it is
 * tried only now and then.
 */
#include <sched.h>

#include "base/clock.h"
#include "vsp/vmbus/channel_impl.h"

/* The first time of polling that adapts. */
#define POLL_MIN_NS 4000u

/* What giving way has to bring: packets, and one in that time. */
#define WORTH_PACKETS 2ull
#define WORTH_NS      NSEC_PER_MSEC

/*
 * Where it did not, occasions that are passed over until it is tried again: at
 * first, and, twice as many each time, at last.
 */
#define SKIP_MIN 31u
#define SKIP_MAX 511u

/* Averages: of how many times, and of which part of one they are counted. */
#define AVERAGE_TIMES 8
#define SCALE         16ull

/* How long an empty ring is looked at, ns. */
static uint64_t poll_window(const struct channel *ch)
{
	return MAX(ch->params.poll_ns, ch->poll_now_ns);
}

void channel_pace_reset(struct channel *ch)
{
	ch->poll_now_ns = 0;
	ch->signalled_on = -1; /* on none: it has not been seen yet */
	ch->pace_first = (struct channel_pace){0};
	ch->pace_last = (struct channel_pace){0};
	ch->judged = NULL;
}

void channel_pace_active(struct channel *ch)
{
	if (ch->params.poll_ns || ch->params.poll_max_ns)
		ch->active_at = clock_monotonic_ns();
}

bool channel_pace_polls(const struct channel *ch)
{
	uint64_t window = poll_window(ch);

	return window && clock_monotonic_ns() - ch->active_at < window;
}

bool channel_shares_processor(const struct channel *ch)
{
	int here = sched_getcpu();

	return atomic_load_explicit(&ch->signalled_on, memory_order_relaxed) ==
		       here ||
	       channel_doorbell_beside(ch, here);
}

/*
 * The guest was asked to signal, and has: so soon after the last packet that
 * it would better have been waited for?  What counts is when it did, not when
 * this thread was awake.  A guest that has no processor beside ours puts
 * nothing while we look.
 */
static void adapt_polling(struct channel *ch)
{
	uint64_t max = ch->params.poll_max_ns, now = ch->poll_now_ns;
	uint64_t at = ch->signalled_at;

	if (!max || at <= ch->active_at)
		return;
	if (at - ch->active_at < max && !channel_shares_processor(ch))
		now = CLAMP(now * 2, POLL_MIN_NS, max);
	else
		now = now > POLL_MIN_NS ? now / 2 : 0;
	atomic_store_explicit(&ch->poll_now_ns, now, memory_order_relaxed);
}

static bool give_way(struct channel *ch, struct channel_pace *pace)
{
	uint64_t since;

	if (!ch->params.gives_way || !channel_shares_processor(ch))
		return false;
	if (pace->left) {
		pace->left--;
		return false;
	}
	since = clock_monotonic_ns();
	worker_give_way(ch->worker);
	ch->judged = pace;
	ch->away_ns = clock_monotonic_ns() - since;
	return true;
}

void channel_pace_signalled(struct channel *ch)
{
	if (!ch->asks_signals)
		return;
	adapt_polling(ch);
	if (ch->n_signals_in != ch->signals_seen)
		give_way(ch, &ch->pace_first);
}

bool channel_pace_empty(struct channel *ch)
{
	return give_way(ch, &ch->pace_last);
}

static void average(uint64_t *of, uint64_t next)
{
	*of = *of ? (*of * (AVERAGE_TIMES - 1) + next) / AVERAGE_TIMES : next;
}

static bool is_worth(uint64_t packets, uint64_t ns)
{
	return packets >= WORTH_PACKETS * SCALE && ns <= packets * WORTH_NS;
}

void channel_pace_took(struct channel *ch, unsigned int packets)
{
	struct channel_pace *pace = ch->judged;

	if (!pace)
		return;
	ch->judged = NULL;
	if (is_worth(packets * SCALE, ch->away_ns * SCALE))
		pace->skip = 0;
	average(&pace->packets, packets * SCALE);
	average(&pace->away_ns, ch->away_ns * SCALE);
	if (is_worth(pace->packets, pace->away_ns))
		return;
	pace->skip = CLAMP(pace->skip * 2 + 1, SKIP_MIN, SKIP_MAX);
	pace->left = pace->skip;
}
