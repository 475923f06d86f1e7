// SPDX-License-Identifier: GPL-2.0-or-later
/* See flow.h: packets into TCP and record streams, and what comes out of them to board and upper.
 */
#include "ingest/flow/flow_table.h"

#include "base/mem.h"

#include <stdlib.h>

/* event.h's name of each note of proto/tcp.h. */
static const enum tcp_fact flow_facts[TCP_NOTE_COUNT] = {
	[TCP_NOTE_SYN] = TCP_FACT_SYN,
	[TCP_NOTE_SYN_REPEAT] = TCP_FACT_SYN_REPEAT,
	[TCP_NOTE_SYN_ACK] = TCP_FACT_SYN_ACK,
	[TCP_NOTE_ESTABLISHED] = TCP_FACT_ESTABLISHED,
	[TCP_NOTE_REFUSED] = TCP_FACT_REFUSED,
	[TCP_NOTE_BARE_ACK_TO_SYN] = TCP_FACT_BARE_ACK_TO_SYN,
	[TCP_NOTE_FIN] = TCP_FACT_FIN,
	[TCP_NOTE_FIN_REPEAT] = TCP_FACT_FIN_REPEAT,
	[TCP_NOTE_FIN_ACKED] = TCP_FACT_FIN_ACKED,
	[TCP_NOTE_RST] = TCP_FACT_RST,
	[TCP_NOTE_RETRANSMISSION] = TCP_FACT_RETRANSMISSION,
	[TCP_NOTE_LOST] = TCP_FACT_LOST,
	[TCP_NOTE_SHOWN_LATE] = TCP_FACT_SHOWN_LATE,
	[TCP_NOTE_PROGRESS] = TCP_FACT_PROGRESS,
};

/* Ports that tell a server: NFS, rpcbind, mountd and lockd where they are fixed. The first wins. */
static const uint16_t flow_server_ports[] = {2049, 111, 20048, 4045};

/*
 * A receiver that joins full segments (GRO) leaves the checksum of what it made as a sender leaves
 * it to its card (tcp4_gro_complete, net/ipv4/tcp_offload.c): only small ones tell a sender.
 */
enum { FLOW_SMALL_BYTES = 512 };

static enum conn_side flow_side(const struct flow *flow, enum tcp_side from)
{
	return from == flow->client ? CONN_FROM_CLIENT : CONN_FROM_SERVER;
}

static void flow_set_client(struct flow *flow, enum tcp_side client, enum flow_orientation how)
{
	flow->orientation = how;
	flow->client = client;
	flow->conn.client = flow->end[client];
	flow->conn.server = flow->end[tcp_other_side(client)];
}

/* True when one of the ports is known to be a server's; *client is set in any case. */
static bool flow_guess_client(const struct flow *flow, enum tcp_side *client)
{
	uint16_t port_a = flow->end[TCP_SIDE_A].port;
	uint16_t port_b = flow->end[TCP_SIDE_B].port;
	size_t count = sizeof(flow_server_ports) / sizeof(flow_server_ports[0]);

	*client = port_a > port_b ? TCP_SIDE_A : TCP_SIDE_B;
	for (size_t i = 0; i < count && port_a != port_b; i++) {
		if (port_a != flow_server_ports[i] && port_b != flow_server_ports[i])
			continue;
		*client = port_a == flow_server_ports[i] ? TCP_SIDE_B : TCP_SIDE_A;
		return true;
	}
	return false;
}

/* The SYN tells who the client is, unless something was already told with another one. */
static void flow_orient_by_syn(struct flow *flow)
{
	if (flow->tcp.has_opener && flow->orientation != FLOW_BY_SYN && !flow->is_settled)
		flow_set_client(flow, flow->tcp.opener, FLOW_BY_SYN);
}

/*
 * The first message of a connection whose client was only guessed. Who calls is the client; who
 * answers, the server. But on a known NFS port it may be a call of NFSv4.1's backchannel, or the
 * answer to one: then the port is the better witness.
 */
static void flow_settle(struct flow *flow, enum tcp_side from, struct cursor message)
{
	struct rpc_msg msg;
	enum tcp_side client;
	bool has_known_port;

	if (flow->is_settled)
		return;
	flow->is_settled = true;
	if (flow->orientation != FLOW_BY_PORT || !rpc_msg_peek(message, &msg))
		return;
	has_known_port = flow_guess_client(flow, &client);
	if (msg.type == RPC_MSG_CALL &&
	    !(has_known_port && rpc_program_is_transient(msg.call.program)))
		flow_set_client(flow, from, FLOW_BY_CALL);
	else if (msg.type == RPC_MSG_REPLY && !has_known_port)
		flow_set_client(flow, tcp_other_side(from), FLOW_BY_CALL);
}

