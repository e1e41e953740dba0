/* SPDX-License-Identifier: MIT */
#include "devices/uart16550.h"

#include <pthread.h>

#include <glib.h>

#include "base/clock.h"
#include "base/log.h"
#include "devices/bus.h"
#include "devices/byte_ring.h"
#include "proto/platform.h"

#define LOG_CATEGORY "uart"

#define FIFO_BYTES 16

/*
 * The output ring: THRE goes away at HOLD and comes back at RELEASE; the rest
 * is for guests that write without looking.  Linux's 8250 console does so
 * after 10 ms a character, so at a standstill this lasts for most of an hour.
 */
#define OUT_BYTES   (256u << 10)
#define OUT_HOLD    (16u << 10)
#define OUT_RELEASE (OUT_HOLD / 2)

/*
 * A transmitter that is never busy, with a guest that has ever more to send,
 * is an interrupt storm.  Linux's handler goes on until nothing is pending and
 * complains after 512 rounds of 16 bytes ("too much work for irq4",
 * 8250_core.c:serial8250_interrupt()); and where an exit costs 100 us the
 * processor that has the interrupt does nothing else, until after 20 s that
 * is a soft lockup.  So after a burst the next THRE interrupt is held back
 * until the host end was here; and once STORM_BYTES went by without a pause,
 * bursts become short and are held back for as long as they took, so that half
 * of the time is left for others however slow exits are.  Not sooner: a guest
 * that prints its last words and powers off at once must be rid of them at
 * once.  (Bytes and not time tell a storm, as on a busy host exits may take
 * milliseconds.)
 */
#define BURST_BYTES       4096
#define STORM_BURST_BYTES 256
#define STORM_BYTES       (16u << 10)
#define PAUSE_NS          (200 * NSEC_PER_MSEC)
#define HOLD_MAX_NS       (50 * NSEC_PER_MSEC)

enum uart_reg {
	REG_DATA = 0, /* RBR, THR; DLL */
	REG_IER = 1, /* DLM */
	REG_IIR = 2, /* FCR when written */
	REG_LCR = 3,
	REG_MCR = 4,
	REG_LSR = 5,
	REG_MSR = 6,
	REG_SCR = 7,
};

#define IER_RDI  0x01
#define IER_THRI 0x02
#define IER_RLSI 0x04
#define IER_MSI  0x08
#define IER_MASK 0x0F

#define IIR_NO_INT 0x01
#define IIR_MSI    0x00
#define IIR_THRI   0x02
#define IIR_RDI    0x04
#define IIR_RLSI   0x06
#define IIR_CTI    0x0C
#define IIR_FIFO   0xC0

#define FCR_ENABLE        0x01
#define FCR_CLEAR_RCVR    0x02
#define FCR_TRIGGER_SHIFT 6
#define FCR_KEPT          0xC9

#define LCR_DLAB 0x80

#define MCR_DTR  0x01
#define MCR_RTS  0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10
#define MCR_MASK 0x1F

#define LSR_DR       0x01
#define LSR_OE       0x02
#define LSR_PE       0x04
#define LSR_FE       0x08
#define LSR_BI       0x10
#define LSR_THRE     0x20
#define LSR_TEMT     0x40
#define LSR_FIFO_ERR 0x80
#define LSR_CHAR_ERR (LSR_PE | LSR_FE | LSR_BI)

#define MSR_DCTS   0x01
#define MSR_DDSR   0x02
#define MSR_TERI   0x04
#define MSR_DDCD   0x08
#define MSR_DELTAS 0x0F
#define MSR_LINES  0xF0

/* 9600 baud, as firmware leaves it */
#define DIVISOR_DEFAULT 12

struct uart16550 {
	struct irq_line irq; /* set once */
	struct byte_port_host host; /* set once */
	uint64_t (*now_ns)(void *ctx); /* set before the first access */
	void *clock_ctx;

