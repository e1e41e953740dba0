/* SPDX-License-Identifier: MIT */
#include "config/domain/domain.h"

#include <string.h>

#include "config/domain/document.h"
#include "config/domain/domain_private.h"
#include "config/machine_config.h"

static void free_message(void *message)
{
	struct domain_message *m = message;

	g_free(m->path);
	g_free(m->text);
	g_free(m);
}

static void free_device(void *device)
{
	struct domain_device *d = device;

	g_free(d->alias);
	g_free(d);
}

struct domain_device *domain_device_add(struct domain *d)
{
	struct domain_device *device = g_new0(struct domain_device, 1);

	device->node = d->node;
	device->refused = d->report->n[DOMAIN_REFUSED];
	g_ptr_array_add(d->devices, device);
	return device;
}

static struct domain_report *report_new(const char *file)
{
	struct domain_report *r = g_new0(struct domain_report, 1);

	r->file = g_strdup(file);
	r->messages = g_ptr_array_new_with_free_func(free_message);
	return r;
}

/* What is no XML. */
static void on_wrong(void *ctx, unsigned int line, const char *text)
{
	struct domain_report *r = ctx;
	struct domain_message *m = g_new0(struct domain_message, 1);

	m->verdict = DOMAIN_REFUSED;
	m->line = line;
	m->text = g_strdup(text);
	r->n[DOMAIN_REFUSED]++;
	g_ptr_array_add(r->messages, m);
}

static int by_line(const void *a, const void *b)
{
	const struct domain_message *const *m = a, *const *n = b;

	return (*m)->line < (*n)->line ? -1 : (*m)->line > (*n)->line;
}

static void walk(xmlDoc *doc, const struct domain_options *options,
		 struct machine_config *config, struct domain_report *report)
{
	struct domain d = {
		.options = options,
		.config = config,
		.report = report,
		.devices = g_ptr_array_new_with_free_func(free_device),
	};

	domain_walk(&d, xmlDocGetRootElement(doc));
	g_ptr_array_free(d.devices, TRUE);
	if (options->schema)
		domain_check_schema(&d, doc);
	/* Stable: those of a line stay in their order. */
	g_ptr_array_sort(report->messages, by_line);
}

int domain_parse(const char *text, size_t bytes, const char *name,
		 const struct domain_options *options,
		 struct machine_config *config, struct domain_report **report,
		 GError **error)
{
	xmlDoc *doc;

	*report = report_new(name);
	doc = document_parse(text, bytes, on_wrong, *report);
	if (doc)
		walk(doc, options, config, *report);
	xmlFreeDoc(doc);
	if (!(*report)->n[DOMAIN_REFUSED])
		return 0;
	g_set_error(error, CONFIG_ERROR, 0, "%s is refused (%u %s)", name,
		    (*report)->n[DOMAIN_REFUSED],
		    (*report)->n[DOMAIN_REFUSED] == 1 ? "reason" : "reasons");
	return -1;
}

int domain_read(const char *file, const struct domain_options *options,
		struct machine_config *config, struct domain_report **report,
		GError **error)
{
	g_autofree char *text = NULL;
	GError *why = NULL;
	gsize bytes;

	if (g_file_get_contents(file, &text, &bytes, &why))
		return domain_parse(text, bytes, file, options, config, report,
				    error);
	*report = report_new(file);
	g_set_error(error, CONFIG_ERROR, 0, "%s", why->message);
	g_error_free(why);
	return -1;
}
