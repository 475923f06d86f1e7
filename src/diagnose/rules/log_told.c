// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Causes that the kernel of a client names itself, in its log. No capture is needed: the line is
 * written where the kernel has the fact in hand.
 *
 * - nfs4-clientid-in-use, by "NFS: Server X reports our clientid is in use" (fs/nfs/nfs4state.c,
 *   nfs4_handle_reclaim_lease_error, on NFS4ERR_CLID_INUSE only)
 * - nfs4-state-manager-stuck, by "NFS: state manager: SECTION failed on NFSv4 server X with error
 *   N", again and again (nfs4_state_manager)
 * - gss-upcall-stuck, by "RPC: AUTH_GSS upcall timed out" (net/sunrpc/auth_gss/auth_gss.c)
 * - dir-cookie-loop, by "directory X contains a readdir loop" (fs/nfs/dir.c)
 *
 * Of three the line gives the fact, but not what came of it, so they stay undecided:
 * - file-handle-stale, by "NFS: server X error: fileid changed" (fs/nfs/inode.c, nfs_update_inode)
 * - nfs4-lock-reclaim-failed, by "NFSD: Unable to initialize client recovery tracking!"
 *   (fs/nfsd/nfs4recover.c, nfsd4_client_tracking_init)
 * - rpc-framing-broken, by "RPC fragment too large" (net/sunrpc/svcsock.c, svc_tcp_recv_record)
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"

#include <inttypes.h>
#include <string.h>

/* A step of recovery may fail once, and succeed when it is tried again. */
enum { RECOVERIES_MIN = 5, UPCALLS_MIN = 2 };
#define RECOVERY_LASTS_NS (60 * STAMP_NS_PER_S)

/* This host says it of the same server, or of one that it does not name. */
static bool is_told(const struct vec *list, const struct logs_subject *of)
{
	for (size_t i = 0; i < list->len; i++) {
		const struct logs_tally *t = logs_tally_at(list, i);

		if (t->of.host == of->host &&
		    (!t->of.server[0] || strcmp(t->of.server, of->server) == 0))
			return true;
	}
	return false;
}

/* A capture that shows the refusals says more: nfs4_in_use.c. */
static bool is_on_the_wire(const struct rule_input *in)
{
	for (size_t i = 0; in->nfs4 && i < in->nfs4->instances.len; i++)
		if ((*(struct nfs4_instance *const *)vec_at(&in->nfs4->instances, i))->in_use)
			return true;
	return false;
}

static void run_in_use(const struct rule_input *in, struct diagnosis *out)
{
	if (!in->logs || is_on_the_wire(in))
		return;
	for (size_t i = 0; i < in->logs->in_use.len; i++) {
		const struct logs_tally *t = logs_tally_at(&in->logs->in_use, i);
		struct finding *f =
			log_finding_begin(in, out, "nfs4-clientid-in-use", CONFIDENCE_CERTAIN, t);
		const char *host = log_host_text(out, t->of.host);
		const char *server = log_server_text(out, &t->of);

		f->title = arena_format(&out->arena,
					"%s refuses %s, says its log: the client owner is in use",
					server, host);
		f->why = arena_format(
			&out->arena,
			"%s the kernel of %s wrote that server %s answered NFS4ERR_CLID_INUSE when "
			"it introduced itself: the server holds state for an owner of this name "
			"that another principal presented (other credentials, another Kerberos "
			"identity, with some servers another address), and does not let this one "
			"replace it. The kernel gives up at once with EPERM: mounts fail, and what "
			"is mounted gets no state there.",
			nfs4_count_text(out, t->count, "time", "times"), host, server);
		log_finding_cite(out, f, t, "the server reports the client ID in use");
		finding_rule_out(out, f, "nfs4-client-owner-collision",
				 "in a collision the server accepts the newcomer and drops the "
				 "other; here it refuses");
	}
}

