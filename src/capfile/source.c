// SPDX-License-Identifier: GPL-2.0-or-later
/* The window over a file, see source.h. */
#include "capfile/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "capfile/archive.h"
#include "capfile/unpack.h"

enum { SOURCE_FAULT_BYTES = 160 };

struct source {
	char *path;
	int fd; /* -1: bytes in memory */
	enum source_packing packing;
	struct unpack *unpack; /* NULL for plain bytes */
	struct source *outer;  /* a member of an archive: what it is part of; else NULL */
	bool owns_outer;
	uint64_t outer_offset; /* of its first byte there */
	uint64_t outer_bytes;  /* its length */
	uint64_t outer_left;   /* of it, not read yet */
	bool seekable;
	bool ended;   /* nothing more comes into the window */
	bool resting; /* there is no window: see source_rest */

	/* the window: bytes start..end of buf are those from `offset` on */
	const uint8_t *window; /* buf, or the caller's memory */
	uint8_t *buf;          /* NULL: the caller's memory is the window */
	size_t start;
	size_t end;
	size_t cap;
	uint64_t offset;

	/* packed bytes, read and not yet unpacked */
	uint8_t *raw_buf; /* NULL: memory, or not packed */
	struct slice raw;
	bool raw_ended;
	uint64_t raw_offset;
	uint64_t raw_bytes;

	char fault[SOURCE_FAULT_BYTES]; /* empty: none */
};

/* A window, not zeroed: a folder may have thousands of small files. */
static uint8_t *source_buffer(size_t bytes)
{
	return mem_resize(NULL, bytes, 1);
}

/* The same of a member of an archive. */
static size_t source_read_outer(struct source *s, uint8_t *to, size_t cap)
{
	size_t want = cap < s->outer_left ? cap : (size_t)s->outer_left;
	struct slice got;

	if (want > SOURCE_WINDOW_BYTES)
		want = SOURCE_WINDOW_BYTES;
	got = source_take(s->outer, want);
	if (got.len)
		memcpy(to, got.ptr, got.len);
	s->outer_left -= got.len;
	s->raw_offset += got.len;
	if (got.len < want)
		snprintf(s->fault, sizeof(s->fault), "%s",
			 s->outer->fault[0] ? s->outer->fault : "the archive is cut off");
	return got.len;
}

/* Reads up to cap bytes; 0 at the end or after a failure, which is noted. */
static size_t source_read(struct source *s, uint8_t *to, size_t cap)
{
	ssize_t got;

	if (s->outer)
		return source_read_outer(s, to, cap);
	if (s->fd < 0)
		return 0;
	do {
		got = read(s->fd, to, cap);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		snprintf(s->fault, sizeof(s->fault), "cannot read on: %s", strerror(errno));
		return 0;
	}
	s->raw_offset += (uint64_t)got;
	return (size_t)got;
}

/* Unpacks into the window's free space; false at the end. */
static bool source_unpack_more(struct source *s)
{
	for (;;) {
		size_t got = unpack_run(s->unpack, &s->raw, s->buf + s->end, s->cap - s->end);

		if (got > 0) {
			s->end += got;
			return true;
		}
		if (unpack_ended(s->unpack))
			break;
		if (!s->raw_ended && s->raw_buf) {
			s->raw = slice_make(s->raw_buf,
					    source_read(s, s->raw_buf, SOURCE_WINDOW_BYTES));
			s->raw_ended = s->raw.len == 0;
		} else {
			s->raw_ended = true;
		}
		if (s->raw_ended)
			break;
	}
	if (unpack_fault(s->unpack))
		snprintf(s->fault, sizeof(s->fault), "%s", unpack_fault(s->unpack));
	else if (!unpack_complete(s->unpack) && s->fault[0] == '\0')
		snprintf(s->fault, sizeof(s->fault),
			 "the %s data are cut off: copy the file again, whole",
			 source_packing_name(s->packing));
	return false;
}

/* Brings more bytes into the window; false at the end. There must be room. */
static bool source_read_more(struct source *s)
{
	size_t got;

	if (s->unpack)
		return source_unpack_more(s);
	got = source_read(s, s->buf + s->end, s->cap - s->end);
	s->end += got;
	return got > 0;
}

/* Makes room in the window for want bytes from start on, and at least one more than there are. */
static void source_make_room(struct source *s, size_t want)
{
	size_t have = s->end - s->start;

	if (s->start > 0 && (want > s->cap - s->start || s->end == s->cap)) {
		memmove(s->buf, s->buf + s->start, have);
		s->start = 0;
		s->end = have;
	}
	if (want > s->cap) {
		while (s->cap < want)
			s->cap *= 2;
		s->buf = mem_resize(s->buf, s->cap, 1);
		s->window = s->buf;
	}
}

