/* SPDX-License-Identifier: MIT */
#include "config/domain/lookup.h"

#include "config/machine_config.h"

char *domain_lookup_volume(struct domain_lookup *lookup, const char *pool,
			   const char *volume, char **format, GError **error)
{
	(void)lookup;
	*format = NULL;
	g_set_error(error, CONFIG_ERROR, 0,
		    "volume '%s' of pool '%s' is known to libvirt only: write "
		    "type='file' and the path that 'virsh vol-path %s %s' says",
		    volume, pool, volume, pool);
	return NULL;
}

char *domain_lookup_network(struct domain_lookup *lookup, const char *network,
			    const char *mac, GError **error)
{
	(void)lookup;
	(void)mac;
	g_set_error(error, CONFIG_ERROR, 0,
		    "network '%s' is known to libvirt only: write "
		    "type='bridge' and the bridge that 'virsh net-info %s' "
		    "says",
		    network, network);
	return NULL;
}
