/* SPDX-License-Identifier: MIT */
/*
 * rule_machine.c - <domain> itself, memory, processors, what is booted, what
 * SMBIOS says.
 */
#include <string.h>

#include "base/guid.h"
#include "config/domain/domain_private.h"
#include "config/machine_config.h"

#define MIB             (UINT64_C(1) << 20)
/* What a Hyper-V says of a machine that nobody has set a limit for: 1 TiB. */
#define HYPERV_NO_LIMIT (UINT64_C(1) << 40)

/* --- the domain -------------------------------------------------------------- */

static void set_type(struct domain *d, const char *value)
{
	d->of_hyperv = !strcmp(value, "hyperv");
}

static void set_name(struct domain *d, const char *value)
{
	if (strchr(value, '/'))
		domain_refuse(d, "'%s' has a /: write a name without", value);
	domain_replace(&d->config->name, value);
}

static void set_uuid_of(struct domain *d, char **field, const char *value)
{
	if (g_uuid_string_is_valid(value))
		domain_replace(field, value);
	else
		domain_refuse(d,
			      "'%s' is no UUID, as "
			      "6ba7b810-9dad-11d1-80b4-00c04fd430c8 is",
			      value);
}

static void set_uuid(struct domain *d, const char *value)
{
	set_uuid_of(d, &d->config->uuid, value);
}

static void set_genid(struct domain *d, const char *value)
{
	set_uuid_of(d, &d->config->genid, value);
}

/* An empty one is another in each run. */
static void leave_genid(struct domain *d)
{
	if (!d->config->genid)
		d->config->genid = g_uuid_string_random();
}

/* --- memory ------------------------------------------------------------------ */

static uint64_t get_bytes(struct domain *d, const char *value)
{
	g_autofree char *unit = domain_attr(d, "unit");
	uint64_t bytes = 0;

	if (domain_bytes(d, value, unit, &bytes) && !bytes)
		domain_refuse(d, "is 0: write how much there is");
	return bytes;
}

static void set_memory(struct domain *d, const char *value)
{
	d->said.memory = get_bytes(d, value);
}

static void set_current_memory(struct domain *d, const char *value)
{
	d->said.current = get_bytes(d, value);
}

static void set_max_memory(struct domain *d, const char *value)
{
	d->said.max = get_bytes(d, value);
	if (d->of_hyperv && d->said.max == HYPERV_NO_LIMIT) {
		domain_ignore(d, "1 TiB is what Hyper-V says of a machine "
				 "without a limit");
		d->said.max = 0;
	}
}

static uint64_t to_mib(uint64_t bytes)
{
	return bytes / MIB + (bytes % MIB != 0);
}

static void finish_memory(struct domain *d)
{
	struct machine_config *c = d->config;
	uint64_t memory = d->said.memory, now = d->said.current;
	uint64_t max = MAX(d->said.max, memory);
	const xmlNode *node = domain_child(d->node, "memory");

	if (!node) {
		domain_refuse(d, "has no <memory>: write one, as "
				 "<memory unit='MiB'>1024</memory>");
		return;
	}
	if (!memory)
		return;
	if (now > memory) {
		domain_say_of(d, DOMAIN_REFUSED,
			      domain_child(d->node, "currentMemory"),
			      "currentMemory",
			      "is more than <memory>: write "
			      "%" G_GUINT64_FORMAT " KiB or less",
			      memory / 1024);
		return;
	}
	c->memory_mib = to_mib(now ? now : memory);
	c->memory_max_mib = to_mib(max) > c->memory_mib ? to_mib(max) : 0;
	if (c->memory_mib < CONFIG_MEMORY_MIN_MIB)
		domain_say_of(d, DOMAIN_REFUSED, node, "memory",
			      "a machine has at least %d MiB",
			      CONFIG_MEMORY_MIN_MIB);
}

static void enter_hugepages(struct domain *d)
{
	d->config->memory.hugepages = true;
}

