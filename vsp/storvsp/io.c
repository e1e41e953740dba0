/* SPDX-License-Identifier: MIT */
/*
 * io.c - commands of the guest: from a packet to a unit, and back.
 *
 * storvsp_execute() takes a request of the channel's table, finds the unit and
 * this channel's queue into its storage, makes an iovec of the guest's ranges,
 * and submits.  After a few commands, or when a batch of packets is over,
 * storvsp_kick() sends them to the host; what the host did at once (a read that
 * its cache had) is answered in the same go, the rest when the queue's
 * descriptor says so.  Either way the guest sees a few answers at a time where
 * it runs beside us, and is interrupted if it had seen all that came before.
 *
 * Results, as Linux reads them (storvsc_on_io_completion(),
 * storvsc_handle_error()): only srb_status 1 is success, sense data counts
 * only with the bit that says so, data_transfer_length is what was moved.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/findings.h"
#include "base/log.h"
#include "base/trace.h"
#include "mem/gmem.h"
#include "mem/gpa_range.h"
#include "proto/scsi.h"
#include "vsp/storvsp/impl.h"

#define LOG_CATEGORY "storage"
/*
 * Commands after which the host is told of them, and answers after which the
 * guest is.  All at once costs less, but guest, controller and storage then
 * wait for each other in turn instead of working at the same time: right
 * only where guest and controller cannot.
 */
#define STEP         4u
/* A guest has been told of a removal, and has tried what it had to. */
#define REMOVAL_NS   (60 * NSEC_PER_SEC)
/* Worth a word in the flight recorder; Linux gives a command 30 s. */
#define SLOW_NS      NSEC_PER_SEC

/* --- the table of requests ---------------------------------------------------- */

void storvsp_requests_init(struct storvsp_channel *c)
{
	c->requests = g_new0(struct storvsp_request, STORVSP_REQUESTS);
	for (unsigned int i = 0; i < STORVSP_REQUESTS; i++) {
		c->requests[i].channel = c;
		c->requests[i].next = c->free;
		c->free = &c->requests[i];
	}
}

static void set_in_flight(struct storvsp_channel *c, unsigned int n)
{
	c->in_flight = n;
	atomic_store_explicit(&c->n.in_flight, n, memory_order_relaxed);
}

static struct storvsp_request *take_request(struct storvsp_channel *c)
{
	struct storvsp_request *r = c->free;

	if (!r) {
		c->stalled = true;
		return NULL;
	}
	c->free = r->next;
	r->unit = NULL;
	r->pin = NULL;
	r->absent = false;
	r->is_faulty = false;
	set_in_flight(c, c->in_flight + 1);
	return r;
}

/* After the last use of @r: somebody may have waited for it. */
static void put_request(struct storvsp_request *r)
{
	struct storvsp_channel *c = r->channel;
	struct storvsp_unit *u = r->unit;

	r->next = c->free;
	c->free = r;
	set_in_flight(c, c->in_flight - 1);
	if (u && !--u->in_flight)
		storvsp_unit_idle(u);
	if (c->stalled && !c->s->resetting) {
		c->stalled = false;
		channel_resume(c->ch);
	}
	if (!c->in_flight && !c->holds)
		storvsp_idle(c);
}

/* The unit's queue stays, and so does the channel, though all may end. */
static void hold_unit(struct storvsp_unit *u)
{
	u->in_flight++;
	u->channel->holds++;
}

/* Nothing of the channel's may be touched after it: it may be closed. */
static void release_unit(struct storvsp_unit *u)
{
	struct storvsp_channel *c = u->channel;

	if (!--u->in_flight)
		storvsp_unit_idle(u);
	if (!--c->holds && !c->in_flight)
		storvsp_idle(c);
}

/* Is the other side to be told, after the @n-th? */
static bool is_step(const struct storvsp_channel *c, unsigned int n)
{
	return n % STEP == 0 && !channel_shares_processor(c->ch);
}

/* --- answers -------------------------------------------------------------------- */

static bool is_read_or_write(uint8_t opcode)
{
	switch (opcode) {
	case READ_6:
	case READ_10:
	case READ_12:
	case READ_16:
	case WRITE_6:
	case WRITE_10:
	case WRITE_12:
	case WRITE_16:
		return true;
	default:
		return false;
	}
}

