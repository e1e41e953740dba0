/* SPDX-License-Identifier: MIT */
/*
 * A domain's XML; the first byte says how it is read.  Whatever it is, it is
 * refused with a reason or makes a machine that can be printed.
 */
#include "config/domain/domain.h"

#include <stdlib.h>

#include "config/machine_config.h"
#include "fuzz/fuzz.h"

#define STRICT 0x1
#define MAPPED 0x2

static const char *const map_disk[] = {"C:\\*=/i/*", "1=/dev/sdb", NULL};
static const char *const map_bridge[] = {"default=virbr0", NULL};

static int any_profile(const char *name)
{
	return name[0] == 'w';
}

static void check_report(const struct domain_report *r, int ret)
{
	unsigned int n = 0;

	for (guint i = 0; i < r->messages->len; i++) {
		const struct domain_message *m =
			g_ptr_array_index(r->messages, i);

		n += m->verdict == DOMAIN_REFUSED;
		if (m->verdict != DOMAIN_HONOURED && !m->text)
			abort();
	}
	if (n != r->n[DOMAIN_REFUSED] || (n != 0) != (ret != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t how = size ? data[0] : 0;
	const struct domain_options options = {
		.strict = how & STRICT,
		.map_disk = how & MAPPED ? map_disk : NULL,
		.map_bridge = how & MAPPED ? map_bridge : NULL,
		.profile = any_profile,
	};
	struct machine_config *c = machine_config_new();
	g_autofree char *json = NULL, *machine = NULL;
	struct domain_report *report;
	GError *error = NULL;
	int ret;

	ret = domain_parse(size ? (const char *)data + 1 : "",
			   size ? size - 1 : 0, "fuzz.xml", &options, c,
			   &report, &error);
	if ((ret != 0) != (error != NULL))
		abort();
	check_report(report, ret);
	json = domain_report_json(report);
	if (!ret)
		machine = machine_config_json(c);
	if (!json || (!ret && !machine))
		abort();
	g_clear_error(&error);
	domain_report_free(report);
	machine_config_free(c);
	return 0;
}