/* What is read next comes from there; for what can be read a second time. */
static void source_seek(struct source *s, uint64_t offset)
{
	source_rest(s);
	s->ended = false;
	s->resting = true;
	s->offset = offset;
}

/* The file, or the part of an archive, is read from this offset on; false: it cannot be. */
static bool source_reposition(struct source *s, uint64_t from)
{
	if (s->outer) {
		source_seek(s->outer, s->outer_offset + from);
		s->outer_left = s->outer_bytes - from;
		return true;
	}
	return lseek(s->fd, (off_t)from, SEEK_SET) >= 0;
}

/* The window is there again, and what is read next comes from `offset` on. */
static void source_wake(struct source *s)
{
	uint64_t offset = s->offset;
	uint64_t from = s->packing == SOURCE_PLAIN ? offset : 0;

	s->resting = false;
	s->cap = SOURCE_WINDOW_BYTES;
	s->buf = source_buffer(s->cap);
	s->window = s->buf;
	if (!source_reposition(s, from)) {
		snprintf(s->fault, sizeof(s->fault), "cannot read on: %s", strerror(errno));
		s->ended = true;
		return;
	}
	s->raw_offset = from;
	if (s->packing == SOURCE_PLAIN)
		return;
	s->unpack = unpack_create(s->packing);
	s->raw_buf = source_buffer(SOURCE_WINDOW_BYTES);
	s->raw = slice_make(s->raw_buf, 0);
	s->raw_ended = false;
	s->offset = 0;
	source_skip(s, offset);
}

void source_rest(struct source *s)
{
	static const uint8_t nothing[1];
	bool finished = s->ended && s->start == s->end;

	if (!s->seekable || s->resting || !s->buf)
		return;
	unpack_destroy(s->unpack);
	s->unpack = NULL;
	free(s->raw_buf);
	s->raw_buf = NULL;
	free(s->buf);
	s->buf = NULL;
	s->window = nothing;
	s->start = 0;
	s->end = 0;
	s->cap = 0;
	if (finished) {
		if (s->outer)
			source_rest(s->outer);
		return;
	}
	s->ended = false;
	s->resting = true;
	s->fault[0] = '\0'; /* it is met again */
	s->raw_offset = s->packing == SOURCE_PLAIN ? s->offset : 0;
	if (s->outer)
		source_rest(s->outer);
}

static void source_fill(struct source *s, size_t want)
{
	if (want > SOURCE_PEEK_BYTES_MAX)
		want = SOURCE_PEEK_BYTES_MAX;
	if (s->resting)
		source_wake(s);
	while (s->end - s->start < want && !s->ended) {
		source_make_room(s, want);
		if (!source_read_more(s))
			s->ended = true;
	}
}

/* Looks at the first bytes and sets up the unpacking. */
static void source_detect(struct source *s)
{
	struct slice head;

	source_fill(s, UNPACK_MAGIC_BYTES);
	head = slice_make(s->window + s->start, s->end - s->start);
	s->packing = unpack_sniff(head);
	if (s->packing == SOURCE_PLAIN)
		return;
	s->unpack = unpack_create(s->packing);
	s->raw = head;
	s->raw_buf = s->buf;
	s->raw_ended = s->ended;
	s->buf = source_buffer(SOURCE_WINDOW_BYTES);
	s->window = s->buf;
	s->cap = SOURCE_WINDOW_BYTES;
	s->start = 0;
	s->end = 0;
	s->ended = false;
}

static struct err *source_open_fd(const char *path, int *fd, struct stat *st)
{
	struct err *err;

	*fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (*fd < 0)
		return err_new_errno(errno, "%s: cannot open", path);
	if (fstat(*fd, st) != 0)
		err = err_new_errno(errno, "%s: cannot examine", path);
	else if (S_ISDIR(st->st_mode))
		err = err_new("%s: is a directory", path);
	else
		return NULL;
	if (*fd != STDIN_FILENO)
		close(*fd);
	return err;
}

struct err *source_open(const char *path, struct source **out)
{
	struct source *s;
	struct stat st;
	struct err *err;
	int fd;

