// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-recall-unanswered (catalogue A14): the server recalls a delegation (CB_RECALL, RFC 8881
 * section 20.2), its holder does not return it, and other clients that want the file are answered
 * NFS4ERR_DELAY meanwhile. A recall that is answered within a moment is delegations at work; a
 * holder with much dirty data may take a while to return a write delegation.
 */
#include "diagnose/rules/nfs4/nfs4_state_common.h"
#include "diagnose/rules/rules.h"
#include "names/nfs4.h"

#include <inttypes.h>

enum { DELAYS_MIN = 4 };
#define WAIT_NS (5 * STAMP_NS_PER_S) /* no answer to the recall */
#define WAIT_ANSWERED_NS                                                         \
	(15 * STAMP_NS_PER_S) /* answered: its data may have to be written first \
			       */

/* Who waits for a delegation: the longest wait, and how it belongs to it. */
struct waiting {
	const struct nfs4_run *run; /* NULL: nobody that the evidence shows */
	enum nfs4_match match;
};

static bool recall_accepted(const struct nfs4_delegation *r)
{
	return r->answered.frame != FRAME_NONE && r->answered_status == NFS4_OK;
}

/* Acknowledged, but only after so long that others had to wait for that alone. */
static bool recall_accepted_late(const struct nfs4_delegation *r)
{
	return recall_accepted(r) && nfs4_between_ns(&r->recalls.first, &r->answered) >= WAIT_NS;
}

/* How long it waited for this recall: what it waits beyond the return it waits for something else.
 */
static int64_t waited_ns(const struct nfs4_run *run, const struct nfs4_delegation *r)
{
	bool later = nfs4_between_ns(&run->all.first, &r->recalls.first) > 0;
	bool returned = nfs4_between_ns(&r->returned, &run->all.last) > 0;

	return nfs4_between_ns(later ? &r->recalls.first : &run->all.first,
			       returned ? &r->returned : &run->all.last);
}

static bool run_is_long(const struct nfs4_run *run, int64_t ns)
{
	return run->all.count >= DELAYS_MIN && nfs4_span_ns(&run->all) >= ns;
}

static struct waiting who_waits(const struct rule_input *in, const struct nfs4_delegation *r)
{
	bool prompt = recall_accepted(r) && !recall_accepted_late(r);
	int64_t limit = prompt ? WAIT_ANSWERED_NS : WAIT_NS;
	struct waiting w = {0};

	for (size_t i = 0; i < in->state->runs.len; i++) {
		const struct nfs4_run *run = *(struct nfs4_run **)vec_at(&in->state->runs, i);
		enum nfs4_match match = nfs4_run_waits_for(run, r);

		if (!match || run->all.count < DELAYS_MIN || waited_ns(run, r) < limit ||
		    match < w.match)
			continue;
		if (match > w.match || nfs4_span_ns(&run->all) > nfs4_span_ns(&w.run->all))
			w = (struct waiting){run, match};
	}
	return w;
}

static const char *answer_text(struct diagnosis *d, const struct nfs4_delegation *r)
{
	const char *who = nfs4_host_text(d, &r->holder);

	if (r->answered.frame == FRAME_NONE)
		return arena_format(&d->arena, "%s did not answer the recall at all", who);
	if (r->answered_status == NFS4_OK)
		return arena_format(
			&d->arena, "%s acknowledged the recall %s after it%s", who,
			nfs4_duration_text(d, nfs4_between_ns(&r->recalls.first, &r->answered)),
			r->returned.frame == FRAME_NONE ? ", but the evidence shows no return"
							: "");
	if (r->answered_status == NFS4_STATUS_NONE)
		return arena_format(&d->arena, "%s answered the recall with an error of RPC", who);
	return arena_format(&d->arena, "%s answered the recall with %s", who,
			    nfs4_status_text(d, r->answered_status));
}

static const char *return_text(struct diagnosis *d, const struct nfs4_delegation *r)
{
	const char *after;

	if (r->returned.frame == FRAME_NONE)
		return "";
	after = nfs4_duration_text(d, nfs4_between_ns(&r->recalls.first, &r->returned));
	if (r->returned_status == NFS4_OK && r->returned_op == OP_DELEGRETURN)
		return arena_format(&d->arena, " It returned the delegation %s after the recall.",
				    after);
	return arena_format(&d->arena,
			    " By the time of its %s, %s after the recall, the server had taken the "
			    "delegation away (%s).",
			    nfs4_op_text(d, r->returned_op), after,
			    nfs4_status_text(d, r->returned_status));
}

static void cite_recall(struct diagnosis *d, struct finding *f, const struct nfs4_delegation *r,
			const struct endpoint *server)
{
	struct conn conn = nfs4_conn_to(server);
	const struct conn *on = r->v40 ? NULL : &conn;
	const char *who = nfs4_host_text(d, &r->holder);

	finding_cite(d, f, &r->recalls.first, on, "CB_RECALL to %s", who);
	finding_cite(
		d, f, &r->answered, on, "%s answers it%s", who,
		r->answered_status == NFS4_STATUS_NONE
			? ""
			: arena_format(&d->arena, ": %s", nfs4_status_text(d, r->answered_status)));
	finding_cite(d, f, &r->returned, &conn, "%s of %s answered %s",
		     nfs4_op_text(d, r->returned_op), who, nfs4_status_text(d, r->returned_status));
	finding_cite(d, f, &r->given, &conn, "the delegation is given to %s", who);
	nfs4_finding_span(f, &r->recalls.first);
	nfs4_finding_span(f, &r->returned);
}

