// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See rpc_record.h. RFC 5531 section 11: a record is fragments, each behind a mark of four bytes,
 * of which the top bit says that it is the last one and the rest how long it is.
 */
#include "proto/rpc_record.h"

#include "proto/rpc_pool.h"
#include "proto/rpc_search.h"

enum { RPC_TYPE_END = 8 }; /* offset in a message behind its msg_type */

/* What is left of a chunk. */
struct rpc_input {
	const uint8_t *p;
	size_t n;
	uint64_t off; /* stream offset of *p */
	const struct tcp_frame *frame, *done;
	bool is_start; /* p is the chunk's first byte */
};

/* A chunk in work, behind bytes of earlier ones that had to wait for it. */
struct rpc_feed {
	struct rpc_input chunk, carried;    /* carried comes first */
	uint8_t both[2 * RPC_SEARCH_CARRY]; /* where carried's bytes are */
	struct tcp_frame carry_frame;
};

void rpc_stream_init(struct rpc_stream *s, enum tcp_side from, bool joined,
		     const struct rpc_stream_sink *sink, struct rpc_pool *pool, void *context)
{
	*s = (struct rpc_stream){
		.state = RPC_STREAM_SEARCH,
		.from = from,
		.is_anchored = !joined,
		.give_up_bytes = joined ? RPC_SEARCH_GIVE_UP_BYTES : RPC_SEARCH_GIVE_UP_NEW,
		.sink = sink,
		.pool = pool,
		.context = context,
	};
}

static void rpc_buffer_give(struct rpc_stream *s)
{
	rpc_pool_give(s->pool, s->buf, s->buf_cap);
	s->buf = NULL;
	s->buf_len = 0;
	s->buf_cap = 0;
}

void rpc_stream_deinit(struct rpc_stream *s)
{
	rpc_buffer_give(s);
}

void rpc_stream_stop(struct rpc_stream *s)
{
	rpc_buffer_give(s);
	s->state = RPC_STREAM_DEAD;
}

static void rpc_input_take(struct rpc_input *in, size_t n)
{
	in->p += n;
	in->n -= n;
	in->off += n;
	in->is_start = in->is_start && n == 0;
}

/* The next record, if any, begins with a mark. */
static void rpc_record_reset(struct rpc_stream *s)
{
	rpc_buffer_give(s);
	s->state = RPC_STREAM_MARK;
	s->carry_have = 0;
	s->is_last = false;
	s->is_planned = false;
	s->is_checked = false;
	s->has_fragment = false;
	s->frag_left = 0;
	s->damage = 0;
	s->rec_bytes = 0;
	s->rec_known = 0;
	s->hole = (struct rpc_range){0};
	s->plan = (struct rpc_range){0};
	s->skipped_bytes = 0;
}

static void rpc_search_start(struct rpc_stream *s)
{
	rpc_record_reset(s);
	s->state = RPC_STREAM_SEARCH;
	s->is_anchored = false;
	s->searched_bytes = 0;
	s->give_up_bytes = RPC_SEARCH_GIVE_UP_BYTES;
	s->has_given_up = false;
}

static void rpc_record_tell(struct rpc_stream *s, const struct rpc_record *record)
{
	s->counts.records++;
	s->counts.damaged += record->damage != 0;
	s->sink->record(s->context, s->from, record);
}

/* Hands on the record that was collected. */
static void rpc_record_finish(struct rpc_stream *s)
{
	static const uint8_t nothing[1];
	struct slice stored = slice_make(s->buf ? s->buf : nothing, s->buf_len);
	struct rpc_record record = {
		.offset = s->rec_off,
		.bytes = s->rec_bytes,
		.skipped_bytes = s->skipped_bytes,
		.damage = s->damage,
		.first = &s->first,
		.last = &s->last,
	};

	if (s->hole.to > s->hole.from)
		record.body =
			cursor_make_gapped(stored, s->hole.from, s->hole.to - s->hole.from, 0);
	else
		record.body = cursor_make(stored);
	rpc_record_tell(s, &record);
	rpc_record_reset(s);
}

/* The next n bytes of the message are left out. One hole is kept: two become one with what is
 * between. */
static void rpc_record_leave_out(struct rpc_stream *s, size_t n, uint32_t damage)
{
	if (n == 0)
		return;
	if (s->hole.to == s->hole.from)
		s->hole.from = s->rec_bytes;
	else
		s->buf_len = s->hole.from;
	s->rec_bytes += n;
	s->hole.to = s->rec_bytes;
	s->damage |= damage;
}

