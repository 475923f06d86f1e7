// SPDX-License-Identifier: GPL-2.0-or-later
/* See traces.h. This file keeps and hands on; trace_server.c and trace_client.c know the events. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "evidence/line/stack_line.h"
#include "ingest/trace/traces_private.h"

enum { TRACES_NAMES_MAX = 4096 };

struct traces *traces_create(struct logs *l)
{
	struct traces *t = mem_alloc(1, sizeof(*t));

	t->logs = l;
	vec_init(&t->records, sizeof(struct trace_record));
	texts_init(&t->names, TRACES_NAMES_MAX);
	return t;
}

void traces_destroy(struct traces *t)
{
	if (!t)
		return;
	vec_deinit(&t->records);
	texts_deinit(&t->names);
	free(t);
}

struct slice trace_keep(struct traces *t, struct slice text)
{
	const char *kept = texts_keep(&t->names, &t->logs->arena, text);

	return kept[0] ? slice_of_string(kept) : slice_make(NULL, 0);
}

void trace_add(struct traces *t, enum trace_kind kind, const void *fact, size_t bytes)
{
	struct trace_record *r;
	void *kept;

	bool is_call = kind == TRACE_RPC_TASK || kind == TRACE_SERVED;
	size_t *kept_count = &t->kept[is_call];

	if (*kept_count == (is_call ? TRACES_CALLS_MAX : TRACES_RECORDS_MAX)) {
		t->dropped++;
		return;
	}
	++*kept_count;
	kept = arena_alloc(&t->logs->arena, bytes);
	memcpy(kept, fact, bytes);
	r = vec_push(&t->records);
	*r = (struct trace_record){
		.kind = kind,
		.fact = kept,
		.file = (uint32_t)t->logs->files.len - 1,
		.line = t->line,
		.boot_ns = t->boot_ns,
		.untimed = t->untimed,
		.hash = t->head || t->untimed ? 0 : t->hash,
	};
	if (t->head) {
		struct klog_head *head = arena_alloc(&t->logs->arena, sizeof(*head));

		*head = *t->head;
		head->host = head->tag = slice_make(NULL, 0);
		r->head = head;
	}
}

bool trace_hex_parse(struct slice text, size_t digits_max, uint64_t *out)
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

bool trace_address_parse(struct slice text, struct endpoint *out)
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

static struct trace_thread *thread_of(struct traces *t, int64_t pid)
{
	struct trace_thread *th = &t->threads[(uint64_t)pid % TRACE_THREADS];

	if (th->pid != pid)
		*th = (struct trace_thread){.pid = pid};
	return th;
}

/* perf script names no functions of programs without symbols. */
static bool is_unnamed(struct slice text)
{
	struct slice word;
	uint64_t address;

	text = text_trim(text);
	word = text_word(&text);
	return trace_hex_parse(word, 16, &address) && text_begins(text_trim(text), "[unknown]");
}

/* A line of a stack belongs to the line above it: the tracer writes both at once. */
static bool take_stack(struct traces *t, struct slice text)
{
	struct stack_line frame;

	/* "=> 0xffffffffc04750c8", "7b5e1 [unknown] (/bin/busybox)": what nobody can name. */
	if (!t->last || !stack_line_parse(text, &frame))
		return t->last && (text_begins(text_trim(text), "=> ") || is_unnamed(text));
	if (frame.form != STACK_FTRACE)
		return false;
	if (!frame.guessed)
		trace_take_frame(t, t->last, frame.function);
	return true;
}

/* The same event in two recordings has it, however each writes the head of its lines. */
static uint64_t line_hash(const struct trace_line *line)
{
	struct slice rest = text_trim(line->rest);
	uint64_t hash = hash_fold(hash_start(), (uint64_t)line->pid);

	hash = hash_fold(hash, hash_bytes(line->event.ptr, line->event.len));
	return hash_fold(hash, hash_bytes(rest.ptr, rest.len)) | 1;
}

bool traces_line(struct traces *t, uint64_t line, struct slice text)
{
	struct trace_line parsed;
	struct trace_thread *th;

	t->head = NULL;
	if (trace_take_lost(t, line, text))
		return true;
	if (!trace_line_parse(text, &parsed)) {
		return traces_list_line(t, line, NULL, text) || take_stack(t, text) ||
		       trace_take_bpftrace(t, line, text);
	}
	if (t->last == NULL || parsed.boot_ns < t->first_ns)
		t->first_ns = parsed.boot_ns;
	if (t->last == NULL || parsed.boot_ns > t->last_ns)
		t->last_ns = parsed.boot_ns;
	t->found++;
	t->line = line;
	t->boot_ns = parsed.boot_ns;
	t->hash = line_hash(&parsed);
	t->untimed = false;
	th = thread_of(t, parsed.pid);
	t->last = th;
	if (slice_equal(parsed.event, slice_of_string(TRACE_EVENT_STACK))) {
		/* trace-cmd has the first function in the same line. */
		if (text_begins(parsed.rest, "=> "))
			take_stack(t, parsed.rest);
		return true;
	}
	th->awaits_stack = th->awaits_name = false;
	if (!trace_take_server(t, &parsed, th) && !trace_take_client(t, &parsed) &&
	    !trace_take_rpc(t, &parsed))
		t->unknown++;
	return true;
}

