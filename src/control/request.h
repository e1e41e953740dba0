/* SPDX-License-Identifier: MIT */
/*
 * request.h - JSON objects out of a stream of bytes that a stranger sends.
 *
 * Objects follow each other with any white space, or none, between them, and
 * may be on any number of lines.  Of what is no object, is too long or too
 * deep, the rest up to the end of the line is skipped.
 *
 * Thread: any, one at a time.
 */
#ifndef CONTROL_REQUEST_H
#define CONTROL_REQUEST_H

#include <stddef.h>

struct json_object;
struct request_parser;

/* Bytes of an object, and how deep it may be nested. */
#define REQUEST_BYTES_MAX 65536u
#define REQUEST_DEPTH_MAX 16

enum request_result {
	REQUEST_MORE, /* all bytes were taken, and no object is whole */
	REQUEST_WHOLE,
	REQUEST_BAD,
};

struct request_parser *request_parser_new(void);
void request_parser_free(struct request_parser *p);

/**
 * request_parse() - take bytes up to the end of an object
 * @data, @bytes: moved past what was taken
 * @request: REQUEST_WHOLE: an object, owned
 * @why:     REQUEST_BAD: for people; static
 */
enum request_result request_parse(struct request_parser *p, const char **data,
				  size_t *bytes, struct json_object **request,
				  const char **why);

#endif
