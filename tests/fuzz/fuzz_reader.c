/* SPDX-License-Identifier: MIT */
/*
 * fuzz_reader.c - the cursor that every parser of ours stands on.
 *
 * The first byte says how many of the following bytes are a script of calls;
 * the rest is what is read.  An oracle keeps its own position and failure.
 */
#include "fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "base/reader.h"

struct oracle {
	size_t pos;
	bool failed;
};

static void step(struct reader *r, struct oracle *o, uint8_t op)
{
	uint8_t out[32], zeros[32] = {0};
	size_t n = op & 0x1f;

	if (op & 0x80) {
		o->failed = o->failed || n * 4 > r->size;
		expect(reader_at(r, n * 4) == !o->failed);
		if (!o->failed)
			o->pos = n * 4;
		return;
	}
	o->failed = o->failed || n > r->size - o->pos;
	expect(reader_bytes(r, out, n) == !o->failed);
	if (o->failed) {
		expect(!memcmp(out, zeros, n));
		return;
	}
	expect(!n || !memcmp(out, r->data + o->pos, n));
	o->pos += n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct oracle o = {0};
	size_t n_steps;
	struct reader r;

	if (!size || data[0] > size - 1)
		return 0;
	n_steps = data[0];
	r = reader_init(data + 1 + n_steps, size - 1 - n_steps);
	for (size_t i = 0; i < n_steps; i++) {
		step(&r, &o, data[1 + i]);
		expect(reader_ok(&r) == !o.failed);
		expect(reader_left(&r) == (o.failed ? 0 : r.size - o.pos));
	}
	return 0;
}
