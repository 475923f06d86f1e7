// SPDX-License-Identifier: GPL-2.0-or-later
/* See ingest.h: the way of a frame, and the books of what went wrong on it. */
#include "ingest/ingest.h"

#include "base/mem.h"
#include "ingest/ends/ends.h"
#include "ingest/private.h"
#include "ingest/survey/survey.h"

#include <stdlib.h>

/* Budgets that keep a run under 64 MB in all; see docs/architecture.md. */
enum { HOLD_BYTES = 8 << 20, POOL_BYTES = 16 << 20, FLOWS_DEFAULT = 16384 };

struct ingest *ingest_create(const struct ingest_options *options, const struct event_board *board,
			     struct evidence_list *evidence)
{
	struct ingest *in = mem_alloc(1, sizeof(*in));
	struct flow_options flows = {
		.flows_max = options->max_flows ? options->max_flows : FLOWS_DEFAULT,
		.hold_bytes_max = HOLD_BYTES,
		.pool_bytes_max = POOL_BYTES,
		.counts_only = options->counts_only,
	};
	struct flow_upper upper;

	in->options = *options;
	in->board = board;
	in->evidence = evidence;
	vec_init(&in->health, sizeof(struct ingest_health));
	pool_init(&in->conn_calls, sizeof(struct flow_calls));
	call_table_init(&in->calls, options->max_calls);
	in->fragments = mem_alloc(1, sizeof(*in->fragments));
	ipfrag_init(in->fragments);
	ingest_rpc_upper(in, &upper);
	flow_table_init(&in->flows, &flows, board, &upper);
	if (options->survey && event_wanted(board, EVENT_WIRE))
		in->ends = ends_create(options->survey, board);
	return in;
}

/* What is only needed while frames come. */
static void ingest_close(struct ingest *in)
{
	if (in->closed)
		return;
	in->closed = true;
	ends_destroy(in->ends);
	flow_table_deinit(&in->flows);
	ingest_rpc_finish(in);
	call_table_deinit(&in->calls);
	ipfrag_deinit(in->fragments);
	free(in->fragments);
	free(in->scratch);
}

void ingest_destroy(struct ingest *in)
{
	if (!in)
		return;
	ingest_close(in);
	vec_deinit(&in->health);
	free(in);
}

struct ingest_health *ingest_health_of(struct ingest *in, uint32_t evidence)
{
	while (in->health.len <= evidence)
		vec_push(&in->health);
	return vec_at(&in->health, evidence);
}

/* Of several captures one speaks; where each saw the segment is told apart from that. */
static void ingest_surveyed(struct ingest *in, const struct provenance *where,
			    const struct packet *packet)
{
	bool is_tcp = packet->kind == PACKET_TCP;
	struct endpoint src = {.port = packet->src_port}, dst = {.port = packet->dst_port};
	struct survey_answer answer;
	const struct flow *flow = NULL;

	memcpy(src.addr, packet->src, sizeof(src.addr));
	memcpy(dst.addr, packet->dst, sizeof(dst.addr));
	answer = survey_ask(in->options.survey, where, is_tcp ? TRANSPORT_TCP : TRANSPORT_UDP, &src,
			    &dst);
	if (answer.speaks) {
		flow_table_packet(&in->flows, where, packet);
		flow = in->flows.last_found;
	} else {
		ingest_health_of(in, where->evidence)->spoken_for++;
		if (answer.handed_over)
			flow_table_hand_over(&in->flows, where->evidence, packet);
	}
	if (in->ends && answer.is_known && (flow || !answer.speaks) &&
	    (is_tcp ||
	     rpc_msg_plausible(packet->payload, packet->payload_wire_bytes) == RPC_PLAUSIBLE_YES))
		ends_take(in->ends, &answer, where, packet, flow ? &flow->conn : NULL,
			  flow && !flow->not_rpc);
}

static inline void ingest_transport(struct ingest *in, const struct provenance *where,
				    const struct packet *packet)
{
	if (in->options.survey)
		ingest_surveyed(in, where, packet);
	else
		flow_table_packet(&in->flows, where, packet);
}

static void ingest_count(struct ingest *in, const struct ingest_packet *p)
{
	in->totals.frames++;
	in->totals.bytes += p->wire_bytes;
	if (__builtin_expect(p->is_cut, 0)) {
		struct ingest_health *health = ingest_health_of(in, p->where.evidence);

		if (health->cut_packets++ == 0)
			health->cut_first_frame = p->where.frame;
	}
}

