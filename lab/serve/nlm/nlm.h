/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lock manager: NLM version 4 (RFC 1813 section 6, X/Open CAE C702 chapter 10) and the part of
 * the status monitor (NSM) that a server needs. Where they leave room it does what Linux lockd does
 * (fs/lockd/svc4proc.c, svclock.c). Locks of NFSv4 stand against its own, by way of ops.held.
 */
#ifndef LAB_SERVE_NLM_H
#define LAB_SERVE_NLM_H

#include "lab/rpc/message.h"
#include "lab/serve/held_range.h"
#include "lab/serve/tree/tree.h"

enum {
	NLM_LOCKS_MAX = 65536, /* held, waiting and shares; beyond: DENIED_NOLOCKS */
	NLM_CLIENTS_MAX = 1024,
	NLM_NAME_MAX = 255, /* of a client; longer ones are refused */
	NLM_OWNER_MAX = 64, /* of an owner handle; longer ones are refused */
	NLM_COOKIE_MAX = 32,
	NLM_CALL_BYTES_MAX = 1024, /* arguments of a call to a client */
};

/* A call of the lock manager to a client: program NLM version 4, or NSM version 1. */
struct nlm_send {
	const struct net_address *client; /* its port is not that of the program */
	enum rpc_transport transport;
	uint32_t program, version, procedure;
	struct slice args; /* borrowed until the function returns */
};

struct nlm_ops {
	/* Sends it, if it can; no answer is waited for. */
	void (*send)(void *context, const struct nlm_send *send);
	void (*log)(void *context, const char *text);
	held_range_fn *held; /* what others hold; NULL: there are none */
	void *context;
};

struct nlm_server;

/* The tree is borrowed. grace_ns is that of a restart. Never NULL. */
struct nlm_server *nlm_create(struct tree *tree, const struct nlm_ops *ops, int64_t grace_ns);
void nlm_destroy(struct nlm_server *n);

/* Sends GRANTED again where no answer came. Returns when it wants to be called again. */
int64_t nlm_tick(struct nlm_server *n, int64_t now_ns);

/* All locks are lost, clients are notified, a grace period of grace_ns (0: its own) begins. */
void nlm_restart(struct nlm_server *n, int64_t grace_ns, int64_t now_ns);

/* Starts or prolongs a grace period; 0 ends it. */
void nlm_grace(struct nlm_server *n, int64_t length_ns, int64_t now_ns);

/* Answers nothing for so long; 0 is for good. */
void nlm_freeze(struct nlm_server *n, int64_t length_ns, int64_t now_ns);

/* Forgets the locks of this host; NULL: of all. The waiting ones of others are granted. */
void nlm_forget(struct nlm_server *n, const struct net_address *client, int64_t now_ns);

/* Does a lock of NLM stand against this one? A held_range_fn, but for its context. */
bool nlm_holds(const struct nlm_server *n, uint64_t fileid, const struct held_range *wanted,
	       struct held_range *out);

/* Locks that are held, for tests. */
size_t nlm_held_count(const struct nlm_server *n);

#endif