static void flow_on_note(void *context, const struct tcp_note *note)
{
	struct flow *flow = context;
	const struct event_board *board = flow->table->board;
	struct event_tcp tcp;
	struct event event = {.kind = EVENT_TCP, .conn = &flow->conn, .tcp = &tcp};

	flow_orient_by_syn(flow);
	if (note->kind == TCP_NOTE_LOST && note->acked)
		flow->conn.lossy = true;
	if (!event_wanted(board, EVENT_TCP))
		return;
	tcp = (struct event_tcp){
		.fact = flow_facts[note->kind],
		.from = flow_side(flow, note->from),
		.bytes = note->bytes,
		.ttl = note->ttl,
		.acked = note->acked,
		.full = note->full,
		.anew = note->anew,
		.heard = flow_at(flow, &note->heard),
		.said = flow_at(flow, &note->said),
		.since = flow_at(flow, &note->since),
	};
	event.at = flow_at(flow, &note->frame);
	event_emit(board, &event);
}

static void flow_on_chunk(void *context, const struct tcp_chunk *chunk)
{
	struct flow *flow = context;

	rpc_stream_chunk(&flow->stream[chunk->from], chunk);
}

static void flow_on_gap(void *context, const struct tcp_gap *gap)
{
	struct flow *flow = context;
	struct flow_table *t = flow->table;
	struct rpc_stream *stream = &flow->stream[gap->from];

	if (gap->kind != TCP_GAP_LOST)
		flow->conn.lossy = true;
	rpc_stream_gap(stream, gap);
	if (gap->kind != TCP_GAP_CUT || stream->state == RPC_STREAM_SEARCH)
		t->upper.gap(t->upper.context, flow, flow_side(flow, gap->from), gap);
}

static void flow_on_record(void *context, enum tcp_side from, const struct rpc_record *record)
{
	struct flow *flow = context;
	struct flow_table *t = flow->table;

	if (!flow->is_settled)
		flow_settle(flow, from, record->body);
	t->counts.records++;
	t->counts.records_damaged += record->damage != 0;
	t->upper.record(t->upper.context, flow, flow_side(flow, from), record);
}

static struct rpc_range flow_on_plan(void *context, enum tcp_side from, struct cursor head)
{
	struct flow *flow = context;
	const struct flow_upper *upper = &flow->table->upper;

	flow_settle(flow, from, head);
	return upper->plan(upper->context, flow, flow_side(flow, from), head);
}

void flow_drop_past(struct flow *flow)
{
	flow->table->pasts -= flow->past != NULL;
	pool_free(&flow->table->past_pool, flow->past);
	flow->past = NULL;
}

/* What its sides had said by when is of interest; see proto/tcp_past.h. */
static void flow_begin_past(struct flow *flow)
{
	struct flow_table *t = flow->table;

	if (flow->is_rpc && !flow->past && !t->options.counts_only) {
		if (t->pasts < FLOW_PASTS_MAX) {
			flow->past = pool_alloc(&t->past_pool);
			t->pasts++;
		} else {
			t->counts.pasts_refused += !flow->past_refused;
			flow->past_refused = true;
		}
	}
	if (flow->queue == FLOW_QUIET)
		flow_set_queue(flow, FLOW_OPEN);
}

static void flow_on_stream_note(void *context, enum tcp_side from, enum rpc_stream_note note,
				const struct tcp_frame *frame)
{
	struct flow *flow = context;

	(void)from;
	(void)frame;
	switch (note) {
	case RPC_STREAM_FOUND:
		flow->is_rpc = true;
		flow_begin_past(flow);
		return;
	case RPC_STREAM_LOST_MARK:
		flow->table->counts.marks_lost += !flow->asked_tls;
		return;
	case RPC_STREAM_NOT_RPC:
		/* With RPC in the other direction this one may be too, or may have changed to TLS.
		 */
		flow->gives_up = !flow->is_rpc;
		return;
	}
}

static const struct tcp_sink flow_tcp_sink = {flow_on_chunk, flow_on_gap, flow_on_note};
static const struct rpc_stream_sink flow_stream_sink = {flow_on_record, flow_on_plan,
							flow_on_stream_note};

