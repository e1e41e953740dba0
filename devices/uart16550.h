/* SPDX-License-Identifier: MIT */
/*
 * uart16550.h - a 16550A serial port.
 *
 * Theory of operation.  The wire is infinitely fast: what the guest writes to
 * THR is on it at once, in a bounded ring that the host end empties
 * (uart16550_transmit()).  Flow control is the transmitter's own: while the
 * ring is filled past a mark, THRE and TEMT read 0 and no THRE interrupt is
 * raised, so that a guest that obeys them waits and loses nothing, without a
 * vCPU thread ever waiting.  A guest that gives up waiting and writes all the
 * same (Linux 8250_port.c:wait_for_lsr() after 10 ms) still has the rest of
 * the ring; only when that is full too is a byte lost and counted.
 *
 * A guest that sends by interrupt without end gets the THRE interrupt less
 * often after a while, so that its processor has time for other things; for
 * that the host end is asked to come again (uart16550_again_ns()).
 *
 * The receiver has the 16-byte FIFO of the real thing.  The host end gives it
 * only what fits, so that typed input is never overrun; overrun exists in
 * loopback mode.  The character timeout is immediate: fewer characters than
 * the trigger level are announced at once, but with the timeout's code.
 *
 * FCR's "clear transmit FIFO" clears nothing: by then the bytes have left.
 *
 * Interrupts are gated by MCR.OUT2, as on every PC.
 *
 * Source: National Semiconductor PC16550D data sheet; Linux
 * drivers/tty/serial/8250/8250_port.c for what drivers rely on.
 * Thread: any; one lock per port, a leaf but for irq_line.set().
 */
#ifndef DEVICES_UART16550_H
#define DEVICES_UART16550_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices/byte_port.h"
#include "devices/irq_line.h"

struct bus;
struct uart16550;

/* Modem inputs, as in MSR bits 7:4 */
#define UART16550_CTS 0x10
#define UART16550_DSR 0x20
#define UART16550_RI  0x40
#define UART16550_DCD 0x80

/* transmit and receive of this device, for console_connect() */
extern const struct byte_port_ops uart16550_port_ops;

/**
 * uart16550_new() - a port after power-on, CTS, DSR and DCD asserted
 * @irq:  its interrupt
 * @host: its host end; {NULL} throws all output away
 *
 * Return: owned; never NULL.
 */
struct uart16550 *uart16550_new(struct irq_line irq,
				struct byte_port_host host);
void uart16550_free(struct uart16550 *uart);

/** uart16550_attach() - decode 8 ports from @base; as bus_add() */
int uart16550_attach(struct uart16550 *uart, struct bus *pio, uint16_t base);

/** uart16550_reset() - as after power-on; output that waits is kept */
void uart16550_reset(struct uart16550 *uart);

/**
 * uart16550_receive() - input from the host end
 *
 * Return: how many bytes were taken; after fewer than @len, host.wake() tells
 * when there is room again.
 */
size_t uart16550_receive(struct uart16550 *uart, const uint8_t *data,
			 size_t len);

/** uart16550_receive_break() - a break condition; false: no room */
bool uart16550_receive_break(struct uart16550 *uart);

/** uart16550_transmit() - take up to @len bytes of output; returns how many */
size_t uart16550_transmit(struct uart16550 *uart, uint8_t *data, size_t len);

/**
 * uart16550_again_ns() - when to call uart16550_transmit() though there may be
 * no output
 *
 * Return: ns from now; UINT64_MAX: when host.wake() says so.
 */
uint64_t uart16550_again_ns(struct uart16550 *uart);

/** uart16550_set_clock() - for tests; monotonic ns, before the first access */
void uart16550_set_clock(struct uart16550 *uart, uint64_t (*now_ns)(void *ctx),
			 void *ctx);

/** uart16550_set_modem() - the modem inputs are now @lines (UART16550_CTS…) */
void uart16550_set_modem(struct uart16550 *uart, uint8_t lines);

/** uart16550_lost() - output bytes lost because the ring was full */
uint64_t uart16550_lost(struct uart16550 *uart);

#endif
