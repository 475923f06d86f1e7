// SPDX-License-Identifier: GPL-2.0-or-later
/* See control.h. */
#include "net/control.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

enum { BACKLOG = 8, READ_BYTES = 4096, UNSENT_BYTES_MAX = 1 << 20 };

struct client {
	struct ev_io reader, writer;
	struct net_control *owner;
	int fd; /* -1: the place is free */
	struct strbuf in, out;
};

struct net_control {
	struct ev_io watcher;
	struct net_loop *loop;
	net_control_fn *line;
	void *context;
	int fd;
	struct sockaddr_un at;
	struct client clients[NET_CONTROL_CLIENTS_MAX];
};

static void client_close(struct client *c)
{
	if (c->fd < 0)
		return;
	ev_io_stop(c->owner->loop->ev, &c->reader);
	ev_io_stop(c->owner->loop->ev, &c->writer);
	close(c->fd);
	c->fd = -1;
	strbuf_deinit(&c->in);
	strbuf_deinit(&c->out);
}

static void drop_front(struct strbuf *sb, size_t count)
{
	memmove(sb->data, sb->data + count, sb->len - count);
	sb->len -= count;
}

static void client_flush(struct client *c)
{
	struct ev_loop *ev = c->owner->loop->ev;

	while (c->out.len) {
		ssize_t sent = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EAGAIN && c->out.len <= UNSENT_BYTES_MAX) {
			ev_io_start(ev, &c->writer);
			return;
		}
		if (sent <= 0) {
			client_close(c);
			return;
		}
		drop_front(&c->out, (size_t)sent);
	}
	ev_io_stop(ev, &c->writer);
}

static void take_lines(struct client *c)
{
	struct net_control *owner = c->owner;
	char *end;

	while (c->in.len && (end = memchr(c->in.data, '\n', c->in.len))) {
		size_t len = (size_t)(end - c->in.data);

		owner->line(owner->context, slice_make(c->in.data, len), &c->out);
		drop_front(&c->in, len + 1);
	}
}

static void on_readable(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	struct client *c = watcher->data;
	char bytes[READ_BYTES];
	ssize_t got = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	(void)ev, (void)events;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got > 0)
		strbuf_add(&c->in, bytes, (size_t)got);
	else if (got == 0 && c->in.len)
		strbuf_add_char(&c->in, '\n'); /* a last line without its end */
	take_lines(c);
	client_flush(c);
	if (got <= 0 || c->in.len > NET_CONTROL_LINE_BYTES_MAX)
		client_close(c);
}

static void on_writable(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	(void)ev, (void)events;
	client_flush(watcher->data);
}

static struct client *free_client(struct net_control *control)
{
	for (size_t i = 0; i < NET_CONTROL_CLIENTS_MAX; i++)
		if (control->clients[i].fd < 0)
			return &control->clients[i];
	return NULL;
}

static void on_connection(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	struct net_control *control = watcher->data;
	int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c = free_client(control);

	(void)events;
	if (fd < 0)
		return;
	if (!c) {
		close(fd);
		return;
	}
	c->fd = fd;
	c->owner = control;
	strbuf_init(&c->in);
	strbuf_init(&c->out);
	ev_io_init(&c->reader, on_readable, fd, EV_READ);
	ev_io_init(&c->writer, on_writable, fd, EV_WRITE);
	c->reader.data = c->writer.data = c;
	ev_io_start(ev, &c->reader);
}

/* Removes a socket that an endpoint left behind: one at which nobody listens. */
static void remove_left_behind(const struct sockaddr_un *at)
{
	struct stat st;
	int fd;

	if (lstat(at->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)at, sizeof(*at)) < 0 && errno == ECONNREFUSED)
		unlink(at->sun_path);
	close(fd);
}

static int open_socket(const struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask;
	int result, saved;

	if (fd < 0)
		return -1;
	/* The socket is made with its mode: nobody else can connect in between. */
	mask = umask(0177);
	result = bind(fd, (const struct sockaddr *)at, sizeof(*at));
	saved = errno;
	umask(mask);
	if (result == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	errno = saved;
	return -1;
}

struct err *net_control_create(struct net_loop *loop, const char *path, net_control_fn *line,
			       void *context, struct net_control **out)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct net_control *control;
	int fd;

	if (strlen(path) >= sizeof(at.sun_path))
		return err_new("%s: a socket's path has at most %zu bytes", path,
			       sizeof(at.sun_path) - 1);
	memcpy(at.sun_path, path, strlen(path) + 1);
	remove_left_behind(&at);
	fd = open_socket(&at);
	if (fd < 0)
		return err_new_errno(errno, "%s: no control socket can be made there", path);
	control = mem_alloc(1, sizeof(*control));
	control->loop = loop;
	control->line = line;
	control->context = context;
	control->fd = fd;
	control->at = at;
	for (size_t i = 0; i < NET_CONTROL_CLIENTS_MAX; i++)
		control->clients[i].fd = -1;
	ev_io_init(&control->watcher, on_connection, fd, EV_READ);
	control->watcher.data = control;
	ev_io_start(loop->ev, &control->watcher);
	*out = control;
	return NULL;
}

void net_control_destroy(struct net_control *control)
{
	if (!control)
		return;
	for (size_t i = 0; i < NET_CONTROL_CLIENTS_MAX; i++)
		client_close(&control->clients[i]);
	ev_io_stop(control->loop->ev, &control->watcher);
	close(control->fd);
	unlink(control->at.sun_path);
	free(control);
}
