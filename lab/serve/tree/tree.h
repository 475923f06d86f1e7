/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file system that the server serves: in memory, made from a description.
 *
 * A node is known by its 64-bit fileid, which is never used again. Directories may be made up: any
 * number of entries that are computed from their index and cost no memory, until something of one
 * is changed. Files may have content by a pattern: the same.
 *
 * Nothing here knows a protocol, reads a clock or checks permissions by itself: see tree_may.
 */
#ifndef LAB_SERVE_TREE_H
#define LAB_SERVE_TREE_H

#include "base/err.h"
#include "base/slice.h"

enum {
	TREE_NAME_MAX = 255,
	TREE_TARGET_MAX = 4095, /* of a symbolic link */
	TREE_HANDLE_BYTES = 24,
	TREE_LINKS_MAX = 32000,
	TREE_GIDS_MAX = 16,
	TREE_VERIFIER_BYTES = 8,
};

/* The numbers are those of NFSv3 (ftype3) and NFSv4 (nfs_ftype4). */
enum tree_kind {
	TREE_NONE = 0,
	TREE_FILE = 1,
	TREE_DIR = 2,
	TREE_BLOCK = 3,
	TREE_CHAR = 4,
	TREE_LINK = 5,
	TREE_SOCKET = 6,
	TREE_FIFO = 7,
};

/* The numbers are those of nfsstat3 and of nfsstat4, where both have it they are the same. */
enum tree_status {
	TREE_OK = 0,
	TREE_PERM = 1,
	TREE_NOENT = 2,
	TREE_IO = 5,
	TREE_ACCES = 13,
	TREE_EXIST = 17,
	TREE_NOTDIR = 20,
	TREE_ISDIR = 21,
	TREE_INVAL = 22,
	TREE_FBIG = 27,
	TREE_NOSPC = 28,
	TREE_ROFS = 30,
	TREE_MLINK = 31,
	TREE_NAMETOOLONG = 63,
	TREE_NOTEMPTY = 66,
	TREE_STALE = 70,
	TREE_BADHANDLE = 10001,
	TREE_BAD_COOKIE = 10003,
	TREE_NOTSUPP = 10004,
	TREE_BADTYPE = 10007,
};

/* Times are nanoseconds since 1970-01-01T00:00:00Z. */
struct tree_attr {
	enum tree_kind kind;
	uint32_t mode; /* permission bits, 07777 */
	uint32_t nlink;
	uint32_t uid, gid;
	uint64_t size, used;   /* bytes */
	uint32_t major, minor; /* of a device */
	uint64_t fileid;
	uint64_t fsid;
	int64_t atime_ns, mtime_ns, ctime_ns;
	uint64_t change; /* grows with each change of data or attributes */
};

/* What setattr or creating shall set: bits of tree_set. */
enum {
	TREE_SET_MODE = 1,
	TREE_SET_UID = 2,
	TREE_SET_GID = 4,
	TREE_SET_SIZE = 8,
	TREE_SET_ATIME = 16,
	TREE_SET_MTIME = 32,
};

struct tree_set {
	uint32_t what; /* TREE_SET_* */
	uint32_t mode, uid, gid;
	uint64_t size;
	int64_t atime_ns, mtime_ns;
};

/* Who asks. */
struct tree_cred {
	uint32_t uid, gid;
	uint32_t gids_len; /* at most TREE_GIDS_MAX */
	const uint32_t *gids;
};

/* What tree_may is asked for. */
enum { TREE_MAY_READ = 4, TREE_MAY_WRITE = 2, TREE_MAY_EXECUTE = 1 };

struct tree_limits {
	uint64_t data_bytes_max; /* of content that was written; 0: 256 MiB */
	uint64_t nodes_max;      /* nodes that take memory; 0: 1,000,000 */
};

struct tree;

/*
 * An empty tree: a root of mode 0777. The instance is part of every handle: a tree made anew with
 * the same one knows the handles of the old one, with another one they are stale.
 */
struct tree *tree_create(const struct tree_limits *limits, uint64_t instance, int64_t now_ns);

/* NULL is fine. */
void tree_destroy(struct tree *t);

/* The root's fileid. */
uint64_t tree_root(const struct tree *t);

/* The handle of a node that need not exist. */
void tree_handle_make(const struct tree *t, uint64_t fileid, uint8_t out[TREE_HANDLE_BYTES]);

/* The node of a handle that a client shows: TREE_OK, TREE_BADHANDLE or TREE_STALE. */
enum tree_status tree_handle_find(const struct tree *t, struct slice handle, uint64_t *fileid);

/* TREE_STALE when there is no such node. */
enum tree_status tree_getattr(const struct tree *t, uint64_t fileid, struct tree_attr *out);

/* Times that are not set follow `now_ns`; sizes apply to files only. */
enum tree_status tree_setattr(struct tree *t, uint64_t fileid, const struct tree_set *set,
			      int64_t now_ns);

/*
 * True when the mode bits let `cred` do all of `what` (TREE_MAY_*). uid 0 may all but execute a
 * file that nobody may execute.
 */
bool tree_may(const struct tree_attr *attr, const struct tree_cred *cred, uint32_t what);

