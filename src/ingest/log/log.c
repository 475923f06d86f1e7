// SPDX-License-Identifier: GPL-2.0-or-later
/* See log.h. This file reads; log_time.c and log_copy.c settle what the lines' times mean. */
#include "ingest/log/log.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "evidence/line/stack_line.h"
#include "evidence/text_scan.h"
#include "ingest/log/log_facts.h"
#include "ingest/log/log_private.h"

enum {
	LOG_TEXT_BYTES_MAX = 2048, /* kept of a message */
	LOG_JOIN_BYTES_MAX = 1024, /* of a cut line and the one behind it */
	LOG_STACK_LINES_MAX = 80,  /* behind a hung task */
	LOG_STACK_BYTES_MAX = 8192,
	LOG_HOSTS_MAX = 4096,
	LOG_NAME_BYTES_MAX = 255,
	LOG_RUN_MAX = 1024, /* kept of one message again and again */
};

/* What is remembered from line to line while a file is read. */
struct log_reading {
	struct logs *logs;
	struct log_file *file;
	struct klog *klog;
	struct strbuf stack; /* of the hung task of the last record */
	size_t stack_lines;
	bool in_stack;
	uint64_t cut_line; /* the last message, if it told nothing and may go on; 0: none */
	struct klog_head cut_head;
	struct strbuf cut;
	uint32_t host;
	struct log_season season;
	size_t run; /* how often the last fact came without another between */
};

/* By which a host is found again. */
struct host_name {
	struct slice name;
	bool told;
	uint32_t index; /* into logs.hosts */
};

static bool host_name_is(const void *item, const void *key)
{
	const struct host_name *a = item;
	const struct host_name *b = key;

	return a->told == b->told && slice_equal(a->name, b->name);
}

struct logs *logs_create(const struct log_options *options, struct evidence_list *evidence)
{
	struct logs *l = mem_alloc(1, sizeof(*l));

	l->options = *options;
	l->evidence = evidence;
	arena_init(&l->arena);
	vec_init(&l->records, sizeof(struct log_record));
	vec_init(&l->files, sizeof(struct log_file));
	vec_init(&l->hosts, sizeof(struct log_host));
	map_init(&l->host_names, host_name_is);
	vec_init(&l->journals, sizeof(struct log_journal));
	vec_init(&l->entries, sizeof(struct log_entry));
	vec_init(&l->clocks, sizeof(struct log_clock));
	vec_init(&l->names, log_name_bytes());
	log_wire_init(&l->wire);
	log_marks_init(&l->marks);
	l->tasks = tasks_create(l);
	l->traces = traces_create(l);
	return l;
}

void logs_destroy(struct logs *l)
{
	if (!l)
		return;
	tasks_destroy(l->tasks);
	traces_destroy(l->traces);
	vec_deinit(&l->records);
	vec_deinit(&l->files);
	vec_deinit(&l->hosts);
	map_deinit(&l->host_names);
	vec_deinit(&l->journals);
	vec_deinit(&l->entries);
	vec_deinit(&l->clocks);
	vec_deinit(&l->names);
	log_wire_deinit(&l->wire);
	log_marks_deinit(&l->marks);
	arena_deinit(&l->arena);
	free(l);
}

void logs_set_plain(struct logs *l, logs_plain_fn *take, void *context)
{
	l->plain = take;
	l->plain_context = context;
}

void logs_set_unknown(struct logs *l, logs_unknown_fn *take, void *context)
{
	l->unknown = take;
	l->unknown_context = context;
}

uint32_t log_host_of(struct logs *l, struct slice name, bool told)
{
	struct host_name key = {.told = told};
	struct host_name *known;
	uint64_t hash;

	if (name.len > LOG_NAME_BYTES_MAX)
		name.len = LOG_NAME_BYTES_MAX;
	key.name = name;
	hash = hash_bytes(name.ptr, name.len);
	known = map_find(&l->host_names, hash, &key);
	if (known)
		return known->index;
	if (l->hosts.len == LOG_HOSTS_MAX)
		return LOG_HOST_NONE;
	known = arena_alloc(&l->arena, sizeof(*known));
	*known = key;
	known->index = (uint32_t)l->hosts.len;
	*(struct log_host *)vec_push(&l->hosts) =
		(struct log_host){.name = arena_copy(&l->arena, name.ptr, name.len), .told = told};
	known->name = slice_of_string(((struct log_host *)vec_last(&l->hosts))->name);
	map_add(&l->host_names, hash, known);
	return known->index;
}