void flow_start(struct flow *flow, bool joined)
{
	struct flow_table *t = flow->table;
	enum tcp_side client;

	flow->conn.joined = joined;
	flow->conn.clock_lost_ns = -1;
	flow_guess_client(flow, &client);
	flow_set_client(flow, client, FLOW_BY_PORT);
	if (flow->conn.transport != TRANSPORT_TCP) {
		flow->udp = mem_alloc(1, sizeof(*flow->udp));
		return;
	}
	tcp_init(&flow->tcp, &flow_tcp_sink, &t->budget, flow);
	for (enum tcp_side side = TCP_SIDE_A; side <= TCP_SIDE_B; side++)
		rpc_stream_init(&flow->stream[side], side, joined, &flow_stream_sink, &t->pool,
				flow);
}

/* Tells of a stream that is not, or no more, RPC records although all of it was captured. */
static void flow_tell_unframed(const struct flow *flow, enum tcp_side side)
{
	const struct rpc_unframed *u = rpc_stream_unframed(&flow->stream[side]);
	struct event_unframed fact;
	struct event event = {.kind = EVENT_UNFRAMED, .conn = &flow->conn, .unframed = &fact};

	if (!u || flow->conn.lossy)
		return;
	flow->table->counts.tls += flow->asked_tls && flow_side(flow, side) == CONN_FROM_CLIENT;
	if (!event_wanted(flow->table->board, EVENT_UNFRAMED))
		return;
	fact = (struct event_unframed){.from = flow_side(flow, side),
				       .len = u->len,
				       .offset = u->off,
				       .records = u->records,
				       .to_tls = flow->asked_tls};
	memcpy(fact.bytes, u->bytes, sizeof(fact.bytes));
	event.at = flow_at(flow, &u->frame);
	event_emit(flow->table->board, &event);
}

void flow_finish(struct flow *flow)
{
	struct tcp_frame last = {.number = flow->last.frame, .at = flow->last.at};

	if (flow->conn.transport != TRANSPORT_TCP)
		return;
	tcp_finish(&flow->tcp, &last);
	for (enum tcp_side side = TCP_SIDE_A; side <= TCP_SIDE_B; side++) {
		flow_tell_unframed(flow, side);
		rpc_stream_finish(&flow->stream[side]);
		rpc_stream_deinit(&flow->stream[side]);
	}
	tcp_deinit(&flow->tcp);
	flow_drop_past(flow);
}

/* The past of the side that sends the segment which is being taken; NULL: it is another frame. */
static const struct tcp_past *flow_past(const struct flow *flow, enum conn_side from,
					uint64_t frame_number)
{
	enum tcp_side side = from == CONN_FROM_CLIENT ? flow->client : tcp_other_side(flow->client);

	/* a record may have been completed by an earlier frame, which waited for a hole before it
	 */
	if (!flow->past || !flow->packet || flow->now->number != frame_number)
		return NULL;
	return &flow->past[side];
}

bool flow_ask_past(const struct flow *flow, enum conn_side from, uint64_t frame_number,
		   struct tcp_tale *out)
{
	const struct tcp_past *past = flow_past(flow, from, frame_number);

	return past && tcp_past_ask(past, flow->packet, flow->now, out);
}

bool flow_ask_unsent(const struct flow *flow, enum conn_side from, uint64_t frame_number,
		     struct tcp_frame *unsent, int64_t *age_ns)
{
	const struct tcp_past *past = flow_past(flow, from, frame_number);

	if (!past)
		return false;
	*unsent = tcp_past_unsent(past, flow->packet, flow->now);
	*age_ns = TCP_AGE_UNKNOWN;
	if (from == CONN_FROM_SERVER) /* whose clock was learnt */
		*age_ns = tcp_past_age_ns(past, flow->packet, flow->now, flow->clock.tick_ns);
	return true;
}

/* Feeds a segment to the flow; what tcp_segment says. */
static enum tcp_verdict flow_segment(struct flow *flow, enum tcp_side from,
				     const struct packet *packet, const struct tcp_frame *frame)
{
	bool is_small = packet->payload_wire_bytes <= FLOW_SMALL_BYTES;
	enum tcp_verdict verdict;

	flow->packet = packet;
	flow->now = frame;
	verdict = tcp_segment(&flow->tcp, from, packet, frame);
	if (flow->queue == FLOW_QUIET)
		flow_begin_past(flow);
	if (flow->past && verdict == TCP_TAKEN)
		tcp_past_take(&flow->past[from], packet, frame);
	flow->packet = NULL;
	if (verdict == TCP_TAKEN) {
		flow->marked[from] += packet->outgoing;
		/* without a branch, which nobody could predict */
		flow->small[from] += is_small;
		flow->unfilled[from] += (unsigned)is_small & packet->tcp.sum_unfilled;
		if (flow->ttl[from] == 0 && !(packet->tcp.flags & TCP_RST))
			flow->ttl[from] = packet->ttl; /* a reset may be a middlebox's */
	}
	return verdict;
}

