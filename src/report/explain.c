/* SPDX-License-Identifier: MIT */
#include "report/explain.h"

#include <string.h>

#include <json-c/json.h>

#include "report/report_file.h"

#define FIRST N_MILESTONES /* nothing comes before it */

struct step {
	enum milestone before; /* what must be reached first */
	const char *device; /* names of it begin so; NULL: none */
	const char *other; /* or so */
	const char *no_device; /* NULL: the profile's age is why */
	const char *closed; /* the guest never opened it */
	const char *otherwise;
};

#define HV_UTILS                                                 \
	"the guest never opened its channel; is hv_utils in the" \
	" initramfs?"
#define INITRAMFS "in the initramfs, or built in?"

static const struct step steps[N_MILESTONES] = {
	[MILESTONE_GUEST_OS_ID] = {.before = FIRST,
				   .otherwise =
					   "the guest never said what it is; "
					   "has its kernel CONFIG_HYPERV, and "
					   "did it get that far?"},
	[MILESTONE_HYPERCALL_PAGE] = {.before = MILESTONE_GUEST_OS_ID,
				      .otherwise = "the guest switched no "
						   "hypercall page on"},
	[MILESTONE_REFERENCE_TSC] = {.before = MILESTONE_GUEST_OS_ID,
				     .otherwise = "the guest never switched "
						  "the reference TSC page on"},
	[MILESTONE_SYNIC] =
		{.before = MILESTONE_HYPERCALL_PAGE,
		 .otherwise =
			 "the guest switched no synthetic "
			 "interrupt controller on; is hv_vmbus " INITRAMFS},
	[MILESTONE_STIMER] = {.before = MILESTONE_GUEST_OS_ID,
			      .otherwise = "the guest started no synthetic "
					   "timer"},
	[MILESTONE_VMBUS_CONTACT] = {.before = MILESTONE_SYNIC,
				     .otherwise =
					     "the guest never connected to "
					     "VMbus; is hv_vmbus " INITRAMFS},
	[MILESTONE_VMBUS_OFFERS] = {.before = MILESTONE_VMBUS_CONTACT,
				    .otherwise = "the guest never asked what "
						 "is on VMbus"},
	[MILESTONE_STORVSC_OPEN] = {.before = MILESTONE_VMBUS_OFFERS,
				    .device = "scsi",
				    .other = "ide",
				    .no_device = "this machine has no disk; "
						 "one comes with --disk",
				    .closed = "the guest never opened the SCSI "
					      "channel; is hv_storvsc in the "
					      "initramfs?",
				    .otherwise = "the guest opened the SCSI "
						 "channel, and no more"},
	[MILESTONE_STORVSC_IO] = {.before = MILESTONE_STORVSC_OPEN,
				  .otherwise =
					  "no command of a disk was done; is "
					  "there one (--disk), and sd_mod in "
					  "the initramfs?"},
	[MILESTONE_NETVSC_OPEN] = {.before = MILESTONE_VMBUS_OFFERS,
				   .device = "net",
				   .no_device = "this machine has no network "
						"card; one comes with --net",
				   .closed =
					   "the guest never opened the network "
					   "card's channel; is hv_netvsc in "
					   "the initramfs?",
				   .otherwise = "the guest opened the card's "
						"channel, and no more"},
	[MILESTONE_NETVSC_LINK] = {.before = MILESTONE_NETVSC_OPEN,
				   .otherwise =
					   "the guest never brought the "
					   "interface up (ip link set eth0 "
					   "up)"},
	[MILESTONE_NETVSC_RX] = {.before = MILESTONE_NETVSC_LINK,
				 .otherwise =
					 "no frame came for the guest; is "
					 "somebody at the other end of --net?"},
	[MILESTONE_NETVSC_TX] = {.before = MILESTONE_NETVSC_LINK,
				 .otherwise = "the guest sent no frame"},
	[MILESTONE_IC_HEARTBEAT] = {.before = MILESTONE_VMBUS_OFFERS,
				    .device = "heartbeat",
				    .closed = HV_UTILS,
				    .otherwise = "no version was agreed on"},
	[MILESTONE_IC_TIMESYNC] = {.before = MILESTONE_VMBUS_OFFERS,
				   .device = "timesync",
				   .closed = HV_UTILS,
				   .otherwise = "no version was agreed on"},
	[MILESTONE_IC_SHUTDOWN] = {.before = MILESTONE_VMBUS_OFFERS,
				   .device = "shutdown",
				   .closed = HV_UTILS,
				   .otherwise = "no version was agreed on"},
	[MILESTONE_IC_KVP] = {.before = MILESTONE_VMBUS_OFFERS,
			      .device = "kvp",
			      .closed = HV_UTILS,
			      .otherwise = "its daemon does not run in the "
					   "guest (hv_kvp_daemon)"},
	[MILESTONE_IC_VSS] = {.before = MILESTONE_VMBUS_OFFERS,
			      .device = "vss",
			      .closed = HV_UTILS,
			      .otherwise = "its daemon does not run in the "
					   "guest (hv_vss_daemon)"},
	[MILESTONE_IC_FCOPY] = {.before = MILESTONE_VMBUS_OFFERS,
				.device = "fcopy",
				.closed = "the guest never opened its channel; "
					  "is hv_utils in the initramfs, or "
					  "uio_hv_generic where the daemon "
					  "drives it?",
				.otherwise = "its daemon does not run in the "
					     "guest (hv_fcopy_daemon)"},
	[MILESTONE_BALLOON] = {.before = MILESTONE_VMBUS_OFFERS,
			       .device = "balloon",
			       .closed = "the guest never opened its channel; "
					 "is hv_balloon in the initramfs?",
			       .otherwise = "no version was agreed on"},
	[MILESTONE_KEYBOARD] = {.before = MILESTONE_VMBUS_OFFERS,
				.device = "keyboard",
				.closed =
					"the guest never opened its channel; "
					"is hyperv_keyboard in the initramfs?",
				.otherwise = "no version was agreed on"},
	[MILESTONE_MOUSE] = {.before = MILESTONE_VMBUS_OFFERS,
			     .device = "mouse",
			     .closed = "the guest never opened its channel; is "
				       "hid_hyperv in the initramfs?",
			     .otherwise = "no version was agreed on"},
	[MILESTONE_VIDEO] = {.before = FIRST, .otherwise = "not implemented"},
	[MILESTONE_HVSOCK] = {.before = MILESTONE_VMBUS_OFFERS,
			      .device = "hvsock",
			      .no_device =
				      "this machine has none; it comes with "
				      "--hvsock, from ws2016 on",
			      .otherwise = "nobody connected; is hv_sock in "
					   "the initramfs?"},
	[MILESTONE_VPCI] = {.before = FIRST, .otherwise = "not implemented"},
	[MILESTONE_UNLOAD] = {.before = MILESTONE_VMBUS_CONTACT,
			      .otherwise = "the guest did not leave VMbus, "
					   "and need not when it powers off"},
	[MILESTONE_POWEROFF] = {.before = FIRST,
				.otherwise = "the guest did not power off"},
};

