/* SPDX-License-Identifier: MIT */
/*
 * synic_impl.h - the insides of a synic, for the files that it is made of:
 * synic.c (delivery, timers, life), synic_msr.c (registers).
 */
#ifndef SYNIC_SYNIC_IMPL_H
#define SYNIC_SYNIC_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "synic/message.h"
#include "synic/stimer.h"
#include "synic/synic.h"

struct overlay;

#define CACHE_LINE 64

struct vp_timer {
	struct stimer timer;
	struct message message; /* the timer's own buffer */
	bool queued; /* message is in queue[sint] */
	uint8_t sint;
};

struct synic_vp {
	/* set once */
	struct synic *synic;
	uint32_t index;
	struct overlay *simp_overlay;
	struct overlay *siefp_overlay;
	uint8_t *message_page;
	void *event_page;
	/* written by the vCPU thread under the lock, read by anybody */
	_Atomic uint64_t scontrol;
	_Atomic uint64_t simp;
	_Atomic uint64_t siefp;
	_Atomic uint64_t sint[HV_SYNIC_SINT_COUNT];
	/* which queues are not empty; written under the lock */
	_Atomic uint32_t queued;
	pthread_mutex_t lock;
	/* lock */
	struct message_queue queue[HV_SYNIC_SINT_COUNT];
	uint32_t wanted; /* SINTs whose queue was full for somebody */
	/* since when a message waits for the slot; 0: none does */
	uint64_t waits_since[HV_SYNIC_SINT_COUNT];
	struct vp_timer timers[HV_SYNIC_STIMER_COUNT];
	uint64_t deadline; /* as the deadlines know it */
} __attribute__((aligned(CACHE_LINE)));

struct synic {
	struct synic_params params;
	struct deadlines *deadlines;
	void (*hook)(void *ctx, uint64_t deadline);
	void *hook_ctx;
	void (*room_hook)(void *ctx, uint32_t vp, unsigned int sint);
	void *room_hook_ctx;
	struct synic_vp vps[];
};

/* From taking a VP's lock to having asserted what came of it. */
struct visit {
	struct synic_vp *vp;
	uint64_t now; /* read with the lock held: never goes back */
	/* vectors to assert at its end */
	uint64_t vectors[4];
	uint64_t auto_eoi[4];
};

static inline uint64_t reg_get(const _Atomic uint64_t *reg)
{
	return atomic_load_explicit(reg, memory_order_acquire);
}

static inline void reg_set(_Atomic uint64_t *reg, uint64_t value)
{
	atomic_store_explicit(reg, value, memory_order_release);
}

/** synic_enter() - take the lock of @vp; synic_leave() tells who must know */
struct visit synic_enter(struct synic *s, uint32_t vp);
void synic_leave(const struct visit *v);

/** synic_deliver_all() - fill all slots that are free and wanted */
void synic_deliver_all(struct visit *v);

/** synic_timer_write() - STIMERn_CONFIG, STIMERn_COUNT; 0 or -EINVAL */
int synic_timer_write(struct visit *v, uint32_t msr, uint64_t value);

#endif
