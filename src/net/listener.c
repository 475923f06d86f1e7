// SPDX-License-Identifier: GPL-2.0-or-later
/* See listener.h. */
#include "net/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/timer.h"

enum { BACKLOG = 1024, ACCEPTS_AT_ONCE = 64, RETRY_MS = 100 };

struct net_listener {
	struct ev_io watcher;
	struct net_timer retry; /* after the process ran out of descriptors */
	struct net_loop *loop;
	struct net_address at;
	net_accept_fn *accepted;
	void *context;
	int fd;
	bool paused;
	bool in_callback;
	bool destroyed; /* inside of the callback: freed behind it */
};

static void on_connection(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	struct net_listener *l = watcher->data;

	(void)events;
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		struct net_address peer = {0};
		socklen_t len = sizeof(peer);
		int fd = accept4(l->fd, &peer.any, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
				ev_io_stop(ev, &l->watcher);
				net_timer_start(&l->retry, RETRY_MS * INT64_C(1000000));
			}
			return;
		}
		l->in_callback = true;
		l->accepted(l->context, fd, &peer);
		l->in_callback = false;
		if (l->destroyed)
			free(l);
		else if (!l->paused)
			continue;
		return;
	}
}

static void on_retry(void *context)
{
	struct net_listener *l = context;

	if (!l->paused)
		ev_io_start(l->loop->ev, &l->watcher);
}

/* A socket that listens, or -1 with errno. */
static int open_socket(const struct net_address *at)
{
	int fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;
	int saved;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (at->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, &at->any, net_address_bytes(at)) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

struct err *net_listener_create(struct net_loop *loop, const struct net_address *at,
				net_accept_fn *accepted, void *context, struct net_listener **out)
{
	char text[NET_ADDRESS_TEXT_BYTES];
	int fd = open_socket(at);
	struct net_listener *l;
	socklen_t len;

	if (fd < 0) {
		net_address_format(at, text);
		return err_new_errno(errno, "%s: cannot be listened at (TCP)", text);
	}
	l = mem_alloc(1, sizeof(*l));
	l->loop = loop;
	l->fd = fd;
	l->at = *at;
	l->accepted = accepted;
	l->context = context;
	len = sizeof(l->at);
	getsockname(fd, &l->at.any, &len);
	net_timer_init(&l->retry, loop, on_retry, l);
	ev_io_init(&l->watcher, on_connection, fd, EV_READ);
	l->watcher.data = l;
	ev_io_start(loop->ev, &l->watcher);
	*out = l;
	return NULL;
}

void net_listener_destroy(struct net_listener *l)
{
	if (!l)
		return;
	net_timer_deinit(&l->retry);
	ev_io_stop(l->loop->ev, &l->watcher);
	close(l->fd);
	l->destroyed = true;
	if (!l->in_callback)
		free(l);
}

const struct net_address *net_listener_address(const struct net_listener *l)
{
	return &l->at;
}

void net_listener_pause(struct net_listener *l)
{
	l->paused = true;
	ev_io_stop(l->loop->ev, &l->watcher);
}

void net_listener_resume(struct net_listener *l)
{
	l->paused = false;
	ev_io_start(l->loop->ev, &l->watcher);
}
