// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Made-up directories: names, fileids and attributes of their files are computed from the index.
 * What is remembered is only what was changed: names that are gone, and files that became nodes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lab/serve/tree/tree_private.h"

enum { DIGITS = 7 };

static struct tree_made *made_of_dir(const struct tree *t, const struct tree_node *dir)
{
	return dir->made ? vec_at(&t->made, dir->made - 1) : NULL;
}

const struct tree_made *tree_made_of(const struct tree *t, uint64_t fileid, uint64_t *index)
{
	uint64_t number = (fileid & ~TREE_MADE_BIT) >> TREE_MADE_INDEX_BITS;
	const struct tree_made *made;

	if (!tree_is_made(fileid) || number >= t->made.len)
		return NULL;
	made = vec_at(&t->made, (size_t)number);
	*index = fileid & TREE_MADE_INDEX_MAX;
	return *index < made->count ? made : NULL;
}

bool tree_made_is_gone(const struct tree *t, uint64_t fileid)
{
	return t->gone.len && map_find(&t->gone, tree_fileid_hash(fileid), &fileid);
}

bool tree_made_attr(const struct tree *t, uint64_t fileid, struct tree_attr *out)
{
	uint64_t index;
	const struct tree_made *made = tree_made_of(t, fileid, &index);

	if (!made || tree_made_is_gone(t, fileid))
		return false;
	*out = (struct tree_attr){
		.kind = TREE_FILE,
		.mode = 0644,
		.nlink = 1,
		.size = made->file_bytes,
		.used = (made->file_bytes + 511) & ~UINT64_C(511),
		.fileid = fileid,
		.fsid = t->instance,
		.atime_ns = made->made_ns,
		.mtime_ns = made->made_ns,
		.ctime_ns = made->made_ns,
		.change = 1,
	};
	return true;
}

uint64_t tree_made_count(const struct tree *t, const struct tree_node *dir)
{
	const struct tree_made *made = made_of_dir(t, dir);

	return made ? made->count - made->removed : 0;
}

uint64_t tree_made_fileid(const struct tree_node *dir, uint64_t index)
{
	return TREE_MADE_BIT | (uint64_t)(dir->made - 1) << TREE_MADE_INDEX_BITS | index;
}

/* Decimal digits, at least DIGITS of them. snprintf would be half of the cost of a listing. */
static size_t put_number(uint8_t *out, uint64_t value)
{
	uint8_t digits[20];
	size_t len = 0;

	for (; value || len < DIGITS; value /= 10)
		digits[len++] = (uint8_t)('0' + value % 10);
	for (size_t i = 0; i < len; i++)
		out[i] = digits[len - 1 - i];
	return len;
}

size_t tree_made_name(const struct tree *t, const struct tree_node *dir, uint64_t index,
		      uint8_t text[TREE_NAME_MAX + 1])
{
	const struct tree_made *made = made_of_dir(t, dir);

	memcpy(text, made->prefix, made->prefix_len);
	return made->prefix_len + put_number(text + made->prefix_len, index);
}

bool tree_made_find(const struct tree *t, const struct tree_node *dir, struct slice name,
		    uint64_t *fileid)
{
	const struct tree_made *made = made_of_dir(t, dir);
	uint64_t index = 0, id;

	if (!made || name.len < made->prefix_len + (size_t)DIGITS ||
	    memcmp(name.ptr, made->prefix, made->prefix_len) != 0)
		return false;
	/* No leading zero but in the first seven. */
	if (name.len > made->prefix_len + (size_t)DIGITS && name.ptr[made->prefix_len] == '0')
		return false;
	for (size_t i = made->prefix_len; i < name.len; i++) {
		if (name.ptr[i] < '0' || name.ptr[i] > '9' || index > TREE_MADE_INDEX_MAX)
			return false;
		index = index * 10 + (uint64_t)(name.ptr[i] - '0');
	}
	if (index >= made->count)
		return false;
	id = tree_made_fileid(dir, index);
	if (tree_made_is_gone(t, id))
		return false;
	*fileid = id;
	return true;
}

enum tree_status tree_made_remove(struct tree *t, const struct tree_node *dir, uint64_t fileid)
{
	struct tree_made *made = made_of_dir(t, dir);
	struct tree_gone *gone;

	if (t->nodes_count >= t->limits.nodes_max)
		return TREE_NOSPC;
	gone = mem_alloc(1, sizeof(*gone));
	gone->fileid = fileid;
	map_add(&t->gone, tree_fileid_hash(fileid), gone);
	t->nodes_count++;
	made->removed++;
	return TREE_OK;
}
