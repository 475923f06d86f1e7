// SPDX-License-Identifier: GPL-2.0-or-later
/* See syscalls.h. */
#include "ingest/syscalls.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"
#include "evidence/strace.h"
#include "evidence/text_scan.h"

enum {
	LINES_MIN = 3,      /* of calls: fewer are a quotation */
	FDS_MAX = 256,      /* descriptors whose path is remembered; then the oldest goes */
	OPEN_MAX = 256,     /* calls that are not finished; likewise */
	TEXT_ROWS_MAX = 64, /* kept of one text */
	HASHES_MAX = 16,    /* different paths are counted up to here */
	PATH_BYTES_MAX = 512,
	NAME_BYTES_MAX = 32,
};

/* A call that took as long as this is worth a word. */
#define LONG_NS STAMP_NS_PER_S

struct syscall_row {
	struct syscall_fact fact; /* its texts lie in the arena */
	uint32_t evidence;
	uint64_t line;
	uint64_t hashes[HASHES_MAX];
};

struct syscall_path {
	char text[PATH_BYTES_MAX];
	size_t len;
};

struct syscall_fd {
	bool used;
	uint64_t pid;
	int64_t fd;
	struct syscall_path path;
};

/* A call that is not finished. */
struct syscall_open {
	bool used;
	uint64_t pid, line;
	char name[NAME_BYTES_MAX];
	size_t name_len;
	struct syscall_path path;
	int64_t begin_ns; /* -1: not known */
};

struct syscalls {
	struct arena arena;
	struct vec rows;            /* struct syscall_row */
	struct syscall_fd *fds;     /* FDS_MAX; NULL before the first call: most texts have none */
	struct syscall_open *opens; /* OPEN_MAX, likewise */
	size_t next_fd, next_open;  /* to be given up when there is no room */
	/* Of the text that is being read. */
	uint32_t evidence;
	size_t first_row;
	uint64_t lines, others; /* of calls, and what is none */
	bool has_time;
	int64_t now_ns, day_ns;
};

struct syscalls *syscalls_create(void)
{
	struct syscalls *s = mem_alloc(1, sizeof(*s));

	arena_init(&s->arena);
	vec_init(&s->rows, sizeof(struct syscall_row));
	return s;
}

void syscalls_destroy(struct syscalls *s)
{
	if (!s)
		return;
	vec_deinit(&s->rows);
	arena_deinit(&s->arena);
	free(s->fds);
	free(s->opens);
	free(s);
}

static void tables_need(struct syscalls *s)
{
	if (s->fds)
		return;
	s->fds = mem_alloc(FDS_MAX, sizeof(*s->fds));
	s->opens = mem_alloc(OPEN_MAX, sizeof(*s->opens));
}

static void text_begin(struct syscalls *s, uint32_t evidence)
{
	for (size_t i = 0; s->fds && i < FDS_MAX; i++)
		s->fds[i].used = false;
	for (size_t i = 0; s->opens && i < OPEN_MAX; i++)
		s->opens[i].used = false;
	s->evidence = evidence;
	s->first_row = s->rows.len;
	s->lines = s->others = 0;
	s->has_time = false;
	s->day_ns = 0;
}

static void path_set(struct syscall_path *p, struct slice text)
{
	p->len = text.len < PATH_BYTES_MAX ? text.len : PATH_BYTES_MAX;
	if (p->len)
		memcpy(p->text, text.ptr, p->len);
}

static struct slice path_text(const struct syscall_path *p)
{
	return slice_make(p->text, p->len);
}

/* --- descriptors --- */

static struct syscall_fd *fd_find(struct syscalls *s, uint64_t pid, int64_t fd)
{
	for (size_t i = 0; i < FDS_MAX; i++)
		if (s->fds[i].used && s->fds[i].pid == pid && s->fds[i].fd == fd)
			return &s->fds[i];
	return NULL;
}

static void fd_keep(struct syscalls *s, uint64_t pid, int64_t fd, struct slice path)
{
	struct syscall_fd *f = fd_find(s, pid, fd);

	for (size_t i = 0; !f && i < FDS_MAX; i++)
		if (!s->fds[i].used)
			f = &s->fds[i];
	if (!f)
		f = &s->fds[s->next_fd++ % FDS_MAX];
	f->used = true;
	f->pid = pid;
	f->fd = fd;
	path_set(&f->path, path);
}

/* Up to the byte `end`; len 0: it is not there. */
static struct slice up_to(struct slice text, uint8_t end)
{
	const uint8_t *at = text.len ? memchr(text.ptr, end, text.len) : NULL;

	return slice_make(text.ptr, at ? (size_t)(at - text.ptr) : 0);
}

/* The descriptor that is the first argument, perhaps with its path (strace -y): "3</mnt/a>, ...".
 */
