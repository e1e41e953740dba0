/* SPDX-License-Identifier: MIT */
#include "config/cli.h"

#include <errno.h>
#include <string.h>

#include "config/disk_config.h"
#include "config/machine_config.h"
#include "config/net_config.h"
#include "support/check_main.h"

static int fake_milestone(const char *name)
{
	return !strcmp(name, "stimer") || !strcmp(name, "poweroff") ? 0
								    : -ENOENT;
}

static int fake_profile(const char *name)
{
	return !strcmp(name, "ws2022");
}

/* A domain that says a bit of everything. */
static int fake_domain(const struct cli_domain *domain,
		       struct machine_config *c, GError **error)
{
	if (!strcmp(domain->file, "bad.xml")) {
		g_set_error(error, CONFIG_ERROR, 0, "bad.xml is refused");
		return -1;
	}
	c->kernel = g_strdup("/domain/kernel");
	c->cmdline = g_strdup("domain");
	c->vcpus = 5;
	c->memory_mib = 700;
	c->memory_max_mib = 900;
	c->on_reboot = LIFECYCLE_DESTROY;
	g_ptr_array_add(c->disks, disk_config_parse("d0", NULL));
	g_ptr_array_add(c->nets, net_config_parse("user", NULL));
	return 0;
}

static const struct cli_names names = {fake_milestone, fake_profile,
				       fake_domain};

static int parse(const char *line, struct cli *cli, GError **error)
{
	g_auto(GStrv) argv = g_strsplit(line, " ", -1);

	return cli_parse(argv, &names, cli, error);
}

START_TEST(run_takes_all_its_options)
{
	struct cli cli;
	const struct machine_config *c;
	const struct disk_config *disk;
	const struct net_config *net;

	ck_assert_int_eq(
		parse("kvmbus run --kernel K --initrd=I --append quiet "
		      "--memory 512,max=2048 --vcpus 4,threads=2 "
		      "--cpu cx16,-avx --cpu phys-bits=40 --profile ws2022 "
		      "--timeout 9 "
		      "--time-sync 60 --throttle 100 "
		      "--report R --require stimer,poweroff --require stimer "
		      "--on-reboot destroy --on-poweroff preserve "
		      "--on-crash restart --vmbus 5.2 --without kvp,vss "
		      "--without balloon --smbios bios.vendor=me,,you,oem=a "
		      "--smbios oem=b --ignore-msrs --test-devices --accel "
		      "user "
		      "--disk a --disk=b,readonly --net user --net tap=t "
		      "--pcap a=b --pcap net1=c",
		      &cli, NULL),
		0);
	c = cli.config;
	ck_assert_int_eq(cli.verb, CLI_RUN);
	ck_assert_str_eq(c->kernel, "K");
	ck_assert_str_eq(c->initrd, "I");
	ck_assert_str_eq(c->cmdline, "quiet");
	ck_assert_uint_eq(c->memory_mib, 512);
	ck_assert_uint_eq(c->memory_max_mib, 2048);
	ck_assert_uint_eq(c->vcpus, 4);
	ck_assert_uint_eq(c->cpu.cores, 2);
	ck_assert_uint_eq(c->cpu.threads, 2);
	ck_assert_uint_eq(c->cpu.choices->len, 2);
	ck_assert_uint_eq(c->cpu.phys_bits, 40);
	ck_assert_str_eq(c->profile, "ws2022");
	ck_assert_uint_eq(c->timeout_s, 9);
	ck_assert_uint_eq(c->time_sync_s, 60);
	ck_assert_uint_eq(c->signals_max, 100);
	ck_assert_str_eq(c->report, "R");
	ck_assert_uint_eq(g_strv_length(c->require), 3);
	ck_assert_str_eq(c->require[1], "poweroff");
	ck_assert_int_eq(c->on_reboot, LIFECYCLE_DESTROY);
	ck_assert_int_eq(c->on_poweroff, LIFECYCLE_PRESERVE);
	ck_assert_int_eq(c->on_crash, LIFECYCLE_RESTART);
	ck_assert_uint_eq(c->vmbus_max, 0x50002);
	ck_assert(!machine_config_has(c, "kvp"));
	ck_assert(!machine_config_has(c, "balloon"));
	ck_assert(machine_config_has(c, "shutdown"));
	ck_assert(machine_config_has(c, "net0"));
	ck_assert(c->ignore_msrs);
	ck_assert_str_eq(c->smbios.texts[SMBIOS_BIOS_VENDOR], "me,you");
	ck_assert_uint_eq(c->smbios.oem->len, 2);
	ck_assert(c->test_devices);
	ck_assert_uint_eq(c->disks->len, 2);
	disk = g_ptr_array_index(c->disks, 1);
	ck_assert_str_eq(disk->path, "b");
	ck_assert(disk->readonly);
	ck_assert_uint_eq(c->nets->len, 2);
	net = g_ptr_array_index(c->nets, 0);
	ck_assert_int_eq(net->kind, NET_USER);
	ck_assert_str_eq(net->pcap, "a=b");
	net = g_ptr_array_index(c->nets, 1);
	ck_assert_str_eq(net->name, "t");
	ck_assert_str_eq(net->pcap, "c");
	cli_clear(&cli);
}
END_TEST

