// SPDX-License-Identifier: GPL-2.0-or-later
/* See stream.h. */
#include "net/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/witness.h"

enum { READS_AT_ONCE = 4 };

struct net_stream {
	struct ev_io reader;
	struct ev_io writer;
	struct net_loop *loop;
	const struct net_stream_ops *ops;
	void *context;
	struct net_address peer, local;
	struct net_buffer in, out;
	int fd; /* -1: over */
	bool connecting;
	bool reading_paused, writing_paused;
	bool full;       /* not reading because of the queue */
	bool waits;      /* bytes that came are to be offered again */
	bool sent_some;  /* since `drained` was told */
	bool peer_ended; /* FIN came */
	bool ending;     /* FIN is due, or was sent */
	bool end_sent;
	bool destroyed;          /* free it when `depth` is 0 */
	unsigned depth;          /* events under way */
	int error;               /* an errno: it broke, which is still to be told */
	bool resets;             /* its end is RST */
	struct net_watch *watch; /* NULL: nobody wants to know */
};

/* The watchers as the state wants them. */
static void watch(struct net_stream *s)
{
	struct ev_loop *ev = s->loop->ev;
	bool read =
		s->fd >= 0 && !s->connecting && !s->reading_paused && !s->full && !s->peer_ended;
	bool write =
		s->fd >= 0 && !s->error && (s->connecting || (s->out.len && !s->writing_paused));

	if (read)
		ev_io_start(ev, &s->reader);
	else
		ev_io_stop(ev, &s->reader);
	if (write)
		ev_io_start(ev, &s->writer);
	else
		ev_io_stop(ev, &s->writer);
}

static void shut(struct net_stream *s)
{
	if (s->fd < 0)
		return;
	ev_io_stop(s->loop->ev, &s->reader);
	ev_io_stop(s->loop->ev, &s->writer);
	if (s->watch)
		net_watch_close(s->watch, s->error, s->resets);
	else
		close(s->fd);
	s->watch = NULL;
	s->fd = -1;
	net_buffer_release(&s->out, &s->loop->buffers);
}

static void enter(struct net_stream *s)
{
	s->depth++;
}

/* False when the stream is gone. */
static bool leave(struct net_stream *s)
{
	if (--s->depth || !s->destroyed)
		return true;
	free(s);
	return false;
}

static void tell_closed(struct net_stream *s, int error)
{
	shut(s);
	if (!s->destroyed)
		s->ops->closed(s->context, error);
}

/*
 * An event of the loop's next turn: so that no callback comes inside of a call of the owner. Behind
 * watch and not before: ev_io_stop takes back what is pending.
 */
static void wake(struct net_stream *s)
{
	ev_feed_event(s->loop->ev, &s->writer, EV_CUSTOM);
}

/* Gives the kernel what it takes; false when the connection broke, with the error noted. */
static bool flush(struct net_stream *s)
{
	while (s->out.len && !s->writing_paused && !s->connecting) {
		struct slice bytes = net_buffer_bytes(&s->out);
		ssize_t sent = send(s->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN)
			return true;
		if (sent < 0) {
			s->error = errno;
			return false;
		}
		net_watch_tell(s->watch, NET_SEEN_SENT, slice_make(bytes.ptr, (size_t)sent));
		net_buffer_consume(&s->out, &s->loop->buffers, (size_t)sent);
	}
	if (!s->out.len && s->ending && !s->end_sent && !s->connecting) {
		s->end_sent = true;
		shutdown(s->fd, SHUT_WR);
		net_watch_tell(s->watch, NET_SEEN_SENT_END, (struct slice){0});
	}
	return true;
}

static bool is_over(const struct net_stream *s)
{
	return s->fd < 0 || s->destroyed || s->error;
}

/* Offers the owner what came, as long as it takes some of it. */
static void offer(struct net_stream *s)
{
	while (s->in.len && !is_over(s) && !s->reading_paused) {
		size_t taken = s->ops->data(s->context, net_buffer_bytes(&s->in));

		if (s->destroyed)
			return;
		if (!taken && !net_stream_is_full(s))
			return;
		net_buffer_consume(&s->in, &s->loop->buffers, taken);
		if (s->fd >= 0 && s->out.len && !flush(s))
			return;
		if (!taken && net_stream_is_full(s))
			return;
	}
}