static struct slice path_of_fd(struct syscalls *s, uint64_t pid, struct slice args)
{
	size_t digits = 0;
	const struct syscall_fd *f;
	int64_t fd;

	while (digits < args.len && text_is_digit(args.ptr[digits]))
		digits++;
	if (!text_number(slice_make(args.ptr, digits), &fd))
		return slice_make(NULL, 0);
	args = text_after(args, digits);
	if (text_begins(args, "</"))
		return up_to(text_after(args, 1), '>');
	f = fd_find(s, pid, fd);
	return f ? path_text(&f->path) : slice_make(NULL, 0);
}

/* The path that a call is about, borrowed; len 0: it names none. */
static struct slice path_of(struct syscalls *s, const struct strace_line *l)
{
	struct slice quoted = text_find(l->args, "\"");
	struct slice path = path_of_fd(s, l->pid, l->args);

	/* What stands behind a descriptor in quotes is data; behind AT_FDCWD it is a path. */
	if (path.len || (l->args.len && text_is_digit(l->args.ptr[0])))
		return path;
	return up_to(text_after(quoted, 1), '"');
}

static bool is_name(struct slice name, const char *text)
{
	return slice_equal(name, slice_of_string(text));
}

static void descriptors_take(struct syscalls *s, const struct strace_line *l, struct slice path)
{
	struct syscall_fd *f;
	int64_t fd;

	if (!l->has_result || l->result < 0)
		return;
	if (is_name(l->name, "open") || is_name(l->name, "openat")) {
		fd_keep(s, l->pid, l->result, path);
	} else if (is_name(l->name, "close") && text_number(text_trim(l->args), &fd)) {
		f = fd_find(s, l->pid, fd);
		if (f)
			f->used = false;
	}
}

/* --- rows --- */

static struct syscall_row *row_get(struct syscalls *s, struct slice name, struct slice error)
{
	struct syscall_row *r;

	for (size_t i = s->first_row; i < s->rows.len; i++) {
		r = vec_at(&s->rows, i);
		if (!r->fact.unfinished && slice_equal(r->fact.name, name) &&
		    slice_equal(r->fact.error, error))
			return r;
	}
	if (s->rows.len == SYSCALLS_ROWS_MAX || s->rows.len - s->first_row == TEXT_ROWS_MAX)
		return NULL;
	r = vec_push(&s->rows);
	*r = (struct syscall_row){.evidence = s->evidence};
	r->fact.name = slice_make(arena_copy(&s->arena, name.ptr, name.len), name.len);
	r->fact.error = slice_make(arena_copy(&s->arena, error.ptr, error.len), error.len);
	r->fact.longest_ns = -1;
	return r;
}

static void row_count_path(struct syscall_row *r, struct slice path)
{
	uint64_t hash = hash_bytes(path.ptr, path.len);

	for (size_t i = 0; i < r->fact.paths; i++)
		if (r->hashes[i] == hash)
			return;
	if (path.len && r->fact.paths < HASHES_MAX)
		r->hashes[r->fact.paths++] = hash;
}

static void row_show(struct syscalls *s, struct syscall_row *r, uint64_t line, struct slice path)
{
	r->line = line;
	if (path.len > PATH_BYTES_MAX)
		path.len = PATH_BYTES_MAX;
	r->fact.path = slice_make(arena_copy(&s->arena, path.ptr, path.len), path.len);
}

/* An error that a local file system hardly gives, or that NFS gives for reasons of its own. */
static bool is_telling(struct slice error)
{
	return is_name(error, "EIO") || is_name(error, "ESTALE") || is_name(error, "ENOLCK") ||
	       is_name(error, "ETIMEDOUT");
}

static void row_take(struct syscalls *s, struct slice name, struct slice error, struct slice path,
		     uint64_t line, int64_t duration_ns)
{
	bool telling = is_telling(error);
	struct syscall_row *r;

	if (!telling && duration_ns < LONG_NS)
		return;
	r = row_get(s, name, telling ? error : slice_make(NULL, 0));
	if (!r)
		return;
	if (r->fact.count++ == 0 || (!telling && duration_ns > r->fact.longest_ns))
		row_show(s, r, line, path);
	row_count_path(r, path);
	if (duration_ns > r->fact.longest_ns)
		r->fact.longest_ns = duration_ns;
	if (duration_ns > 0 && r->fact.sum_ns < INT64_MAX / 2 - duration_ns)
		r->fact.sum_ns += duration_ns;
}

/* --- calls in two parts --- */

static struct syscall_open *open_find(struct syscalls *s, uint64_t pid)
{
	for (size_t i = 0; i < OPEN_MAX; i++)
		if (s->opens[i].used && s->opens[i].pid == pid)
			return &s->opens[i];
	return NULL;
}

