/* SPDX-License-Identifier: MIT */
/*
 * document.h - a file to a tree of XML, with bounds.
 *
 * No network, no entities: a document with a DOCTYPE is refused before what is
 * in it is read.  At most DOCUMENT_BYTES_MAX long, DOCUMENT_DEPTH_MAX deep,
 * with DOCUMENT_NODES_MAX elements and attributes.
 */
#ifndef CONFIG_DOMAIN_DOCUMENT_H
#define CONFIG_DOMAIN_DOCUMENT_H

#include <stddef.h>

#include <libxml/tree.h>

#define DOCUMENT_BYTES_MAX  (1u << 20)
#define DOCUMENT_DEPTH_MAX  24u
#define DOCUMENT_NODES_MAX  20000u
#define DOCUMENT_ERRORS_MAX 20u

/* Each thing that is wrong; @line may be 0. */
typedef void (*document_wrong)(void *ctx, unsigned int line, const char *text);

/**
 * document_parse() - @bytes of @text
 *
 * Return: owned, for xmlFreeDoc(); NULL: @wrong was called.
 */
xmlDoc *document_parse(const char *text, size_t bytes, document_wrong wrong,
		       void *ctx);

#endif
