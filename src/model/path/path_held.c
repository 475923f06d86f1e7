// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The part of the path model that remembers messages which were captured long after they were sent:
 * see path.h. The sender's own segments tell (struct rpc_past); how is not this file's business.
 */
#include "model/path/path_internal.h"

#include "base/mem.h"

/* Keeps it among the longest. */
static void held_keep(struct path_calls *c, const struct path_held *h)
{
	uint32_t i = c->held_worst_len;

	while (i > 0 && c->held_worst[i - 1].ns < h->ns)
		i--;
	if (i == PATH_CITES_MAX)
		return;
	if (!c->held_worst)
		c->held_worst = mem_alloc(PATH_CITES_MAX, sizeof(*c->held_worst));
	c->held_worst_len += c->held_worst_len < PATH_CITES_MAX;
	for (uint32_t j = c->held_worst_len - 1; j > i; j--)
		c->held_worst[j] = c->held_worst[j - 1];
	c->held_worst[i] = *h;
}

/*
 * Which of the two is it, held back or lost and sent again? The timestamp of a new copy is new; and
 * of a segment that another one overtook, older.
 */
static enum path_held_by held_by(const struct rpc_past *past, int64_t made_ns)
{
	if (made_ns >= PATH_LATE_NS)
		return PATH_HELD_BY_CLOCK;
	if (past->has_clock)
		return PATH_HELD_SENT_AGAIN;
	return past->has_older_id ? PATH_HELD_BY_ID : PATH_HELD_OR_LOST;
}

static void held_note(struct path_model *m, const struct event *e, const struct rpc_past *past,
		      const struct provenance *message)
{
	const struct rpc_call *rpc = e->rpc;
	bool is_call = past == &rpc->call_past;
	int64_t made_ns = path_span_ns(past->made_before.at, message->at);
	int64_t sent_ns = path_span_ns(past->sent_before.at, message->at);
	struct path_held h = {
		.conn = *e->conn,
		.call = rpc->call,
		.message = *message,
		.from = is_call ? rpc->from : CONN_FROM_SERVER,
		.by = held_by(past, made_ns),
		.tsval = past->tsval,
		.shown_tsval = past->made_tsval,
		.xid = rpc->xid,
		.version = rpc->version,
		.procedure = rpc->procedure,
	};
	struct path_calls *c;

	h.ns = h.by == PATH_HELD_BY_CLOCK ? made_ns : sent_ns;
	h.shown = h.by == PATH_HELD_BY_CLOCK ? past->made_before : past->sent_before;
	if (h.ns < PATH_LATE_NS)
		return;
	c = path_calls_get(m, e);
	if (!c)
		return;
	if (is_call)
		h.call.frame = FRAME_NONE;
	if (c->held_first.frame == FRAME_NONE)
		c->held_first = rpc->call;
	c->held_last = *message;
	c->held[h.by]++;
	held_keep(c, &h);
}

void path_held_take(struct path_model *m, const struct event *e)
{
	const struct rpc_call *rpc = e->rpc;

	if (__builtin_expect(path_held_shown(&rpc->call_past)->frame != FRAME_NONE, 0))
		held_note(m, e, &rpc->call_past, &rpc->call);
	if (e->kind == EVENT_RPC_REPLY &&
	    __builtin_expect(path_held_shown(&rpc->reply_past)->frame != FRAME_NONE, 0))
		held_note(m, e, &rpc->reply_past, &rpc->reply);
}
