// SPDX-License-Identifier: GPL-2.0-or-later
/* See net_fake.h. */
#include "net_fake.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/timer.h"

enum { LIST_MAX = 4096, FIRST_PORT = 30000, TURNS_MAX = 100000 };

struct net_listener {
	struct net_address at;
	net_accept_fn *accepted;
	void *context;
};

struct net_datagram {
	struct net_address at;
	net_datagram_fn *came;
	void *context;
	bool in_callback, is_destroyed;
};

/* What there is of one kind, in the order in which it was made. */
struct list {
	size_t len;
	void *items[LIST_MAX];
};

static struct list streams, listeners, datagrams, timers;
static int64_t now_ns;
static uint16_t next_port;
static bool refuses_listening, refuses_others;
static unsigned depth; /* of events: what is destroyed goes when they are over */

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void list_add(struct list *l, void *item)
{
	require(l->len < LIST_MAX);
	l->items[l->len++] = item;
}

static bool list_remove(struct list *l, const void *item)
{
	for (size_t i = 0; i < l->len; i++) {
		if (l->items[i] != item)
			continue;
		l->len--;
		memmove(l->items + i, l->items + i + 1, (l->len - i) * sizeof(l->items[0]));
		return true;
	}
	return false;
}

static void give_port(struct net_address *at)
{
	if (!net_address_port(at))
		net_address_set_port(at, next_port++);
}

/* --- events --- */

/* Offers the owner what came, as long as it takes some of it. */
static void offer(struct net_stream *s)
{
	while (s->in_pos < s->in_len && !s->is_over && !s->is_destroyed && !s->reading_paused) {
		struct slice bytes = slice_make(s->in + s->in_pos, s->in_len - s->in_pos);
		size_t count = s->ops->data(s->context, bytes);

		require(count <= bytes.len);
		if (!count)
			return;
		strbuf_add(&s->taken, bytes.ptr, count);
		s->in_pos += count;
	}
}

static void add_in(struct net_stream *s, struct slice bytes)
{
	size_t left = s->in_len - s->in_pos;
	uint8_t *in = mem_alloc(1, left + bytes.len);

	if (left)
		memcpy(in, s->in + s->in_pos, left);
	memcpy(in + left, bytes.ptr, bytes.len);
	free(s->in);
	s->in = in;
	s->in_len = left + bytes.len;
	s->in_pos = 0;
}

/* False: nothing was to be done. */
static bool settle(struct net_stream *s)
{
	if (s->is_over || s->is_destroyed)
		return false;
	if (!s->is_stuck && !s->writing_paused)
		s->queued_bytes = 0;
	if (s->waits && !net_stream_is_full(s)) {
		s->waits = false;
		offer(s);
		return true;
	}
	if (s->sent_some && !s->queued_bytes) {
		s->sent_some = false;
		if (s->ops->drained)
			s->ops->drained(s->context);
		return true;
	}
	return false;
}

static void stream_free(struct net_stream *s)
{
	free(s->in);
	strbuf_deinit(&s->taken);
	strbuf_deinit(&s->sent);
	free(s);
}

static void enter(void)
{
	depth++;
}

/* At the end of an event: what follows from it, until nothing does. */
static void leave(void)
{
	int turns = 0;

	for (size_t i = 0; i < streams.len;) {
		require(++turns < TURNS_MAX);
		i = settle(streams.items[i]) ? 0 : i + 1;
	}
	depth--;
	for (size_t i = 0; i < streams.len && !depth;) {
		struct net_stream *s = streams.items[i++];

		if (!s->is_destroyed)
			continue;
		list_remove(&streams, s);
		stream_free(s);
		i--;
	}
}

/* --- streams, from the owner's side --- */

static struct net_stream *make(const struct net_address *peer, const struct net_stream_ops *ops,
			       void *context)
{
	struct net_stream *s = mem_alloc(1, sizeof(*s));

	s->ops = ops;
	s->context = context;
	s->peer = *peer;
	s->local = net_address_loopback(next_port++);
	strbuf_init(&s->taken);
	strbuf_init(&s->sent);
	list_add(&streams, s);
	return s;
}