uint64_t traces_end_file(struct traces *t)
{
	uint64_t found = t->found;

	t->head = NULL;
	trace_end_served(t);
	memset(t->threads, 0, sizeof(t->threads));
	t->last = NULL;
	t->paths_told = 0;
	t->listed_len = 0;
	memset(t->xprts, 0, sizeof(t->xprts));
	memset(t->probed, 0, sizeof(t->probed));
	t->bpftrace = false;
	t->xprt_changes = NULL;
	t->list += t->list != 0; /* a list ends with its file */
	t->first_ns = t->last_ns = 0;
	t->found = t->unknown = t->lost = t->served = 0;
	t->boot = 0;
	t->boot_is_given = false;
	return found;
}

void traces_span(const struct traces *t, int64_t *first_ns, int64_t *last_ns)
{
	*first_ns = t->first_ns;
	*last_ns = t->last_ns;
}

uint64_t traces_lost(const struct traces *t)
{
	return t->lost;
}

uint64_t traces_unknown(const struct traces *t)
{
	return t->unknown;
}

uint64_t traces_dropped(const struct traces *t)
{
	return t->dropped;
}

/* Hands out one record; the fact's host is filled in. */
static void emit_one(const struct trace_record *r, const struct log_host *h, struct event *e,
		     const struct event_board *board)
{
	struct slice host = h ? slice_of_string(h->name) : slice_make(NULL, 0);
	bool told = h && h->told;
	struct clid_fact clid;
	struct ladder_fact ladder;
	struct rpc_task_fact task;
	struct served_fact served;

	switch (r->kind) {
	case TRACE_CLID:
		clid = *(const struct clid_fact *)r->fact;
		clid.host = host;
		clid.host_told = told;
		e->kind = EVENT_CLID;
		e->clid = &clid;
		event_emit(board, e);
		break;
	case TRACE_LADDER:
		ladder = *(const struct ladder_fact *)r->fact;
		ladder.host = host;
		ladder.host_told = told;
		e->kind = EVENT_LADDER;
		e->ladder = &ladder;
		event_emit(board, e);
		break;
	case TRACE_RPC_TASK:
		task = *(const struct rpc_task_fact *)r->fact;
		task.host = host;
		task.host_told = told;
		e->kind = EVENT_RPC_TASK;
		e->rpc_task = &task;
		event_emit(board, e);
		break;
	case TRACE_SERVED:
		served = *(const struct served_fact *)r->fact;
		served.host = host;
		served.host_told = told;
		e->kind = EVENT_SERVED;
		e->served = &served;
		event_emit(board, e);
		break;
	}
}

static uint32_t host_of(const struct traces *t, const struct trace_record *r)
{
	return ((const struct log_file *)vec_at(&t->logs->files, r->file))->host;
}

/* What may be one event stands together, in the order of the files. */
static int copy_order(const void *a, const void *b, void *traces)
{
	const struct trace_record *x = *(const struct trace_record *const *)a;
	const struct trace_record *y = *(const struct trace_record *const *)b;
	uint32_t host = host_of(traces, x), other = host_of(traces, y);

	if (x->boot_ns != y->boot_ns)
		return x->boot_ns < y->boot_ns ? -1 : 1;
	if (host != other)
		return host < other ? -1 : 1;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->file > y->file) - (x->file < y->file);
}

static bool is_one_event(const struct traces *t, const struct trace_record *a,
			 const struct trace_record *b)
{
	return a->hash && a->hash == b->hash && a->boot_ns == b->boot_ns &&
	       host_of(t, a) == host_of(t, b);
}

void traces_copies_settle(struct traces *t)
{
	struct trace_record **all;
	size_t first = 0; /* of what is one event */

	if (t->records.len < 2)
		return;
	all = mem_alloc(t->records.len, sizeof(struct trace_record *));
	for (size_t i = 0; i < t->records.len; i++)
		all[i] = vec_at(&t->records, i);
	qsort_r(all, t->records.len, sizeof(struct trace_record *), copy_order, t);
	for (size_t i = 1; i < t->records.len; i++) {
		if (!is_one_event(t, all[first], all[i])) {
			first = i;
			continue;
		}
		if (all[i]->file == all[first]->file)
			continue;
		all[i]->is_copy = true;
		((struct log_file *)vec_at(&t->logs->files, all[i]->file))->trace_copies++;
	}
	free(all);
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
		struct event e = {
			.at = {.evidence = f->evidence,
			       .frame = r->line,
			       .at = {.ns = r->boot_ns, .clock = CLOCK_BOOT}},
		};

		if (r->is_copy)
			continue;
		if (r->head)
			e.at.at = log_head_stamp(f, r->head);
		else if (r->untimed)
			e.at.at = stamp_none();
		else if (f->trace_clock)
			e.at.at = log_boot_stamp(f->trace_clock, r->boot_ns);
		emit_one(r, h, &e, board);
	}
}
