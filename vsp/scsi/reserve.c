/* SPDX-License-Identifier: MIT */
/*
 * PERSISTENT RESERVE IN and OUT, for the one initiator that there is.
 *
 * Nobody is ever locked out, so that a reservation has no effect but on these
 * commands themselves: they keep the books as SPC-4 "Persistent reservations"
 * says, which is what the cluster software of a guest looks at.  Nothing
 * persists beyond the life of the unit: APTPL is refused.
 */
#include <string.h>

#include <glib.h>

#include "vsp/scsi/scsi_private.h"

/* --- PERSISTENT RESERVE IN ---------------------------------------------------------- */

static struct scsi_reservation now(const struct scsi_request *r)
{
	struct scsi_lun *lun = r->lun;
	struct scsi_reservation pr;

	pthread_mutex_lock(&lun->lock);
	pr = lun->pr;
	pthread_mutex_unlock(&lun->lock);
	return pr;
}

static uint16_t in_allocation(const struct scsi_request *r)
{
	struct scsi_cdb_reserve_in c;

	memcpy(&c, r->cdb, sizeof(c));
	return from_be16(c.allocation);
}

/* @bytes of @data behind the header that all but one have. */
static int answer_list(struct scsi_request *r, uint32_t generation,
		       const void *data, size_t bytes)
{
	struct scsi_reserve_header header = {.generation = to_be32(generation),
					     .length = to_be32(bytes)};
	uint8_t all[sizeof(header) + sizeof(struct scsi_full_status)];

	memcpy(all, &header, sizeof(header));
	memcpy(all + sizeof(header), data, bytes);
	return scsi_answer(r, all, sizeof(header) + bytes, in_allocation(r));
}

int scsi_do_read_keys(struct scsi_request *r)
{
	struct scsi_reservation pr = now(r);
	struct be64 key = to_be64(pr.key);

	return answer_list(r, pr.generation, &key, pr.key ? sizeof(key) : 0);
}

int scsi_do_read_reservation(struct scsi_request *r)
{
	struct scsi_reservation pr = now(r);
	struct scsi_reservation_data d = {.type = pr.type};

	/* One that all registrants hold has no key of its own. */
	if (pr.type != PR_WRITE_EXCLUSIVE_ALL &&
	    pr.type != PR_EXCLUSIVE_ACCESS_ALL)
		d.key = to_be64(pr.key);
	return answer_list(r, pr.generation, &d, pr.type ? sizeof(d) : 0);
}

int scsi_do_report_capabilities(struct scsi_request *r)
{
	static const struct scsi_reserve_capabilities d = {
		.length = {{0, sizeof(d)}},
		.tmv = PR_TMV,
		.types = {PR_MASK_TYPES, PR_MASK_EXCLUSIVE_ACCESS_ALL}};

	return scsi_answer(r, &d, sizeof(d), in_allocation(r));
}

int scsi_do_read_full_status(struct scsi_request *r)
{
	struct scsi_reservation pr = now(r);
	struct scsi_full_status d = {
		.key = to_be64(pr.key),
		.holder = pr.type ? PR_HOLDER : 0,
		.type = pr.type,
		.port = to_be16(1),
		.transport_bytes = to_be32(sizeof(d.transport)),
		/* SPC-4 "TransportID for initiator ports using a parallel SCSI
		 * bus": address 7, port 1 */
		.transport = {PR_TRANSPORT_PARALLEL, 0, 0, 7, 0, 0, 0, 1}};

	return answer_list(r, pr.generation, &d, pr.key ? sizeof(d) : 0);
}

/* --- PERSISTENT RESERVE OUT ----------------------------------------------------------- */

/* What is asked for. */
struct ask {
	uint8_t action, type;
	uint64_t key, action_key;
};

static void unregister(struct scsi_reservation *pr)
{
	pr->key = 0;
	pr->type = 0; /* the holder was the only one */
}

