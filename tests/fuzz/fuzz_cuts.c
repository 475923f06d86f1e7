// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is told of a connection's calls does not depend on how its streams are cut into segments,
 * nor on the order in which they come: the same messages as one segment each, byte by byte, in
 * pieces that the input chooses, and in such pieces in another order and with some bytes again,
 * give the same events with the same contents.
 *
 * The first byte: options of ingest. Then messages, a head of seven bytes (see struct step) and the
 * bytes that it announces. The record marks are right, because where one is not, the beginnings of
 * segments are looked at for the next.
 */
#include "event/event.h"
#include "fuzz.h"
#include "ingest/ingest.h"
#include "proto/rpc_msg.h"
#include "proto/xdr_type.h"
#include "xdr_make.h"

#include <stdlib.h>
#include <string.h>

enum {
	HEAD_BYTES = 7,
	MESSAGE_BYTES_MAX = 1 << 14,
	BYTES_HEAD = 304, /* a first fragment has 255 bytes and a header at most */
	BYTES_TAIL = 16,
	BYTES_FAR = 61,
	STREAM_BYTES_MAX = 1 << 13,
	EVENTS_MAX = 4096,
	SHUFFLE_MAX = 8
};

/* The first byte of a message's head. */
enum {
	STEP_REPLY = 1,
	STEP_OTHER_WAY = 2, /* calls from the server, replies from the client */
	STEP_RAW = 4,       /* its bytes are the body; else they choose one: xdr_make.h */
	STEP_FRAGMENTS = 8, /* the record is two fragments */
	STEP_LONG = 16,     /* so much longer that its data may be left out */
	STEP_FAILED = 32,   /* a reply whose accept_stat the next byte chooses */
};

/* How the stream of a run is cut. */
enum cut { CUT_NONE, CUT_BYTES, CUT_CHOSEN, CUT_SHUFFLED };

struct step {
	uint8_t kind, xid, spec, procedure, piece, fill, len;
	struct slice bytes;
};

