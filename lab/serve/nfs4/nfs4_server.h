/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An NFSv4 server (minor versions 0, 1 and 2) without sockets and without a clock: calls go in,
 * replies come out, callbacks leave through a function of the owner's. RFC 7530, 8881 and 7862;
 * where they leave room it does what Linux nfsd does (fs/nfsd/nfs4state.c, nfs4proc.c, nfs4xdr.c).
 *
 * All times are ns of one monotonic clock, the caller's, which may be scaled.
 */
#ifndef LAB_SERVE_NFS4_SERVER_H
#define LAB_SERVE_NFS4_SERVER_H

#include "base/cursor.h"
#include "lab/serve/held_range.h"
#include "proto/xdr_writer.h"

#include <stdbool.h>
#include <stdint.h>

struct nfs4_server;
struct tree;

enum { NFS4_CRED_GROUPS = 16 };

/* Who calls. */
struct nfs4_cred {
	uint32_t flavor; /* AUTH_NONE 0, AUTH_SYS 1 */
	uint32_t uid;
	uint32_t gid;
	uint32_t group_count; /* supplementary groups, at most NFS4_CRED_GROUPS */
	uint32_t groups[NFS4_CRED_GROUPS];
};

/* What the transport knows of a call. Borrowed for the time of nfs4_compound. */
struct nfs4_call {
	struct nfs4_cred cred;
	uint64_t connection;   /* the owner's number of the connection; 0: none (a datagram) */
	uint32_t record_bytes; /* length of the RPC message; 0: not known */
	const char *peer;      /* address of the client as text, without the port; may be NULL */
};

/* A callback to be sent: CB_NULL or CB_COMPOUND, version 1 of `program`, with AUTH_SYS root. */
struct nfs4_callback {
	uint64_t token;      /* names it to nfs4_callback_done */
	uint64_t connection; /* 4.1: send on this connection of the client's; 0: call the address */
	const char *netid;   /* 4.0: "tcp" or "tcp6", with the universal address of RFC 5665 */
	const char *address;
	uint32_t program;
	uint32_t procedure; /* 0: NULL, 1: COMPOUND */
	struct slice args;  /* encoded arguments; borrowed until the function returns */
};

/*
 * What the server needs of its owner. Members may be NULL: then there are no callbacks, no log.
 * None may call the server.
 */
struct nfs4_server_ops {
	/*
	 * Only from inside of nfs4_tick, so that no callback gets between a call and its reply.
	 * False when it cannot be sent: then nfs4_callback_done is not to be called for it.
	 */
	bool (*send_callback)(void *context, const struct nfs4_callback *callback);
	/* There is something to be sent: nfs4_tick is wanted soon, not from inside of this. */
	void (*wake)(void *context);
	/* One line about a change of state, without a newline. */
	void (*log)(void *context, const char *text);
	/* What other protocols have locked; NULL: there are none. */
	held_range_fn *held;
	void *context;
};

struct nfs4_server_config {
	struct tree *tree; /* borrowed for the server's life */
	struct nfs4_server_ops ops;
	const char *owner;      /* so_major_id; copied */
	const char *scope;      /* eir_server_scope; copied */
	int64_t wall_offset_ns; /* time since 1970 less the monotonic clock's: for files */
	uint32_t boot_seconds;  /* wall time of the start, in every client ID as with nfsd */
	uint32_t lease_seconds; /* 0: 90 */
	uint32_t grace_seconds; /* 0: as long as the lease */
	uint32_t
		courtesy_seconds; /* how long an expired lease is kept where nobody minds; 0: not */
	uint32_t max_minor;       /* the highest minor version, up to 2 */
	uint32_t max_slots;       /* for each session; 0: 160, nfsd's NFSD_MAX_SLOTS_PER_SESSION */
	uint32_t max_io_bytes;    /* READ, WRITE and messages; 0: 1 MiB */
	bool no_delegations;
};

enum nfs4_outcome {
	NFS4_REPLY,        /* the result stands in the writer; accept_stat SUCCESS */
	NFS4_GARBAGE_ARGS, /* the head of the COMPOUND cannot be decoded; nothing was written */
};

/* Copies the configuration. Never NULL. */
struct nfs4_server *nfs4_server_create(const struct nfs4_server_config *config, int64_t now_ns);
void nfs4_server_destroy(struct nfs4_server *server);

/*
 * Executes a COMPOUND. `args` stands behind the RPC header and must hold the whole message; the
 * result (COMPOUND4res) goes to `out`, which needs room for max_io_bytes and 64 KiB; with less an
 * operation that finds none is answered RESOURCE, or REP_TOO_BIG in a session.
 */
enum nfs4_outcome nfs4_compound(struct nfs4_server *server, const struct nfs4_call *call,
				struct cursor args, struct xdr_writer *out, int64_t now_ns);

/* What came of a callback: its result (empty for CB_NULL), or nothing when answered is false. */
void nfs4_callback_done(struct nfs4_server *server, uint64_t token, bool answered,
			struct cursor results, int64_t now_ns);

/* The connection is gone: sessions bound to it lose it. */
void nfs4_connection_closed(struct nfs4_server *server, uint64_t connection, int64_t now_ns);

/* Does a lock of NFSv4 stand against this one? A held_range_fn, but for its context. */
bool nfs4_holds(struct nfs4_server *server, uint64_t fileid, const struct held_range *wanted,
		struct held_range *out);

/* Leases, grace, recalls, and callbacks to be sent. Returns when it wants to be called again. */
int64_t nfs4_tick(struct nfs4_server *server, int64_t now_ns);

#endif
