/* SPDX-License-Identifier: MIT */
#include "config/domain/domain.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/disk_config.h"
#include "config/machine_config.h"
#include "config/net_config.h"
#include "config/serial_config.h"
#include "support/check_main.h"

/*
 * DOMAINS has files X.xml, and X.expected: what `kvmbus check` prints of each.
 * Those called strict-… are read with --strict, mapped-… with the maps below,
 * bad-… are refused.  With DOMAINS_UPDATE in the environment what is expected
 * is written anew, to be read by a person.
 */
static const char *const map_disk[] = {"C:\\VMs\\*=/images/*", "1=/dev/sdb",
				       "C:\\*=/images/c/*", NULL};
static const char *const map_bridge[] = {
	"2f3c1e5a-9d0b-4e8e-8c51-7f6a5d4c3b2a=virbr0", NULL};

static int known_profile(const char *name)
{
	return g_str_has_prefix(name, "ws20");
}

static struct domain_options options_of(const char *name)
{
	bool mapped = g_str_has_prefix(name, "mapped-");

	return (struct domain_options){
		.strict = g_str_has_prefix(name, "strict-"),
		.map_disk = mapped ? map_disk : NULL,
		.map_bridge = mapped ? map_bridge : NULL,
		.profile = known_profile,
	};
}

static char *load(const char *name, gsize *bytes)
{
	g_autofree char *path = g_build_filename(DOMAINS, name, NULL);
	char *text = NULL;

	ck_assert_msg(g_file_get_contents(path, &text, bytes, NULL), "%s",
		      path);
	return text;
}

static int parse(const char *name, struct machine_config *c,
		 struct domain_report **report)
{
	struct domain_options options = options_of(name);
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	gsize bytes = 0;
	int ret;

	text = load(name, &bytes);
	ret = domain_parse(text, bytes, name, &options, c, report, &error);
	ck_assert_int_eq(ret != 0, error != NULL);
	return ret;
}

static char *print(const struct domain_report *report)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	domain_report_print(report, out);
	fclose(out);
	return text;
}

static void check_one(const char *name)
{
	g_autofree char *expected_name =
		g_strdup_printf("%.*s.expected", (int)(strlen(name) - 4), name);
	g_autofree char *path = g_build_filename(DOMAINS, expected_name, NULL);
	struct machine_config *c = machine_config_new();
	struct domain_report *report;
	g_autofree char *want = NULL;
	int ret = parse(name, c, &report);
	char *got = print(report);

	ck_assert_msg((ret != 0) == (report->n[DOMAIN_REFUSED] != 0), "%s",
		      name);
	ck_assert_msg(ret == 0 || g_str_has_prefix(name, "bad-") ||
			      g_str_has_prefix(name, "strict-"),
		      "%s is refused:\n%s", name, got);
	ck_assert_msg(ret != 0 || !g_str_has_prefix(name, "bad-"),
		      "%s is not refused", name);
	if (getenv("DOMAINS_UPDATE"))
		g_file_set_contents(path, got, -1, NULL);
	want = load(expected_name, NULL);
	ck_assert_msg(!strcmp(got, want), "%s: expected:\n%s\ngot:\n%s", name,
		      want, got);
	free(got);
	domain_report_free(report);
	machine_config_free(c);
}

START_TEST(the_corpus_has_the_expected_results)
{
	GDir *dir = g_dir_open(DOMAINS, 0, NULL);
	unsigned int n = 0, bad = 0;
	const char *name;

	ck_assert_ptr_nonnull(dir);
	while ((name = g_dir_read_name(dir))) {
		if (!g_str_has_suffix(name, ".xml"))
			continue;
		check_one(name);
		n++;
		bad += g_str_has_prefix(name, "bad-");
	}
	g_dir_close(dir);
	ck_assert_uint_ge(n, 40);
	ck_assert_uint_ge(bad, 25);
}
END_TEST

/* --- what arrives in the configuration ---------------------------------------- */