START_TEST(no_card_can_be_said)
{
	struct cli cli;

	ck_assert_int_eq(parse("kvmbus run --kernel K --net none", &cli, NULL),
			 0);
	ck_assert_uint_eq(cli.config->nets->len, 0);
	cli_clear(&cli);
}
END_TEST

START_TEST(defaults)
{
	struct cli cli;

	ck_assert_int_eq(parse("kvmbus run --kernel K", &cli, NULL), 0);
	ck_assert_uint_eq(cli.config->memory_mib, CONFIG_MEMORY_DEFAULT_MIB);
	ck_assert_uint_eq(cli.config->vcpus, CONFIG_VCPUS_DEFAULT);
	ck_assert_uint_eq(cli.config->timeout_s, 0);
	ck_assert_uint_eq(cli.config->time_sync_s, CONFIG_TIME_SYNC_DEFAULT_S);
	ck_assert_uint_eq(cli.config->signals_max, 0);
	ck_assert_uint_eq(cli.config->memory_max_mib, 0);
	ck_assert_int_eq(cli.config->on_reboot, LIFECYCLE_RESTART);
	ck_assert_ptr_null(cli.config->profile);
	ck_assert_uint_eq(cli.config->nets->len, 0);
	ck_assert(!cli.config->test_devices);
	cli_clear(&cli);
}
END_TEST

