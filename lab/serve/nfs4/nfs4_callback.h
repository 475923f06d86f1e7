/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the server calls at its clients: a probe of the path, and the recall of a delegation.
 * Private to nfs4_*.c. In 4.0 the client's address is called (RFC 7530 section 16.33), in 4.1 a
 * connection of its own (RFC 8881 section 2.10.3.1). nfsd: fs/nfsd/nfs4callback.c.
 */
#ifndef LAB_SERVE_NFS4_CALLBACK_H
#define LAB_SERVE_NFS4_CALLBACK_H

#include "lab/serve/nfs4/nfs4_state.h"

/* Tries the path with CB_NULL; cb_path tells later what came of it. */
void nfs4_callback_probe(struct nfs4_server *server, struct nfs4_client *client);

/* CB_RECALL is to be sent. False when there is no way to the client now. */
bool nfs4_callback_recall(struct nfs4_server *server, struct nfs4_state *deleg);

/* Sends what waits to be sent. True: something could not be, and its consequences want a tick. */
bool nfs4_callbacks_send(struct nfs4_server *server, int64_t now_ns);

/* A recall of this delegation is on its way: its answer is of no use any more. */
void nfs4_callbacks_forget(struct nfs4_server *server, uint32_t state_number);

void nfs4_pending_destroy(struct nfs4_server *server, struct nfs4_pending_callback *pending);

/* The session through which callbacks to the client go; NULL: none. */
struct nfs4_session *nfs4_client_back_session(const struct nfs4_client *client);

#endif