/* Is there a read or write of the medium behind this CDB? */
static bool moves_data(const struct scsi_request *r)
{
	return r->transferred && is_read_or_write(r->cdb[0]);
}

static void count_result(struct storvsp_request *r)
{
	struct storvsp_channel *c = r->channel;
	struct storvsp *s = c->s;

	if (r->scsi.status != SAM_STAT_GOOD)
		storvsp_count(&c->n.errors, 1);
	else if (r->scsi.dir == SCSI_FROM_DEVICE)
		storvsp_count(&c->n.bytes_read, r->scsi.transferred);
	else if (r->scsi.dir == SCSI_TO_DEVICE)
		storvsp_count(&c->n.bytes_written, r->scsi.transferred);
	if (!s->had_io && r->scsi.status == SAM_STAT_GOOD &&
	    moves_data(&r->scsi) && !atomic_exchange(&s->had_io, true) &&
	    s->params.io)
		s->params.io(s->params.vsp.ctx);
}

static uint8_t srb_status(const struct storvsp_request *r)
{
	switch (r->scsi.status) {
	case SAM_STAT_GOOD:
		return SRB_STATUS_SUCCESS;
	case SAM_STAT_BUSY:
		/* Not an error for Linux: it looks at the SCSI status then. */
		return SRB_STATUS_BUSY;
	default:
		return r->absent ? SRB_STATUS_INVALID_LUN : SRB_STATUS_ERROR;
	}
}

static uint32_t nt_status(uint8_t srb)
{
	switch (srb) {
	case SRB_STATUS_SUCCESS:
		return NT_STATUS_SUCCESS;
	case SRB_STATUS_INVALID_REQUEST:
		return NT_STATUS_INVALID_DEVICE_REQUEST;
	case SRB_STATUS_INVALID_LUN:
		return NT_STATUS_DEVICE_NOT_EXIST;
	default:
		return NT_STATUS_IO_DEVICE_ERROR;
	}
}

/* Sense data goes where the CDB was. */
static uint8_t set_sense(struct storvsp_request *r)
{
	struct vmscsi_request *srb = &r->packet.vm_srb;
	uint32_t max = r->channel->s->version < VMSTOR_PROTO_VERSION_WIN8
			       ? PRE_WIN8_STORVSC_SENSE_BUFFER_SIZE
			       : STORVSC_SENSE_BUFFER_SIZE;
	uint32_t n = MIN(r->scsi.sense_bytes, max);

	n = MIN(n, srb->sense_info_length);
	memset(srb->sense_data, 0, sizeof(srb->sense_data));
	memcpy(srb->sense_data, r->scsi.sense, n);
	srb->sense_info_length = (uint8_t)n;
	return n ? SRB_STATUS_AUTOSENSE_VALID : 0;
}

/* Key and code, fixed format. */
static uint64_t sense_of(const struct scsi_request *q)
{
	if (q->sense_bytes <= 13)
		return 0;
	return (uint64_t)(q->sense[2] & 0xF) << 16 |
	       (uint64_t)q->sense[12] << 8 | q->sense[13];
}

/* One of three: what is not as it should be is in the flight recorder. */
static void trace_done(const struct storvsp_request *r)
{
	const struct scsi_request *q = &r->scsi;
	uint64_t slow = r->channel->s->params.slow_ns, cdb;
	uint64_t took = r->channel->now - r->since;
	uint16_t device = channel_trace(r->channel->ch);
	uint32_t status = r->packet.vm_srb.srb_status | (uint32_t)q->status
								<< 8;

	memcpy(&cdb, q->cdb, sizeof(cdb));
	if (status != (SRB_STATUS_SUCCESS | SAM_STAT_GOOD << 8))
		trace_event(storvsc_failed, TRACE_NO_VP, device, r->trans_id,
			    cdb, status, q->transferred, sense_of(q));
	else if (took >= (slow ? slow : SLOW_NS))
		trace_event(storvsc_slow, TRACE_NO_VP, device, r->trans_id, cdb,
			    status, q->transferred, took / NSEC_PER_MSEC);
	else
		trace_event(storvsc_done, TRACE_NO_VP, device, r->trans_id, cdb,
			    status, q->transferred);
}

