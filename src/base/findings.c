/* SPDX-License-Identifier: MIT */
#include "base/findings.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#include <glib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/trace.h"

#define LOG_CATEGORY "findings"

/* Of a rule; the last is for all others. */
#define PLACES_MAX 16u
#define OTHERS     "(others)"
#define WHERE_MAX  48u
#define DETAIL_MAX 160u

#define RULE(rule, id_, severity_, category_, text_, source_) \
	[FINDING_##rule] = {.id = (id_),                      \
			    .text = (text_),                  \
			    .severity = FINDING_##severity_,  \
			    .category = TRACE_##category_,    \
			    .source = (source_)}

/* clang-format off */
static const struct finding_rule rules[] = {
	RULE(MSR_UNKNOWN, "msr-unknown", ERROR, MSR,
	     "an access to a synthetic MSR that no version of Hyper-V has",
	     "TLFS \"Synthetic MSRs\""),
	RULE(MSR_NOT_OFFERED, "msr-not-offered", ERROR, MSR,
	     "a synthetic MSR used without its bit in CPUID leaf 0x40000003",
	     "TLFS HV_PARTITION_PRIVILEGE_MASK"),
	RULE(MSR_ACCESS, "msr-access", ERROR, MSR,
	     "a write to a read-only MSR, or a read of a write-only one",
	     "TLFS, the page of the register"),
	RULE(MSR_VALUE, "msr-value", ERROR, MSR,
	     "a value that the MSR does not take",
	     "TLFS, the page of the register"),
	RULE(MSR_RESERVED, "msr-reserved-bits", WARNING, MSR,
	     "reserved bits set that were zero and are to be preserved",
	     "TLFS \"SynIC Registers\" (RsvdP)"),
	RULE(HYPERCALL_NO_OS_ID, "hypercall-no-os-id", ERROR, MSR,
	     "the hypercall page enabled before the guest has said what it is",
	     "TLFS \"Establishing the Hypercall Interface\""),
	RULE(OVERLAY_LEFT, "overlay-left", WARNING, MSR,
	     "pages of the hypervisor still over memory when a new kernel "
	     "says what it is: the last did not clean up (kexec)",
	     "TLFS \"Overlay Pages\"; Linux hyperv_cleanup()"),
	RULE(TSC_WRITTEN, "tsc-written", WARNING, MSR,
	     "a write to the TSC: time would step, reference time with it",
	     "TLFS \"Partition Reference TSC Mechanism\""),
	RULE(SINT_AUTO_EOI, "sint-auto-eoi", WARNING, SYNIC,
	     "AutoEOI used although the host says that it is deprecated",
	     "TLFS CPUID leaf 0x40000004 EAX bit 9"),
	RULE(MESSAGE_NOT_TAKEN, "message-not-taken", WARNING, SYNIC,
	     "a message waited 30 s for its slot: the one before it was not "
	     "taken, or no EOM was written",
	     "TLFS \"EOM Register\""),
	RULE(STIMER_PAST, "stimer-past", WARNING, STIMER,
	     "a one-shot timer set to a time that was over for 10 s",
	     "TLFS \"Synthetic Timers\""),
	RULE(STIMER_NO_TARGET, "stimer-no-target", ERROR, STIMER,
	     "a timer enabled for SINT0 and not in direct mode: it stays off",
	     "TLFS \"Synthetic Timer Configuration\""),
	RULE(HYPERCALL_UNKNOWN, "hypercall-unknown", ERROR, HYPERCALL,
	     "a hypercall that is not there",
	     "TLFS \"Hypercall Reference\""),
	RULE(HYPERCALL_RIGHTS, "hypercall-rights", ERROR, HYPERCALL,
	     "a hypercall without the privilege for it",
	     "TLFS HV_PARTITION_PRIVILEGE_MASK"),
	RULE(HYPERCALL_INPUT, "hypercall-input", ERROR, HYPERCALL,
	     "reserved bits, a wrong form or a wrong count in the control word",
	     "TLFS \"Hypercall Inputs\""),
	RULE(HYPERCALL_MEMORY, "hypercall-memory", ERROR, HYPERCALL,
	     "parameters that are not aligned, cross a page, or are not in RAM",
	     "TLFS \"Alignment Requirements\""),
	RULE(HYPERCALL_PARAMETER, "hypercall-parameter", ERROR, HYPERCALL,
	     "a hypercall with parameters that it does not take",
	     "TLFS, the page of the call"),
	RULE(HYPERCALL_MODE, "hypercall-mode", ERROR, HYPERCALL,
	     "a hypercall from user mode or real mode, or in a form that is "
	     "not offered",
	     "TLFS \"Legal Hypercall Environments\""),
	RULE(POST_CONNECTION, "post-connection", ERROR, HYPERCALL,
	     "a message posted to a connection that is not there",
	     "TLFS HvCallPostMessage"),
	RULE(MESSAGE_SIZE, "message-size", ERROR, VMBUS,
	     "a channel message that is too short for what it is, or too long",
	     "Linux drivers/hv/channel_mgmt.c"),
	RULE(MESSAGE_UNKNOWN, "message-unknown", ERROR, VMBUS,
	     "a channel message of a type that there is not",
	     "Linux enum vmbus_channel_message_type"),
	RULE(MESSAGE_VERSION, "message-version", ERROR, VMBUS,
	     "a channel message that the version agreed on does not have, or "
	     "before there is one",
	     "Linux drivers/hv/connection.c"),
	RULE(MESSAGE_HOSTS, "message-hosts", ERROR, VMBUS,
	     "a channel message that only a host sends",
	     "Linux channel_message_table[]"),
	RULE(MESSAGE_PAUSED, "message-paused", WARNING, VMBUS,
	     "a channel message other than Resume while the guest has it paused",
	     "OpenVMM vmbus_server Pause"),
	RULE(CONTACT_AGAIN, "contact-without-unload", WARNING, VMBUS,
	     "a new contact while the last connection is up: no Unload before "
	     "a kexec",
	     "Linux vmbus_initiate_unload()"),
	RULE(CONTACT_TARGET, "contact-target", ERROR, VMBUS,
	     "a contact that wants its messages where there is nothing",
	     "Linux vmbus_negotiate_version()"),
	RULE(OFFERS_AGAIN, "offers-again", WARNING, VMBUS,
	     "offers requested twice on one connection",
	     "Linux vmbus_request_offers()"),
	RULE(CHANNEL_UNKNOWN, "channel-unknown", ERROR, VMBUS,
	     "a message about a channel that is not offered",
	     "Linux drivers/hv/channel.c"),
	RULE(CHANNEL_AGAIN, "channel-opened-twice", ERROR, VMBUS,
	     "a channel opened that is open",
	     "Linux __vmbus_open()"),
	RULE(CHANNEL_NOT_OPEN, "channel-not-open", ERROR, VMBUS,
	     "a channel closed or moved that is not open",
	     "Linux vmbus_close(), vmbus_send_modifychannel()"),
	RULE(CHANNEL_PARAMETER, "channel-parameter", ERROR, VMBUS,
	     "a channel opened or moved with a VP, ring or flag that is none",
	     "Linux __vmbus_open()"),
	RULE(RELID_IN_USE, "relid-in-use", ERROR, VMBUS,
	     "an offer given back while its channel is open",
	     "Linux vmbus_release_relid()"),
	RULE(GPADL_UNKNOWN, "gpadl-unknown", ERROR, VMBUS,
	     "a piece or teardown of a GPADL that there is not",
	     "Linux vmbus_teardown_gpadl()"),
	RULE(GPADL_AGAIN, "gpadl-twice", ERROR, VMBUS,
	     "a GPADL with the number of one that is there",
	     "Linux vmbus_establish_gpadl()"),
	RULE(GPADL_INVALID, "gpadl-invalid", ERROR, VMBUS,
	     "a GPADL that is malformed, too large, or of what is not RAM",
	     "Linux create_gpadl_header()"),
	RULE(GPADL_EXPIRED, "gpadl-unfinished", ERROR, VMBUS,
	     "a GPADL of which the rest did not come in 10 s",
	     "Linux __vmbus_establish_gpadl()"),
	RULE(GPADL_IN_USE, "gpadl-in-use", ERROR, VMBUS,
	     "the rings' memory taken back while the channel is open",
	     "Linux vmbus_disconnect_ring()"),
	RULE(GPADL_LEFT, "gpadl-left", WARNING, VMBUS,
	     "GPADLs of closed channels not torn down by Unload: leaked",
	     "Linux vmbus_free_ring()"),
	RULE(RING_INDEX, "ring-index", ERROR, RING,
	     "a ring index that is beyond the ring or not aligned",
	     "Linux drivers/hv/ring_buffer.c"),
	RULE(RING_MOVED, "ring-moved", WARNING, RING,
	     "a packet put into a ring after its channel was closed",
	     "Linux vmbus_close_internal()"),
	RULE(PACKET_INVALID, "packet-invalid", ERROR, RING,
	     "a packet with lengths that disagree, or longer than its device "
	     "has any",
	     "Linux struct vmpacket_descriptor"),
	RULE(SIGNAL_NEEDLESS, "signal-needless", INFO, RING,
	     "more signals than packets: the guest signals although the ring "
	     "was not empty, or the host asked it not to",
	     "Linux hv_signal_on_write()"),
	RULE(SIGNAL_LOST, "signal-lost", ERROR, RING,
	     "a channel closed with packets in its ring that the guest should "
	     "have signalled and has not",
	     "Linux hv_signal_on_write()"),
	RULE(INTERRUPT_LOST, "interrupt-lost", ERROR, RING,
	     "a channel's interrupts go to a processor whose SynIC is off",
	     "Linux hv_synic_cleanup()"),
	RULE(COMPLETION_UNKNOWN, "completion-unknown", WARNING, RING,
	     "the completion of a request that the host has not made",
	     "Linux vmbus_next_request_id()"),
	RULE(STORAGE_ORDER, "storage-order", ERROR, STORVSC,
	     "a storage message out of turn, or one that there is not",
	     "Linux storvsc_channel_init()"),
	RULE(STORAGE_PACKET, "storage-packet", ERROR, STORVSC,
	     "a storage request of a wrong size, or that wants no completion",
	     "Linux struct vstor_packet"),
	RULE(STORAGE_COMMAND, "storage-command", ERROR, STORVSC,
	     "a SCSI request with a bad CDB length, or with less memory than "
	     "data",
	     "Linux struct vmscsi_request"),
	RULE(STORAGE_REMOVED, "storage-removed", WARNING, STORVSC,
	     "reads or writes of a disk 60 s after it was taken away",
	     "Linux storvsc_remove_lun()"),
	RULE(NETWORK_ORDER, "network-order", ERROR, NETVSC,
	     "a NVSP message out of turn, or one that the version has not",
	     "Linux netvsc_connect_vsp()"),
	RULE(NETWORK_BUFFER, "network-buffer", ERROR, NETVSC,
	     "a frame where there is no buffer: a section beyond the send "
	     "buffer, or no memory",
	     "Linux netvsc_send_pkt()"),
	RULE(RNDIS_LENGTH, "rndis-length", ERROR, NETVSC,
	     "lengths or offsets of a RNDIS message that disagree",
	     "Linux include/linux/rndis.h"),
	RULE(RNDIS_ORDER, "rndis-order", ERROR, NETVSC,
	     "a RNDIS message before RNDIS_MSG_INIT, or without buffers",
	     "Linux rndis_filter_init_device()"),
	RULE(COMPONENT_ANSWER, "component-answer", ERROR, IC,
	     "an integration component's answer that is too short, to "
	     "nothing, or a version that was not offered",
	     "Linux vmbus_prep_negotiate_resp()"),
};
/* clang-format on */