/* At the end of each event: sends, goes on with what had to wait, tells what is to be told. */
static void settle(struct net_stream *s)
{
	if (!is_over(s) && flush(s) && (s->waits || s->full) &&
	    s->out.len <= NET_STREAM_QUEUE_BYTES / 2) {
		s->waits = false;
		s->full = false;
		offer(s);
		if (!is_over(s))
			flush(s);
	}
	if (s->error && s->fd >= 0 && !s->destroyed)
		tell_closed(s, s->error);
	if (is_over(s))
		return;
	s->full = net_stream_is_full(s);
	if (s->sent_some && !s->out.len) {
		s->sent_some = false;
		if (s->ops->drained)
			s->ops->drained(s->context);
	}
	if (!is_over(s))
		watch(s);
}

static void end_of_reading(struct net_stream *s)
{
	s->peer_ended = true;
	net_watch_tell(s->watch, NET_SEEN_RECEIVED_END, (struct slice){0});
	if (!s->ops->ended) {
		tell_closed(s, 0);
		return;
	}
	watch(s);
	s->ops->ended(s->context);
}

/* Reads once. True when there may be more at once. */
static bool read_some(struct net_stream *s)
{
	uint8_t *room = net_buffer_reserve(&s->in, &s->loop->buffers, NET_STREAM_READ_BYTES);
	size_t asked = net_buffer_room(&s->in);
	ssize_t got = recv(s->fd, room, asked, 0);

	if (got <= 0 && !s->in.len)
		net_buffer_release(&s->in, &s->loop->buffers);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got < 0) {
		s->error = errno;
		return false;
	}
	if (got == 0) {
		end_of_reading(s);
		return false;
	}
	net_watch_tell(s->watch, NET_SEEN_RECEIVED, slice_make(room, (size_t)got));
	net_buffer_commit(&s->in, (size_t)got);
	offer(s);
	if (is_over(s))
		return false;
	if (s->in.len > NET_STREAM_HOLD_BYTES_MAX) {
		s->error = ENOBUFS;
		return false;
	}
	return (size_t)got == asked && !s->reading_paused && !net_stream_is_full(s);
}

static void on_readable(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	struct net_stream *s = watcher->data;

	(void)ev;
	(void)events;
	enter(s);
	for (int i = 0; i < READS_AT_ONCE && read_some(s); i++)
		;
	settle(s);
	leave(s);
}

static void on_writable(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	struct net_stream *s = watcher->data;
	socklen_t len = sizeof(int);
	int error = 0;

	(void)ev;
	enter(s);
	if (s->connecting && !s->error && (events & EV_WRITE)) {
		if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
			error = errno;
		if (error == 0) {
			s->connecting = false;
			len = sizeof(s->local);
			getsockname(s->fd, &s->local.any, &len);
			net_watch_tell(s->watch, NET_SEEN_CONNECTED, (struct slice){0});
			if (s->ops->connected)
				s->ops->connected(s->context);
		} else {
			s->error = error;
		}
	}
	settle(s);
	leave(s);
}

static struct net_stream *make(struct net_loop *loop, int fd, const struct net_address *peer,
			       const struct net_stream_ops *ops, void *context)
{
	struct net_stream *s = mem_alloc(1, sizeof(*s));
	int on = 1;

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	s->loop = loop;
	s->fd = fd;
	s->peer = *peer;
	s->ops = ops;
	s->context = context;
	ev_io_init(&s->reader, on_readable, fd, EV_READ);
	ev_io_init(&s->writer, on_writable, fd, EV_WRITE);
	s->reader.data = s;
	s->writer.data = s;
	return s;
}

struct net_stream *net_stream_create(struct net_loop *loop, int fd, const struct net_address *peer,
				     const struct net_stream_ops *ops, void *context)
{
	struct net_stream *s = make(loop, fd, peer, ops, context);
	socklen_t len = sizeof(s->local);

	getsockname(fd, &s->local.any, &len);
	s->watch = net_watch_create(loop, fd, peer, NET_SEEN_ACCEPTED);
	watch(s);
	return s;
}