static void trace_command(const struct storvsp_request *r)
{
	const struct vmscsi_request *srb = &r->packet.vm_srb;
	uint64_t cdb[2];

	memcpy(cdb, srb->cdb, sizeof(cdb));
	trace_event(storvsc_command, TRACE_NO_VP, channel_trace(r->channel->ch),
		    r->trans_id, cdb[0], cdb[1],
		    srb->lun | (uint32_t)srb->target_id << 8,
		    srb->data_transfer_length);
}

static void send_answer(struct storvsp_request *r, uint8_t srb)
{
	struct vstor_packet *p = &r->packet;

	/* Once it is answered the memory is the guest's. */
	gmem_unpin(r->channel->s->mem, r->pin);
	p->operation = VSTOR_OPERATION_COMPLETE_IO;
	p->flags = 0;
	p->status = nt_status(srb);
	p->vm_srb.scsi_status = r->scsi.status;
	p->vm_srb.data_transfer_length = r->scsi.transferred;
	if (srb != SRB_STATUS_ERROR)
		r->scsi.sense_bytes = 0;
	p->vm_srb.srb_status = srb | set_sense(r);
	if (r->is_faulty)
		storvsp_fault_lie(r);
	trace_done(r);
	/* There was room when it was taken; or the channel is gone. */
	channel_complete(r->channel->ch, r->trans_id, p, r->bytes);
	if (is_step(r->channel, ++r->channel->answers))
		channel_flush(r->channel->ch);
}

void storvsp_answer(struct storvsp_request *r)
{
	send_answer(r, srb_status(r));
	put_request(r);
}

void storvsp_forget(struct storvsp_request *r)
{
	gmem_unpin(r->channel->s->mem, r->pin);
	put_request(r);
}

static void on_done(struct scsi_request *scsi)
{
	struct storvsp_request *r = (struct storvsp_request *)scsi;

	count_result(r);
	if (!r->is_faulty || !storvsp_fault_done(r))
		storvsp_answer(r);
}

/* Not one that a unit could look at. */
static int refuse(struct storvsp_request *r, const char *why)
{
	findings_hit(r->channel->s->state == STORVSP_READY
			     ? FINDING_STORAGE_COMMAND
			     : FINDING_STORAGE_ORDER,
		     channel_name(r->channel->ch), "CDB 0x%02x: %s",
		     r->packet.vm_srb.cdb[0], why);
	log_debug("channel %s: a command refused: %s",
		  channel_name(r->channel->ch), why);
	storvsp_count(&r->channel->n.refused, 1);
	r->scsi.status = SAM_STAT_GOOD;
	r->scsi.transferred = 0;
	r->scsi.sense_bytes = 0;
	send_answer(r, SRB_STATUS_INVALID_REQUEST);
	put_request(r);
	return 0;
}

/* --- queues into the storage ------------------------------------------------------ */

static void on_queue_ready(struct worker_fd *fd, uint32_t events)
{
	struct storvsp_unit *u =
		(void *)((uint8_t *)fd - offsetof(struct storvsp_unit, fd));
	struct channel *ch = u->channel->ch;

	(void)events;
	hold_unit(u);
	u->channel->now = clock_monotonic_ns();
	channel_hold(ch);
	if (block_queue_reap(u->queue))
		block_queue_kick(u->queue); /* next steps */
	channel_unhold(ch);
	release_unit(u);
}

void storvsp_drop_queue(struct storvsp_unit *u)
{
	if (!u->queue)
		return;
	worker_unwatch(u->channel->worker, &u->fd);
	block_queue_free(u->queue);
	u->queue = NULL;
	u->channel->touched &= ~storvsp_unit_bit(u);
}

void storvsp_hurry(struct storvsp_channel *c, bool on)
{
	for (unsigned int i = 0; i < STORVSP_LUNS; i++) {
		if (c->units[i].queue)
			block_queue_drain(c->units[i].queue, on);
	}
	if (on)
		storvsp_fault_hurry(c);
}

void storvsp_retry_channel(struct storvsp_channel *c)
{
	for (unsigned int i = 0; i < STORVSP_LUNS; i++) {
		if (c->units[i].queue)
			block_queue_retry(c->units[i].queue);
	}
}

