/* SPDX-License-Identifier: MIT */
#include "config/domain/document.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include <glib.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>

struct reading {
	document_wrong wrong;
	void *ctx;
	unsigned int n_wrong;
	bool has_doctype;
	internalSubsetSAXFunc subset;
};

static void say(struct reading *r, unsigned int line, const char *text)
{
	g_autofree char *trimmed = g_strstrip(g_strdup(text ? text : "error"));

	if (++r->n_wrong <= DOCUMENT_ERRORS_MAX)
		r->wrong(r->ctx, line, trimmed);
}

/* libxml2 gives its context, which has ours in _private. */
static void on_error(void *ctx, xmlErrorPtr error)
{
	struct reading *r = ((xmlParserCtxt *)ctx)->_private;

	if (r->has_doctype || error->level < XML_ERR_ERROR)
		return;
	say(r, error->line > 0 ? (unsigned int)error->line : 0, error->message);
}

static void on_doctype(void *ctx, const xmlChar *name, const xmlChar *id,
		       const xmlChar *system_id)
{
	xmlParserCtxt *parser = ctx;
	struct reading *r = parser->_private;

	(void)name;
	(void)id;
	(void)system_id;
	r->has_doctype = true;
	say(r, (unsigned int)xmlSAX2GetLineNumber(ctx),
	    "a DOCTYPE is refused, and its entities with it: remove it");
	xmlStopParser(parser);
}

/* Depth and number of nodes, without recursion.  Return: is all well? */
static bool is_bounded(struct reading *r, const xmlNode *root)
{
	const xmlNode *node = root;
	unsigned int depth = 1, n = 0;

	while (node) {
		if (++n > DOCUMENT_NODES_MAX) {
			say(r, 0, "has too many elements");
			return false;
		}
		if (node->type == XML_ELEMENT_NODE) {
			for (const xmlAttr *a = node->properties; a;
			     a = a->next)
				n++;
			if (depth > DOCUMENT_DEPTH_MAX) {
				say(r, (unsigned int)xmlGetLineNo(node),
				    "is too deep in others");
				return false;
			}
			if (node->children) {
				node = node->children;
				depth++;
				continue;
			}
		}
		while (node != root && !node->next) {
			node = node->parent;
			depth--;
		}
		node = node == root ? NULL : node->next;
	}
	return true;
}

static xmlDoc *read_tree(struct reading *r, const char *text, size_t bytes)
{
	xmlParserCtxt *parser = xmlNewParserCtxt();
	xmlDoc *doc;

	if (!parser) {
		say(r, 0, "there is no memory left");
		return NULL;
	}
	parser->_private = r;
	parser->sax->serror = on_error;
	parser->sax->internalSubset = on_doctype;
	doc = xmlCtxtReadMemory(parser, text, (int)bytes, NULL, NULL,
				XML_PARSE_NONET | XML_PARSE_NOCDATA |
					XML_PARSE_BIG_LINES);
	xmlFreeParserCtxt(parser);
	return doc;
}

xmlDoc *document_parse(const char *text, size_t bytes, document_wrong wrong,
		       void *ctx)
{
	struct reading r = {.wrong = wrong, .ctx = ctx};
	xmlDoc *doc;

	if (bytes > DOCUMENT_BYTES_MAX) {
		say(&r, 0, "is longer than 1 MiB: no domain");
		return NULL;
	}
	if (memchr(text, '\0', bytes)) {
		say(&r, 0, "has a byte 0: no text");
		return NULL;
	}
	doc = read_tree(&r, text, bytes);
	if (doc && !r.n_wrong && is_bounded(&r, xmlDocGetRootElement(doc)))
		return doc;
	if (!r.n_wrong)
		say(&r, 0, "is no XML");
	xmlFreeDoc(doc);
	return NULL;
}
