/* SPDX-License-Identifier: MIT */
#include "vm/devices/vm_serials.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "base/log.h"
#include "base/unix_listen.h"
#include "config/machine_config.h"
#include "config/serial_config.h"
#include "devices/bus.h"
#include "devices/console.h"
#include "devices/irq_line.h"
#include "devices/serial_relay.h"
#include "devices/uart16550.h"
#include "proto/platform.h"

#define LOG_CATEGORY "serial"

#define PORTS_AT_LEAST 2u
#define FILE_MODE      0600

static const struct {
	uint16_t port;
	unsigned int irq;
} places[CONFIG_SERIALS_MAX] = {
	{PLATFORM_COM1_PORT, PLATFORM_COM1_IRQ},
	{PLATFORM_COM2_PORT, PLATFORM_COM2_IRQ},
	{PLATFORM_COM3_PORT, PLATFORM_COM3_IRQ},
	{PLATFORM_COM4_PORT, PLATFORM_COM4_IRQ},
};

struct port {
	struct uart16550 *uart;
	struct console *console; /* NULL: plugged into nothing */
	struct serial_relay *relay; /* NULL: it does without */
	/* opened by us; -1: not */
	int in_fd, out_fd, log_fd;
	char *socket; /* to be removed at the end */
};

struct vm_serials {
	unsigned int n;
	struct port ports[CONFIG_SERIALS_MAX];
};

unsigned int vm_serials_count(const struct machine_config *config)
{
	return MAX(config->serials->len, PORTS_AT_LEAST);
}

unsigned int vm_serials_irq(unsigned int i)
{
	return places[i].irq;
}

/* --- what they are plugged into ------------------------------------------------- */

static int fail(GError **error, const char *what, int err)
{
	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(err),
		    "--serial: %s: %s", what, g_strerror(err));
	return -1;
}

static int open_file(const char *path, int flags, GError **error)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOCTTY, FILE_MODE);

	if (fd < 0)
		return fail(error, path, errno);
	return fd;
}

static int open_output(const char *path, bool append, GError **error)
{
	return open_file(path,
			 O_WRONLY | O_CREAT | O_APPEND | (append ? 0 : O_TRUNC),
			 error);
}

static int relay(struct port *p, const struct serial_relay_params *params,
		 GError **error)
{
	p->relay = serial_relay_new(params, error);
	if (p->relay)
		return 0;
	g_prefix_error(error, "--serial: ");
	return -1;
}

static int open_pty(struct port *p, unsigned int index, GError **error)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
	char name[64];
	struct termios raw;

	if (master < 0 || grantpt(master) || unlockpt(master) ||
	    ptsname_r(master, name, sizeof(name))) {
		fail(error, "pty", errno);
		if (master >= 0)
			close(master);
		return -1;
	}
	/* Until somebody opens it, it is as if somebody had closed it. */
	slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave >= 0) {
		if (!tcgetattr(slave, &raw)) {
			cfmakeraw(&raw);
			tcsetattr(slave, TCSANOW, &raw);
		}
		close(slave);
	}
	fprintf(stderr, "kvmbus: serial%u is %s\r\n", index, name);
	return relay(
		p,
		&(struct serial_relay_params){.kind = RELAY_PTY, .fd = master},
		error);
}

/* Return: 0 or an errno. */
static int listen_at(struct serial_relay_params *params)
{
	const struct sockaddr *a = (const struct sockaddr *)&params->address;
	int one = 1;

	params->kind = RELAY_LISTEN;
	if (a->sa_family == AF_UNIX) {
		params->fd = unix_listen(
			((const struct sockaddr_un *)(const void *)a)->sun_path,
			1, 0777);
		return params->fd < 0 ? -params->fd : 0;
	}
	params->fd = socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (params->fd < 0)
		return errno;
	setsockopt(params->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!bind(params->fd, a, params->address_bytes) &&
	    !listen(params->fd, 1))
		return 0;
	one = errno;
	close(params->fd);
	return one;
}

