/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The room net without sockets and without a clock: what src/net/stream.h, listener.h, datagram.h
 * and timer.h promise to endpoints, with the same functions, for fuzz targets, which play the
 * network. A program that links it has none of the real ones. All is in one world, which is static.
 */
#ifndef NET_FAKE_H
#define NET_FAKE_H

#include "base/strbuf.h"
#include "net/datagram.h"
#include "net/listener.h"
#include "net/stream.h"

enum { NET_FAKE_FULL_BYTES = 600 }; /* of a queue; far less than in reality, to get there */

struct net_stream {
	const struct net_stream_ops *ops;
	void *context;
	struct net_address peer, local;
	uint8_t *in; /* what came, a block of its exact size: a sanitizer sees a step beyond */
	size_t in_len, in_pos;     /* in_pos: what the owner took of it */
	struct strbuf taken, sent; /* all that the owner took and sent so far */
	size_t seen_bytes;         /* of `sent`, by the target, which may count them here */
	size_t queued_bytes;
	bool is_stuck; /* the other side reads nothing */
	bool reading_paused, writing_paused;
	bool waits, sent_some;
	bool peer_ended, is_ending, is_over, is_destroyed;
};

/* How many streams there are, and each of them, in the order in which they were made. */
size_t net_fake_streams(void);
struct net_stream *net_fake_stream(size_t index);

/* What the other side does. All of it is settled, callbacks included, before it returns. */
void net_fake_data(struct net_stream *s, struct slice bytes);
void net_fake_end(struct net_stream *s);
void net_fake_break(struct net_stream *s, int error);
void net_fake_stick(struct net_stream *s, bool is_stuck);

/* A connection to the address, if somebody listens there: false when nobody does. */
bool net_fake_connect(const struct net_address *to, const struct net_address *from);

/* UDP sockets, as the streams; a datagram comes to one. */
size_t net_fake_datagrams(void);
void net_fake_datagram(size_t index, struct slice bytes, const struct net_address *from);

/* Time passes, and timers fire. */
void net_fake_pass(int64_t ns);

/* Whether from now on nobody can listen, and whether no other socket is to be had. */
void net_fake_refuse(bool listening, bool others);

/* A new world, at time 0; aborts if anything of the old one is left. */
void net_fake_reset(void);

#endif