/* Each is a usage error, and the message says which word was wrong. */
static const struct {
	const char *line, *said;
} wrong[] = {
	{"kvmbus", "say what to do"},
	{"kvmbus dance", "dance"},
	{"kvmbus run --kernle K", "--kernle"},
	{"kvmbus run --kernel K --memory lots", "lots"},
	{"kvmbus run --kernel K --memory -1", "-1"},
	{"kvmbus run --kernel K --memory ,max=5", ",max=5"},
	{"kvmbus run --kernel K --memory 512,", "512,"},
	{"kvmbus run --kernel K --memory 512,max=", "512,max="},
	{"kvmbus run --kernel K --memory 512,max=2G", "2G"},
	{"kvmbus run --kernel K --memory 512,min=64", "min=64"},
	{"kvmbus run --kernel K --memory 512,max=600,max=700", "700"},
	{"kvmbus run --kernel K --memory 4294967296", "4294967296"},
	{"kvmbus run --kernel K --vcpus -1", "--vcpus"},
	{"kvmbus run --kernel K --vcpus 4,tribes=2", "tribes"},
	{"kvmbus run --kernel K --vcpus 4,cores=0", "cores=0"},
	{"kvmbus run --kernel K --cpu warp", "warp"},
	{"kvmbus run --kernel K --hyperv warp", "warp"},
	{"kvmbus run --kernel K --clock noon", "noon"},
	{"kvmbus run --kernel K --on-crash explode", "--on-crash explode"},
	{"kvmbus run --kernel K --vmbus 7.0", "7.0"},
	{"kvmbus run --kernel K --without kvp,net0", "net0"},
	{"kvmbus run --kernel K --smbios bios.vendor", "NAME=TEXT"},
	{"kvmbus run --kernel K --memory-backing file", "file"},
	{"kvmbus run --kernel K --serial usb", "usb"},
	{"kvmbus run --kernel K --smbios oem=a,bios.color=b", "bios.color"},
	{"kvmbus run --kernel K --cpu phys-bits=", "phys-bits"},
	{"kvmbus run --kernel K --time-sync -1", "--time-sync"},
	{"kvmbus run --kernel K --throttle -1", "--throttle"},
	{"kvmbus run --kernel K --profile ws1999", "ws1999"},
	{"kvmbus run --kernel K --require stimer,warp", "warp"},
	{"kvmbus run --kernel K --require stimer,", "--require"},
	{"kvmbus run --kernel K --on-reboot explode", "explode"},
	{"kvmbus run --kernel K --accel turbo", "turbo"},
	{"kvmbus run --kernel K --log loud", "loud"},
	{"kvmbus run --kernel K --log synic=", "synic="},
	{"kvmbus run --kernel K --disk a,size=4", "size"},
	{"kvmbus run --kernel K --net e1000", "e1000"},
	{"kvmbus run --kernel K --net user --net none", "another"},
	{"kvmbus run --kernel K --pcap F", "no such card"},
	{"kvmbus run --kernel K --net user --pcap net1=F", "no such card"},
	{"kvmbus run --kernel K --net user --pcap net0=", "one file"},
	{"kvmbus run --kernel K --net user --pcap F --pcap G", "one file"},
	{"kvmbus run --kernel K --", "command"},
	{"kvmbus run --kernel K -v", "--verbose"},
	{"kvmbus run --kernel K --rootfs R", "--rootfs"},
	{"kvmbus run K.xml L.xml", "L.xml"},
	{"kvmbus run a.xml --map-disk C:", "FROM=TO"},
	{"kvmbus run a.xml --map-bridge =virbr0", "FROM=TO"},
	{"kvmbus run a.xml --map-bridge guid=", "FROM=TO"},
	{"kvmbus run a.xml --json", "--json"},
	{"kvmbus check", "which"},
	{"kvmbus check a.xml b.xml", "b.xml"},
	{"kvmbus check a.xml --kernel K", "--kernel"},
	{"kvmbus doctor now", "now"},
	{"kvmbus profiles ws1999", "ws1999"},
	{"kvmbus profiles ws2022 more", "more"},
};

START_TEST(what_is_wrong_is_named)
{
	GError *error = NULL;
	struct cli cli;

	ck_assert_int_eq(parse(wrong[_i].line, &cli, &error), -1);
	ck_assert_msg(error && error->domain == CLI_ERROR, "%s",
		      wrong[_i].line);
	ck_assert_msg(strstr(error->message, wrong[_i].said) != NULL,
		      "%s: said '%s'", wrong[_i].line, error->message);
	g_error_free(error);
	cli_clear(&cli);
}
END_TEST

