// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What bpftrace prints: free text, of which only the forms of its own are known.
 *
 *	Attaching 2 probes...
 *	@[
 *	    rpc_wait_bit_killable+1
 *	    __wait_on_bit+72
 *	]: 12
 *	@us:
 *	[64, 128)             28 |@@@@@@@@@|
 *
 * These are sums over the time in which it ran, and stacks of moments: they tell neither who waits
 * now nor for how long. They are known lines of a trace, and of events that are not used.
 */
#include "ingest/trace/traces_private.h"

/* "Attaching 2 probes...", the first line of it. */
static bool is_head(struct slice text)
{
	return text_begins(text, "Attaching ") && text_holds(text, " probe");
}

/* "rpc_wait_bit_killable+72", "0xffffffffc04750c8" and nothing else. */
static bool is_frame(struct slice text)
{
	const uint8_t *plus = text.len ? memchr(text.ptr, '+', text.len) : NULL;
	uint64_t address;
	int64_t offset;

	if (!plus)
		return text_begins(text, "0x") && trace_hex_parse(text, 16, &address);
	for (const uint8_t *at = text.ptr; at < plus; at++)
		if (!text_is_name_byte(*at))
			return false;
	return text_number(text_after(text, (size_t)(plus - text.ptr) + 1), &offset);
}

/* "]: 12", "@us:", "@seq[nfsd, 198]: 44", "@[sh,", "[32, 64)   11 |@@@@|" */
static bool is_map(struct slice text)
{
	return text_begins(text, "@") || text_begins(text, "]: ") ||
	       (text_begins(text, "[") && text_holds(text, ")") && text_holds(text, " |"));
}

bool trace_take_bpftrace(struct traces *t, uint64_t line, struct slice text)
{
	text = text_trim(text);
	if (is_head(text))
		t->bpftrace = true;
	else if (!t->bpftrace || !(is_frame(text) || is_map(text)))
		return false;
	t->line = line;
	t->found++;
	t->unknown++;
	return true;
}