static void flow_give_up(struct flow *flow)
{
	flow->gives_up = false;
	flow->not_rpc = true;
	flow->table->counts.flows_not_rpc++;
	tcp_stop_data(&flow->tcp);
	rpc_stream_stop(&flow->stream[TCP_SIDE_A]);
	rpc_stream_stop(&flow->stream[TCP_SIDE_B]);
}

/* Before what the segment carries is told. */
static void flow_note_clock(struct flow *flow, enum tcp_side from, struct stamp at,
			    const struct packet *packet)
{
	if (packet->tcp.has_timestamps && !flow->table->options.counts_only &&
	    flow_side(flow, from) == CONN_FROM_SERVER)
		flow_clock_take(flow, at, packet);
}

/* Its segments are told by another connection. */
static void flow_make_echo(struct flow_table *t, struct flow *flow, const struct packet *packet)
{
	flow->is_echo = flow->not_rpc = true;
	flow->echo_seq = packet->tcp.seq;
	t->counts.echoes++;
	t->counts.flows--;
}

static inline bool flow_end_is(const struct endpoint *end, const uint8_t *addr, uint16_t port)
{
	return end->port == port && memcmp(end->addr, addr, PACKET_ADDR_BYTES) == 0;
}

/*
 * Is the TCP packet of this flow, as most are of that of the packet before? Then no key need be
 * made. *from is set as in the key.
 */
static inline bool flow_has(const struct flow *flow, uint32_t evidence, const struct packet *p,
			    enum tcp_side *from)
{
	const struct endpoint *a = &flow->end[TCP_SIDE_A], *b = &flow->end[TCP_SIDE_B];
	bool ends;

	if (flow_end_is(a, p->src, p->src_port)) {
		*from = TCP_SIDE_A;
		ends = flow_end_is(b, p->dst, p->dst_port);
	} else {
		*from = TCP_SIDE_B;
		ends = flow_end_is(b, p->src, p->src_port) && flow_end_is(a, p->dst, p->dst_port);
	}
	return ends && flow->conn.evidence == evidence && flow->conn.transport == TRANSPORT_TCP;
}

/* Not inline, as other seldom steps: they would take room on the stack for each packet. */
__attribute__((noinline)) static struct flow *flow_find_other(struct flow_table *t,
							      uint32_t evidence,
							      const struct packet *packet,
							      enum tcp_side *from)
{
	struct flow_key key;
	uint64_t hash;

	flow_key_of(evidence, packet, &key);
	*from = key.from;
	return flow_find(t, &key, &hash);
}

/* The flow of a TCP packet, or NULL; *from is set in any case. */
static inline struct flow *flow_find_tcp(struct flow_table *t, uint32_t evidence,
					 const struct packet *packet, enum tcp_side *from)
{
	struct flow *flow = t->last_found;

	if (__builtin_expect(flow && flow_has(flow, evidence, packet, from), 1))
		return flow;
	return flow_find_other(t, evidence, packet, from);
}

/* A new flow for the packet. */
__attribute__((noinline)) static struct flow *flow_add_tcp(struct flow_table *t,
							   const struct provenance *at,
							   const struct packet *packet)
{
	struct flow_key key;

	flow_key_of(at->evidence, packet, &key);
	return flow_add(t, &key, flow_hash(&key), at);
}

/* A new flow for the packet, or an echo, of which nothing more is told. */
__attribute__((noinline)) static struct flow *flow_begin(struct flow_table *t,
							 const struct provenance *at,
							 const struct packet *packet)
{
	bool joined = !(packet->tcp.flags & TCP_SYN);
	struct flow *flow = flow_add_tcp(t, at, packet);

	if (flow_is_echo(t, flow, at, packet)) {
		flow_make_echo(t, flow, packet);
		return flow;
	}
	flow->firsts = joined ? FLOW_FIRSTS_JOINED - 1 : 0;
	flow_start(flow, joined);
	return flow;
}

