// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tables of the NFSv4 model: find or make, with a cap on each. Servers, owners, instances,
 * parties and paths stay for the whole run, and beyond their cap new ones are refused and counted;
 * client IDs and sessions come and go in a reset loop, so the oldest are forgotten first.
 */
#include "model/nfs4/nfs4_internal.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>

/* --- servers --- */

static bool server_equal(const void *item, const void *key)
{
	return endpoint_equal(&((const struct nfs4_server *)item)->at, key);
}

struct nfs4_server *nfs4_server_get(struct nfs4_model *m, const struct endpoint *at)
{
	uint64_t hash = endpoint_hash(hash_start(), at);
	struct nfs4_server *s = map_find(&m->server_map, hash, at);

	if (s)
		return s;
	if (m->servers.len == NFS4_SERVERS_MAX) {
		m->dropped++;
		return NULL;
	}
	s = arena_alloc(&m->arena, sizeof(*s));
	s->at = *at;
	map_add(&m->server_map, hash, s);
	*(struct nfs4_server **)vec_push(&m->servers) = s;
	return s;
}

/* --- owners --- */

struct owner_key {
	const struct nfs4_server *server;
	struct nfs4_name name;
	uint32_t minor_version;
};

static bool owner_equal(const void *item, const void *key)
{
	const struct nfs4_owner *o = item;
	const struct owner_key *k = key;

	return o->server == k->server && o->name.len == k->name.len &&
	       memcmp(o->name.bytes, k->name.bytes, k->name.len) == 0;
}

struct nfs4_owner *nfs4_owner_get(struct nfs4_model *m, struct nfs4_server *server,
				  struct nfs4_name name, uint32_t minor_version)
{
	struct owner_key key = {server, name, minor_version};
	uint64_t hash = hash_u64(hash_bytes(name.bytes, name.len), (uintptr_t)server);
	struct nfs4_owner *o = map_find(&m->owner_map, hash, &key);

	if (o)
		return o;
	if (m->owners.len == NFS4_OWNERS_MAX) {
		m->dropped++;
		return NULL;
	}
	o = arena_alloc(&m->arena, sizeof(*o));
	o->server = server;
	o->minor_version = minor_version;
	o->name.bytes = (const uint8_t *)arena_copy(&m->arena, name.bytes, name.len);
	o->name.len = name.len;
	vec_init(&o->instances, sizeof(struct nfs4_instance *));
	map_add(&m->owner_map, hash, o);
	*(struct nfs4_owner **)vec_push(&m->owners) = o;
	return o;
}

/* --- instances --- */

struct instance_key {
	const struct nfs4_owner *owner;
	const uint8_t *verifier;
};

static bool instance_equal(const void *item, const void *key)
{
	const struct nfs4_instance *i = item;
	const struct instance_key *k = key;

	return i->owner == k->owner && memcmp(i->verifier, k->verifier, NFS4_VERIFIER_BYTES) == 0;
}

struct nfs4_instance *nfs4_instance_get(struct nfs4_model *m, struct nfs4_owner *owner,
					const uint8_t verifier[NFS4_VERIFIER_BYTES])
{
	struct instance_key key = {owner, verifier};
	uint64_t hash = hash_u64(hash_bytes(verifier, NFS4_VERIFIER_BYTES), (uintptr_t)owner);
	struct nfs4_instance *i = map_find(&m->instance_map, hash, &key);

	if (i)
		return i;
	if (m->instances.len == NFS4_INSTANCES_MAX) {
		m->dropped++;
		return NULL;
	}
	i = arena_alloc(&m->arena, sizeof(*i));
	i->owner = owner;
	memcpy(i->verifier, verifier, NFS4_VERIFIER_BYTES);
	map_add(&m->instance_map, hash, i);
	*(struct nfs4_instance **)vec_push(&m->instances) = i;
	*(struct nfs4_instance **)vec_push(&owner->instances) = i;
	return i;
}

/* --- parties and paths --- */

