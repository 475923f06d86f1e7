// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-slots-exhausted (catalogue A26): the server grants a session fewer slots than the client
 * asked for, and all of them are in use all the time: further calls wait inside the client (RFC
 * 8881 section 2.10.6.1). The queue itself is not on the wire; what is, is that each call starts
 * when an answer frees its slot. The client's own statistics tell for sure.
 */
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "model/nfs4/nfs4_slots.h"

#include <inttypes.h>

/* With more slots than this it is not them that hold a client up: a server that is short of memory
 * grants 30 of 64, and one writer fills them. */
enum { SLOTS_FEW = 8 };

/* A time that somebody notices, and calls enough in it. */
#define LASTED_NS (10 * STAMP_NS_PER_S)
enum { FILLS_MIN = 100 };

/* Of that time in percent: all slots in use; and of the calls: begun when a slot became free. */
enum { FULL_PERCENT = 85, HANDOVER_PERCENT = 90 };

/*
 * Answers come one behind the other most of the time: the way is full, or the client does not read,
 * and with more slots more calls would wait behind each other.
 */
static bool is_way_full(const struct nfs4_slot_use *u)
{
	return u->carried_ns / u->slots >= (u->last.at.ns - u->first.at.ns) / 2;
}

static bool is_exhausted(const struct nfs4_slot_use *u)
{
	int64_t lasted_ns = u->last.at.ns - u->first.at.ns;

	return u->asked > u->slots && u->slots <= SLOTS_FEW && u->fills >= FILLS_MIN &&
	       lasted_ns >= LASTED_NS && u->full_ns >= lasted_ns / 100 * FULL_PERCENT &&
	       u->handovers * 100 >= u->fills * HANDOVER_PERCENT && !is_way_full(u);
}

static void tell(struct diagnosis *d, const struct nfs4_party *p, const struct nfs4_slot_use *u)
{
	/* One slot is also full where one program does one call after the other. */
	bool single = u->slots == 1;
	struct finding *f = diagnosis_add(d, "nfs4-slots-exhausted",
					  single ? CONFIDENCE_POSSIBLE : CONFIDENCE_LIKELY);
	const char *who = nfs4_host_text(d, &p->host);
	const char *slots = nfs4_count_text(d, u->slots, "slot", "slots");
	int64_t lasted_ns = u->last.at.ns - u->first.at.ns;

	nfs4_finding_about(d, f, p);
	finding_subject(d, f, "slots", "%" PRIu32 " granted, %" PRIu32 " asked for", u->slots,
			u->asked);
	nfs4_finding_span(f, &u->first);
	nfs4_finding_span(f, &u->last);
	f->count = u->fills;
	f->title = arena_format(&d->arena,
				"%s has %s of an NFSv4 session for all its calls, and %s in use "
				"all the time",
				who, slots, single ? "it is" : "they are");
	f->why = arena_format(
		&d->arena,
		"The client asked for %" PRIu32 " slots and was granted %" PRIu32 ", so no more "
		"calls than that are in work at once. For %s they were all in use %" PRIu64
		" %% of "
		"the time, and %" PRIu64 " of %" PRIu64
		" calls that took the last one began at once when an answer freed one (within "
		"1/32 of that call's round trip, or 1 ms): they seem to have waited for it in "
		"the client, where programs see the wait and the wire does not. `mountstats "
		"--rpc MOUNTPOINT` on the client decides: an average queue time far above the "
		"RTT.%s",
		u->asked, u->slots, nfs4_duration_text(d, lasted_ns),
		(uint64_t)(u->full_ns / (lasted_ns / 100)), u->handovers, u->fills,
		single ? " One program that makes one call after the other looks the same." : "");
	nfs4_cite(d, f, p->server, &u->first, "the call that takes the last free slot");
	nfs4_cite(d, f, p->server, &u->last, "the last answer of this time");
	finding_rule_out(d, f, "rpc-server-silent", "the calls are answered, each in turn");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct nfs4_model *m = in->nfs4;

	for (size_t i = 0; i < m->parties.len; i++) {
		const struct nfs4_party *p = *(struct nfs4_party **)vec_at(&m->parties, i);

		if (!p->merged_into && !p->lossy && p->slots && is_exhausted(&p->slots->busiest))
			tell(out, p, &p->slots->busiest);
	}
}

const struct rule rule_nfs4_slots_exhausted = {
	.id = "nfs4-slots-exhausted",
	.needs = "a capture of NFSv4.1 traffic that holds how the session was made",
	.run = run,
};