static void flow_packet_tcp(struct flow_table *t, const struct provenance *at,
			    const struct packet *packet)
{
	struct tcp_frame frame = {.number = at->frame, .at = at->at};
	enum tcp_side from;
	struct flow *flow = flow_find_tcp(t, at->evidence, packet, &from);

	if (flow && flow->not_rpc) {
		t->counts.packets_not_rpc++;
		if (flow->is_echo && !flow_echo_is_over(flow, packet)) {
			flow->last = *at;
			return;
		}
		if (!flow->is_echo && !(packet->tcp.flags & (TCP_SYN | TCP_FIN | TCP_RST))) {
			flow->tcp.half[from].segments++;
			flow->last = *at;
			return;
		}
	}
	if (flow && (flow->is_echo || flow->firsts)) {
		bool is_echo = flow->firsts && flow_is_echo(t, flow, at, packet);

		if (flow->firsts)
			flow->firsts--;
		if (flow->is_echo || is_echo) {
			flow_end(t, flow);
			flow = NULL;
		}
		if (is_echo) {
			flow_make_echo(t, flow_add_tcp(t, at, packet), packet);
			return;
		}
	}
	for (;;) {
		if (!flow)
			flow = flow_begin(t, at, packet);
		if (flow->is_echo)
			return;
		flow_note_clock(flow, from, at->at, packet);
		if (__builtin_expect(flow_segment(flow, from, packet, &frame) == TCP_TAKEN, 1))
			break;
		flow_end(t, flow); /* it begins another one, which takes it in any case */
		flow = NULL;
	}
	flow->last = *at;
	if (__builtin_expect(flow->gives_up, 0))
		flow_give_up(flow);
	if (flow->tcp.completeness & (TCP_COMPLETE_FIN | TCP_COMPLETE_RST))
		flow_set_queue(flow, tcp_is_closed(&flow->tcp) ? FLOW_CLOSING : FLOW_OPEN);
}

/* Did the capture show this very datagram just now? See tcp.h for the times. */
static bool flow_seen_twice(struct flow *flow, const struct flow_key *key, uint32_t xid,
			    const struct provenance *at, const struct packet *packet)
{
	struct flow_seen *seen = flow->udp->seen[key->from];
	uint64_t window_ns = (uint64_t)(packet->ip_id ? TCP_TWICE_NS : TCP_TWICE_ANY_NS);

	for (size_t i = 0; i < FLOW_SEEN; i++)
		if (seen[i].bytes == packet->payload_wire_bytes && seen[i].xid == xid &&
		    seen[i].ip_id == packet->ip_id &&
		    (uint64_t)at->at.ns - (uint64_t)seen[i].ns + window_ns <= 2 * window_ns)
			return true;
	seen[flow->udp->datagrams[key->from] % FLOW_SEEN] =
		(struct flow_seen){at->at.ns, packet->ip_id, xid, packet->payload_wire_bytes};
	return false;
}

static void flow_packet_udp(struct flow_table *t, const struct provenance *at,
			    const struct packet *packet)
{
	struct flow_key key;
	struct flow_datagram datagram = {
		.body = cursor_make_cut(packet->payload,
					packet->payload_wire_bytes - packet->payload.len),
		.bytes = packet->payload_wire_bytes,
		.at = *at,
	};
	enum rpc_plausible verdict = rpc_msg_plausible(packet->payload, datagram.bytes);
	struct cursor head = datagram.body;
	uint64_t hash = 0;
	struct flow *flow;

	flow_key_of(at->evidence, packet, &key);
	flow = flow_find(t, &key, &hash);
	if (verdict == RPC_PLAUSIBLE_NO || (verdict == RPC_PLAUSIBLE_MORE && !flow)) {
		t->counts.packets_not_rpc++;
		return;
	}
	if (!flow) {
		flow = flow_add(t, &key, hash, at);
		flow_start(flow, true);
		t->counts.udp_pairs++;
		flow->is_rpc = true;
	}
	flow_set_queue(flow, FLOW_DATAGRAMS);
	flow->last = *at;
	if (flow_seen_twice(flow, &key, cursor_u32(&head), at, packet)) {
		t->counts.datagrams_twice++;
		return;
	}
	flow->udp->datagrams[key.from]++;
	flow->udp->datagram_bytes[key.from] += datagram.bytes;
	flow->conn.lossy |= datagram.bytes > packet->payload.len;
	flow_settle(flow, key.from, datagram.body);
	t->counts.datagrams++;
	t->upper.datagram(t->upper.context, flow, flow_side(flow, key.from), &datagram);
}

void flow_table_hand_over(struct flow_table *t, uint32_t evidence, const struct packet *packet)
{
	struct flow_key key;
	struct flow *flow;
	uint64_t hash = 0;

	flow_key_of(evidence, packet, &key);
	flow = flow_find(t, &key, &hash);
	if (!flow)
		return;
	flow->conn.lossy = true;
	flow_end(t, flow);
}

void flow_table_packet(struct flow_table *t, const struct provenance *where,
		       const struct packet *packet)
{
	if (packet->kind != PACKET_TCP && packet->kind != PACKET_UDP)
		return;
	t->counts.packets++;
	if (packet->kind == PACKET_TCP)
		flow_packet_tcp(t, where, packet);
	else
		flow_packet_udp(t, where, packet);
}
