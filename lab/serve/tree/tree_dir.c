// SPDX-License-Identifier: GPL-2.0-or-later
/* Names in directories: looked up, made, linked, removed, renamed. See tree.h. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "lab/serve/tree/tree_private.h"

enum { ROWS_COMPACT_MIN = 64 };

/* A key for the map of names. */
union name_key {
	struct tree_name name;
	uint8_t memory[sizeof(struct tree_name) + TREE_NAME_MAX];
};

static uint64_t name_hash(uint64_t dir, struct slice text)
{
	return hash_u64(hash_bytes(text.ptr, text.len), dir);
}

static bool is_dots(struct slice name)
{
	return (name.len == 1 && name.ptr[0] == '.') ||
	       (name.len == 2 && name.ptr[0] == '.' && name.ptr[1] == '.');
}

/* A name that something could be called. */
static enum tree_status check_name(struct slice name)
{
	if (!name.len || is_dots(name) || memchr(name.ptr, '/', name.len) ||
	    memchr(name.ptr, '\0', name.len))
		return TREE_INVAL;
	return name.len > TREE_NAME_MAX ? TREE_NAMETOOLONG : TREE_OK;
}

static struct tree_name *name_find(const struct tree *t, uint64_t dir, struct slice text)
{
	union name_key key = {.name = {.dir = dir, .len = (uint8_t)text.len}};

	if (text.len > TREE_NAME_MAX)
		return NULL;
	memcpy(key.memory + offsetof(struct tree_name, text), text.ptr, text.len);
	return map_find(&t->names, name_hash(dir, text), &key.name);
}

enum tree_status tree_parent(const struct tree *t, uint64_t dir, uint64_t *parent)
{
	struct tree_node *node;
	enum tree_status status = tree_dir_find(t, dir, &node);

	if (!status)
		*parent = node->parent;
	return status;
}

/* The fileid of a name that is no "." or "..". */
static bool entry_find(const struct tree *t, const struct tree_node *dir, struct slice name,
		       uint64_t *fileid)
{
	const struct tree_name *found;

	if (tree_made_find(t, dir, name, fileid))
		return true;
	found = name_find(t, dir->attr.fileid, name);
	if (found)
		*fileid = found->fileid;
	return found != NULL;
}

enum tree_status tree_lookup(const struct tree *t, uint64_t dir, struct slice name,
			     uint64_t *fileid)
{
	struct tree_node *node;
	enum tree_status status = tree_dir_find(t, dir, &node);

	if (status)
		return status;
	if (is_dots(name)) {
		*fileid = name.len == 1 ? dir : node->parent;
		return TREE_OK;
	}
	status = check_name(name);
	if (status)
		return status == TREE_INVAL && name.len ? TREE_NOENT : status;
	return entry_find(t, node, name, fileid) ? TREE_OK : TREE_NOENT;
}

/* Removed rows are thrown out when they are the most. Cookies stay. */
static void rows_compact(struct tree_node *dir)
{
	struct tree_row *rows = dir->rows.items;
	size_t kept = 0;

	if (dir->rows.len < ROWS_COMPACT_MIN || dir->live > dir->rows.len / 2)
		return;
	for (size_t i = 0; i < dir->rows.len; i++)
		if (rows[i].name)
			rows[kept++] = rows[i];
	dir->rows.len = kept;
}

static void entry_add(struct tree *t, struct tree_node *dir, struct slice text,
		      struct tree_node *node, int64_t now_ns)
{
	struct tree_name *name = mem_alloc(1, sizeof(*name) + text.len);
	struct tree_row *row = vec_push(&dir->rows);

	name->dir = dir->attr.fileid;
	name->fileid = node->attr.fileid;
	name->cookie = dir->next_cookie++;
	name->len = (uint8_t)text.len;
	memcpy(name->text, text.ptr, text.len);
	map_add(&t->names, name_hash(name->dir, text), name);
	row->cookie = name->cookie;
	row->name = name;
	dir->live++;
	if (node->attr.kind == TREE_DIR) {
		node->parent = dir->attr.fileid;
		dir->attr.nlink++;
	}
	tree_node_changed(dir, now_ns);
}

