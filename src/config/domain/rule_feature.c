/* SPDX-License-Identifier: MIT */
/*
 * rule_feature.c - <features> but <hyperv>, <clock>, <pm>.
 */
#include <string.h>

#include "config/domain/domain_private.h"
#include "config/machine_config.h"

/* --- features ---------------------------------------------------------------- */

static void set_msrs(struct domain *d, const char *value)
{
	d->config->ignore_msrs = !strcmp(value, "ignore");
}

/* --- clock ------------------------------------------------------------------- */

static bool get_integer(struct domain *d, const char *name, const char *value,
			int64_t min, int64_t max, int64_t *number)
{
	gint64 n;

	if (g_ascii_string_to_signed(value, 10, min, max, &n, NULL)) {
		*number = n;
		return true;
	}
	domain_refuse(d, "%s='%s': write a number of seconds", name, value);
	return false;
}

/* Of "utc" and "localtime" too; libvirt then means "variable". */
static void take_adjustment(struct domain *d, struct clock_config *c,
			    const char *basis)
{
	g_autofree char *value = domain_attr(d, "adjustment");

	if (!value || !strcmp(value, "reset"))
		return;
	if (!get_integer(d, "adjustment", value, -CONFIG_CLOCK_ADJUSTMENT_MAX,
			 CONFIG_CLOCK_ADJUSTMENT_MAX, &c->adjustment_s))
		return;
	c->base = CLOCK_VARIABLE;
	c->from_localtime = !g_strcmp0(basis, "localtime");
}

static void leave_clock(struct domain *d)
{
	struct clock_config *c = &d->config->clock;
	g_autofree char *offset = domain_attr(d, "offset");
	g_autofree char *zone = domain_attr(d, "timezone");
	g_autofree char *basis = domain_attr(d, "basis");
	g_autofree char *start = domain_attr(d, "start");
	GError *error = NULL;

	if (!offset || !strcmp(offset, "utc")) {
		c->base = CLOCK_UTC;
		take_adjustment(d, c, "utc");
	} else if (!strcmp(offset, "localtime")) {
		c->base = CLOCK_LOCALTIME;
		take_adjustment(d, c, "localtime");
	} else if (!strcmp(offset, "variable")) {
		c->base = CLOCK_VARIABLE;
		take_adjustment(d, c, basis);
	} else if (!strcmp(offset, "timezone")) {
		c->base = CLOCK_TIMEZONE;
		if (!zone)
			domain_refuse(d, "has no timezone: write "
					 "timezone='Europe/Paris'");
		domain_replace(&c->timezone, zone);
	} else if (!strcmp(offset, "absolute")) {
		c->base = CLOCK_ABSOLUTE;
		if (!start)
			domain_refuse(d, "has no start: write seconds since "
					 "1970, start='0'");
		else
			get_integer(d, "start", start, 0,
				    CONFIG_CLOCK_START_MAX, &c->start_s);
	}
	if (zone && clock_config_check(c, &error))
		domain_refuse_error(d, NULL, NULL, error);
}

/* --- timers ------------------------------------------------------------------ */

static void leave_hypervclock(struct domain *d, bool present)
{
	struct hyperv_config *h = &d->config->hyperv;

	if (present)
		h->on |= HYPERV_BIT(HYPERV_CLOCK);
	else
		h->off |= HYPERV_BIT(HYPERV_CLOCK);
}

static void leave_tsc(struct domain *d, bool present)
{
	g_autofree char *mode = domain_attr(d, "mode");

	(void)present;
	if (mode && strcmp(mode, "native") && strcmp(mode, "auto"))
		domain_say_of(d, DOMAIN_IGNORED, d->node, "clock/timer@mode",
			      "the guest reads the TSC itself");
}

static void leave_pit(struct domain *d, bool present)
{
	g_autofree char *policy = domain_attr(d, "tickpolicy");

	if (!present)
		domain_ignore(d, "a PC has a PIT");
	if (!g_strcmp0(policy, "discard"))
		d->config->clock.pit = TICK_DISCARD;
	else if (policy && strcmp(policy, "delay"))
		domain_say_of(d, DOMAIN_IGNORED, d->node,
			      "clock/timer@tickpolicy",
			      "'%s' is not of the PIT here: write delay or "
			      "discard",
			      policy);
}

static void leave_rtc(struct domain *d, bool present)
{
	g_autofree char *policy = domain_attr(d, "tickpolicy");

	if (!present)
		domain_ignore(d, "a PC has an RTC");
	if (policy && strcmp(policy, "delay"))
		domain_say_of(
			d, DOMAIN_IGNORED, d->node, "clock/timer@tickpolicy",
			"'%s' is not of the RTC here: write delay", policy);
}

static void leave_absent(struct domain *d, bool present)
{
	if (present)
		domain_ignore(d, "a Hyper-V has none: write present='no'");
}

static void leave_timer(struct domain *d)
{
	static const struct {
		const char *name;
		void (*leave)(struct domain *d, bool present);
	} kinds[] = {
		{"hypervclock", leave_hypervclock},
		{"tsc", leave_tsc},
		{"pit", leave_pit},
		{"rtc", leave_rtc},
		{"hpet", leave_absent},
		{"kvmclock", leave_absent},
	};
	g_autofree char *name = domain_attr(d, "name");
	g_autofree char *present = domain_attr(d, "present");

	if (!name)
		domain_refuse(d, "has no name");
	for (size_t i = 0; name && i < G_N_ELEMENTS(kinds); i++) {
		if (!strcmp(kinds[i].name, name))
			kinds[i].leave(d, !present || domain_on(present));
	}
}