struct run {
	enum cut cut;
	struct evidence_list evidence;
	struct event_board board;
	struct ingest *in;
	uint32_t seq[2]; /* by side: the client's first */
	uint64_t frame;
	int64_t ms;
	size_t streamed[2]; /* by side */
	bool unframed;      /* was told of a side */
	uint64_t digests[EVENTS_MAX];
	size_t events;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* FNV-1a. */
static void fold(uint64_t *digest, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		*digest = (*digest ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
}

static void fold_number(uint64_t *digest, uint64_t value)
{
	fold(digest, &value, sizeof(value));
}

static void fold_text(uint64_t *digest, const char *text)
{
	fold(digest, text ? text : "", text ? strlen(text) + 1 : 0);
	fold_number(digest, text != NULL);
}

static void fold_sequence(uint64_t *digest, const struct nfs4_sequence *s)
{
	if (!s->present)
		return;
	fold(digest, s->sessionid, sizeof(s->sessionid));
	fold_number(digest, s->seqid);
	fold_number(digest, s->slot);
	fold_number(digest, s->status);
}

static void fold_ops(uint64_t *digest, const struct rpc_call *call)
{
	for (uint32_t i = 0; i < call->ops_len; i++) {
		const struct nfs4_op_fact *op = &call->ops[i];
		const struct file_handle *file = rpc_op_file(call, op);
		const struct nfs4_stateid *stateid = rpc_op_stateid(call, op);

		fold_number(digest, op->op);
		fold_number(digest, op->status);
		fold_number(digest, op->name);
		if (file)
			fold(digest, file->bytes, file->len);
		if (stateid)
			fold(digest, stateid->other, sizeof(stateid->other));
		if (call->ops_text)
			fold_text(digest, call->ops_text[i]);
	}
	for (uint32_t i = 0; i < call->facts_len; i++) {
		fold_number(digest, call->facts[i].kind);
		fold_number(digest, call->facts[i].index);
		fold_number(digest, call->facts[i].status);
		fold_number(digest, call->facts[i].clientid);
		fold(digest, call->facts[i].owner.bytes, call->facts[i].owner.len);
	}
}

/* All but frames and times, of which the segments decide. */
static void fold_call(uint64_t *digest, const struct rpc_call *call)
{
	fold_number(digest, call->from);
	fold_number(digest, call->xid);
	fold_number(digest, call->program);
	fold_number(digest, call->version);
	fold_number(digest, call->procedure);
	fold_number(digest, call->has_call);
	fold_number(digest, call->is_callback);
	fold_number(digest, call->cred_flavor);
	fold_number(digest, call->outcome);
	fold_number(digest, call->auth_stat);
	fold_number(digest, call->has_status ? call->status : UINT64_MAX);
	fold_number(digest, call->minor_version);
	fold_number(digest, call->ops_in_reply);
	fold_number(digest, call->retransmissions.len);
	fold_number(digest, call->reply_repeats);
	fold_number(digest, call->object);
	fold_number(digest, call->name_hash);
	fold_number(digest, call->has_change ? call->change : UINT64_MAX);
	fold_number(digest, call->told_kind);
	fold_sequence(digest, &call->sequence);
	fold_ops(digest, call);
	fold_text(digest, call->call_damage);
	fold_text(digest, call->reply_damage);
	fold_text(digest, call->args_text);
	fold_text(digest, call->result_text);
}

static void on_event(void *context, const struct event *event)
{
	struct run *run = context;
	uint64_t digest = UINT64_C(0xcbf29ce484222325);

	fold_number(&digest, event->kind);
	if (event->kind == EVENT_UNFRAMED) {
		fold_number(&digest, event->unframed->from);
		fold_number(&digest, event->unframed->offset);
		fold_number(&digest, event->unframed->records);
		fold(&digest, event->unframed->bytes, event->unframed->len);
		run->unframed = true;
	} else if (event->kind == EVENT_CONN_END && run->unframed) {
		/* What never was RPC is given up with a segment, and counted up to its end. */
	} else if (event->kind == EVENT_CONN_END) {
		fold(&digest, event->totals->payload_bytes, sizeof(event->totals->payload_bytes));
		fold(&digest, event->totals->lost_bytes, sizeof(event->totals->lost_bytes));
	} else {
		fold_call(&digest, event->rpc);
	}
	require(run->events < EVENTS_MAX);
	run->digests[run->events++] = digest;
}

/* `ahead` bytes behind what was sent in order. */
static void segment_ahead(struct run *run, bool server, uint8_t flags, struct slice bytes,
			  size_t ahead)
{
	struct ingest_packet p = {
		.where = {.frame = ++run->frame, .at = stamp_utc(run->ms * STAMP_NS_PER_MS)},
		.wire_bytes = (uint32_t)bytes.len + 54,
		.packet = {.kind = PACKET_TCP, .ttl = 64, .ip_version = 4, .ip_proto = 6},
	};
	static const uint8_t host[2][PACKET_ADDR_BYTES] = {
		{[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1},
		{[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 2},
	};
	static const uint16_t port[2] = {790, 2049};
	/* Its own block, so that a sanitizer sees a read behind it. */
	uint8_t *copy = malloc(bytes.len + !bytes.len);

	require(copy != NULL);
	if (bytes.len)
		memcpy(copy, bytes.ptr, bytes.len);
	memcpy(p.packet.src, host[server], PACKET_ADDR_BYTES);
	memcpy(p.packet.dst, host[!server], PACKET_ADDR_BYTES);
	p.packet.src_port = port[server];
	p.packet.dst_port = port[!server];
	p.packet.ip_id = (uint32_t)run->frame & 0xffff;
	p.packet.payload = slice_make(copy, bytes.len);
	p.packet.payload_wire_bytes = bytes.len;
	p.packet.tcp.seq = run->seq[server] + (uint32_t)ahead;
	p.packet.tcp.ack = flags & TCP_ACK ? run->seq[!server] : 0;
	p.packet.tcp.flags = flags;
	p.packet.tcp.window = 501;
	p.packet.tcp.wscale = 0xff;
	ingest_packet(run->in, &p, NULL);
	free(copy);
}

static void segment(struct run *run, bool server, uint8_t flags, struct slice bytes)
{
	segment_ahead(run, server, flags, bytes, 0);
	run->seq[server] += (uint32_t)bytes.len + ((flags & TCP_SYN) != 0);
}

/*
 * Up to eight pieces, in an order that `turn` chooses; behind each perhaps some bytes of all of
 * them once more, or before their time. The bytes that were passed.
 */
static size_t segments_shuffled(struct run *run, bool server, struct slice bytes, uint32_t turn)
{
	size_t start[SHUFFLE_MAX + 1] = {0};
	uint8_t order[SHUFFLE_MAX];
	size_t count = 0;

	while (count < SHUFFLE_MAX && start[count] < bytes.len) {
		size_t n = 1 + turn % 251;

		turn = turn * 7 + 3;
		if (n > bytes.len - start[count])
			n = bytes.len - start[count];
		start[count + 1] = start[count] + n;
		order[count] = (uint8_t)count;
		count++;
	}
	for (size_t i = count; i > 1; i--) {
		size_t k = turn % i;
		uint8_t other = order[k];

		turn = turn * UINT32_C(1664525) + UINT32_C(1013904223);
		order[k] = order[i - 1];
		order[i - 1] = other;
	}
	for (size_t i = 0; i < count; i++) {
		size_t from = start[order[i]], to = start[order[i] + 1];

		segment_ahead(run, server, TCP_ACK, slice_make(bytes.ptr + from, to - from), from);
		turn = turn * UINT32_C(1664525) + UINT32_C(1013904223);
		if (turn >> 30)
			continue;
		from = (turn >> 8) % start[count];
		to = from + 1 + (turn >> 16) % (start[count] - from);
		segment_ahead(run, server, TCP_ACK, slice_make(bytes.ptr + from, to - from), from);
	}
	run->seq[server] += (uint32_t)start[count];
	return start[count];
}

static void put_body(struct xdr_writer *w, const struct step *step, const struct xdr_spec *spec,
		     const struct xdr_type *type)
{
	struct make_random r = {.state = step->fill, .choices = step->bytes};

	if (step->kind & STEP_RAW)
		xdr_put_bytes(w, step->bytes.ptr, (uint32_t)step->bytes.len);
	else if (type >= spec->types && type < spec->types + spec->type_count)
		make_types_find(spec->name)[type - spec->types].make(&r, w);
	else if (type)
		xdr_put_u32(w, 1);
}

static void put_message(struct xdr_writer *w, const struct step *step)
{
	size_t count;
	const struct xdr_spec *const *specs = xdr_specs(&count);
	const struct xdr_spec *spec = specs[step->spec % count];
	const struct xdr_procedure *row =
		&spec->procedures[step->procedure % spec->procedure_count];
	bool reply = step->kind & STEP_REPLY;

	xdr_put_u32(w, step->xid);
	xdr_put_u32(w, reply);
	if (reply) {
		xdr_put_u32(w, 0); /* accepted */
	} else {
		xdr_put_u32(w, 2);
		xdr_put_u32(w, row->program);
		xdr_put_u32(w, row->version);
		xdr_put_u32(w, row->procedure);
		xdr_put_u64(w, 0); /* no credential */
	}
	xdr_put_u64(w, 0); /* no verifier */
	if (reply)
		xdr_put_u32(w, step->kind & STEP_FAILED ? step->fill % 8 : 0);
	put_body(w, step, spec, reply ? row->results : row->args);
	for (uint32_t i = 0; step->kind & STEP_LONG && i < 1024U + step->fill; i++)
		xdr_put_u32(w, i);
}

/*
 * The record with its marks; in two fragments the first has `fill` bytes, which may be none. What
 * begins a stream must look like it: the header is whole in the first fragment
 * (see rpc_search_mark). Empty: it does not.
 */
static struct slice record_make(uint8_t *out, const struct step *step, bool begins)
{
	static uint8_t message[MESSAGE_BYTES_MAX];
	struct xdr_writer w = xdr_writer_make(message, sizeof(message));
	struct xdr_writer marked = xdr_writer_make(out, MESSAGE_BYTES_MAX + 8);
	struct slice bytes;
	size_t first = 0;

	put_message(&w, step);
	bytes = xdr_writer_bytes(&w);
	if (!xdr_writer_ok(&w) ||
	    (begins && rpc_msg_plausible(bytes, bytes.len) != RPC_PLAUSIBLE_YES))
		return slice_make(out, 0);
	if (step->kind & STEP_FRAGMENTS && !(begins && bytes.len < RPC_PLAUSIBLE_BYTES)) {
		first = step->fill + (begins ? RPC_PLAUSIBLE_BYTES : 0U);
		if (first > bytes.len)
			first = bytes.len;
		xdr_put_u32(&marked, (uint32_t)first);
		xdr_put_raw(&marked, slice_make(bytes.ptr, first));
	}
	xdr_put_u32(&marked, UINT32_C(1) << 31 | (uint32_t)(bytes.len - first));
	xdr_put_raw(&marked, slice_make(bytes.ptr + first, bytes.len - first));
	return xdr_writer_bytes(&marked);
}

/* Byte by byte, but for what is far from the ends of a record and of its first fragment. */
static size_t bytes_len(size_t pos, size_t left)
{
	return pos >= BYTES_HEAD && left > BYTES_TAIL + BYTES_FAR ? BYTES_FAR : 1;
}

static void give(struct run *run, const struct step *step)
{
	static uint8_t out[MESSAGE_BYTES_MAX + 8];
	bool server = !(step->kind & STEP_REPLY) == !!(step->kind & STEP_OTHER_WAY);
	struct slice record = record_make(out, step, run->streamed[server] == 0);
	uint32_t turn = step->piece;
	size_t pos = 0;

	if (record.len > STREAM_BYTES_MAX - run->streamed[server])
		return;
	run->streamed[server] += record.len;
	run->ms++;
	while (record.len) {
		size_t n = record.len;

		if (run->cut == CUT_BYTES)
			n = bytes_len(pos, record.len);
		else if (run->cut == CUT_CHOSEN)
			n = 1 + turn % 251;
		turn = turn * 7 + 3;
		if (n > record.len)
			n = record.len;
		if (run->cut == CUT_SHUFFLED)
			n = segments_shuffled(run, server, record, turn);
		else
			segment(run, server, TCP_ACK, slice_make(record.ptr, n));
		record = slice_make(record.ptr + n, record.len - n);
		pos += n;
	}
}

static bool step_take(struct step *step, struct slice *input)
{
	const uint8_t *p = input->ptr;
	size_t len;

	if (input->len < HEAD_BYTES)
		return false;
	len = p[6] < input->len - HEAD_BYTES ? p[6] : input->len - HEAD_BYTES;
	*step = (struct step){p[0], p[1], p[2], p[3], p[4], p[5], p[6], slice_make(p + 7, len)};
	*input = slice_make(p + HEAD_BYTES + len, input->len - HEAD_BYTES - len);
	return true;
}

static void run_script(struct run *run, enum cut cut, struct slice input)
{
	static const enum event_kind kinds[] = {
		EVENT_RPC_CALL,       EVENT_RPC_REPEAT,  EVENT_RPC_REPLY, EVENT_RPC_REPLY_REPEAT,
		EVENT_RPC_UNANSWERED, EVENT_RPC_SETTLED, EVENT_UNFRAMED,  EVENT_CONN_END,
	};
	struct ingest_options options = {.max_flows = 8, .max_calls = 64};
	struct step step;

	options.keep_text = input.ptr[0] & 1;
	options.counts_only = !options.keep_text && input.ptr[0] & 2;
	memset(run, 0, sizeof(*run));
	run->cut = cut;
	run->seq[0] = UINT32_C(0xffffff00);
	run->seq[1] = 1000;
	evidence_list_init(&run->evidence);
	evidence_list_add(&run->evidence, "fuzz", EVIDENCE_PCAP);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		event_board_add(&run->board, kinds[i], on_event, run);
	run->in = ingest_create(&options, &run->board, &run->evidence);
	segment(run, false, TCP_SYN, slice_make("", 0));
	segment(run, true, TCP_SYN | TCP_ACK, slice_make("", 0));
	segment(run, false, TCP_ACK, slice_make("", 0));
	input = slice_make(input.ptr + 1, input.len - 1);
	while (step_take(&step, &input))
		give(run, &step);
	ingest_finish(run->in);
	ingest_destroy(run->in);
	evidence_list_deinit(&run->evidence);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run whole, cut;

	if (size == 0)
		return 0;
	run_script(&whole, CUT_NONE, slice_make(data, size));
	for (enum cut how = CUT_BYTES; how <= CUT_SHUFFLED; how++) {
		run_script(&cut, how, slice_make(data, size));
		require(cut.events == whole.events);
		require(memcmp(cut.digests, whole.digests, whole.events * sizeof(cut.digests[0])) ==
			0);
	}
	return 0;
}
