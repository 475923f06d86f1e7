// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages that come later than they should. */
#include "base/hash.h"
#include "lab/proxy/private.h"

/* Where a message goes when its time has come. */
struct held {
	uint64_t link_id; /* the link may be gone by then */
	enum proxy_side to;
};

static void hand_on(void *owner, const void *about, struct slice message)
{
	struct proxy *proxy = owner;
	const struct held *h = about;
	struct proxy_link *link =
		map_find(&proxy->by_id, hash_u64(hash_start(), h->link_id), &h->link_id);

	if (link)
		proxy_link_send(link, h->to, message);
}

void proxy_hold_init(struct proxy *proxy)
{
	fault_later_init(&proxy->held, proxy->loop, PROXY_HELD_BYTES_MAX, hand_on, proxy);
}

bool proxy_hold(struct proxy_link *link, enum proxy_side to, struct slice framed, int64_t for_ns)
{
	struct proxy *proxy = link->proxy;
	const struct held h = {.link_id = link->id, .to = to};

	if (fault_later_add(&proxy->held, framed, &h, sizeof(h), for_ns))
		return true;
	proxy_note(proxy, "more than %d bytes are delayed: a message goes at once",
		   PROXY_HELD_BYTES_MAX);
	return false;
}
