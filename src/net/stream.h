/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A TCP connection of an endpoint: callbacks for what comes, a bounded queue for what goes.
 *
 * Bytes that come are gathered until the owner consumes them; what is sent inside of a callback
 * goes out in one piece after it. While more than NET_STREAM_QUEUE_BYTES wait to be sent, nothing
 * is read: the owner's data callback stops consuming (net_stream_is_full) and is called again.
 *
 * The owner may do anything to the stream inside of a callback, destroying included.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "net/address.h"
#include "net/loop.h"

enum {
	NET_STREAM_READ_BYTES = 256 << 10,  /* of one read */
	NET_STREAM_QUEUE_BYTES = 1 << 20,   /* above it the stream is full */
	NET_STREAM_HOLD_BYTES_MAX = 8 << 20 /* of what came and was not consumed */
};

struct net_stream;

struct net_stream_ops {
	/* net_stream_connect came to its end. May be NULL. */
	void (*connected)(void *context);
	/* Bytes that came, with those that were not consumed before. Returns how many it takes. */
	size_t (*data)(void *context, struct slice bytes);
	/*
	 * The connection is over: 0 when the other side closed it, else an errno (of connecting,
	 * too; ENOBUFS: the owner let more than NET_STREAM_HOLD_BYTES_MAX wait). Nothing more
	 * comes or goes; the owner destroys the stream, now or later.
	 */
	void (*closed)(void *context, int error);
	/*
	 * The other side sends nothing more and may still read. NULL: that is the end, `closed` is
	 * called.
	 */
	void (*ended)(void *context);
	/* All that was queued has gone out. May be NULL. */
	void (*drained)(void *context);
};

/*
 * Takes over a connected socket, which from now on belongs to the stream, and sets it non-blocking
 * and without delay. `ops` is borrowed. Never NULL.
 */
struct net_stream *net_stream_create(struct net_loop *loop, int fd, const struct net_address *peer,
				     const struct net_stream_ops *ops, void *context);

/*
 * Connects, from an address unless it is NULL. Fails only where no socket is to be had; all else
 * comes by way of ops->connected or ops->closed. *out belongs to the caller.
 */
struct err *net_stream_connect(struct net_loop *loop, const struct net_address *to,
			       const struct net_address *from, const struct net_stream_ops *ops,
			       void *context, struct net_stream **out);

/*
 * Closes and frees it; queued bytes that the kernel does not take at once are lost. NULL is fine.
 * No callback comes any more.
 */
void net_stream_destroy(struct net_stream *s);

/* Aborts the connection with RST (SO_LINGER of zero) and frees the stream. */
void net_stream_reset(struct net_stream *s);

/* Sends FIN once all that is queued has gone out. */
void net_stream_end(struct net_stream *s);

/*
 * Room for `bytes` at the end of the queue, to be written to at once and counted by
 * net_stream_commit; never NULL. After the connection's end what is written goes nowhere.
 */
uint8_t *net_stream_reserve(struct net_stream *s, size_t bytes);
void net_stream_commit(struct net_stream *s, size_t bytes);

/* Copies the bytes to the queue. */
void net_stream_send(struct net_stream *s, struct slice bytes);

/* Bytes in the queue that the kernel has not taken yet. */
size_t net_stream_queued_bytes(const struct net_stream *s);
bool net_stream_is_full(const struct net_stream *s);

/* Reads nothing from the socket until resumed: the other side's window closes. */
void net_stream_pause_reading(struct net_stream *s);
void net_stream_resume_reading(struct net_stream *s);
bool net_stream_reading_is_paused(const struct net_stream *s);

/* Writes nothing to the socket until resumed. What is queued is not bounded meanwhile. */
void net_stream_pause_writing(struct net_stream *s);
void net_stream_resume_writing(struct net_stream *s);

/* Both live as long as the stream. */
const struct net_address *net_stream_peer(const struct net_stream *s);
const struct net_address *net_stream_local(const struct net_stream *s);

#endif