static bool rpc_buffer_room(struct rpc_stream *s, size_t n)
{
	size_t cap;
	uint8_t *buf;

	if (n <= s->buf_cap - s->buf_len)
		return true;
	buf = rpc_pool_take(s->pool, s->buf_len + n, &cap);
	if (!buf)
		return false;
	if (s->buf_len)
		memcpy(buf, s->buf, s->buf_len);
	rpc_pool_give(s->pool, s->buf, s->buf_cap);
	s->buf = buf;
	s->buf_cap = cap;
	return true;
}

static void rpc_record_store(struct rpc_stream *s, const uint8_t *p, size_t n)
{
	if (n == 0)
		return;
	if (!rpc_buffer_room(s, n)) {
		rpc_record_leave_out(s, n, RPC_RECORD_TOO_LONG);
		return;
	}
	memcpy(s->buf + s->buf_len, p, n);
	s->buf_len += n;
	s->rec_bytes += n;
}

/* How many of the next n bytes come before, and how many belong to, the range. */
static struct rpc_range rpc_range_split(const struct rpc_range *range, size_t at, size_t n)
{
	struct rpc_range split = {0};

	if (range->to <= at || range->from >= range->to)
		return (struct rpc_range){n, 0};
	if (range->from > at)
		split.from = range->from - at < n ? range->from - at : n;
	split.to = range->to - at - split.from;
	if (split.to > n - split.from)
		split.to = n - split.from;
	return split;
}

/* The next n bytes of the message: stores those that are wanted. */
static void rpc_record_add(struct rpc_stream *s, const uint8_t *p, size_t n)
{
	struct rpc_range split = rpc_range_split(&s->plan, s->rec_bytes, n);

	rpc_record_store(s, p, split.from);
	s->skipped_bytes += split.to;
	rpc_record_leave_out(s, split.to, 0);
	rpc_record_store(s, p + split.from + split.to, n - split.from - split.to);
}

/* The next n bytes of the message are not in the capture; where nobody wants them it is no damage.
 */
static void rpc_record_miss(struct rpc_stream *s, size_t n, uint32_t damage)
{
	struct rpc_range split = rpc_range_split(&s->plan, s->rec_bytes, n);

	rpc_record_leave_out(s, split.from, damage);
	s->skipped_bytes += split.to;
	rpc_record_leave_out(s, split.to, 0);
	rpc_record_leave_out(s, n - split.from - split.to, damage);
}

/*
 * Asks what of a long record is wanted, once enough of its head is here: in the buffer, or (while
 * nothing is stored) in the chunk.
 */
static void rpc_record_plan(struct rpc_stream *s, struct slice head)
{
	struct rpc_range plan;

	if (head.len < RPC_RECORD_PLAN_HEAD)
		return;
	s->is_planned = true;
	plan = s->sink->plan(s->context, s->from, cursor_make_cut(head, s->rec_known - head.len));
	if (plan.from >= plan.to || plan.to <= s->rec_bytes)
		return;
	s->plan = plan;
	if (plan.from < s->rec_bytes) {
		s->skipped_bytes = s->rec_bytes - plan.from;
		s->hole = (struct rpc_range){plan.from, s->rec_bytes};
		s->buf_len = plan.from;
	}
}

static bool rpc_record_wants_plan(const struct rpc_stream *s)
{
	return !s->is_planned && s->sink->plan && s->rec_known > RPC_RECORD_PLAN_BYTES &&
	       s->hole.to == s->hole.from;
}

/* What should be a mark or a message is none. */
static void rpc_record_bad(struct rpc_stream *s, const struct rpc_input *in)
{
	s->counts.marks_lost++;
	s->unframed = (struct rpc_unframed){.off = s->rec_off, .frame = s->first};
	rpc_unframed_add(&s->unframed, s->carry, RPC_MARK_BYTES);
	if (s->buf_len)
		rpc_unframed_add(&s->unframed, s->buf, s->buf_len);
	else
		rpc_unframed_add(&s->unframed, in->p, in->n);
	if (s->is_checked && s->rec_bytes) {
		s->damage |= RPC_RECORD_END_UNKNOWN;
		rpc_record_finish(s);
	}
	s->unframed.records = s->counts.records;
	rpc_search_start(s);
	s->sink->note(s->context, s->from, RPC_STREAM_LOST_MARK, in->frame);
}

