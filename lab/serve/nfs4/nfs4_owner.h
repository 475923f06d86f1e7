/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sequence of an owner in 4.0: RFC 7530 section 9.1.7. Private to nfs4_*.c. */
#ifndef LAB_SERVE_NFS4_OWNER_H
#define LAB_SERVE_NFS4_OWNER_H

#include "lab/serve/nfs4/nfs4_stateid.h"

/*
 * Is the operation the owner's next one? NFS4_OK: it is, or run->owner_replayed is set and the kept
 * result is the answer. BAD_SEQID. In 4.1 always OK.
 */
uint32_t nfs4_owner_check(struct nfs4_run *run, struct nfs4_owner *owner, uint32_t op,
			  uint32_t seqid);

/* After the operation: counts it and keeps its result, an encoded nfs_resop4. */
void nfs4_owner_store(struct nfs4_owner *owner, uint32_t op, uint32_t status, struct slice result);

/* Owners of 4.0 that have opened nothing for a lease are forgotten. */
void nfs4_owners_age(struct nfs4_server *server, struct nfs4_client *client, int64_t now_ns);

#endif
