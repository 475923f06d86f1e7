/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules about NFSv4 state share: walks over the model, and wordings. */
#ifndef DIAGNOSE_RULES_NFS4_COMMON_H
#define DIAGNOSE_RULES_NFS4_COMMON_H

#include "diagnose/rule.h"
#include "model/nfs4/nfs4.h"
#include "model/nfs4/nfs4_slots.h"

/*
 * The lease that is taken where the wire did not tell one: what Linux nfsd and most servers have by
 * default. A conclusion that rests on it is never certain.
 */
enum { NFS4_LEASE_ASSUMED_S = 90, NFS4_LEASE_SHORTEST_S = 15 };

/* A recovery with whose it is. */
struct nfs4_loss {
	struct nfs4_party *party;
	const struct nfs4_recovery *recovery;
};

/* All recoveries that the model kept, by party and in order of time: struct nfs4_loss. */
void nfs4_losses(const struct nfs4_model *m, struct vec *out);

/*
 * True when the call, which got no answer, is what a slot is put off for ever after
 * (nfs4-delay-loop), while other slots are served.
 */
bool nfs4_slot_is_put_off(const struct rule_input *in, const struct provenance *call);

/* Seconds of the server's lease: told, or assumed. */
int64_t nfs4_lease_ns(const struct nfs4_server *server, bool *told);

/*
 * True when the party was longer without an accepted renewal than the lease (told or assumed), and
 * the evidence lacks none of its calls.
 */
bool nfs4_loss_after_silence(const struct nfs4_loss *loss);

/*
 * True when the client had renewed its lease in time, for sure: where the lease is not told, within
 * what the shortest usual lease is.
 */
bool nfs4_loss_in_time(const struct nfs4_loss *loss);

/*
 * True when neither a restart nor a lapsed lease nor a mere session loss accounts for it. Another
 * instance of the owner may: see recovery->other.
 */
bool nfs4_loss_unexplained(const struct nfs4_loss *loss);

/*
 * True when the numbers in the client IDs show that somebody introduced himself between the old and
 * the new one whom the evidence does not show.
 */
bool nfs4_loss_unseen_others(const struct nfs4_recovery *r);

/*
 * True when the numbers in client IDs and session IDs of a Linux nfsd fit that all others who
 * introduced themselves over the recovery mounted, as innocent hosts do: a rival recovers.
 */
bool nfs4_loss_others_mounted(const struct nfs4_recovery *r);

/* True when the server instance changed over the recovery, as its client IDs tell. */
bool nfs4_loss_boot_changed(const struct nfs4_recovery *r);
bool nfs4_loss_boot_same(const struct nfs4_recovery *r);

/* A server that answers GRACE, or that accepts reclaims, has restarted (RFC 8881 section 8.4.2). */
bool nfs4_loss_reclaimed(const struct nfs4_recovery *r);

/*
 * True when the capture that saw this loss also shows other clients of the server: then another
 * instance of the owner would be seen in it.
 */
bool nfs4_loss_sees_others(const struct nfs4_model *m, const struct nfs4_loss *loss);

/*
 * Another client that kept its client ID from before the loss until after it, by the same capture:
 * a server that restarted keeps none. NULL: none is seen.
 */
const struct nfs4_party *nfs4_loss_survivor(const struct nfs4_model *m,
					    const struct nfs4_loss *loss);

/*
 * True when the server did not restart over the loss: by its start time, which its client IDs tell,
 * or, where they tell nothing, by a survivor and a connection that stayed up. Behind an address may
 * stand several servers, and a new connection may lead to another one.
 */
bool nfs4_loss_without_restart(const struct nfs4_model *m, const struct nfs4_loss *loss);

/* Texts in the diagnosis' arena. */
const char *nfs4_owner_text(struct diagnosis *d, const struct nfs4_owner *owner);

/* The same for a title: a long one is cut ("..."). */
const char *nfs4_owner_title(struct diagnosis *d, const struct nfs4_owner *owner);
const char *nfs4_host_text(struct diagnosis *d, const struct endpoint *host);
const char *nfs4_date_text(struct diagnosis *d, struct stamp at);
/* The date of a boot verifier; "0x..." where it is none: not all clients take the time. */
const char *nfs4_verifier_text(struct diagnosis *d, const struct nfs4_instance *i);
const char *nfs4_boot_text(struct diagnosis *d, int64_t boot_s);
const char *nfs4_duration_text(struct diagnosis *d, int64_t ns);
const char *nfs4_status_text(struct diagnosis *d, uint32_t status);
const char *nfs4_op_text(struct diagnosis *d, uint32_t op);

/* "1 client", "3 clients". */
const char *nfs4_count_text(struct diagnosis *d, uint64_t count, const char *one, const char *many);

/* Widens first..last of the finding by the place. */
void nfs4_finding_span(struct finding *f, const struct provenance *at);

/* Names the server, the party's host, and what the model knows of the owner. */
void nfs4_finding_about(struct diagnosis *d, struct finding *f, const struct nfs4_party *party);

/*
 * A finding about a slot of the party's session on which calls were refused in a row, with their
 * times and number.
 */
struct finding *nfs4_slot_finding(struct diagnosis *d, const char *id,
				  enum finding_confidence confidence,
				  const struct nfs4_party *party, const struct nfs4_slot_streak *s);

/* Cites a place on a connection to the server; places that were not seen are left out. */
void nfs4_cite(struct diagnosis *d, struct finding *f, const struct nfs4_server *server,
	       const struct provenance *at, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Rules nfs4-server-restart out, by what nfs4_loss_without_restart found, and cites it. */
void nfs4_rule_out_restart(const struct nfs4_model *m, struct diagnosis *d, struct finding *f,
			   const struct nfs4_loss *loss);

/* Cites the steps of a recovery: refused, given up, refused again, identified, working. */
void nfs4_cite_ladder(struct diagnosis *d, struct finding *f, const struct nfs4_loss *loss);

#endif