static struct slice log_keep(struct logs *l, struct slice text, struct slice whole,
			     const char *kept)
{
	if (text.len == 0)
		return slice_make(NULL, 0);
	if (text.ptr >= whole.ptr && text.ptr + text.len <= whole.ptr + whole.len)
		return slice_make(kept + (text.ptr - whole.ptr), text.len);
	return slice_make(arena_copy(&l->arena, text.ptr, text.len), text.len);
}

/* One message in a flood: its first ones are kept, and the last, so that others find room. */
static bool log_is_flood(struct log_reading *r, const struct log_fact *fact)
{
	const struct log_record *last = vec_last(&r->logs->records);

	if (!last || r->logs->records.len == r->file->first || last->host != r->host ||
	    !slice_equal(last->fact.line, fact->line))
		r->run = 0;
	return ++r->run > LOG_RUN_MAX;
}

/* The ports of NFS's that have a number of their own: rpcbind, nfsd, and mountd on Linux. */
static bool port_is_known(const struct endpoint *at)
{
	return at->port == 111 || at->port == 2049 || at->port == 20048;
}

static bool packet_has_room(struct logs *l, const struct log_packet *packet)
{
	bool known = port_is_known(&packet->src) || port_is_known(&packet->dst);

	if (l->packets == LOG_PACKETS_MAX || (!known && l->packets_other == LOG_PACKETS_OTHER_MAX))
		return false;
	l->packets++;
	l->packets_other += !known;
	return true;
}

static void log_add(struct log_reading *r, uint64_t line, const struct klog_head *head,
		    const struct log_fact *fact)
{
	struct logs *l = r->logs;
	struct log_record *record;
	struct slice whole = fact->line;
	const char *kept;

	if (log_is_flood(r, fact)) {
		record = vec_last(&l->records);
		record->line = line;
		record->head = *head;
		record->head.host = record->head.tag = slice_make(NULL, 0);
		l->dropped++;
		return;
	}
	if (l->records.len == LOG_RECORDS_MAX ||
	    (fact->kind == LOG_PACKET && !packet_has_room(l, &fact->packet))) {
		l->dropped++;
		return;
	}
	kept = arena_copy(&l->arena, whole.ptr, whole.len);
	record = vec_push(&l->records);
	record->fact = *fact;
	record->fact.line = slice_make(kept, whole.len);
	record->fact.program = log_keep(l, fact->program, whole, kept);
	record->fact.server = log_keep(l, fact->server, whole, kept);
	record->fact.subject = log_keep(l, fact->subject, whole, kept);
	record->text_hash = hash_bytes(whole.ptr, whole.len);
	record->file = (uint32_t)l->files.len - 1;
	record->host = r->host;
	record->line = line;
	record->head = *head;
	record->head.host = record->head.tag = slice_make(NULL, 0);
	r->file->last = l->records.len;
}

static void log_stack_end(struct log_reading *r)
{
	struct log_record *record = vec_last(&r->logs->records);

	if (!r->in_stack)
		return;
	r->in_stack = false;
	record->fact.detail = slice_make(
		arena_copy(&r->logs->arena, strbuf_text(&r->stack), r->stack.len), r->stack.len);
	log_stack_parse(&record->fact);
}

/* The line belongs to the hung task above it. */
static bool log_stack_take(struct log_reading *r, struct slice text)
{
	if (!r->in_stack)
		return false;
	if (r->stack_lines == LOG_STACK_LINES_MAX || r->stack.len > LOG_STACK_BYTES_MAX ||
	    text.len > LOG_TEXT_BYTES_MAX || !log_stack_goes_on(text)) {
		log_stack_end(r);
		return false;
	}
	strbuf_add(&r->stack, text.ptr, text.len);
	strbuf_add_char(&r->stack, '\n');
	r->stack_lines++;
	return true;
}

