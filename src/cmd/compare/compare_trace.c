// SPDX-License-Identifier: GPL-2.0-or-later
/* See compare_trace.h. */
#include "cmd/compare/compare_trace.h"

#include "base/hash.h"
#include "base/stamp.h"
#include "evidence/strace.h"

#define DAY_NS (86400 * STAMP_NS_PER_S)

void trace_init(struct trace *t)
{
	*t = (struct trace){0};
	vec_init(&t->chunks, sizeof(struct trace_chunk));
	vec_init(&t->names, sizeof(struct trace_name));
	vec_init(&t->calls, sizeof(struct trace_call));
	vec_init(&t->pids, sizeof(struct trace_pid));
}

void trace_deinit(struct trace *t)
{
	vec_deinit(&t->pids);
	vec_deinit(&t->calls);
	vec_deinit(&t->names);
	vec_deinit(&t->chunks);
}

/* NULL: too many. */
static struct trace_pid *pid_get(struct trace *t, uint64_t pid)
{
	struct trace_pid *p;

	for (size_t i = t->pids.len; i > 0; i--) {
		p = vec_at(&t->pids, i - 1);
		if (p->pid == pid)
			return p;
	}
	if (t->pids.len == TRACE_PIDS_MAX)
		return NULL;
	p = vec_push(&t->pids);
	p->pid = pid;
	return p;
}

/* Index of the call's record; TRACE_CALLS_MAX: too many. */
static size_t call_get(struct trace *t, struct slice name)
{
	struct trace_call *c;

	for (size_t i = 0; i < t->calls.len; i++) {
		c = vec_at(&t->calls, i);
		if (strlen(c->name) == name.len && memcmp(c->name, name.ptr, name.len) == 0)
			return i;
	}
	if (t->calls.len == TRACE_CALLS_MAX || name.len >= TRACE_NAME_BYTES) {
		t->dropped++;
		return TRACE_CALLS_MAX;
	}
	c = vec_push(&t->calls);
	memcpy(c->name, name.ptr, name.len);
	return t->calls.len - 1;
}

/* The call of this process took so long. */
static void call_end(struct trace *t, struct trace_pid *p, int64_t duration_ns)
{
	struct trace_call *c;

	p->waits = false;
	if (duration_ns < 0)
		return;
	if (p->chunk)
		((struct trace_chunk *)vec_at(&t->chunks, p->chunk - 1))->end_ns =
			p->begin_ns + duration_ns;
	if (p->call == TRACE_CALLS_MAX)
		return;
	c = vec_at(&t->calls, p->call);
	c->timed++;
	c->sum_ns += duration_ns;
	if (duration_ns > c->max_ns) {
		c->max_ns = duration_ns;
		c->max_line = p->line;
	}
}

static void take_time(struct trace *t, const struct strace_line *l)
{
	switch (l->clock) {
	case STRACE_NO_TIME:
		return;
	case STRACE_EPOCH:
		t->now_ns = l->ns;
		break;
	case STRACE_RELATIVE:
		if (__builtin_add_overflow(t->now_ns, l->ns, &t->now_ns))
			t->now_ns = INT64_MAX;
		break;
	case STRACE_DAY:
		if (t->has_time && l->ns + t->day_ns < t->now_ns - DAY_NS / 2)
			t->day_ns += DAY_NS; /* past midnight */
		t->now_ns = l->ns + t->day_ns;
		break;
	}
	if (!t->has_time)
		t->first_ns = t->now_ns;
	t->has_time = true;
	t->last_ns = t->now_ns;
}

static bool is_listing(struct slice name)
{
	return slice_equal(name, slice_of_string("getdents64")) ||
	       slice_equal(name, slice_of_string("getdents"));
}

static void take_entries(struct trace *t, struct trace_pid *p, struct slice args)
{
	struct trace_chunk chunk = {.pid = p->pid,
				    .line = p->line,
				    .begin_ns = p->begin_ns,
				    .end_ns = -1,
				    .first = t->names.len};
	struct slice name;

	while (strace_next_entry(&args, &name)) {
		struct trace_name *n;

		if (t->names.len == TRACE_NAMES_MAX || t->chunks.len == TRACE_CHUNKS_MAX) {
			t->dropped++;
			break;
		}
		n = vec_push(&t->names);
		n->hash = hash_bytes(name.ptr, name.len);
		n->chunk = (uint32_t)t->chunks.len;
		chunk.count++;
	}
	if (!chunk.count)
		return;
	*(struct trace_chunk *)vec_push(&t->chunks) = chunk;
	p->chunk = t->chunks.len;
	p->names += chunk.count;
}

static void take_begin(struct trace *t, struct trace_pid *p, const struct strace_line *l)
{
	p->begin_ns = t->now_ns;
	p->line = t->lines;
	p->chunk = 0;
	p->call = call_get(t, l->name);
	p->split = l->kind == STRACE_UNFINISHED;
	if (p->call != TRACE_CALLS_MAX)
		((struct trace_call *)vec_at(&t->calls, p->call))->count++;
}

static void take_end(struct trace *t, struct trace_pid *p, const struct strace_line *l)
{
	if (p->call != TRACE_CALLS_MAX)
		((struct trace_call *)vec_at(&t->calls, p->call))->errors += l->error.len != 0;
	if (is_listing(l->name))
		take_entries(t, p, l->args);
	if (l->duration_ns >= 0) {
		t->has_durations = true;
		call_end(t, p, l->duration_ns);
	} else if (l->kind == STRACE_RESUMED && t->has_time) {
		call_end(t, p, t->now_ns - p->begin_ns);
	} else {
		p->waits = t->has_time;
	}
}

static void take_line(struct trace *t, struct slice text)
{
	struct strace_line l;
	struct trace_pid *p;

	t->lines++;
	strace_parse(text, &l);
	t->understood += l.kind != STRACE_OTHER;
	take_time(t, &l);
	p = pid_get(t, l.pid);
	if (!p)
		return;
	/* Without -T a call has ended at the latest when its process makes the next one. */
	if (p->waits && l.clock != STRACE_NO_TIME)
		call_end(t, p, t->now_ns - p->begin_ns);
	if (l.kind == STRACE_CALL || l.kind == STRACE_UNFINISHED)
		take_begin(t, p, &l);
	else if (l.kind == STRACE_RESUMED && !p->split)
		take_begin(t, p, &l); /* its first part is not here */
	if (l.kind == STRACE_CALL || l.kind == STRACE_RESUMED)
		take_end(t, p, &l);
}

/* The next line, without its end; one that is longer than the window comes in parts. */
static bool next_line(struct source *s, struct slice *line)
{
	for (size_t want = 1 << 16;; want *= 2) {
		struct slice got = source_peek(s, want);
		const uint8_t *end = got.len ? memchr(got.ptr, '\n', got.len) : NULL;

		if (end) {
			*line = source_take(s, (size_t)(end - got.ptr) + 1);
			line->len--;
			return true;
		}
		if (got.len < want || want >= SOURCE_PEEK_BYTES_MAX) {
			*line = source_take(s, got.len);
			return line->len > 0;
		}
	}
}

bool trace_read(struct trace *t, struct source *source)
{
	struct slice line;

	while (next_line(source, &line)) {
		if (line.len)
			take_line(t, line);
		if (t->lines == 1000 && t->understood < 500)
			return false;
	}
	return t->understood >= 2 && t->understood * 2 >= t->lines;
}
