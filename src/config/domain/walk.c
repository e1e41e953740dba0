/* SPDX-License-Identifier: MIT */
/*
 * walk.c - once through a domain, each element and attribute by its row.
 *
 * For an element: enter(), its attributes, set() with its text, its children,
 * leave().  What has no row is refused; in what is ignored or refused nobody
 * looks further.  The elements of our own namespace come last, as they speak
 * of devices by their aliases.
 */
#include <string.h>

#include "config/domain/domain_private.h"

#define OWN_ROOT "kvmbus:machine"

const struct domain_rules *const domain_tables[DOMAIN_TABLES] = {
	&domain_machine_rules, &domain_feature_rules, &domain_hyperv_rules,
	&domain_disk_rules,    &domain_net_rules,     &domain_device_rules,
	&domain_own_rules,
};

/* --- which row ----------------------------------------------------------------- */

/* Is @path what @pattern says, in which a name may be "*"? */
static bool matches(const char *pattern, const char *path)
{
	while (*pattern && *path) {
		if (*pattern == '*') {
			path += strcspn(path, "/@=");
			pattern++;
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return !*pattern && !*path;
}

static const struct domain_rule *find(const char *path)
{
	for (size_t t = 0; t < DOMAIN_TABLES; t++) {
		for (size_t i = 0; i < domain_tables[t]->n; i++) {
			const struct domain_rule *r =
				&domain_tables[t]->rules[i];

			if (matches(r->path, path))
				return r;
		}
	}
	return NULL;
}

static bool is_word(const char *words, const char *value)
{
	g_auto(GStrv) all = g_strsplit(words, "|", -1);

	return g_strv_contains((const char *const *)all, value);
}

/* The row of just this value; one of any value is not of @r's words. */
static const struct domain_rule *find_value(const struct domain_rule *r,
					    const char *path, const char *value)
{
	g_autofree char *of_value = g_strconcat(path, "=", value, NULL);
	const struct domain_rule *found = find(of_value);

	if (found && r->words && g_str_has_suffix(found->path, "=*") &&
	    is_word(r->words, value))
		return NULL;
	return found;
}

/*
 * How many letters of one are others in the other, in one place: two that are
 * the wrong way round, one too many.
 */
static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	while (n && m && *a == *b) {
		a++;
		b++;
		n--;
		m--;
	}
	while (n && m && a[n - 1] == b[m - 1]) {
		n--;
		m--;
	}
	return MAX(n, m);
}

/* The row that was meant, perhaps. */
static const char *find_similar(const char *path)
{
	const char *found = NULL;
	size_t least = 3;

	for (size_t t = 0; t < DOMAIN_TABLES; t++) {
		for (size_t i = 0; i < domain_tables[t]->n; i++) {
			const char *other = domain_tables[t]->rules[i].path;
			size_t n;

			if (strchr(other, '=') || strchr(other, '*'))
				continue;
			n = distance(path, other);
			if (n < least) {
				least = n;
				found = other;
			}
		}
	}
	return found;
}

/* --- one value --------------------------------------------------------------- */

static void say_words(struct domain *d, const char *words, const char *value)
{
	g_auto(GStrv) all = g_strsplit(words, "|", -1);
	g_autofree char *list = g_strjoinv(", ", all);

	domain_refuse(d, "'%s' is not known: write %s%s", value,
		      all[1] ? "one of " : "", list);
}

/*
 * A value by its row, or by the row of just this value, which may leave what to
 * do with it to the other.
 */
static void set_value(struct domain *d, const struct domain_rule *r,
		      const char *value)
{
	const struct domain_rule *of_value = find_value(r, d->path, value);
	domain_set set = of_value && of_value->set ? of_value->set : r->set;

	if (of_value && of_value->policy == REFUSE) {
		domain_refuse(d, "'%s': %s", value, of_value->help);
		d->is_other = true;
		return;
	}
	if (of_value && of_value->policy == IGNORE)
		domain_ignore(d, "'%s': %s", value, of_value->help);
	else if (!of_value && r->words && !is_word(r->words, value))
		return say_words(d, r->words, value);
	if (set)
		set(d, value);
}

/* --- attributes -------------------------------------------------------------- */

static void say_unknown(struct domain *d, const char *what)
{
	const char *similar = find_similar(d->path);

	if (similar)
		domain_refuse(d, "is not known: did you mean %s?", similar);
	else
		domain_refuse(d, "is not %s that kvmbus knows: remove it",
			      what);
}

static void walk_attribute(struct domain *d, const xmlAttr *attr)
{
	const char *of_element = d->path;
	g_autofree char *path =
		g_strdup_printf("%s@%s%s", of_element, attr->ns ? "*:" : "",
				(const char *)attr->name);
	g_autofree char *value = NULL;
	const struct domain_rule *r;

	d->path = path;
	r = find(path);
	if (attr->ns) {
		domain_ignore(d, "is of a namespace that is not kvmbus'");
	} else if (!r) {
		say_unknown(d, "an attribute");
	} else if (r->policy == IGNORE) {
		domain_ignore(d, "%s", r->help);
	} else if (r->policy == REFUSE) {
		domain_refuse(d, "%s", r->help);
	} else {
		value = domain_node_attr(d->node, (const char *)attr->name);
		set_value(d, r, value ? value : "");
	}
	d->path = of_element;
}

/* --- elements ---------------------------------------------------------------- */

static char *text_of(const xmlNode *node)
{
	GString *text = g_string_new(NULL);

	for (const xmlNode *c = node->children; c; c = c->next) {
		if (c->type == XML_TEXT_NODE ||
		    c->type == XML_CDATA_SECTION_NODE)
			g_string_append(text, (const char *)c->content);
	}
	return g_strstrip(g_string_free(text, FALSE));
}

static void walk_text(struct domain *d, const struct domain_rule *r)
{
	g_autofree char *text = text_of(d->node);
	bool has_one = r->set || r->words || r->may_be_empty;

	if (!has_one && *text)
		domain_refuse(d,
			      "has the text '%.40s', which means nothing "
			      "here: remove it",
			      text);
	else if (has_one && !*text && r->may_be_empty)
		return;
	else if (has_one && !*text)
		domain_refuse(d, "is empty: %s", r->help);
	else if (has_one)
		set_value(d, r, text);
}

/* The same element before it, unless there may be many. */
static const xmlNode *find_former(const xmlNode *node)
{
	for (const xmlNode *n = node->prev; n; n = n->prev) {
		if (n->type == XML_ELEMENT_NODE && n->ns == node->ns &&
		    xmlStrEqual(n->name, node->name))
			return n;
	}
	return NULL;
}

static void walk_children(struct domain *d);

/* NOLINTBEGIN(misc-no-recursion): a document's depth is bounded */

static void walk_known(struct domain *d, const struct domain_rule *r)
{
	const xmlNode *former = r->many ? NULL : find_former(d->node);
	guint at = d->report->messages->len;

	if (former) {
		domain_refuse(d, "is there again: there is one in line %ld",
			      xmlGetLineNo(former));
		return;
	}
	domain_say(d, DOMAIN_HONOURED, NULL);
	if (r->enter)
		r->enter(d);
	for (const xmlAttr *a = d->node->properties; a; a = a->next)
		walk_attribute(d, a);
	if (!d->is_other) {
		walk_text(d, r);
		walk_children(d);
	}
	d->is_other = false;
	if (r->leave)
		r->leave(d);
	/* Its own value was not honoured: one line is enough. */
	for (guint i = at + 1; i < d->report->messages->len; i++) {
		const struct domain_message *m =
			g_ptr_array_index(d->report->messages, i);

		if (m->verdict != DOMAIN_NOTE &&
		    m->verdict != DOMAIN_HONOURED &&
		    !strcmp(m->path, d->path)) {
			g_ptr_array_remove_index(d->report->messages, at);
			d->report->n[DOMAIN_HONOURED]--;
			return;
		}
	}
}

static void walk_element(struct domain *d)
{
	const struct domain_rule *r = find(d->path);

	if (!r) {
		say_unknown(d, "an element");
	} else if (r->policy == IGNORE) {
		domain_ignore(d, "%s", r->help);
	} else if (r->policy == REFUSE) {
		domain_refuse(d, "%s", r->help);
	} else {
		walk_known(d, r);
	}
}

static char *name_of(const xmlNode *node)
{
	const char *uri = node->ns ? (const char *)node->ns->href : NULL;
	const char *name = (const char *)node->name;

	if (!uri)
		return g_strdup(name);
	if (!g_strcmp0(uri, DOMAIN_URI))
		return g_strconcat("kvmbus:", name, NULL);
	if (!g_strcmp0(uri, DOMAIN_QEMU_URI))
		return g_strconcat("qemu:", name, NULL);
	return NULL;
}

static void walk_child(struct domain *d, const xmlNode *child)
{
	const xmlNode *parent = d->node;
	const char *of_parent = d->path;
	g_autofree char *name = name_of(child), *path = NULL;

	if (!name)
		path = g_strdup_printf("%s/%s", of_parent,
				       (const char *)child->name);
	else if (!strcmp(of_parent, "domain") || !strcmp(name, OWN_ROOT))
		path = g_strdup(name);
	else
		path = g_strdup_printf("%s/%s", of_parent, name);
	d->node = child;
	d->path = path;
	if (name)
		walk_element(d);
	else
		domain_ignore(d, "is of a namespace that is not kvmbus'");
	d->node = parent;
	d->path = of_parent;
}

static bool is_late(const xmlNode *child)
{
	return xmlStrEqual(child->name, (const xmlChar *)"metadata") ||
	       child->ns;
}

static void walk_children(struct domain *d)
{
	for (int late = 0; late < 2; late++) {
		for (const xmlNode *c = d->node->children; c; c = c->next) {
			if (c->type == XML_ELEMENT_NODE &&
			    is_late(c) == (late == 1))
				walk_child(d, c);
			else if (c->type == XML_ENTITY_REF_NODE && !late)
				domain_refuse(d,
					      "has an entity, &%s;: write "
					      "what it stands for",
					      (const char *)c->name);
		}
	}
}

/* NOLINTEND(misc-no-recursion): a document's depth is bounded */

void domain_walk(struct domain *d, const xmlNode *root)
{
	d->node = root;
	d->path = "domain";
	if (root->ns || !xmlStrEqual(root->name, (const xmlChar *)"domain"))
		domain_refuse(d, "the file has a <%s>: begin it with <domain>",
			      (const char *)root->name);
	else
		walk_element(d);
}
