/* SPDX-License-Identifier: MIT */
/*
 * block_open.h - a disk image by its name, of whatever kind.
 */
#ifndef DEVICES_BLOCK_BLOCK_OPEN_H
#define DEVICES_BLOCK_BLOCK_OPEN_H

#include "devices/block/block.h"

/* As libvirt names them.  A flush is honoured by all but `unsafe`. */
enum block_cache {
	BLOCK_CACHE_WRITEBACK, /* the host's page cache */
	BLOCK_CACHE_NONE, /* past it (O_DIRECT) */
	BLOCK_CACHE_WRITETHROUGH, /* each write is on stable storage */
	BLOCK_CACHE_DIRECTSYNC, /* both */
	BLOCK_CACHE_UNSAFE, /* flushes do nothing: for what may be lost */
};

enum block_discard {
	BLOCK_DISCARD_UNMAP, /* what the guest discards is given back */
	BLOCK_DISCARD_IGNORE,
};

/* Writes of nothing but zeroes. */
enum block_detect {
	BLOCK_DETECT_OFF,
	BLOCK_DETECT_ON, /* become BLOCK_ZERO */
	BLOCK_DETECT_UNMAP, /* … with BLOCK_UNMAP */
};

enum block_aio {
	BLOCK_AIO_AUTO, /* io_uring, and threads where there is none */
	BLOCK_AIO_IO_URING,
	BLOCK_AIO_THREADS,
};

/* Zeroed but for the path is what most want. */
struct block_options {
	const char *path;
	/*
	 * The path is the URI of what an NBD server has, "nbd://…" or
	 * "nbd+unix://…".  What is done with the host's files (snapshot,
	 * detect_zeroes, cache, aio) is the server's.
	 */
	bool remote;
	/*
	 * "raw", "qcow2", "vhdx", "vpc", … as qemu-nbd names them.  NULL: by
	 * the end of the file's name, .qcow2, .vhdx, .vhd, … and else raw.
	 * It is never by what is in the file: the guest writes that.
	 */
	const char *format;
	bool readonly;
	bool snapshot; /* what is written is forgotten at the end */
	bool shareable; /* others may write to it too */
	enum block_cache cache;
	enum block_discard discard;
	enum block_detect detect_zeroes;
	enum block_aio aio;
	uint32_t block_bytes; /* of the disk: 512, 4096; 0: the storage's */
};

/**
 * block_open() - open it, take its lock, find out what it can do
 * @options: what it points to is copied
 *
 * Thread: any; may take as long as storage does.
 * Return: owned; NULL with @error, which names path and reason.
 */
struct block *block_open(const struct block_options *options, GError **error);

/** block_has_io_uring() - or does BLOCK_AIO_AUTO mean threads here? */
bool block_has_io_uring(void);

/** block_format() - what block_open() takes it for; static or @options' own */
const char *block_format(const struct block_options *options);

/*
 * The words of a configuration: "none", "writeback", … ; "unmap", "ignore";
 * "off", "on", "unmap"; "io_uring", "threads", "native" (as io_uring);
 * "report", "stop", "ignore", "enospace".
 * Return: false: not one of them.
 */
bool block_cache_parse(const char *word, enum block_cache *cache);
bool block_discard_parse(const char *word, enum block_discard *discard);
bool block_detect_parse(const char *word, enum block_detect *detect);
bool block_aio_parse(const char *word, enum block_aio *aio);
bool block_policy_parse(const char *word, enum block_policy *policy);

#endif