/* Index of the first row behind the cookie. */
static size_t row_behind(const struct tree_node *dir, uint64_t cookie)
{
	const struct tree_row *rows = dir->rows.items;
	size_t from = 0, to = dir->rows.len;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (rows[middle].cookie > cookie)
			to = middle;
		else
			from = middle + 1;
	}
	return from;
}

/* Takes the name away; the node stays as it is. */
static enum tree_status entry_remove(struct tree *t, struct tree_node *dir, struct slice text,
				     int64_t now_ns)
{
	union name_key key = {.name = {.dir = dir->attr.fileid, .len = (uint8_t)text.len}};
	enum tree_status status = TREE_OK;
	struct tree_name *name;
	struct tree_row *rows = dir->rows.items;
	uint64_t fileid;

	if (tree_made_find(t, dir, text, &fileid)) {
		status = tree_made_remove(t, dir, fileid);
	} else {
		memcpy(key.memory + offsetof(struct tree_name, text), text.ptr, text.len);
		name = map_remove(&t->names, name_hash(dir->attr.fileid, text), &key.name);
		rows[row_behind(dir, name->cookie) - 1].name = NULL;
		dir->live--;
		rows_compact(dir);
		free(name);
	}
	if (!status)
		tree_node_changed(dir, now_ns);
	return status;
}

static enum tree_status check_new(const struct tree_new *what)
{
	switch (what->kind) {
	case TREE_NONE:
		return TREE_BADTYPE;
	case TREE_LINK:
		if (what->target.len > TREE_TARGET_MAX)
			return TREE_NAMETOOLONG;
		return what->target.len ? TREE_OK : TREE_INVAL;
	case TREE_FILE:
	case TREE_DIR:
	case TREE_BLOCK:
	case TREE_CHAR:
	case TREE_SOCKET:
	case TREE_FIFO:
		break;
	}
	return TREE_OK;
}

static bool is_made_already(const struct tree *t, uint64_t fileid, const struct tree_new *what)
{
	const struct tree_node *node = tree_node_find(t, fileid);

	return what->verifier && node && node->has_verifier &&
	       memcmp(node->verifier, what->verifier, TREE_VERIFIER_BYTES) == 0;
}

enum tree_status tree_make(struct tree *t, uint64_t dir, struct slice name,
			   const struct tree_new *what, int64_t now_ns, uint64_t *fileid)
{
	struct tree_attr attr = {.kind = what->kind,
				 .mode = what->mode & 07777,
				 .nlink = what->kind == TREE_DIR ? 2 : 1,
				 .uid = what->uid,
				 .gid = what->gid,
				 .major = what->major,
				 .minor = what->minor,
				 .atime_ns = now_ns,
				 .mtime_ns = now_ns,
				 .ctime_ns = now_ns};
	struct tree_node *parent, *node;
	enum tree_status status = tree_dir_find(t, dir, &parent);

	if (!status)
		status = check_name(name);
	if (!status)
		status = check_new(what);
	if (status)
		return status;
	if (!parent->attr.nlink)
		return TREE_NOENT; /* removed, and held by somebody */
	if (entry_find(t, parent, name, fileid))
		return is_made_already(t, *fileid, what) ? TREE_OK : TREE_EXIST;
	status = tree_node_add(t, t->next_fileid, &attr, &node);
	if (status)
		return status;
	t->next_fileid++;
	if (what->kind == TREE_LINK) {
		node->target =
			slice_make(mem_copy(what->target.ptr, what->target.len), what->target.len);
		node->attr.size = what->target.len;
	}
	if (what->verifier) {
		node->has_verifier = true;
		memcpy(node->verifier, what->verifier, TREE_VERIFIER_BYTES);
	}
	entry_add(t, parent, name, node, now_ns);
	*fileid = node->attr.fileid;
	return TREE_OK;
}