struct nfs4_party *nfs4_party_make(struct nfs4_model *m, struct nfs4_server *server)
{
	struct nfs4_party *p;

	if (m->parties.len == NFS4_PARTIES_MAX) {
		m->dropped++;
		return NULL;
	}
	p = arena_alloc(&m->arena, sizeof(*p));
	p->server = server;
	*(struct nfs4_party **)vec_push(&m->parties) = p;
	return p;
}

struct nfs4_party *nfs4_party_find(struct nfs4_party *p)
{
	while (p && p->merged_into)
		p = p->merged_into;
	return p;
}

static bool path_equal(const void *item, const void *key)
{
	const struct nfs4_path *path = item;
	const struct conn *conn = key;

	return endpoint_equal(&path->client, &conn->client) &&
	       endpoint_equal(&path->server, &conn->server);
}

static uint64_t path_hash(const struct conn *conn)
{
	return endpoint_hash(endpoint_hash(hash_start(), &conn->client), &conn->server);
}

struct nfs4_path *nfs4_path_find(const struct nfs4_model *m, const struct conn *conn)
{
	return map_find(&m->path_map, path_hash(conn), conn);
}

struct nfs4_path *nfs4_path_get(struct nfs4_model *m, const struct conn *conn)
{
	struct nfs4_path *path = m->last_path;
	struct nfs4_server *server;
	uint64_t hash;

	if (path && path->connection == conn->serial)
		return path;
	hash = path_hash(conn);
	path = map_find(&m->path_map, hash, conn);
	if (!path) {
		server = nfs4_server_get(m, &conn->server);
		if (!server || m->path_map.len == NFS4_PATHS_MAX) {
			m->dropped++;
			return NULL;
		}
		path = arena_alloc(&m->arena, sizeof(*path));
		path->client = conn->client;
		path->server = conn->server;
		path->server_at = server;
		path->party = nfs4_party_make(m, server);
		if (!path->party)
			return NULL;
		map_add(&m->path_map, hash, path);
	}
	path->connection = conn->serial;
	m->last_path = path;
	return path;
}

/* --- client IDs --- */

struct clientid_key {
	const struct nfs4_server *server;
	uint64_t id;
};

static bool clientid_equal(const void *item, const void *key)
{
	const struct nfs4_clientid *c = item;
	const struct clientid_key *k = key;

	return c->server == k->server && c->id == k->id;
}

static uint64_t clientid_hash(const struct nfs4_server *server, uint64_t id)
{
	return hash_u64(hash_u64(hash_start(), id), (uintptr_t)server);
}

struct nfs4_clientid *nfs4_clientid_find(const struct nfs4_model *m,
					 const struct nfs4_server *server, uint64_t id)
{
	struct clientid_key key = {server, id};

	return map_find(&m->clientid_map, clientid_hash(server, id), &key);
}

static void clientid_forget_oldest(struct nfs4_model *m)
{
	struct nfs4_clientid *c = m->clientids;
	struct clientid_key key = {c->server, c->id};

	map_remove(&m->clientid_map, clientid_hash(c->server, c->id), &key);
	m->clientids = c->next;
	m->clientids_len--;
	m->forgotten++;
	free(c);
}

struct nfs4_clientid *nfs4_clientid_get(struct nfs4_model *m, struct nfs4_server *server,
					uint64_t id)
{
	struct nfs4_clientid *c = nfs4_clientid_find(m, server, id);

	if (c)
		return c;
	if (m->clientids_len == NFS4_CLIENTIDS_MAX)
		clientid_forget_oldest(m);
	c = mem_alloc(1, sizeof(*c));
	c->server = server;
	c->id = id;
	map_add(&m->clientid_map, clientid_hash(server, id), c);
	if (m->clientids)
		m->clientids_last->next = c;
	else
		m->clientids = c;
	m->clientids_last = c;
	m->clientids_len++;
	return c;
}

/* --- sessions --- */

struct session_key {
	const struct nfs4_server *server;
	const uint8_t *id;
};

