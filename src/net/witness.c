// SPDX-License-Identifier: GPL-2.0-or-later
/* See witness.h. */
#include "net/witness.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"

enum { KEPT_MAX = 1024 };

/* Without a word of either side for so long, acknowledgements are told; of the machine's time. */
static const double quiet_s = 0.04;
/* tcp_fin_timeout: so long the kernel waits for the other side's FIN. */
static const double fin_s = 60;

struct net_watch {
	struct net_loop *loop;
	uint64_t number;
	int fd;
	struct net_address peer, local;
	struct ev_timer quiet;
	bool is_connected, has_sent_end, has_received_end;
	/* Behind the stream's end. */
	struct ev_io after;
	struct ev_timer until;
	struct net_watch *previous, *next;
};

static size_t unacked_bytes(const struct net_watch *w)
{
	int count = 0;

	return ioctl(w->fd, SIOCOUTQ, &count) == 0 && count > 0 ? (size_t)count : 0;
}

static void tell(struct net_watch *w, enum net_seen_what what, struct slice bytes, size_t unacked)
{
	struct net_seen seen = {.loop = w->loop,
				.what = what,
				.connection = w->number,
				.local = &w->local,
				.peer = &w->peer,
				.bytes = bytes,
				.unacked = unacked};

	w->loop->witness->tell(w->loop->witness->context, &seen);
}

/* A timer that keeps no loop running. */
static void timer_start(struct net_watch *w, struct ev_timer *timer)
{
	struct ev_loop *ev = w->loop->ev;

	if (ev_is_active(timer))
		ev_ref(ev);
	ev_timer_again(ev, timer);
	ev_unref(ev);
}

static void timer_stop(struct net_watch *w, struct ev_timer *timer)
{
	if (ev_is_active(timer))
		ev_ref(w->loop->ev);
	ev_timer_stop(w->loop->ev, timer);
}

static void on_quiet(struct ev_loop *ev, struct ev_timer *timer, int events)
{
	struct net_watch *w = timer->data;
	size_t unacked = unacked_bytes(w);

	(void)ev, (void)events;
	tell(w, NET_SEEN_QUIET, (struct slice){0}, unacked);
	if (!unacked)
		timer_stop(w, &w->quiet);
}

struct net_watch *net_watch_create(struct net_loop *loop, int fd, const struct net_address *peer,
				   enum net_seen_what what)
{
	struct net_watch *w;
	socklen_t len;

	if (!loop->witness)
		return NULL;
	w = mem_alloc(1, sizeof(*w));
	w->loop = loop;
	w->number = ++loop->witness->connections;
	w->fd = fd;
	w->peer = *peer;
	w->is_connected = what == NET_SEEN_ACCEPTED;
	len = sizeof(w->local);
	getsockname(fd, &w->local.any, &len);
	ev_init(&w->quiet, on_quiet);
	w->quiet.repeat = quiet_s;
	w->quiet.data = w;
	tell(w, what, (struct slice){0}, 0);
	return w;
}

void net_watch_tell(struct net_watch *w, enum net_seen_what what, struct slice bytes)
{
	if (!w)
		return;
	w->has_sent_end |= what == NET_SEEN_SENT_END;
	w->has_received_end |= what == NET_SEEN_RECEIVED_END;
	if (what == NET_SEEN_CONNECTED) {
		socklen_t len = sizeof(w->local);

		w->is_connected = true;
		getsockname(w->fd, &w->local.any, &len);
	}
	tell(w, what, bytes, unacked_bytes(w));
	timer_start(w, &w->quiet);
}

/* --- behind the end --- */

static void watch_free(struct net_watch *w)
{
	timer_stop(w, &w->quiet);
	tell(w, NET_SEEN_CLOSED, (struct slice){0}, 0);
	close(w->fd);
	free(w);
}

static void kept_free(struct net_watch *w)
{
	struct net_loop *loop = w->loop;

	ev_ref(loop->ev);
	ev_io_stop(loop->ev, &w->after);
	timer_stop(w, &w->until);
	if (w->next)
		w->next->previous = w->previous;
	if (w->previous)
		w->previous->next = w->next;
	else
		loop->kept = w->next;
	loop->kept_len--;
	watch_free(w);
}