static void check_full_machine(const struct machine_config *c)
{
	ck_assert_str_eq(c->name, "full");
	ck_assert_str_eq(c->uuid, "9d2c5f4a-0c64-4d6e-a1b5-3f2a58c6d701");
	ck_assert_str_eq(c->genid, "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9");
	ck_assert_str_eq(c->profile, "ws2019");
	ck_assert_uint_eq(c->vmbus_max, machine_config_vmbus("5.0"));
	ck_assert_uint_eq(c->without, 1u << DEVICE_KVP | 1u << DEVICE_VSS |
					      1u << DEVICE_BALLOON);
}

static void check_full_host_side(const struct machine_config *c)
{
	ck_assert_str_eq(c->hvsock, "/run/full.vsock");
	ck_assert_uint_eq(c->time_sync_s, 60);
	ck_assert_uint_eq(c->signals_max, 1000);
	ck_assert_uint_eq(c->memory_mib, 1024);
	ck_assert_uint_eq(c->memory_max_mib, 4096);
	ck_assert(c->memory.hugepages && c->memory.locked &&
		  c->memory.immediate);
}

static void check_full_inside(const struct machine_config *c)
{
	ck_assert_uint_eq(c->vcpus, 4);
	ck_assert_uint_eq(c->cpu.sockets, 2);
	ck_assert_uint_eq(c->cpu.threads, 2);
	ck_assert_uint_eq(c->cpu.phys_bits, 40);
	ck_assert_uint_eq(c->cpu.choices->len, 2);
	ck_assert_str_eq(c->kernel, "/boot/vmlinuz");
	ck_assert_str_eq(c->initrd, "/boot/initrd.img");
	ck_assert_str_eq(c->cmdline, "console=ttyS0 root=/dev/sda1 quiet");
	ck_assert_str_eq(c->smbios.texts[SMBIOS_SYSTEM_PRODUCT], "Anvil");
	ck_assert_uint_eq(c->smbios.oem->len, 2);
}

static void check_full_clock(const struct machine_config *c)
{
	ck_assert_int_eq(c->clock.base, CLOCK_VARIABLE);
	ck_assert_int_eq(c->clock.adjustment_s, -3600);
	ck_assert_int_eq(c->clock.pit, TICK_DISCARD);
	ck_assert_int_eq(c->on_reboot, LIFECYCLE_RESTART);
	ck_assert_int_eq(c->on_crash, LIFECYCLE_COREDUMP_DESTROY);
	ck_assert(!c->ignore_msrs);
}

static void check_full_hyperv(const struct hyperv_config *h)
{
	ck_assert_int_eq(h->base, HYPERV_NOTHING);
	ck_assert_uint_eq(h->on & h->off, 0);
	ck_assert_uint_eq(h->on & HYPERV_BIT(HYPERV_STIMER_DIRECT),
			  HYPERV_BIT(HYPERV_STIMER_DIRECT));
	ck_assert_uint_eq(h->on & HYPERV_BIT(HYPERV_CLOCK),
			  HYPERV_BIT(HYPERV_CLOCK));
	ck_assert_uint_eq(h->on & HYPERV_BIT(HYPERV_CRASH),
			  HYPERV_BIT(HYPERV_CRASH));
	ck_assert_uint_eq(h->off, HYPERV_BIT(HYPERV_TLBFLUSH_DIRECT) |
					  HYPERV_BIT(HYPERV_EVMCS) |
					  HYPERV_BIT(HYPERV_EMSR_BITMAP));
	ck_assert_uint_eq(h->spinlocks, 8191);
	ck_assert_str_eq(h->vendor_id, "Microsoft Hv");
}

static void check_storage(const struct disk_config *d)
{
	ck_assert_str_eq(d->path, "/images/root.qcow2");
	ck_assert_str_eq(d->format, "qcow2");
	ck_assert_str_eq(d->cache, "none");
	ck_assert_str_eq(d->io, "native");
	ck_assert_str_eq(d->discard, "unmap");
	ck_assert_str_eq(d->detect_zeroes, "unmap");
	ck_assert_str_eq(d->error_policy, "stop");
	ck_assert_str_eq(d->rerror_policy, "report");
}

static void check_identity(const struct disk_config *d)
{
	ck_assert_str_eq(d->serial, "ROOT-1");
	ck_assert_uint_eq(d->wwn, 0x5000c50015ea71aa);
	ck_assert_str_eq(d->vendor, "ACME");
	ck_assert_str_eq(d->product, "Anvil");
	ck_assert_uint_eq(d->block_bytes, 512);
	ck_assert(d->snapshot && d->has_place);
	ck_assert_uint_eq(d->place, 5);
}

