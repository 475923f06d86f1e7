// SPDX-License-Identifier: GPL-2.0-or-later
/* ingest/flow/flow.h: packets of several connections and captures; what is told is one line of
 * text. */
#include "base/strbuf.h"
#include "check.h"
#include "ingest/flow/flow.h"

#include <stdlib.h>

enum { CLIENT = 1, SERVER = 2, NFS = 2049, CALL_BYTES = 44, REPLY_BYTES = 28 };

struct tester {
	struct flow_table table;
	struct event_board board;
	struct strbuf log;
	uint64_t frame;
	int64_t now_ns;
	uint32_t evidence;
	uint32_t ip_id;
	uint16_t client_port, server_port;
};

static const char *const fact_name[TCP_FACT_COUNT] = {
	"syn",       "syn-again", "syn-ack", "up",    "refused", "bare-ack",   "fin",
	"fin-again", "fin-acked", "rst",     "again", "lost",    "shown-late", "progress",
};

static void log_add(struct tester *t, const struct conn *conn, const char *what,
		    enum conn_side from)
{
	strbuf_add_format(&t->log, " %llu:%s%s", (unsigned long long)conn->serial,
			  from == CONN_FROM_CLIENT ? ">" : "<", what);
}

static void on_record(void *context, struct flow *flow, enum conn_side from,
		      const struct rpc_record *record)
{
	struct rpc_msg msg;

	CHECK(rpc_msg_peek(record->body, &msg));
	log_add(context, &flow->conn, msg.type == RPC_MSG_CALL ? "call" : "reply", from);
}

static void on_datagram(void *context, struct flow *flow, enum conn_side from,
			const struct flow_datagram *datagram)
{
	(void)datagram;
	log_add(context, &flow->conn, "datagram", from);
}

static struct rpc_range on_plan(void *context, struct flow *flow, enum conn_side from,
				struct cursor head)
{
	(void)context;
	(void)flow;
	(void)from;
	(void)head;
	return (struct rpc_range){0};
}

static void on_gap(void *context, struct flow *flow, enum conn_side from, const struct tcp_gap *gap)
{
	(void)gap;
	log_add(context, &flow->conn, "gap", from);
}

static void on_end(void *context, struct flow *flow)
{
	struct tester *t = context;

	strbuf_add_format(&t->log, " %llu:end", (unsigned long long)flow->conn.serial);
}

static void on_tcp(void *context, const struct event *event)
{
	log_add(context, event->conn, fact_name[event->tcp->fact], event->tcp->from);
}

static void on_conn_end(void *context, const struct event *event)
{
	struct tester *t = context;

	strbuf_add_format(&t->log, "/%llu+%llu",
			  (unsigned long long)event->totals->payload_bytes[CONN_FROM_CLIENT],
			  (unsigned long long)event->totals->payload_bytes[CONN_FROM_SERVER]);
}

static void tester_init(struct tester *t, size_t flows_max)
{
	struct flow_options options = {.flows_max = flows_max};
	struct flow_upper upper = {t, on_record, on_datagram, on_plan, on_gap, on_end};

	*t = (struct tester){
		.now_ns = STAMP_NS_PER_S, .client_port = 700, .server_port = NFS, .ip_id = 1};
	event_board_add(&t->board, EVENT_TCP, on_tcp, t);
	event_board_add(&t->board, EVENT_CONN_END, on_conn_end, t);
	strbuf_init(&t->log);
	flow_table_init(&t->table, &options, &t->board, &upper);
}

static void expect(struct tester *t, const char *text)
{
	CHECK_TEXT(strbuf_text(&t->log), text);
	strbuf_reset(&t->log);
}

static void tester_deinit(struct tester *t, const char *text)
{
	flow_table_deinit(&t->table);
	expect(t, text);
	CHECK_EQ_U64(t->table.flows.len, 0);
	CHECK_EQ_U64(t->table.budget.held_bytes, 0);
	strbuf_deinit(&t->log);
}

static struct packet packet_make(struct tester *t, enum packet_kind kind, int from)
{
	struct packet p = {.kind = kind, .ttl = 64, .ip_version = 4, .ip_id = t->ip_id++};
	bool from_client = from == CLIENT;

