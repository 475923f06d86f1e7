/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the model of NFSv4 file state share among themselves; nobody else includes it.
 */
#ifndef MODEL_NFS4_STATE_INTERNAL_H
#define MODEL_NFS4_STATE_INTERNAL_H

#include "model/nfs4/nfs4_state.h"

#include "base/hash.h"

/* nfs4_state_runs.c: an answered operation; keeps what goes on, ends what does not. */
void nfs4_runs_take(struct nfs4_state_model *m, const struct rpc_call *call,
		    const struct nfs4_op_fact *op);
bool nfs4_run_equal(const void *item, const void *key);

/* Has the longest stretch with one stateid told, also where it is still under way. */
void nfs4_run_settle(struct nfs4_run *r);

/* nfs4_state_deleg.c: OPENs that were given a delegation, callbacks, returns. */
/* The file of an OPEN is told by the GETFH behind it, or is the current one; NULL: not known. */
const struct file_handle *nfs4_opened_file(const struct rpc_call *call, uint32_t index);

void nfs4_delegations_take_reply(struct nfs4_state_model *m, const struct rpc_call *call);
void nfs4_delegations_take_return(struct nfs4_state_model *m, const struct rpc_call *call,
				  const struct nfs4_op_fact *op, bool answered);
void nfs4_delegations_take_callback(struct nfs4_state_model *m, const struct event *event);
bool nfs4_delegation_equal(const void *item, const void *key);

/* nfs4_state_locks.c: LOCK, LOCKU and CLOSE, answered. */
void nfs4_locks_take(struct nfs4_state_model *m, const struct rpc_call *call,
		     const struct nfs4_op_fact *op);
bool nfs4_lock_equal(const void *item, const void *key);

/* nfs4_state_flags.c: flags of sessions; TEST_STATEID. */
void nfs4_flags_take_reply(struct nfs4_state_model *m, const struct rpc_call *call);
void nfs4_testers_take(struct nfs4_state_model *m, const struct rpc_call *call,
		       const struct nfs4_op_fact *op);
bool nfs4_flagged_equal(const void *item, const void *key);
bool nfs4_tester_equal(const void *item, const void *key);

static inline struct endpoint host_of(const struct endpoint *e)
{
	struct endpoint host = *e;

	host.port = 0;
	return host;
}

/* From one place to another; 0 where their clocks are not comparable. */
static inline int64_t apart_ns(const struct provenance *a, const struct provenance *b)
{
	int64_t ns;

	return a->at.clock != b->at.clock || __builtin_sub_overflow(b->at.ns, a->at.ns, &ns) ? 0
											     : ns;
}

static inline void span_add(struct nfs4_span *s, const struct provenance *at,
			    const struct conn *conn)
{
	if (s->count++ == 0) {
		s->first = *at;
		s->gaps = (struct nfs4_gaps){.ahead_ns = conn->clock_ahead_ns};
	} else {
		nfs4_gaps_add(&s->gaps, apart_ns(&s->last, at), conn);
	}
	s->last = *at;
}

static inline int64_t span_ns(const struct nfs4_span *s)
{
	return nfs4_gaps_ns(&s->gaps);
}

static inline bool stateid_same(const struct nfs4_stateid *a, const struct nfs4_stateid *b)
{
	return memcmp(a->other, b->other, NFS4_OTHER_BYTES) == 0;
}

#endif