/* False: these first bytes of a message are none. */
static bool rpc_record_check(struct rpc_stream *s, const uint8_t *head)
{
	s->is_checked = rpc_mark_load(head + 4) <= RPC_MSG_REPLY;
	return s->is_checked;
}

static void rpc_take_mark(struct rpc_stream *s, struct rpc_input *in)
{
	size_t n = RPC_MARK_BYTES - (size_t)s->carry_have;
	uint32_t mark, len;

	if (s->carry_have == 0 && !s->has_fragment) {
		s->first = *in->frame;
		s->rec_off = in->off;
	}
	if (n > in->n)
		n = in->n;
	memcpy(s->carry + s->carry_have, in->p, n);
	s->carry_have += (uint8_t)n;
	s->last = *in->done;
	rpc_input_take(in, n);
	if (s->carry_have < RPC_MARK_BYTES)
		return;
	mark = rpc_mark_load(s->carry);
	len = mark & ~RPC_MARK_LAST;
	s->carry_have = 0;
	if (len > RPC_RECORD_BYTES_MAX - s->rec_known ||
	    (mark & RPC_MARK_LAST && s->rec_known + len < RPC_MESSAGE_BYTES_MIN)) {
		rpc_record_bad(s, in);
		return;
	}
	s->counts.fragments += s->has_fragment;
	s->has_fragment = true;
	s->is_last = (mark & RPC_MARK_LAST) != 0;
	s->frag_left = len;
	s->rec_known += len;
	s->state = RPC_STREAM_BODY;
}

/* The fragment is complete: the record is too, or its next mark follows. */
static void rpc_fragment_end(struct rpc_stream *s)
{
	if (s->is_last)
		rpc_record_finish(s);
	else
		s->state = RPC_STREAM_MARK;
}

/* The whole record lies in the chunk. */
static void rpc_take_in_place(struct rpc_stream *s, struct rpc_input *in)
{
	struct rpc_record record = {
		.body = cursor_make(slice_make(in->p, s->frag_left)),
		.offset = s->rec_off,
		.bytes = s->frag_left,
		.first = &s->first,
		.last = in->done,
	};

	if (!rpc_record_check(s, in->p)) {
		rpc_record_bad(s, in);
		return;
	}
	rpc_input_take(in, s->frag_left);
	rpc_record_tell(s, &record);
	/* What rpc_record_reset would do, as far as it is not so already. */
	s->state = RPC_STREAM_MARK;
	s->has_fragment = false;
	s->is_last = false;
	s->is_checked = false;
	s->frag_left = 0;
	s->rec_known = 0;
}

static void rpc_take_body(struct rpc_stream *s, struct rpc_input *in)
{
	size_t n = s->frag_left < in->n ? s->frag_left : in->n;

	if (s->rec_bytes == 0 && s->is_last && in->n >= s->frag_left) {
		rpc_take_in_place(s, in);
		return;
	}
	if (s->rec_bytes == 0 && n >= RPC_TYPE_END && !rpc_record_check(s, in->p)) {
		rpc_record_bad(s, in);
		return;
	}
	s->last = *in->done;
	if (rpc_record_wants_plan(s)) {
		rpc_record_plan(s, s->rec_bytes ? slice_make(s->buf, s->buf_len)
						: slice_make(in->p, n));
		/* No more than the plan needs, where it is still to be made. */
		if (!s->is_planned && n > RPC_RECORD_PLAN_HEAD - s->buf_len)
			n = RPC_RECORD_PLAN_HEAD - s->buf_len;
	}
	rpc_record_add(s, in->p, n);
	rpc_input_take(in, n);
	s->frag_left -= (uint32_t)n;
	if (!s->is_checked && s->buf_len >= RPC_TYPE_END && !rpc_record_check(s, s->buf))
		rpc_record_bad(s, in);
	else if (s->frag_left == 0)
		rpc_fragment_end(s);
}

static void rpc_search_found(struct rpc_stream *s, const struct rpc_input *in)
{
	rpc_record_reset(s);
	s->sink->note(s->context, s->from, RPC_STREAM_FOUND, in->frame);
}

/* Everything in the input was searched in vain, or is in the carry. */
static void rpc_search_failed(struct rpc_stream *s, struct rpc_input *in)
{
	s->searched_bytes += in->n;
	s->counts.unframed_bytes += in->n;
	if (s->searched_bytes > s->give_up_bytes && !s->has_given_up) {
		s->has_given_up = true;
		s->sink->note(s->context, s->from, RPC_STREAM_NOT_RPC, in->frame);
	}
	rpc_input_take(in, in->n);
}

