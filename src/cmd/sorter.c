// SPDX-License-Identifier: GPL-2.0-or-later
/* See sorter.h. */
#include "cmd/sorter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "base/vec.h"

enum { PART_BYTES = 64 << 10 }; /* written at once */

/* A line as it lies in memory and in the temporary file: this, then its bytes. */
struct sorter_head {
	struct sort_key key;
	size_t len;
};

/* A sorted run in the temporary file, and how far it was read. */
struct sorter_chunk {
	uint64_t pos;
	uint64_t end;
	struct sorter_head head; /* of the line that is next */
	struct strbuf line;
	bool has_line;
};

struct sorter {
	size_t memory_bytes;
	struct strbuf lines; /* heads and bytes */
	struct vec offsets;  /* size_t: where each starts in `lines` */
	struct vec chunks;   /* struct sorter_chunk */
	int fd;              /* the temporary file; -1: none yet */
	uint64_t written;
	int errno_value; /* the first failure; 0: none */
	int open_errno;  /* why there is no temporary file: of no account unless it is needed */
};

/* At once, because no file is made any more when evidence is read (guard/guard.h). */
static void sorter_open_file(struct sorter *s)
{
	const char *directory = getenv("TMPDIR");
	struct strbuf path;

	strbuf_init(&path);
	strbuf_add_format(&path, "%s/nfsleuth.XXXXXX",
			  directory && *directory ? directory : "/tmp");
	s->fd = mkstemp(path.data);
	if (s->fd < 0)
		s->open_errno = errno;
	else
		unlink(path.data);
	strbuf_deinit(&path);
}

struct sorter *sorter_create(size_t memory_bytes)
{
	struct sorter *s = mem_alloc(1, sizeof(*s));

	s->memory_bytes = memory_bytes;
	s->fd = -1;
	strbuf_init(&s->lines);
	vec_init(&s->offsets, sizeof(size_t));
	vec_init(&s->chunks, sizeof(struct sorter_chunk));
	sorter_open_file(s);
	return s;
}

void sorter_destroy(struct sorter *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->chunks.len; i++)
		strbuf_deinit(&((struct sorter_chunk *)vec_at(&s->chunks, i))->line);
	strbuf_deinit(&s->lines);
	vec_deinit(&s->offsets);
	vec_deinit(&s->chunks);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

static int key_compare(const struct sort_key *a, const struct sort_key *b)
{
	if (a->ns != b->ns)
		return a->ns < b->ns ? -1 : 1;
	if (a->evidence != b->evidence)
		return a->evidence < b->evidence ? -1 : 1;
	return (a->frame > b->frame) - (a->frame < b->frame);
}

static struct sorter_head head_at(const struct sorter *s, size_t offset)
{
	struct sorter_head head;

	memcpy(&head, s->lines.data + offset, sizeof(head));
	return head;
}

static int offset_compare(const void *a, const void *b, void *context)
{
	size_t left = *(const size_t *)a;
	size_t right = *(const size_t *)b;
	struct sorter_head left_head = head_at(context, left);
	struct sorter_head right_head = head_at(context, right);
	int order = key_compare(&left_head.key, &right_head.key);

	return order ? order : (left > right) - (left < right);
}

static void sorter_sort(struct sorter *s)
{
	if (s->offsets.len)
		qsort_r(s->offsets.items, s->offsets.len, sizeof(size_t), offset_compare, s);
}

static void sorter_put(struct sorter *s, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len && !s->errno_value) {
		ssize_t done = pwrite(s->fd, at, len, (off_t)s->written);

		if (done <= 0) {
			s->errno_value = done < 0 ? errno : EIO;
			return;
		}
		at += done;
		len -= (size_t)done;
		s->written += (uint64_t)done;
	}
}

/* Writes what is in memory as a sorted run of its own. */
static void sorter_spill(struct sorter *s)
{
	struct strbuf part; /* of the run: it never stands in memory a second time */
	struct sorter_chunk *chunk;

	if (s->offsets.len == 0 || s->errno_value)
		return;
	s->errno_value = s->open_errno;
	if (s->errno_value)
		return;
	sorter_sort(s);
	chunk = vec_push(&s->chunks);
	chunk->pos = s->written;
	strbuf_init(&part);
	for (size_t i = 0; i < s->offsets.len; i++) {
		size_t offset = *(size_t *)vec_at(&s->offsets, i);
		struct sorter_head head = head_at(s, offset);

		strbuf_add(&part, s->lines.data + offset, sizeof(head) + head.len);
		if (part.len > PART_BYTES || i + 1 == s->offsets.len) {
			sorter_put(s, part.data, part.len);
			strbuf_reset(&part);
		}
	}
	chunk->end = s->written;
	strbuf_deinit(&part);
	strbuf_reset(&s->lines);
	s->offsets.len = 0;
}