	p.src[15] = (uint8_t)from;
	p.dst[15] = from_client ? SERVER : CLIENT;
	p.src_port = from_client ? t->client_port : t->server_port;
	p.dst_port = from_client ? t->server_port : t->client_port;
	return p;
}

static void packet_give(struct tester *t, struct packet *p, const uint8_t *bytes, size_t len)
{
	uint8_t *copy = check_copy(bytes, len);

	p->payload = slice_make(copy, len);
	p->payload_wire_bytes = len;
	flow_table_packet(&t->table,
			  &(struct provenance){.evidence = t->evidence,
					       .frame = ++t->frame,
					       .at = stamp_utc(t->now_ns)},
			  p);
	t->now_ns += STAMP_NS_PER_MS;
	free(copy);
}

static void tcp(struct tester *t, int from, uint8_t flags, uint32_t seq, uint32_t ack,
		const uint8_t *bytes, size_t len)
{
	struct packet p = packet_make(t, PACKET_TCP, from);

	p.tcp.flags = flags;
	p.tcp.seq = seq;
	p.tcp.ack = ack;
	packet_give(t, &p, bytes, len);
}

/* A call or reply with its record mark; `program` of calls in the last place. */
static const uint8_t *call(uint32_t program)
{
	static uint8_t bytes[CALL_BYTES];

	memset(bytes, 0, sizeof(bytes));
	bytes[0] = 0x80;
	bytes[3] = CALL_BYTES - 4;
	bytes[15] = 2;
	for (size_t i = 0; i < 4; i++)
		bytes[16 + i] = (uint8_t)(program >> (24 - 8 * i));
	bytes[23] = 4;
	return bytes;
}

static const uint8_t reply[REPLY_BYTES] = {0x80, 0, 0, REPLY_BYTES - 4, 0, 0, 0, 0, 0, 0, 0, 1};

static void handshake(struct tester *t)
{
	tcp(t, CLIENT, TCP_SYN, 99, 0, reply, 0);
	tcp(t, SERVER, TCP_SYN | TCP_ACK, 499, 100, reply, 0);
	tcp(t, CLIENT, TCP_ACK, 100, 500, reply, 0);
}

TEST(a_connection_from_syn_to_fin)
{
	struct tester t;

	tester_init(&t, 0);
	handshake(&t);
	tcp(&t, CLIENT, TCP_ACK, 100, 500, call(100003), CALL_BYTES);
	tcp(&t, SERVER, TCP_ACK, 500, 144, reply, REPLY_BYTES);
	tcp(&t, CLIENT, TCP_ACK, 100, 500, call(100003), CALL_BYTES);
	expect(&t, " 1:>syn 1:<syn-ack 1:>up 1:>call 1:<reply 1:>again");
	tcp(&t, CLIENT, TCP_ACK | TCP_FIN, 144, 528, reply, 0);
	tcp(&t, SERVER, TCP_ACK | TCP_FIN, 528, 145, reply, 0);
	tcp(&t, CLIENT, TCP_ACK, 145, 529, reply, 0);
	expect(&t, " 1:>fin 1:<fin 1:<fin-acked 1:>fin-acked");
	CHECK(t.table.last_found->queue == FLOW_CLOSING);
	CHECK(!t.table.last_found->conn.joined);
	CHECK_EQ_U64(t.table.last_found->conn.client.port, 700);
	tester_deinit(&t, " 1:end/44+28");
}

/* A receiver that joins segments leaves their checksum as a sender does: large ones tell nothing.
 */
TEST(checksums_of_small_segments_count)
{
	static const uint8_t zero[2000];
	struct packet p;
	struct tester t;

	tester_init(&t, 0);
	handshake(&t);
	p = packet_make(&t, PACKET_TCP, SERVER);
	p.tcp.flags = TCP_ACK;
	p.tcp.seq = 500;
	p.tcp.ack = 100;
	p.tcp.sum_unfilled = true;
	packet_give(&t, &p, zero, sizeof(zero));
	CHECK_EQ_U64(t.table.last_found->unfilled[0] + t.table.last_found->unfilled[1], 0);
	CHECK_EQ_U64(t.table.last_found->small[0] + t.table.last_found->small[1], 3);
	p.tcp.seq = 2500;
	packet_give(&t, &p, zero, 100);
	CHECK_EQ_U64(t.table.last_found->unfilled[0] + t.table.last_found->unfilled[1], 1);
	CHECK_EQ_U64(t.table.last_found->small[0] + t.table.last_found->small[1], 4);
	strbuf_reset(&t.log);
	tester_deinit(&t, " 1:end/0+2100");
}

