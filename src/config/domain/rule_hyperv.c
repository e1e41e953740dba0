/* SPDX-License-Identifier: MIT */
/*
 * rule_hyperv.c - <features><hyperv>: what of Hyper-V the guest is offered.
 *
 * Absent, it is all that a host of the profile offers.  With mode='custom',
 * libvirt's default, it is exactly what is switched on, together with
 * <timer name='hypervclock'> and <panic model='hyperv'>, which libvirt has
 * elsewhere.  With mode='passthrough' and 'host-model' it is all that kvmbus
 * implements, and children add and take away.
 */
#include <string.h>

#include "config/domain/domain_private.h"
#include "config/machine_config.h"

static void set_mode(struct domain *d, const char *value)
{
	if (strcmp(value, "custom"))
		d->config->hyperv.base = HYPERV_EVERYTHING;
}

static void enter_hyperv(struct domain *d)
{
	d->config->hyperv.base = HYPERV_NOTHING;
}

/*
 * "features/hyperv/stimer/direct@state": "stimer-direct", as hyperv_config
 * has it.
 */
static char *feature_of(const char *path)
{
	g_auto(GStrv) parts =
		g_strsplit(path + strlen("features/hyperv/"), "@", 2);

	g_strdelimit(parts[0], "/_", '-');
	return g_strdup(parts[0]);
}

static void set_state(struct domain *d, const char *value)
{
	g_autofree char *name = feature_of(d->path);
	int feature = hyperv_feature_find(name);
	struct hyperv_config *h = &d->config->hyperv;

	if (feature < 0)
		domain_refuse(d, "is not known");
	else if (domain_on(value))
		h->on |= HYPERV_BIT((unsigned int)feature);
	else
		h->off |= HYPERV_BIT((unsigned int)feature);
}

static void leave_feature(struct domain *d)
{
	if (!xmlHasProp(d->node, (const xmlChar *)"state"))
		domain_refuse(d, "has no state: write state='on' or 'off'");
}

static void set_retries(struct domain *d, const char *value)
{
	uint64_t n = 0;

	if (domain_number(d, value, HYPERV_SPINLOCKS_MIN,
			  HYPERV_SPINLOCKS_NEVER, &n))
		d->config->hyperv.spinlocks = (uint32_t)n;
}

static void set_vendor(struct domain *d, const char *value)
{
	if (!*value || strlen(value) > HYPERV_VENDOR_ID_MAX)
		domain_refuse(d, "'%s' does not fit: write 1 to %u characters",
			      value, HYPERV_VENDOR_ID_MAX);
	else
		domain_replace(&d->config->hyperv.vendor_id, value);
}

static void leave_vendor(struct domain *d)
{
	g_autofree char *state = domain_attr(d, "state");
	g_autofree char *value = domain_attr(d, "value");

	leave_feature(d);
	if (state && domain_on(state) && !value)
		domain_refuse(d, "has no value: write value='Microsoft Hv'");
	if (state && !domain_on(state))
		g_clear_pointer(&d->config->hyperv.vendor_id, g_free);
}

/* libvirt has learnt a name that we have not. */
static void leave_unknown(struct domain *d)
{
	g_autofree char *state = domain_attr(d, "state");

	if (!g_strcmp0(state, "off"))
		domain_ignore(d, "is not known, and off");
	else
		domain_refuse(d, "is not an enlightenment that kvmbus knows: "
				 "remove it, or write state='off'");
}

/* --- the whole ---------------------------------------------------------------- */

void domain_check_hyperv(struct domain *d)
{
	const uint32_t wanted =
		HYPERV_BIT(HYPERV_VPINDEX) | HYPERV_BIT(HYPERV_SYNIC);
	const struct hyperv_config *h = &d->config->hyperv;
	const xmlNode *features = domain_child(d->node, "features");
	const xmlNode *node =
		features ? domain_child(features, "hyperv") : NULL;
	uint32_t have = h->on & ~h->off;
	GError *error = NULL;

	if (h->base != HYPERV_NOTHING || !node)
		have = UINT32_MAX & ~h->off;
	if (!h->incomplete && (have & wanted) != wanted)
		domain_say_of(d, DOMAIN_REFUSED, node ? node : d->node,
			      "features/hyperv",
			      "without vpindex and synic no guest finds its "
			      "devices: switch both on, or remove <hyperv> for "
			      "all that the profile has; see also "
			      "kvmbus:machine/kvmbus:hyperv@incomplete");
	else if (have & HYPERV_BIT(HYPERV_STIMER) &&
		 !(have & HYPERV_BIT(HYPERV_CLOCK)))
		domain_say_of(d, DOMAIN_REFUSED, node ? node : d->node,
			      "features/hyperv",
			      "stimer needs <clock><timer name='hypervclock' "
			      "present='yes'/></clock>: write it too");
	else if (hyperv_config_check(h, &error))
		domain_refuse_error(d, node ? node : d->node, "features/hyperv",
				    error);
}