static void check_limits(const struct disk_config *d)
{
	ck_assert_uint_eq(d->limits.of[DISK_BPS_READ].rate, 1048576);
	ck_assert_uint_eq(d->limits.of[DISK_BPS_READ].burst, 2097152);
	ck_assert_uint_eq(d->limits.of[DISK_BPS_READ].burst_s, 5);
	ck_assert_uint_eq(d->limits.of[DISK_IOPS].rate, 500);
	ck_assert_uint_eq(d->limits.iops_bytes, 4096);
	ck_assert_str_eq(d->limits.group, "slow");
}

static void check_full_disks(const GPtrArray *disks)
{
	const struct disk_config *d = g_ptr_array_index(disks, 0);

	ck_assert_uint_eq(disks->len, 4);
	check_storage(d);
	check_identity(d);
	check_limits(d);
	d = g_ptr_array_index(disks, 1);
	ck_assert_str_eq(d->format, "vhdx");
	ck_assert(d->readonly && d->shareable && !d->has_place);
	ck_assert_uint_eq(d->channel.poll_us, 20);
	ck_assert_uint_eq(d->channel.monitor_us, 200);
	d = g_ptr_array_index(disks, 2);
	ck_assert_int_eq(d->bus, DISK_IDE);
	ck_assert_str_eq(d->format, "vpc");
	d = g_ptr_array_index(disks, 3);
	ck_assert(d->dvd && !d->path);
}

static void check_full_nets(const GPtrArray *nets)
{
	static const uint8_t mac[] = {0x52, 0x54, 0, 1, 2, 3};
	const struct net_config *n = g_ptr_array_index(nets, 0);

	ck_assert_uint_eq(nets->len, 6);
	ck_assert_int_eq(n->kind, NET_USER);
	ck_assert_mem_eq(n->mac, mac, sizeof(mac));
	ck_assert_uint_eq(n->mtu, 1400);
	ck_assert(n->cable_out && n->restricted && n->no_ipv6);
	ck_assert_str_eq(n->network, "10.9.0.0");
	ck_assert_uint_eq(n->prefix, 16);
	ck_assert_str_eq(n->hostname, "full");
	ck_assert_str_eq(n->pcap, "/tmp/net0.pcapng");
	ck_assert_uint_eq(n->channel.poll_us, 50);
	ck_assert_uint_eq(n->channel.monitor_us, 100);
}

static void check_other_nets(const GPtrArray *nets)
{
	const struct net_config *n = g_ptr_array_index(nets, 0);
	const struct net_forward_config *f;

	ck_assert_uint_eq(n->forwards->len, 4);
	f = g_ptr_array_index(n->forwards, 0);
	ck_assert_str_eq(f->host, "127.0.0.1");
	ck_assert_uint_eq(f->host_port, 2222);
	ck_assert_uint_eq(f->guest_port, 22);
	n = g_ptr_array_index(nets, 1);
	ck_assert_int_eq(n->kind, NET_BRIDGE);
	ck_assert_uint_eq(n->queues, 2);
	ck_assert_str_eq(n->name, "virbr0");
	n = g_ptr_array_index(nets, 2);
	ck_assert_int_eq(n->kind, NET_TAP);
	ck_assert_str_eq(n->name, "tap0");
	n = g_ptr_array_index(nets, 3);
	ck_assert_int_eq(n->kind, NET_NULL);
}

static void check_cables(const GPtrArray *nets)
{
	const struct net_config *n = g_ptr_array_index(nets, 4);

	ck_assert_int_eq(n->kind, NET_SOCKET);
	ck_assert(n->listen);
	ck_assert_str_eq(n->path, "tcp::5558");
	n = g_ptr_array_index(nets, 5);
	ck_assert_int_eq(n->kind, NET_SOCKET);
	ck_assert(!n->listen);
	ck_assert_str_eq(n->path, "tcp:[fd00::9]:5558");
}

