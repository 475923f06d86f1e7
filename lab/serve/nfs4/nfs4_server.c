// SPDX-License-Identifier: GPL-2.0-or-later
/* The NFSv4 server as a whole: made, destroyed, and the keys of its tables. See nfs4_server.h. */
#include "base/mem.h"
#include "lab/serve/nfs4/nfs4_callback.h"
#include "lab/serve/nfs4/nfs4_lease.h"
#include "lab/serve/nfs4/nfs4_state.h"
#include "lab/serve/tree/tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	DEFAULT_LEASE_SECONDS = 90, /* nfsd's too */
	DEFAULT_SLOTS = 160,        /* NFSD_MAX_SLOTS_PER_SESSION */
	DEFAULT_IO_BYTES = 1 << 20,
	SCRATCH_EXTRA = 64 << 10,
};

static bool client_has_id(const void *item, const void *key)
{
	return ((const struct nfs4_client *)item)->id == *(const uint64_t *)key;
}

static bool client_has_owner(const void *item, const void *key)
{
	const struct nfs4_client *client = item;

	return slice_equal(slice_make(client->owner, client->owner_len),
			   *(const struct slice *)key);
}

static bool session_has_id(const void *item, const void *key)
{
	return memcmp(((const struct nfs4_session *)item)->id, key, 16) == 0;
}

static bool state_has_number(const void *item, const void *key)
{
	return ((const struct nfs4_state *)item)->number == *(const uint64_t *)key;
}

static bool file_has_id(const void *item, const void *key)
{
	return ((const struct nfs4_file *)item)->fileid == *(const uint64_t *)key;
}

static void defaults_set(struct nfs4_server *server)
{
	struct nfs4_server_config *config = &server->config;

	if (config->lease_seconds == 0)
		config->lease_seconds = DEFAULT_LEASE_SECONDS;
	if (config->grace_seconds == 0)
		config->grace_seconds = config->lease_seconds;
	if (config->max_slots == 0)
		config->max_slots = DEFAULT_SLOTS;
	if (config->max_slots > NFS4_MAX_SLOTS)
		config->max_slots = NFS4_MAX_SLOTS;
	if (config->max_io_bytes == 0)
		config->max_io_bytes = DEFAULT_IO_BYTES;
	if (config->max_minor > 2)
		config->max_minor = 2;
	server->lease_ns = config->lease_seconds * NFS4_SECOND;
	server->owner = mem_copy(config->owner, strlen(config->owner));
	server->scope = mem_copy(config->scope, strlen(config->scope));
	config->owner = NULL;
	config->scope = NULL;
}

struct nfs4_server *nfs4_server_create(const struct nfs4_server_config *config, int64_t now_ns)
{
	struct nfs4_server *server = mem_alloc(1, sizeof(*server));

	server->config = *config;
	defaults_set(server);
	server->grace_end_ns = now_ns; /* nobody was there before */
	server->next_client = 1;
	server->next_session = 1;
	server->next_state = 1;
	for (int confirmed = 0; confirmed < 2; confirmed++) {
		map_init(&server->by_id[confirmed], client_has_id);
		map_init(&server->by_owner[confirmed], client_has_owner);
	}
	map_init(&server->sessions, session_has_id);
	map_init(&server->states, state_has_number);
	map_init(&server->files, file_has_id);
	nfs4_list_init(&server->clients);
	nfs4_list_init(&server->reclaimers);
	nfs4_list_init(&server->callbacks);
	nfs4_server_boot(server, config->boot_seconds);
	server->scratch_bytes = server->config.max_io_bytes + SCRATCH_EXTRA;
	server->scratch = mem_alloc(1, server->scratch_bytes);
	return server;
}

void nfs4_server_boot(struct nfs4_server *server, uint32_t boot_seconds)
{
	/* Two starts in one second are two: the clients of the first are strangers to the second.
	 */
	server->boot = boot_seconds > server->boot ? boot_seconds : server->boot + 1;
	for (uint32_t i = 0; i < 4; i++)
		server->write_verifier[i] = (uint8_t)(server->boot >> (8 * i));
}

void nfs4_server_clear(struct nfs4_server *server)
{
	while (!nfs4_list_empty(&server->clients))
		nfs4_client_destroy(server,
				    NFS4_ITEM(server->clients.next, struct nfs4_client, in_server));
	while (!nfs4_list_empty(&server->callbacks))
		nfs4_pending_destroy(server, NFS4_ITEM(server->callbacks.next,
						       struct nfs4_pending_callback, in_server));
}

void nfs4_server_destroy(struct nfs4_server *server)
{
	if (!server)
		return;
	nfs4_server_clear(server);
	nfs4_reclaimers_clear(server);
	for (int confirmed = 0; confirmed < 2; confirmed++) {
		map_deinit(&server->by_id[confirmed]);
		map_deinit(&server->by_owner[confirmed]);
	}
	map_deinit(&server->sessions);
	map_deinit(&server->states);
	map_deinit(&server->files);
	free(server->owner);
	free(server->scope);
	free(server->scratch);
	free(server);
}

void nfs4_log(struct nfs4_server *server, const char *format, ...)
{
	const struct nfs4_server_ops *ops = &server->config.ops;
	char text[512];
	va_list list;

	if (!ops->log)
		return;
	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	ops->log(ops->context, text);
}
