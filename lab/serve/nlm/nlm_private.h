/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the lock manager share; nobody else includes it. */
#ifndef LAB_SERVE_NLM_PRIVATE_H
#define LAB_SERVE_NLM_PRIVATE_H

#include "lab/serve/nlm/nlm.h"
#include "lab/serve/program.h"
#include "names/nlm.h"
#include "proto/nlm_xdr.h"

/* Bytes by value. */
struct nlm_bytes {
	uint16_t len;
	uint8_t bytes[NLM_NAME_MAX + 1];
};

/* A client as it was last seen. */
struct nlm_client {
	struct nlm_client *next;
	struct nlm_bytes name; /* as it calls itself */
	struct net_address address;
	struct net_address local; /* where it called us: our name, for it */
	enum rpc_transport transport;
	bool has_local;
};

enum nlm_state { NLM_HELD, NLM_WAITING, NLM_SHARE };

/* A lock, a wait for one, or a share. */
struct nlm_lock {
	struct nlm_lock *next;
	enum nlm_state state;
	struct nlm_client *client;
	struct nlm_bytes owner, cookie;
	int32_t svid;
	uint64_t fileid;
	bool exclusive;
	uint64_t start, end; /* end: of the last byte */
	uint64_t length;     /* as the client said it */
	uint32_t mode, access;
	int64_t tell_ns; /* NLM_HELD: GRANTED is to be sent (again) then; 0: not */
};

struct nlm_server {
	struct tree *tree;
	struct nlm_ops ops;
	int64_t grace_ns, grace_until_ns;
	int64_t frozen_until_ns;
	struct nlm_client *clients;
	size_t clients_len;
	struct nlm_lock *locks; /* in the order in which they came */
	size_t locks_len;
	int32_t state; /* of NSM: odd while up */
	uint64_t next_cookie;
};

/* nlm_locks.c */
/*
 * What stands in the way of this lock, held by somebody else; NULL: nothing. A lock of another
 * protocol is told in *foreign.
 */
const struct nlm_lock *nlm_conflict(const struct nlm_server *n, const struct nlm_lock *wanted,
				    struct nlm_lock *foreign);
bool nlm_same_owner(const struct nlm_lock *a, const struct nlm_lock *b);
/* Appends a copy; NULL when there is no room. */
struct nlm_lock *nlm_add(struct nlm_server *n, const struct nlm_lock *lock);
void nlm_remove(struct nlm_server *n, struct nlm_lock *lock);
/* Takes the range away from what this owner holds. False: no room to split a lock. */
bool nlm_carve(struct nlm_server *n, const struct nlm_lock *range);
/* Grants what waits and can be had now; its clients are told. */
void nlm_grant_waiting(struct nlm_server *n, int64_t now_ns);
/* The wait of the same owner for the same range; NULL: none. */
struct nlm_lock *nlm_waiting_find(const struct nlm_server *n, const struct nlm_lock *wanted);
void nlm_forget_client(struct nlm_server *n, const struct nlm_client *client);
/* The client of that name at the address of this call; NULL when there are too many. */
struct nlm_client *nlm_client_seen(struct nlm_server *n, struct slice name,
				   const struct rpc_in *in);

static inline void nlm_bytes_set(struct nlm_bytes *to, struct slice from)
{
	to->len = (uint16_t)from.len;
	memcpy(to->bytes, from.ptr, from.len);
}

static inline struct slice nlm_bytes_slice(const struct nlm_bytes *b)
{
	return slice_make(b->bytes, b->len);
}

/* nlm_notify.c: what clients are told. */
void nlm_send_granted(struct nlm_server *n, struct nlm_lock *lock, int64_t now_ns);
void nlm_send_notifies(struct nlm_server *n);

#endif
