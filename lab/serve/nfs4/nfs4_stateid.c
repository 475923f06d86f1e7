// SPDX-License-Identifier: GPL-2.0-or-later
/* See nfs4_stateid.h. */
#include "lab/serve/nfs4/nfs4_stateid.h"
#include "base/hash.h"
#include "base/mem.h"
#include "lab/serve/nfs4/nfs4_callback.h"
#include "lab/serve/nfs4/nfs4_lease.h"
#include "lab/serve/tree/tree.h"

#include <stdlib.h>

static uint64_t number_hash(uint64_t number)
{
	return hash_u64(hash_start(), number);
}

struct nfs4_file *nfs4_file_find(struct nfs4_server *server, uint64_t fileid)
{
	return map_find(&server->files, number_hash(fileid), &fileid);
}

/* A file is held in the tree as long as a state protects it: removed, it stays readable. */
static struct nfs4_file *file_get(struct nfs4_server *server, uint64_t fileid)
{
	struct nfs4_file *file = nfs4_file_find(server, fileid);

	if (file)
		return file;
	if (tree_hold(server->config.tree, fileid) != TREE_OK)
		return NULL;
	file = mem_alloc(1, sizeof(*file));
	file->fileid = fileid;
	nfs4_list_init(&file->states);
	nfs4_list_init(&file->ranges);
	map_add(&server->files, number_hash(fileid), file);
	return file;
}

static void file_put(struct nfs4_server *server, struct nfs4_file *file)
{
	if (!nfs4_list_empty(&file->states))
		return;
	map_remove(&server->files, number_hash(file->fileid), &file->fileid);
	tree_release(server->config.tree, file->fileid);
	free(file);
}

struct nfs4_state *nfs4_state_create(struct nfs4_server *server, enum nfs4_state_kind kind,
				     struct nfs4_client *client, struct nfs4_owner *owner,
				     uint64_t fileid)
{
	struct nfs4_state *state;
	struct nfs4_file *file;

	if (server->state_count >= NFS4_MAX_STATES)
		return NULL;
	file = file_get(server, fileid);
	if (!file)
		return NULL;
	state = mem_alloc(1, sizeof(*state));
	state->client = client;
	state->owner = owner;
	state->file = file;
	state->kind = kind;
	state->number = server->next_state++;
	state->seqid = 1;
	state->resend_ns = NFS4_NEVER;
	nfs4_list_append(&client->states, &state->in_client);
	nfs4_list_append(&file->states, &state->in_file);
	if (owner)
		nfs4_list_append(&owner->states, &state->in_owner);
	map_add(&server->states, number_hash(state->number), state);
	server->state_count++;
	return state;
}

static void ranges_drop(struct nfs4_server *server, struct nfs4_state *state)
{
	struct nfs4_link *next;

	for (struct nfs4_link *link = state->file->ranges.next; link != &state->file->ranges;
	     link = next) {
		struct nfs4_range *range = NFS4_ITEM(link, struct nfs4_range, in_file);

		next = link->next;
		if (range->state != state)
			continue;
		nfs4_list_remove(link);
		server->range_count--;
		free(range);
	}
}

/* The lock states that came of an open die with it. */
static void locks_drop(struct nfs4_server *server, struct nfs4_state *open)
{
	struct nfs4_link *next;

	for (struct nfs4_link *link = open->client->states.next; link != &open->client->states;
	     link = next) {
		struct nfs4_state *state = NFS4_ITEM(link, struct nfs4_state, in_client);

		next = link->next;
		if (state->kind == NFS4_LOCK && state->open == open)
			nfs4_state_destroy(server, state);
	}
}

/* Takes it off its file; what it protected is free. */
static void protection_end(struct nfs4_server *server, struct nfs4_state *state)
{
	struct nfs4_file *file = state->file;

	if (!file)
		return;
	if (state->kind == NFS4_OPEN)
		locks_drop(server, state);
	ranges_drop(server, state);
	nfs4_list_remove(&state->in_file);
	state->file = NULL;
	state->open = NULL;
	file_put(server, file);
}

