// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages that come later than they should: calls before they are executed, replies before they
 * go. */
#include <stdlib.h>

#include "base/mem.h"
#include "lab/serve/endpoint_private.h"

struct endpoint_held {
	struct endpoint_held *previous, *next;
	struct net_timer timer;
	struct endpoint_door *door;
	uint64_t connection; /* which may be gone when the time has come; 0: UDP */
	struct net_address peer;
	struct fault_call *kept; /* owned; NULL: a reply */
	bool breaks;
	size_t len;
	uint8_t bytes[];
};

static void drop(struct endpoint_held *h)
{
	struct endpoint *e = h->door->endpoint;

	net_timer_deinit(&h->timer);
	if (h->next)
		h->next->previous = h->previous;
	if (h->previous)
		h->previous->next = h->next;
	else
		e->held = h->next;
	e->held_bytes -= h->len;
	free(h->kept);
	free(h);
}

static void on_time(void *context)
{
	struct endpoint_held *h = context;
	struct endpoint_way way = {.door = h->door, .peer = h->peer};
	struct slice message = slice_make(h->bytes, h->len);

	if (h->connection)
		way.conn = endpoint_conn_find(h->door->endpoint, h->connection);
	if (h->connection && !way.conn) {
		drop(h);
		return;
	}
	if (h->kept)
		endpoint_execute(&way, message, h->kept);
	else
		endpoint_send(&way, message, h->breaks);
	drop(h);
}

bool endpoint_hold(const struct endpoint_way *way, struct slice message,
		   const struct fault_call *kept, bool breaks, int64_t for_ns)
{
	struct endpoint *e = way->door->endpoint;
	struct endpoint_held *h;

	if (message.len > ENDPOINT_HELD_BYTES_MAX - e->held_bytes) {
		endpoint_say(e, "more than %d bytes are delayed: a message goes at once",
			     ENDPOINT_HELD_BYTES_MAX);
		return false;
	}
	h = mem_alloc(1, sizeof(*h) + message.len);
	h->door = way->door;
	h->connection = way->conn ? way->conn->number : 0;
	h->peer = way->peer;
	if (kept)
		h->kept = mem_copy(kept, sizeof(*kept));
	h->breaks = breaks;
	h->len = message.len;
	memcpy(h->bytes, message.ptr, message.len);
	h->next = e->held;
	if (h->next)
		h->next->previous = h;
	e->held = h;
	e->held_bytes += h->len;
	net_timer_init(&h->timer, e->loop, on_time, h);
	net_timer_start(&h->timer, for_ns);
	return true;
}

void endpoint_drop_held(struct endpoint *e)
{
	while (e->held)
		drop(e->held);
}