static void cite_run(struct diagnosis *d, struct finding *f, const struct nfs4_run *run)
{
	struct conn conn = nfs4_conn_to(&run->server);
	const char *who = nfs4_host_text(d, &run->client);
	const char *op = nfs4_op_text(d, run->op);

	finding_add_client(d, f, &run->client);
	finding_cite(d, f, &run->all.first, &conn, "%s of %s answered NFS4ERR_DELAY", op, who);
	finding_cite(d, f, &run->all.last, &conn,
		     "%s of %s answered NFS4ERR_DELAY for the last time", op, who);
	finding_cite(d, f, &run->ended, &conn, "%s of %s answered %s", op, who,
		     nfs4_status_text(d, run->ended_status));
	nfs4_finding_span(f, &run->all.first);
	nfs4_finding_span(f, &run->all.last);
}

static const char *waits_text(struct diagnosis *d, const struct nfs4_run *run)
{
	return arena_format(&d->arena,
			    "%s of %s was answered NFS4ERR_DELAY %" PRIu64 " times within %s",
			    nfs4_op_text(d, run->op), nfs4_host_text(d, &run->client),
			    run->all.count, nfs4_duration_text(d, nfs4_span_ns(&run->all)));
}

static void tell(const struct rule_input *in, struct diagnosis *d, const struct nfs4_delegation *r,
		 const struct waiting *w)
{
	bool sure = w->match == NFS4_MATCH_FILE && !r->lossy && !w->run->lossy;
	struct finding *f = diagnosis_add(d, "nfs4-recall-unanswered",
					  sure ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	const char *who = nfs4_host_text(d, &r->holder);

	nfs4_finding_host(in, d, f, &w->run->server, &r->holder);
	nfs4_finding_file(d, f, &r->file);
	f->count = w->run->all.count;
	f->title = arena_format(
		&d->arena, "%s %s, and others wait for the file", who,
		recall_accepted_late(r) ? "is late to answer the recall of a delegation"
		: recall_accepted(r)    ? "is late to return a delegation"
					: "does not answer the recall of a delegation");
	f->why = arena_format(&d->arena, "The server recalled a delegation for %s: %s.%s %s%s.",
			      nfs4_file_text(d, &r->file), answer_text(d, r), return_text(d, r),
			      waits_text(d, w->run),
			      w->match == NFS4_MATCH_FILE
				      ? ", for the same file"
				      : ", from the moment of the recall on; the calls do not tell "
					"whether it is the same file");
	cite_recall(d, f, r, &w->run->server);
	cite_run(d, f, w->run);
	finding_rule_out(d, f, "nfs4-delay-loop",
			 "a recall is outstanding while the calls are put off");
	if (r->answered.frame != FRAME_NONE)
		finding_rule_out(d, f, "nfs4-backchannel-down",
				 "the callback reached the client, which answered it");
}

/* --- a delegation that stands in the way, and no recall --- */

static void tell_no_recall(const struct rule_input *in, struct diagnosis *d,
			   const struct nfs4_run *run, const struct nfs4_delegation *holder)
{
	struct finding *f = diagnosis_add(d, "nfs4-recall-unanswered", CONFIDENCE_LIKELY);
	struct conn conn = nfs4_conn_to(&run->server);
	const char *who = nfs4_host_text(d, &holder->holder);

	nfs4_finding_host(in, d, f, &run->server, &holder->holder);
	nfs4_finding_file(d, f, &run->file);
	f->count = run->all.count;
	f->title = arena_format(&d->arena,
				"others wait for a delegation of %s that is not recalled", who);
	f->why = arena_format(&d->arena,
			      "%s, for %s. The server had given %s a delegation for it, which was "
			      "not returned, and no CB_RECALL for it is in the capture: the server "
			      "does not get its callback out, or sent it where the capture was not "
			      "taken.",
			      waits_text(d, run), nfs4_file_text(d, &run->file), who);
	finding_cite(d, f, &holder->given, &conn, "the delegation is given to %s", who);
	cite_run(d, f, run);
}

static void judge_run(const struct rule_input *in, struct diagnosis *out,
		      const struct nfs4_run *run)
{
	const struct nfs4_delegation *holder;

	if (run->kind != NFS4_RUN_DELAY || run->lossy || !run_is_long(run, WAIT_NS))
		return;
	holder = nfs4_state_holder(in->state, &run->server, &run->file, &run->client);
	if (!holder || holder->recalls.count ||
	    nfs4_between_ns(&holder->given, &run->all.first) <= 0 ||
	    nfs4_host_recoveries(in, &run->server, &holder->holder))
		return;
	tell_no_recall(in, out, run, holder);
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	if (!in->state)
		return;
	for (size_t i = 0; i < in->state->recalls.len; i++) {
		const struct nfs4_delegation *r =
			*(struct nfs4_delegation **)vec_at(&in->state->recalls, i);
		struct waiting w = who_waits(in, r);

		if (w.run)
			tell(in, out, r, &w);
	}
	for (size_t i = 0; i < in->state->runs.len; i++)
		judge_run(in, out, *(struct nfs4_run **)vec_at(&in->state->runs, i));
}

const struct rule rule_nfs4_recall_unanswered = {
	.id = "nfs4-recall-unanswered",
	.needs = "a capture that shows a delegation being recalled, and who waits for the file",
	.run = run,
};
