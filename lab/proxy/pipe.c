// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The records of one direction (RFC 5531 section 11). A record is waited for as a whole while there
 * are faults; without any its head is enough, and the rest is passed on as it comes.
 */
#include "lab/proxy/private.h"

enum {
	MARK_BYTES = 4,
	TYPE_OFFSET = 4,
	RECORD_BYTES_MAX = 64 << 20, /* longer ones are taken for no RPC */
};

static uint32_t word_at(struct slice bytes, size_t offset)
{
	uint32_t wire;

	memcpy(&wire, bytes.ptr + offset, sizeof(wire));
	return __builtin_bswap32(wire);
}

static void forward(struct proxy_end *end, struct slice bytes)
{
	proxy_link_send(end->link, 1 - end->side, bytes);
}

static size_t go_raw(struct proxy_end *end, struct slice bytes)
{
	proxy_note(end->link->proxy,
		   "connection %llu: what the %s sends is no RPC; it passes as it is",
		   (unsigned long long)end->link->id,
		   end->side == PROXY_CLIENT ? "client" : "server");
	end->state = PROXY_PIPE_RAW;
	forward(end, bytes);
	return bytes.len;
}

/* In a record that passes: the rest of its fragment, or the mark of the next one. */
static size_t take_pass(struct proxy_end *end, struct slice bytes)
{
	size_t count = bytes.len < end->pass_left ? bytes.len : end->pass_left;
	uint32_t mark;

	if (count) {
		forward(end, slice_make(bytes.ptr, count));
		end->pass_left -= (uint32_t)count;
	} else {
		if (bytes.len < MARK_BYTES)
			return 0;
		mark = word_at(bytes, 0);
		end->pass_left = mark & 0x7fffffff;
		end->pass_is_last = mark >> 31;
		count = MARK_BYTES;
		forward(end, slice_make(bytes.ptr, count));
	}
	if (end->pass_left == 0 && end->pass_is_last)
		end->state = PROXY_PIPE_MARK;
	return count;
}

/* How much of a record of one fragment must be here before it is looked at. */
static size_t wanted_bytes(const struct proxy *proxy, size_t len)
{
	size_t head = len < PROXY_HEAD_BYTES ? len : PROXY_HEAD_BYTES;

	return fault_engine_is_empty(proxy->engine) || len > PROXY_CHANGE_BYTES ? head : len;
}

static size_t take_single(struct proxy_end *end, struct slice bytes, size_t len)
{
	size_t here = bytes.len - MARK_BYTES < len ? bytes.len - MARK_BYTES : len;
	struct proxy_message m = {
		.from = end->side,
		.bytes = slice_make(bytes.ptr + MARK_BYTES, here),
		.missing_bytes = len - here,
		.raw = slice_make(bytes.ptr, MARK_BYTES + here),
	};

	if (here < wanted_bytes(end->link->proxy, len))
		return 0;
	if (m.missing_bytes) {
		end->state = PROXY_PIPE_PASS;
		end->pass_left = (uint32_t)m.missing_bytes;
		end->pass_is_last = true;
	}
	return proxy_relay(end->link, &m) ? m.raw.len : SIZE_MAX;
}

/* A record of several fragments: whole, or passed on when it is too long to be kept. */
static size_t take_fragments(struct proxy_end *end, struct slice bytes)
{
	struct strbuf *message = &end->link->proxy->message;
	size_t pos = 0;
	bool is_last = false;

	strbuf_reset(message);
	while (!is_last && bytes.len - pos >= MARK_BYTES) {
		uint32_t mark = word_at(slice_make(bytes.ptr + pos, MARK_BYTES), 0);
		size_t len = mark & 0x7fffffff;

		if (len > bytes.len - pos - MARK_BYTES)
			break;
		strbuf_add(message, bytes.ptr + pos + MARK_BYTES, len);
		pos += MARK_BYTES + len;
		is_last = mark >> 31;
	}
	if (is_last) {
		struct proxy_message m = {.from = end->side,
					  .bytes = slice_make(message->data, message->len),
					  .raw = slice_make(bytes.ptr, pos)};

		return proxy_relay(end->link, &m) ? pos : SIZE_MAX;
	}
	if (bytes.len < PROXY_CHANGE_BYTES)
		return 0;
	end->state = PROXY_PIPE_PASS;
	end->pass_left = 0;
	end->pass_is_last = false;
	return take_pass(end, bytes);
}

static size_t take_record(struct proxy_end *end, struct slice bytes)
{
	uint32_t mark;
	size_t len;

	if (bytes.len < MARK_BYTES)
		return 0;
	mark = word_at(bytes, 0);
	len = mark & 0x7fffffff;
	if (len > RECORD_BYTES_MAX)
		return go_raw(end, bytes);
	if (!(mark >> 31))
		return take_fragments(end, bytes);
	/* The second word says whether it is a call or a reply. */
	if (len >= TYPE_OFFSET + 4 && bytes.len >= MARK_BYTES + TYPE_OFFSET + 4 &&
	    word_at(bytes, MARK_BYTES + TYPE_OFFSET) > RPC_MSG_REPLY)
		return go_raw(end, bytes);
	return take_single(end, bytes, len);
}

size_t proxy_pipe_take(struct proxy_end *end, struct slice bytes)
{
	size_t count;

	switch (end->state) {
	case PROXY_PIPE_MARK:
		return take_record(end, bytes);
	case PROXY_PIPE_PASS:
		return take_pass(end, bytes);
	case PROXY_PIPE_RAW:
		break;
	}
	count = bytes.len;
	forward(end, bytes);
	return count;
}