static uint32_t *life_counter(struct nfs4_client *client, enum nfs4_state_life life)
{
	switch (life) {
	case NFS4_REVOKED:
		return &client->revoked_count;
	case NFS4_ADMIN_REVOKED:
		return &client->admin_revoked_count;
	case NFS4_STATE_EXPIRED:
		return &client->expired_count;
	case NFS4_VALID:
	case NFS4_CLOSED:
		break;
	}
	return NULL;
}

void nfs4_state_end(struct nfs4_server *server, struct nfs4_state *state, enum nfs4_state_life life)
{
	uint32_t *counter = life_counter(state->client, life);

	protection_end(server, state);
	state->life = life;
	/* An owner is not kept by what it has closed; what was taken from it keeps it. */
	if (life == NFS4_CLOSED)
		nfs4_list_remove(&state->in_owner);
	if (counter)
		(*counter)++;
}

void nfs4_state_destroy(struct nfs4_server *server, struct nfs4_state *state)
{
	uint32_t *counter = life_counter(state->client, state->life);
	uint64_t number = state->number;

	protection_end(server, state);
	if (counter)
		(*counter)--;
	if (state->kind == NFS4_DELEG)
		nfs4_callbacks_forget(server, state->number);
	if (state->owner && state->owner->closed == state)
		state->owner->closed = NULL;
	nfs4_list_remove(&state->in_client);
	nfs4_list_remove(&state->in_owner);
	map_remove(&server->states, number_hash(number), &number);
	server->state_count--;
	/* In 4.1 an owner is nothing without its states; in 4.0 its sequence goes on. */
	if (state->owner && state->client->by_exchange_id && nfs4_list_empty(&state->owner->states))
		nfs4_owner_destroy(server, state->owner);
	free(state);
}

void nfs4_client_states_drop(struct nfs4_server *server, struct nfs4_client *client)
{
	while (!nfs4_list_empty(&client->states))
		nfs4_state_destroy(server,
				   NFS4_ITEM(client->states.next, struct nfs4_state, in_client));
	while (!nfs4_list_empty(&client->owners))
		nfs4_owner_destroy(server,
				   NFS4_ITEM(client->owners.next, struct nfs4_owner, in_client));
}

struct nfs4_stateid4 nfs4_stateid_of(const struct nfs4_state *state)
{
	struct nfs4_stateid4 id = {.seqid = state->seqid};

	/* nfsd's stateid_opaque_t: the client's ID, then the number. */
	for (uint32_t i = 0; i < 8; i++)
		id.other[i] = (uint8_t)(state->client->id >> (56 - 8 * i));
	for (uint32_t i = 0; i < 4; i++)
		id.other[8 + i] = (uint8_t)(state->number >> (8 * i));
	return id;
}

void nfs4_state_bump(struct nfs4_state *state)
{
	if (++state->seqid == 0)
		state->seqid = 1;
}

static bool all_bytes(const struct nfs4_stateid4 *stateid, uint8_t byte)
{
	for (size_t i = 0; i < sizeof(stateid->other); i++) {
		if (stateid->other[i] != byte)
			return false;
	}
	return true;
}

bool nfs4_stateid_is_zero(const struct nfs4_stateid4 *stateid)
{
	return stateid->seqid == 0 && all_bytes(stateid, 0);
}

bool nfs4_stateid_is_one(const struct nfs4_stateid4 *stateid)
{
	return stateid->seqid == UINT32_MAX && all_bytes(stateid, 0xff);
}

uint64_t nfs4_stateid_client(const struct nfs4_stateid4 *stateid)
{
	uint64_t id = 0;

	for (uint32_t i = 0; i < 8; i++)
		id = id << 8 | stateid->other[i];
	return id;
}

static uint32_t stateid_number(const struct nfs4_stateid4 *stateid)
{
	uint32_t number = 0;

	for (uint32_t i = 0; i < 4; i++)
		number |= (uint32_t)stateid->other[8 + i] << (8 * i);
	return number;
}

