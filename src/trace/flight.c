/* SPDX-License-Identifier: MIT */
#include "trace/flight.h"

#include "base/trace_reader.h"
#include "trace/decode.h"

/* More than the longest record takes. */
#define SLOTS_EACH 6u

GString *flight_text(unsigned int max, enum trace_format format)
{
	GArray *records =
		g_array_new(FALSE, FALSE, sizeof(struct trace_record));
	struct trace_reader *reader =
		trace_reader_new((uint64_t)max * SLOTS_EACH);
	GString *out = g_string_new(NULL);
	struct fields fields;

	fields_init(&fields, format);
	trace_reader_collect(reader, records);
	for (guint i = records->len > max ? records->len - max : 0;
	     i < records->len; i++)
		trace_line(&g_array_index(records, struct trace_record, i),
			   &fields, out);
	fields_clear(&fields);
	trace_reader_free(reader);
	g_array_free(records, TRUE);
	return out;
}