static void check_full_serials(const GPtrArray *serials)
{
	const struct serial_config *s = g_ptr_array_index(serials, 0);

	ck_assert_uint_eq(serials->len, 4);
	ck_assert_int_eq(s->kind, SERIAL_PTY);
	ck_assert_str_eq(s->log, "/tmp/full.log");
	ck_assert(s->log_append);
	s = g_ptr_array_index(serials, 1);
	ck_assert_int_eq(s->kind, SERIAL_UNIX);
	ck_assert_str_eq(s->path, "/run/full.serial");
	ck_assert(s->listen);
	s = g_ptr_array_index(serials, 2);
	ck_assert_int_eq(s->kind, SERIAL_NULL);
	s = g_ptr_array_index(serials, 3);
	ck_assert_int_eq(s->kind, SERIAL_TCP);
	ck_assert_str_eq(s->host, "127.0.0.1");
	ck_assert_uint_eq(s->port, 4555);
	ck_assert_uint_eq(s->reconnect_s, 3);
	ck_assert(s->telnet && !s->listen);
}

START_TEST(what_is_honoured_is_in_the_configuration)
{
	struct machine_config *c = machine_config_new();
	struct domain_report *report;

	ck_assert_int_eq(parse("good-full.xml", c, &report), 0);
	check_full_machine(c);
	check_full_host_side(c);
	check_full_inside(c);
	check_full_clock(c);
	check_full_hyperv(&c->hyperv);
	check_full_disks(c->disks);
	check_full_nets(c->nets);
	check_other_nets(c->nets);
	check_cables(c->nets);
	check_full_serials(c->serials);
	domain_report_free(report);
	machine_config_free(c);
}
END_TEST

START_TEST(a_real_hyperv_s_domain_is_mapped)
{
	struct machine_config *c = machine_config_new();
	struct domain_report *report;
	const struct disk_config *d;
	const struct net_config *n;

	ck_assert_int_eq(parse("mapped-hyperv-driver.xml", c, &report), 0);
	ck_assert_uint_eq(c->memory_mib, 1024);
	ck_assert_uint_eq(c->memory_max_mib, 0);
	d = g_ptr_array_index(c->disks, 0);
	ck_assert_str_eq(d->path, "/images/web01/root.vhdx");
	ck_assert_str_eq(d->format, "vhdx");
	d = g_ptr_array_index(c->disks, 1);
	ck_assert_str_eq(d->path, "/dev/sdb");
	ck_assert_str_eq(d->format, "raw");
	ck_assert_uint_eq(d->place, 1);
	d = g_ptr_array_index(c->disks, 2);
	ck_assert_str_eq(d->path, "/images/web01/Boot.VHD");
	ck_assert_str_eq(d->format, "vpc");
	ck_assert_int_eq(d->bus, DISK_IDE);
	d = g_ptr_array_index(c->disks, 3);
	ck_assert_str_eq(d->path, "/images/c/ISOs/debian.iso");
	ck_assert(d->dvd && d->bus == DISK_SCSI);
	n = g_ptr_array_index(c->nets, 0);
	ck_assert_str_eq(n->name, "virbr0");
	ck_assert_uint_eq(c->serials->len, 0);
	domain_report_free(report);
	machine_config_free(c);
}
END_TEST

/* Small ones whose effect is one field. */

static bool is_everything(const struct machine_config *c)
{
	return c->hyperv.base == HYPERV_EVERYTHING &&
	       c->hyperv.off == HYPERV_BIT(HYPERV_RESET);
}

static bool is_incomplete(const struct machine_config *c)
{
	return c->hyperv.base == HYPERV_NOTHING && c->hyperv.incomplete &&
	       c->hyperv.on == HYPERV_BIT(HYPERV_RELAXED);
}

static bool is_of_profile(const struct machine_config *c)
{
	return c->hyperv.base == HYPERV_OF_PROFILE && !c->hyperv.on &&
	       c->memory_mib == 256 && c->vcpus == CONFIG_VCPUS_DEFAULT;
}

static bool is_local(const struct machine_config *c)
{
	return c->clock.base == CLOCK_LOCALTIME;
}

static bool is_absolute(const struct machine_config *c)
{
	return c->clock.base == CLOCK_ABSOLUTE &&
	       c->clock.start_s == 1000000000;
}

static bool is_ws2016(const struct machine_config *c)
{
	return !strcmp(c->profile, "ws2016");
}