/* nfsd's check_stateid_generation. */
static uint32_t seqid_check(const struct nfs4_run *run, uint32_t seqid,
			    const struct nfs4_state *state)
{
	if (seqid == state->seqid || (run->minor > 0 && seqid == 0))
		return NFS4_OK;
	/* Newer than ours: the client has it from nobody. */
	if ((int32_t)(seqid - state->seqid) > 0)
		return NFS4ERR_BAD_STATEID;
	return NFS4ERR_OLD_STATEID;
}

static uint32_t life_check(const struct nfs4_run *run, const struct nfs4_state *state,
			   uint32_t wanted)
{
	if ((wanted & NFS4_WANT_ENDED) && state->life != NFS4_CLOSED)
		return NFS4_OK;
	switch (state->life) {
	case NFS4_VALID:
		break;
	case NFS4_CLOSED:
		return wanted & NFS4_WANT_CLOSED ? NFS4_OK : NFS4ERR_BAD_STATEID;
	case NFS4_REVOKED:
		return run->minor > 0 ? NFS4ERR_DELEG_REVOKED : NFS4ERR_BAD_STATEID;
	case NFS4_ADMIN_REVOKED:
		return NFS4ERR_ADMIN_REVOKED;
	case NFS4_STATE_EXPIRED:
		return NFS4ERR_EXPIRED;
	}
	return NFS4_OK;
}

uint32_t nfs4_client_of(struct nfs4_run *run, uint64_t clientid, struct nfs4_client **out)
{
	if (run->session) {
		/* RFC 8881 section 18.16.3: the session tells, the field is not looked at. */
		*out = run->client;
		return NFS4_OK;
	}
	if (nfs4_clientid_stale(run->server, clientid))
		return NFS4ERR_STALE_CLIENTID;
	*out = nfs4_client_by_id(run->server, clientid, true);
	if (!*out || (*out)->by_exchange_id)
		return NFS4ERR_EXPIRED;
	nfs4_client_renew(*out, run->now_ns);
	run->client = *out;
	return NFS4_OK;
}

static uint32_t client_of_stateid(struct nfs4_run *run, const struct nfs4_stateid4 *stateid,
				  struct nfs4_client **out)
{
	uint64_t id = nfs4_stateid_client(stateid);
	uint32_t status;

	if (run->session) {
		*out = run->client;
		return id == run->client->id ? NFS4_OK : NFS4ERR_BAD_STATEID;
	}
	status = nfs4_client_of(run, id, out);
	return status == NFS4ERR_STALE_CLIENTID ? NFS4ERR_STALE_STATEID : status;
}

struct nfs4_state *nfs4_state_by_number(struct nfs4_server *server, uint32_t number)
{
	uint64_t key = number;

	return map_find(&server->states, number_hash(key), &key);
}

struct nfs4_stateid4 nfs4_stateid_give(struct nfs4_run *run, const struct nfs4_state *state)
{
	run->current.has_stateid = true;
	run->current.stateid = nfs4_stateid_of(state);
	return run->current.stateid;
}

/* "The current stateid": sequence 1 and zeroes. */
static bool is_current(const struct nfs4_run *run, const struct nfs4_stateid4 *stateid)
{
	return run->minor > 0 && stateid->seqid == 1 && all_bytes(stateid, 0) &&
	       run->current.has_stateid;
}

bool nfs4_state_has_ranges(const struct nfs4_state *state)
{
	if (!state->file)
		return false;
	for (const struct nfs4_link *link = state->file->ranges.next; link != &state->file->ranges;
	     link = link->next) {
		if (NFS4_ITEM(link, struct nfs4_range, in_file)->state == state)
			return true;
	}
	return false;
}