struct net_stream *net_stream_create(struct net_loop *loop, int fd, const struct net_address *peer,
				     const struct net_stream_ops *ops, void *context)
{
	(void)loop;
	(void)fd;
	return make(peer, ops, context);
}

struct err *net_stream_connect(struct net_loop *loop, const struct net_address *to,
			       const struct net_address *from, const struct net_stream_ops *ops,
			       void *context, struct net_stream **out)
{
	(void)loop;
	(void)from;
	if (refuses_others)
		return err_new("no socket");
	*out = make(to, ops, context);
	return NULL;
}

void net_stream_destroy(struct net_stream *s)
{
	if (!s)
		return;
	require(!s->is_destroyed);
	s->is_destroyed = true;
	if (depth)
		return;
	list_remove(&streams, s);
	stream_free(s);
}

void net_stream_reset(struct net_stream *s)
{
	net_stream_destroy(s);
}

void net_stream_end(struct net_stream *s)
{
	require(!s->is_destroyed);
	s->is_ending = true;
}

void net_stream_send(struct net_stream *s, struct slice bytes)
{
	require(!s->is_destroyed);
	if (s->is_over || s->is_ending || !bytes.len)
		return;
	strbuf_add(&s->sent, bytes.ptr, bytes.len);
	s->queued_bytes += bytes.len;
	s->sent_some = true;
}

size_t net_stream_queued_bytes(const struct net_stream *s)
{
	return s->queued_bytes;
}

bool net_stream_is_full(const struct net_stream *s)
{
	return s->queued_bytes > NET_FAKE_FULL_BYTES && !s->writing_paused;
}

void net_stream_pause_reading(struct net_stream *s)
{
	require(!s->is_destroyed);
	s->reading_paused = true;
}

void net_stream_resume_reading(struct net_stream *s)
{
	require(!s->is_destroyed);
	s->reading_paused = false;
	s->waits = true;
}

void net_stream_pause_writing(struct net_stream *s)
{
	require(!s->is_destroyed);
	s->writing_paused = true;
}

void net_stream_resume_writing(struct net_stream *s)
{
	require(!s->is_destroyed);
	s->writing_paused = false;
}

const struct net_address *net_stream_local(const struct net_stream *s)
{
	return &s->local;
}

/* --- listeners and datagrams --- */

/* All are on one host. */
static struct net_listener *listener_at(const struct net_address *at)
{
	for (size_t i = 0; i < listeners.len; i++) {
		struct net_listener *l = listeners.items[i];

		if (net_address_port(&l->at) == net_address_port(at))
			return l;
	}
	return NULL;
}

struct err *net_listener_create(struct net_loop *loop, const struct net_address *at,
				net_accept_fn *accepted, void *context, struct net_listener **out)
{
	(void)loop;
	if (refuses_listening || listener_at(at))
		return err_new("no socket");
	*out = mem_alloc(1, sizeof(**out));
	**out = (struct net_listener){.at = *at, .accepted = accepted, .context = context};
	give_port(&(*out)->at);
	list_add(&listeners, *out);
	return NULL;
}

void net_listener_destroy(struct net_listener *l)
{
	if (!l)
		return;
	require(list_remove(&listeners, l));
	free(l);
}

const struct net_address *net_listener_address(const struct net_listener *l)
{
	return &l->at;
}

struct err *net_datagram_create(struct net_loop *loop, const struct net_address *at,
				net_datagram_fn *came, void *context, struct net_datagram **out)
{
	(void)loop;
	if (refuses_others)
		return err_new("no socket");
	*out = mem_alloc(1, sizeof(**out));
	**out = (struct net_datagram){.at = *at, .came = came, .context = context};
	give_port(&(*out)->at);
	list_add(&datagrams, *out);
	return NULL;
}

void net_datagram_destroy(struct net_datagram *d)
{
	if (!d)
		return;
	require(list_remove(&datagrams, d));
	d->is_destroyed = true;
	if (!d->in_callback)
		free(d);
}