static int open_socket(struct port *p, const struct serial_config *s,
		       struct serial_relay_params *params, const char *what,
		       GError **error)
{
	int err = 0;

	params->fd = -1;
	params->kind = RELAY_CONNECT;
	params->reconnect_s = s->reconnect_s;
	params->telnet = s->telnet;
	if (s->listen)
		err = listen_at(params);
	return err ? fail(error, what, err) : relay(p, params, error);
}

static int open_unix(struct port *p, const struct serial_config *s,
		     GError **error)
{
	struct serial_relay_params params = {0};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int err;

	if (strlen(s->path) >= sizeof(address.sun_path))
		return fail(error, s->path, ENAMETOOLONG);
	g_strlcpy(address.sun_path, s->path, sizeof(address.sun_path));
	memcpy(&params.address, &address, sizeof(address));
	params.address_bytes = sizeof(address);
	err = open_socket(p, s, &params, s->path, error);
	if (!err && s->listen)
		p->socket = g_strdup(s->path);
	return err;
}

static int open_tcp(struct port *p, const struct serial_config *s,
		    GError **error)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_NUMERICSERV};
	const char *host = s->host ? s->host : "localhost";
	struct serial_relay_params params = {0};
	struct addrinfo *found;
	char port[8];
	int err;

	g_snprintf(port, sizeof(port), "%u", s->port);
	err = getaddrinfo(host, port, &hints, &found);
	if (err) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
			    "--serial: %s: %s", host, gai_strerror(err));
		return -1;
	}
	memcpy(&params.address, found->ai_addr, found->ai_addrlen);
	params.address_bytes = found->ai_addrlen;
	freeaddrinfo(found);
	return open_socket(p, s, &params, host, error);
}

/* Two FIFOs as QEMU has them, or one both ways. */
static int open_pipe(struct port *p, const char *path, GError **error)
{
	g_autofree char *in = g_strconcat(path, ".in", NULL);
	g_autofree char *out = g_strconcat(path, ".out", NULL);
	bool two = !access(in, F_OK) && !access(out, F_OK);

	/* For both, so that it is open whoever else has it open. */
	p->in_fd = open_file(two ? in : path, O_RDWR, error);
	if (p->in_fd < 0)
		return -1;
	p->out_fd = open_file(two ? out : path, O_RDWR, error);
	return p->out_fd < 0 ? -1 : 0;
}

static int open_dev(struct port *p, const char *path, GError **error)
{
	int fd = open_file(path, O_RDWR | O_NONBLOCK, error);

	if (fd < 0)
		return -1;
	return relay(
		p,
		&(struct serial_relay_params){.kind = RELAY_TERMINAL, .fd = fd},
		error);
}

static int open_kind(struct port *p, unsigned int i,
		     const struct serial_config *s, GError **error)
{
	switch (s->kind) {
	case SERIAL_PTY:
		return open_pty(p, i, error);
	case SERIAL_UNIX:
		return open_unix(p, s, error);
	case SERIAL_TCP:
		return open_tcp(p, s, error);
	case SERIAL_PIPE:
		return open_pipe(p, s->path, error);
	case SERIAL_DEV:
		return open_dev(p, s->path, error);
	case SERIAL_FILE:
		p->out_fd = open_output(s->path, s->append, error);
		return p->out_fd < 0 ? -1 : 0;
	case SERIAL_FD:
	case SERIAL_STDIO:
	case SERIAL_NULL:
	default:
		return 0;
	}
}

/* --- a port ------------------------------------------------------------------------ */

/* What COM@i is plugged into; NULL: whoever runs a command has it. */
static const struct serial_config *choose(const struct machine_config *config,
					  unsigned int i,
					  struct serial_config *made)
{
	const int given[] = {config->com1_fd, config->com2_fd};

	*made = (struct serial_config){.kind = SERIAL_NULL};
	if (i < G_N_ELEMENTS(given) && given[i] >= 0) {
		made->kind = SERIAL_FD;
		made->fd = given[i];
	} else if (i < config->serials->len) {
		return g_ptr_array_index(config->serials, i);
	} else if (!i && config->com1_fd == CONFIG_FD_TERMINAL) {
		made->kind = SERIAL_STDIO;
	}
	return made;
}