	pthread_mutex_t lock;
	/* lock */
	uint8_t ier, fcr, lcr, mcr, msr, scr;
	uint16_t divisor;
	uint8_t modem; /* inputs from outside, MSR_LINES */
	bool irq_level;

	/* receiver: characters and the LSR_CHAR_ERR bits that go with each */
	uint8_t rx[FIFO_BYTES];
	uint8_t rx_err[FIFO_BYTES];
	unsigned int rx_head, rx_len;
	bool rx_overrun;
	bool rx_refused; /* the host end has more */

	/* transmitter */
	struct byte_ring out;
	bool tx_held; /* THRE reads 0 */
	bool thri; /* THRE interrupt not yet acknowledged */
	bool thri_held; /* … and not shown before release_ns */
	uint64_t release_ns;
	/* sending by interrupt */
	unsigned int sent; /* bytes since the last pause */
	unsigned int burst; /* bytes since burst_ns */
	uint64_t burst_ns;
	uint64_t last_ns; /* the last byte, or the end of the last hold */
	uint64_t lost;
};

static unsigned int rx_capacity(const struct uart16550 *u)
{
	return u->fcr & FCR_ENABLE ? FIFO_BYTES : 1;
}

static unsigned int rx_trigger(const struct uart16550 *u)
{
	static const uint8_t level[] = {1, 4, 8, 14};

	return u->fcr & FCR_ENABLE ? level[u->fcr >> FCR_TRIGGER_SHIFT] : 1;
}

/* LSR as it reads now; reading it clears, which this does not. */
static uint8_t lsr_value(const struct uart16550 *u)
{
	uint8_t lsr = 0;

	if (u->rx_len)
		lsr = (uint8_t)(LSR_DR | u->rx_err[u->rx_head]);
	if (u->rx_overrun)
		lsr |= LSR_OE;
	if (!u->tx_held)
		lsr |= LSR_THRE | LSR_TEMT;
	if (u->fcr & FCR_ENABLE) {
		for (unsigned int i = 0; i < u->rx_len; i++) {
			if (u->rx_err[(u->rx_head + i) % FIFO_BYTES])
				lsr |= LSR_FIFO_ERR;
		}
	}
	return lsr;
}

/* The interrupt with the highest priority, as IIR bits 3:0 name it. */
static uint8_t pending(const struct uart16550 *u)
{
	if ((u->ier & IER_RLSI) && (lsr_value(u) & (LSR_OE | LSR_CHAR_ERR)))
		return IIR_RLSI;
	if ((u->ier & IER_RDI) && u->rx_len)
		return u->rx_len >= rx_trigger(u) ? IIR_RDI : IIR_CTI;
	if ((u->ier & IER_THRI) && u->thri && !u->thri_held)
		return IIR_THRI;
	if ((u->ier & IER_MSI) && (u->msr & MSR_DELTAS))
		return IIR_MSI;
	return IIR_NO_INT;
}

static void update_irq(struct uart16550 *u)
{
	bool level = (u->mcr & MCR_OUT2) && pending(u) != IIR_NO_INT;

	if (level == u->irq_level)
		return;
	u->irq_level = level;
	irq_line_set(&u->irq, level);
}

/* Modem lines moved, inside (loopback) or outside. */
static void update_modem(struct uart16550 *u)
{
	uint8_t lines = u->modem, changed;

	if (u->mcr & MCR_LOOP) {
		lines = 0;
		if (u->mcr & MCR_RTS)
			lines |= UART16550_CTS;
		if (u->mcr & MCR_DTR)
			lines |= UART16550_DSR;
		if (u->mcr & MCR_OUT1)
			lines |= UART16550_RI;
		if (u->mcr & MCR_OUT2)
			lines |= UART16550_DCD;
	}
	changed = (u->msr & MSR_LINES) ^ lines;
	if (changed & UART16550_CTS)
		u->msr |= MSR_DCTS;
	if (changed & UART16550_DSR)
		u->msr |= MSR_DDSR;
	/* Only the trailing edge of RI counts. */
	if (changed & ~lines & UART16550_RI)
		u->msr |= MSR_TERI;
	if (changed & UART16550_DCD)
		u->msr |= MSR_DDCD;
	u->msr = (u->msr & MSR_DELTAS) | lines;
}

