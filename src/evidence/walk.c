// SPDX-License-Identifier: GPL-2.0-or-later
/* Arguments to files, see walk.h. */
#include "evidence/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"

/* A file or directory that was met, by what does not depend on its name. */
struct walk_identity {
	uint64_t device;
	uint64_t inode;
	size_t index; /* in the list of files; WALK_FIRST_NONE: a directory */
};

struct walk {
	struct vec *files;
	struct map seen; /* struct walk_identity */
	char *root;      /* the directory that was named, without links in it; NULL: none */
	bool led_out;    /* root is what a link at the top of that directory leads to */
};

/* Where a link leads. */
enum walk_link {
	WALK_LINK_NONE,   /* no link, or one that stays below the root */
	WALK_LINK_OUT,    /* out of it */
	WALK_LINK_KERNEL, /* out of it, to what the running kernel shows of this machine */
	WALK_LINK_BROKEN,
};

static bool walk_identity_equal(const void *item, const void *key)
{
	const struct walk_identity *a = item;
	const struct walk_identity *b = key;

	return a->device == b->device && a->inode == b->inode;
}

/* NULL the first time that this file or directory is met; else what it was entered as then. */
static const struct walk_identity *walk_find_seen(struct walk *w, const struct stat *st)
{
	struct walk_identity id = {
		.device = st->st_dev,
		.inode = st->st_ino,
		.index = S_ISDIR(st->st_mode) ? WALK_FIRST_NONE : w->files->len,
	};
	uint64_t hash = hash_u64(hash_u64(hash_start(), id.device), id.inode);
	const struct walk_identity *seen = map_find(&w->seen, hash, &id);

	if (!seen)
		map_add(&w->seen, hash, mem_copy(&id, sizeof(id)));
	return seen;
}

static void walk_add(struct walk *w, const char *path, enum walk_outcome outcome, bool named,
		     int errno_value)
{
	struct walk_file *file = vec_push(w->files);

	file->path = mem_copy(path, strlen(path));
	file->outcome = outcome;
	file->named = named;
	file->led_out = w->led_out;
	file->errno_value = errno_value;
	file->first = WALK_FIRST_NONE;
}

static void walk_add_same(struct walk *w, const char *path, bool named,
			  const struct walk_identity *seen)
{
	struct walk_file *file;

	walk_add(w, path, WALK_SAME, named, 0);
	file = vec_last(w->files);
	file->first = seen->index;
}

static enum walk_outcome walk_failure(int errno_value)
{
	if (errno_value == ENOENT || errno_value == ENOTDIR)
		return WALK_MISSING;
	if (errno_value == EACCES || errno_value == EPERM)
		return WALK_DENIED;
	return WALK_UNREADABLE;
}

struct walk_name {
	char *name;
	bool may_be_link; /* the directory does not tell, or says so */
};

static int walk_compare_names(const void *a, const void *b)
{
	return strcmp(((const struct walk_name *)a)->name, ((const struct walk_name *)b)->name);
}

/* The names in a directory, sorted; false: it cannot be read, errno says why. */
static bool walk_list(const char *path, struct vec *names)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	vec_init(names, sizeof(struct walk_name));
	if (!dir)
		return false;
	while ((entry = readdir(dir)) && names->len <= WALK_FILES_MAX) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		*(struct walk_name *)vec_push(names) = (struct walk_name){
			.name = mem_copy(entry->d_name, strlen(entry->d_name)),
			.may_be_link = entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN,
		};
	}
	closedir(dir);
	if (names->len > 0)
		qsort(names->items, names->len, names->item_bytes, walk_compare_names);
	return true;
}

static char *walk_join(const char *directory, const char *name)
{
	size_t len = strlen(directory);
	const char *slash = len > 0 && directory[len - 1] == '/' ? "" : "/";
	char *path = NULL;

	if (asprintf(&path, "%s%s%s", directory, slash, name) < 0)
		abort();
	return path;
}

static bool walk_is_below(const char *path, const char *root)
{
	size_t len = strlen(root);

	if (strncmp(path, root, len) != 0)
		return false;
	return path[len] == '\0' || path[len] == '/' || (len > 0 && root[len - 1] == '/');
}

/* target: PATH_MAX bytes, filled with where a link leads, without links in it, if it leads out. */
static enum walk_link walk_follow(const struct walk *w, const char *path, char *target)
{
	static const char *const kernels[] = {"/proc", "/sys", "/dev", "/run"};
	struct stat st;

	if (!w->root || lstat(path, &st) != 0 || !S_ISLNK(st.st_mode))
		return WALK_LINK_NONE;
	if (!realpath(path, target))
		return errno == ENOENT || errno == ENOTDIR ? WALK_LINK_BROKEN : WALK_LINK_NONE;
	if (walk_is_below(target, w->root))
		return WALK_LINK_NONE;
	for (size_t i = 0; i < sizeof(kernels) / sizeof(*kernels); i++)
		if (walk_is_below(target, kernels[i]))
			return WALK_LINK_KERNEL;
	return WALK_LINK_OUT;
}

