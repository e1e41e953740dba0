/* SPDX-License-Identifier: MIT */
/*
 * fake_board.h - what a device is soldered to in a test: ports, a pin whose
 * level is kept, a clock that stands still, a timer that only remembers, and
 * a machine that counts what it was asked.
 */
#ifndef SUPPORT_FAKE_BOARD_H
#define SUPPORT_FAKE_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "devices/bus.h"
#include "devices/irq_line.h"
#include "devices/machine_ops.h"
#include "devices/timer_line.h"
#include "support/check_main.h"

struct fake_board {
	struct bus *pio;
	/* pin */
	bool level;
	unsigned int gsi;
	unsigned int rises;
	/* clock */
	uint64_t now_ns;
	/* timer */
	uint64_t delay_ns;
	unsigned int arms;
	/* machine */
	unsigned int power_offs;
	unsigned int resets;
	unsigned int exits;
	unsigned int exit_value;
};

static inline void fake_irq_set(void *ctx, unsigned int gsi, bool level)
{
	struct fake_board *b = ctx;

	/* Called on changes only. */
	ck_assert(level != b->level);
	b->level = level;
	b->gsi = gsi;
	b->rises += level;
}

static inline struct irq_line fake_irq(struct fake_board *b, unsigned int gsi)
{
	return (struct irq_line){fake_irq_set, b, gsi};
}

static inline uint64_t fake_now(void *ctx)
{
	return ((struct fake_board *)ctx)->now_ns;
}

static inline void fake_arm(void *ctx, uint64_t delay_ns)
{
	struct fake_board *b = ctx;

	b->delay_ns = delay_ns;
	b->arms++;
}

static inline struct timer_line fake_timer(struct fake_board *b)
{
	return (struct timer_line){fake_arm, b};
}

static inline void fake_power_off(void *ctx)
{
	((struct fake_board *)ctx)->power_offs++;
}

static inline void fake_reset(void *ctx)
{
	((struct fake_board *)ctx)->resets++;
}

static inline void fake_exit(void *ctx, unsigned int value)
{
	struct fake_board *b = ctx;

	b->exits++;
	b->exit_value = value;
}

static inline struct machine_ops fake_machine(struct fake_board *b)
{
	return (struct machine_ops){fake_power_off, fake_reset, fake_exit, b};
}

static inline void fake_board_init(struct fake_board *b)
{
	*b = (struct fake_board){
		.pio = bus_new("pio"),
		.delay_ns = TIMER_LINE_NEVER,
	};
}

static inline void fake_board_clear(struct fake_board *b)
{
	bus_free(b->pio);
}

static inline uint32_t fake_in(struct fake_board *b, uint16_t at,
			       unsigned int len)
{
	uint32_t v = 0;

	bus_read(b->pio, at, &v, len);
	return v;
}

static inline uint8_t inb(struct fake_board *b, uint16_t at)
{
	return (uint8_t)fake_in(b, at, 1);
}

static inline uint16_t inw(struct fake_board *b, uint16_t at)
{
	return (uint16_t)fake_in(b, at, 2);
}

static inline uint32_t inl(struct fake_board *b, uint16_t at)
{
	return fake_in(b, at, 4);
}

static inline void outb(struct fake_board *b, uint16_t at, uint8_t v)
{
	bus_write(b->pio, at, &v, 1);
}

static inline void outw(struct fake_board *b, uint16_t at, uint16_t v)
{
	bus_write(b->pio, at, &v, 2);
}

static inline void outl(struct fake_board *b, uint16_t at, uint32_t v)
{
	bus_write(b->pio, at, &v, 4);
}

#endif