void net_datagram_send(struct net_datagram *d, struct slice bytes, const struct net_address *to)
{
	require(!d->is_destroyed && to->any.sa_family == d->at.any.sa_family);
	/* It is all there. */
	free(mem_copy(bytes.ptr, bytes.len));
}

/* --- time --- */

int64_t net_loop_now_ns(const struct net_loop *loop)
{
	(void)loop;
	return now_ns;
}

/* The watcher's `at` has the time, in nanoseconds: below 2^53, and whole. */
void net_timer_init(struct net_timer *t, struct net_loop *loop, net_timer_fn *fire, void *context)
{
	*t = (struct net_timer){.loop = loop, .fire = fire, .context = context};
}

void net_timer_deinit(struct net_timer *t)
{
	net_timer_stop(t);
}

void net_timer_start(struct net_timer *t, int64_t after_ns)
{
	require(t->fire != NULL);
	net_timer_stop(t);
	t->watcher.at = (double)(now_ns + (after_ns > 0 ? after_ns : 0));
	list_add(&timers, t);
}

void net_timer_stop(struct net_timer *t)
{
	list_remove(&timers, t);
}

void net_fake_pass(int64_t ns)
{
	int64_t until_ns = now_ns + ns;

	for (int turns = 0;; turns++) {
		struct net_timer *first = NULL;

		require(turns < TURNS_MAX);
		for (size_t i = 0; i < timers.len; i++) {
			struct net_timer *t = timers.items[i];

			if (!first || t->watcher.at < first->watcher.at)
				first = t;
		}
		if (!first || first->watcher.at > (double)until_ns)
			break;
		now_ns = (int64_t)first->watcher.at;
		list_remove(&timers, first);
		enter();
		first->fire(first->context);
		leave();
	}
	now_ns = until_ns;
}

/* --- the other side --- */

size_t net_fake_streams(void)
{
	return streams.len;
}

struct net_stream *net_fake_stream(size_t index)
{
	return streams.items[index];
}

void net_fake_data(struct net_stream *s, struct slice bytes)
{
	if (s->is_over || s->peer_ended || !bytes.len)
		return;
	enter();
	add_in(s, bytes);
	if (net_stream_is_full(s))
		s->waits = true;
	else
		offer(s);
	leave();
}

void net_fake_end(struct net_stream *s)
{
	/* While nothing is read a FIN is not seen. */
	if (s->is_over || s->peer_ended || s->reading_paused || net_stream_is_full(s))
		return;
	enter();
	s->peer_ended = true;
	s->ops->ended(s->context);
	leave();
}

void net_fake_break(struct net_stream *s, int error)
{
	if (s->is_over)
		return;
	enter();
	s->is_over = true;
	s->queued_bytes = 0;
	s->ops->closed(s->context, error);
	leave();
}

void net_fake_stick(struct net_stream *s, bool is_stuck)
{
	enter();
	s->is_stuck = is_stuck;
	leave();
}

bool net_fake_connect(const struct net_address *to, const struct net_address *from)
{
	struct net_listener *l = listener_at(to);

	if (!l)
		return false;
	enter();
	l->accepted(l->context, -1, from);
	leave();
	return true;
}

size_t net_fake_datagrams(void)
{
	return datagrams.len;
}

void net_fake_datagram(size_t index, struct slice bytes, const struct net_address *from)
{
	struct net_datagram *d = datagrams.items[index];

	enter();
	d->in_callback = true;
	d->came(d->context, bytes, from);
	d->in_callback = false;
	if (d->is_destroyed)
		free(d);
	leave();
}

void net_fake_refuse(bool listening, bool others)
{
	refuses_listening = listening;
	refuses_others = others;
}

void net_fake_reset(void)
{
	require(!streams.len && !listeners.len && !datagrams.len && !timers.len && !depth);
	now_ns = 0;
	next_port = FIRST_PORT;
	net_fake_refuse(false, false);
}
