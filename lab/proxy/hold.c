// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages that come later than they should: each with a timer of its own. */
#include "lab/proxy/private.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

struct proxy_held {
	struct proxy_held *previous, *next;
	struct proxy *proxy;
	struct net_timer timer;
	uint64_t link_id; /* the link may be gone when the time has come */
	enum proxy_side to;
	size_t len;
	uint8_t bytes[];
};

static void drop(struct proxy_held *h)
{
	struct proxy *proxy = h->proxy;

	net_timer_deinit(&h->timer);
	if (h->next)
		h->next->previous = h->previous;
	if (h->previous)
		h->previous->next = h->next;
	else
		proxy->held = h->next;
	proxy->held_bytes -= h->len;
	free(h);
}

static void on_time(void *context)
{
	struct proxy_held *h = context;
	struct proxy_link *link =
		map_find(&h->proxy->by_id, hash_u64(hash_start(), h->link_id), &h->link_id);

	if (link)
		proxy_link_send(link, h->to, slice_make(h->bytes, h->len));
	drop(h);
}

bool proxy_hold(struct proxy_link *link, enum proxy_side to, struct slice framed, int64_t for_ns)
{
	struct proxy *proxy = link->proxy;
	struct proxy_held *h;

	if (framed.len > PROXY_HELD_BYTES_MAX - proxy->held_bytes) {
		proxy_note(proxy, "more than %d bytes are delayed: a message goes at once",
			   PROXY_HELD_BYTES_MAX);
		return false;
	}
	h = mem_alloc(1, sizeof(*h) + framed.len);
	h->proxy = proxy;
	h->link_id = link->id;
	h->to = to;
	h->len = framed.len;
	memcpy(h->bytes, framed.ptr, framed.len);
	h->next = proxy->held;
	if (h->next)
		h->next->previous = h;
	proxy->held = h;
	proxy->held_bytes += framed.len;
	net_timer_init(&h->timer, proxy->loop, on_time, h);
	net_timer_start(&h->timer, for_ns);
	return true;
}

void proxy_drop_held(struct proxy *proxy)
{
	while (proxy->held)
		drop(proxy->held);
}