static const struct domain_rule rules[] = {
	RULE("features", HONOUR, "What the machine can do."),
	RULE("features/acpi", HONOUR, "There is ACPI in any case."),
	RULE("features/apic", HONOUR, "There is an APIC in any case."),
	RULE("features/apic@eoi", IGNORE, "is KVM's, not of a Hyper-V."),
	RULE("features/pae", HONOUR, "The processor has it in any case."),
	RULE("features/hap", IGNORE, "the host's KVM knows best."),
	RULE("features/kvm", HONOUR, "What a guest of KVM would see."),
	RULE("features/kvm/hidden", HONOUR, "KVM is hidden."),
	RULE("features/kvm/hidden@state", HONOUR, "It is in any case.",
	     .words = "on"),
	RULE("features/kvm/hidden@state=off", IGNORE,
	     "a guest of Hyper-V sees no KVM."),
	RULE("features/kvm/*", IGNORE, "a guest of Hyper-V sees no KVM."),
	RULE("features/xen", REFUSE, "is another hypervisor's: remove it."),
	RULE("features/viridian", REFUSE, "is Xen's: write <hyperv>."),
	RULE("features/pvspinlock", IGNORE, "is KVM's, not of a Hyper-V."),
	RULE("features/pmu", IGNORE,
	     "not implemented: counters are not offered to the guest."),
	RULE("features/ioapic", HONOUR, "Where the IOAPIC is."),
	RULE("features/ioapic@driver", HONOUR, "In the kernel.",
	     .words = "kvm"),
	RULE("features/ioapic@driver=qemu", IGNORE,
	     "not implemented: the IOAPIC is in the kernel."),
	RULE("features/msrs", HONOUR, "Registers that nobody knows."),
	RULE("features/msrs@unknown", HONOUR, "Reads are 0, or all is #GP.",
	     .words = "ignore|fault", .set = set_msrs),
	RULE("features/smm", IGNORE,
	     "there is no firmware that would need it."),
	RULE("features/vmcoreinfo", IGNORE, "there is no fw_cfg device."),
	RULE("features/vmport", IGNORE, "is VMware's, not of a Hyper-V."),
	RULE("features/ps2", IGNORE, "keyboard and mouse are on VMbus."),
	RULE("features/privnet", IGNORE, "is of containers."),
	RULE("features/capabilities", IGNORE, "is of containers."),
	RULE("features/async-teardown", IGNORE, "is of s390."),
	RULE("features/gic", REFUSE, "is of ARM: remove it."),
	RULE("pm", HONOUR, "Sleep."),
	RULE("pm/suspend-to-mem", HONOUR, "S3."),
	RULE("pm/suspend-to-mem@enabled", HONOUR, "Not offered.",
	     .words = "no"),
	RULE("pm/suspend-to-mem@enabled=yes", IGNORE, "not implemented."),
	RULE("pm/suspend-to-disk", HONOUR, "S4."),
	RULE("pm/suspend-to-disk@enabled", HONOUR, "Not offered.",
	     .words = "no"),
	RULE("pm/suspend-to-disk@enabled=yes", IGNORE, "not implemented."),
	RULE("clock", HONOUR, "What time it is.", .leave = leave_clock),
	RULE("clock@offset", HONOUR, "What the RTC shows at the start.",
	     .words = "utc|localtime|timezone|variable|absolute"),
	RULE("clock@timezone", HONOUR, "With timezone: a name, Europe/Paris."),
	RULE("clock@adjustment", HONOUR, "With variable: seconds, or reset."),
	RULE("clock@basis", HONOUR, "With variable: what they are added to.",
	     .words = "utc|localtime"),
	RULE("clock@start", HONOUR, "With absolute: seconds since 1970."),
	RULE("clock/timer", HONOUR, "One of the machine's clocks.",
	     .leave = leave_timer, .many = true),
	RULE("clock/timer@name", HONOUR,
	     "hypervclock: reference time, its page and counter.",
	     .words = "hypervclock|tsc|rtc|pit|hpet|kvmclock"),
	RULE("clock/timer@name=platform", REFUSE, "is of Xen: remove it."),
	RULE("clock/timer@name=armvtimer", REFUSE, "is of ARM: remove it."),
	RULE("clock/timer@present", HONOUR,
	     "yes, or no; no for hpet and kvmclock.", .words = "yes|no"),
	RULE("clock/timer@track", IGNORE, "the RTC follows the host's clock."),
	RULE("clock/timer@tickpolicy", HONOUR,
	     "What becomes of ticks that came too late.",
	     .words = "delay|discard|catchup|merge"),
	RULE("clock/timer@frequency", IGNORE,
	     "not implemented: the guest's TSC is as fast as the host's."),
	RULE("clock/timer@mode", HONOUR, "Of the TSC.",
	     .words = "auto|native|emulate|paravirt|smpsafe"),
	RULE("clock/timer/catchup", IGNORE, "not implemented."),
};

const struct domain_rules domain_feature_rules = {"Features and clocks", rules,
						  G_N_ELEMENTS(rules)};
