/* SPDX-License-Identifier: MIT */
#include "config/libvirt/module.h"

#include <glib.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

struct libvirt {
	virConnectPtr connection;
	char *uri; /* for messages: "" or " -c URI" */
};

/* libvirt would print each error. */
static void be_quiet(void *ctx, virErrorPtr error)
{
	(void)ctx;
	(void)error;
}

/* "WHAT: MESSAGE; see 'virsh -c URI COMMAND'" */
static G_GNUC_PRINTF(3, 4) char *complain(const struct libvirt *l,
					  const char *what, const char *format,
					  ...)
{
	const char *message = virGetLastErrorMessage();
	g_autofree char *command = NULL;
	va_list args;

	va_start(args, format);
	command = g_strdup_vprintf(format, args);
	va_end(args);
	return g_strdup_printf("%s: %s; see 'virsh%s %s'", what, message,
			       l->uri, command);
}

static void close_libvirt(struct libvirt *l)
{
	if (!l)
		return;
	if (l->connection)
		virConnectClose(l->connection);
	g_free(l->uri);
	g_free(l);
}

static struct libvirt *open_libvirt(const char *uri, char **why)
{
	struct libvirt *l = g_new0(struct libvirt, 1);

	virSetErrorFunc(NULL, be_quiet);
	l->uri = uri ? g_strconcat(" -c ", uri, NULL) : g_strdup("");
	l->connection = virConnectOpenReadOnly(uri);
	if (l->connection)
		return l;
	*why = complain(l, "libvirt", "version");
	close_libvirt(l);
	return NULL;
}

static char *get_domain(struct libvirt *l, const char *name, char **why)
{
	virDomainPtr domain = virDomainLookupByName(l->connection, name);
	char *xml;

	if (!domain) {
		*why = complain(l, "domain", "list --all");
		return NULL;
	}
	xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
	if (!xml)
		*why = complain(l, "domain", "dumpxml %s", name);
	virDomainFree(domain);
	return xml;
}

static char *get_bridge(struct libvirt *l, const char *name, char **why)
{
	virNetworkPtr network = virNetworkLookupByName(l->connection, name);
	char *bridge = NULL;

	if (!network) {
		*why = complain(l, "network", "net-list --all");
		return NULL;
	}
	if (virNetworkIsActive(network) != 1) {
		*why = g_strdup_printf("network '%s' is not active: start it "
				       "with 'virsh%s net-start %s'",
				       name, l->uri, name);
	} else {
		bridge = virNetworkGetBridgeName(network);
		if (!bridge)
			*why = complain(l, "network", "net-dumpxml %s", name);
	}
	virNetworkFree(network);
	return bridge;
}

static char *get_volume(struct libvirt *l, const char *pool_name,
			const char *name, char **xml, char **why)
{
	virStoragePoolPtr pool =
		virStoragePoolLookupByName(l->connection, pool_name);
	virStorageVolPtr volume = NULL;
	char *path = NULL;

	*xml = NULL;
	if (!pool) {
		*why = complain(l, "pool", "pool-list --all");
		return NULL;
	}
	volume = virStorageVolLookupByName(pool, name);
	if (volume)
		path = virStorageVolGetPath(volume);
	if (path)
		*xml = virStorageVolGetXMLDesc(volume, 0);
	else
		*why = complain(l, "volume", "vol-list %s", pool_name);
	if (volume)
		virStorageVolFree(volume);
	virStoragePoolFree(pool);
	return path;
}

const struct libvirt_module kvmbus_libvirt_module = {
	.open = open_libvirt,
	.close = close_libvirt,
	.domain = get_domain,
	.bridge = get_bridge,
	.volume = get_volume,
};
