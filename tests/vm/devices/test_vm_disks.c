/* SPDX-License-Identifier: MIT */
/*
 * The machine's disks over real images; a controller is what this file says,
 * in the place of vsp/storvsp.
 */
#include "vm/devices/vm_disks.h"

#include <errno.h>
#include <stdatomic.h>

#include "config/machine_config.h"
#include "devices/block/block_impl.h"
#include "devices/block/block_open.h"
#include "support/block_user.h"
#include "support/check_main.h"
#include "support/image_file.h"
#include "vsp/scsi/scsi.h"
#include "vsp/storvsp/storvsp.h"

#define DISK_BYTES (1u << 20)

/* --- controllers ------------------------------------------------------------------ */

struct storvsp {
	struct scsi_lun *units[STORVSP_LUNS];
	int let_go_result, remove_result;
	unsigned int retries;
	/* what is to be called when no channel uses it any more */
	struct {
		void (*fn)(void *ctx);
		void *ctx;
	} gone[4];
	unsigned int n_gone;
};

static struct storvsp controllers[2];

int storvsp_add(struct storvsp *s, uint8_t lun, struct scsi_lun *unit)
{
	if (s->units[lun])
		return -EEXIST;
	s->units[lun] = unit;
	return 0;
}

static void remember(struct storvsp *s, void (*fn)(void *ctx), void *ctx)
{
	ck_assert_uint_lt(s->n_gone, G_N_ELEMENTS(s->gone));
	s->gone[s->n_gone].fn = fn;
	s->gone[s->n_gone++].ctx = ctx;
}

int storvsp_remove(struct storvsp *s, uint8_t lun, void (*removed)(void *ctx),
		   void *ctx)
{
	if (s->remove_result)
		return s->remove_result;
	s->units[lun] = NULL;
	remember(s, removed, ctx);
	return 0;
}

int storvsp_let_go(struct storvsp *s, uint8_t lun, void (*gone)(void *ctx),
		   void *ctx)
{
	if (!s->units[lun])
		return -ENOENT;
	if (s->let_go_result)
		return s->let_go_result;
	remember(s, gone, ctx);
	return 0;
}

void storvsp_resized(struct storvsp *s, uint8_t lun)
{
	(void)s;
	(void)lun;
}

void storvsp_retry(struct storvsp *s)
{
	s->retries++;
}

struct scsi_lun *storvsp_unit(const struct storvsp *s, uint8_t lun)
{
	return s->units[lun];
}