static bool rx_push(struct uart16550 *u, uint8_t byte, uint8_t err)
{
	unsigned int at;

	if (u->rx_len >= rx_capacity(u))
		return false;
	at = (u->rx_head + u->rx_len++) % FIFO_BYTES;
	u->rx[at] = byte;
	u->rx_err[at] = err;
	return true;
}

static uint8_t rx_pop(struct uart16550 *u)
{
	uint8_t byte;

	if (!u->rx_len)
		return 0;
	byte = u->rx[u->rx_head];
	u->rx_head = (u->rx_head + 1) % FIFO_BYTES;
	u->rx_len--;
	return byte;
}

static void rx_clear(struct uart16550 *u)
{
	u->rx_head = 0;
	u->rx_len = 0;
	u->rx_overrun = false;
}

/* Must the host end be told that there is room?  Half a FIFO is worth it. */
static bool rx_wake(struct uart16550 *u)
{
	if (!u->rx_refused || (u->mcr & MCR_LOOP) ||
	    u->rx_len > rx_capacity(u) / 2)
		return false;
	u->rx_refused = false;
	return true;
}

/* A byte was sent by an interrupt handler, most likely. */
static void count_burst(struct uart16550 *u)
{
	uint64_t now = u->now_ns(u->clock_ctx);
	bool storm;

	if (now - u->last_ns > PAUSE_NS) {
		u->burst = 0;
		u->sent = 0;
	}
	u->last_ns = now;
	if (!u->burst++)
		u->burst_ns = now;
	storm = u->sent >= STORM_BYTES;
	if (!storm)
		u->sent++;
	if (u->burst < (storm ? STORM_BURST_BYTES : BURST_BYTES))
		return;
	u->burst = 0;
	u->thri_held = true;
	u->release_ns = now;
	if (storm)
		u->release_ns += MIN(now - u->burst_ns, HOLD_MAX_NS);
}

/* The host end is here: the hold is over if its time is. */
static void release_thri(struct uart16550 *u)
{
	uint64_t now;

	if (!u->thri_held)
		return;
	now = u->now_ns(u->clock_ctx);
	if (now < u->release_ns)
		return;
	u->thri_held = false;
	u->burst = 0;
	u->last_ns = now;
}

/* Returns whether the host end must be told of output. */
static bool tx_write(struct uart16550 *u, uint8_t byte)
{
	bool was_empty = !u->out.len, was_held = u->tx_held;

	u->thri = false;
	if (u->mcr & MCR_LOOP) {
		if (!rx_push(u, byte, 0))
			u->rx_overrun = true;
		u->thri = !u->tx_held;
		return false;
	}
	if (!u->host.wake) {
		u->thri = true;
		return false;
	}
	if (!byte_ring_put(&u->out, &byte, 1)) {
		if (!u->lost++)
			log_warn("output is not read, the guest's is lost");
		return false;
	}
	if (u->out.len >= OUT_HOLD)
		u->tx_held = true;
	u->thri = !u->tx_held;
	if (u->ier & IER_THRI)
		count_burst(u);
	return was_empty || (u->tx_held && !was_held);
}

static void ier_write(struct uart16550 *u, uint8_t v)
{
	v &= IER_MASK;
	/* Enabling it with the transmitter empty is an interrupt at once. */
	if ((v & ~u->ier & IER_THRI) && !u->tx_held)
		u->thri = true;
	u->ier = v;
}

static void fcr_write(struct uart16550 *u, uint8_t v)
{
	if (((v ^ u->fcr) & FCR_ENABLE) || (v & FCR_CLEAR_RCVR))
		rx_clear(u);
	/* Without the enable bit the others are not programmed. */
	u->fcr = v & FCR_ENABLE ? v & FCR_KEPT : 0;
}

