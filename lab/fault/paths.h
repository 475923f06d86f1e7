/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which path a file handle stands for, as far as replies told it (MOUNT, LOOKUP, CREATE, OPEN with
 * GETFH, READDIRPLUS). Bounded: the oldest of FAULT_PATHS_MAX handles makes room for a new one. A
 * path that was renamed since is the old one until it is looked up again.
 */
#ifndef FAULT_PATHS_H
#define FAULT_PATHS_H

#include "base/map.h"
#include "base/slice.h"

enum {
	FAULT_PATHS_MAX = 16384,
	FAULT_HANDLE_BYTES_MAX = 128, /* NFS4_FHSIZE, the longest of all versions */
	FAULT_PATH_BYTES_MAX = 512,   /* longer paths are not kept */
};

struct fault_path;

struct fault_paths {
	struct map by_handle;
	struct fault_path **ring; /* FAULT_PATHS_MAX places, NULL until the first handle */
	size_t next;              /* the place that is used next */
	uint64_t forgotten_count; /* handles that made room */
};

void fault_paths_init(struct fault_paths *paths);
void fault_paths_deinit(struct fault_paths *paths);

/* The handle stands for this path from now on. Copies both; ignores what is too long or empty. */
void fault_paths_learn(struct fault_paths *paths, struct slice handle, struct slice path);

/* The handle's path, borrowed until the next call of learn; empty when it is not known. */
struct slice fault_paths_find(const struct fault_paths *paths, struct slice handle);

/*
 * The path of `name` in the directory: "dir/name". An unknown directory is written as "?". The text
 * is cut at size bytes; its length is returned.
 */
size_t fault_path_join(struct slice dir, struct slice name, char *out, size_t size);

#endif