static void walk_path(struct walk *w, const char *path, unsigned int depth, bool may_be_link);

static void walk_directory(struct walk *w, const char *path, unsigned int depth)
{
	struct vec names;

	if (depth >= WALK_DEPTH_MAX) {
		walk_add(w, path, WALK_TOO_DEEP, depth == 0, 0);
		return;
	}
	if (!walk_list(path, &names)) {
		int errno_value = errno;

		walk_add(w, path, walk_failure(errno_value), depth == 0, errno_value);
	}
	for (size_t i = 0; i < names.len; i++) {
		struct walk_name *name = vec_at(&names, i);
		char *below = walk_join(path, name->name);

		walk_path(w, below, depth + 1, name->may_be_link);
		free(below);
		free(name->name);
	}
	vec_deinit(&names);
}

/* What is there, links followed. */
static void walk_entry(struct walk *w, const char *path, unsigned int depth)
{
	const struct walk_identity *seen;
	bool named = depth == 0;
	struct stat st;

	if (stat(path, &st) != 0) {
		int errno_value = errno;
		/* What goes on behind a file may be a name in an archive: source_open knows. */
		bool maybe = named && errno_value == ENOTDIR;

		walk_add(w, path, maybe ? WALK_CANDIDATE : walk_failure(errno_value), named,
			 maybe ? 0 : errno_value);
	} else if (S_ISDIR(st.st_mode)) {
		seen = walk_find_seen(w, &st);
		if (!seen)
			walk_directory(w, path, depth);
		else if (named)
			walk_add_same(w, path, true, seen);
	} else if (!S_ISREG(st.st_mode)) {
		walk_add(w, path, named ? WALK_CANDIDATE : WALK_SPECIAL, named, 0);
	} else if ((seen = walk_find_seen(w, &st))) {
		walk_add_same(w, path, named, seen);
	} else if (access(path, R_OK) != 0) {
		int errno_value = errno;

		walk_add(w, path, walk_failure(errno_value), named, errno_value);
	} else {
		walk_add(w, path, WALK_CANDIDATE, named, 0);
	}
}

/* A link at the top of the directory that was named: what it leads to is a directory by itself. */
static void walk_behind(struct walk *w, const char *path, char *target)
{
	char *root = w->root;

	w->root = target;
	w->led_out = true;
	walk_entry(w, path, 1);
	w->led_out = false;
	w->root = root;
}

/* One file, named (depth 0: its link is followed) or found. Depth is bounded by walk_directory. */
static void walk_path(struct walk *w, const char *path, unsigned int depth, bool may_be_link)
{
	bool named = depth == 0;
	char target[PATH_MAX];
	enum walk_link link;

	if (w->files->len >= WALK_FILES_MAX) {
		const struct walk_file *last = vec_last(w->files);

		if (last && last->outcome != WALK_TOO_MANY)
			walk_add(w, path, WALK_TOO_MANY, named, 0);
		return;
	}
	if (named && strcmp(path, "-") == 0) {
		walk_add(w, path, WALK_CANDIDATE, true, 0);
		return;
	}
	link = may_be_link ? walk_follow(w, path, target) : WALK_LINK_NONE;
	if (link == WALK_LINK_BROKEN)
		walk_add(w, path, WALK_NOWHERE, false, 0);
	else if (link == WALK_LINK_OUT && depth == 1)
		walk_behind(w, path, target);
	else if (link != WALK_LINK_NONE)
		walk_add(w, path, WALK_OUTSIDE, false, 0);
	else
		walk_entry(w, path, depth);
}

void walk_expand(const char *const *args, size_t arg_count, struct vec *files)
{
	struct walk w = {.files = files};
	size_t index = 0;
	void *item;

	vec_init(files, sizeof(struct walk_file));
	map_init(&w.seen, walk_identity_equal);
	for (size_t i = 0; i < arg_count; i++) {
		w.root = realpath(args[i], NULL);
		walk_path(&w, args[i], 0, false);
		free(w.root);
	}
	while ((item = map_next(&w.seen, &index)))
		free(item);
	map_deinit(&w.seen);
}

void walk_deinit(struct vec *files)
{
	for (size_t i = 0; i < files->len; i++) {
		struct walk_file *file = vec_at(files, i);

		free(file->path);
	}
	vec_deinit(files);
}

const char *walk_outcome_text(enum walk_outcome outcome)
{
	static const char *const texts[] = {
		[WALK_CANDIDATE] = "to be read",
		[WALK_MISSING] = "does not exist",
		[WALK_DENIED] = "may not be read by this user",
		[WALK_SPECIAL] = "is a device, socket or pipe",
		[WALK_TOO_DEEP] = "lies too deep",
		[WALK_TOO_MANY] = "and all behind it: too many files",
		[WALK_UNREADABLE] = "cannot be read",
		[WALK_OUTSIDE] = "is a link that leads out of the directory",
		[WALK_NOWHERE] = "is a link that leads nowhere",
		[WALK_SAME] = "is a file that was there before",
	};

	return texts[outcome];
}
