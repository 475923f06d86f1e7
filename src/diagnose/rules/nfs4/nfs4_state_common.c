// SPDX-License-Identifier: GPL-2.0-or-later
/* See nfs4_state_common.h. */
#include "diagnose/rules/nfs4/nfs4_state_common.h"

#include "event/handle.h"

#include <inttypes.h>

/*
 * A server sends the recall when it first answers DELAY, or shortly before: nfsd waits 30 ms for
 * the return (NFSD_DELEGRETURN_TIMEOUT in fs/nfsd/nfs4state.c); one capture's order is not the
 * wire's.
 */
#define RECALL_APART_NS (2 * STAMP_NS_PER_S)

int64_t nfs4_between_ns(const struct provenance *from, const struct provenance *to)
{
	int64_t ns;

	if (from->frame == FRAME_NONE || to->frame == FRAME_NONE || from->at.clock != to->at.clock)
		return 0;
	return __builtin_sub_overflow(to->at.ns, from->at.ns, &ns) ? 0 : ns;
}

int64_t nfs4_span_ns(const struct nfs4_span *s)
{
	return nfs4_gaps_ns(&s->gaps);
}

struct conn nfs4_conn_to(const struct endpoint *server)
{
	return (struct conn){.transport = TRANSPORT_TCP, .server = *server};
}

const char *nfs4_file_text(struct diagnosis *d, const struct file_handle *file)
{
	return arena_format(&d->arena, "the file with handle hash 0x%08" PRIx32,
			    file_handle_hash(file));
}

void nfs4_finding_file(struct diagnosis *d, struct finding *f, const struct file_handle *file)
{
	if (file->len)
		finding_subject(d, f, "file", "handle hash 0x%08" PRIx32, file_handle_hash(file));
}

static bool party_is_at(const struct nfs4_party *p, const struct endpoint *server,
			const struct endpoint *client)
{
	return !p->merged_into && endpoint_same_host(&p->server->at, server) &&
	       endpoint_same_host(&p->host, client);
}

void nfs4_finding_host(const struct rule_input *in, struct diagnosis *d, struct finding *f,
		       const struct endpoint *server, const struct endpoint *client)
{
	struct nfs4_party *only = NULL;
	size_t count = 0;

	finding_set_server(d, f, server);
	finding_add_client(d, f, client);
	for (size_t i = 0; in->nfs4 && i < in->nfs4->parties.len; i++) {
		struct nfs4_party *p = *(struct nfs4_party **)vec_at(&in->nfs4->parties, i);

		if (party_is_at(p, server, client) && p->instance) {
			only = p;
			count++;
		}
	}
	if (count == 1)
		finding_subject(d, f, "owner", "%s", nfs4_owner_text(d, only->instance->owner));
}

uint64_t nfs4_host_recoveries(const struct rule_input *in, const struct endpoint *server,
			      const struct endpoint *client)
{
	uint64_t count = 0;

	for (size_t i = 0; in->nfs4 && i < in->nfs4->parties.len; i++) {
		const struct nfs4_party *p = *(struct nfs4_party **)vec_at(&in->nfs4->parties, i);

		if (party_is_at(p, server, client))
			count += p->full_count;
	}
	return count;
}

enum nfs4_match nfs4_run_waits_for(const struct nfs4_run *run, const struct nfs4_delegation *d)
{
	int64_t apart = nfs4_between_ns(&d->recalls.first, &run->all.first);

	if (run->kind != NFS4_RUN_DELAY || d->recalls.count == 0 ||
	    !endpoint_same_host(&run->server, &d->server) ||
	    endpoint_same_host(&run->client, &d->holder))
		return NFS4_MATCH_NONE;
	/* Before the recall there was nothing to wait for, nor is there after the return. */
	if (nfs4_between_ns(&d->recalls.first, &run->all.last) < -RECALL_APART_NS ||
	    nfs4_between_ns(&d->returned, &run->all.first) > 0)
		return NFS4_MATCH_NONE;
	if (file_handle_equal(&run->file, &d->file) || file_handle_equal(&run->found, &d->file))
		return NFS4_MATCH_FILE;
	if (run->found.len && d->file.len)
		return NFS4_MATCH_NONE;
	/* By its name in a directory: which file that is the calls do not tell. */
	return run->name && apart >= -RECALL_APART_NS && apart <= RECALL_APART_NS ? NFS4_MATCH_TIME
										  : NFS4_MATCH_NONE;
}

bool nfs4_run_has_recall(const struct rule_input *in, const struct nfs4_run *run)
{
	for (size_t i = 0; i < in->state->recalls.len; i++)
		if (nfs4_run_waits_for(run,
				       *(struct nfs4_delegation **)vec_at(&in->state->recalls, i)))
			return true;
	return nfs4_state_holder(in->state, &run->server, &run->file, &run->client) != NULL;
}