static void leave_page(struct domain *d)
{
	g_autofree char *size = domain_attr(d, "size");
	g_autofree char *unit = domain_attr(d, "unit");
	uint64_t bytes = 0;

	if (!size)
		domain_refuse(d, "has no size: write size='2' unit='MiB'");
	else if (domain_bytes(d, size, unit, &bytes) && bytes != 2 * MIB)
		domain_refuse(d,
			      "pages of %s %s are not implemented: write "
			      "size='2' unit='MiB'",
			      size, unit ? unit : "KiB");
}

static void enter_locked(struct domain *d)
{
	d->config->memory.locked = true;
}

static void set_allocation(struct domain *d, const char *value)
{
	d->config->memory.immediate = !strcmp(value, "immediate");
}

/* --- processors -------------------------------------------------------------- */

static void set_vcpus(struct domain *d, const char *value)
{
	g_autofree char *current = domain_attr(d, "current");
	uint64_t all = 0, now = 0;

	if (!domain_number(d, value, 1, CONFIG_VCPUS_MAX, &all))
		return;
	if (current && !domain_number(d, current, 1, all, &now))
		return;
	d->config->vcpus = (unsigned int)(now ? now : all);
	if (now && now < all)
		domain_say(d, DOMAIN_NOTE,
			   "the other %" G_GUINT64_FORMAT
			   " cannot be added while it runs",
			   all - now);
}

static void leave_topology(struct domain *d)
{
	static const char *const names[] = {"sockets", "dies", "clusters",
					    "cores", "threads"};
	struct cpu_config *c = &d->config->cpu;
	unsigned int clusters = 1;
	unsigned int *const fields[] = {&c->sockets, &c->dies, &clusters,
					&c->cores, &c->threads};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *value = domain_attr(d, names[i]);
		uint64_t n = 1;

		if (value)
			domain_number(d, value, 1, CONFIG_VCPUS_MAX, &n);
		*fields[i] = (unsigned int)n;
	}
	if (clusters != 1)
		domain_refuse(d, "clusters are not of x86: write clusters='1'");
}

static void leave_feature(struct domain *d)
{
	g_autofree char *name = domain_attr(d, "name");
	g_autofree char *policy = domain_attr(d, "policy");
	GError *error = NULL;

	if (!name)
		domain_refuse(d, "has no name");
	else if (g_strcmp0(policy, "optional") &&
		 cpu_config_choose(&d->config->cpu, name,
				   !policy || !strcmp(policy, "force") ||
					   !strcmp(policy, "require"),
				   &error))
		domain_refuse_error(d, NULL, NULL, error);
}

static void leave_maxphysaddr(struct domain *d)
{
	g_autofree char *mode = domain_attr(d, "mode");
	g_autofree char *bits = domain_attr(d, "bits");
	uint64_t n = 0;

	if (!g_strcmp0(mode, "passthrough"))
		return;
	if (!bits)
		domain_refuse(d, "has no bits: write bits='40'");
	else if (domain_number(d, bits, CONFIG_PHYS_BITS_MIN,
			       CONFIG_PHYS_BITS_MAX, &n))
		d->config->cpu.phys_bits = (unsigned int)n;
}

/* --- what is booted ---------------------------------------------------------- */

static void set_kernel(struct domain *d, const char *value)
{
	if (domain_path(d, value))
		domain_replace(&d->config->kernel, value);
}

static void set_initrd(struct domain *d, const char *value)
{
	if (domain_path(d, value))
		domain_replace(&d->config->initrd, value);
}

static void set_cmdline(struct domain *d, const char *value)
{
	domain_replace(&d->config->cmdline, value);
}

static void leave_os(struct domain *d)
{
	if (!domain_child(d->node, "type"))
		domain_refuse(d, "has no <type>: write <type>hvm</type>");
	if (!domain_child(d->node, "kernel"))
		domain_say(d, DOMAIN_NOTE,
			   "no <kernel>, and there is no firmware: give one "
			   "with --kernel FILE");
}

/* --- SMBIOS ------------------------------------------------------------------ */

static void set_smbios_mode(struct domain *d, const char *value)
{
	d->said.uses_sysinfo = !strcmp(value, "sysinfo");
}

