// SPDX-License-Identifier: GPL-2.0-or-later
/* See traces.h. */
#include "ingest/traces.h"

#include <stdlib.h>

#include "base/mem.h"
#include "evidence/text_scan.h"
#include "evidence/trace_line.h"
#include "ingest/log_facts.h"
#include "ingest/log_private.h"

struct trace_record {
	struct clid_fact fact; /* its name lies in the logs' arena */
	uint32_t file;         /* index into logs.files */
	uint64_t line;
	int64_t boot_ns;
};

struct traces {
	struct logs *logs;
	struct vec records; /* struct trace_record */
	uint64_t dropped;
	uint64_t found; /* lines in the file at hand */
};

struct traces *traces_create(struct logs *l)
{
	struct traces *t = mem_alloc(1, sizeof(*t));

	t->logs = l;
	vec_init(&t->records, sizeof(struct trace_record));
	return t;
}

void traces_destroy(struct traces *t)
{
	if (!t)
		return;
	vec_deinit(&t->records);
	free(t);
}

static bool hex_parse(struct slice text, size_t digits_max, uint64_t *out)
{
	uint64_t value = 0;
	size_t len = 0;

	if (text_begins(text, "0x"))
		text = text_after(text, 2);
	for (; len < text.len && len < digits_max; len++) {
		uint8_t c = text.ptr[len] | 0x20;

		if (text_is_digit(text.ptr[len]))
			value = value << 4 | (uint64_t)(text.ptr[len] - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			break;
	}
	*out = value;
	return len != 0 && len == text.len;
}

/* "6b02414d:3ea42ef8": when the server started, and the client's number. */
static bool clientid_parse(struct slice text, uint64_t *out)
{
	const uint8_t *colon = text.len ? memchr(text.ptr, ':', text.len) : NULL;
	uint64_t boot, number;

	if (!colon || !hex_parse(slice_make(text.ptr, (size_t)(colon - text.ptr)), 8, &boot) ||
	    !hex_parse(text_after(text, (size_t)(colon - text.ptr) + 1), 8, &number))
		return false;
	*out = boot << 32 | number;
	return true;
}

/* "192.0.2.21:751", "[2001:db8::1]:751" */
static bool address_parse(struct slice text, struct endpoint *out)
{
	size_t at = text.len;
	int64_t port;

	while (at > 0 && text.ptr[at - 1] != ':')
		at--;
	if (at < 2 || !text_number(text_after(text, at), &port) || port > UINT16_MAX ||
	    !log_address_parse(slice_make(text.ptr, at - 1), out))
		return false;
	out->port = (uint16_t)port;
	return true;
}

/* "client 6b02414d:3ea42ef9 verf=0x..., updated=0x... from addr=...": class nfsd_clid_*. */
static bool client_take(const struct trace_line *line, struct clid_fact *f)
{
	struct slice rest = line->rest;

	if (!text_begins(rest, "client ") || !text_holds(rest, ":"))
		return clientid_parse(trace_value(rest, "client"), &f->clientid);
	rest = text_after(rest, 7);
	return clientid_parse(text_word(&rest), &f->clientid);
}

static const struct {
	const char *event;
	enum clid_fact_kind kind;
} events[] = {
	{"nfsd_clid_fresh", CLID_FRESH},         {"nfsd_clid_verf_mismatch", CLID_REPLACED},
	{"nfsd_clid_confirmed", CLID_CONFIRMED}, {"nfsd_clid_expired", CLID_GONE},
	{"nfsd_clid_expire_unconf", CLID_GONE},  {"nfsd_clid_destroyed", CLID_GONE},
	{"nfsd_clid_admin_expired", CLID_GONE},  {"nfsd_clid_purged", CLID_GONE},
};

static bool fact_parse(const struct trace_line *line, struct clid_fact *f)
{
	size_t i = 0;

	*f = (struct clid_fact){0};
	while (i < sizeof(events) / sizeof(events[0]) &&
	       !slice_equal(line->event, slice_of_string(events[i].event)))
		i++;
	if (i == sizeof(events) / sizeof(events[0]) || !client_take(line, f))
		return false;
	f->kind = events[i].kind;
	f->has_client = address_parse(trace_value(line->rest, "addr"), &f->client);
	switch (f->kind) {
	case CLID_FRESH:
		f->name = trace_value(line->rest, "name");
		return hex_parse(trace_value(line->rest, "verifier"), 16, &f->verifier);
	case CLID_REPLACED:
		return hex_parse(trace_value(line->rest, "verf"), 16, &f->old_verifier) &&
		       hex_parse(trace_value(line->rest, "updated"), 16, &f->verifier);
	case CLID_CONFIRMED:
	case CLID_GONE:
		break;
	}
	return true;
}

void traces_line(struct traces *t, uint64_t line, struct slice text)
{
	struct trace_line parsed;
	struct trace_record *r;
	struct clid_fact fact;

	if (!trace_line_parse(text, &parsed))
		return;
	t->found++;
	if (!fact_parse(&parsed, &fact))
		return;
	if (t->records.len == TRACES_RECORDS_MAX) {
		t->dropped++;
		return;
	}
	r = vec_push(&t->records);
	r->fact = fact;
	r->fact.name = slice_make(NULL, 0);
	if (fact.name.len)
		r->fact.name = slice_make(arena_copy(&t->logs->arena, fact.name.ptr, fact.name.len),
					  fact.name.len);
	r->file = (uint32_t)t->logs->files.len - 1;
	r->line = line;
	r->boot_ns = parsed.boot_ns;
}

uint64_t traces_end_file(struct traces *t)
{
	uint64_t found = t->found;

	t->found = 0;
	return found;
}

void traces_emit(const struct traces *t, const struct event_board *board)
{
	for (size_t i = 0; i < t->records.len; i++) {
		const struct trace_record *r = vec_at(&t->records, i);
		const struct log_file *f = vec_at(&t->logs->files, r->file);
		const struct log_host *h =
			f->host == LOG_HOST_NONE
				? NULL
				: (struct log_host *)vec_at(&t->logs->hosts, f->host);
		struct clid_fact fact = r->fact;
		struct event e = {
			.kind = EVENT_CLID,
			.at = {.evidence = f->evidence,
			       .frame = r->line,
			       .at = {.ns = r->boot_ns, .clock = CLOCK_BOOT}},
			.clid = &fact,
		};

		fact.host = h ? slice_of_string(h->name) : slice_make(NULL, 0);
		fact.host_told = h && h->told;
		event_emit(board, &e);
	}
}
