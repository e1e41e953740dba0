/* SPDX-License-Identifier: MIT */
#include "config/serial_config.h"

#include <string.h>

#include "config/machine_config.h"
#include "support/check_main.h"

static const struct {
	const char *text;
	struct serial_config is;
} right[] = {
	{"stdio", {.kind = SERIAL_STDIO}},
	{"null", {.kind = SERIAL_NULL}},
	{"pty", {.kind = SERIAL_PTY}},
	{"pty,log=l", {.kind = SERIAL_PTY, .log = (char *)"l"}},
	{"stdio,log=l,log-append",
	 {.kind = SERIAL_STDIO, .log = (char *)"l", .log_append = true}},
	{"file=a", {.kind = SERIAL_FILE, .path = (char *)"a"}},
	{"file=a,,b,append",
	 {.kind = SERIAL_FILE, .path = (char *)"a,b", .append = true}},
	{"unix=s", {.kind = SERIAL_UNIX, .path = (char *)"s"}},
	{"unix=s,listen",
	 {.kind = SERIAL_UNIX, .path = (char *)"s", .listen = true}},
	{"unix=s,reconnect=5",
	 {.kind = SERIAL_UNIX, .path = (char *)"s", .reconnect_s = 5}},
	{"tcp=5555,listen", {.kind = SERIAL_TCP, .port = 5555, .listen = true}},
	{"tcp=:5555", {.kind = SERIAL_TCP, .port = 5555}},
	{"tcp=h.example:1,telnet",
	 {.kind = SERIAL_TCP,
	  .host = (char *)"h.example",
	  .port = 1,
	  .telnet = true}},
	{"tcp=[::1]:65535",
	 {.kind = SERIAL_TCP, .host = (char *)"::1", .port = 65535}},
	{"pipe=p", {.kind = SERIAL_PIPE, .path = (char *)"p"}},
	{"dev=/dev/ttyS0", {.kind = SERIAL_DEV, .path = (char *)"/dev/ttyS0"}},
	{"fd=7", {.kind = SERIAL_FD, .fd = 7}},
};

START_TEST(each_can_be_said)
{
	const struct serial_config *is = &right[_i].is;
	struct serial_config *s = serial_config_parse(right[_i].text, NULL);

	ck_assert_msg(s != NULL, "%s", right[_i].text);
	ck_assert_int_eq(s->kind, is->kind);
	ck_assert_pstr_eq(s->path, is->path);
	ck_assert_pstr_eq(s->host, is->host);
	ck_assert_uint_eq(s->port, is->port);
	ck_assert_int_eq(s->fd, is->fd);
	ck_assert(s->append == is->append && s->listen == is->listen &&
		  s->telnet == is->telnet && s->log_append == is->log_append);
	ck_assert_uint_eq(s->reconnect_s, is->reconnect_s);
	ck_assert_pstr_eq(s->log, is->log);
	serial_config_free(s);
}
END_TEST

static const struct {
	const char *text, *said;
} wrong[] = {
	{"", "expected"},
	{"usb", "usb"},
	{"stdio=x", "no value"},
	{"file", "wants a value"},
	{"file=", "wants a value"},
	{"unix,listen", "wants a value"},
	{"tcp", "PORT"},
	{"tcp=", "PORT"},
	{"tcp=h:0", "PORT"},
	{"tcp=h:65536", "PORT"},
	{"fd", "number"},
	{"fd=-1", "number"},
	{"pty,append", "file="},
	{"file=f,listen", "unix="},
	{"unix=s,telnet", "tcp="},
	{"pty,reconnect=1", "reconnect"},
	{"unix=s,listen,reconnect=1", "connect"},
	{"unix=s,reconnect=0", "seconds"},
	{"pty,log-append", "log="},
	{"pty,log=", "value"},
	{"pty,append=yes", "no value"},
	{"pty,speed=9600", "speed"},
};

START_TEST(what_is_wrong_is_named)
{
	g_autoptr(GError) error = NULL;

	ck_assert_msg(!serial_config_parse(wrong[_i].text, &error), "%s",
		      wrong[_i].text);
	ck_assert(error->domain == CONFIG_ERROR);
	ck_assert_msg(strstr(error->message, wrong[_i].said) != NULL,
		      "%s: said '%s'", wrong[_i].text, error->message);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("config/serial_config");
	TCase *t = tcase_create("serial");

	tcase_add_loop_test(t, each_can_be_said, 0, (int)G_N_ELEMENTS(right));
	tcase_add_loop_test(t, what_is_wrong_is_named, 0,
			    (int)G_N_ELEMENTS(wrong));
	suite_add_tcase(s, t);
	return check_main(s);
}