static int make_queue(struct storvsp_unit *u, struct block *block)
{
	GError *error = NULL;
	int err;

	u->queue = block_queue_new(block, &error);
	if (!u->queue) {
		log_warn_ratelimited("channel %s: %s",
				     channel_name(u->channel->ch),
				     error->message);
		g_clear_error(&error);
		return -ENOMEM;
	}
	u->fd.fd = block_queue_fd(u->queue);
	u->fd.run = on_queue_ready;
	err = worker_watch(u->channel->worker, &u->fd, EPOLLIN);
	if (err) {
		block_queue_free(u->queue);
		u->queue = NULL;
	}
	return err;
}

/*
 * The queue for a command, made when it is needed first or when the medium is
 * another.  Return: 0, @queue NULL if there is no medium; -EAGAIN not yet;
 * another -errno.
 */
static int find_queue(struct storvsp_unit *u, struct block_queue **queue)
{
	struct block *block = scsi_lun_block(u->lun);
	int err = 0;

	*queue = NULL;
	if (!block)
		return 0;
	if (u->queue && block_queue_block(u->queue) != block) {
		if (u->in_flight)
			return -EAGAIN;
		storvsp_drop_queue(u);
	}
	if (!u->queue)
		err = make_queue(u, block);
	*queue = u->queue;
	return err;
}

/* --- commands ----------------------------------------------------------------------- */

/*
 * Make the iovec of the data.  Return: NULL; else what is wrong.
 */
static const char *map_data(struct storvsp_request *r,
			    const struct packet *packet)
{
	struct scsi_request *q = &r->scsi;
	size_t left = q->bytes;
	int n;

	q->n_iov = 0;
	if (!left)
		return NULL;
	if (left > STORVSP_TRANSFER_MAX)
		return "a transfer that is too long";
	if (packet->type != VM_PKT_DATA_USING_GPA_DIRECT ||
	    packet->gpa_bytes < left)
		return "less memory than data";
	n = gpa_ranges_iov(r->channel->s->mem, &packet->gpa, r->iov,
			   BLOCK_IOV_MAX);
	if (n < 0)
		return n == -E2BIG ? "too many pieces" : "memory that is none";
	while (left) {
		struct iovec *v = &r->iov[q->n_iov++];

		v->iov_len = MIN(v->iov_len, left);
		left -= v->iov_len;
	}
	r->pin = gmem_pin(r->channel->s->mem, r->iov, q->n_iov);
	return NULL;
}

/* Fill in the command.  Return: NULL; else what is wrong. */
static const char *decode(struct storvsp_request *r,
			  const struct packet *packet)
{
	const struct vmscsi_request *srb = &r->packet.vm_srb;
	struct scsi_request *q = &r->scsi;

	q->status = SAM_STAT_GOOD;
	q->sense_bytes = 0;
	q->transferred = 0;
	q->dir = SCSI_NO_DATA;
	q->bytes = 0;
	q->iov = r->iov;
	q->done = on_done;
	q->cdb_bytes = srb->cdb_length;
	if (!srb->cdb_length || srb->cdb_length > STORVSC_MAX_CMD_LEN)
		return "length of CDB";
	memset(q->cdb, 0, sizeof(q->cdb));
	memcpy(q->cdb, srb->cdb, srb->cdb_length);
	if (srb->data_in > VSTOR_DATA_NONE)
		return "direction";
	if (srb->data_in != VSTOR_DATA_NONE && srb->data_transfer_length) {
		q->dir = srb->data_in == VSTOR_DATA_READ ? SCSI_FROM_DEVICE
							 : SCSI_TO_DEVICE;
		q->bytes = srb->data_transfer_length;
	}
	return map_data(r, packet);
}

/* Is it for this controller's one target? */
static bool is_ours(const struct storvsp *s, const struct vmscsi_request *srb)
{
	/* Linux makes up a target for IDE, of the instance. */
	return s->params.ide || (!srb->path_id && !srb->target_id);
}

static struct storvsp_unit *find_unit(struct storvsp_channel *c,
				      const struct vmscsi_request *srb)
{
	struct storvsp_unit *u;

	if (!is_ours(c->s, srb) || srb->lun >= STORVSP_LUNS)
		return NULL;
	u = &c->units[srb->lun];
	return u->lun ? u : NULL;
}