/* The channels are done with all that had to go. */
static void all_gone(struct storvsp *s)
{
	unsigned int n = s->n_gone;

	s->n_gone = 0;
	for (unsigned int i = 0; i < n; i++)
		if (s->gone[i].fn)
			s->gone[i].fn(s->gone[i].ctx);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

/* --- machines ---------------------------------------------------------------------- */

static struct image_file file, second;
static struct machine_config *config;
static struct vm_disks *disks;
static unsigned int n_stops, n_grown;
static char *why;

static void on_stop(void *ctx, const char *text)
{
	ck_assert_ptr_eq(ctx, &n_stops);
	n_stops++;
	g_free(why);
	why = g_strdup(text);
}

static int grow(void *ctx, unsigned int n, GError **error)
{
	ck_assert_ptr_eq(ctx, &n_stops);
	if (n > 1) {
		g_set_error(error, CONFIG_ERROR, 0, "no more");
		return -1;
	}
	n_grown++;
	vm_disks_attach(disks, DISK_SCSI, n, &controllers[n]);
	return 0;
}

/* What was told of the first that failed. */
static char *failed;

static void on_failed(void *ctx, const char *name, const char *node,
		      bool is_read, int err, const char *action)
{
	ck_assert_ptr_eq(ctx, &n_stops);
	ck_assert(is_read);
	ck_assert_int_eq(err, -EIO);
	if (!failed)
		failed = g_strdup_printf("%s, %s, %s", name, node, action);
}

static const struct vm_disks_events events = {
	.stop = on_stop, .failed = on_failed, .grow = grow};

static void add_config(const char *path, const char *options)
{
	g_autofree char *text = g_strconcat(path, options, NULL);
	struct disk_config *d = disk_config_parse(text, NULL);

	ck_assert_ptr_nonnull(d);
	g_ptr_array_add(config->disks, d);
}

static void start(void)
{
	g_autoptr(GError) error = NULL;

	disks = vm_disks_new(config, &error);
	ck_assert_msg(disks, "%s", error ? error->message : "");
	vm_disks_listen(disks, &events, &n_stops);
	if (vm_disks_controllers(disks, DISK_SCSI))
		vm_disks_attach(disks, DISK_SCSI, 0, &controllers[0]);
}

static void setup(void)
{
	image_file_make(&file, DISK_BYTES);
	image_file_make(&second, DISK_BYTES);
	memset(controllers, 0, sizeof(controllers));
	config = machine_config_new();
	n_stops = 0;
	n_grown = 0;
}

static void teardown(void)
{
	for (unsigned int i = 0; i < 2; i++)
		all_gone(&controllers[i]);
	vm_disks_free(disks);
	disks = NULL;
	machine_config_free(config);
	image_file_end(&file);
	image_file_end(&second);
	g_clear_pointer(&why, g_free);
	g_clear_pointer(&failed, g_free);
}

static struct block *block_at(uint8_t lun)
{
	return scsi_lun_block(controllers[0].units[lun]);
}

/* May somebody else write to it, so is it closed? */
static bool is_free(const struct image_file *f)
{
	const struct block_options o = {.path = f->path, .format = "raw"};
	struct block *b = block_open(&o, NULL);

	block_free(b);
	return b != NULL;
}

/* --- images ----------------------------------------------------------------------- */

START_TEST(bad_images_are_mistakes_of_the_configuration)
{
	static const char *const bad[] = {"/nonexistent/image", "/dev/null",
					  "/"};
	g_autoptr(GError) error = NULL;

	add_config(bad[_i], "");
	ck_assert_ptr_null(vm_disks_new(config, &error));
	ck_assert_msg(error->domain == CONFIG_ERROR &&
			      g_str_has_prefix(error->message, "disk: "),
		      "%s", error->message);
}
END_TEST

START_TEST(two_writers_are_a_mistake)
{
	g_autoptr(GError) error = NULL;

	add_config(file.path, "");
	add_config(file.path, "");
	ck_assert_ptr_null(vm_disks_new(config, &error));
	ck_assert(error->domain == CONFIG_ERROR);
	ck_assert(is_free(&file));
}
END_TEST

/* Two of us may write to it, as nobody else says no. */
START_TEST(an_image_may_be_shared)
{
	add_config(file.path, ",shareable");
	add_config(file.path, ",shareable,io=threads");
	start();
	ck_assert_str_eq(block_kind(block_at(1)), "raw, threads");
	ck_assert(!is_free(&file));
}
END_TEST

/* --- controllers' channels ---------------------------------------------------------- */

START_TEST(a_controller_is_served_as_its_disks_say)
{
	struct storvsp_params p = {.slow_ns = 3};

	add_config(file.path, ",snapshot,poll=20");
	add_config(file.path, ",snapshot,poll=10,monitor=500");
	add_config(file.path, ",snapshot,monitor=100");
	add_config(file.path, ",snapshot,bus=ide");
	start();
	vm_disks_describe(disks, DISK_SCSI, 0, &p);
	ck_assert_uint_eq(p.poll_ns, 20000);
	ck_assert_uint_eq(p.monitor_latency_100ns, 1000);
	ck_assert_uint_eq(p.slow_ns, 3);
	vm_disks_describe(disks, DISK_SCSI, 1, &p);
	ck_assert_uint_eq(p.poll_ns, 0);
	vm_disks_describe(disks, DISK_IDE, 0, &p);
	ck_assert_uint_eq(p.poll_ns, 0);
	ck_assert_uint_eq(p.monitor_latency_100ns, 0);
}
END_TEST

START_TEST(a_disk_that_comes_changes_no_channel)
{
	static const char *const texts[] = {",dvd,poll=20", ",dvd,monitor=50"};
	g_autoptr(GError) error = NULL;

	start();
	ck_assert_ptr_null(vm_disks_add(disks, texts[_i], NULL, &error));
	ck_assert(error->domain == CONFIG_ERROR);
	ck_assert(strstr(error->message, "from the start"));
}
END_TEST

/* --- limits ------------------------------------------------------------------------- */

START_TEST(groups_share_limits)
{
	add_config(file.path, ",throttle-group=g,snapshot");
	add_config(file.path, ",throttle-group=g,snapshot,iops=9");
	add_config(file.path, ",iops=9,snapshot");
	add_config(file.path, ",snapshot");
	start();
	ck_assert_ptr_nonnull(block_at(0)->throttle);
	ck_assert_ptr_eq(block_at(0)->throttle, block_at(1)->throttle);
	ck_assert_ptr_nonnull(block_at(2)->throttle);
	ck_assert_ptr_ne(block_at(2)->throttle, block_at(0)->throttle);
	ck_assert_ptr_null(block_at(3)->throttle);
}
END_TEST

static int limit(const char *name, const char *text)
{
	g_autoptr(GError) error = NULL;

	return vm_disks_limit(disks, name, text, &error);
}

START_TEST(limits_change_while_it_runs)
{
	struct throttle *before;

	add_config(file.path, "");
	start();
	ck_assert_ptr_null(block_at(0)->throttle);
	ck_assert_int_eq(limit("scsi0:0", "iops=5"), 0);
	/* A way into the image that has none is closed. */
	ck_assert_uint_eq(controllers[0].n_gone, 1);
	before = block_at(0)->throttle;
	ck_assert_ptr_nonnull(before);
	ck_assert_int_eq(limit("scsi0:0", "bps=7M"), 0);
	ck_assert_int_eq(limit("scsi0:0", "none"), 0);
	ck_assert_ptr_eq(block_at(0)->throttle, before);
	ck_assert_uint_eq(controllers[0].n_gone, 3);
	ck_assert_int_ne(limit("scsi0:0", "bps=x"), 0);
	ck_assert_int_ne(limit("scsi0:1", "bps=1"), 0);
	ck_assert_uint_eq(controllers[0].n_gone, 3);
	controllers[0].let_go_result = -EBUSY;
	ck_assert_int_ne(limit("scsi0:0", "bps=1"), 0);
}
END_TEST

START_TEST(limits_of_a_group_are_all_its_disks)
{
	add_config(file.path, ",throttle-group=g,snapshot,iops=9");
	add_config(file.path, ",throttle-group=g,snapshot");
	add_config(file.path, ",iops=9,snapshot");
	start();
	ck_assert_int_eq(limit("scsi0:1", "iops=5"), 0);
	ck_assert_uint_eq(controllers[0].n_gone, 2);
}
END_TEST

START_TEST(a_disc_that_comes_has_the_drives_limits)
{
	add_config("", ",dvd");
	start();
	ck_assert_int_eq(limit("scsi0:0", "iops=5"), 0);
	ck_assert_int_eq(vm_disks_insert(disks, "scsi0:0", second.path, NULL),
			 0);
	ck_assert_ptr_nonnull(block_at(0)->throttle);
}
END_TEST

/* --- errors -------------------------------------------------------------------------- */

static const struct {
	const char *options;
	enum block_policy on_read, on_write;
} policies[] = {
	{"", BLOCK_REPORT, BLOCK_ENOSPACE},
	{",error-policy=stop", BLOCK_STOP, BLOCK_STOP},
	{",error-policy=ignore", BLOCK_IGNORE, BLOCK_IGNORE},
	{",error-policy=report", BLOCK_REPORT, BLOCK_REPORT},
	{",error-policy=enospace", BLOCK_REPORT, BLOCK_ENOSPACE},
	{",rerror-policy=stop", BLOCK_STOP, BLOCK_ENOSPACE},
	{",error-policy=stop,rerror-policy=report", BLOCK_REPORT, BLOCK_STOP},
};

START_TEST(policies_are_libvirts)
{
	add_config(file.path, policies[_i].options);
	start();
	ck_assert_int_eq(block_at(0)->errors.on_read, policies[_i].on_read);
	ck_assert_int_eq(block_at(0)->errors.on_write, policies[_i].on_write);
}
END_TEST

/* The image is truncated under us, and is as it was when we go on. */
START_TEST(an_error_stops_the_machine)
{
	static uint8_t data[2][512];
	struct user_io u[2];
	struct block_queue *q;

	add_config(file.path, ",rerror-policy=stop");
	start();
	q = user_queue(block_at(0));
	ck_assert_int_eq(ftruncate(file.fd, 0), 0);
	for (unsigned int i = 0; i < 2; i++) {
		user_prepare(&u[i], BLOCK_READ, 4096 * i, data[i], 512);
		block_queue_submit(q, &u[i].io);
	}
	block_queue_kick(q);
	while (block_queue_in_flight(q) && block_queue_reap(q))
		;
	for (unsigned int i = 0; !n_stops && i < 10000; i++) {
		user_poll(q, 1);
		block_queue_reap(q);
		g_main_context_iteration(NULL, FALSE);
	}
	ck_assert_str_eq(why, "disk scsi0:0: read: Input/output error");
	while (g_main_context_iteration(NULL, FALSE))
		;
	ck_assert_uint_eq(n_stops, 1);
	ck_assert_uint_eq(u[0].n_done + u[1].n_done, 0);
	ck_assert_int_eq(ftruncate(file.fd, DISK_BYTES), 0);
	vm_disks_retry(disks);
	ck_assert_uint_eq(controllers[0].retries, 1);
	block_queue_retry(q);
	user_drain(q);
	ck_assert(!u[0].result && !u[1].result);
	block_queue_free(q);
}
END_TEST

static const struct {
	const char *node, *told;
} nodes[] = {{"n1", "scsi0:0, n1, report"}, {NULL, "scsi0:0, scsi0:0, report"}};

START_TEST(an_error_says_what_the_image_is_called)
{
	g_autofree char *name = NULL;
	static uint8_t data[512];
	struct block_queue *q;
	struct user_io u;

	start();
	name = vm_disks_add(disks, file.path, nodes[_i].node, NULL);
	ck_assert_ptr_nonnull(name);
	q = user_queue(block_at(0));
	ck_assert_int_eq(ftruncate(file.fd, 0), 0);
	user_prepare(&u, BLOCK_READ, 0, data, sizeof(data));
	ck_assert_int_eq(user_finish(q, &u), -EIO);
	ck_assert_str_eq(failed, nodes[_i].told);
	block_queue_free(q);
}
END_TEST

/* --- changes ---------------------------------------------------------------------------- */

START_TEST(a_controller_comes_with_its_first_disk)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *name = NULL;

	start();
	name = vm_disks_add(disks, file.path, NULL, &error);
	ck_assert_msg(name, "%s", error ? error->message : "");
	ck_assert_str_eq(name, "scsi0:0");
	ck_assert_uint_eq(n_grown, 1);
	ck_assert_ptr_nonnull(controllers[0].units[0]);
}
END_TEST

