/* SPDX-License-Identifier: MIT */
#include "vm/devices/vm_serials.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "base/clock.h"
#include "config/machine_config.h"
#include "config/serial_config.h"
#include "devices/bus.h"
#include "devices/irq_line.h"
#include "support/check_main.h"

static struct machine_config *config;
static struct bus *pio;
static struct vm_serials *serials;
static char *dir;

static void setup(void)
{
	config = machine_config_new();
	dir = g_dir_make_tmp("kvmbus-serials-XXXXXX", NULL);
	ck_assert_int_eq(g_chdir(dir), 0);
	config->com1_fd = CONFIG_FD_NONE;
}

static void teardown(void)
{
	vm_serials_free(serials);
	serials = NULL;
	bus_free(pio);
	machine_config_free(config);
	ck_assert_int_eq(g_chdir("/"), 0);
	g_rmdir(dir);
	g_free(dir);
}

static void no_irq(void *ctx, unsigned int gsi, bool level)
{
	(void)ctx;
	(void)gsi;
	(void)level;
}

static void add(const char *text)
{
	GError *error = NULL;
	struct serial_config *s = serial_config_parse(text, &error);

	ck_assert_msg(s != NULL, "%s", error ? error->message : "");
	g_ptr_array_add(config->serials, s);
}

static struct vm_serials *make(GError **error)
{
	struct irq_line irqs[CONFIG_SERIALS_MAX];

	pio = bus_new("pio");
	for (unsigned int i = 0; i < CONFIG_SERIALS_MAX; i++)
		irqs[i] = (struct irq_line){.set = no_irq,
					    .gsi = vm_serials_irq(i)};
	return vm_serials_new(&(struct vm_serials_params){.config = config,
							  .pio = pio,
							  .irqs = irqs},
			      error);
}

static void begin(void)
{
	GError *error = NULL;

	serials = make(&error);
	ck_assert_msg(serials != NULL, "%s", error ? error->message : "");
	ck_assert_int_eq(vm_serials_start(serials), 0);
}

static void print(uint16_t port, const char *text)
{
	for (; *text; text++)
		bus_write(pio, port, text, 1);
}

static void end(void)
{
	vm_serials_stop(serials, 10 * NSEC_PER_SEC);
	g_clear_pointer(&serials, vm_serials_free);
	g_clear_pointer(&pio, bus_free);
}

static void expect_file(const char *name, const char *want)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autofree char *got = NULL;

	ck_assert_msg(g_file_get_contents(path, &got, NULL, NULL), "%s", path);
	ck_assert_str_eq(got, want);
	g_unlink(path);
}

START_TEST(four_ports_are_four_files)
{
	static const uint16_t ports[] = {0x3F8, 0x2F8, 0x3E8, 0x2E8};

	add("file=1");
	add("file=2");
	add("file=3");
	add("file=4");
	ck_assert_uint_eq(vm_serials_count(config), 4);
	begin();
	for (unsigned int i = 0; i < 4; i++) {
		char text[] = {'C', 'O', 'M', (char)('1' + i), '\0'};

		print(ports[i], text);
	}
	end();
	expect_file("1", "COM1");
	expect_file("2", "COM2");
	expect_file("3", "COM3");
	expect_file("4", "COM4");
}
END_TEST

START_TEST(there_are_two_at_least)
{
	uint8_t lsr = 0xFF;

	ck_assert_uint_eq(vm_serials_count(config), 2);
	begin();
	bus_read(pio, 0x2FD, &lsr, 1);
	ck_assert_uint_eq(lsr, 0x60);
	bus_read(pio, 0x3ED, &lsr, 1);
	ck_assert_uint_eq(lsr, 0xFF);
	print(0x2F8, "to nobody");
	end();
}
END_TEST

START_TEST(a_file_is_emptied_or_not)
{
	g_autofree char *path = g_build_filename(dir, "f", NULL);

	g_file_set_contents(path, "old ", -1, NULL);
	add("file=f,append");
	begin();
	print(0x3F8, "new");
	end();
	expect_file("f", "old new");
	g_file_set_contents(path, "old ", -1, NULL);
	((struct serial_config *)g_ptr_array_index(config->serials, 0))
		->append = false;
	begin();
	print(0x3F8, "new");
	end();
	expect_file("f", "new");
}
END_TEST

START_TEST(any_kind_has_a_log)
{
	add("null,log=log");
	begin();
	print(0x3F8, "said");
	end();
	expect_file("log", "said");
}
END_TEST

