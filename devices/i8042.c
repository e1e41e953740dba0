/* SPDX-License-Identifier: MIT */
#include "devices/i8042.h"

#include <pthread.h>
#include <stdint.h>

#include <glib.h>

#include "devices/bus.h"
#include "proto/platform.h"

#define STATUS_OBF     0x01
#define STATUS_SYSTEM  0x04
#define STATUS_COMMAND 0x08
#define STATUS_UNLOCK  0x10

/* Configuration byte, the first of 32 bytes of RAM */
#define CONFIG_KBD_INT 0x01
#define CONFIG_SYSTEM  0x04
#define CONFIG_KBD_DIS 0x10
#define CONFIG_AUX_DIS 0x20
#define CONFIG_XLATE   0x40
#define CONFIG_DEFAULT \
	(CONFIG_SYSTEM | CONFIG_KBD_DIS | CONFIG_AUX_DIS | CONFIG_XLATE)

#define RAM_BYTES 32

enum i8042_command {
	CMD_READ_RAM = 0x20, /* to 0x3F */
	CMD_WRITE_RAM = 0x60, /* to 0x7F */
	CMD_AUX_DISABLE = 0xA7,
	CMD_AUX_ENABLE = 0xA8,
	CMD_AUX_TEST = 0xA9,
	CMD_SELF_TEST = 0xAA,
	CMD_KBD_TEST = 0xAB,
	CMD_KBD_DISABLE = 0xAD,
	CMD_KBD_ENABLE = 0xAE,
	CMD_READ_INPUT = 0xC0,
	CMD_READ_OUTPUT = 0xD0,
	CMD_WRITE_OUTPUT = 0xD1,
	CMD_KBD_LOOP = 0xD2,
	CMD_AUX_LOOP = 0xD3,
	CMD_AUX_WRITE = 0xD4,
	CMD_PULSE = 0xF0, /* to 0xFF; a clear bit is a pulsed line */
};

#define SELF_TEST_OK     0x55
#define LINE_OK          0x00
#define LINE_CLOCK_LOW   0x01
#define INPUT_NOT_LOCKED 0x80
#define OUTPUT_NO_RESET  0x01
#define OUTPUT_A20       0x02

struct i8042 {
	struct irq_line irq; /* set once */
	struct machine_ops machine; /* set once */

	pthread_mutex_t lock;
	/* lock */
	uint8_t ram[RAM_BYTES];
	uint8_t output; /* output buffer */
	bool output_full;
	bool last_was_command;
	uint8_t wants_data; /* the command that the next byte belongs to, or 0 */
	bool irq_level;
};

static void update_irq(struct i8042 *k)
{
	bool level = k->output_full && (k->ram[0] & CONFIG_KBD_INT);

	if (level == k->irq_level)
		return;
	k->irq_level = level;
	irq_line_set(&k->irq, level);
}

static void answer(struct i8042 *k, uint8_t byte)
{
	k->output = byte;
	k->output_full = true;
}

/* Returns whether the machine is to be reset. */
static bool command(struct i8042 *k, uint8_t cmd)
{
	k->last_was_command = true;
	k->wants_data = 0;
	if ((cmd & ~0x1F) == CMD_READ_RAM) {
		answer(k, k->ram[cmd & 0x1F]);
		return false;
	}
	if ((cmd & ~0x1F) == CMD_WRITE_RAM) {
		k->wants_data = cmd;
		return false;
	}
	if (cmd >= CMD_PULSE)
		return !(cmd & OUTPUT_NO_RESET);

	switch (cmd) {
	case CMD_AUX_DISABLE:
		k->ram[0] |= CONFIG_AUX_DIS;
		break;
	case CMD_AUX_ENABLE:
		k->ram[0] &= (uint8_t)~CONFIG_AUX_DIS;
		break;
	case CMD_AUX_TEST:
		answer(k, LINE_CLOCK_LOW);
		break;
	case CMD_SELF_TEST:
		k->ram[0] |= CONFIG_SYSTEM;
		answer(k, SELF_TEST_OK);
		break;
	case CMD_KBD_TEST:
		answer(k, LINE_OK);
		break;
	case CMD_KBD_DISABLE:
		k->ram[0] |= CONFIG_KBD_DIS;
		break;
	case CMD_KBD_ENABLE:
		k->ram[0] &= (uint8_t)~CONFIG_KBD_DIS;
		break;
	case CMD_READ_INPUT:
		answer(k, INPUT_NOT_LOCKED);
		break;
	case CMD_READ_OUTPUT:
		answer(k, OUTPUT_NO_RESET | OUTPUT_A20);
		break;
	case CMD_WRITE_OUTPUT:
	case CMD_KBD_LOOP:
	case CMD_AUX_LOOP:
	case CMD_AUX_WRITE:
		k->wants_data = cmd;
		break;
	default:
		break;
	}
	return false;
}