static uint8_t reg_read(struct uart16550 *u, unsigned int reg)
{
	uint8_t v;

	switch (reg) {
	case REG_DATA:
		if (u->lcr & LCR_DLAB)
			return (uint8_t)u->divisor;
		return rx_pop(u);
	case REG_IER:
		if (u->lcr & LCR_DLAB)
			return (uint8_t)(u->divisor >> 8);
		return u->ier;
	case REG_IIR:
		v = pending(u);
		if (v == IIR_THRI)
			u->thri = false;
		return u->fcr & FCR_ENABLE ? v | IIR_FIFO : v;
	case REG_LCR:
		return u->lcr;
	case REG_MCR:
		return u->mcr;
	case REG_LSR:
		v = lsr_value(u);
		u->rx_overrun = false;
		if (u->rx_len)
			u->rx_err[u->rx_head] = 0;
		return v;
	case REG_MSR:
		v = u->msr;
		u->msr &= MSR_LINES;
		return v;
	default:
		return u->scr;
	}
}

/* Returns whether the host end must be told of output. */
static bool reg_write(struct uart16550 *u, unsigned int reg, uint8_t v)
{
	switch (reg) {
	case REG_DATA:
		if (!(u->lcr & LCR_DLAB))
			return tx_write(u, v);
		u->divisor = (uint16_t)((u->divisor & 0xFF00) | v);
		break;
	case REG_IER:
		if (!(u->lcr & LCR_DLAB))
			ier_write(u, v);
		else
			u->divisor = (uint16_t)((u->divisor & 0xFF) | v << 8);
		break;
	case REG_IIR:
		fcr_write(u, v);
		break;
	case REG_LCR:
		u->lcr = v;
		break;
	case REG_MCR:
		u->mcr = v & MCR_MASK;
		update_modem(u);
		break;
	case REG_SCR:
		u->scr = v;
		break;
	default: /* LSR and MSR are for factory tests only */
		break;
	}
	return false;
}

static void pio_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	struct uart16550 *u = dev;
	bool wake;

	(void)len; /* 1, see bus_ops.max_len */
	pthread_mutex_lock(&u->lock);
	*(uint8_t *)data = reg_read(u, (unsigned int)offset);
	update_irq(u);
	wake = rx_wake(u);
	pthread_mutex_unlock(&u->lock);
	if (wake)
		byte_port_wake(&u->host);
}

static void pio_write(void *dev, uint64_t offset, const void *data,
		      unsigned int len)
{
	struct uart16550 *u = dev;
	bool wake;

	(void)len;
	pthread_mutex_lock(&u->lock);
	wake = reg_write(u, (unsigned int)offset, *(const uint8_t *)data);
	update_irq(u);
	wake |= rx_wake(u);
	pthread_mutex_unlock(&u->lock);
	if (wake)
		byte_port_wake(&u->host);
}

static const struct bus_ops pio_ops = {pio_read, pio_write, 1};

static void power_on(struct uart16550 *u)
{
	u->ier = 0;
	u->fcr = 0;
	u->lcr = 0;
	u->mcr = 0;
	u->scr = 0;
	u->divisor = DIVISOR_DEFAULT;
	u->msr = u->modem;
	u->thri = false;
	u->thri_held = false;
	u->burst = 0;
	rx_clear(u);
	update_irq(u);
}

static uint64_t host_now_ns(void *ctx)
{
	(void)ctx;
	return clock_monotonic_ns();
}

struct uart16550 *uart16550_new(struct irq_line irq, struct byte_port_host host)
{
	struct uart16550 *u = g_new0(struct uart16550, 1);

	u->irq = irq;
	u->host = host;
	u->now_ns = host_now_ns;
	u->modem = UART16550_CTS | UART16550_DSR | UART16550_DCD;
	pthread_mutex_init(&u->lock, NULL);
	byte_ring_init(&u->out, OUT_BYTES);
	power_on(u);
	return u;
}