static void rpc_search_carry(struct rpc_stream *s, const uint8_t *p, size_t n,
			     const struct tcp_frame *frame)
{
	memmove(s->carry, p, n);
	s->carry_have = (uint8_t)n;
	s->carry_frame = *frame;
}

/*
 * Looks for a mark that begins in the carried bytes. False: there is none, the chunk is next. True:
 * all is done for now; where a mark was found, the carried bytes from it on are the next input.
 */
static bool rpc_search_in_carry(struct rpc_stream *s, struct rpc_feed *feed)
{
	struct rpc_input *in = &feed->chunk;
	size_t have = s->carry_have;
	size_t more = in->n < RPC_SEARCH_CARRY ? in->n : RPC_SEARCH_CARRY;
	struct rpc_search found;

	memcpy(feed->both, s->carry, have);
	memcpy(feed->both + have, in->p, more);
	feed->carry_frame = s->carry_frame;
	s->carry_have = 0;
	found = rpc_search_mark(slice_make(feed->both, have + more), have,
				s->is_anchored ? RPC_SEARCH_STREAM : RPC_SEARCH_CHUNK);
	s->is_anchored = s->is_anchored && found.at == 0;
	switch (found.verdict) {
	case RPC_PLAUSIBLE_YES:
		feed->carried = (struct rpc_input){.p = feed->both + found.at,
						   .n = have - found.at,
						   .off = in->off - (have - found.at),
						   .frame = &feed->carry_frame,
						   .done = in->done};
		s->counts.unframed_bytes -= feed->carried.n;
		rpc_search_found(s, in);
		return true;
	case RPC_PLAUSIBLE_MORE:
		rpc_search_carry(s, feed->both + found.at, have + more - found.at,
				 &feed->carry_frame);
		rpc_search_failed(s, in);
		return true;
	case RPC_PLAUSIBLE_NO:
		break;
	}
	return false;
}

/* What was passed over is kept from its first byte on, however it comes. */
static void rpc_search_keep(struct rpc_stream *s, const struct rpc_input *in)
{
	struct rpc_unframed *u = &s->unframed;

	if (s->is_anchored && s->searched_bytes == 0 && u->len == 0) {
		*u = (struct rpc_unframed){.off = in->off, .frame = *in->frame};
		rpc_unframed_add(u, in->p, in->n);
	} else if (u->len && u->off + u->len >= in->off && u->off + u->len - in->off < in->n) {
		size_t past = (size_t)(u->off + u->len - in->off);

		rpc_unframed_add(u, in->p + past, in->n - past);
	}
}

static void rpc_take_search(struct rpc_stream *s, struct rpc_input *in)
{
	bool each = s->searched_bytes < RPC_SEARCH_EACH_BYTES;
	struct rpc_search found;

	found = rpc_search_mark(slice_make(in->p, in->n), each ? in->n : 1,
				s->is_anchored ? RPC_SEARCH_STREAM
				: in->is_start ? RPC_SEARCH_CHUNK
					       : RPC_SEARCH_ANYWHERE);
	s->is_anchored = s->is_anchored && found.at == 0;
	switch (found.verdict) {
	case RPC_PLAUSIBLE_YES:
		s->counts.unframed_bytes += found.at;
		rpc_input_take(in, found.at);
		rpc_search_found(s, in);
		return;
	case RPC_PLAUSIBLE_MORE:
		rpc_search_carry(s, in->p + found.at, in->n - found.at, in->frame);
		rpc_search_failed(s, in);
		return;
	case RPC_PLAUSIBLE_NO:
		rpc_search_failed(s, in);
		return;
	}
}

static void rpc_take(struct rpc_stream *s, struct rpc_feed *feed)
{
	struct rpc_input *in;

	while (in = feed->carried.n ? &feed->carried : &feed->chunk, in->n) {
		switch (s->state) {
		case RPC_STREAM_SEARCH:
			rpc_search_keep(s, in);
			if (s->carry_have == 0 || !rpc_search_in_carry(s, feed))
				rpc_take_search(s, in);
			break;
		case RPC_STREAM_MARK:
			rpc_take_mark(s, in);
			break;
		case RPC_STREAM_BODY:
			rpc_take_body(s, in);
			break;
		case RPC_STREAM_DEAD:
			return;
		}
		/* An empty fragment ends without a byte. */
		if (s->state == RPC_STREAM_BODY && s->frag_left == 0)
			rpc_fragment_end(s);
	}
}