static void open_begin(struct syscalls *s, uint64_t line, const struct strace_line *l)
{
	struct slice path = path_of(s, l);
	struct syscall_open *o = open_find(s, l->pid);

	for (size_t i = 0; !o && i < OPEN_MAX; i++)
		if (!s->opens[i].used)
			o = &s->opens[i];
	if (!o)
		o = &s->opens[s->next_open++ % OPEN_MAX];
	*o = (struct syscall_open){.used = true, .pid = l->pid, .line = line};
	o->name_len = l->name.len < NAME_BYTES_MAX ? l->name.len : NAME_BYTES_MAX;
	memcpy(o->name, l->name.ptr, o->name_len);
	path_set(&o->path, path);
	o->begin_ns = s->has_time ? s->now_ns : -1;
}

static void open_end(struct syscalls *s, uint64_t line, const struct strace_line *l)
{
	struct syscall_open *o = open_find(s, l->pid);
	int64_t duration_ns = l->duration_ns;
	struct slice path = slice_make(NULL, 0);

	if (o) {
		path = path_text(&o->path);
		if (duration_ns < 0 && o->begin_ns >= 0 && s->now_ns >= o->begin_ns)
			duration_ns = s->now_ns - o->begin_ns;
		line = o->line;
		o->used = false;
	}
	descriptors_take(s, l, path);
	row_take(s, l->name, l->error, path, line, duration_ns);
}

/* --- lines --- */

static void take_time(struct syscalls *s, const struct strace_line *l)
{
	const int64_t day_ns = 86400 * STAMP_NS_PER_S;

	switch (l->clock) {
	case STRACE_NO_TIME:
		return;
	case STRACE_EPOCH:
		s->now_ns = l->ns;
		break;
	case STRACE_RELATIVE:
		if (!s->has_time)
			s->now_ns = 0;
		if (__builtin_add_overflow(s->now_ns, l->ns, &s->now_ns))
			s->now_ns = INT64_MAX;
		break;
	case STRACE_DAY:
		if (s->has_time && l->ns + s->day_ns < s->now_ns - day_ns / 2)
			s->day_ns += day_ns;
		s->now_ns = l->ns + s->day_ns;
		break;
	}
	s->has_time = true;
}

bool syscalls_take_line(struct syscalls *s, uint32_t evidence, uint64_t line, struct slice text)
{
	struct strace_line l;
	struct slice path;

	if (s->lines + s->others == 0 || evidence != s->evidence)
		text_begin(s, evidence);
	if (text.len > SYSCALLS_BYTES_MAX)
		text.len = SYSCALLS_BYTES_MAX;
	strace_parse(text, &l);
	if (l.kind == STRACE_OTHER) {
		s->others += text_trim(text).len != 0;
		return false;
	}
	tables_need(s);
	s->lines++;
	take_time(s, &l);
	switch (l.kind) {
	case STRACE_OTHER:
		break;
	case STRACE_CALL:
		path = path_of(s, &l);
		descriptors_take(s, &l, path);
		row_take(s, l.name, l.error, path, line, l.duration_ns);
		break;
	case STRACE_UNFINISHED:
		open_begin(s, line, &l);
		break;
	case STRACE_RESUMED:
		open_end(s, line, &l);
		break;
	}
	return true;
}

/* What was never resumed: the trace ended while they waited. */
static void keep_unfinished(struct syscalls *s)
{
	for (size_t i = 0; i < OPEN_MAX; i++) {
		const struct syscall_open *o = &s->opens[i];
		struct syscall_row *r;

		if (!o->used || o->begin_ns < 0 || s->now_ns - o->begin_ns < LONG_NS)
			continue;
		r = row_get(s, slice_make(o->name, o->name_len), slice_make("-", 1));
		if (!r)
			return;
		r->fact.unfinished = true;
		r->fact.error = slice_make(NULL, 0);
		r->fact.count = 1;
		r->fact.longest_ns = s->now_ns - o->begin_ns;
		row_show(s, r, o->line, path_text(&o->path));
		row_count_path(r, path_text(&o->path));
	}
}

uint64_t syscalls_end_text(struct syscalls *s, uint32_t evidence)
{
	uint64_t lines = s->lines;

	if (evidence != s->evidence || lines < LINES_MIN || lines < s->others) {
		if (evidence == s->evidence)
			s->rows.len = s->first_row;
		lines = 0;
	} else {
		keep_unfinished(s);
	}
	s->first_row = s->rows.len;
	s->lines = s->others = 0;
	return lines;
}

void syscalls_emit(const struct syscalls *s, const struct event_board *board)
{
	for (size_t i = 0; i < s->rows.len; i++) {
		const struct syscall_row *r = vec_at(&s->rows, i);
		struct host_fact fact = {.kind = HOST_SYSCALL, .syscall = r->fact};
		struct event event = {
			.kind = EVENT_HOST,
			.at = {.evidence = r->evidence, .frame = r->line, .at = stamp_none()},
			.host = &fact,
		};

		event_emit(board, &event);
	}
}