START_TEST(controllers_come_until_there_are_no_more)
{
	g_autoptr(GError) error = NULL;

	add_config("", ",dvd");
	start();
	for (unsigned int i = 1; i < 2 * STORVSP_LUNS; i++) {
		g_autofree char *name =
			vm_disks_add(disks, ",dvd", NULL, &error);
		g_autofree char *want = g_strdup_printf(
			"scsi%u:%u", i / STORVSP_LUNS, i % STORVSP_LUNS);

		ck_assert_str_eq(name, want);
	}
	ck_assert_uint_eq(n_grown, 1);
	ck_assert_ptr_null(vm_disks_add(disks, ",dvd", NULL, &error));
	ck_assert_str_eq(error->message, "no more");
}
END_TEST

START_TEST(a_removed_disk_is_closed)
{
	add_config(file.path, "");
	start();
	ck_assert(!is_free(&file));
	ck_assert_int_eq(vm_disks_remove(disks, "scsi0:0", NULL, NULL, NULL),
			 0);
	ck_assert(!is_free(&file));
	all_gone(&controllers[0]);
	ck_assert(is_free(&file));
}
END_TEST

/* A disc goes while another change of the drive is under way. */
START_TEST(an_old_disc_is_closed_when_it_can_be)
{
	add_config(file.path, ",dvd");
	start();
	controllers[0].let_go_result = -EBUSY;
	ck_assert_int_eq(vm_disks_eject(disks, "scsi0:0", true, NULL), 0);
	ck_assert_int_eq(vm_disks_insert(disks, "scsi0:0", second.path, NULL),
			 0);
	ck_assert(!is_free(&file));
	controllers[0].let_go_result = 0;
	/* The next to end is this one's. */
	ck_assert_int_eq(vm_disks_eject(disks, "scsi0:0", true, NULL), 0);
	all_gone(&controllers[0]);
	ck_assert(is_free(&second));
	ck_assert(!is_free(&file));
	all_gone(&controllers[0]);
	ck_assert(is_free(&file));
}
END_TEST