enum tree_status tree_link(struct tree *t, uint64_t fileid, uint64_t dir, struct slice name,
			   int64_t now_ns)
{
	struct tree_node *parent, *node;
	enum tree_status status = tree_dir_find(t, dir, &parent);
	uint64_t other;

	if (!status)
		status = check_name(name);
	if (!status && entry_find(t, parent, name, &other))
		status = TREE_EXIST;
	if (!status)
		status = tree_node_need(t, fileid, &node);
	if (status)
		return status;
	if (node->attr.kind == TREE_DIR)
		return TREE_ISDIR;
	if (!node->attr.nlink || !parent->attr.nlink)
		return TREE_NOENT;
	if (node->attr.nlink >= TREE_LINKS_MAX)
		return TREE_MLINK;
	node->attr.nlink++;
	tree_node_touched(node, now_ns);
	entry_add(t, parent, name, node, now_ns);
	return TREE_OK;
}

static bool is_empty(const struct tree *t, const struct tree_node *dir)
{
	return !dir->live && !tree_made_count(t, dir);
}

/* Takes name and node away; what may not be was checked. */
static enum tree_status drop_entry(struct tree *t, struct tree_node *dir, struct slice name,
				   uint64_t fileid, int64_t now_ns)
{
	struct tree_node *node = tree_node_find(t, fileid);
	enum tree_status status = entry_remove(t, dir, name, now_ns);

	if (status || !node)
		return status;
	if (node->attr.kind == TREE_DIR)
		dir->attr.nlink--;
	tree_node_unlink(t, node, now_ns);
	return TREE_OK;
}

enum tree_status tree_remove(struct tree *t, uint64_t dir, struct slice name, enum tree_remove what,
			     int64_t now_ns)
{
	struct tree_node *parent;
	struct tree_node *node;
	enum tree_status status = tree_dir_find(t, dir, &parent);
	uint64_t fileid;
	bool is_dir;

	if (!status)
		status = check_name(name);
	if (status)
		return status;
	if (!entry_find(t, parent, name, &fileid))
		return TREE_NOENT;
	node = tree_node_find(t, fileid);
	is_dir = node && node->attr.kind == TREE_DIR;
	if (is_dir && what == TREE_REMOVE_FILE)
		return TREE_ISDIR;
	if (!is_dir && what == TREE_REMOVE_DIR)
		return TREE_NOTDIR;
	if (is_dir && !is_empty(t, node))
		return TREE_NOTEMPTY;
	return drop_entry(t, parent, name, fileid, now_ns);
}

/* True when `dir` is `above` or lies below it. */
static bool is_below(const struct tree *t, uint64_t dir, uint64_t above)
{
	const struct tree_node *node = tree_node_find(t, dir);

	while (node && node->attr.fileid != above && node->parent != node->attr.fileid)
		node = tree_node_find(t, node->parent);
	return node && node->attr.fileid == above;
}

/* May the node take the place of the one that has the new name? */
static enum tree_status check_replace(const struct tree *t, const struct tree_node *node,
				      uint64_t there)
{
	const struct tree_node *old = tree_node_find(t, there);
	bool old_is_dir = old && old->attr.kind == TREE_DIR;

	if (node->attr.kind == TREE_DIR && !old_is_dir)
		return TREE_NOTDIR;
	if (node->attr.kind != TREE_DIR && old_is_dir)
		return TREE_ISDIR;
	return old_is_dir && !is_empty(t, old) ? TREE_NOTEMPTY : TREE_OK;
}

