/* SPDX-License-Identifier: MIT */
#include "config/domain/lookup.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "config/domain/document.h"
#include "config/domain/domain_private.h"
#include "config/libvirt/module.h"
#include "config/machine_config.h"

struct domain_lookup {
	void *handle;
	const struct libvirt_module *module;
	struct libvirt *libvirt;
};

/* Beside the program: ../lib/kvmbus/libvirt.so */
static char *module_path(void)
{
	const char *folder = g_getenv("KVMBUS_MODULES");
	g_autofree char *program = NULL, *bin = NULL;

	if (folder)
		return g_build_filename(folder, "libvirt.so", NULL);
	program = g_file_read_link("/proc/self/exe", NULL);
	bin = g_path_get_dirname(program ? program : "/usr/bin/kvmbus");
	return g_build_filename(bin, "..", KVMBUS_LIBDIR, "kvmbus",
				"libvirt.so", NULL);
}

static int refuse(GError **error, char *why)
{
	g_set_error_literal(error, CONFIG_ERROR, 0, why);
	free(why);
	return -1;
}

static int load(struct domain_lookup *l, GError **error)
{
	g_autofree char *path = module_path();

	/* Once loaded it stays: libvirt has threads and exit handlers. */
	l->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (l->handle)
		l->module = dlsym(l->handle, LIBVIRT_MODULE_NAME);
	if (l->module)
		return 0;
	g_set_error(
		error, CONFIG_ERROR, 0,
		"--connect: kvmbus' module for libvirt cannot be loaded "
		"(%s); write the domain to a file with 'virsh dumpxml'",
		dlerror() /* NOLINT(concurrency-mt-unsafe): one thread yet */);
	return -1;
}

struct domain_lookup *domain_lookup_new(const char *uri, GError **error)
{
	struct domain_lookup *l = g_new0(struct domain_lookup, 1);
	char *why = NULL;

	if (load(l, error)) {
		domain_lookup_free(l);
		return NULL;
	}
	l->libvirt = l->module->open(uri, &why);
	if (l->libvirt)
		return l;
	refuse(error, why);
	domain_lookup_free(l);
	return NULL;
}

void domain_lookup_free(struct domain_lookup *lookup)
{
	if (!lookup)
		return;
	if (lookup->libvirt)
		lookup->module->close(lookup->libvirt);
	if (lookup->handle)
		dlclose(lookup->handle);
	g_free(lookup);
}

/* libvirt's strings are of malloc(), as GLib's are. */
char *domain_lookup_domain(struct domain_lookup *lookup, const char *name,
			   GError **error)
{
	char *why = NULL;
	char *xml = lookup->module->domain(lookup->libvirt, name, &why);

	if (!xml)
		refuse(error, why);
	/* cppcheck-suppress returnDanglingLifetime ; it is not in &why */
	return xml;
}

static void on_wrong(void *ctx, unsigned int line, const char *text)
{
	(void)ctx;
	(void)line;
	(void)text;
}

/* <volume><target><format type='qcow2'/>; NULL: it does not say */
static char *format_of(const char *xml)
{
	xmlDoc *doc = document_parse(xml, strlen(xml), on_wrong, NULL);
	const xmlNode *at = doc ? xmlDocGetRootElement(doc) : NULL;
	char *format;

	at = at ? domain_child(at, "target") : NULL;
	at = at ? domain_child(at, "format") : NULL;
	format = at ? domain_node_attr(at, "type") : NULL;
	xmlFreeDoc(doc);
	return format;
}

char *domain_lookup_volume(struct domain_lookup *lookup, const char *pool,
			   const char *volume, char **format, GError **error)
{
	char *xml = NULL, *why = NULL, *path;

	*format = NULL;
	if (!lookup) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "volume '%s' of pool '%s' is known to libvirt "
			    "only: say --connect URI, or write type='file' and "
			    "the path that 'virsh vol-path %s %s' says",
			    volume, pool, volume, pool);
		return NULL;
	}
	path = lookup->module->volume(lookup->libvirt, pool, volume, &xml,
				      &why);
	if (!path)
		refuse(error, why);
	if (xml)
		*format = format_of(xml);
	free(xml);
	/* cppcheck-suppress returnDanglingLifetime ; nor in &xml, &why */
	return path;
}

char *domain_lookup_network(struct domain_lookup *lookup, const char *network,
			    GError **error)
{
	char *why = NULL, *bridge;

	if (!lookup) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "network '%s' is known to libvirt only: say "
			    "--connect URI, or write type='bridge' and the "
			    "bridge that 'virsh net-info %s' says",
			    network, network);
		return NULL;
	}
	bridge = lookup->module->bridge(lookup->libvirt, network, &why);
	if (!bridge)
		refuse(error, why);
	/* cppcheck-suppress returnDanglingLifetime ; it is not in &why */
	return bridge;
}