#define NESTED_REFUSED \
	"there is nothing for nested guests: remove it, or write state='off'."
#define STATE(name)                                                      \
	RULE("features/hyperv/" name "@state", HONOUR, "Is it offered?", \
	     .words = "on|off", .set = set_state)
#define ROW(name, help)                                                      \
	RULE("features/hyperv/" name, HONOUR, help, .leave = leave_feature), \
		STATE(name)

static const struct domain_rule rules[] = {
	RULE("features/hyperv", HONOUR,
	     "What is offered; absent: all that the profile has.",
	     .enter = enter_hyperv),
	RULE("features/hyperv@mode", HONOUR,
	     "Exactly what is listed, or all that is implemented.",
	     .words = "custom|passthrough|host-model", .set = set_mode),
	ROW("relaxed", "No watchdog timeouts: 0x40000004 EAX[5]."),
	ROW("vapic", "APIC registers: 0x40000003 EAX[4], 0x40000004 EAX[3]."),
	ROW("spinlocks", "When to call for a long spin: 0x40000004 EBX."),
	RULE("features/hyperv/spinlocks@retries", HONOUR,
	     "4095 or more; 4294967295: never.", .set = set_retries),
	ROW("vpindex", "The processor's index: 0x40000003 EAX[6]."),
	ROW("runtime", "Its run time: 0x40000003 EAX[0]."),
	ROW("synic", "Synthetic interrupts: 0x40000003 EAX[2]."),
	ROW("stimer", "Synthetic timers: 0x40000003 EAX[3]."),
	ROW("stimer/direct", "Timers as interrupts: 0x40000003 EDX[19]."),
	ROW("reset", "The register to reset by: 0x40000003 EAX[7]."),
	RULE("features/hyperv/vendor_id", HONOUR,
	     "Who the hypervisor is: 0x40000000 EBX, ECX, EDX.",
	     .leave = leave_vendor),
	RULE("features/hyperv/vendor_id@state", HONOUR, "Is it another?",
	     .words = "on|off"),
	RULE("features/hyperv/vendor_id@value", HONOUR,
	     "Linux uses nothing of Hyper-V but of Microsoft Hv.",
	     .set = set_vendor),
	ROW("frequencies", "TSC and APIC frequency: 0x40000003 EAX[11], "
			   "EDX[8]."),
	ROW("reenlightenment", "Notices of migration: 0x40000003 EAX[13]."),
	ROW("tlbflush", "Flushes by hypercall: 0x40000004 EAX[2], EAX[11]."),
	ROW("tlbflush/direct", "Of nested guests: 0x4000000A EAX[17]."),
	RULE("features/hyperv/tlbflush/direct@state=on", REFUSE,
	     NESTED_REFUSED),
	ROW("tlbflush/extended", "Of ranges: 0x40000003 EDX[14]."),
	ROW("ipi", "Interrupts by hypercall: 0x40000004 EAX[10], EAX[11]."),
	ROW("evmcs", "An enlightened VMCS: 0x4000000A, 0x40000004 EAX[14]."),
	RULE("features/hyperv/evmcs@state=on", REFUSE, NESTED_REFUSED),
	ROW("avic", "AutoEOI is deprecated: 0x40000004 EAX[9]."),
	ROW("emsr_bitmap", "An enlightened MSR bitmap: 0x4000000A EAX[19]."),
	RULE("features/hyperv/emsr_bitmap@state=on", REFUSE, NESTED_REFUSED),
	ROW("xmm_input", "Hypercalls in XMM registers: 0x40000003 EDX[4]."),
	RULE("features/hyperv/*", HONOUR,
	     "Another is refused, unless it is off: then it is ignored.",
	     .leave = leave_unknown),
	RULE("features/hyperv/*@*", HONOUR, "Of such a one."),
};

const struct domain_rules domain_hyperv_rules = {"Hyper-V's enlightenments",
						 rules, G_N_ELEMENTS(rules)};
