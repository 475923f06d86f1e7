/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server without its sockets: calls go in, replies come out. Time is an argument, ns of the
 * owner's monotonic clock, which may be scaled.
 */
#ifndef LAB_SERVE_SERVER_H
#define LAB_SERVE_SERVER_H

#include "lab/rpc/message.h"
#include "lab/serve/tree/tree.h"

enum {
	SERVER_IO_BYTES_MAX = 1 << 20,               /* of READ and WRITE over TCP */
	SERVER_UDP_IO_BYTES_MAX = 32768,             /* and over UDP, as Linux nfsd has it */
	SERVER_REPLY_BYTES = (1 << 20) + (64 << 10), /* room that serve_handle must be given */
	SERVER_UDP_REPLY_BYTES = 60 << 10,
	SERVER_SERVICES_MAX = 64,
	SERVER_MOUNTS_MAX = 1024,
};

/* The ports of the server. What it answers at one is a set of bits 1 << enum server_port. */
enum server_port {
	SERVER_PORTMAP,
	SERVER_NFS,
	SERVER_MOUNT,
	SERVER_NLM,
	SERVER_NSM,
	SERVER_PORTS,
};

/* "portmap", "nfs", ... */
const char *server_port_name(enum server_port port);

/* The number of its program. */
uint32_t server_port_program(enum server_port port);

/* What rpcbind tells: one program, version and transport. */
struct server_service {
	uint32_t program, version;
	enum rpc_transport transport;
	bool is_v6;
	uint16_t port;
};

/* Somebody who mounted, as he said himself. */
struct server_mount {
	char *host, *path; /* owned */
};

struct nfs4_server;
struct nlm_server;

struct server {
	struct nlm_server *nlm;   /* borrowed; NULL: there are no NLM and NSM */
	struct nfs4_server *nfs4; /* borrowed; NULL: version 4 is not served */
	struct tree *tree;        /* borrowed */
	int64_t wall_offset_ns;   /* time since 1970 less the owner's clock */
	uint64_t write_verifier;  /* of WRITE and COMMIT: changed by a restart */
	struct server_service services[SERVER_SERVICES_MAX];
	size_t services_len;
	struct server_mount mounts[SERVER_MOUNTS_MAX];
	size_t mounts_len;
	uint32_t versions; /* of NFS that are served: bits 1 << version */
};

/* The tree is borrowed for the server's life. */
void server_init(struct server *s, struct tree *tree, int64_t wall_offset_ns);
void server_deinit(struct server *s);

/*
 * Tells rpcbind where the programs of a port are. With a port of 0 they are unregistered. Versions
 * that are not served are left out.
 */
void server_register(struct server *s, enum server_port port, enum rpc_transport transport,
		     bool is_v6, uint16_t number);

enum server_outcome {
	SERVER_REPLY,  /* the reply stands in the writer */
	SERVER_SILENT, /* there is no reply */
};

/*
 * Handles a call that came to these ports (bits 1 << enum server_port). `out` needs room for
 * SERVER_REPLY_BYTES (UDP: SERVER_UDP_REPLY_BYTES); what does not fit is answered SYSTEM_ERR.
 */
enum server_outcome serve_handle(struct server *s, const struct rpc_in *in, unsigned ports,
				 struct xdr_writer *out, int64_t now_ns);

#endif
