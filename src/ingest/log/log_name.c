// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names of hosts that texts beside the logs tell, with the host's clock: files of one folder are of
 * that host. Machines that are clones have one name: two folders of one name are of one host only
 * when it is the same boot.
 */
#include <stdlib.h>

#include "ingest/log/log_private.h"

enum { NAMES_MAX = 4096 };

/* Boots that are told from two readings of a host's clock. */
#define SAME_BOOT_NS (2 * STAMP_NS_PER_S)

struct log_name {
	const char *path, *name;
	int64_t boot_ns, error_ns;
};

size_t log_name_bytes(void)
{
	return sizeof(struct log_name);
}

void logs_take_name(struct logs *l, const char *path, const char *name, int64_t boot_ns,
		    int64_t error_ns)
{
	if (l->names.len == NAMES_MAX)
		return;
	*(struct log_name *)vec_push(&l->names) = (struct log_name){
		.path = path,
		.name = arena_text(&l->arena, name),
		.boot_ns = boot_ns,
		.error_ns = error_ns,
	};
}

static const struct log_name *name_at(const struct logs *l, size_t index)
{
	return vec_at(&l->names, index);
}

static bool is_one_boot(const struct log_name *a, const struct log_name *b)
{
	return llabs(a->boot_ns - b->boot_ns) <= a->error_ns + b->error_ns + SAME_BOOT_NS;
}

const char *log_name_of(const struct logs *l, const char *path)
{
	const struct log_name *name = NULL;

	if (!strchr(path, '/'))
		return NULL;
	for (size_t i = 0; i < l->names.len; i++) {
		const struct log_name *n = name_at(l, i);

		if (!log_same_folder(n->path, path))
			continue;
		if (name && strcmp(name->name, n->name) != 0)
			return NULL;
		name = n;
	}
	for (size_t i = 0; name && i < l->names.len; i++) {
		const struct log_name *n = name_at(l, i);

		if (strcmp(n->name, name->name) == 0 && !log_same_folder(n->path, path) &&
		    !is_one_boot(name, n))
			return NULL;
	}
	return name ? name->name : NULL;
}

/* The host of a file of any kind: its own, that of its folder, or that of a log beside it. */
static const char *host_of(const struct logs *l, uint32_t evidence, const char *path)
{
	uint32_t host = LOG_HOST_NONE;
	const char *name;

	for (size_t i = 0; i < l->files.len; i++) {
		const struct log_file *f = vec_at(&l->files, i);

		if (f->evidence == evidence)
			return f->host == LOG_HOST_NONE
				       ? NULL
				       : ((struct log_host *)vec_at(&l->hosts, f->host))->name;
	}
	name = log_name_of(l, path);
	if (name || !strchr(path, '/'))
		return name;
	for (size_t i = 0; i < l->files.len; i++) {
		const struct log_file *f = vec_at(&l->files, i);

		if (!log_same_folder(f->path, path) || f->host == LOG_HOST_NONE)
			continue;
		if (host != LOG_HOST_NONE && host != f->host)
			return NULL;
		host = f->host;
	}
	return host == LOG_HOST_NONE ? NULL : ((struct log_host *)vec_at(&l->hosts, host))->name;
}

void log_names_enter(const struct logs *l)
{
	for (uint32_t i = 0; i < l->evidence->items.len; i++) {
		struct evidence *e = evidence_list_at(l->evidence, i);
		const char *host = host_of(l, i, e->path);

		if (host)
			e->host = arena_text(&l->evidence->arena, host);
	}
}
