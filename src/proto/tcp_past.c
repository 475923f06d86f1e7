// SPDX-License-Identifier: GPL-2.0-or-later
/* See tcp_past.h. */
#include "proto/tcp_past.h"

/* The least time between two marks of a level. */
static const int64_t past_step_ns[TCP_PAST_LEVELS] = {STAMP_NS_PER_S / 2, 2 * STAMP_NS_PER_S,
						      16 * STAMP_NS_PER_S};

/* The number behind a segment, which does not wrap: by its distance from the newest one. */
static uint64_t past_end(const struct tcp_past *past, const struct packet *p)
{
	uint32_t end = p->tcp.seq + (uint32_t)p->payload_wire_bytes;

	if (!past->is_known)
		return (UINT64_C(1) << 32) + end;
	return past->end + (uint64_t)(int64_t)(int32_t)(end - (uint32_t)past->end);
}

static bool past_is_older(const struct tcp_past *past, const struct packet *p)
{
	return past->has_clock && p->tcp.has_timestamps &&
	       (int32_t)(p->tcp.tsval - past->tsval) < 0;
}

static void past_mark(struct tcp_past *past, bool is_first)
{
	for (size_t i = 0; i < TCP_PAST_LEVELS; i++) {
		/* unsigned: a clock that was set back makes a mark, too */
		if (!is_first && (uint64_t)past->last.ns - (uint64_t)past->marked_ns[i] <
					 (uint64_t)past_step_ns[i])
			return;
		past->marked_ns[i] = past->last.ns;
		past->marks[i][past->next[i]] = past->last;
		past->next[i] = (uint8_t)((past->next[i] + 1) % TCP_PAST_MARKS);
	}
}

void tcp_past_take(struct tcp_past *past, const struct packet *packet,
		   const struct tcp_frame *frame)
{
	bool is_first = !past->is_known;
	uint64_t end;

	/* a reset's numbers are often made up, and it has no timestamps */
	if (packet->tcp.flags & TCP_RST || past_is_older(past, packet))
		return;
	end = past_end(past, packet);
	past->has_clock = packet->tcp.has_timestamps && (past->has_clock || is_first);
	past->tsval = packet->tcp.tsval;
	if (is_first || end > past->end)
		past->end = end;
	past->is_known = true;
	past->last = (struct tcp_past_mark){.number = frame->number,
					    .ns = frame->at.ns,
					    .end = past->end,
					    .tsval = past->tsval,
					    .ip_id = (uint16_t)packet->ip_id};
	past_mark(past, is_first);
}

/* Mark by index, those of all levels and then the newest frame; NULL: behind the last one. */
static const struct tcp_past_mark *past_mark_at(const struct tcp_past *past, size_t index)
{
	size_t marks = (size_t)TCP_PAST_LEVELS * TCP_PAST_MARKS;

	if (index > marks)
		return NULL;
	return index == marks ? &past->last
			      : &past->marks[index / TCP_PAST_MARKS][index % TCP_PAST_MARKS];
}

/* The first of two marks, the latter of which may be none. */
static void past_first(const struct tcp_past_mark **first, const struct tcp_past_mark *mark)
{
	if (!*first || mark->number < (*first)->number)
		*first = mark;
}

static struct tcp_frame past_frame(const struct tcp_past_mark *mark, const struct tcp_frame *now)
{
	return (struct tcp_frame){.number = mark->number,
				  .at = {.ns = mark->ns, .clock = now->at.clock}};
}

bool tcp_past_ask(const struct tcp_past *past, const struct packet *packet,
		  const struct tcp_frame *frame, struct tcp_tale *out)
{
	bool is_older = past_is_older(past, packet);
	uint64_t end = past_end(past, packet);
	bool was_sent = packet->payload_wire_bytes != 0 && past->is_known && end <= past->end;
	const struct tcp_past_mark *made = NULL, *sent = NULL, *mark;

	if (!is_older && !was_sent)
		return false;
	for (size_t i = 0; (mark = past_mark_at(past, i)); i++) {
		if (mark->number == 0)
			continue;
		if (is_older && (int32_t)(mark->tsval - packet->tcp.tsval) > 0)
			past_first(&made, mark);
		if (was_sent && mark->end >= end)
			past_first(&sent, mark);
	}
	*out = (struct tcp_tale){.tsval = packet->tcp.tsval, .has_clock = past->has_clock};
	if (made) {
		out->made_before = past_frame(made, frame);
		out->made_tsval = made->tsval;
	}
	if (sent) {
		out->sent_before = past_frame(sent, frame);
		out->has_older_id = packet->ip_id != 0 && sent->ip_id != 0 &&
				    (int16_t)((uint16_t)packet->ip_id - sent->ip_id) < 0;
	}
	return made || sent;
}

struct tcp_frame tcp_past_unsent(const struct tcp_past *past, const struct packet *packet,
				 const struct tcp_frame *frame)
{
	uint64_t begin = past_end(past, packet) - packet->payload_wire_bytes;
	const struct tcp_past_mark *last = NULL, *mark;

	if (packet->payload_wire_bytes == 0 || !past->is_known)
		return (struct tcp_frame){0};
	for (size_t i = 0; (mark = past_mark_at(past, i)); i++)
		if (mark->number != 0 && mark->end <= begin &&
		    (!last || mark->number > last->number))
			last = mark;
	return last ? past_frame(last, frame) : (struct tcp_frame){0};
}

int64_t tcp_past_age_ns(const struct tcp_past *past, const struct packet *packet,
			const struct tcp_frame *frame, int64_t tick_ns)
{
	const struct tcp_past_mark *mark;
	int64_t age_ns = TCP_AGE_UNKNOWN;

	if (!past->has_clock || !packet->tcp.has_timestamps || tick_ns <= 0)
		return TCP_AGE_UNKNOWN;
	for (size_t i = 0; (mark = past_mark_at(past, i)); i++) {
		int64_t wait_ns, made_ns;

		if (mark->number == 0 || __builtin_sub_overflow(frame->at.ns, mark->ns, &wait_ns) ||
		    __builtin_mul_overflow((int64_t)(int32_t)(packet->tcp.tsval - mark->tsval),
					   tick_ns, &made_ns) ||
		    __builtin_sub_overflow(wait_ns, made_ns, &wait_ns))
			continue;
		if (wait_ns > age_ns)
			age_ns = wait_ns;
	}
	return age_ns;
}