static int do_register(struct scsi_request *r, struct scsi_reservation *pr,
		       const struct ask *a)
{
	if (a->action == PRO_REGISTER && a->key != pr->key)
		return scsi_status(r, SAM_STAT_RESERVATION_CONFLICT);
	if (!pr->key && !a->action_key)
		return scsi_good(r);
	pr->generation++;
	if (a->action_key)
		pr->key = a->action_key;
	else
		unregister(pr);
	return scsi_good(r);
}

static int reserve(struct scsi_request *r, struct scsi_reservation *pr,
		   const struct ask *a)
{
	if (pr->type && pr->type != a->type)
		return scsi_status(r, SAM_STAT_RESERVATION_CONFLICT);
	pr->type = a->type;
	return scsi_good(r);
}

static int release(struct scsi_request *r, struct scsi_reservation *pr,
		   const struct ask *a)
{
	if (pr->type && pr->type != a->type)
		return scsi_check(r, SENSE_INVALID_RELEASE);
	pr->type = 0;
	return scsi_good(r);
}

/* Of keys there is the initiator's own alone. */
static int preempt(struct scsi_request *r, struct scsi_reservation *pr,
		   const struct ask *a)
{
	bool all = pr->type == PR_WRITE_EXCLUSIVE_ALL ||
		   pr->type == PR_EXCLUSIVE_ACCESS_ALL;

	if (!a->action_key && !all)
		return scsi_bad_list(
			r, offsetof(struct scsi_reserve_list, action_key));
	if (a->action_key && a->action_key != pr->key)
		return scsi_status(r, SAM_STAT_RESERVATION_CONFLICT);
	pr->generation++;
	if (pr->type && (!all || !a->action_key))
		pr->type = a->type; /* of the holder: it goes to who asked */
	else
		unregister(pr);
	return scsi_good(r);
}

static int clear(struct scsi_request *r, struct scsi_reservation *pr)
{
	unregister(pr);
	pr->generation++;
	return scsi_good(r);
}

static bool is_type(uint8_t type)
{
	switch (type) {
	case PR_WRITE_EXCLUSIVE:
	case PR_EXCLUSIVE_ACCESS:
	case PR_WRITE_EXCLUSIVE_REGISTRANTS:
	case PR_EXCLUSIVE_ACCESS_REGISTRANTS:
	case PR_WRITE_EXCLUSIVE_ALL:
	case PR_EXCLUSIVE_ACCESS_ALL:
		return true;
	default:
		return false;
	}
}

static int act(struct scsi_request *r, struct scsi_reservation *pr,
	       const struct ask *a)
{
	if (a->action == PRO_REGISTER || a->action == PRO_REGISTER_AND_IGNORE)
		return do_register(r, pr, a);
	if (!pr->key || a->key != pr->key)
		return scsi_status(r, SAM_STAT_RESERVATION_CONFLICT);
	if (a->action == PRO_CLEAR)
		return clear(r, pr);
	if (!is_type(a->type)) /* or another scope than the unit */
		return scsi_bad_cdb(r, 2, 7);
	switch (a->action) {
	case PRO_RESERVE:
		return reserve(r, pr, a);
	case PRO_RELEASE:
		return release(r, pr, a);
	default:
		return preempt(r, pr, a);
	}
}

int scsi_do_reserve_out(struct scsi_request *r)
{
	struct scsi_lun *lun = r->lun;
	struct scsi_cdb_reserve_out c;
	struct scsi_reserve_list l;
	struct ask a;
	int next;

	memcpy(&c, r->cdb, sizeof(c));
	if (from_be32(c.length) != sizeof(l) ||
	    scsi_copy_out(r, 0, &l, sizeof(l)) != sizeof(l))
		return scsi_check(r, SENSE_LIST_LENGTH);
	if (l.flags & PR_LIST_REFUSED)
		return scsi_bad_list(r,
				     offsetof(struct scsi_reserve_list, flags));
	a = (struct ask){.action = c.action & SERVICE_ACTION_MASK,
			 .type = c.type,
			 .key = from_be64(l.key),
			 .action_key = from_be64(l.action_key)};
	pthread_mutex_lock(&lun->lock);
	next = act(r, &lun->pr, &a);
	pthread_mutex_unlock(&lun->lock);
	return next;
}