START_TEST(a_waiting_disc_goes_with_its_drive)
{
	add_config(file.path, ",dvd");
	start();
	controllers[0].let_go_result = -EBUSY;
	ck_assert_int_eq(vm_disks_eject(disks, "scsi0:0", true, NULL), 0);
	ck_assert_int_eq(vm_disks_remove(disks, "scsi0:0", NULL, NULL, NULL),
			 0);
	ck_assert(!is_free(&file));
	all_gone(&controllers[0]);
	ck_assert(is_free(&file));
}
END_TEST

START_TEST(what_still_waits_is_closed_at_the_end)
{
	add_config(file.path, ",dvd");
	start();
	controllers[0].let_go_result = -EBUSY;
	ck_assert_int_eq(vm_disks_eject(disks, "scsi0:0", true, NULL), 0);
	vm_disks_free(disks);
	disks = NULL;
	ck_assert(is_free(&file));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vm/devices/vm_disks");
	TCase *tc = tcase_create("vm_disks");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, bad_images_are_mistakes_of_the_configuration, 0,
			    3);
	tcase_add_test(tc, two_writers_are_a_mistake);
	tcase_add_test(tc, an_image_may_be_shared);
	tcase_add_test(tc, a_controller_is_served_as_its_disks_say);
	tcase_add_loop_test(tc, a_disk_that_comes_changes_no_channel, 0, 2);
	tcase_add_test(tc, groups_share_limits);
	tcase_add_test(tc, limits_change_while_it_runs);
	tcase_add_test(tc, limits_of_a_group_are_all_its_disks);
	tcase_add_test(tc, a_disc_that_comes_has_the_drives_limits);
	tcase_add_loop_test(tc, policies_are_libvirts, 0,
			    G_N_ELEMENTS(policies));
	tcase_add_test(tc, an_error_stops_the_machine);
	tcase_add_loop_test(tc, an_error_says_what_the_image_is_called, 0,
			    G_N_ELEMENTS(nodes));
	tcase_add_test(tc, a_controller_comes_with_its_first_disk);
	tcase_add_test(tc, controllers_come_until_there_are_no_more);
	tcase_add_test(tc, a_removed_disk_is_closed);
	tcase_add_test(tc, an_old_disc_is_closed_when_it_can_be);
	tcase_add_test(tc, a_waiting_disc_goes_with_its_drive);
	tcase_add_test(tc, what_still_waits_is_closed_at_the_end);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
