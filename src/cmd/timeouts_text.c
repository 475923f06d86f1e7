// SPDX-License-Identifier: GPL-2.0-or-later
/* See timeouts_text.h. */
#include "cmd/timeouts_text.h"

#include <inttypes.h>
#include <string.h>

enum { INDENT = 2, LINE_COLUMNS_MAX = 96, TEXT_COLUMN = 22, NOTE_INDENT = 2 };

void timeouts_add_title(struct strbuf *out, const struct timeouts *t)
{
	const struct timing_options *o = &t->options;
	const char *proto = timing_transport_name(t->call.transport);

	if (t->call.lockd) {
		strbuf_add_format(out, "lockd over %s, nlm_timeout ", proto);
		strbuf_add_seconds(out, t->call.initval_ns);
		strbuf_add_text(out, " s");
		return;
	}
	strbuf_add_text(out, "NFS");
	if (o->has_vers && o->minor != UINT32_MAX)
		strbuf_add_format(out, "v%" PRIu32 ".%" PRIu32, o->vers, o->minor);
	else if (o->has_vers)
		strbuf_add_format(out, "v%" PRIu32, o->vers);
	strbuf_add_format(out, " over %s, %s, timeo=%" PRId64 " (", proto,
			  timing_failure_name(t->call.failure),
			  t->call.initval_ns / (STAMP_NS_PER_S / 10));
	strbuf_add_seconds(out, t->call.initval_ns);
	strbuf_add_format(out, " s), retrans=%" PRIu32, t->call.retries);
}

static bool same_events(const struct timeouts *t, size_t a, size_t b)
{
	if (t->counts[a] != t->counts[b])
		return false;
	for (size_t i = 0; i < t->counts[a]; i++)
		if (t->events[a][i].at_ns != t->events[b][i].at_ns ||
		    t->events[a][i].kind != t->events[b][i].kind)
			return false;
	return true;
}

static char mark_of(enum timing_event_kind kind)
{
	static const char marks[] = {
		[TIMING_TRANSMIT] = 'S',
		[TIMING_RETRANSMIT] = 'r',
		[TIMING_COMPLAIN] = 'C',
		[TIMING_FAIL] = 'F',
	};

	return marks[kind];
}

static size_t column_of(const struct timeouts *t, int64_t at_ns, size_t columns)
{
	/* In milliseconds: the product of a long schedule and a wide terminal stays in range. */
	int64_t until = t->until_ns / STAMP_NS_PER_MS;

	return (size_t)(at_ns / STAMP_NS_PER_MS * (int64_t)(columns - 1) / (until ? until : 1));
}

/* "S-----r-----------r--C", and the seconds below the marks as far as there is room. */
static void draw(struct layout *l, const struct timeouts *t, size_t alternative)
{
	const struct timing_event *e = t->events[alternative];
	size_t columns = l->width > 2 * INDENT + 4 ? l->width - 2 * INDENT - 4 : 8;
	char line[LINE_COLUMNS_MAX + 1];
	struct strbuf scale;

	if (columns > LINE_COLUMNS_MAX)
		columns = LINE_COLUMNS_MAX;
	memset(line, '-', columns);
	line[columns] = '\0';
	strbuf_init(&scale);
	for (size_t i = 0; i < t->counts[alternative]; i++) {
		size_t at = column_of(t, e[i].at_ns, columns);

		if (line[at] == '-' || e[i].kind >= TIMING_COMPLAIN)
			line[at] = mark_of(e[i].kind);
		if (scale.len && at < scale.len + 1)
			continue;
		strbuf_add_format(&scale, "%*s", (int)(at - scale.len), "");
		strbuf_add_seconds(&scale, e[i].at_ns);
	}
	strbuf_add_text(&scale, " s");
	layout_line(l, INDENT, LAYOUT_PLAIN, line);
	layout_line(l, INDENT, LAYOUT_FAINT, strbuf_text(&scale));
	strbuf_deinit(&scale);
}

static const char *event_text(const struct timeouts *t, enum timing_event_kind kind)
{
	switch (kind) {
	case TIMING_TRANSMIT:
		return "S  sent";
	case TIMING_RETRANSMIT:
		return "r  sent again, same XID";
	case TIMING_COMPLAIN:
		return t->call.lockd ? "C  \"lockd: server NAME not responding, still trying\""
				     : "C  \"nfs: server NAME not responding, still trying\"";
	case TIMING_FAIL:
		return t->call.failure == TIMING_SOFTERR
			       ? "F  \"nfs: server NAME not responding, timed out\", and ETIMEDOUT"
			       : "F  \"nfs: server NAME not responding, timed out\", and EIO";
	}
	return "";
}

/* "10 s", "30 s to 32.6 s": an alarm is never early, and may be late. */
static void add_when(struct strbuf *out, const struct timing_event *e)
{
	strbuf_add_seconds(out, e->at_ns);
	strbuf_add_text(out, " s");
	if (e->latest_ns <= e->at_ns)
		return;
	strbuf_add_text(out, " to ");
	/* A tenth is as fine as anybody can use it. */
	strbuf_add_seconds(out, (e->latest_ns + STAMP_NS_PER_S / 20) / (STAMP_NS_PER_S / 10) *
					(STAMP_NS_PER_S / 10));
	strbuf_add_text(out, " s");
}

static void add_table(struct layout *l, const struct timeouts *t, size_t alternative)
{
	struct strbuf when;

	strbuf_init(&when);
	for (size_t i = 0; i < t->counts[alternative]; i++) {
		const struct timing_event *e = &t->events[alternative][i];

		strbuf_reset(&when);
		add_when(&when, e);
		layout_paragraph(l, INDENT, (struct layout_span){strbuf_text(&when), LAYOUT_STRONG},
				 TEXT_COLUMN,
				 (struct layout_span){event_text(t, e->kind),
						      e->kind >= TIMING_COMPLAIN ? LAYOUT_WARNING
										 : LAYOUT_PLAIN});
	}
	strbuf_deinit(&when);
}

