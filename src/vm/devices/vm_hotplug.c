/* SPDX-License-Identifier: MIT */
#include "vm/devices/vm_hotplug.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
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

#define LOG_CATEGORY "net"

/* A guest may answer as often as it likes. */
#define BALLOON_EVENT_MS 200
#define NIC_LOOK_MS      10

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

/* A card on its way out. */
struct nic_parting {
	struct vm *vm;
	unsigned int n;
	char *name;
	struct netvsp *nic;
	struct vm_nic_state state;
	guint source;
	void (*gone)(void *ctx);
	void *ctx;
};

static void nic_gone(struct nic_parting *p)
{
	p->gone(p->ctx);
	g_free(p->name);
	g_free(p);
}

enum vm_nic_step vm_nic_step(const struct vm_nic_state *s)
{
	bool late = s->looks >= VM_NIC_LOOKS;

	if (!s->is_open || (s->revoked && late))
		return VM_NIC_REMOVE;
	if (!s->revoked && (s->has_parted || late))
		return VM_NIC_REVOKE;
	return VM_NIC_WAIT;
}

static void remove_nic(struct nic_parting *p)
{
	struct vm *vm = p->vm;

	vmbus_devices_remove(vmbus_host_all(vm->vmbus), p->name);
	vm_nics_remove(vm->nics, p->n);
	vm->partings = g_list_remove(vm->partings, p);
	nic_gone(p);
}

static gboolean look_at_nic(gpointer data)
{
	struct nic_parting *p = data;
	struct vm_nic_state *s = &p->state;

	s->is_open = netvsp_is_open(p->nic);
	s->has_parted = netvsp_has_parted(p->nic);
	switch (vm_nic_step(s)) {
	case VM_NIC_REMOVE:
		if (s->is_open)
			log_warn("%s: taken away from a guest that has not "
				 "let go of it",
				 p->name);
		remove_nic(p);
		return G_SOURCE_REMOVE;
	case VM_NIC_REVOKE:
		if (!s->has_parted)
			log_warn("%s: the guest has not given back what it "
				 "got",
				 p->name);
		netvsp_revoke(p->nic);
		s->revoked = true;
		s->looks = 0;
		break;
	case VM_NIC_WAIT:
		/* While it is stopped the guest can do nothing. */
		s->looks += !p->vm->suspended;
		break;
	}
	return G_SOURCE_CONTINUE;
}

static bool is_parting(const struct vm *vm, const char *name)
{
	for (const GList *l = vm->partings; l; l = l->next) {
		const struct nic_parting *p = l->data;

		if (!strcmp(p->name, name))
			return true;
	}
	return false;
}

int vm_nic_remove(struct vm *vm, const char *name, void (*gone)(void *ctx),
		  void *ctx, GError **error)
{
	int n = vm_nics_find(vm->nics, name, error);
	struct nic_parting *p;

	if (n < 0)
		return -1;
	if (is_parting(vm, name)) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_AGAIN,
			    "%s: it is on its way out", name);
		return -1;
	}
	p = g_new0(struct nic_parting, 1);
	p->vm = vm;
	p->n = (unsigned int)n;
	p->name = g_strdup(name);
	p->nic = vmbus_devices_named(vmbus_host_all(vm->vmbus), &netvsp_ops,
				     name);
	p->gone = gone;
	p->ctx = ctx;
	if (!netvsp_is_open(p->nic)) {
		remove_nic(p);
		return 0;
	}
	netvsp_part(p->nic);
	p->source = g_timeout_add(NIC_LOOK_MS, look_at_nic, p);
	vm->partings = g_list_append(vm->partings, p);
	return 0;
}

void vm_nics_end(struct vm *vm)
{
	for (GList *l = vm->partings; l; l = l->next) {
		struct nic_parting *p = l->data;

		g_source_remove(p->source);
		nic_gone(p);
	}
	g_clear_pointer(&vm->partings, g_list_free);
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