/* What an error mostly means; "": it may be anything. */
static const char *error_hint(int64_t error)
{
	switch (error < 0 ? -error : error) {
	case 13:
	case 126:
	case 127:
		return " Such an error is about credentials: Kerberos has none for this host that "
		       "is valid (`klist -k`, the journal of rpc.gssd), or the server refuses "
		       "them.";
	case 5:
	case 110:
	case 111:
	case 113:
		return " Such an error is about the way: no answer came, or no connection.";
	default:
		return "";
	}
}

static bool is_failing(const struct rule_input *in, const struct logs_tally *t)
{
	int64_t ns;

	return t->count >= RECOVERIES_MIN && log_elapsed_ns(&t->first, &t->last, &ns) &&
	       ns >= RECOVERY_LASTS_NS && !is_told(&in->logs->in_use, &t->of);
}

static void run_recovery(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->logs && i < in->logs->recoveries.len; i++) {
		const struct logs_tally *t = logs_tally_at(&in->logs->recoveries, i);
		const char *host, *server, *step, *lasted;
		struct finding *f;

		if (!is_failing(in, t))
			continue;
		f = log_finding_begin(in, out, "nfs4-state-manager-stuck", CONFIDENCE_LIKELY, t);
		host = log_host_text(out, t->of.host);
		server = log_server_text(out, &t->of);
		step = t->subject[0] ? log_text(out, t->subject) : "a step of recovery";
		lasted = log_duration_text(out, t->last.at.ns - t->first.at.ns);
		f->title = arena_format(
			&out->arena,
			"recovery of NFSv4 state fails on %s again and again: %s, error %s", host,
			step, log_error_text(out, t->number));
		f->why = arena_format(
			&out->arena,
			"%s in %s (the line is limited in its rate) the state manager of %s for "
			"%s gave up: %s%s, with error %s%s. Until it succeeds, whatever needs "
			"state at that server waits or fails.%s",
			nfs4_count_text(out, t->count, "time", "times"), lasted, host, server,
			t->mixed ? "at first " : "", step, log_error_text(out, t->number),
			t->mixed ? ", later also at other steps or with other errors" : "",
			error_hint(t->number));
		log_finding_cite(out, f, t, "the state manager gives up");
	}
}

static void run_upcall(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->logs && i < in->logs->upcalls.len; i++) {
		const struct logs_tally *t = logs_tally_at(&in->logs->upcalls, i);
		struct finding *f = log_finding_begin(
			in, out, "gss-upcall-stuck",
			t->count < UPCALLS_MIN ? CONFIDENCE_POSSIBLE : CONFIDENCE_LIKELY, t);
		const char *host = log_host_text(out, t->of.host);

		f->title = arena_format(
			&out->arena, "rpc.gssd of %s does not take what the kernel asks it", host);
		f->why = arena_format(
			&out->arena,
			"%s (the line is limited in its rate) the kernel of %s wrote that it "
			"asked rpc.gssd for a Kerberos context and that the daemon did not take "
			"the request: it does not run, or not yet. Whoever needs the context "
			"waits 15 s for it each time. With sec=sys that may be no more than a "
			"delay of mounts, as NFSv4 tries Kerberos first for its own calls.",
			nfs4_count_text(out, t->count, "time", "times"), host);
		log_finding_cite(out, f, t, "the upcall to rpc.gssd failed");
	}
}

static void run_loop(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->logs && i < in->logs->loops.len; i++) {
		const struct logs_tally *t = logs_tally_at(&in->logs->loops, i);
		struct finding *f =
			log_finding_begin(in, out, "dir-cookie-loop", CONFIDENCE_LIKELY, t);
		const char *host = log_host_text(out, t->of.host);

		f->title = arena_format(&out->arena,
					"a listing on %s goes in a circle, says its log", host);
		finding_subject(out, f, "directory", "%s", log_text(out, t->subject));
		f->why = arena_format(
			&out->arena,
			"%s the kernel of %s found that an entry has the cookie of one that it "
			"had already read, and ended the listing with ELOOP. Two entries of the "
			"server's directory share a cookie. Where names are made and removed "
			"while it is listed, kernels before 0c0308066ca5 said so wrongly.",
			nfs4_count_text(out, t->count, "time", "times"), host);
		log_finding_cite(out, f, t, "the kernel tells of a readdir loop");
		finding_rule_out(out, f, "dir-listing-restarted",
				 "the client found the cookie among those of the same listing");
	}
}

