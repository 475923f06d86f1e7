// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See flow.h. The lists are in the order of the last packet only approximately: a packet does not
 * touch them; who is at the tail, but was heard of since it was put there, is put at the head again
 * when room is looked for.
 */
#include "ingest/flow/flow_table.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"

#include <stdlib.h>

enum {
	FLOW_EVICT_STEPS = 64, /* flows looked at to find an idle one */
	FLOW_SWEEP_STEPS = 4,  /* closed flows looked at when a flow is added */
};

static bool flow_equal(const void *item, const void *key_pointer)
{
	const struct flow *flow = item;
	const struct flow_key *key = key_pointer;

	return flow->conn.evidence == key->evidence && flow->conn.transport == key->transport &&
	       endpoint_equal(&flow->end[0], &key->end[0]) &&
	       endpoint_equal(&flow->end[1], &key->end[1]);
}

void flow_table_init(struct flow_table *t, const struct flow_options *options,
		     const struct event_board *board, const struct flow_upper *upper)
{
	*t = (struct flow_table){.board = board, .upper = *upper};
	if (options)
		t->options = *options;
	if (t->options.flows_max == 0)
		t->options.flows_max = FLOW_FLOWS_MAX;
	if (t->options.hold_bytes_max == 0)
		t->options.hold_bytes_max = FLOW_HOLD_BYTES_MAX;
	if (t->options.pool_bytes_max == 0)
		t->options.pool_bytes_max = FLOW_POOL_BYTES_MAX;
	t->budget.max_bytes = t->options.hold_bytes_max;
	rpc_pool_init(&t->pool, t->options.pool_bytes_max);
	map_init(&t->flows, flow_equal);
	pool_init(&t->flow_pool, sizeof(struct flow));
	pool_init(&t->past_pool, 2 * sizeof(struct tcp_past));
}

static int flow_order(const void *left, const void *right)
{
	const struct flow *const *a = left;
	const struct flow *const *b = right;

	if ((*a)->conn.evidence != (*b)->conn.evidence)
		return (*a)->conn.evidence < (*b)->conn.evidence ? -1 : 1;
	return ((*a)->conn.serial > (*b)->conn.serial) - ((*a)->conn.serial < (*b)->conn.serial);
}

/* Ends the flows of one evidence, or (NULL) of all, in order. */
static void flow_end_all(struct flow_table *t, const uint32_t *evidence)
{
	struct vec found;
	size_t index = 0;
	struct flow *flow;

	vec_init(&found, sizeof(flow));
	while ((flow = map_next(&t->flows, &index)))
		if (!evidence || flow->conn.evidence == *evidence)
			*(struct flow **)vec_push(&found) = flow;
	if (found.len)
		qsort(found.items, found.len, sizeof(flow), flow_order);
	for (size_t i = 0; i < found.len; i++)
		flow_end(t, *(struct flow **)vec_at(&found, i));
	vec_deinit(&found);
}

void flow_table_end(struct flow_table *t, uint32_t evidence)
{
	flow_end_all(t, &evidence);
}

void flow_table_deinit(struct flow_table *t)
{
	flow_end_all(t, NULL);
	map_deinit(&t->flows);
	rpc_pool_deinit(&t->pool);
}

/* As memcmp does, of two addresses. */
static int flow_order_addr(const uint8_t *a, const uint8_t *b)
{
	uint64_t x, y;

	for (size_t i = 0; i < PACKET_ADDR_BYTES; i += sizeof(x)) {
		memcpy(&x, a + i, sizeof(x));
		memcpy(&y, b + i, sizeof(y));
		if (x != y)
			return __builtin_bswap64(x) < __builtin_bswap64(y) ? -1 : 1;
	}
	return 0;
}

void flow_key_of(uint32_t evidence, const struct packet *packet, struct flow_key *key)
{
	int order = flow_order_addr(packet->src, packet->dst);

	key->evidence = evidence;
	key->transport = packet->kind == PACKET_TCP ? TRANSPORT_TCP : TRANSPORT_UDP;
	if (order == 0)
		order = (packet->src_port > packet->dst_port) -
			(packet->src_port < packet->dst_port);
	key->from = order <= 0 ? TCP_SIDE_A : TCP_SIDE_B;
	memcpy(key->end[key->from].addr, packet->src, PACKET_ADDR_BYTES);
	memcpy(key->end[!key->from].addr, packet->dst, PACKET_ADDR_BYTES);
	key->end[key->from].port = packet->src_port;
	key->end[!key->from].port = packet->dst_port;
}

