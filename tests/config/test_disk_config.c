/* SPDX-License-Identifier: MIT */
#include "config/disk_config.h"

#include <string.h>

#include "config/machine_config.h"
#include "support/check_main.h"

START_TEST(all_that_can_be_said)
{
	struct disk_config *d = disk_config_parse(
		"/a b/c.qcow2,format=qcow2,cache=none,serial=A-1,bus=ide,"
		"readonly,snapshot,block-size=4096,discard=ignore,"
		"detect-zeroes=unmap,error-policy=enospace,rerror-policy=stop,"
		"wwn=5000c50015ea71aa,vendor=ACME,product=Fast Disk,"
		"io=threads,shareable,iops-read=9,throttle-group=g,"
		"poll=20,monitor=200",
		NULL);

	ck_assert_ptr_nonnull(d);
	ck_assert_str_eq(d->path, "/a b/c.qcow2");
	ck_assert_str_eq(d->format, "qcow2");
	ck_assert_str_eq(d->cache, "none");
	ck_assert_str_eq(d->serial, "A-1");
	ck_assert_str_eq(d->vendor, "ACME");
	ck_assert_str_eq(d->product, "Fast Disk");
	ck_assert_str_eq(d->io, "threads");
	ck_assert_uint_eq(d->wwn, 0x5000c50015ea71aa);
	ck_assert(d->shareable);
	ck_assert_uint_eq(d->channel.poll_us, 20);
	ck_assert_uint_eq(d->channel.monitor_us, 200);
	ck_assert_uint_eq(d->block_bytes, 4096);
	ck_assert_int_eq(d->bus, DISK_IDE);
	ck_assert_str_eq(d->discard, "ignore");
	ck_assert_str_eq(d->detect_zeroes, "unmap");
	ck_assert_str_eq(d->error_policy, "enospace");
	ck_assert_str_eq(d->rerror_policy, "stop");
	ck_assert_uint_eq(d->limits.of[DISK_IOPS_READ].rate, 9);
	ck_assert_str_eq(d->limits.group, "g");
	ck_assert(d->readonly && d->snapshot && !d->dvd);
	disk_config_free(d);
	disk_config_free(NULL);
}
END_TEST

START_TEST(a_path_is_enough)
{
	struct disk_config *d = disk_config_parse("disk.img", NULL);

	ck_assert_str_eq(d->path, "disk.img");
	ck_assert_ptr_null(d->format);
	ck_assert_ptr_null(d->cache);
	ck_assert_ptr_null(d->serial);
	ck_assert_int_eq(d->bus, DISK_SCSI);
	ck_assert(!d->readonly && !d->snapshot && !d->dvd);
	ck_assert_str_eq(disk_bus_name(d->bus), "scsi");
	ck_assert_str_eq(disk_bus_name(DISK_IDE), "ide");
	disk_config_free(d);
}
END_TEST

START_TEST(commas_in_a_path)
{
	struct disk_config *d = disk_config_parse("a,,b,,,dvd", NULL);

	ck_assert_str_eq(d->path, "a,b,");
	ck_assert(d->dvd);
	disk_config_free(d);
}
END_TEST

START_TEST(a_drive_may_be_empty)
{
	struct disk_config *d = disk_config_parse(",dvd", NULL);

	ck_assert_ptr_null(d->path);
	ck_assert(d->dvd);
	disk_config_free(d);
}
END_TEST

START_TEST(what_an_nbd_server_has)
{
	static const char *const uris[] = {"nbd://host/x.qcow2",
					   "nbd+unix:///?socket=/s"};

	for (size_t i = 0; i < G_N_ELEMENTS(uris); i++) {
		struct disk_config *d = disk_config_parse(uris[i], NULL);

		ck_assert_str_eq(d->path, uris[i]);
		ck_assert(disk_config_is_nbd(d->path));
		disk_config_free(d);
	}
	ck_assert(!disk_config_is_nbd(NULL));
	ck_assert(!disk_config_is_nbd("nbd"));
	ck_assert(!disk_config_is_nbd("nbds://host"));
	ck_assert(!disk_config_is_nbd("/nbd://host"));
}
END_TEST

static const struct {
	const char *text, *said;
} wrong[] = {
	{"nbd://h,format=qcow2", "format"},
	{"nbd://h,snapshot", "snapshot"},
	{"nbd://h,io=threads", "io"},
	{"nbd://h,detect-zeroes=on", "detect-zeroes"},
	{"nbd://h,cache=unsafe", "cache"},
	{"", "path"},
	{",readonly", "path"},
	{"a,", "no such option"},
	{"a,readonly=yes", "readonly"},
	{"a,shareable=yes", "shareable"},
	{"a,io=fast", "io_uring"},
	{"a,poll=forever", "poll"},
	{"a,monitor=1", "monitor"},
	{"a,wwn", "wwn"},
	{"a,wwn=5000c50015ea71a", "wwn"},
	{"a,wwn=5000c50015ea71aag", "wwn"},
	{"a,wwn=6000c50015ea71aa", "wwn"},
	{"a,vendor=123456789", "at most 8"},
	{"a,product=12345678901234567", "at most 16"},
	{"a,format", "format"},
	{"a,format=", "format"},
	{"a,bus=usb", "bus"},
	{"a,cache=warm", "cache"},
	{"a,cache", "cache"},
	{"a,block-size=1024", "block-size"},
	{"a,block-size", "block-size"},
	{"a,bus", "bus"},
	{"a,colour=red", "colour"},
	{"a,dvd,bus=ide", "dvd"},
	{"a,serial=0123456789012345678901234567890123456", "serial"},
	{"a,serial=\x01", "serial"},
	{"a,discard=on", "discard"},
	{"a,detect-zeroes", "detect-zeroes"},
	{"a,detect-zeroes=yes", "detect-zeroes"},
	{"a,error-policy=enospc", "error-policy"},
	{"a,rerror-policy=enospace", "rerror-policy"},
	{"a,iops=none", "iops"},
	{"a,iops-max=7", "iops"},
};

START_TEST(what_is_wrong_is_named)
{
	GError *error = NULL;

	ck_assert_ptr_null(disk_config_parse(wrong[_i].text, &error));
	ck_assert_msg(error && error->domain == CONFIG_ERROR, "%s",
		      wrong[_i].text);
	ck_assert_msg(strstr(error->message, wrong[_i].said) != NULL,
		      "%s: said '%s'", wrong[_i].text, error->message);
	g_error_free(error);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("config/disk_config");
	TCase *t = tcase_create("disk_config");

	tcase_add_test(t, all_that_can_be_said);
	tcase_add_test(t, a_path_is_enough);
	tcase_add_test(t, commas_in_a_path);
	tcase_add_test(t, a_drive_may_be_empty);
	tcase_add_test(t, what_an_nbd_server_has);
	tcase_add_loop_test(t, what_is_wrong_is_named, 0, G_N_ELEMENTS(wrong));
	suite_add_tcase(s, t);
	return check_main(s);
}