START_TEST(options_count_more_than_the_domain)
{
	const struct machine_config *c;
	struct cli cli;

	ck_assert_int_eq(parse("kvmbus run a.xml --strict -v --map-disk a=b "
			       "--kernel K --vcpus 2 --disk d1",
			       &cli, NULL),
			 0);
	c = cli.config;
	ck_assert_str_eq(cli.domain.file, "a.xml");
	ck_assert(cli.domain.strict && cli.domain.verbose);
	ck_assert_str_eq(cli.domain.map_disk[0], "a=b");
	ck_assert_str_eq(c->kernel, "K");
	ck_assert_str_eq(c->cmdline, "domain");
	ck_assert_uint_eq(c->vcpus, 2);
	ck_assert_uint_eq(c->memory_mib, 700);
	ck_assert_uint_eq(c->memory_max_mib, 900);
	ck_assert_int_eq(c->on_reboot, LIFECYCLE_DESTROY);
	ck_assert_uint_eq(c->disks->len, 2);
	ck_assert_uint_eq(c->nets->len, 1);
	cli_clear(&cli);
	ck_assert_int_eq(parse("kvmbus run --memory 512 --net none "
			       "--on-reboot restart a.xml",
			       &cli, NULL),
			 0);
	c = cli.config;
	ck_assert_str_eq(c->kernel, "/domain/kernel");
	ck_assert_uint_eq(c->vcpus, 5);
	ck_assert_uint_eq(c->memory_mib, 512);
	ck_assert_uint_eq(c->memory_max_mib, 0);
	ck_assert_int_eq(c->on_reboot, LIFECYCLE_RESTART);
	ck_assert_uint_eq(c->nets->len, 0);
	cli_clear(&cli);
}
END_TEST

START_TEST(a_domain_that_is_refused_is_no_usage_error)
{
	GError *error = NULL;
	struct cli cli;

	ck_assert_int_eq(parse("kvmbus run bad.xml", &cli, &error), -1);
	ck_assert(error->domain == CONFIG_ERROR);
	g_error_free(error);
	cli_clear(&cli);
}
END_TEST

START_TEST(check_takes_a_domain)
{
	struct cli cli;

	ck_assert_int_eq(parse("kvmbus check --strict --json --map-bridge "
			       "g=virbr0 a.xml",
			       &cli, NULL),
			 0);
	ck_assert_int_eq(cli.verb, CLI_CHECK);
	ck_assert_str_eq(cli.domain.file, "a.xml");
	ck_assert(cli.domain.strict && cli.domain.json);
	ck_assert_str_eq(cli.domain.map_bridge[0], "g=virbr0");
	cli_clear(&cli);
}
END_TEST

START_TEST(help_wins_over_everything)
{
	struct cli cli;

	ck_assert_int_eq(parse("kvmbus run --kernle K --help", &cli, NULL), 0);
	ck_assert_int_eq(cli.verb, CLI_HELP);
	cli_clear(&cli);
}
END_TEST