static void log_take_fact(struct log_reading *r, uint64_t line, const struct klog_head *head,
			  const struct log_fact *fact)
{
	size_t before = r->logs->records.len;

	log_add(r, line, head, fact);
	if (fact->kind != LOG_HUNG_TASK || r->logs->records.len == before)
		return;
	r->in_stack = true;
	r->stack_lines = 0;
	strbuf_reset(&r->stack);
}

/* A line without a head, right behind a message that told nothing: mails cut long lines. */
static void log_take_plain(struct log_reading *r, const struct klog_line *line)
{
	struct log_fact fact;

	if (log_stack_take(r, line->text) || r->cut_line == 0)
		return;
	if (line->line == r->cut_line + 1 && line->text.len < LOG_JOIN_BYTES_MAX) {
		strbuf_add_char(&r->cut, ' ');
		strbuf_add(&r->cut, line->text.ptr, line->text.len);
		if (log_fact_parse(slice_make(strbuf_text(&r->cut), r->cut.len), r->cut_head.kernel,
				   &fact))
			log_take_fact(r, r->cut_line, &r->cut_head, &fact);
	}
	r->cut_line = 0;
}

static void log_remember_cut(struct log_reading *r, const struct klog_line *line, struct slice text)
{
	r->cut_line = 0;
	if (!line->head.kernel || text.len == 0 || text.len >= LOG_JOIN_BYTES_MAX)
		return;
	strbuf_reset(&r->cut);
	strbuf_add(&r->cut, text.ptr, text.len);
	r->cut_line = line->line;
	r->cut_head = line->head;
}

enum { YEAR_ANY = 2000 };

/* Comparable among heads that tell the time in one way. */
static int64_t head_order(const struct klog_head *h)
{
	if (h->wall == KLOG_WALL_NONE)
		return h->boot_ns;
	return klog_date_ns(&h->date,
			    h->date.year + (h->wall == KLOG_WALL_NO_YEAR ? YEAR_ANY : 0)) -
	       h->zone_s * STAMP_NS_PER_S;
}

/* head_order() of a head, by that of another one, which is of the same day in most lines. */
static int64_t head_order_by(const struct klog_head *h, const struct klog_head *other,
			     int64_t other_ns)
{
	return log_same_day(h, other) ? other_ns + h->date.ns_of_day - other->date.ns_of_day
				      : head_order(h);
}

/* Heads of another kind than the ones before are taken in the order of the lines. */
static void log_take_span(struct log_file *f, const struct klog_head *h)
{
	bool none = f->head_low.wall == KLOG_WALL_NONE && !f->head_low.has_boot;

	int64_t ns;

	if (h->wall == KLOG_WALL_NONE && !h->has_boot)
		return;
	ns = none ? head_order(h) : head_order_by(h, &f->head_high, f->high_ns);
	if (none || (h->wall == f->head_low.wall && ns < f->low_ns)) {
		f->head_low = *h;
		f->low_ns = ns;
	}
	if (none || h->wall != f->head_high.wall || ns > f->high_ns) {
		f->head_high = *h;
		f->high_ns = ns;
	}
}

static void log_take_head(struct log_reading *r, const struct klog_head *head, uint64_t line)
{
	struct log_file *f = r->file;

	if (r->host != LOG_HOST_NONE && head->kernel) {
		if (f->hosts_told == 0 || (f->hosts_told == 1 && f->host != r->host))
			f->hosts_told++;
		if (f->hosts_told == 1)
			f->host = r->host;
	}
	if ((head->wall == KLOG_WALL_LOCAL || head->wall == KLOG_WALL_UTC) &&
	    head->date.year > f->year_seen)
		f->year_seen = head->date.year;
	if (!head->kernel)
		return;
	if (f->stats.kernel_lines++ == 0)
		f->head_first = *head;
	else
		log_jump_look(f, &f->head_last, head, line);
	f->head_last = *head;
	log_take_span(f, head);
}