TEST(the_port_is_used_again)
{
	struct tester t;

	tester_init(&t, 0);
	handshake(&t);
	tcp(&t, CLIENT, TCP_SYN, 7000, 0, reply, 0);
	tcp(&t, SERVER, TCP_ACK, 500, 100, reply, 0);
	tcp(&t, CLIENT, TCP_RST, 100, 0, reply, 0);
	expect(&t, " 1:>syn 1:<syn-ack 1:>up 1:end/0+0 2:>syn 2:<bare-ack 2:>rst");
	tester_deinit(&t, " 2:end/0+0");
}

TEST(who_is_the_client)
{
	struct tester t;

	/* Joined at a call on ports that tell nothing: the caller is the client. */
	tester_init(&t, 0);
	t.client_port = 900;
	t.server_port = 40000;
	tcp(&t, SERVER, TCP_ACK, 500, 100, reply, 0);
	CHECK_EQ_U64(t.table.last_found->conn.client.port, 40000);
	tcp(&t, CLIENT, TCP_ACK, 100, 500, call(100021), CALL_BYTES);
	tcp(&t, SERVER, TCP_ACK, 500, 144, reply, REPLY_BYTES);
	CHECK_EQ_U64(t.table.last_found->conn.client.port, 900);
	CHECK(t.table.last_found->conn.joined);
	expect(&t, " 1:>call 1:<reply");
	/* At a callback on the NFS port: the port knows better. */
	t.client_port = 901;
	t.server_port = NFS;
	tcp(&t, SERVER, TCP_ACK, 500, 100, call(0x40000000), CALL_BYTES);
	CHECK_EQ_U64(t.table.last_found->conn.server.port, NFS);
	tcp(&t, CLIENT, TCP_ACK, 100, 544, reply, REPLY_BYTES);
	CHECK_EQ_U64(t.table.last_found->conn.server.port, NFS);
	expect(&t, " 2:<call 2:>reply");
	tester_deinit(&t, " 1:end/44+28 2:end/28+44");
}

TEST(captures_are_kept_apart)
{
	struct tester t;

	tester_init(&t, 0);
	for (t.evidence = 0; t.evidence < 2; t.evidence++)
		tcp(&t, CLIENT, TCP_SYN, 99, 0, reply, 0);
	t.evidence = 0;
	t.client_port = 701;
	tcp(&t, CLIENT, TCP_SYN, 99, 0, reply, 0);
	expect(&t, " 1:>syn 2:>syn 3:>syn");
	flow_table_end(&t.table, 0);
	expect(&t, " 1:end/0+0 3:end/0+0");
	tester_deinit(&t, " 2:end/0+0");
}

TEST(the_table_is_full)
{
	struct tester t;

	tester_init(&t, 2);
	tcp(&t, CLIENT, TCP_ACK, 1, 1, reply, 0);
	t.client_port++;
	tcp(&t, CLIENT, TCP_ACK, 1, 1, reply, 0);
	t.client_port--;
	tcp(&t, CLIENT, TCP_ACK, 1, 1, reply, 0); /* the first is younger now */
	t.client_port += 2;
	tcp(&t, CLIENT, TCP_ACK, 1, 1, reply, 0);
	expect(&t, " 2:end/0+0");
	CHECK_EQ_U64(t.table.counts.flows_evicted, 1);
	tester_deinit(&t, " 1:end/0+0 3:end/0+0");
}