static bool has_no_kernel(const struct machine_config *c)
{
	return !c->kernel;
}

static bool has_stdio(const struct machine_config *c)
{
	const struct serial_config *s = g_ptr_array_index(c->serials, 0);

	return c->serials->len == 1 && s->kind == SERIAL_STDIO;
}

static bool has_empty_drive(const struct machine_config *c)
{
	const struct disk_config *d = g_ptr_array_index(c->disks, 1);

	return d->dvd && !d->path;
}

static bool forwards_but_two(const struct machine_config *c)
{
	const struct net_config *n = g_ptr_array_index(c->nets, 0);
	const struct net_forward_config *first, *last;

	if (n->forwards->len != 2)
		return false;
	first = g_ptr_array_index(n->forwards, 0);
	last = g_ptr_array_index(n->forwards, 1);
	return first->host_port == 9000 && first->guest_port == 7000 &&
	       last->host_port == 9003 && last->guest_port == 7003;
}

static const struct {
	const char *name;
	bool (*holds)(const struct machine_config *c);
} effects[] = {
	{"good-minimal.xml", is_of_profile},
	{"good-hyperv-modes.xml", is_everything},
	{"good-incomplete.xml", is_incomplete},
	{"good-clock-localtime.xml", is_local},
	{"good-clock-absolute.xml", is_absolute},
	{"good-own-below-domain.xml", is_ws2016},
	{"good-no-kernel.xml", has_no_kernel},
	{"good-consoles.xml", has_stdio},
	{"good-virtio.xml", has_empty_drive},
	{"good-port-forward.xml", forwards_but_two},
};

START_TEST(each_has_its_effect)
{
	struct machine_config *c = machine_config_new();
	struct domain_report *report;

	ck_assert_int_eq(parse(effects[_i].name, c, &report), 0);
	ck_assert_msg(effects[_i].holds(c), "%s", effects[_i].name);
	domain_report_free(report);
	machine_config_free(c);
}
END_TEST

/* The examples that are installed are as good as they say. */
START_TEST(the_examples_are_right)
{
	static const struct {
		const char *name;
		bool strict, mapped;
	} examples[] = {
		{"minimal.xml", true, false},
		{"linux-full.xml", true, false},
		{"hyperv-import.xml", false, true},
	};
	const struct domain_options options = {
		.strict = examples[_i].strict,
		.map_disk = examples[_i].mapped ? map_disk : NULL,
		.map_bridge = examples[_i].mapped ? map_bridge : NULL,
		.profile = known_profile,
	};
	g_autofree char *path =
		g_build_filename(CONFIGS, examples[_i].name, NULL);
	struct machine_config *c = machine_config_new();
	struct domain_report *report;
	int ret = domain_read(path, &options, c, &report, NULL);
	char *text = print(report);

	ck_assert_msg(ret == 0, "%s", text);
	free(text);
	domain_report_free(report);
	machine_config_free(c);
}
END_TEST

/* --- what is said ------------------------------------------------------------- */

START_TEST(complaints_are_only_of_what_is_wrong)
{
	struct machine_config *c = machine_config_new();
	struct domain_report *report;
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	ck_assert_int_eq(parse("bad-disk-cache.xml", c, &report), -1);
	domain_report_complain(report, false, out);
	fclose(out);
	ck_assert_msg(g_str_has_prefix(text, "bad-disk-cache.xml:10: "
					     "devices/disk/driver@cache: "
					     "'fast' is not known: write"),
		      "%s", text);
	ck_assert_ptr_eq(strchr(text, '\n') + 1, text + bytes);
	free(text);
	out = open_memstream(&text, &bytes);
	domain_report_complain(report, true, out);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(text, "driver@name: ignored: "));
	free(text);
	domain_report_free(report);
	machine_config_free(c);
}
END_TEST

/* A schema of a libvirt that knows no more than a name. */
static const char schema_text[] =
	"<element name='domain' "
	"xmlns='http://relaxng.org/ns/structure/1.0'>"
	"<attribute name='type'/><element name='name'><text/></element>"
	"</element>";