uint64_t flow_hash(const struct flow_key *key)
{
	uint64_t hash = hash_start();

	for (size_t i = 0; i < 2; i++) {
		uint64_t words[2];

		memcpy(words, key->end[i].addr, sizeof(words));
		hash = hash_u64(hash, words[0]);
		hash = hash_u64(hash, words[1]);
	}
	hash = hash_u64(hash, (uint64_t)key->end[0].port << 16 | key->end[1].port);
	return hash_u64(hash, (uint64_t)key->evidence << 1 | (uint64_t)key->transport);
}

struct flow *flow_find(struct flow_table *t, const struct flow_key *key, uint64_t *hash)
{
	struct flow *flow = t->last_found;

	if (flow && flow_equal(flow, key))
		return flow;
	*hash = flow_hash(key);
	flow = map_find(&t->flows, *hash, key);
	if (flow)
		t->last_found = flow;
	return flow;
}

static struct flow_list *flow_list_of(struct flow *flow)
{
	return &flow->table->queues[flow->queue];
}

static void flow_list_add(struct flow *flow)
{
	struct flow_list *list = flow_list_of(flow);

	flow->queued_ns = flow->last.at.ns;
	flow->newer = NULL;
	flow->older = list->newest;
	if (list->newest)
		list->newest->newer = flow;
	else
		list->oldest = flow;
	list->newest = flow;
	list->len++;
}

static void flow_list_remove(struct flow *flow)
{
	struct flow_list *list = flow_list_of(flow);

	if (flow->newer)
		flow->newer->older = flow->older;
	else
		list->newest = flow->older;
	if (flow->older)
		flow->older->newer = flow->newer;
	else
		list->oldest = flow->newer;
	list->len--;
}

/* Puts it at the head of its list when it was heard of since it was put there. */
static bool flow_requeue(struct flow *flow)
{
	if (flow->queued_ns == flow->last.at.ns)
		return false;
	flow_list_remove(flow);
	flow_list_add(flow);
	return true;
}

void flow_set_queue(struct flow *flow, enum flow_queue queue)
{
	if (flow->queue == queue)
		return;
	flow_list_remove(flow);
	flow->queue = queue;
	flow_list_add(flow);
}

/* The oldest of the queue when nothing was heard of it for so long; NULL: not now. */
static struct flow *flow_unheard(struct flow_table *t, enum flow_queue queue,
				 const struct stamp *now, int64_t seconds)
{
	struct flow *flow = t->queues[queue].oldest;

	if (!flow || flow_requeue(flow) || now->ns < flow->last.at.ns ||
	    (uint64_t)now->ns - (uint64_t)flow->last.at.ns < (uint64_t)(seconds * STAMP_NS_PER_S))
		return NULL;
	return flow;
}

/* Ends the oldest of the list; up to FLOW_EVICT_STEPS that were heard of since go to its head. */
static void flow_evict_of(struct flow_table *t, const struct flow_list *list)
{
	for (size_t i = 0; i < FLOW_EVICT_STEPS; i++)
		if (!flow_requeue(list->oldest))
			break;
	t->counts.flows_evicted++;
	flow_end(t, list->oldest);
}

/*
 * Ends closed connections, and lets go the past of open ones, of which nothing was heard for long.
 * One that was cut off without a FIN would stay for good otherwise.
 */
