// SPDX-License-Identifier: GPL-2.0-or-later
/* See rpc_search.h. Record marks: RFC 5531 section 11. */
#include "proto/rpc_search.h"

enum { RPC_MARK_FIRST_BYTE = 0x80 }; /* of a last fragment below 16 MiB */

/* Is what follows the record at `bytes`, as far as it is here, the next record? */
static bool rpc_search_confirm(struct slice bytes, size_t len)
{
	struct slice next;
	uint32_t mark;

	if (bytes.len < RPC_MARK_BYTES + len + RPC_MARK_BYTES)
		return true;
	next = slice_make(bytes.ptr + RPC_MARK_BYTES + len, bytes.len - RPC_MARK_BYTES - len);
	mark = rpc_mark_load(next.ptr);
	next = slice_make(next.ptr + RPC_MARK_BYTES, next.len - RPC_MARK_BYTES);
	if ((mark & ~RPC_MARK_LAST) > RPC_RECORD_BYTES_MAX)
		return false;
	return rpc_msg_plausible(next, mark & RPC_MARK_LAST ? mark & ~RPC_MARK_LAST : SIZE_MAX) !=
	       RPC_PLAUSIBLE_NO;
}

/* May this be the mark of a record's first, but not last, fragment? */
static bool rpc_search_first_fragment(struct slice bytes, size_t len, enum rpc_search_place place)
{
	uint32_t next;

	/* The header lies in it: shorter ones would make any zeroes a mark. */
	if (len < RPC_PLAUSIBLE_BYTES || place == RPC_SEARCH_ANYWHERE)
		return false;
	if (place == RPC_SEARCH_STREAM)
		return true;
	if (bytes.len < RPC_MARK_BYTES + len + RPC_MARK_BYTES)
		return false;
	next = rpc_mark_load(bytes.ptr + RPC_MARK_BYTES + len) & ~RPC_MARK_LAST;
	return next > 0 && next <= RPC_RECORD_BYTES_MAX;
}

static enum rpc_plausible rpc_search_try(struct slice bytes, enum rpc_search_place place)
{
	enum rpc_plausible verdict;
	uint32_t mark;
	size_t len;

	if (bytes.len < RPC_MARK_BYTES)
		return bytes.ptr[0] == RPC_MARK_FIRST_BYTE ||
				       (place == RPC_SEARCH_STREAM && bytes.ptr[0] == 0)
			       ? RPC_PLAUSIBLE_MORE
			       : RPC_PLAUSIBLE_NO;
	mark = rpc_mark_load(bytes.ptr);
	len = mark & ~RPC_MARK_LAST;
	if (len > RPC_RECORD_BYTES_MAX ||
	    (!(mark & RPC_MARK_LAST) && !rpc_search_first_fragment(bytes, len, place)))
		return RPC_PLAUSIBLE_NO;
	verdict = rpc_msg_plausible(
		slice_make(bytes.ptr + RPC_MARK_BYTES, bytes.len - RPC_MARK_BYTES),
		mark & RPC_MARK_LAST ? len : SIZE_MAX);
	if (verdict == RPC_PLAUSIBLE_YES && place == RPC_SEARCH_ANYWHERE &&
	    !rpc_search_confirm(bytes, len))
		return RPC_PLAUSIBLE_NO;
	return verdict;
}

struct rpc_search rpc_search_mark(struct slice bytes, size_t end, enum rpc_search_place place)
{
	size_t at = 0;

	while (at < end) {
		enum rpc_plausible verdict;
		const uint8_t *p;

		verdict = rpc_search_try(slice_make(bytes.ptr + at, bytes.len - at), place);
		if (verdict != RPC_PLAUSIBLE_NO)
			return (struct rpc_search){verdict, at};
		place = RPC_SEARCH_ANYWHERE;
		at++;
		p = at < end ? memchr(bytes.ptr + at, RPC_MARK_FIRST_BYTE, end - at) : NULL;
		at = p ? (size_t)(p - bytes.ptr) : end;
	}
	return (struct rpc_search){RPC_PLAUSIBLE_NO, end};
}

void rpc_unframed_add(struct rpc_unframed *u, const uint8_t *p, size_t n)
{
	size_t room = RPC_UNFRAMED_KEEP - (size_t)u->len;

	if (n > room)
		n = room;
	memcpy(u->bytes + u->len, p, n);
	u->len += (uint8_t)n;
}
