// SPDX-License-Identifier: GPL-2.0-or-later
/* The lock manager's table: who holds what, and who waits. See nlm.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "lab/serve/nlm/nlm_private.h"

bool nlm_same_owner(const struct nlm_lock *a, const struct nlm_lock *b)
{
	return a->client == b->client && a->svid == b->svid &&
	       slice_equal(nlm_bytes_slice(&a->owner), nlm_bytes_slice(&b->owner));
}

static bool overlap(const struct nlm_lock *a, const struct nlm_lock *b)
{
	return a->fileid == b->fileid && a->start <= b->end && b->start <= a->end;
}

static const struct nlm_lock *own_conflict(const struct nlm_server *n,
					   const struct nlm_lock *wanted)
{
	for (const struct nlm_lock *l = n->locks; l; l = l->next)
		if (l->state == NLM_HELD && overlap(l, wanted) &&
		    (l->exclusive || wanted->exclusive) && !nlm_same_owner(l, wanted))
			return l;
	return NULL;
}

const struct nlm_lock *nlm_conflict(const struct nlm_server *n, const struct nlm_lock *wanted,
				    struct nlm_lock *foreign)
{
	const struct nlm_lock *own = own_conflict(n, wanted);
	struct held_range range = {wanted->start, wanted->end, wanted->exclusive}, held;

	if (own || !n->ops.held || !n->ops.held(n->ops.context, wanted->fileid, &range, &held))
		return own;
	/* Whose it is lockd does not know either: an empty owner, the process of nfsd. */
	*foreign = (struct nlm_lock){.state = NLM_HELD,
				     .fileid = wanted->fileid,
				     .exclusive = held.exclusive,
				     .start = held.start,
				     .end = held.end};
	return foreign;
}

bool nlm_holds(const struct nlm_server *n, uint64_t fileid, const struct held_range *wanted,
	       struct held_range *out)
{
	/* Of no client: nobody's own. */
	struct nlm_lock lock = {.fileid = fileid,
				.exclusive = wanted->exclusive,
				.start = wanted->start,
				.end = wanted->end};
	const struct nlm_lock *held = own_conflict(n, &lock);

	if (held)
		*out = (struct held_range){held->start, held->end, held->exclusive};
	return held != NULL;
}

struct nlm_lock *nlm_add(struct nlm_server *n, const struct nlm_lock *lock)
{
	struct nlm_lock **at = &n->locks;
	struct nlm_lock *copy;

	if (n->locks_len >= NLM_LOCKS_MAX)
		return NULL;
	while (*at)
		at = &(*at)->next;
	copy = mem_copy(lock, sizeof(*lock));
	copy->next = NULL;
	*at = copy;
	n->locks_len++;
	return copy;
}

void nlm_remove(struct nlm_server *n, struct nlm_lock *lock)
{
	struct nlm_lock **at = &n->locks;

	while (*at != lock)
		at = &(*at)->next;
	*at = lock->next;
	n->locks_len--;
	free(lock);
}

bool nlm_carve(struct nlm_server *n, const struct nlm_lock *range)
{
	struct nlm_lock *next;

	for (struct nlm_lock *l = n->locks; l; l = next) {
		struct nlm_lock behind = *l;

		next = l->next;
		if (l->state != NLM_HELD || !overlap(l, range) || !nlm_same_owner(l, range))
			continue;
		if (l->end > range->end) {
			behind.start = range->end + 1;
			behind.tell_ns = 0;
			if (l->start < range->start && !nlm_add(n, &behind))
				return false;
		}
		if (l->start < range->start)
			l->end = range->start - 1;
		else if (l->end > range->end)
			l->start = behind.start;
		else
			nlm_remove(n, l);
	}
	return true;
}

struct nlm_lock *nlm_waiting_find(const struct nlm_server *n, const struct nlm_lock *wanted)
{
	for (struct nlm_lock *l = n->locks; l; l = l->next)
		if (l->state == NLM_WAITING && l->fileid == wanted->fileid &&
		    l->start == wanted->start && l->end == wanted->end && nlm_same_owner(l, wanted))
			return l;
	return NULL;
}

void nlm_grant_waiting(struct nlm_server *n, int64_t now_ns)
{
	struct nlm_lock *next;

	for (struct nlm_lock *l = n->locks; l; l = next) {
		struct nlm_lock granted = *l, foreign;
		struct nlm_lock *held;

		next = l->next;
		if (l->state != NLM_WAITING || nlm_conflict(n, l, &foreign) ||
		    !nlm_carve(n, &granted))
			continue;
		/* Carving took away held locks only; the one behind may have been one. */
		next = l->next;
		granted.state = NLM_HELD;
		held = nlm_add(n, &granted);
		if (!held)
			continue;
		next = l->next;
		nlm_remove(n, l);
		nlm_send_granted(n, held, now_ns);
	}
}

void nlm_forget_client(struct nlm_server *n, const struct nlm_client *client)
{
	struct nlm_lock *next;

	for (struct nlm_lock *l = n->locks; l; l = next) {
		next = l->next;
		if (!client || l->client == client)
			nlm_remove(n, l);
	}
}

/* Two hosts may call themselves alike (containers, "localhost"); behind a proxy all have one
 * address.
 */
static bool is_same_client(const struct nlm_client *c, struct slice name, const struct rpc_in *in)
{
	return slice_equal(nlm_bytes_slice(&c->name), name) &&
	       (!in->peer || net_address_same_host(in->peer, &c->address));
}

struct nlm_client *nlm_client_seen(struct nlm_server *n, struct slice name, const struct rpc_in *in)
{
	struct nlm_client *c = n->clients;

	while (c && !is_same_client(c, name, in))
		c = c->next;
	if (!c) {
		if (n->clients_len >= NLM_CLIENTS_MAX)
			return NULL;
		c = mem_alloc(1, sizeof(*c));
		nlm_bytes_set(&c->name, name);
		c->next = n->clients;
		n->clients = c;
		n->clients_len++;
	}
	if (in->peer)
		c->address = *in->peer;
	if (in->local) {
		c->local = *in->local;
		c->has_local = true;
	}
	c->transport = in->transport;
	return c;
}
