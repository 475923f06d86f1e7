/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leases, courtesy, grace: what time does to clients. Private to nfs4_*.c. nfsd: nfs4_laundromat
 * and fs/nfsd/nfs4recover.c.
 */
#ifndef LAB_SERVE_NFS4_LEASE_H
#define LAB_SERVE_NFS4_LEASE_H

#include "lab/serve/nfs4/nfs4_state.h"

bool nfs4_in_grace(const struct nfs4_server *server, int64_t now_ns);

/* Starts the grace period; it ends early when all who can reclaim are done, unless forced. */
void nfs4_grace_start(struct nfs4_server *server, int64_t length_ns, bool forced, int64_t now_ns);

/* Ends grace when every reclaimer has said RECLAIM_COMPLETE. nfsd: inc_reclaim_complete. */
void nfs4_grace_check(struct nfs4_server *server, int64_t now_ns);

/* Remembers who may reclaim after a restart: confirmed clients that hold state. */
void nfs4_reclaimers_collect(struct nfs4_server *server);

/* Someone wants what a client with courtesy holds: it loses everything. False: it has no courtesy.
 */
bool nfs4_courtesy_end(struct nfs4_server *server, struct nfs4_client *client, const char *why);

#endif