static void report_luns(struct storvsp_request *r)
{
	struct storvsp_channel *c = r->channel;
	uint8_t luns[STORVSP_LUNS];
	unsigned int n = 0;

	for (uint8_t i = 0; i < STORVSP_LUNS; i++) {
		if (c->units[i].lun && is_ours(c->s, &r->packet.vm_srb))
			luns[n++] = i;
	}
	scsi_report_luns(&r->scsi, luns, n);
	on_done(&r->scsi);
}

/*
 * Anything but the INQUIRY of a guest that looks what there is: Linux takes
 * away what it had there (storvsc_handle_error()).
 */
static void guest_sees_absence(struct storvsp_request *r)
{
	const struct vmscsi_request *srb = &r->packet.vm_srb;
	struct storvsp *s = r->channel->s;

	if (r->scsi.cdb[0] != INQUIRY && is_ours(s, srb) &&
	    srb->lun < STORVSP_LUNS)
		s->unseen &= ~(1ull << srb->lun);
}

/* Does the guest still read or write what went long ago? */
static void judge_absent(const struct storvsp_request *r)
{
	const struct vmscsi_request *srb = &r->packet.vm_srb;
	const struct storvsp_channel *c = r->channel;
	uint64_t most =
		c->s->params.removal_ns ? c->s->params.removal_ns : REMOVAL_NS;
	uint64_t since;

	if (!is_ours(c->s, srb) || srb->lun >= STORVSP_LUNS ||
	    !is_read_or_write(r->scsi.cdb[0]))
		return;
	since = c->units[srb->lun].gone_since;
	if (since && clock_monotonic_ns() - since > most)
		findings_hit(FINDING_STORAGE_REMOVED, channel_name(c->ch),
			     "CDB 0x%02x for LUN %u", r->scsi.cdb[0], srb->lun);
}

static void submit(struct storvsp_request *r, struct storvsp_unit *u)
{
	struct storvsp_channel *c = r->channel;

	if (r->scsi.cdb[0] == REPORT_LUNS) {
		report_luns(r);
		return;
	}
	if (!u) {
		storvsp_count(&c->n.absent, 1);
		r->absent = true;
		judge_absent(r);
		guest_sees_absence(r);
		scsi_absent(&r->scsi);
		on_done(&r->scsi);
		return;
	}
	r->unit = u;
	u->in_flight++;
	if (r->scsi.queue)
		c->touched |= storvsp_unit_bit(u);
	scsi_submit(u->lun, &r->scsi);
}

int storvsp_execute(struct storvsp_channel *c, const struct packet *packet,
		    const struct vstor_packet *vstor)
{
	struct storvsp_unit *u = find_unit(c, &vstor->vm_srb);
	struct block_queue *queue = NULL;
	struct storvsp_request *r;
	const char *wrong;
	int err = 0;

	if (c->s->resetting || (u && u->change)) {
		c->stalled = true;
		return -EAGAIN;
	}
	if (u)
		err = find_queue(u, &queue);
	if (err == -EAGAIN)
		c->stalled = true;
	if (err == -EAGAIN || !storvsp_has_room(c))
		return -EAGAIN;
	r = take_request(c);
	if (!r)
		return -EAGAIN;
	if (!c->unkicked)
		c->now = clock_monotonic_ns();
	r->since = c->now;
	r->trans_id = packet->trans_id;
	r->bytes = packet->bytes;
	r->packet = *vstor;
	trace_command(r);
	wrong = decode(r, packet);
	if (c->s->state != STORVSP_READY)
		wrong = "before the initialization is over";
	if (wrong)
		return refuse(r, wrong);
	r->scsi.queue = queue;
	if (storvsp_fault_begin(r)) {
		on_done(&r->scsi);
		return 0;
	}
	if (err) {
		r->scsi.status = SAM_STAT_BUSY;
		on_done(&r->scsi);
		return 0;
	}
	submit(r, u);
	if (is_step(c, ++c->unkicked))
		storvsp_kick(c);
	return 0;
}

void storvsp_kick(struct storvsp_channel *c)
{
	c->unkicked = 0;
	while (c->touched) {
		struct storvsp_unit *u = &c->units[__builtin_ctzll(c->touched)];

		c->touched &= ~storvsp_unit_bit(u);
		hold_unit(u);
		if (u->queue && block_queue_turn(u->queue))
			block_queue_kick(u->queue); /* next steps */
		release_unit(u);
	}
}
