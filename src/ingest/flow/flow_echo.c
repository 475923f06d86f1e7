// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections that a capture shows twice: one on all interfaces of a host that translates addresses
 * (RFC 3022: a gateway, the node of containers) has each segment with the addresses before and
 * behind it. Sequence numbers and timestamps stay as they were, so the first segments of the two
 * are the same within a moment. The first of the two is told, the other is its echo. A capture may
 * begin between the two copies of a segment: of a connection that was there before, some more are
 * compared.
 */
#include "ingest/flow/flow_table.h"

/* Longer than a segment takes through a host; sequence numbers and timestamps do the rest. */
#define ECHO_NS (10 * STAMP_NS_PER_MS)

static bool echo_is(const struct flow_first *a, const struct flow_first *b)
{
	int64_t apart;

	return a->serial != b->serial && a->evidence == b->evidence && a->seq == b->seq &&
	       a->ack == b->ack && a->tsval == b->tsval && a->tsecr == b->tsecr &&
	       a->flags == b->flags && a->bytes == b->bytes &&
	       !__builtin_sub_overflow(b->ns, a->ns, &apart) && apart >= -ECHO_NS &&
	       apart <= ECHO_NS;
}

bool flow_is_echo(struct flow_table *t, const struct flow *flow, const struct provenance *at,
		  const struct packet *packet)
{
	struct flow_first first = {
		.serial = flow->conn.serial,
		.evidence = at->evidence,
		.seq = packet->tcp.seq,
		.ack = packet->tcp.ack,
		.tsval = packet->tcp.tsval,
		.tsecr = packet->tcp.tsecr,
		.flags = packet->tcp.flags,
		.bytes = packet->payload_wire_bytes,
		.ns = at->at.ns,
	};

	if (!packet->tcp.has_timestamps)
		return false;
	for (size_t i = 0; i < FLOW_FIRSTS; i++)
		if (t->firsts[i].tsval && echo_is(&t->firsts[i], &first))
			return true;
	t->firsts[t->firsts_next++ % FLOW_FIRSTS] = first;
	return false;
}

bool flow_echo_is_over(const struct flow *flow, const struct packet *packet)
{
	return (packet->tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
	       packet->tcp.seq != flow->echo_seq;
}
