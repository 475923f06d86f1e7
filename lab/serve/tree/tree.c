// SPDX-License-Identifier: GPL-2.0-or-later
/* Nodes, handles, attributes. See tree.h. */
#include "lab/serve/tree/tree.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "lab/serve/tree/tree_private.h"

enum {
	ROOT_FILEID = 2,
	FIRST_FILEID = 1000,
	DIR_BYTES = 4096,
	ENTRY_BYTES = 32,
	MODE_BITS = 07777,
	DEFAULT_NODES = 1000000,
};

#define DEFAULT_DATA_BYTES (UINT64_C(256) << 20)
#define HANDLE_MAGIC       UINT32_C(0x6e66736c)

uint64_t tree_fileid_hash(uint64_t fileid)
{
	return hash_u64(hash_start(), fileid);
}

static bool node_equal(const void *item, const void *key)
{
	return ((const struct tree_node *)item)->attr.fileid == *(const uint64_t *)key;
}

static bool name_equal(const void *item, const void *key)
{
	const struct tree_name *a = item, *b = key;

	return a->dir == b->dir && a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static bool chunk_equal(const void *item, const void *key)
{
	const struct tree_chunk *a = item;
	const uint64_t *k = key;

	return a->fileid == k[0] && a->index == k[1];
}

static bool gone_equal(const void *item, const void *key)
{
	return ((const struct tree_gone *)item)->fileid == *(const uint64_t *)key;
}

struct tree *tree_create(const struct tree_limits *limits, uint64_t instance, int64_t now_ns)
{
	struct tree *t = mem_alloc(1, sizeof(*t));
	struct tree_attr attr = {.kind = TREE_DIR,
				 .mode = 0777,
				 .atime_ns = now_ns,
				 .mtime_ns = now_ns,
				 .ctime_ns = now_ns};
	struct tree_node *root;

	if (limits)
		t->limits = *limits;
	if (!t->limits.data_bytes_max)
		t->limits.data_bytes_max = DEFAULT_DATA_BYTES;
	if (!t->limits.nodes_max)
		t->limits.nodes_max = DEFAULT_NODES;
	t->instance = instance;
	t->next_fileid = FIRST_FILEID;
	map_init(&t->nodes, node_equal);
	map_init(&t->names, name_equal);
	map_init(&t->chunks, chunk_equal);
	map_init(&t->gone, gone_equal);
	vec_init(&t->made, sizeof(struct tree_made));
	tree_node_add(t, ROOT_FILEID, &attr, &root);
	root->parent = ROOT_FILEID;
	root->attr.nlink = 2;
	return t;
}

static void node_free(struct tree_node *node)
{
	vec_deinit(&node->rows);
	free((void *)node->target.ptr);
	free(node);
}

void tree_destroy(struct tree *t)
{
	size_t at = 0;
	void *item;

	if (!t)
		return;
	while ((item = map_next(&t->nodes, &at)))
		node_free(item);
	for (at = 0; (item = map_next(&t->names, &at));)
		free(item);
	for (at = 0; (item = map_next(&t->chunks, &at));)
		free(item);
	for (at = 0; (item = map_next(&t->gone, &at));)
		free(item);
	map_deinit(&t->nodes);
	map_deinit(&t->names);
	map_deinit(&t->chunks);
	map_deinit(&t->gone);
	vec_deinit(&t->made);
	free(t);
}

uint64_t tree_root(const struct tree *t)
{
	(void)t;
	return ROOT_FILEID;
}

uint64_t tree_cookie_verifier(const struct tree *t)
{
	return t->instance;
}

void tree_space(const struct tree *t, struct tree_space *out)
{
	*out = (struct tree_space){
		.total_bytes = t->limits.data_bytes_max,
		.free_bytes = t->limits.data_bytes_max - t->data_bytes,
		.total_nodes = t->limits.nodes_max,
		.free_nodes = t->limits.nodes_max - t->nodes_count,
	};
}

void tree_handle_make(const struct tree *t, uint64_t fileid, uint8_t out[TREE_HANDLE_BYTES])
{
	uint32_t words[6] = {
		HANDLE_MAGIC,
		(uint32_t)(t->instance >> 32),
		(uint32_t)t->instance,
		(uint32_t)(fileid >> 32),
		(uint32_t)fileid,
		HANDLE_MAGIC ^ (uint32_t)t->instance ^ (uint32_t)fileid ^ (uint32_t)(fileid >> 32),
	};

	for (size_t i = 0; i < 6; i++) {
		uint32_t wire = __builtin_bswap32(words[i]);

		memcpy(out + i * 4, &wire, 4);
	}
}

enum tree_status tree_handle_find(const struct tree *t, struct slice handle, uint64_t *fileid)
{
	struct tree_attr unused;
	uint64_t instance, id;
	uint32_t words[6];

	if (handle.len != TREE_HANDLE_BYTES)
		return TREE_BADHANDLE;
	memcpy(words, handle.ptr, sizeof(words));
	for (size_t i = 0; i < 6; i++)
		words[i] = __builtin_bswap32(words[i]);
	if (words[0] != HANDLE_MAGIC || words[5] != (HANDLE_MAGIC ^ words[2] ^ words[4] ^ words[3]))
		return TREE_BADHANDLE;
	instance = (uint64_t)words[1] << 32 | words[2];
	id = (uint64_t)words[3] << 32 | words[4];
	if (instance != t->instance || (!tree_node_find(t, id) && !tree_made_attr(t, id, &unused)))
		return TREE_STALE;
	*fileid = id;
	return TREE_OK;
}

struct tree_node *tree_node_find(const struct tree *t, uint64_t fileid)
{
	return map_find(&t->nodes, tree_fileid_hash(fileid), &fileid);
}

enum tree_status tree_node_add(struct tree *t, uint64_t fileid, const struct tree_attr *attr,
			       struct tree_node **out)
{
	struct tree_node *node;

	if (t->nodes_count >= t->limits.nodes_max)
		return TREE_NOSPC;
	node = mem_alloc(1, sizeof(*node));
	node->attr = *attr;
	node->attr.fileid = fileid;
	node->attr.fsid = t->instance;
	node->attr.change++;
	node->next_cookie = TREE_COOKIE_DOTS + 1;
	vec_init(&node->rows, sizeof(struct tree_row));
	map_add(&t->nodes, tree_fileid_hash(fileid), node);
	t->nodes_count++;
	*out = node;
	return TREE_OK;
}

enum tree_status tree_node_need(struct tree *t, uint64_t fileid, struct tree_node **out)
{
	struct tree_node *node = tree_node_find(t, fileid);
	struct tree_attr attr;
	enum tree_status status;

	if (!node) {
		if (!tree_made_attr(t, fileid, &attr))
			return TREE_STALE;
		status = tree_node_add(t, fileid, &attr, &node);
		if (status)
			return status;
		node->pattern_bytes = attr.size;
	}
	*out = node;
	return TREE_OK;
}

enum tree_status tree_dir_find(const struct tree *t, uint64_t fileid, struct tree_node **out)
{
	struct tree_node *node = tree_node_find(t, fileid);
	struct tree_attr unused;

	if (!node)
		return tree_made_attr(t, fileid, &unused) ? TREE_NOTDIR : TREE_STALE;
	if (node->attr.kind != TREE_DIR)
		return TREE_NOTDIR;
	*out = node;
	return TREE_OK;
}

static void node_drop(struct tree *t, struct tree_node *node)
{
	tree_data_cut(t, node, 0);
	map_remove(&t->nodes, tree_fileid_hash(node->attr.fileid), &node->attr.fileid);
	t->nodes_count--;
	node_free(node);
}

void tree_node_unlink(struct tree *t, struct tree_node *node, int64_t now_ns)
{
	node->attr.nlink -= node->attr.kind == TREE_DIR ? node->attr.nlink : 1;
	tree_node_touched(node, now_ns);
	if (!node->attr.nlink && !node->holds)
		node_drop(t, node);
}

enum tree_status tree_hold(struct tree *t, uint64_t fileid)
{
	struct tree_node *node;
	enum tree_status status = tree_node_need(t, fileid, &node);

	if (!status)
		node->holds++;
	return status;
}

void tree_release(struct tree *t, uint64_t fileid)
{
	struct tree_node *node = tree_node_find(t, fileid);

	if (!node || !node->holds)
		return;
	node->holds--;
	if (!node->attr.nlink && !node->holds)
		node_drop(t, node);
}

void tree_node_touched(struct tree_node *node, int64_t now_ns)
{
	node->attr.ctime_ns = now_ns;
	node->attr.change++;
}

void tree_node_changed(struct tree_node *node, int64_t now_ns)
{
	node->attr.mtime_ns = now_ns;
	tree_node_touched(node, now_ns);
}

enum tree_status tree_getattr(const struct tree *t, uint64_t fileid, struct tree_attr *out)
{
	const struct tree_node *node = tree_node_find(t, fileid);

	if (!node)
		return tree_made_attr(t, fileid, out) ? TREE_OK : TREE_STALE;
	*out = node->attr;
	if (node->attr.kind == TREE_DIR) {
		out->size = DIR_BYTES + (node->live + tree_made_count(t, node)) * ENTRY_BYTES;
		out->used = out->size;
	} else {
		out->used = (out->size + 511) & ~UINT64_C(511);
	}
	return TREE_OK;
}

enum tree_status tree_setattr(struct tree *t, uint64_t fileid, const struct tree_set *set,
			      int64_t now_ns)
{
	struct tree_node *node;
	enum tree_status status = tree_node_need(t, fileid, &node);

	if (status)
		return status;
	if (set->what & TREE_SET_SIZE) {
		if (node->attr.kind == TREE_DIR)
			return TREE_ISDIR;
		if (node->attr.kind != TREE_FILE)
			return TREE_INVAL;
		if (set->size > INT64_MAX)
			return TREE_FBIG;
		tree_data_cut(t, node, set->size);
		node->attr.size = set->size;
		tree_node_changed(node, now_ns);
	}
	if (set->what & TREE_SET_MODE)
		node->attr.mode = set->mode & MODE_BITS;
	if (set->what & TREE_SET_UID)
		node->attr.uid = set->uid;
	if (set->what & TREE_SET_GID)
		node->attr.gid = set->gid;
	if (set->what & TREE_SET_ATIME)
		node->attr.atime_ns = set->atime_ns;
	if (set->what & TREE_SET_MTIME)
		node->attr.mtime_ns = set->mtime_ns;
	if (set->what)
		tree_node_touched(node, now_ns);
	return TREE_OK;
}

static bool in_group(const struct tree_cred *cred, uint32_t gid)
{
	if (cred->gid == gid)
		return true;
	for (uint32_t i = 0; i < cred->gids_len; i++)
		if (cred->gids[i] == gid)
			return true;
	return false;
}

bool tree_may(const struct tree_attr *attr, const struct tree_cred *cred, uint32_t what)
{
	uint32_t bits = attr->mode;

	if (cred->uid == 0)
		return attr->kind == TREE_DIR || !(what & TREE_MAY_EXECUTE) || (bits & 0111);
	if (cred->uid == attr->uid)
		bits >>= 6;
	else if (in_group(cred, attr->gid))
		bits >>= 3;
	return (bits & what) == what;
}