static void ask_schema(const char *path, unsigned int notes)
{
	static const char domain[] =
		"<domain type='kvm'>\n<name>a</name>\n"
		"<memory unit='MiB'>256</memory>\n"
		"<os><type>hvm</type><kernel>/a</kernel></os>\n</domain>";
	/* Strict: even so it is a note. */
	const struct domain_options options = {.strict = true, .schema = path};
	struct machine_config *c = machine_config_new();
	struct domain_report *report;
	char *text;

	ck_assert_int_eq(domain_parse(domain, strlen(domain), "x", &options, c,
				      &report, NULL),
			 0);
	text = print(report);
	ck_assert_msg((report->n[DOMAIN_NOTE] > 0) == (notes > 0), "%s", text);
	ck_assert_msg(!notes == !strstr(text, "note: libvirt's schema"), "%s",
		      text);
	free(text);
	domain_report_free(report);
	machine_config_free(c);
}

START_TEST(libvirts_schema_is_a_second_opinion)
{
	g_autofree char *folder = g_dir_make_tmp("kvmbus-rng-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "domain.rng", NULL);

	ask_schema(NULL, 0);
	/* It is not installed, or no schema. */
	ask_schema(path, 0);
	ck_assert(g_file_set_contents(path, "<x/>", -1, NULL));
	ask_schema(path, 0);
	ck_assert(g_file_set_contents(path, schema_text, -1, NULL));
	ask_schema(path, 1);
	unlink(path);
	rmdir(folder);
}
END_TEST

START_TEST(what_nbd_servers_have_is_named_by_uris)
{
	static const char *const uris[] = {
		"nbd://storage.example:10810/a%20disk/1",
		"nbd://[fd00::7]/two",
		"nbd+unix:///?socket=/run/nbd%20socket",
	};
	struct machine_config *c = machine_config_new();
	struct domain_report *report;

	ck_assert_int_eq(parse("good-disk-nbd.xml", c, &report), 0);
	ck_assert_uint_eq(c->disks->len, G_N_ELEMENTS(uris));
	for (guint i = 0; i < c->disks->len; i++) {
		const struct disk_config *d = g_ptr_array_index(c->disks, i);

		ck_assert_str_eq(d->path, uris[i]);
	}
	domain_report_free(report);
	machine_config_free(c);
}
END_TEST

START_TEST(json_has_what_is_printed)
{
	struct machine_config *c = machine_config_new();
	struct domain_report *report;
	g_autofree char *json = NULL;

	ck_assert_int_eq(parse("bad-vcpu-zero.xml", c, &report), -1);
	json = domain_report_json(report);
	ck_assert_ptr_nonnull(strstr(json, "\"refused\":1"));
	ck_assert_ptr_nonnull(strstr(json, "\"line\":8"));
	ck_assert_ptr_nonnull(strstr(json, "\"element\":\"vcpu\""));
	domain_report_free(report);
	machine_config_free(c);
}
END_TEST

START_TEST(a_file_that_is_not_there)
{
	const struct domain_options options = {0};
	struct machine_config *c = machine_config_new();
	struct domain_report *report;
	g_autoptr(GError) error = NULL;

	ck_assert_int_eq(
		domain_read("/nonexistent/a.xml", &options, c, &report, &error),
		-1);
	ck_assert(error->domain == CONFIG_ERROR);
	ck_assert_ptr_nonnull(strstr(error->message, "/nonexistent/a.xml"));
	domain_report_free(report);
	machine_config_free(c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("config/domain/domain");
	TCase *t = tcase_create("domain");

	tcase_add_test(t, the_corpus_has_the_expected_results);
	tcase_add_test(t, what_is_honoured_is_in_the_configuration);
	tcase_add_test(t, a_real_hyperv_s_domain_is_mapped);
	tcase_add_loop_test(t, each_has_its_effect, 0, G_N_ELEMENTS(effects));
	tcase_add_loop_test(t, the_examples_are_right, 0, 3);
	tcase_add_test(t, complaints_are_only_of_what_is_wrong);
	tcase_add_test(t, libvirts_schema_is_a_second_opinion);
	tcase_add_test(t, what_nbd_servers_have_is_named_by_uris);
	tcase_add_test(t, json_has_what_is_printed);
	tcase_add_test(t, a_file_that_is_not_there);
	suite_add_tcase(s, t);
	return check_main(s);
}
