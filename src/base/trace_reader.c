/* SPDX-License-Identifier: MIT */
#include "base/trace_reader.h"

#include <pthread.h>
#include <string.h>

#include "base/trace_impl.h"

/* Where a reader is in a ring. */
struct place {
	uint64_t position;
	uint64_t next; /* how many records came before the one to come */
	bool known; /* @next is; else nothing was read there yet */
};

struct trace_reader {
	struct place places[TRACE_RINGS_MAX];
	uint64_t lost;
};

static uint64_t get(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_acquire);
}

struct trace_reader *trace_reader_new(uint64_t slots)
{
	struct trace_reader *reader = g_new0(struct trace_reader, 1);
	unsigned int n;
	struct trace_ring *const *rings = trace_rings(&n);

	for (unsigned int i = 0; i < n; i++) {
		uint64_t head = get(&rings[i]->head);

		reader->places[i].position = head > slots ? head - slots : 0;
	}
	/* Of those that are made later none may be missed. */
	for (unsigned int i = n; i < TRACE_RINGS_MAX; i++)
		reader->places[i].known = true;
	return reader;
}

void trace_reader_free(struct trace_reader *reader)
{
	g_free(reader);
}

uint64_t trace_reader_lost(const struct trace_reader *reader)
{
	return reader->lost;
}

/* Return: false: it is not that slot (any more). */
static bool copy_slot(const struct trace_ring *r, uint64_t position,
		      bool follows, uint64_t words[TRACE_SLOT_WORDS])
{
	const _Atomic uint64_t *s =
		r->words + (position & r->mask) * TRACE_SLOT_WORDS;
	uint64_t stamp = trace_stamp(position, follows);

	if (get(s) != stamp)
		return false;
	for (unsigned int i = 1; i < TRACE_SLOT_WORDS; i++)
		words[i] = get(s + i);
	return get(s) == stamp;
}

static uint32_t slots_of(const struct trace_record *record)
{
	return 1 + (record->bytes + (uint32_t)TRACE_SLOT_BYTES - 1) /
			   (uint32_t)TRACE_SLOT_BYTES;
}

/* Return: false: at @position no record begins (any more). */
static bool read_record(const struct trace_ring *r, uint64_t position,
			struct trace_record *record, uint16_t *seq)
{
	uint64_t words[TRACE_SLOT_WORDS], meta;

	memset(record, 0, sizeof(*record));
	if (!copy_slot(r, position, false, words))
		return false;
	meta = words[TRACE_WORD_META];
	record->tsc = words[TRACE_WORD_TSC];
	record->event = (enum trace_event)(meta & 0xFF);
	record->bytes = meta >> TRACE_META_BYTES & 0xFF;
	record->vp = (uint16_t)(meta >> TRACE_META_VP);
	record->device = (uint16_t)(meta >> TRACE_META_DEVICE);
	*seq = (uint16_t)(meta >> TRACE_META_SEQ);
	memcpy(record->args, words + TRACE_WORD_ARG, sizeof(record->args));
	if (record->event >= N_TRACE_EVENTS)
		return false;
	for (uint32_t i = 1, done = 0; done < record->bytes;
	     i++, done += (uint32_t)TRACE_SLOT_BYTES) {
		if (!copy_slot(r, position + i, true, words))
			return false;
		memcpy(record->data + done, words + 1,
		       MIN(record->bytes - done, (uint32_t)TRACE_SLOT_BYTES));
	}
	if (record->bytes)
		memset(record->args + 2, 0, 3 * sizeof(record->args[0]));
	return true;
}

/*
 * Which of its ring's records has @seq.  It was there after @records had been
 * read, so it is one of the last TRACE_SLOTS_MAX before them.
 */
static uint64_t number_of(uint64_t records, uint16_t seq)
{
	return records - 1 - (uint16_t)(records - 1 - seq);
}

static void collect_ring(struct trace_reader *reader, struct place *p,
			 const struct trace_ring *r, GArray *records)
{
	/* The order in which they are read: see struct trace_ring. */
	uint64_t head = get(&r->head), written = get(&r->records);

	if (head - p->position > r->mask + 1)
		p->position = head - (r->mask + 1);
	while (p->position < head) {
		struct trace_record record;
		uint64_t number;
		uint16_t seq;

		/* The middle of one whose beginning is gone, or lapped. */
		if (!read_record(r, p->position, &record, &seq)) {
			p->position++;
			continue;
		}
		number = number_of(written, seq);
		if (p->known)
			reader->lost += number - p->next;
		p->next = number + 1;
		p->known = true;
		p->position += slots_of(&record);
		g_array_append_val(records, record);
	}
}

static int compare(const void *a, const void *b)
{
	const struct trace_record *x = a, *y = b;

	return x->tsc < y->tsc ? -1 : x->tsc > y->tsc;
}

/* Records of one thread that have the same time stay as they are. */
static void sort_from(GArray *records, guint from)
{
	guint n = records->len - from;

	if (n > 1)
		g_qsort_with_data(
			&g_array_index(records, struct trace_record, from),
			(int)n, sizeof(struct trace_record),
			(GCompareDataFunc)(void (*)(void))compare, NULL);
}

void trace_reader_collect(struct trace_reader *reader, GArray *records)
{
	guint from = records->len;
	unsigned int n;
	struct trace_ring *const *rings = trace_rings(&n);

	for (unsigned int i = 0; i < n; i++)
		collect_ring(reader, &reader->places[i], rings[i], records);
	sort_from(records, from);
}

static double hz;

static void measure(void)
{
	hz = trace_tsc_hz();
}

double trace_seconds(uint64_t tsc)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, measure);
	return (double)(int64_t)(tsc - trace_start_tsc()) / hz;
}