static void reset(struct net_watch *w)
{
	struct linger linger = {.l_onoff = 1};

	setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	tell(w, NET_SEEN_SENT_RESET, (struct slice){0}, 0);
}

static void on_after(struct ev_loop *ev, struct ev_io *io, int events)
{
	struct net_watch *w = io->data;
	ssize_t got = recv(w->fd, w->loop->scratch, NET_SCRATCH_BYTES, MSG_DONTWAIT);

	(void)ev, (void)events;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got > 0) {
		tell(w, NET_SEEN_RECEIVED, slice_make(w->loop->scratch, (size_t)got), 0);
		reset(w);
	} else if (got == 0) {
		tell(w, NET_SEEN_RECEIVED_END, (struct slice){0}, unacked_bytes(w));
		tell(w, NET_SEEN_QUIET, (struct slice){0}, 0);
	} else if (errno == ECONNRESET) {
		tell(w, NET_SEEN_RECEIVED_RESET, (struct slice){0}, 0);
	}
	kept_free(w);
}

static void on_until(struct ev_loop *ev, struct ev_timer *timer, int events)
{
	(void)ev, (void)events;
	kept_free(timer->data);
}

/* Waits for the other side's end, with what the kernel does to a closed socket. */
static void keep(struct net_watch *w)
{
	struct net_loop *loop = w->loop;

	ev_io_init(&w->after, on_after, w->fd, EV_READ);
	w->after.data = w;
	ev_io_start(loop->ev, &w->after);
	ev_unref(loop->ev);
	ev_init(&w->until, on_until);
	w->until.repeat = fin_s;
	w->until.data = w;
	timer_start(w, &w->until);
	timer_start(w, &w->quiet);
	w->next = loop->kept;
	if (w->next)
		w->next->previous = w;
	loop->kept = w;
	loop->kept_len++;
}

void net_watch_close(struct net_watch *w, int error, bool resets)
{
	int unread = 0;

	if (error) {
		if (error == ECONNRESET || error == ECONNREFUSED || error == EPIPE)
			tell(w, NET_SEEN_RECEIVED_RESET, (struct slice){0}, 0);
		watch_free(w);
		return;
	}
	if (!w->is_connected) { /* given up: the kernel sends no more SYN, and says nothing */
		watch_free(w);
		return;
	}
	/* What was not read makes a RST of close(2): RFC 2525 section 2.17, tcp_close. */
	if (!w->has_received_end && ioctl(w->fd, FIONREAD, &unread) == 0 && unread > 0)
		resets = true;
	if (resets) {
		reset(w);
		watch_free(w);
		return;
	}
	if (!w->has_sent_end && shutdown(w->fd, SHUT_WR) == 0) {
		w->has_sent_end = true;
		tell(w, NET_SEEN_SENT_END, (struct slice){0}, unacked_bytes(w));
	}
	if (w->has_sent_end && !w->has_received_end && w->loop->kept_len < KEPT_MAX)
		keep(w);
	else
		watch_free(w);
}

void net_witness_deinit(struct net_loop *loop)
{
	while (loop->kept)
		kept_free(loop->kept);
}

/* --- UDP --- */

static bool is_any(const struct net_address *a)
{
	return a->any.sa_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr)
					    : a->v4.sin_addr.s_addr == INADDR_ANY;
}

/* The address of ours from which the kernel would answer the peer. */
static struct net_address way_to(const struct net_address *at, const struct net_address *peer)
{
	struct net_address local = *at;
	socklen_t len = sizeof(local);
	int fd = socket(peer->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return local;
	if (connect(fd, &peer->any, net_address_bytes(peer)) == 0)
		getsockname(fd, &local.any, &len);
	close(fd);
	net_address_set_port(&local, net_address_port(at));
	return local;
}

void net_witness_datagram(struct net_loop *loop, const struct net_address *at,
			  const struct net_address *peer, struct slice bytes, bool is_sent)
{
	struct net_address local;
	struct net_seen seen = {.loop = loop,
				.what = is_sent ? NET_SEEN_DATAGRAM_SENT
						: NET_SEEN_DATAGRAM_RECEIVED,
				.local = &local,
				.peer = peer,
				.bytes = bytes};

	if (!loop->witness)
		return;
	local = is_any(at) ? way_to(at, peer) : *at;
	loop->witness->tell(loop->witness->context, &seen);
}