START_TEST(pipes_go_both_ways)
{
	g_autofree char *in = g_build_filename(dir, "p.in", NULL);
	g_autofree char *out = g_build_filename(dir, "p.out", NULL);
	struct pollfd p = {.events = POLLIN};
	uint8_t got[2] = {0}, lsr = 0;
	FILE *f;

	ck_assert(!mkfifo(in, 0600) && !mkfifo(out, 0600));
	add("pipe=p");
	begin();
	print(0x3F8, "ok");
	f = fopen(out, "r+e");
	p.fd = fileno(f);
	ck_assert_int_eq(poll(&p, 1, 10000), 1);
	ck_assert_int_eq(read(p.fd, got, 2), 2);
	ck_assert_mem_eq(got, "ok", 2);
	fclose(f);
	f = fopen(in, "r+e");
	ck_assert_int_eq(write(fileno(f), "k", 1), 1);
	for (unsigned int i = 0; i < 1000 && !(lsr & 1); i++) {
		poll(NULL, 0, 10);
		bus_read(pio, 0x3FD, &lsr, 1);
	}
	bus_read(pio, 0x3F8, got, 1);
	ck_assert_uint_eq(got[0], 'k');
	fclose(f);
	end();
	g_unlink(in);
	g_unlink(out);
}
END_TEST

static int connect_to(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	g_strlcpy(a.sun_path, path, sizeof(a.sun_path));
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* What is printed before the port has seen the connection goes nowhere. */
static void print_until_heard(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char got = 0;

	for (unsigned int i = 0; i < 1000 && poll(&p, 1, 10) != 1; i++)
		print(0x3F8, "x");
	ck_assert_int_eq(recv(fd, &got, 1, MSG_DONTWAIT), 1);
	ck_assert_int_eq(got, 'x');
}

START_TEST(a_socket_is_removed_at_the_end)
{
	g_autofree char *path = g_build_filename(dir, "s", NULL);

	add("unix=s,listen");
	begin();
	ck_assert(!access(path, F_OK));
	end();
	ck_assert(access(path, F_OK));
	/* no other file is taken for one that was left behind */
	g_file_set_contents(path, "mine", -1, NULL);
	ck_assert_ptr_null(make(NULL));
	expect_file("s", "mine");
}
END_TEST

/* Its users would find this one there from then on. */
START_TEST(another_machines_socket_stays_its)
{
	g_autofree char *path = g_build_filename(dir, "s", NULL);
	GError *error = NULL;
	struct bus *first;
	int fd;

	add("unix=s,listen");
	begin();
	first = pio;
	ck_assert_ptr_null(make(&error));
	ck_assert_ptr_nonnull(strstr(error->message, "in use"));
	g_error_free(error);
	bus_free(pio);
	pio = first;
	fd = connect_to(path);
	print_until_heard(fd);
	close(fd);
	end();
	ck_assert(access(path, F_OK));
}
END_TEST

START_TEST(who_runs_a_command_has_the_first_two)
{
	int pair[2];
	char got[4];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	config->com2_fd = pair[0];
	begin();
	print(0x2F8, "done");
	ck_assert_int_eq(recv(pair[1], got, 4, MSG_WAITALL), 4);
	ck_assert_mem_eq(got, "done", 4);
	end();
	close(pair[0]);
	close(pair[1]);
}
END_TEST

static const char *const wrong[] = {
	"file=no/file", "unix=nobody", "dev=tty", "pipe=p", "null,log=no/log",
};

START_TEST(what_cannot_be_opened_is_named)
{
	GError *error = NULL;

	add(wrong[_i]);
	ck_assert_ptr_null(make(&error));
	ck_assert(error->domain == G_FILE_ERROR);
	ck_assert_ptr_nonnull(strstr(error->message, "--serial"));
	g_error_free(error);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vm/devices/vm_serials");
	TCase *t = tcase_create("serials");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, four_ports_are_four_files);
	tcase_add_test(t, there_are_two_at_least);
	tcase_add_test(t, a_file_is_emptied_or_not);
	tcase_add_test(t, any_kind_has_a_log);
	tcase_add_test(t, pipes_go_both_ways);
	tcase_add_test(t, a_socket_is_removed_at_the_end);
	tcase_add_test(t, another_machines_socket_stays_its);
	tcase_add_test(t, who_runs_a_command_has_the_first_two);
	tcase_add_loop_test(t, what_cannot_be_opened_is_named, 0,
			    (int)G_N_ELEMENTS(wrong));
	suite_add_tcase(s, t);
	return check_main(s);
}
