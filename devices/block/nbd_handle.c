/* SPDX-License-Identifier: MIT */
#include "devices/block/nbd_handle.h"

#include <libnbd.h>

#include "base/clock.h"
#include "devices/block/nbd.h"
#include "devices/block/qemu_nbd.h"

static int begin_connect(const char *path, const struct qemu_nbd *server,
			 struct nbd_handle *h)
{
	if (server)
		return nbd_aio_connect_unix(h, qemu_nbd_socket(server));
	if (nbd_set_uri_allow_transports(h,
					 LIBNBD_ALLOW_TRANSPORT_TCP |
						 LIBNBD_ALLOW_TRANSPORT_UNIX) ||
	    nbd_set_uri_allow_tls(h, LIBNBD_TLS_DISABLE))
		return -1;
	return nbd_aio_connect_uri(h, path);
}

/* Return: false: nbd_get_error() has why, unless @late. */
static bool connect_handle(const char *path, const struct qemu_nbd *server,
			   struct nbd_handle *h, bool *late)
{
	uint64_t end =
		clock_monotonic_ns() + BLOCK_NBD_ANSWER_MS * NSEC_PER_MSEC;

	*late = false;
	if (begin_connect(path, server, h))
		return false;
	while (nbd_aio_is_connecting(h) == 1) {
		uint64_t now = clock_monotonic_ns();

		*late = now >= end;
		if (*late ||
		    nbd_poll(h, (int)((end - now) / NSEC_PER_MSEC) + 1) < 0)
			return false;
	}
	return nbd_aio_is_ready(h) == 1;
}

struct nbd_handle *block_nbd_handle(const char *path,
				    const struct qemu_nbd *server,
				    GError **error)
{
	struct nbd_handle *h = nbd_create();
	g_autofree char *words = NULL;
	const char *why;
	bool late = false;

	if (h && !nbd_set_pread_initialize(h, false) &&
	    !nbd_add_meta_context(h, LIBNBD_CONTEXT_BASE_ALLOCATION) &&
	    connect_handle(path, server, h, &late))
		return h;
	why = late ? "the server does not answer" : nbd_get_error();
	words = server ? qemu_nbd_words(server) : g_strdup("");
	/* What qemu-nbd says tells more than that it hung up. */
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: %s", path,
		    *words ? words
		    : why  ? why
			   : "it hung up");
	nbd_close(h);
	return NULL;
}