/* What is no TCP. Not inline: it would take room on the stack for each packet. */
__attribute__((noinline)) static void ingest_other(struct ingest *in, const struct ingest_packet *p)
{
	struct packet whole;

	switch (p->packet.kind) {
	case PACKET_UDP:
		ingest_transport(in, &p->where, &p->packet);
		break;
	case PACKET_FRAGMENT:
		if (ipfrag_add(in->fragments, &p->packet, p->where.at.ns, &whole))
			ingest_transport(in, &p->where, &whole);
		break;
	case PACKET_CUT:
		in->undecoded[UNDECODED_CUT_PACKET]++;
		break;
	case PACKET_BAD:
		in->undecoded[UNDECODED_BAD_PACKET]++;
		break;
	case PACKET_UNKNOWN_LINK:
		in->undecoded[UNDECODED_UNKNOWN_LINK]++;
		break;
	case PACKET_ICMP:
	case PACKET_ARP:
		ingest_net(in, &p->where, &p->packet);
		break;
	case PACKET_TCP:
	case PACKET_OTHER:
		break;
	}
}

void ingest_packet(struct ingest *in, const struct ingest_packet *p, const struct rpc_ahead *ahead)
{
	ingest_count(in, p);
	in->ahead = ahead;
	if (__builtin_expect(p->packet.kind == PACKET_TCP, 1)) {
		ingest_health_of(in, p->where.evidence)->data_segments +=
			p->packet.payload_wire_bytes != 0;
		ingest_transport(in, &p->where, &p->packet);
	} else {
		ingest_other(in, p);
	}
	in->ahead = NULL;
}

void ingest_frame(struct ingest *in, uint32_t evidence, uint64_t frame_number, struct stamp at,
		  uint32_t linktype, struct slice bytes, size_t wire_bytes)
{
	struct ingest_packet p = {.where = {.evidence = evidence, .frame = frame_number, .at = at},
				  .wire_bytes = (uint32_t)wire_bytes,
				  .is_cut = bytes.len < wire_bytes};

	packet_parse(linktype, bytes, wire_bytes, &p.packet);
	ingest_packet(in, &p, NULL);
}

static void ingest_tell_health(struct ingest *in, uint32_t evidence)
{
	const struct ingest_health *h = vec_at(&in->health, evidence);
	struct evidence *e = evidence_list_at(in->evidence, evidence);

	e->cut_packets = h->cut_packets;
	e->cut_first_frame = h->cut_first_frame;
	e->lost_bytes = h->lost_acked_bytes;
	e->data_segments = h->data_segments;
	e->holes = h->holes;
	if (h->lost_acked_bytes)
		evidence_add_damage(
			in->evidence, evidence,
			"bytes that the receiver acknowledged but the capture has not got",
			h->lost_acked_bytes, UINT64_MAX, h->lost_first_frame);
	if (h->lost_bytes)
		evidence_add_damage(in->evidence, evidence,
				    "bytes that the capture has not got, nor their acknowledgement",
				    h->lost_bytes, UINT64_MAX, FRAME_NONE);
}

static int undecoded_order(const void *a, const void *b)
{
	return strcmp(((const struct ingest_undecoded *)a)->reason,
		      ((const struct ingest_undecoded *)b)->reason);
}

void ingest_finish(struct ingest *in)
{
	uint64_t stranded = in->calls.stranded_let_go;

	if (in->ends)
		ends_finish(in->ends);
	for (uint32_t i = 0; i < in->evidence->items.len; i++)
		flow_table_end(&in->flows, i);
	ingest_rpc_finish(in);
	in->calls.stranded_let_go = stranded; /* at the end nothing can come of those that go */
	in->undecoded[UNDECODED_FRAMING] = in->flows.counts.marks_lost;
	in->undecoded[UNDECODED_TLS] = in->flows.counts.tls;
	in->undecoded[UNDECODED_FLOW_EVICTED] = in->flows.counts.flows_evicted;
	in->undecoded[UNDECODED_ECHO] = in->flows.counts.echoes;
	in->undecoded[UNDECODED_FRAGMENT] = in->fragments->given_up_count;
	in->totals.tcp_connections = in->flows.counts.flows - in->flows.counts.udp_pairs;
	in->totals.udp_pairs = in->flows.counts.udp_pairs;
	for (uint32_t i = 0; i < in->health.len && i < in->evidence->items.len; i++)
		ingest_tell_health(in, i);
	in->list_len = 0;
	for (unsigned i = 0; i < UNDECODED_COUNT; i++)
		if (in->undecoded[i])
			in->list[in->list_len++] =
				(struct ingest_undecoded){undecoded_text(i), in->undecoded[i]};
	qsort(in->list, in->list_len, sizeof(in->list[0]), undecoded_order);
	ingest_close(in);
}

const struct ingest_totals *ingest_totals(const struct ingest *in)
{
	return &in->totals;
}

struct ingest_not_kept ingest_not_kept(const struct ingest *in)
{
	const struct flow_counts *c = &in->flows.counts;

	return (struct ingest_not_kept){
		.open = c->flows_evicted,
		.closed = c->flows_closed_early,
		.pasts = c->pasts_refused,
		.calls = in->undecoded[UNDECODED_TABLE_FULL],
		.stranded = in->calls.stranded_let_go,
	};
}

const struct ingest_undecoded *ingest_undecoded(const struct ingest *in, size_t *count)
{
	*count = in->list_len;
	return in->list;
}
