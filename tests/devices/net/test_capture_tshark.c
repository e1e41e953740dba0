/* SPDX-License-Identifier: MIT */
/* A capture, read back by somebody else's program: the same frames. */
#include "devices/net/capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/check_main.h"
#include "support/frames.h"

static char path[] = "/tmp/test-capture-XXXXXX";

static void setup(void)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void teardown(void)
{
	unlink(path);
}

/* Which frames; whether tshark finds the sums of IPv4, TCP and UDP good (1). */
static const struct {
	struct frame_kind kind;
	size_t payload;
	bool from_guest;
	const char *sums;
} frames[] = {
	{{.what = "TCP over IPv4"}, 100, true, "1\t1\t"},
	{{.what = "UDP over IPv4", .udp = true}, 1, false, "1\t\t1"},
	{{.what = "TCP over IPv6", .v6 = true}, 1400, true, "\t1\t"},
	{{.what = "UDP over IPv6", .v6 = true, .udp = true},
	 1000,
	 false,
	 "\t\t1"},
	{{.what = "with a tag", .tags = 1}, 333, true, "1\t1\t"},
	{{.what = "as long as they come"}, 65535 - 40, false, "1\t1\t"},
};

static struct frame all[G_N_ELEMENTS(frames)];

static void capture_all(void)
{
	g_autoptr(GError) error = NULL;
	struct net_capture *c = net_capture_new(path, "net7", &error);

	ck_assert_msg(c != NULL, "%s", error ? error->message : "");
	for (size_t i = 0; i < G_N_ELEMENTS(frames); i++) {
		struct frame *f = &all[i];

		frame_make(f, &frames[i].kind, frames[i].payload);
		net_capture_add(c, frames[i].from_guest,
				&(const struct iovec){f->bytes, f->n}, 1, f->n);
	}
	net_capture_free(c);
}

/* Run a shell's command.  Return: what it printed; owned. */
static char *output_of(const char *command, gsize *bytes)
{
	g_autoptr(GString) text = g_string_new(NULL);
	FILE *pipe;
	char part[4096];
	size_t n;

	/* NOLINTNEXTLINE(cert-env33-c): a command of ours */
	pipe = popen(command, "r");
	ck_assert_ptr_nonnull(pipe);
	while ((n = fread(part, 1, sizeof(part), pipe)) > 0)
		g_string_append_len(text, part, (gssize)n);
	ck_assert_int_eq(pclose(pipe), 0);
	*bytes = text->len;
	return g_string_free(g_steal_pointer(&text), FALSE);
}

START_TEST(what_is_said_of_them)
{
	g_autofree char *command = g_strdup_printf(
		"tshark -nr %s -o ip.check_checksum:TRUE"
		" -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE"
		" -T fields -e frame.interface_name -e frame.len -e "
		"frame.cap_len"
		" -e frame.packet_flags_direction -e ip.checksum.status"
		" -e tcp.checksum.status -e udp.checksum.status 2>/dev/null",
		path);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	gsize bytes;

	capture_all();
	text = output_of(command, &bytes);
	lines = g_strsplit(text, "\n", -1);
	ck_assert_uint_eq(g_strv_length(lines), G_N_ELEMENTS(frames) + 1);
	for (size_t i = 0; i < G_N_ELEMENTS(frames); i++) {
		g_autofree char *want = g_strdup_printf(
			"net7\t%zu\t%zu\t0x%08x\t%s", all[i].n, all[i].n,
			frames[i].from_guest ? 2 : 1, frames[i].sums);

		ck_assert_msg(!strcmp(lines[i], want), "%s: '%s', want '%s'",
			      frames[i].kind.what, lines[i], want);
	}
}
END_TEST

/* As the oldest format, whose header has 24 bytes, and 16 for each frame. */
START_TEST(the_bytes_are_the_same)
{
	g_autofree char *command =
		g_strdup_printf("tshark -nr %s -F pcap -w - 2>/dev/null", path);
	g_autofree char *file = NULL;
	gsize bytes, at = 24;

	capture_all();
	file = output_of(command, &bytes);
	for (size_t i = 0; i < G_N_ELEMENTS(frames); i++) {
		uint32_t n;

		ck_assert_uint_le(at + 16 + all[i].n, bytes);
		memcpy(&n, file + at + 8, sizeof(n));
		ck_assert_uint_eq(n, all[i].n);
		ck_assert_mem_eq(file + at + 16, all[i].bytes, n);
		at += 16 + n;
	}
	ck_assert_uint_eq(at, bytes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices/net/capture_tshark");
	TCase *tc = tcase_create("tshark");
	g_autofree char *tshark = g_find_program_in_path("tshark");

	if (!tshark) {
		puts("skip: no tshark");
		return 77;
	}
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_said_of_them);
	tcase_add_test(tc, the_bytes_are_the_same);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