static void log_take_hostname(struct log_reading *r, struct slice text)
{
	struct slice name = log_hostname_parse(text);

	if (name.len == 0 || r->file->hosts_told)
		return;
	r->file->host = log_host_of(r->logs, name, true);
	r->file->hosts_told = r->file->host != LOG_HOST_NONE;
}

static void log_unknown(struct log_reading *r, const struct klog_line *line)
{
	if (r->logs->unknown)
		r->logs->unknown(r->logs->unknown_context, r->file->evidence, line->line,
				 line->text);
}

/* A line of text that no reader of tasks or traces knows; it may be of another kind. */
static void log_strange(struct log_reading *r, const struct klog_line *line)
{
	struct log_file *f = r->file;

	if (f->strange < LOG_STRANGE_SHOWN)
		f->strange_lines[f->strange] = line->line;
	f->strange++;
	log_unknown(r, line);
}

/* Blanks, comments, and what gather writes over what it copied. */
static bool is_remark(struct slice text)
{
	return text_trim(text).len == 0 || text_begins(text, "#") || text_begins(text, "== /");
}

/*
 * A line without a head. Lines of a trace and of stacks are many, and nobody else has to look at
 * them.
 */
static void log_take_text(struct log_reading *r, const struct klog_line *line)
{
	bool is_frame = stack_line_may_be_frame(line->text);
	bool known = is_frame && tasks_line(r->logs->tasks, line->line, NULL, line->text);
	uint64_t unused = traces_unknown(r->logs->traces);

	if (known) {
		log_take_plain(r, line);
		return;
	}
	if (traces_line(r->logs->traces, line->line, line->text)) {
		if (traces_unknown(r->logs->traces) != unused)
			log_unknown(r, line);
		return;
	}
	known = !is_frame && tasks_line(r->logs->tasks, line->line, NULL, line->text);
	if (r->logs->plain &&
	    r->logs->plain(r->logs->plain_context, r->file->evidence, line->line, line->text))
		known = true;
	if (!known && !is_remark(line->text))
		log_strange(r, line);
	log_take_plain(r, line);
}

static void log_take_line(struct log_reading *r, const struct klog_line *line)
{
	struct slice text = line->text;
	struct log_fact fact;

	if (line->head.kernel)
		tasks_line(r->logs->tasks, line->line, &line->head, text);
	log_take_head(r, &line->head, line->line);
	if (line->head.kernel &&
	    (traces_list_line(r->logs->traces, line->line, &line->head, text) ||
	     traces_debug_line(r->logs->traces, line->line, &line->head, text)))
		return;
	if (text.len > LOG_TEXT_BYTES_MAX)
		text.len = LOG_TEXT_BYTES_MAX;
	if (line->head.kernel && log_stack_take(r, text))
		return;
	if (text.len && log_fact_parse(text, line->head.kernel, &fact)) {
		r->cut_line = 0;
		log_take_fact(r, line->line, &line->head, &fact);
		return;
	}
	if (line->head.kernel)
		log_take_hostname(r, text);
	log_remember_cut(r, line, text);
}

/* A line with a head, in the zone of the first one. */
static void log_follow_line(struct log_reading *r, const struct klog_line *line)
{
	struct klog_line followed = *line;

	r->host = line->head.host.len ? log_host_of(r->logs, line->head.host, true) : LOG_HOST_NONE;
	log_season_follow(&r->season, r->file, &followed.head, r->host, line->line);
	log_take_line(r, &followed);
}

bool logs_read(struct logs *l, uint32_t evidence, const char *path, struct stamp written,
	       struct source *source)
{
	size_t records = l->records.len;
	struct log_reading r = {.logs = l};
	struct klog_line line;