static void flow_sweep(struct flow_table *t, const struct stamp *now)
{
	struct flow *flow;

	for (size_t i = 0; i < FLOW_SWEEP_STEPS; i++) {
		flow = flow_unheard(t, FLOW_CLOSING, now, FLOW_LINGER_S);
		if (flow)
			flow_end(t, flow);
		flow = flow_unheard(t, FLOW_OPEN, now, FLOW_QUIET_S);
		if (flow) {
			flow_drop_past(flow);
			flow_set_queue(flow, FLOW_QUIET);
		}
		flow = flow_unheard(t, FLOW_DATAGRAMS, now, FLOW_QUIET_S);
		if (flow)
			flow_set_queue(flow, FLOW_QUIET);
	}
	while (t->queues[FLOW_CLOSING].len > FLOW_CLOSING_MAX) {
		t->counts.flows_closed_early++;
		flow_end(t, t->queues[FLOW_CLOSING].oldest);
	}
	while (t->queues[FLOW_QUIET].len > FLOW_QUIET_MAX)
		flow_evict_of(t, &t->queues[FLOW_QUIET]);
	while (t->queues[FLOW_DATAGRAMS].len > FLOW_DATAGRAMS_MAX)
		flow_evict_of(t, &t->queues[FLOW_DATAGRAMS]);
}

static void flow_evict(struct flow_table *t)
{
	static const enum flow_queue order[] = {FLOW_CLOSING, FLOW_QUIET, FLOW_DATAGRAMS,
						FLOW_OPEN};
	const struct flow_list *list = NULL;

	for (size_t i = 0; !list || !list->oldest; i++)
		list = &t->queues[order[i]];
	flow_evict_of(t, list);
}

struct flow *flow_add(struct flow_table *t, const struct flow_key *key, uint64_t hash,
		      const struct provenance *at)
{
	struct flow *flow;

	flow_sweep(t, &at->at);
	while (t->flows.len >= t->options.flows_max)
		flow_evict(t);
	flow = pool_alloc(&t->flow_pool);
	flow->table = t;
	flow->conn.serial = ++t->last_serial;
	flow->conn.evidence = key->evidence;
	flow->conn.transport = key->transport;
	flow->end[0] = key->end[0];
	flow->end[1] = key->end[1];
	flow->hash = hash;
	flow->first = *at;
	flow->last = *at;
	map_add(&t->flows, hash, flow);
	flow_list_add(flow);
	t->last_found = flow;
	t->counts.flows++;
	return flow;
}

static void flow_end_tell(struct flow_table *t, struct flow *flow)
{
	struct conn_totals totals;
	struct event event = {
		.kind = EVENT_CONN_END, .at = flow->last, .conn = &flow->conn, .totals = &totals};

	t->upper.end(t->upper.context, flow);
	if (!event_wanted(t->board, EVENT_CONN_END))
		return;
	flow_totals(flow, &totals);
	event_emit(t->board, &event);
}

void flow_end(struct flow_table *t, struct flow *flow)
{
	struct flow_key key = {.end = {flow->end[0], flow->end[1]},
			       .transport = flow->conn.transport,
			       .evidence = flow->conn.evidence};

	if (!flow->is_echo) {
		flow_finish(flow);
		flow_end_tell(t, flow);
	}
	map_remove(&t->flows, flow->hash, &key);
	flow_list_remove(flow);
	if (t->last_found == flow)
		t->last_found = NULL;
	free(flow->udp);
	pool_free(&t->flow_pool, flow);
}

void flow_totals(const struct flow *flow, struct conn_totals *out)
{
	bool is_tcp = flow->conn.transport == TRANSPORT_TCP;

	*out = (struct conn_totals){.first = flow->first, .last = flow->last};
	out->completeness = flow->tcp.completeness;
	for (size_t i = 0; i < 2; i++) {
		const struct tcp_half *half = &flow->tcp.half[i];
		size_t side = i == (size_t)flow->client ? CONN_FROM_CLIENT : CONN_FROM_SERVER;

		out->segments[side] = is_tcp ? half->segments : flow->udp->datagrams[i];
		out->payload_bytes[side] =
			is_tcp ? half->payload_bytes : flow->udp->datagram_bytes[i];
		out->retransmitted_segments[side] = half->retransmitted_segments;
		out->lost_bytes[side] = half->lost_bytes;
		out->cut_bytes[side] = half->cut_bytes;
		out->unacked_bytes[side] = tcp_half_unacked_bytes(half);
		out->marked[side] = flow->marked[i];
		out->small[side] = flow->small[i];
		out->unfilled[side] = flow->unfilled[i];
		out->ttl[side] = flow->ttl[i];
		out->said[side] = flow_at(flow, &half->last);
	}
}
