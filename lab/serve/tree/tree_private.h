/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the tree share; nobody else includes it. */
#ifndef LAB_SERVE_TREE_PRIVATE_H
#define LAB_SERVE_TREE_PRIVATE_H

#include "base/map.h"
#include "base/vec.h"
#include "lab/serve/tree/tree.h"

enum { TREE_CHUNK_BYTES = 16 << 10 };

/*
 * Fileids of made-up files: this bit, the number of their directory, and their index. No other
 * fileid comes so far.
 */
#define TREE_MADE_BIT        (UINT64_C(1) << 62)
#define TREE_MADE_INDEX_BITS 40
#define TREE_MADE_INDEX_MAX  ((UINT64_C(1) << TREE_MADE_INDEX_BITS) - 1)

/* Of content that was written. */
struct tree_chunk {
	uint64_t fileid;
	uint64_t index;
	struct tree_chunk *next; /* of the same file */
	uint8_t bytes[TREE_CHUNK_BYTES];
};

/* A name in a directory. */
struct tree_name {
	uint64_t dir;
	uint64_t fileid;
	uint64_t cookie;
	uint8_t len;
	uint8_t text[];
};

/* A directory's row, in the order of cookies; name NULL: removed. */
struct tree_row {
	uint64_t cookie;
	struct tree_name *name;
};

/* A made-up directory; its number is its place in tree.made. */
struct tree_made {
	uint64_t dir;
	uint64_t count;   /* of files at first */
	uint64_t removed; /* of them: whose name is gone */
	uint64_t file_bytes;
	int64_t made_ns;
	uint8_t prefix_len;
	char prefix[64];
};

/* A name of a made-up directory that is gone. */
struct tree_gone {
	uint64_t fileid;
};

struct tree_node {
	struct tree_attr attr; /* nlink: 0 when only holders are left */
	uint32_t holds;
	bool has_verifier;
	uint8_t verifier[TREE_VERIFIER_BYTES];

	/* TREE_DIR */
	uint64_t parent;
	struct vec rows; /* of struct tree_row */
	uint64_t live;   /* rows that have a name */
	uint64_t next_cookie;
	uint32_t made; /* number of the made-up directory plus one; 0: it is none */

	/* TREE_FILE: bytes before pattern_bytes without a chunk are the pattern, others zero */
	uint64_t pattern_bytes;
	struct tree_chunk *chunks;

	/* TREE_LINK */
	struct slice target; /* owned */
};

struct tree {
	uint64_t instance;
	uint64_t next_fileid;
	struct tree_limits limits;
	uint64_t data_bytes;  /* of chunks */
	uint64_t nodes_count; /* nodes and gone names */
	struct map nodes;     /* struct tree_node by fileid */
	struct map names;     /* struct tree_name by directory and text */
	struct map chunks;    /* struct tree_chunk by fileid and index */
	struct map gone;      /* struct tree_gone by fileid */
	struct vec made;      /* struct tree_made */
};

static inline bool tree_is_made(uint64_t fileid)
{
	return (fileid & TREE_MADE_BIT) != 0;
}

/* Nodes: tree.c. */
uint64_t tree_fileid_hash(uint64_t fileid);

/* The node, or NULL: there is none, or it is made up and nothing of it was changed. */
struct tree_node *tree_node_find(const struct tree *t, uint64_t fileid);

/* The same; what is made up becomes a node. TREE_STALE, TREE_NOSPC. */
enum tree_status tree_node_need(struct tree *t, uint64_t fileid, struct tree_node **out);

/* A directory's node. TREE_STALE, TREE_NOTDIR. */
enum tree_status tree_dir_find(const struct tree *t, uint64_t fileid, struct tree_node **out);

/* TREE_NOSPC. The node has no name yet. */
enum tree_status tree_node_add(struct tree *t, uint64_t fileid, const struct tree_attr *attr,
			       struct tree_node **out);

/* Takes away a link (a directory's both); frees the node when nobody holds it. */
void tree_node_unlink(struct tree *t, struct tree_node *node, int64_t now_ns);

/* Data changed: mtime and ctime; attributes changed: ctime. */
void tree_node_changed(struct tree_node *node, int64_t now_ns);
void tree_node_touched(struct tree_node *node, int64_t now_ns);

/* Content: tree_data.c. */
void tree_data_cut(struct tree *t, struct tree_node *node, uint64_t size);

/* Made-up directories: tree_made.c. */
const struct tree_made *tree_made_of(const struct tree *t, uint64_t fileid, uint64_t *index);
bool tree_made_attr(const struct tree *t, uint64_t fileid, struct tree_attr *out);
uint64_t tree_made_count(const struct tree *t, const struct tree_node *dir);
uint64_t tree_made_fileid(const struct tree_node *dir, uint64_t index);
bool tree_made_find(const struct tree *t, const struct tree_node *dir, struct slice name,
		    uint64_t *fileid);
bool tree_made_is_gone(const struct tree *t, uint64_t fileid);
enum tree_status tree_made_remove(struct tree *t, const struct tree_node *dir, uint64_t fileid);
size_t tree_made_name(const struct tree *t, const struct tree_node *dir, uint64_t index,
		      uint8_t text[TREE_NAME_MAX + 1]);

#endif
