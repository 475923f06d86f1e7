/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What faults do to the state of the NFSv4 server: lab/fault/server.h. */
#ifndef LAB_SERVE_NFS4_FAULTS_H
#define LAB_SERVE_NFS4_FAULTS_H

#include "base/err.h"
#include "lab/fault/server.h"
#include "lab/serve/nfs4/nfs4_server.h"

/*
 * Does the action to the client, or the session, whose call it is, or to all when there is no call.
 * Not to be called from inside of nfs4_compound. The error belongs to the caller: a call that shows
 * no client that we know, or an action that is none of NFSv4's.
 */
struct err *nfs4_fault_act(struct nfs4_server *server, const struct fault_server_request *request);

/*
 * A restart in which all state is lost: another instance with its start at boot_seconds (or a
 * second behind the last one). Who held state may reclaim it for grace_ns; 0: as configured, and
 * none where nobody did, as nfsd.
 */
void nfs4_server_restart(struct nfs4_server *server, uint32_t boot_seconds, int64_t grace_ns,
			 int64_t now_ns);

#endif
