/* SPDX-License-Identifier: MIT */
#include "vm/devices/vm_hotplug.h"

#include <errno.h>

#include "mem/gmem.h"
#include "report/event.h"
#include "vm/devices/vm_nics.h"
#include "vm/devices/vmbus_devices.h"
#include "vm/devices/vmbus_host.h"
#include "vm/vm.h"
#include "vm/vm_events.h"
#include "vm/vm_private.h"
#include "vsp/balloon.h"
#include "vsp/netvsp/netvsp.h"

/* A guest may answer as often as it likes. */
#define BALLOON_EVENT_MS 200

/* --- network cards ---------------------------------------------------------- */

static int attach_nic(void *ctx, unsigned int n, GError **error)
{
	struct vm *vm = ctx;

	return vmbus_host_add(vm->vmbus, "net", n, error);
}

char *vm_nic_add(struct vm *vm, const char *text, GError **error)
{
	int n = vm_nics_add(vm->nics, text, attach_nic, vm, error);

	return n < 0 ? NULL : g_strdup_printf("net%d", n);
}

int vm_nic_remove(struct vm *vm, const char *name, GError **error)
{
	int n = vm_nics_find(vm->nics, name, error);

	if (n < 0)
		return -1;
	vmbus_devices_remove(vmbus_host_all(vm->vmbus), name);
	vm_nics_remove(vm->nics, (unsigned int)n);
	return 0;
}

struct netvsp *vm_nic_find(struct vm *vm, const char *name)
{
	struct vmbus_devices *all = vmbus_host_all(vm->vmbus);
	struct netvsp *nic = vmbus_devices_named(all, &netvsp_ops, name);

	if (nic)
		vmbus_devices_filter_seen(all, name);
	return nic;
}

void vm_tell_deleted(struct vm *vm, const char *name, const char *id)
{
	struct event *e = event_new(EVENT_DEVICE_DELETED);

	if (id)
		event_add_text(e, "device", id);
	event_add_text(e, "path", name);
	vm_events_tell(vm->events, e);
}

/* --- disks -------------------------------------------------------------------- */

void vm_tell_disk_failed(void *ctx, const char *name, const char *node,
			 bool is_read, int err, const char *action)
{
	struct vm *vm = ctx;
	struct event *e = event_new(EVENT_BLOCK_IO_ERROR);

	event_add_text(e, "device", name);
	event_add_text(e, "node-name", node);
	event_add_text(e, "operation", is_read ? "read" : "write");
	event_add_text(e, "action", action);
	event_add_bool(e, "nospace", err == -ENOSPC || err == -EDQUOT);
	event_add_text(e, "reason", g_strerror(-err));
	vm_events_tell(vm->events, e);
}

void vm_tell_tray(struct vm *vm, const char *name, const char *id, bool open)
{
	struct event *e = event_new(EVENT_DEVICE_TRAY_MOVED);

	event_add_text(e, "device", name);
	event_add_text(e, "id", id ? id : name);
	event_add_bool(e, "tray-open", open);
	vm_events_tell(vm->events, e);
}

/* --- memory ------------------------------------------------------------------ */

void vm_tell_memory(struct vm *vm, uint64_t ballooned_bytes,
		    uint64_t added_bytes)
{
	struct event *e;

	if (ballooned_bytes != vm->ballooned_bytes) {
		e = event_new(EVENT_BALLOON_CHANGE);
		event_add_number(e, "actual",
				 gmem_bytes(vm->mem) - ballooned_bytes);
		vm_events_tell(vm->events, e);
	}
	if (added_bytes != vm->added_bytes) {
		e = event_new(EVENT_MEMORY_DEVICE_SIZE_CHANGE);
		event_add_text(e, "id", "balloon");
		event_add_number(e, "size", added_bytes);
		event_add_text(e, "qom-path", "balloon");
		vm_events_tell(vm->events, e);
	}
	vm->ballooned_bytes = ballooned_bytes;
	vm->added_bytes = added_bytes;
}

/* Main thread, a while after the first of some changes. */
static gboolean tell_memory(gpointer data)
{
	struct vm *vm = data;
	struct balloon_status s;

	atomic_store(&vm->memory_changed, false);
	balloon_get_status(vm_device(vm, &balloon_ops), &s);
	vm_tell_memory(vm, s.ballooned_bytes, s.added_bytes);
	return G_SOURCE_REMOVE;
}

/* A worker's thread. */
static void on_memory(void *ctx)
{
	struct vm *vm = ctx;

	if (!atomic_exchange(&vm->memory_changed, true))
		g_timeout_add(BALLOON_EVENT_MS, tell_memory, vm);
}

void vm_watch_balloon(struct vm *vm)
{
	struct balloon *b = vm_device(vm, &balloon_ops);

	if (b)
		balloon_on_change(b, on_memory, vm);
}