START_TEST(machines_that_cannot_be_are_refused)
{
	static const struct {
		const char *line, *said;
	} refused[] = {
		{"kvmbus run", "--kernel"},
		{"kvmbus run --kernel /nonexistent/k", "/nonexistent/k"},
		{"kvmbus run --kernel /dev/null --initrd /nonexistent/i",
		 "/nonexistent/i"},
		{"kvmbus run --kernel /dev/null --memory 63", "63"},
		{"kvmbus run --kernel /dev/null --memory 512,max=511", "511"},
		{"kvmbus run --kernel /dev/null --uuid 1234", "1234"},
		{"kvmbus run --kernel /dev/null --genid 12", "--genid 12"},
		{"kvmbus run --kernel /dev/null --serial null --serial null "
		 "--serial null --serial null --serial null",
		 "at most 4"},
		{"kvmbus run --kernel /dev/null --serial stdio --serial stdio",
		 "one terminal"},
		{"kvmbus run --kernel /dev/null --vcpus 0", "0"},
		{"kvmbus run --kernel /dev/null --vcpus 1025", "1025"},
		{"kvmbus run --kernel /dev/null --vcpus 9,sockets=2,cores=4",
		 "8 processors"},
		{"kvmbus run --kernel /dev/null --cpu phys-bits=35", "35"},
		{"kvmbus run --kernel /dev/null --hyperv none", "vpindex"},
		{"kvmbus run --kernel /dev/null --on-reboot coredump-destroy",
		 "--on-crash"},
		{"kvmbus run --kernel /dev/null --disk /nonexistent/d",
		 "/nonexistent/d"},
		{"kvmbus run --kernel /dev/null --disk /dev/null,bus=ide "
		 "--disk /dev/null,bus=ide --disk /dev/null,bus=ide "
		 "--disk /dev/null,bus=ide --disk /dev/null,bus=ide",
		 "at most"},
		{"kvmbus run --kernel /dev/null --net user --net user "
		 "--net user --net user --net user --net user --net user "
		 "--net user --net user",
		 "at most 8"},
		{"kvmbus run --kernel /dev/null --net user --net "
		 "null,mac=02:00:00:00:00:01 --net user,mac=02:00:00:00:00:01",
		 "net1 and net2"},
		{"kvmbus run --kernel /dev/null "
		 "--disk /dev/null,throttle-group=g",
		 "none of its disks has limits"},
		{"kvmbus run --kernel /dev/null "
		 "--disk /dev/null,throttle-group=g,iops=1 "
		 "--disk /dev/null,throttle-group=g "
		 "--disk /dev/null,throttle-group=g,iops=2",
		 "give the same"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
		GError *error = NULL;
		struct cli cli;

		ck_assert_int_eq(parse(refused[i].line, &cli, NULL), 0);
		ck_assert_int_eq(machine_config_validate(cli.config, &error),
				 -1);
		ck_assert(error->domain == CONFIG_ERROR);
		ck_assert_msg(strstr(error->message, refused[i].said) != NULL,
			      "%s: said '%s'", refused[i].line, error->message);
		g_error_free(error);
		cli_clear(&cli);
	}
}
END_TEST

START_TEST(run_takes_a_command)
{
	struct cli cli;
	const struct machine_config *c;

	ck_assert_int_eq(
		parse("kvmbus run --kernel a.deb --kernel b.deb "
		      "--rootfs R --modules a,b? --modules +c "
		      "--without-module d -v -- ls --kernel -l -- --help",
		      &cli, NULL),
		0);
	c = cli.config;
	ck_assert_int_eq(cli.verb, CLI_RUN);
	ck_assert_str_eq(c->kernels[0], "a.deb");
	ck_assert_str_eq(c->kernels[1], "b.deb");
	ck_assert_str_eq(c->rootfs, "R");
	ck_assert_uint_eq(g_strv_length(c->modules), 3);
	ck_assert_str_eq(c->modules[1], "b?");
	ck_assert_str_eq(c->modules[2], "+c");
	ck_assert_str_eq(c->without_modules[0], "d");
	ck_assert(c->verbose);
	/* All behind the first -- is the command's. */
	ck_assert_uint_eq(g_strv_length(c->command), 5);
	ck_assert_str_eq(c->command[1], "--kernel");
	ck_assert_str_eq(c->command[4], "--help");
	cli_clear(&cli);
	ck_assert_int_eq(parse("kvmbus run --kernel K", &cli, NULL), 0);
	ck_assert_ptr_null(cli.config->command);
	ck_assert_ptr_null(cli.config->modules);
	ck_assert(!cli.config->on_reboot_given);
	cli_clear(&cli);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("config/cli");
	TCase *t = tcase_create("cli");

	tcase_add_test(t, run_takes_all_its_options);
	tcase_add_test(t, run_takes_a_command);
	tcase_add_test(t, no_card_can_be_said);
	tcase_add_test(t, defaults);
	tcase_add_loop_test(t, what_is_wrong_is_named, 0,
			    (int)G_N_ELEMENTS(wrong));
	tcase_add_test(t, options_count_more_than_the_domain);
	tcase_add_test(t, a_domain_that_is_refused_is_no_usage_error);
	tcase_add_test(t, check_takes_a_domain);
	tcase_add_test(t, help_wins_over_everything);
	tcase_add_test(t, machines_that_cannot_be_are_refused);
	suite_add_tcase(s, t);
	return check_main(s);
}