/* Of connections that were opened, or opened and reset, by their thousands: how many are kept? */
static size_t flows_kept(struct tester *t, uint8_t flags, size_t count)
{
	size_t len;

	tester_init(t, 0);
	for (size_t i = 0; i < count; i++) {
		tcp(t, CLIENT, flags, 1, 1, reply, 0);
		t->client_port++;
		t->now_ns -= STAMP_NS_PER_MS;
	}
	t->now_ns += (flags == TCP_ACK ? FLOW_QUIET_S : 1) * STAMP_NS_PER_S;
	for (size_t i = 0; i < count / 2; i++) { /* each that is new looks at some old ones */
		tcp(t, SERVER, TCP_ACK, 1, 1, reply, 0);
		t->client_port++;
	}
	len = t->table.queues[flags == TCP_ACK ? FLOW_QUIET : FLOW_CLOSING].len;
	flow_table_deinit(&t->table);
	strbuf_deinit(&t->log);
	return len;
}

TEST(quiet_and_closed_connections_are_kept_to_a_number)
{
	struct tester t;

	CHECK_EQ_U64(flows_kept(&t, TCP_ACK, FLOW_QUIET_MAX + 9), FLOW_QUIET_MAX);
	CHECK_EQ_U64(t.table.counts.flows_evicted, 9);
	CHECK_EQ_U64(flows_kept(&t, TCP_RST, FLOW_CLOSING_MAX + 9), FLOW_CLOSING_MAX);
	CHECK_EQ_U64(t.table.counts.flows_evicted, 0);
	CHECK_EQ_U64(t.table.counts.flows_closed_early, 9);
}

TEST(closed_connections_leave)
{
	struct tester t;

	tester_init(&t, 0);
	tcp(&t, CLIENT, TCP_RST, 1, 1, reply, 0);
	t.now_ns += (FLOW_LINGER_S - 1) * STAMP_NS_PER_S;
	t.client_port++;
	tcp(&t, CLIENT, TCP_ACK, 1, 1, reply, 0);
	expect(&t, " 1:>rst");
	t.now_ns += STAMP_NS_PER_S;
	t.client_port++;
	tcp(&t, CLIENT, TCP_ACK, 1, 1, reply, 0);
	expect(&t, " 1:end/0+0");
	tester_deinit(&t, " 2:end/0+0 3:end/0+0");
}

TEST(what_is_no_rpc_costs_little)
{
	static uint8_t noise[1000];
	struct tester t;

	tester_init(&t, 0);
	t.server_port = 22;
	memset(noise, 'x', sizeof(noise));
	handshake(&t);
	for (uint32_t i = 0; i < 10; i++)
		tcp(&t, CLIENT, TCP_ACK, 100 + i * 1000, 500, noise, sizeof(noise));
	CHECK_EQ_U64(t.table.counts.flows_not_rpc, 1);
	CHECK_EQ_U64(t.table.counts.packets_not_rpc, 5);
	tcp(&t, CLIENT, TCP_ACK | TCP_FIN, 10100, 500, reply, 0);
	tcp(&t, CLIENT, TCP_SYN, 1, 0, reply, 0);
	expect(&t, " 1:>syn 1:<syn-ack 1:>up 1:>fin 1:end/5000+0 2:>syn");
	tester_deinit(&t, " 2:end/0+0");
}

TEST(datagrams)
{
	struct tester t;
	struct packet p;

	tester_init(&t, 0);
	t.server_port = 111;
	p = packet_make(&t, PACKET_UDP, CLIENT);
	packet_give(&t, &p, call(100000) + 4, CALL_BYTES - 4);
	t.now_ns -= STAMP_NS_PER_MS;
	packet_give(&t, &p, call(100000) + 4, CALL_BYTES - 4); /* the frame captured twice */
	t.now_ns += STAMP_NS_PER_S;
	p = packet_make(&t, PACKET_UDP, CLIENT);
	packet_give(&t, &p, call(100000) + 4, CALL_BYTES - 4); /* sent again */
	p = packet_make(&t, PACKET_UDP, SERVER);
	packet_give(&t, &p, reply + 4, REPLY_BYTES - 4);
	packet_give(&t, &p, (const uint8_t *)"no RPC at all, but something else", 33);
	expect(&t, " 1:>datagram 1:>datagram 1:<datagram");
	CHECK_EQ_U64(t.table.counts.datagrams_twice, 1);
	CHECK_EQ_U64(t.table.counts.packets_not_rpc, 1);
	tester_deinit(&t, " 1:end/80+24");
}