static int make_console(struct port *p, unsigned int i,
			const struct serial_config *s,
			const struct vm_serials_params *params, GError **error)
{
	struct console_config c = {
		.in_fd = p->in_fd,
		.out_fd = p->out_fd,
		.quit = params->quit,
		.ctx = params->ctx,
	};

	if (p->relay)
		c.in_fd = c.out_fd = serial_relay_fd(p->relay);
	if (s->kind == SERIAL_FD)
		c.in_fd = c.out_fd = s->fd;
	/* What a command's guest prints there is only looked at. */
	if (s->kind == SERIAL_FD && !i && params->config->com1_fd >= 0)
		c.in_fd = -1;
	if (s->kind == SERIAL_STDIO) {
		c.in_fd = STDIN_FILENO;
		c.out_fd = STDOUT_FILENO;
		c.raw = true;
	}
	p->console = console_new(&c, error);
	return p->console ? 0 : -1;
}

static int make_port(struct port *p, unsigned int i,
		     const struct vm_serials_params *params, GError **error)
{
	struct serial_config made;
	const struct serial_config *s = choose(params->config, i, &made);

	if (open_kind(p, i, s, error))
		return -1;
	if (s->log) {
		p->log_fd = open_output(s->log, s->log_append, error);
		if (p->log_fd < 0)
			return -1;
	}
	/* The first has one in any case: the report wants its output. */
	if ((!i || s->kind != SERIAL_NULL || s->log) &&
	    make_console(p, i, s, params, error))
		return -1;
	p->uart = uart16550_new(params->irqs[i],
				p->console ? console_host(p->console)
					   : (struct byte_port_host){0});
	uart16550_attach(p->uart, params->pio, places[i].port);
	if (!p->console)
		return 0;
	console_set_log(p->console, p->log_fd);
	console_connect(p->console, &uart16550_port_ops, p->uart);
	return 0;
}

struct vm_serials *vm_serials_new(const struct vm_serials_params *params,
				  GError **error)
{
	struct vm_serials *s = g_new0(struct vm_serials, 1);

	s->n = vm_serials_count(params->config);
	for (unsigned int i = 0; i < s->n; i++) {
		struct port *p = &s->ports[i];

		p->in_fd = p->out_fd = p->log_fd = -1;
	}
	for (unsigned int i = 0; i < s->n; i++) {
		if (make_port(&s->ports[i], i, params, error)) {
			vm_serials_free(s);
			return NULL;
		}
	}
	return s;
}

static void close_port(struct port *p)
{
	const int fds[] = {p->in_fd, p->out_fd, p->log_fd};

	console_free(p->console);
	serial_relay_free(p->relay);
	uart16550_free(p->uart);
	for (unsigned int i = 0; i < G_N_ELEMENTS(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (p->socket)
		unlink(p->socket);
	g_free(p->socket);
}

void vm_serials_free(struct vm_serials *serials)
{
	if (!serials)
		return;
	for (unsigned int i = 0; i < serials->n; i++)
		close_port(&serials->ports[i]);
	g_free(serials);
}

struct console *vm_serials_console(struct vm_serials *serials)
{
	return serials->ports[0].console;
}

int vm_serials_start(struct vm_serials *serials)
{
	int err = 0;

	/* The first last: it makes the terminal raw. */
	for (unsigned int i = serials->n; i-- > 0 && !err;)
		if (serials->ports[i].console)
			err = console_start(serials->ports[i].console);
	return err;
}

void vm_serials_stop(struct vm_serials *serials, uint64_t drain_ns)
{
	for (unsigned int i = serials->n; i-- > 0;) {
		struct console *c = serials->ports[i].console;

		if (!c)
			continue;
		console_stop(c, drain_ns);
		if (console_lost(c))
			log_warn("serial%u: %" G_GUINT64_FORMAT
				 " bytes of the guest's output could not be "
				 "written",
				 i, console_lost(c));
	}
}

void vm_serials_reset(struct vm_serials *serials)
{
	for (unsigned int i = 0; i < serials->n; i++)
		uart16550_reset(serials->ports[i].uart);
}
