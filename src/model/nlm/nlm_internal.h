/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the NLM model share: the table of locks (nlm_table.c), restarts and what
 * follows from them (nlm_restart.c), denials (nlm_denied.c), and the rest (nlm.c).
 */
#ifndef MODEL_NLM_INTERNAL_H
#define MODEL_NLM_INTERNAL_H

#include "model/nlm/nlm.h"

/* A file with locks on it, as one server knows it. */
struct nlm_file {
	struct endpoint server; /* port 0 */
	struct file_handle handle;
	struct nlm_lock *locks; /* held or waited for; newest first */
	uint32_t locks_len;
	struct nlm_holder told; /* by the last TEST that was denied */
};

/* What a message says of a lock, with whose it is and whom it was sent to. */
struct nlm_request {
	const struct nlm_told *told;
	const struct conn *conn;
	struct endpoint client, server; /* hosts, port 0: of the lock's owner, of the manager */
	struct provenance call, reply;
	uint32_t status, xid;
};

void nlm_table_init(struct nlm_model *m);
void nlm_table_deinit(struct nlm_model *m);

/* Empties the table: what is still held or waited for is told as it is, the oldest first. */
void nlm_table_finish(struct nlm_model *m);

/* The file of the request; NULL when it has no locks. */
struct nlm_file *nlm_file_find(const struct nlm_model *m, const struct nlm_request *r);

/* The lock of this owner and range that is waited for; NULL: none. */
struct nlm_lock *nlm_lock_waiting(const struct nlm_file *file, const struct nlm_request *r);

/* The lock of this owner and just this range that is held; NULL: none. */
struct nlm_lock *nlm_lock_held(const struct nlm_file *file, const struct nlm_request *r);

/* A new lock, in the state NLM_TRYING. */
struct nlm_lock *nlm_lock_add(struct nlm_model *m, const struct nlm_request *r);

/* Ends the lock: it is told, kept if it had to wait, and freed otherwise. */
void nlm_lock_end(struct nlm_model *m, struct nlm_lock *lock, enum nlm_state state,
		  const struct provenance *at);

/* True when both cannot be held at once (by different owners). */
bool nlm_lock_conflicts(const struct nlm_lock *held, const struct nlm_lock *wanted);

/* Takes the range from what its owner holds of the file, except for `keep`. */
void nlm_lock_carve(struct nlm_model *m, struct nlm_file *file, const struct nlm_request *r,
		    const struct nlm_lock *keep);

/* True when `a` and `b` are of one owner. */
bool nlm_owner_same(const struct nlm_owner *a, const struct nlm_owner *b);

/* The owner that the request names. */
struct nlm_owner nlm_request_owner(const struct nlm_request *r);

/* --- small things (nlm.c) --- */

/* The host that called, and the one that has to answer; port 0. */
struct endpoint nlm_rpc_caller(const struct rpc_call *c);
struct endpoint nlm_rpc_answerer(const struct rpc_call *c);

/* Nanoseconds from a to b; 0 when they are not on one clock. */
int64_t nlm_apart(struct stamp a, struct stamp b);

/* --- nlm_restart.c --- */

void nlm_grace_add(struct nlm_model *m, const struct nlm_request *r);

/* A lock was granted: the grace period may be over, or goes on with reclaims. */
void nlm_grace_note_grant(struct nlm_model *m, const struct nlm_request *r);

/* LOCK with the reclaim flag was answered. */
void nlm_reclaim_note(struct nlm_model *m, const struct nlm_request *r);

/* `lock` is held, and the request got it, or a part of it. */
void nlm_taken_add(struct nlm_model *m, const struct nlm_lock *lock, const struct nlm_request *r);

/* Any call, of any program. */
void nlm_taken_hear(struct nlm_model *m, const struct event *e);

/* UNLOCK was granted. */
void nlm_taken_note_unlock(struct nlm_model *m, const struct nlm_request *r);

void nlm_notify_take(struct nlm_model *m, const struct event *e);
void nlm_notify_take_repeat(struct nlm_model *m, const struct event *e);
void nlm_notify_take_reply(struct nlm_model *m, const struct event *e);

/* --- nlm_denied.c --- */

/* Any request was answered DENIED_NOLOCKS; what it was about need not be known. */
void nlm_denial_add(struct nlm_model *m, const struct nlm_request *r);

/* Answers to LOCK: DENIED, or GRANTED to another copy of what was denied. */
void nlm_denied_note(struct nlm_model *m, const struct nlm_request *r);

/* UNLOCK was granted. */
void nlm_denied_note_unlock(struct nlm_model *m, const struct nlm_request *r);

/* One more reply to a call. */
void nlm_denied_take_repeat(struct nlm_model *m, const struct event *e);

void nlm_denied_init(struct nlm_model *m);
void nlm_denied_deinit(struct nlm_model *m);

#endif