TEST(pairs_of_datagrams_are_kept_to_a_number)
{
	struct tester t;

	tester_init(&t, 0);
	for (size_t i = 0; i < FLOW_DATAGRAMS_MAX + 9; i++) {
		struct packet p = packet_make(&t, PACKET_UDP, CLIENT);

		packet_give(&t, &p, call(100000) + 4, CALL_BYTES - 4);
		t.client_port++;
	}
	/* One makes room only when the next one comes. */
	CHECK(t.table.queues[FLOW_DATAGRAMS].len <= FLOW_DATAGRAMS_MAX + 1);
	CHECK_EQ_U64(t.table.counts.udp_pairs, FLOW_DATAGRAMS_MAX + 9);
	CHECK_EQ_U64(t.table.counts.flows_evicted, 8);
	flow_table_deinit(&t.table);
	strbuf_deinit(&t.log);
}

TEST(lost_in_the_capture)
{
	struct tester t;

	tester_init(&t, 0);
	handshake(&t);
	tcp(&t, SERVER, TCP_ACK, 500, 144, reply, REPLY_BYTES); /* the call is not here */
	t.now_ns += STAMP_NS_PER_S;
	tcp(&t, SERVER, TCP_ACK, 528, 144, reply, REPLY_BYTES);
	expect(&t, " 1:>syn 1:<syn-ack 1:>up 1:<reply 1:<reply 1:>lost 1:>gap");
	CHECK(t.table.last_found->conn.lossy);
	tcp(&t, CLIENT, TCP_ACK, 144, 556, call(100003), CALL_BYTES);
	expect(&t, " 1:>call 1:>progress");
	tester_deinit(&t, " 1:end/44+56");
}

/* The segment as another interface of a translating host shows it: from this port, just after. */
static void tcp_translated(struct tester *t, int from, uint8_t flags, uint32_t seq, uint32_t ack,
			   const uint8_t *bytes, size_t len, uint16_t port)
{
	uint16_t client_port = t->client_port;
	struct packet p;

	for (int i = 0; i < 2; i++) {
		t->client_port = i ? port : client_port;
		p = packet_make(t, PACKET_TCP, from);
		p.tcp = (struct packet_tcp){.flags = flags, .seq = seq, .ack = ack};
		p.tcp.has_timestamps = true;
		p.tcp.tsval = 7000 + seq;
		packet_give(t, &p, bytes, len);
	}
	t->client_port = client_port;
	t->now_ns += STAMP_NS_PER_S;
}

TEST(a_connection_shown_again_behind_a_translation_is_told_once)
{
	struct tester t;

	tester_init(&t, 0);
	tcp_translated(&t, CLIENT, TCP_SYN, 99, 0, reply, 0, 4000);
	tcp_translated(&t, SERVER, TCP_SYN | TCP_ACK, 499, 100, reply, 0, 4000);
	tcp_translated(&t, CLIENT, TCP_ACK, 100, 500, call(100003), CALL_BYTES, 4000);
	tcp_translated(&t, SERVER, TCP_ACK, 500, 144, reply, REPLY_BYTES, 4000);
	CHECK_EQ_U64(t.table.counts.echoes, 1);
	CHECK_EQ_U64(t.table.counts.flows, 1);
	expect(&t, " 1:>syn 1:<syn-ack 1:>up 1:>call 1:<reply 1:<progress");
	tester_deinit(&t, " 1:end/44+28");
}

TEST(twin_connection_with_numbers_of_its_own_is_told)
{
	struct tester t;

	tester_init(&t, 0);
	tcp_translated(&t, CLIENT, TCP_SYN, 99, 0, reply, 0, 4000);
	t.client_port = 4000; /* its ports begin another connection */
	tcp(&t, CLIENT, TCP_SYN, 1099, 0, reply, 0);
	tcp(&t, SERVER, TCP_SYN | TCP_ACK, 499, 1100, reply, 0);
	expect(&t, " 1:>syn 3:>syn 3:<syn-ack");
	tester_deinit(&t, " 1:end/0+0 3:end/0+0");
}
