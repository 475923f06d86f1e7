// SPDX-License-Identifier: GPL-2.0-or-later
/* See paths.h. */
#include "lab/fault/paths.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>

/* One block: the handle's bytes, then the path's. */
struct fault_path {
	uint64_t hash;
	uint16_t handle_len;
	uint16_t path_len;
	uint8_t bytes[];
};

static bool path_equal(const void *item, const void *key)
{
	const struct fault_path *p = item;
	const struct slice *handle = key;

	return slice_equal(slice_make(p->bytes, p->handle_len), *handle);
}

void fault_paths_init(struct fault_paths *paths)
{
	*paths = (struct fault_paths){0};
	map_init(&paths->by_handle, path_equal);
}

void fault_paths_deinit(struct fault_paths *paths)
{
	for (size_t i = 0; paths->ring && i < FAULT_PATHS_MAX; i++)
		free(paths->ring[i]);
	free(paths->ring);
	map_deinit(&paths->by_handle);
}

static void forget(struct fault_paths *paths, size_t place)
{
	struct fault_path *old = paths->ring[place];
	struct slice handle;

	if (!old)
		return;
	handle = slice_make(old->bytes, old->handle_len);
	/* The map may hold a newer entry of the same handle. */
	if (map_find(&paths->by_handle, old->hash, &handle) == old) {
		map_remove(&paths->by_handle, old->hash, &handle);
		paths->forgotten_count++;
	}
	free(old);
	paths->ring[place] = NULL;
}

void fault_paths_learn(struct fault_paths *paths, struct slice handle, struct slice path)
{
	struct slice known = fault_paths_find(paths, handle);
	struct fault_path *p;

	if (!handle.len || handle.len > FAULT_HANDLE_BYTES_MAX || !path.len ||
	    path.len > FAULT_PATH_BYTES_MAX || slice_equal(known, path))
		return;
	if (!paths->ring)
		paths->ring = mem_alloc(FAULT_PATHS_MAX, sizeof(*paths->ring));
	p = mem_alloc(1, sizeof(*p) + handle.len + path.len);
	p->hash = hash_bytes(handle.ptr, handle.len);
	p->handle_len = (uint16_t)handle.len;
	p->path_len = (uint16_t)path.len;
	memcpy(p->bytes, handle.ptr, handle.len);
	memcpy(p->bytes + handle.len, path.ptr, path.len);
	forget(paths, paths->next);
	map_remove(&paths->by_handle, p->hash, &handle);
	map_add(&paths->by_handle, p->hash, p);
	paths->ring[paths->next] = p;
	paths->next = (paths->next + 1) % FAULT_PATHS_MAX;
}

struct slice fault_paths_find(const struct fault_paths *paths, struct slice handle)
{
	const struct fault_path *p;

	if (!handle.len || !paths->ring)
		return (struct slice){0};
	p = map_find(&paths->by_handle, hash_bytes(handle.ptr, handle.len), &handle);
	return p ? slice_make(p->bytes + p->handle_len, p->path_len) : (struct slice){0};
}

static size_t add(char *out, size_t size, size_t len, const void *bytes, size_t count)
{
	if (count > size - len)
		count = size - len;
	memcpy(out + len, bytes, count);
	return len + count;
}

size_t fault_path_join(struct slice dir, struct slice name, char *out, size_t size)
{
	size_t len = dir.len ? add(out, size, 0, dir.ptr, dir.len) : add(out, size, 0, "?", 1);

	if (len == 0 || out[len - 1] != '/')
		len = add(out, size, len, "/", 1);
	return name.len ? add(out, size, len, name.ptr, name.len) : len;
}