/* The same line comes of handles that mean other files since a failover or a restore, and of
 * replies out of a server's cache that belong to other calls. */
static void run_fileid(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->logs && i < in->logs->fileids.len; i++) {
		const struct logs_tally *t = logs_tally_at(&in->logs->fileids, i);
		const char *server = log_server_text(out, &t->of);

		diagnosis_undecided(
			out, "file-handle-stale",
			arena_format(
				&out->arena,
				"why %s answered %s with the attributes of another file than "
				"the handle was of (\"fileid changed\", %s): whether its handles "
				"mean other files now (a failover, a restored or remounted file "
				"system), or replies belong to other calls",
				server, log_host_text(out, t->of.host),
				nfs4_count_text(out, t->count, "time", "times")),
			"on the client, until the line comes again: tcpdump -i any -s 0 -w "
			"client.pcap host SERVER; on the server: exportfs -v, findmnt, and its log "
			"of failovers");
	}
}

/* Whether any client had something to reclaim the line does not tell. */
static void run_tracking(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->logs && i < in->logs->trackings.len; i++) {
		const struct logs_tally *t = logs_tally_at(&in->logs->trackings, i);

		diagnosis_undecided(
			out, "nfs4-lock-reclaim-failed",
			arena_format(
				&out->arena,
				"whether clients of %s lose opens and locks when it restarts: its "
				"nfsd says that it cannot keep which of them may reclaim "
				"(\"Unable to initialize client recovery tracking\", error %s)",
				log_host_text(out, t->of.host), log_error_text(out, t->number)),
			"on the server: systemctl status nfsdcld; on the clients, after a restart "
			"of nfsd: dmesg | grep -i -e 'lost .* locks' -e 'reclaim failed'");
	}
}

/* Most kernels do not write who sent it, and scanners' bytes are refused as well as clients'. */
static void run_fragment(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->logs && i < in->logs->fragments.len; i++) {
		const struct logs_tally *t = logs_tally_at(&in->logs->fragments, i);

		diagnosis_undecided(
			out, "rpc-framing-broken",
			arena_format(&out->arena,
				     "who sent %s what it refused as an RPC record that is too "
				     "long (%s): a client whose stream is damaged, which "
				     "reconnects again and again, or something that does not "
				     "speak RPC, as a port scan, which harms no client",
				     log_host_text(out, t->of.host),
				     nfs4_count_text(out, t->count, "time", "times")),
			"on the server, until the line comes again: tcpdump -i any -s 0 -w "
			"server.pcap port 2049");
	}
}

const struct rule rule_log_clientid_in_use = {
	.id = "nfs4-clientid-in-use",
	.needs = "the kernel log of the client",
	.run = run_in_use,
};

const struct rule rule_log_fileid_changed = {
	.id = "file-handle-stale",
	.needs = "the kernel log of the client",
	.run = run_fileid,
};

const struct rule rule_log_fragment_refused = {
	.id = "rpc-framing-broken",
	.needs = "the kernel log of the server",
	.run = run_fragment,
};

const struct rule rule_log_gss_upcall = {
	.id = "gss-upcall-stuck",
	.needs = "the kernel log of the client",
	.run = run_upcall,
};

const struct rule rule_log_readdir_loop = {
	.id = "dir-cookie-loop",
	.needs = "the kernel log of the client",
	.run = run_loop,
};

const struct rule rule_log_recovery_failing = {
	.id = "nfs4-state-manager-stuck",
	.needs = "the kernel log of the client",
	.run = run_recovery,
};

const struct rule rule_log_tracking_failed = {
	.id = "nfs4-lock-reclaim-failed",
	.needs = "the kernel log of the server",
	.run = run_tracking,
};
