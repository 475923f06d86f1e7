// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-clientid-mismatch: nfsd says that a client tested a state ID which belongs to another client
 * ID than the session's (fs/nfsd/nfs4state.c, nfsd4_validate_stateid, up to 663e36f07666).
 *
 * A client tests its states after it lost its client ID: those of the old one are answered so. Once
 * is what any recovery may leave; why it goes on shows on the wire alone.
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/rules.h"

#include <inttypes.h>

/* Names the client, and the server where the captures know one only. */
static void about(const struct rule_input *in, struct diagnosis *d, struct finding *f,
		  const struct logs_subject *of)
{
	struct logs_subject server = {.host = of->host, .program = "", .server = ""};

	log_finding_about(in, d, f, &server);
	if (of->server_is_address)
		finding_add_client(d, f, &of->server_at);
	else
		finding_subject(d, f, "client name", "%s", log_text(d, of->server));
}

static void tell(const struct rule_input *in, struct diagnosis *d, const struct logs_tally *t)
{
	struct finding *f = diagnosis_add(d, "nfs4-clientid-mismatch", CONFIDENCE_CERTAIN);
	const char *client = log_text(d, t->of.server);

	about(in, d, f, &t->of);
	f->first = t->first.at;
	f->last = t->last.at;
	f->count = t->count;
	f->title =
		arena_format(&d->arena, "%s uses states of another client ID, says the log of %s",
			     client, log_text(d, t->of.host->name));
	f->why = arena_format(
		&d->arena,
		"%" PRIu64 " time%s the server wrote that this client tested a state which belongs "
		"to another client ID: the client got a new one and still holds states of the one "
		"before, or of a client that it is taken for. The server answers "
		"NFS4ERR_BAD_STATEID. The line is limited in its rate: there may have been more. "
		"The log does not tell how the client lost its client ID.",
		t->count, t->count == 1 ? "" : "s");
	for (uint32_t i = 0; i < t->cites_len; i++)
		finding_cite(d, f, &t->cites[i], NULL,
			     "nfsd: client %s tests a state ID with an incorrect client ID",
			     client);
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->logs && i < in->logs->mismatches.len; i++)
		tell(in, out, logs_tally_at(&in->logs->mismatches, i));
}

const struct rule rule_nfs4_clientid_mismatch = {
	.id = "nfs4-clientid-mismatch",
	.needs = "the kernel log of a Linux NFS server before 5.7",
	.run = run,
};
