// SPDX-License-Identifier: GPL-2.0-or-later
/* See datagram.h. */
#include "net/datagram.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/witness.h"

enum { DATAGRAMS_AT_ONCE = 64 };

struct net_datagram {
	struct ev_io watcher;
	struct net_loop *loop;
	struct net_address at;
	net_datagram_fn *came;
	void *context;
	int fd;
	bool in_callback;
	bool destroyed; /* inside of the callback: freed behind it */
};

static void on_datagram(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	struct net_datagram *d = watcher->data;

	(void)ev;
	(void)events;
	for (int i = 0; i < DATAGRAMS_AT_ONCE; i++) {
		struct net_address from = {0};
		socklen_t len = sizeof(from);
		ssize_t got =
			recvfrom(d->fd, d->loop->scratch, NET_SCRATCH_BYTES, 0, &from.any, &len);

		if (got < 0)
			return;
		net_witness_datagram(d->loop, &d->at, &from,
				     slice_make(d->loop->scratch, (size_t)got), false);
		d->in_callback = true;
		d->came(d->context, slice_make(d->loop->scratch, (size_t)got), &from);
		d->in_callback = false;
		if (d->destroyed) {
			free(d);
			return;
		}
	}
}

struct err *net_datagram_create(struct net_loop *loop, const struct net_address *at,
				net_datagram_fn *came, void *context, struct net_datagram **out)
{
	int fd = socket(at->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char text[NET_ADDRESS_TEXT_BYTES];
	struct net_datagram *d;
	socklen_t len;
	int on = 1;

	net_address_format(at, text);
	if (fd < 0)
		return err_new_errno(errno, "%s: no socket (UDP)", text);
	if (at->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, &at->any, net_address_bytes(at)) < 0) {
		struct err *err = err_new_errno(errno, "%s: cannot be bound to (UDP)", text);

		close(fd);
		return err;
	}
	d = mem_alloc(1, sizeof(*d));
	d->loop = loop;
	d->fd = fd;
	d->at = *at;
	d->came = came;
	d->context = context;
	len = sizeof(d->at);
	getsockname(fd, &d->at.any, &len);
	ev_io_init(&d->watcher, on_datagram, fd, EV_READ);
	d->watcher.data = d;
	ev_io_start(loop->ev, &d->watcher);
	*out = d;
	return NULL;
}

void net_datagram_destroy(struct net_datagram *d)
{
	if (!d)
		return;
	ev_io_stop(d->loop->ev, &d->watcher);
	close(d->fd);
	d->destroyed = true;
	if (!d->in_callback)
		free(d);
}

const struct net_address *net_datagram_address(const struct net_datagram *d)
{
	return &d->at;
}

void net_datagram_send(struct net_datagram *d, struct slice bytes, const struct net_address *to)
{
	if (sendto(d->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL, &to->any, net_address_bytes(to)) >= 0)
		net_witness_datagram(d->loop, &d->at, to, bytes, true);
}