_Static_assert(G_N_ELEMENTS(rules) == N_FINDINGS, "a row for each rule");

struct place {
	char where[WHERE_MAX];
	char detail[DETAIL_MAX];
	uint64_t count;
	uint64_t first_ns;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* lock */
static struct place *places[N_FINDINGS]; /* PLACES_MAX each, or NULL */
static unsigned int n_places[N_FINDINGS];
/* lock to change */
static _Atomic uint64_t counts[N_FINDINGS];

const struct finding_rule *findings_rule(enum finding rule)
{
	return &rules[rule];
}

const char *finding_severity_name(enum finding_severity severity)
{
	static const char *const names[] = {
		[FINDING_INFO] = "info",
		[FINDING_WARNING] = "warning",
		[FINDING_ERROR] = "error",
	};

	return names[severity];
}

/* With the lock.  *@is_new: it was not seen there before. */
static struct place *find_place(enum finding rule, const char *where,
				bool *is_new)
{
	struct place *p;

	*is_new = false;
	if (!places[rule])
		places[rule] = g_new0(struct place, PLACES_MAX);
	for (unsigned int i = 0; i < n_places[rule]; i++) {
		p = &places[rule][i];
		if (!strncmp(p->where, where, WHERE_MAX - 1))
			return p;
	}
	if (n_places[rule] == PLACES_MAX)
		return &places[rule][PLACES_MAX - 1];
	*is_new = true;
	p = &places[rule][n_places[rule]++];
	g_strlcpy(p->where, n_places[rule] == PLACES_MAX ? OTHERS : where,
		  WHERE_MAX);
	p->first_ns = clock_monotonic_ns();
	return p;
}

/* The first there is described, and told of. */
__attribute__((format(printf, 4, 0))) static void
hit(enum finding rule, uint64_t n, const char *where, const char *format,
    va_list args)
{
	char detail[DETAIL_MAX];
	struct place *p;
	bool is_new;

	pthread_mutex_lock(&lock);
	p = find_place(rule, where, &is_new);
	p->count += n;
	if (is_new) {
		g_vsnprintf(p->detail, sizeof(p->detail), format, args);
		memcpy(detail, p->detail, sizeof(detail));
	}
	counts[rule] += n;
	pthread_mutex_unlock(&lock);
	if (!is_new)
		return;
	trace_bytes(finding, TRACE_NO_VP, TRACE_NO_DEVICE, where,
		    (uint32_t)strlen(where), rule, 0);
	log_info("%s: %s: %s (%s)", rules[rule].id, where, rules[rule].text,
		 detail);
}

void findings_hit(enum finding rule, const char *where, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	hit(rule, 1, where, format, args);
	va_end(args);
}

void findings_add(enum finding rule, uint64_t n, const char *where,
		  const char *format, ...)
{
	va_list args;

	va_start(args, format);
	hit(rule, n, where, format, args);
	va_end(args);
}

uint64_t findings_count(enum finding rule)
{
	return counts[rule];
}

uint64_t findings_total(void)
{
	uint64_t total = 0;

	for (int i = 0; i < N_FINDINGS; i++)
		total += counts[i];
	return total;
}

struct finding_seen *findings_list(unsigned int *n)
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct finding_seen));

	pthread_mutex_lock(&lock);
	for (int rule = 0; rule < N_FINDINGS; rule++) {
		for (unsigned int i = 0; i < n_places[rule]; i++) {
			const struct place *p = &places[rule][i];
			struct finding_seen seen = {.rule = (enum finding)rule,
						    .where = p->where,
						    .detail = p->detail,
						    .count = p->count,
						    .first_ns = p->first_ns};

			g_array_append_val(list, seen);
		}
	}
	pthread_mutex_unlock(&lock);
	*n = list->len;
	return (struct finding_seen *)(void *)g_array_free(list, FALSE);
}

void findings_reset(void)
{
	pthread_mutex_lock(&lock);
	for (int rule = 0; rule < N_FINDINGS; rule++) {
		g_clear_pointer(&places[rule], g_free);
		n_places[rule] = 0;
		counts[rule] = 0;
	}
	pthread_mutex_unlock(&lock);
}
