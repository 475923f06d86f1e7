// SPDX-License-Identifier: GPL-2.0-or-later
/* Content of files: a pattern, zeroes, and chunks of what was written. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "lab/serve/tree/tree_private.h"

/* splitmix64: the same on every machine and in every run. */
static uint64_t pattern_word(uint64_t fileid, uint64_t word)
{
	uint64_t v = fileid * UINT64_C(0x9e3779b97f4a7c15) + word * UINT64_C(0xbf58476d1ce4e5b9);

	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

uint8_t tree_pattern_byte(uint64_t fileid, uint64_t offset)
{
	return (uint8_t)(pattern_word(fileid, offset / 8) >> (offset % 8 * 8));
}

static void pattern_fill(uint64_t fileid, uint64_t offset, size_t len, uint8_t *out)
{
	while (len && offset % 8) {
		*out++ = tree_pattern_byte(fileid, offset++);
		len--;
	}
	for (; len >= 8; len -= 8, offset += 8, out += 8) {
		uint64_t word = pattern_word(fileid, offset / 8);

		memcpy(out, &word, 8);
	}
	while (len--)
		*out++ = tree_pattern_byte(fileid, offset++);
}

static uint64_t chunk_hash(uint64_t fileid, uint64_t index)
{
	return hash_u64(hash_u64(hash_start(), fileid), index);
}

static struct tree_chunk *chunk_find(const struct tree *t, uint64_t fileid, uint64_t index)
{
	uint64_t key[2] = {fileid, index};

	return t->chunks.len ? map_find(&t->chunks, chunk_hash(fileid, index), key) : NULL;
}

/* What is there without a chunk. */
static void fill(uint64_t fileid, uint64_t pattern_bytes, uint64_t offset, size_t len, uint8_t *out)
{
	size_t patterned = 0;

	if (offset < pattern_bytes) {
		patterned = pattern_bytes - offset < len ? (size_t)(pattern_bytes - offset) : len;
		pattern_fill(fileid, offset, patterned, out);
	}
	memset(out + patterned, 0, len - patterned);
}

/* Bytes from the offset on to the end of its chunk, at most left. */
static size_t piece(uint64_t offset, size_t left)
{
	size_t in_chunk = TREE_CHUNK_BYTES - (size_t)(offset % TREE_CHUNK_BYTES);

	return in_chunk < left ? in_chunk : left;
}

enum tree_status tree_read(struct tree *t, uint64_t fileid, uint64_t offset, uint32_t count,
			   uint8_t *out, uint32_t *got, bool *eof)
{
	const struct tree_node *node = tree_node_find(t, fileid);
	uint64_t pattern_bytes;
	struct tree_attr attr;
	enum tree_status status = tree_getattr(t, fileid, &attr);
	size_t left;

	if (status)
		return status;
	if (attr.kind != TREE_FILE)
		return attr.kind == TREE_DIR ? TREE_ISDIR : TREE_INVAL;
	pattern_bytes = node ? node->pattern_bytes : attr.size;
	left = offset >= attr.size ? 0 : count;
	if (left > attr.size - offset)
		left = (size_t)(attr.size - offset);
	*got = (uint32_t)left;
	*eof = offset >= attr.size || left == attr.size - offset;
	while (left) {
		size_t len = node ? piece(offset, left) : left;
		const struct tree_chunk *chunk =
			node ? chunk_find(t, fileid, offset / TREE_CHUNK_BYTES) : NULL;

		if (chunk)
			memcpy(out, chunk->bytes + offset % TREE_CHUNK_BYTES, len);
		else
			fill(fileid, pattern_bytes, offset, len, out);
		out += len;
		offset += len;
		left -= len;
	}
	return TREE_OK;
}

static struct tree_chunk *chunk_add(struct tree *t, struct tree_node *node, uint64_t index)
{
	struct tree_chunk *chunk = mem_alloc(1, sizeof(*chunk));

	chunk->fileid = node->attr.fileid;
	chunk->index = index;
	chunk->next = node->chunks;
	node->chunks = chunk;
	map_add(&t->chunks, chunk_hash(chunk->fileid, index), chunk);
	t->data_bytes += TREE_CHUNK_BYTES;
	fill(chunk->fileid, node->pattern_bytes, index * TREE_CHUNK_BYTES, TREE_CHUNK_BYTES,
	     chunk->bytes);
	return chunk;
}

/* Chunks that writing needs and that are not there. */
static uint64_t chunks_missing(const struct tree *t, uint64_t fileid, uint64_t offset, size_t len)
{
	uint64_t missing = 0;

	for (uint64_t i = offset / TREE_CHUNK_BYTES; i <= (offset + len - 1) / TREE_CHUNK_BYTES;
	     i++)
		missing += !chunk_find(t, fileid, i);
	return missing;
}

enum tree_status tree_write(struct tree *t, uint64_t fileid, uint64_t offset, struct slice data,
			    int64_t now_ns)
{
	struct tree_node *node;
	enum tree_status status = tree_node_need(t, fileid, &node);

	if (status)
		return status;
	if (node->attr.kind != TREE_FILE)
		return node->attr.kind == TREE_DIR ? TREE_ISDIR : TREE_INVAL;
	if (!data.len)
		return TREE_OK;
	if (offset > INT64_MAX || data.len > INT64_MAX - offset)
		return TREE_FBIG;
	if (chunks_missing(t, fileid, offset, data.len) * TREE_CHUNK_BYTES >
	    t->limits.data_bytes_max - t->data_bytes)
		return TREE_NOSPC;
	if (node->attr.size < offset + data.len)
		node->attr.size = offset + data.len;
	while (data.len) {
		size_t len = piece(offset, data.len);
		struct tree_chunk *chunk = chunk_find(t, fileid, offset / TREE_CHUNK_BYTES);

		if (!chunk)
			chunk = chunk_add(t, node, offset / TREE_CHUNK_BYTES);
		memcpy(chunk->bytes + offset % TREE_CHUNK_BYTES, data.ptr, len);
		data = slice_make(data.ptr + len, data.len - len);
		offset += len;
	}
	tree_node_changed(node, now_ns);
	return TREE_OK;
}

void tree_data_cut(struct tree *t, struct tree_node *node, uint64_t size)
{
	struct tree_chunk **at = &node->chunks;
	struct tree_chunk *chunk;

	if (node->pattern_bytes > size)
		node->pattern_bytes = size;
	while ((chunk = *at)) {
		uint64_t start = chunk->index * TREE_CHUNK_BYTES;
		uint64_t key[2] = {chunk->fileid, chunk->index};

		if (start < size) {
			/* Behind the new end it must read as zeroes when the file grows again. */
			if (size - start < TREE_CHUNK_BYTES)
				memset(chunk->bytes + (size - start), 0,
				       TREE_CHUNK_BYTES - (size_t)(size - start));
			at = &chunk->next;
			continue;
		}
		*at = chunk->next;
		map_remove(&t->chunks, chunk_hash(key[0], key[1]), key);
		t->data_bytes -= TREE_CHUNK_BYTES;
		free(chunk);
	}
}
