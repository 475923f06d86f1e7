/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delegations: given, recalled, returned, revoked. Private to nfs4_*.c. RFC 8881 section 10.4; as
 * with nfsd a conflicting request is answered DELAY until the delegation is back, and a delegation
 * that is not back a lease after its recall is revoked.
 */
#ifndef LAB_SERVE_NFS4_DELEG_H
#define LAB_SERVE_NFS4_DELEG_H

#include "lab/serve/nfs4/nfs4_ops.h"

bool nfs4_client_has_delegs(const struct nfs4_client *client);

/*
 * Recalls what stands against a change (or, when is_write is false, a reading open) of the file by
 * somebody else than `client` (NULL: anybody). True: something does, the answer is DELAY.
 */
bool nfs4_delegs_conflict(struct nfs4_server *server, const struct nfs4_client *client,
			  uint64_t fileid, bool is_write, int64_t now_ns);

/* Recalls one delegation, if it is not recalled yet. */
void nfs4_deleg_recall(struct nfs4_server *server, struct nfs4_state *deleg, int64_t now_ns);

/* Takes it away: the client learns by SEQUENCE and by DELEG_REVOKED. */
void nfs4_deleg_revoke(struct nfs4_server *server, struct nfs4_state *deleg);

/* Sends recalls again and revokes what is overdue. Returns when there is more to do. */
int64_t nfs4_delegs_age(struct nfs4_server *server, struct nfs4_client *client, int64_t now_ns);

/* Fills in the delegation of an OPEN: one where it can be given, else none and why. */
void nfs4_deleg_offer(struct nfs4_run *run, const struct nfs4_OPEN4args *args,
		      struct nfs4_state *open, struct nfs4_open_delegation4 *out);

#endif