/* As command(), for a byte to the data port. */
static bool data(struct i8042 *k, uint8_t byte)
{
	uint8_t cmd = k->wants_data;

	k->last_was_command = false;
	k->wants_data = 0;
	if ((cmd & ~0x1F) == CMD_WRITE_RAM)
		k->ram[cmd & 0x1F] = byte;
	else if (cmd == CMD_WRITE_OUTPUT)
		return !(byte & OUTPUT_NO_RESET);
	else if (cmd == CMD_KBD_LOOP || cmd == CMD_AUX_LOOP)
		answer(k, byte);
	/* Anything else is for a device, and there is none. */
	return false;
}

static void data_read(void *dev, uint64_t offset, void *out, unsigned int len)
{
	struct i8042 *k = dev;

	(void)offset;
	(void)len;
	pthread_mutex_lock(&k->lock);
	*(uint8_t *)out = k->output;
	k->output_full = false;
	update_irq(k);
	pthread_mutex_unlock(&k->lock);
}

static void status_read(void *dev, uint64_t offset, void *out, unsigned int len)
{
	struct i8042 *k = dev;
	uint8_t status = STATUS_UNLOCK;

	(void)offset;
	(void)len;
	pthread_mutex_lock(&k->lock);
	if (k->output_full)
		status |= STATUS_OBF;
	if (k->ram[0] & CONFIG_SYSTEM)
		status |= STATUS_SYSTEM;
	if (k->last_was_command)
		status |= STATUS_COMMAND;
	pthread_mutex_unlock(&k->lock);
	*(uint8_t *)out = status;
}

static void take_byte(struct i8042 *k, uint8_t byte,
		      bool (*take)(struct i8042 *k, uint8_t byte))
{
	bool reset;

	pthread_mutex_lock(&k->lock);
	reset = take(k, byte);
	update_irq(k);
	pthread_mutex_unlock(&k->lock);
	if (reset)
		machine_reset(&k->machine);
}

static void data_write(void *dev, uint64_t offset, const void *in,
		       unsigned int len)
{
	(void)offset;
	(void)len;
	take_byte(dev, *(const uint8_t *)in, data);
}

static void command_write(void *dev, uint64_t offset, const void *in,
			  unsigned int len)
{
	(void)offset;
	(void)len;
	take_byte(dev, *(const uint8_t *)in, command);
}

static const struct bus_ops data_ops = {data_read, data_write, 1};
static const struct bus_ops command_ops = {status_read, command_write, 1};

static void power_on(struct i8042 *k)
{
	for (unsigned int i = 0; i < RAM_BYTES; i++)
		k->ram[i] = 0;
	k->ram[0] = CONFIG_DEFAULT;
	k->output = 0;
	k->output_full = false;
	k->last_was_command = true;
	k->wants_data = 0;
	update_irq(k);
}

struct i8042 *i8042_new(struct irq_line kbd, struct machine_ops machine)
{
	struct i8042 *k = g_new0(struct i8042, 1);

	k->irq = kbd;
	k->machine = machine;
	pthread_mutex_init(&k->lock, NULL);
	power_on(k);
	return k;
}

void i8042_free(struct i8042 *kbc)
{
	if (!kbc)
		return;
	pthread_mutex_destroy(&kbc->lock);
	g_free(kbc);
}

int i8042_attach(struct i8042 *kbc, struct bus *pio)
{
	int err = bus_add(pio, PLATFORM_I8042_DATA_PORT, 1, "i8042-data",
			  &data_ops, kbc);

	return err ? err
		   : bus_add(pio, PLATFORM_I8042_CMD_PORT, 1, "i8042-command",
			     &command_ops, kbc);
}

void i8042_reset(struct i8042 *kbc)
{
	pthread_mutex_lock(&kbc->lock);
	power_on(kbc);
	pthread_mutex_unlock(&kbc->lock);
}