	if (!klog_may_hold(source))
		return false;
	r.file = vec_push(&l->files);
	*r.file = (struct log_file){.evidence = evidence,
				    .path = arena_text(&l->arena, path),
				    .written = written,
				    .first = records,
				    .last = records,
				    .host = LOG_HOST_NONE,
				    .error_ns = -1};
	r.klog = klog_create(source);
	strbuf_init(&r.stack);
	strbuf_init(&r.cut);
	while (klog_next(r.klog, &line))
		line.plain ? log_take_text(&r, &line) : log_follow_line(&r, &line);
	log_stack_end(&r);
	r.file->tasks = tasks_end_file(l->tasks);
	traces_span(l->traces, &r.file->trace_first_ns, &r.file->trace_last_ns);
	r.file->trace_lost = traces_lost(l->traces);
	r.file->trace_unused = traces_unknown(l->traces);
	r.file->trace_lines = traces_end_file(l->traces);
	strbuf_deinit(&r.stack);
	strbuf_deinit(&r.cut);
	klog_get_stats(r.klog, &r.file->stats);
	klog_destroy(r.klog);
	r.file->head_first.host = r.file->head_last.host = slice_make(NULL, 0);
	r.file->head_first.tag = r.file->head_last.tag = slice_make(NULL, 0);
	r.file->head_low.host = r.file->head_high.host = slice_make(NULL, 0);
	r.file->head_low.tag = r.file->head_high.tag = slice_make(NULL, 0);
	if (r.file->stats.kernel_lines == 0 && r.file->tasks == 0 && r.file->trace_lines == 0) {
		l->records.len = records;
		l->files.len--;
		return false;
	}
	if (r.file->stats.fault)
		r.file->stats.fault = arena_text(&l->arena, r.file->stats.fault);
	return true;
}

enum evidence_kind logs_kind(const struct logs *l)
{
	const struct log_file *f = vec_last(&l->files);

	if (!f || f->stats.kernel_lines)
		return EVIDENCE_KERNEL_LOG;
	return f->trace_lines ? EVIDENCE_TRACE : EVIDENCE_STACKS;
}

uint64_t logs_fact_count(const struct logs *l)
{
	return l->records.len - l->copies + l->journal_facts;
}

static void log_emit_one(const struct logs *l, const struct log_record *r,
			 const struct event_board *board)
{
	const struct log_file *f = vec_at(&l->files, r->file);
	const struct log_host *h =
		r->host == LOG_HOST_NONE ? NULL : (struct log_host *)vec_at(&l->hosts, r->host);
	struct log_fact fact = r->fact;
	struct event e = {
		.kind = EVENT_LOG,
		.at = {.evidence = f->evidence, .frame = r->line, .at = r->at},
		.log = &fact,
	};

	fact.host = h ? slice_of_string(h->name) : slice_make(NULL, 0);
	fact.host_told = h && h->told;
	fact.has_host_at = h && h->has_at && !h->torn;
	if (fact.has_host_at)
		fact.host_at = h->at;
	fact.has_boot_time = r->head.has_boot;
	fact.boot_ns = r->head.boot_ns;
	event_emit(board, &e);
}

void logs_take_clock(struct logs *l, uint32_t evidence, const char *path, int64_t boot_ns,
		     int64_t error_ns)
{
	*(struct log_clock *)vec_push(&l->clocks) = (struct log_clock){
		.evidence = evidence, .path = path, .boot_ns = boot_ns, .error_ns = error_ns};
}

void logs_watch(struct logs *l, struct event_board *board)
{
	if (l->files.len == 0)
		return;
	log_wire_attach(&l->wire, board);
	log_marks_attach(&l->marks, board);
}

void logs_emit(struct logs *l, const struct event_board *board)
{
	tasks_emit(l->tasks, board);
	traces_emit(l->traces, board);
	for (size_t i = 0; i < l->records.len; i++) {
		const struct log_record *r = vec_at(&l->records, i);

		if (r->at.clock == CLOCK_UTC)
			log_journal_tell(l, board, r->at.ns);
		if (!r->copy)
			log_emit_one(l, r, board);
	}
	log_journal_tell(l, board, INT64_MAX);
}