struct err *net_stream_connect(struct net_loop *loop, const struct net_address *to,
			       const struct net_address *from, const struct net_stream_ops *ops,
			       void *context, struct net_stream **out)
{
	int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char text[NET_ADDRESS_TEXT_BYTES];
	struct net_stream *s;
	socklen_t len;
	int on = 1;

	net_address_format(to, text);
	if (fd < 0)
		return err_new_errno(errno, "%s: no socket", text);
	if (from) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, &from->any, net_address_bytes(from)) < 0) {
			struct err *err;

			net_address_format(from, text);
			err = err_new_errno(errno, "%s: cannot be bound to", text);
			close(fd);
			return err;
		}
	}
	s = make(loop, fd, to, ops, context);
	s->connecting = true;
	if (connect(fd, &to->any, net_address_bytes(to)) < 0 && errno != EINPROGRESS)
		s->error = errno;
	len = sizeof(s->local);
	getsockname(fd, &s->local.any, &len);
	/* An address that is taken, or no route: nothing was sent. */
	if (!s->error || s->error == ECONNREFUSED)
		s->watch = net_watch_create(loop, fd, to, NET_SEEN_CONNECTING);
	watch(s);
	/* What fails at once is told like what fails later. */
	if (s->error)
		wake(s);
	*out = s;
	return NULL;
}

void net_stream_destroy(struct net_stream *s)
{
	if (!s || s->destroyed)
		return;
	if (s->fd >= 0 && !s->error)
		flush(s);
	shut(s);
	net_buffer_release(&s->in, &s->loop->buffers);
	s->destroyed = true;
	if (!s->depth)
		free(s);
}

void net_stream_reset(struct net_stream *s)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	if (s->fd >= 0)
		setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	net_buffer_release(&s->out, &s->loop->buffers);
	s->resets = true;
	net_stream_destroy(s);
}

/* Outside of events what was queued goes out at once; what follows from it comes in an event. */
static void settle_now(struct net_stream *s)
{
	if (s->depth || s->fd < 0)
		return;
	flush(s);
	watch(s);
	if (s->error || s->full || s->waits || (s->sent_some && s->ops->drained && !s->out.len))
		wake(s);
}

void net_stream_end(struct net_stream *s)
{
	s->ending = true;
	settle_now(s);
}

uint8_t *net_stream_reserve(struct net_stream *s, size_t bytes)
{
	return net_buffer_reserve(&s->out, &s->loop->buffers, bytes);
}

void net_stream_commit(struct net_stream *s, size_t bytes)
{
	net_buffer_commit(&s->out, bytes);
	s->sent_some = true;
	if (s->fd < 0 || s->ending) {
		net_buffer_release(&s->out, &s->loop->buffers);
		return;
	}
	settle_now(s);
}

void net_stream_send(struct net_stream *s, struct slice bytes)
{
	if (s->fd < 0 || s->ending || !bytes.len)
		return;
	memcpy(net_stream_reserve(s, bytes.len), bytes.ptr, bytes.len);
	net_stream_commit(s, bytes.len);
}

size_t net_stream_queued_bytes(const struct net_stream *s)
{
	return s->out.len;
}

bool net_stream_is_full(const struct net_stream *s)
{
	return s->out.len > NET_STREAM_QUEUE_BYTES && !s->writing_paused;
}

void net_stream_pause_reading(struct net_stream *s)
{
	s->reading_paused = true;
	watch(s);
}

void net_stream_resume_reading(struct net_stream *s)
{
	s->reading_paused = false;
	s->waits = true;
	if (s->fd < 0)
		return;
	watch(s);
	wake(s);
}

bool net_stream_reading_is_paused(const struct net_stream *s)
{
	return s->reading_paused;
}

void net_stream_pause_writing(struct net_stream *s)
{
	s->writing_paused = true;
	watch(s);
}

void net_stream_resume_writing(struct net_stream *s)
{
	s->writing_paused = false;
	settle_now(s);
}

const struct net_address *net_stream_peer(const struct net_stream *s)
{
	return &s->peer;
}

const struct net_address *net_stream_local(const struct net_stream *s)
{
	return &s->local;
}
