/* SPDX-License-Identifier: MIT */
/*
 * raw_bench.h - a raw image under test, by either engine.
 *
 * For test files of one binary each: the state is static.
 */
#ifndef SUPPORT_RAW_BENCH_H
#define SUPPORT_RAW_BENCH_H

#include <string.h>

#include "devices/block/raw.h"
#include "support/block_user.h"
#include "support/check_main.h"
#include "support/image_file.h"

#define DISK_BYTES (1u << 20)

static const enum block_aio engines[] = {BLOCK_AIO_IO_URING, BLOCK_AIO_THREADS};

static struct image_file file;
static struct block_options options;
static struct block *disk;
static struct block_queue *q;
static uint8_t data[DISK_BYTES], got[DISK_BYTES];

/* The file is there; open_disk() opens what options.path says. */
static inline void raw_setup(void)
{
	image_file_make(&file, DISK_BYTES);
	options = (struct block_options){.path = file.path};
	memset(data, 0x3C, sizeof(data));
}

static inline void raw_teardown(void)
{
	block_queue_free(q);
	block_free(disk);
	disk = NULL;
	q = NULL;
	image_file_end(&file);
}

/* Without a queue.  @engine: of engines[] */
static inline void open_image(int engine)
{
	g_autoptr(GError) error = NULL;

	options.aio = engines[engine];
	disk = raw_open(&options, &error);
	ck_assert_msg(disk, "%s", error ? error->message : "");
}

static inline void open_disk(int engine)
{
	open_image(engine);
	q = user_queue(disk);
}

#endif
