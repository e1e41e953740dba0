/* SPDX-License-Identifier: MIT */
/*
 * value.c - what is in attributes and texts.
 */
#include <string.h>

#include "config/domain/domain_private.h"

/* libxml2's text is of unsigned characters. */
static const xmlChar *to_xml(const char *text)
{
	return (const xmlChar *)text;
}

char *domain_node_attr(const xmlNode *node, const char *name)
{
	xmlChar *value = xmlGetNoNsProp(node, to_xml(name));
	char *copy = value ? g_strstrip(g_strdup((char *)value)) : NULL;

	xmlFree(value);
	return copy;
}

char *domain_attr(const struct domain *d, const char *name)
{
	return domain_node_attr(d->node, name);
}

const xmlNode *domain_child(const xmlNode *node, const char *name)
{
	for (const xmlNode *c = node->children; c; c = c->next) {
		if (c->type == XML_ELEMENT_NODE && !c->ns &&
		    xmlStrEqual(c->name, to_xml(name)))
			return c;
	}
	return NULL;
}

char *domain_child_attr(const struct domain *d, const char *child,
			const char *name)
{
	const xmlNode *node = domain_child(d->node, child);

	return node ? domain_node_attr(node, name) : NULL;
}

bool domain_number(struct domain *d, const char *value, uint64_t min,
		   uint64_t max, uint64_t *number)
{
	guint64 n;

	if (g_ascii_string_to_unsigned(value, 10, min, max, &n, NULL)) {
		*number = n;
		return true;
	}
	domain_refuse(d,
		      "'%s' is not a number from %" G_GUINT64_FORMAT
		      " to %" G_GUINT64_FORMAT,
		      value, min, max);
	return false;
}

/* Bytes in a unit, 0: there is none of that name. */
static uint64_t bytes_of(const char *unit)
{
	static const char letters[] = "kmgtpe";
	const char *letter = letters;
	uint64_t binary = 1024, decimal = 1000;

	if (!g_ascii_strcasecmp(unit, "b") ||
	    !g_ascii_strcasecmp(unit, "bytes"))
		return 1;
	for (; *letter; letter++, binary *= 1024, decimal *= 1000) {
		if (g_ascii_tolower(unit[0]) != *letter)
			continue;
		if (!unit[1] || !g_ascii_strcasecmp(unit + 1, "ib"))
			return binary;
		return !g_ascii_strcasecmp(unit + 1, "b") ? decimal : 0;
	}
	return 0;
}

bool domain_bytes(struct domain *d, const char *value, const char *unit,
		  uint64_t *bytes)
{
	uint64_t scale = bytes_of(unit ? unit : "KiB"), n;

	if (!scale) {
		domain_refuse(d, "'%s' is no unit: b, KiB, MiB, GiB, KB, …",
			      unit);
		return false;
	}
	if (!domain_number(d, value, 0, UINT64_MAX / scale, &n))
		return false;
	*bytes = n * scale;
	return true;
}

bool domain_on(const char *value)
{
	return !strcmp(value, "on") || !strcmp(value, "yes");
}

void domain_replace(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

bool domain_path(struct domain *d, const char *value)
{
	if (*value == '/')
		return true;
	domain_refuse(d, "'%s' is not absolute: begin it with /", value);
	return false;
}