static bool is_reached(const struct json_object *report, enum milestone which)
{
	const char *name = milestone_name(which);

	for (size_t i = 0; i < report_len(report, "milestones"); i++) {
		struct json_object *m = report_nth(report, "milestones", i);

		if (!g_strcmp0(report_str(m, "name"), name))
			return report_bool(m, "reached");
	}
	return false;
}

static bool begins(const char *name, const char *with)
{
	return with && g_str_has_prefix(name, with);
}

/* Devices of a step: how many, and how many of them the guest has opened. */
static void count_devices(const struct json_object *report,
			  const struct step *s, unsigned int *n,
			  unsigned int *opened)
{
	struct json_object *devices = report_get(report, "devices");

	*n = *opened = 0;
	if (!json_object_is_type(devices, json_type_object))
		return;
	json_object_object_foreach(devices, name, device)
	{
		if (!begins(name, s->device) && !begins(name, s->other))
			continue;
		++*n;
		*opened += report_num(device, "channel/opens") != 0;
	}
}

char *explain(const struct json_object *report, enum milestone which)
{
	const char *profile = report_str(report, "profile");
	const struct step *s = &steps[which];
	unsigned int n, opened;

	/* The first that is missing says why. */
	while (s->before != FIRST && !is_reached(report, s->before))
		s = &steps[s->before];
	if (!s->device)
		return g_strdup(s->otherwise);
	count_devices(report, s, &n, &opened);
	if (!n && s->no_device)
		return g_strdup(s->no_device);
	if (!n)
		return g_strdup_printf("%s has no such device",
				       profile ? profile : "this host");
	return g_strdup(opened || !s->closed ? s->otherwise : s->closed);
}