/* "." and ".." are looked up, too; the root is its own parent. */
enum tree_status tree_lookup(const struct tree *t, uint64_t dir, struct slice name,
			     uint64_t *fileid);

/* The directory that a directory is in; the root's is the root. */
enum tree_status tree_parent(const struct tree *t, uint64_t dir, uint64_t *parent);

/* What tree_make makes. */
struct tree_new {
	enum tree_kind kind;
	uint32_t mode, uid, gid;
	uint32_t major, minor; /* TREE_BLOCK, TREE_CHAR */
	struct slice target;   /* TREE_LINK */
	/* Exclusive creation: kept with the node; a file with the same one counts as made. */
	const uint8_t *verifier; /* TREE_VERIFIER_BYTES, or NULL */
};

/*
 * TREE_EXIST with *fileid set when there is such a name (with the same verifier TREE_OK);
 * TREE_INVAL for an empty name, "." or "..", or one with '/' or a NUL in it.
 */
enum tree_status tree_make(struct tree *t, uint64_t dir, struct slice name,
			   const struct tree_new *what, int64_t now_ns, uint64_t *fileid);

/* One more name for what is no directory. */
enum tree_status tree_link(struct tree *t, uint64_t fileid, uint64_t dir, struct slice name,
			   int64_t now_ns);

enum tree_remove { TREE_REMOVE_ANY, TREE_REMOVE_FILE, TREE_REMOVE_DIR };

/* TREE_ISDIR, TREE_NOTDIR when it is not what the caller means; TREE_NOTEMPTY. */
enum tree_status tree_remove(struct tree *t, uint64_t dir, struct slice name, enum tree_remove what,
			     int64_t now_ns);

/* As rename(2): what has the new name goes away when it is of the same kind and empty. */
enum tree_status tree_rename(struct tree *t, uint64_t from_dir, struct slice from, uint64_t to_dir,
			     struct slice to, int64_t now_ns);

/* *target is valid until the tree is changed. TREE_INVAL when it is no symbolic link. */
enum tree_status tree_readlink(const struct tree *t, uint64_t fileid, struct slice *target);

/* Reads at most count bytes to `out`. TREE_ISDIR, TREE_INVAL for what is no file. */
enum tree_status tree_read(struct tree *t, uint64_t fileid, uint64_t offset, uint32_t count,
			   uint8_t *out, uint32_t *got, bool *eof);

/* All or nothing. TREE_NOSPC, TREE_FBIG. */
enum tree_status tree_write(struct tree *t, uint64_t fileid, uint64_t offset, struct slice data,
			    int64_t now_ns);

/*
 * A removed node stays for who holds it (an open of NFSv4) until the last one lets go of it.
 * Holding fails with TREE_STALE.
 */
enum tree_status tree_hold(struct tree *t, uint64_t fileid);
void tree_release(struct tree *t, uint64_t fileid);

/*
 * Walks a directory from behind the entry with this cookie; 0 is from the start. Cookies are
 * stable: an entry keeps its own as long as it is there. Cookies 1 and 2 are "." and "..", which
 * the walk begins with; NFSv4, which has none of them, starts at TREE_COOKIE_DOTS for 0.
 */
enum { TREE_COOKIE_DOTS = 2 };

struct tree_walk {
	const struct tree *tree;
	uint64_t dir;
	uint64_t cookie; /* of the last entry that was given */
	void *node;      /* the tree's own */
	uint8_t text[TREE_NAME_MAX + 1];
};

struct tree_entry {
	uint64_t fileid;
	uint64_t cookie;
	struct slice name; /* valid until the next step or change */
};

/* TREE_NOTDIR, TREE_STALE; TREE_BAD_COOKIE for one that no entry ever had. */
enum tree_status tree_walk_begin(const struct tree *t, uint64_t dir, uint64_t cookie,
				 struct tree_walk *walk);

/* False behind the last entry. */
bool tree_walk_next(struct tree_walk *walk, struct tree_entry *out);

/* The cookie verifier: the same for all directories and for the life of the tree. */
uint64_t tree_cookie_verifier(const struct tree *t);

struct tree_space {
	uint64_t total_bytes, free_bytes;
	uint64_t total_nodes, free_nodes;
};

void tree_space(const struct tree *t, struct tree_space *out);

/*
 * Fills the tree; *fileid is the new node's. They fail when there is such a name, or the parent is
 * none. Paths begin with '/'; directories on the way are made.
 */

/* Any node. */
struct err *tree_add_path(struct tree *t, const char *path, const struct tree_new *what,
			  int64_t now_ns, uint64_t *fileid);

/* A directory of `count` files whose names are a prefix and seven digits or more: "file0000000". */
struct err *tree_add_made_up(struct tree *t, const char *path, const char *prefix, uint64_t count,
			     uint64_t file_bytes, int64_t now_ns, uint64_t *fileid);

/* A file with a pattern of `bytes` as content. */
struct err *tree_add_pattern(struct tree *t, const char *path, uint64_t bytes, int64_t now_ns,
			     uint64_t *fileid);

/* The byte of the pattern of the file at this offset. */
uint8_t tree_pattern_byte(uint64_t fileid, uint64_t offset);

#endif
