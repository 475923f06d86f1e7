/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules about the state of single files share (model/nfs4/nfs4_state.h). */
#ifndef DIAGNOSE_RULES_NFS4_STATE_COMMON_H
#define DIAGNOSE_RULES_NFS4_STATE_COMMON_H

#include "diagnose/rules/nfs4/nfs4_common.h"
#include "model/nfs4/nfs4_state.h"

/* From the first to the last; 0 where that is not known. */
int64_t nfs4_span_ns(const struct nfs4_span *s);

/* From one place to another; 0 where one was not seen or their clocks are not comparable. */
int64_t nfs4_between_ns(const struct provenance *from, const struct provenance *to);

/* A connection to the server, for cites. */
struct conn nfs4_conn_to(const struct endpoint *server);

/* "the file with handle hash 0x01234567", as Wireshark's nfs.fh.hash names it. */
const char *nfs4_file_text(struct diagnosis *d, const struct file_handle *file);

/* Names server, client host, and the owner where the host stands for just one. */
void nfs4_finding_host(const struct rule_input *in, struct diagnosis *d, struct finding *f,
		       const struct endpoint *server, const struct endpoint *client);

/* Names the file. */
void nfs4_finding_file(struct diagnosis *d, struct finding *f, const struct file_handle *file);

/* How often the client's whole state was lost and made anew, by all parties at this host. */
uint64_t nfs4_host_recoveries(const struct rule_input *in, const struct endpoint *server,
			      const struct endpoint *client);

/* How a recall and a client that waits belong together. */
enum nfs4_match {
	NFS4_MATCH_NONE,
	NFS4_MATCH_TIME, /* the recall was sent when the waiting began; the file is not told */
	NFS4_MATCH_FILE, /* one file */
};

/* Whether the run of NFS4ERR_DELAY waits for this recall. */
enum nfs4_match nfs4_run_waits_for(const struct nfs4_run *run, const struct nfs4_delegation *d);

/* True when some recall, or a delegation of another client, accounts for the run. */
bool nfs4_run_has_recall(const struct rule_input *in, const struct nfs4_run *run);

#endif