static bool session_equal(const void *item, const void *key)
{
	const struct nfs4_session *s = item;
	const struct session_key *k = key;

	return s->server == k->server && memcmp(s->id, k->id, NFS4_SESSIONID_BYTES) == 0;
}

static uint64_t session_hash(const struct nfs4_server *server, const uint8_t *id)
{
	return hash_u64(hash_bytes(id, NFS4_SESSIONID_BYTES), (uintptr_t)server);
}

struct nfs4_session *nfs4_session_find(const struct nfs4_model *m, const struct nfs4_server *server,
				       const uint8_t id[NFS4_SESSIONID_BYTES])
{
	struct session_key key = {server, id};

	return map_find(&m->session_map, session_hash(server, id), &key);
}

static void session_forget_oldest(struct nfs4_model *m)
{
	struct nfs4_session *s = m->sessions;
	struct session_key key = {s->server, s->id};
	struct nfs4_party *party = nfs4_party_find(s->party);

	map_remove(&m->session_map, session_hash(s->server, s->id), &key);
	if (m->last_session == s)
		m->last_session = NULL;
	if (party && party->session == s)
		party->session = NULL;
	m->sessions = s->next;
	m->sessions_len--;
	m->forgotten++;
	nfs4_slots_drop(m, s);
	free(s);
}

struct nfs4_session *nfs4_session_get(struct nfs4_model *m, struct nfs4_server *server,
				      const uint8_t id[NFS4_SESSIONID_BYTES])
{
	struct nfs4_session *s = m->last_session;

	if (s && s->server == server && memcmp(s->id, id, NFS4_SESSIONID_BYTES) == 0)
		return s;
	s = nfs4_session_find(m, server, id);
	if (s)
		return m->last_session = s;
	if (m->sessions_len == NFS4_SESSIONS_MAX)
		session_forget_oldest(m);
	s = mem_alloc(1, sizeof(*s));
	s->server = server;
	memcpy(s->id, id, NFS4_SESSIONID_BYTES);
	map_add(&m->session_map, session_hash(server, id), s);
	if (m->sessions)
		m->sessions_last->next = s;
	else
		m->sessions = s;
	m->sessions_last = s;
	m->sessions_len++;
	return m->last_session = s;
}

/* --- the model --- */

void nfs4_model_init(struct nfs4_model *m)
{
	*m = (struct nfs4_model){0};
	arena_init(&m->arena);
	map_init(&m->server_map, server_equal);
	map_init(&m->owner_map, owner_equal);
	map_init(&m->instance_map, instance_equal);
	map_init(&m->clientid_map, clientid_equal);
	map_init(&m->session_map, session_equal);
	map_init(&m->path_map, path_equal);
	vec_init(&m->servers, sizeof(struct nfs4_server *));
	vec_init(&m->owners, sizeof(struct nfs4_owner *));
	vec_init(&m->instances, sizeof(struct nfs4_instance *));
	vec_init(&m->parties, sizeof(struct nfs4_party *));
}

void nfs4_model_deinit(struct nfs4_model *m)
{
	nfs4_slots_finish(m);
	for (size_t i = 0; i < m->owners.len; i++)
		vec_deinit(&(*(struct nfs4_owner **)vec_at(&m->owners, i))->instances);
	for (size_t i = 0; i < m->parties.len; i++)
		free((*(struct nfs4_party **)vec_at(&m->parties, i))->recoveries);
	for (struct nfs4_clientid *c = m->clientids, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	for (struct nfs4_session *s = m->sessions, *next; s; s = next) {
		next = s->next;
		free(s);
	}
	map_deinit(&m->server_map);
	map_deinit(&m->owner_map);
	map_deinit(&m->instance_map);
	map_deinit(&m->clientid_map);
	map_deinit(&m->session_map);
	map_deinit(&m->path_map);
	vec_deinit(&m->servers);
	vec_deinit(&m->owners);
	vec_deinit(&m->instances);
	vec_deinit(&m->parties);
	arena_deinit(&m->arena);
}
