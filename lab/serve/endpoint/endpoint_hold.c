// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages that come later than they should: calls before they are executed, replies before they
 * go. */
#include "lab/serve/endpoint/endpoint_private.h"

struct held {
	struct endpoint_door *door;
	uint64_t connection; /* which may be gone when the time has come; 0: UDP */
	struct net_address peer;
	bool breaks;
	bool is_call;
	struct fault_call kept; /* the last one: left out of a reply */
};

static void hand_on(void *owner, const void *about, struct slice message)
{
	struct endpoint *e = owner;
	const struct held *h = about;
	struct endpoint_way way = {.door = h->door, .peer = h->peer};

	if (h->connection)
		way.conn = endpoint_conn_find(e, h->connection);
	if (h->connection && !way.conn)
		return;
	if (h->is_call)
		endpoint_execute(&way, message, &h->kept);
	else
		endpoint_send(&way, message, h->breaks);
}

void endpoint_hold_init(struct endpoint *e)
{
	fault_later_init(&e->held, e->loop, ENDPOINT_HELD_BYTES_MAX, hand_on, e);
}

bool endpoint_hold(const struct endpoint_way *way, struct slice message,
		   const struct fault_call *kept, bool breaks, int64_t for_ns)
{
	struct endpoint *e = way->door->endpoint;
	struct held h = {.door = way->door,
			 .connection = way->conn ? way->conn->number : 0,
			 .peer = way->peer,
			 .breaks = breaks,
			 .is_call = kept != NULL};

	if (kept)
		h.kept = *kept;
	if (fault_later_add(&e->held, message, &h, kept ? sizeof(h) : offsetof(struct held, kept),
			    for_ns))
		return true;
	endpoint_say(e, "more than %d bytes are delayed: a message goes at once",
		     ENDPOINT_HELD_BYTES_MAX);
	return false;
}