static enum tree_status rename_checked(struct tree *t, struct tree_node *from_dir,
				       struct slice from, struct tree_node *to_dir, struct slice to,
				       int64_t now_ns)
{
	struct tree_node *node;
	uint64_t fileid, there;
	enum tree_status status;
	bool replaces;

	if (!entry_find(t, from_dir, from, &fileid))
		return TREE_NOENT;
	replaces = entry_find(t, to_dir, to, &there);
	if (replaces && there == fileid)
		return TREE_OK;
	status = tree_node_need(t, fileid, &node);
	if (!status && node->attr.kind == TREE_DIR &&
	    is_below(t, to_dir->attr.fileid, node->attr.fileid))
		status = TREE_INVAL;
	if (!status && replaces)
		status = check_replace(t, node, there);
	/* What takes names away may have to remember them: all or nothing. */
	if (!status && t->limits.nodes_max - t->nodes_count < 2)
		status = TREE_NOSPC;
	if (!status && replaces)
		status = drop_entry(t, to_dir, to, there, now_ns);
	if (!status)
		status = entry_remove(t, from_dir, from, now_ns);
	if (status)
		return status;
	if (node->attr.kind == TREE_DIR)
		from_dir->attr.nlink--;
	entry_add(t, to_dir, to, node, now_ns);
	tree_node_touched(node, now_ns);
	return TREE_OK;
}

enum tree_status tree_rename(struct tree *t, uint64_t from_dir, struct slice from, uint64_t to_dir,
			     struct slice to, int64_t now_ns)
{
	struct tree_node *source, *target;
	enum tree_status status = tree_dir_find(t, from_dir, &source);

	if (!status)
		status = tree_dir_find(t, to_dir, &target);
	if (!status)
		status = check_name(from);
	if (!status)
		status = check_name(to);
	if (!status && !target->attr.nlink)
		status = TREE_NOENT;
	return status ? status : rename_checked(t, source, from, target, to, now_ns);
}

enum tree_status tree_readlink(const struct tree *t, uint64_t fileid, struct slice *target)
{
	const struct tree_node *node = tree_node_find(t, fileid);
	struct tree_attr attr;
	enum tree_status status = tree_getattr(t, fileid, &attr);

	if (status)
		return status;
	if (!node || attr.kind != TREE_LINK)
		return TREE_INVAL;
	*target = node->target;
	return TREE_OK;
}

enum tree_status tree_walk_begin(const struct tree *t, uint64_t dir, uint64_t cookie,
				 struct tree_walk *walk)
{
	struct tree_node *node;
	enum tree_status status = tree_dir_find(t, dir, &node);

	if (status)
		return status;
	if (cookie >= node->next_cookie)
		return TREE_BAD_COOKIE;
	walk->tree = t;
	walk->dir = dir;
	walk->cookie = cookie;
	walk->node = node;
	return TREE_OK;
}

/* The next one of the made-up files. */
static bool walk_made(struct tree_walk *walk, const struct tree_node *dir, struct tree_entry *out)
{
	const struct tree *t = walk->tree;
	const struct tree_made *made = dir->made ? vec_at(&t->made, dir->made - 1) : NULL;

	while (made && walk->cookie - TREE_COOKIE_DOTS < made->count) {
		uint64_t index = walk->cookie++ - TREE_COOKIE_DOTS;
		uint64_t fileid = tree_made_fileid(dir, index);

		if (made->removed && tree_made_is_gone(t, fileid))
			continue;
		out->fileid = fileid;
		out->name = slice_make(walk->text, tree_made_name(t, dir, index, walk->text));
		return true;
	}
	return false;
}

static bool walk_rows(struct tree_walk *walk, const struct tree_node *dir, struct tree_entry *out)
{
	const struct tree_row *rows = dir->rows.items;

	for (size_t i = row_behind(dir, walk->cookie); i < dir->rows.len; i++) {
		if (!rows[i].name)
			continue;
		walk->cookie = rows[i].cookie;
		out->fileid = rows[i].name->fileid;
		out->name = slice_make(rows[i].name->text, rows[i].name->len);
		return true;
	}
	return false;
}

bool tree_walk_next(struct tree_walk *walk, struct tree_entry *out)
{
	const struct tree_node *dir = walk->node;

	if (walk->cookie < TREE_COOKIE_DOTS) {
		walk->cookie++;
		out->fileid = walk->cookie == 1 ? walk->dir : dir->parent;
		out->name = slice_make("..", (size_t)walk->cookie);
	} else if (!walk_made(walk, dir, out) && !walk_rows(walk, dir, out)) {
		return false;
	}
	out->cookie = walk->cookie;
	return true;
}
