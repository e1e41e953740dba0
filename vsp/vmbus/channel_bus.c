/* SPDX-License-Identifier: MIT */
#include "vsp/vmbus/channel_impl.h"

struct channel_bus *channel_bus_new(const struct channel_bus_params *params,
				    GError **error)
{
	struct channel_bus *bus = g_new0(struct channel_bus, 1);

	bus->params = *params;
	pthread_mutex_init(&bus->lock, NULL);
	bus->worker = worker_new("vsp", error);
	if (bus->worker)
		return bus;
	channel_bus_free(bus);
	return NULL;
}

void channel_bus_free(struct channel_bus *bus)
{
	if (!bus)
		return;
	worker_free(bus->worker);
	pthread_mutex_destroy(&bus->lock);
	g_free(bus);
}

struct worker *channel_bus_worker(struct channel_bus *bus)
{
	return bus->worker;
}

struct gmem *channel_bus_mem(struct channel_bus *bus)
{
	return bus->params.mem;
}

uint8_t channel_bus_get_monitor(struct channel_bus *bus)
{
	uint8_t id = 0;

	pthread_mutex_lock(&bus->lock);
	while (id < MONITOR_IDS && bus->monitors[id])
		id++;
	if (id < MONITOR_IDS)
		bus->monitors[id] = true;
	pthread_mutex_unlock(&bus->lock);
	return id;
}

void channel_bus_put_monitor(struct channel_bus *bus, uint8_t id)
{
	if (id >= MONITOR_IDS)
		return;
	pthread_mutex_lock(&bus->lock);
	bus->monitors[id] = false;
	pthread_mutex_unlock(&bus->lock);
}
