/* SPDX-License-Identifier: MIT */
/*
 * schema.c - a second opinion: what libvirt's own RelaxNG schema has to say.
 *
 * Never a refusal, as the schema that is installed may be older than what the
 * file has, and may know less of where it is wrong than the tables do.
 */
#include <string.h>
#include <unistd.h>

#include <libxml/relaxng.h>

#include "config/domain/domain_private.h"

/* One mistake is told by each element that it is in. */
#define NOTES_MAX 3u

struct opinion {
	struct domain *d;
	unsigned int n;
};

static void on_invalid(void *ctx, xmlError *error)
{
	struct opinion *o = ctx;
	g_autofree char *text = g_strdup(error->message ? error->message : "");

	if (o->n++ >= NOTES_MAX)
		return;
	domain_say_of(o->d, DOMAIN_NOTE, error->node, NULL,
		      "libvirt's schema, if it is as new: %s",
		      g_strchomp(text));
}

/* What is wrong with the schema is not the user's to know. */
static void be_quiet(void *ctx, xmlError *error)
{
	(void)ctx;
	(void)error;
}

static xmlRelaxNG *load(const char *path)
{
	xmlRelaxNGParserCtxt *parser;
	xmlRelaxNG *schema;

	/* libxml2 would complain on standard error. */
	if (access(path, R_OK))
		return NULL;
	parser = xmlRelaxNGNewParserCtxt(path);
	if (!parser)
		return NULL;
	xmlRelaxNGSetParserStructuredErrors(parser, be_quiet, NULL);
	schema = xmlRelaxNGParse(parser);
	xmlRelaxNGFreeParserCtxt(parser);
	return schema;
}

void domain_check_schema(struct domain *d, xmlDoc *doc)
{
	xmlRelaxNG *schema = load(d->options->schema);
	struct opinion o = {.d = d};
	xmlRelaxNGValidCtxt *valid;

	if (!schema)
		return;
	valid = xmlRelaxNGNewValidCtxt(schema);
	if (valid) {
		xmlRelaxNGSetValidStructuredErrors(valid, on_invalid, &o);
		xmlRelaxNGValidateDoc(valid, doc);
		xmlRelaxNGFreeValidCtxt(valid);
	}
	xmlRelaxNGFree(schema);
}
