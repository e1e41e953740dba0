/* SPDX-License-Identifier: MIT */
#include "vsp/ic/fcopy.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "proto/vmbus.h"
#include "vsp/ic/ic.h"
#include "vsp/ic/text.h"
#include "vsp/vmbus/worker.h"
#include "vsp/vsp.h"

#define LOG_CATEGORY "ic"

/* The file that is on its way.  The worker, once it is set. */
struct copy {
	int fd;
	uint64_t size, offset;
	uint32_t sent; /* bytes before offset that are not answered */
	uint64_t timeout_ns;
	ic_fcopy_done_fn done;
	void *ctx;
};

struct ic_fcopy {
	struct ic *ic; /* first */
	struct worker *worker;
	_Atomic bool busy;
	_Atomic uint64_t files, bytes, failures;
	struct copy copy; /* while busy */
};

static void finish(struct ic_fcopy *f, int err)
{
	struct copy c = f->copy;

	close(c.fd);
	if (err)
		f->failures++;
	else
		f->files++;
	f->busy = false;
	c.done(c.ctx, err);
}

static int on_canceled(void *ctx, const struct ic_reply *reply)
{
	(void)ctx;
	(void)reply;
	return 0;
}

/* Have the guest drop what it has.  From 6.10 on it says that it cannot. */
static void cancel(struct ic_fcopy *f, int err)
{
	struct hv_fcopy_hdr m = {.operation = CANCEL_FCOPY};

	ic_request(f->ic, &m, sizeof(m), 0, on_canceled, NULL);
	finish(f, err);
}

/* Return: 0; or the copy is over. */
static int check(struct ic_fcopy *f, const struct ic_reply *reply)
{
	if (reply->err == -ETIMEDOUT) {
		cancel(f, reply->err);
	} else if (reply->err) {
		finish(f, reply->err);
	} else if (reply->status) {
		cancel(f, ic_status_error(reply->status));
	} else {
		return 0;
	}
	return -ECANCELED;
}

static int on_completed(void *ctx, const struct ic_reply *reply)
{
	struct ic_fcopy *f = ctx;

	if (!check(f, reply))
		finish(f, 0);
	return 0;
}

static int send_complete(struct ic_fcopy *f)
{
	struct hv_fcopy_hdr m = {.operation = COMPLETE_FCOPY};

	return ic_request(f->ic, &m, sizeof(m), f->copy.timeout_ns,
			  on_completed, f);
}

static int on_written(void *ctx, const struct ic_reply *reply);

static int send_data(struct ic_fcopy *f)
{
	struct copy *c = &f->copy;
	struct hv_do_fcopy m = {.hdr.operation = WRITE_TO_FILE,
				.offset = c->offset};
	ssize_t n;
	int err;

	do
		n = pread(c->fd, m.data,
			  MIN(sizeof(m.data), c->size - c->offset),
			  (off_t)c->offset);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (!n)
		return -EIO; /* it became shorter */
	m.size = (uint32_t)n;
	err = ic_request(f->ic, &m, sizeof(m), c->timeout_ns, on_written, f);
	if (!err) {
		c->sent = m.size;
		c->offset += m.size;
	}
	return err;
}

static void go_on(struct ic_fcopy *f)
{
	struct copy *c = &f->copy;
	int err = c->offset < c->size ? send_data(f) : send_complete(f);

	if (err)
		cancel(f, err);
}

static int on_written(void *ctx, const struct ic_reply *reply)
{
	struct ic_fcopy *f = ctx;

	if (check(f, reply))
		return 0;
	f->bytes += f->copy.sent;
	go_on(f);
	return 0;
}

static int on_started(void *ctx, const struct ic_reply *reply)
{
	struct ic_fcopy *f = ctx;

	if (!check(f, reply))
		go_on(f);
	return 0;
}

/* Return: 0 or -errno. */
static int fill_start(struct hv_start_fcopy *m,
		      const struct ic_fcopy_file *file, uint64_t size)
{
	/* Linux' daemon makes directories only up to the last slash. */
	g_autofree char *directory = g_strconcat(
		file->directory,
		g_str_has_suffix(file->directory, "/") ? "" : "/", NULL);
	int err = *file->name && *file->directory ? 0 : -EINVAL;

	m->hdr.operation = START_FILE_COPY;
	m->file_size = size;
	if (file->overwrite)
		m->copy_flags |= FCOPY_OVER_WRITE;
	if (file->create_directory)
		m->copy_flags |= FCOPY_CREATE_PATH;
	if (!err)
		err = ic_text_put(m->file_name, sizeof(m->file_name),
				  file->name, NULL);
	if (!err)
		err = ic_text_put(m->path_name, sizeof(m->path_name), directory,
				  NULL);
	return err;
}

int ic_fcopy_send(struct ic_fcopy *f, const struct ic_fcopy_file *file,
		  uint64_t timeout_ns, ic_fcopy_done_fn done, void *ctx)
{
	struct hv_start_fcopy m = {0};
	struct stat st;
	int err;

	if (fstat(file->fd, &st) || !S_ISREG(st.st_mode))
		return -EINVAL;
	err = fill_start(&m, file, (uint64_t)st.st_size);
	if (err)
		return err;
	if (atomic_exchange(&f->busy, true))
		return -EBUSY;
	f->copy = (struct copy){
		.fd = file->fd,
		.size = (uint64_t)st.st_size,
		.timeout_ns = timeout_ns,
		.done = done,
		.ctx = ctx,
	};
	err = ic_request(f->ic, &m, sizeof(m), timeout_ns, on_started, f);
	if (err)
		f->busy = false;
	return err;
}

/* --- life ----------------------------------------------------------------------- */

static const struct ic_version_row versions[] = {
	{{1, 1}, 0},
};

static const struct ic_service service = {
	.if_type = HV_FCOPY_GUID,
	.type = ICMSGTYPE_FCOPY,
	.max_body = sizeof(struct hv_do_fcopy),
	.versions = versions,
	.n_versions = G_N_ELEMENTS(versions),
};

struct ic_fcopy *ic_fcopy_new(const struct vsp_params *params)
{
	struct ic_fcopy *f = g_new0(struct ic_fcopy, 1);
	g_autoptr(GError) error = NULL;

	/* Files are read on it, which may take time. */
	f->worker = worker_new("fcopy", &error);
	if (!f->worker) {
		log_warn("file copy: %s", error->message);
		g_free(f);
		return NULL;
	}
	f->ic = ic_new(params, &service, f, f->worker, 0);
	if (!ic_offer(f->ic))
		return f;
	ic_fcopy_free(f);
	return NULL;
}

void ic_fcopy_free(struct ic_fcopy *f)
{
	if (!f)
		return;
	ic_free(f->ic);
	worker_free(f->worker);
	g_free(f);
}

/* --- for the machine ---------------------------------------------------------- */

static void free_device(void *device)
{
	ic_fcopy_free(device);
}

static void say_facts(void *device, const struct vsp_facts *to)
{
	struct ic_fcopy *f = device;

	ic_facts(f->ic, to);
	to->number(to->ctx, "files", f->files);
	to->number(to->ctx, "bytes", f->bytes);
	to->number(to->ctx, "failures", f->failures);
}

const struct vsp_ops ic_fcopy_ops = {
	.free = free_device,
	.channel = ic_device_channel,
	.facts = say_facts,
	.run = ic_device_run,
};