/* Most chunks are one record of one fragment, and nothing else. False: this one is not. */
static bool rpc_take_single(struct rpc_stream *s, const struct tcp_chunk *chunk)
{
	const uint8_t *p = chunk->bytes.ptr;
	size_t len = chunk->bytes.len;
	struct rpc_record record;

	if (s->state != RPC_STREAM_MARK || s->carry_have || s->has_fragment ||
	    len < RPC_MARK_BYTES + RPC_MESSAGE_BYTES_MIN || len > RPC_RECORD_BYTES_MAX ||
	    rpc_mark_load(p) != (RPC_MARK_LAST | (len - RPC_MARK_BYTES)) ||
	    rpc_mark_load(p + RPC_MARK_BYTES + 4) > RPC_MSG_REPLY)
		return false;
	cursor_start(&record.body, slice_make(p + RPC_MARK_BYTES, len - RPC_MARK_BYTES), 0);
	record.offset = chunk->offset;
	record.bytes = len - RPC_MARK_BYTES;
	record.skipped_bytes = 0;
	record.damage = 0;
	record.first = chunk->frame;
	record.last = chunk->done;
	rpc_record_tell(s, &record);
	return true;
}

__attribute__((noinline)) static void rpc_take_chunk(struct rpc_stream *s,
						     const struct tcp_chunk *chunk)
{
	struct rpc_feed feed;

	feed.carried.n = 0;
	feed.chunk = (struct rpc_input){.p = chunk->bytes.ptr,
					.n = chunk->bytes.len,
					.off = chunk->offset,
					.frame = chunk->frame,
					.done = chunk->done,
					.is_start = true};
	rpc_take(s, &feed);
}

void rpc_stream_chunk(struct rpc_stream *s, const struct tcp_chunk *chunk)
{
	if (!rpc_take_single(s, chunk))
		rpc_take_chunk(s, chunk);
}

/* The record under way cannot be followed to its end. */
static void rpc_record_abandon(struct rpc_stream *s, uint32_t damage)
{
	if (s->state == RPC_STREAM_BODY)
		rpc_record_miss(s, s->frag_left, damage);
	if (s->has_fragment && (s->state == RPC_STREAM_MARK || !s->is_last))
		s->damage |= RPC_RECORD_END_UNKNOWN | damage;
	if (s->has_fragment && s->rec_bytes && s->is_checked)
		rpc_record_finish(s);
}

void rpc_stream_gap(struct rpc_stream *s, const struct tcp_gap *gap)
{
	uint32_t damage = gap->kind == TCP_GAP_CUT ? RPC_RECORD_CUT : RPC_RECORD_LOST;
	uint64_t len = gap->len;

	if (s->state == RPC_STREAM_DEAD)
		return;
	if (s->state == RPC_STREAM_BODY && gap->kind != TCP_GAP_UNKNOWN) {
		size_t n = len < s->frag_left ? (size_t)len : s->frag_left;

		rpc_record_miss(s, n, damage);
		s->frag_left -= (uint32_t)n;
		len -= n;
		if (gap->kind == TCP_GAP_CUT)
			s->last = gap->frame;
		if (s->frag_left)
			return;
		rpc_fragment_end(s);
		if (len == 0)
			return;
	}
	if (s->state == RPC_STREAM_SEARCH) {
		s->carry_have = 0;
		s->is_anchored = false;
		return;
	}
	rpc_record_abandon(s, damage);
	rpc_search_start(s);
}

const struct rpc_unframed *rpc_stream_unframed(const struct rpc_stream *s)
{
	bool lost = s->state == RPC_STREAM_SEARCH || s->state == RPC_STREAM_DEAD;

	/* A record behind it: its end was found again. */
	return lost && s->unframed.len && s->unframed.records == s->counts.records ? &s->unframed
										   : NULL;
}

void rpc_stream_finish(struct rpc_stream *s)
{
	/* Its end is not there, whether anybody wants these bytes or not. */
	if (s->state == RPC_STREAM_BODY && s->frag_left)
		s->damage |= RPC_RECORD_LOST;
	if (s->state != RPC_STREAM_DEAD && s->state != RPC_STREAM_SEARCH)
		rpc_record_abandon(s, RPC_RECORD_LOST);
	rpc_stream_stop(s);
}