/* True when these are just the alternatives with a connection that was there. */
static bool is_any_connected(const struct timeouts *t, size_t alternative)
{
	for (size_t i = 0; i < TIMING_ALTERNATIVES; i++)
		if (same_events(t, alternative, i) !=
		    (timing_alternatives[i].start == TIMING_CONNECTED))
			return false;
	return true;
}

/* The alternatives that give this schedule, and which kernels they are. */
static void add_heading(struct layout *l, const struct timeouts *t, size_t alternative)
{
	struct strbuf names;
	size_t count = 0;

	if (is_any_connected(t, alternative)) {
		layout_heading(l, "All kernels, on a connection that was there");
		return;
	}
	strbuf_init(&names);
	for (size_t i = alternative; i < TIMING_ALTERNATIVES; i++)
		if (same_events(t, alternative, i))
			strbuf_add_format(&names, "%s%s", count++ ? ", " : "Kernels ",
					  timing_alternatives[i].id);
	layout_heading(l, count == TIMING_ALTERNATIVES ? "All kernels" : strbuf_text(&names));
	strbuf_deinit(&names);
	for (size_t i = alternative; i < TIMING_ALTERNATIVES && count < TIMING_ALTERNATIVES; i++)
		if (same_events(t, alternative, i))
			layout_paragraph(
				l, INDENT,
				(struct layout_span){timing_alternatives[i].id, LAYOUT_FAINT},
				TEXT_COLUMN + INDENT,
				(struct layout_span){timing_alternatives[i].text, LAYOUT_PLAIN});
}

static bool is_first_of_kind(const struct timeouts *t, size_t alternative)
{
	for (size_t i = 0; i < alternative; i++)
		if (same_events(t, i, alternative))
			return false;
	return true;
}

static void note_unsent(const struct timeouts *t, void (*take)(void *, const char *), void *context)
{
	struct strbuf text;

	strbuf_init(&text);
	strbuf_add_text(&text, "A call that never gets onto the wire (no port, no connection, no "
			       "free slot) has the same deadline, counted from its beginning: ");
	strbuf_add_text(&text, t->unsent.kind == TIMING_FAIL ? "it fails" : "the complaint comes");
	strbuf_add_text(&text, " after ");
	strbuf_add_seconds(&text, t->unsent.at_ns);
	strbuf_add_text(&text, " s, or when what it waits for next looks at the time.");
	take(context, strbuf_text(&text));
	strbuf_deinit(&text);
}

void timeouts_each_note(const struct timeouts *t, void (*take)(void *, const char *), void *context)
{
	const struct timing_call *c = &t->call;

	if (c->lockd)
		take(context, "lockd has timers of its own (fs/lockd/host.c): timeo, retrans, soft "
			      "and hard of the mount do not apply to locks. After the complaint it "
			      "asks rpcbind for the port again. A client says \"still trying\"; "
			      "\"timed out\" comes from a server whose callback (NLM_GRANTED) its "
			      "client does not answer.");
	else
		take(context, "Locks of NFSv3 do not follow these times: see 'nfsleuth timeouts "
			      "lockd'. The complaint comes once for each call, until \"OK\".");
	if (!c->lockd && c->keeps)
		take(context, "NFSv4 sends nothing again while the connection stands; when it "
			      "broke, what was open is sent again on the new one at once.");
	if (!c->lockd && !t->options.has_vers)
		take(context, "vers is not given, and this is the schedule of NFSv3: with NFSv4 "
			      "nothing is sent again while the connection stands.");
	if (!c->lockd && c->failure != TIMING_HARD && (c->keeps || !t->options.has_vers))
		take(context,
		     "Soft NFSv4 mounts: since 5.2 ('Make \"no retrans timeout\" soft tasks behave "
		     "like softconn for timeouts', also in some vendors' 4.19) a call that was "
		     "sent "
		     "does not fail while its connection stands; it does when that is gone.");
	if (c->transport == TIMING_UDP && !c->lockd)
		take(context, "Over UDP a call may be sent again sooner: the kernel measures how "
			      "long answers take (net/sunrpc/timer.c), and waits 0.1 s or more, "
			      "doubled each time.");
	note_unsent(t, take, context);
	take(context,
	     "Alarms may be late by an eighth of their length (the timer wheel, since "
	     "4.8), hence \"to\". What is sent again because a connection broke follows no "
	     "schedule.");
}

static void add_note(void *context, const char *note)
{
	layout_paragraph(context, 0, (struct layout_span){"-", LAYOUT_PLAIN}, NOTE_INDENT,
			 (struct layout_span){note, LAYOUT_PLAIN});
}

void timeouts_add_text(struct layout *l, const struct timeouts *t)
{
	struct strbuf title;

	strbuf_init(&title);
	timeouts_add_title(&title, t);
	layout_paragraph(l, 0, (struct layout_span){strbuf_text(&title), LAYOUT_STRONG}, 0,
			 (struct layout_span){"when no answer comes:", LAYOUT_PLAIN});
	strbuf_deinit(&title);
	for (size_t i = 0; i < TIMING_ALTERNATIVES; i++) {
		if (!is_first_of_kind(t, i))
			continue;
		add_heading(l, t, i);
		draw(l, t, i);
		add_table(l, t, i);
	}
	layout_heading(l, "To know");
	timeouts_each_note(t, add_note, l);
}