void sorter_add(struct sorter *s, const struct sort_key *key, struct slice line)
{
	struct sorter_head head = {.len = line.len};

	head.key.ns = key->ns;
	head.key.evidence = key->evidence;
	head.key.frame = key->frame;
	if (s->lines.len + sizeof(head) + line.len > s->memory_bytes)
		sorter_spill(s);
	*(size_t *)vec_push(&s->offsets) = s->lines.len;
	strbuf_add(&s->lines, &head, sizeof(head));
	strbuf_add(&s->lines, line.ptr, line.len);
}

static bool sorter_get(struct sorter *s, struct sorter_chunk *chunk, void *out, size_t len)
{
	char *at = out;

	while (len) {
		ssize_t done = pread(s->fd, at, len, (off_t)chunk->pos);

		if (done <= 0) {
			s->errno_value = done < 0 ? errno : EIO;
			return false;
		}
		at += done;
		len -= (size_t)done;
		chunk->pos += (uint64_t)done;
	}
	return true;
}

static void chunk_advance(struct sorter *s, struct sorter_chunk *chunk)
{
	char *bytes;

	chunk->has_line = false;
	if (chunk->pos >= chunk->end || !sorter_get(s, chunk, &chunk->head, sizeof(chunk->head)))
		return;
	bytes = mem_alloc(chunk->head.len, 1);
	strbuf_reset(&chunk->line);
	if (sorter_get(s, chunk, bytes, chunk->head.len)) {
		strbuf_add(&chunk->line, bytes, chunk->head.len);
		chunk->has_line = true;
	}
	free(bytes);
}

/* The line of `a` comes first; the earlier chunk's of equals. Chunks lie in one array. */
static bool chunk_before(const struct sorter_chunk *a, const struct sorter_chunk *b)
{
	int order = key_compare(&a->head.key, &b->head.key);

	return order ? order < 0 : a < b;
}

/* Lets the chunk at this place sink to where it belongs in the heap. */
static void heap_sink(struct sorter_chunk **heap, size_t len, size_t place)
{
	for (size_t child; (child = place * 2 + 1) < len; place = child) {
		struct sorter_chunk *sinking = heap[place];

		if (child + 1 < len && chunk_before(heap[child + 1], heap[child]))
			child++;
		if (!chunk_before(heap[child], sinking))
			return;
		heap[place] = heap[child];
		heap[child] = sinking;
	}
}

/* The next line is that of the chunk on top of a heap: there may be thousands of them. */
static void sorter_merge(struct sorter *s, sorter_fn *take, void *context)
{
	struct sorter_chunk **heap = mem_alloc(s->chunks.len, sizeof(struct sorter_chunk *));
	size_t len = 0;

	for (size_t i = 0; i < s->chunks.len && !s->errno_value; i++) {
		struct sorter_chunk *chunk = vec_at(&s->chunks, i);

		chunk_advance(s, chunk);
		if (chunk->has_line)
			heap[len++] = chunk;
	}
	for (size_t i = len / 2; i > 0; i--)
		heap_sink(heap, len, i - 1);
	while (len && !s->errno_value) {
		struct sorter_chunk *chunk = heap[0];

		take(context, &chunk->head.key,
		     slice_make(strbuf_text(&chunk->line), chunk->line.len));
		chunk_advance(s, chunk);
		if (!chunk->has_line)
			heap[0] = heap[--len];
		heap_sink(heap, len, 0);
	}
	free(heap);
}

static void sorter_run_memory(struct sorter *s, sorter_fn *take, void *context)
{
	sorter_sort(s);
	for (size_t i = 0; i < s->offsets.len; i++) {
		size_t offset = *(size_t *)vec_at(&s->offsets, i);
		struct sorter_head head = head_at(s, offset);

		take(context, &head.key,
		     slice_make(s->lines.data + offset + sizeof(head), head.len));
	}
}

struct err *sorter_run(struct sorter *s, sorter_fn *take, void *context)
{
	if (s->chunks.len == 0 && !s->errno_value) {
		sorter_run_memory(s, take, context);
		return NULL;
	}
	sorter_spill(s);
	if (!s->errno_value)
		sorter_merge(s, take, context);
	if (s->errno_value)
		return err_new_errno(s->errno_value, "temporary file for sorting");
	return NULL;
}