	err = source_open_fd(path, &fd, &st);
	if (err && access(path, F_OK) != 0 && errno == ENOTDIR) {
		struct err *in_archive = archive_open(path, out);

		if (*out || in_archive) {
			err_destroy(err);
			return in_archive;
		}
	}
	if (err)
		return err;
	s = mem_alloc(1, sizeof(*s));
	s->path = mem_copy(path, strlen(path));
	s->fd = fd;
	s->seekable = S_ISREG(st.st_mode) && strcmp(path, "-") != 0;
	if (S_ISREG(st.st_mode) && st.st_size > 0)
		s->raw_bytes = (uint64_t)st.st_size;
	s->cap = SOURCE_WINDOW_BYTES;
	s->buf = source_buffer(s->cap);
	s->window = s->buf;
	/* advice only: pipes refuse it */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	source_detect(s);
	*out = s;
	return NULL;
}

static struct source *member_create(struct source *outer, uint64_t bytes, const char *path)
{
	struct source *s = mem_alloc(1, sizeof(*s));

	s->path = mem_copy(path, strlen(path));
	s->fd = -1;
	s->outer = outer;
	s->outer_offset = source_offset(outer);
	s->outer_bytes = bytes;
	s->outer_left = bytes;
	s->raw_bytes = bytes;
	s->cap = SOURCE_WINDOW_BYTES;
	s->buf = source_buffer(s->cap);
	s->window = s->buf;
	return s;
}

struct source *source_create_member(struct source *outer, uint64_t offset, uint64_t bytes,
				    const char *path)
{
	struct source *s;

	if (source_offset(outer) != offset && outer->seekable)
		source_seek(outer, offset);
	s = member_create(outer, bytes, path);
	s->owns_outer = true;
	s->seekable = outer->seekable;
	source_detect(s);
	return s;
}

struct source *source_borrow_member(struct source *outer, uint64_t bytes, const char *path)
{
	struct source *s = member_create(outer, bytes, path);

	source_detect(s);
	return s;
}

struct source *source_create_memory(struct slice bytes)
{
	static const uint8_t nothing[1];
	struct source *s = mem_alloc(1, sizeof(*s));

	s->path = mem_copy("(memory)", strlen("(memory)"));
	s->fd = -1;
	s->window = bytes.ptr ? bytes.ptr : nothing;
	s->end = bytes.len;
	s->raw_offset = bytes.len;
	s->raw_bytes = bytes.len;
	s->ended = true;
	source_detect(s);
	return s;
}

void source_destroy(struct source *s)
{
	if (!s)
		return;
	if (s->fd >= 0 && s->fd != STDIN_FILENO)
		close(s->fd);
	if (s->owns_outer)
		source_destroy(s->outer);
	unpack_destroy(s->unpack);
	free(s->raw_buf);
	free(s->buf);
	free(s->path);
	free(s);
}

struct slice source_peek(struct source *s, size_t want)
{
	if (want > s->end - s->start)
		source_fill(s, want);
	return slice_make(s->window + s->start, s->end - s->start);
}

struct slice source_take(struct source *s, size_t count)
{
	struct slice got = source_peek(s, count);

	if (got.len > count)
		got.len = count;
	s->start += got.len;
	s->offset += got.len;
	return got;
}

void source_pass(struct source *s, size_t count)
{
	s->start += count;
	s->offset += count;
}

uint64_t source_skip(struct source *s, uint64_t count)
{
	uint64_t skipped = 0;

	while (skipped < count) {
		uint64_t left = count - skipped;
		size_t step = left < SOURCE_WINDOW_BYTES ? (size_t)left : SOURCE_WINDOW_BYTES;
		size_t got = source_take(s, step).len;

		skipped += got;
		if (got < step)
			break;
	}
	return skipped;
}

uint64_t source_offset(const struct source *s)
{
	return s->offset;
}

uint64_t source_raw_offset(const struct source *s)
{
	return s->raw_offset;
}

uint64_t source_raw_bytes(const struct source *s)
{
	return s->raw_bytes;
}

bool source_seekable(const struct source *s)
{
	return s->seekable;
}

bool source_is_member(const struct source *s)
{
	return s->outer != NULL;
}

enum source_packing source_packing(const struct source *s)
{
	return s->packing;
}

const char *source_packing_name(enum source_packing packing)
{
	static const char *const names[] = {
		[SOURCE_PLAIN] = "none",       [SOURCE_GZIP] = "gzip",
		[SOURCE_ZSTD] = "zstd",        [SOURCE_XZ] = "xz",
		[SOURCE_UTF16LE] = "UTF-16LE", [SOURCE_UTF16BE] = "UTF-16BE",
	};

	return names[packing];
}

const char *source_path(const struct source *s)
{
	return s->path;
}

const char *source_fault(const struct source *s)
{
	return s->fault[0] != '\0' ? s->fault : NULL;
}
