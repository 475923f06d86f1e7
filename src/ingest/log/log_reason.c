// SPDX-License-Identifier: GPL-2.0-or-later
/* What the clock of a log rests on, in words: for the notes of the evidence. */
#include <inttypes.h>
#include <stdlib.h>

#include "ingest/log/log_private.h"

/* What the line is, behind it; the frame follows. */
static const char *const reasons[] = {
	[LOG_JOIN_REPLY] = "is the reply in",
	[LOG_JOIN_COMPLAINT] = "after the first call or SYN, which is",
	[LOG_JOIN_INTRODUCED] = "comes when NFSv4 is loaded for the first mount, right before the "
				"client introduces itself in",
	[LOG_JOIN_LOADED] = "comes when NFS is loaded, in the second that the client's verifier "
			    "tells in",
	[LOG_JOIN_STARTED] = "comes when nfsd starts, right after the second that its client IDs "
			     "tell from",
	[LOG_JOIN_RECOVERED] = "comes when the client has its state anew, by",
	[LOG_JOIN_OUTAGE] = "ends an outage in the host's silence before",
	[LOG_JOIN_UPTIME] = "agrees with the uptime in",
};

static void add_frame(const struct logs *l, struct strbuf *out, const struct provenance *frame)
{
	strbuf_add_format(out, " frame %" PRIu64 " of %s", frame->frame,
			  evidence_list_at(l->evidence, frame->evidence)->id);
}

void log_join_add_reason(const struct logs *l, struct strbuf *out, const struct log_join *join)
{
	strbuf_add_char(out, '"');
	strbuf_add_safe(out, join->text);
	strbuf_add_format(out, "\" in line %" PRIu64 " ", join->line);
	if (join->kind == LOG_JOIN_COMPLAINT)
		strbuf_add_format(out, "comes %" PRId64 " s ", join->timeout_ns / STAMP_NS_PER_S);
	strbuf_add_text(out, reasons[join->kind]);
	add_frame(l, out, &join->frame);
	if (join->fits > 1 && join->kind == LOG_JOIN_REPLY)
		strbuf_add_format(out, ", and %zu more of its waits are in the captures",
				  join->fits - 1);
	else if (join->fits > 1)
		strbuf_add_format(out, ", and %zu more %s as the captures have it", join->fits - 1,
				  join->fits > 2 ? "moments of the log are"
						 : "moment of the log is");
	if (join->loop)
		strbuf_add_text(out, ", and what it says of lost locks comes when the client has "
				     "its state anew, again and again");
	if (join->outage && join->kind != LOG_JOIN_OUTAGE)
		strbuf_add_text(out, ", and a link was down while the host was silent there");
	if (join->named)
		strbuf_add_text(out, ", and the host's name in it is the log's");
	if (join->uptime)
		strbuf_add_text(out, ", and the uptime in its credentials agrees");
	if (join->sole)
		strbuf_add_text(out, join->kind == LOG_JOIN_STARTED
					     ? ", and no other server is in the captures"
					     : ", and no other client is in the captures");
}

void log_dissent_add(const struct logs *l, struct strbuf *out, const struct log_dissent *d)
{
	char apart[STAMP_TEXT_BYTES];

	if (!d->known)
		return;
	stamp_format_duration(llabs(d->apart_ns), apart);
	strbuf_add_text(out, "; it is not followed that \"");
	strbuf_add_safe(out, d->text);
	strbuf_add_format(out, "\" in line %" PRIu64 " %s", d->line, reasons[d->kind]);
	add_frame(l, out, &d->frame);
	strbuf_add_format(out, ": by that it would all be %s %s", apart,
			  d->apart_ns > 0 ? "later" : "earlier");
}
