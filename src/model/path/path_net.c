// SPDX-License-Identifier: GPL-2.0-or-later
/* The part of the path model that remembers what the network tells: see path.h. */
#include "base/hash.h"
#include "base/mem.h"
#include "model/path/path_internal.h"

#include <stdlib.h>

static bool unreachable_is(const void *item, const void *key)
{
	const struct path_unreachable *u = item;
	const struct path_unreachable *k = key;

	return u->type == k->type && u->code == k->code && u->ip_version == k->ip_version &&
	       endpoint_same_host(&u->src, &k->src) && endpoint_equal(&u->dst, &k->dst) &&
	       endpoint_same_host(&u->from, &k->from);
}

static bool asked_is(const void *item, const void *key)
{
	const struct path_asked *a = item;
	const struct path_asked *k = key;

	return a->evidence == k->evidence && endpoint_same_host(&a->target, &k->target);
}

static void take_unreachable(struct path_model *m, const struct event *e)
{
	const struct event_net *net = e->net;
	struct path_unreachable key = {
		.src = net->src,
		.dst = net->dst,
		.from = net->from,
		.ip_version = endpoint_is_ipv4(&net->dst) ? 4 : 6,
		.type = net->icmp_type,
		.code = net->icmp_code,
	};
	uint64_t hash = hash_bytes(net->dst.addr, sizeof(net->dst.addr));
	struct path_unreachable *u;

	key.src.port = 0;
	hash = hash_u64(hash_u64(hash, net->dst.port),
			(uint64_t)net->icmp_type << 8 | net->icmp_code);
	u = map_find(&m->unreachable_map, hash, &key);
	if (!u && m->unreachable.len == PATH_NETS_MAX) {
		m->dropped++;
		return;
	}
	if (!u) {
		u = mem_alloc(1, sizeof(*u));
		*u = key;
		u->first = e->at;
		map_add(&m->unreachable_map, hash, u);
		*(struct path_unreachable **)vec_push(&m->unreachable) = u;
	}
	u->count++;
	u->last = e->at;
	path_cite(u->cites, &u->cites_len, &e->at);
}

static void run_fold(struct path_asked *a)
{
	if (a->now.count > a->longest.count)
		a->longest = a->now;
	a->now = (struct path_ask_run){0};
}

static void ask_note(struct path_asked *a, const struct event *e)
{
	uint32_t i = 0;

	while (i < a->askers_len && !endpoint_same_host(&a->askers[i], &e->net->from))
		i++;
	if (i == a->askers_len && i < PATH_ASKERS_MAX)
		a->askers[a->askers_len++] = e->net->from;
	if (a->now.count++ == 0)
		a->now.first = e->at;
	a->now.last = e->at;
	path_cite(a->now.cites, &a->now.cites_len, &e->at);
}

static void take_ask(struct path_model *m, const struct event *e)
{
	struct path_asked key = {.evidence = e->at.evidence, .target = e->net->target};
	uint64_t hash = hash_bytes(key.target.addr, sizeof(key.target.addr));
	struct path_asked *a;

	hash = hash_u64(hash, key.evidence);
	a = map_find(&m->asked_map, hash, &key);
	if (e->net->fact == NET_FACT_ARP_ANSWER) {
		if (a && a->now.count) {
			a->now.answered = e->at;
			run_fold(a);
		}
		return;
	}
	if (!a && m->asked.len == PATH_NETS_MAX) {
		m->dropped++;
		return;
	}
	if (!a) {
		a = mem_alloc(1, sizeof(*a));
		a->evidence = key.evidence;
		a->target = key.target;
		map_add(&m->asked_map, hash, a);
		*(struct path_asked **)vec_push(&m->asked) = a;
	}
	ask_note(a, e);
}

static void take_net(void *context, const struct event *e)
{
	switch (e->net->fact) {
	case NET_FACT_UNREACHABLE:
		take_unreachable(context, e);
		return;
	case NET_FACT_ARP_ASK:
	case NET_FACT_ARP_ANSWER:
		take_ask(context, e);
		return;
	case NET_FACT_TOO_BIG:
		return;
	}
}

void path_net_init(struct path_model *m)
{
	map_init(&m->unreachable_map, unreachable_is);
	map_init(&m->asked_map, asked_is);
	vec_init(&m->unreachable, sizeof(struct path_unreachable *));
	vec_init(&m->asked, sizeof(struct path_asked *));
}

void path_net_deinit(struct path_model *m)
{
	for (size_t i = 0; i < m->unreachable.len; i++)
		free(*(void **)vec_at(&m->unreachable, i));
	for (size_t i = 0; i < m->asked.len; i++)
		free(*(void **)vec_at(&m->asked, i));
	vec_deinit(&m->unreachable);
	vec_deinit(&m->asked);
	map_deinit(&m->unreachable_map);
	map_deinit(&m->asked_map);
}

void path_net_attach(struct path_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_NET, take_net, m);
}

void path_net_finish(struct path_model *m)
{
	for (size_t i = 0; i < m->asked.len; i++)
		run_fold(*(struct path_asked **)vec_at(&m->asked, i));
}