/* "sysinfo/bios/entry": "bios" */
static char *section_of(const char *path)
{
	const char *from = strchr(path, '/') + 1;

	return g_strndup(from, strcspn(from, "/"));
}

static void set_entry(struct domain *d, const char *value)
{
	g_autofree char *section = section_of(d->path);
	g_autofree char *name = domain_attr(d, "name"), *full = NULL;
	GError *error = NULL;

	if (!strcmp(section, "oemStrings")) {
		full = g_strdup("oem");
	} else if (!name) {
		domain_refuse(d, "has no name");
		return;
	} else if (!strcmp(section, "system") && !strcmp(name, "uuid")) {
		if (g_ascii_strcasecmp(value, d->config->uuid))
			domain_refuse(d, "is another than <uuid>: write %s",
				      d->config->uuid);
		return;
	} else {
		full = g_strconcat(section, ".", name, NULL);
	}
	if (smbios_config_set(&d->config->smbios, full, value, &error))
		domain_refuse_error(d, NULL, NULL, error);
}

static void finish_smbios(struct domain *d)
{
	const xmlNode *node = domain_child(d->node, "sysinfo");

	if (!node || d->said.uses_sysinfo)
		return;
	domain_say_of(d, DOMAIN_IGNORED, node, "sysinfo",
		      "the guest sees it only with "
		      "<os><smbios mode='sysinfo'/></os>");
	smbios_config_clear(&d->config->smbios);
	smbios_config_init(&d->config->smbios);
}

/* --- what becomes of it ------------------------------------------------------ */

static void set_action(enum lifecycle_action *action, const char *value)
{
	*action = (enum lifecycle_action)lifecycle_action_find(value);
}

static void set_on_poweroff(struct domain *d, const char *value)
{
	set_action(&d->config->on_poweroff, value);
}

static void set_on_reboot(struct domain *d, const char *value)
{
	set_action(&d->config->on_reboot, value);
	if (d->of_hyperv && d->config->on_reboot == LIFECYCLE_DESTROY)
		domain_say(d, DOMAIN_NOTE,
			   "libvirt says it of any machine of a Hyper-V; "
			   "--on-reboot restart boots it again");
}

static void set_on_crash(struct domain *d, const char *value)
{
	set_action(&d->config->on_crash, value);
}

/* --- all together ------------------------------------------------------------ */

static void check_processors(struct domain *d)
{
	const xmlNode *cpu = domain_child(d->node, "cpu");
	const xmlNode *topology = cpu ? domain_child(cpu, "topology") : NULL;
	GError *error = NULL;

	if (cpu && cpu_config_check(&d->config->cpu, d->config->vcpus, &error))
		domain_refuse_error(d, topology ? topology : cpu,
				    topology ? "cpu/topology" : "cpu", error);
}

static void leave_domain(struct domain *d)
{
	if (!xmlHasProp(d->node, (const xmlChar *)"type"))
		domain_refuse(d, "has no type: write type='kvm'");
	if (!domain_child(d->node, "name"))
		domain_refuse(d, "has no <name>: write one");
	if (!domain_child(d->node, "os"))
		domain_refuse(d, "has no <os>: write "
				 "<os><type>hvm</type><kernel>/FILE</kernel>"
				 "</os>");
	finish_memory(d);
	finish_smbios(d);
	check_processors(d);
	domain_check_hyperv(d);
	domain_place_disks(d);
	domain_check_nets(d);
	domain_finish_serials(d);
	domain_check_vsock(d);
}

#define ACTIONS "destroy|restart|preserve"
#define OTHERS_PINNED                                                       \
	"not implemented: the host's scheduler decides; use taskset(1), a " \
	"cgroup"

