// SPDX-License-Identifier: GPL-2.0-or-later
/* Fills a tree by paths. See tree.h. */
#include "base/vec.h"
#include "lab/serve/tree/tree_private.h"

static struct err *complain(const char *path, enum tree_status status)
{
	switch (status) {
	case TREE_EXIST:
		return err_new("%s: is there already", path);
	case TREE_NOTDIR:
		return err_new("%s: a part of it is no directory", path);
	case TREE_NOSPC:
		return err_new("%s: the tree is full", path);
	default:
		return err_new("%s: no path that can be made", path);
	}
}

struct err *tree_add_path(struct tree *t, const char *path, const struct tree_new *what,
			  int64_t now_ns, uint64_t *fileid)
{
	struct tree_new dir = {.kind = TREE_DIR, .mode = 0755};
	uint64_t at = tree_root(t);
	const char *part = path;

	if (*path != '/')
		return err_new("%s: a path begins with /", path);
	for (;;) {
		size_t len;
		bool is_last;
		enum tree_status status;

		part += strspn(part, "/");
		len = strcspn(part, "/");
		is_last = part[len] == '\0';
		status =
			tree_make(t, at, slice_make(part, len), is_last ? what : &dir, now_ns, &at);
		if (status == TREE_EXIST && !is_last)
			status = TREE_OK;
		if (status)
			return complain(path, status);
		if (is_last)
			break;
		part += len;
	}
	*fileid = at;
	return NULL;
}

struct err *tree_add_made_up(struct tree *t, const char *path, const char *prefix, uint64_t count,
			     uint64_t file_bytes, int64_t now_ns, uint64_t *fileid)
{
	struct tree_new what = {.kind = TREE_DIR, .mode = 0777};
	struct tree_made *made;
	struct tree_node *node;
	struct err *err;

	if (count > TREE_MADE_INDEX_MAX)
		return err_new("%s: too many entries", path);
	if (file_bytes > INT64_MAX)
		return err_new("%s: the files are too large", path);
	if (strlen(prefix) >= sizeof(made->prefix) || strchr(prefix, '/'))
		return err_new("%s: '%s' cannot begin the names of files", path, prefix);
	err = tree_add_path(t, path, &what, now_ns, fileid);
	if (err)
		return err;
	made = vec_push(&t->made);
	made->dir = *fileid;
	made->count = count;
	made->file_bytes = file_bytes;
	made->made_ns = now_ns;
	made->prefix_len = (uint8_t)strlen(prefix);
	memcpy(made->prefix, prefix, made->prefix_len);
	node = tree_node_find(t, *fileid);
	node->made = (uint32_t)t->made.len;
	node->next_cookie += count;
	return NULL;
}

struct err *tree_add_pattern(struct tree *t, const char *path, uint64_t bytes, int64_t now_ns,
			     uint64_t *fileid)
{
	struct tree_new what = {.kind = TREE_FILE, .mode = 0644};
	struct tree_node *node;
	struct err *err;

	if (bytes > INT64_MAX)
		return err_new("%s: too large", path);
	err = tree_add_path(t, path, &what, now_ns, fileid);
	if (err)
		return err;
	node = tree_node_find(t, *fileid);
	node->attr.size = bytes;
	node->pattern_bytes = bytes;
	return NULL;
}