void uart16550_free(struct uart16550 *uart)
{
	if (!uart)
		return;
	byte_ring_clear(&uart->out);
	pthread_mutex_destroy(&uart->lock);
	g_free(uart);
}

int uart16550_attach(struct uart16550 *uart, struct bus *pio, uint16_t base)
{
	const char *name = base == PLATFORM_COM1_PORT   ? "com1"
			   : base == PLATFORM_COM2_PORT ? "com2"
							: "uart";

	return bus_add(pio, base, PLATFORM_UART_BYTES, name, &pio_ops, uart);
}

void uart16550_reset(struct uart16550 *uart)
{
	bool wake;

	pthread_mutex_lock(&uart->lock);
	power_on(uart);
	wake = rx_wake(uart);
	pthread_mutex_unlock(&uart->lock);
	if (wake)
		byte_port_wake(&uart->host);
}

size_t uart16550_receive(struct uart16550 *uart, const uint8_t *data,
			 size_t len)
{
	size_t n = 0;

	pthread_mutex_lock(&uart->lock);
	if (!(uart->mcr & MCR_LOOP)) {
		while (n < len && rx_push(uart, data[n], 0))
			n++;
	}
	if (n < len)
		uart->rx_refused = true;
	update_irq(uart);
	pthread_mutex_unlock(&uart->lock);
	return n;
}

bool uart16550_receive_break(struct uart16550 *uart)
{
	bool taken = false;

	pthread_mutex_lock(&uart->lock);
	if (!(uart->mcr & MCR_LOOP))
		taken = rx_push(uart, 0, LSR_BI);
	update_irq(uart);
	pthread_mutex_unlock(&uart->lock);
	return taken;
}

size_t uart16550_transmit(struct uart16550 *uart, uint8_t *data, size_t len)
{
	size_t n;

	pthread_mutex_lock(&uart->lock);
	n = byte_ring_take(&uart->out, data, len);
	release_thri(uart);
	if (uart->tx_held && uart->out.len <= OUT_RELEASE) {
		uart->tx_held = false;
		uart->thri = true;
	}
	update_irq(uart);
	pthread_mutex_unlock(&uart->lock);
	return n;
}

uint64_t uart16550_again_ns(struct uart16550 *uart)
{
	uint64_t again = UINT64_MAX, now;

	pthread_mutex_lock(&uart->lock);
	if (uart->thri_held) {
		now = uart->now_ns(uart->clock_ctx);
		again = now < uart->release_ns ? uart->release_ns - now : 0;
	}
	pthread_mutex_unlock(&uart->lock);
	return again;
}

void uart16550_set_clock(struct uart16550 *uart, uint64_t (*now_ns)(void *ctx),
			 void *ctx)
{
	uart->now_ns = now_ns;
	uart->clock_ctx = ctx;
}

void uart16550_set_modem(struct uart16550 *uart, uint8_t lines)
{
	pthread_mutex_lock(&uart->lock);
	uart->modem = lines & MSR_LINES;
	update_modem(uart);
	update_irq(uart);
	pthread_mutex_unlock(&uart->lock);
}

uint64_t uart16550_lost(struct uart16550 *uart)
{
	uint64_t lost;

	pthread_mutex_lock(&uart->lock);
	lost = uart->lost;
	pthread_mutex_unlock(&uart->lock);
	return lost;
}

static size_t port_transmit(void *dev, uint8_t *data, size_t len)
{
	return uart16550_transmit(dev, data, len);
}

static size_t port_receive(void *dev, const uint8_t *data, size_t len)
{
	return uart16550_receive(dev, data, len);
}

static uint64_t port_again_ns(void *dev)
{
	return uart16550_again_ns(dev);
}

const struct byte_port_ops uart16550_port_ops = {
	.transmit = port_transmit,
	.receive = port_receive,
	.again_ns = port_again_ns,
};
