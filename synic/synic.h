/* SPDX-License-Identifier: MIT */
/*
 * synic.h - the synthetic interrupt controllers and timers of a partition.
 *
 * Per VP: SCONTROL, SVERSION, SIEFP, SIMP, EOM, SINT0 to 15, four synthetic
 * timers, a message page and an event-flag page (overlays), and one bounded
 * queue of messages per SINT.
 *
 * Thread: any, except that a VP's registers are written from its own vCPU
 * thread and that synic_reset() wants everybody else quiet (see there).
 * Locks: one per VP (after ports, before the overlay space's), and one leaf
 * for the deadlines.  synic_ops say which may be held.
 *
 * Source: TLFS "Inter-Partition Communication", "Timers"; what is decided
 * beyond it stands in synic.c.
 */
#ifndef SYNIC_SYNIC_H
#define SYNIC_SYNIC_H

#include <stdbool.h>
#include <stdint.h>

struct gmem;
struct hv_message;
struct overlay_space;
struct ref_time;
struct synic;

/* Messages that wait in the queue of one SINT, timers' not counted. */
#define SYNIC_QUEUE_MAX 64

/* Called by synic from any thread; must not call synic. */
struct synic_ops {
	/*
	 * Assert a fixed, edge-triggered vector (16 to 255) on a VP, now.
	 * auto_eoi: the SINT asks for an implicit EOI at delivery.
	 * The VP's lock may be held: short, and no lock but a leaf.
	 */
	void (*interrupt)(void *ctx, uint32_t vp, uint8_t vector,
			  bool auto_eoi);
	/* No lock is held; may be NULL: the earliest deadline came nearer. */
	void (*timer_changed)(void *ctx);
};

struct synic_params {
	unsigned int n_vps;
	struct gmem *mem;
	struct overlay_space *overlays;
	const struct ref_time *ref_time;
	const struct synic_ops *ops;
	void *ctx; /* for ops */
	bool direct_timers; /* stimers may assert a vector directly */
	bool sint_polling; /* the polling bit of SINTs means something */
	/*
	 * First address past the guest physical address space.  A message or
	 * event page at or above it is accepted but cannot be seen (TLFS
	 * "SIMP Register").
	 */
	uint64_t max_gpa;
};

/**
 * synic_new() - power-on state
 * @params: copied; what it points to must outlive the synic
 *
 * Takes synic_overlays_needed() overlays from the space.
 *
 * Return: owned; never NULL.
 */
struct synic *synic_new(const struct synic_params *params);
void synic_free(struct synic *synic);

/** synic_overlays_needed() - how many overlays synic_new() will make */
unsigned int synic_overlays_needed(unsigned int n_vps);

/**
 * synic_reset() - bring all VPs to power-on state
 *
 * Pages zero and hidden, SINTs masked, timers off, queues empty.
 *
 * Thread: with the vCPUs stopped, the timer queue paused, and nobody posting
 * or signalling.
 */
void synic_reset(struct synic *synic);

/** synic_owns_msr() - SCONTROL to EOM, SINT0 to 15, STIMER0 to 3 */
bool synic_owns_msr(uint32_t msr);

/**
 * synic_msr_read() - RDMSR
 *
 * Return: 0, or -EINVAL to inject #GP.
 */
int synic_msr_read(struct synic *synic, uint32_t vp, uint32_t msr,
		   uint64_t *value);

/**
 * synic_msr_write() - WRMSR
 *
 * Thread: the VP's vCPU thread.
 *
 * Return: 0, or -EINVAL to inject #GP; nothing has changed then.
 */
int synic_msr_write(struct synic *synic, uint32_t vp, uint32_t msr,
		    uint64_t value);

/**
 * synic_message_post() - deliver a message to a SINT, or queue it
 * @sint:    0 to 15
 * @message: copied; flags and reserved fields are ours to fill.  A type of 0
 *           (an empty slot) and a payload size above 240 are refused.
 *
 * Messages to one VP and SINT arrive in the order of the posts.  They stay
 * queued while the SynIC or the message page is off.
 *
 * Return: 0 queued or delivered; -EAGAIN the queue is full (the room hook is
 * called when it is not any more); -EINVAL.
 */
int synic_message_post(struct synic *synic, uint32_t vp, unsigned int sint,
		       const struct hv_message *message);

/**
 * synic_message_drop() - forget the posted messages that are not delivered
 *
 * The one in the slot stays, as do timers' messages.
 */
void synic_message_drop(struct synic *synic, uint32_t vp, unsigned int sint);

/**
 * synic_set_room_hook() - who posts again after -EAGAIN
 * @hook: called once, when half of the queue that was full is free; from any
 *        thread, no lock held; NULL for none
 *
 * Thread: while no vCPU runs and nobody posts.
 */
void synic_set_room_hook(struct synic *synic,
			 void (*hook)(void *ctx, uint32_t vp,
				      unsigned int sint),
			 void *ctx);

/**
 * synic_event_set() - set an event flag, interrupt if it was clear
 * @sint: 0 to 15
 * @flag: 0 to 2047
 *
 * Takes no lock.
 *
 * Return: 1 newly set; 0 it was set; -ENOTCONN dropped, as the SynIC or the
 * event page is off or the SINT is masked; -EINVAL.
 */
int synic_event_set(struct synic *synic, uint32_t vp, unsigned int sint,
		    unsigned int flag);

/**
 * synic_sint_raise() - assert the vector of a SINT, without message or event
 * @sint: 0 to 15
 *
 * For the connection test device; nothing in the TLFS does this.
 *
 * Return: 0; -ENOTCONN if the SINT is masked or polled; -EINVAL.
 */
int synic_sint_raise(struct synic *synic, uint32_t vp, unsigned int sint);

/** synic_eoi() - the guest ended the interrupt @vector: retry its messages */
void synic_eoi(struct synic *synic, uint32_t vp, uint8_t vector);

/** synic_next_deadline() - earliest timer, reference time; UINT64_MAX: none */
uint64_t synic_next_deadline(struct synic *synic);

/**
 * synic_run_timers() - expire what is due by now
 *
 * Never before its time.  What is due once more at the end of the call stays
 * for the next one.
 */
void synic_run_timers(struct synic *synic);

/**
 * synic_set_timer_hook() - who arms the clock
 * @hook: called with the new earliest deadline when it came nearer; from any
 *        thread, no lock held; NULL for none
 *
 * Thread: while no vCPU runs.
 */
void synic_set_timer_hook(struct synic *synic,
			  void (*hook)(void *ctx, uint64_t deadline),
			  void *ctx);

#endif
