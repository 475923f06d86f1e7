/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Somebody who is told what an endpoint's sockets exchange, as far as a program sees it: bytes that
 * the kernel took or gave, ends and resets. What the kernel does by itself (segments sent again,
 * RST to a closed port) is not seen; how much the other side has acknowledged is asked of it
 * (SIOCOUTQ of tcp(7)).
 */
#ifndef NET_WITNESS_H
#define NET_WITNESS_H

#include "net/address.h"
#include "net/loop.h"

enum net_seen_what {
	NET_SEEN_ACCEPTED,
	NET_SEEN_CONNECTING,
	NET_SEEN_CONNECTED,
	NET_SEEN_SENT, /* bytes */
	NET_SEEN_RECEIVED,
	NET_SEEN_SENT_END, /* FIN */
	NET_SEEN_RECEIVED_END,
	NET_SEEN_SENT_RESET, /* RST */
	NET_SEEN_RECEIVED_RESET,
	NET_SEEN_QUIET,  /* nothing was exchanged for a moment: time to tell acknowledgements */
	NET_SEEN_CLOSED, /* nothing more comes of the connection */
	NET_SEEN_DATAGRAM_SENT,
	NET_SEEN_DATAGRAM_RECEIVED,
};

/* All is borrowed until the call returns. */
struct net_seen {
	const struct net_loop *loop;
	enum net_seen_what what;
	uint64_t connection; /* its number, from 1 on; 0: UDP */
	const struct net_address *local, *peer;
	struct slice bytes;
	size_t unacked; /* bytes and FIN that were sent and not acknowledged yet */
};

struct net_witness {
	void (*tell)(void *context, const struct net_seen *seen);
	void *context;
	uint64_t connections; /* how many there were */
};

/* What a stream keeps for the witness. */
struct net_watch;

/*
 * A connection that begins; `what` is ACCEPTED or CONNECTING. NULL: the loop has no witness. The
 * socket stays the caller's.
 */
struct net_watch *net_watch_create(struct net_loop *loop, int fd, const struct net_address *peer,
				   enum net_seen_what what);

/* Tells of an event; w may be NULL. */
void net_watch_tell(struct net_watch *w, enum net_seen_what what, struct slice bytes);

/*
 * The stream is over; frees w. The socket is closed here, or kept to see how the other side ends
 * the connection: our FIN is sent at once, what comes behind it is answered with RST, as of a
 * socket that was closed. error: an errno by which it broke, 0: none. resets: RST is sent.
 */
void net_watch_close(struct net_watch *w, int error, bool resets);

/* Tells of a datagram, when the loop has a witness. `at`: where the socket is bound. */
void net_witness_datagram(struct net_loop *loop, const struct net_address *at,
			  const struct net_address *peer, struct slice bytes, bool is_sent);

/* Closes what net_watch_close has kept: before the loop's end. */
void net_witness_deinit(struct net_loop *loop);

#endif