uint32_t nfs4_stateid_find_loose(struct nfs4_run *run, const struct nfs4_stateid4 *stateid,
				 uint32_t wanted, struct nfs4_state **out)
{
	static const uint32_t kinds[] = {
		[NFS4_OPEN] = NFS4_WANT_OPEN,
		[NFS4_LOCK] = NFS4_WANT_LOCK,
		[NFS4_DELEG] = NFS4_WANT_DELEG,
	};
	struct nfs4_client *client;
	struct nfs4_state *state;
	uint32_t status;

	if (is_current(run, stateid))
		stateid = &run->current.stateid;
	if (nfs4_stateid_is_zero(stateid) || nfs4_stateid_is_one(stateid))
		return NFS4ERR_BAD_STATEID;
	status = client_of_stateid(run, stateid, &client);
	if (status != NFS4_OK)
		return status;
	state = nfs4_state_by_number(run->server, stateid_number(stateid));
	if (!state || state->client != client || !(kinds[state->kind] & wanted))
		return NFS4ERR_BAD_STATEID;
	status = life_check(run, state, wanted);
	if (status == NFS4_OK)
		*out = state;
	return status;
}

uint32_t nfs4_stateid_find(struct nfs4_run *run, const struct nfs4_stateid4 *stateid,
			   uint32_t wanted, struct nfs4_state **out)
{
	struct nfs4_state *state;
	uint32_t status = nfs4_stateid_find_loose(run, stateid, wanted, &state);

	if (is_current(run, stateid))
		stateid = &run->current.stateid;
	if (status == NFS4_OK)
		status = seqid_check(run, stateid->seqid, state);
	if (status == NFS4_OK)
		*out = state;
	return status;
}

/* What is open stands against reading or writing without an open. nfsd's nfs4_share_conflict. */
static bool denied(struct nfs4_run *run, uint32_t deny)
{
	struct nfs4_file *file = nfs4_file_find(run->server, run->current.fileid);

	if (!file)
		return false;
	for (struct nfs4_link *link = file->states.next; link != &file->states; link = link->next) {
		struct nfs4_state *state = NFS4_ITEM(link, struct nfs4_state, in_file);

		if (state->kind == NFS4_OPEN && (state->deny & deny))
			return true;
	}
	return false;
}

/* nfsd's check_special_stateids. */
static uint32_t special_check(struct nfs4_run *run, bool is_one, bool is_write)
{
	if (is_one && !is_write)
		return NFS4_OK;
	if (nfs4_in_grace(run->server, run->now_ns))
		return NFS4ERR_GRACE;
	if (denied(run, is_write ? OPEN4_SHARE_DENY_WRITE : OPEN4_SHARE_DENY_READ))
		return NFS4ERR_LOCKED;
	return NFS4_OK;
}

/* nfsd's nfs4_check_openmode and nfs4_check_delegmode. */
static uint32_t mode_check(const struct nfs4_state *state, bool is_write)
{
	if (state->kind == NFS4_DELEG)
		return is_write && state->deleg_type == OPEN_DELEGATE_READ ? NFS4ERR_OPENMODE
									   : NFS4_OK;
	if (state->kind == NFS4_LOCK)
		state = state->open;
	/* A file that is only written may be read: clients fill pages. */
	if (is_write && !(state->access & OPEN4_SHARE_ACCESS_WRITE))
		return NFS4ERR_OPENMODE;
	return NFS4_OK;
}

uint32_t nfs4_stateid_check_io(struct nfs4_run *run, const struct nfs4_stateid4 *stateid,
			       bool is_write, struct nfs4_state **out)
{
	bool is_one = nfs4_stateid_is_one(stateid);
	struct nfs4_state *state;
	uint32_t status;

	*out = NULL;
	if (is_one || nfs4_stateid_is_zero(stateid))
		return special_check(run, is_one, is_write);
	status = nfs4_stateid_find(run, stateid, NFS4_WANT_OPEN | NFS4_WANT_LOCK | NFS4_WANT_DELEG,
				   &state);
	if (status != NFS4_OK)
		return status;
	if (!state->file || state->file->fileid != run->current.fileid)
		return NFS4ERR_BAD_STATEID;
	*out = state;
	return mode_check(state, is_write);
}