static const struct domain_rule rules[] = {
	RULE("domain", HONOUR, "The machine.", .leave = leave_domain),
	RULE("domain@type", HONOUR,
	     "hyperv: as libvirt describes a machine of a real Hyper-V.",
	     .words = "kvm|hyperv", .set = set_type),
	RULE("domain@type=qemu", IGNORE, "it is run by KVM."),
	RULE("domain@id", IGNORE, "is of a domain that runs."),
	RULE("name", HONOUR, "What --print-config calls it.", .set = set_name),
	RULE("uuid", HONOUR,
	     "In SMBIOS; addresses of cards and ids of devices come from it.",
	     .set = set_uuid),
	RULE("genid", HONOUR,
	     "The generation id that the guest reads; empty: another each "
	     "time.",
	     .set = set_genid, .leave = leave_genid, .may_be_empty = true),
	RULE("title", IGNORE, "is for people."),
	RULE("description", IGNORE, "is for people."),
	RULE("metadata", HONOUR,
	     "What is kvmbus' own may be in it, and what is of others."),
	RULE("memory", HONOUR, "The most memory that the guest can have.",
	     .set = set_memory),
	RULE("memory@unit", HONOUR, "b, KB, KiB (the default), MB, MiB, GB, …"),
	RULE("memory@dumpCore", IGNORE, "not implemented."),
	RULE("currentMemory", HONOUR,
	     "What it starts with; the rest can be added by memory-add.",
	     .set = set_current_memory),
	RULE("currentMemory@unit", HONOUR, "As of <memory>."),
	RULE("maxMemory", HONOUR, "More that can be added by memory-add.",
	     .set = set_max_memory),
	RULE("maxMemory@unit", HONOUR, "As of <memory>."),
	RULE("maxMemory@slots", HONOUR, "Any number: Hyper-V has no slots."),
	RULE("memoryBacking", HONOUR, "How the host provides the memory."),
	RULE("memoryBacking/hugepages", HONOUR,
	     "Transparent huge pages of 2 MiB, or no machine.",
	     .enter = enter_hugepages),
	RULE("memoryBacking/hugepages/page", HONOUR, "Which size: 2 MiB.",
	     .leave = leave_page),
	RULE("memoryBacking/hugepages/page@size", HONOUR, "Of a page."),
	RULE("memoryBacking/hugepages/page@unit", HONOUR, "Of the size."),
	RULE("memoryBacking/hugepages/page@nodeset", IGNORE,
	     "the guest has one NUMA node."),
	RULE("memoryBacking/nosharepages", HONOUR,
	     "The guest's pages are never merged with others."),
	RULE("memoryBacking/locked", HONOUR, "The memory is never paged out.",
	     .enter = enter_locked),
	RULE("memoryBacking/source", HONOUR, "What the memory is."),
	RULE("memoryBacking/source@type", HONOUR, "Anonymous memory.",
	     .words = "anonymous"),
	RULE("memoryBacking/source@type=memfd", IGNORE,
	     "no other process maps it, so it is anonymous memory."),
	RULE("memoryBacking/source@type=file", IGNORE,
	     "no other process maps it, so it is anonymous memory."),
	RULE("memoryBacking/access", HONOUR, "Whose it is."),
	RULE("memoryBacking/access@mode", HONOUR, "Ours alone.",
	     .words = "private"),
	RULE("memoryBacking/access@mode=shared", IGNORE,
	     "no other process maps it."),
	RULE("memoryBacking/allocation", HONOUR, "When it is the guest's."),
	RULE("memoryBacking/allocation@mode", HONOUR,
	     "From the start, or when it is used first.",
	     .words = "immediate|ondemand", .set = set_allocation),
	RULE("memoryBacking/allocation@threads", IGNORE,
	     "the host's kernel provides it."),
	RULE("memoryBacking/discard", IGNORE,
	     "memory is never kept in a file."),
	RULE("memtune", IGNORE, "not implemented: use a cgroup."),
	RULE("vcpu", HONOUR, "How many processors there are.",
	     .set = set_vcpus),
	RULE("vcpu@current", HONOUR, "How many of them there are now."),
	RULE("vcpu@placement", HONOUR, "Where the host likes.",
	     .words = "static"),
	RULE("vcpu@placement=auto", IGNORE, OTHERS_PINNED),
	RULE("vcpu@cpuset", IGNORE, OTHERS_PINNED),
	RULE("vcpus", IGNORE, "processors cannot be added or taken away."),
	RULE("iothreads", IGNORE, "each channel of a disk has a thread."),
	RULE("iothreadids", IGNORE, "each channel of a disk has a thread."),
	RULE("defaultiothread", IGNORE, "each channel of a disk has a thread."),
	RULE("cputune", IGNORE, OTHERS_PINNED),
	RULE("numatune", IGNORE, OTHERS_PINNED),
	RULE("blkiotune", IGNORE, "not implemented: see devices/disk/iotune."),
	RULE("resource", IGNORE, "is libvirt's own."),
	RULE("seclabel", IGNORE, "is libvirt's own."),
	RULE("perf", IGNORE, "is libvirt's own."),
	RULE("launchSecurity", REFUSE,
	     "encrypted memory is not implemented: remove it."),
	RULE("cpu", HONOUR, "What the processors are like."),
	RULE("cpu@mode", HONOUR, "The host's processor, as Hyper-V has it.",
	     .words = "host-passthrough|host-model|maximum|custom"),
	RULE("cpu@mode=custom", IGNORE, "the guest has the host's processor."),
	RULE("cpu@match", IGNORE, "the guest has the host's processor."),
	RULE("cpu@check", IGNORE, "the guest has the host's processor."),
	RULE("cpu@migratable", IGNORE, "there is no migration."),
	RULE("cpu/model", IGNORE, "the guest has the host's processor."),
	RULE("cpu/vendor", IGNORE, "the guest has the host's processor."),
	RULE("cpu/topology", HONOUR, "Where the processors are.",
	     .leave = leave_topology),
	RULE("cpu/topology@sockets", HONOUR, "Packages."),
	RULE("cpu/topology@dies", HONOUR, "Dies in a package."),
	RULE("cpu/topology@clusters", HONOUR, "1, as x86 has none."),
	RULE("cpu/topology@cores", HONOUR, "Cores in a die."),
	RULE("cpu/topology@threads", HONOUR, "Threads in a core."),
	RULE("cpu/feature", HONOUR, "One feature more or less.",
	     .leave = leave_feature, .many = true),
	RULE("cpu/feature@name", HONOUR, "As QEMU and Linux name it."),
	RULE("cpu/feature@policy", HONOUR,
	     "Is it there (require, by default) or not (disable)?",
	     .words = "force|require|optional|disable|forbid"),
	RULE("cpu/maxphysaddr", HONOUR, "How wide physical addresses are.",
	     .leave = leave_maxphysaddr),
	RULE("cpu/maxphysaddr@mode", HONOUR,
	     "As many as said, or as the host's.",
	     .words = "emulate|passthrough"),
	RULE("cpu/maxphysaddr@bits", HONOUR, "36 to 52."),
	RULE("cpu/maxphysaddr@limit", IGNORE, "it is the host's in any case."),
	RULE("cpu/cache", IGNORE, "the caches are the host's."),
	RULE("cpu/numa", IGNORE,
	     "not implemented: the guest has one NUMA node; see --numa-srat."),
	RULE("os", HONOUR, "What is booted.", .leave = leave_os),
	RULE("os@firmware", IGNORE,
	     "there is no firmware: the kernel is loaded directly."),
	RULE("os/type", HONOUR, "A whole machine.", .words = "hvm"),
	RULE("os/type@arch", HONOUR, "What its processors are.",
	     .words = "x86_64"),
	RULE("os/type@arch=i686", IGNORE,
	     "the processors are x86_64, on which 32-bit kernels run."),
	RULE("os/type@machine", IGNORE, "the machine is that of Hyper-V."),
	RULE("os/kernel", HONOUR, "As --kernel.", .set = set_kernel),
	RULE("os/initrd", HONOUR, "As --initrd.", .set = set_initrd),
	RULE("os/cmdline", HONOUR, "As --append.", .set = set_cmdline,
	     .may_be_empty = true),
	RULE("os/firmware", IGNORE,
	     "there is no firmware: the kernel is loaded directly."),
	RULE("os/loader", IGNORE,
	     "there is no firmware: the kernel is loaded directly."),
	RULE("os/nvram", IGNORE,
	     "there is no firmware: the kernel is loaded directly."),
	RULE("os/boot", IGNORE,
	     "there is no firmware: the kernel is loaded directly."),
	RULE("os/bootmenu", IGNORE,
	     "there is no firmware: the kernel is loaded directly."),
	RULE("os/bios", IGNORE,
	     "there is no firmware: the kernel is loaded directly."),
	RULE("os/dtb", REFUSE, "device trees are not of x86: remove it."),
	RULE("os/shim", REFUSE, "not implemented: give the kernel itself."),
	RULE("os/acpi", REFUSE, "tables of one's own are not implemented."),
	RULE("os/smbios", HONOUR, "Who says what is in SMBIOS."),
	RULE("os/smbios@mode", HONOUR, "What a Hyper-V says, or <sysinfo>.",
	     .words = "emulate|sysinfo", .set = set_smbios_mode),
	RULE("os/smbios@mode=host", REFUSE,
	     "not implemented: write mode='sysinfo' and a <sysinfo>."),
	RULE("sysinfo", HONOUR, "What SMBIOS says."),
	RULE("sysinfo@type", HONOUR, "SMBIOS.", .words = "smbios"),
	RULE("sysinfo@type=fwcfg", REFUSE,
	     "there is no fw_cfg device: remove it."),
	RULE("sysinfo/bios", HONOUR, "The firmware."),
	RULE("sysinfo/bios/entry", HONOUR, "A text of it.", .set = set_entry,
	     .many = true),
	RULE("sysinfo/bios/entry@name", HONOUR,
	     "vendor, version, date, release."),
	RULE("sysinfo/system", HONOUR, "The machine."),
	RULE("sysinfo/system/entry", HONOUR, "A text of it.", .set = set_entry,
	     .many = true),
	RULE("sysinfo/system/entry@name", HONOUR,
	     "manufacturer, product, version, serial, uuid, sku, family."),
	RULE("sysinfo/baseBoard", HONOUR, "The board."),
	RULE("sysinfo/baseBoard/entry", HONOUR, "A text of it.",
	     .set = set_entry, .many = true),
	RULE("sysinfo/baseBoard/entry@name", HONOUR,
	     "manufacturer, product, version, serial, asset, location."),
	RULE("sysinfo/chassis", HONOUR, "The case."),
	RULE("sysinfo/chassis/entry", HONOUR, "A text of it.", .set = set_entry,
	     .many = true),
	RULE("sysinfo/chassis/entry@name", HONOUR,
	     "manufacturer, version, serial, asset, sku."),
	RULE("sysinfo/oemStrings", HONOUR, "Texts of any kind."),
	RULE("sysinfo/oemStrings/entry", HONOUR, "One of them.",
	     .set = set_entry, .many = true),
	RULE("on_poweroff", HONOUR, "When the guest has powered off.",
	     .words = ACTIONS, .set = set_on_poweroff),
	RULE("on_reboot", HONOUR, "When it reboots; as --on-reboot.",
	     .words = ACTIONS, .set = set_on_reboot),
	RULE("on_crash", HONOUR,
	     "When it has panicked; a dump goes where --dump-dir says.",
	     .words = ACTIONS "|coredump-destroy|coredump-restart",
	     .set = set_on_crash),
	RULE("on_poweroff=rename-restart", REFUSE,
	     "only Xen has it: write restart."),
	RULE("on_reboot=rename-restart", REFUSE,
	     "only Xen has it: write restart."),
	RULE("on_crash=rename-restart", REFUSE,
	     "only Xen has it: write restart."),
	RULE("on_lockfailure", IGNORE, "there is no lock manager."),
	RULE("bootloader", REFUSE, "only Xen has it: write <os><kernel>."),
	RULE("bootloader_args", REFUSE,
	     "only Xen has it: write <os><cmdline>."),
};

const struct domain_rules domain_machine_rules = {"The machine", rules,
						  G_N_ELEMENTS(rules)};
