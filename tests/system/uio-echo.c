/* SPDX-License-Identifier: MIT */
/*
 * uio-echo.c - a static program for a Linux guest: `DEVICE MONITOR_ID` sends
 * packets on kvmbus' echo device, which uio_hv_generic is bound to as DEVICE,
 * signals by the monitor page, and waits for them by interrupt.
 *
 * Says "echoed" and stays, so that sysfs can be looked at, until it is killed.
 * Exit: 1 something failed.
 *
 * Source: Linux drivers/uio/uio_hv_generic.c, which has the maps: 0 both
 * rings, 2 the monitor page; and hv_trigger_page of include/linux/hyperv.h.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE    4096u
#define PACKETS 50

struct ring {
	volatile uint32_t write, read, mask;
	uint8_t rest[PAGE - 12];
	uint8_t data[];
};

/* In-band, as all that is sent here; a ring's size is a multiple of it. */
struct packet {
	uint16_t type, offset8, len8, flags;
	uint64_t transaction, payload, trailer;
};

static int uio;
static struct ring *out, *in;
static uint32_t data_bytes;
static uint32_t *pending;
static uint32_t bit;

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static void *map(unsigned int number, size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, uio,
			(off_t)(number * PAGE));

	/* cppcheck-suppress memleak ; it is returned */
	return at == MAP_FAILED ? NULL : at;
}

/* Of both rings: /sys/class/uio/uio0/maps/map0/size */
static size_t rings_bytes(const char *device)
{
	char path[128];
	unsigned long bytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/uio/%s/maps/map0/size",
		 strrchr(device, '/') + 1);
	file = fopen(path, "r");
	if (file && fscanf(file, "%lx", &bytes) != 1)
		bytes = 0;
	if (file)
		fclose(file);
	return bytes;
}

static void put(uint64_t payload)
{
	struct packet p = {.type = 6,
			   .offset8 = 2,
			   .len8 = 3,
			   .transaction = payload,
			   .payload = payload,
			   .trailer = (uint64_t)out->write << 32};

	memcpy(out->data + out->write, &p, sizeof(p));
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	out->write = (out->write + (uint32_t)sizeof(p)) % data_bytes;
	__atomic_fetch_or(pending, bit, __ATOMIC_SEQ_CST);
}

/* Wait for an interrupt, and have the next one.  Return: 0 or -1. */
static int wait_for_interrupt(void)
{
	const int32_t on = 1;
	int32_t count;

	if (read(uio, &count, sizeof(count)) != sizeof(count))
		return -1;
	return write(uio, &on, sizeof(on)) == sizeof(on) ? 0 : -1;
}

static int expect(uint64_t payload)
{
	struct packet p;

	while (in->read == in->write) {
		if (wait_for_interrupt())
			return -1;
	}
	memcpy(&p, in->data + in->read, sizeof(p));
	in->read = (in->read + (uint32_t)sizeof(p)) % data_bytes;
	return p.type == 6 && p.payload == payload ? 0 : -1;
}

int main(int argc, char **argv)
{
	const int32_t on = 1;
	unsigned int id;
	uint8_t *monitor;
	size_t bytes;

	if (argc != 3)
		return 1;
	uio = open(argv[1], O_RDWR);
	if (uio < 0)
		return fail(argv[1]);
	id = (unsigned int)strtoul(argv[2], NULL, 10);
	bytes = rings_bytes(argv[1]);
	out = map(0, bytes);
	monitor = map(2, PAGE);
	if (!out || !monitor)
		return fail("mmap");
	in = (void *)((uint8_t *)out + bytes / 2);
	data_bytes = (uint32_t)(bytes / 2 - PAGE);
	/* struct hv_monitor_page: a word of state, and groups from 8 on */
	pending = (void *)(monitor + 8 + id / 32 * 8);
	bit = 1u << id % 32;
	if (write(uio, &on, sizeof(on)) != sizeof(on))
		return fail("write");
	for (uint64_t i = 1; i <= PACKETS; i++) {
		put(i);
		if (expect(i))
			return fail("a packet did not come back");
	}
	puts("echoed");
	fflush(stdout);
	pause();
	return 0;
}
